/* The walk: libyaml's tree becomes a gn_draft by the rows of gn_schema, with every finding reported. It remembers which
 * node filled which field, so that the checks between keys can name file, line, key and value too.
 */
#ifndef GN_CONFIG_WALK_H
#define GN_CONFIG_WALK_H

#include "config/draft.h"
#include "config/schema.h"
#include "config/yaml_tree.h"

struct gn_mark {
    const void *dest;        /* the field in the draft */
    const yaml_node_t *node; /* its value, or the map in which it is missing */
    const struct gn_schema_key *key;
    uint32_t index[2]; /* of the lists in key->path */
    bool by_default;   /* the value is key->def */
    bool bad;          /* an error was reported: the field does not count */
};

struct gn_walk {
    const char *name; /* of the file, for messages */
    yaml_document_t *doc;
    struct gn_draft *draft;
    struct gn_conf_errors *errs;
    struct gn_mark *mark;
    size_t n_marks, room;
    bool no_memory;
    bool list_refused; /* some list was reported and not read */
};

/* gn_walk_run: fills *w->draft from w->doc; name, doc, draft and errs are set, the rest is zero. References are
 * resolved. Findings go to w->errs. w->no_memory tells that it gave up.
 */
void gn_walk_run(struct gn_walk *w);

/* gn_walk_free: the marks; not what is in the draft. */
void gn_walk_free(struct gn_walk *w);

/* gn_walk_found: a finding on the field `dest` of the draft: `<file>:<line>: <key>: found <value>` and the text, which
 * starts with its own separator: ", allowed: ...".
 */
void gn_walk_found(struct gn_walk *w, bool warning, const void *dest, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* gn_walk_says: the same without the value: `<file>:<line>: <key>: ` and the text. */
void gn_walk_says(struct gn_walk *w, bool warning, const void *dest, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* gn_walk_node: a finding on a node inside the field `dest`: its line and value. `sub` follows the key in the path:
 * ".qty", "[3]".
 */
void gn_walk_node(struct gn_walk *w, const void *dest, const yaml_node_t *node, const char *sub, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* gn_walk_good: the field `dest` has a value, from the file or by default, and it was not refused. */
GN_MUST_CHECK bool gn_walk_good(const struct gn_walk *w, const void *dest);

/* gn_walk_given: the field `dest` is written in the file. */
GN_MUST_CHECK bool gn_walk_given(const struct gn_walk *w, const void *dest);

/* gn_walk_moved: the `bytes` of the draft at `from` are now at `to`: marks follow. */
void gn_walk_moved(struct gn_walk *w, const void *from, size_t bytes, const void *to);

/* gn_walk_find: value of a key of a map node, NULL when it is not there. */
const yaml_node_t *gn_walk_find(struct gn_walk *w, const yaml_node_t *map, const char *key);

/* gn_walk_nearest: of the names that name(user, i) gives for i = 0.. until NULL, one that `text` may have meant; NULL
 * when none is near.
 */
const char *gn_walk_nearest(const char *text, const char *(*name)(const void *user, uint32_t i), const void *user);

#endif
