#include "tools/venue-sim/matching.h"

#include <stdlib.h>

#include "tools/venue-sim/match_orders.h"

struct session {
    uint32_t last_ref;
    bool disabled;
};

struct gn_match {
    struct gn_match_config cfg;
    struct gn_match_orders orders;
    struct gn_match_stats stats;
    uint64_t next_order_ref, next_match;
    uint64_t now; /* venue time of the current call */
    struct session sessions[GN_MATCH_SESSIONS_MAX];
};

struct gn_match *gn_match_new(const struct gn_match_config *config)
{
    if (config->orders_max == 0 || config->orders_max > GN_MATCH_ORDERS_MAX || config->instruments_max == 0 ||
        config->instruments_max > GN_SIM_INSTRUMENTS_MAX || config->account->n < config->instruments_max)
        return NULL;
    struct gn_match *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->cfg = *config;
    m->next_order_ref = 1;
    m->next_match = 1;
    if (!gn_match_orders_init(&m->orders, config->orders_max, config->instruments_max, GN_MATCH_SESSIONS_MAX)) {
        free(m);
        return NULL;
    }
    return m;
}

void gn_match_free(struct gn_match *m)
{
    if (m == NULL)
        return;
    gn_match_orders_free(&m->orders);
    free(m);
}

const struct gn_match_stats *gn_match_stats(const struct gn_match *m)
{
    return &m->stats;
}

uint32_t gn_match_live(const struct gn_match *m, uint32_t session)
{
    return m->orders.session_live[session];
}

uint32_t gn_match_next_ref(const struct gn_match *m, uint32_t session)
{
    return m->sessions[session].last_ref + 1;
}

/* ---- account and answers ---- */

#define COUNT(m, instrument, member, by)                                 \
    do {                                                                 \
        if ((instrument) != GN_NONE32)                                   \
            (m)->cfg.account->rows[instrument].member += (uint64_t)(by); \
        (m)->cfg.account->total.member += (uint64_t)(by);                \
    } while (0)

static void emit(struct gn_match *m, uint32_t session, struct gn_ouch_msg *out)
{
    out->time_ns = m->now;
    m->cfg.emit(m->cfg.arg, session, out);
}

/* The resting quantity in the account: by is what is added to it. */
static void count_open(struct gn_match *m, const struct gn_match_order *o, int32_t orders, int64_t qty)
{
    COUNT(m, o->instrument, open_orders, (int64_t)orders);
    if (o->side == GN_SIDE_BUY)
        COUNT(m, o->instrument, open_buy, qty);
    else
        COUNT(m, o->instrument, open_sell, qty);
}

static void reject(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in, uint32_t instrument,
                   uint16_t reason)
{
    struct gn_ouch_msg out = {.type = GN_OUCH_OUT_REJECTED, .user_ref = in->user_ref, .reject = reason};
    memcpy(out.clordid, in->clordid, sizeof out.clordid);
    m->stats.rejects[reason < GN_ARRAY_LEN(m->stats.rejects) ? reason : GN_ARRAY_LEN(m->stats.rejects) - 1]++;
    COUNT(m, instrument, rejected, 1);
    emit(m, session, &out);
}

static void canceled(struct gn_match *m, struct gn_match_order *o, uint32_t qty, char reason)
{
    struct gn_ouch_msg out = {.type = GN_OUCH_OUT_CANCELED, .user_ref = o->user_ref, .qty = qty, .reason = reason};
    const bool dead = qty == o->leaves;
    COUNT(m, o->instrument, canceled_qty, qty);
    COUNT(m, o->instrument, canceled, dead);
    count_open(m, o, -(int32_t)dead, -(int64_t)qty);
    o->leaves -= qty;
    const uint32_t session = o->session;
    if (dead)
        gn_match_orders_remove(&m->orders, o);
    emit(m, session, &out);
}

static void break_fill(struct gn_match *m, uint32_t session, const struct gn_match_order *o, uint32_t qty,
                       uint64_t price, uint64_t match)
{
    struct gn_ouch_msg out = {.type = GN_OUCH_OUT_BROKEN, .user_ref = o->user_ref, .match = match, .reason = 'E'};
    memcpy(out.clordid, o->clordid, sizeof out.clordid);
    gn_account_fill(m->cfg.account, o->instrument, o->side, qty, price, true);
    emit(m, session, &out);
}

/* Executes qty of a live order; it is dead when nothing is left. */
static void executed(struct gn_match *m, struct gn_match_order *o, uint32_t qty, uint64_t price, char liquidity)
{
    struct gn_ouch_msg out = {.type = GN_OUCH_OUT_EXECUTED,
                              .user_ref = o->user_ref,
                              .qty = qty,
                              .price = price,
                              .liquidity = liquidity,
                              .match = m->next_match++};
    const bool dead = qty == o->leaves;
    if (liquidity == 'R')
        m->stats.taker_fills++;
    else
        m->stats.maker_fills++;
    gn_account_fill(m->cfg.account, o->instrument, o->side, qty, price, false);
    COUNT(m, o->instrument, filled, dead);
    count_open(m, o, -(int32_t)dead, -(int64_t)qty);
    o->leaves -= qty;
    o->cum += qty;
    if (dead)
        gn_match_orders_remove(&m->orders, o);
    emit(m, o->session, &out);
    if (m->cfg.impair != NULL && gn_impair_break(m->cfg.impair))
        break_fill(m, o->session, o, qty, price, out.match);
}

/* Executes up to qty in pieces of at most the configured size; returns true when the order lives on. */
static bool execute_pieces(struct gn_match *m, struct gn_match_order *o, uint32_t qty, uint64_t price, char liquidity)
{
    const uint64_t most = m->cfg.impair == NULL ? 0 : m->cfg.impair->cfg.fill_chunk;
    while (qty != 0) {
        uint32_t piece = most != 0 && qty > most ? (uint32_t)most : qty;
        bool dead = piece == o->leaves;
        executed(m, o, piece, price, liquidity);
        if (dead)
            return false;
        qty -= piece;
    }
    return true;
}

/* ---- matching ---- */

static bool reaches(const struct gn_match_order *o, uint32_t level_price)
{
    return o->side == GN_SIDE_BUY ? level_price <= o->price : level_price >= o->price;
}

static bool marketable(struct gn_match *m, const struct gn_match_order *o)
{
    const struct gn_sim_level *l = gn_sim_best(gn_sim_books_get(m->cfg.books, o->instrument), !o->side);
    return l != NULL && reaches(o, l->price);
}

/* Takes displayed shares from the other side, at their prices or at the order's own; at most `most`. True when the
 * order lives on. */
static bool take(struct gn_match *m, struct gn_match_order *o, uint32_t most, bool at_own_price)
{
    struct gn_sim_side *s = &gn_sim_books_get(m->cfg.books, o->instrument)->side[!o->side];
    for (uint32_t i = s->n; i-- > 0 && most != 0 && reaches(o, s->levels[i].price);) {
        struct gn_sim_level *l = &s->levels[i];
        uint64_t there = l->qty - l->taken;
        uint32_t qty = there < most ? (uint32_t)there : most;
        l->taken += qty;
        most -= qty;
        if (qty != 0 && !execute_pieces(m, o, qty, at_own_price ? o->price : l->price, at_own_price ? 'A' : 'R'))
            return false;
    }
    return true;
}

/* A new order that was accepted: takes what it can; the rest is canceled or rests. */
static void work(struct gn_match *m, struct gn_match_order *o)
{
    const uint64_t pct = m->cfg.impair == NULL ? 100 : m->cfg.impair->cfg.part_fill_pct;
    count_open(m, o, 1, o->leaves);
    if ((o->display == 'P' || o->display == 'L') && marketable(m, o)) {
        canceled(m, o, o->leaves, 'F'); /* post only */
        return;
    }
    if (!take(m, o, (uint32_t)((uint64_t)o->leaves * pct / 100), false))
        return;
    if (o->tif == '3')
        canceled(m, o, o->leaves, 'I');
    else
        gn_match_orders_rest(&m->orders, o);
}

void gn_match_market(struct gn_match *m, const struct gn_sim_change *c, uint64_t venue_ns)
{
    if (GN_LIKELY(m->orders.live == 0) || c->instrument == GN_NONE32)
        return;
    m->now = venue_ns;
    uint32_t left = c->traded ? c->trade_qty : 0;
    for (uint32_t side = 0; side < 2; side++) {
        struct gn_match_list *l = &m->orders.lists[c->instrument][side];
        /* Each round ends the best order or stops: what it leaves alive, the worse ones cannot have. */
        for (;;) {
            struct gn_match_order *o = gn_match_orders_at(&m->orders, l->first);
            if (o == NULL)
                break;
            bool through = side == GN_SIDE_BUY ? c->trade_price < o->price : c->trade_price > o->price;
            uint32_t qty = through ? (left < o->leaves ? left : o->leaves) : 0;
            left -= qty;
            if (qty != 0 && !execute_pieces(m, o, qty, o->price, 'A'))
                continue;
            if (!marketable(m, o) || take(m, o, o->leaves, true))
                break;
        }
    }
}

/* ---- client messages ---- */

static uint16_t check_terms(const struct gn_ouch_msg *in)
{
    if (in->qty == 0 || in->qty > GN_MATCH_QTY_MAX)
        return GN_MATCH_REJECT_QTY;
    if (in->price == 0 || in->price > GN_MATCH_PRICE_MAX || (in->price >= 10000 && in->price % 100 != 0))
        return GN_MATCH_REJECT_PRICE; /* at one dollar and above prices are whole cents */
    if (in->tif == '\0' || strchr("0356E", in->tif) == NULL)
        return GN_MATCH_REJECT_OTHER;
    if (in->display == '\0' || strchr("AYNPIMWLOTQZmn", in->display) == NULL)
        return GN_MATCH_REJECT_DISPLAY;
    return 0;
}

static uint16_t check_enter(struct gn_match *m, const struct session *s, const struct gn_ouch_msg *in,
                            uint32_t instrument)
{
    if (s->disabled)
        return GN_MATCH_REJECT_DISABLED;
    if (instrument == GN_NONE32)
        return GN_MATCH_REJECT_SYMBOL;
    if (gn_ouch_side_from_wire(in->side) < 0)
        return GN_MATCH_REJECT_SIDE;
    uint16_t reason = check_terms(in);
    if (reason != 0)
        return reason;
    if (gn_sim_books_get(m->cfg.books, instrument)->state != 'T')
        return GN_MATCH_REJECT_HALTED;
    if (m->cfg.impair != NULL && gn_impair_reject(m->cfg.impair))
        return (uint16_t)m->cfg.impair->cfg.reject_code;
    return m->orders.live == m->orders.max ? GN_MATCH_REJECT_OTHER : 0;
}

static void fill_order_out(struct gn_ouch_msg *out, const struct gn_match_order *o, const char symbol[8])
{
    out->user_ref = o->user_ref;
    out->side = o->wire_side;
    out->qty = o->leaves;
    out->price = o->price;
    out->tif = o->tif;
    out->display = o->display;
    out->order_ref = o->order_ref;
    out->capacity = o->capacity;
    out->iso = o->iso;
    out->cross = o->cross;
    out->state = 'L';
    memcpy(out->symbol, symbol, sizeof out->symbol);
    memcpy(out->clordid, o->clordid, sizeof out->clordid);
}

static void on_enter(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in)
{
    struct session *s = &m->sessions[session];
    m->stats.enter++;
    if (in->user_ref <= s->last_ref) {
        m->stats.ignored_old_ref++;
        return;
    }
    s->last_ref = in->user_ref;
    const uint32_t instrument = gn_sim_books_find(m->cfg.books, in->symbol);
    COUNT(m, instrument, entered, 1);
    uint16_t reason = check_enter(m, s, in, instrument);
    if (reason != 0) {
        reject(m, session, in, instrument, reason);
        return;
    }
    struct gn_match_order order = {.price = in->price,
                                   .order_ref = m->next_order_ref++,
                                   .user_ref = in->user_ref,
                                   .session = session,
                                   .instrument = instrument,
                                   .leaves = in->qty,
                                   .side = (uint8_t)gn_ouch_side_from_wire(in->side),
                                   .wire_side = in->side,
                                   .tif = in->tif,
                                   .display = in->display,
                                   .capacity = in->capacity,
                                   .iso = in->iso,
                                   .cross = in->cross};
    memcpy(order.clordid, in->clordid, sizeof order.clordid);
    struct gn_match_order *o = gn_match_orders_add(&m->orders, &order);
    struct gn_ouch_msg out = {.type = GN_OUCH_OUT_ACCEPTED};
    fill_order_out(&out, o, in->symbol);
    COUNT(m, instrument, accepted, 1);
    emit(m, session, &out);
    work(m, o);
}

static void do_replace(struct gn_match *m, uint32_t session, struct gn_match_order *old, const struct gn_ouch_msg *in)
{
    struct gn_match_order order = *old;
    order.price = in->price;
    order.order_ref = m->next_order_ref++;
    order.user_ref = in->user_ref;
    order.leaves = in->qty - old->cum;
    order.tif = in->tif;
    order.display = in->display;
    order.iso = in->iso;
    memcpy(order.clordid, in->clordid, sizeof order.clordid);

    struct gn_ouch_msg out = {.type = GN_OUCH_OUT_REPLACED, .orig_user_ref = old->user_ref};
    count_open(m, old, -1, -(int64_t)old->leaves);
    gn_match_orders_remove(&m->orders, old);
    struct gn_match_order *o = gn_match_orders_add(&m->orders, &order);
    fill_order_out(&out, o, gn_sim_books_get(m->cfg.books, o->instrument)->symbol);
    COUNT(m, o->instrument, replaced, 1);
    emit(m, session, &out);
    work(m, o);
}

static void on_replace(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in)
{
    struct session *s = &m->sessions[session];
    struct gn_match_order *old = gn_match_orders_find(&m->orders, session, in->orig_user_ref);
    m->stats.replace++;
    if (in->user_ref <= s->last_ref) {
        m->stats.ignored_old_ref++;
        return;
    }
    if (old == NULL) {
        m->stats.ignored_dead++;
        return;
    }
    COUNT(m, old->instrument, entered, 1);
    if (check_terms(in) != 0 || in->qty <= old->cum) {
        canceled(m, old, old->leaves, 'U');
        return;
    }
    s->last_ref = in->user_ref;
    uint16_t reason = s->disabled ? GN_MATCH_REJECT_DISABLED : 0;
    if (reason == 0 && gn_sim_books_get(m->cfg.books, old->instrument)->state != 'T')
        reason = GN_MATCH_REJECT_HALTED;
    if (reason == 0 && m->cfg.impair != NULL && gn_impair_reject(m->cfg.impair))
        reason = (uint16_t)m->cfg.impair->cfg.reject_code;
    if (reason != 0)
        reject(m, session, in, old->instrument, reason);
    else
        do_replace(m, session, old, in);
}

/* Shares that have to go so that at most `total` can execute over the order's life. */
static uint32_t surplus(const struct gn_match_order *o, uint32_t total)
{
    uint32_t keep = total > o->cum ? total - o->cum : 0;
    return keep < o->leaves ? o->leaves - keep : 0;
}

static void on_cancel(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in)
{
    struct gn_match_order *o = gn_match_orders_find(&m->orders, session, in->user_ref);
    m->stats.cancel++;
    if (o == NULL)
        m->stats.ignored_dead++;
    else if (surplus(o, in->qty) == 0)
        m->stats.ignored_no_effect++;
    else
        canceled(m, o, surplus(o, in->qty), 'U');
}

static void on_modify(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in)
{
    struct gn_match_order *o = gn_match_orders_find(&m->orders, session, in->user_ref);
    m->stats.modify++;
    if (o == NULL) {
        m->stats.ignored_dead++;
        return;
    }
    /* A sale may become a short sale and back, a purchase stays one (OUCH 5.0, 2.4). */
    if (gn_ouch_side_from_wire(in->side) != o->side || (in->side == o->wire_side && surplus(o, in->qty) == 0)) {
        m->stats.ignored_no_effect++;
        return;
    }
    uint32_t off = surplus(o, in->qty);
    if (off == o->leaves) {
        canceled(m, o, off, 'U');
        return;
    }
    o->wire_side = in->side;
    o->leaves -= off;
    count_open(m, o, 0, -(int64_t)off);
    COUNT(m, o->instrument, modified, 1);
    struct gn_ouch_msg out = {
        .type = GN_OUCH_OUT_MODIFIED, .user_ref = o->user_ref, .side = o->wire_side, .qty = o->leaves};
    emit(m, session, &out);
}

static uint32_t cancel_many(struct gn_match *m, uint32_t session, uint32_t instrument, char reason)
{
    uint32_t n = 0, next;
    for (uint32_t i = m->orders.session_first[session]; i != GN_NONE32; i = next) {
        struct gn_match_order *o = &m->orders.pool[i];
        next = o->session_next;
        if (instrument != GN_NONE32 && o->instrument != instrument)
            continue;
        canceled(m, o, o->leaves, reason);
        n++;
    }
    return n;
}

uint32_t gn_match_cancel_all(struct gn_match *m, uint32_t session, char reason, uint64_t venue_ns)
{
    m->now = venue_ns;
    return cancel_many(m, session, GN_NONE32, reason);
}

/* Mass cancel, disable and enable: messages about the account, which use up a UserRefNum. */
static void on_account(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in)
{
    struct session *s = &m->sessions[session];
    if (in->user_ref <= s->last_ref) {
        m->stats.ignored_old_ref++;
        return;
    }
    s->last_ref = in->user_ref;
    struct gn_ouch_msg out = {.user_ref = in->user_ref};
    memcpy(out.firm, in->firm, sizeof out.firm);
    memcpy(out.symbol, in->symbol, sizeof out.symbol);
    if (in->type == GN_OUCH_IN_MASS_CANCEL) {
        static const char all[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
        const bool every = memcmp(in->symbol, all, sizeof all) == 0;
        uint32_t instrument = every ? GN_NONE32 : gn_sim_books_find(m->cfg.books, in->symbol);
        out.type = GN_OUCH_OUT_MASS_CANCEL_RESPONSE;
        emit(m, session, &out);
        if (every || instrument != GN_NONE32)
            cancel_many(m, session, instrument, 'U');
        return;
    }
    s->disabled = in->type == GN_OUCH_IN_DISABLE;
    out.type = s->disabled ? GN_OUCH_OUT_DISABLE_RESPONSE : GN_OUCH_OUT_ENABLE_RESPONSE;
    emit(m, session, &out);
}

static void on_query(struct gn_match *m, uint32_t session)
{
    struct gn_ouch_msg out = {.type = GN_OUCH_OUT_QUERY_RESPONSE, .next_user_ref = m->sessions[session].last_ref + 1};
    m->stats.query++;
    emit(m, session, &out);
}

void gn_match_input(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in, uint64_t venue_ns)
{
    m->now = venue_ns;
    switch (in->type) {
    case GN_OUCH_IN_ENTER:
        on_enter(m, session, in);
        break;
    case GN_OUCH_IN_REPLACE:
        on_replace(m, session, in);
        break;
    case GN_OUCH_IN_CANCEL:
        on_cancel(m, session, in);
        break;
    case GN_OUCH_IN_MODIFY:
        on_modify(m, session, in);
        break;
    case GN_OUCH_IN_MASS_CANCEL:
        m->stats.mass_cancel++;
        on_account(m, session, in);
        break;
    case GN_OUCH_IN_DISABLE:
        m->stats.disable++;
        on_account(m, session, in);
        break;
    case GN_OUCH_IN_ENABLE:
        m->stats.enable++;
        on_account(m, session, in);
        break;
    case GN_OUCH_IN_QUERY:
        on_query(m, session);
        break;
    default:
        m->stats.ignored_type++;
        break;
    }
}
