/* What the files of dataplane/net share and nobody else includes: the parsed IPv4 packet, the internal clock, and one
 * function per protocol.
 */
#ifndef GN_NET_NET_INTERNAL_H
#define GN_NET_NET_INTERNAL_H

#include "dataplane/net/net.h"
#include "dataplane/net/wire.h"

#define GN_NS_PER_MS 1000000ull
#define GN_NS_PER_S  1000000000ull

/* Orders the stores around it for a process that may die between them: the compiler keeps program order, and what the
 * processor has not written back yet is not lost with the process. */
#define GN_STORE_ORDER() atomic_signal_fence(memory_order_seq_cst)

/* An IPv4 packet whose header was checked. */
struct gn_ip_in {
    const uint8_t *ip; /* header */
    const uint8_t *l4; /* what follows it: l4_len bytes */
    uint32_t l4_len;
    uint32_t src, dst; /* host order */
    uint32_t flags;    /* GN_NET_IN_* */
    uint8_t proto, ttl;
    bool multicast;  /* dst is a group */
    uint64_t now_ns; /* the caller's */
};

/* gn_net_clock: the internal time of the caller's now_ns: it never goes back. */
static inline uint64_t gn_net_clock(struct gn_net *net, uint64_t now_ns)
{
    uint64_t t = now_ns + net->skew_ns;
    if (GN_UNLIKELY((int64_t)(t - net->now_ns) < 0)) {
        t = net->now_ns;
        net->skew_ns = t - now_ns;
    }
    net->now_ns = t;
    return t;
}

static inline uint32_t gn_net_mask(const struct gn_net *net)
{
    return (uint32_t)(0xffffffffull << (32 - net->conf.prefix_bits));
}

static inline bool gn_net_on_link(const struct gn_net *net, uint32_t ip)
{
    return ((ip ^ net->conf.ip) & gn_net_mask(net)) == 0;
}

/* gn_net_is_broadcast: limited broadcast, or the subnet's where the prefix is short enough to have one. */
static inline bool gn_net_is_broadcast(const struct gn_net *net, uint32_t ip)
{
    return ip == 0xffffffffu ||
           (net->conf.prefix_bits < 31 && gn_net_on_link(net, ip) && (ip | gn_net_mask(net)) == 0xffffffffu);
}

static inline uint32_t gn_net_eth_len(const struct gn_net *net)
{
    return net->conf.vlan_id == 0 ? GN_ETH_LEN : GN_ETH_LEN + GN_ETH_VLAN_LEN;
}

static inline void gn_net_due(struct gn_net *net, uint64_t at_ns)
{
    if (at_ns < net->next_ns)
        net->next_ns = at_ns;
}

static inline int gn_net_dropped(struct gn_net *net, struct gn_net_rx *out, uint16_t reason)
{
    net->drops[reason]++;
    out->kind = GN_NET_RX_DROP;
    out->reason = reason;
    return GN_NET_RX_DROP;
}

static inline int gn_net_handled(struct gn_net_rx *out)
{
    out->kind = GN_NET_RX_HANDLED;
    return GN_NET_RX_HANDLED;
}

/* gn_net_forget: what was found acceptable is looked at anew: memberships changed. */
static inline void gn_net_forget(struct gn_net *net)
{
    memset(net->accept, 0, sizeof net->accept);
    memset(net->flow, 0, sizeof net->flow);
}

/* gn_net_rand: the next of a seeded sequence (splitmix64). */
uint64_t gn_net_rand(struct gn_net *net);

/* gn_eth_write: Ethernet header with our source and, if configured, VLAN tag; returns what follows it. */
uint8_t *gn_eth_write(const struct gn_net *net, uint8_t *frame, uint64_t mac48, uint16_t type);

/* gn_ip_write: Ethernet and a 20-byte IPv4 header (DF, checksum) for len bytes of payload; returns where they go. */
uint8_t *gn_ip_write(const struct gn_net *net, uint8_t *frame, uint64_t mac48, uint8_t proto, uint8_t ttl, uint32_t dst,
                     uint32_t len);

/* gn_net_next_hop: the MAC towards ip as gn_net_resolve has it. */
int gn_net_next_hop(struct gn_net *net, uint32_t ip, uint64_t now, struct gn_txq *txq, uint64_t *mac48) GN_MUST_CHECK;

/* gn_net_source_ok: an address that a unicast packet may come from. */
bool gn_net_source_ok(const struct gn_net *net, uint32_t src);

int gn_arp_input(struct gn_net *net, const uint8_t *p, uint32_t len, uint64_t now, struct gn_txq *txq,
                 struct gn_net_rx *out);
void gn_arp_timer(struct gn_net *net, uint64_t now, struct gn_txq *txq);
bool gn_arp_announce(struct gn_net *net, struct gn_txq *txq);

int gn_icmp_input(struct gn_net *net, struct gn_tcp *tcp, const struct gn_ip_in *in, uint64_t now, struct gn_txq *txq,
                  struct gn_net_rx *out);

int gn_igmp_input(struct gn_net *net, const struct gn_ip_in *in, uint64_t now, struct gn_net_rx *out);
void gn_igmp_timer(struct gn_net *net, uint64_t now, struct gn_txq *txq);
bool gn_igmp_accepts(struct gn_net *net, uint32_t group, uint32_t src);
void gn_igmp_rejoin(struct gn_net *net, uint64_t now);

int gn_udp_input(struct gn_net *net, const struct gn_ip_in *in, struct gn_net_rx *out);

/* gn_tcp_input: a TCP segment; counts and fills out like gn_net_input. */
int gn_tcp_input(struct gn_tcp *tcp, struct gn_net *net, const struct gn_ip_in *in, struct gn_txq *txq,
                 struct gn_net_rx *out);

/* What ICMP says of a segment of ours that it quotes. */
struct gn_icmp_quote {
    uint32_t remote_ip;
    uint16_t local_port, remote_port;
    uint32_t seq;
    uint32_t mtu;       /* next hop's, 0 = not a fragmentation message */
    uint32_t total_len; /* of the quoted packet */
};

/* gn_tcp_icmp: true when the quote matches a segment in flight (RFC 5927 section 4); path MTU is taken, the rest is
 * soft. */
bool gn_tcp_icmp(struct gn_tcp *tcp, struct gn_net *net, const struct gn_icmp_quote *q, uint64_t now_ns,
                 struct gn_txq *txq);

#endif
