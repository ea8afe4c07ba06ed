#include "controlplane/journal/reader_impl.h"

struct check {
    const struct gn_journal_verify_opts *opts;
    uint64_t first_segment;
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

static void count(struct gn_journal_report *report, const struct gn_journal_item *item)
{
    struct gn_journal_ring_report *ring = &report->ring[item->rec->source];
    const uint16_t type = item->rec->type;
    if (ring->records++ == 0)
        ring->first_seq = item->rec->seq;
    ring->last_seq = item->rec->seq;
    report->types[gn_journal_event_name(type) != NULL && type < GN_JOURNAL_TYPES - 1 ? type : GN_JOURNAL_TYPES - 1]++;
    report->records++;
    if ((type == GN_EV_ORDER || type == GN_EV_EXEC) && item->rec->corr == 0)
        report->no_corr++;
}

static void summarise(struct gn_journal_report *report, const struct gn_journal_reader *r, uint64_t first)
{
    report->finding = r->finding;
    report->segments = r->segments;
    report->batches = r->batches;
    report->bytes = r->bytes;
    report->first_segment = first;
    report->last_segment = r->started ? r->segment->number : 0;
    report->prepared = r->prepared;
    report->torn_tails = r->torn_tails;
    report->torn_segment = r->torn_segment;
    report->torn_offset = r->torn_offset;
    report->closed_clean = (r->last_flags & GN_JOURNAL_BATCH_CLOSE) != 0;
    report->rings_resets = r->rings_resets;
    report->accepted_gaps = r->accepted_gaps;
    memcpy(report->final_hash, r->chain, sizeof r->chain);
}

int gn_journal_verify(const char *dir, const struct gn_journal_verify_opts *opts, struct gn_journal_report *report)
{
    static const struct gn_journal_verify_opts defaults;
    struct check check = {.opts = opts != NULL ? opts : &defaults};
    struct gn_journal_reader *r;
    struct gn_journal_item item;
    memset(report, 0, sizeof *report);
    int rc = gn_journal_reader_open(&r, dir, check.opts->io, &report->finding);
    if (rc != GN_JOURNAL_OK)
        return rc;
    r->strict = true;
    r->on_segment = check_segment;
    r->on_segment_arg = &check;
    while ((rc = gn_journal_reader_next(r, &item)) == 1)
        count(report, &item);
    summarise(report, r, check.first_segment);
    gn_journal_reader_close(r);
    return rc;
}
