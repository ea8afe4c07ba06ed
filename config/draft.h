/* What the walk over the file fills: struct gn_conf with the things beside it that only the loader needs. gn_schema's
 * offsets are into these structures.
 */
#ifndef GN_CONFIG_DRAFT_H
#define GN_CONFIG_DRAFT_H

#include "config/duties.h"
#include "config/people.h"
#include "dataplane/abi/conf.h"
#include "dataplane/abi/event.h"

struct yaml_node_s;

struct gn_draft_session {
    struct gn_conf_session s;
    char password_env[64];
    char password_file[GN_PATH_MAX];
    uint32_t environment; /* enum gn_environment */
};

/* A venue, account or theme. */
struct gn_draft_group {
    char name[GN_NAME_MAX];
    struct gn_limits_scope limits;
};

struct gn_draft_strategy {
    struct gn_conf_strategy s;
    struct gn_limits_scope limits;
    const struct yaml_node_s *instruments; /* read when the symbols are known */
    const struct yaml_node_s *params;      /* read when the kind is known */
};

struct gn_draft_instrument {
    struct gn_conf_instrument i;
    struct gn_limits_instrument limits;
    uint32_t line; /* of the instruments file; 0: it is in the YAML file */
};

struct gn_draft {
    struct gn_conf conf; /* sessions and strategies are copied into it at the end */
    uint32_t allow_shared_core;
    struct gn_draft_session session[GN_SESSIONS_MAX];
    struct gn_draft_strategy strategy[GN_STRATEGIES_MAX];
    struct gn_draft_group venue[GN_VENUES_MAX], account[GN_ACCOUNTS_MAX], theme[GN_THEMES_MAX];
    struct gn_draft_instrument defaults;    /* what an instrument is before its own row is read */
    struct gn_draft_instrument *instrument; /* conf.n_instruments; malloc'ed */
    char instruments_file[GN_PATH_MAX];
    struct gn_people people;
    struct gn_duties duties;
};

#endif
