/* Books by how many orders are live, and by how many price levels a side has. */
#include "bench/components/components.h"
#include "bench/instructions/host.h"
#include "dataplane/engine/book.h"

#define ROUNDS      4096u
#define INSTRUMENTS 64u
#define ORDER_SLOTS (1u << 20)
#define LEVEL_SLOTS (1u << 18)
#define LEVELS      20u /* a side, where orders are what grows */
#define MIDDLE      1000000
#define TICK        100

struct books {
    struct gn_books *b;
    uint64_t n;
    int64_t at; /* price of the level that comes and goes */
};

static void made(int rc)
{
    if (rc < 0)
        host_die(gn_book_strerror(rc));
}

static struct gn_books *empty(void)
{
    static void *memory;
    if (memory == NULL)
        memory = host_memory(gn_books_footprint(INSTRUMENTS, ORDER_SLOTS, LEVEL_SLOTS));
    struct gn_books *b = gn_books_new(memory, INSTRUMENTS, ORDER_SLOTS, LEVEL_SLOTS);
    if (b == NULL)
        host_die("no books");
    return b;
}

/* Order number ref: where it lies follows from its number. */
static int64_t price_of(uint64_t ref)
{
    const int64_t away = (int64_t)(1 + ref / (2 * INSTRUMENTS) % LEVELS) * TICK;
    return (ref / INSTRUMENTS & 1) == GN_SIDE_BUY ? MIDDLE - away : MIDDLE + away;
}

static int add(struct gn_books *b, uint64_t ref)
{
    return gn_book_add(b, (uint32_t)(ref % INSTRUMENTS), ref + 1, ref / INSTRUMENTS & 1, price_of(ref), 100);
}

/* One that is live goes and comes again: the books are as they were. */
static void delete_and_add(void *ctx, uint64_t i)
{
    struct books *s = ctx;
    struct gn_book_order found;
    const uint64_t ref = component_scatter(i, s->n);
    made(gn_book_delete(s->b, ref + 1, &found));
    made(add(s->b, ref));
}

static void level_comes_and_goes(void *ctx, uint64_t i)
{
    struct books *s = ctx;
    struct gn_book_order found;
    const uint64_t ref = UINT32_MAX + i % 64; /* few, so that the table of orders stays in the cache */
    made(gn_book_add(s->b, 0, ref, GN_SIDE_BUY, s->at, 100));
    made(gn_book_delete(s->b, ref, &found));
}

void component_books(void)
{
    static const uint32_t orders[] = {100, 1000, 10000, 100000, 700000};
    static const uint32_t levels[] = {10, 100, 1000, 10000};
    for (uint32_t k = 0; k < GN_ARRAY_LEN(orders); k++) {
        struct books s = {.b = empty(), .n = orders[k]};
        for (uint64_t ref = 0; ref < s.n; ref++)
            made(add(s.b, ref));
        component_measure("book_delete_add", "live_orders", s.n, delete_and_add, &s, ROUNDS);
    }
    for (uint32_t k = 0; k < GN_ARRAY_LEN(levels); k++) {
        struct books s = {.b = empty(), .n = levels[k]};
        for (uint64_t i = 0; i < s.n; i++)
            made(gn_book_add(s.b, 0, i + 1, GN_SIDE_BUY, MIDDLE * 10 - (int64_t)i * TICK, 100));
        s.at = MIDDLE * 10 + TICK;
        component_measure("book_best_level", "levels", s.n, level_comes_and_goes, &s, ROUNDS);
        s.at = MIDDLE * 10 - (int64_t)s.n * TICK;
        component_measure("book_worst_level", "levels", s.n, level_comes_and_goes, &s, ROUNDS / 8);
    }
}
