/* What the journal's tests share: a scratch directory, rings in shared memory, records whose content follows from ring
 * and sequence (so that any reader can check them), and the check of a whole journal against the rings.
 */
#ifndef GN_TEST_JOURNAL_FIXTURE_H
#define GN_TEST_JOURNAL_FIXTURE_H

#include "controlplane/journal/journal.h"
#include "controlplane/journal/reader.h"
#include "dataplane/abi/event.h"
#include "tests/gn_test.h"

#define FX_RINGS         3u
#define FX_RING_CELLS    1024u
#define FX_BATCH_BYTES   GN_JOURNAL_BATCH_BYTES_MIN
#define FX_SEGMENT_BYTES (GN_JOURNAL_BLOCK + 4 * FX_BATCH_BYTES)
#define FX_NOW_NS        1700000000000000000ull

struct fx {
    char dir[256];
    struct gn_ring *ring[FX_RINGS]; /* MAP_SHARED: they outlive a forked child */
    struct gn_journal_conf conf;
    char err[512];
};

/* fx_new: a fresh directory and empty rings; fx_free removes both. */
void fx_new(struct fx *f);
void fx_free(struct fx *f);

/* fx_publish: one record into ring i; false when it is full. small = payload of at most 64 bytes. */
bool fx_publish(struct fx *f, uint32_t i, bool small);

/* fx_open: gn_journal_open with the fixture's conf; prints why when it fails. */
int fx_open(struct fx *f, struct gn_journal **j);

/* fx_check: the journal is sound and has records 1 to last[i] of each ring exactly once with the right content; last
 * NULL = what the rings say was published. io NULL = the real disk. False after printing why. */
bool fx_check(struct fx *f, const struct gn_journal_io *io, const uint64_t *last);

/* fx_write_some: opens, writes `count` small records round robin, closes. */
void fx_write_some(struct fx *f, uint32_t count);

/* fx_path: path of a segment's file, in a static buffer. */
const char *fx_path(const struct fx *f, uint64_t segment);

#endif
