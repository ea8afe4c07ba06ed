/* Looks for what the lcores did and nobody said yet: sessions, feed, illegal events, strategies, kills by the data
 * plane. An event is dated at the look before the one that found it, so the latency that is measured is the longest it
 * can be.
 */
#ifndef GN_ALERT_WATCH_H
#define GN_ALERT_WATCH_H

#include "dataplane/abi/conf.h"

struct gn_appliance;

struct gn_alert_watch {
    uint64_t looked_ns; /* 0: nothing is known yet */
    uint32_t session[GN_SESSIONS_MAX];
    uint64_t disabled[GN_STRATEGIES_MAX];
    uint64_t illegal, given_up;
    uint64_t word; /* kill word of scope all */
};

/* gn_alert_watch_poll: the first look only takes over what is. */
void gn_alert_watch_poll(struct gn_alert_watch *w, struct gn_appliance *a, uint64_t now_ns);

#endif
