#include "dataplane/engine/strategy/strategy.h"

/* A new strategy is a file beside touch.c and a row here (and in strategy_params.h, if it has parameters). */
static const struct gn_strategy_ops *const table[] = {
    &gn_strategy_touch,
    &gn_strategy_maker,
    &gn_strategy_client,
};

const struct gn_strategy_ops *gn_strategy_find(const char *kind)
{
    for (uint32_t i = 0; i < GN_ARRAY_LEN(table); i++)
        if (strcmp(table[i]->kind, kind) == 0)
            return table[i];
    return NULL;
}
