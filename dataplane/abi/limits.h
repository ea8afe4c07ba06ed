/* Risk limits in two generations. The control plane writes the idle generation, then publishes it by storing its
 * number; the gate reads the published one. A generation is reused only when every reader was seen past it
 * (gn_limits.seen).
 *
 * A limit that is not set rejects: `set` has one bit per field, and a row of zeroes is "nothing allowed".
 */
#ifndef GN_ABI_LIMITS_H
#define GN_ABI_LIMITS_H

#include "dataplane/abi/base.h"

#define GN_LIMIT_READERS_MAX 8u

/* X(number, FIELD, field, "unit", minimum, maximum, "help"): limits of one instrument. Feeds config, CLI, docs. */
#define GN_INSTRUMENT_LIMITS(X)                                                                \
    X(0, TRADABLE, tradable, "0|1", 0, 1, "1: orders for it are allowed")                      \
    X(1, MAX_QTY, max_qty, "quantity", 0, 1000000000, "largest quantity of one order")         \
    X(2, MAX_VALUE, max_value, "price x quantity", 0, 4000000000000000000,                     \
      "largest price x quantity of one order, in price mantissa x quantity")                   \
    X(3, COLLAR_BPS, collar_bps, "basis points", 0, 10000,                                     \
      "largest distance of an order's price from the reference price, on the aggressive side") \
    X(4, MAX_POSITION, max_position, "quantity", 0, 1000000000000,                             \
      "largest absolute position, counting every working order as filled")                     \
    X(5, MAX_OPEN_ORDERS, max_open_orders, "orders", 0, 1000000, "most working orders at one time")

/* X(number, FIELD, field, "unit", minimum, maximum, "help"): limits of the whole appliance. */
#define GN_FIRM_LIMITS(X)                                                                                            \
    X(0, MAX_OPEN_ORDERS, max_open_orders, "orders", 0, 1000000, "most working orders at one time, all instruments") \
    X(1, MESSAGE_RATE, message_rate, "messages/s", 0, 10000000, "sustained rate of order messages to a session")     \
    X(2, MESSAGE_BURST, message_burst, "messages", 0, 1000000, "messages that may go at once before the rate holds") \
    X(3, CANCEL_RESERVE, cancel_reserve, "messages", 0, 1000000, "part of the burst that only cancels may use")

enum gn_instrument_limit {
#define GN_X(num, NAME, field, unit, min, max, help) GN_LIMIT_##NAME = num,
    GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
        GN_INSTRUMENT_LIMIT_COUNT,
};

enum gn_firm_limit {
#define GN_X(num, NAME, field, unit, min, max, help) GN_FIRM_##NAME = num,
    GN_FIRM_LIMITS(GN_X)
#undef GN_X
        GN_FIRM_LIMIT_COUNT,
};

/* One instrument's row: one cache line, so that the gate touches one. */
struct gn_limits_instrument {
    uint64_t set; /* bit n: field number n is configured */
    int64_t tradable;
    int64_t max_qty;
    int64_t max_value;
    int64_t collar_bps;
    int64_t max_position;
    int64_t max_open_orders;
    int64_t pad;
};
static_assert(sizeof(struct gn_limits_instrument) == 64, "one cache line a row");

struct gn_limits_firm {
    uint64_t set;
    int64_t max_open_orders;
    int64_t message_rate;
    int64_t message_burst;
    int64_t cancel_reserve;
    int64_t pad[3];
};
static_assert(sizeof(struct gn_limits_firm) == 64, "one cache line a row");

#define GN_LIMITS_ALL_SET(count) ((1ull << (count)) - 1)

/* Header of the limits section; two generations of {firm row, instrument rows} follow. */
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
    uint8_t rows_data[]; /* half 0, half 1: struct gn_limits_firm, then `rows` struct gn_limits_instrument */
};
static_assert(offsetof(struct gn_limits, seen) == 128, "readers own their own lines");

static inline uint64_t gn_limits_half_bytes(uint32_t rows)
{
    return sizeof(struct gn_limits_firm) + (uint64_t)rows * sizeof(struct gn_limits_instrument);
}

static inline uint64_t gn_limits_footprint(uint32_t rows)
{
    return gn_align_up(sizeof(struct gn_limits) + 2 * gn_limits_half_bytes(rows), GN_GUARD);
}

/* gn_limits_firm_row, gn_limits_row: rows of a generation. The instrument must be < rows. */
static inline struct gn_limits_firm *gn_limits_firm_row(struct gn_limits *l, uint64_t generation)
{
    return (struct gn_limits_firm *)(void *)(l->rows_data + (generation & 1) * gn_limits_half_bytes(l->rows));
}

static inline struct gn_limits_instrument *gn_limits_row(struct gn_limits *l, uint64_t generation, uint32_t instrument)
{
    return (struct gn_limits_instrument *)(void *)(gn_limits_firm_row(l, generation) + 1) + instrument;
}

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
