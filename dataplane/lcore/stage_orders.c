#include "dataplane/lcore/stage_orders.h"

#include "dataplane/lcore/session_sending.h"

#include "dataplane/lcore/stage_inputs.h"

#define NS_PER_MS 1000000ull

static GN_COLD void journal_blocked(struct gn_stage_orders *s)
{
    s->m->events_lost++;
    s->gate.journal_failed = true;
    /* once: a word that moved is a reason for records, and those find no room either */
    if (gn_kill_level(atomic_load_explicit(&s->control->kill_all, memory_order_relaxed)) < GN_LADDER_KILLED)
        gn_kill_raise(&s->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_DATAPLANE);
}

bool gn_orders_room(struct gn_stage_orders *s)
{
    uint64_t used = s->events->pending - atomic_load_explicit(&s->events->tail, memory_order_acquire);
    if (GN_LIKELY(s->events->cells - used > 2 * GN_REC_CELLS_MAX))
        return true;
    if (!s->gate.journal_failed)
        journal_blocked(s);
    return false;
}

static inline struct gn_rec *event_for(struct gn_stage_orders *s, uint16_t type, uint32_t payload, uint64_t now_ns)
{
    struct gn_rec *rec = gn_ring_reserve(s->events, type, (uint32_t)sizeof *rec + payload);
    if (GN_UNLIKELY(rec == NULL)) {
        journal_blocked(s);
        return NULL;
    }
    rec->time_ns = now_ns;
    rec->corr = GN_CORR_OWN | rec->seq;
    return rec;
}

struct gn_rec *gn_orders_event(struct gn_stage_orders *s, uint16_t type, uint32_t payload, uint64_t now_ns)
{
    return event_for(s, type, payload, now_ns);
}

void gn_orders_report(struct gn_stage_orders *s, const struct gn_exec *e, uint64_t now_ns)
{
    struct gn_rec *rec = gn_ring_reserve(s->execs, GN_EV_EXEC_REPORT, sizeof *rec + sizeof *e);
    if (GN_UNLIKELY(rec == NULL)) {
        /* a strategy that does not know what became of its orders is stopped until a person has looked */
        s->m->execs_lost++;
        s->scan_ns = 0;
        gn_kill_raise(&s->control->kill_strategy[e->strategy], GN_LADDER_KILLED, GN_KILL_BY_DATAPLANE);
        return;
    }
    rec->time_ns = now_ns;
    rec->corr = e->order_id;
    memcpy(rec + 1, e, sizeof *e);
    gn_ring_publish(s->execs);
}

void gn_orders_exec_of(const struct gn_stage_orders *s, const struct gn_order *o, uint8_t kind, struct gn_exec *e)
{
    *e = (struct gn_exec){
        .kind = kind,
        .side = o->side,
        .state = o->state,
        .strategy = o->strategy,
        .instrument = o->instrument,
        .session = o->session,
        .order_id = o->id,
        .price = o->price,
        .qty = o->qty,
        .leaves = o->leaves,
        .cum = o->cum,
        .position = s->positions[o->instrument].qty,
        .tag = o->tag,
        .tick_seq = o->tick_seq,
    };
}

/* ---- encode and send ---- */

struct outgoing {
    struct gn_tcp *tcp;
    struct gn_net *net;
    struct gn_txq *txq;
    struct gn_soup_client *soup;
    uint32_t conn;
    uint32_t session, strategy;
    uint8_t *at; /* SoupBinTCP header in the frame */
};

/* Takes the place in the frame for a message of len bytes; false when TCP can't take it now. */
GN_INLINE bool open_message(struct gn_stage_orders *s, uint32_t session, uint32_t strategy, uint32_t len,
                            uint64_t now_ns, struct outgoing *o)
{
    uint32_t port = s->conf->session[session].port;
    o->tcp = s->tcp[port];
    o->net = s->net[port];
    o->txq = s->txq[port];
    o->soup = &s->state[session].soup;
    o->conn = s->rows[session].conn;
    o->session = session;
    o->strategy = strategy;
    const bool ok = gn_tcp_prepare(o->tcp, o->net, o->conn, GN_SOUP_HEADER + len, now_ns, o->txq, &o->at) == GN_TCP_OK;
    gn_inputs_send(s, session, GN_SOUP_HEADER + len, ok, now_ns);
    return ok;
}

static inline void close_message(struct gn_stage_orders *s, struct outgoing *o, uint32_t len, uint64_t now_ns)
{
    uint32_t bytes = gn_soup_client_order(o->soup, o->at, (uint16_t)len, now_ns);
    gn_tcp_commit(o->tcp, o->conn, bytes, now_ns, o->txq);
    gn_sending_row(o->soup)->given += bytes;
    s->rows[o->session].last_tx_ns = now_ns;
    gn_gate_charge(&s->gate, o->session, o->strategy, now_ns);
    s->rows[o->session].budget_full_ns = s->gate.risk->session[o->session].full_ns;
}

static inline void fill_order(struct gn_stage_orders *s, struct gn_order *o, uint64_t seq, const struct gn_intent *in,
                              uint64_t now_ns)
{
    const uint8_t state = o->state; /* that of the slot's last order: the new one works from gn_order_open on */
    o->id = s->id_base | (seq & GN_ORDER_SEQ_MASK);
    o->user_ref = (uint32_t)seq;
    o->instrument = in->instrument;
    memcpy(&o->state, &in->action, 4); /* side, tif and session lie alike behind the first byte */
    o->state = state;
    o->strategy = (uint8_t)in->strategy;
    o->cancel_wanted = 0;
    o->acked = 0;
    memcpy(&o->price, &in->price, 2 * sizeof o->price); /* and quantity */
    o->leaves = in->qty;
    o->cum = 0;
    memcpy(&o->tag, &in->tag, 2 * sizeof o->tag); /* and tick_seq */
    o->sent_ns = now_ns;
    o->changed_ns = now_ns;
    o->prev_ref = o->next_ref = 0;
    o->chain_cum = 0;
    o->held = 0;
}

GN_COLD void gn_orders_fill(struct gn_stage_orders *s, struct gn_order *o, uint64_t seq, const struct gn_intent *in,
                            uint64_t now_ns)
{
    fill_order(s, o, seq, in, now_ns);
}

/* The last look at the kill words: after this the bytes belong to the stream and cannot be taken back. */
static inline bool killed_meanwhile(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns)
{
    const uint32_t level = gn_gate_ladder(&s->gate, in);
    gn_inputs_news(s, GN_LOOK_LAST, now_ns);
    return level >= GN_LADDER_HALTED;
}

GN_COLD bool gn_orders_halted(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns)
{
    return killed_meanwhile(s, in, now_ns);
}

static void note_sent(struct gn_stage_orders *s, uint64_t now_ns)
{
    atomic_store_explicit(&s->control->report.last_order_ns, now_ns, memory_order_relaxed);
}

GN_INLINE uint16_t send_new(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns,
                            struct gn_order **out)
{
    uint64_t seq;
    struct outgoing msg;
    struct gn_order *o = gn_order_peek(s->orders, &seq);
    if (GN_UNLIKELY(o == NULL))
        return GN_VERDICT_TABLE_FULL;
    if (GN_UNLIKELY(in->qty > GN_OUCH_QTY_MAX))
        return GN_VERDICT_MAX_QTY;
    if (GN_UNLIKELY(in->instrument >= s->n_templates))
        return GN_VERDICT_NOT_TRADABLE;
    if (GN_UNLIKELY(!open_message(s, in->session, in->strategy, GN_OUCH_IN_ENTER_LEN, now_ns, &msg)))
        return GN_VERDICT_SEND_BLOCKED;
    fill_order(s, o, seq, in, now_ns);
    gn_ouch_enter(msg.at + GN_SOUP_HEADER, &s->templates[2 * in->instrument + in->side], o->user_ref, (uint32_t)in->qty,
                  (uint64_t)in->price, in->tif, o->id, in->tick_seq);
    if (GN_UNLIKELY(killed_meanwhile(s, in, now_ns)))
        return GN_VERDICT_KILLED;
    struct gn_position *p = &s->positions[in->instrument];
    gn_sending_note(s, gn_sending_row(msg.soup), o->id, in);
    gn_order_open(s->orders, o, seq, p, in->qty);
    p->sent++;
    close_message(s, &msg, GN_OUCH_IN_ENTER_LEN, now_ns);
    *out = o;
    return GN_VERDICT_OK;
}

/* OUCH counts what the chain has already filled into a replacement's quantity, so that a fill that crosses on the wire
 * makes it smaller instead of adding to it. */
static uint16_t send_replace(struct gn_stage_orders *s, const struct gn_intent *in, struct gn_order *old,
                             uint64_t now_ns, struct gn_order **out)
{
    uint64_t seq;
    struct outgoing msg;
    struct gn_order *o = gn_order_peek(s->orders, &seq);
    if (GN_UNLIKELY(o == NULL))
        return GN_VERDICT_TABLE_FULL;
    if (GN_UNLIKELY(in->qty + old->chain_cum > GN_OUCH_QTY_MAX))
        return GN_VERDICT_MAX_QTY; /* the chain is worn out: cancel, and start a new one */
    if (GN_UNLIKELY(!open_message(s, old->session, old->strategy, GN_OUCH_IN_REPLACE_LEN, now_ns, &msg)))
        return GN_VERDICT_SEND_BLOCKED;
    fill_order(s, o, seq, in, now_ns);
    o->session = old->session;
    gn_ouch_replace(msg.at + GN_SOUP_HEADER, &s->templates[2 * in->instrument + in->side], old->user_ref, o->user_ref,
                    (uint32_t)(in->qty + old->chain_cum), (uint64_t)in->price, in->tif, o->id, in->tick_seq);
    if (GN_UNLIKELY(killed_meanwhile(s, in, now_ns)))
        return GN_VERDICT_KILLED;
    struct gn_position *p = &s->positions[in->instrument];
    gn_sending_note(s, gn_sending_row(msg.soup), o->id, in);
    o->prev_ref = old->user_ref;
    o->chain_cum = old->chain_cum;
    old->next_ref = o->user_ref;
    old->changed_ns = now_ns;
    gn_order_open(s->orders, o, seq, p, gn_max_i64(in->qty - old->reserved, 0));
    gn_orders_move(s, old, GN_ORDER_EV_REPLACE_SENT, now_ns);
    close_message(s, &msg, GN_OUCH_IN_REPLACE_LEN, now_ns);
    *out = o;
    return GN_VERDICT_OK;
}

GN_COLD uint16_t gn_orders_send_held(struct gn_stage_orders *s, struct gn_order *o, struct gn_order *old,
                                     const struct gn_intent *in, uint64_t now_ns)
{
    struct outgoing msg;
    const uint32_t len = old == NULL ? GN_OUCH_IN_ENTER_LEN : GN_OUCH_IN_REPLACE_LEN;
    const struct gn_ouch_template *t = &s->templates[2 * o->instrument + o->side];
    if (s->rows[o->session].breaker != GN_BREAKER_CLOSED)
        return GN_VERDICT_BREAKER_OPEN;
    if (!open_message(s, o->session, o->strategy, len, now_ns, &msg))
        return GN_VERDICT_SEND_BLOCKED;
    uint8_t *at = msg.at + GN_SOUP_HEADER;
    /* the quantity as it was when it was held: what its chain filled since makes it smaller, as if it crossed a fill */
    if (old == NULL)
        gn_ouch_enter(at, t, o->user_ref, (uint32_t)o->qty, (uint64_t)o->price, o->tif, o->id, o->tick_seq);
    else
        gn_ouch_replace(at, t, old->user_ref, o->user_ref, (uint32_t)(o->qty + o->chain_cum), (uint64_t)o->price,
                        o->tif, o->id, o->tick_seq);
    if (killed_meanwhile(s, in, now_ns))
        return GN_VERDICT_KILLED;
    gn_sending_note_held(s, o);
    o->held = 0;
    o->sent_ns = o->changed_ns = now_ns;
    close_message(s, &msg, len, now_ns);
    *(old == NULL ? &s->m->orders_sent : &s->m->replaces_sent) += 1;
    *(old == NULL ? &s->rows[o->session].orders_sent : &s->rows[o->session].replaces_sent) += 1;
    s->positions[o->instrument].sent += old == NULL;
    note_sent(s, now_ns);
    return GN_VERDICT_OK;
}

uint16_t gn_orders_cancel(struct gn_stage_orders *s, struct gn_order *o, uint64_t now_ns)
{
    struct outgoing msg;
    if (GN_UNLIKELY(o->held != 0)) {
        /* the venue has never heard of it */
        gn_held_drop(s, o, GN_VERDICT_ORDER_BUSY, now_ns);
        return GN_VERDICT_OK;
    }
    if (!open_message(s, o->session, o->strategy, GN_OUCH_IN_CANCEL_LEN, now_ns, &msg))
        return GN_VERDICT_SEND_BLOCKED;
    gn_ouch_cancel(msg.at + GN_SOUP_HEADER, o->user_ref, 0);
    close_message(s, &msg, GN_OUCH_IN_CANCEL_LEN, now_ns);
    gn_orders_move(s, o, GN_ORDER_EV_CANCEL_SENT, now_ns);
    gn_gate_moved(&s->gate, o->instrument); /* a replacement that is to go counts no longer beside its order */
    s->m->cancels_sent++;
    s->rows[o->session].cancels_sent++;
    return GN_VERDICT_OK;
}

uint16_t gn_orders_mass_cancel(struct gn_stage_orders *s, uint32_t session, uint64_t now_ns)
{
    struct outgoing msg;
    uint64_t seq = s->orders->next_seq;
    seq += (uint32_t)seq == 0; /* user reference 0 means "none" */
    struct gn_ouch_msg m = {.type = GN_OUCH_IN_MASS_CANCEL, .user_ref = (uint32_t)seq};
    memset(m.firm, ' ', sizeof m.firm);
    memcpy(m.firm, s->conf->session[session].firm, strnlen(s->conf->session[session].firm, sizeof m.firm));
    memset(m.symbol, ' ', sizeof m.symbol);
    if (!open_message(s, session, GN_NONE32, GN_OUCH_IN_MASS_CANCEL_LEN, now_ns, &msg))
        return GN_VERDICT_SEND_BLOCKED;
    if (gn_ouch_encode_in(msg.at + GN_SOUP_HEADER, GN_OUCH_IN_MASS_CANCEL_LEN, &m) != GN_OUCH_IN_MASS_CANCEL_LEN)
        return GN_VERDICT_MALFORMED;
    s->orders->next_seq = seq + 1;
    close_message(s, &msg, GN_OUCH_IN_MASS_CANCEL_LEN, now_ns);
    s->m->mass_cancels_sent++;
    return GN_VERDICT_OK;
}

static uint16_t send_reduce(struct gn_stage_orders *s, const struct gn_intent *in, struct gn_order *o, uint64_t now_ns)
{
    struct outgoing msg;
    if (!open_message(s, o->session, o->strategy, GN_OUCH_IN_MODIFY_LEN, now_ns, &msg))
        return GN_VERDICT_SEND_BLOCKED;
    gn_ouch_modify(msg.at + GN_SOUP_HEADER, o->user_ref, o->side, (uint32_t)in->qty);
    close_message(s, &msg, GN_OUCH_IN_MODIFY_LEN, now_ns);
    s->m->cancels_sent++;
    s->rows[o->session].cancels_sent++;
    return GN_VERDICT_OK;
}

static GN_COLD uint16_t act(struct gn_stage_orders *s, const struct gn_intent *in, struct gn_order *target,
                            uint64_t now_ns, struct gn_order **out)
{
    *out = target;
    if (GN_UNLIKELY(s->rows[in->session].breaker != GN_BREAKER_CLOSED) &&
        (in->action == GN_ACTION_NEW || in->action == GN_ACTION_REPLACE))
        return GN_VERDICT_BREAKER_OPEN;
    if (GN_UNLIKELY(s->sync) && (in->action == GN_ACTION_NEW || in->action == GN_ACTION_REPLACE))
        return gn_held_take(s, in, target, now_ns, out);
    switch (in->action) {
    case GN_ACTION_NEW:
        return send_new(s, in, now_ns, out);
    case GN_ACTION_REPLACE:
        return send_replace(s, in, target, now_ns, out);
    case GN_ACTION_CANCEL:
        gn_sending_note(s, &s->state[in->session], 0, in);
        return gn_orders_cancel(s, target, now_ns);
    default:
        gn_sending_note(s, &s->state[in->session], 0, in);
        return send_reduce(s, in, target, now_ns);
    }
}

/* ---- intents ---- */

static void report_refused(struct gn_stage_orders *s, const struct gn_intent *in, uint16_t verdict, uint64_t now_ns)
{
    struct gn_exec e = {
        .kind = GN_EXEC_GATE_REJECTED,
        .side = in->side & 1,
        .reason = verdict,
        .strategy = in->strategy,
        .instrument = in->instrument,
        .session = in->session,
        .prev_id = in->target,
        .price = in->price,
        .qty = in->qty,
        .tag = in->tag,
        .tick_seq = in->tick_seq,
    };
    /* a malformed instrument number must not index a strategy's tables */
    if (in->instrument < s->gate.max_instruments)
        gn_orders_report(s, &e, now_ns);
}

/* What is counted and told of an order that has left: nobody waits for it but its strategy. */
void gn_stage_orders_tell(struct gn_stage_orders *s, uint64_t now_ns)
{
    const struct gn_order *o = s->untold;
    struct gn_exec e;
    if (o == NULL)
        return;
    s->untold = NULL;
    const bool replaces = s->untold_prev != 0;
    s->m->verdict[GN_VERDICT_OK]++;
    *(replaces ? &s->m->replaces_sent : &s->m->orders_sent) += 1;
    *(replaces ? &s->rows[o->session].replaces_sent : &s->rows[o->session].orders_sent) += 1;
    note_sent(s, now_ns);
    const struct gn_intent in = {
        .side = o->side, .instrument = o->instrument, .strategy = o->strategy, .price = o->price, .qty = o->qty};
    gn_gate_sent(&s->gate, &in, now_ns);
    gn_orders_exec_of(s, o, GN_EXEC_SENT, &e);
    e.prev_id = s->untold_prev;
    gn_orders_report(s, &e, now_ns);
}

void gn_stage_orders_intent(void *stage, const struct gn_intent *in, uint64_t now_ns)
{
    gn_stage_orders_decide(stage, in, now_ns);
    gn_stage_orders_tell(stage, now_ns);
}

static void count_verdict(struct gn_stage_orders *s, uint16_t verdict)
{
    s->m->verdict[verdict]++;
}

/* The record of an intent on which the gate has decided; o: the order that came of it, or NULL. */
static inline void record(struct gn_rec *rec, const struct gn_intent *in, uint16_t verdict,
                          const struct gn_gate_detail *detail, const struct gn_order *o)
{
    struct gn_ev_order *ev = (struct gn_ev_order *)(rec + 1);
    /* what caused it: market data, else the order it names, else what its strategy calls it */
    const uint64_t cause = in->tick_seq != 0 ? in->tick_seq : in->target != 0 ? in->target : in->tag;
    if (GN_LIKELY(cause != 0))
        rec->corr = cause;
    rec->flags = (uint8_t)(in->session + 1);
    ev->intent = *in;
    ev->order_id = o == NULL ? 0 : o->id;
    ev->user_ref = o == NULL ? 0 : o->user_ref;
    ev->verdict = verdict;
    ev->scope = (uint16_t)detail->scope;
    ev->limit_value = detail->limit;
    ev->used_value = detail->used;
}

static GN_COLD void refused(struct gn_stage_orders *s, struct gn_rec *rec, const struct gn_intent *in, uint16_t verdict,
                            const struct gn_gate_detail *detail, uint64_t now_ns)
{
    count_verdict(s, verdict);
    s->last_verdict = verdict;
    if (rec != NULL)
        record(rec, in, verdict, detail, NULL);
    report_refused(s, in, verdict, now_ns);
}

static void mass_cancel(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_rec *mass = gn_orders_event(s, GN_EV_ORDER, sizeof(struct gn_ev_order), now_ns);
    if (mass != NULL) {
        if (in->tick_seq != 0 || in->tag != 0)
            mass->corr = in->tick_seq != 0 ? in->tick_seq : in->tag;
        *(struct gn_ev_order *)(mass + 1) = (struct gn_ev_order){.intent = *in};
    }
    count_verdict(s, GN_VERDICT_OK);
    gn_sweep_mass(s, in->strategy, in->instrument,
                  mass == NULL ? 0 : mass->seq); /* cancelling goes on even when it cannot be recorded */
}

/* The event's place is taken before anything is changed; how far the journal is behind is looked at now and then. */
static inline struct gn_rec *take_event(struct gn_stage_orders *s, uint64_t now_ns)
{
    struct gn_rec *rec = event_for(s, GN_EV_ORDER, sizeof(struct gn_ev_order), now_ns);
    s->rec = rec;
    if (GN_UNLIKELY(rec != NULL && s->events->next_seq - s->synced_seq > s->conf->journal.unsynced_records))
        gn_held_lag(s, now_ns);
    return rec;
}

static GN_COLD void decide_any(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_gate_detail detail = {.limit = 0};
    struct gn_order *o = NULL;
    if (in->action == GN_ACTION_MASS_CANCEL && in->strategy < GN_STRATEGIES_MAX) {
        mass_cancel(s, in, now_ns);
        return;
    }
    struct gn_rec *rec = take_event(s, now_ns);
    if (rec == NULL) {
        refused(s, NULL, in, GN_VERDICT_JOURNAL_BLOCKED, &detail, now_ns);
        return;
    }
    struct gn_order *target = in->action == GN_ACTION_NEW ? NULL : gn_order_by_id(s->orders, in->target);
    uint16_t verdict = gn_gate_check(&s->gate, in, target, now_ns, &detail);
    if (GN_UNLIKELY(detail.smp != 0))
        gn_orders_cancel_own(s, in, now_ns);
    gn_inputs_news(s, GN_LOOK_GATE, now_ns);
    if (verdict == GN_VERDICT_OK)
        verdict = act(s, in, target, now_ns, &o);
    if (verdict != GN_VERDICT_OK) {
        refused(s, rec, in, verdict, &detail, now_ns);
        return;
    }
    record(rec, in, GN_VERDICT_OK, &detail, o);
    if ((in->action == GN_ACTION_NEW || in->action == GN_ACTION_REPLACE) && o->held == 0) {
        s->untold = o;
        s->untold_prev = in->action == GN_ACTION_NEW ? 0 : in->target;
    } else {
        count_verdict(s, GN_VERDICT_OK);
    }
}

GN_HOT void gn_stage_orders_decide(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_gate_detail detail = {.limit = 0};
    struct gn_order *o;
    if (GN_UNLIKELY(s->untold != NULL))
        gn_stage_orders_tell(s, now_ns);
    s->m->intents++;
    if (GN_UNLIKELY(in->action != GN_ACTION_NEW || s->sync)) {
        decide_any(s, in, now_ns);
        return;
    }
    struct gn_rec *rec = take_event(s, now_ns);
    if (GN_UNLIKELY(rec == NULL)) {
        refused(s, NULL, in, GN_VERDICT_JOURNAL_BLOCKED, &detail, now_ns);
        return;
    }
    uint16_t verdict = gn_gate_check(&s->gate, in, NULL, now_ns, &detail);
    if (GN_UNLIKELY(detail.smp != 0))
        gn_orders_cancel_own(s, in, now_ns);
    gn_inputs_news(s, GN_LOOK_GATE, now_ns);
    if (GN_LIKELY(verdict == GN_VERDICT_OK))
        verdict = GN_UNLIKELY(s->rows[in->session].breaker != GN_BREAKER_CLOSED) ? (uint16_t)GN_VERDICT_BREAKER_OPEN
                                                                                 : send_new(s, in, now_ns, &o);
    if (GN_UNLIKELY(verdict != GN_VERDICT_OK)) {
        refused(s, rec, in, verdict, &detail, now_ns);
        return;
    }
    record(rec, in, GN_VERDICT_OK, &detail, o);
    s->untold = o;
    s->untold_prev = 0;
}

/* ---- the turn of the loop ---- */

static GN_COLD void control_lost(struct gn_stage_orders *s, uint64_t now_ns)
{
    struct gn_kill_record r = {
        .set_ns = now_ns, .level = GN_LADDER_KILLED, .who = "dataplane", .why = "control plane heartbeat lost"};
    gn_kill_note(s->control, GN_KILL_BY_DATAPLANE, &r);
    s->reason_written = true;
    gn_inputs_control(s, &(struct gn_ev_control_in){.kind = GN_CONTROL_IN_GONE}, now_ns);
    gn_kill_raise(&s->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_DATAPLANE);
}

static void watch_controlplane(struct gn_stage_orders *s, uint64_t now_ns)
{
    if (s->draining)
        return;
    uint64_t count = atomic_load_explicit(&s->control->controlplane.count, memory_order_relaxed);
    if (GN_LIKELY(count != s->beat_count)) {
        s->beat_count = count;
        s->beat_ns = now_ns;
        if (GN_UNLIKELY(s->gate.control_stale))
            gn_inputs_control(s, &(struct gn_ev_control_in){.kind = GN_CONTROL_IN_STALE, .value = 0}, now_ns);
        s->gate.control_stale = false;
        return;
    }
    uint64_t silent_ns = now_ns - s->beat_ns;
    if (GN_LIKELY(silent_ns < s->conf->heartbeat_stale_ms * NS_PER_MS))
        return;
    if (!s->gate.control_stale)
        gn_inputs_control(s, &(struct gn_ev_control_in){.kind = GN_CONTROL_IN_STALE, .value = 1}, now_ns);
    s->gate.control_stale = true;
    if (silent_ns >= s->conf->heartbeat_cancel_ms * NS_PER_MS &&
        gn_kill_level(atomic_load_explicit(&s->control->kill_all, memory_order_relaxed)) < GN_LADDER_KILLED) {
        control_lost(s, now_ns);
    }
}

static GN_COLD void take_limits(struct gn_stage_orders *s, uint64_t now_ns)
{
    gn_inputs_limits(s, s->gate.generation, gn_limits_current(s->gate.limits), now_ns);
    gn_gate_refresh(&s->gate);
}

void gn_stage_orders_poll(struct gn_stage_orders *s, uint64_t now_ns)
{
    if (GN_UNLIKELY(gn_limits_current(s->gate.limits) != s->gate.generation))
        take_limits(s, now_ns);
    /* acquire: pairs with the journal's release; what it says of durability is behind it */
    if (GN_UNLIKELY(atomic_load_explicit(&s->control->journal_failed, memory_order_acquire) != 0) &&
        !s->gate.journal_failed) {
        gn_inputs_control(s, &(struct gn_ev_control_in){.kind = GN_CONTROL_IN_JOURNAL_FAILED}, now_ns);
        journal_blocked(s);
    }
    watch_controlplane(s, now_ns);
    gn_orders_marks(s, now_ns);
    if (GN_UNLIKELY(s->gate.ctx.n_notes != 0) && gn_orders_room(s))
        gn_orders_notes(s, now_ns);
    if (GN_UNLIKELY(now_ns >= s->lag_look_ns))
        gn_held_lag(s, now_ns);
    for (uint32_t i = 0; i < s->conf->n_sessions; i++)
        gn_session_poll(s, i, now_ns);
    if (GN_UNLIKELY(now_ns >= s->guard_ns)) {
        gn_guard_poll(s, now_ns);
        gn_command_poll(s, now_ns); /* no more often: people do not notice, and an idle turn stays short */
    }
    gn_sweep_poll(s, now_ns);
    if (GN_UNLIKELY(s->held_n != 0)) /* behind the sweep: what a kill takes is not there any more */
        gn_held_poll(s, now_ns);
}

void gn_stage_orders_start(struct gn_stage_orders *s, bool joined, uint64_t now_ns)
{
    uint32_t configured = s->instruments->configured;
    for (uint32_t i = 0; i < configured; i++) {
        gn_ouch_enter_template(&s->templates[2 * i], GN_SIDE_BUY, s->instruments->row[i].symbol);
        gn_ouch_enter_template(&s->templates[2 * i + 1], GN_SIDE_SELL, s->instruments->row[i].symbol);
    }
    s->n_templates = configured;
    s->id_base = gn_order_id(s->epoch, s->lcore, 0);
    s->sync = s->conf->journal.mode == GN_JOURNAL_SYNC;
    /* a control plane counts as there when its beat moves, not because one beat long ago */
    s->gate.control_stale = true;
    s->beat_count = atomic_load_explicit(&s->control->controlplane.count, memory_order_relaxed);
    s->beat_ns = now_ns;
    for (uint32_t i = s->orders->list_head; i != GN_NONE32; i = s->orders->order[i].list_next)
        s->wanted += s->orders->order[i].cancel_wanted;
    gn_guard_start(s, now_ns);
    gn_gate_start(&s->gate, now_ns);
    for (uint32_t i = 0; i < s->conf->n_sessions; i++) {
        gn_session_start(s, i, joined, now_ns);
        gn_command_start(s);
    }
}

void gn_stage_orders_drain(struct gn_stage_orders *s, uint64_t now_ns)
{
    gn_inputs_control(s, &(struct gn_ev_control_in){.kind = GN_CONTROL_IN_DRAIN}, now_ns);
    gn_sweep_wake(s);
    s->draining = true;
    s->gate.control_stale = true;
    s->mass_due = s->orders->open == 0 ? 0 : (1u << s->conf->n_sessions) - 1;
    for (uint32_t i = s->orders->list_head; i != GN_NONE32; i = s->orders->order[i].list_next) {
        s->wanted += !s->orders->order[i].cancel_wanted;
        s->orders->order[i].cancel_wanted = 1;
    }
    s->sweep_ns = 0;
}

void gn_stage_orders_stop(struct gn_stage_orders *s, uint64_t now_ns)
{
    gn_inputs_control(s, &(struct gn_ev_control_in){.kind = GN_CONTROL_IN_STOP}, now_ns);
    s->stopping = true;
    for (uint32_t i = 0; i < s->conf->n_sessions; i++)
        gn_session_logout(s, i, now_ns);
}
