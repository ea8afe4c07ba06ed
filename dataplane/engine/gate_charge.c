/* What an order leaves behind in the gate once it is sent: budgets, sums over short periods, the memory for duplicates,
 * and the count of a strategy's repetitions.
 */
#include "dataplane/engine/gate.h"

static GN_COLD void warn(struct gn_gate *g, struct gn_risk_budget *b, uint32_t row, uint32_t index, uint64_t ahead)
{
    if (b->warned != 0)
        return;
    b->warned =
        gn_risk_tell(&g->ctx, &(struct gn_risk_note){GN_RISK_SOFT, row, index, 0, (int64_t)b->soft_ns, (int64_t)ahead});
}

static void charge(struct gn_gate *g, struct gn_risk_budget *b, uint32_t row, uint32_t index, uint64_t now_ns)
{
    b->full_ns = (b->full_ns > now_ns ? b->full_ns : now_ns) + b->interval_ns;
    uint64_t ahead = b->full_ns - now_ns;
    if (GN_UNLIKELY(ahead > b->soft_ns))
        warn(g, b, row, index, ahead);
    else if (GN_UNLIKELY(b->warned != 0) && ahead < b->soft_ns / 2)
        b->warned = 0;
}

void gn_gate_charge(struct gn_gate *g, uint32_t session, uint32_t strategy, uint64_t now_ns)
{
    uint32_t venue = GN_ROW_VENUE + g->conf->session[session].venue, row = GN_ROW_STRATEGY + strategy;
    charge(g, &g->risk->session[session], GN_RISK_NOTE_SESSION, session, now_ns);
    charge(g, &g->risk->scope[venue].budget, venue, 0, now_ns);
    if (GN_LIKELY(strategy < GN_STRATEGIES_MAX))
        charge(g, &g->risk->scope[row].budget, row, 0, now_ns);
}

static void give_back(struct gn_risk_budget *b)
{
    b->full_ns -= b->full_ns > b->interval_ns ? b->interval_ns : b->full_ns;
}

void gn_gate_refund(struct gn_gate *g, uint32_t session, uint32_t strategy)
{
    give_back(&g->risk->session[session]);
    give_back(&g->risk->scope[GN_ROW_VENUE + g->conf->session[session].venue].budget);
    give_back(&g->risk->scope[GN_ROW_STRATEGY + strategy].budget);
}

static uint64_t key_of(const struct gn_intent *in)
{
    uint64_t k = (uint64_t)in->price * 0x9e3779b97f4a7c15ull;
    k ^= (uint64_t)in->qty * 0xc2b2ae3d27d4eb4full;
    return (k ^ k >> 29) << 1 | in->side;
}

/* The last eight orders that differ; the one that began first makes room. */
static void remember(struct gn_gate *g, struct gn_risk_instrument *x, const struct gn_intent *in, uint64_t now_ns)
{
    uint64_t window = (uint64_t)g->conf->risk.duplicate_ms * 1000000, key = key_of(in);
    uint32_t oldest = 0;
    for (uint32_t k = 0; k < GN_RISK_DUPLICATES; k++) {
        if (x->dup_key[k] == key && now_ns - x->dup_first_ns[k] < window) {
            x->dup_count[k] = (uint16_t)(x->dup_count[k] + (x->dup_count[k] != UINT16_MAX));
            return;
        }
        if (x->dup_key[k] == key) { /* its window is over: it starts again in its place */
            oldest = k;
            break;
        }
        oldest = x->dup_first_ns[k] < x->dup_first_ns[oldest] ? k : oldest;
    }
    x->dup_key[oldest] = key;
    x->dup_first_ns[oldest] = now_ns;
    x->dup_count[oldest] = 1;
}

/* The strategy was executed and comes again, and no person had a hand in it. */
static void count_repeat(struct gn_gate *g, struct gn_risk_instrument *x, uint32_t strategy)
{
    struct gn_risk_scope *s = &g->risk->scope[GN_ROW_STRATEGY + strategy];
    x->executed = 0;
    if (GN_LIKELY(++s->repeats < s->max_repeats))
        return;
    (void)gn_risk_tell(&g->ctx, &(struct gn_risk_note){0, GN_ROW_STRATEGY + strategy, strategy, 0,
                                                       (int64_t)s->max_repeats, (int64_t)s->repeats});
    s->repeats = 0;
    uint64_t enabled = atomic_load_explicit(&g->control->strategy_enabled[strategy], memory_order_relaxed);
    /* release: pairs with the acquire of the control plane */
    atomic_store_explicit(&s->disabled, enabled + 1, memory_order_release);
}

static GN_COLD void watch_ratio(struct gn_gate *g, struct gn_risk_instrument *x, uint32_t i)
{
    const struct gn_position *p = &g->positions[i];
    uint64_t allowed = (uint64_t)x->otr_warn * (p->fills + 1);
    if (p->sent > allowed && x->otr_next != 0)
        (void)gn_risk_tell(&g->ctx, &(struct gn_risk_note){GN_RISK_OTR, GN_NONE32, i, 0, x->otr_warn,
                                                           (int64_t)(p->sent / (p->fills + 1))});
    x->otr_next = p->sent > allowed ? 2 * p->sent : allowed + 1;
}

void gn_gate_sent(struct gn_gate *g, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_risk_instrument *x = &g->risk->instrument[in->instrument];
    uint64_t slot = now_ns / g->ctx.slot_ns;
    int64_t value = gn_risk_money(x, in->qty, in->price);
    gn_risk_sync(&g->ctx, in->instrument);
    gn_risk_window_add(&x->window, x->used, slot, in->qty, value);
    for (uint32_t k = 0; k < GN_RISK_CHAIN; k++) {
        struct gn_risk_scope *s = &g->risk->scope[x->chain[k]];
        gn_risk_window_add(&s->window, s->used, slot, in->qty, value);
    }
    struct gn_risk_budget *b = &g->risk->scope[GN_ROW_STRATEGY + in->strategy].budget;
    b->slow_ns = now_ns + b->slow_interval_ns;
    remember(g, x, in, now_ns);
    if (GN_UNLIKELY(x->executed != 0))
        count_repeat(g, x, in->strategy);
    if (GN_UNLIKELY(g->positions[in->instrument].sent >= x->otr_next))
        watch_ratio(g, x, in->instrument);
}
