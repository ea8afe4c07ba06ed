/* One value of a loaded configuration changed for a backtest. */
#ifndef GN_REPLAY_SET_H
#define GN_REPLAY_SET_H

#include "dataplane/abi/conf.h"

/* gn_replay_set: text is strategies.NAME.params.KEY=VALUE; the key must be one of the strategy's kind and the value
 * within its bounds. False with a line that says what is wrong in why[room]. */
bool gn_replay_set(struct gn_conf *c, const char *text, char *why, size_t room) GN_MUST_CHECK;

#endif
