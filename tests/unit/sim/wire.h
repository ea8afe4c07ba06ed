/* Links between the simulator and a client in one process: frames are queues in memory, time is a number. */
#ifndef GN_TESTS_SIM_WIRE_H
#define GN_TESTS_SIM_WIRE_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/frame.h"
#include "tools/venue-sim/link.h"

#define WIRE_SLOTS 4096u

struct wire_queue {
    uint32_t head, tail; /* read at head */
    uint32_t lost;       /* no slot was free */
    uint16_t len[WIRE_SLOTS];
    uint8_t frame[WIRE_SLOTS][GN_FRAME_ROOM];
};

struct wire {
    uint64_t now;
    struct wire_queue to_sim[GN_SIM_LINKS_MAX], to_client[GN_SIM_LINKS_MAX];
    uint8_t room[2][GN_SIM_LINKS_MAX][GN_TXQ_MAX][GN_FRAME_ROOM]; /* of the queues of both sides */
};

static inline void wire_put(struct wire_queue *q, const uint8_t *frame, uint16_t len)
{
    if (q->tail - q->head == WIRE_SLOTS) {
        q->lost++;
        return;
    }
    memcpy(q->frame[q->tail % WIRE_SLOTS], frame, len);
    q->len[q->tail++ % WIRE_SLOTS] = len;
}

static inline void wire_stock(struct wire *w, int side, uint32_t link, struct gn_txq *q)
{
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        q->buf[i] = w->room[side][link][i];
    q->stocked = GN_TXQ_MAX;
    q->n = 0;
}

static inline void wire_send(struct wire_queue *to, struct gn_txq *q)
{
    for (uint32_t i = 0; i < q->n; i++)
        wire_put(to, q->buf[i], q->len[i]);
    q->n = 0;
}

static inline uint64_t wire_now(void *arg)
{
    struct wire *w = arg;
    return w->now += 50;
}

static inline uint32_t wire_rx(void *arg, uint32_t link, struct gn_sim_frame *out, uint32_t max)
{
    struct wire_queue *q = &((struct wire *)arg)->to_sim[link];
    uint32_t n = 0;
    for (; n < max && q->head != q->tail; n++, q->head++)
        out[n] = (struct gn_sim_frame){.data = q->frame[q->head % WIRE_SLOTS], .len = q->len[q->head % WIRE_SLOTS]};
    return n;
}

static inline void wire_done(void *arg, struct gn_sim_frame *frames, uint32_t n)
{
    (void)arg;
    (void)frames;
    (void)n;
}

static inline void wire_flush(void *arg, uint32_t link, struct gn_txq *q)
{
    wire_send(&((struct wire *)arg)->to_client[link], q);
}

#endif
