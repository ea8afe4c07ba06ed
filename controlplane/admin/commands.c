#include "controlplane/admin/commands.h"

#include <stdio.h>

#include "build_id.h"
#include "controlplane/admin/view.h"
#include "controlplane/kill/triggers.h"
#include "controlplane/risk/limit_change.h"

static struct gn_view view_of(const struct gn_appliance *a)
{
    return (struct gn_view){.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
}

static json_t *fail(const char *what)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", what);
}

static json_t *good(const char *key, json_t *value)
{
    return json_pack("{s:b, s:o}", "ok", 1, key, value);
}

static const char *text(const json_t *request, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(request, key));
    return s != NULL ? s : otherwise;
}

/* ---- looking ---- */

static json_t *journal_status(const struct gn_appliance *a)
{
    struct gn_journal_status st;
    gn_journal_status(a->journal, &st);
    json_t *more = json_pack("{s:b, s:I, s:I, s:i, s:I}", "ready", st.failed == 0 && !st.slow, "ready_segments",
                             (json_int_t)st.ready_segments, "no_correlation", (json_int_t)st.no_corr, "prepare_errno",
                             st.prepare_errno, "checkpoints", (json_int_t)st.checkpoints);
    json_t *o =
        json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s}", "failed", st.failed, "records",
                  (json_int_t)st.records, "bytes", (json_int_t)st.bytes, "batches", (json_int_t)st.batches, "segment",
                  (json_int_t)st.segment, "lag_cells", (json_int_t)st.lag_cells, "last_commit_ns",
                  (json_int_t)st.last_commit_ns, "max_commit_ns", (json_int_t)st.max_commit_ns, "probe_p50_ns",
                  (json_int_t)st.probe_p50_ns, "direct", st.direct, "slow", st.slow, "slow_why", st.slow_why);
    json_object_update(o, more);
    json_decref(more);
    return o;
}

static json_t *run_status(struct gn_appliance *a, const json_t *request)
{
    (void)request;
    struct gn_view v = view_of(a);
    json_t *status = gn_view_status(&v);
    json_t *journal = journal_status(a);
    json_object_update(json_object_get(status, "journal"), journal);
    json_decref(journal);
    return good("status", status);
}

static json_t *run_positions(struct gn_appliance *a, const json_t *request)
{
    (void)request;
    struct gn_view v = view_of(a);
    return good("positions", gn_view_positions(&v));
}

static json_t *run_orders(struct gn_appliance *a, const json_t *request)
{
    struct gn_view v = view_of(a);
    return good("orders", gn_view_orders(&v, json_is_true(json_object_get(request, "all"))));
}

static json_t *run_books(struct gn_appliance *a, const json_t *request)
{
    (void)request;
    struct gn_view v = view_of(a);
    return good("books", gn_view_books(&v));
}

static json_t *run_metrics(struct gn_appliance *a, const json_t *request)
{
    (void)request;
    struct gn_view v = view_of(a);
    return good("metrics", gn_view_metrics(&v));
}

static json_t *run_limits(struct gn_appliance *a, const json_t *request)
{
    (void)request;
    struct gn_view v = view_of(a);
    return good("limits", gn_view_limits(&v));
}

static json_t *run_version(struct gn_appliance *a, const json_t *request)
{
    (void)request;
    return json_pack("{s:b, s:s, s:i, s:s}", "ok", 1, "controlplane", GN_BUILD_ID, "abi", (int)GN_ABI_VERSION, "region",
                     a->plane.hdr->build_id);
}

/* ---- acting ---- */

static json_t *run_limit_set(struct gn_appliance *a, const json_t *request)
{
    char err[GN_LIMIT_ERR_LEN];
    struct gn_view v = view_of(a);
    const char *symbol = text(request, "symbol", NULL), *name = text(request, "limit", "");
    const json_t *value = json_object_get(request, "value");
    int64_t old = 0;
    const struct gn_limit_field *f = gn_limit_find(symbol == NULL, name);
    uint32_t instrument = symbol == NULL ? GN_NONE32 : gn_view_instrument(&v, symbol);
    if (f == NULL) {
        snprintf(err, sizeof err, "there is no %s limit \"%s\"; `limits show` lists them",
                 symbol == NULL ? "firm" : "instrument", name);
        return fail(err);
    }
    if (symbol != NULL && instrument == GN_NONE32) {
        snprintf(err, sizeof err, "there is no instrument \"%s\"", symbol);
        return fail(err);
    }
    if (!json_is_integer(value))
        return fail("value: expected a whole number");
    if (!gn_limit_change(a, instrument, f, json_integer_value(value), text(request, "who", "unknown"), &old, err))
        return fail(err);
    return json_pack("{s:b, s:s, s:I, s:I, s:I}", "ok", 1, "limit", name, "old", (json_int_t)old, "new",
                     json_integer_value(value), "generation", (json_int_t)gn_limits_current(a->limits));
}

/* Scope and index of a request: {"scope": "instrument", "name": "GN0001"}; absent: all. */
static bool parse_scope(const struct gn_appliance *a, const json_t *request, uint32_t *scope, uint32_t *index,
                        char *err, size_t size)
{
    int s = gn_scope_parse(text(request, "scope", "all"));
    const char *name = text(request, "name", "");
    struct gn_view v = view_of(a);
    *index = 0;
    if (s < 0) {
        snprintf(err, size, "scope: found \"%s\", allowed: all, session, instrument, strategy",
                 text(request, "scope", ""));
        return false;
    }
    *scope = (uint32_t)s;
    if (s == GN_SCOPE_ALL)
        return true;
    uint32_t n = s == GN_SCOPE_SESSION ? a->conf->n_sessions : a->conf->n_strategies;
    if (s == GN_SCOPE_INSTRUMENT)
        *index = gn_view_instrument(&v, name);
    else
        for (*index = 0; *index < n; (*index)++)
            if (strcmp(s == GN_SCOPE_SESSION ? a->conf->session[*index].name : a->conf->strategy[*index].name, name) ==
                0)
                break;
    if (gn_kill_word(a->control, a->conf, *scope, *index) != NULL)
        return true;
    snprintf(err, size, "there is no %s \"%s\"", gn_scope_name(*scope), name);
    return false;
}

static json_t *run_kill(struct gn_appliance *a, const json_t *request)
{
    char err[GN_KILL_ERR_LEN];
    uint32_t scope, index;
    int level = gn_ladder_parse(text(request, "level", "killed"));
    if (level < GN_LADDER_REDUCE_ONLY)
        return fail("level: allowed: reduce_only, halted, killed");
    if (!parse_scope(a, request, &scope, &index, err, sizeof err))
        return fail(err);
    const json_t *at = json_object_get(request, "at_ns");
    struct gn_kill_request r = {
        .scope = scope,
        .index = index,
        .level = (uint32_t)level,
        .who = text(request, "who", "unknown"),
        .why = text(request, "why", "operator"),
        .now_ns = json_is_integer(at) ? (uint64_t)json_integer_value(at) : gn_now_ns(),
    };
    uint64_t word = gn_kill_and_journal(a, &r, err);
    if (word == 0)
        return fail(err);
    return json_pack("{s:b, s:s, s:s, s:I, s:I}", "ok", 1, "scope", gn_scope_name(scope), "level",
                     gn_ladder_name(gn_kill_level(word)), "word", (json_int_t)word, "set_ns", (json_int_t)r.now_ns);
}

static json_t *run_kill_word(struct gn_appliance *a, const json_t *request)
{
    char err[GN_KILL_ERR_LEN];
    uint32_t scope, index;
    if (!parse_scope(a, request, &scope, &index, err, sizeof err))
        return fail(err);
    uint64_t word = atomic_load_explicit(gn_kill_word(a->control, a->conf, scope, index), memory_order_acquire);
    return json_pack("{s:b, s:I, s:s}", "ok", 1, "word", (json_int_t)word, "level",
                     gn_ladder_name(gn_kill_level(word)));
}

static json_t *run_release(struct gn_appliance *a, const json_t *request)
{
    char err[GN_KILL_ERR_LEN], key[GN_PATH_MAX + sizeof GN_KEY_FILE];
    uint32_t scope, index;
    const char *who = text(request, "who", NULL), *why = text(request, "why", NULL);
    if (who == NULL || why == NULL)
        return fail("a release needs who and why: it is an authorised act");
    if (gn_triggers_key(a->conf->run_dir, key, sizeof key)) {
        snprintf(err, sizeof err, "the key file %.160s lies there: remove it first, then release", key);
        return fail(err);
    }
    if (!parse_scope(a, request, &scope, &index, err, sizeof err))
        return fail(err);
    const json_t *looked_at = json_object_get(request, "word");
    if (!json_is_integer(looked_at))
        return fail("word: a release names the word that was looked at: ask kill_word first");
    uint64_t seen = (uint64_t)json_integer_value(looked_at);
    if (!gn_kill_let_go(a->control, a->conf, scope, index, seen, err))
        return fail(err);
    uint64_t word = atomic_load_explicit(gn_kill_word(a->control, a->conf, scope, index), memory_order_acquire);
    struct gn_kill_request r = {.scope = scope, .index = index, .who = who, .why = why, .now_ns = gn_now_ns()};
    gn_kill_journal(a, &r, word);
    return json_pack("{s:b, s:s, s:s}", "ok", 1, "scope", gn_scope_name(scope), "level",
                     gn_ladder_name(gn_kill_level(word)));
}

static json_t *run_help(struct gn_appliance *a, const json_t *request);

static const struct gn_admin_command table[] = {
    {"status", "", "processes, lcores, sessions, kill words, journal", run_status},
    {"positions", "", "positions, cash and profit of every instrument that was traded", run_positions},
    {"orders", "[all]", "working orders; with all: ended ones too", run_orders},
    {"books", "", "best prices, flags and digests of all books", run_books},
    {"limits", "", "limits in force", run_limits},
    {"limit_set", "limit, value, [symbol], who", "changes one limit; without symbol one of the firm", run_limit_set},
    {"kill", "[scope, name], [level], who, why", "raises the ladder of a scope, to killed unless told", run_kill},
    {"kill_word", "[scope, name]", "the kill word of a scope, for a release of it", run_kill_word},
    {"release", "[scope, name], word, who, why", "re-arms a scope if its word is still the one that was looked at",
     run_release},
    {"metrics", "", "all counters", run_metrics},
    {"version", "", "builds of the control plane and of the region's maker", run_version},
    {"help", "", "this table", run_help},
};

const struct gn_admin_command *gn_admin_commands(uint32_t *n)
{
    *n = GN_ARRAY_LEN(table);
    return table;
}

static json_t *run_help(struct gn_appliance *a, const json_t *request)
{
    (void)a, (void)request;
    json_t *list = json_array();
    for (uint32_t i = 0; i < GN_ARRAY_LEN(table); i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "cmd", table[i].name, "arguments", table[i].arguments,
                                              "help", table[i].help));
    return good("commands", list);
}

json_t *gn_admin_answer(struct gn_appliance *a, const json_t *request)
{
    const char *cmd = json_string_value(json_object_get(request, "cmd"));
    for (uint32_t i = 0; cmd != NULL && i < GN_ARRAY_LEN(table); i++)
        if (strcmp(table[i].name, cmd) == 0)
            return table[i].run(a, request);
    return fail("cmd: unknown; {\"cmd\": \"help\"} lists what there is");
}
