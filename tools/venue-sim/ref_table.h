/* The live orders of all reference books by order reference: open addressing, linear probing, backward-shift deletion.
 * Sixteen neighbouring references are neighbours in the table, since venues number orders in sequence.
 */
#ifndef GN_SIM_REF_TABLE_H
#define GN_SIM_REF_TABLE_H

#include "dataplane/abi/base.h"

struct gn_ref_order {
    uint64_t ref;
    uint32_t price;
    uint32_t qty; /* what is left */
    uint32_t instrument;
    uint32_t side1; /* enum gn_side + 1; 0 = empty slot */
};

struct gn_ref_table {
    struct gn_ref_order *slots;
    uint64_t mask;  /* slots - 1 */
    uint32_t shift; /* of the hash of a group of neighbours */
    uint32_t max;   /* orders */
    uint32_t live;
};

/* gn_ref_table_init: room for `max` orders at a load of a half at most; false without memory. */
bool gn_ref_table_init(struct gn_ref_table *t, uint32_t max) GN_MUST_CHECK;
void gn_ref_table_free(struct gn_ref_table *t);

/* gn_ref_table_find: NULL when it is not live. Valid until the next insert or delete. */
struct gn_ref_order *gn_ref_table_find(const struct gn_ref_table *t, uint64_t ref);

/* gn_ref_table_insert: an empty order for a reference that is not live; the caller sets every field but ref, side1
 * first of all. NULL when the table holds `max`. */
struct gn_ref_order *gn_ref_table_insert(struct gn_ref_table *t, uint64_t ref);

void gn_ref_table_delete(struct gn_ref_table *t, struct gn_ref_order *order);

#endif
