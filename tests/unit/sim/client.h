/* A client of the simulator for tests: takes both lines, asks for what is missing, logs in and sends orders. It keeps
 * its own account from the venue's messages alone.
 */
#ifndef GN_TESTS_SIM_CLIENT_H
#define GN_TESTS_SIM_CLIENT_H

#include "tests/gn_test.h"

#include "dataplane/net/tcp.h"
#include "drivers/venue/nasdaq/moldudp64.h"
#include "drivers/venue/nasdaq/ouch.h"
#include "drivers/venue/nasdaq/soupbintcp.h"
#include "tests/unit/sim/wire.h"
#include "tools/venue-sim/history.h"

#define CLIENT_MESSAGES 200000u
#define CLIENT_MSG_MAX  64u

struct client {
    struct wire *wire;
    uint32_t links;
    struct gn_net *net[GN_SIM_LINKS_MAX];
    struct gn_txq txq[GN_SIM_LINKS_MAX];
    struct gn_tcp *tcp;
    uint32_t conn; /* GN_TCP_NONE: none */
    bool want_session;
    struct gn_soup_client soup;
    /* market data */
    uint8_t len[CLIENT_MESSAGES];
    uint8_t msg[CLIENT_MESSAGES][CLIENT_MSG_MAX];
    uint64_t highest, next_missing, asked_ns, requests, bad_packets, end_packets;
    uint64_t line_packets[2], resent_packets, first_only[2];
    char session[GN_MOLD_SESSION];
    bool session_known;
    /* orders */
    uint32_t next_ref;
    uint64_t answers, replayed, sessions_lost, connects, last_seq;
    uint64_t by_type[128];
    int64_t position;
    char side[65536]; /* by UserRefNum */
};

static inline void client_setup_link(struct client *c, uint32_t i)
{
    struct gn_net_conf conf;
    gn_net_conf_default(&conf);
    memcpy(conf.mac, (uint8_t[]){2, 0, 0, 0, 9, (uint8_t)(i + 1)}, 6);
    conf.ip = 0x0a000002u + (i + 1) * 0x100u; /* 10.0.1.2, 10.0.2.2, 10.0.3.2 */
    conf.prefix_bits = 24;
    c->net[i] = aligned_alloc(64, gn_align_up(gn_net_footprint(), 64));
    memset(c->net[i], 0, gn_net_footprint());
    CU_ASSERT_EQUAL_FATAL(gn_net_new(c->net[i], &conf, c->wire->now), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_net_join_group(c->net[i], 0xef010101u, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_net_join_group(c->net[i], 0xef010102u, 0), GN_NET_OK);
    wire_stock(c->wire, 1, i, &c->txq[i]);
}

static inline struct client *client_new(struct wire *w, uint32_t links, const char *user, const char *password)
{
    struct client *c = calloc(1, sizeof *c);
    struct gn_tcp_conf conf;
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    c->wire = w;
    c->links = links;
    for (uint32_t i = 0; i < links; i++)
        client_setup_link(c, i);
    gn_tcp_conf_default(&conf);
    conf.rto_min_us = 20000;
    const uint64_t bytes = gn_tcp_footprint(8, 1 << 16, 1 << 18);
    void *mem = aligned_alloc(64, gn_align_up(bytes, 64));
    memset(mem, 0, bytes);
    CU_ASSERT_EQUAL_FATAL(gn_tcp_new(mem, 8, 1 << 16, 1 << 18, &conf, w->now, &c->tcp), GN_TCP_OK);
    gn_soup_client_new(&c->soup, user, password, "", 1, NULL);
    c->conn = GN_TCP_NONE;
    c->next_missing = 1;
    c->next_ref = 1;
    return c;
}

static inline void client_free(struct client *c)
{
    for (uint32_t i = 0; i < c->links; i++)
        free(c->net[i]);
    free(c->tcp);
    free(c);
}

/* ---- market data ---- */

static inline void client_datagram(struct client *c, const struct gn_net_rx *rx)
{
    struct gn_mold_packet p;
    const uint8_t *msg;
    uint16_t len;
    if (gn_mold_parse(rx->payload, rx->len, &p) != GN_MOLD_OK ||
        (c->session_known && memcmp(c->session, p.session, sizeof p.session) != 0)) {
        c->bad_packets++;
        return;
    }
    memcpy(c->session, p.session, sizeof c->session);
    c->session_known = true;
    if (p.kind == GN_MOLD_END)
        c->end_packets++;
    uint64_t past = p.seq + p.count;
    c->highest = past - 1 > c->highest ? past - 1 : c->highest;
    if (rx->dst_port == 30001)
        c->line_packets[rx->dst_ip == 0xef010102u]++;
    else
        c->resent_packets++;
    struct gn_mold_iter it = gn_mold_iter(&p);
    for (uint64_t seq = it.seq; gn_mold_next(&it, &msg, &len); seq = it.seq) {
        CU_ASSERT_TRUE_FATAL(seq < CLIENT_MESSAGES && len <= CLIENT_MSG_MAX && len != 0);
        if (c->len[seq] != 0) /* what comes twice is the same */
            CU_ASSERT_TRUE_FATAL(c->len[seq] == len && memcmp(c->msg[seq], msg, len) == 0);
        c->len[seq] = (uint8_t)len;
        memcpy(c->msg[seq], msg, len);
    }
}

/* Asks for the first gap, every 200 us. */
static inline void client_gaps(struct client *c)
{
    uint8_t packet[GN_MOLD_REQUEST];
    while (c->next_missing <= c->highest && c->len[c->next_missing] != 0)
        c->next_missing++;
    if (c->next_missing > c->highest || c->wire->now - c->asked_ns < 200000)
        return;
    struct gn_mold_request r = {.seq = c->next_missing, .count = 1};
    while (r.seq + r.count <= c->highest && c->len[r.seq + r.count] == 0)
        r.count++;
    memcpy(r.session, c->session, sizeof r.session);
    gn_mold_request_write(packet, &r);
    c->asked_ns = c->wire->now;
    if (gn_udp_send(c->net[0], 0x0a000101u, 31001, 31000, packet, sizeof packet, c->wire->now, &c->txq[0]) == GN_NET_OK)
        c->requests++;
}

/* ---- orders ---- */

static inline void client_answer(struct client *c, const uint8_t *msg, uint16_t len)
{
    struct gn_ouch_msg m;
    CU_ASSERT_EQUAL_FATAL(gn_ouch_decode_out(msg, len, &m), GN_OUCH_OK);
    c->answers++;
    c->by_type[m.type & 127]++;
    if (m.type == GN_OUCH_OUT_EXECUTED)
        c->position += c->side[m.user_ref & 0xffff] == 'B' ? (int64_t)m.qty : -(int64_t)m.qty;
}

static inline void client_lost(struct client *c)
{
    gn_tcp_release(c->tcp, c->net[c->links - 1], c->conn, c->wire->now, &c->txq[c->links - 1]);
    gn_soup_client_closed(&c->soup);
    c->conn = GN_TCP_NONE;
    c->sessions_lost++;
}

static inline void client_stream(struct client *c)
{
    const uint8_t *data;
    struct gn_soup_packet pkt;
    struct gn_soup_info info;
    uint32_t len;
    while ((len = gn_tcp_readable(c->tcp, c->conn, &data)) != 0) {
        int got = gn_soup_next(data, len, &pkt);
        if (got == 0)
            return;
        enum gn_soup_event ev =
            got < 0 ? GN_SOUP_EV_ERROR : gn_soup_client_on_packet(&c->soup, &pkt, c->wire->now, &info);
        if (ev == GN_SOUP_EV_ERROR || ev == GN_SOUP_EV_LOGIN_REJECTED || ev == GN_SOUP_EV_SESSION_END) {
            if (ev == GN_SOUP_EV_SESSION_END)
                c->want_session = false;
            client_lost(c);
            return;
        }
        if (ev == GN_SOUP_EV_DATA_SEQUENCED) {
            CU_ASSERT_EQUAL_FATAL(info.seq, c->last_seq + 1);
            c->last_seq = info.seq;
            client_answer(c, info.payload, info.len);
            gn_soup_client_done(&c->soup, info.seq);
        }
        c->replayed += ev == GN_SOUP_EV_DATA_REPLAYED;
        gn_tcp_consume(c->tcp, c->conn, pkt.bytes);
    }
}

static inline void client_session(struct client *c)
{
    const uint32_t link = c->links - 1;
    const uint32_t server = 0x0a000001u + c->links * 0x100u;
    uint8_t buf[128];
    if (c->conn == GN_TCP_NONE) {
        if (c->want_session &&
            gn_tcp_connect(c->tcp, c->net[link], server, 40123, 0, c->wire->now, &c->txq[link], &c->conn) != GN_TCP_OK)
            c->conn = GN_TCP_NONE;
        return;
    }
    uint32_t events = gn_tcp_events(c->tcp, c->conn);
    if ((events & GN_TCP_EV_CONNECTED) != 0) {
        int n = gn_soup_client_login(&c->soup, buf, sizeof buf, c->wire->now);
        CU_ASSERT_TRUE_FATAL(n > 0);
        CU_ASSERT_EQUAL(gn_tcp_send(c->tcp, c->net[link], c->conn, buf, (uint32_t)n, c->wire->now, &c->txq[link]),
                        GN_TCP_OK);
        c->connects++;
    }
    client_stream(c);
    if (c->conn == GN_TCP_NONE)
        return;
    if ((events & (GN_TCP_EV_ABORTED | GN_TCP_EV_CLOSED | GN_TCP_EV_PEER_CLOSED)) != 0) {
        client_lost(c);
        return;
    }
    if (gn_soup_client_timer(&c->soup, c->wire->now) == GN_SOUP_TIMER_HEARTBEAT) {
        uint32_t n = gn_soup_client_heartbeat(&c->soup, buf, c->wire->now);
        (void)!gn_tcp_send(c->tcp, c->net[link], c->conn, buf, n, c->wire->now, &c->txq[link]);
    }
}

static inline bool client_ready(const struct client *c)
{
    return c->conn != GN_TCP_NONE && c->soup.state == GN_SOUP_LOGGED_IN;
}

/* Sends an OUCH message; false when it could not go. */
static inline bool client_send(struct client *c, const struct gn_ouch_msg *m)
{
    const uint32_t link = c->links - 1;
    uint8_t buf[256];
    int n = gn_ouch_encode_in(buf + GN_SOUP_HEADER, sizeof buf - GN_SOUP_HEADER, m);
    CU_ASSERT_TRUE_FATAL(n > 0);
    uint32_t bytes = gn_soup_client_order(&c->soup, buf, (uint16_t)n, c->wire->now);
    return gn_tcp_send(c->tcp, c->net[link], c->conn, buf, bytes, c->wire->now, &c->txq[link]) == GN_TCP_OK;
}

static inline bool client_enter(struct client *c, const char symbol[8], char side, uint32_t qty, uint64_t price,
                                char tif)
{
    struct gn_ouch_msg m = {.type = GN_OUCH_IN_ENTER, .user_ref = c->next_ref, .side = side, .qty = qty};
    m.price = price;
    m.tif = tif;
    m.display = 'Y';
    m.capacity = 'P';
    m.iso = 'N';
    m.cross = 'N';
    memcpy(m.symbol, symbol, 8);
    gn_clordid_encode((uint8_t *)m.clordid, c->next_ref, c->highest);
    c->side[c->next_ref & 0xffff] = side;
    if (!client_send(c, &m))
        return false;
    c->next_ref++;
    return true;
}

/* One round: frames in, gaps, session, timers, frames out. */
static inline void client_turn(struct client *c)
{
    struct gn_net_rx rx;
    for (uint32_t i = 0; i < c->links; i++) {
        struct wire_queue *q = &c->wire->to_client[i];
        for (; q->head != q->tail; q->head++) {
            if (c->txq[i].n > GN_TXQ_MAX / 2)
                wire_send(&c->wire->to_sim[i], &c->txq[i]);
            const uint8_t *frame = q->frame[q->head % WIRE_SLOTS];
            gn_net_input(c->net[i], i == c->links - 1 ? c->tcp : NULL, frame, q->len[q->head % WIRE_SLOTS], 0,
                         c->wire->now, &c->txq[i], &rx);
            if (rx.kind == GN_NET_RX_UDP)
                client_datagram(c, &rx);
        }
    }
    client_gaps(c);
    client_session(c);
    for (uint32_t i = 0; i < c->links; i++) {
        (void)gn_net_timer(c->net[i], c->wire->now, &c->txq[i]);
        if (i == c->links - 1)
            (void)gn_tcp_timer(c->tcp, c->net[i], c->wire->now, &c->txq[i]);
        wire_send(&c->wire->to_sim[i], &c->txq[i]);
    }
}

#endif
