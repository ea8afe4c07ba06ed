/* Drop copy: a second, independent way to what an account was told. A SoupBinTCP server on a kernel socket of
 * 127.0.0.1, with logins and connections of its own; it sends the account's sequenced messages, later than the order
 * session does if that is wanted, and wrong in one execution if that is wanted.
 */
#ifndef GN_SIM_DROP_COPY_H
#define GN_SIM_DROP_COPY_H

#include "dataplane/abi/base.h"
#include "tools/venue-sim/order_server.h"

#define GN_DROP_CONNS_MAX 8u
#define GN_DROP_BUFFER    65536u

/* X(member, "help") */
#define GN_DROP_STATS(X)                             \
    X(connections, "drop-copy connections accepted") \
    X(logins, "drop-copy logins accepted")           \
    X(logins_refused, "drop-copy logins refused")    \
    X(messages_out, "drop-copy messages sent")       \
    X(lies, "executions that were told wrong")       \
    X(bad_stream, "drop-copy connections ended for nonsense")

struct gn_drop_stats {
#define GN_X(member, help) uint64_t member;
    GN_DROP_STATS(GN_X)
#undef GN_X
};

struct gn_drop_conn {
    int fd;           /* -1: free */
    uint32_t account; /* GN_NONE32 before the login */
    uint64_t cursor;  /* next sequence to send */
    struct gn_soup_server soup;
    uint32_t in_n, out_n;
    uint8_t in[GN_DROP_BUFFER], out[GN_DROP_BUFFER];
};

struct gn_drop {
    const struct gn_order_server *orders;
    uint64_t delay_ns;
    uint64_t lie; /* the n-th execution of an account is told with another quantity; 0 = none */
    uint64_t turn_ns;
    int listener; /* -1: there is none */
    struct gn_drop_stats stats;
    struct gn_drop_conn conn[GN_DROP_CONNS_MAX];
};

/* gn_drop_open: listens on 127.0.0.1:port; port 0: no drop copy. False when it cannot. */
bool gn_drop_open(struct gn_drop *d, const struct gn_order_server *orders, uint16_t port, uint64_t delay_ns,
                  uint64_t lie) GN_MUST_CHECK;
void gn_drop_close(struct gn_drop *d);

/* gn_drop_turn: accepts, reads, sends what is due. */
void gn_drop_turn(struct gn_drop *d, uint64_t now_ns);

#endif
