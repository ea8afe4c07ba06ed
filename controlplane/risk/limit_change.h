/* Changing limits while trading: the idle generation is filled, changed and published; the gate takes it over at its
 * next turn. One change at a time: the next one waits until the lcore has left the old generation.
 */
#ifndef GN_LIMIT_CHANGE_H
#define GN_LIMIT_CHANGE_H

#include "controlplane/appliance/appliance.h"

#define GN_LIMIT_ERR_LEN 512u

struct gn_limit_field {
    uint32_t number;
    const char *name, *unit;
    int64_t min, max;
    size_t offset; /* of the int64_t in its row */
    const char *help;
    int looser; /* 1: a higher value allows more, -1: a lower one does, 0: every change may */
};

/* gn_limit_fields: the rows of GN_INSTRUMENT_LIMITS (firm false) or GN_SCOPE_LIMITS. */
const struct gn_limit_field *gn_limit_fields(bool firm, uint32_t *n);

/* gn_limit_find: a field by name, NULL when there is none. */
const struct gn_limit_field *gn_limit_find(bool firm, const char *name);

/* gn_limit_loosens: the change allows more than before, so that two persons must want it. */
bool gn_limit_loosens(const struct gn_limit_field *f, int64_t old, int64_t value);

/* gn_limit_change: sets one field of one instrument (GN_NONE32: the firm row), journals it, waits up to a second for
 * the data plane to take it over. False with a sentence in err; the limit is unchanged then. */
bool gn_limit_change(struct gn_appliance *a, uint32_t instrument, const struct gn_limit_field *f, int64_t value,
                     const char *who, int64_t *old, char err[GN_LIMIT_ERR_LEN]) GN_MUST_CHECK;

#endif
