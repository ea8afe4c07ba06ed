/* Exceptions that people grant: one order that the gate refused (P18), and a strategy that the throttle switched off
 * (P8).
 */
#include <stdio.h>

#include "controlplane/admin/commands.h"
#include "controlplane/admin/view.h"
#include "dataplane/abi/names.h"
#include "dataplane/abi/verdict.h"

#define TOKEN_S_DEFAULT 60
#define TOKEN_S_MAX     3600
#define NS_PER_S        1000000000ull

static uint32_t strategy_of(const struct gn_appliance *a, const char *name)
{
    for (uint32_t i = 0; i < a->conf->n_strategies; i++)
        if (strcmp(a->conf->strategy[i].name, name) == 0)
            return i;
    return GN_NONE32;
}

/* ---- strategies ---- */

json_t *gn_admin_strategy_enable(struct gn_appliance *a, const struct gn_call *call)
{
    const char *name = gn_admin_text(call->request, "name", "");
    uint32_t i = strategy_of(a, name);
    struct gn_risk *risk = gn_region_at(&a->plane, GN_SECTION_RISK);
    if (!call->authorised)
        return gn_admin_fail("strategy_enable needs authority");
    if (i == GN_NONE32)
        return gn_admin_failf("there is no strategy \"%.32s\"; `strategy` lists them", name);
    /* acquire: pairs with the release of the gate; what it counted is written */
    uint64_t number = atomic_load_explicit(&risk->scope[GN_ROW_STRATEGY + i].disabled, memory_order_acquire);
    if (number == atomic_load_explicit(&a->control->strategy_enabled[i], memory_order_relaxed))
        return gn_admin_failf("strategy %s is not disabled", name);
    /* release: the gate that sees the number lets it go on */
    atomic_store_explicit(&a->control->strategy_enabled[i], number, memory_order_release);
    return json_pack("{s:b, s:s, s:I, s:s}", "ok", 1, "strategy", name, "disabling", (json_int_t)number, "who",
                     call->who);
}

json_t *gn_admin_strategies(struct gn_appliance *a, const struct gn_call *call)
{
    const struct gn_risk *risk = gn_region_at(&a->plane, GN_SECTION_RISK);
    json_t *list = json_array();
    (void)call;
    for (uint32_t i = 0; i < a->conf->n_strategies; i++) {
        const struct gn_risk_scope *s = &risk->scope[GN_ROW_STRATEGY + i];
        uint64_t number = atomic_load_explicit(&s->disabled, memory_order_acquire);
        bool off = number != atomic_load_explicit(&a->control->strategy_enabled[i], memory_order_relaxed);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:I, s:I}", "strategy", a->conf->strategy[i].name, "kind",
                                        a->conf->strategy[i].kind, "state",
                                        a->conf->strategy[i].enabled == 0 ? "off by configuration"
                                        : off                             ? "disabled by the throttle"
                                                                          : "enabled",
                                        "repeats", (json_int_t)s->repeats, "max_repeats", (json_int_t)s->max_repeats));
    }
    return gn_admin_good("strategies", list);
}

/* ---- override tokens ---- */

static json_t *read_verdicts(const json_t *request, uint64_t *bits)
{
    const json_t *list = json_object_get(request, "verdicts"), *v;
    size_t i;
    *bits = 0;
    json_array_foreach(list, i, v)
    {
        const char *name = json_string_value(v);
        uint32_t n = 0;
        while (n < GN_VERDICT_COUNT && (name == NULL || strcmp(gn_verdict_name(n), name) != 0))
            n++;
        if (n == GN_VERDICT_COUNT || n == GN_VERDICT_OK || n >= 64)
            return gn_admin_failf(
                "verdicts: found \"%.32s\", allowed: names of docs/risk-controls.md that a token may lift",
                name != NULL ? name : "no text");
        *bits |= 1ull << n;
    }
    return *bits != 0 ? NULL : gn_admin_fail("verdicts: name what the gate refused the order for: [\"max_value\"]");
}

static json_t *read_order(const struct gn_appliance *a, const json_t *request, struct gn_override *o)
{
    struct gn_view v = {.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
    const char *side = gn_admin_text(request, "side", "");
    const json_t *qty = json_object_get(request, "qty"), *price = json_object_get(request, "price");
    const json_t *life = json_object_get(request, "seconds");
    o->instrument = gn_view_instrument(&v, gn_admin_text(request, "symbol", ""));
    if (o->instrument == GN_NONE32)
        return gn_admin_failf("symbol: there is no instrument \"%.16s\"", gn_admin_text(request, "symbol", ""));
    uint32_t strategy = a->instruments->row[o->instrument].strategy;
    if (strategy >= a->conf->n_strategies)
        return gn_admin_fail("symbol: no strategy trades it, so no order of it can be let pass");
    o->strategy = (uint16_t)strategy;
    if (strcmp(side, "buy") != 0 && strcmp(side, "sell") != 0)
        return gn_admin_failf("side: found \"%.16s\", allowed: buy, sell", side);
    o->side = strcmp(side, "sell") == 0 ? GN_SIDE_SELL : GN_SIDE_BUY;
    o->qty = json_integer_value(qty);
    o->price = json_integer_value(price);
    if (o->qty <= 0 || o->price <= 0)
        return gn_admin_fail("qty and price: expected whole numbers above 0; the price is a mantissa");
    json_int_t s = life == NULL ? TOKEN_S_DEFAULT : json_integer_value(life);
    if (s < 1 || s > TOKEN_S_MAX)
        return gn_admin_failf("seconds: found %lld, allowed 1 to %d", (long long)s, TOKEN_S_MAX);
    o->expires_ns = v.now_ns + (uint64_t)s * NS_PER_S;
    return read_verdicts(request, &o->verdicts);
}

/* A slot whose token was used or is over. */
static struct gn_override *free_slot(struct gn_appliance *a, uint64_t now_ns)
{
    const struct gn_risk *risk = gn_region_at(&a->plane, GN_SECTION_RISK);
    for (uint32_t i = 0; i < GN_OVERRIDES; i++) {
        struct gn_override *o = &a->control->override[i];
        uint64_t armed = atomic_load_explicit(&o->armed, memory_order_relaxed);
        if (armed == 0 || armed == risk->override_used[i] || now_ns >= o->expires_ns)
            return o;
    }
    return NULL;
}

uint32_t gn_admin_override_act(struct gn_appliance *a, const json_t *request, json_t **refusal)
{
    struct gn_override o = {.armed = 0};
    *refusal = read_order(a, request, &o);
    return GN_ACT_OVERRIDE;
}

json_t *gn_admin_override(struct gn_appliance *a, const struct gn_call *call)
{
    struct gn_override o = {.armed = 0};
    uint64_t now = gn_now_ns();
    json_t *refusal = read_order(a, call->request, &o);
    if (refusal != NULL)
        return refusal;
    struct gn_override *to = free_slot(a, now);
    if (!call->authorised || to == NULL)
        return gn_admin_fail(to == NULL
                                 ? "every slot has a token that waits for its order: wait until one is used or over"
                                 : "an override needs authority");
    const char *plus = strchr(call->who, '+');
    atomic_store_explicit(&to->armed, 0, memory_order_release); /* nobody takes it half written */
    to->expires_ns = o.expires_ns;
    to->instrument = o.instrument;
    to->strategy = o.strategy;
    to->side = o.side;
    to->qty = o.qty;
    to->price = o.price;
    to->verdicts = o.verdicts;
    snprintf(to->who, sizeof to->who, "%.*s", plus == NULL ? 31 : (int)(plus - call->who), call->who);
    snprintf(to->other, sizeof to->other, "%.31s", plus == NULL ? "" : plus + 1);
    /* release: pairs with the acquire in the gate; the number is the time, so it is never used again */
    atomic_store_explicit(&to->armed, now, memory_order_release);
    return json_pack("{s:b, s:I, s:I, s:s}", "ok", 1, "token", (json_int_t)now, "expires_ns", (json_int_t)o.expires_ns,
                     "who", call->who);
}

json_t *gn_admin_overrides(struct gn_appliance *a, const struct gn_call *call)
{
    const struct gn_risk *risk = gn_region_at(&a->plane, GN_SECTION_RISK);
    struct gn_view v = {.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
    json_t *list = json_array();
    (void)call;
    for (uint32_t i = 0; i < GN_OVERRIDES; i++) {
        const struct gn_override *o = &a->control->override[i];
        uint64_t armed = atomic_load_explicit(&o->armed, memory_order_acquire);
        char symbol[9];
        if (armed == 0)
            continue;
        gn_view_symbol(&v, o->instrument, symbol);
        json_array_append_new(
            list, json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "token", (json_int_t)armed, "state",
                            armed == risk->override_used[i] ? "used"
                            : v.now_ns >= o->expires_ns     ? "expired"
                                                            : "waits",
                            "symbol", symbol, "side", o->side == GN_SIDE_SELL ? "sell" : "buy", "qty",
                            (json_int_t)o->qty, "price", (json_int_t)o->price, "who", o->who, "other", o->other));
    }
    return gn_admin_good("overrides", list);
}
