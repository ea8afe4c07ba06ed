#include "dataplane/lcore/wiring.h"

#include "dataplane/lcore/client_guard.h"

#include <fcntl.h>
#include <rte_random.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "build_id.h"
#include "dataplane/lcore/counters.h"
#include "dataplane/lcore/stage_inputs.h"

#define TCP_CONNS     8u
#define TCP_SNDBUF    (256u << 10)
#define TCP_RCVBUF    (1u << 20)
#define POOL_BUFFERS  16383u
#define DRAIN_STEP_NS 1000000l /* between two looks whether the journal made room for the starting state */
#define DRAIN_STEPS   2000u
#define TCP_MIN_RTO_US \
    5000u /* a deviation from RFC 6298's second: the venue is a cable away, and a lost order is late */

static bool no(char *err, const char *what)
{
    snprintf(err, GN_WIRING_ERR_LEN, "%s", what);
    return false;
}

/* One data plane a region: the lock is on the plane file itself and held for life, so that it ends with the process. */
static bool take_lock(const struct gn_wiring *w, const char *plane_path, char *err)
{
    int fd = open(plane_path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    uint32_t pid = atomic_load_explicit(&w->control->dataplane.pid, memory_order_relaxed);
    snprintf(err, GN_WIRING_ERR_LEN, "%s: another data plane (pid %u) runs on it; stop it first", plane_path, pid);
    return false;
}

bool gn_wiring_attach(struct gn_wiring *w, const char *plane_path, char err[GN_WIRING_ERR_LEN])
{
    char path[2 * GN_PATH_MAX];
    if (gn_region_attach(plane_path, GN_REGION_PLANE, true, NULL, &w->plane, err) != 0)
        return false;
    w->conf = gn_region_at(&w->plane, GN_SECTION_CONF);
    w->control = gn_region_at(&w->plane, GN_SECTION_CONTROL);
    if (strncmp(w->plane.hdr->build_id, GN_BUILD_ID, sizeof w->plane.hdr->build_id - 1) != 0) {
        snprintf(err, GN_WIRING_ERR_LEN,
                 "%s: made by build %.31s, this data plane is build %s; start both from one build", plane_path,
                 w->plane.hdr->build_id, GN_BUILD_ID);
        return false;
    }
    if (w->conf == NULL || w->control == NULL)
        return no(err, "the plane file lacks its configuration; start the control plane again");
    if (!take_lock(w, plane_path, err))
        return false;
    if (!gn_region_path(w->conf, "observe", path, sizeof path) ||
        gn_region_attach(path, GN_REGION_OBSERVE, true, w->plane.hdr->config_sha256, &w->observe, err) != 0)
        return false;
    for (uint32_t i = 0; i < w->conf->n_clients; i++) {
        char what[GN_NAME_MAX + 8];
        snprintf(what, sizeof what, "client-%s", w->conf->client[i]);
        if (!gn_region_path(w->conf, what, path, sizeof path))
            return no(err, "the run directory's name is too long");
        /* a desk may ruin its own file, and nothing but its own trading by it */
        if (gn_region_attach(path, GN_REGION_CLIENT, true, w->plane.hdr->config_sha256, &w->client[i], err) != 0)
            fprintf(stderr, "gannet-dataplane: client %s is left out: %s\n", w->conf->client[i], err);
        else
            gn_client_guard_add(i, w->client[i].hdr, w->client[i].mapped);
    }
    if (gn_client_guard_on() != 0)
        return no(err, "a handler for SIGBUS can't be set");
    return true;
}

bool gn_wiring_ports(struct gn_wiring *w, char err[GN_WIRING_ERR_LEN])
{
    for (uint32_t i = 0; i < w->conf->n_ports; i++) {
        char name[32];
        snprintf(name, sizeof name, "gannet-%u", i);
        struct rte_mempool *pool = gn_port_pool(name, POOL_BUFFERS);
        if (pool == NULL)
            return no(err, "no memory for packet buffers; raise dpdk_mem, or reserve more hugepages");
        if (!gn_port_open(&w->conf->port[i], i, pool, &w->port[i], err))
            return false;
    }
    return true;
}

/* ---- own tables ---- */

static uint32_t session_ports(const struct gn_conf *c)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < c->n_sessions; i++)
        bits |= 1u << c->session[i].port;
    return bits;
}

static uint64_t guarded(uint64_t bytes)
{
    return gn_align_up(bytes, GN_GUARD);
}

static uint64_t tcp_bytes(void)
{
    return guarded(gn_tcp_footprint(TCP_CONNS, TCP_SNDBUF, TCP_RCVBUF));
}

static uint64_t strategy_bytes(const struct gn_conf *c, uint32_t i)
{
    const struct gn_strategy_ops *ops = gn_strategy_find(c->strategy[i].kind);
    return ops == NULL ? 0 : guarded(ops->footprint(c->max_instruments));
}

/* Kill words of instruments as the orders stage has taken them. */
static uint64_t words_bytes(const struct gn_conf *c)
{
    return sizeof(uint64_t) * (uint64_t)c->max_instruments;
}

static uint64_t session_state_bytes(const struct gn_conf *c)
{
    return guarded(sizeof(struct gn_session_state_row) * GN_SESSIONS_MAX) + guarded(words_bytes(c)) +
           2 * sizeof(struct gn_ouch_template) * (uint64_t)c->n_instruments;
}

static bool plan_own(struct gn_region_plan *p, const struct gn_conf *c, uint64_t epoch)
{
    struct gn_arb_config arb;
    uint64_t strategies = GN_GUARD;
    gn_stage_feed_arb_config(c, &arb);
    for (uint32_t i = 0; i < c->n_strategies; i++)
        strategies += strategy_bytes(c, i);
    gn_region_plan_init(p, GN_REGION_PRIVATE, c, epoch);
    return gn_region_plan_add(p, GN_SECTION_BOOKS,
                              gn_books_footprint(c->max_instruments, c->book_orders, c->book_levels)) &&
           gn_region_plan_add(p, GN_SECTION_ARBITER, gn_arb_footprint(&arb)) &&
           gn_region_plan_add(p, GN_SECTION_LOCATES, sizeof(uint32_t) * GN_LOCATES) &&
           gn_region_plan_add(p, GN_SECTION_NET, guarded(gn_net_footprint()) * c->n_ports) &&
           gn_region_plan_add(p, GN_SECTION_TCP, tcp_bytes() * c->n_ports) &&
           gn_region_plan_add(p, GN_SECTION_SESSION_STATE, session_state_bytes(c)) &&
           gn_region_plan_add(p, GN_SECTION_STRATEGY_STATE, strategies) &&
           gn_region_plan_add(p, GN_SECTION_STAGE_RINGS, 3 * guarded(gn_ring_footprint(c->stage_ring_cells)));
}

/* An earlier life's tables are used when they are of this very region; otherwise they are laid out anew. */
static bool own_region(struct gn_wiring *w, char *err)
{
    char path[2 * GN_PATH_MAX];
    struct gn_region_plan plan;
    if (!gn_region_path(w->conf, "own", path, sizeof path))
        return no(err, "the run directory's name is too long");
    if (gn_region_attach(path, GN_REGION_PRIVATE, true, w->plane.hdr->config_sha256, &w->own, err) == 0) {
        if (w->own.hdr->epoch == w->plane.hdr->epoch) {
            w->joined = true;
            return true;
        }
        gn_region_detach(&w->own);
    }
    if (!plan_own(&plan, w->conf, w->plane.hdr->epoch))
        return no(err, "the configured table sizes make no valid layout");
    if (gn_region_create(path, &plan, &w->own, err) != 0)
        return false;
    return true;
}

/* Books of an earlier life go on when they are whole, and when the journal has every packet that is in them. */
static bool own_books(struct gn_wiring *w, struct gn_stage_feed *f, bool journaled, char *err)
{
    const struct gn_conf *c = w->conf;
    struct gn_arb_config cfg;
    void *mem = gn_region_at(&w->own, GN_SECTION_BOOKS);
    f->arb = gn_region_at(&w->own, GN_SECTION_ARBITER);
    f->locate = gn_region_at(&w->own, GN_SECTION_LOCATES);
    gn_stage_feed_arb_config(c, &cfg);
    uint64_t arb_bytes = w->own.hdr->section[GN_SECTION_ARBITER].bytes;
    w->books_kept = true;
    if (w->joined && journaled &&
        gn_books_join(mem, c->max_instruments, c->book_orders, c->book_levels, &f->books) == 0 &&
        gn_arb_join(f->arb, arb_bytes) == GN_ARB_OK) {
        gn_stage_feed_start(f);
        return true;
    }
    w->books_kept = false;
    /* fresh, or torn by a death in the middle of a packet: the whole day is asked for again */
    f->books = gn_books_new(mem, c->max_instruments, c->book_orders, c->book_levels);
    memset(f->locate, 0, sizeof(uint32_t) * GN_LOCATES);
    if (f->books == NULL || gn_arb_new(f->arb, &cfg) != GN_ARB_OK)
        return no(err, "books or line arbitration can't be laid out with these table sizes");
    gn_stage_feed_start(f);
    return true;
}

/* The endpoint of an earlier life goes on when it is whole and of the same addresses. */
static bool carry_net(uint8_t *mem, const struct gn_net_conf *nc, uint64_t now_ns)
{
    struct gn_net *net = (struct gn_net *)(void *)mem;
    const struct gn_net_conf *was = &net->conf;
    if (memcmp(was->mac, nc->mac, sizeof nc->mac) != 0 || was->mtu != nc->mtu || was->ip != nc->ip ||
        was->gateway != nc->gateway || was->prefix_bits != nc->prefix_bits || was->vlan_id != nc->vlan_id)
        return false;
    return gn_net_join(mem, guarded(gn_net_footprint()), now_ns, &net) == GN_NET_OK;
}

static bool wants_handover(const struct gn_conf *c, uint32_t port)
{
    for (uint32_t i = 0; i < c->n_sessions; i++)
        if (c->session[i].port == port && c->session[i].handover != 0)
            return true;
    return false;
}

static bool own_tcp(struct gn_wiring *w, uint32_t i, bool carried, struct gn_tcp **tcp, uint64_t now_ns, char *err)
{
    struct gn_tcp_conf tc;
    uint8_t *mem = (uint8_t *)gn_region_at(&w->own, GN_SECTION_TCP) + i * tcp_bytes();
    if (carried && gn_tcp_join(mem, tcp_bytes(), now_ns, tcp) == GN_TCP_OK) {
        w->carried |= 1u << i;
        return true;
    }
    gn_tcp_conf_default(&tc);
    tc.rto_min_us = TCP_MIN_RTO_US;
    tc.rto_initial_us = 200000;
    for (uint32_t k = 0; k < sizeof tc.secret; k++)
        tc.secret[k] = (uint8_t)rte_rand();
    if (gn_tcp_new(mem, TCP_CONNS, TCP_SNDBUF, TCP_RCVBUF, &tc, now_ns, tcp) != GN_TCP_OK)
        return no(err, "the TCP table can't be laid out");
    return true;
}

static bool own_net(struct gn_wiring *w, uint32_t i, struct gn_net **net, struct gn_tcp **tcp, uint64_t now_ns,
                    char *err)
{
    const struct gn_conf_port *p = &w->conf->port[i];
    struct gn_net_conf nc;
    gn_net_conf_default(&nc);
    memcpy(nc.mac, w->port[i].mac, sizeof nc.mac);
    nc.mtu = (uint16_t)p->mtu;
    nc.ip = p->ip;
    nc.gateway = p->gateway;
    nc.prefix_bits = (uint8_t)p->prefix_len;
    nc.vlan_id = p->vlan;
    nc.seed = rte_rand();
    const char *field = "";
    uint8_t *mem = (uint8_t *)gn_region_at(&w->own, GN_SECTION_NET) + i * guarded(gn_net_footprint());
    const bool carried = w->joined && wants_handover(w->conf, i) && carry_net(mem, &nc, now_ns);
    if (!carried && (gn_net_conf_check(&nc, &field) != GN_NET_OK || gn_net_new(mem, &nc, now_ns) != GN_NET_OK)) {
        snprintf(err, GN_WIRING_ERR_LEN, "port %s: its %s is outside what the network endpoint takes", p->name, field);
        return false;
    }
    *net = (struct gn_net *)(void *)mem;
    *tcp = NULL;
    return (session_ports(w->conf) & 1u << i) == 0 || own_tcp(w, i, carried, tcp, now_ns, err);
}

/* ---- stages ---- */

static uint32_t loop_of_stage(const struct gn_conf *c, uint32_t stage)
{
    for (uint32_t i = 0; i < c->n_lcores; i++)
        if (c->lcore[i].stages & stage)
            return i;
    return 0;
}

static uint32_t loop_of_port(const struct gn_conf *c, uint32_t port)
{
    return loop_of_stage(c, session_ports(c) & 1u << port ? GN_STAGE_ORDERS : GN_STAGE_FEED);
}

static bool connect_ports(struct gn_wiring *w, uint64_t now_ns, char *err)
{
    for (uint32_t i = 0; i < w->conf->n_ports; i++) {
        struct gn_loop *l = &w->loop[loop_of_port(w->conf, i)];
        struct gn_loop_port *p = &l->port[l->n_ports++];
        char name[32];
        snprintf(name, sizeof name, "gannet-%u", i);
        p->index = i;
        p->id = w->port[i].id;
        p->rx_csum = w->port[i].rx_csum;
        p->pool = rte_mempool_lookup(name);
        if (p->pool == NULL || !gn_loop_stock(p))
            return no(err, "no packet buffers for transmission");
        if (!own_net(w, i, &p->net, &p->tcp, now_ns, err))
            return false;
        l->feed.net[i] = l->orders.net[i] = p->net;
        l->feed.txq[i] = l->orders.txq[i] = &p->txq;
        l->orders.tcp[i] = p->tcp;
        for (uint32_t k = 0; k < 2; k++)
            if (w->conf->feed.line[k].port == i &&
                gn_net_join_group(p->net, w->conf->feed.line[k].group, 0) != GN_NET_OK)
                return no(err, "too many multicast groups on one port");
    }
    return true;
}

static struct gn_ring *stage_ring(struct gn_wiring *w, uint32_t number, char *err)
{
    uint64_t bytes = guarded(gn_ring_footprint(w->conf->stage_ring_cells));
    uint8_t *mem = (uint8_t *)gn_region_at(&w->own, GN_SECTION_STAGE_RINGS) + number * bytes;
    /* what was between the stages when an earlier life ended is gone with it: the venue's state is asked anew */
    if (gn_ring_new(mem, w->conf->stage_ring_cells, 0) != GN_RING_OK) {
        no(err, "stage_ring_cells is out of range");
        return NULL;
    }
    return (struct gn_ring *)(void *)mem;
}

/* The client may have written its file's header too, so its section is copied before it is checked. */
static struct gn_client_block *client_block(const struct gn_region *r, uint64_t need)
{
    struct gn_region_section s;
    memcpy(&s, &r->hdr->section[GN_SECTION_CLIENT], sizeof s);
    atomic_signal_fence(memory_order_seq_cst);
    if (s.bytes < need || s.offset % GN_GUARD != 0 || s.offset > r->mapped || s.bytes > r->mapped - s.offset)
        return NULL;
    return (struct gn_client_block *)(void *)((uint8_t *)r->hdr + s.offset);
}

static bool connect_strategies(struct gn_wiring *w, struct gn_stage_strategy *s, char *err)
{
    const struct gn_conf *c = w->conf;
    uint8_t *state = gn_region_at(&w->own, GN_SECTION_STRATEGY_STATE);
    for (uint32_t i = 0; i < c->n_strategies; i++) {
        struct gn_strategy_slot *k = &s->slot[i];
        k->ops = gn_strategy_find(c->strategy[i].kind);
        if (k->ops == NULL) {
            snprintf(err, GN_WIRING_ERR_LEN, "strategy %s: this build has no kind %s", c->strategy[i].name,
                     c->strategy[i].kind);
            return false;
        }
        k->state = state;
        memset(state, 0,
               strategy_bytes(c, i)); /* orders of an earlier life are cancelled, so nothing is to be remembered */
        state += strategy_bytes(c, i);
        k->conf_disabled = c->strategy[i].enabled == 0;
        k->ctx.conf = &c->strategy[i];
        k->ctx.instruments = gn_region_at(&w->observe, GN_SECTION_INSTRUMENTS);
        k->ctx.positions = gn_region_at(&w->plane, GN_SECTION_POSITIONS);
        k->ctx.index = i;
        k->ctx.max_instruments = c->max_instruments;
        uint32_t client = c->strategy[i].client;
        if (client < c->n_clients && w->client[client].hdr != NULL) {
            k->ctx.client = client_block(&w->client[client], gn_client_footprint(c->client_ring_cells));
            if (k->ctx.client == NULL)
                return no(err, "a client file is too short for its rings; stop both processes and start --fresh");
            k->ctx.client_ring_bytes = gn_align_up(gn_ring_footprint(c->client_ring_cells), GN_GUARD);
        }
    }
    s->n = c->n_strategies;
    return true;
}

static void connect_feed(struct gn_wiring *w, struct gn_loop *l)
{
    struct gn_stage_feed *f = &l->feed;
    f->conf = w->conf;
    f->instruments = gn_region_at(&w->observe, GN_SECTION_INSTRUMENTS);
    f->tob = gn_region_at(&w->observe, GN_SECTION_TOB);
    f->rows = gn_region_at(&w->observe, GN_SECTION_BOOK_ROWS);
    f->control = w->control;
    f->commands = gn_region_at(&w->plane, GN_SECTION_COMMANDS);
    gn_stage_feed_command_start(f);
    f->m = l->m;
    f->events = l->events;
    f->md_ctx = l;
    f->md_sink = l->stages & GN_STAGE_STRATEGY ? gn_loop_md_to_strategy : gn_loop_md_to_ring;
}

static void connect_orders(struct gn_wiring *w, struct gn_loop *l, struct gn_ring *execs)
{
    struct gn_stage_orders *o = &l->orders;
    uint8_t *state = gn_region_at(&w->own, GN_SECTION_SESSION_STATE);
    o->conf = w->conf;
    o->epoch = w->plane.hdr->epoch;
    o->life_seq = l->events->next_seq;
    o->lcore = l->lcore;
    o->control = w->control;
    o->commands = gn_region_at(&w->plane, GN_SECTION_COMMANDS);
    o->orders = gn_region_at(&w->plane, GN_SECTION_ORDERS);
    o->positions = gn_region_at(&w->plane, GN_SECTION_POSITIONS);
    o->fills = gn_region_at(&w->plane, GN_SECTION_FILLS);
    o->recon = gn_region_at(&w->plane, GN_SECTION_RECON);
    o->rows = gn_region_at(&w->plane, GN_SECTION_SESSIONS);
    o->state = (struct gn_session_state_row *)(void *)state;
    uint8_t *words = state + guarded(sizeof *o->state * GN_SESSIONS_MAX);
    memset(words, 0, words_bytes(w->conf));
    o->words = (struct gn_gate_words){.instrument = (uint64_t *)(void *)words};
    o->templates = (struct gn_ouch_template *)(void *)(words + guarded(words_bytes(w->conf)));
    o->instruments = gn_region_at(&w->observe, GN_SECTION_INSTRUMENTS);
    o->events = l->events;
    o->execs = execs;
    o->m = l->m;
    o->gate = (struct gn_gate){
        .control = w->control,
        .words = &o->words,
        .limits = gn_region_at(&w->plane, GN_SECTION_LIMITS),
        .instruments = o->instruments,
        .tob = gn_region_at(&w->observe, GN_SECTION_TOB),
        .positions = o->positions,
        .sessions = o->rows,
        .orders = o->orders,
        .risk = gn_region_at(&w->plane, GN_SECTION_RISK),
        .conf = w->conf,
        .reader = 0,
        .max_instruments = w->conf->max_instruments,
    };
}

static void join_orders(struct gn_stage_orders *o, bool joined)
{
    if (o->orders->capacity == 0)
        gn_orders_new(o->orders, o->conf->max_orders);
    for (uint32_t i = 0; joined && i < o->conf->n_sessions; i++)
        if (gn_undo_rollback(&o->state[i].undo, o->state[i].soup.next_seq, o->orders, o->positions,
                             o->conf->max_instruments, o->fills))
            fprintf(stderr,
                    "gannet-dataplane: session %s: a venue message was half processed when the data plane died; "
                    "it was taken back, and the venue repeats it\n",
                    o->conf->session[i].name);
    gn_orders_join(o->orders, o->positions, o->conf->max_instruments);
    if (!gn_fills_join(o->fills, o->conf->max_orders))
        gn_fills_new(o->fills, o->conf->max_orders);
}

static bool connect_rings(struct gn_wiring *w, char *err)
{
    const struct gn_conf *c = w->conf;
    struct gn_loop *feed = &w->loop[loop_of_stage(c, GN_STAGE_FEED)];
    struct gn_loop *strategy = &w->loop[loop_of_stage(c, GN_STAGE_STRATEGY)];
    struct gn_loop *orders = &w->loop[loop_of_stage(c, GN_STAGE_ORDERS)];
    struct gn_ring *execs = stage_ring(w, 0, err), *md = stage_ring(w, 1, err), *intents = stage_ring(w, 2, err);
    if (execs == NULL || md == NULL || intents == NULL)
        return false;
    if (feed != strategy)
        feed->md_out = strategy->md_in = md;
    if (strategy != orders)
        strategy->intent_out = orders->intent_in = intents;
    strategy->strategy.execs = execs;
    strategy->strategy.instruments = gn_region_at(&w->observe, GN_SECTION_INSTRUMENTS);
    strategy->strategy.m = strategy->m;
    strategy->strategy.control = w->control;
    strategy->strategy.intent_ctx = strategy;
    strategy->strategy.intent_sink = strategy == orders ? gn_loop_intent_to_orders : gn_loop_intent_to_ring;
    connect_orders(w, orders, execs);
    connect_feed(w, feed);
    return true;
}

static bool connect_loops(struct gn_wiring *w, char *err)
{
    struct gn_lcore_metrics *metrics = gn_region_at(&w->plane, GN_SECTION_METRICS);
    w->n_loops = w->conf->n_lcores;
    for (uint32_t i = 0; i < w->n_loops; i++) {
        struct gn_loop *l = &w->loop[i];
        l->lcore = i;
        l->stages = w->conf->lcore[i].stages;
        l->clock = &w->clock;
        l->stop = &w->stop;
        l->control = w->control;
        l->beat = &w->control->lcore[i];
        l->m = &metrics[i];
        l->events = gn_region_at(&w->plane, GN_SECTION_EVENT_RING + 1 + i);
        /* records that nobody will ever see: what they are about may have happened all the same */
        l->unseen =
            l->events != NULL && l->events->pending != atomic_load_explicit(&l->events->head, memory_order_relaxed);
        if (l->events == NULL || gn_ring_join_producer(l->events) != GN_RING_OK)
            return no(
                err,
                "an event ring of the plane file is damaged; stop both processes, remove the file and start again");
    }
    return true;
}

struct drain {
    struct gn_loop *loop;
    uint32_t waits;
};

/* The journal takes what is in the ring; without a control plane nobody does, and a start without its state is said. */
static bool let_drain(void *arg)
{
    struct drain *d = arg;
    const struct timespec step = {0, DRAIN_STEP_NS};
    gn_ring_publish(d->loop->events);
    nanosleep(&step, NULL);
    return ++d->waits < DRAIN_STEPS;
}

static void journal_start(struct gn_wiring *w, struct gn_loop *l, uint64_t now_ns)
{
    struct drain d = {.loop = l};
    gn_inputs_start(&l->orders, l->stages, w->joined, w->books_kept, let_drain, &d, now_ns);
}

bool gn_wiring_connect(struct gn_wiring *w, char err[GN_WIRING_ERR_LEN])
{
    uint64_t now_ns = 0;
    gn_clock_start(&w->clock);
    gn_clock_now(&w->clock, &now_ns);
    if (!own_region(w, err) || !connect_loops(w, err))
        return false;
    struct gn_loop *feed = &w->loop[loop_of_stage(w->conf, GN_STAGE_FEED)];
    struct gn_loop *strategy = &w->loop[loop_of_stage(w->conf, GN_STAGE_STRATEGY)];
    struct gn_loop *orders = &w->loop[loop_of_stage(w->conf, GN_STAGE_ORDERS)];
    if (!connect_ports(w, now_ns, err) || !connect_rings(w, err) || !own_books(w, &feed->feed, !feed->unseen, err) ||
        !connect_strategies(w, &strategy->strategy, err))
        return false;
    join_orders(&orders->orders, w->joined);
    gn_session_join(&orders->orders, w->joined, w->carried, now_ns);
    journal_start(w, orders, now_ns);
    gn_stage_orders_start(&orders->orders, w->joined, now_ns);
    if (!w->joined)
        gn_region_seal(&w->own);
    gn_counters_register(w);
    return true;
}

void gn_wiring_copy_counters(struct gn_wiring *w)
{
    gn_counters_copy(w);
}
