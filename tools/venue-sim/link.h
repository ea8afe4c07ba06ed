/* Links: what the simulator's pure part needs of ports. One link is one port with its network endpoint; the lines, the
 * retransmission server and the order server each live on a link, or share one.
 *
 * gn_sim_io is how frames get in and out: DPDK in the program, memory in the tests.
 */
#ifndef GN_SIM_LINK_H
#define GN_SIM_LINK_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/frame.h"
#include "dataplane/net/net.h"

#define GN_SIM_LINKS_MAX 3u
#define GN_SIM_BURST     32u

struct gn_sim_frame {
    const uint8_t *data;
    uint32_t len;
    uint32_t flags; /* GN_NET_IN_* */
    uint32_t link;
    uint64_t arrived_ns;
    void *handle; /* of the io */
};

struct gn_sim_io {
    void *arg;
    /* now: CLOCK_REALTIME, ns */
    uint64_t (*now)(void *arg);
    /* rx: up to max frames of a link; data, len, flags and handle are set, and stay valid until done */
    uint32_t (*rx)(void *arg, uint32_t link, struct gn_sim_frame *out, uint32_t max);
    void (*done)(void *arg, struct gn_sim_frame *frames, uint32_t n);
    /* flush: puts the committed frames of q (there may be none) on the wire and stocks q with empty buffers again. A
     * port whose ring stays full for a second is given up: what is left is dropped and counted. */
    void (*flush)(void *arg, uint32_t link, struct gn_txq *q);
};

struct gn_sim_link {
    struct gn_net *net;
    struct gn_txq txq;
};

struct gn_sim_links {
    struct gn_sim_io io;
    uint32_t n;
    struct gn_sim_link link[GN_SIM_LINKS_MAX];
};

static inline uint64_t gn_links_now(struct gn_sim_links *l)
{
    return l->io.now(l->io.arg);
}

/* gn_links_flush: sends what is committed, and gets empty buffers when they are few. */
static inline void gn_links_flush(struct gn_sim_links *l, uint32_t link)
{
    const struct gn_txq *q = &l->link[link].txq;
    if (q->n != 0 || q->stocked < GN_TXQ_MAX / 2)
        l->io.flush(l->io.arg, link, &l->link[link].txq);
}

/* gn_links_room: sees to it that n more frames (at most GN_TXQ_MAX) can be taken from the link's queue. */
static inline void gn_links_room(struct gn_sim_links *l, uint32_t link, uint32_t n)
{
    const struct gn_txq *q = &l->link[link].txq;
    if (GN_UNLIKELY(q->stocked - q->n < n))
        gn_links_flush(l, link);
}

/* gn_links_udp: one datagram into the link's queue; a full queue is flushed first. GN_NET_OK, or the endpoint's error
 * (GN_NET_ERR_NO_ARP: a request for the neighbour went out instead). */
int gn_links_udp(struct gn_sim_links *l, uint32_t link, uint32_t ip, uint16_t src_port, uint16_t dst_port,
                 const uint8_t *payload, uint32_t len, uint64_t now_ns) GN_MUST_CHECK;

#endif
