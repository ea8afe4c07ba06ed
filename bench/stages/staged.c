#include "bench/stages/staged.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/harness/distribution.h"
#include "dataplane/lcore/clock.h"

#define SAMPLES_MAX (1u << 18)
#define SKIPPED     50u /* orders, until caches and tables are as they stay */
#define PAIRS       1000u

struct gn_staged gn_staged;

struct sample {
    uint32_t self[GN_STAGED_COUNT], total;
};

static struct sample sample[SAMPLES_MAX];
static uint64_t samples;
static double pair_ns; /* what one pair of stamps costs */
static struct gn_clock tsc;

void gn_staged_sample(uint64_t now)
{
    struct sample *k = &sample[samples++ % SAMPLES_MAX];
    for (uint32_t i = 0; i < GN_STAGED_COUNT; i++)
        k->self[i] = (uint32_t)gn_staged.self[i];
    k->total = (uint32_t)(now - gn_staged.begun + gn_staged.self[GN_STAGED_RX]);
}

static double ns_of(uint64_t ticks)
{
    return (double)(((gn_i128)ticks * tsc.ns_per_tsc) >> 16) / 65536.0;
}

__attribute__((constructor)) static void begin(void)
{
    if (getenv("GANNET_STAGES") == NULL)
        return;
    gn_clock_start(&tsc);
    gn_staged.on = true;
    uint64_t quickest = UINT64_MAX;
    for (uint32_t batch = 0; batch < 100; batch++) {
        const uint64_t before = __rdtsc();
        for (uint32_t i = 0; i < PAIRS; i++) {
            gn_staged_enter(GN_STAGED_RX);
            gn_staged_leave();
        }
        const uint64_t took = __rdtsc() - before;
        quickest = took < quickest ? took : quickest;
    }
    pair_ns = ns_of(quickest) / PAIRS;
}

/* One column of the samples as a distribution; GN_STAGED_COUNT is the total, one more what no stage has. */
static json_t *column(uint32_t which, uint64_t n, uint64_t *v)
{
    const uint64_t from = n > SAMPLES_MAX ? n - SAMPLES_MAX : n < SKIPPED ? n : SKIPPED;
    for (uint64_t i = from; i < n; i++) {
        const struct sample *k = &sample[i % SAMPLES_MAX];
        uint64_t rest = k->total;
        for (uint32_t s = 0; s < GN_STAGED_COUNT; s++)
            rest -= k->self[s];
        v[i - from] = (uint64_t)ns_of(which < GN_STAGED_COUNT    ? k->self[which]
                                      : which == GN_STAGED_COUNT ? k->total
                                                                 : rest);
    }
    return gn_distribution_json(v, n - from);
}

__attribute__((destructor)) static void end(void)
{
    static const char *const name[] = {
#define GN_X(NAME, text, what) text,
        GN_STAGED_STAGES(GN_X)
#undef GN_X
            "total",
        "loop",
    };
    const char *path = getenv("GANNET_STAGES");
    uint64_t *v = malloc(SAMPLES_MAX * sizeof *v);
    if (path == NULL || v == NULL)
        return;
    json_t *o = json_object(), *stages = json_object();
    for (uint32_t i = 0; i < GN_ARRAY_LEN(name); i++)
        json_object_set_new(stages, name[i], column(i, samples, v));
    json_object_set_new(o, "stages", stages);
    json_object_set_new(o, "orders", json_integer((json_int_t)samples));
    json_object_set_new(o, "pair_ns", json_real(pair_ns));
    if (json_dump_file(o, path, JSON_COMPACT) != 0)
        fprintf(stderr, "gannet-dataplane: %s can't be written\n", path);
    json_decref(o);
    free(v);
}
