#include "config/walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/value.h"

#define PATH_TEXT  128u
#define UNRESOLVED 0xfffffffeu /* a reference of the defaults, looked up when all names are known */

/* Where the walk is: the structure that offsets start from and the indices of the lists above. */
struct place {
    uint8_t *base;
    uint32_t index[2];
    uint32_t depth; /* lists above */
};

/* ---- messages ---- */

/* path_text: key->path with its "[]" filled by the indices. */
static const char *path_text(const struct gn_schema_key *key, const uint32_t index[2], char buf[PATH_TEXT])
{
    size_t n = 0;
    uint32_t lists = 0;
    for (const char *s = key->path; *s != '\0' && n + 12 < PATH_TEXT; s++) {
        buf[n++] = *s;
        if (s[0] == '[' && lists < 2)
            n += (size_t)snprintf(buf + n, PATH_TEXT - n, "%u", index[lists++]);
    }
    buf[n] = '\0';
    return buf;
}

static const struct gn_mark *mark_of(const struct gn_walk *w, const void *dest)
{
    for (size_t i = 0; i < w->n_marks; i++)
        if (w->mark[i].dest == dest)
            return &w->mark[i];
    return NULL;
}

bool gn_walk_good(const struct gn_walk *w, const void *dest)
{
    const struct gn_mark *m = mark_of(w, dest);
    return m != NULL && !m->bad;
}

bool gn_walk_given(const struct gn_walk *w, const void *dest)
{
    const struct gn_mark *m = mark_of(w, dest);
    return m != NULL && !m->by_default;
}

void gn_walk_moved(struct gn_walk *w, const void *from, size_t bytes, const void *to)
{
    uintptr_t start = (uintptr_t)from;
    for (size_t i = 0; i < w->n_marks && bytes != 0; i++) {
        uintptr_t at = (uintptr_t)w->mark[i].dest - start;
        if (at < bytes)
            w->mark[i].dest = (const uint8_t *)to + at;
    }
}

/* full: findings are only counted from here, so nothing need be looked up for them. */
static bool full(struct gn_walk *w, bool warning)
{
    uint32_t n = warning ? w->errs->n_warnings : w->errs->n_errors;
    if (n < GN_CONF_ERRORS_MAX)
        return false;
    gn_conf_errors_add(w->errs, warning, 0, w->name, 0, NULL, "%s", "");
    return true;
}

static void say(struct gn_walk *w, bool warning, const void *dest, bool with_value, const char *fmt, va_list args)
{
    char path[PATH_TEXT], value[GN_YAML_SHOW_MAX] = "", text[GN_CONF_TEXT_MAX];
    const struct gn_mark *m;

    assert(fmt != NULL);
    if (full(w, warning))
        return;
    m = mark_of(w, dest);
    (void)vsnprintf(text, sizeof text, fmt, args);
    if (m == NULL) {
        gn_conf_errors_add(w->errs, warning, 0, w->name, 0, NULL, "%s", text);
        return;
    }
    path_text(m->key, m->index, path);
    if (!with_value)
        gn_conf_errors_add(w->errs, warning, 0, w->name, gn_yaml_line(m->node), path, "%s", text);
    else if (m->by_default)
        gn_conf_errors_add(w->errs, warning, 0, w->name, gn_yaml_line(m->node), path, "found %s (the default)%s",
                           m->key->def[0] != '\0' ? m->key->def : "nothing", text);
    else
        gn_conf_errors_add(w->errs, warning, 0, w->name, gn_yaml_line(m->node), path, "found %s%s",
                           gn_yaml_show(m->node, value), text);
}

void gn_walk_found(struct gn_walk *w, bool warning, const void *dest, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(w, warning, dest, true, fmt, args);
    va_end(args);
}

void gn_walk_says(struct gn_walk *w, bool warning, const void *dest, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(w, warning, dest, false, fmt, args);
    va_end(args);
}

void gn_walk_node(struct gn_walk *w, const void *dest, const yaml_node_t *node, const char *sub, const char *fmt, ...)
{
    char path[PATH_TEXT], whole[PATH_TEXT + 64], value[GN_YAML_SHOW_MAX], text[GN_CONF_TEXT_MAX];
    const struct gn_mark *m;
    va_list args;

    assert(fmt != NULL);
    if (full(w, false))
        return;
    m = mark_of(w, dest);
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)snprintf(whole, sizeof whole, "%s%s", m != NULL ? path_text(m->key, m->index, path) : "", sub);
    gn_conf_errors_add(w->errs, false, 0, w->name, gn_yaml_line(node), whole, "found %s%s", gn_yaml_show(node, value),
                       text);
}

/* key_says: a finding on a row at a place, before a field of it exists. */
static void key_says(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at,
                     const yaml_node_t *node, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void key_says(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at,
                     const yaml_node_t *node, const char *fmt, ...)
{
    char path[PATH_TEXT], text[GN_CONF_TEXT_MAX];
    va_list args;

    if (full(w, false))
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    gn_conf_errors_add(w->errs, false, 0, w->name, gn_yaml_line(node), path_text(key, at->index, path), "%s", text);
}

/* ---- spelling ---- */

/* distance: edits between two short words (one row of Levenshtein's table), large when one is long. */
static uint32_t distance(const char *a, const char *b)
{
    uint32_t row[33];
    size_t n = strlen(b);

    if (n > 32 || strlen(a) > 32)
        return UINT32_MAX;
    for (uint32_t j = 0; j <= n; j++)
        row[j] = j;
    for (uint32_t i = 1; a[i - 1] != '\0'; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= n; j++) {
            uint32_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

const char *gn_walk_nearest(const char *text, const char *(*name)(const void *user, uint32_t i), const void *user)
{
    const char *best = NULL, *candidate;
    uint32_t least = UINT32_MAX;

    for (uint32_t i = 0; (candidate = name(user, i)) != NULL; i++) {
        uint32_t d = distance(text, candidate);
        if (d < least && d <= 2 && d < strlen(candidate)) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

static const char *enum_name(const void *user, uint32_t i)
{
    const struct gn_schema_name *names = user;
    return names[i].name;
}

static const char *child_name(const void *user, uint32_t i)
{
    const struct gn_schema_key *k = NULL;
    do
        k = gn_schema_child(user, k);
    while (k != NULL && i-- > 0);
    return k != NULL ? gn_schema_leaf(k) : NULL;
}

/* ---- values ---- */

static void add_mark(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at,
                     const yaml_node_t *node, const void *dest, bool by_default)
{
    if (w->n_marks == w->room) {
        size_t room = w->room != 0 ? w->room * 2 : 256;
        struct gn_mark *m = reallocarray(w->mark, room, sizeof *m);
        if (m == NULL) {
            w->no_memory = true;
            return;
        }
        w->mark = m;
        w->room = room;
    }
    w->mark[w->n_marks++] = (struct gn_mark){dest, node, key, {at->index[0], at->index[1]}, by_default, false};
}

static void wrong(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at, const yaml_node_t *node,
                  const char *how)
{
    char value[GN_YAML_SHOW_MAX], allowed[256];
    const char *near = NULL;

    if (full(w, false))
        return;
    if (key->names != NULL && node->type == YAML_SCALAR_NODE)
        near = gn_walk_nearest((const char *)node->data.scalar.value, enum_name, key->names);
    if (near != NULL && gn_yaml_is(node, near))
        near = NULL; /* the word is right, its place is not */
    key_says(w, key, at, node, "found %s%s, allowed: %s%s%s%s", gn_yaml_show(node, value), how,
             gn_schema_allowed(key, allowed, sizeof allowed), near != NULL ? "; did you mean " : "",
             near != NULL ? near : "", near != NULL ? "?" : "");
}

static void read_set(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at,
                     const yaml_node_t *node, uint8_t *dest)
{
    uint32_t bits = 0;

    if (node->type != YAML_SEQUENCE_NODE || node->data.sequence.items.start == node->data.sequence.items.top) {
        wrong(w, key, at, node, "");
        return;
    }
    for (const yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(w->doc, *i);
        const struct gn_schema_name *name = NULL;
        if (item->type == YAML_SCALAR_NODE)
            name = gn_value_name(key->names, (const char *)item->data.scalar.value);
        if (name == NULL)
            wrong(w, key, at, item, "");
        else if ((bits & (uint32_t)name->value) != 0)
            wrong(w, key, at, item, " twice");
        else
            bits |= (uint32_t)name->value;
    }
    memcpy(dest, &bits, sizeof bits);
}

static void set_limit(const struct gn_schema_key *key, const struct place *at)
{
    uint64_t set;
    memcpy(&set, at->base + key->set_offset, sizeof set);
    set |= 1ull << key->bit;
    memcpy(at->base + key->set_offset, &set, sizeof set);
}

static void read_scalar(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at,
                        const yaml_node_t *node, uint8_t *dest)
{
    const char *how = "";

    if (node->type == YAML_SCALAR_NODE)
        how = gn_value_parse(key, (const char *)node->data.scalar.value, node->data.scalar.length, dest);
    if (how != NULL) {
        wrong(w, key, at, node, how);
        return;
    }
    if ((key->flags & GN_KEY_LIMIT) != 0)
        set_limit(key, at);
}

/* read_value: any row that is no map or list. */
static void read_value(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at,
                       const yaml_node_t *node)
{
    uint8_t *dest = at->base + key->offset;
    uint32_t errors = w->errs->n_errors;

    if (key->type == GN_TYPE_REFUSED) {
        key_says(w, key, at, node, "not allowed here: %s", key->help);
        return;
    }
    add_mark(w, key, at, node, dest, false);
    if (w->no_memory)
        return;
    switch (key->type) {
    case GN_TYPE_SYMBOLS:
    case GN_TYPE_PARAMS:
        memcpy(dest, &node, sizeof node);
        break;
    case GN_TYPE_REF:
        if (node->type != YAML_SCALAR_NODE)
            wrong(w, key, at, node, "");
        break; /* resolved from its mark when all names are known */
    case GN_TYPE_SET:
        read_set(w, key, at, node, dest);
        break;
    default:
        read_scalar(w, key, at, node, dest);
    }
    w->mark[w->n_marks - 1].bad = w->errs->n_errors != errors;
}

/* ---- maps and lists ---- */

static void read_map(struct gn_walk *w, const struct gn_schema_key *map, const struct place *at,
                     const yaml_node_t *node);
static void read_list(struct gn_walk *w, const struct gn_schema_key *list, const struct place *at,
                      const yaml_node_t *node);

/* missing: the key is not in its map: required, left out, or its default. Maps that default are walked for the defaults
 * of their keys; `node` is the map that does not have it. */
static void missing(struct gn_walk *w, const struct gn_schema_key *key, const struct place *at, const yaml_node_t *node)
{
    const struct gn_schema_key *child = NULL;
    char allowed[256];
    uint32_t none = GN_NONE32;

    if (key->type == GN_TYPE_REFUSED)
        return;
    if (key->def == NULL) {
        key_says(w, key, at, node, "missing, allowed: %s; add it: %s", gn_schema_allowed(key, allowed, sizeof allowed),
                 key->help);
    } else if (key->type == GN_TYPE_REF) {
        if (strncmp(key->path, "instruments.list[]", 18) != 0) /* its rows start as copies of the defaults */
            memcpy(at->base + key->offset, &none, sizeof none);
    } else if (key->type == GN_TYPE_MAP) {
        while (key->def[0] != '\0' && (child = gn_schema_child(key, child)) != NULL)
            missing(w, child, at, node);
    } else if (key->type == GN_TYPE_SET && key->def[0] != '\0') {
        uint32_t all = 0; /* the default of a set is all of it */
        for (const struct gn_schema_name *n = key->names; n->name != NULL; n++)
            all |= (uint32_t)n->value;
        memcpy(at->base + key->offset, &all, sizeof all);
    } else if (key->type != GN_TYPE_LIST && key->def[0] != '\0') {
        add_mark(w, key, at, node, at->base + key->offset, true);
        if (gn_value_parse(key, key->def, strlen(key->def), at->base + key->offset) != NULL)
            key_says(w, key, at, node, "the schema's default %s is wrong", key->def);
        else if ((key->flags & GN_KEY_LIMIT) != 0)
            set_limit(key, at);
    }
}

const yaml_node_t *gn_walk_find(struct gn_walk *w, const yaml_node_t *map, const char *key)
{
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
        if (gn_yaml_is(yaml_document_get_node(w->doc, p->key), key))
            return yaml_document_get_node(w->doc, p->value);
    return NULL;
}

/* strangers: keys that no row knows, and keys that are there twice. */
static void strangers(struct gn_walk *w, const struct gn_schema_key *map, const struct place *at,
                      const yaml_node_t *node)
{
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(w->doc, p->key);
        const struct gn_schema_key *k = NULL;
        char path[PATH_TEXT] = "", shown[GN_YAML_SHOW_MAX], allowed[320];
        const char *near;

        while ((k = gn_schema_child(map, k)) != NULL && !gn_yaml_is(key, gn_schema_leaf(k)))
            continue;
        if (k != NULL && gn_walk_find(w, node, gn_schema_leaf(k)) != yaml_document_get_node(w->doc, p->value))
            key_says(w, k, at, key, "found twice in one map, allowed: once; remove one");
        if (k != NULL || full(w, false))
            continue;
        near = key->type == YAML_SCALAR_NODE ? gn_walk_nearest((const char *)key->data.scalar.value, child_name, map)
                                             : NULL;
        if (map != NULL)
            (void)path_text(map, at->index, path);
        if (map != NULL && map->type == GN_TYPE_LIST && strlen(path) + 16 < sizeof path)
            (void)snprintf(path + strlen(path), 16, "[%u]", at->index[at->depth - 1]);
        gn_conf_errors_add(w->errs, false, 0, w->name, gn_yaml_line(key), map != NULL ? path : NULL,
                           "unknown key %s, allowed: %s%s%s%s", gn_yaml_show(key, shown),
                           gn_schema_keys(map, allowed, sizeof allowed), near != NULL ? "; did you mean " : "",
                           near != NULL ? near : "", near != NULL ? "?" : "");
    }
}

static void read_map(struct gn_walk *w, const struct gn_schema_key *map, const struct place *at,
                     const yaml_node_t *node)
{
    const struct gn_schema_key *k = NULL;

    strangers(w, map, at, node);
    while (!w->no_memory && (k = gn_schema_child(map, k)) != NULL) {
        const yaml_node_t *value = gn_walk_find(w, node, gn_schema_leaf(k));
        if (value == NULL)
            missing(w, k, at, node);
        else if (k->type == GN_TYPE_MAP && value->type != YAML_MAPPING_NODE)
            wrong(w, k, at, value, "");
        else if (k->type == GN_TYPE_MAP)
            read_map(w, k, at, value);
        else if (k->type == GN_TYPE_LIST)
            read_list(w, k, at, value);
        else
            read_value(w, k, at, value);
    }
}

/* read_item: one item of a list: a plain value, a bare one that stands for a key, or a map. */
static void read_item(struct gn_walk *w, const struct gn_schema_key *list, const struct place *at,
                      const yaml_node_t *node)
{
    const struct gn_schema_key *item = gn_schema_item(list);
    const struct gn_schema_key *k = NULL;
    char value[GN_YAML_SHOW_MAX], path[PATH_TEXT];

    if (item != NULL) {
        read_value(w, item, at, node);
        return;
    }
    if (node->type == YAML_SCALAR_NODE && list->of != NULL) {
        while ((k = gn_schema_child(list, k)) != NULL && strcmp(gn_schema_leaf(k), list->of) != 0)
            continue;
        read_value(w, k, at, node);
        return;
    }
    if (node->type == YAML_MAPPING_NODE) {
        read_map(w, list, at, node);
        return;
    }
    if (full(w, false))
        return;
    (void)path_text(list, at->index, path);
    gn_conf_errors_add(w->errs, false, 0, w->name, gn_yaml_line(node), path, "item %u: found %s, allowed: a map%s",
                       at->index[at->depth - 1], gn_yaml_show(node, value), list->of != NULL ? " or a symbol" : "");
}

static void read_list(struct gn_walk *w, const struct gn_schema_key *list, const struct place *at,
                      const yaml_node_t *node)
{
    struct place inner = *at;
    uint8_t *items = at->base + list->offset;
    size_t n;
    uint32_t count;

    if (node->type != YAML_SEQUENCE_NODE) {
        w->list_refused = true;
        wrong(w, list, at, node, "");
        return;
    }
    n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if ((int64_t)n < list->min || (int64_t)n > list->max) {
        w->list_refused = true;
        key_says(w, list, at, node, "found a list of %zu items, allowed: %lld..%lld", n, (long long)list->min,
                 (long long)list->max);
        return;
    }
    if ((list->flags & GN_KEY_ALLOC) != 0 && n != 0) {
        items = calloc(n, list->size);
        memcpy(at->base + list->offset, &items, sizeof items);
        if (items == NULL) {
            w->no_memory = true;
            return;
        }
    }
    count = (uint32_t)n;
    memcpy(at->base + list->count_offset, &count, sizeof count);
    inner.depth++;
    for (uint32_t i = 0; i < count && !w->no_memory; i++) {
        inner.base = items + (size_t)i * list->size;
        inner.index[at->depth] = i;
        if ((list->flags & GN_KEY_ALLOC) != 0) /* the one allocated list is of instruments, and they have defaults */
            memcpy(inner.base, &w->draft->defaults, sizeof w->draft->defaults);
        read_item(w, list, &inner, yaml_document_get_node(w->doc, node->data.sequence.items.start[i]));
    }
}

/* ---- references ---- */

struct names {
    const struct gn_draft *draft;
    const char *list;
};

static const char *list_name(const void *user, uint32_t i)
{
    const struct names *n = user;
    const struct gn_conf *c = &n->draft->conf;
    if (strcmp(n->list, "ports") == 0)
        return i < c->n_ports ? c->port[i].name : NULL;
    if (strcmp(n->list, "sessions") == 0)
        return i < c->n_sessions ? n->draft->session[i].s.name : NULL;
    if (strcmp(n->list, "venues") == 0)
        return i < c->n_venues ? n->draft->venue[i].name : NULL;
    if (strcmp(n->list, "accounts") == 0)
        return i < c->n_accounts ? n->draft->account[i].name : NULL;
    if (strcmp(n->list, "themes") == 0)
        return i < c->n_themes ? n->draft->theme[i].name : NULL;
    return i < c->n_clients ? c->client[i] : NULL;
}

static void resolve(struct gn_walk *w, const struct gn_mark *m)
{
    struct names names = {w->draft, m->key->of};
    const char *text = (const char *)m->node->data.scalar.value, *name, *near;
    char known[200] = "";
    size_t at = 0;
    uint32_t none = GN_NONE32, i;
    bool unread = false;
    /* the draft is ours and this mark was made from a place in it */
    uint8_t *dest = (uint8_t *)w->draft + ((const uint8_t *)m->dest - (const uint8_t *)w->draft);

    for (i = 0; (name = list_name(&names, i)) != NULL; i++) {
        unread |= name[0] == '\0';
        if (gn_yaml_is(m->node, name) && name[0] != '\0') {
            memcpy(dest, &i, sizeof i);
            return;
        }
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i == 0 ? "" : ", ", name);
    }
    memcpy(dest, &none, sizeof none);
    if (unread || (i == 0 && w->list_refused))
        return; /* the list it names was reported, and may well have it */
    near = gn_walk_nearest(text, list_name, &names);
    gn_walk_found(w, false, m->dest, ", allowed: a name of %s: %s%s%s%s", m->key->of, known[0] != '\0' ? known : "none",
                  near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

/* Rows of the list are copies of the defaults from before the names were looked up. */
static void inherit_refs(struct gn_draft *d)
{
    const struct gn_conf_instrument *from = &d->defaults.i;
    for (uint32_t i = 0; i < d->conf.n_instruments; i++) {
        struct gn_conf_instrument *to = &d->instrument[i].i;
        to->theme = to->theme == UNRESOLVED ? from->theme : to->theme;
        to->venue = to->venue == UNRESOLVED ? from->venue : to->venue;
    }
}

void gn_walk_run(struct gn_walk *w)
{
    struct place top = {.base = (uint8_t *)w->draft};
    const yaml_node_t *root = yaml_document_get_root_node(w->doc);
    uint32_t none = GN_NONE32;

    w->draft->conf.feed.line[0].port = w->draft->conf.feed.line[1].port = none;
    w->draft->conf.feed.request_port = none;
    w->draft->defaults.i.strategy = none;
    w->draft->defaults.i.theme = w->draft->defaults.i.venue = UNRESOLVED;
    if (root->type != YAML_MAPPING_NODE) {
        char value[GN_YAML_SHOW_MAX];
        gn_conf_errors_add(w->errs, false, 0, w->name, gn_yaml_line(root), NULL,
                           "found %s, allowed: a map of keys; start from a sample in config/samples",
                           gn_yaml_show(root, value));
        return;
    }
    read_map(w, NULL, &top, root);
    for (size_t i = 0; i < w->n_marks; i++)
        if (w->mark[i].key->type == GN_TYPE_REF && w->mark[i].node->type == YAML_SCALAR_NODE)
            resolve(w, &w->mark[i]);
    inherit_refs(w->draft);
}

void gn_walk_free(struct gn_walk *w)
{
    free(w->mark);
    w->mark = NULL;
    w->n_marks = w->room = 0;
}
