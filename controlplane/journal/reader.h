/* The journal's readers, for gannetctl, recovery, replay and tests. They trust no byte: a segment's header, each batch
 * and each record is checked before it is handed out.
 */
#ifndef GN_JOURNAL_READER_H
#define GN_JOURNAL_READER_H

#include <stdio.h>

#include "controlplane/journal/checkpoint.h"
#include "controlplane/journal/err.h"
#include "controlplane/journal/format.h"
#include "controlplane/journal/io.h"
#include "dataplane/abi/event.h"

/* What a check found. The first damage stops a reader. */
enum gn_journal_damage {
    GN_JOURNAL_SOUND = 0,
    GN_JOURNAL_DAMAGE_EDIT = 1,        /* bytes differ from what was written */
    GN_JOURNAL_DAMAGE_TRUNCATED = 2,   /* bytes or batches are missing at the end of a segment */
    GN_JOURNAL_DAMAGE_DROPPED = 3,     /* a segment is missing */
    GN_JOURNAL_DAMAGE_SWAPPED = 4,     /* a segment stands in another one's place */
    GN_JOURNAL_DAMAGE_STALE = 5,       /* non-zero bytes where nothing was ever written */
    GN_JOURNAL_DAMAGE_CHAIN = 6,       /* whole by itself, but not the successor of what precedes it: a fork */
    GN_JOURNAL_DAMAGE_SEQUENCE = 7,    /* a ring's sequence has a gap or a repeat */
    GN_JOURNAL_DAMAGE_CONFIG = 8,      /* written under another configuration than the expected one */
    GN_JOURNAL_DAMAGE_VERSION = 9,     /* newer major version */
    GN_JOURNAL_DAMAGE_HOLE = 10,       /* a batch is missing and whole ones follow it */
    GN_JOURNAL_DAMAGE_UNREADABLE = 11, /* the storage failed to read */
    GN_JOURNAL_DAMAGE_SIGNATURE =
        12, /* a checkpoint that its key did not sign, or of another key than the trusted one */
};

/* gn_journal_damage_name: "edit", "truncated", ...; never NULL. */
const char *gn_journal_damage_name(enum gn_journal_damage damage);

struct gn_journal_finding {
    enum gn_journal_damage damage;
    uint64_t segment; /* number, 0 = none */
    uint64_t offset;  /* in its file */
    char file[GN_JOURNAL_NAME_BYTES];
    char reason[192]; /* one sentence */
};

/* A record as the cursor hands it out; pointers are valid until the next call. */
struct gn_journal_item {
    const struct gn_journal_segment *segment;
    const struct gn_journal_batch *batch;
    const struct gn_rec *rec; /* aligned to 8 bytes; the payload follows it */
    const uint8_t *payload;
    uint32_t payload_bytes; /* >= sizeof the payload struct is NOT promised: check */
    uint64_t offset;        /* of the record's prefix in the file */
};

struct gn_journal_reader;

/* gn_journal_reader_open: a cursor before the first record of the oldest segment in dir. io NULL = the real disk. On
 * failure *finding tells. A directory without segments is GN_JOURNAL_OK and empty. */
int gn_journal_reader_open(struct gn_journal_reader **out, const char *dir, const struct gn_journal_io *io,
                           struct gn_journal_finding *finding) GN_MUST_CHECK;

/* gn_journal_reader_seek: before the first record of that segment; its header is taken as the start of the chain. */
int gn_journal_reader_seek(struct gn_journal_reader *r, uint64_t segment) GN_MUST_CHECK;

/* gn_journal_reader_resume: after an end, so that what was written since is read on: for who follows a writer. */
int gn_journal_reader_resume(struct gn_journal_reader *r) GN_MUST_CHECK;

/* gn_journal_reader_next: 1 = *item is the next record, 0 = the end (a torn tail is an end), negative = damage, told in
 * gn_journal_reader_finding; stays so. */
int gn_journal_reader_next(struct gn_journal_reader *r, struct gn_journal_item *item) GN_MUST_CHECK;

const struct gn_journal_finding *gn_journal_reader_finding(const struct gn_journal_reader *r);

void gn_journal_reader_close(struct gn_journal_reader *r);

struct gn_journal_ring_report {
    uint64_t records, first_seq, last_seq;
};

#define GN_JOURNAL_TYPES 64u /* rows of the per-type counts; the last one counts all unknown types */

struct gn_journal_report {
    struct gn_journal_finding finding;          /* the first damage; GN_JOURNAL_SOUND when there is none */
    uint64_t segments, batches, records, bytes; /* checked and found sound */
    uint64_t first_segment, last_segment;
    uint64_t prepared;                            /* segments made ahead, all zeros */
    uint64_t torn_tails;                          /* ends of segments that a crash left unfinished: not damage */
    uint64_t torn_segment, torn_offset;           /* the last of them; 0 = none */
    bool closed_clean;                            /* the last batch says that the writer closed */
    uint64_t rings_resets;                        /* rings were laid out anew: sequences began again */
    uint64_t accepted_gaps;                       /* records were lost and an operator accepted it */
    uint64_t checkpoints, keys;                   /* signed by so many different keys, one after the other */
    uint64_t unsigned_records;                    /* after the last checkpoint: only the chain covers them */
    uint64_t witnesses;                           /* checkpoints from outside that were found in the journal */
    struct gn_journal_checkpoint last_checkpoint; /* all zeros when there is none */
    uint64_t tombstones;                          /* segments that were deleted in order: signed, named */
    uint64_t no_corr; /* records without a correlation; before 1.2 only orders and execs are asked */
    struct gn_journal_ring_report ring[GN_JOURNAL_RINGS_MAX];
    uint64_t types[GN_JOURNAL_TYPES];
    uint8_t final_hash[GN_JOURNAL_HASH]; /* compare with one kept elsewhere to notice a cut at the end */
};

#define GN_JOURNAL_WITNESSES_MAX 16u

struct gn_journal_verify_opts {
    const struct gn_journal_io *io; /* NULL = the real disk */
    const uint8_t *config_sha256;   /* 32 bytes: a segment with another one is GN_JOURNAL_DAMAGE_CONFIG; NULL = any */
    const uint8_t *public_key;      /* 32 bytes: the only key to trust; NULL = the one that each checkpoint names */
    const union gn_journal_checkpoint_block *witness; /* checkpoints that were kept elsewhere: the journal must hold */
    uint32_t witnesses;                               /* each of them as it is; the head file's always counts as one */
    void (*on_tombstone)(void *arg, const struct gn_tombstone *t); /* each deleted segment; NULL = not wanted */
    void *on_tombstone_arg;
    bool accept_trimmed; /* the oldest segment need not be number 1 */
};

/* gn_journal_verify: reads everything. GN_JOURNAL_OK when it is sound, else an error and report->finding; counts are up
 * to the damage. opts may be NULL. */
int gn_journal_verify(const char *dir, const struct gn_journal_verify_opts *opts,
                      struct gn_journal_report *report) GN_MUST_CHECK;

struct gn_journal_filter {
    uint64_t types;          /* bit n = type n; 0 = all */
    uint64_t order_id;       /* records that name it (gn_journal_orders_of); 0 = all */
    uint32_t strategy;       /* one more than the strategy whose records are wanted; 0 = all */
    uint32_t instrument;     /* one more than the instrument; 0 = all */
    uint32_t session;        /* one more than the order session; 0 = all */
    bool executions;         /* only fills and broken fills */
    bool csv;                /* rows instead of lines of JSON */
    uint64_t from_ns, to_ns; /* time_ns in [from, to); 0 = open */
    uint64_t limit;          /* lines at most; 0 = all */
};

/* gn_journal_event_name: "order", ...; NULL when the type is unknown. */
const char *gn_journal_event_name(uint16_t type);

/* gn_journal_event_type: the number of an event's name, 0 when there is none. */
uint16_t gn_journal_event_type(const char *name);

/* gn_journal_print: one record as one line of JSON. */
void gn_journal_print(FILE *out, const struct gn_journal_item *item);

/* gn_journal_print_csv: the same as one row of the columns that gn_journal_print_csv_head prints; of a record that is
 * not of an order, only the frame. Order ids are hexadecimal. */
void gn_journal_print_csv_head(FILE *out);
void gn_journal_print_csv(FILE *out, const struct gn_journal_item *item);

/* gn_journal_dump: one line of JSON, or one row, a record. filter may be NULL. GN_JOURNAL_OK, or an error with *finding
 * (may be NULL) after the lines before the damage were printed. A query of one order goes by the segments' indexes,
 * which are built where they are missing and the folder can be written (index.h); then the batches that are read are
 * checked, the chain between them is not: that is gn_journal_verify's business. */
int gn_journal_dump(const char *dir, const struct gn_journal_filter *filter, FILE *out,
                    struct gn_journal_finding *finding) GN_MUST_CHECK;

#endif
