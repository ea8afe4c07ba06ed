/* Between the files of the slow model. */
#ifndef GN_TESTS_PROPERTY_GATE_MODEL_IMPL_H
#define GN_TESTS_PROPERTY_GATE_MODEL_IMPL_H

#include "tests/property/gate_model.h"

struct question {
    struct gate_world *w;
    struct gate_model *m;
    const struct gn_intent *in;
    const struct gn_order *target;
    const struct gn_limits_instrument *limit;
    const struct gn_limits_scope *firm;
    uint64_t lift; /* verdicts that a token lifts */
};

/* As gate_world.c lays them out; the instrument that is not configured has no theme. */
uint32_t gm_theme_of(uint32_t instrument);
uint32_t gm_account_of(uint32_t instrument);

/* gm_effective: the scope's own limit, or its parent's. */
int64_t gm_effective(const struct question *q, uint32_t row, uint32_t field);

/* gm_lifted: a token lifts the verdict. */
bool gm_lifted(const struct question *q, uint32_t verdict);

/* gm_sums: the verdict of the first sum that the order would take beyond its limit. */
uint16_t gm_sums(const struct question *q);

#endif
