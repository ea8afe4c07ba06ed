#include <stdlib.h>
#include <string.h>

#include "tools/gannetctl/ctl.h"

#define COLUMNS_MAX 16
#define CELL_MAX    176

struct column {
    char key[CELL_MAX];
    char title[CELL_MAX];
    char form; /* 0 as it is, 'p' decimal, 'h' half of it as a decimal */
};

/* A mantissa, as the digits of an integer, with a decimal point where price_exp says. */
static void decimal(const char *digits, int places, bool half, char out[CELL_MAX])
{
    long double value = strtold(digits, NULL) / (half ? 2 : 1);
    for (int i = 0; i < places; i++)
        value /= 10;
    snprintf(out, CELL_MAX, "%.*Lf", places + (half ? 1 : 0), value);
}

static void cell(const json_t *row, const struct column *c, char out[CELL_MAX])
{
    const json_t *v = json_object_get(row, c->key);
    if (json_is_integer(v))
        snprintf(out, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_string(v))
        snprintf(out, CELL_MAX, "%s", json_string_value(v));
    else if (json_is_boolean(v))
        snprintf(out, CELL_MAX, "%s", json_is_true(v) ? "yes" : "no");
    else
        snprintf(out, CELL_MAX, "-");
    json_int_t exp = json_integer_value(json_object_get(row, "price_exp"));
    if (c->form != 0 && (json_is_integer(v) || json_is_string(v)) && exp <= 0 && exp >= -12) {
        char digits[CELL_MAX];
        snprintf(digits, sizeof digits, "%s", out);
        decimal(digits, (int)-exp, c->form == 'h', out);
    }
}

static int split(const char *columns, struct column out[COLUMNS_MAX])
{
    int n = 0;
    while (*columns != 0 && n < COLUMNS_MAX) {
        size_t len = strcspn(columns, ","), key = strcspn(columns, ",:");
        struct column *c = &out[n++];
        snprintf(c->key, CELL_MAX, "%.*s", (int)key, columns);
        snprintf(c->title, CELL_MAX, "%.*s", (int)key, columns);
        c->form = key < len ? columns[key + 1] : 0;
        if (key + 3 < len)
            snprintf(c->title, CELL_MAX, "%.*s", (int)(len - key - 3), columns + key + 3);
        columns += len + (columns[len] == ',');
    }
    return n;
}

static void print_row(const json_t *row, const struct column *c, int n, const int *width)
{
    char text[CELL_MAX];
    for (int k = 0; k < n; k++) {
        if (row != NULL)
            cell(row, &c[k], text);
        else
            snprintf(text, sizeof text, "%s", c[k].title);
        printf("%*s%s", k == 0 ? -width[k] : width[k], text, k + 1 < n ? "  " : "\n");
    }
}

void gn_ctl_table(const json_t *rows, const char *columns)
{
    struct column c[COLUMNS_MAX];
    char text[CELL_MAX];
    int width[COLUMNS_MAX], n = split(columns, c);
    for (int k = 0; k < n; k++)
        width[k] = (int)strlen(c[k].title);
    for (size_t i = 0; i < json_array_size(rows); i++)
        for (int k = 0; k < n; k++) {
            cell(json_array_get(rows, i), &c[k], text);
            if ((int)strlen(text) > width[k])
                width[k] = (int)strlen(text);
        }
    print_row(NULL, c, n, width);
    for (size_t i = 0; i < json_array_size(rows); i++)
        print_row(json_array_get(rows, i), c, n, width);
}
