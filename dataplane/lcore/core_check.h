/* Is the core of a lcore its own? Measured before the loops start, because a busy core shows later only as latency. */
#ifndef GN_LCORE_CORE_CHECK_H
#define GN_LCORE_CORE_CHECK_H

#include "dataplane/abi/base.h"

#define GN_CORE_SHARE_MIN 95 /* per cent of the time that a lcore must get */

/* gn_core_check: spins for 40 ms on the calling thread; *arg (int) becomes the per cent of that time that the thread
 * got. Has the type of a lcore function. */
int gn_core_check(void *arg);

#endif
