/* What the appliance holds, rebuilt from the journal alone: own orders, positions with their values, changed limits,
 * venue sequence numbers, the order-id high-water mark. The rules are written a second time here, on purpose: that both
 * come to the same is a check of either.
 *
 *      snapshot (optional) + records after it  ->  state  ->  compared with the region, or saved as a snapshot
 *
 * A record is applied once: each ring's sequence says whether it was. Rings laid out anew begin an empty state.
 */
#ifndef GN_JOURNAL_STATE_H
#define GN_JOURNAL_STATE_H

#include "controlplane/journal/reader.h"
#include "dataplane/abi/limits.h"
#include "dataplane/abi/orders.h"

#define GN_JSTATE_MAGIC   0x5450414e53544e47ull /* "GNTSNAPT" */
#define GN_JSTATE_VERSION 1u

/* An order as the records tell it. Also its form in a snapshot. */
struct gn_jstate_order {
    uint64_t id;
    uint64_t prev, next; /* ids of the order it replaces, and of the one that replaces it; 0 = none */
    uint32_t user_ref, instrument;
    uint8_t state, side, tif, session; /* enum gn_order_state ... */
    uint16_t strategy;
    uint8_t acked;
    uint8_t pad;
    int64_t price, qty, leaves, cum, reserved, chain_cum;
};
static_assert(sizeof(struct gn_jstate_order) == 88, "order in a snapshot");

struct gn_jstate_limit {
    uint32_t instrument; /* GN_NONE32: the firm's */
    uint32_t field;
    int64_t value;
};

struct gn_jstate_totals {
    uint64_t records;         /* applied */
    uint64_t orders, working; /* known; holding a reservation */
    uint64_t next_seq;        /* order-id high-water mark */
    uint64_t unknown;         /* reports about orders that no record opened */
    uint64_t position_errors; /* reports whose position is not the one rebuilt so far: must be 0 */
    uint64_t rings_id;
    uint64_t segment; /* of the last record from the journal */
    uint32_t positions, limits;
    uint64_t venue_seq[GN_SESSIONS_MAX]; /* next sequenced message of each session, as far as records tell */
};

struct gn_jstate;

/* gn_jstate_new: nothing known yet; NULL = out of memory. */
struct gn_jstate *gn_jstate_new(void) GN_MUST_CHECK;
void gn_jstate_free(struct gn_jstate *s);

/* gn_jstate_apply: one record of the rings rings_id. GN_JOURNAL_OK, also when it was applied before or says nothing of
 * the state; GN_JOURNAL_ERR_SEQ when records before it are missing; GN_JOURNAL_ERR_NOMEM. */
int gn_jstate_apply(struct gn_jstate *s, const struct gn_rec *rec, const uint8_t *payload, uint32_t payload_bytes,
                    uint64_t rings_id) GN_MUST_CHECK;

/* gn_jstate_read: applies every record of a journal that was not applied yet; begins at the segment of the last one. */
int gn_jstate_read(struct gn_jstate *s, const char *dir, const struct gn_journal_io *io,
                   struct gn_journal_finding *finding) GN_MUST_CHECK;

void gn_jstate_totals(const struct gn_jstate *s, struct gn_jstate_totals *out);

/* gn_jstate_position: of an instrument; all zeros when nothing is known. */
const struct gn_position *gn_jstate_position(const struct gn_jstate *s, uint32_t instrument);

/* gn_jstate_order: by id; NULL when unknown. */
const struct gn_jstate_order *gn_jstate_order(const struct gn_jstate *s, uint64_t id);

/* gn_jstate_limit: the i-th changed limit; i < totals.limits. */
const struct gn_jstate_limit *gn_jstate_limit(const struct gn_jstate *s, uint32_t i);

/* gn_jstate_track: from here on (before the first order) it is kept which orders change. gn_jstate_changed: the next
 * one that did, from index *at on (0 to begin with), each once; NULL when there is none. */
void gn_jstate_track(struct gn_jstate *s);
const struct gn_jstate_order *gn_jstate_changed(struct gn_jstate *s, uint32_t *at);

/* gn_jstate_save, gn_jstate_load: a snapshot as one stream of bytes, with a checksum over all of it. Load replaces the
 * state; false, with the state empty, when the bytes are not a snapshot. */
bool gn_jstate_save(const struct gn_jstate *s, FILE *out) GN_MUST_CHECK;
bool gn_jstate_load(struct gn_jstate *s, FILE *in) GN_MUST_CHECK;

/* gn_jstate_compare: with the region's tables at rest; `instruments` positions, limits may be NULL. Prints one line for
 * each difference to out (may be NULL), returns how many there are. Which cancels were sent by a kill or a mass cancel
 * is not journaled, so that live and pending_cancel count as the same. */
uint64_t gn_jstate_compare(const struct gn_jstate *s, const struct gn_order_table *orders,
                           const struct gn_position *positions, uint32_t instruments, struct gn_limits *limits,
                           FILE *out);

#endif
