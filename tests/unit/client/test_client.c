/* libgannet: intents arrive as they were sent, reports come back as they were given, prices are those of the file. */
#include "tests/gn_test.h"
#include "tests/unit/client/fixture.h"

#include <stdio.h>
#include <unistd.h>

static struct fixture fix;

static void intents_arrive(void)
{
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    struct gannet_order o = {
        .instrument = 1, .side = GANNET_SELL, .tif = GANNET_IOC, .price = 1500, .qty = 30, .tag = 9};
    CU_ASSERT_EQUAL(gannet_send_new(g, &o), GANNET_OK);
    CU_ASSERT_EQUAL(gannet_send_replace(g, 77, &o), GANNET_OK);
    CU_ASSERT_EQUAL(gannet_send_cancel(g, 0, 78, 5), GANNET_OK);
    CU_ASSERT_EQUAL(gannet_send_reduce(g, 0, GANNET_SELL, 79, 4, 6), GANNET_OK);
    CU_ASSERT_EQUAL(gannet_send_mass_cancel(g, GANNET_ALL), GANNET_OK);
    CU_ASSERT_EQUAL_FATAL(fix_turn(&fix), 5);
    const struct gn_intent *in = fix.host.intent;
    for (uint32_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(in[i].action, GN_ACTION_NEW + i);
        CU_ASSERT_EQUAL(in[i].strategy, 1);
        CU_ASSERT_EQUAL(in[i].session, 2);
    }
    for (uint32_t i = 0; i < 2; i++)
        CU_ASSERT(in[i].side == GN_SIDE_SELL && in[i].tif == GN_TIF_IOC && in[i].instrument == 1 &&
                  in[i].price == 1500 && in[i].qty == 30 && in[i].tag == 9 && in[i].target == 77 * i);
    CU_ASSERT(in[2].instrument == 0 && in[2].target == 78 && in[2].tag == 5);
    CU_ASSERT(in[3].side == GN_SIDE_SELL && in[3].target == 79 && in[3].qty == 4 && in[3].tag == 6);
    CU_ASSERT_EQUAL(in[4].instrument, GN_NONE32);
    CU_ASSERT_EQUAL(fix_turn(&fix), 0);
    CU_ASSERT_EQUAL(fix.host.client_bad, 0);
    gannet_close(g);
    fix_drop(&fix);
}

static void senseless_intents_are_not_sent(void)
{
    static const struct gannet_order bad[] = {
        {.side = 2, .price = 1, .qty = 1},
        {.tif = 2, .price = 1, .qty = 1},
        {.price = 0, .qty = 1},
        {.price = 1, .qty = 0},
        {.price = -1, .qty = 1},
        {.price = 1, .qty = -1},
        {.instrument = 2, .price = 1, .qty = 1},
    };
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(bad); i++) {
        int want = bad[i].instrument == 2 ? GANNET_ERR_INSTRUMENT : GANNET_ERR_INTENT;
        CU_ASSERT_EQUAL(gannet_send_new(g, &bad[i]), want);
        CU_ASSERT_EQUAL(gannet_send_replace(g, 1, &bad[i]), want);
    }
    CU_ASSERT_EQUAL(gannet_send_reduce(g, 0, 2, 1, 1, 0), GANNET_ERR_INTENT);
    CU_ASSERT_EQUAL(gannet_send_reduce(g, 0, 0, 1, 0, 0), GANNET_ERR_INTENT);
    CU_ASSERT_EQUAL(gannet_send_cancel(g, GANNET_ALL, 1, 0), GANNET_ERR_INSTRUMENT);
    CU_ASSERT_EQUAL(gannet_send_mass_cancel(g, 2), GANNET_ERR_INSTRUMENT);
    CU_ASSERT_EQUAL(fix_turn(&fix), 0);
    gannet_close(g);
    fix_drop(&fix);
}

static void reports_come_back(void)
{
    struct gannet_report r;
    struct gn_exec e = {
        .kind = GN_EXEC_FILLED,
        .side = GN_SIDE_SELL,
        .state = GN_ORDER_LIVE,
        .liquidity = 'R',
        .reason = 12,
        .strategy = 1,
        .instrument = 1,
        .session = 2,
        .order_id = 100,
        .prev_id = 101,
        .price = 102,
        .qty = 103,
        .leaves = 104,
        .cum = 105,
        .position = -106,
        .tag = 107,
        .tick_seq = 108,
        .match = 109,
    };
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    CU_ASSERT_EQUAL(gannet_next_report(g, &r), 0);
    fix.host.now_ns = 110;
    fix_report(&fix, &e);
    CU_ASSERT_EQUAL_FATAL(gannet_next_report(g, &r), 1);
    CU_ASSERT(r.kind == GANNET_FILLED && r.instrument == 1 && r.reason == 12 && r.side == GANNET_SELL);
    CU_ASSERT(r.working == 1 && r.liquidity == 'R' && r.order_id == 100 && r.prev_id == 101);
    CU_ASSERT(r.price == 102 && r.qty == 103 && r.leaves == 104 && r.cum == 105 && r.position == -106);
    CU_ASSERT(r.tag == 107 && r.tick_seq == 108 && r.match == 109 && r.time_ns == 110 && r.missed == 0);
    e.state = GN_ORDER_FILLED;
    fix_report(&fix, &e);
    CU_ASSERT_EQUAL_FATAL(gannet_next_report(g, &r), 1);
    CU_ASSERT_EQUAL(r.working, 0);
    CU_ASSERT_EQUAL(gannet_next_report(g, &r), 0);
    gannet_close(g);
    fix_drop(&fix);
}

static void full_rings_say_so(void)
{
    struct gannet_report r;
    struct gannet_order o = {.price = 100, .qty = 10};
    struct gn_exec e = {.kind = GN_EXEC_SENT, .state = GN_ORDER_PENDING_NEW};
    uint32_t sent = 0, taken = 0, got = 0, lost;
    int rc;
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    while (sent <= FIX_CELLS && (rc = gannet_send_new(g, &o)) == GANNET_OK)
        sent++;
    CU_ASSERT_EQUAL(rc, GANNET_ERR_FULL);
    CU_ASSERT_EQUAL(sent, FIX_CELLS / 2); /* a record of 32 + 56 bytes takes two cells */
    for (uint32_t n; (n = fix_turn(&fix)) != 0;)
        taken += n;
    CU_ASSERT_EQUAL(taken, sent);
    CU_ASSERT_EQUAL(gannet_send_new(g, &o), GANNET_OK);
    for (uint32_t i = 0; i < FIX_CELLS; i++)
        fix_report(&fix, &e);
    lost = (uint32_t)fix.host.report_lost;
    CU_ASSERT_EQUAL(lost, FIX_CELLS / 2);
    for (; gannet_next_report(g, &r) == 1; got++)
        CU_ASSERT_EQUAL(r.missed, 0);
    CU_ASSERT_EQUAL(got + lost, FIX_CELLS);
    fix_report(&fix, &e);
    CU_ASSERT_EQUAL_FATAL(gannet_next_report(g, &r), 1);
    CU_ASSERT_EQUAL(r.missed, lost);
    gannet_close(g);
    fix_drop(&fix);
}

/* Many laps with sizes that do not divide the ring: pads, wraps, both ends in step. */
static void rings_wrap(void)
{
    struct gannet_report r;
    struct gannet_order o = {.price = 100, .qty = 10};
    struct gn_exec e = {.kind = GN_EXEC_SENT};
    uint64_t rng = gn_test_seed(1), in = 0, out = 0, told = 0, heard = 0;
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    for (uint32_t i = 0; i < 20000; i++) {
        for (uint64_t n = gn_test_rand(&rng) % 8; n > 0; n--, in++) {
            o.tag = in;
            CU_ASSERT_EQUAL_FATAL(gannet_send_new(g, &o), GANNET_OK);
        }
        while (in - out >= 32) {
            for (uint32_t k = 0, n = fix_turn(&fix); k < n; k++)
                CU_ASSERT_EQUAL_FATAL(fix.host.intent[k].tag, out++);
        }
        for (uint64_t n = gn_test_rand(&rng) % 8; n > 0; n--) {
            e.tag = told++;
            fix_report(&fix, &e);
        }
        for (uint64_t n = gn_test_rand(&rng) % 16; n > 0 && gannet_next_report(g, &r) == 1; n--) {
            heard += r.missed;
            CU_ASSERT_EQUAL_FATAL(r.tag, heard++);
        }
    }
    CU_ASSERT(heard > 10000);
    gannet_close(g);
    fix_drop(&fix);
}

static void restarts_lose_nothing(void)
{
    struct gannet_report r;
    struct gannet *g, *second = NULL;
    struct gannet_order o = {.price = 100, .qty = 10, .tag = 1};
    struct gn_exec e = {.kind = GN_EXEC_SENT, .tag = 1};
    char err[GANNET_ERROR_LEN];
    fix_make(&fix);
    g = fix_open(&fix);
    CU_ASSERT_EQUAL(gannet_open(fix.dir, "desk", &second, err, sizeof err), GANNET_ERR_BUSY);
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_EQUAL(gannet_send_new(g, &o), GANNET_OK);
    fix_report(&fix, &e);
    gannet_close(g); /* the client's restart */
    g = fix_open(&fix);
    o.tag = e.tag = 2;
    CU_ASSERT_EQUAL(gannet_send_new(g, &o), GANNET_OK);
    fix_host(&fix); /* the data plane's */
    fix_report(&fix, &e);
    CU_ASSERT_EQUAL_FATAL(fix_turn(&fix), 2);
    CU_ASSERT_EQUAL(fix.host.intent[0].tag, 1);
    CU_ASSERT_EQUAL(fix.host.intent[1].tag, 2);
    for (uint64_t tag = 1; tag <= 2; tag++) {
        CU_ASSERT_EQUAL_FATAL(gannet_next_report(g, &r), 1);
        CU_ASSERT_EQUAL(r.tag, tag);
        CU_ASSERT_EQUAL(r.missed, 0);
    }
    gannet_close(g);
    fix_drop(&fix);
}

static void replaced_files_are_seen(void)
{
    char from[160], to[160];
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    CU_ASSERT_EQUAL(gannet_check(g), GANNET_OK);
    uint64_t beat = atomic_load(&fix.block->beat);
    gannet_beat(g);
    CU_ASSERT_EQUAL(atomic_load(&fix.block->beat), beat + 1);
    snprintf(from, sizeof from, "%s/gannet-fix-observe", fix.dir);
    snprintf(to, sizeof to, "%s/gannet-fix-client-desk", fix.dir);
    CU_ASSERT_EQUAL(rename(from, to), 0);
    CU_ASSERT_EQUAL(gannet_check(g), GANNET_ERR_REPLACED);
    gannet_close(g);
    fix_drop(&fix);
}

static void instruments_are_found(void)
{
    struct gannet_instrument k;
    uint32_t i = 9;
    char err[GANNET_ERROR_LEN], path[128];
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    CU_ASSERT_EQUAL(gannet_instruments(g), 2);
    CU_ASSERT_EQUAL(gannet_find(g, "MSFT", &i), GANNET_OK);
    CU_ASSERT_EQUAL(i, 1);
    CU_ASSERT_EQUAL(gannet_find(g, "MSF", &i), GANNET_ERR_INSTRUMENT);
    CU_ASSERT_EQUAL(gannet_find(g, "", &i), GANNET_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(gannet_find(g, "TOOLONGBY1", &i), GANNET_ERR_ARGUMENT);
    CU_ASSERT_EQUAL_FATAL(gannet_get_instrument(g, 0, &k), GANNET_OK);
    CU_ASSERT_STRING_EQUAL(k.symbol, "AAPL");
    CU_ASSERT(k.price_exp == -4 && k.tick == 100 && k.lot == 10 && k.tradable == 1);
    CU_ASSERT_EQUAL_FATAL(gannet_get_instrument(g, 1, &k), GANNET_OK);
    CU_ASSERT_EQUAL(k.tradable, 0);
    CU_ASSERT_EQUAL(gannet_get_instrument(g, 2, &k), GANNET_ERR_INSTRUMENT);
    gannet_close(g);
    snprintf(path, sizeof path, "%s/gannet-fix", fix.dir); /* by the files' common path */
    CU_ASSERT_EQUAL_FATAL(gannet_open(path, "desk", &g, err, sizeof err), GANNET_OK);
    gannet_close(g);
    fix_drop(&fix);
}

static void set_top(uint32_t i, int64_t bid, int64_t ask, uint32_t flags)
{
    gn_tob_begin(&fix.tob[i]);
    fix.tob[i].bid = bid;
    fix.tob[i].bid_qty = bid / 10;
    fix.tob[i].ask = ask;
    fix.tob[i].ask_qty = ask / 10;
    fix.tob[i].flags = flags;
    fix.tob[i].tick_seq++;
    gn_tob_end(&fix.tob[i]);
}

static void prices_are_read(void)
{
    struct gannet_top t;
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    set_top(1, 1000, 1100, GN_MD_HALTED);
    CU_ASSERT_EQUAL_FATAL(gannet_top(g, 1, &t), GANNET_OK);
    CU_ASSERT(t.instrument == 1 && t.bid == 1000 && t.bid_qty == 100 && t.ask == 1100 && t.ask_qty == 110);
    CU_ASSERT(t.flags == GANNET_HALTED && t.tick_seq == 1);
    atomic_store(&fix.instruments->stale, 1);
    CU_ASSERT_EQUAL_FATAL(gannet_top(g, 1, &t), GANNET_OK);
    CU_ASSERT_EQUAL(t.flags, GANNET_HALTED | GANNET_STALE);
    gn_tob_begin(&fix.tob[1]); /* a writer that died */
    CU_ASSERT_EQUAL(gannet_top(g, 1, &t), GANNET_ERR_UNSTABLE);
    CU_ASSERT_EQUAL(gannet_top(g, 2, &t), GANNET_ERR_INSTRUMENT);
    gannet_close(g);
    fix_drop(&fix);
}

static void changes_are_given_once(void)
{
    struct gannet_top t;
    fix_make(&fix);
    struct gannet *g = fix_open(&fix);
    CU_ASSERT_EQUAL(gannet_next_change(g, &t), 0);
    CU_ASSERT_EQUAL(gannet_watch(g, 0), GANNET_OK);
    CU_ASSERT_EQUAL(gannet_watch(g, 1), GANNET_OK);
    CU_ASSERT_EQUAL(gannet_watch(g, 1), GANNET_OK);
    CU_ASSERT_EQUAL(gannet_watch(g, 2), GANNET_ERR_INSTRUMENT);
    CU_ASSERT(gannet_next_change(g, &t) == 1 && t.instrument == 0);
    set_top(0, 10, 20, 0); /* changes at once again: the other has its turn first */
    CU_ASSERT(gannet_next_change(g, &t) == 1 && t.instrument == 1);
    CU_ASSERT(gannet_next_change(g, &t) == 1 && t.instrument == 0 && t.bid == 10);
    CU_ASSERT_EQUAL(gannet_next_change(g, &t), 0);
    atomic_store(&fix.instruments->stale, 1); /* concerns every instrument */
    CU_ASSERT(gannet_next_change(g, &t) == 1 && t.flags == GANNET_STALE);
    CU_ASSERT(gannet_next_change(g, &t) == 1 && t.flags == GANNET_STALE);
    CU_ASSERT_EQUAL(gannet_next_change(g, &t), 0);
    gannet_close(g);
    fix_drop(&fix);
}

static void words_and_prices(void)
{
    static const struct {
        int64_t price;
        int32_t exp;
        const char *text;
    } rows[] = {
        {1000100, -4, "100.0100"},
        {-5, -2, "-0.05"},
        {7, 0, "7"},
        {7, 3, "7000"},
        {0, 3, "0"},
        {-7, 1, "-70"},
        {INT64_MIN, -18, "-9.223372036854775808"},
        {1, -19, ""},
        {1, 19, ""},
    };
    char buf[GANNET_PRICE_LEN];
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        CU_ASSERT_STRING_EQUAL(gannet_format_price(rows[i].price, rows[i].exp, buf, sizeof buf), rows[i].text);
    CU_ASSERT_EQUAL(strlen(gannet_format_price(INT64_MIN, 18, buf, sizeof buf)), 38);
    CU_ASSERT_STRING_EQUAL(gannet_format_price(1, 0, buf, GANNET_PRICE_LEN - 1), "");
    for (int err = GANNET_ERR_INTENT; err <= GANNET_OK; err++)
        CU_ASSERT_STRING_NOT_EQUAL(gannet_strerror(err), "unknown error");
    CU_ASSERT_STRING_EQUAL(gannet_strerror(GANNET_ERR_INTENT - 1), "unknown error");
    CU_ASSERT_STRING_EQUAL(gannet_report_name(GANNET_FILLED), "filled");
    CU_ASSERT_STRING_EQUAL(gannet_report_name(0), "unknown");
    CU_ASSERT_STRING_EQUAL(gannet_report_name(GANNET_CORRECTED + 1), "unknown");
    CU_ASSERT_STRING_EQUAL(gannet_verdict_name(GN_VERDICT_NO_LIMIT), "no_limit");
    CU_ASSERT_STRING_EQUAL(gannet_verdict_name(GN_VERDICT_COUNT), "unknown");
}

GN_TEST_MAIN("libgannet", {"intents arrive as they were sent", intents_arrive},
             {"senseless intents are not sent", senseless_intents_are_not_sent},
             {"reports come back as they were given", reports_come_back},
             {"full rings say so, what is lost is counted", full_rings_say_so}, {"rings wrap", rings_wrap},
             {"restarts of either side lose nothing", restarts_lose_nothing},
             {"files that were replaced are seen", replaced_files_are_seen},
             {"instruments are found", instruments_are_found}, {"prices are read whole", prices_are_read},
             {"changes are given once, in turns", changes_are_given_once},
             {"prices and names in words", words_and_prices})
