/* The arbiter against a model that is slow and obvious: a flag per sequence. Two lines and a retransmission server
 * drop, repeat, delay and reorder packets by a seed; each case has its own rates and limits. Whatever happens, each
 * message is delivered exactly once and in order or is named in a give-up. */
#include "drivers/venue/arbiter.h"
#include "tests/gn_test.h"

#define MESSAGES   400u
#define MODEL_ROOM (MESSAGES + 2)
#define TICK_NS    1000u
#define FLIGHT_MAX 4096u
#define CASES      400u

struct flight {
    uint64_t at_tick;
    uint64_t seq;
    uint16_t count; /* 0: heartbeat */
    uint8_t line;
    bool used;
};

struct sim {
    uint64_t seed;
    struct gn_arb *arb;
    struct gn_arb *other; /* the arbiter moves here and back: it holds no pointers */
    uint64_t bytes;
    struct flight flights[FLIGHT_MAX];
    uint32_t used_max;
    bool got[MODEL_ROOM]; /* the model: what arrived */
    bool overflowed;      /* something that arrived could not be held: the model runs ahead then */
    uint64_t model_next;
    uint64_t delivered_next; /* what the consumer expects */
    uint64_t delivered, lost;
    uint64_t opened, closed;
    uint32_t drop, repeat, delay, retransmit_drop; /* per cent, ticks */
};

static uint64_t dice(struct sim *s, uint64_t n)
{
    return gn_test_rand(&s->seed) % n;
}

static void launch(struct sim *s, uint8_t line, uint64_t seq, uint16_t count, uint64_t tick)
{
    uint32_t drop = line == GN_ARB_LINE_RETRANSMIT ? s->retransmit_drop : s->drop;
    uint32_t copies = dice(s, 100) < drop ? 0 : dice(s, 100) < s->repeat ? 2 : 1;
    for (uint32_t i = 0; i < FLIGHT_MAX && copies > 0; i++) {
        if (s->flights[i].used)
            continue;
        s->flights[i] = (struct flight){tick + 1 + dice(s, s->delay + 1), seq, count, line, true};
        if (i >= s->used_max)
            s->used_max = i + 1;
        copies--;
    }
}

static void consume(struct sim *s, const struct gn_arb_out *out)
{
    CU_ASSERT_EQUAL_FATAL(out->first, s->delivered_next);
    CU_ASSERT_EQUAL_FATAL(out->skip + out->deliver, out->count);
    CU_ASSERT_EQUAL_FATAL(out->len, out->count * 8);
    CU_ASSERT_TRUE_FATAL(out->deliver > 0);
    for (uint32_t i = out->skip; i < out->count; i++) {
        uint64_t seq;
        memcpy(&seq, out->data + i * 8, 8);
        CU_ASSERT_EQUAL_FATAL(seq, s->delivered_next);
        s->delivered_next++;
        s->delivered++;
    }
}

static void drain(struct sim *s, uint64_t now_ns)
{
    struct gn_arb_out out;
    struct gn_ev_gap ev;
    while (gn_arb_next_held(s->arb, now_ns, &out))
        consume(s, &out);
    while (gn_arb_gap_event(s->arb, &ev)) {
        CU_ASSERT_TRUE_FATAL(ev.from < ev.to);
        s->opened += ev.what == GN_GAP_OPENED;
        s->closed += ev.what == GN_GAP_FILLED_LINE || ev.what == GN_GAP_FILLED_RETRANSMIT || ev.what == GN_GAP_GIVEN_UP;
    }
    CU_ASSERT_EQUAL_FATAL(s->arb->next, s->delivered_next);
    CU_ASSERT_EQUAL_FATAL(gn_arb_stale(s->arb), s->arb->next < s->arb->seen_end);
}

static void arrive(struct sim *s, const struct flight *f, uint64_t now_ns)
{
    uint64_t data[64];
    for (uint16_t i = 0; i < f->count; i++) {
        data[i] = f->seq + i;
        s->got[f->seq + i] = true;
    }
    struct gn_arb_in in = {.session = "SESSION001",
                           .seq = f->seq,
                           .count = f->count,
                           .line = f->line,
                           .data = (const uint8_t *)data,
                           .len = (uint16_t)(f->count * 8)};
    struct gn_arb_out out;
    enum gn_arb_verdict v = gn_arb_packet(s->arb, &in, now_ns, &out);
    CU_ASSERT_TRUE_FATAL(v == GN_ARB_DELIVER || v == GN_ARB_DUPLICATE || v == GN_ARB_HELD || v == GN_ARB_OVERFLOW ||
                         v == GN_ARB_HEARTBEAT);
    if (v == GN_ARB_DELIVER)
        consume(s, &out);
    drain(s, now_ns);
    s->overflowed |= s->arb->stats.overflow != 0;
    while (s->got[s->model_next])
        s->model_next++;
    if (!s->overflowed)
        CU_ASSERT_EQUAL_FATAL(s->arb->next, s->model_next);
    CU_ASSERT_TRUE_FATAL(s->arb->next <= s->model_next);
}

/* The retransmission server answers with packets of its own cut. */
static void timer(struct sim *s, uint64_t tick)
{
    struct gn_arb_request req;
    uint64_t now_ns = tick * TICK_NS;
    enum gn_arb_action action = gn_arb_timer(s->arb, now_ns, &req);
    if (action == GN_ARB_REQUEST) {
        CU_ASSERT_EQUAL_FATAL(req.from, s->delivered_next);
        CU_ASSERT_TRUE_FATAL(req.count >= 1 && req.count <= s->arb->cfg.request_max);
        for (uint64_t seq = req.from, end = req.from + req.count; seq < end;) {
            uint64_t n = 1 + dice(s, 6);
            n = n > end - seq ? end - seq : n;
            launch(s, GN_ARB_LINE_RETRANSMIT, seq, (uint16_t)n, tick);
            seq += n;
        }
    } else if (action == GN_ARB_GIVEN_UP) {
        CU_ASSERT_EQUAL_FATAL(req.from, s->delivered_next);
        CU_ASSERT_TRUE_FATAL(req.count >= 1 && req.from + req.count <= MESSAGES + 1);
        for (uint64_t seq = req.from; seq < req.from + req.count; seq++) {
            if (!s->overflowed)
                CU_ASSERT_FALSE_FATAL(s->got[seq]);
            s->got[seq] = true;
        }
        s->lost += req.count;
        s->delivered_next = req.from + req.count;
        while (s->got[s->model_next])
            s->model_next++;
        drain(s, now_ns);
    }
}

static void move(struct sim *s)
{
    memcpy(s->other, s->arb, s->bytes);
    memset(s->arb, 0xee, s->bytes);
    struct gn_arb *old = s->arb;
    s->arb = s->other;
    s->other = old;
    CU_ASSERT_EQUAL_FATAL(gn_arb_join(s->arb, s->bytes), GN_ARB_OK);
}

static void run(struct sim *s)
{
    uint64_t sent[2] = {1, 1};
    for (uint64_t tick = 1; tick < 200000; tick++) {
        for (uint8_t line = 0; line < 2; line++) {
            uint64_t left = MESSAGES + 1 - sent[line];
            if (left > 0 && dice(s, 3) > 0) {
                uint64_t n = 1 + dice(s, 8);
                n = n > left ? left : n;
                launch(s, line, sent[line], (uint16_t)n, tick);
                sent[line] += n;
            } else if (dice(s, 10) == 0) {
                launch(s, line, sent[line], 0, tick);
            }
        }
        for (uint32_t i = 0; i < s->used_max; i++) {
            struct flight f = s->flights[i];
            if (!f.used || f.at_tick > tick)
                continue;
            s->flights[i].used = false;
            arrive(s, &f, tick * TICK_NS);
        }
        timer(s, tick);
        if (dice(s, 50) == 0)
            move(s);
        if (s->delivered_next == MESSAGES + 1)
            return;
    }
    CU_FAIL_FATAL("the stream stands still");
}

static void play(uint64_t seed)
{
    static struct sim s;
    static const uint32_t slots[] = {1, 2, 7, 64, 1024};
    memset(&s, 0, sizeof s);
    s.seed = seed;
    struct gn_arb_config cfg = {.slot_bytes = 512, .start_seq = 1, .back_window = 1u << 20};
    cfg.slots = slots[dice(&s, GN_ARRAY_LEN(slots))];
    cfg.gap_request_ns = dice(&s, 20) * TICK_NS;
    cfg.retry_ns = (1 + dice(&s, 20)) * TICK_NS;
    cfg.retry_max_ns = cfg.retry_ns * (1 + dice(&s, 8));
    cfg.request_max = (uint32_t)(1 + dice(&s, 40));
    cfg.max_retries = (uint32_t)dice(&s, 6);
    s.drop = (uint32_t)dice(&s, 40);
    s.repeat = (uint32_t)dice(&s, 20);
    s.delay = (uint32_t)dice(&s, 30);
    s.retransmit_drop = (uint32_t)dice(&s, 70);
    s.bytes = gn_arb_footprint(&cfg);
    CU_ASSERT_FATAL(s.bytes != 0);
    s.arb = aligned_alloc(GN_CACHE_LINE, s.bytes);
    s.other = aligned_alloc(GN_CACHE_LINE, s.bytes);
    memset(s.arb, 0, s.bytes);
    CU_ASSERT_EQUAL_FATAL(gn_arb_new(s.arb, &cfg), GN_ARB_OK);
    s.model_next = s.delivered_next = 1;

    unsigned before = CU_get_number_of_failures();
    run(&s);
    const struct gn_arb_stats *st = &s.arb->stats;
    CU_ASSERT_EQUAL(s.delivered + s.lost, MESSAGES);
    CU_ASSERT_EQUAL(st->delivered, s.delivered);
    CU_ASSERT_EQUAL(st->lost, s.lost);
    CU_ASSERT_EQUAL(st->first[0] + st->first[1] + st->first[2], s.delivered);
    CU_ASSERT_EQUAL(st->events_lost, 0);
    CU_ASSERT_EQUAL(s.opened, s.closed + gn_arb_stale(s.arb));
    CU_ASSERT_EQUAL(st->gaps, s.opened);
    CU_ASSERT_EQUAL(st->given_up + st->filled_line[0] + st->filled_line[1] + st->filled_line[2], s.closed);
    if (CU_get_number_of_failures() != before)
        printf("case %llu failed\n", (unsigned long long)seed);
    free(s.arb);
    free(s.other);
}

static void exactly_once_in_order(void)
{
    uint64_t seed = gn_test_seed(2026);
    for (uint64_t i = 0; i < CASES; i++)
        play(seed + i);
}

GN_TEST_MAIN("arbiter_model", {"everything is delivered once and in order, or named as lost", exactly_once_in_order})
