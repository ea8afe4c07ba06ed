#include "dataplane/abi/limits_check.h"

#include <inttypes.h>
#include <stdio.h>

/* A limit that both an instrument and a scope have, or only scopes. */
struct pair {
    uint32_t scope;      /* enum gn_scope_limit */
    uint32_t instrument; /* enum gn_instrument_limit, or NONE */
    const char *name;    /* of the scope's */
};

#define NONE 0xffffu

static const struct pair pairs[] = {
    {GN_SL_MAX_OPEN_ORDERS, GN_LIMIT_MAX_OPEN_ORDERS, "max_open_orders"},
    {GN_SL_MESSAGE_RATE, NONE, "message_rate"},
    {GN_SL_MESSAGE_BURST, NONE, "message_burst"},
    {GN_SL_MAX_GROSS, GN_LIMIT_MAX_EXPOSURE, "max_gross"},
    {GN_SL_MAX_NET, NONE, "max_net"},
    {GN_SL_MAX_DAY_VALUE, GN_LIMIT_MAX_DAY_VALUE, "max_day_value"},
    {GN_SL_MAX_POSITIONS, NONE, "max_positions"},
    {GN_SL_WINDOW_QTY, GN_LIMIT_WINDOW_QTY, "window_qty"},
    {GN_SL_WINDOW_VALUE, GN_LIMIT_WINDOW_VALUE, "window_value"},
    {GN_SL_MAX_LOSS, GN_LIMIT_MAX_LOSS, "max_loss"},
    {GN_SL_MAX_DRAWDOWN, NONE, "max_drawdown"},
    {GN_SL_EQUITY, NONE, "equity"},
    {GN_SL_MAX_LEVERAGE_BPS, GN_LIMIT_MAX_EXPOSURE_BPS, "max_leverage_bps"},
    {GN_SL_THROTTLED_RATE, NONE, "throttled_rate"},
    {GN_SL_MAX_REPEATS, NONE, "max_repeats"},
};
#define PAIRS GN_ARRAY_LEN(pairs)

/* What the members of a scope have too much of. */
struct over {
    uint32_t n;
    uint32_t first_row, first_instrument;
    int64_t first;
    gn_i128 sum;
    bool same;
};

static int64_t largest(uint32_t field)
{
    static const int64_t most[] = {
#define GN_X(num, NAME, name, unit, min, max, looser, def, help) max,
        GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
    };
    return most[field];
}

static bool scope_value(const struct gn_limits_tree *t, uint32_t row, uint32_t field, int64_t *value)
{
    const struct gn_limits_scope *s = &t->scope[row];
    *value = (&s->max_open_orders)[field];
    return (s->set >> field & 1) != 0;
}

static void note(struct over *o, uint32_t row, uint32_t instrument, int64_t value)
{
    if (o->n++ == 0) {
        o->first_row = row;
        o->first_instrument = instrument;
        o->first = value;
        o->same = true;
    }
    o->same = o->same && value == o->first;
    o->sum += value;
}

static void compare(const struct gn_limits_tree *t, struct over (*over)[PAIRS], uint32_t parent, uint32_t p,
                    uint32_t row, uint32_t instrument, int64_t value)
{
    int64_t limit;
    if (scope_value(t, parent, pairs[p].scope, &limit) && value > limit)
        note(&over[parent][p], row, instrument, value);
}

/* Members that are scopes: a strategy's parents are its account and the firm, everybody else's the firm. */
static void compare_scopes(const struct gn_limits_tree *t, struct over (*over)[PAIRS])
{
    for (uint32_t row = GN_ROW_FIRM + 1; row < GN_ROW_NO_THEME; row++)
        for (uint32_t p = 0; p < PAIRS; p++) {
            int64_t value;
            if (!scope_value(t, row, pairs[p].scope, &value))
                continue;
            compare(t, over, GN_ROW_FIRM, p, row, 0, value);
            if (row >= GN_ROW_STRATEGY && row < GN_ROW_STRATEGY + GN_STRATEGIES_MAX) {
                uint32_t account = t->conf->strategy[row - GN_ROW_STRATEGY].account;
                if (account < GN_ACCOUNTS_MAX)
                    compare(t, over, GN_ROW_ACCOUNT + account, p, row, 0, value);
            }
        }
}

static void compare_instrument(const struct gn_limits_tree *t, struct over (*over)[PAIRS], uint32_t i,
                               const struct gn_conf_instrument *k, const struct gn_limits_instrument *l)
{
    uint32_t parents[4] = {GN_ROW_FIRM}, n = 1;
    if (k->theme < GN_THEMES_MAX)
        parents[n++] = GN_ROW_THEME + k->theme;
    if (k->venue < GN_VENUES_MAX)
        parents[n++] = GN_ROW_VENUE + k->venue;
    if (k->strategy < GN_STRATEGIES_MAX)
        parents[n++] = GN_ROW_STRATEGY + k->strategy;
    for (uint32_t p = 0; p < PAIRS; p++) {
        if (pairs[p].instrument == NONE || (l->set >> pairs[p].instrument & 1) == 0)
            continue;
        int64_t value = (&l->tradable)[pairs[p].instrument];
        if (value == largest(pairs[p].instrument))
            continue; /* the loosest there is: the scopes above decide */
        for (uint32_t a = 0; a < n; a++)
            compare(t, over, parents[a], p, GN_LIMITS_INSTRUMENT, i, value);
        if (k->strategy < GN_STRATEGIES_MAX && t->conf->strategy[k->strategy].account < GN_ACCOUNTS_MAX)
            compare(t, over, GN_ROW_ACCOUNT + t->conf->strategy[k->strategy].account, p, GN_LIMITS_INSTRUMENT, i,
                    value);
    }
}

const char *gn_limits_row_name(const struct gn_conf *c, uint32_t row, char *buf, size_t n)
{
    if (row == GN_ROW_FIRM)
        (void)snprintf(buf, n, "the firm");
    else if (row < GN_ROW_ACCOUNT)
        (void)snprintf(buf, n, "venue %s", c->venue[row - GN_ROW_VENUE]);
    else if (row < GN_ROW_STRATEGY)
        (void)snprintf(buf, n, "account %s", c->account[row - GN_ROW_ACCOUNT]);
    else if (row < GN_ROW_THEME)
        (void)snprintf(buf, n, "strategy %s", c->strategy[row - GN_ROW_STRATEGY].name);
    else if (row < GN_ROW_NO_THEME)
        (void)snprintf(buf, n, "theme %s", c->theme[row - GN_ROW_THEME]);
    else
        (void)snprintf(buf, n, "no theme");
    return buf;
}

/* A number, and what it is in percent when it is a share. */
struct shown {
    char text[64];
};

static struct shown shown(uint32_t field, gn_i128 value)
{
    struct shown s;
    int64_t v = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    if (field != GN_SL_MAX_LEVERAGE_BPS)
        (void)snprintf(s.text, sizeof s.text, "%" PRId64, v);
    else if (v % 100 == 0)
        (void)snprintf(s.text, sizeof s.text, "%" PRId64 " (%" PRId64 "%%)", v, v / 100);
    else
        (void)snprintf(s.text, sizeof s.text, "%" PRId64 " (%" PRId64 ".%02" PRId64 "%%)", v, v / 100, v % 100);
    return s;
}

static void explain(const struct gn_limits_tree *t, uint32_t row, uint32_t p, const struct over *o,
                    struct gn_limits_finding *f)
{
    char name[48];
    int64_t limit;
    uint32_t field = pairs[p].scope;
    (void)scope_value(t, row, field, &limit);
    *f = (struct gn_limits_finding){.row = row,
                                    .field = field,
                                    .child_row = o->first_row,
                                    .instrument = o->first_instrument,
                                    .child_field = o->first_row == GN_LIMITS_INSTRUMENT ? pairs[p].instrument : field};
    int at = snprintf(f->text, sizeof f->text, "%s: %s %s, but %u member%s %s",
                      gn_limits_row_name(t->conf, row, name, 48), pairs[p].name, shown(field, limit).text, o->n,
                      o->n == 1 ? "" : "s", o->same ? "x " : "have together ");
    if (o->same)
        at += snprintf(f->text + at, sizeof f->text - (size_t)at, "%s = ", shown(field, o->first).text);
    (void)snprintf(f->text + at, sizeof f->text - (size_t)at, "%s", shown(field, o->sum).text);
}

uint32_t gn_limits_check(const struct gn_limits_tree *t, void (*say)(void *ctx, const struct gn_limits_finding *f),
                         void *ctx)
{
    struct over over[GN_SCOPE_ROWS][PAIRS] = {0};
    uint32_t found = 0;
    compare_scopes(t, over);
    for (uint32_t i = 0; i < t->n_instruments; i++)
        compare_instrument(
            t, over, i,
            (const struct gn_conf_instrument *)(const void *)((const uint8_t *)t->instrument +
                                                              i * t->instrument_stride),
            (const struct gn_limits_instrument *)(const void *)((const uint8_t *)t->limits + i * t->limits_stride));
    for (uint32_t row = 0; row < GN_SCOPE_ROWS; row++)
        for (uint32_t p = 0; p < PAIRS; p++)
            if (over[row][p].n != 0) {
                struct gn_limits_finding f;
                explain(t, row, p, &over[row][p], &f);
                say(ctx, &f);
                found++;
            }
    return found;
}
