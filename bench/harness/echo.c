/* gannet-echo: the floor. Takes frames from one port, swaps their addresses, sends them out of another one (or the
 * same), and does nothing else: what a wire, two ports and DPDK cost without anybody thinking in between. */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/venue-sim/io_dpdk.h"

static _Atomic int stop;

static void on_signal(int sig)
{
    (void)sig;
    atomic_store_explicit(&stop, 1, memory_order_relaxed);
}

static void turn_round(struct rte_mbuf *m, const uint8_t mac[6], uint16_t len)
{
    struct rte_ether_hdr *h = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
    memcpy(&h->dst_addr, &h->src_addr, sizeof h->dst_addr);
    memcpy(&h->src_addr, mac, sizeof h->src_addr);
    if (len != 0) {
        m->data_len = len;
        m->pkt_len = len;
    }
}

/* len: of what is sent, 0 = as received. */
static void echo(struct gn_io_dpdk *io, uint16_t len)
{
    struct rte_mbuf *m[GN_SIM_BURST];
    struct gn_port *in = &io->link[0].port, *out = &io->link[io->n - 1].port;
    while (GN_LIKELY(atomic_load_explicit(&stop, memory_order_relaxed) == 0)) {
        uint16_t n = rte_eth_rx_burst(in->id, 0, m, GN_SIM_BURST);
        if (n == 0)
            continue;
        for (uint16_t i = 0; i < n; i++)
            turn_round(m[i], out->mac, len);
        uint16_t sent = rte_eth_tx_burst(out->id, 0, m, n);
        io->link[0].rx_frames += n;
        io->link[io->n - 1].tx_frames += sent;
        io->link[io->n - 1].tx_given_up += (uint64_t)(n - sent);
        rte_pktmbuf_free_bulk(m + sent, (unsigned)(n - sent));
    }
}

int main(int argc, char **argv)
{
    static struct gn_sim_options opt;
    static struct gn_io_dpdk io;
    char err[GN_PORT_ERR_LEN];
    unsigned len = 0;
    if (argc >= 3 && strcmp(argv[1], "--answer-bytes") == 0) {
        len = (unsigned)strtoul(argv[2], NULL, 10);
        argv += 2;
        argc -= 2;
    }
    if (len > RTE_ETHER_MAX_LEN || gn_options_parse(&opt, argc, argv, err) != GN_OPT_RUN) {
        fprintf(stderr, "usage: gannet-echo [--answer-bytes N] --port KIND:DEVICE,... [--port ...] [--core CPU]\n");
        return EXIT_FAILURE;
    }
    if (!gn_io_open(&io, &opt, err)) {
        fprintf(stderr, "gannet-echo: %s\n", err);
        return EXIT_FAILURE;
    }
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    fprintf(stderr, "gannet-echo: ready\n");
    echo(&io, (uint16_t)len);
    printf("{\"program\": \"gannet-echo\", \"received\": %llu, \"sent\": %llu, \"dropped\": %llu}\n",
           (unsigned long long)io.link[0].rx_frames, (unsigned long long)io.link[io.n - 1].tx_frames,
           (unsigned long long)io.link[io.n - 1].tx_given_up);
    gn_io_close(&io);
    return EXIT_SUCCESS;
}
