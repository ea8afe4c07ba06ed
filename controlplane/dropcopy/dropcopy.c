#include "controlplane/dropcopy/dropcopy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controlplane/dropcopy/match.h"

#define NS_PER_MS 1000000ull
#define RETRY_NS  (1000 * NS_PER_MS)
#define LOGIN_NS  (5000 * NS_PER_MS)

static bool wanted(const struct gn_dropcopy *d, uint32_t i)
{
    return i < d->a->conf->n_sessions && d->a->conf->session[i].drop_copy_port != 0;
}

bool gn_dropcopy_open(struct gn_dropcopy *d, struct gn_appliance *a)
{
    *d = (struct gn_dropcopy){.a = a};
    bool any = false;
    for (uint32_t i = 0; i < a->conf->n_sessions; i++)
        any |= wanted(d, i);
    if (!any)
        return true;
    d->recon = gn_region_at(&a->plane, GN_SECTION_RECON_DC);
    d->fills = gn_region_at(&a->plane, GN_SECTION_FILLS);
    d->orders = gn_region_at(&a->plane, GN_SECTION_ORDERS);
    d->session = calloc(GN_SESSIONS_MAX, sizeof *d->session);
    if (d->session == NULL)
        return false;
    for (uint32_t i = 0; i < GN_SESSIONS_MAX; i++) {
        struct gn_dropcopy_session *s = &d->session[i];
        const struct gn_conf_session *c = &a->conf->session[i];
        const struct gn_soup_timing timing = {.heartbeat_ns = c->heartbeat_ms * NS_PER_MS,
                                              .dead_ns = c->drop_copy_stale_ms * NS_PER_MS,
                                              .login_ns = LOGIN_NS};
        s->fd = -1;
        s->heard_ns = gn_now_ns();
        s->next_fill = d->recon->resume_fill[i] == 0 ? 1 : d->recon->resume_fill[i];
        if (wanted(d, i))
            gn_soup_client_new(&s->soup, c->username, c->password, "", d->recon->resume_seq[i], &timing);
    }
    return true;
}

static void hang_up(struct gn_dropcopy_session *s, uint64_t now_ns)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->connecting = false;
    s->in_n = 0;
    s->retry_ns = now_ns + RETRY_NS;
    gn_soup_client_closed(&s->soup);
}

void gn_dropcopy_close(struct gn_dropcopy *d)
{
    for (uint32_t i = 0; d->session != NULL && i < GN_SESSIONS_MAX; i++)
        hang_up(&d->session[i], 0);
    free(d->session);
    d->session = NULL;
}

static void send_bytes(struct gn_dropcopy_session *s, const uint8_t *bytes, int n, uint64_t now_ns)
{
    if (n <= 0 || send(s->fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
        hang_up(s, now_ns); /* a few bytes that find no room: it is not read any more */
}

static void connect_to(const struct gn_dropcopy *d, uint32_t i, uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[i];
    const struct gn_conf_session *c = &d->a->conf->session[i];
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)c->drop_copy_port), .sin_addr = {htonl(c->drop_copy_ip)}};
    s->retry_ns = now_ns + RETRY_NS;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return;
    s->connecting = true;
    if (connect(s->fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        hang_up(s, now_ns);
}

static void log_in(struct gn_dropcopy_session *s, uint64_t now_ns)
{
    uint8_t buf[GN_SOUP_LOGIN_BYTES];
    int err = 0;
    socklen_t len = sizeof err;
    struct sockaddr_in peer;
    socklen_t peer_len = sizeof peer;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0 || err != 0) {
        hang_up(s, now_ns);
        return;
    }
    if (getpeername(s->fd, (struct sockaddr *)&peer, &peer_len) != 0) {
        if (now_ns >= s->retry_ns)
            hang_up(s, now_ns);
        return; /* not there yet */
    }
    s->connecting = false;
    send_bytes(s, buf, gn_soup_client_login(&s->soup, buf, sizeof buf, now_ns), now_ns);
}

static void on_packet(struct gn_dropcopy *d, uint32_t i, const struct gn_soup_packet *pkt, uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[i];
    struct gn_soup_info info;
    enum gn_soup_event ev = gn_soup_client_on_packet(&s->soup, pkt, now_ns, &info);
    s->heard_ns = now_ns;
    switch (ev) {
    case GN_SOUP_EV_LOGGED_IN:
        if (info.lost != 0)
            (void)gn_dropcopy_break(d, i, &(struct gn_break){.kind = GN_BREAK_DC_LOST, .theirs = (int64_t)info.lost},
                                    now_ns);
        break;
    case GN_SOUP_EV_DATA_SEQUENCED:
        gn_dropcopy_message(d, i, info.payload, info.len, info.seq, now_ns);
        gn_soup_client_done(&s->soup, info.seq);
        break;
    case GN_SOUP_EV_LOGIN_REJECTED:
    case GN_SOUP_EV_SESSION_END:
    case GN_SOUP_EV_ERROR:
        hang_up(s, now_ns);
        break;
    default:
        break;
    }
}

static void receive(struct gn_dropcopy *d, uint32_t i, uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[i];
    struct gn_soup_packet pkt;
    ssize_t n = recv(s->fd, s->in + s->in_n, sizeof s->in - s->in_n, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) {
        hang_up(s, now_ns);
        return;
    }
    s->in_n += n > 0 ? (uint32_t)n : 0;
    uint32_t at = 0;
    int rc = 0;
    while (s->fd >= 0 && (rc = gn_soup_next(s->in + at, s->in_n - at, &pkt)) == 1) {
        on_packet(d, i, &pkt, now_ns);
        at += pkt.bytes;
    }
    if (s->fd < 0)
        return;
    if (rc < 0) {
        hang_up(s, now_ns);
        return;
    }
    memmove(s->in, s->in + at, s->in_n - at);
    s->in_n -= at;
}

static void keep_alive(struct gn_dropcopy_session *s, uint64_t now_ns)
{
    uint8_t buf[GN_SOUP_HEADER];
    switch (gn_soup_client_timer(&s->soup, now_ns)) {
    case GN_SOUP_TIMER_HEARTBEAT:
        send_bytes(s, buf, (int)gn_soup_client_heartbeat(&s->soup, buf, now_ns), now_ns);
        break;
    case GN_SOUP_TIMER_DEAD:
        hang_up(s, now_ns);
        break;
    default:
        break;
    }
}

/* A drop copy that is not heard proves nothing: that is a break of its own, by its age. */
static void watch_silence(struct gn_dropcopy *d, uint32_t i, uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[i];
    const uint64_t limit_ns = d->a->conf->session[i].drop_copy_stale_ms * NS_PER_MS;
    const uint64_t age_ns = now_ns - s->heard_ns;
    if (age_ns < limit_ns && s->silent != 0) {
        gn_break_resolve(d->recon, s->silent, now_ns);
        s->silent = 0;
    } else if (age_ns >= limit_ns && s->silent == 0) {
        s->silent = gn_dropcopy_break(d, i,
                                      &(struct gn_break){.kind = GN_BREAK_DC_SILENT,
                                                         .ours = (int64_t)(age_ns / NS_PER_MS),
                                                         .theirs = (int64_t)(limit_ns / NS_PER_MS)},
                                      now_ns);
    }
    atomic_store_explicit(&d->recon->source_ns, s->heard_ns, memory_order_relaxed);
    atomic_store_explicit(&d->recon->source_state, s->soup.state == GN_SOUP_LOGGED_IN ? GN_SESSION_UP : GN_SESSION_DOWN,
                          memory_order_relaxed);
    atomic_store_explicit(&d->recon->source_seq, s->soup.next_seq, memory_order_relaxed);
}

void gn_dropcopy_poll(struct gn_dropcopy *d)
{
    const uint64_t now_ns = gn_now_ns();
    for (uint32_t i = 0; d->session != NULL && i < d->a->conf->n_sessions; i++) {
        struct gn_dropcopy_session *s = &d->session[i];
        if (!wanted(d, i))
            continue;
        if (s->fd < 0 && now_ns >= s->retry_ns)
            connect_to(d, i, now_ns);
        if (s->fd >= 0 && s->connecting)
            log_in(s, now_ns);
        if (s->fd >= 0 && !s->connecting)
            receive(d, i, now_ns);
        if (s->fd >= 0 && !s->connecting)
            keep_alive(s, now_ns);
        gn_dropcopy_match(d, i, now_ns);
        watch_silence(d, i, now_ns);
    }
}
