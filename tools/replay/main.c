/* gannet-replay: runs the data plane's stages on a journal, and compares every record that they write with the
 * journaled one; or, as a backtest, on its market data alone, with a model of the venue. gannetctl replay calls it.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "tools/replay/engine.h"
#include "tools/replay/live.h"
#include "tools/replay/report.h"
#include "tools/replay/set.h"
#include "tools/replay/source.h"

#define SETS_MAX      16u
#define MIN_DECISIONS 100u
#define TOLERANCE_NS  1000000u
#define LATENCY_NS    50000u

struct job {
    struct gn_conf_loaded loaded;
    struct gn_source_opts source;
    struct gn_source_result read;
    struct gn_replay *replay;
    const char *config, *dir;
    bool compare, any_config, backtest, text;
    const char *shadow; /* the other configuration; NULL: no comparison */
    const char *set[SETS_MAX];
    uint32_t n_set;
    struct gn_backtest_opts opts;
    struct gn_shadow_opts shadow_opts;
    struct gn_shadow *decisions;
    int rc;                       /* enum gn_replay_err */
    double seconds, core_seconds; /* on the clock; of the replaying thread's core */
    int64_t wrong;                /* rows that differ from the region's; -1 = it cannot be looked at */
};

static uint64_t clock_ns(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool on_record(void *arg, const struct gn_rec *rec)
{
    struct job *j = arg;
    const int rc = gn_replay_record(j->replay, rec);
    j->rc = rc != GN_REPLAY_OK ? rc : j->rc;
    return j->rc == GN_REPLAY_OK;
}

static bool load(struct job *j)
{
    static struct gn_conf_errors errors;
    struct gn_conf_host host = gn_conf_host_this();
    host.cpus = 0; /* it was another machine that traded: neither its CPUs nor its passwords are asked for */
    host.getenv = NULL;
    const char *file = j->shadow != NULL ? j->shadow : j->config;
    char why[256];
    int rc = gn_conf_load_on(file, &host, &j->loaded, &errors);
    if (rc != GN_CONF_OK) {
        gn_conf_errors_print(&errors, stderr);
        fprintf(stderr, "gannet-replay: %s: %s\n", file, gn_conf_strerror(rc));
        return false;
    }
    for (uint32_t i = 0; i < j->n_set; i++)
        if (!gn_replay_set(&j->loaded.conf, j->set[i], why, sizeof why)) {
            fprintf(stderr, "gannet-replay: %s\n", why);
            return false;
        }
    if (j->backtest && j->loaded.conf.mode == GN_MODE_SHADOW)
        j->loaded.conf.mode = GN_MODE_PAPER; /* orders go to the model */
    return true;
}

/* ---- decisions, for a shadow comparison ---- */

static void decision(struct job *j, bool journal, const struct gn_rec *rec)
{
    const struct gn_ev_order *o = (const struct gn_ev_order *)(const void *)(rec + 1);
    const struct gn_conf *c = &j->loaded.conf;
    if (j->decisions == NULL || rec->type != GN_EV_ORDER || rec->bytes < sizeof *rec + sizeof *o)
        return;
    const uint32_t s = o->intent.strategy;
    if (s < c->n_strategies && strcmp(c->strategy[s].kind, "client") == 0)
        return; /* no backtest can make those */
    if (!gn_shadow_add(j->decisions, journal, rec->time_ns, o))
        j->rc = GN_REPLAY_ERR_NOMEM;
}

static void on_journaled(void *arg, const struct gn_rec *rec)
{
    decision(arg, true, rec);
}

static void on_decided(void *arg, const struct gn_rec *rec)
{
    decision(arg, false, rec);
}

static bool prepare(struct job *j)
{
    if (j->rc == GN_REPLAY_OK && j->shadow != NULL && (j->decisions = gn_shadow_new(&j->shadow_opts)) == NULL)
        j->rc = GN_REPLAY_ERR_NOMEM;
    j->opts.on_journal = on_journaled;
    j->opts.on_record = on_decided;
    j->opts.arg = j;
    if (j->rc == GN_REPLAY_OK && j->backtest)
        j->rc = gn_replay_backtest(j->replay, &j->opts);
    return j->rc == GN_REPLAY_OK;
}

/* The ring of the lcore that has all stages; 0 = there is none. */
static uint32_t fused_ring(const struct gn_conf *c)
{
    for (uint32_t i = 0; i < c->n_lcores; i++)
        if (c->lcore[i].stages == (GN_STAGE_FEED | GN_STAGE_STRATEGY | GN_STAGE_ORDERS))
            return i + 1;
    return 0;
}

static bool run(struct job *j)
{
    const struct gn_conf *c = &j->loaded.conf;
    j->source.dir = j->dir != NULL ? j->dir : c->journal.dir;
    j->source.ring = fused_ring(c);
    j->source.config_sha256 = c->config_sha256;
    j->rc = j->source.ring == 0 ? GN_REPLAY_ERR_LAYOUT : gn_replay_new(c, j->loaded.instruments, &j->replay);
    if (!prepare(j))
        return false;
    const uint64_t start = clock_ns(CLOCK_MONOTONIC), core = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    if (!gn_source_each(&j->source, on_record, j, &j->read))
        j->rc = GN_REPLAY_ERR_NOMEM;
    if (j->rc == GN_REPLAY_OK)
        j->rc = gn_replay_finish(j->replay);
    j->seconds = (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e9;
    j->core_seconds = (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - core) / 1e9;
    if (j->rc == GN_REPLAY_OK && j->compare)
        j->wrong = gn_live_compare(c, j->replay);
    return j->rc == GN_REPLAY_OK;
}

static bool good(const struct job *j)
{
    const struct gn_replay_counts *n = gn_replay_counts(j->replay);
    return j->read.sound && n->lives != 0 && n->differences == 0 && j->wrong == 0 &&
           (j->read.config_same || j->any_config);
}

static void put_state(json_t *o, const struct gn_ev_state *s)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"books", s->books},       {"orders", s->orders}, {"positions", s->positions},
                {"sessions", s->sessions}, {"gate", s->gate},     {"strategies", s->strategies}};
    uint64_t all = 0;
    json_t *parts = json_object();
    char text[20];
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        snprintf(text, sizeof text, "%016llx", (unsigned long long)rows[i].value);
        json_object_set_new(parts, rows[i].name, json_string(text));
        all = gn_digest_mix(all + rows[i].value);
    }
    json_object_set_new(o, "state", parts);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)all);
    json_object_set_new(o, "state_hash", json_string(text));
}

static void print(const struct job *j)
{
    const struct gn_replay_counts *n = gn_replay_counts(j->replay);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"records", n->records},
                {"compared", n->compared},
                {"differences", n->differences},
                {"turns", n->turns},
                {"lives", n->lives},
                {"packets", n->packets},
                {"messages", n->messages},
                {"session_inputs", n->venue_packets},
                {"orders", n->orders},
                {"refused", n->refused},
                {"executions", n->executions},
                {"cancels", n->cancels},
                {"states_compared", n->states},
                {"carried", n->carried}};
    struct gn_ev_state state;
    json_t *o = json_object();
    json_object_set_new(o, "ok", json_boolean(good(j)));
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++)
        json_object_set_new(o, rows[i].name, json_integer((json_int_t)rows[i].value));
    if (n->differences != 0) {
        json_object_set_new(o, "first_difference", json_string(n->diff));
        json_object_set_new(o, "first_difference_seq", json_integer((json_int_t)n->diff_seq));
        json_object_set_new(o, "first_difference_ns", json_integer((json_int_t)n->diff_ns));
    }
    gn_replay_state(j->replay, &state);
    put_state(o, &state);
    json_object_set_new(o, "same_config", json_boolean(j->read.config_same));
    json_object_set_new(o, "verified", json_boolean(j->read.sound));
    json_object_set_new(o, "region_differences", json_integer(j->wrong));
    json_object_set_new(o, "seconds", json_real(j->seconds));
    json_object_set_new(o, "records_per_s", json_real((double)n->records / j->seconds));
    json_object_set_new(o, "messages_per_s", json_real((double)n->messages / j->seconds));
    /* an event: a market-data message, or a record of any other type */
    const double events = (double)(n->records - n->packets + n->messages);
    json_object_set_new(o, "events_per_s", json_real(events / j->seconds));
    json_object_set_new(o, "core_seconds", json_real(j->core_seconds));
    json_object_set_new(o, "events_per_core_s", json_real(events / j->core_seconds));
    json_object_set_new(o, "times_real", json_real((double)(n->last_ns - n->first_ns) / 1e9 / j->seconds));
    json_dumpf(o, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(o);
}

/* Prints the outcome of a backtest or a shadow comparison. False, with the reason, when it proves nothing. */
static bool print_backtest(struct job *j)
{
    const uint64_t market = gn_backtest_counts(j->replay)->market;
    struct gn_shadow_result shadow = {.cannot = market == 0 ? "no market data reached the strategies" : NULL};
    json_t *o = gn_report_backtest(j->replay, &j->loaded.conf);
    if (j->decisions != NULL) {
        gn_shadow_compare(j->decisions, market, &shadow);
        json_object_set_new(o, "shadow", gn_report_shadow(&shadow));
    }
    const bool ok = shadow.cannot == NULL && j->read.sound && gn_replay_counts(j->replay)->lives != 0;
    json_object_set_new(o, "ok", json_boolean(ok));
    json_object_set_new(o, "verified", json_boolean(j->read.sound));
    json_object_set_new(o, "same_config", json_boolean(j->read.config_same && j->n_set == 0));
    json_object_set_new(o, "seconds", json_real(j->seconds));
    if (j->text) {
        gn_report_text(o);
    } else {
        json_dumpf(o, stdout, JSON_COMPACT);
        printf("\n");
    }
    json_decref(o);
    if (shadow.cannot != NULL)
        fprintf(
            stderr,
            "gannet-replay: insufficient data: %s (journal %llu, other %llu, at least %llu each; market events %llu)\n",
            shadow.cannot, (unsigned long long)shadow.journaled, (unsigned long long)shadow.other,
            (unsigned long long)j->shadow_opts.min_decisions, (unsigned long long)market);
    return ok;
}

static int usage(void)
{
    fprintf(
        stderr,
        "usage: gannet-replay --config FILE [--journal DIR] [--from SEGMENT] [--to NS] [--compare] [--any-config]\n"
        "Runs feed, strategy, gate and order stage on the journal; exit status 1 when a record or the state differs.\n"
        "  --from SEGMENT  begin there; it must hold a start of the data plane in a fresh region\n"
        "  --to NS         stop before that time\n"
        "  --compare       the final state with the running appliance's, too\n"
        "  --any-config    the journal may have been written under another configuration\n"
        "With --backtest on the journaled market data alone, with a model of the venue; under any configuration:\n"
        "  --set strategies.NAME.params.KEY=VALUE   one parameter for this run; may be repeated\n"
        "  --latency-out NS, --latency-back NS      to the venue and back; 50000 each\n"
        "  --fee-add N, --fee-remove N              a share that added, removed liquidity, 1/100 of a price unit;\n"
        "                                           else sessions[].fee_add, fee_remove\n"
        "  --turn NS                                longest time between two turns of the loop; 100000\n"
        "  --text                                   a table instead of JSON\n"
        "With --shadow OTHER the backtest runs under that configuration, and its decisions are compared with the\n"
        "journaled ones; exit status 1 when there are too few to compare:\n"
        "  --min-decisions N   of the journal and of the backtest; 100\n"
        "  --tolerance NS      between a decision and its pair; 1000000\n");
    return EXIT_FAILURE;
}

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},      {"journal", required_argument, NULL, 'j'},
    {"from", required_argument, NULL, 'f'},        {"to", required_argument, NULL, 't'},
    {"compare", no_argument, NULL, 'r'},           {"any-config", no_argument, NULL, 'a'},
    {"backtest", no_argument, NULL, 'b'},          {"shadow", required_argument, NULL, 'w'},
    {"set", required_argument, NULL, 's'},         {"text", no_argument, NULL, 'x'},
    {"latency-out", required_argument, NULL, 'O'}, {"latency-back", required_argument, NULL, 'B'},
    {"turn", required_argument, NULL, 'T'},        {"fee-add", required_argument, NULL, 'A'},
    {"fee-remove", required_argument, NULL, 'R'},  {"min-decisions", required_argument, NULL, 'm'},
    {"tolerance", required_argument, NULL, 'e'},   {NULL, 0, NULL, 0}};

struct fees {
    const char *add, *remove; /* NULL: the configuration's */
};

/* An option with a number >= 0; false: it is none. */
static bool number_option(struct job *j, int c, const char *text)
{
    uint64_t *to = c == 'f'   ? &j->source.from_segment
                   : c == 't' ? &j->source.to_ns
                   : c == 'O' ? &j->opts.out_ns
                   : c == 'B' ? &j->opts.back_ns
                   : c == 'T' ? &j->opts.turn_ns
                   : c == 'm' ? &j->shadow_opts.min_decisions
                   : c == 'e' ? &j->shadow_opts.tolerance_ns
                              : NULL;
    char *end;
    if (to == NULL)
        return false;
    *to = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0;
}

static bool option(struct job *j, struct fees *fees, int c)
{
    switch (c) {
    case 'c':
        j->config = optarg;
        return true;
    case 'j':
        j->dir = optarg;
        return true;
    case 'r':
        return j->compare = true;
    case 'a':
        return j->any_config = true;
    case 'b':
        return j->backtest = true;
    case 'w':
        j->shadow = optarg;
        return j->backtest = true;
    case 'x':
        return j->text = true;
    case 'A':
        fees->add = optarg;
        return true;
    case 'R':
        fees->remove = optarg;
        return true;
    case 's':
        if (j->n_set == SETS_MAX)
            return false;
        j->set[j->n_set++] = optarg;
        return true;
    default:
        return number_option(j, c, optarg);
    }
}

static bool set_fees(struct job *j, const struct fees *fees)
{
    const char *const text[] = {fees->add, fees->remove};
    for (int k = 0; k < 2; k++) {
        char *end;
        const long long v = text[k] == NULL ? 0 : strtoll(text[k], &end, 10);
        if (text[k] == NULL)
            continue;
        if (end == text[k] || *end != 0 || v < -1000000000 || v > 1000000000) {
            fprintf(stderr, "gannet-replay: fee %s: expected a whole number of 1/100 of a price unit\n", text[k]);
            return false;
        }
        for (uint32_t i = 0; i < j->loaded.conf.n_sessions; i++)
            *(k == 0 ? &j->loaded.conf.session[i].fee_add : &j->loaded.conf.session[i].fee_remove) = v;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct job j = {.opts = {.out_ns = LATENCY_NS, .back_ns = LATENCY_NS},
                           .shadow_opts = {.tolerance_ns = TOLERANCE_NS, .min_decisions = MIN_DECISIONS}};
    struct fees fees = {NULL, NULL};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (c == '?' || !option(&j, &fees, c))
            return usage();
    const bool only_backtest = j.n_set != 0 || j.text || fees.add != NULL || fees.remove != NULL;
    if ((j.config == NULL && j.shadow == NULL) || optind != argc || (only_backtest && !j.backtest) ||
        (j.compare && j.backtest))
        return usage();
    if (!load(&j) || !set_fees(&j, &fees))
        return EXIT_FAILURE;
    bool ok = run(&j);
    if (!ok)
        fprintf(stderr, "gannet-replay: %s\n", gn_replay_strerror(j.rc));
    if (j.replay != NULL && !j.read.sound)
        fprintf(stderr, "gannet-replay: %s: offset %llu: %s\n", j.read.finding.file,
                (unsigned long long)j.read.finding.offset, j.read.finding.reason);
    if (ok && j.backtest) {
        ok = print_backtest(&j);
    } else if (ok) {
        print(&j);
        ok = good(&j);
    }
    gn_shadow_free(j.decisions);
    gn_replay_free(j.replay);
    gn_conf_free(&j.loaded);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
