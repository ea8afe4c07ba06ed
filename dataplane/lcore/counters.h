/* The metrics directory of the data plane: names every counter of lcores, gate, net, arbitration and ports, and copies
 * those that live in its own tables into the plane file, where readers find them.
 */
#ifndef GN_LCORE_COUNTERS_H
#define GN_LCORE_COUNTERS_H

/* X(name, member of rte_eth_stats, "help") */
#define GN_PORT_METRICS(X)                                                                \
    X(port_rx_packets, ipackets, "frames received, as the port counts them")              \
    X(port_tx_packets, opackets, "frames sent, as the port counts them")                  \
    X(port_rx_missed, imissed, "frames that the port dropped because its queue was full") \
    X(port_rx_errors, ierrors, "frames that the port dropped as erroneous")               \
    X(port_tx_errors, oerrors, "frames that the port could not send")                     \
    X(port_rx_nombuf, rx_nombuf, "frames lost because no buffer was free")

struct gn_wiring;

/* gn_counters_register: fills the directory. gn_counters_copy: refreshes the copies; some times a second. */
void gn_counters_register(struct gn_wiring *w);
void gn_counters_copy(struct gn_wiring *w);

#endif
