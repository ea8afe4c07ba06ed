/* Counters of a lcore, and the directory that names every counter of the appliance for readers.
 *
 * A counter is a uint64_t in the plane file, written by one lcore. The directory says where each is, what it is called
 * and what it means, so that the control plane and gannetctl show counters of code they know nothing of.
 */
#ifndef GN_ABI_METRICS_H
#define GN_ABI_METRICS_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/verdict.h"

/* X(name, "help"): counters of each lcore. */
#define GN_LCORE_METRICS(X)                                                                                          \
    X(rx_packets, "frames received on all ports of the lcore")                                                       \
    X(rx_bytes, "bytes of those frames")                                                                             \
    X(tx_packets, "frames handed to the ports")                                                                      \
    X(tx_retries, "turns in which a port took fewer frames than offered; the rest was offered again")                \
    X(tx_dropped, "frames that a port did not take within the retry limit")                                          \
    X(md_packets, "market-data packets accepted by arbitration")                                                     \
    X(md_messages, "market-data messages applied")                                                                   \
    X(md_unknown_ref, "messages naming an order that is not in the book")                                            \
    X(md_bad_message, "messages of unknown type or wrong length")                                                    \
    X(md_bad_book, "messages that no book could take: duplicate reference, zero or excessive quantity")              \
    X(md_book_full, "orders not kept because a table was full; the book is marked stale")                            \
    X(md_no_instrument, "messages for an instrument beyond the table")                                               \
    X(md_foreign_udp, "UDP packets to nobody")                                                                       \
    X(md_bad_packet, "packets whose MoldUDP64 framing is wrong")                                                     \
    X(md_requests, "retransmission requests sent")                                                                   \
    X(md_events, "book, trade and status events given to strategies")                                                \
    X(intents, "intents of strategies taken by the gate")                                                            \
    X(intents_lost, "intents that a strategy gave when its queue was full")                                          \
    X(execs_lost, "reports that a strategy's or client's ring had no room for")                                      \
    X(orders_sent, "new orders handed to TCP")                                                                       \
    X(replaces_sent, "replaces handed to TCP")                                                                       \
    X(cancels_sent, "cancels and reductions handed to TCP")                                                          \
    X(mass_cancels_sent, "mass cancels handed to TCP")                                                               \
    X(orders_held, "orders and replaces that waited until their record was durable (journal.mode sync)")             \
    X(held_dropped, "of those: given up before they were sent: killed, too late, or refused by the second check")    \
    X(venue_messages, "messages of the venue taken")                                                                 \
    X(venue_bad, "messages of the venue with a wrong type, length or field")                                         \
    X(venue_unknown_order, "messages of the venue for an order that is not in the table")                            \
    X(order_illegal, "order events that the transition table forbids")                                               \
    X(breaker_trips, "times a session's circuit breaker opened")                                                     \
    X(deadman_trips, "times a session's dead-man timer ran out")                                                     \
    X(breaks, "differences between our books and the venue's that the order sessions showed")                        \
    X(session_errors, "sessions lost by protocol errors")                                                            \
    X(events_lost, "journal records that found no room; trading stops at the first")                                 \
    X(ring_full, "turns in which a stage ring had no room")                                                          \
    X(ring_lost, "stage records lost because the neighbour lcore did not take them; trading is killed at the first") \
    X(client_bad, "client intents or rings that failed their check")                                                 \
    X(risk_breaches, "losses of an instrument or scope beyond its limit; the ladder was raised")                     \
    X(budget_soft, "message budgets that passed four fifths")                                                        \
    X(prices_guarded, "instruments whose price a guard began to hold back, or for another reason")                   \
    X(otr_warnings, "order-to-trade ratios above their warning")                                                     \
    X(smp_cancels, "resting own orders cancelled because a new one would meet them")                                 \
    X(overrides_used, "orders that passed by a token of two persons")                                                \
    X(strategies_disabled, "strategies disabled because they repeated themselves too often")                         \
    X(allocated_bytes, "bytes allocated by the lcore's thread since its loop began: 0, or the design is broken")

struct gn_lcore_metrics {
#define GN_X(name, help) uint64_t name;
    GN_LCORE_METRICS(GN_X)
#undef GN_X
    uint64_t verdict[GN_VERDICT_COUNT];
    uint64_t idle_loops, busy_loops;
    uint8_t pad[GN_GUARD];
};

#define GN_METRICS_DIR_MAX 1024u

struct gn_metric_row {
    char name[48]; /* as Prometheus wants it, without the gannet_ in front */
    char help[120];
    uint64_t offset; /* of the uint64_t in the plane file */
    uint32_t lcore;
    uint32_t kind; /* 0 = counter, 1 = gauge */
    uint64_t pad;
};
static_assert(sizeof(struct gn_metric_row) == 192, "gn_metric_row layout");

struct gn_metrics_dir {
    _Atomic uint32_t count; /* release by the data plane when all rows are written, acquire by readers */
    uint8_t pad[GN_GUARD - 4];
    struct gn_metric_row row[GN_METRICS_DIR_MAX];
};

#endif
