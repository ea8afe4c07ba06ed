/* gannet-components: bench/harness/components.py reads what it prints. */
#include <x86intrin.h>

#include "bench/components/components.h"
#include "bench/instructions/count.h"
#include "dataplane/lcore/clock.h"

#define PASSES 9u

static struct gn_clock clock_of_tsc;

/* Picoseconds of one operation in the quickest pass. */
static uint64_t timed(component_op op, void *ctx, uint64_t rounds)
{
    uint64_t best = UINT64_MAX, i = 0;
    for (uint32_t pass = 0; pass < PASSES; pass++) {
        const uint64_t begun = __rdtsc();
        for (const uint64_t end = i + rounds; i < end; i++)
            op(ctx, i);
        const uint64_t took = __rdtsc() - begun;
        best = took < best ? took : best;
    }
    return (uint64_t)(((gn_i128)best * clock_of_tsc.ns_per_tsc * 1000 / rounds) >> 32);
}

void component_measure(const char *name, const char *by, uint64_t n, component_op op, void *ctx, uint64_t rounds)
{
    char stage[96];
    snprintf(stage, sizeof stage, "%s:%s:%llu", name, by, (unsigned long long)n);
    const char *said = n == 0 ? name : stage;
    if (RUNNING_ON_VALGRIND == 0) {
        printf("time %s %llu\n", said, (unsigned long long)timed(op, ctx, rounds));
        return;
    }
    uint64_t i = 0;
    for (; i < rounds / 8; i++)
        op(ctx, i);
    count_on();
    for (const uint64_t end = i + rounds; i < end; i++)
        op(ctx, i);
    count_off();
    count_done(said, rounds);
}

static void nothing(void *ctx, uint64_t i)
{
    (void)ctx, (void)i;
}

int main(void)
{
    if (RUNNING_ON_VALGRIND == 0)
        gn_clock_start(&clock_of_tsc);
    component_measure("empty", "", 0, nothing, NULL, 4096);
    component_codecs();
    component_books();
    component_gate();
    return 0;
}
