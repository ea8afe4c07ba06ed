/* Circuit breaker, dead-man timers, cancel on disconnect, bounds of the backoff. */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define DESK 1u

static struct gn_h *h;

static struct gn_conf_session *conf(void)
{
    return &h->conf.session[0];
}

static struct gn_session_row *row(void)
{
    return &h->rows[0];
}

static void begin(void)
{
    h = gn_h_new(NULL);
    h->strategy.control = h->control;
    conf()->breaker_window_ms = 10000;
    conf()->breaker_pause_ms = 500;
    conf()->deadman_ms = 200;
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_quote(h, DESK, 990000, 1010000);
    gn_h_run(h, GN_H_MS);
}

static void end(void)
{
    if (h->broken != NULL)
        printf("%s\n", h->broken);
    CU_ASSERT_PTR_NULL(h->broken);
    gn_h_free(h);
}

static struct gn_order *live_order(void)
{
    struct gn_order *o = gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 10);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    gn_h_run(h, GN_H_MS);
    gn_h_accept(h, o);
    gn_h_run(h, GN_H_MS);
    return o;
}

static uint32_t refused_with(void)
{
    (void)gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1);
    gn_h_turn(h);
    return gn_h_exec_last(h, GN_EXEC_GATE_REJECTED)->reason;
}

/* ---- breaker ---- */

static void losses_open_it_and_one_probe_closes_it(void)
{
    begin();
    conf()->breaker_losses = 3;
    for (int i = 0; i < 2; i++) {
        gn_h_hang_up(h);
        gn_h_run(h, GN_H_MS);
        CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    }
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_CLOSED);
    gn_h_hang_up(h);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_OPEN);
    CU_ASSERT_EQUAL(row()->breaker_why, GN_BREAKER_WHY_LOST);
    uint32_t connects = row()->connects;
    uint64_t begun = h->now;
    while (row()->connects == connects && h->now < begun + 2000 * GN_H_MS)
        gn_h_turn(h);
    CU_ASSERT_TRUE(h->now - begun >= 490 * GN_H_MS); /* not before the pause is over */
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_HALF_OPEN);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    CU_ASSERT_EQUAL(row()->connects, connects + 1);
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_CLOSED);
    CU_ASSERT_EQUAL(row()->breaker_trips, 1);
    gn_h_turn(h);
    CU_ASSERT_EQUAL(h->counts[GN_EV_BREAKER], 3);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1));
    end();
}

/* A venue that takes connections and answers nothing: each probe is one connection, and the pause doubles to a bound.
 */
static void probes_that_are_not_answered(void)
{
    begin();
    conf()->breaker_losses = 1;
    h->peer.refuse = 0;
    h->peer.silent = h->peer.hold = true;
    gn_h_hang_up(h);
    uint64_t last = 0, pause[8];
    uint32_t n = 0;
    h->step_ns = GN_H_MS;
    for (uint64_t until = h->now + 200000 * GN_H_MS; h->now < until && n < GN_ARRAY_LEN(pause);) {
        uint32_t was = row()->breaker;
        gn_h_turn(h);
        if (row()->breaker == GN_BREAKER_OPEN && was != GN_BREAKER_OPEN)
            last = h->now;
        if (row()->breaker == GN_BREAKER_HALF_OPEN && was == GN_BREAKER_OPEN)
            pause[n++] = (h->now - last) / GN_H_MS;
    }
    CU_ASSERT_EQUAL_FATAL(n, GN_ARRAY_LEN(pause));
    for (uint32_t i = 0; i < n; i++)
        CU_ASSERT_TRUE(pause[i] >= (500u << (i < 3 ? i : 3)) && pause[i] <= (500u << (i < 3 ? i : 3)) + 10);
    CU_ASSERT_TRUE(row()->breaker_trips >= 8);
    h->peer.silent = h->peer.hold = false;
    CU_ASSERT_TRUE(gn_h_until_state(h, GN_SESSION_UP, 60000 * GN_H_MS));
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_CLOSED);
    end();
}

static void rejects_open_it_while_the_session_is_up(void)
{
    begin();
    conf()->breaker_rejects = 3;
    struct gn_order *live = live_order();
    for (int i = 0; i < 3; i++) {
        struct gn_order *o = gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        gn_h_run(h, GN_H_MS);
        gn_h_reject(h, o->user_ref, GN_OUCH_REJECT_OTHER);
        gn_h_run(h, GN_H_MS);
    }
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_OPEN);
    CU_ASSERT_EQUAL(gn_h_session(h), GN_SESSION_UP);
    CU_ASSERT_EQUAL(refused_with(), GN_VERDICT_BREAKER_OPEN);
    gn_h_cancel(h, live); /* the way out is never closed */
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_CANCEL), 1);
    uint32_t queries = gn_h_inbox_count(h, GN_OUCH_IN_QUERY);
    h->peer.hold = true; /* the probe's answer does not come at once */
    gn_h_run(h, 510 * GN_H_MS);
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_HALF_OPEN);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_QUERY), queries + 1);
    CU_ASSERT_EQUAL(refused_with(), GN_VERDICT_BREAKER_OPEN);
    h->peer.hold = false;
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(row()->breaker, GN_BREAKER_CLOSED);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_QUERY), queries + 1);
    CU_ASSERT_EQUAL(row()->losses, 0);
    CU_ASSERT_PTR_NOT_NULL(gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1));
    end();
}

static void failures_of_long_ago_do_not_count(void)
{
    begin();
    conf()->breaker_losses = 2;
    conf()->breaker_window_ms = 100;
    for (int i = 0; i < 4; i++) {
        gn_h_hang_up(h);
        gn_h_run(h, GN_H_MS);
        CU_ASSERT_TRUE_FATAL(gn_h_up(h));
        gn_h_run(h, 110 * GN_H_MS);
    }
    CU_ASSERT_EQUAL(row()->breaker_trips, 0);
    end();
}

/* ---- dead-man timers ---- */

static uint32_t level(void)
{
    return gn_kill_level(atomic_load(&h->control->kill_session[0]));
}

static void release(void)
{
    uint64_t word = atomic_load(&h->control->kill_session[0]);
    CU_ASSERT_TRUE(gn_kill_release(&h->control->kill_session[0], word));
}

static void each_silence_acts_once(void)
{
    begin();
    h->step_ns = GN_H_MS / 4;
    conf()->deadman_on = 1u << GN_DEADMAN_FEED;
    conf()->deadman_action = GN_DEADMAN_STOP;
    gn_h_heartbeat(h, GN_H_LINE_A, ((struct gn_arb *)h->arb)->next);
    gn_h_run(h, 190 * GN_H_MS);
    CU_ASSERT_EQUAL(level(), GN_LADDER_ACTIVE);
    gn_h_run(h, 15 * GN_H_MS); /* 200 ms, as fine as a millisecond */
    CU_ASSERT_EQUAL(level(), GN_LADDER_HALTED);
    CU_ASSERT_EQUAL(row()->deadman_fired, 1u << GN_DEADMAN_FEED);
    CU_ASSERT_STRING_EQUAL(h->control->records[GN_KILL_BY_DATAPLANE].ring[0].why, "dead-man timer: feed");
    CU_ASSERT_EQUAL(h->control->records[GN_KILL_BY_DATAPLANE].ring[0].scope, GN_SCOPE_SESSION);
    CU_ASSERT_EQUAL(refused_with(), GN_VERDICT_KILLED);
    release();
    gn_h_run(h, 100 * GN_H_MS); /* a person knows better, and the silence goes on: not again */
    CU_ASSERT_EQUAL(level(), GN_LADDER_ACTIVE);
    gn_h_heartbeat(h, GN_H_LINE_A, ((struct gn_arb *)h->arb)->next);
    gn_h_run(h, 5 * GN_H_MS);
    CU_ASSERT_EQUAL(row()->deadman_fired, 0);
    gn_h_run(h, 210 * GN_H_MS);
    CU_ASSERT_EQUAL(level(), GN_LADDER_HALTED);
    CU_ASSERT_EQUAL(row()->deadman_trips, 2);
    CU_ASSERT_EQUAL(h->counts[GN_EV_DEADMAN], 2);
    end();
}

static void control_plane_gone_cancels(void)
{
    begin();
    conf()->deadman_on = 1u << GN_DEADMAN_CONTROL;
    conf()->deadman_action = GN_DEADMAN_CANCEL;
    h->conf.heartbeat_stale_ms = h->conf.heartbeat_cancel_ms = 100000;
    struct gn_order *o = live_order();
    h->cp_dead = true;
    gn_h_run(h, 210 * GN_H_MS);
    CU_ASSERT_EQUAL(level(), GN_LADDER_KILLED);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_MASS_CANCEL), 1);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_CANCEL);
    end();
}

/* Down for too long: what rests there is cancelled as soon as it can be, and nothing new leaves. */
static void session_gone_cancels_when_it_is_back(void)
{
    begin();
    conf()->deadman_on = 1u << GN_DEADMAN_SESSION;
    conf()->deadman_action = GN_DEADMAN_CANCEL;
    struct gn_order *o = live_order();
    h->end.out.cut = true;
    gn_h_hang_up(h);
    gn_h_run(h, 150 * GN_H_MS);
    CU_ASSERT_EQUAL(level(), GN_LADDER_ACTIVE);
    gn_h_run(h, 100 * GN_H_MS);
    CU_ASSERT_EQUAL(level(), GN_LADDER_KILLED);
    h->end.out.cut = false;
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_run(h, 5 * GN_H_MS);
    CU_ASSERT_EQUAL(o->state, GN_ORDER_PENDING_CANCEL);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_MASS_CANCEL), 1);
    CU_ASSERT_EQUAL(row()->deadman_fired, 0);
    CU_ASSERT_EQUAL(refused_with(), GN_VERDICT_KILLED);
    end();
}

/* The lcore of the strategies stands still; then a client that was there is not heard any more. */
static void strategies_gone(void)
{
    begin();
    h->step_ns = GN_H_MS / 2;
    conf()->deadman_on = 1u << GN_DEADMAN_STRATEGY;
    h->conf.n_lcores = 2;
    h->conf.lcore[1].stages = GN_STAGE_STRATEGY;
    for (int i = 0; i < 1000; i++) {
        atomic_store(&h->control->lcore[1].count, h->now);
        gn_h_turn(h);
    }
    CU_ASSERT_EQUAL(level(), GN_LADDER_ACTIVE);
    gn_h_run(h, 210 * GN_H_MS);
    CU_ASSERT_EQUAL(level(), GN_LADDER_HALTED);
    release();
    h->conf.n_clients = 1;
    h->conf.strategy[GN_H_DESK].client = 0;
    for (int i = 0; i < 1000; i++) {
        atomic_store(&h->control->lcore[1].count, h->now);
        if (i < 300)
            atomic_store(&h->control->client_heard_ns[0], h->now);
        gn_h_turn(h);
        CU_ASSERT_EQUAL(level(), i < 690 ? GN_LADDER_ACTIVE : i > 710 ? GN_LADDER_HALTED : level());
    }
    CU_ASSERT_EQUAL(row()->deadman_trips, 2);
    end();
}

static void nobody_fires_who_was_never_there(void)
{
    h = gn_h_new(NULL);
    conf()->deadman_ms = 1;
    conf()->deadman_on = 1u << GN_DEADMAN_FEED | 1u << GN_DEADMAN_SESSION | 1u << GN_DEADMAN_STRATEGY;
    h->end.out.cut = true; /* the venue is not open yet */
    h->step_ns = GN_H_MS;
    gn_h_run(h, 5000 * GN_H_MS);
    CU_ASSERT_EQUAL(row()->deadman_trips, 0);
    CU_ASSERT_EQUAL(level(), GN_LADDER_ACTIVE);
    end();
}

/* ---- cancel on disconnect ---- */

static void an_order_that_outlives_the_disconnect_is_a_break(void)
{
    begin();
    row()->cancel_on_disconnect = 1;
    struct gn_order *kept = live_order(), *gone = live_order();
    h->peer.hold = true;
    gn_h_canceled(h, gone->user_ref, 10); /* the venue does it for this one only */
    gn_h_hang_up(h);
    gn_h_run(h, GN_H_MS);
    h->peer.hold = false;
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    CU_ASSERT_EQUAL(kept->state, GN_ORDER_LIVE);
    CU_ASSERT_EQUAL(gone->state, GN_ORDER_CANCELED);
    CU_ASSERT_EQUAL(atomic_load(&h->recon->by_class[GN_BREAK_NOT_CANCELED]), 1);
    end();
}

/* ---- backoff ---- */

/* Half of the wait is fixed, half is drawn; the wait doubles from reconnect_ms to reconnect_max_ms and stays there. */
static void backoff_keeps_its_bounds(void)
{
    begin();
    conf()->reconnect_ms = 100;
    conf()->reconnect_max_ms = 1600;
    uint64_t lowest = UINT64_MAX, highest = 0;
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t ms = round < 4 ? 100u << round : 1600;
        h->end.out.cut = h->peer.end.out.cut = false;
        gn_h_hang_up(h);
        if (gn_h_session(h) == GN_SESSION_DOWN) /* it only waits: lose the attempt that follows */
            (void)gn_h_until_state(h, GN_SESSION_CONNECTING, 5000 * GN_H_MS);
        uint64_t losses = row()->losses;
        for (int i = 0; i < 100000 && row()->losses == losses; i++) {
            gn_h_turn(h);
            if (gn_h_session(h) > GN_SESSION_CONNECTING && gn_h_session(h) != GN_SESSION_UP)
                gn_h_hang_up(h); /* never answered, so the wait goes on growing */
        }
        uint64_t wait = row()->retry_ns - h->now;
        CU_ASSERT_TRUE_FATAL(wait >= ms * GN_H_MS / 2 - 1000000 && wait <= ms * GN_H_MS + 1000);
        if (round >= 4) {
            lowest = wait < lowest ? wait : lowest;
            highest = wait > highest ? wait : highest;
        }
    }
    CU_ASSERT_TRUE(lowest < 1000 * GN_H_MS && highest > 1400 * GN_H_MS); /* spread over its half */
    end();
}

GN_TEST_MAIN("stage guard", {"losses open it and one probe closes it", losses_open_it_and_one_probe_closes_it},
             {"probes that are not answered", probes_that_are_not_answered},
             {"rejects open it while the session is up", rejects_open_it_while_the_session_is_up},
             {"failures of long ago do not count", failures_of_long_ago_do_not_count},
             {"each silence acts once", each_silence_acts_once},
             {"control plane gone cancels", control_plane_gone_cancels},
             {"session gone cancels when it is back", session_gone_cancels_when_it_is_back},
             {"strategies gone", strategies_gone},
             {"nobody fires who was never there", nobody_fires_who_was_never_there},
             {"an order that outlives the disconnect is a break", an_order_that_outlives_the_disconnect_is_a_break},
             {"backoff keeps its bounds", backoff_keeps_its_bounds})
