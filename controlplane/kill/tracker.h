/* After a kill: nobody believes that it worked until the venue has said so.
 *
 *      IDLE --a word at killed moved--> CANCELLING --nothing rests here--> ASKING --every session answered--> VERIFIED
 *                                        |   ^                              |
 *               not gone: mass cancel again, louder alert       session lost, refused: asked again, louder alert
 *
 * "Nothing rests" is what the venue told us order by order; the answer to an account query sent afterwards is the fence
 * behind which nothing of it can come any more. Orders that rest although a word at killed covers them are the list
 * "killed but still resting". Alerts rise: 1 s severity 3, 3 s severity 2, 10 s severity 1, then once a minute.
 */
#ifndef GN_KILL_TRACKER_H
#define GN_KILL_TRACKER_H

#include "controlplane/command/command.h"
#include "dataplane/abi/conf.h"
#include "dataplane/abi/orders.h"

struct gn_appliance;

enum gn_tracker_state {
    GN_TRACKER_IDLE = 0,
    GN_TRACKER_CANCELLING = 1,
    GN_TRACKER_ASKING = 2,
    GN_TRACKER_VERIFIED = 3,
};

struct gn_tracker {
    uint32_t state;    /* enum gn_tracker_state */
    uint64_t words;    /* sum over all words at killed: a change is a new kill, or a release */
    uint64_t since_ns; /* of the kill that is being followed */
    uint64_t verified_ns;
    uint64_t look_ns, retry_ns; /* not before */
    uint32_t resting, in_doubt; /* killed but still resting, at the last look */
    uint32_t retries, alerts;
    uint64_t next_alert_ns;
    uint32_t answered; /* sessions, bit by bit, that have answered */
    uint32_t unasked;  /* those that never were logged in */
    struct gn_ticket ticket[GN_SESSIONS_MAX];
};

/* gn_tracker_poll: one step; now_ns by the wall clock. */
void gn_tracker_poll(struct gn_tracker *t, struct gn_appliance *a, uint64_t now_ns);

const char *gn_tracker_name(uint32_t state);

/* gn_tracker_killed: the order works although a word at killed covers it. */
bool gn_tracker_killed(const struct gn_appliance *a, const struct gn_order *o);

#endif
