/* The journal on disk, byte by byte (docs/journal.md has the same as a table). Little-endian. A segment is one file:
 *
 *      0      segment header, 4 KiB: two sectors of fields, six of zeros
 *      4096   batch, batch, ...      each padded with zeros to a multiple of 4 KiB
 *      end    zeros up to segment_bytes
 *
 *      batch = gn_journal_batch (128 bytes), then `records` times
 *              gn_journal_record (8 bytes) + the ring's record as it was (32 + payload), zero-padded to 8 bytes
 *
 * Chain: the hash of a header or of a batch is SHA-256 over its padded bytes. A batch carries the hash of what precedes
 * it: the batch before, or its segment's header when it is the first. A segment header carries the hash that the
 * segment before ended with, zeros in segment 1. So every byte ever written is under the last hash.
 *
 * Versions: a reader refuses a greater major and reads all smaller ones. A minor version adds kinds of batches, flags
 * and fields in bytes that were zero; a reader passes over kinds that it does not know, and still checks them.
 */
#ifndef GN_JOURNAL_FORMAT_H
#define GN_JOURNAL_FORMAT_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/ring.h"

#define GN_JOURNAL_MAJOR      1u
#define GN_JOURNAL_MINOR_CORR 2u /* since then every record has a correlation */
#define GN_JOURNAL_MINOR      2u /* 1: checkpoints, the tree before in the header; 2: cancels, sessions */

#define GN_JOURNAL_BLOCK  4096u /* unit of offsets and padding */
#define GN_JOURNAL_SECTOR 512u  /* what a disk writes whole or not at all */
#define GN_JOURNAL_HASH   32u

#define GN_JOURNAL_SEGMENT_MAGIC 0x474553544e4e4147ull /* "GANNTSEG" */
#define GN_JOURNAL_TABLE_MAGIC   0x5145535453414c47ull /* "GLASTSEQ" */
#define GN_JOURNAL_BATCH_MAGIC   0x424a4e47u           /* "GNJB" */
#define GN_JOURNAL_RECORD_MAGIC  0x524a4e47u           /* "GNJR" */

/* Ring numbers 0 to 62: the table of last sequences and its magic fill one sector. */
#define GN_JOURNAL_RINGS_MAX 63u

#define GN_JOURNAL_BATCH_BYTES_MIN   (16u << 10)
#define GN_JOURNAL_BATCH_BYTES_MAX   (4u << 20)
#define GN_JOURNAL_SEGMENT_BYTES_MAX (1u << 30)

#define GN_JOURNAL_NAME_FORMAT "gannet-journal-%08u.gnj"
#define GN_JOURNAL_NAME_BYTES  32u

enum gn_journal_segment_flag {
    GN_JOURNAL_SEGMENT_GAP = 1, /* records were lost and the operator accepted it: last_seq is taken as it stands */
};

struct gn_journal_segment {
    uint64_t magic;
    uint16_t major, minor;
    uint32_t header_bytes;  /* GN_JOURNAL_BLOCK: where the first batch is */
    uint64_t number;        /* from 1, contiguous; the file's name has it too */
    uint64_t segment_epoch; /* of this use of the file, never used twice: stale bytes of an earlier use do not match */
    uint64_t segment_bytes; /* size of the file */
    uint64_t created_ns;    /* ns since the Unix epoch */
    uint64_t appliance_epoch; /* of the region's header */
    uint64_t rings_id;        /* which laying-out of the rings the sequences belong to */
    char instance[32];        /* zero-terminated */
    char build[64];           /* zero-terminated */
    uint8_t config_sha256[GN_JOURNAL_HASH];
    uint8_t prev_hash[GN_JOURNAL_HASH]; /* what segment number - 1 ended with */
    uint64_t prev_end;     /* where it ended: bytes after that were torn and never counted; 0 in segment 1 */
    uint64_t first_batch;  /* sequence of the first batch in here */
    uint64_t first_record; /* records in all segments before */
    uint32_t flags;        /* GN_JOURNAL_SEGMENT_* bits */
    uint32_t pad;          /* zero */
    /* since 1.1 */
    uint64_t prev_leaves; /* leaves of the Merkle tree that segment number - 1 ended with; 0 in segment 1 */
    uint8_t prev_root[GN_JOURNAL_HASH];
    uint64_t checkpoints;  /* in all segments before */
    uint8_t reserved[204]; /* zeros */
    uint32_t crc;          /* CRC32C of the whole block with this field 0 */
    /* second sector: per ring number the last sequence before this segment, of this rings_id; 0 = none */
    uint64_t table_magic;
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX];
    uint8_t zeros[GN_JOURNAL_BLOCK - 2 * GN_JOURNAL_SECTOR];
};
static_assert(sizeof(struct gn_journal_segment) == GN_JOURNAL_BLOCK, "segment header is one block");
static_assert(offsetof(struct gn_journal_segment, major) == 8, "layout");
static_assert(offsetof(struct gn_journal_segment, header_bytes) == 12, "layout");
static_assert(offsetof(struct gn_journal_segment, number) == 16, "layout");
static_assert(offsetof(struct gn_journal_segment, segment_epoch) == 24, "layout");
static_assert(offsetof(struct gn_journal_segment, segment_bytes) == 32, "layout");
static_assert(offsetof(struct gn_journal_segment, created_ns) == 40, "layout");
static_assert(offsetof(struct gn_journal_segment, appliance_epoch) == 48, "layout");
static_assert(offsetof(struct gn_journal_segment, rings_id) == 56, "layout");
static_assert(offsetof(struct gn_journal_segment, instance) == 64, "layout");
static_assert(offsetof(struct gn_journal_segment, build) == 96, "layout");
static_assert(offsetof(struct gn_journal_segment, config_sha256) == 160, "layout");
static_assert(offsetof(struct gn_journal_segment, prev_hash) == 192, "layout");
static_assert(offsetof(struct gn_journal_segment, prev_end) == 224, "layout");
static_assert(offsetof(struct gn_journal_segment, first_batch) == 232, "layout");
static_assert(offsetof(struct gn_journal_segment, first_record) == 240, "layout");
static_assert(offsetof(struct gn_journal_segment, flags) == 248, "layout");
static_assert(offsetof(struct gn_journal_segment, prev_leaves) == 256, "layout");
static_assert(offsetof(struct gn_journal_segment, prev_root) == 264, "layout");
static_assert(offsetof(struct gn_journal_segment, checkpoints) == 296, "layout");
static_assert(offsetof(struct gn_journal_segment, crc) == 508, "crc ends the first sector");
static_assert(offsetof(struct gn_journal_segment, table_magic) == GN_JOURNAL_SECTOR, "the table has its own sector");
static_assert(offsetof(struct gn_journal_segment, last_seq) == 520, "layout");
static_assert(offsetof(struct gn_journal_segment, zeros) == 1024, "layout");

enum gn_journal_batch_kind {
    GN_JOURNAL_BATCH_RECORDS = 1,
    GN_JOURNAL_BATCH_CHECKPOINT = 2, /* checkpoint.h; since 1.1 */
};

enum gn_journal_batch_flag {
    GN_JOURNAL_BATCH_LAST = 1,  /* the segment ends here, the next one follows */
    GN_JOURNAL_BATCH_CLOSE = 2, /* the writer closed cleanly: nothing was in the rings */
};

struct gn_journal_batch {
    uint32_t magic;
    uint16_t version; /* GN_JOURNAL_MAJOR */
    uint16_t kind;    /* enum gn_journal_batch_kind */
    uint32_t bytes;   /* header + records, before padding */
    uint32_t records;
    uint64_t seq; /* from 1, contiguous over all segments */
    uint64_t segment_epoch;
    uint64_t offset;       /* of this header in the file */
    uint64_t time_ns;      /* when it was sealed, ns since the Unix epoch */
    uint64_t first_record; /* records in all batches before, over all segments */
    uint32_t flags;        /* GN_JOURNAL_BATCH_* bits */
    uint32_t crc;          /* CRC32C of header, records and padding with this field 0 */
    uint8_t prev_hash[GN_JOURNAL_HASH];
    uint32_t header_crc;  /* CRC32C of bytes 0 to 95 with crc 0: a torn batch is told from an edited header */
    uint8_t reserved[28]; /* zeros */
};
static_assert(sizeof(struct gn_journal_batch) == 128, "batch header is 128 bytes");
static_assert(offsetof(struct gn_journal_batch, bytes) == 8, "layout");
static_assert(offsetof(struct gn_journal_batch, records) == 12, "layout");
static_assert(offsetof(struct gn_journal_batch, seq) == 16, "layout");
static_assert(offsetof(struct gn_journal_batch, segment_epoch) == 24, "layout");
static_assert(offsetof(struct gn_journal_batch, offset) == 32, "layout");
static_assert(offsetof(struct gn_journal_batch, time_ns) == 40, "layout");
static_assert(offsetof(struct gn_journal_batch, first_record) == 48, "layout");
static_assert(offsetof(struct gn_journal_batch, flags) == 56, "layout");
static_assert(offsetof(struct gn_journal_batch, crc) == 60, "layout");
static_assert(offsetof(struct gn_journal_batch, prev_hash) == 64, "layout");
static_assert(offsetof(struct gn_journal_batch, header_crc) == 96, "layout");

struct gn_journal_record {
    uint32_t magic;
    uint32_t crc; /* CRC32C of the ring record (struct gn_rec and payload) and its padding */
};
static_assert(sizeof(struct gn_journal_record) == 8, "record prefix is 8 bytes");

/* gn_journal_record_bytes: what a ring record of `bytes` takes in a batch. */
static inline uint32_t gn_journal_record_bytes(uint32_t bytes)
{
    return (uint32_t)sizeof(struct gn_journal_record) + ((bytes + 7u) & ~7u);
}

static_assert(GN_JOURNAL_BATCH_BYTES_MIN >= sizeof(struct gn_journal_batch) + 8 + GN_REC_BYTES_MAX,
              "the smallest batch takes the largest record");

#endif
