/* An endpoint of dataplane/net with a clock of its own: time passes when somebody waits, timers fire at their times,
 * and what leaves is kept with its time. The ground under the packetdrill adapter and our own script runner.
 */
#ifndef GN_TEST_PACKETDRILL_STACK_H
#define GN_TEST_PACKETDRILL_STACK_H

#include "dataplane/net/net.h"
#include "dataplane/net/tcp.h"

#define STACK_MS    1000000ull
#define STACK_S     1000000000ull
#define STACK_CONNS 16u
#define STACK_OUT   256u /* packets kept */

struct stack_packet {
    uint64_t at_ns;
    uint32_t len;
    uint8_t bytes[GN_FRAME_ROOM]; /* from the IPv4 header on */
};

struct stack {
    struct gn_net *net;
    struct gn_tcp *tcp;
    struct gn_txq txq;
    struct gn_tcp_conf tcp_conf;
    struct gn_net_conf net_conf;
    uint32_t sndbuf, rcvbuf;
    uint64_t now_ns;
    uint32_t head, tail; /* of out, free-running */
    struct stack_packet out[STACK_OUT];
};

/* stack_new: flags are "key=value,..." with the keys of GN_TCP_CONF, and ip, gateway, sndbuf, rcvbuf; NULL takes the
 * defaults: 192.168.0.1/16, everything else behind the gateway. NULL when a flag is unknown or a value impossible. */
struct stack *stack_new(const char *flags);
void stack_free(struct stack *s);

/* stack_wait: lets ns pass. */
void stack_wait(struct stack *s, uint64_t ns);

/* stack_give: an IPv4 packet comes in. False when it is too long for a frame. */
bool stack_give(struct stack *s, const void *packet, size_t len);

/* stack_take: the next packet that left, waiting for at most ns; NULL when there is none. Valid until the next call. */
const struct stack_packet *stack_take(struct stack *s, uint64_t ns);

/* stack_flush: collects what a call into the endpoint has put into the queue; after every such call. */
void stack_flush(struct stack *s);

#endif
