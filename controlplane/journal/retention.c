/* Compressing, holding and deleting finished segments, each act written down. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "controlplane/journal/archive_impl.h"
#include "controlplane/journal/audit.h"
#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/index.h"
#include "controlplane/journal/reader_impl.h"

#define ZSTD_LEVEL 3

#define REFUSE(...) (snprintf(err, GN_ARCHIVE_ERR_LEN, __VA_ARGS__), GN_JOURNAL_ERR_IO)

/* ---- walking one segment ---- */

/* Reads and checks a finished segment from end to end; fills everything of t but who, why, time and key. */
static int walk(struct gn_journal_reader *r, uint64_t number, struct gn_tombstone *t)
{
    struct gn_journal_item item;
    int rc = gn_journal_reader_seek(r, number);
    memset(t, 0, sizeof *t);
    if (rc != GN_JOURNAL_OK)
        return rc;
    t->header = *r->segment;
    t->number = number;
    t->segment_epoch = r->segment_epoch;
    t->rings_id = r->rings_id;
    t->first_ns = UINT64_MAX;
    while (rc >= 0) {
        while ((rc = gn_jr_record(r, &item)) == 1) {
            t->records++;
            t->first_ns = item.rec->time_ns < t->first_ns ? item.rec->time_ns : t->first_ns;
            t->last_ns = item.rec->time_ns > t->last_ns ? item.rec->time_ns : t->last_ns;
        }
        if (rc < 0)
            return rc;
        t->end = r->offset;
        t->next_batch = r->batch_seq;
        t->next_record = r->records;
        t->checkpoints = r->checkpoints;
        t->tree = r->tree;
        memcpy(t->end_hash, r->chain, sizeof t->end_hash);
        memcpy(t->last_seq, r->last_seq, sizeof t->last_seq);
        rc = gn_jr_batch(r);
        if (rc == 0)
            return GN_JOURNAL_ERR_ARG; /* nothing follows: it is still being written */
        if (rc == 1 && r->segment->number != number) {
            if (t->records == 0)
                t->first_ns = t->last_ns = t->header.created_ns;
            return GN_JOURNAL_OK;
        }
        t->batches++;
    }
    return rc;
}

/* The first `bytes` of a segment, wherever it lies; NULL when it cannot be read. */
static uint8_t *content(struct gn_journal_reader *r, uint64_t number, uint64_t bytes)
{
    int handle;
    uint64_t size;
    uint8_t *all = malloc(bytes);
    if (all == NULL || gn_jr_open(r, number, &handle, &size) != GN_JOURNAL_OK) {
        free(all);
        return NULL;
    }
    bool ok = size >= bytes;
    for (uint64_t at = 0; ok && at < bytes; at += GN_ARCHIVE_FRAME_BYTES) {
        const uint32_t piece =
            bytes - at < GN_ARCHIVE_FRAME_BYTES ? (uint32_t)(bytes - at) : (uint32_t)GN_ARCHIVE_FRAME_BYTES;
        ok = gn_jr_read(r, handle, number, all + at, piece, at) == GN_JOURNAL_OK;
    }
    r->io.close(r->io.ctx, handle);
    if (ok)
        return all;
    free(all);
    return NULL;
}

/* ---- files that appear whole ---- */

static bool write_all(int fd, const void *data, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = write(fd, (const uint8_t *)data + at, bytes - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static int begin_file(const char *path, char temp[GN_ARCHIVE_PATH])
{
    if (snprintf(temp, GN_ARCHIVE_PATH, "%s.new", path) >= GN_ARCHIVE_PATH)
        return -1;
    return open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
}

/* Durable under its name, or not there at all; fd is closed. */
static bool end_file(int fd, bool ok, const char *temp, const char *path, const char *dir)
{
    char folder[GN_ARCHIVE_PATH];
    ok = ok && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(temp, path) == 0;
    if (!ok)
        (void)unlink(temp);
    return ok && snprintf(folder, sizeof folder, "%s/" GN_ARCHIVE_DIR, dir) < GN_ARCHIVE_PATH && sync_dir(folder);
}

/* ---- compressing ---- */

static bool write_frames(int fd, const uint8_t *all, struct gn_archive_head *h, struct gn_archive_frame *table)
{
    uint64_t at = sizeof *h + h->frames * sizeof *table;
    uint8_t *out = malloc(ZSTD_compressBound(GN_ARCHIVE_FRAME_BYTES));
    bool ok = out != NULL && lseek(fd, (off_t)at, SEEK_SET) == (off_t)at;
    for (uint32_t i = 0; ok && i < h->frames; i++) {
        const uint64_t from = (uint64_t)i * GN_ARCHIVE_FRAME_BYTES;
        const size_t piece = h->end - from < GN_ARCHIVE_FRAME_BYTES ? h->end - from : GN_ARCHIVE_FRAME_BYTES;
        const size_t n = ZSTD_compress(out, ZSTD_compressBound(GN_ARCHIVE_FRAME_BYTES), all + from, piece, ZSTD_LEVEL);
        ok = !ZSTD_isError(n) && write_all(fd, out, n);
        table[i] =
            (struct gn_archive_frame){.offset = at, .bytes = (uint32_t)n, .crc = gn_crc32c(0, all + from, piece)};
        at += n;
    }
    free(out);
    h->table_crc = gn_crc32c(0, table, h->frames * sizeof *table);
    h->head_crc = gn_crc32c(0, h, offsetof(struct gn_archive_head, head_crc));
    return ok && lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, h, sizeof *h) &&
           write_all(fd, table, h->frames * sizeof *table);
}

/* Writes the compressed segment and reads it back before it gets its name. */
static int pack(const char *dir, const struct gn_tombstone *t, const uint8_t *all, char *err)
{
    char path[GN_ARCHIVE_PATH], temp[GN_ARCHIVE_PATH];
    struct gn_archive_head h = {.magic = GN_ARCHIVE_MAGIC,
                                .version = GN_ARCHIVE_VERSION,
                                .frame_bytes = GN_ARCHIVE_FRAME_BYTES,
                                .number = t->number,
                                .segment_epoch = t->segment_epoch,
                                .segment_bytes = t->header.segment_bytes,
                                .end = t->end,
                                .frames = (uint32_t)((t->end + GN_ARCHIVE_FRAME_BYTES - 1) / GN_ARCHIVE_FRAME_BYTES)};
    struct gn_archive_frame *table = calloc(h.frames, sizeof *table);
    if (table == NULL || !gn_journal_hash(all, t->end, h.sha256) || !gn_archive_path(path, dir, t->number, "gnz")) {
        free(table);
        return REFUSE("segment %" PRIu64 ": out of memory", t->number);
    }
    int fd = begin_file(path, temp);
    const bool written = fd >= 0 && write_frames(fd, all, &h, table);
    const char *wrong = written ? gn_archive_check(fd) : strerror(errno);
    free(table);
    if (fd < 0 || !end_file(fd, wrong == NULL, temp, path, dir))
        return REFUSE("%.300s: %s; the segment stays as it was", path, wrong != NULL ? wrong : strerror(errno));
    return GN_JOURNAL_OK;
}

static int seal_one(const struct gn_archive_job *job, uint64_t number, char *err)
{
    char path[GN_ARCHIVE_PATH], name[GN_JOURNAL_NAME_BYTES];
    struct gn_journal_reader *r;
    struct gn_tombstone t;
    int rc = gn_journal_reader_open(&r, job->dir, NULL, NULL);
    if (rc != GN_JOURNAL_OK)
        return REFUSE("%.300s: %s", job->dir, gn_journal_strerror(rc));
    rc = walk(r, number, &t);
    uint8_t *all = rc == GN_JOURNAL_OK ? content(r, number, t.end) : NULL;
    if (all == NULL)
        rc = REFUSE("segment %" PRIu64 ": %s; it is not touched", number,
                    r->finding.reason[0] != 0 ? r->finding.reason : "it cannot be read");
    gn_journal_reader_close(r);
    if (rc == GN_JOURNAL_OK)
        rc = pack(job->dir, &t, all, err);
    free(all);
    if (rc != GN_JOURNAL_OK)
        return rc;
    (void)!gn_journal_index_build(job->dir, number); /* queries build it when this failed */
    gn_journal_file_name(number, name);
    if (snprintf(path, sizeof path, "%s/%s", job->dir, name) >= GN_ARCHIVE_PATH || unlink(path) != 0 ||
        !sync_dir(job->dir))
        return REFUSE("%.300s: %s; both forms of the segment are there", path, strerror(errno));
    return GN_JOURNAL_OK;
}

/* ---- segments of a folder, in order ---- */

struct numbers {
    uint64_t *at;
    size_t count, room;
    const char *ending;
    bool failed;
};

static void take_number(void *arg, const char *name)
{
    struct numbers *n = arg;
    const uint64_t number = gn_archive_number(name, n->ending);
    if (number == 0)
        return;
    if (n->count == n->room) {
        n->room = n->room == 0 ? 256 : 2 * n->room;
        uint64_t *more = realloc(n->at, n->room * sizeof *more);
        if (more == NULL) {
            n->failed = true;
            n->count = 0;
            return;
        }
        n->at = more;
    }
    n->at[n->count++] = number;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static bool list(struct numbers *n, const char *folder, const char *ending)
{
    struct gn_journal_io io;
    *n = (struct numbers){.ending = ending};
    gn_journal_io_reader(&io);
    const bool ok = io.list(io.ctx, folder, take_number, n) == 0 && !n->failed;
    if (n->count != 0)
        qsort(n->at, n->count, sizeof *n->at, by_number);
    return ok;
}

/* Segments of the folder itself that have a header: all but the prepared ones. */
static size_t written(const char *dir, const struct numbers *n)
{
    size_t count = 0;
    for (; count < n->count; count++) {
        char path[GN_ARCHIVE_PATH], name[GN_JOURNAL_NAME_BYTES];
        struct gn_journal_segment s;
        gn_journal_file_name(n->at[count], name);
        (void)snprintf(path, sizeof path, "%.4000s/%s", dir, name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        const bool there = fd >= 0 && pread(fd, &s, sizeof s, 0) == (ssize_t)sizeof s &&
                           gn_journal_check_segment(&s) == GN_JOURNAL_BLOCK_OK;
        if (fd >= 0)
            (void)close(fd);
        if (!there)
            break;
    }
    return count;
}

int64_t gn_archive_seal(const struct gn_archive_job *job, char err[GN_ARCHIVE_ERR_LEN])
{
    struct numbers n;
    struct gn_audit a;
    int64_t done = 0;
    int rc = gn_audit_open(&a, job, err);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (!list(&n, job->dir, "gnj"))
        rc = REFUSE("%.300s: cannot be listed", job->dir);
    const size_t have = rc == GN_JOURNAL_OK ? written(job->dir, &n) : 0;
    /* the newest is being written, whatever keep says */
    for (size_t i = 0; rc == GN_JOURNAL_OK && i + 1 + job->keep < have; i++) {
        rc = seal_one(job, n.at[i], err);
        if (rc == GN_JOURNAL_OK)
            rc = gn_audit_say(&a, job, "archive", n.at[i], n.at[i], "", err);
        done += rc == GN_JOURNAL_OK;
    }
    free(n.at);
    gn_audit_close(&a);
    return rc == GN_JOURNAL_OK ? done : rc;
}

/* ---- deleting ---- */

static int bury(const struct gn_archive_job *job, struct gn_tombstone *t, const uint8_t *all, char *err)
{
    char path[GN_ARCHIVE_PATH], temp[GN_ARCHIVE_PATH];
    t->magic = GN_TOMBSTONE_MAGIC;
    t->version = GN_TOMBSTONE_VERSION;
    t->bytes = sizeof *t;
    t->deleted_ns = job->now_ns;
    (void)snprintf(t->who, sizeof t->who, "%s", job->who);
    (void)snprintf(t->why, sizeof t->why, "%s", job->why);
    memcpy(t->public_key, gn_journal_key_public(job->key), sizeof t->public_key);
    if (!gn_journal_hash(all, t->end, t->sha256) ||
        !gn_journal_sign(job->key, t, offsetof(struct gn_tombstone, signature), t->signature) ||
        gn_tombstone_check(t) != NULL || !gn_archive_path(path, job->dir, t->number, "gnt"))
        return REFUSE("segment %" PRIu64 ": its tombstone cannot be made; it stays", t->number);
    int fd = begin_file(path, temp);
    if (fd < 0 || !end_file(fd, write_all(fd, t, sizeof *t), temp, path, job->dir))
        return REFUSE("%.300s: %s; the segment stays", path, strerror(errno));
    return GN_JOURNAL_OK;
}

/* 1 = deleted, 0 = too young, negative. */
static int expire_one(const struct gn_archive_job *job, struct gn_audit *a, uint64_t number, char *err)
{
    char path[GN_ARCHIVE_PATH];
    struct gn_journal_reader *r;
    struct gn_tombstone t;
    int rc = gn_journal_reader_open(&r, job->dir, NULL, NULL);
    if (rc != GN_JOURNAL_OK)
        return REFUSE("%.300s: %s", job->dir, gn_journal_strerror(rc));
    rc = walk(r, number, &t);
    const bool old = rc == GN_JOURNAL_OK && t.last_ns < job->now_ns && job->now_ns - t.last_ns >= job->older_ns;
    uint8_t *all = old ? content(r, number, t.end) : NULL;
    if (rc != GN_JOURNAL_OK || (old && all == NULL))
        rc = REFUSE("segment %" PRIu64 ": %s; it is not deleted", number,
                    r->finding.reason[0] != 0 ? r->finding.reason : "it cannot be read");
    gn_journal_reader_close(r);
    if (rc == GN_JOURNAL_OK && old)
        rc = bury(job, &t, all, err);
    free(all);
    if (rc != GN_JOURNAL_OK || !old)
        return rc;
    rc = gn_audit_say(a, job, "expire", number, number, "", err);
    if (rc != GN_JOURNAL_OK)
        return rc;
    /* the tombstone is durable: now the content goes, and its index */
    if (!gn_archive_path(path, job->dir, number, "gnz") || unlink(path) != 0)
        return REFUSE("%.300s: %s; its tombstone is there", path, strerror(errno));
    char index[GN_JOURNAL_NAME_BYTES];
    (void)snprintf(index, sizeof index, GN_JOURNAL_INDEX_FORMAT, (unsigned)number);
    (void)snprintf(path, sizeof path, "%.4000s/%s", job->dir, index);
    if (unlink(path) != 0 && errno != ENOENT)
        return REFUSE("%.300s: %s", path, strerror(errno));
    return 1;
}

int64_t gn_archive_expire(const struct gn_archive_job *job, uint64_t *held, char err[GN_ARCHIVE_ERR_LEN])
{
    char folder[GN_ARCHIVE_PATH];
    struct numbers n = {.count = 0};
    struct gn_audit a;
    int64_t done = 0;
    *held = 0;
    int rc = gn_audit_open(&a, job, err);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (job->key == NULL)
        rc = REFUSE("a tombstone is signed: which key? key=PRIVATE.key");
    (void)snprintf(folder, sizeof folder, "%.4000s/" GN_ARCHIVE_DIR, job->dir);
    if (rc == GN_JOURNAL_OK && !list(&n, folder, "gnz"))
        rc = REFUSE("%.300s: cannot be listed", folder);
    for (size_t i = 0; rc >= 0 && i < n.count; i++) {
        if (gn_audit_held(&a, n.at[i])) {
            ++*held;
            continue;
        }
        rc = expire_one(job, &a, n.at[i], err);
        done += rc == 1;
        if (rc == 0)
            break; /* the later ones are younger */
    }
    free(n.at);
    gn_audit_close(&a);
    return rc >= 0 ? done : rc;
}
