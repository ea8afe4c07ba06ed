#include "tools/venue-sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ENDING_NS     300000000ull
#define END_PACKET_NS 50000000ull
#define TCP_CONNS     64u
#define TCP_BUFFER    (1u << 18)
#define DAY_NS        86400000000000ull
#define APPLY_POLL    8u /* messages applied between looks at the ports */

struct gn_market *gn_sim_open_source(const struct gn_sim_options *opt, uint64_t *bad_offset, char err[GN_OPT_TEXT])
{
    struct gn_market *m = NULL;
    uint64_t at = 0;
    int rc;
    *bad_offset = 0;
    if (opt->itch[0] != '\0') {
        rc = gn_market_open_file(&m, opt->itch, &at);
        if (rc == GN_MARKET_ERR_TRUNCATED && m != NULL) {
            *bad_offset = at;
            rc = GN_MARKET_OK;
        }
        if (rc == GN_MARKET_ERR_OPEN)
            snprintf(err, GN_OPT_TEXT, "%.150s: %s: %s", opt->itch, gn_market_strerror(rc), strerror(errno));
        else
            snprintf(err, GN_OPT_TEXT, "%.150s: %s, at offset %llu", opt->itch, gn_market_strerror(rc),
                     (unsigned long long)at);
    } else {
        struct gn_gen_config cfg = {.seed = opt->seed,
                                    .messages = opt->messages,
                                    .rate = opt->speed == 0 ? opt->rate : 0,
                                    .instruments = (uint32_t)opt->instruments,
                                    .live_target = (uint32_t)opt->live};
        rc = gn_market_open_generator(&m, &cfg);
        snprintf(err, GN_OPT_TEXT, "%s", gn_market_strerror(rc));
    }
    return rc == GN_MARKET_OK ? m : NULL;
}

static uint32_t book_orders(const struct gn_sim *s)
{
    uint64_t n = s->opt.book_orders;
    if (n == 0 && s->opt.itch[0] == '\0')
        n = s->opt.instruments * GN_GEN_LIVE_MAX;
    else if (n == 0)
        n = gn_market_messages(s->market);
    n = n < GN_SIM_ORDERS_MIN ? GN_SIM_ORDERS_MIN : n;
    return n > (1u << 23) && s->opt.book_orders == 0 ? 1u << 23 : (uint32_t)n;
}

static bool make_link(struct gn_sim *s, uint32_t i, const uint8_t mac[6], uint64_t now_ns)
{
    const struct gn_conf_port *p = &s->opt.port[i];
    struct gn_net_conf conf;
    gn_net_conf_default(&conf);
    memcpy(conf.mac, mac, sizeof conf.mac);
    conf.mtu = (uint16_t)p->mtu;
    conf.ip = p->ip;
    conf.gateway = p->gateway;
    conf.prefix_bits = (uint8_t)p->prefix_len;
    conf.vlan_id = p->vlan;
    conf.seed = s->opt.seed + i;
    void *mem = aligned_alloc(GN_CACHE_LINE, gn_align_up(gn_net_footprint(), GN_CACHE_LINE));
    if (mem == NULL)
        return false;
    memset(mem, 0, gn_net_footprint());
    s->links.link[i].net = mem;
    return gn_net_new(mem, &conf, now_ns) == GN_NET_OK;
}

static bool make_tcp(struct gn_sim *s, uint64_t now_ns)
{
    struct gn_tcp_conf conf;
    gn_tcp_conf_default(&conf);
    gn_store_be64(conf.secret, now_ns);
    gn_store_be64(conf.secret + 8, s->opt.seed);
    conf.delack_us = 1000;
    conf.rto_min_us = 20000; /* the peer is on the same wire */
    conf.time_wait_ms = 100; /* clients come back from the same ports at once */
    const uint64_t bytes = gn_tcp_footprint(TCP_CONNS, TCP_BUFFER, TCP_BUFFER);
    void *mem = aligned_alloc(GN_CACHE_LINE, gn_align_up(bytes, GN_CACHE_LINE));
    if (mem == NULL)
        return false;
    memset(mem, 0, bytes);
    if (gn_tcp_new(mem, TCP_CONNS, TCP_BUFFER, TCP_BUFFER, &conf, now_ns, &s->tcp) == GN_TCP_OK)
        return true;
    free(mem);
    return false;
}

static void pad_name(char *out, size_t n, const char *name)
{
    size_t len = strlen(name);
    memset(out, ' ', n);
    memcpy(out, name, len < n ? len : n);
}

static void wire_publisher(struct gn_sim *s)
{
    const struct gn_sim_options *o = &s->opt;
    s->pub = (struct gn_pub){.cfg = {.rate = o->speed == 0 ? o->rate : 0,
                                     .speed_milli = o->speed,
                                     .pack_us = (uint32_t)o->pack_us,
                                     .heartbeat_ms = (uint32_t)o->heartbeat_ms,
                                     .src_port = (uint16_t)o->udp_source,
                                     .line = {{.link = s->link_a, .group = o->group_a, .port = (uint16_t)o->udp_a},
                                              {.link = s->link_b, .group = o->group_b, .port = (uint16_t)o->udp_b}}},
                             .market = s->market,
                             .links = &s->links,
                             .books = s->books,
                             .match = s->match,
                             .impair = &s->impair,
                             .history = &s->history,
                             .stamps = &s->stamps};
    pad_name(s->pub.cfg.session, sizeof s->pub.cfg.session, o->session);
    gn_pub_init(&s->pub);
    memcpy(s->resend.session, s->pub.cfg.session, sizeof s->resend.session);
    s->resend.port = (uint16_t)o->request_port;
    s->resend.history = &s->history;
    s->resend.links = &s->links;
}

static int wire_orders(struct gn_sim *s, uint64_t now_ns)
{
    struct gn_order_server *q = &s->orders;
    q->links = &s->links;
    q->link = s->link_order;
    q->port = (uint16_t)s->opt.order_port;
    q->tcp = s->tcp;
    q->match = s->match;
    q->impair = &s->impair;
    q->stamps = &s->stamps;
    snprintf(q->session, sizeof q->session, "%.10s", s->opt.order_session);
    q->timing.heartbeat_ns = s->opt.soup_heartbeat_ms * 1000000ull;
    q->timing.dead_ns = s->opt.soup_dead_ms * 1000000ull;
    q->cancel_on_disconnect = s->opt.cancel_on_disconnect;
    q->accounts = s->opt.accounts;
    for (uint32_t i = 0; i < q->accounts; i++) {
        memcpy(q->account[i].username, s->opt.account[i].username, sizeof q->account[i].username);
        memcpy(q->account[i].password, s->opt.account[i].password, sizeof q->account[i].password);
    }
    return gn_order_init(q, s->opt.answers_mib << 20, now_ns);
}

static bool make_market_side(struct gn_sim *s)
{
    s->instruments_max = s->opt.itch[0] == '\0' ? (uint32_t)s->opt.instruments : GN_SIM_INSTRUMENTS_MAX;
    s->books = gn_sim_books_new(book_orders(s), s->instruments_max);
    if (s->books == NULL || !gn_account_init(&s->account, s->instruments_max))
        return false;
    gn_impair_init(&s->impair, &s->opt.impair);
    gn_lat_ring_init(&s->stamps);
    const uint64_t bytes = s->opt.history_mib << 20;
    if (gn_history_init(&s->history, bytes, bytes / 32) != GN_HISTORY_OK)
        return false;
    struct gn_match_config mc = {.books = s->books,
                                 .account = &s->account,
                                 .impair = &s->impair,
                                 .orders_max = (uint32_t)s->opt.client_orders,
                                 .instruments_max = s->instruments_max,
                                 .emit = gn_order_emit,
                                 .arg = &s->orders};
    s->match = gn_match_new(&mc);
    return s->match != NULL;
}

struct gn_sim *gn_sim_new(const struct gn_sim_options *opt, const struct gn_sim_io *io, const uint8_t macs[][6],
                          uint64_t now_ns, char err[GN_OPT_TEXT])
{
    struct gn_sim *s = calloc(1, sizeof *s);
    if (s == NULL) {
        snprintf(err, GN_OPT_TEXT, "out of memory");
        return NULL;
    }
    s->opt = *opt;
    s->drop.listener = -1;
    for (uint32_t i = 0; i < GN_DROP_CONNS_MAX; i++)
        s->drop.conn[i].fd = -1;
    s->begun_ns = now_ns;
    s->links.io = *io;
    s->links.n = opt->ports;
    s->link_a = 0;
    s->link_b = opt->ports == 3 ? 1 : 0;
    s->link_order = opt->ports - 1;
    s->market = gn_sim_open_source(opt, &s->source_bad_offset, err);
    bool ok = s->market != NULL;
    if (ok && !(ok = make_market_side(s)))
        snprintf(err, GN_OPT_TEXT, "out of memory for books, history or client orders");
    for (uint32_t i = 0; ok && i < s->links.n; i++)
        if (!(ok = make_link(s, i, macs[i], now_ns)))
            snprintf(err, GN_OPT_TEXT, "port %u: its addresses are outside what a port may have", i);
    if (ok && !(ok = make_tcp(s, now_ns)))
        snprintf(err, GN_OPT_TEXT, "out of memory for TCP");
    if (ok) {
        wire_publisher(s);
        int rc = wire_orders(s, now_ns);
        if (!(ok = rc == GN_ORDER_OK))
            snprintf(err, GN_OPT_TEXT, "%s", gn_order_strerror(rc));
    }
    if (ok && !(ok = gn_drop_open(&s->drop, &s->orders, (uint16_t)s->opt.drop_copy_port,
                                  s->opt.drop_copy_delay_us * 1000, s->opt.drop_copy_lie)))
        snprintf(err, GN_OPT_TEXT, "cannot listen on the drop-copy port: %s", strerror(errno));
    if (ok)
        return s;
    gn_sim_free(s);
    return NULL;
}

void gn_sim_free(struct gn_sim *s)
{
    if (s == NULL)
        return;
    gn_drop_close(&s->drop);
    gn_order_free(&s->orders);
    gn_match_free(s->match);
    gn_history_free(&s->history);
    gn_account_free(&s->account);
    gn_sim_books_free(s->books);
    gn_market_close(s->market);
    for (uint32_t i = 0; i < s->links.n; i++)
        free(s->links.link[i].net);
    free(s->tcp);
    free(s);
}

void gn_sim_pause(struct gn_sim *s)
{
    gn_pub_pause(&s->pub, gn_links_now(&s->links));
}

void gn_sim_resume(struct gn_sim *s)
{
    uint64_t now = gn_links_now(&s->links);
    gn_pub_start(&s->pub, now);
    gn_pub_resume(&s->pub, now);
}

void gn_sim_stop(struct gn_sim *s, const char *why)
{
    if (s->phase != GN_SIM_RUNNING)
        return;
    const uint64_t now = gn_links_now(&s->links);
    s->phase = GN_SIM_ENDING;
    s->stopped_by = why;
    s->ending_ns = now;
    gn_pub_pause(&s->pub, now);
    gn_order_end(&s->orders, now);
}

/* ---- the turn ---- */

/* Takes in what has arrived, with its time, to be dealt with later. */
static void look(struct gn_sim *s)
{
    for (uint32_t i = 0; i < s->links.n; i++) {
        uint32_t room = GN_SIM_STASH - s->stash_n;
        if (room == 0) {
            s->stash_full++;
            return;
        }
        struct gn_sim_frame *f = &s->stash[s->stash_n];
        uint32_t n = s->links.io.rx(s->links.io.arg, i, f, room < GN_SIM_BURST ? room : GN_SIM_BURST);
        if (n == 0)
            continue;
        const uint64_t now = gn_links_now(&s->links);
        for (uint32_t k = 0; k < n; k++) {
            f[k].arrived_ns = now;
            f[k].link = i;
        }
        s->stash_n += n;
    }
}

static void take_in(struct gn_sim *s)
{
    struct gn_net_rx rx;
    for (uint32_t i = 0; i < s->stash_n; i++) {
        const struct gn_sim_frame *f = &s->stash[i];
        struct gn_sim_link *l = &s->links.link[f->link];
        struct gn_tcp *tcp = f->link == s->link_order ? s->tcp : NULL;
        gn_links_room(&s->links, f->link, 8);
        gn_net_input(l->net, tcp, f->data, f->len, f->flags, f->arrived_ns, &l->txq, &rx);
        if (rx.kind == GN_NET_RX_UDP && rx.dst_port == s->resend.port)
            gn_resend_request(&s->resend, f->link, &rx, f->arrived_ns);
        else if (rx.kind == GN_NET_RX_TCP)
            gn_order_events(&s->orders, f->arrived_ns);
    }
    if (s->stash_n != 0)
        s->links.io.done(s->links.io.arg, s->stash, s->stash_n);
    s->frames_in += s->stash_n;
    s->stash_n = 0;
}

static void publish(struct gn_sim *s, uint64_t now)
{
    const uint64_t venue_ns = now % DAY_NS;
    if (gn_pub_turn(&s->pub, now) == 0)
        return;
    s->orders.now = now; /* answers that the market makes */
    uint64_t left;
    uint32_t n = 0;
    do {
        if (n++ % APPLY_POLL == 0)
            look(s);
        left = gn_pub_apply(&s->pub, venue_ns);
    } while (left != 0);
}

/* Starts, ends and finishes what time or events say. */
static void lifecycle(struct gn_sim *s, uint64_t now)
{
    if (s->phase == GN_SIM_ENDING) {
        if (now - s->end_packet_ns >= END_PACKET_NS) {
            gn_pub_end_packets(&s->pub, now);
            s->end_packet_ns = now;
        }
        if (now - s->ending_ns >= ENDING_NS)
            s->phase = GN_SIM_DONE;
        return;
    }
    if (s->pub.state == GN_PUB_WAITING) {
        bool login = s->opt.start[0] == 'l' && gn_order_logged_in(&s->orders) != 0;
        if (login || s->opt.start[0] == 'n')
            gn_pub_start(&s->pub, now);
        return;
    }
    if (s->opt.seconds != 0 && now - s->pub.start_ns >= s->opt.seconds * 1000000000ull)
        gn_sim_stop(s, "seconds");
    if (s->pub.state != GN_PUB_ENDED)
        return;
    if (s->source_end_ns == 0)
        s->source_end_ns = now;
    if (!s->opt.stay && now - s->source_end_ns >= s->opt.linger_ms * 1000000ull)
        gn_sim_stop(s, "end of the source");
}

bool gn_sim_turn(struct gn_sim *s)
{
    uint64_t now = gn_links_now(&s->links);
    s->turns++;
    lifecycle(s, now);
    publish(s, now);
    look(s);
    take_in(s);
    now = gn_links_now(&s->links);
    gn_resend_turn(&s->resend, now);
    gn_order_turn(&s->orders, now);
    gn_drop_turn(&s->drop, now);
    for (uint32_t i = 0; i < s->links.n; i++) {
        struct gn_sim_link *l = &s->links.link[i];
        gn_links_room(&s->links, i, 8);
        (void)gn_net_timer(l->net, now, &l->txq);
        if (i == s->link_order)
            (void)gn_tcp_timer(s->tcp, l->net, now, &l->txq);
        gn_links_flush(&s->links, i);
    }
    return s->phase != GN_SIM_DONE;
}
