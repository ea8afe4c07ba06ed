/* gannet-dataplane: everything that a packet touches between RX and TX. It takes its whole configuration from the plane
 * file that the control plane made, and has no files, no logs and no config of its own; what it has to say before its
 * lcores run goes to stderr, afterwards to the event rings.
 */
#include <errno.h>
#include <getopt.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "build_id.h"
#include "dataplane/lcore/client_guard.h"
#include "dataplane/lcore/core_check.h"
#include "dataplane/lcore/wiring.h"

#define TICK_NS        50000000l /* the main thread's: counters, beat, signals */
#define TICKS_A_SECOND 20u

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
    stop_signal = sig;
}

static int die(const char *what)
{
    fprintf(stderr, "gannet-dataplane: %s\n", what);
    return EXIT_FAILURE;
}

static bool lcore_list(const struct gn_conf *c, struct gn_eal_args *a)
{
    char list[256];
    int n = snprintf(list, sizeof list, "0@%u", c->main_core);
    for (uint32_t i = 0; i < c->n_lcores && n > 0 && n < (int)sizeof list; i++)
        n += snprintf(list + n, sizeof list - (size_t)n, ",%u@%u", i + 1, c->lcore[i].core);
    return n > 0 && n < (int)sizeof list && gn_eal_args_add(a, "--lcores=%s", list) &&
           gn_eal_args_add(a, "--main-lcore=0");
}

static bool eal_args(const struct gn_conf *c, struct gn_eal_args *a, char *err)
{
    bool ok = gn_eal_args_add(a, "gannet-dataplane") && lcore_list(c, a) && gn_eal_args_add(a, "--no-telemetry") &&
              gn_eal_args_add(a, "--log-level=pmd.net.memif:critical") && gn_eal_args_add(a, "--log-level=*:warning") &&
              gn_eal_args_add(a, "--file-prefix=gannet-%s", c->instance) && gn_eal_args_add(a, "-m%u", c->dpdk_mem_mib);
    /* no file of DPDK's own is shared with anybody: in memory, or without hugepages nothing to share at all */
    ok = ok && (c->hugepages ? gn_eal_args_add(a, "--in-memory")
                             : gn_eal_args_add(a, "--no-huge") && gn_eal_args_add(a, "--no-shconf"));
    if (!ok)
        snprintf(err, GN_PORT_ERR_LEN, "too many arguments for DPDK");
    for (uint32_t i = 0; ok && i < c->n_ports; i++)
        if (c->port[i].kind == GN_PORT_AF_XDP && !c->hugepages) {
            snprintf(err, GN_PORT_ERR_LEN,
                     "port %s: af_xdp shares its buffers with the kernel and needs hugepages: true in the config",
                     c->port[i].name);
            return false;
        }
    return ok && gn_port_eal_args(c->port, c->n_ports, a, err);
}

static void say_running(struct gn_wiring *w, uint32_t state)
{
    struct gn_beat *b = &w->control->dataplane;
    atomic_store_explicit(&b->pid, (uint32_t)getpid(), memory_order_relaxed);
    /* release: the pid is there for whoever sees the state */
    atomic_store_explicit(&b->state, state, memory_order_release);
}

/* A core that others use too is said, not refused: a trial on a small machine has no other. */
static void check_cores(const struct gn_wiring *w)
{
    int share[GN_LCORES_MAX] = {0};
    for (uint32_t i = 0; i < w->n_loops; i++)
        (void)rte_eal_remote_launch(gn_core_check, &share[i], i + 1);
    rte_eal_mp_wait_lcore();
    for (uint32_t i = 0; i < w->n_loops; i++)
        if (share[i] < GN_CORE_SHARE_MIN)
            fprintf(stderr,
                    "gannet-dataplane: core %u is busy: its lcore got %d%% of it, at least %d%% is expected; isolate "
                    "the core "
                    "(isolcpus=%u) or move what else runs there\n",
                    w->conf->lcore[i].core, share[i], GN_CORE_SHARE_MIN, w->conf->lcore[i].core);
}

static bool launch(struct gn_wiring *w)
{
    for (uint32_t i = 0; i < w->n_loops; i++)
        if (rte_eal_remote_launch(gn_loop_run, &w->loop[i], i + 1) != 0)
            return false;
    return true;
}

static void say_lost_clients(const struct gn_wiring *w, bool said[GN_CLIENTS_MAX])
{
    for (uint32_t i = 0; i < w->conf->n_clients; i++)
        if (!said[i] && gn_client_guard_lost(i)) {
            said[i] = true;
            fprintf(stderr,
                    "gannet-dataplane: client %s cut its own file short: it is without a link until both processes are "
                    "started again; its orders stay as they are\n",
                    w->conf->client[i]);
        }
}

/* The main thread's life while the lcores run: it sleeps, copies counters, corrects the clock, beats. */
static void attend(struct gn_wiring *w)
{
    bool lost[GN_CLIENTS_MAX] = {false};
    struct timespec tick = {0, TICK_NS};
    for (uint64_t n = 1; stop_signal == 0; n++) {
        nanosleep(&tick, NULL);
        gn_wiring_copy_counters(w);
        atomic_store_explicit(&w->control->dataplane.count, n, memory_order_relaxed);
        say_lost_clients(w, lost);
        if (n % TICKS_A_SECOND == 0)
            gn_clock_correct(&w->clock);
    }
}

static int run(struct gn_wiring *w)
{
    char err[GN_WIRING_ERR_LEN];
    struct gn_eal_args args = {0};
    if (!eal_args(w->conf, &args, err))
        return die(err);
    if (rte_eal_init(args.argc, args.argv) < 0) {
        snprintf(err, sizeof err,
                 "DPDK does not start: %s. Are there %u MiB of hugepages (or hugepages: false in the config), and do "
                 "the cores exist?",
                 rte_strerror(rte_errno), w->conf->dpdk_mem_mib);
        return die(err);
    }
    if (!gn_wiring_ports(w, err) || !gn_wiring_connect(w, err))
        return die(err);
    if (mlockall(MCL_CURRENT) != 0)
        fprintf(stderr, "gannet-dataplane: memory is not locked (%s); fine for a trial, not for trading\n",
                strerror(errno));
    check_cores(w);
    say_running(w, GN_STATE_RUNNING);
    if (!launch(w))
        return die("an lcore can't be started");
    attend(w);
    say_running(w, GN_STATE_STOPPING);
    atomic_store_explicit(&w->stop, 1, memory_order_release);
    rte_eal_mp_wait_lcore();
    gn_wiring_copy_counters(w);
    for (uint32_t i = 0; i < w->conf->n_ports; i++)
        rte_eth_dev_stop(w->port[i].id);
    const struct gn_order_table *orders = gn_region_at(&w->plane, GN_SECTION_ORDERS);
    if (orders->open != 0)
        fprintf(stderr,
                "gannet-dataplane: %u orders may still rest at the venue: start it again, or cancel them there\n",
                orders->open);
    say_running(w, GN_STATE_STOPPED);
    rte_eal_cleanup();
    return EXIT_SUCCESS;
}

static int usage(FILE *to)
{
    fprintf(
        to,
        "usage: gannet-dataplane --region FILE\n"
        "  --region FILE  the plane file that gannet-controlplane made: <run_dir or huge_dir>/gannet-<instance>-plane\n"
        "  --version\n");
    return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"region", required_argument, NULL, 'r'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct gn_wiring wiring;
    char err[GN_WIRING_ERR_LEN];
    const char *region = NULL;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'r')
            region = optarg;
        else if (c == 'v')
            return printf("gannet-dataplane %s\n", GN_BUILD_ID) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        else
            return usage(c == 'h' ? stdout : stderr);
    }
    if (region == NULL)
        return usage(stderr);
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    if (!gn_wiring_attach(&wiring, region, err))
        return die(err);
    say_running(&wiring, GN_STATE_STARTING);
    return run(&wiring);
}
