/* A host for the tests of dataplane/net: an endpoint, a TCP table and a txq with its buffers, all on the heap, so that
 * a copy of the memory can stand in for a restarted process and ASan sees every byte that is out of place.
 */
#ifndef GN_TEST_NET_HOST_H
#define GN_TEST_NET_HOST_H

#include <stdlib.h>

#include "dataplane/net/net.h"
#include "dataplane/net/tcp.h"
#include "dataplane/net/wire.h"

#define HOST_MS 1000000ull
#define HOST_S  1000000000ull

struct host {
    struct gn_net *net;
    struct gn_tcp *tcp;
    uint64_t tcp_bytes;
    struct gn_txq txq;
    struct gn_net_conf net_conf;
    struct gn_tcp_conf tcp_conf;
};

static inline void host_stock(struct host *h, uint32_t frames)
{
    h->txq.n = 0;
    h->txq.stocked = frames;
}

/* host_new: 10.0.0.<id>, MAC 02:00:00:00:00:<id>; change the confs between host_conf and host_start. */
static inline void host_conf(struct host *h, uint8_t id)
{
    memset(h, 0, sizeof *h);
    gn_net_conf_default(&h->net_conf);
    h->net_conf.mac[0] = 2;
    h->net_conf.mac[5] = id;
    h->net_conf.ip = 0x0a000000u | id;
    h->net_conf.seed = id;
    gn_tcp_conf_default(&h->tcp_conf);
    for (uint32_t i = 0; i < 16; i++)
        h->tcp_conf.secret[i] = (uint8_t)(id * 17 + i * 29 + 3);
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        h->txq.buf[i] = malloc(GN_FRAME_ROOM);
    host_stock(h, GN_TXQ_MAX);
}

static inline bool host_start(struct host *h, uint32_t conns, uint32_t sndbuf, uint32_t rcvbuf, uint64_t now)
{
    h->net = aligned_alloc(GN_GUARD, gn_net_footprint());
    h->tcp_bytes = gn_align_up(gn_tcp_footprint(conns, sndbuf, rcvbuf), GN_GUARD);
    void *mem = aligned_alloc(GN_GUARD, h->tcp_bytes);
    return gn_net_new(h->net, &h->net_conf, now) == GN_NET_OK &&
           gn_tcp_new(mem, conns, sndbuf, rcvbuf, &h->tcp_conf, now, &h->tcp) == GN_TCP_OK;
}

/* host_restart: the process dies between two calls, and another one joins a copy of the memory at another address. */
static inline bool host_restart(struct host *h, uint64_t now)
{
    void *net = aligned_alloc(GN_GUARD, gn_net_footprint());
    void *tcp = aligned_alloc(GN_GUARD, h->tcp_bytes);
    memcpy(net, h->net, sizeof *h->net);
    memcpy(tcp, h->tcp, gn_align_up(h->tcp_bytes, GN_GUARD));
    memset(h->net, 0xa5, sizeof *h->net);
    memset(h->tcp, 0xa5, h->tcp_bytes);
    free(h->net);
    free(h->tcp);
    return gn_net_join(net, gn_net_footprint(), now, &h->net) == GN_NET_OK &&
           gn_tcp_join(tcp, h->tcp_bytes, now, &h->tcp) == GN_TCP_OK;
}

static inline void host_stop(struct host *h)
{
    free(h->net);
    free(h->tcp);
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        free(h->txq.buf[i]);
}

/* host_meet: each knows the other without ARP. */
static inline bool host_meet(struct host *a, struct host *b)
{
    return gn_net_add_static(a->net, b->net_conf.ip, b->net_conf.mac) == GN_NET_OK &&
           gn_net_add_static(b->net, a->net_conf.ip, a->net_conf.mac) == GN_NET_OK;
}

/* host_input: a frame in an allocation of exactly its length. */
static inline int host_input(struct host *h, const uint8_t *frame, uint32_t len, uint64_t now, struct gn_net_rx *rx)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    memcpy(copy, frame, len);
    int kind = gn_net_input(h->net, h->tcp, copy, len, 0, now, &h->txq, rx);
    free(copy);
    return kind;
}

#endif
