/* Commands of the control plane, done by the orders lcore between two turns. What a slot asks is read once, into a copy
 * of ours: the slot is another process's memory, and what was checked is what is used.
 */
#include "dataplane/lcore/stage_orders.h"

struct asked {
    uint64_t number;
    uint32_t kind, index;
    int64_t side, qty, price;
    uint64_t word;
};

static void refuse(struct gn_command *c, uint64_t number, int64_t why)
{
    c->value[0] = why;
    gn_command_answer(c, number, GN_COMMAND_REFUSED);
}

static uint32_t session_state(const struct gn_stage_orders *s, uint32_t i)
{
    return atomic_load_explicit(&s->rows[i].state, memory_order_relaxed);
}

static int64_t open_of(const struct gn_stage_orders *s, uint32_t session)
{
    int64_t n = 0;
    for (uint32_t i = s->orders->list_head; i != GN_NONE32; i = s->orders->order[i].list_next)
        n += s->orders->order[i].session == session;
    return n;
}

/* The query is sequenced behind everything that was sent before it, so its answer is a fence: what the venue has not
 * taken off its book by then, it will not. */
static void start_query(struct gn_stage_orders *s, uint32_t slot, const struct asked *a, uint64_t now_ns)
{
    struct gn_command *c = &s->commands->slot[slot];
    if (a->index >= s->conf->n_sessions || session_state(s, a->index) != GN_SESSION_UP) {
        refuse(c, a->number, a->index < s->conf->n_sessions ? session_state(s, a->index) : 0);
        return;
    }
    if (!gn_session_query(s, a->index, now_ns)) {
        refuse(c, a->number, GN_SESSION_UP); /* TCP has no room now: asked again by whoever wants to know */
        return;
    }
    s->fence[slot] = s->state[a->index].queries;
    s->fence_logins[slot] = s->rows[a->index].logins;
    s->fence_session[slot] = a->index;
    s->fence_number[slot] = a->number;
    s->fences |= 1u << slot;
}

static void watch_queries(struct gn_stage_orders *s)
{
    for (uint32_t i = 0; i < GN_COMMAND_SLOTS; i++) {
        struct gn_command *c = &s->commands->slot[i];
        if ((s->fences & 1u << i) == 0)
            continue;
        uint32_t k = s->fence_session[i];
        bool same = session_state(s, k) == GN_SESSION_UP && s->rows[k].logins == s->fence_logins[i];
        if (same && s->state[k].answers < s->fence[i])
            continue;
        s->fences &= ~(1u << i);
        c->value[0] = open_of(s, k);
        gn_command_answer(c, s->fence_number[i], same ? GN_COMMAND_DONE : GN_COMMAND_LOST);
    }
}

/* The order that closes passes the same gate as every other one; only the ladder counts as reduce-only for it, while
 * the kill word is the one that its authority looked at. */
static void close_position(struct gn_stage_orders *s, struct gn_command *c, const struct asked *a, uint64_t now_ns)
{
    const struct gn_instruments *t = s->instruments;
    if (a->index >= s->n_templates || t->row[a->index].strategy >= s->conf->n_strategies || a->side < GN_SIDE_BUY ||
        a->side > GN_SIDE_SELL) {
        refuse(c, a->number, GN_VERDICT_NOT_TRADABLE);
        return;
    }
    struct gn_intent in = {
        .action = GN_ACTION_NEW,
        .side = (uint8_t)a->side,
        .tif = GN_TIF_IOC,
        .session = (uint8_t)s->conf->strategy[t->row[a->index].strategy].session,
        .strategy = (uint16_t)t->row[a->index].strategy,
        .instrument = a->index,
        .price = a->price,
        .qty = a->qty,
        .tag = a->number,
    };
    s->gate.closing = true;
    s->gate.closing_word = a->word;
    uint16_t verdict = gn_orders_place(s, &in, now_ns, &c->value[1]);
    s->gate.closing = false;
    c->value[0] = verdict;
    gn_command_answer(c, a->number, verdict == GN_VERDICT_OK ? GN_COMMAND_DONE : GN_COMMAND_REFUSED);
}

/* A replay of this lcore's decisions needs what it was told. */
static void journal_command(struct gn_stage_orders *s, const struct asked *a, uint64_t now_ns)
{
    struct gn_rec *rec = gn_orders_event(s, GN_EV_COMMAND, sizeof(struct gn_ev_command), now_ns);
    if (rec != NULL)
        *(struct gn_ev_command *)(rec + 1) = (struct gn_ev_command){.number = a->number,
                                                                    .kind = a->kind,
                                                                    .index = a->index,
                                                                    .side = a->side,
                                                                    .qty = a->qty,
                                                                    .price = a->price,
                                                                    .word = a->word};
}

static void do_command(struct gn_stage_orders *s, uint32_t slot, const struct asked *a, uint64_t now_ns)
{
    struct gn_command *c = &s->commands->slot[slot];
    bool session = a->index < s->conf->n_sessions;
    switch (a->kind) {
    case GN_COMMAND_QUERY:
        start_query(s, slot, a, now_ns);
        return;
    case GN_COMMAND_MASS_CANCEL:
        if (!session || session_state(s, a->index) != GN_SESSION_UP ||
            gn_orders_mass_cancel(s, a->index, now_ns) != GN_VERDICT_OK)
            refuse(c, a->number, session ? session_state(s, a->index) : 0);
        else
            gn_command_answer(c, a->number, GN_COMMAND_DONE);
        return;
    case GN_COMMAND_RECONNECT:
        if (!session || !gn_session_retry(s, a->index, now_ns))
            refuse(c, a->number, session ? session_state(s, a->index) : 0);
        else
            gn_command_answer(c, a->number, GN_COMMAND_DONE);
        return;
    case GN_COMMAND_CLOSE:
        close_position(s, c, a, now_ns);
        return;
    default: /* the feed's, or none that we know */
        return;
    }
}

void gn_command_start(struct gn_stage_orders *s)
{
    if (s->commands == NULL)
        return;
    s->fences = 0;
    s->bell_seen = atomic_load_explicit(&s->commands->bell_orders, memory_order_acquire);
    for (uint32_t i = 0; i < GN_COMMAND_SLOTS; i++) {
        struct gn_command *c = &s->commands->slot[i];
        uint64_t number = atomic_load_explicit(&c->asked, memory_order_acquire);
        if (c->kind != GN_COMMAND_REBUILD && !gn_command_free(c))
            gn_command_answer(c, number, GN_COMMAND_LOST);
    }
}

GN_COLD void gn_command_take(struct gn_stage_orders *s, uint64_t bell, uint64_t now_ns)
{
    s->bell_seen = bell;
    for (uint32_t i = 0; i < GN_COMMAND_SLOTS; i++) {
        struct gn_command *c = &s->commands->slot[i];
        /* acquire: pairs with the control plane's release; the fields are there */
        uint64_t number = atomic_load_explicit(&c->asked, memory_order_acquire);
        struct asked a = {number, c->kind, c->index, c->side, c->qty, c->price, c->word};
        /* the copy is whole before anything of it is looked at */
        atomic_signal_fence(memory_order_seq_cst);
        if (gn_command_free(c) || (s->fences & 1u << i) != 0 || a.kind == GN_COMMAND_REBUILD)
            continue;
        journal_command(s, &a, now_ns);
        do_command(s, i, &a, now_ns);
    }
    watch_queries(s);
}

uint16_t gn_orders_place(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns, int64_t *id)
{
    uint64_t seq = s->orders->next_seq;
    s->last_verdict = GN_VERDICT_OK; /* unless it is refused */
    gn_stage_orders_intent(s, in, now_ns);
    const struct gn_order *o = &s->orders->order[(s->orders->next_seq - 1) & (s->orders->capacity - 1)];
    *id = s->orders->next_seq == seq ? 0 : (int64_t)o->id;
    return s->last_verdict;
}
