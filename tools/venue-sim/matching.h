/* OUCH 5.0 orders against the replayed market.
 *
 *     gn_match_input   a decoded client message       --> emit: accepted, executed 'R', canceled, rejected, ...
 *     gn_match_market  what a published message did   --> emit: executed 'A' of resting orders
 *
 * Marketable orders fill at displayed size, level by level, at the displayed prices; what they consume is remembered
 * with the level (book.h). What is left rests by price and time, is not displayed, and fills at its own limit price,
 * when
 *     - the market trades at a price that is better for us than ours: up to the size of that trade;
 *     - the other side's best price reaches ours: up to its displayed size that is not yet consumed.
 * Orders of our clients never meet each other.
 *
 * Sequence and lifetime rules of OUCH 5.0: UserRefNum grows strictly within an account, repeated or older ones are
 * ignored; a cancel, modification or replacement of an order that is not live is ignored; an invalid replacement
 * cancels its order without using up its UserRefNum. Quantities of cancel, modify and replace are totals over the life
 * of the order and its replacements: what was executed counts against them.
 */
#ifndef GN_SIM_MATCHING_H
#define GN_SIM_MATCHING_H

#include "dataplane/abi/base.h"
#include "drivers/venue/nasdaq/ouch.h"
#include "tools/venue-sim/account.h"
#include "tools/venue-sim/book.h"
#include "tools/venue-sim/impair.h"

#define GN_MATCH_SESSIONS_MAX 64u
#define GN_MATCH_ORDERS_MAX   (1u << 20) /* live orders, of all sessions */
#define GN_MATCH_QTY_MAX      999999u
#define GN_MATCH_PRICE_MAX    1999999900u /* 199,999.9900 */

/* OUCH 5.0 reject reasons that the simulator gives by itself (appendix of the specification). */
enum gn_match_reject {
    GN_MATCH_REJECT_DISPLAY = 0x03,
    GN_MATCH_REJECT_HALTED = 0x07,
    GN_MATCH_REJECT_SIDE = 0x09,
    GN_MATCH_REJECT_DISABLED = 0x0c, /* firm not authorized: order entry was disabled */
    GN_MATCH_REJECT_OTHER = 0x0f,    /* unknown time in force, no room */
    GN_MATCH_REJECT_QTY = 0x13,
    GN_MATCH_REJECT_REPLACE = 0x15,
    GN_MATCH_REJECT_SYMBOL = 0x17,
    GN_MATCH_REJECT_PRICE = 0x1d,
};

/* X(member, "help") */
#define GN_MATCH_STATS(X)                                                                        \
    X(enter, "enter order messages")                                                             \
    X(replace, "replace messages")                                                               \
    X(cancel, "cancel messages")                                                                 \
    X(modify, "modify messages")                                                                 \
    X(mass_cancel, "mass cancel messages")                                                       \
    X(disable, "disable order entry messages")                                                   \
    X(enable, "enable order entry messages")                                                     \
    X(query, "account query messages")                                                           \
    X(ignored_old_ref, "messages ignored: UserRefNum repeated or older than the last")           \
    X(ignored_dead, "cancels, modifications and replacements ignored: the order is not live")    \
    X(ignored_no_effect, "cancels and modifications ignored: they would not lower the quantity") \
    X(ignored_type, "messages ignored: not one that a client sends")                             \
    X(taker_fills, "executions on entry")                                                        \
    X(maker_fills, "executions of resting orders")

struct gn_match_stats {
#define GN_X(member, help) uint64_t member;
    GN_MATCH_STATS(GN_X)
#undef GN_X
    uint64_t rejects[64]; /* by reason; the last one for all above */
};

struct gn_match;

struct gn_match_config {
    struct gn_sim_books *books;
    struct gn_account *account; /* rows for as many instruments as books can have */
    struct gn_impair *impair;   /* may be NULL */
    uint32_t orders_max;        /* 1 to GN_MATCH_ORDERS_MAX */
    uint32_t instruments_max;
    /* takes a message to a session's client; called within _input, _market and _cancel_all */
    void (*emit)(void *arg, uint32_t session, const struct gn_ouch_msg *m);
    void *arg;
};

/* gn_match_new: NULL when a value is out of range or memory is short. */
struct gn_match *gn_match_new(const struct gn_match_config *config);
void gn_match_free(struct gn_match *m);

/* gn_match_input: one client message of a session (an OUCH account, below GN_MATCH_SESSIONS_MAX); venue_ns is put into
 * the answers, ns since midnight. */
void gn_match_input(struct gn_match *m, uint32_t session, const struct gn_ouch_msg *in, uint64_t venue_ns);

/* gn_match_market: after every message applied to the books. */
void gn_match_market(struct gn_match *m, const struct gn_sim_change *change, uint64_t venue_ns);

/* gn_match_cancel_all: cancels every live order of a session with that reason letter; returns how many. */
uint32_t gn_match_cancel_all(struct gn_match *m, uint32_t session, char reason, uint64_t venue_ns);

const struct gn_match_stats *gn_match_stats(const struct gn_match *m);

/* gn_match_live: live orders of a session. */
uint32_t gn_match_live(const struct gn_match *m, uint32_t session);

/* gn_match_next_ref: lowest UserRefNum that the session would take. */
uint32_t gn_match_next_ref(const struct gn_match *m, uint32_t session);

#endif
