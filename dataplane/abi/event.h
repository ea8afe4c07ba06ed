/* What the rings carry: one row per record type, and the payload of each. Rings to the journal carry all of them; the
 * rings between stages carry gn_md, gn_intent and gn_exec, which the fused layout passes by pointer instead.
 *
 * Prices and quantities are int64 mantissas; a price's exponent is the instrument's (gn_instrument.price_exp).
 */
#ifndef GN_ABI_EVENT_H
#define GN_ABI_EVENT_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/ring.h"

/* X(number, NAME, "name", payload struct, "help"). Numbers are in journals: never reused. */
#define GN_EVENTS(X)                                                                                                  \
    X(1, LIFECYCLE, "lifecycle", gn_ev_lifecycle, "a process started, joined, stopped or found something wrong")      \
    X(2, MD_PACKET, "md_packet", gn_ev_md_packet, "a market-data packet as it was accepted by arbitration")           \
    X(3, GAP, "gap", gn_ev_gap, "a feed gap was seen, requested, filled or given up")                                 \
    X(4, ORDER, "order", gn_ev_order, "an intent and the gate's verdict on it; sent when the verdict is ok")          \
    X(5, EXEC, "exec", gn_ev_exec, "what the venue said of an order, and the position after it")                      \
    X(6, SESSION, "session", gn_ev_session, "an order session changed its state")                                     \
    X(7, KILL, "kill", gn_ev_kill, "the ladder moved: raised, seen by a lcore, released")                             \
    X(8, LIMITS, "limits", gn_ev_limits, "a limit row was changed")                                                   \
    X(9, MD, "md", gn_md, "stage ring: book, trade or status change of an instrument")                                \
    X(10, INTENT, "intent", gn_intent, "stage or client ring: what a strategy wants done")                            \
    X(11, EXEC_REPORT, "exec_report", gn_exec, "stage or client ring: what became of it")                             \
    X(12, ALERT, "alert", gn_ev_alert, "something that a person must look at")                                        \
    X(13, RISK, "risk", gn_ev_risk, "a loss, a soft threshold or a guard of a scope was passed")                      \
    X(14, OVERRIDE, "override", gn_ev_override, "the gate let an order pass by a token of two persons")               \
    X(15, STRATEGY, "strategy", gn_ev_strategy, "a strategy was disabled by the gate, or enabled by a person")        \
    X(17, AUTHORITY, "authority", gn_ev_authority, "an act of a person: asked, approved, done, refused, void")        \
    X(18, COMMAND, "command", gn_ev_command, "what the orders lcore was told by the control plane: abi/command.h")    \
    X(21, BREAK, "break", gn_ev_break, "our books and the venue's differ: see dataplane/abi/recon.h")                 \
    X(22, BREAKER, "breaker", gn_ev_breaker, "the circuit breaker of an order session changed its state")             \
    X(23, DEADMAN, "deadman", gn_ev_deadman, "a dead-man timer of an order session ran out")                          \
    X(24, HANDOVER, "handover", gn_ev_handover, "a restarted data plane took a connection over, or could not")        \
    X(25, MD_ASIDE, "md_aside", gn_ev_md_packet, "a market-data packet that moved arbitration and waits or is empty") \
    X(26, SESSION_IN, "session_in", gn_ev_session_in, "what an order session's connection delivered or refused")      \
    X(27, CONTROL_IN, "control_in", gn_ev_control_in, "what an orders lcore saw of the control plane, and when")      \
    X(28, STATE_PART, "state_part", gn_ev_state_part, "rows of a table: starting state, limits taken over")           \
    X(29, START, "start", gn_ev_start, "a lcore starts from the state parts before this record")                      \
    X(31, STATE, "state", gn_ev_state, "digests of a lcore's state at this point")                                    \
    X(40, CANCEL, "cancel", gn_ev_cancel,                                                                             \
      "a cancel that no intent asked for: by a kill, a mass cancel, an end, a restart")

enum gn_ev {
    GN_EV_PAD = 0,
#define GN_X(num, NAME, name, payload, help) GN_EV_##NAME = num,
    GN_EVENTS(GN_X)
#undef GN_X
};

enum gn_side {
    GN_SIDE_BUY = 0,
    GN_SIDE_SELL = 1,
};

enum gn_tif {
    GN_TIF_DAY = 0,
    GN_TIF_IOC = 1,
};

/* ---- market data to strategies ---- */

enum gn_md_kind {
    GN_MD_BOOK = 1,   /* best bid or offer changed, in price or in size */
    GN_MD_TRADE = 2,  /* a trade printed */
    GN_MD_STATUS = 3, /* stale, recovered, halted, resumed: flags tell */
};

enum gn_md_flag {
    GN_MD_STALE = 1,   /* a gap is open: the book may be wrong and must not be traded on */
    GN_MD_HALTED = 2,  /* the venue halted the instrument */
    GN_MD_CROSSED = 4, /* bid >= ask */
    GN_MD_AUCTION = 8, /* orders are collected for an auction: the previous close bounds their prices */
};

struct gn_md {
    uint32_t instrument;
    uint8_t kind;         /* enum gn_md_kind */
    uint8_t flags;        /* GN_MD_* bits in force after this event */
    uint8_t price_moved;  /* best bid or offer price changed, not only a size */
    uint8_t last_side;    /* enum gn_side of the aggressor, when kind is GN_MD_TRADE */
    int64_t bid, bid_qty; /* 0, 0 when the side is empty */
    int64_t ask, ask_qty;
    int64_t last, last_qty; /* of this trade, when kind is GN_MD_TRADE */
    uint64_t tick_seq;      /* market-data sequence that caused it */
    uint64_t venue_ns;      /* venue's timestamp, ns since its midnight */
};
static_assert(sizeof(struct gn_md) == 72, "gn_md layout");

/* ---- what strategies want ---- */

enum gn_action {
    GN_ACTION_NEW = 1,
    GN_ACTION_REPLACE = 2,     /* target order gets a new price and total quantity, under a new id */
    GN_ACTION_CANCEL = 3,      /* target order */
    GN_ACTION_REDUCE = 4,      /* modify: target order's quantity down to qty, keeping its priority */
    GN_ACTION_MASS_CANCEL = 5, /* all of this strategy's orders; of one instrument when instrument is not GN_NONE32 */
};

#define GN_NONE32 0xffffffffu

struct gn_intent {
    uint8_t action; /* enum gn_action */
    uint8_t side;   /* enum gn_side */
    uint8_t tif;    /* enum gn_tif */
    uint8_t session;
    uint32_t instrument;
    uint16_t strategy; /* set by the strategy host, whatever the strategy wrote */
    uint16_t pad[3];
    uint64_t target; /* order id, for all but NEW */
    int64_t price;
    int64_t qty;
    uint64_t tag;      /* the strategy's own, comes back in gn_exec */
    uint64_t tick_seq; /* market data it answers, 0 = none */
};
static_assert(sizeof(struct gn_intent) == 56, "gn_intent layout");

/* ---- what becomes of it ---- */

enum gn_exec_kind {
    GN_EXEC_SENT = 1,          /* passed the gate, on the wire */
    GN_EXEC_GATE_REJECTED = 2, /* reason: enum gn_verdict */
    GN_EXEC_ACCEPTED = 3,
    GN_EXEC_REJECTED = 4, /* by the venue; reason: the venue's code */
    GN_EXEC_FILLED = 5,   /* qty at price; leaves tells whether it lives on */
    GN_EXEC_CANCELED = 6, /* qty taken off; leaves tells whether it lives on */
    GN_EXEC_REPLACED = 7, /* order_id is the new one, prev_id the old */
    GN_EXEC_CANCEL_REJECTED = 8,
    GN_EXEC_MODIFIED = 9,
    GN_EXEC_IN_DOUBT = 10,  /* the session is gone; fate unknown until the venue says */
    GN_EXEC_BROKEN = 11,    /* a fill was broken: qty at price is taken back */
    GN_EXEC_RESTATED = 12,  /* the venue changed display or priority; nothing to do */
    GN_EXEC_CORRECTED = 13, /* after GN_EXEC_BROKEN of the same match: qty at price stands instead */
};

struct gn_exec {
    uint8_t kind;      /* enum gn_exec_kind */
    uint8_t side;      /* enum gn_side */
    uint8_t state;     /* enum gn_order_state after it */
    uint8_t liquidity; /* 'A' added, 'R' removed, 0 unknown */
    uint16_t reason;
    uint16_t strategy;
    uint32_t instrument;
    uint32_t session;
    uint64_t order_id;
    uint64_t prev_id;
    int64_t price, qty;
    int64_t leaves, cum;
    int64_t position; /* of the instrument, after it */
    uint64_t tag;
    uint64_t tick_seq;
    uint64_t match; /* venue's match number of a fill */
};
static_assert(sizeof(struct gn_exec) == 96, "gn_exec layout");

/* ---- journal payloads ---- */

enum gn_process {
    GN_PROCESS_CONTROLPLANE = 1,
    GN_PROCESS_DATAPLANE = 2,
    GN_PROCESS_GANNETCTL = 3,
};

struct gn_ev_lifecycle {
    uint32_t process; /* enum gn_process */
    uint32_t pid;
    uint64_t epoch;
    char text[80]; /* zero-terminated */
};
static_assert(sizeof(struct gn_ev_lifecycle) == 96, "gn_ev_lifecycle layout");

struct gn_ev_md_packet {
    uint64_t first_seq; /* of the first message */
    uint16_t count;     /* messages */
    uint16_t bytes;     /* of data */
    uint8_t line;       /* 0 = A, 1 = B, 2 = retransmission */
    uint8_t held;       /* 1: waited behind a gap; as it came it is an earlier record of type md_aside */
    uint8_t pad[2];
    uint8_t data[]; /* the UDP payload */
};
static_assert(sizeof(struct gn_ev_md_packet) == 16, "gn_ev_md_packet layout");

enum gn_gap_what {
    GN_GAP_OPENED = 1,
    GN_GAP_REQUESTED = 2,
    GN_GAP_FILLED_LINE = 3, /* by the other line or by reordering */
    GN_GAP_FILLED_RETRANSMIT = 4,
    GN_GAP_REBUILD = 6,  /* a person had the books built anew: from, to: what is asked for again */
    GN_GAP_GIVEN_UP = 5, /* books stay stale until a snapshot or an operator */
};

struct gn_ev_gap {
    uint64_t from; /* first missing sequence */
    uint64_t to;   /* one past the last missing */
    uint32_t what; /* enum gn_gap_what */
    uint32_t line;
};
static_assert(sizeof(struct gn_ev_gap) == 24, "gn_ev_gap layout");

struct gn_ev_order {
    struct gn_intent intent;
    uint64_t order_id;   /* given to it, 0 when rejected or for a cancel */
    uint32_t user_ref;   /* venue's id within the session */
    uint16_t verdict;    /* enum gn_verdict */
    uint16_t scope;      /* whose limit: 0 = the instrument's or none, else enum gn_scope_row + 1 */
    int64_t limit_value; /* what the check compared with */
    int64_t used_value;  /* what it found */
};
static_assert(sizeof(struct gn_ev_order) == 88, "gn_ev_order layout");

enum gn_cancel_why {
    GN_CANCEL_BY_KILL = 1,
    GN_CANCEL_BY_MASS = 2,    /* an intent to cancel many */
    GN_CANCEL_BY_END = 3,     /* the data plane ends in order */
    GN_CANCEL_BY_RESTART = 4, /* it rested when the data plane started */
};

/* One for each cancel that a sweep hands to TCP, and one for each mass cancel of the venue. */
struct gn_ev_cancel {
    uint64_t order_id;   /* 0: the venue's own mass cancel, of all orders of the session */
    uint64_t cause;      /* kill: the word; mass cancel: sequence of the record of its strategy's last one; else 0 */
    uint32_t instrument; /* GN_NONE32: all */
    uint32_t user_ref;
    uint16_t strategy; /* 0xffff: all */
    uint8_t why;       /* enum gn_cancel_why */
    uint8_t scope;     /* kill: enum gn_kill_scope of the word; a further one may be as high */
    uint8_t session;
    uint8_t again; /* 1: it was asked before and did not answer */
    uint8_t pad[2];
};
static_assert(sizeof(struct gn_ev_cancel) == 32, "gn_ev_cancel layout");

struct gn_ev_exec {
    struct gn_exec exec;
    uint64_t venue_seq; /* SoupBinTCP sequence of the message, 0 when ours */
};
static_assert(sizeof(struct gn_ev_exec) == 104, "gn_ev_exec layout");

struct gn_ev_session {
    uint32_t session;
    uint16_t state;    /* enum gn_session_state */
    uint16_t reason;   /* protocol's own code */
    uint64_t next_seq; /* next sequenced message expected */
    uint64_t in_doubt; /* orders whose fate became unknown */
};
static_assert(sizeof(struct gn_ev_session) == 24, "gn_ev_session layout");

struct gn_ev_kill {
    uint16_t level; /* enum gn_ladder */
    uint8_t scope;  /* enum gn_kill_scope */
    uint8_t source; /* enum gn_kill_source */
    uint32_t index; /* of the scope: instrument, strategy, session */
    uint64_t set_ns;
    uint64_t counter;
    char who[32];
    char why[64];
};
static_assert(sizeof(struct gn_ev_kill) == 120, "gn_ev_kill layout");

struct gn_ev_limits {
    uint64_t generation;
    uint32_t instrument; /* or index of the scope; GN_NONE32: the firm */
    uint32_t field;      /* index in the limit table; enum gn_kill_scope of a theme, account, strategy, venue << 16 */
    int64_t old_value, new_value;
    char who[32];
};
static_assert(sizeof(struct gn_ev_limits) == 64, "gn_ev_limits layout");

enum gn_risk_what {
    GN_RISK_LOSS = 1,     /* of the day */
    GN_RISK_DRAWDOWN = 2, /* from the highest profit */
    GN_RISK_STOP = 3,     /* unrealised, of a position */
    GN_RISK_TRADE = 4,    /* realised by one fill */
    GN_RISK_SOFT = 5,     /* four fifths of a message budget are used */
    GN_RISK_GUARD = 6,    /* a price was no reference; used = enum gn_risk_guard */
    GN_RISK_OTR = 7,      /* order-to-trade ratio */
    GN_RISK_DAY = 8,      /* a trading day began */
};

struct gn_ev_risk {
    uint32_t what;       /* enum gn_risk_what */
    uint32_t scope;      /* enum gn_kill_scope */
    uint32_t index;      /* of the scope */
    uint32_t level;      /* enum gn_ladder that the scope was raised to, 0 = not raised */
    int64_t limit, used; /* what is allowed, what was found */
};
static_assert(sizeof(struct gn_ev_risk) == 32, "gn_ev_risk layout");

struct gn_ev_override {
    uint64_t token; /* gn_override.armed */
    uint16_t verdict;
    uint16_t strategy;
    uint32_t instrument;
    int64_t limit, used;
    char who[32], other[32];
};
static_assert(sizeof(struct gn_ev_override) == 96, "gn_ev_override layout");

struct gn_ev_strategy {
    uint32_t strategy;
    uint32_t disabled; /* 1: by the gate, 0: enabled again */
    uint64_t number;   /* gn_risk_scope.disabled */
    uint64_t repeats, max;
};
static_assert(sizeof(struct gn_ev_strategy) == 32, "gn_ev_strategy layout");

struct gn_ev_alert {
    uint32_t code;
    uint32_t severity; /* 1 = page now .. 4 = note */
    char text[120];
};
static_assert(sizeof(struct gn_ev_alert) == 128, "gn_ev_alert layout");

struct gn_ev_break {
    uint64_t seq;   /* of its table */
    uint16_t kind;  /* enum gn_break_class */
    uint8_t state;  /* enum gn_break_state */
    uint8_t source; /* 0: order session, 1: drop copy */
    uint32_t instrument;
    uint64_t order_id;
    uint64_t match;
    int64_t ours, theirs;
    uint64_t venue_seq;
    uint32_t session;
    uint32_t pad;
};
static_assert(sizeof(struct gn_ev_break) == 64, "gn_ev_break layout");

struct gn_ev_breaker {
    uint32_t session;
    uint16_t state; /* enum gn_breaker_state */
    uint16_t why;   /* enum gn_breaker_why */
    uint64_t failures;
    uint64_t until_ns; /* open: no attempt before */
    uint64_t trips;
};
static_assert(sizeof(struct gn_ev_breaker) == 32, "gn_ev_breaker layout");

struct gn_ev_deadman {
    uint32_t session;
    uint16_t what;   /* enum gn_deadman */
    uint16_t action; /* enum gn_deadman_action */
    uint64_t silent_ns;
    uint64_t limit_ns;
};
static_assert(sizeof(struct gn_ev_deadman) == 24, "gn_ev_deadman layout");

struct gn_ev_handover {
    uint32_t session;
    uint16_t result;                /* enum gn_handover */
    uint16_t state;                 /* enum gn_session_state before the death */
    uint64_t next_seq;              /* next sequenced message expected */
    uint64_t stream_in, stream_out; /* stream offsets: consumed, and handed to TCP */
    uint64_t orders;                /* working orders that were kept */
};
static_assert(sizeof(struct gn_ev_handover) == 40, "gn_ev_handover layout");

/* ---- inputs of the deterministic core that no output shows: what a replay needs besides the packets ---- */

enum gn_session_in_kind {
    GN_SESSION_IN_DATA = 1,      /* data: one packet of the stream as it was read, or its head when it is none */
    GN_SESSION_IN_EVENTS = 2,    /* value: enum gn_tcp_event bits */
    GN_SESSION_IN_CONNECT = 3,   /* value: connection number, or GN_NONE32 when the call was refused */
    GN_SESSION_IN_BLOCKED = 4,   /* TCP refuses a message of value bytes; so it stays until UNBLOCKED */
    GN_SESSION_IN_UNBLOCKED = 5, /* TCP takes a message of value bytes again */
    GN_SESSION_IN_SENT = 6,      /* a message of the session's own left; value: its SoupBinTCP type */
};

struct gn_ev_session_in {
    uint32_t session;
    uint16_t kind;  /* enum gn_session_in_kind */
    uint16_t bytes; /* of data */
    uint64_t value;
    uint8_t data[];
};
static_assert(sizeof(struct gn_ev_session_in) == 16, "gn_ev_session_in layout");

enum gn_control_in_kind {
    GN_CONTROL_IN_WORD = 1,           /* a kill word as it is taken from here on; value: the word */
    GN_CONTROL_IN_STALE = 2,          /* value 1: the heartbeat is stale, 0: it moves again */
    GN_CONTROL_IN_GONE = 3,           /* the heartbeat was silent for so long that everything is cancelled */
    GN_CONTROL_IN_JOURNAL_FAILED = 4, /* the journal reported failure */
    GN_CONTROL_IN_LIMITS = 5,         /* value: generation taken over; index: 1 when its rows are not all here */
    GN_CONTROL_IN_DRAIN = 6,          /* the process is about to end */
    GN_CONTROL_IN_STOP = 7,           /* sessions are logged out */
    GN_CONTROL_IN_MARK = 9,           /* the prices of instrument index are looked at */
    GN_CONTROL_IN_LATE = 8, /* look 1: the journal is late, limit and value as the gate shows them; 0: no more */
};

/* Where a kill word was seen. */
enum gn_control_look {
    GN_LOOK_POLL = 0, /* by the turn's own look at the words */
    GN_LOOK_GATE = 1, /* in the gate, by the intent of the record before */
    GN_LOOK_LAST = 2, /* by the look right before the bytes join the stream, of the intent of the record before */
};

struct gn_ev_control_in {
    uint16_t kind; /* enum gn_control_in_kind */
    uint8_t look;  /* enum gn_control_look */
    uint8_t scope; /* enum gn_kill_scope */
    uint32_t index;
    uint64_t value;
};
static_assert(sizeof(struct gn_ev_control_in) == 16, "gn_ev_control_in layout");

enum gn_state_table {
    GN_STATE_ORDERS = 1,        /* struct gn_order, by slot */
    GN_STATE_POSITIONS = 2,     /* struct gn_position, by instrument */
    GN_STATE_SESSIONS = 3,      /* struct gn_session_row */
    GN_STATE_SESSION_STATE = 4, /* struct gn_session_state_row, without the password */
    GN_STATE_LIMITS = 5,        /* lines of 64 bytes of a generation of limits */
    GN_STATE_WORDS = 6,         /* kill words: all, sessions, strategies, themes, accounts, venues */
    GN_STATE_INSTRUMENT_WORDS = 7,
    GN_STATE_RISK = 8, /* lines of 64 bytes of the risk section */
};

/* Rows index .. index + count - 1 of a table; rows that are zero are left out. */
struct gn_ev_state_part {
    uint32_t table; /* enum gn_state_table */
    uint32_t index;
    uint32_t count;
    uint32_t row_bytes;
    uint8_t data[]; /* count x row_bytes */
};
static_assert(sizeof(struct gn_ev_state_part) == 16, "gn_ev_state_part layout");

struct gn_ev_start {
    uint64_t epoch;
    uint64_t next_order_seq;
    uint64_t limits_generation;
    uint32_t lcore;
    uint32_t stages;     /* bits of enum gn_stage */
    uint32_t joined;     /* 1: the private tables of an earlier life were found */
    uint32_t books_kept; /* 1: books and arbitration go on, 0: they are empty */
    uint32_t complete;   /* 1: all parts are there; 0: the event ring had no room for them */
    uint32_t parts;      /* records of type state_part that belong to it */
};
static_assert(sizeof(struct gn_ev_start) == 48, "gn_ev_start layout");

/* 64-bit digests (gn_digest_mix over rows); equal states have equal digests. */
struct gn_ev_state {
    uint64_t books;  /* live orders and their digests, best prices, next sequence of the feed */
    uint64_t orders; /* every order ever, next sequence */
    uint64_t positions;
    uint64_t sessions; /* state and sequence numbers */
    uint64_t gate;     /* limits generation, message budgets, kill words as seen */
    uint64_t strategies;
};
static_assert(sizeof(struct gn_ev_state) == 48, "gn_ev_state layout");

enum gn_authority_what {
    GN_AUTHORITY_REQUESTED = 1, /* waits for its second person */
    GN_AUTHORITY_APPROVED = 2,
    GN_AUTHORITY_APPLIED = 3, /* done: also acts that need no authority */
    GN_AUTHORITY_REFUSED = 4,
    GN_AUTHORITY_WITHDRAWN = 5,
    GN_AUTHORITY_EXPIRED = 6,
    GN_AUTHORITY_VOIDED = 7, /* by a start of the control plane: whatever waited in its earlier life */
};

struct gn_ev_authority {
    uint32_t what; /* enum gn_authority_what */
    uint32_t act;  /* enum gn_act, 0 = it needs no authority */
    uint64_t id;   /* of the request that waits or waited, 0 = none */
    uint32_t uid;  /* of the connection */
    uint32_t pid;
    char person[32]; /* who asked; done by two: both */
    char second[16]; /* who approved, or tried to */
    char why[64];
    uint8_t digest[32]; /* SHA-256 of the request that waits */
    char request[120];  /* canonical JSON, cut */
};
static_assert(sizeof(struct gn_ev_authority) == 288, "gn_ev_authority layout");

struct gn_ev_command {
    uint64_t number;
    uint32_t kind; /* enum gn_command_kind */
    uint32_t index;
    int64_t side, qty, price;
    uint64_t word;
};
static_assert(sizeof(struct gn_ev_command) == 48, "gn_ev_command layout");

#endif
