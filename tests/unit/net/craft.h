/* Segments of any shape from a to b, and a look at those that b sends: for tests that play one side by hand. */
#ifndef GN_TEST_NET_CRAFT_H
#define GN_TEST_NET_CRAFT_H

#include "tests/unit/net/pair.h"

#define CRAFT_A_PORT 40000

/* What is zero takes its usual value: addresses and ports of the pair. seq and ack are absolute. */
struct craft {
    uint32_t src, dst, seq, ack;
    uint16_t sport, dport, wnd;
    uint8_t flags;
    const uint8_t *opt; /* TCP options, a multiple of 4 */
    uint32_t opt_len;
    const void *data;
    uint32_t len;
    uint32_t ip_options; /* octets of no-operation in the IPv4 header */
};

static inline uint32_t craft_frame(uint8_t *f, const struct craft *s)
{
    uint32_t ip_len = GN_IP_LEN + s->ip_options;
    uint8_t *ip = f + GN_ETH_LEN;
    uint8_t *tcp = ip + ip_len;
    uint32_t tcp_len = GN_TCP_LEN + s->opt_len + s->len;
    memset(f, 0, GN_ETH_LEN + ip_len + GN_TCP_LEN);
    memset(ip + GN_IP_LEN, 1, s->ip_options);
    uint32_t dst = s->dst != 0 ? s->dst : b.net_conf.ip;
    if (gn_ip_is_multicast(dst))
        gn_mac48_store(f, gn_mac48_of_group(dst));
    else
        memcpy(f, b.net_conf.mac, 6);
    memcpy(f + 6, a.net_conf.mac, 6);
    gn_store_be16(f + 12, GN_ETH_TYPE_IPV4);
    ip[0] = (uint8_t)(0x40 | ip_len / 4);
    gn_store_be16(ip + 2, (uint16_t)(ip_len + tcp_len));
    ip[8] = 64;
    ip[9] = GN_IP_PROTO_TCP;
    gn_store_be32(ip + 12, s->src != 0 ? s->src : a.net_conf.ip);
    gn_store_be32(ip + 16, dst);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, ip_len)));
    gn_store_be16(tcp, s->sport != 0 ? s->sport : CRAFT_A_PORT);
    gn_store_be16(tcp + 2, s->dport != 0 ? s->dport : PAIR_PORT);
    gn_store_be32(tcp + 4, s->seq);
    gn_store_be32(tcp + 8, s->ack);
    tcp[12] = (uint8_t)((GN_TCP_LEN + s->opt_len) << 2);
    tcp[13] = s->flags;
    gn_store_be16(tcp + 14, s->wnd);
    if (s->opt_len != 0)
        memcpy(tcp + GN_TCP_LEN, s->opt, s->opt_len);
    if (s->len != 0)
        memcpy(tcp + GN_TCP_LEN + s->opt_len, s->data, s->len);
    uint64_t sum = gn_csum_pseudo(gn_load_be32(ip + 12), gn_load_be32(ip + 16), GN_IP_PROTO_TCP, tcp_len);
    gn_csum_store(tcp + 16, gn_csum_finish(gn_csum_add(sum, tcp, tcp_len)));
    return GN_ETH_LEN + ip_len + tcp_len;
}

/* To b; GN_NET_DROP_NONE or why it was dropped. */
static inline uint16_t craft_give(const struct craft *s)
{
    uint8_t f[GN_FRAME_ROOM];
    struct gn_net_rx rx;
    uint32_t len = craft_frame(f, s);
    return host_input(&b, f, len, now, &rx) == GN_NET_RX_DROP ? rx.reason : GN_NET_DROP_NONE;
}

/* The next octet of a to b on the open connection, and what b has sent acknowledged. */
static inline struct craft craft_next(uint8_t flags)
{
    const struct gn_tcp_conn *c = pair_conn(&b, cb);
    return (struct craft){
        .seq = c->irs + (uint32_t)c->rcv_nxt, .ack = c->iss + (uint32_t)c->snd_nxt, .flags = flags, .wnd = 65535};
}

/* An option of the segment in frame i of h; its length octet or 0 when it is not there. */
static inline uint32_t craft_option(const struct host *h, uint32_t i, uint8_t kind, const uint8_t **value)
{
    const uint8_t *tcp = h->txq.buf[i] + GN_ETH_LEN + GN_IP_LEN;
    *value = tcp;
    uint32_t end = (uint32_t)(tcp[12] >> 4) * 4;
    for (uint32_t at = GN_TCP_LEN; at < end && tcp[at] != GN_TCP_OPT_END;
         at += tcp[at] == GN_TCP_OPT_NOP ? 1 : tcp[at + 1])
        if (tcp[at] == kind) {
            *value = tcp + at + 2;
            return tcp[at + 1];
        }
    return 0;
}

/* b listens and nothing is open yet; timestamps and window scaling are off, so that crafted
 * segments need none. */
static inline void craft_listen(void)
{
    pair_conf();
    a.tcp_conf.use_timestamps = 0;
    a.tcp_conf.use_wscale = 0;
    CU_ASSERT_FATAL(host_start(&a, 8, 65536, 65536, now));
    CU_ASSERT_FATAL(host_start(&b, 8, 65536, 65536, now));
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_FATAL(gn_tcp_listen(b.tcp, PAIR_PORT) == GN_TCP_OK);
}

static inline void craft_open(uint32_t sndbuf, uint32_t rcvbuf)
{
    pair_conf();
    a.tcp_conf.use_timestamps = 0;
    a.tcp_conf.use_wscale = 0;
    pair_open(sndbuf, rcvbuf);
}

#endif
