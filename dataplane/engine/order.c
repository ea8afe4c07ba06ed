#include "dataplane/engine/order.h"

#define NO GN_ORDER_STATE_COUNT
#define PN GN_ORDER_PENDING_NEW
#define LV GN_ORDER_LIVE
#define PC GN_ORDER_PENDING_CANCEL
#define PR GN_ORDER_PENDING_REPLACE
#define ID GN_ORDER_IN_DOUBT
#define FI GN_ORDER_FILLED
#define CA GN_ORDER_CANCELED
#define RJ GN_ORDER_REJECTED
#define RP GN_ORDER_REPLACED

static const uint8_t transitions[GN_ORDER_STATE_COUNT][GN_ORDER_EV_COUNT] = {
#define GN_X(STATE, ...) [GN_ORDER_##STATE] = {__VA_ARGS__},
    GN_ORDER_TRANSITIONS(GN_X)
#undef GN_X
};

#define COUNT_ROW(STATE, ...) \
    static_assert(sizeof((uint8_t[]){__VA_ARGS__}) == GN_ORDER_EV_COUNT, "a column for each event");
GN_ORDER_TRANSITIONS(COUNT_ROW)
#undef COUNT_ROW

#define PEEK_TRIES 256u /* long-lived orders in the way that are skipped before the table counts as full */

const char *gn_order_event_name(uint32_t event)
{
    static const char *const names[] = {
#define GN_X(NAME, name, help) name,
        GN_ORDER_EVENTS(GN_X)
#undef GN_X
    };
    return event < GN_ARRAY_LEN(names) ? names[event] : "unknown";
}

uint32_t gn_order_next_state(uint32_t state, uint32_t event)
{
    if (state >= GN_ORDER_STATE_COUNT || event >= GN_ORDER_EV_COUNT)
        return GN_ORDER_STATE_COUNT;
    return transitions[state][event];
}

void gn_orders_new(struct gn_order_table *t, uint32_t capacity)
{
    t->capacity = capacity;
    t->open = 0;
    t->next_seq = 1;
    t->list_head = GN_NONE32;
}

/* Price x quantity that the order reserves, kept where a sum of many is exact. A replacement that is on its way counts
 * whole, beside the order that it replaces: its price may be higher. */
static int64_t value_of(const struct gn_order *o)
{
    const gn_i128 most = (gn_i128)1 << 56;
    bool whole = o->prev_ref != 0 && o->state == GN_ORDER_PENDING_NEW;
    gn_i128 v = (gn_i128)o->price * (whole ? o->qty : o->reserved);
    return (int64_t)(v > most ? most : v < -most ? -most : v);
}

static void link_own(struct gn_order_table *t, struct gn_order *o, struct gn_position *p)
{
    uint32_t slot = (uint32_t)(o - t->order);
    o->own_prev = 0;
    o->own_next = p->own;
    if (p->own != 0)
        t->order[p->own - 1].own_prev = slot + 1;
    p->own = slot + 1;
}

static void unlink_own(struct gn_order_table *t, struct gn_order *o, struct gn_position *p)
{
    if (o->own_prev != 0)
        t->order[o->own_prev - 1].own_next = o->own_next;
    else
        p->own = o->own_next;
    if (o->own_next != 0)
        t->order[o->own_next - 1].own_prev = o->own_prev;
}

/* The best own prices: bounds, which hold until nothing works on the side. */
static void note_price(struct gn_position *p, const struct gn_order *o)
{
    if (o->side == GN_SIDE_BUY)
        p->best_buy = p->open_buy == 0 ? o->price : gn_max_i64(p->best_buy, o->price);
    else
        p->best_sell = p->open_sell == 0 ? o->price : gn_min_i64(p->best_sell, o->price);
}

/* Everything that an order adds to its position while it works. */
static void hold(struct gn_order_table *t, struct gn_order *o, struct gn_position *p)
{
    link_own(t, o, p);
    note_price(p, o);
    p->open_orders++;
    p->open_value += value_of(o);
    *(o->side == GN_SIDE_BUY ? &p->open_buy : &p->open_sell) += o->reserved;
}

static void link_order(struct gn_order_table *t, struct gn_order *o)
{
    uint32_t slot = (uint32_t)(o - t->order);
    o->list_prev = GN_NONE32;
    o->list_next = t->list_head;
    if (t->list_head != GN_NONE32)
        t->order[t->list_head].list_prev = slot;
    t->list_head = slot;
    t->open++;
}

static void unlink_order(struct gn_order_table *t, struct gn_order *o)
{
    if (o->list_prev != GN_NONE32)
        t->order[o->list_prev].list_next = o->list_next;
    else
        t->list_head = o->list_next;
    if (o->list_next != GN_NONE32)
        t->order[o->list_next].list_prev = o->list_prev;
    t->open--;
}

void gn_orders_join(struct gn_order_table *t, struct gn_position *positions, uint32_t max_instruments)
{
    for (uint32_t i = 0; i < max_instruments; i++) {
        positions[i].open_buy = positions[i].open_sell = 0;
        positions[i].open_orders = positions[i].own = 0;
        positions[i].open_value = 0;
    }
    t->open = 0;
    t->list_head = GN_NONE32;
    for (uint32_t i = 0; i < t->capacity; i++) {
        struct gn_order *o = &t->order[i];
        if (!gn_order_working(o->state)) {
            o->reserved = 0; /* a death between the last state and the release: a late fill must release nothing */
            continue;
        }
        if (o->instrument >= max_instruments)
            continue;
        link_order(t, o);
        hold(t, o, &positions[o->instrument]);
        if ((o->id & 0xffffffffffull) >= t->next_seq)
            t->next_seq = (o->id & 0xffffffffffull) + 1;
    }
}

struct gn_order *gn_order_peek_on(struct gn_order_table *t, uint64_t *seq)
{
    uint64_t next = t->next_seq;
    for (uint32_t i = 0; i < PEEK_TRIES && i < t->capacity; i++, next++) {
        struct gn_order *o = &t->order[next & (t->capacity - 1)];
        /* user reference 0 means "none", so the sequence steps over multiples of 2^32 */
        if (!gn_order_working(o->state) && (uint32_t)next != 0) {
            *seq = next;
            return o;
        }
    }
    return NULL;
}

void gn_order_open(struct gn_order_table *t, struct gn_order *o, uint64_t seq, struct gn_position *p, int64_t reserve)
{
    t->next_seq = seq + 1;
    o->reserved = reserve;
    o->state = GN_ORDER_PENDING_NEW;
    link_order(t, o);
    hold(t, o, p);
}

struct gn_order *gn_order_by_id(struct gn_order_table *t, uint64_t id)
{
    struct gn_order *o = &t->order[id & (t->capacity - 1)];
    return o->id == id && o->state != GN_ORDER_FREE ? o : NULL;
}

void gn_order_set_reserve(struct gn_order *o, struct gn_position *p, int64_t qty)
{
    *(o->side == GN_SIDE_BUY ? &p->open_buy : &p->open_sell) += qty - o->reserved;
    p->open_value -= value_of(o);
    o->reserved = qty;
    p->open_value += value_of(o);
}

void gn_order_reprice(struct gn_order *o, struct gn_position *p, int64_t price)
{
    p->open_value -= value_of(o);
    o->price = price;
    note_price(p, o);
    p->open_value += value_of(o);
}

void gn_order_restate(struct gn_order *o, struct gn_position *p, int64_t qty, int64_t price)
{
    p->open_value -= value_of(o);
    *(o->side == GN_SIDE_BUY ? &p->open_buy : &p->open_sell) += qty - o->reserved;
    o->qty = o->leaves = o->reserved = qty;
    o->price = price;
    note_price(p, o);
    p->open_value += value_of(o);
}

void gn_order_unreserve(struct gn_order *o, struct gn_position *p, int64_t qty)
{
    gn_order_set_reserve(o, p, o->reserved - gn_min_i64(qty, o->reserved));
}

bool gn_order_event(struct gn_order_table *t, struct gn_order *o, uint32_t event, struct gn_position *p)
{
    uint32_t next = gn_order_next_state(o->state, event);
    if (next == GN_ORDER_STATE_COUNT) {
        t->illegal++;
        return false;
    }
    bool was_working = gn_order_working(o->state);
    if (was_working)
        p->open_value -= value_of(o);
    o->state = (uint8_t)next;
    if (was_working)
        p->open_value += value_of(o);
    if (was_working && !gn_order_working((uint8_t)next)) {
        unlink_order(t, o);
        unlink_own(t, o, p);
        gn_order_set_reserve(o, p, 0);
        p->open_orders--;
    }
    return true;
}

/* What the open position cost at its average price: more of it adds its value, less of it takes away its share, and
 * what turns it starts anew. */
static void book_cost(struct gn_position *p, int64_t signed_qty, int64_t price)
{
    int64_t was = p->qty;
    if (was == 0 || (was > 0) == (signed_qty > 0)) {
        p->cost += (gn_i128)price * signed_qty;
        return;
    }
    int64_t left = was + signed_qty;
    if (left == 0)
        p->cost = 0;
    else if ((left > 0) == (was > 0))
        p->cost += p->cost * signed_qty / was;
    else
        p->cost = (gn_i128)price * left;
}

void gn_position_trade(struct gn_position *p, uint8_t side, int64_t qty, int64_t price, int64_t fee)
{
    gn_i128 value = (gn_i128)price * qty;
    book_cost(p, side == GN_SIDE_BUY ? qty : -qty, price);
    if (side == GN_SIDE_BUY) {
        p->qty += qty;
        p->bought += qty;
        p->buy_value += value;
    } else {
        p->qty -= qty;
        p->sold += qty;
        p->sell_value += value;
    }
    p->fees += fee;
}

void gn_order_fill(struct gn_order *o, struct gn_position *p, int64_t qty, int64_t price)
{
    gn_position_trade(p, o->side, qty, price, 0);
    p->fills++;
    o->cum += qty;
    o->chain_cum += qty;
    o->leaves -= gn_min_i64(qty, o->leaves);
    gn_order_unreserve(o, p, qty);
}

void gn_order_set_aside(struct gn_order_table *t, struct gn_order *o, struct gn_position *p)
{
    *(o->side == GN_SIDE_BUY ? &p->open_buy : &p->open_sell) -= o->reserved;
    p->open_value -= value_of(o);
    p->open_orders--;
    unlink_own(t, o, p);
    t->open--;
}

void gn_order_put_back(struct gn_order_table *t, struct gn_order *o, struct gn_position *p)
{
    hold(t, o, p);
    t->open++;
}
