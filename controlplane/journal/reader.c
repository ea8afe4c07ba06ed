#include "controlplane/journal/reader.h"

#include <stdarg.h>
#include <stdlib.h>

#include "controlplane/journal/archive.h"
#include "controlplane/journal/checkpoint.h"
#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/reader_impl.h"

const char *gn_journal_damage_name(enum gn_journal_damage damage)
{
    static const char *const names[] = {
        [GN_JOURNAL_SOUND] = "sound",
        [GN_JOURNAL_DAMAGE_EDIT] = "edit",
        [GN_JOURNAL_DAMAGE_TRUNCATED] = "truncated",
        [GN_JOURNAL_DAMAGE_DROPPED] = "dropped segment",
        [GN_JOURNAL_DAMAGE_SWAPPED] = "swapped",
        [GN_JOURNAL_DAMAGE_STALE] = "stale bytes",
        [GN_JOURNAL_DAMAGE_CHAIN] = "chain",
        [GN_JOURNAL_DAMAGE_SEQUENCE] = "sequence",
        [GN_JOURNAL_DAMAGE_CONFIG] = "config",
        [GN_JOURNAL_DAMAGE_VERSION] = "version",
        [GN_JOURNAL_DAMAGE_HOLE] = "hole",
        [GN_JOURNAL_DAMAGE_UNREADABLE] = "unreadable",
        [GN_JOURNAL_DAMAGE_SIGNATURE] = "signature",
    };
    size_t n = (size_t)damage;
    return n < GN_ARRAY_LEN(names) && names[n] != NULL ? names[n] : "unknown";
}

int gn_jr_fail(struct gn_journal_reader *r, int err, enum gn_journal_damage damage, uint64_t number, uint64_t offset,
               const char *format, ...)
{
    if (r->err != GN_JOURNAL_OK)
        return r->err;
    struct gn_journal_finding *f = &r->finding;
    r->err = err;
    f->damage = damage;
    f->segment = number;
    f->offset = offset;
    if (number != 0)
        gn_journal_file_name(number, f->file);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(f->reason, sizeof f->reason, format, args);
    va_end(args);
    return err;
}

int gn_jr_read(struct gn_journal_reader *r, int handle, uint64_t number, void *buf, uint32_t bytes, uint64_t offset)
{
    int64_t n = r->io.read(r->io.ctx, handle, buf, bytes, offset);
    if (n < 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, number, offset, "read failed: %s",
                          strerror((int)-n));
    if (n != bytes)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_TRUNCATED, number, offset + (uint64_t)n,
                          "the file ends here, inside a block");
    return GN_JOURNAL_OK;
}

int gn_jr_room(struct gn_journal_reader *r, uint32_t bytes)
{
    if (bytes <= r->buf_bytes)
        return GN_JOURNAL_OK;
    uint8_t *more = realloc(r->buf, bytes);
    if (more == NULL)
        return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "out of memory");
    r->buf = more;
    r->buf_bytes = bytes;
    return GN_JOURNAL_OK;
}

int gn_jr_open(struct gn_journal_reader *r, uint64_t number, int *handle, uint64_t *bytes)
{
    char name[GN_JOURNAL_NAME_BYTES];
    bool direct;
    gn_journal_file_name(number, name);
    *handle = r->io.open(r->io.ctx, r->dir, name, GN_JOURNAL_OPEN_READ, &direct);
    if (*handle < 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, number, 0, "open failed: %s",
                          strerror(-*handle));
    int64_t size = r->io.size(r->io.ctx, *handle);
    if (size < 0) {
        r->io.close(r->io.ctx, *handle);
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, number, 0, "size is unknown: %s",
                          strerror((int)-size));
    }
    *bytes = (uint64_t)size;
    return GN_JOURNAL_OK;
}

int gn_jr_header(struct gn_journal_reader *r, size_t index, enum gn_journal_block_state *state)
{
    int handle;
    uint64_t bytes;
    int rc = gn_jr_open(r, r->numbers[index], &handle, &bytes);
    if (rc != GN_JOURNAL_OK)
        return rc;
    *state = GN_JOURNAL_BLOCK_BAD;
    rc = gn_jr_read(r, handle, r->numbers[index], r->next, sizeof *r->next, 0);
    if (rc == GN_JOURNAL_OK)
        *state = gn_journal_check_segment(r->next);
    r->io.close(r->io.ctx, handle);
    return rc;
}

/* What must hold between a header and the ring sequences before it. */
static int enter_rings(struct gn_journal_reader *r, const struct gn_journal_segment *s)
{
    if (r->started && s->rings_id != r->rings_id) {
        memset(r->last_seq, 0, sizeof r->last_seq);
        r->rings_resets++;
    }
    if ((s->flags & GN_JOURNAL_SEGMENT_GAP) != 0) {
        r->accepted_gaps++;
    } else if (r->started || s->number == 1) {
        if (memcmp(r->last_seq, s->last_seq, sizeof r->last_seq) != 0)
            return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SEQUENCE, s->number, GN_JOURNAL_SECTOR,
                              "the table of last sequences is not what the records before end with");
    }
    memcpy(r->last_seq, s->last_seq, sizeof r->last_seq);
    r->rings_id = s->rings_id;
    return GN_JOURNAL_OK;
}

/* What must hold between a header and the tree of the segment before; begins the tree of this one. */
static int enter_tree(struct gn_journal_reader *r, const struct gn_journal_segment *s)
{
    uint8_t root[GN_JOURNAL_HASH];
    if (r->started && s->minor >= 1) {
        if (!gn_merkle_root(&r->tree, root))
            return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, s->number, 0,
                              "SHA-256 is not available");
        if (s->prev_leaves != r->tree.leaves || memcmp(root, s->prev_root, sizeof root) != 0)
            return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_CHAIN, s->number, 0,
                              "the header does not carry the Merkle root of the segment before");
        if (s->checkpoints != r->checkpoints)
            return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_CHAIN, s->number, 0,
                              "the header counts %llu checkpoints before it, %llu are there",
                              (unsigned long long)s->checkpoints, (unsigned long long)r->checkpoints);
    }
    r->checkpoints = s->checkpoints;
    memset(&r->tree, 0, sizeof r->tree);
    if (!gn_journal_hash(s, sizeof *s, r->chain) || !gn_merkle_add(&r->tree, r->chain))
        return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, s->number, 0,
                          "SHA-256 is not available");
    return GN_JOURNAL_OK;
}

/* A segment that was deleted in order: its tombstone says where it ended, and the walk goes on from there. */
static int pass_tombstone(struct gn_journal_reader *r)
{
    struct gn_tombstone t;
    const uint64_t number = r->segment->number;
    int rc = r->io.tombstone(r->io.ctx, r->dir, number, &t);
    if (rc == 0)
        return GN_JOURNAL_OK;
    const char *wrong = rc < 0 ? strerror(-rc) : gn_tombstone_check(&t);
    if (wrong == NULL && memcmp(&t.header, r->segment, sizeof t.header) != 0)
        wrong = "it is of another segment";
    if (wrong != NULL)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SIGNATURE, number, 0,
                          "the segment was deleted, and its tombstone is of no use: %s", wrong);
    r->offset = t.end;
    r->batch_seq = t.next_batch;
    r->records = t.next_record;
    r->checkpoints = t.checkpoints;
    r->tree = t.tree;
    r->rings_id = t.rings_id;
    r->last_flags = GN_JOURNAL_BATCH_LAST;
    memcpy(r->chain, t.end_hash, sizeof r->chain);
    memcpy(r->last_seq, t.last_seq, sizeof r->last_seq);
    r->tombstones++;
    if (r->on_tombstone != NULL)
        r->on_tombstone(r->on_segment_arg, r, &t);
    return r->err;
}

int gn_jr_enter(struct gn_journal_reader *r, size_t index)
{
    const struct gn_journal_segment *s = r->next;
    const uint64_t number = r->numbers[index];
    uint64_t bytes;
    if (s->number != number)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SWAPPED, number, 0,
                          "the file holds segment %llu", (unsigned long long)s->number);
    if (s->number == 1 &&
        (!gn_journal_is_zero(s->prev_hash, sizeof s->prev_hash) || s->prev_end != 0 || s->first_batch != 1))
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_CHAIN, number, 0,
                          "segment 1 claims a predecessor");
    if (r->started && s->segment_epoch <= r->segment_epoch)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_STALE, number, 0,
                          "segment epoch %llu is not above %llu", (unsigned long long)s->segment_epoch,
                          (unsigned long long)r->segment_epoch);
    int rc = enter_rings(r, s);
    if (rc == GN_JOURNAL_OK)
        rc = enter_tree(r, s);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (r->handle >= 0)
        r->io.close(r->io.ctx, r->handle);
    r->handle = -1;
    rc = gn_jr_open(r, number, &r->handle, &bytes);
    if (rc != GN_JOURNAL_OK) {
        r->handle = -1;
        return rc;
    }
    if (bytes != s->segment_bytes)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED,
                          bytes < s->segment_bytes ? GN_JOURNAL_DAMAGE_TRUNCATED : GN_JOURNAL_DAMAGE_STALE, number,
                          bytes < s->segment_bytes ? bytes : s->segment_bytes,
                          "the file has %llu bytes, its header says %llu", (unsigned long long)bytes,
                          (unsigned long long)s->segment_bytes);
    *r->segment = *s;
    r->at = index;
    r->offset = s->header_bytes;
    r->batch_seq = s->first_batch;
    r->records = s->first_record;
    r->segment_epoch = s->segment_epoch;
    r->last_flags = 0;
    r->started = true;
    r->segments++;
    r->bytes += s->header_bytes;
    if (r->on_segment != NULL)
        r->on_segment(r->on_segment_arg, r);
    return r->err != GN_JOURNAL_OK || r->io.tombstone == NULL ? r->err : pass_tombstone(r);
}

/* A batch that is whole by itself must also be the one that comes here. */
static int check_place(struct gn_journal_reader *r, const struct gn_journal_batch *b)
{
    const char *what = NULL;
    enum gn_journal_damage damage = GN_JOURNAL_DAMAGE_CHAIN;
    if (b->version > GN_JOURNAL_MAJOR)
        return gn_jr_fail(r, GN_JOURNAL_ERR_VERSION, GN_JOURNAL_DAMAGE_VERSION, r->segment->number, r->offset,
                          "batch of format version %u, this reader knows up to %u", b->version, GN_JOURNAL_MAJOR);
    if (b->segment_epoch != r->segment_epoch) {
        what = "a batch of another use of the file (segment epoch differs)";
        damage = GN_JOURNAL_DAMAGE_STALE;
    } else if (b->offset != r->offset) {
        what = "a batch that was written for another offset";
        damage = GN_JOURNAL_DAMAGE_SWAPPED;
    } else if (b->seq != r->batch_seq) {
        what = "a batch out of sequence";
    } else if (memcmp(b->prev_hash, r->chain, sizeof r->chain) != 0) {
        what = "the batch does not carry the hash of what precedes it";
    } else if (b->first_record != r->records) {
        what = "the batch miscounts the records before it";
    }
    if (what != NULL)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, damage, r->segment->number, r->offset, "%s", what);
    return GN_JOURNAL_OK;
}

/* A checkpoint batch must say of the journal what the journal is. */
static int check_checkpoint(struct gn_journal_reader *r, const struct gn_journal_batch *b)
{
    const union gn_journal_checkpoint_block *block = (const union gn_journal_checkpoint_block *)(const void *)b;
    const struct gn_journal_checkpoint *c = &block->at.checkpoint;
    uint8_t root[GN_JOURNAL_HASH];
    const char *wrong = gn_journal_checkpoint_shape(block);
    if (wrong == NULL && !gn_merkle_root(&r->tree, root))
        wrong = "SHA-256 is not available";
    if (wrong == NULL && (c->number != r->checkpoints + 1 || c->segment != r->segment->number ||
                          c->leaves != r->tree.leaves || memcmp(c->root, root, sizeof root) != 0))
        wrong = "what it signs is not this journal";
    if (wrong != NULL)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SIGNATURE, r->segment->number, r->offset,
                          "checkpoint %llu: %s", (unsigned long long)(r->checkpoints + 1), wrong);
    r->checkpoints++;
    return GN_JOURNAL_OK;
}

static int accept_batch(struct gn_journal_reader *r)
{
    const struct gn_journal_batch *b = (const struct gn_journal_batch *)(const void *)r->buf;
    const uint32_t padded = gn_journal_padded(b->bytes);
    int rc = check_place(r, b);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (b->kind == GN_JOURNAL_BATCH_CHECKPOINT)
        rc = check_checkpoint(r, b);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (!gn_journal_hash(b, padded, r->chain) || !gn_merkle_add(&r->tree, r->chain))
        return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, r->segment->number, r->offset,
                          "SHA-256 is not available");
    const bool known = b->kind == GN_JOURNAL_BATCH_RECORDS;
    r->rec_at = (uint32_t)sizeof *b;
    r->rec_left = known ? b->records : 0;
    if (known && b->records == 0 && b->bytes != sizeof *b)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, r->segment->number, r->offset,
                          "a batch of no records has bytes");
    r->last_flags = b->flags;
    r->batch_seq++;
    r->records += r->rec_left;
    r->offset += padded;
    r->batches++;
    r->bytes += padded;
    if (r->on_batch != NULL)
        r->on_batch(r->on_batch_arg, r);
    return r->err != GN_JOURNAL_OK ? r->err : 1;
}

/* Enters the oldest segment, or finds that there is none: r->started or r->ended afterwards. */
static int start(struct gn_journal_reader *r)
{
    enum gn_journal_block_state state = GN_JOURNAL_BLOCK_NONE;
    if (r->count == 0) {
        r->ended = true;
        return 0;
    }
    int rc = gn_jr_header(r, 0, &state);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (state != GN_JOURNAL_BLOCK_OK)
        return gn_jr_leave(r, GN_JOURNAL_BLOCK_NONE);
    return gn_jr_enter(r, 0);
}

/* One look at r->offset: 1 = accepted, 0 = *state tells why there is none, negative = damage. */
static int look(struct gn_journal_reader *r, enum gn_journal_block_state *state)
{
    const uint64_t number = r->segment->number;
    const uint64_t room = r->segment->segment_bytes - r->offset;
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)r->buf;
    *state = GN_JOURNAL_BLOCK_NONE;
    if ((r->last_flags & (GN_JOURNAL_BATCH_LAST | GN_JOURNAL_BATCH_CLOSE)) != 0 || room == 0)
        return 0;
    int rc = gn_jr_read(r, r->handle, number, r->buf, GN_JOURNAL_BLOCK, r->offset);
    if (rc != GN_JOURNAL_OK)
        return rc;
    *state = gn_journal_check_batch_header(b, room);
    if (*state != GN_JOURNAL_BLOCK_OK)
        return 0;
    const uint32_t rest = gn_journal_padded(b->bytes) - GN_JOURNAL_BLOCK;
    if (rest != 0) {
        rc = gn_jr_room(r, rest + GN_JOURNAL_BLOCK);
        if (rc != GN_JOURNAL_OK)
            return rc;
        b = (struct gn_journal_batch *)(void *)r->buf;
        rc = gn_jr_read(r, r->handle, number, r->buf + GN_JOURNAL_BLOCK, rest, r->offset + GN_JOURNAL_BLOCK);
        if (rc != GN_JOURNAL_OK)
            return rc;
    }
    *state = gn_journal_check_batch(b);
    return *state == GN_JOURNAL_BLOCK_OK ? accept_batch(r) : 0;
}

int gn_jr_batch(struct gn_journal_reader *r)
{
    while (r->err == GN_JOURNAL_OK && !r->ended) {
        enum gn_journal_block_state state;
        int rc;
        if (!r->started) {
            rc = start(r);
            if (rc < 0)
                return rc;
            continue;
        }
        rc = look(r, &state);
        if (rc != 0)
            return rc;
        rc = gn_jr_leave(r, state);
        if (rc <= 0)
            return rc;
    }
    return r->err;
}

static int check_record(struct gn_journal_reader *r, const struct gn_journal_batch *b, uint64_t at)
{
    const struct gn_journal_record *prefix = (const struct gn_journal_record *)(const void *)(r->buf + r->rec_at);
    const struct gn_rec *rec = (const struct gn_rec *)(const void *)(prefix + 1);
    const char *what = NULL;
    const uint64_t left = b->bytes - r->rec_at;
    if (left < sizeof *prefix + sizeof *rec || prefix->magic != GN_JOURNAL_RECORD_MAGIC)
        what = "no record where one must be";
    else if (rec->bytes < sizeof *rec || rec->bytes > GN_REC_BYTES_MAX || gn_journal_record_bytes(rec->bytes) > left)
        what = "a record's length is impossible";
    else if (prefix->crc != gn_crc32c(0, rec, gn_journal_record_bytes(rec->bytes) - sizeof *prefix))
        what = "a record's checksum differs";
    else if (rec->source >= GN_JOURNAL_RINGS_MAX || rec->type == 0)
        what = "a record's type or source is impossible";
    else if (r->rec_left == 1 && gn_journal_record_bytes(rec->bytes) != left)
        what = "the batch has bytes after its last record";
    if (what != NULL)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, r->segment->number, at, "%s", what);
    if (rec->seq != r->last_seq[rec->source] + 1)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SEQUENCE, r->segment->number, at,
                          "ring %u: record %llu follows %llu", rec->source, (unsigned long long)rec->seq,
                          (unsigned long long)r->last_seq[rec->source]);
    return GN_JOURNAL_OK;
}

int gn_jr_record(struct gn_journal_reader *r, struct gn_journal_item *item)
{
    const struct gn_journal_batch *b = (const struct gn_journal_batch *)(const void *)r->buf;
    if (r->err != GN_JOURNAL_OK)
        return r->err;
    if (r->rec_left == 0)
        return 0;
    const uint64_t at = b->offset + r->rec_at;
    int rc = check_record(r, b, at);
    if (rc != GN_JOURNAL_OK)
        return rc;
    const struct gn_rec *rec =
        (const struct gn_rec *)(const void *)(r->buf + r->rec_at + sizeof(struct gn_journal_record));
    *item = (struct gn_journal_item){
        .segment = r->segment,
        .batch = b,
        .rec = rec,
        .payload = (const uint8_t *)(rec + 1),
        .payload_bytes = rec->bytes - (uint32_t)sizeof *rec,
        .offset = at,
    };
    r->last_seq[rec->source] = rec->seq;
    r->rec_at += gn_journal_record_bytes(rec->bytes);
    r->rec_left--;
    return 1;
}

int gn_journal_reader_next(struct gn_journal_reader *r, struct gn_journal_item *item)
{
    for (;;) {
        int rc = r->rec_left != 0 ? gn_jr_record(r, item) : 0;
        if (rc != 0)
            return rc;
        rc = gn_jr_batch(r);
        if (rc != 1)
            return rc;
    }
}

static void collect(void *arg, const char *name)
{
    struct gn_journal_reader *r = arg;
    uint64_t number = gn_journal_file_number(name);
    if (number == 0)
        return;
    if (r->count == r->room) {
        size_t room = r->room == 0 ? 64 : r->room * 2;
        uint64_t *more = realloc(r->numbers, room * sizeof *more);
        if (more == NULL) {
            r->list_failed = true;
            return;
        }
        r->numbers = more;
        r->room = room;
    }
    r->numbers[r->count++] = number;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static int fill(struct gn_journal_reader *r, const char *dir, const struct gn_journal_io *io)
{
    if (io != NULL)
        r->io = *io;
    else
        r->io_owned = gn_journal_io_archive(&r->io) == 0;
    r->handle = -1;
    if (io == NULL && !r->io_owned)
        return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "out of memory");
    r->dir = strdup(dir);
    r->segment = calloc(1, sizeof *r->segment);
    r->next = calloc(1, sizeof *r->next);
    r->buf = calloc(1, GN_JOURNAL_CHUNK_BYTES);
    r->buf_bytes = GN_JOURNAL_CHUNK_BYTES;
    r->chunk = calloc(1, GN_JOURNAL_CHUNK_BYTES);
    if (r->dir == NULL || r->segment == NULL || r->next == NULL || r->buf == NULL || r->chunk == NULL)
        return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "out of memory");
    int rc = r->io.list(r->io.ctx, dir, collect, r);
    if (rc != 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "cannot list %.120s: %s", dir,
                          strerror(-rc));
    if (r->list_failed)
        return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "out of memory");
    if (r->count != 0)
        qsort(r->numbers, r->count, sizeof *r->numbers, by_number);
    return GN_JOURNAL_OK;
}

int gn_journal_reader_open(struct gn_journal_reader **out, const char *dir, const struct gn_journal_io *io,
                           struct gn_journal_finding *finding)
{
    struct gn_journal_reader *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return GN_JOURNAL_ERR_NOMEM;
    int rc = fill(r, dir, io);
    if (rc != GN_JOURNAL_OK) {
        if (finding != NULL)
            *finding = r->finding;
        gn_journal_reader_close(r);
        return rc;
    }
    *out = r;
    return GN_JOURNAL_OK;
}

int gn_journal_reader_seek(struct gn_journal_reader *r, uint64_t segment)
{
    enum gn_journal_block_state state;
    size_t index = 0;
    while (index < r->count && r->numbers[index] != segment)
        index++;
    if (r->err != GN_JOURNAL_OK)
        return r->err;
    if (index == r->count)
        return GN_JOURNAL_ERR_ARG;
    int rc = gn_jr_header(r, index, &state);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (state != GN_JOURNAL_BLOCK_OK)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, segment, 0, "the header is not valid");
    r->started = r->ended = false;
    r->rec_left = 0;
    r->rec_at = 0;
    memset(r->last_seq, 0, sizeof r->last_seq);
    return gn_jr_enter(r, index);
}

int gn_journal_reader_resume(struct gn_journal_reader *r)
{
    const uint64_t here = r->started ? r->segment->number : 0;
    if (r->err != GN_JOURNAL_OK)
        return r->err;
    r->count = 0;
    int rc = r->io.list(r->io.ctx, r->dir, collect, r);
    if (rc != 0 || r->list_failed)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "cannot list the folder: %s",
                          rc != 0 ? strerror(-rc) : "out of memory");
    if (r->count != 0)
        qsort(r->numbers, r->count, sizeof *r->numbers, by_number);
    r->at = 0;
    while (r->started && r->at < r->count && r->numbers[r->at] != here)
        r->at++;
    if (r->started && r->at == r->count)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_DROPPED, here, 0,
                          "the segment went away while it was read");
    r->ended = false;
    return GN_JOURNAL_OK;
}

const struct gn_journal_finding *gn_journal_reader_finding(const struct gn_journal_reader *r)
{
    return &r->finding;
}

void gn_journal_reader_close(struct gn_journal_reader *r)
{
    if (r == NULL)
        return;
    if (r->handle >= 0)
        r->io.close(r->io.ctx, r->handle);
    if (r->io_owned)
        r->io.free(r->io.ctx);
    free(r->dir);
    free(r->numbers);
    free(r->segment);
    free(r->next);
    free(r->buf);
    free(r->chunk);
    free(r);
}
