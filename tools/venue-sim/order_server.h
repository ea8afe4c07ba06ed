/* The order side of the venue: TCP connections, SoupBinTCP sessions, OUCH messages, and the sequenced messages of each
 * account, kept so that a client that comes back can have those it missed.
 *
 *     bytes --> soup packet --> OUCH message --> matching --> account's history --> (delay) --> soup packet --> bytes
 *
 * An account has one connection at a time: a new login with the right password takes over, and the old connection is
 * reset. Executions of resting orders reach the history whether the client is there or not.
 */
#ifndef GN_SIM_ORDER_SERVER_H
#define GN_SIM_ORDER_SERVER_H

#include "dataplane/abi/base.h"
#include "dataplane/net/tcp.h"
#include "drivers/venue/nasdaq/ouch.h"
#include "drivers/venue/nasdaq/soupbintcp.h"
#include "tools/venue-sim/history.h"
#include "tools/venue-sim/impair.h"
#include "tools/venue-sim/latency.h"
#include "tools/venue-sim/link.h"
#include "tools/venue-sim/matching.h"

#define GN_ORDER_ACCOUNTS_MAX 8u
#define GN_ORDER_CONNS_MAX    16u
static_assert(GN_ORDER_ACCOUNTS_MAX <= GN_MATCH_SESSIONS_MAX, "every account is a session of the matching");

struct gn_order_account {
    char username[GN_SOUP_USERNAME + 1];
    char password[GN_SOUP_PASSWORD + 1];
    uint32_t conn;             /* index of its connection, GN_NONE32 = none */
    struct gn_history answers; /* u64 time of the answer, then the OUCH message */
};

/* X(member, "help") */
#define GN_ORDER_STATS(X)                                                                       \
    X(connections, "TCP connections accepted")                                                  \
    X(connections_full, "connections refused: too many")                                        \
    X(logins, "logins accepted")                                                                \
    X(logins_refused, "logins refused")                                                         \
    X(takeovers, "connections reset because the account logged in anew")                        \
    X(logouts, "logout requests")                                                               \
    X(peer_closed, "connections closed or reset by the client")                                 \
    X(silent, "connections reset: the client was silent too long or never logged in")           \
    X(bad_stream, "connections reset: the stream was not SoupBinTCP, or a packet out of place") \
    X(disconnected, "connections reset on purpose")                                             \
    X(garbage, "bursts of random bytes sent on purpose")                                        \
    X(messages_in, "OUCH messages received")                                                    \
    X(bad_messages, "OUCH messages that could not be decoded")                                  \
    X(messages_out, "sequenced messages put on the wire")                                       \
    X(answers, "sequenced messages made")                                                       \
    X(send_stalls, "turns in which answers had to wait for TCP")                                \
    X(forgotten, "answers that a client asked for and that are no longer kept")                 \
    X(latency_unknown, "orders whose client order id names no market-data sequence")

struct gn_order_stats {
#define GN_X(member, help) uint64_t member;
    GN_ORDER_STATS(GN_X)
#undef GN_X
    uint64_t ouch_errors[GN_OUCH_ERRS];
    uint64_t soup_errors[GN_SOUP_ERRS];
    uint64_t out_by_type[128];   /* answers made, by OUCH type */
    uint64_t last_order_ns;      /* arrival of the last enter or replace message */
    uint64_t last_cancel_ns;     /* arrival of the last cancel or mass cancel */
    uint64_t last_cancel_ack_ns; /* a canceled message was last put on the wire */
};

struct gn_order_conn {
    bool used;
    bool closing;     /* nothing more is read; released when what was sent is acknowledged */
    uint32_t tcp;     /* index in the TCP table */
    uint32_t account; /* GN_NONE32 before the login */
    uint64_t cursor;  /* next sequence to send */
    struct gn_soup_server soup;
};

struct gn_order_server {
    /* set by the caller */
    struct gn_sim_links *links;
    uint32_t link;
    uint16_t port;
    struct gn_tcp *tcp;
    struct gn_match *match;
    struct gn_impair *impair;
    const struct gn_lat_ring *stamps;
    char session[GN_SOUP_SESSION + 1];
    struct gn_soup_timing timing;
    bool cancel_on_disconnect;
    uint32_t accounts;
    struct gn_order_account account[GN_ORDER_ACCOUNTS_MAX];
    /* on_order: told of every order that names a market-data sequence, modulo GN_LAT_STAMPS. May be NULL. */
    void (*on_order)(void *arg, uint32_t tick, uint64_t arrived_ns);
    void *on_order_arg;
    /* its own */
    uint64_t now; /* of the current call, for answers */
    bool ended;
    struct gn_lat_hist latency;
    struct gn_order_stats stats;
    struct gn_order_conn conn[GN_ORDER_CONNS_MAX];
};

enum gn_order_err {
    GN_ORDER_OK = 0,
    GN_ORDER_ERR_ACCOUNTS = -1, /* none, too many, or two of one name */
    GN_ORDER_ERR_MEMORY = -2,
    GN_ORDER_ERR_LISTEN = -3,
};

const char *gn_order_strerror(int err);

/* gn_order_init: listens, and starts each account's answers with the start of the day. answers_bytes: memory of an
 * account's history. */
int gn_order_init(struct gn_order_server *s, uint64_t answers_bytes, uint64_t now_ns) GN_MUST_CHECK;
void gn_order_free(struct gn_order_server *s);

/* gn_order_emit: takes an answer of the matching; this is gn_match_config.emit, arg is the server. */
void gn_order_emit(void *arg, uint32_t session, const struct gn_ouch_msg *m);

/* gn_order_events: does what TCP has to tell; arrived_ns is when the frame behind it came in. */
void gn_order_events(struct gn_order_server *s, uint64_t arrived_ns);

/* gn_order_turn: accepts connections, sends answers that are due, heartbeats, and ends what is silent. */
void gn_order_turn(struct gn_order_server *s, uint64_t now_ns);

/* gn_order_end: end of the day: the system event, then the end of the session, when all answers are out. */
void gn_order_end(struct gn_order_server *s, uint64_t now_ns);

/* gn_order_logged_in: connections that are logged in now. */
uint32_t gn_order_logged_in(const struct gn_order_server *s);

#endif
