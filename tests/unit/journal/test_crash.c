/* Exactly once after a death at any instant: SIGKILL on a real disk, torn writes on a simulated one; and errors latch.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/journal/fixture.h"
#include "tests/unit/journal/mem_disk.h"

/* The child is both processes at once: it publishes, and its journal thread drains; killed in the middle of either. */
static void child_writes(struct fx *f, uint64_t seed)
{
    struct gn_journal *j;
    for (uint32_t i = 0; i < FX_RINGS; i++)
        if (gn_ring_join_producer(f->ring[i]) != GN_RING_OK)
            _exit(3);
    if (fx_open(f, &j) != GN_JOURNAL_OK) {
        printf("child: %s\n", f->err);
        _exit(1);
    }
    if (gn_journal_thread_start(j) != GN_JOURNAL_OK)
        _exit(2);
    for (;;)
        if (!fx_publish(f, (uint32_t)(gn_test_rand(&seed) % FX_RINGS), gn_test_rand(&seed) % 4 != 0))
            (void)nanosleep(&(const struct timespec){.tv_nsec = 50000}, NULL);
}

static void killed(void)
{
    struct fx f;
    uint64_t seed = gn_test_seed(3);
    struct gn_journal *j;
    fx_new(&f);
    (void)fflush(stdout);
    for (int round = 0; round < 24; round++) {
        const uint64_t child_seed = gn_test_rand(&seed);
        const long us = (long)(gn_test_rand(&seed) % 60000);
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
            child_writes(&f, child_seed);
        CU_ASSERT_FATAL(pid > 0);
        (void)nanosleep(&(const struct timespec){.tv_nsec = us * 1000}, NULL);
        (void)kill(pid, SIGKILL);
        CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            printf("child ended with %d\n", WEXITSTATUS(status));
            CU_FAIL_FATAL("the child could not go on after a kill");
        }
    }
    uint64_t published = 0;
    for (uint32_t i = 0; i < FX_RINGS; i++) {
        CU_ASSERT_EQUAL(gn_ring_join_producer(f.ring[i]), GN_RING_OK);
        published += f.ring[i]->next_seq - 1;
    }
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT(fx_check(&f, NULL, NULL));
    printf("%llu records, exactly once\n", (unsigned long long)published);
    CU_ASSERT(published > 1000);
    fx_free(&f);
}

static void torn(void)
{
    uint64_t seed = gn_test_seed(4);
    uint64_t torn_tails = 0, skipped = 0;
    for (int run = 0; run < 400; run++) {
        struct mem_disk disk = {.clock_ns = 1};
        struct gn_journal_io io = md_io(&disk);
        struct gn_journal_status st;
        struct gn_journal *j;
        struct fx f;
        fx_new(&f);
        f.conf.io = &io;
        f.conf.segments_ahead = 1;
        for (int life = 0; life < 6; life++) {
            disk.dead = false;
            if (fx_open(&f, &j) != GN_JOURNAL_OK) {
                printf("run %d life %d: %s\n", run, life, f.err);
                CU_FAIL_FATAL("recovery refuses what a crash left");
            }
            gn_journal_status(j, &st);
            torn_tails += st.torn_bytes != 0;
            skipped += st.skipped;
            for (uint64_t n = gn_test_rand(&seed) % 300; n != 0; n--) {
                (void)fx_publish(&f, (uint32_t)(gn_test_rand(&seed) % FX_RINGS), gn_test_rand(&seed) % 8 != 0);
                if (gn_test_rand(&seed) % 4 == 0)
                    CU_ASSERT(gn_journal_step(j, FX_NOW_NS) >= 0);
                if (gn_test_rand(&seed) % 4 == 0)
                    gn_journal_wait(j, 1000);
            }
            md_crash(&disk, &seed);
            (void)gn_journal_close(j, FX_NOW_NS);
        }
        disk.dead = false;
        CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
        CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
        if (!fx_check(&f, &io, NULL)) {
            printf("run %d\n", run);
            CU_FAIL_FATAL("not exactly once");
        }
        md_free(&disk);
        fx_free(&f);
    }
    printf("%llu torn tails, %llu records that were durable already\n", (unsigned long long)torn_tails,
           (unsigned long long)skipped);
    CU_ASSERT(torn_tails > 60 && skipped > 500);
}

/* The first write into a segment lost its header's sector: what remains of it must not show under a smaller new write.
 */
static void torn_before_the_header(void)
{
    struct mem_disk disk = {.dead = true};
    struct gn_journal_io io = md_io(&disk);
    struct gn_journal_status st;
    struct gn_journal *j;
    struct fx f;
    fx_new(&f);
    f.conf.io = &io;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    (void)fx_publish(&f, 0, true);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_ERR_IO);
    struct mem_file *file = md_find(&disk, "gannet-journal-00000001.gnj");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    memset(file->data + 4ull * GN_JOURNAL_BLOCK, 0xff, GN_JOURNAL_SECTOR);
    disk.dead = false;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    gn_journal_status(j, &st);
    CU_ASSERT_EQUAL(st.torn_bytes, 4ull * GN_JOURNAL_BLOCK + GN_JOURNAL_SECTOR);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT(fx_check(&f, &io, NULL));
    md_free(&disk);
    fx_free(&f);
}

struct fault {
    const char *what;
    struct mem_disk disk;
    int err, sys_errno;
};

/* One fault of each kind at the k-th write: latched, nothing released afterwards, never written again; what was durable
 * stays readable, and a restart carries on exactly once. */
static void faults_latch(void)
{
    const struct fault faults[] = {
        {"submit EIO", {.fail_submit = 3, .fail_errno = EIO}, GN_JOURNAL_ERR_IO, EIO},
        {"write EIO", {.fail_write = 3, .fail_errno = EIO}, GN_JOURNAL_ERR_IO, EIO},
        {"write ENOSPC", {.fail_write = 2, .fail_errno = ENOSPC}, GN_JOURNAL_ERR_IO, ENOSPC},
        {"short write", {.fail_short = 3, .fail_errno = EIO}, GN_JOURNAL_ERR_SHORT, 0},
        {"fdatasync EIO", {.fail_sync = 3, .fail_errno = EIO}, GN_JOURNAL_ERR_IO, EIO},
        {"no space for a segment",
         {.fail_prepare_from = 3, .fail_prepare_to = 1000, .fail_errno = ENOSPC},
         GN_JOURNAL_ERR_NOSPACE,
         ENOSPC},
    };
    for (size_t k = 0; k < GN_ARRAY_LEN(faults); k++) {
        struct mem_disk disk = faults[k].disk;
        struct gn_journal_io io = md_io(&disk);
        struct gn_journal_status st;
        struct gn_journal *j;
        struct fx f;
        int64_t rc = 0;
        fx_new(&f);
        f.conf.io = &io;
        f.conf.segments_ahead = 1;
        CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
        for (int n = 0; n < 5000 && rc >= 0; n++) {
            (void)fx_publish(&f, (uint32_t)n % FX_RINGS, true);
            rc = gn_journal_step(j, FX_NOW_NS);
            if (rc >= 0)
                gn_journal_wait(j, 1000);
        }
        if (rc != faults[k].err) {
            printf("%s: %lld\n", faults[k].what, (long long)rc);
            CU_FAIL("not latched as it must be");
        }
        gn_journal_status(j, &st);
        CU_ASSERT_EQUAL(st.failed, faults[k].err);
        CU_ASSERT_EQUAL(st.sys_errno, faults[k].sys_errno);
        const uint64_t lag = st.lag_cells, submits = disk.submits;
        CU_ASSERT(lag != 0);
        CU_ASSERT_EQUAL(gn_journal_step(j, FX_NOW_NS), faults[k].err);
        CU_ASSERT_EQUAL(gn_journal_flush(j, FX_NOW_NS), faults[k].err);
        CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), faults[k].err);
        CU_ASSERT_EQUAL(disk.submits, submits);
        md_free(&disk);
        fx_free(&f);
    }
}

/* After a failed write the disk is repaired: a new life carries on from what is durable. */
static void life_after_failure(void)
{
    struct mem_disk disk = {.fail_sync = 3, .fail_errno = EIO};
    struct gn_journal_io io = md_io(&disk);
    struct gn_journal *j;
    struct fx f;
    int64_t rc = 0;
    fx_new(&f);
    f.conf.io = &io;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int n = 0; n < 100 && rc >= 0; n++) {
        (void)fx_publish(&f, 0, true);
        rc = gn_journal_step(j, FX_NOW_NS);
        gn_journal_wait(j, 1000);
    }
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_ERR_IO);
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT(fx_check(&f, &io, NULL));
    md_free(&disk);
    fx_free(&f);
}

/* A ring whose other side went mad stops the journal, and is never believed. */
static void broken_ring(void)
{
    struct mem_disk disk = {.fail_errno = 0};
    struct gn_journal_io io = md_io(&disk);
    struct gn_journal *j;
    struct fx f;
    for (int way = 0; way < 4; way++) {
        memset(&disk, 0, sizeof disk);
        fx_new(&f);
        f.conf.io = &io;
        CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
        (void)fx_publish(&f, 1, true);
        struct gn_rec *rec = gn_ring_cell(f.ring[1], 0);
        if (way == 0)
            rec->bytes = 7;
        else if (way == 1)
            rec->source = 3;
        else if (way == 2)
            rec->seq = 2;
        else
            atomic_store(&f.ring[1]->head, 5000);
        const int want = way == 2 ? GN_JOURNAL_ERR_SEQ : GN_JOURNAL_ERR_RING;
        CU_ASSERT_EQUAL(gn_journal_step(j, FX_NOW_NS), want);
        CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), want);
        CU_ASSERT_EQUAL(disk.submits, 0);
        md_free(&disk);
        fx_free(&f);
    }
}

GN_TEST_MAIN("journal crash", {"SIGKILL at random microseconds", killed}, {"torn writes", torn},
             {"torn before the header", torn_before_the_header}, {"faults latch", faults_latch},
             {"life after a failure", life_after_failure}, {"broken rings", broken_ring})
