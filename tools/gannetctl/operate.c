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
