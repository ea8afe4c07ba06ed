/* Two hosts on one link without loss or delay, for the tests of TCP: time moves only when a test says so. */
#ifndef GN_TEST_NET_PAIR_H
#define GN_TEST_NET_PAIR_H

#include "dataplane/net/tcp_conn.h"
#include "tests/gn_test.h"
#include "tests/unit/net/host.h"

#define PAIR_PORT 7001

static struct host a, b; /* client, server */
static uint32_t ca, cb;  /* their connections */
static uint64_t now;

/* What a frame carries. */
struct seg {
    uint32_t seq, ack, len, wnd;
    uint8_t flags;
    const uint8_t *data;
};

static inline struct seg pair_parse(const uint8_t *frame, uint32_t frame_len)
{
    const uint8_t *tcp = frame + GN_ETH_LEN + GN_IP_LEN;
    uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
    (void)frame_len;
    return (struct seg){.seq = gn_load_be32(tcp + 4),
                        .ack = gn_load_be32(tcp + 8),
                        .len = gn_load_be16(frame + GN_ETH_LEN + 2) - GN_IP_LEN - header,
                        .wnd = gn_load_be16(tcp + 14),
                        .flags = tcp[13],
                        .data = tcp + header};
}

static inline struct seg pair_sent(const struct host *h, uint32_t i)
{
    return pair_parse(h->txq.buf[i], h->txq.len[i]);
}

static inline struct gn_tcp_conn *pair_conn(const struct host *h, uint32_t c)
{
    return gn_tcp_conn_at(h->tcp, c);
}

static inline void pair_conf(void)
{
    now = 1700000000ull * HOST_S;
    host_conf(&a, 1);
    host_conf(&b, 2);
    ca = cb = GN_TCP_NONE;
}

/* Delivers what h has to send; returns how many frames that were. */
static inline uint32_t pair_deliver(struct host *from, struct host *to)
{
    struct gn_net_rx rx;
    uint32_t n = from->txq.n;
    for (uint32_t i = 0; i < n; i++)
        (void)host_input(to, from->txq.buf[i], from->txq.len[i], now, &rx);
    host_stock(from, GN_TXQ_MAX);
    return n;
}

static inline void pair_lose(struct host *h)
{
    host_stock(h, GN_TXQ_MAX);
}

static inline void pair_check(void)
{
    const char *what = NULL;
    CU_ASSERT_EQUAL(gn_tcp_check(a.tcp, &what), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_check(b.tcp, &what), GN_TCP_OK);
    if (what != NULL)
        printf("  invariant: %s\n", what);
}

static inline void pair_timers(void)
{
    (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
    (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
}

/* Until nobody has anything to send; more than 10,000 frames are a storm. */
static inline uint32_t pair_pump(void)
{
    uint32_t total = 0;
    uint32_t n;
    do {
        n = pair_deliver(&a, &b) + pair_deliver(&b, &a);
        total += n;
    } while (n != 0 && total < 10000);
    CU_ASSERT(total < 10000);
    pair_check();
    return total;
}

/* Lets time pass in steps, timers and link running. */
static inline uint32_t pair_run(uint64_t ns, uint64_t step)
{
    uint32_t frames = 0;
    for (uint64_t until = now + ns; now < until;) {
        now += step;
        pair_timers();
        frames += pair_pump();
    }
    return frames;
}

static inline void pair_open(uint32_t sndbuf, uint32_t rcvbuf)
{
    CU_ASSERT_FATAL(host_start(&a, 4, sndbuf, rcvbuf, now));
    CU_ASSERT_FATAL(host_start(&b, 4, sndbuf, rcvbuf, now));
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_FATAL(gn_tcp_listen(b.tcp, PAIR_PORT) == GN_TCP_OK);
    CU_ASSERT_FATAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 40000, now, &a.txq, &ca) == GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_FATAL(gn_tcp_accept(b.tcp, PAIR_PORT, &cb) == GN_TCP_OK);
    (void)gn_tcp_events(a.tcp, ca);
    (void)gn_tcp_events(b.tcp, cb);
}

static inline void pair_end(void)
{
    pair_check();
    host_stop(&a);
    host_stop(&b);
}

static inline int pair_send(struct host *h, uint32_t c, const void *data, uint32_t len)
{
    return gn_tcp_send(h->tcp, h->net, c, data, len, now, &h->txq);
}

/* Reads all that is there; returns the number of bytes. */
static inline uint32_t pair_drain(struct host *h, uint32_t c)
{
    const uint8_t *data;
    uint32_t total = 0;
    for (uint32_t n; (n = gn_tcp_readable(h->tcp, c, &data)) != 0; total += n)
        gn_tcp_consume(h->tcp, c, n);
    return total;
}

static inline struct gn_tcp_status pair_status(const struct host *h, uint32_t c)
{
    struct gn_tcp_status st;
    gn_tcp_status(h->tcp, c, &st);
    return st;
}

/* Changes a frame in place and makes its TCP checksum right. */
static inline void pair_resum(uint8_t *frame)
{
    uint8_t *ip = frame + GN_ETH_LEN;
    uint8_t *tcp = ip + GN_IP_LEN;
    uint32_t len = gn_load_be16(ip + 2) - GN_IP_LEN;
    gn_store_be16(tcp + 16, 0);
    uint64_t sum = gn_csum_pseudo(gn_load_be32(ip + 12), gn_load_be32(ip + 16), GN_IP_PROTO_TCP, len);
    gn_csum_store(tcp + 16, gn_csum_finish(gn_csum_add(sum, tcp, len)));
}

/* A bare segment from h's peer to h as an attacker would forge it. */
static inline uint32_t pair_forge(uint8_t *f, const struct host *from, const struct host *to, uint16_t sport,
                                  uint16_t dport, uint32_t seq, uint32_t ack, uint8_t flags)
{
    memset(f, 0, 60);
    memcpy(f, to->net_conf.mac, 6);
    memcpy(f + 6, from->net_conf.mac, 6);
    gn_store_be16(f + 12, GN_ETH_TYPE_IPV4);
    uint8_t *ip = f + GN_ETH_LEN;
    ip[0] = 0x45;
    gn_store_be16(ip + 2, GN_IP_LEN + GN_TCP_LEN);
    ip[8] = 64;
    ip[9] = GN_IP_PROTO_TCP;
    gn_store_be32(ip + 12, from->net_conf.ip);
    gn_store_be32(ip + 16, to->net_conf.ip);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, GN_IP_LEN)));
    uint8_t *tcp = ip + GN_IP_LEN;
    gn_store_be16(tcp, sport);
    gn_store_be16(tcp + 2, dport);
    gn_store_be32(tcp + 4, seq);
    gn_store_be32(tcp + 8, ack);
    tcp[12] = GN_TCP_LEN << 2;
    tcp[13] = flags;
    gn_store_be16(tcp + 14, 1000);
    pair_resum(f);
    return GN_ETH_LEN + GN_IP_LEN + GN_TCP_LEN;
}

#endif
