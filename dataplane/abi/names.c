#include "dataplane/abi/names.h"

#include "dataplane/abi/orders.h"
#include "dataplane/abi/verdict.h"

static const char *pick(const char *const *names, uint32_t n, uint32_t i)
{
    return i < n && names[i] != NULL ? names[i] : "unknown";
}

const char *gn_verdict_name(uint32_t verdict)
{
    static const char *const names[] = {
#define GN_X(num, NAME, name, standard, inputs, help) [num] = name,
        GN_VERDICTS(GN_X)
#undef GN_X
    };
    return pick(names, GN_ARRAY_LEN(names), verdict);
}

const char *gn_verdict_help(uint32_t verdict)
{
    static const char *const names[] = {
#define GN_X(num, NAME, name, standard, inputs, help) [num] = help,
        GN_VERDICTS(GN_X)
#undef GN_X
    };
    return pick(names, GN_ARRAY_LEN(names), verdict);
}

const char *gn_order_state_name(uint32_t state)
{
    static const char *const names[] = {
#define GN_X(num, NAME, name, working, help) [num] = name,
        GN_ORDER_STATES(GN_X)
#undef GN_X
    };
    return pick(names, GN_ARRAY_LEN(names), state);
}

const char *gn_session_state_name(uint32_t state)
{
    static const char *const names[] = {
#define GN_X(num, NAME, name, help) [num] = name,
        GN_SESSION_STATES(GN_X)
#undef GN_X
    };
    return pick(names, GN_ARRAY_LEN(names), state);
}
