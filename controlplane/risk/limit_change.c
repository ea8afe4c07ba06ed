#include "controlplane/risk/limit_change.h"

#include <stdio.h>
#include <time.h>

#include "dataplane/abi/limits_check.h"

#define WAIT_STEP_NS 200000l
#define WAIT_STEPS   5000u

static const struct gn_limit_field instrument_fields[] = {
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) \
    {num, #field, unit, min, max, offsetof(struct gn_limits_instrument, field), help, looser},
    GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
};

static const struct gn_limit_field firm_fields[] = {
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) \
    {num, #field, unit, min, max, offsetof(struct gn_limits_scope, field), help, looser},
    GN_SCOPE_LIMITS(GN_X)
#undef GN_X
};

const struct gn_limit_field *gn_limit_fields(bool firm, uint32_t *n)
{
    *n = firm ? GN_ARRAY_LEN(firm_fields) : GN_ARRAY_LEN(instrument_fields);
    return firm ? firm_fields : instrument_fields;
}

const struct gn_limit_field *gn_limit_find(bool firm, const char *name)
{
    uint32_t n;
    const struct gn_limit_field *f = gn_limit_fields(firm, &n);
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return &f[i];
    return NULL;
}

/* Without a data plane nobody reads, so nobody has to leave. */
static bool wait_idle(const struct gn_appliance *a)
{
    struct timespec step = {0, WAIT_STEP_NS};
    for (uint32_t i = 0; i < WAIT_STEPS; i++) {
        if (gn_limits_idle(a->limits, 1) || !gn_appliance_dataplane_alive(a->control))
            return true;
        nanosleep(&step, NULL);
    }
    return false;
}

static void journal(struct gn_appliance *a, uint32_t instrument, const struct gn_limit_field *f, int64_t old,
                    int64_t value, const char *who)
{
    struct gn_rec *rec = gn_appliance_event(a, GN_EV_LIMITS, sizeof(struct gn_ev_limits));
    if (rec == NULL)
        return;
    struct gn_ev_limits *ev = (struct gn_ev_limits *)(rec + 1);
    ev->generation = gn_limits_current(a->limits) + 1;
    rec->corr = ev->generation;
    ev->instrument = instrument;
    ev->field = f->number;
    ev->old_value = old;
    ev->new_value = value;
    snprintf(ev->who, sizeof ev->who, "%s", who);
    gn_appliance_publish(a);
}

bool gn_limit_loosens(const struct gn_limit_field *f, int64_t old, int64_t value)
{
    if (f->looser == 0)
        return value != old;
    return f->looser > 0 ? value > old : value < old;
}

static void first_finding(void *ctx, const struct gn_limits_finding *f)
{
    char *text = ctx;
    if (text[0] == 0)
        snprintf(text, GN_LIMITS_TEXT_MAX, "%s", f->text);
}

static uint32_t contradictions(const struct gn_appliance *a, uint64_t generation, char text[GN_LIMITS_TEXT_MAX])
{
    const struct gn_limits_tree tree = {.conf = &a->loaded.conf,
                                        .scope = gn_limits_scope_row(a->limits, generation, 0),
                                        .instrument = a->loaded.instruments,
                                        .limits = gn_limits_row(a->limits, generation, 0),
                                        .instrument_stride = sizeof a->loaded.instruments[0],
                                        .limits_stride = sizeof(struct gn_limits_instrument),
                                        .n_instruments = a->loaded.conf.n_instruments};
    text[0] = 0;
    return gn_limits_check(&tree, first_finding, text);
}

/* No member may be given more than a scope above it has: what the loader checks, of the rows that a loosening would
 * make. A scope may be raised step by step after it was lowered; what tightens is never in question: a firm that must
 * stop at once has no time to lower its members first, and the gate holds the tighter of both. */
static bool sound(const struct gn_appliance *a, bool firm, uint64_t now, char err[GN_LIMIT_ERR_LEN])
{
    char before[GN_LIMITS_TEXT_MAX], after[GN_LIMITS_TEXT_MAX];
    const uint32_t was = contradictions(a, now, before), is = contradictions(a, now + 1, after);
    if (is <= (firm ? was : 0))
        return true;
    snprintf(err, GN_LIMIT_ERR_LEN, "%s; lower the members first, or raise the scope; nothing was changed", after);
    return false;
}

bool gn_limit_change(struct gn_appliance *a, uint32_t instrument, const struct gn_limit_field *f, int64_t value,
                     const char *who, int64_t *old, char err[GN_LIMIT_ERR_LEN])
{
    struct gn_limits *l = a->limits;
    if (value < f->min || value > f->max) {
        snprintf(err, GN_LIMIT_ERR_LEN, "%s: found %lld, allowed %lld to %lld %s", f->name, (long long)value,
                 (long long)f->min, (long long)f->max, f->unit);
        return false;
    }
    if (!wait_idle(a)) {
        snprintf(err, GN_LIMIT_ERR_LEN,
                 "the data plane has not taken over the last change within a second: is its lcore alive? see status");
        return false;
    }
    uint64_t now = gn_limits_current(l), next = now + 1;
    memcpy(gn_limits_firm_row(l, next), gn_limits_firm_row(l, now), gn_limits_half_bytes(l->rows));
    bool firm = instrument == GN_NONE32;
    uint8_t *row = firm ? (uint8_t *)gn_limits_firm_row(l, next) : (uint8_t *)gn_limits_row(l, next, instrument);
    uint64_t *set = (uint64_t *)(void *)row; /* first member of both rows */
    int64_t *field = (int64_t *)(void *)(row + f->offset);
    const bool tightens = (*set & 1ull << f->number) != 0 && !gn_limit_loosens(f, *field, value);
    *old = *set & 1ull << f->number ? *field : 0;
    *field = value;
    *set |= 1ull << f->number;
    if (!tightens && !sound(a, firm, now, err))
        return false; /* the idle generation is made anew by the next change */
    journal(a, instrument, f, *old, value, who);
    gn_limits_publish(l);
    if (wait_idle(a))
        return true;
    snprintf(err, GN_LIMIT_ERR_LEN, "published, but the data plane has not taken it over within a second: see status");
    return false;
}
