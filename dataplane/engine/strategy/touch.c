/* touch: answers a change of the best bid or offer with one immediate-or-cancel order. It is what the latency harness
 * drives: no state but the last prices, one order per change, no book of its own orders.
 *
 * A quote that moves up is bought, one that moves down is sold: with `cross` at the other side's best price, so that it
 * trades; without, at the near side's, so that the venue answers and nothing trades.
 */
#include "dataplane/engine/strategy/strategy.h"

struct touch_row {
    int64_t bid, ask;
};

struct touch {
    uint64_t changes;
    uint64_t wait; /* changes until the next order; 0 = not counted yet */
    uint64_t pad[6];
    struct touch_row row[];
};

static uint64_t footprint(uint32_t max_instruments)
{
    return sizeof(struct touch) + (uint64_t)max_instruments * sizeof(struct touch_row);
}

static void on_book(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md)
{
    struct touch *t = state;
    struct touch_row *r = &t->row[md->instrument];
    const struct touch_row was = {r->bid, r->ask};
    r->bid = md->bid;
    r->ask = md->ask;
    if (!md->price_moved || md->flags != 0 || md->bid == 0 || md->ask == 0 || was.bid == 0 || was.ask == 0)
        return;
    int64_t moved = md->bid != was.bid ? md->bid - was.bid : md->ask - was.ask;
    if (moved == 0)
        return;
    t->changes++;
    if (t->wait == 0)
        t->wait = (uint64_t)ctx->conf->param[GN_PARAM_touch_EVERY];
    if (--t->wait != 0)
        return;
    bool buy = moved > 0;
    bool cross = ctx->conf->param[GN_PARAM_touch_CROSS] != 0;
    struct gn_intent *in = gn_strategy_new(ctx);
    if (GN_UNLIKELY(in == NULL))
        return;
    in->side = buy ? GN_SIDE_BUY : GN_SIDE_SELL;
    in->tif = GN_TIF_IOC;
    in->instrument = md->instrument;
    in->price = buy == cross ? md->ask : md->bid;
    in->qty = ctx->conf->param[GN_PARAM_touch_QTY];
    in->tag = t->changes;
}

static void on_nothing(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md)
{
    (void)state, (void)ctx, (void)md;
}

static void on_exec(void *state, struct gn_strategy_ctx *ctx, const struct gn_exec *exec)
{
    (void)state, (void)ctx, (void)exec;
}

static void on_timer(void *state, struct gn_strategy_ctx *ctx)
{
    (void)state, (void)ctx;
}

const struct gn_strategy_ops gn_strategy_touch = {"touch", footprint, on_book, on_nothing, on_exec, on_timer};
