/* Flatten: closes positions of a scope, by reduce-only orders that fill at once or not at all (IOC), inside the collar,
 * through the same gate as every other order.
 *
 *      IDLE --begin--> STOPPING --nothing works in scope--> CLOSING --all zero, or tries used up--> ASKING --> ENDED
 *
 * begin raises the scope to killed, so that nobody opens anew what is closed here (with journal.mode sync to
 * reduce_only: an order that waits for the journal is looked at again by the ladder). The gate's exception for these
 * orders is one: the ladder counts as reduce-only for them. Everything else holds: a stale or guarded market, a session
 * that is not up, a silent control plane, a failed journal, every limit. A kill of whatever scope that comes after
 * begin makes the authority void: it ends.
 */
#ifndef GN_FLATTEN_H
#define GN_FLATTEN_H

#include "controlplane/command/command.h"
#include "dataplane/abi/limits.h"
#include "dataplane/abi/market.h"
#include "dataplane/abi/orders.h"

#define GN_FLATTEN_TRIES 20u  /* orders for one instrument that closed nothing */
#define GN_FLATTEN_ROWS  256u /* instruments with a position at the start; further ones are refused at begin */
#define GN_FLATTEN_WHY   64u

enum gn_flatten_state {
    GN_FLATTEN_IDLE = 0,
    GN_FLATTEN_STOPPING = 1,
    GN_FLATTEN_CLOSING = 2,
    GN_FLATTEN_ASKING = 3,
    GN_FLATTEN_ENDED = 4,
};

struct gn_flatten_row {
    uint32_t instrument;
    uint32_t tries, orders;
    int64_t before, now; /* position */
    struct gn_ticket ticket;
    uint64_t next_ns;         /* no order before */
    char why[GN_FLATTEN_WHY]; /* what stays, stays because */
};

struct gn_flatten {
    uint32_t state; /* enum gn_flatten_state */
    uint32_t scope, index;
    char who[32];
    uint64_t begun_ns, stopped_ns, ended_ns;
    uint64_t word;  /* kill word of scope all under the authority */
    uint64_t moves; /* of all kill words so far, under the authority */
    struct gn_ticket query;
    uint32_t n, stays;
    char why[GN_FLATTEN_WHY]; /* it ended before its time because */
    struct gn_flatten_row row[GN_FLATTEN_ROWS];
};

struct gn_appliance;

/* gn_flatten_begin: raises the scope and starts; false with a sentence in err. */
bool gn_flatten_begin(struct gn_appliance *a, uint32_t scope, uint32_t index, const char *who, const char *why,
                      char *err, size_t err_bytes) GN_MUST_CHECK;

/* gn_flatten_poll: one step. */
void gn_flatten_poll(struct gn_appliance *a, uint64_t now_ns);

const char *gn_flatten_name(uint32_t state);

/* What one order would be. */
struct gn_flatten_order {
    int64_t side, qty, price;
};

/* gn_flatten_plan: the order that closes most of `position` at once: quantity within the limits, price as far inside
 * the collar as 9/10 of it, on the tick. NULL when there is one; else why there is none. */
const char *gn_flatten_plan(int64_t position, const struct gn_limits_instrument *l, const struct gn_tob *tob,
                            int64_t tick, int64_t lot, struct gn_flatten_order *out);

#endif
