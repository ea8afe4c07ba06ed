/* What cannot be, and what differs: moves of orders that the transition table forbids, and breaks between our books and
 * the venue's. Nothing here stops anything; everything here is counted, journaled and told to a person.
 */
#include "dataplane/lcore/stage_orders.h"

#define ALERT_BREAK 100u /* alert codes of breaks: their class behind this */

void gn_orders_alert(struct gn_stage_orders *s, uint64_t corr, uint32_t code, uint32_t severity, const char *text,
                     uint64_t now_ns)
{
    struct gn_rec *rec = gn_orders_event(s, GN_EV_ALERT, sizeof(struct gn_ev_alert), now_ns);
    if (rec == NULL)
        return;
    struct gn_ev_alert *a = (struct gn_ev_alert *)(rec + 1);
    memset(a, 0, sizeof *a);
    a->code = code;
    a->severity = severity;
    memcpy(a->text, text, strnlen(text, sizeof a->text - 1));
    if (corr != 0)
        rec->corr = corr;
}

void gn_orders_break(struct gn_stage_orders *s, const struct gn_break *found, uint64_t now_ns)
{
    struct gn_break b = *found;
    b.found_ns = now_ns;
    b.state = b.state == 0 ? (uint8_t)GN_BREAK_OPEN : b.state;
    uint64_t seq = gn_break_note(s->recon, &b);
    s->m->breaks++;
    struct gn_rec *rec = gn_orders_event(s, GN_EV_BREAK, sizeof(struct gn_ev_break), now_ns);
    if (rec != NULL) {
        rec->corr = b.order_id != 0 ? b.order_id : b.venue_seq != 0 ? b.venue_seq : rec->corr;
        rec->flags = (uint8_t)(b.session + 1);
        *(struct gn_ev_break *)(rec + 1) = (struct gn_ev_break){
            .seq = seq,
            .kind = b.kind,
            .state = b.state,
            .instrument = b.instrument,
            .order_id = b.order_id,
            .match = b.match,
            .ours = b.ours,
            .theirs = b.theirs,
            .venue_seq = b.venue_seq,
            .session = b.session,
        };
    }
    if (gn_break_severity(b.kind) <= 2)
        gn_orders_alert(s, b.order_id, ALERT_BREAK + b.kind, gn_break_severity(b.kind), gn_break_help(b.kind), now_ns);
}

void gn_orders_move(struct gn_stage_orders *s, struct gn_order *o, uint32_t event, uint64_t now_ns)
{
    uint8_t was = o->state;
    bool legal = gn_order_event(s->orders, o, event, &s->positions[o->instrument]);
    o->changed_ns = now_ns;
    if (GN_UNLIKELY(!legal)) {
        s->m->order_illegal++;
        gn_orders_break(s,
                        &(struct gn_break){.kind = GN_BREAK_ILLEGAL_EVENT,
                                           .session = o->session,
                                           .instrument = o->instrument,
                                           .order_id = o->id,
                                           .ours = was,
                                           .theirs = event},
                        now_ns);
    }
    if (gn_order_working(was) && !gn_order_working(o->state))
        gn_sweep_left(s, o, now_ns);
}
