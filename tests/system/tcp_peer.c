/* Our TCP on a real port, for the tests against Linux: a loop around gn_net and gn_tcp and nothing else.
 *
 *      tcp_peer --port KIND:DEVICE,ip=..,mac=.. --role echo --tcp-port N
 *      tcp_peer --port ... --role client --connect IP --tcp-port N --messages N
 *
 * echo accepts one connection and sends back what comes; client sends messages one segment each and expects them back.
 * Every byte is verified. With --memory FILE the endpoint lives in that file, and a process that finds one there joins
 * it and goes on: after kill -9 nobody but the clock may notice. The application keeps no state of its own: what it has
 * done follows from the stream offsets of the connection. SIGTERM lets client end with the messages it has begun.
 * Prints one line of JSON; exit status 0 when both streams ended in order and nothing was missing.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/net/net.h"
#include "dataplane/net/tcp.h"
#include "tests/system/impair.h"
#include "tests/system/stream.h"
#include "tools/venue-sim/io_dpdk.h"

#define MAGIC        0x72656570746e6731ull /* "1gntpeer" */
#define CONNS        4u
#define BUF          (1u << 18)
#define AHEAD        2048u /* messages that client has under way at most */
#define SILENCE_NS   60000000000ull
#define LOCAL_PORT   45000
#define TIME_WAIT_MS 200

/* The head of the shared memory; the test reads the counters while the process runs. */
struct head {
    uint64_t magic; /* written last */
    uint64_t net_off, tcp_off, bytes, tcp_bytes;
    uint64_t starts;         /* processes that have used it */
    uint64_t sent, received; /* bytes of the streams */
    uint64_t ready;          /* pid whose port is open */
};

struct peer {
    struct gn_sim_options opt;
    struct gn_io_dpdk io;
    struct gn_sim_io ops;
    struct head *head;
    struct gn_net *net;
    struct gn_tcp *tcp;
    struct gn_txq txq;
    struct impair_lane in, out;
    bool client, impaired;
    uint32_t connect_ip, conn;
    uint16_t port;
    uint64_t messages, progress_ns;
    struct gn_tcp_status last; /* of the connection, as it was seen last */
    char memory[GN_OPT_TEXT], why[GN_PORT_ERR_LEN];
};

static sig_atomic_t stop_asked;

static void on_term(int sig)
{
    (void)sig;
    stop_asked = 1;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static bool fail(struct peer *p, const char *what)
{
    if (p->why[0] == '\0')
        (void)snprintf(p->why, sizeof p->why, "%s", what);
    return false;
}

/* ---- memory ---- */

static bool map(struct peer *p)
{
    uint64_t net_off = 4096;
    uint64_t tcp_off = gn_align_up(net_off + gn_net_footprint(), 4096);
    uint64_t tcp_bytes = gn_align_up(gn_tcp_footprint(CONNS, BUF, BUF), 4096);
    uint64_t bytes = tcp_off + tcp_bytes;
    void *mem;
    if (p->memory[0] == '\0') {
        mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    } else {
        int fd = open(p->memory, O_RDWR | O_CREAT, 0600);
        if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
            return fail(p, "cannot make the memory file");
        mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
    }
    if (mem == MAP_FAILED)
        return fail(p, "cannot map the memory");
    p->head = mem;
    if (p->head->magic != MAGIC) {
        p->head->net_off = net_off;
        p->head->tcp_off = tcp_off;
        p->head->bytes = bytes;
        p->head->tcp_bytes = tcp_bytes;
    }
    return true;
}

static bool make(struct peer *p, void *net, void *tcp, uint64_t now)
{
    const struct gn_conf_port *c = &p->opt.port[0];
    struct gn_net_conf nc;
    struct gn_tcp_conf tc;
    gn_net_conf_default(&nc);
    memcpy(nc.mac, p->io.link[0].port.mac, sizeof nc.mac);
    nc.ip = c->ip;
    nc.prefix_bits = (uint8_t)c->prefix_len;
    nc.vlan_id = c->vlan;
    nc.seed = now;
    gn_tcp_conf_default(&tc);
    tc.time_wait_ms = TIME_WAIT_MS;
    memcpy(tc.secret, &now, sizeof now);
    if (gn_net_new(net, &nc, now) != GN_NET_OK || gn_tcp_new(tcp, CONNS, BUF, BUF, &tc, now, &p->tcp) != GN_TCP_OK)
        return fail(p, "cannot make the endpoint");
    p->net = net;
    if (!p->client && gn_tcp_listen(p->tcp, p->port) != GN_TCP_OK)
        return fail(p, "cannot listen");
    __atomic_store_n(&p->head->magic, MAGIC, __ATOMIC_RELEASE);
    return true;
}

static bool join(struct peer *p, void *net, void *tcp, uint64_t now)
{
    if (gn_net_join(net, gn_net_footprint(), now, &p->net) != GN_NET_OK)
        return fail(p, "gn_net_join refuses");
    if (gn_tcp_join(tcp, p->head->tcp_bytes, now, &p->tcp) != GN_TCP_OK)
        return fail(p, "gn_tcp_join refuses");
    for (uint32_t i = 0; i < CONNS; i++) {
        struct gn_tcp_status st;
        gn_tcp_status(p->tcp, i, &st);
        if (st.state != GN_TCP_FREE && st.local_port == (p->client ? LOCAL_PORT : p->port))
            p->conn = i;
    }
    /* One that nobody has accepted yet is had from the listener as before. */
    if (!p->client && p->conn != GN_TCP_NONE) {
        uint32_t c;
        if (gn_tcp_accept(p->tcp, p->port, &c) == GN_TCP_OK)
            p->conn = c;
    }
    return true;
}

static bool set_up(struct peer *p)
{
    uint64_t now = now_ns();
    if (!map(p))
        return false;
    uint8_t *mem = (uint8_t *)p->head;
    bool there = p->head->magic == MAGIC;
    bool ok = there ? join(p, mem + p->head->net_off, mem + p->head->tcp_off, now)
                    : make(p, mem + p->head->net_off, mem + p->head->tcp_off, now);
    p->head->starts++;
    p->progress_ns = now;
    return ok;
}

/* ---- the application ---- */

static bool verified(struct peer *p, uint64_t off, const uint8_t *data, uint32_t len)
{
    uint64_t ok = stream_check(off, data, len);
    if (ok == len)
        return true;
    (void)snprintf(p->why, sizeof p->why, "byte %llu is wrong", (unsigned long long)(off + ok));
    return false;
}

static uint64_t consumed(const struct peer *p)
{
    struct gn_tcp_status st;
    gn_tcp_status(p->tcp, p->conn, &st);
    return st.consumed;
}

/* Bytes are sent back, then consumed: after a join the streams' offsets tell what was sent back already. */
static bool echo(struct peer *p, uint64_t now)
{
    const uint8_t *data;
    for (uint32_t n; (n = gn_tcp_readable(p->tcp, p->conn, &data)) != 0;) {
        uint64_t at = consumed(p);
        uint64_t done = gn_tcp_send_offset(p->tcp, p->conn) - at;
        if (!verified(p, at, data, n))
            return false;
        if (done != 0) {
            gn_tcp_consume(p->tcp, p->conn, done < n ? (uint32_t)done : n);
            continue;
        }
        int took = gn_tcp_write(p->tcp, p->net, p->conn, data, n, now, &p->txq);
        if (took <= 0)
            break;
        gn_tcp_consume(p->tcp, p->conn, (uint32_t)took);
    }
    return true;
}

static bool exchange(struct peer *p, uint64_t now)
{
    const uint8_t *data;
    uint8_t message[STREAM_MESSAGE];
    for (uint32_t n; (n = gn_tcp_readable(p->tcp, p->conn, &data)) != 0;) {
        if (!verified(p, consumed(p), data, n))
            return false;
        gn_tcp_consume(p->tcp, p->conn, n);
    }
    uint64_t sent = gn_tcp_send_offset(p->tcp, p->conn);
    uint64_t back = consumed(p);
    if (stop_asked != 0)
        p->messages = sent / STREAM_MESSAGE;
    for (; sent < p->messages * STREAM_MESSAGE && sent < back + AHEAD * STREAM_MESSAGE; sent += STREAM_MESSAGE) {
        stream_fill(sent, message, sizeof message);
        if (gn_tcp_send(p->tcp, p->net, p->conn, message, sizeof message, now, &p->txq) != GN_TCP_OK)
            break;
    }
    return true;
}

/* False when it is over: p->why says whether well. */
static bool step(struct peer *p, uint64_t now)
{
    if (p->conn == GN_TCP_NONE && p->client) {
        if (gn_tcp_connect(p->tcp, p->net, p->connect_ip, p->port, LOCAL_PORT, now, &p->txq, &p->conn) != GN_TCP_OK)
            return fail(p, "cannot connect");
    } else if (p->conn == GN_TCP_NONE && gn_tcp_accept(p->tcp, p->port, &p->conn) != GN_TCP_OK) {
        p->conn = GN_TCP_NONE;
        return true;
    }
    struct gn_tcp_status st;
    gn_tcp_status(p->tcp, p->conn, &st);
    if (st.acked != p->last.acked || st.consumed != p->last.consumed || st.state != p->last.state)
        p->progress_ns = now;
    p->last = st;
    p->head->sent = st.sent;
    p->head->received = st.consumed;
    if (st.state == GN_TCP_CLOSED && st.reason != GN_TCP_REASON_CLOSED)
        return fail(p, gn_tcp_reason_name(st.reason));
    if (st.state == GN_TCP_CLOSED)
        return false;
    bool ok = p->client ? exchange(p, now) : echo(p, now);
    uint64_t sent = gn_tcp_send_offset(p->tcp, p->conn);
    bool all = p->client ? consumed(p) == p->messages * STREAM_MESSAGE : sent == consumed(p);
    /* Refused in other states, which is no harm: it was closed before. */
    if (ok && all && (st.state == GN_TCP_CLOSE_WAIT || (p->client && st.state == GN_TCP_ESTABLISHED)))
        (void)gn_tcp_close(p->tcp, p->net, p->conn, now, &p->txq);
    return ok;
}

/* ---- the loop ---- */

static void give(struct peer *p, const uint8_t *frame, uint32_t len, uint32_t flags, uint64_t now)
{
    struct gn_net_rx rx;
    (void)gn_net_input(p->net, p->tcp, frame, len, flags, now, &p->txq, &rx);
}

static uint32_t receive(struct peer *p, uint64_t now)
{
    struct gn_sim_frame f[GN_SIM_BURST];
    const struct impair_frame *h;
    uint32_t n = p->ops.rx(p->ops.arg, 0, f, GN_SIM_BURST);
    for (uint32_t i = 0; i < n; i++) {
        if (!p->impaired) {
            give(p, f[i].data, f[i].len, f[i].flags, now);
            continue;
        }
        impair_push(&p->in, f[i].data, f[i].len, now);
        while ((h = impair_pop(&p->in, now)) != NULL)
            give(p, h->bytes, h->len, 0, now);
    }
    while (p->impaired && (h = impair_pop(&p->in, now)) != NULL)
        give(p, h->bytes, h->len, 0, now);
    p->ops.done(p->ops.arg, f, n);
    return n;
}

/* What is in the queue goes through the impairment stage, and what that lets go takes its place. */
static void impair_out(struct peer *p, uint64_t now)
{
    const struct impair_frame *h;
    for (uint32_t i = 0; i < p->txq.n; i++)
        impair_push(&p->out, p->txq.buf[i], p->txq.len[i], now);
    p->txq.n = 0;
    while (p->txq.n < p->txq.stocked && (h = impair_pop(&p->out, now)) != NULL) {
        memcpy(gn_txq_take(&p->txq), h->bytes, h->len);
        gn_txq_commit(&p->txq, (uint16_t)h->len);
    }
}

static void transmit(struct peer *p, uint64_t now)
{
    if (p->impaired)
        impair_out(p, now);
    if (p->txq.n != 0 || p->txq.stocked < GN_TXQ_MAX / 2)
        p->ops.flush(p->ops.arg, 0, &p->txq);
}

static bool run(struct peer *p)
{
    if (!gn_io_stock(&p->io, 0, &p->txq))
        return fail(p, "no packet buffers");
    p->head->ready = (uint64_t)getpid();
    (void)fprintf(stderr, "ready\n");
    for (;;) {
        uint64_t now = now_ns();
        uint32_t n = receive(p, now);
        bool more = step(p, now);
        (void)gn_net_timer(p->net, now, &p->txq);
        (void)gn_tcp_timer(p->tcp, p->net, now, &p->txq);
        transmit(p, now);
        if (!more)
            break;
        if (now - p->progress_ns > SILENCE_NS)
            return fail(p, "silence");
        if (n == 0)
            (void)sched_yield();
    }
    if (p->why[0] == '\0' && p->client && p->last.consumed != p->messages * STREAM_MESSAGE)
        return fail(p, "the stream ended early");
    return p->why[0] == '\0';
}

/* ---- command line ---- */

static bool parse(struct peer *p, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'},      {"role", 1, NULL, 'r'},      {"connect", 1, NULL, 'c'},
        {"tcp-port", 1, NULL, 't'},  {"messages", 1, NULL, 'n'},  {"memory", 1, NULL, 'm'},
        {"seed", 1, NULL, 's'},      {"loss", 1, NULL, 'l'},      {"reorder", 1, NULL, 'o'},
        {"duplicate", 1, NULL, 'd'}, {"hugepages", 0, NULL, 'h'}, {"core", 1, NULL, 'k'},
        {NULL, 0, NULL, 0},
    };
    struct impair_conf im = {.seed = 1, .reorder_by = 3};
    p->opt.ports = 1;
    p->opt.dpdk_mem_mib = 64;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t v = optarg == NULL ? 0 : strtoull(optarg, NULL, 10);
        bool ok = true;
        switch (o) {
        case 'p':
            ok = gn_port_spec_parse(optarg, 0, &p->opt.port[0], p->why);
            break;
        case 'r':
            p->client = strcmp(optarg, "client") == 0;
            break;
        case 'c':
            ok = gn_ipv4_parse(optarg, &p->connect_ip);
            break;
        case 't':
            p->port = (uint16_t)v;
            break;
        case 'n':
            p->messages = v;
            break;
        case 'm':
            (void)snprintf(p->memory, sizeof p->memory, "%s", optarg);
            break;
        case 's':
            im.seed = v;
            break;
        case 'l':
            im.loss = (uint32_t)v;
            break;
        case 'o':
            im.reorder = (uint32_t)v;
            break;
        case 'd':
            im.duplicate = (uint32_t)v;
            break;
        case 'h':
            p->opt.hugepages = true;
            break;
        case 'k':
            (void)snprintf(p->opt.core, sizeof p->opt.core, "%s", optarg);
            break;
        default:
            ok = false;
        }
        if (!ok)
            return fail(p, "usage: see the head of tests/system/tcp_peer.c");
    }
    p->in.conf = p->out.conf = im;
    p->in.rng = im.seed;
    p->out.rng = ~im.seed;
    p->impaired = im.loss + im.reorder + im.duplicate != 0;
    return p->port != 0 && p->opt.port[0].kind != 0;
}

static void report(const struct peer *p, bool ok)
{
    const struct gn_tcp_status *st = &p->last;
    printf(
        "{\"ok\": %s, \"why\": \"%s\", \"sent\": %llu, \"received\": %llu, \"messages\": %llu, \"retransmits\": %llu, "
        "\"timeouts\": %llu, \"fast_recoveries\": %llu, \"starts\": %llu, \"lost\": %llu, \"reordered\": %llu, "
        "\"duplicated\": %llu}\n",
        ok ? "true" : "false", p->why, (unsigned long long)st->sent, (unsigned long long)st->consumed,
        (unsigned long long)(st->consumed / STREAM_MESSAGE), (unsigned long long)st->retransmits,
        (unsigned long long)st->timeouts, (unsigned long long)st->fast_recoveries,
        (unsigned long long)(p->head == NULL ? 0 : p->head->starts), (unsigned long long)(p->in.lost + p->out.lost),
        (unsigned long long)(p->in.reordered + p->out.reordered),
        (unsigned long long)(p->in.duplicated + p->out.duplicated));
}

int main(int argc, char **argv)
{
    static struct peer p = {.conn = GN_TCP_NONE};
    struct sigaction on = {.sa_handler = on_term};
    bool ok = parse(&p, argc, argv);
    ok = ok && gn_io_open(&p.io, &p.opt, p.why);
    (void)sigaction(SIGTERM, &on, NULL);
    p.ops = gn_io_ops(&p.io);
    ok = ok && set_up(&p) && run(&p);
    report(&p, ok);
    if (ok)
        gn_io_close(&p.io);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
