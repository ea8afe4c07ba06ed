/* Counting instructions: callgrind counts only between count_on and count_off, and each stage is one of its dumps.
 * Under no valgrind all three cost a few instructions and do nothing.
 *
 *      for (...) { prepare; count_on(); the operation; count_off(); }      count_done("stage", operations)
 *
 * What a pair of requests itself costs is the stage "empty", which the reader takes off every other.
 */
#ifndef GN_BENCH_COUNT_H
#define GN_BENCH_COUNT_H

#include <stdint.h>
#include <stdio.h>
#include <valgrind/callgrind.h>

static inline void count_on(void)
{
    CALLGRIND_TOGGLE_COLLECT;
}

static inline void count_off(void)
{
    CALLGRIND_TOGGLE_COLLECT;
}

/* count_done: what was counted since the last one is stage `name`; the line on standard output says how often. */
static inline void count_done(const char *name, uint64_t operations)
{
    CALLGRIND_DUMP_STATS_AT(name);
    printf("stage %s %llu\n", name, (unsigned long long)operations);
}

#endif
