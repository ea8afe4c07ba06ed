#include "tools/venue-sim/drop_copy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIME_BYTES 8u         /* before each kept answer */
#define LOOK_NS    1000000ull /* between two looks at the sockets: nobody measures this way */

bool gn_drop_open(struct gn_drop *d, const struct gn_order_server *orders, uint16_t port, uint64_t delay_ns,
                  uint64_t lie)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    *d = (struct gn_drop){.orders = orders, .delay_ns = delay_ns, .lie = lie, .listener = -1};
    for (uint32_t i = 0; i < GN_DROP_CONNS_MAX; i++)
        d->conn[i].fd = -1;
    if (port == 0)
        return true;
    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->listener >= 0 && setsockopt(d->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(d->listener, (const struct sockaddr *)&at, sizeof at) == 0 && listen(d->listener, 4) == 0)
        return true;
    gn_drop_close(d);
    return false;
}

static void hang_up(struct gn_drop_conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

void gn_drop_close(struct gn_drop *d)
{
    for (uint32_t i = 0; i < GN_DROP_CONNS_MAX; i++)
        hang_up(&d->conn[i]);
    if (d->listener >= 0)
        close(d->listener);
    d->listener = -1;
}

static void accept_all(struct gn_drop *d, uint64_t now_ns)
{
    int fd;
    while ((fd = accept4(d->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct gn_drop_conn *c = NULL;
        for (uint32_t i = 0; i < GN_DROP_CONNS_MAX && c == NULL; i++)
            c = d->conn[i].fd < 0 ? &d->conn[i] : NULL;
        if (c == NULL) {
            close(fd);
            continue;
        }
        c->fd = fd;
        c->account = GN_NONE32;
        c->in_n = c->out_n = 0;
        gn_soup_server_new(&c->soup, d->orders->session, &d->orders->timing);
        gn_soup_server_open(&c->soup, now_ns);
        d->stats.connections++;
    }
}

static void flush(struct gn_drop_conn *c)
{
    while (c->fd >= 0 && c->out_n != 0) {
        ssize_t n = send(c->fd, c->out, c->out_n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0) {
            if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
                hang_up(c);
            return;
        }
        memmove(c->out, c->out + n, c->out_n - (size_t)n);
        c->out_n -= (uint32_t)n;
    }
}

static bool on_login(struct gn_drop *d, struct gn_drop_conn *c, uint64_t now_ns)
{
    const struct gn_order_server *o = d->orders;
    uint32_t a = 0;
    while (a < o->accounts && !gn_soup_server_check(&c->soup, o->account[a].username, o->account[a].password))
        a++;
    int n;
    if (a == o->accounts) {
        d->stats.logins_refused++;
        n = gn_soup_server_reject(&c->soup, c->out + c->out_n, GN_DROP_BUFFER - c->out_n, 'A', now_ns);
    } else {
        const struct gn_history *h = &o->account[a].answers;
        uint64_t from = c->soup.login.seq == 0 || c->soup.login.seq > h->next ? h->next : c->soup.login.seq;
        c->cursor = from < h->first ? h->first : from;
        c->account = a;
        d->stats.logins++;
        n = gn_soup_server_accept(&c->soup, c->out + c->out_n, GN_DROP_BUFFER - c->out_n, c->cursor, now_ns);
    }
    c->out_n += n > 0 ? (uint32_t)n : 0;
    flush(c);
    return a != o->accounts;
}

static void receive(struct gn_drop *d, struct gn_drop_conn *c, uint64_t now_ns)
{
    struct gn_soup_packet pkt;
    struct gn_soup_info info;
    ssize_t n = recv(c->fd, c->in + c->in_n, GN_DROP_BUFFER - c->in_n, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) {
        hang_up(c);
        return;
    }
    c->in_n += n > 0 ? (uint32_t)n : 0;
    uint32_t at = 0;
    int rc = 0;
    while (c->fd >= 0 && (rc = gn_soup_next(c->in + at, c->in_n - at, &pkt)) == 1) {
        at += pkt.bytes;
        enum gn_soup_event ev = gn_soup_server_on_packet(&c->soup, &pkt, now_ns, &info);
        bool over = ev == GN_SOUP_EV_LOGGED_OUT || (ev == GN_SOUP_EV_LOGIN && !on_login(d, c, now_ns));
        d->stats.bad_stream += ev == GN_SOUP_EV_ERROR;
        if (over || ev == GN_SOUP_EV_ERROR)
            hang_up(c);
    }
    if (rc < 0) {
        d->stats.bad_stream++;
        hang_up(c);
    }
    memmove(c->in, c->in + at, c->in_n - at);
    c->in_n -= at;
}

/* Every execution is counted from the account's first on, so that the lie is the same one on every connection. */
static uint64_t executions_before(const struct gn_history *h, uint64_t seq)
{
    uint64_t n = 0;
    uint16_t len;
    for (uint64_t k = h->first; k < seq; k++) {
        const uint8_t *p = gn_history_get(h, k, &len);
        n += p != NULL && p[TIME_BYTES] == GN_OUCH_OUT_EXECUTED;
    }
    return n;
}

static void lie_about(struct gn_drop *d, const struct gn_history *h, uint64_t seq, uint8_t *msg, uint32_t len)
{
    struct gn_ouch_msg m;
    if (d->lie == 0 || msg[0] != GN_OUCH_OUT_EXECUTED || executions_before(h, seq) + 1 != d->lie ||
        gn_ouch_decode_out(msg, len, &m) != GN_OUCH_OK)
        return;
    m.qty++;
    d->stats.lies += gn_ouch_encode_out(msg, len, &m) == (int)len;
}

static void send_due(struct gn_drop *d, struct gn_drop_conn *c, uint64_t now_ns)
{
    const struct gn_history *h = &d->orders->account[c->account].answers;
    uint16_t kept;
    for (; c->cursor < h->next && c->out_n + GN_SOUP_HEADER + GN_OUCH_OUT_MAX < GN_DROP_BUFFER; c->cursor++) {
        const uint8_t *p = gn_history_get(h, c->cursor, &kept);
        if (p == NULL || gn_load_be64(p) + d->delay_ns > now_ns)
            break;
        uint32_t bytes = kept - TIME_BYTES;
        uint8_t *at = c->out + c->out_n;
        memcpy(at + GN_SOUP_HEADER, p + TIME_BYTES, bytes);
        lie_about(d, h, c->cursor, at + GN_SOUP_HEADER, bytes);
        c->out_n += gn_soup_server_sequenced(&c->soup, at, (uint16_t)bytes, now_ns);
        d->stats.messages_out++;
    }
    flush(c);
}

void gn_drop_turn(struct gn_drop *d, uint64_t now_ns)
{
    if (d->listener < 0 || now_ns - d->turn_ns < LOOK_NS)
        return;
    d->turn_ns = now_ns;
    accept_all(d, now_ns);
    for (uint32_t i = 0; i < GN_DROP_CONNS_MAX; i++) {
        struct gn_drop_conn *c = &d->conn[i];
        if (c->fd >= 0)
            receive(d, c, now_ns);
        if (c->fd >= 0 && c->soup.state == GN_SOUP_LOGGED_IN)
            send_due(d, c, now_ns);
        if (c->fd < 0)
            continue;
        enum gn_soup_timer t = gn_soup_server_timer(&c->soup, now_ns);
        if (t == GN_SOUP_TIMER_DEAD)
            hang_up(c);
        else if (t == GN_SOUP_TIMER_HEARTBEAT && c->out_n + GN_SOUP_HEADER < GN_DROP_BUFFER) {
            c->out_n += gn_soup_server_heartbeat(&c->soup, c->out + c->out_n, now_ns);
            flush(c);
        }
    }
}
