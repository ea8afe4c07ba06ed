/* An impairment stage for frames, seeded: loss, duplication, reordering. One lane each way.
 *
 *      impair_push(lane, frame) -> impair_pop(lane) until NULL, and again each turn of the loop
 */
#ifndef GN_TEST_IMPAIR_H
#define GN_TEST_IMPAIR_H

#include <string.h>

#include "dataplane/abi/frame.h"

#define IMPAIR_HELD    64u
#define IMPAIR_HOLD_NS 2000000ull /* a held frame is let go then, however few others have come */

struct impair_conf {
    uint64_t seed;
    uint32_t loss, duplicate, reorder; /* of 10,000 frames */
    uint32_t reorder_by;               /* frames that overtake */
};

struct impair_frame {
    uint64_t due_count, due_ns;
    uint32_t len;
    uint8_t bytes[GN_FRAME_ROOM];
};

struct impair_lane {
    struct impair_conf conf;
    uint64_t rng, count;
    uint64_t lost, duplicated, reordered;
    uint32_t n;
    struct impair_frame out; /* what impair_pop gave last */
    struct impair_frame held[IMPAIR_HELD];
};

static inline uint32_t impair_draw(struct impair_lane *l)
{
    uint64_t z = (l->rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    return (uint32_t)((z ^ (z >> 27)) >> 20) % 10000;
}

static inline void impair_keep(struct impair_lane *l, const uint8_t *frame, uint32_t len, uint64_t due, uint64_t now)
{
    if (l->n == IMPAIR_HELD || len > GN_FRAME_ROOM) {
        l->lost++; /* the stage's buffer is full: as on any wire */
        return;
    }
    struct impair_frame *f = &l->held[l->n++];
    f->due_count = due;
    f->due_ns = now + IMPAIR_HOLD_NS;
    f->len = len;
    memcpy(f->bytes, frame, len);
}

/* impair_push: draws the frame's fate. At most two frames are due by it at once. */
static inline void impair_push(struct impair_lane *l, const uint8_t *frame, uint32_t len, uint64_t now)
{
    uint64_t due = ++l->count;
    if (impair_draw(l) < l->conf.loss) {
        l->lost++;
        return;
    }
    if (impair_draw(l) < l->conf.duplicate) {
        l->duplicated++;
        impair_keep(l, frame, len, due, now);
    }
    if (impair_draw(l) < l->conf.reorder) {
        l->reordered++;
        due += l->conf.reorder_by;
    }
    impair_keep(l, frame, len, due, now);
}

/* impair_pop: a frame that is due, or NULL; valid until the next call. */
static inline const struct impair_frame *impair_pop(struct impair_lane *l, uint64_t now)
{
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->held[i].due_count > l->count && l->held[i].due_ns > now)
            continue;
        l->out.len = l->held[i].len;
        memcpy(l->out.bytes, l->held[i].bytes, l->held[i].len);
        memmove(&l->held[i], &l->held[i + 1], (--l->n - i) * sizeof l->held[0]);
        return &l->out;
    }
    return NULL;
}

#endif
