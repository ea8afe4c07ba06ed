/* dataplane/net/tcp.h, as far as the stages use it, answered from the journal. The stages are compiled with these names
 * in place of the endpoint's.
 */
#include "dataplane/net/tcp.h"

#include "tools/replay/backtest_impl.h"

static struct gn_replay_port *port_of(struct gn_tcp *tcp)
{
    return (struct gn_replay_port *)(void *)tcp;
}

static uint32_t session_of(const struct gn_replay_port *p, uint32_t conn)
{
    const struct gn_replay *r = p->r;
    for (uint32_t i = 0; i < r->conf->n_sessions; i++)
        if (r->conf->session[i].port == p->port && r->orders.rows[i].conn == conn)
            return i;
    return GN_NONE32;
}

/* What the live run read or was told next, when it is of this kind and session. */
static const struct gn_ev_session_in *next_of(const struct gn_replay_port *p, uint32_t conn, uint16_t kind)
{
    const struct gn_ev_session_in *in = gn_replay_session_in(gn_replay_peek(p->r, 0));
    return in != NULL && in->kind == kind && in->session == session_of(p, conn) ? in : NULL;
}

int gn_tcp_connect(struct gn_tcp *tcp, struct gn_net *net, uint32_t ip, uint16_t port, uint16_t local_port,
                   uint64_t now_ns, struct gn_txq *txq, uint32_t *conn)
{
    (void)net, (void)ip, (void)port, (void)local_port, (void)txq;
    if (port_of(tcp)->r->backtest != NULL) {
        *conn = gn_backtest_connect(port_of(tcp)->r, now_ns);
        return *conn == GN_NONE32 ? GN_TCP_ERR_FULL : GN_TCP_OK;
    }
    const struct gn_ev_session_in *in = gn_replay_session_in(gn_replay_peek(port_of(tcp)->r, 0));
    *conn = in != NULL && in->kind == GN_SESSION_IN_CONNECT ? (uint32_t)in->value : 0;
    return *conn == GN_NONE32 ? GN_TCP_ERR_FULL : GN_TCP_OK;
}

uint32_t gn_tcp_events(struct gn_tcp *tcp, uint32_t conn)
{
    if (port_of(tcp)->r->backtest != NULL)
        return gn_backtest_events(port_of(tcp)->r, conn);
    const struct gn_ev_session_in *in = next_of(port_of(tcp), conn, GN_SESSION_IN_EVENTS);
    return in == NULL ? 0 : (uint32_t)in->value;
}

uint32_t gn_tcp_readable(struct gn_tcp *tcp, uint32_t conn, const uint8_t **data)
{
    if (port_of(tcp)->r->backtest != NULL)
        return gn_backtest_readable(port_of(tcp)->r, conn, data);
    const struct gn_ev_session_in *in = next_of(port_of(tcp), conn, GN_SESSION_IN_DATA);
    if (in == NULL)
        return 0;
    *data = in->data;
    return in->bytes;
}

/* Only a short cut of the live run: what it passes over does nothing. */
bool gn_tcp_quiet(const struct gn_tcp *tcp, uint32_t conn)
{
    (void)tcp, (void)conn;
    return false;
}

int gn_tcp_warm(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns,
                struct gn_txq *txq)
{
    (void)tcp, (void)net, (void)conn, (void)len, (void)now_ns, (void)txq;
    return GN_TCP_OK;
}

void gn_tcp_consume(struct gn_tcp *tcp, uint32_t conn, uint32_t n)
{
    (void)n;
    if (port_of(tcp)->r->backtest != NULL)
        gn_backtest_consume(port_of(tcp)->r, conn);
}

/* Refused from a BLOCKED record on, taken again from an UNBLOCKED one; both name the length of the message. */
static int take(struct gn_replay_port *p, uint32_t conn, uint32_t len, uint32_t *next)
{
    *next = 0;
    if (p->r->backtest != NULL)
        return GN_TCP_OK;
    const uint32_t session = session_of(p, conn);
    const bool blocked = session != GN_NONE32 && (p->r->orders.blocked & 1u << session) != 0;
    const struct gn_ev_session_in *in = next_of(p, conn, blocked ? GN_SESSION_IN_UNBLOCKED : GN_SESSION_IN_BLOCKED);
    const bool turns = in != NULL && in->value == len;
    *next = turns ? 1 : 0;
    return blocked != turns ? GN_TCP_ERR_NO_WINDOW : GN_TCP_OK;
}

int gn_tcp_prepare(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns,
                   struct gn_txq *txq, uint8_t **payload)
{
    struct gn_replay_port *p = port_of(tcp);
    uint32_t next;
    (void)net, (void)now_ns, (void)txq;
    const int rc = take(p, conn, len, &next);
    *payload = p->r->payload;
    if (rc == GN_TCP_OK && p->r->backtest == NULL)
        gn_replay_words(p->r, next, GN_LOOK_LAST);
    return rc;
}

void gn_tcp_commit(struct gn_tcp *tcp, uint32_t conn, uint32_t len, uint64_t now_ns, struct gn_txq *txq)
{
    (void)txq;
    struct gn_replay_port *p = port_of(tcp);
    if (p->r->backtest != NULL)
        gn_backtest_send(p->r, conn, session_of(p, conn), p->r->payload, len, now_ns);
}

int gn_tcp_send(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, const void *data, uint32_t len, uint64_t now_ns,
                struct gn_txq *txq)
{
    uint32_t next;
    struct gn_replay_port *p = port_of(tcp);
    (void)net, (void)txq;
    if (p->r->backtest != NULL)
        gn_backtest_send(p->r, conn, session_of(p, conn), data, len, now_ns);
    return take(p, conn, len, &next);
}

int gn_tcp_close(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq)
{
    (void)net, (void)now_ns, (void)txq;
    if (port_of(tcp)->r->backtest != NULL)
        gn_backtest_close(port_of(tcp)->r, conn);
    return GN_TCP_OK;
}

void gn_tcp_release(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq)
{
    (void)net, (void)now_ns, (void)txq;
    if (port_of(tcp)->r->backtest != NULL)
        gn_backtest_close(port_of(tcp)->r, conn);
}

int gn_udp_send(struct gn_net *net, uint32_t dst_ip, uint16_t src_port, uint16_t dst_port, const void *payload,
                uint32_t len, uint64_t now_ns, struct gn_txq *txq)
{
    (void)net, (void)dst_ip, (void)src_port, (void)dst_port, (void)payload, (void)len, (void)now_ns, (void)txq;
    return GN_NET_OK;
}
