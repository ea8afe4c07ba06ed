/* One plain value of the file becomes bytes, by its row of the schema. Pure. */
#ifndef GN_CONFIG_VALUE_H
#define GN_CONFIG_VALUE_H

#include "config/schema.h"

/* gn_value_parse: text[0..len) into `dest` (key->size bytes) by key's type, unit and range. NULL on success; else how
 * the value is wrong, as it continues `found "200"`: "", " without a unit", " out of range". *dest is then unchanged.
 * Types MAP, LIST, SET, REF, SYMBOLS, PARAMS and REFUSED have no plain value and are not for here.
 */
GN_MUST_CHECK const char *gn_value_parse(const struct gn_schema_key *key, const char *text, size_t len, void *dest);

/* gn_value_name: the row of `names` with this name, NULL when there is none. */
const struct gn_schema_name *gn_value_name(const struct gn_schema_name *names, const char *text);

/* gn_value_int: text as a decimal number: an optional '-', digits, no leading zeroes, within int64. */
GN_MUST_CHECK bool gn_value_int(const char *text, size_t len, int64_t *out);

/* gn_value_symbol: text as 8 space-padded bytes; false when it is not a symbol. */
GN_MUST_CHECK bool gn_value_symbol(const char *text, size_t len, char out[8]);

#endif
