/* What a backtest or a shadow comparison prints, as JSON or as text. */
#ifndef GN_REPLAY_REPORT_H
#define GN_REPLAY_REPORT_H

#include <jansson.h>

#include "tools/replay/backtest.h"
#include "tools/replay/shadow.h"

/* gn_report_backtest: {"orders": ..., "total": {...}, "instruments": [{"symbol": ..., ...}]}; amounts are decimal text
 * in the instruments' currency, exact. */
json_t *gn_report_backtest(const struct gn_replay *r, const struct gn_conf *c);

/* gn_report_shadow: the object "shadow" of it. */
json_t *gn_report_shadow(const struct gn_shadow_result *x);

/* gn_report_text: the same as a table on stdout. */
void gn_report_text(const json_t *report);

#endif
