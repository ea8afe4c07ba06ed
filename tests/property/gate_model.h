/* The gate once more, slow and obvious: written from the texts of GN_VERDICTS and the headers of limits and risk rows,
 * not from gate.c. Each question is a function of its own that returns whether the rule is broken; gate_model_verdict
 * asks them in order. Sums are added up from all positions each time, windows from a list of everything that was sent.
 */
#ifndef GN_TESTS_PROPERTY_GATE_MODEL_H
#define GN_TESTS_PROPERTY_GATE_MODEL_H

#include "tests/property/gate_world.h"

#define GM_SENT 4096u /* orders that are remembered: more than fit in any window */

/* A bucket of messages, in tokens of 1 / NS_PER_S of a message, refilled when it is looked at. */
struct gm_bucket {
    bool started;
    gn_i128 tokens;
    uint64_t at_ns;
};

struct gm_sent {
    uint64_t at_ns;
    uint32_t instrument;
    uint8_t side;
    int64_t qty, price;
};

/* The last eight orders that differ, by instrument. */
struct gm_same {
    bool there;
    uint8_t side;
    int64_t qty, price;
    uint64_t first_ns;
    uint32_t count;
};

struct gm_market {
    uint64_t tick_seq;
    int64_t seen[5]; /* the last prices, oldest first */
    uint32_t n;
    int64_t mark;
    uint64_t sound_ns;
    int64_t moved_from, period_mark;
    uint64_t moved_ns, period_ns;
    bool moved;
};

struct gate_model {
    struct gm_bucket session[GN_SESSIONS_MAX], venue[GN_VENUES_MAX], strategy[GN_STRATEGIES_MAX];
    uint64_t last_ns[GN_STRATEGIES_MAX]; /* of new risk; 0 = never */
    struct gm_sent sent[GM_SENT];
    uint64_t n_sent;
    struct gm_same same[GW_INSTRUMENTS][8];
    struct gm_market market[GW_INSTRUMENTS];
    bool executed[GW_INSTRUMENTS];
    int64_t repeats[GN_STRATEGIES_MAX];
    bool disabled[GN_STRATEGIES_MAX];
    uint64_t token_used[GN_OVERRIDES];
};

uint16_t gate_model_verdict(struct gate_model *m, struct gate_world *w, const struct gn_intent *in,
                            const struct gn_order *target);
/* gate_model_charge: a message was sent. gate_model_sent: it was new risk. */
void gate_model_charge(struct gate_model *m, struct gate_world *w, uint32_t session, uint32_t strategy);
void gate_model_sent(struct gate_model *m, struct gate_world *w, const struct gn_intent *in);

#endif
