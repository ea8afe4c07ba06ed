#include "dataplane/lcore/counters.h"

#include <stdio.h>

#include "dataplane/lcore/wiring.h"

struct copier {
    struct gn_wiring *w;
    struct gn_metrics_dir *dir;
    uint64_t *at; /* next free copy */
    uint64_t *end;
    uint32_t row;
    bool naming; /* first pass: fill the directory; later passes: values only */
};

static void name_row(struct copier *c, const uint64_t *where, const char *name, const char *label, const char *help,
                     uint32_t lcore)
{
    if (c->row == GN_METRICS_DIR_MAX)
        return;
    struct gn_metric_row *r = &c->dir->row[c->row++];
    snprintf(r->name, sizeof r->name, label[0] != 0 ? "%s{%s}" : "%s", name, label);
    snprintf(r->help, sizeof r->help, "%s", help);
    r->offset = (uint64_t)((const uint8_t *)where - (const uint8_t *)c->w->plane.hdr);
    r->lcore = lcore;
    r->kind = 0;
}

static void put(struct copier *c, uint64_t value, const char *name, const char *label, const char *help)
{
    if (c->at == c->end)
        return;
    if (c->naming)
        name_row(c, c->at, name, label, help, GN_NONE32);
    *c->at++ = value;
}

static void put_net(struct copier *c, const struct gn_loop_port *p)
{
    char label[40];
    const char *port = c->w->conf->port[p->index].name;
    for (uint32_t i = 1; i < GN_NET_DROP_COUNT; i++) {
        snprintf(label, sizeof label, "%s,%s", port, gn_net_drop_name(i));
        put(c, p->net->drops[i], "net_drops", label, gn_net_drop_help(i));
    }
    struct rte_eth_stats st = {0};
    rte_eth_stats_get(p->id, &st);
#define GN_X(name, member, help) put(c, st.member, #name, port, help);
    GN_PORT_METRICS(GN_X)
#undef GN_X
}

static void put_arbiter(struct copier *c, const struct gn_arb *a)
{
    static const char *const lines[GN_ARB_LINES] = {"a", "b", "retransmit"};
    const struct gn_arb_stats *s = &a->stats;
    /* members of GN_ARB_STATS are counters or arrays by line: both are seen as arrays here */
#define GN_X(member, help) {#member, help},
    static const struct {
        const char *name, *help;
    } rows[] = {GN_ARB_STATS(GN_X)};
#undef GN_X
    const uint64_t *value = (const uint64_t *)(const void *)s;
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        char name[48];
        const char *bracket = strchr(rows[i].name, '[');
        int len = bracket == NULL ? (int)strlen(rows[i].name) : (int)(bracket - rows[i].name);
        snprintf(name, sizeof name, "feed_%.*s", len < 32 ? len : 32, rows[i].name);
        for (uint32_t k = 0; k < (bracket == NULL ? 1 : GN_ARB_LINES); k++)
            put(c, *value++, name, bracket == NULL ? "" : lines[k], rows[i].help);
    }
}

static void put_tables(struct copier *c)
{
    put(c, c->w->clock.steps, "clock_steps", "", "steps of the wall clock that the lcores' clock did not follow");
    for (uint32_t i = 0; i < c->w->n_loops; i++) {
        const struct gn_loop *l = &c->w->loop[i];
        for (uint32_t k = 0; k < l->n_ports; k++)
            put_net(c, &l->port[k]);
        if (l->feed.arb != NULL)
            put_arbiter(c, l->feed.arb);
    }
}

static void name_lcores(struct copier *c)
{
    for (uint32_t i = 0; i < c->w->n_loops; i++) {
        const struct gn_lcore_metrics *m = c->w->loop[i].m;
#define GN_X(name, help) name_row(c, &m->name, #name, "", help, i);
        GN_LCORE_METRICS(GN_X)
#undef GN_X
        if ((c->w->loop[i].stages & GN_STAGE_ORDERS) == 0)
            continue;
        for (uint32_t k = 0; k < GN_VERDICT_COUNT; k++)
            if (gn_verdict_name(k) != gn_verdict_name(GN_VERDICT_COUNT)) /* numbers have gaps */
                name_row(c, &m->verdict[k], "gate_verdicts", gn_verdict_name(k), gn_verdict_help(k), i);
    }
}

static struct copier start(struct gn_wiring *w, bool naming)
{
    uint64_t *mem = gn_region_at(&w->plane, GN_SECTION_NET_COUNTERS);
    uint64_t n = w->plane.hdr->section[GN_SECTION_NET_COUNTERS].bytes / sizeof *mem;
    return (struct copier){
        .w = w, .dir = gn_region_at(&w->plane, GN_SECTION_METRICS_DIR), .at = mem, .end = mem + n, .naming = naming};
}

void gn_counters_register(struct gn_wiring *w)
{
    struct copier c = start(w, true);
    atomic_store_explicit(&c.dir->count, 0, memory_order_relaxed);
    name_lcores(&c);
    put_tables(&c);
    /* pairs with the acquire load of readers: all rows below count are written */
    atomic_store_explicit(&c.dir->count, c.row, memory_order_release);
}

void gn_counters_copy(struct gn_wiring *w)
{
    struct copier c = start(w, false);
    put_tables(&c);
}
