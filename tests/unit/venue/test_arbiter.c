/* The arbiter, case by case. */
#include "drivers/venue/arbiter.h"
#include "tests/gn_test.h"

static const struct gn_arb_config standard = {
    .slots = 4,
    .slot_bytes = 64,
    .start_seq = 1,
    .gap_request_ns = 100,
    .retry_ns = 50,
    .retry_max_ns = 150,
    .request_max = 10,
    .max_retries = 4,
    .back_window = 100,
    .jump_max = 1000,
};

static alignas(GN_CACHE_LINE) uint8_t memory[1 << 14];
static struct gn_arb *const arb = (struct gn_arb *)(void *)memory;
static struct gn_arb_out out;
static uint64_t now;

static void fresh(const struct gn_arb_config *cfg)
{
    memset(memory, 0, sizeof memory);
    CU_ASSERT_TRUE_FATAL(gn_arb_footprint(cfg) != 0 && gn_arb_footprint(cfg) <= sizeof memory);
    CU_ASSERT_EQUAL_FATAL(gn_arb_new(arb, cfg), GN_ARB_OK);
    now = 1000;
}

static enum gn_arb_verdict packet(uint8_t line, uint64_t seq, uint16_t count)
{
    static uint8_t data[64];
    memset(data, (int)seq, sizeof data);
    struct gn_arb_in in = {"SESSION001", seq, data, 16, count, line};
    memset(&out, 0, sizeof out);
    return gn_arb_packet(arb, &in, now, &out);
}

static bool event_is(enum gn_gap_what what, uint64_t from, uint64_t to)
{
    struct gn_ev_gap ev;
    return gn_arb_gap_event(arb, &ev) && ev.what == (uint32_t)what && ev.from == from && ev.to == to;
}

static void two_lines_in_order(void)
{
    fresh(&standard);
    CU_ASSERT_EQUAL(packet(0, 1, 3), GN_ARB_DELIVER);
    CU_ASSERT_TRUE(out.first == 1 && out.skip == 0 && out.deliver == 3);
    CU_ASSERT_EQUAL(packet(1, 1, 3), GN_ARB_DUPLICATE);
    CU_ASSERT_EQUAL(packet(1, 3, 4), GN_ARB_DELIVER);
    CU_ASSERT_TRUE(out.first == 4 && out.skip == 1 && out.deliver == 3);
    CU_ASSERT_FALSE(gn_arb_next_held(arb, now, &out));
    CU_ASSERT_TRUE(arb->stats.delivered == 6 && arb->stats.first[0] == 3 && arb->stats.first[1] == 3);
    CU_ASSERT_EQUAL(arb->stats.duplicates[1], 1);
}

static void other_line_fills(void)
{
    fresh(&standard);
    CU_ASSERT_EQUAL(packet(0, 1, 1), GN_ARB_DELIVER);
    CU_ASSERT_EQUAL(packet(0, 4, 2), GN_ARB_HELD);
    CU_ASSERT_TRUE(gn_arb_stale(arb));
    CU_ASSERT_EQUAL(packet(0, 4, 2), GN_ARB_DUPLICATE);
    CU_ASSERT_EQUAL(packet(0, 8, 1), GN_ARB_HELD);
    CU_ASSERT_TRUE(event_is(GN_GAP_OPENED, 2, 4));
    CU_ASSERT_EQUAL(packet(1, 2, 2), GN_ARB_DELIVER);
    CU_ASSERT_TRUE(event_is(GN_GAP_FILLED_LINE, 2, 4));
    CU_ASSERT_TRUE(gn_arb_next_held(arb, now, &out));
    CU_ASSERT_TRUE(out.first == 4 && out.deliver == 2 && out.data[0] == 4 && out.len == 16 && out.line == 0);
    CU_ASSERT_FALSE(gn_arb_next_held(arb, now, &out));
    CU_ASSERT_TRUE(event_is(GN_GAP_OPENED, 6, 8));
    CU_ASSERT_TRUE(arb->stats.gaps == 2 && arb->stats.filled_line[1] == 1 && gn_arb_stale(arb));
}

static void requests_back_off_then_give_up(void)
{
    struct gn_arb_request r;
    static const uint64_t waits[] = {100, 50, 100, 150};
    fresh(&standard);
    CU_ASSERT_EQUAL(packet(0, 1, 1), GN_ARB_DELIVER);
    CU_ASSERT_EQUAL(packet(0, 32, 1), GN_ARB_HELD);
    for (size_t i = 0; i < GN_ARRAY_LEN(waits); i++) {
        now += waits[i] - 1;
        CU_ASSERT_EQUAL(gn_arb_timer(arb, now, &r), GN_ARB_NOTHING);
        now++;
        CU_ASSERT_EQUAL(gn_arb_timer(arb, now, &r), GN_ARB_REQUEST);
        CU_ASSERT_TRUE(r.from == 2 && r.count == 10);
    }
    now += 150;
    CU_ASSERT_EQUAL(gn_arb_timer(arb, now, &r), GN_ARB_GIVEN_UP);
    CU_ASSERT_TRUE(r.from == 2 && r.count == 30);
    CU_ASSERT_TRUE(gn_arb_next_held(arb, now, &out) && out.first == 32);
    CU_ASSERT_FALSE(gn_arb_next_held(arb, now, &out));
    CU_ASSERT_FALSE(gn_arb_stale(arb));
    CU_ASSERT_TRUE(arb->stats.lost == 30 && arb->stats.given_up == 1 && arb->stats.requests == 4);
    /* what was given up is not delivered later */
    CU_ASSERT_EQUAL(packet(1, 2, 30), GN_ARB_DUPLICATE);
}

static void retransmission_in_parts(void)
{
    struct gn_arb_request r;
    fresh(&standard);
    CU_ASSERT_EQUAL(packet(0, 1, 1), GN_ARB_DELIVER);
    CU_ASSERT_EQUAL(packet(0, 17, 1), GN_ARB_HELD);
    CU_ASSERT_TRUE(event_is(GN_GAP_OPENED, 2, 17));
    now += 100;
    CU_ASSERT_TRUE(gn_arb_timer(arb, now, &r) == GN_ARB_REQUEST && r.from == 2 && r.count == 10);
    CU_ASSERT_TRUE(event_is(GN_GAP_REQUESTED, 2, 12));
    CU_ASSERT_EQUAL(packet(2, 2, 4), GN_ARB_DELIVER);
    CU_ASSERT_EQUAL(gn_arb_timer(arb, now, &r), GN_ARB_NOTHING);
    CU_ASSERT_EQUAL(packet(2, 6, 6), GN_ARB_DELIVER);
    CU_ASSERT_TRUE(gn_arb_timer(arb, now, &r) == GN_ARB_REQUEST && r.from == 12 && r.count == 5);
    CU_ASSERT_TRUE(event_is(GN_GAP_REQUESTED, 12, 17));
    CU_ASSERT_EQUAL(packet(2, 12, 5), GN_ARB_DELIVER);
    CU_ASSERT_TRUE(event_is(GN_GAP_FILLED_RETRANSMIT, 2, 17));
    CU_ASSERT_TRUE(gn_arb_next_held(arb, now, &out) && out.first == 17);
    CU_ASSERT_EQUAL(arb->stats.filled_line[2], 1);
}

static void heartbeat_reveals_the_tail(void)
{
    struct gn_arb_request r;
    fresh(&standard);
    CU_ASSERT_EQUAL(packet(0, 1, 4), GN_ARB_DELIVER);
    CU_ASSERT_EQUAL(packet(0, 5, 0), GN_ARB_HEARTBEAT);
    CU_ASSERT_FALSE(gn_arb_stale(arb));
    CU_ASSERT_EQUAL(packet(1, 8, 0), GN_ARB_HEARTBEAT);
    CU_ASSERT_TRUE(event_is(GN_GAP_OPENED, 5, 8));
    now += 100;
    CU_ASSERT_TRUE(gn_arb_timer(arb, now, &r) == GN_ARB_REQUEST && r.from == 5 && r.count == 3);
    CU_ASSERT_EQUAL(packet(2, 5, 3), GN_ARB_DELIVER);
    CU_ASSERT_FALSE(gn_arb_stale(arb));
}

static void refused_with_reasons(void)
{
    uint8_t data[64] = {0};
    fresh(&standard);
    CU_ASSERT_EQUAL(packet(0, 1, 200), GN_ARB_DELIVER);
    struct gn_arb_in in = {"SESSION002", 201, data, 16, 1, 0};
    CU_ASSERT_EQUAL(gn_arb_packet(arb, &in, now, &out), GN_ARB_SESSION);
    CU_ASSERT_EQUAL(packet(0, 1, 5), GN_ARB_BACK);
    CU_ASSERT_EQUAL(packet(0, 5, 0), GN_ARB_BACK);
    CU_ASSERT_EQUAL(packet(2, 1, 5), GN_ARB_DUPLICATE);
    CU_ASSERT_EQUAL(packet(0, 150, 5), GN_ARB_DUPLICATE);
    CU_ASSERT_EQUAL(packet(0, 1202, 1), GN_ARB_JUMP);
    CU_ASSERT_EQUAL(packet(0, UINT64_MAX - 1, 0), GN_ARB_JUMP);
    CU_ASSERT_EQUAL(packet(0, UINT64_MAX, 1), GN_ARB_BAD);
    CU_ASSERT_EQUAL(packet(0, 0, 1), GN_ARB_BAD);
    CU_ASSERT_EQUAL(packet(3, 201, 1), GN_ARB_BAD);
    CU_ASSERT_FALSE(gn_arb_stale(arb));
    CU_ASSERT_EQUAL(packet(0, 201, 1), GN_ARB_DELIVER);
    const struct gn_arb_stats *s = &arb->stats;
    CU_ASSERT_TRUE(s->wrong_session == 1 && s->back == 2 && s->jumps == 2 && s->bad == 3);
}

static void session_is_configured_or_adopted(void)
{
    struct gn_arb_config cfg = standard;
    memcpy(cfg.session, "SESSION009", 10);
    fresh(&cfg);
    CU_ASSERT_EQUAL(packet(0, 1, 1), GN_ARB_SESSION);
    cfg = standard;
    cfg.start_seq = 0;
    fresh(&cfg);
    CU_ASSERT_EQUAL(packet(2, 50, 1), GN_ARB_SESSION);
    CU_ASSERT_EQUAL(packet(1, 77, 2), GN_ARB_DELIVER);
    CU_ASSERT_EQUAL(out.first, 77);
    CU_ASSERT_EQUAL(packet(0, 76, 1), GN_ARB_DUPLICATE);
    gn_arb_reset(arb, 5);
    CU_ASSERT_EQUAL(packet(0, 5, 1), GN_ARB_DELIVER);
}

static void full_buffer_keeps_what_is_needed_first(void)
{
    fresh(&standard);
    for (uint64_t seq = 10; seq < 14; seq++)
        CU_ASSERT_EQUAL(packet(0, seq, 1), GN_ARB_HELD);
    CU_ASSERT_EQUAL(packet(0, 14, 1), GN_ARB_OVERFLOW);
    CU_ASSERT_EQUAL(packet(1, 2, 1), GN_ARB_HELD);
    CU_ASSERT_EQUAL(arb->slot[arb->held_tail].first, 12);
    CU_ASSERT_EQUAL(arb->stats.overflow, 2);
    CU_ASSERT_EQUAL(arb->seen_end, 15);
    CU_ASSERT_EQUAL(gn_arb_join(arb, sizeof memory), GN_ARB_OK);
    uint8_t big[65] = {0};
    struct gn_arb_in in = {"SESSION001", 5, big, sizeof big, 1, 0};
    CU_ASSERT_EQUAL(gn_arb_packet(arb, &in, now, &out), GN_ARB_OVERFLOW);
    in.seq = 1;
    CU_ASSERT_EQUAL(gn_arb_packet(arb, &in, now, &out), GN_ARB_DELIVER);
}

/* Held packets are found from either end, and one that a delivery overtakes goes away without closing the gap. */
static void held_packets_are_known(void)
{
    fresh(&standard);
    for (uint64_t seq = 10; seq <= 40; seq += 10)
        CU_ASSERT_EQUAL(packet(0, seq, 2), GN_ARB_HELD);
    for (uint64_t seq = 10; seq <= 40; seq += 10)
        CU_ASSERT_EQUAL(packet(1, seq, 2), GN_ARB_DUPLICATE);
    CU_ASSERT_EQUAL(packet(1, 31, 1), GN_ARB_DUPLICATE);
    CU_ASSERT_EQUAL(arb->held_count, 4);
    CU_ASSERT_TRUE(event_is(GN_GAP_OPENED, 1, 10));
    CU_ASSERT_EQUAL(packet(1, 1, 11), GN_ARB_DELIVER);
    CU_ASSERT_EQUAL(arb->held_count, 3);
    struct gn_ev_gap ev;
    CU_ASSERT_FALSE(gn_arb_gap_event(arb, &ev));
    CU_ASSERT_EQUAL(arb->gap_from, 1);
    CU_ASSERT_EQUAL(packet(1, 12, 8), GN_ARB_DELIVER);
    CU_ASSERT_TRUE(event_is(GN_GAP_FILLED_LINE, 1, 20));
}

static void unread_events_are_counted(void)
{
    fresh(&standard);
    for (uint64_t seq = 2; seq < 30; seq += 2) {
        CU_ASSERT_EQUAL(packet(0, seq, 1), GN_ARB_HELD);
        CU_ASSERT_EQUAL(packet(1, seq - 1, 1), GN_ARB_DELIVER);
        CU_ASSERT_TRUE(gn_arb_next_held(arb, now, &out));
        CU_ASSERT_FALSE(gn_arb_next_held(arb, now, &out));
    }
    CU_ASSERT_EQUAL(arb->stats.events_lost, 28 - GN_ARB_EVENTS);
    CU_ASSERT_EQUAL(gn_arb_join(arb, sizeof memory), GN_ARB_OK);
}

/* A bit that flips anywhere in the state is refused by the join or does no harm: no crash, no endless loop. */
static void join_survives_any_flip(void)
{
    static uint8_t copy[sizeof memory];
    fresh(&standard);
    CU_ASSERT_EQUAL(packet(0, 5, 1), GN_ARB_HELD);
    CU_ASSERT_EQUAL(packet(0, 9, 1), GN_ARB_HELD);
    uint64_t bytes = gn_arb_footprint(&standard);
    memcpy(copy, memory, sizeof copy);
    uint32_t refused = 0;
    for (size_t bit = 0; bit < (offsetof(struct gn_arb, slot) + 4 * sizeof(struct gn_arb_slot)) * 8; bit++) {
        memcpy(memory, copy, sizeof copy);
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (gn_arb_join(arb, bytes) != GN_ARB_OK) {
            refused++;
            continue;
        }
        struct gn_arb_request r;
        for (uint64_t seq = 1; seq < 12; seq++) {
            (void)packet(seq & 1, seq, 1);
            while (gn_arb_next_held(arb, now, &out))
                ;
            (void)gn_arb_timer(arb, now += 1000, &r);
        }
    }
    CU_ASSERT_TRUE(refused > 500);
    memcpy(memory, copy, sizeof copy);
    CU_ASSERT_EQUAL(gn_arb_join(arb, bytes - 1), GN_ARB_ERR_SIZE);
    CU_ASSERT_EQUAL(gn_arb_join(arb, bytes), GN_ARB_OK);
    arb->magic = 0;
    CU_ASSERT_EQUAL(gn_arb_join(arb, bytes), GN_ARB_ERR_MAGIC);
}

static void configuration_is_checked(void)
{
    struct gn_arb_config cfg = standard;
    cfg.slots = 0;
    CU_ASSERT_EQUAL(gn_arb_footprint(&cfg), 0);
    CU_ASSERT_EQUAL(gn_arb_new(memory, &cfg), GN_ARB_ERR_CONFIG);
    cfg = standard;
    cfg.slots = GN_ARB_SLOTS_MAX + 1;
    CU_ASSERT_EQUAL(gn_arb_footprint(&cfg), 0);
    cfg = standard;
    cfg.request_max = 65535;
    CU_ASSERT_EQUAL(gn_arb_footprint(&cfg), 0);
    cfg = standard;
    cfg.retry_ns = 0;
    CU_ASSERT_EQUAL(gn_arb_footprint(&cfg), 0);
    for (int v = GN_ARB_DELIVER; v <= GN_ARB_BAD; v++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_arb_verdict_name((enum gn_arb_verdict)v), "unknown");
    for (int e = GN_ARB_ERR_CORRUPT; e <= 0; e++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_arb_strerror(e), "unknown");
}

GN_TEST_MAIN("arbiter", {"two lines in order", two_lines_in_order}, {"the other line fills a gap", other_line_fills},
             {"requests back off, then the gap is given up", requests_back_off_then_give_up},
             {"a retransmission in parts", retransmission_in_parts},
             {"a heartbeat reveals a tail gap", heartbeat_reveals_the_tail},
             {"refused with reasons", refused_with_reasons},
             {"the session is configured or adopted", session_is_configured_or_adopted},
             {"a full buffer keeps what is needed first", full_buffer_keeps_what_is_needed_first},
             {"held packets are known", held_packets_are_known},
             {"unread events are counted", unread_events_are_counted},
             {"join survives any flipped bit", join_survives_any_flip},
             {"the configuration is checked", configuration_is_checked})
