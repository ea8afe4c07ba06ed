/* What watches over an order session: its circuit breaker and its dead-man timers.
 *
 *      CLOSED --losses or rejects in the window--> OPEN --pause over--> HALF_OPEN --query answered--> CLOSED
 *                                                   ^                       |
 *                                                   +-- not answered, lost -+   (the pause doubles, up to 8 times it)
 *
 * OPEN: no connection is tried; on one that is up no new order and no replacement leaves, cancels do. HALF_OPEN: one
 * probe goes out, an account query: behind a login when the session was down, else on the connection that is there. The
 * venue's answer is its status, and only that closes the breaker.
 *
 * Dead-man: who is silent for sessions[].deadman raises the kill word of the session, to halted or to killed as
 * deadman_action says. That latches: a person releases it. Each silence acts once, until it has ended.
 */
#include "dataplane/lcore/stage_orders.h"

#define NS_PER_MS       1000000ull
#define LOOK_NS         NS_PER_MS /* between two looks: as fine as the timers are set */
#define PAUSE_DOUBLINGS 3u

static uint32_t state_of(const struct gn_stage_orders *s, uint32_t i)
{
    return atomic_load_explicit(&s->rows[i].state, memory_order_relaxed);
}

/* ---- circuit breaker ---- */

static void set_breaker(struct gn_stage_orders *s, uint32_t i, uint32_t state, uint32_t why, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    r->breaker = state;
    r->breaker_why = why;
    struct gn_rec *rec = gn_orders_event(s, GN_EV_BREAKER, sizeof(struct gn_ev_breaker), now_ns);
    if (rec != NULL)
        *(struct gn_ev_breaker *)(rec + 1) = (struct gn_ev_breaker){
            .session = i,
            .state = (uint16_t)state,
            .why = (uint16_t)why,
            .failures = r->breaker_failures + (uint64_t)r->breaker_rejects,
            .until_ns = r->breaker_until_ns,
            .trips = r->breaker_trips,
        };
}

static void trip(struct gn_stage_orders *s, uint32_t i, uint32_t why, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    const uint64_t pause_ns = s->conf->session[i].breaker_pause_ms * NS_PER_MS;
    if (why != GN_BREAKER_WHY_PROBE_LOST)
        r->breaker_doublings = 0;
    else if (r->breaker_doublings < PAUSE_DOUBLINGS)
        r->breaker_doublings++;
    r->breaker_until_ns = now_ns + (pause_ns << r->breaker_doublings);
    r->breaker_trips++;
    s->m->breaker_trips++;
    set_breaker(s, i, GN_BREAKER_OPEN, why, now_ns);
    if (r->retry_ns < r->breaker_until_ns)
        r->retry_ns = r->breaker_until_ns;
    gn_orders_alert(s, 0, 'K', 2,
                    "an order session's circuit breaker opened: no new orders until the venue answers a probe", now_ns);
}

static void count_failure(struct gn_stage_orders *s, uint32_t i, bool reject, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    const struct gn_conf_session *c = &s->conf->session[i];
    if (now_ns - r->breaker_window_ns >= c->breaker_window_ms * NS_PER_MS) {
        r->breaker_window_ns = now_ns;
        r->breaker_failures = r->breaker_rejects = 0;
    }
    *(reject ? &r->breaker_rejects : &r->breaker_failures) += 1;
}

void gn_guard_lost(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    const struct gn_conf_session *c = &s->conf->session[i];
    count_failure(s, i, false, now_ns);
    s->probe_ns[i] = 0;
    if (r->breaker == GN_BREAKER_HALF_OPEN)
        trip(s, i, GN_BREAKER_WHY_PROBE_LOST, now_ns);
    else if (r->breaker == GN_BREAKER_CLOSED && c->breaker_losses != 0 && r->breaker_failures >= c->breaker_losses)
        trip(s, i, GN_BREAKER_WHY_LOST, now_ns);
    else if (r->breaker == GN_BREAKER_OPEN && r->retry_ns < r->breaker_until_ns)
        r->retry_ns = r->breaker_until_ns;
}

void gn_guard_rejected(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    const struct gn_session_row *r = &s->rows[i];
    const struct gn_conf_session *c = &s->conf->session[i];
    count_failure(s, i, true, now_ns);
    if (r->breaker == GN_BREAKER_CLOSED && c->breaker_rejects != 0 && r->breaker_rejects >= c->breaker_rejects)
        trip(s, i, GN_BREAKER_WHY_REJECTS, now_ns);
}

void gn_guard_connecting(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    if (s->rows[i].breaker == GN_BREAKER_OPEN)
        set_breaker(s, i, GN_BREAKER_HALF_OPEN, GN_BREAKER_WHY_PROBE_DUE, now_ns);
}

void gn_guard_answered(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    s->probe_ns[i] = 0;
    if (r->breaker != GN_BREAKER_HALF_OPEN)
        return;
    r->breaker_failures = r->breaker_rejects = 0;
    r->breaker_window_ns = now_ns;
    set_breaker(s, i, GN_BREAKER_CLOSED, GN_BREAKER_WHY_PROBE_ANSWERED, now_ns);
}

/* On a connection that is up: the probe when it is due, and its end when nobody answers. */
static void poll_breaker(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    const struct gn_session_row *r = &s->rows[i];
    if (GN_LIKELY(r->breaker == GN_BREAKER_CLOSED) || state_of(s, i) != GN_SESSION_UP)
        return;
    if (r->breaker == GN_BREAKER_OPEN && now_ns >= r->breaker_until_ns && gn_session_query(s, i, now_ns)) {
        s->probe_ns[i] = now_ns + s->conf->session[i].dead_ms * NS_PER_MS;
        set_breaker(s, i, GN_BREAKER_HALF_OPEN, GN_BREAKER_WHY_PROBE_DUE, now_ns);
    } else if (r->breaker == GN_BREAKER_HALF_OPEN && s->probe_ns[i] == 0) {
        /* an earlier life's probe: its answer may have been counted there */
        (void)gn_session_query(s, i, now_ns);
        s->probe_ns[i] = now_ns + s->conf->session[i].dead_ms * NS_PER_MS;
    } else if (r->breaker == GN_BREAKER_HALF_OPEN && now_ns >= s->probe_ns[i]) {
        s->probe_ns[i] = 0;
        trip(s, i, GN_BREAKER_WHY_PROBE_LOST, now_ns);
    }
}

/* ---- dead-man timers ---- */

static const char *const reasons[GN_DEADMAN_COUNT] = {
#define GN_X(bit, NAME, name, help) [bit] = "dead-man timer: " name,
    GN_DEADMEN(GN_X)
#undef GN_X
};

static void fire(struct gn_stage_orders *s, uint32_t i, uint32_t what, uint64_t silent_ns, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    const struct gn_conf_session *c = &s->conf->session[i];
    const uint32_t level = c->deadman_action == GN_DEADMAN_STOP ? GN_LADDER_HALTED : GN_LADDER_KILLED;
    r->deadman_fired |= 1u << what;
    r->deadman_trips++;
    s->m->deadman_trips++;
    struct gn_rec *rec = gn_orders_event(s, GN_EV_DEADMAN, sizeof(struct gn_ev_deadman), now_ns);
    if (rec != NULL)
        *(struct gn_ev_deadman *)(rec + 1) = (struct gn_ev_deadman){
            .session = i,
            .what = (uint16_t)what,
            .action = (uint16_t)c->deadman_action,
            .silent_ns = silent_ns,
            .limit_ns = c->deadman_ms * NS_PER_MS,
        };
    gn_orders_alert(s, 0, 'D', 1, reasons[what], now_ns);
    if (gn_kill_level(atomic_load_explicit(&s->control->kill_session[i], memory_order_relaxed)) >= level)
        return;
    struct gn_kill_record k = {
        .set_ns = now_ns, .level = (uint16_t)level, .scope = GN_SCOPE_SESSION, .index = i, .who = "dataplane"};
    memcpy(k.why, reasons[what], strlen(reasons[what]) + 1);
    gn_kill_note(s->control, GN_KILL_BY_DATAPLANE, &k);
    gn_kill_raise(&s->control->kill_session[i], level, GN_KILL_BY_DATAPLANE);
}

/* Time since somebody was heard; 0 for one that was never there, so that nothing fires before it came. */
static uint64_t silence(uint64_t heard_ns, uint64_t now_ns)
{
    return heard_ns == 0 || heard_ns > now_ns ? 0 : now_ns - heard_ns;
}

static uint64_t strategy_silence(const struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    uint64_t most = 0;
    for (uint32_t k = 0; k < s->conf->n_lcores; k++)
        if (s->conf->lcore[k].stages & GN_STAGE_STRATEGY)
            most = silence(atomic_load_explicit(&s->control->lcore[k].count, memory_order_relaxed), now_ns);
    for (uint32_t k = 0; k < s->conf->n_strategies; k++) {
        const struct gn_conf_strategy *c = &s->conf->strategy[k];
        if (c->session != i || c->client >= s->conf->n_clients)
            continue;
        uint64_t heard = atomic_load_explicit(&s->control->client_heard_ns[c->client], memory_order_relaxed);
        most = silence(heard, now_ns) > most ? silence(heard, now_ns) : most;
    }
    return most;
}

static uint64_t session_silence(const struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    uint32_t state = state_of(s, i);
    if (state == GN_SESSION_UP || state == GN_SESSION_ENDED || r->logins == 0)
        r->deadman_since_ns = 0; /* up, over for the day, or never begun */
    else if (r->deadman_since_ns == 0)
        r->deadman_since_ns = now_ns;
    return silence(r->deadman_since_ns, now_ns);
}

static void poll_deadmen(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    const struct gn_conf_session *c = &s->conf->session[i];
    const uint64_t silent[GN_DEADMAN_COUNT] = {
        [GN_DEADMAN_CONTROL] = now_ns - s->beat_ns,
        [GN_DEADMAN_STRATEGY] = strategy_silence(s, i, now_ns),
        [GN_DEADMAN_FEED] = silence(atomic_load_explicit(&s->control->feed_heard_ns, memory_order_relaxed), now_ns),
        [GN_DEADMAN_SESSION] = session_silence(s, i, now_ns),
    };
    for (uint32_t k = 0; k < GN_DEADMAN_COUNT; k++) {
        const uint32_t bit = 1u << k;
        if (silent[k] < c->deadman_ms * NS_PER_MS)
            s->rows[i].deadman_fired &= ~bit;
        else if ((c->deadman_on & bit) != 0 && (s->rows[i].deadman_fired & bit) == 0)
            fire(s, i, k, silent[k], now_ns);
    }
}

void gn_guard_start(struct gn_stage_orders *s, uint64_t now_ns)
{
    s->guard_ns = now_ns + LOOK_NS;
    for (uint32_t i = 0; i < s->conf->n_sessions; i++)
        s->rows[i].cancel_on_disconnect = s->conf->session[i].cancel_on_disconnect;
    /* silence is counted from now: nobody could be heard while this process was not there */
    atomic_store_explicit(&s->control->feed_heard_ns, 0, memory_order_relaxed);
    for (uint32_t i = 0; i < GN_CLIENTS_MAX; i++)
        atomic_store_explicit(&s->control->client_heard_ns[i], 0, memory_order_relaxed);
}

void gn_guard_poll(struct gn_stage_orders *s, uint64_t now_ns)
{
    s->guard_ns = now_ns + LOOK_NS;
    if (s->draining || s->stopping)
        return;
    for (uint32_t i = 0; i < s->conf->n_sessions; i++) {
        poll_breaker(s, i, now_ns);
        poll_deadmen(s, i, now_ns);
    }
}
