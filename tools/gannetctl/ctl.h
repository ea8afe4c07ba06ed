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
    const char *as;  /* NULL: nothing is signed; else the person in the configuration */
    const char *key; /* the person's private key */
    int argc;        /* what follows the command */
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

/* gn_ctl_act: the same for a request that may need authority: signed when --as and --key are given. */
json_t *gn_ctl_act(const struct gn_ctl *c, json_t *request);

/* gn_ctl_part: prints the reply as JSON, or hands its part `key` to the caller; NULL when all is said, with *status
 * set: also when the request waits for its second person. */
json_t *gn_ctl_part(const struct gn_ctl *c, json_t *reply, const char *key, int *status);

/* gn_ctl_look: a command that looks: the control plane's answer, or the shared files'. */
json_t *gn_ctl_look(const struct gn_ctl *c, const char *what, json_t *request);

/* gn_ctl_str, gn_ctl_int: a member of an object; "-" and 0 when it has none. */
const char *gn_ctl_str(const json_t *o, const char *key);
long long gn_ctl_int(const json_t *o, const char *key);

/* Words of a command that changes something: level=, scope=, name=; the rest is the reason. */
struct gn_ctl_words {
    const char *level, *scope, *name;
    char why[64];
};

/* gn_ctl_words: false for a word= that is not known: it may be a scope that somebody mistyped. */
bool gn_ctl_words(const struct gn_ctl *c, int from, struct gn_ctl_words *w);

#define GN_CTL_WAITS 2 /* exit status: asked for, and waiting for the second person */

int gn_ctl_limits(struct gn_ctl *c);
int gn_ctl_kill(struct gn_ctl *c);
int gn_ctl_rearm(struct gn_ctl *c);
int gn_ctl_flatten(struct gn_ctl *c);
int gn_ctl_session(struct gn_ctl *c);
int gn_ctl_feed(struct gn_ctl *c);
int gn_ctl_strategy(struct gn_ctl *c);
int gn_ctl_override(struct gn_ctl *c);
int gn_ctl_reconcile(struct gn_ctl *c);
int gn_ctl_golive(struct gn_ctl *c);
int gn_ctl_arm(struct gn_ctl *c);
int gn_ctl_alerts(struct gn_ctl *c);
int gn_ctl_resting(struct gn_ctl *c);
int gn_ctl_keygen(struct gn_ctl *c);
int gn_ctl_pending(struct gn_ctl *c);
int gn_ctl_approve(struct gn_ctl *c);
int gn_ctl_withdraw(struct gn_ctl *c);

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
