/* Ethernet, VLAN, ARP, IPv4, ICMP, IGMP and UDP: what is accepted, what is answered, and the counted reason of what is
 * not. */
#include "dataplane/net/net.h"

#include "tests/gn_test.h"
#include "tests/unit/net/host.h"

#define GROUP 0xef010203u

static struct host a, b;
static uint64_t now;

static void setup(void)
{
    now = 1700000000ull * HOST_S;
    host_conf(&a, 1);
    host_conf(&b, 2);
    a.net_conf.gateway = 0x0a0000feu;
}

static void begin(void)
{
    CU_ASSERT_FATAL(host_start(&a, 4, 4096, 4096, now));
    CU_ASSERT_FATAL(host_start(&b, 4, 4096, 4096, now));
}

static void end(void)
{
    host_stop(&a);
    host_stop(&b);
}

/* Hands all frames of one to the other; returns the last kind. */
static int pass(struct host *from, struct host *to, struct gn_net_rx *rx)
{
    int kind = -1;
    for (uint32_t i = 0; i < from->txq.n; i++)
        kind = host_input(to, from->txq.buf[i], from->txq.len[i], now, rx);
    host_stock(from, GN_TXQ_MAX);
    return kind;
}

static uint16_t drop_of(struct host *h, const uint8_t *frame, uint32_t len)
{
    struct gn_net_rx rx;
    return host_input(h, frame, len, now, &rx) == GN_NET_RX_DROP ? rx.reason : GN_NET_DROP_NONE;
}

static void udp_needs_arp_then_goes(void)
{
    struct gn_net_rx rx;
    setup();
    begin();
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1000, 2000, "hello", 5, now, &a.txq), GN_NET_ERR_NO_ARP);
    CU_ASSERT_EQUAL(a.txq.n, 1);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1000, 2000, "hello", 5, now, &a.txq), GN_NET_ERR_NO_ARP);
    CU_ASSERT_EQUAL(a.txq.n, 1); /* one request per retry interval */
    CU_ASSERT_EQUAL(pass(&a, &b, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(b.txq.len[0], 60);
    CU_ASSERT_EQUAL(pass(&b, &a, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1000, 2000, "hello", 5, now, &a.txq), GN_NET_OK);
    CU_ASSERT_EQUAL(pass(&a, &b, &rx), GN_NET_RX_UDP);
    CU_ASSERT_EQUAL(rx.len, 5);
    CU_ASSERT_EQUAL(rx.src_port, 1000);
    CU_ASSERT_EQUAL(rx.dst_port, 2000);
    CU_ASSERT_EQUAL(rx.src_ip, a.net_conf.ip);
    /* b learned a from the request */
    CU_ASSERT_EQUAL(gn_udp_send(b.net, a.net_conf.ip, 1, 2, "x", 1, now, &b.txq), GN_NET_OK);
    end();
}

static void udp_goes_by_the_gateway(void)
{
    setup();
    begin();
    static const uint8_t gw[6] = {2, 0, 0, 0, 0, 9};
    CU_ASSERT_EQUAL(gn_net_add_static(a.net, 0x0a0000feu, gw), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, 0x08080808u, 1, 53, "q", 1, now, &a.txq), GN_NET_OK);
    CU_ASSERT_EQUAL(memcmp(a.txq.buf[0], gw, 6), 0);
    CU_ASSERT_EQUAL(gn_udp_send(b.net, 0x08080808u, 1, 53, "q", 1, now, &b.txq), GN_NET_ERR_NO_ROUTE);
    end();
}

static void udp_limits(void)
{
    static uint8_t big[2000];
    uint8_t *p;
    uint32_t room;
    setup();
    begin();
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1, 2, big, 1473, now, &a.txq), GN_NET_ERR_TOO_LONG);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1, 2, big, 1472, now, &a.txq), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1, 0, big, 1, now, &a.txq), GN_NET_ERR_ARG);
    CU_ASSERT_EQUAL(gn_udp_prepare(a.net, b.net_conf.ip, 1, 2, now, &a.txq, &p, &room), GN_NET_OK);
    CU_ASSERT_EQUAL(room, 1472);
    CU_ASSERT_EQUAL(a.txq.n, 1); /* nothing until commit */
    CU_ASSERT_EQUAL(gn_udp_commit(a.net, room + 1, &a.txq), GN_NET_ERR_TOO_LONG);
    CU_ASSERT_EQUAL(gn_udp_commit(a.net, 0, &a.txq), GN_NET_OK);
    host_stock(&a, 0);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1, 2, big, 1, now, &a.txq), GN_NET_ERR_TXQ_FULL);
    end();
}

static void multicast_is_heard_after_joining_only(void)
{
    struct gn_net_rx rx;
    setup();
    begin();
    CU_ASSERT_EQUAL(gn_udp_send(a.net, GROUP, 5, 6, "tick", 4, now, &a.txq), GN_NET_OK);
    uint8_t frame[GN_FRAME_ROOM];
    uint32_t len = a.txq.len[0];
    memcpy(frame, a.txq.buf[0], len);
    CU_ASSERT_EQUAL(memcmp(frame, "\x01\x00\x5e\x01\x02\x03", 6), 0);
    CU_ASSERT_EQUAL(drop_of(&b, frame, len), GN_NET_DROP_IP_NOT_US);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(host_input(&b, frame, len, now, &rx), GN_NET_RX_UDP);
    CU_ASSERT_EQUAL(host_input(&b, frame, len, now, &rx), GN_NET_RX_UDP);
    CU_ASSERT_EQUAL(gn_net_leave_group(b.net, GROUP, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(drop_of(&b, frame, len), GN_NET_DROP_IP_NOT_US);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, 0x0a000063u), GN_NET_OK); /* of another source */
    CU_ASSERT_EQUAL(drop_of(&b, frame, len), GN_NET_DROP_IP_NOT_US);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, a.net_conf.ip), GN_NET_OK);
    CU_ASSERT_EQUAL(host_input(&b, frame, len, now, &rx), GN_NET_RX_UDP);
    frame[5] ^= 1; /* the group's address in another group's frame */
    CU_ASSERT_EQUAL(drop_of(&b, frame, len), GN_NET_DROP_NOT_OUR_MAC);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, 0x0a000001u, 0), GN_NET_ERR_ARG);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, 0xe0000005u, 0), GN_NET_ERR_ARG);
    end();
}

/* Two interfaces are two endpoints: what one has joined the other neither hears nor reports, and a frame of both lines'
 * group is heard where it arrives. */
static void multicast_on_two_interfaces(void)
{
    struct gn_net_rx rx;
    struct host second;
    setup();
    begin();
    host_conf(&second, 3);
    second.net_conf.ip = 0x0a000103u;
    CU_ASSERT_FATAL(host_start(&second, 2, 4096, 4096, now));
    uint8_t line_a[GN_FRAME_ROOM];
    uint8_t line_b[GN_FRAME_ROOM];
    CU_ASSERT_EQUAL(gn_udp_send(a.net, GROUP, 5, 6, "A", 1, now, &a.txq), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, GROUP + 1, 5, 6, "B", 1, now, &a.txq), GN_NET_OK);
    uint32_t len = a.txq.len[0];
    memcpy(line_a, a.txq.buf[0], len);
    memcpy(line_b, a.txq.buf[1], len);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_net_join_group(second.net, GROUP + 1, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(host_input(&b, line_a, len, now, &rx), GN_NET_RX_UDP);
    CU_ASSERT_EQUAL(drop_of(&second, line_a, len), GN_NET_DROP_IP_NOT_US);
    CU_ASSERT_EQUAL(host_input(&second, line_b, len, now, &rx), GN_NET_RX_UDP);
    CU_ASSERT_EQUAL(drop_of(&b, line_b, len), GN_NET_DROP_IP_NOT_US);
    CU_ASSERT_EQUAL(gn_net_join_group(second.net, GROUP, 0), GN_NET_OK); /* the same group on both */
    CU_ASSERT_EQUAL(host_input(&second, line_a, len, now, &rx), GN_NET_RX_UDP);
    CU_ASSERT_EQUAL(host_input(&b, line_a, len, now, &rx), GN_NET_RX_UDP);
    CU_ASSERT_EQUAL(gn_net_leave_group(b.net, GROUP, 0), GN_NET_OK); /* left on one, kept on the other */
    CU_ASSERT_EQUAL(drop_of(&b, line_a, len), GN_NET_DROP_IP_NOT_US);
    CU_ASSERT_EQUAL(host_input(&second, line_a, len, now, &rx), GN_NET_RX_UDP);
    host_stop(&second);
    end();
}

/* What one frame comes to at an endpoint as it was kept, by the NIC's word or by our own sums. */
static void judge(const struct gn_net *as_it_was, const uint8_t *frame, uint32_t len, uint32_t flags,
                  struct gn_net_rx *rx)
{
    memcpy(b.net, as_it_was, sizeof *as_it_was);
    memset(rx, 0, sizeof *rx);
    (void)gn_net_input(b.net, NULL, frame, len, flags, now, &b.txq, rx);
}

/* The fast way for flows that were looked at before says of every frame what the long way says: each bit of the headers
 * is turned once, each length is cut once. */
static void known_flow_is_judged_like_an_unknown_one(void)
{
    static struct gn_net fresh, known;
    uint8_t frame[GN_FRAME_ROOM] = {0};
    struct gn_net_rx fast, slow;
    setup();
    begin();
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_udp_send(a.net, GROUP, 30000, 30001, "0123456789abcdef", 16, now, &a.txq), GN_NET_OK);
    uint32_t len = a.txq.len[0];
    memcpy(frame, a.txq.buf[0], len);
    memcpy(&fresh, b.net, sizeof fresh);
    judge(&fresh, frame, len, 0, &slow);
    CU_ASSERT_EQUAL(slow.kind, GN_NET_RX_UDP);
    memcpy(&known, b.net, sizeof known);
    CU_ASSERT_NOT_EQUAL(memcmp(fresh.flow, known.flow, sizeof fresh.flow), 0);
    uint64_t heard = known.rx_udp;
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t flags = k == 0 ? 0 : GN_NET_IN_IP_CSUM_OK | GN_NET_IN_L4_CSUM_OK;
        judge(&known, frame, len, flags, &fast);
        CU_ASSERT_EQUAL(b.net->rx_udp, heard + 1);
        CU_ASSERT_EQUAL(memcmp(&slow, &fast, sizeof slow), 0);
        for (uint32_t bit = 0; bit < 8 * len; bit++) {
            struct gn_net_rx was;
            frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
            judge(&fresh, frame, len, flags, &was);
            judge(&known, frame, len, flags, &fast);
            CU_ASSERT_EQUAL(memcmp(&was, &fast, sizeof was), 0);
            frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (uint32_t cut = 0; cut < len; cut++) {
            struct gn_net_rx was;
            judge(&fresh, frame, cut, flags, &was);
            judge(&known, frame, cut, flags, &fast);
            CU_ASSERT_EQUAL(memcmp(&was, &fast, sizeof was), 0);
        }
    }
    memcpy(b.net, &known, sizeof known);
    CU_ASSERT_EQUAL(gn_net_leave_group(b.net, GROUP, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(drop_of(&b, frame, len), GN_NET_DROP_IP_NOT_US); /* what was known goes with the membership */
    end();
}

static void group_table_has_a_limit(void)
{
    setup();
    begin();
    for (uint32_t i = 0; i < GN_NET_GROUP_MAX; i++)
        CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP + i, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP + GN_NET_GROUP_MAX, 0), GN_NET_ERR_FULL);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, 0), GN_NET_OK);
    end();
}

static uint32_t count_igmp(const struct host *h, uint8_t type, uint8_t record)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->txq.n; i++) {
        const uint8_t *ip = h->txq.buf[i] + GN_ETH_LEN;
        if (ip[9] == GN_IP_PROTO_IGMP && ip[24] == type && (type != GN_IGMP3_REPORT || ip[32] == record))
            n++;
    }
    return n;
}

static uint32_t query(uint8_t *f, uint32_t group, bool v3, uint8_t code)
{
    uint32_t len = v3 ? 12 : 8;
    memset(f, 0, 60);
    gn_mac48_store(f, gn_mac48_of_group(GN_IP_ALL_HOSTS));
    f[6] = 2;
    gn_store_be16(f + 12, GN_ETH_TYPE_IPV4);
    uint8_t *ip = f + GN_ETH_LEN;
    ip[0] = 0x46;
    gn_store_be16(ip + 2, (uint16_t)(24 + len));
    ip[8] = 1;
    ip[9] = GN_IP_PROTO_IGMP;
    gn_store_be32(ip + 12, 0x0a0000feu);
    gn_store_be32(ip + 16, GN_IP_ALL_HOSTS);
    gn_store_be32(ip + 20, 0x94040000u);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, 24)));
    uint8_t *p = ip + 24;
    p[0] = GN_IGMP_QUERY;
    p[1] = code;
    gn_store_be32(p + 4, group);
    gn_csum_store(p + 2, gn_csum_finish(gn_csum_add(0, p, len)));
    return GN_ETH_LEN + 24 + len;
}

/* Runs the timers for a while; returns how many frames of the kind were sent. */
static uint32_t reports_within(struct host *h, uint64_t ns, uint8_t type, uint8_t record)
{
    uint32_t n = 0;
    for (uint64_t until = now + ns; now < until; now += 10 * HOST_MS) {
        (void)gn_net_timer(h->net, now, &h->txq);
        n += count_igmp(h, type, record);
        host_stock(h, GN_TXQ_MAX);
    }
    return n;
}

static void igmp_reports_and_answers(void)
{
    struct gn_net_rx rx;
    uint8_t f[64];
    setup();
    b.net_conf.igmp_refresh_ms = 0;
    begin();
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP + 1, 0x0a000001u), GN_NET_OK);
    (void)gn_net_timer(b.net, now, &b.txq);
    CU_ASSERT_EQUAL(count_igmp(&b, GN_IGMP3_REPORT, 4), 1); /* CHANGE_TO_EXCLUDE */
    CU_ASSERT_EQUAL(count_igmp(&b, GN_IGMP3_REPORT, 5), 1); /* ALLOW_NEW_SOURCES */
    host_stock(&b, GN_TXQ_MAX);
    CU_ASSERT_EQUAL(reports_within(&b, 5 * HOST_S, GN_IGMP3_REPORT, 4), 1); /* repeated once */
    uint32_t len = query(f, 0, true, 10);
    CU_ASSERT_EQUAL(host_input(&b, f, len, now, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(reports_within(&b, 2 * HOST_S, GN_IGMP3_REPORT, 2), 1); /* MODE_IS_EXCLUDE */
    len = query(f, GROUP + 7, true, 10);
    CU_ASSERT_EQUAL(host_input(&b, f, len, now, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(reports_within(&b, 2 * HOST_S, GN_IGMP3_REPORT, 2), 0);
    CU_ASSERT_EQUAL(gn_net_leave_group(b.net, GROUP, 0), GN_NET_OK);
    CU_ASSERT_EQUAL(reports_within(&b, 5 * HOST_S, GN_IGMP3_REPORT, 3), 2); /* CHANGE_TO_INCLUDE */
    len = query(f, 0, false, 10);
    CU_ASSERT_EQUAL(host_input(&b, f, len, now, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(reports_within(&b, 2 * HOST_S, GN_IGMP2_REPORT, 0), 1); /* the querier is of version 2 */
    f[GN_ETH_LEN + 26] ^= 1;
    CU_ASSERT_EQUAL(drop_of(&b, f, len), GN_NET_DROP_IGMP_BAD);
    end();
}

static void igmp_joins_are_kept_alive(void)
{
    setup();
    b.net_conf.igmp_refresh_ms = 10000;
    begin();
    CU_ASSERT_EQUAL(gn_net_join_group(b.net, GROUP, 0), GN_NET_OK);
    (void)reports_within(&b, 5 * HOST_S, GN_IGMP3_REPORT, 2);
    uint32_t n = reports_within(&b, 60 * HOST_S, GN_IGMP3_REPORT, 2);
    CU_ASSERT(n >= 5 && n <= 7);
    /* a restarted process reports again */
    CU_ASSERT(host_restart(&b, now));
    CU_ASSERT_EQUAL(reports_within(&b, 3 * HOST_S, GN_IGMP3_REPORT, 4), 2);
    end();
}

static void echo_is_answered_within_the_rate(void)
{
    struct gn_net_rx rx;
    uint8_t f[GN_FRAME_ROOM];
    setup();
    b.net_conf.icmp_per_s = 3;
    begin();
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1, 2, "01234567890123456789", 20, now, &a.txq), GN_NET_OK);
    uint32_t len = a.txq.len[0];
    memcpy(f, a.txq.buf[0], len);
    uint8_t *ip = f + GN_ETH_LEN;
    ip[9] = GN_IP_PROTO_ICMP;
    gn_store_be16(ip + 10, 0);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, GN_IP_LEN)));
    ip[20] = GN_ICMP_ECHO;
    ip[21] = 0;
    gn_store_be16(ip + 22, 0);
    gn_csum_store(ip + 22, gn_csum_finish(gn_csum_add(0, ip + 20, 28)));
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(host_input(&b, f, len, now, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(b.txq.n, 3);
    CU_ASSERT_EQUAL(b.txq.buf[0][GN_ETH_LEN + 20], GN_ICMP_ECHO_REPLY);
    CU_ASSERT_EQUAL(memcmp(b.txq.buf[0] + GN_ETH_LEN + 28, ip + 28, 20), 0);
    CU_ASSERT_EQUAL(drop_of(&b, f, len), GN_NET_DROP_ICMP_RATE);
    now += HOST_S;
    CU_ASSERT_EQUAL(host_input(&b, f, len, now, &rx), GN_NET_RX_HANDLED);
    ip[30] ^= 1;
    CU_ASSERT_EQUAL(drop_of(&b, f, len), GN_NET_DROP_ICMP_BAD);
    end();
}

static void vlan_tags_must_match(void)
{
    struct gn_net_rx rx;
    setup();
    a.net_conf.vlan_id = 100;
    b.net_conf.vlan_id = 100;
    begin();
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 1, 2, "v", 1, now, &a.txq), GN_NET_OK);
    CU_ASSERT_EQUAL(a.txq.len[0], GN_ETH_LEN + 4 + 29);
    uint8_t f[64];
    uint32_t len = a.txq.len[0];
    memcpy(f, a.txq.buf[0], len);
    CU_ASSERT_EQUAL(host_input(&b, f, len, now, &rx), GN_NET_RX_UDP);
    f[15] ^= 1;
    CU_ASSERT_EQUAL(drop_of(&b, f, len), GN_NET_DROP_VLAN);
    memmove(f + 12, f + 16, len - 16);
    CU_ASSERT_EQUAL(drop_of(&b, f, len - 4), GN_NET_DROP_VLAN);
    CU_ASSERT_EQUAL(gn_net_input(b.net, b.tcp, f, len - 4, GN_NET_IN_VLAN_STRIPPED, now, &b.txq, &rx), GN_NET_RX_UDP);
    end();
}

static void arp_conflict_static_and_gratuitous(void)
{
    struct gn_net_rx rx;
    uint8_t mac[6];
    uint8_t f[60];
    setup();
    begin();
    (void)gn_net_timer(a.net, now, &a.txq);
    CU_ASSERT_EQUAL_FATAL(a.txq.n, 1); /* announces itself */
    memcpy(f, a.txq.buf[0], 60);
    host_stock(&a, GN_TXQ_MAX);
    CU_ASSERT_EQUAL(drop_of(&b, f, 60), GN_NET_DROP_ARP_NOT_US); /* announcing creates no entry */
    CU_ASSERT_EQUAL(gn_net_resolve(b.net, a.net_conf.ip, now, &b.txq, mac), GN_NET_ERR_NO_ARP);
    CU_ASSERT_EQUAL(host_input(&b, f, 60, now, &rx), GN_NET_RX_HANDLED); /* but completes one */
    CU_ASSERT_EQUAL(gn_net_resolve(b.net, a.net_conf.ip, now, &b.txq, mac), GN_NET_OK);
    f[27] = 77; /* moved to another MAC, as a gateway's address does on failover */
    CU_ASSERT_EQUAL(host_input(&b, f, 60, now, &rx), GN_NET_RX_HANDLED);
    CU_ASSERT_EQUAL(gn_net_resolve(b.net, a.net_conf.ip, now, &b.txq, mac), GN_NET_OK);
    CU_ASSERT_EQUAL(mac[5], 77);
    CU_ASSERT_EQUAL(gn_net_add_static(b.net, a.net_conf.ip, a.net_conf.mac), GN_NET_OK);
    CU_ASSERT_EQUAL(drop_of(&b, f, 60), GN_NET_DROP_ARP_STATIC);
    host_stock(&b, GN_TXQ_MAX);
    gn_store_be32(f + 28, b.net_conf.ip); /* claims to be b */
    CU_ASSERT_EQUAL(drop_of(&b, f, 60), GN_NET_DROP_ARP_CONFLICT);
    CU_ASSERT_EQUAL(b.txq.n, 1);
    CU_ASSERT_EQUAL(drop_of(&b, f, 60), GN_NET_DROP_ARP_CONFLICT);
    CU_ASSERT_EQUAL(b.txq.n, 1); /* one defence in 10 s */
    end();
}

static void arp_refreshes_and_forgets(void)
{
    struct gn_net_rx rx;
    uint8_t mac[6];
    setup();
    begin();
    CU_ASSERT_EQUAL(gn_net_resolve(a.net, b.net_conf.ip, now, &a.txq, mac), GN_NET_ERR_NO_ARP);
    (void)pass(&a, &b, &rx);
    (void)pass(&b, &a, &rx);
    CU_ASSERT_EQUAL(gn_net_resolve(a.net, b.net_conf.ip, now, &a.txq, mac), GN_NET_OK);
    uint32_t gen = a.net->arp_gen;
    uint32_t asked = 0;
    for (uint32_t s = 0; s < 300; s++) { /* b answers: the entry lives, without a change */
        now += HOST_S;
        (void)gn_net_timer(a.net, now, &a.txq);
        (void)gn_net_timer(b.net, now, &b.txq);
        asked += a.txq.n;
        (void)pass(&a, &b, &rx);
        (void)pass(&b, &a, &rx);
    }
    CU_ASSERT_EQUAL(gn_net_resolve(a.net, b.net_conf.ip, now, &a.txq, mac), GN_NET_OK);
    CU_ASSERT_EQUAL(a.net->arp_gen, gen);
    CU_ASSERT(asked >= 9 && asked <= 14);
    for (uint32_t s = 0; s < 100; s++) { /* b is gone */
        now += HOST_S;
        (void)gn_net_timer(a.net, now, &a.txq);
        host_stock(&a, GN_TXQ_MAX);
    }
    CU_ASSERT_EQUAL(gn_net_resolve(a.net, b.net_conf.ip, now, &a.txq, mac), GN_NET_ERR_NO_ARP);
    CU_ASSERT_NOT_EQUAL(a.net->arp_gen, gen);
    end();
}

static void arp_flood_does_not_evict_those_in_use(void)
{
    struct gn_net_rx rx;
    uint8_t mac[6];
    uint8_t f[60] = {0};
    setup();
    b.net_conf.prefix_bits = 8;
    begin();
    CU_ASSERT_EQUAL(gn_net_resolve(b.net, a.net_conf.ip, now, &b.txq, mac), GN_NET_ERR_NO_ARP);
    (void)pass(&b, &a, &rx);
    (void)pass(&a, &b, &rx);
    CU_ASSERT_EQUAL(gn_net_resolve(b.net, a.net_conf.ip, now, &b.txq, mac), GN_NET_OK);
    memset(f, 0xff, 6);
    memcpy(f + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01\x02", 11);
    gn_store_be32(f + 38, b.net_conf.ip);
    for (uint32_t i = 0; i < 1000; i++) {
        gn_store_be32(f + 24, i);
        gn_store_be32(f + 28, 0x0a010000u + i);
        CU_ASSERT_EQUAL(host_input(&b, f, 60, now, &rx), GN_NET_RX_HANDLED);
        host_stock(&b, GN_TXQ_MAX);
    }
    CU_ASSERT_EQUAL(gn_net_resolve(b.net, a.net_conf.ip, now, &b.txq, mac), GN_NET_OK);
    end();
}

/* Each row breaks one field of a good UDP frame. */
static void bad_frames_have_their_reasons(void)
{
    static const struct {
        uint32_t at;
        uint8_t value;
        bool resum; /* the IPv4 header checksum is made right again */
        uint16_t reason;
    } rows[] = {
        {5, 9, false, GN_NET_DROP_NOT_OUR_MAC},   {12, 0x86, false, GN_NET_DROP_ETHERTYPE},
        {14, 0x65, true, GN_NET_DROP_IP_VERSION}, {14, 0x44, true, GN_NET_DROP_IP_VERSION},
        {14, 0x46, true, GN_NET_DROP_IP_OPTIONS}, {17, 200, true, GN_NET_DROP_IP_SHORT},
        {17, 10, true, GN_NET_DROP_IP_SHORT},     {20, 0x20, true, GN_NET_DROP_IP_FRAGMENT},
        {21, 1, true, GN_NET_DROP_IP_FRAGMENT},   {22, 0, true, GN_NET_DROP_IP_TTL},
        {23, 99, true, GN_NET_DROP_IP_PROTO},     {25, 1, false, GN_NET_DROP_IP_CSUM},
        {26, 127, true, GN_NET_DROP_IP_SRC},      {26, 224, true, GN_NET_DROP_IP_SRC},
        {29, 2, true, GN_NET_DROP_IP_SRC},        {29, 255, true, GN_NET_DROP_IP_SRC},
        {33, 3, true, GN_NET_DROP_IP_NOT_US},     {39, 4, false, GN_NET_DROP_UDP_BAD},
        {39, 100, false, GN_NET_DROP_UDP_BAD},    {43, 'X', false, GN_NET_DROP_UDP_CSUM},
        {23, 6, true, GN_NET_DROP_TCP_BAD},       {23, 1, true, GN_NET_DROP_ICMP_BAD},
        {23, 2, true, GN_NET_DROP_IGMP_BAD},
    };
    uint8_t f[64];
    uint8_t good[64];
    setup();
    begin();
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 7, 8, "abcdef", 6, now, &a.txq), GN_NET_OK);
    uint32_t len = a.txq.len[0];
    memcpy(good, a.txq.buf[0], len);
    CU_ASSERT_EQUAL(drop_of(&b, good, len), GN_NET_DROP_NONE);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        memcpy(f, good, len);
        f[rows[i].at] = rows[i].value;
        if (rows[i].resum) {
            uint32_t header = (f[14] & 15u) * 4;
            gn_store_be16(f + 24, 0);
            gn_csum_store(f + 24, gn_csum_finish(gn_csum_add(0, f + 14, header)));
        }
        uint64_t before = b.net->drops[rows[i].reason];
        CU_ASSERT_EQUAL(drop_of(&b, f, len), rows[i].reason);
        CU_ASSERT_EQUAL(b.net->drops[rows[i].reason], before + 1);
    }
    for (uint32_t cut = 0; cut < len; cut++) /* every truncation is dropped, and ASan watches the reads */
        CU_ASSERT_NOT_EQUAL(drop_of(&b, good, cut), GN_NET_DROP_NONE);
    end();
}

static void checksums_may_be_the_nics(void)
{
    struct gn_net_rx rx;
    uint8_t f[64];
    setup();
    begin();
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_EQUAL(gn_udp_send(a.net, b.net_conf.ip, 7, 8, "abcdef", 6, now, &a.txq), GN_NET_OK);
    uint32_t len = a.txq.len[0];
    memcpy(f, a.txq.buf[0], len);
    f[45] ^= 1;
    CU_ASSERT_EQUAL(gn_net_input(b.net, b.tcp, f, len, GN_NET_IN_L4_CSUM_OK, now, &b.txq, &rx), GN_NET_RX_UDP);
    f[24] ^= 1;
    CU_ASSERT_EQUAL(gn_net_input(b.net, b.tcp, f, len, GN_NET_IN_L4_CSUM_OK | GN_NET_IN_IP_CSUM_OK, now, &b.txq, &rx),
                    GN_NET_RX_UDP);
    gn_store_be16(f + 40, 0); /* no UDP checksum at all */
    f[24] ^= 1;
    CU_ASSERT_EQUAL(gn_net_input(b.net, b.tcp, f, len, 0, now, &b.txq, &rx), GN_NET_RX_UDP);
    end();
}

static void configuration_is_checked(void)
{
    const char *field = NULL;
    setup();
    begin();
    a.net_conf.mtu = 100;
    CU_ASSERT_EQUAL(gn_net_conf_check(&a.net_conf, &field), GN_NET_ERR_ARG);
    CU_ASSERT_STRING_EQUAL(field, "mtu");
    struct gn_net *joined;
    CU_ASSERT_EQUAL(gn_net_join(a.net, 100, now, &joined), GN_NET_ERR_MAGIC);
    a.net->magic ^= 1;
    CU_ASSERT_EQUAL(gn_net_join(a.net, sizeof *a.net, now, &joined), GN_NET_ERR_MAGIC);
    a.net->magic ^= 1;
    a.net->conf.prefix_bits = 0;
    CU_ASSERT_EQUAL(gn_net_join(a.net, sizeof *a.net, now, &joined), GN_NET_ERR_CORRUPT);
    for (uint32_t i = 0; i < GN_NET_DROP_COUNT; i++)
        CU_ASSERT(strlen(gn_net_drop_name(i)) > 2 && strlen(gn_net_drop_help(i)) > 5);
    CU_ASSERT_STRING_EQUAL(gn_net_drop_name(GN_NET_DROP_COUNT), "unknown");
    for (int e = -9; e <= 0; e++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_net_strerror(e), gn_net_strerror(-99));
    end();
}

GN_TEST_MAIN("net", {"UDP waits for ARP, then goes", udp_needs_arp_then_goes},
             {"UDP off the link goes by the gateway", udp_goes_by_the_gateway}, {"UDP limits", udp_limits},
             {"multicast is heard after joining only", multicast_is_heard_after_joining_only},
             {"multicast on two interfaces", multicast_on_two_interfaces},
             {"a known flow is judged like an unknown one", known_flow_is_judged_like_an_unknown_one},
             {"the group table has a limit", group_table_has_a_limit},
             {"IGMP reports, repeats, answers, leaves", igmp_reports_and_answers},
             {"IGMP joins are kept alive", igmp_joins_are_kept_alive},
             {"echo is answered within the rate", echo_is_answered_within_the_rate},
             {"VLAN tags must match", vlan_tags_must_match},
             {"ARP conflict, static and gratuitous", arp_conflict_static_and_gratuitous},
             {"ARP refreshes and forgets", arp_refreshes_and_forgets},
             {"an ARP flood evicts nobody in use", arp_flood_does_not_evict_those_in_use},
             {"bad frames have their reasons", bad_frames_have_their_reasons},
             {"checksums may be the NIC's", checksums_may_be_the_nics},
             {"configuration is checked", configuration_is_checked})
