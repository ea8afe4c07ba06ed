/* Debian's lwIP (package liblwip-dev) on the same port: its library as it is installed, its raw interface, without its
 * thread, so that nothing but the stack itself is in the way. Received frames are lent to it, sent ones are copied once
 * into a packet buffer. */
#include "bench/pingpong/pingpong.h"

/* lwIP and the C library both have a struct of this name; neither's is used here. */
#define ip6_hdr lwip_ip6_hdr
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>
#undef ip6_hdr

#define LENT_MAX        256u
#define TIMERS_EVERY_NS 1000000ull

struct lent {
    struct pbuf_custom p; /* first: lwIP gives its address back */
    struct rte_mbuf *m;
    struct lent *next;
};

static struct {
    struct gn_pp *pp;
    struct netif netif;
    struct tcp_pcb *pcb, *listener;
    struct lent lent[LENT_MAX], *free;
    uint64_t timers_ns;
    uint32_t have; /* bytes of a message that came in parts */
    uint8_t part[GN_PP_MESSAGE];
    bool up, connected, ended, failed, heard;
} s;

static void give_back(struct pbuf *p)
{
    struct lent *l = (struct lent *)(void *)p;
    rte_pktmbuf_free(l->m);
    l->next = s.free;
    s.free = l;
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(s.pp->io.pool);
    (void)netif;
    if (m == NULL)
        return ERR_MEM;
    (void)pbuf_copy_partial(p, rte_pktmbuf_mtod(m, void *), p->tot_len, 0);
    m->data_len = p->tot_len;
    m->pkt_len = p->tot_len;
    if (rte_eth_tx_burst(s.pp->io.link[0].port.id, 0, &m, 1) == 1)
        return ERR_OK;
    rte_pktmbuf_free(m);
    return ERR_BUF;
}

static err_t netif_begin(struct netif *netif)
{
    netif->name[0] = 'g';
    netif->name[1] = 'n';
    netif->output = etharp_output;
    netif->linkoutput = link_output;
    netif->mtu = 1500;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, s.pp->io.link[0].port.mac, ETH_HWADDR_LEN);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static ip4_addr_t address(uint32_t ip)
{
    return (ip4_addr_t){lwip_htonl(ip)};
}

static bool set_up(struct gn_pp *p)
{
    const struct gn_conf_port *c = &p->opt.port[0];
    const ip4_addr_t ip = address(c->ip), mask = address(~0u << (32 - c->prefix_len)), none = {0};
    gn_pp_silent(p, true);
    s.pp = p;
    s.connected = s.ended = s.failed = false;
    s.have = 0;
    s.pcb = NULL;
    if (s.up)
        return true;
    lwip_init();
    for (uint32_t i = 0; i < LENT_MAX; i++) {
        s.lent[i].p.custom_free_function = give_back;
        s.lent[i].next = s.free;
        s.free = &s.lent[i];
    }
    if (netif_add(&s.netif, &ip, &mask, &none, NULL, netif_begin, ethernet_input) == NULL)
        return gn_pp_fail(p, "netif_add");
    netif_set_default(&s.netif);
    netif_set_up(&s.netif);
    s.up = true;
    return true;
}

static bool send_message(struct tcp_pcb *pcb, const uint8_t *data)
{
    return tcp_write(pcb, data, GN_PP_MESSAGE, TCP_WRITE_FLAG_COPY) == ERR_OK && tcp_output(pcb) == ERR_OK;
}

static bool answer(struct tcp_pcb *pcb, const uint8_t *data)
{
    struct gn_pp *p = s.pp;
    if (p->server) {
        p->done++;
        return send_message(pcb, data);
    }
    return gn_pp_answer(p, data) && (p->done == p->rounds || send_message(pcb, p->message));
}

/* lwIP sends what a callback wrote, with the acknowledgement, when the callback is over. */
static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *b, err_t err)
{
    (void)arg, (void)err;
    if (b == NULL) {
        s.ended = true;
        return ERR_OK;
    }
    const uint16_t len = b->tot_len;
    if (GN_LIKELY(s.have == 0 && b->len == GN_PP_MESSAGE && b->next == NULL)) {
        s.failed |= !answer(pcb, b->payload);
    } else {
        for (uint16_t at = 0; at < len && !s.failed;) {
            const uint32_t want = GN_PP_MESSAGE - s.have;
            const uint16_t n = pbuf_copy_partial(b, s.part + s.have, (uint16_t)want, at);
            at = (uint16_t)(at + n);
            s.have = (s.have + n) % GN_PP_MESSAGE;
            s.failed |= s.have == 0 && !answer(pcb, s.part);
        }
    }
    tcp_recved(pcb, len);
    pbuf_free(b);
    return ERR_OK;
}

static void broken(void *arg, err_t err)
{
    (void)arg, (void)err;
    s.pcb = NULL;
    s.failed = !s.ended;
}

static err_t established(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    if (err != ERR_OK || pcb == NULL)
        return ERR_VAL;
    s.pcb = pcb;
    s.connected = true;
    tcp_nagle_disable(pcb);
    tcp_recv(pcb, received);
    tcp_err(pcb, broken);
    return ERR_OK;
}

static void input(struct rte_mbuf *m)
{
    struct lent *l = s.free;
    if (GN_UNLIKELY(l == NULL)) {
        rte_pktmbuf_free(m);
        return;
    }
    s.free = l->next;
    l->m = m;
    struct pbuf *b =
        pbuf_alloced_custom(PBUF_RAW, m->data_len, PBUF_REF, &l->p, rte_pktmbuf_mtod(m, void *), m->data_len);
    if (s.netif.input(b, &s.netif) != ERR_OK)
        pbuf_free(b);
}

static bool turn(struct gn_pp *p)
{
    struct rte_mbuf *m[GN_PP_BURST];
    if (gn_pp_silent(p, s.heard))
        return false;
    const uint16_t n = rte_eth_rx_burst(p->io.link[0].port.id, 0, m, GN_PP_BURST);
    s.heard = n != 0;
    for (uint16_t i = 0; i < n; i++)
        input(m[i]);
    if (p->now_ns - s.timers_ns > TIMERS_EVERY_NS) {
        s.timers_ns = p->now_ns;
        sys_check_timeouts();
    }
    return !s.failed || gn_pp_fail(p, "the connection broke");
}

static bool client(struct gn_pp *p)
{
    if (!set_up(p))
        return false;
    struct tcp_pcb *pcb = tcp_new();
    const ip4_addr_t to4 = address(p->peer_ip);
    ip_addr_t to;
    ip_addr_copy_from_ip4(to, to4);
    if (pcb == NULL || tcp_bind(pcb, IP_ADDR_ANY, p->local_port) != ERR_OK ||
        tcp_connect(pcb, &to, p->tcp_port, established) != ERR_OK)
        return gn_pp_fail(p, "tcp_connect");
    while (!s.connected)
        if (!turn(p))
            return false;
    gn_pp_begin(p);
    if (!send_message(s.pcb, p->message))
        return gn_pp_fail(p, "tcp_write");
    while (p->done < p->rounds)
        if (!turn(p))
            return false;
    if (tcp_shutdown(s.pcb, 0, 1) != ERR_OK)
        return gn_pp_fail(p, "tcp_shutdown");
    while (!s.ended)
        if (!turn(p))
            return false;
    return s.pcb == NULL || tcp_close(s.pcb) == ERR_OK || gn_pp_fail(p, "tcp_close");
}

static bool serve(struct gn_pp *p)
{
    if (!set_up(p))
        return false;
    struct tcp_pcb *pcb = tcp_new();
    if (pcb == NULL || tcp_bind(pcb, IP_ADDR_ANY, p->tcp_port) != ERR_OK || (s.listener = tcp_listen(pcb)) == NULL)
        return gn_pp_fail(p, "tcp_listen");
    tcp_accept(s.listener, established);
    gn_pp_listening();
    while (!s.ended)
        if (!turn(p))
            return false;
    (void)tcp_close(s.listener);
    if (s.pcb != NULL && tcp_close(s.pcb) != ERR_OK)
        return gn_pp_fail(p, "tcp_close");
    /* lwIP closes alone; its last acknowledgement comes within moments */
    for (const uint64_t until = p->now_ns + 20000000; p->now_ns < until;)
        if (!turn(p))
            return false;
    return true;
}

const struct gn_pp_stack gn_pp_lwip = {.name = "lwip", .port = true, .client = client, .serve = serve};
