/* client: the strategy is a process of the desk's own. Its intents come through the ring in its file and are checked as
 * a packet would be: copied first, then looked at. What became of them goes back through the other ring; a client that
 * does not read loses reports, which is counted, and never holds up the lcore.
 */
#include "dataplane/engine/strategy/strategy.h"

#define BURST 8u /* intents taken per turn: a client cannot keep the lcore from the market */

static uint64_t footprint(uint32_t max_instruments)
{
    (void)max_instruments;
    return 64;
}

static void on_market(void *state, struct gn_strategy_ctx *ctx, const struct gn_md *md)
{
    (void)state, (void)ctx, (void)md; /* the client reads best prices from the observe file */
}

static void on_exec(void *state, struct gn_strategy_ctx *ctx, const struct gn_exec *exec)
{
    (void)state;
    if (ctx->client == NULL)
        return;
    struct gn_ring *r = gn_client_reports(ctx->client, ctx->client_ring_bytes);
    struct gn_rec *rec = gn_ring_reserve(r, GN_EV_EXEC_REPORT, sizeof *rec + sizeof *exec);
    if (rec == NULL) {
        ctx->report_lost++;
        return;
    }
    rec->time_ns = ctx->now_ns;
    rec->corr = exec->order_id;
    memcpy(rec + 1, exec, sizeof *exec);
    gn_ring_publish(r);
}

/* The ring's own geometry was written by the host and may have been overwritten by the client: read once, checked. */
static const struct gn_rec *next_intent(struct gn_strategy_ctx *ctx, struct gn_intent *out)
{
    struct gn_ring *r = gn_client_intents(ctx->client);
    int err = gn_ring_check(r, ctx->client_ring_bytes);
    const struct gn_rec *rec = err == GN_RING_OK ? gn_ring_read(r, &ctx->client_cursor, &err) : NULL;
    if (err != GN_RING_OK) {
        ctx->client_bad++;
        ctx->client = NULL; /* not to be trusted again in this life */
        return NULL;
    }
    if (rec == NULL)
        return NULL;
    if (rec->type == GN_EV_INTENT && rec->bytes == sizeof *rec + sizeof *out)
        memcpy(out, rec + 1, sizeof *out);
    else
        memset(out, 0, sizeof *out);
    gn_ring_release(r, ctx->client_cursor, rec->seq);
    return rec;
}

static void on_timer(void *state, struct gn_strategy_ctx *ctx)
{
    struct gn_intent in;
    (void)state;
    for (uint32_t i = 0; i < BURST && ctx->client != NULL && next_intent(ctx, &in) != NULL; i++) {
        if (in.action == 0)
            ctx->client_bad++;
        else
            gn_strategy_emit(ctx, &in);
    }
}

const struct gn_strategy_ops gn_strategy_client = {"client", footprint, on_market, on_market, on_exec, on_timer};
