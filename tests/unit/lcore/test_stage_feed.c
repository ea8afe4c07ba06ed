/* The feed stage over the wire: two lines, gaps and what follows from them, and every way in which input can be bad. */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define DESK 1u
#define BOTH (GN_H_LINE_A | GN_H_LINE_B)

static struct gn_h *h;
static uint64_t next_ref;

static void begin(const struct gn_h_options *options)
{
    h = gn_h_new(options);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    next_ref = 1;
}

static void end(void)
{
    gn_h_run(h, GN_H_MS);
    if (h->broken != NULL)
        printf("%s\n", h->broken);
    CU_ASSERT_PTR_NULL(h->broken);
    gn_h_free(h);
}

static struct gn_arb *arb(void)
{
    return h->arb;
}

static struct gn_itch_msg add(uint32_t instrument, char side, uint32_t price, uint32_t qty)
{
    struct gn_itch_msg m = {.type = GN_ITCH_ADD,
                            .side = side,
                            .price = price,
                            .shares = qty,
                            .ref = next_ref++,
                            .locate = (uint16_t)(instrument + 1)};
    memcpy(m.symbol, h->instruments->row[instrument].symbol, 8);
    return m;
}

/* One message on the lines, and its way through. */
static void publish(uint32_t lines, uint64_t seq, struct gn_itch_msg m)
{
    gn_h_publish(h, lines, seq, &m, 1);
    gn_h_turn(h);
}

static bool gate_says(uint16_t verdict)
{
    uint64_t before = h->m.verdict[verdict];
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_NEW, .instrument = DESK, .price = 1000000, .qty = 1});
    return h->m.verdict[verdict] == before + 1;
}

static void quote(uint64_t seq)
{
    publish(BOTH, seq, add(DESK, 'B', 990000, 100));
    publish(BOTH, seq + 1, add(DESK, 'S', 1010000, 100));
}

static void either_line_is_enough(void)
{
    begin(NULL);
    quote(1);
    for (uint64_t i = 0; i < 50; i++) /* each packet is lost on one of the lines */
        publish(i % 3 == 0 ? GN_H_LINE_A : GN_H_LINE_B, 3 + i, add(DESK, 'B', 980000, 1));
    CU_ASSERT_EQUAL(h->book_rows[DESK].live_orders, 52);
    CU_ASSERT_EQUAL(h->m.md_messages, 52);
    CU_ASSERT_EQUAL(arb()->stats.gaps, 0);
    CU_ASSERT_EQUAL(arb()->stats.duplicates[0] + arb()->stats.duplicates[1], 2);
    CU_ASSERT_EQUAL(h->counts[GN_EV_MD_PACKET], 52);
    CU_ASSERT_EQUAL(h->counts[GN_EV_GAP], 0);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_OK));
    end();
}

static void a_gap_stops_trading_until_it_is_filled(void)
{
    begin(NULL);
    quote(1);
    struct gn_itch_msg lost = add(DESK, 'B', 995000, 7);
    publish(BOTH, 4, add(DESK, 'B', 985000, 1)); /* 3 is missing on both */
    CU_ASSERT_EQUAL(atomic_load(&h->instruments->stale), 1);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_MARKET_STALE)); /* at once, not only when it is requested */
    CU_ASSERT_EQUAL(h->tob[DESK].bid, 990000);
    CU_ASSERT_EQUAL(h->m.md_requests, 0);
    gn_h_run(h, 2 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.md_requests, 1);
    CU_ASSERT_EQUAL_FATAL(h->peer.n_requests, 1);
    CU_ASSERT_EQUAL(h->peer.request.seq, 3);
    CU_ASSERT_EQUAL(h->peer.request.count, 1);
    CU_ASSERT_EQUAL(memcmp(h->peer.request.session, GN_H_SESSION, 10), 0);
    publish(GN_H_LINE_R, 3, lost);
    CU_ASSERT_EQUAL(atomic_load(&h->instruments->stale), 0);
    CU_ASSERT_EQUAL(h->tob[DESK].bid, 995000);
    CU_ASSERT_EQUAL(h->book_rows[DESK].live_orders, 4); /* the held packet too */
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_OK));
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->counts[GN_EV_GAP], 3); /* opened, requested, filled */
    CU_ASSERT_EQUAL(arb()->stats.filled_line[GN_ARB_LINE_RETRANSMIT], 1);
    end();
}

static void the_other_line_is_late(void)
{
    begin(NULL);
    quote(1);
    struct gn_itch_msg late = add(DESK, 'B', 995000, 7);
    publish(GN_H_LINE_A, 4, add(DESK, 'B', 985000, 1));
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_MARKET_STALE));
    publish(GN_H_LINE_B, 3, late);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_OK));
    gn_h_run(h, 5 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.md_requests, 0);
    CU_ASSERT_EQUAL(h->counts[GN_EV_GAP], 2);
    CU_ASSERT_EQUAL(h->tob[DESK].bid, 995000);
    end();
}

/* A heartbeat tells of messages that never came. */
static void a_gap_at_the_end(void)
{
    begin(NULL);
    quote(1);
    gn_h_heartbeat(h, BOTH, 3);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(atomic_load(&h->instruments->stale), 0);
    gn_h_heartbeat(h, BOTH, 5);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(atomic_load(&h->instruments->stale), 1);
    gn_h_run(h, 2 * GN_H_MS);
    CU_ASSERT_EQUAL(h->peer.request.seq, 3);
    CU_ASSERT_EQUAL(h->peer.request.count, 2);
    end();
}

static struct {
    uint32_t stale, sound;
} told;

static void listen(void *ctx, const struct gn_md *md, uint64_t now_ns)
{
    told.stale += md->kind == GN_MD_STATUS && (md->flags & GN_MD_STALE) != 0;
    told.sound += md->kind == GN_MD_STATUS && (md->flags & GN_MD_STALE) == 0;
    gn_stage_strategy_md(&((struct gn_h *)ctx)->strategy, md, now_ns);
}

static void strategies_are_told(void)
{
    begin(NULL);
    quote(1);
    memset(&told, 0, sizeof told);
    h->feed.md_sink = listen;
    publish(BOTH, 4, add(DESK, 'B', 985000, 1));
    CU_ASSERT_EQUAL(told.stale, 0); /* the other line may still fill it */
    gn_h_run(h, 2 * GN_H_MS);
    CU_ASSERT_EQUAL(told.stale, 4);
    publish(GN_H_LINE_R, 3, add(DESK, 'B', 995000, 7));
    CU_ASSERT_EQUAL(told.sound, 4);
    end();
}

/* Three requests without an answer: the rest of the day is applied, and no book is traded on again. */
static void given_up(void)
{
    for (int requests = 0; requests < 2; requests++) {
        begin(&(struct gn_h_options){.no_requests = requests == 0});
        quote(1);
        memset(&told, 0, sizeof told);
        h->feed.md_sink = listen;
        publish(BOTH, 4, add(DESK, 'B', 985000, 1));
        gn_h_run(h, 100 * GN_H_MS);
        CU_ASSERT_EQUAL(h->m.md_requests, requests == 0 ? 0 : 3);
        CU_ASSERT_EQUAL(arb()->stats.given_up, 1);
        CU_ASSERT_EQUAL(arb()->stats.lost, 1);
        CU_ASSERT_EQUAL(h->book_rows[DESK].live_orders, 3);
        CU_ASSERT_EQUAL(h->tob[DESK].flags & GN_MD_STALE, GN_MD_STALE);
        CU_ASSERT_EQUAL(atomic_load(&h->instruments->stale), 0);
        CU_ASSERT_TRUE(gate_says(GN_VERDICT_MARKET_STALE));
        CU_ASSERT_TRUE(told.stale >= 4); /* who keeps quotes must hear of it, requests or not */
        CU_ASSERT_EQUAL(told.sound, 0);
        publish(BOTH, 5, add(DESK, 'B', 995000, 1));
        CU_ASSERT_EQUAL(h->tob[DESK].bid, 995000);
        CU_ASSERT_TRUE(gate_says(GN_VERDICT_MARKET_STALE));
        end();
    }
}

static void crossed_and_halted(void)
{
    begin(NULL);
    quote(1);
    struct gn_itch_msg m = {.type = GN_ITCH_TRADING_ACTION, .trading_state = 'H', .locate = DESK + 1};
    publish(BOTH, 3, m);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_NOT_TRADABLE));
    m.trading_state = 'T';
    publish(BOTH, 4, m);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_OK));
    publish(BOTH, 5, add(DESK, 'B', 1010000, 1)); /* locked */
    CU_ASSERT_EQUAL(h->tob[DESK].flags, GN_MD_CROSSED);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_MARKET_STALE));
    publish(BOTH, 6, (struct gn_itch_msg){.type = GN_ITCH_DELETE, .ref = next_ref - 1, .locate = DESK + 1});
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_OK));
    end();
}

static void trades_and_executions(void)
{
    begin(NULL);
    quote(1);
    publish(BOTH, 3, (struct gn_itch_msg){.type = GN_ITCH_EXECUTED, .ref = 1, .shares = 40, .locate = DESK + 1});
    CU_ASSERT_EQUAL(h->tob[DESK].last, 990000);
    CU_ASSERT_EQUAL(h->tob[DESK].last_qty, 40);
    CU_ASSERT_EQUAL(h->tob[DESK].bid_qty, 60);
    struct gn_itch_msg c = {
        .type = GN_ITCH_EXECUTED_PRICE, .ref = 1, .shares = 10, .price = 991000, .printable = 'N', .locate = DESK + 1};
    publish(BOTH, 4, c); /* not printable: the book moves, the last price does not */
    CU_ASSERT_EQUAL(h->tob[DESK].last, 990000);
    CU_ASSERT_EQUAL(h->tob[DESK].bid_qty, 50);
    c.printable = 'Y';
    publish(BOTH, 5, c);
    CU_ASSERT_EQUAL(h->tob[DESK].last, 991000);
    struct gn_itch_msg p = add(DESK, 'B', 992000, 5);
    p.type = GN_ITCH_TRADE;
    publish(BOTH, 6, p);
    CU_ASSERT_EQUAL(h->tob[DESK].last, 992000);
    CU_ASSERT_EQUAL(h->book_rows[DESK].live_orders, 2);
    publish(BOTH, 7, (struct gn_itch_msg){.type = GN_ITCH_CANCEL, .ref = 1, .shares = 40, .locate = DESK + 1});
    CU_ASSERT_EQUAL(h->tob[DESK].bid, 0);
    end();
}

/* What a replacement leaves when the new order cannot be kept is what everybody must see. */
static void a_replacement_that_cannot_be_kept(void)
{
    begin(NULL);
    quote(1);
    publish(BOTH, 3,
            (struct gn_itch_msg){
                .type = GN_ITCH_REPLACE, .ref = 1, .new_ref = 9, .shares = 0, .price = 1, .locate = DESK + 1});
    CU_ASSERT_EQUAL(h->m.md_bad_book, 1);
    CU_ASSERT_EQUAL(h->tob[DESK].bid, 0);
    CU_ASSERT_EQUAL(h->book_rows[DESK].live_orders, 1);
    CU_ASSERT_EQUAL(h->book_rows[DESK].digest, gn_digest_order(2, GN_SIDE_SELL, 1010000, 100));
    end();
}

static void bad_messages_are_counted_by_name(void)
{
    begin(NULL);
    quote(1);
    const struct gn_lcore_metrics was = h->m;
    publish(BOTH, 3, (struct gn_itch_msg){.type = GN_ITCH_DELETE, .ref = 999});
    publish(BOTH, 4, (struct gn_itch_msg){.type = GN_ITCH_CANCEL, .ref = 1, .shares = 101});
    publish(BOTH, 5, (struct gn_itch_msg){.type = GN_ITCH_EXECUTED, .ref = 1, .shares = 0});
    next_ref = 1;
    publish(BOTH, 6, add(DESK, 'B', 990000, 1)); /* the reference is live */
    next_ref = 50;
    publish(BOTH, 7, add(DESK, 'B', 990000, 0));
    publish(BOTH, 8, add(DESK, 'B', 0, 1));
    publish(BOTH, 9, add(DESK, 'X', 990000, 1));
    CU_ASSERT_EQUAL(h->m.md_unknown_ref - was.md_unknown_ref, 1);
    CU_ASSERT_EQUAL(h->m.md_bad_book - was.md_bad_book, 5);
    CU_ASSERT_EQUAL(h->m.md_bad_message - was.md_bad_message, 1);
    static const uint8_t raw[][8] = {{0, 0}, {0, 2, 'z', 1}, {0, 5, 'A', 1, 2, 3, 4}, {0, 1, 'D'}};
    static const uint8_t lens[] = {2, 4, 7, 3};
    for (size_t i = 0; i < GN_ARRAY_LEN(raw); i++) { /* empty, unknown type, too short: in packets that are sound */
        uint8_t packet[64];
        gn_mold_control(packet, GN_H_SESSION, 10 + i, GN_MOLD_HEARTBEAT);
        gn_store_be16(packet + 18, 1);
        memcpy(packet + GN_MOLD_HEADER, raw[i], lens[i]);
        gn_h_datagram(h, BOTH, packet, GN_MOLD_HEADER + lens[i]);
        gn_h_turn(h);
    }
    CU_ASSERT_EQUAL(h->m.md_bad_message - was.md_bad_message, 5);
    CU_ASSERT_EQUAL(h->m.md_messages - was.md_messages, 11);
    CU_ASSERT_EQUAL(arb()->next, 14);
    CU_ASSERT_EQUAL(h->book_rows[DESK].live_orders, 2);
    CU_ASSERT_EQUAL(h->tob[DESK].bid_qty, 100);
    end();
}

static void bad_packets_are_counted_by_name(void)
{
    begin(NULL);
    quote(1);
    uint8_t packet[GN_UDP_PAYLOAD_MAX] = {0};
    for (uint32_t len = 0; len < GN_MOLD_HEADER; len++) /* truncated headers */
        gn_h_datagram(h, GN_H_LINE_A, packet, len);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(h->m.md_bad_packet, GN_MOLD_HEADER);
    gn_mold_control(packet, GN_H_SESSION, 0, GN_MOLD_HEARTBEAT); /* sequence 0 */
    gn_h_datagram(h, GN_H_LINE_A, packet, GN_MOLD_HEADER);
    gn_mold_control(packet, GN_H_SESSION, 3, GN_MOLD_HEARTBEAT);
    gn_store_be16(packet + 18, 2); /* says two messages, has one */
    gn_store_be16(packet + 20, 1);
    gn_h_datagram(h, GN_H_LINE_A, packet, GN_MOLD_HEADER + 3);
    gn_h_datagram(h, GN_H_LINE_A, packet, sizeof packet); /* bytes behind the last message */
    gn_h_turn(h);
    CU_ASSERT_EQUAL(h->m.md_bad_packet, GN_MOLD_HEADER + 3);
    gn_mold_control(packet, "OTHER     ", 3, GN_MOLD_HEARTBEAT);
    gn_h_datagram(h, BOTH, packet, GN_MOLD_HEADER);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(arb()->stats.wrong_session, 2);
    gn_h_heartbeat(h, GN_H_LINE_A, 1ull << 40); /* nobody believes that */
    gn_h_turn(h);
    CU_ASSERT_EQUAL(arb()->stats.jumps, 1);
    struct gn_net_rx rx = {.kind = GN_NET_RX_UDP, .dst_ip = 0x0a000001, .dst_port = 9, .len = 4, .payload = packet};
    gn_stage_feed_udp(&h->feed, 0, &rx, h->now);
    rx.dst_ip = GN_H_GROUP_A;
    rx.dst_port = GN_H_UDP_B; /* a line is group and port */
    gn_stage_feed_udp(&h->feed, 0, &rx, h->now);
    rx.dst_port = GN_H_UDP_A;
    gn_stage_feed_udp(&h->feed, 1, &rx, h->now); /* and the port it comes in on */
    CU_ASSERT_EQUAL(h->m.md_foreign_udp, 3);
    CU_ASSERT_EQUAL(atomic_load(&h->instruments->stale), 0);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_OK));
    end();
}

static void instruments_are_learnt_until_the_table_is_full(void)
{
    begin(&(struct gn_h_options){.instruments = 6});
    for (uint16_t i = 0; i < 5; i++) {
        struct gn_itch_msg m = {.type = GN_ITCH_DIRECTORY, .locate = (uint16_t)(100 + i)};
        memcpy(m.symbol, "NEW     ", 8);
        m.symbol[3] = (char)('A' + i);
        publish(BOTH, 1 + i, m);
    }
    CU_ASSERT_EQUAL(atomic_load(&h->instruments->count), 6);
    CU_ASSERT_EQUAL(h->m.md_no_instrument, 3);
    CU_ASSERT_EQUAL(h->instruments->row[5].configured, 0);
    CU_ASSERT_EQUAL(h->instruments->row[5].strategy, GN_NONE32);
    struct gn_itch_msg m = {.type = GN_ITCH_DIRECTORY, .locate = 100}; /* another day's code for a symbol we have */
    memcpy(m.symbol, h->instruments->row[DESK].symbol, 8);
    publish(BOTH, 6, m);
    struct gn_itch_msg a = add(DESK, 'B', 990000, 1);
    a.locate = 100;
    publish(BOTH, 7, a);
    CU_ASSERT_EQUAL(h->book_rows[DESK].live_orders, 1);
    end();
}

static void a_full_book_is_stale(void)
{
    begin(&(struct gn_h_options){.book_orders = 64, .book_levels = 64});
    quote(1);
    for (uint64_t i = 0; i < 60; i++)
        publish(BOTH, 3 + i, add(DESK, 'B', 980000, 1));
    CU_ASSERT_EQUAL(h->m.md_book_full, 62 - 48);
    CU_ASSERT_TRUE(gate_says(GN_VERDICT_MARKET_STALE));
    end();
}

GN_TEST_MAIN("stage feed", {"either line is enough", either_line_is_enough},
             {"a gap stops trading until it is filled", a_gap_stops_trading_until_it_is_filled},
             {"the other line is late", the_other_line_is_late}, {"a gap at the end", a_gap_at_the_end},
             {"strategies are told", strategies_are_told}, {"given up", given_up},
             {"crossed and halted", crossed_and_halted}, {"trades and executions", trades_and_executions},
             {"a replacement that cannot be kept", a_replacement_that_cannot_be_kept},
             {"bad messages are counted by name", bad_messages_are_counted_by_name},
             {"bad packets are counted by name", bad_packets_are_counted_by_name},
             {"instruments are learnt until the table is full", instruments_are_learnt_until_the_table_is_full},
             {"a full book is stale", a_full_book_is_stale})
