#include "tools/venue-sim/options.h"

#include <stdio.h>
#include <stdlib.h>

enum kind { TEXT, U64, IP, FLAG, RATE, SPEED, PPM };

struct row {
    enum kind kind;
    const char *name, *def, *value, *help;
    size_t offset;
};

static const struct row rows[] = {
#define GN_X(kind, member, name, def, value, help) \
    {kind, name, def, value, help, offsetof(struct gn_sim_options, member)},
    GN_SIM_OPTIONS(GN_X)
#undef GN_X
#define GN_X(kind, member, name, def, help) \
    {kind, name, def, kind == PPM ? "P%" : "N", help, offsetof(struct gn_sim_options, impair.member)},
        GN_IMPAIR_OPTIONS(GN_X)
#undef GN_X
};

/* Limits of numbers that have any; the rest takes what fits. */
static const struct {
    const char *name;
    uint64_t min, max;
} limits[] = {
    {"instruments", 1, GN_GEN_INSTRUMENTS_MAX},
    {"live", 20, GN_GEN_LIVE_MAX},
    {"rate", 0, 100000000},
    {"pack-us", 0, 1000000},
    {"seconds", 0, 1000000},
    {"linger-ms", 0, 86400000},
    {"udp-a", 1, 65535},
    {"udp-b", 1, 65535},
    {"udp-source", 1, 65535},
    {"request-port", 1, 65535},
    {"order-port", 1, 65535},
    {"drop-copy-port", 0, 65535},
    {"heartbeat-ms", 1, 60000},
    {"soup-heartbeat-ms", 10, 60000},
    {"soup-dead-ms", 10, 600000},
    {"history-mib", 1, 65536},
    {"answers-mib", 1, 4096},
    {"book-orders", 0, GN_SIM_ORDERS_MAX},
    {"client-orders", 1, GN_MATCH_ORDERS_MAX},
    {"dpdk-mem-mib", 32, 4096},
};

static bool parse_u64(const char *text, uint64_t *out)
{
    uint64_t v = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || v > (UINT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(*text - '0');
    }
    *out = v;
    return true;
}

/* A decimal into thousandths: 0.5 is 500. */
static bool parse_milli(const char *text, uint64_t *out)
{
    uint64_t v = 0, scale = 1000;
    bool point = false, digits = false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9' || v > 1000000000000ull || (point && scale == 1))
            return false;
        v = v * 10 + (uint64_t)(*text - '0');
        digits = true;
        if (point)
            scale /= 10;
    }
    *out = v * scale;
    return digits;
}

static bool store(struct gn_sim_options *o, const struct row *r, const char *value)
{
    uint8_t *at = (uint8_t *)o + r->offset;
    uint64_t v = 0;
    switch (r->kind) {
    case TEXT:
        return snprintf((char *)at, GN_OPT_TEXT, "%s", value) < (int)GN_OPT_TEXT;
    case FLAG:
        *(bool *)at = value[0] == '1';
        return true;
    case IP:
        return gn_ipv4_parse(value, (uint32_t *)(void *)at);
    case PPM:
        return gn_impair_ppm(value, (uint64_t *)(void *)at);
    case SPEED:
        return parse_milli(value, (uint64_t *)(void *)at);
    case RATE:
    case U64:
        break;
    }
    if (!(r->kind == RATE && strcmp(value, "max") == 0) && !parse_u64(value, &v))
        return false;
    *(uint64_t *)(void *)at = v;
    for (uint32_t i = 0; i < GN_ARRAY_LEN(limits); i++)
        if (strcmp(r->name, limits[i].name) == 0)
            return v >= limits[i].min && v <= limits[i].max;
    return true;
}

static int fail(char err[GN_OPT_TEXT], const char *name, const char *value, const char *allowed)
{
    snprintf(err, GN_OPT_TEXT, "--%.30s %.60s: %.140s", name, value, allowed);
    return GN_OPT_ERROR;
}

static bool add_account(struct gn_sim_options *o, const char *text)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL || o->accounts == GN_ORDER_ACCOUNTS_MAX)
        return false;
    struct gn_sim_account_option *a = &o->account[o->accounts];
    const size_t user = (size_t)(colon - text), pass = strlen(colon + 1);
    if (user == 0 || user > GN_SOUP_USERNAME || pass > GN_SOUP_PASSWORD)
        return false;
    memcpy(a->username, text, user);
    a->username[user] = '\0';
    memcpy(a->password, colon + 1, pass + 1);
    o->accounts++;
    return true;
}

static int set_option(struct gn_sim_options *o, const char *name, const char *value, char err[GN_OPT_TEXT])
{
    if (strcmp(name, "port") == 0) {
        if (o->ports == GN_SIM_LINKS_MAX)
            return fail(err, name, value, "at most three ports");
        return gn_port_spec_parse(value, o->ports, &o->port[o->ports], err) ? (o->ports++, GN_OPT_RUN) : GN_OPT_ERROR;
    }
    if (strcmp(name, "account") == 0)
        return add_account(o, value) ? GN_OPT_RUN
                                     : fail(err, name, value, "USER:PASSWORD, up to 6 and 10 letters, up to 8 times");
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        if (strcmp(name, rows[i].name) == 0)
            return store(o, &rows[i], value) ? GN_OPT_RUN : fail(err, name, value, rows[i].help);
    return fail(err, name, value, "no such option; --help lists them");
}

static bool takes_value(const char *name)
{
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].kind != FLAG;
    return true;
}

static int finish(struct gn_sim_options *o, char err[GN_OPT_TEXT])
{
    o->impair.seed = o->seed;
    const char *bad = gn_impair_check(&o->impair);
    if (bad != NULL)
        return fail(err, bad, "", "out of range");
    if (strcmp(o->start, "login") != 0 && strcmp(o->start, "now") != 0 && strcmp(o->start, "signal") != 0)
        return fail(err, "start", o->start, "allowed are login, now, signal");
    if (strlen(o->session) > GN_MOLD_SESSION || strlen(o->order_session) > GN_SOUP_SESSION)
        return fail(err, "session", o->session, "up to 10 letters");
    if (o->book_orders != 0 && o->book_orders < GN_SIM_ORDERS_MIN)
        return fail(err, "book-orders", "", "0, or 1024 and more");
    if (o->ports == 0 && o->list_symbols[0] == '\0')
        return fail(err, "port", "", "is missing: --port memif:SOCKET,ip=10.0.1.1/24, up to three times");
    if (o->accounts == 0)
        return add_account(o, "GANNET:gannet") ? GN_OPT_RUN : GN_OPT_ERROR;
    return GN_OPT_RUN;
}

int gn_options_parse(struct gn_sim_options *o, int argc, char **argv, char err[GN_OPT_TEXT])
{
    memset(o, 0, sizeof *o);
    err[0] = '\0';
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        (void)store(o, &rows[i], rows[i].def);
    for (int i = 1; i < argc; i++) {
        char name[32];
        const char *eq = strchr(argv[i], '=');
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return GN_OPT_HELP;
        if (strncmp(argv[i], "--", 2) != 0)
            return fail(err, "", argv[i], "options begin with --; --help lists them");
        size_t len = eq != NULL ? (size_t)(eq - argv[i]) - 2 : strlen(argv[i]) - 2;
        if (len >= sizeof name)
            return fail(err, argv[i] + 2, "", "no such option; --help lists them");
        memcpy(name, argv[i] + 2, len);
        name[len] = '\0';
        const char *value = eq != NULL ? eq + 1 : "1";
        if (eq == NULL && takes_value(name)) {
            if (i + 1 == argc)
                return fail(err, name, "", "needs a value, or is no option; --help lists them");
            value = argv[++i];
        }
        int rc = set_option(o, name, value, err);
        if (rc != GN_OPT_RUN)
            return rc;
    }
    return finish(o, err);
}

void gn_options_help(void)
{
    puts("gannet-venue-sim: a Nasdaq-like venue: ITCH 5.0 over MoldUDP64 on two lines, OUCH 5.0 over SoupBinTCP.\n\n"
         "  --port KIND:DEVICE,ip=A.B.C.D/N[,...]   one port: everything; two: feed, orders; three: line A, B, orders\n"
         "  --account USER:PASSWORD                 an order session may log in with it (default GANNET:gannet)");
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        char left[64];
        snprintf(left, sizeof left, "--%s %s", r->name, r->value);
        bool none = r->kind == FLAG || r->def[0] == '\0';
        printf("  %-38s  %s%s%s%s\n", left, r->help, none ? "" : " (", none ? "" : r->def, none ? "" : ")");
    }
    puts("\nSignals: SIGUSR1 stops publishing and keeps serving, SIGUSR2 starts or resumes, SIGINT and SIGTERM end.");
}
