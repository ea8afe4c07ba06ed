/* The order session: lost in every state of an order, resumed, reconciled; replays, refusals, garbage, restarts. */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define BUY  GN_SIDE_BUY
#define DESK 1u

static struct gn_h *h;

static void begin(void)
{
    h = gn_h_new(NULL);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
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

static struct gn_order *order(bool accept)
{
    struct gn_order *o = gn_h_new_order(h, DESK, BUY, 1000000, 10);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    gn_h_run(h, GN_H_MS);
    if (accept)
        gn_h_accept(h, o);
    gn_h_run(h, GN_H_MS);
    return o;
}

static struct gn_order *replace(const struct gn_order *old)
{
    uint64_t seq = 0;
    struct gn_order *o = gn_order_peek(h->orders, &seq);
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_REPLACE,
                                       .side = old->side,
                                       .instrument = DESK,
                                       .target = old->id,
                                       .price = 1000100,
                                       .qty = 12});
    return o;
}

/* The connection breaks; what we sent since `cut` was set never arrived, what the venue says is kept for the resume. */
static void break_and_wait(void)
{
    gn_h_hang_up(h);
    h->end.out.cut = false;
    gn_h_run(h, GN_H_MS);
}

/* One order in each state when the connection goes; the venue knows some of them, heard some of what we asked. */
static void in_doubt_until_proven(void)
{
    begin();
    struct gn_order *live = order(true), *arrived = order(false), *cancelling = order(true), *replacing = order(true);
    struct gn_order *filled = order(true);
    gn_h_cancel(h, cancelling);
    gn_h_run(h, GN_H_MS);
    h->peer.hold = true;     /* from here on nothing of the venue arrives */
    gn_h_accept(h, arrived); /* it took this one */
    gn_h_fill(h, filled->user_ref, 10, 1000000);
    gn_h_canceled(h, cancelling->user_ref, 10);
    h->end.out.cut = true; /* and nothing of ours */
    struct gn_order *lost = gn_h_new_order(h, DESK, BUY, 1000000, 10), *successor = replace(replacing);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lost);
    CU_ASSERT_EQUAL(replacing->state, GN_ORDER_PENDING_REPLACE);
    int64_t reserved = h->positions[DESK].open_buy;
    break_and_wait();
    struct gn_order *all[] = {live, arrived, cancelling, replacing, filled, lost, successor};
    for (size_t i = 0; i < GN_ARRAY_LEN(all); i++)
        CU_ASSERT_EQUAL(all[i]->state, GN_ORDER_IN_DOUBT);
    CU_ASSERT_EQUAL(h->rows[0].in_doubt, 7);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, reserved); /* doubt keeps its reservation */
    CU_ASSERT_EQUAL(gn_h_exec_count(h, GN_EXEC_IN_DOUBT), 7);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    h->peer.hold = false;
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(live->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(arrived->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(cancelling->state, GN_ORDER_CANCELED);
    CU_ASSERT_EQUAL(replacing->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(successor->state, GN_ORDER_REJECTED);
    CU_ASSERT_EQUAL(filled->state, GN_ORDER_FILLED);
    CU_ASSERT_EQUAL(lost->state, GN_ORDER_REJECTED);
    CU_ASSERT_EQUAL(h->rows[0].in_doubt, 0);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 10);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 30);
    CU_ASSERT_EQUAL(h->rows[0].losses, 1);
    CU_ASSERT_EQUAL(h->m.order_illegal, 0);
    struct gn_order *again = replace(replacing); /* free to be moved again */
    CU_ASSERT_EQUAL(again->state, GN_ORDER_PENDING_NEW);
    end();
}

static void a_replacement_that_arrived(void)
{
    begin();
    struct gn_order *old = order(true);
    h->peer.hold = true;
    struct gn_order *successor = replace(old);
    gn_h_run(h, GN_H_MS);
    gn_h_replaced(h, old, successor, 12);
    gn_h_fill(h, successor->user_ref, 5, 1000100);
    break_and_wait();
    h->peer.hold = false;
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    CU_ASSERT_EQUAL(old->state, GN_ORDER_REPLACED);
    CU_ASSERT_EQUAL(successor->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(successor->leaves, 7);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 7);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 5);
    end();
}

static void replayed_messages_do_not_fill_twice(void)
{
    begin();
    struct gn_order *o = order(true);
    gn_h_fill(h, o->user_ref, 4, 1000000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 4);
    h->peer.replay_all = true; /* a venue that starts over, whatever it is asked */
    for (int i = 0; i < 3; i++) {
        gn_h_hang_up(h);
        gn_h_run(h, GN_H_MS);
        CU_ASSERT_TRUE_FATAL(gn_h_up(h));
        gn_h_run(h, 5 * GN_H_MS);
        CU_ASSERT_EQUAL(h->positions[DESK].qty, 4);
        CU_ASSERT_EQUAL(o->leaves, 6);
        CU_ASSERT_EQUAL(o->state, GN_ORDER_LIVE);
    }
    CU_ASSERT_TRUE(h->state[0].soup.stats.replayed >= 9);
    gn_h_fill(h, o->user_ref, 6, 1000000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 10);
    CU_ASSERT_EQUAL(h->m.order_illegal, 0);
    end();
}

/* The answer to a query of an earlier connection comes in the replay, before the acceptance of an order that was sent
 * after it: it must prove nothing about that order. */
static void an_old_answer_proves_nothing(void)
{
    begin();
    h->peer.hold = true; /* the venue answers the query of the next login, and the answer does not arrive */
    gn_h_hang_up(h);
    CU_ASSERT_TRUE_FATAL(gn_h_until_state(h, GN_SESSION_RECOVERING, 1000 * GN_H_MS));
    gn_h_run(h, GN_H_MS);
    gn_h_hang_up(h);
    gn_h_run(h, GN_H_MS);
    /* the next connection sees that answer, and breaks before its own: the venue's outbox is stopped behind the first
     */
    uint32_t stale = h->peer.n_out;
    h->peer.hold = false;
    h->peer.stop_after = stale;
    (void)gn_h_until_state(h, GN_SESSION_UP, 1000 * GN_H_MS);
    struct gn_order *o = gn_h_new_order(h, DESK, BUY, 1000000, 10);
    gn_h_run(h, GN_H_MS);
    if (o != NULL)
        gn_h_accept(h, o); /* the venue has it; behind its answer to the second query */
    gn_h_hang_up(h);
    gn_h_run(h, GN_H_MS);
    h->peer.stop_after = 0;
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_run(h, 5 * GN_H_MS);
    if (o != NULL) {
        CU_ASSERT_EQUAL(o->state, GN_ORDER_LIVE);
        CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 10);
    }
    CU_ASSERT_EQUAL(h->m.order_illegal, 0);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    end();
}

static void a_silent_venue_is_given_up(void)
{
    begin();
    struct gn_order *o = order(true);
    h->peer.silent = true;
    h->peer.hold = true;
    h->step_ns = GN_H_MS;
    gn_h_run(h, 4900 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    gn_h_run(h, 1200 * GN_H_MS);
    CU_ASSERT_NOT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_IN_DOUBT);
    h->peer.silent = h->peer.hold = false;
    CU_ASSERT_TRUE(gn_h_until_state(h, GN_SESSION_UP, 20000 * GN_H_MS));
    CU_ASSERT_EQUAL(o->state, GN_ORDER_LIVE);
    end();
}

static void heartbeats_keep_it_up(void)
{
    begin();
    h->step_ns = GN_H_MS;
    gn_h_run(h, 60000 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    CU_ASSERT_EQUAL(h->rows[0].losses, 0);
    CU_ASSERT_TRUE(h->peer.soup.stats.packets_in > 50);
    end();
}

static void a_refused_login_waits_for_a_person(void)
{
    h = gn_h_new(NULL);
    h->peer.refuse = 'A';
    CU_ASSERT_TRUE(gn_h_until_state(h, GN_SESSION_REFUSED, 1000 * GN_H_MS));
    CU_ASSERT_EQUAL(h->rows[0].reason, 'A');
    h->step_ns = GN_H_MS;
    gn_h_run(h, 10000 * GN_H_MS);
    CU_ASSERT_EQUAL(h->peer.logins, 1); /* hammering a venue gets a firm disconnected */
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_REFUSED);
    end();
}

static void the_venue_ends_the_day(void)
{
    begin();
    static const uint8_t bye[] = {0, 1, 'Z'};
    struct gn_order *o = order(true);
    gn_h_raw(h, bye, sizeof bye);
    gn_h_run(h, 100 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_ENDED);
    CU_ASSERT_EQUAL(h->peer.logins, 1);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_IN_DOUBT);
    end();
}

/* A stream that cannot be followed is left and taken up again; nothing that was said is lost. */
static void garbage_in_the_stream(void)
{
    static const uint8_t junk[][6] = {{0, 0, 'S', 1, 2, 3}, {0xff, 0xff, 'S'},      {0, 4, '?', 1, 2, 3},
                                      {0, 31, 'A', 'x'},    {0, 1, 'R' /* ours */}, {0, 9, 'Z', 1, 2, 3}};
    begin();
    struct gn_order *o = order(true);
    for (size_t i = 0; i < GN_ARRAY_LEN(junk); i++) {
        uint64_t losses = h->rows[0].losses;
        gn_h_raw(h, junk[i], sizeof junk[i]);
        gn_h_run(h, 2 * GN_H_MS);
        CU_ASSERT_EQUAL(h->rows[0].losses, losses + (i != 3)); /* an acceptance is only late, not complete yet */
        if (i == 3)
            gn_h_hang_up(h);
        gn_h_run(h, GN_H_MS);
        CU_ASSERT_TRUE_FATAL(gn_h_up(h));
        gn_h_fill(h, o->user_ref, 1, 1000000);
        gn_h_run(h, 2 * GN_H_MS);
        CU_ASSERT_EQUAL(h->positions[DESK].qty, (int64_t)i + 1);
    }
    CU_ASSERT_EQUAL(h->m.session_errors, GN_ARRAY_LEN(junk) - 1);
    end();
}

static void reconnects_back_off(void)
{
    begin();
    h->end.out.cut = h->peer.end.out.cut = true;
    gn_h_hang_up(h);
    h->step_ns = GN_H_MS;
    gn_h_run(h, 30000 * GN_H_MS);
    uint32_t tries = h->rows[0].connects;
    CU_ASSERT_TRUE(tries < 30 * 20); /* never faster than half of the longest pause allows */
    h->end.out.cut = h->peer.end.out.cut = false;
    CU_ASSERT_TRUE(gn_h_until_state(h, GN_SESSION_UP, 120000 * GN_H_MS));
    CU_ASSERT_EQUAL(h->rows[0].backoff_ms, 0);
    end();
}

/* The data plane is killed with orders open: with its private tables, and with those of the control plane alone. */
static void killed_and_restarted(void)
{
    for (int own = 0; own < 2; own++) {
        begin();
        struct gn_order *live = order(true), *arrived = order(false);
        gn_h_fill(h, live->user_ref, 4, 1000000);
        gn_h_run(h, GN_H_MS);
        h->end.out.cut = true;
        struct gn_order *lost = gn_h_new_order(h, DESK, BUY, 1000000, 10);
        uint64_t next = h->orders->next_seq;
        CU_ASSERT_PTR_NOT_NULL_FATAL(lost);
        h->end.out.cut = false;
        gn_h_accept(h, arrived);
        gn_h_hang_up(h);
        gn_h_restart(h, own != 0);
        CU_ASSERT_TRUE_FATAL(gn_h_up(h));
        gn_h_run(h, 2 * GN_H_MS);
        CU_ASSERT_EQUAL(h->positions[DESK].qty, 4); /* once, though the venue could tell it again */
        CU_ASSERT_EQUAL(h->positions[DESK].fills, 1);
        CU_ASSERT_EQUAL(live->leaves, 6);
        CU_ASSERT_EQUAL(lost->state, GN_ORDER_REJECTED);
        CU_ASSERT_TRUE(h->orders->next_seq >= next);
        CU_ASSERT_EQUAL(live->state, GN_ORDER_PENDING_CANCEL); /* what an earlier life left is cancelled */
        CU_ASSERT_EQUAL(arrived->state, GN_ORDER_PENDING_CANCEL);
        gn_h_canceled(h, live->user_ref, 6);
        gn_h_canceled(h, arrived->user_ref, 10);
        gn_h_run(h, GN_H_MS);
        CU_ASSERT_EQUAL(h->orders->open, 0);
        CU_ASSERT_EQUAL(h->m.order_illegal, 0);
        end();
    }
}

static void logout(void)
{
    begin();
    gn_stage_orders_stop(&h->stage, h->now);
    gn_h_run(h, 200 * GN_H_MS); /* the loop lingers; nothing comes back in that time */
    CU_ASSERT_EQUAL(h->peer.logouts, 1);
    CU_ASSERT_EQUAL(h->peer.logins, 1);
    CU_ASSERT_EQUAL(h->peer.conn, GN_TCP_NONE);
    gn_h_free(h);
}

GN_TEST_MAIN("stage session", {"in doubt until proven", in_doubt_until_proven},
             {"a replacement that arrived", a_replacement_that_arrived},
             {"replayed messages do not fill twice", replayed_messages_do_not_fill_twice},
             {"an old answer proves nothing", an_old_answer_proves_nothing},
             {"a silent venue is given up", a_silent_venue_is_given_up},
             {"heartbeats keep it up", heartbeats_keep_it_up},
             {"a refused login waits for a person", a_refused_login_waits_for_a_person},
             {"the venue ends the day", the_venue_ends_the_day}, {"garbage in the stream", garbage_in_the_stream},
             {"reconnects back off", reconnects_back_off}, {"killed and restarted", killed_and_restarted},
             {"logout", logout})
