#include "dataplane/abi/ring.h"

const char *gn_ring_strerror(int err)
{
    switch (err) {
    case GN_RING_OK:
        return "ok";
    case GN_RING_ERR_CELLS:
        return "ring size is not a power of two within the limits";
    case GN_RING_ERR_MAGIC:
        return "no ring at this address (magic differs)";
    case GN_RING_ERR_CORRUPT:
        return "ring indices or a record header are impossible";
    default:
        return "unknown ring error";
    }
}

static bool cells_ok(uint32_t cells)
{
    return gn_is_pow2(cells) && cells >= GN_RING_CELLS_MIN && cells <= GN_RING_CELLS_MAX;
}

uint64_t gn_ring_footprint(uint32_t cells)
{
    return cells_ok(cells) ? sizeof(struct gn_ring) + (uint64_t)cells * GN_RING_CELL : 0;
}

int gn_ring_new(void *mem, uint32_t cells, uint32_t source)
{
    struct gn_ring *r = mem;
    if (!cells_ok(cells))
        return GN_RING_ERR_CELLS;
    r->cells = cells;
    r->source = source;
    r->next_seq = 1;
    r->pending = 0;
    r->tail_seen = 0;
    atomic_store_explicit(&r->head, 0, memory_order_relaxed);
    atomic_store_explicit(&r->tail, 0, memory_order_relaxed);
    atomic_store_explicit(&r->last_seq, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    r->magic = GN_RING_MAGIC;
    return GN_RING_OK;
}

int gn_ring_check(const struct gn_ring *r, uint64_t max_bytes)
{
    if (max_bytes < sizeof *r || r->magic != GN_RING_MAGIC)
        return GN_RING_ERR_MAGIC;
    if (!cells_ok(r->cells) || gn_ring_footprint(r->cells) > max_bytes)
        return GN_RING_ERR_CELLS;
    if (gn_ring_used(r) > r->cells)
        return GN_RING_ERR_CORRUPT;
    return GN_RING_OK;
}

int gn_ring_join_producer(struct gn_ring *r)
{
    uint64_t cursor = atomic_load_explicit(&r->tail, memory_order_acquire);
    uint64_t last = atomic_load_explicit(&r->last_seq, memory_order_relaxed);
    int err = GN_RING_OK;
    const struct gn_rec *rec;

    while ((rec = gn_ring_read(r, &cursor, &err)) != NULL)
        last = rec->seq;
    if (err != GN_RING_OK)
        return err;
    r->pending = atomic_load_explicit(&r->head, memory_order_relaxed);
    r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    r->next_seq = last + 1;
    return GN_RING_OK;
}
