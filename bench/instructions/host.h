/* Two hosts on a wire without loss, in virtual time: an endpoint, a TCP table and a txq each. */
#ifndef GN_BENCH_HOST_H
#define GN_BENCH_HOST_H

#include "dataplane/net/net.h"
#include "dataplane/net/tcp.h"

#define HOST_PORT    7001u
#define HOST_GROUP_A 0xef010101u
#define HOST_GROUP_B 0xef010102u
#define HOST_CSUM_OK (GN_NET_IN_IP_CSUM_OK | GN_NET_IN_L4_CSUM_OK)

struct host {
    struct gn_net *net;
    struct gn_tcp *tcp;
    uint32_t ip;
    uint8_t mac[6];
    struct gn_txq txq;
};

/* host_now: virtual time of all hosts, ns since the Unix epoch. */
extern uint64_t host_now;

/* host_memory: zeroed, aligned, never freed; ends the program when there is none. */
void *host_memory(uint64_t bytes);

/* host_die: says what went wrong and ends the program. */
_Noreturn void host_die(const char *what);

/* host_new_sized: host_new with buffers of buf_bytes a connection and direction. */
void host_new_sized(struct host *h, uint8_t id, uint32_t conns, uint32_t ack_every, uint32_t buf_bytes);

/* host_new: 10.0.0.id; ack_every: segments after which it acknowledges at once. */
void host_new(struct host *h, uint8_t id, uint32_t conns, uint32_t ack_every);

/* host_meet: each knows the other without ARP. */
void host_meet(struct host *a, struct host *b);

/* host_input: one frame; answers are in the host's txq. */
int host_input(struct host *h, const uint8_t *frame, uint32_t len, uint32_t flags, struct gn_net_rx *rx);

/* host_pass: hands over all that `from` has to send; returns how many frames that were. */
uint32_t host_pass(struct host *from, struct host *to);

/* host_connect: an established connection from a to b, a's and b's index. */
void host_connect(struct host *a, struct host *b, uint32_t *ca, uint32_t *cb);

/* host_drain: everything readable is consumed. */
void host_drain(struct host *h, uint32_t conn);

#endif
