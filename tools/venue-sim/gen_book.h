/* The generator's own book of one instrument: what keeps its flow consistent. Prices are ticks on a fixed ladder, so
 * that the best price is two bit scans away; orders are slots, queued by time within their level.
 */
#ifndef GN_SIM_GEN_BOOK_H
#define GN_SIM_GEN_BOOK_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"
#include "tools/venue-sim/gen.h"

#define GN_GEN_LADDER 4096u /* ticks, the first and the last are never used */
#define GN_GEN_SLOTS  1024u
#define GN_GEN_WORDS  (GN_GEN_LADDER / 64)
#define GN_GEN_NONE   0xffffu

static_assert(GN_GEN_LIVE_MAX < GN_GEN_SLOTS, "every live order has a slot");
static_assert(GN_GEN_WORDS == 64, "one word summarises the ladder");

struct gn_gen_order {
    uint64_t ref;
    uint32_t qty;
    uint16_t tick;
    uint16_t prev, next; /* in the queue of its level */
    uint16_t at;         /* index in live[] */
    uint8_t side;
};

struct gn_gen_level {
    uint16_t first, last; /* GN_GEN_NONE when the level is empty */
};

struct gn_gen_side {
    uint64_t summary; /* bit w: word w is not zero */
    uint64_t used[GN_GEN_WORDS];
    uint32_t orders;
    uint32_t levels;
};

struct gn_gen_book {
    uint32_t base_price; /* of tick 0, 1/10000 */
    uint32_t live_n, live_target;
    int32_t bias; /* of order flow: > 0 buys more */
    struct gn_gen_side side[2];
    uint16_t live[GN_GEN_SLOTS]; /* [0, live_n) live slots, then the free ones */
    struct gn_gen_order order[GN_GEN_SLOTS];
    struct gn_gen_level level[GN_GEN_LADDER]; /* a tick is never bid and ask at once */
};

void gn_gen_book_init(struct gn_gen_book *b, uint32_t mid_price, uint32_t live_target);

/* gn_gen_book_best: tick of the best level of a side that is not empty. */
static inline uint32_t gn_gen_book_best(const struct gn_gen_book *b, uint32_t side)
{
    const struct gn_gen_side *s = &b->side[side];
    uint32_t w =
        side == GN_SIDE_BUY ? 63u - (uint32_t)__builtin_clzll(s->summary) : (uint32_t)__builtin_ctzll(s->summary);
    uint64_t bits = s->used[w];
    return w * 64 + (side == GN_SIDE_BUY ? 63u - (uint32_t)__builtin_clzll(bits) : (uint32_t)__builtin_ctzll(bits));
}

/* gn_gen_book_add: a new order at the end of its level's queue. The caller sees to it that there is a slot (live_n <
 * GN_GEN_LIVE_MAX) and that it does not cross. */
struct gn_gen_order *gn_gen_book_add(struct gn_gen_book *b, uint64_t ref, uint32_t side, uint32_t tick, uint32_t qty);

void gn_gen_book_remove(struct gn_gen_book *b, struct gn_gen_order *o);

/* gn_gen_book_front: the oldest order of the best level of a side that is not empty. */
static inline struct gn_gen_order *gn_gen_book_front(struct gn_gen_book *b, uint32_t side)
{
    return &b->order[b->level[gn_gen_book_best(b, side)].first];
}

#endif
