/* Order table, positions and order sessions: written by the orders lcore alone, read by everybody, kept over the death
 * of the data plane. The slot of an order is its user reference modulo the table size, so a venue message finds it at
 * once.
 */
#ifndef GN_ABI_ORDERS_H
#define GN_ABI_ORDERS_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/conf.h"
#include "dataplane/abi/event.h"
#include "dataplane/abi/verdict.h"

/* X(number, NAME, "name", working, "help"); working: holds a risk reservation. */
#define GN_ORDER_STATES(X)                                                                      \
    X(0, FREE, "free", 0, "slot never used")                                                    \
    X(1, PENDING_NEW, "pending_new", 1, "sent or held, not acknowledged")                       \
    X(2, LIVE, "live", 1, "accepted by the venue")                                              \
    X(3, PENDING_CANCEL, "pending_cancel", 1, "cancel sent, not acknowledged")                  \
    X(4, PENDING_REPLACE, "pending_replace", 1, "replace sent: the successor is pending_new")   \
    X(5, IN_DOUBT, "in_doubt", 1, "session lost in between: fate unknown until the venue says") \
    X(6, FILLED, "filled", 0, "nothing left, last shares filled")                               \
    X(7, CANCELED, "canceled", 0, "nothing left, last shares cancelled")                        \
    X(8, REJECTED, "rejected", 0, "refused by the venue, or proven never to have arrived")      \
    X(9, REPLACED, "replaced", 0, "its successor lives on")

enum gn_order_state {
#define GN_X(num, NAME, name, working, help) GN_ORDER_##NAME = num,
    GN_ORDER_STATES(GN_X)
#undef GN_X
        GN_ORDER_STATE_COUNT,
};

static inline bool gn_order_working(uint8_t state)
{
    return state >= GN_ORDER_PENDING_NEW && state <= GN_ORDER_IN_DOUBT;
}

#define GN_ORDER_SEQ_MASK 0xffffffffffull

/* Order id: epoch (16 bits) | lcore (8) | sequence (40). The sequence's low 32 bits are the venue's user reference. */
static inline uint64_t gn_order_id(uint64_t epoch, uint32_t lcore, uint64_t seq)
{
    return (epoch & 0xffff) << 48 | (uint64_t)(lcore & 0xff) << 40 | (seq & GN_ORDER_SEQ_MASK);
}

struct gn_order {
    uint64_t id;
    uint32_t user_ref;
    uint32_t instrument;
    uint8_t state; /* enum gn_order_state */
    uint8_t side;
    uint8_t tif;
    uint8_t session;
    uint8_t strategy;
    uint8_t held;          /* 1: not sent yet, waits until its record is durable (journal.mode sync) */
    uint8_t cancel_wanted; /* a kill or mass cancel wants it gone */
    uint8_t acked;         /* the venue has accepted it */
    int64_t price;
    int64_t qty;
    int64_t leaves;
    int64_t cum;
    int64_t reserved; /* quantity it holds in the position's worst case */
    uint64_t tag;
    uint64_t tick_seq;
    uint64_t sent_ns;
    uint64_t changed_ns;
    uint32_t prev_ref;             /* user reference of the order it replaces, 0 = none */
    uint32_t next_ref;             /* of its successor, 0 = none */
    int64_t chain_cum;             /* filled by this order and those it replaced */
    uint32_t list_next, list_prev; /* slots: ring of working orders, GN_NONE32 = not in it */
    uint32_t own_next, own_prev;   /* slots + 1: the instrument's working orders, 0 = none */
};
static_assert(sizeof(struct gn_order) == 128, "two cache lines an order");

/* Header of the orders section; `capacity` orders follow. */
struct gn_order_table {
    uint32_t capacity; /* power of two */
    uint32_t open;     /* working orders */
    uint64_t next_seq; /* next order sequence: the high-water mark, never goes back */
    uint32_t list_head;
    uint32_t pad0;
    uint64_t illegal; /* state x event pairs that the transition table forbids */
    uint8_t pad[GN_GUARD - 32];
    struct gn_order order[];
};
static_assert(offsetof(struct gn_order_table, order) == GN_GUARD, "orders follow the header");

static inline uint64_t gn_orders_footprint(uint32_t capacity)
{
    return sizeof(struct gn_order_table) + (uint64_t)capacity * sizeof(struct gn_order);
}

struct gn_position {
    int64_t qty;       /* bought - sold */
    int64_t open_buy;  /* reserved by working buy orders */
    int64_t open_sell; /* reserved by working sell orders */
    uint32_t open_orders;
    uint32_t own; /* slot + 1 of the first working order, 0 = none */
    int64_t bought, sold;
    uint64_t fills;                              /* executions, those that were broken later included */
    int64_t fees;                                /* of the fills that stand, 1/100 of a price mantissa; < 0: rebates */
    gn_i128 buy_value, sell_value;               /* sum of price mantissa x quantity */
    uint64_t sent, accepted, canceled, rejected; /* orders of this instrument */
    gn_i128 cost;                                /* of the open position at average price, below 0 when short */
    int64_t open_value;                          /* price mantissa x quantity reserved by working orders */
    int64_t best_buy, best_sell; /* bounds of the prices of own working orders, while any works on the side */
    uint64_t pad[3];
};
static_assert(sizeof(struct gn_position) == 192, "three cache lines a position");

/* X(number, NAME, "name", "help") */
#define GN_SESSION_STATES(X)                                                                         \
    X(0, DOWN, "down", "not connected; waits for its backoff")                                       \
    X(1, CONNECTING, "connecting", "TCP handshake")                                                  \
    X(2, LOGIN, "login", "login sent")                                                               \
    X(3, RECOVERING, "recovering", "logged in; missed messages and the account query are coming in") \
    X(4, UP, "up", "reconciled: orders may be sent")                                                 \
    X(5, REFUSED, "refused", "the venue refused the login: an operator must act")                    \
    X(6, ENDED, "ended", "the venue ended the session")

enum gn_session_state {
#define GN_X(num, NAME, name, help) GN_SESSION_##NAME = num,
    GN_SESSION_STATES(GN_X)
#undef GN_X
        GN_SESSION_STATE_COUNT,
};

/* X(number, NAME, "name", "help"): circuit breaker of a session. */
#define GN_BREAKER_STATES(X)                                                                         \
    X(0, CLOSED, "closed", "connects and sends")                                                     \
    X(1, OPEN, "open", "too many failures: nothing new is sent and nothing is tried until its time") \
    X(2, HALF_OPEN, "half_open", "one probe is under way: login and query, and no order before its answer")

enum gn_breaker_state {
#define GN_X(num, NAME, name, help) GN_BREAKER_##NAME = num,
    GN_BREAKER_STATES(GN_X)
#undef GN_X
        GN_BREAKER_STATE_COUNT,
};

/* X(number, NAME, "name", "help"): what a circuit breaker counts, and what closes it. */
#define GN_BREAKER_WHYS(X)                                               \
    X(0, NONE, "none", "nothing yet")                                    \
    X(1, LOST, "lost", "connections lost or not made")                   \
    X(2, REJECTS, "rejects", "orders that the venue rejected")           \
    X(3, PROBE_LOST, "probe_lost", "the probe was not answered")         \
    X(4, PROBE_DUE, "probe_due", "the time is over: one probe goes out") \
    X(5, PROBE_ANSWERED, "probe_answered", "the venue answered the probe's query")

enum gn_breaker_why {
#define GN_X(num, NAME, name, help) GN_BREAKER_WHY_##NAME = num,
    GN_BREAKER_WHYS(GN_X)
#undef GN_X
        GN_BREAKER_WHY_COUNT,
};

/* X(bit, NAME, "name", "help"): whose silence a session's dead-man timer watches. */
#define GN_DEADMEN(X)                                                                          \
    X(0, CONTROL, "control", "the control plane's heartbeat")                                  \
    X(1, STRATEGY, "strategy", "the lcore of the strategies, and the clients that trade here") \
    X(2, FEED, "feed", "market data, heartbeats of the feed included")                         \
    X(3, SESSION, "session", "the order session itself: it is not up")

enum gn_deadman {
#define GN_X(bit, NAME, name, help) GN_DEADMAN_##NAME = bit,
    GN_DEADMEN(GN_X)
#undef GN_X
        GN_DEADMAN_COUNT,
};

enum gn_deadman_action {
    GN_DEADMAN_STOP = 0,   /* the session's kill word goes to halted: no new orders */
    GN_DEADMAN_CANCEL = 1, /* to killed: working orders are cancelled too */
};

/* X(number, NAME, "name", "help"): what a restarted data plane could do with the connection of its earlier life. */
#define GN_HANDOVERS(X)                                                             \
    X(0, NONE, "none", "no earlier life")                                           \
    X(1, JOINED, "joined", "the connection goes on where it was")                   \
    X(2, OFF, "off", "sessions[].handover is false")                                \
    X(3, NO_TABLES, "no_tables", "the private tables are not those of this region") \
    X(4, REFUSED, "refused", "the TCP table or the session's state does not check") \
    X(5, NOT_OPEN, "not_open", "there was no established and logged-in connection") \
    X(6, LOST, "lost", "it was joined, and the venue did not answer or had closed it")

enum gn_handover {
#define GN_X(num, NAME, name, help) GN_HANDOVER_##NAME = num,
    GN_HANDOVERS(GN_X)
#undef GN_X
        GN_HANDOVER_COUNT,
};

struct gn_session_row {
    _Atomic uint32_t state; /* enum gn_session_state; relaxed: one writer, readers only look */
    uint32_t reason;        /* of the last loss or refusal */
    uint64_t next_in_seq;   /* next sequenced message expected from the venue */
    char venue_session[12];
    uint32_t conn;     /* index in the TCP table, GN_NONE32 = none */
    uint32_t connects; /* attempts so far; picks the local port */
    uint32_t backoff_ms;
    uint64_t retry_ns;
    uint64_t last_rx_ns, last_tx_ns;
    uint64_t logins, losses;
    uint64_t orders_sent, replaces_sent, cancels_sent, messages_in;
    uint64_t in_doubt;       /* orders now in doubt */
    uint64_t budget_full_ns; /* message budget: when it is full again; a restart goes on with it */
    uint32_t breaker;        /* enum gn_breaker_state */
    uint32_t breaker_why;    /* enum gn_breaker_why: of its last change */
    uint64_t breaker_until_ns, breaker_trips;
    uint64_t breaker_window_ns; /* start of the window in which failures count */
    uint32_t breaker_failures, breaker_rejects;
    uint64_t deadman_since_ns;     /* not up since then; 0 = it is */
    uint32_t deadman_fired;        /* bits of enum gn_deadman that ran out and have not come back */
    uint32_t cancel_on_disconnect; /* 1: the venue cancels this session's orders when its connection ends */
    uint64_t deadman_trips;
    uint32_t handover;          /* enum gn_handover: of the last start */
    uint32_t breaker_doublings; /* of its pause, for probes that were not answered */
    uint64_t handovers;         /* connections carried over a restart */
    uint8_t pad[2 * GN_GUARD - 208];
};
static_assert(sizeof(struct gn_session_row) == 2 * GN_GUARD, "sessions share no guard");

#endif
