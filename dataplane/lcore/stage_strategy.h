/* Stage strategy: the host of the strategies. Market events, execution reports and time go in; intents come out,
 * stamped with the strategy's number. Pure.
 */
#ifndef GN_LCORE_STAGE_STRATEGY_H
#define GN_LCORE_STAGE_STRATEGY_H

#include "dataplane/abi/metrics.h"
#include "dataplane/engine/strategy/strategy.h"

/* Where intents go: the orders stage itself when fused, a ring when split. */
typedef void gn_intent_sink_fn(void *ctx, const struct gn_intent *in, uint64_t now_ns);

struct gn_strategy_slot {
    const struct gn_strategy_ops *ops;
    void *state;
    bool conf_disabled; /* configured, and switched off there */
    uint64_t beat;      /* of its client, as seen last */
    struct gn_strategy_ctx ctx;
};

struct gn_stage_strategy {
    uint32_t n;
    const struct gn_instruments *instruments;
    struct gn_ring *execs; /* reports from the orders stage */
    uint64_t exec_cursor;
    struct gn_control *control; /* for what clients' beats tell; NULL: nobody asks */
    uint64_t next_timer_ns;
    struct gn_lcore_metrics *m;
    gn_intent_sink_fn *intent_sink;
    void *intent_ctx;
    struct gn_strategy_slot slot[GN_STRATEGIES_MAX];
};

/* gn_stage_strategy_md: an event of the feed stage; has the type of gn_md_sink_fn. */
void gn_stage_strategy_md(void *stage, const struct gn_md *md, uint64_t now_ns);

/* gn_stage_strategy_poll: execution reports that have come, intents of clients, and the timer. At the start of a turn,
 * before market data is looked at: so what a strategy knew when it saw a tick does not depend on turns in between. */
void gn_stage_strategy_poll(struct gn_stage_strategy *s, uint64_t now_ns);

#endif
