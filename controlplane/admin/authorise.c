/* Who may: signatures, the second person, and the record of both. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controlplane/admin/commands.h"

bool gn_admin_audit(struct gn_appliance *a, uint32_t what, uint32_t act, const struct gn_pending *k,
                    const struct gn_call *call, const char *second)
{
    struct gn_rec *rec = gn_appliance_event(a, GN_EV_AUTHORITY, sizeof(struct gn_ev_authority));
    char *request = k != NULL ? NULL : gn_proof_request(call->request);
    const char *text = k != NULL ? k->request : request != NULL ? request : "";
    if (rec != NULL) {
        struct gn_ev_authority *ev = (struct gn_ev_authority *)(rec + 1);
        ev->what = what;
        ev->act = act;
        ev->id = k != NULL ? k->id : 0;
        ev->uid = call != NULL ? call->peer->uid : 0;
        ev->pid = call != NULL ? call->peer->pid : 0;
        if (k != NULL)
            memcpy(ev->digest, k->digest, sizeof ev->digest);
        snprintf(ev->person, sizeof ev->person, "%s", k != NULL ? k->person : call->who);
        snprintf(ev->second, sizeof ev->second, "%s", second);
        json_t *stored = k != NULL ? json_loads(k->request, 0, NULL) : NULL;
        snprintf(ev->why, sizeof ev->why, "%s",
                 gn_admin_text(stored != NULL ? stored
                               : call != NULL ? call->request
                                              : NULL,
                               "why", ""));
        json_decref(stored);
        snprintf(ev->request, sizeof ev->request, "%s", text);
        gn_appliance_publish(a);
    }
    free(request);
    return rec != NULL;
}

/* The person behind the request's signature; NULL with an answer. */
static const struct gn_person *prove(struct gn_appliance *a, const struct gn_call *call, json_t **answer)
{
    char err[GN_AUTHORITY_ERR_LEN];
    struct gn_proof proof;
    const struct gn_person *who = NULL;
    const json_t *auth = json_object_get(call->request, "auth");
    if (auth == NULL) {
        *answer = gn_admin_fail(gn_authority_strerror(GN_AUTHORITY_ERR_UNSIGNED));
        return NULL;
    }
    if (!gn_proof_parse(auth, &proof, err, sizeof err)) {
        *answer = gn_admin_fail(err);
        return NULL;
    }
    char *text = gn_proof_request(call->request);
    int rc = text == NULL ? GN_AUTHORITY_ERR_SIGNATURE
                          : gn_authority_prove(&a->authority, &proof, text, call->peer->uid, gn_now_ns(), &who);
    free(text);
    if (rc != GN_AUTHORITY_OK)
        *answer = gn_admin_failf("%s: %s (uid %u)", proof.person, gn_authority_strerror(rc), call->peer->uid);
    return rc == GN_AUTHORITY_OK ? who : NULL;
}

static json_t *refused(uint32_t act, bool second, const struct gn_person *who, int rc)
{
    char roles[48];
    if (rc != GN_AUTHORITY_ERR_ROLE)
        return gn_admin_failf("%s: %s", gn_act_name(act), gn_authority_strerror(rc));
    return gn_admin_failf("%s: %s may not %s it, allowed: people with role %s", gn_act_name(act), who->name,
                          second ? "approve" : "ask for", gn_roles_text(gn_act_roles(act, second), roles));
}

static json_t *wait_for_second(struct gn_appliance *a, uint32_t act, const struct gn_person *who, struct gn_call *call)
{
    char roles[48], digest[65];
    const struct gn_pending *k = NULL;
    char *text = gn_proof_request(call->request);
    int rc = text == NULL ? GN_AUTHORITY_ERR_FULL : gn_authority_ask(&a->authority, act, who, text, gn_now_ns(), &k);
    free(text);
    if (rc != GN_AUTHORITY_OK) {
        gn_admin_audit(a, GN_AUTHORITY_REFUSED, act, NULL, call, "");
        return refused(act, false, who, rc);
    }
    gn_admin_audit(a, GN_AUTHORITY_REQUESTED, act, k, call, "");
    gn_hex(k->digest, sizeof k->digest, digest);
    return json_pack("{s:b, s:I, s:s, s:s, s:s, s:I}", "ok", 1, "pending", (json_int_t)k->id, "digest", digest, "act",
                     gn_act_name(act), "needs", gn_roles_text(gn_act_roles(act, true), roles), "expires_ns",
                     (json_int_t)k->expires_ns);
}

json_t *gn_admin_authorise(struct gn_appliance *a, uint32_t act, struct gn_call *call)
{
    json_t *answer = NULL;
    if (a->authority.people->single_person != 0) {
        call->authorised = true;
        return NULL;
    }
    if (gn_admin_text(call->request, "why", "")[0] == 0)
        return gn_admin_failf("%s: why: a reason is needed; it is kept with the names", gn_act_name(act));
    const struct gn_person *who = prove(a, call, &answer);
    if (who == NULL) {
        gn_admin_audit(a, GN_AUTHORITY_REFUSED, act, NULL, call, "");
        return answer;
    }
    snprintf(call->who, sizeof call->who, "%s", who->name);
    if (gn_authority_two(&a->authority, act))
        return wait_for_second(a, act, who, call);
    int rc = gn_authority_may(who, act, false);
    if (rc != GN_AUTHORITY_OK) {
        gn_admin_audit(a, GN_AUTHORITY_REFUSED, act, NULL, call, "");
        return refused(act, false, who, rc);
    }
    call->authorised = true;
    return NULL;
}

/* ---- commands ---- */

json_t *gn_admin_challenge(struct gn_appliance *a, const struct gn_call *call)
{
    const struct gn_authority *g = &a->authority;
    const char *name = gn_admin_text(call->request, "person", "");
    for (uint32_t i = 0; i < g->people->n; i++)
        if (strcmp(g->people->person[i].name, name) == 0)
            return json_pack("{s:b, s:s, s:s, s:I}", "ok", 1, "instance", g->instance, "boot", g->boot, "serial",
                             (json_int_t)g->serial[i]);
    return gn_admin_failf("person: found \"%s\"; %s", name, gn_authority_strerror(GN_AUTHORITY_ERR_PERSON));
}

json_t *gn_admin_pending(struct gn_appliance *a, const struct gn_call *call)
{
    uint64_t now = gn_now_ns();
    json_t *list = json_array();
    (void)call;
    for (uint32_t i = 0; i < GN_PENDING_MAX; i++) {
        const struct gn_pending *k = &a->authority.pending[i];
        char digest[65], roles[48];
        if (k->id == 0 || now >= k->expires_ns)
            continue;
        gn_hex(k->digest, sizeof k->digest, digest);
        json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:s}", "id", (json_int_t)k->id, "act",
                                              gn_act_name(k->act), "asked_by", k->person, "needs",
                                              gn_roles_text(gn_act_roles(k->act, true), roles), "expires_in_s",
                                              (json_int_t)((k->expires_ns - now) / 1000000000u), "request", k->request,
                                              "digest", digest));
    }
    return gn_admin_good("pending", list);
}

json_t *gn_admin_approve(struct gn_appliance *a, const struct gn_call *call)
{
    uint8_t digest[32];
    json_t *answer = NULL;
    const json_t *id = json_object_get(call->request, "id");
    struct gn_pending *k = gn_authority_find(&a->authority, (uint64_t)json_integer_value(id), gn_now_ns());
    if (k == NULL)
        return gn_admin_failf("id: found %lld; %s; `pending` lists what is", (long long)json_integer_value(id),
                              gn_authority_strerror(GN_AUTHORITY_ERR_NO_SUCH));
    if (!gn_unhex(gn_admin_text(call->request, "digest", ""), digest, sizeof digest))
        return gn_admin_fail("digest: expected 64 hexadecimal digits: `pending` shows them");
    const struct gn_person *who = prove(a, call, &answer);
    if (who == NULL)
        return answer;
    int rc = gn_authority_approve(k, who, digest);
    if (rc != GN_AUTHORITY_OK) {
        gn_admin_audit(a, GN_AUTHORITY_REFUSED, k->act, k, call, who->name);
        return refused(k->act, true, who, rc);
    }
    if (!gn_admin_audit(a, GN_AUTHORITY_APPROVED, k->act, k, call, who->name))
        return gn_admin_failf(
            "%s: the journal does not keep up, so nobody could tell later who allowed it: nothing was "
            "done; see status, then approve again",
            gn_act_name(k->act));
    json_t *request = json_loads(k->request, 0, NULL);
    struct gn_call both = {.request = request, .peer = call->peer, .authorised = true};
    snprintf(both.who, sizeof both.who, "%.15s+%.15s", k->person, who->name);
    gn_authority_void(k); /* whatever comes of it: it was used */
    answer = request == NULL ? gn_admin_fail("out of memory") : gn_admin_run(a, &both);
    json_decref(request);
    return answer;
}

json_t *gn_admin_withdraw(struct gn_appliance *a, const struct gn_call *call)
{
    const json_t *id = json_object_get(call->request, "id");
    struct gn_pending *k = gn_authority_find(&a->authority, (uint64_t)json_integer_value(id), gn_now_ns());
    if (k == NULL)
        return gn_admin_failf("id: found %lld; %s", (long long)json_integer_value(id),
                              gn_authority_strerror(GN_AUTHORITY_ERR_NO_SUCH));
    gn_admin_audit(a, GN_AUTHORITY_WITHDRAWN, k->act, k, call, call->who);
    gn_authority_void(k);
    return gn_admin_good("withdrawn", json_integer(json_integer_value(id)));
}

json_t *gn_admin_people(const struct gn_appliance *a)
{
    char roles[48];
    const struct gn_people *p = a->authority.people;
    json_t *list = json_array();
    for (uint32_t i = 0; i < p->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", p->person[i].name, "roles",
                                              gn_roles_text(p->person[i].roles, roles)));
    return json_pack("{s:s, s:o}", "persons",
                     p->single_person != 0 ? "one, unsigned (authority.single_person): for trials" : "two, signed",
                     "people", list);
}

void gn_admin_expire(struct gn_appliance *a)
{
    struct gn_pending *k;
    struct gn_peer self = {.uid = getuid(), .pid = (uint32_t)getpid()};
    struct gn_call call = {.peer = &self};
    while ((k = gn_authority_expired(&a->authority, gn_now_ns())) != NULL) {
        gn_admin_audit(a, GN_AUTHORITY_EXPIRED, k->act, k, &call, "");
        gn_authority_void(k);
    }
}
