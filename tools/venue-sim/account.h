/* The venue's own account of the orders it was sent: what the appliance's positions, cash and counts are compared with.
 * Prices are 1/10000, notional and cash 1/10000 of the currency, kept in 128 bits.
 */
#ifndef GN_SIM_ACCOUNT_H
#define GN_SIM_ACCOUNT_H

#include <jansson.h>

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"

/* X(member, "help"): counters of one instrument. */
#define GN_ACCOUNT_COUNTS(X)                                           \
    X(entered, "orders and replacements that reached the matching")    \
    X(accepted, "orders accepted")                                     \
    X(rejected, "orders and replacements rejected")                    \
    X(replaced, "orders replaced")                                     \
    X(modified, "orders modified")                                     \
    X(canceled, "orders that ended by a cancel, whoever asked for it") \
    X(canceled_qty, "shares taken off by cancels")                     \
    X(executions, "executions, broken ones included")                  \
    X(filled, "orders that ended filled")                              \
    X(broken, "executions broken afterwards")                          \
    X(bought, "shares bought, broken ones not counted")                \
    X(sold, "shares sold, broken ones not counted")                    \
    X(open_orders, "orders resting now")                               \
    X(open_buy, "shares of resting buy orders")                        \
    X(open_sell, "shares of resting sell orders")

struct gn_account_row {
#define GN_X(member, help) uint64_t member;
    GN_ACCOUNT_COUNTS(GN_X)
#undef GN_X
    int64_t position;
    gn_i128 buy_notional, sell_notional;
};

struct gn_account {
    uint32_t n;
    struct gn_account_row *rows; /* by instrument of the reference books */
    struct gn_account_row total; /* counters only; rejects of unknown symbols are here alone */
};

/* gn_account_init: rows for n instruments; false without memory. */
bool gn_account_init(struct gn_account *a, uint32_t n) GN_MUST_CHECK;
void gn_account_free(struct gn_account *a);

/* gn_account_fill: an execution of qty at price on that side (undo: it is broken). */
void gn_account_fill(struct gn_account *a, uint32_t instrument, uint32_t side, uint32_t qty, uint64_t price, bool undo);

/* gn_account_cash: sell notional - buy notional. */
static inline gn_i128 gn_account_cash(const struct gn_account_row *r)
{
    return r->sell_notional - r->buy_notional;
}

/* gn_account_json: {"total": {...}, "instruments": [{"symbol": ..., counters, "position", "cash", ...}, ...]} with the
 * instruments that had an order; symbol_of gives the 8 letters of an instrument. An amount past 64 bits is a string.
 * NULL without memory. */
json_t *gn_account_json(const struct gn_account *a, const char *(*symbol_of)(uint32_t instrument, void *arg),
                        void *arg);

#endif
