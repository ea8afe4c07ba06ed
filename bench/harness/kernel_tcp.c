#include "bench/harness/kernel_tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define RX_BYTES (1u << 20)
#define TX_BYTES (1u << 18)

static struct {
    int fd, udp;
    uint32_t changes;
    bool connecting, broken;
    uint32_t events;
    uint32_t rx_from, rx_to; /* what is readable of rx */
    uint64_t given;          /* bytes of this connection */
    uint32_t tx_n;           /* what the kernel did not take yet */
    uint8_t rx[RX_BYTES], tx[TX_BYTES];
} k = {.fd = -1, .udp = -1};

int ksock_fd(uint32_t *changes)
{
    *changes = k.changes;
    return k.fd;
}

void ksock_udp(int fd)
{
    k.udp = fd;
}

static void broke(void)
{
    k.broken = true;
    k.events |= GN_TCP_EV_ABORTED;
}

static void flush(void)
{
    while (k.tx_n != 0 && !k.broken) {
        ssize_t n = send(k.fd, k.tx, k.tx_n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN && errno != EINTR)
                broke();
            return;
        }
        k.tx_n -= (uint32_t)n;
        memmove(k.tx, k.tx + n, k.tx_n);
    }
}

static bool receive(void)
{
    if (k.rx_from == k.rx_to)
        k.rx_from = k.rx_to = 0;
    if (k.rx_to == RX_BYTES) {
        memmove(k.rx, k.rx + k.rx_from, k.rx_to - k.rx_from);
        k.rx_to -= k.rx_from;
        k.rx_from = 0;
    }
    ssize_t n = recv(k.fd, k.rx + k.rx_to, RX_BYTES - k.rx_to, MSG_DONTWAIT);
    if (n > 0) {
        k.rx_to += (uint32_t)n;
        k.events |= GN_TCP_EV_READABLE;
        return true;
    }
    if (n == 0 && k.rx_to < RX_BYTES) {
        k.events |= GN_TCP_EV_PEER_CLOSED;
        k.broken = true;
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        broke();
    }
    return false;
}

bool ksock_poll(void)
{
    if (k.fd < 0 || k.broken)
        return false;
    if (GN_UNLIKELY(k.connecting)) {
        struct pollfd p = {.fd = k.fd, .events = POLLOUT};
        int err = 0;
        socklen_t len = sizeof err;
        if (poll(&p, 1, 0) <= 0)
            return false;
        k.connecting = false;
        if (getsockopt(k.fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0 || err != 0) {
            broke();
            return false;
        }
        k.events |= GN_TCP_EV_CONNECTED;
    }
    flush();
    return receive();
}

/* ---- dataplane/net/tcp.h, as far as the stages use it ---- */

int gn_tcp_connect(struct gn_tcp *tcp, struct gn_net *net, uint32_t ip, uint16_t port, uint16_t local_port,
                   uint64_t now_ns, struct gn_txq *txq, uint32_t *conn)
{
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(ip)}};
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(local_port)};
    const int on = 1;
    (void)tcp, (void)net, (void)now_ns, (void)txq;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return GN_TCP_ERR_FULL;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)) {
        close(fd);
        return GN_TCP_ERR_FULL;
    }
    k.fd = fd;
    k.changes++;
    k.connecting = true;
    k.broken = false;
    k.events = k.rx_from = k.rx_to = k.tx_n = 0;
    k.given = 0;
    *conn = 0;
    return GN_TCP_OK;
}

uint32_t gn_tcp_events(struct gn_tcp *tcp, uint32_t conn)
{
    const uint32_t events = k.events;
    (void)tcp, (void)conn;
    k.events = 0;
    return events;
}

bool gn_tcp_quiet(const struct gn_tcp *tcp, uint32_t conn)
{
    (void)tcp, (void)conn;
    return k.events == 0 && k.rx_from == k.rx_to;
}

int gn_tcp_warm(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns,
                struct gn_txq *txq)
{
    (void)tcp, (void)net, (void)conn, (void)len, (void)now_ns, (void)txq;
    return GN_TCP_OK; /* the kernel's path cannot be warmed without a packet */
}

uint32_t gn_tcp_readable(struct gn_tcp *tcp, uint32_t conn, const uint8_t **data)
{
    (void)tcp, (void)conn;
    *data = k.rx + k.rx_from;
    return k.rx_to - k.rx_from;
}

void gn_tcp_consume(struct gn_tcp *tcp, uint32_t conn, uint32_t n)
{
    (void)tcp, (void)conn;
    k.rx_from += n;
}

int gn_tcp_prepare(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns,
                   struct gn_txq *txq, uint8_t **payload)
{
    (void)tcp, (void)net, (void)conn, (void)now_ns, (void)txq;
    if (k.fd < 0 || k.broken || k.connecting)
        return GN_TCP_ERR_NOT_CONNECTED;
    if (len > TX_BYTES - k.tx_n)
        return GN_TCP_ERR_BUSY;
    *payload = k.tx + k.tx_n;
    return GN_TCP_OK;
}

void gn_tcp_commit(struct gn_tcp *tcp, uint32_t conn, uint32_t len, uint64_t now_ns, struct gn_txq *txq)
{
    (void)tcp, (void)conn, (void)now_ns, (void)txq;
    k.tx_n += len;
    k.given += len;
    flush();
}

int gn_tcp_send(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, const void *data, uint32_t len, uint64_t now_ns,
                struct gn_txq *txq)
{
    uint8_t *to;
    int rc = gn_tcp_prepare(tcp, net, conn, len, now_ns, txq, &to);
    if (rc != GN_TCP_OK)
        return rc;
    memcpy(to, data, len);
    gn_tcp_commit(tcp, conn, len, now_ns, txq);
    return GN_TCP_OK;
}

uint64_t gn_tcp_send_offset(const struct gn_tcp *tcp, uint32_t conn)
{
    (void)tcp, (void)conn;
    return k.given;
}

int gn_tcp_close(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq)
{
    (void)tcp, (void)net, (void)conn, (void)now_ns, (void)txq;
    if (k.fd >= 0)
        (void)shutdown(k.fd, SHUT_WR);
    return GN_TCP_OK;
}

void gn_tcp_release(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq)
{
    (void)tcp, (void)net, (void)conn, (void)now_ns, (void)txq;
    if (k.fd >= 0)
        close(k.fd);
    k.fd = -1;
    k.changes++;
}

int gn_udp_send(struct gn_net *net, uint32_t dst_ip, uint16_t src_port, uint16_t dst_port, const void *payload,
                uint32_t len, uint64_t now_ns, struct gn_txq *txq)
{
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(dst_port), .sin_addr = {htonl(dst_ip)}};
    (void)net, (void)src_port, (void)now_ns, (void)txq;
    if (k.udp < 0 || sendto(k.udp, payload, len, MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof to) != (ssize_t)len)
        return GN_NET_ERR_NO_ARP; /* as when a neighbour is not known: asked for again */
    return GN_NET_OK;
}
