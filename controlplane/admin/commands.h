/* The admin API: one JSON object in, one out. Commands are rows of one table, which feeds dispatch, help and docs. */
#ifndef GN_ADMIN_COMMANDS_H
#define GN_ADMIN_COMMANDS_H

#include <jansson.h>

#include "controlplane/appliance/appliance.h"

struct gn_admin_command {
    const char *name;
    const char *arguments; /* as help shows them */
    const char *help;
    json_t *(*run)(struct gn_appliance *a, const json_t *request);
};

/* gn_admin_commands: the table. */
const struct gn_admin_command *gn_admin_commands(uint32_t *n);

/* gn_admin_answer: runs request {"cmd": name, ...}; the answer is {"ok": true, ...} or {"ok": false, "error":
 * sentence}. */
json_t *gn_admin_answer(struct gn_appliance *a, const json_t *request);

#endif
