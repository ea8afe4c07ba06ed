/* Taking a table over from a process that is gone, and the invariants that hold between any two calls. */
#include "dataplane/net/tcp_seal.h"

#define BROKEN(cond, text) \
    do {                   \
        if (cond)          \
            return text;   \
    } while (0)

/* The segment ring: contiguous from snd_una to snd_nxt. */
static const char *check_segs(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    uint32_t sacked = 0;
    uint64_t at = 0;
    BROKEN(gn_tcp_segs_out(c) > t->segs, "segment ring overfull");
    for (uint32_t i = c->seg_head; i != c->seg_tail; i++) {
        const struct gn_tcp_seg *seg = gn_tcp_seg_at(t, c, i);
        BROKEN(seg->end <= seg->seq || seg->end - seg->seq > 65535, "segment empty or too long");
        BROKEN(i != c->seg_head && seg->seq != at, "segments are not contiguous");
        BROKEN(i == c->seg_head && (seg->seq > c->snd_una || seg->end <= c->snd_una), "head is not at snd_una");
        sacked += (seg->marks & GN_TCP_SEG_SACKED) != 0;
        at = seg->end;
    }
    BROKEN(gn_tcp_segs_out(c) != 0 && at != c->snd_nxt, "tail is not at snd_nxt");
    BROKEN(gn_tcp_segs_out(c) == 0 && c->snd_una != c->snd_nxt, "in flight without a segment");
    BROKEN(sacked != c->sacked, "count of SACKed segments");
    return NULL;
}

static const char *check_ooo(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    uint64_t at = c->rcv_nxt;
    BROKEN(c->ooo_n > GN_TCP_OOO_MAX, "too many out-of-order ranges");
    for (uint32_t i = 0; i < c->ooo_n; i++) {
        BROKEN(c->ooo[i].from <= at || c->ooo[i].to <= c->ooo[i].from, "out-of-order ranges unsorted");
        at = c->ooo[i].to;
    }
    BROKEN(c->ooo_n != 0 && at > gn_tcp_rcv_edge(t, c), "out-of-order data beyond the window");
    return NULL;
}

/* What must hold even of memory that a process left in the middle of a call. */
static const char *check_offsets(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    BROKEN(c->state >= GN_TCP_STATE_COUNT, "state");
    BROKEN(c->owner > GN_TCP_OWNER_CALLER, "owner");
    BROKEN(c->snd_end == 0 || c->consumed == 0 || c->rcv_nxt == 0, "offset 0");
    BROKEN(c->snd_una > c->snd_end + 1 || c->snd_nxt > c->snd_end + t->sndbuf + 1, "snd_una or snd_nxt beyond the end");
    BROKEN(c->snd_end > c->snd_una + t->sndbuf + 1, "more queued than the buffer holds");
    BROKEN(c->consumed > c->rcv_nxt || c->rcv_nxt > gn_tcp_rcv_edge(t, c) + 1, "receive offsets");
    BROKEN(c->mss < GN_TCP_MSS_FLOOR - GN_TCP_TS_SPACE || c->mss > GN_NET_MTU_MAX, "mss");
    BROKEN(c->snd_wscale > 14 || c->rcv_wscale > 14, "window scale");
    BROKEN(c->remote_port == 0 || c->local_port == 0 || c->remote_ip == 0, "address");
    return NULL;
}

/* A template that is ready says what the next segment has to say. */
static const char *check_ready(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    const uint8_t *tcp = c->hdr + c->eth_len + GN_IP_LEN;
    BROKEN(c->ready_room > gn_tcp_room(t, c), "more room for the next message than there is");
    BROKEN(c->ready_room != 0 && gn_tcp_flight(c) == 0 && c->cwnd > gn_tcp_initial_window(t, c) &&
               c->ready_until > c->last_tx_ns + c->rto_ns,
           "an idle connection that does not start anew");
    if (c->ready_len == 0 || c->hdr_len == 0)
        return NULL;
    BROKEN(c->ts_on == 0, "template ready without timestamps");
    BROKEN(gn_load_be32(tcp + 8) != c->irs + (uint32_t)c->rcv_nxt, "template with another acknowledgement");
    BROKEN(gn_load_be16(tcp + 14) != gn_tcp_window_field(c, false), "template with another window");
    BROKEN(gn_load_be32(tcp + GN_TCP_LEN + 8) != c->ts_recent, "template with another echo");
    return NULL;
}

static const char *check_conn(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    const char *what = check_offsets(t, c);
    if (what == NULL)
        what = check_segs(t, c);
    if (what == NULL)
        what = check_ooo(t, c);
    if (what == NULL)
        what = check_ready(t, c);
    BROKEN(what != NULL, what);
    BROKEN(c->snd_una > c->snd_nxt || (c->snd_nxt > c->snd_end + 1), "snd_una, snd_nxt, snd_end out of order");
    BROKEN(c->snd_nxt > c->snd_end && c->state > GN_TCP_CLOSED && c->state < GN_TCP_FIN_WAIT_1,
           "FIN sent by an open connection");
    BROKEN(c->state > GN_TCP_CLOSED && gn_tcp_segs_out(c) != 0 && c->rto_at == GN_NET_NEVER,
           "in flight without a timer");
    BROKEN(c->state > GN_TCP_CLOSED && c->rto_at < t->next_ns && t->next_ns == GN_NET_NEVER, "timer not scheduled");
    BROKEN(c->due_at != gn_tcp_deadlines((struct gn_tcp *)(uintptr_t)t)[c->index] ||
               c->due_at < gn_tcp_groups((struct gn_tcp *)(uintptr_t)t)[c->index / GN_TCP_DUE_GROUP],
           "deadline that its group does not know");
    BROKEN(c->cwnd == 0 || c->rto_ns == 0, "congestion window or timeout is 0");
    BROKEN(c->state > GN_TCP_CLOSED && gn_tcp_find(t, c->remote_ip, c->remote_port, c->local_port) != c,
           "not found by its address");
    return NULL;
}

int gn_tcp_check(const struct gn_tcp *t, const char **what)
{
    uint32_t used = 0;
    uint32_t blocked = 0;
    *what = NULL;
    for (uint32_t i = 0; i < t->max_conns && *what == NULL; i++) {
        const struct gn_tcp_conn *c = gn_tcp_conn_at(t, i);
        if (c->state == GN_TCP_FREE)
            continue;
        used++;
        blocked += c->blocked != 0;
        *what = check_conn(t, c);
    }
    if (*what == NULL && used != t->used)
        *what = "count of connections in use";
    if (*what == NULL && blocked != t->blocked)
        *what = "count of blocked connections";
    return *what == NULL ? GN_TCP_OK : GN_TCP_ERR_CORRUPT;
}

/* snd_nxt and snd_end follow from the descriptors that exist; those that snd_una has passed go. */
static const char *repair_sending(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    BROKEN(gn_tcp_segs_out(c) > t->segs, "segment ring overfull");
    if (gn_tcp_synchronised(c) && c->snd_una == 0 && c->seg_head != c->seg_tail &&
        gn_tcp_seg_at(t, c, c->seg_head)->kind == GN_TCP_SEG_SYN && c->state == GN_TCP_ESTABLISHED)
        c->snd_una = 1; /* died between the state and the ACK that led to it */
    while (c->seg_head != c->seg_tail && gn_tcp_seg_at(t, c, c->seg_head)->end <= c->snd_una)
        c->seg_head++;
    c->snd_nxt = c->snd_una;
    if (c->seg_head != c->seg_tail) {
        const struct gn_tcp_seg *last = gn_tcp_seg_at(t, c, c->seg_tail - 1);
        c->snd_nxt = last->end;
        if (last->kind != GN_TCP_SEG_FIN && last->end > c->snd_end)
            c->snd_end = last->end;
    }
    gn_tcp_all_lost(t, c);
    return check_segs(t, c);
}

static void repair_timers(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    uint64_t min = (uint64_t)t->conf.rto_min_us * 1000;
    uint64_t max = (uint64_t)t->conf.rto_max_us * 1000;
    if (c->rto_ns < min || c->rto_ns > max)
        c->rto_ns = (uint64_t)t->conf.rto_initial_us * 1000;
    if (c->srtt_ns > max || c->rttvar_ns > max) {
        c->srtt_ns = 0;
        c->rttvar_ns = 0;
    }
    c->rto_at = GN_NET_NEVER;
    c->ack_at = GN_NET_NEVER;
    c->misc_at = GN_NET_NEVER;
    if (c->heard_ns > now)
        c->heard_ns = now;
    c->challenge_ns = now;
    c->last_tx_ns = now;
    if (c->ts_recent_ns > now)
        c->ts_recent_ns = now;
    if (c->state == GN_TCP_TIME_WAIT)
        c->misc_at = now + t->conf.time_wait_ms * GN_NS_PER_MS;
    else if (c->state == GN_TCP_FIN_WAIT_2 && c->owner == GN_TCP_OWNER_NONE)
        c->misc_at = now + t->conf.fin_wait_2_ms * GN_NS_PER_MS;
    else if (t->conf.keepalive_idle_ms != 0)
        c->misc_at = now + t->conf.keepalive_interval_ms * GN_NS_PER_MS;
}

/* What may be forgotten is: out-of-order data, SACK marks, the congestion window (see the head of tcp.h). */
static void forget(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    c->ooo_n = 0;
    c->cwnd = gn_tcp_initial_window(t, c);
    c->cwnd_acc = 0;
    c->dup_acks = 0;
    c->recovery = gn_tcp_segs_out(c) != 0 ? GN_TCP_RECOVERY_LOSS : GN_TCP_RECOVERY_NONE;
    c->recover = c->snd_nxt;
    c->force = 1;
    c->ack_owed = 0;
    if (c->ssthresh < 2 * c->mss)
        c->ssthresh = 2 * c->mss;
    c->rcv_adv = gn_tcp_rcv_edge(t, c);
    c->rcv_told = c->rcv_nxt;
    if (c->last_ack > c->rcv_nxt)
        c->last_ack = c->rcv_nxt;
}

static void join_conn(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    const char *what = check_offsets(t, c);
    if (what == NULL)
        what = repair_sending(t, c);
    if (what == NULL && c->rcv_fin != 0 && c->rcv_nxt > c->rcv_fin + 1)
        what = "FIN before the end";
    if (what != NULL) {
        c->seg_head = c->seg_tail;
        c->snd_nxt = c->snd_una;
        c->sacked = 0;
        c->ooo_n = 0;
        gn_tcp_end(t, c, GN_TCP_REASON_CORRUPT);
        return;
    }
    forget(t, c);
    repair_timers(t, c, now);
    if (c->rcv_fin != 0 && c->rcv_nxt == c->rcv_fin) {
        c->rcv_nxt++;
        gn_tcp_event(t, c, GN_TCP_EV_PEER_CLOSED);
    }
    gn_tcp_settle(t, c, now);
    if (c->state == GN_TCP_LAST_ACK && gn_tcp_fin_sent(c) && c->snd_una > c->snd_end) {
        gn_tcp_end(t, c, GN_TCP_REASON_CLOSED);
        return;
    }
    if (c->state == GN_TCP_ESTABLISHED)
        gn_tcp_event(t, c, GN_TCP_EV_CONNECTED | GN_TCP_EV_READABLE);
    c->ack_now = gn_tcp_synchronised(c);
    if (gn_tcp_segs_out(c) != 0)
        gn_tcp_arm(t, c, now);
    /* Everything that is due goes out as if it had been held up. */
    gn_tcp_block(t, c, GN_TCP_BLOCKED_TXQ);
    gn_tcp_due(t, c, now);
}

int gn_tcp_join(void *mem, uint64_t max_bytes, uint64_t now_ns, struct gn_tcp **tcp)
{
    struct gn_tcp *t = mem;
    const char *field;
    if (max_bytes < sizeof *t || t->magic != GN_TCP_MAGIC || t->conn_bytes != sizeof(struct gn_tcp_conn))
        return GN_TCP_ERR_MAGIC;
    if (gn_tcp_footprint(t->max_conns, t->sndbuf, t->rcvbuf) != t->bytes || t->bytes > max_bytes ||
        gn_tcp_conf_check(&t->conf, &field) != GN_TCP_OK)
        return GN_TCP_ERR_CORRUPT;
    (void)gn_tcp_layout(t);
    uint64_t now = gn_tcp_clock(t, now_ns);
    t->next_ns = now;
    t->resets_ns = now;
    t->resets = 0;
    t->arp_gen = 0;
    gn_tcp_slots_rebuild(t);
    for (uint32_t i = 0; i < t->max_conns; i++) {
        struct gn_tcp_conn *c = gn_tcp_conn_at(t, i);
        c->arp_gen = 0;
        c->hdr_len = 0; /* the template may be torn: gn_tcp_route builds it anew */
        c->ready_len = 0;
        c->ready_room = 0;
        gn_tcp_expect(c);
        if (c->state > GN_TCP_CLOSED)
            join_conn(t, c, now);
        else if (c->state == GN_TCP_CLOSED && c->owner != GN_TCP_OWNER_CALLER)
            gn_tcp_slot_free(t, c);
    }
    *tcp = t;
    return GN_TCP_OK;
}
