#include "config/people.h"

#include "config/check.h"

static int nibble(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_key(struct gn_person *p)
{
    for (uint32_t i = 0; i < GN_PERSON_KEY; i++) {
        int hi = nibble(p->key_hex[2 * i]), lo = hi < 0 ? -1 : nibble(p->key_hex[2 * i + 1]);
        if (lo < 0)
            return false;
        p->key[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

static void check_person(struct gn_walk *w, struct gn_people *all, uint32_t i)
{
    struct gn_person *p = &all->person[i];
    if (!gn_walk_given(w, &p->uid))
        p->uid = GN_NONE32;
    if (!gn_walk_good(w, p->key_hex))
        return;
    if (!read_key(p)) {
        gn_walk_found(w, false, p->key_hex, ", allowed: 64 hexadecimal digits; gannetctl keygen prints them");
        return;
    }
    for (uint32_t j = 0; j < i; j++)
        if (gn_walk_good(w, all->person[j].key_hex) && memcmp(p->key, all->person[j].key, sizeof p->key) == 0)
            gn_walk_found(w, false, p->key_hex,
                          ", the key of %s, allowed: a key of his own; two names with one key are one person",
                          all->person[j].name);
}

/* Somebody with the role risk approves, somebody else asks. */
static bool two_persons(const struct gn_people *all)
{
    bool risk = false;
    for (uint32_t i = 0; i < all->n; i++)
        risk |= (all->person[i].roles & GN_ROLE_RISK) != 0;
    return risk && all->n >= 2;
}

/* Keys, endpoint and mode must agree: an order meant for a trial must not reach an exchange, nor the other way. */
static void check_environment(struct gn_walk *w, struct gn_draft_session *s)
{
    uint32_t mode = w->draft->conf.mode, env = s->environment;
    if (!gn_walk_good(w, &w->draft->conf.mode))
        return; /* reported already: nothing can agree with it */
    if (!gn_walk_given(w, &s->environment)) {
        s->environment = GN_ENV_SIMULATOR;
        if (mode != GN_MODE_MOCK)
            gn_walk_says(
                w, false, s->s.name,
                "session %s does not say what answers there, allowed: environment: production, test or simulator; "
                "only mode mock may leave it out",
                s->s.name);
        return;
    }
    if (mode == GN_MODE_LIVE && env != GN_ENV_PRODUCTION)
        gn_walk_found(w, false, &s->environment, ", allowed in mode live: production; or choose mode paper");
    else if ((mode == GN_MODE_PAPER || mode == GN_MODE_MOCK) && env == GN_ENV_PRODUCTION)
        gn_walk_found(
            w, false, &s->environment,
            ", allowed in mode %s: %s; orders of a trial must not reach the exchange; with mode live they may",
            mode == GN_MODE_PAPER ? "paper" : "mock", "test, simulator");
}

void gn_check_people(struct gn_walk *w)
{
    struct gn_draft *d = w->draft;
    for (uint32_t i = 0; i < d->conf.n_sessions; i++)
        check_environment(w, &d->session[i]);
    for (uint32_t i = 0; i < d->people.n; i++)
        check_person(w, &d->people, i);
    if (d->people.single_person != 0 && d->conf.mode == GN_MODE_LIVE)
        gn_walk_found(w, false, &d->people.single_person,
                      ", allowed in mode live: false; name at least two people, one of them with role risk");
    if (d->people.single_person != 0 || two_persons(&d->people))
        return;
    gn_conf_errors_add(
        w->errs, d->conf.mode != GN_MODE_LIVE, 0, w->name, 0, "people",
        "%u found: no kill can be released and no limit raised, allowed: at least two people, one of them "
        "with role risk; or, for a trial, authority.single_person: true",
        d->people.n);
}
