/* The journal on a real filesystem of the kernel, crashed at every flush: a writer works on ext4 or XFS on a disk whose
 * writes are logged (crash_disk.h); for every flush the disk as it was, and as it may have been when a crash came
 * before it: none, all, or any part of what was not flushed, torn at sectors. Each state is mounted, recovered,
 * checked:
 *
 *      acknowledged  is a part of  recovered  is a part of  submitted,   each ring contiguous, each record as it was;
 *      recovery again gives the same, also when a second crash cut the first one short.
 *
 * Usage: crash_explorer ext4|xfs [PARTS [BATCHES]]: PARTS random states a flush beside the two. GN_SEED replays a run's
 * choices. Exit code 77: this machine cannot (no root, no FUSE, no loop device, no such filesystem); says what is
 * missing.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "controlplane/journal/recover.h"
#include "tests/system/crash_disk.h"
#include "tests/unit/journal/fixture.h"

#define EXIT_SKIPPED      77
#define BATCHES_DEFAULT   60u
#define PARTS_DEFAULT     3u
#define SECOND_CRASH_IN   4u /* one state in so many dies again while it is recovered */
#define CONTENT_CHECK_IN  2u
#define FS_LOST_AT_MOST   20u /* one state in so many */
#define PUBLISH_AT_ONCE   40u
#define LIES_MUST_BE_SEEN "an acknowledged record is lost"

struct explorer {
    struct crash_disk disk;
    struct fx f;
    struct gn_journal_key *key;
    struct gn_journal_io io; /* the real disk, or the one that lies */
    uint64_t seed, submitted[FX_RINGS];
    uint32_t parts, batches;
    uint64_t flushes, states, torn, twice, checked;
    uint64_t fs_lost; /* states whose filesystem did not mount: see mounts() */
    bool lying, failed;
    char what[512];
};

static void complain(struct explorer *x, const char *what, const char *detail)
{
    if (!x->failed)
        (void)snprintf(x->what, sizeof x->what, "state %llu, flush %llu: %s: %.300s", (unsigned long long)x->states,
                       (unsigned long long)x->flushes, what, detail);
    x->failed = true;
}

static void note_progress(struct explorer *x)
{
    for (uint32_t i = 0; i < FX_RINGS; i++) {
        const uint64_t acked = atomic_load_explicit(&x->f.ring[i]->last_seq, memory_order_acquire);
        /* release: pairs with the acquire of the FUSE thread: what arrives after this, arrives after the promise */
        atomic_store_explicit(&x->disk.acked[i], acked, memory_order_release);
    }
}

/* A disk of a careless maker: says that a write is durable when it has only been taken. The explorer must see it. */
static int lying_handle;
static int32_t lying_written;

static int lying_submit(void *ctx, int handle, const void *buf, uint32_t bytes, uint64_t offset)
{
    (void)ctx;
    lying_handle = handle;
    lying_written = (int32_t)pwrite(handle, buf, bytes, (off_t)offset);
    return 0;
}

static int lying_reap(void *ctx, uint64_t timeout_ns, int32_t *written, int32_t *synced)
{
    (void)ctx;
    (void)timeout_ns;
    *written = lying_written;
    *synced = 0;
    return 1;
}

static bool work(struct explorer *x)
{
    struct gn_journal_status st;
    struct gn_journal *j;
    (void)setenv("TMPDIR", x->disk.mounted, 1);
    fx_new(&x->f);
    if (gn_journal_io_new(&x->io) != 0) {
        complain(x, "io_uring", "not available");
        return false;
    }
    if (x->lying) {
        x->io.submit = lying_submit;
        x->io.reap = lying_reap;
    }
    x->f.conf.io = &x->io;
    x->f.conf.key = x->key;
    x->f.conf.checkpoint_ms = 5;
    if (fx_open(&x->f, &j) != GN_JOURNAL_OK) {
        complain(x, "the journal does not open", x->f.err);
        return false;
    }
    do {
        for (uint64_t n = gn_test_rand(&x->seed) % PUBLISH_AT_ONCE; n != 0; n--)
            (void)fx_publish(&x->f, (uint32_t)(gn_test_rand(&x->seed) % FX_RINGS), gn_test_rand(&x->seed) % 8 != 0);
        if (gn_journal_step(j, FX_NOW_NS) < 0) {
            complain(x, "the writer fails", "on an honest disk");
            break;
        }
        gn_journal_wait(j, 1000000);
        note_progress(x);
        gn_journal_status(j, &st);
    } while (st.batches < x->batches);
    if (gn_journal_close(j, FX_NOW_NS) != GN_JOURNAL_OK)
        complain(x, "the writer fails", "at its close");
    x->io.free(x->io.ctx);
    note_progress(x);
    for (uint32_t i = 0; i < FX_RINGS; i++)
        x->submitted[i] = x->f.ring[i]->next_seq - 1;
    return !x->failed;
}

static bool same(const struct gn_journal_recovered *a, const struct gn_journal_recovered *b)
{
    return a->segment == b->segment && a->end == b->end && a->next_batch == b->next_batch && a->records == b->records &&
           memcmp(a->chain, b->chain, sizeof a->chain) == 0 &&
           memcmp(a->last_seq, b->last_seq, sizeof a->last_seq) == 0;
}

static bool recover(struct explorer *x, struct gn_journal_recovered *out)
{
    char err[512] = "";
    struct gn_journal_io reader;
    gn_journal_io_reader(&reader);
    if (access(x->f.dir, F_OK) != 0) { /* the crash came before the folder was durable: an empty journal */
        memset(out, 0, sizeof *out);
        return true;
    }
    if (gn_journal_recover(&reader, x->f.dir, x->f.conf.segment_bytes, false, out, err, sizeof err) == GN_JOURNAL_OK)
        return true;
    complain(x, "recovery refuses what a crash left", err);
    return false;
}

static void check(struct explorer *x, const struct gn_journal_recovered *got, const uint64_t acked[FX_RINGS])
{
    uint64_t last[FX_RINGS];
    char detail[160];
    for (uint32_t i = 0; i < FX_RINGS; i++) {
        last[i] = got->last_seq[x->f.ring[i]->source];
        (void)snprintf(detail, sizeof detail, "ring %u: acknowledged %llu, recovered %llu, submitted %llu", i,
                       (unsigned long long)acked[i], (unsigned long long)last[i], (unsigned long long)x->submitted[i]);
        if (last[i] < acked[i])
            complain(x, LIES_MUST_BE_SEEN, detail);
        if (last[i] > x->submitted[i])
            complain(x, "a record that nobody wrote", detail);
    }
    if (!x->failed && got->segment != 0 && gn_test_rand(&x->seed) % CONTENT_CHECK_IN == 0) {
        x->checked++;
        if (!fx_check(&x->f, NULL, last))
            complain(x, "what was recovered is not what was written", "see above");
    }
}

/* Mounts the state in view. A filesystem need not survive a tear within its own blocks (both keep checksums of whole
 * ones); whole writes, in any choice, it must. */
static bool mounts(struct explorer *x)
{
    if (crash_disk_mount(&x->disk) == 0)
        return true;
    if (x->disk.torn && (x->disk.mount_errno == EBADMSG || x->disk.mount_errno == EUCLEAN))
        x->fs_lost++;
    else
        complain(x, "mount", x->disk.why);
    return false;
}

/* Recovers the state in view; then the same once more, after a second crash on some. */
static void recover_and_check(struct explorer *x, const uint64_t acked[FX_RINGS])
{
    struct gn_journal_recovered got = {0}, again = {0};
    const bool twice = gn_test_rand(&x->seed) % SECOND_CRASH_IN == 0;
    if (twice)
        crash_disk_record(&x->disk, &x->disk.recovery);
    if (!mounts(x)) {
        crash_disk_record(&x->disk, NULL);
        return;
    }
    bool ok = recover(x, &got);
    if (ok) {
        x->torn += got.torn_bytes != 0;
        check(x, &got, acked);
        ok = recover(x, &again);
    }
    if (ok && !same(&got, &again))
        complain(x, "recovery again finds something else", "");
    if (crash_disk_unmount(&x->disk) != 0)
        complain(x, "unmount", x->disk.why);
    crash_disk_record(&x->disk, NULL);
    if (!twice || x->failed)
        return;
    x->twice++;
    if (crash_disk_again(&x->disk, &x->seed) != 0)
        complain(x, "state after a second crash", x->disk.why);
    if (x->failed || !mounts(x))
        return;
    if (recover(x, &again) && !same(&got, &again))
        complain(x, "recovery after a crash in recovery finds something else", "");
    if (crash_disk_unmount(&x->disk) != 0)
        complain(x, "unmount", x->disk.why);
}

static void one_state(struct explorer *x, uint32_t cut, uint32_t keep)
{
    const struct crash_log *l = &x->disk.work;
    uint64_t acked[FX_RINGS];
    x->states++;
    for (uint32_t i = 0; i < FX_RINGS; i++) /* promised when the crash came; at the very end: all of it */
        acked[i] = cut < l->n ? l->entry[cut].acked[i] : x->disk.acked[i];
    if (crash_disk_state(&x->disk, cut, keep, &x->seed) != 0)
        complain(x, "state", x->disk.why);
    else
        recover_and_check(x, acked);
}

/* SIGINT and SIGTERM wait until the disk can be taken down. */
static bool interrupted(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static void explore(struct explorer *x)
{
    const struct crash_log *l = &x->disk.work;
    while (!x->failed && x->disk.advanced < l->n) {
        const uint32_t begin = x->disk.advanced;
        const uint32_t flush = crash_disk_next_flush(&x->disk, begin);
        x->flushes++;
        one_state(x, flush, 0);
        if (!x->failed && flush != begin)
            one_state(x, flush, 256);
        for (uint32_t p = 0; p < x->parts && !x->failed && flush != begin; p++)
            one_state(x, begin + 1 + (uint32_t)(gn_test_rand(&x->seed) % (flush - begin)),
                      32 + (uint32_t)(gn_test_rand(&x->seed) % 224));
        if (interrupted())
            complain(x, "stopped", "by a signal");
        crash_disk_advance(&x->disk, flush < l->n ? flush + 1 : flush);
    }
    if (!x->failed)
        one_state(x, l->n, 0);
}

/* 0, 1 or EXIT_SKIPPED. */
static int run(const char *fs, uint32_t parts, uint32_t batches, bool lying)
{
    static const uint8_t key_seed[32] = {9};
    static struct explorer x;
    memset(&x, 0, sizeof x);
    x.parts = parts;
    x.batches = batches;
    x.lying = lying;
    x.seed = gn_test_seed(11);
    x.key = gn_journal_key_from_seed(key_seed);
    (void)unsetenv("TMPDIR");
    int rc = crash_disk_new(&x.disk, fs);
    crash_disk_record(&x.disk, &x.disk.work); /* what the mount itself writes belongs to it */
    if (rc != 0 || crash_disk_mount(&x.disk) != 0) {
        printf("cannot explore %s here: %s\n", fs, x.disk.why);
        crash_disk_free(&x.disk);
        return EXIT_SKIPPED;
    }
    const bool worked = work(&x);
    crash_disk_record(&x.disk, NULL);
    if (x.disk.work.full)
        complain(&x, "the workload", "writes more than the log holds");
    if (crash_disk_unmount(&x.disk) != 0)
        complain(&x, "unmount", x.disk.why);
    if (worked && !x.failed)
        explore(&x);
    const bool seen = strstr(x.what, LIES_MUST_BE_SEEN) != NULL;
    printf("%s%s: %llu flushes, %u writes and flushes, %llu states, %llu torn, %llu crashed twice, ", fs,
           lying ? " on a disk that lies" : "", (unsigned long long)x.flushes, x.disk.work.n,
           (unsigned long long)x.states, (unsigned long long)x.torn, (unsigned long long)x.twice);
    printf("%llu checked to the byte, %llu not mountable%s%s\n", (unsigned long long)x.checked,
           (unsigned long long)x.fs_lost, x.failed ? ": " : "", x.what);
    const bool ok = lying ? seen : !x.failed && x.torn != 0 && x.fs_lost <= x.states / FS_LOST_AT_MOST;
    crash_disk_free(&x.disk);
    gn_journal_key_free(x.key);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "ext4") != 0 && strcmp(argv[1], "xfs") != 0)) {
        (void)fprintf(stderr, "usage: crash_explorer ext4|xfs [PARTS [BATCHES]]\n");
        return 2;
    }
    sigset_t wait;
    (void)sigemptyset(&wait);
    (void)sigaddset(&wait, SIGINT);
    (void)sigaddset(&wait, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &wait, NULL);
    const uint32_t parts = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : PARTS_DEFAULT;
    const uint32_t batches = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : BATCHES_DEFAULT;
    int rc = run(argv[1], parts, batches, false);
    if (rc == EXIT_SUCCESS)
        rc = run(argv[1], parts, batches, true);
    return rc;
}
