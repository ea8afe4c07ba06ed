/* The go-live gate, and arming a live appliance. */
#include "controlplane/golive/golive.h"

#include <stdio.h>

#include "controlplane/admin/commands.h"
#include "controlplane/kill/triggers.h"

json_t *gn_admin_golive(struct gn_appliance *a, const struct gn_call *call)
{
    uint32_t n;
    const struct gn_golive_item *items = gn_golive_items(&n);
    json_t *list = json_array();
    bool all = true;
    (void)call;
    for (uint32_t i = 0; i < n; i++) {
        char found[GN_GOLIVE_TEXT] = "";
        bool good = items[i].look(a, found);
        all &= good;
        json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s}", "item", items[i].name, "pass", good, "found",
                                              found, "mend", good ? "" : items[i].mend));
    }
    char config[65];
    gn_hex(a->conf->config_sha256, sizeof a->conf->config_sha256, config);
    return json_pack("{s:b, s:o, s:b, s:s, s:s}", "ok", 1, "items", list, "complete", all, "config", config, "instance",
                     a->conf->instance);
}

/* Whatever is missing is said before anybody is asked to sign. */
uint32_t gn_admin_arm_act(struct gn_appliance *a, const json_t *request, json_t **refusal)
{
    const struct gn_golive_item *first = NULL;
    if (a->conf->mode != GN_MODE_LIVE)
        *refusal =
            gn_admin_fail("arm: the mode is not live; what stopped this appliance is released: gannetctl release");
    else if (strcmp(gn_admin_text(request, "confirm", ""), a->conf->instance) != 0)
        *refusal = gn_admin_failf("confirm: found \"%.32s\", allowed: the name of this instance, typed",
                                  gn_admin_text(request, "confirm", ""));
    else if (!gn_golive_complete(a, &first))
        *refusal = gn_admin_failf("the go-live gate is not complete: %s: %s; `golive` shows every item", first->name,
                                  first->mend);
    return GN_ACT_ARM;
}

json_t *gn_admin_arm(struct gn_appliance *a, const struct gn_call *call)
{
    char err[GN_KILL_ERR_LEN];
    const json_t *looked_at = json_object_get(call->request, "word");
    if (!call->authorised || !json_is_integer(looked_at))
        return gn_admin_fail("arm needs authority, and the kill word that was looked at");
    struct gn_kill_request r = {.scope = GN_SCOPE_ALL,
                                .who = call->who,
                                .why = gn_admin_text(call->request, "why", "armed"),
                                .now_ns = gn_now_ns()};
    if (!gn_kill_let_go(a->control, a->conf, &r, (uint64_t)json_integer_value(looked_at), err))
        return gn_admin_fail(err);
    gn_kill_journal(a, &r, atomic_load_explicit(&a->control->kill_all, memory_order_acquire));
    return json_pack("{s:b, s:s, s:s}", "ok", 1, "armed", a->conf->instance, "who", call->who);
}
