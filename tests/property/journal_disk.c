/* Crash states of a journal on a simulated disk. For every state that a crash may leave:
 *
 *      acknowledged  is a part of  recovered  is a part of  submitted,   each ring contiguous, each record as it was;
 *      recovery again gives the same, also when the first one was cut short.
 *
 * Usage: journal_disk [STATES [FIRST_SEED]]; GN_SEED replays one run by its seed.
 */
#include <time.h>

#include "controlplane/journal/recover.h"
#include "tests/property/journal_sim.h"
#include "tests/unit/journal/fixture.h"

#define BATCHES_A_RUN 24u

static struct {
    uint64_t states, torn, tried_again, verified, flips, lies[SIM_LIES], found[SIM_LIES];
} total;

struct run {
    uint64_t number, seed;
    struct sim_disk disk;
    struct gn_journal_io io;
    struct gn_journal *j;
    struct fx f;
    uint64_t acked[GN_JOURNAL_RINGS_MAX], submitted[GN_JOURNAL_RINGS_MAX];
    bool failed;
};

static void complain(struct run *run, const char *what, const char *detail)
{
    run->failed = true;
    printf("\nseed %llu: %s%s%s (replay with GN_SEED=%llu)\n", (unsigned long long)run->number, what,
           detail[0] != 0 ? ": " : "", detail, (unsigned long long)run->number);
}

static void note_progress(struct run *run)
{
    for (uint32_t i = 0; i < FX_RINGS; i++) {
        const struct gn_ring *r = run->f.ring[i];
        run->acked[r->source] = atomic_load_explicit(&r->last_seq, memory_order_relaxed);
        run->submitted[r->source] = r->next_seq - 1;
    }
}

static bool same(const struct gn_journal_recovered *a, const struct gn_journal_recovered *b)
{
    return a->segment == b->segment && a->end == b->end && a->next_batch == b->next_batch && a->records == b->records &&
           a->checkpoints == b->checkpoints && memcmp(a->chain, b->chain, sizeof a->chain) == 0 &&
           memcmp(a->last_seq, b->last_seq, sizeof a->last_seq) == 0;
}

static int recover(struct run *run, struct sim_disk *disk, struct gn_journal_recovered *out, char *err,
                   size_t err_bytes)
{
    const struct gn_journal_io io = sim_io(disk);
    return gn_journal_recover(&io, run->f.dir, run->f.conf.segment_bytes, false, out, err, err_bytes);
}

/* Everything a full check can say, records and their content included. */
static void check_all(struct run *run, struct sim_disk *disk, const struct gn_journal_recovered *got)
{
    struct gn_journal_io io = sim_io(disk);
    uint64_t last[FX_RINGS];
    for (uint32_t i = 0; i < FX_RINGS; i++)
        last[i] = got->last_seq[run->f.ring[i]->source];
    total.verified++;
    if (!fx_check(&run->f, &io, last))
        complain(run, "what was recovered is not what was written", "");
}

static void check_oracle(struct run *run, const struct gn_journal_recovered *got)
{
    char detail[128];
    for (uint32_t i = 0; i < FX_RINGS; i++) {
        const uint32_t s = run->f.ring[i]->source;
        if (got->last_seq[s] >= run->acked[s] && got->last_seq[s] <= run->submitted[s])
            continue;
        (void)snprintf(detail, sizeof detail, "ring %u: acknowledged %llu, recovered %llu, submitted %llu", s,
                       (unsigned long long)run->acked[s], (unsigned long long)got->last_seq[s],
                       (unsigned long long)run->submitted[s]);
        complain(run, "the oracle is broken", detail);
    }
}

/* One state that an honest disk may be left in. */
static void crash_state(struct run *run)
{
    struct sim_disk disk, cut;
    struct gn_journal_recovered got, again;
    char err[512] = "";
    sim_clone(&run->disk, &disk, &run->seed);
    cut = disk;
    for (int i = 0; i < SIM_FILES; i++)
        cut.file[i].shared = true;
    total.states++;
    /* on some states a recovery that dies in the middle comes first, on a copy that shares the files */
    const bool dies = gn_test_rand(&run->seed) % 4 == 0;
    int rc = GN_JOURNAL_OK;
    if (dies) {
        cut.die_after_changes = 1 + gn_test_rand(&run->seed) % 3;
        (void)recover(run, &cut, &again, err, sizeof err);
        cut.dead = false;
        cut.die_after_changes = 0;
        rc = recover(run, &cut, &again, err, sizeof err);
        total.tried_again++;
    }
    if (rc != GN_JOURNAL_OK || recover(run, &disk, &got, err, sizeof err) != GN_JOURNAL_OK) {
        complain(run, "recovery refuses what a crash left", err);
    } else {
        total.torn += got.torn_bytes != 0;
        check_oracle(run, &got);
        if ((!dies && recover(run, &disk, &again, err, sizeof err) != GN_JOURNAL_OK) || !same(&got, &again))
            complain(run, "recovery again finds something else", err);
        if (gn_test_rand(&run->seed) % 16 == 0)
            check_all(run, &disk, &got);
    }
    sim_free(&cut);
    sim_free(&disk);
}

/* Bits that rot in what was written are found by verify. */
static void flip_state(struct run *run)
{
    struct sim_disk disk;
    struct gn_journal_report report;
    sim_clone(&run->disk, &disk, &run->seed);
    if (sim_flip(&disk, &run->seed)) {
        const struct gn_journal_io io = sim_io(&disk);
        const struct gn_journal_verify_opts opts = {.io = &io};
        total.flips++;
        if (gn_journal_verify(run->f.dir, &opts, &report) == GN_JOURNAL_OK && report.torn_tails == 0)
            complain(run, "a flipped bit is not found", "");
    }
    sim_free(&disk);
}

static bool begin(struct run *run, uint64_t number, struct gn_journal_key *key)
{
    memset(run, 0, sizeof *run);
    run->number = run->seed = number;
    run->disk.clock_ns = 1;
    run->disk.seed = gn_test_rand(&run->seed);
    run->io = sim_io(&run->disk);
    fx_new(&run->f);
    run->f.conf.io = &run->io;
    run->f.conf.segments_ahead = 1 + (uint32_t)(gn_test_rand(&run->seed) % 3);
    run->f.conf.segment_bytes = GN_JOURNAL_BLOCK + (2 + (uint32_t)(gn_test_rand(&run->seed) % 3)) * FX_BATCH_BYTES;
    if (gn_test_rand(&run->seed) % 16 == 0) {
        run->f.conf.key = key;
        run->f.conf.checkpoint_ms = 1;
    }
    return fx_open(&run->f, &run->j) == GN_JOURNAL_OK;
}

static void end(struct run *run)
{
    run->disk.dead = true;
    (void)gn_journal_close(run->j, FX_NOW_NS);
    sim_free(&run->disk);
    fx_free(&run->f);
}

static void publish_some(struct run *run)
{
    for (uint64_t n = gn_test_rand(&run->seed) % 24; n != 0; n--)
        (void)fx_publish(&run->f, (uint32_t)(gn_test_rand(&run->seed) % FX_RINGS), gn_test_rand(&run->seed) % 16 != 0);
}

/* One life of a writer; after each step, crash states of that instant. */
static bool one_run(uint64_t number, struct gn_journal_key *key, uint32_t states_a_step)
{
    static struct run run;
    if (!begin(&run, number, key)) {
        complain(&run, "the journal does not open", run.f.err);
        return false;
    }
    while (run.disk.submits < BATCHES_A_RUN && !run.failed) {
        publish_some(&run);
        if (gn_journal_step(run.j, FX_NOW_NS) < 0) {
            complain(&run, "the writer fails on an honest disk", "");
            break;
        }
        note_progress(&run);
        for (uint32_t k = 0; k < (run.disk.pending ? states_a_step : 1) && !run.failed; k++)
            crash_state(&run);
        if (gn_test_rand(&run.seed) % 8 == 0)
            flip_state(&run);
        gn_journal_wait(run.j, 100000);
    }
    end(&run);
    return !run.failed;
}

/* A disk that lies about one write. After a crash, nobody may be told that all is well when it is not: refused by
 * recovery, missed by the rings (they were told it is durable), or found by verify. */
static bool one_lie(uint64_t number, enum sim_lie lie)
{
    static struct run run;
    struct gn_journal_recovered got;
    struct gn_journal_report report;
    char err[512] = "";
    if (!begin(&run, number, NULL)) {
        complain(&run, "the journal does not open", run.f.err);
        return false;
    }
    run.disk.lie = lie;
    run.disk.lie_at = 1 + gn_test_rand(&run.seed) % 12;
    const uint64_t until = run.disk.lie_at + gn_test_rand(&run.seed) % 4;
    while ((run.disk.submits < until || run.disk.pending) && gn_journal_step(run.j, FX_NOW_NS) >= 0) {
        publish_some(&run);
        gn_journal_wait(run.j, 100000);
    }
    note_progress(&run);
    const struct gn_journal_verify_opts opts = {.io = &run.io};
    bool found = recover(&run, &run.disk, &got, err, sizeof err) != GN_JOURNAL_OK;
    for (uint32_t i = 0; !found && i < FX_RINGS; i++)
        found = got.last_seq[run.f.ring[i]->source] < run.acked[run.f.ring[i]->source];
    found = found || gn_journal_verify(run.f.dir, &opts, &report) != GN_JOURNAL_OK;
    total.lies[lie]++;
    total.found[lie] += found;
    /* What was not found must have been harmless. */
    if (!found)
        check_all(&run, &run.disk, &got);
    end(&run);
    return !run.failed;
}

static uint64_t states_wanted = 100000, first_seed = 1;

static void crash_states(void)
{
    static const uint8_t seed[32] = {7};
    struct gn_journal_key *key = gn_journal_key_from_seed(seed);
    const char *only = getenv("GN_SEED");
    uint64_t number = only != NULL ? strtoull(only, NULL, 0) : first_seed;
    bool ok = key != NULL;
    do {
        ok = ok && one_run(number++, key, 16);
    } while (ok && only == NULL && total.states < states_wanted);
    gn_journal_key_free(key);
    printf("%llu crash states of %llu runs, %llu torn, %llu with a recovery cut short, %llu checked to the byte, %llu "
           "flips found\n",
           (unsigned long long)total.states, (unsigned long long)(number - first_seed), (unsigned long long)total.torn,
           (unsigned long long)total.tried_again, (unsigned long long)total.verified, (unsigned long long)total.flips);
    CU_ASSERT(ok);
    CU_ASSERT(only != NULL || total.torn > total.states / 20);
}

static void lies(void)
{
    static const char *const names[] = {"", "misdirected in the file", "misdirected to another file", "lost",
                                        "flipped"};
    const uint64_t each = states_wanted / 500 < 2000 ? states_wanted / 500 : 2000;
    for (enum sim_lie lie = SIM_MISDIRECT_OFFSET; lie < SIM_LIES; lie++) {
        bool ok = true;
        for (uint64_t n = 0; ok && n < each; n++)
            ok = one_lie(first_seed + n, lie);
        printf("%s: %llu, found %llu, the others harmless\n", names[lie], (unsigned long long)total.lies[lie],
               (unsigned long long)total.found[lie]);
        CU_ASSERT(ok);
        CU_ASSERT(total.found[lie] > total.lies[lie] / 2);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {{"crash states", crash_states}, {"a lying disk", lies}, CU_TEST_INFO_NULL};
    if (argc > 1)
        states_wanted = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 0);
    return gn_test_run("journal on a simulated disk", tests);
}
