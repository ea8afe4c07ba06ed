#define FUSE_USE_VERSION 31
#include "tests/system/crash_disk.h"

#include <errno.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/gn_test.h"

#define MIB (1ull << 20)

static struct crash_disk *disk_of(void)
{
    return fuse_get_context()->private_data;
}

/* The file of the current view; an older one is gone. Under the lock. */
static bool is_current(const struct crash_disk *d, const char *path)
{
    char name[32];
    (void)snprintf(name, sizeof name, "/disk-%llu", (unsigned long long)d->generation);
    return strcmp(path, name) == 0;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
    struct crash_disk *d = disk_of();
    memset(st, 0, sizeof *st);
    if (strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0700;
        st->st_nlink = 2;
        return 0;
    }
    (void)pthread_mutex_lock(&d->lock);
    const bool here = is_current(d, path);
    (void)pthread_mutex_unlock(&d->lock);
    st->st_mode = S_IFREG | 0600;
    st->st_nlink = 1;
    st->st_size = (off_t)d->bytes;
    return here ? 0 : -ENOENT;
}

static int on_open(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    fi->direct_io = 1; /* no cache between the loop device and us */
    return 0;
}

static int on_read(const char *path, char *buf, size_t bytes, off_t offset, struct fuse_file_info *fi)
{
    (void)fi;
    struct crash_disk *d = disk_of();
    (void)pthread_mutex_lock(&d->lock);
    int rc = -EIO;
    if (is_current(d, path) && offset >= 0 && (uint64_t)offset <= d->bytes) {
        const uint64_t room = d->bytes - (uint64_t)offset;
        bytes = bytes < room ? bytes : room;
        memcpy(buf, d->view + offset, bytes);
        rc = (int)bytes;
    }
    (void)pthread_mutex_unlock(&d->lock);
    return rc;
}

/* Under the lock. */
static int log_it(struct crash_disk *d, const void *data, uint64_t offset, size_t bytes)
{
    struct crash_log *l = d->to;
    if (l == NULL)
        return 0;
    if (l->n == CRASH_LOG_MAX) {
        l->full = true;
        return -EIO;
    }
    struct crash_entry *e = &l->entry[l->n];
    *e = (struct crash_entry){.offset = offset, .bytes = (uint32_t)bytes};
    if (data != NULL && (e->data = malloc(bytes)) == NULL)
        return -ENOMEM;
    if (data != NULL)
        memcpy(e->data, data, bytes);
    for (uint32_t i = 0; i < CRASH_MARKS; i++)
        e->acked[i] = atomic_load_explicit(&d->acked[i], memory_order_acquire); /* pairs with the workload's release */
    l->n++;
    return 0;
}

static int on_write(const char *path, const char *buf, size_t bytes, off_t offset, struct fuse_file_info *fi)
{
    (void)fi;
    struct crash_disk *d = disk_of();
    int rc = -EIO;
    (void)pthread_mutex_lock(&d->lock);
    if (is_current(d, path) && offset >= 0 && (uint64_t)offset + bytes <= d->bytes) {
        rc = log_it(d, buf, (uint64_t)offset, bytes);
        if (rc == 0) {
            memcpy(d->view + offset, buf, bytes);
            rc = (int)bytes;
        }
    }
    (void)pthread_mutex_unlock(&d->lock);
    return rc;
}

static int on_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
    (void)datasync;
    (void)fi;
    struct crash_disk *d = disk_of();
    (void)pthread_mutex_lock(&d->lock);
    const int rc = is_current(d, path) ? log_it(d, NULL, 0, 0) : -EIO;
    (void)pthread_mutex_unlock(&d->lock);
    return rc;
}

static const struct fuse_operations operations = {
    .getattr = on_getattr,
    .open = on_open,
    .read = on_read,
    .write = on_write,
    .fsync = on_fsync,
};

static void *serve(void *arg)
{
    (void)fuse_loop(arg);
    return NULL;
}

static int fail(struct crash_disk *d, const char *what, int err)
{
    (void)snprintf(d->why, sizeof d->why, "%s: %s", what, strerror(err));
    return -1;
}

static int start_fuse(struct crash_disk *d)
{
    static char name[] = "crash_disk";
    char *argv[] = {name, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    struct fuse *f = fuse_new(&args, &operations, sizeof operations, d);
    fuse_opt_free_args(&args);
    if (f == NULL || fuse_mount(f, d->exported) != 0) {
        if (f != NULL)
            fuse_destroy(f);
        return fail(d, "FUSE does not mount (root and /dev/fuse are needed)", errno);
    }
    d->fuse = f;
    const int rc = pthread_create(&d->thread, NULL, serve, f);
    if (rc != 0)
        return fail(d, "FUSE thread", rc);
    d->running = true;
    return 0;
}

int crash_disk_live(struct crash_disk *d)
{
    (void)pthread_mutex_lock(&d->lock);
    if (d->view != NULL)
        (void)munmap(d->view, d->bytes);
    d->view = mmap(NULL, d->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, d->memfd, 0);
    d->generation++;
    d->to = NULL;
    const bool ok = d->view != MAP_FAILED;
    if (!ok)
        d->view = NULL;
    (void)pthread_mutex_unlock(&d->lock);
    return ok ? 0 : fail(d, "view of the platter", errno);
}

/* The view becomes the platter; pages of zeros stay holes. */
static void keep_what_is_there(struct crash_disk *d)
{
    static const uint8_t zeros[4096];
    for (uint64_t at = 0; at < d->bytes; at += sizeof zeros)
        if (memcmp(d->view + at, zeros, sizeof zeros) != 0)
            memcpy(d->platter + at, d->view + at, sizeof zeros);
}

int crash_disk_new(struct crash_disk *d, const char *fs)
{
    const char *base = getenv("TMPDIR");
    memset(d, 0, sizeof *d);
    d->memfd = d->loop = -1;
    d->fs = fs;
    d->bytes = strcmp(fs, "xfs") == 0 ? 320 * MIB : 64 * MIB; /* mkfs.xfs takes no less than 300 MiB */
    (void)pthread_mutex_init(&d->lock, NULL);
    d->work.entry = calloc(CRASH_LOG_MAX, sizeof *d->work.entry);
    d->recovery.entry = calloc(CRASH_LOG_MAX, sizeof *d->recovery.entry);
    (void)snprintf(d->dir, sizeof d->dir, "%.90s/gn-crash-XXXXXX", base != NULL ? base : "/tmp");
    if (d->work.entry == NULL || d->recovery.entry == NULL || mkdtemp(d->dir) == NULL)
        return fail(d, d->dir, errno);
    (void)snprintf(d->exported, sizeof d->exported, "%.100s/exported", d->dir);
    (void)snprintf(d->mounted, sizeof d->mounted, "%.100s/mounted", d->dir);
    if (mkdir(d->exported, 0700) != 0 || mkdir(d->mounted, 0700) != 0)
        return fail(d, d->exported, errno);
    d->memfd = memfd_create("gn-crash-disk", MFD_CLOEXEC);
    if (d->memfd < 0 || ftruncate(d->memfd, (off_t)d->bytes) != 0)
        return fail(d, "memory of the disk", errno);
    d->platter = mmap(NULL, d->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, d->memfd, 0);
    if (d->platter == MAP_FAILED) {
        d->platter = NULL;
        return fail(d, "memory of the disk", errno);
    }
    if (crash_disk_live(d) != 0 || start_fuse(d) != 0 || crash_mount_mkfs(d) != 0)
        return -1;
    keep_what_is_there(d);
    return crash_disk_live(d);
}

static void log_free(struct crash_log *l)
{
    for (uint32_t i = 0; l->entry != NULL && i < l->n; i++)
        free(l->entry[i].data);
    l->n = 0;
}

void crash_disk_free(struct crash_disk *d)
{
    if (crash_disk_unmount(d) != 0)
        printf("%s stays mounted: %s\n", d->mounted, d->why);
    if (d->fuse != NULL) {
        fuse_exit(d->fuse);
        fuse_unmount(d->fuse); /* wakes the loop */
        if (d->running)
            (void)pthread_join(d->thread, NULL);
        fuse_destroy(d->fuse);
    }
    if (d->view != NULL)
        (void)munmap(d->view, d->bytes);
    if (d->platter != NULL)
        (void)munmap(d->platter, d->bytes);
    if (d->memfd >= 0)
        (void)close(d->memfd);
    (void)rmdir(d->mounted);
    (void)rmdir(d->exported);
    (void)rmdir(d->dir);
    log_free(&d->work);
    log_free(&d->recovery);
    free(d->work.entry);
    free(d->recovery.entry);
    (void)pthread_mutex_destroy(&d->lock);
}

void crash_disk_record(struct crash_disk *d, struct crash_log *log)
{
    (void)pthread_mutex_lock(&d->lock);
    if (log != NULL)
        log_free(log);
    d->to = log;
    (void)pthread_mutex_unlock(&d->lock);
}

uint32_t crash_disk_next_flush(const struct crash_disk *d, uint32_t from)
{
    while (from < d->work.n && d->work.entry[from].data != NULL)
        from++;
    return from;
}

void crash_disk_advance(struct crash_disk *d, uint32_t until)
{
    for (; d->advanced < until; d->advanced++) {
        const struct crash_entry *e = &d->work.entry[d->advanced];
        if (e->data != NULL)
            memcpy(d->platter + e->offset, e->data, e->bytes);
    }
}

/* Some of the writes in [from, to) reach the view; one in eight of those only with some of its sectors. */
static void apply_some(struct crash_disk *d, const struct crash_log *l, uint32_t from, uint32_t to, uint32_t keep,
                       uint64_t *seed)
{
    for (uint32_t i = from; i < to; i++) {
        const struct crash_entry *e = &l->entry[i];
        const uint64_t r = gn_test_rand(seed);
        if (e->data == NULL || (r & 255) >= keep)
            continue;
        const bool torn = keep < 256 && e->bytes > CRASH_SECTOR && (r >> 8) % 8 == 0;
        d->torn |= torn;
        for (uint32_t at = 0; at < e->bytes; at += CRASH_SECTOR) {
            const uint32_t n = e->bytes - at < CRASH_SECTOR ? e->bytes - at : CRASH_SECTOR;
            if (!torn || gn_test_rand(seed) % 2 == 0)
                memcpy(d->view + e->offset + at, e->data + at, n);
        }
    }
}

int crash_disk_state(struct crash_disk *d, uint32_t cut, uint32_t keep, uint64_t *seed)
{
    d->cut = cut;
    d->keep = keep;
    d->seed = *seed;
    d->torn = false;
    if (crash_disk_live(d) != 0)
        return -1;
    apply_some(d, &d->work, d->advanced, cut, keep, seed);
    return 0;
}

int crash_disk_again(struct crash_disk *d, uint64_t *seed)
{
    uint64_t before = d->seed;
    const uint32_t cut = d->recovery.n == 0 ? 0 : (uint32_t)(gn_test_rand(seed) % (d->recovery.n + 1));
    uint32_t flushed = 0;
    for (uint32_t i = 0; i < cut; i++)
        if (d->recovery.entry[i].data == NULL)
            flushed = i;
    if (crash_disk_state(d, d->cut, d->keep, &before) != 0)
        return -1;
    apply_some(d, &d->recovery, 0, flushed, 256, seed);
    apply_some(d, &d->recovery, flushed, cut, 128, seed);
    return 0;
}
