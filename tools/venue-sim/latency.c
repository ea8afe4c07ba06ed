#include "tools/venue-sim/latency.h"

#define SUB      (1u << GN_LAT_SUB_BITS)
#define SUB_HALF (SUB / 2)

static uint32_t bucket_of(uint64_t ns)
{
    if (ns < SUB)
        return (uint32_t)ns;
    if (ns >> GN_LAT_MAX_BITS != 0)
        return GN_LAT_BUCKETS - 1;
    uint32_t shift = 64u - (uint32_t)__builtin_clzll(ns) - GN_LAT_SUB_BITS;
    return SUB + (shift - 1) * SUB_HALF + (uint32_t)(ns >> shift) - SUB_HALF;
}

/* Largest value that falls into the bucket. */
static uint64_t bucket_end(uint32_t b)
{
    if (b < SUB)
        return b;
    uint32_t shift = (b - SUB) / SUB_HALF + 1;
    uint64_t top = (b - SUB) % SUB_HALF + SUB_HALF;
    return ((top + 1) << shift) - 1;
}

void gn_lat_hist_init(struct gn_lat_hist *h)
{
    memset(h, 0, sizeof *h);
    h->min = UINT64_MAX;
}

void gn_lat_hist_add(struct gn_lat_hist *h, uint64_t ns)
{
    h->count++;
    h->sum += ns;
    h->min = ns < h->min ? ns : h->min;
    h->max = ns > h->max ? ns : h->max;
    h->bucket[bucket_of(ns)]++;
}

uint64_t gn_lat_hist_percentile(const struct gn_lat_hist *h, uint32_t per_million)
{
    if (h->count == 0)
        return 0;
    /* rank of the sample, rounded up: the 99th of 100 for p99 */
    gn_i128 product = (gn_i128)h->count * per_million;
    uint64_t rank = (uint64_t)((product + 999999) / 1000000);
    uint64_t seen = 0;
    for (uint32_t b = 0; b < GN_LAT_BUCKETS - 1; b++) {
        seen += h->bucket[b];
        if (seen >= rank && seen != 0)
            return bucket_end(b) < h->max ? bucket_end(b) : h->max;
    }
    return h->max;
}

void gn_lat_ring_init(struct gn_lat_ring *r)
{
    memset(r, 0, sizeof *r);
}

uint64_t gn_lat_published(const struct gn_lat_ring *r, uint32_t tick)
{
    uint64_t back = (r->newest - tick) & (GN_LAT_STAMPS - 1);
    return back >= r->newest ? 0 : r->ns[tick & (GN_LAT_STAMPS - 1)];
}
