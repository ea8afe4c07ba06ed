#include "dataplane/net/net.h"

#include "dataplane/net/net_internal.h"

#define ANNOUNCES 2u

const char *gn_net_strerror(int err)
{
    switch (err) {
    case GN_NET_OK:
        return "ok";
    case GN_NET_ERR_NO_ARP:
        return "neighbour's MAC not known yet";
    case GN_NET_ERR_TXQ_FULL:
        return "no empty frame to send with";
    case GN_NET_ERR_TOO_LONG:
        return "payload does not fit the MTU";
    case GN_NET_ERR_FULL:
        return "neighbour or group table full";
    case GN_NET_ERR_ARG:
        return "argument outside its limits";
    case GN_NET_ERR_MAGIC:
        return "no endpoint of this layout at this address";
    case GN_NET_ERR_CORRUPT:
        return "endpoint has fields outside their limits";
    case GN_NET_ERR_NO_ROUTE:
        return "address is not on the link and there is no gateway";
    case GN_NET_ERR_UNKNOWN:
        return "no such group or neighbour";
    default:
        return "unknown network error";
    }
}

const char *gn_net_drop_name(uint32_t reason)
{
    static const char *const names[] = {
#define GN_X(NAME, name, help) name,
        GN_NET_DROPS(GN_X)
#undef GN_X
    };
    return reason < GN_ARRAY_LEN(names) ? names[reason] : "unknown";
}

const char *gn_net_drop_help(uint32_t reason)
{
    static const char *const helps[] = {
#define GN_X(NAME, name, help) help,
        GN_NET_DROPS(GN_X)
#undef GN_X
    };
    return reason < GN_ARRAY_LEN(helps) ? helps[reason] : "unknown";
}

void gn_net_conf_default(struct gn_net_conf *conf)
{
    memset(conf, 0, sizeof *conf);
    conf->mtu = GN_NET_MTU_MAX;
    conf->prefix_bits = 24;
    conf->ttl = 64;
    conf->multicast_ttl = 16;
    conf->arp_retry_ms = 1000;
    conf->arp_refresh_ms = 30000;
    conf->arp_expire_ms = 90000;
    conf->igmp_refresh_ms = 60000;
    conf->icmp_per_s = 100;
}

int gn_net_conf_check(const struct gn_net_conf *c, const char **field)
{
    uint32_t top = c->ip >> 24;
    bool zero_mac = gn_mac48(c->mac) == 0;
    if (zero_mac || (c->mac[0] & 1) != 0)
        *field = "mac";
    else if (c->mtu < GN_NET_MTU_MIN || c->mtu > GN_NET_MTU_MAX)
        *field = "mtu";
    else if (top == 0 || top == 127 || top >= 224)
        *field = "ip";
    else if (c->prefix_bits < 1 || c->prefix_bits > 32)
        *field = "prefix_bits";
    else if (c->gateway == c->ip)
        *field = "gateway";
    else if (c->ttl == 0)
        *field = "ttl";
    else if (c->multicast_ttl == 0)
        *field = "multicast_ttl";
    else if (c->vlan_id > GN_NET_VLAN_MAX)
        *field = "vlan_id";
    else if (c->arp_retry_ms < 10 || c->arp_retry_ms > 60000)
        *field = "arp_retry_ms";
    else if (c->arp_refresh_ms < 100 || c->arp_refresh_ms > 86400000)
        *field = "arp_refresh_ms";
    else if (c->arp_expire_ms <= c->arp_refresh_ms)
        *field = "arp_expire_ms";
    else
        return GN_NET_OK;
    return GN_NET_ERR_ARG;
}

uint64_t gn_net_footprint(void)
{
    return gn_align_up(sizeof(struct gn_net), GN_GUARD);
}

/* What gn_net_input compares: see plain_tcp there. */
static void unicast_head(struct gn_net *net)
{
    uint8_t *p = net->unicast_head;
    memset(p, 0, sizeof net->unicast_head);
    memcpy(p, net->conf.mac, sizeof net->conf.mac);
    gn_store_be16(p + 12, GN_ETH_TYPE_IPV4);
    p[GN_ETH_LEN] = 0x45;
    p[GN_ETH_LEN + 9] = GN_IP_PROTO_TCP;
    gn_store_be16(p + GN_ETH_LEN + 16, (uint16_t)(net->conf.ip >> 16));
}

int gn_net_new(void *mem, const struct gn_net_conf *conf, uint64_t now_ns)
{
    struct gn_net *net = mem;
    const char *field;
    int err = gn_net_conf_check(conf, &field);
    if (err != GN_NET_OK)
        return err;
    net->magic = 0;
    GN_STORE_ORDER();
    memset(net, 0, sizeof *net);
    net->bytes = sizeof *net;
    net->arp_gen = 1;
    net->conf = *conf;
    net->now_ns = now_ns;
    net->rng = conf->seed;
    net->announces = ANNOUNCES;
    net->announce_ns = now_ns;
    net->igmp_refresh_ns = GN_NET_NEVER;
    unicast_head(net);
    GN_STORE_ORDER();
    net->magic = GN_NET_MAGIC;
    return GN_NET_OK;
}

static bool arp_entry_ok(const struct gn_net *net, const struct gn_net_arp *e)
{
    uint64_t state = e->mac_state >> 48;
    return state <= GN_NET_ARP_STATIC && (state == GN_NET_ARP_FREE || e->ip != 0) && e->heard_ns <= net->now_ns &&
           e->asked_ns <= net->now_ns && e->used_ns <= net->now_ns;
}

int gn_net_join(void *mem, uint64_t max_bytes, uint64_t now_ns, struct gn_net **out)
{
    struct gn_net *net = mem;
    const char *field;
    if (max_bytes < sizeof *net || net->magic != GN_NET_MAGIC || net->bytes != sizeof *net)
        return GN_NET_ERR_MAGIC;
    if (gn_net_conf_check(&net->conf, &field) != GN_NET_OK)
        return GN_NET_ERR_CORRUPT;
    uint64_t now = gn_net_clock(net, now_ns);
    for (uint32_t i = 0; i < GN_NET_ARP_MAX; i++)
        if (!arp_entry_ok(net, &net->arp[i]))
            memset(&net->arp[i], 0, sizeof net->arp[i]);
    for (uint32_t i = 0; i < GN_NET_GROUP_MAX; i++)
        if (net->groups[i].group_source != 0 && !gn_ip_is_multicast((uint32_t)(net->groups[i].group_source >> 32)))
            memset(&net->groups[i], 0, sizeof net->groups[i]);
    gn_net_forget(net);
    unicast_head(net);
    net->icmp_window_ns = now;
    net->defend_ns = now;
    net->announces = ANNOUNCES;
    net->announce_ns = now;
    net->arp_gen++;
    gn_igmp_rejoin(net, now);
    net->next_ns = now;
    *out = net;
    return GN_NET_OK;
}

uint64_t gn_net_rand(struct gn_net *net)
{
    uint64_t z = (net->rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint8_t *gn_eth_write(const struct gn_net *net, uint8_t *frame, uint64_t mac48, uint16_t type)
{
    gn_mac48_store(frame, mac48);
    memcpy(frame + 6, net->conf.mac, 6);
    uint8_t *p = frame + 12;
    if (net->conf.vlan_id != 0) {
        gn_store_be16(p, GN_ETH_TYPE_VLAN);
        gn_store_be16(p + 2, net->conf.vlan_id);
        p += GN_ETH_VLAN_LEN;
    }
    gn_store_be16(p, type);
    return p + 2;
}

uint8_t *gn_ip_write(const struct gn_net *net, uint8_t *frame, uint64_t mac48, uint8_t proto, uint8_t ttl, uint32_t dst,
                     uint32_t len)
{
    uint8_t *p = gn_eth_write(net, frame, mac48, GN_ETH_TYPE_IPV4);
    p[0] = 0x45;
    p[1] = 0;
    gn_store_be16(p + 2, (uint16_t)(GN_IP_LEN + len));
    /* With DF set and never a fragment the identification has no meaning (RFC 6864 section 4.1). */
    gn_store_be16(p + 4, 0);
    gn_store_be16(p + 6, GN_IP_DF);
    p[8] = ttl;
    p[9] = proto;
    gn_store_be16(p + 10, 0);
    gn_store_be32(p + 12, net->conf.ip);
    gn_store_be32(p + 16, dst);
    gn_csum_store(p + 10, gn_csum_finish(gn_csum_add(0, p, GN_IP_LEN)));
    return p + GN_IP_LEN;
}

static void announce(struct gn_net *net, uint64_t now, struct gn_txq *txq)
{
    if (net->announces == 0 || net->announce_ns > now)
        return;
    if (!gn_arp_announce(net, txq)) {
        net->announce_ns = now + GN_NS_PER_MS;
        return;
    }
    net->announces--;
    net->announce_ns = now + 2 * GN_NS_PER_S;
}

uint64_t gn_net_timer(struct gn_net *net, uint64_t now_ns, struct gn_txq *txq)
{
    uint64_t now = gn_net_clock(net, now_ns);
    if (GN_UNLIKELY(now >= net->next_ns)) {
        net->next_ns = GN_NET_NEVER;
        announce(net, now, txq);
        if (net->announces != 0)
            gn_net_due(net, net->announce_ns);
        gn_arp_timer(net, now, txq);
        gn_igmp_timer(net, now, txq);
    }
    return net->next_ns == GN_NET_NEVER ? GN_NET_NEVER : net->next_ns - net->skew_ns;
}
