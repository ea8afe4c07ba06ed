/* Commands that change limits and the kill switch. */
#include <stdio.h>

#include "controlplane/admin/commands.h"
#include "controlplane/admin/view.h"
#include "controlplane/kill/triggers.h"
#include "controlplane/risk/limit_change.h"

#define AT_OLD_NS 60000000000ull /* a command's own time counts when it is not older than this */
#define AT_NEW_NS 1000000ull     /* nor ahead of our clock by more than this */

/* ---- limits ---- */

struct limit_request {
    const struct gn_limit_field *field;
    uint32_t instrument; /* GN_NONE32: the firm's row */
    int64_t value, now;
    bool set; /* it has a value now */
};

static json_t *read_limit(struct gn_appliance *a, const json_t *request, struct limit_request *r)
{
    struct gn_view v = {.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
    const char *symbol = gn_admin_text(request, "symbol", NULL), *name = gn_admin_text(request, "limit", "");
    const json_t *value = json_object_get(request, "value"), *old = json_object_get(request, "old");
    r->field = gn_limit_find(symbol == NULL, name);
    r->instrument = symbol == NULL ? GN_NONE32 : gn_view_instrument(&v, symbol);
    if (r->field == NULL)
        return gn_admin_failf("there is no %s limit \"%.64s\"; `limits show` lists them",
                              symbol == NULL ? "firm" : "instrument", name);
    if (symbol != NULL && (r->instrument == GN_NONE32 || r->instrument >= a->limits->rows))
        return gn_admin_failf("there is no instrument \"%.64s\"", symbol);
    if (!json_is_integer(value))
        return gn_admin_fail("value: expected a whole number");
    r->value = json_integer_value(value);
    uint64_t now = gn_limits_current(a->limits);
    const uint8_t *row = symbol == NULL ? (const uint8_t *)gn_limits_firm_row(a->limits, now)
                                        : (const uint8_t *)gn_limits_row(a->limits, now, r->instrument);
    uint64_t set;
    memcpy(&set, row, sizeof set); /* first member of both rows */
    memcpy(&r->now, row + r->field->offset, sizeof r->now);
    r->set = (set >> r->field->number & 1) != 0;
    if (!r->set)
        r->now = 0;
    if (old != NULL && (!json_is_integer(old) || json_integer_value(old) != r->now))
        return gn_admin_failf("%s: old: found %lld, it is %lld now: look again, then ask again", name,
                              (long long)json_integer_value(old), (long long)r->now);
    return NULL;
}

static bool allows_more(const struct limit_request *r)
{
    if (!r->set || r->value == r->now) /* what is not set rejects */
        return !r->set;
    return r->field->looser == 0 || (r->field->looser > 0) == (r->value > r->now);
}

uint32_t gn_admin_limit_act(struct gn_appliance *a, const json_t *request, json_t **refusal)
{
    struct limit_request r;
    *refusal = read_limit(a, request, &r);
    if (*refusal != NULL || !allows_more(&r))
        return GN_ACT_NONE;
    if (r.value < r.field->min || r.value > r.field->max)
        *refusal = gn_admin_failf("%s: found %lld, allowed %lld to %lld %s", r.field->name, (long long)r.value,
                                  (long long)r.field->min, (long long)r.field->max, r.field->unit);
    else if (gn_authority_two(&a->authority, GN_ACT_LIMIT_RAISE) && !json_is_integer(json_object_get(request, "old")))
        *refusal =
            gn_admin_failf("%s: old: a raise names the value that was looked at, %lld, so that both persons sign "
                           "the same step",
                           r.field->name, (long long)r.now);
    return GN_ACT_LIMIT_RAISE;
}

json_t *gn_admin_limit_set(struct gn_appliance *a, const struct gn_call *call)
{
    char err[GN_LIMIT_ERR_LEN];
    int64_t old = 0;
    struct limit_request r;
    json_t *refusal = read_limit(a, call->request, &r);
    if (refusal != NULL)
        return refusal;
    if (allows_more(&r) && !call->authorised)
        return gn_admin_failf("%s: it was lowered meanwhile, so this would raise it: ask again", r.field->name);
    if (!gn_limit_change(a, r.instrument, r.field, r.value, call->who, &old, err))
        return gn_admin_fail(err);
    return json_pack("{s:b, s:s, s:I, s:I, s:s, s:I}", "ok", 1, "limit", r.field->name, "old", (json_int_t)old, "new",
                     (json_int_t)r.value, "who", call->who, "generation", (json_int_t)gn_limits_current(a->limits));
}

/* ---- kill switch ---- */

/* When the command was given, if its own time can be true; else now. A kill is never refused for a clock. */
static uint64_t time_of(const json_t *request, uint64_t now_ns, bool *taken)
{
    const json_t *at = json_object_get(request, "at_ns");
    uint64_t ns = json_is_integer(at) && json_integer_value(at) > 0 ? (uint64_t)json_integer_value(at) : 0;
    *taken = ns != 0 && ns <= now_ns + AT_NEW_NS && now_ns <= ns + AT_OLD_NS;
    return *taken ? ns : now_ns;
}

json_t *gn_admin_kill(struct gn_appliance *a, const struct gn_call *call)
{
    char err[GN_KILL_ERR_LEN];
    uint32_t scope, index;
    bool taken;
    int level = gn_ladder_parse(gn_admin_text(call->request, "level", "killed"));
    if (level < GN_LADDER_THROTTLED)
        return gn_admin_failf("level: found \"%.32s\", allowed: throttled, reduce_only, halted, killed",
                              gn_admin_text(call->request, "level", ""));
    if (!gn_admin_scope(a, call->request, &scope, &index, err, sizeof err))
        return gn_admin_fail(err);
    struct gn_kill_request r = {
        .scope = scope,
        .index = index,
        .level = (uint32_t)level,
        .who = call->who,
        .why = gn_admin_text(call->request, "why", "operator"),
        .now_ns = time_of(call->request, gn_now_ns(), &taken),
    };
    uint64_t word = gn_kill_and_journal(a, &r, err);
    if (word == 0)
        return gn_admin_fail(err);
    return json_pack("{s:b, s:s, s:s, s:I, s:I, s:s}", "ok", 1, "scope", gn_scope_name(scope), "level",
                     gn_ladder_name(gn_kill_level(word)), "word", (json_int_t)word, "set_ns", (json_int_t)r.now_ns,
                     "set_by", taken ? "the command's clock" : "the control plane's clock");
}

json_t *gn_admin_kill_word(struct gn_appliance *a, const struct gn_call *call)
{
    char err[GN_KILL_ERR_LEN];
    uint32_t scope, index;
    if (!gn_admin_scope(a, call->request, &scope, &index, err, sizeof err))
        return gn_admin_fail(err);
    uint64_t word = atomic_load_explicit(gn_kill_word(a->control, a->conf, scope, index), memory_order_acquire);
    return json_pack("{s:b, s:I, s:s}", "ok", 1, "word", (json_int_t)word, "level",
                     gn_ladder_name(gn_kill_level(word)));
}

json_t *gn_admin_release(struct gn_appliance *a, const struct gn_call *call)
{
    char err[GN_KILL_ERR_LEN], key[GN_PATH_MAX + sizeof GN_KEY_FILE];
    uint32_t scope, index;
    const char *why = gn_admin_text(call->request, "why", NULL);
    const json_t *looked_at = json_object_get(call->request, "word");
    if (!call->authorised)
        return gn_admin_fail("a release needs authority");
    if (why == NULL || why[0] == 0 || json_object_get(call->request, "who") == NULL)
        return gn_admin_fail("a release needs who and why: it is an authorised act");
    if (gn_triggers_key(a->conf->run_dir, key, sizeof key))
        return gn_admin_failf("the key file %.160s lies there: remove it first, then release", key);
    if (!gn_admin_scope(a, call->request, &scope, &index, err, sizeof err))
        return gn_admin_fail(err);
    if (!json_is_integer(looked_at))
        return gn_admin_fail("word: a release names the word that was looked at: ask kill_word first");
    if (scope == GN_SCOPE_ALL && a->conf->mode == GN_MODE_LIVE)
        return gn_admin_fail("in mode live the scope all is re-armed by `arm`, which looks at the go-live gate first");
    struct gn_kill_request r = {.scope = scope, .index = index, .who = call->who, .why = why, .now_ns = gn_now_ns()};
    if (!gn_kill_let_go(a->control, a->conf, &r, (uint64_t)json_integer_value(looked_at), err))
        return gn_admin_fail(err);
    uint64_t word = atomic_load_explicit(gn_kill_word(a->control, a->conf, scope, index), memory_order_acquire);
    gn_kill_journal(a, &r, word);
    return json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "scope", gn_scope_name(scope), "level",
                     gn_ladder_name(gn_kill_level(word)), "who", call->who);
}
