#include "tests/unit/journal/fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "controlplane/journal/segment.h"

void fx_new(struct fx *f)
{
    const char *base = getenv("TMPDIR");
    memset(f, 0, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "%.200s/gn-journal-XXXXXX", base != NULL ? base : ".");
    if (mkdtemp(f->dir) == NULL)
        abort();
    for (uint32_t i = 0; i < FX_RINGS; i++) {
        void *mem =
            mmap(NULL, gn_ring_footprint(FX_RING_CELLS), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (mem == MAP_FAILED || gn_ring_new(mem, FX_RING_CELLS, i * 7) != GN_RING_OK)
            abort();
        f->ring[i] = mem;
    }
    f->conf = (struct gn_journal_conf){
        .dir = f->dir,
        .instance = "test",
        .build_id = "abc",
        .config_sha256 = {1, 2, 3},
        .appliance_epoch = 5,
        .rings_id = 77,
        .segment_bytes = FX_SEGMENT_BYTES,
        .batch_bytes = FX_BATCH_BYTES,
        .skip_probe = true,
    };
}

void fx_free(struct fx *f)
{
    DIR *d = opendir(f->dir);
    if (d != NULL) {
        const struct dirent *e;
        while ((e = readdir(d)) != NULL)
            if (e->d_name[0] != '.')
                (void)unlinkat(dirfd(d), e->d_name, 0);
        (void)closedir(d);
    }
    (void)rmdir(f->dir);
    for (uint32_t i = 0; i < FX_RINGS; i++)
        (void)munmap(f->ring[i], gn_ring_footprint(FX_RING_CELLS));
}

/* Payload of record seq of a ring: a length and bytes that anyone can compute again; no zero bytes. */
static uint32_t payload_bytes(uint32_t source, uint64_t seq, bool small)
{
    uint64_t state = seq * 31 + source;
    uint64_t r = gn_test_rand(&state);
    if (small)
        return (uint32_t)(r % 65);
    return r % 37 == 0 ? GN_REC_BYTES_MAX - 32 - (uint32_t)(r >> 32) % 9 : (uint32_t)(r >> 32) % 400;
}

static void payload_fill(uint8_t *p, uint32_t bytes, uint32_t source, uint64_t seq)
{
    uint64_t state = seq * 1000003 + source;
    for (uint32_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(gn_test_rand(&state) % 255 + 1);
}

bool fx_publish(struct fx *f, uint32_t i, bool small)
{
    struct gn_ring *r = f->ring[i];
    const uint64_t seq = r->next_seq;
    const uint32_t bytes = payload_bytes(r->source, seq, small);
    struct gn_rec *rec = gn_ring_reserve(r, (uint16_t)(seq % 12 + 1), (uint32_t)sizeof *rec + bytes);
    if (rec == NULL)
        return false;
    rec->time_ns = FX_NOW_NS + seq;
    rec->corr = seq ^ 0x55;
    payload_fill((uint8_t *)(rec + 1), bytes, r->source, seq);
    gn_ring_publish(r);
    return true;
}

int fx_open(struct fx *f, struct gn_journal **j)
{
    f->err[0] = 0;
    return gn_journal_open(j, &f->conf, f->ring, FX_RINGS, f->err, sizeof f->err);
}

static bool content_ok(const struct gn_journal_item *item)
{
    uint8_t want[GN_REC_BYTES_MAX];
    const struct gn_rec *rec = item->rec;
    if (item->payload_bytes != payload_bytes(rec->source, rec->seq, true) &&
        item->payload_bytes != payload_bytes(rec->source, rec->seq, false))
        return false;
    payload_fill(want, item->payload_bytes, rec->source, rec->seq);
    return memcmp(want, item->payload, item->payload_bytes) == 0 && rec->time_ns == FX_NOW_NS + rec->seq &&
           rec->corr == (rec->seq ^ 0x55) && rec->type == rec->seq % 12 + 1;
}

bool fx_check(struct fx *f, const struct gn_journal_io *io, const uint64_t *last)
{
    struct gn_journal_verify_opts opts = {.io = io};
    struct gn_journal_report report;
    struct gn_journal_reader *r;
    struct gn_journal_item item;
    uint64_t seen[GN_JOURNAL_RINGS_MAX] = {0};
    int rc = gn_journal_verify(f->dir, &opts, &report);
    if (rc != GN_JOURNAL_OK) {
        printf("verify: %s offset %llu: %s: %s\n", report.finding.file, (unsigned long long)report.finding.offset,
               gn_journal_damage_name(report.finding.damage), report.finding.reason);
        return false;
    }
    if (gn_journal_reader_open(&r, f->dir, io, NULL) != GN_JOURNAL_OK)
        return false;
    while ((rc = gn_journal_reader_next(r, &item)) == 1) {
        if (item.rec->seq != ++seen[item.rec->source] || !content_ok(&item)) {
            printf("ring %u record %llu: out of turn or other content\n", item.rec->source,
                   (unsigned long long)item.rec->seq);
            break;
        }
    }
    gn_journal_reader_close(r);
    for (uint32_t i = 0; rc == 0 && i < FX_RINGS; i++) {
        const uint64_t want = last != NULL ? last[i] : f->ring[i]->next_seq - 1;
        if (seen[f->ring[i]->source] != want || report.ring[f->ring[i]->source].last_seq != want) {
            printf("ring %u: journal ends with %llu, published %llu\n", f->ring[i]->source,
                   (unsigned long long)seen[f->ring[i]->source], (unsigned long long)want);
            return false;
        }
    }
    return rc == 0;
}

void fx_write_some(struct fx *f, uint32_t count)
{
    struct gn_journal *j;
    if (fx_open(f, &j) != GN_JOURNAL_OK) {
        printf("open: %s\n", f->err);
        CU_FAIL_FATAL("journal does not open");
    }
    /* Quiet: a segment is made ahead. */
    CU_ASSERT_EQUAL(gn_journal_step(j, FX_NOW_NS), 0);
    for (uint32_t n = 0; n < count; n++)
        while (!fx_publish(f, n % FX_RINGS, true))
            if (gn_journal_flush(j, FX_NOW_NS) != GN_JOURNAL_OK)
                CU_FAIL_FATAL("flush");
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
}

const char *fx_path(const struct fx *f, uint64_t segment)
{
    static char path[512];
    char name[GN_JOURNAL_NAME_BYTES];
    gn_journal_file_name(segment, name);
    (void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}
