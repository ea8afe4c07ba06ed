/* Matching of what the drop copy says with what the order session said. Between the files of this folder. */
#ifndef GN_DROPCOPY_MATCH_H
#define GN_DROPCOPY_MATCH_H

#include "controlplane/dropcopy/dropcopy.h"

/* gn_dropcopy_break: a break into table and journal, and an alert when its severity asks for one. Returns its number.
 */
uint64_t gn_dropcopy_break(struct gn_dropcopy *d, uint32_t session, const struct gn_break *found, uint64_t now_ns);

/* gn_dropcopy_message: one sequenced message of the drop copy. */
void gn_dropcopy_message(struct gn_dropcopy *d, uint32_t session, const uint8_t *msg, uint16_t len, uint64_t seq,
                         uint64_t now_ns);

/* gn_dropcopy_match: takes new fills of ours, pairs what can be paired, turns what waited too long into breaks, and
 * keeps the place up to which everything is settled. */
void gn_dropcopy_match(struct gn_dropcopy *d, uint32_t session, uint64_t now_ns);

#endif
