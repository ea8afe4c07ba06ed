/* Order-by-order books of all instruments: one order table (open addressing, keyed by the venue's order reference), and
 * for each instrument and side an array of price levels sorted towards the best price, so that the usual change near
 * the top moves few bytes. Levels live in blocks of doubling size from one arena. Nothing is allocated after
 * gn_books_new; it all lives in the caller's memory, without pointers, and is joined by the next life of the process.
 *
 * Prices are mantissas > 0 or < 0, quantities > 0. A reference is unique over all instruments, as on Nasdaq.
 */
#ifndef GN_ENGINE_BOOK_H
#define GN_ENGINE_BOOK_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"
#include "dataplane/abi/market_digest.h"

#define GN_BOOK_LEVELS_FIRST 8u  /* levels in the smallest block */
#define GN_BOOK_CLASSES      14u /* largest block: 8 << 13 = 65,536 levels a side */

enum gn_book_err {
    GN_BOOK_ERR_UNKNOWN_REF = -1, /* no live order has this reference */
    GN_BOOK_ERR_DUP_REF = -2,     /* the reference is live already */
    GN_BOOK_ERR_QTY = -3,         /* quantity not positive, or more than the order has */
    GN_BOOK_ERR_FULL = -4,        /* order table or level arena full: the book is no longer the venue's */
    GN_BOOK_ERR_INSTRUMENT = -5,  /* instrument beyond the table */
    GN_BOOK_ERR_MAGIC = -6,       /* no books at this address, or of other sizes */
    GN_BOOK_ERR_TORN = -7,        /* the last owner died inside a change: reset, and rebuild from the feed */
    GN_BOOK_ERR_PRICE = -8,       /* price 0, which stands for an empty side */
};

/* What a change did to the best prices; the result of the functions below when it is not an error. */
enum gn_book_change {
    GN_BOOK_TOP_SIZE = 1,  /* size at the best bid or offer */
    GN_BOOK_TOP_PRICE = 2, /* best bid or offer price, or a side appeared or vanished */
};

struct gn_book_level {
    int64_t key; /* price for bids, -price for offers: the largest is best */
    int64_t qty;
    uint32_t orders;
    uint32_t pad;
};

struct gn_book_side {
    uint32_t block; /* first level in the arena */
    uint32_t n;     /* levels in use: [block, block + n), best last */
    uint32_t cls;   /* room is GN_BOOK_LEVELS_FIRST << cls; GN_BOOK_CLASSES = no block yet */
    uint32_t pad;
};

struct gn_book {
    struct gn_book_side side[2]; /* enum gn_side */
    uint64_t live_orders;
    uint64_t digest; /* see gn_digest_order */
    uint64_t pad[2];
};
static_assert(sizeof(struct gn_book) == 64, "one cache line an instrument");

struct gn_book_order {
    uint64_t ref;
    int64_t price;
    int64_t qty;
    uint32_t instrument;
    uint32_t side_used; /* side + 1; 0 = empty slot */
};
static_assert(sizeof(struct gn_book_order) == 32, "two orders a cache line");

struct gn_books {
    uint64_t magic;
    uint32_t max_instruments;
    uint32_t order_slots; /* power of two; three quarters may be live */
    uint32_t level_slots;
    uint32_t hash_shift;
    uint64_t order_off, level_off, book_off; /* from the start of this struct */
    uint64_t changing;                       /* odd while a change is under way */
    uint64_t live_orders;
    uint32_t level_used;                  /* arena handed out so far */
    uint32_t level_free[GN_BOOK_CLASSES]; /* first free block of a class, GN_NONE32 = none */
    uint32_t pad[3];
};

/* Best prices: 0, 0 where a side is empty. */
struct gn_book_top {
    int64_t bid, bid_qty, ask, ask_qty;
};

const char *gn_book_strerror(int err);

/* gn_books_footprint: bytes for that many instruments, order slots (power of two) and level slots; 0 when out of range.
 */
uint64_t gn_books_footprint(uint32_t instruments, uint32_t order_slots, uint32_t level_slots);
/* gn_books_new: lays empty books at mem, 64-byte aligned. */
struct gn_books *gn_books_new(void *mem, uint32_t instruments, uint32_t order_slots, uint32_t level_slots);
/* gn_books_join: books that an earlier process left. GN_BOOK_ERR_MAGIC or GN_BOOK_ERR_TORN when they can't be used. */
int gn_books_join(void *mem, uint32_t instruments, uint32_t order_slots, uint32_t level_slots,
                  struct gn_books **out) GN_MUST_CHECK;
/* gn_books_begin, gn_books_end: the owner brackets what must count as one: a packet's sequence numbers taken as seen
 * and all that its messages do to books. Who dies in between leaves books that no successor joins. Not nested. */
static inline void gn_books_begin(struct gn_books *b)
{
    b->changing++;
    atomic_signal_fence(memory_order_seq_cst); /* the owner may die anywhere; its stores keep their order */
}

static inline void gn_books_end(struct gn_books *b)
{
    atomic_signal_fence(memory_order_seq_cst);
    b->changing++;
}

/* gn_books_reset: empties everything. */
void gn_books_reset(struct gn_books *b);

static inline struct gn_book *gn_book_at(struct gn_books *b, uint32_t instrument)
{
    return (struct gn_book *)(void *)((uint8_t *)b + b->book_off) + instrument;
}

/* gn_book_top: best prices and sizes of an instrument (< max_instruments). */
void gn_book_top(struct gn_books *b, uint32_t instrument, struct gn_book_top *top);

/* gn_book_best: one side of it; price 0 when it is empty. */
static inline void gn_book_best(struct gn_books *b, uint32_t instrument, uint32_t side, int64_t *price, int64_t *qty)
{
    const struct gn_book_side *s = &gn_book_at(b, instrument)->side[side];
    const struct gn_book_level *l = (const struct gn_book_level *)(const void *)((uint8_t *)b + b->level_off);
    *price = *qty = 0;
    if (GN_LIKELY(s->n != 0)) {
        l += s->block + s->n - 1;
        *price = side == GN_SIDE_BUY ? l->key : -l->key;
        *qty = l->qty;
    }
}

/* gn_book_add: a new order. Returns bits of gn_book_change, or an error. */
int gn_book_add(struct gn_books *b, uint32_t instrument, uint64_t ref, uint32_t side, int64_t price, int64_t qty);

/* gn_book_reduce: qty is taken off by an execution or a partial cancel; the order goes when nothing is left. *found is
 * the order as it was before. GN_BOOK_ERR_QTY changes nothing. */
int gn_book_reduce(struct gn_books *b, uint64_t ref, int64_t qty, struct gn_book_order *found);

/* gn_book_delete: the whole order goes. *found as above. */
int gn_book_delete(struct gn_books *b, uint64_t ref, struct gn_book_order *found);

/* gn_book_replace: ref goes, new_ref comes at another price and quantity on the same side. *found is the old one. When
 * the new one can't be kept, the old one is gone all the same, and the error tells why. */
int gn_book_replace(struct gn_books *b, uint64_t ref, uint64_t new_ref, int64_t price, int64_t qty,
                    struct gn_book_order *found);

/* gn_book_clear: all orders of one instrument go; walks the whole order table: for recovery, not for the hot path. */
void gn_book_clear(struct gn_books *b, uint32_t instrument);

/* gn_book_prefetch: touches the slot of a reference that will be wanted soon. */
static inline void gn_book_prefetch(const struct gn_books *b, uint64_t ref)
{
    uint64_t slot = (ref * 0x9e3779b97f4a7c15ull) >> b->hash_shift;
    __builtin_prefetch((const uint8_t *)b + b->order_off + slot * sizeof(struct gn_book_order));
}

#endif
