/* Rows of RFC 9293 about ends, keepalives and ICMP; see rfc9293.h. */
#include "tests/unit/net/rfc9293.h"

#include "tests/unit/net/craft.h"

static uint8_t bytes[1024];

void an_abort_is_told(void)
{
    craft_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&b, cb, bytes, 70), GN_TCP_OK);
    struct craft s = craft_next(GN_TCP_RST);
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT((gn_tcp_events(b.tcp, cb) & GN_TCP_EV_ABORTED) != 0);
    struct gn_tcp_status st = pair_status(&b, cb);
    CU_ASSERT_EQUAL(st.state, GN_TCP_CLOSED);
    CU_ASSERT_EQUAL(st.reason, GN_TCP_REASON_RESET);
    CU_ASSERT_EQUAL(st.doubt_from, 0);
    CU_ASSERT_EQUAL(st.doubt_to, 70);
    host_stop(&a);
    host_stop(&b);
}

void time_wait_lasts(void)
{
    pair_conf();
    a.tcp_conf.time_wait_ms = 240000; /* the 2 * 2 minutes of the standard */
    pair_open(4096, 4096);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(gn_tcp_close(b.tcp, b.net, cb, now, &b.txq), GN_TCP_OK);
    (void)pair_pump();
    uint32_t c;
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_TIME_WAIT);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 40000, now, &a.txq, &c), GN_TCP_ERR_IN_USE);
    (void)pair_run(239 * HOST_S, HOST_S);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_TIME_WAIT);
    (void)pair_run(2 * HOST_S, HOST_S);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_CLOSED);
    pair_end();
}

void keepalives_are_off_until_asked_for(void)
{
    struct gn_tcp_conf conf;
    gn_tcp_conf_default(&conf);
    CU_ASSERT_EQUAL(conf.keepalive_idle_ms, 0);
    craft_open(4096, 4096);
    now += HOST_S;
    (void)pair_run(3 * 3600 * HOST_S, HOST_S);
    CU_ASSERT_EQUAL(pair_status(&a, ca).segs_out, 2); /* SYN and ACK */
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    pair_end();
    pair_conf();
    a.tcp_conf.keepalive_idle_ms = 7200000; /* asked for, with the interval of the standard */
    pair_open(4096, 4096);
    (void)pair_run(7199 * HOST_S, HOST_S);
    CU_ASSERT_EQUAL(pair_status(&a, ca).segs_out, 2);
    (void)pair_run(2 * HOST_S, HOST_S);
    CU_ASSERT_EQUAL(pair_status(&a, ca).segs_out, 3);
    pair_end();
}

static void keepalive_conf(uint32_t probes)
{
    pair_conf();
    a.tcp_conf.keepalive_idle_ms = 10000;
    a.tcp_conf.keepalive_interval_ms = 1000;
    a.tcp_conf.keepalive_probes = probes;
    pair_open(4096, 4096);
}

void keepalives_wait_for_silence(void)
{
    keepalive_conf(3);
    for (uint32_t i = 0; i < 20; i++) { /* data comes every 5 s: never idle */
        CU_ASSERT_EQUAL(pair_send(&b, cb, "tick", 4), GN_TCP_OK);
        (void)pair_pump();
        (void)pair_drain(&a, ca);
        (void)pair_run(5 * HOST_S, 100 * HOST_MS);
        CU_ASSERT_EQUAL(pair_status(&a, ca).segs_out, 2 + i + 1); /* one ACK each */
    }
    (void)pair_run(6 * HOST_S, 100 * HOST_MS);
    CU_ASSERT_EQUAL(pair_status(&a, ca).segs_out, 23);
    pair_end();
}

void a_lost_keepalive_does_not_kill(void)
{
    keepalive_conf(3);
    for (uint32_t round = 0; round < 5; round++) {
        uint32_t lost = 0;
        while (lost < 2) {
            now += 100 * HOST_MS;
            (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
            lost += a.txq.n;
            pair_lose(&a);
        }
        (void)pair_run(3 * HOST_S, 100 * HOST_MS); /* the third one is answered */
        CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    }
    for (uint32_t i = 0; i < 150; i++) {
        now += 100 * HOST_MS;
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        pair_lose(&a);
    }
    CU_ASSERT_EQUAL(pair_status(&a, ca).reason, GN_TCP_REASON_KEEPALIVE);
    pair_end();
}

/* An ICMP error of a router about the packet that b sent last. */
static int icmp_to_b(uint8_t type, uint8_t code)
{
    uint8_t f[GN_ETH_LEN + GN_IP_LEN + GN_ICMP_LEN + 28] = {0};
    uint8_t *ip = f + GN_ETH_LEN;
    uint8_t *p = ip + GN_IP_LEN;
    struct gn_net_rx rx;
    memcpy(f, b.net_conf.mac, 6);
    f[6] = 2;
    gn_store_be16(f + 12, GN_ETH_TYPE_IPV4);
    ip[0] = 0x45;
    gn_store_be16(ip + 2, sizeof f - GN_ETH_LEN);
    ip[8] = 64;
    ip[9] = GN_IP_PROTO_ICMP;
    gn_store_be32(ip + 12, 0x0a0000feu);
    gn_store_be32(ip + 16, b.net_conf.ip);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, GN_IP_LEN)));
    p[0] = type;
    p[1] = code;
    memcpy(p + GN_ICMP_LEN, b.txq.buf[b.txq.n - 1] + GN_ETH_LEN, 28);
    gn_csum_store(p + 2, gn_csum_finish(gn_csum_add(0, p, GN_ICMP_LEN + 28)));
    return host_input(&b, f, sizeof f, now, &rx);
}

void icmp_is_heard_and_does_not_abort(void)
{
    static const uint8_t kinds[][2] = {
        {GN_ICMP_UNREACHABLE, 0}, {GN_ICMP_UNREACHABLE, 1}, {GN_ICMP_UNREACHABLE, 2}, {GN_ICMP_UNREACHABLE, 3},
        {GN_ICMP_UNREACHABLE, 5}, {GN_ICMP_TIME, 0},        {GN_ICMP_TIME, 1},        {GN_ICMP_PARAM, 0},
    };
    craft_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&b, cb, bytes, 100), GN_TCP_OK);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(kinds); i++) {
        CU_ASSERT_EQUAL(icmp_to_b(kinds[i][0], kinds[i][1]), GN_NET_RX_HANDLED);
        CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_ESTABLISHED);
        CU_ASSERT_EQUAL(pair_status(&b, cb).soft_errors, i + 1);
        CU_ASSERT_EQUAL(gn_tcp_events(b.tcp, cb), GN_TCP_EV_SOFT_ERROR);
    }
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&a, ca), 100);
    pair_end();
}

void source_quench_is_discarded(void)
{
    craft_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&b, cb, bytes, 100), GN_TCP_OK);
    uint32_t cwnd = pair_status(&b, cb).cwnd;
    CU_ASSERT_EQUAL(icmp_to_b(GN_ICMP_QUENCH, 0), GN_NET_RX_DROP);
    CU_ASSERT_EQUAL(b.net->drops[GN_NET_DROP_ICMP_TYPE], 1);
    CU_ASSERT_EQUAL(pair_status(&b, cb).cwnd, cwnd);
    CU_ASSERT_EQUAL(pair_status(&b, cb).soft_errors, 0);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    pair_end();
}
