/* TCP of the kernel on both sides: spinning over a socket that does not block, or asleep until something comes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/pingpong/pingpong.h"

#define LOOKS_A_CLOCK 4096u

static bool failed(struct gn_pp *p, const char *what)
{
    char text[128];
    snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
    return gn_pp_fail(p, text);
}

static bool tune(int fd)
{
    const int on = 1;
    const struct timeval silence = {.tv_sec = GN_PP_SILENCE_NS / 1000000000ull};
    static const char control[] = "reno"; /* always there; one that paces would hold messages back */
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control, sizeof control - 1) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) == 0;
}

/* A whole message; 0: the stream ended before it began; negative: failed. */
static int receive(struct gn_pp *p, int fd, int flags, uint8_t *data)
{
    size_t n = 0;
    uint32_t looks = 0;
    while (n < GN_PP_MESSAGE) {
        ssize_t got = recv(fd, data + n, GN_PP_MESSAGE - n, flags);
        if (got > 0) {
            n += (size_t)got;
            continue;
        }
        if (got == 0 && n == 0)
            return 0;
        if (got == 0 || flags == 0 || errno != EAGAIN)
            return failed(p, "recv") ? 1 : -1;
        if (++looks % LOOKS_A_CLOCK == 0 && gn_pp_silent(p, looks == LOOKS_A_CLOCK))
            return -1;
    }
    return 1;
}

static bool send_message(struct gn_pp *p, int fd, const uint8_t *data)
{
    return send(fd, data, GN_PP_MESSAGE, MSG_NOSIGNAL) == (ssize_t)GN_PP_MESSAGE || failed(p, "send");
}

static bool exchange(struct gn_pp *p, int fd, int flags)
{
    uint8_t data[GN_PP_MESSAGE];
    gn_pp_silent(p, true);
    gn_pp_begin(p);
    while (p->done < p->rounds)
        if (!send_message(p, fd, p->message) || receive(p, fd, flags, data) <= 0 || !gn_pp_answer(p, data))
            return gn_pp_fail(p, "the server closed");
    return true;
}

static bool client(struct gn_pp *p, int flags)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(p->tcp_port), .sin_addr = {htonl(p->peer_ip)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(p, "socket");
    bool ok = (tune(fd) && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) || failed(p, "connect");
    ok = ok && exchange(p, fd, flags);
    close(fd);
    return ok;
}

static bool serve_one(struct gn_pp *p, int fd, int flags)
{
    uint8_t data[GN_PP_MESSAGE];
    int rc;
    gn_pp_silent(p, true);
    while ((rc = receive(p, fd, flags, data)) > 0) {
        if (!send_message(p, fd, data))
            return false;
        p->done++;
    }
    return rc == 0;
}

static bool serve(struct gn_pp *p, int flags)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(p->tcp_port), .sin_addr = {htonl(p->own_ip)}};
    const int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = (listener >= 0 && tune(listener) && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
               bind(listener, (const struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0) ||
              failed(p, "listen");
    if (ok) {
        gn_pp_listening();
        int fd = accept(listener, NULL, NULL);
        ok = (fd >= 0 && tune(fd)) || failed(p, "accept");
        ok = ok && serve_one(p, fd, flags);
        if (fd >= 0)
            close(fd);
    }
    if (listener >= 0)
        close(listener);
    return ok;
}

static bool busy_client(struct gn_pp *p)
{
    return client(p, MSG_DONTWAIT);
}

static bool busy_serve(struct gn_pp *p)
{
    return serve(p, MSG_DONTWAIT);
}

static bool blocking_client(struct gn_pp *p)
{
    return client(p, 0);
}

static bool blocking_serve(struct gn_pp *p)
{
    return serve(p, 0);
}

const struct gn_pp_stack gn_pp_busy = {.name = "busy", .client = busy_client, .serve = busy_serve};
const struct gn_pp_stack gn_pp_blocking = {.name = "blocking", .client = blocking_client, .serve = blocking_serve};
