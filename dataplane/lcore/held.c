/* journal.mode sync: an order that passed the gate is opened, reserves its risk and has its record, but is not encoded.
 * The journal thread gives the cells of the event ring back when their records are durable, so the ring's tail is the
 * durable position: an order leaves at the first poll that finds the tail behind its record.
 *
 *      gate -> open, reserve, record -> held --tail passed--> gate again, kill words again -> encode, send -> SENT
 *                                         |                        \--no--------------------\
 *                                         +--killed, cancelled, session lost, too old------> REJECTED, with the reason
 *
 * Nothing waits: the lcore goes on, and looks at the first held order once a turn. Strategies see an order that ends
 * here as one that the gate refused, only later.
 */
#include "dataplane/lcore/stage_inputs.h"

#define NS_PER_MS       1000000ull
#define RELEASES_A_TURN 32u /* fits the frames stocked in a txq, with room for answers */
#define LAG_LOOK_NS     100000ull

/* ---- the journal's lag ---- */

/* Age of the oldest record that is not durable. The cells from the tail on are the producer's to read. */
static uint64_t oldest_age_ns(struct gn_ring *r, uint64_t tail, uint64_t now_ns)
{
    if (tail == r->pending)
        return 0;
    const struct gn_rec *rec = gn_ring_cell(r, tail);
    if (rec->type == 0) {
        tail += rec->bytes / GN_RING_CELL;
        if (tail == r->pending)
            return 0;
        rec = gn_ring_cell(r, tail);
    }
    return now_ns > rec->time_ns ? now_ns - rec->time_ns : 0;
}

static bool ring_is_late(struct gn_stage_orders *s, uint64_t now_ns, struct gn_gate_detail *detail)
{
    const uint64_t records_max = s->conf->journal.unsynced_records, ms_max = s->conf->journal.unsynced_ms;
    /* acquire: pairs with the release in gn_ring_release, which stores last_seq first */
    const uint64_t tail = atomic_load_explicit(&s->events->tail, memory_order_acquire);
    s->synced_seq = atomic_load_explicit(&s->events->last_seq, memory_order_relaxed);
    const uint64_t records = s->events->next_seq - 1 - s->synced_seq;
    const uint64_t age_ns = oldest_age_ns(s->events, tail, now_ns);
    const bool many = records > records_max;
    *detail = (struct gn_gate_detail){.limit = (int64_t)(many ? records_max : ms_max),
                                      .used = (int64_t)(many ? records : age_ns / NS_PER_MS)};
    return many || age_ns > ms_max * NS_PER_MS;
}

/* The gate shows what was found when the bound was passed, until it is kept again. */
void gn_held_lag(struct gn_stage_orders *s, uint64_t now_ns)
{
    struct gn_gate_detail found = {0, 0};
    const bool late = s->lag_sense != NULL ? s->lag_sense(s->lag_arg, &found) : ring_is_late(s, now_ns, &found);
    s->lag_look_ns = now_ns + LAG_LOOK_NS;
    if (GN_LIKELY(late == s->gate.journal_late))
        return;
    s->gate.journal_late = late;
    s->gate.late = found;
    const struct gn_ev_control_in in = {.kind = GN_CONTROL_IN_LATE,
                                        .look = late,
                                        .index = (uint32_t)gn_min_i64(found.limit, UINT32_MAX),
                                        .value = (uint64_t)found.used};
    gn_inputs_control(s, &in, now_ns);
}

/* ---- holding ---- */

static uint64_t words_of(const struct gn_stage_orders *s, const struct gn_intent *in)
{
    /* acquire: pairs with the release in gn_kill_raise. Each word counts its changes above bit 16, so the sum grows
     * with every one of them. */
    return gn_gate_words_sum(&s->gate, in);
}

uint16_t gn_held_take(struct gn_stage_orders *s, const struct gn_intent *in, struct gn_order *old, uint64_t now_ns,
                      struct gn_order **out)
{
    uint64_t seq;
    struct gn_order *o = gn_order_peek(s->orders, &seq);
    const int64_t chain = old == NULL ? 0 : old->chain_cum;
    if (o == NULL)
        return GN_VERDICT_TABLE_FULL;
    if (in->qty + chain > GN_OUCH_QTY_MAX)
        return GN_VERDICT_MAX_QTY;
    if (in->instrument >= s->n_templates)
        return GN_VERDICT_NOT_TRADABLE;
    if (s->held_n == GN_HELD_MAX)
        return GN_VERDICT_JOURNAL_LAG;
    const uint64_t words = words_of(s, in);
    if (gn_orders_halted(s, in, now_ns))
        return GN_VERDICT_KILLED;
    struct gn_position *p = &s->positions[in->instrument];
    gn_orders_fill(s, o, seq, in, now_ns);
    o->held = 1;
    if (old != NULL) {
        o->session = old->session;
        o->prev_ref = old->user_ref;
        o->chain_cum = chain;
        old->next_ref = o->user_ref;
    }
    gn_order_open(s->orders, o, seq, p, old == NULL ? in->qty : gn_max_i64(in->qty - old->reserved, 0));
    if (old != NULL)
        gn_orders_move(s, old, GN_ORDER_EV_REPLACE_SENT, now_ns);
    gn_gate_charge(&s->gate, o->session, o->strategy, now_ns);
    gn_gate_sent(&s->gate, in, now_ns);
    s->held[(s->held_first + s->held_n++) % GN_HELD_MAX] =
        (struct gn_held){.id = o->id, .cells = s->events->pending, .words = words, .held_ns = now_ns};
    s->m->orders_held++;
    *out = o;
    return GN_VERDICT_OK;
}

static void note(struct gn_stage_orders *s, const struct gn_exec *e, uint64_t now_ns)
{
    gn_orders_report(s, e, now_ns);
    struct gn_rec *rec = gn_orders_event(s, GN_EV_EXEC, sizeof(struct gn_ev_exec), now_ns);
    if (rec == NULL)
        return; /* counted, and trading is killed */
    rec->corr = e->order_id;
    rec->flags = (uint8_t)(e->session + 1);
    *(struct gn_ev_exec *)(rec + 1) = (struct gn_ev_exec){.exec = *e};
}

static struct gn_order *replaced_by(struct gn_stage_orders *s, const struct gn_order *o)
{
    struct gn_order *old = o->prev_ref == 0 ? NULL : gn_order_find(s->orders, o->prev_ref);
    return old != NULL && old->next_ref == o->user_ref ? old : NULL;
}

void gn_held_drop(struct gn_stage_orders *s, struct gn_order *o, uint16_t reason, uint64_t now_ns)
{
    struct gn_exec e;
    struct gn_order *old = replaced_by(s, o);
    const uint64_t old_id = old == NULL ? 0 : old->id;
    o->held = 0;
    o->leaves = 0;
    gn_orders_move(s, o, GN_ORDER_EV_REJECT, now_ns);
    if (old != NULL) {
        old->next_ref = 0;
        gn_orders_move(s, old, GN_ORDER_EV_REPLACE_FAILED, now_ns);
    }
    gn_gate_moved(&s->gate, o->instrument);
    s->m->held_dropped++;
    gn_orders_exec_of(s, o, GN_EXEC_GATE_REJECTED, &e);
    e.prev_id = old_id;
    e.reason = reason;
    note(s, &e, now_ns);
}

void gn_held_drop_session(struct gn_stage_orders *s, uint32_t session, uint64_t now_ns)
{
    for (uint32_t k = 0; k < s->held_n; k++) {
        struct gn_order *o = gn_order_by_id(s->orders, s->held[(s->held_first + k) % GN_HELD_MAX].id);
        if (o != NULL && o->held != 0 && gn_order_working(o->state) && o->session == session)
            gn_held_drop(s, o, GN_VERDICT_KILLED, now_ns);
    }
}

/* ---- letting go ---- */

/* The gate's verdict on a held order as if it came now: its own reservation and its own message do not count twice. */
static uint16_t check_again(struct gn_stage_orders *s, struct gn_order *o, struct gn_order *old,
                            const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_gate_detail detail;
    struct gn_position *p = &s->positions[o->instrument];
    gn_order_set_aside(s->orders, o, p);
    if (old != NULL)
        gn_order_event(s->orders, old, GN_ORDER_EV_REPLACE_FAILED, p);
    gn_gate_refund(&s->gate, o->session, o->strategy);
    gn_gate_moved(&s->gate, o->instrument);
    s->gate.again = true;
    const uint16_t verdict = gn_gate_check(&s->gate, in, old, now_ns, &detail);
    s->gate.again = false;
    if (old != NULL && old->state == GN_ORDER_LIVE)
        gn_order_event(s->orders, old, GN_ORDER_EV_REPLACE_SENT, p);
    gn_order_put_back(s->orders, o, p);
    gn_gate_moved(&s->gate, o->instrument);
    return verdict;
}

static void let_go(struct gn_stage_orders *s, const struct gn_held *h, struct gn_order *o, uint64_t now_ns)
{
    struct gn_exec e;
    struct gn_order *old = replaced_by(s, o);
    const struct gn_intent in = {
        .action = o->prev_ref == 0 ? GN_ACTION_NEW : GN_ACTION_REPLACE,
        .side = o->side,
        .tif = o->tif,
        .session = o->session,
        .instrument = o->instrument,
        .strategy = o->strategy,
        .target = old == NULL ? 0 : old->id,
        .price = o->price,
        .qty = o->qty,
        .tag = o->tag,
        .tick_seq = o->tick_seq,
    };
    uint16_t verdict = words_of(s, &in) != h->words ? GN_VERDICT_KILLED : GN_VERDICT_OK;
    if (verdict == GN_VERDICT_OK && o->cancel_wanted != 0)
        verdict = GN_VERDICT_ORDER_BUSY;
    if (verdict == GN_VERDICT_OK)
        verdict = check_again(s, o, old, &in, now_ns);
    if (verdict == GN_VERDICT_OK)
        verdict = gn_orders_send_held(s, o, old, &in, now_ns);
    if (verdict != GN_VERDICT_OK) {
        gn_held_drop(s, o, verdict, now_ns);
        return;
    }
    gn_orders_exec_of(s, o, GN_EXEC_SENT, &e);
    e.prev_id = in.target;
    note(s, &e, now_ns);
}

void gn_held_poll(struct gn_stage_orders *s, uint64_t now_ns)
{
    /* acquire: pairs with the release in gn_ring_release, which comes after the disk has confirmed the records */
    const uint64_t durable = atomic_load_explicit(&s->events->tail, memory_order_acquire);
    for (uint32_t sent = 0; s->held_n != 0 && sent < RELEASES_A_TURN;) {
        const struct gn_held h = s->held[s->held_first];
        struct gn_order *o = gn_order_by_id(s->orders, h.id);
        const bool there = o != NULL && o->held != 0 && gn_order_working(o->state);
        const bool late = now_ns - h.held_ns > s->conf->journal.unsynced_ms * NS_PER_MS;
        if (there && !late && h.cells > durable)
            return;
        if (there && !gn_orders_room(s))
            return; /* trading is killed: the sweep takes it */
        s->held_first = (s->held_first + 1) % GN_HELD_MAX;
        s->held_n--;
        if (!there)
            continue; /* it ended meanwhile */
        sent++;
        if (late)
            gn_held_drop(s, o, GN_VERDICT_JOURNAL_LAG, now_ns);
        else
            let_go(s, &h, o, now_ns);
    }
}
