/* The latency path: one message, one segment, now. */
#include "dataplane/net/tcp_seal.h"

/* A frame has at least this much room behind its payload: there the padding for the checksum goes. */
#define PAD 32u
static_assert(GN_FRAME_MAX + PAD <= GN_FRAME_ROOM, "padding fits behind the longest frame");
static_assert(PAD == sizeof(gn_v4u64), "one store of padding");
static_assert(GN_TCP_HDR_MAX == 80, "two stores of 32 bytes and one of 16");

/* At the end of the ring, or with so little room left that the padding would reach what is not acknowledged. */
static GN_COLD uint64_t keep_exactly(const struct gn_tcp *t, const struct gn_tcp_conn *c, const uint8_t *data,
                                     uint32_t len)
{
    uint8_t *buf = gn_tcp_sndbuf(t, c);
    uint32_t at = (uint32_t)c->snd_nxt & (t->sndbuf - 1);
    uint32_t first = t->sndbuf - at < len ? t->sndbuf - at : len;
    memcpy(buf + at, data, first);
    memcpy(buf, data + first, len - first);
    return gn_csum_add(0, data, len);
}

/* The padding of a copy stays inside the send buffer and off what is not acknowledged. */
static inline bool pads(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint64_t seq, uint32_t len)
{
    uint32_t at = (uint32_t)seq & (t->sndbuf - 1);
    return at + len + PAD <= t->sndbuf && seq - c->snd_una + len + PAD <= t->sndbuf;
}

/* The bytes of a message that is in its frame go to the send buffer, padding and all: what lies behind snd_end there is
 * nobody's. Returns their sum. */
static inline uint64_t keep(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint8_t *data, uint32_t len)
{
    uint64_t seq = c->snd_nxt;
    if (GN_UNLIKELY(!pads(t, c, seq, len)))
        return keep_exactly(t, c, data, len);
    gn_v4_store(data + len, (gn_v4u64){0, 0, 0, 0});
    return gn_csum_copy_padded(gn_tcp_sndbuf(t, c) + ((uint32_t)seq & (t->sndbuf - 1)), data, len);
}

/* The same for a message that is the caller's, which is laid in the frame as well. */
static inline uint64_t keep_both(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint8_t *payload,
                                 const uint8_t *data, uint32_t len)
{
    uint64_t seq = c->snd_nxt;
    if (GN_UNLIKELY(!pads(t, c, seq, len))) {
        memcpy(payload, data, len);
        return keep_exactly(t, c, payload, len);
    }
    return gn_csum_copy_both(gn_tcp_sndbuf(t, c) + ((uint32_t)seq & (t->sndbuf - 1)), payload, data, len);
}

/* RFC 5681 section 4.1: after an idle time the network of before is not the network of now. */
static GN_COLD void restart_after_idle(const struct gn_tcp *t, struct gn_tcp_conn *c)
{
    uint32_t initial = gn_tcp_initial_window(t, c);
    if (c->cwnd > initial)
        c->cwnd = initial;
}

static GN_COLD int refuse(struct gn_tcp *t, struct gn_tcp_conn *c, int err, uint64_t now)
{
    c->want_write = err == GN_TCP_ERR_NO_WINDOW ? 2 : 1;
    if (err == GN_TCP_ERR_NO_WINDOW && gn_tcp_segs_out(c) == 0 && c->rto_at == GN_NET_NEVER)
        gn_tcp_arm(t, c, now);
    return err;
}

/* Reasons not to go, in the order of their names in the header; GN_TCP_OK lets the message pass. */
static GN_NOINLINE int check(struct gn_tcp *t, struct gn_tcp_conn *c, uint32_t len, uint64_t now)
{
    uint64_t flight = gn_tcp_flight(c);
    if (!gn_tcp_may_send(c))
        return GN_TCP_ERR_NOT_CONNECTED;
    if (len == 0 || len > c->mss)
        return GN_TCP_ERR_TOO_LONG;
    if (c->snd_end != c->snd_nxt || gn_tcp_segs_out(c) == t->segs || flight + len > t->sndbuf)
        return refuse(t, c, GN_TCP_ERR_BUSY, now);
    if (flight + len > c->snd_wnd)
        return refuse(t, c, GN_TCP_ERR_NO_WINDOW, now);
    if (flight == 0) {
        if (now - c->last_tx_ns > c->rto_ns)
            restart_after_idle(t, c);
        return GN_TCP_OK;
    }
    uint64_t pipe = c->recovery == GN_TCP_RECOVERY_NONE && c->sacked == 0 ? flight : gn_tcp_pipe(t, c);
    /* Limited transmit (RFC 3042): one segment more for each of the first two duplicate ACKs. */
    uint64_t limited = c->dup_acks < GN_TCP_DUP_ACKS ? (uint64_t)c->dup_acks * c->mss : 0;
    if (pipe != 0 && pipe + len > c->cwnd + limited)
        return refuse(t, c, GN_TCP_ERR_NO_CWND, now);
    return GN_TCP_OK;
}

/* Nothing of the above is in the way, as was found out when the template was made ready. */
static inline bool may_go(const struct gn_tcp_conn *c, uint32_t len, uint64_t now)
{
    return len - 1 < c->ready_room && now <= c->ready_until;
}

/* The next frame with the template in it, when the message may go; else NULL and the reason. */
static inline int begin(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint32_t len, uint64_t now,
                        struct gn_txq *txq, uint8_t **at)
{
    int err;
    if (GN_UNLIKELY(!may_go(c, len, now))) {
        err = check(t, c, len, now);
        if (err != GN_TCP_OK)
            return err;
    }
    err = gn_tcp_route(net, c, txq);
    if (GN_UNLIKELY(err != GN_TCP_OK))
        return err;
    if (GN_UNLIKELY(txq->n == txq->stocked)) {
        (void)gn_txq_take(txq); /* counts it */
        return GN_TCP_ERR_TXQ_FULL;
    }
    uint8_t *frame = txq->buf[txq->n];
    gn_v4_store(frame, gn_v4_load(c->hdr));
    gn_v4_store(frame + 32, gn_v4_load(c->hdr + 32));
    gn_v2_store(frame + 64, gn_v2_load(c->hdr + 64));
    *at = frame;
    return GN_TCP_OK;
}

/* gn_tcp_seal for a frame that begins with a template made ready for its length. */
static inline void seal_ready(const struct gn_tcp_conn *c, uint8_t *frame, uint64_t seq, uint64_t data_sum,
                              uint64_t now)
{
    uint8_t *tcp = frame + c->eth_len + GN_IP_LEN; /* what is read of the connection is read before the stores */
    uint32_t seq_be = __builtin_bswap32(c->iss + (uint32_t)seq);
    uint32_t val_be = __builtin_bswap32(gn_tcp_ts_now(c, now));
    uint16_t sum = gn_csum_finish(c->ready_sum + data_sum + seq_be + val_be);
    memcpy(tcp + 4, &seq_be, 4);
    memcpy(tcp + GN_TCP_LEN + 4, &val_be, 4);
    gn_csum_store(tcp + 16, sum);
}

static inline void finish(struct gn_tcp *t, struct gn_tcp_conn *c, uint8_t *frame, uint32_t len, uint64_t sum,
                          uint64_t now, struct gn_txq *txq)
{
    uint64_t seq = c->snd_nxt;
    uint32_t tail = c->seg_tail;
    bool first = tail == c->seg_head;
    uint16_t bytes = (uint16_t)(c->hdr_len + len);
    struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, tail);
    seg->seq = seq;
    seg->end = seq + len;
    seg->sent_ns = now;
    memset(&seg->kind, 0, sizeof *seg - offsetof(struct gn_tcp_seg, kind)); /* GN_TCP_SEG_DATA, no marks */
    if (GN_LIKELY(len == c->ready_len)) {
        seal_ready(c, frame, seq, sum, now);
    } else {
        gn_tcp_seal(c, frame, seq, GN_TCP_ACK | GN_TCP_PSH, len, sum, now);
        gn_tcp_outdated(t, c); /* the next one is probably of this length */
    }
    GN_STORE_ORDER();
    c->seg_tail = tail + 1;
    GN_STORE_ORDER();
    c->snd_nxt = seq + len;
    c->snd_end = seq + len;
    gn_tcp_acked(c);
    c->segs_out++;
    c->ready_room = 0; /* what is in flight now bounds the next one */
    c->last_len = (uint16_t)len;
    c->last_tx_ns = now;
    if (first)
        gn_tcp_arm(t, c, now);
    gn_txq_commit(txq, bytes);
}

GN_HOT int gn_tcp_prepare(struct gn_tcp *t, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns,
                          struct gn_txq *txq, uint8_t **payload)
{
    if (GN_UNLIKELY(conn >= t->max_conns))
        return GN_TCP_ERR_NOT_CONNECTED;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint8_t *frame;
    int err = begin(t, net, c, len, gn_tcp_clock(t, now_ns), txq, &frame);
    if (GN_LIKELY(err == GN_TCP_OK))
        *payload = frame + c->hdr_len;
    return err;
}

GN_HOT void gn_tcp_commit(struct gn_tcp *t, uint32_t conn, uint32_t len, uint64_t now_ns, struct gn_txq *txq)
{
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint8_t *frame = txq->buf[txq->n];
    uint64_t now = gn_tcp_clock(t, now_ns);
    finish(t, c, frame, len, keep(t, c, frame + c->hdr_len, len), now, txq);
}

GN_HOT int gn_tcp_send(struct gn_tcp *t, struct gn_net *net, uint32_t conn, const void *data, uint32_t len,
                       uint64_t now_ns, struct gn_txq *txq)
{
    if (GN_UNLIKELY(conn >= t->max_conns))
        return GN_TCP_ERR_NOT_CONNECTED;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint64_t now = gn_tcp_clock(t, now_ns);
    uint8_t *frame;
    int err = begin(t, net, c, len, now, txq, &frame);
    if (GN_UNLIKELY(err != GN_TCP_OK))
        return err;
    finish(t, c, frame, len, keep_both(t, c, frame + c->hdr_len, data, len), now, txq);
    return GN_TCP_OK;
}

int gn_tcp_warm(struct gn_tcp *t, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns, struct gn_txq *txq)
{
    uint8_t *payload;
    if (conn >= t->max_conns)
        return GN_TCP_ERR_NOT_CONNECTED;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    /* what is refused leaves traces: a probe, an event to come */
    if (len == 0 || gn_tcp_room(t, c) < len)
        return gn_tcp_may_send(c) ? GN_TCP_ERR_BUSY : GN_TCP_ERR_NOT_CONNECTED;
    int err = gn_tcp_prepare(t, net, conn, len, now_ns, txq, &payload);
    if (err != GN_TCP_OK)
        return err;
    uint64_t now = gn_tcp_clock(t, now_ns);
    gn_tcp_make_ready(t, c, len);
    /* What lies beyond snd_nxt in the send buffer belongs to nobody: the copy may as well be done. */
    uint64_t sum = keep(t, c, payload, len);
    gn_tcp_seal(c, txq->buf[txq->n], c->snd_nxt, GN_TCP_ACK | GN_TCP_PSH, len, sum, now);
    __builtin_prefetch(gn_tcp_seg_at(t, c, c->seg_tail), 1);
    return GN_TCP_OK;
}

int gn_tcp_write(struct gn_tcp *t, struct gn_net *net, uint32_t conn, const void *data, uint32_t len, uint64_t now_ns,
                 struct gn_txq *txq)
{
    if (conn >= t->max_conns || !gn_tcp_may_send(gn_tcp_conn_at(t, conn)))
        return GN_TCP_ERR_NOT_CONNECTED;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint64_t now = gn_tcp_clock(t, now_ns);
    uint64_t room = t->sndbuf - (c->snd_end - c->snd_una);
    uint32_t take = room < len ? (uint32_t)room : len;
    uint32_t at = (uint32_t)c->snd_end & (t->sndbuf - 1);
    uint32_t to_end = t->sndbuf - at < take ? t->sndbuf - at : take;
    uint8_t *buf = gn_tcp_sndbuf(t, c);
    if (take < len)
        c->want_write = 1;
    if (take == 0)
        return 0;
    memcpy(buf + at, data, to_end);
    memcpy(buf, (const uint8_t *)data + to_end, take - to_end);
    if (gn_tcp_segs_out(c) == 0 && now - c->last_tx_ns > c->rto_ns)
        restart_after_idle(t, c);
    gn_tcp_look(c);
    GN_STORE_ORDER();
    c->snd_end += take;
    gn_tcp_output(t, net, c, now, txq);
    return (int)take;
}

uint64_t gn_tcp_send_offset(const struct gn_tcp *t, uint32_t conn)
{
    if (conn >= t->max_conns)
        return 0;
    uint64_t end = gn_tcp_conn_at(t, conn)->snd_end;
    return end == 0 ? 0 : end - 1;
}
