/* Header prediction for segments with data; see tcp_fast.h. */
#include "dataplane/net/tcp_fast.h"

/* Payload that is next, and fits in one piece. */
static inline bool may_take(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint32_t len)
{
    uint32_t at = (uint32_t)c->rcv_nxt & (t->rcvbuf - 1);
    return (c->ooo_n | c->rcv_fin) == 0 && c->owner != GN_TCP_OWNER_NONE && len <= gn_tcp_rcv_edge(t, c) - c->rcv_nxt &&
           at + len <= t->rcvbuf;
}

static inline void take_data(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const uint8_t *data,
                             uint32_t len, uint64_t now, struct gn_txq *txq)
{
    memcpy(gn_tcp_rcvbuf(t, c) + ((uint32_t)c->rcv_nxt & (t->rcvbuf - 1)), data, len);
    c->ack_owed++;
    GN_STORE_ORDER();
    c->rcv_nxt += len;
    gn_tcp_event(t, c, GN_TCP_EV_READABLE);
    if (c->ack_owed >= t->conf.ack_every || t->conf.delack_us == 0) {
        c->ack_now = 1;
        (void)gn_tcp_send_ack(t, net, c, now, txq);
    } else if (c->ack_at == GN_NET_NEVER) {
        c->ack_at = now + (uint64_t)t->conf.delack_us * 1000;
        gn_tcp_due(t, c, c->ack_at);
    }
}

int gn_tcp_expected_data(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const uint8_t *ip,
                         struct gn_txq *txq, struct gn_net_rx *out)
{
    const uint8_t *p = ip + GN_IP_LEN;
    uint64_t now = t->now_ns;
    uint32_t len = gn_load_be16(ip + 2) - (GN_IP_LEN + GN_TCP_FAST_HEADER);
    uint32_t ahead = gn_load_be32(p + 8) - (c->iss + (uint32_t)c->snd_una);
    uint32_t wnd;
    if (GN_UNLIKELY(!gn_tcp_is_next(c, p, &wnd) || ahead > gn_tcp_flight(c) || !may_take(t, c, len)))
        return -1;
    uint64_t ack = c->snd_una + ahead;
    if (ahead != 0) {
        uint64_t sent_ns;
        uint32_t head;
        if (GN_UNLIKELY(!gn_tcp_covered(t, c, ack, &head, &sent_ns)))
            return -1;
        gn_tcp_take_header(t, c, p, wnd, ack, now);
        gn_tcp_take_ack(t, c, ack, head, sent_ns, now);
    } else {
        gn_tcp_take_header(t, c, p, wnd, ack, now);
    }
    take_data(t, net, c, p + GN_TCP_FAST_HEADER, len, now, txq);
    return gn_tcp_tell(c, out);
}
