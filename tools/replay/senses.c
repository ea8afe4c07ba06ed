/* What the new run finds in shared memory and in the rings of clients, at the moment at which the live run found it. */
#include "tools/replay/backtest_impl.h"

#define NS_PER_MS 1000000ull
#define INTENTS   8u /* of a client in one look, as dataplane/engine/strategy/client.c takes them */

static uint32_t payload_bytes(const struct gn_rec *rec)
{
    return rec->bytes - (uint32_t)sizeof *rec;
}

const struct gn_ev_control_in *gn_replay_control_in(const struct gn_rec *rec)
{
    return rec != NULL && rec->type == GN_EV_CONTROL_IN && payload_bytes(rec) >= sizeof(struct gn_ev_control_in)
               ? (const struct gn_ev_control_in *)(const void *)(rec + 1)
               : NULL;
}

const struct gn_ev_session_in *gn_replay_session_in(const struct gn_rec *rec)
{
    if (rec == NULL || rec->type != GN_EV_SESSION_IN || payload_bytes(rec) < sizeof(struct gn_ev_session_in))
        return NULL;
    const struct gn_ev_session_in *in = (const struct gn_ev_session_in *)(const void *)(rec + 1);
    return in->bytes <= payload_bytes(rec) - sizeof *in ? in : NULL;
}

const struct gn_ev_order *gn_replay_order(const struct gn_rec *rec)
{
    return rec != NULL && rec->type == GN_EV_ORDER && payload_bytes(rec) >= sizeof(struct gn_ev_order)
               ? (const struct gn_ev_order *)(const void *)(rec + 1)
               : NULL;
}

/* ---- kill words ---- */

static void put_word(struct gn_replay *r, uint8_t scope, uint32_t index, uint64_t word)
{
    struct gn_control *c = r->orders.control;
    if (scope == GN_SCOPE_SESSION && index < GN_SESSIONS_MAX)
        atomic_store_explicit(&c->kill_session[index], word, memory_order_release);
    else if (scope == GN_SCOPE_STRATEGY && index < GN_STRATEGIES_MAX)
        atomic_store_explicit(&c->kill_strategy[index], word, memory_order_release);
    else if (scope == GN_SCOPE_INSTRUMENT && index < r->conf->max_instruments)
        atomic_store_explicit(gn_kill_instrument(c) + index, word, memory_order_release);
    else if (scope == GN_SCOPE_THEME && index < GN_THEMES_MAX)
        atomic_store_explicit(&c->kill_theme[index], word, memory_order_release);
    else if (scope == GN_SCOPE_ACCOUNT && index < GN_ACCOUNTS_MAX)
        atomic_store_explicit(&c->kill_account[index], word, memory_order_release);
    else if (scope == GN_SCOPE_VENUE && index < GN_VENUES_MAX)
        atomic_store_explicit(&c->kill_venue[index], word, memory_order_release);
    else if (scope == GN_SCOPE_ALL)
        atomic_store_explicit(&c->kill_all, word, memory_order_release);
}

void gn_replay_words(struct gn_replay *r, uint32_t k, uint8_t look)
{
    for (const struct gn_ev_control_in *in; (in = gn_replay_control_in(gn_replay_peek(r, k))) != NULL; k++) {
        if (in->kind == GN_CONTROL_IN_LATE)
            continue;
        if (in->kind != GN_CONTROL_IN_WORD || in->look != look)
            return;
        put_word(r, in->scope, in->index, in->value);
    }
}

/* The word of scope all as the turn's own look found it; one that the data plane raised it raises again by itself. */
static void put_kill(struct gn_replay *r, const struct gn_rec *rec)
{
    const struct gn_ev_kill *k = (const struct gn_ev_kill *)(const void *)(rec + 1);
    if (payload_bytes(rec) < sizeof *k || k->source >= GN_KILL_SOURCES || k->source == GN_KILL_BY_DATAPLANE)
        return;
    struct gn_kill_record note = {.set_ns = k->set_ns, .level = k->level};
    memcpy(note.who, k->who, sizeof note.who < sizeof k->who ? sizeof note.who : sizeof k->who);
    memcpy(note.why, k->why, sizeof note.why < sizeof k->why ? sizeof note.why : sizeof k->why);
    gn_kill_note(r->orders.control, k->source, &note);
    put_word(r, GN_SCOPE_ALL, 0, k->counter << 16 | (uint64_t)k->source << 8 | k->level);
}

/* ---- limits ---- */

/* The lines that changed, on top of the generation before. */
static void put_limits(struct gn_replay *r, uint32_t upto, uint64_t generation)
{
    struct gn_limits *l = r->orders.gate.limits;
    const uint64_t before = gn_limits_current(l);
    const uint64_t bytes = gn_limits_half_bytes(l->rows);
    uint8_t *to = (uint8_t *)gn_limits_scope_row(l, generation, 0);
    if (generation == before)
        return;
    if (generation == before + 1)
        memcpy(to, gn_limits_scope_row(l, before, 0), bytes);
    else
        memset(to, 0, bytes);
    for (uint32_t k = 0; k < upto; k++) {
        const struct gn_rec *rec = gn_replay_peek(r, k);
        const struct gn_ev_state_part *p = (const struct gn_ev_state_part *)(const void *)(rec + 1);
        if (rec->type != GN_EV_STATE_PART || payload_bytes(rec) < sizeof *p || p->table != GN_STATE_LIMITS)
            continue;
        const uint64_t at = (uint64_t)p->index * p->row_bytes, n = (uint64_t)p->count * p->row_bytes;
        if (n <= payload_bytes(rec) - sizeof *p && at + n <= bytes)
            memcpy(to + at, p->data, n);
    }
    atomic_store_explicit(&l->published, generation, memory_order_release);
}

/* ---- the turn's look at the control plane ---- */

static void beat(struct gn_replay *r, const struct gn_ev_control_in *in, uint64_t now_ns)
{
    struct gn_stage_orders *s = &r->orders;
    const bool gone = in != NULL && in->kind == GN_CONTROL_IN_GONE;
    const bool stale = gone || (in != NULL ? in->value != 0 : s->gate.control_stale);
    if (!stale) {
        atomic_fetch_add_explicit(&s->control->controlplane.count, 1, memory_order_relaxed);
        return;
    }
    s->beat_count = atomic_load_explicit(&s->control->controlplane.count, memory_order_relaxed);
    s->beat_ns = now_ns - (gone ? s->conf->heartbeat_cancel_ms : s->conf->heartbeat_stale_ms) * NS_PER_MS;
}

/* ---- breakers and dead-man timers ---- */

/* Who was silent, and since when, is not known here but for what the record of the timer says. */
static void put_silence(struct gn_replay *r, const struct gn_rec *rec, uint64_t now_ns)
{
    struct gn_stage_orders *s = &r->orders;
    struct gn_control *c = s->control;
    const struct gn_ev_deadman *d = (const struct gn_ev_deadman *)(const void *)(rec + 1);
    if (payload_bytes(rec) < sizeof *d || d->session >= s->conf->n_sessions)
        return;
    const uint64_t since_ns = now_ns - d->silent_ns;
    s->guard_ns = 0;
    s->rows[d->session].deadman_fired &= ~(1u << d->what);
    if (d->what == GN_DEADMAN_SESSION)
        s->rows[d->session].deadman_since_ns = since_ns;
    else if (d->what == GN_DEADMAN_FEED)
        atomic_store_explicit(&c->feed_heard_ns, since_ns, memory_order_relaxed);
    else if (d->what == GN_DEADMAN_STRATEGY)
        for (uint32_t i = 0; i < s->conf->n_lcores; i++)
            atomic_store_explicit(&c->lcore[i].count, since_ns, memory_order_relaxed);
    else
        s->beat_ns = since_ns;
}

/* A probe that was due, or that nobody answered, on a connection that is up. */
static void put_probe(struct gn_replay *r, const struct gn_rec *rec)
{
    const struct gn_ev_breaker *b = (const struct gn_ev_breaker *)(const void *)(rec + 1);
    if (payload_bytes(rec) >= sizeof *b && (b->why == GN_BREAKER_WHY_PROBE_DUE || b->why == GN_BREAKER_WHY_PROBE_LOST))
        r->orders.guard_ns = 0;
}

/* A command is put where the control plane puts it, and the bell is rung. */
static void put_command(struct gn_replay *r, const struct gn_rec *rec, uint32_t slot)
{
    struct gn_stage_orders *s = &r->orders;
    const struct gn_ev_command *e = (const struct gn_ev_command *)(const void *)(rec + 1);
    if (payload_bytes(rec) < sizeof *e || slot >= GN_COMMAND_SLOTS)
        return;
    struct gn_command *c = &s->commands->slot[slot];
    s->fences &= ~(1u << slot);
    c->kind = e->kind;
    c->index = e->index;
    c->side = e->side;
    c->qty = e->qty;
    c->price = e->price;
    c->word = e->word;
    atomic_store_explicit(&c->asked, e->number, memory_order_release);
    atomic_fetch_add_explicit(&s->commands->bell_orders, 1, memory_order_release);
    s->guard_ns = 0;
}

/* The look of breakers and timers happens when the live one found something, and finds that only. */
static void before_guard(struct gn_replay *r, uint64_t now_ns)
{
    struct gn_stage_orders *s = &r->orders;
    const struct gn_rec *rec;
    uint32_t commands = 0;
    s->guard_ns = UINT64_MAX;
    for (uint32_t i = 0; i < s->conf->n_sessions; i++)
        s->rows[i].deadman_fired = UINT32_MAX;
    for (uint32_t k = 0; (rec = gn_replay_peek(r, k)) != NULL; k++) {
        if (rec->type == GN_EV_DEADMAN)
            put_silence(r, rec, now_ns);
        else if (rec->type == GN_EV_BREAKER)
            put_probe(r, rec);
        else if (rec->type == GN_EV_COMMAND)
            put_command(r, rec, commands++);
    }
}

void gn_replay_before_orders(struct gn_replay *r, uint64_t now_ns)
{
    struct gn_stage_orders *s = &r->orders;
    const struct gn_ev_control_in *heart = NULL, *in;
    const struct gn_rec *rec;
    s->scan_ns = UINT64_MAX;
    s->lag_look_ns = 0;
    for (uint32_t k = 0; (rec = gn_replay_peek(r, k)) != NULL; k++) {
        if (rec->type == GN_EV_KILL)
            put_kill(r, rec);
        if ((in = gn_replay_control_in(rec)) == NULL)
            continue;
        switch (in->kind) {
        case GN_CONTROL_IN_WORD:
            if (in->look == GN_LOOK_POLL) {
                put_word(r, in->scope, in->index, in->value);
                s->scan_ns = in->scope >= GN_SCOPE_INSTRUMENT ? 0 : s->scan_ns;
            }
            break;
        case GN_CONTROL_IN_STALE:
        case GN_CONTROL_IN_GONE:
            heart = in;
            break;
        case GN_CONTROL_IN_JOURNAL_FAILED:
            atomic_store_explicit(&s->control->journal_failed, 1, memory_order_release);
            break;
        case GN_CONTROL_IN_LIMITS:
            put_limits(r, k, in->value);
            break;
        default:
            break;
        }
    }
    beat(r, heart, now_ns);
    before_guard(r, now_ns);
}

void gn_replay_backtest_senses(struct gn_replay *r)
{
    struct gn_stage_orders *s = &r->orders;
    const struct gn_ev_control_in *in;
    const struct gn_rec *rec;
    atomic_fetch_add_explicit(&s->control->controlplane.count, 1, memory_order_relaxed);
    s->guard_ns = UINT64_MAX;
    s->synced_seq = s->events->next_seq;
    for (uint32_t k = 0; gn_backtest_reads(r) && (rec = gn_replay_peek(r, k)) != NULL; k++) {
        if (rec->type == GN_EV_KILL)
            put_kill(r, rec);
        if ((in = gn_replay_control_in(rec)) == NULL)
            continue;
        const bool own = (in->value >> 8 & 0xff) == GN_KILL_BY_DATAPLANE && (in->value & 0xff) != 0;
        if (in->kind == GN_CONTROL_IN_WORD && !own) {
            put_word(r, in->scope, in->index, in->value);
            s->scan_ns = 0;
        } else if (in->kind == GN_CONTROL_IN_LIMITS) {
            put_limits(r, k, in->value);
        }
    }
}

bool gn_replay_lag(void *arg, struct gn_gate_detail *detail)
{
    struct gn_replay *r = arg;
    if (r->backtest != NULL)
        return false;
    const struct gn_ev_control_in *in = gn_replay_control_in(gn_replay_peek(r, 0));
    if (in != NULL && in->kind == GN_CONTROL_IN_LATE) {
        r->late = in->look != 0;
        *detail = (struct gn_gate_detail){.limit = in->index, .used = (int64_t)in->value};
    }
    return r->late;
}

uint32_t gn_replay_mark(void *arg)
{
    const struct gn_replay *r = arg;
    const struct gn_ev_control_in *in = gn_replay_control_in(gn_replay_peek(r, 0));
    return in != NULL && in->kind == GN_CONTROL_IN_MARK && in->index < r->conf->max_instruments ? in->index : GN_NONE32;
}

/* ---- intents ---- */

void gn_replay_intent(void *arg, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_replay *r = arg;
    struct gn_stage_orders *s = &r->orders;
    if (r->backtest != NULL) {
        s->synced_seq = s->events->next_seq;
        gn_stage_orders_intent(s, in, now_ns);
        gn_ring_publish(s->events);
        return;
    }
    const struct gn_ev_control_in *next = gn_replay_control_in(gn_replay_peek(r, 1));
    const bool look = next != NULL && next->kind == GN_CONTROL_IN_LATE;
    gn_replay_words(r, 1, GN_LOOK_GATE);
    /* the number of records that wait made the live run look at its lag: here, too */
    s->synced_seq = look ? s->events->next_seq - s->conf->journal.unsynced_records - 1 : s->events->next_seq;
    gn_stage_orders_intent(s, in, now_ns);
    gn_ring_publish(s->events);
}

static uint64_t footprint(uint32_t max_instruments)
{
    (void)max_instruments;
    return 64;
}

static void on_market(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md)
{
    (void)state, (void)ctx, (void)md;
}

static void on_exec(void *state, struct gn_strategy_ctx *ctx, const struct gn_exec *exec)
{
    (void)state, (void)ctx, (void)exec;
}

/* True for what an intent may leave behind its order record. */
static bool between(const struct gn_rec *rec)
{
    const struct gn_ev_session_in *in = gn_replay_session_in(rec);
    const struct gn_ev_control_in *c = gn_replay_control_in(rec);
    if (in != NULL)
        return in->kind == GN_SESSION_IN_BLOCKED || in->kind == GN_SESSION_IN_UNBLOCKED;
    if (c != NULL)
        return c->kind == GN_CONTROL_IN_LATE || (c->kind == GN_CONTROL_IN_WORD && c->look != GN_LOOK_POLL);
    return rec->type == GN_EV_RISK || rec->type == GN_EV_OVERRIDE || rec->type == GN_EV_STRATEGY;
}

static void on_timer(void *state, struct gn_strategy_ctx *ctx)
{
    struct gn_replay *r;
    const struct gn_rec *rec;
    (void)state;
    memcpy(&r, ctx->client->pad, sizeof(void *));
    if (r->backtest != NULL)
        return; /* they were decided elsewhere, on what happened then */
    for (uint32_t k = 0; ctx->n < INTENTS && (rec = gn_replay_peek(r, k)) != NULL; k++) {
        const struct gn_ev_order *o = gn_replay_order(rec);
        if (o != NULL && o->intent.strategy == ctx->index && o->intent.tick_seq == 0)
            gn_strategy_emit(ctx, &o->intent);
        else if (o != NULL || k == 0 || !between(rec))
            return;
    }
}

const struct gn_strategy_ops gn_replay_client = {"client", footprint, on_market, on_market, on_exec, on_timer};
