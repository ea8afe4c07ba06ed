/* What the peer's bytes become: the receive buffer, out-of-order ranges, the window. */
#include "dataplane/net/tcp_conn.h"

static void put(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint64_t off, const uint8_t *data, uint32_t len)
{
    uint8_t *buf = gn_tcp_rcvbuf(t, c);
    uint32_t at = (uint32_t)off & (t->rcvbuf - 1);
    uint32_t first = t->rcvbuf - at < len ? t->rcvbuf - at : len;
    memcpy(buf + at, data, first);
    memcpy(buf, data + first, len - first);
}

/* Adds [from, to) to the sorted ranges and joins those it touches; false when they are full. */
static bool remember(struct gn_tcp_conn *c, uint64_t from, uint64_t to)
{
    uint32_t at = 0;
    while (at < c->ooo_n && c->ooo[at].to < from)
        at++;
    uint32_t end = at;
    for (; end < c->ooo_n && c->ooo[end].from <= to; end++) {
        from = c->ooo[end].from < from ? c->ooo[end].from : from;
        to = c->ooo[end].to > to ? c->ooo[end].to : to;
    }
    if (end == at && c->ooo_n == GN_TCP_OOO_MAX)
        return false;
    memmove(&c->ooo[at + 1], &c->ooo[end], (c->ooo_n - end) * sizeof c->ooo[0]);
    c->ooo_n = c->ooo_n - (end - at) + 1;
    c->ooo[at] = (struct gn_tcp_range){from, to};
    c->ooo_recent = from; /* the joined range begins there */
    return true;
}

/* The new rcv_nxt when bytes up to `to` are in order: ranges that it reaches are taken in. */
static uint64_t take_in(struct gn_tcp_conn *c, uint64_t to)
{
    uint32_t n = 0;
    for (; n < c->ooo_n && c->ooo[n].from <= to; n++)
        to = c->ooo[n].to > to ? c->ooo[n].to : to;
    if (n != 0) {
        c->ooo_n -= n;
        memmove(&c->ooo[0], &c->ooo[n], c->ooo_n * sizeof c->ooo[0]);
    }
    return to;
}

static void in_order(struct gn_tcp *t, struct gn_tcp_conn *c, const uint8_t *data, uint32_t len, uint64_t now)
{
    uint64_t nxt = c->rcv_nxt + len;
    put(t, c, c->rcv_nxt, data, len);
    c->ack_owed++;
    if (GN_UNLIKELY(c->ooo_n != 0)) {
        nxt = take_in(c, nxt);
        c->ack_now = 1; /* a hole was filled: RFC 5681 section 4.2 */
    }
    gn_tcp_outdated(t, c);
    GN_STORE_ORDER();
    c->rcv_nxt = nxt;
    gn_tcp_event(t, c, GN_TCP_EV_READABLE);
    if (c->ack_owed >= t->conf.ack_every || t->conf.delack_us == 0) {
        c->ack_now = 1;
    } else if (c->ack_at == GN_NET_NEVER) {
        c->ack_at = now + (uint64_t)t->conf.delack_us * 1000;
        gn_tcp_due(t, c, c->ack_at);
    }
}

uint16_t gn_tcp_data(struct gn_tcp *t, struct gn_tcp_conn *c, int64_t off, const uint8_t *data, uint32_t len, bool fin,
                     uint64_t now)
{
    uint16_t drop = GN_NET_DROP_NONE;
    int64_t edge = (int64_t)(gn_tcp_rcv_edge(t, c) - c->rcv_nxt);
    if (c->rcv_fin != 0 && edge > (int64_t)(c->rcv_fin - c->rcv_nxt))
        edge = (int64_t)(c->rcv_fin - c->rcv_nxt); /* nothing follows a FIN */
    if (off < 0) {
        uint32_t skip = -off < (int64_t)len ? (uint32_t)-off : len;
        c->ack_now = 1;
        data += skip;
        len -= skip;
        off += skip;
    }
    if (GN_UNLIKELY(off + (int64_t)len > edge)) {
        len = off < edge ? (uint32_t)(edge - off) : 0;
        fin = false;
        c->ack_now = 1;
        drop = GN_NET_DROP_TCP_NO_WINDOW;
    }
    if (fin && off >= 0 && c->rcv_fin == 0 &&
        (c->ooo_n == 0 || c->ooo[c->ooo_n - 1].to <= c->rcv_nxt + (uint64_t)off + len))
        c->rcv_fin = c->rcv_nxt + (uint64_t)off + len;
    GN_STORE_ORDER();
    if (len != 0 && off == 0) {
        in_order(t, c, data, len, now);
    } else if (len != 0 && off > 0) {
        uint64_t from = c->rcv_nxt + (uint64_t)off;
        c->ack_now = 1;
        if (!remember(c, from, from + len))
            return GN_NET_DROP_TCP_OOO_FULL;
        put(t, c, from, data, len);
    }
    if (GN_UNLIKELY(c->rcv_fin != 0)) {
        c->ack_now = 1;
        if (c->rcv_nxt == c->rcv_fin) {
            gn_tcp_outdated(t, c);
            c->rcv_nxt++;
            gn_tcp_event(t, c, GN_TCP_EV_PEER_CLOSED);
        }
    }
    return drop;
}

/* Bytes in order that are not consumed; the FIN is not one of them. */
static uint64_t readable(const struct gn_tcp_conn *c)
{
    uint64_t end = c->rcv_fin != 0 && c->rcv_nxt > c->rcv_fin ? c->rcv_fin : c->rcv_nxt;
    return end > c->consumed ? end - c->consumed : 0;
}

bool gn_tcp_quiet(const struct gn_tcp *t, uint32_t conn)
{
    if (GN_UNLIKELY(conn >= t->max_conns))
        return true;
    const struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    return c->state == GN_TCP_FREE || (c->events == 0 && readable(c) == 0);
}

uint32_t gn_tcp_readable(struct gn_tcp *t, uint32_t conn, const uint8_t **data)
{
    *data = NULL;
    if (conn >= t->max_conns || gn_tcp_conn_at(t, conn)->state == GN_TCP_FREE)
        return 0;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint8_t *buf = gn_tcp_rcvbuf(t, c);
    uint64_t len = readable(c);
    uint32_t at = (uint32_t)c->consumed & (t->rcvbuf - 1);
    uint32_t to_end = t->rcvbuf - at;
    *data = buf + at;
    if (GN_LIKELY(len <= to_end))
        return (uint32_t)len;
    if (to_end >= GN_TCP_CONTIGUOUS)
        return to_end;
    /* The buffer's start is laid behind its end, so that a message across the end is in one piece. */
    uint32_t more = (uint32_t)len - to_end;
    if (more > GN_TCP_CONTIGUOUS)
        more = GN_TCP_CONTIGUOUS;
    memcpy(buf + t->rcvbuf, buf, more);
    return to_end + more;
}

void gn_tcp_consume(struct gn_tcp *t, uint32_t conn, uint32_t n)
{
    if (conn >= t->max_conns || gn_tcp_conn_at(t, conn)->state == GN_TCP_FREE)
        return;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint64_t len = readable(c);
    uint32_t step = t->rcvbuf / 2 < c->mss ? t->rcvbuf / 2 : c->mss;
    c->consumed += n < len ? n : len;
    /* Receiver's silly window avoidance (RFC 9293 section 3.8.6.2.2): the edge moves by a segment or half the buffer.
     */
    uint64_t edge = gn_tcp_rcv_edge(t, c);
    if (edge - c->rcv_adv < step)
        return;
    c->rcv_adv = edge;
    gn_tcp_outdated(t, c);
    bool was_short = c->rcv_told < c->rcv_nxt + 2 * (uint64_t)c->mss;
    if (gn_tcp_may_receive(c) && (was_short || c->rcv_adv - c->rcv_told >= t->rcvbuf / 2)) {
        c->ack_now = 1;
        gn_tcp_due(t, c, t->now_ns);
    }
}
