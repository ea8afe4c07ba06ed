/* The tables of a replay: as large as the configuration makes those of the data plane. */
#include <stdlib.h>
#include <sys/mman.h>

#include "tools/replay/backtest_impl.h"

#define CLIENT_CELLS GN_RING_CELLS_MIN

static void *take(struct gn_replay *r, uint64_t bytes)
{
    const uint64_t room = gn_align_up(bytes == 0 ? 1 : bytes, GN_GUARD);
    if (r->n_blocks == GN_REPLAY_BLOCKS)
        return NULL;
    /* zero by itself, page by page as it is used: most of the tables never is */
    void *mem = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED)
        return NULL;
    (void)madvise(mem, room, MADV_HUGEPAGE); /* a wish: fewer misses in the table of pages */
    r->block_bytes[r->n_blocks] = room;
    r->block[r->n_blocks++] = mem;
    return mem;
}

uint64_t gn_replay_strategy_bytes(const struct gn_conf *c, uint32_t i)
{
    const struct gn_strategy_ops *ops = gn_strategy_find(c->strategy[i].kind);
    return ops == NULL ? 0 : gn_align_up(ops->footprint(c->max_instruments), GN_GUARD);
}

static bool take_shared(struct gn_replay *r)
{
    const struct gn_conf *c = r->conf;
    const uint64_t n = c->max_instruments;
    struct gn_stage_feed *f = &r->feed;
    struct gn_stage_orders *o = &r->orders;
    o->control = f->control = take(r, sizeof *f->control + n * sizeof(uint64_t));
    o->gate.limits = take(r, gn_limits_footprint(c->max_instruments));
    o->gate.risk = take(r, gn_risk_footprint(c->max_instruments));
    o->orders = take(r, gn_orders_footprint(c->max_orders));
    o->positions = take(r, n * sizeof *o->positions);
    o->fills = take(r, gn_fills_footprint(c->max_orders));
    o->recon = take(r, sizeof *o->recon);
    o->rows = take(r, GN_SESSIONS_MAX * sizeof *o->rows);
    o->commands = take(r, sizeof *o->commands);
    f->instruments = take(r, sizeof *f->instruments + n * sizeof(struct gn_instrument));
    f->tob = take(r, n * sizeof *f->tob);
    f->rows = take(r, n * sizeof *f->rows);
    return o->control != NULL && o->gate.limits != NULL && o->gate.risk != NULL && o->orders != NULL &&
           o->positions != NULL && o->fills != NULL && o->recon != NULL && o->rows != NULL && o->commands != NULL &&
           f->instruments != NULL && f->tob != NULL && f->rows != NULL;
}

static bool take_own(struct gn_replay *r)
{
    const struct gn_conf *c = r->conf;
    struct gn_stage_feed *f = &r->feed;
    struct gn_stage_orders *o = &r->orders;
    gn_stage_feed_arb_config(c, &r->arb_config);
    for (uint32_t i = 0; i < c->n_strategies; i++)
        r->own_state_bytes += gn_replay_strategy_bytes(c, i);
    r->books = take(r, gn_books_footprint(c->max_instruments, c->book_orders, c->book_levels));
    r->own_state = take(r, r->own_state_bytes);
    r->events = take(r, gn_ring_footprint(GN_REPLAY_EVENT_CELLS));
    r->execs = take(r, gn_ring_footprint(c->stage_ring_cells));
    r->client = take(r, sizeof *r->client + gn_ring_footprint(CLIENT_CELLS));
    f->arb = take(r, gn_arb_footprint(&r->arb_config));
    f->locate = take(r, sizeof(uint32_t) * GN_LOCATES);
    o->state = take(r, GN_SESSIONS_MAX * sizeof *o->state);
    o->templates = take(r, 2 * sizeof *o->templates * (uint64_t)c->n_instruments);
    o->words.instrument = take(r, sizeof(uint64_t) * c->max_instruments);
    if (r->books == NULL || r->own_state == NULL || r->events == NULL || r->execs == NULL || r->client == NULL ||
        f->arb == NULL || f->locate == NULL || o->state == NULL || o->templates == NULL || o->words.instrument == NULL)
        return false;
    memcpy(r->client->pad, &r, sizeof(void *));
    atomic_store_explicit(&gn_client_intents(r->client)->head, 1, memory_order_relaxed);
    return true;
}

int gn_replay_new(const struct gn_conf *conf, const struct gn_conf_instrument *instruments, struct gn_replay **out)
{
    struct gn_replay *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return GN_REPLAY_ERR_NOMEM;
    r->conf = conf;
    r->instruments = instruments;
    int rc = conf->journal.mode != GN_JOURNAL_ASYNC || conf->journal.inputs == 0 ? GN_REPLAY_ERR_LAYOUT : GN_REPLAY_OK;
    if (rc == GN_REPLAY_OK && (!take_shared(r) || !take_own(r)))
        rc = GN_REPLAY_ERR_NOMEM;
    if (rc == GN_REPLAY_OK)
        *out = r;
    else
        gn_replay_free(r);
    return rc;
}

void gn_replay_free(struct gn_replay *r)
{
    if (r == NULL)
        return;
    for (uint32_t i = 0; i < r->n_blocks; i++)
        (void)munmap(r->block[i], r->block_bytes[i]);
    gn_backtest_free(r->backtest);
    free(r->group.bytes);
    free(r->group.at);
    free(r);
}
