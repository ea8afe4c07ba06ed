/* The order table: every state x every event against a table that was written from the venue's rules and not from the
 * code; slots, ids, lists and what a join finds after a death. */
#include "dataplane/engine/order.h"
#include "tests/gn_test.h"

#define CAPACITY 64u

/* One letter a state: Free New Live Canceling rePlacing Doubt Filled caNceled rEjected replaceD (the old one). */
static const char letters[] = "FNLCPDfcrp";

/* What must become of an order in the state of the column when the event comes; '.' = it cannot be. Columns as in
 * `letters`. Two rules give most of it: a message that crossed one of ours on the wire is no error, and nothing makes
 * a dead order live again. */
static const struct {
    const char *event, *to;
} expected[] = {
    /*                   FNLCPDfcrp */
    {"accept", ".L.C.D...."},    /* first word of the venue; a cancel of ours may be on its way */
    {"reject", ".r.r.r..r."},    /* only what was never accepted; a second time when already concluded */
    {"fill_part", "..LCPD...."}, /* whatever we asked for meanwhile, the venue traded */
    {"fill_last", "..ffff...."},     {"cancel_part", "..LCPD...."},
    {"cancel_last", ".ccccc...."},   /* the venue may cancel what we did not ask it to */
    {"cancel_sent", ".CCCC....."},   /* again and again; never while its fate is unknown */
    {"cancel_reject", ".NLLPDfcrp"}, /* a late answer changes nothing but our waiting for it */
    {"replace_sent", "..P......."},  /* one thing at a time */
    {"replaced", "..pppp...."},      {"replace_failed", "..LCLDfcr."}, /* the old one lives on as it was */
    {"session_lost", ".DDDDDfcrp"},  {"proven_live", "..L..L...."},
    {"proven_dead", ".r...r..r."},
};

static void every_state_and_every_event(void)
{
    CU_ASSERT_EQUAL_FATAL(GN_ARRAY_LEN(expected), GN_ORDER_EV_COUNT);
    CU_ASSERT_EQUAL_FATAL(strlen(letters), GN_ORDER_STATE_COUNT);
    for (uint32_t e = 0; e < GN_ORDER_EV_COUNT; e++) {
        CU_ASSERT_STRING_EQUAL(gn_order_event_name(e), expected[e].event);
        for (uint32_t s = 0; s < GN_ORDER_STATE_COUNT; s++) {
            const char *to = strchr(letters, expected[e].to[s]);
            uint32_t want = expected[e].to[s] == '.' ? GN_ORDER_STATE_COUNT : (uint32_t)(to - letters);
            if (gn_order_next_state(s, e) != want) {
                printf("%s + %s -> %s\n", gn_order_state_name(s), gn_order_event_name(e),
                       gn_order_state_name(gn_order_next_state(s, e)));
                CU_FAIL("not what the venue's rules say");
            }
        }
    }
    for (uint32_t s = 0; s < 20; s++)
        CU_ASSERT_EQUAL(gn_order_next_state(s, GN_ORDER_EV_COUNT), GN_ORDER_STATE_COUNT);
    CU_ASSERT_EQUAL(gn_order_next_state(GN_ORDER_STATE_COUNT, GN_ORDER_EV_ACCEPT), GN_ORDER_STATE_COUNT);
    CU_ASSERT_STRING_EQUAL(gn_order_state_name(99), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_order_event_name(99), "unknown");
}

/* No sequence of events leads from a state without a reservation to one with. */
static void the_dead_stay_dead(void)
{
    for (uint32_t e = 0; e < GN_ORDER_EV_COUNT; e++)
        for (uint32_t s = GN_ORDER_FILLED; s < GN_ORDER_STATE_COUNT; s++) {
            uint32_t to = gn_order_next_state(s, e);
            CU_ASSERT_TRUE(to == GN_ORDER_STATE_COUNT || to == s);
        }
}

struct fixture {
    struct gn_order_table *t;
    struct gn_position p[2];
};

static struct fixture make(void)
{
    struct fixture f = {.t = calloc(1, gn_orders_footprint(CAPACITY))};
    gn_orders_new(f.t, CAPACITY);
    return f;
}

static struct gn_order *open_order(struct fixture *f, uint32_t side, int64_t qty)
{
    uint64_t seq;
    struct gn_order *o = gn_order_peek(f->t, &seq);
    if (o == NULL)
        return NULL;
    memset(o, 0, sizeof *o);
    o->id = gn_order_id(3, 1, seq);
    o->user_ref = (uint32_t)seq;
    o->side = (uint8_t)side;
    o->qty = o->leaves = qty;
    gn_order_open(f->t, o, seq, &f->p[0], qty);
    return o;
}

static void forbidden_events_are_counted_and_change_nothing(void)
{
    struct fixture f = make();
    struct gn_order *o = open_order(&f, GN_SIDE_BUY, 10);
    struct gn_order was = *o;
    CU_ASSERT_FALSE(gn_order_event(f.t, o, GN_ORDER_EV_REPLACED, &f.p[0]));
    CU_ASSERT_FALSE(gn_order_event(f.t, o, GN_ORDER_EV_COUNT, &f.p[0]));
    CU_ASSERT_EQUAL(f.t->illegal, 2);
    CU_ASSERT_EQUAL(memcmp(o, &was, sizeof was), 0);
    CU_ASSERT_EQUAL(f.p[0].open_buy, 10);
    free(f.t);
}

static void fills_are_booked_in_any_state(void)
{
    struct fixture f = make();
    struct gn_order *o = open_order(&f, GN_SIDE_SELL, 10);
    CU_ASSERT_EQUAL(f.p[0].open_sell, 10);
    CU_ASSERT_TRUE(gn_order_event(f.t, o, GN_ORDER_EV_ACCEPT, &f.p[0]));
    gn_order_fill(o, &f.p[0], 4, 1000000000000000ll);
    CU_ASSERT_EQUAL(f.p[0].qty, -4);
    CU_ASSERT_EQUAL(f.p[0].open_sell, 6);
    CU_ASSERT_TRUE(f.p[0].sell_value == (gn_i128)4000000000000000ll);
    CU_ASSERT_TRUE(gn_order_event(f.t, o, GN_ORDER_EV_CANCEL_LAST, &f.p[0]));
    CU_ASSERT_EQUAL(f.p[0].open_sell, 0);
    CU_ASSERT_EQUAL(f.p[0].open_orders, 0);
    gn_order_fill(o, &f.p[0], 9, 5); /* the venue traded more, and later, than it said */
    CU_ASSERT_EQUAL(f.p[0].qty, -13);
    CU_ASSERT_EQUAL(f.p[0].sold, 13);
    CU_ASSERT_EQUAL(f.p[0].open_sell, 0);
    CU_ASSERT_EQUAL(o->leaves, 0);
    CU_ASSERT_EQUAL(o->cum, 13);
    CU_ASSERT_EQUAL(f.p[0].fills, 2);
    free(f.t);
}

static void slots_and_ids(void)
{
    struct fixture f = make();
    uint64_t seq;
    struct gn_order *first = open_order(&f, GN_SIDE_BUY, 1), *o = NULL;
    CU_ASSERT_EQUAL(first->user_ref, 1);
    for (uint32_t i = 1; i < CAPACITY; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(o = open_order(&f, GN_SIDE_BUY, 1));
    CU_ASSERT_EQUAL(f.t->open, CAPACITY);
    CU_ASSERT_PTR_NULL(gn_order_peek(f.t, &seq));
    CU_ASSERT_PTR_EQUAL(gn_order_find(f.t, 1), first);
    CU_ASSERT_PTR_EQUAL(gn_order_by_id(f.t, first->id), first);
    CU_ASSERT_PTR_NULL(gn_order_find(f.t, 1 + CAPACITY));
    CU_ASSERT_PTR_NULL(gn_order_by_id(f.t, first->id ^ 1ull << 40)); /* another lcore's */
    CU_ASSERT_TRUE(gn_order_event(f.t, o, GN_ORDER_EV_CANCEL_LAST, &f.p[0]));
    struct gn_order *again = gn_order_peek(f.t, &seq);
    CU_ASSERT_PTR_EQUAL(again, o); /* long-lived orders are stepped over, their numbers not used */
    CU_ASSERT_EQUAL(seq, 2 * CAPACITY);
    CU_ASSERT_EQUAL(f.t->next_seq, CAPACITY + 1); /* looking takes nothing */
    CU_ASSERT_PTR_NULL(gn_order_find(f.t, 0));
    free(f.t);
}

/* User reference 0 means none: the sequence steps over it when its low half wraps. */
static void user_reference_zero_is_never_given(void)
{
    struct fixture f = make();
    uint64_t seq = 0;
    f.t->next_seq = 0xffffffffull;
    CU_ASSERT_EQUAL(open_order(&f, GN_SIDE_BUY, 1)->user_ref, 0xffffffffu);
    CU_ASSERT_PTR_NOT_NULL(gn_order_peek(f.t, &seq));
    CU_ASSERT_EQUAL(seq, 0x100000001ull);
    CU_ASSERT_EQUAL(open_order(&f, GN_SIDE_BUY, 1)->user_ref, 1);
    free(f.t);
}

/* gn_order_event stores the state first; death before the rest leaves a dead order that still says it reserves. */
static void a_death_inside_a_change_leaves_nothing_wrong(void)
{
    struct fixture f = make();
    struct gn_order *a = open_order(&f, GN_SIDE_BUY, 10), *b = open_order(&f, GN_SIDE_BUY, 20);
    (void)gn_order_event(f.t, a, GN_ORDER_EV_ACCEPT, &f.p[0]);
    a->state = GN_ORDER_CANCELED;
    gn_orders_join(f.t, f.p, 2);
    CU_ASSERT_EQUAL(f.p[0].open_buy, 20);
    CU_ASSERT_EQUAL(f.p[0].open_orders, 1);
    CU_ASSERT_EQUAL(f.t->open, 1);
    CU_ASSERT_PTR_EQUAL(&f.t->order[f.t->list_head], b);
    gn_order_fill(a, &f.p[0], 3, 100); /* the venue had traded before it cancelled */
    CU_ASSERT_EQUAL(f.p[0].qty, 3);
    CU_ASSERT_EQUAL(f.p[0].open_buy, 20);
    free(f.t);
}

/* gn_order_open stores the high-water mark before the order works; an older mark is corrected by what works. */
static void join_never_gives_an_id_twice(void)
{
    struct fixture f = make();
    (void)open_order(&f, GN_SIDE_BUY, 10);
    struct gn_order *o = open_order(&f, GN_SIDE_BUY, 10);
    f.t->next_seq = 1;
    gn_orders_join(f.t, f.p, 2);
    CU_ASSERT_EQUAL(f.t->next_seq, 3);
    o->instrument = 7; /* beyond the positions: never touched */
    gn_orders_join(f.t, f.p, 2);
    CU_ASSERT_EQUAL(f.p[0].open_buy, 10);
    free(f.t);
}

GN_TEST_MAIN("order", {"every state and every event", every_state_and_every_event},
             {"the dead stay dead", the_dead_stay_dead},
             {"forbidden events are counted and change nothing", forbidden_events_are_counted_and_change_nothing},
             {"fills are booked in any state", fills_are_booked_in_any_state}, {"slots and ids", slots_and_ids},
             {"user reference zero is never given", user_reference_zero_is_never_given},
             {"a death inside a change leaves nothing wrong", a_death_inside_a_change_leaves_nothing_wrong},
             {"join never gives an id twice", join_never_gives_an_id_twice})
