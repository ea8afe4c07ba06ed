/* Risk limits in two generations. The control plane writes the idle generation, then publishes it by storing its
 * number; the gate reads the published one. A generation is reused only when every reader was seen past it
 * (gn_limits.seen).
 *
 *      firm -> venue   -> instrument
 *           -> account -> strategy -> instrument
 *           -> theme   -> instrument
 *
 * A limit of an instrument or of the firm that is not set rejects: `set` has one bit per field, and a row of zeroes is
 * "nothing allowed". One of a venue, account, strategy or theme that is not set is its parent's. No child's limit may
 * be looser than its parent's: gn_limits_check in limits_check.h.
 *
 * Money is price x quantity x multiplier x exchange rate in 1/10000 of the base currency.
 */
#ifndef GN_ABI_LIMITS_H
#define GN_ABI_LIMITS_H

#include "dataplane/abi/base.h"

#define GN_LIMIT_READERS_MAX 8u
#define GN_STRATEGIES_MAX    128u
#define GN_THEMES_MAX        64u
#define GN_ACCOUNTS_MAX      16u
#define GN_VENUES_MAX        8u
#define GN_MONEY_MAX         4000000000000000000

/* X(number, FIELD, field, "unit", minimum, maximum, looser, "default", "help"): limits of one instrument. Feeds config,
 * CLI, docs. looser: 1 when a higher value allows more, -1 when a lower one does, 0 when every change may allow more.
 * default: what the configuration takes when it says nothing; "" = nothing, and the gate rejects. */
#define GN_INSTRUMENT_LIMITS(X)                                                                                    \
    X(0, TRADABLE, tradable, "0|1", 0, 1, 1, "", "1: orders for it are allowed")                                   \
    X(1, MAX_QTY, max_qty, "quantity", 0, 1000000000, 1, "", "largest quantity of one order")                      \
    X(2, MAX_VALUE, max_value, "money", 0, GN_MONEY_MAX, 1, "", "largest value of one order")                      \
    X(3, COLLAR_BPS, collar_bps, "basis points", 0, 10000, 1, "",                                                  \
      "largest distance of an order's price from the reference price, on the aggressive side")                     \
    X(4, MAX_POSITION, max_position, "quantity", 0, 1000000000000, 1, "",                                          \
      "largest absolute position, counting every working order as filled")                                         \
    X(5, MAX_OPEN_ORDERS, max_open_orders, "orders", 0, 1000000, 1, "", "most working orders at one time")         \
    X(6, MAX_SHORT, max_short, "quantity", 0, 1000000000000, 1, "1000000000000",                                   \
      "largest short position, every working sell order filled: what is located")                                  \
    X(7, MAX_EXPOSURE, max_exposure, "money", 0, GN_MONEY_MAX, 1, "4000000000000000000",                           \
      "largest worst-case position at the mark")                                                                   \
    X(8, MAX_EXPOSURE_BPS, max_exposure_bps, "basis points", 0, 10000000, 1, "10000000",                           \
      "the same as a share of the account's equity")                                                               \
    X(9, MAX_DAY_VALUE, max_day_value, "money", 0, GN_MONEY_MAX, 1, "4000000000000000000",                         \
      "most value traded and working in a trading day")                                                            \
    X(10, WINDOW_QTY, window_qty, "quantity", 0, 1000000000000, 1, "1000000000000",                                \
      "most quantity ordered within risk.window_ms")                                                               \
    X(11, WINDOW_VALUE, window_value, "money", 0, GN_MONEY_MAX, 1, "4000000000000000000",                          \
      "most value ordered within risk.window_ms")                                                                  \
    X(12, MIN_VALUE, min_value, "money", 0, GN_MONEY_MAX, -1, "0", "least value of one order after its taker fee") \
    X(13, MAX_LOSS, max_loss, "money", 0, GN_MONEY_MAX, 1, "4000000000000000000",                                  \
      "largest loss of a day, realised, unrealised and fees; beyond it only reductions")                           \
    X(14, STOP_LOSS_BPS, stop_loss_bps, "basis points", 0, 10000, 1, "10000",                                      \
      "largest unrealised loss as a share of what the position cost; beyond it only reductions")                   \
    X(15, MAX_TRADE_LOSS, max_trade_loss, "money", 0, GN_MONEY_MAX, 1, "4000000000000000000",                      \
      "largest loss realised by one fill; beyond it only reductions")                                              \
    X(16, MAX_AGE_MS, max_age_ms, "ms", 1, 86400000, 1, "30000", "oldest market data that orders may rest on")     \
    X(17, MAX_SPREAD_BPS, max_spread_bps, "basis points", 1, 20000, 1, "2000",                                     \
      "widest spread whose middle counts as a price")                                                              \
    X(18, MAX_MOVE_BPS, max_move_bps, "basis points", 1, 10000, 1, "2000",                                         \
      "largest move within risk.velocity_ms; beyond it no new risk")                                               \
    X(19, OUTLIER_BPS, outlier_bps, "basis points", 1, 10000, 1, "1000",                                           \
      "largest distance of a price from the median of the last five")                                              \
    X(20, PERIOD_COLLAR_BPS, period_collar_bps, "basis points", 0, 10000, 1, "2000",                               \
      "largest distance of an order's price from the reference at the start of risk.period_ms")                    \
    X(21, AUCTION_COLLAR_BPS, auction_collar_bps, "basis points", 0, 10000, 1, "1000",                             \
      "largest distance of an order's price from the previous close in an auction")                                \
    X(22, MAX_DUPLICATES, max_duplicates, "orders", 1, 65535, 1, "1000",                                           \
      "most orders of the same side, quantity and price within risk.duplicate_ms")                                 \
    X(23, SMP_MODE, smp_mode, "1..3", 1, 3, 0, "1",                                                                \
      "own orders that would meet: 1 rejects the new one, 2 cancels the resting ones, 3 both")                     \
    X(24, OTR_WARN, otr_warn, "orders a fill", 1, 1000000, 1, "1000", "order-to-trade ratio that warns")           \
    X(25, PERMIT, permit, "bits", 0, 3, 0, "3", "1: may be bought, 2: may be sold; 0: on the restricted list")

/* X(number, FIELD, field, "unit", minimum, maximum, looser, "default", "help"): limits of the firm and of every venue,
 * account, strategy and theme. The default is the firm's. */
#define GN_SCOPE_LIMITS(X)                                                                                         \
    X(0, MAX_OPEN_ORDERS, max_open_orders, "orders", 0, 1000000, 1, "", "most working orders at one time")         \
    X(1, MESSAGE_RATE, message_rate, "messages/s", 0, 10000000, 1, "",                                             \
      "sustained rate of order messages; the firm's holds for each session")                                       \
    X(2, MESSAGE_BURST, message_burst, "messages", 0, 1000000, 1, "",                                              \
      "messages that may go at once before the rate holds")                                                        \
    X(3, CANCEL_RESERVE, cancel_reserve, "messages", 0, 1000000, -1, "",                                           \
      "part of the burst that only cancels may use")                                                               \
    X(4, MAX_GROSS, max_gross, "money", 0, GN_MONEY_MAX, 1, "", "largest sum of worst-case positions at the mark") \
    X(5, MAX_NET, max_net, "money", 0, GN_MONEY_MAX, 1, "", "largest worst-case net position at the mark")         \
    X(6, MAX_DAY_VALUE, max_day_value, "money", 0, GN_MONEY_MAX, 1, "",                                            \
      "most value traded and working in a trading day")                                                            \
    X(7, MAX_POSITIONS, max_positions, "instruments", 0, 65536, 1, "",                                             \
      "most instruments with a position or a working order")                                                       \
    X(8, WINDOW_QTY, window_qty, "quantity", 0, 1000000000000, 1, "1000000000000",                                 \
      "most quantity ordered within risk.window_ms")                                                               \
    X(9, WINDOW_VALUE, window_value, "money", 0, GN_MONEY_MAX, 1, "4000000000000000000",                           \
      "most value ordered within risk.window_ms")                                                                  \
    X(10, MAX_LOSS, max_loss, "money", 0, GN_MONEY_MAX, 1, "",                                                     \
      "largest loss of a day, realised, unrealised and fees; beyond it the ladder is raised")                      \
    X(11, MAX_DRAWDOWN, max_drawdown, "money", 0, GN_MONEY_MAX, 1, "",                                             \
      "largest fall of profit from its highest; beyond it the ladder is raised")                                   \
    X(12, EQUITY, equity, "money", 0, GN_MONEY_MAX, 1, "", "capital, as leverage counts it")                       \
    X(13, MAX_LEVERAGE_BPS, max_leverage_bps, "basis points", 0, 10000000, 1, "5000",                              \
      "largest sum of worst-case positions as a share of equity")                                                  \
    X(14, THROTTLED_RATE, throttled_rate, "messages/s", 1, 10000000, 1, "10",                                      \
      "rate of new risk while the ladder is at throttled")                                                         \
    X(15, MAX_REPEATS, max_repeats, "times", 1, 1000000000, 1, "1000000",                                          \
      "executed and entered again by a strategy without a person, after which it is disabled")                     \
    X(16, LOSS_ACTION, loss_action, "ladder", 2, 4, -1, "2",                                                       \
      "what a loss raises the ladder to: 2 reduce_only, 3 halted, 4 killed")                                       \
    X(17, VENUES, venues, "bits", 0, 255, 0, "255", "venues that orders may go to: bit n is venue number n")

enum gn_instrument_limit {
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) GN_LIMIT_##NAME = num,
    GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
        GN_INSTRUMENT_LIMIT_COUNT,
};

enum gn_scope_limit {
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) GN_SL_##NAME = num,
    GN_SCOPE_LIMITS(GN_X)
#undef GN_X
        GN_SCOPE_LIMIT_COUNT,
};

struct gn_limits_instrument {
    uint64_t set; /* bit n: field number n is configured */
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) int64_t field;
    GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
    int64_t pad[5];
};
static_assert(sizeof(struct gn_limits_instrument) == 256, "four cache lines a row");

struct gn_limits_scope {
    uint64_t set;
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) int64_t field;
    GN_SCOPE_LIMITS(GN_X)
#undef GN_X
    int64_t pad[5];
};
static_assert(sizeof(struct gn_limits_scope) == 192, "three cache lines a row");

#define GN_LIMITS_ALL_SET(count) ((1ull << (count)) - 1)

/* Rows of the scopes above instruments, in one table: firm, venues, accounts, strategies, themes, and the theme of
 * instruments that have none. */
enum gn_scope_row {
    GN_ROW_FIRM = 0,
    GN_ROW_VENUE = 1,
    GN_ROW_ACCOUNT = GN_ROW_VENUE + GN_VENUES_MAX,
    GN_ROW_STRATEGY = GN_ROW_ACCOUNT + GN_ACCOUNTS_MAX,
    GN_ROW_THEME = GN_ROW_STRATEGY + GN_STRATEGIES_MAX,
    GN_ROW_NO_THEME = GN_ROW_THEME + GN_THEMES_MAX,
    GN_SCOPE_ROWS,
};

/* Header of the limits section; two generations of {scope rows, instrument rows} follow. */
struct gn_limits {
    /* written by the control plane */
    _Atomic uint64_t published; /* generation number; rows of generation g are in half g & 1. Release by
                                   gn_limits_publish pairs with acquire in gn_limits_current */
    uint32_t rows;              /* instrument rows in a half */
    uint8_t pad0[GN_GUARD - 12];
    /* written by lcore i: the generation it uses now; release pairs with acquire in gn_limits_idle */
    struct {
        _Atomic uint64_t generation;
        uint8_t pad[GN_GUARD - 8];
    } seen[GN_LIMIT_READERS_MAX];
    uint8_t rows_data[]; /* half 0, half 1: GN_SCOPE_ROWS struct gn_limits_scope, then `rows` struct
                            gn_limits_instrument */
};
static_assert(offsetof(struct gn_limits, seen) == 128, "readers own their own lines");

static inline uint64_t gn_limits_half_bytes(uint32_t rows)
{
    return GN_SCOPE_ROWS * sizeof(struct gn_limits_scope) + (uint64_t)rows * sizeof(struct gn_limits_instrument);
}

static inline uint64_t gn_limits_footprint(uint32_t rows)
{
    return gn_align_up(sizeof(struct gn_limits) + 2 * gn_limits_half_bytes(rows), GN_GUARD);
}

/* gn_limits_scope_row, gn_limits_firm_row, gn_limits_row: rows of a generation. scope < GN_SCOPE_ROWS, instrument <
 * rows. */
static inline struct gn_limits_scope *gn_limits_scope_row(struct gn_limits *l, uint64_t generation, uint32_t scope)
{
    return (struct gn_limits_scope *)(void *)(l->rows_data + (generation & 1) * gn_limits_half_bytes(l->rows)) + scope;
}

static inline struct gn_limits_scope *gn_limits_firm_row(struct gn_limits *l, uint64_t generation)
{
    return gn_limits_scope_row(l, generation, GN_ROW_FIRM);
}

static inline struct gn_limits_instrument *gn_limits_row(struct gn_limits *l, uint64_t generation, uint32_t instrument)
{
    return (struct gn_limits_instrument *)(void *)gn_limits_scope_row(l, generation, GN_SCOPE_ROWS) + instrument;
}

/* gn_limits_instrument_open, gn_limits_scope_open: rows in which every limit is set and allows the most. */
void gn_limits_instrument_open(struct gn_limits_instrument *row);
void gn_limits_scope_open(struct gn_limits_scope *row);

/* gn_limits_current: for the gate: the generation to use now. */
static inline uint64_t gn_limits_current(const struct gn_limits *l)
{
    /* pairs with the release store of gn_limits_publish: the rows are written */
    return atomic_load_explicit(&l->published, memory_order_acquire);
}

/* gn_limits_seen: lcore `reader` has left every generation older than this one. */
static inline void gn_limits_seen(struct gn_limits *l, uint32_t reader, uint64_t generation)
{
    /* pairs with the acquire load in gn_limits_idle: our reads of the older rows are over */
    atomic_store_explicit(&l->seen[reader].generation, generation, memory_order_release);
}

/* gn_limits_idle: for the control plane: true when readers 0..n-1 have left the half that the next generation takes. */
static inline bool gn_limits_idle(const struct gn_limits *l, uint32_t n_readers)
{
    uint64_t now = atomic_load_explicit(&l->published, memory_order_relaxed);
    for (uint32_t i = 0; i < n_readers; i++)
        if (atomic_load_explicit(&l->seen[i].generation, memory_order_acquire) != now)
            return false;
    return true;
}

/* gn_limits_publish: for the control plane: the idle half, generation published + 1, is complete. */
static inline void gn_limits_publish(struct gn_limits *l)
{
    uint64_t now = atomic_load_explicit(&l->published, memory_order_relaxed);
    atomic_store_explicit(&l->published, now + 1, memory_order_release);
}

#endif
