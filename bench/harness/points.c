#include "bench/harness/points.h"

#include "bench/harness/distribution.h"

#include <stdio.h>
#include <stdlib.h>

/* One point at the start of text; the characters used, 0 when it is none. */
static int parse_point(const char *text, struct gn_point *p)
{
    unsigned rate = 0, ms = 0, every = 1, burst = 1, speed = 0;
    int used = 0;
    if (sscanf(text, "x%u:%u%n", &speed, &ms, &used) == 2) {
        if (speed == 0 || speed > 1000000)
            return 0;
    } else if (sscanf(text, "%u:%u%n:%u%n:%u%n", &rate, &ms, &used, &every, &used, &burst, &used) < 2 || rate == 0 ||
               rate > GN_POINT_RATE_MAX || every == 0 || burst == 0 || burst > 256) {
        return 0;
    }
    if (ms == 0 || ms > 3600000 || (text[used] != ',' && text[used] != '\0'))
        return 0;
    *p = (struct gn_point){.rate = rate, .ms = ms, .every = every, .burst = burst, .speed_milli = speed};
    p->messages = speed != 0 ? 0 : (uint64_t)rate * ms / 1000 + 1;
    p->room = speed != 0 ? GN_POINT_REPLAY_MAX : p->messages / every + 1;
    return used;
}

uint32_t gn_points_parse(const char *text, struct gn_point *points, char *err, size_t size)
{
    uint32_t n = 0;
    while (*text != '\0') {
        int used = n < GN_POINTS_MAX ? parse_point(text, &points[n]) : 0;
        if (used == 0) {
            snprintf(err, size,
                     "--points %.60s: allowed are up to %u of RATE:MS[:EVERY[:BURST]], rate to %u, burst to 256, or "
                     "xTHOUSANDTHS:MS",
                     text, GN_POINTS_MAX, GN_POINT_RATE_MAX);
            return 0;
        }
        struct gn_point *p = &points[n++];
        p->sample = p->room > GN_POINT_SAMPLES_MAX ? NULL : malloc(p->room * sizeof p->sample[0]);
        if (p->sample == NULL) {
            snprintf(err, size, "no memory for the %llu samples of --points %.60s", (unsigned long long)p->room, text);
            return 0;
        }
        memset(p->sample, 0xff, p->room * sizeof p->sample[0]); /* touched now, so that no page fault comes later */
        text += used + (text[used] == ',');
    }
    if (n == 0)
        snprintf(err, size, "--points is missing");
    return n;
}

static uint64_t since_send(const struct gn_sample *s)
{
    return s->arrived_ns - s->sent_ns;
}

/* The slowest answers with their time since the point began. */
static json_t *outliers(const struct gn_point *p)
{
    const struct gn_sample *top[GN_POINT_OUTLIERS];
    uint32_t n = 0;
    json_t *list = json_array();
    for (uint64_t i = 0; i < p->n; i++) {
        const struct gn_sample *s = &p->sample[i];
        if (s->arrived_ns == 0)
            continue;
        uint32_t at = n;
        while (at > 0 && since_send(top[at - 1]) < since_send(s))
            at--;
        if (at == GN_POINT_OUTLIERS)
            continue;
        n += n < GN_POINT_OUTLIERS;
        for (uint32_t k = n - 1; k > at; k--)
            top[k] = top[k - 1];
        top[at] = s;
    }
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:I, s:I}", "at_ns",
                                              (json_int_t)(top[i]->sent_ns - p->begun_ns), "sequence",
                                              (json_int_t)top[i]->seq, "from_send", (json_int_t)since_send(top[i]),
                                              "from_schedule", (json_int_t)(top[i]->arrived_ns - top[i]->sched_ns),
                                              "uncertain_by", (json_int_t)(top[i]->arrived_ns - top[i]->look_ns)));
    return list;
}

static void put(json_t *o, const char *name, uint64_t v)
{
    json_object_set_new(o, name, json_integer((json_int_t)v));
}

static json_t *harness_json(const struct gn_point *p)
{
    json_t *o = json_object();
    put(o, "looks", p->looks);
    put(o, "gaps_1us", p->gap_1us);
    put(o, "gaps_10us", p->gap_10us);
    put(o, "gaps_100us", p->gap_100us);
    put(o, "gap_max_ns", p->gap_max_ns);
    put(o, "gap_lost_ns", p->gap_lost_ns);
    put(o, "late_max_ns", p->late_max_ns);
    put(o, "switches_forced", p->switches_forced);
    put(o, "switches_own", p->switches_own);
    return o;
}

json_t *gn_point_json(const struct gn_point *p)
{
    json_t *o = json_object();
    uint64_t *v = malloc((p->n + 1) * sizeof *v);
    static const char *const name[] = {"from_schedule", "from_send", "resolved"};
    if (v == NULL)
        return o;
    put(o, "rate", p->rate);
    put(o, "ms", p->ms);
    put(o, "every", p->every);
    put(o, "burst", p->burst);
    put(o, "messages", p->messages);
    put(o, "took_ns", p->ended_ns - p->begun_ns);
    /* which of recorded messages the strategy answers is its own business */
    const uint64_t expected = p->speed_milli != 0 ? p->answered : p->n;
    put(o, "speed_milli", p->speed_milli);
    put(o, "expected", expected);
    put(o, "answered", p->answered);
    put(o, "unanswered", expected - p->answered);
    put(o, "answered_twice", p->twice);
    for (uint32_t kind = 0; kind < GN_ARRAY_LEN(name); kind++) {
        uint64_t n = 0;
        for (uint64_t i = 0; i < p->n; i++) {
            const struct gn_sample *s = &p->sample[i];
            if (s->arrived_ns == 0 || (kind == 2 && s->arrived_ns - s->look_ns >= GN_POINT_RESOLUTION_NS))
                continue;
            v[n++] = kind == 0 ? s->arrived_ns - s->sched_ns : since_send(s);
        }
        json_object_set_new(o, name[kind], gn_distribution_json(v, n));
    }
    json_object_set_new(o, "outliers", outliers(p));
    json_object_set_new(o, "harness", harness_json(p));
    free(v);
    return o;
}
