/* Live client orders: a fixed pool, found by (session, UserRefNum), listed per instrument and side by price and time,
 * and per session.
 */
#ifndef GN_SIM_MATCH_ORDERS_H
#define GN_SIM_MATCH_ORDERS_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"

struct gn_match_order {
    uint64_t price, order_ref;
    uint32_t user_ref, session;
    uint32_t instrument;
    uint32_t leaves, cum; /* cum: executed over the order and those it replaced */
    uint32_t prev, next;  /* of the instrument's side, better first; GN_NONE32 ends */
    uint32_t session_prev, session_next;
    char clordid[14];
    uint8_t side; /* enum gn_side */
    char wire_side, tif, display, capacity, iso, cross;
    uint8_t live;
};

struct gn_match_list {
    uint32_t first, last;
};

struct gn_match_orders {
    struct gn_match_order *pool;
    uint32_t *slots; /* open addressing: pool index + 1, 0 = empty */
    uint32_t mask;
    uint32_t max, live;
    uint32_t free_first;              /* chained by next */
    struct gn_match_list (*lists)[2]; /* by instrument and side */
    uint32_t instruments;
    uint32_t sessions;
    uint32_t *session_first, *session_live;
};

/* gn_match_orders_init: false without memory. */
bool gn_match_orders_init(struct gn_match_orders *t, uint32_t max, uint32_t instruments,
                          uint32_t sessions) GN_MUST_CHECK;
void gn_match_orders_free(struct gn_match_orders *t);

struct gn_match_order *gn_match_orders_find(const struct gn_match_orders *t, uint32_t session, uint32_t user_ref);

/* gn_match_orders_add: a copy of *order, in no price list yet; NULL when the pool is empty. The pair of session and
 * UserRefNum must not be live. */
struct gn_match_order *gn_match_orders_add(struct gn_match_orders *t, const struct gn_match_order *order);

/* gn_match_orders_rest: puts it into its side's list, behind all that are better or equal. */
void gn_match_orders_rest(struct gn_match_orders *t, struct gn_match_order *o);

/* gn_match_orders_unrest: takes it out of the list; harmless when it is in none. */
void gn_match_orders_unrest(struct gn_match_orders *t, struct gn_match_order *o);

/* gn_match_orders_remove: the order is dead; its memory stays readable until the next _add. */
void gn_match_orders_remove(struct gn_match_orders *t, struct gn_match_order *o);

static inline struct gn_match_order *gn_match_orders_at(const struct gn_match_orders *t, uint32_t index)
{
    return index == GN_NONE32 ? NULL : &t->pool[index];
}

#endif
