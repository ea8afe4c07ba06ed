/* journal.mode sync: an order waits until its record is durable, costs its risk meanwhile, and obeys every kill word,
 * limit and bound that comes in between. And the bound on what may wait for the disk in either mode. */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define BUY   GN_SIDE_BUY
#define DESK  1u
#define OTHER 2u

static struct gn_h *h;

static void begin(void)
{
    h = gn_h_new(NULL);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_quote(h, DESK, 990000, 1010000);
    gn_h_quote(h, OTHER, 990000, 1010000);
    gn_h_run(h, GN_H_MS);
    h->stage.sync = true;
}

static void end(void)
{
    h->journal_stuck = false;
    gn_h_run(h, GN_H_MS);
    if (h->broken != NULL)
        printf("%s\n", h->broken);
    CU_ASSERT_PTR_NULL(h->broken);
    CU_ASSERT_EQUAL(h->m.order_illegal, 0);
    gn_h_free(h);
}

/* An order that is held: the disk stands still from here on. */
static struct gn_order *hold(uint32_t instrument, int64_t qty)
{
    uint64_t seq;
    struct gn_order *o = gn_order_peek(h->orders, &seq);
    const uint64_t held = h->m.orders_held;
    h->journal_stuck = true;
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_NEW,
                                       .side = BUY,
                                       .instrument = instrument,
                                       .price = 1000000,
                                       .qty = qty,
                                       .tag = 55,
                                       .tick_seq = 9});
    CU_ASSERT_EQUAL_FATAL(h->m.orders_held, held + 1);
    CU_ASSERT_EQUAL(o->held, 1);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_NEW);
    return o;
}

static void disk_works(void)
{
    h->journal_stuck = false;
    gn_h_run(h, GN_H_MS);
}

static uint32_t enters(void)
{
    return gn_h_inbox_count(h, GN_OUCH_IN_ENTER);
}

/* The order ended unsent, for that reason, its strategy was told so, the journal has it, and it reserves nothing. */
static void ended(const struct gn_order *o, uint16_t reason)
{
    gn_h_turn(h);
    const struct gn_exec *e = gn_h_exec_last(h, GN_EXEC_GATE_REJECTED);
    CU_ASSERT_EQUAL(o->held, 0);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_REJECTED);
    CU_ASSERT_EQUAL(o->reserved, 0);
    CU_ASSERT_EQUAL(e->order_id, o->id);
    CU_ASSERT_EQUAL(e->tag, 55);
    CU_ASSERT_EQUAL(e->reason, reason);
    h->journal_stuck = false;
    gn_h_run(h, GN_H_MS);
    bool found = false;
    for (uint32_t i = 0; i < h->n_event; i++) {
        struct gn_ev_exec ev;
        memcpy(&ev, h->event[i].payload, sizeof ev);
        found = found || (h->event[i].rec.type == GN_EV_EXEC && h->event[i].rec.corr == o->id &&
                          ev.exec.kind == GN_EXEC_GATE_REJECTED && ev.exec.reason == reason);
    }
    CU_ASSERT_TRUE(found);
}

static void leaves_when_its_record_is_durable(void)
{
    begin();
    struct gn_order *o = hold(DESK, 10);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 10);
    gn_h_run(h, 20 * GN_H_MS);
    CU_ASSERT_EQUAL(enters(), 0);
    CU_ASSERT_EQUAL(gn_h_exec_count(h, GN_EXEC_SENT), 0);
    CU_ASSERT_EQUAL(h->m.orders_sent, 0);
    disk_works();
    CU_ASSERT_EQUAL(enters(), 1);
    CU_ASSERT_EQUAL(gn_h_inbox_last(h, GN_OUCH_IN_ENTER)->user_ref, o->user_ref);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_SENT)->order_id, o->id);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 10);
    CU_ASSERT_EQUAL(h->positions[DESK].sent, 1);
    gn_h_accept(h, o);
    gn_h_run(h, GN_H_MS);
    gn_h_fill(h, o->user_ref, 10, 1000000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 10);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    end();
}

/* Order of records is order of sending; more than a turn lets go are all sent. */
static void many_leave_in_order(void)
{
    begin();
    uint32_t first = (uint32_t)h->orders->next_seq;
    for (uint32_t i = 0; i < 150; i++)
        hold(DESK, 1);
    CU_ASSERT_EQUAL(h->stage.held_n, 150);
    h->journal_stuck = false;
    gn_h_run(h, 5 * GN_H_MS);
    CU_ASSERT_EQUAL(enters(), 150);
    for (uint32_t i = 0, n = 0; i < h->peer.n_in; i++)
        if (h->peer.in[i].type == GN_OUCH_IN_ENTER)
            CU_ASSERT_EQUAL(h->peer.in[i].user_ref, first + n++);
    CU_ASSERT_EQUAL(h->stage.held_n, 0);
    end();
}

static void every_kill_word_ends_it(void)
{
    for (uint32_t scope = 0; scope < 4; scope++)
        for (uint32_t level = GN_LADDER_HALTED; level <= GN_LADDER_KILLED; level++) {
            begin();
            struct gn_order *o = hold(DESK, 10);
            _Atomic uint64_t *const words[] = {&h->control->kill_all, &h->control->kill_session[0],
                                               &h->control->kill_strategy[GN_H_DESK],
                                               gn_kill_instrument(h->control) + DESK};
            gn_kill_raise(words[scope], level, GN_KILL_BY_OPERATOR);
            gn_h_turn(h);
            /* re-armed before the disk comes back: it still must not go */
            CU_ASSERT_TRUE(gn_kill_release(words[scope], atomic_load(words[scope])));
            disk_works();
            CU_ASSERT_EQUAL(enters(), 0);
            ended(o, GN_VERDICT_KILLED);
            CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 0);
            CU_ASSERT_EQUAL(h->m.cancels_sent, 0); /* there is nothing to cancel */
            CU_ASSERT_PTR_NOT_NULL(hold(DESK, 10));
            disk_works();
            CU_ASSERT_EQUAL(enters(), 1);
            end();
        }
}

/* The venue takes no user reference below one that it has seen, and a mass cancel uses one up. */
static void a_kill_empties_the_queue_first(void)
{
    begin();
    struct gn_order *o = hold(DESK, 1);
    gn_kill_raise(&h->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_MASS_CANCEL), 1);
    ended(o, GN_VERDICT_KILLED);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    end();
}

static void cancelled_before_it_left(void)
{
    begin();
    struct gn_order *o = hold(DESK, 1);
    gn_h_cancel(h, o);
    ended(o, GN_VERDICT_ORDER_BUSY);
    o = hold(DESK, 1);
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_MASS_CANCEL, .instrument = GN_NONE32});
    gn_h_turn(h);
    ended(o, GN_VERDICT_ORDER_BUSY);
    CU_ASSERT_EQUAL(enters(), 0);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 0);
    end();
}

static void session_lost_meanwhile(void)
{
    begin();
    struct gn_order *o = hold(DESK, 1);
    gn_h_hang_up(h);
    gn_h_run(h, GN_H_MS);
    ended(o, GN_VERDICT_SESSION_DOWN);
    CU_ASSERT_EQUAL(h->rows[0].in_doubt, 0);
    CU_ASSERT_TRUE(gn_h_up(h));
    CU_ASSERT_EQUAL(enters(), 0);
    end();
}

static void data_plane_restarted_meanwhile(void)
{
    for (int own = 0; own < 2; own++) {
        begin();
        struct gn_order *o = hold(DESK, 1);
        gn_h_turn(h);
        gn_h_restart(h, own != 0);
        h->stage.sync = true;
        gn_h_turn(h);
        ended(o, GN_VERDICT_SESSION_DOWN);
        CU_ASSERT_TRUE(gn_h_up(h));
        gn_h_run(h, 10 * GN_H_MS);
        CU_ASSERT_EQUAL(enters(), 0);
        CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_CANCEL), 0);
        end();
    }
}

static struct gn_limits_instrument *desk_row(void)
{
    return gn_limits_row(h->limits, gn_limits_current(h->limits), DESK);
}

/* What it is checked against is what holds when it leaves, and it does not count twice. */
static void limits_of_the_moment_it_leaves(void)
{
    begin();
    desk_row()->max_position = 10;
    desk_row()->max_open_orders = 1;
    gn_h_limits(h);
    struct gn_order *o = hold(DESK, 10);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1)); /* its reservation counts */
    gn_h_turn(h);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_GATE_REJECTED)->reason, GN_VERDICT_MAX_POSITION);
    disk_works();
    CU_ASSERT_EQUAL(enters(), 1); /* not against itself */
    CU_ASSERT_EQUAL(o->held, 0);
    desk_row()->max_position = 1000;
    desk_row()->max_open_orders = 100;
    gn_h_limits(h);
    o = hold(DESK, 20);
    desk_row()->max_qty = 19;
    gn_h_limits(h);
    disk_works();
    CU_ASSERT_EQUAL(enters(), 1);
    ended(o, GN_VERDICT_MAX_QTY);
    desk_row()->max_qty = 100;
    gn_h_limits(h);
    o = hold(DESK, 20);
    h->instruments->row[DESK].configured = 0;
    disk_works();
    h->instruments->row[DESK].configured = 1;
    ended(o, GN_VERDICT_NOT_TRADABLE);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 10);
    end();
}

static void too_old_to_leave(void)
{
    begin();
    h->conf.journal.unsynced_ms = 30;
    struct gn_order *o = hold(DESK, 1);
    gn_h_run(h, 29 * GN_H_MS);
    CU_ASSERT_EQUAL(o->held, 1);
    gn_h_run(h, 2 * GN_H_MS);
    CU_ASSERT_EQUAL(o->held, 0);
    ended(o, GN_VERDICT_JOURNAL_LAG);
    CU_ASSERT_EQUAL(enters(), 0);
    end();
}

/* The control plane is dead: nothing becomes durable, nothing leaves, the kill that follows ends what was held. */
static void nobody_writes(void)
{
    begin();
    h->conf.journal.unsynced_ms = 60000;
    struct gn_order *o = hold(DESK, 1);
    h->cp_dead = true;
    gn_h_run(h, 100 * GN_H_MS);
    CU_ASSERT_EQUAL(o->held, 1);
    gn_h_run(h, 150 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_kill_level(atomic_load(&h->control->kill_all)), GN_LADDER_KILLED);
    ended(o, GN_VERDICT_KILLED);
    CU_ASSERT_EQUAL(enters(), 0);
    end();
}

static struct gn_order *live(int64_t qty)
{
    struct gn_order *o = hold(DESK, qty);
    disk_works();
    gn_h_accept(h, o);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL_FATAL(o->state, GN_ORDER_LIVE);
    return o;
}

static struct gn_order *hold_replace(const struct gn_order *old, int64_t qty)
{
    uint64_t seq;
    struct gn_order *o = gn_order_peek(h->orders, &seq);
    h->journal_stuck = true;
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_REPLACE,
                                       .side = BUY,
                                       .instrument = DESK,
                                       .target = old->id,
                                       .price = 1000100,
                                       .qty = qty,
                                       .tag = 55});
    CU_ASSERT_EQUAL_FATAL(o->held, 1);
    CU_ASSERT_EQUAL(old->state, GN_ORDER_PENDING_REPLACE);
    return o;
}

static void replacements(void)
{
    begin();
    struct gn_order *a = live(10), *b = hold_replace(a, 15);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 15);
    gn_h_run(h, 5 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_REPLACE), 0);
    disk_works();
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_REPLACE), 1);
    CU_ASSERT_EQUAL(gn_h_inbox_last(h, GN_OUCH_IN_REPLACE)->orig_user_ref, a->user_ref);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_SENT)->prev_id, a->id);
    gn_h_replaced(h, a, b, 15);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(a->state, GN_ORDER_REPLACED);
    /* a replacement that is given up leaves the old order as it was */
    struct gn_order *c = hold_replace(b, 20);
    h->instruments->row[DESK].configured = 0;
    disk_works();
    h->instruments->row[DESK].configured = 1;
    ended(c, GN_VERDICT_NOT_TRADABLE);
    CU_ASSERT_EQUAL(b->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(b->next_ref, 0);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 15);
    /* the old order fills while the replacement is held: it goes with it */
    struct gn_order *d = hold_replace(b, 20);
    gn_h_fill(h, b->user_ref, 15, 1000000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(d->state, GN_ORDER_REJECTED);
    disk_works();
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_REPLACE), 1);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy, 0);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    end();
}

/* A message of the venue for an order that it cannot know moves nothing. */
static void the_venue_guesses(void)
{
    begin();
    struct gn_order *o = hold(DESK, 1);
    gn_h_accept(h, o);
    gn_h_fill(h, o->user_ref, 1, 1000000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_NEW);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 0);
    CU_ASSERT_EQUAL(h->m.venue_unknown_order, 2);
    disk_works();
    CU_ASSERT_EQUAL(enters(), 1);
    end();
}

/* ---- the bound on what is not durable, in either mode ---- */

static void bound_on_records(void)
{
    begin();
    h->stage.sync = false;
    h->conf.journal.unsynced_records = 20;
    gn_h_run(h, GN_H_MS);
    struct gn_order *first = gn_h_new_order(h, DESK, BUY, 1000000, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    gn_h_accept(h, first);
    gn_h_run(h, GN_H_MS);
    h->journal_stuck = true;
    uint32_t sent = 0;
    while (sent < 100 && gn_h_new_order(h, DESK, BUY, 1000000, 1) != NULL)
        sent++;
    CU_ASSERT_EQUAL(sent, 20);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_GATE_REJECTED)->reason, GN_VERDICT_JOURNAL_LAG);
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_JOURNAL_LAG], 1);
    gn_h_cancel(h, first); /* cancels still go */
    gn_h_turn(h);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_CANCEL), 1);
    CU_ASSERT_EQUAL(gn_kill_level(atomic_load(&h->control->kill_all)), GN_LADDER_ACTIVE); /* late is not lost */
    disk_works();
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    end();
}

static void bound_on_time(void)
{
    begin();
    h->stage.sync = false;
    h->conf.journal.unsynced_ms = 10;
    gn_h_run(h, 5 * GN_H_MS);
    h->journal_stuck = true;
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    gn_h_run(h, 9 * GN_H_MS);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    gn_h_run(h, 2 * GN_H_MS);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    gn_h_turn(h);
    CU_ASSERT_EQUAL(gn_h_exec_last(h, GN_EXEC_GATE_REJECTED)->reason, GN_VERDICT_JOURNAL_LAG);
    disk_works();
    gn_h_run(h, 5 * GN_H_MS); /* nothing waits: nothing is old */
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    end();
}

GN_TEST_MAIN("stage held", {"leaves when its record is durable", leaves_when_its_record_is_durable},
             {"many leave in order", many_leave_in_order}, {"every kill word ends it", every_kill_word_ends_it},
             {"a kill empties the queue first", a_kill_empties_the_queue_first},
             {"cancelled before it left", cancelled_before_it_left}, {"session lost meanwhile", session_lost_meanwhile},
             {"data plane restarted meanwhile", data_plane_restarted_meanwhile},
             {"limits of the moment it leaves", limits_of_the_moment_it_leaves}, {"too old to leave", too_old_to_leave},
             {"nobody writes", nobody_writes}, {"replacements", replacements}, {"the venue guesses", the_venue_guesses},
             {"bound on records", bound_on_records}, {"bound on time", bound_on_time})
