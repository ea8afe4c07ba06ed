/* Reservations and positions under random events: after each, the sums over working orders are what the positions say,
 * and the positions are what a plain log of fills adds up to; a join at any moment gives the same again. */
#include "dataplane/engine/order.h"
#include "tests/gn_test.h"

#define STEPS       300000
#define CAPACITY    64u
#define INSTRUMENTS 3u

struct log {
    int64_t bought, sold;
    gn_i128 buy_value, sell_value;
    uint64_t fills;
};

struct world {
    struct gn_order_table *t;
    struct gn_position p[INSTRUMENTS];
    struct log log[INSTRUMENTS];
    uint64_t illegal, opened;
};

static int64_t small(uint64_t *seed, int64_t n)
{
    return (int64_t)(gn_test_rand(seed) % (uint64_t)n);
}

static void open_one(struct world *w, uint64_t *seed)
{
    uint64_t seq = 0, before = w->t->next_seq;
    struct gn_order *o = gn_order_peek(w->t, &seq);
    if (o == NULL) {
        CU_ASSERT_EQUAL_FATAL(w->t->open, CAPACITY);
        return;
    }
    CU_ASSERT_TRUE_FATAL(seq >= before && !gn_order_working(o->state));
    memset(o, 0, sizeof *o);
    o->id = gn_order_id(1, 0, seq);
    o->user_ref = (uint32_t)seq;
    o->side = (uint8_t)small(seed, 2);
    o->instrument = (uint32_t)small(seed, INSTRUMENTS);
    o->qty = o->leaves = 1 + small(seed, 100);
    /* a replacement reserves only what it adds */
    gn_order_open(w->t, o, seq, &w->p[o->instrument], small(seed, 4) == 0 ? small(seed, o->qty + 1) : o->qty);
    w->opened++;
}

static void touch_one(struct world *w, struct gn_order *o, uint64_t *seed)
{
    struct gn_position *p = &w->p[o->instrument];
    struct log *l = &w->log[o->instrument];
    int64_t qty = 1 + small(seed, 30), price = 1 + small(seed, 1000000);
    switch (small(seed, 8)) {
    case 0:
        gn_order_fill(o, p, qty, price);
        *(o->side == GN_SIDE_BUY ? &l->bought : &l->sold) += qty;
        *(o->side == GN_SIDE_BUY ? &l->buy_value : &l->sell_value) += (gn_i128)qty * price;
        l->fills++;
        break;
    case 1:
        gn_order_unreserve(o, p, qty);
        break;
    case 2:
        if (gn_order_working(o->state))
            gn_order_set_reserve(o, p, small(seed, 100));
        break;
    default: {
        uint32_t event = (uint32_t)small(seed, GN_ORDER_EV_COUNT), from = o->state;
        uint32_t to = gn_order_next_state(from, event);
        bool moved = gn_order_event(w->t, o, event, p);
        CU_ASSERT_EQUAL_FATAL(moved, to != GN_ORDER_STATE_COUNT);
        CU_ASSERT_EQUAL_FATAL(o->state, moved ? to : from);
        w->illegal += !moved;
    }
    }
}

static const char *wrong(const struct world *w)
{
    int64_t buy[INSTRUMENTS] = {0}, sell[INSTRUMENTS] = {0};
    uint32_t open[INSTRUMENTS] = {0}, all = 0, linked = 0;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        const struct gn_order *o = &w->t->order[i];
        if (!gn_order_working(o->state) && o->reserved != 0)
            return "a dead order reserves";
        if (!gn_order_working(o->state))
            continue;
        *(o->side == GN_SIDE_BUY ? &buy[o->instrument] : &sell[o->instrument]) += o->reserved;
        open[o->instrument]++;
        all++;
    }
    for (uint32_t i = w->t->list_head, prev = GN_NONE32; i != GN_NONE32; prev = i, i = w->t->order[i].list_next) {
        if (++linked > all || w->t->order[i].list_prev != prev || !gn_order_working(w->t->order[i].state))
            return "the list of working orders is broken";
    }
    if (all != w->t->open || linked != all || w->t->illegal != w->illegal)
        return "counts differ";
    for (uint32_t k = 0; k < INSTRUMENTS; k++) {
        const struct gn_position *p = &w->p[k];
        const struct log *l = &w->log[k];
        if (p->open_buy != buy[k] || p->open_sell != sell[k] || p->open_orders != open[k])
            return "reservations differ";
        if (p->qty != l->bought - l->sold || p->bought != l->bought || p->sold != l->sold || p->fills != l->fills ||
            p->buy_value != l->buy_value || p->sell_value != l->sell_value)
            return "the position is not the sum of its fills";
    }
    return NULL;
}

/* What can be rebuilt is destroyed first. */
static void join(struct world *w, uint64_t *seed)
{
    uint64_t next = w->t->next_seq;
    for (uint32_t k = 0; k < INSTRUMENTS; k++) {
        w->p[k].open_buy = small(seed, 1000);
        w->p[k].open_sell = -small(seed, 1000);
        w->p[k].open_orders = (uint32_t)small(seed, 1000);
    }
    for (uint32_t i = 0; i < CAPACITY; i++)
        w->t->order[i].list_next = w->t->order[i].list_prev = (uint32_t)small(seed, CAPACITY);
    w->t->list_head = (uint32_t)small(seed, CAPACITY);
    w->t->open = 12345;
    gn_orders_join(w->t, w->p, INSTRUMENTS);
    CU_ASSERT_EQUAL_FATAL(w->t->next_seq, next);
}

static void sums_hold_after_every_event(void)
{
    uint64_t seed = gn_test_seed(51);
    static struct world w;
    memset(&w, 0, sizeof w);
    w.t = calloc(1, gn_orders_footprint(CAPACITY));
    gn_orders_new(w.t, CAPACITY);
    for (int i = 0; i < STEPS; i++) {
        int64_t what = small(&seed, 100);
        if (what < 12)
            open_one(&w, &seed);
        else if (what < 99)
            touch_one(&w, &w.t->order[small(&seed, CAPACITY)], &seed);
        else
            join(&w, &seed);
        const char *text = wrong(&w);
        if (text != NULL) {
            printf("step %d: %s\n", i, text);
            CU_FAIL_FATAL("the sums do not hold");
        }
    }
    CU_ASSERT_TRUE(w.opened > 10000 && w.illegal > 10000);
    free(w.t);
}

GN_TEST_MAIN("order model", {"sums hold after every event", sums_hold_after_every_event})
