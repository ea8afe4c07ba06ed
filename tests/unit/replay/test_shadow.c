/* Decisions of two runs against each other, and the refusal to say anything of too few; --set and what it refuses. */
#include "dataplane/abi/strategy_params.h"
#include "dataplane/abi/verdict.h"
#include "tests/gn_test.h"
#include "tools/replay/set.h"
#include "tools/replay/shadow.h"

static struct gn_shadow *s;

static void begin(uint64_t min)
{
    const struct gn_shadow_opts opts = {.tolerance_ns = 10, .min_decisions = min};
    s = gn_shadow_new(&opts);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
}

static void add(bool journal, uint64_t ns, uint32_t instrument, uint8_t side, int64_t price, int64_t qty)
{
    const struct gn_ev_order o = {
        .intent = {.action = GN_ACTION_NEW, .side = side, .instrument = instrument, .price = price, .qty = qty},
        .verdict = GN_VERDICT_OK};
    CU_ASSERT_TRUE(gn_shadow_add(s, journal, ns, &o));
}

static void every_difference_has_its_name(void)
{
    struct gn_shadow_result r;
    begin(1);
    for (uint64_t k = 0; k < 7; k++)
        add(true, 1000 * (k + 1), 1, GN_SIDE_BUY, 100, 5);
    add(false, 1010, 1, GN_SIDE_BUY, 100, 5);  /* same */
    add(false, 2060, 1, GN_SIDE_BUY, 100, 5);  /* late */
    add(false, 3000, 1, GN_SIDE_SELL, 100, 5); /* side */
    add(false, 4000, 1, GN_SIDE_BUY, 101, 5);  /* price */
    add(false, 4990, 1, GN_SIDE_BUY, 100, 6);  /* quantity */
    add(false, 6000, 2, GN_SIDE_BUY, 100, 5);  /* another instrument: missing and extra; the 7th is missing */
    gn_shadow_compare(s, 1, &r);
    CU_ASSERT_PTR_NULL(r.cannot);
    CU_ASSERT_EQUAL(r.journaled, 7);
    CU_ASSERT_EQUAL(r.other, 6);
    CU_ASSERT_EQUAL(r.same, 1);
    CU_ASSERT_EQUAL(r.other_time, 1);
    CU_ASSERT_EQUAL(r.other_side, 1);
    CU_ASSERT_EQUAL(r.other_price, 1);
    CU_ASSERT_EQUAL(r.other_qty, 1);
    CU_ASSERT_EQUAL(r.missing, 2);
    CU_ASSERT_EQUAL(r.extra, 1);
    CU_ASSERT_EQUAL(r.first_ns, 2000);
    gn_shadow_free(s);
}

static void refused_orders_are_no_decisions(void)
{
    struct gn_shadow_result r;
    const struct gn_ev_order o = {.verdict = GN_VERDICT_OK + 1};
    begin(1);
    CU_ASSERT_TRUE(gn_shadow_add(s, true, 1, &o));
    gn_shadow_compare(s, 1, &r);
    CU_ASSERT_EQUAL(r.journaled, 0);
    CU_ASSERT_PTR_NOT_NULL(r.cannot);
    gn_shadow_free(s);
}

/* n equal decisions in the journal, k in the other run. */
static const char *cannot(uint64_t n, uint64_t k, uint64_t market)
{
    struct gn_shadow_result r;
    begin(100);
    for (uint64_t i = 0; i < n; i++)
        add(true, 1000 * i, 1, GN_SIDE_BUY, 100, 5);
    for (uint64_t i = 0; i < k; i++)
        add(false, 1000 * i, 1, GN_SIDE_BUY, 100, 5);
    gn_shadow_compare(s, market, &r);
    CU_ASSERT_EQUAL(r.same, n < k ? n : k);
    gn_shadow_free(s);
    return r.cannot;
}

static void too_little_is_no_pass(void)
{
    CU_ASSERT_PTR_NULL(cannot(100, 100, 1));
    CU_ASSERT_PTR_NOT_NULL(cannot(99, 100, 1));
    CU_ASSERT_PTR_NOT_NULL(cannot(100, 99, 1));
    CU_ASSERT_PTR_NOT_NULL(cannot(0, 0, 1));
    CU_ASSERT_PTR_NOT_NULL(cannot(100, 100, 0));
}

static void one_parameter_is_set(void)
{
    static struct gn_conf c = {.n_strategies = 2,
                               .strategy = {{.name = "a", .kind = "touch"}, {.name = "mm", .kind = "maker"}}};
    static const char *const bad[] = {"",
                                      "strategies.mm.params.qty",
                                      "strategies.mm.params.qty=",
                                      "strategies.mm.params.qty=0",
                                      "strategies.mm.params.qty=5x",
                                      "strategies.mm.params.qty=99999999999999999999",
                                      "strategies.mm.params.every=5",
                                      "strategies.b.params.qty=5",
                                      "sessions.mm.params.qty=5"};
    char why[256];
    CU_ASSERT_TRUE(gn_replay_set(&c, "strategies.mm.params.edge_ticks=7", why, sizeof why));
    CU_ASSERT_EQUAL(c.strategy[1].param[GN_PARAM_maker_EDGE_TICKS], 7);
    for (size_t i = 0; i < GN_ARRAY_LEN(bad); i++) {
        why[0] = 0;
        CU_ASSERT_FALSE(gn_replay_set(&c, bad[i], why, sizeof why));
        CU_ASSERT_NOT_EQUAL(why[0], 0);
    }
    CU_ASSERT_EQUAL(c.strategy[1].param[GN_PARAM_maker_QTY], 0);
}

GN_TEST_MAIN("shadow", {"every difference has its name", every_difference_has_its_name},
             {"refused orders are no decisions", refused_orders_are_no_decisions},
             {"too little is no pass", too_little_is_no_pass}, {"one parameter is set", one_parameter_is_set})
