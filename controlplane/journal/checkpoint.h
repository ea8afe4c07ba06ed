/* Checkpoints: a batch of one block that signs everything before it, every journal.checkpoint and at close, also when
 * nothing happened in between. The newest one stands a second time in the head file, so that a tail that was cut off
 * cleanly is missed; a copy kept elsewhere shows even the loss of both.
 *
 *      batch header (128) | struct gn_journal_checkpoint | zeros up to 4096
 *
 * Head file: two slots of one block, used in turn, each a copy of a whole checkpoint batch; written after the batch
 * itself is durable.
 */
#ifndef GN_JOURNAL_CHECKPOINT_H
#define GN_JOURNAL_CHECKPOINT_H

#include "controlplane/journal/format.h"
#include "controlplane/journal/io.h"
#include "controlplane/journal/sign.h"

#define GN_JOURNAL_CHECKPOINT_MAGIC 0x504b43544e4e4147ull /* "GANNTCKP" */
#define GN_JOURNAL_HEAD_NAME        "gannet-journal-head.gnh"
#define GN_JOURNAL_HEAD_SLOTS       2u

struct gn_journal_checkpoint {
    uint64_t magic;
    uint32_t bytes;  /* of this struct */
    uint32_t flags;  /* of its batch: CLOSE says that nothing was in the rings */
    uint64_t number; /* from 1, contiguous over all segments */
    uint64_t time_ns;
    uint64_t segment, segment_epoch, offset; /* where its batch is */
    uint64_t batch;                          /* sequence of its batch */
    uint64_t records;                        /* before it, over all segments */
    uint64_t appliance_epoch;
    char instance[32];
    uint8_t chain[GN_JOURNAL_HASH]; /* hash of what precedes it: it stands for every byte ever written */
    uint64_t leaves;                /* of the segment's Merkle tree before it: the header and its batches */
    uint8_t root[GN_JOURNAL_HASH];
    uint8_t public_key[GN_JOURNAL_PUBLIC_KEY];
    uint8_t signature[GN_JOURNAL_SIGNATURE]; /* Ed25519 over all bytes of this struct before it */
};
static_assert(offsetof(struct gn_journal_checkpoint, number) == 16, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, segment) == 32, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, batch) == 56, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, instance) == 80, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, chain) == 112, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, leaves) == 144, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, root) == 152, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, public_key) == 184, "layout");
static_assert(offsetof(struct gn_journal_checkpoint, signature) == 216, "layout");
static_assert(sizeof(struct gn_journal_checkpoint) == 280, "layout");

/* A whole checkpoint batch, as in a segment, in the head file and in a copy kept elsewhere. */
union gn_journal_checkpoint_block {
    uint8_t bytes[GN_JOURNAL_BLOCK];
    struct {
        struct gn_journal_batch batch;
        struct gn_journal_checkpoint checkpoint;
    } at;
};
static_assert(sizeof(union gn_journal_checkpoint_block) == GN_JOURNAL_BLOCK, "one block");

/* gn_journal_checkpoint_shape: NULL when the block is a checkpoint batch whose two parts agree and whose checksums
 * hold, else what is wrong, in words. The signature is another question. */
const char *gn_journal_checkpoint_shape(const union gn_journal_checkpoint_block *b);

/* gn_journal_checkpoint_sign, gn_journal_checkpoint_signed: sets, or checks, the signature; the key is the one named in
 * the checkpoint, whether it is to be trusted is the caller's to say. */
bool gn_journal_checkpoint_sign(struct gn_journal_checkpoint *c, const struct gn_journal_key *key) GN_MUST_CHECK;
bool gn_journal_checkpoint_signed(const struct gn_journal_checkpoint *c) GN_MUST_CHECK;

/* gn_journal_head_read: the newest sound slot of the head file. 1 = *out, 0 = no head file or nothing in it, negative
 * errno = it cannot be read. A torn or forged slot counts as empty. */
int gn_journal_head_read(const struct gn_journal_io *io, const char *dir,
                         union gn_journal_checkpoint_block *out) GN_MUST_CHECK;

#endif
