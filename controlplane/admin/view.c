#include "controlplane/admin/view.h"

#include <signal.h>
#include <stdio.h>

#include "controlplane/appliance/text.h"
#include "controlplane/kill/kill.h"
#include "dataplane/abi/names.h"

#define ORDERS_SHOWN 1000u
#define TOB_TRIES    1000u

static const struct gn_conf *conf_of(const struct gn_view *v)
{
    return gn_region_at(v->plane, GN_SECTION_CONF);
}

static const struct gn_control *control_of(const struct gn_view *v)
{
    return gn_region_at(v->plane, GN_SECTION_CONTROL);
}

static const struct gn_instruments *instruments_of(const struct gn_view *v)
{
    return gn_region_at(v->observe, GN_SECTION_INSTRUMENTS);
}

static void put_int(json_t *o, const char *key, int64_t value)
{
    json_object_set_new(o, key, json_integer(value));
}

static void put_u64(json_t *o, const char *key, uint64_t value)
{
    json_object_set_new(o, key, json_integer((json_int_t)value));
}

static void put_str(json_t *o, const char *key, const char *value)
{
    json_object_set_new(o, key, json_string(value));
}

static uint64_t get(const _Atomic uint64_t *p)
{
    return atomic_load_explicit(p, memory_order_relaxed);
}

/* A 128-bit value as a decimal string: JSON numbers end at 64 bits. */
static void put_i128(json_t *o, const char *key, gn_i128 value)
{
    char text[48];
    char *at = text + sizeof text - 1;
    bool minus = value < 0;
    unsigned __int128 u = minus ? -(unsigned __int128)value : (unsigned __int128)value;
    *at = 0;
    do {
        *--at = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u != 0);
    if (minus)
        *--at = '-';
    put_str(o, key, at);
}

void gn_view_symbol(const struct gn_view *v, uint32_t instrument, char out[9])
{
    const struct gn_instruments *t = instruments_of(v);
    out[0] = 0;
    if (instrument >= atomic_load_explicit(&t->count, memory_order_acquire))
        return;
    memcpy(out, t->row[instrument].symbol, 8);
    out[8] = 0;
    for (int i = 7; i >= 0 && (out[i] == ' ' || out[i] == 0); i--)
        out[i] = 0;
    gn_text_plain(out);
}

uint32_t gn_view_instrument(const struct gn_view *v, const char *symbol)
{
    const struct gn_instruments *t = instruments_of(v);
    uint32_t count = atomic_load_explicit(&t->count, memory_order_acquire);
    char have[9];
    for (uint32_t i = 0; i < count; i++) {
        gn_view_symbol(v, i, have);
        if (strcmp(have, symbol) == 0)
            return i;
    }
    return GN_NONE32;
}

/* ---- status ---- */

static const char *process_state(uint32_t state, uint32_t pid)
{
    static const char *const names[] = {"absent", "starting", "running", "stopping", "stopped"};
    if (state >= GN_ARRAY_LEN(names))
        return "unknown";
    bool should_live = state != GN_STATE_ABSENT && state != GN_STATE_STOPPED;
    return should_live && kill((pid_t)pid, 0) != 0 ? "dead" : names[state];
}

static json_t *process(const struct gn_beat *b)
{
    json_t *o = json_object();
    uint32_t pid = atomic_load_explicit(&b->pid, memory_order_relaxed);
    put_int(o, "pid", pid);
    put_str(o, "state", process_state(atomic_load_explicit(&b->state, memory_order_acquire), pid));
    put_u64(o, "beats", get(&b->count));
    return o;
}

static json_t *kill_words(const struct gn_view *v)
{
    const struct gn_conf *c = conf_of(v);
    struct gn_control *ctl = gn_region_at(v->plane, GN_SECTION_CONTROL);
    const uint32_t counts[] = {1,           c->n_sessions, c->n_instruments, c->n_strategies,
                               c->n_themes, c->n_accounts, c->n_venues};
    json_t *list = json_array();
    for (uint32_t scope = 0; scope < GN_ARRAY_LEN(counts); scope++)
        for (uint32_t i = 0; i < counts[scope]; i++) {
            uint64_t word = atomic_load_explicit(gn_kill_word(ctl, c, scope, i), memory_order_acquire);
            if (scope != GN_SCOPE_ALL && gn_kill_level(word) == GN_LADDER_ACTIVE)
                continue;
            json_t *o = json_object();
            put_str(o, "scope", gn_scope_name(scope));
            put_int(o, "index", i);
            put_str(o, "level", gn_ladder_name(gn_kill_level(word)));
            put_u64(o, "word", word);
            uint32_t source = (uint32_t)(word >> 8) & 0xff;
            if ((word >> 16) != 0 && source < GN_KILL_SOURCES) { /* a released word names who released it */
                struct gn_kill_record r = {.why = "(see the journal)"};
                (void)gn_kill_noted(ctl, source, scope, i, &r);
                gn_text_plain(r.who);
                gn_text_plain(r.why);
                put_str(o, "who", r.who);
                put_str(o, "why", r.why);
                put_u64(o, "set_ns", r.set_ns);
            }
            json_array_append_new(list, o);
        }
    return list;
}

static json_t *kill_report(const struct gn_control *c)
{
    const struct gn_kill_report *r = &c->report;
    json_t *o = json_object();
    put_u64(o, "word_seen", atomic_load_explicit(&r->word_seen, memory_order_acquire));
    put_u64(o, "seen_ns", get(&r->seen_ns));
    put_u64(o, "last_order_ns", get(&r->last_order_ns));
    put_u64(o, "first_cancel_ns", get(&r->first_cancel_ns));
    put_u64(o, "last_cancel_ns", get(&r->last_cancel_ns));
    put_u64(o, "last_ack_ns", get(&r->last_ack_ns));
    put_u64(o, "cancels_sent", get(&r->cancels_sent));
    put_u64(o, "resting", get(&r->resting));
    return o;
}

static const char *const breaker_names[] = {
#define GN_X(num, NAME, name, help) [num] = name,
    GN_BREAKER_STATES(GN_X)
#undef GN_X
};
static const char *const handover_names[] = {
#define GN_X(num, NAME, name, help) [num] = name,
    GN_HANDOVERS(GN_X)
#undef GN_X
};

/* Breaker, dead-man timers, connection: what a session's guards say of it. */
static void put_guard(json_t *o, const struct gn_session_row *r)
{
    static const char *const names[] = {
#define GN_X(bit, NAME, name, help) [bit] = name,
        GN_DEADMEN(GN_X)
#undef GN_X
    };
    json_t *fired = json_array();
    for (uint32_t k = 0; k < GN_ARRAY_LEN(names); k++)
        if (r->deadman_fired & 1u << k)
            json_array_append_new(fired, json_string(names[k]));
    put_str(o, "breaker", r->breaker < GN_ARRAY_LEN(breaker_names) ? breaker_names[r->breaker] : "unknown");
    put_u64(o, "breaker_trips", r->breaker_trips);
    json_object_set_new(o, "deadman_fired", fired);
    put_u64(o, "deadman_trips", r->deadman_trips);
    json_object_set_new(o, "cancel_on_disconnect", json_boolean(r->cancel_on_disconnect != 0));
    put_str(o, "handover", r->handover < GN_ARRAY_LEN(handover_names) ? handover_names[r->handover] : "unknown");
    put_u64(o, "handovers", r->handovers);
}

static json_t *sessions(const struct gn_view *v)
{
    const struct gn_conf *c = conf_of(v);
    const struct gn_session_row *rows = gn_region_at(v->plane, GN_SECTION_SESSIONS);
    json_t *list = json_array();
    for (uint32_t i = 0; i < c->n_sessions; i++) {
        const struct gn_session_row *r = &rows[i];
        json_t *o = json_object();
        put_str(o, "name", c->session[i].name);
        put_str(o, "state", gn_session_state_name(atomic_load_explicit(&r->state, memory_order_relaxed)));
        put_u64(o, "next_in_seq", r->next_in_seq);
        put_u64(o, "orders_sent", r->orders_sent);
        put_u64(o, "replaces_sent", r->replaces_sent);
        put_u64(o, "cancels_sent", r->cancels_sent);
        put_u64(o, "messages_in", r->messages_in);
        put_u64(o, "logins", r->logins);
        put_u64(o, "losses", r->losses);
        put_u64(o, "in_doubt", r->in_doubt);
        put_guard(o, r);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *lcores(const struct gn_view *v)
{
    const struct gn_conf *c = conf_of(v);
    const struct gn_control *ctl = control_of(v);
    const struct gn_lcore_metrics *m = gn_region_at(v->plane, GN_SECTION_METRICS);
    json_t *list = json_array();
    for (uint32_t i = 0; i < c->n_lcores; i++) {
        json_t *o = json_object();
        const struct gn_ring *r = gn_region_at(v->plane, GN_SECTION_EVENT_RING + 1 + i);
        char stages[48];
        snprintf(stages, sizeof stages, "%s%s%s", c->lcore[i].stages & GN_STAGE_FEED ? "feed " : "",
                 c->lcore[i].stages & GN_STAGE_STRATEGY ? "strategy " : "",
                 c->lcore[i].stages & GN_STAGE_ORDERS ? "orders " : "");
        put_int(o, "core", c->lcore[i].core);
        put_str(o, "stages", stages);
        put_u64(o, "loops", get(&ctl->lcore[i].loops));
        put_u64(o, "beat_ns", get(&ctl->lcore[i].count));
        put_u64(o, "messages", m[i].md_messages);
        put_u64(o, "events_lost", m[i].events_lost);
        put_u64(o, "event_ring_used", r == NULL ? 0 : gn_ring_used(r));
        put_u64(o, "event_ring_cells", r == NULL ? 0 : r->cells);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *gn_view_status(const struct gn_view *v)
{
    static const char *const modes[] = {"paper", "live", "shadow", "mock"};
    const struct gn_conf *c = conf_of(v);
    const struct gn_control *ctl = control_of(v);
    const struct gn_order_table *orders = gn_region_at(v->plane, GN_SECTION_ORDERS);
    const struct gn_instruments *t = instruments_of(v);
    json_t *o = json_object();
    put_str(o, "instance", c->instance);
    put_str(o, "mode", c->mode < GN_ARRAY_LEN(modes) ? modes[c->mode] : "unknown");
    put_str(o, "build", v->plane->hdr->build_id);
    put_u64(o, "epoch", v->plane->hdr->epoch);
    put_u64(o, "now_ns", v->now_ns);
    json_object_set_new(o, "controlplane", process(&ctl->controlplane));
    json_object_set_new(o, "dataplane", process(&ctl->dataplane));
    json_object_set_new(o, "lcores", lcores(v));
    json_object_set_new(o, "sessions", sessions(v));
    json_object_set_new(o, "kill", kill_words(v));
    json_object_set_new(o, "kill_report", kill_report(ctl));
    put_u64(o, "journal_failed", atomic_load_explicit(&ctl->journal_failed, memory_order_acquire));
    json_object_set_new(o, "journal", gn_view_journal(v));
    put_int(o, "feed_stale", atomic_load_explicit(&t->stale, memory_order_relaxed));
    put_int(o, "open_orders", orders->open);
    put_u64(o, "orders_illegal", orders->illegal);
    return o;
}

/* ---- positions, books ---- */

static bool best(const struct gn_view *v, uint32_t i, struct gn_tob *out)
{
    const struct gn_tob *tob = gn_region_at(v->observe, GN_SECTION_TOB);
    return gn_tob_read(&tob[i], out, TOB_TRIES);
}

/* Marks are doubled, so that the middle of a one-tick market stays a whole number: bid + ask, or twice the last trade.
 */
static int64_t mark2(const struct gn_tob *t)
{
    return t->bid != 0 && t->ask != 0 ? t->bid + t->ask : 2 * t->last;
}

static json_t *position(const struct gn_view *v, uint32_t i, const struct gn_position *p)
{
    char symbol[9];
    struct gn_tob t = {.flags = 0};
    json_t *o = json_object();
    gn_view_symbol(v, i, symbol);
    put_str(o, "symbol", symbol);
    put_int(o, "price_exp", instruments_of(v)->row[i].price_exp);
    put_int(o, "position", p->qty);
    put_int(o, "bought", p->bought);
    put_int(o, "sold", p->sold);
    put_i128(o, "buy_value", p->buy_value);
    put_i128(o, "sell_value", p->sell_value);
    put_i128(o, "cash", p->sell_value - p->buy_value);
    bool marked = best(v, i, &t) && mark2(&t) != 0;
    put_int(o, "mark2", marked ? mark2(&t) : 0);
    put_i128(o, "pnl2", 2 * (p->sell_value - p->buy_value) + (gn_i128)p->qty * (marked ? mark2(&t) : 0));
    put_int(o, "open_buy", p->open_buy);
    put_int(o, "open_sell", p->open_sell);
    put_int(o, "open_orders", p->open_orders);
    put_u64(o, "fills", p->fills);
    put_u64(o, "orders", p->sent);
    put_u64(o, "accepted", p->accepted);
    put_u64(o, "canceled", p->canceled);
    put_u64(o, "rejected", p->rejected);
    return o;
}

json_t *gn_view_positions(const struct gn_view *v)
{
    const struct gn_position *p = gn_region_at(v->plane, GN_SECTION_POSITIONS);
    uint32_t count = atomic_load_explicit(&instruments_of(v)->count, memory_order_acquire);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        if (p[i].sent != 0 || p[i].qty != 0 || p[i].open_orders != 0)
            json_array_append_new(list, position(v, i, &p[i]));
    return list;
}

json_t *gn_view_books(const struct gn_view *v)
{
    const struct gn_instruments *t = instruments_of(v);
    const struct gn_book_row *rows = gn_region_at(v->observe, GN_SECTION_BOOK_ROWS);
    uint32_t count = atomic_load_explicit(&t->count, memory_order_acquire);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        struct gn_tob b = {.flags = 0};
        char symbol[9], digest[20];
        json_t *o = json_object();
        bool seen = best(v, i, &b);
        gn_view_symbol(v, i, symbol);
        snprintf(digest, sizeof digest, "%016llx", (unsigned long long)rows[i].digest);
        put_str(o, "symbol", symbol);
        put_int(o, "price_exp", t->row[i].price_exp);
        put_int(o, "torn", !seen);
        put_int(o, "bid", b.bid);
        put_int(o, "bid_qty", b.bid_qty);
        put_int(o, "ask", b.ask);
        put_int(o, "ask_qty", b.ask_qty);
        put_int(o, "last", b.last);
        put_int(o, "stale", (b.flags & GN_MD_STALE) != 0);
        put_int(o, "halted", (b.flags & GN_MD_HALTED) != 0);
        put_int(o, "crossed", (b.flags & GN_MD_CROSSED) != 0);
        put_u64(o, "live_orders", rows[i].live_orders);
        put_str(o, "digest", digest);
        put_u64(o, "tick_seq", b.tick_seq);
        json_array_append_new(list, o);
    }
    return list;
}

/* ---- orders ---- */

json_t *gn_view_order(const struct gn_view *v, const struct gn_order *k)
{
    char symbol[9], id[20];
    const struct gn_conf *c = conf_of(v);
    json_t *o = json_object();
    gn_view_symbol(v, k->instrument, symbol);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)k->id);
    put_int(o, "price_exp", instruments_of(v)->row[k->instrument].price_exp);
    put_str(o, "id", id);
    put_int(o, "user_ref", k->user_ref);
    put_str(o, "symbol", symbol);
    put_str(o, "side", k->side == GN_SIDE_BUY ? "buy" : "sell");
    put_str(o, "state", gn_order_state_name(k->state));
    put_str(o, "tif", k->tif == GN_TIF_IOC ? "ioc" : "day");
    put_int(o, "price", k->price);
    put_int(o, "qty", k->qty);
    put_int(o, "leaves", k->leaves);
    put_int(o, "filled", k->cum);
    put_str(o, "strategy", k->strategy < c->n_strategies ? c->strategy[k->strategy].name : "unknown");
    put_u64(o, "sent_ns", k->sent_ns);
    put_u64(o, "tick_seq", k->tick_seq);
    return o;
}

json_t *gn_view_orders(const struct gn_view *v, bool all)
{
    const struct gn_order_table *t = gn_region_at(v->plane, GN_SECTION_ORDERS);
    json_t *list = json_array();
    if (t->capacity == 0 || gn_orders_footprint(t->capacity) > v->plane->hdr->section[GN_SECTION_ORDERS].bytes)
        return list; /* no data plane has been here yet */
    for (uint32_t i = 1; i <= t->capacity && json_array_size(list) < ORDERS_SHOWN; i++) {
        const struct gn_order *o = &t->order[(t->next_seq - i) & (t->capacity - 1)];
        if (gn_order_working(o->state) || (all && o->state != GN_ORDER_FREE))
            json_array_append_new(list, gn_view_order(v, o));
    }
    return list;
}

/* ---- limits, metrics ---- */

static json_t *limit_row(uint64_t set, const int64_t *values, const char *const *names, uint32_t n)
{
    json_t *o = json_object();
    for (uint32_t i = 0; i < n; i++)
        json_object_set_new(o, names[i], set & 1ull << i ? json_integer(values[i]) : json_null());
    return o;
}

json_t *gn_view_limits(const struct gn_view *v)
{
    static const char *const names[] = {
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) #field,
        GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
    };
    static const char *const firm_names[] = {
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) #field,
        GN_SCOPE_LIMITS(GN_X)
#undef GN_X
    };
    struct gn_limits *l = gn_region_at(v->plane, GN_SECTION_LIMITS);
    uint64_t generation = gn_limits_current(l);
    const struct gn_limits_scope *f = gn_limits_firm_row(l, generation);
    uint32_t count = atomic_load_explicit(&instruments_of(v)->count, memory_order_acquire);
    json_t *o = json_object(), *list = json_array();
    put_u64(o, "generation", generation);
    put_u64(o, "seen", atomic_load_explicit(&l->seen[0].generation, memory_order_acquire));
    json_object_set_new(o, "firm", limit_row(f->set, &f->max_open_orders, firm_names, GN_SCOPE_LIMIT_COUNT));
    for (uint32_t i = 0; i < count && i < l->rows; i++) {
        const struct gn_limits_instrument *r = gn_limits_row(l, generation, i);
        char symbol[9];
        if (r->set == 0)
            continue;
        json_t *row = limit_row(r->set, &r->tradable, names, GN_INSTRUMENT_LIMIT_COUNT);
        gn_view_symbol(v, i, symbol);
        put_str(row, "symbol", symbol);
        json_array_append_new(list, row);
    }
    json_object_set_new(o, "instruments", list);
    return o;
}

json_t *gn_view_metrics(const struct gn_view *v)
{
    const struct gn_metrics_dir *dir = gn_region_at(v->plane, GN_SECTION_METRICS_DIR);
    uint32_t count = atomic_load_explicit(&dir->count, memory_order_acquire);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count && i < GN_METRICS_DIR_MAX; i++) {
        const struct gn_metric_row *r = &dir->row[i];
        if (r->offset > v->plane->mapped - sizeof(uint64_t) || r->offset % sizeof(uint64_t) != 0)
            continue; /* written by another process: never followed outside the file */
        json_t *o = json_object();
        char name[sizeof r->name], help[sizeof r->help];
        snprintf(name, sizeof name, "%.*s", (int)sizeof r->name - 1, r->name);
        snprintf(help, sizeof help, "%.*s", (int)sizeof r->help - 1, r->help);
        put_str(o, "name", name);
        put_str(o, "help", help);
        if (r->lcore != GN_NONE32)
            put_int(o, "lcore", r->lcore);
        put_u64(o, "value", *(const uint64_t *)(const void *)((const uint8_t *)v->plane->hdr + r->offset));
        json_array_append_new(list, o);
    }
    gn_view_journal_metrics(v, list);
    return list;
}
