/* Recovery: where a writer continues. Reads the headers of all segments and every byte of the last one; the chain of
 * the older ones is gn_journal_verify's business.
 */
#ifndef GN_JOURNAL_RECOVER_H
#define GN_JOURNAL_RECOVER_H

#include "controlplane/journal/err.h"
#include "controlplane/journal/format.h"
#include "controlplane/journal/io.h"
#include "controlplane/journal/merkle.h"

struct gn_journal_recovered {
    uint64_t segment; /* last one with a header, 0 = none */
    uint64_t end;     /* offset after its last whole batch */
    uint64_t segment_epoch, next_batch, records;
    uint64_t rings_id;
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX]; /* durable, of rings_id */
    uint64_t prepared;                       /* whole zero-filled segments right after it that were kept */
    uint64_t checkpoints;                    /* of all lives */
    struct gn_merkle tree;                   /* of the last segment */
    uint64_t torn_bytes;
    uint8_t chain[GN_JOURNAL_HASH];
    uint8_t config_sha256[GN_JOURNAL_HASH];
    bool closed_clean;
};

/* gn_journal_recover: makes durable what can be read, checks it, and removes files that were never finished (prepared
 * segments of another size or torn ones, left-over temporary files). Files with a header are never changed. A journal
 * that ends before the checkpoint in its head file lost a tail that was durable: refused unless accept_lost. On failure
 * *err names file, offset and reason. */
int gn_journal_recover(const struct gn_journal_io *io, const char *dir, uint64_t segment_bytes, bool accept_lost,
                       struct gn_journal_recovered *out, char *err, size_t err_bytes) GN_MUST_CHECK;

#endif
