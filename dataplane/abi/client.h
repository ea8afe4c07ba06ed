/* A desk's own process: its file holds the only two rings that it may write or release. What it writes is checked by
 * the strategy host as a packet would be.
 */
#ifndef GN_ABI_CLIENT_H
#define GN_ABI_CLIENT_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/ring.h"

struct gn_client_block {
    uint64_t ring_bytes; /* of each; intents from the client first, then reports to it */
    uint32_t index;
    uint32_t strategy;
    _Atomic uint64_t beat; /* moved by the client */
    uint8_t pad[GN_GUARD - 24];
};
static_assert(sizeof(struct gn_client_block) == GN_GUARD, "rings start on a line of their own");

static inline uint64_t gn_client_footprint(uint32_t cells)
{
    return sizeof(struct gn_client_block) + 2 * gn_align_up(gn_ring_footprint(cells), GN_GUARD);
}

static inline struct gn_ring *gn_client_intents(struct gn_client_block *b)
{
    return (struct gn_ring *)(void *)(b + 1);
}

static inline struct gn_ring *gn_client_reports(struct gn_client_block *b, uint64_t ring_bytes)
{
    return (struct gn_ring *)(void *)((uint8_t *)(b + 1) + ring_bytes);
}

#endif
