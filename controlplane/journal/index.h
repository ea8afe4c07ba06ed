/* An index file beside a finished segment: which batches name an order. It speeds queries up and proves nothing: it is
 * bound to the segment's hash, rebuilt when it is missing or does not fit, and may be deleted at any time.
 *
 *      header (128 bytes) | entries, sorted by order id, then offset
 */
#ifndef GN_JOURNAL_INDEX_H
#define GN_JOURNAL_INDEX_H

#include "controlplane/journal/reader.h"

#define GN_JOURNAL_INDEX_MAGIC   0x5844494a54454e47ull /* "GNETJIDX" */
#define GN_JOURNAL_INDEX_VERSION 1u
#define GN_JOURNAL_INDEX_FORMAT  "gannet-journal-%08u.gni"

struct gn_journal_index {
    uint64_t magic;
    uint32_t version;
    uint32_t header_crc; /* CRC32C of this struct with the field 0 */
    uint64_t segment, segment_epoch;
    uint64_t entries;
    uint64_t records;
    uint64_t first_ns, last_ns; /* least and greatest time_ns of its records */
    uint32_t entries_crc;       /* CRC32C of all entries */
    uint32_t pad;
    uint8_t end_hash[GN_JOURNAL_HASH]; /* what the segment ends with */
    uint8_t reserved[24];
};
static_assert(sizeof(struct gn_journal_index) == 128, "index header is 128 bytes");

struct gn_journal_index_entry {
    uint64_t order;
    uint32_t batch;   /* offset in the segment's file */
    uint32_t records; /* in that batch that name the order */
};
static_assert(sizeof(struct gn_journal_index_entry) == 16, "index entry is 16 bytes");

#define GN_JOURNAL_ORDERS_MAX 4u

/* gn_journal_orders_of: the order ids that a record names (id, target, previous id, correlation), without 0 and without
 * repeats. Returns how many. */
uint32_t gn_journal_orders_of(const struct gn_journal_item *item, uint64_t out[GN_JOURNAL_ORDERS_MAX]);

/* gn_journal_index_build: reads a segment and writes its index; refused (GN_JOURNAL_ERR_ARG) when it is not finished:
 * records may still come. */
int gn_journal_index_build(const char *dir, uint64_t segment) GN_MUST_CHECK;

/* gn_journal_index_find: offsets of the batches that name an order, ascending, at most room. Returns how many there
 * are, or a negative enum gn_journal_err when the index is missing, damaged or of another segment. end_hash: what the
 * segment ends with, NULL = not known. Checks the header and each entry that it meets, not the whole file. */
int64_t gn_journal_index_find(const char *dir, uint64_t segment, uint64_t segment_epoch, const uint8_t *end_hash,
                              uint64_t order, uint32_t *out, uint32_t room) GN_MUST_CHECK;

/* gn_journal_index_times: first and last time of a segment's records; false when there is no index. */
bool gn_journal_index_times(const char *dir, uint64_t segment, uint64_t segment_epoch, const uint8_t *end_hash,
                            uint64_t *first_ns, uint64_t *last_ns) GN_MUST_CHECK;

#endif
