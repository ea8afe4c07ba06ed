#include "dataplane/engine/gate.h"

#define NS_PER_S 1000000000ull
/* Beyond these no sum below can overflow; every configured limit is far lower. */
#define QTY_SANE   1000000000000ll
#define PRICE_SANE 1000000000000000ll
#define TOB_TRIES  16u /* looks at best prices that another lcore is writing; then they count as stale */

static void take_rates(struct gn_gate *g)
{
    const struct gn_limits_scope *f = gn_limits_firm_row(g->limits, g->generation);
    const uint64_t need = 1ull << GN_SL_MESSAGE_RATE | 1ull << GN_SL_MESSAGE_BURST | 1ull << GN_SL_CANCEL_RESERVE;
    g->interval_ns = g->burst_ns = g->burst_new_ns = 0;
    if ((f->set & need) != need || f->message_rate <= 0 || f->message_burst < 1)
        return;
    /* rounded up: the rate is a ceiling */
    g->interval_ns = (NS_PER_S + (uint64_t)f->message_rate - 1) / (uint64_t)f->message_rate;
    g->burst_ns = (uint64_t)f->message_burst * g->interval_ns;
    int64_t for_new = gn_max_i64(f->message_burst - f->cancel_reserve, 0);
    g->burst_new_ns = (uint64_t)for_new * g->interval_ns;
}

void gn_gate_refresh(struct gn_gate *g)
{
    uint64_t now = gn_limits_current(g->limits);
    if (GN_LIKELY(now == g->generation))
        return;
    g->generation = now;
    take_rates(g);
    gn_limits_seen(g->limits, g->reader, now);
}

static uint32_t level_of(const _Atomic uint64_t *word)
{
    /* acquire: pairs with the release in gn_kill_raise */
    return gn_kill_level(atomic_load_explicit(word, memory_order_acquire));
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint64_t *taken_word(const struct gn_gate *g, uint32_t scope, uint32_t index)
{
    struct gn_gate_words *w = g->words;
    switch (scope) {
    case GN_SCOPE_SESSION:
        return index < GN_SESSIONS_MAX ? &w->session[index] : NULL;
    case GN_SCOPE_STRATEGY:
        return index < GN_STRATEGIES_MAX ? &w->strategy[index] : NULL;
    case GN_SCOPE_INSTRUMENT:
        return index < g->max_instruments ? &w->instrument[index] : NULL;
    default:
        return &w->all;
    }
}

bool gn_gate_take_word(const struct gn_gate *g, uint32_t scope, uint32_t index, uint64_t word)
{
    struct gn_gate_words *w = g->words;
    uint64_t *taken = taken_word(g, scope, index);
    if (taken == NULL || *taken == word)
        return false;
    uint32_t was = gn_kill_level(*taken), is = gn_kill_level(word);
    w->held += (uint32_t)(is != GN_LADDER_ACTIVE) - (uint32_t)(was != GN_LADDER_ACTIVE);
    w->killed += (uint32_t)(is >= GN_LADDER_KILLED) - (uint32_t)(was >= GN_LADDER_KILLED);
    *taken = word;
    return true;
}

uint32_t gn_gate_taken(const struct gn_gate *g, const struct gn_intent *in)
{
    const struct gn_gate_words *w = g->words;
    uint32_t level = max_u32(gn_kill_level(w->all), gn_kill_level(w->session[in->session]));
    level = max_u32(level, gn_kill_level(w->strategy[in->strategy]));
    return max_u32(level, gn_kill_level(w->instrument[in->instrument]));
}

/* A word that somebody raised is taken at once; one that somebody lowered waits for the turn's own look. */
static void take_raised(const struct gn_gate *g, uint32_t scope, uint32_t index, const _Atomic uint64_t *shared)
{
    struct gn_gate_words *w = g->words;
    uint64_t word = atomic_load_explicit(shared, memory_order_acquire);
    const uint64_t *taken = taken_word(g, scope, index);
    if (taken == NULL || gn_kill_level(word) <= gn_kill_level(*taken) || w->n_news == GN_GATE_NEWS_MAX)
        return;
    (void)gn_gate_take_word(g, scope, index, word);
    w->news[w->n_news++] = (struct gn_gate_news){scope, index, word};
}

static GN_COLD uint32_t ladder_up(const struct gn_gate *g, const struct gn_intent *in)
{
    if (g->words == NULL) {
        uint32_t level = max_u32(level_of(&g->control->kill_all), level_of(&g->control->kill_session[in->session]));
        level = max_u32(level, level_of(&g->control->kill_strategy[in->strategy]));
        return max_u32(level, level_of(gn_kill_instrument(g->control) + in->instrument));
    }
    take_raised(g, GN_SCOPE_ALL, 0, &g->control->kill_all);
    take_raised(g, GN_SCOPE_SESSION, in->session, &g->control->kill_session[in->session]);
    take_raised(g, GN_SCOPE_STRATEGY, in->strategy, &g->control->kill_strategy[in->strategy]);
    take_raised(g, GN_SCOPE_INSTRUMENT, in->instrument, gn_kill_instrument(g->control) + in->instrument);
    return gn_gate_taken(g, in);
}

uint32_t gn_gate_ladder(const struct gn_gate *g, const struct gn_intent *in)
{
    if (GN_UNLIKELY(g->closing)) {
        /* acquire: pairs with the release in gn_kill_raise */
        bool same = atomic_load_explicit(&g->control->kill_all, memory_order_acquire) == g->closing_word;
        return same ? GN_LADDER_REDUCE_ONLY : GN_LADDER_KILLED;
    }
    uint32_t up = level_of(&g->control->kill_all) | level_of(&g->control->kill_session[in->session]) |
                  level_of(&g->control->kill_strategy[in->strategy]) |
                  level_of(gn_kill_instrument(g->control) + in->instrument) | (g->words != NULL ? g->words->held : 0);
    return GN_LIKELY(up == GN_LADDER_ACTIVE) ? (uint32_t)GN_LADDER_ACTIVE : ladder_up(g, in);
}

static uint16_t refuse(struct gn_gate_detail *d, uint16_t verdict, int64_t limit, int64_t used)
{
    d->limit = limit;
    d->used = used;
    return verdict;
}

static uint16_t check_budget(const struct gn_gate *g, uint32_t session, bool cancel, uint64_t now_ns,
                             struct gn_gate_detail *d)
{
    if (g->interval_ns == 0)
        return refuse(d, GN_VERDICT_NO_LIMIT, 0, 0);
    uint64_t full = g->budget[session].full_ns;
    uint64_t ahead = (full > now_ns ? full - now_ns : 0) + g->interval_ns;
    uint64_t room = cancel ? g->burst_ns : g->burst_new_ns;
    if (ahead > room)
        return refuse(d, GN_VERDICT_MESSAGE_RATE, (int64_t)(room / g->interval_ns), (int64_t)(ahead / g->interval_ns));
    return GN_VERDICT_OK;
}

void gn_gate_charge(struct gn_gate *g, uint32_t session, uint64_t now_ns)
{
    struct gn_gate_budget *b = &g->budget[session];
    b->full_ns = (b->full_ns > now_ns ? b->full_ns : now_ns) + g->interval_ns;
}

void gn_gate_refund(struct gn_gate *g, uint32_t session)
{
    struct gn_gate_budget *b = &g->budget[session];
    b->full_ns -= b->full_ns > g->interval_ns ? g->interval_ns : b->full_ns;
}

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

/* Quantity by which the intent adds to what already works on its side. */
static int64_t added_qty(const struct gn_intent *in, const struct gn_order *target)
{
    return target == NULL ? in->qty : gn_max_i64(in->qty - target->reserved, 0);
}

static int64_t worst_position(const struct gn_position *p, uint8_t side, int64_t added)
{
    return side == GN_SIDE_BUY ? p->qty + p->open_buy + added : -(p->qty - p->open_sell - added);
}

static uint16_t check_state(const struct gn_gate *g, const struct gn_intent *in, const struct gn_order *target,
                            struct gn_gate_detail *d)
{
    uint32_t ladder = gn_gate_ladder(g, in);
    if (ladder >= GN_LADDER_HALTED)
        return refuse(d, GN_VERDICT_KILLED, GN_LADDER_HALTED, ladder);
    const struct gn_position *p = &g->positions[in->instrument];
    int64_t worst = worst_position(p, in->side, added_qty(in, target));
    if (ladder == GN_LADDER_REDUCE_ONLY && worst > 0)
        return refuse(d, GN_VERDICT_REDUCE_ONLY, 0, worst);
    if (g->control_stale)
        return refuse(d, GN_VERDICT_CONTROL_STALE, 0, 0);
    if (g->journal_failed)
        return refuse(d, GN_VERDICT_JOURNAL_BLOCKED, 0, 0);
    if (g->journal_late)
        return refuse(d, GN_VERDICT_JOURNAL_LAG, g->late.limit, g->late.used);
    if (atomic_load_explicit(&g->sessions[in->session].state, memory_order_relaxed) != GN_SESSION_UP)
        return refuse(d, GN_VERDICT_SESSION_DOWN, 0, 0);
    return GN_VERDICT_OK;
}

static uint16_t check_price(const struct gn_intent *in, const struct gn_tob *tob, const struct gn_limits_instrument *l,
                            struct gn_gate_detail *d)
{
    int64_t ref = tob->bid != 0 && tob->ask != 0 ? (tob->bid + tob->ask) / 2 : tob->last;
    if (ref <= 0)
        return refuse(d, GN_VERDICT_NO_REFERENCE, 0, ref);
    int64_t away = (int64_t)((gn_i128)ref * l->collar_bps / 10000);
    int64_t bound = in->side == GN_SIDE_BUY ? ref + away : ref - away;
    bool beyond = in->side == GN_SIDE_BUY ? in->price > bound : in->price < bound;
    return beyond ? refuse(d, GN_VERDICT_PRICE_COLLAR, bound, in->price) : GN_VERDICT_OK;
}

static uint16_t check_order(const struct gn_gate *g, const struct gn_intent *in, const struct gn_order *target,
                            struct gn_gate_detail *d)
{
    const struct gn_limits_instrument *l = gn_limits_row(g->limits, g->generation, in->instrument);
    const struct gn_limits_scope *f = gn_limits_firm_row(g->limits, g->generation);
    const struct gn_instrument *k = &g->instruments->row[in->instrument];
    const struct gn_position *p = &g->positions[in->instrument];
    struct gn_tob tob = {.flags = 0};
    bool whole = gn_tob_read(&g->tob[in->instrument], &tob, TOB_TRIES);

    if (k->configured == 0 || (l->set & 1ull << GN_LIMIT_TRADABLE) == 0 || l->tradable == 0 ||
        (tob.flags & GN_MD_HALTED))
        return refuse(d, GN_VERDICT_NOT_TRADABLE, 1, 0);
    if (l->set != GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT) || f->set != GN_LIMITS_ALL_SET(GN_SCOPE_LIMIT_COUNT))
        return refuse(d, GN_VERDICT_NO_LIMIT, 0, (int64_t)l->set);
    if (!whole || (tob.flags & (GN_MD_STALE | GN_MD_CROSSED)) != 0 ||
        atomic_load_explicit(&g->instruments->stale, memory_order_relaxed) != 0)
        return refuse(d, GN_VERDICT_MARKET_STALE, 0, tob.flags);
    if (in->qty <= 0 || in->qty % k->lot != 0)
        return refuse(d, GN_VERDICT_BAD_QTY, k->lot, in->qty);
    if (in->price <= 0 || in->price % k->tick != 0)
        return refuse(d, GN_VERDICT_BAD_PRICE, k->tick, in->price);
    if (in->qty > l->max_qty)
        return refuse(d, GN_VERDICT_MAX_QTY, l->max_qty, in->qty);
    gn_i128 value = (gn_i128)in->price * in->qty;
    if (value > l->max_value)
        return refuse(d, GN_VERDICT_MAX_VALUE, l->max_value, value > INT64_MAX ? INT64_MAX : (int64_t)value);
    uint16_t verdict = check_price(in, &tob, l, d);
    if (verdict != GN_VERDICT_OK)
        return verdict;
    int64_t worst = worst_position(p, in->side, added_qty(in, target));
    if (worst > l->max_position)
        return refuse(d, GN_VERDICT_MAX_POSITION, l->max_position, worst);
    if (p->open_orders >= l->max_open_orders)
        return refuse(d, GN_VERDICT_MAX_OPEN_ORDERS, l->max_open_orders, p->open_orders);
    if (g->orders->open >= f->max_open_orders)
        return refuse(d, GN_VERDICT_MAX_OPEN_ORDERS, f->max_open_orders, g->orders->open);
    return GN_VERDICT_OK;
}

uint16_t gn_gate_check(const struct gn_gate *g, const struct gn_intent *in, const struct gn_order *target,
                       uint64_t now_ns, struct gn_gate_detail *d)
{
    uint16_t verdict = check_shape(g, in);
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
        return check_budget(g, in->session, true, now_ns, d);
    }
    if (g->instruments->row[in->instrument].strategy != in->strategy)
        return refuse(d, GN_VERDICT_NOT_OWNER, g->instruments->row[in->instrument].strategy, in->strategy);
    verdict = check_state(g, in, target, d);
    if (verdict != GN_VERDICT_OK)
        return verdict;
    verdict = check_order(g, in, target, d);
    if (verdict != GN_VERDICT_OK)
        return verdict;
    return check_budget(g, in->session, false, now_ns, d);
}
