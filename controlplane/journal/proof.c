#include "controlplane/journal/proof.h"

#include <stdlib.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/reader_impl.h"

/* Walks and keeps the leaf hashes of the segment being read. */
struct prover {
    struct gn_journal_proof *proof;
    uint8_t (*leaves)[GN_JOURNAL_HASH];
    uint64_t count, room;
    bool found;   /* stage[stages - 1] waits for a root */
    bool covered; /* a checkpoint closed it */
    /* consistency */
    struct gn_journal_consistency *both;
    uint64_t from, to;
    bool have_from, have_to;
};

static int no_memory(struct gn_journal_reader *r)
{
    return gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "out of memory");
}

static bool append(struct prover *p, const uint8_t data[GN_JOURNAL_HASH])
{
    if (p->count == p->room) {
        const uint64_t room = p->room == 0 ? 1024 : 2 * p->room;
        void *more = realloc(p->leaves, room * sizeof *p->leaves);
        if (more == NULL)
            return false;
        p->leaves = more;
        p->room = room;
    }
    return gn_merkle_leaf(data, p->leaves[p->count++]);
}

static bool begin_stage(struct prover *p, const void *bytes, uint32_t size, uint64_t index)
{
    struct gn_journal_proof *proof = p->proof;
    if (proof->stages == GN_JOURNAL_PROOF_STAGES_MAX)
        return false;
    struct gn_journal_proof_stage *s = &proof->stage[proof->stages];
    s->bytes = aligned_alloc(GN_JOURNAL_BLOCK, size);
    if (s->bytes == NULL)
        return false;
    memcpy(s->bytes, bytes, size);
    s->size = size;
    s->index = index;
    proof->stages++;
    p->found = true;
    return true;
}

static bool end_stage(struct prover *p, uint64_t leaves)
{
    struct gn_journal_proof_stage *s = &p->proof->stage[p->proof->stages - 1];
    s->leaves = leaves;
    p->found = false;
    return gn_merkle_inclusion((const uint8_t(*)[GN_JOURNAL_HASH])p->leaves, leaves, s->index, &s->path);
}

static void on_segment(void *arg, struct gn_journal_reader *r)
{
    struct prover *p = arg;
    if (p->found && (!end_stage(p, p->count) || !begin_stage(p, r->segment, sizeof *r->segment, 0)))
        (void)no_memory(r);
    p->count = 0;
    if (!append(p, r->chain))
        (void)no_memory(r);
}

static void on_batch(void *arg, struct gn_journal_reader *r)
{
    struct prover *p = arg;
    const union gn_journal_checkpoint_block *b = (const union gn_journal_checkpoint_block *)(const void *)r->buf;
    const bool checkpoint = b->at.batch.kind == GN_JOURNAL_BATCH_CHECKPOINT;
    bool ok = true;
    if (checkpoint && p->found) {
        ok = end_stage(p, p->count);
        p->proof->checkpoint = *b;
        p->covered = true;
    } else if (checkpoint && p->both != NULL && b->at.checkpoint.number == p->from) {
        p->both->from = *b;
        p->have_from = true;
    } else if (checkpoint && p->both != NULL && b->at.checkpoint.number == p->to && p->have_from) {
        p->both->to = *b;
        p->have_to = p->both->from.at.checkpoint.segment == b->at.checkpoint.segment;
        ok = !p->have_to || gn_merkle_consistency((const uint8_t(*)[GN_JOURNAL_HASH])p->leaves, p->count,
                                                  p->both->from.at.checkpoint.leaves, &p->both->path);
    }
    if (!ok || !append(p, r->chain))
        (void)no_memory(r);
}

/* Index of the segment where the walk begins: the last one whose table says that the record comes later. */
static int find_segment(struct gn_journal_reader *r, uint32_t ring, uint64_t seq, uint64_t segment, uint64_t *number)
{
    *number = segment;
    for (size_t i = 0; segment == 0 && i < r->count; i++) {
        enum gn_journal_block_state state;
        int rc = gn_jr_header(r, i, &state);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (state == GN_JOURNAL_BLOCK_OK && r->next->last_seq[ring] < seq)
            *number = r->numbers[i];
    }
    if (*number == 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_ARG, GN_JOURNAL_SOUND, 0, 0, "no segment can have record %llu of ring %u",
                          (unsigned long long)seq, ring);
    return gn_journal_reader_seek(r, *number);
}

static int walk(struct gn_journal_reader *r, struct prover *p, uint32_t ring, uint64_t seq, uint64_t segment)
{
    struct gn_journal_item item;
    uint64_t number;
    int rc = find_segment(r, ring, seq, segment, &number);
    while (rc == GN_JOURNAL_OK && !p->covered && gn_journal_reader_next(r, &item) == 1)
        if (p->proof->stages == 0 && item.rec->source == ring && item.rec->seq == seq) {
            p->proof->record_offset = (uint32_t)(item.offset - item.batch->offset);
            if (!begin_stage(p, item.batch, gn_journal_padded(item.batch->bytes), p->count - 1))
                return no_memory(r);
        }
    if (rc != GN_JOURNAL_OK || r->err != GN_JOURNAL_OK)
        return rc != GN_JOURNAL_OK ? rc : r->err;
    if (p->proof->stages == 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_ARG, GN_JOURNAL_SOUND, number, 0, "record %llu of ring %u is not there",
                          (unsigned long long)seq, ring);
    if (!p->covered)
        return gn_jr_fail(r, GN_JOURNAL_ERR_ARG, GN_JOURNAL_SOUND, number, 0,
                          "no checkpoint follows record %llu of ring %u yet", (unsigned long long)seq, ring);
    return GN_JOURNAL_OK;
}

int gn_journal_prove(const char *dir, const struct gn_journal_io *io, uint32_t ring, uint64_t seq, uint64_t segment,
                     struct gn_journal_proof *out, struct gn_journal_finding *finding)
{
    struct gn_journal_reader *r;
    struct prover p = {.proof = out};
    memset(out, 0, sizeof *out);
    out->ring = ring;
    out->seq = seq;
    if (ring >= GN_JOURNAL_RINGS_MAX)
        return GN_JOURNAL_ERR_ARG;
    int rc = gn_journal_reader_open(&r, dir, io, finding);
    if (rc != GN_JOURNAL_OK)
        return rc;
    r->on_segment = on_segment;
    r->on_batch = on_batch;
    r->on_segment_arg = r->on_batch_arg = &p;
    rc = walk(r, &p, ring, seq, segment);
    if (finding != NULL)
        *finding = r->finding;
    free(p.leaves);
    gn_journal_reader_close(r);
    return rc;
}

void gn_journal_proof_free(struct gn_journal_proof *p)
{
    for (uint32_t i = 0; i < p->stages; i++)
        free(p->stage[i].bytes);
    p->stages = 0;
}

static const char *check_signature(const union gn_journal_checkpoint_block *b, const uint8_t *public_key)
{
    const struct gn_journal_checkpoint *c = &b->at.checkpoint;
    if (gn_journal_checkpoint_shape(b) != NULL)
        return "the checkpoint is not one";
    if (public_key != NULL && memcmp(public_key, c->public_key, sizeof c->public_key) != 0)
        return "the checkpoint is signed by another key than the trusted one";
    return gn_journal_checkpoint_signed(c) ? NULL : "the checkpoint's signature does not hold";
}

/* Stage 0 is a sound batch and the record is in it, at its place in the chain of records. */
static const char *check_record(const struct gn_journal_proof *p, const struct gn_rec **record)
{
    const struct gn_journal_proof_stage *s = &p->stage[0];
    const struct gn_journal_batch *b = (const struct gn_journal_batch *)(const void *)s->bytes;
    if (s->size < GN_JOURNAL_BLOCK || gn_journal_check_batch_header(b, s->size) != GN_JOURNAL_BLOCK_OK ||
        gn_journal_padded(b->bytes) != s->size || gn_journal_check_batch(b) != GN_JOURNAL_BLOCK_OK ||
        b->kind != GN_JOURNAL_BATCH_RECORDS)
        return "the batch is not one";
    uint32_t at = sizeof *b;
    for (uint32_t i = 0; i < b->records; i++) {
        const struct gn_journal_record *prefix = (const struct gn_journal_record *)(const void *)(s->bytes + at);
        const struct gn_rec *rec = (const struct gn_rec *)(const void *)(prefix + 1);
        if (b->bytes - at < sizeof *prefix + sizeof *rec || prefix->magic != GN_JOURNAL_RECORD_MAGIC ||
            rec->bytes < sizeof *rec || rec->bytes > GN_REC_BYTES_MAX ||
            gn_journal_record_bytes(rec->bytes) > b->bytes - at)
            return "the batch's records are not records";
        if (at == p->record_offset && rec->source == p->ring && rec->seq == p->seq &&
            prefix->crc == gn_crc32c(0, rec, gn_journal_record_bytes(rec->bytes) - sizeof *prefix)) {
            *record = rec;
            return NULL;
        }
        at += gn_journal_record_bytes(rec->bytes);
    }
    return "the record is not where the proof says";
}

static const char *check_stage(const struct gn_journal_proof_stage *s, uint64_t leaves, const uint8_t *root)
{
    uint8_t hash[GN_JOURNAL_HASH], leaf[GN_JOURNAL_HASH];
    if (!gn_journal_hash(s->bytes, s->size, hash) || !gn_merkle_leaf(hash, leaf))
        return "SHA-256 is not available";
    if (s->leaves != leaves || !gn_merkle_check_inclusion(leaf, s->index, leaves, &s->path, root))
        return "the path does not lead to the root";
    return NULL;
}

const char *gn_journal_proof_check(const struct gn_journal_proof *p, const uint8_t *public_key,
                                   const struct gn_rec **record)
{
    const struct gn_journal_checkpoint *c = &p->checkpoint.at.checkpoint;
    const char *wrong =
        p->stages == 0 || p->stages > GN_JOURNAL_PROOF_STAGES_MAX ? "there is nothing in the proof" : NULL;
    if (wrong == NULL)
        wrong = check_signature(&p->checkpoint, public_key);
    if (wrong == NULL)
        wrong = check_record(p, record);
    for (uint32_t i = 1; wrong == NULL && i < p->stages; i++) {
        const struct gn_journal_segment *s = (const struct gn_journal_segment *)(const void *)p->stage[i].bytes;
        if (p->stage[i].size != sizeof *s || gn_journal_check_segment(s) != GN_JOURNAL_BLOCK_OK || s->minor < 1 ||
            p->stage[i].index != 0)
            wrong = "a segment header is not one";
        else
            wrong = check_stage(&p->stage[i - 1], s->prev_leaves, s->prev_root);
    }
    return wrong != NULL ? wrong : check_stage(&p->stage[p->stages - 1], c->leaves, c->root);
}

int gn_journal_prove_consistency(const char *dir, const struct gn_journal_io *io, uint64_t from, uint64_t to,
                                 struct gn_journal_consistency *out, struct gn_journal_finding *finding)
{
    struct gn_journal_reader *r;
    struct prover p = {.both = out, .from = from, .to = to};
    memset(out, 0, sizeof *out);
    int rc = gn_journal_reader_open(&r, dir, io, finding);
    if (rc != GN_JOURNAL_OK)
        return rc;
    r->on_segment = on_segment;
    r->on_batch = on_batch;
    r->on_segment_arg = r->on_batch_arg = &p;
    while (!p.have_to && (rc = gn_jr_batch(r)) == 1) {
    }
    if (rc >= 0 && !p.have_to)
        rc = gn_jr_fail(
            r, GN_JOURNAL_ERR_ARG, GN_JOURNAL_SOUND, 0, 0,
            "checkpoints %llu and %llu are not there, or not of one segment: prove by their segments' headers",
            (unsigned long long)from, (unsigned long long)to);
    if (finding != NULL)
        *finding = r->finding;
    free(p.leaves);
    gn_journal_reader_close(r);
    return rc < 0 ? rc : GN_JOURNAL_OK;
}

const char *gn_journal_consistency_check(const struct gn_journal_consistency *p, const uint8_t *public_key)
{
    const struct gn_journal_checkpoint *a = &p->from.at.checkpoint, *b = &p->to.at.checkpoint;
    const char *wrong = check_signature(&p->from, public_key);
    if (wrong == NULL)
        wrong = check_signature(&p->to, public_key);
    if (wrong != NULL)
        return wrong;
    if (memcmp(a->public_key, b->public_key, sizeof a->public_key) != 0 || a->segment != b->segment ||
        a->segment_epoch != b->segment_epoch || a->number >= b->number)
        return "the checkpoints are not of one segment, or not in order";
    if (!gn_merkle_check_consistency(a->leaves, b->leaves, a->root, b->root, &p->path))
        return "the later checkpoint does not continue the earlier one: a fork";
    return NULL;
}
