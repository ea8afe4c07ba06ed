#include "dataplane/lcore/stage_inputs.h"

#define PART_BYTES 8192u /* of rows in one record */
#define LINE       64u

void gn_inputs_session(struct gn_stage_orders *s, uint32_t session, uint16_t kind, uint64_t value, const uint8_t *data,
                       uint16_t bytes, uint64_t now_ns)
{
    if (s->conf->journal.inputs == 0)
        return;
    struct gn_rec *rec =
        gn_orders_event(s, GN_EV_SESSION_IN, (uint32_t)sizeof(struct gn_ev_session_in) + bytes, now_ns);
    if (rec == NULL)
        return;
    struct gn_ev_session_in *ev = (struct gn_ev_session_in *)(rec + 1);
    *ev = (struct gn_ev_session_in){.session = session, .kind = kind, .bytes = bytes, .value = value};
    if (bytes != 0)
        memcpy(ev->data, data, bytes);
}

GN_COLD void gn_inputs_send_failed(struct gn_stage_orders *s, uint32_t session, uint32_t len, uint64_t now_ns)
{
    if (s->blocked & 1u << session)
        return; /* said already */
    s->blocked |= 1u << session;
    gn_inputs_session(s, session, GN_SESSION_IN_BLOCKED, len, NULL, 0, now_ns);
}

GN_COLD void gn_inputs_send_works(struct gn_stage_orders *s, uint32_t session, uint32_t len, uint64_t now_ns)
{
    s->blocked &= ~(1u << session);
    gn_inputs_session(s, session, GN_SESSION_IN_UNBLOCKED, len, NULL, 0, now_ns);
}

void gn_inputs_control(struct gn_stage_orders *s, const struct gn_ev_control_in *in, uint64_t now_ns)
{
    if (s->conf->journal.inputs == 0)
        return;
    struct gn_rec *rec = gn_orders_event(s, GN_EV_CONTROL_IN, sizeof *in, now_ns);
    if (rec != NULL)
        *(struct gn_ev_control_in *)(rec + 1) = *in;
}

GN_COLD void gn_inputs_news_slow(struct gn_stage_orders *s, uint8_t look, uint64_t now_ns)
{
    for (uint32_t i = 0; i < s->words.n_news; i++) {
        const struct gn_gate_news *n = &s->words.news[i];
        const struct gn_ev_control_in in = {
            .kind = GN_CONTROL_IN_WORD, .look = look, .scope = (uint8_t)n->scope, .index = n->index, .value = n->word};
        gn_inputs_control(s, &in, now_ns);
    }
    s->words.n_news = 0;
    s->due_ns = 0;
}

/* ---- rows of tables ---- */

/* Writes runs of rows as records; a row that is all zeros, or equal to its line in `but`, is left out. */
struct parts {
    struct gn_stage_orders *s;
    gn_inputs_room_fn *room; /* NULL: what does not fit is left out */
    void *arg;
    uint64_t now_ns;
    uint32_t n;
    bool complete;
    struct gn_ev_state_part *last;
};

static bool has_room(const struct gn_stage_orders *s)
{
    uint64_t used = s->events->pending - atomic_load_explicit(&s->events->tail, memory_order_acquire);
    return s->events->cells - used > s->events->cells / 2 + 2 * GN_REC_CELLS_MAX;
}

static bool same_line(const uint8_t *a, const uint8_t *b, uint32_t bytes)
{
    static const uint8_t zeros[sizeof(struct gn_session_state_row)];
    return memcmp(a, b != NULL ? b : zeros, bytes) == 0;
}

static void put_run(struct parts *p, uint32_t table, const uint8_t *rows, uint32_t row_bytes, uint32_t from, uint32_t n)
{
    struct gn_stage_orders *s = p->s;
    while (p->complete && !has_room(s))
        if (p->room == NULL || !p->room(p->arg))
            p->complete = false;
    if (!p->complete)
        return;
    const uint32_t bytes = n * row_bytes;
    struct gn_rec *rec =
        gn_orders_event(s, GN_EV_STATE_PART, (uint32_t)sizeof(struct gn_ev_state_part) + bytes, p->now_ns);
    if (rec == NULL)
        return;
    struct gn_ev_state_part *ev = (struct gn_ev_state_part *)(rec + 1);
    *ev = (struct gn_ev_state_part){.table = table, .index = from, .count = n, .row_bytes = row_bytes};
    memcpy(ev->data, rows + (uint64_t)from * row_bytes, bytes);
    p->last = ev;
    p->n++;
}

static void put_rows(struct parts *p, uint32_t table, const void *rows, const void *but, uint32_t row_bytes,
                     uint32_t count)
{
    const uint8_t *at = rows, *other = but;
    const uint32_t most = PART_BYTES / row_bytes;
    for (uint32_t i = 0; i < count;) {
        uint32_t n = 0;
        while (i + n < count && n < most &&
               !same_line(at + (uint64_t)(i + n) * row_bytes,
                          other == NULL ? NULL : other + (uint64_t)(i + n) * row_bytes, row_bytes))
            n++;
        if (n != 0)
            put_run(p, table, at, row_bytes, i, n);
        i += n != 0 ? n : 1;
    }
}

static void put_half(struct parts *p, uint64_t generation, const void *but)
{
    const uint32_t lines = (uint32_t)(gn_limits_half_bytes(p->s->gate.limits->rows) / LINE);
    put_rows(p, GN_STATE_LIMITS, gn_limits_scope_row(p->s->gate.limits, generation, 0), but, LINE, lines);
}

void gn_inputs_limits(struct gn_stage_orders *s, uint64_t before, uint64_t now, uint64_t now_ns)
{
    struct parts p = {.s = s, .now_ns = now_ns, .complete = true};
    if (s->conf->journal.inputs == 0)
        return;
    if (now != s->told_generation)
        put_half(&p, now, now == before + 1 ? gn_limits_scope_row(s->gate.limits, before, 0) : NULL);
    s->told_generation = now;
    const struct gn_ev_control_in in = {.kind = GN_CONTROL_IN_LIMITS, .index = !p.complete, .value = now};
    gn_inputs_control(s, &in, now_ns);
}

/* All words are taken as they are now, and written as they were taken. */
static void put_words(struct parts *p)
{
    struct gn_stage_orders *s = p->s;
    struct gn_gate_words *w = &s->words;
    uint64_t fixed[GN_STATE_WORD_COUNT];
    (void)gn_gate_take_word(&s->gate, GN_SCOPE_ALL, 0,
                            atomic_load_explicit(&s->control->kill_all, memory_order_acquire));
    for (uint32_t i = 0; i < GN_SESSIONS_MAX; i++)
        (void)gn_gate_take_word(&s->gate, GN_SCOPE_SESSION, i,
                                atomic_load_explicit(&s->control->kill_session[i], memory_order_acquire));
    for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
        (void)gn_gate_take_word(&s->gate, GN_SCOPE_STRATEGY, i,
                                atomic_load_explicit(&s->control->kill_strategy[i], memory_order_acquire));
    for (uint32_t i = 0; i < s->gate.max_instruments; i++)
        (void)gn_gate_take_word(&s->gate, GN_SCOPE_INSTRUMENT, i,
                                atomic_load_explicit(gn_kill_instrument(s->control) + i, memory_order_acquire));
    for (uint32_t i = 0; i < GN_THEMES_MAX; i++)
        (void)gn_gate_take_word(&s->gate, GN_SCOPE_THEME, i,
                                atomic_load_explicit(&s->control->kill_theme[i], memory_order_acquire));
    for (uint32_t i = 0; i < GN_ACCOUNTS_MAX; i++)
        (void)gn_gate_take_word(&s->gate, GN_SCOPE_ACCOUNT, i,
                                atomic_load_explicit(&s->control->kill_account[i], memory_order_acquire));
    for (uint32_t i = 0; i < GN_VENUES_MAX; i++)
        (void)gn_gate_take_word(&s->gate, GN_SCOPE_VENUE, i,
                                atomic_load_explicit(&s->control->kill_venue[i], memory_order_acquire));
    fixed[0] = w->all;
    memcpy(fixed + 1, w->session, sizeof w->session);
    memcpy(fixed + 1 + GN_SESSIONS_MAX, w->strategy, sizeof w->strategy);
    memcpy(fixed + 1 + GN_SESSIONS_MAX + GN_STRATEGIES_MAX, w->theme, GN_THEMES_MAX * sizeof w->theme[0]);
    memcpy(fixed + 1 + GN_SESSIONS_MAX + GN_STRATEGIES_MAX + GN_THEMES_MAX, w->account, sizeof w->account);
    memcpy(fixed + GN_STATE_WORD_COUNT - GN_VENUES_MAX, w->venue, sizeof w->venue);
    put_rows(p, GN_STATE_WORDS, fixed, NULL, sizeof fixed[0], GN_ARRAY_LEN(fixed));
    put_rows(p, GN_STATE_INSTRUMENT_WORDS, w->instrument, NULL, sizeof w->instrument[0], s->gate.max_instruments);
}

/* The password stays out of the journal: no output depends on it. */
static void put_session_state(struct parts *p)
{
    for (uint32_t i = 0; i < p->s->conf->n_sessions; i++) {
        struct gn_session_state_row row = p->s->state[i];
        memset(row.soup.password, 0, sizeof row.soup.password);
        put_run(p, GN_STATE_SESSION_STATE, (const uint8_t *)&row, sizeof row, 0, 1);
        /* the copy is row 0 of its own; the record says whose it is */
        if (p->complete)
            p->last->index = i;
    }
}

void gn_inputs_start(struct gn_stage_orders *s, uint32_t stages, bool joined, bool books_kept, gn_inputs_room_fn *room,
                     void *arg, uint64_t now_ns)
{
    struct parts p = {.s = s, .room = room, .arg = arg, .now_ns = now_ns, .complete = true};
    const struct gn_conf *c = s->conf;
    if (c->journal.inputs == 0)
        return;
    s->told_generation = gn_limits_current(s->gate.limits);
    put_words(&p);
    put_half(&p, s->told_generation, NULL);
    put_rows(&p, GN_STATE_SESSIONS, s->rows, NULL, sizeof *s->rows, c->n_sessions);
    put_session_state(&p);
    put_rows(&p, GN_STATE_RISK, s->gate.risk, NULL, LINE, (uint32_t)(gn_risk_footprint(s->gate.risk->rows) / LINE));
    put_rows(&p, GN_STATE_POSITIONS, s->positions, NULL, sizeof *s->positions, c->max_instruments);
    put_rows(&p, GN_STATE_ORDERS, s->orders->order, NULL, sizeof *s->orders->order, s->orders->capacity);
    struct gn_rec *rec = gn_orders_event(s, GN_EV_START, sizeof(struct gn_ev_start), now_ns);
    if (rec != NULL)
        *(struct gn_ev_start *)(rec + 1) = (struct gn_ev_start){
            .epoch = s->epoch,
            .next_order_seq = s->orders->next_seq,
            .limits_generation = s->told_generation,
            .lcore = s->lcore,
            .stages = stages,
            .joined = joined,
            .books_kept = books_kept,
            .complete = p.complete,
            .parts = p.n,
        };
}

/* ---- digests ---- */

static uint64_t fold(uint64_t h, const void *rows, size_t bytes)
{
    const uint8_t *at = rows;
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, sizeof word);
        h = gn_digest_mix(h + 0x9e3779b97f4a7c15ull + word);
    }
    return h;
}

static uint64_t fold_word(uint64_t h, uint64_t word)
{
    return fold(h, &word, sizeof word);
}

static uint64_t digest_books(const struct gn_stage_feed *f)
{
    const uint32_t n = atomic_load_explicit(&f->instruments->count, memory_order_relaxed);
    uint64_t h = fold_word(0, f->arb->next);
    for (uint32_t i = 0; i < n; i++) {
        const struct gn_tob *t = &f->tob[i];
        h = fold(h, f->instruments->row[i].symbol, sizeof f->instruments->row[i].symbol);
        h = fold(h, &f->rows[i], sizeof f->rows[i]);
        h = fold_word(h, t->flags);
        h = fold(h, &t->bid, sizeof *t - offsetof(struct gn_tob, bid));
    }
    return h;
}

static uint64_t digest_orders(const struct gn_order_table *t)
{
    uint64_t h = fold_word(0, t->next_seq);
    for (uint32_t i = 0; i < t->capacity; i++)
        if (t->order[i].state != GN_ORDER_FREE)
            h = fold(h, &t->order[i], offsetof(struct gn_order, list_next));
    return h;
}

static uint64_t digest_sessions(const struct gn_stage_orders *s)
{
    uint64_t h = 0;
    for (uint32_t i = 0; i < s->conf->n_sessions; i++) {
        const struct gn_session_row *r = &s->rows[i];
        const struct gn_session_state_row *st = &s->state[i];
        const uint64_t words[] = {atomic_load_explicit(&r->state, memory_order_relaxed),
                                  r->reason,
                                  r->next_in_seq,
                                  r->connects,
                                  r->backoff_ms,
                                  r->retry_ns,
                                  r->last_rx_ns,
                                  r->last_tx_ns,
                                  r->logins,
                                  r->losses,
                                  r->orders_sent,
                                  r->replaces_sent,
                                  r->cancels_sent,
                                  r->messages_in,
                                  r->in_doubt,
                                  st->soup.state,
                                  st->soup.next_seq,
                                  st->soup.wire_seq,
                                  st->login_seen,
                                  st->query_sent,
                                  st->queries,
                                  st->answers,
                                  st->stale,
                                  st->login_ns,
                                  st->rng};
        h = fold(h, words, sizeof words);
    }
    return h;
}

static uint64_t digest_gate(const struct gn_stage_orders *s)
{
    const struct gn_gate *g = &s->gate;
    const struct gn_gate_words *w = &s->words;
    uint64_t h = fold_word(0, g->generation);
    h = fold(h, g->risk->session, sizeof g->risk->session);
    h = fold_word(h, (uint64_t)g->control_stale << 1 | (uint64_t)g->journal_failed);
    h = fold_word(h, w->all);
    h = fold(h, w->session, sizeof w->session);
    h = fold(h, w->strategy, sizeof w->strategy);
    return fold(h, w->instrument, g->max_instruments * sizeof w->instrument[0]);
}

void gn_inputs_digest(const struct gn_stage_feed *f, const struct gn_stage_strategy *t, const struct gn_stage_orders *s,
                      struct gn_ev_state *out)
{
    memset(out, 0, sizeof *out);
    if (f != NULL)
        out->books = digest_books(f);
    if (s != NULL) {
        out->orders = digest_orders(s->orders);
        out->positions = fold(0, s->positions, s->conf->max_instruments * sizeof *s->positions);
        out->sessions = digest_sessions(s);
        out->gate = digest_gate(s);
    }
    for (uint32_t i = 0; t != NULL && i < t->n; i++)
        out->strategies =
            fold(out->strategies, t->slot[i].state, t->slot[i].ops->footprint(t->slot[i].ctx.max_instruments));
}

void gn_inputs_end(const struct gn_stage_feed *f, const struct gn_stage_strategy *t, struct gn_stage_orders *s,
                   uint64_t now_ns)
{
    if (s->conf->journal.inputs == 0)
        return;
    struct gn_rec *rec = gn_orders_event(s, GN_EV_STATE, sizeof(struct gn_ev_state), now_ns);
    if (rec != NULL)
        gn_inputs_digest(f, t, s, (struct gn_ev_state *)(void *)(rec + 1));
}
