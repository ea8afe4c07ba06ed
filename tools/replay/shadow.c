#include "tools/replay/shadow.h"

#include <stdlib.h>

#include "dataplane/abi/verdict.h"

#define LATE_TIMES 10u

struct decision {
    uint64_t time_ns;
    int64_t price, qty;
    uint32_t instrument;
    uint8_t action, side, paired;
};

struct list {
    struct decision *at;
    size_t n, room;
};

struct gn_shadow {
    struct gn_shadow_opts opts;
    struct list list[2]; /* other, journaled */
};

struct gn_shadow *gn_shadow_new(const struct gn_shadow_opts *opts)
{
    struct gn_shadow *s = calloc(1, sizeof *s);
    if (s != NULL)
        s->opts = *opts;
    return s;
}

void gn_shadow_free(struct gn_shadow *s)
{
    if (s == NULL)
        return;
    free(s->list[0].at);
    free(s->list[1].at);
    free(s);
}

bool gn_shadow_add(struct gn_shadow *s, bool journal, uint64_t time_ns, const struct gn_ev_order *o)
{
    struct list *l = &s->list[journal];
    if (o->verdict != GN_VERDICT_OK)
        return true;
    if (l->n == l->room) {
        const size_t room = 2 * l->room + 1024;
        struct decision *more = realloc(l->at, room * sizeof *more);
        if (more == NULL)
            return false;
        l->at = more;
        l->room = room;
    }
    l->at[l->n++] = (struct decision){.time_ns = time_ns,
                                      .price = o->intent.price,
                                      .qty = o->intent.qty,
                                      .instrument = o->intent.instrument,
                                      .action = o->intent.action,
                                      .side = o->intent.side};
    return true;
}

static bool equal(const struct decision *a, const struct decision *b)
{
    return a->side == b->side && a->price == b->price && a->qty == b->qty;
}

static void note(struct gn_shadow_result *r, uint64_t *what, uint64_t time_ns)
{
    (*what)++;
    if (what != &r->same && (r->first_ns == 0 || time_ns < r->first_ns))
        r->first_ns = time_ns;
}

/* One round: each journaled decision that has no pair gets the first one of the other run within reach. */
static void pair(struct gn_shadow *s, uint64_t reach_ns, bool alike, struct gn_shadow_result *r)
{
    const struct list *mine = &s->list[1], *other = &s->list[0];
    size_t from = 0;
    for (size_t i = 0; i < mine->n; i++) {
        struct decision *a = &mine->at[i];
        while (from < other->n && other->at[from].time_ns + reach_ns < a->time_ns)
            from++;
        for (size_t k = from; !a->paired && k < other->n && other->at[k].time_ns <= a->time_ns + reach_ns; k++) {
            struct decision *b = &other->at[k];
            if (b->paired || a->instrument != b->instrument || a->action != b->action || (alike && !equal(a, b)))
                continue;
            a->paired = b->paired = 1;
            if (equal(a, b))
                note(r, reach_ns > s->opts.tolerance_ns ? &r->other_time : &r->same, a->time_ns);
            else
                note(r,
                     a->side != b->side     ? &r->other_side
                     : a->price != b->price ? &r->other_price
                                            : &r->other_qty,
                     a->time_ns);
        }
    }
}

void gn_shadow_compare(struct gn_shadow *s, uint64_t market, struct gn_shadow_result *out)
{
    *out = (struct gn_shadow_result){.journaled = s->list[1].n, .other = s->list[0].n};
    pair(s, s->opts.tolerance_ns, true, out);
    pair(s, s->opts.tolerance_ns * LATE_TIMES, true, out);
    pair(s, s->opts.tolerance_ns, false, out);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < s->list[k].n; i++)
            if (!s->list[k].at[i].paired)
                note(out, k == 1 ? &out->missing : &out->extra, s->list[k].at[i].time_ns);
    if (market == 0)
        out->cannot = "no market data reached the strategies";
    else if (out->journaled < s->opts.min_decisions)
        out->cannot = "the journal has fewer decisions than --min-decisions";
    else if (out->other < s->opts.min_decisions)
        out->cannot = "the other configuration made fewer decisions than --min-decisions";
}
