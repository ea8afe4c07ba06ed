/* An order session: TCP connection, SoupBinTCP login with resume, heartbeats, and the reconciliation before the first
 * order of a connection.
 *
 *      DOWN --backoff over--> CONNECTING --connected--> LOGIN --accepted--> RECOVERING --query answered--> UP
 *        ^                                                                                                  |
 *        +--------------- connection lost, silence, nonsense: every working order becomes in doubt ---------+
 *
 * After a login the venue first repeats what we have not processed; the answer to the account query is sequenced behind
 * it and names the next user reference the venue expects. So when it comes every order with a lower reference has had
 * its say, and one with a higher reference never arrived: nothing stays in doubt.
 *
 * An answer says nothing of its query, and what the venue repeats may hold answers to queries of connections that broke
 * before. So as many answers as can be old are passed over, each followed by a further query: one is ours then.
 */
#include "dataplane/lcore/stage_orders.h"

#include "dataplane/lcore/stage_inputs.h"

#define NS_PER_MS       1000000ull
#define MESSAGES_A_TURN 128u
#define WARM_NS         20000ull
#define LOGIN_TIME_NS   (10000 * NS_PER_MS)
#define NAMED_A_ROUND   64u
#define TCP_EVENTS      (GN_TCP_EV_CONNECTED | GN_TCP_EV_ABORTED | GN_TCP_EV_PEER_CLOSED | GN_TCP_EV_CLOSED)
#define LOCAL_PORTS     512u /* a new connection never takes the port of one that may be in TIME-WAIT */

static struct gn_tcp *tcp_of(struct gn_stage_orders *s, uint32_t i)
{
    return s->tcp[s->conf->session[i].port];
}

static struct gn_net *net_of(struct gn_stage_orders *s, uint32_t i)
{
    return s->net[s->conf->session[i].port];
}

static struct gn_txq *txq_of(struct gn_stage_orders *s, uint32_t i)
{
    return s->txq[s->conf->session[i].port];
}

static uint32_t state_of(const struct gn_stage_orders *s, uint32_t i)
{
    return atomic_load_explicit(&s->rows[i].state, memory_order_relaxed);
}

static void set_state(struct gn_stage_orders *s, uint32_t i, uint32_t state, uint32_t reason, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    atomic_store_explicit(&r->state, state, memory_order_relaxed);
    r->reason = reason;
    gn_sweep_wake(s);
    struct gn_rec *rec = gn_orders_event(s, GN_EV_SESSION, sizeof(struct gn_ev_session), now_ns);
    if (rec == NULL)
        return;
    rec->flags = (uint8_t)(i + 1);
    *(struct gn_ev_session *)(rec + 1) = (struct gn_ev_session){
        .session = i,
        .state = (uint16_t)state,
        .reason = (uint16_t)reason,
        .next_seq = s->state[i].soup.next_seq,
        .in_doubt = r->in_doubt,
    };
}

/* Doubles up to the configured maximum, spread over half of it, so that many sessions do not come back as one. */
static uint64_t backoff_ns(struct gn_stage_orders *s, uint32_t i)
{
    struct gn_session_row *r = &s->rows[i];
    const struct gn_conf_session *c = &s->conf->session[i];
    uint32_t ms = r->backoff_ms == 0 ? c->reconnect_ms : r->backoff_ms;
    r->backoff_ms = ms > c->reconnect_max_ms / 2 ? c->reconnect_max_ms : 2 * ms;
    uint64_t x = s->state[i].rng;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    s->state[i].rng = x;
    return ms * NS_PER_MS / 2 + x % (ms * NS_PER_MS / 2 + 1);
}

static void doubt_orders(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_exec e;
    uint64_t n = 0;
    for (uint32_t k = s->orders->list_head; k != GN_NONE32;) {
        struct gn_order *o = &s->orders->order[k];
        k = o->list_next;
        if (o->session != i)
            continue;
        if (GN_UNLIKELY(o->held != 0)) {
            gn_held_drop(s, o, GN_VERDICT_SESSION_DOWN, now_ns); /* never sent: nothing to doubt */
            continue;
        }
        gn_orders_move(s, o, GN_ORDER_EV_SESSION_LOST, now_ns);
        gn_gate_moved(&s->gate, o->instrument);
        gn_orders_exec_of(s, o, GN_EXEC_IN_DOUBT, &e);
        gn_orders_report(s, &e, now_ns);
        n++;
    }
    s->rows[i].in_doubt = n;
}

static void lost(struct gn_stage_orders *s, uint32_t i, uint32_t next_state, uint32_t reason, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    gn_soup_client_closed(&s->state[i].soup);
    if (r->conn != GN_NONE32)
        gn_tcp_release(tcp_of(s, i), net_of(s, i), r->conn, now_ns, txq_of(s, i));
    r->conn = GN_NONE32;
    r->losses++;
    r->retry_ns = now_ns + backoff_ns(s, i);
    s->state[i].login_seen = s->state[i].query_sent = 0;
    if (GN_UNLIKELY(s->unheard & 1u << i)) {
        s->unheard &= ~(1u << i);
        r->handover = GN_HANDOVER_LOST;
    }
    if (next_state == GN_SESSION_DOWN && !s->stopping)
        gn_guard_lost(s, i, now_ns);
    doubt_orders(s, i, now_ns);
    set_state(s, i, next_state, reason, now_ns);
}

static void connect_session(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    const struct gn_conf_session *c = &s->conf->session[i];
    uint16_t local = (uint16_t)(c->local_port + r->connects % LOCAL_PORTS);
    r->connects++;
    gn_guard_connecting(s, i, now_ns);
    if (gn_tcp_connect(tcp_of(s, i), net_of(s, i), c->remote_ip, (uint16_t)c->remote_port, local, now_ns, txq_of(s, i),
                       &r->conn) != GN_TCP_OK)
        r->conn = GN_NONE32;
    gn_inputs_session(s, i, GN_SESSION_IN_CONNECT, r->conn, NULL, 0, now_ns);
    if (r->conn == GN_NONE32) {
        r->retry_ns = now_ns + backoff_ns(s, i);
        gn_guard_lost(s, i, now_ns);
        return;
    }
    r->last_rx_ns = now_ns;
    s->state[i].stream_in = 0;
    s->state[i].at = UINT64_MAX; /* of another stream, as is the note of what was sent */
    s->state[i].given = s->state[i].sending.order_id = 0;
    s->state[i].sending.rec_seq = 0;
    set_state(s, i, GN_SESSION_CONNECTING, 0, now_ns);
}

/* A message of the session's own. That it left, or that TCP refuses it from now on, is journaled. */
static bool send_bytes(struct gn_stage_orders *s, uint32_t i, const uint8_t *buf, uint32_t len, uint64_t now_ns)
{
    const bool ok =
        gn_tcp_send(tcp_of(s, i), net_of(s, i), s->rows[i].conn, buf, len, now_ns, txq_of(s, i)) == GN_TCP_OK;
    gn_inputs_send(s, i, len, ok, now_ns);
    if (!ok)
        return false;
    s->state[i].given += len;
    s->rows[i].last_tx_ns = now_ns;
    gn_inputs_session(s, i, GN_SESSION_IN_SENT, buf[2], NULL, 0, now_ns);
    return true;
}

static void login(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    uint8_t buf[GN_SOUP_LOGIN_BYTES];
    int n = gn_soup_client_login(&s->state[i].soup, buf, sizeof buf, now_ns);
    if (n <= 0 || !send_bytes(s, i, buf, (uint32_t)n, now_ns)) {
        lost(s, i, GN_SESSION_DOWN, 0, now_ns);
        return;
    }
    set_state(s, i, GN_SESSION_LOGIN, 0, now_ns);
}

bool gn_session_query(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    uint8_t buf[GN_SOUP_HEADER + GN_OUCH_IN_QUERY_LEN];
    struct gn_ouch_msg q = {.type = GN_OUCH_IN_QUERY};
    int n = gn_ouch_encode_in(buf + GN_SOUP_HEADER, GN_OUCH_IN_QUERY_LEN, &q);
    if (n <= 0)
        return false;
    uint32_t len = gn_soup_header(buf, GN_SOUP_UNSEQUENCED, (uint16_t)n);
    if (!send_bytes(s, i, buf, len, now_ns))
        return false;                                                        /* asked again at the next turn */
    (void)gn_soup_client_order(&s->state[i].soup, buf, (uint16_t)n, now_ns); /* only what left counts as sent */
    s->state[i].query_sent = 1;
    s->state[i].queries++;
    return true;
}

bool gn_session_retry(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    uint32_t state = state_of(s, i);
    if (state != GN_SESSION_REFUSED && state != GN_SESSION_ENDED)
        return false;
    gn_soup_client_password(&s->state[i].soup, s->conf->session[i].password);
    s->rows[i].retry_ns = now_ns;
    s->rows[i].backoff_ms = 0;
    set_state(s, i, GN_SESSION_DOWN, 0, now_ns);
    return true;
}

/* True when the answer that just came is to a query of this connection. */
static bool answer_is_ours(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_state_row *st = &s->state[i];
    if (st->answers < st->queries)
        st->answers++;
    if (state_of(s, i) != GN_SESSION_RECOVERING)
        return false;
    if (st->stale == 0)
        return true;
    st->stale--;
    (void)gn_session_query(s, i, now_ns);
    return false;
}

/* Known one by one up to a number: thousands of them say no more, and the journal must not fill with them. */
static void note_never_arrived(struct gn_stage_orders *s, const struct gn_order *o, uint32_t nth, uint64_t now_ns)
{
    if (nth > NAMED_A_ROUND)
        return;
    gn_orders_break(s,
                    &(struct gn_break){.kind = GN_BREAK_NEVER_ARRIVED,
                                       .state = GN_BREAK_NOTED,
                                       .session = o->session,
                                       .instrument = o->instrument,
                                       .order_id = o->id,
                                       .ours = o->user_ref},
                    now_ns);
}

/* The connection had been up and ended, so the venue's cancels came before this answer. */
static void note_not_canceled(struct gn_stage_orders *s, const struct gn_order *o, uint64_t now_ns)
{
    gn_orders_break(s,
                    &(struct gn_break){.kind = GN_BREAK_NOT_CANCELED,
                                       .session = o->session,
                                       .instrument = o->instrument,
                                       .order_id = o->id,
                                       .ours = o->leaves,
                                       .theirs = o->user_ref},
                    now_ns);
}

static void note_round(struct gn_recon *r, uint64_t orders, uint64_t now_ns)
{
    if (r == NULL)
        return;
    atomic_fetch_add_explicit(&r->checked_orders, orders, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->rounds, 1, memory_order_relaxed);
    atomic_store_explicit(&r->last_round_ns, now_ns, memory_order_relaxed);
}

void gn_session_reconciled(struct gn_stage_orders *s, uint32_t i, uint32_t next_user_ref, uint64_t now_ns)
{
    struct gn_exec e;
    const bool up = state_of(s, i) == GN_SESSION_UP, ours = answer_is_ours(s, i, now_ns);
    if (up || ours)
        gn_guard_answered(s, i, now_ns);
    if (!ours)
        return;
    uint64_t high = s->orders->next_seq & ~0xffffffffull;
    uint32_t dead = 0;
    if (next_user_ref > (uint32_t)s->orders->next_seq) {
        if (s->rows[i].orders_sent != 0) /* else an earlier appliance of the same account took them */
            gn_orders_break(s,
                            &(struct gn_break){.kind = GN_BREAK_USER_REF,
                                               .session = (uint8_t)i,
                                               .instrument = GN_NONE32,
                                               .ours = (uint32_t)s->orders->next_seq,
                                               .theirs = next_user_ref},
                            now_ns);
        s->orders->next_seq = high | next_user_ref;
    }
    for (uint32_t k = s->orders->list_head; k != GN_NONE32;) {
        struct gn_order *o = &s->orders->order[k];
        k = o->list_next;
        if (o->session != i || o->state != GN_ORDER_IN_DOUBT)
            continue;
        bool live = o->acked != 0;
        if (!live)
            o->leaves = 0;
        gn_orders_move(s, o, live ? GN_ORDER_EV_PROVEN_LIVE : GN_ORDER_EV_PROVEN_DEAD, now_ns);
        gn_gate_moved(&s->gate, o->instrument);
        if (live && s->rows[i].cancel_on_disconnect != 0 && s->state[i].was_up != 0)
            note_not_canceled(s, o, now_ns);
        if (live)
            o->next_ref = 0; /* a replacement in flight when the connection went was never seen */
        else
            note_never_arrived(s, o, ++dead, now_ns);
        gn_orders_exec_of(s, o, live ? GN_EXEC_ACCEPTED : GN_EXEC_REJECTED, &e);
        gn_orders_report(s, &e, now_ns);
    }
    note_round(s->recon, s->rows[i].in_doubt, now_ns);
    s->rows[i].in_doubt = 0;
    s->rows[i].backoff_ms = 0;
    s->state[i].was_up = 1;
    set_state(s, i, GN_SESSION_UP, 0, now_ns);
}

/* ---- what comes in ---- */

/* What the login says of messages that are gone: nobody can repeat them, so a person compares. */
static void note_gap(struct gn_stage_orders *s, uint32_t i, const struct gn_soup_info *info, uint64_t now_ns)
{
    struct gn_break b = {.kind = GN_BREAK_SESSION_CHANGED,
                         .session = (uint8_t)i,
                         .instrument = GN_NONE32,
                         .ours = (int64_t)s->rows[i].next_in_seq,
                         .theirs = (int64_t)info->seq,
                         .venue_seq = info->seq};
    if (info->new_session)
        gn_orders_break(s, &b, now_ns);
    b.kind = GN_BREAK_MESSAGES_LOST;
    b.theirs = (int64_t)info->lost;
    if (info->lost != 0)
        gn_orders_break(s, &b, now_ns);
}

static void on_logged_in(struct gn_stage_orders *s, uint32_t i, const struct gn_soup_info *info, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    struct gn_session_state_row *st = &s->state[i];
    r->logins++;
    memcpy(r->venue_session, st->soup.session, sizeof st->soup.session);
    note_gap(s, i, info, now_ns);
    r->next_in_seq = st->soup.next_seq;
    if (info->new_session)
        st->answers = st->queries; /* it repeats nothing of the old one */
    st->stale = st->queries - st->answers;
    st->login_ns = now_ns;
    st->login_seen = 1;
    set_state(s, i, GN_SESSION_RECOVERING, info->lost != 0 ? 1 : 0, now_ns);
    (void)gn_session_query(s, i, now_ns);
}

/* One packet of the stream; false when the loop over the stream must stop. */
static bool on_packet(struct gn_stage_orders *s, uint32_t i, const struct gn_soup_packet *pkt, uint64_t now_ns)
{
    struct gn_soup_client *soup = &s->state[i].soup;
    struct gn_soup_info info;
    enum gn_soup_event ev = gn_soup_client_on_packet(soup, pkt, now_ns, &info);
    s->rows[i].last_rx_ns = now_ns;
    s->unheard &= ~(1u << i);
    switch (ev) {
    case GN_SOUP_EV_LOGGED_IN:
        on_logged_in(s, i, &info, now_ns);
        return true;
    case GN_SOUP_EV_LOGIN_REJECTED:
        lost(s, i, GN_SESSION_REFUSED, (uint32_t)info.reason, now_ns);
        return false;
    case GN_SOUP_EV_DATA_SEQUENCED:
        gn_execution_message(s, i, info.payload, info.len, info.seq, now_ns);
        gn_ring_publish(s->events); /* its records are in the ring before it counts as processed */
        gn_soup_client_done(soup, info.seq);
        gn_undo_forget(&s->state[i].undo);
        s->rows[i].next_in_seq = soup->next_seq;
        return true;
    case GN_SOUP_EV_SESSION_END:
        lost(s, i, GN_SESSION_ENDED, 0, now_ns);
        return false;
    case GN_SOUP_EV_ERROR:
        s->m->session_errors++;
        lost(s, i, GN_SESSION_DOWN, (uint32_t)-info.err, now_ns);
        return false;
    default:
        return true;
    }
}

static void read_stream(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_state_row *st = &s->state[i];
    const uint8_t *data;
    struct gn_soup_packet pkt;
    for (uint32_t k = 0; k < MESSAGES_A_TURN; k++) {
        uint32_t conn = s->rows[i].conn;
        uint32_t n = gn_tcp_readable(tcp_of(s, i), conn, &data);
        int rc = n == 0 ? 0 : gn_soup_next(data, n, &pkt);
        if (rc == 0 || !gn_orders_room(s))
            return; /* what cannot be journaled stays in the stream until it can */
        gn_inputs_session(s, i, GN_SESSION_IN_DATA, 0, data, rc < 0 ? GN_SOUP_HEADER : pkt.bytes, now_ns);
        if (rc < 0) {
            gn_soup_client_on_error(&s->state[i].soup, rc);
            s->m->session_errors++;
            lost(s, i, GN_SESSION_DOWN, (uint32_t)-rc, now_ns);
            return;
        }
        st->at_seq = st->soup.wire_seq;
        atomic_signal_fence(memory_order_seq_cst); /* the number is there before its place is */
        st->at = st->stream_in;
        atomic_signal_fence(memory_order_seq_cst); /* and both before the first change: see session_join.c */
        if (!on_packet(s, i, &pkt, now_ns))
            return;
        gn_tcp_consume(tcp_of(s, i), conn, pkt.bytes);
        st->stream_in += pkt.bytes;
    }
}

static void poll_timers(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    uint8_t buf[GN_SOUP_HEADER];
    switch (gn_soup_client_timer(&s->state[i].soup, now_ns)) {
    case GN_SOUP_TIMER_HEARTBEAT:
        if (!send_bytes(s, i, buf, gn_soup_client_heartbeat(&s->state[i].soup, buf, now_ns), now_ns))
            gn_inputs_session(s, i, GN_SESSION_IN_SENT, 0, NULL, 0, now_ns); /* tried: the next one is a period away */
        break;
    case GN_SOUP_TIMER_DEAD:
        lost(s, i, GN_SESSION_DOWN, 0, now_ns);
        break;
    default:
        s->quiet_ns[i] = gn_soup_client_due(&s->state[i].soup);
        break;
    }
}

/* Nothing is due and nothing has come. Off the path of an order its way through TCP is walked now and then, so that the
 * next one finds code and lines in the cache, and the template ready for its length: a heartbeat has another. */
static GN_COLD void warm(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    s->warm_ns[i] = now_ns + WARM_NS;
    (void)gn_tcp_warm(tcp_of(s, i), net_of(s, i), s->rows[i].conn, GN_SOUP_HEADER + GN_OUCH_IN_ENTER_LEN, now_ns,
                      txq_of(s, i));
}

void gn_session_poll(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    uint32_t state = state_of(s, i);
    if (GN_LIKELY(state == GN_SESSION_UP && now_ns < s->quiet_ns[i] && gn_tcp_quiet(tcp_of(s, i), r->conn))) {
        if (GN_UNLIKELY(now_ns >= s->warm_ns[i]))
            warm(s, i, now_ns);
        return;
    }
    if (GN_UNLIKELY(state == GN_SESSION_DOWN)) {
        if (now_ns >= r->retry_ns && !s->stopping && s->conf->mode != GN_MODE_SHADOW)
            connect_session(s, i, now_ns);
        return;
    }
    if (GN_UNLIKELY(r->conn == GN_NONE32))
        return; /* refused or ended: an operator must act */
    uint32_t ev = gn_tcp_events(tcp_of(s, i), r->conn) & TCP_EVENTS;
    if (GN_UNLIKELY(ev != 0))
        gn_inputs_session(s, i, GN_SESSION_IN_EVENTS, ev, NULL, 0, now_ns);
    if (GN_UNLIKELY(ev & GN_TCP_EV_CONNECTED) && state == GN_SESSION_CONNECTING)
        login(s, i, now_ns);
    read_stream(s, i, now_ns);
    if (GN_UNLIKELY(ev & (GN_TCP_EV_ABORTED | GN_TCP_EV_PEER_CLOSED | GN_TCP_EV_CLOSED)) && r->conn != GN_NONE32) {
        lost(s, i, GN_SESSION_DOWN, 0, now_ns);
        return;
    }
    if (r->conn == GN_NONE32 || state == GN_SESSION_CONNECTING)
        return;
    if (GN_UNLIKELY(state == GN_SESSION_RECOVERING && !s->state[i].query_sent))
        (void)gn_session_query(s, i, now_ns);
    poll_timers(s, i, now_ns);
}

/* ---- start and stop ---- */

void gn_session_start(struct gn_stage_orders *s, uint32_t i, bool joined, uint64_t now_ns)
{
    struct gn_session_row *r = &s->rows[i];
    struct gn_session_state_row *st = &s->state[i];
    const struct gn_conf_session *c = &s->conf->session[i];
    struct gn_soup_timing timing = {
        .heartbeat_ns = c->heartbeat_ms * NS_PER_MS,
        .dead_ns = c->dead_ms * NS_PER_MS,
        .login_ns = LOGIN_TIME_NS,
    };
    if (joined && r->handover == GN_HANDOVER_JOINED) { /* what is missed comes as on any day: TCP sends it again */
        s->unheard |= 1u << i;
        gn_session_told(s, i, now_ns);
        return;
    }
    if (joined && gn_soup_client_join(&st->soup) == GN_SOUP_OK) {
        /* the orders' fate is asked of the venue on a new connection; the old one is closed, not carried on */
        lost(s, i, GN_SESSION_DOWN, 0, now_ns);
        r->retry_ns = now_ns;
        return;
    }
    /* the private tables are new; what the control plane kept says how far the venue's messages were processed. 0, of a
     * fresh region: only what comes from now on, for positions start at zero and what was before belongs to none of
     * them; the account query then tells which user references are used up. */
    gn_soup_client_new(&st->soup, c->username, c->password, r->venue_session, r->next_in_seq, &timing);
    st->queries = r->logins; /* each may have an answer among what is repeated */
    st->answers = 0;
    doubt_orders(s, i, now_ns);
    st->rng = 0x9e3779b97f4a7c15ull ^ now_ns ^ (uint64_t)(i + 1) << 56;
    r->conn = GN_NONE32;
    r->next_in_seq = st->soup.next_seq;
    r->retry_ns = now_ns;
    atomic_store_explicit(&r->state, GN_SESSION_DOWN, memory_order_relaxed);
}

void gn_session_logout(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    uint8_t buf[GN_SOUP_HEADER];
    struct gn_session_row *r = &s->rows[i];
    if (r->conn == GN_NONE32)
        return;
    if (s->state[i].login_seen)
        (void)send_bytes(s, i, buf, gn_soup_client_logout(&s->state[i].soup, buf, now_ns), now_ns);
    (void)gn_tcp_close(tcp_of(s, i), net_of(s, i), r->conn, now_ns, txq_of(s, i));
}
