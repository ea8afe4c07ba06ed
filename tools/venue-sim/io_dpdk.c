#include "tools/venue-sim/io_dpdk.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define POOL_BUFFERS   8191u
#define FULL_LIMIT_NS  1000000000ull /* a peer that takes nothing for so long is given up */
#define SPINS_PER_LOOK 256u

static uint64_t now(void *arg)
{
    struct timespec t;
    (void)arg;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint32_t csum_flags(const struct rte_mbuf *m)
{
    uint32_t flags = 0;
    if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        flags |= GN_NET_IN_IP_CSUM_OK;
    if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        flags |= GN_NET_IN_L4_CSUM_OK;
    return flags;
}

static uint32_t rx(void *arg, uint32_t link, struct gn_sim_frame *out, uint32_t max)
{
    struct gn_io_dpdk *io = arg;
    struct gn_io_link *l = &io->link[link];
    struct rte_mbuf *m[GN_SIM_BURST];
    uint32_t kept = 0;
    uint16_t n = rte_eth_rx_burst(l->port.id, 0, m, (uint16_t)(max < GN_SIM_BURST ? max : GN_SIM_BURST));
    for (uint16_t i = 0; i < n; i++) {
        if (m[i]->nb_segs != 1) { /* nothing that is meant for us is larger than a buffer */
            l->rx_segmented++;
            rte_pktmbuf_free(m[i]);
            continue;
        }
        out[kept++] = (struct gn_sim_frame){.data = rte_pktmbuf_mtod(m[i], const uint8_t *),
                                            .len = m[i]->data_len,
                                            .flags = l->port.rx_csum != 0 ? csum_flags(m[i]) : 0,
                                            .handle = m[i]};
    }
    l->rx_frames += n;
    return kept;
}

static void done(void *arg, struct gn_sim_frame *frames, uint32_t n)
{
    (void)arg;
    for (uint32_t i = 0; i < n; i++)
        rte_pktmbuf_free(frames[i].handle);
}

static bool is_down(uint16_t id)
{
    struct rte_eth_link state;
    return rte_eth_link_get_nowait(id, &state) == 0 && state.link_status == RTE_ETH_LINK_DOWN;
}

/* Sends all n frames, however long the ring is full; how many went out before the peer was given up. */
static uint32_t send_all(struct gn_io_link *l, struct rte_mbuf **m, uint32_t n)
{
    uint32_t sent = 0, spins = 0;
    uint64_t since = 0;
    while (sent < n) {
        uint16_t k = rte_eth_tx_burst(l->port.id, 0, m + sent, (uint16_t)(n - sent));
        sent += k;
        if (GN_LIKELY(k != 0)) {
            since = 0;
            continue;
        }
        l->tx_retries++;
        rte_pause();
        if (spins++ % SPINS_PER_LOOK != 0)
            continue;
        if (is_down(l->port.id)) {
            l->tx_down += n - sent;
            break;
        }
        uint64_t t = now(NULL);
        since = since == 0 ? t : since;
        if (t - since > FULL_LIMIT_NS) {
            l->tx_given_up += n - sent;
            break;
        }
        sched_yield(); /* the peer may need this very CPU to empty its ring */
    }
    l->tx_frames += sent;
    return sent;
}

static bool restock(struct gn_io_dpdk *io, struct gn_io_link *l, struct gn_txq *q)
{
    uint32_t want = GN_TXQ_MAX - q->stocked;
    if (rte_pktmbuf_alloc_bulk(io->pool, l->stock + q->stocked, want) != 0) {
        io->no_buffers++;
        return false;
    }
    for (; q->stocked < GN_TXQ_MAX; q->stocked++)
        q->buf[q->stocked] = rte_pktmbuf_mtod(l->stock[q->stocked], uint8_t *);
    return true;
}

bool gn_io_stock(struct gn_io_dpdk *io, uint32_t link, struct gn_txq *q)
{
    return restock(io, &io->link[link], q);
}

static void flush(void *arg, uint32_t link, struct gn_txq *q)
{
    struct gn_io_dpdk *io = arg;
    struct gn_io_link *l = &io->link[link];
    const uint32_t n = q->n;
    for (uint32_t i = 0; i < n; i++) {
        l->stock[i]->data_len = q->len[i];
        l->stock[i]->pkt_len = q->len[i];
    }
    uint32_t sent = send_all(l, l->stock, n);
    rte_pktmbuf_free_bulk(l->stock + sent, n - sent);
    q->n = 0;
    q->stocked -= n;
    memmove(l->stock, l->stock + n, q->stocked * sizeof l->stock[0]);
    memmove(q->buf, q->buf + n, q->stocked * sizeof q->buf[0]);
    /* Buffers come back when the ring lets go of them: without any, the next flush tries again. */
    restock(io, l, q);
}

struct gn_sim_io gn_io_ops(struct gn_io_dpdk *io)
{
    return (struct gn_sim_io){.arg = io, .now = now, .rx = rx, .done = done, .flush = flush};
}

static bool eal_args(const struct gn_sim_options *opt, struct gn_eal_args *a)
{
    cpu_set_t allowed;
    int cpu = 0;
    if (opt->core[0] == '\0' && sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET((size_t)cpu, &allowed))
            cpu++;
    char first[16];
    snprintf(first, sizeof first, "%d", cpu);
    bool ok = gn_eal_args_add(a, "gannet-venue-sim") && gn_eal_args_add(a, "--no-telemetry") &&
              gn_eal_args_add(a, "--log-level=4") && gn_eal_args_add(a, "-l") &&
              gn_eal_args_add(a, "%.15s", opt->core[0] == '\0' ? first : opt->core) && gn_eal_args_add(a, "-m") &&
              gn_eal_args_add(a, "%llu", (unsigned long long)opt->dpdk_mem_mib);
    return ok && (opt->hugepages ? gn_eal_args_add(a, "--in-memory")
                                 : gn_eal_args_add(a, "--no-huge") && gn_eal_args_add(a, "--no-shconf"));
}

bool gn_io_open(struct gn_io_dpdk *io, const struct gn_sim_options *opt, char err[GN_PORT_ERR_LEN])
{
    static struct gn_eal_args args;
    memset(io, 0, sizeof *io);
    io->n = opt->ports;
    if (!eal_args(opt, &args)) {
        snprintf(err, GN_PORT_ERR_LEN, "DPDK's arguments do not fit");
        return false;
    }
    if (!gn_port_eal_args(opt->port, opt->ports, &args, err))
        return false;
    if (rte_eal_init(args.argc, args.argv) < 0) {
        snprintf(err, GN_PORT_ERR_LEN, "DPDK does not start: %s", rte_strerror(rte_errno));
        return false;
    }
    io->pool = gn_port_pool("sim", POOL_BUFFERS);
    if (io->pool == NULL) {
        snprintf(err, GN_PORT_ERR_LEN, "no memory for %u packet buffers: %s; raise --dpdk-mem-mib", POOL_BUFFERS,
                 rte_strerror(rte_errno));
        return false;
    }
    for (uint32_t i = 0; i < io->n; i++)
        if (!gn_port_open(&opt->port[i], i, io->pool, &io->link[i].port, err))
            return false;
    return true;
}

void gn_io_close(struct gn_io_dpdk *io)
{
    for (uint32_t i = 0; i < io->n; i++)
        if (rte_eth_dev_stop(io->link[i].port.id) == 0)
            (void)rte_eth_dev_close(io->link[i].port.id);
    (void)rte_eal_cleanup();
}
