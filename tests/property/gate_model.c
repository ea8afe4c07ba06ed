#include "tests/property/gate_model.h"

#define TOKEN ((gn_i128)1000000000) /* one message */

struct question {
    struct gate_world *w;
    struct gate_model *m;
    const struct gn_intent *in;
    const struct gn_order *target;
    const struct gn_limits_instrument *limit;
    const struct gn_limits_scope *firm;
};

typedef bool broken_fn(const struct question *q);

static bool is_new_risk(const struct question *q)
{
    return q->in->action == GN_ACTION_NEW || q->in->action == GN_ACTION_REPLACE;
}

/* "unknown action, side or time in force, or an instrument that is not there" */
static bool malformed(const struct question *q)
{
    const struct gn_intent *in = q->in;
    bool action = in->action == GN_ACTION_NEW || in->action == GN_ACTION_REPLACE || in->action == GN_ACTION_CANCEL ||
                  in->action == GN_ACTION_REDUCE;
    bool side = in->side == GN_SIDE_BUY || in->side == GN_SIDE_SELL;
    bool tif = in->tif == GN_TIF_DAY || in->tif == GN_TIF_IOC;
    bool there = in->instrument < atomic_load(&q->w->instruments->count) && in->session < GN_SESSIONS_MAX &&
                 in->strategy < GN_STRATEGIES_MAX;
    return !action || !side || !tif || !there;
}

static bool names_an_order(const struct question *q)
{
    return q->in->action != GN_ACTION_NEW;
}

/* "replace or cancel names an order that is not working" */
static bool unknown_order(const struct question *q)
{
    return names_an_order(q) && (q->target == NULL || !gn_order_working(q->target->state));
}

/* "the strategy does not own this order" */
static bool foreign_order(const struct question *q)
{
    return names_an_order(q) && (q->target->strategy != q->in->strategy || q->target->instrument != q->in->instrument ||
                                 q->target->session != q->in->session);
}

static bool other_side(const struct question *q)
{
    return names_an_order(q) && q->in->action != GN_ACTION_CANCEL && q->target->side != q->in->side;
}

/* "the order already has a cancel or replace in flight"; only a cancel may follow what is still unanswered */
static bool order_busy(const struct question *q)
{
    if (!names_an_order(q))
        return false;
    if (q->in->action == GN_ACTION_CANCEL)
        return q->target->state == GN_ORDER_PENDING_CANCEL || q->target->state == GN_ORDER_IN_DOUBT;
    return q->target->state != GN_ORDER_LIVE;
}

static bool reduces_nothing(const struct question *q)
{
    return q->in->action == GN_ACTION_REDUCE && !(q->in->qty >= 1 && q->in->qty < q->target->leaves);
}

/* "the strategy does not trade this instrument" */
static bool foreign_instrument(const struct question *q)
{
    return is_new_risk(q) && q->w->instruments->row[q->in->instrument].strategy != q->in->strategy;
}

static bool a_word_is(const struct question *q, bool (*is)(uint32_t level))
{
    const struct gn_control *c = q->w->control;
    return is(gn_kill_level(atomic_load(&c->kill_all))) ||
           is(gn_kill_level(atomic_load(&c->kill_session[q->in->session]))) ||
           is(gn_kill_level(atomic_load(&c->kill_strategy[q->in->strategy]))) ||
           is(gn_kill_level(atomic_load(gn_kill_instrument(q->w->control) + q->in->instrument)));
}

static bool halts(uint32_t level)
{
    return level == GN_LADDER_HALTED || level == GN_LADDER_KILLED;
}

static bool only_reduces(uint32_t level)
{
    return level == GN_LADDER_REDUCE_ONLY;
}

/* "the kill word of a scope it belongs to is at halted or killed" */
static bool killed(const struct question *q)
{
    return is_new_risk(q) && a_word_is(q, halts);
}

/* The position if every working order of the side filled, this one included; a replacement counts instead of the order
 * it replaces, but that one may fill before the venue sees it. */
static int64_t if_all_filled(const struct question *q)
{
    const struct gn_position *p = &q->w->positions[q->in->instrument];
    int64_t more = q->in->qty;
    if (q->in->action == GN_ACTION_REPLACE)
        more = q->in->qty > q->target->reserved ? q->in->qty - q->target->reserved : 0;
    return q->in->side == GN_SIDE_BUY ? p->qty + p->open_buy + more : p->qty - p->open_sell - more;
}

/* "the ladder is at reduce-only and the order could add to the position" */
static bool reduce_only(const struct question *q)
{
    if (!is_new_risk(q) || !a_word_is(q, only_reduces))
        return false;
    return q->in->side == GN_SIDE_BUY ? if_all_filled(q) > 0 : if_all_filled(q) < 0;
}

static bool control_stale(const struct question *q)
{
    return is_new_risk(q) && q->w->gate.control_stale;
}

static bool journal_blocked(const struct question *q)
{
    return is_new_risk(q) && q->w->gate.journal_failed;
}

static bool journal_lag(const struct question *q)
{
    return is_new_risk(q) && q->w->gate.journal_late;
}

static bool session_down(const struct question *q)
{
    return atomic_load(&q->w->sessions[q->in->session].state) != GN_SESSION_UP;
}

static bool limit_set(const struct question *q, uint32_t number)
{
    return (q->limit->set >> number & 1) != 0;
}

/* "not configured as tradable, or halted by the venue" */
static bool not_tradable(const struct question *q)
{
    bool configured = q->w->instruments->row[q->in->instrument].configured != 0;
    bool tradable = limit_set(q, GN_LIMIT_TRADABLE) && q->limit->tradable != 0;
    bool halted = (q->w->tob[q->in->instrument].flags & GN_MD_HALTED) != 0;
    return is_new_risk(q) && (!configured || !tradable || halted);
}

/* "a limit that the check needs is not configured" */
static bool no_limit(const struct question *q)
{
    bool all = q->firm->set == GN_LIMITS_ALL_SET(GN_SCOPE_LIMIT_COUNT);
    for (uint32_t i = 0; i < GN_INSTRUMENT_LIMIT_COUNT; i++)
        all = all && limit_set(q, i);
    return is_new_risk(q) && !all;
}

/* "the book has an open gap or is crossed: prices cannot be trusted" */
static bool market_stale(const struct question *q)
{
    uint32_t flags = q->w->tob[q->in->instrument].flags;
    return is_new_risk(q) &&
           ((flags & GN_MD_STALE) != 0 || (flags & GN_MD_CROSSED) != 0 || atomic_load(&q->w->instruments->stale) != 0);
}

static bool bad_qty(const struct question *q)
{
    return is_new_risk(q) && (q->in->qty < 1 || q->in->qty % q->w->instruments->row[q->in->instrument].lot != 0);
}

static bool bad_price(const struct question *q)
{
    return is_new_risk(q) && (q->in->price < 1 || q->in->price % q->w->instruments->row[q->in->instrument].tick != 0);
}

static bool max_qty(const struct question *q)
{
    return is_new_risk(q) && q->in->qty > q->limit->max_qty;
}

static bool max_value(const struct question *q)
{
    return is_new_risk(q) && (gn_i128)q->in->qty * q->in->price > q->limit->max_value;
}

/* The middle of the best prices; the last trade when a side is empty. */
static int64_t reference(const struct question *q)
{
    const struct gn_tob *t = &q->w->tob[q->in->instrument];
    return t->bid == 0 || t->ask == 0 ? t->last : (t->bid + t->ask) / 2;
}

static bool no_reference(const struct question *q)
{
    return is_new_risk(q) && reference(q) <= 0;
}

/* "price too far from the reference on the aggressive side" */
static bool price_collar(const struct question *q)
{
    gn_i128 ref = reference(q), beyond = q->in->side == GN_SIDE_BUY ? q->in->price - ref : ref - q->in->price;
    return is_new_risk(q) && beyond * 10000 > ref * q->limit->collar_bps;
}

/* "position would pass the limit if every working order filled" */
static bool max_position(const struct question *q)
{
    int64_t p = if_all_filled(q);
    return is_new_risk(q) && (q->in->side == GN_SIDE_BUY ? p > q->limit->max_position : p < -q->limit->max_position);
}

/* "too many working orders on the instrument or in all"; a replacement is one more until the venue has answered */
static bool max_open_orders(const struct question *q)
{
    return is_new_risk(q) && (q->w->positions[q->in->instrument].open_orders + 1ll > q->limit->max_open_orders ||
                              q->w->orders->open + 1ll > q->firm->max_open_orders);
}

static bool no_rate(const struct question *q)
{
    for (uint32_t i = GN_SL_MESSAGE_RATE; i <= GN_SL_CANCEL_RESERVE; i++)
        if ((q->firm->set >> i & 1) == 0)
            return true;
    return q->firm->message_rate <= 0 || q->firm->message_burst <= 0;
}

static gn_i128 tokens_now(struct gate_model *m, const struct gate_world *w, const struct gn_limits_scope *f, uint32_t s)
{
    gn_i128 full = f->message_burst * TOKEN;
    if (!m->bucket[s].started)
        m->bucket[s].tokens = full;
    else
        m->bucket[s].tokens += (gn_i128)(w->now_ns - m->bucket[s].at_ns) * f->message_rate;
    if (m->bucket[s].tokens > full)
        m->bucket[s].tokens = full;
    m->bucket[s].started = true;
    m->bucket[s].at_ns = w->now_ns;
    return m->bucket[s].tokens;
}

/* "message budget of the session used up": what is left for new risk is the budget less the cancels' reserve */
static bool message_rate(const struct question *q)
{
    gn_i128 need = is_new_risk(q) ? (q->firm->cancel_reserve + 1) * TOKEN : TOKEN;
    return tokens_now(q->m, q->w, q->firm, q->in->session) < need;
}

/* In the order of gate.h. */
static const struct {
    broken_fn *broken;
    uint16_t verdict;
} rules[] = {
    {malformed, GN_VERDICT_MALFORMED},
    {unknown_order, GN_VERDICT_UNKNOWN_ORDER},
    {foreign_order, GN_VERDICT_NOT_OWNER},
    {other_side, GN_VERDICT_MALFORMED},
    {order_busy, GN_VERDICT_ORDER_BUSY},
    {reduces_nothing, GN_VERDICT_BAD_QTY},
    {foreign_instrument, GN_VERDICT_NOT_OWNER},
    {killed, GN_VERDICT_KILLED},
    {reduce_only, GN_VERDICT_REDUCE_ONLY},
    {control_stale, GN_VERDICT_CONTROL_STALE},
    {journal_blocked, GN_VERDICT_JOURNAL_BLOCKED},
    {journal_lag, GN_VERDICT_JOURNAL_LAG},
    {session_down, GN_VERDICT_SESSION_DOWN},
    {not_tradable, GN_VERDICT_NOT_TRADABLE},
    {no_limit, GN_VERDICT_NO_LIMIT},
    {market_stale, GN_VERDICT_MARKET_STALE},
    {bad_qty, GN_VERDICT_BAD_QTY},
    {bad_price, GN_VERDICT_BAD_PRICE},
    {max_qty, GN_VERDICT_MAX_QTY},
    {max_value, GN_VERDICT_MAX_VALUE},
    {no_reference, GN_VERDICT_NO_REFERENCE},
    {price_collar, GN_VERDICT_PRICE_COLLAR},
    {max_position, GN_VERDICT_MAX_POSITION},
    {max_open_orders, GN_VERDICT_MAX_OPEN_ORDERS},
    {no_rate, GN_VERDICT_NO_LIMIT},
    {message_rate, GN_VERDICT_MESSAGE_RATE},
};

uint16_t gate_model_verdict(struct gate_model *m, struct gate_world *w, const struct gn_intent *in,
                            const struct gn_order *target)
{
    struct question q = {.w = w, .m = m, .in = in, .target = target, .firm = gate_world_firm(w)};
    if (in->instrument < GW_INSTRUMENTS)
        q.limit = gate_world_row(w, in->instrument);
    for (size_t i = 0; i < GN_ARRAY_LEN(rules); i++)
        if (rules[i].broken(&q))
            return rules[i].verdict;
    return GN_VERDICT_OK;
}

void gate_model_charge(struct gate_model *m, struct gate_world *w, uint32_t session)
{
    (void)tokens_now(m, w, gate_world_firm(w), session);
    m->bucket[session].tokens -= TOKEN;
}
