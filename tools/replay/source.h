/* Records of a journal, read and verified (checksums, hash chain, sequences) by a thread of its own, so that verifying
 * does not wait for replaying nor the other way round. Blocks of records go to the caller's thread in order.
 */
#ifndef GN_REPLAY_SOURCE_H
#define GN_REPLAY_SOURCE_H

#include "controlplane/journal/reader.h"

struct gn_source_opts {
    const char *dir;
    uint64_t from_segment; /* 0 = the oldest one */
    uint64_t to_ns;        /* records of this time and later are left out; 0 = all */
    uint32_t ring;         /* the only ring that is wanted */
    const uint8_t *config_sha256;
};

struct gn_source_result {
    bool sound;                        /* all that was asked for was read and is as it was written */
    bool config_same;                  /* every segment was written under that configuration */
    uint64_t records, bytes;           /* of all rings */
    struct gn_journal_finding finding; /* when it is not sound */
};

/* gn_source_each: calls fn for every record, in order, until it returns false. False without a result when the thread
 * cannot be started. */
bool gn_source_each(const struct gn_source_opts *opts, bool (*fn)(void *arg, const struct gn_rec *rec), void *arg,
                    struct gn_source_result *result) GN_MUST_CHECK;

#endif
