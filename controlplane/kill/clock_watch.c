#include "controlplane/kill/clock_watch.h"

#include <sys/timex.h>
#include <time.h>

#define TRIES     5u
#define QUICK_NS  50000u /* between the two readings of the raw clock: then nobody took the CPU from us in between */
#define NS_PER_US 1000ull

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t this_realtime(void *user)
{
    (void)user;
    return read_clock(CLOCK_REALTIME);
}

static uint64_t this_raw(void *user)
{
    (void)user;
    return read_clock(CLOCK_MONOTONIC_RAW);
}

static struct gn_clock_sync this_sync(void *user)
{
    struct timex t = {.modes = 0};
    (void)user;
    int state = adjtimex(&t);
    return (struct gn_clock_sync){
        .synchronised = state != -1 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0,
        .max_error_us = t.maxerror > 0 ? (uint64_t)t.maxerror : 0,
    };
}

struct gn_clock_table gn_clock_table_this(void)
{
    return (struct gn_clock_table){.realtime_ns = this_realtime, .raw_ns = this_raw, .sync = this_sync};
}

void gn_clock_watch_open(struct gn_clock_watch *w, const struct gn_clock_table *clock, const struct gn_duties *duties)
{
    *w = (struct gn_clock_watch){.clock = *clock, .duties = duties};
}

/* The wall clock against the middle of two readings of the raw one, the closest two of a few. */
static int64_t offset(const struct gn_clock_watch *w, uint64_t *raw_ns)
{
    uint64_t best = UINT64_MAX;
    int64_t out = 0;
    for (uint32_t i = 0; i < TRIES && best > QUICK_NS; i++) {
        uint64_t before = w->clock.raw_ns(w->clock.user);
        uint64_t wall = w->clock.realtime_ns(w->clock.user);
        uint64_t after = w->clock.raw_ns(w->clock.user);
        if (after - before >= best)
            continue;
        best = after - before;
        *raw_ns = before + best / 2;
        out = (int64_t)(wall - *raw_ns);
    }
    return out;
}

static uint32_t look_sync(struct gn_clock_watch *w)
{
    w->sync = w->clock.sync(w->clock.user);
    bool lost = !w->sync.synchronised || w->sync.max_error_us > w->duties->clock_max_error_us;
    uint32_t event = lost == w->lost ? 0 : lost ? GN_CLOCK_LOST : GN_CLOCK_BACK;
    w->lost = lost;
    return event;
}

uint32_t gn_clock_look(struct gn_clock_watch *w)
{
    uint64_t raw = 0;
    int64_t now = offset(w, &raw);
    uint32_t events = 0;
    if (w->started) {
        int64_t moved = now - w->offset_ns;
        uint64_t allowed = w->duties->clock_step_us * NS_PER_US + (raw - w->raw_ns) / 1000000u * GN_CLOCK_SLEW_PPM;
        if ((uint64_t)(moved < 0 ? -moved : moved) > allowed) {
            w->step_ns = moved;
            w->steps++;
            events |= GN_CLOCK_STEPPED;
        }
    }
    w->started = true;
    w->offset_ns = now;
    w->raw_ns = raw;
    return events | look_sync(w);
}
