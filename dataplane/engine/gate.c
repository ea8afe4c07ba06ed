#include "dataplane/engine/gate.h"

#include "dataplane/engine/guard.h"

/* Beyond these no sum below can overflow; every configured limit is far lower. */
#define QTY_SANE   1000000000000ll
#define PRICE_SANE 1000000000000000ll

/* What the checks of one intent share. */
struct asked {
    struct gn_gate *g;
    const struct gn_intent *in;
    const struct gn_order *target;
    struct gn_risk_instrument *x;
    struct gn_gate_detail *d;
    uint64_t now_ns;
    uint64_t lift; /* verdicts that a token lifts, bit by bit */
    int64_t added; /* quantity by which it adds to what works on its side */
    int64_t value; /* money */
    struct gn_tob tob;
    bool whole; /* tob is one consistent look */
};

/* ---- the ladder ---- */

static uint64_t look_at(const _Atomic uint64_t *word)
{
    /* acquire: pairs with the release in gn_kill_raise */
    return atomic_load_explicit(word, memory_order_acquire);
}

/* All words at once: not 0 when any of them stands above ACTIVE. */
static uint64_t any_word(const struct gn_gate *g, const struct gn_intent *in, const uint16_t *chain)
{
    struct gn_control *c = g->control;
    uint64_t words = look_at(&c->kill_all) | look_at(&c->kill_session[in->session]) |
                     look_at(&c->kill_strategy[in->strategy]) | look_at(&c->kill_theme[chain[0] - GN_ROW_THEME]) |
                     look_at(&c->kill_account[chain[2] - GN_ROW_ACCOUNT]) |
                     look_at(&c->kill_venue[chain[3] - GN_ROW_VENUE]) | look_at(gn_kill_instrument(c) + in->instrument);
    return (words & 0xff) | (g->words != NULL ? g->words->held : 0);
}

static uint16_t refuse(struct gn_gate_detail *d, uint16_t verdict, int64_t limit, int64_t used)
{
    d->limit = limit;
    d->used = used;
    d->scope = 0;
    return verdict;
}

static bool lifted(const struct asked *a, uint32_t verdict)
{
    return verdict < 64 && (a->lift >> verdict & 1) != 0;
}

/* ---- shape, and the order that is named ---- */

static uint16_t check_shape(const struct gn_gate *g, const struct gn_intent *in)
{
    uint32_t count = atomic_load_explicit(&g->instruments->count, memory_order_relaxed);
    if (in->action < GN_ACTION_NEW || in->action > GN_ACTION_REDUCE || in->side > GN_SIDE_SELL ||
        in->tif > GN_TIF_IOC || in->instrument >= count || in->session >= GN_SESSIONS_MAX ||
        in->strategy >= GN_STRATEGIES_MAX)
        return GN_VERDICT_MALFORMED;
    if (in->qty > QTY_SANE || in->qty < -QTY_SANE || in->price > PRICE_SANE || in->price < -PRICE_SANE)
        return GN_VERDICT_MALFORMED;
    return GN_VERDICT_OK;
}

/* An order may be replaced, reduced or cancelled by its strategy when it works and nothing of that kind is in flight.
 */
static uint16_t check_target(const struct gn_intent *in, const struct gn_order *t)
{
    if (in->action == GN_ACTION_NEW)
        return GN_VERDICT_OK;
    if (t == NULL || !gn_order_working(t->state))
        return GN_VERDICT_UNKNOWN_ORDER;
    /* the session too: its state and budget are what is checked, and the target's is where the message goes */
    if (t->strategy != in->strategy || t->instrument != in->instrument || t->session != in->session)
        return GN_VERDICT_NOT_OWNER;
    if (in->action == GN_ACTION_CANCEL)
        return t->state == GN_ORDER_LIVE || t->state == GN_ORDER_PENDING_NEW || t->state == GN_ORDER_PENDING_REPLACE
                   ? GN_VERDICT_OK
                   : GN_VERDICT_ORDER_BUSY;
    if (t->side != in->side)
        return GN_VERDICT_MALFORMED;
    return t->state == GN_ORDER_LIVE ? GN_VERDICT_OK : GN_VERDICT_ORDER_BUSY;
}

/* ---- message budgets ---- */

static bool over(const struct gn_risk_budget *b, bool cancel, uint64_t now_ns)
{
    uint64_t ahead = (b->full_ns > now_ns ? b->full_ns - now_ns : 0) + b->interval_ns;
    return ahead > (cancel ? b->burst_ns : b->burst_new_ns);
}

static GN_COLD uint16_t over_by(const struct gn_risk_budget *b, bool cancel, uint64_t now_ns, uint16_t verdict,
                                struct gn_gate_detail *d)
{
    uint64_t ahead = (b->full_ns > now_ns ? b->full_ns - now_ns : 0) + b->interval_ns;
    uint64_t room = cancel ? b->burst_ns : b->burst_new_ns;
    return refuse(d, verdict, (int64_t)(room / b->interval_ns), (int64_t)(ahead / b->interval_ns));
}

static uint16_t check_budgets(const struct gn_gate *g, const struct gn_intent *in, bool cancel, uint64_t now_ns,
                              struct gn_gate_detail *d)
{
    const struct gn_risk_budget *s = &g->risk->session[in->session];
    const struct gn_risk_budget *v = &g->risk->scope[GN_ROW_VENUE + g->conf->session[in->session].venue].budget;
    const struct gn_risk_budget *k = &g->risk->scope[GN_ROW_STRATEGY + in->strategy].budget;
    if (GN_UNLIKELY(s->interval_ns == 0 || v->interval_ns == 0 || k->interval_ns == 0))
        return refuse(d, GN_VERDICT_NO_LIMIT, 0, 0);
    if (GN_UNLIKELY(over(s, cancel, now_ns)))
        return over_by(s, cancel, now_ns, GN_VERDICT_MESSAGE_RATE, d);
    if (GN_UNLIKELY(over(v, cancel, now_ns)))
        return over_by(v, cancel, now_ns, GN_VERDICT_VENUE_RATE, d);
    if (GN_UNLIKELY(over(k, cancel, now_ns)))
        return over_by(k, cancel, now_ns, GN_VERDICT_STRATEGY_RATE, d);
    return GN_VERDICT_OK;
}

/* ---- what is unusual ---- */

static int64_t worst_position(const struct gn_position *p, uint8_t side, int64_t added)
{
    return side == GN_SIDE_BUY ? p->qty + p->open_buy + added : -(p->qty - p->open_sell - added);
}

static uint32_t losses(const struct gn_gate *g, const struct gn_risk_instrument *x)
{
    uint32_t tripped = x->tripped;
    for (uint32_t k = 0; k < GN_RISK_CHAIN; k++)
        tripped |= g->risk->scope[x->chain[k]].tripped;
    return tripped;
}

static bool disabled(const struct gn_gate *g, uint32_t strategy)
{
    uint64_t number = atomic_load_explicit(&g->risk->scope[GN_ROW_STRATEGY + strategy].disabled, memory_order_relaxed);
    /* acquire: pairs with the release of the control plane, whose record of who enabled it is written */
    return number != atomic_load_explicit(&g->control->strategy_enabled[strategy], memory_order_acquire);
}

static uint32_t missing(const struct gn_gate *g, const struct gn_risk_instrument *x)
{
    uint32_t bits = 0;
    for (uint32_t k = 0; k < GN_RISK_CHAIN; k++)
        bits |= g->risk->scope[x->chain[k]].missing;
    return bits;
}

static bool may_use_venue(const struct gn_gate *g, const struct gn_intent *in, const struct gn_risk_instrument *x)
{
    return g->conf->session[in->session].venue == x->venue &&
           (g->risk->scope[GN_ROW_STRATEGY + in->strategy].venues >> x->venue & 1) != 0;
}

static bool aged(const struct asked *a)
{
    return a->now_ns > a->tob.time_ns && a->now_ns - a->tob.time_ns > a->x->max_age_ns;
}

static bool market_unsound(const struct asked *a)
{
    return !a->whole || (a->tob.flags & (GN_MD_STALE | GN_MD_CROSSED)) != 0 ||
           atomic_load_explicit(&a->g->instruments->stale, memory_order_relaxed) != 0;
}

/* Not 0 when anything must be looked at closer; what it may be is asked one by one in check_unusual. */
static uint64_t unusual(const struct asked *a)
{
    const struct gn_gate *g = a->g;
    const struct gn_risk_instrument *x = a->x;
    uint64_t bits = any_word(g, a->in, x->chain) | x->unusual | losses(g, x) | missing(g, x);
    bits |= (uint64_t)(g->control_stale | g->journal_failed | g->journal_late | g->closing);
    bits |= atomic_load_explicit(&g->sessions[a->in->session].state, memory_order_relaxed) ^ GN_SESSION_UP;
    bits |= (uint64_t)disabled(g, a->in->strategy) | (uint64_t)!may_use_venue(g, a->in, x);
    bits |= (uint64_t)market_unsound(a) | (a->tob.flags & GN_MD_HALTED) | (uint64_t)aged(a);
    bits |= (uint64_t)(g->instruments->row[a->in->instrument].configured == 0);
    return bits | (x->guard & GN_GUARD_MOVE);
}

static uint16_t check_ladder(const struct asked *a, int64_t worst)
{
    const struct gn_gate *g = a->g;
    uint32_t ladder = gn_gate_ladder(g, a->in);
    if (ladder >= GN_LADDER_HALTED)
        return refuse(a->d, GN_VERDICT_KILLED, GN_LADDER_HALTED, ladder);
    if (ladder == GN_LADDER_REDUCE_ONLY && worst > 0)
        return refuse(a->d, GN_VERDICT_REDUCE_ONLY, 0, worst);
    if (g->control_stale)
        return refuse(a->d, GN_VERDICT_CONTROL_STALE, 0, 0);
    if (g->journal_failed)
        return refuse(a->d, GN_VERDICT_JOURNAL_BLOCKED, 0, 0);
    if (g->journal_late)
        return refuse(a->d, GN_VERDICT_JOURNAL_LAG, g->late.limit, g->late.used);
    if (atomic_load_explicit(&g->sessions[a->in->session].state, memory_order_relaxed) != GN_SESSION_UP)
        return refuse(a->d, GN_VERDICT_SESSION_DOWN, 0, 0);
    return GN_VERDICT_OK;
}

static uint16_t check_rights(const struct asked *a, int64_t worst)
{
    const struct gn_gate *g = a->g;
    const struct gn_risk_instrument *x = a->x;
    uint32_t tripped = losses(g, x);
    if ((tripped & (GN_TRIP_LOSS | GN_TRIP_STOP | GN_TRIP_TRADE)) != 0 && worst > 0)
        return refuse(a->d, GN_VERDICT_MAX_LOSS, 0, worst);
    if ((tripped & GN_TRIP_DRAWDOWN) != 0 && worst > 0)
        return refuse(a->d, GN_VERDICT_DRAWDOWN, 0, worst);
    if (disabled(g, a->in->strategy))
        return refuse(a->d, GN_VERDICT_STRATEGY_DISABLED, 0, 0);
    if (!may_use_venue(g, a->in, x))
        return refuse(a->d, GN_VERDICT_PERMISSION, x->venue, g->conf->session[a->in->session].venue);
    if ((x->unusual & GN_UNUSUAL_RESTRICTED) != 0 && (x->unusual & GN_UNUSUAL_NO_LIMIT) == 0 &&
        (x->permit >> a->in->side & 1) == 0)
        return refuse(a->d, GN_VERDICT_PERMISSION, x->permit, 1 << a->in->side);
    return GN_VERDICT_OK;
}

static uint16_t check_known(const struct asked *a)
{
    const struct gn_risk_instrument *x = a->x;
    uint32_t lacks = missing(a->g, x);
    if ((x->unusual & GN_UNUSUAL_UNKNOWN) != 0 || a->g->instruments->row[a->in->instrument].configured == 0 ||
        (a->tob.flags & GN_MD_HALTED) != 0)
        return refuse(a->d, GN_VERDICT_NOT_TRADABLE, 1, 0);
    if ((x->unusual & GN_UNUSUAL_NO_LIMIT) != 0 || (lacks & 1) != 0)
        return refuse(a->d, GN_VERDICT_NO_LIMIT, 0, x->unusual);
    if ((x->unusual & GN_UNUSUAL_RANGE) != 0)
        return refuse(a->d, GN_VERDICT_RISK_STATE, GN_RISK_CLAMP, 0);
    if ((lacks & 2) != 0)
        return refuse(a->d, GN_VERDICT_ATTRIBUTION, 1, 0);
    if (market_unsound(a))
        return refuse(a->d, GN_VERDICT_MARKET_STALE, 0, a->tob.flags);
    if (aged(a))
        return refuse(a->d, GN_VERDICT_MARKET_AGE, (int64_t)x->max_age_ns, (int64_t)(a->now_ns - a->tob.time_ns));
    if ((x->guard & GN_GUARD_MOVE) != 0)
        return refuse(a->d, GN_VERDICT_MARKET_MOVE, x->moved_from, x->recent[0]);
    return GN_VERDICT_OK;
}

static GN_COLD uint16_t check_unusual(const struct asked *a)
{
    int64_t worst = worst_position(&a->g->positions[a->in->instrument], a->in->side, a->added);
    uint16_t verdict = check_ladder(a, worst);
    if (verdict == GN_VERDICT_OK)
        verdict = check_rights(a, worst);
    return verdict == GN_VERDICT_OK ? check_known(a) : verdict;
}

/* ---- one order ---- */

static bool too_far(const struct gn_intent *in, int64_t reference, uint32_t bps)
{
    int64_t away = in->side == GN_SIDE_BUY ? in->price - reference : reference - in->price;
    return (gn_i128)away * 10000 > (gn_i128)reference * bps;
}

static GN_COLD uint16_t collar(const struct asked *a, uint16_t verdict, int64_t reference, uint32_t bps)
{
    int64_t away = (int64_t)((gn_i128)reference * bps / 10000);
    return refuse(a->d, verdict, a->in->side == GN_SIDE_BUY ? reference + away : reference - away, a->in->price);
}

static uint16_t check_price(const struct asked *a)
{
    const struct gn_risk_instrument *x = a->x;
    if (GN_UNLIKELY((a->tob.flags & GN_MD_AUCTION) != 0)) {
        if (x->prev_close <= 0)
            return refuse(a->d, GN_VERDICT_NO_REFERENCE, 0, x->prev_close);
        return too_far(a->in, x->prev_close, x->auction_collar_bps) && !lifted(a, GN_VERDICT_AUCTION_COLLAR)
                   ? collar(a, GN_VERDICT_AUCTION_COLLAR, x->prev_close, x->auction_collar_bps)
                   : GN_VERDICT_OK;
    }
    if (GN_UNLIKELY(x->mark <= 0 || (a->now_ns > x->sound_ns && a->now_ns - x->sound_ns > x->max_age_ns)))
        return refuse(a->d, GN_VERDICT_NO_REFERENCE, (int64_t)x->max_age_ns, x->mark);
    if (GN_UNLIKELY(too_far(a->in, x->mark, x->collar_bps)) && !lifted(a, GN_VERDICT_PRICE_COLLAR))
        return collar(a, GN_VERDICT_PRICE_COLLAR, x->mark, x->collar_bps);
    if (GN_UNLIKELY(too_far(a->in, x->period_mark, x->period_collar_bps)) && !lifted(a, GN_VERDICT_PERIOD_COLLAR))
        return collar(a, GN_VERDICT_PERIOD_COLLAR, x->period_mark, x->period_collar_bps);
    return GN_VERDICT_OK;
}

static uint16_t check_size(struct asked *a)
{
    const struct gn_intent *in = a->in;
    const struct gn_risk_instrument *x = a->x;
    const struct gn_instrument *k = &a->g->instruments->row[in->instrument];
    if (GN_UNLIKELY(in->qty <= 0 || !gn_risk_multiple(in->qty, x->lot_inverse, x->lot_most, x->lot_shift)))
        return refuse(a->d, GN_VERDICT_BAD_QTY, k->lot, in->qty);
    if (GN_UNLIKELY(in->price <= 0 || !gn_risk_multiple(in->price, x->tick_inverse, x->tick_most, x->tick_shift)))
        return refuse(a->d, GN_VERDICT_BAD_PRICE, k->tick, in->price);
    if (GN_UNLIKELY(in->qty > x->max_qty) && !lifted(a, GN_VERDICT_MAX_QTY))
        return refuse(a->d, GN_VERDICT_MAX_QTY, x->max_qty, in->qty);
    a->value = gn_risk_money(x, in->qty, in->price);
    if (GN_UNLIKELY(a->value > x->max_value || a->value == INT64_MAX) && !lifted(a, GN_VERDICT_MAX_VALUE))
        return refuse(a->d, GN_VERDICT_MAX_VALUE, x->max_value, a->value);
    if (GN_UNLIKELY(a->value > GN_RISK_CLAMP))
        return refuse(a->d, GN_VERDICT_RISK_STATE, GN_RISK_CLAMP, a->value);
    if (GN_UNLIKELY(x->min_value != 0) && !lifted(a, GN_VERDICT_MIN_VALUE)) {
        int64_t fee = gn_risk_money(x, x->taker_fee, in->qty) / 100;
        if (a->value - fee < x->min_value)
            return refuse(a->d, GN_VERDICT_MIN_VALUE, x->min_value, a->value - fee);
    }
    return GN_VERDICT_OK;
}

static uint16_t check_position(const struct asked *a)
{
    int64_t worst = worst_position(&a->g->positions[a->in->instrument], a->in->side, a->added);
    if (GN_UNLIKELY(worst > a->x->max_position) && !lifted(a, GN_VERDICT_MAX_POSITION))
        return refuse(a->d, GN_VERDICT_MAX_POSITION, a->x->max_position, worst);
    if (GN_UNLIKELY(worst > a->x->max_short && a->in->side == GN_SIDE_SELL) && !lifted(a, GN_VERDICT_MAX_SHORT))
        return refuse(a->d, GN_VERDICT_MAX_SHORT, a->x->max_short, worst);
    return GN_VERDICT_OK;
}

/* ---- the sums of every scope ---- */

static const uint16_t lane_verdict[GN_LANES] = {
    GN_VERDICT_MAX_OPEN_ORDERS, GN_VERDICT_MAX_EXPOSURE,  GN_VERDICT_MAX_NET,    GN_VERDICT_MAX_NET,
    GN_VERDICT_MAX_DAY_VALUE,   GN_VERDICT_MAX_POSITIONS, GN_VERDICT_WINDOW_QTY, GN_VERDICT_WINDOW_VALUE,
};

/* What the order would add to every sum. Only its own side moves. */
static bool would_add(const struct asked *a, int64_t add[GN_LANES])
{
    const struct gn_risk_instrument *x = a->x;
    const struct gn_position *p = &a->g->positions[a->in->instrument];
    bool buy = a->in->side == GN_SIDE_BUY;
    int64_t worst = gn_risk_money(x, worst_position(p, a->in->side, a->added), x->mark);
    int64_t lng = buy ? worst : x->used[GN_LANE_LONG], shrt = buy ? x->used[GN_LANE_SHORT] : worst;
    add[GN_LANE_OPEN] = 1;
    add[GN_LANE_GROSS] = gn_max_i64(lng, shrt) - x->used[GN_LANE_GROSS];
    add[GN_LANE_LONG] = lng - x->used[GN_LANE_LONG];
    add[GN_LANE_SHORT] = shrt - x->used[GN_LANE_SHORT];
    add[GN_LANE_DAY] = a->value;
    add[GN_LANE_POSITIONS] = 1 - x->used[GN_LANE_POSITIONS];
    add[GN_LANE_QTY] = a->in->qty;
    add[GN_LANE_VALUE] = a->value;
    return worst <= GN_RISK_CLAMP && worst >= -GN_RISK_CLAMP;
}

/* Four lanes at a time; the compiler makes of it what the machine has. */
typedef int64_t gn_four __attribute__((vector_size(32), aligned(8), may_alias));
static_assert(GN_LANES == 8, "two times four lanes");

/* Lanes not 0 where a sum that grows would pass its limit. One that shrinks may stand above it: the market took it
 * there. */
static inline gn_four passes(const int64_t *used, const int64_t *limit, const gn_four *add, const gn_four *grows)
{
    const gn_four *u = (const gn_four *)(const void *)used, *l = (const gn_four *)(const void *)limit;
    return (grows[0] & (u[0] + add[0] > l[0])) | (grows[1] & (u[1] + add[1] > l[1]));
}

/* Which sum, of what scope, instrument first; GN_VERDICT_OK when only lifted ones, or slots that are over, were it. */
static GN_COLD uint16_t name_sum(const struct asked *a, const int64_t *add)
{
    struct gn_risk *r = a->g->risk;
    uint64_t slot = a->now_ns / a->g->ctx.slot_ns;
    for (uint32_t s = 0; s <= GN_RISK_CHAIN; s++) {
        struct gn_risk_scope *scope = s == 0 ? NULL : &r->scope[a->x->chain[s - 1]];
        int64_t *used = s == 0 ? a->x->used : scope->used;
        const int64_t *limit = s == 0 ? a->x->limit : scope->limit;
        gn_risk_window_turn(s == 0 ? &a->x->window : &scope->window, used, slot);
        for (uint32_t k = 0; k < GN_LANES; k++) {
            uint16_t verdict = lane_verdict[k];
            if (add[k] <= 0 || used[k] + add[k] <= limit[k])
                continue;
            if (k == GN_LANE_GROSS && scope != NULL && used[k] + add[k] <= scope->max_gross)
                verdict = GN_VERDICT_LEVERAGE;
            if (lifted(a, verdict))
                continue;
            (void)refuse(a->d, verdict, limit[k], used[k] + add[k]);
            a->d->scope = s == 0 ? 0 : a->x->chain[s - 1] + 1u;
            return verdict;
        }
    }
    return GN_VERDICT_OK;
}

static uint16_t check_sums(const struct asked *a)
{
    const struct gn_risk_scope *scope = a->g->risk->scope;
    const uint16_t *chain = a->x->chain;
    int64_t add[GN_LANES];
    if (GN_UNLIKELY(!would_add(a, add)))
        return refuse(a->d, GN_VERDICT_RISK_STATE, GN_RISK_CLAMP, add[GN_LANE_GROSS]);
    const gn_four *sum = (const gn_four *)(const void *)add;
    const gn_four grows[2] = {sum[0] > 0, sum[1] > 0};
    gn_four bad = passes(a->x->used, a->x->limit, sum, grows);
    for (uint32_t k = 0; k < GN_RISK_CHAIN; k++)
        bad |= passes(scope[chain[k]].used, scope[chain[k]].limit, sum, grows);
    return GN_UNLIKELY((bad[0] | bad[1] | bad[2] | bad[3]) != 0) ? name_sum(a, add) : GN_VERDICT_OK;
}

/* ---- repetition, own orders ---- */

static uint64_t key_of(const struct gn_intent *in)
{
    uint64_t k = (uint64_t)in->price * 0x9e3779b97f4a7c15ull;
    k ^= (uint64_t)in->qty * 0xc2b2ae3d27d4eb4full;
    return (k ^ k >> 29) << 1 | in->side;
}

static GN_COLD uint16_t repeated(const struct asked *a, uint64_t key)
{
    const struct gn_risk_instrument *x = a->x;
    uint64_t window = (uint64_t)a->g->conf->risk.duplicate_ms * 1000000;
    for (uint32_t k = 0; k < GN_RISK_DUPLICATES; k++)
        if (x->dup_key[k] == key && x->dup_count[k] >= x->max_duplicates && a->now_ns - x->dup_first_ns[k] < window &&
            !lifted(a, GN_VERDICT_DUPLICATE))
            return refuse(a->d, GN_VERDICT_DUPLICATE, x->max_duplicates, x->dup_count[k] + 1);
    return GN_VERDICT_OK;
}

static uint16_t check_repeats(const struct asked *a)
{
    uint64_t key = key_of(a->in), hit = 0;
    for (uint32_t k = 0; k < GN_RISK_DUPLICATES; k++)
        hit |= a->x->dup_key[k] == key;
    return GN_UNLIKELY(hit != 0) ? repeated(a, key) : GN_VERDICT_OK;
}

static GN_COLD uint16_t would_meet(const struct asked *a)
{
    const struct gn_order_table *t = a->g->orders;
    uint32_t slot = a->g->positions[a->in->instrument].own;
    while (slot != 0 && slot <= t->capacity) {
        const struct gn_order *o = &t->order[slot - 1];
        slot = o->own_next;
        if (!gn_gate_meets(a->in, o))
            continue;
        if (a->x->smp_mode != 1)
            a->d->smp = 1;
        if (a->x->smp_mode != 2)
            return refuse(a->d, GN_VERDICT_SELF_MATCH, o->price, a->in->price);
    }
    return GN_VERDICT_OK;
}

static uint16_t check_own(const struct asked *a)
{
    const struct gn_position *p = &a->g->positions[a->in->instrument];
    bool near = a->in->side == GN_SIDE_BUY ? p->open_sell != 0 && a->in->price >= p->best_sell
                                           : p->open_buy != 0 && a->in->price <= p->best_buy;
    return GN_UNLIKELY(near) ? would_meet(a) : GN_VERDICT_OK;
}

/* ---- new risk ---- */

static uint16_t check_throttle(const struct asked *a)
{
    const struct gn_risk_budget *k = &a->g->risk->scope[GN_ROW_STRATEGY + a->in->strategy].budget;
    if (a->now_ns < k->slow_ns && gn_gate_ladder(a->g, a->in) == GN_LADDER_THROTTLED)
        return refuse(a->d, GN_VERDICT_THROTTLED, (int64_t)k->slow_interval_ns, (int64_t)(k->slow_ns - a->now_ns));
    return GN_VERDICT_OK;
}

static uint16_t check_order(struct asked *a)
{
    uint16_t verdict = check_size(a);
    if (GN_LIKELY(verdict == GN_VERDICT_OK))
        verdict = check_price(a);
    if (GN_LIKELY(verdict == GN_VERDICT_OK))
        verdict = check_position(a);
    if (GN_LIKELY(verdict == GN_VERDICT_OK))
        verdict = check_sums(a);
    if (GN_LIKELY(verdict == GN_VERDICT_OK))
        verdict = check_repeats(a);
    if (GN_LIKELY(verdict == GN_VERDICT_OK))
        verdict = check_own(a);
    return verdict;
}

static uint16_t check_new(struct asked *a)
{
    struct gn_gate *g = a->g;
    const struct gn_intent *in = a->in;
    uint16_t verdict;
    if (GN_UNLIKELY(g->instruments->row[in->instrument].strategy != in->strategy))
        return refuse(a->d, GN_VERDICT_NOT_OWNER, g->instruments->row[in->instrument].strategy, in->strategy);
    if (GN_UNLIKELY(a->x->generation != g->generation))
        gn_risk_take(&g->ctx, in->instrument);
    a->added = a->target == NULL ? in->qty : gn_max_i64(in->qty - a->target->reserved, 0);
    a->whole = gn_tob_read(&g->tob[in->instrument], &a->tob, GN_GUARD_TRIES);
    /* sums are at the mark of now before the order is added to them */
    if (GN_LIKELY(a->whole) && gn_guard_look(&g->ctx, in->instrument, &a->tob, a->now_ns) && a->x->listed != 0)
        gn_risk_sync(&g->ctx, in->instrument);
    bool look = unusual(a) != 0;
    if (GN_UNLIKELY(look) && (verdict = check_unusual(a)) != GN_VERDICT_OK)
        return verdict;
    verdict = check_order(a);
    if (GN_UNLIKELY(verdict != GN_VERDICT_OK))
        return verdict;
    if (GN_UNLIKELY(look) && (verdict = check_throttle(a)) != GN_VERDICT_OK)
        return verdict;
    return check_budgets(g, in, false, a->now_ns, a->d);
}

/* ---- exceptions ---- */

#define LIFT(name) (1ull << GN_VERDICT_##name)
#define LIFTABLE                                                                                         \
    (LIFT(MAX_QTY) | LIFT(MAX_VALUE) | LIFT(PRICE_COLLAR) | LIFT(MAX_POSITION) | LIFT(MAX_OPEN_ORDERS) | \
     LIFT(MAX_SHORT) | LIFT(MAX_EXPOSURE) | LIFT(MAX_NET) | LIFT(MAX_DAY_VALUE) | LIFT(MAX_POSITIONS) |  \
     LIFT(LEVERAGE) | LIFT(WINDOW_QTY) | LIFT(WINDOW_VALUE) | LIFT(MIN_VALUE) | LIFT(DUPLICATE) |        \
     LIFT(PERIOD_COLLAR) | LIFT(AUCTION_COLLAR))

bool gn_verdict_can_lift(uint32_t verdict)
{
    return verdict < 64 && (LIFTABLE >> verdict & 1) != 0;
}

/* The token for exactly this order, or GN_OVERRIDES. */
static uint32_t find_token(const struct asked *a)
{
    const struct gn_intent *in = a->in;
    for (uint32_t k = 0; k < GN_OVERRIDES; k++) {
        const struct gn_override *o = &a->g->control->override[k];
        /* acquire: pairs with the release of the control plane; what the token says is written */
        uint64_t number = atomic_load_explicit(&o->armed, memory_order_acquire);
        if (number != 0 && number != a->g->risk->override_used[k] && a->now_ns < o->expires_ns &&
            o->strategy == in->strategy && o->instrument == in->instrument && o->side == in->side &&
            o->qty == in->qty && o->price == in->price)
            return k;
    }
    return GN_OVERRIDES;
}

static GN_COLD uint16_t try_token(struct asked *a, uint16_t verdict)
{
    struct gn_gate_detail was = *a->d;
    uint32_t slot = find_token(a);
    if (slot == GN_OVERRIDES)
        return verdict;
    const struct gn_override *o = &a->g->control->override[slot];
    const struct gn_risk_note n = {GN_RISK_NOTE_OVERRIDE, verdict, slot, 0, was.limit, was.used};
    a->lift = o->verdicts & LIFTABLE;
    if ((a->lift >> verdict & 1) == 0 || check_new(a) != GN_VERDICT_OK || !gn_risk_tell(&a->g->ctx, &n)) {
        *a->d = was;
        return verdict;
    }
    a->g->risk->override_used[slot] = atomic_load_explicit(&o->armed, memory_order_relaxed);
    return GN_VERDICT_OK;
}

uint16_t gn_gate_check(struct gn_gate *g, const struct gn_intent *in, const struct gn_order *target, uint64_t now_ns,
                       struct gn_gate_detail *d)
{
    uint16_t verdict = check_shape(g, in);
    d->smp = 0;
    if (GN_UNLIKELY(verdict != GN_VERDICT_OK))
        return refuse(d, verdict, 0, in->action);
    verdict = check_target(in, target);
    if (GN_UNLIKELY(verdict != GN_VERDICT_OK))
        return refuse(d, verdict, 0, target == NULL ? 0 : target->state);
    /* cancelling and reducing take risk away: allowed on every step of the ladder, while there is a session */
    if (in->action == GN_ACTION_CANCEL || in->action == GN_ACTION_REDUCE) {
        if (in->action == GN_ACTION_REDUCE && (in->qty <= 0 || in->qty >= target->leaves))
            return refuse(d, GN_VERDICT_BAD_QTY, target->leaves, in->qty);
        if (atomic_load_explicit(&g->sessions[in->session].state, memory_order_relaxed) != GN_SESSION_UP)
            return refuse(d, GN_VERDICT_SESSION_DOWN, 0, 0);
        return check_budgets(g, in, true, now_ns, d);
    }
    struct asked a = {
        .g = g, .in = in, .target = target, .x = &g->risk->instrument[in->instrument], .d = d, .now_ns = now_ns};
    if (GN_UNLIKELY(g->again)) /* it is in these sums itself */
        a.lift = LIFT(WINDOW_QTY) | LIFT(WINDOW_VALUE) | LIFT(DUPLICATE);
    verdict = check_new(&a);
    if (GN_UNLIKELY(verdict != GN_VERDICT_OK) && in->action == GN_ACTION_NEW && gn_verdict_can_lift(verdict))
        return try_token(&a, verdict);
    return verdict;
}
