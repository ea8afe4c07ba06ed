/* Segments in: RFC 9293 section 3.10.7 with the defences of RFC 5961 and RFC 7323. */
#include "dataplane/net/tcp_fast.h"

static void option(struct gn_tcp_in *s, uint8_t kind, const uint8_t *v, uint32_t len)
{
    switch (kind) {
    case GN_TCP_OPT_MSS:
        s->has_mss = len == 2;
        s->mss = len == 2 ? gn_load_be16(v) : 0;
        break;
    case GN_TCP_OPT_WSCALE:
        s->has_wscale = len == 1;
        s->wscale = len == 1 ? v[0] : 0;
        break;
    case GN_TCP_OPT_SACKOK:
        s->has_sackok = len == 0;
        break;
    case GN_TCP_OPT_TS:
        if (len == 8) {
            s->has_ts = true;
            s->ts_val = gn_load_be32(v);
            s->ts_ecr = gn_load_be32(v + 4);
        }
        break;
    case GN_TCP_OPT_SACK:
        for (s->sack_n = 0; s->sack_n < 4 && len >= 8; len -= 8, v += 8, s->sack_n++) {
            s->sack[s->sack_n][0] = gn_load_be32(v);
            s->sack[s->sack_n][1] = gn_load_be32(v + 4);
        }
        break;
    default: /* RFC 9293 MUST-6: others are ignored */
        break;
    }
}

/* Options that are cut short or of impossible length end the list; what came before them holds. */
static void parse_options(struct gn_tcp_in *s, const uint8_t *p, uint32_t len)
{
    while (len != 0 && p[0] != GN_TCP_OPT_END) {
        if (p[0] == GN_TCP_OPT_NOP) {
            p++;
            len--;
            continue;
        }
        if (len < 2 || p[1] < 2 || p[1] > len)
            return;
        option(s, p[0], p + 2, p[1] - 2u);
        len -= p[1];
        p += p[1];
    }
}

static uint16_t parse(const struct gn_ip_in *ip, struct gn_tcp_in *s)
{
    const uint8_t *p = ip->l4;
    uint32_t header = (uint32_t)(p[12] >> 4) * 4;
    s->ip = ip;
    s->src_port = gn_load_be16(p);
    s->dst_port = gn_load_be16(p + 2);
    if (GN_UNLIKELY(header < GN_TCP_LEN || header > ip->l4_len || s->src_port == 0 || s->dst_port == 0))
        return GN_NET_DROP_TCP_BAD;
    s->seq = gn_load_be32(p + 4);
    s->ack = gn_load_be32(p + 8);
    s->flags = p[13] & 0x3f;
    s->wnd = gn_load_be16(p + 14);
    s->data = p + header;
    s->len = ip->l4_len - header;
    s->has_ts = s->has_mss = s->has_wscale = s->has_sackok = false;
    s->sack_n = 0;
    if (GN_LIKELY(header == GN_TCP_LEN + GN_TCP_TS_SPACE && gn_load_be32(p + GN_TCP_LEN) == 0x0101080au)) {
        s->has_ts = true;
        s->ts_val = gn_load_be32(p + GN_TCP_LEN + 4);
        s->ts_ecr = gn_load_be32(p + GN_TCP_LEN + 8);
    } else {
        parse_options(s, p + GN_TCP_LEN, header - GN_TCP_LEN);
    }
    return GN_NET_DROP_NONE;
}

/* What a SYN says of the peer. Everything is set before the caller stores a new state. */
static void take_syn(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const struct gn_tcp_in *s,
                     uint64_t now)
{
    c->irs = s->seq;
    c->rcv_nxt = 1;
    c->last_ack = 1;
    c->ts_on = c->ts_on != 0 && s->has_ts;
    c->sack_on = c->sack_on != 0 && s->has_sackok;
    if (s->has_wscale && t->conf.use_wscale != 0) {
        c->snd_wscale = s->wscale > 14 ? 14 : s->wscale; /* RFC 7323 section 2.3 */
    } else {
        c->snd_wscale = 0;
        c->rcv_wscale = 0;
    }
    c->ts_recent = c->ts_on != 0 ? s->ts_val : 0;
    c->ts_recent_ns = now;
    c->mss = gn_tcp_mss_of(t, c, net->conf.mtu, s->has_mss ? s->mss : GN_TCP_MSS_RFC);
    c->cwnd = gn_tcp_initial_window(t, c);
    c->snd_wnd = s->wnd; /* never scaled in a SYN */
    c->max_wnd = s->wnd;
    c->wnd_seq = 0;
    c->wnd_ack = 0;
    gn_tcp_template(net, c);
}

/* The three-way handshake is done. */
static void established(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    bool resent = c->retries != 0;
    c->state = GN_TCP_ESTABLISHED;
    c->retries = 0;
    if (resent) {
        /* RFC 5681 section 3.1 and RFC 6298 section 5.7: after a lost SYN start with less and wait longer. */
        uint64_t rto = 3 * (uint64_t)t->conf.rto_initial_us * 1000;
        uint64_t max = (uint64_t)t->conf.rto_max_us * 1000;
        c->cwnd = c->mss;
        c->rto_ns = rto < max ? rto : max;
    }
    c->heard_ns = now;
    if (t->conf.keepalive_idle_ms != 0) {
        c->misc_at = now + t->conf.keepalive_idle_ms * GN_NS_PER_MS;
        gn_tcp_due(t, c, c->misc_at);
    }
    gn_tcp_event(t, c, GN_TCP_EV_CONNECTED);
}

/* RFC 9293 section 3.10.7.3 */
static uint16_t syn_sent(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const struct gn_tcp_in *s,
                         uint64_t now, struct gn_txq *txq)
{
    bool acked = (s->flags & GN_TCP_ACK) != 0;
    if (acked && (c->snd_nxt == 0 || s->ack != c->iss + 1)) {
        gn_tcp_reset_for(t, net, s, now, txq);
        return GN_NET_DROP_TCP_ACK;
    }
    if ((s->flags & GN_TCP_RST) != 0) {
        if (!acked)
            return GN_NET_DROP_TCP_RST;
        gn_tcp_end(t, c, GN_TCP_REASON_REFUSED);
        return GN_NET_DROP_NONE;
    }
    if ((s->flags & GN_TCP_SYN) == 0)
        return GN_NET_DROP_TCP_STATE;
    take_syn(t, net, c, s, now);
    GN_STORE_ORDER();
    if (!acked) { /* both ends opened at once */
        c->state = GN_TCP_SYN_RCVD;
        if (gn_tcp_segs_out(c) != 0)
            (void)gn_tcp_resend(t, net, c, gn_tcp_seg_at(t, c, c->seg_head), now, txq);
        return GN_NET_DROP_NONE;
    }
    established(t, c, now);
    gn_tcp_ack_advance(t, c, s->has_ts ? &s->ts_ecr : NULL, 1, now);
    c->recovery = GN_TCP_RECOVERY_NONE;
    c->wnd_ack = 1;
    c->ack_now = 1;
    return GN_NET_DROP_NONE;
}

/* RFC 9293 section 3.10.7.2; the SYN's own data, if any, is left to be sent again. */
static uint16_t passive_open(struct gn_tcp *t, struct gn_net *net, const struct gn_tcp_in *s, uint64_t now,
                             struct gn_txq *txq, struct gn_net_rx *out)
{
    struct gn_tcp_listener *l = gn_tcp_listener(t, s->dst_port);
    if (!gn_net_source_ok(net, s->ip->src))
        return GN_NET_DROP_IP_SRC;
    if (l == NULL || (s->flags & (GN_TCP_SYN | GN_TCP_ACK | GN_TCP_RST)) != GN_TCP_SYN) {
        /* A listener is silent about what is neither SYN nor ACK (RFC 9293 section 3.10.7.2, fourth). */
        if (l == NULL || (s->flags & GN_TCP_ACK) != 0)
            gn_tcp_reset_for(t, net, s, now, txq);
        return GN_NET_DROP_TCP_NO_CONN;
    }
    if (l->pending >= t->conf.backlog)
        return GN_NET_DROP_TCP_NO_SLOT;
    struct gn_tcp_conn *c = gn_tcp_slot_take(t);
    if (c == NULL)
        return GN_NET_DROP_TCP_NO_SLOT;
    c->owner = GN_TCP_OWNER_LISTENER;
    c->passive = 1;
    c->listener_port = s->dst_port;
    c->remote_ip = s->ip->src;
    c->remote_port = s->src_port;
    c->local_port = s->dst_port;
    c->local_ip = s->ip->dst;
    gn_tcp_open(t, net, c, now);
    take_syn(t, net, c, s, now);
    l->pending++;
    gn_tcp_hash_add(t, c);
    GN_STORE_ORDER();
    c->state = GN_TCP_SYN_RCVD;
    c->segs_in++;
    gn_tcp_output(t, net, c, now, txq);
    out->conn = c->index;
    return GN_NET_DROP_NONE;
}

/* PAWS (RFC 7323 section 5): false when the segment is older than the last one. */
static bool paws_ok(const struct gn_tcp_conn *c, const struct gn_tcp_in *s, uint64_t now)
{
    if (c->ts_on == 0 || (s->flags & GN_TCP_RST) != 0)
        return true;
    if (GN_UNLIKELY(!s->has_ts))
        return false;
    return (int32_t)(s->ts_val - c->ts_recent) >= 0 || now - c->ts_recent_ns > GN_TCP_PAWS_IDLE_NS;
}

/* RFC 9293 section 3.10.7.4, the first check. A closed window still takes the ACK of a segment at its edge, and of a
 * peer whose snd_nxt counts the byte it probed with. A RST has no such excuse: at the edge it is a guess. */
static bool in_window(const struct gn_tcp *t, const struct gn_tcp_conn *c, int64_t off, uint32_t seg_len, bool rst)
{
    int64_t wnd = (int64_t)(gn_tcp_rcv_edge(t, c) - c->rcv_nxt);
    int64_t told = (int64_t)0xffff << c->rcv_wscale; /* no more than that was ever offered */
    wnd = wnd < told ? wnd : told;
    if (seg_len == 0)
        return off >= 0 && off <= (wnd > 0 ? wnd : 1) - (rst ? 1 : 0);
    return (off < wnd && off + (int64_t)seg_len > 0) || (off == 0 && wnd <= 0);
}

static uint16_t out_of_window(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const struct gn_tcp_in *s,
                              uint64_t now, struct gn_txq *txq)
{
    if ((s->flags & GN_TCP_RST) != 0)
        return GN_NET_DROP_TCP_RST;
    if (c->state == GN_TCP_TIME_WAIT && (s->flags & GN_TCP_FIN) != 0)
        c->misc_at = now + t->conf.time_wait_ms * GN_NS_PER_MS;
    if (c->state == GN_TCP_SYN_RCVD && (s->flags & GN_TCP_SYN) != 0 && s->seq == c->irs && gn_tcp_segs_out(c) != 0 &&
        now - c->last_tx_ns > 100 * GN_NS_PER_MS)
        (void)gn_tcp_resend(t, net, c, gn_tcp_seg_at(t, c, c->seg_head), now, txq);
    else
        gn_tcp_challenge(t, net, c, now, txq);
    return GN_NET_DROP_TCP_SEQ;
}

static uint16_t reset(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    if (c->state == GN_TCP_TIME_WAIT)
        gn_tcp_end(t, c, GN_TCP_REASON_CLOSED);
    else
        gn_tcp_end(t, c, c->state == GN_TCP_SYN_RCVD ? GN_TCP_REASON_REFUSED : GN_TCP_REASON_RESET);
    return GN_NET_DROP_NONE;
}

/* The fourth and fifth check: ACK numbers that cannot be are answered within the limit (RFC 5961 section 5). */
static uint16_t check_ack(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const struct gn_tcp_in *s,
                          int64_t ahead, uint64_t now, struct gn_txq *txq)
{
    if ((s->flags & GN_TCP_ACK) == 0)
        return GN_NET_DROP_TCP_ACK;
    if (c->state == GN_TCP_SYN_RCVD) {
        if (ahead <= 0 || ahead > (int64_t)gn_tcp_flight(c)) {
            gn_tcp_reset_for(t, net, s, now, txq);
            return GN_NET_DROP_TCP_ACK;
        }
        c->wnd_ack = 1;
        established(t, c, now);
    } else if (ahead > (int64_t)gn_tcp_flight(c) || ahead < -(int64_t)c->max_wnd) {
        gn_tcp_challenge(t, net, c, now, txq);
        return GN_NET_DROP_TCP_ACK;
    }
    return GN_NET_DROP_NONE;
}

static uint16_t payload(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const struct gn_tcp_in *s,
                        int64_t off, uint64_t now, struct gn_txq *txq)
{
    bool fin = (s->flags & GN_TCP_FIN) != 0;
    if (s->len == 0 && !fin)
        return GN_NET_DROP_NONE;
    if (!gn_tcp_may_receive(c)) {
        if (fin) /* a FIN is answered in TIME-WAIT too (RFC 9293 section 3.10.7.4), a bare ACK never: they would echo */
            gn_tcp_challenge(t, net, c, now, txq);
        return GN_NET_DROP_TCP_STATE;
    }
    if (c->owner == GN_TCP_OWNER_NONE && s->len != 0 && off + (int64_t)s->len > 0) {
        /* RFC 9293 section 3.6.1: nobody is left to read it, and the peer must not believe otherwise. */
        (void)gn_tcp_emit(t, net, c, c->snd_nxt, GN_TCP_RST | GN_TCP_ACK, 0, now, txq);
        gn_tcp_end(t, c, GN_TCP_REASON_DATA_AFTER_CLOSE);
        return GN_NET_DROP_TCP_STATE;
    }
    uint16_t drop = gn_tcp_data(t, c, off, s->data, s->len, fin, now);
    gn_tcp_settle(t, c, now);
    return drop;
}

/* What an acceptable ACK leads to in the closing states; false when it was the last of the connection. */
static bool closing(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    if (c->state == GN_TCP_LAST_ACK && gn_tcp_fin_sent(c) && c->snd_una > c->snd_end) {
        gn_tcp_end(t, c, GN_TCP_REASON_CLOSED);
        return false;
    }
    gn_tcp_settle(t, c, now);
    return true;
}

/* The sequence number before rcv_nxt, with one octet at most, is that of a probe or FIN which we have already and whose
 * ACK was lost. Its own ACK is taken all the same: else two ends that probe or close at the same time would each throw
 * the other's ACK away for ever. */
static bool late_ack(struct gn_tcp *t, struct gn_tcp_conn *c, const struct gn_tcp_in *s, int64_t off, uint32_t seg_len,
                     int64_t ahead, uint64_t now)
{
    if (off != -1 || seg_len > 1 || (s->flags & (GN_TCP_ACK | GN_TCP_RST | GN_TCP_SYN)) != GN_TCP_ACK ||
        !gn_tcp_synchronised(c) || ahead < 0 || ahead > (int64_t)gn_tcp_flight(c))
        return true;
    c->heard_ns = now;
    c->keepalives = 0;
    gn_tcp_ack(t, c, s, c->snd_una + (uint64_t)ahead, now);
    return closing(t, c, now);
}

/* RFC 9293 section 3.10.7.4, in its order. */
static uint16_t segment(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const struct gn_tcp_in *s,
                        uint64_t now, struct gn_txq *txq)
{
    int64_t off = (int32_t)(s->seq - (c->irs + (uint32_t)c->rcv_nxt));
    int64_t ahead = (int32_t)(s->ack - (c->iss + (uint32_t)c->snd_una));
    uint32_t seg_len = s->len + ((s->flags & GN_TCP_SYN) != 0) + ((s->flags & GN_TCP_FIN) != 0);
    if (GN_UNLIKELY(!paws_ok(c, s, now))) {
        gn_tcp_challenge(t, net, c, now, txq);
        return GN_NET_DROP_TCP_PAWS;
    }
    if (GN_UNLIKELY(!in_window(t, c, off, seg_len, (s->flags & GN_TCP_RST) != 0))) {
        if (!late_ack(t, c, s, off, seg_len, ahead, now))
            return GN_NET_DROP_NONE;
        return out_of_window(t, net, c, s, now, txq);
    }
    if (GN_UNLIKELY((s->flags & (GN_TCP_RST | GN_TCP_SYN)) != 0)) {
        if ((s->flags & GN_TCP_RST) != 0 && off == 0)
            return reset(t, c);
        gn_tcp_challenge(t, net, c, now, txq);
        return (s->flags & GN_TCP_RST) != 0 ? GN_NET_DROP_TCP_RST : GN_NET_DROP_TCP_SYN;
    }
    uint16_t drop = check_ack(t, net, c, s, ahead, now, txq);
    if (GN_UNLIKELY(drop != GN_NET_DROP_NONE))
        return drop;
    if (s->has_ts && c->ts_on != 0 && (int64_t)(c->rcv_nxt + (uint64_t)off - c->last_ack) <= 0 &&
        (int32_t)(s->ts_val - c->ts_recent) >= 0) {
        c->ts_recent = s->ts_val;
        c->ts_recent_ns = now;
        gn_tcp_outdated(t, c);
    }
    c->heard_ns = now;
    c->keepalives = 0;
    /* An old ACK of a young connection may lie before offset 0. */
    uint64_t ack = ahead < 0 && (uint64_t)-ahead > c->snd_una ? 0 : c->snd_una + (uint64_t)ahead;
    gn_tcp_ack(t, c, s, ack, now);
    if (GN_UNLIKELY(c->state >= GN_TCP_FIN_WAIT_1) && !closing(t, c, now))
        return GN_NET_DROP_NONE;
    return payload(t, net, c, s, off, now, txq);
}

static bool checksum_ok(const struct gn_ip_in *in)
{
    uint64_t sum = gn_csum_pseudo(in->src, in->dst, GN_IP_PROTO_TCP, in->l4_len);
    return gn_csum_fold(gn_csum_wide(sum, in->l4, in->l4_len)) == 0xffff;
}

static int input_slow(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, const struct gn_ip_in *in,
                      uint64_t now, struct gn_txq *txq, struct gn_net_rx *out)
{
    struct gn_tcp_in s;
    uint16_t drop = parse(in, &s);
    if (GN_UNLIKELY(drop != GN_NET_DROP_NONE))
        return gn_net_dropped(net, out, drop);
    if (GN_UNLIKELY(c == NULL)) {
        drop = passive_open(t, net, &s, now, txq, out);
        return drop != GN_NET_DROP_NONE ? gn_net_dropped(net, out, drop) : gn_net_handled(out);
    }
    uint32_t events = c->events;
    gn_tcp_outdated(t, c);
    c->segs_in++;
    out->conn = c->index;
    if (GN_UNLIKELY(c->state == GN_TCP_SYN_RCVD) && c->passive == 0 && s.seq == c->irs &&
        (s.flags & (GN_TCP_SYN | GN_TCP_ACK | GN_TCP_RST)) == (GN_TCP_SYN | GN_TCP_ACK)) {
        /* Both ends opened at once (RFC 9293 section 3.5, figure 8): its SYN we have, its ACK is what is new. */
        s.seq++;
        s.flags &= (uint8_t)~GN_TCP_SYN;
    }
    if (GN_UNLIKELY(c->state == GN_TCP_SYN_SENT))
        drop = syn_sent(t, net, c, &s, now, txq);
    else
        drop = segment(t, net, c, &s, now, txq);
    if (GN_LIKELY(c->state > GN_TCP_CLOSED)) {
        bool more = c->recovery != GN_TCP_RECOVERY_NONE || c->sacked != 0 || gn_tcp_unsent(c);
        if (more)
            gn_tcp_output(t, net, c, now, txq);
        else if (c->ack_now != 0)
            (void)gn_tcp_send_ack(t, net, c, now, txq);
    }
    if (GN_UNLIKELY(drop != GN_NET_DROP_NONE)) {
        (void)gn_net_dropped(net, out, drop);
        if (c->events == events)
            return GN_NET_RX_DROP; /* nothing but the drop came of it */
    }
    out->events = c->events;
    out->kind = c->events != 0 ? GN_NET_RX_TCP : GN_NET_RX_HANDLED;
    out->len = (uint32_t)(c->rcv_nxt - c->consumed);
    return out->kind;
}

int gn_tcp_input(struct gn_tcp *t, struct gn_net *net, const struct gn_ip_in *in, struct gn_txq *txq,
                 struct gn_net_rx *out)
{
    if (GN_UNLIKELY(in->l4_len < GN_TCP_LEN))
        return gn_net_dropped(net, out, GN_NET_DROP_TCP_BAD);
    if ((in->flags & GN_NET_IN_L4_CSUM_OK) == 0 && GN_UNLIKELY(!checksum_ok(in)))
        return gn_net_dropped(net, out, GN_NET_DROP_TCP_CSUM);
    uint64_t now = gn_tcp_clock(t, in->now_ns);
    out->src_port = gn_load_be16(in->l4);
    out->dst_port = gn_load_be16(in->l4 + 2);
    struct gn_tcp_conn *c = gn_tcp_find(t, in->src, out->src_port, out->dst_port);
    if (c != NULL && in->l4_len >= GN_TCP_LEN + GN_TCP_TS_SPACE && in->l4 == in->ip + GN_IP_LEN) {
        /* Not yet tried with this hint, or the frame has a tag. */
        *gn_tcp_recent(t, in->l4) = (uint64_t)((uint8_t *)c - (uint8_t *)t);
        int kind = gn_tcp_expected(t, net, in->ip, in->now_ns, txq, out);
        if (kind >= 0)
            return kind;
    }
    return input_slow(t, net, c, in, now, txq, out);
}

bool gn_tcp_icmp(struct gn_tcp *t, struct gn_net *net, const struct gn_icmp_quote *q, uint64_t now_ns,
                 struct gn_txq *txq)
{
    uint64_t now = gn_tcp_clock(t, now_ns);
    struct gn_tcp_conn *c = gn_tcp_find(t, q->remote_ip, q->remote_port, q->local_port);
    if (c == NULL || c->snd_nxt == 0)
        return false;
    int64_t ahead = (int32_t)(q->seq - (c->iss + (uint32_t)c->snd_una));
    if (ahead < 0 || ahead >= (int64_t)gn_tcp_flight(c))
        return false;
    if (q->mtu == 0) {
        c->soft_errors++;
        gn_tcp_event(t, c, GN_TCP_EV_SOFT_ERROR);
        return true;
    }
    /* RFC 1191, with a floor: a forged tiny MTU must not make every order a train of segments. */
    uint32_t mtu = q->mtu < GN_NET_MTU_MIN ? GN_NET_MTU_MIN : q->mtu;
    uint32_t mss = gn_tcp_mss_of(t, c, mtu, UINT16_MAX);
    if (!gn_tcp_synchronised(c) || mss >= c->mss)
        return true;
    c->mss = mss;
    gn_tcp_outdated(t, c);
    for (uint32_t i = c->seg_head; i != c->seg_tail; i++) {
        struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, i);
        if (seg->end - seg->seq > mss)
            seg->marks = (uint8_t)((seg->marks | GN_TCP_SEG_LOST) & ~GN_TCP_SEG_RESENT);
    }
    if (c->recovery == GN_TCP_RECOVERY_NONE) {
        c->recovery = GN_TCP_RECOVERY_LOSS;
        c->recover = c->snd_nxt;
    }
    c->force = 1;
    gn_tcp_output(t, net, c, now, txq);
    return true;
}
