/* Proofs for somebody who has not got the journal, only the public key: that a record is in it, and that a later
 * checkpoint continues an earlier one.
 *
 *      record in its batch -> leaf of the segment's tree -> root in a signed checkpoint
 *                                                        \-> root in the next segment's header -> leaf 0 there -> ...
 */
#ifndef GN_JOURNAL_PROOF_H
#define GN_JOURNAL_PROOF_H

#include "controlplane/journal/merkle.h"
#include "controlplane/journal/reader.h"

#define GN_JOURNAL_PROOF_STAGES_MAX 64u

/* A block whose hash is the data of leaf `index` of a tree of `leaves`. */
struct gn_journal_proof_stage {
    uint8_t *bytes; /* stage 0: a padded batch; further ones: a segment header */
    uint32_t size;
    uint64_t index, leaves;
    struct gn_merkle_path path;
};

struct gn_journal_proof {
    uint32_t ring;
    uint32_t record_offset; /* of the record's prefix in stage 0 */
    uint64_t seq;
    uint32_t stages;
    struct gn_journal_proof_stage stage[GN_JOURNAL_PROOF_STAGES_MAX];
    union gn_journal_checkpoint_block checkpoint;
};

/* gn_journal_prove: for record seq of a ring, up to the first checkpoint after it. segment 0 = the newest segment that
 * may have it. GN_JOURNAL_ERR_ARG when the record is not there or no checkpoint follows it (finding->reason tells). The
 * proof is freed with gn_journal_proof_free in any case. */
int gn_journal_prove(const char *dir, const struct gn_journal_io *io, uint32_t ring, uint64_t seq, uint64_t segment,
                     struct gn_journal_proof *out, struct gn_journal_finding *finding) GN_MUST_CHECK;
void gn_journal_proof_free(struct gn_journal_proof *p);

/* gn_journal_proof_check: NULL when the proof holds, else the reason why not. The stages' bytes are untrusted.
 * public_key NULL = the one that the checkpoint names. After NULL, *record is in stage 0. */
const char *gn_journal_proof_check(const struct gn_journal_proof *p, const uint8_t *public_key,
                                   const struct gn_rec **record);

struct gn_journal_consistency {
    union gn_journal_checkpoint_block from, to; /* of one segment */
    struct gn_merkle_path path;
};

/* gn_journal_prove_consistency: between checkpoints of those numbers, from < to. GN_JOURNAL_ERR_ARG when one is missing
 * or they are not of one segment. */
int gn_journal_prove_consistency(const char *dir, const struct gn_journal_io *io, uint64_t from, uint64_t to,
                                 struct gn_journal_consistency *out, struct gn_journal_finding *finding) GN_MUST_CHECK;

/* gn_journal_consistency_check: NULL when `to` continues `from`, else the reason why not. */
const char *gn_journal_consistency_check(const struct gn_journal_consistency *p, const uint8_t *public_key);

#endif
