#include "tools/venue-sim/order_server.h"

#define TIME_BYTES  8u    /* before each kept answer */
#define SEGMENT_MAX 1200u /* answers that are sent together */
#define DAY_NS      86400000000000ull
#define ANSWERS_MAX (1u << 22)

const char *gn_order_strerror(int err)
{
    static const char *const text[] = {"ok", "account names are missing or not different", "out of memory",
                                       "cannot listen on the order port"};
    return err <= 0 && err > -(int)GN_ARRAY_LEN(text) ? text[-err] : "unknown error";
}

static uint64_t venue_time(uint64_t now_ns)
{
    return now_ns % DAY_NS;
}

static struct gn_txq *txq(struct gn_order_server *s)
{
    gn_links_room(s->links, s->link, 4);
    return &s->links->link[s->link].txq;
}

static struct gn_net *net(const struct gn_order_server *s)
{
    return s->links->link[s->link].net;
}

static void system_event(struct gn_order_server *s, char event)
{
    for (uint32_t i = 0; i < s->accounts; i++) {
        struct gn_ouch_msg m = {.type = GN_OUCH_OUT_SYSTEM_EVENT, .event = event, .time_ns = venue_time(s->now)};
        gn_order_emit(s, i, &m);
    }
}

int gn_order_init(struct gn_order_server *s, uint64_t answers_bytes, uint64_t now_ns)
{
    if (s->accounts == 0 || s->accounts > GN_ORDER_ACCOUNTS_MAX)
        return GN_ORDER_ERR_ACCOUNTS;
    for (uint32_t i = 0; i < s->accounts; i++) {
        s->account[i].conn = GN_NONE32;
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(s->account[i].username, s->account[k].username) == 0)
                return GN_ORDER_ERR_ACCOUNTS;
        if (gn_history_init(&s->account[i].answers, answers_bytes, ANSWERS_MAX) != GN_HISTORY_OK)
            return GN_ORDER_ERR_MEMORY;
    }
    gn_lat_hist_init(&s->latency);
    s->now = now_ns;
    if (gn_tcp_listen(s->tcp, s->port) != GN_TCP_OK)
        return GN_ORDER_ERR_LISTEN;
    system_event(s, 'S');
    return GN_ORDER_OK;
}

void gn_order_free(struct gn_order_server *s)
{
    for (uint32_t i = 0; i < s->accounts; i++)
        gn_history_free(&s->account[i].answers);
}

void gn_order_emit(void *arg, uint32_t session, const struct gn_ouch_msg *m)
{
    struct gn_order_server *s = arg;
    uint8_t kept[TIME_BYTES + GN_OUCH_OUT_MAX];
    int len = gn_ouch_encode_out(kept + TIME_BYTES, GN_OUCH_OUT_MAX, m);
    if (len < 0 || session >= s->accounts) {
        s->stats.ouch_errors[len < 0 && len > -GN_OUCH_ERRS ? -len : 0]++;
        return;
    }
    gn_store_be64(kept, s->now);
    (void)gn_history_add(&s->account[session].answers, kept, TIME_BYTES + (size_t)len);
    s->stats.answers++;
    s->stats.out_by_type[m->type & 127]++;
}

/* ---- connections ---- */

static struct gn_order_conn *conn_of(struct gn_order_server *s, uint32_t tcp)
{
    for (uint32_t i = 0; i < GN_ORDER_CONNS_MAX; i++)
        if (s->conn[i].used && s->conn[i].tcp == tcp)
            return &s->conn[i];
    return NULL;
}

/* The connection is over, whoever ended it. `reset`: tell the peer so. */
static void drop(struct gn_order_server *s, struct gn_order_conn *c, bool reset)
{
    if (!reset)
        (void)gn_tcp_close(s->tcp, net(s), c->tcp, s->now, txq(s));
    else
        (void)gn_tcp_abort(s->tcp, net(s), c->tcp, s->now, txq(s));
    gn_tcp_release(s->tcp, net(s), c->tcp, s->now, txq(s));
    gn_soup_server_closed(&c->soup);
    if (c->account != GN_NONE32) {
        s->account[c->account].conn = GN_NONE32;
        if (s->cancel_on_disconnect)
            (void)gn_match_cancel_all(s->match, c->account, 'Z', venue_time(s->now));
    }
    c->used = false;
}

static void accept_all(struct gn_order_server *s)
{
    uint32_t tcp;
    while (gn_tcp_accept(s->tcp, s->port, &tcp) == GN_TCP_OK) {
        uint32_t i = 0;
        while (i < GN_ORDER_CONNS_MAX && s->conn[i].used)
            i++;
        if (i == GN_ORDER_CONNS_MAX || s->ended) {
            s->stats.connections_full++;
            gn_tcp_release(s->tcp, net(s), tcp, s->now, txq(s));
            continue;
        }
        struct gn_order_conn *c = &s->conn[i];
        *c = (struct gn_order_conn){.used = true, .tcp = tcp, .account = GN_NONE32};
        gn_soup_server_new(&c->soup, s->session, &s->timing);
        gn_soup_server_open(&c->soup, s->now);
        s->stats.connections++;
    }
}

uint32_t gn_order_logged_in(const struct gn_order_server *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < GN_ORDER_CONNS_MAX; i++)
        n += s->conn[i].used && s->conn[i].soup.state == GN_SOUP_LOGGED_IN;
    return n;
}

static bool send_bytes(struct gn_order_server *s, const struct gn_order_conn *c, const uint8_t *bytes, uint32_t len)
{
    return gn_tcp_send(s->tcp, net(s), c->tcp, bytes, len, s->now, txq(s)) >= 0;
}

/* ---- in ---- */

static bool on_login(struct gn_order_server *s, struct gn_order_conn *c)
{
    uint8_t buf[64];
    uint32_t a = 0;
    while (a < s->accounts && !gn_soup_server_check(&c->soup, s->account[a].username, s->account[a].password))
        a++;
    if (a == s->accounts) {
        s->stats.logins_refused++;
        int n = gn_soup_server_reject(&c->soup, buf, sizeof buf, 'A', s->now);
        if (n > 0)
            (void)send_bytes(s, c, buf, (uint32_t)n);
        (void)gn_tcp_close(s->tcp, net(s), c->tcp, s->now, txq(s));
        c->closing = true;
        return false;
    }
    struct gn_order_account *account = &s->account[a];
    if (account->conn != GN_NONE32) {
        s->stats.takeovers++;
        drop(s, &s->conn[account->conn], true);
    }
    const struct gn_history *h = &account->answers;
    uint64_t from = c->soup.login.seq == 0 || c->soup.login.seq > h->next ? h->next : c->soup.login.seq;
    if (from < h->first) {
        s->stats.forgotten += h->first - from;
        from = h->first;
    }
    c->account = a;
    c->cursor = from;
    account->conn = (uint32_t)(c - s->conn);
    int n = gn_soup_server_accept(&c->soup, buf, sizeof buf, from, s->now);
    s->stats.logins++;
    if (n > 0 && send_bytes(s, c, buf, (uint32_t)n))
        return true;
    s->stats.bad_stream++;
    drop(s, c, true);
    return false;
}

static void measure(struct gn_order_server *s, const struct gn_ouch_msg *m, uint64_t arrived_ns)
{
    uint64_t order_id;
    uint32_t tick;
    s->stats.last_order_ns = arrived_ns;
    if (gn_clordid_decode(m->clordid, &order_id, &tick) != GN_OUCH_OK || tick == 0) {
        s->stats.latency_unknown++;
        return;
    }
    if (s->on_order != NULL)
        s->on_order(s->on_order_arg, tick, arrived_ns);
    uint64_t published = gn_lat_published(s->stamps, tick);
    if (published == 0 || published > arrived_ns)
        s->stats.latency_unknown++;
    else
        gn_lat_hist_add(&s->latency, arrived_ns - published);
}

/* False when the connection is gone. */
static bool on_message(struct gn_order_server *s, struct gn_order_conn *c, const uint8_t *msg, size_t len,
                       uint64_t arrived_ns)
{
    struct gn_ouch_msg m;
    const uint64_t every = s->impair->cfg.disconnect_after;
    s->stats.messages_in++;
    int err = gn_ouch_decode_in(msg, len, &m);
    if (err != GN_OUCH_OK) {
        s->stats.bad_messages++;
        s->stats.ouch_errors[err > -GN_OUCH_ERRS ? -err : 0]++;
        return true; /* as the venue does: what it cannot read it does not answer */
    }
    if (m.type == GN_OUCH_IN_ENTER || m.type == GN_OUCH_IN_REPLACE)
        measure(s, &m, arrived_ns);
    else if (m.type == GN_OUCH_IN_CANCEL || m.type == GN_OUCH_IN_MASS_CANCEL)
        s->stats.last_cancel_ns = arrived_ns;
    gn_match_input(s->match, c->account, &m, venue_time(s->now));
    if (every == 0 || s->stats.messages_in % every != 0)
        return true;
    s->stats.disconnected++;
    drop(s, c, true);
    return false;
}

/* False when the connection is gone or nothing more of it is to be read. */
static bool on_packet(struct gn_order_server *s, struct gn_order_conn *c, const struct gn_soup_packet *pkt,
                      uint64_t arrived_ns)
{
    struct gn_soup_info info;
    switch (gn_soup_server_on_packet(&c->soup, pkt, s->now, &info)) {
    case GN_SOUP_EV_LOGIN:
        return on_login(s, c);
    case GN_SOUP_EV_DATA_UNSEQUENCED:
        return on_message(s, c, info.payload, info.len, arrived_ns);
    case GN_SOUP_EV_LOGGED_OUT:
        s->stats.logouts++;
        drop(s, c, false);
        return false;
    case GN_SOUP_EV_ERROR:
        s->stats.bad_stream++;
        s->stats.soup_errors[-info.err]++;
        drop(s, c, true);
        return false;
    default:
        return true;
    }
}

static void read_stream(struct gn_order_server *s, struct gn_order_conn *c, uint64_t arrived_ns)
{
    const uint8_t *data;
    struct gn_soup_packet pkt;
    const uint32_t tcp = c->tcp;
    uint32_t len;
    while ((len = gn_tcp_readable(s->tcp, tcp, &data)) != 0) {
        uint32_t at = 0;
        int got = 0;
        while (!c->closing && (got = gn_soup_next(data + at, len - at, &pkt)) == 1) {
            at += pkt.bytes;
            if (!on_packet(s, c, &pkt, arrived_ns) && !c->used)
                return;
        }
        if (got < 0) {
            s->stats.bad_stream++;
            s->stats.soup_errors[-got]++;
            gn_soup_server_on_error(&c->soup, got);
            drop(s, c, true);
            return;
        }
        if (c->closing)
            at = len;
        if (at == 0)
            return; /* the rest of a packet is still to come */
        gn_tcp_consume(s->tcp, tcp, at);
    }
}

void gn_order_events(struct gn_order_server *s, uint64_t arrived_ns)
{
    uint32_t tcp;
    s->now = arrived_ns;
    accept_all(s);
    while ((tcp = gn_tcp_next_event(s->tcp)) != GN_TCP_NONE) {
        uint32_t events = gn_tcp_events(s->tcp, tcp);
        struct gn_order_conn *c = conn_of(s, tcp);
        if (c == NULL)
            continue;
        if ((events & GN_TCP_EV_READABLE) != 0)
            read_stream(s, c, arrived_ns);
        const uint32_t over = GN_TCP_EV_PEER_CLOSED | GN_TCP_EV_ABORTED | GN_TCP_EV_CLOSED;
        if (c->used && c->tcp == tcp && (events & over) != 0) {
            s->stats.peer_closed += !c->closing;
            drop(s, c, false);
        }
    }
}

/* ---- out ---- */

/* Puts answers that are due into one segment; the messages in it, and in *acks whether a cancel is among them. */
static uint32_t fill_segment(struct gn_order_server *s, const struct gn_order_conn *c, uint8_t *buf, uint32_t *len,
                             bool *acks)
{
    const struct gn_history *h = &s->account[c->account].answers;
    const uint64_t delay = s->impair->cfg.ack_delay_us * 1000;
    uint32_t n = 0;
    uint16_t kept;
    *len = 0;
    *acks = false;
    for (uint64_t seq = c->cursor; seq < h->next; seq++, n++) {
        const uint8_t *p = gn_history_get(h, seq, &kept);
        if (p == NULL)
            break;
        uint32_t bytes = kept - TIME_BYTES;
        if (gn_load_be64(p) + delay > s->now || *len + GN_SOUP_HEADER + bytes > SEGMENT_MAX)
            break;
        memcpy(buf + *len + GN_SOUP_HEADER, p + TIME_BYTES, bytes);
        *len += gn_soup_header(buf + *len, GN_SOUP_SEQUENCED, (uint16_t)bytes);
        *acks |= p[TIME_BYTES] == GN_OUCH_OUT_CANCELED;
    }
    return n;
}

static void send_garbage(struct gn_order_server *s, const struct gn_order_conn *c)
{
    uint8_t junk[64];
    const uint64_t after = s->impair->cfg.garbage_after;
    if (GN_LIKELY(after == 0) || s->stats.garbage != 0 || s->stats.messages_out < after)
        return;
    gn_impair_garbage(s->impair, junk, sizeof junk);
    s->stats.garbage += send_bytes(s, c, junk, sizeof junk);
}

static void send_answers(struct gn_order_server *s, struct gn_order_conn *c)
{
    uint8_t buf[SEGMENT_MAX];
    uint32_t n, len;
    bool acks;
    while ((n = fill_segment(s, c, buf, &len, &acks)) != 0) {
        if (!send_bytes(s, c, buf, len)) {
            s->stats.send_stalls++;
            return;
        }
        c->cursor += n;
        c->soup.next_seq += n;
        c->soup.last_tx_ns = s->now;
        c->soup.stats.packets_out += n;
        c->soup.stats.sequenced += n;
        s->stats.messages_out += n;
        if (acks)
            s->stats.last_cancel_ack_ns = s->now;
        send_garbage(s, c);
    }
}

static void end_session(struct gn_order_server *s, struct gn_order_conn *c)
{
    uint8_t buf[GN_SOUP_HEADER];
    if (c->cursor != s->account[c->account].answers.next)
        return;
    uint32_t n = gn_soup_server_end(&c->soup, buf, s->now);
    (void)send_bytes(s, c, buf, n);
    (void)gn_tcp_close(s->tcp, net(s), c->tcp, s->now, txq(s));
    c->closing = true;
}

static void serve(struct gn_order_server *s, struct gn_order_conn *c)
{
    uint8_t buf[GN_SOUP_HEADER];
    if (c->closing)
        return;
    if (c->soup.state == GN_SOUP_LOGGED_IN)
        send_answers(s, c);
    switch (gn_soup_server_timer(&c->soup, s->now)) {
    case GN_SOUP_TIMER_HEARTBEAT:
        (void)send_bytes(s, c, buf, gn_soup_server_heartbeat(&c->soup, buf, s->now));
        break;
    case GN_SOUP_TIMER_DEAD:
        s->stats.silent++;
        drop(s, c, true);
        return;
    case GN_SOUP_TIMER_NONE:
        break;
    }
    if (s->ended && c->soup.state == GN_SOUP_LOGGED_IN)
        end_session(s, c);
}

void gn_order_turn(struct gn_order_server *s, uint64_t now_ns)
{
    s->now = now_ns;
    accept_all(s);
    for (uint32_t i = 0; i < GN_ORDER_CONNS_MAX; i++)
        if (s->conn[i].used)
            serve(s, &s->conn[i]);
}

void gn_order_end(struct gn_order_server *s, uint64_t now_ns)
{
    if (s->ended)
        return;
    s->now = now_ns;
    s->ended = true;
    system_event(s, 'E');
}
