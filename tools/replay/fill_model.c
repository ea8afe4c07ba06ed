#include "tools/replay/fill_model.h"

#include <stdlib.h>

#include "dataplane/abi/recon.h"

#define DAY_NS 86400000000000ull

struct resting {
    uint32_t user_ref; /* 0: the row is free */
    uint32_t instrument;
    uint32_t prev, next; /* of the same instrument, in the order of their arrival; row + 1, 0 = none */
    uint8_t session;
    uint8_t side; /* enum gn_side */
    int64_t price, leaves, cum, ahead;
    struct gn_ouch_msg msg; /* as it was accepted */
};

struct taken {
    int64_t price, qty; /* qty 0: the row is free */
};

struct arrival {
    uint64_t at_ns;
    uint32_t session, instrument;
    struct gn_ouch_msg msg;
};

struct per_instrument {
    uint32_t first, last; /* resting row + 1 */
    struct taken taken[2][GN_FILL_TAKEN];
    struct gn_fill_account account;
};

struct gn_fill_model {
    struct gn_fill_conf conf;
    struct per_instrument *row;
    struct resting *order;
    struct arrival *way; /* a queue */
    uint32_t way_first, way_n, way_room;
    uint32_t next_ref[GN_SESSIONS_MAX];
    uint64_t order_ref, match;
    uint64_t now_ns;
};

const char *gn_fill_strerror(int err)
{
    static const char *const text[] = {"ok", "out of memory", "orders are no power of two, or no instruments"};
    return err <= 0 && err > -(int)GN_ARRAY_LEN(text) ? text[-err] : "unknown";
}

int gn_fill_new(const struct gn_fill_conf *conf, struct gn_fill_model **out)
{
    *out = NULL;
    if (conf->max_orders == 0 || (conf->max_orders & (conf->max_orders - 1)) != 0 || conf->max_instruments == 0)
        return GN_FILL_ERR_SIZE;
    struct gn_fill_model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return GN_FILL_ERR_NOMEM;
    m->conf = *conf;
    m->row = calloc(conf->max_instruments, sizeof *m->row);
    m->order = calloc(conf->max_orders, sizeof *m->order);
    for (uint32_t i = 0; i < GN_SESSIONS_MAX; i++)
        m->next_ref[i] = 1;
    if (m->row == NULL || m->order == NULL) {
        gn_fill_free(m);
        return GN_FILL_ERR_NOMEM;
    }
    *out = m;
    return GN_FILL_OK;
}

void gn_fill_free(struct gn_fill_model *m)
{
    if (m == NULL)
        return;
    free(m->row);
    free(m->order);
    free(m->way);
    free(m);
}

/* ---- the way to the venue ---- */

int gn_fill_submit(struct gn_fill_model *m, uint32_t session, uint32_t instrument, const struct gn_ouch_msg *msg,
                   uint64_t now_ns)
{
    if (m->way_n == m->way_room) {
        const uint32_t room = 2 * m->way_room + 64;
        struct arrival *more = malloc(room * sizeof *more);
        if (more == NULL)
            return GN_FILL_ERR_NOMEM;
        for (uint32_t i = 0; i < m->way_n; i++)
            more[i] = m->way[(m->way_first + i) % m->way_room];
        free(m->way);
        m->way = more;
        m->way_first = 0;
        m->way_room = room;
    }
    struct arrival *a = &m->way[(m->way_first + m->way_n++) % m->way_room];
    *a = (struct arrival){
        .at_ns = now_ns + m->conf.out_ns, .session = session % GN_SESSIONS_MAX, .instrument = instrument, .msg = *msg};
    a->msg.options = NULL;
    a->msg.options_len = 0;
    return GN_FILL_OK;
}

uint64_t gn_fill_next_ns(const struct gn_fill_model *m)
{
    return m->way_n == 0 ? UINT64_MAX : m->way[m->way_first].at_ns;
}

/* ---- answers ---- */

static void answer(struct gn_fill_model *m, uint32_t session, const struct gn_ouch_msg *msg)
{
    struct gn_ouch_msg a = *msg;
    a.time_ns = m->now_ns % DAY_NS;
    m->conf.answer(m->conf.arg, session, &a, m->now_ns + m->conf.back_ns);
}

static void reject(struct gn_fill_model *m, const struct arrival *a, uint16_t reason)
{
    struct gn_ouch_msg msg = {.type = GN_OUCH_OUT_REJECTED, .user_ref = a->msg.user_ref, .reject = reason};
    memcpy(msg.clordid, a->msg.clordid, sizeof msg.clordid);
    if (a->instrument < m->conf.max_instruments)
        m->row[a->instrument].account.rejected++;
    answer(m, a->session, &msg);
}

static void canceled(struct gn_fill_model *m, const struct resting *o, int64_t qty, char reason)
{
    const struct gn_ouch_msg msg = {
        .type = GN_OUCH_OUT_CANCELED, .user_ref = o->user_ref, .qty = (uint32_t)qty, .reason = reason};
    m->row[o->instrument].account.canceled += qty == o->leaves;
    answer(m, o->session, &msg);
}

/* ---- resting orders ---- */

static struct resting *find(const struct gn_fill_model *m, uint32_t session, uint32_t user_ref)
{
    struct resting *o = &m->order[user_ref & (m->conf.max_orders - 1)];
    return user_ref != 0 && o->user_ref == user_ref && o->session == session ? o : NULL;
}

static struct resting *next_of(const struct gn_fill_model *m, uint32_t row)
{
    return row == 0 ? NULL : &m->order[row - 1];
}

static void link_last(struct gn_fill_model *m, struct resting *o)
{
    struct per_instrument *p = &m->row[o->instrument];
    const uint32_t row = (uint32_t)(o - m->order) + 1;
    o->prev = p->last;
    o->next = 0;
    if (p->last != 0)
        m->order[p->last - 1].next = row;
    else
        p->first = row;
    p->last = row;
}

static void forget(struct gn_fill_model *m, struct resting *o)
{
    struct per_instrument *p = &m->row[o->instrument];
    if (o->prev != 0)
        m->order[o->prev - 1].next = o->next;
    else
        p->first = o->next;
    if (o->next != 0)
        m->order[o->next - 1].prev = o->prev;
    else
        p->last = o->prev;
    o->user_ref = 0;
}

static void execute(struct gn_fill_model *m, struct resting *o, int64_t qty, int64_t price, char liquidity)
{
    struct gn_fill_account *a = &m->row[o->instrument].account;
    const struct gn_ouch_msg msg = {.type = GN_OUCH_OUT_EXECUTED,
                                    .user_ref = o->user_ref,
                                    .qty = (uint32_t)qty,
                                    .price = (uint64_t)price,
                                    .liquidity = liquidity,
                                    .match = ++m->match};
    o->leaves -= qty;
    o->cum += qty;
    a->fills++;
    *(o->side == GN_SIDE_BUY ? &a->bought : &a->sold) += qty;
    *(o->side == GN_SIDE_BUY ? &a->buy_value : &a->sell_value) += (gn_i128)price * qty;
    *(liquidity == 'A' ? &a->maker_qty : &a->taker_qty) += qty;
    a->fees += gn_fee_of(m->conf.fee_add[o->session], m->conf.fee_remove[o->session], (uint8_t)liquidity, qty);
    answer(m, o->session, &msg);
}

/* ---- the recorded book ---- */

/* True when a is a better price than b for somebody who stands on that side. */
static bool better(uint32_t side, int64_t a, int64_t b)
{
    return side == GN_SIDE_BUY ? a > b : a < b;
}

static int64_t shown(const struct gn_fill_model *m, uint32_t instrument, uint32_t side, int64_t price)
{
    int64_t p, q;
    for (uint32_t i = 0; m->conf.level(m->conf.arg, instrument, side, i, &p, &q); i++) {
        if (p == price)
            return q;
        if (better(side, price, p))
            break;
    }
    return 0;
}

/* The row of what was taken at a price; with `make` a new one, in place of the oldest when there is no room. */
static struct taken *taken_at(struct gn_fill_model *m, uint32_t instrument, uint32_t side, int64_t price, bool make)
{
    struct taken *t = m->row[instrument].taken[side], *room = NULL;
    for (uint32_t i = 0; i < GN_FILL_TAKEN; i++) {
        if (t[i].qty != 0 && t[i].price == price)
            return &t[i];
        if (t[i].qty == 0 && room == NULL)
            room = &t[i];
    }
    if (!make)
        return NULL;
    if (room == NULL) {
        memmove(t, t + 1, (GN_FILL_TAKEN - 1) * sizeof *t);
        room = &t[GN_FILL_TAKEN - 1];
    }
    *room = (struct taken){.price = price};
    return room;
}

/* Trades with the displayed quantity of the other side up to the order's limit: on arrival ('R') at the prices that are
 * displayed, later ('A') at its own. */
static void take(struct gn_fill_model *m, struct resting *o, char liquidity)
{
    const uint32_t other = o->side == GN_SIDE_BUY ? GN_SIDE_SELL : GN_SIDE_BUY;
    int64_t p, q;
    for (uint32_t i = 0; o->leaves > 0 && m->conf.level(m->conf.arg, o->instrument, other, i, &p, &q); i++) {
        if (better(o->side, p, o->price))
            return;
        struct taken *t = taken_at(m, o->instrument, other, p, false);
        const int64_t n = gn_min_i64(o->leaves, q - (t == NULL ? 0 : t->qty));
        if (n <= 0)
            continue;
        if (t == NULL)
            t = taken_at(m, o->instrument, other, p, true);
        t->qty += n;
        execute(m, o, n, liquidity == 'R' ? p : o->price, liquidity);
    }
}

void gn_fill_moved(struct gn_fill_model *m, uint32_t instrument, uint64_t now_ns)
{
    struct per_instrument *p = &m->row[instrument];
    m->now_ns = now_ns;
    for (uint32_t side = 0; side < 2; side++)
        for (struct taken *t = p->taken[side]; t < p->taken[side] + GN_FILL_TAKEN; t++)
            if (t->qty != 0)
                t->qty = gn_min_i64(t->qty, shown(m, instrument, side, t->price));
    for (struct resting *o = next_of(m, p->first), *next; o != NULL; o = next) {
        next = next_of(m, o->next);
        if (o->ahead != 0)
            o->ahead = gn_min_i64(o->ahead, shown(m, instrument, o->side, o->price));
        take(m, o, 'A');
        if (o->leaves == 0)
            forget(m, o);
    }
}

/* The best own price of a side that is better than price, or, when `at`, as good; 0: none. */
static int64_t best_own(const struct gn_fill_model *m, uint32_t instrument, uint32_t side, int64_t price)
{
    int64_t best = 0;
    for (struct resting *o = next_of(m, m->row[instrument].first); o != NULL; o = next_of(m, o->next))
        if (o->side == side && !better(side, price, o->price) && (best == 0 || better(side, o->price, best)))
            best = o->price;
    return best;
}

/* One own price: what is ahead goes first, then own orders one after the other. Returns what they got. */
static int64_t trade_at(struct gn_fill_model *m, uint32_t instrument, uint32_t side, int64_t price, int64_t qty)
{
    int64_t given = 0;
    for (struct resting *o = next_of(m, m->row[instrument].first), *next; o != NULL; o = next) {
        next = next_of(m, o->next);
        if (o->side != side || o->price != price)
            continue;
        const int64_t through = qty - o->ahead - given;
        o->ahead = o->ahead > qty ? o->ahead - qty : 0;
        if (through <= 0)
            continue;
        const int64_t n = gn_min_i64(through, o->leaves);
        execute(m, o, n, price, 'A');
        given += n;
        if (o->leaves == 0)
            forget(m, o);
    }
    return given;
}

void gn_fill_trade(struct gn_fill_model *m, uint32_t instrument, uint32_t passive_side, int64_t price, int64_t qty,
                   uint64_t now_ns)
{
    int64_t own;
    m->now_ns = now_ns;
    while (qty > 0 && (own = best_own(m, instrument, passive_side, price)) != 0 && own != price) {
        for (struct resting *o = next_of(m, m->row[instrument].first); o != NULL; o = next_of(m, o->next))
            if (o->side == passive_side && o->price == own)
                o->ahead = 0; /* the trade went through this price: nobody is left there */
        const int64_t given = trade_at(m, instrument, passive_side, own, qty);
        qty -= given;
    }
    if (qty > 0)
        (void)trade_at(m, instrument, passive_side, price, qty);
}

/* ---- what arrives ---- */

/* The order with its first answer given: it trades, then rests or is cancelled. */
static void begin(struct gn_fill_model *m, const struct resting *order, int tif)
{
    struct resting *o = &m->order[order->user_ref & (m->conf.max_orders - 1)];
    *o = *order;
    link_last(m, o);
    m->row[o->instrument].account.orders++;
    take(m, o, 'R');
    if (o->leaves > 0 && tif == GN_TIF_IOC) {
        canceled(m, o, o->leaves, 'I');
        o->leaves = 0;
    }
    if (o->leaves == 0)
        forget(m, o);
    else
        o->ahead = shown(m, o->instrument, o->side, o->price);
}

/* 0, or why an order like that is refused. */
static uint16_t refusal(const struct gn_fill_model *m, const struct arrival *a)
{
    if (a->instrument >= m->conf.max_instruments)
        return GN_FILL_REJECT_SYMBOL;
    if (a->msg.qty == 0 || a->msg.qty > 999999)
        return GN_FILL_REJECT_QTY;
    if (a->msg.price == 0 || a->msg.price > INT32_MAX)
        return GN_FILL_REJECT_PRICE;
    const bool free = m->order[a->msg.user_ref & (m->conf.max_orders - 1)].user_ref == 0;
    return free && gn_ouch_side_from_wire(a->msg.side) >= 0 && gn_ouch_tif_from_wire(a->msg.tif) >= 0
               ? 0
               : GN_FILL_REJECT_OTHER;
}

/* False for a user reference that was used before: OUCH has it ignored. */
static bool fresh_ref(struct gn_fill_model *m, const struct arrival *a)
{
    if (a->msg.user_ref < m->next_ref[a->session])
        return false;
    m->next_ref[a->session] = a->msg.user_ref + 1;
    return true;
}

static void enter(struct gn_fill_model *m, const struct arrival *a)
{
    if (!fresh_ref(m, a))
        return;
    const uint16_t reason = refusal(m, a);
    if (reason != 0) {
        reject(m, a, reason);
        return;
    }
    struct resting o = {.user_ref = a->msg.user_ref,
                        .instrument = a->instrument,
                        .session = (uint8_t)a->session,
                        .side = (uint8_t)gn_ouch_side_from_wire(a->msg.side),
                        .price = (int64_t)a->msg.price,
                        .leaves = a->msg.qty,
                        .msg = a->msg};
    o.msg.type = GN_OUCH_OUT_ACCEPTED;
    o.msg.state = 'L';
    o.msg.order_ref = ++m->order_ref;
    answer(m, a->session, &o.msg);
    begin(m, &o, gn_ouch_tif_from_wire(a->msg.tif));
}

/* A replacement goes to the end of the queue, whatever it changes. One that cannot be ends its order, too. */
static void replace(struct gn_fill_model *m, const struct arrival *a)
{
    struct resting *old = find(m, a->session, a->msg.orig_user_ref);
    if (old == NULL || a->msg.user_ref < m->next_ref[a->session])
        return;
    struct arrival as = *a;
    as.instrument = old->instrument;
    as.msg.side = old->msg.side;
    if (refusal(m, &as) != 0 || (int64_t)a->msg.qty <= old->cum) {
        canceled(m, old, old->leaves, 'U');
        forget(m, old);
        return;
    }
    (void)fresh_ref(m, a);
    struct resting o = *old;
    o.user_ref = a->msg.user_ref;
    o.price = (int64_t)a->msg.price;
    o.leaves = (int64_t)a->msg.qty - old->cum;
    o.msg.type = GN_OUCH_OUT_REPLACED;
    o.msg.orig_user_ref = old->user_ref;
    o.msg.user_ref = o.user_ref;
    o.msg.qty = (uint32_t)o.leaves;
    o.msg.price = a->msg.price;
    o.msg.tif = a->msg.tif;
    o.msg.display = a->msg.display;
    o.msg.iso = a->msg.iso;
    o.msg.order_ref = ++m->order_ref;
    memcpy(o.msg.clordid, a->msg.clordid, sizeof o.msg.clordid);
    o.ahead = 0;
    forget(m, old);
    answer(m, a->session, &o.msg);
    begin(m, &o, gn_ouch_tif_from_wire(a->msg.tif));
}

/* Cancel or modify: down to a total quantity. */
static void lower(struct gn_fill_model *m, const struct arrival *a)
{
    struct resting *o = find(m, a->session, a->msg.user_ref);
    if (o == NULL || (int64_t)a->msg.qty >= o->cum + o->leaves)
        return;
    const int64_t keep = (int64_t)a->msg.qty > o->cum ? (int64_t)a->msg.qty - o->cum : 0;
    if (a->msg.type == GN_OUCH_IN_MODIFY && keep != 0) {
        const struct gn_ouch_msg msg = {
            .type = GN_OUCH_OUT_MODIFIED, .user_ref = o->user_ref, .side = o->msg.side, .qty = (uint32_t)keep};
        answer(m, o->session, &msg);
    } else {
        canceled(m, o, o->leaves - keep, 'U');
    }
    o->leaves = keep;
    if (keep == 0)
        forget(m, o);
}

/* All orders of the session; of one symbol when the message names one. */
static void mass(struct gn_fill_model *m, const struct arrival *a)
{
    struct gn_ouch_msg msg = {.type = GN_OUCH_OUT_MASS_CANCEL_RESPONSE, .user_ref = a->msg.user_ref};
    if (!fresh_ref(m, a))
        return;
    for (struct resting *o = m->order; o < m->order + m->conf.max_orders; o++) {
        if (o->user_ref == 0 || o->session != a->session ||
            (a->instrument != GN_NONE32 && o->instrument != a->instrument))
            continue;
        canceled(m, o, o->leaves, 'U');
        forget(m, o);
    }
    memcpy(msg.firm, a->msg.firm, sizeof msg.firm);
    memcpy(msg.symbol, a->msg.symbol, sizeof msg.symbol);
    answer(m, a->session, &msg);
}

static void arrive(struct gn_fill_model *m, const struct arrival *a)
{
    const struct gn_ouch_msg query = {.type = GN_OUCH_OUT_QUERY_RESPONSE, .next_user_ref = m->next_ref[a->session]};
    switch (a->msg.type) {
    case GN_OUCH_IN_ENTER:
        enter(m, a);
        break;
    case GN_OUCH_IN_REPLACE:
        replace(m, a);
        break;
    case GN_OUCH_IN_CANCEL:
    case GN_OUCH_IN_MODIFY:
        lower(m, a);
        break;
    case GN_OUCH_IN_MASS_CANCEL:
        mass(m, a);
        break;
    case GN_OUCH_IN_QUERY:
        answer(m, a->session, &query);
        break;
    default: /* order entry is switched off and on by nobody here */
        break;
    }
}

void gn_fill_arrive(struct gn_fill_model *m, uint64_t now_ns)
{
    while (m->way_n != 0 && m->way[m->way_first].at_ns <= now_ns) {
        const struct arrival a = m->way[m->way_first];
        m->way_first = (m->way_first + 1) % m->way_room;
        m->way_n--;
        m->now_ns = a.at_ns;
        arrive(m, &a);
    }
}

/* ---- what it came to ---- */

const struct gn_fill_account *gn_fill_account_of(const struct gn_fill_model *m, uint32_t instrument)
{
    return &m->row[instrument].account;
}

int64_t gn_fill_ahead(const struct gn_fill_model *m, uint32_t user_ref)
{
    const struct resting *o = &m->order[user_ref & (m->conf.max_orders - 1)];
    return user_ref != 0 && o->user_ref == user_ref ? o->ahead : -1;
}

gn_i128 gn_fill_pnl(const struct gn_fill_account *a, int64_t mark)
{
    return 100 * (a->sell_value - a->buy_value + (gn_i128)(a->bought - a->sold) * mark) - a->fees;
}
