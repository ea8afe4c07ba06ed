/* The writer's state, shared by open.c (start and end of a journal), writer.c (steps) and thread.c. */
#ifndef GN_JOURNAL_WRITER_IMPL_H
#define GN_JOURNAL_WRITER_IMPL_H

#include <pthread.h>

#include "controlplane/journal/checkpoint.h"
#include "controlplane/journal/journal.h"
#include "controlplane/journal/merkle.h"
#include "controlplane/journal/recover.h"
#include "controlplane/journal/segment.h"

/* One batch with a block of headroom, so that a segment's header and its first batch are one write. */
struct gn_jw_buffer {
    uint8_t *mem;
    uint32_t bytes; /* of the batch so far, its header included */
    uint32_t records;
    uint64_t cursor[GN_JOURNAL_RINGS_MAX];   /* per index in rings: read up to here */
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX]; /* per index in rings: 0 = none of that ring in here */
};

struct gn_jw_ring {
    struct gn_ring *ring;
    uint32_t source, cells; /* as they were checked at open */
    uint64_t cursor;        /* copied up to here */
    uint64_t seq;           /* of the last record copied */
};

struct gn_journal {
    struct gn_journal_io io;
    bool io_owned;
    char *dir;
    char instance[32], build[64];
    uint8_t config_sha256[GN_JOURNAL_HASH];
    uint64_t appliance_epoch, rings_id;
    uint32_t segment_bytes, batch_bytes, segments_ahead, slow_us;
    bool eager, index_sealed;

    uint32_t n, turn; /* rings; which one is drained first */
    struct gn_jw_ring ring[GN_JOURNAL_RINGS_MAX];
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX]; /* per source: of the last record in a sealed batch */

    struct gn_jw_buffer buffer[2];
    uint32_t filling; /* index of the buffer being filled; the other one is in flight or empty */
    bool in_flight;
    struct gn_jw_buffer *flight; /* what is in flight; NULL = the head file's slot */
    uint32_t flight_bytes;
    uint64_t flight_start_ns;

    /* the segment being written */
    int handle; /* -1 = none */
    bool gap;   /* the next header says that a loss was accepted */
    bool ended; /* its last batch is sealed: the next one starts a new segment */
    uint64_t number, segment_epoch, offset;
    uint64_t made_durable; /* records, by waits since the last step */
    uint64_t next_batch, records;
    uint8_t chain[GN_JOURNAL_HASH];
    struct evp_md_ctx_st *md; /* for the chain */

    /* checkpoints; key NULL = none */
    const struct gn_journal_key *key;
    uint64_t checkpoint_ns, checkpoint_due_ns; /* by io.clock_ns */
    uint64_t checkpoints;                      /* sealed, of all lives */
    struct gn_merkle tree;                     /* of the segment being written */
    struct gn_jw_buffer checkpoint;            /* its own two blocks: a header and the checkpoint */
    union gn_journal_checkpoint_block *head;   /* what the head file gets */
    int head_handle;
    bool head_due; /* the checkpoint is durable, its copy is not yet */

    /* preparing ahead: by the preparing thread when it runs, else by steps */
    _Atomic uint64_t prepared; /* greatest number that is ready */
    _Atomic uint64_t current;  /* number, for the preparing thread */
    _Atomic int32_t prepare_errno;

    pthread_t thread, preparer;
    bool threads;                      /* both run */
    _Atomic bool stop, stop_preparing; /* set by gn_journal_thread_stop, in this order */

    /* status; written by the stepping thread, read anywhere */
    _Atomic int32_t failed, sys_errno;
    _Atomic bool direct;
    _Atomic uint64_t st_records, st_bytes, st_batches, st_segment, st_offset, st_last_ns, st_max_ns, st_checkpoints,
        st_no_corr;
    bool slow, closed_clean, config_changed;
    char slow_why[160];
    uint64_t torn_bytes, skipped, probe_p50_ns, probe_max_ns;
};

/* gn_jw_fail: latches the first error, returns the latched one. */
int gn_jw_fail(struct gn_journal *j, int err, int sys_errno);

/* gn_jw_prepare_one: makes the next segment when fewer than segments_ahead are ready. 1 = made one, 0 = enough are
 * ready, negative errno = could not. */
int gn_jw_prepare_one(struct gn_journal *j) GN_MUST_CHECK;

/* gn_jw_finish: everything published so far becomes durable, then, when closing, the closing batch. */
int gn_jw_finish(struct gn_journal *j, uint64_t now_ns, bool closing) GN_MUST_CHECK;

static inline struct gn_journal_batch *gn_jw_batch(struct gn_jw_buffer *b)
{
    return (struct gn_journal_batch *)(void *)(b->mem + GN_JOURNAL_BLOCK);
}

static inline void gn_jw_reset(struct gn_jw_buffer *b)
{
    b->bytes = (uint32_t)sizeof(struct gn_journal_batch);
    b->records = 0;
    memset(b->last_seq, 0, sizeof b->last_seq);
}

#endif
