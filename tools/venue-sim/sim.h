/* The venue: market source, publisher, retransmission server, order server and reference books on up to three links,
 * turned by one busy loop. It reads no clock and drives no port itself: struct gn_sim_io does.
 *
 *     turn:  publish what is due -> books and resting orders follow (frames that arrive meanwhile are stamped)
 *            -> frames in: requests, orders -> retransmissions, answers, timers -> frames out
 *
 *     RUNNING --stop, end of the source, --seconds--> ENDING (end of session on all sides) --300 ms--> DONE
 */
#ifndef GN_SIM_SIM_H
#define GN_SIM_SIM_H

#include <jansson.h>

#include "dataplane/abi/base.h"
#include "tools/venue-sim/drop_copy.h"
#include "tools/venue-sim/options.h"
#include "tools/venue-sim/order_server.h"
#include "tools/venue-sim/publisher.h"
#include "tools/venue-sim/resend.h"

#define GN_SIM_STASH 256u

enum gn_sim_phase {
    GN_SIM_RUNNING = 0,
    GN_SIM_ENDING = 1,
    GN_SIM_DONE = 2,
};

struct gn_sim {
    struct gn_sim_options opt;
    uint32_t phase; /* enum gn_sim_phase */
    const char *stopped_by;
    uint64_t begun_ns, ending_ns, end_packet_ns, source_end_ns;
    uint32_t link_a, link_b, link_order;
    struct gn_sim_links links;
    struct gn_market *market;
    struct gn_sim_books *books;
    uint32_t instruments_max;
    struct gn_account account;
    struct gn_match *match;
    struct gn_tcp *tcp;
    uint64_t source_bad_offset; /* of a file that is cut off; 0 = whole */
    uint64_t frames_in, stash_full, turns;
    uint32_t stash_n;
    struct gn_sim_frame stash[GN_SIM_STASH];
    struct gn_impair impair;
    struct gn_history history;
    struct gn_lat_ring stamps;
    struct gn_pub pub;
    struct gn_resend resend;
    struct gn_order_server orders;
    struct gn_drop drop;
};

/* gn_sim_new: everything is allocated and the source is loaded; macs: of the links, by index. NULL with a sentence in
 * err. The caller stocks the links' queues before the first turn. */
struct gn_sim *gn_sim_new(const struct gn_sim_options *opt, const struct gn_sim_io *io, const uint8_t macs[][6],
                          uint64_t now_ns, char err[GN_OPT_TEXT]);
void gn_sim_free(struct gn_sim *s);

/* gn_sim_open_source: file or generator as the options say; NULL with a sentence in err. A file that is cut off is used
 * up to there: *bad_offset says where, 0 otherwise. */
struct gn_market *gn_sim_open_source(const struct gn_sim_options *opt, uint64_t *bad_offset, char err[GN_OPT_TEXT]);

/* gn_sim_turn: one round; false when the simulator is done. */
bool gn_sim_turn(struct gn_sim *s);

/* gn_sim_pause / _resume: stop publishing and go on (or begin); everything else is served all the time. */
void gn_sim_pause(struct gn_sim *s);
void gn_sim_resume(struct gn_sim *s);

/* gn_sim_stop: end the sessions and be done; why is kept for the report. */
void gn_sim_stop(struct gn_sim *s, const char *why);

/* gn_sim_report: the account of the run (report.c); NULL without memory. */
json_t *gn_sim_report(struct gn_sim *s);

#endif
