/* Inputs of the orders stage that none of its outputs shows, as records of the event ring: with them, and with the
 * packets of the feed stage, the same code can be run again and must write the same records, byte by byte.
 *
 * The rule that makes it so: a turn of the loop that reads no input and writes no record changes no state that a later
 * turn could notice. So whatever fires by time alone leaves a record, or falls on a time that does not depend on when
 * turns happen; and whatever another process writes is taken over at one place, with a record (journal.inputs).
 */
#ifndef GN_LCORE_STAGE_INPUTS_H
#define GN_LCORE_STAGE_INPUTS_H

#include "dataplane/lcore/stage_feed.h"
#include "dataplane/lcore/stage_orders.h"
#include "dataplane/lcore/stage_strategy.h"

/* gn_inputs_session: one record of type session_in; data may be NULL when bytes is 0. */
void gn_inputs_session(struct gn_stage_orders *s, uint32_t session, uint16_t kind, uint64_t value, const uint8_t *data,
                       uint16_t bytes, uint64_t now_ns);

/* gn_inputs_send: what TCP said to a message of len bytes; journaled when it is another answer than before. */
void gn_inputs_send_failed(struct gn_stage_orders *s, uint32_t session, uint32_t len, uint64_t now_ns);
void gn_inputs_send_works(struct gn_stage_orders *s, uint32_t session, uint32_t len, uint64_t now_ns);
static inline void gn_inputs_send(struct gn_stage_orders *s, uint32_t session, uint32_t len, bool ok, uint64_t now_ns)
{
    if (GN_UNLIKELY(!ok))
        gn_inputs_send_failed(s, session, len, now_ns);
    else if (GN_UNLIKELY(s->blocked & 1u << session))
        gn_inputs_send_works(s, session, len, now_ns);
}

/* gn_inputs_control: one record of type control_in. */
void gn_inputs_control(struct gn_stage_orders *s, const struct gn_ev_control_in *in, uint64_t now_ns);

/* gn_inputs_news: journals the words that the gate found raised. */
void gn_inputs_news_slow(struct gn_stage_orders *s, uint8_t look, uint64_t now_ns);
static inline void gn_inputs_news(struct gn_stage_orders *s, uint8_t look, uint64_t now_ns)
{
    if (GN_UNLIKELY(s->words.n_news != 0))
        gn_inputs_news_slow(s, look, now_ns);
}

/* gn_inputs_limits: the gate is about to take over generation `now`: the lines in which it differs from the one before,
 * whose half is left alone until the gate says that it left it, then the record that names it. A walk of both halves.
 */
void gn_inputs_limits(struct gn_stage_orders *s, uint64_t before, uint64_t now, uint64_t now_ns);

/* gn_inputs_room_fn: makes room in the event ring by letting the journal drain it; false when it does not. */
typedef bool gn_inputs_room_fn(void *arg);

/* gn_inputs_start: the state that a life begins with, before gn_stage_orders_start: parts, then the start record. Not
 * for the hot path; with many orders it needs room that the journal must make, for which `room` is called. */
void gn_inputs_start(struct gn_stage_orders *s, uint32_t stages, bool joined, bool books_kept, gn_inputs_room_fn *room,
                     void *arg, uint64_t now_ns);

/* gn_inputs_digest: digests of the three stages' state, of those that are not NULL. Walks every table. */
void gn_inputs_digest(const struct gn_stage_feed *f, const struct gn_stage_strategy *t, const struct gn_stage_orders *s,
                      struct gn_ev_state *out);

/* gn_inputs_end: the state record of a life that ends in order. */
void gn_inputs_end(const struct gn_stage_feed *f, const struct gn_stage_strategy *t, struct gn_stage_orders *s,
                   uint64_t now_ns);

#endif
