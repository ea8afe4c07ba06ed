#include "drivers/port/port.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdarg.h>
#include <stdio.h>

#define POOL_CACHE 256u

static const struct gn_port_ops *const table[] = {
    &gn_port_memif, &gn_port_af_xdp, &gn_port_tap, &gn_port_pcap, &gn_port_pci,
};

const struct gn_port_ops *gn_port_find(uint32_t kind)
{
    for (uint32_t i = 0; i < GN_ARRAY_LEN(table); i++)
        if (table[i]->kind == kind)
            return table[i];
    return NULL;
}

bool gn_eal_args_add(struct gn_eal_args *a, const char *format, ...)
{
    va_list ap;
    if (a->argc + 1 >= (int)GN_ARRAY_LEN(a->argv))
        return false;
    va_start(ap, format);
    int n = vsnprintf(a->text[a->argc], GN_PORT_ARG_LEN, format, ap);
    va_end(ap);
    if (n < 0 || n >= (int)GN_PORT_ARG_LEN)
        return false;
    a->argv[a->argc] = a->text[a->argc];
    a->argv[++a->argc] = NULL;
    return true;
}

static bool say(char *err, const struct gn_conf_port *c, const char *what)
{
    snprintf(err, GN_PORT_ERR_LEN, "port %s (%s): %s", c->name, c->device, what);
    return false;
}

bool gn_port_eal_args(const struct gn_conf_port *ports, uint32_t n, struct gn_eal_args *a, char err[GN_PORT_ERR_LEN])
{
    char arg[GN_PORT_ARG_LEN];
    bool any_pci = false;
    for (uint32_t i = 0; i < n; i++) {
        const struct gn_port_ops *ops = gn_port_find(ports[i].kind);
        if (ops == NULL)
            return say(err, &ports[i], "unknown kind; allowed: memif, af_xdp, tap, pcap, pci");
        if (ops->check != NULL && !ops->check(&ports[i], err, GN_PORT_ERR_LEN))
            return false;
        if (!ops->devargs(&ports[i], i, arg, sizeof arg) ||
            !gn_eal_args_add(a, ops->pci ? "--allow=%s" : "--vdev=%s", arg))
            return say(err, &ports[i], "its device argument does not fit; use shorter paths");
        any_pci |= ops->pci;
    }
    return any_pci || gn_eal_args_add(a, "--no-pci");
}

struct rte_mempool *gn_port_pool(const char *name, uint32_t buffers)
{
    return rte_pktmbuf_pool_create(name, buffers, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
}

static bool dpdk_says(char *err, const struct gn_conf_port *c, const char *what, int rc)
{
    snprintf(err, GN_PORT_ERR_LEN, "port %s (%s): %s: %s", c->name, c->device, what, rte_strerror(-rc));
    return false;
}

static void offloads(uint16_t id, struct rte_eth_conf *conf, uint32_t *rx_csum)
{
    struct rte_eth_dev_info info;
    if (rte_eth_dev_info_get(id, &info) != 0)
        return;
    uint64_t want = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
    if ((info.rx_offload_capa & want) == want) {
        conf->rxmode.offloads = want;
        *rx_csum = 1;
    }
}

bool gn_port_open(const struct gn_conf_port *c, uint32_t index, struct rte_mempool *pool, struct gn_port *out,
                  char err[GN_PORT_ERR_LEN])
{
    char name[RTE_ETH_NAME_MAX_LEN];
    struct rte_eth_conf conf = {0};
    struct rte_ether_addr mac;
    uint16_t rx = (uint16_t)c->rx_descs, tx = (uint16_t)c->tx_descs;
    int rc;

    memset(out, 0, sizeof *out);
    out->ops = gn_port_find(c->kind);
    if (out->ops == NULL || !out->ops->device(c, index, name, sizeof name))
        return say(err, c, "unknown kind or name too long");
    if ((rc = rte_eth_dev_get_port_by_name(name, &out->id)) != 0)
        return dpdk_says(err, c, "DPDK has no such device; is it there, and bound to the right driver?", rc);
    offloads(out->id, &conf, &out->rx_csum);
    if ((rc = rte_eth_dev_configure(out->id, 1, 1, &conf)) != 0)
        return dpdk_says(err, c, "cannot configure one queue each way", rc);
    (void)rte_eth_dev_adjust_nb_rx_tx_desc(out->id, &rx, &tx);
    if ((rc = rte_eth_rx_queue_setup(out->id, 0, rx, (unsigned)SOCKET_ID_ANY, NULL, pool)) != 0)
        return dpdk_says(err, c, "cannot set up the receive queue", rc);
    if ((rc = rte_eth_tx_queue_setup(out->id, 0, tx, (unsigned)SOCKET_ID_ANY, NULL)) != 0)
        return dpdk_says(err, c, "cannot set up the transmit queue", rc);
    if ((rc = rte_eth_dev_start(out->id)) != 0)
        return dpdk_says(err, c, "cannot start", rc);
    /* groups are filtered by net; a NIC that cannot be promiscuous delivers its groups by allmulticast */
    if (rte_eth_promiscuous_enable(out->id) != 0)
        (void)rte_eth_allmulticast_enable(out->id);
    static const uint8_t none[6];
    if (memcmp(c->mac, none, sizeof none) != 0)
        memcpy(out->mac, c->mac, sizeof out->mac);
    else if ((rc = rte_eth_macaddr_get(out->id, &mac)) == 0)
        memcpy(out->mac, mac.addr_bytes, sizeof out->mac);
    else
        return dpdk_says(err, c, "has no MAC address; give one in the config", rc);
    return true;
}
