/* What the venue says: one OUCH message moves one order (a replacement two) by the transition table, moves the
 * position, and is told to the strategy and to the journal. Quantities of the venue are booked even where the table
 * says that the message cannot be: the position is what the venue traded, and the impossible is counted.
 */
#include "dataplane/lcore/stage_orders.h"

struct said {
    struct gn_ouch_msg msg;
    struct gn_exec exec;
    struct gn_order *order; /* NULL: not in the table */
    struct gn_fill *fill;   /* of a break or correction; NULL: not kept */
    struct gn_rec *rec;     /* room for exec in the journal */
    uint64_t seq;
    uint32_t session;
};

static void note_break(struct gn_stage_orders *s, const struct said *x, uint16_t kind, int64_t ours, int64_t theirs,
                       uint64_t now_ns)
{
    struct gn_break b = {.kind = kind,
                         .session = (uint8_t)x->session,
                         .instrument = x->order == NULL ? GN_NONE32 : x->order->instrument,
                         .order_id = x->order == NULL ? 0 : x->order->id,
                         .match = x->msg.match,
                         .ours = ours,
                         .theirs = theirs,
                         .venue_seq = x->seq};
    gn_orders_break(s, &b, now_ns);
}

/* gn_orders_room made room; should that ever be wrong it is counted, and trading is killed. */
static void record(struct said *x)
{
    if (GN_UNLIKELY(x->rec == NULL))
        return;
    if (GN_LIKELY(x->exec.order_id != 0))
        x->rec->corr = x->exec.order_id;
    x->rec->flags = (uint8_t)(x->session + 1);
    *(struct gn_ev_exec *)(x->rec + 1) = (struct gn_ev_exec){.exec = x->exec, .venue_seq = x->seq};
}

/* An order that ends takes a replacement that the venue had not yet seen with it: OUCH ignores a replace of a dead
 * order without a word. */
static void end_successor(struct gn_stage_orders *s, const struct gn_order *o, uint64_t now_ns)
{
    struct gn_order *next = o->next_ref == 0 ? NULL : gn_order_find(s->orders, o->next_ref);
    if (next == NULL || next->prev_ref != o->user_ref || next->acked || !gn_order_working(next->state))
        return;
    struct gn_exec e;
    next->leaves = 0;
    gn_orders_move(s, next, GN_ORDER_EV_REJECT, now_ns);
    gn_orders_exec_of(s, next, GN_EXEC_REJECTED, &e);
    e.prev_id = o->id;
    gn_orders_report(s, &e, now_ns);
}

static void on_accepted(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    struct gn_order *o = x->order;
    struct gn_session_state_row *st = &s->state[o->session];
    if (o->sent_ns >= st->login_ns)
        st->answers = st->queries; /* sent behind every query: no older answer is to come */
    o->acked = 1;
    gn_orders_move(s, o, GN_ORDER_EV_ACCEPT, now_ns);
    if (x->msg.state == 'D') {
        o->leaves = 0;
        gn_orders_move(s, o, GN_ORDER_EV_CANCEL_LAST, now_ns);
    }
    s->positions[o->instrument].accepted++;
    gn_orders_exec_of(s, o, GN_EXEC_ACCEPTED, &x->exec);
}

static void on_replaced(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    struct gn_order *o = x->order;
    struct gn_order *old = gn_order_find(s->orders, x->msg.orig_user_ref);
    uint64_t old_id = 0;
    if (old != NULL) {
        old_id = old->id;
        o->chain_cum = old->chain_cum;
        if (old->cancel_wanted && !o->cancel_wanted) {
            o->cancel_wanted = 1;
            s->wanted++;
        }
        gn_orders_move(s, old, GN_ORDER_EV_REPLACED, now_ns);
    }
    o->acked = 1;
    if (GN_LIKELY(gn_order_working(o->state))) { /* a dead order reserves nothing, whatever is said of it */
        gn_order_restate(o, &s->positions[o->instrument], x->msg.qty, (int64_t)x->msg.price);
    }
    gn_orders_move(s, o, GN_ORDER_EV_ACCEPT, now_ns);
    if (x->msg.state == 'D') {
        o->leaves = 0;
        gn_orders_move(s, o, GN_ORDER_EV_CANCEL_LAST, now_ns);
    }
    gn_orders_exec_of(s, o, GN_EXEC_REPLACED, &x->exec);
    x->exec.prev_id = old_id;
}

static void on_canceled(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    struct gn_order *o = x->order;
    int64_t off = gn_min_i64(x->msg.qty, o->leaves);
    o->leaves -= off;
    gn_order_unreserve(o, &s->positions[o->instrument], off);
    gn_orders_move(s, o, o->leaves == 0 ? GN_ORDER_EV_CANCEL_LAST : GN_ORDER_EV_CANCEL_PART, now_ns);
    if (o->leaves == 0)
        s->positions[o->instrument].canceled++;
    gn_orders_exec_of(s, o, GN_EXEC_CANCELED, &x->exec);
    x->exec.qty = off;
    x->exec.reason = (uint16_t)x->msg.reason;
    if (o->leaves == 0)
        end_successor(s, o, now_ns);
}

/* The fill by its match number, for the day that it is broken or the drop copy names it. Returns its fee. */
static int64_t keep_fill(struct gn_stage_orders *s, const struct said *x, uint64_t now_ns)
{
    const struct gn_order *o = x->order;
    const struct gn_conf_session *c = &s->conf->session[o->session];
    int64_t fee = gn_fee_of(c->fee_add, c->fee_remove, (uint8_t)x->msg.liquidity, x->msg.qty);
    struct gn_fill *f = gn_fills_begin(s->fills, x->msg.match);
    if (GN_UNLIKELY(f == NULL))
        return fee;
    f->order_id = o->id;
    f->price = (int64_t)x->msg.price;
    f->qty = x->msg.qty;
    f->fee = fee;
    f->venue_seq = x->seq;
    f->time_ns = now_ns;
    f->user_ref = o->user_ref;
    f->instrument = o->instrument;
    f->session = o->session;
    f->side = o->side;
    f->liquidity = (uint8_t)x->msg.liquidity;
    f->state = GN_FILL_STANDS;
    gn_fills_commit(s->fills, f);
    return fee;
}

static void on_executed(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    struct gn_order *o = x->order;
    struct gn_position *p = &s->positions[o->instrument];
    if (GN_UNLIKELY(x->msg.qty > o->leaves))
        note_break(s, x, GN_BREAK_OVERFILL, o->leaves, x->msg.qty, now_ns);
    gn_order_fill(o, p, x->msg.qty, (int64_t)x->msg.price);
    p->fees += keep_fill(s, x, now_ns);
    gn_gate_filled(&s->gate, o->instrument);
    gn_orders_move(s, o, o->leaves == 0 ? GN_ORDER_EV_FILL_LAST : GN_ORDER_EV_FILL_PART, now_ns);
    gn_orders_exec_of(s, o, GN_EXEC_FILLED, &x->exec);
    x->exec.qty = x->msg.qty;
    x->exec.price = (int64_t)x->msg.price;
    x->exec.match = x->msg.match;
    x->exec.liquidity = (uint8_t)x->msg.liquidity;
    if (o->leaves == 0)
        end_successor(s, o, now_ns);
}

static void on_rejected(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    struct gn_order *o = x->order;
    struct gn_order *old = o->prev_ref == 0 ? NULL : gn_order_find(s->orders, o->prev_ref);
    uint64_t old_id = old == NULL ? 0 : old->id;
    gn_orders_move(s, o, GN_ORDER_EV_REJECT, now_ns);
    if (GN_LIKELY(o->state == GN_ORDER_REJECTED)) /* else it was accepted before and lives on at the venue */
        o->leaves = 0;
    if (old != NULL && old->next_ref == o->user_ref) {
        old->next_ref = 0;
        gn_orders_move(s, old, GN_ORDER_EV_REPLACE_FAILED, now_ns);
    }
    s->positions[o->instrument].rejected++;
    gn_guard_rejected(s, o->session, now_ns);
    gn_orders_exec_of(s, o, GN_EXEC_REJECTED, &x->exec);
    x->exec.prev_id = old_id;
    x->exec.reason = x->msg.reject;
}

static void on_modified(struct gn_stage_orders *s, struct said *x)
{
    struct gn_order *o = x->order;
    o->leaves = gn_min_i64(x->msg.qty, o->leaves);
    gn_order_set_reserve(o, &s->positions[o->instrument], gn_order_working(o->state) ? o->leaves : 0);
    gn_orders_exec_of(s, o, GN_EXEC_MODIFIED, &x->exec);
}

/* A report about a trade that was changed; its order may have left the table long ago. */
static void trade_exec(struct gn_stage_orders *s, struct said *x, uint8_t kind, const struct gn_fill *f)
{
    if (x->order != NULL)
        gn_orders_exec_of(s, x->order, kind, &x->exec);
    else
        x->exec = (struct gn_exec){.kind = kind,
                                   .side = f->side,
                                   .state = GN_ORDER_FREE,
                                   .strategy = (uint16_t)s->instruments->row[f->instrument].strategy,
                                   .instrument = f->instrument,
                                   .session = f->session,
                                   .order_id = f->order_id,
                                   .position = s->positions[f->instrument].qty};
    x->exec.qty = f->qty;
    x->exec.price = f->price;
    x->exec.liquidity = f->liquidity;
    x->exec.match = f->match;
}

/* A break takes a fill out of the books; a correction puts another in its place, under the same match number. The order
 * stays as it is: shares that were executed stay executed. */
static void on_trade_changed(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    struct gn_fill *f = x->fill;
    struct gn_position *p = &s->positions[f->instrument];
    gn_position_trade(p, f->side, -f->qty, f->price, -f->fee);
    trade_exec(s, x, GN_EXEC_BROKEN, f);
    if (x->msg.type == GN_OUCH_OUT_BROKEN) {
        gn_fills_change(f, GN_FILL_BROKEN, f->price, f->qty, f->fee, f->liquidity);
        gn_orders_alert(s, f->order_id, x->msg.type, 3, "the venue broke a trade: position and fees are corrected",
                        now_ns);
        return;
    }
    const struct gn_conf_session *c = &s->conf->session[f->session];
    int64_t fee = gn_fee_of(c->fee_add, c->fee_remove, (uint8_t)x->msg.liquidity, x->msg.qty);
    if (x->exec.strategy < GN_STRATEGIES_MAX)
        gn_orders_report(s, &x->exec, now_ns);
    record(x);
    x->rec = gn_orders_event(s, GN_EV_EXEC, sizeof(struct gn_ev_exec), now_ns);
    gn_position_trade(p, f->side, x->msg.qty, (int64_t)x->msg.price, fee);
    gn_fills_change(f, GN_FILL_STANDS, (int64_t)x->msg.price, x->msg.qty, fee, (uint8_t)x->msg.liquidity);
    trade_exec(s, x, GN_EXEC_CORRECTED, f);
    gn_orders_alert(s, f->order_id, x->msg.type, 3, "the venue corrected a trade: position and fees are corrected",
                    now_ns);
}

/* The fill is not kept (any more), or was broken before. */
static void on_unknown_trade(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    note_break(s, x, GN_BREAK_UNKNOWN_BUST, x->fill == NULL ? 0 : x->fill->qty, x->msg.qty, now_ns);
    gn_orders_exec_of(s, x->order, GN_EXEC_BROKEN, &x->exec);
    x->exec.qty = x->exec.price = 0;
    x->exec.match = x->msg.match;
}

static bool changes_trade(uint8_t type)
{
    return type == GN_OUCH_OUT_BROKEN || type == GN_OUCH_OUT_CORRECTED;
}

static void on_order_message(struct gn_stage_orders *s, struct said *x, uint64_t now_ns)
{
    switch (x->msg.type) {
    case GN_OUCH_OUT_ACCEPTED:
        on_accepted(s, x, now_ns);
        break;
    case GN_OUCH_OUT_REPLACED:
        on_replaced(s, x, now_ns);
        break;
    case GN_OUCH_OUT_CANCELED:
    case GN_OUCH_OUT_AIQ_CANCELED:
        on_canceled(s, x, now_ns);
        break;
    case GN_OUCH_OUT_EXECUTED:
        on_executed(s, x, now_ns);
        break;
    case GN_OUCH_OUT_REJECTED:
        on_rejected(s, x, now_ns);
        break;
    case GN_OUCH_OUT_CANCEL_REJECT:
        gn_orders_move(s, x->order, GN_ORDER_EV_CANCEL_REJECT, now_ns);
        gn_orders_exec_of(s, x->order, GN_EXEC_CANCEL_REJECTED, &x->exec);
        break;
    case GN_OUCH_OUT_MODIFIED:
        on_modified(s, x);
        break;
    case GN_OUCH_OUT_PRIORITY:
        gn_order_reprice(x->order, &s->positions[x->order->instrument], (int64_t)x->msg.price);
        gn_orders_exec_of(s, x->order, GN_EXEC_RESTATED, &x->exec);
        break;
    case GN_OUCH_OUT_BROKEN:
    case GN_OUCH_OUT_CORRECTED:
        if (x->fill != NULL && x->fill->state == GN_FILL_STANDS)
            on_trade_changed(s, x, now_ns);
        else
            on_unknown_trade(s, x, now_ns);
        break;
    default: /* cancel pending, restated: the order lives on as it is */
        gn_orders_exec_of(s, x->order, GN_EXEC_RESTATED, &x->exec);
        break;
    }
}

/* True for messages about one order. */
static bool names_order(uint8_t type)
{
    switch (type) {
    case GN_OUCH_OUT_SYSTEM_EVENT:
    case GN_OUCH_OUT_QUERY_RESPONSE:
    case GN_OUCH_OUT_MASS_CANCEL_RESPONSE:
    case GN_OUCH_OUT_DISABLE_RESPONSE:
    case GN_OUCH_OUT_ENABLE_RESPONSE:
        return false;
    default:
        return true;
    }
}

static struct gn_order *order_of(struct gn_stage_orders *s, uint32_t session, const struct gn_ouch_msg *m)
{
    struct gn_order *o = gn_order_find(s->orders, m->user_ref);
    /* nobody can know of an order that was not sent */
    return o != NULL && o->session == session && o->held == 0 ? o : NULL;
}

/* A message for no order of ours leaves its record as a report without an order; a fill among them is an alarm. */
static void on_unknown(struct gn_stage_orders *s, uint32_t session, struct said *x, uint64_t now_ns)
{
    s->m->venue_unknown_order++;
    x->exec = (struct gn_exec){.kind = GN_EXEC_RESTATED,
                               .session = session,
                               .instrument = GN_NONE32,
                               .reason = x->msg.type,
                               .qty = x->msg.qty,
                               .price = (int64_t)x->msg.price,
                               .match = x->msg.match};
    if (x->msg.type == GN_OUCH_OUT_EXECUTED)
        note_break(s, x, GN_BREAK_UNKNOWN_FILL, 0, x->msg.qty, now_ns);
    else if (changes_trade(x->msg.type))
        note_break(s, x, GN_BREAK_UNKNOWN_BUST, 0, x->msg.qty, now_ns);
    else
        note_break(s, x, GN_BREAK_UNKNOWN_ORDER, x->msg.type, x->msg.user_ref, now_ns);
}

void gn_execution_message(struct gn_stage_orders *s, uint32_t session, const uint8_t *msg, uint16_t len, uint64_t seq,
                          uint64_t now_ns)
{
    struct said x = {.order = NULL, .seq = seq, .session = session};
    if (GN_UNLIKELY(gn_ouch_decode_out(msg, len, &x.msg) != GN_OUCH_OK)) {
        s->m->venue_bad++;
        gn_orders_alert(s, seq, 'B', 2, "a message of the venue could not be decoded: its content is unknown", now_ns);
        return;
    }
    s->m->venue_messages++;
    s->rows[session].messages_in++;
    gn_sweep_wake(s);
    if (!names_order(x.msg.type)) {
        if (x.msg.type == GN_OUCH_OUT_QUERY_RESPONSE)
            gn_session_reconciled(s, session, x.msg.next_user_ref, now_ns);
        return;
    }
    x.rec = gn_orders_event(s, GN_EV_EXEC, sizeof(struct gn_ev_exec), now_ns);
    x.order = order_of(s, session, &x.msg);
    if (GN_UNLIKELY(changes_trade(x.msg.type)))
        x.fill = gn_fills_find(s->fills, session, x.msg.user_ref, x.msg.match);
    const bool kept = x.fill != NULL && x.fill->state == GN_FILL_STANDS;
    if (GN_LIKELY(x.order != NULL || kept)) {
        gn_undo_save(&s->state[session].undo, seq, s->orders, x.order,
                     x.msg.type == GN_OUCH_OUT_REPLACED ? x.msg.orig_user_ref : 0,
                     &s->positions[x.order != NULL ? x.order->instrument : x.fill->instrument], s->fills, x.fill);
        on_order_message(s, &x, now_ns);
        gn_gate_moved(&s->gate, x.order != NULL ? x.order->instrument : x.fill->instrument);
        if (GN_LIKELY(x.exec.strategy < GN_STRATEGIES_MAX))
            gn_orders_report(s, &x.exec, now_ns);
    } else {
        on_unknown(s, session, &x, now_ns);
    }
    record(&x);
}
