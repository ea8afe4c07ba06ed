/* The admin API: one JSON object in, one out. Commands are rows of one table, which feeds dispatch, help and docs.
 *
 * A command that needs authority (controlplane/authority) is answered in one of two ways: it is done, because one
 * person suffices and has proved himself, or it is pending until another person approves it.
 */
#ifndef GN_ADMIN_COMMANDS_H
#define GN_ADMIN_COMMANDS_H

#include <jansson.h>

#include "controlplane/appliance/appliance.h"

/* The process at the other end of the socket, as the kernel says. */
struct gn_peer {
    uint32_t uid, pid;
};

struct gn_call {
    const json_t *request;
    const struct gn_peer *peer;
    char who[32];    /* persons that proved themselves; else what the request says */
    bool authorised; /* the act's persons have proved themselves, or the configuration asks for none */
};

struct gn_admin_command {
    const char *name;
    const char *arguments; /* as help shows them */
    const char *help;
    json_t *(*run)(struct gn_appliance *a, const struct gn_call *call);
    uint32_t act; /* enum gn_act */
    /* when not NULL: the act by what the request says; or an answer that refuses it, without asking anybody */
    uint32_t (*act_of)(struct gn_appliance *a, const json_t *request, json_t **refusal);
    bool audited; /* it changes something: done, it is a record of type authority even when it needs none */
};

/* gn_admin_commands: the table. */
const struct gn_admin_command *gn_admin_commands(uint32_t *n);

/* gn_admin_answer: runs request {"cmd": name, ...}; the answer is {"ok": true, ...} or {"ok": false, "error":
 * sentence}. A request that waits for its second person: {"ok": true, "pending": id, ...}. */
json_t *gn_admin_answer(struct gn_appliance *a, const json_t *request, const struct gn_peer *peer);

/* gn_admin_expire: requests whose time is over become void, and the journal says so. */
void gn_admin_expire(struct gn_appliance *a);

/* ---- between the files of this folder ---- */

json_t *gn_admin_fail(const char *what);
json_t *gn_admin_failf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
json_t *gn_admin_good(const char *key, json_t *value);

/* gn_admin_text: a member that is a string, else `otherwise`. */
const char *gn_admin_text(const json_t *request, const char *key, const char *otherwise);

/* gn_admin_scope: scope and index of a request: {"scope": "instrument", "name": "GN0001"}; absent: all. */
bool gn_admin_scope(const struct gn_appliance *a, const json_t *request, uint32_t *scope, uint32_t *index, char *err,
                    size_t err_bytes) GN_MUST_CHECK;

/* look.c */
json_t *gn_admin_status(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_positions(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_orders(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_books(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_metrics(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_limits(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_alerts(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_resting(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_version(struct gn_appliance *a, const struct gn_call *call);

/* act.c */
json_t *gn_admin_limit_set(struct gn_appliance *a, const struct gn_call *call);
uint32_t gn_admin_limit_act(struct gn_appliance *a, const json_t *request, json_t **refusal);
json_t *gn_admin_kill(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_kill_word(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_release(struct gn_appliance *a, const struct gn_call *call);

/* operate.c */
json_t *gn_admin_flatten(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_flatten_status(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_session_reconnect(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_feed_rebuild(struct gn_appliance *a, const struct gn_call *call);

/* exceptions.c */
json_t *gn_admin_strategy_enable(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_strategies(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_override(struct gn_appliance *a, const struct gn_call *call);
uint32_t gn_admin_override_act(struct gn_appliance *a, const json_t *request, json_t **refusal);
json_t *gn_admin_overrides(struct gn_appliance *a, const struct gn_call *call);

/* golive.c */
json_t *gn_admin_golive(struct gn_appliance *a, const struct gn_call *call);
uint32_t gn_admin_arm_act(struct gn_appliance *a, const json_t *request, json_t **refusal);
json_t *gn_admin_arm(struct gn_appliance *a, const struct gn_call *call);

/* reconcile.c */
json_t *gn_admin_reconcile(struct gn_appliance *a, const struct gn_call *call);

/* authorise.c: what a request needs before it runs. NULL: call->authorised is set, run it; else the answer. */
json_t *gn_admin_authorise(struct gn_appliance *a, uint32_t act, struct gn_call *call);
json_t *gn_admin_challenge(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_pending(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_approve(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_withdraw(struct gn_appliance *a, const struct gn_call *call);
json_t *gn_admin_people(const struct gn_appliance *a);

/* gn_admin_audit: a record of type authority; false when the event ring has no room for it. */
bool gn_admin_audit(struct gn_appliance *a, uint32_t what, uint32_t act, const struct gn_pending *k,
                    const struct gn_call *call, const char *second);

/* gn_admin_run: runs the command of call->request, which is authorised. */
json_t *gn_admin_run(struct gn_appliance *a, const struct gn_call *call);

#endif
