#include <stdio.h>
#include <stdlib.h>

#include "config/check.h"
#include "config/value.h"
#include "dataplane/abi/strategy_params.h"

/* Symbols to indices: open addressing, at most half full. */
struct symbol_index {
    uint32_t *slot; /* instrument + 1; 0 = empty */
    uint32_t mask;
};

static uint32_t *slot_of(const struct symbol_index *x, const struct gn_draft *d, const char symbol[GN_SYMBOL_LEN])
{
    uint64_t h;
    memcpy(&h, symbol, sizeof h);
    h *= 0x9e3779b97f4a7c15ull;
    for (uint32_t i = (uint32_t)(h >> 32);; i++) {
        uint32_t *slot = &x->slot[i & x->mask];
        if (*slot == 0 || memcmp(d->instrument[*slot - 1].i.symbol, symbol, GN_SYMBOL_LEN) == 0)
            return slot;
    }
}

struct shown {
    char text[GN_SYMBOL_LEN + 1];
};

static struct shown shown(const char symbol[GN_SYMBOL_LEN])
{
    struct shown s = {""};
    for (size_t i = 0; i < GN_SYMBOL_LEN && symbol[i] != ' '; i++)
        s.text[i] = symbol[i];
    return s;
}

/* ---- the instruments file ---- */

static size_t count_lines(const uint8_t *bytes, size_t len)
{
    size_t n = 1;
    for (size_t i = 0; i < len; i++)
        n += bytes[i] == '\n';
    return n;
}

/* append_line: [start, end) is a line without its newline. */
static void append_line(struct gn_walk *w, const char *name, const uint8_t *start, const uint8_t *end, uint32_t line)
{
    struct gn_draft *d = w->draft;
    struct gn_draft_instrument row = d->defaults;
    const uint8_t *comment = memchr(start, '#', (size_t)(end - start));
    char text[16] = "";

    /* '#' is also part of symbols: a comment starts the line or follows a blank */
    while (comment != NULL && comment > start && comment[-1] != ' ' && comment[-1] != '\t')
        comment = memchr(comment + 1, '#', (size_t)(end - comment - 1));
    if (comment != NULL)
        end = comment;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (start < end && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    if (start == end)
        return;
    if (!gn_value_symbol((const char *)start, (size_t)(end - start), row.i.symbol)) {
        for (size_t i = 0; i < sizeof text - 1 && start + i < end; i++)
            text[i] = start[i] >= ' ' && start[i] <= '~' ? (char)start[i] : '?';
        gn_conf_errors_add(w->errs, false, 1, name, line, NULL,
                           "found \"%s\"%s, allowed: one symbol a line, 1..8 of A-Z, 0-9 and .+-=*#^$@~!", text,
                           (size_t)(end - start) >= sizeof text ? "..." : "");
        return;
    }
    row.line = line;
    d->instrument[d->conf.n_instruments++] = row;
}

bool gn_instruments_append(struct gn_walk *w, const char *name, const uint8_t *bytes, size_t len)
{
    struct gn_draft *d = w->draft;
    size_t room = d->conf.n_instruments + count_lines(bytes, len);
    struct gn_draft_instrument *grown;
    uint32_t line = 0;

    if (room > GN_INSTRUMENTS_MAX)
        room = GN_INSTRUMENTS_MAX;
    grown = calloc(room != 0 ? room : 1, sizeof *grown);
    if (grown == NULL)
        return false;
    if (d->conf.n_instruments != 0)
        memcpy(grown, d->instrument, d->conf.n_instruments * sizeof *grown);
    gn_walk_moved(w, d->instrument, d->conf.n_instruments * sizeof *grown, grown);
    free(d->instrument);
    d->instrument = grown;

    for (const uint8_t *at = bytes, *stop = bytes + len; at < stop;) {
        const uint8_t *end = memchr(at, '\n', (size_t)(stop - at));
        if (end == NULL)
            end = stop;
        line++;
        if (d->conf.n_instruments == GN_INSTRUMENTS_MAX) {
            gn_conf_errors_add(w->errs, false, 1, name, line, NULL,
                               "more than %u instruments with those of instruments.list; remove some",
                               GN_INSTRUMENTS_MAX);
            break;
        }
        append_line(w, name, at, end, line);
        at = end < stop ? end + 1 : stop;
    }
    return true;
}

/* ---- instruments ---- */

static void check_duplicates(struct gn_walk *w, const struct symbol_index *x, const char *file)
{
    const struct gn_draft *d = w->draft;

    for (uint32_t i = 0; i < d->conf.n_instruments; i++) {
        const struct gn_draft_instrument *row = &d->instrument[i];
        uint32_t *slot;
        if (row->i.symbol[0] == '\0')
            continue;
        slot = slot_of(x, d, row->i.symbol);
        if (*slot == 0) {
            *slot = i + 1;
            continue;
        }
        if (row->line == 0)
            gn_walk_found(w, false, row->i.symbol, ", the symbol of instrument %u already, allowed: once; remove one",
                          *slot - 1);
        else
            gn_conf_errors_add(w->errs, false, 1, file, row->line, NULL,
                               "found \"%s\", the symbol of instrument %u already, allowed: once; remove one",
                               shown(row->i.symbol).text, *slot - 1);
    }
}

/* warn_limits: one warning for each limit that some instrument lacks. */
static void warn_limits(struct gn_walk *w)
{
    const struct gn_draft *d = w->draft;
    const struct gn_schema_key *map = gn_schema_find("instruments.defaults.limits"), *row = NULL;

    while ((row = gn_schema_child(map, row)) != NULL) {
        uint32_t n = 0, first = 0;
        for (uint32_t i = d->conf.n_instruments; i-- > 0;)
            if ((d->instrument[i].limits.set >> row->bit & 1) == 0) {
                n++;
                first = i;
            }
        if (n != 0)
            gn_conf_errors_add(w->errs, true, 0, w->name, 0, row->path,
                               "not set for %u of %u instruments, first %s: the gate rejects their orders; add it: %s",
                               n, d->conf.n_instruments, shown(d->instrument[first].i.symbol).text, row->help);
    }
}

/* ---- who trades what ---- */

static void assign(struct gn_walk *w, const struct symbol_index *x, uint32_t s, const yaml_node_t *item, uint32_t at)
{
    struct gn_draft *d = w->draft;
    char symbol[GN_SYMBOL_LEN], sub[16];
    uint32_t *slot = NULL, *owner;

    (void)snprintf(sub, sizeof sub, "[%u]", at);
    if (item->type == YAML_SCALAR_NODE &&
        gn_value_symbol((const char *)item->data.scalar.value, item->data.scalar.length, symbol))
        slot = slot_of(x, d, symbol);
    if (slot == NULL || *slot == 0) {
        gn_walk_node(w, &d->strategy[s].instruments, item, sub,
                     ", allowed: a symbol of instruments.list or instruments.file");
        return;
    }
    owner = &d->instrument[*slot - 1].i.strategy;
    if (*owner != GN_NONE32)
        gn_walk_node(w, &d->strategy[s].instruments, item, sub,
                     ", traded by strategy %s already, allowed: one strategy", d->strategy[*owner].s.name);
    else
        *owner = s;
}

/* assign_named: the strategies that name their symbols. Gives the index of the one that takes all others. */
static uint32_t assign_named(struct gn_walk *w, const struct symbol_index *x)
{
    struct gn_draft *d = w->draft;
    uint32_t all = GN_NONE32;

    for (uint32_t s = 0; s < d->conf.n_strategies; s++) {
        const yaml_node_t *node = d->strategy[s].instruments;
        if (node == NULL)
            continue;
        if (gn_yaml_is(node, "all") && all != GN_NONE32) {
            gn_walk_found(w, false, &d->strategy[s].instruments,
                          ", as for strategy %s, allowed: one strategy with all; list the symbols of the other",
                          d->strategy[all].s.name);
        } else if (gn_yaml_is(node, "all")) {
            all = s;
            d->strategy[s].s.all_instruments = 1;
        } else if (node->type != YAML_SEQUENCE_NODE) {
            gn_walk_found(w, false, &d->strategy[s].instruments, ", allowed: a list of symbols, or all");
        } else {
            const yaml_node_item_t *items = node->data.sequence.items.start;
            size_t n = (size_t)(node->data.sequence.items.top - items);
            for (uint32_t i = 0; i < n; i++)
                assign(w, x, s, yaml_document_get_node(w->doc, items[i]), i);
        }
    }
    return all;
}

/* ---- parameters ---- */

static const struct gn_param {
    const char *kind;
    uint32_t num;
    struct gn_schema_key key;
} params[] = {
#define GN_X(kind_, num_, NAME, key_, def_, lo, hi, unit_, help_) \
    {#kind_, num_, {.path = key_, .type = GN_TYPE_INT, .min = (lo), .max = (hi), .size = 8, .help = help_}},
    GN_STRATEGY_PARAM_TABLE(GN_X)
#undef GN_X
};

static const int64_t param_default[] = {
#define GN_X(kind, num, NAME, key, def, lo, hi, unit, help) def,
    GN_STRATEGY_PARAM_TABLE(GN_X)
#undef GN_X
};

static const char *param_name(const void *user, uint32_t i)
{
    for (size_t p = 0; p < GN_ARRAY_LEN(params); p++)
        if (strcmp(params[p].kind, user) == 0 && i-- == 0)
            return params[p].key.path;
    return NULL;
}

static void read_param(struct gn_walk *w, struct gn_draft_strategy *s, const yaml_node_t *key, const yaml_node_t *value)
{
    char sub[40], known[160] = "keys of kind ", allowed[80];
    size_t at = strlen(known);
    const char *name, *how = "", *near = NULL;

    for (size_t p = 0; p < GN_ARRAY_LEN(params); p++) {
        const struct gn_param *row = &params[p];
        if (strcmp(row->kind, s->s.kind) != 0 || !gn_yaml_is(key, row->key.path))
            continue;
        if (value->type == YAML_SCALAR_NODE)
            how = gn_value_parse(&row->key, (const char *)value->data.scalar.value, value->data.scalar.length,
                                 &s->s.param[row->num]);
        (void)snprintf(sub, sizeof sub, ".%s", row->key.path);
        if (how != NULL)
            gn_walk_node(w, &s->params, value, sub, "%s, allowed: %s", how,
                         gn_schema_allowed(&row->key, allowed, sizeof allowed));
        else if (gn_walk_find(w, s->params, row->key.path) != value)
            gn_walk_node(w, &s->params, value, sub, " for a key that is there twice, allowed: once; remove one");
        return;
    }
    at += (size_t)snprintf(known + at, sizeof known - at, "%s: ", s->s.kind);
    for (uint32_t i = 0; (name = param_name(s->s.kind, i)) != NULL && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i == 0 ? "" : ", ", name);
    if (key->type == YAML_SCALAR_NODE)
        near = gn_walk_nearest((const char *)key->data.scalar.value, param_name, s->s.kind);
    gn_walk_node(w, &s->params, key, "", ", an unknown key, allowed: %s%s%s%s%s", known,
                 param_name(s->s.kind, 0) == NULL ? "none" : "", near != NULL ? "; did you mean " : "",
                 near != NULL ? near : "", near != NULL ? "?" : "");
}

static void check_strategy(struct gn_walk *w, struct gn_draft_strategy *s)
{
    bool is_client = strcmp(s->s.kind, "client") == 0;

    if (s->s.kind[0] == '\0')
        return;
    for (size_t p = 0; p < GN_ARRAY_LEN(params); p++)
        if (strcmp(params[p].kind, s->s.kind) == 0)
            s->s.param[params[p].num] = param_default[p];
    if (s->params != NULL && s->params->type != YAML_MAPPING_NODE)
        gn_walk_found(w, false, &s->params, ", allowed: a map of the kind's parameters");
    else if (s->params != NULL)
        for (const yaml_node_pair_t *p = s->params->data.mapping.pairs.start; p < s->params->data.mapping.pairs.top;
             p++)
            read_param(w, s, yaml_document_get_node(w->doc, p->key), yaml_document_get_node(w->doc, p->value));
    if (is_client && !gn_walk_given(w, &s->s.client))
        gn_walk_says(w, false, s->s.kind, "kind client without a client; add the key client with a name of clients");
    if (!is_client && gn_walk_given(w, &s->s.client))
        gn_walk_found(w, false, &s->s.client, ", allowed for kind client only; remove it, or change the kind");
}

static void check_strategies(struct gn_walk *w)
{
    struct gn_draft *d = w->draft;
    uint32_t users[GN_CLIENTS_MAX] = {0};

    for (uint32_t i = 0; i < d->conf.n_strategies; i++) {
        struct gn_draft_strategy *s = &d->strategy[i];
        check_strategy(w, s);
        if (s->s.client < GN_CLIENTS_MAX && gn_walk_given(w, &s->s.client) && users[s->s.client]++ != 0)
            gn_walk_found(w, false, &s->s.client, ", the client of another strategy, allowed: one strategy a client");
    }
    for (uint32_t i = 0; i < d->conf.n_clients; i++)
        if (users[i] == 0)
            gn_walk_found(w, true, d->conf.client[i], ", a client that no strategy of kind client uses");
}

bool gn_instruments_check(struct gn_walk *w, const char *name)
{
    struct gn_draft *d = w->draft;
    struct symbol_index x = {NULL, 0};
    uint32_t slots = 16, all;

    while (slots < d->conf.n_instruments * 2)
        slots *= 2;
    x.slot = calloc(slots, sizeof *x.slot);
    x.mask = slots - 1;
    if (x.slot == NULL)
        return false;
    check_duplicates(w, &x, name);
    all = assign_named(w, &x);
    for (uint32_t i = 0; i < d->conf.n_instruments; i++)
        if (d->instrument[i].i.strategy == GN_NONE32)
            d->instrument[i].i.strategy = all;
    free(x.slot);

    check_strategies(w);
    warn_limits(w);
    if (d->conf.n_instruments == 0)
        gn_conf_errors_add(w->errs, true, 0, w->name, 0, "instruments", "none are listed: nothing can be traded");
    if (d->conf.max_instruments != 0 && d->conf.n_instruments > d->conf.max_instruments)
        gn_walk_found(w, false, &d->conf.max_instruments,
                      ", allowed: at least %u, the number of instruments configured", d->conf.n_instruments);
    return true;
}
