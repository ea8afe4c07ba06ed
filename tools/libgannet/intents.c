/* Intents out, reports back. A record of the intent ring is a struct gn_intent, one of the report ring a struct
 * gn_exec; both are this library's business alone: the caller sees the structures of gannet.h.
 */
#include "tools/libgannet/handle.h"

static_assert((int)GANNET_BUY == GN_SIDE_BUY && (int)GANNET_SELL == GN_SIDE_SELL, "sides are passed on as they are");
static_assert((int)GANNET_DAY == GN_TIF_DAY && (int)GANNET_IOC == GN_TIF_IOC, "so are times in force");
static_assert(GANNET_ALL == GN_NONE32, "and the absent instrument");

/* X(number of gannet.h, number of the ABI, "name") */
#define REPORT_KINDS(X)                                                   \
    X(GANNET_SENT, GN_EXEC_SENT, "sent")                                  \
    X(GANNET_GATE_REJECTED, GN_EXEC_GATE_REJECTED, "gate_rejected")       \
    X(GANNET_ACCEPTED, GN_EXEC_ACCEPTED, "accepted")                      \
    X(GANNET_REJECTED, GN_EXEC_REJECTED, "rejected")                      \
    X(GANNET_FILLED, GN_EXEC_FILLED, "filled")                            \
    X(GANNET_CANCELED, GN_EXEC_CANCELED, "canceled")                      \
    X(GANNET_REPLACED, GN_EXEC_REPLACED, "replaced")                      \
    X(GANNET_CANCEL_REJECTED, GN_EXEC_CANCEL_REJECTED, "cancel_rejected") \
    X(GANNET_MODIFIED, GN_EXEC_MODIFIED, "modified")                      \
    X(GANNET_IN_DOUBT, GN_EXEC_IN_DOUBT, "in_doubt")                      \
    X(GANNET_BROKEN, GN_EXEC_BROKEN, "broken")                            \
    X(GANNET_RESTATED, GN_EXEC_RESTATED, "restated")                      \
    X(GANNET_CORRECTED, GN_EXEC_CORRECTED, "corrected")

#define GN_X(ours, theirs, name) static_assert((int)ours == (int)theirs, "report kinds are passed on as they are");
REPORT_KINDS(GN_X)
#undef GN_X

const char *gannet_report_name(uint32_t kind)
{
    static const char *const names[] = {
#define GN_X(ours, theirs, name) [ours] = name,
        REPORT_KINDS(GN_X)
#undef GN_X
    };
    return kind < GN_ARRAY_LEN(names) && names[kind] != NULL ? names[kind] : "unknown";
}

const char *gannet_verdict_name(uint32_t reason)
{
    return gn_verdict_name(reason);
}

const char *gannet_verdict_help(uint32_t reason)
{
    return gn_verdict_help(reason);
}

/* ---- intents ---- */

static int send(struct gannet *g, const struct gn_intent *in)
{
    if (g->corrupt)
        return GANNET_ERR_CORRUPT;
    if (in->instrument >= gannet_instruments(g) && (in->action != GN_ACTION_MASS_CANCEL || in->instrument != GN_NONE32))
        return GANNET_ERR_INSTRUMENT;
    int rc = gn_ring_peer_put(&g->intents, GN_EV_INTENT, in, sizeof *in, 0, in->tag);
    if (rc == GN_RING_PEER_DONE)
        return GANNET_OK;
    g->corrupt = rc < 0;
    return rc < 0 ? GANNET_ERR_CORRUPT : GANNET_ERR_FULL;
}

static int send_order(struct gannet *g, uint8_t action, uint64_t target, const struct gannet_order *o)
{
    if (o->side > GN_SIDE_SELL || o->tif > GN_TIF_IOC || o->price <= 0 || o->qty <= 0)
        return GANNET_ERR_INTENT;
    struct gn_intent in = {.action = action,
                           .side = o->side,
                           .tif = o->tif,
                           .instrument = o->instrument,
                           .target = target,
                           .price = o->price,
                           .qty = o->qty,
                           .tag = o->tag};
    return send(g, &in);
}

int gannet_send_new(struct gannet *g, const struct gannet_order *order)
{
    return send_order(g, GN_ACTION_NEW, 0, order);
}

int gannet_send_replace(struct gannet *g, uint64_t order_id, const struct gannet_order *order)
{
    return send_order(g, GN_ACTION_REPLACE, order_id, order);
}

int gannet_send_cancel(struct gannet *g, uint32_t instrument, uint64_t order_id, uint64_t tag)
{
    struct gn_intent in = {.action = GN_ACTION_CANCEL, .instrument = instrument, .target = order_id, .tag = tag};
    return send(g, &in);
}

int gannet_send_reduce(struct gannet *g, uint32_t instrument, uint8_t side, uint64_t order_id, int64_t qty,
                       uint64_t tag)
{
    struct gn_intent in = {
        .action = GN_ACTION_REDUCE, .side = side, .instrument = instrument, .target = order_id, .qty = qty, .tag = tag};
    return side > GN_SIDE_SELL || qty <= 0 ? GANNET_ERR_INTENT : send(g, &in);
}

int gannet_send_mass_cancel(struct gannet *g, uint32_t instrument)
{
    struct gn_intent in = {.action = GN_ACTION_MASS_CANCEL, .instrument = instrument};
    return send(g, &in);
}

/* ---- reports ---- */

static bool sane(const struct gannet *g, const struct gn_rec *rec, const struct gn_exec *e)
{
    return rec->type == GN_EV_EXEC_REPORT && rec->bytes == sizeof *rec + sizeof *e && e->kind >= GN_EXEC_SENT &&
           e->kind <= GN_EXEC_RESTATED && e->side <= GN_SIDE_SELL && e->state < GN_ORDER_STATE_COUNT &&
           e->instrument < g->room;
}

int gannet_next_report(struct gannet *g, struct gannet_report *out)
{
    struct gn_exec e;
    struct gn_rec rec;
    if (g->corrupt)
        return GANNET_ERR_CORRUPT;
    uint64_t expected = g->reports.seq;
    int rc = gn_ring_peer_get(&g->reports, &rec, &e, sizeof e);
    if (rc == GN_RING_PEER_NOTHING)
        return 0;
    if (rc < 0 || !sane(g, &rec, &e)) {
        g->corrupt = true;
        return GANNET_ERR_CORRUPT;
    }
    g->reports.seq = rec.seq + 1;
    *out = (struct gannet_report){
        .kind = e.kind,
        .instrument = e.instrument,
        .reason = e.reason,
        .side = e.side,
        .working = gn_order_working(e.state),
        .liquidity = e.liquidity,
        .order_id = e.order_id,
        .prev_id = e.prev_id,
        .price = e.price,
        .qty = e.qty,
        .leaves = e.leaves,
        .cum = e.cum,
        .position = e.position,
        .tag = e.tag,
        .tick_seq = e.tick_seq,
        .match = e.match,
        .time_ns = rec.time_ns,
        .missed = rec.seq > expected ? rec.seq - expected : 0,
    };
    return 1;
}
