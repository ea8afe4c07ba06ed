/* Every change of a written journal is found and named: flips, cuts, swaps, drops, wrong configuration, newer version.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/segment.h"
#include "tests/unit/journal/fixture.h"
#include "tests/unit/journal/mem_disk.h"

static struct mem_disk disk;

static struct gn_journal_io io;

static void new_in_memory(struct fx *f)
{
    fx_new(f);
    md_free(&disk);
    io = md_io(&disk);
    f->conf.io = &io;
    f->conf.segments_ahead = 1;
}

static struct mem_file *segment_file(uint64_t number)
{
    char name[GN_JOURNAL_NAME_BYTES];
    gn_journal_file_name(number, name);
    return md_find(&disk, name);
}

static enum gn_journal_damage damage_of(struct fx *f)
{
    static const struct gn_journal_verify_opts opts = {.io = &io};
    struct gn_journal_report report;
    int rc = gn_journal_verify(f->dir, &opts, &report);
    if ((rc != GN_JOURNAL_OK) != (report.finding.damage != GN_JOURNAL_SOUND) ||
        (rc != GN_JOURNAL_OK && report.finding.reason[0] == 0))
        CU_FAIL("a verdict without a reason");
    return report.finding.damage;
}

/* Every bit of what was written, padding included; of the zeros a bit of every 8th byte. */
static uint32_t bits_to_flip(uint64_t at, uint64_t used)
{
    if (at < used || at < 2 * GN_JOURNAL_SECTOR)
        return 0xff;
    return at % 8 == 3 ? 1u << (at / 8 % 8) : 0;
}

static void every_flip(void)
{
    struct fx f;
    uint64_t flips = 0, missed = 0;
    new_in_memory(&f);
    f.conf.segment_bytes = GN_JOURNAL_BLOCK + 2 * FX_BATCH_BYTES;
    f.conf.segments_ahead = 2;
    fx_write_some(&f, 12);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_SOUND);
    for (uint64_t segment = 1; segment <= 2; segment++) {
        struct mem_file *file = segment_file(segment);
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        const uint64_t used = segment == 1 ? 3ull * GN_JOURNAL_BLOCK : 0;
        for (uint64_t at = 0; at < file->bytes; at++) {
            const uint32_t bits = bits_to_flip(at, used);
            for (uint32_t bit = 0; bit < 8; bit++) {
                if ((bits >> bit & 1) == 0)
                    continue;
                file->data[at] ^= (uint8_t)(1u << bit);
                if (damage_of(&f) == GN_JOURNAL_SOUND && missed++ < 3)
                    printf("segment %llu byte %llu bit %u: not noticed\n", (unsigned long long)segment,
                           (unsigned long long)at, bit);
                file->data[at] ^= (uint8_t)(1u << bit);
                flips++;
            }
        }
    }
    printf("%llu flips\n", (unsigned long long)flips);
    CU_ASSERT(flips > 90000);
    CU_ASSERT_EQUAL(missed, 0);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_SOUND);
    md_free(&disk);
    fx_free(&f);
}

static void every_cut(void)
{
    struct fx f;
    new_in_memory(&f);
    fx_write_some(&f, 3000);
    struct gn_journal_report report;
    const struct gn_journal_verify_opts opts = {.io = &io};
    CU_ASSERT_EQUAL_FATAL(gn_journal_verify(f.dir, &opts, &report), GN_JOURNAL_OK);
    CU_ASSERT(report.segments >= 3);
    const uint64_t which[] = {1, 2, report.last_segment};
    for (size_t i = 0; i < GN_ARRAY_LEN(which); i++) {
        struct mem_file *file = segment_file(which[i]);
        const uint64_t whole = file->bytes;
        for (uint64_t cut = 0; cut < whole; cut += GN_JOURNAL_SECTOR) {
            file->bytes = cut;
            if (damage_of(&f) != GN_JOURNAL_DAMAGE_TRUNCATED)
                CU_FAIL("a cut is not named");
        }
        file->bytes = whole;
    }
    /* Something appended. */
    struct mem_file *longer = segment_file(2);
    uint8_t *grown = realloc(longer->data, longer->bytes + GN_JOURNAL_SECTOR);
    CU_ASSERT_PTR_NOT_NULL_FATAL(grown);
    memset(grown + longer->bytes, 0, GN_JOURNAL_SECTOR);
    longer->data = grown;
    longer->bytes += GN_JOURNAL_SECTOR;
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_STALE);
    longer->bytes -= GN_JOURNAL_SECTOR;
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_SOUND);
    /* Zeroed from a batch on, in a segment that others follow. */
    struct mem_file *first = segment_file(1);
    memset(first->data + GN_JOURNAL_BLOCK, 0, first->bytes - GN_JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_TRUNCATED);
    md_free(&disk);
    fx_free(&f);
}

static void swaps_and_drops(void)
{
    struct fx f;
    new_in_memory(&f);
    fx_write_some(&f, 3000);
    struct mem_file *a = segment_file(1), *b = segment_file(2);
    uint8_t *data = a->data;
    a->data = b->data;
    b->data = data;
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_SWAPPED);
    b->data = a->data;
    a->data = data;
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_SOUND);
    b->name[0] = 'x';
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_DROPPED);
    struct gn_journal *j;
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_HOLE);
    b->name[0] = 'g';
    a->name[0] = 'x';
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_DROPPED);
    struct gn_journal_report report;
    const struct gn_journal_verify_opts trimmed = {.io = &io, .accept_trimmed = true};
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, &trimmed, &report), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(report.first_segment, 2);
    md_free(&disk);
    fx_free(&f);
}

/* Replaces a batch by another that is whole by itself: only the chain can tell. */
static void forged_batch(void)
{
    struct fx f;
    new_in_memory(&f);
    fx_write_some(&f, 3000);
    struct mem_file *file = segment_file(1);
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)(file->data + GN_JOURNAL_BLOCK);
    b->time_ns++;
    gn_journal_seal_batch(b);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_CHAIN);
    b->time_ns--;
    gn_journal_seal_batch(b);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_SOUND);
    /* The last batch of a segment: the next segment's header betrays it. */
    struct gn_journal_batch *last = b;
    while ((last->flags & GN_JOURNAL_BATCH_LAST) == 0)
        last = (struct gn_journal_batch *)(void *)((uint8_t *)last + gn_journal_padded(last->bytes));
    last->time_ns++;
    gn_journal_seal_batch(last);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_CHAIN);
    last->time_ns--;
    gn_journal_seal_batch(last);
    /* An old batch over a newer one. */
    struct gn_journal_batch *second = (struct gn_journal_batch *)(void *)((uint8_t *)b + gn_journal_padded(b->bytes));
    if (gn_journal_padded(second->bytes) == gn_journal_padded(b->bytes)) {
        memcpy(second, b, gn_journal_padded(b->bytes));
        CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_SWAPPED);
    }
    md_free(&disk);
    fx_free(&f);
}

/* Seals a segment's header and its batches again, hash chain and all, as a forger would. */
static void rechain(struct mem_file *file)
{
    struct gn_journal_segment *s = (struct gn_journal_segment *)(void *)file->data;
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)(file->data + GN_JOURNAL_BLOCK);
    uint8_t chain[GN_JOURNAL_HASH];
    gn_journal_seal_segment(s);
    CU_ASSERT_FATAL(gn_journal_hash(s, sizeof *s, chain));
    while ((uint8_t *)b < file->data + file->bytes && b->magic == GN_JOURNAL_BATCH_MAGIC) {
        const uint32_t padded = gn_journal_padded(b->bytes);
        memcpy(b->prev_hash, chain, sizeof b->prev_hash);
        gn_journal_seal_batch(b);
        CU_ASSERT_FATAL(gn_journal_hash(b, padded, chain));
        b = (struct gn_journal_batch *)(void *)((uint8_t *)b + padded);
    }
}

/* Each field that ties a segment, or a batch, to what precedes it, changed alone and everything after it sealed again
 * consistently: the field itself must be checked, the chain no longer tells. */
static void forged_consistently(void)
{
    static const struct {
        const char *what;
        size_t at; /* in the header, or from GN_JOURNAL_BLOCK on in the first batch */
    } fields[] = {
        {"prev_hash", offsetof(struct gn_journal_segment, prev_hash)},
        {"prev_end", offsetof(struct gn_journal_segment, prev_end)},
        {"first_batch", offsetof(struct gn_journal_segment, first_batch)},
        {"first_record", offsetof(struct gn_journal_segment, first_record)},
        {"prev_leaves", offsetof(struct gn_journal_segment, prev_leaves)},
        {"prev_root", offsetof(struct gn_journal_segment, prev_root)},
        {"checkpoints", offsetof(struct gn_journal_segment, checkpoints)},
        {"last_seq", offsetof(struct gn_journal_segment, last_seq)},
        {"last_seq of a ring that is not there", offsetof(struct gn_journal_segment, last_seq) + 40 * sizeof(uint64_t)},
        {"number", offsetof(struct gn_journal_segment, number)},
        {"batch seq", GN_JOURNAL_BLOCK + offsetof(struct gn_journal_batch, seq)},
        {"batch segment_epoch", GN_JOURNAL_BLOCK + offsetof(struct gn_journal_batch, segment_epoch)},
        {"batch offset", GN_JOURNAL_BLOCK + offsetof(struct gn_journal_batch, offset)},
        {"batch first_record", GN_JOURNAL_BLOCK + offsetof(struct gn_journal_batch, first_record)},
        {"batch records", GN_JOURNAL_BLOCK + offsetof(struct gn_journal_batch, records)},
    };
    struct fx f;
    struct gn_journal_report report;
    const struct gn_journal_verify_opts opts = {.io = &io};
    new_in_memory(&f);
    fx_write_some(&f, 3000);
    CU_ASSERT_EQUAL_FATAL(gn_journal_verify(f.dir, &opts, &report), GN_JOURNAL_OK);
    struct mem_file *file = segment_file(report.last_segment);
    uint8_t *kept = malloc(file->bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
    memcpy(kept, file->data, file->bytes);
    rechain(file);
    CU_ASSERT_EQUAL(memcmp(kept, file->data, file->bytes), 0);
    for (size_t i = 0; i < GN_ARRAY_LEN(fields); i++) {
        file->data[fields[i].at] ^= 1;
        rechain(file);
        if (damage_of(&f) == GN_JOURNAL_SOUND) {
            printf("%s: not noticed\n", fields[i].what);
            CU_FAIL("a consistent forgery is not noticed");
        }
        memcpy(file->data, kept, file->bytes);
    }
    /* a batch that nothing but the next one's hash of it holds in its place */
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)(file->data + GN_JOURNAL_BLOCK);
    b->time_ns++;
    gn_journal_seal_batch(b);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_CHAIN);
    memcpy(file->data, kept, file->bytes);
    /* a record's sequence */
    struct gn_journal_record *prefix = (struct gn_journal_record *)(void *)(b + 1);
    struct gn_rec *rec = (struct gn_rec *)(void *)(prefix + 1);
    rec->seq += 5;
    prefix->crc = gn_crc32c(0, rec, gn_journal_record_bytes(rec->bytes) - sizeof *prefix);
    rechain(file);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_SEQUENCE);
    free(kept);
    md_free(&disk);
    fx_free(&f);
}

/* A header that was changed, and one that is gone, before a segment that is whole: a writer must not go on after it. */
static void headers_refuse(void)
{
    struct fx f;
    struct gn_journal *j;
    new_in_memory(&f);
    fx_write_some(&f, 3000);
    struct mem_file *second = segment_file(2);
    second->data[20] ^= 1;
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_DAMAGED);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err, "00000002.gnj"));
    memset(second->data, 0, GN_JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_HOLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err, "00000002.gnj"));
    md_free(&disk);
    fx_free(&f);
}

static void config_and_version(void)
{
    struct fx f;
    uint8_t other[GN_JOURNAL_HASH] = {9};
    struct gn_journal_report report;
    struct gn_journal *j;
    new_in_memory(&f);
    fx_write_some(&f, 10);
    struct gn_journal_verify_opts opts = {.io = &io, .config_sha256 = f.conf.config_sha256};
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, &opts, &report), GN_JOURNAL_OK);
    opts.config_sha256 = other;
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, &opts, &report), GN_JOURNAL_ERR_DAMAGED);
    CU_ASSERT_EQUAL(report.finding.damage, GN_JOURNAL_DAMAGE_CONFIG);
    struct gn_journal_segment *s = (struct gn_journal_segment *)(void *)segment_file(1)->data;
    s->major = GN_JOURNAL_MAJOR + 1;
    gn_journal_seal_segment(s);
    opts.config_sha256 = NULL;
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, &opts, &report), GN_JOURNAL_ERR_VERSION);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.finding.reason, "2.2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.finding.reason, "1.2"));
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_VERSION);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err, "2.2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err, "this writer knows")); /* before any reader walks */
    md_free(&disk);
    fx_free(&f);
}

/* A batch in the middle of the last segment goes bad: cutting there would lose the whole ones after it. */
static void holes_refuse(void)
{
    struct fx f;
    struct gn_journal *j;
    new_in_memory(&f);
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int batch = 0; batch < 4; batch++) {
        (void)fx_publish(&f, 0, true);
        CU_ASSERT_EQUAL(gn_journal_flush(j, FX_NOW_NS), GN_JOURNAL_OK);
    }
    disk.dead = true;
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_ERR_IO);
    disk.dead = false;
    struct mem_file *file = segment_file(1);
    uint8_t *second = file->data + 2 * GN_JOURNAL_BLOCK, kept[GN_JOURNAL_BLOCK];
    memcpy(kept, second, sizeof kept);
    memset(second, 0, sizeof kept);
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_HOLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err, "gannet-journal-00000001.gnj offset 8192"));
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_HOLE);
    memcpy(second, kept, sizeof kept);
    second[140] ^= 1;
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_HOLE);
    CU_ASSERT_EQUAL(damage_of(&f), GN_JOURNAL_DAMAGE_EDIT);
    second[140] ^= 1;
    /* The last but one: a single whole batch after it is reason enough. */
    uint8_t *third = file->data + 3 * GN_JOURNAL_BLOCK;
    memcpy(kept, third, sizeof kept);
    memset(third, 0, sizeof kept);
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_HOLE);
    memcpy(third, kept, sizeof kept);
    /* The last batch, changed without a tear: not a crash, so it is not cut off silently. */
    file->data[4 * GN_JOURNAL_BLOCK + 140] ^= 1;
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_DAMAGED);
    file->data[4 * GN_JOURNAL_BLOCK + 140] ^= 1;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT(fx_check(&f, &io, NULL));
    md_free(&disk);
    fx_free(&f);
}

GN_TEST_MAIN("journal tamper", {"every flip", every_flip}, {"every cut", every_cut},
             {"swapped and dropped segments", swaps_and_drops}, {"forged batches", forged_batch},
             {"forged consistently", forged_consistently}, {"changed and missing headers", headers_refuse},
             {"other configuration, newer version", config_and_version},
             {"holes and edits refuse to start", holes_refuse})
