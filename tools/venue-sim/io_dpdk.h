/* The simulator's links on DPDK ports. */
#ifndef GN_SIM_IO_DPDK_H
#define GN_SIM_IO_DPDK_H

#include "drivers/port/port.h"
#include "tools/venue-sim/options.h"

struct gn_io_link {
    struct gn_port port;
    struct rte_mbuf *stock[GN_TXQ_MAX]; /* behind the link's txq, by index */
    uint64_t tx_frames, tx_retries, tx_down, tx_given_up, rx_frames, rx_segmented;
};

struct gn_io_dpdk {
    struct rte_mempool *pool;
    uint32_t n;
    struct gn_io_link link[GN_SIM_LINKS_MAX];
    uint64_t no_buffers;
};

/* gn_io_open: starts DPDK and opens the ports of the options. False with a sentence in err. */
bool gn_io_open(struct gn_io_dpdk *io, const struct gn_sim_options *opt, char err[GN_PORT_ERR_LEN]) GN_MUST_CHECK;

/* gn_io_ops: the functions, with io as their argument. */
struct gn_sim_io gn_io_ops(struct gn_io_dpdk *io);

/* gn_io_stock: fills a link's empty queue with buffers, before the first turn. */
bool gn_io_stock(struct gn_io_dpdk *io, uint32_t link, struct gn_txq *q) GN_MUST_CHECK;

void gn_io_close(struct gn_io_dpdk *io);

#endif
