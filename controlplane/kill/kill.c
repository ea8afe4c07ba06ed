#include "controlplane/kill/kill.h"

#include <stdio.h>

#include "controlplane/appliance/text.h"

static const char *const ladder[] = {"active", "throttled", "reduce_only", "halted", "killed"};
static const char *const scopes[] = {"all", "session", "instrument", "strategy", "theme", "account", "venue"};

const char *gn_ladder_name(uint32_t level)
{
    return level < GN_ARRAY_LEN(ladder) ? ladder[level] : "unknown";
}

const char *gn_scope_name(uint32_t scope)
{
    return scope < GN_ARRAY_LEN(scopes) ? scopes[scope] : "unknown";
}

static int parse(const char *name, const char *const *names, uint32_t n)
{
    for (uint32_t i = 0; name != NULL && i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    return -1;
}

int gn_ladder_parse(const char *name)
{
    return parse(name, ladder, GN_ARRAY_LEN(ladder));
}

int gn_scope_parse(const char *name)
{
    return parse(name, scopes, GN_ARRAY_LEN(scopes));
}

_Atomic uint64_t *gn_kill_word(struct gn_control *c, const struct gn_conf *conf, uint32_t scope, uint32_t index)
{
    switch (scope) {
    case GN_SCOPE_ALL:
        return &c->kill_all;
    case GN_SCOPE_SESSION:
        return index < conf->n_sessions ? &c->kill_session[index] : NULL;
    case GN_SCOPE_STRATEGY:
        return index < conf->n_strategies ? &c->kill_strategy[index] : NULL;
    case GN_SCOPE_THEME:
        return index < conf->n_themes ? &c->kill_theme[index] : NULL;
    case GN_SCOPE_ACCOUNT:
        return index < conf->n_accounts ? &c->kill_account[index] : NULL;
    case GN_SCOPE_VENUE:
        return index < conf->n_venues ? &c->kill_venue[index] : NULL;
    case GN_SCOPE_INSTRUMENT:
        return index < conf->max_instruments ? gn_kill_instrument(c) + index : NULL;
    default:
        return NULL;
    }
}

static void note(struct gn_control *c, const struct gn_kill_request *r, uint32_t source, uint32_t level)
{
    struct gn_kill_record rec = {
        .set_ns = r->now_ns, .level = (uint16_t)level, .scope = (uint8_t)r->scope, .index = r->index};
    snprintf(rec.who, sizeof rec.who, "%s", r->who);
    snprintf(rec.why, sizeof rec.why, "%s", r->why);
    gn_text_plain(rec.who);
    gn_text_plain(rec.why);
    gn_kill_note(c, source, &rec);
}

uint64_t gn_kill_throw(struct gn_control *c, const struct gn_conf *conf, const struct gn_kill_request *r,
                       uint32_t source, char err[GN_KILL_ERR_LEN])
{
    _Atomic uint64_t *word = gn_kill_word(c, conf, r->scope, r->index);
    if (word == NULL || source >= GN_KILL_SOURCES || r->level > GN_LADDER_KILLED || r->level < GN_LADDER_THROTTLED) {
        snprintf(err, GN_KILL_ERR_LEN,
                 "scope %s has no number %u, or the level is none of throttled, reduce_only, halted, killed",
                 gn_scope_name(r->scope), r->index);
        return 0;
    }
    uint64_t now = atomic_load_explicit(word, memory_order_acquire);
    if (gn_kill_level(now) > r->level)
        return now; /* it stands higher already: what raised it there stays on record */
    note(c, r, source, r->level);
    return gn_kill_raise(word, r->level, source);
}

bool gn_kill_let_go(struct gn_control *c, const struct gn_conf *conf, const struct gn_kill_request *r, uint64_t seen,
                    char err[GN_KILL_ERR_LEN])
{
    _Atomic uint64_t *word = gn_kill_word(c, conf, r->scope, r->index);
    if (word == NULL) {
        snprintf(err, GN_KILL_ERR_LEN, "scope %s has no number %u", gn_scope_name(r->scope), r->index);
        return false;
    }
    /* first the record: whoever sees the released word finds who released it */
    if (atomic_load_explicit(word, memory_order_acquire) == seen)
        note(c, r, GN_KILL_BY_CONTROLPLANE, GN_LADDER_ACTIVE);
    if (gn_kill_release(word, seen))
        return true;
    snprintf(err, GN_KILL_ERR_LEN, "the switch was thrown again meanwhile; look at status, then release again");
    return false;
}
