/* The harness's market: messages of which every nth moves the best price of an instrument, one order at a time, so that
 * a `touch` strategy answers it with exactly one order.
 *
 *      every instrument rests at a bid and an ask of great size, ten ticks apart from the middle
 *      moving:   add a bid one tick better, then delete it, in turns: the strategy buys, then sells
 *      others:   add a bid far below, then delete it
 */
#ifndef GN_BENCH_FEED_H
#define GN_BENCH_FEED_H

#include "dataplane/abi/base.h"

#define GN_FEED_INSTRUMENTS_MAX 64u
#define GN_FEED_MSG_MAX         64u

struct gn_feed {
    uint32_t instruments;
    uint64_t next_ref;
    uint64_t moves, others;
    uint64_t near_ref[GN_FEED_INSTRUMENTS_MAX]; /* live order of that kind, 0 = none */
    uint64_t far_ref[GN_FEED_INSTRUMENTS_MAX];
};

void gn_feed_init(struct gn_feed *f, uint32_t instruments);

/* gn_feed_opening: message number n of the opening (directory, trading state, resting orders) into msg; its length, 0
 * after the last. */
uint32_t gn_feed_opening(struct gn_feed *f, uint32_t n, uint64_t venue_ns, uint8_t msg[GN_FEED_MSG_MAX]);

/* gn_feed_next: the next message; moving: it changes a best price. */
uint32_t gn_feed_next(struct gn_feed *f, bool moving, uint64_t venue_ns, uint8_t msg[GN_FEED_MSG_MAX]);

#endif
