/* Rows of RFC 9293 about data, windows and acknowledgments; see rfc9293.h. */
#include "tests/unit/net/rfc9293.h"

#include "tests/unit/net/craft.h"

static uint8_t bytes[65536];

static struct craft with_data(struct craft s, const void *data, uint32_t len)
{
    s.data = data;
    s.len = len;
    return s;
}

void nothing_waits_for_nagle(void)
{
    craft_open(65536, 65536);
    for (uint32_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(pair_send(&a, ca, "s", 1), GN_TCP_OK);
        CU_ASSERT_EQUAL(gn_tcp_write(a.tcp, a.net, ca, "w", 1, now, &a.txq), 1);
        CU_ASSERT_EQUAL(a.txq.n, 2 * (i + 1)); /* with the earlier ones not acknowledged */
    }
    pair_end();
}

void karn_takes_no_sample_of_what_went_twice(void)
{
    craft_open(4096, 4096);
    uint32_t srtt = pair_status(&a, ca).srtt_us;
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 10), GN_TCP_OK);
    pair_lose(&a);
    while (pair_status(&a, ca).retransmits == 0) {
        now += 10 * HOST_MS;
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
    }
    now += 100 * HOST_MS;
    (void)pair_pump();
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_status(&a, ca).acked, 10);
    CU_ASSERT_EQUAL(pair_status(&a, ca).srtt_us, srtt);
    pair_end();
}

static void one_round(uint32_t segs)
{
    uint32_t mss = pair_status(&a, ca).mss;
    for (uint32_t i = 0; i < segs; i++)
        if (pair_send(&a, ca, bytes, mss) != GN_TCP_OK)
            break;
    (void)pair_pump();
    (void)pair_drain(&b, cb);
    (void)pair_run(50 * HOST_MS, 10 * HOST_MS);
}

void congestion_is_controlled(void)
{
    craft_open(262144, 262144);
    uint32_t mss = pair_status(&a, ca).mss;
    uint32_t before = pair_status(&a, ca).cwnd;
    one_round(10);
    uint32_t slow_start = pair_status(&a, ca).cwnd - before;
    CU_ASSERT(slow_start >= 2 * mss && slow_start <= 5 * mss); /* a segment for an ACK while the window is in use */
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, mss), GN_TCP_OK);
    pair_lose(&a);
    uint64_t sent = now;
    uint64_t gap = 0;
    for (uint32_t i = 0; i < 4;) {
        now += HOST_MS;
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        if (a.txq.n == 0)
            continue;
        if (gap != 0)
            CU_ASSERT(now - sent >= 2 * gap - 3 * HOST_MS && now - sent <= 2 * gap + 3 * HOST_MS);
        gap = now - sent;
        sent = now;
        i++;
        if (i < 4)
            pair_lose(&a);
    }
    CU_ASSERT_EQUAL(pair_status(&a, ca).cwnd, mss);
    CU_ASSERT_EQUAL(pair_status(&a, ca).ssthresh, 2 * mss);
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    while (pair_status(&a, ca).cwnd < 4 * mss)
        one_round(4);
    before = pair_status(&a, ca).cwnd;
    one_round(before / mss);
    CU_ASSERT(pair_status(&a, ca).cwnd - before <= mss + mss / 2); /* beyond ssthresh: a segment for every round trip */
    pair_end();
}

void retries_end_at_r2(void)
{
    for (uint32_t r2 = 3; r2 <= 5; r2 += 2) {
        uint32_t frames = 0;
        pair_conf();
        a.tcp_conf.data_retries = r2;
        pair_open(4096, 4096);
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
        for (uint64_t until = now + 100 * HOST_S; now < until; now += 10 * HOST_MS) {
            frames += a.txq.n;
            pair_lose(&a);
            (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        }
        CU_ASSERT_EQUAL(frames, 1 + r2);
        CU_ASSERT_EQUAL(pair_status(&a, ca).reason, GN_TCP_REASON_TIMEOUT);
        CU_ASSERT((gn_tcp_events(a.tcp, ca) & GN_TCP_EV_ABORTED) != 0);
        pair_end();
    }
    /* a neighbour that ARP gave is asked again by itself, which is what advice to IP would lead to */
    craft_listen();
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    uint32_t asked = 0;
    uint8_t found[6];
    uint8_t f[64] = {0};
    struct gn_net_rx rx;
    memcpy(f, a.net_conf.mac, 6);
    memcpy(f + 6, mac, 6);
    gn_store_be16(f + 12, GN_ETH_TYPE_ARP);
    gn_store_be16(f + 14, 1);
    gn_store_be16(f + 16, GN_ETH_TYPE_IPV4);
    f[18] = 6;
    f[19] = 4;
    gn_store_be16(f + 20, GN_ARP_REPLY);
    memcpy(f + 22, mac, 6);
    gn_store_be32(f + 28, 0x0a000009u);
    memcpy(f + 32, a.net_conf.mac, 6);
    gn_store_be32(f + 38, a.net_conf.ip);
    CU_ASSERT_EQUAL(gn_net_resolve(a.net, 0x0a000009u, now, &a.txq, found), GN_NET_ERR_NO_ARP);
    (void)host_input(&a, f, 42, now, &rx);
    CU_ASSERT_EQUAL(gn_net_resolve(a.net, 0x0a000009u, now, &a.txq, found), GN_NET_OK);
    for (uint64_t until = now + 40 * HOST_S; now < until; now += 100 * HOST_MS) {
        pair_lose(&a);
        CU_ASSERT_EQUAL(gn_net_resolve(a.net, 0x0a000009u, now, &a.txq, found), GN_NET_OK);
        (void)gn_net_timer(a.net, now, &a.txq);
        for (uint32_t i = 0; i < a.txq.n; i++)
            asked +=
                gn_load_be16(a.txq.buf[i] + 20) == GN_ARP_REQUEST && gn_load_be32(a.txq.buf[i] + 38) == 0x0a000009u;
    }
    CU_ASSERT(asked >= 1);
    pair_end();
}

void syn_retries_last_three_minutes(void)
{
    static const uint8_t nobody[6] = {2, 0, 0, 0, 0, 9};
    craft_listen();
    uint64_t start = now;
    CU_ASSERT_EQUAL(gn_net_add_static(a.net, 0x0a000009u, nobody), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, 0x0a000009u, 81, 0, now, &a.txq, &ca), GN_TCP_OK);
    while (gn_tcp_state(a.tcp, ca) == GN_TCP_SYN_SENT && now < start + 1000 * HOST_S) {
        now += 100 * HOST_MS;
        (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
        pair_lose(&a);
    }
    CU_ASSERT(now - start >= 180 * HOST_S && now - start < 400 * HOST_S);
    CU_ASSERT_EQUAL(pair_status(&a, ca).reason, GN_TCP_REASON_TIMEOUT);
    pair_end();
    pair_conf();
    a.tcp_conf.syn_retries = 2;
    CU_ASSERT_FATAL(host_start(&a, 4, 4096, 4096, now) && host_start(&b, 4, 4096, 4096, now));
    CU_ASSERT_EQUAL(gn_net_add_static(a.net, 0x0a000009u, nobody), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, 0x0a000009u, 81, 0, now, &a.txq, &ca), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_run(20 * HOST_S, 100 * HOST_MS), 3);
    CU_ASSERT_EQUAL(pair_status(&a, ca).reason, GN_TCP_REASON_TIMEOUT);
    pair_end();
}

void urgent_is_in_line(void)
{
    craft_open(65536, 65536);
    const uint8_t *data;
    struct craft s = with_data(craft_next(GN_TCP_ACK | GN_TCP_PSH), "plain", 5);
    uint8_t f[GN_FRAME_ROOM];
    struct gn_net_rx rx;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    for (uint16_t pointer = 0; pointer < 40; pointer = (uint16_t)(pointer * 2 + 1)) {
        s = with_data(craft_next(GN_TCP_ACK | GN_TCP_URG), "urgent", 6);
        uint32_t len = craft_frame(f, &s);
        gn_store_be16(f + GN_ETH_LEN + GN_IP_LEN + 18, pointer); /* within the segment, at its end, beyond it */
        pair_resum(f);
        (void)host_input(&b, f, len, now, &rx);
    }
    CU_ASSERT_EQUAL(gn_tcp_readable(b.tcp, cb, &data), 5 + 6 * 6);
    CU_ASSERT_EQUAL(memcmp(data, "plainurgenturgenturgent", 23), 0);
    CU_ASSERT_EQUAL(gn_tcp_events(b.tcp, cb), GN_TCP_EV_READABLE); /* no more than of other data */
    pair_lose(&b);
    CU_ASSERT_EQUAL(pair_send(&b, cb, "x", 1), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).flags & GN_TCP_URG, 0);
    CU_ASSERT_EQUAL(gn_load_be16(b.txq.buf[0] + GN_ETH_LEN + GN_IP_LEN + 18), 0);
    host_stop(&a);
    host_stop(&b);
}

void a_shrinking_window_does_no_harm(void)
{
    craft_open(65536, 65536);
    uint32_t una = pair_conn(&b, cb)->iss + 1;
    for (uint32_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(pair_send(&b, cb, bytes, 1000), GN_TCP_OK);
    pair_lose(&b);
    struct craft s = craft_next(GN_TCP_ACK);
    s.ack = una + 1000;
    s.wnd = 0; /* three segments are beyond the edge now */
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_status(&b, cb).peer_window, 0);
    CU_ASSERT_EQUAL(pair_send(&b, cb, bytes, 1000), GN_TCP_ERR_NO_WINDOW);
    uint32_t probes = 0;
    for (uint64_t until = now + 60 * HOST_S; now < until; now += 10 * HOST_MS) {
        (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
        for (uint32_t i = 0; i < b.txq.n; i++) {
            CU_ASSERT_EQUAL(pair_sent(&b, i).seq, una + 1000);
            probes++;
        }
        if (b.txq.n != 0)
            (void)craft_give(&s); /* answered: still closed */
        pair_lose(&b);
        const char *what;
        CU_ASSERT_EQUAL(gn_tcp_check(b.tcp, &what), GN_TCP_OK);
    }
    CU_ASSERT(probes >= 3 && probes < 60);
    CU_ASSERT_EQUAL(gn_tcp_state(b.tcp, cb), GN_TCP_ESTABLISHED);
    s.wnd = 65535;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT(b.txq.n >= 1); /* what had been thrown away goes again at once */
    CU_ASSERT_EQUAL(pair_sent(&b, 0).seq, una + 1000);
    host_stop(&a);
    host_stop(&b);
}

void zero_windows_are_probed(void)
{
    craft_open(8192, 4096);
    uint32_t probes = 0;
    uint64_t last = 0;
    uint64_t gap = 0;
    CU_ASSERT_EQUAL(gn_tcp_write(a.tcp, a.net, ca, bytes, 6000, now, &a.txq), 6000);
    (void)pair_run(2 * HOST_S, 10 * HOST_MS);
    CU_ASSERT_EQUAL(pair_status(&a, ca).peer_window, 0);
    for (uint64_t until = now + 3600 * HOST_S; now < until; now += 50 * HOST_MS) {
        pair_timers();
        if (a.txq.n != 0) {
            CU_ASSERT(last == 0 || now - last >= gap || now - last > 59 * HOST_S);
            gap = last == 0 ? 0 : now - last;
            last = now;
            probes++;
        }
        (void)pair_pump();
    }
    CU_ASSERT(probes >= 60);
    CU_ASSERT_EQUAL(gn_tcp_state(a.tcp, ca), GN_TCP_ESTABLISHED); /* for an hour */
    uint32_t got = 0;
    for (uint32_t i = 0; i < 8000 && got < 6000; i++) {
        got += pair_drain(&b, cb);
        (void)pair_run(10 * HOST_MS, 10 * HOST_MS);
    }
    CU_ASSERT_EQUAL(got, 6000);
    pair_end();
}

void the_sender_avoids_silly_windows(void)
{
    craft_open(65536, 65536);
    struct craft s = craft_next(GN_TCP_ACK);
    s.wnd = 2000; /* the largest that it has ever been */
    pair_conn(&b, cb)->max_wnd = 2000;
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(gn_tcp_write(b.tcp, b.net, cb, bytes, 10000, now, &b.txq), 10000);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).len, 1460);
    uint32_t end = pair_sent(&b, 0).seq + 1460;
    pair_lose(&b);
    s.ack = end;
    s.wnd = 300; /* less than a segment and less than half of the largest */
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(b.txq.n, 0);
    s.wnd = 1200; /* half of it */
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).len, 1200);
    host_stop(&a);
    host_stop(&b);
}

/* The right edge moves by nothing, or by a segment or half of the buffer. */
void the_receiver_avoids_silly_windows(void)
{
    craft_open(65536, 4096);
    const uint8_t *data;
    for (uint32_t i = 0; i < 4; i++) {
        struct craft s = with_data(craft_next(GN_TCP_ACK), bytes, 1024);
        CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    }
    uint32_t edge = pair_conn(&b, cb)->irs + 1 + 4096;
    for (uint32_t i = 0; i < 40; i++) {
        pair_lose(&b);
        CU_ASSERT(gn_tcp_readable(b.tcp, cb, &data) >= 100);
        gn_tcp_consume(b.tcp, cb, 100);
        now += 10 * HOST_MS;
        (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
        for (uint32_t k = 0; k < b.txq.n; k++) {
            struct seg g = pair_sent(&b, k);
            uint32_t moved = g.ack + g.wnd - edge;
            CU_ASSERT(moved == 0 || moved >= 1460);
            edge = g.ack + g.wnd;
        }
    }
    CU_ASSERT(edge >= pair_conn(&b, cb)->irs + 1 + 4096 + 2000);
    host_stop(&a);
    host_stop(&b);
}

void acks_come_in_time(void)
{
    const char *field;
    struct gn_tcp_conf conf;
    gn_tcp_conf_default(&conf);
    conf.delack_us = 500001;
    CU_ASSERT_EQUAL(gn_tcp_conf_check(&conf, &field), GN_TCP_ERR_ARG);
    craft_open(65536, 65536);
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(b.txq.n, 0);
    now += 45 * HOST_MS;
    (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    (void)pair_pump();
    for (uint32_t i = 0; i < 2; i++) /* one for two */
        CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK);
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).ack, pair_conn(&b, cb)->irs + 1 + 300);
    (void)pair_pump();
    CU_ASSERT_EQUAL(pair_send(&a, ca, bytes, 100), GN_TCP_OK); /* none where data goes anyway */
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(pair_send(&b, cb, "answer", 6), GN_TCP_OK);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).ack, pair_conn(&b, cb)->irs + 1 + 400);
    pair_end();
}

void one_ack_for_all_that_was_queued(void)
{
    craft_open(65536, 65536);
    struct craft first = with_data(craft_next(GN_TCP_ACK), bytes, 100);
    for (uint32_t i = 1; i <= 8; i++) {
        struct craft s = first;
        s.seq += 100 * i;
        CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    }
    CU_ASSERT_EQUAL(b.txq.n, 8); /* duplicates, so that the peer learns of the hole */
    pair_lose(&b);
    CU_ASSERT_EQUAL(craft_give(&first), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    CU_ASSERT_EQUAL(pair_sent(&b, 0).ack, first.seq + 900);
    CU_ASSERT_EQUAL(pair_drain(&b, cb), 900);
    host_stop(&a);
    host_stop(&b);
}

void pushed_and_never_held_back(void)
{
    craft_open(65536, 65536);
    CU_ASSERT_EQUAL(gn_tcp_write(a.tcp, a.net, ca, bytes, 3500, now, &a.txq), 3500);
    CU_ASSERT_EQUAL_FATAL(a.txq.n, 3);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL((pair_sent(&a, i).flags & GN_TCP_PSH) != 0, i == 2);
    CU_ASSERT_EQUAL(gn_tcp_write(a.tcp, a.net, ca, bytes, 1, now, &a.txq), 1);
    CU_ASSERT_EQUAL(a.txq.n, 4);
    CU_ASSERT_EQUAL(pair_sent(&a, 3).flags, GN_TCP_ACK | GN_TCP_PSH);
    pair_end();
}

void a_closed_window_still_hears_rst_and_urg(void)
{
    craft_open(65536, 4096);
    for (uint32_t i = 0; i < 4; i++) {
        struct craft s = with_data(craft_next(GN_TCP_ACK), bytes, 1024);
        CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    }
    CU_ASSERT_EQUAL(pair_send(&b, cb, "x", 1), GN_TCP_OK);
    CU_ASSERT_EQUAL(pair_sent(&b, b.txq.n - 1).wnd, 0);
    struct craft s = craft_next(GN_TCP_ACK | GN_TCP_URG);
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_status(&b, cb).acked, 1); /* its ACK counted */
    s = craft_next(GN_TCP_RST);
    CU_ASSERT_EQUAL(craft_give(&s), GN_NET_DROP_NONE);
    CU_ASSERT_EQUAL(pair_status(&b, cb).reason, GN_TCP_REASON_RESET);
    host_stop(&a);
    host_stop(&b);
}
