#include <errno.h>
#include <openssl/evp.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/writer_impl.h"

/* A disk that says nothing for this long while everything waits for it is taken as dead. */
#define STALL_NS   30000000000ull
#define HASH_PIECE (16u << 10) /* some 10 us */

int gn_jw_fail(struct gn_journal *j, int err, int sys_errno)
{
    int32_t failed = atomic_load_explicit(&j->failed, memory_order_relaxed);
    if (failed != GN_JOURNAL_OK)
        return failed;
    atomic_store_explicit(&j->sys_errno, sys_errno, memory_order_relaxed);
    /* pairs with the acquire load in gn_journal_status: who sees the failure sees its errno */
    atomic_store_explicit(&j->failed, err, memory_order_release);
    return err;
}

int gn_jw_prepare_one(struct gn_journal *j)
{
    char name[GN_JOURNAL_NAME_BYTES];
    const uint64_t prepared = atomic_load_explicit(&j->prepared, memory_order_relaxed);
    if (prepared >= atomic_load_explicit(&j->current, memory_order_relaxed) + j->segments_ahead)
        return 0;
    gn_journal_file_name(prepared + 1, name);
    int rc = j->io.prepare(j->io.ctx, j->dir, name, j->segment_bytes);
    atomic_store_explicit(&j->prepare_errno, rc < 0 ? -rc : 0, memory_order_relaxed);
    if (rc < 0)
        return rc;
    /* pairs with the acquire load in next_segment: the file is complete */
    atomic_store_explicit(&j->prepared, prepared + 1, memory_order_release);
    return 1;
}

/* Copies the next record of a ring: 1, 0 = none, 2 = the buffer is full, negative = latched error. The other side may
 * be broken, so the header is copied first and only the copy is believed. */
static int copy_record(struct gn_journal *j, uint32_t i, struct gn_jw_buffer *b)
{
    struct gn_jw_ring *r = &j->ring[i];
    uint64_t cursor = r->cursor;
    int err;
    const struct gn_rec *rec = gn_ring_read(r->ring, &cursor, &err);
    if (rec == NULL)
        return err == GN_RING_OK ? 0 : gn_jw_fail(j, GN_JOURNAL_ERR_RING, 0);
    const struct gn_rec head = *rec;
    const uint64_t cells = ((uint64_t)head.bytes + GN_RING_CELL - 1) / GN_RING_CELL;
    if (head.bytes < sizeof head || head.bytes > GN_REC_BYTES_MAX || head.type == 0 || head.source != r->source ||
        r->ring->cells != r->cells || cells > cursor || gn_ring_cell(r->ring, cursor - cells) != rec)
        return gn_jw_fail(j, GN_JOURNAL_ERR_RING, 0);
    if (head.seq != r->seq + 1)
        return gn_jw_fail(j, GN_JOURNAL_ERR_SEQ, 0);
    const uint32_t need = gn_journal_record_bytes(head.bytes);
    if (need > j->batch_bytes - b->bytes)
        return 2;

    uint8_t *at = b->mem + GN_JOURNAL_BLOCK + b->bytes;
    uint8_t *copy = at + sizeof(struct gn_journal_record);
    memcpy(copy, &head, sizeof head);
    memcpy(copy + sizeof head, rec + 1, head.bytes - sizeof head);
    memset(copy + head.bytes, 0, need - sizeof(struct gn_journal_record) - head.bytes);
    const struct gn_journal_record prefix = {
        .magic = GN_JOURNAL_RECORD_MAGIC,
        .crc = gn_crc32c(0, copy, need - sizeof(struct gn_journal_record)),
    };
    memcpy(at, &prefix, sizeof prefix);
    b->bytes += need;
    b->records++;
    if (head.corr == 0)
        atomic_fetch_add_explicit(&j->st_no_corr, 1, memory_order_relaxed);
    b->cursor[i] = r->cursor = cursor;
    b->last_seq[i] = r->seq = head.seq;
    return 1;
}

/* Drains the rings in turn into the buffer being filled; records copied, or the latched error. */
static int64_t fill(struct gn_journal *j)
{
    struct gn_jw_buffer *b = &j->buffer[j->filling];
    int64_t copied = 0;
    for (uint32_t k = 0; k < j->n; k++) {
        const uint32_t i = (j->turn + k) % j->n;
        int rc;
        while ((rc = copy_record(j, i, b)) == 1)
            copied++;
        if (rc < 0)
            return rc;
        if (rc == 2) {
            /* Whoever filled the buffer comes last next time. */
            j->turn = (i + 1) % j->n;
            break;
        }
    }
    return copied;
}

/* A batch is durable: its cells go back to the rings. */
static void commit(struct gn_journal *j)
{
    struct gn_jw_buffer *b = j->flight;
    if (b == NULL) {
        atomic_store_explicit(&j->st_checkpoints, j->checkpoints, memory_order_relaxed);
        return;
    }
    const uint64_t took = j->io.clock_ns(j->io.ctx) - j->flight_start_ns;
    for (uint32_t i = 0; i < j->n; i++)
        if (b->last_seq[i] != 0)
            gn_ring_release(j->ring[i].ring, b->cursor[i], b->last_seq[i]);
    j->made_durable += b->records;
    atomic_fetch_add_explicit(&j->st_records, b->records, memory_order_relaxed);
    atomic_fetch_add_explicit(&j->st_bytes, j->flight_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&j->st_batches, 1, memory_order_relaxed);
    atomic_store_explicit(&j->st_segment, j->number, memory_order_relaxed);
    atomic_store_explicit(&j->st_offset, j->offset, memory_order_relaxed);
    atomic_store_explicit(&j->st_last_ns, took, memory_order_relaxed);
    if (took > atomic_load_explicit(&j->st_max_ns, memory_order_relaxed))
        atomic_store_explicit(&j->st_max_ns, took, memory_order_relaxed);
    if (b == &j->checkpoint)
        j->head_due = true;
    gn_jw_reset(b);
}

static int reap(struct gn_journal *j, uint64_t timeout_ns)
{
    int32_t written = 0, synced = 0;
    if (!j->in_flight)
        return GN_JOURNAL_OK;
    int rc = j->io.reap(j->io.ctx, timeout_ns, &written, &synced);
    if (rc == 0)
        return GN_JOURNAL_OK;
    if (rc < 0)
        return gn_jw_fail(j, GN_JOURNAL_ERR_IO, -rc);
    j->in_flight = false;
    if (written < 0)
        return gn_jw_fail(j, GN_JOURNAL_ERR_IO, -written);
    if ((uint32_t)written != j->flight_bytes)
        return gn_jw_fail(j, GN_JOURNAL_ERR_SHORT, 0);
    if (synced != 0)
        return gn_jw_fail(j, GN_JOURNAL_ERR_IO, synced < 0 ? -synced : EIO);
    commit(j);
    return GN_JOURNAL_OK;
}

static bool write_header(struct gn_journal *j, struct gn_journal_segment *s, uint64_t now_ns)
{
    memset(s, 0, sizeof *s);
    s->magic = GN_JOURNAL_SEGMENT_MAGIC;
    s->major = GN_JOURNAL_MAJOR;
    s->minor = GN_JOURNAL_MINOR;
    s->header_bytes = GN_JOURNAL_BLOCK;
    s->number = j->number + 1;
    s->segment_epoch = j->segment_epoch + 1;
    s->segment_bytes = j->segment_bytes;
    s->created_ns = now_ns;
    s->appliance_epoch = j->appliance_epoch;
    s->rings_id = j->rings_id;
    memcpy(s->instance, j->instance, sizeof s->instance);
    memcpy(s->build, j->build, sizeof s->build);
    memcpy(s->config_sha256, j->config_sha256, sizeof s->config_sha256);
    memcpy(s->prev_hash, j->chain, sizeof s->prev_hash);
    s->prev_end = j->offset;
    s->first_batch = j->next_batch;
    s->first_record = j->records;
    s->flags = j->gap ? GN_JOURNAL_SEGMENT_GAP : 0;
    s->checkpoints = j->checkpoints;
    if (j->number != 0) {
        s->prev_leaves = j->tree.leaves;
        if (!gn_merkle_root(&j->tree, s->prev_root))
            return false;
    }
    s->table_magic = GN_JOURNAL_TABLE_MAGIC;
    memcpy(s->last_seq, j->last_seq, sizeof s->last_seq);
    gn_journal_seal_segment(s);
    return true;
}

/* Opens the next prepared file and puts its header before the batch in b: 1, 0 = not ready yet, negative = latched. */
static int next_segment(struct gn_journal *j, struct gn_jw_buffer *b, uint64_t now_ns)
{
    char name[GN_JOURNAL_NAME_BYTES];
    bool direct = false;
    /* pairs with the release store in gn_jw_prepare_one */
    while (atomic_load_explicit(&j->prepared, memory_order_acquire) <= j->number) {
        int32_t failed = atomic_load_explicit(&j->prepare_errno, memory_order_relaxed);
        if (j->threads && failed == 0)
            return 0;
        if (j->threads)
            return gn_jw_fail(j, GN_JOURNAL_ERR_NOSPACE, failed);
        int rc = gn_jw_prepare_one(j);
        if (rc < 0)
            return gn_jw_fail(j, GN_JOURNAL_ERR_NOSPACE, -rc);
    }
    gn_journal_file_name(j->number + 1, name);
    int handle = j->io.open(j->io.ctx, j->dir, name, GN_JOURNAL_OPEN_WRITE, &direct);
    if (handle < 0)
        return gn_jw_fail(j, GN_JOURNAL_ERR_IO, -handle);
    if (j->handle >= 0)
        j->io.close(j->io.ctx, j->handle);
    j->handle = handle;
    atomic_store_explicit(&j->direct, direct, memory_order_relaxed);

    struct gn_journal_segment *s = (struct gn_journal_segment *)(void *)b->mem;
    if (!write_header(j, s, now_ns) || !gn_journal_hash(s, sizeof *s, j->chain))
        return gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);
    memset(&j->tree, 0, sizeof j->tree);
    if (!gn_merkle_add(&j->tree, j->chain))
        return gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);
    j->number++;
    j->segment_epoch++;
    j->offset = GN_JOURNAL_BLOCK;
    j->ended = false;
    j->gap = false;
    atomic_store_explicit(&j->current, j->number, memory_order_relaxed);
    return 1;
}

/* Fills in what the batch signs; it is sealed afterwards. */
static bool fill_checkpoint(struct gn_journal *j, const struct gn_journal_batch *batch)
{
    struct gn_journal_checkpoint *c =
        (struct gn_journal_checkpoint *)(void *)((uint8_t *)j->checkpoint.mem + GN_JOURNAL_BLOCK + sizeof *batch);
    *c = (struct gn_journal_checkpoint){
        .magic = GN_JOURNAL_CHECKPOINT_MAGIC,
        .bytes = sizeof *c,
        .flags = batch->flags,
        .number = j->checkpoints + 1,
        .time_ns = batch->time_ns,
        .segment = j->number,
        .segment_epoch = batch->segment_epoch,
        .offset = batch->offset,
        .batch = batch->seq,
        .records = batch->first_record,
        .appliance_epoch = j->appliance_epoch,
        .leaves = j->tree.leaves,
    };
    memcpy(c->instance, j->instance, sizeof c->instance);
    memcpy(c->chain, j->chain, sizeof c->chain);
    return gn_merkle_root(&j->tree, c->root) && gn_journal_checkpoint_sign(c, j->key);
}

static int start_write(struct gn_journal *j, int handle, const void *mem, uint32_t bytes, uint64_t offset)
{
    j->flight_bytes = bytes;
    j->flight_start_ns = j->io.clock_ns(j->io.ctx);
    int rc = j->io.submit(j->io.ctx, handle, mem, bytes, offset);
    if (rc != 0)
        return gn_jw_fail(j, GN_JOURNAL_ERR_IO, -rc);
    j->in_flight = true;
    return GN_JOURNAL_OK;
}

/* SHA-256 in pieces, with a look at the disk after each: a large batch takes longer to hash than to write, and its
 * records are durable when the disk says so. */
static int hash_and_look(struct gn_journal *j, const uint8_t *data, uint32_t bytes, uint8_t out[GN_JOURNAL_HASH])
{
    if (EVP_DigestInit_ex2(j->md, EVP_sha256(), NULL) != 1)
        return gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);
    for (uint32_t at = 0; at < bytes;) {
        const uint32_t piece = bytes - at < HASH_PIECE ? bytes - at : HASH_PIECE;
        if (EVP_DigestUpdate(j->md, data + at, piece) != 1)
            return gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);
        at += piece;
        int rc = reap(j, 0);
        if (rc != GN_JOURNAL_OK)
            return rc;
    }
    return EVP_DigestFinal_ex(j->md, out, NULL) == 1 ? GN_JOURNAL_OK : gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);
}

/* The chain and the tree take the batch that is on its way: the disk works meanwhile. */
static int follow(struct gn_journal *j, const struct gn_jw_buffer *b, const struct gn_journal_batch *batch,
                  uint32_t padded)
{
    int rc = hash_and_look(j, (const uint8_t *)batch, padded, j->chain);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (!gn_merkle_add(&j->tree, j->chain))
        return gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);
    if (b == &j->checkpoint) {
        j->checkpoints++;
        memcpy(j->head, batch, sizeof *j->head);
    }
    return 1;
}

/* Seals a buffer and sends it on its way: the filling one, which then changes roles with the other, or the checkpoint.
 * 1, 0 = no segment yet, negative. */
static int submit(struct gn_journal *j, struct gn_jw_buffer *b, uint32_t flags, uint64_t now_ns)
{
    const bool checkpoint = b == &j->checkpoint;
    struct gn_journal_batch *batch = gn_jw_batch(b);
    bool fresh = false;
    if (checkpoint)
        b->bytes = (uint32_t)(sizeof *batch + sizeof(struct gn_journal_checkpoint));
    const uint32_t padded = gn_journal_padded(b->bytes);
    if (j->ended) {
        int rc = next_segment(j, b, now_ns);
        if (rc != 1)
            return rc;
        fresh = true;
    }
    if (flags == 0 && j->offset + padded + j->batch_bytes > j->segment_bytes)
        flags = GN_JOURNAL_BATCH_LAST;
    *batch = (struct gn_journal_batch){
        .magic = GN_JOURNAL_BATCH_MAGIC,
        .version = GN_JOURNAL_MAJOR,
        .kind = checkpoint ? GN_JOURNAL_BATCH_CHECKPOINT : GN_JOURNAL_BATCH_RECORDS,
        .bytes = b->bytes,
        .records = b->records,
        .seq = j->next_batch,
        .segment_epoch = j->segment_epoch,
        .offset = j->offset,
        .time_ns = now_ns,
        .first_record = j->records,
        .flags = flags,
    };
    memcpy(batch->prev_hash, j->chain, sizeof batch->prev_hash);
    if (checkpoint && !fill_checkpoint(j, batch))
        return gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);
    gn_journal_seal_batch(batch);
    int rc = start_write(j, j->handle, fresh ? b->mem : (uint8_t *)batch, padded + (fresh ? GN_JOURNAL_BLOCK : 0),
                         fresh ? 0 : j->offset);
    if (rc != GN_JOURNAL_OK)
        return rc;
    j->flight = b;
    j->offset += padded;
    j->next_batch++;
    j->records += b->records;
    j->ended = flags != 0;
    for (uint32_t i = 0; i < j->n; i++)
        if (b->last_seq[i] != 0)
            j->last_seq[j->ring[i].source] = b->last_seq[i];
    if (!checkpoint)
        j->filling ^= 1;
    return follow(j, b, batch, padded);
}

/* The copy of a durable checkpoint, into the slot that the one before did not take. */
static int submit_head(struct gn_journal *j)
{
    const uint64_t slot = j->head->at.checkpoint.number % GN_JOURNAL_HEAD_SLOTS;
    int rc = start_write(j, j->head_handle, j->head, sizeof *j->head, slot * sizeof *j->head);
    j->flight = NULL;
    j->head_due = false;
    return rc == GN_JOURNAL_OK ? 1 : rc;
}

/* What is to be written next, if anything: 1 = it is on its way. */
static int submit_next(struct gn_journal *j, uint64_t now_ns)
{
    if (j->head_due)
        return submit_head(j);
    if (j->key != NULL) {
        const uint64_t clock = j->io.clock_ns(j->io.ctx);
        if (clock >= j->checkpoint_due_ns) {
            int rc = submit(j, &j->checkpoint, 0, now_ns);
            if (rc != 0)
                j->checkpoint_due_ns = clock + j->checkpoint_ns;
            return rc;
        }
    }
    return j->buffer[j->filling].records != 0 ? submit(j, &j->buffer[j->filling], 0, now_ns) : 0;
}

int64_t gn_journal_step(struct gn_journal *j, uint64_t now_ns)
{
    int32_t failed = atomic_load_explicit(&j->failed, memory_order_relaxed);
    if (failed != GN_JOURNAL_OK)
        return failed;
    int rc = reap(j, 0);
    if (rc != GN_JOURNAL_OK)
        return rc;
    int64_t copied = fill(j);
    if (copied < 0)
        return copied;
    if (!j->in_flight) {
        rc = submit_next(j, now_ns);
        if (rc < 0)
            return rc;
        int64_t more = rc == 1 ? fill(j) : 0;
        if (more < 0)
            return more;
        copied += more;
    }
    int64_t done = copied + (int64_t)j->made_durable;
    j->made_durable = 0;
    /* Without a preparing thread, quiet moments are for it; a failure is in the status and fatal only when it is
     * needed. */
    if (done == 0 && !j->in_flight && !j->threads &&
        atomic_load_explicit(&j->prepare_errno, memory_order_relaxed) == 0 && gn_jw_prepare_one(j) < 0)
        return 0;
    return done;
}

void gn_journal_wait(struct gn_journal *j, uint64_t max_ns)
{
    if (atomic_load_explicit(&j->failed, memory_order_relaxed) == GN_JOURNAL_OK && j->in_flight)
        (void)reap(j, max_ns);
    else
        j->io.sleep_ns(j->io.ctx, max_ns);
}

/* All that was published up to head[] is released, which only durable records are. */
static bool all_durable(const struct gn_journal *j, const uint64_t *head)
{
    for (uint32_t i = 0; i < j->n; i++)
        if (atomic_load_explicit(&j->ring[i].ring->tail, memory_order_relaxed) < head[i])
            return false;
    return true;
}

/* The batch in flight lands, or the disk is declared dead. */
static int land(struct gn_journal *j, uint64_t deadline_ns)
{
    while (j->in_flight) {
        int rc = reap(j, 1000000);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (j->io.clock_ns(j->io.ctx) > deadline_ns)
            return gn_jw_fail(j, GN_JOURNAL_ERR_IO, ETIMEDOUT);
    }
    return GN_JOURNAL_OK;
}

static int land_head(struct gn_journal *j, uint64_t deadline_ns)
{
    int rc = submit_head(j);
    return rc < 0 ? rc : land(j, deadline_ns);
}

int gn_jw_finish(struct gn_journal *j, uint64_t now_ns, bool closing)
{
    uint64_t head[GN_JOURNAL_RINGS_MAX];
    const uint64_t deadline = j->io.clock_ns(j->io.ctx) + STALL_NS;
    for (uint32_t i = 0; i < j->n; i++)
        head[i] = atomic_load_explicit(&j->ring[i].ring->head, memory_order_acquire);
    while (!all_durable(j, head)) {
        int64_t n = gn_journal_step(j, now_ns);
        int rc = n < 0 ? (int)n : land(j, deadline);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (j->io.clock_ns(j->io.ctx) > deadline)
            return gn_jw_fail(j, GN_JOURNAL_ERR_IO, ETIMEDOUT);
        /* Nothing moved: the preparing thread is busy with the segment that is needed. */
        if (n == 0)
            j->io.sleep_ns(j->io.ctx, 100000);
    }
    int rc = land(j, deadline);
    if (rc != GN_JOURNAL_OK || !closing)
        return rc;
    rc = submit(j, j->key != NULL ? &j->checkpoint : &j->buffer[j->filling], GN_JOURNAL_BATCH_CLOSE, now_ns);
    if (rc == 0)
        return gn_jw_fail(j, GN_JOURNAL_ERR_NOSPACE, 0);
    rc = rc < 0 ? rc : land(j, deadline);
    return rc == GN_JOURNAL_OK && j->head_due ? land_head(j, deadline) : rc;
}

int gn_journal_flush(struct gn_journal *j, uint64_t now_ns)
{
    int32_t failed = atomic_load_explicit(&j->failed, memory_order_relaxed);
    return failed != GN_JOURNAL_OK ? failed : gn_jw_finish(j, now_ns, false);
}
