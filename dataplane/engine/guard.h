/* Guards on market data: which of the prices that the feed shows may be a reference. A price that a guard holds back
 * never becomes the mark: the collar then uses the last sound one, as long as that is not too old.
 *
 *      crossed, locked, stale, halted -> too wide -> too far from the median of the last five -> a last trade too far
 * from the mark -> moved too far within the velocity window
 */
#ifndef GN_ENGINE_GUARD_H
#define GN_ENGINE_GUARD_H

#include "dataplane/engine/risk_state.h"

#define GN_GUARD_TRIES 16u /* looks at best prices that another lcore is writing; then they count as stale */

/* gn_guard_look: takes over best prices that have not been looked at yet. True when the mark changed. */
bool gn_guard_look(struct gn_risk_ctx *c, uint32_t instrument, const struct gn_tob *tob, uint64_t now_ns);

#endif
