#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_id.h"
#include "tools/gannetctl/commands.h"
#include "tools/gannetctl/ctl.h"

const char *gn_ctl_str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s != NULL ? s : "-";
}

long long gn_ctl_int(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

json_t *gn_ctl_part(const struct gn_ctl *c, json_t *reply, const char *key, int *status)
{
    *status = EXIT_FAILURE;
    if (reply == NULL)
        return NULL;
    bool ok = json_is_true(json_object_get(reply, "ok"));
    if (c->json) {
        json_dumpf(reply, stdout, JSON_COMPACT);
        printf("\n");
    } else if (!ok) {
        fprintf(stderr, "gannetctl: %s\n", gn_ctl_str(reply, "error"));
    } else if (json_object_get(reply, "source") != NULL) {
        printf("(%s)\n", gn_ctl_str(reply, "source"));
    }
    *status = ok ? EXIT_SUCCESS : EXIT_FAILURE;
    if (ok && json_object_get(reply, "pending") != NULL && json_is_integer(json_object_get(reply, "pending"))) {
        *status = GN_CTL_WAITS;
        if (!c->json)
            printf("not done yet: request %lld waits for another person (%s): gannetctl --as NAME --key FILE approve "
                   "%lld\n",
                   gn_ctl_int(reply, "pending"), gn_ctl_str(reply, "needs"), gn_ctl_int(reply, "pending"));
        return NULL;
    }
    return c->json || !ok ? NULL : json_object_get(reply, key);
}

json_t *gn_ctl_look(const struct gn_ctl *c, const char *what, json_t *request)
{
    json_t *reply = gn_ctl_ask(c, request, true);
    return reply != NULL ? reply : gn_ctl_direct(c, what);
}

static void print_journal(const json_t *s, const json_t *j)
{
    const char *slow = gn_ctl_str(j, "slow_why");
    bool failed = gn_ctl_int(s, "journal_failed") != 0 || gn_ctl_int(j, "failed") != 0;
    printf("journal %s, %s: %lld records, %lld bytes, segment %lld; not durable: %lld records (%lld allowed), the "
           "oldest of "
           "%.3f ms (%lld allowed)%s%s\n",
           failed                                       ? "FAILED"
           : json_is_false(json_object_get(j, "ready")) ? "NOT READY"
                                                        : "good",
           gn_ctl_str(j, "mode"), gn_ctl_int(j, "records"), gn_ctl_int(j, "bytes"), gn_ctl_int(j, "segment"),
           gn_ctl_int(j, "unsynced_records"), gn_ctl_int(j, "unsynced_records_max"),
           (double)gn_ctl_int(j, "unsynced_us") / 1000, gn_ctl_int(j, "unsynced_ms_max"), slow[0] != 0 ? "; " : "",
           slow);
}

static int run_status(struct gn_ctl *c)
{
    int status;
    json_t *reply = gn_ctl_look(c, "status", json_pack("{s:s}", "cmd", "status"));
    const json_t *s = gn_ctl_part(c, reply, "status", &status);
    if (s != NULL) {
        const json_t *cp = json_object_get(s, "controlplane"), *dp = json_object_get(s, "dataplane"),
                     *j = json_object_get(s, "journal");
        printf("instance %s, mode %s, build %s, epoch %lld\n", gn_ctl_str(s, "instance"), gn_ctl_str(s, "mode"),
               gn_ctl_str(s, "build"), gn_ctl_int(s, "epoch"));
        printf("control plane %s (pid %lld), data plane %s (pid %lld), feed %s, %lld working orders\n",
               gn_ctl_str(cp, "state"), gn_ctl_int(cp, "pid"), gn_ctl_str(dp, "state"), gn_ctl_int(dp, "pid"),
               gn_ctl_int(s, "feed_stale") ? "STALE" : "current", gn_ctl_int(s, "open_orders"));
        if (j != NULL)
            print_journal(s, j);
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
    json_t *reply = gn_ctl_look(c, what, request);
    const json_t *rows = gn_ctl_part(c, reply, what, &status);
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
               reply != NULL ? gn_ctl_str(reply, "controlplane") : "does not answer",
               reply != NULL ? gn_ctl_str(reply, "region") : "-");
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
                                            {"as", required_argument, NULL, 'a'},
                                            {"key", required_argument, NULL, 'k'},
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
        else if (o == 'a')
            c.as = c.who = optarg;
        else if (o == 'k')
            c.key = optarg;
        else if (o == 'j')
            c.json = true;
        else if (o == 'm')
            c.direct = true;
        else
            return usage(o == 'h' ? stdout : stderr);
    }
    if (optind == argc)
        return usage(stderr);
    if ((c.as == NULL) != (c.key == NULL)) {
        fprintf(stderr, "gannetctl: --as NAME and --key FILE go together: who signs, and with what\n");
        return EXIT_FAILURE;
    }
    c.argc = argc - optind - 1;
    c.argv = argv + optind + 1;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, argv[optind]) == 0)
            return table[i].run(&c);
    fprintf(stderr, "gannetctl: there is no command \"%s\"\n", argv[optind]);
    return usage(stderr);
}
