#include "tests/gn_test.h"

#include "tools/venue-sim/latency.h"

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Against the sorted samples: never below the true percentile, and less than 1/64 above it. */
static void percentiles_are_close(void)
{
    enum { N = 20000 };
    static uint64_t v[N];
    static struct gn_lat_hist h;
    static const uint32_t ask[] = {1, 100000, 500000, 990000, 999000, 999999, 1000000};
    uint64_t rng = gn_test_seed(5);
    gn_lat_hist_init(&h);
    for (uint32_t i = 0; i < N; i++) {
        v[i] = gn_test_rand(&rng) >> (24 + gn_test_rand(&rng) % 39);
        gn_lat_hist_add(&h, v[i]);
    }
    qsort(v, N, sizeof v[0], by_value);
    CU_ASSERT_EQUAL(h.count, N);
    CU_ASSERT_EQUAL(h.min, v[0]);
    CU_ASSERT_EQUAL(h.max, v[N - 1]);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(ask); i++) {
        uint64_t rank = ((uint64_t)N * ask[i] + 999999) / 1000000;
        uint64_t truth = v[rank - 1], got = gn_lat_hist_percentile(&h, ask[i]);
        CU_ASSERT_TRUE(got >= truth);
        CU_ASSERT_TRUE(got <= truth + truth / 64 + 1);
    }
}

static void small_and_huge_values(void)
{
    static struct gn_lat_hist h;
    gn_lat_hist_init(&h);
    CU_ASSERT_EQUAL(gn_lat_hist_percentile(&h, 500000), 0);
    for (uint64_t i = 0; i < 100; i++)
        gn_lat_hist_add(&h, i);
    CU_ASSERT_EQUAL(gn_lat_hist_percentile(&h, 500000), 49);
    CU_ASSERT_EQUAL(gn_lat_hist_percentile(&h, 990000), 98);
    gn_lat_hist_add(&h, UINT64_MAX);
    gn_lat_hist_add(&h, (1ull << GN_LAT_MAX_BITS) - 1);
    CU_ASSERT_EQUAL(gn_lat_hist_percentile(&h, 1000000), UINT64_MAX);
    CU_ASSERT_EQUAL(h.bucket[GN_LAT_BUCKETS - 1], 2);
}

static void stamps_are_found_modulo(void)
{
    static struct gn_lat_ring r;
    gn_lat_ring_init(&r);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 0), 0);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 5), 0);
    for (uint64_t s = 1; s <= 3; s++)
        gn_lat_stamp(&r, s, 1000 + s);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 2), 1002);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 3), 1003);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 4), 0);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 0), 0);
    for (uint64_t s = 4; s <= 2 * GN_LAT_STAMPS + 10; s++)
        gn_lat_stamp(&r, s, 1000 + s);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 10), 1000 + 2 * GN_LAT_STAMPS + 10);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 11), 1000 + GN_LAT_STAMPS + 11);
    CU_ASSERT_EQUAL(gn_lat_published(&r, 0), 1000 + 2 * GN_LAT_STAMPS);
}

GN_TEST_MAIN("sim latency", {"percentiles are close", percentiles_are_close},
             {"small and huge values", small_and_huge_values}, {"stamps are found modulo", stamps_are_found_modulo})
