/* An appliance's two files in a temporary directory, and the strategy host at the far end of the client's rings. */
#ifndef GN_TEST_CLIENT_FIXTURE_H
#define GN_TEST_CLIENT_FIXTURE_H

#include "dataplane/abi/region.h"
#include "dataplane/engine/strategy/strategy.h"
#include "tools/libgannet/gannet.h"

#define FIX_CELLS       256u
#define FIX_INSTRUMENTS 16u

struct fixture {
    char dir[64];
    struct gn_conf conf;
    struct gn_conf_strategy strategy;
    struct gn_region observe, own;
    struct gn_instruments *instruments;
    struct gn_tob *tob;
    struct gn_client_block *block;
    uint64_t ring_bytes;
    struct gn_strategy_ctx host;
};

/* fix_make: files of epoch 7 with instruments AAPL (of the client's strategy) and MSFT (of another). */
void fix_make(struct fixture *f);
void fix_drop(struct fixture *f);

/* fix_host: a fresh host on the client file, as after a start of the data plane. */
void fix_host(struct fixture *f);

/* fix_turn: what the host does in a turn of its loop; intents are in f->host.intent, their number is returned. */
uint32_t fix_turn(struct fixture *f);

/* fix_report: the host tells of an order. */
void fix_report(struct fixture *f, const struct gn_exec *e);

/* fix_open: gannet_open on the directory; fails the test when it does not succeed. */
struct gannet *fix_open(const struct fixture *f);

#endif
