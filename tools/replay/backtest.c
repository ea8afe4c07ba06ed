#include "tools/replay/backtest.h"

#include <stdlib.h>

#include "tools/replay/backtest_impl.h"

#define CONNS        (2u * GN_SESSIONS_MAX)
#define PACKET_BYTES 160u /* the longest answer is shorter */

static_assert(GN_SOUP_HEADER + GN_OUCH_OUT_ACCEPTED_LEN <= PACKET_BYTES &&
                  GN_SOUP_HEADER + GN_OUCH_OUT_REPLACED_LEN <= PACKET_BYTES,
              "answers fit");

struct packet {
    uint64_t at_ns;
    uint32_t len;
    uint8_t bytes[PACKET_BYTES];
};

struct conn {
    bool used, told; /* told: that it is connected */
    uint32_t session;
    uint64_t open_ns;
    struct gn_soup_server soup;
    struct packet *out; /* a queue */
    uint32_t first, n, room;
};

struct gn_backtest {
    struct gn_replay *r;
    struct gn_backtest_opts opts;
    struct gn_backtest_counts counts;
    struct gn_fill_model *model;
    struct conn conn[CONNS];
    uint64_t said[GN_SESSIONS_MAX]; /* sequenced messages of the session */
    uint64_t now_ns, turn_ns;       /* of the last turn */
    bool reads;
    int rc;
};

/* ---- the venue's end of the sessions ---- */

static struct conn *conn_at(struct gn_replay *r, uint32_t conn)
{
    return conn < CONNS && r->backtest->conn[conn].used ? &r->backtest->conn[conn] : NULL;
}

static void say(struct gn_backtest *b, struct conn *c, const uint8_t *bytes, uint32_t len, uint64_t at_ns)
{
    if (c->n == c->room) {
        const uint32_t room = 2 * c->room + 16;
        struct packet *more = malloc(room * sizeof *more);
        if (more == NULL) {
            b->rc = GN_REPLAY_ERR_NOMEM;
            return;
        }
        for (uint32_t i = 0; i < c->n; i++)
            more[i] = c->out[(c->first + i) % c->room];
        free(c->out);
        c->out = more;
        c->first = 0;
        c->room = room;
    }
    struct packet *p = &c->out[(c->first + c->n++) % c->room];
    p->at_ns = at_ns;
    p->len = len;
    memcpy(p->bytes, bytes, len);
}

static void on_answer(void *arg, uint32_t session, const struct gn_ouch_msg *m, uint64_t at_ns)
{
    struct gn_backtest *b = arg;
    uint8_t buf[PACKET_BYTES];
    for (struct conn *c = b->conn; c < b->conn + CONNS; c++) {
        if (!c->used || c->session != session || c->soup.state != GN_SOUP_LOGGED_IN)
            continue;
        const int n = gn_ouch_encode_out(buf + GN_SOUP_HEADER, sizeof buf - GN_SOUP_HEADER, m);
        if (n > 0) {
            say(b, c, buf, gn_soup_server_sequenced(&c->soup, buf, (uint16_t)n, at_ns), at_ns);
            b->said[session]++;
        }
        return;
    }
}

static uint32_t instrument_of(const struct gn_replay *r, const char symbol[8])
{
    const struct gn_instruments *t = r->feed.instruments;
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        if (memcmp(t->row[i].symbol, symbol, sizeof t->row[i].symbol) == 0)
            return i;
    return GN_NONE32;
}

static void on_order(struct gn_backtest *b, struct conn *c, const struct gn_soup_info *info, uint64_t now_ns)
{
    struct gn_ouch_msg m;
    if (gn_ouch_decode_in(info->payload, info->len, &m) != GN_OUCH_OK)
        return; /* as the venue does: what it cannot read it does not answer */
    const int rc = gn_fill_submit(b->model, c->session, instrument_of(b->r, m.symbol), &m, now_ns);
    b->rc = rc == GN_FILL_OK ? b->rc : GN_REPLAY_ERR_NOMEM;
}

void gn_backtest_send(struct gn_replay *r, uint32_t conn, uint32_t session, const uint8_t *data, uint32_t len,
                      uint64_t now_ns)
{
    struct gn_backtest *b = r->backtest;
    struct conn *c = conn_at(r, conn);
    struct gn_soup_packet pkt;
    struct gn_soup_info info;
    uint8_t buf[64];
    if (c == NULL || session >= GN_SESSIONS_MAX)
        return;
    c->session = session;
    b->counts.bytes_out += len;
    for (uint32_t at = 0; at < len && gn_soup_next(data + at, len - at, &pkt) == 1; at += pkt.bytes) {
        switch (gn_soup_server_on_packet(&c->soup, &pkt, now_ns, &info)) {
        case GN_SOUP_EV_LOGIN: {
            const int n = gn_soup_server_accept(&c->soup, buf, sizeof buf, b->said[session] + 1, now_ns);
            if (n > 0)
                say(b, c, buf, (uint32_t)n, now_ns + b->opts.out_ns + b->opts.back_ns);
            break;
        }
        case GN_SOUP_EV_DATA_UNSEQUENCED:
            on_order(b, c, &info, now_ns);
            break;
        default: /* heartbeats; nobody logs out here */
            break;
        }
    }
}

uint32_t gn_backtest_connect(struct gn_replay *r, uint64_t now_ns)
{
    static const struct gn_soup_timing timing = {.dead_ns = UINT64_MAX / 4, .login_ns = UINT64_MAX / 4};
    struct gn_backtest *b = r->backtest;
    for (uint32_t i = 0; i < CONNS; i++) {
        struct conn *c = &b->conn[i];
        if (c->used)
            continue;
        c->used = true;
        c->told = false;
        c->session = GN_NONE32;
        c->n = 0;
        c->open_ns = now_ns + b->opts.out_ns + b->opts.back_ns;
        gn_soup_server_new(&c->soup, "BACKTEST", &timing);
        gn_soup_server_open(&c->soup, now_ns);
        return i;
    }
    return GN_NONE32;
}

uint32_t gn_backtest_events(struct gn_replay *r, uint32_t conn)
{
    struct conn *c = conn_at(r, conn);
    if (c == NULL || c->told || r->backtest->now_ns < c->open_ns)
        return 0;
    c->told = true;
    return GN_TCP_EV_CONNECTED;
}

uint32_t gn_backtest_readable(struct gn_replay *r, uint32_t conn, const uint8_t **data)
{
    struct conn *c = conn_at(r, conn);
    if (c == NULL || c->n == 0 || c->out[c->first].at_ns > r->backtest->now_ns)
        return 0;
    *data = c->out[c->first].bytes;
    return c->out[c->first].len;
}

void gn_backtest_consume(struct gn_replay *r, uint32_t conn)
{
    struct conn *c = conn_at(r, conn);
    if (c == NULL || c->n == 0)
        return;
    r->backtest->counts.bytes_in += c->out[c->first].len;
    c->first = (c->first + 1) % c->room;
    c->n--;
}

void gn_backtest_close(struct gn_replay *r, uint32_t conn)
{
    struct conn *c = conn_at(r, conn);
    if (c != NULL)
        c->used = false;
}

/* ---- the recorded book ---- */

static bool on_level(void *arg, uint32_t instrument, uint32_t side, uint32_t i, int64_t *price, int64_t *qty)
{
    const struct gn_backtest *b = arg;
    struct gn_books *books = b->r->feed.books;
    const struct gn_book_side *s = &gn_book_at(books, instrument)->side[side];
    if (i >= s->n)
        return false;
    const struct gn_book_level *l =
        (const struct gn_book_level *)(const void *)((uint8_t *)books + books->level_off) + s->block + s->n - 1 - i;
    *price = side == GN_SIDE_BUY ? l->key : -l->key;
    *qty = l->qty;
    return true;
}

void gn_backtest_md(struct gn_replay *r, const struct gn_md *md, uint64_t now_ns)
{
    struct gn_backtest *b = r->backtest;
    const uint32_t passive = md->last_side == GN_SIDE_BUY ? GN_SIDE_SELL : GN_SIDE_BUY;
    if (md->kind == GN_MD_TRADE)
        gn_fill_trade(b->model, md->instrument, passive, md->last, md->last_qty, now_ns);
    else if (md->kind == GN_MD_BOOK)
        gn_fill_moved(b->model, md->instrument, now_ns);
    b->counts.market += md->kind == GN_MD_TRADE || md->kind == GN_MD_BOOK;
}

bool gn_backtest_mark(const struct gn_replay *r, uint32_t instrument, int64_t *mark)
{
    const struct gn_fill_account *a = gn_fill_account_of(r->backtest->model, instrument);
    const struct gn_tob *t = &r->feed.tob[instrument];
    const int64_t out = a->bought >= a->sold ? t->bid : t->ask;
    *mark = out != 0 ? out : t->last;
    return *mark != 0;
}

/* ---- records of the run ---- */

void gn_backtest_take(struct gn_replay *r, const struct gn_rec *rec)
{
    struct gn_backtest *b = r->backtest;
    const uint8_t *at = (const uint8_t *)(rec + 1), *end = (const uint8_t *)rec + rec->bytes;
    const struct gn_ev_order *o = gn_replay_order(rec);
    if (o != NULL) {
        b->counts.orders += o->verdict == GN_VERDICT_OK;
        b->counts.refused += o->verdict != GN_VERDICT_OK;
    }
    if (rec->type == GN_EV_EXEC && rec->bytes >= sizeof *rec + sizeof(struct gn_ev_exec))
        b->counts.executions += ((const struct gn_ev_exec *)(const void *)at)->exec.kind == GN_EXEC_FILLED;
    if (b->opts.on_record != NULL)
        b->opts.on_record(b->opts.arg, rec);
    if (rec->type != GN_EV_ORDER && rec->type != GN_EV_EXEC && rec->type != GN_EV_CANCEL)
        return;
    uint64_t d = gn_digest_mix(b->counts.digest ^ rec->time_ns ^ (uint64_t)rec->type << 48);
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        d = gn_digest_mix(d ^ word);
    }
    b->counts.digest = d;
}

/* ---- time ---- */

bool gn_backtest_reads(const struct gn_replay *r)
{
    return r->backtest->reads;
}

static void heartbeats(struct gn_backtest *b, uint64_t now_ns)
{
    uint8_t buf[GN_SOUP_HEADER];
    for (struct conn *c = b->conn; c < b->conn + CONNS; c++)
        if (c->used && c->soup.state == GN_SOUP_LOGGED_IN &&
            gn_soup_server_timer(&c->soup, now_ns) == GN_SOUP_TIMER_HEARTBEAT)
            say(b, c, buf, gn_soup_server_heartbeat(&c->soup, buf, now_ns), now_ns + b->opts.back_ns);
}

/* A turn of the loop; with records of the group when it reads them. */
static void turn(struct gn_replay *r, uint64_t now_ns)
{
    struct gn_backtest *b = r->backtest;
    b->now_ns = b->turn_ns = now_ns;
    b->counts.turns++;
    heartbeats(b, now_ns);
    gn_stage_strategy_poll(&r->strategy, now_ns);
    for (uint32_t i = 0; b->reads && i < r->group.n; i++) {
        const bool packet = gn_replay_feed_packet(r, gn_replay_rec_at(r, i), now_ns);
        if (packet)
            gn_replay_compare(r);
    }
    if (b->reads && gn_replay_rebuild_next(r))
        gn_stage_feed_rebuild(&r->feed, now_ns);
    gn_stage_feed_poll(&r->feed, now_ns);
    gn_replay_backtest_senses(r);
    gn_stage_orders_poll(&r->orders, now_ns);
    gn_replay_compare(r);
}

static uint64_t answer_ns(const struct gn_backtest *b)
{
    uint64_t at_ns = UINT64_MAX;
    for (const struct conn *c = b->conn; c < b->conn + CONNS; c++) {
        const uint64_t next = !c->used    ? UINT64_MAX
                              : !c->told  ? c->open_ns
                              : c->n != 0 ? c->out[c->first].at_ns
                                          : UINT64_MAX;
        at_ns = next < at_ns ? next : at_ns;
    }
    return at_ns;
}

/* Everything that happens before that time: arrivals at the venue, answers, and turns that nothing came in. */
static void run_until(struct gn_replay *r, uint64_t to_ns)
{
    struct gn_backtest *b = r->backtest;
    for (;;) {
        const uint64_t arrival = gn_fill_next_ns(b->model), said = answer_ns(b);
        uint64_t at_ns = said < b->turn_ns + b->opts.turn_ns ? said : b->turn_ns + b->opts.turn_ns;
        if (arrival <= at_ns && arrival <= to_ns) {
            gn_fill_arrive(b->model, arrival);
            continue;
        }
        if (at_ns >= to_ns || b->rc != GN_REPLAY_OK)
            return;
        turn(r, at_ns > b->turn_ns ? at_ns : b->turn_ns + 1);
    }
}

static void tell_journal(struct gn_replay *r)
{
    struct gn_backtest *b = r->backtest;
    for (uint32_t i = 0; i < r->group.n; i++) {
        const struct gn_ev_order *o = gn_replay_order(gn_replay_rec_at(r, i));
        if (o == NULL)
            continue;
        b->counts.client_orders +=
            o->intent.strategy < r->strategy.n && r->strategy.slot[o->intent.strategy].ops == &gn_replay_client;
        if (b->opts.on_journal != NULL)
            b->opts.on_journal(b->opts.arg, gn_replay_rec_at(r, i));
    }
}

int gn_backtest_group(struct gn_replay *r)
{
    struct gn_backtest *b = r->backtest;
    uint32_t at = 0;
    while (at < r->group.n && gn_replay_rec_at(r, at)->type != GN_EV_START)
        at++;
    if (at < r->group.n) {
        const struct gn_rec *rec = gn_replay_rec_at(r, at);
        if (rec->bytes < sizeof *rec + sizeof(struct gn_ev_start))
            return GN_REPLAY_ERR_RECORD;
        if (r->alive) /* the data plane was started again: here it goes on */
            return ((const struct gn_ev_start *)(const void *)(rec + 1))->epoch == r->epoch ? GN_REPLAY_OK
                                                                                            : GN_REPLAY_ERR_REGION;
        b->turn_ns = b->now_ns = r->group.time_ns;
        return gn_replay_begin_life(r, at);
    }
    if (!r->alive)
        return GN_REPLAY_OK;
    tell_journal(r);
    run_until(r, r->group.time_ns);
    if (r->group.time_ns >= b->now_ns && b->rc == GN_REPLAY_OK) {
        b->reads = true;
        turn(r, r->group.time_ns);
        b->reads = false;
    }
    return b->rc;
}

/* ---- life ---- */

int gn_replay_backtest(struct gn_replay *r, const struct gn_backtest_opts *opts)
{
    struct gn_backtest *b = calloc(1, sizeof *b);
    if (b == NULL)
        return GN_REPLAY_ERR_NOMEM;
    b->r = r;
    b->opts = *opts;
    b->opts.turn_ns = opts->turn_ns == 0 ? GN_BACKTEST_TURN_NS : opts->turn_ns;
    struct gn_fill_conf conf = {.out_ns = opts->out_ns,
                                .back_ns = opts->back_ns,
                                .max_orders = r->conf->max_orders,
                                .max_instruments = r->conf->max_instruments,
                                .level = on_level,
                                .answer = on_answer,
                                .arg = b};
    for (uint32_t i = 0; i < r->conf->n_sessions; i++) {
        conf.fee_add[i] = r->conf->session[i].fee_add;
        conf.fee_remove[i] = r->conf->session[i].fee_remove;
    }
    const int rc = gn_fill_new(&conf, &b->model);
    if (rc != GN_FILL_OK) {
        gn_backtest_free(b);
        return rc == GN_FILL_ERR_NOMEM ? GN_REPLAY_ERR_NOMEM : GN_REPLAY_ERR_CONFIG;
    }
    r->backtest = b;
    return GN_REPLAY_OK;
}

void gn_backtest_free(struct gn_backtest *b)
{
    if (b == NULL)
        return;
    for (uint32_t i = 0; i < CONNS; i++)
        free(b->conn[i].out);
    gn_fill_free(b->model);
    free(b);
}

const struct gn_backtest_counts *gn_backtest_counts(const struct gn_replay *r)
{
    return &r->backtest->counts;
}

const struct gn_fill_model *gn_backtest_model(const struct gn_replay *r)
{
    return r->backtest->model;
}
