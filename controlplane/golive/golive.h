/* The go-live gate: what a live appliance needs before it may be armed. Items are looked at when asked; each says what
 * was found and what mends it. A checklist of people is a JSON file that two of them have signed:
 *
 *      { "instance": NAME, "config": SHA-256 of the configuration, "build": build id,
 *        "items": [ { "item": ..., "by": ..., "on": ... } ],
 *        "signatures": [ { "person": NAME, "sig": Ed25519 over the canonical JSON of all but "signatures" } ] }
 */
#ifndef GN_GOLIVE_H
#define GN_GOLIVE_H

#include <jansson.h>

#include "controlplane/appliance/appliance.h"

#define GN_GOLIVE_TEXT 200u

struct gn_golive_item {
    const char *name;
    const char *mend; /* what to do when it fails */
    bool (*look)(struct gn_appliance *a, char found[GN_GOLIVE_TEXT]);
};

/* gn_golive_items: the table. */
const struct gn_golive_item *gn_golive_items(uint32_t *n);

/* gn_golive_complete: true when every item passes; else the first that does not, in *first. */
bool gn_golive_complete(struct gn_appliance *a, const struct gn_golive_item **first) GN_MUST_CHECK;

#endif
