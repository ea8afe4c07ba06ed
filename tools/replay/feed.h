/* The feed stage outside of the data plane: journaled packets go in as they were accepted, books, best prices and
 * records come out as they did then. The very same code as in the data plane; only the memory is ours.
 */
#ifndef GN_REPLAY_FEED_H
#define GN_REPLAY_FEED_H

#include "config/load.h"
#include "dataplane/lcore/stage_feed.h"

struct gn_replay_feed {
    struct gn_stage_feed stage;
    struct gn_conf_loaded loaded;
    struct gn_arb_config arb;
    void *books, *ring;
    uint64_t cursor; /* in the ring that the stage journals to */
    uint64_t packets, messages, bytes, lives, jumps;
    uint64_t outputs;     /* records and events that came out */
    uint64_t differences; /* records that are not those of the journal */
    uint64_t md_digest;   /* over every event for strategies, in order */
    uint64_t first_ns, last_ns;
};

/* gn_replay_feed_open: from a configuration file; false with a line on stderr. */
bool gn_replay_feed_open(struct gn_replay_feed *r, const char *config) GN_MUST_CHECK;
void gn_replay_feed_close(struct gn_replay_feed *r);

/* gn_replay_feed_packet: one md_packet record of the journal. What the stage journals of it must be the record itself,
 * byte by byte; else it is counted as a difference. A sequence that begins again is a new life of the data plane with
 * empty books; one that jumps is a gap that was given up. */
void gn_replay_feed_packet(struct gn_replay_feed *r, const struct gn_rec *rec, const struct gn_ev_md_packet *packet,
                           uint32_t payload_bytes);

/* gn_replay_feed_hash: SHA-256 over symbol, best prices, live orders and digest of every instrument. */
bool gn_replay_feed_hash(const struct gn_replay_feed *r, uint8_t out[32]) GN_MUST_CHECK;

#endif
