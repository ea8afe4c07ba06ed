#include "controlplane/admin/view.h"

struct lag {
    uint64_t records, age_ns;
};

/* Age of the first record that the journal has not released; other processes go on writing, so only a copy of its
 * header is looked at, and what makes no sense counts as new. */
static uint64_t oldest_ns(struct gn_ring *r, uint64_t now_ns)
{
    uint64_t at = atomic_load_explicit(&r->tail, memory_order_acquire);
    const uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    for (int pads = 0; at < head && pads < 2; pads++) {
        const struct gn_rec rec = *gn_ring_cell(r, at);
        if (rec.type != 0)
            return now_ns > rec.time_ns && rec.time_ns != 0 ? now_ns - rec.time_ns : 0;
        at += rec.bytes / GN_RING_CELL;
    }
    return 0;
}

/* Over all event rings. */
static struct lag lag_of(const struct gn_view *v)
{
    const struct gn_conf *c = gn_region_at(v->plane, GN_SECTION_CONF);
    struct lag lag = {0, 0};
    for (uint32_t i = 0; i <= c->n_lcores && i <= GN_LCORES_MAX; i++) {
        struct gn_ring *r = gn_region_at(v->plane, GN_SECTION_EVENT_RING + i);
        if (r == NULL || gn_ring_check(r, v->plane->hdr->section[GN_SECTION_EVENT_RING + i].bytes) != GN_RING_OK)
            continue;
        const uint64_t durable = atomic_load_explicit(&r->last_seq, memory_order_relaxed);
        const uint64_t written = r->next_seq - 1, age_ns = oldest_ns(r, v->now_ns);
        lag.records += written > durable ? written - durable : 0;
        lag.age_ns = age_ns > lag.age_ns ? age_ns : lag.age_ns;
    }
    return lag;
}

json_t *gn_view_journal(const struct gn_view *v)
{
    const struct gn_conf *c = gn_region_at(v->plane, GN_SECTION_CONF);
    const struct lag lag = lag_of(v);
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "mode", c->journal.mode == GN_JOURNAL_SYNC ? "sync" : "async",
                     "unsynced_records", (json_int_t)lag.records, "unsynced_us", (json_int_t)(lag.age_ns / 1000),
                     "unsynced_records_max", (json_int_t)c->journal.unsynced_records, "unsynced_ms_max",
                     (json_int_t)c->journal.unsynced_ms);
}

void gn_view_journal_metrics(const struct gn_view *v, json_t *list)
{
    const struct lag lag = lag_of(v);
    json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "name", "journal_unsynced_records", "help",
                                          "records in all event rings that are not durable yet", "value",
                                          (json_int_t)lag.records));
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:I}", "name", "journal_unsynced_us", "help",
                                    "age of the oldest of them, in us", "value", (json_int_t)(lag.age_ns / 1000)));
}
