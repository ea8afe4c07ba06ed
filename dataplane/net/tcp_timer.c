#include "dataplane/net/tcp_conn.h"

/* Deadlines are looked through no more often than this, so that many connections cost no more than a few. */
#define TICK_NS (100ull * 1000ull)
/* Output that ARP or a full txq held up is tried again. */
#define BLOCKED_TXQ_NS GN_NS_PER_MS
#define BLOCKED_ARP_NS (100 * GN_NS_PER_MS) /* or as soon as a neighbour is heard of */

static bool give_up(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    uint32_t max = gn_tcp_synchronised(c) ? t->conf.data_retries : t->conf.syn_retries;
    return c->retries >= max;
}

/* Nothing came back in time: everything in flight is taken for lost (RFC 6298 section 5, RFC 5681 section 3.1). */
static void time_out(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    uint64_t half = gn_tcp_flight(c) / 2;
    const struct gn_tcp_seg *head = gn_tcp_seg_at(t, c, c->seg_head);
    if (c->recovery != GN_TCP_RECOVERY_LOSS || (head->marks & GN_TCP_SEG_KARN) == 0)
        c->ssthresh = half > 2 * (uint64_t)c->mss ? (uint32_t)half : 2 * c->mss;
    c->cwnd = c->mss;
    c->cwnd_acc = 0;
    c->dup_acks = 0;
    c->recovery = GN_TCP_RECOVERY_LOSS;
    c->recover = c->snd_nxt;
    c->timeouts++;
    gn_tcp_all_lost(t, c);
}

static void rto_fired(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq)
{
    bool in_flight = gn_tcp_segs_out(c) != 0;
    bool unsent = gn_tcp_unsent(c);
    c->rto_at = GN_NET_NEVER;
    if (!in_flight && !unsent && c->want_write != 2)
        return;
    if (give_up(t, c)) {
        gn_tcp_end(t, c, GN_TCP_REASON_TIMEOUT);
        return;
    }
    c->retries++;
    if (c->backoff < 31)
        c->backoff++;
    if (in_flight && c->snd_wnd == 0 && c->snd_una != 0) {
        /* A closed window loses segments without the network being at fault: the oldest one is the probe. */
        (void)gn_tcp_resend(t, net, c, gn_tcp_seg_at(t, c, c->seg_head), now, txq);
    } else if (in_flight) {
        time_out(t, c);
        gn_tcp_output(t, net, c, now, txq);
    } else if (unsent && (c->snd_nxt == 0 || c->snd_nxt == c->snd_end)) {
        gn_tcp_output(t, net, c, now, txq); /* a SYN or FIN that could not leave */
    } else {
        (void)gn_tcp_probe(t, net, c, now, txq);
    }
    if (c->state > GN_TCP_CLOSED)
        gn_tcp_arm(t, c, now);
}

/* Keepalive, FIN-WAIT-2 and TIME-WAIT share a timer: a connection is in need of one of them at a time. */
static void misc_fired(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq)
{
    uint64_t idle_ns = t->conf.keepalive_idle_ms * GN_NS_PER_MS;
    c->misc_at = GN_NET_NEVER;
    if (c->state == GN_TCP_TIME_WAIT || (c->state == GN_TCP_FIN_WAIT_2 && c->owner == GN_TCP_OWNER_NONE)) {
        gn_tcp_end(t, c, c->state == GN_TCP_TIME_WAIT ? GN_TCP_REASON_CLOSED : GN_TCP_REASON_TIMEOUT);
        return;
    }
    if (idle_ns == 0 || !gn_tcp_synchronised(c))
        return;
    if (now - c->heard_ns < idle_ns) {
        c->misc_at = c->heard_ns + idle_ns;
        return;
    }
    if (c->keepalives >= t->conf.keepalive_probes) {
        (void)gn_tcp_emit(t, net, c, c->snd_nxt, GN_TCP_RST | GN_TCP_ACK, 0, now, txq);
        gn_tcp_end(t, c, GN_TCP_REASON_KEEPALIVE);
        return;
    }
    /* With data in flight the retransmission timer finds out; RFC 9293 section 3.8.4 probes only idle connections. */
    if (gn_tcp_segs_out(c) == 0) {
        c->keepalives++;
        (void)gn_tcp_emit(t, net, c, c->snd_una - 1, GN_TCP_ACK, 0, now, txq);
    }
    c->misc_at = now + t->conf.keepalive_interval_ms * GN_NS_PER_MS;
}

static uint64_t earliest(const struct gn_tcp_conn *c, uint64_t now)
{
    uint64_t at = c->rto_at < c->ack_at ? c->rto_at : c->ack_at;
    if (c->misc_at < at)
        at = c->misc_at;
    if (c->blocked != 0 || c->ack_now != 0) {
        uint64_t again = now + (c->blocked == GN_TCP_BLOCKED_ARP ? BLOCKED_ARP_NS : BLOCKED_TXQ_NS);
        at = again < at ? again : at;
    }
    return at;
}

static void conn_timer(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq)
{
    gn_tcp_outdated(t, c);
    if (c->rto_at <= now)
        rto_fired(t, net, c, now, txq);
    if (c->state > GN_TCP_CLOSED && c->misc_at <= now)
        misc_fired(t, net, c, now, txq);
    if (c->state > GN_TCP_CLOSED && c->ack_at <= now) {
        c->ack_at = GN_NET_NEVER;
        c->ack_now = 1;
    }
    if (c->state > GN_TCP_CLOSED && (c->blocked != 0 || c->ack_now != 0))
        gn_tcp_output(t, net, c, now, txq);
    gn_tcp_set_deadline(t, c, c->state > GN_TCP_CLOSED ? earliest(c, now) : GN_NET_NEVER);
}

/* The earliest deadline of a group, after those that were due. */
static uint64_t look_at_group(struct gn_tcp *t, struct gn_net *net, uint32_t group, uint64_t now, bool arp,
                              struct gn_txq *txq)
{
    const uint64_t *deadlines = gn_tcp_deadlines(t);
    uint32_t from = group * GN_TCP_DUE_GROUP;
    uint32_t to = t->max_conns - from < GN_TCP_DUE_GROUP ? t->max_conns : from + GN_TCP_DUE_GROUP;
    uint64_t next = GN_NET_NEVER;
    for (uint32_t i = from; i < to; i++) {
        struct gn_tcp_conn *c = gn_tcp_conn_at(t, i);
        if (deadlines[i] <= now || (arp && c->state > GN_TCP_CLOSED && c->blocked != 0))
            conn_timer(t, net, c, now, txq);
        if (deadlines[i] < next)
            next = deadlines[i];
    }
    return next;
}

static GN_COLD void look_through(struct gn_tcp *t, struct gn_net *net, uint64_t now, bool arp, struct gn_txq *txq)
{
    uint64_t *groups = gn_tcp_groups(t);
    uint64_t next = GN_NET_NEVER;
    for (uint32_t i = 0; i < gn_tcp_groups_n(t); i++) {
        if (groups[i] <= now || arp)
            groups[i] = look_at_group(t, net, i, now, arp, txq);
        if (groups[i] < next)
            next = groups[i];
    }
    t->next_ns = next < now + TICK_NS ? now + TICK_NS : next;
}

/* Off the path of an order: the template of the connection that heard something. */
static void make_ready(struct gn_tcp *t)
{
    struct gn_tcp_conn *c = (struct gn_tcp_conn *)(void *)((uint8_t *)t + t->unready);
    t->unready = 0;
    if (c->state == GN_TCP_ESTABLISHED && c->hdr_len != 0 && c->ready_len == 0 && c->last_len != 0)
        gn_tcp_make_ready(t, c, c->last_len);
}

uint64_t gn_tcp_timer(struct gn_tcp *t, struct gn_net *net, uint64_t now_ns, struct gn_txq *txq)
{
    uint64_t now = gn_tcp_clock(t, now_ns);
    bool arp = t->arp_gen != net->arp_gen && t->blocked != 0;
    if (GN_UNLIKELY(now >= t->next_ns || arp)) {
        /* gn_tcp_route takes its time from the endpoint, which may not have heard of this call's */
        (void)gn_net_clock(net, now_ns);
        t->arp_gen = net->arp_gen;
        look_through(t, net, now, arp, txq);
    }
    if (t->unready != 0)
        make_ready(t);
    return t->next_ns == GN_NET_NEVER ? GN_NET_NEVER : t->next_ns - t->skew_ns;
}
