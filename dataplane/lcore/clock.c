#include "dataplane/lcore/clock.h"

#include <time.h>

#define MEASURE_NS 20000000ull
#define TRIES      8u
#define STEP_NS    10000000ll /* more than any slewing does between two corrections */

static uint64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t steady_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* A TSC and a clock reading that belong together: the tightest of some tries, so that an interruption between the two
 * does not count. */
static void read_pair(uint64_t (*clock)(void), uint64_t *tsc, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < TRIES; i++) {
        uint64_t before = __rdtsc(), t = clock(), after = __rdtsc();
        if (after - before < best) {
            best = after - before;
            *tsc = before + (after - before) / 2;
            *ns = t;
        }
    }
}

static uint64_t rate_of(uint64_t ns, uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ns << 32) / ticks);
}

static void set_anchor(struct gn_clock *c, uint64_t tsc, uint64_t ns, uint64_t ns_per_tsc)
{
    uint32_t lock = atomic_load_explicit(&c->lock, memory_order_relaxed);
    atomic_store_explicit(&c->lock, lock + 1, memory_order_relaxed);
    /* the odd lock goes before the fields; pairs with the acquire fence in gn_clock_now */
    atomic_thread_fence(memory_order_release);
    c->tsc = tsc;
    c->ns = ns;
    c->ns_per_tsc = ns_per_tsc;
    atomic_store_explicit(&c->lock, lock + 2, memory_order_release);
}

void gn_clock_start(struct gn_clock *c)
{
    uint64_t tsc = 0, ns = 0;
    read_pair(steady_ns, &c->steady_tsc, &c->steady_ns);
    do
        read_pair(steady_ns, &tsc, &ns);
    while (ns - c->steady_ns < MEASURE_NS);
    uint64_t rate = rate_of(ns - c->steady_ns, tsc - c->steady_tsc);
    read_pair(wall_ns, &tsc, &ns);
    set_anchor(c, tsc, ns, rate);
}

/* The rate comes from the raw clock over the whole life of the process, so steps of the wall clock do not touch it. */
void gn_clock_correct(struct gn_clock *c)
{
    uint64_t tsc = 0, ns = 0;
    read_pair(steady_ns, &tsc, &ns);
    uint64_t rate = rate_of(ns - c->steady_ns, tsc - c->steady_tsc);
    read_pair(wall_ns, &tsc, &ns);
    uint64_t ours = gn_clock_at(tsc, c->tsc, c->ns, c->ns_per_tsc);
    int64_t away = (int64_t)(ns - c->stepped_ns - ours);
    if (away > STEP_NS || away < -STEP_NS) {
        c->steps++;
        c->stepped_ns += (uint64_t)away;
        away = 0;
    }
    set_anchor(c, tsc, ours + (uint64_t)away, rate);
}
