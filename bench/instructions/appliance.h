/* The data plane of one lcore without its loop: the three stages fused by direct sinks, over memory instead of shared
 * regions, with one port, one session and one strategy; and a venue that answers every order.
 */
#ifndef GN_BENCH_APPLIANCE_H
#define GN_BENCH_APPLIANCE_H

#include "bench/instructions/host.h"
#include "bench/instructions/market.h"
#include "dataplane/lcore/stage_feed.h"
#include "dataplane/lcore/stage_orders.h"
#include "dataplane/lcore/stage_strategy.h"

struct appliance {
    struct gn_conf conf;
    struct gn_lcore_metrics m;
    struct host us, venue;
    struct gn_stage_feed feed;
    struct gn_stage_strategy strategy;
    struct gn_stage_orders orders;
    struct gn_ring *events; /* what the journal would take */
    uint64_t journal_cursor;
    uint64_t beat_ns;
    /* the venue's side of the session */
    uint32_t venue_conn;
    bool keep; /* orders are accepted and stay; else an order that did not trade at once is cancelled */
    uint32_t last_ref;
    /* what the intent sink does when it has handed an intent on */
    bool counting;
    uint64_t sent;
};

/* appliance_new: books empty, no session yet. */
void appliance_new(struct appliance *a);

/* appliance_login: turns until the session is up. */
void appliance_login(struct appliance *a);

/* appliance_poll: what a turn of the loop does without frames: polls and timers. */
void appliance_poll(struct appliance *a);

/* appliance_exchange: our frames to the venue, its answers into our streams; no poll. */
void appliance_exchange(struct appliance *a);

/* appliance_settle: what is not counted: frames are exchanged, the journal's ring is emptied, the control plane beats.
 */
void appliance_settle(struct appliance *a);

/* appliance_intent: as the loop does it: the orders stage, its records published, and then the place where frames go to
 * the port: up to there an order is on its way, and counting ends. arg is the appliance. */
void appliance_intent(void *arg, const struct gn_intent *in, uint64_t now_ns);

#endif
