#include "dataplane/lcore/stage_strategy.h"

#include "dataplane/abi/control.h"

/* Hands on what a strategy emitted in the call that just returned. */
static inline void flush(struct gn_stage_strategy *s, struct gn_strategy_slot *k, uint64_t now_ns)
{
    for (uint32_t i = 0; i < k->ctx.n; i++)
        s->intent_sink(s->intent_ctx, &k->ctx.intent[i], now_ns);
    k->ctx.n = 0;
    if (GN_UNLIKELY(k->ctx.lost != 0)) {
        s->m->intents_lost += k->ctx.lost;
        k->ctx.lost = 0;
    }
}

void gn_stage_strategy_md(void *stage, const struct gn_md *md, uint64_t now_ns)
{
    struct gn_stage_strategy *s = stage;
    uint32_t owner = s->instruments->row[md->instrument].strategy;
    if (owner >= s->n)
        return;
    struct gn_strategy_slot *k = &s->slot[owner];
    if (k->conf_disabled)
        return;
    k->ctx.now_ns = now_ns;
    k->ctx.tick_seq = md->tick_seq;
    if (md->kind == GN_MD_TRADE)
        k->ops->on_trade(k->state, &k->ctx, md);
    else
        k->ops->on_book(k->state, &k->ctx, md);
    flush(s, k, now_ns);
}

/* All that was there when the turn began; what these reports cause is for the next turn. A report is told at the time
 * of what it reports. */
static void poll_execs(struct gn_stage_strategy *s, uint64_t now_ns)
{
    const struct gn_rec *rec;
    const uint64_t until = atomic_load_explicit(&s->execs->head, memory_order_acquire);
    uint64_t last = 0;
    int err;
    while (s->exec_cursor != until && (rec = gn_ring_read(s->execs, &s->exec_cursor, &err)) != NULL) {
        const struct gn_exec *e = (const struct gn_exec *)(rec + 1);
        last = rec->seq;
        if (e->strategy >= s->n)
            continue;
        struct gn_strategy_slot *k = &s->slot[e->strategy];
        k->ctx.now_ns = rec->time_ns;
        k->ctx.tick_seq = e->tick_seq;
        k->ops->on_exec(k->state, &k->ctx, e);
        flush(s, k, now_ns);
    }
    if (last != 0)
        gn_ring_release(s->execs, s->exec_cursor, last);
}

/* A client that moves its beat is heard; the orders stage watches how long ago that was. */
static void hear_client(struct gn_stage_strategy *s, struct gn_strategy_slot *k, uint64_t now_ns)
{
    const uint32_t client = k->ctx.conf->client;
    if (k->ctx.client == NULL || s->control == NULL || client >= GN_CLIENTS_MAX)
        return;
    uint64_t beat = atomic_load_explicit(&k->ctx.client->beat, memory_order_relaxed);
    if (beat == k->beat)
        return;
    k->beat = beat;
    atomic_store_explicit(&s->control->client_heard_ns[client], now_ns, memory_order_relaxed);
}

/* The timer falls on the multiples of its period, whenever turns happen; a turn that was long takes up all it missed.
 */
static void poll_timers(struct gn_stage_strategy *s, uint64_t now_ns)
{
    if (s->next_timer_ns == 0)
        s->next_timer_ns = now_ns - now_ns % GN_STRATEGY_TIMER_NS;
    for (; s->next_timer_ns <= now_ns; s->next_timer_ns += GN_STRATEGY_TIMER_NS)
        for (uint32_t i = 0; i < s->n; i++) {
            struct gn_strategy_slot *k = &s->slot[i];
            if (k->conf_disabled)
                continue;
            hear_client(s, k, now_ns);
            k->ctx.now_ns = s->next_timer_ns;
            k->ctx.tick_seq = 0;
            k->ops->on_timer(k->state, &k->ctx);
            flush(s, k, now_ns);
            s->m->client_bad += k->ctx.client_bad;
            s->m->execs_lost += k->ctx.report_lost;
            k->ctx.client_bad = k->ctx.report_lost = 0;
        }
}

/* Clients are asked every turn, so that an intent of theirs waits for no timer. */
static void poll_clients(struct gn_stage_strategy *s, uint64_t now_ns)
{
    for (uint32_t i = 0; i < s->n; i++) {
        struct gn_strategy_slot *k = &s->slot[i];
        if (k->conf_disabled || k->ctx.client == NULL || gn_ring_used(gn_client_intents(k->ctx.client)) == 0)
            continue;
        k->ctx.now_ns = now_ns;
        k->ctx.tick_seq = 0;
        k->ops->on_timer(k->state, &k->ctx);
        flush(s, k, now_ns);
    }
}

void gn_stage_strategy_poll(struct gn_stage_strategy *s, uint64_t now_ns)
{
    if (gn_ring_used(s->execs) != 0)
        poll_execs(s, now_ns);
    poll_clients(s, now_ns);
    if (GN_UNLIKELY(now_ns >= s->next_timer_ns))
        poll_timers(s, now_ns);
}
