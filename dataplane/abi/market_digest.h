/* Digest of an order book: what two independent builders of the same book compare at rest.
 *
 * The digest of a book is the wrapping sum of gn_digest_order over its live orders, so it does not depend on the order
 * in which they are visited and can be kept incrementally (add what appears, subtract what goes). An empty book is 0.
 */
#ifndef GN_ABI_MARKET_DIGEST_H
#define GN_ABI_MARKET_DIGEST_H

#include "dataplane/abi/base.h"

/* gn_digest_mix: a 64-bit finaliser; every input bit reaches every output bit. */
static inline uint64_t gn_digest_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* gn_digest_order: hash of one live order. side is enum gn_side; price the mantissa as published (1/10000 for ITCH);
 * qty what is left of it. */
static inline uint64_t gn_digest_order(uint64_t ref, uint32_t side, int64_t price, int64_t qty)
{
    uint64_t h = gn_digest_mix((ref ^ ((uint64_t)side << 63)) + 0x9e3779b97f4a7c15ull);
    h = gn_digest_mix(h + (uint64_t)price);
    return gn_digest_mix(h + (uint64_t)qty);
}

#endif
