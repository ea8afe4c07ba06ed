/* The venue that measures: the simulator's books, matching, order sessions and retransmission, with a publisher that
 * keeps a fixed schedule, one message a packet, and looks at the order port as often as it can.
 *
 *      now >= due: packet -> [stamp] -> line A, line B -> reference books
 *      look at the order port -> frames: [stamp] -> gn_sim_turn -> on_order -> sample
 *
 * With `echo` the answer is a frame that carries the packet's own sequence back, and there is one line.
 */
#ifndef GN_BENCH_VENUE_H
#define GN_BENCH_VENUE_H

#include "bench/harness/feed.h"
#include "bench/harness/points.h"
#include "dataplane/lcore/clock.h"
#include "tools/venue-sim/io_dpdk.h"
#include "tools/venue-sim/sim.h"

#define GN_VENUE_LOOKS 8u

/* Ethernet, IPv4, UDP, MoldUDP64 session: where a frame of ours has its sequence. */
#define GN_VENUE_SEQ_AT (14u + 20u + 8u + GN_MOLD_SESSION)

struct gn_venue_look {
    uint64_t before_ns, at_ns;
};

struct gn_venue_slot {
    uint64_t seq;
    struct gn_sample *sample; /* NULL: no answer is expected, or it was there */
};

struct gn_venue {
    struct gn_sim *sim;
    struct gn_io_dpdk *io;
    struct gn_sim_io inner; /* the ports, below ours */
    struct gn_clock clock;
    uint64_t now;
    bool echo;
    bool behind; /* messages were published that the reference books do not know yet */
    uint32_t lines;
    struct gn_feed feed;
    struct gn_point *point; /* NULL: nothing is recorded */
    uint64_t look_ns;       /* last look at the order port */
    uint64_t turn_ns;       /* last turn of the simulator */
    uint32_t found_n;
    struct gn_venue_look found[GN_VENUE_LOOKS]; /* looks that found frames */
    uint64_t unexpected;                        /* answers that name no message of the point */
    struct gn_venue_slot slot[GN_LAT_STAMPS];
};

/* gn_venue_init: v is zeroed but for io; makes the simulator on the ports. False with a sentence in err. */
bool gn_venue_init(struct gn_venue *v, const struct gn_sim_options *opt, char err[GN_OPT_TEXT]) GN_MUST_CHECK;
void gn_venue_free(struct gn_venue *v);

/* gn_venue_spin: one look at the order port and, when it is time, one turn; false when the simulator is done. */
bool gn_venue_spin(struct gn_venue *v);

/* gn_venue_wait: spins for that long; false when the simulator is done. */
bool gn_venue_wait(struct gn_venue *v, uint64_t ns);

/* gn_venue_open_market: publishes directory and resting orders. */
void gn_venue_open_market(struct gn_venue *v);

/* gn_venue_preload: publishes so many recorded messages before a replay, so that books are filled. */
void gn_venue_preload(struct gn_venue *v, uint64_t messages);

/* gn_venue_run: publishes a point by its schedule, waits for the last answers. record: into the point's samples. */
void gn_venue_run(struct gn_venue *v, struct gn_point *p, bool record);

#endif
