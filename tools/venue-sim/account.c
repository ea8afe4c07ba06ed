#include "tools/venue-sim/account.h"

#include <stdlib.h>

bool gn_account_init(struct gn_account *a, uint32_t n)
{
    *a = (struct gn_account){.n = n};
    a->rows = calloc(n, sizeof *a->rows);
    return a->rows != NULL;
}

void gn_account_free(struct gn_account *a)
{
    free(a->rows);
    *a = (struct gn_account){0};
}

static void fill_row(struct gn_account_row *r, uint32_t side, uint32_t qty, uint64_t price, bool undo)
{
    const gn_i128 notional = (gn_i128)price * qty;
    const bool buy = side == GN_SIDE_BUY;
    uint64_t *shares = buy ? &r->bought : &r->sold;
    gn_i128 *sum = buy ? &r->buy_notional : &r->sell_notional;

    r->executions += !undo;
    r->broken += undo;
    *shares += undo ? 0 - (uint64_t)qty : qty;
    *sum += undo ? -notional : notional;
    r->position += buy != undo ? (int64_t)qty : -(int64_t)qty;
}

void gn_account_fill(struct gn_account *a, uint32_t instrument, uint32_t side, uint32_t qty, uint64_t price, bool undo)
{
    fill_row(&a->rows[instrument], side, qty, price, undo);
    fill_row(&a->total, side, qty, price, undo);
}

static json_t *amount(gn_i128 v)
{
    if (v >= INT64_MIN && v <= INT64_MAX)
        return json_integer((json_int_t)v);
    char text[48];
    size_t at = sizeof text;
    bool negative = v < 0;
    text[--at] = '\0';
    for (; v != 0; v /= 10)
        text[--at] = (char)('0' + (negative ? -(int)(v % 10) : (int)(v % 10)));
    if (negative)
        text[--at] = '-';
    return json_string(text + at);
}

static json_t *row_json(const struct gn_account_row *r)
{
    json_t *o = json_object();
#define GN_X(member, help) json_object_set_new(o, #member, json_integer((json_int_t)r->member));
    GN_ACCOUNT_COUNTS(GN_X)
#undef GN_X
    json_object_set_new(o, "position", json_integer(r->position));
    json_object_set_new(o, "buy_notional", amount(r->buy_notional));
    json_object_set_new(o, "sell_notional", amount(r->sell_notional));
    json_object_set_new(o, "cash", amount(gn_account_cash(r)));
    return o;
}

json_t *gn_account_json(const struct gn_account *a, const char *(*symbol_of)(uint32_t instrument, void *arg), void *arg)
{
    json_t *out = json_object(), *list = json_array();
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->rows[i].entered == 0)
            continue;
        const char *symbol = symbol_of(i, arg);
        size_t len = 8;
        while (len > 0 && symbol[len - 1] == ' ')
            len--;
        json_t *row = row_json(&a->rows[i]);
        json_object_set_new(row, "symbol", json_stringn(symbol, len));
        json_array_append_new(list, row);
    }
    json_object_set_new(out, "total", row_json(&a->total));
    json_object_set_new(out, "instruments", list);
    return out;
}
