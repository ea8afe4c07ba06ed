/* gannet-pingpong: one side of a ping-pong over TCP, or of a bare echo; see pingpong.h. */
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench/harness/distribution.h"
#include "bench/pingpong/pingpong.h"

#define LOCAL_PORT 41000u
#define WARM_SHARE 10u /* one in so many of the first rounds is not counted */

static const struct gn_pp_stack *const stacks[] = {
    &gn_pp_raw,  &gn_pp_raw_work, &gn_pp_ours,
#ifdef GN_PP_LWIP
    &gn_pp_lwip,
#endif
    &gn_pp_busy, &gn_pp_blocking,
};

bool gn_pp_fail(struct gn_pp *p, const char *what)
{
    if (p->why[0] == '\0')
        snprintf(p->why, sizeof p->why, "%s", what);
    return false;
}

void gn_pp_listening(void)
{
    puts("listening");
    fflush(stdout);
}

/* ---- command line ---- */

static bool parse(struct gn_pp *p, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'}, {"server", 0, NULL, 's'},    {"own", 1, NULL, 'o'}, {"peer", 1, NULL, 'e'},
        {"core", 1, NULL, 'k'}, {"hugepages", 0, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    p->opt.dpdk_mem_mib = 128;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        bool ok = true;
        switch (o) {
        case 'p':
            ok = gn_port_spec_parse(optarg, 0, &p->opt.port[0], p->why);
            p->opt.ports = 1;
            break;
        case 's':
            p->server = true;
            break;
        case 'o':
            ok = gn_ipv4_parse(optarg, &p->own_ip);
            break;
        case 'e':
            ok = gn_ipv4_parse(optarg, &p->peer_ip);
            break;
        case 'k':
            snprintf(p->opt.core, sizeof p->opt.core, "%s", optarg);
            break;
        case 'h':
            p->opt.hugepages = true;
            break;
        default:
            ok = false;
        }
        if (!ok)
            return gn_pp_fail(p, "usage: gannet-pingpong [--port KIND:DEVICE,...] [--hugepages] [--server] [--own IP] "
                                 "[--peer IP] --core CPU");
    }
    return p->opt.core[0] != '\0' || gn_pp_fail(p, "--core is missing");
}

static bool pin(struct gn_pp *p)
{
    cpu_set_t set;
    const int cpu = atoi(p->opt.core);
    CPU_ZERO(&set);
    if (cpu >= 0 && cpu < CPU_SETSIZE)
        CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 || gn_pp_fail(p, "--core: no such CPU here");
}

/* ---- a command ---- */

static json_t *times(struct gn_pp *p)
{
    const uint64_t warm = p->rounds / WARM_SHARE;
    uint64_t n = 0;
    /* in place: what is written lies before what is read */
    for (uint64_t i = warm; i < p->done; i++)
        p->stamp[n++] = (uint64_t)(((gn_i128)(p->stamp[i + 1] - p->stamp[i]) * p->clock.ns_per_tsc) >> 32);
    return gn_distribution_json(p->stamp, n);
}

static void report(struct gn_pp *p, const struct gn_pp_stack *stack, bool ok)
{
    json_t *o =
        json_pack("{s:s, s:s, s:b, s:s, s:I, s:I}", "stack", stack->name, "role", p->server ? "server" : "client", "ok",
                  ok, "why", p->why, "rounds", (json_int_t)p->rounds, "done", (json_int_t)p->done);
    if (ok && !p->server) {
        const uint64_t took = p->stamp[p->done] - p->stamp[0];
        json_object_set_new(o, "took_ns", json_integer((json_int_t)(((gn_i128)took * p->clock.ns_per_tsc) >> 32)));
        json_object_set_new(o, "round_trip", times(p));
    }
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(o);
}

static bool command(struct gn_pp *p, const char *line)
{
    char name[16];
    uint64_t rounds;
    unsigned port;
    if (sscanf(line, "%15s %" SCNu64 " %u", name, &rounds, &port) != 3 || rounds > GN_PP_ROUNDS_MAX || port == 0 ||
        port > 65535 || (rounds == 0) != p->server)
        return gn_pp_fail(p, "a command is STACK ROUNDS PORT; ROUNDS is 0 for a server");
    for (uint32_t i = 0; i < GN_ARRAY_LEN(stacks); i++) {
        if (strcmp(stacks[i]->name, name) != 0)
            continue;
        if (stacks[i]->port && p->opt.ports == 0)
            return gn_pp_fail(p, "this stack needs --port");
        p->rounds = rounds;
        p->done = 0;
        p->tcp_port = (uint16_t)port;
        p->local_port = (uint16_t)(LOCAL_PORT + port % 10000);
        report(p, stacks[i], p->server ? stacks[i]->serve(p) : stacks[i]->client(p));
        return p->why[0] == '\0';
    }
    return gn_pp_fail(p, "no such stack in this build");
}

static bool begin(struct gn_pp *p, int argc, char **argv)
{
    if (!parse(p, argc, argv) || !pin(p))
        return false;
    if (p->opt.ports != 0 && !gn_io_open(&p->io, &p->opt, p->why))
        return false;
    p->stamp = calloc(GN_PP_ROUNDS_MAX + 1, sizeof p->stamp[0]);
    if (p->stamp == NULL)
        return gn_pp_fail(p, "no memory");
    for (uint32_t i = 0; i < sizeof p->message; i++)
        p->message[i] = (uint8_t)i;
    gn_clock_start(&p->clock);
    return true;
}

int main(int argc, char **argv)
{
    static struct gn_pp p;
    char line[64];
    bool ok = begin(&p, argc, argv);
    if (ok)
        puts("ready");
    fflush(stdout);
    while (ok && fgets(line, sizeof line, stdin) != NULL)
        ok = command(&p, line);
    if (!ok)
        fprintf(stderr, "gannet-pingpong: %s\n", p.why);
    if (p.io.n != 0)
        gn_io_close(&p.io);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
