/* Snapshots of the rebuilt state, and its comparison with the region. */
#include <inttypes.h>
#include <stdlib.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/state_impl.h"
#include "dataplane/abi/control.h"

struct snapshot {
    uint64_t magic;
    uint32_t version;
    uint32_t crc; /* CRC32C of this header with the field 0, then of all that follows */
    uint32_t orders, positions, limits, pad;
    uint64_t records, next_seq, unknown, position_errors, rings_id, segment;
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX];
    uint64_t venue_seq[GN_SESSIONS_MAX];
};

static uint32_t crc_of(const struct gn_jstate *s, struct snapshot h)
{
    h.crc = 0;
    uint32_t crc = gn_crc32c(0, &h, sizeof h);
    crc = gn_crc32c(crc, s->order, s->orders * sizeof *s->order);
    crc = gn_crc32c(crc, s->position, s->positions * sizeof *s->position);
    return gn_crc32c(crc, s->limit, s->limits * sizeof *s->limit);
}

static bool put(FILE *out, const void *data, size_t size, size_t n)
{
    return n == 0 || fwrite(data, size, n, out) == n;
}

bool gn_jstate_save(const struct gn_jstate *s, FILE *out)
{
    struct snapshot h = {
        .magic = GN_JSTATE_MAGIC,
        .version = GN_JSTATE_VERSION,
        .orders = s->orders,
        .positions = s->positions,
        .limits = s->limits,
        .records = s->records,
        .next_seq = s->next_seq,
        .unknown = s->unknown,
        .position_errors = s->position_errors,
        .rings_id = s->rings_id,
        .segment = s->segment,
    };
    memcpy(h.last_seq, s->last_seq, sizeof h.last_seq);
    memcpy(h.venue_seq, s->venue_seq, sizeof h.venue_seq);
    h.crc = crc_of(s, h);
    return put(out, &h, sizeof h, 1) && put(out, s->order, sizeof *s->order, s->orders) &&
           put(out, s->position, sizeof *s->position, s->positions) &&
           put(out, s->limit, sizeof *s->limit, s->limits) && fflush(out) == 0;
}

static bool get_orders(struct gn_jstate *s, uint32_t n, FILE *in)
{
    struct gn_jstate_order o;
    for (uint32_t i = 0; i < n; i++) {
        if (fread(&o, sizeof o, 1, in) != 1 || o.id == 0 || o.instrument >= GN_INSTRUMENTS_MAX ||
            gn_jstate_position_room(s, o.instrument) == NULL || gn_jstate_add(s, &o) == NULL)
            return false;
    }
    return s->orders == n;
}

static bool get_rest(struct gn_jstate *s, const struct snapshot *h, FILE *in)
{
    struct gn_jstate_limit l;
    if (h->positions > GN_INSTRUMENTS_MAX + 64 || h->positions < s->positions)
        return false;
    if (h->positions != 0 && gn_jstate_position_room(s, h->positions - 1) == NULL)
        return false;
    if (s->positions != h->positions ||
        (h->positions != 0 && fread(s->position, sizeof *s->position, h->positions, in) != h->positions))
        return false;
    for (uint32_t i = 0; i < h->limits; i++)
        if (fread(&l, sizeof l, 1, in) != 1 || !gn_jstate_set_limit(s, l.instrument, l.field, l.value))
            return false;
    return s->limits == h->limits;
}

bool gn_jstate_load(struct gn_jstate *s, FILE *in)
{
    struct snapshot h;
    gn_jstate_clear(s);
    if (fread(&h, sizeof h, 1, in) != 1 || h.magic != GN_JSTATE_MAGIC || h.version != GN_JSTATE_VERSION)
        return false;
    s->records = h.records;
    s->next_seq = h.next_seq;
    s->unknown = h.unknown;
    s->position_errors = h.position_errors;
    s->rings_id = h.rings_id;
    s->segment = h.segment;
    memcpy(s->last_seq, h.last_seq, sizeof s->last_seq);
    memcpy(s->venue_seq, h.venue_seq, sizeof s->venue_seq);
    if (get_orders(s, h.orders, in) && get_rest(s, &h, in) && h.crc == crc_of(s, h))
        return true;
    gn_jstate_clear(s);
    return false;
}

/* ---- comparison ---- */

struct compare {
    FILE *out;
    uint64_t differences;
};

static void differ(struct compare *c, const char *what, uint64_t index, const char *field, int64_t journal,
                   int64_t region)
{
    c->differences++;
    if (c->out != NULL)
        (void)fprintf(c->out, "%s %" PRIx64 " %s: journal %" PRId64 ", region %" PRId64 "\n", what, index, field,
                      journal, region);
}

#define SAME(c, what, index, field, a, b)                                      \
    do {                                                                       \
        if ((a) != (b))                                                        \
            differ((c), (what), (index), (field), (int64_t)(a), (int64_t)(b)); \
    } while (0)

static void compare_position(struct compare *c, uint32_t i, const struct gn_position *a, const struct gn_position *b)
{
    SAME(c, "position", i, "qty", a->qty, b->qty);
    SAME(c, "position", i, "bought", a->bought, b->bought);
    SAME(c, "position", i, "sold", a->sold, b->sold);
    SAME(c, "position", i, "buy_value", a->buy_value, b->buy_value);
    SAME(c, "position", i, "sell_value", a->sell_value, b->sell_value);
    SAME(c, "position", i, "fills", a->fills, b->fills);
    SAME(c, "position", i, "open_buy", a->open_buy, b->open_buy);
    SAME(c, "position", i, "open_sell", a->open_sell, b->open_sell);
    SAME(c, "position", i, "open_orders", a->open_orders, b->open_orders);
    SAME(c, "position", i, "sent", a->sent, b->sent);
    SAME(c, "position", i, "accepted", a->accepted, b->accepted);
    SAME(c, "position", i, "canceled", a->canceled, b->canceled);
    SAME(c, "position", i, "rejected", a->rejected, b->rejected);
}

static uint8_t class_of(uint8_t state)
{
    return state == GN_ORDER_PENDING_CANCEL || state == GN_ORDER_PENDING_REPLACE || state == GN_ORDER_PENDING_NEW
               ? GN_ORDER_LIVE
               : state;
}

static void compare_order(struct compare *c, const struct gn_jstate *s, const struct gn_order *b)
{
    const struct gn_jstate_order *a = gn_jstate_order(s, b->id);
    if (a == NULL) {
        differ(c, "order", b->id, "is unknown to the journal", 0, b->state);
        return;
    }
    SAME(c, "order", b->id, "state", class_of(a->state), class_of(b->state));
    SAME(c, "order", b->id, "user_ref", a->user_ref, b->user_ref);
    SAME(c, "order", b->id, "instrument", a->instrument, b->instrument);
    SAME(c, "order", b->id, "side", a->side, b->side);
    SAME(c, "order", b->id, "session", a->session, b->session);
    SAME(c, "order", b->id, "strategy", a->strategy, b->strategy);
    SAME(c, "order", b->id, "price", a->price, b->price);
    SAME(c, "order", b->id, "qty", a->qty, b->qty);
    SAME(c, "order", b->id, "leaves", a->leaves, b->leaves);
    SAME(c, "order", b->id, "cum", a->cum, b->cum);
    SAME(c, "order", b->id, "reserved", a->reserved, b->reserved);
}

/* Row of a theme, strategy, account or venue; GN_NONE32 for what is none of them, or not there. */
static uint32_t scope_row(uint32_t scope, uint32_t index)
{
    switch (scope) {
    case GN_SCOPE_THEME:
        return index < GN_THEMES_MAX ? GN_ROW_THEME + index : GN_NONE32;
    case GN_SCOPE_STRATEGY:
        return index < GN_STRATEGIES_MAX ? GN_ROW_STRATEGY + index : GN_NONE32;
    case GN_SCOPE_ACCOUNT:
        return index < GN_ACCOUNTS_MAX ? GN_ROW_ACCOUNT + index : GN_NONE32;
    case GN_SCOPE_VENUE:
        return index < GN_VENUES_MAX ? GN_ROW_VENUE + index : GN_NONE32;
    default:
        return GN_NONE32;
    }
}

static void compare_limits(struct compare *c, const struct gn_jstate *s, struct gn_limits *l)
{
    const uint64_t g = gn_limits_current(l);
    for (uint32_t i = 0; i < s->limits; i++) {
        const struct gn_jstate_limit *k = &s->limit[i];
        const int64_t *row = NULL;
        uint32_t first = scope_row(k->field >> 16, k->instrument);
        if (first != GN_NONE32 && (k->field & 0xffff) < GN_SCOPE_LIMIT_COUNT)
            row = &gn_limits_scope_row(l, g, first)->max_open_orders;
        else if (k->instrument == GN_NONE32 && k->field < GN_SCOPE_LIMIT_COUNT)
            row = &gn_limits_firm_row(l, g)->max_open_orders;
        else if (k->instrument < l->rows && k->field < GN_INSTRUMENT_LIMIT_COUNT)
            row = &gn_limits_row(l, g, k->instrument)->tradable;
        if (row == NULL)
            differ(c, "limit", k->instrument, "is unknown to the region", k->value, 0);
        else
            SAME(c, "limit", k->instrument, "value", k->value, row[k->field & 0xffff]);
    }
}

uint64_t gn_jstate_compare(const struct gn_jstate *s, const struct gn_order_table *orders,
                           const struct gn_position *positions, uint32_t instruments, struct gn_limits *limits,
                           FILE *out)
{
    struct compare c = {.out = out};
    struct gn_jstate_totals t;
    gn_jstate_totals(s, &t);
    for (uint32_t i = 0; i < instruments || i < s->positions; i++) {
        static const struct gn_position nothing;
        compare_position(&c, i, gn_jstate_position(s, i), i < instruments ? &positions[i] : &nothing);
    }
    for (uint32_t i = 0; i < orders->capacity; i++)
        if (orders->order[i].state != GN_ORDER_FREE)
            compare_order(&c, s, &orders->order[i]);
    SAME(&c, "orders", 0, "working", t.working, orders->open);
    /* after a reconnect the venue may have moved the mark of the region forward, never back */
    if (t.next_seq > orders->next_seq)
        differ(&c, "orders", 0, "id high-water mark", (int64_t)t.next_seq, (int64_t)orders->next_seq);
    if (t.position_errors != 0)
        differ(&c, "reports", 0, "with another position", (int64_t)t.position_errors, 0);
    if (limits != NULL)
        compare_limits(&c, s, limits);
    return c.differences;
}
