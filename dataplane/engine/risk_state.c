#include "dataplane/engine/risk_state.h"

#include "dataplane/engine/guard.h"

#define NS_PER_S   1000000000ull
#define NS_PER_MS  1000000ull
#define NS_PER_DAY (86400ull * NS_PER_S)

/* ---- what people are told ---- */

bool gn_risk_tell(struct gn_risk_ctx *c, const struct gn_risk_note *n)
{
    if (c->n_notes == GN_RISK_NOTES)
        return false;
    c->note[c->n_notes++] = *n;
    return true;
}

_Atomic uint64_t *gn_risk_word(struct gn_control *c, uint32_t row)
{
    if (row >= GN_ROW_THEME)
        return &c->kill_theme[row - GN_ROW_THEME];
    if (row >= GN_ROW_STRATEGY)
        return &c->kill_strategy[row - GN_ROW_STRATEGY];
    if (row >= GN_ROW_ACCOUNT)
        return &c->kill_account[row - GN_ROW_ACCOUNT];
    if (row >= GN_ROW_VENUE)
        return &c->kill_venue[row - GN_ROW_VENUE];
    return &c->kill_all;
}

/* A breach: the word is raised at once; the note waits for the stage. Without room for the note the breach stays
 * untold, and is found again at the next change. */
static GN_COLD void trip(struct gn_risk_ctx *c, uint32_t *tripped, uint32_t bit, _Atomic uint64_t *word,
                         struct gn_risk_note n)
{
    if ((*tripped & bit) != 0)
        return;
    (void)gn_kill_raise(word, n.level, GN_KILL_BY_DATAPLANE);
    if (gn_risk_tell(c, &n))
        *tripped |= bit;
}

/* ---- thresholds ---- */

static int64_t share_of(int64_t equity, int64_t bps)
{
    gn_i128 v = (gn_i128)(equity / 10000) * bps;
    return v > GN_MONEY_MAX ? GN_MONEY_MAX : v < 0 ? 0 : (int64_t)v;
}

static uint32_t parent_of(const struct gn_conf *conf, uint32_t row)
{
    bool strategy = row >= GN_ROW_STRATEGY && row < GN_ROW_THEME;
    uint32_t account = strategy ? conf->strategy[row - GN_ROW_STRATEGY].account : GN_NONE32;
    return account < GN_ACCOUNTS_MAX ? GN_ROW_ACCOUNT + account : GN_ROW_FIRM;
}

/* A limit that is not set is the parent's. */
static void inherit(const struct gn_risk_ctx *c, uint32_t row, struct gn_limits_scope *out)
{
    int64_t *value = &out->max_open_orders;
    *out = *gn_limits_scope_row(c->limits, c->generation, row);
    while (row != GN_ROW_FIRM) {
        row = parent_of(c->conf, row);
        const struct gn_limits_scope *up = gn_limits_scope_row(c->limits, c->generation, row);
        for (uint32_t f = 0; f < GN_SCOPE_LIMIT_COUNT; f++)
            if ((out->set >> f & 1) == 0)
                value[f] = (&up->max_open_orders)[f];
        out->set |= up->set;
    }
}

static void take_budget(struct gn_risk_budget *b, const struct gn_limits_scope *l)
{
    b->interval_ns = b->burst_ns = b->burst_new_ns = b->soft_ns = 0;
    b->slow_interval_ns = l->throttled_rate > 0 ? NS_PER_S / (uint64_t)l->throttled_rate + 1 : NS_PER_S;
    const uint64_t need = 1ull << GN_SL_MESSAGE_RATE | 1ull << GN_SL_MESSAGE_BURST | 1ull << GN_SL_CANCEL_RESERVE;
    if (l->message_rate <= 0 || l->message_burst < 1 || (l->set & need) != need)
        return;
    /* rounded up: the rate is a ceiling */
    b->interval_ns = (NS_PER_S + (uint64_t)l->message_rate - 1) / (uint64_t)l->message_rate;
    b->burst_ns = (uint64_t)l->message_burst * b->interval_ns;
    b->burst_new_ns = (uint64_t)gn_max_i64(l->message_burst - l->cancel_reserve, 0) * b->interval_ns;
    b->soft_ns = b->burst_new_ns / 5 * 4;
}

/* Accounts and the firm count the day's profit into equity; the others have a share of a fixed sum. */
static void take_leverage(struct gn_risk_scope *s, uint32_t row)
{
    bool own = row == GN_ROW_FIRM || (row >= GN_ROW_ACCOUNT && row < GN_ROW_STRATEGY);
    int64_t equity = own ? s->equity + s->pnl - s->pnl_day : s->equity;
    s->limit[GN_LANE_GROSS] = gn_min_i64(s->max_gross, share_of(equity, s->leverage_bps));
}

static void take_scope(const struct gn_risk_ctx *c, uint32_t row)
{
    struct gn_risk_scope *s = &c->risk->scope[row];
    struct gn_limits_scope l;
    inherit(c, row, &l);
    s->missing = l.set != GN_LIMITS_ALL_SET(GN_SCOPE_LIMIT_COUNT);
    if (row >= GN_ROW_STRATEGY && row < GN_ROW_THEME && c->conf->strategy[row - GN_ROW_STRATEGY].algo_id == 0)
        s->missing |= 2;
    s->limit[GN_LANE_OPEN] = l.max_open_orders;
    s->limit[GN_LANE_LONG] = s->limit[GN_LANE_SHORT] = l.max_net;
    s->limit[GN_LANE_DAY] = l.max_day_value;
    s->limit[GN_LANE_POSITIONS] = l.max_positions;
    s->limit[GN_LANE_QTY] = l.window_qty;
    s->limit[GN_LANE_VALUE] = l.window_value;
    s->max_loss = l.max_loss;
    s->max_drawdown = l.max_drawdown;
    s->equity = l.equity;
    s->max_gross = l.max_gross;
    s->leverage_bps = l.max_leverage_bps;
    s->max_repeats = (uint64_t)l.max_repeats;
    s->loss_action = (uint32_t)l.loss_action;
    s->venues = (uint32_t)l.venues;
    take_leverage(s, row);
    take_budget(&s->budget, &l);
    if (s->pnl - s->pnl_day >= -s->max_loss)
        s->tripped &= (uint32_t)~GN_TRIP_LOSS; /* a person has changed the limit: it may trip again */
    if (s->pnl_peak - s->pnl <= s->max_drawdown)
        s->tripped &= (uint32_t)~GN_TRIP_DRAWDOWN;
}

void gn_risk_take_scopes(struct gn_risk_ctx *c)
{
    for (uint32_t row = 0; row < GN_SCOPE_ROWS; row++)
        take_scope(c, row);
    for (uint32_t i = 0; i < GN_SESSIONS_MAX; i++) {
        struct gn_limits_scope firm = *gn_limits_firm_row(c->limits, c->generation);
        take_budget(&c->risk->session[i], &firm);
    }
    c->slot_ns = ((uint64_t)c->conf->risk.window_ms * NS_PER_MS + GN_RISK_SLOTS - 2) / (GN_RISK_SLOTS - 1);
    c->slot_ns = c->slot_ns == 0 ? NS_PER_S : c->slot_ns;
    c->risk->generation = c->generation;
}

void gn_risk_take(struct gn_risk_ctx *c, uint32_t i)
{
    struct gn_risk_instrument *x = &c->risk->instrument[i];
    const struct gn_limits_instrument *l = gn_limits_row(c->limits, c->generation, i);
    x->generation = c->generation;
    x->max_qty = l->max_qty;
    x->max_value = l->max_value;
    x->max_position = l->max_position;
    x->max_short = l->max_short;
    x->min_value = l->min_value;
    x->collar_bps = (uint32_t)l->collar_bps;
    x->period_collar_bps = (uint32_t)l->period_collar_bps;
    x->auction_collar_bps = (uint32_t)l->auction_collar_bps;
    x->permit = (uint8_t)l->permit;
    x->max_age_ns = (uint64_t)l->max_age_ms * NS_PER_MS;
    x->max_spread_bps = (uint32_t)l->max_spread_bps;
    x->outlier_bps = (uint32_t)l->outlier_bps;
    x->max_move_bps = (uint32_t)l->max_move_bps;
    x->max_loss = l->max_loss;
    x->max_trade_loss = l->max_trade_loss;
    x->stop_loss_bps = (uint32_t)l->stop_loss_bps;
    x->max_duplicates = (uint32_t)l->max_duplicates;
    x->smp_mode = (uint32_t)l->smp_mode;
    x->otr_warn = (uint32_t)l->otr_warn;
    x->unusual &= GN_UNUSUAL_RANGE;
    if (x->described == 0 || (l->set >> GN_LIMIT_TRADABLE & 1) == 0 || l->tradable == 0)
        x->unusual |= GN_UNUSUAL_UNKNOWN;
    if (l->set != GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT))
        x->unusual |= GN_UNUSUAL_NO_LIMIT;
    if (x->permit != 3)
        x->unusual |= GN_UNUSUAL_RESTRICTED;
    for (uint32_t k = 0; k < GN_LANES; k++)
        x->limit[k] = GN_MONEY_MAX;
    x->limit[GN_LANE_OPEN] = l->max_open_orders;
    x->limit[GN_LANE_GROSS] =
        gn_min_i64(l->max_exposure, share_of(c->risk->scope[x->chain[2]].equity, l->max_exposure_bps));
    x->limit[GN_LANE_DAY] = l->max_day_value;
    x->limit[GN_LANE_QTY] = l->window_qty;
    x->limit[GN_LANE_VALUE] = l->window_value;
    if (x->pnl - x->pnl_day >= -x->max_loss)
        x->tripped &= (uint32_t)~GN_TRIP_LOSS;
}

/* ---- sums ---- */

static int64_t clamp(struct gn_risk_instrument *x, int64_t v)
{
    if (GN_LIKELY(v <= GN_RISK_CLAMP && v >= -GN_RISK_CLAMP))
        return v;
    x->unusual |= GN_UNUSUAL_RANGE;
    return v > 0 ? GN_RISK_CLAMP : -GN_RISK_CLAMP;
}

static int64_t narrow(gn_i128 v)
{
    return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}

/* What the instrument adds to its scopes now. */
static void contribution(struct gn_risk_instrument *x, const struct gn_position *p, int64_t out[GN_LANES])
{
    int64_t lng = clamp(x, gn_risk_money(x, p->qty + p->open_buy, x->mark));
    int64_t shrt = clamp(x, gn_risk_money(x, p->open_sell - p->qty, x->mark));
    int64_t traded = clamp(x, gn_risk_money(x, narrow(p->buy_value + p->sell_value), 1));
    out[GN_LANE_OPEN] = p->open_orders;
    out[GN_LANE_GROSS] = gn_max_i64(lng, shrt);
    out[GN_LANE_LONG] = lng;
    out[GN_LANE_SHORT] = shrt;
    out[GN_LANE_DAY] = traded - x->day_value + clamp(x, gn_risk_money(x, p->open_value, 1));
    out[GN_LANE_POSITIONS] = (p->qty | p->open_buy | p->open_sell) != 0 || p->open_orders != 0;
    out[GN_LANE_QTY] = x->used[GN_LANE_QTY];
    out[GN_LANE_VALUE] = x->used[GN_LANE_VALUE];
}

static int64_t traded_of(struct gn_risk_instrument *x, const struct gn_position *p)
{
    return clamp(x, gn_risk_money(x, narrow(p->buy_value + p->sell_value), 1));
}

static void list_instrument(struct gn_risk *r, uint32_t i, bool active)
{
    struct gn_risk_instrument *x = &r->instrument[i];
    uint32_t *list = gn_risk_list(r);
    if (active && x->listed == 0) {
        list[r->active++] = i;
        x->listed = r->active;
    } else if (!active && x->listed != 0) {
        uint32_t last = list[--r->active];
        list[x->listed - 1] = last;
        r->instrument[last].listed = x->listed;
        x->listed = 0;
    }
}

/* ---- profit and loss ---- */

static void check_scope(struct gn_risk_ctx *c, uint32_t row)
{
    struct gn_risk_scope *s = &c->risk->scope[row];
    int64_t day = s->pnl - s->pnl_day;
    s->pnl_peak = gn_max_i64(s->pnl_peak, s->pnl);
    if (GN_UNLIKELY(day < -s->max_loss))
        trip(c, &s->tripped, GN_TRIP_LOSS, gn_risk_word(c->control, row),
             (struct gn_risk_note){GN_RISK_LOSS, row, 0, s->loss_action, -s->max_loss, day});
    if (GN_UNLIKELY(s->pnl_peak - s->pnl > s->max_drawdown))
        trip(c, &s->tripped, GN_TRIP_DRAWDOWN, gn_risk_word(c->control, row),
             (struct gn_risk_note){GN_RISK_DRAWDOWN, row, 0, s->loss_action, s->max_drawdown, s->pnl_peak - s->pnl});
    take_leverage(s, row);
}

static void check_instrument(struct gn_risk_ctx *c, uint32_t i, int64_t unrealised, int64_t cost)
{
    struct gn_risk_instrument *x = &c->risk->instrument[i];
    _Atomic uint64_t *word = gn_kill_instrument(c->control) + i;
    int64_t day = x->pnl - x->pnl_day;
    if (x->generation == 0)
        return; /* no limits were taken over yet */
    if (GN_UNLIKELY(day < -x->max_loss))
        trip(c, &x->tripped, GN_TRIP_LOSS, word,
             (struct gn_risk_note){GN_RISK_LOSS, GN_NONE32, i, GN_LADDER_REDUCE_ONLY, -x->max_loss, day});
    if (GN_UNLIKELY(unrealised < 0 && (gn_i128)-unrealised * 10000 > (gn_i128)cost * x->stop_loss_bps))
        trip(c, &x->tripped, GN_TRIP_STOP, word,
             (struct gn_risk_note){GN_RISK_STOP, GN_NONE32, i, GN_LADDER_REDUCE_ONLY,
                                   -(int64_t)((gn_i128)cost * x->stop_loss_bps / 10000), unrealised});
}

/* Realised: what was sold less what was bought, with the open position at what it cost. */
static void profit(struct gn_risk_ctx *c, uint32_t i)
{
    struct gn_risk_instrument *x = &c->risk->instrument[i];
    const struct gn_position *p = &c->positions[i];
    if (p->fills == 0 && x->pnl == 0)
        return;
    int64_t cost = clamp(x, gn_risk_money(x, narrow(p->cost), 1));
    int64_t fees = clamp(x, gn_risk_money(x, p->fees, 1)) / 100;
    int64_t realised = clamp(x, gn_risk_money(x, narrow(p->sell_value - p->buy_value + p->cost), 1)) - fees;
    int64_t unrealised = x->mark == 0 ? 0 : clamp(x, gn_risk_money(x, p->qty, x->mark)) - cost;
    int64_t pnl = realised + unrealised, moved = pnl - x->pnl, fill = realised - x->realised;
    x->realised = realised;
    if (GN_UNLIKELY(fill < 0 && -fill > x->max_trade_loss && x->generation != 0))
        trip(c, &x->tripped, GN_TRIP_TRADE, gn_kill_instrument(c->control) + i,
             (struct gn_risk_note){GN_RISK_TRADE, GN_NONE32, i, GN_LADDER_REDUCE_ONLY, -x->max_trade_loss, fill});
    if (moved == 0)
        return;
    x->pnl = pnl;
    for (uint32_t k = 0; k < GN_RISK_CHAIN; k++) {
        c->risk->scope[x->chain[k]].pnl += moved;
        if (GN_LIKELY(!c->joining))
            check_scope(c, x->chain[k]);
    }
    if (GN_LIKELY(!c->joining))
        check_instrument(c, i, unrealised, cost < 0 ? -cost : cost);
}

void gn_risk_sync(struct gn_risk_ctx *c, uint32_t i)
{
    struct gn_risk_instrument *x = &c->risk->instrument[i];
    int64_t now[GN_LANES], moved[GN_LANES];
    if (GN_UNLIKELY(x->described == 0))
        return;
    contribution(x, &c->positions[i], now);
    x->summed_mark = x->mark;
    if (GN_UNLIKELY(now[GN_LANE_POSITIONS] != x->used[GN_LANE_POSITIONS]))
        list_instrument(c->risk, i, now[GN_LANE_POSITIONS] != 0);
    for (uint32_t k = 0; k < GN_LANES; k++) {
        moved[k] = now[k] - x->used[k];
        x->used[k] = now[k];
    }
    for (uint32_t a = 0; a < GN_RISK_CHAIN; a++) {
        int64_t *used = c->risk->scope[x->chain[a]].used;
        for (uint32_t k = 0; k < GN_LANES; k++)
            used[k] += moved[k];
    }
    profit(c, i);
}

/* ---- all of them ---- */

static void start_day(struct gn_risk_ctx *c, uint64_t now_ns)
{
    struct gn_risk *r = c->risk;
    uint64_t roll = (uint64_t)c->conf->risk.day_roll_s * NS_PER_S;
    uint64_t into = now_ns >= roll ? (now_ns - roll) % NS_PER_DAY : 0;
    r->day_end_ns = now_ns - into + NS_PER_DAY;
    r->days++;
    for (uint32_t i = 0; i < r->rows; i++) {
        struct gn_risk_instrument *x = &r->instrument[i];
        if (x->described == 0)
            continue;
        x->pnl_day = x->pnl;
        x->day_value = traded_of(x, &c->positions[i]);
        x->tripped &= (uint32_t)~GN_TRIP_LOSS;
        gn_risk_sync(c, i);
    }
    for (uint32_t row = 0; row < GN_SCOPE_ROWS; row++) {
        r->scope[row].pnl_day = r->scope[row].pnl;
        r->scope[row].tripped &= (uint32_t)~GN_TRIP_LOSS;
        take_leverage(&r->scope[row], row);
    }
    (void)gn_risk_tell(c, &(struct gn_risk_note){GN_RISK_DAY, GN_ROW_FIRM, 0, 0, 0, (int64_t)r->days});
}

static bool sound_chain(const struct gn_risk_instrument *x)
{
    static const uint16_t first[GN_RISK_CHAIN] = {GN_ROW_THEME, GN_ROW_STRATEGY, GN_ROW_ACCOUNT, GN_ROW_VENUE, 0};
    static const uint16_t end[GN_RISK_CHAIN] = {GN_SCOPE_ROWS, GN_ROW_THEME, GN_ROW_STRATEGY, GN_ROW_ACCOUNT, 1};
    bool sound = true;
    for (uint32_t a = 0; a < GN_RISK_CHAIN; a++)
        sound = sound && x->chain[a] >= first[a] && x->chain[a] < end[a];
    return sound;
}

void gn_risk_join(struct gn_risk_ctx *c, uint64_t now_ns)
{
    struct gn_risk *r = c->risk;
    r->active = 0;
    c->joining = true; /* a sum of some instruments is no sum: nothing is concluded from it */
    for (uint32_t row = 0; row < GN_SCOPE_ROWS; row++) {
        for (uint32_t k = 0; k < GN_LANE_QTY; k++)
            r->scope[row].used[k] = 0;
        r->scope[row].pnl = 0;
    }
    for (uint32_t i = 0; i < r->rows; i++) {
        struct gn_risk_instrument *x = &r->instrument[i];
        if (!sound_chain(x))
            gn_risk_unknown(x); /* not what the control plane wrote: it is not traded */
        for (uint32_t k = 0; k < GN_LANE_QTY; k++)
            x->used[k] = 0;
        x->pnl = 0;
        x->listed = 0;
        x->generation = 0; /* thresholds are taken over again */
        gn_risk_sync(c, i);
    }
    c->joining = false;
    if (r->day_end_ns == 0)
        start_day(c, now_ns);
}

bool gn_risk_verify(const struct gn_risk_ctx *c, int64_t (*sums)[GN_LANES])
{
    memset(sums, 0, GN_SCOPE_ROWS * sizeof *sums);
    bool same = true;
    for (uint32_t i = 0; i < c->risk->rows; i++) {
        struct gn_risk_instrument x = c->risk->instrument[i];
        int64_t now[GN_LANES];
        if (x.described == 0)
            continue;
        x.mark = x.summed_mark; /* a mark that was seen since then is not summed yet */
        contribution(&x, &c->positions[i], now);
        for (uint32_t k = 0; k < GN_LANE_QTY; k++) {
            same = same && now[k] == x.used[k];
            for (uint32_t a = 0; a < GN_RISK_CHAIN; a++)
                sums[x.chain[a]][k] += now[k];
        }
    }
    for (uint32_t row = 0; row < GN_SCOPE_ROWS; row++)
        for (uint32_t k = 0; k < GN_LANE_QTY; k++)
            same = same && sums[row][k] == c->risk->scope[row].used[k];
    return same;
}

void gn_risk_day(struct gn_risk_ctx *c, uint64_t now_ns)
{
    if (GN_UNLIKELY(now_ns >= c->risk->day_end_ns))
        start_day(c, now_ns);
}

uint32_t gn_risk_due(struct gn_risk_ctx *c, uint64_t now_ns)
{
    struct gn_tob tob;
    if (GN_LIKELY(now_ns < c->mark_ns))
        return GN_NONE32;
    c->mark_ns = now_ns + (uint64_t)c->conf->risk.mark_us * 1000;
    if (c->risk->active == 0)
        return GN_NONE32;
    c->cursor = c->cursor + 1 < c->risk->active ? c->cursor + 1 : 0;
    uint32_t i = gn_risk_list(c->risk)[c->cursor];
    bool news = gn_tob_read(&c->tob[i], &tob, GN_GUARD_TRIES) && tob.tick_seq != c->risk->instrument[i].tick_seq;
    return news ? i : GN_NONE32;
}

void gn_risk_look(struct gn_risk_ctx *c, uint32_t i, uint64_t now_ns)
{
    struct gn_tob tob;
    if (c->risk->instrument[i].generation != c->generation)
        gn_risk_take(c, i);
    if (gn_tob_read(&c->tob[i], &tob, GN_GUARD_TRIES) && gn_guard_look(c, i, &tob, now_ns))
        gn_risk_sync(c, i);
}

void gn_risk_window_turn(struct gn_risk_window *w, int64_t *used, uint64_t slot)
{
    uint64_t steps = slot > w->slot ? slot - w->slot : 0; /* time does not go back; if it did, nothing is forgotten */
    for (uint64_t k = 1; k <= steps && k <= GN_RISK_SLOTS; k++) {
        uint64_t at = (w->slot + k) % GN_RISK_SLOTS;
        used[GN_LANE_QTY] -= w->qty[at];
        used[GN_LANE_VALUE] -= w->value[at];
        w->qty[at] = w->value[at] = 0;
    }
    w->slot = steps == 0 ? w->slot : slot;
}
