#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tools/gannetctl/ctl.h"

#define ANSWER_TIMEOUT_S 5
#define KILL_TIMEOUT_MS  250 /* a control plane that hangs must not hold up a kill */
#define ANSWER_MAX       (256u << 20)

long long gn_ctl_wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int dial(const struct gn_ctl *c, bool kill)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval timeout = {kill ? 0 : ANSWER_TIMEOUT_S, kill ? KILL_TIMEOUT_MS * 1000 : 0};
    int n = snprintf(addr.sun_path, sizeof addr.sun_path, "%s/admin.sock", c->run_dir);
    int fd = n < (int)sizeof addr.sun_path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static bool send_line(int fd, const char *line)
{
    size_t len = strlen(line);
    return send(fd, line, len, MSG_NOSIGNAL) == (ssize_t)len && send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
}

static json_t *read_line(int fd)
{
    size_t len = 0, room = 1u << 16;
    char *buf = malloc(room);
    while (buf != NULL && len < ANSWER_MAX) {
        ssize_t n = recv(fd, buf + len, room - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        if (buf[len - 1] == '\n') {
            json_t *reply = json_loadb(buf, len, 0, NULL);
            free(buf);
            return reply;
        }
        if (len == room) {
            char *more = realloc(buf, room *= 2);
            if (more == NULL)
                break;
            buf = more;
        }
    }
    free(buf);
    return NULL;
}

json_t *gn_ctl_ask(const struct gn_ctl *c, json_t *request, bool quiet)
{
    char *line = json_dumps(request, JSON_COMPACT);
    json_t *reply = NULL;
    const char *cmd = json_string_value(json_object_get(request, "cmd"));
    int fd = c->direct ? -1 : dial(c, cmd != NULL && strcmp(cmd, "kill") == 0);
    if (fd >= 0 && line != NULL && send_line(fd, line))
        reply = read_line(fd);
    if (reply == NULL && c->direct && !quiet)
        fprintf(stderr, "gannetctl: this needs the control plane: not with --direct\n");
    else if (reply == NULL && !quiet)
        fprintf(stderr,
                "gannetctl: %s/admin.sock: %s; is the control plane running, and is this its run_dir (--dir)?\n",
                c->run_dir, fd < 0 ? strerror(errno) : "no answer");
    if (fd >= 0)
        close(fd);
    free(line);
    json_decref(request);
    return reply;
}
