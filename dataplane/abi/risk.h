/* Risk aggregates: what the gate compares limits with, for each instrument and for each scope above it. Written by the
 * orders lcore alone, kept over the death of the data plane, read by everybody. What an instrument adds to its scopes
 * follows from its position and its mark (dataplane/engine/risk_state.h), so that a scope is the sum of its
 * instruments, kept by differences, and a restart makes it again from orders and positions.
 *
 * A new order reads: two lines of each scope, five of the instrument. Thresholds are taken over once a generation.
 */
#ifndef GN_ABI_RISK_H
#define GN_ABI_RISK_H

#include "dataplane/abi/conf.h"
#include "dataplane/abi/limits.h"

/* What is summed, in this order, of every instrument and scope; `limit` has the same order. */
enum gn_lane {
    GN_LANE_OPEN = 0,      /* working orders */
    GN_LANE_GROSS = 1,     /* money: sum of worst-case positions at the mark */
    GN_LANE_LONG = 2,      /* money: net position at the mark if every buy order filled */
    GN_LANE_SHORT = 3,     /* money: minus the net position if every sell order filled */
    GN_LANE_DAY = 4,       /* money: traded today and working */
    GN_LANE_POSITIONS = 5, /* instruments with a position or a working order */
    GN_LANE_QTY = 6,       /* quantity sent within the window */
    GN_LANE_VALUE = 7,     /* money sent within the window */
    GN_LANES = 8,
};

#define GN_RISK_SLOTS      16u         /* of a window: the sum covers it and up to a fifteenth more */
#define GN_RISK_CLAMP      (1ll << 50) /* money of one instrument beyond which it takes no new order */
#define GN_RISK_SCALE_BITS 40u
#define GN_RISK_SCALE_ONE  (1ll << GN_RISK_SCALE_BITS)
#define GN_RISK_RECENT     5u
#define GN_RISK_DUPLICATES 8u
#define GN_OVERRIDES       8u
/* Words of GN_STATE_WORDS: all, sessions, strategies, themes, accounts, venues. */
#define GN_STATE_WORD_COUNT (1 + GN_SESSIONS_MAX + GN_STRATEGIES_MAX + GN_THEMES_MAX + GN_ACCOUNTS_MAX + GN_VENUES_MAX)
#define GN_RISK_CHAIN       5u /* theme, strategy, account, venue, firm */

struct gn_risk_window {
    uint64_t slot; /* time in slots; the sums cover it and the GN_RISK_SLOTS - 1 before it */
    int64_t qty[GN_RISK_SLOTS], value[GN_RISK_SLOTS];
};

/* A message budget as a generic cell rate: the time at which the bucket would be full again. */
struct gn_risk_budget {
    uint64_t full_ns;
    uint64_t interval_ns;            /* of one message; 0 = no rate configured */
    uint64_t burst_ns, burst_new_ns; /* tolerance for cancels, and for everything else */
    uint64_t soft_ns;                /* beyond this somebody is told */
    uint64_t slow_ns;                /* the same as full_ns while throttled */
    uint64_t slow_interval_ns;
    uint64_t warned; /* 1: told, and not yet below again */
};

enum gn_risk_tripped {
    GN_TRIP_LOSS = 1,
    GN_TRIP_DRAWDOWN = 2,
    GN_TRIP_STOP = 4,  /* unrealised loss of a position */
    GN_TRIP_TRADE = 8, /* realised loss of one fill */
};

struct gn_risk_scope {
    int64_t used[GN_LANES];
    int64_t limit[GN_LANES];
    int64_t pnl;     /* money, since the region was made */
    int64_t pnl_day; /* pnl when the trading day began */
    int64_t pnl_peak;
    int64_t max_loss, max_drawdown;
    int64_t equity, max_gross, leverage_bps;
    struct gn_risk_budget budget;
    uint64_t repeats; /* strategies: executed and entered again since a person enabled it */
    uint64_t max_repeats;
    _Atomic uint64_t disabled; /* strategies: number of the last disabling; in force while it is not
                                  gn_control.strategy_enabled. Release; acquire by the control plane */
    uint32_t tripped;          /* enum gn_risk_tripped */
    uint32_t loss_action;      /* enum gn_ladder */
    uint32_t venues;           /* bits of venues that may be used */
    uint32_t missing;          /* 1: a limit that it needs is not configured */
    uint64_t pad0[2];
    struct gn_risk_window window;
    uint8_t pad1[64];
};
static_assert(sizeof(struct gn_risk_scope) == 640, "five guards a scope");
static_assert(offsetof(struct gn_risk_scope, pnl) == 128, "a new order reads the first two lines");

enum gn_risk_guard {
    GN_GUARD_SPREAD = 1,  /* the middle of the book is no price: too wide */
    GN_GUARD_MEDIAN = 2,  /* too far from the median of the last five */
    GN_GUARD_LAST = 4,    /* too far from the last trade */
    GN_GUARD_CROSSED = 8, /* crossed, locked, stale or halted */
    GN_GUARD_MOVE = 16,   /* too far from the reference a moment ago: blocks */
    GN_GUARD_EMPTY = 32,  /* neither a middle nor a last trade */
};

struct gn_risk_instrument {
    int64_t used[GN_LANES];
    int64_t limit[GN_LANES];
    /* thresholds of `generation`, line 2 */
    uint64_t generation;
    int64_t max_qty, max_value, max_position, max_short, min_value;
    uint32_t collar_bps, period_collar_bps;
    uint32_t unusual; /* not 0: something about it must be looked at before an order passes; GN_UNUSUAL_* of the gate */
    uint32_t auction_collar_bps;
    /* of the configuration, line 3 */
    int64_t
        scale; /* money of price x quantity: multiplier x rate x 10^(exponent + 4), GN_RISK_SCALE_BITS binary places */
    uint64_t tick_inverse, tick_most, lot_inverse, lot_most; /* see gn_risk_multiple */
    uint16_t chain[GN_RISK_CHAIN];                           /* rows of gn_risk.scope */
    uint16_t described;                                      /* 1: this line is filled */
    uint8_t tick_shift, lot_shift, venue, permit;
    int64_t taker_fee; /* of a share that takes, 1/100 of a price mantissa */
    /* reference, line 4 */
    int64_t mark;      /* last sound price, 0 = none yet */
    uint64_t sound_ns; /* when the feed had it */
    uint64_t tick_seq; /* of the best prices last looked at */
    uint64_t max_age_ns;
    int64_t period_mark; /* at the start of the period */
    uint64_t period_ns;  /* when the next one starts */
    int64_t moved_from;  /* reference at the start of the velocity window */
    uint64_t moved_ns;   /* when the next one starts */
    /* guards, line 5 */
    int64_t recent[GN_RISK_RECENT];
    uint32_t recent_n; /* prices seen so far, wraps at the size */
    uint32_t guard;    /* enum gn_risk_guard of the prices last looked at */
    int64_t prev_close;
    uint32_t max_spread_bps, outlier_bps;
    /* profit, line 6 */
    int64_t pnl, pnl_day;
    int64_t day_value; /* traded when the day began */
    int64_t realised;  /* at the last look */
    int64_t max_loss, max_trade_loss;
    uint32_t stop_loss_bps, max_move_bps;
    uint32_t otr_warn, tripped;
    /* duplicates, lines 7 to 9 */
    uint64_t dup_key[GN_RISK_DUPLICATES];
    uint64_t dup_first_ns[GN_RISK_DUPLICATES];
    uint16_t dup_count[GN_RISK_DUPLICATES];
    uint32_t max_duplicates, smp_mode;
    uint64_t otr_next;   /* orders sent at which the ratio is looked at again */
    uint32_t executed;   /* 1: a fill since the last new order */
    uint32_t listed;     /* place in gn_risk.active + 1, 0 = none */
    int64_t summed_mark; /* mark that `used` was made with */
    uint64_t pad0[2];
    struct gn_risk_window window;
    uint8_t pad1[120];
};
static_assert(sizeof(struct gn_risk_instrument) == 1024, "eight guards an instrument");
static_assert(offsetof(struct gn_risk_instrument, generation) == 128, "line 2");
static_assert(offsetof(struct gn_risk_instrument, scale) == 192, "line 3");
static_assert(offsetof(struct gn_risk_instrument, mark) == 256, "line 4");
static_assert(offsetof(struct gn_risk_instrument, dup_key) == 448, "line 7");

/* Header of the risk section; `rows` struct gn_risk_instrument follow, and `rows` numbers of instruments whose marks
 * matter. */
struct gn_risk {
    uint32_t rows;
    uint32_t active; /* instruments with a position or a working order */
    uint64_t day_end_ns;
    uint64_t generation; /* of the scopes' thresholds */
    uint64_t days;
    uint8_t pad[GN_GUARD - 32];
    struct gn_risk_budget session[GN_SESSIONS_MAX];
    uint64_t override_used[GN_OVERRIDES]; /* number of the token that was consumed in the slot */
    uint64_t pad1[8];
    struct gn_risk_scope scope[GN_SCOPE_ROWS];
    struct gn_risk_instrument instrument[];
};
static_assert(offsetof(struct gn_risk, scope) % GN_GUARD == 0, "scopes start on a guard");

static inline uint64_t gn_risk_footprint(uint32_t rows)
{
    return gn_align_up(sizeof(struct gn_risk) + (uint64_t)rows * (sizeof(struct gn_risk_instrument) + 4), GN_GUARD);
}

/* gn_risk_list: numbers of the `active` instruments. */
static inline uint32_t *gn_risk_list(struct gn_risk *r)
{
    return (uint32_t *)(void *)&r->instrument[r->rows];
}

/* gn_risk_multiple: true when n >= 0 is a multiple of the divisor that inverse, most and shift were made of by
 * gn_risk_describe: without a division (Granlund and Montgomery 1994, section 9). */
static inline bool gn_risk_multiple(int64_t n, uint64_t inverse, uint64_t most, uint32_t shift)
{
    uint64_t q = (uint64_t)n * inverse;
    return (q >> shift | q << (-shift & 63)) <= most;
}

/* gn_risk_new: lays an empty section at mem, gn_risk_footprint(rows) bytes, zeroed. */
void gn_risk_new(struct gn_risk *r, uint32_t rows);

/* gn_risk_unknown: an instrument that the configuration does not have: in the first scopes, and not tradable. */
void gn_risk_unknown(struct gn_risk_instrument *x);

/* gn_risk_describe: what the configuration says of instrument i: scopes, scale, fees, divisors. False when its numbers
 * have no exact place in the row (the loader's ranges keep them there). */
bool gn_risk_describe(struct gn_risk *r, uint32_t i, const struct gn_conf *c,
                      const struct gn_conf_instrument *k) GN_MUST_CHECK;

/* gn_scope_of_row: enum gn_kill_scope and index of a row of gn_risk.scope. */
uint32_t gn_scope_of_row(uint32_t row, uint32_t *index);

#endif
