/* What a caller of TCP may rely on: handshake, messages, refusals, close, abort, timers, restarts. */
#include "dataplane/net/tcp.h"

#include "tests/unit/net/pair.h"

static uint8_t bytes[65536];

static void handshake_agrees_on_options(void)
{
    pair_conf();
    b.tcp_conf.use_timestamps = 0;
    a.tcp_conf.mss_max = 1000;
    pair_open(8192, 262144);
    struct gn_tcp_status st = pair_status(&a, ca);
    CU_ASSERT_EQUAL(st.state, GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(st.timestamps, 0);
    CU_ASSERT_EQUAL(st.sack, 1);
    CU_ASSERT_EQUAL(st.mss, 1000);
    CU_ASSERT_EQUAL(pair_status(&b, cb).mss, 1000);
    CU_ASSERT(st.peer_window > 60000);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_send(&b, cb, "y", 1), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT(pair_status(&a, ca).peer_window > 200000); /* the scale counts from the first segment on */
    pair_end();
}

static void mss_counts_timestamps(void)
{
    pair_conf();
    a.net_conf.mtu = 1400;
    pair_open(8192, 8192);
    CU_ASSERT_EQUAL(pair_status(&a, ca).mss, 1400 - 40 - 12);
    CU_ASSERT_EQUAL(pair_status(&b, cb).mss, 1400 - 40 - 12);
    pair_end();
}

static void one_message_is_one_segment(void)
{
    pair_conf();
    pair_open(65536, 65536);
    for (uint32_t i = 1; i <= 10; i++)
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 10 * i), GN_TCP_OK);
    CU_ASSERT_EQUAL(a.txq.n, 10);
    uint32_t seq = pair_sent(&a, 0).seq;
    for (uint32_t i = 0; i < 10; i++) {
        struct seg s = pair_sent(&a, i);
        CU_ASSERT_EQUAL(s.len, 10 * (i + 1));
        CU_ASSERT_EQUAL(s.seq, seq);
        CU_ASSERT_EQUAL(s.flags, GN_TCP_ACK | GN_TCP_PSH);
        seq += s.len;
    }
    pair_lose(&a); /* all lost: the retransmissions keep the boundaries */
    (void)pair_run(3 * HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_status(&a, ca).acked, 550);
    CU_ASSERT_EQUAL(pair_status(&a, ca).retransmits, 10);
    CU_ASSERT_EQUAL(pair_status(&b, cb).segs_in >= 11, true);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 550);
    pair_end();
}

/* Warming makes the template ready for an order's length, and leaves nothing behind where an order would be refused. */
static void warming_leaves_no_trace(void)
{
    pair_conf();
    pair_open(65536, 65536);
    struct gn_tcp_conn *c = pair_conn(&a, ca);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 3), GN_TCP_OK);
    (void)pair_run(HOST_S, HOST_MS);
    CU_ASSERT_EQUAL(gn_tcp_warm(a.tcp, a.net, ca, 50, now, &a.txq), GN_TCP_OK);
    CU_ASSERT_EQUAL(c->ready_len, 50);
    CU_ASSERT_EQUAL(a.txq.n, 0);
    CU_ASSERT_TRUE(gn_tcp_quiet(a.tcp, ca));
    struct gn_tcp_conn before;
    c->snd_wnd = 10;
    gn_tcp_look(c);
    before = *c;
    CU_ASSERT_EQUAL(gn_tcp_warm(a.tcp, a.net, ca, 50, now, &a.txq), GN_TCP_ERR_BUSY);
    CU_ASSERT_EQUAL(memcmp(&before, c, sizeof before), 0);
    CU_ASSERT_EQUAL(gn_tcp_warm(a.tcp, a.net, ca, 0, now, &a.txq), GN_TCP_ERR_BUSY);
    CU_ASSERT_EQUAL(gn_tcp_warm(a.tcp, a.net, 99, 50, now, &a.txq), GN_TCP_ERR_NOT_CONNECTED);
    pair_end();
}

static void prepare_and_commit_make_the_same_frame(void)
{
    uint8_t frame[GN_FRAME_ROOM];
    uint8_t *p;
    pair_conf();
    pair_open(65536, 65536);
    memset(bytes, 'o', 100);
    struct gn_tcp_conn *c = pair_conn(&a, ca);
    struct gn_tcp_conn before = *c;
    CU_ASSERT_EQUAL(gn_tcp_warm(a.tcp, a.net, ca, 100, now, &a.txq), GN_TCP_OK);
    struct gn_tcp_conn warmed = *c;
    memcpy(warmed.hdr, before.hdr, sizeof warmed.hdr);
    warmed.ready_sum = before.ready_sum;
    warmed.ready_len = before.ready_len;
    warmed.ready_room = before.ready_room;
    warmed.ready_until = before.ready_until;
    CU_ASSERT_EQUAL(c->ready_len, 100);
    CU_ASSERT_EQUAL(memcmp(&before, &warmed, sizeof before), 0); /* but for the template warming leaves no trace */
    CU_ASSERT_EQUAL(a.txq.n, 0);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    uint32_t len = a.txq.len[0];
    memcpy(frame, a.txq.buf[0], len);
    *c = before;
    pair_lose(&a);
    CU_ASSERT_EQUAL(gn_tcp_prepare(a.tcp, a.net, ca, 200, now, &a.txq, &p), GN_TCP_OK);
    CU_ASSERT_EQUAL(a.txq.n, 0);
    CU_ASSERT_EQUAL(gn_tcp_send_offset(a.tcp, ca), 0); /* nothing happened yet */
    memcpy(p, bytes, 100);
    gn_tcp_commit(a.tcp, ca, 100, now, &a.txq);
    CU_ASSERT_EQUAL_FATAL(a.txq.n, 1);
    CU_ASSERT_EQUAL(a.txq.len[0], len);
    CU_ASSERT_EQUAL(memcmp(frame, a.txq.buf[0], len), 0);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 100);
    pair_end();
}

static void send_says_why_not(void)
{
    pair_conf();
    pair_open(4096, 4096);
    CU_ASSERT_EQUAL(pair_send(&a, 99, "x", 1), GN_TCP_ERR_NOT_CONNECTED);
    CU_ASSERT_EQUAL(pair_send(&a, (ca + 1) % 4, "x", 1), GN_TCP_ERR_NOT_CONNECTED);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "", 0), GN_TCP_ERR_TOO_LONG);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, pair_status(&a, ca).mss + 1), GN_TCP_ERR_TOO_LONG);
    host_stock(&a, 0);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_ERR_TXQ_FULL);
    host_stock(&a, GN_TXQ_MAX);
    CU_ASSERT_EQUAL(gn_tcp_send_offset(a.tcp, ca), 0);
    for (uint32_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1000), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1000), GN_TCP_ERR_BUSY); /* the send buffer holds 4,096 */
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_status(&a, ca).acked, 4000);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1000), GN_TCP_ERR_NO_WINDOW); /* nobody reads */
    CU_ASSERT_EQUAL(gn_tcp_send_offset(a.tcp, ca), 4000);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 4000);
    (void)pair_run(20 * HOST_MS, 10 * HOST_MS);
    CU_ASSERT((gn_tcp_events(a.tcp, ca) & GN_TCP_EV_WRITABLE) != 0);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1000), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_write(a.tcp, a.net, ca, bytes, 4096, now, &a.txq), 3096);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_ERR_NOT_CONNECTED);
    for (int e = -13; e <= 0; e++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_tcp_strerror(e), gn_tcp_strerror(-99));
    pair_end();
}

static void send_respects_the_congestion_window(void)
{
    uint32_t sent = 0;
    pair_conf();
    pair_open(65536, 65536);
    int err;
    while ((err = pair_send(&a, ca, bytes, 1448)) == GN_TCP_OK)
        sent++;
    CU_ASSERT_EQUAL(err, GN_TCP_ERR_NO_CWND);
    CU_ASSERT_EQUAL(sent, 10); /* RFC 6928 */
    (void)pair_pump();
    sent = 0;
    while ((err = pair_send(&a, ca, bytes, 1448)) == GN_TCP_OK)
        sent++;
    CU_ASSERT(sent > 12 && sent <= 20); /* slow start */
    pair_end();
}

static void send_without_arp_is_refused(void)
{
    pair_conf();
    pair_open(4096, 4096);
    /* the neighbour is forgotten */
    memset(a.net->arp, 0, sizeof a.net->arp);
    a.net->arp_gen++;
    now += HOST_MS;
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_ERR_NO_ARP);
    CU_ASSERT_EQUAL(a.txq.n, 1); /* the request */
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_send(&a, ca, "x", 1), GN_TCP_OK);
    pair_end();
}

static void vlan_and_static_neighbours(void)
{
    pair_conf();
    a.net_conf.vlan_id = b.net_conf.vlan_id = 100;
    pair_open(65536, 65536); /* which makes them static neighbours: nobody asks */
    CU_ASSERT_EQUAL(a.net->tx_arp + b.net->tx_arp, 0);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 1448), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_load_be16(a.txq.buf[0] + 12), GN_ETH_TYPE_VLAN);
    CU_ASSERT_EQUAL(gn_load_be16(a.txq.buf[0] + 14) & 0xfff, 100);
    CU_ASSERT_EQUAL(a.txq.len[0], 1518);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 1448);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_CLOSE_WAIT);
    pair_end();
}

static void connect_waits_for_arp_by_itself(void)
{
    pair_conf();
    CU_ASSERT_FATAL(host_start(&a, 4, 4096, 4096, now));
    CU_ASSERT_FATAL(host_start(&b, 4, 4096, 4096, now));
    CU_ASSERT_EQUAL(gn_tcp_listen(b.tcp, PAIR_PORT), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 0, now, &a.txq, &ca), GN_TCP_OK);
    (void)pair_pump(); /* ARP */
    pair_timers();     /* heard of: the SYN leaves at once */
    (void)pair_pump();
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    CU_ASSERT(gn_tcp_events(a.tcp, ca) == GN_TCP_EV_CONNECTED);
    pair_end();
}

static void orderly_close_both_ways(void)
{
    pair_conf();
    pair_open(4096, 4096);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "bye", 3), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_FIN_WAIT_2);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_CLOSE_WAIT);
    CU_ASSERT_EQUAL(gn_tcp_events(b.tcp, cb), GN_TCP_EV_READABLE | GN_TCP_EV_PEER_CLOSED);
    CU_ASSERT_EQUAL(pair_send(&b, cb, "still here", 10), GN_TCP_OK); /* half-closed */
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&a, ca), 10);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 3);
    CU_ASSERT_EQUAL(gn_tcp_close(b.tcp, b.net, cb, now, &b.txq), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_CLOSED);
    CU_ASSERT_EQUAL(pair_status(&b, cb).reason, GN_TCP_REASON_CLOSED);
    CU_ASSERT_EQUAL(pair_status(&b, cb).doubt_from, pair_status(&b, cb).doubt_to);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_TIME_WAIT);
    CU_ASSERT((gn_tcp_events(a.tcp, ca) & GN_TCP_EV_CLOSED) != 0);
    (void)pair_run(59 * HOST_S, HOST_S);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_TIME_WAIT);
    (void)pair_run(2 * HOST_S, HOST_S);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_CLOSED);
    gn_tcp_release(a.tcp, a.net, ca, now, &a.txq);
    gn_tcp_release(b.tcp, b.net, cb, now, &b.txq);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_FREE);
    CU_ASSERT_EQUAL(a.tcp->used + b.tcp->used, 0);
    pair_end();
}

static void simultaneous_close(void)
{
    pair_conf();
    pair_open(4096, 4096);
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_close(b.tcp, b.net, cb, now, &b.txq), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_TIME_WAIT);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_TIME_WAIT);
    pair_end();
}

static void simultaneous_open(void)
{
    pair_conf();
    CU_ASSERT_FATAL(host_start(&a, 4, 4096, 4096, now));
    CU_ASSERT_FATAL(host_start(&b, 4, 4096, 4096, now));
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, 5000, 4000, now, &a.txq, &ca), GN_TCP_OK);
    CU_ASSERT_EQUAL(gn_tcp_connect(b.tcp, b.net, a.net_conf.ip, 4000, 5000, now, &b.txq, &cb), GN_TCP_OK);
    (void)pair_run(3 * HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_ESTABLISHED);
    CU_ASSERT_EQUAL(pair_send(&a, ca, "hello", 5), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 5);
    pair_end();
}

static void abort_tells_what_is_in_doubt(void)
{
    pair_conf();
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 70), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 30), GN_TCP_OK);
    pair_lose(&a);
    CU_ASSERT_EQUAL(gn_tcp_abort(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    struct gn_tcp_status st = pair_status(&a, ca);
    CU_ASSERT_EQUAL(st.state, GN_TCP_CLOSED);
    CU_ASSERT_EQUAL(st.reason, GN_TCP_REASON_ABORTED);
    CU_ASSERT_EQUAL(st.doubt_from, 100);
    CU_ASSERT_EQUAL(st.doubt_to, 200);
    CU_ASSERT((gn_tcp_events(a.tcp, ca) & GN_TCP_EV_ABORTED) != 0);
    (void)pair_pump();
    /* the RST is beyond what the peer has: it asks, and our answer is exact */
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_CLOSED);
    CU_ASSERT_EQUAL(pair_status(&b, cb).reason, GN_TCP_REASON_RESET);
    pair_end();
}

static void silence_ends_in_bounded_retries(void)
{
    uint32_t frames = 0;
    pair_conf();
    a.tcp_conf.data_retries = 6;
    pair_open(4096, 4096);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    for (uint64_t until = now + 300 * HOST_S; now < until; now += 10 * HOST_MS) {
        frames += a.txq.n;
        pair_lose(&a);
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
    }
    CU_ASSERT_EQUAL(frames, 1 + 6);
    struct gn_tcp_status st = pair_status(&a, ca);
    CU_ASSERT_EQUAL(st.reason, GN_TCP_REASON_TIMEOUT);
    CU_ASSERT_EQUAL(st.doubt_from, 0);
    CU_ASSERT_EQUAL(st.doubt_to, 100);
    pair_end();
}

static void refused_and_unanswered_connects(void)
{
    pair_conf();
    a.tcp_conf.syn_retries = 3;
    pair_open(4096, 4096);
    uint32_t c;
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, 81, 0, now, &a.txq, &c), GN_TCP_OK);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_status(&a, c).reason, GN_TCP_REASON_REFUSED);
    gn_tcp_release(a.tcp, a.net, c, now, &a.txq);
    static const uint8_t nobody[6] = {2, 0, 0, 0, 0, 9};
    CU_ASSERT_EQUAL(gn_net_add_static(a.net, 0x0a000009u, nobody), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, 0x0a000009u, 81, 0, now, &a.txq, &c), GN_TCP_OK);
    uint32_t frames = pair_run(60 * HOST_S, 100 * HOST_MS);
    CU_ASSERT_EQUAL(frames, 4);
    CU_ASSERT_EQUAL(pair_status(&a, c).reason, GN_TCP_REASON_TIMEOUT);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, a.net_conf.ip, 81, 0, now, &a.txq, &c), GN_TCP_ERR_ARG);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 40000, now, &a.txq, &c), GN_TCP_ERR_IN_USE);
    pair_end();
}

static void acks_are_delayed_but_not_long(void)
{
    pair_conf();
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(b.txq.n, 0);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(b.txq.n, 1); /* every second one */
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    (void)pair_deliver(&a, &b);
    uint64_t due = gn_tcp_timer(b.tcp, b.net, now, &b.txq);
    CU_ASSERT_EQUAL(due, now + 40 * HOST_MS);
    now = due;
    (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK); /* an answer carries the ACK */
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(pair_send(&b, cb, "ok", 2), GN_TCP_OK);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    (void)pair_pump();
    now += 50 * HOST_MS;
    CU_ASSERT_EQUAL(pair_status(&a, ca).acked, 400);
    pair_end();
}

static void readable_is_contiguous_over_the_wrap(void)
{
    const uint8_t *data;
    uint64_t off = 0;
    pair_conf();
    pair_open(8192, 8192);
    for (uint32_t round = 0; round < 50; round++) {
        uint32_t len = 700 + round * 13;
        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)((off + i) * 31 >> 3);
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, len), GN_TCP_OK);
        (void)pair_run(50 * HOST_MS, 50 * HOST_MS);
        CU_ASSERT_EQUAL_FATAL(gn_tcp_readable(b.tcp, cb, &data), len); /* in one piece */
        CU_ASSERT_EQUAL(memcmp(data, bytes, len), 0);
        gn_tcp_consume(b.tcp, cb, len);
        off += len;
    }
    pair_end();
}

static void keepalive_finds_a_dead_peer(void)
{
    pair_conf();
    a.tcp_conf.keepalive_idle_ms = 10000;
    a.tcp_conf.keepalive_interval_ms = 1000;
    a.tcp_conf.keepalive_probes = 3;
    pair_open(4096, 4096);
    (void)pair_run(100 * HOST_S, 100 * HOST_MS); /* answered */
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED);
    for (uint32_t i = 0; i < 150; i++) {
        now += 100 * HOST_MS;
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        pair_lose(&a);
    }
    CU_ASSERT_EQUAL(pair_status(&a, ca).reason, GN_TCP_REASON_KEEPALIVE);
    pair_end();
}

static void a_thousand_connections(void)
{
    enum { N = 1024 };
    static uint32_t conns[N];
    pair_conf();
    b.tcp_conf.backlog = N;
    CU_ASSERT_FATAL(host_start(&a, N, 4096, 4096, now));
    CU_ASSERT_FATAL(host_start(&b, N, 4096, 4096, now));
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_tcp_listen(b.tcp, PAIR_PORT), GN_TCP_OK);
    for (uint32_t i = 0; i < N; i++) {
        CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 0, now, &a.txq, &conns[i]), GN_TCP_OK);
        while (pair_deliver(&a, &b) + pair_deliver(&b, &a) != 0)
            continue;
    }
    uint32_t c;
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 0, now, &a.txq, &c), GN_TCP_ERR_FULL);
    for (uint32_t i = 0; i < N; i++) {
        CU_ASSERT_EQUAL(pair_send(&a, conns[i], &i, sizeof i), GN_TCP_OK);
        (void)pair_deliver(&a, &b);
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < N; i++) {
        const uint8_t *data;
        uint32_t v = 0;
        CU_ASSERT_EQUAL(gn_tcp_accept(b.tcp, PAIR_PORT, &c), GN_TCP_OK);
        CU_ASSERT_EQUAL(gn_tcp_readable(b.tcp, c, &data), sizeof v);
        memcpy(&v, data, sizeof v);
        sum += v;
        gn_tcp_release(b.tcp, b.net, c, now, &b.txq); /* RST to the client */
        (void)pair_deliver(&b, &a);
    }
    CU_ASSERT_EQUAL(sum, N * (N - 1) / 2);
    uint32_t aborted = 0;
    while ((c = gn_tcp_next_event(a.tcp)) != GN_TCP_NONE) {
        aborted += (gn_tcp_events(a.tcp, c) & GN_TCP_EV_ABORTED) != 0;
        gn_tcp_release(a.tcp, a.net, c, now, &a.txq);
    }
    CU_ASSERT_EQUAL(aborted, N);
    CU_ASSERT_EQUAL(a.tcp->used + b.tcp->used, 0);
    pair_end();
}

static void join_goes_on_and_checks(void)
{
    pair_conf();
    pair_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 300), GN_TCP_OK);
    pair_lose(&a); /* dies before the frame leaves */
    CU_ASSERT(host_restart(&a, now));
    CU_ASSERT_EQUAL(gn_tcp_send_offset(a.tcp, ca), 300); /* the message was sent as far as the caller is concerned */
    CU_ASSERT(host_restart(&b, now));
    (void)pair_run(HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 300);
    CU_ASSERT_EQUAL(pair_status(&a, ca).acked, 300);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 5), GN_TCP_OK);
    (void)pair_run(HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 5);
    struct gn_tcp *t;
    CU_ASSERT_EQUAL(gn_tcp_join(a.tcp, 10, now, &t), GN_TCP_ERR_MAGIC);
    CU_ASSERT_EQUAL(gn_tcp_join(a.tcp, a.tcp->bytes - 1, now, &t), GN_TCP_ERR_CORRUPT);
    pair_conn(&a, ca)->snd_una += 1000000; /* impossible: this connection cannot be trusted */
    CU_ASSERT_EQUAL(gn_tcp_join(a.tcp, a.tcp->bytes, now, &t), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_status(&a, ca).reason, GN_TCP_REASON_CORRUPT);
    a.tcp->sndbuf = 12345;
    CU_ASSERT_EQUAL(gn_tcp_join(a.tcp, a.tcp->bytes, now, &t), GN_TCP_ERR_CORRUPT);
    host_stop(&a);
    host_stop(&b);
}

static void configuration_is_checked(void)
{
    const char *field;
    struct gn_tcp_conf c;
    gn_tcp_conf_default(&c);
    CU_ASSERT_EQUAL(gn_tcp_conf_check(&c, &field), GN_TCP_OK);
    c.rto_min_us = 999;
    CU_ASSERT_EQUAL(gn_tcp_conf_check(&c, &field), GN_TCP_ERR_ARG);
    CU_ASSERT_STRING_EQUAL(field, "rto_min_us");
    gn_tcp_conf_default(&c);
    c.port_max = 20000;
    CU_ASSERT_EQUAL(gn_tcp_conf_check(&c, &field), GN_TCP_ERR_ARG);
    CU_ASSERT_EQUAL(gn_tcp_footprint(0, 4096, 4096), 0);
    CU_ASSERT_EQUAL(gn_tcp_footprint(1, 4095, 4096), 0);
    static const uint32_t conns[] = {1, 2, 3, 8, 31, 33, 1000, 1025, GN_TCP_CONNS_MAX};
    static const uint32_t bufs[] = {4096, 1u << 18, 1u << 20};
    for (uint32_t i = 0; i < GN_ARRAY_LEN(conns); i++)
        for (uint32_t k = 0; k < GN_ARRAY_LEN(bufs) * GN_ARRAY_LEN(bufs); k++) {
            uint32_t out = bufs[k / GN_ARRAY_LEN(bufs)], in = bufs[k % GN_ARRAY_LEN(bufs)];
            uint64_t all = gn_tcp_footprint(conns[i], out, in);
            CU_ASSERT(all > conns[i] * ((uint64_t)out + in));
            CU_ASSERT(all <= GN_TCP_TABLE_BYTES + conns[i] * gn_tcp_conn_bytes(out, in));
        }
    for (uint32_t i = 0; i < GN_TCP_STATE_COUNT; i++)
        CU_ASSERT(strcmp(gn_tcp_state_name(i), "unknown") != 0);
    for (uint32_t i = 0; i < GN_TCP_REASON_COUNT; i++)
        CU_ASSERT(strcmp(gn_tcp_reason_name(i), "unknown") != 0);
}

static void sequence_numbers_are_keyed_and_move(void)
{
    struct gn_tcp t = {0};
    struct gn_tcp_conn c = {.local_ip = 1, .remote_ip = 2, .local_port = 3, .remote_port = 4};
    uint32_t off;
    uint32_t one = gn_tcp_isn(&t, &c, now, &off);
    CU_ASSERT_EQUAL(gn_tcp_isn(&t, &c, now + 4096 * 1000, &off) - one, 1000); /* 4 us a tick */
    c.remote_port = 5;
    CU_ASSERT_NOT_EQUAL(gn_tcp_isn(&t, &c, now, &off), one);
    c.remote_port = 4;
    t.conf.secret[3] = 1;
    CU_ASSERT_NOT_EQUAL(gn_tcp_isn(&t, &c, now, &off), one);
}

GN_TEST_MAIN("tcp", {"handshake agrees on options", handshake_agrees_on_options},
             {"the MSS counts timestamps", mss_counts_timestamps},
             {"one message is one segment, also again", one_message_is_one_segment},
             {"warming leaves no trace", warming_leaves_no_trace},
             {"prepare and commit make the same frame", prepare_and_commit_make_the_same_frame},
             {"send says why not", send_says_why_not},
             {"send respects the congestion window", send_respects_the_congestion_window},
             {"send without ARP is refused", send_without_arp_is_refused},
             {"VLAN and static neighbours", vlan_and_static_neighbours},
             {"connect waits for ARP by itself", connect_waits_for_arp_by_itself},
             {"orderly close both ways", orderly_close_both_ways}, {"simultaneous close", simultaneous_close},
             {"simultaneous open", simultaneous_open}, {"abort tells what is in doubt", abort_tells_what_is_in_doubt},
             {"silence ends in bounded retries", silence_ends_in_bounded_retries},
             {"refused and unanswered connects", refused_and_unanswered_connects},
             {"ACKs are delayed, but not long", acks_are_delayed_but_not_long},
             {"readable is contiguous over the wrap", readable_is_contiguous_over_the_wrap},
             {"keepalive finds a dead peer", keepalive_finds_a_dead_peer},
             {"a thousand connections", a_thousand_connections}, {"join goes on, and checks", join_goes_on_and_checks},
             {"configuration is checked", configuration_is_checked},
             {"sequence numbers are keyed and move", sequence_numbers_are_keyed_and_move})
