/* TCP under attack, under loss, and against the bugs that other stacks had (named in each test). */
#include "dataplane/net/tcp.h"

#include "tests/unit/net/pair.h"

static uint8_t bytes[65536];

/* smoltcp #62: ACKs that acknowledge nothing must not put the retransmission off. */
static void old_acks_do_not_reset_the_timer(void)
{
    pair_conf();
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    pair_lose(&a);
    uint64_t until = now + 2 * (uint64_t)pair_status(&a, ca).rto_us * 1000;
    while (now < until && pair_status(&a, ca).retransmits == 0) {
        now += 20 * HOST_MS;
        CU_ASSERT_EQUAL(pair_send(&b, cb, "tick", 4), GN_TCP_OK);
        (void)pair_deliver(&b, &a);
        pair_timers();
        (void)pair_drain(&a, ca);
        if (pair_status(&a, ca).retransmits == 0)
            pair_lose(&a);
        else
            (void)pair_pump();
    }
    CU_ASSERT_EQUAL(pair_status(&a, ca).retransmits, 1);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 100);
    pair_end();
}

/* netxduo #410: one counter, and a peer that talks without acknowledging does not keep a connection alive for ever. */
static void a_peer_that_never_acknowledges_is_given_up(void)
{
    pair_conf();
    a.tcp_conf.data_retries = 8;
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    pair_lose(&a);
    uint32_t sent = 0;
    for (uint64_t until = now + 400 * HOST_S; now < until && gn_tcp_state(a.tcp, ca) != GN_TCP_CLOSED;) {
        now += 100 * HOST_MS;
        if (pair_send(&b, cb, "tick", 4) == GN_TCP_OK)
            (void)pair_deliver(&b, &a);
        (void)pair_drain(&a, ca);
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        for (uint32_t i = 0; i < a.txq.n; i++)
            sent += pair_sent(&a, i).len != 0;
        pair_lose(&a);
        (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
        pair_lose(&b);
    }
    CU_ASSERT_EQUAL(pair_status(&a, ca).reason, GN_TCP_REASON_TIMEOUT);
    CU_ASSERT_EQUAL(sent, 8);
    pair_end();
}

static void fill(struct host *from, uint32_t c)
{
    while (gn_tcp_write(from->tcp, from->net, c, bytes, 1000, now, &from->txq) > 0)
        (void)pair_pump();
    (void)pair_run(500 * HOST_MS, 10 * HOST_MS);
}

/* gVisor #10243: a probe without data is answered, and one goes out when there is no byte to probe with. */
static void a_lost_window_update_does_not_stall(void)
{
    pair_conf();
    pair_open(4096, 4096);
    for (uint32_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1024), GN_TCP_OK);
        (void)pair_pump();
    }
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_ERR_NO_WINDOW);
    CU_ASSERT_EQUAL(pair_status(&a, ca).in_flight, 0); /* the order was not queued */
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 4096);
    (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    pair_lose(&b); /* the update */
    (void)pair_run(2 * HOST_S, 10 * HOST_MS);
    CU_ASSERT((gn_tcp_events(a.tcp, ca) & GN_TCP_EV_WRITABLE) != 0);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    pair_end();
}

/* esp-idf #2425: both windows closed, both ends with data: a probe now and then, no storm, and no stall afterwards. */
static void double_zero_window_is_quiet(void)
{
    pair_conf();
    pair_open(8192, 4096);
    fill(&a, ca);
    fill(&b, cb);
    CU_ASSERT_EQUAL(pair_status(&a, ca).peer_window, 0);
    CU_ASSERT_EQUAL(pair_status(&b, cb).peer_window, 0);
    uint32_t frames = pair_run(30 * HOST_S, 10 * HOST_MS);
    CU_ASSERT(frames >= 4 && frames < 60);
    uint32_t got_a = 0;
    uint32_t got_b = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        got_a += pair_drain(&a, ca);
        got_b += pair_drain(&b, cb);
        (void)pair_run(10 * HOST_MS, 10 * HOST_MS);
    }
    CU_ASSERT_EQUAL(got_b, pair_status(&a, ca).queued);
    CU_ASSERT_EQUAL(got_a, pair_status(&b, cb).queued);
    CU_ASSERT(got_a > 8000 && got_b > 8000);
    pair_end();
}

/* zephyr #48471: probes back off; libvma #672: what follows them has the right sequence numbers. The peer answers
 * probes, so that the connection stays however long. */
static void probes_back_off_and_the_stream_goes_on(void)
{
    uint64_t last = 0;
    uint64_t gaps[64];
    uint32_t n = 0;
    pair_conf();
    a.tcp_conf.data_retries = 3;
    pair_open(8192, 4096);
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 >> 2);
    CU_ASSERT_EQUAL(gn_tcp_write(a.tcp, a.net, ca, bytes, 6000, now, &a.txq), 6000);
    (void)pair_run(2 * HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_status(&a, ca).peer_window, 0);
    for (uint64_t until = now + 600 * HOST_S; now < until; now += 10 * HOST_MS) {
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        if (a.txq.n != 0 && n < 64) {
            CU_ASSERT(pair_sent(&a, 0).len <= 1);
            gaps[n++] = now - last;
            last = now;
        }
        (void)pair_pump();
    }
    CU_ASSERT_FATAL(n >= 8 && n < 40);
    for (uint32_t i = 2; i < 6; i++)
        CU_ASSERT(gaps[i] > gaps[i - 1] * 3 / 2);
    CU_ASSERT(gaps[n - 1] <= 61 * HOST_S);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    const uint8_t *data;
    uint32_t got = 0;
    for (uint32_t i = 0; i < 8000 && got < 6000; i++) {
        uint32_t len = gn_tcp_readable(b.tcp, cb, &data);
        CU_ASSERT_EQUAL(memcmp(data, bytes + got, len), 0);
        gn_tcp_consume(b.tcp, cb, len);
        got += len;
        (void)pair_run(10 * HOST_MS, 10 * HOST_MS);
    }
    CU_ASSERT_EQUAL(got, 6000);
    pair_end();
}

static void one_loss_is_repaired_without_a_timeout(uint32_t sack)
{
    pair_conf();
    a.tcp_conf.use_sack = sack;
    pair_open(65536, 65536);
    uint64_t start = now;
    for (uint32_t i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1000), GN_TCP_OK);
        if (i == 2)
            pair_lose(&a);
        else
            (void)pair_deliver(&a, &b);
    }
    (void)pair_pump();
    CU_ASSERT_EQUAL(now, start);
    struct gn_tcp_status st = pair_status(&a, ca);
    CU_ASSERT_EQUAL(st.retransmits, 1);
    CU_ASSERT_EQUAL(st.timeouts, 0);
    CU_ASSERT_EQUAL(st.fast_recoveries, 1);
    CU_ASSERT_EQUAL(st.acked, 7001 - 1 + 1000);
    CU_ASSERT(st.ssthresh < 14600);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 8000);
    pair_end();
}

static void fast_retransmit_with_sack(void)
{
    one_loss_is_repaired_without_a_timeout(1);
}

static void fast_retransmit_without_sack(void)
{
    one_loss_is_repaired_without_a_timeout(0);
}

/* RFC 2018: only what is missing goes again. */
static void sack_spares_what_arrived(void)
{
    pair_conf();
    pair_open(65536, 65536);
    for (uint32_t i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1000), GN_TCP_OK);
        if (i == 1 || i == 4)
            pair_lose(&a);
        else
            (void)pair_deliver(&a, &b);
    }
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_status(&a, ca).retransmits, 2);
    CU_ASSERT_EQUAL(pair_status(&a, ca).timeouts, 0);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 10000);
    pair_end();
}

/* RFC 3042: a full congestion window lets one new segment go for each of the first two duplicate ACKs. */
static void limited_transmit(void)
{
    pair_conf();
    a.tcp_conf.initial_window_segs = 3;
    pair_open(65536, 65536);
    uint32_t mss = pair_status(&a, ca).mss;
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, mss), GN_TCP_OK);
        if (i == 0)
            pair_lose(&a);
        else
            (void)pair_deliver(&a, &b);
    }
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, mss), GN_TCP_ERR_NO_CWND);
    (void)pair_deliver(&b, &a);
    CU_ASSERT_EQUAL(pair_status(&a, ca).dup_acks, 2);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, mss), GN_TCP_OK);
    (void)pair_pump(); /* the third duplicate: the first segment goes again */
    CU_ASSERT_EQUAL(pair_status(&a, ca).timeouts, 0);
    CU_ASSERT_EQUAL(pair_status(&a, ca).fast_recoveries, 1);
    pair_end();
}

/* RFC 6298: the timeout doubles, and Karn: no sample comes of a segment sent twice. */
static void timeout_backs_off_and_karn_holds(void)
{
    uint64_t at[5];
    uint32_t n = 0;
    pair_conf();
    a.tcp_conf.use_timestamps = 0;
    pair_open(4096, 4096);
    uint32_t srtt = pair_status(&a, ca).srtt_us;
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 10), GN_TCP_OK);
    pair_lose(&a);
    for (uint64_t start = now; n < 5; now += HOST_MS) {
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        if (a.txq.n != 0)
            at[n++] = now - start;
        if (n < 5)
            pair_lose(&a);
    }
    for (uint32_t i = 1; i < 5; i++) {
        uint64_t gap = at[i] - at[i - 1];
        uint64_t before = i == 1 ? at[0] : at[i - 1] - at[i - 2];
        CU_ASSERT(gap > 2 * before - 5 * HOST_MS && gap < 2 * before + 5 * HOST_MS);
    }
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_status(&a, ca).acked, 10);
    CU_ASSERT_EQUAL(pair_status(&a, ca).srtt_us, srtt);
    pair_end();
}

static uint32_t forge(uint8_t *f, int32_t seq_off, int32_t ack_off, uint8_t flags)
{
    const struct gn_tcp_conn *c = pair_conn(&b, cb);
    return pair_forge(f, &a, &b, 40000, PAIR_PORT, c->irs + (uint32_t)c->rcv_nxt + (uint32_t)seq_off,
                      c->iss + (uint32_t)c->snd_una + (uint32_t)ack_off, flags);
}

static uint16_t forged(int32_t seq_off, int32_t ack_off, uint8_t flags)
{
    uint8_t f[64];
    struct gn_net_rx rx;
    uint32_t len = forge(f, seq_off, ack_off, flags);
    return host_input(&b, f, len, now, &rx) == GN_NET_RX_DROP ? rx.reason : GN_NET_DROP_NONE;
}

/* RFC 5961 */
static void forged_segments_do_not_reset(void)
{
    pair_conf();
    a.tcp_conf.use_timestamps = 0;
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(forged(1, 0, GN_TCP_RST), GN_NET_DROP_TCP_RST);
    CU_ASSERT_EQUAL(forged(60000, 0, GN_TCP_RST), GN_NET_DROP_TCP_RST);
    CU_ASSERT_EQUAL(b.txq.n, 2); /* challenges */
    CU_ASSERT_EQUAL(forged(-1, 0, GN_TCP_RST), GN_NET_DROP_TCP_RST);
    CU_ASSERT_EQUAL(forged(100000, 0, GN_TCP_RST), GN_NET_DROP_TCP_RST);
    CU_ASSERT_EQUAL(b.txq.n, 2); /* outside the window: nothing */
    CU_ASSERT_EQUAL(forged(0, 0, GN_TCP_SYN), GN_NET_DROP_TCP_SYN);
    CU_ASSERT_EQUAL(forged(5, 0, GN_TCP_SYN | GN_TCP_ACK), GN_NET_DROP_TCP_SYN);
    CU_ASSERT_EQUAL(forged(0, 1, GN_TCP_ACK), GN_NET_DROP_TCP_ACK);
    CU_ASSERT_EQUAL(forged(0, -70000, GN_TCP_ACK), GN_NET_DROP_TCP_ACK);
    CU_ASSERT_EQUAL(forged(0, -500, GN_TCP_ACK), GN_NET_DROP_NONE); /* old, and before the first byte */
    CU_ASSERT_EQUAL(pair_status(&b, cb).acked, 0);
    CU_ASSERT_EQUAL(forged(0, 0, 0), GN_NET_DROP_TCP_ACK);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_ESTABLISHED);
    (void)pair_pump();
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(forged(0, 0, GN_TCP_RST), GN_NET_DROP_NONE); /* exact: it counts */
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_CLOSED);
    pair_end();
}

/* 10^6 off-path guesses: alive, and answered within the limit. */
static void blind_attack_is_survived(void)
{
    static const uint8_t flags[] = {GN_TCP_RST, GN_TCP_SYN, GN_TCP_ACK, GN_TCP_RST | GN_TCP_ACK};
    uint64_t rng = gn_test_seed(5961);
    uint64_t answers = 0;
    uint8_t f[64];
    struct gn_net_rx rx;
    pair_conf();
    pair_open(65536, 65536);
    const struct gn_tcp_conn *c = pair_conn(&b, cb);
    uint32_t exact = c->irs + (uint32_t)c->rcv_nxt;
    uint32_t len = pair_forge(f, &a, &b, 40000, PAIR_PORT, 0, 0, 0);
    uint8_t *tcp = f + GN_ETH_LEN + GN_IP_LEN;
    for (uint32_t i = 0; i < 1000000; i++) {
        uint32_t seq = (uint32_t)gn_test_rand(&rng);
        gn_store_be32(tcp + 4, seq == exact ? seq + 1 : seq);
        gn_store_be32(tcp + 8, (uint32_t)gn_test_rand(&rng));
        tcp[13] = flags[i & 3];
        (void)gn_net_input(b.net, b.tcp, f, len, GN_NET_IN_L4_CSUM_OK, now, &b.txq, &rx);
        answers += b.txq.n;
        host_stock(&b, GN_TXQ_MAX);
        now += 10000; /* 10 s in all */
    }
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_ESTABLISHED);
    CU_ASSERT(answers <= 11 * b.tcp_conf.challenge_acks_per_s);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "alive", 5), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 5);
    pair_end();
}

/* The same without knowing the ports: neither the connection nor the wire suffers. */
static void blind_attack_from_any_port_is_survived(void)
{
    static const uint8_t flags[] = {GN_TCP_RST, GN_TCP_SYN, GN_TCP_ACK, GN_TCP_SYN | GN_TCP_ACK, GN_TCP_FIN};
    uint64_t rng = gn_test_seed(9293);
    uint64_t resets = 0;
    uint64_t others = 0;
    uint8_t f[64];
    struct gn_net_rx rx;
    pair_conf();
    b.tcp_conf.backlog = 2;
    b.tcp_conf.resets_per_s = 20;
    pair_open(65536, 65536);
    uint32_t len = pair_forge(f, &a, &b, 40000, PAIR_PORT, 0, 0, 0);
    uint8_t *tcp = f + GN_ETH_LEN + GN_IP_LEN;
    for (uint32_t i = 0; i < 1000000; i++) {
        uint64_t guess = gn_test_rand(&rng);
        gn_store_be16(tcp, (uint16_t)(1 + guess % 39999));
        gn_store_be16(tcp + 2, i % 2 == 0 ? PAIR_PORT : (uint16_t)(1 + (guess >> 16) % 65535));
        gn_store_be32(tcp + 4, (uint32_t)(guess >> 32));
        gn_store_be32(tcp + 8, (uint32_t)gn_test_rand(&rng));
        tcp[13] = flags[i % GN_ARRAY_LEN(flags)];
        (void)gn_net_input(b.net, b.tcp, f, len, GN_NET_IN_L4_CSUM_OK, now, &b.txq, &rx);
        (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
        for (uint32_t k = 0; k < b.txq.n; k++) {
            bool reset = (pair_sent(&b, k).flags & GN_TCP_RST) != 0;
            resets += reset;
            others += !reset;
        }
        pair_lose(&b);
        now += 10000; /* 10 s in all */
    }
    CU_ASSERT(resets <= 11 * b.tcp_conf.resets_per_s);
    /* half-open connections: as many as the backlog, each told four times in 10 s, and challenged within its limit; a
     * RST that guesses right frees one for the next */
    CU_ASSERT(others <= 100);
    CU_ASSERT(b.tcp->used <= 3);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "alive", 5), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 5);
    pair_end();
}

static void resets_for_closed_ports_are_limited(void)
{
    uint8_t f[64];
    struct gn_net_rx rx;
    pair_conf();
    b.tcp_conf.resets_per_s = 5;
    pair_open(4096, 4096);
    uint32_t len = pair_forge(f, &a, &b, 1, 2, 77, 88, GN_TCP_ACK);
    for (uint32_t i = 0; i < 50; i++)
        (void)host_input(&b, f, len, now, &rx);
    CU_ASSERT_EQUAL(b.txq.n, 5);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).flags, GN_TCP_RST);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).seq, 88);
    now += HOST_S;
    (void)host_input(&b, f, len, now, &rx);
    CU_ASSERT_EQUAL(b.txq.n, 6);
    f[GN_ETH_LEN + GN_IP_LEN + 13] = GN_TCP_RST;
    pair_resum(f);
    (void)host_input(&b, f, len, now, &rx);
    CU_ASSERT_EQUAL(b.txq.n, 6); /* never in answer to a RST */
    pair_end();
}

static void syn_flood_leaves_room_for_others(void)
{
    uint8_t f[64];
    struct gn_net_rx rx;
    pair_conf();
    b.tcp_conf.backlog = 2;
    pair_open(4096, 4096);
    uint32_t refused = 0;
    for (uint16_t i = 0; i < 100; i++) {
        uint32_t len = pair_forge(f, &a, &b, (uint16_t)(1000 + i), PAIR_PORT, i, 0, GN_TCP_SYN);
        refused += host_input(&b, f, len, now, &rx) == GN_NET_RX_DROP && rx.reason == GN_NET_DROP_TCP_NO_SLOT;
    }
    CU_ASSERT_EQUAL(refused, 98);
    CU_ASSERT_EQUAL(b.tcp->used, 3);
    pair_lose(&b);
    for (uint32_t i = 0; i < 400; i++) { /* they end by themselves */
        now += HOST_S;
        (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
        pair_lose(&b);
    }
    CU_ASSERT_EQUAL(b.tcp->used, 1);
    pair_end();
}

/* RFC 7323 section 5 */
static void old_timestamps_are_dropped(void)
{
    uint8_t old[GN_FRAME_ROOM];
    struct gn_net_rx rx;
    pair_conf();
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "first", 5), GN_TCP_OK);
    uint32_t len = a.txq.len[0];
    memcpy(old, a.txq.buf[0], len);
    (void)pair_run(HOST_S, 50 * HOST_MS);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "second", 6), GN_TCP_OK);
    (void)pair_run(100 * HOST_MS, 50 * HOST_MS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 11);
    /* the first one, as if the sequence numbers had come round to it */
    gn_store_be32(old + GN_ETH_LEN + GN_IP_LEN + 4, pair_conn(&b, cb)->irs + (uint32_t)pair_conn(&b, cb)->rcv_nxt);
    pair_resum(old);
    CU_ASSERT_EQUAL(host_input(&b, old, len, now, &rx), GN_NET_RX_DROP);
    CU_ASSERT_EQUAL(rx.reason, GN_NET_DROP_TCP_PAWS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 0);
    pair_end();
}

static uint32_t frag_needed(uint8_t *f, const uint8_t *quoted, uint16_t mtu)
{
    memset(f, 0, 100);
    memcpy(f, a.net_conf.mac, 6);
    f[6] = 2;
    gn_store_be16(f + 12, GN_ETH_TYPE_IPV4);
    uint8_t *ip = f + GN_ETH_LEN;
    uint8_t *p = ip + GN_IP_LEN;
    ip[0] = 0x45;
    gn_store_be16(ip + 2, GN_IP_LEN + GN_ICMP_LEN + 28);
    ip[8] = 64;
    ip[9] = GN_IP_PROTO_ICMP;
    gn_store_be32(ip + 12, 0x0a0000feu);
    gn_store_be32(ip + 16, a.net_conf.ip);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, GN_IP_LEN)));
    p[0] = GN_ICMP_UNREACHABLE;
    p[1] = mtu != 0 ? GN_ICMP_CODE_FRAG : 1;
    gn_store_be16(p + 6, mtu);
    memcpy(p + 8, quoted + GN_ETH_LEN, 28);
    gn_csum_store(p + 2, gn_csum_finish(gn_csum_add(0, p, GN_ICMP_LEN + 28)));
    return GN_ETH_LEN + GN_IP_LEN + GN_ICMP_LEN + 28;
}

/* RFC 1191, RFC 5927: the path MTU is learned from quotes of what is in flight; nothing that ICMP says ends a
 * connection. */
static void icmp_lowers_the_mss_and_no_more(void)
{
    uint8_t big[GN_FRAME_ROOM];
    uint8_t f[128];
    struct gn_net_rx rx;
    pair_conf();
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1448), GN_TCP_OK);
    memcpy(big, a.txq.buf[0], a.txq.len[0]);
    pair_lose(&a);
    uint32_t len = frag_needed(f, big, 0);
    CU_ASSERT_EQUAL(host_input(&a, f, len, now, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(pair_status(&a, ca).soft_errors, 1);
    gn_store_be32(big + GN_ETH_LEN + GN_IP_LEN + 4, 12345); /* a guess */
    len = frag_needed(f, big, 600);
    CU_ASSERT_EQUAL(host_input(&a, f, len, now, &rx), GN_NET_RX_DROP);
    CU_ASSERT_EQUAL(rx.reason, GN_NET_DROP_ICMP_QUOTE);
    CU_ASSERT_EQUAL(pair_status(&a, ca).mss, 1448);
    gn_store_be32(big + GN_ETH_LEN + GN_IP_LEN + 4, pair_conn(&a, ca)->iss + 1);
    len = frag_needed(f, big, 68); /* below the floor */
    CU_ASSERT_EQUAL(host_input(&a, f, len, now, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(pair_status(&a, ca).mss, 576 - 52);
    CU_ASSERT_EQUAL(a.txq.n, 3); /* sent again at once, in pieces that fit */
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 1448);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 600), GN_TCP_ERR_TOO_LONG);
    pair_end();
}

/* RFC 9293 section 3.6.1: data that nobody will read is answered with RST. */
static void data_after_release_is_reset(void)
{
    pair_conf();
    pair_open(4096, 4096);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    gn_tcp_release(a.tcp, a.net, ca, now, &a.txq);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_send(&b, cb, "late", 4), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_status(&b, cb).reason, GN_TCP_REASON_RESET);
    CU_ASSERT_EQUAL(pair_status(&b, cb).doubt_to - pair_status(&b, cb).doubt_from, 4);
    CU_ASSERT_EQUAL(a.tcp->used, 0);
    pair_end();
}

static void out_of_order_ranges_are_bounded(void)
{
    pair_conf();
    pair_open(65536, 65536);
    for (uint32_t i = 0; i < 2 * GN_TCP_OOO_MAX + 20; i++) {
        int err = pair_send(&a, ca, bytes, 50);
        CU_ASSERT_EQUAL(err, GN_TCP_OK);
        if (i % 2 == 0)
            pair_lose(&a);
        else
            (void)pair_deliver(&a, &b);
        pair_check();
    }
    CU_ASSERT(b.net->drops[GN_NET_DROP_TCP_OOO_FULL] > 0);
    (void)pair_run(30 * HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 50 * (2 * GN_TCP_OOO_MAX + 20));
    pair_end();
}

static void clock_steps_do_no_harm(void)
{
    pair_conf();
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    pair_lose(&a);
    now -= 3600 * HOST_S; /* the retransmission still comes in time */
    (void)pair_run(HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 100);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    now += 86400 * HOST_S; /* and a day at once is no reason to give up */
    pair_timers();
    (void)pair_run(HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 100);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    pair_end();
}

GN_TEST_MAIN("tcp_hostile", {"old ACKs do not reset the timer", old_acks_do_not_reset_the_timer},
             {"a peer that never acknowledges is given up", a_peer_that_never_acknowledges_is_given_up},
             {"a lost window update does not stall", a_lost_window_update_does_not_stall},
             {"double zero window is quiet", double_zero_window_is_quiet},
             {"probes back off and the stream goes on", probes_back_off_and_the_stream_goes_on},
             {"fast retransmit with SACK", fast_retransmit_with_sack},
             {"fast retransmit without SACK", fast_retransmit_without_sack},
             {"SACK spares what arrived", sack_spares_what_arrived}, {"limited transmit", limited_transmit},
             {"timeout backs off and Karn holds", timeout_backs_off_and_karn_holds},
             {"forged segments do not reset", forged_segments_do_not_reset},
             {"a blind attack is survived", blind_attack_is_survived},
             {"a blind attack from any port is survived", blind_attack_from_any_port_is_survived},
             {"resets for closed ports are limited", resets_for_closed_ports_are_limited},
             {"a SYN flood leaves room for others", syn_flood_leaves_room_for_others},
             {"old timestamps are dropped", old_timestamps_are_dropped},
             {"ICMP lowers the MSS and no more", icmp_lowers_the_mss_and_no_more},
             {"data after release is reset", data_after_release_is_reset},
             {"out-of-order ranges are bounded", out_of_order_ranges_are_bounded},
             {"clock steps do no harm", clock_steps_do_no_harm})
