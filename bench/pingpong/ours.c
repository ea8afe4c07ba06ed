/* dataplane/net on the port, with the loop of a lcore around it: burst in, input, answer, burst out; timers, templates
 * and fresh buffers while nothing is there. */
#include <rte_malloc.h>

#include "bench/pingpong/pingpong.h"
#include "dataplane/net/net.h"
#include "dataplane/net/tcp.h"

#define CONNS        4u
#define BUF          (1u << 16)
#define CSUM_OK      (GN_NET_IN_IP_CSUM_OK | GN_NET_IN_L4_CSUM_OK)
#define MBUF_CSUM    (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define MBUF_CSUM_OK (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

static struct {
    struct gn_net *net;
    struct gn_tcp *tcp;
    struct gn_txq txq;
    struct rte_mbuf *stock[GN_TXQ_MAX];
    uint32_t conn;
    bool heard;         /* the last look found something */
    uint64_t timers_ns; /* no timer is due before */
} s;

static bool restock(struct gn_pp *p, uint32_t from, uint32_t n)
{
    if (rte_pktmbuf_alloc_bulk(p->io.pool, s.stock + from, n) != 0)
        return gn_pp_fail(p, "no packet buffers");
    for (uint32_t i = from; i < from + n; i++)
        s.txq.buf[i] = rte_pktmbuf_mtod(s.stock[i], uint8_t *);
    return true;
}

static bool set_up(struct gn_pp *p)
{
    const struct gn_conf_port *c = &p->opt.port[0];
    const uint64_t bytes = gn_tcp_footprint(CONNS, BUF, BUF);
    static void *net_memory, *tcp_memory;
    struct gn_net_conf nc;
    struct gn_tcp_conf tc;
    gn_pp_silent(p, true);
    if (net_memory == NULL) {
        net_memory = rte_zmalloc("net", gn_net_footprint(), 4096);
        tcp_memory = rte_zmalloc("tcp", bytes, 4096);
        s.txq.stocked = GN_TXQ_MAX;
        if (net_memory == NULL || tcp_memory == NULL || !restock(p, 0, GN_TXQ_MAX))
            return gn_pp_fail(p, "no memory for the endpoint");
    }
    memset(net_memory, 0, gn_net_footprint());
    memset(tcp_memory, 0, bytes);
    gn_net_conf_default(&nc);
    memcpy(nc.mac, p->io.link[0].port.mac, sizeof nc.mac);
    nc.ip = c->ip;
    nc.prefix_bits = (uint8_t)c->prefix_len;
    gn_tcp_conf_default(&tc);
    memcpy(tc.secret, &p->now_ns, sizeof p->now_ns);
    if (gn_net_new(net_memory, &nc, p->now_ns) != GN_NET_OK ||
        gn_tcp_new(tcp_memory, CONNS, BUF, BUF, &tc, p->now_ns, &s.tcp) != GN_TCP_OK)
        return gn_pp_fail(p, "cannot make the endpoint");
    s.net = net_memory;
    s.conn = GN_TCP_NONE;
    s.txq.n = 0;
    s.timers_ns = 0;
    return true;
}

/* Everything that is committed leaves; buffers are replaced. */
static bool flush(struct gn_pp *p)
{
    const uint32_t n = s.txq.n;
    uint32_t sent = 0;
    for (uint32_t i = 0; i < n; i++) {
        s.stock[i]->data_len = s.txq.len[i];
        s.stock[i]->pkt_len = s.txq.len[i];
    }
    while (sent < n) {
        sent += rte_eth_tx_burst(p->io.link[0].port.id, 0, s.stock + sent, (uint16_t)(n - sent));
        if (sent < n && gn_pp_silent(p, false))
            return false;
    }
    s.txq.n = 0;
    return restock(p, 0, n);
}

static void input(struct gn_pp *p, const struct rte_mbuf *m)
{
    struct gn_net_rx rx;
    const uint32_t flags = p->io.link[0].port.rx_csum != 0 && (m->ol_flags & MBUF_CSUM) == MBUF_CSUM_OK ? CSUM_OK : 0;
    gn_net_input(s.net, s.tcp, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, flags, p->now_ns, &s.txq, &rx);
}

/* The message that has come whole, or NULL. */
static const uint8_t *message(void)
{
    const uint8_t *data;
    return s.conn != GN_TCP_NONE && gn_tcp_readable(s.tcp, s.conn, &data) >= GN_PP_MESSAGE ? data : NULL;
}

static bool send_message(struct gn_pp *p, const uint8_t *data)
{
    int rc = gn_tcp_send(s.tcp, s.net, s.conn, data, GN_PP_MESSAGE, p->now_ns, &s.txq);
    return rc == GN_TCP_OK ? flush(p) : gn_pp_fail(p, gn_tcp_strerror(rc));
}

static bool answer(struct gn_pp *p, const uint8_t *data)
{
    bool ok;
    if (p->server) {
        p->done++;
        ok = send_message(p, data);
    } else {
        ok = gn_pp_answer(p, data) && (p->done == p->rounds || send_message(p, p->message));
    }
    gn_tcp_consume(s.tcp, s.conn, GN_PP_MESSAGE);
    return ok;
}

/* One turn of the loop. False when it failed. */
static bool turn(struct gn_pp *p)
{
    struct rte_mbuf *m[GN_PP_BURST];
    const uint8_t *data;
    /* the time before the look, as in the loop of a lcore: a frame that is there waits for no clock */
    if (gn_pp_silent(p, s.heard))
        return false;
    const uint16_t n = rte_eth_rx_burst(p->io.link[0].port.id, 0, m, GN_PP_BURST);
    s.heard = n != 0;
    for (uint16_t i = 0; i < n; i++)
        input(p, m[i]);
    if (n != 0) {
        while ((data = message()) != NULL)
            if (!answer(p, data))
                return false;
        rte_pktmbuf_free_bulk(m, n);
    }
    if (n != 0 || p->now_ns >= s.timers_ns) {
        const uint64_t net = gn_net_timer(s.net, p->now_ns, &s.txq);
        const uint64_t tcp = gn_tcp_timer(s.tcp, s.net, p->now_ns, &s.txq);
        s.timers_ns = net < tcp ? net : tcp;
    }
    return s.txq.n == 0 || flush(p);
}

/* Turns until the connection is in a state at or past `state`. */
static bool until(struct gn_pp *p, uint32_t state)
{
    while (gn_tcp_state(s.tcp, s.conn) < state)
        if (!turn(p))
            return false;
    return true;
}

static bool client(struct gn_pp *p)
{
    if (!set_up(p))
        return false;
    int rc = gn_tcp_connect(s.tcp, s.net, p->peer_ip, p->tcp_port, p->local_port, p->now_ns, &s.txq, &s.conn);
    if (rc != GN_TCP_OK)
        return gn_pp_fail(p, gn_tcp_strerror(rc));
    if (!until(p, GN_TCP_ESTABLISHED))
        return false;
    gn_pp_begin(p);
    if (!send_message(p, p->message))
        return false;
    while (p->done < p->rounds)
        if (!turn(p))
            return false;
    rc = gn_tcp_close(s.tcp, s.net, s.conn, p->now_ns, &s.txq);
    return rc == GN_TCP_OK ? until(p, GN_TCP_TIME_WAIT) : gn_pp_fail(p, gn_tcp_strerror(rc));
}

static bool serve(struct gn_pp *p)
{
    struct gn_tcp_status st;
    if (!set_up(p))
        return false;
    if (gn_tcp_listen(s.tcp, p->tcp_port) != GN_TCP_OK)
        return gn_pp_fail(p, "cannot listen");
    gn_pp_listening();
    while (gn_tcp_accept(s.tcp, p->tcp_port, &s.conn) != GN_TCP_OK) {
        s.conn = GN_TCP_NONE;
        if (!turn(p))
            return false;
    }
    if (!until(p, GN_TCP_CLOSE_WAIT))
        return false;
    int rc = gn_tcp_close(s.tcp, s.net, s.conn, p->now_ns, &s.txq);
    do {
        if (rc != GN_TCP_OK || !turn(p))
            return gn_pp_fail(p, "cannot close");
        gn_tcp_status(s.tcp, s.conn, &st);
    } while (st.state != GN_TCP_CLOSED && st.state != GN_TCP_FREE);
    return true;
}

const struct gn_pp_stack gn_pp_ours = {.name = "ours", .port = true, .client = client, .serve = serve};
