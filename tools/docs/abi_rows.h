/* Rows from which docs/abi.md is made: for every structure of dataplane/abi its fields, who writes them, what they
 * mean. Places and sizes come from the compiler. A field without a row shows as a hole, so that the page's test fails
 * when a structure grows.
 */
#ifndef GN_TOOLS_DOCS_ABI_ROWS_H
#define GN_TOOLS_DOCS_ABI_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gn_doc_field {
    const char *name;
    size_t offset;
    size_t bytes;       /* 0: runs to the end of its section */
    const char *writer; /* "": as the structure's */
    const char *meaning;
};

struct gn_doc_struct {
    const char *name; /* NULL ends a list */
    size_t bytes;
    const char *writer;
    bool drawn; /* with a diagram of its bytes */
    const char *header;
    const struct gn_doc_field *field;
    uint32_t n;
};

/* F: a field; A: an array whose length the section decides; S: a structure with rows <name>_fields. */
#define F(s, f, writer, meaning)                                                  \
    {                                                                             \
        #f, offsetof(struct s, f), sizeof(((struct s *)NULL)->f), writer, meaning \
    }
#define A(s, f, writer, meaning)                      \
    {                                                 \
        #f, offsetof(struct s, f), 0, writer, meaning \
    }
#define S(s, writer, drawn, header)                                                                  \
    {                                                                                                \
        "gn_" #s, sizeof(struct gn_##s), writer, drawn, header, s##_fields, GN_ARRAY_LEN(s##_fields) \
    }

extern const struct gn_doc_struct gn_doc_abi_base[], gn_doc_abi_event[], gn_doc_abi_control[], gn_doc_abi_trade[],
    gn_doc_abi_conf[];

#endif
