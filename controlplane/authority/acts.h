/* What somebody must be authorised for: one row each. Killing and lowering a limit are not here: anybody who may
 * connect does them, alone and at once.
 */
#ifndef GN_AUTHORITY_ACTS_H
#define GN_AUTHORITY_ACTS_H

#include "config/people.h"

#define GN_ROLES_ALL (GN_ROLE_TRADER | GN_ROLE_RISK | GN_ROLE_OPERATOR)

/* X(number, NAME, "name", roles that may ask, roles that may approve (0: one person suffices), "help"). Numbers are in
 * journals: never reused. */
#define GN_ACTS(X)                                                                                            \
    X(1, RELEASE, "release", GN_ROLES_ALL, GN_ROLE_RISK, "re-arms a scope of the kill switch (K3)")           \
    X(2, LIMIT_RAISE, "limit_raise", GN_ROLES_ALL, GN_ROLE_RISK, "a limit that allows more afterwards")       \
    X(3, OVERRIDE, "override", GN_ROLE_RISK, GN_ROLES_ALL, "lets one order pass that the gate refused (P18)") \
    X(4, ARM, "arm", GN_ROLES_ALL, GN_ROLE_RISK, "lets a live appliance trade")                               \
    X(5, FLATTEN, "flatten", GN_ROLE_TRADER | GN_ROLE_RISK, 0, "closes positions")                            \
    X(6, STRATEGY_ENABLE, "strategy_enable", GN_ROLE_RISK, 0,                                                 \
      "lets a strategy go on that the throttle switched off (P8)")                                            \
    X(7, SESSION_RECONNECT, "session_reconnect", GN_ROLES_ALL, 0, "logs a refused or ended session in again") \
    X(8, FEED_RESNAPSHOT, "feed_resnapshot", GN_ROLES_ALL, 0, "builds the books anew after a gap that was given up")

enum gn_act {
    GN_ACT_NONE = 0, /* no authority needed */
#define GN_X(num, NAME, name, ask, approve, help) GN_ACT_##NAME = num,
    GN_ACTS(GN_X)
#undef GN_X
        GN_ACT_COUNT,
};

#endif
