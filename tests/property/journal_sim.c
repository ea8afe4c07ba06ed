#include "tests/property/journal_sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/journal/format.h"
#include "tests/gn_test.h"

struct sim_file *sim_find(struct sim_disk *d, const char *name)
{
    for (int i = 0; i < SIM_FILES; i++)
        if (d->file[i].data != NULL && strcmp(d->file[i].name, name) == 0)
            return &d->file[i];
    return NULL;
}

static void drop(struct sim_file *f)
{
    if (!f->shared)
        free(f->data);
    f->data = NULL;
}

/* Counts an I/O: 0, or the errno that it fails with. */
static int io_fault(struct sim_disk *d)
{
    if (d->dead)
        return EIO;
    d->ios++;
    if (d->fail_at == 0 || d->fail_short || d->ios < d->fail_at || (d->ios > d->fail_at && !d->fail_for_good))
        return 0;
    d->hit = true;
    return d->fail_errno;
}

static int sim_lock(void *ctx, const char *dir)
{
    (void)dir;
    return -io_fault(ctx);
}

static int sim_list(void *ctx, const char *dir, void (*fn)(void *arg, const char *name), void *arg)
{
    struct sim_disk *d = ctx;
    (void)dir;
    int err = io_fault(d);
    for (int i = 0; err == 0 && i < SIM_FILES; i++)
        if (d->file[i].data != NULL)
            fn(arg, d->file[i].name);
    return -err;
}

/* The process dies before the change of that number. */
static bool dies(struct sim_disk *d)
{
    d->changes++;
    d->dead = d->dead || (d->die_after_changes != 0 && d->changes > d->die_after_changes);
    return d->dead;
}

static int sim_remove(void *ctx, const char *dir, const char *name)
{
    struct sim_disk *d = ctx;
    (void)dir;
    int err = io_fault(d);
    struct sim_file *f = sim_find(d, name);
    if (err != 0 || dies(d))
        return err != 0 ? -err : -EIO;
    if (f == NULL)
        return -ENOENT;
    drop(f);
    return 0;
}

static int make(struct sim_disk *d, const char *name, uint64_t bytes)
{
    for (int i = 0; i < SIM_FILES; i++) {
        struct sim_file *f = &d->file[i];
        if (f->data != NULL)
            continue;
        f->data = calloc(1, bytes);
        f->bytes = bytes;
        f->shared = false;
        (void)snprintf(f->name, sizeof f->name, "%.47s", name);
        return f->data != NULL ? 0 : -ENOMEM;
    }
    return -ENOSPC;
}

static int sim_prepare(void *ctx, const char *dir, const char *name, uint64_t bytes)
{
    struct sim_disk *d = ctx;
    char temp[64];
    (void)dir;
    int err = io_fault(d);
    if (err != 0)
        return -err;
    (void)snprintf(temp, sizeof temp, "%s.tmp", name);
    if (dies(d)) {
        /* killed while it filled the file: a part of it stays under the temporary name */
        if (sim_find(d, temp) == NULL)
            (void)make(d, temp, 512 * (1 + d->seed % 8));
        return -EIO;
    }
    struct sim_file *f = sim_find(d, name);
    if (f != NULL)
        drop(f);
    return make(d, name, bytes);
}

static int sim_open(void *ctx, const char *dir, const char *name, enum gn_journal_open_mode mode, bool *direct)
{
    struct sim_disk *d = ctx;
    (void)dir;
    *direct = mode == GN_JOURNAL_OPEN_WRITE;
    int err = io_fault(d);
    struct sim_file *f = sim_find(d, name);
    return err != 0 ? -err : f == NULL ? -ENOENT : (int)(f - d->file);
}

static void sim_close(void *ctx, int handle)
{
    (void)ctx;
    (void)handle;
}

static int64_t sim_size(void *ctx, int handle)
{
    struct sim_disk *d = ctx;
    int err = io_fault(d);
    return err != 0 ? -err : (int64_t)d->file[handle].bytes;
}

static int64_t sim_read(void *ctx, int handle, void *buf, uint32_t bytes, uint64_t offset)
{
    struct sim_disk *d = ctx;
    const struct sim_file *f = &d->file[handle];
    int err = io_fault(d);
    if (err != 0)
        return -err;
    uint64_t n = offset >= f->bytes ? 0 : f->bytes - offset < bytes ? f->bytes - offset : bytes;
    memcpy(buf, f->data + (n != 0 ? offset : 0), n);
    return (int64_t)n;
}

static int sim_sync(void *ctx, const char *dir, int handle)
{
    (void)dir;
    (void)handle;
    return -io_fault(ctx);
}

static int sim_submit(void *ctx, int handle, const void *buf, uint32_t bytes, uint64_t offset)
{
    struct sim_disk *d = ctx;
    if (d->pending || bytes % GN_JOURNAL_BLOCK != 0 || offset % GN_JOURNAL_BLOCK != 0 ||
        (uintptr_t)buf % GN_JOURNAL_SECTOR != 0 || offset + bytes > d->file[handle].bytes)
        abort();
    int err = io_fault(d);
    if (err != 0)
        return -err;
    d->submits++;
    d->pending = true;
    d->handle = handle;
    d->buf = buf;
    d->bytes = bytes;
    d->offset = offset;
    d->stalls = gn_test_rand(&d->seed) % 4 == 0 ? (uint32_t)(gn_test_rand(&d->seed) % 4) : 0;
    return 0;
}

/* Some of the sectors arrive. mode: 0 none, 1 all, 2 a prefix, 3 any, 4 all but one, 5 one. */
static void land(uint8_t *to, const uint8_t *from, uint32_t bytes, uint64_t *seed)
{
    const uint32_t sectors = bytes / GN_JOURNAL_SECTOR;
    const uint64_t mode = gn_test_rand(seed) % 6, which = gn_test_rand(seed) % sectors;
    for (uint32_t s = 0; s < sectors; s++) {
        const bool there = mode == 1 || (mode == 2 && s < which) || (mode == 3 && (gn_test_rand(seed) & 1) != 0) ||
                           (mode == 4 && s != which) || (mode == 5 && s == which);
        if (there)
            memcpy(to + s * GN_JOURNAL_SECTOR, from + s * GN_JOURNAL_SECTOR, GN_JOURNAL_SECTOR);
    }
}

/* A write that the disk acknowledges, truthfully or not. */
static void write_out(struct sim_disk *d)
{
    struct sim_file *f = &d->file[d->handle];
    if (d->submits != d->lie_at || d->lie == SIM_HONEST) {
        memcpy(f->data + d->offset, d->buf, d->bytes);
        return;
    }
    const uint64_t blocks = (f->bytes - d->bytes) / GN_JOURNAL_BLOCK + 1;
    uint64_t at = gn_test_rand(&d->seed) % blocks * GN_JOURNAL_BLOCK;
    struct sim_file *to = &d->file[gn_test_rand(&d->seed) % SIM_FILES];
    switch (d->lie) {
    case SIM_MISDIRECT_OFFSET:
        if (at == d->offset)
            at = at != 0 ? at - GN_JOURNAL_BLOCK : (blocks > 1 ? GN_JOURNAL_BLOCK : 0);
        memcpy(f->data + at, d->buf, d->bytes);
        break;
    case SIM_MISDIRECT_FILE:
        if (to->data != NULL && to != f && d->offset + d->bytes <= to->bytes)
            memcpy(to->data + d->offset, d->buf, d->bytes);
        break;
    case SIM_FLIP:
        memcpy(f->data + d->offset, d->buf, d->bytes);
        at = gn_test_rand(&d->seed) % d->bytes;
        f->data[d->offset + at] ^= (uint8_t)(1u << gn_test_rand(&d->seed) % 8);
        break;
    default:
        break;
    }
    d->hit = true;
}

static int sim_reap(void *ctx, uint64_t timeout_ns, int32_t *written, int32_t *synced)
{
    struct sim_disk *d = ctx;
    d->clock_ns += timeout_ns != 0 ? timeout_ns : 100;
    if (timeout_ns >= 1000000000) /* no stall lasts a second */
        d->stalls = 0;
    if (timeout_ns == 0 || d->stalls != 0) {
        d->stalls -= d->stalls != 0 && timeout_ns != 0;
        return 0;
    }
    *written = (int32_t)d->bytes;
    *synced = 0;
    d->pending = false;
    const bool shortened = d->fail_short && d->ios + 1 == d->fail_at;
    int err = io_fault(d);
    if (shortened) {
        d->hit = true;
        land(d->file[d->handle].data + d->offset, d->buf, d->bytes / 2 / GN_JOURNAL_SECTOR * GN_JOURNAL_SECTOR,
             &d->seed);
        *written = (int32_t)(d->bytes / 2);
        *synced = -ECANCELED;
        return 1;
    }
    if (err != 0) {
        if (!d->dead)
            land(d->file[d->handle].data + d->offset, d->buf, d->bytes, &d->seed);
        *written = -err;
        *synced = -ECANCELED;
        return 1;
    }
    err = io_fault(d); /* the flush is an I/O of its own */
    if (err != 0) {
        land(d->file[d->handle].data + d->offset, d->buf, d->bytes, &d->seed);
        *synced = -err;
        return 1;
    }
    write_out(d);
    return 1;
}

static uint64_t sim_clock(void *ctx)
{
    return ((struct sim_disk *)ctx)->clock_ns += 100;
}

static void sim_sleep(void *ctx, uint64_t ns)
{
    ((struct sim_disk *)ctx)->clock_ns += ns;
}

struct gn_journal_io sim_io(struct sim_disk *d)
{
    return (struct gn_journal_io){
        .ctx = d,
        .lock = sim_lock,
        .list = sim_list,
        .prepare = sim_prepare,
        .open = sim_open,
        .close = sim_close,
        .size = sim_size,
        .read = sim_read,
        .sync = sim_sync,
        .remove = sim_remove,
        .submit = sim_submit,
        .reap = sim_reap,
        .clock_ns = sim_clock,
        .sleep_ns = sim_sleep,
    };
}

/* A file of its own instead of a shared one; false = out of memory. */
static bool own(struct sim_file *f)
{
    if (!f->shared)
        return true;
    uint8_t *copy = malloc(f->bytes);
    if (copy == NULL)
        return false;
    memcpy(copy, f->data, f->bytes);
    f->data = copy;
    f->shared = false;
    return true;
}

void sim_clone(const struct sim_disk *d, struct sim_disk *out, uint64_t *seed)
{
    memset(out, 0, sizeof *out);
    memcpy(out->file, d->file, sizeof out->file);
    out->seed = gn_test_rand(seed);
    out->clock_ns = d->clock_ns;
    for (int i = 0; i < SIM_FILES; i++)
        out->file[i].shared = true;
    if (d->pending && own(&out->file[d->handle]))
        land(out->file[d->handle].data + d->offset, d->buf, d->bytes, seed);
    /* a file that was being prepared */
    if (gn_test_rand(seed) % 8 == 0)
        (void)make(out, "gannet-journal-00000099.gnj.tmp", GN_JOURNAL_SECTOR);
}

void sim_free(struct sim_disk *d)
{
    for (int i = 0; i < SIM_FILES; i++)
        if (d->file[i].data != NULL)
            drop(&d->file[i]);
}

bool sim_flip(struct sim_disk *d, uint64_t *seed)
{
    const uint64_t first = gn_test_rand(seed) % SIM_FILES;
    for (int k = 0; k < SIM_FILES; k++) {
        struct sim_file *f = &d->file[(first + (uint64_t)k) % SIM_FILES];
        if (f->data == NULL || f->bytes < 2 * GN_JOURNAL_BLOCK || f->data[0] == 0 ||
            strcmp(f->name + strlen(f->name) - 4, ".gnj") != 0 || !own(f))
            continue;
        f->data[gn_test_rand(seed) % f->bytes] ^= (uint8_t)(1u << gn_test_rand(seed) % 8);
        return true;
    }
    return false;
}
