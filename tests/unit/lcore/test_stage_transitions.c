/* Every state x every event, through the stage: a state is reached by the events that the table allows, then the event
 * comes. What the table allows happens without a word; what it forbids changes nothing, is counted, is a break in the
 * table and in the journal, and an alert. The walk is made from the table itself.
 */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define DESK 1u

static struct gn_h *h;

/* The events that lead from PENDING_NEW to each state, shortest first; n = 0 for PENDING_NEW. */
struct way {
    bool known;
    uint32_t n, event[GN_ORDER_STATE_COUNT];
};

static void find_ways(struct way way[GN_ORDER_STATE_COUNT])
{
    memset(way, 0, sizeof(struct way) * GN_ORDER_STATE_COUNT);
    way[GN_ORDER_PENDING_NEW].known = true;
    for (uint32_t round = 0; round < GN_ORDER_STATE_COUNT; round++)
        for (uint32_t s = 0; s < GN_ORDER_STATE_COUNT; s++)
            for (uint32_t e = 0; way[s].known && way[s].n == round && e < GN_ORDER_EV_COUNT; e++) {
                uint32_t to = gn_order_next_state(s, e);
                if (to == GN_ORDER_STATE_COUNT || way[to].known)
                    continue;
                way[to] = way[s];
                way[to].event[way[to].n++] = e;
            }
}

static uint64_t breaks(void)
{
    return atomic_load(&h->recon->by_class[GN_BREAK_ILLEGAL_EVENT]);
}

static void one_pair(const struct way *way, uint32_t state, uint32_t event)
{
    struct gn_order *o = gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 10);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    for (uint32_t i = 0; i < way->n; i++)
        gn_orders_move(&h->stage, o, way->event[i], h->now);
    gn_gate_moved(&h->stage.gate, DESK);
    CU_ASSERT_EQUAL_FATAL(o->state, state);
    gn_h_run(h, GN_H_MS);
    const uint64_t was = breaks(), alerts = h->counts[GN_EV_ALERT], events = h->counts[GN_EV_BREAK];
    const uint32_t to = gn_order_next_state(state, event), illegal = to == GN_ORDER_STATE_COUNT;
    gn_orders_move(&h->stage, o, event, h->now);
    gn_gate_moved(&h->stage.gate, DESK);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, illegal ? state : to);
    CU_ASSERT_EQUAL(breaks(), was + illegal);
    CU_ASSERT_EQUAL(h->m.order_illegal, breaks());
    CU_ASSERT_EQUAL(h->orders->illegal, breaks());
    CU_ASSERT_EQUAL(h->counts[GN_EV_BREAK], events + illegal);
    CU_ASSERT_EQUAL(h->counts[GN_EV_ALERT], alerts + illegal);
    if (illegal) {
        struct gn_break b;
        CU_ASSERT_TRUE_FATAL(gn_break_read(h->recon, atomic_load(&h->recon->total), &b));
        CU_ASSERT_TRUE(b.kind == GN_BREAK_ILLEGAL_EVENT && b.ours == state && b.theirs == event && b.order_id == o->id);
    }
    CU_ASSERT_PTR_NULL(h->broken);
    if (gn_order_working(o->state)) /* leave room for the others */
        gn_orders_move(&h->stage, o, GN_ORDER_EV_CANCEL_LAST, h->now);
    gn_gate_moved(&h->stage.gate, DESK);
}

static void every_pair(void)
{
    struct way way[GN_ORDER_STATE_COUNT];
    uint32_t pairs = 0;
    find_ways(way);
    h = gn_h_new(NULL);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_quote(h, DESK, 990000, 1010000);
    for (uint32_t s = 0; s < GN_ORDER_STATE_COUNT; s++) {
        CU_ASSERT_EQUAL_FATAL(way[s].known, s != GN_ORDER_FREE); /* a slot never used is no state of an order */
        for (uint32_t e = 0; way[s].known && e < GN_ORDER_EV_COUNT; e++, pairs++)
            one_pair(&way[s], s, e);
    }
    CU_ASSERT_EQUAL(pairs, (GN_ORDER_STATE_COUNT - 1) * GN_ORDER_EV_COUNT);
    gn_h_free(h);
}

/* ---- trades that are broken or corrected ---- */

static const struct gn_position *p(void)
{
    return &h->positions[DESK];
}

static struct gn_order *filled_order(uint32_t side, int64_t qty)
{
    struct gn_order *o = gn_h_new_order(h, DESK, side, 1000000, qty);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    gn_h_run(h, GN_H_MS);
    gn_h_accept(h, o);
    gn_h_fill(h, o->user_ref, (uint32_t)qty, 1000000);
    gn_h_run(h, GN_H_MS);
    return o;
}

static void begin(void)
{
    h = gn_h_new(NULL);
    h->conf.session[0].fee_add = -20;
    h->conf.session[0].fee_remove = 30;
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_quote(h, DESK, 990000, 1010000);
}

static void say_trade(uint8_t type, uint32_t ref, uint64_t match, uint32_t qty, uint64_t price)
{
    gn_h_say(h, &(struct gn_ouch_msg){.type = type,
                                      .user_ref = ref,
                                      .match = match,
                                      .qty = qty,
                                      .price = price,
                                      .liquidity = 'A',
                                      .reason = 'E'});
    gn_h_run(h, GN_H_MS);
}

static void a_broken_trade_is_taken_back(void)
{
    begin();
    struct gn_order *buy = filled_order(GN_SIDE_BUY, 10);
    uint64_t match = h->peer.match;
    (void)filled_order(GN_SIDE_SELL, 4);
    CU_ASSERT_EQUAL(p()->qty, 6);
    CU_ASSERT_EQUAL(p()->fees, 14 * 30);
    say_trade(GN_OUCH_OUT_BROKEN, buy->user_ref, match, 0, 0);
    CU_ASSERT_EQUAL(p()->qty, -4);
    CU_ASSERT_EQUAL(p()->bought, 0);
    CU_ASSERT_TRUE(p()->buy_value == 0);
    CU_ASSERT_EQUAL(p()->fees, 4 * 30);
    CU_ASSERT_EQUAL(buy->state, GN_ORDER_FILLED); /* the order does not come back to life */
    const struct gn_exec *e = gn_h_exec_last(h, GN_EXEC_BROKEN);
    CU_ASSERT_TRUE(e->qty == 10 && e->price == 1000000 && e->match == match && e->position == -4 && e->side == 0);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->total), 0);
    say_trade(GN_OUCH_OUT_BROKEN, buy->user_ref, match, 0, 0); /* once is enough */
    CU_ASSERT_EQUAL(p()->qty, -4);
    say_trade(GN_OUCH_OUT_BROKEN, buy->user_ref, match + 100, 0, 0);
    say_trade(GN_OUCH_OUT_BROKEN, 4000000000u, match, 0, 0);
    CU_ASSERT_EQUAL(p()->qty, -4);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->by_class[GN_BREAK_UNKNOWN_BUST]), 3);
    CU_ASSERT_PTR_NULL(h->broken);
    gn_h_free(h);
}

static void a_corrected_trade_is_replaced(void)
{
    begin();
    struct gn_order *o = filled_order(GN_SIDE_SELL, 10);
    uint64_t match = h->peer.match;
    for (uint32_t i = 1; i <= 3; i++) { /* and corrected again */
        say_trade(GN_OUCH_OUT_CORRECTED, o->user_ref, match, 7 + i, 990000 + i);
        CU_ASSERT_EQUAL(p()->qty, -(int64_t)(7 + i));
        CU_ASSERT_TRUE(p()->sell_value == (gn_i128)(990000 + i) * (7 + i));
        CU_ASSERT_EQUAL(p()->fees, -20 * (int64_t)(7 + i));
        const struct gn_exec *e = gn_h_exec_last(h, GN_EXEC_CORRECTED);
        CU_ASSERT_TRUE(e->qty == 7 + i && e->price == 990000 + i && e->position == p()->qty);
        CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_BROKEN)->position, 0);
    }
    CU_ASSERT_EQUAL(gn_h_exec_count(h, GN_EXEC_BROKEN), 3);
    say_trade(GN_OUCH_OUT_BROKEN, o->user_ref, match, 0, 0);
    CU_ASSERT_EQUAL(p()->qty, 0);
    CU_ASSERT_EQUAL(p()->fees, 0);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->total), 0);
    gn_h_free(h);
}

/* The order's slot has been taken again long since; the fill is still kept. */
static void a_trade_of_an_order_that_left_the_table(void)
{
    begin();
    struct gn_order *o = filled_order(GN_SIDE_BUY, 3);
    uint64_t match = h->peer.match, id = o->id;
    uint32_t ref = o->user_ref;
    for (uint32_t i = 0; i < GN_H_ORDERS && gn_order_find(h->orders, ref) != NULL; i++) {
        struct gn_order *n = gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(n);
        gn_h_run(h, GN_H_MS);
        gn_h_reject(h, n->user_ref, GN_OUCH_REJECT_OTHER);
        gn_h_run(h, GN_H_MS);
    }
    CU_ASSERT_PTR_NULL(gn_order_find(h->orders, ref));
    gn_h_restart(h, true); /* the fills' chains are made anew */
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    say_trade(GN_OUCH_OUT_CORRECTED, ref, match, 2, 980000);
    CU_ASSERT_EQUAL(p()->qty, 2);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_CORRECTED)->order_id, id);
    say_trade(GN_OUCH_OUT_BROKEN, ref, match, 0, 0);
    CU_ASSERT_EQUAL(p()->qty, 0);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->total), 0);
    CU_ASSERT_PTR_NULL(h->broken);
    gn_h_free(h);
}

/* ---- what an account query and a login show ---- */

static void somebody_else_uses_the_account(void)
{
    begin();
    (void)filled_order(GN_SIDE_BUY, 1);
    h->peer.next_ref += 50; /* references that we never gave */
    gn_h_hang_up(h);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    CU_ASSERT_EQUAL(atomic_load(&h->recon->by_class[GN_BREAK_USER_REF]), 1);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->rounds), 2);
    CU_ASSERT_TRUE(h->counts[GN_EV_ALERT] > 0);
    gn_h_free(h);
}

/* ---- what a restart keeps ---- */

static void the_message_budget_outlives_the_process(void)
{
    begin();
    gn_limits_firm_row(h->limits, 1)->message_rate = 10;
    gn_limits_firm_row(h->limits, 1)->message_burst = 20;
    gn_limits_firm_row(h->limits, 1)->cancel_reserve = 10;
    gn_limits_publish(h->limits);
    *gn_limits_firm_row(h->limits, 2) = *gn_limits_firm_row(h->limits, 1);
    for (uint32_t i = 0; i < h->conf.n_instruments; i++)
        *gn_limits_row(h->limits, 2, i) = *gn_limits_row(h->limits, 1, i);
    gn_h_run(h, GN_H_MS);
    uint32_t sent = 0;
    while (sent < 100 && gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1) != NULL)
        sent++;
    CU_ASSERT_EQUAL(sent, 10);
    gn_h_restart(h, true);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1)); /* used up is used up */
    gn_h_turn(h);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_GATE_REJECTED)->reason, GN_VERDICT_MESSAGE_RATE);
    h->step_ns = GN_H_MS;
    gn_h_run(h, 5000 * GN_H_MS);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1));
    h->rows[0].budget_full_ns = UINT64_MAX; /* nonsense from a damaged file blocks no longer than a full bucket */
    gn_h_restart(h, true);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_run(h, 5000 * GN_H_MS);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1));
    gn_h_free(h);
}

GN_TEST_MAIN("stage transitions", {"every state x every event", every_pair},
             {"a broken trade is taken back", a_broken_trade_is_taken_back},
             {"a corrected trade is replaced", a_corrected_trade_is_replaced},
             {"a trade of an order that left the table", a_trade_of_an_order_that_left_the_table},
             {"somebody else uses the account", somebody_else_uses_the_account},
             {"the message budget outlives the process", the_message_budget_outlives_the_process})
