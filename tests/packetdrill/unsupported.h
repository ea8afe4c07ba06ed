/* Calls that packetdrill knows and our sockets do not: each says so with its errno. */
#ifndef GN_TEST_PACKETDRILL_UNSUPPORTED_H
#define GN_TEST_PACKETDRILL_UNSUPPORTED_H

#include <errno.h>
#include <sys/epoll.h>
#include <sys/types.h>

static inline int err(int e)
{
    errno = e;
    return -1;
}

static int do_ioctl(void *arg, int fd, unsigned long request, ...)
{
    (void)arg;
    (void)fd;
    (void)request;
    return err(ENOTTY);
}

static int do_epoll_create(void *self, int size)
{
    (void)self;
    (void)size;
    return err(ENOSYS);
}

static int do_epoll_ctl(void *self, int epfd, int op, int fd, struct epoll_event *event)
{
    (void)self;
    (void)epfd;
    (void)op;
    (void)fd;
    (void)event;
    return err(ENOSYS);
}

static int do_epoll_wait(void *self, int epfd, struct epoll_event *events, int max, int timeout)
{
    (void)self;
    (void)epfd;
    (void)events;
    (void)max;
    (void)timeout;
    return err(ENOSYS);
}

static int do_pipe(void *self, int fds[2])
{
    (void)self;
    (void)fds;
    return err(ENOSYS);
}

static ssize_t do_splice(void *self, int in, loff_t *in_off, int out, loff_t *out_off, size_t len, unsigned flags)
{
    (void)self;
    (void)in;
    (void)in_off;
    (void)out;
    (void)out_off;
    (void)len;
    (void)flags;
    return err(ENOSYS);
}

#endif
