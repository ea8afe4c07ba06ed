/* The metrics directory of the data plane: names every counter of lcores, gate, net, arbitration and ports, and copies
 * those that live in its own tables into the plane file, where readers find them.
 */
#ifndef GN_LCORE_COUNTERS_H
#define GN_LCORE_COUNTERS_H

struct gn_wiring;

/* gn_counters_register: fills the directory. gn_counters_copy: refreshes the copies; some times a second. */
void gn_counters_register(struct gn_wiring *w);
void gn_counters_copy(struct gn_wiring *w);

#endif
