/* Watches the wall clock: a step shows as a jump of CLOCK_REALTIME against CLOCK_MONOTONIC_RAW, which nobody adjusts;
 * the loss of synchronisation is what the kernel says (adjtimex). The clocks come from a table, so that tests bring
 * their own.
 */
#ifndef GN_CLOCK_WATCH_H
#define GN_CLOCK_WATCH_H

#include "config/duties.h"

#define GN_CLOCK_SLEW_PPM 600 /* kernel and daemons turn the clock by at most 500 ppm while they slew it */

struct gn_clock_sync {
    bool synchronised;
    uint64_t max_error_us; /* the kernel's bound */
};

struct gn_clock_table {
    void *user;
    uint64_t (*realtime_ns)(void *user);
    uint64_t (*raw_ns)(void *user);
    struct gn_clock_sync (*sync)(void *user);
};

/* Bits of gn_clock_look's result. */
enum gn_clock_event {
    GN_CLOCK_STEPPED = 1,
    GN_CLOCK_LOST = 2, /* synchronisation is lost, or was never there when the watch began */
    GN_CLOCK_BACK = 4, /* and there again */
};

struct gn_clock_watch {
    struct gn_clock_table clock;
    const struct gn_duties *duties;
    int64_t offset_ns; /* wall clock - raw, at the last look */
    uint64_t raw_ns;   /* of the last look */
    bool started, lost;
    int64_t step_ns; /* of the last step: forward is positive */
    uint64_t steps;
    struct gn_clock_sync sync; /* at the last look */
};

/* gn_clock_table_this: the machine's clocks. */
struct gn_clock_table gn_clock_table_this(void);

void gn_clock_watch_open(struct gn_clock_watch *w, const struct gn_clock_table *clock, const struct gn_duties *duties);

/* gn_clock_look: what happened since the last look, bits of enum gn_clock_event. A slow drift is not a step: the clock
 * may be slewed by GN_CLOCK_SLEW_PPM of the time since. */
uint32_t gn_clock_look(struct gn_clock_watch *w);

#endif
