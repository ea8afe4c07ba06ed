/* A restarted data plane takes an order session over where the one that is gone left it: same connection, same stream
 * position, same orders. Each step was left in memory in an order from which the next life can tell how far it came:
 *
 *      out   note (order id, offset of the message in our stream) -> order opened -> bytes given to TCP (its one commit
 *            point) -> record published -> frame to the port
 *            note's offset below what TCP has: the message exists and is sent again until acknowledged; its record is
 *            written when it was not published. Not below: nobody ever sees it, and the order it opened is dead.
 *      in    note (offset and number of the packet) -> processed, undo kept -> counted as processed -> consumed
 *            note's offset is where the stream begins: the packet is parsed again, under the same number; one that
 *            counts as processed is then dropped as a repetition.
 *
 * Runs before gn_stage_orders_start, when orders, fills and undo are joined. A session that cannot be taken over is put
 * down by gn_session_start, which logs in anew and asks the venue.
 */
#include "dataplane/lcore/stage_orders.h"

static bool connected(const struct gn_stage_orders *s, uint32_t i)
{
    const struct gn_conf_session *c = &s->conf->session[i];
    struct gn_tcp_status st;
    gn_tcp_status(s->tcp[c->port], s->rows[i].conn, &st);
    return st.state == GN_TCP_ESTABLISHED && st.remote_ip == c->remote_ip && st.remote_port == c->remote_port;
}

static uint32_t may_join(struct gn_stage_orders *s, uint32_t i, bool tables, uint32_t carried)
{
    const struct gn_session_row *r = &s->rows[i];
    struct gn_session_state_row *st = &s->state[i];
    if (r->connects == 0)
        return GN_HANDOVER_NONE;
    if (s->conf->session[i].handover == 0)
        return GN_HANDOVER_OFF;
    if (!tables || (carried & 1u << s->conf->session[i].port) == 0)
        return GN_HANDOVER_NO_TABLES;
    if (gn_soup_client_join(&st->soup) != GN_SOUP_OK)
        return GN_HANDOVER_REFUSED;
    if (atomic_load_explicit(&r->state, memory_order_relaxed) != GN_SESSION_UP || st->soup.state != GN_SOUP_LOGGED_IN ||
        r->conn == GN_NONE32 || !connected(s, i))
        return GN_HANDOVER_NOT_OPEN;
    return GN_HANDOVER_JOINED;
}

/* A connection that no session knows was made by a call that never returned. */
static void release_strangers(struct gn_stage_orders *s, uint32_t port, uint64_t now_ns)
{
    for (uint32_t k = 0; k < gn_tcp_max_conns(s->tcp[port]); k++) {
        bool known = gn_tcp_state(s->tcp[port], k) == GN_TCP_FREE;
        for (uint32_t i = 0; i < s->conf->n_sessions && !known; i++)
            known = s->conf->session[i].port == port && s->rows[i].conn == k;
        if (!known && gn_tcp_state(s->tcp[port], k) <= GN_TCP_ESTABLISHED)
            gn_tcp_release(s->tcp[port], s->net[port], k, now_ns, s->txq[port]);
    }
}

/* Where the venue's stream goes on, and under which number. */
static void find_position(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_session_state_row *st = &s->state[i];
    struct gn_tcp_status tcp;
    gn_tcp_status(s->tcp[s->conf->session[i].port], s->rows[i].conn, &tcp);
    if (st->at == tcp.consumed)
        st->soup.wire_seq = st->at_seq; /* begun, and its bytes are still there */
    st->stream_in = tcp.consumed;
    st->given = gn_tcp_send_offset(s->tcp[s->conf->session[i].port], s->rows[i].conn);
    st->soup.last_rx_ns = st->soup.last_tx_ns = now_ns; /* nobody could listen meanwhile */
    s->rows[i].last_rx_ns = now_ns;
}

/* The record of the last message, when it exists and its record does not: what the earlier life had of it lies in the
 * ring still, behind what is published, where nobody has written since. */
static void write_missing_record(struct gn_stage_orders *s, const struct gn_sending *g, uint64_t now_ns)
{
    const uint64_t bytes = (uint64_t)s->events->cells * GN_RING_CELL;
    struct gn_rec was;
    struct gn_intent in;
    if (g->rec_at % GN_RING_CELL != 0 || g->rec_at > bytes - sizeof was - sizeof in)
        return;
    memcpy(&was, s->events->data + g->rec_at, sizeof was);
    memcpy(&in, s->events->data + g->rec_at + sizeof was, sizeof in);
    if (was.seq != g->rec_seq || was.type != GN_EV_ORDER) {
        gn_orders_alert(s, g->order_id, 'R', 2, "an order message left and its record is lost: see the venue's answer",
                        now_ns);
        return;
    }
    const struct gn_order *o = gn_order_by_id(s->orders, g->order_id != 0 ? g->order_id : in.target);
    struct gn_rec *rec = gn_orders_event(s, GN_EV_ORDER, sizeof(struct gn_ev_order), was.time_ns);
    if (rec == NULL)
        return;
    const uint64_t cause = in.tick_seq != 0 ? in.tick_seq : in.target != 0 ? in.target : in.tag;
    if (cause != 0)
        rec->corr = cause;
    rec->flags = (uint8_t)(in.session + 1);
    *(struct gn_ev_order *)(rec + 1) = (struct gn_ev_order){
        .intent = in,
        .order_id = o == NULL ? g->order_id : o->id,
        .user_ref = o == NULL ? (uint32_t)g->order_id : o->user_ref,
        .verdict = GN_VERDICT_OK,
    };
    gn_ring_publish(s->events);
}

static void drop_unsent(struct gn_stage_orders *s, struct gn_order *o, uint64_t now_ns)
{
    struct gn_order *old = o->prev_ref == 0 ? NULL : gn_order_find(s->orders, o->prev_ref);
    o->leaves = 0;
    o->held = 0;
    o->cancel_wanted = 0; /* not counted yet */
    gn_orders_move(s, o, GN_ORDER_EV_REJECT, now_ns);
    if (old != NULL && old->next_ref == o->user_ref) {
        old->next_ref = 0;
        gn_orders_move(s, old, GN_ORDER_EV_REPLACE_FAILED, now_ns);
    }
    gn_orders_break(s,
                    &(struct gn_break){.kind = GN_BREAK_NEVER_ARRIVED,
                                       .state = GN_BREAK_NOTED,
                                       .session = o->session,
                                       .instrument = o->instrument,
                                       .order_id = o->id,
                                       .ours = o->user_ref},
                    now_ns);
}

/* The message under way at the death, and orders that waited for the journal: those were never sent. */
static void settle_sending(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    const struct gn_sending *g = &s->state[i].sending;
    const bool exists = g->offset < s->state[i].given;
    if (exists && g->rec_seq >= s->life_seq)
        write_missing_record(s, g, now_ns);
    for (uint32_t k = s->orders->list_head; k != GN_NONE32;) {
        struct gn_order *o = &s->orders->order[k];
        k = o->list_next;
        if (o->session != i || o->state != GN_ORDER_PENDING_NEW || o->acked != 0)
            continue;
        if (o->held != 0 || (o->id == g->order_id && !exists))
            drop_unsent(s, o, now_ns);
    }
}

/* Who looks after an order: a client's process lived on and knows its own; what a built-in strategy knew is gone. */
static bool looked_after(const struct gn_stage_orders *s, const struct gn_order *o)
{
    return o->strategy < s->conf->n_strategies && s->conf->strategy[o->strategy].client < s->conf->n_clients;
}

static void note_handover(struct gn_stage_orders *s, uint32_t i, uint64_t kept, uint32_t state, uint64_t now_ns)
{
    const struct gn_session_row *r = &s->rows[i];
    struct gn_rec *rec = gn_orders_event(s, GN_EV_HANDOVER, sizeof(struct gn_ev_handover), now_ns);
    if (rec == NULL)
        return;
    *(struct gn_ev_handover *)(rec + 1) = (struct gn_ev_handover){
        .session = i,
        .result = (uint16_t)r->handover,
        .state = (uint16_t)state,
        .next_seq = r->next_in_seq,
        .stream_in = s->state[i].stream_in,
        .stream_out =
            r->handover == GN_HANDOVER_JOINED ? gn_tcp_send_offset(s->tcp[s->conf->session[i].port], r->conn) : 0,
        .orders = kept,
    };
}

void gn_session_join(struct gn_stage_orders *s, bool tables, uint32_t carried, uint64_t now_ns)
{
    for (uint32_t i = 0; i < s->conf->n_sessions; i++) {
        struct gn_session_row *r = &s->rows[i];
        uint32_t state = atomic_load_explicit(&r->state, memory_order_relaxed);
        uint64_t kept = 0;
        r->handover = may_join(s, i, tables, carried);
        const bool joined = r->handover == GN_HANDOVER_JOINED;
        if (joined) {
            find_position(s, i, now_ns);
            settle_sending(s, i, now_ns);
            r->handovers++;
        }
        for (uint32_t k = s->orders->list_head; k != GN_NONE32; k = s->orders->order[k].list_next) {
            struct gn_order *o = &s->orders->order[k];
            if (o->session != i)
                continue;
            kept += joined && looked_after(s, o);
            if (!joined || !looked_after(s, o))
                o->cancel_wanted = 1;
        }
        if (joined) /* else the session record says what becomes of it, and the row why */
            note_handover(s, i, kept, state, now_ns);
    }
    for (uint32_t port = 0; port < s->conf->n_ports; port++)
        if (carried & 1u << port)
            release_strangers(s, port, now_ns);
}

void gn_session_told(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns)
{
    struct gn_exec e;
    for (uint32_t k = s->orders->list_head; k != GN_NONE32; k = s->orders->order[k].list_next) {
        const struct gn_order *o = &s->orders->order[k];
        if (o->session != i || !looked_after(s, o))
            continue;
        gn_orders_exec_of(s, o, GN_EXEC_RESTATED, &e);
        gn_orders_report(s, &e, now_ns);
    }
}
