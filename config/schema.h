/* The configuration's one table. A row is a key: the loader parses and checks by it, the error messages quote it,
 * docs/config.md is printed from it.
 *
 * Paths: "ports[].kind" is the key `kind` of each item of the list `ports`. Rows are in the order of the documentation;
 * a map or list stands before its keys, and they stand together. Keys are looked up in the order of the table, whatever
 * the order of the file.
 */
#ifndef GN_CONFIG_SCHEMA_H
#define GN_CONFIG_SCHEMA_H

#include "dataplane/abi/base.h"

enum gn_conf_type {
    GN_TYPE_MAP,
    GN_TYPE_LIST,
    GN_TYPE_STRING,   /* printable, min..max characters */
    GN_TYPE_NAME,     /* a-z, 0-9, '_' and '-', min..max characters; or one of `names` */
    GN_TYPE_SYMBOL,   /* 8 bytes, space-padded */
    GN_TYPE_PATH,     /* min..max characters */
    GN_TYPE_INT,      /* min..max, stored in `size` bytes */
    GN_TYPE_BOOL,     /* true or false */
    GN_TYPE_ENUM,     /* one of `names` */
    GN_TYPE_SET,      /* a list of `names`, stored as bits */
    GN_TYPE_CPU,      /* min..max */
    GN_TYPE_IPV4,     /* 10.0.0.1 */
    GN_TYPE_NET,      /* 10.0.0.1/24: address, then prefix length */
    GN_TYPE_ENDPOINT, /* 10.0.0.1:4000: address, then port */
    GN_TYPE_MAC,      /* 02:00:00:00:00:01 */
    GN_TYPE_SIZE,     /* with a unit; `unit` says what is stored, min..max are in it */
    GN_TYPE_DURATION, /* likewise */
    GN_TYPE_RATE,     /* 1000/s */
    GN_TYPE_BPS,      /* 500bps */
    GN_TYPE_REF,      /* the name of an item of list `of`, stored as its index */
    GN_TYPE_SYMBOLS,  /* a list of symbols, or `all` */
    GN_TYPE_PARAMS,   /* keys of the strategy's kind: dataplane/abi/strategy_params.h */
    GN_TYPE_REFUSED,  /* a key that must not be there; help says why */
};

struct gn_schema_name {
    const char *name; /* NULL ends a list */
    int64_t value;
};

enum gn_schema_flag {
    GN_KEY_POW2 = 1,  /* a power of two */
    GN_KEY_ALLOC = 4, /* a list: the structure holds a pointer, the walk allocates the items */
    GN_KEY_LIMIT = 2, /* a present value sets bit `bit` of the uint64_t at `set_offset` */
};

struct gn_schema_key {
    const char *path;
    enum gn_conf_type type;
    const char *unit; /* what is stored, NULL = none */
    const char *def;  /* NULL = required. "" = may be left out. A map: "" = it may be left out and its keys with it,
                         "{}" = left out, its keys take their defaults. A list: "[]" = left out means empty */
    int64_t min, max; /* values, characters, or items of a list */
    uint32_t offset;  /* in the structure of the enclosing list item, or in struct gn_draft */
    uint32_t size;    /* bytes stored there; a list: bytes of one item */
    const struct gn_schema_name *names;
    const char *of;        /* ref: path of the list; list: the key that a bare item stands for */
    uint32_t count_offset; /* list: where the uint32_t number of items goes, in the same structure */
    uint32_t flags;        /* enum gn_schema_flag */
    uint32_t bit;
    uint32_t set_offset;
    const char *help;
};

extern const struct gn_schema_key gn_schema[];
extern const uint32_t gn_schema_len;

/* gn_schema_find: the row with this path, NULL when there is none. */
const struct gn_schema_key *gn_schema_find(const char *path);

/* gn_schema_child: the next row after `from` that is a direct key of `parent` (NULL: of the top), NULL when no more.
 * `from` NULL starts.
 */
const struct gn_schema_key *gn_schema_child(const struct gn_schema_key *parent, const struct gn_schema_key *from);

/* gn_schema_item: the row of the items of a list of plain values: "clients[]"; NULL when the items are maps. */
const struct gn_schema_key *gn_schema_item(const struct gn_schema_key *list);

/* gn_schema_leaf: the last part of the row's path: "kind" of "ports[].kind". */
const char *gn_schema_leaf(const struct gn_schema_key *key);

/* gn_schema_allowed: what a value may be, in words, for messages and documentation: "1..65535", "memif, af_xdp".
 * Returns buf, cut to n - 1 characters.
 */
const char *gn_schema_allowed(const struct gn_schema_key *key, char *buf, size_t n);

/* gn_schema_keys: the keys of a map, or of the items of a list, in words: "keys name, kind". Returns buf, likewise cut.
 */
const char *gn_schema_keys(const struct gn_schema_key *parent, char *buf, size_t n);

/* gn_schema_type_name: "duration" for GN_TYPE_DURATION. */
const char *gn_schema_type_name(enum gn_conf_type type);

#endif
