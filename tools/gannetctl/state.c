/* The state rebuilt from the journal, and its comparison with the shared region. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/admin/view.h"
#include "controlplane/journal/state.h"
#include "tools/gannetctl/ctl.h"

static int complain(const char *what, const char *detail)
{
    fprintf(stderr, "gannetctl: journal state: %s%s%s\n", what, detail[0] != 0 ? ": " : "", detail);
    return EXIT_FAILURE;
}

/* What the rings still hold is after what the journal has: records of a data plane, or of both, that died. */
static int apply_rings(struct gn_jstate *s, const struct gn_region *plane)
{
    const struct gn_conf *conf = gn_region_at(plane, GN_SECTION_CONF);
    for (uint32_t i = 0; i <= conf->n_lcores && i <= GN_LCORES_MAX; i++) {
        const uint32_t section = GN_SECTION_EVENT_RING + i;
        struct gn_ring *r = gn_region_at(plane, section);
        int err = r == NULL ? GN_RING_ERR_MAGIC : gn_ring_check(r, plane->hdr->section[section].bytes);
        if (err != GN_RING_OK)
            return GN_JOURNAL_ERR_RING;
        uint64_t cursor = atomic_load_explicit(&r->tail, memory_order_acquire);
        const struct gn_rec *rec;
        while ((rec = gn_ring_read(r, &cursor, &err)) != NULL) {
            int rc = gn_jstate_apply(s, rec, (const uint8_t *)(rec + 1), rec->bytes - (uint32_t)sizeof *rec,
                                     plane->hdr->epoch);
            if (rc != GN_JOURNAL_OK)
                return rc;
        }
        if (err != GN_RING_OK)
            return GN_JOURNAL_ERR_RING;
    }
    return GN_JOURNAL_OK;
}

static json_t *i128(gn_i128 v)
{
    char text[48];
    size_t at = sizeof text - 1;
    const bool negative = v < 0;
    text[at] = 0;
    do {
        const int d = (int)(v % 10);
        text[--at] = (char)('0' + (d < 0 ? -d : d));
        v /= 10;
    } while (v != 0);
    if (negative)
        text[--at] = '-';
    return json_string(text + at);
}

static json_t *positions_json(const struct gn_jstate *s, uint32_t n, const struct gn_view *view)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++) {
        const struct gn_position *p = gn_jstate_position(s, i);
        char symbol[9] = "";
        if (p->sent == 0 && p->fills == 0 && p->open_orders == 0)
            continue;
        if (view != NULL)
            gn_view_symbol(view, i, symbol);
        json_array_append_new(
            list,
            json_pack("{s:I, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "instrument",
                      (json_int_t)i, "symbol", symbol, "position", (json_int_t)p->qty, "bought", (json_int_t)p->bought,
                      "sold", (json_int_t)p->sold, "buy_value", i128(p->buy_value), "sell_value", i128(p->sell_value),
                      "cash", i128(p->sell_value - p->buy_value), "fills", (json_int_t)p->fills, "open_buy",
                      (json_int_t)p->open_buy, "open_sell", (json_int_t)p->open_sell, "open_orders",
                      (json_int_t)p->open_orders, "orders", (json_int_t)p->sent, "accepted", (json_int_t)p->accepted,
                      "canceled", (json_int_t)p->canceled, "rejected", (json_int_t)p->rejected));
    }
    return list;
}

static void report(const struct gn_ctl *c, const struct gn_jstate *s, const struct gn_view *view, int64_t differences)
{
    struct gn_jstate_totals t;
    gn_jstate_totals(s, &t);
    if (!c->json) {
        printf("%" PRIu64 " records: %" PRIu64 " orders, %" PRIu64 " working; next order sequence %" PRIu64
               "; %u changed limits; %" PRIu64 " reports of unknown orders, %" PRIu64 " with another position\n",
               t.records, t.orders, t.working, t.next_seq, t.limits, t.unknown, t.position_errors);
        if (differences == 0)
            printf("the region is the same\n");
        else if (differences > 0)
            printf("%" PRId64 " differences to the region\n", differences);
        return;
    }
    json_t *o = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "ok", differences <= 0, "differences",
                          (json_int_t)differences, "records", (json_int_t)t.records, "orders", (json_int_t)t.orders,
                          "working", (json_int_t)t.working, "next_seq", (json_int_t)t.next_seq, "unknown",
                          (json_int_t)t.unknown, "position_errors", (json_int_t)t.position_errors, "limits",
                          (json_int_t)t.limits, "positions", positions_json(s, t.positions, view));
    json_dumpf(o, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(o);
}

/* With the region: what its rings still hold is applied, then all is compared. */
static int with_region(const struct gn_ctl *c, struct gn_jstate *s, bool compare)
{
    struct gn_region plane, observe;
    if (!gn_ctl_attach(c, &plane, &observe))
        return EXIT_FAILURE;
    const struct gn_view view = {.plane = &plane, .observe = &observe};
    const struct gn_conf *conf = gn_region_at(&plane, GN_SECTION_CONF);
    const uint64_t room = plane.hdr->section[GN_SECTION_POSITIONS].bytes / sizeof(struct gn_position);
    int rc = apply_rings(s, &plane);
    int64_t differences = -1;
    if (rc != GN_JOURNAL_OK)
        (void)complain("the rings do not continue the journal", gn_journal_strerror(rc));
    else if (compare)
        differences = (int64_t)gn_jstate_compare(s, gn_region_at(&plane, GN_SECTION_ORDERS),
                                                 gn_region_at(&plane, GN_SECTION_POSITIONS),
                                                 room < conf->max_instruments ? (uint32_t)room : conf->max_instruments,
                                                 gn_region_at(&plane, GN_SECTION_LIMITS), stderr);
    if (rc == GN_JOURNAL_OK)
        report(c, s, &view, differences);
    gn_region_detach(&observe);
    gn_region_detach(&plane);
    return rc == GN_JOURNAL_OK && differences <= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool load(struct gn_jstate *s, const char *path)
{
    FILE *f = fopen(path, "re");
    const bool ok = f != NULL && gn_jstate_load(s, f);
    if (f != NULL)
        (void)fclose(f);
    return ok;
}

static bool save(const struct gn_jstate *s, const char *path)
{
    FILE *f = fopen(path, "we");
    const bool ok = f != NULL && gn_jstate_save(s, f);
    return f != NULL && fclose(f) == 0 && ok;
}

int gn_ctl_state(const struct gn_ctl *c, const char *dir)
{
    struct gn_journal_finding finding = {.damage = GN_JOURNAL_SOUND};
    const char *from = NULL, *to = NULL;
    bool region = false;
    for (int i = 0; i < c->argc; i++) {
        if (strncmp(c->argv[i], "from=", 5) == 0)
            from = c->argv[i] + 5;
        else if (strncmp(c->argv[i], "snapshot=", 9) == 0)
            to = c->argv[i] + 9;
        else if (strcmp(c->argv[i], "compare") == 0)
            region = true;
        else
            return complain("allowed: from=SNAPSHOT, snapshot=FILE, compare; found", c->argv[i]);
    }
    struct gn_jstate *s = gn_jstate_new();
    int status = EXIT_FAILURE;
    if (s == NULL)
        return complain("out of memory", "");
    if (from != NULL && !load(s, from)) {
        (void)complain("this is no snapshot", from);
    } else {
        int rc = gn_jstate_read(s, dir, NULL, &finding);
        if (rc != GN_JOURNAL_OK)
            (void)complain(gn_journal_strerror(rc), finding.reason);
        else if (to != NULL && !save(s, to))
            (void)complain("cannot be written", to);
        else if (region)
            status = with_region(c, s, true);
        else
            status = EXIT_SUCCESS;
        if (rc == GN_JOURNAL_OK && !region)
            report(c, s, NULL, -1);
    }
    gn_jstate_free(s);
    return status;
}
