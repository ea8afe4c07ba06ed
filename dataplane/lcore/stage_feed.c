#include "dataplane/lcore/stage_feed.h"

#include "drivers/venue/nasdaq/itch.h"
#include "drivers/venue/nasdaq/moldudp64.h"

#define NS_PER_US      1000ull
#define ITCH_PRICE_EXP (-4)

void gn_stage_feed_arb_config(const struct gn_conf *conf, struct gn_arb_config *out)
{
    const struct gn_conf_feed *f = &conf->feed;
    memset(out, 0, sizeof *out);
    if (f->session[0] != 0) {
        memset(out->session, ' ', sizeof out->session);
        memcpy(out->session, f->session, strnlen(f->session, sizeof out->session));
    }
    out->slot_bytes = GN_NET_MTU_MAX;
    out->slots = f->reorder_packets;
    out->start_seq = 1; /* a session's whole day: what came before us is asked for again */
    out->gap_request_ns = f->gap_request_us * NS_PER_US;
    out->retry_ns = 4 * out->gap_request_ns;
    out->retry_max_ns = 256 * out->gap_request_ns;
    out->request_max = 1024;
    out->max_retries = f->request_port == GN_NONE32 ? 0 : f->gap_retries;
    out->back_window = 1ull << 20;
    out->jump_max = 1ull << 26; /* a forged heartbeat must not open a gap that no day can fill */
}

/* What cannot be journaled must not be traded on: the kill word is raised, the orders lcore writes down why. */
static GN_COLD void event_lost(struct gn_stage_feed *f)
{
    f->m->events_lost++;
    if (gn_kill_level(atomic_load_explicit(&f->control->kill_all, memory_order_relaxed)) < GN_LADDER_KILLED)
        gn_kill_raise(&f->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_DATAPLANE);
}

static struct gn_rec *reserve_event(struct gn_stage_feed *f, uint16_t type, uint32_t payload, uint64_t now_ns)
{
    struct gn_rec *rec = gn_ring_reserve(f->events, type, (uint32_t)sizeof *rec + payload);
    if (GN_UNLIKELY(rec == NULL)) {
        event_lost(f);
        return NULL;
    }
    rec->time_ns = now_ns;
    return rec;
}

static inline void journal_packet(struct gn_stage_feed *f, const struct gn_arb_out *p, bool held, uint64_t now_ns)
{
    struct gn_ev_md_packet *ev;
    struct gn_rec *rec = reserve_event(f, GN_EV_MD_PACKET, (uint32_t)sizeof *ev + p->len, now_ns);
    if (rec == NULL)
        return;
    rec->corr = p->first;
    ev = (struct gn_ev_md_packet *)(rec + 1);
    *ev = (struct gn_ev_md_packet){
        .first_seq = p->first - p->skip, .count = p->count, .bytes = p->len, .line = p->line, .held = held};
    gn_copy(ev->data, p->data, p->len);
}

/* What moved arbitration without being delivered: a replay must see it too, at the same place. */
static GN_COLD void journal_aside(struct gn_stage_feed *f, const struct gn_arb_in *in, enum gn_arb_verdict verdict,
                                  uint64_t now_ns)
{
    struct gn_ev_md_packet *ev;
    /* a heartbeat counts when it tells of something that is missing; what is refused moves nothing */
    const bool moved =
        verdict == GN_ARB_HELD || verdict == GN_ARB_OVERFLOW || (verdict == GN_ARB_HEARTBEAT && gn_arb_stale(f->arb));
    if (!moved || f->conf->journal.inputs == 0)
        return;
    struct gn_rec *rec = reserve_event(f, GN_EV_MD_ASIDE, (uint32_t)sizeof *ev + in->len, now_ns);
    if (rec == NULL)
        return;
    rec->corr = in->seq;
    ev = (struct gn_ev_md_packet *)(rec + 1);
    *ev = (struct gn_ev_md_packet){.first_seq = in->seq, .count = in->count, .bytes = in->len, .line = in->line};
    memcpy(ev->data, in->data, in->len);
}

static void journal_gaps(struct gn_stage_feed *f, uint64_t now_ns)
{
    struct gn_ev_gap gap;
    while (GN_UNLIKELY(gn_arb_gap_event(f->arb, &gap))) {
        struct gn_rec *rec = reserve_event(f, GN_EV_GAP, sizeof gap, now_ns);
        if (rec == NULL)
            continue;
        rec->corr = gap.from;
        memcpy(rec + 1, &gap, sizeof gap);
    }
}

/* ---- instruments ---- */

static GN_COLD uint32_t learn(struct gn_stage_feed *f, uint16_t locate, const char symbol[8])
{
    struct gn_instruments *t = f->instruments;
    uint32_t count = atomic_load_explicit(&t->count, memory_order_relaxed);
    uint32_t i = 0;
    while (i < count && memcmp(t->row[i].symbol, symbol, 8) != 0)
        i++;
    if (i == t->capacity) {
        f->m->md_no_instrument++;
        return GN_NONE32;
    }
    if (i == count) {
        struct gn_instrument *k = &t->row[i];
        memcpy(k->symbol, symbol, 8);
        k->price_exp = ITCH_PRICE_EXP;
        k->strategy = GN_NONE32;
        k->tick = 100;
        k->lot = 1;
        k->configured = 0;
        /* pairs with the acquire load of readers: the row is written */
        atomic_store_explicit(&t->count, count + 1, memory_order_release);
    }
    f->locate[locate] = i + 1;
    return i;
}

static inline uint32_t instrument_of(struct gn_stage_feed *f, uint16_t locate, const char symbol[8])
{
    uint32_t known = f->locate[locate];
    if (GN_LIKELY(known != 0))
        return known - 1;
    char copy[8]; /* the message's own need not be in memory for this */
    memcpy(copy, symbol, sizeof copy);
    return learn(f, locate, copy);
}

/* ---- best prices ---- */

static void publish_row(struct gn_stage_feed *f, uint32_t instrument)
{
    const struct gn_book *k = gn_book_at(f->books, instrument);
    f->rows[instrument] = (struct gn_book_row){k->live_orders, k->digest};
}

static uint32_t flags_for(uint32_t flags, int64_t bid, int64_t ask)
{
    return bid != 0 && ask != 0 && bid >= ask ? flags | GN_MD_CROSSED : flags & (uint32_t)~GN_MD_CROSSED;
}

/* One side's best price changed; the other is as it was published last. */
static inline void publish_top(struct gn_stage_feed *f, uint32_t instrument, uint32_t side, int change, uint64_t seq,
                               uint64_t venue_ns, uint64_t now_ns)
{
    struct gn_tob *t = &f->tob[instrument];
    int64_t price, qty, bid = t->bid, ask = t->ask;
    gn_book_best(f->books, instrument, side, &price, &qty);
    if (side == GN_SIDE_BUY)
        bid = price;
    else
        ask = price;
    uint32_t flags = flags_for(t->flags, bid, ask);
    gn_tob_begin(t);
    t->flags = flags;
    if (side == GN_SIDE_BUY) {
        t->bid = price;
        t->bid_qty = qty;
    } else {
        t->ask = price;
        t->ask_qty = qty;
    }
    t->tick_seq = seq;
    t->time_ns = now_ns;
    gn_tob_end(t);
    if (f->instruments->row[instrument].strategy == GN_NONE32)
        return;
    struct gn_md md = {
        .instrument = instrument,
        .kind = GN_MD_BOOK,
        .flags = (uint8_t)flags,
        .price_moved = (change & GN_BOOK_TOP_PRICE) != 0,
        .bid = bid,
        .bid_qty = t->bid_qty,
        .ask = ask,
        .ask_qty = t->ask_qty,
        .last = t->last,
        .tick_seq = seq,
        .venue_ns = venue_ns,
    };
    f->m->md_events++;
    f->md_sink(f->md_ctx, &md, now_ns);
}

void gn_stage_feed_start(struct gn_stage_feed *f)
{
    for (uint32_t i = 0; i < f->books->max_instruments; i++) {
        struct gn_book_top top;
        struct gn_tob *t = &f->tob[i];
        gn_book_top(f->books, i, &top);
        gn_tob_begin(t);
        t->flags = flags_for(t->flags, top.bid, top.ask);
        t->bid = top.bid;
        t->bid_qty = top.bid_qty;
        t->ask = top.ask;
        t->ask_qty = top.ask_qty;
        gn_tob_end(t);
        publish_row(f, i);
    }
}

static void publish_trade(struct gn_stage_feed *f, uint32_t instrument, uint32_t passive_side, int64_t price,
                          int64_t qty, uint64_t seq, uint64_t venue_ns, uint64_t now_ns)
{
    struct gn_tob *t = &f->tob[instrument];
    gn_tob_begin(t);
    t->last = price;
    t->last_qty = qty;
    t->tick_seq = seq;
    t->time_ns = now_ns;
    gn_tob_end(t);
    if (f->instruments->row[instrument].strategy == GN_NONE32)
        return;
    struct gn_md md = {
        .instrument = instrument,
        .kind = GN_MD_TRADE,
        .flags = (uint8_t)t->flags,
        .last_side = passive_side == GN_SIDE_BUY ? GN_SIDE_SELL : GN_SIDE_BUY,
        .bid = t->bid,
        .bid_qty = t->bid_qty,
        .ask = t->ask,
        .ask_qty = t->ask_qty,
        .last = price,
        .last_qty = qty,
        .tick_seq = seq,
        .venue_ns = venue_ns,
    };
    f->m->md_events++;
    f->md_sink(f->md_ctx, &md, now_ns);
}

void gn_feed_set_flag(struct gn_stage_feed *f, uint32_t instrument, uint32_t flag, bool on)
{
    struct gn_tob *t = &f->tob[instrument];
    gn_tob_begin(t);
    t->flags = on ? t->flags | flag : t->flags & ~flag;
    gn_tob_end(t);
}

static void tell_status(struct gn_stage_feed *f, uint32_t instrument, uint32_t extra_flags, uint64_t now_ns)
{
    const struct gn_tob *t = &f->tob[instrument];
    struct gn_md md = {
        .instrument = instrument,
        .kind = GN_MD_STATUS,
        .flags = (uint8_t)(t->flags | extra_flags),
        .bid = t->bid,
        .bid_qty = t->bid_qty,
        .ask = t->ask,
        .ask_qty = t->ask_qty,
        .last = t->last,
        .tick_seq = f->arb->next - 1, /* the message that brought it, not the last that moved the price */
    };
    if (f->instruments->row[instrument].strategy == GN_NONE32)
        return;
    f->m->md_events++;
    f->md_sink(f->md_ctx, &md, now_ns);
}

/* ---- messages ---- */

static GN_COLD void count_book_error(struct gn_stage_feed *f, uint32_t instrument, int err)
{
    if (err == GN_BOOK_ERR_UNKNOWN_REF)
        f->m->md_unknown_ref++;
    else if (err == GN_BOOK_ERR_INSTRUMENT)
        f->m->md_no_instrument++;
    else if (err != GN_BOOK_ERR_FULL)
        f->m->md_bad_book++;
    else {
        f->m->md_book_full++;
        if (instrument != GN_NONE32)
            gn_feed_set_flag(f, instrument, GN_MD_STALE, true);
    }
}

/* What proves the book is published behind what is traded on. */
static inline void book_changed(struct gn_stage_feed *f, uint32_t instrument, uint32_t side, int change,
                                uint64_t venue_ns, uint64_t seq, uint64_t now_ns)
{
    if (GN_UNLIKELY(change < 0)) {
        count_book_error(f, instrument, change);
        return;
    }
    if (change != 0)
        publish_top(f, instrument, side, change, seq, venue_ns, now_ns);
    publish_row(f, instrument);
}

static inline void order_changed(struct gn_stage_feed *f, const struct gn_book_order *was, int change,
                                 uint64_t venue_ns, uint64_t seq, uint64_t now_ns)
{
    book_changed(f, was->instrument, was->side_used - 1, change, venue_ns, seq, now_ns);
}

static inline void on_add(struct gn_stage_feed *f, const uint8_t *p, uint64_t seq, uint64_t now_ns)
{
    struct gn_itch_msg m;
    gn_itch_get_A(p, &m);
    uint32_t instrument = instrument_of(f, m.locate, m.symbol);
    if (GN_UNLIKELY(instrument == GN_NONE32))
        return;
    uint32_t side = m.side == 'B' ? GN_SIDE_BUY : GN_SIDE_SELL;
    if (GN_UNLIKELY(m.side != 'B' && m.side != 'S')) {
        f->m->md_bad_message++;
        return;
    }
    int change = gn_book_add(f->books, instrument, m.ref, side, m.price, (int64_t)m.shares);
    book_changed(f, instrument, side, change, m.time_ns, seq, now_ns);
}

/* own_price: of the print, < 0 when it is the order's. */
static inline void on_executed(struct gn_stage_feed *f, uint64_t ref, int64_t qty, bool print, int64_t own_price,
                               uint64_t venue_ns, uint64_t seq, uint64_t now_ns)
{
    struct gn_book_order was = {.instrument = GN_NONE32};
    int change = gn_book_reduce(f->books, ref, qty, &was);
    if (change >= 0 && print)
        publish_trade(f, was.instrument, was.side_used - 1, own_price >= 0 ? own_price : was.price, qty, seq, venue_ns,
                      now_ns);
    order_changed(f, &was, change, venue_ns, seq, now_ns);
}

static void on_halt(struct gn_stage_feed *f, const struct gn_itch_msg *m, uint64_t now_ns)
{
    uint32_t instrument = instrument_of(f, m->locate, m->symbol);
    if (instrument == GN_NONE32)
        return;
    gn_feed_set_flag(f, instrument, GN_MD_HALTED, m->trading_state != 'T');
    tell_status(f, instrument, 0, now_ns);
}

static void on_directory(struct gn_stage_feed *f, const struct gn_itch_msg *m)
{
    uint32_t known = f->locate[m->locate];
    if (known != 0 && memcmp(f->instruments->row[known - 1].symbol, m->symbol, 8) == 0)
        return;
    (void)learn(f, m->locate, m->symbol); /* a new day's locate codes replace the old ones */
}

static void on_print(struct gn_stage_feed *f, const struct gn_itch_msg *m, int64_t qty, uint64_t seq, uint64_t now_ns)
{
    uint32_t instrument = instrument_of(f, m->locate, m->symbol);
    if (instrument != GN_NONE32 && qty > 0)
        publish_trade(f, instrument, m->side == 'S' ? GN_SIDE_SELL : GN_SIDE_BUY, m->price, qty, seq, m->time_ns,
                      now_ns);
}

static inline void on_delete(struct gn_stage_feed *f, const uint8_t *p, uint64_t seq, uint64_t now_ns)
{
    struct gn_itch_msg m;
    struct gn_book_order was = {.instrument = GN_NONE32};
    gn_itch_get_D(p, &m);
    int change = gn_book_delete(f->books, m.ref, &was);
    order_changed(f, &was, change, m.time_ns, seq, now_ns);
}

static inline void on_cancel(struct gn_stage_feed *f, const uint8_t *p, uint64_t seq, uint64_t now_ns)
{
    struct gn_itch_msg m;
    struct gn_book_order was = {.instrument = GN_NONE32};
    gn_itch_get_X(p, &m);
    int change = gn_book_reduce(f->books, m.ref, (int64_t)m.shares, &was);
    order_changed(f, &was, change, m.time_ns, seq, now_ns);
}

static inline void on_replace(struct gn_stage_feed *f, const uint8_t *p, uint64_t seq, uint64_t now_ns)
{
    struct gn_itch_msg m;
    struct gn_book_order was = {.instrument = GN_NONE32};
    gn_itch_get_U(p, &m);
    int change = gn_book_replace(f->books, m.ref, m.new_ref, m.price, (int64_t)m.shares, &was);
    if (GN_UNLIKELY(change < 0 && was.instrument != GN_NONE32)) {
        count_book_error(f, was.instrument, change);
        change = GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE; /* the old order is gone all the same */
    }
    order_changed(f, &was, change, m.time_ns, seq, now_ns);
}

/* Types that come now and then. */
static GN_NOINLINE void on_rare(struct gn_stage_feed *f, const uint8_t *p, uint64_t seq, uint64_t now_ns)
{
    struct gn_itch_msg m;
    switch (p[0]) {
    case GN_ITCH_TRADE:
        gn_itch_get_P(p, &m);
        on_print(f, &m, (int64_t)m.shares, seq, now_ns);
        break;
    case GN_ITCH_CROSS_TRADE:
        gn_itch_get_Q(p, &m);
        m.side = 'B';
        on_print(f, &m, m.shares > INT32_MAX ? 0 : (int64_t)m.shares, seq, now_ns);
        break;
    case GN_ITCH_DIRECTORY:
        gn_itch_get_R(p, &m);
        on_directory(f, &m);
        break;
    case GN_ITCH_TRADING_ACTION:
        gn_itch_get_H(p, &m);
        on_halt(f, &m, now_ns);
        break;
    default: /* known and well-formed, but says nothing of books or trading states */
        break;
    }
}

/* A message is decoded in its own function, so that its fields stay in registers. */
GN_INLINE void on_message(struct gn_stage_feed *f, const uint8_t *p, uint16_t len, uint64_t seq, uint64_t now_ns)
{
    struct gn_itch_msg m;
    if (GN_UNLIKELY(gn_itch_check(p, len) != GN_ITCH_OK)) {
        f->m->md_bad_message++;
        return;
    }
    switch (p[0]) {
    case GN_ITCH_ADD:
    case GN_ITCH_ADD_MPID: /* the same fields, then the attribution */
        on_add(f, p, seq, now_ns);
        break;
    case GN_ITCH_DELETE:
        on_delete(f, p, seq, now_ns);
        break;
    case GN_ITCH_REPLACE:
        on_replace(f, p, seq, now_ns);
        break;
    case GN_ITCH_EXECUTED:
        gn_itch_get_E(p, &m);
        on_executed(f, m.ref, (int64_t)m.shares, true, -1, m.time_ns, seq, now_ns);
        break;
    case GN_ITCH_EXECUTED_PRICE:
        gn_itch_get_C(p, &m);
        on_executed(f, m.ref, (int64_t)m.shares, m.printable == 'Y', m.price, m.time_ns, seq, now_ns);
        break;
    case GN_ITCH_CANCEL:
        on_cancel(f, p, seq, now_ns);
        break;
    default:
        on_rare(f, p, seq, now_ns);
        break;
    }
}

/* The messages from `it` on. That blocks are whole was found out when their packet came (gn_mold_head). */
GN_INLINE void apply(struct gn_stage_feed *f, struct gn_mold_iter it, uint32_t count, uint64_t now_ns)
{
    const uint8_t *msg;
    uint16_t len;
    f->m->md_packets++;
    f->m->md_messages += count;
    for (uint64_t end = it.seq + count; it.seq != end;) {
        uint64_t seq = it.seq;
        if (GN_UNLIKELY(!gn_mold_next(&it, &msg, &len)))
            break;
        on_message(f, msg, len, seq, now_ns);
    }
}

static GN_NOINLINE void deliver(struct gn_stage_feed *f, const struct gn_arb_out *p, bool held, uint64_t now_ns)
{
    struct gn_mold_iter it = {
        .at = p->data + GN_MOLD_HEADER, .end = p->data + p->len, .seq = p->first - p->skip, .left = p->count};
    if (f->conf->journal.inputs)
        journal_packet(f, p, held, now_ns);
    gn_mold_skip(&it, p->skip);
    apply(f, it, p->deliver, now_ns);
}

/* ---- gaps ---- */

void gn_feed_tell_all(struct gn_stage_feed *f, uint32_t extra_flags, uint64_t now_ns)
{
    uint32_t count = atomic_load_explicit(&f->instruments->count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++)
        tell_status(f, i, extra_flags, now_ns);
}

static GN_COLD void gap_moved(struct gn_stage_feed *f, bool stale, uint64_t now_ns)
{
    atomic_store_explicit(&f->instruments->stale, stale, memory_order_relaxed);
    if (!stale && f->told_stale) {
        f->told_stale = false;
        gn_feed_tell_all(f, 0, now_ns);
    }
    journal_gaps(f, now_ns);
}

static inline void follow_gap(struct gn_stage_feed *f, uint64_t now_ns)
{
    const bool stale = gn_arb_stale(f->arb);
    if (GN_UNLIKELY(stale || atomic_load_explicit(&f->instruments->stale, memory_order_relaxed) != 0))
        gap_moved(f, stale, now_ns);
}

static GN_COLD void drain_held(struct gn_stage_feed *f, uint64_t now_ns)
{
    struct gn_arb_out out;
    while (gn_arb_next_held(f->arb, now_ns, &out))
        deliver(f, &out, true, now_ns);
}

static void request(struct gn_stage_feed *f, const struct gn_arb_request *want, uint64_t now_ns)
{
    const struct gn_conf_feed *c = &f->conf->feed;
    struct gn_mold_request r = {.count = (uint16_t)want->count, .seq = want->from};
    uint8_t buf[GN_MOLD_REQUEST];
    memcpy(r.session, f->arb->session, sizeof r.session);
    gn_mold_request_write(buf, &r);
    int rc = gn_udp_send(f->net[c->request_port], c->request_ip, (uint16_t)c->request_local_udp_port,
                         (uint16_t)c->request_udp_port, buf, sizeof buf, now_ns, f->txq[c->request_port]);
    if (rc == GN_NET_OK)
        f->m->md_requests++; /* else the arbiter asks again after its retry time */
}

void gn_stage_feed_poll(struct gn_stage_feed *f, uint64_t now_ns)
{
    struct gn_arb_request req;
    if (GN_UNLIKELY(now_ns >= f->look_ns))
        gn_feed_take_commands(f, now_ns);
    if (GN_LIKELY(!gn_arb_stale(f->arb)))
        return;
    gn_books_begin(f->books); /* giving up moves the sequence, and books are marked for it */
    enum gn_arb_action action = gn_arb_timer(f->arb, now_ns, &req);
    if (action == GN_ARB_NOTHING) {
        gn_books_end(f->books);
        return;
    }
    if (action == GN_ARB_REQUEST) {
        request(f, &req, now_ns);
        if (!f->told_stale) {
            f->told_stale = true;
            gn_feed_tell_all(f, GN_MD_STALE, now_ns);
        }
    } else {
        uint32_t count = atomic_load_explicit(&f->instruments->count, memory_order_relaxed);
        for (uint32_t i = 0; i < count; i++)
            gn_feed_set_flag(f, i, GN_MD_STALE, true);
        if (!f->told_stale) /* else follow_gap tells, with the flags as they are now */
            gn_feed_tell_all(f, 0, now_ns);
        drain_held(f, now_ns);
    }
    gn_books_end(f->books);
    follow_gap(f, now_ns);
    journal_gaps(f, now_ns);
}

/* ---- packets ---- */

static uint32_t line_of(const struct gn_conf_feed *c, uint32_t port, const struct gn_net_rx *rx)
{
    for (uint32_t i = 0; i < 2; i++)
        if (c->line[i].port == port && c->line[i].group == rx->dst_ip && c->line[i].udp_port == rx->dst_port)
            return i;
    if (c->request_port == port && c->request_ip == rx->src_ip && c->request_udp_port == rx->src_port &&
        c->request_local_udp_port == rx->dst_port)
        return GN_ARB_LINE_RETRANSMIT;
    return GN_NONE32;
}

/* Not the packet that was next: a copy from the other line, a gap, a retransmission. */
static GN_NOINLINE void out_of_order(struct gn_stage_feed *f, uint32_t line, const struct gn_net_rx *rx,
                                     const struct gn_mold_head *head, uint64_t now_ns)
{
    struct gn_arb_out out;
    struct gn_arb_in in = {
        .session = (const char *)rx->payload,
        .seq = head->seq,
        .data = rx->payload,
        .len = (uint16_t)rx->len,
        .count = (uint16_t)head->count,
        .line = (uint8_t)line,
    };
    enum gn_arb_verdict verdict = gn_arb_packet(f->arb, &in, now_ns, &out);
    if (verdict == GN_ARB_DELIVER) {
        deliver(f, &out, false, now_ns);
        if (GN_UNLIKELY(f->arb->next != f->arb->seen_end || f->arb->held_count != 0))
            drain_held(f, now_ns);
    } else if (GN_UNLIKELY(verdict != GN_ARB_DUPLICATE)) {
        journal_aside(f, &in, verdict, now_ns);
    }
    gn_books_end(f->books);
    follow_gap(f, now_ns);
}

GN_HOT void gn_stage_feed_udp(struct gn_stage_feed *f, uint32_t port, const struct gn_net_rx *rx, uint64_t now_ns)
{
    struct gn_mold_head head;
    uint32_t line = line_of(&f->conf->feed, port, rx);
    if (GN_UNLIKELY(line == GN_NONE32)) {
        f->m->md_foreign_udp++;
        return;
    }
    if (GN_UNLIKELY(gn_mold_head(rx->payload, rx->len, &head) != GN_MOLD_OK)) {
        f->m->md_bad_packet++;
        return;
    }
    atomic_store_explicit(&f->control->feed_heard_ns, now_ns, memory_order_relaxed);
    gn_books_begin(f->books); /* sequence and books move together, or the next life asks for all of it again */
    if (GN_UNLIKELY(!gn_arb_expected(f->arb, rx->payload, head.seq, head.count, line))) {
        out_of_order(f, line, rx, &head, now_ns);
        return;
    }
    if (f->conf->journal.inputs) {
        const struct gn_arb_out p = {.first = head.seq,
                                     .data = rx->payload,
                                     .len = (uint16_t)rx->len,
                                     .count = (uint16_t)head.count,
                                     .line = (uint8_t)line};
        journal_packet(f, &p, false, now_ns);
    }
    const struct gn_mold_iter it = {
        .at = rx->payload + GN_MOLD_HEADER, .end = rx->payload + rx->len, .seq = head.seq, .left = head.count};
    apply(f, it, head.count, now_ns);
    gn_books_end(f->books);
    follow_gap(f, now_ns);
}
