#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lcore/harness.h"

#include "dataplane/lcore/stage_inputs.h"

#define EXEC_CELLS 8192u
#define DESK_ROOM  4096u

static void *share(uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void *take(struct gn_h *h, uint64_t bytes)
{
    uint64_t room = gn_align_up(bytes, GN_GUARD);
    void *p = h->shared ? share(room) : aligned_alloc(GN_GUARD, room);
    if (p == NULL || h->n_blocks == GN_ARRAY_LEN(h->blocks))
        abort();
    memset(p, 0, room);
    h->block_bytes[h->n_blocks] = room;
    h->blocks[h->n_blocks++] = p;
    return p;
}

/* ---- set-up ---- */

static void make_conf(struct gn_h *h, const struct gn_h_options *o)
{
    struct gn_conf *c = &h->conf;
    c->n_lcores = c->n_ports = c->n_sessions = 1;
    c->n_strategies = 2;
    c->n_instruments = o->configured;
    c->max_instruments = o->instruments;
    c->max_orders = GN_H_ORDERS;
    c->book_orders = o->book_orders;
    c->book_levels = o->book_levels;
    c->journal.inputs = 1;
    c->journal.unsynced_records = 100000;
    c->journal.unsynced_ms = 1000;
    c->feed = (struct gn_conf_feed){
        .line = {{0, GN_H_GROUP_A, GN_H_UDP_A, 0}, {0, GN_H_GROUP_B, GN_H_UDP_B, 0}},
        .request_port = o->no_requests ? GN_NONE32 : 0,
        .request_ip = GN_H_VENUE_IP,
        .request_udp_port = GN_H_UDP_SERVER,
        .request_local_udp_port = GN_H_UDP_MINE,
        .gap_request_us = 1000,
        .gap_retries = 3,
        .reorder_packets = 64,
    };
    memcpy(c->feed.session, GN_H_SESSION, sizeof GN_H_SESSION);
    c->session[0] = (struct gn_conf_session){
        .name = "venue",
        .remote_ip = GN_H_VENUE_IP,
        .remote_port = GN_H_SOUP_PORT,
        .local_port = 40000,
        .username = "USER",
        .password = "PASS",
        .firm = "FIRM",
        .heartbeat_ms = 1000,
        .handover = 1,
        .dead_ms = 5000,
        .reconnect_ms = 10,
        .reconnect_max_ms = 100,
    };
    c->strategy[GN_H_TOUCH] = (struct gn_conf_strategy){
        .name = "touch", .kind = "touch", .enabled = 1, .client = GN_NONE32, .param = {10, 1, 1}};
    c->strategy[GN_H_DESK] =
        (struct gn_conf_strategy){.name = "desk", .kind = "client", .enabled = 1, .client = GN_NONE32};
    c->heartbeat_stale_ms = 50;
    c->heartbeat_cancel_ms = 200;
}

static void make_instruments(struct gn_h *h)
{
    struct gn_instruments *t = h->instruments;
    t->capacity = h->conf.max_instruments;
    t->configured = h->conf.n_instruments;
    atomic_store(&t->count, t->configured);
    for (uint32_t i = 0; i < t->configured; i++) {
        struct gn_instrument *k = &t->row[i];
        memcpy(k->symbol, "SYM     ", 8);
        k->symbol[3] = (char)('A' + i);
        k->price_exp = -4;
        k->tick = 100;
        k->lot = 1;
        k->configured = 1;
        k->strategy = i == 0 ? GN_H_TOUCH : GN_H_DESK;
    }
}

static void make_limits(struct gn_h *h)
{
    h->limits->rows = h->conf.max_instruments;
    struct gn_limits_scope *firm = gn_limits_firm_row(h->limits, 1);
    gn_limits_scope_open(firm);
    firm->max_open_orders = 200;
    firm->message_rate = 100000;
    firm->message_burst = 10000;
    firm->cancel_reserve = 100;
    for (uint32_t i = 0; i < h->conf.n_instruments; i++) {
        struct gn_limits_instrument *row = gn_limits_row(h->limits, 1, i);
        gn_limits_instrument_open(row);
        row->tradable = 1;
        row->max_qty = 10000;
        row->max_value = 1000000000000;
        row->collar_bps = 5000;
        row->max_position = 1000000;
        row->max_open_orders = 200;
    }
    gn_limits_publish(h->limits);
}

static void make_end(struct gn_h_end *e, uint32_t ip, uint8_t last, uint64_t now)
{
    struct gn_net_conf nc;
    struct gn_tcp_conf tc;
    gn_net_conf_default(&nc);
    nc.mac[0] = 2;
    nc.mac[5] = last;
    nc.ip = ip;
    nc.prefix_bits = 24;
    nc.seed = last;
    gn_tcp_conf_default(&tc);
    tc.rto_min_us = 5000;
    tc.rto_initial_us = 200000;
    memset(tc.secret, last, sizeof tc.secret);
    if (gn_net_new(e->net, &nc, now) != GN_NET_OK ||
        gn_tcp_new(e->tcp, GN_H_CONNS, GN_H_TCP_BUF, GN_H_TCP_BUF, &tc, now, &e->tcp) != GN_TCP_OK)
        abort();
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        e->txq.buf[i] = e->room[i];
    e->txq.n = 0;
    e->txq.stocked = GN_TXQ_MAX;
    e->out.head = e->out.tail = 0;
}

static void to_strategy(void *ctx, const struct gn_md *md, uint64_t now_ns)
{
    gn_stage_strategy_md(&((struct gn_h *)ctx)->strategy, md, now_ns);
}

void gn_h_flush(struct gn_h_end *e)
{
    for (uint32_t i = 0; i < e->txq.n; i++) {
        if (e->out.cut || e->out.tail - e->out.head == GN_H_WIRE)
            continue;
        uint32_t at = e->out.tail++ % GN_H_WIRE;
        memcpy(e->out.frame[at], e->txq.buf[i], e->txq.len[i]);
        e->out.len[at] = e->txq.len[i];
    }
    e->txq.n = 0;
}

static void to_orders(void *ctx, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_h *h = ctx;
    gn_stage_orders_intent(&h->stage, in, now_ns);
    gn_h_flush(&h->end); /* an order leaves alone and at once */
}

static void wire_feed(struct gn_h *h)
{
    struct gn_arb_config cfg;
    gn_stage_feed_arb_config(&h->conf, &cfg);
    h->feed = (struct gn_stage_feed){
        .conf = &h->conf,
        .arb = h->arb,
        .locate = h->locate,
        .instruments = h->instruments,
        .tob = h->tob,
        .rows = h->book_rows,
        .m = &h->m,
        .control = h->control,
        .events = h->events,
        .md_sink = to_strategy,
        .md_ctx = h,
    };
    h->feed.net[0] = h->end.net;
    h->feed.txq[0] = &h->end.txq;
    h->feed.books = gn_books_new(h->books, h->conf.max_instruments, h->conf.book_orders, h->conf.book_levels);
    if (h->feed.books == NULL || gn_arb_new(h->feed.arb, &cfg) != GN_ARB_OK ||
        gn_net_join_group(h->end.net, GN_H_GROUP_A, 0) != GN_NET_OK ||
        gn_net_join_group(h->end.net, GN_H_GROUP_B, 0) != GN_NET_OK)
        abort();
    if (h->on_record != NULL) /* as the data plane does; other tests keep the last prices over a restart */
        gn_stage_feed_start(&h->feed);
}

static void wire_strategy(struct gn_h *h)
{
    struct gn_stage_strategy *s = &h->strategy;
    memset(s, 0, sizeof *s);
    s->n = h->conf.n_strategies;
    s->instruments = h->instruments;
    s->execs = h->execs;
    s->m = &h->m;
    s->intent_sink = to_orders;
    s->intent_ctx = h;
    for (uint32_t i = 0; i < s->n; i++) {
        struct gn_strategy_slot *k = &s->slot[i];
        k->ops = gn_strategy_find(h->conf.strategy[i].kind);
        k->state = (uint8_t *)h->strategy_state + (s->n - 1 - i) * DESK_ROOM; /* touch is last: it grows */
        k->ctx.conf = &h->conf.strategy[i];
        k->ctx.instruments = h->instruments;
        k->ctx.positions = h->positions;
        k->ctx.index = i;
        k->ctx.max_instruments = h->conf.max_instruments;
    }
}

static void wire_orders(struct gn_h *h, bool joined, uint32_t carried)
{
    struct gn_stage_orders *s = &h->stage;
    memset(s, 0, sizeof *s);
    s->conf = &h->conf;
    s->epoch = 7;
    s->lcore = 2;
    s->control = h->control;
    s->orders = h->orders;
    s->positions = h->positions;
    s->fills = h->fills;
    s->recon = h->recon;
    s->rows = h->rows;
    s->state = h->state;
    s->templates = h->templates;
    s->instruments = h->instruments;
    s->events = h->events;
    s->execs = h->execs;
    s->m = &h->m;
    s->net[0] = h->end.net;
    s->tcp[0] = h->end.tcp;
    s->txq[0] = &h->end.txq;
    memset(h->words, 0, sizeof(uint64_t) * h->conf.max_instruments);
    s->words.instrument = h->words;
    s->gate = (struct gn_gate){
        .control = h->control,
        .words = &s->words,
        .limits = h->limits,
        .instruments = h->instruments,
        .tob = h->tob,
        .positions = h->positions,
        .sessions = h->rows,
        .orders = h->orders,
        .risk = h->risk,
        .conf = &h->conf,
        .max_instruments = h->conf.max_instruments,
    };
    s->life_seq = h->events->next_seq;
    gn_session_join(s, joined, carried, h->now);
    if (h->on_record != NULL)
        gn_inputs_start(s, GN_STAGE_FEED | GN_STAGE_STRATEGY | GN_STAGE_ORDERS, joined, false, NULL, NULL, h->now);
    gn_stage_orders_start(s, joined, h->now);
}

void gn_h_record(struct gn_h *h, void (*fn)(void *arg, const struct gn_rec *rec), void *arg)
{
    h->on_record = fn;
    h->record_arg = arg;
    gn_h_restart(h, false);
}

struct gn_h *gn_h_new(const struct gn_h_options *options)
{
    struct gn_h_options o = options == NULL ? (struct gn_h_options){0} : *options;
    struct gn_arb_config cfg;
    struct gn_h *h = o.shared ? share(sizeof *h) : calloc(1, sizeof *h);
    if (h == NULL)
        abort();
    h->shared = o.shared;
    o.instruments = o.instruments == 0 ? 16 : o.instruments;
    o.configured = o.configured == 0 ? 4 : o.configured;
    o.book_orders = o.book_orders == 0 ? 1024 : o.book_orders;
    o.book_levels = o.book_levels == 0 ? 4096 : o.book_levels;
    o.event_cells = o.event_cells == 0 ? 8192 : o.event_cells;
    make_conf(h, &o);
    h->now = 1000 * GN_H_MS;
    h->step_ns = 20000;
    h->control = take(h, sizeof *h->control + 8ull * o.instruments);
    h->limits = take(h, gn_limits_footprint(o.instruments));
    h->risk = take(h, gn_risk_footprint(o.instruments));
    h->orders = take(h, gn_orders_footprint(GN_H_ORDERS));
    h->fills = take(h, gn_fills_footprint(GN_H_ORDERS));
    h->recon = take(h, sizeof *h->recon);
    h->positions = take(h, sizeof *h->positions * o.instruments);
    h->rows = take(h, sizeof *h->rows * GN_SESSIONS_MAX);
    h->state = take(h, sizeof *h->state * GN_SESSIONS_MAX);
    h->instruments = take(h, sizeof *h->instruments + sizeof(struct gn_instrument) * o.instruments);
    h->tob = take(h, sizeof *h->tob * o.instruments);
    h->book_rows = take(h, sizeof *h->book_rows * o.instruments);
    h->templates = take(h, 2 * sizeof *h->templates * o.configured);
    h->locate = take(h, sizeof(uint32_t) * GN_LOCATES);
    h->events = take(h, gn_ring_footprint(o.event_cells));
    h->execs = take(h, gn_ring_footprint(EXEC_CELLS));
    h->strategy_state = take(h, 2ull * DESK_ROOM + 16ull * o.instruments);
    h->words = take(h, sizeof(uint64_t) * o.instruments);
    h->books = take(h, gn_books_footprint(o.instruments, o.book_orders, o.book_levels));
    gn_stage_feed_arb_config(&h->conf, &cfg);
    h->arb = take(h, gn_arb_footprint(&cfg));
    h->end.net = take(h, gn_net_footprint());
    h->end.tcp = take(h, gn_tcp_footprint(GN_H_CONNS, GN_H_TCP_BUF, GN_H_TCP_BUF));
    h->peer.end.net = take(h, gn_net_footprint());
    h->peer.end.tcp = take(h, gn_tcp_footprint(GN_H_CONNS, GN_H_TCP_BUF, GN_H_TCP_BUF));
    if (gn_ring_new(h->events, o.event_cells, 1) != GN_RING_OK || gn_ring_new(h->execs, EXEC_CELLS, 0) != GN_RING_OK)
        abort();
    make_instruments(h);
    make_limits(h);
    gn_h_make_risk(h);
    gn_orders_new(h->orders, GN_H_ORDERS);
    gn_fills_new(h->fills, GN_H_ORDERS);
    make_end(&h->end, GN_H_MY_IP, 1, h->now);
    make_end(&h->peer.end, GN_H_VENUE_IP, 2, h->now);
    h->peer.conn = GN_TCP_NONE;
    h->peer.next_ref = 1;
    if (gn_tcp_listen(h->peer.end.tcp, GN_H_SOUP_PORT) != GN_TCP_OK)
        abort();
    wire_feed(h);
    wire_strategy(h);
    wire_orders(h, false, 0);
    return h;
}

void gn_h_free(struct gn_h *h)
{
    for (uint32_t i = 0; i < h->n_blocks; i++)
        if (h->shared)
            (void)munmap(h->blocks[i], h->block_bytes[i]);
        else
            free(h->blocks[i]);
    if (h->shared)
        (void)munmap(h, sizeof *h);
    else
        free(h);
}

void gn_h_restart(struct gn_h *h, bool own)
{
    if (h->on_record != NULL)
        h->now += h->step_ns; /* no two turns, and no start, have the same time */
    make_end(&h->end, GN_H_MY_IP, 1, h->now);
    if (gn_ring_join_producer(h->events) != GN_RING_OK || gn_ring_new(h->execs, EXEC_CELLS, 0) != GN_RING_OK)
        abort();
    h->exec_cursor = 0;
    if (!own)
        memset(h->state, 0, sizeof *h->state * GN_SESSIONS_MAX);
    wire_feed(h);
    memset(h->strategy_state, 0, 2ull * DESK_ROOM + 16ull * h->conf.max_instruments); /* a new life starts empty */
    wire_strategy(h);
    gn_orders_join(h->orders, h->positions, h->conf.max_instruments);
    if (!gn_fills_join(h->fills, GN_H_ORDERS))
        abort();
    wire_orders(h, own, 0);
}

static void own_turn(struct gn_h *h, bool watch);

void gn_h_handover(struct gn_h *h)
{
    if (gn_net_join(h->end.net, gn_net_footprint(), h->now, &h->end.net) != GN_NET_OK ||
        gn_tcp_join(h->end.tcp, gn_tcp_footprint(GN_H_CONNS, GN_H_TCP_BUF, GN_H_TCP_BUF), h->now, &h->end.tcp) !=
            GN_TCP_OK ||
        gn_ring_join_producer(h->events) != GN_RING_OK || gn_ring_new(h->execs, EXEC_CELLS, 0) != GN_RING_OK)
        abort();
    h->end.txq.n = 0;
    h->exec_cursor = 0;
    (void)gn_undo_rollback(&h->state[0].undo, h->state[0].soup.next_seq, h->orders, h->positions,
                           h->conf.max_instruments, h->fills);
    wire_feed(h);
    wire_strategy(h);
    gn_orders_join(h->orders, h->positions, h->conf.max_instruments);
    if (!gn_fills_join(h->fills, GN_H_ORDERS))
        abort();
    wire_orders(h, true, 1);
}

bool gn_h_killed_turn(struct gn_h *h, const struct gn_intent *in, uint64_t instructions)
{
    int status = 0;
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
            _exit(1);
        if (in != NULL)
            gn_h_intent(h, in);
        own_turn(h, false);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        abort();
    for (uint64_t n = 0; n < instructions; n++)
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
            return true;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    return false;
}

/* ---- the data plane's turn ---- */

static void note_execs(struct gn_h *h)
{
    const struct gn_rec *rec;
    int err;
    while ((rec = gn_ring_read(h->execs, &h->exec_cursor, &err)) != NULL)
        if (h->n_exec < GN_H_LOG)
            memcpy(&h->exec[h->n_exec++], rec + 1, sizeof h->exec[0]);
}

static void note_events(struct gn_h *h)
{
    const struct gn_rec *rec;
    uint64_t last = 0;
    int err;
    while ((rec = gn_ring_read(h->events, &h->event_cursor, &err)) != NULL) {
        last = rec->seq;
        if (h->on_record != NULL)
            h->on_record(h->record_arg, rec);
        h->counts[rec->type < GN_H_EVENT_MAX ? rec->type : 0]++;
        if (rec->corr == 0)
            h->broken = "a record has no correlation";
        if (rec->type == GN_EV_MD_PACKET || h->n_event == GN_H_LOG)
            continue;
        struct gn_h_event *e = &h->event[h->n_event++];
        size_t len = rec->bytes < sizeof e->rec + sizeof e->payload ? rec->bytes : sizeof e->rec + sizeof e->payload;
        memcpy(e, rec, len);
    }
    if (err != GN_RING_OK)
        h->broken = "the journal ring is corrupt";
    if (last != 0 && !h->journal_stuck)
        gn_ring_release(h->events, h->event_cursor, last);
    if (h->journal_stuck)
        h->event_cursor = atomic_load(&h->events->tail); /* look again when somebody drains */
}

/* watch: the harness looks at what came out, too. */
static void own_turn(struct gn_h *h, bool watch)
{
    struct gn_h_wire *in = &h->peer.end.out;
    struct gn_net_rx rx;
    if (!h->cp_dead)
        atomic_fetch_add(&h->control->controlplane.count, 1);
    if (watch)
        note_execs(h);
    gn_stage_strategy_poll(&h->strategy, h->now);
    for (uint32_t i = 0; i < h->n_queued; i++)
        gn_h_intent(h, &h->queued[i]);
    h->n_queued = 0;
    for (; in->head != in->tail; in->head++) {
        uint32_t at = in->head % GN_H_WIRE;
        gn_net_input(h->end.net, h->end.tcp, in->frame[at], in->len[at], 0, h->now, &h->end.txq, &rx);
        if (rx.kind == GN_NET_RX_UDP)
            gn_stage_feed_udp(&h->feed, 0, &rx, h->now);
        gn_h_flush(&h->end);
    }
    gn_stage_feed_poll(&h->feed, h->now);
    gn_stage_orders_poll(&h->stage, h->now);
    if (watch)
        note_execs(h);
    gn_net_timer(h->end.net, h->now, &h->end.txq);
    gn_tcp_timer(h->end.tcp, h->end.net, h->now, &h->end.txq);
    gn_h_flush(&h->end);
    gn_ring_publish(h->events);
    if (!h->journal_stuck && watch)
        note_events(h);
}

const char *gn_h_check(const struct gn_h *h)
{
    const struct gn_order_table *t = h->orders;
    static struct gn_position sum[4096];
    uint32_t open = 0, linked = 0, wanted = 0;
    memset(sum, 0, sizeof *sum * h->conf.max_instruments);
    for (uint32_t i = 0; i < t->capacity; i++) {
        const struct gn_order *o = &t->order[i];
        if (!gn_order_working(o->state))
            continue;
        open++;
        wanted += o->cancel_wanted;
        if (o->instrument >= h->conf.max_instruments || o->reserved < 0 || o->leaves < 0 || o->reserved > o->leaves)
            return "a working order has impossible fields";
        sum[o->instrument].open_orders++;
        sum[o->instrument].open_value +=
            o->price * (o->prev_ref != 0 && o->state == GN_ORDER_PENDING_NEW ? o->qty : o->reserved);
        *(o->side == GN_SIDE_BUY ? &sum[o->instrument].open_buy : &sum[o->instrument].open_sell) += o->reserved;
    }
    for (uint32_t i = t->list_head; i != GN_NONE32 && linked <= t->capacity; i = t->order[i].list_next, linked++)
        if (!gn_order_working(t->order[i].state))
            return "the list has an order that does not work";
    if (open != t->open || linked != open)
        return "the count of working orders, their list and the table differ";
    static int64_t sums[GN_SCOPE_ROWS][GN_LANES];
    if (h->stage.untold == NULL && !gn_risk_verify(&h->stage.gate.ctx, sums))
        return "the sums of a scope are not those of its positions and orders";
    if (wanted != h->stage.wanted)
        return "the count of wanted cancels is wrong";
    for (uint32_t i = 0; i < h->conf.max_instruments; i++) {
        const struct gn_position *p = &h->positions[i];
        if (p->open_buy != sum[i].open_buy || p->open_sell != sum[i].open_sell ||
            p->open_orders != sum[i].open_orders || p->open_value != sum[i].open_value || p->qty != p->bought - p->sold)
            return "a position's reservations are not those of its orders";
    }
    return NULL;
}

void gn_h_turn(struct gn_h *h)
{
    h->now += h->step_ns;
    own_turn(h, true);
    gn_h_peer_turn(h);
    if (h->broken == NULL)
        h->broken = gn_h_check(h);
}

void gn_h_run(struct gn_h *h, uint64_t ns)
{
    for (uint64_t until = h->now + ns; h->now < until;)
        gn_h_turn(h);
}

bool gn_h_until_state(struct gn_h *h, uint32_t state, uint64_t max_ns)
{
    for (uint64_t until = h->now + max_ns; h->now < until && gn_h_session(h) != state;)
        gn_h_turn(h);
    return gn_h_session(h) == state;
}

bool gn_h_up(struct gn_h *h)
{
    return gn_h_until_state(h, GN_SESSION_UP, 3000 * GN_H_MS);
}

/* ---- intents ---- */

void gn_h_intent(struct gn_h *h, const struct gn_intent *in)
{
    struct gn_intent mine = *in;
    mine.strategy = GN_H_DESK;
    to_orders(h, &mine, h->now);
}

void gn_h_queue(struct gn_h *h, const struct gn_intent *in)
{
    if (h->n_queued < GN_ARRAY_LEN(h->queued))
        h->queued[h->n_queued++] = *in;
}

struct gn_order *gn_h_new_order(struct gn_h *h, uint32_t instrument, uint32_t side, int64_t price, int64_t qty)
{
    uint64_t before = h->stage.m->orders_sent, seq = 0;
    struct gn_intent in = {.action = GN_ACTION_NEW,
                           .side = (uint8_t)side,
                           .tif = GN_TIF_DAY,
                           .instrument = instrument,
                           .price = price,
                           .qty = qty,
                           .tag = 55};
    struct gn_order *o = gn_order_peek(h->orders, &seq);
    gn_h_intent(h, &in);
    return h->stage.m->orders_sent != before ? o : NULL;
}

void gn_h_cancel(struct gn_h *h, const struct gn_order *o)
{
    gn_h_intent(h, &(struct gn_intent){.action = GN_ACTION_CANCEL, .instrument = o->instrument, .target = o->id});
}

/* ---- looking ---- */

uint32_t gn_h_inbox_count(const struct gn_h *h, uint8_t type)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->peer.n_in; i++)
        n += h->peer.in[i].type == type;
    return n;
}

const struct gn_ouch_msg *gn_h_inbox_last(const struct gn_h *h, uint8_t type)
{
    static const struct gn_ouch_msg none;
    for (uint32_t i = h->peer.n_in; i > 0; i--)
        if (h->peer.in[i - 1].type == type)
            return &h->peer.in[i - 1];
    return &none;
}

const struct gn_exec *gn_h_exec_last(const struct gn_h *h, uint8_t kind)
{
    static const struct gn_exec none;
    for (uint32_t i = h->n_exec; i > 0; i--)
        if (h->exec[i - 1].kind == kind)
            return &h->exec[i - 1];
    return &none;
}

uint32_t gn_h_exec_count(const struct gn_h *h, uint8_t kind)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n_exec; i++)
        n += h->exec[i].kind == kind;
    return n;
}

uint32_t gn_h_session(const struct gn_h *h)
{
    return atomic_load(&h->rows[0].state);
}
