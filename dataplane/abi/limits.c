#include "dataplane/abi/limits.h"

void gn_limits_instrument_open(struct gn_limits_instrument *row)
{
    *row = (struct gn_limits_instrument){.set = GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT),
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) .field = (looser) < 0 ? (min) : (max),
                                         GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
    };
    row->smp_mode = 1;
}

void gn_limits_scope_open(struct gn_limits_scope *row)
{
    *row = (struct gn_limits_scope){.set = GN_LIMITS_ALL_SET(GN_SCOPE_LIMIT_COUNT),
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) .field = (looser) < 0 ? (min) : (max),
                                    GN_SCOPE_LIMITS(GN_X)
#undef GN_X
    };
}
