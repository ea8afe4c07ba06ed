/* What reconciliation says, in the words of operations: the breaks of both tables of dataplane/abi/recon.h, classified,
 * and the account's own sums: positions against the fills that are kept, and fees. A report that is older than
 * GN_RECONCILE_STALE_NS is an alert: nobody may trust what nobody compared.
 */
#ifndef GN_RECONCILE_REPORT_H
#define GN_RECONCILE_REPORT_H

#include "dataplane/abi/recon.h"

#define GN_RECONCILE_STALE_NS  600000000000ull /* ten minutes: requirement 6.4 */
#define GN_RECONCILE_PERIOD_NS 10000000000ull  /* between two looks of our own */

/* X(number, NAME, "name") */
#define GN_BREAK_KINDS(X)                \
    X(0, OTHER, "other")                 \
    X(1, MISSING_HERE, "missing here")   \
    X(2, MISSING_THERE, "missing there") \
    X(3, QUANTITY, "quantity")           \
    X(4, PRICE, "price")                 \
    X(5, FEE, "fee")                     \
    X(6, LATE, "late")

enum gn_break_kind {
#define GN_X(num, NAME, name) GN_KIND_##NAME = num,
    GN_BREAK_KINDS(GN_X)
#undef GN_X
        GN_KIND_COUNT,
};

/* gn_break_kind: of an enum gn_break_class. */
uint32_t gn_break_kind(uint32_t break_class);
const char *gn_break_kind_name(uint32_t kind);

/* Result of one look at the account. */
struct gn_reconcile {
    uint64_t looked_ns; /* 0 = never */
    uint64_t asked_ns;  /* the venue's last answer to a query of ours */
    uint32_t open[GN_KIND_COUNT];
    uint32_t open_total, worst; /* worst: lowest severity number of an open break, 0 = none */
    uint64_t fills;             /* compared with positions; 0: the table has lost some */
    uint32_t positions_differ;  /* instruments whose fills do not add up to their position */
    int64_t fees;               /* of the fills that are kept, 1/100 of a price mantissa */
    bool partial;               /* older fills are not kept any more: positions were not compared */
    bool said_stale;
    uint32_t said_open; /* breaks that were alerted */
};

struct gn_appliance;

/* gn_reconcile_look: compares now. */
void gn_reconcile_look(struct gn_appliance *a, uint64_t now_ns);

/* gn_reconcile_poll: looks every GN_RECONCILE_PERIOD_NS; alerts on new breaks and on a report that is stale. */
void gn_reconcile_poll(struct gn_appliance *a, uint64_t now_ns);

#endif
