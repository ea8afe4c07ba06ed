/* The lcores' clock: nanoseconds since the Unix epoch, from the TSC, without a system call. The main thread measures
 * the rate and corrects the anchor now and then; a reader takes what it finds under a sequence lock. Never goes back
 * for one reader. Slewing of the wall clock is followed; a step of it is counted and not followed, so that no timer of
 * the appliance fires, or sleeps, because somebody set a clock.
 */
#ifndef GN_LCORE_CLOCK_H
#define GN_LCORE_CLOCK_H

#include <x86intrin.h>

#include "dataplane/abi/base.h"

struct gn_clock {
    _Atomic uint32_t lock; /* even: at rest. Release by the main thread pairs with acquire in gn_clock_now */
    uint32_t pad;
    uint64_t tsc, ns;               /* anchor */
    uint64_t ns_per_tsc;            /* 32.32 fixed point */
    uint64_t steps;                 /* steps of the wall clock that were seen and not followed */
    uint64_t stepped_ns;            /* what they add up to, signed */
    uint64_t steady_tsc, steady_ns; /* main thread's: where the rate is measured from */
};

/* gn_clock_start: measures the rate for about 20 ms. */
void gn_clock_start(struct gn_clock *c);

/* gn_clock_correct: moves the anchor to now; for the main thread, about once a second. */
void gn_clock_correct(struct gn_clock *c);

/* gn_clock_at: the time at a TSC, by an anchor and a rate. */
static inline uint64_t gn_clock_at(uint64_t tsc, uint64_t anchor_tsc, uint64_t anchor_ns, uint64_t ns_per_tsc)
{
    uint64_t elapsed = tsc > anchor_tsc ? tsc - anchor_tsc : 0;
    return anchor_ns + (uint64_t)(((unsigned __int128)elapsed * ns_per_tsc) >> 32);
}

/* gn_clock_now: time now, at least *last, which is moved. */
static inline uint64_t gn_clock_now(const struct gn_clock *c, uint64_t *last)
{
    uint64_t tsc, ns, rate;
    uint32_t before;
    do {
        before = atomic_load_explicit(&c->lock, memory_order_acquire);
        tsc = c->tsc;
        ns = c->ns;
        rate = c->ns_per_tsc;
        atomic_thread_fence(memory_order_acquire);
    } while (GN_UNLIKELY(before & 1) || before != atomic_load_explicit(&c->lock, memory_order_relaxed));
    uint64_t now = gn_clock_at(__rdtsc(), tsc, ns, rate);
    if (GN_LIKELY(now > *last))
        *last = now;
    return *last;
}

#endif
