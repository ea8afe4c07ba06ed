/* SoupBinTCP, the side that logs in. */
#include "drivers/venue/nasdaq/soup_private.h"

void gn_soup_client_new(struct gn_soup_client *c, const char *username, const char *password, const char *session,
                        uint64_t next_seq, const struct gn_soup_timing *timing)
{
    memset(c, 0, sizeof *c);
    c->timing = gn_soup_timing(timing);
    gn_soup_pad(c->username, sizeof c->username, username);
    gn_soup_pad(c->password, sizeof c->password, password);
    gn_soup_pad(c->session, sizeof c->session, session);
    c->next_seq = next_seq;
    c->state = GN_SOUP_CLOSED;
    c->magic = GN_SOUP_CLIENT_MAGIC;
}

void gn_soup_client_password(struct gn_soup_client *c, const char *password)
{
    gn_soup_pad(c->password, sizeof c->password, password);
}

int gn_soup_client_join(struct gn_soup_client *c)
{
    if (c->magic != GN_SOUP_CLIENT_MAGIC)
        return GN_SOUP_ERR_MAGIC;
    if (c->state > GN_SOUP_DEAD || c->state == GN_SOUP_LOGIN_WAIT || c->state == GN_SOUP_LOGIN_SEEN)
        return GN_SOUP_ERR_STATE;
    /* A message that was handed out and not done has its bytes in the stream still, and is counted again. */
    if (c->wire_seq > c->next_seq)
        c->wire_seq = c->next_seq;
    return GN_SOUP_OK;
}

int gn_soup_client_login(struct gn_soup_client *c, uint8_t *buf, size_t room, uint64_t now_ns)
{
    if (room < GN_SOUP_LOGIN_BYTES)
        return GN_SOUP_ERR_ROOM;
    uint8_t *p = buf + GN_SOUP_HEADER;
    memcpy(p, c->username, GN_SOUP_USERNAME);
    memcpy(p + 6, c->password, GN_SOUP_PASSWORD);
    memcpy(p + 16, c->session, GN_SOUP_SESSION);
    gn_soup_number_write(p + 26, c->next_seq);
    c->state = GN_SOUP_LOGIN_SENT;
    c->last_rx_ns = c->last_tx_ns = now_ns;
    c->stats.logins++;
    c->stats.packets_out++;
    return (int)gn_soup_header(buf, GN_SOUP_LOGIN, GN_SOUP_LOGIN_BYTES - GN_SOUP_HEADER);
}

static enum gn_soup_event fail(struct gn_soup_client *c, struct gn_soup_info *info, int err)
{
    info->err = err;
    gn_soup_die(&c->state, &c->stats, err);
    return GN_SOUP_EV_ERROR;
}

static enum gn_soup_event on_accepted(struct gn_soup_client *c, const struct gn_soup_packet *pkt,
                                      struct gn_soup_info *info)
{
    uint64_t seq;
    if (gn_soup_number_parse(pkt->payload + GN_SOUP_SESSION, &seq) != GN_SOUP_OK || seq == 0)
        return fail(c, info, GN_SOUP_ERR_NUMBER);
    const bool known = !gn_soup_blank(c->session, sizeof c->session);
    info->new_session = known && memcmp(c->session, pkt->payload, sizeof c->session) != 0;
    uint64_t wanted = c->next_seq;
    if (info->new_session)
        wanted = 1;
    if (wanted == 0)
        wanted = seq;
    info->lost = seq > wanted ? seq - wanted : 0;
    info->replay = seq < wanted ? wanted - seq : 0;
    info->seq = seq;
    memcpy(c->session, pkt->payload, sizeof c->session);
    c->next_seq = wanted > seq ? wanted : seq;
    c->wire_seq = seq;
    c->stats.lost += info->lost;
    c->state = GN_SOUP_LOGGED_IN;
    return GN_SOUP_EV_LOGGED_IN;
}

static enum gn_soup_event on_sequenced(struct gn_soup_client *c, struct gn_soup_info *info)
{
    if (c->state != GN_SOUP_LOGGED_IN)
        return fail(c, info, GN_SOUP_ERR_STATE);
    if (c->wire_seq == UINT64_MAX)
        return fail(c, info, GN_SOUP_ERR_NUMBER);
    info->seq = c->wire_seq++;
    c->stats.sequenced++;
    if (GN_LIKELY(info->seq >= c->next_seq))
        return GN_SOUP_EV_DATA_SEQUENCED;
    c->stats.replayed++;
    return GN_SOUP_EV_DATA_REPLAYED;
}

enum gn_soup_event gn_soup_client_on_packet(struct gn_soup_client *c, const struct gn_soup_packet *pkt, uint64_t now_ns,
                                            struct gn_soup_info *info)
{
    *info = (struct gn_soup_info){.payload = pkt->payload, .len = pkt->len};
    if (c->state != GN_SOUP_LOGGED_IN && c->state != GN_SOUP_LOGIN_SENT)
        return GN_SOUP_EV_NONE;
    int err = gn_soup_direction(pkt->type, true);
    if (err != GN_SOUP_OK)
        return fail(c, info, err);
    c->last_rx_ns = now_ns;
    c->stats.packets_in++;
    switch (pkt->type) {
    case GN_SOUP_SEQUENCED:
        return on_sequenced(c, info);
    case GN_SOUP_SERVER_HEARTBEAT:
        return GN_SOUP_EV_HEARTBEAT;
    case GN_SOUP_DEBUG:
        return GN_SOUP_EV_DEBUG_TEXT;
    case GN_SOUP_END:
        c->state = GN_SOUP_ENDED;
        return GN_SOUP_EV_SESSION_END;
    case GN_SOUP_UNSEQUENCED:
        if (c->state != GN_SOUP_LOGGED_IN)
            return fail(c, info, GN_SOUP_ERR_STATE);
        c->stats.unsequenced_in++;
        return GN_SOUP_EV_DATA_UNSEQUENCED;
    case GN_SOUP_ACCEPTED:
        return c->state == GN_SOUP_LOGIN_SENT ? on_accepted(c, pkt, info) : fail(c, info, GN_SOUP_ERR_STATE);
    case GN_SOUP_REJECTED:
        if (c->state != GN_SOUP_LOGIN_SENT)
            return fail(c, info, GN_SOUP_ERR_STATE);
        info->reason = (char)pkt->payload[0];
        gn_soup_die(&c->state, &c->stats, GN_SOUP_OK);
        return GN_SOUP_EV_LOGIN_REJECTED;
    default:
        return fail(c, info, GN_SOUP_ERR_TYPE);
    }
}

void gn_soup_client_on_error(struct gn_soup_client *c, int err)
{
    gn_soup_die(&c->state, &c->stats, err);
}

void gn_soup_client_closed(struct gn_soup_client *c)
{
    if (c->state == GN_SOUP_LOGGED_IN || c->state == GN_SOUP_LOGIN_SENT)
        c->stats.deaths++;
    c->state = GN_SOUP_CLOSED;
}

enum gn_soup_timer gn_soup_client_timer(struct gn_soup_client *c, uint64_t now_ns)
{
    uint64_t limit_ns = c->timing.dead_ns;
    uint64_t since_ns = c->last_rx_ns;
    if (c->state == GN_SOUP_LOGIN_SENT) {
        limit_ns = c->timing.login_ns;
        since_ns = c->last_tx_ns;
    } else if (c->state != GN_SOUP_LOGGED_IN) {
        return GN_SOUP_TIMER_NONE;
    }
    if (gn_soup_since(since_ns, now_ns) >= limit_ns) {
        gn_soup_die(&c->state, &c->stats, GN_SOUP_OK);
        return GN_SOUP_TIMER_DEAD;
    }
    if (c->state == GN_SOUP_LOGGED_IN && gn_soup_since(c->last_tx_ns, now_ns) >= c->timing.heartbeat_ns)
        return GN_SOUP_TIMER_HEARTBEAT;
    return GN_SOUP_TIMER_NONE;
}

uint32_t gn_soup_client_heartbeat(struct gn_soup_client *c, uint8_t *buf, uint64_t now_ns)
{
    c->last_tx_ns = now_ns;
    c->stats.packets_out++;
    return gn_soup_header(buf, GN_SOUP_CLIENT_HEARTBEAT, 0);
}

uint32_t gn_soup_client_logout(struct gn_soup_client *c, uint8_t *buf, uint64_t now_ns)
{
    c->last_tx_ns = now_ns;
    c->stats.packets_out++;
    return gn_soup_header(buf, GN_SOUP_LOGOUT, 0);
}
