/* Backtest: the engine of the replay on the journaled market data, with its orders answered by the fill model instead
 * of the journal. The order sessions speak SoupBinTCP and OUCH with it, byte by byte, through the code that speaks with
 * the venue; feed, books, strategies and gate are the ones of the replay.
 *
 *      md_packet, md_aside -> feed -> strategy -> gate -> session -> bytes -> fill model
 *                              |                             ^                  ^   |
 *                              +------ books, trades --------|------------------+   |
 *                                                            +--------- bytes ------+
 *
 * From the journal come: market data, the limits, and the kill words that people raised and released. Not: answers of
 * the venue, intents of clients in other processes, losses of sessions, restarts of the data plane, breakers and
 * dead-man timers. Turns of the loop happen at each journaled time, at each answer, and at least every turn_ns.
 */
#ifndef GN_REPLAY_BACKTEST_H
#define GN_REPLAY_BACKTEST_H

#include "tools/replay/engine.h"
#include "tools/replay/fill_model.h"

#define GN_BACKTEST_TURN_NS 100000u

struct gn_backtest_opts {
    uint64_t out_ns, back_ns; /* latency to the venue and back */
    uint64_t turn_ns;         /* 0: GN_BACKTEST_TURN_NS */
    /* every decision of the journal, and every record of the backtest, in order; may be NULL */
    void (*on_journal)(void *arg, const struct gn_rec *rec);
    void (*on_record)(void *arg, const struct gn_rec *rec);
    void *arg;
};

struct gn_backtest_counts {
    uint64_t orders, refused, executions; /* order records that left and that the gate refused; executions */
    uint64_t market;                      /* trades and changes of best prices that the model saw */
    uint64_t turns, bytes_out, bytes_in;  /* of the sessions */
    uint64_t client_orders;               /* journaled orders of clients, which are left out */
    uint64_t digest; /* of every order, execution and cancel record: equal runs have equal digests */
};

/* gn_replay_backtest: makes a new replay a backtest, before its first record. Fees are those of the configuration's
 * sessions. */
int gn_replay_backtest(struct gn_replay *r, const struct gn_backtest_opts *opts) GN_MUST_CHECK;

const struct gn_backtest_counts *gn_backtest_counts(const struct gn_replay *r);
const struct gn_fill_model *gn_backtest_model(const struct gn_replay *r);

/* gn_backtest_mark: what the open position of an instrument is worth a share: the recorded best price of the other
 * side, else the last trade; false: there was neither. */
bool gn_backtest_mark(const struct gn_replay *r, uint32_t instrument, int64_t *mark);

#endif
