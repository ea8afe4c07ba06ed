/* Stage budget: where the time between a market-data frame and its order goes, by stamps of the TSC. The lcore's
 * sources are compiled once more with this header in front of them, so that the calls at the borders of the stages are
 * stamped; the data plane itself has no stamps and pays nothing.
 *
 *      rx burst that found something -> [calls, each its own time without those inside it] -> tx burst of the order
 *
 * A sample is one order: TSC ticks of each stage, and from the burst that found its cause to the burst that took it.
 * What is in no stage is the loop's. GANNET_STAGES names the file for the histograms; without it the stamps are off.
 */
#ifndef GN_BENCH_STAGED_H
#define GN_BENCH_STAGED_H

#include <rte_ethdev.h>
#include <x86intrin.h>

#include "dataplane/engine/book.h"
#include "dataplane/engine/gate.h"
#include "dataplane/lcore/stage_feed.h"
#include "dataplane/lcore/stage_orders.h"
#include "dataplane/lcore/stage_strategy.h"
#include "dataplane/net/net.h"
#include "dataplane/net/tcp.h"

/* X(NAME, "name", "what") */
#define GN_STAGED_STAGES(X)                                                            \
    X(RX, "rx", "the burst that found the frame")                                      \
    X(NET, "net", "Ethernet, IPv4, UDP: frame to payload")                             \
    X(DECODE, "decode", "MoldUDP64, line arbitration, input record, ITCH, best price") \
    X(BOOK, "book", "the book's change")                                               \
    X(STRATEGY, "strategy", "market data to intent, and the order to the port")        \
    X(GATE, "gate", "risk gate")                                                       \
    X(ENCODE, "encode", "order, OUCH, SoupBinTCP, journal record")                     \
    X(TCP, "tcp", "prepare and commit of the segment")                                 \
    X(TX, "tx", "the burst that takes the order's frame")

enum gn_staged_stage {
#define GN_X(NAME, name, what) GN_STAGED_##NAME,
    GN_STAGED_STAGES(GN_X)
#undef GN_X
        GN_STAGED_COUNT
};

#define GN_STAGED_DEPTH 16u

struct gn_staged {
    bool on;
    bool ordered; /* an intent was taken since the frame came */
    uint32_t depth;
    uint8_t stack[GN_STAGED_DEPTH];
    uint64_t last;  /* the stamp before */
    uint64_t begun; /* the burst that found the frame was over */
    uint64_t self[GN_STAGED_COUNT];
};

extern struct gn_staged gn_staged;

/* gn_staged_sample: keeps what gn_staged has as one order that left at `now`. */
void gn_staged_sample(uint64_t now);

static inline void gn_staged_enter(enum gn_staged_stage stage)
{
    struct gn_staged *s = &gn_staged;
    if (!s->on || s->depth == GN_STAGED_DEPTH)
        return;
    const uint64_t now = __rdtsc();
    if (s->depth != 0)
        s->self[s->stack[s->depth - 1]] += now - s->last;
    s->stack[s->depth++] = (uint8_t)stage;
    s->last = now;
}

static inline void gn_staged_leave(void)
{
    struct gn_staged *s = &gn_staged;
    if (!s->on || s->depth == 0)
        return;
    const uint64_t now = __rdtsc();
    s->self[s->stack[--s->depth]] += now - s->last;
    s->last = now;
}

static inline uint16_t gn_staged_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t max)
{
    struct gn_staged *s = &gn_staged;
    const uint64_t before = s->on ? __rdtsc() : 0;
    const uint16_t n = rte_eth_rx_burst(port, queue, m, max);
    if (n != 0 && s->on) {
        memset(s->self, 0, sizeof s->self);
        s->ordered = false;
        s->depth = 0;
        s->begun = s->last = __rdtsc();
        s->self[GN_STAGED_RX] = s->begun - before;
    }
    return n;
}

static inline uint16_t gn_staged_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
    gn_staged_enter(GN_STAGED_TX);
    const uint16_t sent = rte_eth_tx_burst(port, queue, m, n);
    gn_staged_leave();
    if (gn_staged.on && gn_staged.ordered && sent != 0) {
        gn_staged.ordered = false;
        gn_staged_sample(gn_staged.last);
    }
    return sent;
}

#define GN_STAGED_CALL(stage, ...)         \
    ({                                     \
        gn_staged_enter(stage);            \
        __auto_type staged_ = __VA_ARGS__; \
        gn_staged_leave();                 \
        staged_;                           \
    })
#define GN_STAGED_VOID(stage, ...) \
    do {                           \
        gn_staged_enter(stage);    \
        __VA_ARGS__;               \
        gn_staged_leave();         \
    } while (0)

/* A macro's own name is not expanded in it: each of these is the call that it stands for. */
#define gn_book_add(...)     GN_STAGED_CALL(GN_STAGED_BOOK, gn_book_add(__VA_ARGS__))
#define gn_book_delete(...)  GN_STAGED_CALL(GN_STAGED_BOOK, gn_book_delete(__VA_ARGS__))
#define gn_book_reduce(...)  GN_STAGED_CALL(GN_STAGED_BOOK, gn_book_reduce(__VA_ARGS__))
#define gn_book_replace(...) GN_STAGED_CALL(GN_STAGED_BOOK, gn_book_replace(__VA_ARGS__))
#define gn_gate_check(...)   GN_STAGED_CALL(GN_STAGED_GATE, gn_gate_check(__VA_ARGS__))
#define gn_tcp_prepare(...)  GN_STAGED_CALL(GN_STAGED_TCP, gn_tcp_prepare(__VA_ARGS__))
#define gn_tcp_commit(...)   GN_STAGED_VOID(GN_STAGED_TCP, gn_tcp_commit(__VA_ARGS__))

/* The loop calls what the stages' own sources define. */
#ifdef GN_STAGED_LOOP
    #define rte_eth_rx_burst(...)     gn_staged_rx_burst(__VA_ARGS__)
    #define rte_eth_tx_burst(...)     gn_staged_tx_burst(__VA_ARGS__)
    #define gn_net_input(...)         GN_STAGED_CALL(GN_STAGED_NET, gn_net_input(__VA_ARGS__))
    #define gn_stage_feed_udp(...)    GN_STAGED_VOID(GN_STAGED_DECODE, gn_stage_feed_udp(__VA_ARGS__))
    #define gn_stage_strategy_md(...) GN_STAGED_VOID(GN_STAGED_STRATEGY, gn_stage_strategy_md(__VA_ARGS__))
    #define gn_stage_orders_decide(...)                                            \
        do {                                                                       \
            GN_STAGED_VOID(GN_STAGED_ENCODE, gn_stage_orders_decide(__VA_ARGS__)); \
            gn_staged.ordered = true;                                              \
        } while (0)
#endif

#endif
