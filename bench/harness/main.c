/* gannet-harness: the venue that measures tick-to-trade, or an echo, over its ports; see venue.h and points.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/harness/venue.h"

#define SETTLE_NS 300000000ull

static _Atomic int go, stop;

static void on_signal(int sig)
{
    atomic_store_explicit(sig == SIGUSR2 ? &go : &stop, 1, memory_order_relaxed);
}

struct own_options {
    const char *points, *warmup;
    uint64_t preload;
    bool echo, help;
};

/* Takes our own options out of argv; what is left is the simulator's. */
static bool take_own(int *argc, char **argv, struct own_options *o)
{
    int kept = 1;
    *o = (struct own_options){.points = "", .warmup = "20000:200"};
    for (int i = 1; i < *argc; i++) {
        const bool more = i + 1 < *argc;
        if (strcmp(argv[i], "--echo") == 0)
            o->echo = true;
        else if (strcmp(argv[i], "--help") == 0)
            o->help = true;
        else if (strcmp(argv[i], "--points") == 0 && more)
            o->points = argv[++i];
        else if (strcmp(argv[i], "--preload") == 0 && more)
            o->preload = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--warmup") == 0 && more)
            o->warmup = argv[++i];
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    argv[kept] = NULL;
    return o->points[0] != '\0' || o->help;
}

static void help(void)
{
    puts(
        "gannet-harness: measures from a market-data frame to the order that answers it.\n\n"
        "  --points RATE:MS[:EVERY[:BURST]],...  messages a second, for how long, every nth moves a price, so many at\n"
        "                                        one instant\n"
        "  --warmup RATE:MS                      before the first point, not recorded (20000:200)\n"
        "  --echo                                the other side is gannet-echo: one line, frames come back\n"
        "It starts at SIGUSR2, writes --json and ends. All other options are those of gannet-venue-sim:\n");
    gn_options_help();
}

static json_t *ports_json(const struct gn_io_dpdk *io)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < io->n; i++) {
        const struct gn_io_link *l = &io->link[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I, s:I, s:I}", "kind", l->port.ops->name, "rx_frames",
                                        (json_int_t)l->rx_frames, "tx_frames", (json_int_t)l->tx_frames, "tx_retries",
                                        (json_int_t)l->tx_retries, "tx_given_up", (json_int_t)l->tx_given_up));
    }
    return list;
}

static bool write_json(const struct gn_venue *v, const char *path, const struct gn_point *point, uint32_t n)
{
    json_t *o = json_object();
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, gn_point_json(&point[i]));
    json_object_set_new(o, "program", json_string("gannet-harness"));
    json_object_set_new(o, "mode", json_string(v->echo ? "echo" : "tick-to-trade"));
    json_object_set_new(o, "lines", json_integer(v->lines));
    json_object_set_new(o, "clock", json_string("tsc"));
    json_object_set_new(o, "unexpected", json_integer((json_int_t)v->unexpected));
    json_object_set_new(o, "points", list);
    json_object_set_new(o, "venue", gn_sim_report(v->sim));
    json_object_set_new(o, "ports", ports_json(v->io));
    bool ok = path[0] == '\0' || strcmp(path, "-") == 0 ? json_dumpf(o, stdout, JSON_INDENT(1)) == 0
                                                        : json_dump_file(o, path, JSON_COMPACT) == 0;
    json_decref(o);
    return ok;
}

/* False when a signal or the simulator ended it before the last point. */
static bool measure(struct gn_venue *v, struct gn_point *warmup, struct gn_point *point, uint32_t n, uint64_t preload)
{
    while (atomic_load_explicit(&go, memory_order_relaxed) == 0)
        if (!gn_venue_spin(v) || atomic_load_explicit(&stop, memory_order_relaxed) != 0)
            return false;
    if (preload != 0)
        gn_venue_preload(v, preload);
    else
        gn_venue_open_market(v);
    if (!gn_venue_wait(v, SETTLE_NS))
        return false;
    if (preload == 0)
        gn_venue_run(v, warmup, false);
    for (uint32_t i = 0; i < n; i++) {
        if (atomic_load_explicit(&stop, memory_order_relaxed) != 0 || !gn_venue_wait(v, SETTLE_NS / 10))
            return false;
        gn_venue_run(v, &point[i], true);
        fprintf(stderr, "gannet-harness: point %u of %u: %u messages/s, %llu of %llu answered\n", i + 1, n,
                point[i].rate, (unsigned long long)point[i].answered, (unsigned long long)point[i].n);
    }
    return true;
}

static int fail(const char *err)
{
    fprintf(stderr, "gannet-harness: %s\n", err);
    return EXIT_FAILURE;
}

static int run(const struct gn_sim_options *opt, const struct own_options *own)
{
    static struct gn_io_dpdk io;
    static struct gn_venue v;
    static struct gn_point point[GN_POINTS_MAX], warmup[GN_POINTS_MAX];
    char err[GN_PORT_ERR_LEN];
    uint32_t n = gn_points_parse(own->points, point, err, sizeof err);
    if (n == 0 || gn_points_parse(own->warmup, warmup, err, sizeof err) == 0)
        return fail(err);
    if (!gn_io_open(&io, opt, err))
        return fail(err);
    static const int taken[] = {SIGINT, SIGTERM, SIGUSR2};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    for (uint32_t i = 0; i < GN_ARRAY_LEN(taken); i++)
        (void)sigaction(taken[i], &action, NULL); /* after DPDK, which sets its own */
    v.io = &io;
    v.echo = own->echo;
    v.lines = own->echo ? 1 : GN_IMPAIR_LINES;
    if (!gn_venue_init(&v, opt, err)) {
        gn_io_close(&io);
        return fail(err);
    }
    fprintf(stderr, "gannet-harness: ready\n");
    const bool whole = measure(&v, warmup, point, n, own->preload);
    const bool written = whole && write_json(&v, opt->json, point, n);
    gn_sim_stop(v.sim, whole ? "end of the points" : "signal");
    while (gn_venue_spin(&v))
        ;
    gn_venue_free(&v);
    gn_io_close(&io);
    return whole && !written ? fail("cannot write the result") : whole ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct gn_sim_options opt;
    struct own_options own;
    char err[GN_OPT_TEXT];
    if (!take_own(&argc, argv, &own))
        return fail("--points is missing; --help lists the options");
    if (own.help) {
        help();
        return EXIT_SUCCESS;
    }
    if (gn_options_parse(&opt, argc, argv, err) != GN_OPT_RUN)
        return fail(err);
    memcpy(opt.start, "signal", sizeof "signal"); /* our own publisher publishes */
    return run(&opt, &own);
}
