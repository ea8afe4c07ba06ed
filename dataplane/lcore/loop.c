#include "dataplane/lcore/loop.h"

#include <jemalloc/jemalloc.h>
#include <rte_ethdev.h>

#include "dataplane/lcore/stage_inputs.h"

#define TX_TRIES       4096u      /* offers of a frame to a port that is full before it is dropped and counted */
#define RING_TRIES     (1u << 22) /* turns on a full stage ring, some hundred ms */
#define STAGE_BURST    64u
#define DRAIN_NS       1000000000ull /* for cancels at an orderly end */
#define LINGER_NS      200000000ull  /* after a logout: for the last acknowledgements */
#define NET_IN_CSUM_OK (GN_NET_IN_IP_CSUM_OK | GN_NET_IN_L4_CSUM_OK)

bool gn_loop_stock(struct gn_loop_port *p)
{
    if (rte_pktmbuf_alloc_bulk(p->pool, p->stock, GN_TXQ_MAX) != 0)
        return false;
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        p->txq.buf[i] = rte_pktmbuf_mtod(p->stock[i], uint8_t *);
    p->txq.n = 0;
    p->txq.stocked = GN_TXQ_MAX;
    return true;
}

/* Hands the committed frames to the port and puts fresh buffers in their place. A port that stays full loses frames,
 * counted: TCP repeats, requests are repeated, and waiting longer would stop the market. */
static void flush_port(struct gn_loop *l, struct gn_loop_port *p)
{
    uint32_t n = p->txq.n, sent = 0;
    for (uint32_t i = 0; i < n; i++) {
        p->stock[i]->data_len = p->txq.len[i];
        p->stock[i]->pkt_len = p->txq.len[i];
    }
    for (uint32_t tries = 0; sent < n && tries < TX_TRIES; tries++) {
        sent += rte_eth_tx_burst(p->id, 0, p->stock + sent, (uint16_t)(n - sent));
        if (GN_UNLIKELY(sent < n))
            l->m->tx_retries++;
    }
    l->m->tx_packets += sent;
    if (GN_UNLIKELY(sent < n)) {
        l->m->tx_dropped += n - sent;
        rte_pktmbuf_free_bulk(p->stock + sent, n - sent);
    }
    p->txq.n = 0;
    if (GN_UNLIKELY(rte_pktmbuf_alloc_bulk(p->pool, p->stock, n) != 0)) {
        /* the pool is sized for all rings; were it ever short, the queue shrinks to what is left and refills later */
        memmove(p->stock, p->stock + n, (p->txq.stocked - n) * sizeof p->stock[0]);
        memmove(p->txq.buf, p->txq.buf + n, (p->txq.stocked - n) * sizeof p->txq.buf[0]);
        p->txq.stocked -= n;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        p->txq.buf[i] = rte_pktmbuf_mtod(p->stock[i], uint8_t *);
}

static void refill(struct gn_loop_port *p)
{
    while (p->txq.stocked < GN_TXQ_MAX) {
        struct rte_mbuf *m = rte_pktmbuf_alloc(p->pool);
        if (m == NULL)
            return;
        p->stock[p->txq.stocked] = m;
        p->txq.buf[p->txq.stocked++] = rte_pktmbuf_mtod(m, uint8_t *);
    }
}

static inline void flush(struct gn_loop *l)
{
    for (uint32_t i = 0; i < l->n_ports; i++)
        if (l->port[i].txq.n != 0)
            flush_port(l, &l->port[i]);
}

/* ---- sinks ---- */

void gn_loop_md_to_strategy(void *loop, const struct gn_md *md, uint64_t now_ns)
{
    struct gn_loop *l = loop;
    gn_stage_strategy_md(&l->strategy, md, now_ns);
}

static void to_ring(struct gn_loop *l, struct gn_ring *r, uint16_t type, const void *data, uint32_t len, uint64_t corr,
                    uint64_t now_ns)
{
    struct gn_rec *rec;
    /* The neighbour is a lcore that polls: it makes room within its turn. One that does not is stuck: then what it
     * should have been told is lost, and nobody may trade on. */
    for (uint32_t tries = 0; GN_UNLIKELY((rec = gn_ring_reserve(r, type, (uint32_t)sizeof *rec + len)) == NULL);
         tries++) {
        l->m->ring_full++;
        if (tries == RING_TRIES || atomic_load_explicit(l->stop, memory_order_relaxed) != 0) {
            l->m->ring_lost++;
            if (gn_kill_level(atomic_load_explicit(&l->control->kill_all, memory_order_relaxed)) < GN_LADDER_KILLED)
                gn_kill_raise(&l->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_DATAPLANE);
            return;
        }
        rte_pause();
    }
    rec->time_ns = now_ns;
    rec->corr = corr;
    memcpy(rec + 1, data, len);
    gn_ring_publish(r);
}

void gn_loop_md_to_ring(void *loop, const struct gn_md *md, uint64_t now_ns)
{
    struct gn_loop *l = loop;
    to_ring(l, l->md_out, GN_EV_MD, md, sizeof *md, md->tick_seq, now_ns);
}

void gn_loop_intent_to_orders(void *loop, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_loop *l = loop;
    gn_stage_orders_decide(&l->orders, in, now_ns);
    gn_ring_publish(l->events); /* its record is there before it is on the wire, should we die in between */
    flush(l);                   /* an order leaves alone and at once */
    gn_stage_orders_tell(&l->orders, now_ns);
}

void gn_loop_intent_to_ring(void *loop, const struct gn_intent *in, uint64_t now_ns)
{
    struct gn_loop *l = loop;
    to_ring(l, l->intent_out, GN_EV_INTENT, in, sizeof *in, in->tick_seq, now_ns);
}

/* ---- what comes in ---- */

static GN_HOT void take_frame(struct gn_loop *l, struct gn_loop_port *p, const struct rte_mbuf *m)
{
    struct gn_net_rx rx;
    uint32_t flags = p->rx_csum && (m->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)) ==
                                       (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)
                         ? NET_IN_CSUM_OK
                         : 0;
    /* a frame in several buffers is longer than any MTU here: its first part alone fails the length check, counted */
    gn_net_input(p->net, p->tcp, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, flags, l->now_ns, &p->txq, &rx);
    if (rx.kind == GN_NET_RX_UDP) {
        if (l->stages & GN_STAGE_FEED)
            gn_stage_feed_udp(&l->feed, p->index, &rx, l->now_ns);
        else
            l->m->md_foreign_udp++;
    }
}

static uint32_t receive(struct gn_loop *l, struct gn_loop_port *p)
{
    struct rte_mbuf *burst[GN_RX_BURST];
    uint16_t n = rte_eth_rx_burst(p->id, 0, burst, GN_RX_BURST);
    if (n == 0)
        return 0;
    l->m->rx_packets += n;
    for (uint32_t i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(burst[i], const void *));
    for (uint32_t i = 0; i < n; i++) {
        l->m->rx_bytes += burst[i]->pkt_len;
        take_frame(l, p, burst[i]);
        if (p->txq.n > GN_TXQ_MAX / 2)
            flush_port(l, p);
    }
    rte_pktmbuf_free_bulk(burst, n);
    return n;
}

static uint32_t take_md(struct gn_loop *l)
{
    const struct gn_rec *rec;
    uint64_t last = 0;
    uint32_t n = 0;
    int err;
    while (n < STAGE_BURST && (rec = gn_ring_read(l->md_in, &l->md_cursor, &err)) != NULL) {
        gn_stage_strategy_md(&l->strategy, (const struct gn_md *)(rec + 1), l->now_ns);
        last = rec->seq;
        n++;
    }
    if (n != 0)
        gn_ring_release(l->md_in, l->md_cursor, last);
    return n;
}

static uint32_t take_intents(struct gn_loop *l)
{
    const struct gn_rec *rec;
    uint64_t last = 0;
    uint32_t n = 0;
    int err;
    while (n < STAGE_BURST && (rec = gn_ring_read(l->intent_in, &l->intent_cursor, &err)) != NULL) {
        gn_loop_intent_to_orders(l, (const struct gn_intent *)(rec + 1), l->now_ns);
        last = rec->seq;
        n++;
    }
    if (n != 0)
        gn_ring_release(l->intent_in, l->intent_cursor, last);
    return n;
}

static uint32_t turn(struct gn_loop *l)
{
    uint32_t work = 0;
    if (l->stages & GN_STAGE_STRATEGY)
        gn_stage_strategy_poll(&l->strategy, l->now_ns);
    for (uint32_t i = 0; i < l->n_ports; i++)
        work += receive(l, &l->port[i]);
    if (l->stages & GN_STAGE_FEED)
        gn_stage_feed_poll(&l->feed, l->now_ns);
    if (l->md_in != NULL)
        work += take_md(l);
    if (l->intent_in != NULL)
        work += take_intents(l);
    if (l->stages & GN_STAGE_ORDERS)
        gn_stage_orders_poll(&l->orders, l->now_ns);
    for (uint32_t i = 0; i < l->n_ports; i++) {
        struct gn_loop_port *p = &l->port[i];
        gn_net_timer(p->net, l->now_ns, &p->txq);
        if (p->tcp != NULL)
            gn_tcp_timer(p->tcp, p->net, l->now_ns, &p->txq);
        if (GN_UNLIKELY(p->txq.stocked < GN_TXQ_MAX))
            refill(p);
    }
    gn_ring_publish(l->events);
    flush(l);
    return work;
}

static void beat(struct gn_loop *l, uint32_t work)
{
    struct gn_beat *b = l->beat;
    if (work != 0)
        l->m->busy_loops++;
    else
        l->m->idle_loops++;
    atomic_store_explicit(&b->count, l->now_ns, memory_order_relaxed);
    atomic_store_explicit(&b->loops, l->m->busy_loops + l->m->idle_loops, memory_order_relaxed);
}

/* jemalloc's own count of what this thread allocated so far; NULL under another allocator (a sanitizer's). */
static const uint64_t *allocated_so_far(void)
{
    uint64_t *counter = NULL;
    size_t size = sizeof counter;
    return mallctl("thread.allocatedp", &counter, &size, NULL, 0) == 0 ? counter : NULL;
}

/* The time of a turn names it in the journal: no two turns have the same. */
static uint64_t next_turn(struct gn_loop *l)
{
    const uint64_t before = l->now_ns;
    if (GN_UNLIKELY(gn_clock_now(l->clock, &l->now_ns) == before))
        l->now_ns++;
    return l->now_ns;
}

static bool may_go_on(struct gn_loop *l, uint64_t until)
{
    return next_turn(l) < until && atomic_load_explicit(l->stop, memory_order_acquire) < 2;
}

/* An end in order leaves nothing at the venue: cancel, wait for it, log out, wait for the last acknowledgements. */
static void leave(struct gn_loop *l)
{
    bool orders = (l->stages & GN_STAGE_ORDERS) != 0;
    uint64_t until = l->now_ns + DRAIN_NS;
    if (orders)
        gn_stage_orders_drain(&l->orders, l->now_ns);
    while (orders && l->orders.orders->open != 0 && may_go_on(l, until))
        turn(l);
    if (orders)
        gn_stage_orders_stop(&l->orders, l->now_ns);
    /* a lcore without orders runs on until those of the others are gone: it may be their feed */
    for (until = l->now_ns + (orders ? LINGER_NS : LINGER_NS + DRAIN_NS); may_go_on(l, until);)
        turn(l);
}

/* What a replay of the journal must end with. */
static void end_state(struct gn_loop *l)
{
    if ((l->stages & GN_STAGE_ORDERS) == 0)
        return;
    gn_inputs_end(l->stages & GN_STAGE_FEED ? &l->feed : NULL, l->stages & GN_STAGE_STRATEGY ? &l->strategy : NULL,
                  &l->orders, l->now_ns);
    gn_ring_publish(l->events);
}

int gn_loop_run(void *arg)
{
    struct gn_loop *l = arg;
    atomic_store_explicit(&l->beat->state, GN_STATE_RUNNING, memory_order_release);
    const uint64_t *allocated = allocated_so_far();
    const uint64_t before = allocated == NULL ? 0 : *allocated;
    while (GN_LIKELY(atomic_load_explicit(l->stop, memory_order_acquire) == 0)) {
        next_turn(l);
        beat(l, turn(l));
        if (allocated != NULL)
            l->m->allocated_bytes = *allocated - before;
    }
    leave(l);
    end_state(l);
    atomic_store_explicit(&l->beat->state, GN_STATE_STOPPED, memory_order_release);
    return 0;
}
