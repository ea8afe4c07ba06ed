#include "controlplane/reconcile/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "controlplane/appliance/appliance.h"

uint32_t gn_break_kind(uint32_t c)
{
    switch (c) {
    case GN_BREAK_UNKNOWN_ORDER:
    case GN_BREAK_UNKNOWN_FILL:
    case GN_BREAK_UNKNOWN_BUST:
    case GN_BREAK_MESSAGES_LOST:
    case GN_BREAK_FILL_NOT_HERE:
    case GN_BREAK_ORDER_NOT_HERE:
    case GN_BREAK_USER_REF:
        return GN_KIND_MISSING_HERE;
    case GN_BREAK_NEVER_ARRIVED:
    case GN_BREAK_FILL_NOT_THERE:
        return GN_KIND_MISSING_THERE;
    case GN_BREAK_OVERFILL:
    case GN_BREAK_FILL_QTY:
    case GN_BREAK_ORDER_LEAVES:
    case GN_BREAK_POSITION:
        return GN_KIND_QUANTITY;
    case GN_BREAK_FILL_PRICE:
        return GN_KIND_PRICE;
    case GN_BREAK_FILL_FEE:
        return GN_KIND_FEE;
    case GN_BREAK_DC_SILENT:
    case GN_BREAK_DC_LOST:
        return GN_KIND_LATE;
    default:
        return GN_KIND_OTHER;
    }
}

const char *gn_break_kind_name(uint32_t kind)
{
    static const char *const names[] = {
#define GN_X(num, NAME, name) name,
        GN_BREAK_KINDS(GN_X)
#undef GN_X
    };
    return kind < GN_ARRAY_LEN(names) ? names[kind] : "unknown";
}

static void count_breaks(struct gn_reconcile *k, const struct gn_recon *r)
{
    if (r == NULL)
        return;
    uint64_t total = atomic_load_explicit(&r->total, memory_order_acquire);
    for (uint64_t n = total > GN_BREAKS_MAX ? total - GN_BREAKS_MAX + 1 : 1; n <= total; n++) {
        struct gn_break b;
        if (!gn_break_read(r, n, &b) || b.state != GN_BREAK_OPEN)
            continue;
        uint32_t severity = gn_break_severity(b.kind);
        k->open[gn_break_kind(b.kind)]++;
        k->open_total++;
        k->worst = k->worst == 0 || severity < k->worst ? severity : k->worst;
    }
}

/* Every fill that stands adds to its instrument; the sum is the position, when no fill is missing from the table. */
static void add_fills(struct gn_appliance *a, struct gn_reconcile *k)
{
    const struct gn_fills *t = gn_region_at(&a->plane, GN_SECTION_FILLS);
    const struct gn_position *p = gn_region_at(&a->plane, GN_SECTION_POSITIONS);
    uint32_t n = a->conf->max_instruments;
    if (t == NULL || t->capacity == 0)
        return;
    uint64_t total = atomic_load_explicit(&t->total, memory_order_acquire);
    int64_t *sum = calloc(n, sizeof *sum);
    k->partial = total > t->capacity || sum == NULL;
    for (uint64_t i = total > t->capacity ? total - t->capacity + 1 : 1; i <= total; i++) {
        struct gn_fill f;
        if (!gn_fill_read(t, i, &f) || f.state != GN_FILL_STANDS || f.instrument >= n)
            continue;
        k->fees += f.fee;
        k->fills++;
        if (sum != NULL)
            sum[f.instrument] += f.side == GN_SIDE_BUY ? f.qty : -f.qty;
    }
    for (uint32_t i = 0; i < n && !k->partial; i++)
        k->positions_differ += sum[i] != p[i].qty;
    /* a fill that came while we added is no difference: looked at again, it is gone */
    if (atomic_load_explicit(&t->total, memory_order_acquire) != total)
        k->positions_differ = 0;
    free(sum);
}

void gn_reconcile_look(struct gn_appliance *a, uint64_t now_ns)
{
    struct gn_reconcile k = {
        .looked_ns = now_ns, .said_stale = a->reconcile.said_stale, .said_open = a->reconcile.said_open};
    count_breaks(&k, gn_region_at(&a->plane, GN_SECTION_RECON));
    count_breaks(&k, gn_region_at(&a->plane, GN_SECTION_RECON_DC));
    add_fills(a, &k);
    a->reconcile = k;
}

void gn_reconcile_poll(struct gn_appliance *a, uint64_t now_ns)
{
    struct gn_reconcile *k = &a->reconcile;
    char text[GN_ALERT_TEXT];
    if (k->looked_ns != 0 && now_ns - k->looked_ns < GN_RECONCILE_PERIOD_NS)
        return;
    bool stale = k->looked_ns != 0 && now_ns - k->looked_ns > GN_RECONCILE_STALE_NS;
    uint64_t was_ns = k->looked_ns;
    if (stale) { /* we ourselves stood still for so long */
        snprintf(text, sizeof text, "the reconciliation report was %llu s old: nobody compared meanwhile",
                 (unsigned long long)((now_ns - was_ns) / 1000000000u));
        gn_appliance_alert_at(a, GN_ALERT_RECONCILE, 2, now_ns, text);
    }
    gn_reconcile_look(a, now_ns);
    uint32_t open = k->open_total + k->positions_differ;
    if (open > k->said_open) {
        snprintf(text, sizeof text,
                 "%u breaks are open, %u positions do not follow from their fills: gannetctl reconcile", k->open_total,
                 k->positions_differ);
        gn_appliance_alert_at(a, GN_ALERT_RECONCILE, k->worst != 0 && k->positions_differ == 0 ? k->worst : 1, now_ns,
                              text);
    }
    k->said_open = open;
}
