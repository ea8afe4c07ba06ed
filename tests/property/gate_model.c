#include "tests/property/gate_model_impl.h"

#define TOKEN ((gn_i128)1000000000) /* one message */

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
           is(gn_kill_level(atomic_load(&c->kill_theme[gm_theme_of(q->in->instrument)]))) ||
           is(gn_kill_level(atomic_load(&c->kill_account[gm_account_of(q->in->instrument)]))) ||
           is(gn_kill_level(atomic_load(&c->kill_venue[0]))) ||
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

/* ---- market ---- */

static bool farther(gn_i128 a, gn_i128 b, gn_i128 bps)
{
    return (a > b ? a - b : b - a) * 10000 > b * bps;
}

static int64_t middle_of_five(const int64_t v[5])
{
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t below = 0, same = 0;
        for (uint32_t k = 0; k < 5; k++) {
            below += v[k] < v[i];
            same += v[k] == v[i];
        }
        if (below <= 2 && below + same >= 3)
            return v[i];
    }
    return 0;
}

/* What the guards make of best prices that were not seen before. */
static void look(const struct question *q)
{
    const struct gn_tob *t = &q->w->tob[q->in->instrument];
    struct gm_market *k = &q->m->market[q->in->instrument];
    const uint64_t now = q->w->now_ns, ms = 1000000;
    if (t->tick_seq == k->tick_seq && k->n != 0)
        return;
    const bool both = t->bid != 0 && t->ask != 0;
    const int64_t price = both ? (t->bid + t->ask) / 2 : t->last;
    const int64_t middle = k->n < 5 ? 0 : middle_of_five(k->seen);
    const bool crossed = (t->flags & (GN_MD_STALE | GN_MD_HALTED | GN_MD_CROSSED)) != 0;
    const int64_t from = middle != 0 ? middle : k->mark != 0 ? k->mark : price;
    k->tick_seq = t->tick_seq;
    if (price <= 0) {
        k->moved = false;
        return;
    }
    if (now >= k->moved_ns) {
        k->moved_from = from;
        k->moved_ns = now + q->w->conf.risk.velocity_ms * ms;
    }
    if (now >= k->period_ns) {
        k->period_mark = from;
        k->period_ns = now + q->w->conf.risk.period_ms * ms;
    }
    bool sound = !crossed;
    sound = sound && !(both && (gn_i128)(t->ask - t->bid) * 10000 > (gn_i128)price * q->limit->max_spread_bps);
    sound = sound && !(middle != 0 && farther(price, middle, q->limit->outlier_bps));
    sound = sound && !(!both && k->mark != 0 && now - k->sound_ns <= (uint64_t)q->limit->max_age_ms * ms &&
                       farther(price, k->mark, q->limit->outlier_bps));
    k->moved = k->moved_from != 0 && farther(price, k->moved_from, q->limit->max_move_bps);
    sound = sound && !k->moved;
    if (!crossed) {
        memmove(k->seen, k->seen + 1, 4 * sizeof k->seen[0]);
        k->seen[4] = price;
        k->n++;
    }
    if (sound) {
        k->mark = price;
        k->sound_ns = t->time_ns;
    }
}

static const struct gm_market *market(const struct question *q)
{
    return &q->m->market[q->in->instrument];
}

static bool too_old(const struct question *q, uint64_t at_ns)
{
    return q->w->now_ns > at_ns && q->w->now_ns - at_ns > (uint64_t)q->limit->max_age_ms * 1000000;
}

/* "no market data of the instrument for too long" */
static bool market_age(const struct question *q)
{
    return is_new_risk(q) && too_old(q, q->w->tob[q->in->instrument].time_ns);
}

/* "the market moved too fast" */
static bool market_move(const struct question *q)
{
    return is_new_risk(q) && market(q)->moved;
}

static bool auction(const struct question *q)
{
    return (q->w->tob[q->in->instrument].flags & GN_MD_AUCTION) != 0;
}

static bool no_reference(const struct question *q)
{
    return is_new_risk(q) && !auction(q) && (market(q)->mark <= 0 || too_old(q, market(q)->sound_ns));
}

static bool aggressive(const struct question *q, gn_i128 ref, gn_i128 bps)
{
    gn_i128 beyond = q->in->side == GN_SIDE_BUY ? q->in->price - ref : ref - q->in->price;
    return is_new_risk(q) && beyond * 10000 > ref * bps;
}

/* "price too far from the reference on the aggressive side" */
static bool price_collar(const struct question *q)
{
    return !auction(q) && aggressive(q, market(q)->mark, q->limit->collar_bps);
}

static bool period_collar(const struct question *q)
{
    return !auction(q) && aggressive(q, market(q)->period_mark, q->limit->period_collar_bps);
}

/* previous close: 1000000 of every instrument */
static bool auction_collar(const struct question *q)
{
    return auction(q) && aggressive(q, 1000000, q->limit->auction_collar_bps);
}

/* ---- rights ---- */

static uint32_t trips(const struct question *q)
{
    const struct gn_risk *r = q->w->risk;
    uint32_t i = q->in->instrument;
    return r->instrument[i].tripped | r->scope[GN_ROW_FIRM].tripped | r->scope[GN_ROW_VENUE].tripped |
           r->scope[GN_ROW_ACCOUNT + gm_account_of(i)].tripped | r->scope[GN_ROW_THEME + gm_theme_of(i)].tripped |
           r->scope[GN_ROW_STRATEGY + (i < GW_INSTRUMENTS - 1 ? i : 0)].tripped;
}

static bool grows(const struct question *q)
{
    return q->in->side == GN_SIDE_BUY ? if_all_filled(q) > 0 : if_all_filled(q) < 0;
}

static bool lost_too_much(const struct question *q)
{
    return is_new_risk(q) && (trips(q) & (GN_TRIP_LOSS | GN_TRIP_STOP | GN_TRIP_TRADE)) != 0 && grows(q);
}

static bool fell_too_far(const struct question *q)
{
    return is_new_risk(q) && (trips(q) & GN_TRIP_DRAWDOWN) != 0 && grows(q);
}

static bool strategy_disabled(const struct question *q)
{
    return is_new_risk(q) && q->m->disabled[q->in->strategy];
}

static bool no_permission(const struct question *q)
{
    if (!is_new_risk(q))
        return false;
    int64_t venues = gm_effective(q, GN_ROW_STRATEGY + q->in->strategy, GN_SL_VENUES);
    bool venue = q->w->conf.session[q->in->session].venue == 0 && (venues & 1) != 0;
    bool whole = q->limit->set == GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT);
    return !venue || (whole && (q->limit->permit >> q->in->side & 1) == 0);
}

static bool unattributed(const struct question *q)
{
    return is_new_risk(q) && q->w->conf.strategy[q->in->strategy].algo_id == 0;
}

static bool min_value(const struct question *q)
{
    return is_new_risk(q) && (gn_i128)q->in->qty * q->in->price < q->limit->min_value;
}

/* "short position would pass what is located" */
static bool max_short(const struct question *q)
{
    return is_new_risk(q) && q->in->side == GN_SIDE_SELL && -if_all_filled(q) > q->limit->max_short;
}

static bool duplicate(const struct question *q)
{
    for (uint32_t k = 0; k < 8 && is_new_risk(q); k++) {
        const struct gm_same *e = &q->m->same[q->in->instrument][k];
        if (e->there && e->side == q->in->side && e->qty == q->in->qty && e->price == q->in->price &&
            q->w->now_ns - e->first_ns < (uint64_t)q->w->conf.risk.duplicate_ms * 1000000 &&
            e->count >= q->limit->max_duplicates)
            return true;
    }
    return false;
}

static bool self_match(const struct question *q)
{
    if (!is_new_risk(q) || q->limit->smp_mode == 2)
        return false;
    for (uint32_t k = 0; k < GW_CAPACITY; k++) {
        const struct gn_order *o = &q->w->orders->order[k];
        bool own = q->w->positions[q->in->instrument].own == k + 1;
        bool cross = q->in->side == GN_SIDE_BUY ? o->price <= q->in->price : o->price >= q->in->price;
        if (own && gn_order_working(o->state) && o->side != q->in->side && cross)
            return true;
    }
    return false;
}

static bool throttles(uint32_t level)
{
    return level == GN_LADDER_THROTTLED;
}

static bool throttled(const struct question *q)
{
    uint64_t last = q->m->last_ns[q->in->strategy];
    int64_t rate = gm_effective(q, GN_ROW_STRATEGY + q->in->strategy, GN_SL_THROTTLED_RATE);
    bool higher = a_word_is(q, only_reduces);
    return is_new_risk(q) && a_word_is(q, throttles) && !higher && last != 0 &&
           q->w->now_ns < last + 1000000000ull / (uint64_t)rate + 1;
}

/* "position would pass the limit if every working order filled" */
static bool max_position(const struct question *q)
{
    int64_t p = if_all_filled(q);
    return is_new_risk(q) && (q->in->side == GN_SIDE_BUY ? p > q->limit->max_position : p < -q->limit->max_position);
}

static bool no_rate(const struct question *q)
{
    for (uint32_t i = GN_SL_MESSAGE_RATE; i <= GN_SL_CANCEL_RESERVE; i++)
        if ((q->firm->set >> i & 1) == 0)
            return true;
    return q->firm->message_rate <= 0 || q->firm->message_burst <= 0;
}

static gn_i128 tokens_now(struct gm_bucket *b, const struct gate_world *w, int64_t rate, int64_t burst)
{
    gn_i128 full = burst * TOKEN;
    b->tokens = b->started ? b->tokens + (gn_i128)(w->now_ns - b->at_ns) * rate : full;
    b->tokens = b->tokens > full ? full : b->tokens;
    b->started = true;
    b->at_ns = w->now_ns;
    return b->tokens;
}

static bool used_up(const struct question *q, struct gm_bucket *b, uint32_t row)
{
    int64_t reserve = gm_effective(q, row, GN_SL_CANCEL_RESERVE);
    gn_i128 need = is_new_risk(q) ? (reserve + 1) * TOKEN : TOKEN;
    return tokens_now(b, q->w, gm_effective(q, row, GN_SL_MESSAGE_RATE), gm_effective(q, row, GN_SL_MESSAGE_BURST)) <
           need;
}

/* "message budget of the session used up": what is left for new risk is the budget less the cancels' reserve */
static bool message_rate(const struct question *q)
{
    return used_up(q, &q->m->session[q->in->session], GN_ROW_FIRM);
}

static bool venue_rate(const struct question *q)
{
    uint32_t venue = q->w->conf.session[q->in->session].venue;
    return used_up(q, &q->m->venue[venue], GN_ROW_VENUE + venue);
}

static bool strategy_rate(const struct question *q)
{
    return used_up(q, &q->m->strategy[q->in->strategy], GN_ROW_STRATEGY + q->in->strategy);
}

/* In the order of gate.h. */
static const struct {
    broken_fn *broken;
    uint16_t verdict;
} rules[] =
    {
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
        {lost_too_much, GN_VERDICT_MAX_LOSS},
        {fell_too_far, GN_VERDICT_DRAWDOWN},
        {strategy_disabled, GN_VERDICT_STRATEGY_DISABLED},
        {no_permission, GN_VERDICT_PERMISSION},
        {not_tradable, GN_VERDICT_NOT_TRADABLE},
        {no_limit, GN_VERDICT_NO_LIMIT},
        {unattributed, GN_VERDICT_ATTRIBUTION},
        {market_stale, GN_VERDICT_MARKET_STALE},
        {market_age, GN_VERDICT_MARKET_AGE},
        {market_move, GN_VERDICT_MARKET_MOVE},
        {bad_qty, GN_VERDICT_BAD_QTY},
        {bad_price, GN_VERDICT_BAD_PRICE},
        {max_qty, GN_VERDICT_MAX_QTY},
        {max_value, GN_VERDICT_MAX_VALUE},
        {min_value, GN_VERDICT_MIN_VALUE},
        {auction_collar, GN_VERDICT_AUCTION_COLLAR},
        {no_reference, GN_VERDICT_NO_REFERENCE},
        {price_collar, GN_VERDICT_PRICE_COLLAR},
        {period_collar, GN_VERDICT_PERIOD_COLLAR},
        {max_position, GN_VERDICT_MAX_POSITION},
        {max_short, GN_VERDICT_MAX_SHORT},
},
  later[] = {
      {duplicate, GN_VERDICT_DUPLICATE},         {self_match, GN_VERDICT_SELF_MATCH},
      {throttled, GN_VERDICT_THROTTLED},         {no_rate, GN_VERDICT_NO_LIMIT},
      {message_rate, GN_VERDICT_MESSAGE_RATE},   {venue_rate, GN_VERDICT_VENUE_RATE},
      {strategy_rate, GN_VERDICT_STRATEGY_RATE},
};

static uint16_t ask(const struct question *q)
{
    for (size_t i = 0; i < GN_ARRAY_LEN(rules); i++) {
        if (rules[i].broken == killed && is_new_risk(q))
            look(q);
        if (rules[i].broken(q) && !gm_lifted(q, rules[i].verdict))
            return rules[i].verdict;
    }
    uint16_t v = is_new_risk(q) ? gm_sums(q) : GN_VERDICT_OK;
    for (size_t i = 0; i < GN_ARRAY_LEN(later) && v == GN_VERDICT_OK; i++)
        if (later[i].broken(q) && !gm_lifted(q, later[i].verdict))
            v = later[i].verdict;
    return v;
}

/* A token for exactly this order lifts what it names, once. */
static uint16_t with_token(struct question *q, uint16_t refused)
{
    const struct gn_intent *in = q->in;
    for (uint32_t k = 0; k < GN_OVERRIDES; k++) {
        const struct gn_override *o = &q->w->control->override[k];
        uint64_t number = atomic_load(&o->armed);
        if (number == 0 || q->m->token_used[k] == number || q->w->now_ns >= o->expires_ns ||
            o->strategy != in->strategy || o->instrument != in->instrument || o->side != in->side ||
            o->qty != in->qty || o->price != in->price)
            continue;
        if ((o->verdicts >> refused & 1) == 0)
            return refused;
        for (uint32_t v = 0; v < 64; v++)
            q->lift |= gn_verdict_can_lift(v) ? o->verdicts & 1ull << v : 0;
        if (ask(q) != GN_VERDICT_OK)
            return refused;
        q->m->token_used[k] = number;
        return GN_VERDICT_OK;
    }
    return refused;
}

uint16_t gate_model_verdict(struct gate_model *m, struct gate_world *w, const struct gn_intent *in,
                            const struct gn_order *target)
{
    struct question q = {.w = w, .m = m, .in = in, .target = target, .firm = gate_world_firm(w)};
    if (in->instrument < GW_INSTRUMENTS)
        q.limit = gate_world_row(w, in->instrument);
    uint16_t v = ask(&q);
    if (v != GN_VERDICT_OK && in->action == GN_ACTION_NEW && gn_verdict_can_lift(v))
        v = with_token(&q, v);
    return v;
}

static void take_token(struct gate_world *w, struct gm_bucket *b, uint32_t row)
{
    const struct question q = {.w = w, .firm = gate_world_firm(w)};
    (void)tokens_now(b, w, gm_effective(&q, row, GN_SL_MESSAGE_RATE), gm_effective(&q, row, GN_SL_MESSAGE_BURST));
    b->tokens -= TOKEN;
}

void gate_model_charge(struct gate_model *m, struct gate_world *w, uint32_t session, uint32_t strategy)
{
    uint32_t venue = w->conf.session[session].venue;
    take_token(w, &m->session[session], GN_ROW_FIRM);
    take_token(w, &m->venue[venue], GN_ROW_VENUE + venue);
    take_token(w, &m->strategy[strategy], GN_ROW_STRATEGY + strategy);
}

static void remember(struct gate_model *m, struct gate_world *w, const struct gn_intent *in)
{
    struct gm_same *list = m->same[in->instrument], *at = &list[0];
    const uint64_t window = (uint64_t)w->conf.risk.duplicate_ms * 1000000;
    for (uint32_t k = 0; k < 8; k++) {
        struct gm_same *e = &list[k];
        if (e->there && e->side == in->side && e->qty == in->qty && e->price == in->price) {
            at = e;
            if (w->now_ns - e->first_ns < window) {
                e->count++;
                return;
            }
            break;
        }
        if (e->first_ns < at->first_ns)
            at = e;
    }
    *at = (struct gm_same){true, in->side, in->qty, in->price, w->now_ns, 1};
}

void gate_model_sent(struct gate_model *m, struct gate_world *w, const struct gn_intent *in)
{
    const struct question q = {.w = w, .firm = gate_world_firm(w)};
    m->sent[m->n_sent++ % GM_SENT] = (struct gm_sent){w->now_ns, in->instrument, in->side, in->qty, in->price};
    m->last_ns[in->strategy] = w->now_ns;
    remember(m, w, in);
    if (!m->executed[in->instrument])
        return;
    m->executed[in->instrument] = false;
    if (++m->repeats[in->strategy] < gm_effective(&q, GN_ROW_STRATEGY + in->strategy, GN_SL_MAX_REPEATS))
        return;
    m->repeats[in->strategy] = 0;
    m->disabled[in->strategy] = true;
}
