/* The risk gate: every intent passes here, on the orders lcore, after the strategy and directly before it is encoded.
 * Fail closed: what is missing, stale or unknown rejects. The first check that fails decides; they run in this order:
 *
 *      shape -> the order it names (working, own, not busy) -> cancel, reduce: quantity, session, budget, done
 *            -> own instrument -> kill ladder -> control plane -> journal -> session -> tradable -> limits are there
 *            -> market sound -> quantity, price -> largest quantity, value -> reference, collar -> position
 *            -> open orders -> budget
 *
 * The gate reads: kill words, limits (read-only to strategies), sessions, best prices, positions, the order an intent
 * names. It writes nothing but its message budgets, and those only in gn_gate_charge.
 */
#ifndef GN_ENGINE_GATE_H
#define GN_ENGINE_GATE_H

#include "dataplane/abi/control.h"
#include "dataplane/abi/event.h"
#include "dataplane/abi/limits.h"
#include "dataplane/abi/market.h"
#include "dataplane/abi/names.h"
#include "dataplane/abi/orders.h"

/* A session's message budget as a generic cell rate: the time at which the bucket would be full again. */
struct gn_gate_budget {
    uint64_t full_ns;
};

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
    uint64_t *instrument; /* max_instruments of them */
    struct gn_gate_news news[GN_GATE_NEWS_MAX];
};

/* What decided: shown to people and journaled. */
struct gn_gate_detail {
    int64_t limit; /* what was allowed */
    int64_t used;  /* what was found */
};

/* The gate's view of the region; pointers are of this process, nothing here is persistent. */
struct gn_gate {
    struct gn_control *control;
    struct gn_gate_words *words; /* NULL: the shared words count as they are at each look */
    struct gn_limits *limits;
    const struct gn_instruments *instruments;
    const struct gn_tob *tob;
    const struct gn_position *positions;
    const struct gn_session_row *sessions;
    const struct gn_order_table *orders;
    uint32_t reader; /* this lcore's number in gn_limits.seen */
    uint32_t max_instruments;
    uint64_t generation;             /* limits in use */
    uint64_t interval_ns;            /* of one message at message_rate, of this generation; 0 = no rate configured */
    uint64_t burst_ns, burst_new_ns; /* tolerance of the bucket for cancels, and for everything else */
    bool control_stale;              /* set by the loop's watch on the heartbeat */
    bool closing;               /* the intent is a person's order to close: the ladder counts as reduce-only for it */
    uint64_t closing_word;      /* while the kill word is still this one; after any later kill it is void */
    bool journal_failed;        /* an event was lost, or the journal reported failure */
    bool journal_late;          /* more records, or older ones, wait for the disk than is allowed */
    struct gn_gate_detail late; /* what is allowed, and what was found */
    struct gn_gate_budget budget[GN_SESSIONS_MAX];
};

/* gn_gate_refresh: takes over a newly published generation of limits; one load when there is none. Once a loop. */
void gn_gate_refresh(struct gn_gate *g);

/* gn_gate_check: the verdict on an intent. target is the working order it names (replace, cancel, reduce), or NULL.
 * detail is filled when the verdict is not GN_VERDICT_OK. */
uint16_t gn_gate_check(const struct gn_gate *g, const struct gn_intent *in, const struct gn_order *target,
                       uint64_t now_ns, struct gn_gate_detail *detail);

/* gn_gate_ladder: the highest ladder level in force for an intent: all, session, strategy, instrument. Words that were
 * raised since they were last looked at are taken, and left in words->news. */
uint32_t gn_gate_ladder(const struct gn_gate *g, const struct gn_intent *in);

/* gn_gate_taken: the same of the words as they are taken; looks at no shared word. */
uint32_t gn_gate_taken(const struct gn_gate *g, const struct gn_intent *in);

/* gn_gate_take_word: takes a word as it is now. True when it is another one than before. */
bool gn_gate_take_word(const struct gn_gate *g, uint32_t scope, uint32_t index, uint64_t word);

/* gn_gate_charge: takes one message from the session's budget: after the message was handed to TCP. */
void gn_gate_charge(struct gn_gate *g, uint32_t session, uint64_t now_ns);

/* gn_gate_refund: gives one message back: it was charged for and is about to be checked again, or was not sent. */
void gn_gate_refund(struct gn_gate *g, uint32_t session);

#endif
