/* Limits in two generations: a reader works on one while the other is written, and never sees half of a change. */
#include <pthread.h>
#include <sched.h>

#include "dataplane/abi/limits.h"
#include "tests/gn_test.h"

#define ROWS        32u
#define GENERATIONS 20000u

static struct gn_limits *fresh(void)
{
    struct gn_limits *l = aligned_alloc(GN_GUARD, gn_limits_footprint(ROWS));
    memset(l, 0, gn_limits_footprint(ROWS));
    l->rows = ROWS;
    return l;
}

/* Both kinds of rows are `set` and then numbers of 8 bytes: all of them the generation. */
static void fill(void *row, size_t bytes, uint64_t generation)
{
    for (size_t i = 0; i < bytes / 8; i++)
        memcpy((uint8_t *)row + 8 * i, &generation, 8);
}

static bool filled(const void *row, size_t bytes, uint64_t generation)
{
    bool ok = true;
    for (size_t i = 0; i < bytes / 8; i++)
        ok = ok && memcmp((const uint8_t *)row + 8 * i, &generation, 8) == 0;
    return ok;
}

static void write_generation(struct gn_limits *l, uint64_t generation)
{
    for (uint32_t i = 0; i < GN_SCOPE_ROWS; i++)
        fill(gn_limits_scope_row(l, generation, i), sizeof(struct gn_limits_scope), generation);
    for (uint32_t i = 0; i < ROWS; i++)
        fill(gn_limits_row(l, generation, i), sizeof(struct gn_limits_instrument), generation);
}

static bool whole(struct gn_limits *l, uint64_t generation)
{
    bool ok = true;
    for (uint32_t i = 0; i < GN_SCOPE_ROWS; i++)
        ok = ok && filled(gn_limits_scope_row(l, generation, i), sizeof(struct gn_limits_scope), generation);
    for (uint32_t i = 0; i < ROWS; i++)
        ok = ok && filled(gn_limits_row(l, generation, i), sizeof(struct gn_limits_instrument), generation);
    return ok;
}

static void halves_do_not_overlap(void)
{
    struct gn_limits *l = fresh();
    write_generation(l, 6);
    write_generation(l, 7);
    CU_ASSERT_TRUE(whole(l, 6));
    CU_ASSERT_TRUE(whole(l, 7));
    const uint8_t *end = (const uint8_t *)(gn_limits_row(l, 7, ROWS - 1) + 1);
    CU_ASSERT_TRUE(end <= (const uint8_t *)l + gn_limits_footprint(ROWS));
    CU_ASSERT_PTR_EQUAL(gn_limits_row(l, 6, 0), gn_limits_row(l, 8, 0));
    free(l);
}

static void idle_waits_for_every_reader(void)
{
    struct gn_limits *l = fresh();
    gn_limits_publish(l);
    CU_ASSERT_EQUAL(gn_limits_current(l), 1);
    CU_ASSERT_FALSE(gn_limits_idle(l, 1));
    gn_limits_seen(l, 0, 1);
    CU_ASSERT_TRUE(gn_limits_idle(l, 1));
    CU_ASSERT_FALSE(gn_limits_idle(l, 2));
    gn_limits_seen(l, 1, 1);
    CU_ASSERT_TRUE(gn_limits_idle(l, 2));
    gn_limits_publish(l);
    CU_ASSERT_FALSE(gn_limits_idle(l, 2));
    CU_ASSERT_TRUE(gn_limits_idle(l, 0));
    free(l);
}

struct shared {
    struct gn_limits *limits;
    uint32_t reader;
    uint64_t torn, looks, changes;
};

static void *read_limits(void *arg)
{
    struct shared *s = arg;
    uint64_t generation = 0;
    while (generation < GENERATIONS) {
        uint64_t now = gn_limits_current(s->limits);
        s->changes += now != generation;
        generation = now;
        gn_limits_seen(s->limits, s->reader, now);
        for (int i = 0; i < 3; i++, s->looks++)
            s->torn += !whole(s->limits, generation);
        if (s->looks % 64 == 0)
            sched_yield();
    }
    return NULL;
}

static void a_reader_never_sees_a_torn_row(void)
{
    struct gn_limits *l = fresh();
    struct shared s = {l, 0, 0, 0, 0};
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, read_limits, &s), 0);
    for (uint64_t g = 1; g <= GENERATIONS; g++) {
        while (!gn_limits_idle(l, 1))
            sched_yield();
        write_generation(l, g);
        gn_limits_publish(l);
    }
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(s.torn, 0);
    CU_ASSERT_EQUAL(s.changes, GENERATIONS); /* idle lets no generation be passed over */
    free(l);
}

GN_TEST_MAIN("limits", {"halves do not overlap", halves_do_not_overlap},
             {"idle waits for every reader", idle_waits_for_every_reader},
             {"a reader never sees a torn row", a_reader_never_sees_a_torn_row})
