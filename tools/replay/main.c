/* gannet-replay: runs the data plane's stages on a journal, and compares every record that they write with the
 * journaled one. gannetctl replay calls it.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "tools/replay/engine.h"
#include "tools/replay/live.h"
#include "tools/replay/source.h"

struct job {
    struct gn_conf_loaded loaded;
    struct gn_source_opts source;
    struct gn_source_result read;
    struct gn_replay *replay;
    const char *config, *dir;
    bool compare, any_config;
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
    j->rc = gn_replay_record(j->replay, rec);
    return j->rc == GN_REPLAY_OK;
}

static bool load(struct job *j)
{
    static struct gn_conf_errors errors;
    struct gn_conf_host host = gn_conf_host_this();
    host.cpus = 0; /* it was another machine that traded: neither its CPUs nor its passwords are asked for */
    host.getenv = NULL;
    int rc = gn_conf_load_on(j->config, &host, &j->loaded, &errors);
    if (rc == GN_CONF_OK)
        return true;
    gn_conf_errors_print(&errors, stderr);
    fprintf(stderr, "gannet-replay: %s: %s\n", j->config, gn_conf_strerror(rc));
    return false;
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
    if (j->rc != GN_REPLAY_OK)
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

static int usage(void)
{
    fprintf(
        stderr,
        "usage: gannet-replay --config FILE [--journal DIR] [--from SEGMENT] [--to NS] [--compare] [--any-config]\n"
        "Runs feed, strategy, gate and order stage on the journal; exit status 1 when a record or the state differs.\n"
        "  --from SEGMENT  begin there; it must hold a start of the data plane in a fresh region\n"
        "  --to NS         stop before that time\n"
        "  --compare       the final state with the running appliance's, too\n"
        "  --any-config    the journal may have been written under another configuration\n");
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"journal", required_argument, NULL, 'j'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"compare", no_argument, NULL, 'r'},
                                            {"any-config", no_argument, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    static struct job j;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            j.config = optarg;
            break;
        case 'j':
            j.dir = optarg;
            break;
        case 'f':
            j.source.from_segment = strtoull(optarg, NULL, 10);
            break;
        case 't':
            j.source.to_ns = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            j.compare = true;
            break;
        case 'a':
            j.any_config = true;
            break;
        default:
            return usage();
        }
    }
    if (j.config == NULL || optind != argc)
        return usage();
    if (!load(&j))
        return EXIT_FAILURE;
    bool ok = run(&j);
    if (!ok)
        fprintf(stderr, "gannet-replay: %s\n", gn_replay_strerror(j.rc));
    if (j.replay != NULL && !j.read.sound)
        fprintf(stderr, "gannet-replay: %s: offset %llu: %s\n", j.read.finding.file,
                (unsigned long long)j.read.finding.offset, j.read.finding.reason);
    if (ok) {
        print(&j);
        ok = good(&j);
    }
    gn_replay_free(j.replay);
    gn_conf_free(&j.loaded);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
