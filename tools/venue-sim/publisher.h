/* The publisher: takes messages from the market source when they are due, packs them into MoldUDP64 packets and sends
 * each packet on both lines; keeps what it published; then lets the reference books and the matching see it.
 *
 *     WAITING --start--> RUNNING <--pause, resume--> PAUSED        any --source at its end--> ENDED
 *
 * A message's time of publication is taken right before its packet goes to the ports. Books and resting orders follow
 * after that, so that the simulator's own work does not lengthen what it measures.
 */
#ifndef GN_SIM_PUBLISHER_H
#define GN_SIM_PUBLISHER_H

#include "dataplane/abi/base.h"
#include "drivers/venue/nasdaq/moldudp64.h"
#include "tools/venue-sim/book.h"
#include "tools/venue-sim/history.h"
#include "tools/venue-sim/impair.h"
#include "tools/venue-sim/latency.h"
#include "tools/venue-sim/link.h"
#include "tools/venue-sim/market.h"
#include "tools/venue-sim/matching.h"

#define GN_PUB_PAYLOAD_MAX  1400u
#define GN_PUB_PACKETS_TURN 8u /* packets of one turn at most, so that the other duties get theirs */

enum gn_pub_state {
    GN_PUB_WAITING = 0,
    GN_PUB_RUNNING = 1,
    GN_PUB_PAUSED = 2,
    GN_PUB_ENDED = 3,
};

struct gn_pub_line {
    uint32_t link;
    uint32_t group; /* multicast address */
    uint16_t port;  /* UDP */
    uint16_t pad;
};

struct gn_pub_config {
    char session[GN_MOLD_SESSION];
    uint64_t rate;        /* messages a second; 0: by capture time, or without pause when speed_milli is 0 too */
    uint64_t speed_milli; /* thousandths of capture time: 1000 is real time */
    uint32_t pack_us;     /* least time between packets that are not full */
    uint32_t heartbeat_ms;
    uint16_t src_port;
    struct gn_pub_line line[GN_IMPAIR_LINES];
};

/* X(member, "help") */
#define GN_PUB_STATS(X)                                                            \
    X(messages, "messages published")                                              \
    X(bytes, "bytes of those messages")                                            \
    X(packets, "packets made, sent on both lines")                                 \
    X(heartbeats, "heartbeats")                                                    \
    X(held_flushed, "packets held back that were let go at a pause or at the end") \
    X(late_max_ns, "longest delay of a message against its schedule")              \
    X(tx_errors, "datagrams that the endpoint refused")

struct gn_pub_stats {
#define GN_X(member, help) uint64_t member;
    GN_PUB_STATS(GN_X)
#undef GN_X
    uint64_t line_packets[GN_IMPAIR_LINES]; /* put on the wire, doubles and late ones included */
};

struct gn_pub {
    struct gn_pub_config cfg;
    struct gn_market *market;
    struct gn_sim_links *links;
    struct gn_sim_books *books;
    struct gn_match *match;
    struct gn_impair *impair;
    struct gn_history *history;
    struct gn_lat_ring *stamps;
    uint32_t state; /* enum gn_pub_state */
    bool ready;     /* next_msg holds a message */
    uint16_t next_len;
    uint64_t next_time; /* capture time of it */
    uint64_t due_ns;    /* when it is due */
    uint64_t due_part;  /* 1/65536 ns of due_ns */
    uint64_t step_whole, step_part;
    uint64_t start_ns, first_time; /* publication began, with a message of that capture time */
    uint64_t paused_ns;
    uint64_t packet_ns; /* no packet before, unless it is full */
    uint64_t last_ns;   /* of the last packet or heartbeat */
    uint64_t applied;   /* first sequence that the books have not seen */
    struct gn_pub_stats stats;
    uint8_t next_msg[GN_MARKET_MSG_MAX];
    uint8_t packet[GN_PUB_PAYLOAD_MAX];
};

/* gn_pub_init: everything but cfg and the pointers is set; the first message is read. */
void gn_pub_init(struct gn_pub *p);

/* gn_pub_start / _pause / _resume: change the state when it is the fitting one. Pausing lets held packets go. */
void gn_pub_start(struct gn_pub *p, uint64_t now_ns);
void gn_pub_pause(struct gn_pub *p, uint64_t now_ns);
void gn_pub_resume(struct gn_pub *p, uint64_t now_ns);

/* gn_pub_turn: sends the packets that are due, up to GN_PUB_PACKETS_TURN of them, or a heartbeat. Returns the messages
 * published. Call gn_pub_apply until it returns 0 afterwards. */
uint32_t gn_pub_turn(struct gn_pub *p, uint64_t now_ns);

/* gn_pub_apply: shows the next published message to books and matching; how many are left after it. */
uint64_t gn_pub_apply(struct gn_pub *p, uint64_t venue_ns);

/* gn_pub_end_packets: the end of the session, once on each line. */
void gn_pub_end_packets(struct gn_pub *p, uint64_t now_ns);

#endif
