/* The floor: frames as long as a TCP segment with the message, handed back by DPDK and nothing else. Both sides send on
 * the very buffer that came. */
#include <rte_ether.h>

#include "bench/pingpong/pingpong.h"

#define HEADERS (14u + 20u + 32u) /* Ethernet, IPv4, TCP with timestamps */
#define FRAME   (HEADERS + GN_PP_MESSAGE)
#define TYPE    0x88b5u /* IEEE 802: local experiments */
#define LAST    UINT64_MAX

/* About what our TCP does with a segment in and one out, by count. A core begins the transfers of the transmit ring's
 * lines while it still waits for those of the frame that came, if no more instructions than its reorder window holds
 * lie between the two; whatever thinks about a frame loses that, and this echo shows how much of the difference it is.
 */
#define WORK ".rept 850\n\tnop\n\t.endr"

static bool working;

static bool is_ours(const struct rte_mbuf *m)
{
    return m->data_len == FRAME && gn_load_be16(rte_pktmbuf_mtod(m, const uint8_t *) + 12) == TYPE;
}

static void send_one(struct gn_pp *p, struct rte_mbuf *m)
{
    while (GN_UNLIKELY(rte_eth_tx_burst(p->io.link[0].port.id, 0, &m, 1) != 1))
        if (gn_pp_silent(p, false)) {
            rte_pktmbuf_free(m);
            return;
        }
}

/* A frame to everybody, with the message; NULL when there is no buffer. */
static struct rte_mbuf *new_frame(struct gn_pp *p, uint64_t number)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(p->io.pool);
    if (m == NULL)
        return NULL;
    uint8_t *b = rte_pktmbuf_mtod(m, uint8_t *);
    memset(b, 0, FRAME);
    memset(b, 0xff, 6);
    memcpy(b + 6, p->io.link[0].port.mac, 6);
    gn_store_be16(b + 12, TYPE);
    memcpy(b + HEADERS, p->message, GN_PP_MESSAGE);
    gn_store_be64(b + HEADERS, number);
    m->data_len = FRAME;
    m->pkt_len = FRAME;
    return m;
}

/* The next frame of ours, NULL after silence; others are thrown away. */
static struct rte_mbuf *receive(struct gn_pp *p)
{
    struct rte_mbuf *m;
    for (;;) {
        if (rte_eth_rx_burst(p->io.link[0].port.id, 0, &m, 1) == 0) {
            if (gn_pp_silent(p, false))
                return NULL;
            continue;
        }
        if (GN_LIKELY(is_ours(m)))
            return m;
        rte_pktmbuf_free(m);
    }
}

static void turn_round(const struct gn_pp *p, uint8_t *b)
{
    if (working)
        __asm__ volatile(WORK);
    memcpy(b, b + 6, 6);
    memcpy(b + 6, p->io.link[0].port.mac, 6);
}

static bool exchange(struct gn_pp *p)
{
    gn_pp_silent(p, true);
    struct rte_mbuf *m = new_frame(p, 0);
    if (m == NULL)
        return gn_pp_fail(p, "no packet buffers");
    gn_pp_begin(p);
    send_one(p, m);
    while (p->done < p->rounds) {
        m = receive(p);
        if (m == NULL)
            return false;
        uint8_t *b = rte_pktmbuf_mtod(m, uint8_t *);
        if (!gn_pp_answer(p, b + HEADERS))
            return false;
        p->progress_ns = p->now_ns;
        turn_round(p, b);
        memcpy(b + HEADERS, p->message, GN_PP_MESSAGE);
        if (p->done == p->rounds)
            gn_store_be64(b + HEADERS, LAST);
        send_one(p, m);
    }
    return true;
}

static bool give_back(struct gn_pp *p)
{
    gn_pp_silent(p, true);
    gn_pp_listening();
    for (;;) {
        struct rte_mbuf *m = receive(p);
        if (m == NULL)
            return false;
        uint8_t *b = rte_pktmbuf_mtod(m, uint8_t *);
        if (gn_load_be64(b + HEADERS) == LAST) {
            rte_pktmbuf_free(m);
            return true;
        }
        turn_round(p, b);
        send_one(p, m);
        p->done++;
        p->progress_ns = p->now_ns;
    }
}

static bool client(struct gn_pp *p)
{
    working = false;
    return exchange(p);
}

static bool serve(struct gn_pp *p)
{
    working = false;
    return give_back(p);
}

static bool work_client(struct gn_pp *p)
{
    working = true;
    return exchange(p);
}

static bool work_serve(struct gn_pp *p)
{
    working = true;
    return give_back(p);
}

const struct gn_pp_stack gn_pp_raw = {.name = "raw", .port = true, .client = client, .serve = serve};
const struct gn_pp_stack gn_pp_raw_work = {
    .name = "raw_work", .port = true, .client = work_client, .serve = work_serve};
