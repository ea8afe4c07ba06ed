#include "dataplane/lcore/core_check.h"

#include <time.h>

#define SPIN_NS 40000000

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int gn_core_check(void *arg)
{
    int64_t begun = read_ns(CLOCK_MONOTONIC), mine = read_ns(CLOCK_THREAD_CPUTIME_ID);
    while (read_ns(CLOCK_MONOTONIC) - begun < SPIN_NS)
        ;
    int64_t wall = read_ns(CLOCK_MONOTONIC) - begun;
    *(int *)arg = (int)(100 * (read_ns(CLOCK_THREAD_CPUTIME_ID) - mine) / wall);
    return 0;
}
