#include "tools/replay/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "drivers/venue/nasdaq/itch.h"
#include "drivers/venue/nasdaq/moldudp64.h"
#include "tools/replay/backtest_impl.h"

#define REF_AT 11u /* of an order's reference in the ITCH messages that name one */

const char *gn_replay_strerror(int err)
{
    switch (err) {
    case GN_REPLAY_OK:
        return "ok";
    case GN_REPLAY_ERR_NOMEM:
        return "out of memory";
    case GN_REPLAY_ERR_START:
        return "the journal begins in the middle of a life, or the state of a start is not whole: begin with the "
               "segment "
               "that holds the first start of the region";
    case GN_REPLAY_ERR_LAYOUT:
        return "decisions are replayed when feed, strategy and orders are on one lcore and journal.mode is async: "
               "otherwise not every input is in the journal";
    case GN_REPLAY_ERR_RECORD:
        return "a record is too short for its type";
    case GN_REPLAY_ERR_CONFIG:
        return "the configured tables cannot be laid out";
    case GN_REPLAY_ERR_REGION:
        return "another region begins in the journal, with positions of its own: a backtest is of one region; end "
               "before "
               "it with --to, or begin with it by --from";
    default:
        return "unknown";
    }
}

/* ---- the records of a turn ---- */

const struct gn_rec *gn_replay_rec_at(const struct gn_replay *r, uint64_t i)
{
    return i < r->group.n ? (const struct gn_rec *)(const void *)(r->group.bytes + r->group.at[i]) : NULL;
}

const struct gn_rec *gn_replay_peek(const struct gn_replay *r, uint32_t k)
{
    return gn_replay_rec_at(r, r->backtest != NULL ? k : r->events->next_seq - r->group.first_seq + k);
}

/* The order table is far larger than any cache: the slots that a packet's messages will want are called for while the
 * records before it are still being looked at. */
static void call_for(const struct gn_replay *r, const struct gn_rec *rec)
{
    const struct gn_ev_md_packet *p = (const struct gn_ev_md_packet *)(const void *)(rec + 1);
    if (rec->type != GN_EV_MD_PACKET || rec->bytes < sizeof *rec + sizeof *p || r->feed.books == NULL)
        return;
    const uint8_t *at = p->data + GN_MOLD_HEADER, *end = p->data + (rec->bytes - sizeof *rec - sizeof *p);
    while (end - at > (ptrdiff_t)(2 + REF_AT + sizeof(uint64_t))) {
        const uint32_t len = gn_load_be16(at);
        gn_book_prefetch(r->feed.books, gn_load_be64(at + 2 + REF_AT));
        if (at[2] == GN_ITCH_REPLACE && len >= REF_AT + 2 * sizeof(uint64_t))
            gn_book_prefetch(r->feed.books, gn_load_be64(at + 2 + REF_AT + sizeof(uint64_t)));
        at += 2 + len;
    }
}

static int group_add(struct gn_replay *r, const struct gn_rec *rec)
{
    struct gn_replay_group *g = &r->group;
    const size_t bytes = gn_align_up(rec->bytes, 8);
    if (g->used + bytes > g->room) {
        const size_t room = 2 * (g->used + bytes) + GN_REC_BYTES_MAX;
        uint8_t *more = realloc(g->bytes, room);
        if (more == NULL)
            return GN_REPLAY_ERR_NOMEM;
        g->bytes = more;
        g->room = room;
    }
    if (g->n == g->n_room) {
        const uint32_t room = 2 * g->n_room + 64;
        uint32_t *more = realloc(g->at, room * sizeof *more);
        if (more == NULL)
            return GN_REPLAY_ERR_NOMEM;
        g->at = more;
        g->n_room = room;
    }
    if (g->n == 0) {
        g->time_ns = rec->time_ns;
        g->first_seq = rec->seq;
    }
    g->at[g->n++] = (uint32_t)g->used;
    memcpy(g->bytes + g->used, rec, rec->bytes);
    g->used += bytes;
    call_for(r, rec);
    return GN_REPLAY_OK;
}

/* ---- comparing ---- */

static void differs(struct gn_replay *r, const struct gn_rec *want, const struct gn_rec *got)
{
    struct gn_replay_counts *c = &r->counts;
    if (want == NULL && r->last)
        return;
    if (c->differences++ != 0)
        return;
    c->diff_seq = want != NULL ? want->seq : got->seq;
    c->diff_ns = r->group.time_ns;
    if (want == NULL || got == NULL) {
        snprintf(c->diff, sizeof c->diff, "%s a record of type %u",
                 want == NULL ? "the replay writes" : "the journal has", want == NULL ? got->type : want->type);
        return;
    }
    uint32_t i = 0;
    const uint8_t *a = (const uint8_t *)want, *b = (const uint8_t *)got;
    while (i < want->bytes && i < got->bytes && a[i] == b[i])
        i++;
    snprintf(c->diff, sizeof c->diff, "type %u of %u bytes in the journal, type %u of %u bytes here, byte %u differs",
             want->type, want->bytes, got->type, got->bytes, i);
}

static void count(struct gn_replay_counts *c, const struct gn_rec *rec)
{
    c->packets += rec->type == GN_EV_MD_PACKET;
    c->executions += rec->type == GN_EV_EXEC;
    c->cancels += rec->type == GN_EV_CANCEL;
    c->states += rec->type == GN_EV_STATE;
    c->venue_packets += rec->type == GN_EV_SESSION_IN;
    if (rec->type == GN_EV_MD_PACKET)
        c->messages += ((const struct gn_ev_md_packet *)(const void *)(rec + 1))->count;
    if (rec->type != GN_EV_ORDER)
        return;
    c->orders += ((const struct gn_ev_order *)(const void *)(rec + 1))->verdict == GN_VERDICT_OK;
    c->refused += ((const struct gn_ev_order *)(const void *)(rec + 1))->verdict != GN_VERDICT_OK;
}

/* What the new run has written so far against what the live run wrote. */
void gn_replay_compare(struct gn_replay *r)
{
    const struct gn_rec *got;
    int err;
    uint64_t last = 0;
    gn_ring_publish(r->events);
    while ((got = gn_ring_read(r->events, &r->cursor, &err)) != NULL) {
        last = got->seq;
        if (r->backtest != NULL) {
            gn_backtest_take(r, got);
            continue;
        }
        const struct gn_rec *want = gn_replay_rec_at(r, r->compared++);
        if (want == NULL || want->bytes != got->bytes || memcmp(want, got, got->bytes) != 0) {
            differs(r, want, got);
        } else {
            r->counts.compared++;
            count(&r->counts, got);
        }
    }
    if (last != 0)
        gn_ring_release(r->events, r->cursor, last);
}

/* ---- a life ---- */

static void wire_strategies(struct gn_replay *r)
{
    struct gn_stage_strategy *s = &r->strategy;
    const struct gn_conf *c = r->conf;
    uint8_t *state = r->own_state;
    memset(s, 0, sizeof *s);
    memset(r->own_state, 0, r->own_state_bytes);
    s->n = c->n_strategies;
    s->instruments = r->feed.instruments;
    s->execs = r->execs;
    s->m = &r->m;
    s->intent_sink = gn_replay_intent;
    s->intent_ctx = r;
    for (uint32_t i = 0; i < s->n; i++) {
        struct gn_strategy_slot *k = &s->slot[i];
        const bool client = strcmp(c->strategy[i].kind, gn_replay_client.kind) == 0;
        k->ops = client ? &gn_replay_client : gn_strategy_find(c->strategy[i].kind);
        k->state = state;
        state += gn_replay_strategy_bytes(c, i);
        k->conf_disabled = c->strategy[i].enabled == 0;
        k->ctx.conf = &c->strategy[i];
        k->ctx.instruments = r->feed.instruments;
        k->ctx.positions = r->orders.positions;
        k->ctx.index = i;
        k->ctx.max_instruments = c->max_instruments;
        k->ctx.client = client ? r->client : NULL;
    }
}

static void to_strategy(void *ctx, const struct gn_md *md, uint64_t now_ns)
{
    struct gn_replay *r = ctx;
    if (r->backtest != NULL)
        gn_backtest_md(r, md, now_ns);
    gn_stage_strategy_md(&r->strategy, md, now_ns);
}

static void wire_orders(struct gn_replay *r, const struct gn_ev_start *start)
{
    const struct gn_stage_orders was = r->orders;
    struct gn_stage_orders *o = &r->orders;
    memset(o, 0, sizeof *o);
    memset(was.words.instrument, 0, sizeof(uint64_t) * r->conf->max_instruments);
    *o = (struct gn_stage_orders){
        .conf = r->conf,
        .epoch = start->epoch,
        .lcore = start->lcore,
        .control = was.control,
        .orders = was.orders,
        .positions = was.positions,
        .fills = was.fills,
        .recon = was.recon,
        .rows = was.rows,
        .state = was.state,
        .commands = was.commands,
        .instruments = r->feed.instruments,
        .templates = was.templates,
        .events = r->events,
        .execs = r->execs,
        .m = &r->m,
        .words.instrument = was.words.instrument,
        .lag_sense = gn_replay_lag,
        .lag_arg = r,
        .mark_sense = r->backtest != NULL ? NULL : gn_replay_mark,
    };
    o->gate = (struct gn_gate){
        .control = o->control,
        .words = &o->words,
        .limits = was.gate.limits,
        .risk = was.gate.risk,
        .conf = r->conf,
        .instruments = r->feed.instruments,
        .tob = r->feed.tob,
        .positions = o->positions,
        .sessions = o->rows,
        .orders = o->orders,
        .max_instruments = r->conf->max_instruments,
    };
    for (uint32_t i = 0; i < GN_PORTS_MAX; i++) {
        r->port[i] = (struct gn_replay_port){r, i};
        o->tcp[i] = (struct gn_tcp *)(void *)&r->port[i];
    }
}

static bool wire_feed(struct gn_replay *r, bool books_kept)
{
    const struct gn_stage_feed was = r->feed;
    struct gn_stage_feed *f = &r->feed;
    const struct gn_conf *c = r->conf;
    *f = (struct gn_stage_feed){
        .conf = c,
        .arb = was.arb,
        .books = was.books,
        .locate = was.locate,
        .instruments = was.instruments,
        .tob = was.tob,
        .rows = was.rows,
        .m = &r->m,
        .control = was.control,
        .events = r->events,
        .md_sink = to_strategy,
        .md_ctx = r,
    };
    if (!books_kept) {
        f->books = gn_books_new(r->books, c->max_instruments, c->book_orders, c->book_levels);
        memset(f->locate, 0, sizeof(uint32_t) * GN_LOCATES);
        if (f->books == NULL || gn_arb_new(f->arb, &r->arb_config) != GN_ARB_OK)
            return false;
    }
    gn_stage_feed_start(f);
    return true;
}

/* A region that was never traded in: as the control plane lays it out. */
static void fresh_region(struct gn_replay *r)
{
    const struct gn_conf *c = r->conf;
    struct gn_instruments *t = r->feed.instruments;
    for (uint32_t i = 0; r->counts.lives != 0 && i < r->n_blocks; i++)
        if (r->block[i] != (void *)r->client)
            memset(r->block[i], 0, r->block_bytes[i]);
    for (uint32_t i = 0; r->instruments != NULL && i < c->n_instruments; i++) {
        const struct gn_conf_instrument *from = &r->instruments[i];
        struct gn_instrument *k = &t->row[i];
        memcpy(k->symbol, from->symbol, sizeof k->symbol);
        k->price_exp = from->price_exp;
        k->strategy = from->strategy;
        k->tick = from->tick;
        k->lot = from->lot;
        k->configured = 1;
    }
    t->capacity = c->max_instruments;
    t->configured = c->n_instruments;
    atomic_store_explicit(&t->count, c->n_instruments, memory_order_relaxed);
    r->orders.gate.limits->rows = c->max_instruments;
    gn_orders_new(r->orders.orders, c->max_orders);
    gn_fills_new(r->orders.fills, c->max_orders);
}

struct table {
    uint8_t *rows;
    uint32_t row_bytes, count;
};

static struct table table_of(struct gn_replay *r, uint32_t number, uint64_t generation, uint64_t *words)
{
    struct gn_stage_orders *o = &r->orders;
    const struct gn_conf *c = r->conf;
    switch (number) {
    case GN_STATE_ORDERS:
        return (struct table){(uint8_t *)o->orders->order, sizeof *o->orders->order, o->orders->capacity};
    case GN_STATE_POSITIONS:
        return (struct table){(uint8_t *)o->positions, sizeof *o->positions, c->max_instruments};
    case GN_STATE_SESSIONS:
        return (struct table){(uint8_t *)o->rows, sizeof *o->rows, c->n_sessions};
    case GN_STATE_SESSION_STATE:
        return (struct table){(uint8_t *)o->state, sizeof *o->state, c->n_sessions};
    case GN_STATE_LIMITS:
        return (struct table){(uint8_t *)gn_limits_scope_row(o->gate.limits, generation, 0), 64,
                              (uint32_t)(gn_limits_half_bytes(o->gate.limits->rows) / 64)};
    case GN_STATE_WORDS:
        return (struct table){(uint8_t *)words, sizeof *words, GN_STATE_WORD_COUNT};
    case GN_STATE_INSTRUMENT_WORDS:
        return (struct table){(uint8_t *)gn_kill_instrument(o->control), sizeof(uint64_t), c->max_instruments};
    case GN_STATE_RISK:
        return (struct table){(uint8_t *)o->gate.risk, 64, (uint32_t)(gn_risk_footprint(c->max_instruments) / 64)};
    default:
        return (struct table){NULL, 0, 0};
    }
}

/* The parts before a start record, into tables that are zeroed first. */
static int load_parts(struct gn_replay *r, uint32_t upto, const struct gn_ev_start *start)
{
    struct gn_stage_orders *o = &r->orders;
    uint64_t words[GN_STATE_WORD_COUNT] = {0};
    for (uint32_t number = GN_STATE_ORDERS; number <= GN_STATE_RISK; number++) {
        const struct table t = table_of(r, number, start->limits_generation, words);
        memset(t.rows, 0, (size_t)t.row_bytes * t.count);
    }
    for (uint32_t i = 0; i < upto; i++) {
        const struct gn_rec *rec = gn_replay_rec_at(r, i);
        const struct gn_ev_state_part *p = (const struct gn_ev_state_part *)(const void *)(rec + 1);
        const uint64_t there = rec->bytes - sizeof *rec;
        if (rec->type != GN_EV_STATE_PART)
            continue;
        if (there < sizeof *p)
            return GN_REPLAY_ERR_RECORD;
        const struct table t = table_of(r, p->table, start->limits_generation, words);
        if (t.rows == NULL || p->row_bytes != t.row_bytes || p->index > t.count || p->count > t.count - p->index ||
            (uint64_t)p->count * p->row_bytes > there - sizeof *p)
            return GN_REPLAY_ERR_CONFIG;
        memcpy(t.rows + (size_t)p->index * t.row_bytes, p->data, (size_t)p->count * t.row_bytes);
    }
    atomic_store(&o->control->kill_all, words[0]);
    for (uint32_t i = 0; i < GN_SESSIONS_MAX; i++)
        atomic_store(&o->control->kill_session[i], words[1 + i]);
    for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
        atomic_store(&o->control->kill_strategy[i], words[1 + GN_SESSIONS_MAX + i]);
    const uint64_t *rest = words + 1 + GN_SESSIONS_MAX + GN_STRATEGIES_MAX;
    for (uint32_t i = 0; i < GN_THEMES_MAX; i++)
        atomic_store(&o->control->kill_theme[i], *rest++);
    for (uint32_t i = 0; i < GN_ACCOUNTS_MAX; i++)
        atomic_store(&o->control->kill_account[i], *rest++);
    for (uint32_t i = 0; i < GN_VENUES_MAX; i++)
        atomic_store(&o->control->kill_venue[i], *rest++);
    o->gate.risk->rows = r->conf->max_instruments;
    atomic_store(&o->gate.limits->published, start->limits_generation);
    o->orders->next_seq = start->next_order_seq;
    gn_orders_join(o->orders, o->positions, r->conf->max_instruments);
    if (!gn_fills_join(o->fills, r->conf->max_orders))
        gn_fills_new(o->fills, r->conf->max_orders);
    return GN_REPLAY_OK;
}

/* Records of a hand-over stand before the state that it led to: what became of a connection and of the message that
 * was under way is not an output of the stages, and is in that state. */
static uint32_t skip_handover(const struct gn_replay *r, uint32_t at)
{
    uint32_t first = 0;
    while (first < at && gn_replay_rec_at(r, first)->type != GN_EV_STATE_PART)
        first++;
    return first;
}

/* The new run begins where the live one began, and says the same of it. */
int gn_replay_begin_life(struct gn_replay *r, uint32_t at)
{
    const uint32_t skip = skip_handover(r, at);
    const struct gn_rec *rec = gn_replay_rec_at(r, at), *first = gn_replay_rec_at(r, skip);
    if (rec->bytes < sizeof *rec + sizeof(struct gn_ev_start))
        return GN_REPLAY_ERR_RECORD;
    const struct gn_ev_start *start = (const struct gn_ev_start *)(const void *)(rec + 1);
    if (start->stages != (GN_STAGE_FEED | GN_STAGE_STRATEGY | GN_STAGE_ORDERS))
        return GN_REPLAY_ERR_LAYOUT;
    const bool fresh = !r->alive || start->epoch != r->epoch;
    if (!start->complete || (fresh && (start->joined || start->books_kept)))
        return GN_REPLAY_ERR_START;
    if (fresh)
        fresh_region(r);
    r->epoch = start->epoch;
    r->alive = true;
    r->late = false;
    r->counts.lives++;
    memset(r->events, 0, sizeof *r->events);
    memset(r->execs, 0, sizeof *r->execs);
    if (gn_ring_new(r->events, GN_REPLAY_EVENT_CELLS, first->source) != GN_RING_OK ||
        gn_ring_new(r->execs, r->conf->stage_ring_cells, 0) != GN_RING_OK || !wire_feed(r, start->books_kept))
        return GN_REPLAY_ERR_CONFIG;
    r->events->next_seq = first->seq;
    r->cursor = 0;
    r->compared = skip;
    r->counts.carried += skip;
    wire_orders(r, start);
    wire_strategies(r);
    const int rc = load_parts(r, at, start);
    if (rc != GN_REPLAY_OK)
        return rc;
    gn_inputs_start(&r->orders, start->stages, start->joined, start->books_kept, NULL, NULL, r->group.time_ns);
    gn_stage_orders_start(&r->orders, start->joined, r->group.time_ns);
    gn_replay_compare(r);
    return GN_REPLAY_OK;
}

/* ---- a turn ---- */

bool gn_replay_feed_packet(struct gn_replay *r, const struct gn_rec *rec, uint64_t now_ns)
{
    const struct gn_conf_feed *c = &r->conf->feed;
    const struct gn_ev_md_packet *p = (const struct gn_ev_md_packet *)(const void *)(rec + 1);
    const uint64_t there = rec->bytes - sizeof *rec;
    if ((rec->type != GN_EV_MD_PACKET && rec->type != GN_EV_MD_ASIDE) || there < sizeof *p || p->held != 0 ||
        p->bytes > there - sizeof *p)
        return false;
    const bool again = p->line == GN_ARB_LINE_RETRANSMIT;
    const struct gn_conf_line *line = &c->line[p->line & 1];
    const struct gn_net_rx rx = {
        .src_ip = again ? c->request_ip : 0,
        .dst_ip = again ? 0 : line->group,
        .src_port = again ? (uint16_t)c->request_udp_port : 0,
        .dst_port = again ? (uint16_t)c->request_local_udp_port : (uint16_t)line->udp_port,
        .len = p->bytes,
        .payload = p->data,
    };
    const uint64_t before = r->events->next_seq;
    gn_stage_feed_udp(&r->feed, again ? c->request_port : line->port, &rx, now_ns);
    return r->events->next_seq != before; /* else it was not accepted this time: the comparison tells */
}

static bool packets_next(struct gn_replay *r, uint64_t now_ns)
{
    const struct gn_rec *rec = gn_replay_peek(r, 0);
    return rec != NULL && gn_replay_feed_packet(r, rec, now_ns);
}

/* What happens between turns: the orderly end, and intents that were handed in by hand. */
static bool after_turn(struct gn_replay *r, uint64_t now_ns)
{
    const struct gn_rec *rec = gn_replay_peek(r, 0);
    const struct gn_ev_control_in *in = gn_replay_control_in(rec);
    const struct gn_ev_order *o = gn_replay_order(rec);
    if (in != NULL && in->kind == GN_CONTROL_IN_DRAIN)
        gn_stage_orders_drain(&r->orders, now_ns);
    else if (in != NULL && in->kind == GN_CONTROL_IN_STOP)
        gn_stage_orders_stop(&r->orders, now_ns);
    else if (rec != NULL && rec->type == GN_EV_STATE)
        gn_inputs_end(&r->feed, &r->strategy, &r->orders, now_ns);
    else if (o != NULL && o->intent.strategy < r->strategy.n &&
             r->strategy.slot[o->intent.strategy].ops == &gn_replay_client)
        gn_replay_intent(r, &o->intent, now_ns);
    else
        return false;
    return true;
}

/* A person had the books built anew in this turn. */
bool gn_replay_rebuild_next(const struct gn_replay *r)
{
    const struct gn_rec *rec;
    for (uint32_t k = 0; (rec = gn_replay_peek(r, k)) != NULL; k++)
        if (rec->type == GN_EV_GAP && rec->bytes >= sizeof *rec + sizeof(struct gn_ev_gap) &&
            ((const struct gn_ev_gap *)(const void *)(rec + 1))->what == GN_GAP_REBUILD)
            return true;
    return false;
}

static void run_turn(struct gn_replay *r)
{
    const uint64_t now_ns = r->group.time_ns;
    r->compared = 0;
    r->events->next_seq = r->group.first_seq; /* after a difference: the next turn is compared on its own */
    gn_stage_strategy_poll(&r->strategy, now_ns);
    while (packets_next(r, now_ns))
        gn_replay_compare(r);
    if (gn_replay_rebuild_next(r))
        gn_stage_feed_rebuild(&r->feed, now_ns);
    gn_stage_feed_poll(&r->feed, now_ns);
    gn_replay_before_orders(r, now_ns);
    gn_stage_orders_poll(&r->orders, now_ns);
    gn_replay_compare(r);
}

static void finish_turn(struct gn_replay *r)
{
    while (after_turn(r, r->group.time_ns))
        gn_replay_compare(r);
    gn_replay_compare(r);
    for (const struct gn_rec *want; (want = gn_replay_rec_at(r, r->compared)) != NULL; r->compared++)
        differs(r, want, NULL);
}

static int run_group(struct gn_replay *r)
{
    uint32_t at = 0;
    int rc = GN_REPLAY_OK;
    if (r->group.n == 0)
        return GN_REPLAY_OK;
    while (at < r->group.n && gn_replay_rec_at(r, at)->type != GN_EV_START)
        at++;
    if (r->backtest != NULL)
        rc = gn_backtest_group(r);
    else if (at < r->group.n)
        rc = gn_replay_begin_life(r, at);
    else if (r->alive)
        run_turn(r);
    if (rc == GN_REPLAY_OK && r->alive) {
        if (r->backtest == NULL)
            finish_turn(r);
        r->counts.turns++;
        r->counts.first_ns = r->counts.first_ns == 0 ? r->group.time_ns : r->counts.first_ns;
        r->counts.last_ns = r->group.time_ns;
    }
    r->group.n = 0;
    r->group.used = 0;
    return rc;
}

int gn_replay_record(struct gn_replay *r, const struct gn_rec *rec)
{
    int rc = GN_REPLAY_OK;
    r->counts.records++;
    if (r->group.n != 0 && rec->time_ns != r->group.time_ns)
        rc = run_group(r);
    return rc == GN_REPLAY_OK ? group_add(r, rec) : rc;
}

int gn_replay_finish(struct gn_replay *r)
{
    r->last = true;
    return run_group(r);
}

const struct gn_replay_counts *gn_replay_counts(const struct gn_replay *r)
{
    return &r->counts;
}

void gn_replay_state(const struct gn_replay *r, struct gn_ev_state *out)
{
    memset(out, 0, sizeof *out);
    if (r->alive)
        gn_inputs_digest(&r->feed, &r->strategy, &r->orders, out);
}

const struct gn_stage_feed *gn_replay_feed(const struct gn_replay *r)
{
    return &r->feed;
}

const struct gn_stage_orders *gn_replay_orders(const struct gn_replay *r)
{
    return &r->orders;
}
