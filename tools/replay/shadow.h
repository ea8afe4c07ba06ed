/* Shadow comparison: the orders that the journaled run sent against those that a backtest under another configuration
 * sends on the same market data. A decision is a new order, replacement, modification or cancel that passed the gate;
 * intents of clients are left out of both, as a backtest has none.
 *
 * Pairs are made in three rounds, each in the order of time, within one instrument and action: equal in side, price and
 * quantity and within the tolerance; equal, but within ten times the tolerance; within the tolerance, but different.
 * What is left is missing (journal only) or extra (backtest only).
 */
#ifndef GN_REPLAY_SHADOW_H
#define GN_REPLAY_SHADOW_H

#include "dataplane/abi/event.h"

struct gn_shadow;

struct gn_shadow_opts {
    uint64_t tolerance_ns;
    uint64_t min_decisions; /* of the journaled run, and of the other one: fewer prove nothing */
};

struct gn_shadow_result {
    uint64_t journaled, other; /* decisions */
    uint64_t same, other_time, other_side, other_price, other_qty, missing, extra;
    uint64_t first_ns;  /* of the first difference, 0 = none */
    const char *cannot; /* why nothing can be said: not enough data; NULL = enough */
};

/* gn_shadow_new: NULL without memory. */
struct gn_shadow *gn_shadow_new(const struct gn_shadow_opts *opts);
void gn_shadow_free(struct gn_shadow *s);

/* gn_shadow_add: an order record; of the journal, or of the other run. False without memory. Those that the gate
 * refused are passed over. */
bool gn_shadow_add(struct gn_shadow *s, bool journal, uint64_t time_ns, const struct gn_ev_order *o) GN_MUST_CHECK;

/* gn_shadow_compare: market: trades and quotes that the other run saw; 0 is no data. */
void gn_shadow_compare(struct gn_shadow *s, uint64_t market, struct gn_shadow_result *out);

#endif
