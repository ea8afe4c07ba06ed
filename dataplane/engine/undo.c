#include "dataplane/engine/undo.h"

static void keep(struct gn_undo *u, const struct gn_order_table *t, const struct gn_order *o)
{
    if (o == NULL || u->n == GN_UNDO_ORDERS)
        return;
    u->slot[u->n] = (uint32_t)(o - t->order);
    u->order[u->n++] = *o;
}

static const struct gn_order *relative(struct gn_order_table *t, uint32_t user_ref)
{
    return user_ref == 0 ? NULL : gn_order_find(t, user_ref);
}

void gn_undo_save(struct gn_undo *u, uint64_t seq, struct gn_order_table *t, const struct gn_order *o,
                  uint32_t also_ref, const struct gn_position *p, const struct gn_fills *fills, const struct gn_fill *f)
{
    u->n = 0;
    u->fills = fills == NULL ? 0 : atomic_load_explicit(&fills->total, memory_order_relaxed);
    u->fill_seq = f == NULL ? 0 : atomic_load_explicit(&f->seq, memory_order_relaxed);
    if (GN_UNLIKELY(f != NULL))
        u->fill = *f;
    u->instrument = o != NULL ? o->instrument : f->instrument;
    u->position = *p;
    if (GN_LIKELY(o != NULL)) {
        keep(u, t, o);
        keep(u, t, relative(t, o->prev_ref));
        keep(u, t, relative(t, o->next_ref));
        if (also_ref != o->prev_ref && also_ref != o->next_ref && also_ref != o->user_ref)
            keep(u, t, relative(t, also_ref));
    }
    atomic_signal_fence(memory_order_seq_cst); /* all of it is there before it is in force */
    u->seq = seq;
    atomic_signal_fence(memory_order_seq_cst); /* and in force before the first change */
}

bool gn_undo_rollback(struct gn_undo *u, uint64_t next_seq, struct gn_order_table *t, struct gn_position *positions,
                      uint32_t max_instruments, struct gn_fills *fills)
{
    bool due = u->seq != 0 && u->seq == next_seq && u->n <= GN_UNDO_ORDERS && u->instrument < max_instruments;
    for (uint32_t i = 0; due && i < u->n; i++)
        due = u->slot[i] < t->capacity;
    for (uint32_t i = 0; due && i < u->n; i++)
        t->order[u->slot[i]] = u->order[i];
    if (due)
        positions[u->instrument] = u->position;
    if (due && fills != NULL && fills->capacity != 0) {
        if (u->fill_seq != 0)
            fills->row[u->fill_seq & (fills->capacity - 1)] = u->fill;
        if (u->fills < atomic_load_explicit(&fills->total, memory_order_relaxed))
            atomic_store_explicit(&fills->total, u->fills, memory_order_release);
    }
    u->seq = 0;
    return due;
}
