/* gannet-kernel-peer: the data plane without kernel bypass: the same region, control plane, journal, books, strategies,
 * gate, order table and codecs, from the same sources, but market data comes from UDP sockets and orders leave through
 * a TCP socket of the kernel. What most desks have, and what the appliance is compared with.
 *
 *      --busy      one thread spins over non-blocking sockets
 *      --blocking  one thread sleeps in epoll until something comes, or a millisecond
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <rte_eal.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/harness/kernel_tcp.h"
#include "dataplane/lcore/wiring.h"

#define SOCKETS      3u /* line A, line B, retransmissions */
#define DATAGRAMS    32u
#define RCVBUF_BYTES (8 << 20)
#define BLOCK_MS     1
#define TICK_NS      10000000l
#define POOL_BUFFERS 1023u
#define DATAGRAM_MAX 9216u

struct source {
    int fd;
    uint32_t port, dst_ip;
    uint16_t dst_port;
};

struct peer {
    struct gn_wiring w;
    bool blocking;
    int epoll;
    uint32_t tcp_changes;
    struct source source[SOCKETS];
};

static atomic_int stop_signal;

static void on_signal(int sig)
{
    atomic_store_explicit(&stop_signal, sig, memory_order_relaxed);
}

static int die(const char *what)
{
    fprintf(stderr, "gannet-kernel-peer: %s\n", what);
    return EXIT_FAILURE;
}

/* ---- sockets ---- */

/* group 0: a socket for answers to requests. */
static bool open_source(struct peer *p, uint32_t i, uint32_t port, uint32_t group, uint32_t udp_port)
{
    struct source *s = &p->source[i];
    const uint32_t own = p->w.conf->port[port].ip;
    const int on = 1, off = 0, bytes = RCVBUF_BYTES;
    const struct ip_mreq join = {.imr_multiaddr = {htonl(group)}, .imr_interface = {htonl(own)}};
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)udp_port), .sin_addr = {htonl(group != 0 ? group : own)}};
    *s = (struct source){.port = port, .dst_ip = group != 0 ? group : own, .dst_port = (uint16_t)udp_port};
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    return s->fd >= 0 && setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off) == 0 &&
           bind(s->fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
           (group == 0 || setsockopt(s->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) == 0);
}

static bool open_sources(struct peer *p)
{
    const struct gn_conf_feed *f = &p->w.conf->feed;
    const bool requests = f->request_port != GN_NONE32;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->source[2].fd = -1;
    for (uint32_t i = 0; i < 2; i++)
        if (!open_source(p, i, f->line[i].port, f->line[i].group, f->line[i].udp_port))
            return false;
    if (requests && !open_source(p, 2, f->request_port, 0, f->request_local_udp_port))
        return false;
    ksock_udp(p->source[2].fd);
    for (uint32_t i = 0; i < SOCKETS; i++) {
        struct epoll_event e = {.events = EPOLLIN};
        if (p->source[i].fd >= 0 && epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->source[i].fd, &e) != 0)
            return false;
    }
    return p->epoll >= 0;
}

static uint32_t receive(struct gn_loop *l, const struct source *s)
{
    static uint8_t bytes[DATAGRAM_MAX];
    struct sockaddr_in from;
    uint32_t n = 0;
    while (n < DATAGRAMS) {
        socklen_t len = sizeof from;
        ssize_t got = recvfrom(s->fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
        if (got < 0)
            break;
        const struct gn_net_rx rx = {.kind = GN_NET_RX_UDP,
                                     .src_ip = ntohl(from.sin_addr.s_addr),
                                     .dst_ip = s->dst_ip,
                                     .src_port = ntohs(from.sin_port),
                                     .dst_port = s->dst_port,
                                     .len = (uint32_t)got,
                                     .payload = bytes};
        l->m->rx_packets++;
        l->m->rx_bytes += (uint64_t)got;
        gn_stage_feed_udp(&l->feed, s->port, &rx, l->now_ns);
        n++;
    }
    return n;
}

/* ---- the loop: the fused lcore's turn, with sockets where its ports were ---- */

static void sleep_until_something(struct peer *p)
{
    struct epoll_event e[4];
    uint32_t changes;
    const int fd = ksock_fd(&changes);
    if (changes != p->tcp_changes) {
        struct epoll_event in = {.events = EPOLLIN};
        p->tcp_changes = changes;
        if (fd >= 0)
            (void)epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &in);
    }
    (void)epoll_wait(p->epoll, e, 4, BLOCK_MS);
}

static uint32_t turn(struct peer *p, struct gn_loop *l)
{
    uint32_t work = 0;
    for (uint32_t i = 0; i < SOCKETS; i++)
        if (p->source[i].fd >= 0)
            work += receive(l, &p->source[i]);
    gn_stage_feed_poll(&l->feed, l->now_ns);
    gn_stage_strategy_poll(&l->strategy, l->now_ns);
    work += ksock_poll();
    gn_stage_orders_poll(&l->orders, l->now_ns);
    gn_ring_publish(l->events);
    return work;
}

static void *loop(void *arg)
{
    struct peer *p = arg;
    struct gn_loop *l = &p->w.loop[0];
    atomic_store_explicit(&l->beat->state, GN_STATE_RUNNING, memory_order_release);
    while (atomic_load_explicit(&p->w.stop, memory_order_acquire) == 0) {
        if (p->blocking)
            sleep_until_something(p);
        gn_clock_now(l->clock, &l->now_ns);
        const uint32_t work = turn(p, l);
        l->m->busy_loops += work != 0;
        l->m->idle_loops += work == 0;
        atomic_store_explicit(&l->beat->count, l->now_ns, memory_order_relaxed);
        atomic_store_explicit(&l->beat->loops, l->m->busy_loops + l->m->idle_loops, memory_order_relaxed);
    }
    gn_stage_orders_stop(&l->orders, l->now_ns);
    atomic_store_explicit(&l->beat->state, GN_STATE_STOPPED, memory_order_release);
    return NULL;
}

static void say_running(struct gn_wiring *w, uint32_t state)
{
    struct gn_beat *b = &w->control->dataplane;
    atomic_store_explicit(&b->pid, (uint32_t)getpid(), memory_order_relaxed);
    /* release: the pid is there for whoever sees the state */
    atomic_store_explicit(&b->state, state, memory_order_release);
}

/* The wiring wants buffers for ports; there are none to send from, so they are few. */
static bool make_pools(const struct gn_conf *c)
{
    struct gn_eal_args a = {0};
    char name[32];
    if (!gn_eal_args_add(&a, "gannet-kernel-peer") || !gn_eal_args_add(&a, "--no-telemetry") ||
        !gn_eal_args_add(&a, "--log-level=4") || !gn_eal_args_add(&a, "--no-huge") ||
        !gn_eal_args_add(&a, "--no-shconf") || !gn_eal_args_add(&a, "--no-pci") || !gn_eal_args_add(&a, "-m") ||
        !gn_eal_args_add(&a, "64") || !gn_eal_args_add(&a, "-l") || !gn_eal_args_add(&a, "%u", c->main_core) ||
        rte_eal_init(a.argc, a.argv) < 0)
        return false;
    for (uint32_t i = 0; i < c->n_ports; i++) {
        snprintf(name, sizeof name, "gannet-%u", i);
        if (gn_port_pool(name, POOL_BUFFERS) == NULL)
            return false;
    }
    return true;
}

static int run(struct peer *p)
{
    struct gn_wiring *w = &p->w;
    const struct timespec tick = {0, TICK_NS};
    char err[GN_WIRING_ERR_LEN];
    pthread_t thread;
    pthread_attr_t attr;
    cpu_set_t set;
    if (w->conf->n_lcores != 1)
        return die("one lcore with all stages is what it can be");
    for (uint32_t i = 0; i < w->conf->n_ports; i++)
        w->port[i] = (struct gn_port){.id = UINT16_MAX, .mac = {2, 0, 0, 0, (uint8_t)i, 9}};
    if (!make_pools(w->conf))
        return die("no packet buffers");
    if (!gn_wiring_connect(w, err))
        return die(err);
    if (!open_sources(p))
        return die(strerror(errno));
    (void)mlockall(MCL_CURRENT);
    CPU_ZERO(&set);
    CPU_SET(w->conf->lcore[0].core, &set);
    say_running(w, GN_STATE_RUNNING);
    if (pthread_attr_init(&attr) != 0 || pthread_attr_setaffinity_np(&attr, sizeof set, &set) != 0 ||
        pthread_create(&thread, &attr, loop, p) != 0)
        return die("the loop can't be started");
    for (uint64_t n = 1; atomic_load_explicit(&stop_signal, memory_order_relaxed) == 0; n++) {
        nanosleep(&tick, NULL);
        atomic_store_explicit(&w->control->dataplane.count, n, memory_order_relaxed);
        if (n % 100 == 0)
            gn_clock_correct(&w->clock);
    }
    atomic_store_explicit(&w->stop, 1, memory_order_release);
    pthread_join(thread, NULL);
    say_running(w, GN_STATE_STOPPED);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct peer peer;
    char err[GN_WIRING_ERR_LEN];
    if (argc != 4 || strcmp(argv[2], "--region") != 0 ||
        (strcmp(argv[1], "--busy") != 0 && strcmp(argv[1], "--blocking") != 0))
        return die("usage: gannet-kernel-peer --busy|--blocking --region FILE");
    peer.blocking = strcmp(argv[1], "--blocking") == 0;
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    if (!gn_wiring_attach(&peer.w, argv[3], err))
        return die(err);
    say_running(&peer.w, GN_STATE_STARTING);
    return run(&peer);
}
