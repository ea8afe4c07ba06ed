/* What the region says, as JSON: one function a command, used by the control plane's admin socket and by gannetctl when
 * nobody answers there. Reads only.
 */
#ifndef GN_ADMIN_VIEW_H
#define GN_ADMIN_VIEW_H

#include <jansson.h>

#include "dataplane/abi/region.h"

struct gn_view {
    const struct gn_region *plane, *observe;
    uint64_t now_ns;
};

/* Each returns a new reference; NULL only when memory is short. */
json_t *gn_view_status(const struct gn_view *v);
json_t *gn_view_positions(const struct gn_view *v);
/* gn_view_orders: working orders; all: ended ones that are still in the table too, newest first, at most 1,000. */
json_t *gn_view_orders(const struct gn_view *v, bool all);
/* gn_view_order: one of them. */
json_t *gn_view_order(const struct gn_view *v, const struct gn_order *k);
json_t *gn_view_limits(const struct gn_view *v);
json_t *gn_view_books(const struct gn_view *v);
json_t *gn_view_metrics(const struct gn_view *v);

/* gn_view_journal: what the region says of the journal: mode, and how far it is behind the rings. */
json_t *gn_view_journal(const struct gn_view *v);

/* gn_view_journal_metrics: the lag as rows of gn_view_metrics, appended to list. */
void gn_view_journal_metrics(const struct gn_view *v, json_t *list);

/* gn_view_instrument: number of a symbol (without padding), GN_NONE32 when there is none. */
uint32_t gn_view_instrument(const struct gn_view *v, const char *symbol);

/* gn_view_symbol: symbol without padding into out[9]. */
void gn_view_symbol(const struct gn_view *v, uint32_t instrument, char out[9]);

#endif
