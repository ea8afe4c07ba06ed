/* From the shared region to loops that can run: attaches the files, lays out or joins the data plane's own tables, and
 * connects every stage of every lcore to what it reads and writes. All memory is taken here; nothing afterwards.
 */
#ifndef GN_LCORE_WIRING_H
#define GN_LCORE_WIRING_H

#include "dataplane/abi/region.h"
#include "dataplane/lcore/loop.h"

#define GN_WIRING_ERR_LEN GN_REGION_ERR_LEN

struct gn_wiring {
    struct gn_region plane, observe, own, client[GN_CLIENTS_MAX];
    const struct gn_conf *conf;
    struct gn_control *control;
    struct gn_clock clock;
    _Atomic uint32_t stop; /* release by the main thread pairs with acquire in the loops */
    uint32_t carried;      /* ports, bit by bit, whose TCP connections go on */
    bool joined;           /* the tables of an earlier life were found and are sound */
    bool books_kept;       /* among them books and arbitration, and nothing in them is missing in the journal */
    uint32_t n_loops;
    struct gn_loop loop[GN_LCORES_MAX];
    struct gn_port port[GN_PORTS_MAX];
};

/* gn_wiring_attach: maps plane and observe of the run directory or plane file. False with a sentence in err. */
bool gn_wiring_attach(struct gn_wiring *w, const char *plane_path, char err[GN_WIRING_ERR_LEN]) GN_MUST_CHECK;

/* gn_wiring_ports: opens the ports of the config; after rte_eal_init. */
bool gn_wiring_ports(struct gn_wiring *w, char err[GN_WIRING_ERR_LEN]) GN_MUST_CHECK;

/* gn_wiring_connect: own tables, stages, loops, metrics directory. After gn_wiring_ports. */
bool gn_wiring_connect(struct gn_wiring *w, char err[GN_WIRING_ERR_LEN]) GN_MUST_CHECK;

/* gn_wiring_copy_counters: takes over the counters of net, arbiter and ports for readers of the plane file; for the
 * main thread, some times a second. */
void gn_wiring_copy_counters(struct gn_wiring *w);

#endif
