/* The rebuilt state's own tables, shared by state.c (rules) and state_file.c (snapshots, comparison). */
#ifndef GN_JOURNAL_STATE_IMPL_H
#define GN_JOURNAL_STATE_IMPL_H

#include "controlplane/journal/state.h"

struct gn_jstate {
    struct gn_jstate_order *order;
    uint32_t orders, room;
    uint32_t *slot; /* index in order + 1; 0 = free */
    uint64_t slots; /* power of two */
    struct gn_position *position;
    uint32_t positions;
    struct gn_jstate_limit *limit;
    uint32_t limits;
    uint64_t records, next_seq, unknown, position_errors, rings_id, segment;
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX];
    uint64_t venue_seq[GN_SESSIONS_MAX];
    bool tracking;
    uint8_t *dirty; /* one an order: changed since gn_jstate_changed gave it out */
};

/* gn_jstate_clear: as new. */
void gn_jstate_clear(struct gn_jstate *s);

/* gn_jstate_add: takes an order in, over one of the same id; NULL = out of memory. */
struct gn_jstate_order *gn_jstate_add(struct gn_jstate *s, const struct gn_jstate_order *o);

/* gn_jstate_position_room: the position of an instrument, to be changed; NULL = out of memory or of range. */
struct gn_position *gn_jstate_position_room(struct gn_jstate *s, uint32_t instrument);

/* gn_jstate_set_limit: false = out of memory. */
bool gn_jstate_set_limit(struct gn_jstate *s, uint32_t instrument, uint32_t field, int64_t value);

#endif
