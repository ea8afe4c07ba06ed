/* The block device on the exported file, and the filesystem on it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/system/crash_disk.h"

#define UNMOUNT_TRIES 500
#define LOOP_TRIES    16 /* somebody else may take the free one between two calls */

extern char **environ;

static int fail(struct crash_disk *d, const char *what, int err)
{
    (void)snprintf(d->why, sizeof d->why, "%s: %s", what, strerror(err));
    return -1;
}

/* Takes a free loop device for the file; it goes free again by itself with its last user. */
static int attach(struct crash_disk *d)
{
    char path[CRASH_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/disk-%llu", d->exported, (unsigned long long)d->generation);
    const int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return fail(d, path, errno);
    const int ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int err = ctl < 0 ? errno : EBUSY;
    for (int i = 0; ctl >= 0 && i < LOOP_TRIES && err == EBUSY; i++) {
        const int n = ioctl(ctl, LOOP_CTL_GET_FREE);
        struct loop_config conf = {.fd = (uint32_t)file, .block_size = CRASH_SECTOR};
        conf.info.lo_flags = LO_FLAGS_AUTOCLEAR;
        (void)snprintf(d->loop_path, sizeof d->loop_path, "/dev/loop%d", n);
        d->loop = n < 0 ? -1 : open(d->loop_path, O_RDWR | O_CLOEXEC);
        if (d->loop >= 0 && ioctl(d->loop, LOOP_CONFIGURE, &conf) == 0) {
            err = 0;
            break;
        }
        err = errno;
        if (d->loop >= 0)
            (void)close(d->loop);
        d->loop = -1;
    }
    if (ctl >= 0)
        (void)close(ctl);
    (void)close(file);
    return err == 0 ? 0 : fail(d, "loop device", err);
}

static void detach(struct crash_disk *d)
{
    if (d->loop >= 0)
        (void)close(d->loop);
    d->loop = -1;
}

int crash_mount_mkfs(struct crash_disk *d)
{
    const char *const ext4[] = {"mkfs.ext4",  "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0",
                                d->loop_path, NULL};
    const char *const xfs[] = {"mkfs.xfs", "-q", "-f", "-K", d->loop_path, NULL};
    const char *const *argv = strcmp(d->fs, "xfs") == 0 ? xfs : ext4;
    pid_t pid;
    int status = 0;
    if (attach(d) != 0)
        return -1;
    int rc = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
    if (rc == 0 && waitpid(pid, &status, 0) == pid && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        rc = EIO;
    detach(d);
    return rc == 0 ? 0 : fail(d, argv[0], rc);
}

int crash_disk_mount(struct crash_disk *d)
{
    if (attach(d) != 0)
        return -1;
    const int rc = mount(d->loop_path, d->mounted, d->fs, MS_NOATIME, "");
    const int err = errno;
    d->mount_errno = rc == 0 ? 0 : err;
    detach(d); /* the mount holds it from here */
    if (rc != 0)
        return fail(d, "the filesystem does not mount", err);
    d->fs_mounted = true;
    return 0;
}

int crash_disk_unmount(struct crash_disk *d)
{
    detach(d);
    if (!d->fs_mounted)
        return 0;
    int rc = umount2(d->mounted, 0);
    /* the kernel takes an io_uring apart, with the files it holds, after its owner closed it */
    for (int i = 0; i < UNMOUNT_TRIES && rc != 0 && errno == EBUSY; i++) {
        (void)nanosleep(&(const struct timespec){.tv_nsec = 10000000}, NULL);
        rc = umount2(d->mounted, 0);
    }
    if (rc != 0)
        return fail(d, "umount", errno);
    d->fs_mounted = false;
    return 0;
}
