#include "tools/replay/set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/abi/strategy_params.h"

#define FORM "strategies.NAME.params.KEY=VALUE"

static const struct param {
    const char *kind, *key;
    uint32_t number;
    int64_t min, max;
} table[] = {
#define GN_X(kind, num, NAME, key, def, min, max, unit, help) {#kind, key, num, min, max},
    GN_STRATEGY_PARAM_TABLE(GN_X)
#undef GN_X
};

static struct gn_conf_strategy *strategy_of(struct gn_conf *c, const char *name)
{
    for (uint32_t i = 0; i < c->n_strategies; i++)
        if (strcmp(c->strategy[i].name, name) == 0)
            return &c->strategy[i];
    return NULL;
}

bool gn_replay_set(struct gn_conf *c, const char *text, char *why, size_t room)
{
    char name[GN_NAME_MAX], key[32], *end = NULL;
    int at = 0;
    const int n = sscanf(text, "strategies.%15[^.=].params.%31[^.=]=%n", name, key, &at);
    if (n != 2 || at == 0 || text[at] == 0) {
        snprintf(why, room, "--set %s: expected " FORM, text);
        return false;
    }
    errno = 0;
    const long long value = strtoll(text + at, &end, 10);
    struct gn_conf_strategy *s = strategy_of(c, name);
    if (s == NULL) {
        snprintf(why, room, "--set %s: the configuration has no strategy %s", text, name);
        return false;
    }
    for (size_t i = 0; i < GN_ARRAY_LEN(table); i++) {
        const struct param *p = &table[i];
        if (strcmp(p->kind, s->kind) != 0 || strcmp(p->key, key) != 0)
            continue;
        if (*end != 0 || errno != 0 || value < p->min || value > p->max) {
            snprintf(why, room, "--set %s: expected a number from %lld to %lld", text, (long long)p->min,
                     (long long)p->max);
            return false;
        }
        s->param[p->number] = value;
        return true;
    }
    snprintf(why, room, "--set %s: strategies of kind %s have no parameter %s: docs/strategies.md lists them", text,
             s->kind, key);
    return false;
}
