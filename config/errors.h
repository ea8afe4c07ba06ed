/* What is wrong with a configuration: every finding of a file, not only the first, as lines for a person.
 *
 * A line reads   gannet.yaml:14: ports[0].kind: found "memfi", allowed: memif, af_xdp, tap, pcap, pci; did you mean
 * memif? file, line, key, the value found, what is allowed, and what to do.
 */
#ifndef GN_CONFIG_ERRORS_H
#define GN_CONFIG_ERRORS_H

#include <stdio.h>

#include "dataplane/abi/base.h"

#define GN_CONF_ERRORS_MAX 32u  /* errors kept, and warnings kept; more are only counted */
#define GN_CONF_TEXT_MAX   512u /* of one line */

struct gn_conf_error {
    uint32_t file; /* 0: the YAML file; 1: the instruments file */
    uint32_t line; /* from 1; 0: the file as a whole */
    char text[GN_CONF_TEXT_MAX];
};

struct gn_conf_errors {
    uint32_t n_errors;    /* all that were found; error[] has the first GN_CONF_ERRORS_MAX, in order of line */
    uint32_t n_warnings;  /* likewise */
    uint32_t lost_errors; /* found and not kept */
    uint32_t lost_warnings;
    struct gn_conf_error error[GN_CONF_ERRORS_MAX];
    struct gn_conf_error warning[GN_CONF_ERRORS_MAX];
};

/* gn_conf_errors_add: one finding. `name` is the file as the reader knows it, `path` the key (NULL: none), the rest is
 * printf. Text over GN_CONF_TEXT_MAX - 1 characters is cut.
 */
void gn_conf_errors_add(struct gn_conf_errors *errs, bool warning, uint32_t file, const char *name, uint32_t line,
                        const char *path, const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/* gn_conf_errors_sort: by file and line, keeping the order of findings of one line. */
void gn_conf_errors_sort(struct gn_conf_errors *errs);

/* gn_conf_errors_print: "error: <text>" and "warning: <text>" lines, and how many more there are. */
void gn_conf_errors_print(const struct gn_conf_errors *errs, FILE *to);

#endif
