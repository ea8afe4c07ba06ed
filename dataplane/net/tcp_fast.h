/* Header prediction: the segment that is expected, without a branch on what is rare. It does what tcp_input.c,
 * tcp_ack.c and tcp_recv.c do for such a segment, in the same order of stores, and nothing else. Inline in
 * gn_net_input. */
#ifndef GN_NET_TCP_FAST_H
#define GN_NET_TCP_FAST_H

#include "dataplane/net/tcp_conn.h"

#define GN_TCP_FAST_HEADER (GN_TCP_LEN + GN_TCP_TS_SPACE)

/* Of the 32 bytes from the source address to the head of the options, all but sequence and acknowledgement number, the
 * PSH flag, window, checksum and urgent pointer are as in gn_tcp_conn.expect. */
#define GN_TCP_EXPECT_MASK0 0xffffffffffffffffull, 0x00000000ffffffffull
#define GN_TCP_EXPECT_MASK1 0x0000f7ff00000000ull, 0xffffffff00000000ull

/* What of the first 16 bytes of a connection must be so: established, timestamps; no recovery, no retransmission since
 * the last progress, no duplicate ACK, no ACK due, no output held up, no sender waiting for room. */
struct gn_tcp_plain {
    uint8_t state, reason, owner, recovery, ts_on, sack_on, snd_wscale, rcv_wscale;
    uint8_t passive, dup_acks, retries, backoff, ack_owed, ack_now, blocked, want_write;
};
#define GN_TCP_SAME(member) \
    static_assert(offsetof(struct gn_tcp_plain, member) == offsetof(struct gn_tcp_conn, member), #member)
GN_TCP_SAME(state);
GN_TCP_SAME(recovery);
GN_TCP_SAME(ts_on);
GN_TCP_SAME(dup_acks);
GN_TCP_SAME(retries);
GN_TCP_SAME(backoff);
GN_TCP_SAME(ack_now);
GN_TCP_SAME(blocked);
GN_TCP_SAME(want_write);
static_assert(offsetof(struct gn_tcp_conn, local_ip) == offsetof(struct gn_tcp_conn, remote_ip) + 4, "one load");
static_assert(offsetof(struct gn_tcp_conn, local_port) == offsetof(struct gn_tcp_conn, remote_port) + 2, "one load");
static_assert(offsetof(struct gn_net_rx, dst_ip) == offsetof(struct gn_net_rx, src_ip) + 4, "one store");
static_assert(offsetof(struct gn_net_rx, ttl) == 1 && offsetof(struct gn_net_rx, reason) == 2 && GN_NET_DROP_NONE == 0,
              "kind, ttl and reason are one store");
static_assert(offsetof(struct gn_net_rx, dst_port) == offsetof(struct gn_net_rx, src_port) + 2, "one store");

static inline uint64_t gn_tcp_word(const void *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static inline bool gn_tcp_is_plain(const struct gn_tcp_conn *c)
{
    /* bytes in memory order, lowest first: state, recovery, ts_on; then all but passive and ack_owed */
    const gn_v2u64 should = {GN_TCP_ESTABLISHED | 1ull << 32, 0};
    const gn_v2u64 mask = {0x000000ffff0000ffull, 0xffffff00ffffff00ull};
    return gn_v2_zero((gn_v2_load(c) ^ should) & mask) && (c->sacked | (c->snd_end ^ c->snd_nxt)) == 0;
}

/* Sequence number, window and timestamp as they should be; the window goes to *wnd. */
static inline bool gn_tcp_is_next(const struct gn_tcp_conn *c, const uint8_t *p, uint32_t *wnd)
{
    *wnd = (uint32_t)gn_load_be16(p + 14) << c->snd_wscale;
    return gn_load_be32(p + 4) == c->irs + (uint32_t)c->rcv_nxt && *wnd != 0 && c->snd_wnd != 0 &&
           (int32_t)(gn_load_be32(p + GN_TCP_LEN + 4) - c->ts_recent) >= 0;
}

/* Descriptors that ack covers: false when it tells nothing of the round trip: none is covered in full, or one was sent
 * twice or has a SACK mark. Else *head is the first that is not covered, *sent_ns when the last of the others was sent.
 */
static inline bool gn_tcp_covered(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint64_t ack, uint32_t *head,
                                  uint64_t *sent_ns)
{
    uint32_t at = c->seg_head;
    const struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, at++);
    if (GN_UNLIKELY(seg->end > ack || seg->marks != 0))
        return false;
    for (*sent_ns = seg->sent_ns; GN_UNLIKELY(at != c->seg_tail); at++) {
        seg = gn_tcp_seg_at(t, c, at);
        if (seg->end > ack)
            break;
        if (seg->marks != 0)
            return false;
        *sent_ns = seg->sent_ns;
    }
    *head = at;
    return true;
}

static inline void gn_tcp_take_ack(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t ack, uint32_t head,
                                   uint64_t sent_ns, uint64_t now)
{
    uint64_t acked = ack - c->snd_una;
    uint64_t flight = gn_tcp_flight(c);
    c->snd_una = ack;
    GN_STORE_ORDER();
    c->seg_head = head;
    gn_tcp_rtt_sample(t, c, now - sent_ns);
    if (GN_UNLIKELY(flight * 2 >= c->cwnd))
        gn_tcp_grow(c, acked, flight);
    c->rto_at = GN_NET_NEVER;
    if (GN_UNLIKELY(head != c->seg_tail))
        gn_tcp_arm(t, c, now);
}

static inline void gn_tcp_take_header(struct gn_tcp *t, struct gn_tcp_conn *c, const uint8_t *p, uint32_t wnd,
                                      uint64_t ack, uint64_t now)
{
    uint64_t rcv_nxt = c->rcv_nxt;
    gn_tcp_outdated(t, c); /* the echo, or the acknowledgement of what follows */
    if (GN_LIKELY(c->last_ack == rcv_nxt)) {
        c->ts_recent = gn_load_be32(p + GN_TCP_LEN + 4);
        c->ts_recent_ns = now;
    }
    c->segs_in++;
    c->heard_ns = now;
    c->keepalives = 0;
    c->snd_wnd = wnd;
    if (GN_UNLIKELY(wnd > c->max_wnd))
        c->max_wnd = wnd;
    c->wnd_seq = rcv_nxt;
    c->wnd_ack = ack;
}

static inline int gn_tcp_tell(const struct gn_tcp_conn *c, struct gn_net_rx *out)
{
    uint64_t ips = gn_tcp_word(&c->remote_ip); /* and local_ip */
    uint32_t ports;
    const uint32_t events = c->events;
    uint32_t kind = GN_NET_RX_HANDLED;
    if (GN_UNLIKELY(events != 0))
        kind = GN_NET_RX_TCP;
    memcpy(&ports, &c->remote_port, sizeof ports); /* and local_port */
    memcpy(out, &kind, sizeof kind);               /* ttl 0 */
    memcpy(&out->src_ip, &ips, sizeof ips);
    memcpy(&out->src_port, &ports, sizeof ports);
    out->conn = c->index;
    out->events = events;
    out->len = (uint32_t)(c->rcv_nxt - c->consumed);
    out->payload = NULL;
    return (int)kind;
}

/* gn_tcp_expected_data: the same for the next payload, with an ACK of something or of nothing new. */
int gn_tcp_expected_data(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const uint8_t *ip,
                         struct gn_txq *txq, struct gn_net_rx *out);

/* gn_tcp_expected: ip: a header without options, of a TCP packet to us that is whole and whose checksums are right,
 * with at least 32 bytes behind it. An in-order segment with a timestamp and an acceptable ACK, on an established
 * connection to which nothing rare is happening, is dealt with: what gn_net_input returns. For everything else -1:
 * nothing has happened, and the long way leads to the same result for every segment. */
static inline int gn_tcp_expected(struct gn_tcp *t, struct gn_net *net, const uint8_t *ip, uint64_t now_ns,
                                  struct gn_txq *txq, struct gn_net_rx *out)
{
    const uint8_t *p = ip + GN_IP_LEN;
    uint64_t now = gn_tcp_clock(t, now_ns);
    struct gn_tcp_conn *c = (struct gn_tcp_conn *)(void *)((uint8_t *)t + *gn_tcp_recent(t, p));
    if (GN_UNLIKELY(!gn_same32(ip + 12, c->expect, (gn_v2u64){GN_TCP_EXPECT_MASK0}, (gn_v2u64){GN_TCP_EXPECT_MASK1}) ||
                    !gn_tcp_is_plain(c)))
        return -1;
    if (gn_load_be16(ip + 2) != GN_IP_LEN + GN_TCP_FAST_HEADER)
        return gn_tcp_expected_data(t, net, c, ip, txq, out);
    uint32_t ahead = gn_load_be32(p + 8) - (c->iss + (uint32_t)c->snd_una);
    uint32_t wnd;
    if (GN_UNLIKELY(!gn_tcp_is_next(c, p, &wnd) || ahead - 1 >= gn_tcp_flight(c)))
        return -1;
    uint64_t ack = c->snd_una + ahead;
    uint64_t sent_ns;
    uint32_t head;
    if (GN_UNLIKELY(!gn_tcp_covered(t, c, ack, &head, &sent_ns)))
        return -1;
    gn_tcp_take_header(t, c, p, wnd, ack, now);
    gn_tcp_take_ack(t, c, ack, head, sent_ns, now);
    return gn_tcp_tell(c, out);
}

#endif
