#include "controlplane/admin/server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/admin/commands.h"

#define SEND_TIMEOUT_MS 200
#define TURN_MS         20 /* of a turn in which requests are answered: then the triggers are looked at */
#define BACKLOG         128

static bool say(struct gn_admin_server *s, char *err, const char *what)
{
    snprintf(err, GN_APPLIANCE_ERR_LEN, "%s: %s: %s", s->path, what, strerror(errno));
    return false;
}

bool gn_admin_open(struct gn_admin_server *s, const char *run_dir, char err[GN_APPLIANCE_ERR_LEN])
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    for (uint32_t i = 0; i < GN_ADMIN_CLIENTS_MAX; i++)
        s->client[i].fd = -1;
    snprintf(s->path, sizeof s->path, "%s/admin.sock", run_dir);
    if (strlen(s->path) >= sizeof addr.sun_path) {
        errno = ENAMETOOLONG;
        return say(s, err, "the socket's path is too long; use a shorter run_dir");
    }
    memcpy(addr.sun_path, s->path, strlen(s->path) + 1);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0)
        return say(s, err, "no socket");
    if (connect(s->listener, (struct sockaddr *)&addr, sizeof addr) == 0) {
        errno = EADDRINUSE;
        return say(s, err, "another control plane answers there; stop it first");
    }
    close(s->listener);
    unlink(s->path);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&addr, sizeof addr) != 0 || chmod(s->path, 0660) != 0 ||
        listen(s->listener, BACKLOG) != 0)
        return say(s, err, "cannot listen");
    return true;
}

static void drop(struct gn_admin_client *c)
{
    close(c->fd);
    c->fd = -1;
    c->len = 0;
}

static int64_t steady_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A client that reads slowly, or not at all, must not hold up the others: it has this long for one answer. */
static bool send_all(int fd, const char *data, size_t len)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int64_t end = steady_ms() + SEND_TIMEOUT_MS;
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        int64_t left = end - steady_ms();
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        } else if (left <= 0 || poll(&p, 1, (int)left) < 0) {
            return false;
        }
    }
    return true;
}

static void answer(struct gn_appliance *a, struct gn_admin_client *c, const char *line, size_t len)
{
    json_error_t why;
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    json_t *reply = json_is_object(request)
                        ? gn_admin_answer(a, request, &(struct gn_peer){.uid = c->uid, .pid = c->pid})
                        : json_pack("{s:b, s:s}", "ok", 0, "error", "expected one JSON object a line");
    char *out = reply == NULL ? NULL : json_dumps(reply, JSON_COMPACT);
    if (out == NULL || !send_all(c->fd, out, strlen(out)) || !send_all(c->fd, "\n", 1))
        drop(c);
    free(out);
    json_decref(reply);
    json_decref(request);
}

static bool has_line(const struct gn_admin_client *c)
{
    return c->fd >= 0 && memchr(c->line, '\n', c->len) != NULL;
}

/* One request, and no more of them in this turn: who sends many at once waits for the others, and for the triggers of
 * the kill switch, which are looked at between two turns. */
static void take_line(struct gn_appliance *a, struct gn_admin_client *c)
{
    const char *end = memchr(c->line, '\n', c->len);
    if (end != NULL) {
        size_t used = (size_t)(end - c->line) + 1;
        answer(a, c, c->line, used - 1);
        if (c->fd < 0)
            return; /* it hung up, or does not read: nothing of it is left */
        memmove(c->line, c->line + used, c->len - used);
        c->len -= used;
    } else if (c->len == sizeof c->line) {
        static const char too_long[] = "{\"ok\":false,\"error\":\"the request is longer than 64 KiB\"}\n";
        send_all(c->fd, too_long, sizeof too_long - 1);
        drop(c);
    }
}

static void take_bytes(struct gn_admin_client *c)
{
    if (has_line(c))
        return; /* first that: who has hung up meanwhile is answered, or killed what he wanted killed, all the same */
    ssize_t n = recv(c->fd, c->line + c->len, sizeof c->line - c->len, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        drop(c);
        return;
    }
    if (n > 0)
        c->len += (size_t)n;
}

/* False when nobody waits any more. */
static bool accept_client(struct gn_admin_server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return false;
    struct ucred cred = {.uid = GN_NONE32};
    socklen_t size = sizeof cred;
    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size); /* unknown: a uid that nobody has */
    for (uint32_t i = 0; i < GN_ADMIN_CLIENTS_MAX; i++)
        if (s->client[i].fd < 0) {
            s->client[i].fd = fd;
            s->client[i].uid = cred.uid;
            s->client[i].pid = (uint32_t)cred.pid;
            s->client[i].len = 0;
            return true;
        }
    static const char busy[] = "{\"ok\":false,\"error\":\"too many connections\"}\n";
    send_all(fd, busy, sizeof busy - 1);
    close(fd);
    return true;
}

void gn_admin_poll(struct gn_admin_server *s, struct gn_appliance *a, int timeout_ms)
{
    struct pollfd fds[1 + GN_ADMIN_CLIENTS_MAX];
    bool waits = false;
    fds[0] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    for (uint32_t i = 0; i < GN_ADMIN_CLIENTS_MAX; i++) {
        fds[1 + i] = (struct pollfd){.fd = s->client[i].fd, .events = POLLIN};
        waits |= has_line(&s->client[i]);
    }
    if (poll(fds, GN_ARRAY_LEN(fds), waits ? 0 : timeout_ms) < 0)
        return;
    int64_t end = steady_ms() + TURN_MS;
    for (uint32_t n = 0; n < GN_ADMIN_CLIENTS_MAX; n++) {
        uint32_t i = (s->first + n) % GN_ADMIN_CLIENTS_MAX;
        if (fds[1 + i].fd >= 0 && fds[1 + i].revents != 0)
            take_bytes(&s->client[i]);
        if (s->client[i].fd >= 0)
            take_line(a, &s->client[i]);
        if (steady_ms() < end || n + 1 == GN_ADMIN_CLIENTS_MAX)
            continue;
        s->first = i + 1; /* the next turn begins with who comes now */
        break;
    }
    for (uint32_t i = 0; fds[0].revents & POLLIN && i < BACKLOG && accept_client(s); i++)
        ;
}

void gn_admin_close(struct gn_admin_server *s)
{
    for (uint32_t i = 0; i < GN_ADMIN_CLIENTS_MAX; i++)
        if (s->client[i].fd >= 0)
            drop(&s->client[i]);
    close(s->listener);
    unlink(s->path);
}
