#include "tools/replay/report.h"

#include <string.h>

#define EXP_DEFAULT (-4)
#define AMOUNT      64u

/* v x 10^-digits as decimal text; digits 0 to 18. */
static void put_amount(json_t *o, const char *key, gn_i128 v, int digits)
{
    char text[AMOUNT], *at = text + sizeof text - 1;
    const bool minus = v < 0;
    gn_i128 rest = minus ? -v : v;
    *at = 0;
    for (int i = 0; i <= digits || rest != 0; i++) {
        if (i == digits && digits != 0)
            *--at = '.';
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (minus)
        *--at = '-';
    json_object_set_new(o, key, json_string(at));
}

struct sum {
    struct gn_fill_account account;
    gn_i128 pnl;
    bool unmarked; /* an open position has no price */
};

static void put_account(json_t *o, const struct sum *x, int digits)
{
    const struct gn_fill_account *a = &x->account;
    const struct {
        const char *name;
        json_int_t value;
    } rows[] = {{"orders", (json_int_t)a->orders},
                {"rejected", (json_int_t)a->rejected},
                {"canceled", (json_int_t)a->canceled},
                {"fills", (json_int_t)a->fills},
                {"bought", a->bought},
                {"sold", a->sold},
                {"maker_qty", a->maker_qty},
                {"taker_qty", a->taker_qty},
                {"position", a->bought - a->sold}};
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        json_object_set_new(o, rows[i].name, json_integer(rows[i].value));
    put_amount(o, "cash", 100 * (a->sell_value - a->buy_value), digits);
    put_amount(o, "fees", a->fees, digits);
    if (x->unmarked)
        json_object_set_new(o, "pnl", json_null());
    else
        put_amount(o, "pnl", x->pnl, digits);
}

static void add(struct sum *t, const struct sum *x, gn_i128 scale)
{
    t->account.orders += x->account.orders;
    t->account.rejected += x->account.rejected;
    t->account.canceled += x->account.canceled;
    t->account.fills += x->account.fills;
    t->account.bought += x->account.bought;
    t->account.sold += x->account.sold;
    t->account.maker_qty += x->account.maker_qty;
    t->account.taker_qty += x->account.taker_qty;
    t->account.buy_value += x->account.buy_value * scale;
    t->account.sell_value += x->account.sell_value * scale;
    t->account.fees += x->account.fees * (int64_t)scale;
    t->pnl += x->pnl * scale;
    t->unmarked = t->unmarked || x->unmarked;
}

static gn_i128 power(int n)
{
    gn_i128 p = 1;
    for (int i = 0; i < n; i++)
        p *= 10;
    return p;
}

/* Decimals of amounts in 1/100 of a mantissa. */
static int digits_of(const struct gn_instrument *k)
{
    const int digits = 2 - k->price_exp;
    return digits < 0 ? 0 : digits > 18 ? 18 : digits;
}

static json_t *instruments(const struct gn_replay *r, const struct gn_conf *c, struct sum *total, int digits)
{
    const struct gn_instruments *t = gn_replay_feed(r)->instruments;
    json_t *list = json_array();
    for (uint32_t i = 0; t != NULL && i < c->max_instruments; i++) {
        struct sum x = {.account = *gn_fill_account_of(gn_backtest_model(r), i)};
        const struct gn_instrument *k = &t->row[i];
        int64_t mark = 0;
        char symbol[sizeof k->symbol + 1] = {0};
        if (x.account.orders + x.account.rejected == 0)
            continue;
        x.unmarked = !gn_backtest_mark(r, i, &mark) && x.account.bought != x.account.sold;
        x.pnl = gn_fill_pnl(&x.account, mark);
        memcpy(symbol, k->symbol, sizeof k->symbol);
        symbol[strcspn(symbol, " ")] = 0;
        json_t *o = json_object();
        json_object_set_new(o, "symbol", json_string(symbol));
        put_account(o, &x, digits_of(k));
        put_amount(o, "mark", mark, digits_of(k) - 2 < 0 ? 0 : digits_of(k) - 2);
        json_array_append_new(list, o);
        add(total, &x, power(digits - digits_of(k)));
    }
    return list;
}

json_t *gn_report_backtest(const struct gn_replay *r, const struct gn_conf *c)
{
    const struct gn_backtest_counts *n = gn_backtest_counts(r);
    const struct gn_instruments *t = gn_replay_feed(r)->instruments;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"turns", n->turns},
                {"market_events", n->market},
                {"orders_sent", n->orders},
                {"orders_refused", n->refused},
                {"executions", n->executions},
                {"client_orders_left_out", n->client_orders},
                {"bytes_to_venue", n->bytes_out},
                {"bytes_from_venue", n->bytes_in}};
    int digits = 2 - EXP_DEFAULT;
    for (uint32_t i = 0; i < c->max_instruments; i++)
        digits = t->row[i].configured && digits_of(&t->row[i]) > digits ? digits_of(&t->row[i]) : digits;
    struct sum total = {.pnl = 0};
    char digest[20];
    json_t *o = json_object(), *sum = json_object();
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        json_object_set_new(o, rows[i].name, json_integer((json_int_t)rows[i].value));
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)n->digest);
    json_object_set_new(o, "digest", json_string(digest));
    json_t *list = instruments(r, c, &total, digits);
    put_account(sum, &total, digits);
    json_object_set_new(o, "total", sum);
    json_object_set_new(o, "instruments", list);
    return o;
}

json_t *gn_report_shadow(const struct gn_shadow_result *x)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"journaled", x->journaled},         {"other", x->other},           {"same", x->same},
                {"other_time", x->other_time},       {"other_side", x->other_side}, {"other_price", x->other_price},
                {"other_qty", x->other_qty},         {"missing", x->missing},       {"extra", x->extra},
                {"first_difference_ns", x->first_ns}};
    json_t *o = json_object();
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        json_object_set_new(o, rows[i].name, json_integer((json_int_t)rows[i].value));
    json_object_set_new(o, "enough_data", json_boolean(x->cannot == NULL));
    if (x->cannot != NULL)
        json_object_set_new(o, "why_not", json_string(x->cannot));
    return o;
}

static void text_row(const char *name, const json_t *o)
{
    static const char *const counts[] = {"orders", "fills", "bought", "sold", "position"};
    static const char *const amounts[] = {"cash", "fees", "pnl"};
    printf("%-10s", name);
    for (size_t i = 0; i < GN_ARRAY_LEN(counts); i++)
        printf(" %10lld", (long long)json_integer_value(json_object_get(o, counts[i])));
    for (size_t i = 0; i < GN_ARRAY_LEN(amounts); i++) {
        const char *text = json_string_value(json_object_get(o, amounts[i]));
        printf(" %18s", text == NULL ? "no price" : text);
    }
    printf("\n");
}

void gn_report_text(const json_t *report)
{
    const char *key;
    const json_t *value, *list = json_object_get(report, "instruments");
    printf("%-10s %10s %10s %10s %10s %10s %18s %18s %18s\n", "symbol", "orders", "fills", "bought", "sold", "position",
           "cash", "fees", "P&L");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        text_row(json_string_value(json_object_get(o, "symbol")), o);
    }
    text_row("total", json_object_get(report, "total"));
    printf("orders sent %lld, refused by the gate %lld; market events %lld; digest %s\n",
           (long long)json_integer_value(json_object_get(report, "orders_sent")),
           (long long)json_integer_value(json_object_get(report, "orders_refused")),
           (long long)json_integer_value(json_object_get(report, "market_events")),
           json_string_value(json_object_get(report, "digest")));
    json_object_foreach((json_t *)(uintptr_t)json_object_get(report, "shadow"), key, value)
    {
        if (json_is_integer(value))
            printf("shadow %-20s %lld\n", key, (long long)json_integer_value(value));
    }
}
