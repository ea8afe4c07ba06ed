/* The data plane's own stages run again on what the journal says they were given: packets, the bytes of order sessions,
 * intents of clients, kill words, limits. Every record that they write is compared with the journaled one, byte by
 * byte; what a turn reads from outside (TCP, shared memory) is answered from the records of that turn, which are at the
 * same place in the new run: the record that the live run wrote next tells what it saw.
 *
 *      records of one time -> gn_replay_turn:  strategy poll -> packets -> feed poll -> orders poll -> what came after
 *                                                    |              |                      |
 *                                                    +--- ring of the new run, compared record by record
 *
 * Turns of the live run that read nothing and wrote nothing are not there: they changed nothing (see
 * dataplane/lcore/stage_inputs.h), and the property test proves it.
 */
#ifndef GN_REPLAY_ENGINE_H
#define GN_REPLAY_ENGINE_H

#include "config/load.h"
#include "dataplane/lcore/stage_inputs.h"

#define GN_REPLAY_TEXT 256u

enum gn_replay_err {
    GN_REPLAY_OK = 0,
    GN_REPLAY_ERR_NOMEM = -1,
    GN_REPLAY_ERR_START = -2,  /* the first start is not the first of its region, or its state is not whole */
    GN_REPLAY_ERR_LAYOUT = -3, /* stages on several lcores, or journal.mode sync: not all inputs are journaled */
    GN_REPLAY_ERR_RECORD = -4, /* a record too short for its type, or one that no lcore writes here */
    GN_REPLAY_ERR_CONFIG = -5, /* the tables of the configuration cannot be laid out */
    GN_REPLAY_ERR_REGION = -6, /* a backtest over more than one region */
};

const char *gn_replay_strerror(int err);

struct gn_replay_counts {
    uint64_t records, turns, lives;
    uint64_t packets, messages, venue_packets, orders, refused, executions, cancels;
    uint64_t compared;    /* records of the new run that are those of the journal, byte by byte */
    uint64_t differences; /* records that differ, are missing or too many */
    uint64_t carried; /* records of hand-overs, whose effect is in the state that a life begins with: not compared */
    uint64_t states;  /* states at an orderly end that were compared */
    uint64_t first_ns, last_ns;
    uint64_t diff_seq, diff_ns; /* of the first difference */
    char diff[GN_REPLAY_TEXT];  /* and what it is */
};

struct gn_replay;

/* gn_replay_new: for the configuration of the journaled run (instruments may be NULL when there are none); both must
 * outlive it. Nothing runs before the first start record. */
int gn_replay_new(const struct gn_conf *conf, const struct gn_conf_instrument *instruments,
                  struct gn_replay **out) GN_MUST_CHECK;
void gn_replay_free(struct gn_replay *r);

/* gn_replay_record: the next record of the lcore's ring, in the order of its sequence. A turn runs when the first
 * record of a later time comes. Records before the first start are passed over. */
int gn_replay_record(struct gn_replay *r, const struct gn_rec *rec) GN_MUST_CHECK;

/* gn_replay_finish: runs the last turn. */
int gn_replay_finish(struct gn_replay *r) GN_MUST_CHECK;

const struct gn_replay_counts *gn_replay_counts(const struct gn_replay *r);

/* gn_replay_state: digests of the state after the last turn. */
void gn_replay_state(const struct gn_replay *r, struct gn_ev_state *out);

/* gn_replay_feed, gn_replay_orders: the stages, to look at. */
const struct gn_stage_feed *gn_replay_feed(const struct gn_replay *r);
const struct gn_stage_orders *gn_replay_orders(const struct gn_replay *r);

#endif
