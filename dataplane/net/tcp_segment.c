#include "dataplane/net/tcp_seal.h"

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];
    v[0] = v[0] << 32 | v[0] >> 32;
    v[2] += v[3];
    v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
    v[0] += v[3];
    v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
    v[2] += v[1];
    v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];
    v[2] = v[2] << 32 | v[2] >> 32;
}

/* SipHash-2-4 of the two words that identify a connection. */
static uint64_t sip_hash(const uint8_t key[16], uint64_t m0, uint64_t m1)
{
    uint64_t k0;
    uint64_t k1;
    memcpy(&k0, key, 8);
    memcpy(&k1, key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull, k0 ^ 0x6c7967656e657261ull,
                     k1 ^ 0x7465646279746573ull};
    const uint64_t m[3] = {m0, m1, 16ull << 56};
    for (uint32_t i = 0; i < 3; i++) {
        v[3] ^= m[i];
        sip_round(v);
        sip_round(v);
        v[0] ^= m[i];
    }
    v[2] ^= 0xff;
    for (uint32_t i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* RFC 6528 section 3: ISN = M + F(4-tuple, secret); M ticks every 4.096 us. The timestamp clock gets an offset of its
 * own, so that it does not tell our uptime (RFC 7323 section 7.1). */
uint32_t gn_tcp_isn(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint64_t now, uint32_t *ts_offset)
{
    uint64_t h = sip_hash(t->conf.secret, ((uint64_t)c->local_ip << 32) | c->remote_ip,
                          ((uint64_t)c->local_port << 16) | c->remote_port);
    *ts_offset = (uint32_t)(h >> 32);
    return (uint32_t)h + (uint32_t)(now >> 12);
}

void gn_tcp_template(const struct gn_net *net, struct gn_tcp_conn *c)
{
    memset(c->hdr, 0, sizeof c->hdr);
    uint8_t *tcp = gn_ip_write(net, c->hdr, 0, GN_IP_PROTO_TCP, net->conf.ttl, c->remote_ip, 0);
    uint8_t *ip = tcp - GN_IP_LEN;
    uint32_t tcp_len = GN_TCP_LEN + (c->ts_on != 0 ? GN_TCP_TS_SPACE : 0);
    gn_store_be16(ip + 2, 0);
    gn_store_be16(ip + 10, 0);
    gn_store_be16(tcp, c->local_port);
    gn_store_be16(tcp + 2, c->remote_port);
    tcp[12] = (uint8_t)(tcp_len << 2);
    if (c->ts_on != 0)
        gn_store_be32(tcp + GN_TCP_LEN, 0x0101080au); /* NOP, NOP, timestamps, 10 bytes */
    c->eth_len = (uint8_t)(ip - c->hdr);
    c->hdr_len = (uint8_t)((uint32_t)(tcp - c->hdr) + tcp_len);
    c->ip_sum = gn_csum_fold(gn_csum_add(0, ip, GN_IP_LEN));
    c->tcp_sum =
        gn_csum_fold(gn_csum_pseudo(c->local_ip, c->remote_ip, GN_IP_PROTO_TCP, 0) + gn_csum_add(0, tcp, tcp_len));
    c->arp_gen = 0;
    c->ready_len = 0;
    c->ready_room = 0;
    gn_tcp_expect(c);
}

void gn_tcp_expect(struct gn_tcp_conn *c)
{
    uint8_t *p = c->expect;
    memset(p, 0, sizeof c->expect);
    gn_store_be32(p, c->remote_ip);
    gn_store_be32(p + 4, c->local_ip);
    gn_store_be16(p + 8, c->remote_port);
    gn_store_be16(p + 10, c->local_port);
    p[20] = (GN_TCP_LEN + GN_TCP_TS_SPACE) << 2;
    p[21] = GN_TCP_ACK;
    gn_store_be32(p + 28, 0x0101080au); /* NOP, NOP, timestamps, 10 bytes */
}

uint32_t gn_tcp_room(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    uint64_t flight = gn_tcp_flight(c);
    uint64_t room = c->mss;
    if (c->state != GN_TCP_ESTABLISHED || (c->recovery | c->dup_acks) != 0 || c->sacked != 0 ||
        c->snd_end != c->snd_nxt || gn_tcp_segs_out(c) == t->segs || flight > t->sndbuf || flight > c->snd_wnd ||
        (flight != 0 && flight > c->cwnd))
        return 0;
    if (room > t->sndbuf - flight)
        room = t->sndbuf - flight;
    if (room > c->snd_wnd - flight)
        room = c->snd_wnd - flight;
    if (flight != 0 && room > c->cwnd - flight)
        room = c->cwnd - flight;
    return (uint32_t)room;
}

void gn_tcp_make_ready(const struct gn_tcp *t, struct gn_tcp_conn *c, uint32_t len)
{
    c->ready_len = 0;
    const bool grown = gn_tcp_flight(c) == 0 && c->cwnd > gn_tcp_initial_window(t, c);
    c->ready_until = grown ? c->last_tx_ns + c->rto_ns : GN_NET_NEVER;
    c->ready_room = (uint16_t)gn_tcp_room(t, c);
    if (c->ts_on == 0)
        return; /* gn_tcp_seal does it for each message */
    uint8_t *ip = c->hdr + c->eth_len;
    uint8_t *tcp = ip + GN_IP_LEN;
    gn_tcp_seal(c, c->hdr, 0, GN_TCP_ACK | GN_TCP_PSH, len, 0, 0);
    memset(tcp + 4, 0, 4);
    memset(tcp + GN_TCP_LEN + 4, 0, 4);
    memset(tcp + 16, 0, 2);
    uint32_t tcp_len = gn_load_be16(ip + 2) - GN_IP_LEN;
    c->ready_sum = gn_csum_fold(gn_csum_pseudo(c->local_ip, c->remote_ip, GN_IP_PROTO_TCP, tcp_len) +
                                gn_csum_add(0, tcp, tcp_len - len));
    c->ready_len = (uint16_t)len;
}

int gn_tcp_route_anew(struct gn_net *net, struct gn_tcp_conn *c, struct gn_txq *txq)
{
    uint64_t mac = 0;
    if (c->hdr_len == 0)
        gn_tcp_template(net, c);
    int err = gn_net_next_hop(net, c->remote_ip, net->now_ns, txq, &mac);
    if (err != GN_NET_OK)
        return GN_TCP_ERR_NO_ARP;
    gn_mac48_store(c->hdr, mac);
    c->arp_gen = net->arp_gen;
    return GN_TCP_OK;
}

static uint8_t *put_timestamps(const struct gn_tcp_conn *c, uint8_t *o, uint32_t echo, uint64_t now)
{
    gn_store_be32(o, 0x0101080au);
    gn_store_be32(o + 4, gn_tcp_ts_now(c, now));
    gn_store_be32(o + 8, echo);
    return o + GN_TCP_TS_SPACE;
}

/* On a SYN all that the configuration wants; on a SYN-ACK what the peer's SYN agreed to. */
static uint8_t *put_syn_options(const struct gn_tcp *t, const struct gn_net *net, const struct gn_tcp_conn *c,
                                uint8_t *o, uint64_t now)
{
    uint32_t mss = net->conf.mtu - GN_IP_LEN - GN_TCP_LEN;
    o[0] = GN_TCP_OPT_MSS;
    o[1] = 4;
    gn_store_be16(o + 2, (uint16_t)(mss < t->conf.mss_max ? mss : t->conf.mss_max));
    o += 4;
    if (c->sack_on != 0) {
        gn_store_be32(o, 0x01010402u); /* NOP, NOP, SACK permitted */
        o += 4;
    }
    if (c->ts_on != 0)
        o = put_timestamps(c, o, c->state == GN_TCP_SYN_SENT ? 0 : c->ts_recent, now);
    if (c->rcv_wscale != 0 || c->snd_wscale != 0 || (c->state == GN_TCP_SYN_SENT && t->conf.use_wscale != 0)) {
        gn_store_be32(o, 0x01030300u | c->rcv_wscale);
        o += 4;
    }
    return o;
}

/* RFC 2018 section 4: the range that grew last comes first. */
static uint8_t *put_sack(const struct gn_tcp_conn *c, uint8_t *o)
{
    uint32_t max = c->ts_on != 0 ? 3 : 4;
    uint32_t n = c->ooo_n < max ? c->ooo_n : max;
    uint32_t first = 0;
    for (uint32_t i = 0; i < c->ooo_n; i++)
        if (c->ooo_recent >= c->ooo[i].from && c->ooo_recent < c->ooo[i].to)
            first = i;
    gn_store_be16(o, 0x0101);
    o[2] = GN_TCP_OPT_SACK;
    o[3] = (uint8_t)(2 + 8 * n);
    o += 4;
    for (uint32_t i = 0; i < n; i++) {
        const struct gn_tcp_range *r = &c->ooo[(first + i) % c->ooo_n];
        gn_store_be32(o, c->irs + (uint32_t)r->from);
        gn_store_be32(o + 4, c->irs + (uint32_t)r->to);
        o += 8;
    }
    return o;
}

static void copy_out(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint64_t off, uint8_t *to, uint32_t len)
{
    const uint8_t *buf = gn_tcp_sndbuf(t, c);
    uint32_t at = (uint32_t)off & (t->sndbuf - 1);
    uint32_t first = t->sndbuf - at < len ? t->sndbuf - at : len;
    memcpy(to, buf + at, first);
    memcpy(to + first, buf, len - first);
}

/* A segment whose options are not the template's: written and summed in full. Returns the frame's length. */
static uint32_t seal_special(const struct gn_tcp *t, const struct gn_net *net, struct gn_tcp_conn *c, uint8_t *frame,
                             uint64_t seq, uint8_t flags, uint64_t now)
{
    bool syn = (flags & GN_TCP_SYN) != 0;
    uint8_t *ip = frame + c->eth_len;
    uint8_t *tcp = ip + GN_IP_LEN;
    uint8_t *o = tcp + GN_TCP_LEN;
    if (syn) {
        o = put_syn_options(t, net, c, o, now);
    } else {
        if (c->ts_on != 0)
            o = put_timestamps(c, o, c->ts_recent, now);
        o = put_sack(c, o);
    }
    uint32_t tcp_len = (uint32_t)(o - tcp);
    gn_store_be16(ip + 2, (uint16_t)(GN_IP_LEN + tcp_len));
    gn_store_be16(ip + 10, 0);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, GN_IP_LEN)));
    gn_store_be32(tcp + 4, c->iss + (uint32_t)seq);
    gn_store_be32(tcp + 8, (flags & GN_TCP_ACK) != 0 ? c->irs + (uint32_t)c->rcv_nxt : 0);
    tcp[12] = (uint8_t)(tcp_len << 2);
    tcp[13] = flags;
    gn_store_be16(tcp + 14, gn_tcp_window_field(c, syn));
    gn_store_be32(tcp + 16, 0);
    uint64_t sum = gn_csum_pseudo(c->local_ip, c->remote_ip, GN_IP_PROTO_TCP, tcp_len);
    gn_csum_store(tcp + 16, gn_csum_finish(gn_csum_add(sum, tcp, tcp_len)));
    return (uint32_t)(o - frame);
}

uint8_t *gn_tcp_way(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, struct gn_txq *txq)
{
    if (gn_tcp_route(net, c, txq) != GN_TCP_OK) {
        gn_tcp_block(t, c, GN_TCP_BLOCKED_ARP);
        return NULL;
    }
    uint8_t *frame = gn_txq_take(txq);
    if (frame == NULL)
        gn_tcp_block(t, c, GN_TCP_BLOCKED_TXQ);
    return frame;
}

bool gn_tcp_emit(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t seq, uint8_t flags, uint32_t len,
                 uint64_t now, struct gn_txq *txq)
{
    uint8_t *frame = gn_tcp_way(t, net, c, txq);
    if (frame == NULL)
        return false;
    memcpy(frame, c->hdr, GN_TCP_HDR_MAX);
    uint32_t frame_len = c->hdr_len + len;
    bool sack = len == 0 && c->ooo_n != 0 && c->sack_on != 0 && (flags & (GN_TCP_SYN | GN_TCP_RST)) == 0;
    if ((flags & GN_TCP_SYN) != 0 || sack) {
        frame_len = seal_special(t, net, c, frame, seq, flags, now);
    } else {
        uint8_t *data = frame + c->hdr_len;
        copy_out(t, c, seq, data, len);
        gn_tcp_seal(c, frame, seq, flags, len, gn_csum_add(0, data, len), now);
    }
    if ((flags & GN_TCP_ACK) != 0)
        gn_tcp_acked(c);
    c->segs_out++;
    c->last_tx_ns = now;
    gn_txq_commit(txq, (uint16_t)frame_len);
    return true;
}

bool gn_tcp_send_ack(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq)
{
    /* A byte that probes a closed window is beyond it: with snd_nxt the peer would take the ACK for out of window, and
     * two ends with closed windows would answer each other's without end. */
    uint64_t edge = c->snd_una + c->snd_wnd;
    uint64_t seq = c->snd_nxt <= edge || c->snd_una == 0 ? c->snd_nxt : edge;
    if (gn_tcp_emit(t, net, c, seq, GN_TCP_ACK, 0, now, txq))
        return true;
    c->ack_now = 1;
    return false;
}

void gn_tcp_challenge(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq)
{
    if (now - c->challenge_ns >= GN_NS_PER_S) {
        c->challenge_ns = now;
        c->challenges = 0;
    }
    if (c->challenges >= t->conf.challenge_acks_per_s)
        return;
    c->challenges++;
    c->challenge_count++;
    (void)gn_tcp_send_ack(t, net, c, now, txq);
}

void gn_tcp_reset_for(struct gn_tcp *t, struct gn_net *net, const struct gn_tcp_in *s, uint64_t now, struct gn_txq *txq)
{
    uint64_t mac = 0;
    if (now - t->resets_ns >= GN_NS_PER_S) {
        t->resets_ns = now;
        t->resets = 0;
    }
    if ((s->flags & GN_TCP_RST) != 0 || t->resets >= t->conf.resets_per_s)
        return;
    if (gn_net_next_hop(net, s->ip->src, net->now_ns, txq, &mac) != GN_NET_OK)
        return;
    uint8_t *frame = gn_txq_take(txq);
    if (frame == NULL)
        return;
    t->resets++;
    uint8_t *tcp = gn_ip_write(net, frame, mac, GN_IP_PROTO_TCP, net->conf.ttl, s->ip->src, GN_TCP_LEN);
    bool acked = (s->flags & GN_TCP_ACK) != 0;
    uint32_t used = s->len + ((s->flags & GN_TCP_SYN) != 0) + ((s->flags & GN_TCP_FIN) != 0);
    memset(tcp, 0, GN_TCP_LEN);
    gn_store_be16(tcp, s->dst_port);
    gn_store_be16(tcp + 2, s->src_port);
    gn_store_be32(tcp + 4, acked ? s->ack : 0);
    gn_store_be32(tcp + 8, acked ? 0 : s->seq + used);
    tcp[12] = (uint8_t)(GN_TCP_LEN << 2);
    tcp[13] = acked ? GN_TCP_RST : GN_TCP_RST | GN_TCP_ACK;
    uint64_t sum = gn_csum_pseudo(net->conf.ip, s->ip->src, GN_IP_PROTO_TCP, GN_TCP_LEN);
    gn_csum_store(tcp + 16, gn_csum_finish(gn_csum_add(sum, tcp, GN_TCP_LEN)));
    gn_txq_commit(txq, (uint16_t)((uint32_t)(tcp - frame) + GN_TCP_LEN));
}
