#include "dataplane/net/net_internal.h"

GN_HOT int gn_udp_input(struct gn_net *net, const struct gn_ip_in *in, struct gn_net_rx *out)
{
    const uint8_t *p = in->l4;
    if (GN_UNLIKELY(in->l4_len < GN_UDP_LEN))
        return gn_net_dropped(net, out, GN_NET_DROP_UDP_BAD);
    uint32_t len = gn_load_be16(p + 4);
    out->src_port = gn_load_be16(p);
    out->dst_port = gn_load_be16(p + 2);
    if (GN_UNLIKELY(len < GN_UDP_LEN || len > in->l4_len || out->dst_port == 0))
        return gn_net_dropped(net, out, GN_NET_DROP_UDP_BAD);
    uint16_t csum;
    memcpy(&csum, p + 6, sizeof csum);
    if ((in->flags & GN_NET_IN_L4_CSUM_OK) == 0 && csum != 0) {
        uint64_t sum = gn_csum_pseudo(in->src, in->dst, GN_IP_PROTO_UDP, len);
        if (GN_UNLIKELY(gn_csum_fold(gn_csum_add(sum, p, len)) != 0xffff))
            return gn_net_dropped(net, out, GN_NET_DROP_UDP_CSUM);
    }
    net->rx_udp++;
    out->payload = p + GN_UDP_LEN;
    out->len = len - GN_UDP_LEN;
    out->kind = GN_NET_RX_UDP;
    return GN_NET_RX_UDP;
}

int gn_udp_prepare(struct gn_net *net, uint32_t dst_ip, uint16_t src_port, uint16_t dst_port, uint64_t now_ns,
                   struct gn_txq *txq, uint8_t **payload, uint32_t *room)
{
    uint64_t mac = 0;
    if (dst_port == 0)
        return GN_NET_ERR_ARG;
    int err = gn_net_next_hop(net, dst_ip, gn_net_clock(net, now_ns), txq, &mac);
    if (GN_UNLIKELY(err != GN_NET_OK))
        return err;
    uint8_t *frame = gn_txq_take(txq);
    if (GN_UNLIKELY(frame == NULL))
        return GN_NET_ERR_TXQ_FULL;
    uint8_t ttl = gn_ip_is_multicast(dst_ip) ? net->conf.multicast_ttl : net->conf.ttl;
    uint8_t *p = gn_ip_write(net, frame, mac, GN_IP_PROTO_UDP, ttl, dst_ip, 0);
    gn_store_be16(p, src_port);
    gn_store_be16(p + 2, dst_port);
    *payload = p + GN_UDP_LEN;
    *room = net->conf.mtu - GN_IP_LEN - GN_UDP_LEN;
    return GN_NET_OK;
}

int gn_udp_commit(struct gn_net *net, uint32_t len, struct gn_txq *txq)
{
    if (len > net->conf.mtu - GN_IP_LEN - GN_UDP_LEN)
        return GN_NET_ERR_TOO_LONG;
    uint8_t *frame = txq->buf[txq->n];
    uint8_t *ip = frame + gn_net_eth_len(net);
    uint8_t *p = ip + GN_IP_LEN;
    uint32_t total = GN_UDP_LEN + len;
    gn_store_be16(ip + 2, (uint16_t)(GN_IP_LEN + total));
    gn_store_be16(ip + 10, 0);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, GN_IP_LEN)));
    gn_store_be16(p + 4, (uint16_t)total);
    gn_store_be16(p + 6, 0);
    uint64_t sum = gn_csum_pseudo(net->conf.ip, gn_load_be32(ip + 16), GN_IP_PROTO_UDP, total);
    uint16_t csum = gn_csum_finish(gn_csum_add(sum, p, total));
    gn_csum_store(p + 6, csum == 0 ? 0xffff : csum); /* 0 would say that there is none */
    gn_txq_commit(txq, (uint16_t)(gn_net_eth_len(net) + GN_IP_LEN + total));
    net->tx_udp++;
    return GN_NET_OK;
}

int gn_udp_send(struct gn_net *net, uint32_t dst_ip, uint16_t src_port, uint16_t dst_port, const void *payload,
                uint32_t len, uint64_t now_ns, struct gn_txq *txq)
{
    uint8_t *p;
    uint32_t room;
    if (len > net->conf.mtu - GN_IP_LEN - GN_UDP_LEN)
        return GN_NET_ERR_TOO_LONG;
    int err = gn_udp_prepare(net, dst_ip, src_port, dst_port, now_ns, txq, &p, &room);
    if (err != GN_NET_OK)
        return err;
    if (len != 0)
        memcpy(p, payload, len);
    return gn_udp_commit(net, len, txq);
}
