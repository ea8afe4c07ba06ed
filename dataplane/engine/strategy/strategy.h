/* What a strategy is: a row of functions over a block of state that outlives the process. A strategy sees best prices,
 * trades, what became of its orders, and time; it answers with intents. It cannot write anything else: limits,
 * positions and instruments are const to it, and the host stamps its number on what it emits.
 *
 *      on_book   the best bid or offer of one of its instruments changed, or its book became stale or sound again
 *      on_trade  a trade printed on one of its instruments
 *      on_exec   something became of one of its orders
 *      on_timer  once a turn of the loop, at most every GN_STRATEGY_TIMER_NS
 */
#ifndef GN_ENGINE_STRATEGY_H
#define GN_ENGINE_STRATEGY_H

#include "dataplane/abi/client.h"
#include "dataplane/abi/conf.h"
#include "dataplane/abi/event.h"
#include "dataplane/abi/market.h"
#include "dataplane/abi/orders.h"
#include "dataplane/abi/ring_peer.h"
#include "dataplane/abi/strategy_params.h"

#define GN_STRATEGY_TIMER_NS    1000000ull
#define GN_STRATEGY_INTENTS_MAX 16u /* that one call may emit */

struct gn_strategy_ctx {
    const struct gn_conf_strategy *conf;
    const struct gn_instruments *instruments;
    const struct gn_position *positions; /* in the split layout as the orders lcore last wrote them */
    uint32_t index;                      /* its number */
    uint32_t max_instruments;
    uint64_t now_ns;
    uint64_t tick_seq;              /* market data being handled, 0 = none */
    struct gn_client_block *client; /* kind client: its file, else NULL */
    uint64_t client_ring_bytes;
    struct gn_ring_peer intents, reports; /* this side's view of its rings; joined by client.c */
    uint64_t client_bad;                  /* intents and rings that failed their check */
    uint64_t report_lost;                 /* reports the client had no room for */
    uint64_t lost;                        /* intents beyond GN_STRATEGY_INTENTS_MAX */
    uint32_t n;
    struct gn_intent intent[GN_STRATEGY_INTENTS_MAX];
};

struct gn_strategy_ops {
    const char *kind;
    /* footprint: bytes of state for that many instruments, at least 64; the state starts as zeroes */
    uint64_t (*footprint)(uint32_t max_instruments);
    void (*on_book)(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md);
    void (*on_trade)(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md);
    void (*on_exec)(void *state, struct gn_strategy_ctx *ctx, const struct gn_exec *exec);
    void (*on_timer)(void *state, struct gn_strategy_ctx *ctx);
};

extern const struct gn_strategy_ops gn_strategy_touch;
extern const struct gn_strategy_ops gn_strategy_maker;
extern const struct gn_strategy_ops gn_strategy_client;

/* gn_strategy_find: the row of a kind, or NULL. */
const struct gn_strategy_ops *gn_strategy_find(const char *kind);

/* gn_strategy_new: the place of the next intent, a new order; what the context fills in is there, the rest is 0 and the
 * strategy's to write. NULL, and counted, when there is no room. */
static inline struct gn_intent *gn_strategy_new(struct gn_strategy_ctx *ctx)
{
    if (GN_UNLIKELY(ctx->n == GN_STRATEGY_INTENTS_MAX)) {
        ctx->lost++;
        return NULL;
    }
    struct gn_intent *to = &ctx->intent[ctx->n++];
    memset(to, 0, sizeof *to);
    to->action = GN_ACTION_NEW;
    to->session = (uint8_t)ctx->conf->session;
    to->strategy = (uint16_t)ctx->index;
    to->tick_seq = ctx->tick_seq;
    return to;
}

/* gn_strategy_emit: takes an intent; strategy, session and tick_seq are filled in by the context. */
static inline void gn_strategy_emit(struct gn_strategy_ctx *ctx, const struct gn_intent *in)
{
    if (GN_UNLIKELY(ctx->n == GN_STRATEGY_INTENTS_MAX)) {
        ctx->lost++;
        return;
    }
    struct gn_intent *to = &ctx->intent[ctx->n++];
    *to = *in;
    to->strategy = (uint16_t)ctx->index;
    to->session = (uint8_t)ctx->conf->session;
    to->tick_seq = ctx->tick_seq;
}

#endif
