/* gannet-hiccup: what a core does to a thread that wants it all. Reads the TSC without pause and notes every gap that
 * is longer than the loop itself: interrupts, other threads, the hypervisor. The same idea as sysjitter. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "dataplane/lcore/clock.h"

#define GAPS_MAX  (1u << 20)
#define LONGEST_N 10u

struct gap {
    uint64_t at, ns;
};

struct hiccup {
    uint64_t threshold_ns, begun, ended, loops, lost_ns, gaps, kept;
    struct gap gap[GAPS_MAX];
};

static void watch(struct hiccup *h, const struct gn_clock *clock, uint64_t ns)
{
    uint64_t last = 0, t = 0;
    h->begun = gn_clock_now(clock, &last);
    for (const uint64_t until = h->begun + ns; last < until; h->loops++) {
        t = last;
        const uint64_t gap = gn_clock_now(clock, &last) - t;
        if (GN_LIKELY(gap < h->threshold_ns))
            continue;
        h->gaps++;
        h->lost_ns += gap;
        if (h->kept < GAPS_MAX)
            h->gap[h->kept++] = (struct gap){t - h->begun, gap};
    }
    h->ended = last;
}

static int longest_first(const void *a, const void *b)
{
    const struct gap *x = a, *y = b;
    return (x->ns < y->ns) - (x->ns > y->ns);
}

static void print(struct hiccup *h, int cpu, const struct rusage *before, const struct rusage *after)
{
    static const struct {
        const char *name;
        double share;
    } row[] = {{"p50", 0.5}, {"p90", 0.1}, {"p99", 0.01}, {"p99.9", 0.001}};
    qsort(h->gap, h->kept, sizeof h->gap[0], longest_first);
    const double took = (double)(h->ended - h->begun);
    printf(
        "{\"program\": \"gannet-hiccup\", \"cpu\": %d, \"took_ns\": %.0f, \"threshold_ns\": %llu, \"loop_ns\": %.2f, "
        "\"gaps\": %llu, \"gaps_a_second\": %.1f, \"lost_share\": %.9f, \"switches_forced\": %ld, \"switches_own\": "
        "%ld, "
        "\"max_ns\": %llu",
        cpu, took, (unsigned long long)h->threshold_ns, took / (double)h->loops, (unsigned long long)h->gaps,
        (double)h->gaps * 1e9 / took, (double)h->lost_ns / took, after->ru_nivcsw - before->ru_nivcsw,
        after->ru_nvcsw - before->ru_nvcsw, h->kept == 0 ? 0 : (unsigned long long)h->gap[0].ns);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(row); i++) {
        uint64_t at = (uint64_t)((double)h->kept * row[i].share);
        printf(", \"%s\": %llu", row[i].name, h->kept == 0 ? 0 : (unsigned long long)h->gap[at].ns);
    }
    printf(", \"longest\": [");
    for (uint32_t i = 0; i < LONGEST_N && i < h->kept; i++)
        printf("%s{\"at_ns\": %llu, \"ns\": %llu}", i == 0 ? "" : ", ", (unsigned long long)h->gap[i].at,
               (unsigned long long)h->gap[i].ns);
    printf("]}\n");
}

int main(int argc, char **argv)
{
    static struct hiccup h;
    struct gn_clock clock = {0};
    struct rusage before, after;
    cpu_set_t set;
    if (argc != 4) {
        fprintf(stderr, "usage: gannet-hiccup CPU MILLISECONDS THRESHOLD_NS\n");
        return EXIT_FAILURE;
    }
    const int cpu = atoi(argv[1]);
    const uint64_t ms = strtoull(argv[2], NULL, 10);
    h.threshold_ns = strtoull(argv[3], NULL, 10);
    CPU_ZERO(&set);
    if (cpu < 0 || cpu >= CPU_SETSIZE || ms == 0 || ms > 3600000 || h.threshold_ns == 0) {
        fprintf(stderr, "gannet-hiccup: allowed are a CPU of this machine, 1 to 3600000 ms, and a threshold above 0\n");
        return EXIT_FAILURE;
    }
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        fprintf(stderr, "gannet-hiccup: CPU %d cannot be used: %s\n", cpu, strerror(errno));
        return EXIT_FAILURE;
    }
    (void)mlockall(MCL_CURRENT); /* a page fault would be a hiccup of our own making */
    memset(h.gap, 0xff, sizeof h.gap);
    gn_clock_start(&clock);
    (void)getrusage(RUSAGE_THREAD, &before);
    watch(&h, &clock, ms * 1000000);
    (void)getrusage(RUSAGE_THREAD, &after);
    print(&h, cpu, &before, &after);
    return EXIT_SUCCESS;
}
