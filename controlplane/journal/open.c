/* Start and end of a journal: what is checked, recovered and measured before the first record is taken. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/journal/writer_impl.h"

#define PROBE_NAME       "gannet-journal-probe.tmp"
#define PROBE_TIMEOUT_NS 5000000000ull

/* gn_journal_open reports by text; this keeps every refusal one line. */
#define REFUSE(code, ...) (snprintf(err, err_bytes, __VA_ARGS__), (code))

static int take_conf(struct gn_journal *j, const struct gn_journal_conf *c, char *err, size_t err_bytes)
{
    j->segment_bytes = c->segment_bytes != 0 ? c->segment_bytes : GN_JOURNAL_SEGMENT_BYTES_DEFAULT;
    j->batch_bytes = c->batch_bytes != 0 ? c->batch_bytes : GN_JOURNAL_BATCH_BYTES_DEFAULT;
    j->segments_ahead = c->segments_ahead != 0 ? c->segments_ahead : GN_JOURNAL_AHEAD_DEFAULT;
    j->slow_us = c->slow_us != 0 ? c->slow_us : GN_JOURNAL_SLOW_US_DEFAULT;
    if (j->batch_bytes % GN_JOURNAL_BLOCK != 0 || j->batch_bytes < GN_JOURNAL_BATCH_BYTES_MIN ||
        j->batch_bytes > GN_JOURNAL_BATCH_BYTES_MAX)
        return REFUSE(GN_JOURNAL_ERR_ARG, "journal batch of %u bytes: a multiple of %u from %u to %u is needed",
                      j->batch_bytes, GN_JOURNAL_BLOCK, GN_JOURNAL_BATCH_BYTES_MIN, GN_JOURNAL_BATCH_BYTES_MAX);
    if (j->segment_bytes % GN_JOURNAL_BLOCK != 0 || j->segment_bytes > GN_JOURNAL_SEGMENT_BYTES_MAX ||
        j->segment_bytes < GN_JOURNAL_BLOCK + 2 * j->batch_bytes)
        return REFUSE(GN_JOURNAL_ERR_ARG, "journal segment of %u bytes: a multiple of %u from %u to %u is needed",
                      j->segment_bytes, GN_JOURNAL_BLOCK, GN_JOURNAL_BLOCK + 2 * j->batch_bytes,
                      GN_JOURNAL_SEGMENT_BYTES_MAX);
    if (j->segments_ahead > 16)
        return REFUSE(GN_JOURNAL_ERR_ARG, "journal keeps %u segments ahead: 1 to 16 are allowed", j->segments_ahead);
    if (c->dir == NULL || c->instance == NULL || c->build_id == NULL || strlen(c->instance) >= sizeof j->instance ||
        strlen(c->build_id) >= sizeof j->build)
        return REFUSE(GN_JOURNAL_ERR_ARG,
                      "journal directory, instance (up to %zu bytes) and build id (up to %zu) are needed",
                      sizeof j->instance - 1, sizeof j->build - 1);
    memcpy(j->instance, c->instance, strlen(c->instance));
    memcpy(j->build, c->build_id, strlen(c->build_id));
    memcpy(j->config_sha256, c->config_sha256, sizeof j->config_sha256);
    j->appliance_epoch = c->appliance_epoch;
    j->rings_id = c->rings_id;
    j->eager = c->eager;
    j->index_sealed = c->index_sealed;
    j->key = c->key;
    j->checkpoint_ns =
        (uint64_t)(c->checkpoint_ms != 0 ? c->checkpoint_ms : GN_JOURNAL_CHECKPOINT_MS_DEFAULT) * 1000000;
    return GN_JOURNAL_OK;
}

static int take_rings(struct gn_journal *j, struct gn_ring *const rings[], uint32_t n, char *err, size_t err_bytes)
{
    uint64_t seen = 0;
    if (n == 0 || n > GN_JOURNAL_RINGS_MAX)
        return REFUSE(GN_JOURNAL_ERR_ARG, "journal of %u rings: 1 to %u are possible", n, GN_JOURNAL_RINGS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t source = rings[i]->source;
        if (rings[i]->magic != GN_RING_MAGIC || source >= GN_JOURNAL_RINGS_MAX || (seen >> source & 1) != 0)
            return REFUSE(GN_JOURNAL_ERR_ARG,
                          "ring %u of the journal has no magic, or source %u is used twice or above %u", i, source,
                          GN_JOURNAL_RINGS_MAX - 1);
        seen |= 1ull << source;
        j->ring[i] = (struct gn_jw_ring){.ring = rings[i], .source = source, .cells = rings[i]->cells};
    }
    j->n = n;
    return GN_JOURNAL_OK;
}

/* Puts ring i behind the last durable record: what is still in it and already in the journal is passed over. */
static int match_ring(struct gn_journal *j, uint32_t i, bool accept_lost, char *err, size_t err_bytes)
{
    struct gn_jw_ring *r = &j->ring[i];
    const uint64_t durable = j->last_seq[r->source];
    uint64_t cursor = atomic_load_explicit(&r->ring->tail, memory_order_relaxed);
    uint64_t peek = cursor;
    int rc;
    const struct gn_rec *rec = gn_ring_read(r->ring, &peek, &rc);
    uint64_t seq = rec != NULL ? rec->seq - 1 : atomic_load_explicit(&r->ring->last_seq, memory_order_relaxed);
    if (durable < seq && !accept_lost)
        return REFUSE(
            GN_JOURNAL_ERR_LOST,
            "ring %u released records up to %llu as durable, the journal ends with %llu: another directory, or "
            "segments were removed; put them back or accept the loss",
            r->source, (unsigned long long)seq, (unsigned long long)durable);
    j->gap = j->gap || durable < seq;
    const uint64_t before = seq;
    r->cursor = cursor;
    while (rc == GN_RING_OK && seq < durable && (rec = gn_ring_read(r->ring, &cursor, &rc)) != NULL) {
        if (rec->seq != seq + 1)
            return REFUSE(GN_JOURNAL_ERR_SEQ, "ring %u: record %llu follows %llu", r->source,
                          (unsigned long long)rec->seq, (unsigned long long)seq);
        seq++;
        r->cursor = cursor;
    }
    if (rc != GN_RING_OK)
        return REFUSE(GN_JOURNAL_ERR_RING, "ring %u: %s", r->source, gn_ring_strerror(rc));
    if (seq < durable)
        return REFUSE(GN_JOURNAL_ERR_AHEAD,
                      "ring %u ends with record %llu, the journal has %llu: not this region's journal", r->source,
                      (unsigned long long)seq, (unsigned long long)durable);
    if (seq != before)
        gn_ring_release(r->ring, r->cursor, seq);
    j->skipped += seq - before;
    r->seq = seq;
    j->last_seq[r->source] = seq;
    return GN_JOURNAL_OK;
}

static int recover(struct gn_journal *j, const struct gn_journal_conf *c, char *err, size_t err_bytes)
{
    struct gn_journal_recovered found;
    int rc = j->io.lock(j->io.ctx, j->dir);
    if (rc == -EWOULDBLOCK)
        return REFUSE(GN_JOURNAL_ERR_LOCKED, "%s: another process journals into it", j->dir);
    if (rc != 0)
        return REFUSE(GN_JOURNAL_ERR_IO, "%s: %s", j->dir, strerror(-rc));
    rc = gn_journal_recover(&j->io, j->dir, j->segment_bytes, c->accept_lost, &found, err, err_bytes);
    if (rc != GN_JOURNAL_OK)
        return rc;
    j->number = found.segment;
    j->segment_epoch = found.segment_epoch;
    j->offset = found.end;
    j->next_batch = found.next_batch;
    j->records = found.records;
    memcpy(j->chain, found.chain, sizeof j->chain);
    j->checkpoints = found.checkpoints;
    atomic_store_explicit(&j->st_checkpoints, found.checkpoints, memory_order_relaxed);
    j->tree = found.tree;
    j->torn_bytes = found.torn_bytes;
    j->closed_clean = found.closed_clean;
    j->config_changed =
        found.segment != 0 && memcmp(found.config_sha256, j->config_sha256, sizeof j->config_sha256) != 0;
    atomic_store_explicit(&j->current, found.segment, memory_order_relaxed);
    atomic_store_explicit(&j->prepared, found.segment + found.prepared, memory_order_relaxed);
    if (found.segment != 0 && found.rings_id == j->rings_id)
        memcpy(j->last_seq, found.last_seq, sizeof j->last_seq);
    for (uint32_t i = 0; i < j->n; i++) {
        rc = match_ring(j, i, c->accept_lost, err, err_bytes);
        if (rc != GN_JOURNAL_OK)
            return rc;
    }
    return GN_JOURNAL_OK;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static int probe_commits(struct gn_journal *j, int handle)
{
    uint64_t took[GN_JOURNAL_PROBE_COMMITS];
    for (uint32_t i = 0; i < GN_JOURNAL_PROBE_COMMITS; i++) {
        int32_t written = 0, synced = 0;
        const uint64_t start = j->io.clock_ns(j->io.ctx);
        int rc = j->io.submit(j->io.ctx, handle, j->buffer[0].mem, GN_JOURNAL_BLOCK, (uint64_t)i * GN_JOURNAL_BLOCK);
        if (rc == 0) {
            j->in_flight = true;
            rc = j->io.reap(j->io.ctx, PROBE_TIMEOUT_NS, &written, &synced);
        }
        if (rc == 0)
            return -ETIMEDOUT;
        j->in_flight = false;
        if (rc < 0 || written != (int32_t)GN_JOURNAL_BLOCK || synced != 0)
            return rc < 0 ? rc : written < 0 ? written : synced < 0 ? synced : -EIO;
        took[i] = j->io.clock_ns(j->io.ctx) - start;
    }
    qsort(took, GN_JOURNAL_PROBE_COMMITS, sizeof took[0], by_size);
    j->probe_p50_ns = took[GN_JOURNAL_PROBE_COMMITS / 2];
    j->probe_max_ns = took[GN_JOURNAL_PROBE_COMMITS - 1];
    return 0;
}

/* Measures what a commit takes on a scratch file that is made like a segment. */
static int probe(struct gn_journal *j)
{
    bool direct = false;
    int rc = j->io.prepare(j->io.ctx, j->dir, PROBE_NAME, GN_JOURNAL_PROBE_COMMITS * GN_JOURNAL_BLOCK);
    if (rc != 0)
        return rc;
    int handle = j->io.open(j->io.ctx, j->dir, PROBE_NAME, GN_JOURNAL_OPEN_WRITE, &direct);
    rc = handle;
    if (handle >= 0) {
        rc = probe_commits(j, handle);
        j->io.close(j->io.ctx, handle);
    }
    atomic_store_explicit(&j->direct, direct, memory_order_relaxed);
    int removed = j->io.remove(j->io.ctx, j->dir, PROBE_NAME);
    if (rc != 0 || removed != 0)
        return rc != 0 ? rc : removed;
    j->slow = j->probe_p50_ns > (uint64_t)j->slow_us * 1000;
    if (j->slow)
        (void)snprintf(
            j->slow_why, sizeof j->slow_why,
            "a commit takes %llu us, %u are allowed; about 4000 means that a busy lcore sits on the core of the "
            "disk's interrupt: move one of them",
            (unsigned long long)(j->probe_p50_ns / 1000), j->slow_us);
    return 0;
}

static int take_memory(struct gn_journal *j, const char *dir)
{
    j->dir = strdup(dir);
    j->md = EVP_MD_CTX_new();
    if (j->md == NULL)
        return GN_JOURNAL_ERR_NOMEM;
    for (int i = 0; i < 2; i++) {
        j->buffer[i].mem = aligned_alloc(GN_JOURNAL_BLOCK, GN_JOURNAL_BLOCK + (size_t)j->batch_bytes);
        if (j->buffer[i].mem == NULL || j->dir == NULL)
            return GN_JOURNAL_ERR_NOMEM;
        memset(j->buffer[i].mem, 0, GN_JOURNAL_BLOCK + (size_t)j->batch_bytes);
        gn_jw_reset(&j->buffer[i]);
    }
    if (j->key == NULL)
        return GN_JOURNAL_OK;
    j->checkpoint.mem = aligned_alloc(GN_JOURNAL_BLOCK, 2 * GN_JOURNAL_BLOCK);
    j->head = aligned_alloc(GN_JOURNAL_BLOCK, sizeof *j->head);
    if (j->checkpoint.mem == NULL || j->head == NULL)
        return GN_JOURNAL_ERR_NOMEM;
    memset(j->checkpoint.mem, 0, 2 * GN_JOURNAL_BLOCK);
    gn_jw_reset(&j->checkpoint);
    return GN_JOURNAL_OK;
}

/* The head file, made when it is missing or of no use. */
static int open_head(struct gn_journal *j)
{
    const uint64_t bytes = GN_JOURNAL_HEAD_SLOTS * sizeof *j->head;
    bool direct;
    int handle = j->io.open(j->io.ctx, j->dir, GN_JOURNAL_HEAD_NAME, GN_JOURNAL_OPEN_WRITE, &direct);
    if (handle >= 0 && j->io.size(j->io.ctx, handle) == (int64_t)bytes) {
        j->head_handle = handle;
        return 0;
    }
    if (handle >= 0)
        j->io.close(j->io.ctx, handle);
    else if (handle != -ENOENT)
        return handle;
    int rc = j->io.prepare(j->io.ctx, j->dir, GN_JOURNAL_HEAD_NAME, bytes);
    if (rc != 0)
        return rc;
    handle = j->io.open(j->io.ctx, j->dir, GN_JOURNAL_HEAD_NAME, GN_JOURNAL_OPEN_WRITE, &direct);
    j->head_handle = handle;
    return handle < 0 ? handle : 0;
}

static int start(struct gn_journal *j, const struct gn_journal_conf *c, char *err, size_t err_bytes)
{
    if (c->io != NULL) {
        j->io = *c->io;
    } else {
        int rc = gn_journal_io_new(&j->io);
        if (rc != 0)
            return REFUSE(GN_JOURNAL_ERR_IO, "io_uring: %s", strerror(-rc));
        j->io_owned = true;
    }
    if (take_memory(j, c->dir) != GN_JOURNAL_OK)
        return REFUSE(GN_JOURNAL_ERR_NOMEM, "%s", gn_journal_strerror(GN_JOURNAL_ERR_NOMEM));
    int rc = recover(j, c, err, err_bytes);
    if (rc != GN_JOURNAL_OK)
        return rc;
    rc = c->skip_probe ? 0 : probe(j);
    if (rc != 0)
        return REFUSE(GN_JOURNAL_ERR_IO, "%s: measuring the disk failed: %s", c->dir, strerror(-rc));
    rc = j->key != NULL ? open_head(j) : 0;
    if (rc != 0)
        return REFUSE(GN_JOURNAL_ERR_IO, "%s/%s: %s", c->dir, GN_JOURNAL_HEAD_NAME, strerror(-rc));
    j->checkpoint_due_ns = j->io.clock_ns(j->io.ctx) + j->checkpoint_ns;
    while (atomic_load_explicit(&j->prepared, memory_order_relaxed) == j->number) {
        rc = gn_jw_prepare_one(j);
        if (rc < 0)
            return REFUSE(GN_JOURNAL_ERR_NOSPACE, "%s: a segment of %u bytes cannot be made: %s", c->dir,
                          j->segment_bytes, strerror(-rc));
    }
    return GN_JOURNAL_OK;
}

/* A write in flight when the journal failed for another reason: its result no longer counts, but the buffer is the
 * disk's until it has answered. One that let us wait in vain before is not asked again. */
static void let_land(struct gn_journal *j)
{
    int32_t written, synced;
    if (j->in_flight && atomic_load_explicit(&j->sys_errno, memory_order_relaxed) != ETIMEDOUT)
        j->in_flight = j->io.reap(j->io.ctx, PROBE_TIMEOUT_NS, &written, &synced) == 0;
}

static void release(struct gn_journal *j)
{
    let_land(j);
    if (j->handle >= 0)
        j->io.close(j->io.ctx, j->handle);
    if (j->head_handle >= 0)
        j->io.close(j->io.ctx, j->head_handle);
    if (j->io_owned && j->io.free != NULL)
        j->io.free(j->io.ctx);
    EVP_MD_CTX_free(j->md);
    free(j->dir);
    /* A disk that never answered may still write from these: then they stay. */
    if (!j->in_flight) {
        free(j->buffer[0].mem);
        free(j->buffer[1].mem);
        free(j->checkpoint.mem);
        free(j->head);
    }
    free(j);
}

int gn_journal_open(struct gn_journal **out, const struct gn_journal_conf *conf, struct gn_ring *const rings[],
                    uint32_t n, char *err, size_t err_bytes)
{
    struct gn_journal *j = calloc(1, sizeof *j);
    *out = NULL;
    if (j == NULL)
        return REFUSE(GN_JOURNAL_ERR_NOMEM, "%s", gn_journal_strerror(GN_JOURNAL_ERR_NOMEM));
    j->handle = -1;
    j->head_handle = -1;
    j->ended = true;
    int rc = take_conf(j, conf, err, err_bytes);
    if (rc == GN_JOURNAL_OK)
        rc = take_rings(j, rings, n, err, err_bytes);
    if (rc == GN_JOURNAL_OK)
        rc = start(j, conf, err, err_bytes);
    if (rc != GN_JOURNAL_OK) {
        release(j);
        return rc;
    }
    *out = j;
    return GN_JOURNAL_OK;
}

int gn_journal_close(struct gn_journal *j, uint64_t now_ns)
{
    int rc = j->threads ? gn_journal_thread_stop(j) : GN_JOURNAL_OK;
    if (rc == GN_JOURNAL_OK)
        rc = atomic_load_explicit(&j->failed, memory_order_relaxed);
    if (rc == GN_JOURNAL_OK)
        rc = gn_jw_finish(j, now_ns, true);
    release(j);
    return rc;
}

void gn_journal_status(const struct gn_journal *j, struct gn_journal_status *out)
{
    memset(out, 0, sizeof *out);
    /* pairs with the release store in gn_jw_fail */
    out->failed = atomic_load_explicit(&j->failed, memory_order_acquire);
    out->sys_errno = atomic_load_explicit(&j->sys_errno, memory_order_relaxed);
    out->prepare_errno = atomic_load_explicit(&j->prepare_errno, memory_order_relaxed);
    out->direct = atomic_load_explicit(&j->direct, memory_order_relaxed);
    out->slow = j->slow;
    out->closed_clean = j->closed_clean;
    out->config_changed = j->config_changed;
    memcpy(out->slow_why, j->slow_why, sizeof out->slow_why);
    out->torn_bytes = j->torn_bytes;
    out->skipped = j->skipped;
    out->records = atomic_load_explicit(&j->st_records, memory_order_relaxed);
    out->bytes = atomic_load_explicit(&j->st_bytes, memory_order_relaxed);
    out->batches = atomic_load_explicit(&j->st_batches, memory_order_relaxed);
    out->segment = atomic_load_explicit(&j->st_segment, memory_order_relaxed);
    out->segment_offset = atomic_load_explicit(&j->st_offset, memory_order_relaxed);
    const uint64_t prepared = atomic_load_explicit(&j->prepared, memory_order_relaxed);
    const uint64_t current = atomic_load_explicit(&j->current, memory_order_relaxed);
    out->ready_segments = prepared > current ? prepared - current : 0;
    out->last_commit_ns = atomic_load_explicit(&j->st_last_ns, memory_order_relaxed);
    out->max_commit_ns = atomic_load_explicit(&j->st_max_ns, memory_order_relaxed);
    out->checkpoints = atomic_load_explicit(&j->st_checkpoints, memory_order_relaxed);
    out->no_corr = atomic_load_explicit(&j->st_no_corr, memory_order_relaxed);
    out->probe_p50_ns = j->probe_p50_ns;
    out->probe_max_ns = j->probe_max_ns;
    for (uint32_t i = 0; i < j->n; i++)
        out->lag_cells += gn_ring_used(j->ring[i].ring);
}
