/* What every CUnit program of Gannet shares: one call runs a table of tests and gives meson an exit code.
 *
 *     static void ring_wraps(void) { CU_ASSERT_EQUAL(...); }
 *     GN_TEST_MAIN("ring", { "wraps at the end", ring_wraps }, ...)
 *
 * A seeded test takes its seed from gn_test_seed(), which prints it; GN_SEED=n in the environment replays it.
 */
#ifndef GN_TEST_H
#define GN_TEST_H

#include <CUnit/Basic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define GN_TEST_MAIN(suite_name, ...)                           \
    int main(void)                                              \
    {                                                           \
        CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL}; \
        return gn_test_run(suite_name, tests);                  \
    }

static inline int gn_test_run(const char *suite, CU_TestInfo *tests)
{
    CU_pSuite s;
    if (CU_initialize_registry() != CUE_SUCCESS || (s = CU_add_suite(suite, NULL, NULL)) == NULL)
        return EXIT_FAILURE;
    for (CU_TestInfo *t = tests; t->pName != NULL; t++)
        if (CU_add_test(s, t->pName, t->pTestFunc) == NULL)
            return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* gn_test_seed: GN_SEED from the environment, else `fallback`; printed, so that a failure can be replayed. */
static inline uint64_t gn_test_seed(uint64_t fallback)
{
    const char *env = getenv("GN_SEED");
    uint64_t seed = env != NULL ? strtoull(env, NULL, 0) : fallback;
    printf("seed %llu (replay with GN_SEED=%llu)\n", (unsigned long long)seed, (unsigned long long)seed);
    return seed;
}

/* gn_test_rand: splitmix64, one step of *state. */
static inline uint64_t gn_test_rand(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

#endif
