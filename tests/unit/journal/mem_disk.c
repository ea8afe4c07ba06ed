#include "tests/unit/journal/mem_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/journal/format.h"
#include "tests/gn_test.h"

struct mem_file *md_find(struct mem_disk *d, const char *name)
{
    for (int i = 0; i < MD_FILES; i++)
        if (d->file[i].data != NULL && strcmp(d->file[i].name, name) == 0)
            return &d->file[i];
    return NULL;
}

static int md_lock(void *ctx, const char *dir)
{
    (void)ctx;
    (void)dir;
    return 0;
}

static int md_list(void *ctx, const char *dir, void (*fn)(void *arg, const char *name), void *arg)
{
    struct mem_disk *d = ctx;
    (void)dir;
    for (int i = 0; i < MD_FILES; i++)
        if (d->file[i].data != NULL)
            fn(arg, d->file[i].name);
    return 0;
}

static int md_remove(void *ctx, const char *dir, const char *name)
{
    struct mem_file *f = md_find(ctx, name);
    (void)dir;
    if (f == NULL)
        return -ENOENT;
    free(f->data);
    f->data = NULL;
    return 0;
}

static int md_prepare(void *ctx, const char *dir, const char *name, uint64_t bytes)
{
    struct mem_disk *d = ctx;
    (void)md_remove(d, dir, name);
    d->prepares++;
    if (d->fail_prepare_from != 0 && d->prepares >= d->fail_prepare_from && d->prepares <= d->fail_prepare_to)
        return -d->fail_errno;
    for (int i = 0; i < MD_FILES; i++) {
        struct mem_file *f = &d->file[i];
        if (f->data != NULL)
            continue;
        f->data = calloc(1, bytes);
        f->bytes = bytes;
        (void)snprintf(f->name, sizeof f->name, "%s", name);
        return f->data != NULL ? 0 : -ENOMEM;
    }
    return -ENOSPC;
}

static int md_open(void *ctx, const char *dir, const char *name, enum gn_journal_open_mode mode, bool *direct)
{
    struct mem_disk *d = ctx;
    struct mem_file *f = md_find(d, name);
    (void)dir;
    *direct = mode == GN_JOURNAL_OPEN_WRITE;
    return f == NULL ? -ENOENT : (int)(f - d->file);
}

static void md_close(void *ctx, int handle)
{
    (void)ctx;
    (void)handle;
}

static int64_t md_size(void *ctx, int handle)
{
    return (int64_t)((struct mem_disk *)ctx)->file[handle].bytes;
}

static int64_t md_read(void *ctx, int handle, void *buf, uint32_t bytes, uint64_t offset)
{
    const struct mem_file *f = &((struct mem_disk *)ctx)->file[handle];
    uint64_t n = offset >= f->bytes ? 0 : f->bytes - offset < bytes ? f->bytes - offset : bytes;
    memcpy(buf, f->data + (n != 0 ? offset : 0), n);
    return (int64_t)n;
}

static int md_sync(void *ctx, const char *dir, int handle)
{
    (void)dir;
    (void)handle;
    ((struct mem_disk *)ctx)->syncs++;
    return 0;
}

static int md_submit(void *ctx, int handle, const void *buf, uint32_t bytes, uint64_t offset)
{
    struct mem_disk *d = ctx;
    /* What O_DIRECT asks for, and one write at a time. */
    if (d->pending || bytes % GN_JOURNAL_BLOCK != 0 || offset % GN_JOURNAL_BLOCK != 0 ||
        (uintptr_t)buf % GN_JOURNAL_SECTOR != 0 || offset + bytes > d->file[handle].bytes)
        abort();
    if (++d->submits == d->fail_submit || d->dead)
        return d->dead ? -EIO : -d->fail_errno;
    d->pending = true;
    d->handle = handle;
    d->buf = buf;
    d->bytes = bytes;
    d->offset = offset;
    return 0;
}

static int md_reap(void *ctx, uint64_t timeout_ns, int32_t *written, int32_t *synced)
{
    struct mem_disk *d = ctx;
    /* A look comes too early, a wait is long enough: so buffers fill while one is in flight. */
    if (timeout_ns == 0)
        return 0;
    d->clock_ns += d->commit_ns != 0 ? d->commit_ns : 50000;
    d->pending = false;
    *written = (int32_t)d->bytes;
    *synced = 0;
    if (d->dead) {
        *written = -EIO;
        *synced = -ECANCELED;
        return 1;
    }
    if (d->submits == d->fail_write) {
        *written = -d->fail_errno;
        *synced = -ECANCELED;
        return 1;
    }
    if (d->submits == d->fail_short) {
        *written = (int32_t)d->bytes - 512;
        *synced = -ECANCELED;
        return 1;
    }
    memcpy(d->file[d->handle].data + d->offset, d->buf, d->bytes);
    if (d->submits == d->fail_sync)
        *synced = -d->fail_errno;
    return 1;
}

static uint64_t md_clock(void *ctx)
{
    return ((struct mem_disk *)ctx)->clock_ns += 100;
}

static void md_sleep(void *ctx, uint64_t ns)
{
    ((struct mem_disk *)ctx)->clock_ns += ns;
}

struct gn_journal_io md_io(struct mem_disk *d)
{
    return (struct gn_journal_io){
        .ctx = d,
        .lock = md_lock,
        .list = md_list,
        .prepare = md_prepare,
        .open = md_open,
        .close = md_close,
        .size = md_size,
        .read = md_read,
        .sync = md_sync,
        .remove = md_remove,
        .submit = md_submit,
        .reap = md_reap,
        .clock_ns = md_clock,
        .sleep_ns = md_sleep,
    };
}

void md_crash(struct mem_disk *d, uint64_t *seed)
{
    const uint64_t mode = gn_test_rand(seed) % 4; /* none, all, a prefix, any subset */
    const uint32_t sectors = d->bytes / GN_JOURNAL_SECTOR;
    const uint64_t prefix = sectors != 0 ? gn_test_rand(seed) % sectors : 0;
    for (uint32_t s = 0; d->pending && s < sectors; s++) {
        bool there = mode == 1 || (mode == 2 && s < prefix) || (mode == 3 && (gn_test_rand(seed) & 1) != 0);
        if (there)
            memcpy(d->file[d->handle].data + d->offset + (uint64_t)s * GN_JOURNAL_SECTOR,
                   d->buf + s * GN_JOURNAL_SECTOR, GN_JOURNAL_SECTOR);
    }
    d->pending = false;
    d->dead = true;
}

void md_free(struct mem_disk *d)
{
    for (int i = 0; i < MD_FILES; i++)
        free(d->file[i].data);
    memset(d, 0, sizeof *d);
}
