#include "controlplane/authority/authority.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/journal/sign.h"

#define NS_PER_MS 1000000ull

static const struct {
    const char *name;
    uint32_t ask, approve;
} acts[] = {{"none", 0, 0},
#define GN_X(num, NAME, name, ask, approve, help) [num] = {name, ask, approve},
            GN_ACTS(GN_X)
#undef GN_X
};

const char *gn_act_name(uint32_t act)
{
    return act < GN_ARRAY_LEN(acts) ? acts[act].name : "unknown";
}

uint32_t gn_act_roles(uint32_t act, bool second)
{
    if (act >= GN_ARRAY_LEN(acts))
        return 0;
    return second ? acts[act].approve : acts[act].ask;
}

const char *gn_roles_text(uint32_t roles, char out[48])
{
    snprintf(out, 48, "%s%s%s%s%s", roles & GN_ROLE_TRADER ? "trader" : "",
             roles & GN_ROLE_TRADER && roles > GN_ROLE_TRADER ? ", " : "", roles & GN_ROLE_RISK ? "risk" : "",
             roles & GN_ROLE_OPERATOR && roles & GN_ROLE_RISK ? ", " : "", roles & GN_ROLE_OPERATOR ? "operator" : "");
    return out;
}

const char *gn_authority_strerror(int err)
{
    switch (err) {
    case GN_AUTHORITY_OK:
        return "no error";
#define GN_X(num, NAME, text)     \
    case GN_AUTHORITY_ERR_##NAME: \
        return text;
        GN_AUTHORITY_ERRORS(GN_X)
#undef GN_X
    default:
        return "unknown error";
    }
}

void gn_authority_open(struct gn_authority *g, const struct gn_people *people, const char *instance,
                       const uint8_t boot[16])
{
    memset(g, 0, sizeof *g);
    g->people = people;
    g->instance = instance;
    gn_hex(boot, GN_AUTHORITY_BOOT_HEX / 2, g->boot);
    g->next_id = 1;
}

void gn_authority_close(struct gn_authority *g)
{
    for (uint32_t i = 0; i < GN_PENDING_MAX; i++)
        gn_authority_void(&g->pending[i]);
}

static uint32_t index_of(const struct gn_authority *g, const char *name)
{
    for (uint32_t i = 0; i < g->people->n; i++)
        if (strcmp(g->people->person[i].name, name) == 0)
            return i;
    return GN_NONE32;
}

int gn_authority_prove(struct gn_authority *g, const struct gn_proof *p, const char *request, uint32_t uid,
                       uint64_t now_ns, const struct gn_person **out)
{
    char text[GN_AUTHORITY_TEXT_MAX + 512];
    uint32_t i = index_of(g, p->person);
    if (i == GN_NONE32)
        return GN_AUTHORITY_ERR_PERSON;
    const struct gn_person *who = &g->people->person[i];
    if (who->uid != GN_NONE32 && who->uid != uid)
        return GN_AUTHORITY_ERR_UID;
    if (strcmp(p->boot, g->boot) != 0)
        return GN_AUTHORITY_ERR_BOOT;
    if (p->serial != g->serial[i])
        return GN_AUTHORITY_ERR_SERIAL;
    if (p->at_ns > now_ns + GN_AUTHORITY_NEW_NS || now_ns > p->at_ns + GN_AUTHORITY_OLD_NS)
        return GN_AUTHORITY_ERR_TIME;
    size_t len = gn_proof_text(p, g->instance, request, text);
    if (len == 0 || !gn_journal_signed(who->key, text, len, p->sig))
        return GN_AUTHORITY_ERR_SIGNATURE;
    g->serial[i]++;
    *out = who;
    return GN_AUTHORITY_OK;
}

int gn_authority_may(const struct gn_person *p, uint32_t act, bool second)
{
    return (p->roles & gn_act_roles(act, second)) != 0 ? GN_AUTHORITY_OK : GN_AUTHORITY_ERR_ROLE;
}

bool gn_authority_two(const struct gn_authority *g, uint32_t act)
{
    return g->people->single_person == 0 && gn_act_roles(act, true) != 0;
}

int gn_authority_ask(struct gn_authority *g, uint32_t act, const struct gn_person *who, const char *request,
                     uint64_t now_ns, const struct gn_pending **out)
{
    int rc = gn_authority_may(who, act, false);
    struct gn_pending *k = NULL;
    for (uint32_t i = 0; i < GN_PENDING_MAX && k == NULL; i++)
        if (g->pending[i].id == 0)
            k = &g->pending[i];
    if (rc != GN_AUTHORITY_OK)
        return rc;
    if (k == NULL || (k->request = strdup(request)) == NULL)
        return GN_AUTHORITY_ERR_FULL;
    k->id = g->next_id++;
    k->act = act;
    memcpy(k->person, who->name, sizeof k->person);
    k->asked_ns = now_ns;
    k->expires_ns = now_ns + g->people->pending_ms * NS_PER_MS;
    SHA256((const unsigned char *)request, strlen(request), k->digest);
    *out = k;
    return GN_AUTHORITY_OK;
}

struct gn_pending *gn_authority_find(struct gn_authority *g, uint64_t id, uint64_t now_ns)
{
    for (uint32_t i = 0; i < GN_PENDING_MAX; i++)
        if (id != 0 && g->pending[i].id == id && now_ns < g->pending[i].expires_ns)
            return &g->pending[i];
    return NULL;
}

int gn_authority_approve(const struct gn_pending *k, const struct gn_person *who, const uint8_t digest[32])
{
    if (strcmp(k->person, who->name) == 0)
        return GN_AUTHORITY_ERR_SAME_PERSON;
    if (CRYPTO_memcmp(k->digest, digest, sizeof k->digest) != 0)
        return GN_AUTHORITY_ERR_DIGEST;
    return gn_authority_may(who, k->act, true);
}

void gn_authority_void(struct gn_pending *k)
{
    free(k->request);
    memset(k, 0, sizeof *k);
}

struct gn_pending *gn_authority_expired(struct gn_authority *g, uint64_t now_ns)
{
    for (uint32_t i = 0; i < GN_PENDING_MAX; i++)
        if (g->pending[i].id != 0 && now_ns >= g->pending[i].expires_ns)
            return &g->pending[i];
    return NULL;
}
