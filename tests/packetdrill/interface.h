/* What packetdrill wants of a shared object that it loads with --so_filename: a function packetdrill_interface_init
 * that fills a structure of functions, each of which gets `userdata` back as its first argument. The layout is a
 * binary interface: members and their order are packetdrill's.
 */
#ifndef GN_TEST_PACKETDRILL_INTERFACE_H
#define GN_TEST_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *self);
    int (*socket)(void *self, int domain, int type, int protocol);
    int (*bind)(void *self, int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(void *self, int fd, int backlog);
    int (*accept)(void *self, int fd, struct sockaddr *addr, socklen_t *len);
    int (*connect)(void *self, int fd, const struct sockaddr *addr, socklen_t len);
    ssize_t (*read)(void *self, int fd, void *buf, size_t len);
    ssize_t (*readv)(void *self, int fd, const struct iovec *iov, int n);
    ssize_t (*recv)(void *self, int fd, void *buf, size_t len, int flags);
    ssize_t (*recvfrom)(void *self, int fd, void *buf, size_t len, int flags, struct sockaddr *from,
                        socklen_t *from_len);
    ssize_t (*recvmsg)(void *self, int fd, struct msghdr *msg, int flags);
    ssize_t (*write)(void *self, int fd, const void *buf, size_t len);
    ssize_t (*writev)(void *self, int fd, const struct iovec *iov, int n);
    ssize_t (*send)(void *self, int fd, const void *buf, size_t len, int flags);
    ssize_t (*sendto)(void *self, int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len);
    ssize_t (*sendmsg)(void *self, int fd, const struct msghdr *msg, int flags);
    int (*fcntl)(void *self, int fd, int cmd, ...);
    int (*ioctl)(void *self, int fd, unsigned long request, ...);
    int (*close)(void *self, int fd);
    int (*shutdown)(void *self, int fd, int how);
    int (*getsockopt)(void *self, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *self, int fd, int level, int name, const void *value, socklen_t len);
    int (*poll)(void *self, struct pollfd *fds, nfds_t n, int timeout);
    int (*netdev_send)(void *self, const void *packet, size_t len);                   /* an IP packet to the stack */
    int (*netdev_receive)(void *self, void *packet, size_t *len, long long *time_us); /* the next one from it */
    int (*usleep)(void *self, useconds_t us);
    int (*gettimeofday)(void *self, struct timeval *tv, struct timezone *tz);
    int (*epoll_create)(void *self, int size);
    int (*epoll_ctl)(void *self, int epfd, int op, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *self, int epfd, struct epoll_event *events, int max, int timeout);
    int (*pipe)(void *self, int fds[2]);
    ssize_t (*splice)(void *self, int in, loff_t *in_off, int out, loff_t *out_off, size_t len, unsigned flags);
};

/* packetdrill_interface_init: flags is the text of --so_flags, or NULL; see gannet_packetdrill.c. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc);

#endif
