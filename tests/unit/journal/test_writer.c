/* The writer over a disk in memory: a slow disk is told at the start, no ring starves, a loss is marked once, the head
 * file's slots take turns, and every failure of the disk latches and leaves the journal readable. */
#include <errno.h>

#include "controlplane/journal/segment.h"
#include "tests/unit/journal/fixture.h"
#include "tests/unit/journal/mem_disk.h"

static struct fx f;
static struct mem_disk disk;
static struct gn_journal_io io;

static void begin(void)
{
    fx_new(&f);
    io = md_io(&disk);
    f.conf.io = &io;
}

static void end(void)
{
    md_free(&disk);
    fx_free(&f);
}

/* The 4 ms of a missed timer tick are found before trading begins, with the reason and what to do. */
static void a_slow_disk_is_told(void)
{
    static const struct {
        uint64_t commit_ns;
        bool slow;
    } rows[] = {{100000, false}, {1990000, false}, {2100000, true}, {4000000, true}};
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        struct gn_journal *j;
        struct gn_journal_status st;
        begin();
        disk.commit_ns = rows[i].commit_ns;
        f.conf.skip_probe = false;
        CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
        gn_journal_status(j, &st);
        CU_ASSERT_EQUAL(st.slow, rows[i].slow);
        CU_ASSERT_TRUE(st.probe_p50_ns >= rows[i].commit_ns);
        CU_ASSERT_EQUAL(strstr(st.slow_why, "interrupt") != NULL, rows[i].slow);
        CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
        end();
    }
}

static void no_ring_starves(void)
{
    struct gn_journal *j;
    begin();
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int turn = 0; turn < 40; turn++) {
        while (fx_publish(&f, 0, false)) { /* ring 0 is always full */
        }
        if (turn == 4)
            CU_ASSERT_TRUE(fx_publish(&f, 2, true));
        CU_ASSERT_TRUE(gn_journal_step(j, FX_NOW_NS) >= 0);
        gn_journal_wait(j, 1000000);
        if (turn == 12)
            CU_ASSERT_EQUAL(gn_ring_used(f.ring[2]), 0);
    }
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT_TRUE(fx_check(&f, &io, NULL));
    end();
}

/* An accepted loss is a flag in one header, so that a later gap is damage again. */
static void a_loss_is_marked_once(void)
{
    struct gn_journal_report r;
    const struct gn_journal_verify_opts opts = {.io = &io};
    begin();
    fx_write_some(&f, 300);
    md_free(&disk);
    io = md_io(&disk);
    f.conf.accept_lost = true;
    fx_write_some(&f, 3000);
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, &opts, &r), GN_JOURNAL_OK);
    CU_ASSERT_TRUE(r.segments > 2);
    CU_ASSERT_EQUAL(r.accepted_gaps, 1);
    end();
}

static void the_head_has_two_slots(void)
{
    static const uint8_t seed[32] = {9};
    struct gn_journal_key *key = gn_journal_key_from_seed(seed);
    begin();
    f.conf.key = key;
    fx_write_some(&f, 10);
    fx_write_some(&f, 10);
    const struct mem_file *head = md_find(&disk, GN_JOURNAL_HEAD_NAME);
    CU_ASSERT_PTR_NOT_NULL_FATAL(head);
    const union gn_journal_checkpoint_block *b = (const union gn_journal_checkpoint_block *)(const void *)head->data;
    CU_ASSERT_PTR_NULL(gn_journal_checkpoint_shape(&b[0]));
    CU_ASSERT_PTR_NULL(gn_journal_checkpoint_shape(&b[1]));
    CU_ASSERT_NOT_EQUAL(b[0].at.checkpoint.number, b[1].at.checkpoint.number);
    end();
    gn_journal_key_free(key);
}

/* EIO of the write, of the fdatasync, of the submit, a short write once and again: the first is the last. Nothing is
 * released, nothing is tried again, and what was durable before can be read. */
static void every_failure_latches(void)
{
    for (int what = 0; what < 4; what++) {
        struct gn_journal *j;
        struct gn_journal_status st;
        struct gn_journal_report r;
        const struct gn_journal_verify_opts opts = {.io = &io};
        begin();
        disk.fail_errno = EIO;
        *(what == 0   ? &disk.fail_write
          : what == 1 ? &disk.fail_sync
          : what == 2 ? &disk.fail_submit
                      : &disk.fail_short) = 3;
        CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
        int64_t rc = 0;
        for (int i = 0; i < 20 && rc >= 0; i++) {
            CU_ASSERT_TRUE(fx_publish(&f, 0, true));
            rc = gn_journal_step(j, FX_NOW_NS);
            gn_journal_wait(j, 1000000);
        }
        CU_ASSERT_EQUAL(rc, what == 3 ? GN_JOURNAL_ERR_SHORT : GN_JOURNAL_ERR_IO);
        const uint64_t submits = disk.submits, used = gn_ring_used(f.ring[0]);
        CU_ASSERT_TRUE(used != 0);
        for (int i = 0; i < 5; i++) {
            disk.fail_write = disk.fail_sync = disk.fail_submit = disk.fail_short = 0; /* the disk works again */
            CU_ASSERT_EQUAL(gn_journal_step(j, FX_NOW_NS), rc);
            CU_ASSERT_EQUAL(gn_journal_flush(j, FX_NOW_NS), rc);
        }
        gn_journal_status(j, &st);
        CU_ASSERT_EQUAL(st.failed, rc);
        CU_ASSERT_EQUAL(st.sys_errno, what == 3 ? 0 : EIO);
        CU_ASSERT_EQUAL(disk.submits, submits);
        CU_ASSERT_EQUAL(gn_ring_used(f.ring[0]), used);
        CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), rc);
        CU_ASSERT_EQUAL(gn_journal_verify(f.dir, &opts, &r), GN_JOURNAL_OK);
        CU_ASSERT_TRUE(r.records > 0);
        /* the next writer goes on from what is durable: every record once */
        CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
        CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
        CU_ASSERT_TRUE(fx_check(&f, &io, NULL));
        end();
    }
}

/* No further segment can be made: told while the one in use and those ready are there, latched when they are used up.
 */
static void no_space_is_told_two_segments_before(void)
{
    struct gn_journal *j;
    struct gn_journal_status st;
    uint64_t told_at = 0;
    begin();
    f.conf.segments_ahead = 2;
    disk.fail_errno = ENOSPC;
    disk.fail_prepare_from = 4;
    disk.fail_prepare_to = UINT64_MAX;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    int64_t rc = 0;
    for (int i = 0; i < 20000 && rc >= 0; i++) {
        if (i % 3 == 0)
            (void)fx_publish(&f, 1, false);
        rc = gn_journal_step(j, FX_NOW_NS);
        gn_journal_wait(j, 1000000);
        gn_journal_status(j, &st);
        if (st.prepare_errno != 0 && told_at == 0) {
            told_at = st.segment;
            CU_ASSERT_EQUAL(st.prepare_errno, ENOSPC);
            CU_ASSERT_TRUE(st.ready_segments >= 1);
        }
    }
    CU_ASSERT_EQUAL(rc, GN_JOURNAL_ERR_NOSPACE);
    CU_ASSERT_TRUE(told_at != 0);
    CU_ASSERT_TRUE(st.segment >=
                   told_at + 1); /* a whole segment was written after the alarm, and the rest of another */
    (void)gn_journal_close(j, FX_NOW_NS);
    end();
}

/* What a start does on its way: what it reads is made durable first, half-made files go, segments of another size too.
 */
static void recovery_tidies_up(void)
{
    struct gn_journal *j;
    bool direct;
    struct gn_journal_report r;
    const struct gn_journal_verify_opts opts = {.io = &io};
    begin();
    fx_write_some(&f, 20);
    const uint64_t syncs = disk.syncs;
    CU_ASSERT_EQUAL(io.prepare(io.ctx, f.dir, "gannet-journal-00000099.gnj.tmp", 4096), 0);
    f.conf.segment_bytes += FX_BATCH_BYTES;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_TRUE(disk.syncs > syncs);
    CU_ASSERT_EQUAL(io.open(io.ctx, f.dir, "gannet-journal-00000099.gnj.tmp", GN_JOURNAL_OPEN_READ, &direct), -ENOENT);
    CU_ASSERT_TRUE(fx_publish(&f, 1, true));
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, &opts, &r), GN_JOURNAL_OK); /* headers and files agree on the new size */
    CU_ASSERT_TRUE(fx_check(&f, &io, NULL));
    end();
}

/* A ring whose sequence jumps among the records that are durable already is not this journal's. */
static void a_ring_that_jumps(void)
{
    struct gn_journal *j;
    begin();
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_TRUE(fx_publish(&f, 1, true));
    const uint64_t tail = atomic_load(&f.ring[1]->tail), last = atomic_load(&f.ring[1]->last_seq);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    atomic_store(&f.ring[1]->tail, tail); /* as if the release had not come */
    atomic_store(&f.ring[1]->last_seq, last);
    uint64_t cursor = tail;
    int err;
    for (int i = 0; i < 3; i++)
        (void)gn_ring_read(f.ring[1], &cursor, &err);
    gn_ring_read(f.ring[1], &cursor, &err)->seq += 1;
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_SEQ);
    end();
}

/* Checksums of the batch set right again by who changed a record in it: the record's own still tell. */
static void a_record_changed_with_its_batch(void)
{
    for (int what = 0; what < 2; what++) {
        struct gn_journal_report r;
        const struct gn_journal_verify_opts opts = {.io = &io};
        begin();
        fx_write_some(&f, 5);
        struct mem_file *file = md_find(&disk, "gannet-journal-00000001.gnj");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)(file->data + GN_JOURNAL_BLOCK);
        struct gn_journal_record *p = (struct gn_journal_record *)(void *)(b + 1);
        struct gn_rec *rec = (struct gn_rec *)(void *)(p + 1);
        if (what == 0)
            rec->time_ns ^= 1;
        else
            rec->bytes = GN_REC_BYTES_MAX;
        gn_journal_seal_batch(b);
        CU_ASSERT_NOT_EQUAL(gn_journal_verify(f.dir, &opts, &r), GN_JOURNAL_OK);
        CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_DAMAGE_EDIT);
        CU_ASSERT_PTR_NOT_NULL(strstr(r.finding.reason, what == 0 ? "checksum" : "length"));
        end();
    }
}

static void a_segment_epoch_twice(void)
{
    struct gn_journal_report r;
    const struct gn_journal_verify_opts opts = {.io = &io};
    begin();
    fx_write_some(&f, 5);
    fx_write_some(&f, 5);
    struct mem_file *file = md_find(&disk, "gannet-journal-00000002.gnj");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    struct gn_journal_segment *s = (struct gn_journal_segment *)(void *)file->data;
    s->segment_epoch--;
    gn_journal_seal_segment(s);
    CU_ASSERT_NOT_EQUAL(gn_journal_verify(f.dir, &opts, &r), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_DAMAGE_STALE);
    end();
}

GN_TEST_MAIN("journal writer", {"a slow disk is told", a_slow_disk_is_told}, {"no ring starves", no_ring_starves},
             {"a loss is marked once", a_loss_is_marked_once}, {"the head has two slots", the_head_has_two_slots},
             {"every failure latches", every_failure_latches},
             {"no space is told two segments before", no_space_is_told_two_segments_before},
             {"recovery tidies up", recovery_tidies_up}, {"a ring that jumps", a_ring_that_jumps},
             {"a record changed with its batch", a_record_changed_with_its_batch},
             {"a segment epoch twice", a_segment_epoch_twice})
