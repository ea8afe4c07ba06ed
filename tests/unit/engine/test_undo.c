/* A venue message that is cut off after any store is taken back whole; one that counts as processed is left alone. */
#include "dataplane/engine/undo.h"
#include "tests/gn_test.h"

#define CAPACITY    64u
#define INSTRUMENTS 4u

static struct world {
    uint8_t table[sizeof(struct gn_order_table) + CAPACITY * sizeof(struct gn_order)];
    struct gn_position position[INSTRUMENTS];
    struct gn_undo undo;
} world, before;

static struct gn_order_table *table(void)
{
    return (struct gn_order_table *)(void *)world.table;
}

static struct gn_order *open_order(int64_t qty)
{
    uint64_t seq;
    struct gn_order *o = gn_order_peek(table(), &seq);
    *o = (struct gn_order){.id = seq, .user_ref = (uint32_t)seq, .instrument = 1, .qty = qty, .leaves = qty};
    gn_order_open(table(), o, seq, &world.position[1], qty);
    return o;
}

static void start(struct gn_order **old, struct gn_order **successor)
{
    memset(&world, 0, sizeof world);
    gn_orders_new(table(), CAPACITY);
    *old = open_order(100);
    *successor = open_order(50);
    (*old)->next_ref = (*successor)->user_ref;
    (*successor)->prev_ref = (*old)->user_ref;
    before = world;
}

static bool orders_as_before(void)
{
    return memcmp(world.table, before.table, sizeof world.table) == 0 &&
           memcmp(world.position, before.position, sizeof world.position) == 0;
}

static void half_done_is_taken_back(void)
{
    struct gn_order *old, *successor;
    start(&old, &successor);
    gn_undo_save(&world.undo, 7, table(), successor, old->user_ref, &world.position[1], NULL, NULL);
    gn_order_fill(successor, &world.position[1], 20, 1000);
    old->state = GN_ORDER_REPLACED;
    CU_ASSERT_FALSE(orders_as_before());
    CU_ASSERT_TRUE(gn_undo_rollback(&world.undo, 7, table(), world.position, INSTRUMENTS, NULL));
    CU_ASSERT_TRUE(orders_as_before());
    CU_ASSERT_FALSE(gn_undo_rollback(&world.undo, 7, table(), world.position, INSTRUMENTS, NULL));
}

static void processed_is_left_alone(void)
{
    struct gn_order *old, *successor;
    start(&old, &successor);
    gn_undo_save(&world.undo, 7, table(), old, 0, &world.position[1], NULL, NULL);
    gn_order_fill(old, &world.position[1], 20, 1000);
    /* died after the sequence moved on, before it was forgotten */
    CU_ASSERT_FALSE(gn_undo_rollback(&world.undo, 8, table(), world.position, INSTRUMENTS, NULL));
    CU_ASSERT_EQUAL(world.position[1].qty, 20);
    gn_undo_save(&world.undo, 8, table(), old, 0, &world.position[1], NULL, NULL);
    gn_undo_forget(&world.undo);
    CU_ASSERT_FALSE(gn_undo_rollback(&world.undo, 8, table(), world.position, INSTRUMENTS, NULL));
}

static void nonsense_is_not_followed(void)
{
    struct gn_order *old, *successor;
    start(&old, &successor);
    gn_undo_save(&world.undo, 7, table(), old, 0, &world.position[1], NULL, NULL);
    world.undo.slot[0] = CAPACITY;
    CU_ASSERT_FALSE(gn_undo_rollback(&world.undo, 7, table(), world.position, INSTRUMENTS, NULL));
    gn_undo_save(&world.undo, 7, table(), old, 0, &world.position[1], NULL, NULL);
    world.undo.instrument = INSTRUMENTS;
    CU_ASSERT_FALSE(gn_undo_rollback(&world.undo, 7, table(), world.position, INSTRUMENTS, NULL));
    gn_undo_save(&world.undo, 7, table(), old, 0, &world.position[1], NULL, NULL);
    world.undo.n = GN_UNDO_ORDERS + 1;
    CU_ASSERT_FALSE(gn_undo_rollback(&world.undo, 7, table(), world.position, INSTRUMENTS, NULL));
    CU_ASSERT_TRUE(orders_as_before());
}

GN_TEST_MAIN("undo", {"half done is taken back", half_done_is_taken_back},
             {"processed is left alone", processed_is_left_alone},
             {"nonsense is not followed", nonsense_is_not_followed})
