/* Merkle trees of RFC 6962, section 2.1: a leaf is SHA-256(0x00 || data), a node SHA-256(0x01 || left || right). Pure
 * functions. In a journal the data of leaf 0 of a segment is the hash of its header, of leaf n that of its batch n.
 *
 * All functions that hash return false when the library refuses (out of memory).
 */
#ifndef GN_JOURNAL_MERKLE_H
#define GN_JOURNAL_MERKLE_H

#include "controlplane/journal/format.h"

#define GN_MERKLE_PATH_MAX 64u

/* A tree that only grows: the roots of its full subtrees; node[i] counts when bit i of leaves is set. */
struct gn_merkle {
    uint64_t leaves;
    uint8_t node[GN_MERKLE_PATH_MAX][GN_JOURNAL_HASH];
};

struct gn_merkle_path {
    uint32_t count;
    uint8_t node[GN_MERKLE_PATH_MAX][GN_JOURNAL_HASH];
};

/* gn_merkle_leaf: hash of a leaf of 32 bytes of data. */
bool gn_merkle_leaf(const uint8_t data[GN_JOURNAL_HASH], uint8_t out[GN_JOURNAL_HASH]) GN_MUST_CHECK;

/* gn_merkle_add: appends the leaf of 32 bytes of data to a tree that began as all zeros. */
bool gn_merkle_add(struct gn_merkle *m, const uint8_t data[GN_JOURNAL_HASH]) GN_MUST_CHECK;

/* gn_merkle_root: of all leaves so far; of no leaf it is the hash of nothing. */
bool gn_merkle_root(const struct gn_merkle *m, uint8_t out[GN_JOURNAL_HASH]) GN_MUST_CHECK;

/* gn_merkle_inclusion: the audit path (section 2.1.1) of leaf `index` among n; leaves: n leaf hashes, index < n. */
bool gn_merkle_inclusion(const uint8_t (*leaves)[GN_JOURNAL_HASH], uint64_t n, uint64_t index,
                         struct gn_merkle_path *out) GN_MUST_CHECK;

/* gn_merkle_consistency: the proof (section 2.1.2) that the tree of the first m of n leaves is a prefix; 0 < m <= n. */
bool gn_merkle_consistency(const uint8_t (*leaves)[GN_JOURNAL_HASH], uint64_t n, uint64_t m,
                           struct gn_merkle_path *out) GN_MUST_CHECK;

/* gn_merkle_check_inclusion: the leaf hash is leaf `index` of the tree of n leaves with that root. */
bool gn_merkle_check_inclusion(const uint8_t leaf[GN_JOURNAL_HASH], uint64_t index, uint64_t n,
                               const struct gn_merkle_path *path, const uint8_t root[GN_JOURNAL_HASH]) GN_MUST_CHECK;

/* gn_merkle_check_consistency: the tree of n leaves with root_n continues the one of m leaves with root_m. */
bool gn_merkle_check_consistency(uint64_t m, uint64_t n, const uint8_t root_m[GN_JOURNAL_HASH],
                                 const uint8_t root_n[GN_JOURNAL_HASH],
                                 const struct gn_merkle_path *path) GN_MUST_CHECK;

#endif
