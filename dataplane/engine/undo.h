/* A venue message moves an order, its relatives and a position by many stores; a process may die between any two of
 * them, and the venue then repeats the message. So what they were before is kept here until the message counts as
 * processed: the next life puts it back, and takes the message as if for the first time. Exactly once, whatever the
 * instant.
 *
 *      gn_undo_save(seq) -> change orders and position -> next expected sequence = seq + 1 -> gn_undo_forget
 *      after a death: gn_undo_rollback(next expected sequence), before gn_orders_join and gn_fills_join
 */
#ifndef GN_ENGINE_UNDO_H
#define GN_ENGINE_UNDO_H

#include "dataplane/abi/recon.h"
#include "dataplane/engine/order.h"

#define GN_UNDO_ORDERS 4u /* the order, what it replaces, what replaces it, what the message says it replaces */

struct gn_undo {
    uint64_t seq; /* venue sequence of the message under way, 0 = none; written last */
    uint32_t n;
    uint32_t instrument;
    struct gn_position position;
    uint32_t slot[GN_UNDO_ORDERS];
    struct gn_order order[GN_UNDO_ORDERS];
    uint64_t fills;      /* fills before it */
    uint64_t fill_seq;   /* fill that it changes, 0 = none */
    struct gn_fill fill; /* as it was */
};

/* gn_undo_save: keeps order o, its relatives, the order `also_ref` (0 = none), the instrument's position, the number of
 * fills, and fill f, when the message changes one. seq > 0; fills may be NULL, and one of o and f. */
void gn_undo_save(struct gn_undo *u, uint64_t seq, struct gn_order_table *t, const struct gn_order *o,
                  uint32_t also_ref, const struct gn_position *p, const struct gn_fills *fills,
                  const struct gn_fill *f);

/* gn_undo_forget: the message counts as processed. */
static inline void gn_undo_forget(struct gn_undo *u)
{
    atomic_signal_fence(memory_order_seq_cst); /* what made it count was stored before */
    u->seq = 0;
}

/* gn_undo_rollback: true when a message was under way that does not count as processed, and was taken back. What is
 * kept is checked against the tables' sizes first. fills may be NULL. */
bool gn_undo_rollback(struct gn_undo *u, uint64_t next_seq, struct gn_order_table *t, struct gn_position *positions,
                      uint32_t max_instruments, struct gn_fills *fills);

#endif
