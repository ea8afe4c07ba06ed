#include "controlplane/admin/commands.h"
#include "controlplane/admin/view.h"

#define SHOWN 200u

static void add_table(const struct gn_view *v, const struct gn_recon *r, const char *source, json_t *list)
{
    uint64_t total = r == NULL ? 0 : atomic_load_explicit(&r->total, memory_order_acquire);
    for (uint64_t n = total; n > 0 && n + GN_BREAKS_MAX > total && json_array_size(list) < SHOWN; n--) {
        static const char *const states[] = {"unknown", "open", "resolved", "noted"};
        struct gn_break b;
        char symbol[9] = "", order[20];
        if (!gn_break_read(r, n, &b))
            continue;
        if (b.instrument != GN_BREAK_NOWHERE)
            gn_view_symbol(v, b.instrument, symbol);
        snprintf(order, sizeof order, "%016llx", (unsigned long long)b.order_id);
        json_array_append_new(
            list,
            json_pack("{s:s, s:I, s:s, s:s, s:s, s:i, s:s, s:s, s:I, s:I, s:I}", "source", source, "number",
                      (json_int_t)n, "kind", gn_break_kind_name(gn_break_kind(b.kind)), "break", gn_break_name(b.kind),
                      "state", b.state < GN_ARRAY_LEN(states) ? states[b.state] : "unknown", "severity",
                      (int)gn_break_severity(b.kind), "symbol", symbol, "order", b.order_id != 0 ? order : "", "ours",
                      (json_int_t)b.ours, "theirs", (json_int_t)b.theirs, "age_s",
                      (json_int_t)((v->now_ns > b.found_ns ? v->now_ns - b.found_ns : 0) / 1000000000u)));
    }
}

json_t *gn_admin_reconcile(struct gn_appliance *a, const struct gn_call *call)
{
    const struct gn_recon *own = gn_region_at(&a->plane, GN_SECTION_RECON),
                          *dc = gn_region_at(&a->plane, GN_SECTION_RECON_DC);
    struct gn_view v = {.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
    json_t *list = json_array(), *kinds = json_object();
    (void)call;
    gn_reconcile_look(a, v.now_ns);
    const struct gn_reconcile *k = &a->reconcile;
    add_table(&v, own, "order session", list);
    add_table(&v, dc, "drop copy", list);
    for (uint32_t i = 0; i < GN_KIND_COUNT; i++)
        json_object_set_new(kinds, gn_break_kind_name(i), json_integer(k->open[i]));
    uint64_t heard = dc == NULL ? 0 : atomic_load_explicit(&dc->source_ns, memory_order_relaxed);
    return json_pack("{s:b, s:o, s:o, s:I, s:I, s:I, s:b, s:I, s:I, s:I}", "ok", 1, "breaks", list, "open", kinds,
                     "open_total", (json_int_t)k->open_total, "positions_differ", (json_int_t)k->positions_differ,
                     "fills", (json_int_t)k->fills, "partial", k->partial, "fees", (json_int_t)k->fees, "rounds",
                     (json_int_t)atomic_load_explicit(&own->rounds, memory_order_relaxed), "drop_copy_age_ms",
                     (json_int_t)(heard == 0 ? -1 : (long long)(v.now_ns > heard ? (v.now_ns - heard) / 1000000u : 0)));
}
