/* The contradictory-limits check: no limit of a child may be looser than the same limit of a scope above it. Run over
 * the configuration when it is loaded, and over the rows that a change would make, before it is published.
 */
#ifndef GN_ABI_LIMITS_CHECK_H
#define GN_ABI_LIMITS_CHECK_H

#include "dataplane/abi/conf.h"

#define GN_LIMITS_TEXT_MAX 320u

/* What is checked: rows by pointer and stride, so that the loader's draft and a generation of the region both fit. */
struct gn_limits_tree {
    const struct gn_conf *conf;          /* names, and which strategy belongs to which account */
    const struct gn_limits_scope *scope; /* GN_SCOPE_ROWS */
    const struct gn_conf_instrument *instrument;
    const struct gn_limits_instrument *limits;
    size_t instrument_stride, limits_stride; /* bytes */
    uint32_t n_instruments;
};

/* One contradiction: of a scope's limit with those of its members. */
struct gn_limits_finding {
    uint32_t row;        /* enum gn_scope_row of the parent */
    uint32_t field;      /* enum gn_scope_limit */
    uint32_t child_row;  /* the first member that has too much: a scope's row, or GN_LIMITS_INSTRUMENT */
    uint32_t instrument; /* its number then */
    uint32_t child_field;
    char text[GN_LIMITS_TEXT_MAX]; /* "theme tech: max_leverage_bps 500 (5%), but 3 members x 700 (7%) = 2100 (21%)" */
};

#define GN_LIMITS_INSTRUMENT 0xffffffffu

/* gn_limits_check: tells `say` of every contradiction; returns how many there are. */
uint32_t gn_limits_check(const struct gn_limits_tree *t, void (*say)(void *ctx, const struct gn_limits_finding *f),
                         void *ctx);

/* gn_limits_row_name: "theme tech", "the firm" into buf, cut to n - 1 characters. */
const char *gn_limits_row_name(const struct gn_conf *c, uint32_t row, char *buf, size_t n);

#endif
