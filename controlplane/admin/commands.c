#include "controlplane/admin/commands.h"

#include <stdarg.h>
#include <stdio.h>

#include "controlplane/admin/view.h"
#include "controlplane/appliance/text.h"
#include "controlplane/kill/kill.h"

json_t *gn_admin_fail(const char *what)
{
    char text[512];
    snprintf(text, sizeof text, "%s", what);
    gn_text_plain(text); /* it may quote what was found */
    return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

json_t *gn_admin_failf(const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return gn_admin_fail(text);
}

json_t *gn_admin_good(const char *key, json_t *value)
{
    return json_pack("{s:b, s:o}", "ok", 1, key, value);
}

const char *gn_admin_text(const json_t *request, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(request, key));
    return s != NULL ? s : otherwise;
}

/* Index of a name among those of a scope; GN_NONE32. */
static uint32_t index_of(const struct gn_appliance *a, uint32_t scope, const char *name)
{
    const struct gn_conf *c = a->conf;
    const struct {
        const char *first;
        size_t stride;
        uint32_t n;
    } lists[GN_SCOPE_COUNT] = {
        [GN_SCOPE_SESSION] = {c->session[0].name, sizeof c->session[0], c->n_sessions},
        [GN_SCOPE_STRATEGY] = {c->strategy[0].name, sizeof c->strategy[0], c->n_strategies},
        [GN_SCOPE_THEME] = {c->theme[0], sizeof c->theme[0], c->n_themes},
        [GN_SCOPE_ACCOUNT] = {c->account[0], sizeof c->account[0], c->n_accounts},
        [GN_SCOPE_VENUE] = {c->venue[0], sizeof c->venue[0], c->n_venues},
    };
    for (uint32_t i = 0; i < lists[scope].n; i++)
        if (strcmp(lists[scope].first + i * lists[scope].stride, name) == 0)
            return i;
    return GN_NONE32;
}

bool gn_admin_scope(const struct gn_appliance *a, const json_t *request, uint32_t *scope, uint32_t *index, char *err,
                    size_t err_bytes)
{
    const char *asked = gn_admin_text(request, "scope", "all"), *name = gn_admin_text(request, "name", "");
    int s = gn_scope_parse(asked);
    struct gn_view v = {.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
    *index = 0;
    if (s < 0) {
        snprintf(err, err_bytes,
                 "scope: found \"%.32s\", allowed: all, venue, account, theme, session, strategy, instrument", asked);
        return false;
    }
    *scope = (uint32_t)s;
    if (s == GN_SCOPE_ALL)
        return true;
    *index = s == GN_SCOPE_INSTRUMENT ? gn_view_instrument(&v, name) : index_of(a, *scope, name);
    if (gn_kill_word(a->control, a->conf, *scope, *index) != NULL)
        return true;
    snprintf(err, err_bytes, "there is no %s \"%.32s\"; name= takes one of those of the configuration",
             gn_scope_name(*scope), name);
    return false;
}

static json_t *run_help(struct gn_appliance *a, const struct gn_call *call);

static const struct gn_admin_command table[] = {
    {"status", "", "processes, lcores, sessions, kill words, journal, authority", gn_admin_status, 0, NULL, false},
    {"positions", "", "positions, cash and profit of every instrument that was traded", gn_admin_positions, 0, NULL,
     false},
    {"orders", "[all]", "working orders; with all: ended ones too", gn_admin_orders, 0, NULL, false},
    {"books", "", "best prices, flags and digests of all books", gn_admin_books, 0, NULL, false},
    {"limits", "", "limits in force", gn_admin_limits, 0, NULL, false},
    {"limit_set", "limit, value, [symbol], [old], who, why",
     "changes one limit; without symbol one of the firm. One that allows more needs two persons", gn_admin_limit_set, 0,
     gn_admin_limit_act, true},
    {"kill", "[scope, name], [level], who, why", "raises the ladder of a scope, to killed unless told", gn_admin_kill,
     0, NULL, true},
    {"kill_word", "[scope, name]", "the kill word of a scope, for a release of it", gn_admin_kill_word, 0, NULL, false},
    {"release", "[scope, name], word, who, why", "re-arms a scope if its word is still the one that was looked at",
     gn_admin_release, GN_ACT_RELEASE, NULL, true},
    {"challenge", "person", "what the person's next signature must name: boot and serial", gn_admin_challenge, 0, NULL,
     false},
    {"pending", "", "requests that wait for their second person", gn_admin_pending, 0, NULL, false},
    {"approve", "id, digest, auth", "the second person's signature: the request is done", gn_admin_approve, 0, NULL,
     false},
    {"withdraw", "id, who", "makes a request that waits void", gn_admin_withdraw, 0, NULL, false},
    {"flatten", "[scope, name], who, why",
     "kills the scope, then closes its positions by reduce-only IOC orders inside collars", gn_admin_flatten,
     GN_ACT_FLATTEN, NULL, true},
    {"flatten_status", "", "how far the last flatten is, what stays and why", gn_admin_flatten_status, 0, NULL, false},
    {"session_reconnect", "name, who, why",
     "a session that was refused or has ended logs in again, with the password that holds now",
     gn_admin_session_reconnect, GN_ACT_SESSION_RECONNECT, NULL, true},
    {"feed_rebuild", "who, why", "empties the books and asks for the whole day again, after a gap that was given up",
     gn_admin_feed_rebuild, GN_ACT_FEED_RESNAPSHOT, NULL, true},
    {"strategy_enable", "name, who, why", "lets a strategy go on that the throttle switched off",
     gn_admin_strategy_enable, GN_ACT_STRATEGY_ENABLE, NULL, true},
    {"strategies", "", "strategies: enabled, disabled by the throttle, off by configuration", gn_admin_strategies, 0,
     NULL, false},
    {"override", "symbol, side, qty, price, verdicts, [seconds], who, why",
     "a token that lets exactly this order pass once although the gate would refuse it", gn_admin_override, 0,
     gn_admin_override_act, true},
    {"overrides", "", "tokens: waiting, used, expired", gn_admin_overrides, 0, NULL, false},
    {"reconcile", "", "breaks between our books and the venue's, classified, with ages; fills against positions",
     gn_admin_reconcile, 0, NULL, false},
    {"golive", "", "what a live appliance needs before it may be armed: pass or fail, found, and what mends it",
     gn_admin_golive, 0, NULL, false},
    {"arm", "confirm, word, who, why",
     "lets a live appliance trade: the gate complete, the instance typed, two persons", gn_admin_arm, 0,
     gn_admin_arm_act, true},
    {"alerts", "", "the last alerts, with owner, runbook and how long after the event they came", gn_admin_alerts, 0,
     NULL, false},
    {"resting", "", "orders that rest although they were killed", gn_admin_resting, 0, NULL, false},
    {"metrics", "", "all counters", gn_admin_metrics, 0, NULL, false},
    {"version", "", "builds of the control plane and of the region's maker", gn_admin_version, 0, NULL, false},
    {"help", "", "this table", run_help, 0, NULL, false},
};

const struct gn_admin_command *gn_admin_commands(uint32_t *n)
{
    *n = GN_ARRAY_LEN(table);
    return table;
}

static json_t *run_help(struct gn_appliance *a, const struct gn_call *call)
{
    (void)a, (void)call;
    json_t *list = json_array();
    for (uint32_t i = 0; i < GN_ARRAY_LEN(table); i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s}", "cmd", table[i].name, "arguments", table[i].arguments,
                                        "help", table[i].help, "act", gn_act_name(table[i].act)));
    return gn_admin_good("commands", list);
}

static const struct gn_admin_command *find(const json_t *request)
{
    const char *cmd = json_string_value(json_object_get(request, "cmd"));
    for (uint32_t i = 0; cmd != NULL && i < GN_ARRAY_LEN(table); i++)
        if (strcmp(table[i].name, cmd) == 0)
            return &table[i];
    return NULL;
}

static uint32_t act_of(struct gn_appliance *a, const struct gn_admin_command *c, const json_t *request,
                       json_t **refusal)
{
    return c->act_of != NULL ? c->act_of(a, request, refusal) : c->act;
}

json_t *gn_admin_run(struct gn_appliance *a, const struct gn_call *call)
{
    json_t *answer = NULL;
    const struct gn_admin_command *c = find(call->request);
    if (c == NULL)
        return gn_admin_fail("cmd: unknown; {\"cmd\": \"help\"} lists what there is");
    uint32_t act = act_of(a, c, call->request, &answer); /* again: what it means may have changed while it waited */
    if (answer != NULL)
        return answer;
    answer = c->run(a, call);
    if (c->audited)
        gn_admin_audit(a, json_is_true(json_object_get(answer, "ok")) ? GN_AUTHORITY_APPLIED : GN_AUTHORITY_REFUSED,
                       act, NULL, call, "");
    return answer;
}

json_t *gn_admin_answer(struct gn_appliance *a, const json_t *request, const struct gn_peer *peer)
{
    json_t *answer = NULL;
    const struct gn_admin_command *c = find(request);
    struct gn_call call = {.request = request, .peer = peer};
    snprintf(call.who, sizeof call.who, "%s", gn_admin_text(request, "who", "unknown"));
    gn_text_plain(call.who);
    uint32_t act = c == NULL ? GN_ACT_NONE : act_of(a, c, request, &answer);
    if (answer == NULL && act != GN_ACT_NONE)
        answer = gn_admin_authorise(a, act, &call);
    return answer != NULL ? answer : gn_admin_run(a, &call);
}
