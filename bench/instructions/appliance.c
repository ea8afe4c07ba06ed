#include "bench/instructions/appliance.h"

#include "bench/instructions/count.h"

#define RING_CELLS 65536u
#define BEAT_NS    10000000ull

void appliance_intent(void *arg, const struct gn_intent *in, uint64_t now_ns)
{
    struct appliance *a = arg;
    gn_stage_orders_decide(&a->orders, in, now_ns);
    gn_ring_publish(a->events);
    if (a->counting) {
        count_off();
        a->counting = false;
    }
    gn_stage_orders_tell(&a->orders, now_ns);
    a->sent++;
}

static struct gn_ring *ring_new(uint32_t source)
{
    struct gn_ring *r = host_memory(gn_ring_footprint(RING_CELLS));
    if (gn_ring_new(r, RING_CELLS, source) != GN_RING_OK)
        host_die("no ring");
    return r;
}

static void configure(struct gn_conf *c, const struct host *venue)
{
    c->n_lcores = c->n_ports = c->n_sessions = c->n_strategies = 1;
    c->n_instruments = MARKET_INSTRUMENTS;
    c->max_instruments = 16384;
    c->max_orders = 65536;
    c->journal.unsynced_records = 1u << 30;
    c->journal.unsynced_ms = 1000;
    c->book_orders = 1u << 17;
    c->book_levels = 1u << 16;
    c->journal.inputs = 1;
    c->heartbeat_period_ms = 10;
    c->heartbeat_stale_ms = 200;
    c->heartbeat_cancel_ms = 1000;
    memcpy(c->feed.session, MARKET_SESSION, sizeof MARKET_SESSION - 1);
    c->feed.line[0] = (struct gn_conf_line){.port = 0, .group = HOST_GROUP_A, .udp_port = 30001};
    c->feed.line[1] = (struct gn_conf_line){.port = 0, .group = HOST_GROUP_B, .udp_port = 30001};
    c->feed.request_port = GN_NONE32;
    c->feed.gap_request_us = 200;
    c->feed.reorder_packets = 1024;
    c->session[0] = (struct gn_conf_session){.remote_ip = venue->ip,
                                             .remote_port = HOST_PORT,
                                             .local_port = 41000,
                                             .username = "GANNET",
                                             .password = "gannet",
                                             .heartbeat_ms = 1000,
                                             .dead_ms = 15000,
                                             .reconnect_ms = 100,
                                             .reconnect_max_ms = 1000};
    struct gn_conf_strategy *s = &c->strategy[0];
    memcpy(s->kind, "touch", sizeof "touch");
    s->enabled = 1;
    s->client = GN_NONE32;
    s->param[GN_PARAM_touch_QTY] = 1;
    s->param[GN_PARAM_touch_EVERY] = 1;
    s->param[GN_PARAM_touch_CROSS] = 1;
}

static struct gn_instruments *instruments_new(const struct gn_conf *c)
{
    struct gn_instruments *t = host_memory(sizeof *t + c->max_instruments * sizeof t->row[0]);
    t->capacity = c->max_instruments;
    t->configured = c->n_instruments;
    for (uint32_t i = 0; i < c->n_instruments; i++) {
        gn_gen_symbol(i, t->row[i].symbol);
        t->row[i].price_exp = -4;
        t->row[i].tick = GN_GEN_TICK;
        t->row[i].lot = 1;
        t->row[i].configured = 1;
    }
    atomic_store_explicit(&t->count, c->n_instruments, memory_order_release);
    return t;
}

static struct gn_limits *limits_new(const struct gn_conf *c)
{
    struct gn_limits *l = host_memory(gn_limits_footprint(c->max_instruments));
    l->rows = c->max_instruments;
    struct gn_limits_scope *firm = gn_limits_firm_row(l, 1);
    gn_limits_scope_open(firm);
    firm->max_open_orders = 10000;
    firm->message_rate = 10000000;
    firm->message_burst = 1000000;
    firm->cancel_reserve = 1000;
    for (uint32_t i = 0; i < c->n_instruments; i++) {
        struct gn_limits_instrument *row = gn_limits_row(l, 1, i);
        gn_limits_instrument_open(row);
        row->tradable = 1;
        row->max_qty = 10000;
        row->max_value = 4000000000000000000ll;
        row->collar_bps = 1000;
        row->max_position = 1000000000ll;
        row->max_open_orders = 10000;
    }
    gn_limits_publish(l);
    return l;
}

static void feed_new(struct appliance *a)
{
    struct gn_stage_feed *f = &a->feed;
    struct gn_arb_config cfg;
    const struct gn_conf *c = &a->conf;
    gn_stage_feed_arb_config(c, &cfg);
    f->conf = c;
    f->arb = host_memory(gn_arb_footprint(&cfg));
    f->books = gn_books_new(host_memory(gn_books_footprint(c->max_instruments, c->book_orders, c->book_levels)),
                            c->max_instruments, c->book_orders, c->book_levels);
    if (f->books == NULL || gn_arb_new(f->arb, &cfg) != GN_ARB_OK)
        host_die("no books");
    f->locate = host_memory(sizeof(uint32_t) * GN_LOCATES);
    f->instruments = instruments_new(c);
    f->tob = host_memory(c->max_instruments * sizeof(struct gn_tob));
    f->rows = host_memory(c->max_instruments * sizeof(struct gn_book_row));
    f->control = host_memory(sizeof(struct gn_control) + c->max_instruments * sizeof(uint64_t));
    f->m = &a->m;
    f->events = a->events;
    f->net[0] = a->us.net;
    f->txq[0] = &a->us.txq;
    f->md_sink = gn_stage_strategy_md;
    f->md_ctx = &a->strategy;
}

static struct gn_risk *risk_new(struct appliance *a)
{
    struct gn_conf *c = &a->conf;
    struct gn_risk *r = host_memory(gn_risk_footprint(c->max_instruments));
    c->risk = (struct gn_conf_risk){
        .window_ms = 1000, .duplicate_ms = 1000, .velocity_ms = 1000, .period_ms = 60000, .mark_us = 10};
    for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
        c->strategy[i].algo_id = i + 1;
    gn_risk_new(r, c->max_instruments);
    for (uint32_t i = 0; i < c->n_instruments; i++) {
        const struct gn_instrument *k = &a->feed.instruments->row[i];
        const struct gn_conf_instrument conf = {.price_exp = k->price_exp,
                                                .strategy = k->strategy,
                                                .tick = k->tick,
                                                .lot = k->lot,
                                                .theme = GN_NONE32,
                                                .multiplier = 1,
                                                .fx_ppm = 1000000};
        if (!gn_risk_describe(r, i, c, &conf))
            host_die("an instrument without a place");
    }
    return r;
}

static void orders_new(struct appliance *a, struct gn_ring *execs)
{
    struct gn_stage_orders *o = &a->orders;
    const struct gn_conf *c = &a->conf;
    o->conf = c;
    o->epoch = 1;
    o->control = a->feed.control;
    o->orders = host_memory(gn_orders_footprint(c->max_orders));
    gn_orders_new(o->orders, c->max_orders);
    o->fills = host_memory(gn_fills_footprint(4096));
    gn_fills_new(o->fills, 4096);
    o->positions = host_memory(c->max_instruments * sizeof(struct gn_position));
    o->rows = host_memory(GN_SESSIONS_MAX * sizeof(struct gn_session_row));
    o->state = host_memory(GN_SESSIONS_MAX * sizeof(struct gn_session_state_row));
    o->templates = host_memory(2 * MARKET_INSTRUMENTS * sizeof(struct gn_ouch_template));
    o->instruments = a->feed.instruments;
    o->net[0] = a->us.net;
    o->tcp[0] = a->us.tcp;
    o->txq[0] = &a->us.txq;
    o->events = a->events;
    o->execs = execs;
    o->m = &a->m;
    o->words.instrument = host_memory(c->max_instruments * sizeof(uint64_t));
    o->gate = (struct gn_gate){.control = o->control,
                               .words = &o->words,
                               .limits = limits_new(c),
                               .instruments = o->instruments,
                               .tob = a->feed.tob,
                               .positions = o->positions,
                               .sessions = o->rows,
                               .orders = o->orders,
                               .risk = risk_new(a),
                               .conf = c,
                               .max_instruments = c->max_instruments};
    gn_stage_orders_start(o, false, host_now);
}

static void strategy_new(struct appliance *a, struct gn_ring *execs)
{
    struct gn_stage_strategy *s = &a->strategy;
    struct gn_strategy_slot *k = &s->slot[0];
    s->n = 1;
    s->instruments = a->feed.instruments;
    s->execs = execs;
    s->m = &a->m;
    s->intent_sink = appliance_intent;
    s->intent_ctx = a;
    k->ops = gn_strategy_find(a->conf.strategy[0].kind);
    if (k->ops == NULL)
        host_die("no strategy");
    k->state = host_memory(k->ops->footprint(a->conf.max_instruments));
    k->ctx.conf = &a->conf.strategy[0];
    k->ctx.instruments = a->feed.instruments;
    k->ctx.max_instruments = a->conf.max_instruments;
}

void appliance_new(struct appliance *a)
{
    memset(a, 0, sizeof *a);
    host_new(&a->us, 1, 8, 2);
    host_new(&a->venue, 2, 8, 2);
    host_meet(&a->us, &a->venue);
    if (gn_net_join_group(a->us.net, HOST_GROUP_A, 0) != GN_NET_OK ||
        gn_net_join_group(a->us.net, HOST_GROUP_B, 0) != GN_NET_OK ||
        gn_tcp_listen(a->venue.tcp, HOST_PORT) != GN_TCP_OK)
        host_die("no groups");
    a->venue_conn = GN_TCP_NONE;
    a->events = ring_new(1);
    configure(&a->conf, &a->venue);
    struct gn_ring *execs = ring_new(0);
    feed_new(a);
    strategy_new(a, execs);
    orders_new(a, execs);
    a->strategy.slot[0].ctx.positions = a->orders.positions;
}

void appliance_poll(struct appliance *a)
{
    gn_stage_feed_poll(&a->feed, host_now);
    gn_stage_strategy_poll(&a->strategy, host_now);
    gn_stage_orders_poll(&a->orders, host_now);
    gn_net_timer(a->us.net, host_now, &a->us.txq);
    gn_tcp_timer(a->us.tcp, a->us.net, host_now, &a->us.txq);
    gn_ring_publish(a->events);
}

/* ---- the venue ---- */

static void venue_packet(struct appliance *a, uint8_t type, const uint8_t *payload, uint32_t len)
{
    uint8_t buf[256];
    if (len > sizeof buf - GN_SOUP_HEADER)
        host_die("the venue's message is too long");
    uint32_t bytes = gn_soup_header(buf, (enum gn_soup_type)type, (uint16_t)len);
    memcpy(buf + GN_SOUP_HEADER, payload, len);
    if (gn_tcp_send(a->venue.tcp, a->venue.net, a->venue_conn, buf, bytes, host_now, &a->venue.txq) != GN_TCP_OK)
        host_die("the venue cannot answer");
}

static void venue_says(struct appliance *a, const struct gn_ouch_msg *m)
{
    uint8_t buf[GN_OUCH_OUT_MAX];
    int len = gn_ouch_encode_out(buf, sizeof buf, m);
    if (len <= 0)
        host_die("the venue has no words");
    venue_packet(a, GN_SOUP_SEQUENCED, buf, (uint32_t)len);
}

static void venue_order(struct appliance *a, const struct gn_soup_packet *pkt)
{
    struct gn_ouch_msg in;
    if (gn_ouch_decode_in(pkt->payload, pkt->len, &in) != GN_OUCH_OK)
        host_die("the venue does not understand");
    if (in.type == GN_OUCH_IN_QUERY) {
        venue_says(a, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_QUERY_RESPONSE, .next_user_ref = a->last_ref + 1});
        return;
    }
    if (in.type != GN_OUCH_IN_ENTER)
        host_die("an order of another kind");
    a->last_ref = in.user_ref;
    struct gn_ouch_msg out = in;
    out.type = GN_OUCH_OUT_ACCEPTED;
    out.state = 'L';
    out.order_ref = in.user_ref;
    venue_says(a, &out);
    if (!a->keep)
        venue_says(a, &(struct gn_ouch_msg){
                          .type = GN_OUCH_OUT_CANCELED, .user_ref = in.user_ref, .qty = in.qty, .reason = 'I'});
}

static void venue_turn(struct appliance *a)
{
    static const char accepted[] = "GNOUCH0001                   1";
    const uint8_t *data;
    struct gn_soup_packet pkt;
    if (a->venue_conn == GN_TCP_NONE && gn_tcp_accept(a->venue.tcp, HOST_PORT, &a->venue_conn) != GN_TCP_OK)
        return;
    for (;;) {
        uint32_t n = gn_tcp_readable(a->venue.tcp, a->venue_conn, &data);
        if (n == 0 || gn_soup_next(data, n, &pkt) != 1)
            return;
        if (pkt.type == GN_SOUP_LOGIN)
            venue_packet(a, GN_SOUP_ACCEPTED, (const uint8_t *)accepted, sizeof accepted - 1);
        else if (pkt.type == GN_SOUP_UNSEQUENCED)
            venue_order(a, &pkt);
        gn_tcp_consume(a->venue.tcp, a->venue_conn, pkt.bytes);
    }
}

/* ---- what is not counted ---- */

static void journal_takes(struct appliance *a)
{
    const struct gn_rec *rec;
    uint64_t last = 0;
    int err;
    gn_ring_publish(a->events);
    while ((rec = gn_ring_read(a->events, &a->journal_cursor, &err)) != NULL)
        last = rec->seq;
    if (err != GN_RING_OK)
        host_die("the journal's ring is damaged");
    if (last != 0)
        gn_ring_release(a->events, a->journal_cursor, last);
}

void appliance_exchange(struct appliance *a)
{
    (void)host_pass(&a->us, &a->venue);
    venue_turn(a);
    (void)host_pass(&a->venue, &a->us);
}

void appliance_settle(struct appliance *a)
{
    if (host_now - a->beat_ns >= BEAT_NS) {
        a->beat_ns = host_now;
        atomic_fetch_add_explicit(&a->feed.control->controlplane.count, 1, memory_order_relaxed);
    }
    do {
        appliance_exchange(a);
        appliance_poll(a);
    } while (a->us.txq.n != 0 || a->venue.txq.n != 0);
    (void)gn_tcp_timer(a->venue.tcp, a->venue.net, host_now, &a->venue.txq);
    journal_takes(a);
}

void appliance_login(struct appliance *a)
{
    for (uint32_t i = 0; i < 1000 && atomic_load(&a->orders.rows[0].state) != GN_SESSION_UP; i++) {
        host_now += 10000;
        appliance_settle(a);
    }
    if (atomic_load(&a->orders.rows[0].state) != GN_SESSION_UP)
        host_die("the session did not come up");
}
