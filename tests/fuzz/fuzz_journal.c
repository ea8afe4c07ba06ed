/* What a reader of the journal takes from a file: the first byte chooses which. Segments (through the walk, strict and
 * not), compressed segments, tombstones, snapshots of the state, checkpoints and head files. A file of any bytes is
 * refused or read, never more. Seeds with valid checksums are made here, since no fuzzer guesses a CRC: the input's
 * bytes are laid over a valid file and its checksums set right again where its second byte says so.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "controlplane/journal/archive.h"
#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/proof.h"
#include "controlplane/journal/segment.h"
#include "controlplane/journal/state.h"
#include "tests/unit/journal/mem_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEGMENT_BYTES (GN_JOURNAL_BLOCK * 8u)

static struct mem_disk disk;

static void put_file(const char *name, const uint8_t *bytes, uint64_t size)
{
    struct mem_file *f = &disk.file[0];
    while (f->data != NULL)
        f++;
    f->data = malloc(size);
    if (f->data == NULL)
        abort();
    memcpy(f->data, bytes, size);
    f->bytes = size;
    (void)snprintf(f->name, sizeof f->name, "%s", name);
}

/* A segment with one batch of one record; data lies over the batch, checksums are right when `mend` says so. */
static void make_segment(uint8_t *out, const uint8_t *data, size_t size, uint8_t mend)
{
    struct gn_journal_segment *s = (struct gn_journal_segment *)(void *)out;
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)(out + GN_JOURNAL_BLOCK);
    struct gn_journal_record *p = (struct gn_journal_record *)(void *)(b + 1);
    struct gn_rec *rec = (struct gn_rec *)(void *)(p + 1);
    memset(out, 0, SEGMENT_BYTES);
    *s = (struct gn_journal_segment){.magic = GN_JOURNAL_SEGMENT_MAGIC,
                                     .major = GN_JOURNAL_MAJOR,
                                     .minor = GN_JOURNAL_MINOR,
                                     .header_bytes = GN_JOURNAL_BLOCK,
                                     .number = 1,
                                     .segment_epoch = 1,
                                     .segment_bytes = SEGMENT_BYTES,
                                     .first_batch = 1,
                                     .table_magic = GN_JOURNAL_TABLE_MAGIC};
    *b = (struct gn_journal_batch){.magic = GN_JOURNAL_BATCH_MAGIC,
                                   .version = GN_JOURNAL_MAJOR,
                                   .kind = GN_JOURNAL_BATCH_RECORDS,
                                   .bytes = 4096,
                                   .records = 1,
                                   .seq = 1,
                                   .segment_epoch = 1,
                                   .offset = GN_JOURNAL_BLOCK};
    *p = (struct gn_journal_record){.magic = GN_JOURNAL_RECORD_MAGIC};
    *rec = (struct gn_rec){.bytes = 3000, .type = GN_EV_EXEC, .seq = 1, .corr = 1};
    if ((mend & 8) != 0)
        memcpy(rec, data, size < 3000 ? size : 3000); /* the record's content, its checksum follows */
    else
        memcpy(b, data, size < GN_JOURNAL_BLOCK ? size : GN_JOURNAL_BLOCK);
    if ((mend & 1) != 0 && rec->bytes <= GN_JOURNAL_BLOCK - 200)
        p->crc = gn_crc32c(0, rec, gn_journal_record_bytes(rec->bytes) - sizeof *p);
    gn_journal_seal_segment(s);
    if ((mend & 2) != 0 && !gn_journal_hash(s, sizeof *s, b->prev_hash))
        abort();
    if ((mend & 4) != 0 && b->bytes >= sizeof *b && b->bytes <= GN_JOURNAL_BLOCK)
        gn_journal_seal_batch(b);
}

static void segments(const uint8_t *data, size_t size, uint8_t mend)
{
    static uint8_t file[SEGMENT_BYTES];
    struct gn_journal_report report;
    struct gn_journal_reader *r;
    struct gn_journal_item item;
    char *text = NULL;
    size_t text_bytes = 0;
    const struct gn_journal_io io = md_io(&disk);
    const struct gn_journal_verify_opts opts = {.io = &io};
    make_segment(file, data, size, mend);
    put_file("gannet-journal-00000001.gnj", file, sizeof file);
    (void)!gn_journal_verify("d", &opts, &report);
    struct gn_jstate *state = gn_jstate_new();
    FILE *out = open_memstream(&text, &text_bytes);
    if (state == NULL || out == NULL)
        abort();
    if (gn_journal_reader_open(&r, "d", &io, NULL) == GN_JOURNAL_OK) {
        while (gn_journal_reader_next(r, &item) == 1) {
            gn_journal_print(out, &item);
            gn_journal_print_csv(out, &item);
            (void)!gn_jstate_apply(state, item.rec, item.payload, item.payload_bytes, 1);
        }
        gn_journal_reader_close(r);
    }
    fclose(out);
    free(text);
    gn_jstate_free(state);
    md_free(&disk);
}

/* A compressed segment in an anonymous file. */
static void packed(const uint8_t *data, size_t size, uint8_t mend)
{
    uint8_t bytes[4096] = {0};
    struct gn_archive_head *h = (struct gn_archive_head *)(void *)bytes;
    size = size < sizeof bytes ? size : sizeof bytes;
    memcpy(bytes, data, size);
    if ((mend & 1) != 0) {
        h->magic = GN_ARCHIVE_MAGIC;
        h->version = GN_ARCHIVE_VERSION;
        h->frame_bytes = GN_ARCHIVE_FRAME_BYTES;
        h->segment_bytes %= 1u << 20;
        h->end %= 1u << 20;
        h->frames = (uint32_t)((h->end + GN_ARCHIVE_FRAME_BYTES - 1) / GN_ARCHIVE_FRAME_BYTES);
        h->table_crc = gn_crc32c(0, h + 1, h->frames * sizeof(struct gn_archive_frame));
        if ((mend & 2) != 0)
            ((struct gn_archive_frame *)(void *)(h + 1))->offset %= sizeof bytes;
        h->table_crc = gn_crc32c(0, h + 1, h->frames * sizeof(struct gn_archive_frame));
        h->head_crc = gn_crc32c(0, h, offsetof(struct gn_archive_head, head_crc));
    }
    int fd = memfd_create("packed", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        abort();
    (void)gn_archive_check(fd);
    (void)close(fd);
}

static void tombstones(const uint8_t *data, size_t size, uint8_t mend)
{
    static struct gn_tombstone t;
    static uint8_t file[SEGMENT_BYTES];
    memset(&t, 0, sizeof t);
    make_segment(file, data, 0, 7);
    memcpy(&t.header, file, sizeof t.header);
    memcpy((uint8_t *)&t + ((mend & 1) != 0 ? sizeof t.header : 0), data, size < 4096 ? size : 4096);
    if ((mend & 2) != 0) {
        t.magic = GN_TOMBSTONE_MAGIC;
        t.version = GN_TOMBSTONE_VERSION;
        t.bytes = sizeof t;
        t.number = t.header.number;
        t.segment_epoch = t.header.segment_epoch;
    }
    (void)gn_tombstone_check(&t);
}

static void snapshots(const uint8_t *data, size_t size)
{
    struct gn_jstate *s = gn_jstate_new();
    FILE *f = size != 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
    if (s != NULL && f != NULL && gn_jstate_load(s, f)) {
        struct gn_jstate_totals t;
        gn_jstate_totals(s, &t);
    }
    if (f != NULL)
        fclose(f);
    gn_jstate_free(s);
}

static void checkpoints(const uint8_t *data, size_t size)
{
    static union gn_journal_checkpoint_block b[2];
    memset(b, 0, sizeof b);
    memcpy(b, data, size < sizeof b ? size : sizeof b);
    if (gn_journal_checkpoint_shape(&b[0]) == NULL)
        (void)gn_journal_checkpoint_signed(&b[0].at.checkpoint);
    const struct gn_journal_io io = md_io(&disk);
    put_file(GN_JOURNAL_HEAD_NAME, (const uint8_t *)b, sizeof b);
    (void)!gn_journal_head_read(&io, "d", &b[0]);
    md_free(&disk);
}

static void take(void *out, size_t bytes, const uint8_t **data, size_t *size)
{
    const size_t n = *size < bytes ? *size : bytes;
    memcpy(out, *data, n);
    *data += n;
    *size -= n;
}

/* Proofs as gannetctl parses them: lengths are within limits, all else is anybody's. */
static void proofs(const uint8_t *data, size_t size)
{
    static struct gn_journal_proof p;
    static struct gn_journal_consistency c;
    const struct gn_rec *record;
    memset(&p, 0, sizeof p);
    memset(&c, 0, sizeof c);
    take(&c, sizeof c, &data, &size);
    c.path.count %= GN_MERKLE_PATH_MAX + 1;
    (void)gn_journal_consistency_check(&c, NULL);
    p.checkpoint = c.to;
    take(&p.record_offset, sizeof p.record_offset, &data, &size);
    take(&p.seq, sizeof p.seq, &data, &size);
    p.stages = 1 + (uint32_t)(p.seq >> 60 & 1);
    for (uint32_t i = 0; i < p.stages; i++) {
        struct gn_journal_proof_stage *s = &p.stage[i];
        take(&s->size, sizeof s->size, &data, &size);
        s->size %= 2 * GN_JOURNAL_BLOCK + 1;
        take(&s->index, sizeof s->index, &data, &size);
        take(&s->leaves, sizeof s->leaves, &data, &size);
        take(&s->path.count, sizeof s->path.count, &data, &size);
        s->path.count %= GN_MERKLE_PATH_MAX + 1;
        /* its own allocation, so that a read past it is seen */
        s->bytes = malloc(s->size + 1u);
        if (s->bytes == NULL)
            abort();
        memset(s->bytes, 0, s->size);
        take(s->bytes, s->size, &data, &size);
    }
    (void)gn_journal_proof_check(&p, NULL, &record);
    for (uint32_t i = 0; i < p.stages; i++)
        free(p.stage[i].bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const uint8_t *rest = data + 2;
    const size_t n = size - 2;
    switch (data[0] % 6) {
    case 0:
        segments(rest, n, data[1]);
        break;
    case 1:
        packed(rest, n, data[1]);
        break;
    case 2:
        tombstones(rest, n, data[1]);
        break;
    case 3:
        snapshots(rest, n);
        break;
    case 4:
        checkpoints(rest, n);
        break;
    default:
        proofs(rest, n);
        break;
    }
    return 0;
}
