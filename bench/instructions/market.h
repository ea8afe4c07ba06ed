/* The market that the stages are counted on: the venue simulator's seeded generator, 50 instruments, as MoldUDP64
 * datagrams. The same bytes on every machine. */
#ifndef GN_BENCH_MARKET_H
#define GN_BENCH_MARKET_H

#include "bench/instructions/host.h"
#include "tools/venue-sim/gen.h"

#define MARKET_INSTRUMENTS 50u
#define MARKET_MESSAGES    40000u
#define MARKET_STEADY      30000u /* messages before are the opening: books fill */
#define MARKET_SESSION     "GNSIM00001"

struct market {
    uint32_t n;
    uint8_t len[MARKET_MESSAGES];
    uint8_t msg[MARKET_MESSAGES][GN_GEN_MSG_MAX];
};

/* market_new: all messages, generated. */
const struct market *market_new(void);

/* market_frame: messages [first, first + count) as one datagram to `group`, from h, in h's only frame; its length. */
uint32_t market_frame(const struct market *m, struct host *h, uint32_t group, uint32_t first, uint32_t count,
                      const uint8_t **frame);

#endif
