/* The last steps of every ordinary segment, inlined where they are needed: route known, header patched. */
#ifndef GN_NET_TCP_SEAL_H
#define GN_NET_TCP_SEAL_H

#include "dataplane/net/tcp_conn.h"

/* gn_tcp_route: the template's MAC is right under net->arp_gen, or a negative gn_tcp_err. */
static inline int gn_tcp_route(struct gn_net *net, struct gn_tcp_conn *c, struct gn_txq *txq)
{
    return GN_LIKELY(c->arp_gen == net->arp_gen) ? GN_TCP_OK : gn_tcp_route_anew(net, c, txq);
}

/* gn_tcp_window_field: the window as it goes on the wire, never scaled in a SYN. */
static inline uint16_t gn_tcp_window_field(const struct gn_tcp_conn *c, bool syn)
{
    uint64_t wnd = c->rcv_adv > c->rcv_nxt ? c->rcv_adv - c->rcv_nxt : 0;
    wnd >>= syn ? 0 : c->rcv_wscale;
    return (uint16_t)(wnd > 0xffff ? 0xffff : wnd);
}

/* gn_tcp_seal: patches the template that lies at frame for len payload bytes that are in place and sum up to data_sum.
 */
static inline void gn_tcp_seal(struct gn_tcp_conn *c, uint8_t *frame, uint64_t seq, uint8_t flags, uint32_t len,
                               uint64_t data_sum, uint64_t now)
{
    /* All that is read of the connection comes first: a store through a byte pointer might change it. */
    const uint32_t eth_len = c->eth_len;
    const uint32_t total = c->hdr_len - eth_len + len;
    const uint64_t ip_sum = c->ip_sum;
    uint64_t sum = c->tcp_sum + data_sum + ((uint64_t)flags << 8) + __builtin_bswap16((uint16_t)(total - GN_IP_LEN));
    const bool stamps = c->ts_on != 0;
    const uint32_t val_be = __builtin_bswap32(gn_tcp_ts_now(c, now));
    const uint32_t ecr_be = __builtin_bswap32(c->ts_recent);
    const uint32_t seq_be = __builtin_bswap32(c->iss + (uint32_t)seq);
    const uint32_t ack_be = __builtin_bswap32(c->irs + (uint32_t)c->rcv_nxt);
    const uint16_t wnd_be = __builtin_bswap16(gn_tcp_window_field(c, false));
    uint8_t *ip = frame + eth_len;
    uint8_t *tcp = ip + GN_IP_LEN;
    uint16_t total_be = __builtin_bswap16((uint16_t)total);
    memcpy(ip + 2, &total_be, 2);
    gn_csum_store(ip + 10, (uint16_t) ~((ip_sum + total_be) + ((ip_sum + total_be) >> 16)));
    memcpy(tcp + 4, &seq_be, 4);
    memcpy(tcp + 8, &ack_be, 4);
    tcp[13] = flags;
    memcpy(tcp + 14, &wnd_be, 2);
    sum += (uint64_t)seq_be + ack_be + wnd_be;
    if (GN_LIKELY(stamps)) {
        memcpy(tcp + GN_TCP_LEN + 4, &val_be, 4);
        memcpy(tcp + GN_TCP_LEN + 8, &ecr_be, 4);
        sum += (uint64_t)val_be + ecr_be;
    }
    gn_csum_store(tcp + 16, gn_csum_finish(sum));
}

#endif
