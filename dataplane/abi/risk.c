#include "dataplane/abi/risk.h"

#include "dataplane/abi/control.h"

void gn_risk_new(struct gn_risk *r, uint32_t rows)
{
    r->rows = rows;
    r->active = 0;
    for (uint32_t i = 0; i < rows; i++)
        gn_risk_unknown(&r->instrument[i]);
}

void gn_risk_unknown(struct gn_risk_instrument *x)
{
    static const uint16_t chain[GN_RISK_CHAIN] = {GN_ROW_NO_THEME, GN_ROW_STRATEGY, GN_ROW_ACCOUNT, GN_ROW_VENUE,
                                                  GN_ROW_FIRM};
    memcpy(x->chain, chain, sizeof chain);
    x->scale = GN_RISK_SCALE_ONE;
    x->described = 0;
}

/* The odd part's inverse modulo 2^64, by Newton's iteration from five right bits. */
static uint64_t inverse_of(uint64_t odd)
{
    uint64_t x = (odd * 3) ^ 2;
    for (uint32_t i = 0; i < 4; i++)
        x *= 2 - odd * x;
    return x;
}

static void divisor(int64_t d, uint64_t *inverse, uint64_t *most, uint8_t *shift)
{
    *shift = (uint8_t)__builtin_ctzll((uint64_t)d);
    *inverse = inverse_of((uint64_t)d >> *shift);
    *most = UINT64_MAX / (uint64_t)d;
}

/* multiplier x rate x 10^(exponent + 4), GN_RISK_SCALE_BITS binary places, rounded up. */
static bool scale_of(const struct gn_conf_instrument *k, int64_t *scale)
{
    gn_i128 v = (gn_i128)k->multiplier * k->fx_ppm;
    gn_i128 by = 1000000;
    if (k->multiplier <= 0 || k->fx_ppm <= 0 || v > (gn_i128)1 << 60)
        return false;
    for (int32_t e = k->price_exp + 4; e > 0; e--)
        v *= 10;
    for (int32_t e = k->price_exp + 4; e < 0; e++)
        by *= 10;
    v = ((v << GN_RISK_SCALE_BITS) + by - 1) / by;
    *scale = (int64_t)v;
    return v > 0 && v < (gn_i128)1 << 60;
}

bool gn_risk_describe(struct gn_risk *r, uint32_t i, const struct gn_conf *c, const struct gn_conf_instrument *k)
{
    struct gn_risk_instrument *x = &r->instrument[i];
    if (i >= r->rows || k->tick <= 0 || k->lot <= 0 || k->venue >= GN_VENUES_MAX || !scale_of(k, &x->scale))
        return false;
    divisor(k->tick, &x->tick_inverse, &x->tick_most, &x->tick_shift);
    divisor(k->lot, &x->lot_inverse, &x->lot_most, &x->lot_shift);
    uint32_t strategy = k->strategy < GN_STRATEGIES_MAX ? k->strategy : 0;
    uint32_t account = c->strategy[strategy].account;
    if (account >= GN_ACCOUNTS_MAX)
        return false;
    x->chain[0] = (uint16_t)(k->theme < GN_THEMES_MAX ? GN_ROW_THEME + k->theme : GN_ROW_NO_THEME);
    x->chain[1] = (uint16_t)(GN_ROW_STRATEGY + strategy);
    x->chain[2] = (uint16_t)(GN_ROW_ACCOUNT + account);
    x->chain[3] = (uint16_t)(GN_ROW_VENUE + k->venue);
    x->chain[4] = GN_ROW_FIRM;
    x->venue = (uint8_t)k->venue;
    uint32_t session = c->strategy[strategy].session;
    x->taker_fee = session < GN_SESSIONS_MAX ? c->session[session].fee_remove : 0;
    x->prev_close = k->prev_close;
    x->described = 1;
    return true;
}

uint32_t gn_scope_of_row(uint32_t row, uint32_t *index)
{
    static const struct {
        uint32_t first, scope;
    } kinds[] = {{GN_ROW_THEME, GN_SCOPE_THEME},
                 {GN_ROW_STRATEGY, GN_SCOPE_STRATEGY},
                 {GN_ROW_ACCOUNT, GN_SCOPE_ACCOUNT},
                 {GN_ROW_VENUE, GN_SCOPE_VENUE},
                 {GN_ROW_FIRM, GN_SCOPE_ALL}};
    uint32_t i = 0;
    while (row < kinds[i].first)
        i++;
    *index = row - kinds[i].first;
    return kinds[i].scope;
}
