#include <inttypes.h>
#include <string.h>

#include "tools/gannetctl/ctl.h"

#define COLUMNS_MAX 16
#define CELL_MAX    64

static void cell(const json_t *row, const char *key, char out[CELL_MAX])
{
    const json_t *v = json_object_get(row, key);
    if (json_is_integer(v))
        snprintf(out, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_string(v))
        snprintf(out, CELL_MAX, "%s", json_string_value(v));
    else if (json_is_boolean(v))
        snprintf(out, CELL_MAX, "%s", json_is_true(v) ? "yes" : "no");
    else
        snprintf(out, CELL_MAX, "-");
}

static int split(const char *columns, char keys[COLUMNS_MAX][CELL_MAX])
{
    int n = 0;
    while (*columns != 0 && n < COLUMNS_MAX) {
        size_t len = strcspn(columns, ",");
        snprintf(keys[n++], CELL_MAX, "%.*s", (int)len, columns);
        columns += len + (columns[len] == ',');
    }
    return n;
}

void gn_ctl_table(const json_t *rows, const char *columns)
{
    char keys[COLUMNS_MAX][CELL_MAX], text[CELL_MAX];
    int width[COLUMNS_MAX];
    int n = split(columns, keys);
    size_t i;
    const json_t *row;
    for (int k = 0; k < n; k++)
        width[k] = (int)strlen(keys[k]);
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) for (int k = 0; k < n; k++)
    {
        cell(row, keys[k], text);
        if ((int)strlen(text) > width[k])
            width[k] = (int)strlen(text);
    }
    for (int k = 0; k < n; k++)
        printf("%*s%s", k == 0 ? -width[k] : width[k], keys[k], k + 1 < n ? "  " : "\n");
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) for (int k = 0; k < n; k++)
    {
        cell(row, keys[k], text);
        printf("%*s%s", k == 0 ? -width[k] : width[k], text, k + 1 < n ? "  " : "\n");
    }
}
