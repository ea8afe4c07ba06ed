#include "dataplane/net/net_internal.h"

static int echo(struct gn_net *net, const struct gn_ip_in *in, uint64_t now, struct gn_txq *txq, struct gn_net_rx *out)
{
    uint64_t mac;
    if (now - net->icmp_window_ns >= GN_NS_PER_S) {
        net->icmp_window_ns = now;
        net->icmp_in_window = 0;
    }
    if (net->icmp_in_window >= net->conf.icmp_per_s)
        return gn_net_dropped(net, out, GN_NET_DROP_ICMP_RATE);
    if (in->multicast || in->l4_len > net->conf.mtu - GN_IP_LEN)
        return gn_net_dropped(net, out, GN_NET_DROP_ICMP_TYPE);
    net->icmp_in_window++;
    if (gn_net_next_hop(net, in->src, now, txq, &mac) != GN_NET_OK)
        return gn_net_handled(out);
    uint8_t *frame = gn_txq_take(txq);
    if (frame == NULL)
        return gn_net_dropped(net, out, GN_NET_DROP_TX_FULL);
    uint8_t *p = gn_ip_write(net, frame, mac, GN_IP_PROTO_ICMP, net->conf.ttl, in->src, in->l4_len);
    memcpy(p, in->l4, in->l4_len);
    p[0] = GN_ICMP_ECHO_REPLY;
    gn_store_be16(p + 2, 0);
    gn_csum_store(p + 2, gn_csum_finish(gn_csum_add(0, p, in->l4_len)));
    gn_txq_commit(txq, (uint16_t)((uint32_t)(p - frame) + in->l4_len));
    net->tx_icmp++;
    return gn_net_handled(out);
}

/* An error quotes the packet that caused it: it counts only if that packet is one of ours in flight. */
static bool error_is_ours(struct gn_net *net, struct gn_tcp *tcp, const struct gn_ip_in *in, struct gn_txq *txq)
{
    const uint8_t *q = in->l4 + GN_ICMP_LEN;
    uint32_t len = in->l4_len - GN_ICMP_LEN;
    if (tcp == NULL || len < GN_IP_LEN)
        return false;
    uint32_t header = (q[0] & 15u) * 4u;
    if ((q[0] >> 4) != 4 || header < GN_IP_LEN || len < header + 8 || q[9] != GN_IP_PROTO_TCP)
        return false;
    if (gn_load_be32(q + 12) != net->conf.ip)
        return false;
    bool frag = in->l4[0] == GN_ICMP_UNREACHABLE && in->l4[1] == GN_ICMP_CODE_FRAG;
    struct gn_icmp_quote quote = {
        .remote_ip = gn_load_be32(q + 16),
        .local_port = gn_load_be16(q + header),
        .remote_port = gn_load_be16(q + header + 2),
        .seq = gn_load_be32(q + header + 4),
        .total_len = gn_load_be16(q + 2),
        /* A router that does not say its MTU (RFC 1191 section 5) is taken to mean the smallest that we use. */
        .mtu = !frag                           ? 0
               : gn_load_be16(in->l4 + 6) == 0 ? GN_NET_MTU_MIN
                                               : gn_load_be16(in->l4 + 6),
    };
    return gn_tcp_icmp(tcp, net, &quote, in->now_ns, txq);
}

int gn_icmp_input(struct gn_net *net, struct gn_tcp *tcp, const struct gn_ip_in *in, uint64_t now, struct gn_txq *txq,
                  struct gn_net_rx *out)
{
    if (in->l4_len < GN_ICMP_LEN || gn_csum_fold(gn_csum_add(0, in->l4, in->l4_len)) != 0xffff)
        return gn_net_dropped(net, out, GN_NET_DROP_ICMP_BAD);
    switch (in->l4[0]) {
    case GN_ICMP_ECHO:
        return echo(net, in, now, txq, out);
    case GN_ICMP_UNREACHABLE:
    case GN_ICMP_TIME:
    case GN_ICMP_PARAM:
        if (!error_is_ours(net, tcp, in, txq))
            return gn_net_dropped(net, out, GN_NET_DROP_ICMP_QUOTE);
        return gn_net_handled(out);
    default: /* source quench among them: RFC 6633 has it ignored */
        return gn_net_dropped(net, out, GN_NET_DROP_ICMP_TYPE);
    }
}
