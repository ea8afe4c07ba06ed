/* The gate once more, slow and obvious: written from the texts of GN_VERDICTS and the headers of the limits, not from
 * gate.c. Each question is a function of its own that returns whether the rule is broken; gate_model_verdict asks them
 * in order.
 */
#ifndef GN_TESTS_PROPERTY_GATE_MODEL_H
#define GN_TESTS_PROPERTY_GATE_MODEL_H

#include "tests/property/gate_world.h"

/* A session's bucket of messages, in tokens of 1 / NS_PER_S of a message, refilled when it is looked at. */
struct gate_model {
    struct {
        bool started;
        gn_i128 tokens;
        uint64_t at_ns;
    } bucket[GN_SESSIONS_MAX];
};

uint16_t gate_model_verdict(struct gate_model *m, struct gate_world *w, const struct gn_intent *in,
                            const struct gn_order *target);
void gate_model_charge(struct gate_model *m, struct gate_world *w, uint32_t session);

#endif
