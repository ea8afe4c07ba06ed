#include "dataplane/engine/guard.h"

#define NS_PER_MS 1000000ull

/* True when a is farther from b than bps of b. */
static bool beyond(int64_t a, int64_t b, uint32_t bps)
{
    int64_t away = a > b ? a - b : b - a;
    return (gn_i128)away * 10000 > (gn_i128)b * bps;
}

static void order_two(int64_t *a, int64_t *b)
{
    int64_t low = *a < *b ? *a : *b, high = *a < *b ? *b : *a;
    *a = low;
    *b = high;
}

/* The middle of five, by the shortest network of comparisons. */
static int64_t median(const int64_t v[GN_RISK_RECENT])
{
    int64_t a = v[0], b = v[1], d = v[2], e = v[3], f = v[4];
    order_two(&a, &b);
    order_two(&d, &e);
    order_two(&a, &d); /* a is below three of the others: not the middle */
    order_two(&b, &e); /* e is above three of the others: not the middle */
    order_two(&b, &d);
    order_two(&b, &f);
    order_two(&d, &f);
    return d;
}

static uint32_t guard_of(struct gn_risk_instrument *x, const struct gn_tob *t, int64_t price, int64_t middle,
                         uint64_t now_ns)
{
    bool both = t->bid != 0 && t->ask != 0;
    uint32_t guard = 0;
    if ((t->flags & (GN_MD_STALE | GN_MD_HALTED | GN_MD_CROSSED)) != 0)
        guard |= GN_GUARD_CROSSED;
    if (price <= 0)
        return guard | GN_GUARD_EMPTY;
    if (both && (gn_i128)(t->ask - t->bid) * 10000 > (gn_i128)price * x->max_spread_bps)
        guard |= GN_GUARD_SPREAD;
    if (middle != 0 && beyond(price, middle, x->outlier_bps))
        guard |= GN_GUARD_MEDIAN;
    if (!both && x->mark != 0 && now_ns - x->sound_ns <= x->max_age_ns && beyond(price, x->mark, x->outlier_bps))
        guard |= GN_GUARD_LAST;
    if (x->moved_from != 0 && beyond(price, x->moved_from, x->max_move_bps))
        guard |= GN_GUARD_MOVE;
    return guard;
}

/* The references at the start of the windows. What was seen, not what was sound, so that a new level is accepted once
 * it has held. */
static void turn_windows(const struct gn_risk_ctx *c, struct gn_risk_instrument *x, int64_t price, int64_t middle,
                         uint64_t now_ns)
{
    int64_t from = middle != 0 ? middle : x->mark != 0 ? x->mark : price;
    if (now_ns >= x->moved_ns) {
        x->moved_from = from;
        x->moved_ns = now_ns + c->conf->risk.velocity_ms * NS_PER_MS;
    }
    if (now_ns >= x->period_ns) {
        x->period_mark = from;
        x->period_ns = now_ns + c->conf->risk.period_ms * NS_PER_MS;
    }
}

bool gn_guard_look(struct gn_risk_ctx *c, uint32_t instrument, const struct gn_tob *t, uint64_t now_ns)
{
    struct gn_risk_instrument *x = &c->risk->instrument[instrument];
    if (t->tick_seq == x->tick_seq && x->recent_n != 0)
        return false;
    int64_t price = t->bid != 0 && t->ask != 0 ? t->bid + (t->ask - t->bid) / 2 : t->last;
    int64_t middle = x->recent_n >= GN_RISK_RECENT ? median(x->recent) : 0;
    if (price > 0)
        turn_windows(c, x, price, middle, now_ns);
    uint32_t guard = guard_of(x, t, price, middle, now_ns), was = x->guard;
    x->tick_seq = t->tick_seq;
    x->guard = guard;
    if (price > 0 && (guard & GN_GUARD_CROSSED) == 0) {
        x->recent[x->recent_n % GN_RISK_RECENT] = price;
        x->recent_n = x->recent_n + 1 < 2 * GN_RISK_RECENT ? x->recent_n + 1 : GN_RISK_RECENT;
    }
    if (GN_UNLIKELY(guard != 0)) {
        if (guard != was)
            (void)gn_risk_tell(c, &(struct gn_risk_note){GN_RISK_GUARD, GN_NONE32, instrument, 0, x->mark, guard});
        return false;
    }
    bool moved = x->mark != price;
    x->mark = price;
    x->sound_ns = t->time_ns;
    return moved;
}
