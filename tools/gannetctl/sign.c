/* Persons: their keys, what they sign, and the second one's part. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/authority/proof.h"
#include "controlplane/journal/sign.h"
#include "tools/gannetctl/ctl.h"

#define ERR_BYTES 512

int gn_ctl_keygen(struct gn_ctl *c)
{
    char err[ERR_BYTES], hex[GN_PERSON_KEY_HEX + 1];
    if (c->argc != 1) {
        fprintf(stderr, "gannetctl: keygen: allowed: keygen FILE\n");
        return EXIT_FAILURE;
    }
    if (access(c->argv[0], F_OK) == 0) {
        fprintf(stderr, "gannetctl: keygen: %s is there already: a key is never overwritten; name another file\n",
                c->argv[0]);
        return EXIT_FAILURE;
    }
    struct gn_journal_key *key = gn_journal_key_load(c->argv[0], err, sizeof err);
    if (key == NULL) {
        fprintf(stderr, "gannetctl: keygen: %s\n", err);
        return EXIT_FAILURE;
    }
    gn_hex(gn_journal_key_public(key), GN_JOURNAL_PUBLIC_KEY, hex);
    printf("  - { name: %s, key: %s, role: [risk] }\n", c->who, hex);
    gn_journal_key_free(key);
    return EXIT_SUCCESS;
}

/* Boot and serial that the person's next signature must name. */
static bool challenge(const struct gn_ctl *c, struct gn_proof *p, char instance[GN_NAME_MAX])
{
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s, s:s}", "cmd", "challenge", "person", c->as), false);
    bool ok = json_is_true(json_object_get(reply, "ok"));
    if (reply != NULL && !ok)
        fprintf(stderr, "gannetctl: %s\n", gn_ctl_str(reply, "error"));
    if (ok) {
        snprintf(p->boot, sizeof p->boot, "%s", gn_ctl_str(reply, "boot"));
        snprintf(instance, GN_NAME_MAX, "%s", gn_ctl_str(reply, "instance"));
        snprintf(p->person, sizeof p->person, "%s", c->as);
        p->serial = (uint64_t)gn_ctl_int(reply, "serial");
        p->at_ns = (uint64_t)gn_ctl_wall_ns();
    }
    json_decref(reply);
    return ok;
}

static bool sign_text(const struct gn_ctl *c, struct gn_proof *p, const char *instance, const char *request)
{
    char err[ERR_BYTES], text[GN_AUTHORITY_TEXT_MAX + 512];
    size_t len = gn_proof_text(p, instance, request, text);
    if (access(c->key, F_OK) != 0) {
        fprintf(stderr, "gannetctl: --key %s: there is no such file; `gannetctl keygen FILE` makes one\n", c->key);
        return false;
    }
    struct gn_journal_key *key = gn_journal_key_load(c->key, err, sizeof err);
    bool ok = key != NULL && len != 0 && gn_journal_sign(key, text, len, p->sig);
    if (!ok)
        fprintf(stderr, "gannetctl: --key %s: %s\n", c->key, key == NULL ? err : "the request cannot be signed");
    gn_journal_key_free(key);
    return ok;
}

json_t *gn_ctl_act(const struct gn_ctl *c, json_t *request)
{
    struct gn_proof p = {.serial = 0};
    char instance[GN_NAME_MAX];
    if (request == NULL || c->as == NULL)
        return request == NULL ? NULL : gn_ctl_ask(c, request, false);
    char *text = gn_proof_request(request);
    bool ok = text != NULL && challenge(c, &p, instance) && sign_text(c, &p, instance, text);
    free(text);
    if (!ok) {
        json_decref(request);
        return NULL;
    }
    json_object_set_new(request, "auth", gn_proof_pack(&p));
    return gn_ctl_ask(c, request, false);
}

int gn_ctl_pending(struct gn_ctl *c)
{
    int status;
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "pending"), false);
    const json_t *rows = gn_ctl_part(c, reply, "pending", &status), *k;
    size_t i;
    json_array_foreach(rows, i, k) printf(
        "%lld  %s, asked by %s, needs %s, void in %lld s\n    %s\n", gn_ctl_int(k, "id"), gn_ctl_str(k, "act"),
        gn_ctl_str(k, "asked_by"), gn_ctl_str(k, "needs"), gn_ctl_int(k, "expires_in_s"), gn_ctl_str(k, "request"));
    if (rows != NULL && json_array_size(rows) == 0)
        printf("nothing waits\n");
    json_decref(reply);
    return status;
}

/* Whoever approves has seen what: the request is shown, and its digest is what he signs. */
static bool sees(const struct gn_ctl *c, const json_t *k)
{
    char answer[8] = "";
    bool sure = c->argc > 1 && strcmp(c->argv[1], "yes") == 0;
    if (c->json) /* a machine has seen it in what `pending` said */
        return sure;
    printf("%s, asked by %s:\n    %s\n", gn_ctl_str(k, "act"), gn_ctl_str(k, "asked_by"), gn_ctl_str(k, "request"));
    if (sure)
        return true;
    printf("type yes to approve: ");
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "yes\n") == 0;
}

int gn_ctl_approve(struct gn_ctl *c)
{
    int status = EXIT_FAILURE;
    char digest[65] = "";
    size_t i;
    const json_t *k;
    if (c->argc < 1 || c->as == NULL) {
        fprintf(stderr, "gannetctl: approve: allowed: gannetctl --as NAME --key FILE approve ID [yes]\n");
        return EXIT_FAILURE;
    }
    long long id = strtoll(c->argv[0], NULL, 10);
    json_t *list = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "pending"), false);
    json_array_foreach(json_object_get(list, "pending"), i, k) if (gn_ctl_int(k, "id") == id && sees(c, k))
        snprintf(digest, sizeof digest, "%s", gn_ctl_str(k, "digest"));
    json_decref(list);
    if (digest[0] == 0) {
        fprintf(stderr, "gannetctl: approve: nothing was approved; `pending` lists what waits\n");
        return EXIT_FAILURE;
    }
    json_t *reply = gn_ctl_act(
        c, json_pack("{s:s, s:I, s:s, s:s}", "cmd", "approve", "id", (json_int_t)id, "digest", digest, "who", c->who));
    if (gn_ctl_part(c, reply, "ok", &status) != NULL)
        printf("approved and done: %s\n", gn_ctl_str(reply, "who"));
    json_decref(reply);
    return status;
}

int gn_ctl_withdraw(struct gn_ctl *c)
{
    int status;
    json_t *reply = c->argc == 1 ? gn_ctl_ask(c,
                                              json_pack("{s:s, s:I, s:s}", "cmd", "withdraw", "id",
                                                        (json_int_t)strtoll(c->argv[0], NULL, 10), "who", c->who),
                                              false)
                                 : NULL;
    if (c->argc != 1)
        fprintf(stderr, "gannetctl: withdraw: allowed: withdraw ID\n");
    if (gn_ctl_part(c, reply, "withdrawn", &status) != NULL)
        printf("request %lld is void\n", gn_ctl_int(reply, "withdrawn"));
    json_decref(reply);
    return status;
}
