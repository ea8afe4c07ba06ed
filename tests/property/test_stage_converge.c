/* Two accounts that must end equal: an honest venue with an account of its own, a desk that sends, replaces and cancels
 * at random, and a wire that loses, doubles, delays and reorders frames, and breaks at any moment and loses what was
 * under way in either direction. The venue fills, breaks and corrects trades, and charges fees. When it is quiet again,
 * the orders that work here are those that rest there, with the same quantities, and positions, money and fees are
 * equal.
 */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define DESK       1u
#define SEEDS      2000 /* with GN_SEEDS in the environment: that many */
#define ACTS       60
#define REFS       4096u
#define FILLS      4096u
#define SHARES     20
#define FEE_ADD    (-20ll)
#define FEE_REMOVE 30ll

struct resting {
    bool live;
    uint8_t side;
    uint32_t qty, chain_cum; /* left; filled by it and those it replaced */
};

struct trade {
    uint32_t ref, qty;
    int64_t price;
    uint64_t match;
    bool broken;
    char liquidity;
};

struct venue {
    uint32_t read; /* messages of the inbox that were worked on */
    struct resting order[REFS];
    int64_t fills, broken;
    struct trade trade[FILLS];
};

static struct gn_h *h;
static struct venue v;
static uint64_t seed;
static bool quiet; /* the wire is good again */

static int64_t pick(int64_t n)
{
    return (int64_t)(gn_test_rand(&seed) % (uint64_t)n);
}

static void venue_enters(const struct gn_ouch_msg *m)
{
    if (pick(12) == 0) {
        gn_h_reject(h, m->user_ref, GN_OUCH_REJECT_OTHER);
        return;
    }
    v.order[m->user_ref] = (struct resting){true, m->side == 'B' ? GN_SIDE_BUY : GN_SIDE_SELL, m->qty, 0};
    gn_h_say(
        h, &(struct gn_ouch_msg){
               .type = GN_OUCH_OUT_ACCEPTED, .user_ref = m->user_ref, .qty = m->qty, .price = m->price, .state = 'L'});
}

static void venue_replaces(const struct gn_ouch_msg *m)
{
    struct resting *old = &v.order[m->orig_user_ref];
    if (!old->live)
        return; /* without a word, as OUCH says */
    if (pick(8) == 0) {
        gn_h_reject(h, m->user_ref, GN_OUCH_REJECT_PRICE);
        return;
    }
    if (m->qty <= old->chain_cum) { /* filled past the wish already */
        old->live = false;
        gn_h_canceled(h, m->orig_user_ref, old->qty);
        return;
    }
    old->live = false;
    v.order[m->user_ref] = (struct resting){true, old->side, m->qty - old->chain_cum, old->chain_cum};
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_REPLACED,
                                      .orig_user_ref = m->orig_user_ref,
                                      .user_ref = m->user_ref,
                                      .qty = m->qty - old->chain_cum,
                                      .price = m->price,
                                      .state = 'L'});
}

static void venue_cancels(const struct gn_ouch_msg *m)
{
    struct resting *o = &v.order[m->user_ref];
    if (!o->live)
        return;
    o->live = false;
    gn_h_canceled(h, m->user_ref, o->qty);
}

static void venue_reduces(const struct gn_ouch_msg *m)
{
    struct resting *o = &v.order[m->user_ref];
    if (!o->live || m->qty >= o->qty)
        return;
    o->qty = m->qty;
    gn_h_say(h, &(struct gn_ouch_msg){
                    .type = GN_OUCH_OUT_MODIFIED, .user_ref = m->user_ref, .side = m->side, .qty = m->qty});
}

static void tell_trade(const struct trade *t, uint8_t type)
{
    gn_h_say(h, &(struct gn_ouch_msg){.type = type,
                                      .user_ref = t->ref,
                                      .qty = t->qty,
                                      .price = (uint64_t)t->price,
                                      .liquidity = t->liquidity,
                                      .match = t->match,
                                      .reason = 'E'});
}

static void venue_works(void)
{
    for (; v.read < h->peer.n_in; v.read++) {
        const struct gn_ouch_msg *m = &h->peer.in[v.read];
        if (m->type == GN_OUCH_IN_ENTER)
            venue_enters(m);
        else if (m->type == GN_OUCH_IN_REPLACE)
            venue_replaces(m);
        else if (m->type == GN_OUCH_IN_CANCEL)
            venue_cancels(m);
        else if (m->type == GN_OUCH_IN_MODIFY)
            venue_reduces(m);
        else if (m->type == GN_OUCH_IN_QUERY) /* behind what came before it, as one queue */
            gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_QUERY_RESPONSE, .next_user_ref = h->peer.next_ref});
    }
    uint32_t ref = (uint32_t)pick(REFS) % (h->peer.next_ref + 1);
    struct resting *o = &v.order[ref];
    if (pick(3) != 0 || !o->live)
        return;
    uint32_t qty = pick(2) == 0 ? o->qty : 1 + (uint32_t)pick(o->qty);
    if (v.fills == FILLS)
        return;
    struct trade *t = &v.trade[v.fills++];
    *t = (struct trade){.ref = ref,
                        .qty = qty,
                        .price = 990000 + pick(200) * 100,
                        .match = ++h->peer.match,
                        .liquidity = pick(2) == 0 ? 'A' : 'R'};
    o->qty -= qty;
    o->chain_cum += qty;
    o->live = o->qty != 0;
    tell_trade(t, GN_OUCH_OUT_EXECUTED);
}

/* A trade of a while ago is broken, or corrected in everything but its side. */
static void venue_thinks_again(void)
{
    if (v.fills == 0 || pick(200) != 0)
        return;
    struct trade *t = &v.trade[pick(gn_min_i64(v.fills, GN_H_ORDERS - 2)) + gn_max_i64(0, v.fills - (GN_H_ORDERS - 2))];
    if (t->broken)
        return;
    if (pick(2) == 0) {
        t->broken = true;
        v.broken++;
        gn_h_say(
            h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_BROKEN, .user_ref = t->ref, .match = t->match, .reason = 'E'});
        return;
    }
    t->qty = 1 + (uint32_t)pick(SHARES);
    t->price = 990000 + pick(200) * 100;
    t->liquidity = pick(2) == 0 ? 'A' : 'R';
    tell_trade(t, GN_OUCH_OUT_CORRECTED);
}

/* Frames under way are doubled, swapped, or lost one by one: what a network may do, and TCP makes good. */
static void wire_plays(struct gn_h_wire *w)
{
    uint32_t n = w->tail - w->head;
    if (n == 0 || pick(8) != 0)
        return;
    uint32_t a = (w->head + (uint32_t)pick(n)) % GN_H_WIRE, b = (w->head + (uint32_t)pick(n)) % GN_H_WIRE;
    static uint8_t frame[GN_FRAME_ROOM];
    uint16_t len = w->len[a];
    memcpy(frame, w->frame[a], len);
    switch (pick(3)) {
    case 0:
        if (n == GN_H_WIRE)
            return;
        b = w->tail++ % GN_H_WIRE;
        break;
    case 1:
        w->len[a] = w->len[b];
        memcpy(w->frame[a], w->frame[b], w->len[b]);
        break;
    default: /* the last takes the place of the lost one */
        b = a;
        a = --w->tail % GN_H_WIRE;
        len = w->len[a];
        memcpy(frame, w->frame[a], len);
        break;
    }
    w->len[b] = len;
    memcpy(w->frame[b], frame, len);
}

static void turn(void)
{
    if (!quiet) {
        wire_plays(&h->end.out);
        wire_plays(&h->peer.end.out);
    }
    gn_h_turn(h);
    venue_works();
    venue_thinks_again();
}

static void desk_acts(void)
{
    const struct gn_order *o = &h->orders->order[pick(GN_H_ORDERS)];
    struct gn_intent in = {.action = (uint8_t)(1 + pick(4)),
                           .side = o->side,
                           .instrument = DESK,
                           .target = o->id,
                           .price = 1000000 + pick(10) * 100,
                           .qty = 1 + pick(SHARES)};
    if (!gn_order_working(o->state)) {
        in.action = GN_ACTION_NEW;
        in.side = (uint8_t)pick(2);
    }
    gn_h_intent(h, &in);
}

/* Something goes wrong with the wire, for a random time. */
static void wire_acts(void)
{
    switch (pick(40)) {
    case 0:
        h->end.out.cut = true; /* what we send from now on is lost */
        break;
    case 1:
        h->peer.hold = true; /* what the venue says stays there */
        break;
    case 2:
        h->peer.stop_after = h->peer.n_out + (uint32_t)pick(3); /* and breaks somewhere in what it repeats */
        break;
    case 3:
    case 4:
        gn_h_hang_up(h);
        h->end.out.cut = h->peer.hold = false;
        h->peer.stop_after = pick(2) == 0 ? 0 : h->peer.stop_after;
        break;
    case 5:
        if (pick(3) != 0)
            break;
        gn_h_hang_up(h);
        gn_h_restart(h, pick(2) == 0);
        h->end.out.cut = false;
        break;
    default:
        break;
    }
}

static const char *books_differ(void)
{
    int64_t bought = 0, sold = 0, fees = 0;
    gn_i128 buy_value = 0, sell_value = 0;
    for (int64_t i = 0; i < v.fills; i++) {
        const struct trade *t = &v.trade[i];
        bool buy = v.order[t->ref].side == GN_SIDE_BUY;
        if (t->broken)
            continue;
        *(buy ? &bought : &sold) += t->qty;
        *(buy ? &buy_value : &sell_value) += (gn_i128)t->price * t->qty;
        fees += t->qty * (t->liquidity == 'A' ? FEE_ADD : FEE_REMOVE);
    }
    const struct gn_position *p = &h->positions[DESK];
    if (p->qty != bought - sold || p->bought != bought || p->sold != sold || p->fills != (uint64_t)v.fills)
        return "the positions differ";
    if (p->buy_value != buy_value || p->sell_value != sell_value)
        return "the money differs";
    return p->fees != fees ? "the fees differ" : NULL;
}

static const char *differ(void)
{
    if (h->broken != NULL)
        return h->broken;
    const char *what = books_differ();
    if (what != NULL)
        return what;
    for (uint32_t ref = 1; ref < h->peer.next_ref && ref < REFS; ref++) {
        const struct gn_order *o = gn_order_find(h->orders, ref);
        bool works = o != NULL && gn_order_working(o->state);
        if (works != v.order[ref].live)
            return works ? "an order works here that is dead at the venue"
                         : "an order rests at the venue unknown to us";
        if (works && o->leaves != v.order[ref].qty)
            return "an order's quantities differ";
    }
    for (uint32_t k = 0; k < GN_BREAK_CLASS_COUNT; k++)
        if (k != GN_BREAK_NEVER_ARRIVED && atomic_load(&h->recon->by_class[k]) != 0)
            return gn_break_help(k);
    return h->m.order_illegal != 0 ? "an event came that the transitions forbid" : NULL;
}

/* Ours may think so on a connection whose reset was lost. */
static bool both_up(void)
{
    return gn_h_session(h) == GN_SESSION_UP && h->peer.conn != GN_TCP_NONE;
}

static const char *one_day(void)
{
    memset(&v, 0, sizeof v);
    quiet = false;
    h = gn_h_new(NULL);
    h->conf.session[0].fee_add = FEE_ADD;
    h->conf.session[0].fee_remove = FEE_REMOVE;
    h->peer.no_query = true; /* answered by venue_works, in turn with the orders */
    for (int i = 0; i < 2000 && gn_h_session(h) != GN_SESSION_UP; i++)
        turn();
    gn_h_quote(h, DESK, 990000, 1010000);
    for (int i = 0; i < ACTS; i++) {
        desk_acts();
        wire_acts();
        for (int64_t n = pick(pick(8) == 0 ? 1500 : 6); n >= 0; n--)
            turn();
    }
    quiet = true;
    gn_h_hang_up(h); /* whatever is cut or held is told now */
    h->end.out.cut = h->peer.hold = false;
    h->peer.stop_after = 0;
    for (int i = 0; i < 20000 && (i < 200 || !both_up()); i++)
        turn();
    h->step_ns = GN_H_MS; /* a reset that was lost: the login's own limit ends the wait for its answer */
    for (int i = 0; i < 60000 && !both_up(); i++)
        turn();
    h->step_ns = 20000;
    for (int i = 0; i < 5000; i++) /* the venue goes on filling; let the last word arrive */
        i < 4000 ? turn() : gn_h_turn(h);
    const char *what = gn_h_session(h) == GN_SESSION_UP ? differ() : "the session did not come back";
    gn_h_free(h);
    return what;
}

/* ---- the same over deaths at any instruction, and the connection goes on ---- */

#define DEATHS 12
#define LIVES  30 /* seeds; with GN_LIVES in the environment: that many */

static uint64_t cut_short; /* deaths in the middle of something */

static struct gn_intent next_intent(void)
{
    const struct gn_order *o = &h->orders->order[pick(GN_H_ORDERS)];
    struct gn_intent in = {.action = (uint8_t)(1 + pick(4)),
                           .side = o->side,
                           .instrument = DESK,
                           .strategy = GN_H_DESK,
                           .target = o->id,
                           .price = 1000000 + pick(10) * 100,
                           .qty = 1 + pick(SHARES)};
    if (!gn_order_working(o->state)) {
        in.action = GN_ACTION_NEW;
        in.side = (uint8_t)pick(2);
    }
    return in;
}

/* What the venue was sent has its record, and nothing twice. */
static const char *records_differ(void)
{
    for (uint32_t i = 0; i < h->peer.n_in; i++) {
        const struct gn_ouch_msg *m = &h->peer.in[i];
        uint32_t n = 0;
        if (m->type != GN_OUCH_IN_ENTER && m->type != GN_OUCH_IN_REPLACE)
            continue;
        for (uint32_t k = 0; k < h->n_event; k++) {
            const struct gn_ev_order *e = (const struct gn_ev_order *)(const void *)h->event[k].payload;
            n += h->event[k].rec.type == GN_EV_ORDER && e->verdict == GN_VERDICT_OK && e->user_ref == m->user_ref &&
                 e->intent.action <= GN_ACTION_REPLACE;
        }
        if (n != 1)
            return n == 0 ? "an order went out without a record" : "an order has two records";
    }
    return NULL;
}

static const char *one_life_after_another(void)
{
    memset(&v, 0, sizeof v);
    quiet = true;
    h = gn_h_new(&(struct gn_h_options){.shared = true});
    h->conf.session[0].fee_add = FEE_ADD;
    h->conf.session[0].fee_remove = FEE_REMOVE;
    h->peer.no_query = true;
    h->conf.n_clients = (uint32_t)pick(2); /* a client's orders stay, those of others are cancelled */
    for (int i = 0; i < 2000 && gn_h_session(h) != GN_SESSION_UP; i++)
        turn();
    gn_h_quote(h, DESK, 990000, 1010000);
    for (int i = 0; i < DEATHS; i++) {
        for (int64_t n = pick(10); n >= 0; n--) {
            struct gn_intent in = next_intent();
            gn_h_intent(h, &in);
            for (int64_t k = pick(4); k >= 0; k--)
                turn();
        }
        struct gn_intent in = next_intent();
        cut_short += !gn_h_killed_turn(h, pick(4) == 0 ? NULL : &in, (uint64_t)pick(3000));
        gn_h_handover(h);
    }
    for (int i = 0; i < 20000; i++)
        i < 15000 ? turn() : gn_h_turn(h);
    const char *what = differ();
    if (what == NULL)
        what = records_differ();
    if (what == NULL && (h->peer.logins != 1 || h->rows[0].connects != 1 || h->rows[0].handovers != DEATHS))
        what = "the connection did not go on";
    gn_h_free(h);
    return what;
}

static void connections_outlive_processes(void)
{
    const char *n = getenv("GN_LIVES");
    const uint64_t seeds = n == NULL ? LIVES : strtoull(n, NULL, 10);
    uint64_t first = gn_test_seed(1);
    for (uint64_t i = 0; i < seeds; i++) {
        seed = first + i;
        const char *what = one_life_after_another();
        if (what != NULL) {
            printf("seed %llu: %s\n", (unsigned long long)(first + i), what);
            CU_FAIL_FATAL("the accounts differ");
        }
    }
    CU_ASSERT_TRUE(cut_short > seeds * DEATHS / 2);
}

static void accounts_end_equal(void)
{
    uint64_t first = gn_test_seed(1);
    const char *n = getenv("GN_SEEDS");
    const uint64_t seeds = n == NULL ? SEEDS : strtoull(n, NULL, 10);
    for (uint64_t i = 0; i < seeds; i++) {
        seed = first + i;
        const char *what = one_day();
        if (what != NULL) {
            printf("seed %llu: %s\n", (unsigned long long)(first + i), what);
            CU_FAIL_FATAL("the accounts differ");
        }
    }
}

GN_TEST_MAIN("stage converge", {"accounts end equal", accounts_end_equal},
             {"connections outlive processes", connections_outlive_processes})
