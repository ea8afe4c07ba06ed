/* The kill switch as the control plane throws and releases it. gannetctl throws it without us when we are dead. */
#ifndef GN_KILL_H
#define GN_KILL_H

#include "dataplane/abi/region.h"

#define GN_KILL_ERR_LEN 256u

/* What to raise: a scope, and where it has several, which. */
struct gn_kill_request {
    uint32_t scope; /* enum gn_kill_scope */
    uint32_t index; /* session, strategy or instrument; 0 for all */
    uint32_t level; /* enum gn_ladder */
    const char *who;
    const char *why;
    uint64_t now_ns;
};

/* gn_kill_word: the word of a scope; NULL when the index is not there. */
_Atomic uint64_t *gn_kill_word(struct gn_control *c, const struct gn_conf *conf, uint32_t scope, uint32_t index);

/* gn_kill_throw: record first, then the word. Returns the word after it, or 0 with a sentence in err. */
uint64_t gn_kill_throw(struct gn_control *c, const struct gn_conf *conf, const struct gn_kill_request *r,
                       uint32_t source, char err[GN_KILL_ERR_LEN]);

/* gn_kill_let_go: releases the scope of r, whose who and why are those of the release; refused when its word moved
 * since it was `seen`. */
bool gn_kill_let_go(struct gn_control *c, const struct gn_conf *conf, const struct gn_kill_request *r, uint64_t seen,
                    char err[GN_KILL_ERR_LEN]) GN_MUST_CHECK;

const char *gn_ladder_name(uint32_t level);
const char *gn_scope_name(uint32_t scope);

/* gn_ladder_parse, gn_scope_parse: number of a name, -1 when there is none. */
int gn_ladder_parse(const char *name);
int gn_scope_parse(const char *name);

#endif
