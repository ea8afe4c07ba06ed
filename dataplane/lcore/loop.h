/* The pinned loop of one lcore: bursts in, stages, bursts out. The only place on the path of a packet that knows DPDK.
 *
 *      rx burst -> gn_net_input -> gn_stage_feed_udp -> (strategy -> orders) -> flush
 *               -> polls of the stages -> timers of net and TCP -> flush -> publish events -> beat
 *
 * It allocates nothing, calls no system, never blocks and never logs: what happens is counted or written to a ring.
 */
#ifndef GN_LCORE_LOOP_H
#define GN_LCORE_LOOP_H

#include <rte_mbuf.h>

#include "dataplane/abi/conf.h"
#include "dataplane/abi/control.h"
#include "dataplane/abi/frame.h"
#include "dataplane/abi/metrics.h"
#include "dataplane/lcore/clock.h"
#include "dataplane/lcore/stage_feed.h"
#include "dataplane/lcore/stage_orders.h"
#include "dataplane/lcore/stage_strategy.h"
#include "dataplane/net/net.h"
#include "dataplane/net/tcp.h"
#include "drivers/port/port.h"

#define GN_RX_BURST 32u

struct gn_loop_port {
    uint32_t index; /* in gn_conf.port */
    uint16_t id;    /* DPDK's */
    uint32_t rx_csum;
    struct gn_net *net;
    struct gn_tcp *tcp; /* NULL: no order session on it */
    struct rte_mempool *pool;
    struct gn_txq txq;
    struct rte_mbuf *stock[GN_TXQ_MAX];
};

struct gn_loop {
    uint32_t lcore;  /* number in gn_conf.lcore */
    uint32_t stages; /* bits of enum gn_stage */
    const struct gn_clock *clock;
    const _Atomic uint32_t *stop; /* 1: log out and leave, 2: leave now */
    struct gn_control *control;
    struct gn_beat *beat;
    struct gn_lcore_metrics *m;
    struct gn_ring *events;
    bool unseen; /* an earlier life left records in it that were never published */
    uint32_t n_ports;
    struct gn_loop_port port[GN_PORTS_MAX];
    struct gn_stage_feed feed;
    struct gn_stage_strategy strategy;
    struct gn_stage_orders orders;
    /* split layout: rings to and from the neighbours, NULL when fused */
    struct gn_ring *md_out, *md_in, *intent_out, *intent_in;
    uint64_t md_cursor, intent_cursor;
    uint64_t now_ns;
};

/* gn_loop_stock: fills a port's txq with buffers; false when the pool is empty. Before the loop starts. */
bool gn_loop_stock(struct gn_loop_port *p) GN_MUST_CHECK;

/* gn_loop_run: the lcore's function; returns when *stop says so. arg is a struct gn_loop. */
int gn_loop_run(void *arg);

/* The sinks that join stages: direct when fused (they also send at once), through a ring when split. */
void gn_loop_md_to_strategy(void *loop, const struct gn_md *md, uint64_t now_ns);
void gn_loop_md_to_ring(void *loop, const struct gn_md *md, uint64_t now_ns);
void gn_loop_intent_to_orders(void *loop, const struct gn_intent *in, uint64_t now_ns);
void gn_loop_intent_to_ring(void *loop, const struct gn_intent *in, uint64_t now_ns);

#endif
