/* Wire-to-wire latency as the venue sees it: the time from the publication of a market-data sequence to the arrival of
 * the order that answers it.
 *
 * The histogram is log-linear: values below 2^GN_LAT_SUB_BITS have a bucket each, every further power of two has
 * 2^(GN_LAT_SUB_BITS - 1) of them, so a percentile is off by less than 1/64 of itself. Memory is fixed.
 */
#ifndef GN_SIM_LATENCY_H
#define GN_SIM_LATENCY_H

#include "dataplane/abi/base.h"

#define GN_LAT_SUB_BITS 7u
#define GN_LAT_MAX_BITS 40u /* values from 2^40 ns, 18 minutes, are counted in the last bucket */
#define GN_LAT_BUCKETS  ((1u << GN_LAT_SUB_BITS) + (GN_LAT_MAX_BITS - GN_LAT_SUB_BITS) * (1u << (GN_LAT_SUB_BITS - 1)))

#define GN_LAT_STAMPS (1u << 18) /* the order id carries its market-data sequence modulo this */

struct gn_lat_hist {
    uint64_t count, sum, min, max;
    uint64_t bucket[GN_LAT_BUCKETS];
};

void gn_lat_hist_init(struct gn_lat_hist *h);
void gn_lat_hist_add(struct gn_lat_hist *h, uint64_t ns);

/* gn_lat_hist_percentile: the value that `per_million` of a million samples do not exceed, rounded up to the end of its
 * bucket and never above max; 0 without samples. p99.9 is 999000. */
uint64_t gn_lat_hist_percentile(const struct gn_lat_hist *h, uint32_t per_million);

/* gn_lat_ring: when each of the last GN_LAT_STAMPS sequences was published. */
struct gn_lat_ring {
    uint64_t newest; /* highest sequence stamped, 0 = none */
    uint64_t ns[GN_LAT_STAMPS];
};

void gn_lat_ring_init(struct gn_lat_ring *r);

/* gn_lat_stamp: sequence seq (from 1, ascending by one) was published at now_ns. */
static inline void gn_lat_stamp(struct gn_lat_ring *r, uint64_t seq, uint64_t now_ns)
{
    r->ns[seq & (GN_LAT_STAMPS - 1)] = now_ns;
    r->newest = seq;
}

/* gn_lat_published: when the newest sequence equal to tick modulo GN_LAT_STAMPS was published; 0 when none was. */
uint64_t gn_lat_published(const struct gn_lat_ring *r, uint32_t tick);

#endif
