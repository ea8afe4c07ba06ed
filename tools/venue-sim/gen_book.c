#include "tools/venue-sim/gen_book.h"

void gn_gen_book_init(struct gn_gen_book *b, uint32_t mid_price, uint32_t live_target)
{
    memset(b, 0, sizeof *b);
    b->base_price = mid_price - GN_GEN_LADDER / 2 * GN_GEN_TICK;
    b->live_target = live_target;
    for (uint32_t i = 0; i < GN_GEN_SLOTS; i++)
        b->live[i] = (uint16_t)i;
    for (uint32_t i = 0; i < GN_GEN_LADDER; i++)
        b->level[i] = (struct gn_gen_level){GN_GEN_NONE, GN_GEN_NONE};
}

struct gn_gen_order *gn_gen_book_add(struct gn_gen_book *b, uint64_t ref, uint32_t side, uint32_t tick, uint32_t qty)
{
    const uint16_t slot = b->live[b->live_n];
    struct gn_gen_order *o = &b->order[slot];
    struct gn_gen_level *l = &b->level[tick];
    struct gn_gen_side *s = &b->side[side];

    *o = (struct gn_gen_order){.ref = ref,
                               .qty = qty,
                               .tick = (uint16_t)tick,
                               .prev = l->last,
                               .next = GN_GEN_NONE,
                               .at = (uint16_t)b->live_n,
                               .side = (uint8_t)side};
    b->live_n++;
    s->orders++;
    if (l->last == GN_GEN_NONE) {
        l->first = slot;
        s->levels++;
        s->used[tick / 64] |= 1ull << (tick % 64);
        s->summary |= 1ull << (tick / 64);
    } else {
        b->order[l->last].next = slot;
    }
    l->last = slot;
    return o;
}

void gn_gen_book_remove(struct gn_gen_book *b, struct gn_gen_order *o)
{
    struct gn_gen_level *l = &b->level[o->tick];
    struct gn_gen_side *s = &b->side[o->side];
    const uint16_t slot = b->live[o->at];

    if (o->prev == GN_GEN_NONE)
        l->first = o->next;
    else
        b->order[o->prev].next = o->next;
    if (o->next == GN_GEN_NONE)
        l->last = o->prev;
    else
        b->order[o->next].prev = o->prev;
    if (l->first == GN_GEN_NONE) {
        s->levels--;
        s->used[o->tick / 64] &= ~(1ull << (o->tick % 64));
        if (s->used[o->tick / 64] == 0)
            s->summary &= ~(1ull << (o->tick / 64));
    }
    s->orders--;
    b->live_n--;
    /* the last live slot moves into the gap, the freed one behind the end */
    const uint16_t moved = b->live[b->live_n];
    b->live[o->at] = moved;
    b->order[moved].at = o->at;
    b->live[b->live_n] = slot;
}
