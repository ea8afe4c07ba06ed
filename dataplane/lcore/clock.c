#include "dataplane/lcore/clock.h"

#include <time.h>

#define MEASURE_NS 20000000ull

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

static void set_anchor(struct gn_clock *c, uint64_t ns_per_tsc)
{
    uint32_t lock = atomic_load_explicit(&c->lock, memory_order_relaxed);
    atomic_store_explicit(&c->lock, lock + 1, memory_order_relaxed);
    /* the odd lock goes before the fields; pairs with the acquire fence in gn_clock_now */
    atomic_thread_fence(memory_order_release);
    c->tsc = __rdtsc();
    c->ns = wall_ns();
    c->ns_per_tsc = ns_per_tsc;
    atomic_store_explicit(&c->lock, lock + 2, memory_order_release);
}

void gn_clock_start(struct gn_clock *c)
{
    uint64_t tsc = __rdtsc(), ns = steady_ns(), end = ns;
    while (end - ns < MEASURE_NS)
        end = steady_ns();
    uint64_t ticks = __rdtsc() - tsc;
    set_anchor(c, (uint64_t)(((unsigned __int128)(end - ns) << 32) / ticks));
}

void gn_clock_correct(struct gn_clock *c)
{
    /* the rate since the last anchor is more exact than the first measurement, unless the wall clock was stepped */
    uint64_t ticks = __rdtsc() - c->tsc, ns = wall_ns() - c->ns;
    uint64_t rate = ticks == 0 ? c->ns_per_tsc : (uint64_t)(((unsigned __int128)ns << 32) / ticks);
    uint64_t drift = rate > c->ns_per_tsc ? rate - c->ns_per_tsc : c->ns_per_tsc - rate;
    set_anchor(c, drift < c->ns_per_tsc / 10000 ? rate : c->ns_per_tsc);
}
