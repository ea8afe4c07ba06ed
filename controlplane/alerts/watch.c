#include "controlplane/alerts/watch.h"

#include <stdio.h>

#include "controlplane/appliance/appliance.h"
#include "dataplane/abi/names.h"

/* One counter of the directory, summed over lcores. */
static uint64_t counter(const struct gn_appliance *a, const char *name)
{
    const struct gn_metrics_dir *d = gn_region_at(&a->plane, GN_SECTION_METRICS_DIR);
    uint32_t n = atomic_load_explicit(&d->count, memory_order_acquire);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n && i < GN_METRICS_DIR_MAX; i++) {
        const struct gn_metric_row *r = &d->row[i];
        if (strncmp(r->name, name, sizeof r->name) == 0 && r->offset % sizeof(uint64_t) == 0 &&
            r->offset <= a->plane.mapped - sizeof(uint64_t))
            sum += *(const uint64_t *)(const void *)((const uint8_t *)a->plane.hdr + r->offset);
    }
    return sum;
}

static void look_sessions(struct gn_alert_watch *w, struct gn_appliance *a, bool say)
{
    const struct gn_session_row *rows = gn_region_at(&a->plane, GN_SECTION_SESSIONS);
    char text[GN_ALERT_TEXT];
    for (uint32_t i = 0; i < a->conf->n_sessions; i++) {
        uint32_t state = atomic_load_explicit(&rows[i].state, memory_order_relaxed);
        bool bad = state == GN_SESSION_REFUSED || state == GN_SESSION_ENDED;
        bool fell = w->session[i] == GN_SESSION_UP && state != GN_SESSION_UP;
        if (say && state != w->session[i] && (bad || fell)) {
            snprintf(text, sizeof text, "session %s is %s (reason %u), %llu orders in doubt", a->conf->session[i].name,
                     gn_session_state_name(state), rows[i].reason, (unsigned long long)rows[i].in_doubt);
            gn_appliance_alert_at(a, GN_ALERT_SESSION, bad ? 1 : 2, w->looked_ns, text);
        }
        w->session[i] = state;
    }
}

static void look_strategies(struct gn_alert_watch *w, struct gn_appliance *a, bool say)
{
    const struct gn_risk *risk = gn_region_at(&a->plane, GN_SECTION_RISK);
    char text[GN_ALERT_TEXT];
    for (uint32_t i = 0; i < a->conf->n_strategies; i++) {
        const struct gn_risk_scope *s = &risk->scope[GN_ROW_STRATEGY + i];
        uint64_t number = atomic_load_explicit(&s->disabled, memory_order_acquire);
        if (say && number != w->disabled[i]) {
            snprintf(text, sizeof text,
                     "strategy %s was disabled: executed and entered again %llu times; a person enables it",
                     a->conf->strategy[i].name, (unsigned long long)s->repeats);
            gn_appliance_alert_at(a, GN_ALERT_STRATEGY, 2, w->looked_ns, text);
        }
        w->disabled[i] = number;
    }
}

static void look_counters(struct gn_alert_watch *w, struct gn_appliance *a, bool say)
{
    const struct gn_order_table *orders = gn_region_at(&a->plane, GN_SECTION_ORDERS);
    uint64_t given_up = counter(a, "feed_given_up");
    if (say && orders->illegal > w->illegal)
        gn_appliance_alert_at(a, GN_ALERT_ILLEGAL, 1, w->looked_ns,
                              "the venue said of an order what its state does not allow: gannetctl reconcile");
    if (say && given_up > w->given_up)
        gn_appliance_alert_at(a, GN_ALERT_FEED, 1, w->looked_ns,
                              "a feed gap was given up: books stay stale until `gannetctl feed rebuild`");
    w->illegal = orders->illegal;
    w->given_up = given_up;
}

static void look_kills(struct gn_alert_watch *w, struct gn_appliance *a, bool say)
{
    uint64_t word = atomic_load_explicit(&a->control->kill_all, memory_order_acquire);
    uint32_t source = (uint32_t)(word >> 8) & 0xff;
    struct gn_kill_record r = {.why = "no record"};
    char text[GN_ALERT_TEXT];
    if (say && word != w->word && gn_kill_level(word) >= GN_LADDER_REDUCE_ONLY && source != GN_KILL_BY_CONTROLPLANE &&
        source < GN_KILL_SOURCES) {
        (void)gn_kill_noted(a->control, source, GN_SCOPE_ALL, 0, &r);
        snprintf(text, sizeof text, "kill switch thrown by %.31s: %.63s", r.who, r.why);
        gn_appliance_alert_at(a, GN_ALERT_KILL, 1, w->looked_ns, text);
    }
    w->word = word;
}

void gn_alert_watch_poll(struct gn_alert_watch *w, struct gn_appliance *a, uint64_t now_ns)
{
    bool say = w->looked_ns != 0;
    look_sessions(w, a, say);
    look_strategies(w, a, say);
    look_counters(w, a, say);
    look_kills(w, a, say);
    w->looked_ns = now_ns;
}
