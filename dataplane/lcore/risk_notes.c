/* What the gate found on the way becomes records and alerts: losses that raised the ladder, soft thresholds, guards,
 * tokens used, strategies disabled. Also the cancels that self-match prevention asks for.
 */
#include "dataplane/lcore/stage_inputs.h"

static struct gn_ev_risk risk_of(const struct gn_risk_note *n)
{
    struct gn_ev_risk e = {.what = n->what, .index = n->index, .level = n->level, .limit = n->limit, .used = n->used};
    if (n->row == GN_NONE32)
        e.scope = GN_SCOPE_INSTRUMENT;
    else if (n->row == GN_RISK_NOTE_SESSION)
        e.scope = GN_SCOPE_SESSION;
    else
        e.scope = gn_scope_of_row(n->row, &e.index);
    return e;
}

static void note_risk(struct gn_stage_orders *s, const struct gn_risk_note *n, uint64_t now_ns)
{
    struct gn_rec *rec = gn_orders_event(s, GN_EV_RISK, sizeof(struct gn_ev_risk), now_ns);
    if (rec != NULL)
        *(struct gn_ev_risk *)(rec + 1) = risk_of(n);
    switch (n->what) {
    case GN_RISK_SOFT:
        s->m->budget_soft++;
        break;
    case GN_RISK_GUARD:
        s->m->prices_guarded++;
        break;
    case GN_RISK_OTR:
        s->m->otr_warnings++;
        break;
    case GN_RISK_DAY:
        break;
    default:
        s->m->risk_breaches++;
        s->sweep_ns = 0;
    }
}

static void note_override(struct gn_stage_orders *s, const struct gn_risk_note *n, uint64_t now_ns)
{
    const struct gn_override *o = &s->control->override[n->index];
    struct gn_rec *rec = gn_orders_event(s, GN_EV_OVERRIDE, sizeof(struct gn_ev_override), now_ns);
    s->m->overrides_used++;
    if (rec == NULL)
        return; /* counted, and trading is killed */
    struct gn_ev_override *e = (struct gn_ev_override *)(rec + 1);
    *e = (struct gn_ev_override){.token = s->gate.risk->override_used[n->index],
                                 .verdict = (uint16_t)n->row,
                                 .strategy = o->strategy,
                                 .instrument = o->instrument,
                                 .limit = n->limit,
                                 .used = n->used};
    memcpy(e->who, o->who, sizeof e->who);
    memcpy(e->other, o->other, sizeof e->other);
}

static void note_strategy(struct gn_stage_orders *s, const struct gn_risk_note *n, uint64_t now_ns)
{
    const struct gn_risk_scope *k = &s->gate.risk->scope[n->row];
    struct gn_rec *rec = gn_orders_event(s, GN_EV_STRATEGY, sizeof(struct gn_ev_strategy), now_ns);
    s->m->strategies_disabled++;
    if (rec != NULL)
        *(struct gn_ev_strategy *)(rec + 1) =
            (struct gn_ev_strategy){.strategy = n->index,
                                    .disabled = 1,
                                    .number = atomic_load_explicit(&k->disabled, memory_order_relaxed),
                                    .repeats = (uint64_t)n->used,
                                    .max = (uint64_t)n->limit};
}

void gn_orders_notes(struct gn_stage_orders *s, uint64_t now_ns)
{
    struct gn_risk_ctx *c = &s->gate.ctx;
    for (uint32_t i = 0; i < c->n_notes; i++) {
        const struct gn_risk_note *n = &c->note[i];
        if (n->what == 0)
            note_strategy(s, n, now_ns);
        else if (n->what == GN_RISK_NOTE_OVERRIDE)
            note_override(s, n, now_ns);
        else
            note_risk(s, n, now_ns);
    }
    c->n_notes = 0;
}

void gn_orders_cancel_own(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns)
{
    uint32_t slot = s->positions[in->instrument].own;
    while (slot != 0) {
        struct gn_order *o = &s->orders->order[slot - 1];
        slot = o->own_next;
        if (!gn_gate_meets(in, o) || o->state == GN_ORDER_PENDING_CANCEL || o->state == GN_ORDER_IN_DOUBT)
            continue;
        if (o->held != 0 || gn_orders_cancel(s, o, now_ns) != GN_VERDICT_OK)
            s->wanted += !o->cancel_wanted, o->cancel_wanted = 1; /* the sweep takes it */
        else
            s->m->smp_cancels++;
    }
    s->sweep_ns = 0;
}

void gn_orders_marks(struct gn_stage_orders *s, uint64_t now_ns)
{
    gn_risk_day(&s->gate.ctx, now_ns);
    uint32_t i = GN_LIKELY(s->mark_sense == NULL) ? gn_risk_due(&s->gate.ctx, now_ns) : s->mark_sense(s->lag_arg);
    if (GN_LIKELY(i == GN_NONE32) || !gn_orders_room(s))
        return;
    gn_inputs_control(s, &(struct gn_ev_control_in){.kind = GN_CONTROL_IN_MARK, .index = i}, now_ns);
    gn_risk_look(&s->gate.ctx, i, now_ns);
}
