#include "dataplane/engine/book.h"

#define GN_BOOKS_MAGIC 0x676e626f6f6b3031ull /* "gnbook01" */
#define LINEAR_STEPS   8u                    /* levels looked at from the best price before a binary search */

const char *gn_book_strerror(int err)
{
    switch (err) {
    case GN_BOOK_ERR_UNKNOWN_REF:
        return "no live order has this reference";
    case GN_BOOK_ERR_DUP_REF:
        return "the order reference is live already";
    case GN_BOOK_ERR_QTY:
        return "quantity is not positive, or more than the order has";
    case GN_BOOK_ERR_FULL:
        return "order table or level arena is full";
    case GN_BOOK_ERR_INSTRUMENT:
        return "instrument is beyond the table";
    case GN_BOOK_ERR_MAGIC:
        return "no books at this address, or of other sizes";
    case GN_BOOK_ERR_TORN:
        return "the last owner died inside a change";
    case GN_BOOK_ERR_PRICE:
        return "price is 0";
    default:
        return err >= 0 ? "ok" : "unknown book error";
    }
}

static struct gn_book_order *orders(struct gn_books *b)
{
    return (struct gn_book_order *)(void *)((uint8_t *)b + b->order_off);
}

static struct gn_book_level *levels(struct gn_books *b)
{
    return (struct gn_book_level *)(void *)((uint8_t *)b + b->level_off);
}

static uint64_t order_bytes(uint32_t slots)
{
    return gn_align_up((uint64_t)slots * sizeof(struct gn_book_order), GN_GUARD);
}

static uint64_t level_bytes(uint32_t slots)
{
    return gn_align_up((uint64_t)slots * sizeof(struct gn_book_level), GN_GUARD);
}

uint64_t gn_books_footprint(uint32_t instruments, uint32_t order_slots, uint32_t level_slots)
{
    if (instruments == 0 || !gn_is_pow2(order_slots) || order_slots < 64 || level_slots < 2 * GN_BOOK_LEVELS_FIRST)
        return 0;
    return gn_align_up(sizeof(struct gn_books), GN_GUARD) + order_bytes(order_slots) + level_bytes(level_slots) +
           (uint64_t)instruments * sizeof(struct gn_book);
}

void gn_books_reset(struct gn_books *b)
{
    memset(orders(b), 0, (size_t)b->order_slots * sizeof(struct gn_book_order));
    for (uint32_t i = 0; i < b->max_instruments; i++) {
        struct gn_book *k = gn_book_at(b, i);
        memset(k, 0, sizeof *k);
        k->side[0].cls = k->side[1].cls = GN_BOOK_CLASSES;
    }
    for (uint32_t i = 0; i < GN_BOOK_CLASSES; i++)
        b->level_free[i] = GN_NONE32;
    b->level_used = 0;
    b->live_orders = 0;
    b->changing = 0;
}

struct gn_books *gn_books_new(void *mem, uint32_t instruments, uint32_t order_slots, uint32_t level_slots)
{
    struct gn_books *b = mem;
    if (gn_books_footprint(instruments, order_slots, level_slots) == 0)
        return NULL;
    memset(b, 0, sizeof *b);
    b->max_instruments = instruments;
    b->order_slots = order_slots;
    b->level_slots = level_slots;
    b->hash_shift = 64 - (uint32_t)__builtin_ctz(order_slots);
    b->order_off = gn_align_up(sizeof *b, GN_GUARD);
    b->level_off = b->order_off + order_bytes(order_slots);
    b->book_off = b->level_off + level_bytes(level_slots);
    gn_books_reset(b);
    b->magic = GN_BOOKS_MAGIC;
    return b;
}

int gn_books_join(void *mem, uint32_t instruments, uint32_t order_slots, uint32_t level_slots, struct gn_books **out)
{
    struct gn_books *b = mem;
    if (b->magic != GN_BOOKS_MAGIC || b->max_instruments != instruments || b->order_slots != order_slots ||
        b->level_slots != level_slots)
        return GN_BOOK_ERR_MAGIC;
    if (b->changing & 1)
        return GN_BOOK_ERR_TORN;
    *out = b;
    return 0;
}

/* ---- orders ---- */

static uint32_t home_slot(const struct gn_books *b, uint64_t ref)
{
    return (uint32_t)((ref * 0x9e3779b97f4a7c15ull) >> b->hash_shift);
}

static struct gn_book_order *find_order(struct gn_books *b, uint64_t ref)
{
    struct gn_book_order *o = orders(b);
    uint32_t mask = b->order_slots - 1;
    for (uint32_t i = home_slot(b, ref); o[i].side_used != 0; i = (i + 1) & mask)
        if (o[i].ref == ref)
            return &o[i];
    return NULL;
}

/* Takes an order out and closes the hole, so that probing never meets tombstones. */
static void remove_order(struct gn_books *b, struct gn_book_order *at)
{
    struct gn_book_order *o = orders(b);
    uint32_t mask = b->order_slots - 1;
    uint32_t hole = (uint32_t)(at - o);
    for (uint32_t i = (hole + 1) & mask; o[i].side_used != 0; i = (i + 1) & mask) {
        uint32_t home = home_slot(b, o[i].ref);
        /* o[i] may move to the hole when its home is not inside (hole, i], cyclically */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            o[hole] = o[i];
            hole = i;
        }
    }
    o[hole].side_used = 0;
}

/* ---- levels ---- */

static int64_t key_of(uint32_t side, int64_t price)
{
    return side == GN_SIDE_BUY ? price : -price;
}

static uint32_t block_room(uint32_t cls)
{
    return cls == GN_BOOK_CLASSES ? 0 : GN_BOOK_LEVELS_FIRST << cls;
}

static uint32_t take_block(struct gn_books *b, uint32_t cls)
{
    uint32_t at = b->level_free[cls];
    if (at != GN_NONE32) {
        b->level_free[cls] = levels(b)[at].pad;
        return at;
    }
    if (b->level_slots - b->level_used < block_room(cls))
        return GN_NONE32;
    at = b->level_used;
    b->level_used += block_room(cls);
    return at;
}

static bool grow_side(struct gn_books *b, struct gn_book_side *s)
{
    uint32_t cls = s->cls == GN_BOOK_CLASSES ? 0 : s->cls + 1;
    uint32_t at = cls < GN_BOOK_CLASSES ? take_block(b, cls) : GN_NONE32;
    if (at == GN_NONE32)
        return false;
    struct gn_book_level *l = levels(b);
    if (s->cls != GN_BOOK_CLASSES) {
        memcpy(&l[at], &l[s->block], s->n * sizeof *l);
        l[s->block].pad = b->level_free[s->cls];
        b->level_free[s->cls] = s->block;
    }
    s->block = at;
    s->cls = cls;
    return true;
}

/* Index of the first level from the best downwards whose key is <= key, plus one; 0 when all are better. So the level,
 * when it is there, is at index - 1, and a new one goes in at index. */
static uint32_t find_level(const struct gn_book_level *l, uint32_t n, int64_t key)
{
    uint32_t hi = n;
    for (uint32_t step = 0; step < LINEAR_STEPS; step++, hi--)
        if (hi == 0 || l[hi - 1].key <= key)
            return hi;
    uint32_t lo = 0;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (l[mid].key <= key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int level_add(struct gn_books *b, struct gn_book_side *s, int64_t key, int64_t qty)
{
    struct gn_book_level *l = levels(b) + s->block;
    uint32_t at = s->n == 0 ? 0 : find_level(l, s->n, key);
    if (at != 0 && l[at - 1].key == key) {
        l[at - 1].qty += qty;
        l[at - 1].orders++;
        return at == s->n ? GN_BOOK_TOP_SIZE : 0;
    }
    if (s->n == block_room(s->cls)) {
        if (!grow_side(b, s))
            return GN_BOOK_ERR_FULL;
        l = levels(b) + s->block;
    }
    memmove(&l[at + 1], &l[at], (s->n - at) * sizeof *l);
    l[at] = (struct gn_book_level){.key = key, .qty = qty, .orders = 1};
    s->n++;
    return at + 1 == s->n ? GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE : 0;
}

/* Takes qty off a level; `whole` when an order goes with it. The level is there: its order was. */
static int level_sub(struct gn_books *b, struct gn_book_side *s, int64_t key, int64_t qty, bool whole)
{
    struct gn_book_level *l = levels(b) + s->block;
    uint32_t at = find_level(l, s->n, key) - 1;
    bool top = at + 1 == s->n;
    l[at].qty -= qty;
    l[at].orders -= whole;
    if (l[at].orders != 0)
        return top ? GN_BOOK_TOP_SIZE : 0;
    memmove(&l[at], &l[at + 1], (s->n - at - 1) * sizeof *l);
    s->n--;
    return top ? GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE : 0;
}

/* ---- changes ---- */

static int add_order(struct gn_books *b, uint32_t instrument, uint64_t ref, uint32_t side, int64_t price, int64_t qty)
{
    if (qty <= 0)
        return GN_BOOK_ERR_QTY;
    if (price == 0)
        return GN_BOOK_ERR_PRICE;
    struct gn_book_order *o = orders(b);
    uint32_t mask = b->order_slots - 1;
    uint32_t i = home_slot(b, ref);
    for (; o[i].side_used != 0; i = (i + 1) & mask)
        if (o[i].ref == ref)
            return GN_BOOK_ERR_DUP_REF;
    if (b->live_orders >= b->order_slots / 4ull * 3)
        return GN_BOOK_ERR_FULL;
    struct gn_book *k = gn_book_at(b, instrument);
    int change = level_add(b, &k->side[side], key_of(side, price), qty);
    if (change < 0)
        return change;
    o[i] = (struct gn_book_order){ref, price, qty, instrument, side + 1};
    b->live_orders++;
    k->live_orders++;
    k->digest += gn_digest_order(ref, side, price, qty);
    return change;
}

static int drop_order(struct gn_books *b, struct gn_book_order *o)
{
    struct gn_book *k = gn_book_at(b, o->instrument);
    uint32_t side = o->side_used - 1;
    int change = level_sub(b, &k->side[side], key_of(side, o->price), o->qty, true);
    k->digest -= gn_digest_order(o->ref, side, o->price, o->qty);
    k->live_orders--;
    b->live_orders--;
    remove_order(b, o);
    return change;
}

int gn_book_add(struct gn_books *b, uint32_t instrument, uint64_t ref, uint32_t side, int64_t price, int64_t qty)
{
    if (instrument >= b->max_instruments)
        return GN_BOOK_ERR_INSTRUMENT;
    if (side > GN_SIDE_SELL)
        return GN_BOOK_ERR_QTY;
    int change = add_order(b, instrument, ref, side, price, qty);
    return change;
}

int gn_book_reduce(struct gn_books *b, uint64_t ref, int64_t qty, struct gn_book_order *found)
{
    struct gn_book_order *o = find_order(b, ref);
    if (o == NULL)
        return GN_BOOK_ERR_UNKNOWN_REF;
    *found = *o;
    if (qty <= 0 || qty > o->qty)
        return GN_BOOK_ERR_QTY;
    int change;
    if (qty == o->qty) {
        change = drop_order(b, o);
    } else {
        struct gn_book *k = gn_book_at(b, o->instrument);
        uint32_t side = o->side_used - 1;
        change = level_sub(b, &k->side[side], key_of(side, o->price), qty, false);
        k->digest += gn_digest_order(ref, side, o->price, o->qty - qty) - gn_digest_order(ref, side, o->price, o->qty);
        o->qty -= qty;
    }
    return change;
}

int gn_book_delete(struct gn_books *b, uint64_t ref, struct gn_book_order *found)
{
    struct gn_book_order *o = find_order(b, ref);
    if (o == NULL)
        return GN_BOOK_ERR_UNKNOWN_REF;
    *found = *o;
    int change = drop_order(b, o);
    return change;
}

/* The best price is compared before and after: leaving and coming back to the top is no change of price. */
int gn_book_replace(struct gn_books *b, uint64_t ref, uint64_t new_ref, int64_t price, int64_t qty,
                    struct gn_book_order *found)
{
    struct gn_book_order *o = find_order(b, ref);
    if (o == NULL)
        return GN_BOOK_ERR_UNKNOWN_REF;
    *found = *o;
    uint32_t side = found->side_used - 1;
    const struct gn_book_side *s = &gn_book_at(b, found->instrument)->side[side];
    struct gn_book_level before = levels(b)[s->block + s->n - 1];
    drop_order(b, o);
    int change = add_order(b, found->instrument, new_ref, side, price, qty);
    if (change < 0)
        return change;
    struct gn_book_level after = levels(b)[s->block + s->n - 1];
    if (before.key != after.key)
        return GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE;
    return before.qty != after.qty ? GN_BOOK_TOP_SIZE : 0;
}

void gn_book_clear(struct gn_books *b, uint32_t instrument)
{
    struct gn_book_order *o = orders(b);
    for (uint32_t i = 0; i < b->order_slots;) {
        if (o[i].side_used != 0 && o[i].instrument == instrument)
            drop_order(b, &o[i]); /* another order may have moved here: look again */
        else
            i++;
    }
}

void gn_book_top(struct gn_books *b, uint32_t instrument, struct gn_book_top *top)
{
    const struct gn_book *k = gn_book_at(b, instrument);
    const struct gn_book_level *l = levels(b);
    const struct gn_book_side *bid = &k->side[GN_SIDE_BUY], *ask = &k->side[GN_SIDE_SELL];
    memset(top, 0, sizeof *top);
    if (bid->n != 0) {
        top->bid = l[bid->block + bid->n - 1].key;
        top->bid_qty = l[bid->block + bid->n - 1].qty;
    }
    if (ask->n != 0) {
        top->ask = -l[ask->block + ask->n - 1].key;
        top->ask_qty = l[ask->block + ask->n - 1].qty;
    }
}
