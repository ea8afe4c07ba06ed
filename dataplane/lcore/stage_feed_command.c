/* Commands of the control plane to the feed: the books are built anew. */
#include "dataplane/lcore/stage_feed.h"

#define LOOK_NS 1000000ull /* between two looks: an idle turn stays short */

void gn_stage_feed_command_start(struct gn_stage_feed *f)
{
    if (f->commands == NULL)
        return;
    f->bell_seen = atomic_load_explicit(&f->commands->bell_feed, memory_order_acquire);
    for (uint32_t i = 0; i < GN_COMMAND_SLOTS; i++) {
        struct gn_command *c = &f->commands->slot[i];
        uint64_t number = atomic_load_explicit(&c->asked, memory_order_acquire);
        if (c->kind == GN_COMMAND_REBUILD && !gn_command_free(c))
            gn_command_answer(c, number, GN_COMMAND_LOST);
    }
}

void gn_stage_feed_rebuild(struct gn_stage_feed *f, uint64_t now_ns)
{
    uint32_t count = atomic_load_explicit(&f->instruments->count, memory_order_relaxed);
    struct gn_ev_gap gap = {.from = 1, .to = f->arb->next, .what = GN_GAP_REBUILD};
    atomic_store_explicit(&f->instruments->stale, 1, memory_order_relaxed); /* first: nobody trades on what goes now */
    f->told_stale = true;
    gn_feed_tell_all(f, GN_MD_STALE, now_ns);
    gn_books_reset(f->books);
    gn_arb_reset(f->arb, 1);
    memset(f->locate, 0, sizeof(uint32_t) * GN_LOCATES);
    for (uint32_t i = 0; i < count; i++) {
        gn_feed_set_flag(f, i, GN_MD_STALE, false); /* the gap that is open now says it of all */
        memset(&f->rows[i], 0, sizeof f->rows[i]);  /* until its book has an order again */
    }
    struct gn_rec *rec = gn_ring_reserve(f->events, GN_EV_GAP, (uint32_t)(sizeof *rec + sizeof gap));
    if (rec == NULL) { /* what cannot be journaled must not be traded on */
        f->m->events_lost++;
        gn_kill_raise(&f->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_DATAPLANE);
        return;
    }
    rec->time_ns = now_ns;
    rec->corr = GN_CORR_OWN | rec->seq;
    memcpy(rec + 1, &gap, sizeof gap);
}

GN_COLD void gn_feed_take_commands(struct gn_stage_feed *f, uint64_t now_ns)
{
    f->look_ns = f->commands == NULL ? UINT64_MAX : now_ns + LOOK_NS;
    if (f->commands == NULL)
        return;
    uint64_t bell = atomic_load_explicit(&f->commands->bell_feed, memory_order_acquire);
    if (bell == f->bell_seen)
        return;
    f->bell_seen = bell;
    for (uint32_t i = 0; i < GN_COMMAND_SLOTS; i++) {
        struct gn_command *c = &f->commands->slot[i];
        /* acquire: pairs with the control plane's release; the fields are there */
        uint64_t number = atomic_load_explicit(&c->asked, memory_order_acquire);
        if (c->kind != GN_COMMAND_REBUILD || gn_command_free(c))
            continue;
        gn_stage_feed_rebuild(f, now_ns);
        gn_command_answer(c, number, GN_COMMAND_DONE);
    }
}
