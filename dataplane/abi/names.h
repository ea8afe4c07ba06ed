/* Names of numbers that people see, from the tables that define them. "unknown" for a number that is not in its table.
 */
#ifndef GN_ABI_NAMES_H
#define GN_ABI_NAMES_H

#include <stdint.h>

/* gn_verdict_name, gn_verdict_help: columns of GN_VERDICTS. */
const char *gn_verdict_name(uint32_t verdict);
const char *gn_verdict_help(uint32_t verdict);

/* gn_order_state_name: of GN_ORDER_STATES. */
const char *gn_order_state_name(uint32_t state);

/* gn_session_state_name: of GN_SESSION_STATES. */
const char *gn_session_state_name(uint32_t state);

#endif
