/* Ports: how frames get in and out. One row and one file a kind; all give DPDK an argument and then look the same.
 *
 *      gn_port_eal_args (before rte_eal_init) -> gn_port_open -> rte_eth_rx_burst / tx_burst on gn_port.id
 */
#ifndef GN_PORT_H
#define GN_PORT_H

#include <rte_ethdev.h>

#include "dataplane/abi/base.h"
#include "dataplane/abi/conf.h"

#define GN_PORT_ARG_LEN 384u
#define GN_PORT_ERR_LEN 512u

struct gn_port_ops {
    uint32_t kind;    /* enum gn_port_kind */
    const char *name; /* as in the config */
    bool pci;         /* the argument is a device to allow, not a virtual one */
    /* devargs: the DPDK device argument of port number `index`; false when it does not fit */
    bool (*devargs)(const struct gn_conf_port *c, uint32_t index, char *out, size_t size);
    /* device: the name under which DPDK then knows it */
    bool (*device)(const struct gn_conf_port *c, uint32_t index, char *out, size_t size);
    /* check: what a person can fix, found before DPDK tries; a sentence in err when something is wrong. May be NULL. */
    bool (*check)(const struct gn_conf_port *c, char *err, size_t size);
};

struct gn_port {
    const struct gn_port_ops *ops;
    uint16_t id; /* DPDK's port number */
    uint8_t mac[6];
    uint32_t rx_csum; /* 1: the port verifies IPv4 and L4 checksums and says so in the mbuf */
};

extern const struct gn_port_ops gn_port_memif;
extern const struct gn_port_ops gn_port_af_xdp;
extern const struct gn_port_ops gn_port_tap;
extern const struct gn_port_ops gn_port_pcap;
extern const struct gn_port_ops gn_port_pci;

/* gn_port_find: the row of a kind, NULL when there is none. */
const struct gn_port_ops *gn_port_find(uint32_t kind);

/* What DPDK is started with; strings live in the struct. */
struct gn_eal_args {
    int argc;
    char *argv[64];
    char text[64][GN_PORT_ARG_LEN];
};

/* gn_eal_args_add: appends one argument, printf-like; false when there is no room. */
bool gn_eal_args_add(struct gn_eal_args *a, const char *format, ...)
    __attribute__((format(printf, 2, 3))) GN_MUST_CHECK;

/* gn_port_eal_args: the device arguments of all ports. False with a sentence in err when a port can't work. */
bool gn_port_eal_args(const struct gn_conf_port *ports, uint32_t n, struct gn_eal_args *a,
                      char err[GN_PORT_ERR_LEN]) GN_MUST_CHECK;

/* gn_port_open: one receive and one transmit queue, promiscuous off where groups can be joined in software only,
 * started. False with a sentence in err. */
bool gn_port_open(const struct gn_conf_port *c, uint32_t index, struct rte_mempool *pool, struct gn_port *out,
                  char err[GN_PORT_ERR_LEN]) GN_MUST_CHECK;

/* gn_port_pool: buffers for that many ports; NULL when memory is short. */
struct rte_mempool *gn_port_pool(const char *name, uint32_t buffers);

#endif
