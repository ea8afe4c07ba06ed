#include "tools/venue-sim/ref_table.h"

#include <stdlib.h>

#define GROUP_BITS 4u

static uint64_t home(const struct gn_ref_table *t, uint64_t ref)
{
    return (((ref >> GROUP_BITS) * 0x9e3779b97f4a7c15ull) >> t->shift) << GROUP_BITS | (ref & ((1u << GROUP_BITS) - 1));
}

bool gn_ref_table_init(struct gn_ref_table *t, uint32_t max)
{
    uint32_t bits = GROUP_BITS + 1;
    while ((1ull << bits) < 2ull * max)
        bits++;
    *t = (struct gn_ref_table){.mask = (1ull << bits) - 1, .shift = 64 - (bits - GROUP_BITS), .max = max};
    t->slots = calloc(1ull << bits, sizeof *t->slots);
    return t->slots != NULL;
}

void gn_ref_table_free(struct gn_ref_table *t)
{
    free(t->slots);
    *t = (struct gn_ref_table){0};
}

struct gn_ref_order *gn_ref_table_find(const struct gn_ref_table *t, uint64_t ref)
{
    for (uint64_t i = home(t, ref);; i = (i + 1) & t->mask) {
        struct gn_ref_order *o = &t->slots[i];
        if (o->side1 == 0)
            return NULL;
        if (o->ref == ref)
            return o;
    }
}

struct gn_ref_order *gn_ref_table_insert(struct gn_ref_table *t, uint64_t ref)
{
    uint64_t i = home(t, ref);
    if (t->live == t->max)
        return NULL;
    while (t->slots[i].side1 != 0)
        i = (i + 1) & t->mask;
    t->slots[i].ref = ref;
    t->live++;
    return &t->slots[i];
}

void gn_ref_table_delete(struct gn_ref_table *t, struct gn_ref_order *order)
{
    uint64_t hole = (uint64_t)(order - t->slots);
    uint64_t i = hole;
    t->live--;
    for (;;) {
        i = (i + 1) & t->mask;
        if (t->slots[i].side1 == 0)
            break;
        /* An order may move into the hole when the hole lies between its home and where it stands. */
        uint64_t from_home = (i - home(t, t->slots[i].ref)) & t->mask;
        uint64_t from_hole = (i - hole) & t->mask;
        if (from_home >= from_hole) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole].side1 = 0;
}
