/* Life of a connection: open, transitions, end. */
#include "dataplane/net/tcp_conn.h"

static uint8_t scale_for(const struct gn_tcp *t)
{
    uint8_t scale = 0;
    while ((t->rcvbuf >> scale) > 0xffff)
        scale++;
    return scale;
}

uint32_t gn_tcp_mss_of(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint32_t mtu, uint32_t peer_mss)
{
    uint32_t mss = mtu - GN_IP_LEN - GN_TCP_LEN;
    if (mss > t->conf.mss_max)
        mss = t->conf.mss_max;
    if (mss > peer_mss)
        mss = peer_mss < GN_TCP_MSS_FLOOR ? GN_TCP_MSS_FLOOR : peer_mss;
    return c->ts_on != 0 ? mss - GN_TCP_TS_SPACE : mss;
}

uint32_t gn_tcp_initial_window(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    uint32_t least = 2 * c->mss > 14600 ? 2 * c->mss : 14600;
    uint32_t wnd = t->conf.initial_window_segs * c->mss;
    return wnd < least ? wnd : least;
}

void gn_tcp_open(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now)
{
    c->local_ip = net->conf.ip;
    c->ts_on = (uint8_t)t->conf.use_timestamps;
    c->sack_on = (uint8_t)t->conf.use_sack;
    c->rcv_wscale = t->conf.use_wscale != 0 ? scale_for(t) : 0;
    c->iss = gn_tcp_isn(t, c, now, &c->ts_offset);
    c->snd_end = 1;
    c->consumed = 1;
    c->rcv_nxt = 1;
    c->rcv_adv = gn_tcp_rcv_edge(t, c);
    c->last_ack = 1;
    c->rto_ns = (uint64_t)t->conf.rto_initial_us * 1000;
    c->ssthresh = UINT32_MAX;
    c->rto_at = GN_NET_NEVER;
    c->ack_at = GN_NET_NEVER;
    c->misc_at = GN_NET_NEVER;
    c->heard_ns = now;
    c->challenge_ns = now;
    c->last_tx_ns = now;
    c->mss = gn_tcp_mss_of(t, c, net->conf.mtu, GN_TCP_MSS_RFC);
    c->cwnd = gn_tcp_initial_window(t, c);
    gn_tcp_template(net, c);
}

static void leave_listener(struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    struct gn_tcp_listener *l = gn_tcp_listener(t, c->listener_port);
    if (c->owner == GN_TCP_OWNER_LISTENER && l != NULL && l->pending != 0)
        l->pending--;
}

void gn_tcp_end(struct gn_tcp *t, struct gn_tcp_conn *c, uint8_t reason)
{
    c->reason = reason;
    GN_STORE_ORDER();
    c->state = GN_TCP_CLOSED;
    if (c->blocked != 0) {
        c->blocked = 0;
        t->blocked--;
    }
    c->rto_at = GN_NET_NEVER;
    c->ack_at = GN_NET_NEVER;
    c->misc_at = GN_NET_NEVER;
    c->ack_now = 0;
    gn_tcp_look(c);
    gn_tcp_set_deadline(t, c, GN_NET_NEVER);
    leave_listener(t, c);
    if (c->owner != GN_TCP_OWNER_CALLER) {
        gn_tcp_slot_free(t, c);
        return;
    }
    gn_tcp_hash_remove(t, c);
    gn_tcp_event(t, c, reason == GN_TCP_REASON_CLOSED ? GN_TCP_EV_CLOSED : GN_TCP_EV_ABORTED);
}

static void enter_time_wait(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    c->state = GN_TCP_TIME_WAIT;
    c->rto_at = GN_NET_NEVER;
    c->misc_at = now + t->conf.time_wait_ms * GN_NS_PER_MS;
    gn_tcp_due(t, c, c->misc_at);
    gn_tcp_event(t, c, GN_TCP_EV_CLOSED);
}

void gn_tcp_settle(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    bool fin_acked = gn_tcp_fin_sent(c) && c->snd_una > c->snd_end;
    bool peer_closed = c->rcv_fin != 0 && c->rcv_nxt > c->rcv_fin;
    if (fin_acked && c->state == GN_TCP_FIN_WAIT_1) {
        c->state = GN_TCP_FIN_WAIT_2;
        if (c->owner == GN_TCP_OWNER_NONE) {
            c->misc_at = now + t->conf.fin_wait_2_ms * GN_NS_PER_MS;
            gn_tcp_due(t, c, c->misc_at);
        }
    }
    if (peer_closed) {
        if (c->state == GN_TCP_ESTABLISHED)
            c->state = GN_TCP_CLOSE_WAIT;
        else if (c->state == GN_TCP_FIN_WAIT_1)
            c->state = GN_TCP_CLOSING;
        else if (c->state == GN_TCP_FIN_WAIT_2)
            enter_time_wait(t, c, now);
    }
    if (fin_acked && c->state == GN_TCP_CLOSING)
        enter_time_wait(t, c, now);
}

int gn_tcp_close(struct gn_tcp *t, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq)
{
    if (conn >= t->max_conns)
        return GN_TCP_ERR_NOT_CONNECTED;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint64_t now = gn_tcp_clock(t, now_ns);
    gn_tcp_look(c);
    switch (c->state) {
    case GN_TCP_SYN_SENT:
        gn_tcp_end(t, c, GN_TCP_REASON_CLOSED);
        return GN_TCP_OK;
    case GN_TCP_SYN_RCVD:
    case GN_TCP_ESTABLISHED:
        c->state = GN_TCP_FIN_WAIT_1;
        break;
    case GN_TCP_CLOSE_WAIT:
        c->state = GN_TCP_LAST_ACK;
        break;
    default:
        return GN_TCP_ERR_NOT_CONNECTED;
    }
    gn_tcp_output(t, net, c, now, txq);
    return GN_TCP_OK;
}

int gn_tcp_abort(struct gn_tcp *t, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq)
{
    if (conn >= t->max_conns || gn_tcp_conn_at(t, conn)->state <= GN_TCP_CLOSED)
        return GN_TCP_ERR_NOT_CONNECTED;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint64_t now = gn_tcp_clock(t, now_ns);
    if (c->state != GN_TCP_SYN_SENT && c->state != GN_TCP_TIME_WAIT)
        (void)gn_tcp_emit(t, net, c, c->snd_nxt, GN_TCP_RST | GN_TCP_ACK, 0, now, txq);
    gn_tcp_end(t, c, GN_TCP_REASON_ABORTED);
    return GN_TCP_OK;
}

void gn_tcp_release(struct gn_tcp *t, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq)
{
    if (conn >= t->max_conns || gn_tcp_conn_at(t, conn)->owner != GN_TCP_OWNER_CALLER)
        return;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint64_t now = gn_tcp_clock(t, now_ns);
    if (c->state == GN_TCP_FREE)
        return;
    c->owner = GN_TCP_OWNER_NONE;
    c->events = 0;
    if (c->state == GN_TCP_CLOSED) {
        gn_tcp_slot_free(t, c);
        return;
    }
    if (c->state <= GN_TCP_ESTABLISHED || c->state == GN_TCP_CLOSE_WAIT) {
        (void)gn_tcp_abort(t, net, conn, now_ns, txq);
        return;
    }
    if (c->state == GN_TCP_FIN_WAIT_2) {
        c->misc_at = now + t->conf.fin_wait_2_ms * GN_NS_PER_MS;
        gn_tcp_due(t, c, c->misc_at);
    }
}

int gn_tcp_listen(struct gn_tcp *t, uint16_t port)
{
    if (port == 0)
        return GN_TCP_ERR_ARG;
    if (gn_tcp_listener(t, port) != NULL)
        return GN_TCP_ERR_IN_USE;
    for (uint32_t i = 0; i < GN_TCP_LISTEN_MAX; i++) {
        if (t->listeners[i].port == 0) {
            t->listeners[i].pending = 0;
            GN_STORE_ORDER();
            t->listeners[i].port = port;
            return GN_TCP_OK;
        }
    }
    return GN_TCP_ERR_FULL;
}

int gn_tcp_unlisten(struct gn_tcp *t, uint16_t port)
{
    struct gn_tcp_listener *l = gn_tcp_listener(t, port);
    if (l == NULL)
        return GN_TCP_ERR_NONE;
    l->port = 0;
    for (uint32_t i = 0; i < t->max_conns; i++) {
        struct gn_tcp_conn *c = gn_tcp_conn_at(t, i);
        /* Nobody can accept these any more; their peers learn it from the RST that their next segment meets. */
        if (c->state > GN_TCP_CLOSED && c->owner == GN_TCP_OWNER_LISTENER && c->listener_port == port)
            gn_tcp_end(t, c, GN_TCP_REASON_ABORTED);
    }
    return GN_TCP_OK;
}

int gn_tcp_accept(struct gn_tcp *t, uint16_t port, uint32_t *conn)
{
    struct gn_tcp_listener *l = gn_tcp_listener(t, port);
    *conn = GN_TCP_NONE;
    if (l == NULL || l->pending == 0)
        return GN_TCP_ERR_NONE;
    for (uint32_t i = 0; i < t->max_conns; i++) {
        struct gn_tcp_conn *c = gn_tcp_conn_at(t, i);
        if (c->owner == GN_TCP_OWNER_LISTENER && c->listener_port == port && gn_tcp_synchronised(c)) {
            c->owner = GN_TCP_OWNER_CALLER;
            l->pending--;
            *conn = i;
            return GN_TCP_OK;
        }
    }
    return GN_TCP_ERR_NONE;
}

/* A local port that makes the pair unique; ports of listeners are left alone. */
static uint16_t free_port(struct gn_tcp *t, uint32_t ip, uint16_t port)
{
    uint32_t span = t->conf.port_max - t->conf.port_min + 1;
    for (uint32_t i = 0; i < span; i++) {
        uint16_t local = (uint16_t)(t->conf.port_min + (t->next_port + i) % span);
        if (gn_tcp_listener(t, local) == NULL && gn_tcp_find(t, ip, port, local) == NULL) {
            t->next_port = (t->next_port + i + 1) % span;
            return local;
        }
    }
    return 0;
}

int gn_tcp_connect(struct gn_tcp *t, struct gn_net *net, uint32_t ip, uint16_t port, uint16_t local_port,
                   uint64_t now_ns, struct gn_txq *txq, uint32_t *conn)
{
    uint64_t now = gn_tcp_clock(t, now_ns);
    (void)gn_net_clock(net, now_ns);
    *conn = GN_TCP_NONE;
    if (port == 0 || !gn_net_source_ok(net, ip))
        return GN_TCP_ERR_ARG;
    if (local_port != 0 && gn_tcp_find(t, ip, port, local_port) != NULL)
        return GN_TCP_ERR_IN_USE;
    if (local_port == 0)
        local_port = free_port(t, ip, port);
    if (local_port == 0)
        return GN_TCP_ERR_FULL;
    struct gn_tcp_conn *c = gn_tcp_slot_take(t);
    if (c == NULL)
        return GN_TCP_ERR_FULL;
    c->owner = GN_TCP_OWNER_CALLER;
    c->remote_ip = ip;
    c->remote_port = port;
    c->local_port = local_port;
    c->local_ip = net->conf.ip;
    gn_tcp_open(t, net, c, now);
    gn_tcp_hash_add(t, c);
    GN_STORE_ORDER();
    c->state = GN_TCP_SYN_SENT;
    gn_tcp_output(t, net, c, now, txq);
    *conn = c->index;
    return GN_TCP_OK;
}
