/* The rules between keys. Each runs on what the walk could read and reports every break of the rule by key and line. */
#ifndef GN_CONFIG_CHECK_H
#define GN_CONFIG_CHECK_H

#include "config/load.h"
#include "config/walk.h"

/* gn_check_run: cores, names, ports, feed, sessions, tables, heartbeat. */
void gn_check_run(struct gn_walk *w, const struct gn_conf_host *host);

/* gn_check_limits: limits of the firm that are not set (warnings), reserves, and members that have more than the scope
 * above them. When all references are resolved. */
void gn_check_limits(struct gn_walk *w);

/* gn_instruments_append: the instruments file's symbols, with the defaults, behind those of the list. `name` is the
 * file in messages. False: no memory.
 */
GN_MUST_CHECK bool gn_instruments_append(struct gn_walk *w, const char *name, const uint8_t *bytes, size_t len);

/* gn_instruments_check: duplicates, missing limits (warnings), who trades what, and the strategies' parameters. `name`
 * is the instruments file in messages, NULL when there is none. False: no memory.
 */
GN_MUST_CHECK bool gn_instruments_check(struct gn_walk *w, const char *name);

/* gn_check_people: keys, and whether two persons can be found for what needs two. */
void gn_check_people(struct gn_walk *w);

#endif
