#include "dataplane/net/tcp_fast.h"

#define HEAD_OK (GN_NET_IN_IP_CSUM_OK | GN_NET_IN_L4_CSUM_OK)

static void learn_flow(struct gn_net *net, const uint8_t *frame, const struct gn_net_rx *out);

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
        int kind = input_ip(net, tcp, frame, &in, now, txq, out);
        if (kind == GN_NET_RX_UDP && in.multicast && off == GN_ETH_LEN)
            learn_flow(net, frame, out);
        return kind;
    }
    if (type != GN_ETH_TYPE_ARP)
        return gn_net_dropped(net, out, GN_NET_DROP_ETHERTYPE);
    uint64_t dst = gn_mac48(frame);
    if (dst != GN_MAC48_BROADCAST && dst != gn_mac48(net->conf.mac))
        return gn_net_dropped(net, out, GN_NET_DROP_NOT_OUR_MAC);
    return gn_arp_input(net, frame + off, len - off, now, txq, out);
}

/* ---- the packets that come all day ---- */

static inline struct gn_net_flow *flow_at(struct gn_net *net, uint64_t key)
{
    return &net->flow[key * 0x9e3779b97f4a7c15ull >> (64 - __builtin_ctz(GN_NET_FLOWS))];
}

/* After the long way: what the next datagram of this flow looks like. */
static GN_NOINLINE void learn_flow(struct gn_net *net, const uint8_t *frame, const struct gn_net_rx *out)
{
    uint64_t key;
    memcpy(&key, frame + GN_ETH_LEN + 16, sizeof key);
    struct gn_net_flow *f = flow_at(net, key);
    memcpy(f->head, frame, sizeof f->head);
    f->rx = *out;
    f->rx.len = 0;
    f->rx.payload = NULL;
    f->key = key;
}

/* The checksum of TCP or UDP in a packet without options: its addresses lie where the pseudo header has them. */
static GN_NOINLINE bool l4_sum_ok(const uint8_t *ip, uint32_t len)
{
    uint32_t src;
    uint32_t dst;
    memcpy(&src, ip + 12, sizeof src);
    memcpy(&dst, ip + 16, sizeof dst);
    uint64_t sum = (uint64_t)src + dst + ((uint64_t)ip[9] << 8) + __builtin_bswap16((uint16_t)len);
    return gn_csum_sound(gn_csum_wide(sum, ip + GN_IP_LEN, len));
}

static inline bool ip_sum_ok(const uint8_t *ip, uint32_t flags)
{
    return (flags & GN_NET_IN_IP_CSUM_OK) != 0 || gn_csum_sound(gn_csum_ip20(ip));
}

static GN_NOINLINE bool udp_sums_ok(const uint8_t *ip, uint32_t len, uint32_t flags)
{
    uint16_t csum;
    memcpy(&csum, ip + GN_IP_LEN + 6, sizeof csum);
    return ip_sum_ok(ip, flags) && ((flags & GN_NET_IN_L4_CSUM_OK) != 0 || csum == 0 || l4_sum_ok(ip, len));
}

/* Both checksums of an ACK without data: 20 bytes of IPv4, 32 of TCP, and the addresses, which lie in one word. */
static GN_NOINLINE bool ack_sums_ok(const uint8_t *ip)
{
    uint64_t low =
        gn_v4_sum(gn_v4_halves(gn_v4_load(ip + GN_IP_LEN))) + (GN_IP_PROTO_TCP << 8) + (sizeof(gn_v4u64) << 8);
    uint64_t tcp = gn_csum_word(low, ip + 12);
    uint64_t head = gn_csum_word(gn_csum_word(0, ip), ip + 8);
    uint32_t dst;
    memcpy(&dst, ip + 16, sizeof dst);
    head = (head & 0xffffffffu) + (head >> 32) + dst;
    return gn_csum_sound(head) && gn_csum_sound(tcp);
}
static_assert(sizeof(gn_v4u64) == GN_TCP_FAST_HEADER && GN_TCP_FAST_HEADER < 256, "one load, one byte of length");

static GN_NOINLINE bool tcp_sums_ok(const uint8_t *ip, uint32_t total, uint32_t flags)
{
    return ip_sum_ok(ip, flags) && ((flags & GN_NET_IN_L4_CSUM_OK) != 0 || l4_sum_ok(ip, total - GN_IP_LEN));
}

/* Of a frame's first 32 bytes source MAC, TOS, length, identification, DF and header checksum may be any; of a segment
 * also the TTL and what is left of the addresses, which TCP compares. */
#define ETH_MASK      0x0000ffffffffffffull, 0x00ffffff00000000ull
#define DATAGRAM_MASK 0xffffffbf00000000ull, 0xffffffffffff0000ull
#define SEGMENT_MASK  0xff00ffbf00000000ull, 0xffff000000000000ull

static inline bool untagged(const struct gn_net *net, uint32_t flags)
{
    return net->conf.vlan_id == 0 || (flags & GN_NET_IN_VLAN_STRIPPED) != 0;
}

/* A datagram of a flow that was looked at before, whose lengths are right; false for all others. */
static inline bool plain_udp(struct gn_net *net, const uint8_t *frame, uint32_t len, uint32_t flags,
                             struct gn_net_rx *out)
{
    const uint8_t *ip = frame + GN_ETH_LEN;
    uint32_t total = gn_load_be16(ip + 2);
    uint32_t bytes = gn_load_be16(ip + GN_IP_LEN + 4);
    uint64_t key;
    memcpy(&key, ip + 16, sizeof key);
    const struct gn_net_flow *f = flow_at(net, key);
    if (GN_UNLIKELY(f->key != key || bytes < GN_UDP_LEN || bytes + GN_IP_LEN > total || total > len - GN_ETH_LEN ||
                    !gn_same32(frame, f->head, (gn_v2u64){ETH_MASK}, (gn_v2u64){DATAGRAM_MASK}) ||
                    !untagged(net, flags)))
        return false;
    static_assert(offsetof(struct gn_net_rx, payload) == 32, "all but the payload is two stores");
    net->rx_udp++;
    gn_v2_store(out, gn_v2_load(&f->rx));
    gn_v2_store((uint8_t *)out + 16, gn_v2_load((const uint8_t *)&f->rx + 16));
    out->len = bytes - GN_UDP_LEN;
    out->payload = ip + GN_IP_LEN + GN_UDP_LEN;
    return true;
}

/* A segment to us, whole, with room for timestamps, whose checksums are right; false for all others. */
static inline bool plain_tcp(const struct gn_net *net, const uint8_t *frame, uint32_t len, uint32_t flags)
{
    const uint8_t *ip = frame + GN_ETH_LEN;
    uint32_t total = gn_load_be16(ip + 2);
    if (GN_UNLIKELY(total < GN_IP_LEN + GN_TCP_FAST_HEADER || total > len - GN_ETH_LEN || ip[8] == 0 ||
                    !gn_same32(frame, net->unicast_head, (gn_v2u64){ETH_MASK}, (gn_v2u64){SEGMENT_MASK}) ||
                    !untagged(net, flags)))
        return false;
    const uint32_t known = flags & HEAD_OK;
    if (known == 0 && total == GN_IP_LEN + GN_TCP_FAST_HEADER)
        return ack_sums_ok(ip);
    return GN_LIKELY(known == HEAD_OK) || tcp_sums_ok(ip, total, flags);
}

/* Functions of their own with the arguments of gn_net_input, so that a datagram's way there calls nothing and saves no
 * registers. */
static GN_NOINLINE int input_tcp(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, uint32_t len,
                                 uint32_t flags, uint64_t now_ns, struct gn_txq *txq, struct gn_net_rx *out)
{
    if (GN_LIKELY(tcp != NULL && plain_tcp(net, frame, len, flags))) {
        int kind = gn_tcp_expected(tcp, net, frame + GN_ETH_LEN, now_ns, txq, out);
        if (GN_LIKELY(kind >= 0)) {
            net->rx_tcp++;
            return kind;
        }
    }
    return input_any(net, tcp, frame, len, flags, now_ns, txq, out);
}

static GN_NOINLINE int input_udp_sums(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, uint32_t len,
                                      uint32_t flags, uint64_t now_ns, struct gn_txq *txq, struct gn_net_rx *out)
{
    const uint8_t *ip = frame + GN_ETH_LEN;
    uint32_t bytes = gn_load_be16(ip + GN_IP_LEN + 4);
    if (GN_LIKELY(bytes <= len - GN_ETH_LEN - GN_IP_LEN && udp_sums_ok(ip, bytes, flags) &&
                  plain_udp(net, frame, len, flags, out)))
        return GN_NET_RX_UDP;
    return input_any(net, tcp, frame, len, flags, now_ns, txq, out);
}

GN_HOT int gn_net_input(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, uint32_t len, uint32_t flags,
                        uint64_t now_ns, struct gn_txq *txq, struct gn_net_rx *out)
{
    (void)gn_net_clock(net, now_ns);
    net->rx_frames++;
    net->rx_bytes += len;
    if (GN_UNLIKELY(len < GN_ETH_LEN + GN_IP_LEN + GN_UDP_LEN || len > GN_FRAME_ROOM))
        return input_any(net, tcp, frame, len, flags, now_ns, txq, out);
    if (frame[GN_ETH_LEN + 9] != GN_IP_PROTO_UDP)
        return input_tcp(net, tcp, frame, len, flags, now_ns, txq, out);
    if (GN_UNLIKELY((flags & HEAD_OK) != HEAD_OK))
        return input_udp_sums(net, tcp, frame, len, flags, now_ns, txq, out);
    if (GN_LIKELY(plain_udp(net, frame, len, flags, out)))
        return GN_NET_RX_UDP;
    return input_any(net, tcp, frame, len, flags, now_ns, txq, out);
}
