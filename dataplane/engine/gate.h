/* The risk gate: every intent passes here, on the orders lcore, after the strategy and directly before it is encoded.
 * Fail closed: what is missing, stale or unknown rejects. The first check that fails decides; they run in this order:
 *
 *      shape -> the order it names (working, own, not busy) -> cancel, reduce: quantity, session, budgets, done
 *            -> own instrument -> kill ladder -> control plane -> journal -> session -> losses -> strategy enabled
 *            -> permission -> tradable -> limits are there -> sums exact -> attribution -> market sound, young, calm
 *            -> quantity, price -> largest quantity, value, least value -> reference, collars -> position, short
 *            -> open orders, exposure, net, day, positions, short period: instrument, theme, strategy, account, venue,
 *               firm
 *            -> duplicates -> own orders -> throttle, budgets of session, venue, strategy
 *
 * Market orders, pegged orders and anything without a limit price are not offered: they cannot be bounded.
 *
 * What decides for most orders is one word: kill words, losses, guards and what is missing are merged into it and it is
 * tested once; the reason is looked for only when it is not zero. The sums of a scope are two cache lines, compared by
 * eight lanes at a time; nothing is divided.
 */
#ifndef GN_ENGINE_GATE_H
#define GN_ENGINE_GATE_H

#include "dataplane/abi/control.h"
#include "dataplane/abi/event.h"
#include "dataplane/abi/limits.h"
#include "dataplane/abi/market.h"
#include "dataplane/abi/names.h"
#include "dataplane/abi/orders.h"
#include "dataplane/engine/risk_state.h"

/* Kill words as this lcore has taken them. A word that is raised counts from the first look that finds it, whoever
 * looks; one that is lowered counts when the lcore's own turn has seen it. So what the gate decides follows from what
 * is journaled, and a release is at most one turn late. */
#define GN_GATE_NEWS_MAX 8u
struct gn_gate_news {
    uint32_t scope; /* enum gn_kill_scope */
    uint32_t index;
    uint64_t word;
};
struct gn_gate_words {
    uint32_t held;   /* words above active */
    uint32_t killed; /* words at killed */
    uint32_t n_news; /* raised words that a look at an intent found and nobody has journaled yet */
    uint32_t pad;
    uint64_t all, session[GN_SESSIONS_MAX], strategy[GN_STRATEGIES_MAX];
    uint64_t theme[GN_THEMES_MAX + 1], account[GN_ACCOUNTS_MAX], venue[GN_VENUES_MAX];
    uint64_t *instrument; /* max_instruments of them */
    struct gn_gate_news news[GN_GATE_NEWS_MAX];
};

/* What decided: shown to people and journaled. */
struct gn_gate_detail {
    int64_t limit;  /* what was allowed */
    int64_t used;   /* what was found */
    uint32_t scope; /* 0: the instrument's or none; else enum gn_scope_row + 1 */
    uint32_t smp;   /* of an order that passed: 1: own orders that it would meet must be cancelled first */
};

/* The gate's view of the region; pointers are of this process. All but `ctx` is set before gn_gate_start. */
struct gn_gate {
    struct gn_control *control;
    struct gn_gate_words *words; /* NULL: the shared words count as they are at each look */
    struct gn_limits *limits;
    const struct gn_instruments *instruments;
    const struct gn_tob *tob;
    const struct gn_position *positions;
    const struct gn_session_row *sessions;
    const struct gn_order_table *orders;
    struct gn_risk *risk;
    const struct gn_conf *conf;
    uint32_t reader; /* this lcore's number in gn_limits.seen */
    uint32_t max_instruments;
    uint64_t generation;        /* limits in use */
    bool control_stale;         /* set by the loop's watch on the heartbeat */
    bool closing;               /* the intent is a person's order to close: the ladder counts as reduce-only for it */
    uint64_t closing_word;      /* while the kill word is still this one; after any later kill it is void */
    bool journal_failed;        /* an event was lost, or the journal reported failure */
    bool again;                 /* what is checked was counted by gn_gate_sent already */
    bool journal_late;          /* more records, or older ones, wait for the disk than is allowed */
    struct gn_gate_detail late; /* what is allowed, and what was found */
    struct gn_risk_ctx ctx;
};

/* gn_gate_start: after the orders were joined: takes the limits over and makes all sums anew. */
void gn_gate_start(struct gn_gate *g, uint64_t now_ns);

/* gn_gate_refresh: takes over a newly published generation of limits; one load when there is none. Once a loop. */
void gn_gate_refresh(struct gn_gate *g);

/* gn_gate_check: the verdict on an intent. target is the working order it names (replace, cancel, reduce), or NULL.
 * detail is filled when the verdict is not GN_VERDICT_OK. A token of two persons that fits a refused order exactly is
 * consumed, and the order passes. */
uint16_t gn_gate_check(struct gn_gate *g, const struct gn_intent *in, const struct gn_order *target, uint64_t now_ns,
                       struct gn_gate_detail *detail);

/* gn_gate_ladder: the highest ladder level in force for an intent: all, session, instrument and the scopes of its
 * chain. Words that were raised since they were last looked at are taken, and left in words->news. */
uint32_t gn_gate_ladder(const struct gn_gate *g, const struct gn_intent *in);

/* gn_gate_taken: the same of the words as they are taken; looks at no shared word. */
uint32_t gn_gate_taken(const struct gn_gate *g, const struct gn_intent *in);

/* gn_gate_take_word: takes a word as it is now. True when it is another one than before. */
bool gn_gate_take_word(const struct gn_gate *g, uint32_t scope, uint32_t index, uint64_t word);

/* gn_gate_words_sum: the sum of all kill words of an intent: it grows with every change of one. */
uint64_t gn_gate_words_sum(const struct gn_gate *g, const struct gn_intent *in);

/* gn_gate_charge: takes one message from the budgets of session, venue and strategy: after it was handed to TCP.
 * strategy GN_NONE32: nobody's, as a mass cancel is. */
void gn_gate_charge(struct gn_gate *g, uint32_t session, uint32_t strategy, uint64_t now_ns);

/* gn_gate_refund: gives one message back: it was charged for and is about to be checked again, or was not sent. */
void gn_gate_refund(struct gn_gate *g, uint32_t session, uint32_t strategy);

/* gn_gate_sent: a new order or replacement is in the position: sums, short-period sums, duplicates, repeats. */
void gn_gate_sent(struct gn_gate *g, const struct gn_intent *in, uint64_t now_ns);

/* gn_gate_moved: an order or the position of the instrument changed: every sum follows. */
static inline void gn_gate_moved(struct gn_gate *g, uint32_t instrument)
{
    gn_risk_sync(&g->ctx, instrument);
}

/* gn_gate_filled: the instrument was traded: the strategy's next order is a repetition. */
static inline void gn_gate_filled(struct gn_gate *g, uint32_t instrument)
{
    g->risk->instrument[instrument].executed = 1;
}

/* gn_gate_meets: true when the intent would meet this own order: other side, crossing price, working. */
static inline bool gn_gate_meets(const struct gn_intent *in, const struct gn_order *o)
{
    if (o->side == in->side || !gn_order_working(o->state))
        return false;
    return in->side == GN_SIDE_BUY ? o->price <= in->price : o->price >= in->price;
}

/* gn_verdict_can_lift: verdicts that an override token may lift. */
bool gn_verdict_can_lift(uint32_t verdict);

#endif
