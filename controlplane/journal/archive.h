/* What becomes of finished segments: compressed into the archive folder, and in the end deleted.
 *
 *      DIR/gannet-journal-N.gnj  --archive-->  DIR/archive/gannet-journal-N.gnz  --expire-->  DIR/archive/...-N.gnt
 *
 * `archive` may be a link to another volume. A compressed segment (.gnz) is read like any other: gn_journal_io_archive
 * shows readers the folder as if nothing had been compressed. A tombstone (.gnt) is what deletion leaves: the segment's
 * header, its end (offset, hash, tree, sequences) and who deleted it when and why, signed by the journal's key; so the
 * chain is verified across it, and what is gone has a name. A legal hold on segments forbids their deletion.
 */
#ifndef GN_JOURNAL_ARCHIVE_H
#define GN_JOURNAL_ARCHIVE_H

#include "controlplane/journal/io.h"
#include "controlplane/journal/merkle.h"
#include "controlplane/journal/reader.h"
#include "controlplane/journal/sign.h"

#define GN_ARCHIVE_DIR         "archive"
#define GN_ARCHIVE_MAGIC       0x54534a54454e4e47ull /* "GNNETJST" */
#define GN_ARCHIVE_VERSION     1u
#define GN_ARCHIVE_FRAME_BYTES (256u << 10)
#define GN_ARCHIVE_FRAMES_MAX  (GN_JOURNAL_SEGMENT_BYTES_MAX / GN_ARCHIVE_FRAME_BYTES)
#define GN_TOMBSTONE_MAGIC     0x424d4f54544e4e47ull /* "GNNTTOMB" */
#define GN_TOMBSTONE_VERSION   1u
#define GN_ARCHIVE_ERR_LEN     512u

/* Head of a .gnz; the table of frames and the frames follow. Little-endian. */
struct gn_archive_head {
    uint64_t magic;
    uint32_t version;
    uint32_t frame_bytes; /* of a frame before compression; the last one may be shorter */
    uint64_t number, segment_epoch;
    uint64_t segment_bytes; /* of the segment's file */
    uint64_t end;           /* bytes that are kept; zeros from here to segment_bytes */
    uint32_t frames;
    uint32_t table_crc;              /* CRC32C of the table */
    uint8_t sha256[GN_JOURNAL_HASH]; /* of the kept bytes */
    uint8_t reserved[28];            /* zeros */
    uint32_t head_crc;               /* CRC32C of what precedes it */
};
static_assert(sizeof(struct gn_archive_head) == 120, "archive head layout");

struct gn_archive_frame {
    uint64_t offset; /* in the file */
    uint32_t bytes;  /* compressed: one zstd frame */
    uint32_t crc;    /* CRC32C of the bytes before compression */
};
static_assert(sizeof(struct gn_archive_frame) == 16, "archive frame layout");

struct gn_tombstone {
    struct gn_journal_segment header; /* as it stood in the segment */
    uint64_t magic;
    uint32_t version, bytes;
    uint64_t number, segment_epoch;
    uint64_t end; /* offset where the segment ended */
    uint64_t next_batch, next_record, checkpoints;
    uint64_t records, batches, first_ns, last_ns; /* in it */
    uint64_t deleted_ns;
    uint64_t rings_id;
    uint8_t end_hash[GN_JOURNAL_HASH]; /* of its last batch: what the next header must carry */
    uint8_t sha256[GN_JOURNAL_HASH];   /* of its bytes up to end */
    char who[32], why[120];
    uint64_t last_seq[GN_JOURNAL_RINGS_MAX];
    struct gn_merkle tree;
    uint8_t reserved[1112]; /* zeros */
    uint8_t public_key[GN_JOURNAL_PUBLIC_KEY];
    uint8_t signature[GN_JOURNAL_SIGNATURE]; /* over all that precedes it */
};
static_assert(sizeof(struct gn_tombstone) == 8192, "tombstone layout");

/* gn_journal_io_archive: the real disk for readers (no io_uring), with what the archive folder holds in the place where
 * it was. 0 or a negative errno; free when done. */
int gn_journal_io_archive(struct gn_journal_io *io) GN_MUST_CHECK;

/* gn_archive_unpack_check: reads a whole .gnz (an open descriptor) and checks every frame and the hash; NULL or what is
 * wrong. */
const char *gn_archive_check(int fd);

/* gn_tombstone_check: shape and signature; NULL or what is wrong. */
const char *gn_tombstone_check(const struct gn_tombstone *t);

/* gn_tombstone_read: 1 = there is one of that segment and *out holds it, unchecked; 0 = none; negative errno. */
int gn_tombstone_read(const char *dir, uint64_t number, struct gn_tombstone *out) GN_MUST_CHECK;

/* ---- what the operator does; all of it is written down in archive/audit.jsonl, each line under the hash of the one
 * before ---- */

struct gn_archive_job {
    const char *dir, *who, *why;
    uint64_t now_ns;
    uint64_t keep;                    /* archive: finished segments that stay as they are */
    uint64_t older_ns;                /* expire: whose last record is older than now - this */
    const struct gn_journal_key *key; /* expire: signs the tombstones */
};

/* gn_archive_seal: compresses finished segments; how many, or negative with a sentence in err. What was compressed is
 * read back before the original goes; the order index is built when it is missing. */
int64_t gn_archive_seal(const struct gn_archive_job *job, char err[GN_ARCHIVE_ERR_LEN]) GN_MUST_CHECK;

/* gn_archive_expire: deletes compressed segments that are old enough and not held; how many, *held = kept for a hold.
 * Each is read and checked from its first byte to its last before its tombstone is written. */
int64_t gn_archive_expire(const struct gn_archive_job *job, uint64_t *held, char err[GN_ARCHIVE_ERR_LEN]) GN_MUST_CHECK;

/* gn_archive_hold: segments from to to (inclusive) stay until the hold of that name is released. */
int gn_archive_hold(const struct gn_archive_job *job, const char *name, uint64_t from, uint64_t to,
                    char err[GN_ARCHIVE_ERR_LEN]) GN_MUST_CHECK;
int gn_archive_release(const struct gn_archive_job *job, const char *name, char err[GN_ARCHIVE_ERR_LEN]) GN_MUST_CHECK;

/* gn_archive_audit: checks the chain of audit.jsonl and, when out is not NULL, prints it. Lines, or negative. */
int64_t gn_archive_audit(const char *dir, FILE *out, char err[GN_ARCHIVE_ERR_LEN]) GN_MUST_CHECK;

#endif
