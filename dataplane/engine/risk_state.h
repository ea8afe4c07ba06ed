/* The aggregates behind the gate: what every instrument adds to its scopes, kept by differences; thresholds of a
 * generation of limits; short-period sums; message budgets; profit and loss, and what a breach of its limits raises.
 *
 * An instrument's row is a function of its position and its mark: gn_risk_sync computes it anew and adds the difference
 * to the five scopes of its chain. So whatever changes a position (an order sent, a fill, a cancel, a fate that became
 * known), one call makes every scope right, and gn_risk_join makes all of them from nothing but positions.
 *
 *      worst long  = position + working buy orders     exposure = the larger of both, at the mark
 *      worst short = working sell orders - position     net = each of them, summed over the scope
 *
 * Pure: time is an argument, nothing is allocated.
 */
#ifndef GN_ENGINE_RISK_STATE_H
#define GN_ENGINE_RISK_STATE_H

#include "dataplane/abi/control.h"
#include "dataplane/abi/event.h"
#include "dataplane/abi/limits.h"
#include "dataplane/abi/market.h"
#include "dataplane/abi/orders.h"
#include "dataplane/abi/risk.h"

#define GN_RISK_NOTES 32u

/* Bits of gn_risk_instrument.unusual. */
enum gn_unusual {
    GN_UNUSUAL_UNKNOWN = 1,    /* not configured, or not tradable by its limits */
    GN_UNUSUAL_NO_LIMIT = 2,   /* a limit is not configured */
    GN_UNUSUAL_RANGE = 4,      /* its money has left the range in which sums are exact */
    GN_UNUSUAL_RESTRICTED = 8, /* it may not be bought, or not be sold */
};

/* Something that the stage journals, and tells people. */
struct gn_risk_note {
    uint32_t what;  /* enum gn_risk_what; 0: a strategy was disabled */
    uint32_t row;   /* enum gn_scope_row, or GN_NONE32 for an instrument, or GN_RISK_NOTE_SESSION */
    uint32_t index; /* of the instrument or session */
    uint32_t level; /* the ladder was raised to it, 0 = it was not */
    int64_t limit, used;
};
#define GN_RISK_NOTE_SESSION  0xfffffffeu
#define GN_RISK_NOTE_OVERRIDE 0x100u /* what: row = verdict, index = slot of the token */

/* What the functions below work on; pointers are of this process. */
struct gn_risk_ctx {
    struct gn_risk *risk;
    const struct gn_conf *conf;
    struct gn_control *control;
    struct gn_limits *limits;
    const struct gn_position *positions;
    const struct gn_tob *tob;
    uint64_t generation; /* limits in use */
    uint64_t slot_ns;    /* of a window */
    uint64_t mark_ns;    /* when the next mark is looked at */
    uint32_t cursor;     /* in the list of active instruments */
    bool joining;
    uint32_t n_notes;
    struct gn_risk_note note[GN_RISK_NOTES];
};

/* gn_risk_money: qty x price of the instrument in money; INT64_MAX or INT64_MIN when it does not fit. */
static inline int64_t gn_risk_money(const struct gn_risk_instrument *x, int64_t qty, int64_t price)
{
    int64_t raw;
    if (GN_UNLIKELY(__builtin_mul_overflow(qty, price, &raw)))
        return (qty < 0) == (price < 0) ? INT64_MAX : INT64_MIN;
    gn_i128 v = ((gn_i128)raw * x->scale) >> GN_RISK_SCALE_BITS;
    return GN_UNLIKELY(v != (int64_t)v) ? (v > 0 ? INT64_MAX : INT64_MIN) : (int64_t)v;
}

/* gn_risk_take_scopes: thresholds of all scopes from generation c->generation. gn_risk_take: those of an instrument. */
void gn_risk_take_scopes(struct gn_risk_ctx *c);
void gn_risk_take(struct gn_risk_ctx *c, uint32_t instrument);

/* gn_risk_sync: after a change of the instrument's position or mark. */
void gn_risk_sync(struct gn_risk_ctx *c, uint32_t instrument);

/* gn_risk_join: makes all sums from positions, after a restart or in a fresh region; starts the trading day. */
void gn_risk_join(struct gn_risk_ctx *c, uint64_t now_ns);

/* gn_risk_verify: true when every sum equals what gn_risk_join would make; sums is room for GN_SCOPE_ROWS rows. */
bool gn_risk_verify(const struct gn_risk_ctx *c, int64_t (*sums)[GN_LANES]);

/* gn_risk_day: starts the trading day when it is time. */
void gn_risk_day(struct gn_risk_ctx *c, uint64_t now_ns);

/* gn_risk_due: an active instrument with prices that were not looked at yet, one after the other, at most one in
 * risk.mark_us; GN_NONE32 when none is due. gn_risk_look: looks at its prices. */
uint32_t gn_risk_due(struct gn_risk_ctx *c, uint64_t now_ns);
void gn_risk_look(struct gn_risk_ctx *c, uint32_t instrument, uint64_t now_ns);

/* gn_risk_window_add: qty and value join the window's sums in used. gn_risk_window_turn: slots that are over leave it.
 */
void gn_risk_window_turn(struct gn_risk_window *w, int64_t *used, uint64_t slot);
static inline void gn_risk_window_add(struct gn_risk_window *w, int64_t *used, uint64_t slot, int64_t qty,
                                      int64_t value)
{
    if (GN_UNLIKELY(w->slot != slot))
        gn_risk_window_turn(w, used, slot);
    w->qty[slot % GN_RISK_SLOTS] += qty;
    w->value[slot % GN_RISK_SLOTS] += value;
    used[GN_LANE_QTY] += qty;
    used[GN_LANE_VALUE] += value;
}

/* gn_risk_tell: queues a note; false when there is no room. */
bool gn_risk_tell(struct gn_risk_ctx *c, const struct gn_risk_note *n);

/* gn_risk_word: kill word of a scope's row. */
_Atomic uint64_t *gn_risk_word(struct gn_control *c, uint32_t row);

#endif
