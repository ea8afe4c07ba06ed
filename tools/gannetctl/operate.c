/* Commands that operate: flatten, sessions, feed; and what they are decided by. */
#include <stdlib.h>
#include <string.h>

#include "tools/gannetctl/ctl.h"

static int flatten_status(const struct gn_ctl *c)
{
    int status;
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "flatten_status"), false);
    const json_t *rows = gn_ctl_part(c, reply, "positions", &status);
    if (rows != NULL) {
        printf("flatten of %s by %s: %s, %lld ms, %lld stay%s%s\n\n", gn_ctl_str(reply, "scope"),
               gn_ctl_str(reply, "who"), gn_ctl_str(reply, "flatten"), gn_ctl_int(reply, "took_ms"),
               gn_ctl_int(reply, "stays"), gn_ctl_str(reply, "why")[0] != 0 ? ": " : "", gn_ctl_str(reply, "why"));
        gn_ctl_table(rows, "symbol,before,now,orders,why");
    }
    json_decref(reply);
    return status;
}

/* A command with a reason; words from `from` on. */
static int act(const struct gn_ctl *c, const char *cmd, const char *name, int from, const char *part)
{
    struct gn_ctl_words w;
    int status;
    if (!gn_ctl_words(c, from, &w))
        return EXIT_FAILURE;
    if (w.why[0] == 0) {
        fprintf(stderr, "gannetctl: a reason is needed; it is kept with the names\n");
        return EXIT_FAILURE;
    }
    json_t *request = json_pack("{s:s, s:s, s:s}", "cmd", cmd, "who", c->who, "why", w.why);
    if (request != NULL && name == NULL)
        json_object_set_new(request, "scope", json_string(w.scope));
    if (request != NULL && (name != NULL || w.name != NULL))
        json_object_set_new(request, "name", json_string(name != NULL ? name : w.name));
    json_t *reply = gn_ctl_act(c, request);
    if (gn_ctl_part(c, reply, part, &status) != NULL)
        printf("%s: %s\n", cmd, gn_ctl_str(reply, part));
    json_decref(reply);
    return status;
}

int gn_ctl_flatten(struct gn_ctl *c)
{
    if (c->argc == 1 && strcmp(c->argv[0], "status") == 0)
        return flatten_status(c);
    return act(c, "flatten", NULL, 0, "flatten");
}

int gn_ctl_session(struct gn_ctl *c)
{
    if (c->argc < 2 || strcmp(c->argv[0], "reconnect") != 0) {
        fprintf(stderr, "gannetctl: session: allowed: session reconnect NAME WHY...\n");
        return EXIT_FAILURE;
    }
    return act(c, "session_reconnect", c->argv[1], 2, "state");
}

int gn_ctl_feed(struct gn_ctl *c)
{
    if (c->argc < 1 || strcmp(c->argv[0], "rebuild") != 0) {
        fprintf(stderr, "gannetctl: feed: allowed: feed rebuild WHY...\n");
        return EXIT_FAILURE;
    }
    return act(c, "feed_rebuild", "feed", 1, "feed");
}

static int list(const struct gn_ctl *c, const char *what, const char *columns)
{
    int status;
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s}", "cmd", what), false);
    const json_t *rows = gn_ctl_part(c, reply, what, &status);
    if (rows != NULL)
        gn_ctl_table(rows, columns);
    json_decref(reply);
    return status;
}

int gn_ctl_alerts(struct gn_ctl *c)
{
    return list(c, "alerts", "number,severity,alert,owner,runbook,after_us,text");
}

int gn_ctl_resting(struct gn_ctl *c)
{
    return list(c, "resting", "id,symbol,side,state,price:p,qty,leaves,strategy");
}

int gn_ctl_strategy(struct gn_ctl *c)
{
    if (c->argc == 0)
        return list(c, "strategies", "strategy,kind,state,repeats,max_repeats");
    if (c->argc < 2 || strcmp(c->argv[0], "enable") != 0) {
        fprintf(stderr, "gannetctl: strategy: allowed: strategy [enable NAME WHY...]\n");
        return EXIT_FAILURE;
    }
    return act(c, "strategy_enable", c->argv[1], 2, "strategy");
}

static json_t *names_of(const char *text)
{
    json_t *out = json_array();
    while (*text != 0) {
        size_t n = strcspn(text, ",");
        json_array_append_new(out, json_stringn(text, n));
        text += n + (text[n] == ',');
    }
    return out;
}

int gn_ctl_override(struct gn_ctl *c)
{
    char why[64] = "";
    long long seconds = 60;
    int status;
    json_t *verdicts = NULL;
    if (c->argc == 0)
        return list(c, "overrides", "token,state,symbol,side,qty,price,who,other");
    for (int i = 4; i < c->argc; i++) {
        size_t at = strlen(why);
        if (strncmp(c->argv[i], "verdicts=", 9) == 0)
            verdicts = names_of(c->argv[i] + 9);
        else if (strncmp(c->argv[i], "seconds=", 8) == 0)
            seconds = strtoll(c->argv[i] + 8, NULL, 10);
        else
            snprintf(why + at, sizeof why - at, "%s%s", at != 0 ? " " : "", c->argv[i]);
    }
    if (c->argc < 5 || verdicts == NULL || why[0] == 0) {
        json_decref(verdicts);
        fprintf(stderr,
                "gannetctl: override: allowed: override SYMBOL buy|sell QTY PRICE verdicts=V,V [seconds=N] WHY...\n");
        return EXIT_FAILURE;
    }
    json_t *reply =
        gn_ctl_act(c, json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:I, s:s, s:s}", "cmd", "override", "symbol",
                                c->argv[0], "side", c->argv[1], "qty", (json_int_t)strtoll(c->argv[2], NULL, 10),
                                "price", (json_int_t)strtoll(c->argv[3], NULL, 10), "verdicts", verdicts, "seconds",
                                (json_int_t)seconds, "who", c->who, "why", why));
    if (gn_ctl_part(c, reply, "token", &status) != NULL)
        printf("token %lld waits for the order\n", gn_ctl_int(reply, "token"));
    json_decref(reply);
    return status;
}

int gn_ctl_reconcile(struct gn_ctl *c)
{
    int status;
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "reconcile"), false);
    const json_t *rows = gn_ctl_part(c, reply, "breaks", &status), *v;
    const char *kind;
    if (rows != NULL) {
        printf("open: %lld", gn_ctl_int(reply, "open_total"));
        json_object_foreach(json_object_get(reply, "open"), kind, v) if (json_integer_value(v) != 0)
            printf(", %s %lld", kind, (long long)json_integer_value(v));
        printf("; %lld fills, fees %lld/100, positions that do not follow from them: %lld%s; drop copy heard %lld ms "
               "ago\n\n",
               gn_ctl_int(reply, "fills"), gn_ctl_int(reply, "fees"), gn_ctl_int(reply, "positions_differ"),
               json_is_true(json_object_get(reply, "partial")) ? " (not compared: older fills are not kept)" : "",
               gn_ctl_int(reply, "drop_copy_age_ms"));
        gn_ctl_table(rows, "source,number,kind,break,state,severity,symbol,order,ours,theirs,age_s");
    }
    if (status == EXIT_SUCCESS && (gn_ctl_int(reply, "open_total") != 0 || gn_ctl_int(reply, "positions_differ") != 0))
        status = EXIT_FAILURE;
    json_decref(reply);
    return status;
}
