/* The journal's writer: drains event rings into segments (format.h) and gives cells back to a ring only after the
 * records are durable. Exactly once: a restarted writer finds the last durable sequence of each ring and passes over
 * the records that are still in the ring.
 *
 *      rings -> [filling buffer] -> seal (header, CRC, hash chain) -> [in flight: write -> fdatasync] -> release cells
 *
 * Any error latches: status.failed is set, nothing is written or released any more, nothing is retried. The rings then
 * fill, which stops trading by itself; the control plane sees status.failed earlier and says why.
 *
 *      gn_journal_open -> gn_journal_step ...                                -> gn_journal_close
 *                      -> gn_journal_thread_start -> gn_journal_thread_stop  ->
 */
#ifndef GN_JOURNAL_JOURNAL_H
#define GN_JOURNAL_JOURNAL_H

#include "controlplane/journal/err.h"
#include "controlplane/journal/format.h"
#include "controlplane/journal/io.h"
#include "controlplane/journal/sign.h"
#include "dataplane/abi/ring.h"

#define GN_JOURNAL_SEGMENT_BYTES_DEFAULT (64u << 20)
#define GN_JOURNAL_BATCH_BYTES_DEFAULT   (1u << 20)
#define GN_JOURNAL_AHEAD_DEFAULT         2u
#define GN_JOURNAL_SLOW_US_DEFAULT       2000u /* half of the 4 ms that one missed timer tick costs */
#define GN_JOURNAL_PROBE_COMMITS         16u
#define GN_JOURNAL_CHECKPOINT_MS_DEFAULT 1000u

struct gn_journal_conf {
    const char *dir;      /* made when it is missing */
    const char *instance; /* up to 31 bytes */
    const char *build_id; /* up to 63 bytes */
    uint8_t config_sha256[GN_JOURNAL_HASH];
    uint64_t appliance_epoch; /* of the region's header; for the reader */
    uint64_t rings_id;        /* differs whenever the rings were laid out anew with gn_ring_new, so that their sequences
                                 begin again at 1 (such as the region's creation time); the same when they were joined */
    uint32_t segment_bytes;   /* multiple of 4 KiB, >= 4 KiB + 2 x batch_bytes; 0 = default */
    uint32_t batch_bytes;     /* multiple of 4 KiB, 16 KiB to 4 MiB; 0 = default */
    uint32_t segments_ahead;  /* kept ready, 1 to 16; 0 = default */
    uint32_t slow_us;         /* a p50 of commits above this sets status.slow; 0 = default */
    bool accept_lost;         /* operator's choice after GN_JOURNAL_ERR_LOST: go on with a known gap */
    bool skip_probe;          /* do not measure commits at open */
    bool index_sealed;        /* the preparing thread builds the order index of each segment that is finished */
    bool eager;               /* orders wait for their records: the thread writes at once instead of gathering */
    const struct gn_journal_key *key; /* signs checkpoints, outlives the journal; NULL = there are none */
    uint32_t checkpoint_ms;           /* between two checkpoints; 0 = default */
    const struct gn_journal_io *io;   /* NULL = the real disk; else the caller's, which outlives the journal */
};

struct gn_journal;

/* What recovery found, and what the writer is doing; a snapshot, each field by itself exact. */
struct gn_journal_status {
    int32_t failed;        /* 0, or the enum gn_journal_err that stopped it for good */
    int32_t sys_errno;     /* errno that came with it, or 0 */
    int32_t prepare_errno; /* the last try to make a segment failed: an alarm as long as ready_segments lasts */
    bool direct;           /* writes pass by the page cache */
    bool slow;             /* commits at start were slower than slow_us: not ready to trade; see slow_why */
    bool closed_clean;     /* the writer before this one closed cleanly */
    bool config_changed;   /* the segment before this open was written under another configuration */
    char slow_why[160];
    uint64_t torn_bytes; /* cut off by recovery: from the end of the last whole batch to the last non-zero byte */
    uint64_t skipped;    /* records found in rings that were durable already */
    uint64_t records, bytes, batches;       /* durable since open; bytes as on disk */
    uint64_t segment;                       /* number of the one being written */
    uint64_t segment_offset;                /* durable up to here */
    uint64_t ready_segments;                /* prepared after it */
    uint64_t lag_cells;                     /* in all rings, not durable yet */
    uint64_t no_corr;                       /* records since open without the correlation that their type must have */
    uint64_t last_commit_ns, max_commit_ns; /* from submit to durable */
    uint64_t checkpoints;                   /* durable, of all lives */
    uint64_t probe_p50_ns, probe_max_ns;    /* of GN_JOURNAL_PROBE_COMMITS at open */
};

/* gn_journal_open: takes the directory, recovers, measures the disk and starts a new segment; the first batch makes it
 * visible. The rings (1 to GN_JOURNAL_RINGS_MAX, distinct sources below GN_JOURNAL_RINGS_MAX, checked with
 * gn_ring_check by the caller) must outlive the journal; it is their only consumer. *err names file, offset and reason
 * on failure (zero-terminated within err_bytes). Blocks for as long as a segment takes to be zero-filled. */
int gn_journal_open(struct gn_journal **out, const struct gn_journal_conf *conf, struct gn_ring *const rings[],
                    uint32_t n, char *err, size_t err_bytes) GN_MUST_CHECK;

/* gn_journal_step: reaps what is durable, copies what is in the rings up to a batch, submits; does not wait for the
 * disk unless a segment must be made and no thread did. Returns records copied plus records made durable, 0 = idle, or
 * the latched error. now_ns: ns since the Unix epoch. */
int64_t gn_journal_step(struct gn_journal *j, uint64_t now_ns) GN_MUST_CHECK;

/* gn_journal_wait: sleeps until the batch in flight is durable, or max_ns; for use between steps. */
void gn_journal_wait(struct gn_journal *j, uint64_t max_ns);

/* gn_journal_flush: steps until everything that was published when it was called is durable. */
int gn_journal_flush(struct gn_journal *j, uint64_t now_ns) GN_MUST_CHECK;

/* gn_journal_thread_start: a thread steps and sleeps (at most 200 us at a time), another one keeps segments ready. No
 * step, wait or flush by others meanwhile. */
int gn_journal_thread_start(struct gn_journal *j) GN_MUST_CHECK;

/* gn_journal_thread_stop: flushes, ends both threads; the latched error or GN_JOURNAL_OK. */
int gn_journal_thread_stop(struct gn_journal *j);

/* gn_journal_status: from any thread. */
void gn_journal_status(const struct gn_journal *j, struct gn_journal_status *out);

/* gn_journal_close: stops the thread if it runs, flushes, writes the closing batch, frees everything. Returns the
 * latched error, or GN_JOURNAL_OK when every published record is durable. */
int gn_journal_close(struct gn_journal *j, uint64_t now_ns);

#endif
