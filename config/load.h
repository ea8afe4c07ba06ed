/* A YAML file becomes the plain data of dataplane/abi/conf.h. Everything is checked here, once: whoever reads a loaded
 * configuration may rely on its ranges and references.
 *
 * config/schema.h says which keys there are, docs/config.md says it to people. Nothing here is called on a lcore.
 */
#ifndef GN_CONFIG_LOAD_H
#define GN_CONFIG_LOAD_H

#include "config/duties.h"
#include "config/errors.h"
#include "config/people.h"
#include "dataplane/abi/conf.h"

#define GN_CONF_FILE_MAX (4u << 20) /* bytes of a configuration or instruments file */

enum gn_conf_status {
    GN_CONF_OK = 0,
    GN_CONF_UNREADABLE = -1, /* the file is missing, not a plain file, or larger than GN_CONF_FILE_MAX */
    GN_CONF_INVALID = -2,    /* the file has errors: see gn_conf_errors */
    GN_CONF_NO_MEMORY = -3,
};

struct gn_conf_loaded {
    struct gn_conf conf;
    struct gn_conf_instrument *instruments;         /* conf.n_instruments rows, in the order of the file */
    struct gn_limits_instrument *instrument_limits; /* as many rows */
    struct gn_people people;
    struct gn_duties duties;
};

/* What the loader needs of the machine. Tests, fuzzers and "check this file for another host" bring their own. */
struct gn_conf_host {
    void *user;
    uint32_t cpus; /* CPUs 0..cpus-1 exist; 0: not checked */
    /* value of an environment variable, NULL when unset. The function itself NULL: passwords are not looked up, from
     * files neither, and stay empty */
    const char *(*getenv)(void *user, const char *name);
    /* reads a file of up to `max` bytes into malloc'ed *bytes; 0, else a negative errno. `secret`: -EPERM when users
     * other than owner and group can read it. */
    int (*read_file)(void *user, const char *path, bool secret, size_t max, uint8_t **bytes, size_t *len);
};

/* gn_conf_host_this: the machine we run on. */
struct gn_conf_host gn_conf_host_this(void);

/* gn_conf_load: reads and checks the file at `path` for this machine. *errs is filled from the start, warnings also
 * when the result is GN_CONF_OK. On success *out owns memory until gn_conf_free; otherwise it is all zero.
 */
GN_MUST_CHECK int gn_conf_load(const char *path, struct gn_conf_loaded *out, struct gn_conf_errors *errs);

/* gn_conf_load_on: the same for another machine: nothing but `host` is asked. */
GN_MUST_CHECK int gn_conf_load_on(const char *path, const struct gn_conf_host *host, struct gn_conf_loaded *out,
                                  struct gn_conf_errors *errs);

/* gn_conf_parse: the same from bytes in memory; `path` names them in messages, and relative paths of an instruments or
 * password file start at its folder.
 */
GN_MUST_CHECK int gn_conf_parse(const char *path, const uint8_t *bytes, size_t len, const struct gn_conf_host *host,
                                struct gn_conf_loaded *out, struct gn_conf_errors *errs);

/* gn_conf_free: releases the arrays and wipes the passwords; *loaded is all zero afterwards. */
void gn_conf_free(struct gn_conf_loaded *loaded);

/* gn_conf_strerror: a phrase for an enum gn_conf_status. */
const char *gn_conf_strerror(int status);

#endif
