/* What a person must look at: codes are rows of one table, the last alerts are kept to be shown, and the time from the
 * event to its alert is measured: RTS 6 article 16(5) allows five seconds.
 */
#ifndef GN_ALERTS_H
#define GN_ALERTS_H

#include "dataplane/abi/base.h"

#define GN_ALERTS_KEPT      64u
#define GN_ALERT_TEXT       160u
#define GN_ALERT_LATE_NS    5000000000ull
#define GN_ALERT_SEVERITIES 5u

/* X(number, NAME, "name", "owner", "runbook", "help"). Numbers are in journals: never reused. */
#define GN_ALERT_CODES(X)                                                                                              \
    X(1, DEAD, "dataplane_died", "operator", "data-plane-died", "the data plane died; its orders are in doubt")        \
    X(2, JOURNAL, "journal_failed", "operator", "kill-switch", "the journal failed: trading stops")                    \
    X(3, SLOW, "journal_slow", "operator", "kill-switch", "the disk stalls")                                           \
    X(4, KILL, "kill", "risk", "kill-switch", "the kill switch was thrown")                                            \
    X(5, TMPFS, "journal_tmpfs", "operator", "kill-switch", "the journal does not lie on a disk")                      \
    X(6, CLOCK, "clock", "operator", "kill-switch", "the clock stepped or is not synchronised")                        \
    X(7, RESTING, "killed_but_resting", "risk", "kill-switch", "orders rest at the venue although they were killed")   \
    X(8, VERIFIED, "kill_verified", "risk", "kill-switch", "the venue has answered: nothing rests")                    \
    X(9, SESSION, "session", "operator", "venue-disconnected", "an order session went down, was refused or has ended") \
    X(10, FEED, "feed_given_up", "operator", "stale-feed", "messages are lost for good: books are stale")              \
    X(11, ILLEGAL, "order_illegal", "risk", "venue-disconnected", "the venue said of an order what cannot be")         \
    X(12, STRATEGY, "strategy_disabled", "risk", "authority", "the throttle switched a strategy off")                  \
    X(13, FLATTEN, "flatten", "risk", "flatten", "a flatten ended: what stays, and why")                               \
    X(14, RECONCILE, "reconcile", "risk", "reconcile", "a break between our books and the venue's, or a stale report") \
    X(15, LEFT, "orders_left", "operator", "data-plane-died", "the data plane stopped and left orders")                \
    X(40, SPACE, "journal_space", "operator", "kill-switch", "no room for a further journal segment")                  \
    X(41, KEY, "journal_key", "operator", "authority", "the journal's key lies beside the journal")                    \
    X(42, CORR, "correlation", "operator", "kill-switch", "a record came without its correlation")

enum gn_alert_code {
#define GN_X(num, NAME, name, owner, runbook, help) GN_ALERT_##NAME = num,
    GN_ALERT_CODES(GN_X)
#undef GN_X
};

struct gn_alert {
    uint64_t number; /* from 1 */
    uint64_t event_ns, said_ns;
    uint32_t code, severity;
    char text[GN_ALERT_TEXT];
};

struct gn_alerts {
    uint64_t total;
    uint64_t late; /* said more than five seconds after the event */
    uint64_t latency_max_ns, latency_last_ns;
    uint64_t by_severity[GN_ALERT_SEVERITIES];
    struct gn_alert row[GN_ALERTS_KEPT];
};

/* gn_alerts_add: event_ns: when it happened, as near as is known. */
const struct gn_alert *gn_alerts_add(struct gn_alerts *a, uint32_t code, uint32_t severity, uint64_t event_ns,
                                     uint64_t now_ns, const char *text);

/* gn_alert_name, gn_alert_owner, gn_alert_runbook: of a code; "other", "operator" and "" when the table has it not. */
const char *gn_alert_name(uint32_t code);
const char *gn_alert_owner(uint32_t code);
const char *gn_alert_runbook(uint32_t code);

#endif
