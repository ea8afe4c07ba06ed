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

/* Both rings are joined at their first use; a client whose file holds nonsense is not listened to again in this life.
 */
static bool joined(struct gn_strategy_ctx *ctx)
{
    if (ctx->client == NULL || ctx->reports.ring != NULL)
        return ctx->client != NULL;
    struct gn_ring *intents = gn_client_intents(ctx->client);
    struct gn_ring *reports = gn_client_reports(ctx->client, ctx->client_ring_bytes);
    if (gn_ring_peer_join_consumer(&ctx->intents, intents, ctx->client_ring_bytes) == GN_RING_OK &&
        gn_ring_peer_join_producer(&ctx->reports, reports, ctx->client_ring_bytes) == GN_RING_OK)
        return true;
    ctx->client_bad++;
    ctx->client = NULL;
    return false;
}

static void on_exec(void *state, struct gn_strategy_ctx *ctx, const struct gn_exec *exec)
{
    (void)state;
    if (!joined(ctx))
        return;
    int rc = gn_ring_peer_put(&ctx->reports, GN_EV_EXEC_REPORT, exec, sizeof *exec, ctx->now_ns, exec->order_id);
    if (rc == GN_RING_PEER_DONE)
        return;
    ctx->report_lost++;
    ctx->reports.seq++; /* the client sees by the sequence that reports are missing */
    if (rc < 0) {
        ctx->client_bad++;
        ctx->client = NULL;
    }
}

/* False when there is no intent; one that is none of ours in shape has action 0. */
static bool next_intent(struct gn_strategy_ctx *ctx, struct gn_intent *out)
{
    struct gn_rec rec;
    int rc = gn_ring_peer_get(&ctx->intents, &rec, out, sizeof *out);
    if (rc < 0) {
        ctx->client_bad++;
        ctx->client = NULL;
    }
    if (rc != GN_RING_PEER_DONE)
        return false;
    if (rec.type != GN_EV_INTENT || rec.bytes != sizeof rec + sizeof *out)
        out->action = 0;
    return true;
}

static void on_timer(void *state, struct gn_strategy_ctx *ctx)
{
    struct gn_intent in;
    (void)state;
    for (uint32_t i = 0; i < BURST && joined(ctx) && next_intent(ctx, &in); i++) {
        if (in.action == 0)
            ctx->client_bad++;
        else
            gn_strategy_emit(ctx, &in);
    }
}

const struct gn_strategy_ops gn_strategy_client = {"client", footprint, on_market, on_market, on_exec, on_timer};
