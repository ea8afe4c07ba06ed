/* The other end of the interoperability tests: kernel TCP.
 *
 *      linux_peer connect IP PORT N SEED    sends N messages, expects them back
 *      linux_peer echo PORT SEED            accepts one connection, sends back what comes until it ends
 *
 * Every byte is verified. Writes have sizes drawn from SEED. SIGTERM lets connect end with the messages it has begun.
 * Prints one line of JSON; exit status 0 when both streams ended in order and nothing was missing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/stream.h"

#define CHUNK      8192u
#define WINDOW     (256u * 1024u)
#define SILENCE_MS 60000

static sig_atomic_t stop_asked;

struct peer {
    int fd;
    uint64_t total, sent, received, rng;
    bool echo, closed;
    char why[160];
};

static void on_term(int sig)
{
    (void)sig;
    stop_asked = 1;
}

static uint64_t draw(struct peer *p)
{
    p->rng = p->rng * 6364136223846793005ull + 1442695040888963407ull;
    return p->rng >> 33;
}

static bool fail(struct peer *p, const char *what)
{
    if (p->why[0] == '\0')
        (void)snprintf(p->why, sizeof p->why, "%s: %s", what, errno != 0 ? strerror(errno) : "-");
    return false;
}

static bool take(struct peer *p)
{
    uint8_t buf[CHUNK];
    errno = 0;
    ssize_t n = recv(p->fd, buf, 1 + draw(p) % CHUNK, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || fail(p, "recv");
    if (n == 0) {
        p->closed = true;
        return true;
    }
    uint64_t ok = stream_check(p->received, buf, (uint64_t)n);
    if (ok != (uint64_t)n) {
        (void)snprintf(p->why, sizeof p->why, "byte %llu is wrong", (unsigned long long)(p->received + ok));
        return false;
    }
    p->received += (uint64_t)n;
    return true;
}

static uint64_t may_send(const struct peer *p)
{
    uint64_t end = p->echo ? p->received : p->total;
    if (!p->echo && end > p->received + WINDOW)
        end = p->received + WINDOW;
    return end > p->sent ? end - p->sent : 0;
}

static bool give(struct peer *p)
{
    uint8_t buf[CHUNK];
    uint64_t len = 1 + draw(p) % CHUNK;
    uint64_t most = may_send(p);
    if (len > most)
        len = most;
    stream_fill(p->sent, buf, len);
    errno = 0;
    ssize_t n = send(p->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || fail(p, "send");
    p->sent += (uint64_t)n;
    return true;
}

/* Until both streams have ended. */
static bool run(struct peer *p)
{
    bool shut = false;
    for (;;) {
        if (stop_asked != 0 && !p->echo) {
            p->total = (p->sent + STREAM_MESSAGE - 1) / STREAM_MESSAGE * STREAM_MESSAGE;
            stop_asked = 0;
        }
        bool all = p->echo ? p->closed && p->sent == p->received : p->received == p->total;
        if (all && !shut) {
            if (shutdown(p->fd, SHUT_WR) != 0)
                return fail(p, "shutdown");
            shut = true;
        }
        if (p->closed && (shut || !p->echo)) {
            errno = 0;
            return all || fail(p, "the stream ended early");
        }
        struct pollfd f = {.fd = p->fd, .events = (short)((p->closed ? 0 : POLLIN) | (may_send(p) != 0 ? POLLOUT : 0))};
        int n = poll(&f, 1, SILENCE_MS);
        if (n < 0 && errno != EINTR)
            return fail(p, "poll");
        if (n == 0) {
            errno = 0;
            return fail(p, "silence");
        }
        if (n > 0 && (f.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && !take(p))
            return false;
        if (n > 0 && (f.revents & POLLOUT) != 0 && may_send(p) != 0 && !give(p))
            return false;
    }
}

static bool open_client(struct peer *p, const char *ip, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (p->fd < 0 || inet_pton(AF_INET, ip, &to.sin_addr) != 1)
        return fail(p, "socket");
    return connect(p->fd, (struct sockaddr *)&to, sizeof to) == 0 || fail(p, "connect");
}

static bool open_server(struct peer *p, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0)
        return fail(p, "listen");
    (void)fprintf(stderr, "ready\n");
    p->fd = accept(fd, NULL, NULL);
    (void)close(fd);
    return p->fd >= 0 || fail(p, "accept");
}

int main(int argc, char **argv)
{
    struct peer p = {.fd = -1};
    struct sigaction on = {.sa_handler = on_term};
    int one = 1;
    (void)sigaction(SIGTERM, &on, NULL);
    bool client = argc == 6 && strcmp(argv[1], "connect") == 0;
    p.echo = argc == 4 && strcmp(argv[1], "echo") == 0;
    if (!client && !p.echo)
        return 2;
    p.total = client ? strtoull(argv[4], NULL, 10) * STREAM_MESSAGE : 0;
    p.rng = strtoull(argv[argc - 1], NULL, 10);
    bool ok = client ? open_client(&p, argv[2], argv[3]) : open_server(&p, argv[2]);
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (ok) {
        (void)setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        ok = run(&p);
        (void)getsockopt(p.fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    }
    printf("{\"ok\": %s, \"why\": \"%s\", \"sent\": %llu, \"received\": %llu, \"messages\": %llu, \"retransmits\": %u, "
           "\"reordering\": %u}\n",
           ok ? "true" : "false", p.why, (unsigned long long)p.sent, (unsigned long long)p.received,
           (unsigned long long)(p.received / STREAM_MESSAGE), info.tcpi_total_retrans, info.tcpi_reordering);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
