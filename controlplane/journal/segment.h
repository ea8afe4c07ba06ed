/* Blocks of the journal as pure functions over bytes: sealing, checking, hashing, names. What a check cannot decide
 * from the bytes alone (chain, sequence) is the reader's.
 */
#ifndef GN_JOURNAL_SEGMENT_H
#define GN_JOURNAL_SEGMENT_H

#include "controlplane/journal/format.h"

enum gn_journal_block_state {
    GN_JOURNAL_BLOCK_OK = 0,
    GN_JOURNAL_BLOCK_NONE = 1,  /* the first sector is all zeros: never written, or torn off */
    GN_JOURNAL_BLOCK_TORN = 2,  /* checksum fails and a sector is all zeros: a write that a crash cut */
    GN_JOURNAL_BLOCK_BAD = 3,   /* checksum fails and every sector was written: changed afterwards */
    GN_JOURNAL_BLOCK_NEWER = 4, /* a greater major version */
};

/* gn_journal_hash: SHA-256 of bytes into out[32]; false when the library refuses (out of memory). */
bool gn_journal_hash(const void *data, size_t bytes, uint8_t out[GN_JOURNAL_HASH]) GN_MUST_CHECK;

/* gn_journal_is_zero: all bytes are 0. */
bool gn_journal_is_zero(const void *data, size_t bytes);

/* gn_journal_has_zero_sector: one of the sectors that cover bytes from data on is all zeros; data has whole sectors. */
bool gn_journal_has_zero_sector(const void *data, size_t bytes);

/* gn_journal_seal_segment: sets crc. */
void gn_journal_seal_segment(struct gn_journal_segment *s);

/* gn_journal_check_segment: magic, version, checksum, and that sizes are within limits. */
enum gn_journal_block_state gn_journal_check_segment(const struct gn_journal_segment *s);

/* gn_journal_padded: bytes of a batch on disk. */
static inline uint32_t gn_journal_padded(uint32_t bytes)
{
    return (bytes + GN_JOURNAL_BLOCK - 1) & ~(GN_JOURNAL_BLOCK - 1);
}

/* gn_journal_seal_batch: pads with zeros up to gn_journal_padded(b->bytes), which the buffer holds, and sets both
 * checksums. */
void gn_journal_seal_batch(struct gn_journal_batch *b);

/* gn_journal_check_batch_header: the first block of a batch (GN_JOURNAL_BLOCK bytes readable), room = bytes left in the
 * segment. OK, NONE or BAD; after OK, b->bytes is within limits and within room. */
enum gn_journal_block_state gn_journal_check_batch_header(const struct gn_journal_batch *b, uint64_t room);

/* gn_journal_check_batch: a batch whose header is OK, all its padded bytes readable: OK, TORN or BAD. */
enum gn_journal_block_state gn_journal_check_batch(const struct gn_journal_batch *b);

/* gn_journal_file_name: the name of segment number. gn_journal_file_number: the number of a name, 0 = not a segment. */
void gn_journal_file_name(uint64_t number, char name[GN_JOURNAL_NAME_BYTES]);
uint64_t gn_journal_file_number(const char *name);

#endif
