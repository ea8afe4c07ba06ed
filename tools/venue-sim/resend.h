/* The MoldUDP64 retransmission server: answers each request with the messages asked for, in as many packets as they
 * take, a few packets a turn.
 */
#ifndef GN_SIM_RESEND_H
#define GN_SIM_RESEND_H

#include "dataplane/abi/base.h"
#include "drivers/venue/nasdaq/moldudp64.h"
#include "tools/venue-sim/history.h"
#include "tools/venue-sim/link.h"

#define GN_RESEND_QUEUE        256u
#define GN_RESEND_PACKETS_TURN 8u
#define GN_RESEND_PATIENCE_NS  1000000000ull /* for an answer that cannot go out: no neighbour */

/* X(member, "help") */
#define GN_RESEND_STATS(X)                                                             \
    X(requests, "requests received")                                                   \
    X(bad_request, "requests refused: not 20 bytes, no message or too many asked for") \
    X(bad_session, "requests refused: another session")                                \
    X(not_published, "requests refused: not published yet")                            \
    X(forgotten, "requests whose oldest messages are no longer kept")                  \
    X(queue_full, "requests refused: too many are waiting")                            \
    X(unreachable, "answers given up: the client's neighbour entry is missing")        \
    X(served, "requests answered to the end")                                          \
    X(messages, "messages sent again")                                                 \
    X(packets, "packets sent for them")

struct gn_resend_stats {
#define GN_X(member, help) uint64_t member;
    GN_RESEND_STATS(GN_X)
#undef GN_X
};

struct gn_resend_job {
    uint32_t link, ip;
    uint16_t port;
    uint64_t next, end; /* sequences */
    uint64_t deadline_ns;
};

struct gn_resend {
    char session[GN_MOLD_SESSION];
    uint16_t port; /* UDP, ours */
    const struct gn_history *history;
    struct gn_sim_links *links;
    uint32_t head, n;
    struct gn_resend_job queue[GN_RESEND_QUEUE];
    struct gn_resend_stats stats;
};

/* gn_resend_request: a datagram that came to our port. */
void gn_resend_request(struct gn_resend *r, uint32_t link, const struct gn_net_rx *rx, uint64_t now_ns);

/* gn_resend_turn: sends up to GN_RESEND_PACKETS_TURN packets of the oldest requests. */
void gn_resend_turn(struct gn_resend *r, uint64_t now_ns);

#endif
