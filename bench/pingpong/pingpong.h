/* Ping-pong: one message of GN_PP_MESSAGE bytes there, the same back, one at a time; the client's clock is read once a
 * round, when an answer is complete and verified, so that everything both sides do in between is in it.
 *
 *      command on stdin: STACK ROUNDS PORT  ->  client: connects, ROUNDS times there and back, closes: a line of JSON
 *      command on stdin: STACK 0 PORT       ->  server: "listening", serves one connection to its end: a line of JSON
 *
 * One process serves one side of all stacks, in turns, over the same port and memory, so that what drifts meets all.
 */
#ifndef GN_BENCH_PINGPONG_H
#define GN_BENCH_PINGPONG_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/abi/frame.h"
#include "dataplane/lcore/clock.h"
#include "tools/venue-sim/io_dpdk.h"

#define GN_PP_MESSAGE    64u
#define GN_PP_ROUNDS_MAX (1u << 24)
#define GN_PP_SILENCE_NS 3000000000ull
#define GN_PP_BURST      32u

struct gn_pp {
    struct gn_sim_options opt;
    struct gn_io_dpdk io; /* one port; none for stacks of the kernel */
    bool server;
    uint32_t own_ip, peer_ip; /* host order */
    struct gn_clock clock;
    uint64_t now_ns; /* as the turn began */
    /* the round under way */
    uint16_t tcp_port, local_port;
    uint64_t rounds, done;
    uint64_t *stamp; /* TSC at the end of each round; stamp[0] when the first began */
    uint64_t progress_ns;
    uint8_t message[GN_PP_MESSAGE]; /* begins with the number of the round */
    char why[GN_PORT_ERR_LEN];      /* the sentence when it fails */
};

struct gn_pp_stack {
    const char *name;
    bool port; /* it needs the port */
    bool (*client)(struct gn_pp *p);
    bool (*serve)(struct gn_pp *p); /* says "listening" when it does */
};

extern const struct gn_pp_stack gn_pp_raw;
extern const struct gn_pp_stack gn_pp_raw_work;
extern const struct gn_pp_stack gn_pp_ours;
extern const struct gn_pp_stack gn_pp_lwip;
extern const struct gn_pp_stack gn_pp_busy;
extern const struct gn_pp_stack gn_pp_blocking;

/* gn_pp_fail: keeps the first sentence; returns false. */
bool gn_pp_fail(struct gn_pp *p, const char *what);

/* gn_pp_listening: tells whoever waits that the server is there. */
void gn_pp_listening(void);

/* gn_pp_begin: the first message is about to leave. */
static inline void gn_pp_begin(struct gn_pp *p)
{
    p->done = 0;
    gn_store_be64(p->message, 0);
    p->stamp[0] = __rdtsc();
}

/* gn_pp_answer: an answer is complete. False when it is not the message that was sent (why is set). */
static inline bool gn_pp_answer(struct gn_pp *p, const uint8_t *data)
{
    if (GN_UNLIKELY(memcmp(data, p->message, GN_PP_MESSAGE) != 0))
        return gn_pp_fail(p, "an answer is not what was sent");
    p->stamp[++p->done] = __rdtsc();
    gn_store_be64(p->message, p->done);
    return true;
}

/* gn_pp_silent: reads the clock; true, and why is set, when nothing happened for too long. busy: something did. */
static inline bool gn_pp_silent(struct gn_pp *p, bool busy)
{
    gn_clock_now(&p->clock, &p->now_ns);
    if (busy)
        p->progress_ns = p->now_ns;
    return GN_UNLIKELY(p->now_ns - p->progress_ns > GN_PP_SILENCE_NS) && !gn_pp_fail(p, "silence");
}

#endif
