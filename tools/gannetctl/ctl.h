/* gannetctl, the operator's hand: asks the control plane over its admin socket; shows and kills through the shared
 * files when nobody answers there.
 */
#ifndef GN_CTL_H
#define GN_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct gn_ctl {
    const char *run_dir;
    const char *journal_dir; /* NULL: <run_dir>/journal */
    bool json;               /* print what came, for machines */
    bool direct;             /* ask nobody: through the shared files */
    const char *who;
    int argc; /* what follows the command */
    char **argv;
};

struct gn_ctl_command {
    const char *name;
    const char *arguments;
    const char *help;
    int (*run)(struct gn_ctl *c);
};

/* gn_ctl_ask: sends a request (taken over), returns the reply; NULL with a line on stderr when nobody answers and quiet
 * is false. */
json_t *gn_ctl_ask(const struct gn_ctl *c, json_t *request, bool quiet);

/* gn_ctl_direct: the same for requests that only look, from the shared files. NULL with a line on stderr. */
json_t *gn_ctl_direct(const struct gn_ctl *c, const char *what);

/* gn_ctl_attach: maps plane and observe read-only; false with a line on stderr. */
struct gn_region;
bool gn_ctl_attach(const struct gn_ctl *c, struct gn_region *plane, struct gn_region *observe);

/* gn_ctl_kill_direct: throws the switch in the shared memory. Exit status. */
int gn_ctl_kill_direct(const struct gn_ctl *c, const char *level, const char *why);

/* gn_ctl_table: prints a JSON array of objects as columns: keys, comma-separated. "key:p" is a price or value mantissa,
 * shown as a decimal by the row's price_exp; "key:h:title" one that is doubled, shown halved under another title. */
void gn_ctl_table(const json_t *rows, const char *columns);

/* gn_ctl_wall_ns: time of the command, ns since the Unix epoch. */
long long gn_ctl_wall_ns(void);

/* gn_ctl_journal: journal COMMAND ..., by its own table; the further ones are in files of their own and get the
 * journal's folder. */
int gn_ctl_journal(struct gn_ctl *c);
int gn_ctl_archive(const struct gn_ctl *c, const char *dir);
int gn_ctl_audit(const struct gn_ctl *c, const char *dir);
int gn_ctl_expire(const struct gn_ctl *c, const char *dir);
int gn_ctl_hold(const struct gn_ctl *c, const char *dir);
int gn_ctl_project(const struct gn_ctl *c, const char *dir);
int gn_ctl_release(const struct gn_ctl *c, const char *dir);
int gn_ctl_checkpoint(const struct gn_ctl *c, const char *dir);
int gn_ctl_replay(
    struct gn_ctl *c); /* starts gannet-replay, which links the engine; returns only when it is not there */
int gn_ctl_state(const struct gn_ctl *c, const char *dir);
int gn_ctl_prove(const struct gn_ctl *c, const char *dir);
int gn_ctl_prove_consistency(const struct gn_ctl *c, const char *dir);
int gn_ctl_verify_proof(const struct gn_ctl *c, const char *dir);

#endif
