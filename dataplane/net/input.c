#include "dataplane/net/net_internal.h"

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

int gn_net_input(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, uint32_t len, uint32_t flags,
                 uint64_t now_ns, struct gn_txq *txq, struct gn_net_rx *out)
{
    uint64_t now = gn_net_clock(net, now_ns);
    uint16_t type;
    *out = (struct gn_net_rx){.conn = GN_NET_NO_CONN};
    net->rx_frames++;
    net->rx_bytes += len;
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
