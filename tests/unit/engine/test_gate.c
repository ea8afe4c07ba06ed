/* The gate: every verdict at its boundary, and closed whenever something is missing. */
#include "tests/gn_test.h"
#include "tests/property/gate_world.h"

static struct gate_world *w;
static struct gn_intent in;
static struct gn_gate_detail detail;

static void begin(void)
{
    w = gate_world_new();
    in = gate_world_intent();
}

static void end(void)
{
    gate_world_free(w);
}

static uint16_t verdict_on(const struct gn_order *target)
{
    gate_world_settle(w);
    return gn_gate_check(&w->gate, &in, target, w->now_ns, &detail);
}

#define EXPECT(name)            CU_ASSERT_STRING_EQUAL(gn_verdict_name(verdict_on(NULL)), name)
#define EXPECT_ON(target, name) CU_ASSERT_STRING_EQUAL(gn_verdict_name(verdict_on(target)), name)

static void passes(void)
{
    begin();
    EXPECT("ok");
    in.side = GN_SIDE_SELL;
    EXPECT("ok");
    CU_ASSERT_STRING_EQUAL(gn_verdict_name(999), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_verdict_help(999), "unknown");
    CU_ASSERT_STRING_NOT_EQUAL(gn_verdict_help(GN_VERDICT_KILLED), "unknown");
    end();
}

static void shape(void)
{
    begin();
    const struct gn_intent good = in;
#define BAD(change)          \
    do {                     \
        in = good;           \
        change;              \
        EXPECT("malformed"); \
    } while (0)
    BAD(in.action = 0);
    BAD(in.action = GN_ACTION_MASS_CANCEL);
    BAD(in.action = 255);
    BAD(in.side = 2);
    BAD(in.tif = 2);
    BAD(in.instrument = GW_INSTRUMENTS);
    BAD(in.instrument = GN_NONE32);
    BAD(in.session = GN_SESSIONS_MAX);
    BAD(in.strategy = GN_STRATEGIES_MAX);
    BAD(in.qty = INT64_MAX);
    BAD(in.qty = INT64_MIN);
    BAD(in.price = INT64_MAX);
    BAD(in.price = INT64_MIN);
    BAD(in.qty = 1000000000001ll);
    BAD(in.price = 1000000000000001ll);
#undef BAD
    end();
}

/* Each scope's word alone stops an order; each step of the ladder does what it says. */
static void kill_words(void)
{
    for (uint32_t scope = 0; scope < 4; scope++) {
        begin();
        in.instrument = 1;
        in.strategy = 1;
        in.qty = 10;
        _Atomic uint64_t *words[] = {&w->control->kill_all, &w->control->kill_session[0], &w->control->kill_strategy[1],
                                     gn_kill_instrument(w->control) + 1};
        static const char *const want[] = {"ok", "ok", "reduce_only", "killed", "killed"};
        for (uint32_t level = 0; level <= GN_LADDER_KILLED; level++) {
            gn_kill_raise(words[scope], level, GN_KILL_BY_OPERATOR);
            CU_ASSERT_EQUAL(gn_gate_ladder(&w->gate, &in), level);
            EXPECT(want[level]);
        }
        in.instrument = in.strategy = 0; /* outside of the narrow scopes */
        in.session = 1;
        atomic_store(&w->sessions[1].state, GN_SESSION_UP);
        CU_ASSERT_STRING_EQUAL(gn_verdict_name(verdict_on(NULL)), scope == 0 ? "killed" : "ok");
        end();
    }
}

static void reduce_only_lets_positions_shrink(void)
{
    begin();
    gn_kill_raise(&w->control->kill_all, GN_LADDER_REDUCE_ONLY, GN_KILL_BY_OPERATOR);
    w->positions[0].qty = -10;
    EXPECT("ok"); /* to exactly flat */
    in.qty = 11;
    EXPECT("reduce_only");
    in.qty = 10;
    w->positions[0].open_buy = 1; /* what works already may fill too */
    EXPECT("reduce_only");
    CU_ASSERT_EQUAL(detail.used, 1);
    w->positions[0] = (struct gn_position){.qty = 10};
    in.side = GN_SIDE_SELL;
    EXPECT("ok");
    w->positions[0].open_sell = 1;
    EXPECT("reduce_only");
    w->positions[0] = (struct gn_position){.qty = 10};
    in.side = GN_SIDE_BUY;
    EXPECT("reduce_only");
    end();
}

/* A bigger number in an order that works counts by what it adds. */
static void replace_counts_what_it_adds(void)
{
    begin();
    struct gn_order *o = gate_world_order(w, 1, 0, GN_SIDE_BUY, 100, GN_ORDER_LIVE);
    gate_world_row(w, 0)->max_qty = 1000;
    gate_world_row(w, 0)->max_value = 1000000000;
    w->positions[0].open_buy = 100;
    w->positions[0].qty = 400;
    in.action = GN_ACTION_REPLACE;
    in.qty = 100;
    EXPECT_ON(o, "ok");
    in.qty = 101;
    EXPECT_ON(o, "max_position");
    CU_ASSERT_EQUAL(detail.limit, 500);
    CU_ASSERT_EQUAL(detail.used, 501);
    in.qty = 1;
    EXPECT_ON(o, "ok"); /* less than works: the worst case stays as it is */
    o->reserved = 50;   /* half of it filled meanwhile, and still counted in open_buy by others */
    in.qty = 51;
    EXPECT_ON(o, "max_position");
    end();
}

static void fail_closed(void)
{
    begin();
    w->gate.control_stale = true;
    EXPECT("control_stale");
    w->gate.control_stale = false;
    w->gate.journal_failed = true;
    EXPECT("journal_blocked");
    w->gate.journal_failed = false;
    w->gate.journal_late = true;
    w->gate.late = (struct gn_gate_detail){.limit = 100, .used = 101};
    EXPECT("journal_lag");
    CU_ASSERT_EQUAL(detail.limit, 100);
    CU_ASSERT_EQUAL(detail.used, 101);
    w->gate.journal_late = false;
    for (uint32_t s = 0; s < GN_SESSION_STATE_COUNT; s++) {
        atomic_store(&w->sessions[0].state, s);
        CU_ASSERT_STRING_EQUAL(gn_verdict_name(verdict_on(NULL)), s == GN_SESSION_UP ? "ok" : "session_down");
    }
    atomic_store(&w->sessions[0].state, GN_SESSION_UP);
    in.instrument = in.strategy = GW_INSTRUMENTS - 1; /* known from the feed, not configured */
    in.qty = 8;
    EXPECT("not_tradable");
    end();
}

static void missing_limits(void)
{
    for (uint32_t bit = 0; bit < GN_INSTRUMENT_LIMIT_COUNT; bit++) {
        begin();
        gate_world_row(w, 0)->set &= ~(1ull << bit);
        CU_ASSERT_STRING_EQUAL(gn_verdict_name(verdict_on(NULL)),
                               bit == GN_LIMIT_TRADABLE ? "not_tradable" : "no_limit");
        end();
    }
    for (uint32_t bit = 0; bit < GN_SCOPE_LIMIT_COUNT; bit++) {
        begin();
        gate_world_firm(w)->set &= ~(1ull << bit);
        gate_world_refresh(w);
        EXPECT("no_limit");
        end();
    }
    static const struct gn_limits_scope rates[] = {{.message_rate = 0, .message_burst = 20},
                                                   {.message_rate = -1, .message_burst = 20},
                                                   {.message_rate = 1000, .message_burst = 0}};
    for (size_t i = 0; i < GN_ARRAY_LEN(rates); i++) {
        begin();
        gate_world_firm(w)->message_rate = rates[i].message_rate;
        gate_world_firm(w)->message_burst = rates[i].message_burst;
        gate_world_refresh(w);
        EXPECT("no_limit");
        end();
    }
    begin();
    memset(gate_world_row(w, 0), 0, sizeof(struct gn_limits_instrument)); /* a row of zeroes is: nothing allowed */
    EXPECT("not_tradable");
    end();
}

static void market_guards(void)
{
    begin();
    w->tob[0].flags = GN_MD_STALE;
    EXPECT("market_stale");
    w->tob[0].flags = GN_MD_CROSSED;
    EXPECT("market_stale");
    w->tob[0].flags = GN_MD_HALTED;
    EXPECT("not_tradable");
    w->tob[0].flags = 0;
    atomic_store(&w->instruments->stale, 1);
    EXPECT("market_stale");
    atomic_store(&w->instruments->stale, 0);
    gn_tob_begin(&w->tob[0]); /* the feed is writing, or died while it did */
    EXPECT("market_stale");
    gn_tob_end(&w->tob[0]);
    EXPECT("ok");
    end();
}

static void reference_price(void)
{
    begin();
    w->tob[0] = (struct gn_tob){.bid = 990000};
    EXPECT("no_reference"); /* one side and no trade */
    w->tob[0].last = 1000000;
    EXPECT("ok");
    in.price = 1050000;
    EXPECT("ok");
    in.price = 1050100;
    EXPECT("price_collar");
    CU_ASSERT_EQUAL(detail.limit, 1050000);
    w->tob[0] = (struct gn_tob){.ask = 990000, .last = 0};
    EXPECT("no_reference");
    w->tob[0].last = -5;
    EXPECT("no_reference");
    end();
}

static void collar(void)
{
    begin(); /* middle 100.0000, 500 basis points: 5.0000 */
    static const struct {
        uint8_t side;
        int64_t price;
        const char *want;
    } rows[] = {
        {GN_SIDE_BUY, 1049900, "ok"},           {GN_SIDE_BUY, 1050000, "ok"},  {GN_SIDE_BUY, 1050100, "price_collar"},
        {GN_SIDE_BUY, 100, "ok" /* passive */}, {GN_SIDE_SELL, 950100, "ok"},  {GN_SIDE_SELL, 950000, "ok"},
        {GN_SIDE_SELL, 949900, "price_collar"}, {GN_SIDE_SELL, 5000000, "ok"},
    };
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        in.side = rows[i].side;
        in.price = rows[i].price;
        EXPECT(rows[i].want);
    }
    gate_world_row(w, 0)->collar_bps = 0;
    in.side = GN_SIDE_BUY;
    in.price = 1000000;
    EXPECT("ok");
    in.price = 1000100;
    EXPECT("price_collar");
    end();
}

static void quantity_price_and_value(void)
{
    begin();
    gate_world_lot(w, 0, 5);
    static const struct {
        int64_t qty, price;
        const char *want;
    } rows[] = {
        {0, 1000000, "bad_qty"}, {-5, 1000000, "bad_qty"}, {4, 1000000, "bad_qty"},   {6, 1000000, "bad_qty"},
        {5, 1000000, "ok"},      {5, 0, "bad_price"},      {5, -100, "bad_price"},    {5, 1000050, "bad_price"},
        {95, 1000000, "ok"},     {100, 1000000, "ok"},     {105, 1000000, "max_qty"}, {5, 100, "ok"},
    };
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        in.qty = rows[i].qty;
        in.price = rows[i].price;
        EXPECT(rows[i].want);
    }
    gate_world_row(w, 0)->max_value = 50000000;
    in.qty = 50;
    in.price = 1000000;
    EXPECT("ok");
    in.price = 1000100;
    EXPECT("max_value");
    CU_ASSERT_EQUAL(detail.used, 50005000);
    in.price = 999900;
    EXPECT("ok");
    /* a product beyond 64 bits is still seen as too much */
    gate_world_row(w, 0)->max_qty = INT64_MAX;
    gate_world_row(w, 0)->max_value = INT64_MAX;
    in.qty = 1000000000000ll;
    in.price = 1000000000000000ll;
    EXPECT("max_value");
    CU_ASSERT_EQUAL(detail.used, INT64_MAX);
    end();
}

static void position(void)
{
    static const struct {
        uint8_t side;
        int64_t qty, open_buy, open_sell;
        const char *want;
    } rows[] = {
        {GN_SIDE_BUY, 489, 0, 0, "ok"},
        {GN_SIDE_BUY, 490, 0, 0, "ok"},
        {GN_SIDE_BUY, 491, 0, 0, "max_position"},
        {GN_SIDE_BUY, 400, 90, 0, "ok"},
        {GN_SIDE_BUY, 400, 91, 0, "max_position"},
        {GN_SIDE_BUY, 490, 0, 1000, "ok" /* sells may not fill */},
        {GN_SIDE_SELL, -489, 0, 0, "ok"},
        {GN_SIDE_SELL, -490, 0, 0, "ok"},
        {GN_SIDE_SELL, -491, 0, 0, "max_position"},
        {GN_SIDE_SELL, -400, 0, 90, "ok"},
        {GN_SIDE_SELL, -400, 0, 91, "max_position"},
        {GN_SIDE_SELL, -490, 1000, 0, "ok"},
        {GN_SIDE_SELL, 10000, 0, 0, "ok" /* out of a position beyond the limit */},
    };
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        begin();
        in.side = rows[i].side;
        w->positions[0].qty = rows[i].qty;
        w->positions[0].open_buy = rows[i].open_buy;
        w->positions[0].open_sell = rows[i].open_sell;
        EXPECT(rows[i].want);
        end();
    }
}

static void open_orders(void)
{
    begin();
    w->positions[0].open_orders = 19;
    w->positions[1].open_orders = 30;
    EXPECT("ok");
    w->positions[0].open_orders = 20;
    EXPECT("max_open_orders");
    CU_ASSERT_EQUAL(detail.limit, 20);
    w->positions[0].open_orders = 21;
    EXPECT("max_open_orders");
    w->positions[0].open_orders = 0;
    w->positions[1].open_orders = 50; /* of another instrument */
    EXPECT("max_open_orders");
    CU_ASSERT_EQUAL(detail.limit, 50);
    end();
}

static void message_budget(void)
{
    begin(); /* 1,000 a second, 20 at once of which 5 are for cancels */
    struct gn_order *o = gate_world_order(w, 1, 0, GN_SIDE_BUY, 10, GN_ORDER_LIVE);
    for (uint32_t i = 0; i < 15; i++) {
        EXPECT("ok");
        gn_gate_charge(&w->gate, 0, 0, w->now_ns);
    }
    EXPECT("message_rate");
    CU_ASSERT_EQUAL(detail.limit, 15);
    CU_ASSERT_EQUAL(detail.used, 16);
    in.session = 1; /* another session's is its own */
    atomic_store(&w->sessions[1].state, GN_SESSION_UP);
    EXPECT("ok");
    in.session = 0;
    w->now_ns += 999999;
    EXPECT("message_rate");
    w->now_ns += 1;
    EXPECT("ok");
    gn_gate_charge(&w->gate, 0, 0, w->now_ns);
    EXPECT("message_rate");
    in.action = GN_ACTION_CANCEL;
    for (uint32_t i = 0; i < 5; i++) {
        EXPECT_ON(o, "ok");
        gn_gate_charge(&w->gate, 0, 0, w->now_ns);
    }
    EXPECT_ON(o, "message_rate");
    w->now_ns += 3600000000000ull; /* an hour of silence gives no more than one burst */
    in.action = GN_ACTION_NEW;
    for (uint32_t i = 0; i < 15; i++) {
        EXPECT("ok");
        gn_gate_charge(&w->gate, 0, 0, w->now_ns);
    }
    EXPECT("message_rate");
    end();
}

/* Never more than burst + rate x time, also where the rate does not divide a second. */
static void rates_are_never_passed(void)
{
    static const int64_t rates[] = {1, 3, 7, 999, 1000, 600001, 6000001, 9999999, 10000000};
    for (size_t i = 0; i < GN_ARRAY_LEN(rates); i++) {
        begin();
        gate_world_firm(w)->message_rate = rates[i];
        gate_world_firm(w)->message_burst = 10;
        gate_world_firm(w)->cancel_reserve = 0;
        gate_world_refresh(w);
        int64_t passed = 0, horizon_ns = rates[i] < 1000 ? 20000000000ll : 100000000;
        uint64_t step = rates[i] < 1000 ? 1000000 : 97, from = w->now_ns;
        while (w->now_ns - from < (uint64_t)horizon_ns) {
            if (gn_gate_check(&w->gate, &in, NULL, w->now_ns, &detail) == GN_VERDICT_OK) {
                passed++;
                gn_gate_charge(&w->gate, 0, 0, w->now_ns);
            }
            w->now_ns += step;
        }
        CU_ASSERT_TRUE((gn_i128)(passed - 10) * 1000000000 <= (gn_i128)rates[i] * horizon_ns);
        CU_ASSERT_TRUE(passed >= 10);
        end();
    }
}

/* Cancelling and reducing take risk away: nothing but a missing session, a spent budget or the order itself stops it.
 */
static void cancels_pass_whatever_else_is_wrong(void)
{
    begin();
    struct gn_order *o = gate_world_order(w, 1, 0, GN_SIDE_BUY, 10, GN_ORDER_LIVE);
    w->gate.control_stale = w->gate.journal_failed = w->gate.journal_late = true;
    atomic_store(&w->instruments->stale, 1);
    w->tob[0] = (struct gn_tob){.flags = GN_MD_STALE | GN_MD_CROSSED | GN_MD_HALTED};
    memset(gate_world_row(w, 0), 0, sizeof(struct gn_limits_instrument));
    w->positions[0].qty = 100000;
    for (uint32_t level = 0; level <= GN_LADDER_KILLED; level++) {
        gn_kill_raise(&w->control->kill_all, level, GN_KILL_BY_OPERATOR);
        in.action = GN_ACTION_CANCEL;
        EXPECT_ON(o, "ok");
        in.action = GN_ACTION_REDUCE;
        in.qty = 9;
        EXPECT_ON(o, "ok");
        in.qty = 10; /* not less */
        EXPECT_ON(o, "bad_qty");
        in.qty = 0; /* that would be a cancel */
        EXPECT_ON(o, "bad_qty");
        in.action = GN_ACTION_REPLACE;
        in.qty = 1;
        CU_ASSERT_NOT_EQUAL(verdict_on(o), GN_VERDICT_OK); /* even a smaller one is a new order */
    }
    atomic_store(&w->sessions[0].state, GN_SESSION_RECOVERING);
    in.action = GN_ACTION_CANCEL;
    EXPECT_ON(o, "session_down");
    end();
}

static void targets(void)
{
    begin();
    static const struct {
        uint32_t state;
        const char *cancel, *replace;
    } rows[] = {
        {GN_ORDER_FREE, "unknown_order", "unknown_order"},
        {GN_ORDER_PENDING_NEW, "ok", "order_busy"},
        {GN_ORDER_LIVE, "ok", "ok"},
        {GN_ORDER_PENDING_CANCEL, "order_busy", "order_busy"},
        {GN_ORDER_PENDING_REPLACE, "ok", "order_busy"},
        {GN_ORDER_IN_DOUBT, "order_busy", "order_busy"},
        {GN_ORDER_FILLED, "unknown_order", "unknown_order"},
        {GN_ORDER_CANCELED, "unknown_order", "unknown_order"},
        {GN_ORDER_REJECTED, "unknown_order", "unknown_order"},
        {GN_ORDER_REPLACED, "unknown_order", "unknown_order"},
    };
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        struct gn_order *o = gate_world_order(w, 1, 0, GN_SIDE_BUY, 20, rows[i].state);
        in.action = GN_ACTION_CANCEL;
        EXPECT_ON(o, rows[i].cancel);
        in.action = GN_ACTION_REPLACE;
        EXPECT_ON(o, rows[i].replace);
        in.action = GN_ACTION_REDUCE;
        EXPECT_ON(o, rows[i].replace);
    }
    struct gn_order *o = gate_world_order(w, 1, 0, GN_SIDE_BUY, 20, GN_ORDER_LIVE);
    for (in.action = GN_ACTION_REPLACE; in.action <= GN_ACTION_REDUCE; in.action++) {
        EXPECT_ON(NULL, "unknown_order");
        in.strategy = 1;
        EXPECT_ON(o, "not_owner");
        in.strategy = 0;
        in.instrument = 1;
        EXPECT_ON(o, "not_owner");
        in.instrument = 0;
    }
    in.action = GN_ACTION_REPLACE;
    in.side = GN_SIDE_SELL; /* a replacement keeps its side */
    EXPECT_ON(o, "malformed");
    in.action = GN_ACTION_CANCEL;
    EXPECT_ON(o, "ok"); /* a cancel has none */
    /* the session that is checked and charged must be the one the message goes out on */
    in.session = 1;
    atomic_store(&w->sessions[1].state, GN_SESSION_UP);
    EXPECT_ON(o, "not_owner");
    end();
}

static void only_the_owner_trades_an_instrument(void)
{
    begin();
    in.strategy = 1;
    EXPECT("not_owner");
    w->instruments->row[0].strategy = GN_NONE32;
    in.strategy = 0;
    EXPECT("not_owner");
    end();
}

static void refresh_takes_over_what_was_published(void)
{
    begin();
    uint64_t was = w->gate.generation;
    gn_gate_refresh(&w->gate);
    CU_ASSERT_EQUAL(w->gate.generation, was);
    gn_limits_row(w->limits, was + 1, 0)->max_qty = 9;
    EXPECT("ok"); /* written, not published */
    CU_ASSERT_TRUE(gn_limits_idle(w->limits, 1));
    gn_limits_publish(w->limits);
    CU_ASSERT_FALSE(gn_limits_idle(w->limits, 1));
    EXPECT("ok"); /* published, not taken over: the old one is whole */
    gn_gate_refresh(&w->gate);
    CU_ASSERT_TRUE(gn_limits_idle(w->limits, 1));
    EXPECT("max_qty");
    end();
}

GN_TEST_MAIN("gate", {"passes", passes}, {"shape", shape}, {"kill words", kill_words},
             {"reduce-only lets positions shrink", reduce_only_lets_positions_shrink},
             {"replace counts what it adds", replace_counts_what_it_adds}, {"fail closed", fail_closed},
             {"missing limits", missing_limits}, {"market guards", market_guards}, {"reference price", reference_price},
             {"collar", collar}, {"quantity, price and value", quantity_price_and_value}, {"position", position},
             {"open orders", open_orders}, {"message budget", message_budget},
             {"rates are never passed", rates_are_never_passed},
             {"cancels pass whatever else is wrong", cancels_pass_whatever_else_is_wrong}, {"targets", targets},
             {"only the owner trades an instrument", only_the_owner_trades_an_instrument},
             {"refresh takes over what was published", refresh_takes_over_what_was_published})
