#include "tools/replay/live.h"

#include <stdio.h>

#include "dataplane/abi/region.h"

static bool attach(const struct gn_conf *c, const char *what, uint32_t kind, struct gn_region *out)
{
    char path[2 * GN_PATH_MAX], err[GN_REGION_ERR_LEN];
    if (gn_region_path(c, what, path, sizeof path) && gn_region_attach(path, kind, false, NULL, out, err) == 0)
        return true;
    fprintf(stderr, "gannet-replay: %s\n", err);
    return false;
}

static int64_t books(const struct gn_stage_feed *f, const struct gn_region *observe)
{
    const struct gn_instruments *theirs = gn_region_at(observe, GN_SECTION_INSTRUMENTS);
    const struct gn_book_row *rows = gn_region_at(observe, GN_SECTION_BOOK_ROWS);
    const struct gn_tob *tobs = gn_region_at(observe, GN_SECTION_TOB);
    const uint32_t n = atomic_load_explicit(&theirs->count, memory_order_acquire);
    const uint32_t own = atomic_load_explicit(&f->instruments->count, memory_order_relaxed);
    int64_t wrong = n != own;
    for (uint32_t i = 0; i < n && i < own; i++) {
        const struct gn_tob *a = &f->tob[i];
        struct gn_tob b = {.flags = 0};
        const bool same = gn_tob_read(&tobs[i], &b, 1000) &&
                          memcmp(f->instruments->row[i].symbol, theirs->row[i].symbol, 8) == 0 &&
                          f->rows[i].digest == rows[i].digest && f->rows[i].live_orders == rows[i].live_orders &&
                          a->bid == b.bid && a->bid_qty == b.bid_qty && a->ask == b.ask && a->ask_qty == b.ask_qty &&
                          a->last == b.last && a->flags == b.flags;
        if (!same)
            fprintf(stderr, "gannet-replay: book %.8s differs\n", theirs->row[i].symbol);
        wrong += !same;
    }
    return wrong;
}

static int64_t orders(const struct gn_conf *c, const struct gn_stage_orders *s, const struct gn_region *plane)
{
    const struct gn_order_table *theirs = gn_region_at(plane, GN_SECTION_ORDERS);
    const struct gn_position *positions = gn_region_at(plane, GN_SECTION_POSITIONS);
    int64_t wrong = theirs->next_seq != s->orders->next_seq || theirs->open != s->orders->open;
    if (wrong != 0)
        fprintf(stderr, "gannet-replay: next order or number of working orders differs\n");
    for (uint32_t i = 0; i < theirs->capacity && i < s->orders->capacity; i++) {
        if (memcmp(&theirs->order[i], &s->orders->order[i], offsetof(struct gn_order, list_next)) == 0)
            continue;
        fprintf(stderr, "gannet-replay: order %016llx differs\n", (unsigned long long)theirs->order[i].id);
        wrong++;
    }
    for (uint32_t i = 0; i < c->max_instruments; i++) {
        if (memcmp(&positions[i], &s->positions[i], sizeof positions[i]) == 0)
            continue;
        fprintf(stderr, "gannet-replay: position of instrument %u differs\n", i);
        wrong++;
    }
    return wrong;
}

int64_t gn_live_compare(const struct gn_conf *conf, const struct gn_replay *r)
{
    struct gn_region observe, plane;
    if (!attach(conf, "observe", GN_REGION_OBSERVE, &observe))
        return -1;
    if (!attach(conf, "plane", GN_REGION_PLANE, &plane)) {
        gn_region_detach(&observe);
        return -1;
    }
    const int64_t wrong = books(gn_replay_feed(r), &observe) + orders(conf, gn_replay_orders(r), &plane);
    gn_region_detach(&plane);
    gn_region_detach(&observe);
    return wrong;
}
