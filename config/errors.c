#include "config/errors.h"

#include <stdarg.h>

void gn_conf_errors_add(struct gn_conf_errors *errs, bool warning, uint32_t file, const char *name, uint32_t line,
                        const char *path, const char *fmt, ...)
{
    uint32_t *n = warning ? &errs->n_warnings : &errs->n_errors;
    uint32_t *lost = warning ? &errs->lost_warnings : &errs->lost_errors;
    struct gn_conf_error *e = warning ? errs->warning : errs->error;
    char where[16] = "";
    va_list args;
    int at;

    if ((*n)++ >= GN_CONF_ERRORS_MAX) {
        (*lost)++;
        return;
    }
    e += *n - 1;
    e->file = file;
    e->line = line;
    if (line != 0)
        (void)snprintf(where, sizeof where, ":%u", line);
    at = snprintf(e->text, sizeof e->text, "%s%s: %s%s", name, where, path != NULL ? path : "",
                  path != NULL ? ": " : "");
    if (at < 0 || (size_t)at >= sizeof e->text)
        return;
    va_start(args, fmt);
    (void)vsnprintf(e->text + at, sizeof e->text - (size_t)at, fmt, args);
    va_end(args);
}

static void sort(struct gn_conf_error *e, uint32_t n)
{
    if (n > GN_CONF_ERRORS_MAX)
        n = GN_CONF_ERRORS_MAX;
    for (uint32_t i = 1; i < n; i++) {
        struct gn_conf_error x = e[i];
        uint32_t j = i;
        for (; j > 0 && (e[j - 1].file > x.file || (e[j - 1].file == x.file && e[j - 1].line > x.line)); j--)
            e[j] = e[j - 1];
        e[j] = x;
    }
}

void gn_conf_errors_sort(struct gn_conf_errors *errs)
{
    sort(errs->error, errs->n_errors);
    sort(errs->warning, errs->n_warnings);
}

static void print(const struct gn_conf_error *e, uint32_t n, uint32_t lost, const char *what, FILE *to)
{
    for (uint32_t i = 0; i < n - lost; i++)
        (void)fprintf(to, "%s: %s\n", what, e[i].text);
    if (lost != 0)
        (void)fprintf(to, "%s: and %u more\n", what, lost);
}

void gn_conf_errors_print(const struct gn_conf_errors *errs, FILE *to)
{
    print(errs->error, errs->n_errors, errs->lost_errors, "error", to);
    print(errs->warning, errs->n_warnings, errs->lost_warnings, "warning", to);
}
