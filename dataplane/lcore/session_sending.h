/* Notes of what is about to be sent, for the life after this one: see session_join.c, which reads them. */
#ifndef GN_LCORE_SESSION_SENDING_H
#define GN_LCORE_SESSION_SENDING_H

#include "dataplane/lcore/stage_orders.h"

static inline struct gn_session_state_row *gn_sending_row(struct gn_soup_client *soup)
{
    static_assert(offsetof(struct gn_session_state_row, soup) == 0, "the row begins with it");
    return (struct gn_session_state_row *)(void *)soup;
}

/* What is about to be sent, for the next life (session_join.c): before the first change, and in an order that means
 * nothing wrong wherever it is cut off. The intent is in its record already, though nobody can see that yet. */
static inline void gn_sending_note(struct gn_stage_orders *s, struct gn_session_state_row *st, uint64_t order_id,
                                   const struct gn_intent *in)
{
    struct gn_sending *g = &st->sending;
    struct gn_rec *rec = s->rec;
    ((struct gn_ev_order *)(rec + 1))->intent = *in;
    g->order_id = 0;
    atomic_signal_fence(memory_order_seq_cst);
    g->offset = st->given;
    atomic_signal_fence(memory_order_seq_cst);
    g->rec_seq = rec->seq;
    g->rec_at = (uint64_t)((uint8_t *)rec - s->events->data);
    atomic_signal_fence(memory_order_seq_cst);
    g->order_id = order_id;
    atomic_signal_fence(memory_order_seq_cst);
}

/* An order that waited has its record; what is not known is whether TCP has its bytes. */
static inline void gn_sending_note_held(struct gn_stage_orders *s, const struct gn_order *o)
{
    struct gn_sending *g = &s->state[o->session].sending;
    g->order_id = 0;
    atomic_signal_fence(memory_order_seq_cst);
    g->offset = s->state[o->session].given;
    g->rec_seq = 0;
    atomic_signal_fence(memory_order_seq_cst);
    g->order_id = o->id;
    atomic_signal_fence(memory_order_seq_cst);
}

#endif
