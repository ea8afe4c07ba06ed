/* The table: its configuration, its memory, what it says of its connections. */
#include "dataplane/net/tcp.h"

#include "dataplane/net/tcp_conn.h"

#define SEGS_MIN 64u
#define SEGS_MAX 4096u

const char *gn_tcp_strerror(int err)
{
    switch (err) {
#define GN_X(num, NAME, text) \
    case num:                 \
        return text;
        GN_TCP_ERRS(GN_X)
#undef GN_X
    default:
        return "unknown TCP error";
    }
}

const char *gn_tcp_state_name(uint32_t state)
{
    static const char *const names[] = {
#define GN_X(NAME, name) name,
        GN_TCP_STATES(GN_X)
#undef GN_X
    };
    return state < GN_ARRAY_LEN(names) ? names[state] : "unknown";
}

const char *gn_tcp_reason_name(uint32_t reason)
{
    static const char *const names[] = {
#define GN_X(NAME, name, help) name,
        GN_TCP_REASONS(GN_X)
#undef GN_X
    };
    return reason < GN_ARRAY_LEN(names) ? names[reason] : "unknown";
}

void gn_tcp_conf_default(struct gn_tcp_conf *conf)
{
    memset(conf, 0, sizeof *conf);
#define GN_X(type, member, min, max, def, help) conf->member = def;
    GN_TCP_CONF(GN_X)
#undef GN_X
}

int gn_tcp_conf_check(const struct gn_tcp_conf *conf, const char **field)
{
#define GN_X(type, member, min, max, def, help)                                             \
    if ((int64_t)conf->member < (int64_t)(min) || (int64_t)conf->member > (int64_t)(max)) { \
        *field = #member;                                                                   \
        return GN_TCP_ERR_ARG;                                                              \
    }
    GN_TCP_CONF(GN_X)
#undef GN_X
    *field = NULL;
    if (conf->rto_min_us > conf->rto_max_us)
        *field = "rto_min_us";
    else if (conf->rto_initial_us > conf->rto_max_us)
        *field = "rto_initial_us";
    else if (conf->port_min > conf->port_max)
        *field = "port_min";
    return *field == NULL ? GN_TCP_OK : GN_TCP_ERR_ARG;
}

static bool buf_ok(uint32_t bytes)
{
    return gn_is_pow2(bytes) && bytes >= GN_TCP_BUF_MIN && bytes <= GN_TCP_BUF_MAX;
}

static uint32_t pow2_above(uint32_t n)
{
    uint32_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

/* Where everything lies, from three numbers; false when they are out of range. */
static bool plan(struct gn_tcp *t, uint32_t max_conns, uint32_t sndbuf, uint32_t rcvbuf)
{
    if (max_conns < 1 || max_conns > GN_TCP_CONNS_MAX || !buf_ok(sndbuf) || !buf_ok(rcvbuf))
        return false;
    uint32_t segs = sndbuf / 64;
    t->max_conns = max_conns;
    t->sndbuf = sndbuf;
    t->rcvbuf = rcvbuf;
    t->segs = segs < SEGS_MIN ? SEGS_MIN : segs > SEGS_MAX ? SEGS_MAX : segs;
    t->hash_mask = pow2_above(2 * max_conns) - 1;
    t->event_mask = pow2_above(max_conns) - 1;
    t->conn_bytes = sizeof(struct gn_tcp_conn);
    uint64_t at = gn_align_up(sizeof(struct gn_tcp), GN_GUARD);
    t->deadline_off = at;
    at = gn_align_up(at + (uint64_t)max_conns * sizeof(uint64_t), GN_GUARD);
    t->group_off = at;
    at = gn_align_up(at + (uint64_t)gn_tcp_groups_n(t) * sizeof(uint64_t), GN_GUARD);
    t->hash_off = at;
    at = gn_align_up(at + ((uint64_t)t->hash_mask + 1) * sizeof(uint32_t), GN_GUARD);
    t->event_off = at;
    at = gn_align_up(at + ((uint64_t)t->event_mask + 1) * sizeof(uint32_t), GN_GUARD);
    t->conn_off = at;
    t->conn_stride = gn_align_up(GN_TCP_CONN_ROOM + (uint64_t)t->segs * sizeof(struct gn_tcp_seg) + sndbuf + rcvbuf +
                                     GN_TCP_CONTIGUOUS,
                                 GN_GUARD);
    t->bytes = at + max_conns * t->conn_stride;
    return true;
}

bool gn_tcp_layout(struct gn_tcp *t)
{
    t->rto_min_ns = (uint64_t)t->conf.rto_min_us * 1000;
    t->rto_max_ns = (uint64_t)t->conf.rto_max_us * 1000;
    return plan(t, t->max_conns, t->sndbuf, t->rcvbuf);
}

uint64_t gn_tcp_footprint(uint32_t max_conns, uint32_t sndbuf_bytes, uint32_t rcvbuf_bytes)
{
    struct gn_tcp t;
    return plan(&t, max_conns, sndbuf_bytes, rcvbuf_bytes) ? t.bytes : 0;
}

int gn_tcp_new(void *mem, uint32_t max_conns, uint32_t sndbuf_bytes, uint32_t rcvbuf_bytes,
               const struct gn_tcp_conf *conf, uint64_t now_ns, struct gn_tcp **tcp)
{
    struct gn_tcp *t = mem;
    struct gn_tcp probe;
    const char *field;
    if (gn_tcp_conf_check(conf, &field) != GN_TCP_OK || !plan(&probe, max_conns, sndbuf_bytes, rcvbuf_bytes))
        return GN_TCP_ERR_ARG;
    t->magic = 0;
    GN_STORE_ORDER();
    memset(t, 0, sizeof *t);
    t->conf = *conf;
    t->max_conns = max_conns;
    t->sndbuf = sndbuf_bytes;
    t->rcvbuf = rcvbuf_bytes;
    (void)gn_tcp_layout(t);
    t->now_ns = now_ns;
    t->resets_ns = now_ns;
    t->next_ns = GN_NET_NEVER;
    for (uint32_t i = 0; i < max_conns; i++)
        memset(gn_tcp_conn_at(t, i), 0, sizeof(struct gn_tcp_conn));
    gn_tcp_slots_rebuild(t);
    /* Ports start where the key says, so that a restart does not run into the TIME-WAITs of the peers. */
    memcpy(&t->next_port, conf->secret + 4, sizeof t->next_port);
    t->next_port = (t->next_port ^ (uint32_t)(now_ns >> 20)) % (conf->port_max - conf->port_min + 1);
    GN_STORE_ORDER();
    t->magic = GN_TCP_MAGIC;
    *tcp = t;
    return GN_TCP_OK;
}

uint32_t gn_tcp_max_conns(const struct gn_tcp *t)
{
    return t->max_conns;
}

uint32_t gn_tcp_state(const struct gn_tcp *t, uint32_t conn)
{
    return conn < t->max_conns ? gn_tcp_conn_at(t, conn)->state : GN_TCP_FREE;
}

/* Offsets in the header are of payload bytes: SYN and FIN are taken off. */
static uint64_t payload_offset(const struct gn_tcp_conn *c, uint64_t seq)
{
    uint64_t off = seq > c->snd_end ? c->snd_end : seq;
    return off == 0 ? 0 : off - 1;
}

void gn_tcp_status(const struct gn_tcp *t, uint32_t conn, struct gn_tcp_status *st)
{
    memset(st, 0, sizeof *st);
    if (conn >= t->max_conns || gn_tcp_conn_at(t, conn)->state == GN_TCP_FREE)
        return;
    const struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint64_t rcv_end = c->rcv_fin != 0 && c->rcv_nxt > c->rcv_fin ? c->rcv_fin : c->rcv_nxt;
    st->state = c->state;
    st->reason = c->reason;
    st->sack = c->sack_on;
    st->timestamps = c->ts_on;
    st->local_ip = c->local_ip;
    st->remote_ip = c->remote_ip;
    st->local_port = c->local_port;
    st->remote_port = c->remote_port;
    st->acked = payload_offset(c, c->snd_una);
    st->sent = payload_offset(c, c->snd_nxt);
    st->queued = payload_offset(c, c->snd_end);
    st->received = rcv_end - 1;
    st->consumed = c->consumed - 1;
    if (c->state == GN_TCP_CLOSED) {
        st->doubt_from = st->acked;
        st->doubt_to = st->sent;
    }
    st->mss = c->mss;
    st->cwnd = c->cwnd;
    st->ssthresh = c->ssthresh;
    st->peer_window = c->snd_wnd;
    st->srtt_us = (uint32_t)(c->srtt_ns / 1000);
    st->rto_us = (uint32_t)(c->rto_ns / 1000);
    st->in_flight = gn_tcp_segs_out(c);
    for (uint32_t i = 0; i < c->ooo_n; i++)
        st->out_of_order += (uint32_t)(c->ooo[i].to - c->ooo[i].from);
    st->retransmits = c->retransmits;
    st->timeouts = c->timeouts;
    st->fast_recoveries = c->fast_recoveries;
    st->dup_acks = c->dup_ack_count;
    st->segs_in = c->segs_in;
    st->segs_out = c->segs_out;
    st->soft_errors = c->soft_errors;
    st->challenge_acks = c->challenge_count;
}
