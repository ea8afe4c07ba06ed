#include "bench/instructions/host.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t host_now = 1700000000000000000ull;

void host_die(const char *what)
{
    fprintf(stderr, "gannet-instructions: %s\n", what);
    exit(1);
}

void *host_memory(uint64_t bytes)
{
    void *p = aligned_alloc(4096, gn_align_up(bytes, 4096));
    if (p == NULL)
        host_die("no memory");
    memset(p, 0, gn_align_up(bytes, 4096));
    return p;
}

void host_new(struct host *h, uint8_t id, uint32_t conns, uint32_t ack_every)
{
    host_new_sized(h, id, conns, ack_every, 1u << 18);
}

void host_new_sized(struct host *h, uint8_t id, uint32_t conns, uint32_t ack_every, uint32_t buf_bytes)
{
    struct gn_net_conf nc;
    struct gn_tcp_conf tc;
    memset(h, 0, sizeof *h);
    gn_net_conf_default(&nc);
    nc.mac[0] = 2;
    nc.mac[5] = id;
    nc.ip = 0x0a000000u | id;
    nc.prefix_bits = 24;
    nc.seed = id;
    gn_tcp_conf_default(&tc);
    tc.rto_min_us = 5000;
    tc.ack_every = ack_every;
    for (uint32_t i = 0; i < sizeof tc.secret; i++)
        tc.secret[i] = (uint8_t)(id * 17u + i * 29u + 3u);
    h->ip = nc.ip;
    memcpy(h->mac, nc.mac, sizeof h->mac);
    h->net = host_memory(gn_net_footprint());
    void *mem = host_memory(gn_tcp_footprint(conns, buf_bytes, 4 * buf_bytes));
    if (gn_net_new(h->net, &nc, host_now) != GN_NET_OK ||
        gn_tcp_new(mem, conns, buf_bytes, 4 * buf_bytes, &tc, host_now, &h->tcp) != GN_TCP_OK)
        host_die("no host");
    uint8_t *frames = host_memory(GN_TXQ_MAX * 2048ull);
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        h->txq.buf[i] = frames + i * 2048u;
    h->txq.stocked = GN_TXQ_MAX;
}

void host_meet(struct host *a, struct host *b)
{
    if (gn_net_add_static(a->net, b->ip, b->mac) != GN_NET_OK || gn_net_add_static(b->net, a->ip, a->mac) != GN_NET_OK)
        host_die("no neighbours");
}

int host_input(struct host *h, const uint8_t *frame, uint32_t len, uint32_t flags, struct gn_net_rx *rx)
{
    return gn_net_input(h->net, h->tcp, frame, len, flags, host_now, &h->txq, rx);
}

uint32_t host_pass(struct host *from, struct host *to)
{
    struct gn_net_rx rx;
    uint32_t n = from->txq.n;
    for (uint32_t i = 0; i < n; i++)
        (void)host_input(to, from->txq.buf[i], from->txq.len[i], HOST_CSUM_OK, &rx);
    from->txq.n = 0;
    return n;
}

void host_connect(struct host *a, struct host *b, uint32_t *ca, uint32_t *cb)
{
    int rc = gn_tcp_listen(b->tcp, HOST_PORT);
    if ((rc != GN_TCP_OK && rc != GN_TCP_ERR_IN_USE) ||
        gn_tcp_connect(a->tcp, a->net, b->ip, HOST_PORT, 0, host_now, &a->txq, ca) != GN_TCP_OK)
        host_die("no connection");
    while (host_pass(a, b) + host_pass(b, a) != 0)
        ;
    if (gn_tcp_accept(b->tcp, HOST_PORT, cb) != GN_TCP_OK || gn_tcp_state(a->tcp, *ca) != GN_TCP_ESTABLISHED)
        host_die("the handshake failed");
    (void)gn_tcp_events(a->tcp, *ca);
    (void)gn_tcp_events(b->tcp, *cb);
}

void host_drain(struct host *h, uint32_t conn)
{
    const uint8_t *data;
    for (uint32_t n; (n = gn_tcp_readable(h->tcp, conn, &data)) != 0;)
        gn_tcp_consume(h->tcp, conn, n);
    (void)gn_tcp_events(h->tcp, conn);
}
