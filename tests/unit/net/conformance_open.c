/* Rows of RFC 9293 about opening, options and addresses; see rfc9293.h. */
#include "tests/unit/net/rfc9293.h"

#include "tests/unit/net/craft.h"

#define ISN 1000u

/* A SYN with these options; the MSS that b's side of the connection then has. */
static uint32_t mss_after(const uint8_t *opt, uint32_t opt_len)
{
    craft_listen();
    CU_ASSERT_EQUAL(
        craft_give(&(struct craft){.seq = ISN, .flags = GN_TCP_SYN, .wnd = 65535, .opt = opt, .opt_len = opt_len}),
        GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL_FATAL(b.txq.n, 1);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).flags, GN_TCP_SYN | GN_TCP_ACK);
    uint32_t ack = pair_sent(&b, 0).seq + 1;
    pair_lose(&b);
    CU_ASSERT_EQUAL(craft_give(&(struct craft){.seq = ISN + 1, .ack = ack, .flags = GN_TCP_ACK, .wnd = 65535}),
                    GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL_FATAL(gn_tcp_accept(b.tcp, PAIR_PORT, &cb), GN_TCP_OK);
    uint32_t mss = pair_status(&b, cb).mss;
    pair_end();
    return mss;
}

void windows_are_unsigned(void)
{
    craft_open(65536, 65536);
    struct craft s = craft_next(GN_TCP_ACK);
    s.wnd = 65535;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_status(&b, cb).peer_window, 65535);
    pair_end();
}

void checksums_are_made_and_checked(void)
{
    struct gn_net_rx rx;
    craft_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "checked", 7), GN_TCP_OK);
    uint8_t *f = a.txq.buf[0];
    uint32_t len = a.txq.len[0];
    const uint8_t *tcp = f + GN_ETH_LEN + GN_IP_LEN;
    uint32_t tcp_len = len - GN_ETH_LEN - GN_IP_LEN;
    uint64_t sum = gn_csum_pseudo(a.net_conf.ip, b.net_conf.ip, GN_IP_PROTO_TCP, tcp_len);
    CU_ASSERT_EQUAL(gn_csum_fold(gn_csum_add(sum, tcp, tcp_len)), 0xffff);
    for (uint32_t at = GN_ETH_LEN + GN_IP_LEN; at < len; at++) {
        f[at] ^= 0x10;
        CU_ASSERT_EQUAL(host_input(&b, f, len, now, &rx), GN_NET_RX_DROP);
        CU_ASSERT_EQUAL(rx.reason, GN_NET_DROP_TCP_CSUM);
        f[at] ^= 0x10;
    }
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 0);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 7);
    pair_end();
}

void mandatory_options_are_understood(void)
{
    static const uint8_t plain[] = {2, 4, 0x02, 0x58};
    static const uint8_t unaligned[] = {1, 2, 4, 0x02, 0x58, 0, 0xff, 0xff}; /* after the end is nothing */
    static const uint8_t late[] = {1, 1, 1, 2, 4, 0x02, 0x58, 1};
    static const uint8_t ended[] = {0, 2, 4, 0x02, 0x58, 0, 0, 0};
    CU_ASSERT_EQUAL(mss_after(plain, sizeof plain), 600);
    CU_ASSERT_EQUAL(mss_after(unaligned, sizeof unaligned), 600);
    CU_ASSERT_EQUAL(mss_after(late, sizeof late), 600);
    CU_ASSERT_EQUAL(mss_after(ended, sizeof ended), 536);
}

void options_come_in_any_segment(void)
{
    static const uint8_t unknown[] = {253, 6, 1, 2, 3, 4, 1, 77, 3, 9, 1, 1};
    craft_open(65536, 65536);
    struct craft s = craft_next(GN_TCP_ACK);
    s.opt = unknown;
    s.opt_len = sizeof unknown;
    s.data = "data";
    s.len = 4;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 4);
    s = craft_next(GN_TCP_ACK | GN_TCP_FIN);
    s.opt = unknown;
    s.opt_len = sizeof unknown;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_CLOSE_WAIT);
    pair_end();
}

void impossible_option_lengths_do_no_harm(void)
{
    static const uint8_t bad[][8] = {
        {2, 4, 0x02, 0x58, 253, 0, 1, 1}, {2, 4, 0x02, 0x58, 253, 1, 1, 1}, {2, 4, 0x02, 0x58, 253, 200, 1, 1},
        {2, 4, 0x02, 0x58, 3, 5, 1, 1},   {2, 4, 0x02, 0x58, 1, 1, 1, 8},   {2, 4, 0x02, 0x58, 5, 3, 1, 0},
        {2, 4, 0x02, 0x58, 8, 4, 1, 1},   {2, 4, 0x02, 0x58, 4, 4, 0, 0},
    };
    static const uint8_t short_mss[] = {2, 3, 9, 1, 1, 1, 1, 1};
    for (uint32_t i = 0; i < GN_ARRAY_LEN(bad); i++)
        CU_ASSERT_EQUAL(mss_after(bad[i], sizeof bad[i]), 600);
    CU_ASSERT_EQUAL(mss_after(short_mss, sizeof short_mss), 536);
}

void initial_sequence_numbers_follow_a_clock(void)
{
    pair_conf();
    CU_ASSERT_FATAL(host_start(&a, 4, 4096, 4096, now));
    struct gn_tcp_conn c = {.local_ip = 1, .remote_ip = 2, .local_port = 3, .remote_port = 4};
    uint32_t off;
    uint32_t first = gn_tcp_isn(a.tcp, &c, now, &off);
    CU_ASSERT_EQUAL(gn_tcp_isn(a.tcp, &c, now + 4096, &off) - first, 1);
    CU_ASSERT_EQUAL(gn_tcp_isn(a.tcp, &c, now + 4096000, &off) - first, 1000);
    host_stop(&a);
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        free(b.txq.buf[i]);
}

/* One bit of the key, or of the address, and half of the bits differ. */
void initial_sequence_numbers_are_keyed(void)
{
    struct gn_tcp t = {0};
    struct gn_tcp_conn c = {.local_ip = 1, .remote_ip = 2, .local_port = 3, .remote_port = 4};
    uint32_t off;
    uint32_t bits = 0;
    uint32_t one = gn_tcp_isn(&t, &c, now, &off);
    for (uint32_t i = 0; i < 128; i++) {
        t.conf.secret[i / 8] ^= (uint8_t)(1u << i % 8);
        bits += (uint32_t)__builtin_popcount(gn_tcp_isn(&t, &c, now, &off) ^ one);
        t.conf.secret[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    CU_ASSERT(bits > 128 * 14 && bits < 128 * 18);
    c.remote_ip ^= 1;
    CU_ASSERT(__builtin_popcount(gn_tcp_isn(&t, &c, now, &off) ^ one) > 4);
}

void both_ends_open_at_once(void)
{
    pair_conf();
    CU_ASSERT_FATAL(host_start(&a, 4, 4096, 4096, now) && host_start(&b, 4, 4096, 4096, now) && host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, 5000, 4000, now, &a.txq, &ca), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_connect(b.tcp, b.net, a.net_conf.ip, 4000, 5000, now, &b.txq, &cb), GN_TCP_OK);
    struct gn_net_rx rx;
    uint8_t syn[GN_FRAME_ROOM];
    uint32_t len = a.txq.len[0];
    memcpy(syn, a.txq.buf[0], len);
    pair_lose(&a);
    (void)pair_deliver(&b, &a); /* the SYNs cross */
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_SYN_RCVD);
    (void)host_input(&b, syn, len, now, &rx);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_SYN_RCVD);
    (void)pair_run(3 * HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(a.tcp->used + b.tcp->used, 2);
    pair_end();
}

void syn_received_remembers_its_open(void)
{
    craft_listen();
    CU_ASSERT_EQUAL(craft_give(&(struct craft){.seq = ISN, .flags = GN_TCP_SYN, .wnd = 1000}), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(b.tcp->used, 1);
    /* passive: RST takes it back to LISTEN, and nobody hears of it */
    CU_ASSERT_EQUAL(craft_give(&(struct craft){.seq = ISN + 1, .flags = GN_TCP_RST}), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(b.tcp->used, 0);
    CU_ASSERT_EQUAL(gn_tcp_next_event(b.tcp), GN_TCP_NONE);
    CU_ASSERT_EQUAL(craft_give(&(struct craft){.seq = ISN, .flags = GN_TCP_SYN, .wnd = 1000}), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(b.tcp->used, 1);
    /* active: the caller is told that it was refused */
    CU_ASSERT_EQUAL(gn_tcp_connect(b.tcp, b.net, a.net_conf.ip, 4000, 5000, now, &b.txq, &cb), GN_TCP_OK);
    struct craft s = {.seq = ISN, .flags = GN_TCP_SYN, .wnd = 1000, .sport = 4000, .dport = 5000};
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_SYN_RCVD);
    s.flags = GN_TCP_RST;
    s.seq++;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_status(&b, cb).reason, GN_TCP_REASON_REFUSED);
    CU_ASSERT((gn_tcp_events(b.tcp, cb) & GN_TCP_EV_ABORTED) != 0);
    pair_end();
}

void the_mss_option_goes_both_ways(void)
{
    static const uint8_t mss600[] = {2, 4, 0x02, 0x58};
    const uint8_t *v;
    pair_conf();
    a.net_conf.mtu = 1300;
    CU_ASSERT_FATAL(host_start(&a, 4, 65536, 65536, now) && host_start(&b, 4, 65536, 65536, now) && host_meet(&a, &b));
    CU_ASSERT_FATAL(gn_tcp_listen(b.tcp, PAIR_PORT) == GN_TCP_OK);
    CU_ASSERT_FATAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 40000, now, &a.txq, &ca) == GN_TCP_OK);
    CU_ASSERT_EQUAL(craft_option(&a, 0, GN_TCP_OPT_MSS, &v), 4);
    CU_ASSERT_EQUAL(gn_load_be16(v), 1300 - 40);
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(craft_option(&b, 0, GN_TCP_OPT_MSS, &v), 4);
    CU_ASSERT_EQUAL(gn_load_be16(v), 1500 - 40);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_OK);
    CU_ASSERT_EQUAL(craft_option(&a, 0, GN_TCP_OPT_MSS, &v), 0);
    pair_end();
    craft_open(65536, 65536); /* and in an ordinary segment it means nothing */
    struct craft s = craft_next(GN_TCP_ACK);
    uint32_t mss = pair_status(&b, cb).mss;
    s.opt = mss600;
    s.opt_len = sizeof mss600;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_status(&b, cb).mss, mss);
    pair_end();
}

void the_mss_default_is_536(void)
{
    CU_ASSERT_EQUAL(mss_after(NULL, 0), 536);
}

void segments_have_the_effective_size(void)
{
    static uint8_t data[4000];
    pair_conf();
    b.tcp_conf.mss_max = 1000; /* what a may send at most, and the timestamps come off it */
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(gn_tcp_write(a.tcp, a.net, ca, data, sizeof data, now, &a.txq), (int)sizeof data);
    for (uint32_t i = 0; i < a.txq.n; i++) {
        CU_ASSERT(pair_sent(&a, i).len <= 988);
        CU_ASSERT(a.txq.len[i] <= GN_ETH_LEN + 1040);
    }
    CU_ASSERT_EQUAL(pair_sent(&a, 0).len, 988);
    pair_end();
}

void our_options_are_well_formed(void)
{
    pair_conf();
    CU_ASSERT_FATAL(host_start(&a, 4, 65536, 65536, now) && host_start(&b, 4, 65536, 65536, now) && host_meet(&a, &b));
    CU_ASSERT_FATAL(gn_tcp_listen(b.tcp, PAIR_PORT) == GN_TCP_OK);
    CU_ASSERT_FATAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 40000, now, &a.txq, &ca) == GN_TCP_OK);
    for (uint32_t turn = 0; turn < 2; turn++) {
        const struct host *h = turn == 0 ? &a : &b;
        const uint8_t *tcp = h->txq.buf[0] + GN_ETH_LEN + GN_IP_LEN;
        uint32_t end = (uint32_t)(tcp[12] >> 4) * 4;
        uint32_t at = GN_TCP_LEN;
        while (at < end && tcp[at] != GN_TCP_OPT_END) {
            if (tcp[at] != GN_TCP_OPT_NOP)
                CU_ASSERT_FATAL(tcp[at + 1] >= 2 && at + tcp[at + 1] <= end);
            at += tcp[at] == GN_TCP_OPT_NOP ? 1u : tcp[at + 1];
        }
        for (; at < end; at++)
            CU_ASSERT_EQUAL(tcp[at], 0);
        CU_ASSERT_EQUAL(GN_ETH_LEN + GN_IP_LEN + end, h->txq.len[0]);
        if (turn == 0)
            (void)pair_deliver(&a, &b);
    }
    pair_end();
}

void listeners_leave_connections_alone(void)
{
    uint32_t c;
    craft_open(4096, 4096);
    uint64_t segs = pair_status(&b, cb).segs_in;
    CU_ASSERT_EQUAL(gn_tcp_listen(b.tcp, 7002), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_unlisten(b.tcp, PAIR_PORT), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_listen(b.tcp, PAIR_PORT), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_status(&b, cb).segs_in, segs);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "still", 5), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 5);
    /* a port that is opening a connection can be listened on */
    CU_ASSERT_EQUAL(gn_tcp_connect(b.tcp, b.net, a.net_conf.ip, 81, 7003, now, &b.txq, &c), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, c), GN_TCP_SYN_SENT);
    CU_ASSERT_EQUAL(gn_tcp_listen(b.tcp, 7003), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, c), GN_TCP_SYN_SENT);
    pair_end();
}

void the_endpoint_is_the_source_address(void)
{
    uint32_t c;
    craft_open(4096, 4096);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 0, now, &a.txq, &c), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    CU_ASSERT_EQUAL(a.txq.n, 3);
    for (uint32_t i = 0; i < a.txq.n; i++)
        CU_ASSERT_EQUAL(gn_load_be32(a.txq.buf[i] + GN_ETH_LEN + 12), a.net_conf.ip);
    /* another endpoint, another address: the caller chooses by the gn_net it gives */
    CU_ASSERT_EQUAL(gn_tcp_connect(b.tcp, b.net, a.net_conf.ip, 81, 0, now, &b.txq, &c), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_load_be32(b.txq.buf[0] + GN_ETH_LEN + 12), b.net_conf.ip);
    CU_ASSERT_EQUAL(pair_status(&b, c).local_ip, b.net_conf.ip);
    pair_end();
}

static const uint32_t impossible[] = {0, 0x7f000001u, 0xe0000001u, 0xef010101u, 0xffffffffu, 0x0a0000ffu};

void opens_to_impossible_addresses_are_refused(void)
{
    uint32_t c;
    craft_open(4096, 4096);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(impossible); i++) {
        CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, impossible[i], 80, 0, now, &a.txq, &c), GN_TCP_ERR_ARG);
        CU_ASSERT_EQUAL(c, GN_TCP_NONE);
    }
    CU_ASSERT_EQUAL(a.txq.n, 0);
    pair_end();
}

void syns_from_impossible_addresses_are_ignored(void)
{
    craft_listen();
    for (uint32_t i = 0; i < GN_ARRAY_LEN(impossible); i++)
        if (impossible[i] != 0)
            CU_ASSERT_EQUAL(
                craft_give(&(struct craft){.src = impossible[i], .seq = ISN, .flags = GN_TCP_SYN, .wnd = 1}),
                GN_NET_DROP_IP_SRC);
    CU_ASSERT_EQUAL(craft_give(&(struct craft){.src = b.net_conf.ip, .seq = ISN, .flags = GN_TCP_SYN, .wnd = 1}),
                    GN_NET_DROP_IP_SRC);
    CU_ASSERT_EQUAL(b.txq.n, 0);
    CU_ASSERT_EQUAL(b.tcp->used, 0);
    pair_end();
}

void segments_to_groups_are_discarded(void)
{
    static const uint32_t groups[] = {0xe0000001u, 0xef010101u, 0xffffffffu, 0x0a0000ffu};
    static const uint8_t flags[] = {GN_TCP_SYN, GN_TCP_ACK, GN_TCP_RST, 0};
    craft_listen();
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, 0xef010101u, 0), GN_NET_OK);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(groups); i++)
        for (uint32_t k = 0; k < GN_ARRAY_LEN(flags); k++)
            CU_ASSERT_NOT_EQUAL(craft_give(&(struct craft){.dst = groups[i], .seq = ISN, .flags = flags[k], .wnd = 1}),
                                GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(b.net->drops[GN_NET_DROP_TCP_MULTICAST], GN_ARRAY_LEN(flags));
    CU_ASSERT_EQUAL(b.txq.n, 0);
    CU_ASSERT_EQUAL(b.tcp->used, 0);
    pair_end();
}

void ttl_is_configured_and_ds_is_zero(void)
{
    pair_conf();
    a.net_conf.ttl = 7;
    pair_open(4096, 4096);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    for (uint32_t i = 0; i < a.txq.n; i++) {
        CU_ASSERT_EQUAL(a.txq.buf[i][GN_ETH_LEN + 8], 7);
        CU_ASSERT_EQUAL(a.txq.buf[i][GN_ETH_LEN + 1], 0);
    }
    pair_end();
}

void ip_options_are_counted_and_dropped(void)
{
    craft_open(4096, 4096);
    struct craft s = craft_next(GN_TCP_ACK);
    s.data = "data";
    s.len = 4;
    s.ip_options = 4;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_IP_OPTIONS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 0);
    CU_ASSERT_EQUAL(b.net->drops[GN_NET_DROP_IP_OPTIONS], 1);
    s.ip_options = 0;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 4);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_OK); /* and none is sent */
    CU_ASSERT_EQUAL(a.txq.buf[0][GN_ETH_LEN], 0x45);
    pair_end();
}
