#include "dataplane/net/tcp_fast.h"

bool gn_net_source_ok(const struct gn_net *net, uint32_t src)
{
    uint32_t top = src >> 24;
    return src != net->conf.ip && top != 0 && top != 127 && top < 224 && !gn_net_is_broadcast(net, src);
}

/* IGMP queries and market data are the packets with a group as their destination. */
static uint16_t check_multicast(struct gn_net *net, const uint8_t *frame, const struct gn_ip_in *in)
{
    if (gn_mac48(frame) != gn_mac48_of_group(in->dst))
        return GN_NET_DROP_NOT_OUR_MAC;
    uint64_t key = ((uint64_t)in->dst << 32) | in->src;
    uint64_t *slot = &net->accept[(in->dst ^ in->src ^ (in->dst >> 7)) & (GN_NET_ACCEPT - 1)];
    if (GN_LIKELY(*slot == key))
        return GN_NET_DROP_NONE;
    if (!gn_net_source_ok(net, in->src) && !(in->proto == GN_IP_PROTO_IGMP && in->src == 0))
        return GN_NET_DROP_IP_SRC;
    if (in->proto == GN_IP_PROTO_IGMP)
        return GN_NET_DROP_NONE;
    if (!gn_igmp_accepts(net, in->dst, in->src))
        return GN_NET_DROP_IP_NOT_US;
    *slot = key;
    return GN_NET_DROP_NONE;
}

static uint16_t check_unicast(struct gn_net *net, const uint8_t *frame, const struct gn_ip_in *in)
{
    if (in->dst != net->conf.ip)
        return GN_NET_DROP_IP_NOT_US;
    if (gn_mac48(frame) != gn_mac48(net->conf.mac))
        return GN_NET_DROP_NOT_OUR_MAC;
    /* Whom TCP has a connection with was looked at before; gn_tcp_input does it for the others. */
    if (in->proto == GN_IP_PROTO_TCP)
        return GN_NET_DROP_NONE;
    return gn_net_source_ok(net, in->src) ? GN_NET_DROP_NONE : GN_NET_DROP_IP_SRC;
}

/* RFC 791 section 3.1, RFC 1122 section 3.2.1. */
static uint16_t parse_ip(const uint8_t *p, uint32_t len, struct gn_ip_in *in)
{
    if (len < GN_IP_LEN)
        return GN_NET_DROP_IP_SHORT;
    uint32_t header = (p[0] & 15u) * 4u;
    uint32_t total = gn_load_be16(p + 2);
    if ((p[0] >> 4) != 4 || header < GN_IP_LEN)
        return GN_NET_DROP_IP_VERSION;
    if (total < header || total > len)
        return GN_NET_DROP_IP_SHORT;
    if ((in->flags & GN_NET_IN_IP_CSUM_OK) == 0 && gn_csum_fold(gn_csum_add(0, p, header)) != 0xffff)
        return GN_NET_DROP_IP_CSUM;
    in->proto = p[9];
    if (GN_UNLIKELY(header != GN_IP_LEN && in->proto != GN_IP_PROTO_IGMP))
        return GN_NET_DROP_IP_OPTIONS;
    if (GN_UNLIKELY((gn_load_be16(p + 6) & 0xbfffu) != 0))
        return GN_NET_DROP_IP_FRAGMENT;
    if (GN_UNLIKELY(p[8] == 0))
        return GN_NET_DROP_IP_TTL;
    in->ip = p;
    in->l4 = p + header;
    in->l4_len = total - header;
    in->src = gn_load_be32(p + 12);
    in->dst = gn_load_be32(p + 16);
    in->ttl = p[8];
    in->multicast = gn_ip_is_multicast(in->dst);
    return GN_NET_DROP_NONE;
}

/* Offset of what follows the Ethernet header, with its type; 0 when the tag is not ours. */
static uint32_t parse_eth(const struct gn_net *net, const uint8_t *frame, uint32_t len, uint32_t flags, uint16_t *type)
{
    uint16_t t = gn_load_be16(frame + 12);
    uint16_t want = net->conf.vlan_id;
    if (t != GN_ETH_TYPE_VLAN) {
        *type = t;
        return want == 0 || (flags & GN_NET_IN_VLAN_STRIPPED) != 0 ? GN_ETH_LEN : 0;
    }
    if (len < GN_ETH_LEN + GN_ETH_VLAN_LEN || (gn_load_be16(frame + 14) & 0xfffu) != want)
        return 0;
    *type = gn_load_be16(frame + 16);
    return GN_ETH_LEN + GN_ETH_VLAN_LEN;
}

static int input_ip(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, struct gn_ip_in *in, uint64_t now,
                    struct gn_txq *txq, struct gn_net_rx *out)
{
    uint16_t drop = in->multicast ? check_multicast(net, frame, in) : check_unicast(net, frame, in);
    if (GN_UNLIKELY(drop != GN_NET_DROP_NONE))
        return gn_net_dropped(net, out, drop);
    out->src_ip = in->src;
    out->dst_ip = in->dst;
    out->ttl = in->ttl;
    switch (in->proto) {
    case GN_IP_PROTO_UDP:
        return gn_udp_input(net, in, out);
    case GN_IP_PROTO_TCP:
        if (in->multicast)
            return gn_net_dropped(net, out, GN_NET_DROP_TCP_MULTICAST);
        if (tcp == NULL)
            return gn_net_dropped(net, out, GN_NET_DROP_TCP_NO_TABLE);
        net->rx_tcp++;
        return gn_tcp_input(tcp, net, in, txq, out);
    case GN_IP_PROTO_ICMP:
        return gn_icmp_input(net, tcp, in, now, txq, out);
    case GN_IP_PROTO_IGMP:
        return gn_igmp_input(net, in, now, out);
    default:
        return gn_net_dropped(net, out, GN_NET_DROP_IP_PROTO);
    }
}

/* Everything, in the order of the standards. */
static GN_NOINLINE int input_any(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, uint32_t len,
                                 uint32_t flags, uint64_t now_ns, struct gn_txq *txq, struct gn_net_rx *out)
{
    uint64_t now = net->now_ns;
    uint16_t type;
    *out = (struct gn_net_rx){.conn = GN_NET_NO_CONN};
    if (GN_UNLIKELY(len < GN_ETH_LEN || len > GN_FRAME_ROOM))
        return gn_net_dropped(net, out, GN_NET_DROP_SHORT);
    uint32_t off = parse_eth(net, frame, len, flags, &type);
    if (GN_UNLIKELY(off == 0))
        return gn_net_dropped(net, out, GN_NET_DROP_VLAN);
    if (GN_LIKELY(type == GN_ETH_TYPE_IPV4)) {
        struct gn_ip_in in = {.flags = flags, .now_ns = now_ns};
        uint16_t drop = parse_ip(frame + off, len - off, &in);
        if (GN_UNLIKELY(drop != GN_NET_DROP_NONE))
            return gn_net_dropped(net, out, drop);
        return input_ip(net, tcp, frame, &in, now, txq, out);
    }
    if (type != GN_ETH_TYPE_ARP)
        return gn_net_dropped(net, out, GN_NET_DROP_ETHERTYPE);
    uint64_t dst = gn_mac48(frame);
    if (dst != GN_MAC48_BROADCAST && dst != gn_mac48(net->conf.mac))
        return gn_net_dropped(net, out, GN_NET_DROP_NOT_OUR_MAC);
    return gn_arp_input(net, frame + off, len - off, now, txq, out);
}

/* ---- the packets that come all day ---- */

/* Untagged IPv4 without options, whole, with a TTL, our header checksum right: total length, or 0. */
static inline uint32_t plain_ip(const struct gn_net *net, const uint8_t *frame, uint32_t len, uint32_t flags)
{
    const uint8_t *ip = frame + GN_ETH_LEN;
    uint32_t type;
    uint16_t fragment;
    memcpy(&type, frame + 12, sizeof type);
    memcpy(&fragment, ip + 6, sizeof fragment);
    uint32_t total = gn_load_be16(ip + 2);
    if ((type & 0xffffffu) != 0x450008u || (fragment & 0xffbfu) != 0 || ip[8] == 0 || total > len - GN_ETH_LEN ||
        (net->conf.vlan_id != 0 && (flags & GN_NET_IN_VLAN_STRIPPED) == 0))
        return 0;
    return (flags & GN_NET_IN_IP_CSUM_OK) != 0 || gn_csum_fold(gn_csum_ip20(ip)) == 0xffff ? total : 0;
}

/* The checksum of TCP or UDP in such a packet: its addresses lie where the pseudo header has them. */
static GN_NOINLINE bool l4_sum_ok(const uint8_t *ip, uint32_t total)
{
    uint32_t src;
    uint32_t dst;
    uint32_t len = total - GN_IP_LEN;
    memcpy(&src, ip + 12, sizeof src);
    memcpy(&dst, ip + 16, sizeof dst);
    uint64_t sum = (uint64_t)src + dst + ((uint64_t)ip[9] << 8) + __builtin_bswap16((uint16_t)len);
    return gn_csum_fold(gn_csum_wide(sum, ip + GN_IP_LEN, len)) == 0xffff;
}

/* A datagram of a group and source that were found acceptable before; false for all others. */
static inline bool plain_udp(struct gn_net *net, const uint8_t *frame, uint32_t total, uint32_t flags,
                             struct gn_net_rx *out)
{
    const uint8_t *ip = frame + GN_ETH_LEN;
    const uint8_t *p = ip + GN_IP_LEN;
    uint64_t ips = gn_load_be64(ip + 12);
    uint32_t src = (uint32_t)(ips >> 32);
    uint32_t dst = (uint32_t)ips;
    uint32_t len = gn_load_be16(p + 4);
    uint16_t port = gn_load_be16(p + 2);
    uint16_t csum;
    memcpy(&csum, p + 6, sizeof csum);
    if (net->accept[(dst ^ src ^ (dst >> 7)) & (GN_NET_ACCEPT - 1)] != (ips << 32 | src) || dst == 0 ||
        gn_mac48(frame) != gn_mac48_of_group(dst) || len < GN_UDP_LEN || len > total - GN_IP_LEN || port == 0)
        return false;
    if ((flags & GN_NET_IN_L4_CSUM_OK) == 0 && csum != 0 && !l4_sum_ok(ip, GN_IP_LEN + len))
        return false;
    net->rx_udp++;
    *out = (struct gn_net_rx){.kind = GN_NET_RX_UDP,
                              .ttl = ip[8],
                              .src_ip = src,
                              .dst_ip = dst,
                              .src_port = gn_load_be16(p),
                              .dst_port = port,
                              .conn = GN_NET_NO_CONN,
                              .len = len - GN_UDP_LEN,
                              .payload = p + GN_UDP_LEN};
    return true;
}

/* To our address and our MAC. */
static inline bool to_us(const struct gn_net *net, const uint8_t *frame)
{
    uint64_t dst;
    uint64_t mac;
    memcpy(&dst, frame, sizeof dst);
    memcpy(&mac, net->conf.mac, sizeof mac); /* and two bytes more, which go */
    return (dst ^ mac) << 16 == 0 && gn_load_be32(frame + GN_ETH_LEN + 16) == net->conf.ip;
}
static_assert(offsetof(struct gn_net_conf, mac) + 8 <= sizeof(struct gn_net_conf), "one load");

GN_HOT int gn_net_input(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, uint32_t len, uint32_t flags,
                        uint64_t now_ns, struct gn_txq *txq, struct gn_net_rx *out)
{
    (void)gn_net_clock(net, now_ns);
    net->rx_frames++;
    net->rx_bytes += len;
    if (GN_LIKELY(len >= GN_ETH_LEN + GN_IP_LEN + GN_UDP_LEN && len <= GN_FRAME_ROOM)) {
        const uint8_t *ip = frame + GN_ETH_LEN;
        uint32_t total = plain_ip(net, frame, len, flags);
        if (ip[9] == GN_IP_PROTO_UDP && total >= GN_IP_LEN + GN_UDP_LEN) {
            if (GN_LIKELY(plain_udp(net, frame, total, flags, out)))
                return GN_NET_RX_UDP;
        } else if (ip[9] == GN_IP_PROTO_TCP && total >= GN_IP_LEN + GN_TCP_LEN + GN_TCP_TS_SPACE && tcp != NULL &&
                   to_us(net, frame) && ((flags & GN_NET_IN_L4_CSUM_OK) != 0 || l4_sum_ok(ip, total))) {
            int kind = gn_tcp_expected(tcp, net, ip, now_ns, txq, out);
            if (GN_LIKELY(kind >= 0)) {
                net->rx_tcp++;
                return kind;
            }
        }
    }
    return input_any(net, tcp, frame, len, flags, now_ns, txq, out);
}
