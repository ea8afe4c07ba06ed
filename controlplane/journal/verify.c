#include <stdlib.h>

#include "controlplane/journal/archive.h"
#include "controlplane/journal/reader_impl.h"

struct check {
    const struct gn_journal_verify_opts *opts;
    struct gn_journal_report *report;
    const union gn_journal_checkpoint_block *witness[1 + GN_JOURNAL_WITNESSES_MAX];
    uint32_t witnesses;
    uint64_t first_segment;
    uint64_t signed_records;
};

static void check_segment(void *arg, struct gn_journal_reader *r)
{
    struct check *c = arg;
    const struct gn_journal_segment *s = r->segment;
    if (c->first_segment == 0) {
        c->first_segment = s->number;
        if (s->number != 1 && !c->opts->accept_trimmed)
            (void)gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_DROPPED, s->number - 1, 0,
                             "the journal begins with segment %llu", (unsigned long long)s->number);
    }
    if (c->opts->config_sha256 != NULL && memcmp(c->opts->config_sha256, s->config_sha256, GN_JOURNAL_HASH) != 0)
        (void)gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_CONFIG, s->number,
                         offsetof(struct gn_journal_segment, config_sha256),
                         "the segment was written under another configuration");
}

static void check_tombstone(void *arg, struct gn_journal_reader *r, const struct gn_tombstone *t)
{
    const struct check *c = arg;
    if (c->opts->public_key != NULL && memcmp(c->opts->public_key, t->public_key, sizeof t->public_key) != 0)
        (void)gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SIGNATURE, t->number, 0,
                         "the segment was deleted by another key than the trusted one");
    if (c->opts->on_tombstone != NULL)
        c->opts->on_tombstone(c->opts->on_tombstone_arg, t);
}

/* What is wrong with the signature of a checkpoint, in words, or NULL. */
static const char *distrust(const struct check *c, const struct gn_journal_checkpoint *cp)
{
    if (c->opts->public_key != NULL && memcmp(c->opts->public_key, cp->public_key, sizeof cp->public_key) != 0)
        return "is signed by another key than the trusted one";
    return gn_journal_checkpoint_signed(cp) ? NULL : "was not signed by the key that it names";
}

static void check_batch(void *arg, struct gn_journal_reader *r)
{
    struct check *c = arg;
    const struct gn_journal_batch *b = (const struct gn_journal_batch *)(const void *)r->buf;
    const union gn_journal_checkpoint_block *block = (const union gn_journal_checkpoint_block *)(const void *)r->buf;
    struct gn_journal_checkpoint *last = &c->report->last_checkpoint;
    for (uint32_t i = 0; i < c->witnesses; i++) {
        const struct gn_journal_checkpoint *w = &c->witness[i]->at.checkpoint;
        if (w->batch != b->seq)
            continue;
        if (memcmp(block, c->witness[i], sizeof *block) != 0) {
            (void)gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_CHAIN, r->segment->number, b->offset,
                             "a fork: batch %llu is not the checkpoint %llu that was signed and kept elsewhere",
                             (unsigned long long)b->seq, (unsigned long long)w->number);
            return;
        }
        c->report->witnesses++;
    }
    if (b->kind != GN_JOURNAL_BATCH_CHECKPOINT)
        return;
    const struct gn_journal_checkpoint *cp = &block->at.checkpoint;
    const char *wrong = distrust(c, cp);
    if (wrong != NULL) {
        (void)gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SIGNATURE, r->segment->number, b->offset,
                         "checkpoint %llu %s", (unsigned long long)cp->number, wrong);
        return;
    }
    if (c->report->checkpoints++ == 0 || memcmp(last->public_key, cp->public_key, sizeof cp->public_key) != 0)
        c->report->keys++;
    *last = *cp;
    c->signed_records = b->first_record;
}

/* Every checkpoint from outside that is not older than the journal must have been met. */
static int check_end(struct check *c, struct gn_journal_reader *r)
{
    for (uint32_t i = 0; i < c->witnesses; i++) {
        const struct gn_journal_checkpoint *w = &c->witness[i]->at.checkpoint;
        if (r->started && w->batch < r->batch_seq)
            continue;
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_TRUNCATED, r->started ? r->segment->number : 0,
                          r->offset,
                          "the journal ends here; the signed checkpoint %llu says that batch %llu of segment %llu was "
                          "durable: the tail was cut off",
                          (unsigned long long)w->number, (unsigned long long)w->batch, (unsigned long long)w->segment);
    }
    return GN_JOURNAL_OK;
}

static int take_witnesses(struct check *c, struct gn_journal_reader *r, union gn_journal_checkpoint_block *head)
{
    const char *wrong;
    int found = gn_journal_head_read(&r->io, r->dir, head);
    if (found < 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "cannot read %s: %s",
                          GN_JOURNAL_HEAD_NAME, strerror(-found));
    if (found == 1)
        c->witness[c->witnesses++] = head;
    if (c->opts->witnesses > GN_JOURNAL_WITNESSES_MAX)
        return gn_jr_fail(r, GN_JOURNAL_ERR_ARG, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "%u checkpoints, at most %u",
                          c->opts->witnesses, GN_JOURNAL_WITNESSES_MAX);
    for (uint32_t i = 0; i < c->opts->witnesses; i++)
        c->witness[c->witnesses++] = &c->opts->witness[i];
    for (uint32_t i = 0; i < c->witnesses; i++) {
        wrong = gn_journal_checkpoint_shape(c->witness[i]);
        if (wrong == NULL)
            wrong = distrust(c, &c->witness[i]->at.checkpoint);
        if (wrong != NULL)
            return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SIGNATURE, 0, 0, "%s: %s",
                              c->witness[i] == head ? GN_JOURNAL_HEAD_NAME : "the checkpoint kept elsewhere", wrong);
    }
    return GN_JOURNAL_OK;
}

static void count(struct gn_journal_report *report, const struct gn_journal_item *item)
{
    struct gn_journal_ring_report *ring = &report->ring[item->rec->source];
    const uint16_t type = item->rec->type;
    if (ring->records++ == 0)
        ring->first_seq = item->rec->seq;
    ring->last_seq = item->rec->seq;
    report->types[gn_journal_event_name(type) != NULL && type < GN_JOURNAL_TYPES - 1 ? type : GN_JOURNAL_TYPES - 1]++;
    report->records++;
    const bool asked = item->segment->minor >= GN_JOURNAL_MINOR_CORR || type == GN_EV_ORDER || type == GN_EV_EXEC;
    report->no_corr += asked && item->rec->corr == 0;
}

static void summarise(const struct check *c, const struct gn_journal_reader *r)
{
    struct gn_journal_report *report = c->report;
    report->finding = r->finding;
    report->segments = r->segments;
    report->batches = r->batches;
    report->bytes = r->bytes;
    report->first_segment = c->first_segment;
    report->last_segment = r->started ? r->segment->number : 0;
    report->prepared = r->prepared;
    report->tombstones = r->tombstones;
    report->torn_tails = r->torn_tails;
    report->torn_segment = r->torn_segment;
    report->torn_offset = r->torn_offset;
    report->closed_clean = (r->last_flags & GN_JOURNAL_BATCH_CLOSE) != 0;
    report->rings_resets = r->rings_resets;
    report->accepted_gaps = r->accepted_gaps;
    report->unsigned_records = r->started ? r->records - c->signed_records : 0;
    memcpy(report->final_hash, r->chain, sizeof r->chain);
}

int gn_journal_verify(const char *dir, const struct gn_journal_verify_opts *opts, struct gn_journal_report *report)
{
    static const struct gn_journal_verify_opts defaults;
    union gn_journal_checkpoint_block head;
    struct check check = {.opts = opts != NULL ? opts : &defaults, .report = report};
    struct gn_journal_reader *r;
    struct gn_journal_item item;
    memset(report, 0, sizeof *report);
    int rc = gn_journal_reader_open(&r, dir, check.opts->io, &report->finding);
    if (rc != GN_JOURNAL_OK)
        return rc;
    r->strict = true;
    r->on_segment = check_segment;
    r->on_segment_arg = &check;
    r->on_tombstone = check_tombstone;
    r->on_batch = check_batch;
    r->on_batch_arg = &check;
    rc = take_witnesses(&check, r, &head);
    while (rc == GN_JOURNAL_OK && gn_journal_reader_next(r, &item) == 1)
        count(report, &item);
    rc = r->err;
    if (rc == GN_JOURNAL_OK)
        rc = check_end(&check, r);
    summarise(&check, r);
    gn_journal_reader_close(r);
    return rc;
}
