/* Stage feed: UDP payloads of the two lines become books, best prices for everybody, and events for strategies.
 *
 *      gn_stage_feed_udp -> gn_mold_parse -> gn_arb_packet -> messages -> gn_itch_get_X -> gn_book_* -> best price
 *                                                          \-> journal                              \-> md sink
 *
 * Pure: no DPDK, no clock. A gap makes all books untouchable (gn_instruments.stale) until it is filled; a gap that
 * lasts until it is requested is told to strategies, one that is given up leaves every book flagged GN_MD_STALE.
 */
#ifndef GN_LCORE_STAGE_FEED_H
#define GN_LCORE_STAGE_FEED_H

#include "dataplane/abi/command.h"
#include "dataplane/abi/conf.h"
#include "dataplane/abi/control.h"
#include "dataplane/abi/frame.h"
#include "dataplane/abi/market.h"
#include "dataplane/abi/metrics.h"
#include "dataplane/engine/book.h"
#include "dataplane/net/net.h"
#include "drivers/venue/arbiter.h"

#define GN_LOCATES 65536u

/* Where events for strategies go: the strategy stage itself when fused, a ring when split. */
typedef void gn_md_sink_fn(void *ctx, const struct gn_md *md, uint64_t now_ns);

struct gn_stage_feed {
    const struct gn_conf *conf;
    struct gn_arb *arb;
    struct gn_books *books;
    uint32_t *locate; /* GN_LOCATES entries: instrument + 1, 0 = not seen yet */
    struct gn_instruments *instruments;
    struct gn_tob *tob;
    struct gn_book_row *rows;
    struct gn_lcore_metrics *m;
    struct gn_control *control;
    struct gn_ring *events; /* to the journal */
    struct gn_net *net[GN_PORTS_MAX];
    struct gn_txq *txq[GN_PORTS_MAX];
    gn_md_sink_fn *md_sink;
    void *md_ctx;
    struct gn_commands *commands; /* NULL: none are taken */
    uint64_t bell_seen;
    uint64_t look_ns; /* for commands: not before */
    bool told_stale;  /* strategies know of the open gap */
};

/* gn_arb_config of a feed. */
void gn_stage_feed_arb_config(const struct gn_conf *conf, struct gn_arb_config *out);

/* gn_stage_feed_start: after all pointers are set: what is published is what the books say, which an earlier life may
 * have left. */
void gn_stage_feed_start(struct gn_stage_feed *f);

/* gn_stage_feed_udp: one datagram from a port; foreign ones are counted. */
void gn_stage_feed_udp(struct gn_stage_feed *f, uint32_t port, const struct gn_net_rx *rx, uint64_t now_ns);

/* gn_stage_feed_command_start: commands from before are lost. */
void gn_stage_feed_command_start(struct gn_stage_feed *f);

/* gn_stage_feed_rebuild: empties books and arbitration; the whole day is asked for again with the next packet. Every
 * book is stale until it came. */
void gn_stage_feed_rebuild(struct gn_stage_feed *f, uint64_t now_ns);

/* gn_stage_feed_poll: gap timer and what follows from it; one compare when nothing is due. */
void gn_stage_feed_poll(struct gn_stage_feed *f, uint64_t now_ns);

/* ---- between the two files ---- */

/* gn_feed_take_commands: looks for commands, and says when it wants to look again. */
void gn_feed_take_commands(struct gn_stage_feed *f, uint64_t now_ns);

/* gn_feed_tell_all: the flags of every instrument, and these, to the strategies. gn_feed_set_flag: of one instrument.
 */
void gn_feed_tell_all(struct gn_stage_feed *f, uint32_t extra_flags, uint64_t now_ns);
void gn_feed_set_flag(struct gn_stage_feed *f, uint32_t instrument, uint32_t flag, bool on);

#endif
