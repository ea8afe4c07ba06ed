#include "dataplane/net/net_internal.h"

#define STATE_SHIFT   48
#define PENDING_TRIES 5u

static uint64_t state_of(const struct gn_net_arp *e)
{
    return e->mac_state >> STATE_SHIFT;
}

static uint64_t make_state(uint64_t mac48, uint64_t state)
{
    return mac48 | (state << STATE_SHIFT);
}

static struct gn_net_arp *find(struct gn_net *net, uint32_t ip)
{
    uint32_t at = (ip * 2654435761u) >> 25;
    for (uint32_t i = 0; i < GN_NET_ARP_MAX; i++) {
        struct gn_net_arp *e = &net->arp[(at + i) % GN_NET_ARP_MAX];
        if (e->ip == ip && e->mac_state != 0)
            return e;
    }
    return NULL;
}

/* How readily an entry gives way to a new one: 0 = never. What was only overheard goes before what we talk to. */
static uint32_t dispensable(const struct gn_net_arp *e)
{
    switch (state_of(e)) {
    case GN_NET_ARP_FREE:
        return 4;
    case GN_NET_ARP_VALID:
        return e->used_ns == 0 ? 3 : 1;
    case GN_NET_ARP_PENDING:
        return 2;
    default:
        return 0;
    }
}

/* A free entry for ip, at or after its hash; evicts one at least as dispensable as `least`, the longest unheard. */
static struct gn_net_arp *place(struct gn_net *net, uint32_t ip, uint32_t least)
{
    uint32_t at = (ip * 2654435761u) >> 25;
    struct gn_net_arp *best = NULL;
    uint32_t best_rank = least == 0 ? 0 : least - 1;
    for (uint32_t i = 0; i < GN_NET_ARP_MAX; i++) {
        struct gn_net_arp *e = &net->arp[(at + i) % GN_NET_ARP_MAX];
        uint32_t rank = dispensable(e);
        if (rank > best_rank || (best != NULL && rank == best_rank && rank != 4 && e->heard_ns < best->heard_ns)) {
            best = e;
            best_rank = rank;
        }
    }
    if (best == NULL)
        return NULL;
    best->mac_state = 0;
    GN_STORE_ORDER();
    memset(best, 0, sizeof *best);
    best->ip = ip;
    net->arp_gen++;
    return best;
}

static void set_valid(struct gn_net *net, struct gn_net_arp *e, uint64_t mac48, uint64_t now)
{
    uint64_t state = make_state(mac48, GN_NET_ARP_VALID);
    e->heard_ns = now;
    e->tries = 0;
    if (e->mac_state != state) {
        GN_STORE_ORDER();
        e->mac_state = state;
        net->arp_gen++;
    }
    gn_net_due(net, now + net->conf.arp_refresh_ms * GN_NS_PER_MS);
}

static bool send_arp(struct gn_net *net, struct gn_txq *txq, uint16_t op, uint64_t eth_dst, uint32_t sender_ip,
                     uint64_t target_mac, uint32_t target_ip)
{
    uint8_t *frame = gn_txq_take(txq);
    if (frame == NULL)
        return false;
    uint8_t *p = gn_eth_write(net, frame, eth_dst, GN_ETH_TYPE_ARP);
    gn_store_be16(p, 1);
    gn_store_be16(p + 2, GN_ETH_TYPE_IPV4);
    p[4] = 6;
    p[5] = 4;
    gn_store_be16(p + 6, op);
    memcpy(p + 8, net->conf.mac, 6);
    gn_store_be32(p + 14, sender_ip);
    gn_mac48_store(p + 18, target_mac);
    gn_store_be32(p + 24, target_ip);
    uint32_t len = gn_net_eth_len(net) + GN_ARP_LEN;
    if (len < 60) { /* the shortest Ethernet frame, without its check sequence */
        memset(frame + len, 0, 60 - len);
        len = 60;
    }
    gn_txq_commit(txq, (uint16_t)len);
    net->tx_arp++;
    return true;
}

bool gn_arp_announce(struct gn_net *net, struct gn_txq *txq)
{
    /* RFC 5227 section 2.3: a request with sender and target address ours. */
    return send_arp(net, txq, GN_ARP_REQUEST, GN_MAC48_BROADCAST, net->conf.ip, 0, net->conf.ip);
}

static void ask(struct gn_net *net, struct gn_net_arp *e, uint64_t eth_dst, uint64_t now, struct gn_txq *txq)
{
    if (send_arp(net, txq, GN_ARP_REQUEST, eth_dst, net->conf.ip, 0, e->ip)) {
        e->asked_ns = now;
        e->tries++;
    }
}

/* Someone else claims our address: defend it, at most once in 10 s (RFC 5227 section 2.4 b). */
static int conflict(struct gn_net *net, uint64_t now, struct gn_txq *txq, struct gn_net_rx *out)
{
    if (now >= net->defend_ns && gn_arp_announce(net, txq))
        net->defend_ns = now + 10 * GN_NS_PER_S;
    return gn_net_dropped(net, out, GN_NET_DROP_ARP_CONFLICT);
}

int gn_arp_input(struct gn_net *net, const uint8_t *p, uint32_t len, uint64_t now, struct gn_txq *txq,
                 struct gn_net_rx *out)
{
    if (len < GN_ARP_LEN || gn_load_be16(p) != 1 || gn_load_be16(p + 2) != GN_ETH_TYPE_IPV4 || p[4] != 6 || p[5] != 4)
        return gn_net_dropped(net, out, GN_NET_DROP_ARP_BAD);
    uint16_t op = gn_load_be16(p + 6);
    uint64_t mac = gn_mac48(p + 8);
    uint32_t sender = gn_load_be32(p + 14);
    uint32_t target = gn_load_be32(p + 24);
    bool ours = mac == gn_mac48(net->conf.mac);
    if ((op != GN_ARP_REQUEST && op != GN_ARP_REPLY) || mac == 0 || (p[8] & 1) != 0)
        return gn_net_dropped(net, out, GN_NET_DROP_ARP_BAD);
    if (sender == net->conf.ip)
        return ours ? gn_net_dropped(net, out, GN_NET_DROP_ARP_NOT_US) : conflict(net, now, txq, out);
    if (sender != 0 && (!gn_net_on_link(net, sender) || !gn_net_source_ok(net, sender)))
        return gn_net_dropped(net, out, GN_NET_DROP_ARP_BAD);

    /* RFC 826: what is known is updated by any packet of the sender; only a request for us makes it known. */
    struct gn_net_arp *e = sender == 0 ? NULL : find(net, sender);
    if (e != NULL && state_of(e) == GN_NET_ARP_STATIC && e->mac_state != make_state(mac, GN_NET_ARP_STATIC))
        return gn_net_dropped(net, out, GN_NET_DROP_ARP_STATIC);
    if (e == NULL && sender != 0 && op == GN_ARP_REQUEST && target == net->conf.ip)
        e = place(net, sender, 3);
    if (e != NULL && state_of(e) != GN_NET_ARP_STATIC)
        set_valid(net, e, mac, now);
    if (target != net->conf.ip)
        return e != NULL ? gn_net_handled(out) : gn_net_dropped(net, out, GN_NET_DROP_ARP_NOT_US);
    if (op == GN_ARP_REQUEST && !send_arp(net, txq, GN_ARP_REPLY, mac, net->conf.ip, mac, sender))
        return gn_net_dropped(net, out, GN_NET_DROP_TX_FULL);
    return gn_net_handled(out);
}

static int unknown(struct gn_net *net, struct gn_net_arp *e, uint32_t hop, uint64_t now, struct gn_txq *txq)
{
    if (e == NULL) {
        e = place(net, hop, 1);
        if (e == NULL)
            return GN_NET_ERR_FULL;
        e->heard_ns = now;
        GN_STORE_ORDER();
        e->mac_state = make_state(0, GN_NET_ARP_PENDING);
    }
    e->used_ns = now;
    if (e->tries == 0 || now - e->asked_ns >= net->conf.arp_retry_ms * GN_NS_PER_MS)
        ask(net, e, GN_MAC48_BROADCAST, now, txq);
    gn_net_due(net, now + net->conf.arp_retry_ms * GN_NS_PER_MS);
    return GN_NET_ERR_NO_ARP;
}

int gn_net_next_hop(struct gn_net *net, uint32_t ip, uint64_t now, struct gn_txq *txq, uint64_t *mac48)
{
    if (gn_ip_is_multicast(ip)) {
        *mac48 = gn_mac48_of_group(ip);
        return GN_NET_OK;
    }
    if (gn_net_is_broadcast(net, ip)) {
        *mac48 = GN_MAC48_BROADCAST;
        return GN_NET_OK;
    }
    uint32_t hop = gn_net_on_link(net, ip) ? ip : net->conf.gateway;
    if (hop == 0)
        return GN_NET_ERR_NO_ROUTE;
    if (ip == 0 || hop == net->conf.ip)
        return GN_NET_ERR_ARG;
    struct gn_net_arp *e = find(net, hop);
    if (GN_UNLIKELY(e == NULL || state_of(e) == GN_NET_ARP_PENDING))
        return unknown(net, e, hop, now, txq);
    e->used_ns = now;
    *mac48 = e->mac_state & GN_MAC48_BROADCAST;
    return GN_NET_OK;
}

int gn_net_resolve(struct gn_net *net, uint32_t ip, uint64_t now_ns, struct gn_txq *txq, uint8_t mac[6])
{
    uint64_t mac48 = 0;
    int err = gn_net_next_hop(net, ip, gn_net_clock(net, now_ns), txq, &mac48);
    if (err == GN_NET_OK)
        gn_mac48_store(mac, mac48);
    return err;
}

int gn_net_add_static(struct gn_net *net, uint32_t ip, const uint8_t mac[6])
{
    if (ip == 0 || ip == net->conf.ip || gn_ip_is_multicast(ip) || (mac[0] & 1) != 0 || gn_mac48(mac) == 0)
        return GN_NET_ERR_ARG;
    struct gn_net_arp *e = find(net, ip);
    if (e == NULL)
        e = place(net, ip, 1);
    if (e == NULL)
        return GN_NET_ERR_FULL;
    GN_STORE_ORDER();
    e->mac_state = make_state(gn_mac48(mac), GN_NET_ARP_STATIC);
    net->arp_gen++;
    return GN_NET_OK;
}

static void forget(struct gn_net *net, struct gn_net_arp *e)
{
    e->mac_state = 0;
    net->arp_gen++;
}

/* Asks again: for a pending neighbour by broadcast, a few times; for one in use that grows old directly. */
static void entry_timer(struct gn_net *net, struct gn_net_arp *e, uint64_t now, struct gn_txq *txq)
{
    uint64_t state = state_of(e);
    uint64_t retry_ns = net->conf.arp_retry_ms * GN_NS_PER_MS;
    uint64_t refresh_ns = net->conf.arp_refresh_ms * GN_NS_PER_MS;
    uint64_t expire_at = e->heard_ns + net->conf.arp_expire_ms * GN_NS_PER_MS;
    if (state == GN_NET_ARP_FREE || state == GN_NET_ARP_STATIC)
        return;
    if (now >= expire_at) {
        forget(net, e);
        return;
    }
    bool pending = state == GN_NET_ARP_PENDING;
    bool wants = pending ? e->tries < PENDING_TRIES : e->used_ns != 0;
    uint64_t at = e->asked_ns + retry_ns;
    if (!pending && at < e->heard_ns + refresh_ns)
        at = e->heard_ns + refresh_ns;
    if (wants && now >= at) {
        ask(net, e, pending ? GN_MAC48_BROADCAST : e->mac_state & GN_MAC48_BROADCAST, now, txq);
        at = now + retry_ns;
    }
    gn_net_due(net, wants && at < expire_at ? at : expire_at);
}

void gn_arp_timer(struct gn_net *net, uint64_t now, struct gn_txq *txq)
{
    for (uint32_t i = 0; i < GN_NET_ARP_MAX; i++)
        entry_timer(net, &net->arp[i], now, txq);
}
