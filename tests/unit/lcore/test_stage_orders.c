/* From a tick to an order at the venue and back to a position, message by message. */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define BUY  GN_SIDE_BUY
#define SELL GN_SIDE_SELL
#define DESK 1u /* an instrument of the desk */

static struct gn_h *h;

static void begin(void)
{
    h = gn_h_new(NULL);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_quote(h, 0, 990000, 1010000);
    gn_h_quote(h, DESK, 990000, 1010000);
    gn_h_run(h, GN_H_MS);
}

static void end(void)
{
    gn_h_run(h, GN_H_MS);
    if (h->broken != NULL)
        printf("%s\n", h->broken);
    CU_ASSERT_PTR_NULL(h->broken);
    CU_ASSERT_EQUAL(h->m.events_lost, 0);
    gn_h_free(h);
}

static struct gn_order *live_order(uint32_t side, int64_t qty)
{
    struct gn_order *o = gn_h_new_order(h, DESK, side, 1000000, qty);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    gn_h_run(h, GN_H_MS);
    gn_h_accept(h, o);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL_FATAL(o->state, GN_ORDER_LIVE);
    return o;
}

static const struct gn_h_event *last_event(uint16_t type)
{
    for (uint32_t i = h->n_event; i > 0; i--)
        if (h->event[i - 1].rec.type == type)
            return &h->event[i - 1];
    static const struct gn_h_event none;
    return &none;
}

static void login_and_reconcile(void)
{
    h = gn_h_new(NULL);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_DOWN);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_CONTROL_STALE], 1); /* no beat was seen move yet: nobody is in control */
    h->peer.no_query = true;
    CU_ASSERT_TRUE(gn_h_until_state(h, GN_SESSION_RECOVERING, 3000 * GN_H_MS));
    gn_h_run(h, 100 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_RECOVERING); /* not before the venue has told its account */
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_QUERY), 1);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_SESSION_DOWN], 1);
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_QUERY_RESPONSE, .next_user_ref = 50});
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    CU_ASSERT_EQUAL(h->orders->next_seq, 50); /* the venue has seen more than we remember */
    CU_ASSERT_EQUAL(h->rows[0].logins, 1);
    CU_ASSERT_EQUAL(h->rows[0].next_in_seq, 2);
    CU_ASSERT_TRUE(h->counts[GN_EV_SESSION] >= 4);
    gn_h_free(h);
}

/* One tick, one order, every field of it. */
static void touch_sends_what_it_saw(void)
{
    begin();
    struct gn_itch_msg m = {.type = GN_ITCH_ADD, .side = 'B', .shares = 7, .price = 1000000, .ref = 77, .locate = 1};
    uint64_t seq = ((struct gn_arb *)h->arb)->next;
    gn_h_publish(h, GN_H_LINE_B, seq, &m, 1);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL_FATAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), 1);
    const struct gn_ouch_msg *e = gn_h_inbox_last(h, GN_OUCH_IN_ENTER);
    uint64_t id;
    uint32_t tick;
    CU_ASSERT_EQUAL(e->user_ref, 1);
    CU_ASSERT_EQUAL(e->side, 'B'); /* the bid moved up: cross to the offer */
    CU_ASSERT_EQUAL(e->qty, 10);
    CU_ASSERT_EQUAL(e->price, 1010000);
    CU_ASSERT_EQUAL(e->tif, '3');
    CU_ASSERT_EQUAL(e->capacity, 'P');
    CU_ASSERT_EQUAL(memcmp(e->symbol, "SYMA    ", 8), 0);
    CU_ASSERT_EQUAL(gn_clordid_decode(e->clordid, &id, &tick), GN_OUCH_OK);
    CU_ASSERT_EQUAL(id, gn_order_id(7, 2, 1));
    CU_ASSERT_EQUAL(tick, seq & GN_CLORDID_TICK_MASK);
    const struct gn_order *o = gn_order_by_id(h->orders, id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_EQUAL(o->strategy, GN_H_TOUCH);
    CU_ASSERT_EQUAL(o->tick_seq, seq);
    CU_ASSERT_EQUAL(h->positions[0].open_buy, 10);
    const struct gn_h_event *ev = last_event(GN_EV_ORDER);
    struct gn_ev_order order;
    memcpy(&order, ev->payload, sizeof order);
    CU_ASSERT_EQUAL(order.order_id, id);
    CU_ASSERT_EQUAL(order.verdict, GN_VERDICT_OK);
    CU_ASSERT_EQUAL(ev->rec.corr, seq);
    end();
}

static void accept_fill_fill(void)
{
    begin();
    struct gn_order *o = live_order(SELL, 10);
    gn_h_fill(h, o->user_ref, 4, 1000100);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(o->leaves, 6);
    CU_ASSERT_EQUAL(h->positions[DESK].open_sell, 6);
    gn_h_fill(h, o->user_ref, 6, 1000300);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_FILLED);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, -10);
    CU_ASSERT_TRUE(h->positions[DESK].sell_value == (gn_i128)(4 * 1000100 + 6 * 1000300));
    CU_ASSERT_EQUAL(h->positions[DESK].accepted, 1);
    CU_ASSERT_EQUAL(h->positions[DESK].fills, 2);
    const struct gn_exec *e = gn_h_exec_last(h, GN_EXEC_FILLED);
    CU_ASSERT_EQUAL(e->qty, 6);
    CU_ASSERT_EQUAL(e->price, 1000300);
    CU_ASSERT_EQUAL(e->cum, 10);
    CU_ASSERT_EQUAL(e->leaves, 0);
    CU_ASSERT_EQUAL(e->position, -10);
    CU_ASSERT_EQUAL(e->match, 2);
    CU_ASSERT_EQUAL(e->tag, 55);
    CU_ASSERT_EQUAL(gn_h_exec_count(h, GN_EXEC_SENT), 1);
    CU_ASSERT_EQUAL(gn_h_exec_count(h, GN_EXEC_ACCEPTED), 1);
    end();
}

static void cancels_whole_and_in_part(void)
{
    begin();
    struct gn_order *o = live_order(BUY, 10);
    gn_h_canceled(h, o->user_ref, 3); /* in part: the order lives on */
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(o->leaves, 7);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 7);
    gn_h_cancel(h, o);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_CANCEL);
    gn_h_cancel(h, o);
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_ORDER_BUSY], 1);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_CANCEL), 1);
    CU_ASSERT_EQUAL(gn_h_inbox_last(h, GN_OUCH_IN_CANCEL)->qty, 0);
    gn_h_fill(h, o->user_ref, 2, 1000000); /* crosses the cancel */
    gn_h_canceled(h, o->user_ref, 5);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_CANCELED);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 2);
    CU_ASSERT_EQUAL(h->positions[DESK].canceled, 1);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_CANCELED)->qty, 5);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_CANCELED)->reason, 'U');
    end();
}

static void a_cancel_that_is_refused(void)
{
    begin();
    struct gn_order *o = live_order(BUY, 10);
    gn_h_cancel(h, o);
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_CANCEL_REJECT, .user_ref = o->user_ref});
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 10);
    CU_ASSERT_EQUAL(gn_h_exec_count(h, GN_EXEC_CANCEL_REJECTED), 1);
    end();
}

static void a_cancel_before_the_acceptance(void)
{
    begin();
    struct gn_order *o = gn_h_new_order(h, DESK, BUY, 1000000, 10);
    gn_h_cancel(h, o);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_CANCEL);
    gn_h_accept(h, o);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_CANCEL);
    gn_h_canceled(h, o->user_ref, 10);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_CANCELED);
    CU_ASSERT_EQUAL(h->m.order_illegal, 0);
    end();
}

static void rejects(void)
{
    begin();
    struct gn_order *o = gn_h_new_order(h, DESK, BUY, 1000000, 10);
    gn_h_reject(h, o->user_ref, GN_OUCH_REJECT_HALTED);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_REJECTED);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 0);
    CU_ASSERT_EQUAL(h->positions[DESK].rejected, 1);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_REJECTED)->reason, GN_OUCH_REJECT_HALTED);
    struct gn_intent in = {.action = GN_ACTION_NEW, .instrument = DESK, .price = 1000000, .qty = 10001};
    gn_h_intent(h, &in);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_GATE_REJECTED)->reason, GN_VERDICT_MAX_QTY);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), 1);
    struct gn_ev_order ev;
    memcpy(&ev, last_event(GN_EV_ORDER)->payload, sizeof ev);
    CU_ASSERT_EQUAL(ev.verdict, GN_VERDICT_MAX_QTY);
    CU_ASSERT_EQUAL(ev.limit_value, 10000);
    CU_ASSERT_EQUAL(ev.used_value, 10001);
    end();
}

/* A nonsense reject of an accepted order is counted; what still lives at the venue keeps its quantity here. */
static void a_reject_of_a_live_order_changes_nothing(void)
{
    begin();
    struct gn_order *o = live_order(BUY, 10);
    gn_h_reject(h, o->user_ref, GN_OUCH_REJECT_OTHER);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->m.order_illegal, 1);
    CU_ASSERT_EQUAL(o->leaves, 10);
    gn_h_fill(h, o->user_ref, 4, 1000000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 6);
    end();
}

static struct gn_order *replace(const struct gn_order *old, int64_t price, int64_t qty)
{
    uint64_t seq = 0, sent = h->m.replaces_sent;
    struct gn_intent in = {.action = GN_ACTION_REPLACE,
                           .side = old->side,
                           .instrument = DESK,
                           .target = old->id,
                           .price = price,
                           .qty = qty};
    struct gn_order *o = gn_order_peek(h->orders, &seq);
    gn_h_intent(h, &in);
    CU_ASSERT_EQUAL_FATAL(h->m.replaces_sent, sent + 1);
    return o;
}

static void replace_up_and_down(void)
{
    begin();
    struct gn_order *a = live_order(BUY, 10);
    struct gn_order *b = replace(a, 1000100, 25);
    CU_ASSERT_EQUAL(a->state, GN_ORDER_PENDING_REPLACE);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_PENDING_NEW);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 25); /* the larger of both, from the moment it is sent */
    gn_h_fill(h, a->user_ref, 4, 1000000);            /* crosses the replacement */
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 21);
    const struct gn_ouch_msg *u = gn_h_inbox_last(h, GN_OUCH_IN_REPLACE);
    CU_ASSERT_EQUAL(u->orig_user_ref, a->user_ref);
    CU_ASSERT_EQUAL(u->user_ref, b->user_ref);
    CU_ASSERT_EQUAL(u->qty, 25);
    CU_ASSERT_EQUAL(u->price, 1000100);
    gn_h_replaced(h, a, b, 21);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(a->state, GN_ORDER_REPLACED);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(b->leaves, 21);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 21);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_REPLACED)->prev_id, a->id);
    struct gn_order *c = replace(b, 1000100, 5); /* a smaller one frees nothing before the venue agrees */
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 21);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_inbox_last(h, GN_OUCH_IN_REPLACE)->qty, 5 + 4); /* filled shares of the chain count */
    gn_h_replaced(h, b, c, 5);
    gn_h_fill(h, c->user_ref, 5, 1000100);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(c->state, GN_ORDER_FILLED);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 9);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    end();
}

static void a_replacement_that_is_refused(void)
{
    begin();
    struct gn_order *a = live_order(BUY, 10);
    struct gn_order *b = replace(a, 1000100, 25);
    gn_h_reject(h, b->user_ref, GN_OUCH_REJECT_PRICE);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(a->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_REJECTED);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 10);
    b = replace(a, 1000200, 12); /* and may be tried again */
    gn_h_replaced(h, a, b, 12);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_LIVE);
    end();
}

/* OUCH ignores the replacement of an order that is dead already: it ends with the old one. */
static void a_replacement_that_came_too_late(void)
{
    begin();
    struct gn_order *a = live_order(BUY, 10);
    struct gn_order *b = replace(a, 1000100, 25);
    gn_h_fill(h, a->user_ref, 10, 1000000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(a->state, GN_ORDER_FILLED);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_REJECTED);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 0);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    end();
}

/* Nonsense after the end: a second "replaced" must not make a dead order reserve again. */
static void a_replaced_for_a_dead_order(void)
{
    begin();
    struct gn_order *a = live_order(BUY, 10);
    struct gn_order *b = replace(a, 1000100, 25);
    gn_h_replaced(h, a, b, 25);
    gn_h_canceled(h, b->user_ref, 25);
    gn_h_replaced(h, a, b, 25);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_CANCELED);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 0);
    CU_ASSERT_TRUE(h->m.order_illegal > 0);
    end();
}

static void reduce(void)
{
    begin();
    struct gn_order *o = live_order(SELL, 10);
    struct gn_intent in = {.action = GN_ACTION_REDUCE, .side = SELL, .instrument = DESK, .target = o->id, .qty = 4};
    gn_h_intent(h, &in);
    gn_h_run(h, GN_H_MS);
    const struct gn_ouch_msg *m = gn_h_inbox_last(h, GN_OUCH_IN_MODIFY);
    CU_ASSERT_EQUAL(m->user_ref, o->user_ref);
    CU_ASSERT_EQUAL(m->qty, 4);
    CU_ASSERT_EQUAL(m->side, 'S');
    CU_ASSERT_EQUAL(h->positions[DESK].open_sell, 10); /* until the venue has done it */
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_MODIFIED, .user_ref = o->user_ref, .side = 'S', .qty = 4});
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->leaves, 4);
    CU_ASSERT_EQUAL(h->positions[DESK].open_sell, 4);
    CU_ASSERT_EQUAL(gn_h_exec_count(h, GN_EXEC_MODIFIED), 1);
    end();
}

/* Every type of message, about a live order, a dead one, one that was never there, in turn. */
static void every_outbound_message_is_survived(void)
{
    static const uint8_t types[] = {
#define GN_X(wire, NAME, fixed, appendage, name) wire,
        GN_OUCH_OUTBOUND(GN_X)
#undef GN_X
    };
    begin();
    struct gn_order *dead = live_order(BUY, 10);
    gn_h_canceled(h, dead->user_ref, 10);
    gn_h_run(h, GN_H_MS);
    uint64_t before = h->m.venue_messages;
    for (size_t i = 0; i < GN_ARRAY_LEN(types); i++) {
        struct gn_order *live = live_order(BUY, 10);
        uint32_t refs[] = {live->user_ref, dead->user_ref, 4000000000u, 0};
        for (size_t k = 0; k < GN_ARRAY_LEN(refs); k++)
            gn_h_say(h, &(struct gn_ouch_msg){.type = types[i],
                                              .user_ref = refs[k],
                                              .orig_user_ref = refs[k],
                                              .qty = 3,
                                              .price = 1000000,
                                              .state = k & 1 ? 'D' : 'L'});
        gn_h_run(h, GN_H_MS);
        CU_ASSERT_PTR_NULL(h->broken);
        gn_h_canceled(h, live->user_ref, 10);
        gn_h_run(h, GN_H_MS);
    }
    CU_ASSERT_EQUAL(h->m.venue_messages - before, GN_ARRAY_LEN(types) * 6);
    CU_ASSERT_EQUAL(h->m.venue_bad, 0);
    CU_ASSERT_TRUE(h->m.venue_unknown_order >= 2 * 12);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    CU_ASSERT_TRUE(h->counts[GN_EV_ALERT] > 0);
    /* fills of the dead and of the live are in the position, and that of the dead was broken again; those of nobody are
     * an alarm */
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 3);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->by_class[GN_BREAK_UNKNOWN_FILL]), 2);
    CU_ASSERT_TRUE(atomic_load(&h->recon->by_class[GN_BREAK_ILLEGAL_EVENT]) > 0);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->by_class[GN_BREAK_ILLEGAL_EVENT]), h->m.order_illegal);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->by_class[GN_BREAK_UNKNOWN_BUST]), 7);
    CU_ASSERT_EQUAL(h->counts[GN_EV_BREAK], atomic_load(&h->recon->total));
    end();
}

static void garbage_in_a_sequenced_message(void)
{
    begin();
    uint64_t seed = gn_test_seed(71), before = h->m.venue_messages + h->m.venue_bad;
    for (int i = 0; i < 2000; i++) {
        uint8_t junk[80];
        uint16_t len = (uint16_t)(gn_test_rand(&seed) % sizeof junk);
        for (uint16_t k = 0; k < len; k++)
            junk[k] = (uint8_t)gn_test_rand(&seed);
        if (len != 0 && i % 2)
            junk[0] = (uint8_t) "SAUCDEBFJPITMRQXGK"[gn_test_rand(&seed) % 18];
        gn_h_say_bytes(h, junk, len);
        gn_h_turn(h);
    }
    gn_h_run(h, 5 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.venue_messages + h->m.venue_bad - before, 2000);
    CU_ASSERT_TRUE(h->m.venue_bad > 500);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    end();
}

static void table_full_and_txq_full(void)
{
    begin();
    gn_limits_firm_row(h->limits, 1)->max_open_orders = 100000;
    gn_limits_row(h->limits, 1, DESK)->max_open_orders = 100000;
    gn_h_limits(h);
    for (uint32_t i = 0; i < GN_H_ORDERS; i++) {
        struct gn_order *o = gn_h_new_order(h, DESK, BUY, 1000000, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        gn_h_accept(h, o);
        gn_h_turn(h);
        gn_h_turn(h);
    }
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_TABLE_FULL], 1);
    gn_h_canceled(h, 5, 1);
    gn_h_run(h, GN_H_MS);
    h->end.txq.stocked = 0; /* no frame to write to */
    uint64_t seq = h->orders->next_seq;
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_SEND_BLOCKED], 1);
    CU_ASSERT_EQUAL(h->orders->next_seq, seq); /* what was not sent uses up no number */
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, GN_H_ORDERS - 1);
    h->end.txq.stocked = GN_TXQ_MAX;
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    end();
}

static void a_strategy_that_is_switched_off_sends_nothing(void)
{
    begin();
    h->strategy.slot[GN_H_TOUCH].conf_disabled = true;
    gn_h_publish(
        h, GN_H_LINE_A, ((struct gn_arb *)h->arb)->next,
        &(struct gn_itch_msg){.type = GN_ITCH_ADD, .side = 'B', .shares = 7, .price = 1000000, .ref = 77, .locate = 1},
        1);
    /* a desk's process that is switched off may write what it likes */
    static alignas(128) uint8_t file[64 * 1024];
    struct gn_client_block *block = (struct gn_client_block *)file;
    struct gn_strategy_ctx *ctx = &h->strategy.slot[GN_H_DESK].ctx;
    ctx->client_ring_bytes = gn_align_up(gn_ring_footprint(256), GN_GUARD);
    CU_ASSERT_EQUAL_FATAL(gn_ring_new(gn_client_intents(block), 256, 0), GN_RING_OK);
    CU_ASSERT_EQUAL_FATAL(gn_ring_new(gn_client_reports(block, ctx->client_ring_bytes), 256, 0), GN_RING_OK);
    for (int round = 0; round < 2; round++) {
        struct gn_rec *rec =
            gn_ring_reserve(gn_client_intents(block), GN_EV_INTENT, sizeof *rec + sizeof(struct gn_intent));
        CU_ASSERT_PTR_NOT_NULL_FATAL(rec);
        *(struct gn_intent *)(rec + 1) =
            (struct gn_intent){.action = GN_ACTION_NEW, .instrument = DESK, .price = 1000000, .qty = 1};
        gn_ring_publish(gn_client_intents(block));
        ctx->client = block;
        h->strategy.slot[GN_H_DESK].conf_disabled = round == 0;
        gn_h_run(h, 3 * GN_H_MS);
        CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), round == 0 ? 0 : 2);
    }
    ctx->client = NULL;
    end();
}

GN_TEST_MAIN("stage orders", {"login and reconcile", login_and_reconcile},
             {"touch sends what it saw", touch_sends_what_it_saw}, {"accept, fill, fill", accept_fill_fill},
             {"cancels whole and in part", cancels_whole_and_in_part},
             {"a cancel that is refused", a_cancel_that_is_refused},
             {"a cancel before the acceptance", a_cancel_before_the_acceptance}, {"rejects", rejects},
             {"a reject of a live order changes nothing", a_reject_of_a_live_order_changes_nothing},
             {"replace up and down", replace_up_and_down},
             {"a replacement that is refused", a_replacement_that_is_refused},
             {"a replacement that came too late", a_replacement_that_came_too_late},
             {"a replaced for a dead order", a_replaced_for_a_dead_order}, {"reduce", reduce},
             {"every outbound message is survived", every_outbound_message_is_survived},
             {"garbage in a sequenced message", garbage_in_a_sequenced_message},
             {"table full and txq full", table_full_and_txq_full},
             {"a strategy that is switched off sends nothing", a_strategy_that_is_switched_off_sends_nothing})
