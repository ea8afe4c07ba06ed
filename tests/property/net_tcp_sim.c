/* Two endpoints over a link that loses, doubles, reorders, corrupts and delays, with clock steps, sequence numbers near
 * 2^32, path-MTU changes, stalled readers and processes that die between any two calls. Whatever happens: what is read
 * is an exact prefix of what was written, both directions end, and a dead link ends the connection after bounded
 * retries.
 *
 *     net_tcp_sim [segments [seed]]       a failing seed is printed; give it as the second argument to replay it alone
 */
#include <stdio.h>

#include "dataplane/net/tcp_conn.h"
#include "tests/gn_test.h"
#include "tests/unit/net/host.h"

#define WIRE_MAX   4096u
#define TIME_LIMIT (3600ull * 24ull * HOST_S)
#define STEPS_MAX  2000000u
#define PORT       7777

struct packet {
    uint64_t at;
    uint32_t to, len;
    uint8_t data[GN_FRAME_ROOM];
};

struct end {
    struct host h;
    uint64_t clock; /* the host's time less the simulation's */
    uint64_t total; /* bytes that it sends */
    uint64_t got;
    uint64_t stall_until;
    uint32_t conn;
    bool closed, done, aborted;
};

struct sim {
    uint64_t seed, rng, now;
    uint32_t loss, dup, corrupt, reorder, restart, step, stall; /* per 10,000 */
    uint64_t delay, jitter;
    uint64_t mtu_at, dead_at;
    uint32_t mtu;
    struct end end[2];
    struct packet *wire;
    uint32_t packets;
    uint64_t segments, bytes, restarts, retransmits, aborts;
    const char *failure;
};

static uint64_t rnd(struct sim *s, uint64_t n)
{
    return n == 0 ? 0 : gn_test_rand(&s->rng) % n;
}

static bool chance(struct sim *s, uint32_t per_10k)
{
    return rnd(s, 10000) < per_10k;
}

static void fail(struct sim *s, const char *why)
{
    if (s->failure == NULL)
        s->failure = why;
}

static uint8_t stream_byte(const struct sim *s, uint32_t from, uint64_t off)
{
    uint64_t z = (off + 1) * 0x9e3779b97f4a7c15ull + s->seed + from;
    return (uint8_t)(z >> 56 ^ z >> 23);
}

static uint64_t host_now(const struct sim *s, const struct end *e)
{
    return s->now + e->clock;
}

static void enqueue(struct sim *s, uint32_t to, const uint8_t *data, uint32_t len)
{
    if (s->packets == WIRE_MAX)
        return; /* a full link loses, too */
    struct packet *p = &s->wire[s->packets++];
    p->to = to;
    p->len = len;
    p->at = s->now + s->delay + rnd(s, s->jitter);
    if (chance(s, s->reorder))
        p->at += rnd(s, 8 * s->delay + 1);
    memcpy(p->data, data, len);
    if (chance(s, s->corrupt))
        p->data[rnd(s, len)] ^= (uint8_t)(1u << rnd(s, 8));
    /* ARP has no checksum of its own: what is wrong with it the frame's finds, and it does not come in */
    if (gn_load_be16(data + 12) == GN_ETH_TYPE_ARP && memcmp(p->data, data, len) != 0)
        s->packets--;
}

/* The router on the way: a packet that is too large comes back as ICMP (RFC 1191). */
static bool too_large(struct sim *s, uint32_t from, const uint8_t *f, uint32_t len)
{
    if (s->now < s->mtu_at || len <= s->mtu + GN_ETH_LEN)
        return false;
    uint8_t icmp[GN_ETH_LEN + GN_IP_LEN + GN_ICMP_LEN + 28] = {0};
    uint8_t *ip = icmp + GN_ETH_LEN;
    uint8_t *p = ip + GN_IP_LEN;
    memcpy(icmp, s->end[from].h.net_conf.mac, 6);
    icmp[6] = 6;
    gn_store_be16(icmp + 12, GN_ETH_TYPE_IPV4);
    ip[0] = 0x45;
    gn_store_be16(ip + 2, sizeof icmp - GN_ETH_LEN);
    ip[8] = 9;
    ip[9] = GN_IP_PROTO_ICMP;
    gn_store_be32(ip + 12, 0x0a0000feu);
    gn_store_be32(ip + 16, s->end[from].h.net_conf.ip);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, GN_IP_LEN)));
    p[0] = GN_ICMP_UNREACHABLE;
    p[1] = GN_ICMP_CODE_FRAG;
    gn_store_be16(p + 6, (uint16_t)s->mtu);
    memcpy(p + GN_ICMP_LEN, f + GN_ETH_LEN, 28);
    gn_csum_store(p + 2, gn_csum_finish(gn_csum_add(0, p, GN_ICMP_LEN + 28)));
    enqueue(s, from, icmp, sizeof icmp);
    return true;
}

/* What the loop of a host hands to its NIC after each call. */
static void burst(struct sim *s, uint32_t from)
{
    struct end *e = &s->end[from];
    for (uint32_t i = 0; i < e->h.txq.n; i++) {
        const uint8_t *f = e->h.txq.buf[i];
        uint32_t len = e->h.txq.len[i];
        s->segments++;
        if (s->now >= s->dead_at || chance(s, s->loss) || too_large(s, from, f, len))
            continue;
        enqueue(s, 1 - from, f, len);
        if (chance(s, s->dup))
            enqueue(s, 1 - from, f, len);
    }
    /* now and then the NIC takes only a few at a time */
    host_stock(&e->h, chance(s, 500) ? (uint32_t)rnd(s, 4) : GN_TXQ_MAX);
}

static void check(struct sim *s, struct end *e)
{
    const char *what;
    if (gn_tcp_check(e->h.tcp, &what) != GN_TCP_OK)
        fail(s, what);
}

static void read_some(struct sim *s, uint32_t who)
{
    struct end *e = &s->end[who];
    const uint8_t *data;
    if (e->conn == GN_TCP_NONE || s->now < e->stall_until)
        return;
    uint32_t len = gn_tcp_readable(e->h.tcp, e->conn, &data);
    uint32_t n = chance(s, 3000) ? (uint32_t)rnd(s, len + 1) : len;
    for (uint32_t i = 0; i < len; i++)
        if (data[i] != stream_byte(s, 1 - who, e->got + i)) {
            fail(s, "a byte read is not the byte written");
            return;
        }
    gn_tcp_consume(e->h.tcp, e->conn, n);
    e->got += n;
    s->bytes += n;
    if (chance(s, s->stall))
        e->stall_until = s->now + rnd(s, 3 * HOST_S);
}

static void write_some(struct sim *s, uint32_t who)
{
    struct end *e = &s->end[who];
    uint8_t data[4000];
    struct gn_tcp_status st;
    if (e->conn == GN_TCP_NONE || e->closed)
        return;
    gn_tcp_status(e->h.tcp, e->conn, &st);
    uint64_t off = gn_tcp_send_offset(e->h.tcp, e->conn);
    uint64_t left = e->total - off;
    bool bulk = chance(s, 3000);
    uint64_t max = bulk ? sizeof data : 1 + rnd(s, st.mss);
    uint32_t len = (uint32_t)(left < max ? left : max);
    for (uint32_t i = 0; i < len; i++)
        data[i] = stream_byte(s, who, off + i);
    if (len == 0) {
        if (st.state == GN_TCP_ESTABLISHED || st.state == GN_TCP_CLOSE_WAIT)
            e->closed = gn_tcp_close(e->h.tcp, e->h.net, e->conn, host_now(s, e), &e->h.txq) == GN_TCP_OK;
        return;
    }
    if (bulk) {
        if (gn_tcp_write(e->h.tcp, e->h.net, e->conn, data, len, host_now(s, e), &e->h.txq) > (int)len)
            fail(s, "write took more than there was");
    } else {
        int err = gn_tcp_send(e->h.tcp, e->h.net, e->conn, data, len, host_now(s, e), &e->h.txq);
        if (err != GN_TCP_OK && gn_tcp_send_offset(e->h.tcp, e->conn) != off)
            fail(s, "a refused message was kept");
    }
}

static void life_cycle(struct sim *s, uint32_t who)
{
    struct end *e = &s->end[who];
    struct gn_tcp_status st;
    if (e->conn == GN_TCP_NONE) {
        if (gn_tcp_accept(e->h.tcp, PORT, &e->conn) != GN_TCP_OK)
            return;
    }
    gn_tcp_status(e->h.tcp, e->conn, &st);
    if (st.state == GN_TCP_CLOSED && st.reason != GN_TCP_REASON_CLOSED)
        e->aborted = true;
    if (st.doubt_from > st.doubt_to || st.acked > st.sent || st.sent > e->total)
        fail(s, "offsets of the status");
    e->done = st.state == GN_TCP_CLOSED || st.state == GN_TCP_TIME_WAIT;
}

static void restart(struct sim *s, uint32_t who)
{
    struct end *e = &s->end[who];
    if (!host_restart(&e->h, host_now(s, e)))
        fail(s, "join refused");
    s->restarts++;
    check(s, e);
    /* the application's own cursor is what it has consumed */
    struct gn_tcp_status st;
    if (e->conn != GN_TCP_NONE) {
        gn_tcp_status(e->h.tcp, e->conn, &st);
        if (st.consumed != e->got)
            fail(s, "join moved the read cursor");
        e->closed = st.state != GN_TCP_ESTABLISHED && st.state != GN_TCP_CLOSE_WAIT && st.state != GN_TCP_SYN_SENT;
    }
}

static void turn(struct sim *s, uint32_t who)
{
    struct end *e = &s->end[who];
    read_some(s, who);
    write_some(s, who);
    if (chance(s, s->restart)) {
        if (chance(s, 5000))
            host_stock(&e->h, GN_TXQ_MAX); /* dies before the frames reach the NIC */
        restart(s, who);
    }
    if (chance(s, s->step))
        e->clock += chance(s, 5000) ? rnd(s, 20 * HOST_S) : -rnd(s, 20 * HOST_S);
    (void)gn_net_timer(e->h.net, host_now(s, e), &e->h.txq);
    (void)gn_tcp_timer(e->h.tcp, e->h.net, host_now(s, e), &e->h.txq);
    life_cycle(s, who);
    check(s, e);
    burst(s, who);
}

static void deliver(struct sim *s, uint32_t i)
{
    struct packet p = s->wire[i];
    struct gn_net_rx rx;
    s->wire[i] = s->wire[--s->packets];
    (void)host_input(&s->end[p.to].h, p.data, p.len, host_now(s, &s->end[p.to]), &rx);
    check(s, &s->end[p.to]);
    if (chance(s, s->restart / 4))
        restart(s, p.to);
    turn(s, p.to);
}

static void advance(struct sim *s)
{
    uint32_t first = 0;
    uint64_t at = UINT64_MAX;
    for (uint32_t i = 0; i < s->packets; i++)
        if (s->wire[i].at < at) {
            at = s->wire[i].at;
            first = i;
        }
    uint64_t timer_at = UINT64_MAX;
    for (uint32_t who = 0; who < 2; who++) {
        struct end *e = &s->end[who];
        uint64_t t = gn_tcp_timer(e->h.tcp, e->h.net, host_now(s, e), &e->h.txq);
        uint64_t n = gn_net_timer(e->h.net, host_now(s, e), &e->h.txq);
        burst(s, who);
        t = t < n ? t : n;
        if (t != GN_NET_NEVER && t - e->clock < timer_at)
            timer_at = t - e->clock;
        if (e->stall_until > s->now && e->stall_until < timer_at)
            timer_at = e->stall_until;
        struct gn_tcp_status st;
        gn_tcp_status(e->h.tcp, e->conn, &st);
        if (e->conn != GN_TCP_NONE && !e->closed && st.in_flight == 0 && s->now + HOST_MS < timer_at)
            timer_at = s->now + HOST_MS; /* the application comes round */
    }
    if (at <= timer_at && at != UINT64_MAX) {
        s->now = at > s->now ? at : s->now;
        deliver(s, first);
        return;
    }
    s->now = timer_at == UINT64_MAX || timer_at <= s->now ? s->now + HOST_MS : timer_at;
    turn(s, 0);
    turn(s, 1);
}

/* A secret that puts the first sequence number just below 2^32. */
static void wrap_soon(struct sim *s, struct host *h, uint16_t local, uint16_t remote, uint32_t remote_ip)
{
    struct gn_tcp t = {.conf = h->tcp_conf};
    struct gn_tcp_conn c = {
        .local_ip = h->net_conf.ip, .remote_ip = remote_ip, .local_port = local, .remote_port = remote};
    uint32_t offset;
    for (uint32_t i = 0; i < 200000; i++) {
        memcpy(t.conf.secret, &s->rng, 8);
        if (gn_tcp_isn(&t, &c, s->now + HOST_S, &offset) > UINT32_MAX - 60000)
            break;
        (void)gn_test_rand(&s->rng);
    }
    h->tcp_conf = t.conf;
}

static void prepare(struct sim *s)
{
    static const uint32_t bufs[] = {4096, 8192, 65536, 262144};
    s->loss = chance(s, 7000) ? (uint32_t)rnd(s, 1500) : 0;
    s->dup = (uint32_t)rnd(s, 500);
    s->corrupt = (uint32_t)rnd(s, 200);
    s->reorder = chance(s, 5000) ? (uint32_t)rnd(s, 3000) : 0;
    s->restart = chance(s, 4000) ? (uint32_t)rnd(s, 300) : 0;
    s->step = chance(s, 3000) ? (uint32_t)rnd(s, 50) : 0;
    s->stall = chance(s, 4000) ? (uint32_t)rnd(s, 200) : 0;
    s->delay = 1000 + rnd(s, chance(s, 5000) ? 100000 : 50 * HOST_MS);
    s->jitter = rnd(s, s->delay / 4 + 1);
    s->mtu = 576 + (uint32_t)rnd(s, 900);
    s->mtu_at = chance(s, 2000) ? rnd(s, 2 * HOST_S) : UINT64_MAX;
    s->dead_at = chance(s, 600) ? rnd(s, 2 * HOST_S) : UINT64_MAX;
    for (uint32_t who = 0; who < 2; who++) {
        struct end *e = &s->end[who];
        host_conf(&e->h, (uint8_t)(who + 1));
        struct gn_tcp_conf *c = &e->h.tcp_conf;
        c->rto_min_us = chance(s, 5000) ? 200000 : 1000 + (uint32_t)rnd(s, 50000);
        c->rto_initial_us = 100000 + (uint32_t)rnd(s, 900000);
        c->rto_max_us = 5000000;
        c->data_retries = 25;
        c->syn_retries = 20;
        c->time_wait_ms = 240000;
        /* only silence tells the end that waits for the peer's FIN of a dead link */
        c->keepalive_idle_ms = s->dead_at != UINT64_MAX || chance(s, 3000) ? 30000 : 0;
        c->keepalive_interval_ms = 1000;
        c->keepalive_probes = 30;
        c->use_sack = chance(s, 7000);
        c->use_timestamps = chance(s, 7000);
        c->use_wscale = chance(s, 7000);
        c->delack_us = chance(s, 3000) ? 0 : 40000;
        c->mss_max = chance(s, 3000) ? 64 + (uint32_t)rnd(s, 1396) : 1460;
        e->h.net_conf.seed = s->rng;
        e->h.net_conf.vlan_id = 0;
        e->clock = chance(s, 5000) ? 0 : 1700000000ull * HOST_S;
        e->total = rnd(s, chance(s, 3000) ? 200000 : 30000);
        e->conn = GN_TCP_NONE;
        if (chance(s, 4000))
            wrap_soon(s, &e->h, who == 0 ? 40000 : PORT, who == 0 ? PORT : 40000, 0x0a000002u - who);
        uint32_t snd = bufs[rnd(s, GN_ARRAY_LEN(bufs))];
        uint32_t rcv = bufs[rnd(s, GN_ARRAY_LEN(bufs))];
        if (!host_start(&e->h, 4, snd, rcv, host_now(s, e)))
            fail(s, "start");
    }
    if (chance(s, 5000) && !host_meet(&s->end[0].h, &s->end[1].h))
        fail(s, "static neighbour");
}

static void verdict(struct sim *s, uint32_t steps)
{
    bool dead = s->dead_at != UINT64_MAX;
    for (uint32_t who = 0; who < 2 && s->failure == NULL; who++) {
        const struct end *e = &s->end[who];
        if (e->aborted && !dead)
            fail(s, "a connection ended on a living link");
        else if (!e->aborted && e->done && e->got != s->end[1 - who].total && !dead && !s->end[1 - who].aborted)
            fail(s, "ended before all was read");
    }
    if (s->failure == NULL && steps == STEPS_MAX)
        fail(s, "no end in sight: deadlock");
}

/* What a person needs to see of an end when a seed fails. */
static void show(const struct end *e)
{
    const struct gn_tcp *t = e->h.tcp;
    if (e->conn == GN_TCP_NONE)
        return;
    const struct gn_tcp_conn *c = gn_tcp_conn_at(t, e->conn);
    printf("  una %lld nxt %lld end %lld head %u tail %u recovery %u retries %u backoff %u blocked %u want %u ack_now "
           "%u\n",
           (long long)c->snd_una, (long long)c->snd_nxt, (long long)c->snd_end, c->seg_head, c->seg_tail, c->recovery,
           c->retries, c->backoff, c->blocked, c->want_write, c->ack_now);
    printf("  rcv_nxt %lld fin %lld consumed %lld adv %lld told %lld ooo %u; now %lld next %lld rto %lld ack %lld misc "
           "%lld\n",
           (long long)c->rcv_nxt, (long long)c->rcv_fin, (long long)c->consumed, (long long)c->rcv_adv,
           (long long)c->rcv_told, c->ooo_n, (long long)t->now_ns, (long long)t->next_ns, (long long)c->rto_at,
           (long long)c->ack_at, (long long)c->misc_at);
    for (uint32_t i = 1; i < GN_NET_DROP_COUNT; i++)
        if (e->h.net->drops[i] != 0)
            printf("  %s %llu", gn_net_drop_name(i), (unsigned long long)e->h.net->drops[i]);
    printf("\n");
}

static void run(struct sim *s, uint64_t seed)
{
    s->seed = seed;
    s->rng = seed;
    prepare(s);
    struct end *client = &s->end[0];
    struct end *server = &s->end[1];
    if (gn_tcp_listen(server->h.tcp, PORT) != GN_TCP_OK ||
        gn_tcp_connect(client->h.tcp, client->h.net, server->h.net_conf.ip, PORT, 40000, host_now(s, client),
                       &client->h.txq, &client->conn) != GN_TCP_OK)
        fail(s, "connect");
    burst(s, 0);
    uint32_t steps = 0;
    for (; steps < STEPS_MAX && s->failure == NULL; steps++) {
        bool server_done = server->done || (s->now > s->dead_at && server->conn == GN_TCP_NONE);
        if (client->done && server_done &&
            (client->aborted || s->dead_at != UINT64_MAX ||
             (client->got == server->total && server->got == client->total)))
            break;
        if (s->now > TIME_LIMIT)
            fail(s, "time limit: deadlock");
        advance(s);
    }
    verdict(s, steps);
    for (uint32_t who = 0; who < 2; who++) {
        struct gn_tcp_status st;
        gn_tcp_status(s->end[who].h.tcp, s->end[who].conn, &st);
        s->retransmits += st.retransmits;
        s->aborts += s->end[who].aborted;
        if (s->failure != NULL)
            printf(
                "  end %u: state %s reason %s acked %llu sent %llu queued %llu total %llu got %llu flight %u cwnd %u "
                "wnd %u mss %u rto %u us timeouts %llu\n",
                who, gn_tcp_state_name(st.state), gn_tcp_reason_name(st.reason), (unsigned long long)st.acked,
                (unsigned long long)st.sent, (unsigned long long)st.queued, (unsigned long long)s->end[who].total,
                (unsigned long long)s->end[who].got, st.in_flight, st.cwnd, st.peer_window, st.mss, st.rto_us,
                (unsigned long long)st.timeouts);
        if (s->failure != NULL)
            show(&s->end[who]);
        host_stop(&s->end[who].h);
    }
}

int main(int argc, char **argv)
{
    uint64_t want = argc > 1 ? strtoull(argv[1], NULL, 0) : 150000;
    uint64_t only = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
    uint64_t segments = 0, bytes = 0, restarts = 0, retransmits = 0, aborts = 0;
    uint64_t seed = only != 0 ? only : gn_test_seed(1);
    uint64_t runs = 0;
    static struct packet wire[WIRE_MAX];
    do {
        struct sim s = {.wire = wire};
        run(&s, seed);
        runs++;
        segments += s.segments;
        bytes += s.bytes;
        restarts += s.restarts;
        retransmits += s.retransmits;
        aborts += s.aborts;
        if (s.failure != NULL) {
            printf("FAIL seed %llu: %s (at %llu ns, %llu segments); replay: net_tcp_sim 1 %llu\n",
                   (unsigned long long)seed, s.failure, (unsigned long long)s.now, (unsigned long long)s.segments,
                   (unsigned long long)seed);
            return EXIT_FAILURE;
        }
        seed++;
    } while (only == 0 && segments < want);
    printf("%llu runs, %llu segments, %llu bytes, %llu restarts, %llu retransmissions, %llu dead links ended\n",
           (unsigned long long)runs, (unsigned long long)segments, (unsigned long long)bytes,
           (unsigned long long)restarts, (unsigned long long)retransmits, (unsigned long long)aborts);
    return EXIT_SUCCESS;
}
