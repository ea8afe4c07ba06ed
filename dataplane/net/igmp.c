#include "dataplane/net/net_internal.h"

#define RESENDS        2u /* robustness variable, RFC 3376 section 8.1 */
#define RESEND_NS      GN_NS_PER_S
#define V2_PRESENT_NS  (260ull * GN_NS_PER_S) /* section 8.12 with the default intervals */
#define IP_WITH_ALERT  24u
#define REPORT_LEN     16u
#define REC_IS_INCLUDE 1u
#define REC_IS_EXCLUDE 2u
#define REC_TO_INCLUDE 3u
#define REC_TO_EXCLUDE 4u
#define REC_ALLOW      5u
#define REC_BLOCK      6u

static uint32_t group_of(const struct gn_net_group *g)
{
    return (uint32_t)(g->group_source >> 32);
}

static uint32_t source_of(const struct gn_net_group *g)
{
    return (uint32_t)g->group_source;
}

static struct gn_net_group *find(struct gn_net *net, uint64_t key)
{
    for (uint32_t i = 0; i < GN_NET_GROUP_MAX; i++)
        if (net->groups[i].group_source == key)
            return &net->groups[i];
    return NULL;
}

bool gn_igmp_accepts(struct gn_net *net, uint32_t group, uint32_t src)
{
    const struct gn_net_group *any = find(net, (uint64_t)group << 32);
    const struct gn_net_group *one = find(net, ((uint64_t)group << 32) | src);
    return (any != NULL && any->leaving == 0) || (one != NULL && one->leaving == 0);
}

static bool key_ok(uint32_t group, uint32_t source)
{
    /* 224.0.0.0/24 is never reported (RFC 3376 section 5) and needs no joining to be heard on a link. */
    return gn_ip_is_multicast(group) && (group & 0xffffff00u) != 0xe0000000u && !gn_ip_is_multicast(source);
}

int gn_net_join_group(struct gn_net *net, uint32_t group, uint32_t source)
{
    uint64_t key = ((uint64_t)group << 32) | source;
    if (!key_ok(group, source))
        return GN_NET_ERR_ARG;
    struct gn_net_group *g = find(net, key);
    if (g != NULL && g->leaving == 0)
        return GN_NET_OK;
    if (g == NULL)
        g = find(net, 0);
    if (g == NULL)
        return GN_NET_ERR_FULL;
    g->leaving = 0;
    g->resend = RESENDS;
    g->report_ns = net->now_ns;
    GN_STORE_ORDER();
    g->group_source = key;
    gn_net_due(net, net->now_ns);
    return GN_NET_OK;
}

int gn_net_leave_group(struct gn_net *net, uint32_t group, uint32_t source)
{
    struct gn_net_group *g = key_ok(group, source) ? find(net, ((uint64_t)group << 32) | source) : NULL;
    if (g == NULL || g->leaving != 0)
        return GN_NET_ERR_UNKNOWN;
    g->leaving = 1;
    g->resend = RESENDS;
    g->report_ns = net->now_ns;
    gn_net_forget(net);
    gn_net_due(net, net->now_ns);
    return GN_NET_OK;
}

void gn_igmp_rejoin(struct gn_net *net, uint64_t now)
{
    for (uint32_t i = 0; i < GN_NET_GROUP_MAX; i++) {
        struct gn_net_group *g = &net->groups[i];
        g->resend = g->group_source != 0 ? RESENDS : 0;
        g->report_ns = now;
        g->leaving = g->leaving != 0;
    }
    net->igmp_refresh_ns = now;
}

/* IPv4 with the router alert option (RFC 2113) and TTL 1, as RFC 3376 section 4 wants. */
static uint8_t *write_ip(const struct gn_net *net, uint8_t *frame, uint32_t dst, uint32_t len)
{
    uint8_t *l4 = gn_ip_write(net, frame, gn_mac48_of_group(dst), GN_IP_PROTO_IGMP, 1, dst, len + 4);
    uint8_t *ip = l4 - GN_IP_LEN;
    ip[0] = 0x46;
    gn_store_be32(l4, 0x94040000u);
    gn_store_be16(ip + 10, 0);
    gn_csum_store(ip + 10, gn_csum_finish(gn_csum_add(0, ip, IP_WITH_ALERT)));
    return l4 + 4;
}

static uint8_t record_type(const struct gn_net_group *g)
{
    bool any = source_of(g) == 0;
    if (g->leaving != 0)
        return any ? REC_TO_INCLUDE : REC_BLOCK;
    if (g->resend != 0)
        return any ? REC_TO_EXCLUDE : REC_ALLOW;
    return any ? REC_IS_EXCLUDE : REC_IS_INCLUDE;
}

static bool report(struct gn_net *net, const struct gn_net_group *g, uint64_t now, struct gn_txq *txq)
{
    bool v2 = now < net->igmp_v2_until_ns;
    uint32_t sources = source_of(g) != 0;
    uint32_t len = v2 ? GN_IGMP_LEN : REPORT_LEN + 4 * sources;
    uint32_t dst = !v2 ? GN_IP_IGMP3 : g->leaving != 0 ? GN_IP_ALL_ROUTERS : group_of(g);
    uint8_t *frame = gn_txq_take(txq);
    if (frame == NULL)
        return false;
    uint8_t *p = write_ip(net, frame, dst, len);
    memset(p, 0, len);
    if (v2) {
        p[0] = g->leaving != 0 ? GN_IGMP2_LEAVE : GN_IGMP2_REPORT;
        gn_store_be32(p + 4, group_of(g));
    } else {
        p[0] = GN_IGMP3_REPORT;
        gn_store_be16(p + 6, 1);
        p[8] = record_type(g);
        gn_store_be16(p + 10, (uint16_t)sources);
        gn_store_be32(p + 12, group_of(g));
        if (sources != 0)
            gn_store_be32(p + 16, source_of(g));
    }
    gn_csum_store(p + 2, gn_csum_finish(gn_csum_add(0, p, len)));
    gn_txq_commit(txq, (uint16_t)((uint32_t)(p - frame) + len));
    net->tx_igmp++;
    return true;
}

static void group_timer(struct gn_net *net, struct gn_net_group *g, uint64_t now, struct gn_txq *txq)
{
    if (g->report_ns <= now) {
        if (!report(net, g, now, txq)) {
            g->report_ns = now + GN_NS_PER_MS;
        } else {
            if (g->resend != 0)
                g->resend--;
            g->report_ns = g->resend != 0 ? now + RESEND_NS : GN_NET_NEVER;
            if (g->resend == 0 && g->leaving != 0)
                g->group_source = 0;
        }
    }
    if (g->group_source != 0)
        gn_net_due(net, g->report_ns);
}

void gn_igmp_timer(struct gn_net *net, uint64_t now, struct gn_txq *txq)
{
    uint64_t every = net->conf.igmp_refresh_ms * GN_NS_PER_MS;
    bool refresh = every != 0 && now >= net->igmp_refresh_ns;
    bool any = false;
    for (uint32_t i = 0; i < GN_NET_GROUP_MAX; i++) {
        struct gn_net_group *g = &net->groups[i];
        if (g->group_source == 0)
            continue;
        if (refresh && g->report_ns > now)
            g->report_ns = now;
        group_timer(net, g, now, txq);
        any = any || g->group_source != 0;
    }
    if (every == 0 || !any) {
        net->igmp_refresh_ns = GN_NET_NEVER;
        return;
    }
    if (refresh || net->igmp_refresh_ns == GN_NET_NEVER)
        net->igmp_refresh_ns = now + every;
    gn_net_due(net, net->igmp_refresh_ns);
}

/* RFC 3376 section 4.1.1: tenths of a second, with an exponent from 128 on. */
static uint64_t max_response_ns(uint8_t code)
{
    uint64_t tenths = code < 128 ? code : (uint64_t)((code & 15u) | 16u) << (((code >> 4) & 7u) + 3);
    return tenths * (GN_NS_PER_S / 10);
}

static bool query_names(const struct gn_net_group *g, uint32_t group, const uint8_t *sources, uint32_t count)
{
    if (group != 0 && group != group_of(g))
        return false;
    if (count == 0 || source_of(g) == 0)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (gn_load_be32(sources + 4 * (uint64_t)i) == source_of(g))
            return true;
    return false;
}

int gn_igmp_input(struct gn_net *net, const struct gn_ip_in *in, uint64_t now, struct gn_net_rx *out)
{
    const uint8_t *p = in->l4;
    if (in->l4_len < GN_IGMP_LEN || gn_csum_fold(gn_csum_add(0, p, in->l4_len)) != 0xffff)
        return gn_net_dropped(net, out, GN_NET_DROP_IGMP_BAD);
    if (p[0] != GN_IGMP_QUERY)
        return gn_net_dropped(net, out, GN_NET_DROP_IGMP_TYPE);
    bool v3 = in->l4_len >= GN_IGMP3_QUERY_LEN;
    uint32_t count = v3 ? gn_load_be16(p + 10) : 0;
    uint32_t group = gn_load_be32(p + 4);
    /* A query comes from the link: TTL 1 keeps one from farther away out. */
    if ((!v3 && in->l4_len != GN_IGMP_LEN) || in->ttl != 1 ||
        GN_IGMP3_QUERY_LEN + 4 * count > in->l4_len + (v3 ? 0 : 4))
        return gn_net_dropped(net, out, GN_NET_DROP_IGMP_BAD);
    uint64_t within = v3 || p[1] != 0 ? max_response_ns(p[1]) : 10 * GN_NS_PER_S;
    if (!v3)
        net->igmp_v2_until_ns = now + V2_PRESENT_NS;
    for (uint32_t i = 0; i < GN_NET_GROUP_MAX; i++) {
        struct gn_net_group *g = &net->groups[i];
        if (g->group_source == 0 || g->leaving != 0 || !query_names(g, group, p + GN_IGMP3_QUERY_LEN, count))
            continue;
        uint64_t at = now + (within == 0 ? 0 : gn_net_rand(net) % within);
        if (at < g->report_ns)
            g->report_ns = at;
        gn_net_due(net, g->report_ns);
    }
    return gn_net_handled(out);
}
