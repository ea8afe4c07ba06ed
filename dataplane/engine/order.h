/* Own orders and positions: the table of the orders lcore, what may happen to an order in which state, and the
 * worst-case reservation that each working order holds in its instrument's position.
 *
 *      PENDING_NEW --accept--> LIVE --fill/cancel--> FILLED, CANCELED
 *           |                   |  \--cancel sent--> PENDING_CANCEL
 *         reject                |   \-replace sent-> PENDING_REPLACE --replaced--> REPLACED
 *           v              session lost (any working state)
 *        REJECTED               v
 *           ^----proven dead-- IN_DOUBT --proven live--> LIVE
 *
 * The full table is in transitions.h: every state x every event; a pair it forbids is counted, the caller raises an
 * alarm (gn_orders_move), the order stays as it is, and quantities that the venue reported (fills) are booked all the
 * same.
 */
#ifndef GN_ENGINE_ORDER_H
#define GN_ENGINE_ORDER_H

#include "dataplane/abi/names.h"
#include "dataplane/abi/orders.h"
#include "dataplane/engine/transitions.h"

enum gn_order_event {
#define GN_X(NAME, name, help) GN_ORDER_EV_##NAME,
    GN_ORDER_EVENTS(GN_X)
#undef GN_X
        GN_ORDER_EV_COUNT
};

const char *gn_order_event_name(uint32_t event);

/* gn_order_next_state: what the table says, or GN_ORDER_STATE_COUNT when the pair is forbidden. */
uint32_t gn_order_next_state(uint32_t state, uint32_t event);

/* gn_orders_new: an empty table for capacity (power of two) orders; memory of gn_orders_footprint bytes, zeroed. */
void gn_orders_new(struct gn_order_table *t, uint32_t capacity);

/* gn_orders_join: after a restart: rebuilds the list of working orders, the reservations and the open-order counts of
 * positions from the orders themselves, so that a death between two stores leaves nothing wrong. */
void gn_orders_join(struct gn_order_table *t, struct gn_position *positions, uint32_t max_instruments);

/* gn_order_peek: the slot that the next order will take, its sequence in *seq; NULL when the table is full. Nothing is
 * changed: an order that is not sent after all uses up no id. */
struct gn_order *gn_order_peek_on(struct gn_order_table *t, uint64_t *seq); /* the same, past slots in use */
static inline struct gn_order *gn_order_peek(struct gn_order_table *t, uint64_t *seq)
{
    struct gn_order *o = &t->order[t->next_seq & (t->capacity - 1)];
    *seq = t->next_seq;
    return GN_LIKELY(!gn_order_working(o->state) && (uint32_t)t->next_seq != 0) ? o : gn_order_peek_on(t, seq);
}

/* gn_order_open: makes the peeked slot a working order (state PENDING_NEW, linked, reserving `reserve`). The caller has
 * filled all other fields. */
void gn_order_open(struct gn_order_table *t, struct gn_order *o, uint64_t seq, struct gn_position *p, int64_t reserve);

/* gn_order_find: the order with this user reference; NULL when it was never there or its slot was taken again. */
static inline struct gn_order *gn_order_find(struct gn_order_table *t, uint32_t user_ref)
{
    struct gn_order *o = &t->order[user_ref & (t->capacity - 1)];
    return o->user_ref == user_ref && o->state != GN_ORDER_FREE ? o : NULL;
}

/* gn_order_by_id: same, by order id. */
struct gn_order *gn_order_by_id(struct gn_order_table *t, uint64_t id);

/* gn_order_event: moves the order by the table; an order that stops working is unlinked and its reservation released.
 * Returns false, and counts, when the pair is forbidden. */
bool gn_order_event(struct gn_order_table *t, struct gn_order *o, uint32_t event, struct gn_position *p);

/* gn_order_fill: qty at price was traded: position, value and reservation move, whatever state the order is in. */
void gn_order_fill(struct gn_order *o, struct gn_position *p, int64_t qty, int64_t price);

/* gn_position_trade: qty shares at price, of that side, join the position; negative qty: a trade is taken back. fee is
 * in 1/100 of a price mantissa, with the sign of qty. Orders are left alone: shares that were executed stay executed.
 */
void gn_position_trade(struct gn_position *p, uint8_t side, int64_t qty, int64_t price, int64_t fee);

/* gn_order_unreserve: qty of the order's reservation is given back. */
void gn_order_unreserve(struct gn_order *o, struct gn_position *p, int64_t qty);

/* gn_order_set_aside, gn_order_put_back: takes a working order out of what limits count, and back again: so that it can
 * be checked as if it came now. Nothing else may happen in between. */
void gn_order_set_aside(struct gn_order_table *t, struct gn_order *o, struct gn_position *p);
void gn_order_put_back(struct gn_order_table *t, struct gn_order *o, struct gn_position *p);
/* gn_order_restate: a working order now has this quantity, all of it open and reserved, at this price. */
void gn_order_restate(struct gn_order *o, struct gn_position *p, int64_t qty, int64_t price);

/* gn_order_reprice: the order's price changes, and with it the value that it reserves. */
void gn_order_reprice(struct gn_order *o, struct gn_position *p, int64_t price);

/* gn_order_set_reserve: the order now reserves exactly qty. */
void gn_order_set_reserve(struct gn_order *o, struct gn_position *p, int64_t qty);

#endif
