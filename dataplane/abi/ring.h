/* SPSC ring of variable-length records, the one queue of Gannet: event rings to the journal, stage rings between
 * lcores, command rings, client rings. It lives in shared memory, holds no pointers, and survives the death of either
 * side.
 *
 *      producer                                   consumer
 *      gn_ring_reserve -> fill -> (more) ->       gn_ring_read(cursor) -> use -> (more) ->
 *      gn_ring_publish                            gn_ring_release(cursor)
 *
 * Records are counted in cells of 64 bytes and are contiguous; the end of the buffer is skipped with a pad record,
 * which only the ring sees. A record that was reserved but not published does not exist. The consumer may read far
 * ahead of what it releases (the journal releases what is durable).
 */
#ifndef GN_ABI_RING_H
#define GN_ABI_RING_H

#include "dataplane/abi/base.h"

#define GN_RING_MAGIC     0x676e72696e673031ull /* "gnring01" */
#define GN_RING_CELL      64u
#define GN_RING_CELLS_MIN 256u
#define GN_RING_CELLS_MAX (1u << 24)
/* A record, header included; larger than any frame that a port delivers (jumbo 9,216) with room for a header. */
#define GN_REC_BYTES_MAX 10240u
#define GN_REC_CELLS_MAX (GN_REC_BYTES_MAX / GN_RING_CELL)
static_assert(GN_RING_CELLS_MIN >= GN_REC_CELLS_MAX + 1, "the smallest ring takes the largest record");

/* A record that nothing in the journal caused (a timer, an operator, a start) is its own cause: this bit and its seq.
 */
#define GN_CORR_OWN (1ull << 63)

/* Header of every record, 32 bytes; the payload follows. */
struct gn_rec {
    uint32_t bytes;   /* header + payload, unpadded: 32 to GN_REC_BYTES_MAX */
    uint16_t type;    /* enum gn_ev, 0 = pad */
    uint8_t source;   /* ring number: who wrote it */
    uint8_t flags;    /* journal: order session that it is about, + 1; 0 = of none */
    uint64_t seq;     /* of this ring, contiguous from 1; set by gn_ring_reserve */
    uint64_t time_ns; /* input time of the step that wrote it, ns since the Unix epoch */
    uint64_t corr; /* correlation: market-data sequence or order id that caused it, or GN_CORR_OWN; journal: never 0 */
};
static_assert(sizeof(struct gn_rec) == 32, "record header is 32 bytes");

struct gn_ring {
    /* constant after gn_ring_new */
    uint64_t magic;
    uint32_t cells; /* power of two */
    uint32_t source;
    uint8_t pad0[GN_GUARD - 16];
    /* the producer's lines */
    _Atomic uint64_t head; /* cells published; release by gn_ring_publish pairs with acquire in gn_ring_read */
    uint64_t pending;      /* cells reserved, >= head */
    uint64_t tail_seen;    /* last tail the producer loaded */
    uint64_t next_seq;
    uint8_t pad1[GN_GUARD - 32];
    /* the consumer's lines */
    _Atomic uint64_t tail;     /* cells released; release by gn_ring_release pairs with acquire in gn_ring_reserve */
    _Atomic uint64_t last_seq; /* sequence of the last record released; stored before tail */
    uint8_t pad2[GN_GUARD - 16];
    uint8_t data[]; /* cells x 64 bytes */
};
static_assert(offsetof(struct gn_ring, head) == 128, "producer owns its own lines");
static_assert(offsetof(struct gn_ring, tail) == 256, "consumer owns its own lines");
static_assert(offsetof(struct gn_ring, data) == 384, "data follows the guards");

enum gn_ring_err {
    GN_RING_OK = 0,
    GN_RING_ERR_CELLS = -1,   /* cells is not a power of two within the limits */
    GN_RING_ERR_MAGIC = -2,   /* no ring at this address */
    GN_RING_ERR_CORRUPT = -3, /* indices or a record header are impossible: the other side is not to be trusted */
};

const char *gn_ring_strerror(int err);

/* gn_ring_footprint: bytes that a ring of that many cells takes; 0 when cells is out of range. */
uint64_t gn_ring_footprint(uint32_t cells);

/* gn_ring_new: lays an empty ring at mem (zeroed, 64-byte aligned, gn_ring_footprint bytes); magic is written last. */
int gn_ring_new(void *mem, uint32_t cells, uint32_t source) GN_MUST_CHECK;

/* gn_ring_check: verifies magic, size and indices of a ring in memory that someone else may have written; max_bytes is
 * what the mapping holds from mem on. */
int gn_ring_check(const struct gn_ring *r, uint64_t max_bytes) GN_MUST_CHECK;

/* gn_ring_join_producer: for a restarted producer. Drops what was reserved and not published, and finds the next
 * sequence by walking the published records. Returns GN_RING_ERR_CORRUPT when the walk meets nonsense. */
int gn_ring_join_producer(struct gn_ring *r) GN_MUST_CHECK;

/* gn_ring_used: cells published and not yet released, as either side may see them now. */
static inline uint64_t gn_ring_used(const struct gn_ring *r)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}

static inline struct gn_rec *gn_ring_cell(struct gn_ring *r, uint64_t index)
{
    return (struct gn_rec *)(void *)(r->data + (index & (r->cells - 1)) * GN_RING_CELL);
}

/* gn_ring_reserve: room for a record of `bytes` (header included, 32 to GN_REC_BYTES_MAX). Sets bytes, type, source and
 * seq; the caller fills time_ns, corr and the payload. NULL when the ring is full; nothing changed then. */
static inline struct gn_rec *gn_ring_reserve(struct gn_ring *r, uint16_t type, uint32_t bytes)
{
    const uint64_t cells = r->cells;
    const uint64_t need = (bytes + GN_RING_CELL - 1) / GN_RING_CELL;
    uint64_t at = r->pending;
    uint64_t to_end = cells - (at & (cells - 1));
    uint64_t skip = need > to_end ? to_end : 0;

    if (GN_UNLIKELY(at + skip + need - r->tail_seen > cells)) {
        /* pairs with the release store in gn_ring_release: the consumer is done with those cells */
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (at + skip + need - r->tail_seen > cells)
            return NULL;
    }
    if (GN_UNLIKELY(skip != 0)) {
        struct gn_rec *pad = gn_ring_cell(r, at);
        pad->bytes = (uint32_t)(skip * GN_RING_CELL);
        pad->type = 0;
        at += skip;
    }
    struct gn_rec *rec = gn_ring_cell(r, at);
    rec->bytes = bytes;
    rec->type = type;
    rec->source = (uint8_t)r->source;
    rec->flags = 0;
    rec->seq = r->next_seq++;
    r->pending = at + need;
    return rec;
}

/* gn_ring_publish: makes all reserved records visible to the consumer. */
static inline void gn_ring_publish(struct gn_ring *r)
{
    /* pairs with the acquire load in gn_ring_read */
    atomic_store_explicit(&r->head, r->pending, memory_order_release);
}

/* gn_ring_read: the record at *cursor, which is moved past it; NULL when there is none yet. The cursor starts at the
 * ring's tail. *err is GN_RING_OK, or GN_RING_ERR_CORRUPT when the header there is impossible (NULL is returned). The
 * record stays valid until a release passes it; a consumer that does not trust the producer copies before it checks. */
static inline struct gn_rec *gn_ring_read(struct gn_ring *r, uint64_t *cursor, int *err)
{
    /* pairs with the release store in gn_ring_publish: the record's bytes are written */
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    *err = GN_RING_OK;
    while (*cursor != head) {
        struct gn_rec *rec = gn_ring_cell(r, *cursor);
        uint64_t to_end = r->cells - (*cursor & (r->cells - 1));
        uint64_t bytes = rec->bytes;
        uint64_t need = (bytes + GN_RING_CELL - 1) / GN_RING_CELL;
        bool pad = rec->type == 0;
        if (GN_UNLIKELY(need == 0 || need > to_end || need > head - *cursor || head - *cursor > r->cells ||
                        (!pad && (bytes < sizeof *rec || bytes > GN_REC_BYTES_MAX)))) {
            *err = GN_RING_ERR_CORRUPT;
            return NULL;
        }
        *cursor += need;
        if (!pad)
            return rec;
    }
    return NULL;
}

/* gn_ring_release: gives the cells before cursor back to the producer; last_seq is the last record's sequence. */
static inline void gn_ring_release(struct gn_ring *r, uint64_t cursor, uint64_t last_seq)
{
    atomic_store_explicit(&r->last_seq, last_seq, memory_order_relaxed);
    /* pairs with the acquire load in gn_ring_reserve */
    atomic_store_explicit(&r->tail, cursor, memory_order_release);
}

#endif
