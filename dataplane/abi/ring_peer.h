/* One side of a ring whose other side is not trusted: a client process and the strategy host across a client file. The
 * same bytes as ring.h; the difference is what this side believes.
 *
 *      gn_ring_peer_join_producer -> gn_ring_peer_put ...
 *      gn_ring_peer_join_consumer -> gn_ring_peer_get ...
 *
 * Everything that bounds an access (size of the ring, own index) is this side's private copy, taken and checked at the
 * join: the other side may write any byte of the file at any time and changes neither where this side writes nor how
 * far it reads. Headers are copied before they are looked at. What it can do is to lose its own messages.
 */
#ifndef GN_ABI_RING_PEER_H
#define GN_ABI_RING_PEER_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/ring.h"

/* Results beside the negative enum gn_ring_err. */
enum gn_ring_peer_result {
    GN_RING_PEER_NOTHING = 0, /* put: no room; get: no record */
    GN_RING_PEER_DONE = 1,
};

struct gn_ring_peer {
    struct gn_ring *ring; /* NULL: not joined */
    uint64_t cells;
    uint64_t at;    /* producer: end of what is published; consumer: end of what is taken */
    uint64_t other; /* producer: the consumer's index as last seen */
    uint64_t seq;   /* producer: of the next record; consumer: expected of the next record */
};

static inline struct gn_rec *gn_ring_peer_cell(const struct gn_ring_peer *p, uint64_t index)
{
    return (struct gn_rec *)(void *)(p->ring->data + (index & (p->cells - 1)) * GN_RING_CELL);
}

/* gn_ring_peer_size: the ring's cells, or 0 when there is no ring at r that fits into room bytes. */
static inline uint64_t gn_ring_peer_size(const struct gn_ring *r, uint64_t room)
{
    if (room < sizeof *r || __atomic_load_n(&r->magic, __ATOMIC_RELAXED) != GN_RING_MAGIC)
        return 0;
    uint64_t cells = __atomic_load_n(&r->cells, __ATOMIC_RELAXED);
    bool ok = gn_is_pow2(cells) && cells >= GN_RING_CELLS_MIN && cells <= GN_RING_CELLS_MAX &&
              cells * GN_RING_CELL <= room - sizeof *r;
    return ok ? cells : 0;
}

/* gn_ring_peer_next: copies the header of the next record that is no pad into *out and the first `size` bytes of its
 * payload into payload, and moves p->at past it; head is the end of what is published. */
static inline int gn_ring_peer_next(struct gn_ring_peer *p, uint64_t head, struct gn_rec *out, void *payload,
                                    uint32_t size)
{
    while (p->at != head) {
        const struct gn_rec *rec = gn_ring_peer_cell(p, p->at);
        uint64_t to_end = p->cells - (p->at & (p->cells - 1));
        memcpy(out, rec, sizeof *out);
        /* the compiler must not look again at what was copied: the other side may have changed it */
        atomic_signal_fence(memory_order_seq_cst);
        uint64_t need = ((uint64_t)out->bytes + GN_RING_CELL - 1) / GN_RING_CELL;
        if (head - p->at > p->cells || need == 0 || need > to_end || need > head - p->at ||
            (out->type != 0 && (out->bytes < sizeof *out || out->bytes > GN_REC_BYTES_MAX)))
            return GN_RING_ERR_CORRUPT;
        p->at += need;
        if (out->type == 0)
            continue;
        uint32_t len = out->bytes - (uint32_t)sizeof *out;
        if (size != 0)
            memcpy(payload, rec + 1, len < size ? len : size);
        atomic_signal_fence(memory_order_seq_cst);
        return GN_RING_PEER_DONE;
    }
    return GN_RING_PEER_NOTHING;
}

/* gn_ring_peer_join_consumer: takes over the reading side of the ring at r; room bytes of the file lie behind r.
 * Returns GN_RING_OK, GN_RING_ERR_MAGIC (no ring that fits) or GN_RING_ERR_CORRUPT. */
GN_MUST_CHECK static inline int gn_ring_peer_join_consumer(struct gn_ring_peer *p, struct gn_ring *r, uint64_t room)
{
    *p = (struct gn_ring_peer){.cells = gn_ring_peer_size(r, room)};
    if (p->cells == 0)
        return GN_RING_ERR_MAGIC;
    p->at = atomic_load_explicit(&r->tail, memory_order_relaxed);
    p->seq = atomic_load_explicit(&r->last_seq, memory_order_relaxed) + 1;
    if (atomic_load_explicit(&r->head, memory_order_acquire) - p->at > p->cells)
        return GN_RING_ERR_CORRUPT;
    p->ring = r;
    return GN_RING_OK;
}

/* gn_ring_peer_join_producer: takes over the writing side; what an earlier life published stays, what it had only
 * reserved is dropped. Same results. */
GN_MUST_CHECK static inline int gn_ring_peer_join_producer(struct gn_ring_peer *p, struct gn_ring *r, uint64_t room)
{
    struct gn_rec rec;
    int rc = gn_ring_peer_join_consumer(p, r, room);
    if (rc != GN_RING_OK)
        return rc;
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    p->other = p->at;
    while ((rc = gn_ring_peer_next(p, head, &rec, NULL, 0)) == GN_RING_PEER_DONE)
        p->seq = rec.seq + 1;
    if (rc < 0)
        p->ring = NULL;
    return rc;
}

/* gn_ring_peer_put: publishes one record: type, len bytes of payload. DONE; NOTHING: the ring is full and unchanged;
 * GN_RING_ERR_CORRUPT: the consumer's index cannot be. A producer that drops the record then may do p->seq++, so that
 * the consumer sees that one is missing. */
GN_MUST_CHECK static inline int gn_ring_peer_put(struct gn_ring_peer *p, uint16_t type, const void *payload,
                                                 uint32_t len, uint64_t time_ns, uint64_t corr)
{
    const uint32_t bytes = (uint32_t)sizeof(struct gn_rec) + len;
    const uint64_t need = (bytes + GN_RING_CELL - 1) / GN_RING_CELL;
    uint64_t to_end = p->cells - (p->at & (p->cells - 1));
    uint64_t skip = need > to_end ? to_end : 0;

    assert(bytes <= GN_REC_BYTES_MAX && type != 0);
    if (p->at + skip + need - p->other > p->cells) {
        /* pairs with the release store in gn_ring_peer_get: the consumer is done with those cells */
        p->other = atomic_load_explicit(&p->ring->tail, memory_order_acquire);
        if (p->at - p->other > p->cells)
            return GN_RING_ERR_CORRUPT;
        if (p->at + skip + need - p->other > p->cells)
            return GN_RING_PEER_NOTHING;
    }
    if (skip != 0) {
        struct gn_rec pad = {.bytes = (uint32_t)(skip * GN_RING_CELL)};
        memcpy(gn_ring_peer_cell(p, p->at), &pad, sizeof pad);
        p->at += skip;
    }
    struct gn_rec head = {.bytes = bytes, .type = type, .seq = p->seq++, .time_ns = time_ns, .corr = corr};
    struct gn_rec *rec = gn_ring_peer_cell(p, p->at);
    memcpy(rec, &head, sizeof head);
    memcpy(rec + 1, payload, len);
    p->at += need;
    /* pairs with the acquire load in gn_ring_peer_get */
    atomic_store_explicit(&p->ring->head, p->at, memory_order_release);
    return GN_RING_PEER_DONE;
}

/* gn_ring_peer_get: takes one record: its header into *out, the first `size` bytes of its payload into payload; how
 * many there were, out->bytes tells. DONE, NOTHING, or GN_RING_ERR_CORRUPT: the producer's index or a header cannot be.
 */
GN_MUST_CHECK static inline int gn_ring_peer_get(struct gn_ring_peer *p, struct gn_rec *out, void *payload,
                                                 uint32_t size)
{
    /* pairs with the release store in gn_ring_peer_put: the record's bytes are written */
    uint64_t head = atomic_load_explicit(&p->ring->head, memory_order_acquire);
    int rc = gn_ring_peer_next(p, head, out, payload, size);
    if (rc != GN_RING_PEER_DONE)
        return rc;
    atomic_store_explicit(&p->ring->last_seq, out->seq, memory_order_relaxed);
    /* pairs with the acquire load in gn_ring_peer_put: the record was copied */
    atomic_store_explicit(&p->ring->tail, p->at, memory_order_release);
    return rc;
}

#endif
