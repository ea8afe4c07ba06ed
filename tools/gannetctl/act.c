/* Commands that change limits and the kill switch. */
#include <stdlib.h>
#include <string.h>

#include "tools/gannetctl/ctl.h"

static int limits_show(struct gn_ctl *c)
{
    int status;
    json_t *reply = gn_ctl_look(c, "limits", json_pack("{s:s}", "cmd", "limits"));
    const json_t *l = gn_ctl_part(c, reply, "limits", &status);
    if (l != NULL) {
        json_t *firm = json_pack("[O]", json_object_get(l, "firm"));
        printf("generation %lld, in use by the data plane: %lld\n\n", gn_ctl_int(l, "generation"),
               gn_ctl_int(l, "seen"));
        gn_ctl_table(firm, "max_open_orders,message_rate,message_burst,cancel_reserve");
        printf("\n");
        gn_ctl_table(json_object_get(l, "instruments"),
                     "symbol,tradable,max_qty,max_value,collar_bps,max_position,max_open_orders");
        json_decref(firm);
    }
    json_decref(reply);
    return status;
}

/* What the limit is now: a raise names it, so that both persons sign the same step. */
static json_t *limit_now(const struct gn_ctl *c, const char *symbol, const char *name)
{
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "limits"), true);
    const json_t *l = json_object_get(reply, "limits"), *row = symbol == NULL ? json_object_get(l, "firm") : NULL, *k;
    size_t i;
    json_array_foreach(json_object_get(l, "instruments"), i,
                       k) if (symbol != NULL && strcmp(gn_ctl_str(k, "symbol"), symbol) == 0) row = k;
    const json_t *v = json_object_get(row, name);
    json_t *out = json_is_integer(v) ? json_integer(json_integer_value(v)) : json_integer(0);
    json_decref(reply);
    return out;
}

int gn_ctl_limits(struct gn_ctl *c)
{
    char *end = NULL;
    int status, n = c->argc;
    const char *why = "";
    if (n == 0 || strcmp(c->argv[0], "show") == 0)
        return limits_show(c);
    if (n > 0 && strncmp(c->argv[n - 1], "why=", 4) == 0)
        why = c->argv[--n] + 4;
    if (strcmp(c->argv[0], "set") != 0 || n < 3 || n > 4) {
        fprintf(stderr,
                "gannetctl: limits: allowed: show | set [SYMBOL] LIMIT VALUE [why=TEXT] (without SYMBOL a limit of "
                "the firm)\n");
        return EXIT_FAILURE;
    }
    const char *symbol = n == 4 ? c->argv[1] : NULL;
    const char *name = c->argv[n - 2], *text = c->argv[n - 1];
    long long value = strtoll(text, &end, 10);
    if (*text == 0 || *end != 0) {
        fprintf(stderr, "gannetctl: limits set: value: found \"%s\", allowed: a whole number\n", text);
        return EXIT_FAILURE;
    }
    json_t *request = json_pack("{s:s, s:s*, s:s, s:I, s:s, s:s}", "cmd", "limit_set", "symbol", symbol, "limit", name,
                                "value", (json_int_t)value, "who", c->who, "why", why);
    if (request != NULL && c->as != NULL)
        json_object_set_new(request, "old", limit_now(c, symbol, name));
    json_t *reply = gn_ctl_act(c, request);
    if (gn_ctl_part(c, reply, "limit", &status) != NULL)
        printf("%s%s%s: %lld -> %lld, generation %lld\n", symbol != NULL ? symbol : "firm", " ", name,
               gn_ctl_int(reply, "old"), gn_ctl_int(reply, "new"), gn_ctl_int(reply, "generation"));
    json_decref(reply);
    return status;
}

/* Bytes that are no plain text become '?', so that no reason, however typed, keeps a kill from being said. */
static void plain(char *text)
{
    for (; *text != 0; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            *text = '?';
}

bool gn_ctl_words(const struct gn_ctl *c, int from, struct gn_ctl_words *w)
{
    *w = (struct gn_ctl_words){.level = "killed", .scope = "all"};
    for (int i = from; i < c->argc; i++) {
        const char *a = c->argv[i];
        size_t at = strlen(w->why);
        if (strncmp(a, "level=", 6) == 0)
            w->level = a + 6;
        else if (strncmp(a, "scope=", 6) == 0)
            w->scope = a + 6;
        else if (strncmp(a, "name=", 5) == 0)
            w->name = a + 5;
        else if (strchr(a, '=') != NULL) {
            fprintf(stderr,
                    "gannetctl: found \"%s\", allowed: level=, scope=, name=, and words of a reason without =\n", a);
            return false;
        } else
            snprintf(w->why + at, sizeof w->why - at, "%s%s", at != 0 ? " " : "", a);
    }
    plain(w->why);
    return true;
}

static json_t *switch_request(const struct gn_ctl *c, const char *cmd, const struct gn_ctl_words *w, json_int_t word)
{
    char who[32];
    snprintf(who, sizeof who, "%s", c->who);
    plain(who);
    return json_pack("{s:s, s:s, s:s*, s:s, s:s, s:s, s:I, s:I}", "cmd", cmd, "scope", w->scope, "name", w->name,
                     "level", w->level, "who", who, "why", w->why[0] != 0 ? w->why : "operator", "at_ns",
                     (json_int_t)gn_ctl_wall_ns(), "word", word);
}

/* The control plane is asked first, since it also journals the act; whatever it answers but yes, a kill of all is
 * thrown in shared memory. */
int gn_ctl_kill(struct gn_ctl *c)
{
    struct gn_ctl_words w;
    int status;
    if (!gn_ctl_words(c, 0, &w))
        return EXIT_FAILURE;
    bool all = strcmp(w.scope, "all") == 0;
    json_t *request = switch_request(c, "kill", &w, 0);
    json_t *reply = request == NULL ? NULL : gn_ctl_ask(c, request, true);
    if (all && !json_is_true(json_object_get(reply, "ok"))) {
        if (reply != NULL)
            fprintf(stderr, "gannetctl: the control plane refused: %s\n", gn_ctl_str(reply, "error"));
        json_decref(reply);
        return gn_ctl_kill_direct(c, w.level, w.why[0] != 0 ? w.why : "operator");
    }
    if (reply == NULL)
        fprintf(stderr, "gannetctl: the control plane does not answer; without it only `kill` of all works\n");
    if (gn_ctl_part(c, reply, "level", &status) != NULL)
        printf("%s is %s\n", gn_ctl_str(reply, "scope"), gn_ctl_str(reply, "level"));
    json_decref(reply);
    return status;
}

/* The word of a scope as it is now: what is released is what was looked at, not what somebody threw meanwhile. */
static json_int_t word_now(const struct gn_ctl *c, const struct gn_ctl_words *w)
{
    json_t *reply =
        gn_ctl_ask(c, json_pack("{s:s, s:s, s:s*}", "cmd", "kill_word", "scope", w->scope, "name", w->name), true);
    json_int_t word = json_integer_value(json_object_get(reply, "word"));
    json_decref(reply);
    return word;
}

int gn_ctl_rearm(struct gn_ctl *c)
{
    struct gn_ctl_words w;
    int status;
    if (!gn_ctl_words(c, 0, &w))
        return EXIT_FAILURE;
    if (w.why[0] == 0) {
        fprintf(stderr, "gannetctl: release: a reason is needed: gannetctl release WHY...\n");
        return EXIT_FAILURE;
    }
    json_t *request = switch_request(c, "release", &w, word_now(c, &w));
    json_t *reply = gn_ctl_act(c, request);
    if (gn_ctl_part(c, reply, "level", &status) != NULL)
        printf("%s is %s\n", gn_ctl_str(reply, "scope"), gn_ctl_str(reply, "level"));
    json_decref(reply);
    return status;
}
