/* Frames between a port and the pure code: bytes in memory that the lcore loop owns (mbuf data), no DPDK in sight.
 *
 * gn_txq is the way out. The loop stocks it with empty buffers, pure code takes them in order with gn_txq_take, writes
 * a whole Ethernet frame and commits its length; the loop then hands the first n buffers to the NIC. A buffer that was
 * taken and not committed is reused. Nothing allocates, nothing calls back.
 */
#ifndef GN_ABI_FRAME_H
#define GN_ABI_FRAME_H

#include "dataplane/abi/base.h"

#define GN_TXQ_MAX    64u
#define GN_FRAME_MAX  1518u /* Ethernet header + 1,500 of payload + one VLAN tag */
#define GN_FRAME_ROOM 1600u /* every stocked buffer has at least this much */

struct gn_txq {
    uint32_t n;       /* committed frames: buf[0..n) */
    uint32_t stocked; /* buffers there: buf[0..stocked), stocked <= GN_TXQ_MAX */
    uint64_t full;    /* times gn_txq_take found none left; counted by gn_txq_take */
    uint8_t *buf[GN_TXQ_MAX];
    uint16_t len[GN_TXQ_MAX];
};

/* gn_txq_take: the next empty buffer of GN_FRAME_ROOM bytes, NULL (and counted) when the queue is full. */
static inline uint8_t *gn_txq_take(struct gn_txq *q)
{
    if (GN_UNLIKELY(q->n == q->stocked)) {
        q->full++;
        return NULL;
    }
    return q->buf[q->n];
}

/* gn_txq_commit: the buffer that gn_txq_take gave holds a frame of len bytes. */
static inline void gn_txq_commit(struct gn_txq *q, uint16_t len)
{
    q->len[q->n++] = len;
}

#endif
