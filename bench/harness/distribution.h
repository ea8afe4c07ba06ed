/* Exact percentiles of samples that are all kept, and a histogram of buckets that are at most 1/128 wide. */
#ifndef GN_BENCH_DISTRIBUTION_H
#define GN_BENCH_DISTRIBUTION_H

#include <jansson.h>

#include "dataplane/abi/base.h"

/* gn_distribution_json: {count, mean, deviation, min, p25 .. p99.999, max, histogram: [[largest value of the bucket,
 * count], ...]} of n values, which are sorted in place; {count: 0} of none. In the values' unit. */
json_t *gn_distribution_json(uint64_t *v, uint64_t n);

#endif
