/* What the peer's ACKs say: RFC 9293 section 3.10.7.4, 6298, 5681, 6582, 6675. */
#include "dataplane/net/tcp_conn.h"

#define CWND_MAX (1u << 30)

/* Karn: a segment sent twice tells nothing, but the echo of a timestamp does (RFC 7323 section 4). */
static void echo_sample(const struct gn_tcp *t, struct gn_tcp_conn *c, const uint32_t *echo, uint64_t now)
{
    if (echo == NULL || c->ts_on == 0)
        return;
    uint32_t ms = gn_tcp_ts_now(c, now) - *echo;
    if (ms < 60000) {
        gn_tcp_rtt_sample(t, c, ms * GN_NS_PER_MS + GN_NS_PER_MS / 2);
        c->backoff = 0;
    }
}

/* RFC 5681 section 3.1; a window that is not used does not grow. */
void gn_tcp_grow(struct gn_tcp_conn *c, uint64_t acked, uint64_t flight_before)
{
    if (flight_before * 2 < c->cwnd || c->cwnd >= CWND_MAX)
        return;
    if (c->cwnd < c->ssthresh) {
        c->cwnd += acked < c->mss ? (uint32_t)acked : c->mss;
        return;
    }
    c->cwnd_acc += acked < c->cwnd ? (uint32_t)acked : c->cwnd;
    if (c->cwnd_acc >= c->cwnd) {
        c->cwnd_acc -= c->cwnd;
        c->cwnd += c->mss;
    }
}

static void enter_fast(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    uint64_t half = gn_tcp_flight(c) / 2;
    c->ssthresh = half > 2 * (uint64_t)c->mss ? (uint32_t)half : 2 * c->mss;
    c->cwnd = c->ssthresh + (c->sack_on != 0 ? 0 : GN_TCP_DUP_ACKS * c->mss);
    c->cwnd_acc = 0;
    c->recovery = GN_TCP_RECOVERY_FAST;
    c->recover = c->snd_nxt;
    c->force = 1;
    c->fast_recoveries++;
    (void)t;
}

static bool any_lost(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    for (uint32_t i = c->seg_head; i != c->seg_tail; i++)
        if ((gn_tcp_seg_at(t, c, i)->marks & GN_TCP_SEG_LOST) != 0)
            return true;
    return false;
}

/* snd_una has moved while in recovery. */
static void recovery_ack(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t acked)
{
    if (c->snd_una >= c->recover) {
        uint64_t flight = gn_tcp_flight(c) + c->mss;
        if (c->recovery == GN_TCP_RECOVERY_FAST)
            c->cwnd = c->sack_on != 0 || flight > c->ssthresh ? c->ssthresh : (uint32_t)flight;
        if (c->cwnd < c->mss)
            c->cwnd = c->mss;
        c->recovery = GN_TCP_RECOVERY_NONE;
        c->force = 0;
        /* What was sent during the recovery can have been lost as well. */
        if (gn_tcp_segs_out(c) != 0 && any_lost(t, c))
            enter_fast(t, c);
        return;
    }
    if (c->recovery != GN_TCP_RECOVERY_FAST || c->sack_on != 0 || gn_tcp_segs_out(c) == 0)
        return;
    /* NewReno, a partial ACK: the next hole is at its edge (RFC 6582 section 3.2 step 3). */
    c->cwnd = c->cwnd > acked + c->mss ? c->cwnd - (uint32_t)acked : c->mss;
    if (acked >= c->mss)
        c->cwnd += c->mss;
    struct gn_tcp_seg *head = gn_tcp_seg_at(t, c, c->seg_head);
    head->marks = (uint8_t)((head->marks | GN_TCP_SEG_LOST) & ~GN_TCP_SEG_RESENT);
    c->force = 1;
}

void gn_tcp_ack_advance(struct gn_tcp *t, struct gn_tcp_conn *c, const uint32_t *echo, uint64_t ack, uint64_t now)
{
    uint64_t acked = ack - c->snd_una;
    uint64_t flight = gn_tcp_flight(c);
    uint64_t sent_ns = 0;
    c->snd_una = ack;
    GN_STORE_ORDER();
    while (c->seg_head != c->seg_tail) {
        const struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, c->seg_head);
        if (seg->end > ack)
            break;
        if (GN_LIKELY((seg->marks & (GN_TCP_SEG_KARN | GN_TCP_SEG_SACKED)) == 0))
            sent_ns = seg->sent_ns;
        else if ((seg->marks & GN_TCP_SEG_SACKED) != 0)
            c->sacked--;
        c->seg_head++;
    }
    if (GN_LIKELY(sent_ns != 0)) {
        gn_tcp_rtt_sample(t, c, now - sent_ns);
        c->backoff = 0;
    } else
        echo_sample(t, c, echo, now);
    c->retries = 0;
    c->dup_acks = 0;
    if (c->recovery != GN_TCP_RECOVERY_FAST)
        gn_tcp_grow(c, acked, flight);
    if (GN_UNLIKELY(c->recovery != GN_TCP_RECOVERY_NONE))
        recovery_ack(t, c, acked);
    c->rto_at = GN_NET_NEVER;
    if (gn_tcp_segs_out(c) != 0)
        gn_tcp_arm(t, c, now);
}

void gn_tcp_all_lost(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    for (uint32_t i = c->seg_head; i != c->seg_tail; i++)
        gn_tcp_seg_at(t, c, i)->marks = GN_TCP_SEG_LOST | GN_TCP_SEG_KARN;
    c->sacked = 0;
}

/* Marks what a SACK block covers in full; returns how many segments are newly marked. */
static uint32_t sack_block(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t from, uint64_t to)
{
    uint32_t marked = 0;
    uint32_t lo = 0;
    uint32_t hi = gn_tcp_segs_out(c);
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (gn_tcp_seg_at(t, c, c->seg_head + mid)->seq < from)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (uint32_t i = c->seg_head + lo; i != c->seg_tail; i++) {
        struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, i);
        if (seg->end > to)
            break;
        if ((seg->marks & GN_TCP_SEG_SACKED) == 0) {
            seg->marks |= GN_TCP_SEG_SACKED;
            c->sacked++;
            marked++;
        }
    }
    return marked;
}

static uint32_t sack(struct gn_tcp *t, struct gn_tcp_conn *c, const struct gn_tcp_in *s)
{
    uint32_t marked = 0;
    for (uint32_t i = 0; i < s->sack_n; i++) {
        int64_t from = (int32_t)(s->sack[i][0] - (c->iss + (uint32_t)c->snd_una));
        int64_t to = (int32_t)(s->sack[i][1] - (c->iss + (uint32_t)c->snd_una));
        /* Below snd_una is a report of a duplicate (RFC 2883), beyond snd_nxt is nonsense. */
        if (from < 0 || to <= from || (uint64_t)to > gn_tcp_flight(c))
            continue;
        marked += sack_block(t, c, c->snd_una + (uint64_t)from, c->snd_una + (uint64_t)to);
    }
    return marked;
}

/* RFC 6675 section 4, IsLost: three segments, or more than two full ones, arrived that were sent later. */
static bool find_lost(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    uint32_t above = 0;
    uint64_t above_bytes = 0;
    bool found = false;
    for (uint32_t i = c->seg_tail; i-- != c->seg_head;) {
        struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, i);
        if ((seg->marks & GN_TCP_SEG_SACKED) != 0) {
            above++;
            above_bytes += seg->end - seg->seq;
        } else if ((above >= GN_TCP_DUP_ACKS || above_bytes > 2 * (uint64_t)c->mss) &&
                   (seg->marks & GN_TCP_SEG_LOST) == 0) {
            seg->marks |= GN_TCP_SEG_LOST;
            found = true;
        }
    }
    return found;
}

static void duplicate(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    c->dup_ack_count++;
    if (c->dup_acks < UINT8_MAX)
        c->dup_acks++;
    if (c->sack_on != 0)
        return;
    if (c->recovery == GN_TCP_RECOVERY_FAST) {
        if (c->cwnd < CWND_MAX)
            c->cwnd += c->mss;
    } else if (c->recovery == GN_TCP_RECOVERY_NONE && c->dup_acks == GN_TCP_DUP_ACKS) {
        gn_tcp_seg_at(t, c, c->seg_head)->marks |= GN_TCP_SEG_LOST;
        enter_fast(t, c);
    }
}

/* A window that was closed opens: what was sent into it was thrown away there, and goes again at once. */
static void window_opened(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    c->backoff = 0;
    if (gn_tcp_segs_out(c) != 0) {
        gn_tcp_all_lost(t, c);
        c->recovery = GN_TCP_RECOVERY_LOSS;
        c->recover = c->snd_nxt;
        c->force = 1;
        gn_tcp_arm(t, c, now);
    } else {
        c->rto_at = GN_NET_NEVER;
    }
}

/* SND.WND moves with the newest segment only (RFC 9293 section 3.10.7.4: SND.WL1 and SND.WL2). */
static bool window_update(struct gn_tcp_conn *c, const struct gn_tcp_in *s, uint64_t ack)
{
    uint64_t seq = c->rcv_nxt + (uint64_t)(int64_t)(int32_t)(s->seq - (c->irs + (uint32_t)c->rcv_nxt));
    uint32_t wnd = s->wnd << c->snd_wscale;
    int64_t newer = (int64_t)(seq - c->wnd_seq);
    if (newer < 0 || (newer == 0 && ack < c->wnd_ack))
        return false;
    bool changed = wnd != c->snd_wnd;
    c->snd_wnd = wnd;
    if (wnd > c->max_wnd)
        c->max_wnd = wnd;
    c->wnd_seq = seq;
    c->wnd_ack = ack;
    return changed;
}

/* With SACK a duplicate is what reports bytes out of order (RFC 6675 section 2), else a bare repetition (RFC 5681). */
static bool is_duplicate(const struct gn_tcp_conn *c, const struct gn_tcp_in *s, bool window_moved)
{
    if (c->sack_on != 0)
        return s->sack_n != 0;
    return s->len == 0 && (s->flags & GN_TCP_FIN) == 0 && !window_moved;
}

void gn_tcp_ack(struct gn_tcp *t, struct gn_tcp_conn *c, const struct gn_tcp_in *s, uint64_t ack, uint64_t now)
{
    uint32_t wnd_before = c->snd_wnd;
    bool moved = window_update(c, s, ack);
    bool probing = wnd_before == 0 && c->backoff != 0;
    if (GN_LIKELY(ack > c->snd_una))
        gn_tcp_ack_advance(t, c, s->has_ts ? &s->ts_ecr : NULL, ack, now);
    else if (ack == c->snd_una && c->snd_wnd != 0 && gn_tcp_segs_out(c) != 0 && is_duplicate(c, s, moved))
        duplicate(t, c);
    if (GN_UNLIKELY(s->sack_n != 0 && c->sack_on != 0) && sack(t, c, s) != 0 && find_lost(t, c) &&
        c->recovery == GN_TCP_RECOVERY_NONE)
        enter_fast(t, c);
    if (c->snd_wnd == 0)
        c->retries = 0; /* the peer answers probes: the connection stays, however long (RFC 9293 MUST-37) */
    else if (probing || (wnd_before == 0 && gn_tcp_segs_out(c) == 0))
        window_opened(t, c, now);
    else if (gn_tcp_segs_out(c) == 0) {
        /* An answered probe of a window too small for what is wanted. */
        c->retries = 0;
        c->backoff = moved ? 0 : c->backoff;
    }
    if (c->want_write != 0 && (ack == c->snd_una || moved) && c->snd_wnd > gn_tcp_flight(c)) {
        c->want_write = 0;
        gn_tcp_event(t, c, GN_TCP_EV_WRITABLE);
    }
}
