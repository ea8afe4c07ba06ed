/* The venue of the harness: endpoint, session server, inbox and outbox, market data. */
#include "tests/unit/lcore/harness.h"

/* ---- the venue's turn ---- */

static void peer_drop(struct gn_h *h)
{
    struct gn_h_peer *p = &h->peer;
    if (p->conn == GN_TCP_NONE)
        return;
    gn_tcp_release(p->end.tcp, p->end.net, p->conn, h->now, &p->end.txq);
    gn_soup_server_closed(&p->soup);
    p->conn = GN_TCP_NONE;
}

static void peer_bytes(struct gn_h *h, const void *bytes, uint32_t len)
{
    struct gn_h_peer *p = &h->peer;
    if (p->conn == GN_TCP_NONE || gn_tcp_send(p->end.tcp, p->end.net, p->conn, bytes, len, h->now, &p->end.txq) != 0)
        return;
    gn_h_flush(&p->end);
}

static void peer_login(struct gn_h *h)
{
    struct gn_h_peer *p = &h->peer;
    uint8_t buf[64];
    int n;
    p->logins++;
    if (p->refuse != 0 || !gn_soup_server_check(&p->soup, "USER", "PASS")) {
        n = gn_soup_server_reject(&p->soup, buf, sizeof buf, p->refuse == 0 ? 'A' : p->refuse, h->now);
    } else {
        uint64_t from = p->soup.login.seq == 0 || p->soup.login.seq > p->n_out + 1u ? p->n_out + 1u : p->soup.login.seq;
        from = p->replay_all ? 1 : from;
        p->cursor = from - 1;
        n = gn_soup_server_accept(&p->soup, buf, sizeof buf, from, h->now);
    }
    peer_bytes(h, buf, n > 0 ? (uint32_t)n : 0);
}

static void peer_message(struct gn_h *h, const uint8_t *msg, uint16_t len)
{
    struct gn_h_peer *p = &h->peer;
    struct gn_ouch_msg m;
    if (gn_ouch_decode_in(msg, len, &m) != GN_OUCH_OK || p->n_in == GN_H_INBOX) {
        h->broken = "the venue could not read a message of ours";
        return;
    }
    m.options = NULL;
    p->in[p->n_in++] = m;
    if (m.type == GN_OUCH_IN_ENTER || m.type == GN_OUCH_IN_REPLACE) {
        if (m.user_ref < p->next_ref)
            h->broken = "a user reference was used twice or went back";
        p->next_ref = m.user_ref + 1;
    }
    if (m.type == GN_OUCH_IN_QUERY && !p->no_query)
        gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_QUERY_RESPONSE, .next_user_ref = p->next_ref});
}

static void peer_read(struct gn_h *h)
{
    struct gn_h_peer *p = &h->peer;
    struct gn_soup_packet pkt;
    struct gn_soup_info info;
    const uint8_t *data;
    uint32_t len;
    while (p->conn != GN_TCP_NONE && (len = gn_tcp_readable(p->end.tcp, p->conn, &data)) != 0) {
        int rc = gn_soup_next(data, len, &pkt);
        if (rc < 0)
            h->broken = "the venue could not follow our stream";
        if (rc <= 0)
            return;
        switch (gn_soup_server_on_packet(&p->soup, &pkt, h->now, &info)) {
        case GN_SOUP_EV_LOGIN:
            if (!p->silent)
                peer_login(h);
            break;
        case GN_SOUP_EV_DATA_UNSEQUENCED:
            peer_message(h, info.payload, info.len);
            break;
        case GN_SOUP_EV_LOGGED_OUT:
            p->logouts++;
            break;
        case GN_SOUP_EV_ERROR:
            h->broken = "our side broke the session protocol";
            break;
        default:
            break;
        }
        gn_tcp_consume(p->end.tcp, p->conn, pkt.bytes);
    }
}

static void peer_write(struct gn_h *h)
{
    struct gn_h_peer *p = &h->peer;
    uint8_t buf[GN_SOUP_HEADER + GN_OUCH_OUT_MAX];
    const uint32_t end = p->stop_after != 0 && p->stop_after < p->n_out ? p->stop_after : p->n_out;
    while (p->conn != GN_TCP_NONE && p->soup.state == GN_SOUP_LOGGED_IN && !p->hold && p->cursor < end) {
        const struct gn_h_out *o = &p->out[p->cursor];
        memcpy(buf + GN_SOUP_HEADER, o->bytes, o->len);
        uint32_t n = gn_soup_header(buf, GN_SOUP_SEQUENCED, o->len);
        if (gn_tcp_send(p->end.tcp, p->end.net, p->conn, buf, n, h->now, &p->end.txq) != GN_TCP_OK)
            return;
        p->soup.last_tx_ns = h->now;
        p->soup.next_seq++;
        p->cursor++;
        gn_h_flush(&p->end);
    }
    if (p->conn != GN_TCP_NONE && !p->silent && gn_soup_server_timer(&p->soup, h->now) == GN_SOUP_TIMER_HEARTBEAT)
        peer_bytes(h, buf, gn_soup_server_heartbeat(&p->soup, buf, h->now));
}

void gn_h_peer_turn(struct gn_h *h)
{
    struct gn_h_peer *p = &h->peer;
    struct gn_net_rx rx;
    uint32_t conn;
    for (; h->end.out.head != h->end.out.tail; h->end.out.head++) {
        uint32_t at = h->end.out.head % GN_H_WIRE;
        gn_net_input(p->end.net, p->end.tcp, h->end.out.frame[at], h->end.out.len[at], 0, h->now, &p->end.txq, &rx);
        if (rx.kind == GN_NET_RX_UDP && rx.dst_port == GN_H_UDP_SERVER)
            p->n_requests += gn_mold_request_parse(rx.payload, rx.len, &p->request) == GN_MOLD_OK;
        gn_h_flush(&p->end);
    }
    while (gn_tcp_accept(p->end.tcp, GN_H_SOUP_PORT, &conn) == GN_TCP_OK) {
        struct gn_soup_timing timing = {.heartbeat_ns = 1000 * GN_H_MS, .dead_ns = 60000 * GN_H_MS, .login_ns = 0};
        peer_drop(h);
        p->conn = conn;
        gn_soup_server_new(&p->soup, GN_H_SESSION, &timing);
        gn_soup_server_open(&p->soup, h->now);
    }
    peer_read(h);
    if (p->conn != GN_TCP_NONE &&
        (gn_tcp_events(p->end.tcp, p->conn) & (GN_TCP_EV_ABORTED | GN_TCP_EV_PEER_CLOSED | GN_TCP_EV_CLOSED)) != 0)
        peer_drop(h);
    peer_write(h);
    gn_net_timer(p->end.net, h->now, &p->end.txq);
    gn_tcp_timer(p->end.tcp, p->end.net, h->now, &p->end.txq);
    gn_h_flush(&p->end);
}

/* ---- market data ---- */

void gn_h_datagram(struct gn_h *h, uint32_t lines, const uint8_t *bytes, uint32_t len)
{
    struct gn_h_end *e = &h->peer.end;
    int rc = GN_NET_OK;
    if (lines & GN_H_LINE_A)
        rc |= gn_udp_send(e->net, GN_H_GROUP_A, GN_H_UDP_A, GN_H_UDP_A, bytes, len, h->now, &e->txq);
    if (lines & GN_H_LINE_B)
        rc |= gn_udp_send(e->net, GN_H_GROUP_B, GN_H_UDP_B, GN_H_UDP_B, bytes, len, h->now, &e->txq);
    if (lines & GN_H_LINE_R)
        rc |= gn_udp_send(e->net, GN_H_MY_IP, GN_H_UDP_SERVER, GN_H_UDP_MINE, bytes, len, h->now, &e->txq);
    if (rc != GN_NET_OK)
        h->broken = "the harness could not send a datagram";
    gn_h_flush(e);
}

void gn_h_publish(struct gn_h *h, uint32_t lines, uint64_t seq, const struct gn_itch_msg *m, uint32_t n)
{
    struct gn_mold_builder b;
    uint8_t packet[GN_UDP_PAYLOAD_MAX], msg[GN_ITCH_LEN_MAX];
    int rc = gn_mold_begin(&b, packet, sizeof packet, GN_H_SESSION, seq);
    for (uint32_t i = 0; i < n && rc == GN_MOLD_OK; i++) {
        int len = gn_itch_encode(msg, sizeof msg, &m[i]);
        rc = len < 0 ? len : gn_mold_append(&b, msg, (uint16_t)len);
    }
    if (rc != GN_MOLD_OK)
        h->broken = "the harness could not build a packet";
    else
        gn_h_datagram(h, lines, packet, gn_mold_finish(&b));
}

void gn_h_heartbeat(struct gn_h *h, uint32_t lines, uint64_t next)
{
    uint8_t packet[GN_MOLD_HEADER];
    gn_mold_control(packet, GN_H_SESSION, next, GN_MOLD_HEARTBEAT);
    gn_h_datagram(h, lines, packet, sizeof packet);
}

void gn_h_quote(struct gn_h *h, uint32_t instrument, int64_t bid, int64_t ask)
{
    struct gn_itch_msg m[2] = {
        {.type = GN_ITCH_ADD, .side = 'B', .shares = 100, .price = (uint32_t)bid},
        {.type = GN_ITCH_ADD, .side = 'S', .shares = 100, .price = (uint32_t)ask},
    };
    uint64_t seq = ((struct gn_arb *)h->arb)->next;
    for (uint32_t i = 0; i < 2; i++) {
        m[i].ref = 1000000 + 2 * seq + i;
        m[i].locate = (uint16_t)(instrument + 1);
        memcpy(m[i].symbol, h->instruments->row[instrument].symbol, 8);
    }
    gn_h_publish(h, GN_H_LINE_A | GN_H_LINE_B, seq, m, 2);
    gn_h_turn(h);
}

/* ---- what the venue says ---- */

void gn_h_say_bytes(struct gn_h *h, const uint8_t *bytes, uint16_t len)
{
    struct gn_h_peer *p = &h->peer;
    if (p->n_out == GN_H_OUTBOX || len > sizeof p->out[0].bytes) {
        h->broken = "the harness's outbox is full";
        return;
    }
    memcpy(p->out[p->n_out].bytes, bytes, len);
    p->out[p->n_out++].len = len;
}

void gn_h_say(struct gn_h *h, const struct gn_ouch_msg *m)
{
    uint8_t buf[GN_OUCH_OUT_MAX];
    int n = gn_ouch_encode_out(buf, sizeof buf, m);
    if (n < 0)
        h->broken = "the harness could not encode a message";
    else
        gn_h_say_bytes(h, buf, (uint16_t)n);
}

void gn_h_accept(struct gn_h *h, const struct gn_order *o)
{
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_ACCEPTED,
                                      .user_ref = o->user_ref,
                                      .qty = (uint32_t)o->qty,
                                      .price = (uint64_t)o->price,
                                      .state = 'L'});
}

void gn_h_fill(struct gn_h *h, uint32_t user_ref, uint32_t qty, int64_t price)
{
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_EXECUTED,
                                      .user_ref = user_ref,
                                      .qty = qty,
                                      .price = (uint64_t)price,
                                      .liquidity = 'R',
                                      .match = ++h->peer.match});
}

void gn_h_canceled(struct gn_h *h, uint32_t user_ref, uint32_t qty)
{
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_CANCELED, .user_ref = user_ref, .qty = qty, .reason = 'U'});
}

void gn_h_reject(struct gn_h *h, uint32_t user_ref, uint16_t reason)
{
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_REJECTED, .user_ref = user_ref, .reject = reason});
}

void gn_h_replaced(struct gn_h *h, const struct gn_order *old, const struct gn_order *successor, uint32_t qty)
{
    gn_h_say(h, &(struct gn_ouch_msg){.type = GN_OUCH_OUT_REPLACED,
                                      .orig_user_ref = old->user_ref,
                                      .user_ref = successor->user_ref,
                                      .qty = qty,
                                      .price = (uint64_t)successor->price,
                                      .state = 'L'});
}

void gn_h_hang_up(struct gn_h *h)
{
    struct gn_h_peer *p = &h->peer;
    if (p->conn == GN_TCP_NONE)
        return;
    (void)gn_tcp_abort(p->end.tcp, p->end.net, p->conn, h->now, &p->end.txq);
    peer_drop(h);
    gn_h_flush(&p->end);
}

void gn_h_raw(struct gn_h *h, const uint8_t *bytes, uint32_t len)
{
    peer_bytes(h, bytes, len);
}
