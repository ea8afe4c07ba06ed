/* A day of random market data, recorded from the stages as the journal would get it, as a backtest: twice it is the
 * same; with another parameter or latency it is another; and what the model says it filled is what the engine's own
 * positions and fees say.
 */
#include <stdlib.h>

#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"
#include "tools/replay/backtest.h"
#include "tools/replay/report.h"

#define SEEDS   8
#define ACTS    2000
#define SYMBOLS 4u

static struct gn_h *h;
static struct gn_conf conf;
static struct gn_conf_instrument instruments[SYMBOLS];
static uint64_t seed, feed_seq, refs;
static uint8_t *day; /* the records, back to back, each aligned to 8 */
static size_t used, room;

struct result {
    struct gn_backtest_counts counts;
    struct gn_ev_state state;
};

static int64_t pick(int64_t n)
{
    return (int64_t)(gn_test_rand(&seed) % (uint64_t)n);
}

static void on_record(void *arg, const struct gn_rec *rec)
{
    (void)arg;
    if (used + rec->bytes + 8 > room) {
        room = 2 * room + (1u << 20);
        day = realloc(day, room);
        CU_ASSERT_PTR_NOT_NULL_FATAL(day);
    }
    memcpy(day + used, rec, rec->bytes);
    used += gn_align_up(rec->bytes, 8);
}

static void market_acts(void)
{
    struct gn_itch_msg m = {.type = GN_ITCH_ADD,
                            .side = pick(2) == 0 ? 'B' : 'S',
                            .shares = (uint32_t)(1 + pick(50)),
                            .ref = ++refs,
                            .locate = (uint16_t)(1 + pick(SYMBOLS))};
    m.price = (uint32_t)(m.side == 'B' ? 1000000 - 100 * pick(8) : 1000100 + 100 * pick(8));
    memcpy(m.symbol, instruments[m.locate - 1].symbol, 8);
    if (refs > 20 && pick(2) == 0)
        m = (struct gn_itch_msg){.type = GN_ITCH_DELETE, .ref = refs - (uint64_t)pick(20)};
    else if (refs > 20 && pick(3) == 0)
        m = (struct gn_itch_msg){
            .type = GN_ITCH_EXECUTED, .ref = refs - (uint64_t)pick(20), .shares = (uint32_t)(1 + pick(10))};
    gn_h_publish(h, GN_H_LINE_A | GN_H_LINE_B, feed_seq++, &m, 1);
}

static void record_day(void)
{
    h = gn_h_new(NULL);
    conf = h->conf;
    conf.stage_ring_cells = 8192;
    conf.session[0].fee_add = -20;
    conf.session[0].fee_remove = 30;
    conf.strategy[GN_H_TOUCH].param[GN_PARAM_touch_QTY] = 5;
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        const struct gn_instrument *k = &h->instruments->row[i];
        instruments[i] = (struct gn_conf_instrument){
            .price_exp = k->price_exp, .strategy = k->strategy, .tick = k->tick, .lot = k->lot};
        memcpy(instruments[i].symbol, k->symbol, sizeof k->symbol);
    }
    feed_seq = 1;
    refs = 0;
    used = 0;
    gn_h_record(h, on_record, NULL);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    for (int i = 0; i < ACTS; i++) {
        market_acts();
        for (int64_t n = pick(20); n >= 0; n--)
            gn_h_turn(h);
    }
    gn_h_free(h);
}

/* Positions and fees of the engine are the sum of the model's fills. */
static void check_books(const struct gn_replay *r)
{
    const struct gn_position *p = gn_replay_orders(r)->positions;
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        const struct gn_fill_account *a = gn_fill_account_of(gn_backtest_model(r), i);
        CU_ASSERT_EQUAL(p[i].bought, a->bought);
        CU_ASSERT_EQUAL(p[i].sold, a->sold);
        CU_ASSERT_EQUAL(p[i].fees, a->fees);
        CU_ASSERT_EQUAL(p[i].fills, a->fills);
        CU_ASSERT_TRUE(p[i].buy_value == a->buy_value && p[i].sell_value == a->sell_value);
        CU_ASSERT_EQUAL(a->maker_qty + a->taker_qty, a->bought + a->sold);
    }
}

static long long units(const json_t *o, const char *key)
{
    long long v = 0;
    const char *text = json_string_value(json_object_get(o, key));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (const char *c = text; *c != 0; c++)
        v = *c >= '0' && *c <= '9' ? 10 * v + (*c - '0') : v;
    return text[0] == '-' ? -v : v;
}

/* What is printed: P&L is cash + position x mark - fees, and the total is the sum of the instruments. */
static void check_report(const struct gn_replay *r)
{
    json_t *report = gn_report_backtest(r, &conf);
    const json_t *list = json_object_get(report, "instruments"), *total = json_object_get(report, "total");
    long long pnl = 0, fees = 0, fills = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        const long long position = json_integer_value(json_object_get(o, "position"));
        const long long worth = 100 * position * units(o, "mark");
        CU_ASSERT_EQUAL(units(o, "pnl"), units(o, "cash") + worth - units(o, "fees"));
        pnl += units(o, "pnl");
        fees += units(o, "fees");
        fills += json_integer_value(json_object_get(o, "fills"));
    }
    CU_ASSERT_EQUAL(units(total, "pnl"), pnl);
    CU_ASSERT_EQUAL(units(total, "fees"), fees);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(total, "fills")), fills);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(report, "executions")), fills);
    json_decref(report);
}

static int64_t maker_qty;

static struct result backtest(uint64_t out_ns)
{
    const struct gn_backtest_opts opts = {.out_ns = out_ns, .back_ns = 5000};
    struct gn_replay *r;
    struct result x;
    CU_ASSERT_EQUAL_FATAL(gn_replay_new(&conf, instruments, &r), GN_REPLAY_OK);
    CU_ASSERT_EQUAL_FATAL(gn_replay_backtest(r, &opts), GN_REPLAY_OK);
    for (size_t at = 0; at < used;) {
        const struct gn_rec *rec = (const struct gn_rec *)(const void *)(day + at);
        CU_ASSERT_EQUAL_FATAL(gn_replay_record(r, rec), GN_REPLAY_OK);
        at += gn_align_up(rec->bytes, 8);
    }
    CU_ASSERT_EQUAL_FATAL(gn_replay_finish(r), GN_REPLAY_OK);
    check_books(r);
    check_report(r);
    maker_qty = 0;
    for (uint32_t i = 0; i < SYMBOLS; i++)
        maker_qty += gn_fill_account_of(gn_backtest_model(r), i)->maker_qty;
    x.counts = *gn_backtest_counts(r);
    gn_replay_state(r, &x.state);
    gn_replay_free(r);
    return x;
}

/* Another strategy on the same day: quotes that rest, queue and are replaced. */
static int64_t another_strategy(void)
{
    struct gn_conf_strategy *s = &conf.strategy[GN_H_TOUCH];
    const struct gn_conf_strategy was = *s;
    memset(s->kind, 0, sizeof s->kind);
    memcpy(s->kind, "maker", 5);
    s->param[GN_PARAM_maker_QTY] = 5;
    s->param[GN_PARAM_maker_EDGE_TICKS] = 0;
    s->param[GN_PARAM_maker_SKEW_QTY] = 50;
    s->param[GN_PARAM_maker_REQUOTE_US] = 100;
    s->param[GN_PARAM_maker_MAX_POSITION] = 1000;
    const struct result a = backtest(5000), b = backtest(5000);
    CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
    *s = was;
    return maker_qty;
}

static void a_backtest_is_deterministic(void)
{
    const uint64_t first = gn_test_seed(1);
    uint64_t orders = 0, executions = 0, differ = 0;
    int64_t made = 0;
    for (uint64_t i = 0; i < SEEDS; i++) {
        seed = first + i;
        record_day();
        const struct result a = backtest(5000), b = backtest(5000);
        CU_ASSERT_EQUAL(a.counts.digest, b.counts.digest);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
        orders += a.counts.orders;
        executions += a.counts.executions;
        made += another_strategy();
        conf.strategy[GN_H_TOUCH].param[GN_PARAM_touch_QTY]++;
        const struct result other = backtest(5000);
        CU_ASSERT_NOT_EQUAL(a.counts.digest, other.counts.digest);
        conf.strategy[GN_H_TOUCH].param[GN_PARAM_touch_QTY]--;
        differ += backtest(50 * GN_H_MS).counts.digest != a.counts.digest;
    }
    printf("backtest: %llu orders, %llu executions in %d days\n", (unsigned long long)orders,
           (unsigned long long)executions, SEEDS);
    CU_ASSERT_TRUE(orders > 5 * SEEDS);
    CU_ASSERT_TRUE(executions > SEEDS);
    CU_ASSERT_TRUE(made > SEEDS); /* resting orders were filled, too */
    CU_ASSERT_EQUAL(differ, SEEDS);
    free(day);
}

GN_TEST_MAIN("backtest", {"a backtest is deterministic", a_backtest_is_deterministic})
