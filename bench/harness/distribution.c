#include "bench/harness/distribution.h"

#include <stdlib.h>

static const struct {
    const char *name;
    double share;
} percentiles[] = {
    {"p25", 0.25}, {"p50", 0.5},     {"p75", 0.75},      {"p90", 0.9},
    {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}, {"p99.999", 0.99999},
};

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static json_t *buckets(const uint64_t *v, uint64_t n)
{
    /* values are sorted: equal buckets lie together */
    json_t *list = json_array();
    uint64_t i = 0;
    while (i < n) {
        const uint32_t bits = v[i] == 0 ? 0 : 63u - (uint32_t)__builtin_clzll(v[i]);
        const uint32_t shift = bits > 7 ? bits - 7 : 0;
        const uint64_t end = ((v[i] >> shift) + 1) << shift;
        uint64_t k = i;
        while (k < n && v[k] < end)
            k++;
        json_array_append_new(list, json_pack("[I, I]", (json_int_t)(end - 1), (json_int_t)(k - i)));
        i = k;
    }
    return list;
}

static double root(double x)
{
    double r = x > 1 ? x : 1;
    for (int i = 0; i < 60; i++)
        r = (r + x / r) / 2;
    return r;
}

json_t *gn_distribution_json(uint64_t *v, uint64_t n)
{
    json_t *o = json_object();
    json_object_set_new(o, "count", json_integer((json_int_t)n));
    if (n == 0)
        return o;
    qsort(v, n, sizeof v[0], by_value);
    double sum = 0, square = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += (double)v[i];
    const double mean = sum / (double)n;
    for (uint64_t i = 0; i < n; i++)
        square += ((double)v[i] - mean) * ((double)v[i] - mean);
    json_object_set_new(o, "mean", json_real(mean));
    json_object_set_new(o, "deviation", json_real(root(square / (double)n)));
    json_object_set_new(o, "min", json_integer((json_int_t)v[0]));
    for (uint32_t i = 0; i < GN_ARRAY_LEN(percentiles); i++) {
        uint64_t rank = (uint64_t)(percentiles[i].share * (double)n + 0.999999);
        json_object_set_new(o, percentiles[i].name, json_integer((json_int_t)v[rank == 0 ? 0 : rank - 1]));
    }
    json_object_set_new(o, "max", json_integer((json_int_t)v[n - 1]));
    json_object_set_new(o, "histogram", buckets(v, n));
    return o;
}
