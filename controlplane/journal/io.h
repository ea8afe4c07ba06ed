/* What the journal asks of a disk and of a clock: one table of function pointers, so that a simulated disk, or one that
 * fails on purpose, takes the place of the real one. All functions return 0 (or a handle, a size) or a negative errno.
 *
 * Threads: `prepare` may run on another thread than the rest; everything else is called by one thread at a time.
 */
#ifndef GN_JOURNAL_IO_H
#define GN_JOURNAL_IO_H

#include "dataplane/abi/base.h"

enum gn_journal_open_mode {
    GN_JOURNAL_OPEN_READ = 0,
    GN_JOURNAL_OPEN_WRITE = 1, /* past the page cache when the filesystem can */
};

struct gn_tombstone; /* archive.h */

struct gn_journal_io {
    void *ctx;
    /* free: everything that ctx owns, the lock included; may be NULL. */
    void (*free)(void *ctx);
    /* lock: makes the directory when it is missing and takes it for this process; -EWOULDBLOCK when someone has it. */
    int (*lock)(void *ctx, const char *dir);
    /* list: calls fn with every name in the directory, in any order. */
    int (*list)(void *ctx, const char *dir, void (*fn)(void *arg, const char *name), void *arg);
    /* prepare: a file of that name and size, all zeros that are written (not only reserved), file and name durable. An
     * existing file of that name is replaced. Nothing of that name remains when it fails. */
    int (*prepare)(void *ctx, const char *dir, const char *name, uint64_t bytes);
    /* open: a handle; *direct tells whether writes pass by the page cache. */
    int (*open)(void *ctx, const char *dir, const char *name, enum gn_journal_open_mode mode, bool *direct);
    void (*close)(void *ctx, int handle);
    int64_t (*size)(void *ctx, int handle);
    /* read: bytes read, fewer only at the end of the file. */
    int64_t (*read)(void *ctx, int handle, void *buf, uint32_t bytes, uint64_t offset);
    /* sync: file and directory are durable as they can be read now; recovery does it before it trusts what it reads. */
    int (*sync)(void *ctx, const char *dir, int handle);
    int (*remove)(void *ctx, const char *dir, const char *name);
    /* submit: starts write, and after it fdatasync, of a block-aligned buffer at a block-aligned offset. The buffer
     * belongs to the disk until reap says 1. One is in flight at most. */
    int (*submit)(void *ctx, int handle, const void *buf, uint32_t bytes, uint64_t offset);
    /* reap: 1 when both ended (*written: bytes or negative errno, *synced: 0 or negative errno), 0 when not within
     * timeout_ns (0 = look only); sleeps, never spins. */
    int (*reap)(void *ctx, uint64_t timeout_ns, int32_t *written, int32_t *synced);
    uint64_t (*clock_ns)(void *ctx); /* monotonic */
    void (*sleep_ns)(void *ctx, uint64_t ns);
    /* tombstone: 1 = the segment was deleted and left *out, unchecked; 0 = it is there, or nothing is; negative errno.
     * NULL: this disk has no archive. */
    int (*tombstone)(void *ctx, const char *dir, uint64_t number, struct gn_tombstone *out);
};

/* gn_journal_io_new: the real disk: POSIX files, io_uring LINK write->fdatasync. 0 or a negative errno (no io_uring:
 * -ENOSYS, -EPERM). */
int gn_journal_io_new(struct gn_journal_io *io) GN_MUST_CHECK;

/* gn_journal_io_reader: the real disk without io_uring, for readers; submit is NULL, nothing to free. */
void gn_journal_io_reader(struct gn_journal_io *io);

#endif
