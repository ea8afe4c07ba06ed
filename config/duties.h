/* What the control plane alone reads of the configuration: it is not in the shared region. */
#ifndef GN_CONFIG_DUTIES_H
#define GN_CONFIG_DUTIES_H

#include "dataplane/abi/conf.h"

enum gn_clock_policy {
    GN_CLOCK_IGNORE = 0,
    GN_CLOCK_ALERT = 1,
    GN_CLOCK_HALT = 2, /* the kill switch goes to halted: no new orders, working ones stay */
};

enum gn_environment {
    GN_ENV_UNSAID = 0,
    GN_ENV_PRODUCTION = 1,
    GN_ENV_TEST = 2,
    GN_ENV_SIMULATOR = 3,
};

struct gn_duties {
    uint32_t environment[GN_SESSIONS_MAX]; /* enum gn_environment: what the session's endpoint is */
    char checklist[GN_PATH_MAX];           /* of the go-live gate; empty = none */
    char drills[GN_PATH_MAX];              /* folder of drill records; empty = none */
    uint32_t drill_age_ms;
    uint32_t clock_on_step;      /* enum gn_clock_policy */
    uint32_t clock_on_unsync;    /* enum gn_clock_policy */
    uint32_t clock_step_us;      /* a jump of the wall clock by more than this is a step */
    uint32_t clock_max_error_us; /* the kernel's bound of the clock's error above which it counts as not synchronised */
};

#endif
