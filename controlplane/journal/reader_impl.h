/* The reader's state, shared by its own files: reader.c (walk), reader_end.c (what the end of a segment means),
 * verify.c and recover.c, which walk with `strict` set.
 */
#ifndef GN_JOURNAL_READER_IMPL_H
#define GN_JOURNAL_READER_IMPL_H

#include "controlplane/journal/merkle.h"
#include "controlplane/journal/reader.h"
#include "controlplane/journal/segment.h"

#define GN_JOURNAL_CHUNK_BYTES (64u << 10)

struct gn_journal_reader {
    struct gn_journal_io io;
    bool io_owned;
    char *dir;
    uint64_t *numbers; /* of the files, ascending */
    size_t count, room;
    bool list_failed;

    size_t at; /* index of the segment being read */
    int handle;
    bool started, ended;
    bool strict; /* also read what lies after the end */
    struct gn_journal_segment *segment, *next;
    uint8_t *buf; /* a batch; grows to the largest one seen */
    uint32_t buf_bytes;
    uint8_t *chunk; /* for looking around */

    /* the chain: what the next batch must be */
    uint8_t chain[GN_JOURNAL_HASH];
    uint64_t offset, batch_seq, records, segment_epoch;
    struct gn_merkle tree; /* of the segment so far */
    uint64_t checkpoints;  /* of all lives, so far */
    uint32_t last_flags;   /* of the segment's last batch so far */
    uint64_t rings_id;
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX];

    /* records of the batch in buf */
    uint32_t rec_at, rec_left;

    uint64_t segments, batches, bytes;
    uint64_t tombstones; /* segments that were deleted in order */
    uint64_t torn_tails, torn_segment, torn_offset, torn_bytes, prepared, rings_resets, accepted_gaps;
    void (*on_segment)(void *arg, struct gn_journal_reader *r); /* a header was accepted; may call gn_jr_fail */
    void *on_segment_arg;
    void (*on_tombstone)(void *arg, struct gn_journal_reader *r, const struct gn_tombstone *t);
    void (*on_batch)(void *arg, struct gn_journal_reader *r); /* a batch was accepted, in buf; may call gn_jr_fail */
    void *on_batch_arg;

    int err;
    struct gn_journal_finding finding;
};

/* gn_jr_fail: latches the first damage; returns err. number 0 = no segment. */
int gn_jr_fail(struct gn_journal_reader *r, int err, enum gn_journal_damage damage, uint64_t number, uint64_t offset,
               const char *format, ...) __attribute__((format(printf, 6, 7)));

/* gn_jr_read: exactly bytes, or gn_jr_fail. */
int gn_jr_read(struct gn_journal_reader *r, int handle, uint64_t number, void *buf, uint32_t bytes,
               uint64_t offset) GN_MUST_CHECK;

/* gn_jr_room: r->buf holds at least bytes (a checked batch header says so), its content is kept. */
int gn_jr_room(struct gn_journal_reader *r, uint32_t bytes) GN_MUST_CHECK;

/* gn_jr_open: handle of a segment's file with its size, or gn_jr_fail. */
int gn_jr_open(struct gn_journal_reader *r, uint64_t number, int *handle, uint64_t *bytes) GN_MUST_CHECK;

/* gn_jr_header: reads and classifies the header of numbers[index] into r->next. A file shorter than a
 * header is damage: segments get their names at full size. */
int gn_jr_header(struct gn_journal_reader *r, size_t index, enum gn_journal_block_state *state) GN_MUST_CHECK;

/* gn_jr_enter: r->next, the valid header of numbers[index], becomes the segment being read. */
int gn_jr_enter(struct gn_journal_reader *r, size_t index) GN_MUST_CHECK;

/* gn_jr_leave: no batch at r->offset (state tells why; NONE also when a flag said so). 1 = the next segment was
 * entered, 0 = the end of the journal, negative = damage. */
int gn_jr_leave(struct gn_journal_reader *r, enum gn_journal_block_state state) GN_MUST_CHECK;

/* gn_jr_batch: 1 = the next batch is in r->buf, checked; 0 = the end; negative = damage. */
int gn_jr_batch(struct gn_journal_reader *r) GN_MUST_CHECK;

/* gn_jr_record: 1 = the next record of that batch; 0 = no more; negative = damage. */
int gn_jr_record(struct gn_journal_reader *r, struct gn_journal_item *item) GN_MUST_CHECK;

#endif
