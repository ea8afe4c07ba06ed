/* What reconciliation finds: breaks between our books and the venue's, one bounded table for each side that looks, and
 * the fills that they are about.
 *
 *      orders lcore    --writes--> section recon     (order session: what a resume, a query or a message showed)
 *      control plane   --writes--> section recon_dc  (drop copy against the order session)
 *      gannetctl, control plane: read both with gn_break_read
 *
 * A table keeps the last GN_BREAKS_MAX breaks; `total` counts all that ever were. A row is written once and may later
 * change from open to resolved, when the other side's word came after all.
 */
#ifndef GN_ABI_RECON_H
#define GN_ABI_RECON_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/conf.h"

#define GN_BREAKS_MAX 512u /* power of two */

/* X(number, NAME, "name", severity 1 = page now .. 4 = note, "help"). Numbers are in journals: never reused. */
#define GN_BREAK_CLASSES(X)                                                                                          \
    X(1, ILLEGAL_EVENT, "illegal_event", 2,                                                                          \
      "an event that the transition table forbids: ours = state, theirs = event")                                    \
    X(2, UNKNOWN_ORDER, "unknown_order", 2,                                                                          \
      "the venue speaks of an order that we do not have: theirs = its user reference")                               \
    X(3, UNKNOWN_FILL, "unknown_fill", 1,                                                                            \
      "the venue reports a fill of an order that we do not have: theirs = quantity")                                 \
    X(4, OVERFILL, "overfill", 1, "more was filled than the order had left: ours = left, theirs = filled")           \
    X(5, NEVER_ARRIVED, "never_arrived", 4,                                                                          \
      "an order in doubt had not reached the venue; it is concluded as rejected")                                    \
    X(6, MESSAGES_LOST, "messages_lost", 1, "the venue does not repeat what was missed: theirs = messages lost")     \
    X(7, SESSION_CHANGED, "session_changed", 2, "the venue's session is another one: ours, theirs = next sequence")  \
    X(8, USER_REF, "user_ref", 1, "the venue has taken user references that we did not give: ours, theirs = next")   \
    X(9, UNKNOWN_BUST, "unknown_bust", 1, "a trade was broken or corrected that is not kept: correct the position")  \
    X(10, NOT_CANCELED, "not_canceled", 2, "the venue was to cancel it on disconnect and did not")                   \
    X(16, FILL_NOT_HERE, "fill_not_here", 1, "the drop copy has a fill that the order session did not report")       \
    X(17, FILL_NOT_THERE, "fill_not_there", 1, "the order session reported a fill that the drop copy does not have") \
    X(18, FILL_QTY, "fill_qty", 1, "a fill's quantity differs")                                                      \
    X(19, FILL_PRICE, "fill_price", 1, "a fill's price differs")                                                     \
    X(20, FILL_ORDER, "fill_order", 1, "a fill belongs to different orders: ours, theirs = user reference")          \
    X(21, FILL_FEE, "fill_fee", 2, "a fill's fee differs, in 1/100 of a price mantissa")                             \
    X(22, FILL_STATE, "fill_state", 1, "a fill stands on one side and is broken on the other")                       \
    X(23, ORDER_NOT_HERE, "order_not_here", 1,                                                                       \
      "the drop copy has an order that we do not have: theirs = user reference")                                     \
    X(24, ORDER_LEAVES, "order_leaves", 2, "what is left of an order differs")                                       \
    X(25, POSITION, "position", 1, "the position of an instrument differs from what the venue says")                 \
    X(26, DC_SILENT, "drop_copy_silent", 1,                                                                          \
      "the drop copy is down or silent: ours = its age in ms, theirs = the limit")                                   \
    X(27, DC_LOST, "drop_copy_lost", 1, "the drop copy does not repeat what was missed: theirs = messages lost")

enum gn_break_class {
#define GN_X(num, NAME, name, severity, help) GN_BREAK_##NAME = num,
    GN_BREAK_CLASSES(GN_X)
#undef GN_X
        GN_BREAK_CLASS_COUNT,
};

enum gn_break_state {
    GN_BREAK_OPEN = 1,
    GN_BREAK_RESOLVED = 2, /* the other side said the same later */
    GN_BREAK_NOTED = 3,    /* settled by reconciliation itself: nothing to do but to know it */
};

struct gn_break {
    _Atomic uint64_t seq; /* number of this break, from 1; 0 while the row is written */
    uint16_t kind;        /* enum gn_break_class */
    uint8_t state;        /* enum gn_break_state */
    uint8_t session;
    uint32_t instrument; /* GN_BREAK_NOWHERE = of none */
    uint64_t found_ns, resolved_ns;
    uint64_t order_id; /* 0 = of none */
    uint64_t match;    /* venue's match number, 0 = none */
    int64_t ours, theirs;
    uint64_t venue_seq; /* sequence of the message that showed it, 0 = none */
    uint8_t pad[GN_GUARD - 72];
};
static_assert(sizeof(struct gn_break) == GN_GUARD, "one break a guard");
#define GN_BREAK_NOWHERE 0xffffffffu

/* One table; everything in it is its writer's. */
struct gn_recon {
    _Atomic uint64_t total;         /* breaks ever; release, pairs with acquire of readers */
    _Atomic uint64_t open;          /* breaks of the table that are open */
    _Atomic uint64_t rounds;        /* reconciliations that were completed */
    _Atomic uint64_t last_round_ns; /* end of the last one */
    _Atomic uint64_t checked_orders, checked_fills;
    _Atomic uint64_t source_ns;    /* drop copy: when it was last heard */
    _Atomic uint64_t source_state; /* drop copy: enum gn_session_state */
    _Atomic uint64_t source_seq;   /* drop copy: next sequence wanted */
    /* drop copy: where the next life of the control plane goes on: its sequence, and our fill, of each session */
    uint64_t resume_seq[GN_SESSIONS_MAX], resume_fill[GN_SESSIONS_MAX];
    uint8_t pad[2 * GN_GUARD - 72 - 16 * GN_SESSIONS_MAX];
    _Atomic uint64_t by_class[32]; /* breaks ever, by enum gn_break_class */
    struct gn_break row[GN_BREAKS_MAX];
};
static_assert(offsetof(struct gn_recon, row) % GN_GUARD == 0, "rows begin on a guard");
static_assert(GN_BREAK_CLASS_COUNT <= 32, "a counter for each class");

/* gn_break_name, gn_break_help: columns of the table; "unknown" for a number that is not in it. gn_break_severity: 2
 * then. */
const char *gn_break_name(uint32_t kind);
const char *gn_break_help(uint32_t kind);
uint32_t gn_break_severity(uint32_t kind);

/* gn_break_note: for the table's writer: adds a break, *b without seq. Returns its number. r may be NULL: nothing. */
uint64_t gn_break_note(struct gn_recon *r, const struct gn_break *b);

/* gn_break_resolve: for the table's writer: break `seq` is no longer open, when it is still in the table. */
void gn_break_resolve(struct gn_recon *r, uint64_t seq, uint64_t now_ns);

/* gn_break_read: break number `seq` into *out; false when it is no longer there, or not yet, or being written. */
bool gn_break_read(const struct gn_recon *r, uint64_t seq, struct gn_break *out);

/* ---- fills, by match number ---- */

enum gn_fill_state {
    GN_FILL_STANDS = 1,
    GN_FILL_BROKEN = 2,
};

/* A fill as it stands now; written by the orders lcore. */
struct gn_fill {
    _Atomic uint64_t seq; /* number of this fill, from 1; 0 while the row is written */
    uint64_t match;
    uint64_t order_id;
    int64_t price, qty; /* as executed, or as corrected */
    int64_t fee;        /* 1/100 of a price mantissa; negative: a rebate */
    uint64_t venue_seq; /* of the message that reported it */
    uint64_t time_ns;
    uint32_t user_ref;
    uint32_t instrument;
    uint32_t older; /* slot + 1 of the next older fill with the same hash, 0 = none */
    uint8_t session;
    uint8_t side;      /* enum gn_side */
    uint8_t liquidity; /* the venue's letter */
    uint8_t state;     /* enum gn_fill_state */
    uint8_t pad[GN_GUARD - 80];
};
static_assert(sizeof(struct gn_fill) == GN_GUARD, "one fill a guard");

/* Header of the fills section; `capacity` fills follow, then `capacity` heads of hash chains (slot + 1). The last
 * `capacity` fills are kept. */
struct gn_fills {
    uint32_t capacity; /* power of two */
    uint32_t pad0;
    _Atomic uint64_t total; /* fills ever; release, pairs with acquire of readers */
    uint8_t pad[GN_GUARD - 16];
    struct gn_fill row[];
};
static_assert(offsetof(struct gn_fills, row) == GN_GUARD, "fills follow the header");

static inline uint64_t gn_fills_footprint(uint32_t capacity)
{
    return sizeof(struct gn_fills) + (uint64_t)capacity * (sizeof(struct gn_fill) + sizeof(uint32_t));
}

/* gn_fills_new: an empty table in zeroed memory. gn_fills_join: after a restart: the chains are built anew from the
 * fills themselves; false when the table is none of that capacity. */
void gn_fills_new(struct gn_fills *t, uint32_t capacity);
bool gn_fills_join(struct gn_fills *t, uint32_t capacity) GN_MUST_CHECK;

/* gn_fills_begin: the row of the next fill, match filled in; NULL when t is NULL or was never laid out. The caller
 * fills the rest, but for seq and older, and commits it. */
struct gn_fill *gn_fills_begin(struct gn_fills *t, uint64_t match);
void gn_fills_commit(struct gn_fills *t, struct gn_fill *f);

/* gn_fills_find: the newest fill of this order with this match number; NULL when it is not kept (any more). Two orders
 * of ours that met each other have one match number. */
struct gn_fill *gn_fills_find(struct gn_fills *t, uint32_t session, uint32_t user_ref, uint64_t match);

/* gn_fills_change: for the writer: a fill is broken, or corrected to price, qty, fee and liquidity. */
void gn_fills_change(struct gn_fill *f, uint8_t state, int64_t price, int64_t qty, int64_t fee, uint8_t liquidity);

/* gn_fill_read: fill number `seq`, consistent; false when it is not there (any more) or being written. */
bool gn_fill_read(const struct gn_fills *t, uint64_t seq, struct gn_fill *out);

/* gn_fee_of: fee of a fill by the session's schedule: liquidity added ('A') pays fee_add, everything else fee_remove,
 * in 1/100 of a price mantissa for each share. */
static inline int64_t gn_fee_of(int64_t fee_add, int64_t fee_remove, uint8_t liquidity, int64_t qty)
{
    return qty * (liquidity == 'A' ? fee_add : fee_remove);
}

#endif
