#include "controlplane/journal/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES    4096
#define ZERO_BYTES    (256u << 10) /* a piece of the zero fill: small, so that a commit does not queue behind much */
#define URING_ENTRIES 8

enum { TAG_WRITE = 1, TAG_SYNC = 2 };

struct disk {
    struct io_uring ring;
    int dir_fd; /* holds the lock */
    int32_t written, synced;
    unsigned pending; /* completions not seen yet */
};

static alignas(4096) const uint8_t zeros[ZERO_BYTES];

static int path_of(char path[PATH_BYTES], const char *dir, const char *name, const char *suffix)
{
    int n = snprintf(path, PATH_BYTES, "%s/%s%s", dir, name, suffix);
    return n < 0 || n >= PATH_BYTES ? -ENAMETOOLONG : 0;
}

static int sync_directory(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = fsync(fd) != 0 ? -errno : 0;
    (void)close(fd);
    return rc;
}

static void disk_free(void *ctx)
{
    struct disk *d = ctx;
    io_uring_queue_exit(&d->ring);
    if (d->dir_fd >= 0)
        (void)close(d->dir_fd);
    free(d);
}

static int disk_lock(void *ctx, const char *dir)
{
    struct disk *d = ctx;
    if (mkdir(dir, 0750) != 0 && errno != EEXIST)
        return -errno;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int rc = -errno;
        (void)close(fd);
        return rc;
    }
    d->dir_fd = fd;
    return 0;
}

static int disk_list(void *ctx, const char *dir, void (*fn)(void *arg, const char *name), void *arg)
{
    (void)ctx;
    DIR *listing = opendir(dir);
    if (listing == NULL)
        return -errno;
    const struct dirent *entry;
    errno = 0;
    while ((entry = readdir(listing)) != NULL)
        fn(arg, entry->d_name);
    int rc = -errno;
    (void)closedir(listing);
    return rc;
}

/* Past the page cache when the filesystem can: it says EINVAL when it cannot. */
static int open_direct(const char *path, int flags, bool *direct)
{
    int fd = open(path, flags | O_DIRECT | O_CLOEXEC, 0640);
    *direct = fd >= 0;
    if (fd < 0 && errno == EINVAL)
        fd = open(path, flags | O_CLOEXEC, 0640);
    return fd < 0 ? -errno : fd;
}

static int fill_zeros(int fd, uint64_t bytes)
{
    /* Reserves all of it first, so that a full disk is known before a minute of writing; not every filesystem can. */
    if (fallocate(fd, 0, 0, (off_t)bytes) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        return -errno;
    for (uint64_t at = 0; at < bytes;) {
        size_t piece = bytes - at < ZERO_BYTES ? (size_t)(bytes - at) : ZERO_BYTES;
        ssize_t n = pwrite(fd, zeros, piece, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += (uint64_t)n;
    }
    return fsync(fd) != 0 ? -errno : 0;
}

static int disk_prepare(void *ctx, const char *dir, const char *name, uint64_t bytes)
{
    (void)ctx;
    char path[PATH_BYTES], temp[PATH_BYTES];
    bool direct;
    int rc = path_of(path, dir, name, "");
    if (rc == 0)
        rc = path_of(temp, dir, name, ".tmp");
    if (rc != 0)
        return rc;
    int fd = open_direct(temp, O_WRONLY | O_CREAT | O_TRUNC, &direct);
    if (fd < 0)
        return fd;
    rc = fill_zeros(fd, bytes);
    if (close(fd) != 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && rename(temp, path) != 0)
        rc = -errno;
    if (rc != 0) {
        (void)unlink(temp);
        return rc;
    }
    rc = sync_directory(dir);
    if (rc != 0)
        (void)unlink(path);
    return rc;
}

static int disk_open(void *ctx, const char *dir, const char *name, enum gn_journal_open_mode mode, bool *direct)
{
    (void)ctx;
    char path[PATH_BYTES];
    int rc = path_of(path, dir, name, "");
    if (rc != 0)
        return rc;
    if (mode == GN_JOURNAL_OPEN_WRITE)
        return open_direct(path, O_WRONLY, direct);
    *direct = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void disk_close(void *ctx, int handle)
{
    (void)ctx;
    (void)close(handle);
}

static int64_t disk_size(void *ctx, int handle)
{
    (void)ctx;
    struct stat st;
    return fstat(handle, &st) != 0 ? -errno : (int64_t)st.st_size;
}

static int64_t disk_read(void *ctx, int handle, void *buf, uint32_t bytes, uint64_t offset)
{
    (void)ctx;
    uint32_t got = 0;
    while (got < bytes) {
        ssize_t n = pread(handle, (uint8_t *)buf + got, bytes - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (uint32_t)n;
    }
    return got;
}

static int disk_sync(void *ctx, const char *dir, int handle)
{
    (void)ctx;
    return fsync(handle) != 0 ? -errno : sync_directory(dir);
}

static int disk_remove(void *ctx, const char *dir, const char *name)
{
    (void)ctx;
    char path[PATH_BYTES];
    int rc = path_of(path, dir, name, "");
    if (rc != 0)
        return rc;
    return unlink(path) != 0 ? -errno : 0;
}

static int disk_submit(void *ctx, int handle, const void *buf, uint32_t bytes, uint64_t offset)
{
    struct disk *d = ctx;
    struct io_uring_sqe *write = io_uring_get_sqe(&d->ring);
    struct io_uring_sqe *sync = io_uring_get_sqe(&d->ring);
    if (write == NULL || sync == NULL)
        return -EBUSY;
    io_uring_prep_write(write, handle, buf, bytes, offset);
    /* LINK, not HARDLINK: a short or failed write cancels the sync, so that it can never look durable. */
    write->flags |= IOSQE_IO_LINK;
    io_uring_sqe_set_data64(write, TAG_WRITE);
    io_uring_prep_fsync(sync, handle, IORING_FSYNC_DATASYNC);
    io_uring_sqe_set_data64(sync, TAG_SYNC);
    d->written = 0;
    d->synced = -EINPROGRESS;
    int n = io_uring_submit(&d->ring);
    if (n < 0)
        return n;
    if (n != 2)
        return -EIO;
    d->pending = 2;
    return 0;
}

static int disk_reap(void *ctx, uint64_t timeout_ns, int32_t *written, int32_t *synced)
{
    struct disk *d = ctx;
    while (d->pending != 0) {
        struct io_uring_cqe *cqe;
        struct __kernel_timespec ts = {.tv_sec = (int64_t)(timeout_ns / 1000000000u),
                                       .tv_nsec = (int64_t)(timeout_ns % 1000000000u)};
        int rc = timeout_ns == 0 ? io_uring_peek_cqe(&d->ring, &cqe) : io_uring_wait_cqe_timeout(&d->ring, &cqe, &ts);
        if (rc == -EAGAIN || rc == -ETIME || rc == -EINTR)
            return 0;
        if (rc != 0)
            return rc;
        if (io_uring_cqe_get_data64(cqe) == TAG_WRITE)
            d->written = cqe->res;
        else
            d->synced = cqe->res;
        io_uring_cqe_seen(&d->ring, cqe);
        d->pending--;
    }
    *written = d->written;
    *synced = d->synced;
    return 1;
}

static uint64_t disk_clock_ns(void *ctx)
{
    (void)ctx;
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void disk_sleep_ns(void *ctx, uint64_t ns)
{
    (void)ctx;
    struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    (void)nanosleep(&ts, NULL);
}

void gn_journal_io_reader(struct gn_journal_io *io)
{
    *io = (struct gn_journal_io){
        .list = disk_list,
        .prepare = disk_prepare,
        .open = disk_open,
        .close = disk_close,
        .size = disk_size,
        .read = disk_read,
        .sync = disk_sync,
        .remove = disk_remove,
        .clock_ns = disk_clock_ns,
        .sleep_ns = disk_sleep_ns,
    };
}

int gn_journal_io_new(struct gn_journal_io *io)
{
    struct disk *d = calloc(1, sizeof *d);
    if (d == NULL)
        return -ENOMEM;
    d->dir_fd = -1;
    int rc = io_uring_queue_init(URING_ENTRIES, &d->ring, 0);
    if (rc != 0) {
        free(d);
        return rc;
    }
    gn_journal_io_reader(io);
    io->ctx = d;
    io->free = disk_free;
    io->lock = disk_lock;
    io->submit = disk_submit;
    io->reap = disk_reap;
    return 0;
}
