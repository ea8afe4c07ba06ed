/* What throws the kill switch without being asked through the admin socket: a signal, a key file, a failed journal, a
 * data plane that stands still, a clock that cannot be trusted (by policy). Each kills everything, writes who and why
 * into the record of the switch and into the journal, and latches: only a release by a person re-arms.
 */
#ifndef GN_KILL_TRIGGERS_H
#define GN_KILL_TRIGGERS_H

#include "controlplane/appliance/appliance.h"
#include "controlplane/kill/clock_watch.h"
#include "controlplane/kill/kill.h"

#define GN_KEY_FILE "KILL" /* in run_dir */

/* A trigger's memory; the main thread alone touches it. */
struct gn_triggers {
    char key_path[GN_PATH_MAX + sizeof GN_KEY_FILE];
    bool key_seen;     /* the file that is there has killed */
    bool key_empty;    /* and had no reason in it yet */
    bool journal_seen; /* the failure that is there has killed */
    bool stall_seen;
    int signals; /* handled */
    uint64_t polled_ns;
    uint64_t loops[GN_LCORES_MAX];
    struct gn_clock_watch clock;
    uint64_t silent_ns[GN_LCORES_MAX]; /* time in which we looked and a lcore made no turn */
};

/* gn_triggers_catch: takes SIGUSR1; called first of all, so that none is lost while the rest starts. */
void gn_triggers_catch(void);

/* gn_triggers_open: looks for a key file at once: called before the heartbeat starts, so that nothing trades under a
 * key that lay there before. */
void gn_triggers_open(struct gn_triggers *t, struct gn_appliance *a);

/* gn_triggers_hold_live: a live appliance whose region was just made is halted until people arm it. */
void gn_triggers_hold_live(struct gn_appliance *a);

/* gn_triggers_poll: looks at every trigger; a signal ends the sleep before it. */
void gn_triggers_poll(struct gn_triggers *t, struct gn_appliance *a);

/* gn_triggers_key: a key file lies in run_dir: no release is accepted. Its path goes into path. */
bool gn_triggers_key(const char *run_dir, char *path, size_t size);

/* gn_kill_and_journal: gn_kill_throw for the control plane, then its journal record. The word, 0 with a sentence. */
uint64_t gn_kill_and_journal(struct gn_appliance *a, const struct gn_kill_request *r, char err[GN_KILL_ERR_LEN]);

/* gn_kill_journal: the record alone: r tells who, why and when; word is the word as it is now. */
void gn_kill_journal(struct gn_appliance *a, const struct gn_kill_request *r, uint64_t word);

#endif
