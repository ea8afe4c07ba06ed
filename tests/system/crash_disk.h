/* A disk whose every write and flush is seen: a FUSE daemon (a thread of this process) exports one image file, a loop
 * device makes a block device of it, a real filesystem of the kernel is mounted on that. What dm-log-writes and
 * dm-flakey do in a kernel that has device-mapper.
 *
 *      platter   what is durable: a memfd
 *      view      what the exported file shows: a private mapping of the platter plus what was written since; a new file
 *                name each time, so that no cache of the kernel survives
 *      log       writes and flushes of the workload, in order; a second one for a recovery that is itself cut short
 */
#ifndef GN_TEST_CRASH_DISK_H
#define GN_TEST_CRASH_DISK_H

#include <pthread.h>

#include "dataplane/abi/base.h"

#define CRASH_SECTOR   512u
#define CRASH_MARKS    3u      /* counters of the workload that each entry keeps */
#define CRASH_LOG_MAX  100000u /* entries of a log; a workload that writes more fails */
#define CRASH_PATH_MAX 128u

struct crash_entry {
    uint8_t *data; /* NULL: a flush */
    uint64_t offset;
    uint32_t bytes;
    uint64_t acked[CRASH_MARKS]; /* the workload's counters when it arrived */
};

struct crash_log {
    struct crash_entry *entry;
    uint32_t n;
    bool full;
};

struct crash_disk {
    char dir[CRASH_PATH_MAX];      /* holds the two mount points */
    char exported[CRASH_PATH_MAX]; /* where FUSE is mounted */
    char mounted[CRASH_PATH_MAX];  /* where the filesystem is mounted */
    const char *fs;                /* "ext4" or "xfs" */
    uint64_t bytes;                /* of the disk */
    int memfd;
    uint8_t *platter; /* shared mapping of memfd */

    pthread_mutex_t lock; /* of the six below, between the FUSE thread and the explorer */
    uint8_t *view;
    uint64_t generation;
    struct crash_log *to; /* the log that is being written, NULL = none */
    struct crash_log work, recovery;
    uint32_t advanced;                   /* entries of work that are on the platter */
    _Atomic uint64_t acked[CRASH_MARKS]; /* set by the workload, release; acquire in the FUSE thread */

    uint32_t cut, keep; /* of the state in view, and its seed: made again by crash_disk_again */
    uint64_t seed;
    int loop; /* fd of the loop device, -1 = none */
    char loop_path[32];
    void *fuse; /* struct fuse */
    pthread_t thread;
    bool running, fs_mounted;
    bool torn; /* the state in view holds a write that only some sectors of reached the platter */
    int mount_errno;
    char why[256]; /* of the last failure, for people */
};

/* crash_disk_new: daemon running, an empty filesystem on the platter, nothing mounted. fs: "ext4" or "xfs". 0, or -1
 * with d->why: root, /dev/fuse, loop devices or the filesystem's tools are missing. */
int crash_disk_new(struct crash_disk *d, const char *fs) GN_MUST_CHECK;

/* crash_disk_free: undoes everything, from any state. */
void crash_disk_free(struct crash_disk *d);

/* crash_disk_mount, crash_disk_unmount: the filesystem of the current view, at d->mounted. A filesystem whose own
 * metadata was torn within a block may refuse: d->mount_errno is EBADMSG or EUCLEAN then. */
int crash_disk_mount(struct crash_disk *d) GN_MUST_CHECK;
int crash_disk_unmount(struct crash_disk *d) GN_MUST_CHECK;

/* crash_disk_record: the view's writes and flushes go to `log` from now on; NULL ends it. */
void crash_disk_record(struct crash_disk *d, struct crash_log *log);

/* crash_disk_next_flush: the first flush of the workload at or after entry `from`, or d->work.n. */
uint32_t crash_disk_next_flush(const struct crash_disk *d, uint32_t from);

/* crash_disk_advance: entries before `until` reach the platter. Forward only. */
void crash_disk_advance(struct crash_disk *d, uint32_t until);

/* crash_disk_state: the view becomes the platter and a part of the writes in [advanced, cut): none (keep 0), all (256),
 * or each with a chance of keep / 256, some of them torn at sectors; decided by *seed, which moves on. Unmounted. */
int crash_disk_state(struct crash_disk *d, uint32_t cut, uint32_t keep, uint64_t *seed) GN_MUST_CHECK;

/* crash_disk_again: a second crash, at a random point of d->recovery: the same state as before, what the recovery wrote
 * up to its last flush, and a part of the rest. Unmounted. */
int crash_disk_again(struct crash_disk *d, uint64_t *seed) GN_MUST_CHECK;

/* crash_disk_live: the view becomes the platter alone. Unmounted. */
int crash_disk_live(struct crash_disk *d) GN_MUST_CHECK;

/* The loop device's part, crash_mount.c. */
int crash_mount_mkfs(struct crash_disk *d) GN_MUST_CHECK;

#endif
