/* The archive folder's own records: who did what (audit.jsonl, hash-chained) and what must stay (holds). One process at
 * a time: an exclusive flock on the folder from gn_audit_open to gn_audit_close.
 */
#ifndef GN_JOURNAL_AUDIT_H
#define GN_JOURNAL_AUDIT_H

#include "controlplane/journal/archive.h"

#define GN_HOLDS_MAX     256u
#define GN_HOLD_NAME_MAX 32u

struct gn_hold {
    char name[GN_HOLD_NAME_MAX];
    uint64_t from, to;
};

struct gn_audit {
    int folder; /* descriptor of the archive folder, locked */
    uint64_t lines;
    uint8_t last[GN_JOURNAL_HASH]; /* hash of the last line */
    uint32_t holds;
    struct gn_hold hold[GN_HOLDS_MAX];
};

/* gn_audit_open: makes the folder when it is missing, takes the lock, checks the chain, reads the holds. */
int gn_audit_open(struct gn_audit *a, const struct gn_archive_job *job, char err[GN_ARCHIVE_ERR_LEN]) GN_MUST_CHECK;
void gn_audit_close(struct gn_audit *a);

/* gn_audit_say: appends a line, durable when it returns. */
int gn_audit_say(struct gn_audit *a, const struct gn_archive_job *job, const char *what, uint64_t from, uint64_t to,
                 const char *name, char err[GN_ARCHIVE_ERR_LEN]) GN_MUST_CHECK;

/* gn_audit_held: a hold covers the segment. */
bool gn_audit_held(const struct gn_audit *a, uint64_t segment);

#endif
