/* The folder as readers see it, compressed segments and tombstones in the place of what they were. */
#include "controlplane/journal/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "controlplane/journal/archive_impl.h"
#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/segment.h"

#define SLOTS     8
#define SLOT_BASE 0x40000000

static bool read_at(int fd, void *buf, size_t bytes, uint64_t offset)
{
    size_t got = 0;
    while (got < bytes) {
        ssize_t n = pread(fd, (uint8_t *)buf + got, bytes - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* ---- a compressed segment ---- */

void gn_packed_close(struct gn_packed *p)
{
    free(p->table);
    free(p->frame);
    free(p->packed);
    *p = (struct gn_packed){.fd = -1};
}

static const char *take_head(struct gn_packed *p)
{
    const struct gn_archive_head *h = &p->head;
    if (!read_at(p->fd, &p->head, sizeof p->head, 0))
        return "the file is shorter than its head";
    if (h->magic != GN_ARCHIVE_MAGIC || h->version != GN_ARCHIVE_VERSION)
        return "no compressed segment of a version that this reader knows";
    if (h->head_crc != gn_crc32c(0, h, offsetof(struct gn_archive_head, head_crc)))
        return "the head's checksum differs";
    if (h->frame_bytes != GN_ARCHIVE_FRAME_BYTES || h->segment_bytes > GN_JOURNAL_SEGMENT_BYTES_MAX ||
        h->end > h->segment_bytes || h->end < GN_JOURNAL_BLOCK ||
        h->frames != (h->end + h->frame_bytes - 1) / h->frame_bytes)
        return "the head's sizes are impossible";
    return NULL;
}

const char *gn_packed_open(struct gn_packed *p, int fd)
{
    *p = (struct gn_packed){.fd = fd, .cached = UINT32_MAX};
    const char *wrong = take_head(p);
    if (wrong != NULL)
        return wrong;
    const size_t table = p->head.frames * sizeof *p->table;
    p->table = malloc(table);
    p->frame = malloc(GN_ARCHIVE_FRAME_BYTES);
    p->packed = malloc(ZSTD_compressBound(GN_ARCHIVE_FRAME_BYTES));
    if (p->table == NULL || p->frame == NULL || p->packed == NULL)
        wrong = "out of memory";
    else if (!read_at(fd, p->table, table, sizeof p->head) || gn_crc32c(0, p->table, table) != p->head.table_crc)
        wrong = "the table of frames is damaged";
    if (wrong != NULL)
        gn_packed_close(p);
    return wrong;
}

/* Frame i into p->frame; its size, 0 when it is damaged. */
static uint32_t load(struct gn_packed *p, uint32_t i)
{
    const struct gn_archive_frame *f = &p->table[i];
    const uint64_t from = (uint64_t)i * GN_ARCHIVE_FRAME_BYTES;
    const uint32_t want =
        p->head.end - from < GN_ARCHIVE_FRAME_BYTES ? (uint32_t)(p->head.end - from) : GN_ARCHIVE_FRAME_BYTES;
    if (p->cached == i)
        return want;
    p->cached = UINT32_MAX;
    if (f->bytes > ZSTD_compressBound(GN_ARCHIVE_FRAME_BYTES) || !read_at(p->fd, p->packed, f->bytes, f->offset))
        return 0;
    const size_t n = ZSTD_decompress(p->frame, want, p->packed, f->bytes);
    if (ZSTD_isError(n) || n != want || gn_crc32c(0, p->frame, want) != f->crc)
        return 0;
    p->cached = i;
    return want;
}

int64_t gn_packed_read(struct gn_packed *p, void *buf, uint32_t bytes, uint64_t offset)
{
    uint32_t got = 0;
    if (offset >= p->head.segment_bytes)
        return 0;
    if (bytes > p->head.segment_bytes - offset)
        bytes = (uint32_t)(p->head.segment_bytes - offset);
    while (got < bytes) {
        const uint64_t at = offset + got;
        uint32_t piece = bytes - got;
        if (at >= p->head.end) {
            memset((uint8_t *)buf + got, 0, piece);
            return bytes;
        }
        const uint32_t size = load(p, (uint32_t)(at / GN_ARCHIVE_FRAME_BYTES));
        const uint32_t in = (uint32_t)(at % GN_ARCHIVE_FRAME_BYTES);
        if (size == 0)
            return -EBADMSG;
        piece = piece < size - in ? piece : size - in;
        memcpy((uint8_t *)buf + got, p->frame + in, piece);
        got += piece;
    }
    return got;
}

const char *gn_archive_check(int fd)
{
    struct gn_packed p;
    uint8_t sha[GN_JOURNAL_HASH];
    const char *wrong = gn_packed_open(&p, fd);
    if (wrong != NULL)
        return wrong;
    uint8_t *all = malloc(p.head.end);
    if (all == NULL)
        wrong = "out of memory";
    for (uint64_t at = 0; wrong == NULL && at < p.head.end; at += GN_ARCHIVE_FRAME_BYTES) {
        const uint64_t left = p.head.end - at;
        const uint32_t want = left < GN_ARCHIVE_FRAME_BYTES ? (uint32_t)left : GN_ARCHIVE_FRAME_BYTES;
        if (gn_packed_read(&p, all + at, want, at) != want)
            wrong = "a frame is damaged";
    }
    if (wrong == NULL && (!gn_journal_hash(all, p.head.end, sha) || memcmp(sha, p.head.sha256, sizeof sha) != 0))
        wrong = "the content is not what was compressed";
    free(all);
    gn_packed_close(&p);
    return wrong;
}

/* ---- tombstones ---- */

const char *gn_tombstone_check(const struct gn_tombstone *t)
{
    if (t->magic != GN_TOMBSTONE_MAGIC || t->version != GN_TOMBSTONE_VERSION || t->bytes != sizeof *t)
        return "no tombstone of a version that this reader knows";
    if (gn_journal_check_segment(&t->header) != GN_JOURNAL_BLOCK_OK || t->header.number != t->number ||
        t->header.segment_epoch != t->segment_epoch || t->end < t->header.header_bytes ||
        t->end > t->header.segment_bytes || t->next_batch < t->header.first_batch ||
        t->next_record < t->header.first_record || t->checkpoints < t->header.checkpoints || t->tree.leaves == 0)
        return "what it says of the segment is impossible";
    if (!gn_journal_signed(t->public_key, t, offsetof(struct gn_tombstone, signature), t->signature))
        return "it was not signed by the key that it names";
    return NULL;
}

int gn_tombstone_read(const char *dir, uint64_t number, struct gn_tombstone *out)
{
    char path[GN_ARCHIVE_PATH];
    if (!gn_archive_path(path, dir, number, "gnt"))
        return -ENAMETOOLONG;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    const bool whole = read_at(fd, out, sizeof *out, 0) && lseek(fd, 0, SEEK_END) == (off_t)sizeof *out;
    (void)close(fd);
    return whole ? 1 : -EBADMSG;
}

/* ---- the view ---- */

struct slot {
    bool used;
    bool grave; /* of a tombstone: its header, then zeros */
    struct gn_packed packed;
    struct gn_journal_segment header;
};

struct view {
    struct gn_journal_io disk;
    struct slot slot[SLOTS];
};

struct listing {
    struct view *v;
    const char *dir;
    void (*fn)(void *arg, const char *name);
    void *arg;
};

bool gn_archive_path(char path[GN_ARCHIVE_PATH], const char *dir, uint64_t number, const char *ending)
{
    return snprintf(path, GN_ARCHIVE_PATH, "%s/" GN_ARCHIVE_DIR "/gannet-journal-%08llu.%s", dir,
                    (unsigned long long)number, ending) < (int)GN_ARCHIVE_PATH;
}

uint64_t gn_archive_number(const char *name, const char *ending)
{
    unsigned long long number = 0;
    char want[64], end[4];
    if (sscanf(name, "gannet-journal-%8llu.%3s", &number, end) != 2 || strcmp(end, ending) != 0)
        return 0;
    (void)snprintf(want, sizeof want, "gannet-journal-%08llu.%s", number, ending);
    return strcmp(want, name) == 0 ? number : 0;
}

/* An archived segment appears under the name that it had, once, and only when it is not there any more. */
static void show_archived(void *arg, const char *name)
{
    const struct listing *l = arg;
    char segment[GN_JOURNAL_NAME_BYTES], path[GN_ARCHIVE_PATH];
    const uint64_t packed = gn_archive_number(name, "gnz"), grave = gn_archive_number(name, "gnt");
    const uint64_t number = packed != 0 ? packed : grave;
    if (number == 0)
        return;
    gn_journal_file_name(number, segment);
    if (snprintf(path, sizeof path, "%s/%s", l->dir, segment) >= (int)sizeof path || access(path, F_OK) == 0)
        return;
    if (grave != 0 && gn_archive_path(path, l->dir, number, "gnz") && access(path, F_OK) == 0)
        return;
    l->fn(l->arg, segment);
}

static int view_list(void *ctx, const char *dir, void (*fn)(void *arg, const char *name), void *arg)
{
    struct view *v = ctx;
    struct listing l = {v, dir, fn, arg};
    char path[GN_ARCHIVE_PATH];
    int rc = v->disk.list(v->disk.ctx, dir, fn, arg);
    if (rc != 0 || snprintf(path, sizeof path, "%s/" GN_ARCHIVE_DIR, dir) >= (int)sizeof path)
        return rc;
    rc = v->disk.list(v->disk.ctx, path, show_archived, &l);
    return rc == -ENOENT ? 0 : rc;
}

static int open_archived(struct view *v, const char *dir, uint64_t number)
{
    char path[GN_ARCHIVE_PATH];
    struct gn_tombstone t;
    int i = 0;
    while (i < SLOTS && v->slot[i].used)
        i++;
    if (i == SLOTS || !gn_archive_path(path, dir, number, "gnz"))
        return -EMFILE;
    struct slot *s = &v->slot[i];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (gn_packed_open(&s->packed, fd) != NULL || s->packed.head.number != number) {
            gn_packed_close(&s->packed);
            (void)close(fd);
            return -EBADMSG;
        }
        *s = (struct slot){.used = true, .packed = s->packed};
        return SLOT_BASE + i;
    }
    int rc = gn_tombstone_read(dir, number, &t);
    if (rc <= 0)
        return rc == 0 ? -ENOENT : rc;
    if (t.number != number || t.header.number != number)
        return -EBADMSG;
    *s = (struct slot){.used = true, .grave = true, .header = t.header};
    return SLOT_BASE + i;
}

static int view_open(void *ctx, const char *dir, const char *name, enum gn_journal_open_mode mode, bool *direct)
{
    struct view *v = ctx;
    int rc = v->disk.open(v->disk.ctx, dir, name, mode, direct);
    const uint64_t number = gn_journal_file_number(name);
    if (rc != -ENOENT || number == 0 || mode != GN_JOURNAL_OPEN_READ)
        return rc;
    return open_archived(v, dir, number);
}

static void view_close(void *ctx, int handle)
{
    struct view *v = ctx;
    if (handle < SLOT_BASE) {
        v->disk.close(v->disk.ctx, handle);
        return;
    }
    struct slot *s = &v->slot[handle - SLOT_BASE];
    const int fd = s->grave ? -1 : s->packed.fd;
    if (!s->grave)
        gn_packed_close(&s->packed);
    if (fd >= 0)
        (void)close(fd);
    s->used = false;
}

static int64_t view_size(void *ctx, int handle)
{
    struct view *v = ctx;
    if (handle < SLOT_BASE)
        return v->disk.size(v->disk.ctx, handle);
    const struct slot *s = &v->slot[handle - SLOT_BASE];
    return (int64_t)(s->grave ? s->header.segment_bytes : s->packed.head.segment_bytes);
}

static int64_t view_read(void *ctx, int handle, void *buf, uint32_t bytes, uint64_t offset)
{
    struct view *v = ctx;
    if (handle < SLOT_BASE)
        return v->disk.read(v->disk.ctx, handle, buf, bytes, offset);
    struct slot *s = &v->slot[handle - SLOT_BASE];
    if (!s->grave)
        return gn_packed_read(&s->packed, buf, bytes, offset);
    const uint64_t size = s->header.segment_bytes;
    bytes = offset >= size ? 0 : size - offset < bytes ? (uint32_t)(size - offset) : bytes;
    memset(buf, 0, bytes);
    if (offset < sizeof s->header)
        memcpy(buf, (const uint8_t *)&s->header + offset,
               sizeof s->header - offset < bytes ? sizeof s->header - offset : bytes);
    return bytes;
}

static int view_tombstone(void *ctx, const char *dir, uint64_t number, struct gn_tombstone *out)
{
    struct view *v = ctx;
    char name[GN_JOURNAL_NAME_BYTES], path[GN_ARCHIVE_PATH];
    bool direct;
    gn_journal_file_name(number, name);
    int fd = v->disk.open(v->disk.ctx, dir, name, GN_JOURNAL_OPEN_READ, &direct);
    if (fd >= 0)
        v->disk.close(v->disk.ctx, fd);
    if (fd >= 0 || !gn_archive_path(path, dir, number, "gnz") || access(path, F_OK) == 0)
        return 0;
    return gn_tombstone_read(dir, number, out);
}

static void view_free(void *ctx)
{
    struct view *v = ctx;
    for (int i = 0; i < SLOTS; i++)
        if (v->slot[i].used)
            view_close(v, SLOT_BASE + i);
    free(v);
}

int gn_journal_io_archive(struct gn_journal_io *io)
{
    struct view *v = calloc(1, sizeof *v);
    if (v == NULL)
        return -ENOMEM;
    gn_journal_io_reader(&v->disk);
    *io = v->disk;
    io->ctx = v;
    io->free = view_free;
    io->list = view_list;
    io->open = view_open;
    io->close = view_close;
    io->size = view_size;
    io->read = view_read;
    io->tombstone = view_tombstone;
    return 0;
}
