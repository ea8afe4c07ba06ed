/* Finished segments compressed, held and deleted: every reader sees the same journal before and after, tombstones keep
 * the chain and the names, nothing that is held or young goes, and no file that was tampered with is believed. */
#include "controlplane/journal/archive.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/journal/index.h"
#include "tests/unit/journal/fixture.h"

static struct fx f;
static struct gn_journal_key *key;
static char err[GN_ARCHIVE_ERR_LEN];

static void begin(uint32_t records)
{
    static const uint8_t seed[32] = {3};
    fx_new(&f);
    key = gn_journal_key_from_seed(seed);
    f.conf.key = key;
    f.conf.segment_bytes = GN_JOURNAL_BLOCK + 2 * FX_BATCH_BYTES;
    fx_write_some(&f, records);
    fx_write_some(&f, 50); /* a second life */
}

static void empty(const char *sub)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", f.dir, sub);
    DIR *d = opendir(path);
    const struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL)
        (void)closedir(d);
    (void)rmdir(path);
}

static void end(void)
{
    empty("archive");
    gn_journal_key_free(key);
    fx_free(&f);
}

static struct gn_archive_job job(uint64_t keep, uint64_t older_ns)
{
    return (struct gn_archive_job){.dir = f.dir,
                                   .who = "tester",
                                   .why = "test",
                                   .now_ns = FX_NOW_NS + 1000000000,
                                   .keep = keep,
                                   .older_ns = older_ns,
                                   .key = key};
}

static const char *archived(uint64_t number, const char *ending)
{
    static char path[600];
    (void)snprintf(path, sizeof path, "%s/archive/gannet-journal-%08u.%s", f.dir, (unsigned)number, ending);
    return path;
}

static struct gn_journal_report verify(void)
{
    struct gn_journal_report r;
    if (gn_journal_verify(f.dir, NULL, &r) != GN_JOURNAL_OK)
        printf("%s: %s: %s\n", r.finding.file, gn_journal_damage_name(r.finding.damage), r.finding.reason);
    return r;
}

static void the_same_journal_in_less_room(void)
{
    begin(2000);
    const struct gn_journal_report before = verify();
    CU_ASSERT_TRUE(before.segments > 6);
    struct gn_archive_job j = job(1, 0);
    const int64_t n = gn_archive_seal(&j, err);
    CU_ASSERT_EQUAL(n, (int64_t)before.segments - 2);
    for (uint64_t s = 1; s <= before.segments; s++) {
        struct stat small;
        const bool packed = s + 1 < before.segments;
        CU_ASSERT_EQUAL(access(fx_path(&f, s), F_OK) != 0, packed);
        CU_ASSERT_EQUAL(stat(archived(s, "gnz"), &small) == 0, packed);
        if (packed)
            CU_ASSERT_TRUE((uint64_t)small.st_size < f.conf.segment_bytes);
    }
    const struct gn_journal_report after = verify();
    CU_ASSERT_EQUAL(after.finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_EQUAL(after.records, before.records);
    CU_ASSERT_EQUAL(after.tombstones, 0);
    CU_ASSERT_EQUAL(memcmp(after.final_hash, before.final_hash, sizeof after.final_hash), 0);
    CU_ASSERT_TRUE(fx_check(&f, NULL, NULL)); /* every record, its content */
    CU_ASSERT_EQUAL(gn_archive_seal(&j, err), 0);
    /* the writer goes on as before, and the archive with it */
    fx_write_some(&f, 500);
    CU_ASSERT_TRUE(fx_check(&f, NULL, NULL));
    CU_ASSERT_TRUE(gn_archive_seal(&j, err) > 0);
    CU_ASSERT_TRUE(fx_check(&f, NULL, NULL));
    CU_ASSERT_TRUE(gn_archive_audit(f.dir, NULL, err) > n);
    end();
}

struct graves {
    uint64_t n, records;
    bool named;
};

static void count_grave(void *arg, const struct gn_tombstone *t)
{
    struct graves *g = arg;
    g->n++;
    g->records += t->records;
    g->named = g->named && strcmp(t->who, "tester") == 0 && strcmp(t->why, "test") == 0;
}

static struct gn_journal_report verify_across(const uint8_t *trusted, struct graves *g)
{
    struct gn_journal_report r;
    *g = (struct graves){.named = true};
    const struct gn_journal_verify_opts opts = {
        .public_key = trusted, .on_tombstone = count_grave, .on_tombstone_arg = g};
    (void)!gn_journal_verify(f.dir, &opts, &r);
    return r;
}

static void deletion_leaves_a_tombstone(void)
{
    struct graves g;
    uint64_t held = 0;
    begin(2000);
    const struct gn_journal_report before = verify();
    struct gn_archive_job j = job(1, 0);
    const int64_t n = gn_archive_seal(&j, err);
    CU_ASSERT_EQUAL(gn_archive_hold(&j, "case-17", 2, 3, err), GN_JOURNAL_OK);
    CU_ASSERT_NOT_EQUAL(gn_archive_hold(&j, "case-17", 4, 4, err), GN_JOURNAL_OK);
    CU_ASSERT_NOT_EQUAL(gn_archive_hold(&j, "two words", 4, 4, err), GN_JOURNAL_OK);
    j.older_ns = UINT64_MAX / 2;
    CU_ASSERT_EQUAL(gn_archive_expire(&j, &held, err), 0); /* all too young */
    j.older_ns = 0;
    CU_ASSERT_EQUAL(gn_archive_expire(&j, &held, err), n - 2);
    CU_ASSERT_EQUAL(held, 2);
    CU_ASSERT_EQUAL(access(archived(1, "gnz"), F_OK) == 0, 0);
    CU_ASSERT_EQUAL(access(archived(1, "gnt"), F_OK), 0);
    CU_ASSERT_EQUAL(access(archived(2, "gnz"), F_OK), 0);
    struct gn_journal_report after = verify_across(gn_journal_key_public(key), &g);
    CU_ASSERT_EQUAL(after.finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_EQUAL(after.tombstones, (uint64_t)n - 2);
    CU_ASSERT_EQUAL(g.n, (uint64_t)n - 2);
    CU_ASSERT_TRUE(g.named);
    CU_ASSERT_EQUAL(after.records + g.records, before.records); /* nothing is gone without a name */
    CU_ASSERT_EQUAL(memcmp(after.final_hash, before.final_hash, sizeof after.final_hash), 0);
    const uint8_t other[GN_JOURNAL_PUBLIC_KEY] = {1};
    after = verify_across(other, &g);
    CU_ASSERT_EQUAL(after.finding.damage, GN_JOURNAL_DAMAGE_SIGNATURE);
    /* released: then they go as well; the writer does not mind */
    CU_ASSERT_EQUAL(gn_archive_release(&j, "case-17", err), GN_JOURNAL_OK);
    CU_ASSERT_NOT_EQUAL(gn_archive_release(&j, "case-17", err), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_archive_expire(&j, &held, err), 2);
    CU_ASSERT_EQUAL(verify().tombstones, (uint64_t)n);
    fx_write_some(&f, 100);
    CU_ASSERT_EQUAL(verify().finding.damage, GN_JOURNAL_SOUND);
    end();
}

static void flip(const char *path, uint64_t at)
{
    uint8_t b;
    int fd = open(path, O_RDWR);
    if (fd < 0 || pread(fd, &b, 1, (off_t)at) != 1)
        abort();
    b ^= 1;
    if (pwrite(fd, &b, 1, (off_t)at) != 1)
        abort();
    (void)close(fd);
}

/* Each byte of a compressed segment, and of a tombstone: changed is noticed. Reserved bytes are under the checksum. */
static void every_byte_counts(void)
{
    struct stat st;
    uint64_t held, seed = gn_test_seed(4);
    begin(1600);
    struct gn_archive_job j = job(1, 0);
    CU_ASSERT_TRUE(gn_archive_seal(&j, err) > 2);
    CU_ASSERT_EQUAL(stat(archived(2, "gnz"), &st), 0);
    for (uint64_t i = 0; i < 400; i++) {
        const uint64_t at = i < 160 ? i : gn_test_rand(&seed) % (uint64_t)st.st_size;
        flip(archived(2, "gnz"), at);
        struct gn_journal_report r;
        if (gn_journal_verify(f.dir, NULL, &r) == GN_JOURNAL_OK)
            printf("byte %llu of a compressed segment\n", (unsigned long long)at);
        CU_ASSERT_NOT_EQUAL(r.finding.damage, GN_JOURNAL_SOUND);
        flip(archived(2, "gnz"), at);
    }
    CU_ASSERT_EQUAL(truncate(archived(2, "gnz"), st.st_size - 1), 0);
    struct gn_journal_report r;
    CU_ASSERT_NOT_EQUAL(gn_journal_verify(f.dir, NULL, &r), GN_JOURNAL_OK);
    CU_ASSERT_TRUE(gn_archive_expire(&j, &held, err) < 0); /* what is damaged is not deleted either */
    CU_ASSERT_EQUAL(access(archived(2, "gnz"), F_OK), 0);
    end();
    begin(1600);
    j = job(1, 0);
    CU_ASSERT_TRUE(gn_archive_seal(&j, err) > 2);
    CU_ASSERT_TRUE(gn_archive_expire(&j, &held, err) > 2);
    for (uint64_t i = 0; i < 300; i++) {
        const uint64_t at = gn_test_rand(&seed) % sizeof(struct gn_tombstone);
        flip(archived(2, "gnt"), at);
        CU_ASSERT_NOT_EQUAL(gn_journal_verify(f.dir, NULL, &r), GN_JOURNAL_OK);
        flip(archived(2, "gnt"), at);
    }
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, NULL, &r), GN_JOURNAL_OK);
    /* a tombstone in another one's place, and one that is gone */
    CU_ASSERT_EQUAL(rename(archived(2, "gnt"), "moved.gnt"), 0);
    CU_ASSERT_NOT_EQUAL(gn_journal_verify(f.dir, NULL, &r), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_DAMAGE_DROPPED);
    CU_ASSERT_EQUAL(rename(archived(3, "gnt"), archived(2, "gnt")), 0);
    CU_ASSERT_NOT_EQUAL(gn_journal_verify(f.dir, NULL, &r), GN_JOURNAL_OK);
    (void)unlink("moved.gnt");
    end();
}

/* Whoever changes what was written down is found, and stops further deletions. */
static void the_audit_is_a_chain(void)
{
    char path[600];
    uint64_t held;
    begin(1600);
    struct gn_archive_job j = job(1, 0);
    CU_ASSERT_TRUE(gn_archive_seal(&j, err) > 2);
    CU_ASSERT_EQUAL(gn_archive_hold(&j, "h", 1, 1, err), GN_JOURNAL_OK);
    (void)snprintf(path, sizeof path, "%s/archive/audit.jsonl", f.dir);
    CU_ASSERT_TRUE(gn_archive_audit(f.dir, NULL, err) > 3);
    flip(path, 30);
    CU_ASSERT_TRUE(gn_archive_audit(f.dir, NULL, err) < 0);
    CU_ASSERT_TRUE(gn_archive_expire(&j, &held, err) < 0);
    flip(path, 30);
    CU_ASSERT_TRUE(gn_archive_audit(f.dir, NULL, err) > 3);
    (void)snprintf(path, sizeof path, "%s/archive/holds", f.dir);
    flip(path, 1); /* the space between name and number */
    CU_ASSERT_TRUE(gn_archive_expire(&j, &held, err) < 0);
    flip(path, 1);
    j.why = "with \"quotes\"";
    CU_ASSERT_NOT_EQUAL(gn_archive_release(&j, "h", err), GN_JOURNAL_OK);
    j.why = "test";
    j.key = NULL;
    CU_ASSERT_TRUE(gn_archive_expire(&j, &held, err) < 0);
    end();
}

/* A death between two steps leaves both forms, or a tombstone beside its segment: readers take the fuller one. */
static void both_forms(void)
{
    uint64_t held;
    struct gn_journal_report r;
    begin(1600);
    CU_ASSERT_EQUAL(rename(fx_path(&f, 1), "kept.gnj"), 0);
    CU_ASSERT_EQUAL(link("kept.gnj", fx_path(&f, 1)), 0);
    struct gn_archive_job j = job(1, 0);
    const int64_t n = gn_archive_seal(&j, err);
    CU_ASSERT_TRUE(n > 2);
    CU_ASSERT_EQUAL(rename("kept.gnj", fx_path(&f, 1)), 0);
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, NULL, &r), GN_JOURNAL_OK);
    CU_ASSERT_TRUE(fx_check(&f, NULL, NULL));
    CU_ASSERT_EQUAL(gn_archive_seal(&j, err), 1);
    CU_ASSERT_EQUAL(link(archived(1, "gnz"), "kept.gnz"), 0);
    CU_ASSERT_EQUAL(gn_archive_expire(&j, &held, err), n);
    CU_ASSERT_EQUAL(verify().tombstones, (uint64_t)n);
    CU_ASSERT_EQUAL(rename("kept.gnz", archived(1, "gnz")), 0);
    CU_ASSERT_EQUAL(verify().tombstones, (uint64_t)n - 1);
    CU_ASSERT_EQUAL(gn_archive_expire(&j, &held, err), 1);
    end();
}

/* The index of a segment is there soon after the next one begins, without a query. */
static void the_index_comes_with_the_seal(void)
{
    char path[600];
    struct gn_journal *j;
    fx_new(&f);
    key = NULL;
    f.conf.segment_bytes = GN_JOURNAL_BLOCK + 2 * FX_BATCH_BYTES;
    f.conf.index_sealed = true;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_thread_start(j), GN_JOURNAL_OK);
    (void)snprintf(path, sizeof path, "%s/" GN_JOURNAL_INDEX_FORMAT, f.dir, 1u);
    for (uint32_t n = 0; n < 2000; n++)
        while (!fx_publish(&f, n % FX_RINGS, true))
            (void)usleep(100);
    bool there = false;
    for (int i = 0; i < 2000 && !there; i++) {
        there = access(path, F_OK) == 0;
        (void)usleep(5000);
    }
    CU_ASSERT_TRUE(there);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    end();
}

GN_TEST_MAIN("journal archive", {"the same journal in less room", the_same_journal_in_less_room},
             {"deletion leaves a tombstone", deletion_leaves_a_tombstone}, {"every byte counts", every_byte_counts},
             {"the audit is a chain", the_audit_is_a_chain}, {"both forms", both_forms},
             {"the index comes with the seal", the_index_comes_with_the_seal})
