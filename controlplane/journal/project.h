/* The journal as tables: an SQLite file with orders, fills, positions and alerts, for questions in SQL. A projection:
 * it decides nothing, can be thrown away and be built again from the journal at any time.
 *
 * The follower applies records by the rules of state.h and writes what changed in transactions; how far it came
 * (segment, sequence of each ring, the hash of the last batch) stands in the same transaction. So a death at any
 * instant leaves what one of its commits left, and the next run goes on from there; a row is written as it is after the
 * record, so that applying one twice changes nothing. Every so many records the transaction also holds the rules' own
 * state, from which a restart begins.
 *
 *      orders(id, rings_id, prev_id, instrument, strategy, session, side, tif, user_ref, price, qty, leaves, filled,
 * state, tick_seq, tag, sent_ns, changed_ns)                          rows of orders that left or were held
 *      fills(rings_id, ring, seq, time_ns, order_id, instrument, strategy, session, side, qty, price, match, liquidity,
 * kind) positions(rings_id, instrument, qty, bought, sold, buy_value, sell_value, fills, open_buy, open_sell,
 * open_orders) alerts(rings_id, ring, seq, time_ns, code, severity, text)
 *
 * Ids are SQLite integers: 64 bits with a sign. Values are decimal text: 128 bits.
 */
#ifndef GN_JOURNAL_PROJECT_H
#define GN_JOURNAL_PROJECT_H

#include "dataplane/abi/base.h"

#define GN_PROJECT_ERR_LEN 512u

struct gn_project;

/* gn_project_open: opens or makes db. rebuild: everything in it is thrown away first, which also happens, told in *said
 * (a sentence, empty = no), when the journal is not the one that it was made from, or lost what it has. NULL with a
 * sentence in err. */
struct gn_project *gn_project_open(const char *db, const char *journal_dir, bool rebuild, char said[GN_PROJECT_ERR_LEN],
                                   char err[GN_PROJECT_ERR_LEN]) GN_MUST_CHECK;

/* gn_project_run: applies what is in the journal now; records applied, or negative with a sentence in err. */
int64_t gn_project_run(struct gn_project *p, char err[GN_PROJECT_ERR_LEN]) GN_MUST_CHECK;

void gn_project_close(struct gn_project *p);

#endif
