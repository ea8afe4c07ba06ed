/* Instruments and best prices, as everybody may see them: the observe file. Written by the feed lcore alone. */
#ifndef GN_ABI_MARKET_H
#define GN_ABI_MARKET_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"

struct gn_instrument {
    char symbol[8]; /* space-padded */
    int32_t price_exp;
    uint32_t strategy; /* index of the strategy that trades it, GN_NONE32 = none */
    int64_t tick, lot;
    uint32_t configured; /* 1: from the config; 0: learnt from the feed */
    uint32_t pad;
    uint64_t pad1[3];
};
static_assert(sizeof(struct gn_instrument) == 64, "one cache line an instrument");

/* Best prices of one instrument, under a sequence lock: even = at rest. */
struct gn_tob {
    _Atomic uint32_t lock;
    uint32_t flags; /* GN_MD_* */
    int64_t bid, bid_qty, ask, ask_qty;
    int64_t last, last_qty;
    uint64_t tick_seq;
    uint64_t time_ns; /* when the feed took the message that changed it; 0 = never */
    uint64_t pad[7];
};
static_assert(sizeof(struct gn_tob) == 128, "two cache lines an instrument, fetched as a pair");

/* What proves that the book is the venue's: compared with the venue's own at rest. */
struct gn_book_row {
    uint64_t live_orders;
    uint64_t digest; /* wrapping sum of gn_digest_order over live orders */
};

/* Header of the instruments section; the table of `capacity` instruments follows. */
struct gn_instruments {
    _Atomic uint32_t count; /* rows in use; release by the feed lcore when it learns one, acquire by readers */
    uint32_t capacity;
    uint32_t configured;    /* the first rows */
    _Atomic uint32_t stale; /* 1: a feed gap is open, no book is current; relaxed: the gate only looks */
    uint8_t pad[GN_GUARD - 16];
    struct gn_instrument row[];
};
static_assert(offsetof(struct gn_instruments, row) == GN_GUARD, "rows follow the header");

static inline void gn_tob_begin(struct gn_tob *t)
{
    uint32_t lock = atomic_load_explicit(&t->lock, memory_order_relaxed);
    atomic_store_explicit(&t->lock, lock + 1, memory_order_relaxed);
    /* orders the odd lock before the fields; pairs with the acquire fence in gn_tob_read */
    atomic_thread_fence(memory_order_release);
}

static inline void gn_tob_end(struct gn_tob *t)
{
    uint32_t lock = atomic_load_explicit(&t->lock, memory_order_relaxed);
    /* pairs with the acquire load in gn_tob_read */
    atomic_store_explicit(&t->lock, lock + 1, memory_order_release);
}

/* gn_tob_read: a consistent copy; false when the writer was in the way `tries` times (a dead writer leaves it odd). */
static inline bool gn_tob_read(const struct gn_tob *t, struct gn_tob *out, uint32_t tries)
{
    for (uint32_t i = 0; i < tries; i++) {
        /* pairs with the release store in gn_tob_end */
        uint32_t before = atomic_load_explicit(&t->lock, memory_order_acquire);
        if (before & 1)
            continue;
        out->flags = t->flags;
        out->bid = t->bid;
        out->bid_qty = t->bid_qty;
        out->ask = t->ask;
        out->ask_qty = t->ask_qty;
        out->last = t->last;
        out->last_qty = t->last_qty;
        out->tick_seq = t->tick_seq;
        out->time_ns = t->time_ns;
        /* keeps the fields before the second look; pairs with the release fence in gn_tob_begin */
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&t->lock, memory_order_relaxed) == before)
            return true;
    }
    return false;
}

#endif
