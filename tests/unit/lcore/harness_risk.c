/* The risk section of the harness, and limits that change while it runs. */
#include <stdlib.h>

#include "tests/unit/lcore/harness.h"

void gn_h_make_risk(struct gn_h *h)
{
    struct gn_conf *c = &h->conf;
    c->risk = (struct gn_conf_risk){
        .window_ms = 1000, .duplicate_ms = 1000, .velocity_ms = 1000, .period_ms = 60000, .mark_us = 10};
    for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
        c->strategy[i].algo_id = i + 1;
    gn_risk_new(h->risk, c->max_instruments);
    for (uint32_t i = 0; i < c->n_instruments; i++) {
        const struct gn_instrument *k = &h->instruments->row[i];
        const struct gn_conf_instrument conf = {.price_exp = k->price_exp,
                                                .strategy = k->strategy,
                                                .tick = k->tick,
                                                .lot = k->lot,
                                                .theme = GN_NONE32,
                                                .multiplier = 1,
                                                .fx_ppm = 1000000};
        if (!gn_risk_describe(h->risk, i, c, &conf))
            abort();
    }
}

void gn_h_limits(struct gn_h *h)
{
    const uint64_t now = gn_limits_current(h->limits);
    memcpy(gn_limits_firm_row(h->limits, now + 1), gn_limits_firm_row(h->limits, now),
           gn_limits_half_bytes(h->limits->rows));
    gn_limits_publish(h->limits);
    gn_gate_refresh(&h->stage.gate);
}
