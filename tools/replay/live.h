/* The final state of a replay against the running appliance's shared files. */
#ifndef GN_REPLAY_LIVE_H
#define GN_REPLAY_LIVE_H

#include "tools/replay/engine.h"

/* gn_live_compare: books, positions and orders that differ, each said on stderr; -1 with a line on stderr when there is
 * no region of this configuration. Meaningful when nothing moves any more. */
int64_t gn_live_compare(const struct gn_conf *conf, const struct gn_replay *r);

#endif
