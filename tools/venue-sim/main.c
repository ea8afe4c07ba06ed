/* gannet-venue-sim: options, DPDK, signals and the loop; the venue itself is sim.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/venue-sim/io_dpdk.h"
#include "tools/venue-sim/sim.h"

static atomic_int stop_signal, pause_signals, resume_signals, report_signals;

static void on_signal(int sig)
{
    if (sig == SIGUSR1)
        atomic_fetch_add_explicit(&pause_signals, 1, memory_order_relaxed);
    else if (sig == SIGUSR2)
        atomic_fetch_add_explicit(&resume_signals, 1, memory_order_relaxed);
    else if (sig == SIGHUP)
        atomic_fetch_add_explicit(&report_signals, 1, memory_order_relaxed);
    else
        atomic_store_explicit(&stop_signal, sig, memory_order_relaxed);
}

static void take_signals(void)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    for (uint32_t i = 0; i < GN_ARRAY_LEN(taken); i++)
        (void)sigaction(taken[i], &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static bool pending(atomic_int *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed) != 0 &&
           atomic_exchange_explicit(counter, 0, memory_order_relaxed) != 0;
}

static json_t *ports_json(const struct gn_io_dpdk *io, const struct gn_sim_options *opt)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < io->n; i++) {
        const struct gn_io_link *l = &io->link[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", l->port.ops->name, "device",
                                        opt->port[i].device, "rx_frames", (json_int_t)l->rx_frames, "tx_frames",
                                        (json_int_t)l->tx_frames, "tx_retries", (json_int_t)l->tx_retries,
                                        "tx_lost_link_down", (json_int_t)l->tx_down, "tx_given_up",
                                        (json_int_t)l->tx_given_up, "rx_segmented", (json_int_t)l->rx_segmented));
    }
    return list;
}

/* Written beside and renamed, so that a reader never sees half of it. */
static bool write_report(struct gn_sim *sim, const struct gn_io_dpdk *io)
{
    const char *path = sim->opt.json;
    char beside[GN_OPT_TEXT + 8];
    if (path[0] == '\0')
        return true;
    json_t *report = gn_sim_report(sim);
    json_object_set_new(report, "ports", ports_json(io, &sim->opt));
    bool ok;
    if (strcmp(path, "-") == 0) {
        ok = json_dumpf(report, stdout, JSON_INDENT(1)) == 0 && fputc('\n', stdout) != EOF;
        fflush(stdout);
    } else {
        snprintf(beside, sizeof beside, "%s.part", path);
        ok = json_dump_file(report, beside, JSON_INDENT(1)) == 0 && rename(beside, path) == 0;
    }
    json_decref(report);
    if (!ok)
        fprintf(stderr, "gannet-venue-sim: cannot write %s\n", path);
    return ok;
}

static void print_symbol(const char symbol[8], void *arg)
{
    int n = 8;
    (void)arg;
    while (n > 0 && symbol[n - 1] == ' ')
        n--;
    printf("%.*s\n", n, symbol);
}

static int list_symbols(struct gn_sim_options *opt)
{
    char err[GN_OPT_TEXT];
    uint64_t bad;
    if (strcmp(opt->list_symbols, "generator") != 0)
        memcpy(opt->itch, opt->list_symbols, sizeof opt->itch);
    struct gn_market *m = gn_sim_open_source(opt, &bad, err);
    if (m == NULL) {
        fprintf(stderr, "gannet-venue-sim: %s\n", err);
        return EXIT_FAILURE;
    }
    (void)gn_market_symbols(m, print_symbol, NULL);
    gn_market_close(m);
    return EXIT_SUCCESS;
}

static void loop(struct gn_sim *sim, const struct gn_io_dpdk *io)
{
    bool running = true;
    while (running) {
        uint64_t before = sim->frames_in + sim->pub.stats.messages;
        running = gn_sim_turn(sim);
        if (pending(&pause_signals))
            gn_sim_pause(sim);
        if (pending(&resume_signals))
            gn_sim_resume(sim);
        if (pending(&report_signals))
            (void)write_report(sim, io);
        int sig = atomic_load_explicit(&stop_signal, memory_order_relaxed);
        if (GN_UNLIKELY(sig != 0))
            gn_sim_stop(sim, sig == SIGINT ? "SIGINT" : "SIGTERM");
        if (sim->opt.yield && before == sim->frames_in + sim->pub.stats.messages)
            sched_yield();
    }
}

static int run(const struct gn_sim_options *opt)
{
    static struct gn_io_dpdk io;
    char err[GN_PORT_ERR_LEN];
    uint8_t macs[GN_SIM_LINKS_MAX][6];
    if (!gn_io_open(&io, opt, err)) {
        fprintf(stderr, "gannet-venue-sim: %s\n", err);
        return EXIT_FAILURE;
    }
    take_signals(); /* after DPDK, which sets its own */
    for (uint32_t i = 0; i < opt->ports; i++)
        memcpy(macs[i], io.link[i].port.mac, sizeof macs[i]);
    struct gn_sim_io ops = gn_io_ops(&io);
    struct gn_sim *sim = gn_sim_new(opt, &ops, macs, ops.now(NULL), err);
    bool ok = sim != NULL;
    for (uint32_t i = 0; ok && i < opt->ports; i++) {
        ok = gn_io_stock(&io, i, &sim->links.link[i].txq);
        if (!ok)
            snprintf(err, sizeof err, "no packet buffers; raise --dpdk-mem-mib");
    }
    if (!ok) {
        fprintf(stderr, "gannet-venue-sim: %s\n", err);
        gn_sim_free(sim);
        gn_io_close(&io);
        return EXIT_FAILURE;
    }
    if (sim->source_bad_offset != 0)
        fprintf(stderr, "gannet-venue-sim: %s is cut off at offset %llu; replaying what comes before\n", opt->itch,
                (unsigned long long)sim->source_bad_offset);
    fprintf(stderr, "gannet-venue-sim: ready\n");
    loop(sim, &io);
    ok = write_report(sim, &io);
    gn_sim_free(sim);
    gn_io_close(&io);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct gn_sim_options opt;
    char err[GN_OPT_TEXT];
    switch (gn_options_parse(&opt, argc, argv, err)) {
    case GN_OPT_HELP:
        gn_options_help();
        return EXIT_SUCCESS;
    case GN_OPT_ERROR:
        fprintf(stderr, "gannet-venue-sim: %s\n", err);
        return 2;
    default:
        return opt.list_symbols[0] != '\0' ? list_symbols(&opt) : run(&opt);
    }
}
