/* All that leaves without being an order: SYN, retransmissions, queued bytes, probes, FIN, ACKs. */
#include "dataplane/net/tcp_conn.h"

void gn_tcp_arm_backed_off(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    uint64_t max = (uint64_t)t->conf.rto_max_us * 1000;
    uint64_t rto = c->backoff > 30 || c->rto_ns > max >> c->backoff ? max : c->rto_ns << c->backoff;
    c->rto_at = now + rto;
    gn_tcp_due(t, c, c->rto_at);
}

uint64_t gn_tcp_pipe(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    uint64_t pipe = 0;
    for (uint32_t i = c->seg_head; i != c->seg_tail; i++) {
        const struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, i);
        uint64_t from = seg->seq > c->snd_una ? seg->seq : c->snd_una;
        bool gone = (seg->marks & GN_TCP_SEG_SACKED) != 0 ||
                    (seg->marks & (GN_TCP_SEG_LOST | GN_TCP_SEG_RESENT)) == GN_TCP_SEG_LOST;
        if (!gone)
            pipe += seg->end - from;
    }
    return pipe;
}

static uint8_t flags_of(const struct gn_tcp_conn *c, uint8_t kind, uint64_t end)
{
    if (kind == GN_TCP_SEG_SYN)
        return c->state == GN_TCP_SYN_SENT ? GN_TCP_SYN : GN_TCP_SYN | GN_TCP_ACK;
    if (kind == GN_TCP_SEG_FIN)
        return GN_TCP_FIN | GN_TCP_ACK;
    return end == c->snd_end ? GN_TCP_ACK | GN_TCP_PSH : GN_TCP_ACK;
}

/* A new segment of len sequence numbers from snd_nxt: it exists before its frame does. */
static bool send_new(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint8_t kind, uint32_t len,
                     uint64_t now, struct gn_txq *txq)
{
    if (gn_tcp_segs_out(c) == t->segs || gn_tcp_way(t, net, c, txq) == NULL)
        return false;
    struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, c->seg_tail);
    bool first = gn_tcp_segs_out(c) == 0;
    seg->seq = c->snd_nxt;
    seg->end = c->snd_nxt + len;
    seg->sent_ns = now;
    seg->kind = kind;
    seg->marks = 0;
    GN_STORE_ORDER();
    c->seg_tail++;
    GN_STORE_ORDER();
    c->snd_nxt = seg->end;
    if (first)
        gn_tcp_arm(t, c, now);
    return gn_tcp_emit(t, net, c, seg->seq, flags_of(c, kind, seg->end), kind == GN_TCP_SEG_DATA ? len : 0, now, txq);
}

bool gn_tcp_resend(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, struct gn_tcp_seg *seg, uint64_t now,
                   struct gn_txq *txq)
{
    uint64_t from = seg->seq > c->snd_una ? seg->seq : c->snd_una;
    do {
        /* Larger than a segment may be by now: the path's MTU has shrunk since. */
        uint64_t left = seg->end - from;
        uint32_t len = left > c->mss ? c->mss : (uint32_t)left;
        uint8_t flags = flags_of(c, seg->kind, from + len);
        if (!gn_tcp_emit(t, net, c, from, flags, seg->kind == GN_TCP_SEG_DATA ? len : 0, now, txq))
            return false;
        from += len;
        c->retransmits++;
    } while (from < seg->end);
    seg->sent_ns = now;
    seg->marks |= GN_TCP_SEG_RESENT | GN_TCP_SEG_KARN;
    return true;
}

/* Lost segments, oldest first, as long as the congestion window has room (RFC 6675 section 5). */
static bool resend_lost(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t *pipe, uint64_t now,
                        struct gn_txq *txq)
{
    for (uint32_t i = c->seg_head; i != c->seg_tail; i++) {
        struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, i);
        if ((seg->marks & (GN_TCP_SEG_LOST | GN_TCP_SEG_RESENT | GN_TCP_SEG_SACKED)) != GN_TCP_SEG_LOST)
            continue;
        uint64_t len = seg->end - (seg->seq > c->snd_una ? seg->seq : c->snd_una);
        if (*pipe != 0 && *pipe + len > c->cwnd && c->force == 0)
            return false;
        if (!gn_tcp_resend(t, net, c, seg, now, txq))
            return false;
        c->force = 0;
        *pipe += len;
    }
    return true;
}

/* How much of the queue may go as one segment now; 0 = nothing. Nagle's algorithm is not used; sender's silly window
 * avoidance is (RFC 9293 section 3.8.6.2.1): a short segment for want of window goes only when it is half of the
 * largest. */
static uint32_t queued_len(const struct gn_tcp_conn *c, uint64_t pipe)
{
    uint64_t flight = gn_tcp_flight(c);
    uint64_t avail = c->snd_end - c->snd_nxt;
    uint64_t room = c->snd_wnd > flight ? c->snd_wnd - flight : 0;
    uint64_t want = avail < c->mss ? avail : c->mss;
    uint64_t len = room < want ? room : want;
    uint64_t limited = c->dup_acks < GN_TCP_DUP_ACKS ? (uint64_t)c->dup_acks * c->mss : 0;
    if (len < want && len < c->max_wnd / 2)
        return 0;
    return pipe != 0 && pipe + len > c->cwnd + limited ? 0 : (uint32_t)len;
}

static void send_queued(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t pipe, uint64_t now,
                        struct gn_txq *txq)
{
    while (c->snd_nxt < c->snd_end) {
        uint32_t len = queued_len(c, pipe);
        if (len == 0 || !send_new(t, net, c, GN_TCP_SEG_DATA, len, now, txq))
            break;
        pipe += len;
    }
    if (c->snd_nxt == c->snd_end && gn_tcp_wants_fin(c))
        (void)send_new(t, net, c, GN_TCP_SEG_FIN, 1, now, txq);
    /* Nothing in flight means that nothing would ever come back: the timer probes the window, or tries the way again.
     */
    if (gn_tcp_segs_out(c) == 0 && c->rto_at == GN_NET_NEVER && gn_tcp_unsent(c))
        gn_tcp_arm(t, c, now);
}

static void unblock(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    if (c->blocked != 0) {
        c->blocked = 0;
        t->blocked--;
    }
}

void gn_tcp_output(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq)
{
    unblock(t, c);
    if (c->state <= GN_TCP_CLOSED)
        return;
    if (c->snd_nxt == 0) {
        if (!send_new(t, net, c, GN_TCP_SEG_SYN, 1, now, txq) && c->rto_at == GN_NET_NEVER)
            gn_tcp_arm(t, c, now);
        return;
    }
    bool done = true;
    uint64_t pipe = gn_tcp_flight(c);
    if (c->recovery != GN_TCP_RECOVERY_NONE || c->sacked != 0) {
        pipe = gn_tcp_pipe(t, c);
        done = resend_lost(t, net, c, &pipe, now, txq);
    }
    if (done && c->snd_una != 0)
        send_queued(t, net, c, pipe, now, txq);
    if (c->ack_now != 0 && c->state != GN_TCP_SYN_SENT)
        (void)gn_tcp_send_ack(t, net, c, now, txq);
}

bool gn_tcp_probe(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq)
{
    uint64_t avail = c->snd_end - c->snd_nxt;
    if (c->snd_nxt >= c->snd_end) /* no byte to send: an old sequence number makes the peer say its window */
        return gn_tcp_emit(t, net, c, c->snd_una - 1, GN_TCP_ACK, 0, now, txq);
    uint64_t room = c->snd_wnd == 0 ? 1 : c->snd_wnd;
    uint64_t len = avail < room ? avail : room;
    return send_new(t, net, c, GN_TCP_SEG_DATA, len > c->mss ? c->mss : (uint32_t)len, now, txq);
}
