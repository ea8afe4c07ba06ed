/* What libgannet keeps of an opened client. The public header is gannet.h. */
#ifndef GANNET_HANDLE_H
#define GANNET_HANDLE_H

#include <sys/stat.h>

#include "dataplane/abi/names.h"
#include "dataplane/abi/region.h"
#include "dataplane/abi/ring_peer.h"
#include "tools/libgannet/gannet.h"

#define GANNET_PATH_LEN 512u

/* One watched instrument: what its row looked like when it was last given. */
struct gannet_watched {
    uint32_t instrument;
    uint32_t lock;
    uint32_t stale;
    bool given;
};

struct gannet {
    struct gn_region observe; /* mapped read-only */
    struct gn_region own;
    const struct gn_instruments *instruments;
    const struct gn_tob *tob;
    struct gn_client_block *block;
    uint32_t room;     /* instruments that lie inside the observe file, whatever its header says */
    uint32_t strategy; /* index of the client's strategy */
    struct gn_ring_peer intents, reports;
    bool corrupt; /* latched: nothing is read or sent any more */
    int lock_fd;  /* holds the lock on the client file */
    ino_t observe_inode, own_inode;
    char observe_path[GANNET_PATH_LEN], own_path[GANNET_PATH_LEN];
    uint32_t n_watched, turn;
    struct gannet_watched watched[GANNET_WATCH_MAX];
};

#endif
