/* Order-by-order books: every function, every error, and the corners of the two tables below them. */
#include "dataplane/engine/book.h"
#include "tests/gn_test.h"

#define BID GN_SIDE_BUY
#define ASK GN_SIDE_SELL

static struct gn_books *make(uint32_t instruments, uint32_t order_slots, uint32_t level_slots)
{
    uint64_t bytes = gn_books_footprint(instruments, order_slots, level_slots);
    CU_ASSERT_NOT_EQUAL_FATAL(bytes, 0);
    void *mem = aligned_alloc(64, gn_align_up(bytes, 64));
    memset(mem, 0x5a, bytes); /* what was there before must not matter */
    struct gn_books *b = gn_books_new(mem, instruments, order_slots, level_slots);
    CU_ASSERT_PTR_EQUAL_FATAL(b, mem);
    return b;
}

static bool top_is(struct gn_books *b, uint32_t k, int64_t bid, int64_t bid_qty, int64_t ask, int64_t ask_qty)
{
    struct gn_book_top t;
    gn_book_top(b, k, &t);
    return t.bid == bid && t.bid_qty == bid_qty && t.ask == ask && t.ask_qty == ask_qty;
}

static void sizes(void)
{
    CU_ASSERT_EQUAL(gn_books_footprint(0, 64, 64), 0);
    CU_ASSERT_EQUAL(gn_books_footprint(1, 63, 64), 0);
    CU_ASSERT_EQUAL(gn_books_footprint(1, 96, 64), 0);
    CU_ASSERT_EQUAL(gn_books_footprint(1, 32, 64), 0);
    CU_ASSERT_EQUAL(gn_books_footprint(1, 64, 15), 0);
    CU_ASSERT_NOT_EQUAL(gn_books_footprint(1, 64, 16), 0);
    uint64_t room[64];
    CU_ASSERT_PTR_NULL(gn_books_new(room, 0, 64, 64));
    for (int err = -1; err >= -8; err--) {
        CU_ASSERT_STRING_NOT_EQUAL(gn_book_strerror(err), "unknown book error");
        for (int other = -1; other > err; other--)
            CU_ASSERT_STRING_NOT_EQUAL(gn_book_strerror(err), gn_book_strerror(other));
    }
    CU_ASSERT_STRING_EQUAL(gn_book_strerror(0), "ok");
    CU_ASSERT_STRING_EQUAL(gn_book_strerror(-99), "unknown book error");
}

static void add_says_what_it_changed(void)
{
    struct gn_books *b = make(2, 64, 64);
    CU_ASSERT_TRUE(top_is(b, 0, 0, 0, 0, 0));
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 1, BID, 100, 10), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 2, BID, 100, 5), GN_BOOK_TOP_SIZE);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 3, BID, 99, 7), 0);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 4, BID, 99, 7), 0);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 5, BID, 101, 1), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 6, ASK, 103, 2), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 7, ASK, 104, 2), 0);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 8, ASK, 102, 3), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_TRUE(top_is(b, 0, 101, 1, 102, 3));
    CU_ASSERT_TRUE(top_is(b, 1, 0, 0, 0, 0)); /* the other instrument is untouched */
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->live_orders, 8);
    CU_ASSERT_EQUAL(gn_book_at(b, 1)->live_orders, 0);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 9, BID, -50, 3), 0); /* spreads trade below zero */
    CU_ASSERT_EQUAL(gn_book_add(b, 1, 10, ASK, -50, 3), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_TRUE(top_is(b, 1, 0, 0, -50, 3));
    free(b);
}

static void errors_change_nothing(void)
{
    struct gn_books *b = make(2, 64, 64);
    struct gn_book_order found;
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 1, BID, 100, 10), 3);
    uint64_t digest = gn_book_at(b, 0)->digest;
    CU_ASSERT_EQUAL(gn_book_add(b, 2, 2, BID, 100, 10), GN_BOOK_ERR_INSTRUMENT);
    CU_ASSERT_EQUAL(gn_book_add(b, GN_NONE32, 2, BID, 100, 10), GN_BOOK_ERR_INSTRUMENT);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 2, BID, 100, 0), GN_BOOK_ERR_QTY);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 2, BID, 100, -1), GN_BOOK_ERR_QTY);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 2, 2, 100, 1), GN_BOOK_ERR_QTY);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 2, BID, 0, 1), GN_BOOK_ERR_PRICE); /* 0 says: this side is empty */
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 1, ASK, 101, 1), GN_BOOK_ERR_DUP_REF);
    CU_ASSERT_EQUAL(gn_book_add(b, 1, 1, BID, 100, 1), GN_BOOK_ERR_DUP_REF); /* unique over all instruments */
    CU_ASSERT_EQUAL(gn_book_reduce(b, 2, 1, &found), GN_BOOK_ERR_UNKNOWN_REF);
    CU_ASSERT_EQUAL(gn_book_delete(b, 2, &found), GN_BOOK_ERR_UNKNOWN_REF);
    CU_ASSERT_EQUAL(gn_book_replace(b, 2, 3, 100, 1, &found), GN_BOOK_ERR_UNKNOWN_REF);
    CU_ASSERT_EQUAL(gn_book_reduce(b, 1, 11, &found), GN_BOOK_ERR_QTY);
    CU_ASSERT_EQUAL(gn_book_reduce(b, 1, 0, &found), GN_BOOK_ERR_QTY);
    CU_ASSERT_EQUAL(gn_book_reduce(b, 1, -1, &found), GN_BOOK_ERR_QTY);
    CU_ASSERT_EQUAL(found.ref, 1);
    CU_ASSERT_TRUE(top_is(b, 0, 100, 10, 0, 0));
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, digest);
    CU_ASSERT_EQUAL(b->live_orders, 1);
    CU_ASSERT_EQUAL(b->changing % 2, 0);
    free(b);
}

static void reduce_and_delete(void)
{
    struct gn_books *b = make(1, 64, 64);
    struct gn_book_order was;
    gn_book_add(b, 0, 1, ASK, 100, 10);
    gn_book_add(b, 0, 2, ASK, 100, 20);
    gn_book_add(b, 0, 3, ASK, 105, 30);
    CU_ASSERT_EQUAL(gn_book_reduce(b, 1, 4, &was), GN_BOOK_TOP_SIZE);
    CU_ASSERT_EQUAL(was.qty, 10);
    CU_ASSERT_EQUAL(was.price, 100);
    CU_ASSERT_EQUAL(was.instrument, 0);
    CU_ASSERT_EQUAL(was.side_used, ASK + 1);
    CU_ASSERT_TRUE(top_is(b, 0, 0, 0, 100, 26));
    CU_ASSERT_EQUAL(gn_book_reduce(b, 1, 6, &was), GN_BOOK_TOP_SIZE); /* the last of the order, not of the level */
    CU_ASSERT_EQUAL(gn_book_reduce(b, 1, 1, &was), GN_BOOK_ERR_UNKNOWN_REF);
    CU_ASSERT_EQUAL(gn_book_reduce(b, 3, 1, &was), 0);
    CU_ASSERT_EQUAL(gn_book_delete(b, 2, &was), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_TRUE(top_is(b, 0, 0, 0, 105, 29));
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, gn_digest_order(3, ASK, 105, 29));
    CU_ASSERT_EQUAL(gn_book_delete(b, 3, &was), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_TRUE(top_is(b, 0, 0, 0, 0, 0));
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, 0);
    CU_ASSERT_EQUAL(b->live_orders, 0);
    free(b);
}

static void replace(void)
{
    struct gn_books *b = make(1, 64, 64);
    struct gn_book_order was;
    gn_book_add(b, 0, 1, BID, 100, 10);
    gn_book_add(b, 0, 2, BID, 98, 10);
    CU_ASSERT_EQUAL(gn_book_replace(b, 1, 3, 100, 10, &was), 0); /* left the top and came back */
    CU_ASSERT_EQUAL(was.ref, 1);
    CU_ASSERT_EQUAL(gn_book_replace(b, 3, 3, 100, 12, &was), GN_BOOK_TOP_SIZE); /* under its own name */
    CU_ASSERT_EQUAL(gn_book_replace(b, 3, 4, 97, 12, &was), GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    CU_ASSERT_TRUE(top_is(b, 0, 98, 10, 0, 0));
    CU_ASSERT_EQUAL(gn_book_replace(b, 4, 5, 96, 1, &was), 0);
    /* what cannot be kept is gone all the same */
    CU_ASSERT_EQUAL(gn_book_replace(b, 5, 2, 95, 1, &was), GN_BOOK_ERR_DUP_REF);
    CU_ASSERT_EQUAL(gn_book_delete(b, 5, &was), GN_BOOK_ERR_UNKNOWN_REF);
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, gn_digest_order(2, BID, 98, 10));
    CU_ASSERT_EQUAL(gn_book_replace(b, 2, 6, 98, 0, &was), GN_BOOK_ERR_QTY);
    CU_ASSERT_TRUE(top_is(b, 0, 0, 0, 0, 0));
    gn_book_add(b, 0, 7, BID, 98, 1);
    CU_ASSERT_EQUAL(gn_book_replace(b, 7, 8, 0, 1, &was), GN_BOOK_ERR_PRICE);
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, 0);
    CU_ASSERT_EQUAL(b->live_orders, 0);
    free(b);
}

/* One side grows through every size of block, with levels coming at the far end, at the best, and in between. */
static void levels_grow_through_all_classes(void)
{
    const uint32_t top = GN_BOOK_LEVELS_FIRST << (GN_BOOK_CLASSES - 1); /* 65,536 levels */
    struct gn_books *b = make(1, 1u << 17, 2 * top);
    struct gn_book_order was;
    int worst = 0;
    for (uint32_t i = 0; i < top; i++) {
        int64_t price = i % 3 == 0 ? 1000000 + i : 500000 - (int64_t)i;
        if (i % 3 == 2)
            price = 700000 + (int64_t)i;
        int rc = gn_book_add(b, 0, i + 1, BID, price, i + 1);
        worst = rc < worst ? rc : worst;
    }
    CU_ASSERT_EQUAL(worst, 0);
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->side[BID].cls, GN_BOOK_CLASSES - 1);
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->side[BID].n, top);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, top + 1, BID, 1, 1), GN_BOOK_ERR_FULL); /* no larger block there is */
    CU_ASSERT_EQUAL(gn_book_add(b, 0, top + 1, BID, 1000000, 1), 0);          /* a level that is there takes more */
    CU_ASSERT_EQUAL(gn_book_delete(b, top + 1, &was), 0);
    int64_t last = INT64_MAX;
    for (uint32_t left = top; left > 0; left--) {
        struct gn_book_top t;
        gn_book_top(b, 0, &t);
        worst += t.bid >= last;
        last = t.bid;
        uint32_t ref = (uint32_t)t.bid_qty; /* it was added with its reference as quantity */
        worst += gn_book_delete(b, ref, &was) != (GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE);
    }
    CU_ASSERT_EQUAL(worst, 0);
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, 0);
    free(b);
}

/* Blocks that a side has grown out of are given to others. */
static void arena_full_and_reused(void)
{
    struct gn_books *b = make(4, 256, 8 + 16 + 8);
    struct gn_book_order was;
    for (uint32_t i = 0; i < 16; i++)
        CU_ASSERT_TRUE(gn_book_add(b, 0, 1 + i, BID, 100 + i, 1) > 0);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 17, BID, 200, 1), GN_BOOK_ERR_FULL); /* needs 32 */
    CU_ASSERT_EQUAL(gn_book_add(b, 1, 20, ASK, 100, 1), 3);                /* the block of 8 that was left behind */
    CU_ASSERT_EQUAL(gn_book_add(b, 2, 30, ASK, 100, 1), 3);                /* the rest of the arena */
    CU_ASSERT_EQUAL(gn_book_add(b, 3, 40, ASK, 100, 1), GN_BOOK_ERR_FULL);
    CU_ASSERT_EQUAL(gn_book_delete(b, 40, &was), GN_BOOK_ERR_UNKNOWN_REF);
    CU_ASSERT_EQUAL(gn_book_at(b, 3)->live_orders, 0);
    CU_ASSERT_EQUAL(gn_book_at(b, 3)->digest, 0);
    CU_ASSERT_EQUAL(b->live_orders, 18);
    CU_ASSERT_TRUE(top_is(b, 0, 115, 1, 0, 0));
    CU_ASSERT_EQUAL(b->changing % 2, 0);
    free(b);
}

static void order_table_full(void)
{
    struct gn_books *b = make(1, 64, 64);
    struct gn_book_order was;
    for (uint64_t i = 1; i <= 48; i++) /* three quarters of 64 */
        CU_ASSERT_TRUE(gn_book_add(b, 0, i, BID, 100, 1) >= 0);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 49, BID, 100, 1), GN_BOOK_ERR_FULL);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 48, BID, 100, 1), GN_BOOK_ERR_DUP_REF);
    CU_ASSERT_TRUE(top_is(b, 0, 100, 48, 0, 0));
    CU_ASSERT_EQUAL(gn_book_delete(b, 7, &was), GN_BOOK_TOP_SIZE);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 49, BID, 100, 1), GN_BOOK_TOP_SIZE);
    CU_ASSERT_EQUAL(gn_book_replace(b, 49, 50, 101, 1, &was), 3); /* a full table still replaces */
    free(b);
}

/* References whose home is the same slot, or the slots around the table's end. */
static uint64_t ref_with_home(const struct gn_books *b, uint32_t home, uint64_t after)
{
    uint64_t ref = after + 1;
    while ((uint32_t)((ref * 0x9e3779b97f4a7c15ull) >> b->hash_shift) != home)
        ref++;
    return ref;
}

/* A cluster that wraps around the end; every order of removal must leave the others findable. */
static void holes_are_closed(void)
{
    uint64_t seed = gn_test_seed(31);
    for (int round = 0; round < 3000; round++) {
        struct gn_books *b = make(1, 64, 64);
        struct gn_book_order was;
        uint64_t ref[24], last = 0;
        for (uint32_t i = 0; i < 24; i++) {
            ref[i] = last = ref_with_home(b, (58 + (uint32_t)gn_test_rand(&seed) % 10) & 63, last);
            CU_ASSERT_TRUE_FATAL(gn_book_add(b, 0, ref[i], i & 1, 100 + i, 5 + i) >= 0);
        }
        for (uint32_t left = 24; left > 0; left--) {
            uint32_t k = (uint32_t)gn_test_rand(&seed) % left;
            CU_ASSERT_TRUE_FATAL(gn_book_delete(b, ref[k], &was) >= 0);
            CU_ASSERT_EQUAL_FATAL(was.ref, ref[k]);
            ref[k] = ref[left - 1];
            for (uint32_t i = 0; i < left - 1; i++) {
                CU_ASSERT_EQUAL_FATAL(gn_book_reduce(b, ref[i], 0, &was), GN_BOOK_ERR_QTY); /* found */
                CU_ASSERT_EQUAL_FATAL(was.ref, ref[i]);
            }
        }
        CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, 0);
        free(b);
    }
}

static void clear_and_reset(void)
{
    struct gn_books *b = make(3, 256, 256);
    struct gn_book_order was;
    for (uint64_t i = 1; i <= 150; i++)
        CU_ASSERT_TRUE(gn_book_add(b, (uint32_t)(i % 3), i, i & 1, 100 + (int64_t)(i % 7), 1) >= 0);
    uint64_t kept = gn_book_at(b, 1)->digest;
    gn_book_clear(b, 0);
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->live_orders, 0);
    CU_ASSERT_EQUAL(gn_book_at(b, 0)->digest, 0);
    CU_ASSERT_TRUE(top_is(b, 0, 0, 0, 0, 0));
    CU_ASSERT_EQUAL(gn_book_at(b, 1)->digest, kept);
    CU_ASSERT_EQUAL(gn_book_at(b, 1)->live_orders, 50);
    for (uint64_t i = 1; i <= 150; i++)
        CU_ASSERT_EQUAL(gn_book_delete(b, i, &was) >= 0, i % 3 != 0);
    gn_book_add(b, 0, 1, BID, 1, 1);
    gn_books_reset(b);
    CU_ASSERT_EQUAL(b->live_orders, 0);
    CU_ASSERT_EQUAL(b->level_used, 0);
    CU_ASSERT_EQUAL(gn_book_add(b, 0, 1, BID, 1, 1), 3);
    free(b);
}

static void join_takes_only_its_own_and_only_whole_ones(void)
{
    struct gn_books *b = make(2, 64, 64), *out = NULL;
    gn_book_add(b, 0, 1, BID, 100, 10);
    CU_ASSERT_EQUAL(gn_books_join(b, 2, 64, 64, &out), 0);
    CU_ASSERT_PTR_EQUAL(out, b);
    CU_ASSERT_TRUE(top_is(out, 0, 100, 10, 0, 0));
    CU_ASSERT_EQUAL(gn_books_join(b, 3, 64, 64, &out), GN_BOOK_ERR_MAGIC);
    CU_ASSERT_EQUAL(gn_books_join(b, 2, 128, 64, &out), GN_BOOK_ERR_MAGIC);
    CU_ASSERT_EQUAL(gn_books_join(b, 2, 64, 63, &out), GN_BOOK_ERR_MAGIC);
    b->changing++; /* the owner died inside a change */
    CU_ASSERT_EQUAL(gn_books_join(b, 2, 64, 64, &out), GN_BOOK_ERR_TORN);
    b->changing++;
    b->magic ^= 1;
    CU_ASSERT_EQUAL(gn_books_join(b, 2, 64, 64, &out), GN_BOOK_ERR_MAGIC);
    gn_book_prefetch(b, 1);
    free(b);
}

GN_TEST_MAIN("book", {"sizes", sizes}, {"add says what it changed", add_says_what_it_changed},
             {"errors change nothing", errors_change_nothing}, {"reduce and delete", reduce_and_delete},
             {"replace", replace}, {"levels grow through all classes", levels_grow_through_all_classes},
             {"arena full and reused", arena_full_and_reused}, {"order table full", order_table_full},
             {"holes are closed", holes_are_closed}, {"clear and reset", clear_and_reset},
             {"join takes only its own and only whole ones", join_takes_only_its_own_and_only_whole_ones})
