#include "controlplane/flatten/flatten.h"

#include <stdio.h>

#include "controlplane/appliance/appliance.h"
#include "controlplane/kill/triggers.h"
#include "dataplane/abi/names.h"

#define NS_PER_MS     1000000ull
#define STOP_NS       (10000 * NS_PER_MS) /* for the cancels before the first order that closes */
#define PAUSE_NS      (20 * NS_PER_MS)    /* between two orders for one instrument: fills and prices come meanwhile */
#define ASK_NS        (2000 * NS_PER_MS)  /* for the venue's answer at the end */
#define OUCH_QTY_MAX  999999
#define TOB_TRIES     16u
#define COLLAR_TENTHS 9

const char *gn_flatten_name(uint32_t state)
{
    static const char *const names[] = {"idle", "stopping", "closing", "asking the venue", "ended"};
    return state < GN_ARRAY_LEN(names) ? names[state] : "unknown";
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

const char *gn_flatten_plan(int64_t position, const struct gn_limits_instrument *l, const struct gn_tob *tob,
                            int64_t tick, int64_t lot, struct gn_flatten_order *out)
{
    const uint64_t need = 1ull << GN_LIMIT_MAX_QTY | 1ull << GN_LIMIT_MAX_VALUE | 1ull << GN_LIMIT_COLLAR_BPS;
    bool sell = position > 0;
    int64_t ref = tob->bid != 0 && tob->ask != 0 ? (tob->bid + tob->ask) / 2 : tob->last;
    if (tob->flags & (GN_MD_STALE | GN_MD_CROSSED))
        return "the market is stale or crossed: its prices cannot be trusted";
    if (tob->flags & GN_MD_HALTED)
        return "the venue halted the instrument";
    if (ref <= 0 || tick <= 0 || lot <= 0)
        return "no price that a collar could be around";
    if ((l->set & need) != need)
        return "a limit that the order needs is not set";
    if ((sell ? tob->bid : tob->ask) == 0)
        return "nobody is on the other side of the book";
    int64_t away = (int64_t)((gn_i128)ref * l->collar_bps * COLLAR_TENTHS / 100000);
    int64_t price = sell ? (ref - away + tick - 1) / tick * tick : (ref + away) / tick * tick;
    if (sell ? price > tob->bid : price < tob->ask)
        return "the other side of the book is outside the collar";
    int64_t qty = min_i64(min_i64(sell ? position : -position, l->max_qty), OUCH_QTY_MAX);
    if (price > 0)
        qty = min_i64(qty, l->max_value / price);
    qty -= qty % lot;
    if (qty <= 0)
        return "less than a lot, or the limits of one order leave no room";
    *out = (struct gn_flatten_order){.side = sell ? GN_SIDE_SELL : GN_SIDE_BUY, .qty = qty, .price = price};
    return NULL;
}

/* ---- the scope ---- */

static bool in_scope(const struct gn_appliance *a, const struct gn_flatten *f, uint32_t i)
{
    const struct gn_instrument *k = &a->instruments->row[i];
    const struct gn_conf *c = a->conf;
    uint32_t s = k->strategy;
    switch (f->scope) {
    case GN_SCOPE_ALL:
        return true;
    case GN_SCOPE_INSTRUMENT:
        return i == f->index;
    case GN_SCOPE_STRATEGY:
        return s == f->index;
    case GN_SCOPE_SESSION:
        return s < c->n_strategies && c->strategy[s].session == f->index;
    case GN_SCOPE_ACCOUNT:
        return s < c->n_strategies && c->strategy[s].account == f->index;
    case GN_SCOPE_VENUE:
        return i < c->n_instruments && a->loaded.instruments[i].venue == f->index;
    default:
        return i < c->n_instruments && a->loaded.instruments[i].theme == f->index;
    }
}

static struct gn_position *positions_of(const struct gn_appliance *a)
{
    return gn_region_at(&a->plane, GN_SECTION_POSITIONS);
}

static uint32_t instruments_of(const struct gn_appliance *a)
{
    uint32_t n = atomic_load_explicit(&a->instruments->count, memory_order_acquire);
    return n < a->conf->max_instruments ? n : a->conf->max_instruments;
}

static uint32_t open_in_scope(const struct gn_appliance *a, const struct gn_flatten *f)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < instruments_of(a); i++)
        if (in_scope(a, f, i))
            open += positions_of(a)[i].open_orders;
    return open;
}

static bool list_rows(const struct gn_appliance *a, struct gn_flatten *f)
{
    f->n = 0;
    for (uint32_t i = 0; i < instruments_of(a); i++) {
        int64_t q = positions_of(a)[i].qty;
        if (q == 0 || !in_scope(a, f, i))
            continue;
        if (f->n == GN_FLATTEN_ROWS)
            return false;
        f->row[f->n++] = (struct gn_flatten_row){.instrument = i, .before = q, .now = q};
    }
    return true;
}

/* Every word counts its changes, and only upwards: the sum stays the same while none moves. */
static uint64_t moves_of(const struct gn_appliance *a)
{
    const struct gn_conf *c = a->conf;
    const uint32_t n[GN_SCOPE_COUNT] = {
        [GN_SCOPE_ALL] = 1,
        [GN_SCOPE_SESSION] = c->n_sessions,
        [GN_SCOPE_INSTRUMENT] = c->max_instruments,
        [GN_SCOPE_STRATEGY] = c->n_strategies,
        [GN_SCOPE_THEME] = c->n_themes,
        [GN_SCOPE_ACCOUNT] = c->n_accounts,
        [GN_SCOPE_VENUE] = c->n_venues,
    };
    uint64_t sum = 0;
    for (uint32_t scope = 0; scope < GN_SCOPE_COUNT; scope++)
        for (uint32_t i = 0; i < n[scope]; i++)
            /* acquire: a word that is seen moved is seen by the lcore's next look, too */
            sum += atomic_load_explicit(gn_kill_word(a->control, c, scope, i), memory_order_acquire) >> 16;
    return sum;
}

bool gn_flatten_begin(struct gn_appliance *a, uint32_t scope, uint32_t index, const char *who, const char *why,
                      char *err, size_t err_bytes)
{
    struct gn_flatten *f = &a->flatten;
    char why_err[GN_KILL_ERR_LEN];
    if (f->state != GN_FLATTEN_IDLE && f->state != GN_FLATTEN_ENDED) {
        snprintf(err, err_bytes, "a flatten of %s is %s; wait for its end: flatten status", gn_scope_name(f->scope),
                 gn_flatten_name(f->state));
        return false;
    }
    if (!gn_appliance_dataplane_alive(a->control)) {
        snprintf(err, err_bytes,
                 "no data plane runs: nothing can be sent; start it, see docs/runbooks/data-plane-died.md");
        return false;
    }
    memset(f, 0, sizeof *f);
    f->scope = scope;
    f->index = index;
    snprintf(f->who, sizeof f->who, "%s", who);
    struct gn_kill_request r = {
        .scope = scope,
        .index = index,
        .level = a->conf->journal.mode == GN_JOURNAL_SYNC ? GN_LADDER_REDUCE_ONLY : GN_LADDER_KILLED,
        .who = who,
        .why = why,
        .now_ns = gn_now_ns(),
    };
    if (gn_kill_and_journal(a, &r, why_err) == 0) {
        snprintf(err, err_bytes, "%s", why_err);
        return false;
    }
    f->word = atomic_load_explicit(&a->control->kill_all, memory_order_acquire);
    f->moves = moves_of(a);
    f->begun_ns = gn_now_ns();
    f->state = GN_FLATTEN_STOPPING;
    return true;
}

/* ---- steps ---- */

static void end(struct gn_appliance *a, struct gn_flatten *f, const char *why, uint64_t now_ns)
{
    char text[GN_ALERT_TEXT];
    f->stays = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        gn_hands_drop(&a->hands, &f->row[i].ticket);
        f->row[i].now = positions_of(a)[f->row[i].instrument].qty;
        f->stays += f->row[i].now != 0;
    }
    gn_hands_drop(&a->hands, &f->query);
    f->state = GN_FLATTEN_ENDED;
    f->ended_ns = now_ns;
    snprintf(f->why, sizeof f->why, "%s", why);
    snprintf(text, sizeof text, "flatten of %s by %s: %u positions, %u stay, %llu ms%s%s", gn_scope_name(f->scope),
             f->who, f->n, f->stays, (unsigned long long)((now_ns - f->begun_ns) / NS_PER_MS), why[0] != 0 ? ": " : "",
             why);
    gn_appliance_alert_at(a, GN_ALERT_FLATTEN, f->stays != 0 || why[0] != 0 ? 1 : 4, now_ns, text);
}

static void place(struct gn_appliance *a, struct gn_flatten *f, struct gn_flatten_row *r, uint64_t now_ns)
{
    struct gn_tob tob = {.flags = 0};
    struct gn_flatten_order o;
    const struct gn_tob *all = gn_region_at(&a->observe, GN_SECTION_TOB);
    const struct gn_instrument *k = &a->instruments->row[r->instrument];
    const char *why = "best prices cannot be read whole";
    r->next_ns = now_ns + PAUSE_NS;
    r->tries++;
    if (gn_tob_read(&all[r->instrument], &tob, TOB_TRIES))
        why = gn_flatten_plan(r->now, gn_limits_row(a->limits, gn_limits_current(a->limits), r->instrument), &tob,
                              k->tick, k->lot, &o);
    if (why == NULL && atomic_load_explicit(&a->instruments->stale, memory_order_relaxed) != 0)
        why = "the feed has an open gap: its prices cannot be trusted";
    if (why != NULL) {
        snprintf(r->why, sizeof r->why, "%s", why);
        return;
    }
    struct gn_command c = {.kind = GN_COMMAND_CLOSE,
                           .index = r->instrument,
                           .side = o.side,
                           .qty = o.qty,
                           .price = o.price,
                           .word = f->word};
    if (!gn_hands_ask(&a->hands, &c, &r->ticket))
        r->tries--; /* no slot now: the next step */
}

static void read_answer(struct gn_appliance *a, struct gn_flatten_row *r, uint64_t now_ns)
{
    int64_t value[4];
    switch (gn_hands_read(&a->hands, &r->ticket, value)) {
    case GN_COMMAND_DONE:
        r->orders++;
        r->next_ns = now_ns + PAUSE_NS;
        snprintf(r->why, sizeof r->why, "nobody took the last order within the collar");
        break;
    case GN_COMMAND_REFUSED:
        snprintf(r->why, sizeof r->why, "the gate refused: %s", gn_verdict_name((uint16_t)value[0]));
        break;
    case GN_COMMAND_LOST:
        snprintf(r->why, sizeof r->why, "the data plane went before it answered");
        break;
    default:
        break;
    }
}

/* True when nothing more can be done for the row. */
static bool step_row(struct gn_appliance *a, struct gn_flatten *f, struct gn_flatten_row *r, uint64_t now_ns)
{
    const struct gn_position *p = &positions_of(a)[r->instrument];
    read_answer(a, r, now_ns);
    if (p->qty != r->now) {
        r->now = p->qty;
        r->tries = 0; /* it gets smaller: it goes on */
    }
    if (r->ticket.number != 0 || p->open_orders != 0)
        return false; /* an answer, or the last order's end, is still to come */
    if (r->now == 0 || r->tries >= GN_FLATTEN_TRIES)
        return true;
    if (now_ns >= r->next_ns)
        place(a, f, r, now_ns);
    return false;
}

static void ask(struct gn_appliance *a, struct gn_flatten *f, uint64_t now_ns)
{
    struct gn_command c = {.kind = GN_COMMAND_QUERY, .index = f->scope == GN_SCOPE_SESSION ? f->index : 0};
    f->state = GN_FLATTEN_ASKING;
    f->stopped_ns = now_ns; /* from here on it is the time of the question */
    if (!gn_hands_ask(&a->hands, &c, &f->query))
        f->query.number = 0;
}

void gn_flatten_poll(struct gn_appliance *a, uint64_t now_ns)
{
    struct gn_flatten *f = &a->flatten;
    int64_t value[4];
    if (f->state == GN_FLATTEN_IDLE || f->state == GN_FLATTEN_ENDED)
        return;
    if (moves_of(a) != f->moves) {
        end(a, f, "the switch moved since it was ordered: order it again", now_ns);
        return;
    }
    if (!gn_appliance_dataplane_alive(a->control)) {
        end(a, f, "the data plane died", now_ns);
        return;
    }
    if (f->state == GN_FLATTEN_STOPPING) {
        if (open_in_scope(a, f) == 0 && !list_rows(a, f))
            end(a, f, "more positions than one flatten takes: narrow the scope", now_ns);
        else if (open_in_scope(a, f) == 0)
            f->state = GN_FLATTEN_CLOSING;
        else if (now_ns - f->begun_ns > STOP_NS)
            end(a, f, "orders still rest in its scope: see resting", now_ns);
        return;
    }
    if (f->state == GN_FLATTEN_ASKING) {
        if (f->query.number == 0 || gn_hands_read(&a->hands, &f->query, value) != 0 || now_ns - f->stopped_ns > ASK_NS)
            end(a, f, "", now_ns);
        return;
    }
    bool over = true;
    for (uint32_t i = 0; i < f->n; i++)
        over &= step_row(a, f, &f->row[i], now_ns);
    if (over)
        ask(a, f, now_ns);
}
