/* SoupBinTCP, the side that is logged in to. */
#include "drivers/venue/nasdaq/soup_private.h"

void gn_soup_server_new(struct gn_soup_server *s, const char *session, const struct gn_soup_timing *timing)
{
    memset(s, 0, sizeof *s);
    s->timing = gn_soup_timing(timing);
    gn_soup_pad(s->session, sizeof s->session, session);
    s->state = GN_SOUP_CLOSED;
    s->magic = GN_SOUP_SERVER_MAGIC;
}

void gn_soup_server_open(struct gn_soup_server *s, uint64_t now_ns)
{
    s->state = GN_SOUP_LOGIN_WAIT;
    s->last_rx_ns = s->last_tx_ns = now_ns;
    s->next_seq = 0;
    memset(&s->login, 0, sizeof s->login);
}

static enum gn_soup_event fail(struct gn_soup_server *s, struct gn_soup_info *info, int err)
{
    info->err = err;
    gn_soup_die(&s->state, &s->stats, err);
    return GN_SOUP_EV_ERROR;
}

static enum gn_soup_event on_login(struct gn_soup_server *s, const struct gn_soup_packet *pkt,
                                   struct gn_soup_info *info)
{
    if (s->state != GN_SOUP_LOGIN_WAIT)
        return fail(s, info, GN_SOUP_ERR_STATE);
    const uint8_t *p = pkt->payload;
    memcpy(s->login.username, p, GN_SOUP_USERNAME);
    memcpy(s->login.password, p + 6, GN_SOUP_PASSWORD);
    memcpy(s->login.session, p + 16, GN_SOUP_SESSION);
    if (gn_soup_number_parse(p + 26, &s->login.seq) != GN_SOUP_OK)
        return fail(s, info, GN_SOUP_ERR_NUMBER);
    info->seq = s->login.seq;
    s->stats.logins++;
    s->state = GN_SOUP_LOGIN_SEEN;
    return GN_SOUP_EV_LOGIN;
}

enum gn_soup_event gn_soup_server_on_packet(struct gn_soup_server *s, const struct gn_soup_packet *pkt, uint64_t now_ns,
                                            struct gn_soup_info *info)
{
    *info = (struct gn_soup_info){.payload = pkt->payload, .len = pkt->len};
    if (s->state < GN_SOUP_LOGIN_WAIT || s->state > GN_SOUP_LOGGED_IN)
        return GN_SOUP_EV_NONE;
    int err = gn_soup_direction(pkt->type, false);
    if (err != GN_SOUP_OK)
        return fail(s, info, err);
    s->last_rx_ns = now_ns;
    s->stats.packets_in++;
    switch (pkt->type) {
    case GN_SOUP_UNSEQUENCED:
        if (s->state != GN_SOUP_LOGGED_IN)
            return fail(s, info, GN_SOUP_ERR_STATE);
        s->stats.unsequenced_in++;
        return GN_SOUP_EV_DATA_UNSEQUENCED;
    case GN_SOUP_CLIENT_HEARTBEAT:
        return GN_SOUP_EV_HEARTBEAT;
    case GN_SOUP_DEBUG:
        return GN_SOUP_EV_DEBUG_TEXT;
    case GN_SOUP_LOGIN:
        return on_login(s, pkt, info);
    case GN_SOUP_LOGOUT:
        s->state = GN_SOUP_ENDED;
        return GN_SOUP_EV_LOGGED_OUT;
    default:
        return fail(s, info, GN_SOUP_ERR_TYPE);
    }
}

bool gn_soup_server_check(const struct gn_soup_server *s, const char *username, const char *password)
{
    char user[GN_SOUP_USERNAME], pass[GN_SOUP_PASSWORD];
    uint8_t differ = 0;
    gn_soup_pad(user, sizeof user, username);
    gn_soup_pad(pass, sizeof pass, password);
    for (size_t i = 0; i < sizeof user; i++)
        differ |= (uint8_t)(user[i] ^ s->login.username[i]);
    for (size_t i = 0; i < sizeof pass; i++)
        differ |= (uint8_t)(pass[i] ^ s->login.password[i]);
    bool session = gn_soup_blank(s->login.session, sizeof s->login.session) ||
                   memcmp(s->login.session, s->session, sizeof s->session) == 0;
    return differ == 0 && session;
}

int gn_soup_server_accept(struct gn_soup_server *s, uint8_t *buf, size_t room, uint64_t next_seq, uint64_t now_ns)
{
    if (s->state != GN_SOUP_LOGIN_SEEN)
        return GN_SOUP_ERR_STATE;
    if (room < GN_SOUP_HEADER + GN_SOUP_SESSION + GN_SOUP_SEQUENCE)
        return GN_SOUP_ERR_ROOM;
    memcpy(buf + GN_SOUP_HEADER, s->session, GN_SOUP_SESSION);
    gn_soup_number_write(buf + GN_SOUP_HEADER + GN_SOUP_SESSION, next_seq);
    s->next_seq = next_seq;
    s->state = GN_SOUP_LOGGED_IN;
    s->last_tx_ns = now_ns;
    s->stats.packets_out++;
    return (int)gn_soup_header(buf, GN_SOUP_ACCEPTED, GN_SOUP_SESSION + GN_SOUP_SEQUENCE);
}

int gn_soup_server_reject(struct gn_soup_server *s, uint8_t *buf, size_t room, char reason, uint64_t now_ns)
{
    if (s->state != GN_SOUP_LOGIN_SEEN)
        return GN_SOUP_ERR_STATE;
    if (room < GN_SOUP_HEADER + 1)
        return GN_SOUP_ERR_ROOM;
    buf[GN_SOUP_HEADER] = (uint8_t)reason;
    gn_soup_die(&s->state, &s->stats, GN_SOUP_OK);
    s->last_tx_ns = now_ns;
    s->stats.packets_out++;
    return (int)gn_soup_header(buf, GN_SOUP_REJECTED, 1);
}

enum gn_soup_timer gn_soup_server_timer(struct gn_soup_server *s, uint64_t now_ns)
{
    if (s->state < GN_SOUP_LOGIN_WAIT || s->state > GN_SOUP_LOGGED_IN)
        return GN_SOUP_TIMER_NONE;
    /* Before the login, silence counts from the opening: last_tx does not move before the answer. */
    bool in = s->state == GN_SOUP_LOGGED_IN;
    uint64_t since_ns = in ? s->last_rx_ns : s->last_tx_ns;
    if (gn_soup_since(since_ns, now_ns) >= (in ? s->timing.dead_ns : s->timing.login_ns)) {
        gn_soup_die(&s->state, &s->stats, GN_SOUP_OK);
        return GN_SOUP_TIMER_DEAD;
    }
    if (in && gn_soup_since(s->last_tx_ns, now_ns) >= s->timing.heartbeat_ns)
        return GN_SOUP_TIMER_HEARTBEAT;
    return GN_SOUP_TIMER_NONE;
}

void gn_soup_server_on_error(struct gn_soup_server *s, int err)
{
    gn_soup_die(&s->state, &s->stats, err);
}

void gn_soup_server_closed(struct gn_soup_server *s)
{
    if (s->state >= GN_SOUP_LOGIN_WAIT && s->state <= GN_SOUP_LOGGED_IN)
        s->stats.deaths++;
    s->state = GN_SOUP_CLOSED;
}

uint32_t gn_soup_server_heartbeat(struct gn_soup_server *s, uint8_t *buf, uint64_t now_ns)
{
    s->last_tx_ns = now_ns;
    s->stats.packets_out++;
    return gn_soup_header(buf, GN_SOUP_SERVER_HEARTBEAT, 0);
}

uint32_t gn_soup_server_end(struct gn_soup_server *s, uint8_t *buf, uint64_t now_ns)
{
    s->last_tx_ns = now_ns;
    s->state = GN_SOUP_ENDED;
    s->stats.packets_out++;
    return gn_soup_header(buf, GN_SOUP_END, 0);
}
