#include "controlplane/journal/merkle.h"

#include "controlplane/journal/segment.h"

bool gn_merkle_leaf(const uint8_t data[GN_JOURNAL_HASH], uint8_t out[GN_JOURNAL_HASH])
{
    uint8_t buf[1 + GN_JOURNAL_HASH] = {0};
    memcpy(buf + 1, data, GN_JOURNAL_HASH);
    return gn_journal_hash(buf, sizeof buf, out);
}

/* out may be left or right. */
static bool join(const uint8_t *left, const uint8_t *right, uint8_t *out)
{
    uint8_t buf[1 + 2 * GN_JOURNAL_HASH] = {1};
    memcpy(buf + 1, left, GN_JOURNAL_HASH);
    memcpy(buf + 1 + GN_JOURNAL_HASH, right, GN_JOURNAL_HASH);
    return gn_journal_hash(buf, sizeof buf, out);
}

bool gn_merkle_add(struct gn_merkle *m, const uint8_t data[GN_JOURNAL_HASH])
{
    uint8_t hash[GN_JOURNAL_HASH];
    uint32_t level = 0;
    if (!gn_merkle_leaf(data, hash))
        return false;
    for (; (m->leaves >> level & 1) != 0; level++)
        if (!join(m->node[level], hash, hash))
            return false;
    memcpy(m->node[level], hash, sizeof hash);
    m->leaves++;
    return true;
}

bool gn_merkle_root(const struct gn_merkle *m, uint8_t out[GN_JOURNAL_HASH])
{
    bool any = false;
    if (m->leaves == 0)
        return gn_journal_hash("", 0, out);
    for (uint32_t level = 0; level < GN_MERKLE_PATH_MAX; level++) {
        if ((m->leaves >> level & 1) == 0)
            continue;
        if (!any)
            memcpy(out, m->node[level], GN_JOURNAL_HASH);
        else if (!join(m->node[level], out, out))
            return false;
        any = true;
    }
    return true;
}

/* The largest power of two below n; n >= 2. */
static uint64_t split(uint64_t n)
{
    return 1ull << (63 - __builtin_clzll(n - 1));
}

/* Root over leaf hashes [0, n), n >= 1. */
static bool root_of(const uint8_t (*leaves)[GN_JOURNAL_HASH], uint64_t n, uint8_t out[GN_JOURNAL_HASH])
{
    struct gn_merkle m = {.leaves = 0};
    for (uint64_t i = 0; i < n; i++) {
        uint32_t level = 0;
        uint8_t hash[GN_JOURNAL_HASH];
        memcpy(hash, leaves[i], sizeof hash);
        for (; (m.leaves >> level & 1) != 0; level++)
            if (!join(m.node[level], hash, hash))
                return false;
        memcpy(m.node[level], hash, sizeof hash);
        m.leaves++;
    }
    return gn_merkle_root(&m, out);
}

static void turn_round(struct gn_merkle_path *p)
{
    for (uint32_t i = 0; i < p->count / 2; i++) {
        uint8_t swap[GN_JOURNAL_HASH];
        memcpy(swap, p->node[i], sizeof swap);
        memcpy(p->node[i], p->node[p->count - 1 - i], sizeof swap);
        memcpy(p->node[p->count - 1 - i], swap, sizeof swap);
    }
}

bool gn_merkle_inclusion(const uint8_t (*leaves)[GN_JOURNAL_HASH], uint64_t n, uint64_t index,
                         struct gn_merkle_path *out)
{
    out->count = 0;
    while (n > 1) {
        const uint64_t k = split(n);
        uint8_t *node = out->node[out->count++];
        if (index < k) {
            if (!root_of(leaves + k, n - k, node))
                return false;
            n = k;
        } else {
            if (!root_of(leaves, k, node))
                return false;
            leaves += k;
            index -= k;
            n -= k;
        }
    }
    turn_round(out); /* the leaf's sibling comes first */
    return true;
}

bool gn_merkle_consistency(const uint8_t (*leaves)[GN_JOURNAL_HASH], uint64_t n, uint64_t m, struct gn_merkle_path *out)
{
    bool whole = true; /* the subtree looked at begins with the old tree's first leaf: its root is known */
    out->count = 0;
    while (m != n) {
        const uint64_t k = split(n);
        uint8_t *node = out->node[out->count++];
        if (m <= k) {
            if (!root_of(leaves + k, n - k, node))
                return false;
            n = k;
        } else {
            if (!root_of(leaves, k, node))
                return false;
            leaves += k;
            m -= k;
            n -= k;
            whole = false;
        }
    }
    if (!whole && !root_of(leaves, n, out->node[out->count++]))
        return false;
    turn_round(out);
    return true;
}

bool gn_merkle_check_inclusion(const uint8_t leaf[GN_JOURNAL_HASH], uint64_t index, uint64_t n,
                               const struct gn_merkle_path *path, const uint8_t root[GN_JOURNAL_HASH])
{
    uint8_t hash[GN_JOURNAL_HASH];
    uint64_t last = n - 1;
    if (index >= n || path->count > GN_MERKLE_PATH_MAX)
        return false;
    memcpy(hash, leaf, sizeof hash);
    for (uint32_t i = 0; i < path->count; i++) {
        if (last == 0)
            return false;
        if ((index & 1) != 0 || index == last) {
            if (!join(path->node[i], hash, hash))
                return false;
            while ((index & 1) == 0 && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else if (!join(hash, path->node[i], hash)) {
            return false;
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, sizeof hash) == 0;
}

bool gn_merkle_check_consistency(uint64_t m, uint64_t n, const uint8_t root_m[GN_JOURNAL_HASH],
                                 const uint8_t root_n[GN_JOURNAL_HASH], const struct gn_merkle_path *path)
{
    uint8_t old[GN_JOURNAL_HASH], new[GN_JOURNAL_HASH];
    uint64_t at = m - 1, last = n - 1;
    uint32_t i = 0;
    if (m == 0 || m > n || path->count > GN_MERKLE_PATH_MAX)
        return false;
    if (m == n)
        return path->count == 0 && memcmp(root_m, root_n, GN_JOURNAL_HASH) == 0;
    while ((at & 1) != 0) {
        at >>= 1;
        last >>= 1;
    }
    /* A full old tree is itself the first node. */
    if (at != 0 && path->count == 0)
        return false;
    memcpy(old, at != 0 ? path->node[i++] : root_m, sizeof old);
    memcpy(new, old, sizeof new);
    for (; i < path->count; i++) {
        if (last == 0)
            return false;
        if ((at & 1) != 0 || at == last) {
            if (!join(path->node[i], old, old) || !join(path->node[i], new, new))
                return false;
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else if (!join(new, path->node[i], new)) {
            return false;
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(old, root_m, sizeof old) == 0 && memcmp(new, root_n, sizeof new) == 0;
}
