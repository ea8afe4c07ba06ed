/* Commands that look. */
#include "build_id.h"
#include "controlplane/admin/commands.h"
#include "controlplane/admin/view.h"

static struct gn_view view_of(const struct gn_appliance *a)
{
    return (struct gn_view){.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
}

static json_t *journal_status(const struct gn_appliance *a)
{
    struct gn_journal_status st;
    gn_journal_status(a->journal, &st);
    json_t *more = json_pack("{s:b, s:I, s:I, s:i, s:I}", "ready", st.failed == 0 && !st.slow, "ready_segments",
                             (json_int_t)st.ready_segments, "no_correlation", (json_int_t)st.no_corr, "prepare_errno",
                             st.prepare_errno, "checkpoints", (json_int_t)st.checkpoints);
    json_t *o =
        json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s}", "failed", st.failed, "records",
                  (json_int_t)st.records, "bytes", (json_int_t)st.bytes, "batches", (json_int_t)st.batches, "segment",
                  (json_int_t)st.segment, "lag_cells", (json_int_t)st.lag_cells, "last_commit_ns",
                  (json_int_t)st.last_commit_ns, "max_commit_ns", (json_int_t)st.max_commit_ns, "probe_p50_ns",
                  (json_int_t)st.probe_p50_ns, "direct", st.direct, "slow", st.slow, "slow_why", st.slow_why);
    json_object_update(o, more);
    json_decref(more);
    return o;
}

static json_t *kill_check(const struct gn_appliance *a)
{
    const struct gn_tracker *t = &a->tracker;
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "state", gn_tracker_name(t->state), "since_ns",
                     (json_int_t)t->since_ns, "verified_ns", (json_int_t)t->verified_ns, "resting",
                     (json_int_t)t->resting, "in_doubt", (json_int_t)t->in_doubt, "retries", (json_int_t)t->retries);
}

static json_t *alert_counts(const struct gn_appliance *a)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "total", (json_int_t)a->alerts.total, "late", (json_int_t)a->alerts.late,
                     "latency_max_us", (json_int_t)(a->alerts.latency_max_ns / 1000), "severity_1",
                     (json_int_t)a->alerts.by_severity[1]);
}

json_t *gn_admin_alerts(struct gn_appliance *a, const struct gn_call *call)
{
    const struct gn_alerts *k = &a->alerts;
    json_t *list = json_array();
    (void)call;
    for (uint64_t n = k->total > GN_ALERTS_KEPT ? k->total - GN_ALERTS_KEPT : 0; n < k->total; n++) {
        const struct gn_alert *r = &k->row[n % GN_ALERTS_KEPT];
        json_array_append_new(
            list,
            json_pack("{s:I, s:s, s:I, s:s, s:s, s:I, s:I, s:s}", "number", (json_int_t)r->number, "alert",
                      gn_alert_name(r->code), "severity", (json_int_t)r->severity, "owner", gn_alert_owner(r->code),
                      "runbook", gn_alert_runbook(r->code), "said_ns", (json_int_t)r->said_ns, "after_us",
                      (json_int_t)((r->said_ns > r->event_ns ? r->said_ns - r->event_ns : 0) / 1000), "text", r->text));
    }
    return gn_admin_good("alerts", list);
}

/* Killed but still resting: what the venue has not confirmed, oldest first by its place in the table. */
json_t *gn_admin_resting(struct gn_appliance *a, const struct gn_call *call)
{
    const struct gn_order_table *t = gn_region_at(&a->plane, GN_SECTION_ORDERS);
    struct gn_view v = view_of(a);
    json_t *list = json_array();
    (void)call;
    if (t->capacity == 0 || gn_orders_footprint(t->capacity) > a->plane.hdr->section[GN_SECTION_ORDERS].bytes)
        return gn_admin_good("resting", list);
    for (uint32_t i = 0; i < t->capacity && json_array_size(list) < 1000; i++)
        if (gn_tracker_killed(a, &t->order[i]))
            json_array_append_new(list, gn_view_order(&v, &t->order[i]));
    return gn_admin_good("resting", list);
}

json_t *gn_admin_status(struct gn_appliance *a, const struct gn_call *call)
{
    (void)call;
    struct gn_view v = view_of(a);
    json_t *status = gn_view_status(&v);
    json_t *journal = journal_status(a);
    json_object_update(json_object_get(status, "journal"), journal);
    json_decref(journal);
    json_object_set_new(status, "authority", gn_admin_people(a));
    json_object_set_new(status, "kill_check", kill_check(a));
    json_object_set_new(status, "alerts", alert_counts(a));
    return gn_admin_good("status", status);
}

json_t *gn_admin_positions(struct gn_appliance *a, const struct gn_call *call)
{
    (void)call;
    struct gn_view v = view_of(a);
    return gn_admin_good("positions", gn_view_positions(&v));
}

json_t *gn_admin_orders(struct gn_appliance *a, const struct gn_call *call)
{
    struct gn_view v = view_of(a);
    return gn_admin_good("orders", gn_view_orders(&v, json_is_true(json_object_get(call->request, "all"))));
}

json_t *gn_admin_books(struct gn_appliance *a, const struct gn_call *call)
{
    (void)call;
    struct gn_view v = view_of(a);
    return gn_admin_good("books", gn_view_books(&v));
}

json_t *gn_admin_metrics(struct gn_appliance *a, const struct gn_call *call)
{
    (void)call;
    struct gn_view v = view_of(a);
    return gn_admin_good("metrics", gn_view_metrics(&v));
}

json_t *gn_admin_limits(struct gn_appliance *a, const struct gn_call *call)
{
    (void)call;
    struct gn_view v = view_of(a);
    return gn_admin_good("limits", gn_view_limits(&v));
}

json_t *gn_admin_version(struct gn_appliance *a, const struct gn_call *call)
{
    (void)call;
    return json_pack("{s:b, s:s, s:i, s:s}", "ok", 1, "controlplane", GN_BUILD_ID, "abi", (int)GN_ABI_VERSION, "region",
                     a->plane.hdr->build_id);
}
