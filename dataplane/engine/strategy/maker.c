/* maker: keeps one bid and one offer on each of its instruments, `edge_ticks` behind the best prices, both moved
 * against its inventory, so that it tends to come back to flat. A quote that should be elsewhere is replaced, at most
 * every `requote_us`; at `max_position` the side that would add stops; while the book is stale both quotes are pulled.
 */
#include "dataplane/engine/strategy/strategy.h"

enum quote_state {
    QUOTE_NONE = 0,
    QUOTE_SENT = 1, /* new sent */
    QUOTE_LIVE = 2,
    QUOTE_MOVING = 3,  /* replace sent */
    QUOTE_PULLING = 4, /* cancel sent */
};

struct quote {
    uint64_t id; /* working order, 0 = none */
    int64_t price;
    uint64_t changed_ns;
    uint32_t state; /* enum quote_state */
    uint32_t pad;
};

struct maker_row {
    struct quote quote[2]; /* enum gn_side */
};

static uint64_t footprint(uint32_t max_instruments)
{
    return (uint64_t)max_instruments * sizeof(struct maker_row);
}

static int64_t floor_tick(int64_t price, int64_t tick)
{
    return price - price % tick;
}

/* Where the quote of a side should be; 0 = nowhere. */
static int64_t wanted_price(const struct gn_strategy_ctx *ctx, const struct gn_md *md, uint32_t side)
{
    const int64_t *param = ctx->conf->param;
    int64_t tick = ctx->instruments->row[md->instrument].tick;
    int64_t position = ctx->positions[md->instrument].qty;
    if (md->flags != 0 || md->bid == 0 || md->ask == 0 || md->bid >= md->ask)
        return 0;
    if (side == GN_SIDE_BUY ? position >= param[GN_PARAM_maker_MAX_POSITION]
                            : -position >= param[GN_PARAM_maker_MAX_POSITION])
        return 0;
    int64_t skew = position / param[GN_PARAM_maker_SKEW_QTY] * tick;
    int64_t edge = param[GN_PARAM_maker_EDGE_TICKS] * tick;
    int64_t price = side == GN_SIDE_BUY ? gn_min_i64(md->bid - edge - skew, md->ask - tick)
                                        : gn_max_i64(md->ask + edge - skew, md->bid + tick);
    price = floor_tick(price, tick);
    return price > 0 ? price : 0;
}

static void steer(struct quote *q, struct gn_strategy_ctx *ctx, const struct gn_md *md, uint32_t side)
{
    int64_t price = wanted_price(ctx, md, side);
    struct gn_intent in = {
        .side = (uint8_t)side,
        .tif = GN_TIF_DAY,
        .instrument = md->instrument,
        .target = q->id,
        .price = price,
        .qty = ctx->conf->param[GN_PARAM_maker_QTY],
        .tag = side,
    };
    if (q->state == QUOTE_LIVE && price == 0) {
        in.action = GN_ACTION_CANCEL;
        q->state = QUOTE_PULLING;
    } else if (price == 0 || price == q->price ||
               ctx->now_ns - q->changed_ns < (uint64_t)ctx->conf->param[GN_PARAM_maker_REQUOTE_US] * 1000) {
        return;
    } else if (q->state == QUOTE_NONE) {
        in.action = GN_ACTION_NEW;
        q->state = QUOTE_SENT;
    } else if (q->state == QUOTE_LIVE) {
        in.action = GN_ACTION_REPLACE;
        q->state = QUOTE_MOVING;
    } else {
        return; /* something is in flight: its answer comes first */
    }
    q->price = price;
    q->changed_ns = ctx->now_ns;
    gn_strategy_emit(ctx, &in);
}

static void on_book(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md)
{
    struct maker_row *r = (struct maker_row *)state + md->instrument;
    steer(&r->quote[GN_SIDE_BUY], ctx, md, GN_SIDE_BUY);
    steer(&r->quote[GN_SIDE_SELL], ctx, md, GN_SIDE_SELL);
}

static void on_trade(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md)
{
    (void)state, (void)ctx, (void)md;
}

static void forget(struct quote *q)
{
    q->id = 0;
    q->price = 0;
    q->state = QUOTE_NONE;
}

/* A refusal by the gate leaves what was working as it is. */
static void refused(struct quote *q)
{
    if (q->state == QUOTE_SENT)
        forget(q);
    else if (q->state == QUOTE_MOVING || q->state == QUOTE_PULLING)
        q->state = QUOTE_LIVE;
    q->price = 0; /* asked again at the next change that is due */
}

static void on_exec(void *state, struct gn_strategy_ctx *ctx, const struct gn_exec *e)
{
    struct maker_row *r = (struct maker_row *)state + e->instrument;
    struct quote *q = &r->quote[e->side];
    (void)ctx;
    switch (e->kind) {
    case GN_EXEC_SENT:
        if (q->state == QUOTE_SENT && e->prev_id == 0)
            q->id = e->order_id;
        break;
    case GN_EXEC_GATE_REJECTED:
        refused(q);
        break;
    case GN_EXEC_ACCEPTED:
        if (e->order_id == q->id && q->state == QUOTE_SENT)
            q->state = QUOTE_LIVE;
        break;
    case GN_EXEC_REPLACED:
        if (e->prev_id == q->id) {
            q->id = e->order_id;
            if (q->state == QUOTE_MOVING)
                q->state = QUOTE_LIVE;
        }
        break;
    case GN_EXEC_REJECTED:
        if (e->order_id == q->id)
            forget(q);
        else if (e->prev_id == q->id)
            refused(q);
        break;
    case GN_EXEC_FILLED:
    case GN_EXEC_CANCELED:
        if (e->order_id == q->id && e->leaves == 0)
            forget(q);
        break;
    case GN_EXEC_CANCEL_REJECTED:
        if (e->order_id == q->id && q->state == QUOTE_PULLING)
            q->state = QUOTE_LIVE;
        break;
    default:
        break;
    }
}

static void on_timer(void *state, struct gn_strategy_ctx *ctx)
{
    (void)state, (void)ctx;
}

const struct gn_strategy_ops gn_strategy_maker = {"maker", footprint, on_book, on_trade, on_exec, on_timer};
