/* The gate against its model: a world that changes a little before each intent, intents near every limit, and the same
 * verdict each time. The number of decisions is the argument: 200,000 by default, 10,000,000 for a night.
 */
#include "tests/gn_test.h"
#include "tests/property/gate_model.h"

static unsigned long long decisions = 200000;

static int64_t pick(uint64_t *seed, int64_t n)
{
    return (int64_t)(gn_test_rand(seed) % (uint64_t)n);
}

static bool rarely(uint64_t *seed)
{
    return pick(seed, 14) == 0;
}

static void shake_state(struct gate_world *w, uint64_t *seed, uint32_t k)
{
    _Atomic uint64_t *words[] = {&w->control->kill_all,
                                 &w->control->kill_session[pick(seed, 2)],
                                 &w->control->kill_strategy[k],
                                 &w->control->kill_theme[pick(seed, 2)],
                                 &w->control->kill_account[k % 2],
                                 &w->control->kill_venue[0],
                                 gn_kill_instrument(w->control) + k};
    static const uint32_t flags[] = {GN_MD_STALE, GN_MD_HALTED, GN_MD_CROSSED, GN_MD_AUCTION, GN_MD_AUCTION};
    switch (pick(seed, 8)) {
    case 0:
    case 1: {
        _Atomic uint64_t *word = words[pick(seed, 7)];
        atomic_store(word, rarely(seed) || rarely(seed) ? (uint64_t)pick(seed, 5) : pick(seed, 4) == 0);
        break;
    }
    case 2:
        w->gate.control_stale = rarely(seed);
        break;
    case 3:
        w->gate.journal_failed = rarely(seed);
        w->gate.journal_late = rarely(seed);
        break;
    case 4:
        atomic_store(&w->sessions[pick(seed, 2)].state, rarely(seed) ? (uint32_t)pick(seed, 7) : GN_SESSION_UP);
        break;
    case 5:
        w->tob[k].flags = rarely(seed) ? flags[pick(seed, 5)] : 0;
        break;
    case 6:
        atomic_store(&w->instruments->stale, rarely(seed));
        break;
    default:
        w->instruments->row[k].strategy = rarely(seed) ? GN_NONE32 : k;
    }
}

static void shake_limits(struct gate_world *w, uint64_t *seed, uint32_t k)
{
    struct gn_limits_instrument *l = gate_world_row(w, k);
    struct gn_limits_scope *f = gate_world_firm(w);
    const uint64_t all = GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT);
    switch (pick(seed, 8)) {
    case 0:
        l->set = rarely(seed) ? all & ~(1ull << pick(seed, GN_INSTRUMENT_LIMIT_COUNT)) : all;
        break;
    case 1:
        l->tradable = !rarely(seed);
        break;
    case 2:
        l->max_qty = 60 + pick(seed, 60);
        break;
    case 3:
        l->max_value = 60000000 + pick(seed, 60) * 1000000;
        break;
    case 4:
        l->collar_bps = pick(seed, 600);
        break;
    case 5:
        l->max_position = 400 + pick(seed, 200);
        break;
    case 6:
        l->max_open_orders = 15 + pick(seed, 8);
        break;
    default:
        f->max_open_orders = 45 + pick(seed, 8);
        f->set = GN_LIMITS_ALL_SET(GN_SCOPE_LIMIT_COUNT);
        if (rarely(seed))
            f->set &= ~(1ull << pick(seed, GN_SCOPE_LIMIT_COUNT));
        gate_world_refresh(w);
    }
}

static void shake_market(struct gate_world *w, uint64_t *seed, uint32_t k)
{
    struct gn_tob *t = &w->tob[k];
    struct gn_position *p = &w->positions[k];
    switch (pick(seed, 5)) {
    case 0:
        t->bid = rarely(seed) ? 0 : 990000 - pick(seed, 50) * 100;
        t->ask = rarely(seed) ? 0 : 1010000 + pick(seed, 51) * 100;
        t->last = pick(seed, 3) == 0 ? 0 : 1000000 + pick(seed, 100) * 77;
        t->tick_seq++;
        t->time_ns = w->now_ns;
        break;
    case 1:
        p->qty = pick(seed, 3) == 0 ? pick(seed, 1200) - 600 : pick(seed, 200) - 100;
        break;
    case 2:
        p->open_buy = pick(seed, 150);
        p->open_sell = pick(seed, 150);
        break;
    case 3:
        p->open_orders = (uint32_t)(rarely(seed) ? 13 + pick(seed, 10) : pick(seed, 15));
        break;
    default:
        p->buy_value = pick(seed, 100) * 1000000;
        p->open_value = pick(seed, 100) * 1000000;
    }
    if (pick(seed, 8) == 0) { /* nothing at all: an order would be one more position */
        p->qty = p->open_buy = p->open_sell = 0;
        p->open_orders = 0;
    }
    gn_risk_sync(&w->gate.ctx, k);
}

static struct gn_intent random_intent(uint64_t *seed, uint32_t k)
{
    static const uint8_t actions[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4};
    struct gn_intent in = {
        .action = actions[pick(seed, sizeof actions)],
        .side = (uint8_t)pick(seed, 2),
        .tif = (uint8_t)pick(seed, 2),
        .session = (uint8_t)pick(seed, 2),
        .instrument = k,
        .strategy = (uint16_t)k,
        .price = (9300 + pick(seed, 1400)) * 100,
        .qty = (1 + pick(seed, 110 / (int64_t)(k + 1))) * (int64_t)(k + 1),
    };
    if (!rarely(seed) && !rarely(seed))
        return in;
    switch (pick(seed, 8)) {
    case 0:
        in.action = (uint8_t)pick(seed, 256);
        break;
    case 1:
        in.side = (uint8_t)pick(seed, 4);
        break;
    case 2:
        in.tif = (uint8_t)pick(seed, 4);
        break;
    case 3:
        in.instrument = (uint32_t)pick(seed, 2 * GW_INSTRUMENTS);
        break;
    case 4:
        in.strategy = (uint16_t)pick(seed, 2 * GN_STRATEGIES_MAX);
        break;
    case 5:
        in.session = (uint8_t)pick(seed, 2 * GN_SESSIONS_MAX);
        break;
    case 6:
        in.qty = pick(seed, 6) - 3;
        break;
    default:
        in.price = pick(seed, 3) == 0 ? -pick(seed, 3) : in.price + pick(seed, 100);
    }
    return in;
}

/* Sums of every scope, limits of theirs near what is used. */
static void shake_scopes(struct gate_world *w, uint64_t *seed, uint32_t k)
{
    const uint32_t rows[] = {GN_ROW_FIRM, GN_ROW_VENUE, GN_ROW_ACCOUNT + k % 2, GN_ROW_STRATEGY + k,
                             GN_ROW_THEME + k % 2};
    static const uint32_t fields[GN_LANES] = {GN_SL_MAX_OPEN_ORDERS, GN_SL_MAX_GROSS,     GN_SL_MAX_NET,
                                              GN_SL_MAX_NET,         GN_SL_MAX_DAY_VALUE, GN_SL_MAX_POSITIONS,
                                              GN_SL_WINDOW_QTY,      GN_SL_WINDOW_VALUE};
    uint32_t row = rows[pick(seed, 5)];
    uint32_t lane = (uint32_t)pick(seed, GN_LANES);
    struct gn_limits_scope *l = gn_limits_scope_row(w->limits, w->gate.generation, row);
    int64_t *value = &l->max_open_orders;
    struct gn_limits_scope open;
    gn_limits_scope_open(&open);
    uint32_t field = fields[lane];
    if (pick(seed, 6) == 0) { /* the other half of the time the bound goes away again */
        value[field] =
            gn_max_i64(w->risk->scope[row].used[lane], 0) + pick(seed, 3) * (lane == 0 || lane == 5 ? 1 : 20000000);
        l->set |= 1ull << field;
    } else if (row == GN_ROW_FIRM) {
        value[field] = lane == 0 ? 50 : (&open.max_open_orders)[field];
    } else {
        l->set &= ~(1ull << field);
    }
    if (rarely(seed)) {
        l->equity = 10000000000;
        l->max_leverage_bps = rarely(seed) ? pick(seed, 300) : 10000000;
        l->set |= 1ull << GN_SL_EQUITY | 1ull << GN_SL_MAX_LEVERAGE_BPS;
    }
    if (rarely(seed) && rarely(seed)) {
        l->venues = pick(seed, 8) == 0 ? 2 : 255;
        l->set |= 1ull << GN_SL_VENUES;
    }
}

static void shake_instrument(struct gate_world *w, uint64_t *seed, uint32_t k)
{
    struct gn_limits_instrument *l = gate_world_row(w, k), open;
    gn_limits_instrument_open(&open);
    const int64_t *used = w->risk->instrument[k].used;
    switch (pick(seed, 12)) {
    case 0:
        l->permit = rarely(seed) ? pick(seed, 3) : 3;
        break;
    case 1:
        l->min_value = rarely(seed) ? pick(seed, 60) * 1000000 : 0;
        break;
    case 2:
        l->max_short = rarely(seed) ? pick(seed, 300) : open.max_short;
        break;
    case 3:
        l->max_duplicates = 1 + pick(seed, 6);
        break;
    case 4:
        l->smp_mode = 1 + pick(seed, 3);
        break;
    case 5:
        l->max_age_ms = rarely(seed) ? 1 : 1 + pick(seed, 100);
        break;
    case 6:
        l->max_spread_bps = rarely(seed) ? 1 + pick(seed, 300) : 20000;
        l->outlier_bps = rarely(seed) ? 1 + pick(seed, 300) : 10000;
        l->max_move_bps = rarely(seed) ? 1 + pick(seed, 300) : 10000;
        break;
    case 7:
        l->period_collar_bps = rarely(seed) ? pick(seed, 500) : 10000;
        l->auction_collar_bps = pick(seed, 1000);
        break;
    case 8:
        l->max_exposure = rarely(seed) ? used[GN_LANE_GROSS] + pick(seed, 50) * 1000000 : open.max_exposure;
        l->max_exposure_bps = rarely(seed) ? pick(seed, 10000) : open.max_exposure_bps;
        break;
    case 9:
        l->max_day_value = rarely(seed) ? used[GN_LANE_DAY] + pick(seed, 50) * 1000000 : open.max_day_value;
        break;
    case 10:
        l->window_qty = rarely(seed) ? used[GN_LANE_QTY] + pick(seed, 50) : open.window_qty;
        break;
    default:
        l->window_value = rarely(seed) ? used[GN_LANE_VALUE] + pick(seed, 50) * 1000000 : open.window_value;
    }
}

/* Losses, disabled strategies, ids, sessions at another venue, prices that are seen again. */
static void shake_rights(struct gate_world *w, struct gate_model *m, uint64_t *seed, uint32_t k)
{
    struct gn_risk *r = w->risk;
    uint32_t *tripped[] = {&r->instrument[k].tripped,
                           &r->scope[GN_ROW_FIRM].tripped,
                           &r->scope[GN_ROW_VENUE].tripped,
                           &r->scope[GN_ROW_ACCOUNT + k % 2].tripped,
                           &r->scope[GN_ROW_STRATEGY + k].tripped,
                           &r->scope[GN_ROW_THEME + k % 2].tripped};
    *tripped[pick(seed, 6)] = rarely(seed) && rarely(seed) ? 1u << pick(seed, 4) : 0;
    w->conf.strategy[k].algo_id = rarely(seed) && rarely(seed) ? 0 : 1;
    w->conf.session[1].venue = rarely(seed);
    if (pick(seed, 4) == 0) {
        gn_gate_filled(&w->gate, k);
        m->executed[k] = true;
    }
    if (rarely(seed) && m->disabled[k]) {
        atomic_store(&w->control->strategy_enabled[k], atomic_load(&r->scope[GN_ROW_STRATEGY + k].disabled));
        m->disabled[k] = false;
    }
    if (pick(seed, 3) == 0) {
        w->tob[k].tick_seq++;
        w->tob[k].time_ns = w->now_ns;
    }
}

/* One own order that rests on the other side, or none. */
static void shake_own(struct gate_world *w, uint64_t *seed, uint32_t k)
{
    struct gn_position *p = &w->positions[k];
    p->own = 0;
    if (pick(seed, 3) != 0)
        return;
    uint32_t side = (uint32_t)pick(seed, 2);
    struct gn_order *o = gate_world_order(w, 8 + k, k, side, 10, rarely(seed) ? GN_ORDER_FILLED : GN_ORDER_LIVE);
    o->price = (9300 + pick(seed, 1400)) * 100;
    p->own = 8 + k + 1;
    p->best_buy = p->best_sell = o->price;
    *(side == GN_SIDE_BUY ? &p->open_buy : &p->open_sell) += 1;
    p->open_orders += p->open_orders == 0;
    gn_risk_sync(&w->gate.ctx, k);
}

static void shake_token(struct gate_world *w, uint64_t *seed, const struct gn_intent *in)
{
    static uint64_t number;
    struct gn_override *o = &w->control->override[pick(seed, GN_OVERRIDES)];
    if (!rarely(seed) || in->strategy >= GN_STRATEGIES_MAX)
        return;
    *o = (struct gn_override){.expires_ns = w->now_ns + (uint64_t)pick(seed, 3) * 100000,
                              .instrument = in->instrument ^ (pick(seed, 5) == 0),
                              .strategy = in->strategy,
                              .side = in->side,
                              .qty = in->qty + (pick(seed, 5) == 0),
                              .price = in->price + 100 * (pick(seed, 5) == 0),
                              .verdicts = pick(seed, 4) == 0 ? gn_test_rand(seed) : UINT64_MAX};
    atomic_store(&o->armed, ++number);
}

/* Puts a limit right at the intent, or the intent right at a limit: one below, on it, one above. */
static void aim(struct gate_world *w, uint64_t *seed, uint32_t k, struct gn_intent *in)
{
    struct gn_limits_instrument *l = gate_world_row(w, k);
    int64_t off = pick(seed, 3) - 1;
    if (in->instrument != k)
        return;
    if (rarely(seed) && in->price > 0 && in->qty > 0)
        l->min_value = in->price * in->qty + off;
    if (pick(seed, 5) == 0) {
        const struct gn_position *p = &w->positions[k];
        l->max_position = (in->side == GN_SIDE_BUY ? p->qty + p->open_buy : p->open_sell - p->qty) + in->qty + off;
    }
    if (pick(seed, 3) == 0 && w->positions[k].own != 0) {
        struct gn_position *p = &w->positions[k];
        w->orders->order[8 + k].price = p->best_buy = p->best_sell = in->price;
    }
    if (rarely(seed)) {
        l->max_value = in->price * in->qty + off;
        l->max_qty = in->qty;
    } else if (rarely(seed)) {
        w->tob[k].bid = 990000;
        w->tob[k].ask = 1010000;
        w->tob[k].tick_seq++;
        w->tob[k].time_ns = w->now_ns;
        l->collar_bps = pick(seed, 500);
        in->price = 1000000 + (in->side == GN_SIDE_BUY ? 100 : -100) * (l->collar_bps + off);
    }
}

static const struct gn_order *random_target(struct gate_world *w, uint64_t *seed, const struct gn_intent *in)
{
    if (in->action == GN_ACTION_NEW || rarely(seed))
        return NULL;
    uint32_t k = rarely(seed) ? (uint32_t)pick(seed, GW_INSTRUMENTS) : in->instrument;
    uint32_t side = rarely(seed) ? !in->side : in->side;
    uint32_t state = pick(seed, 3) == 0 ? (uint32_t)pick(seed, GN_ORDER_STATE_COUNT) : GN_ORDER_LIVE;
    struct gn_order *o = gate_world_order(w, 3, k, side, 1 + pick(seed, 100), state);
    o->reserved = pick(seed, o->qty + 1);
    o->session = rarely(seed) ? (uint8_t)!in->session : in->session;
    return o;
}

/* Budgets of venue and strategy that are met, a throttle that is felt, a strategy that soon repeats too often. */
static void tighten(struct gate_world *w)
{
    struct gn_limits_scope *firm = gate_world_firm(w);
    firm->throttled_rate = 200;
    firm->max_repeats = 40;
    firm->message_burst = 10;
    firm->cancel_reserve = 3;
    for (uint32_t row = GN_ROW_VENUE; row < GN_ROW_THEME; row++) {
        struct gn_limits_scope *l = gn_limits_scope_row(w->limits, w->gate.generation, row);
        bool strategy = row >= GN_ROW_STRATEGY;
        l->message_rate = strategy ? 800 : 1250;
        l->message_burst = strategy ? 8 : 12;
        l->cancel_reserve = strategy ? 2 : 4;
    }
    gate_world_refresh(w);
}

static void gate_and_model_agree(void)
{
    uint64_t seed = gn_test_seed(61), seen[GN_VERDICT_COUNT] = {0};
    struct gate_world *w = gate_world_new();
    static struct gate_model m;
    struct gn_intent last = gate_world_intent();
    tighten(w);
    for (unsigned long long i = 0; i < decisions; i++) {
        struct gn_gate_detail detail;
        uint32_t k = (uint32_t)pick(&seed, 8) % GW_INSTRUMENTS;
        shake_state(w, &seed, k);
        shake_limits(w, &seed, k);
        shake_market(w, &seed, k);
        shake_own(w, &seed, k);
        shake_scopes(w, &seed, k);
        shake_instrument(w, &seed, k);
        shake_rights(w, &m, &seed, k);
        w->now_ns += 25000 * (uint64_t)pick(&seed, pick(&seed, 200) == 0 ? 1200 : 6); /* meets full buckets exactly */
        struct gn_intent in = pick(&seed, 5) == 0 ? last : random_intent(&seed, k);
        aim(w, &seed, k, &in);
        shake_token(w, &seed, &in);
        gate_world_refresh(w);
        const struct gn_order *target = random_target(w, &seed, &in);
        uint16_t got = gn_gate_check(&w->gate, &in, target, w->now_ns, &detail);
        uint16_t want = gate_model_verdict(&m, w, &in, target);
        if (got != want) {
            printf("decision %llu: gate says %s, model %s (limit %lld, used %lld)\n", i, gn_verdict_name(got),
                   gn_verdict_name(want), (long long)detail.limit, (long long)detail.used);
            CU_FAIL_FATAL("gate and model differ");
        }
        seen[got]++;
        /* messages that passed, and cancels of a kill, which ask nobody */
        for (int64_t n = got == GN_VERDICT_OK ? 1 + 3 * rarely(&seed) : 0; n > 0; n--) {
            gn_gate_charge(&w->gate, in.session, in.strategy, w->now_ns);
            gate_model_charge(&m, w, in.session, in.strategy);
        }
        if (got == GN_VERDICT_OK && (in.action == GN_ACTION_NEW || in.action == GN_ACTION_REPLACE)) {
            gn_gate_sent(&w->gate, &in, w->now_ns);
            gate_model_sent(&m, w, &in);
            last = in;
        }
        w->gate.ctx.n_notes = 0;
    }
    for (uint32_t v = 0; v < GN_VERDICT_COUNT; v++) {
        if (gn_verdict_name(v) == gn_verdict_name(GN_VERDICT_COUNT))
            continue; /* no verdict has this number */
        bool of_the_stage = v == GN_VERDICT_TABLE_FULL || v == GN_VERDICT_SEND_BLOCKED ||
                            v == GN_VERDICT_BREAKER_OPEN || v == GN_VERDICT_RISK_STATE;
        if (of_the_stage != (seen[v] == 0))
            printf("%s: %llu times\n", gn_verdict_name(v), (unsigned long long)seen[v]);
        CU_ASSERT_TRUE(decisions < 100000 || of_the_stage == (seen[v] == 0));
    }
    printf("%llu of %llu passed ", (unsigned long long)seen[GN_VERDICT_OK], decisions);
    CU_ASSERT_TRUE(seen[GN_VERDICT_OK] > decisions / 50);
    gate_world_free(w);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {{"gate and model agree", gate_and_model_agree}, CU_TEST_INFO_NULL};
    if (argc > 1)
        decisions = strtoull(argv[1], NULL, 10);
    return gn_test_run("gate model", tests);
}
