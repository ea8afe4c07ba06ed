/* Stopping: kill words of every scope, mass cancels, a control plane that went silent, a journal that is full. */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define BUY   GN_SIDE_BUY
#define DESK  1u
#define OTHER 2u

static struct gn_h *h;

static void begin(const struct gn_h_options *options)
{
    h = gn_h_new(options);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_quote(h, 0, 990000, 1010000);
    gn_h_quote(h, DESK, 990000, 1010000);
    gn_h_quote(h, OTHER, 990000, 1010000);
    gn_h_run(h, GN_H_MS);
}

static void end(void)
{
    gn_h_run(h, GN_H_MS);
    if (h->broken != NULL)
        printf("%s\n", h->broken);
    CU_ASSERT_PTR_NULL(h->broken);
    gn_h_free(h);
}

static void open_orders(uint32_t instrument, uint32_t n, bool accept)
{
    for (uint32_t i = 0; i < n; i++) {
        struct gn_order *o = gn_h_new_order(h, instrument, i & 1, 1000000 + 100 * (i & 1), 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        if (accept)
            gn_h_accept(h, o);
        gn_h_turn(h);
    }
    gn_h_run(h, GN_H_MS);
}

/* The venue confirms every cancel it was sent, from number `from` of the inbox on. */
static void confirm_cancels(uint32_t from)
{
    for (uint32_t i = from; i < h->peer.n_in; i++)
        if (h->peer.in[i].type == GN_OUCH_IN_CANCEL)
            gn_h_canceled(h, h->peer.in[i].user_ref, 1);
    gn_h_run(h, 5 * GN_H_MS);
}

/* One record a cancel: of which order, why, by which word or intent; n of them, of n different orders. */
static uint32_t cancel_records(uint8_t why, uint64_t cause)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n_event; i++) {
        struct gn_ev_cancel ev;
        memcpy(&ev, h->event[i].payload, sizeof ev);
        if (h->event[i].rec.type != GN_EV_CANCEL || ev.why != why || ev.cause != cause)
            continue;
        const struct gn_order *o = ev.order_id == 0 ? NULL : gn_order_by_id(h->orders, ev.order_id);
        CU_ASSERT_EQUAL(h->event[i].rec.flags, 1);
        CU_ASSERT_EQUAL(h->event[i].rec.corr, ev.order_id != 0 ? ev.order_id
                                              : cause != 0     ? cause
                                                               : (GN_CORR_OWN | h->event[i].rec.seq));
        CU_ASSERT_TRUE(ev.order_id == 0 || (o != NULL && o->user_ref == ev.user_ref));
        n++;
    }
    return n;
}

static const char *why_of(uint32_t source)
{
    static struct gn_kill_record r;
    return gn_kill_noted(h->control, source, GN_SCOPE_ALL, 0, &r) ? r.why : "no record";
}

static void no_order_leaves_and_all_cancels_go(void)
{
    begin(NULL);
    open_orders(DESK, 100, true);
    open_orders(OTHER, 20, false); /* not even accepted yet */
    uint32_t from = h->peer.n_in, enters = gn_h_inbox_count(h, GN_OUCH_IN_ENTER);
    struct gn_kill_record r = {.set_ns = h->now, .why = "drill"};
    gn_kill_note(h->control, GN_KILL_BY_OPERATOR, &r);
    gn_kill_raise(&h->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1)); /* at once, before any poll */
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_KILLED], 1);
    gn_h_turn(h); /* the venue's own mass cancel at once; this venue does not answer it */
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_MASS_CANCEL), 1);
    CU_ASSERT_EQUAL(h->m.mass_cancels_sent, 1);
    gn_h_run(h, 950000);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 0);
    gn_h_run(h, 150000); /* so each order is named */
    CU_ASSERT_EQUAL(h->m.cancels_sent, 120);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_CANCEL), 120);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), enters);
    const struct gn_kill_report *report = &h->control->report;
    CU_ASSERT_EQUAL(atomic_load(&report->resting), 120); /* killed, and still resting */
    CU_ASSERT_EQUAL(atomic_load(&report->cancels_sent), 121);
    CU_ASSERT_TRUE(atomic_load(&report->last_order_ns) < atomic_load(&report->seen_ns));
    CU_ASSERT_TRUE(atomic_load(&report->first_cancel_ns) >= atomic_load(&report->seen_ns));
    confirm_cancels(from);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    CU_ASSERT_EQUAL(atomic_load(&report->resting), 0);
    CU_ASSERT_TRUE(atomic_load(&report->last_ack_ns) > atomic_load(&report->last_cancel_ns));
    CU_ASSERT_EQUAL(h->counts[GN_EV_KILL], 1);
    CU_ASSERT_EQUAL(h->counts[GN_EV_CANCEL], 121);
    CU_ASSERT_EQUAL(cancel_records(GN_CANCEL_BY_KILL, atomic_load(&h->control->kill_all)), 121);
    CU_ASSERT_EQUAL(h->positions[DESK].open_buy + h->positions[DESK].open_sell, 0);
    /* released: trading again */
    CU_ASSERT_TRUE(gn_kill_release(&h->control->kill_all, atomic_load(&h->control->kill_all)));
    gn_h_turn(h);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    end();
}

/* The end of the data plane, and orders that rested when it started. */
static void ends_and_restarts_are_named(void)
{
    begin(NULL);
    open_orders(DESK, 3, true);
    gn_stage_orders_drain(&h->stage, h->now);
    gn_h_run(h, 3 * GN_H_MS);
    CU_ASSERT_EQUAL(cancel_records(GN_CANCEL_BY_END, 0), 4); /* the venue's mass cancel, then each */
    gn_h_restart(h, true);
    CU_ASSERT_TRUE(gn_h_up(h));
    gn_h_run(h, 3 * GN_H_MS);
    CU_ASSERT_TRUE(cancel_records(GN_CANCEL_BY_RESTART, 0) >= 3);
    end();
}

/* A venue that does what it is asked needs to be asked once. */
static void one_mass_cancel_is_enough(void)
{
    for (int scope = 0; scope < 2; scope++) {
        begin(NULL);
        open_orders(DESK, 100, true);
        gn_kill_raise(scope == 0 ? &h->control->kill_all : &h->control->kill_session[0], GN_LADDER_KILLED,
                      GN_KILL_BY_OPERATOR);
        gn_h_turn(h);
        CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_MASS_CANCEL), 1);
        CU_ASSERT_EQUAL(memcmp(gn_h_inbox_last(h, GN_OUCH_IN_MASS_CANCEL)->firm, "FIRM", 4), 0);
        for (uint32_t i = 0; i < GN_H_ORDERS; i++)
            if (gn_order_working(h->orders->order[i].state))
                gn_h_canceled(h, h->orders->order[i].user_ref, 1);
        gn_h_run(h, 100 * GN_H_MS);
        CU_ASSERT_EQUAL(h->m.cancels_sent, 0);
        CU_ASSERT_EQUAL(h->orders->open, 0);
        CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_MASS_CANCEL), 1);
        CU_ASSERT_EQUAL(h->m.order_illegal, 0);
        end();
    }
}

static void a_cancel_without_an_answer_is_repeated(void)
{
    begin(NULL);
    open_orders(DESK, 3, true);
    gn_kill_raise(&h->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    gn_h_run(h, 40 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 3);
    gn_h_run(h, 20 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 6);
    CU_ASSERT_EQUAL(atomic_load(&h->control->report.resting), 3);
    end();
}

static void halted_keeps_what_rests(void)
{
    begin(NULL);
    open_orders(DESK, 3, true);
    gn_kill_raise(&h->control->kill_all, GN_LADDER_HALTED, GN_KILL_BY_OPERATOR);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    gn_h_run(h, 100 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 0);
    CU_ASSERT_EQUAL(h->orders->open, 3);
    end();
}

/* Each narrow scope takes its own orders and leaves the others. */
static void narrow_scopes(void)
{
    for (uint32_t scope = 0; scope < 3; scope++) {
        begin(NULL);
        open_orders(DESK, 4, true);
        open_orders(OTHER, 5, true);
        _Atomic uint64_t *words[] = {gn_kill_instrument(h->control) + OTHER, &h->control->kill_strategy[GN_H_DESK],
                                     &h->control->kill_session[0]};
        gn_kill_raise(words[scope], GN_LADDER_KILLED, GN_KILL_BY_CONTROLPLANE);
        gn_h_run(h, 2 * GN_H_MS);
        CU_ASSERT_EQUAL(h->m.cancels_sent, scope == 0 ? 5 : 9);
        CU_ASSERT_PTR_NULL(gn_h_new_order(h, OTHER, BUY, 1000000, 1));
        CU_ASSERT_EQUAL(gn_h_new_order(h, DESK, BUY, 1000000, 1) != NULL, scope == 0);
        end();
    }
}

static struct {
    const struct gn_order *seen;
    bool fired;
} trap;

/* A sink between strategy and orders: the kill comes when the strategy has decided and the order is not yet sent. */
static void killing_sink(void *ctx, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_h *k = ctx;
    trap.fired = true;
    gn_kill_raise(&k->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    gn_stage_orders_intent(&k->stage, in, now_ns);
}

static void killed_between_decision_and_send(void)
{
    begin(NULL);
    trap.fired = false;
    h->strategy.intent_sink = killing_sink;
    gn_h_publish(
        h, GN_H_LINE_A, ((struct gn_arb *)h->arb)->next,
        &(struct gn_itch_msg){.type = GN_ITCH_ADD, .side = 'B', .shares = 7, .price = 1000000, .ref = 77, .locate = 1},
        1);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_TRUE(trap.fired);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), 0);
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_KILLED], 1);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    end();
}

static void mass_cancel(void)
{
    begin(NULL);
    open_orders(DESK, 4, true);
    open_orders(OTHER, 5, true);
    struct gn_intent in = {.action = GN_ACTION_MASS_CANCEL, .instrument = DESK};
    uint32_t from = h->peer.n_in;
    gn_h_intent(h, &in);
    uint64_t cause = h->events->next_seq; /* of the intent's record */
    gn_h_intent(h, &in);                  /* twice asked is once marked */
    CU_ASSERT_EQUAL(h->stage.wanted, 4);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 4);
    CU_ASSERT_EQUAL(cancel_records(GN_CANCEL_BY_MASS, cause), 4);
    in.instrument = GN_NONE32;
    cause = h->events->next_seq;
    gn_h_intent(h, &in);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 9);
    CU_ASSERT_EQUAL(cancel_records(GN_CANCEL_BY_MASS, cause), 5);
    confirm_cancels(from);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    CU_ASSERT_EQUAL(h->stage.wanted, 0);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1)); /* no ban on new ones */
    end();
}

static void a_replacement_inherits_the_wish_to_go(void)
{
    begin(NULL);
    open_orders(DESK, 1, true);
    struct gn_order *old = &h->orders->order[h->orders->list_head];
    uint64_t seq;
    struct gn_order *o = gn_order_peek(h->orders, &seq);
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_REPLACE,
                                       .side = old->side,
                                       .instrument = DESK,
                                       .target = old->id,
                                       .price = 1000100,
                                       .qty = 1});
    gn_h_replaced(h, old, o, 1);
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_MASS_CANCEL, .instrument = DESK});
    gn_h_run(h, 2 * GN_H_MS);
    CU_ASSERT_EQUAL(old->state, GN_ORDER_REPLACED);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_CANCEL);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_CANCEL), 2);
    gn_h_canceled(h, o->user_ref, 1);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->stage.wanted, 0);
    end();
}

static void a_silent_control_plane(void)
{
    begin(NULL);
    open_orders(DESK, 5, true);
    h->cp_dead = true;
    gn_h_run(h, 45 * GN_H_MS);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    gn_h_run(h, 10 * GN_H_MS); /* stale at 50 */
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_CONTROL_STALE], 1);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 0);
    h->cp_dead = false; /* only a pause */
    gn_h_turn(h);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    h->cp_dead = true;
    gn_h_run(h, 190 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 0);
    gn_h_run(h, 15 * GN_H_MS); /* cancel at 200 */
    CU_ASSERT_EQUAL(h->m.cancels_sent, 7);
    CU_ASSERT_EQUAL(gn_kill_level(atomic_load(&h->control->kill_all)), GN_LADDER_KILLED);
    CU_ASSERT_STRING_EQUAL(why_of(GN_KILL_BY_DATAPLANE), "control plane heartbeat lost");
    h->cp_dead = false; /* back, and the switch stays thrown: only a release re-arms */
    gn_h_run(h, 10 * GN_H_MS);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    CU_ASSERT_EQUAL(h->counts[GN_EV_KILL], 1);
    end();
}

/* Nobody drains the journal: trading stops, the venue's messages wait in the stream, and none is lost. */
static void a_full_journal_stops_trading(void)
{
    begin(&(struct gn_h_options){.event_cells = 1024});
    open_orders(DESK, 10, true);
    h->journal_stuck = true;
    uint32_t sent = 0;
    while (sent < 1000 && gn_h_new_order(h, DESK, BUY, 1000000, 1) != NULL) {
        sent++;
        gn_h_canceled(h, (uint32_t)h->orders->next_seq - 1, 1);
        gn_h_turn(h);
    }
    CU_ASSERT_TRUE(sent > 10 && sent < 1000);
    gn_h_run(h, 5 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_kill_level(atomic_load(&h->control->kill_all)), GN_LADDER_KILLED);
    CU_ASSERT_TRUE(h->m.events_lost > 0);
    CU_ASSERT_TRUE(h->stage.gate.journal_failed);
    uint64_t taken = h->m.venue_messages, cancels = h->m.cancels_sent;
    CU_ASSERT_TRUE(cancels >= 10); /* cancelling needs no journal */
    for (uint32_t ref = 1; ref <= 10; ref++)
        gn_h_fill(h, ref, 1, 1000000);
    gn_h_run(h, 20 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.venue_messages, taken); /* they wait */
    CU_ASSERT_EQUAL(h->positions[DESK].qty, 0);
    h->journal_stuck = false;
    uint64_t execs = h->counts[GN_EV_EXEC];
    gn_h_run(h, 20 * GN_H_MS);
    CU_ASSERT_EQUAL(h->positions[DESK].fills, 10);
    CU_ASSERT_TRUE(h->counts[GN_EV_EXEC] >= execs + 10);
    CU_ASSERT_EQUAL(h->orders->open, 0);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1)); /* latched */
    CU_ASSERT_TRUE(gn_kill_release(&h->control->kill_all, atomic_load(&h->control->kill_all)));
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1)); /* a release alone does not mend a journal */
    end();
}

static void a_journal_that_reports_failure(void)
{
    begin(NULL);
    open_orders(DESK, 2, true);
    atomic_store(&h->control->journal_failed, 1);
    gn_h_turn(h);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, BUY, 1000000, 1));
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 2);
    CU_ASSERT_EQUAL(h->counts[GN_EV_KILL], 1);
    CU_ASSERT_STRING_EQUAL(why_of(GN_KILL_BY_DATAPLANE), "an event ring is full or the journal failed");
    end();
}

/* A kill while the session is away: the cancels go as soon as it is back. */
static void killed_while_disconnected(void)
{
    begin(NULL);
    open_orders(DESK, 3, true);
    gn_h_hang_up(h);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_NOT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    gn_kill_raise(&h->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->m.cancels_sent, 0);
    CU_ASSERT_EQUAL(atomic_load(&h->control->report.resting), 3);
    CU_ASSERT_TRUE(gn_h_up(h));
    gn_h_run(h, 2 * GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_CANCEL), 3);
    end();
}

GN_TEST_MAIN("stage kill", {"no order leaves and all cancels go", no_order_leaves_and_all_cancels_go},
             {"ends and restarts are named", ends_and_restarts_are_named},
             {"one mass cancel is enough", one_mass_cancel_is_enough},
             {"a cancel without an answer is repeated", a_cancel_without_an_answer_is_repeated},
             {"halted keeps what rests", halted_keeps_what_rests}, {"narrow scopes", narrow_scopes},
             {"killed between decision and send", killed_between_decision_and_send}, {"mass cancel", mass_cancel},
             {"a replacement inherits the wish to go", a_replacement_inherits_the_wish_to_go},
             {"a silent control plane", a_silent_control_plane},
             {"a full journal stops trading", a_full_journal_stops_trading},
             {"a journal that reports failure", a_journal_that_reports_failure},
             {"killed while disconnected", killed_while_disconnected})
