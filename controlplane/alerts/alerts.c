#include "controlplane/alerts/alerts.h"

#include <stdio.h>

#include "controlplane/appliance/text.h"

static const struct {
    uint32_t code;
    const char *name, *owner, *runbook;
} codes[] = {
#define GN_X(num, NAME, name, owner, runbook, help) {num, name, owner, runbook},
    GN_ALERT_CODES(GN_X)
#undef GN_X
};

static uint32_t row_of(uint32_t code)
{
    uint32_t i = 0;
    while (i < GN_ARRAY_LEN(codes) && codes[i].code != code)
        i++;
    return i;
}

const char *gn_alert_name(uint32_t code)
{
    uint32_t i = row_of(code);
    return i < GN_ARRAY_LEN(codes) ? codes[i].name : "other";
}

const char *gn_alert_owner(uint32_t code)
{
    uint32_t i = row_of(code);
    return i < GN_ARRAY_LEN(codes) ? codes[i].owner : "operator";
}

const char *gn_alert_runbook(uint32_t code)
{
    uint32_t i = row_of(code);
    return i < GN_ARRAY_LEN(codes) ? codes[i].runbook : "";
}

const struct gn_alert *gn_alerts_add(struct gn_alerts *a, uint32_t code, uint32_t severity, uint64_t event_ns,
                                     uint64_t now_ns, const char *text)
{
    struct gn_alert *r = &a->row[a->total % GN_ALERTS_KEPT];
    uint64_t latency = now_ns > event_ns ? now_ns - event_ns : 0;
    *r = (struct gn_alert){
        .number = ++a->total, .event_ns = event_ns, .said_ns = now_ns, .code = code, .severity = severity};
    snprintf(r->text, sizeof r->text, "%s", text);
    gn_text_plain(r->text);
    a->latency_last_ns = latency;
    a->latency_max_ns = latency > a->latency_max_ns ? latency : a->latency_max_ns;
    a->late += latency > GN_ALERT_LATE_NS;
    a->by_severity[severity < GN_ALERT_SEVERITIES ? severity : 0]++;
    return r;
}
