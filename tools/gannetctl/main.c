#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_id.h"
#include "tools/gannetctl/commands.h"
#include "tools/gannetctl/ctl.h"

static const char *get_str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s != NULL ? s : "-";
}

static long long get_int(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

/* Prints the reply as JSON, or hands its part `key` to the caller; NULL when all is said, with *status set. */
static json_t *reply_part(const struct gn_ctl *c, json_t *reply, const char *key, int *status)
{
    *status = EXIT_FAILURE;
    if (reply == NULL)
        return NULL;
    bool ok = json_is_true(json_object_get(reply, "ok"));
    if (c->json) {
        json_dumpf(reply, stdout, JSON_COMPACT);
        printf("\n");
    } else if (!ok) {
        fprintf(stderr, "gannetctl: %s\n", get_str(reply, "error"));
    } else if (json_object_get(reply, "source") != NULL) {
        printf("(%s)\n", get_str(reply, "source"));
    }
    *status = ok ? EXIT_SUCCESS : EXIT_FAILURE;
    return c->json || !ok ? NULL : json_object_get(reply, key);
}

/* A command that looks: the control plane's answer, or the shared files'. */
static json_t *look(const struct gn_ctl *c, const char *what, json_t *request)
{
    json_t *reply = gn_ctl_ask(c, request, true);
    return reply != NULL ? reply : gn_ctl_direct(c, what);
}

static int run_status(struct gn_ctl *c)
{
    int status;
    json_t *reply = look(c, "status", json_pack("{s:s}", "cmd", "status"));
    const json_t *s = reply_part(c, reply, "status", &status);
    if (s != NULL) {
        const json_t *cp = json_object_get(s, "controlplane"), *dp = json_object_get(s, "dataplane"),
                     *j = json_object_get(s, "journal");
        printf("instance %s, mode %s, build %s, epoch %lld\n", get_str(s, "instance"), get_str(s, "mode"),
               get_str(s, "build"), get_int(s, "epoch"));
        printf("control plane %s (pid %lld), data plane %s (pid %lld), feed %s, %lld working orders\n",
               get_str(cp, "state"), get_int(cp, "pid"), get_str(dp, "state"), get_int(dp, "pid"),
               get_int(s, "feed_stale") ? "STALE" : "current", get_int(s, "open_orders"));
        if (j != NULL)
            printf(
                "journal %s, %s: %lld records, %lld bytes, segment %lld; not durable: %lld records (%lld allowed), the "
                "oldest of %.3f ms (%lld allowed)%s%s\n",
                get_int(s, "journal_failed") || get_int(j, "failed") ? "FAILED"
                : json_is_false(json_object_get(j, "ready"))         ? "NOT READY"
                                                                     : "good",
                get_str(j, "mode"), get_int(j, "records"), get_int(j, "bytes"), get_int(j, "segment"),
                get_int(j, "unsynced_records"), get_int(j, "unsynced_records_max"),
                (double)get_int(j, "unsynced_us") / 1000, get_int(j, "unsynced_ms_max"),
                get_str(j, "slow_why")[0] != 0 ? "; " : "", get_str(j, "slow_why"));
        printf("\n");
        gn_ctl_table(json_object_get(s, "kill"), "scope,index,level,who,why");
        printf("\n");
        gn_ctl_table(json_object_get(s, "sessions"),
                     "name,state,orders_sent,replaces_sent,cancels_sent,messages_in,logins,losses,in_doubt");
        printf("\n");
        gn_ctl_table(json_object_get(s, "lcores"),
                     "core,stages,loops,messages,event_ring_used,event_ring_cells,events_lost");
    }
    json_decref(reply);
    return status;
}

static int show_list(struct gn_ctl *c, const char *what, json_t *request, const char *columns)
{
    int status;
    json_t *reply = look(c, what, request);
    const json_t *rows = reply_part(c, reply, what, &status);
    if (rows != NULL)
        gn_ctl_table(rows, columns);
    json_decref(reply);
    return status;
}

static int run_positions(struct gn_ctl *c)
{
    return show_list(c, "positions", json_pack("{s:s}", "cmd", "positions"),
                     "symbol,position,bought,sold,cash:p,mark2:h:mark,pnl2:h:profit,open_buy,open_sell,fills,orders,"
                     "accepted,canceled,rejected");
}

static int run_books(struct gn_ctl *c)
{
    return show_list(c, "books", json_pack("{s:s}", "cmd", "books"),
                     "symbol,bid_qty,bid:p,ask:p,ask_qty,last:p,stale,halted,crossed,live_orders,digest");
}

static int run_orders(struct gn_ctl *c)
{
    bool all = c->argc > 0 && strcmp(c->argv[0], "all") == 0;
    return show_list(c, "orders", json_pack("{s:s, s:b}", "cmd", "orders", "all", all),
                     "id,symbol,side,state,tif,price:p,qty,leaves,filled,strategy");
}

static int run_metrics(struct gn_ctl *c)
{
    return show_list(c, "metrics", json_pack("{s:s}", "cmd", "metrics"), "name,lcore,value,help");
}

static int limits_show(struct gn_ctl *c)
{
    int status;
    json_t *reply = look(c, "limits", json_pack("{s:s}", "cmd", "limits"));
    const json_t *l = reply_part(c, reply, "limits", &status);
    if (l != NULL) {
        json_t *firm = json_pack("[O]", json_object_get(l, "firm"));
        printf("generation %lld, in use by the data plane: %lld\n\n", get_int(l, "generation"), get_int(l, "seen"));
        gn_ctl_table(firm, "max_open_orders,message_rate,message_burst,cancel_reserve");
        printf("\n");
        gn_ctl_table(json_object_get(l, "instruments"),
                     "symbol,tradable,max_qty,max_value,collar_bps,max_position,max_open_orders");
        json_decref(firm);
    }
    json_decref(reply);
    return status;
}

static int run_limits(struct gn_ctl *c)
{
    char *end = NULL;
    int status;
    if (c->argc == 0 || strcmp(c->argv[0], "show") == 0)
        return limits_show(c);
    if (strcmp(c->argv[0], "set") != 0 || c->argc < 3 || c->argc > 4) {
        fprintf(stderr,
                "gannetctl: limits: allowed: show | set [SYMBOL] LIMIT VALUE (without SYMBOL a limit of the firm)\n");
        return EXIT_FAILURE;
    }
    const char *symbol = c->argc == 4 ? c->argv[1] : NULL;
    const char *name = c->argv[c->argc - 2], *text = c->argv[c->argc - 1];
    long long value = strtoll(text, &end, 10);
    if (*text == 0 || *end != 0) {
        fprintf(stderr, "gannetctl: limits set: value: found \"%s\", allowed: a whole number\n", text);
        return EXIT_FAILURE;
    }
    json_t *reply = gn_ctl_ask(c,
                               json_pack("{s:s, s:s*, s:s, s:I, s:s}", "cmd", "limit_set", "symbol", symbol, "limit",
                                         name, "value", (json_int_t)value, "who", c->who),
                               false);
    if (reply_part(c, reply, "limit", &status) != NULL)
        printf("%s%s%s: %lld -> %lld, generation %lld\n", symbol != NULL ? symbol : "firm", " ", name,
               get_int(reply, "old"), get_int(reply, "new"), get_int(reply, "generation"));
    json_decref(reply);
    return status;
}

struct switch_words {
    const char *level, *scope, *name;
    char why[64];
};

/* Bytes that are no plain text become '?', so that no reason, however typed, keeps a kill from being said. */
static void plain(char *text)
{
    for (; *text != 0; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            *text = '?';
}

/* Words of kill and release: level=, scope=, name=; the rest is the reason. False for a word= that is not known: it may
 * be a scope that somebody mistyped. */
static bool switch_words(const struct gn_ctl *c, struct switch_words *w)
{
    *w = (struct switch_words){.level = "killed", .scope = "all"};
    for (int i = 0; i < c->argc; i++) {
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

static json_t *switch_request(const struct gn_ctl *c, const char *cmd, const struct switch_words *w, json_int_t word)
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
static int run_kill(struct gn_ctl *c)
{
    struct switch_words w;
    int status;
    if (!switch_words(c, &w))
        return EXIT_FAILURE;
    bool all = strcmp(w.scope, "all") == 0;
    json_t *request = switch_request(c, "kill", &w, 0);
    json_t *reply = request == NULL ? NULL : gn_ctl_ask(c, request, true);
    if (all && !json_is_true(json_object_get(reply, "ok"))) {
        if (reply != NULL)
            fprintf(stderr, "gannetctl: the control plane refused: %s\n", get_str(reply, "error"));
        json_decref(reply);
        return gn_ctl_kill_direct(c, w.level, w.why[0] != 0 ? w.why : "operator");
    }
    if (reply == NULL)
        fprintf(stderr, "gannetctl: the control plane does not answer; without it only `kill` of all works\n");
    if (reply_part(c, reply, "level", &status) != NULL)
        printf("%s is %s\n", get_str(reply, "scope"), get_str(reply, "level"));
    json_decref(reply);
    return status;
}

/* The word of a scope as it is now: what is released is what was looked at, not what somebody threw meanwhile. */
static json_int_t word_now(const struct gn_ctl *c, const struct switch_words *w)
{
    json_t *reply =
        gn_ctl_ask(c, json_pack("{s:s, s:s, s:s*}", "cmd", "kill_word", "scope", w->scope, "name", w->name), true);
    json_int_t word = json_integer_value(json_object_get(reply, "word"));
    json_decref(reply);
    return word;
}

static int run_release(struct gn_ctl *c)
{
    struct switch_words w;
    int status;
    if (!switch_words(c, &w))
        return EXIT_FAILURE;
    if (w.why[0] == 0) {
        fprintf(stderr, "gannetctl: release: a reason is needed: gannetctl release WHY...\n");
        return EXIT_FAILURE;
    }
    json_t *request = switch_request(c, "release", &w, word_now(c, &w));
    json_t *reply = request == NULL ? NULL : gn_ctl_ask(c, request, false);
    if (reply_part(c, reply, "level", &status) != NULL)
        printf("%s is %s\n", get_str(reply, "scope"), get_str(reply, "level"));
    json_decref(reply);
    return status;
}

static int run_version(struct gn_ctl *c)
{
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "version"), true);
    if (c->json) {
        json_t *o = reply != NULL ? json_incref(reply) : json_object();
        json_object_set_new(o, "gannetctl", json_string(GN_BUILD_ID));
        json_dumpf(o, stdout, JSON_COMPACT);
        printf("\n");
        json_decref(o);
    } else {
        printf("gannetctl %s\ncontrol plane %s\nregion %s\n", GN_BUILD_ID,
               reply != NULL ? get_str(reply, "controlplane") : "does not answer",
               reply != NULL ? get_str(reply, "region") : "-");
    }
    json_decref(reply);
    return EXIT_SUCCESS;
}

static const struct gn_ctl_command table[] = {
#define GN_X(name, run, arguments, help) {name, arguments, help, run},
    GN_CTL_COMMANDS(GN_X)
#undef GN_X
};

static int usage(FILE *to)
{
    fprintf(to, "usage: " GN_CTL_USAGE "\n\n");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        fprintf(to, "  %-10s%-46s%s\n", table[i].name, table[i].arguments, table[i].help);
    fprintf(to, "\n");
#define GN_X(name, help) fprintf(to, "  %-11s%s\n", name, help);
    GN_CTL_OPTIONS(GN_X)
#undef GN_X
    return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                            {"journal", required_argument, NULL, 'l'},
                                            {"who", required_argument, NULL, 'w'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"direct", no_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *dir = getenv("GANNET_DIR"), *who = getenv("SUDO_USER");
    struct gn_ctl c = {.run_dir = dir != NULL ? dir : "/run/gannet/demo"};
    c.who = who != NULL ? who : getlogin();
    if (c.who == NULL)
        c.who = getenv("USER") != NULL ? getenv("USER") : "unknown";
    for (int o; (o = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        if (o == 'd')
            c.run_dir = optarg;
        else if (o == 'l')
            c.journal_dir = optarg;
        else if (o == 'w')
            c.who = optarg;
        else if (o == 'j')
            c.json = true;
        else if (o == 'm')
            c.direct = true;
        else
            return usage(o == 'h' ? stdout : stderr);
    }
    if (optind == argc)
        return usage(stderr);
    c.argc = argc - optind - 1;
    c.argv = argv + optind + 1;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, argv[optind]) == 0)
            return table[i].run(&c);
    fprintf(stderr, "gannetctl: there is no command \"%s\"\n", argv[optind]);
    return usage(stderr);
}
