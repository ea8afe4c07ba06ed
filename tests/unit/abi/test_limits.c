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

static void write_generation(struct gn_limits *l, uint64_t generation)
{
    int64_t v = (int64_t)generation;
    *gn_limits_firm_row(l, generation) = (struct gn_limits_firm){generation, v, v, v, v, {0}};
    for (uint32_t i = 0; i < ROWS; i++)
        *gn_limits_row(l, generation, i) = (struct gn_limits_instrument){generation, v, v, v, v, v, v, 0};
}

static bool whole(struct gn_limits *l, uint64_t generation)
{
    const struct gn_limits_firm *f = gn_limits_firm_row(l, generation);
    int64_t v = (int64_t)generation;
    bool ok = f->set == generation && f->max_open_orders == v && f->message_rate == v && f->message_burst == v &&
              f->cancel_reserve == v;
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct gn_limits_instrument *k = gn_limits_row(l, generation, i);
        ok = ok && k->set == generation && k->tradable == v && k->max_qty == v && k->max_value == v &&
             k->collar_bps == v && k->max_position == v && k->max_open_orders == v;
    }
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
