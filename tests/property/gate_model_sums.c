/* Sums of the slow model: added up from all positions, and from everything that was sent, each time. */
#include "tests/property/gate_model_impl.h"

uint32_t gm_theme_of(uint32_t instrument)
{
    return instrument < GW_INSTRUMENTS - 1 ? instrument % 2 : GN_THEMES_MAX;
}

uint32_t gm_account_of(uint32_t instrument)
{
    return instrument < GW_INSTRUMENTS - 1 ? instrument % 2 : 0;
}

/* ---- sums ---- */

struct sums {
    gn_i128 v[GN_LANES];
};

static gn_i128 max_i128(gn_i128 a, gn_i128 b)
{
    return a > b ? a : b;
}

/* What instrument i adds, with `more` on one side. */
static struct sums of_instrument(const struct question *q, uint32_t i, int64_t buy, int64_t sell)
{
    const struct gn_position *p = &q->w->positions[i];
    gn_i128 mark = q->m->market[i].mark;
    gn_i128 lng = (p->qty + p->open_buy + buy) * mark, shrt = (p->open_sell + sell - p->qty) * mark;
    struct sums s = {{p->open_orders, max_i128(lng, shrt), lng, shrt, p->buy_value + p->sell_value + p->open_value,
                      p->qty != 0 || p->open_orders != 0 || p->open_buy != 0 || p->open_sell != 0, 0, 0}};
    uint64_t slot_ns = ((uint64_t)q->w->conf.risk.window_ms * 1000000 + 14) / 15, now = q->w->now_ns / slot_ns;
    for (uint64_t k = q->m->n_sent < GM_SENT ? 0 : q->m->n_sent - GM_SENT; k < q->m->n_sent; k++) {
        const struct gm_sent *e = &q->m->sent[k % GM_SENT];
        if (e->instrument == i && e->at_ns / slot_ns + GN_RISK_SLOTS > now) {
            s.v[GN_LANE_QTY] += e->qty;
            s.v[GN_LANE_VALUE] += (gn_i128)e->qty * e->price;
        }
    }
    return s;
}

static bool belongs(uint32_t i, uint32_t row)
{
    if (i >= GW_INSTRUMENTS - 1)
        return false; /* not configured: it has no place in any sum */
    return row == GN_ROW_FIRM || row == GN_ROW_VENUE || row == GN_ROW_ACCOUNT + gm_account_of(i) ||
           row == GN_ROW_STRATEGY + i || row == GN_ROW_THEME + gm_theme_of(i);
}

/* The scope's own limit, or its parent's. */
int64_t gm_effective(const struct question *q, uint32_t row, uint32_t field)
{
    const struct gn_limits_scope *l = gn_limits_scope_row(q->w->limits, q->w->gate.generation, row);
    if ((l->set >> field & 1) != 0 || row == GN_ROW_FIRM)
        return (&l->max_open_orders)[field];
    bool strategy = row >= GN_ROW_STRATEGY && row < GN_ROW_THEME;
    return gm_effective(q, strategy ? GN_ROW_ACCOUNT + (row - GN_ROW_STRATEGY) % 2 : GN_ROW_FIRM, field);
}

static gn_i128 share(gn_i128 equity, gn_i128 bps)
{
    gn_i128 s = equity / 10000 * bps;
    return s > GN_MONEY_MAX ? GN_MONEY_MAX : s;
}

static gn_i128 scope_limit(const struct question *q, uint32_t row, uint32_t lane)
{
    static const uint32_t field[GN_LANES] = {GN_SL_MAX_OPEN_ORDERS, GN_SL_MAX_GROSS,     GN_SL_MAX_NET,
                                             GN_SL_MAX_NET,         GN_SL_MAX_DAY_VALUE, GN_SL_MAX_POSITIONS,
                                             GN_SL_WINDOW_QTY,      GN_SL_WINDOW_VALUE};
    return gm_effective(q, row, field[lane]);
}

static gn_i128 instrument_limit(const struct question *q, uint32_t lane)
{
    const struct gn_limits_instrument *l = q->limit;
    switch (lane) {
    case GN_LANE_OPEN:
        return l->max_open_orders;
    case GN_LANE_GROSS: {
        gn_i128 s = share(gm_effective(q, GN_ROW_ACCOUNT + gm_account_of(q->in->instrument), GN_SL_EQUITY),
                          l->max_exposure_bps);
        return s < l->max_exposure ? s : l->max_exposure;
    }
    case GN_LANE_DAY:
        return l->max_day_value;
    case GN_LANE_QTY:
        return l->window_qty;
    case GN_LANE_VALUE:
        return l->window_value;
    default:
        return GN_MONEY_MAX;
    }
}

bool gm_lifted(const struct question *q, uint32_t verdict)
{
    return verdict < 64 && (q->lift >> verdict & 1) != 0;
}

/* One sum of one scope: its verdict when the order makes it grow beyond its limit. */
static uint16_t one_sum(const struct question *q, uint32_t row, uint32_t lane, gn_i128 used, gn_i128 add)
{
    static const uint16_t verdict[GN_LANES] = {
        GN_VERDICT_MAX_OPEN_ORDERS, GN_VERDICT_MAX_EXPOSURE,  GN_VERDICT_MAX_NET,    GN_VERDICT_MAX_NET,
        GN_VERDICT_MAX_DAY_VALUE,   GN_VERDICT_MAX_POSITIONS, GN_VERDICT_WINDOW_QTY, GN_VERDICT_WINDOW_VALUE};
    if (add <= 0)
        return GN_VERDICT_OK;
    bool instrument = row == GN_NONE32;
    uint16_t v = verdict[lane];
    bool bad = used + add > (instrument ? instrument_limit(q, lane) : scope_limit(q, row, lane));
    if (!bad && !instrument && lane == GN_LANE_GROSS) {
        v = GN_VERDICT_LEVERAGE;
        bad = used + add > share(gm_effective(q, row, GN_SL_EQUITY), gm_effective(q, row, GN_SL_MAX_LEVERAGE_BPS));
    }
    return bad && !gm_lifted(q, v) ? v : GN_VERDICT_OK;
}

uint16_t gm_sums(const struct question *q)
{
    uint32_t i = q->in->instrument;
    const uint32_t rows[] = {GN_NONE32,           GN_ROW_THEME + gm_theme_of(i),
                             GN_ROW_STRATEGY + i, GN_ROW_ACCOUNT + gm_account_of(i),
                             GN_ROW_VENUE,        GN_ROW_FIRM};
    int64_t more = q->in->qty;
    if (q->in->action == GN_ACTION_REPLACE)
        more = q->in->qty > q->target->reserved ? q->in->qty - q->target->reserved : 0;
    bool buy = q->in->side == GN_SIDE_BUY;
    struct sums was = of_instrument(q, i, 0, 0), is = of_instrument(q, i, buy ? more : 0, buy ? 0 : more);
    is.v[GN_LANE_OPEN]++;
    is.v[GN_LANE_POSITIONS] = 1;
    is.v[GN_LANE_DAY] += (gn_i128)q->in->qty * q->in->price;
    is.v[GN_LANE_QTY] += q->in->qty;
    is.v[GN_LANE_VALUE] += (gn_i128)q->in->qty * q->in->price;
    for (uint32_t r = 0; r < GN_ARRAY_LEN(rows); r++) {
        struct sums used = was;
        for (uint32_t k = 0; k < GW_INSTRUMENTS && rows[r] != GN_NONE32; k++) {
            struct sums other = of_instrument(q, k, 0, 0);
            for (uint32_t lane = 0; lane < GN_LANES && k != i && belongs(k, rows[r]); lane++)
                used.v[lane] += other.v[lane];
        }
        for (uint32_t lane = 0; lane < GN_LANES; lane++) {
            uint16_t v = one_sum(q, rows[r], lane, used.v[lane], is.v[lane] - was.v[lane]);
            if (v != GN_VERDICT_OK)
                return v;
        }
    }
    return GN_VERDICT_OK;
}
