/* A seeded generator of realistic order flow, as ITCH 5.0 messages. Same configuration, same bytes.
 *
 * Each instrument has a book of bounded size around a mid that drifts and is pulled back to where it began. Adds land a
 * geometric distance behind the best price and sometimes improve it; cancels hit any live order; marketable flow
 * executes from the front of the best level, sweeping several orders now and then. Activity over instruments follows a
 * power law, and comes in bursts. The book never crosses or locks, and no side of an open book runs empty.
 */
#ifndef GN_SIM_GEN_H
#define GN_SIM_GEN_H

#include "dataplane/abi/base.h"

#define GN_GEN_INSTRUMENTS_MAX 1024u
#define GN_GEN_LIVE_MAX        1000u /* orders an instrument */
#define GN_GEN_TICK            100u  /* one cent in 1/10000 */
#define GN_GEN_MSG_MAX         64u

struct gn_gen_config {
    uint64_t seed;
    uint64_t messages;    /* stop after as many, closing system events included; 0 = never */
    uint64_t rate;        /* mean messages a second of the generator's own clock; 0 = 1,000,000 */
    uint32_t instruments; /* 1 to GN_GEN_INSTRUMENTS_MAX; symbols GN0001, GN0002, ... */
    uint32_t live_target; /* mean live orders of the busiest instrument, 20 to GN_GEN_LIVE_MAX; 0 = 600 */
};

struct gn_gen;

/* gn_gen_new: NULL when a value is out of range or memory is short. */
struct gn_gen *gn_gen_new(const struct gn_gen_config *config);
void gn_gen_free(struct gn_gen *g);

/* gn_gen_next: writes the next message to msg (GN_GEN_MSG_MAX bytes) and returns its length; 0 at the end. *time_ns is
 * its timestamp, ns since midnight, never falling. */
size_t gn_gen_next(struct gn_gen *g, uint8_t *msg, uint64_t *time_ns);

/* gn_gen_symbol: symbol of instrument i, padded with spaces. */
void gn_gen_symbol(uint32_t i, char symbol[8]);

#endif
