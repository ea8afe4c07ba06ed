/* The gate's life around its checks: taking over limits, starting again, and the kill words of an intent. */
#include "dataplane/engine/gate.h"

void gn_gate_refresh(struct gn_gate *g)
{
    uint64_t now = gn_limits_current(g->limits);
    if (GN_LIKELY(now == g->generation))
        return;
    g->generation = g->ctx.generation = now;
    gn_risk_take_scopes(&g->ctx);
    gn_limits_seen(g->limits, g->reader, now);
}

/* What an earlier life used of the budgets stays used; more than all of it cannot be. */
static void keep_budgets(struct gn_gate *g, uint64_t now_ns)
{
    for (uint32_t i = 0; i < GN_SESSIONS_MAX + GN_SCOPE_ROWS; i++) {
        struct gn_risk_budget *b =
            i < GN_SESSIONS_MAX ? &g->risk->session[i] : &g->risk->scope[i - GN_SESSIONS_MAX].budget;
        b->full_ns = b->full_ns < now_ns + b->burst_ns ? b->full_ns : now_ns + b->burst_ns;
        b->slow_ns = b->slow_ns < now_ns + b->slow_interval_ns ? b->slow_ns : now_ns + b->slow_interval_ns;
    }
}

void gn_gate_start(struct gn_gate *g, uint64_t now_ns)
{
    g->ctx = (struct gn_risk_ctx){.risk = g->risk,
                                  .conf = g->conf,
                                  .control = g->control,
                                  .limits = g->limits,
                                  .positions = g->positions,
                                  .tob = g->tob};
    g->generation = gn_limits_current(g->limits);
    g->ctx.generation = g->generation;
    gn_risk_take_scopes(&g->ctx);
    gn_risk_join(&g->ctx, now_ns);
    keep_budgets(g, now_ns);
    gn_limits_seen(g->limits, g->reader, g->generation);
}

/* ---- kill words ---- */

static uint64_t look_at(const _Atomic uint64_t *word)
{
    /* acquire: pairs with the release in gn_kill_raise */
    return atomic_load_explicit(word, memory_order_acquire);
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
    case GN_SCOPE_THEME:
        return index <= GN_THEMES_MAX ? &w->theme[index] : NULL;
    case GN_SCOPE_ACCOUNT:
        return index < GN_ACCOUNTS_MAX ? &w->account[index] : NULL;
    case GN_SCOPE_VENUE:
        return index < GN_VENUES_MAX ? &w->venue[index] : NULL;
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
    const uint16_t *chain = g->risk->instrument[in->instrument].chain;
    uint32_t level = max_u32(gn_kill_level(w->all), gn_kill_level(w->session[in->session]));
    level = max_u32(level, gn_kill_level(w->strategy[in->strategy]));
    level = max_u32(level, gn_kill_level(w->theme[chain[0] - GN_ROW_THEME]));
    level = max_u32(level, gn_kill_level(w->account[chain[2] - GN_ROW_ACCOUNT]));
    level = max_u32(level, gn_kill_level(w->venue[chain[3] - GN_ROW_VENUE]));
    return max_u32(level, gn_kill_level(w->instrument[in->instrument]));
}

/* A word that somebody raised is taken at once; one that somebody lowered waits for the turn's own look. */
static void take_raised(const struct gn_gate *g, uint32_t scope, uint32_t index, const _Atomic uint64_t *shared)
{
    struct gn_gate_words *w = g->words;
    uint64_t word = look_at(shared);
    const uint64_t *taken = taken_word(g, scope, index);
    if (taken == NULL || gn_kill_level(word) <= gn_kill_level(*taken) || w->n_news == GN_GATE_NEWS_MAX)
        return;
    (void)gn_gate_take_word(g, scope, index, word);
    w->news[w->n_news++] = (struct gn_gate_news){scope, index, word};
}

static uint32_t ladder_now(const struct gn_gate *g, const struct gn_intent *in)
{
    struct gn_control *c = g->control;
    const uint16_t *chain = g->risk->instrument[in->instrument].chain;
    uint32_t level = gn_kill_level(look_at(&c->kill_all));
    level = max_u32(level, gn_kill_level(look_at(&c->kill_session[in->session])));
    level = max_u32(level, gn_kill_level(look_at(&c->kill_strategy[in->strategy])));
    level = max_u32(level, gn_kill_level(look_at(&c->kill_theme[chain[0] - GN_ROW_THEME])));
    level = max_u32(level, gn_kill_level(look_at(&c->kill_account[chain[2] - GN_ROW_ACCOUNT])));
    level = max_u32(level, gn_kill_level(look_at(&c->kill_venue[chain[3] - GN_ROW_VENUE])));
    return max_u32(level, gn_kill_level(look_at(gn_kill_instrument(c) + in->instrument)));
}

static GN_COLD uint32_t ladder_up(const struct gn_gate *g, const struct gn_intent *in)
{
    struct gn_control *c = g->control;
    const uint16_t *chain = g->risk->instrument[in->instrument].chain;
    if (g->words == NULL)
        return ladder_now(g, in);
    take_raised(g, GN_SCOPE_ALL, 0, &c->kill_all);
    take_raised(g, GN_SCOPE_SESSION, in->session, &c->kill_session[in->session]);
    take_raised(g, GN_SCOPE_STRATEGY, in->strategy, &c->kill_strategy[in->strategy]);
    take_raised(g, GN_SCOPE_THEME, chain[0] - GN_ROW_THEME, &c->kill_theme[chain[0] - GN_ROW_THEME]);
    take_raised(g, GN_SCOPE_ACCOUNT, chain[2] - GN_ROW_ACCOUNT, &c->kill_account[chain[2] - GN_ROW_ACCOUNT]);
    take_raised(g, GN_SCOPE_VENUE, chain[3] - GN_ROW_VENUE, &c->kill_venue[chain[3] - GN_ROW_VENUE]);
    take_raised(g, GN_SCOPE_INSTRUMENT, in->instrument, gn_kill_instrument(c) + in->instrument);
    return gn_gate_taken(g, in);
}

uint32_t gn_gate_ladder(const struct gn_gate *g, const struct gn_intent *in)
{
    if (GN_UNLIKELY(g->closing)) {
        bool same = look_at(&g->control->kill_all) == g->closing_word;
        return same ? GN_LADDER_REDUCE_ONLY : GN_LADDER_KILLED;
    }
    struct gn_control *c = g->control;
    const uint16_t *chain = g->risk->instrument[in->instrument].chain;
    uint64_t up = look_at(&c->kill_all) | look_at(&c->kill_session[in->session]) |
                  look_at(&c->kill_strategy[in->strategy]) | look_at(&c->kill_theme[chain[0] - GN_ROW_THEME]) |
                  look_at(&c->kill_account[chain[2] - GN_ROW_ACCOUNT]) |
                  look_at(&c->kill_venue[chain[3] - GN_ROW_VENUE]) | look_at(gn_kill_instrument(c) + in->instrument);
    up = (up & 0xff) | (g->words != NULL ? g->words->held : 0);
    return GN_LIKELY(up == 0) ? (uint32_t)GN_LADDER_ACTIVE : ladder_up(g, in);
}

uint64_t gn_gate_words_sum(const struct gn_gate *g, const struct gn_intent *in)
{
    struct gn_control *c = g->control;
    const uint16_t *chain = g->risk->instrument[in->instrument].chain;
    return look_at(&c->kill_all) + look_at(&c->kill_session[in->session]) + look_at(&c->kill_strategy[in->strategy]) +
           look_at(&c->kill_theme[chain[0] - GN_ROW_THEME]) + look_at(&c->kill_account[chain[2] - GN_ROW_ACCOUNT]) +
           look_at(&c->kill_venue[chain[3] - GN_ROW_VENUE]) + look_at(gn_kill_instrument(c) + in->instrument);
}
