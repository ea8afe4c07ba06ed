/* Our TCP behind the sockets that packetdrill's scripts call:
 *
 *      packetdrill --so_filename=gannet_packetdrill.so --so_flags=rto_min_us=200000 --local_ip=192.168.0.1
 *          --remote_ip=192.0.2.1 SCRIPT
 *
 * Time is virtual: it passes while the script waits. Calls that would block wait for at most WAIT_NS of it. A packet
 * that never comes ends the script after PATIENCE_NS: packetdrill is given one octet, which it cannot parse.
 */
#include "tests/packetdrill/interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/stack.h"
#include "tests/packetdrill/unsupported.h"

#define FDS         32
#define WAIT_NS     (10 * STACK_S)
#define STEP_NS     STACK_MS
#define PATIENCE_NS (90 * STACK_S)
#define LOOK_NS     5000u /* what reading the clock takes */

struct sock {
    int fd; /* a real one: packetdrill closes what a script leaves open by itself */
    bool used, listening, nonblock;
    uint16_t port;
    uint32_t conn; /* GN_TCP_NONE: no connection yet */
    int error;     /* what SO_ERROR still has to tell */
    bool told;
};

struct self {
    struct stack *stack;
    struct sock sock[FDS];
};

static struct sock *sock_of(struct self *self, int fd)
{
    for (int i = 0; i < FDS; i++)
        if (self->sock[i].used && self->sock[i].fd == fd)
            return &self->sock[i];
    return NULL;
}

static int sock_take(struct self *self)
{
    for (int i = 0; i < FDS; i++)
        if (!self->sock[i].used) {
            self->sock[i] = (struct sock){.fd = open("/dev/null", O_RDWR), .used = true, .conn = GN_TCP_NONE};
            return self->sock[i].fd;
        }
    return err(EMFILE);
}

static struct gn_tcp_status status(const struct self *self, const struct sock *s)
{
    struct gn_tcp_status st = {0};
    if (s->conn != GN_TCP_NONE)
        gn_tcp_status(self->stack->tcp, s->conn, &st);
    return st;
}

/* The errno that the end of a connection means, 0 when it has not ended or ended well. */
static int end_error(const struct gn_tcp_status *st)
{
    if (st->state != GN_TCP_CLOSED)
        return 0;
    switch (st->reason) {
    case GN_TCP_REASON_RESET:
        return ECONNRESET;
    case GN_TCP_REASON_REFUSED:
        return ECONNREFUSED;
    case GN_TCP_REASON_TIMEOUT:
    case GN_TCP_REASON_KEEPALIVE:
        return ETIMEDOUT;
    default:
        return 0;
    }
}

static int pending_error(const struct self *self, struct sock *s)
{
    struct gn_tcp_status st = status(self, s);
    if (!s->told && end_error(&st) != 0) {
        s->error = end_error(&st);
        s->told = true;
    }
    int e = s->error;
    s->error = 0;
    return e;
}

/* ---- opening ---- */

static int do_socket(void *self, int domain, int type, int protocol)
{
    if (domain != AF_INET)
        return err(EAFNOSUPPORT);
    if ((type & 0xf) != SOCK_STREAM || (protocol != 0 && protocol != IPPROTO_TCP))
        return err(EPROTONOSUPPORT);
    return sock_take(self);
}

static int do_bind(void *self, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sock *s = sock_of(self, fd);
    if (s == NULL)
        return err(EBADF);
    if (len < sizeof(struct sockaddr_in))
        return err(EINVAL);
    s->port = ntohs(((const struct sockaddr_in *)(const void *)addr)->sin_port);
    return 0;
}

static int do_listen(void *arg, int fd, int backlog)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    (void)backlog;
    if (s == NULL)
        return err(EBADF);
    if (gn_tcp_listen(self->stack->tcp, s->port) != GN_TCP_OK)
        return err(EADDRINUSE);
    s->listening = true;
    return 0;
}

static void put_address(const struct gn_tcp_status *st, struct sockaddr *addr, socklen_t *len)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(st->remote_port), .sin_addr.s_addr = htonl(st->remote_ip)};
    if (addr == NULL || len == NULL)
        return;
    memcpy(addr, &in, *len < sizeof in ? *len : sizeof in);
    *len = sizeof in;
}

static int do_accept(void *arg, int fd, struct sockaddr *addr, socklen_t *len)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    uint32_t conn;
    if (s == NULL)
        return err(EBADF);
    if (!s->listening)
        return err(EINVAL);
    for (uint64_t waited = 0; gn_tcp_accept(self->stack->tcp, s->port, &conn) != GN_TCP_OK; waited += STEP_NS) {
        if (s->nonblock || waited > WAIT_NS)
            return err(EAGAIN);
        stack_wait(self->stack, STEP_NS);
    }
    int got = sock_take(self);
    if (got >= 0) {
        s = sock_of(self, got);
        s->conn = conn;
        struct gn_tcp_status st = status(self, s);
        put_address(&st, addr, len);
    }
    return got;
}

static int connect_state(const struct self *self, struct sock *s)
{
    struct gn_tcp_status st = status(self, s);
    if (st.state == GN_TCP_SYN_SENT || st.state == GN_TCP_SYN_RCVD)
        return err(EALREADY);
    int e = pending_error(self, s);
    return err(e != 0 ? e : EISCONN);
}

static int do_connect(void *arg, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    if (s == NULL)
        return err(EBADF);
    if (len < sizeof(struct sockaddr_in) || addr->sa_family != AF_INET)
        return err(EINVAL);
    if (s->conn != GN_TCP_NONE)
        return connect_state(self, s);
    const struct sockaddr_in *to = (const struct sockaddr_in *)(const void *)addr;
    struct stack *k = self->stack;
    if (gn_tcp_connect(k->tcp, k->net, ntohl(to->sin_addr.s_addr), ntohs(to->sin_port), s->port, k->now_ns, &k->txq,
                       &s->conn) != GN_TCP_OK)
        return err(EADDRNOTAVAIL);
    stack_flush(k);
    if (s->nonblock)
        return err(EINPROGRESS);
    for (uint64_t waited = 0; waited < WAIT_NS; waited += STEP_NS) {
        struct gn_tcp_status st = status(self, s);
        int e = end_error(&st);
        if (e != 0) {
            s->told = true;
            return err(e);
        }
        if (st.state != GN_TCP_SYN_SENT && st.state != GN_TCP_SYN_RCVD)
            return 0;
        stack_wait(k, STEP_NS);
    }
    return err(ETIMEDOUT);
}

/* ---- data ---- */

static ssize_t do_read(void *arg, int fd, void *buf, size_t len)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    const uint8_t *data;
    if (s == NULL)
        return err(EBADF);
    if (s->conn == GN_TCP_NONE)
        return err(ENOTCONN);
    for (uint64_t waited = 0;; waited += STEP_NS) {
        uint32_t n = gn_tcp_readable(self->stack->tcp, s->conn, &data);
        if (n != 0) {
            n = len < n ? (uint32_t)len : n;
            memcpy(buf, data, n);
            gn_tcp_consume(self->stack->tcp, s->conn, n);
            stack_wait(self->stack, 0);
            return n;
        }
        int e = pending_error(self, s);
        if (e != 0)
            return err(e);
        uint32_t state = status(self, s).state;
        if (state != GN_TCP_ESTABLISHED && state != GN_TCP_FIN_WAIT_1 && state != GN_TCP_FIN_WAIT_2)
            return 0;
        if (s->nonblock || waited > WAIT_NS)
            return err(EAGAIN);
        stack_wait(self->stack, STEP_NS);
    }
}

static ssize_t do_write(void *arg, int fd, const void *buf, size_t len)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    if (s == NULL)
        return err(EBADF);
    struct stack *k = self->stack;
    size_t done = 0;
    for (uint64_t waited = 0; waited < WAIT_NS; waited += STEP_NS) {
        int n = s->conn == GN_TCP_NONE ? GN_TCP_ERR_NOT_CONNECTED
                                       : gn_tcp_write(k->tcp, k->net, s->conn, (const uint8_t *)buf + done,
                                                      (uint32_t)(len - done), k->now_ns, &k->txq);
        stack_flush(k);
        if (n < 0) {
            int e = pending_error(self, s);
            return err(e != 0 ? e : s->conn == GN_TCP_NONE ? ENOTCONN : EPIPE);
        }
        done += (size_t)n;
        if (done == len || s->nonblock)
            break;
        stack_wait(k, STEP_NS);
    }
    return done == 0 && len != 0 ? err(EAGAIN) : (ssize_t)done;
}

static ssize_t do_readv(void *self, int fd, const struct iovec *iov, int n)
{
    ssize_t total = 0;
    for (int i = 0; i < n; i++) {
        ssize_t got = do_read(self, fd, iov[i].iov_base, iov[i].iov_len);
        if (got <= 0)
            return total != 0 ? total : got;
        total += got;
        if ((size_t)got < iov[i].iov_len)
            break;
    }
    return total;
}

static ssize_t do_writev(void *self, int fd, const struct iovec *iov, int n)
{
    ssize_t total = 0;
    for (int i = 0; i < n; i++) {
        ssize_t took = do_write(self, fd, iov[i].iov_base, iov[i].iov_len);
        if (took < 0)
            return total != 0 ? total : took;
        total += took;
    }
    return total;
}

static ssize_t do_recv(void *self, int fd, void *buf, size_t len, int flags)
{
    (void)flags;
    return do_read(self, fd, buf, len);
}

static ssize_t do_recvfrom(void *self, int fd, void *buf, size_t len, int flags, struct sockaddr *from, socklen_t *n)
{
    (void)from;
    (void)n;
    return do_recv(self, fd, buf, len, flags);
}

static ssize_t do_recvmsg(void *self, int fd, struct msghdr *msg, int flags)
{
    (void)flags;
    return do_readv(self, fd, msg->msg_iov, (int)msg->msg_iovlen);
}

static ssize_t do_send(void *self, int fd, const void *buf, size_t len, int flags)
{
    (void)flags;
    return do_write(self, fd, buf, len);
}

static ssize_t do_sendto(void *self, int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
                         socklen_t n)
{
    (void)to;
    (void)n;
    return do_send(self, fd, buf, len, flags);
}

static ssize_t do_sendmsg(void *self, int fd, const struct msghdr *msg, int flags)
{
    (void)flags;
    return do_writev(self, fd, msg->msg_iov, (int)msg->msg_iovlen);
}

/* ---- ending ---- */

static int do_close(void *arg, int fd)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    const uint8_t *data;
    if (s == NULL)
        return err(EBADF);
    struct stack *k = self->stack;
    if (s->listening)
        (void)gn_tcp_unlisten(k->tcp, s->port);
    if (s->conn != GN_TCP_NONE) {
        if (gn_tcp_readable(k->tcp, s->conn, &data) == 0) /* with data unread it is an abort (RFC 9293 section 3.6.1) */
            (void)gn_tcp_close(k->tcp, k->net, s->conn, k->now_ns, &k->txq);
        gn_tcp_release(k->tcp, k->net, s->conn, k->now_ns, &k->txq);
    }
    stack_flush(k);
    s->used = false;
    return close(fd);
}

static int do_shutdown(void *arg, int fd, int how)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    if (s == NULL)
        return err(EBADF);
    if (s->conn == GN_TCP_NONE)
        return err(ENOTCONN);
    struct stack *k = self->stack;
    int rc = how == SHUT_RD ? GN_TCP_OK : gn_tcp_close(k->tcp, k->net, s->conn, k->now_ns, &k->txq);
    stack_flush(k);
    return rc == GN_TCP_OK ? 0 : err(ENOTCONN);
}

/* ---- options ---- */

static int do_fcntl(void *self, int fd, int cmd, ...)
{
    struct sock *s = sock_of(self, fd);
    if (s == NULL)
        return err(EBADF);
    if (cmd == F_GETFL)
        return O_RDWR | (s->nonblock ? O_NONBLOCK : 0);
    if (cmd != F_SETFL)
        return err(EINVAL);
    va_list ap;
    va_start(ap, cmd);
    s->nonblock = (va_arg(ap, int) & O_NONBLOCK) != 0;
    va_end(ap);
    return 0;
}

static uint8_t linux_state(uint32_t state)
{
    static const uint8_t map[GN_TCP_STATE_COUNT] = {
        [GN_TCP_FREE] = TCP_CLOSE,
        [GN_TCP_CLOSED] = TCP_CLOSE,
        [GN_TCP_SYN_SENT] = TCP_SYN_SENT,
        [GN_TCP_SYN_RCVD] = TCP_SYN_RECV,
        [GN_TCP_ESTABLISHED] = TCP_ESTABLISHED,
        [GN_TCP_FIN_WAIT_1] = TCP_FIN_WAIT1,
        [GN_TCP_FIN_WAIT_2] = TCP_FIN_WAIT2,
        [GN_TCP_CLOSE_WAIT] = TCP_CLOSE_WAIT,
        [GN_TCP_CLOSING] = TCP_CLOSING,
        [GN_TCP_LAST_ACK] = TCP_LAST_ACK,
        [GN_TCP_TIME_WAIT] = TCP_TIME_WAIT,
    };
    return map[state];
}

static int get_info(const struct self *self, const struct sock *s, void *value, socklen_t *len)
{
    struct gn_tcp_status st = status(self, s);
    struct tcp_info info = {.tcpi_state = s->listening ? TCP_LISTEN : linux_state(st.state),
                            .tcpi_snd_mss = st.mss,
                            .tcpi_unacked = st.in_flight,
                            .tcpi_rtt = st.srtt_us,
                            .tcpi_rto = st.rto_us,
                            .tcpi_snd_cwnd = st.mss == 0 ? 0 : st.cwnd / st.mss,
                            .tcpi_total_retrans = (uint32_t)st.retransmits};
    *len = *len < sizeof info ? *len : (socklen_t)sizeof info;
    memcpy(value, &info, *len);
    return 0;
}

static int do_getsockopt(void *arg, int fd, int level, int name, void *value, socklen_t *len)
{
    struct self *self = arg;
    struct sock *s = sock_of(self, fd);
    int v = 0;
    if (s == NULL)
        return err(EBADF);
    if (level == IPPROTO_TCP && name == TCP_INFO)
        return get_info(self, s, value, len);
    if (level == SOL_SOCKET && name == SO_ERROR)
        v = pending_error(self, s);
    else if (level == SOL_SOCKET && name == SO_RCVBUF)
        v = (int)self->stack->rcvbuf;
    else if (level == SOL_SOCKET && name == SO_SNDBUF)
        v = (int)self->stack->sndbuf;
    else if (level == IPPROTO_TCP && name == TCP_NODELAY)
        v = 1;
    else
        return err(ENOPROTOOPT);
    if (*len < sizeof v)
        return err(EINVAL);
    memcpy(value, &v, sizeof v);
    *len = sizeof v;
    return 0;
}

static int do_setsockopt(void *arg, int fd, int level, int name, const void *value, socklen_t len)
{
    struct self *self = arg;
    int v = 0;
    if (sock_of(self, fd) == NULL)
        return err(EBADF);
    memcpy(&v, value, len < sizeof v ? len : sizeof v);
    if (level == IPPROTO_IP && name == IP_TTL && v > 0 && v < 256) {
        self->stack->net->conf.ttl = (uint8_t)v; /* of connections opened from now on */
        return 0;
    }
    bool nothing_to_do = (level == SOL_SOCKET && (name == SO_REUSEADDR || name == SO_REUSEPORT)) ||
                         (level == IPPROTO_TCP && name == TCP_NODELAY && v != 0);
    return nothing_to_do ? 0 : err(ENOPROTOOPT);
}

static int do_poll(void *arg, struct pollfd *fds, nfds_t n, int timeout)
{
    struct self *self = arg;
    for (int64_t left = timeout;; left--) {
        int ready = 0;
        for (nfds_t i = 0; i < n; i++) {
            struct sock *s = sock_of(self, fds[i].fd);
            const uint8_t *data;
            fds[i].revents = 0;
            if (s == NULL || s->conn == GN_TCP_NONE)
                continue;
            uint32_t state = status(self, s).state;
            bool in = gn_tcp_readable(self->stack->tcp, s->conn, &data) != 0 || state == GN_TCP_CLOSE_WAIT;
            bool out = state == GN_TCP_ESTABLISHED || state == GN_TCP_CLOSE_WAIT;
            int events = (in ? POLLIN : 0) | (out ? POLLOUT : 0);
            fds[i].revents = (short)((events & fds[i].events) | (state == GN_TCP_CLOSED ? POLLHUP : 0));
            ready += fds[i].revents != 0;
        }
        if (ready != 0 || left == 0)
            return ready;
        stack_wait(self->stack, STACK_MS);
    }
}

/* ---- wire and clock ---- */

static int netdev_send(void *self, const void *packet, size_t len)
{
    return stack_give(((struct self *)self)->stack, packet, len) ? 0 : err(EMSGSIZE);
}

static int netdev_receive(void *self, void *packet, size_t *len, long long *time_us)
{
    const struct stack_packet *p = stack_take(((struct self *)self)->stack, PATIENCE_NS);
    if (p == NULL) { /* an error would be taken for "not yet", and asked again for ever */
        *(uint8_t *)packet = 0;
        *len = 1;
        *time_us = (long long)(((struct self *)self)->stack->now_ns / 1000);
        return 0;
    }
    *len = *len < p->len ? *len : p->len;
    memcpy(packet, p->bytes, *len);
    *time_us = (long long)(p->at_ns / 1000);
    return 0;
}

static int do_usleep(void *self, useconds_t us)
{
    stack_wait(((struct self *)self)->stack, (uint64_t)us * 1000);
    return 0;
}

static int do_gettimeofday(void *self, struct timeval *tv, struct timezone *tz)
{
    struct stack *k = ((struct self *)self)->stack;
    (void)tz;
    stack_wait(k, LOOK_NS);
    tv->tv_sec = (time_t)(k->now_ns / STACK_S);
    tv->tv_usec = (suseconds_t)(k->now_ns % STACK_S / 1000);
    return 0;
}

static void do_free(void *self)
{
    stack_free(((struct self *)self)->stack);
    free(self);
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
    struct self *self = calloc(1, sizeof *self);
    if (self == NULL || (self->stack = stack_new(flags)) == NULL) {
        (void)fprintf(stderr, "gannet_packetdrill: --so_flags=%s: unknown key or impossible value\n",
                      flags == NULL ? "" : flags);
        exit(EXIT_FAILURE);
    }
    *ifc = (struct packetdrill_interface){
        .userdata = self,
        .free = do_free,
        .socket = do_socket,
        .bind = do_bind,
        .listen = do_listen,
        .accept = do_accept,
        .connect = do_connect,
        .read = do_read,
        .readv = do_readv,
        .recv = do_recv,
        .recvfrom = do_recvfrom,
        .recvmsg = do_recvmsg,
        .write = do_write,
        .writev = do_writev,
        .send = do_send,
        .sendto = do_sendto,
        .sendmsg = do_sendmsg,
        .fcntl = do_fcntl,
        .ioctl = do_ioctl,
        .close = do_close,
        .shutdown = do_shutdown,
        .getsockopt = do_getsockopt,
        .setsockopt = do_setsockopt,
        .poll = do_poll,
        .netdev_send = netdev_send,
        .netdev_receive = netdev_receive,
        .usleep = do_usleep,
        .gettimeofday = do_gettimeofday,
        .epoll_create = do_epoll_create,
        .epoll_ctl = do_epoll_ctl,
        .epoll_wait = do_epoll_wait,
        .pipe = do_pipe,
        .splice = do_splice,
    };
}
