/* Load points of a run and what was measured at each. Every sample is kept, so that percentiles are exact.
 *
 * Times of a sample, ns of one TSC clock:
 *
 *      scheduled --(harness was late)--> sent --(the system under test)--> arrived
 *                                                     last look at the port --^
 *
 * from_schedule counts everything since the message was due: a stall cannot hide by delaying what comes after it.
 * from_send leaves the harness's own lateness out. What lies between the last look at the port and the arrival is the
 * uncertainty of the stamp; `resolved` are the samples where it is below GN_POINT_RESOLUTION_NS.
 */
#ifndef GN_BENCH_POINTS_H
#define GN_BENCH_POINTS_H

#include <jansson.h>

#include "dataplane/abi/base.h"

#define GN_POINTS_MAX          32u
#define GN_POINT_RESOLUTION_NS 500u
#define GN_POINT_RATE_MAX      10000000u
#define GN_POINT_SAMPLES_MAX   (1u << 25)
#define GN_POINT_REPLAY_MAX    (1u << 20) /* messages of a replayed point */
#define GN_POINT_OUTLIERS      16u

struct gn_sample {
    uint64_t seq;
    uint64_t sched_ns, sent_ns, arrived_ns; /* arrived_ns 0: no answer */
    uint64_t look_ns;                       /* the look at the port before the one that found it */
};

struct gn_point {
    uint32_t rate;        /* messages a second */
    uint32_t ms;          /* how long */
    uint32_t every;       /* every nth message moves a price */
    uint32_t burst;       /* messages due at the same instant */
    uint32_t speed_milli; /* not 0: recorded messages at so many thousandths of their own speed; rate is not used */
    uint64_t messages, begun_ns, ended_ns;
    uint64_t room, n; /* samples: moving messages sent so far */
    struct gn_sample *sample;
    uint64_t answered, twice;
    uint64_t looks, gap_max_ns, gap_1us, gap_10us, gap_100us,
        gap_lost_ns; /* between looks; lost: sum of those > 10 us */
    uint64_t late_max_ns;
    uint64_t switches_forced, switches_own; /* context switches of the harness's thread */
};

/* gn_points_parse: RATE:MS[:EVERY[:BURST]],... or xSPEED:MS with SPEED in thousandths; how many, 0 with a sentence in
 * err. Allocates their samples. */
uint32_t gn_points_parse(const char *text, struct gn_point *points, char *err, size_t size) GN_MUST_CHECK;

/* gn_point_look: a look at the port was made at now_ns, the one before at before_ns. */
static inline void gn_point_look(struct gn_point *p, uint64_t before_ns, uint64_t now_ns)
{
    const uint64_t gap = now_ns - before_ns;
    p->looks++;
    if (GN_LIKELY(gap < 1000))
        return;
    p->gap_1us++;
    p->gap_10us += gap >= 10000;
    p->gap_100us += gap >= 100000;
    p->gap_lost_ns += gap >= 10000 ? gap : 0;
    p->gap_max_ns = gap > p->gap_max_ns ? gap : p->gap_max_ns;
}

/* gn_point_json: everything about a point; sorts copies of its samples. */
json_t *gn_point_json(const struct gn_point *p);

#endif
