#include "controlplane/journal/recover.h"

#include <stdio.h>

#include "controlplane/journal/checkpoint.h"
#include "controlplane/journal/reader_impl.h"

/* All segments up to the last valid header must have one, without a gap in their numbers. *last = its index, or count.
 */
static int check_headers(struct gn_journal_reader *r, size_t *last)
{
    size_t first_bad = r->count;
    *last = r->count;
    for (size_t i = 0; i < r->count; i++) {
        enum gn_journal_block_state state;
        int rc = gn_jr_header(r, i, &state);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (state == GN_JOURNAL_BLOCK_NEWER)
            return gn_jr_fail(r, GN_JOURNAL_ERR_VERSION, GN_JOURNAL_DAMAGE_VERSION, r->numbers[i], 8,
                              "format version %u.%u, this writer knows up to %u.%u", r->next->major, r->next->minor,
                              GN_JOURNAL_MAJOR, GN_JOURNAL_MINOR);
        if (state == GN_JOURNAL_BLOCK_BAD)
            return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, r->numbers[i], 0,
                              "the segment header was changed after it was written");
        if (state != GN_JOURNAL_BLOCK_OK) {
            first_bad = first_bad == r->count ? i : first_bad;
            continue;
        }
        if (first_bad != r->count)
            return gn_jr_fail(r, GN_JOURNAL_ERR_HOLE, GN_JOURNAL_DAMAGE_HOLE, r->numbers[first_bad], 0,
                              "the segment has no header, but segment %llu has", (unsigned long long)r->numbers[i]);
        if (i != 0 && r->numbers[i] != r->numbers[i - 1] + 1)
            return gn_jr_fail(r, GN_JOURNAL_ERR_HOLE, GN_JOURNAL_DAMAGE_DROPPED, r->numbers[i - 1] + 1, 0,
                              "segment %llu is missing, segment %llu follows",
                              (unsigned long long)r->numbers[i - 1] + 1, (unsigned long long)r->numbers[i]);
        *last = i;
    }
    return GN_JOURNAL_OK;
}

/* What a process killed in the middle of a write left in the page cache becomes durable before it is believed. */
static int make_durable(struct gn_journal_reader *r, size_t last)
{
    int handle;
    uint64_t bytes;
    int rc = gn_jr_open(r, r->numbers[last], &handle, &bytes);
    if (rc != GN_JOURNAL_OK)
        return rc;
    int failed = r->io.sync(r->io.ctx, r->dir, handle);
    r->io.close(r->io.ctx, handle);
    if (failed != 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, r->numbers[last], 0, "fsync failed: %s",
                          strerror(-failed));
    return GN_JOURNAL_OK;
}

static int remove_file(struct gn_journal_reader *r, const char *name)
{
    int rc = r->io.remove(r->io.ctx, r->dir, name);
    if (rc != 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "cannot remove %s: %s", name,
                          strerror(-rc));
    return GN_JOURNAL_OK;
}

/* Keeps the unbroken run of all-zero segments of the right size after the last one, removes the rest. */
static int sort_prepared(struct gn_journal_reader *r, size_t first, uint64_t segment_bytes, uint64_t *kept)
{
    uint64_t expected = r->started ? r->segment->number + 1 : 1;
    bool broken = false;
    *kept = 0;
    for (size_t i = first; i < r->count; i++) {
        int handle;
        uint64_t bytes;
        int rc = gn_jr_open(r, r->numbers[i], &handle, &bytes);
        if (rc != GN_JOURNAL_OK)
            return rc;
        r->io.close(r->io.ctx, handle);
        broken = broken || r->numbers[i] != expected || bytes != segment_bytes ||
                 (r->torn_tails != 0 && r->torn_segment == r->numbers[i]);
        if (broken) {
            char name[GN_JOURNAL_NAME_BYTES];
            gn_journal_file_name(r->numbers[i], name);
            rc = remove_file(r, name);
            if (rc != GN_JOURNAL_OK)
                return rc;
            continue;
        }
        expected++;
        ++*kept;
    }
    return GN_JOURNAL_OK;
}

#define LEFT_OVER_MAX 64u

struct left_over {
    char name[LEFT_OVER_MAX][GN_JOURNAL_NAME_BYTES + 8];
    size_t count;
};

static void find_left_over(void *arg, const char *name)
{
    struct left_over *l = arg;
    size_t n = strlen(name);
    if (n >= sizeof l->name[0] || n < 5 || l->count == LEFT_OVER_MAX || strncmp(name, "gannet-journal-", 15) != 0 ||
        strcmp(name + n - 4, ".tmp") != 0)
        return;
    memcpy(l->name[l->count++], name, n + 1);
}

static int remove_left_over(struct gn_journal_reader *r)
{
    struct left_over l = {.count = 0};
    int rc = r->io.list(r->io.ctx, r->dir, find_left_over, &l);
    if (rc != 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "cannot list: %s", strerror(-rc));
    for (size_t i = 0; i < l.count; i++) {
        rc = remove_file(r, l.name[i]);
        if (rc != GN_JOURNAL_OK)
            return rc;
    }
    return GN_JOURNAL_OK;
}

/* The head file follows the journal: it is ahead only when something was taken away from the journal. */
static int check_head(struct gn_journal_reader *r)
{
    union gn_journal_checkpoint_block head;
    int found = gn_journal_head_read(&r->io, r->dir, &head);
    if (found < 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_IO, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "cannot read %s: %s",
                          GN_JOURNAL_HEAD_NAME, strerror(-found));
    if (found == 0 || head.at.checkpoint.batch < (r->started ? r->batch_seq : 1))
        return GN_JOURNAL_OK;
    return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_TRUNCATED, r->started ? r->segment->number : 0,
                      r->offset,
                      "the journal ends here, the signed checkpoint %llu says that batch %llu was durable: restore the "
                      "tail, or accept the loss",
                      (unsigned long long)head.at.checkpoint.number, (unsigned long long)head.at.checkpoint.batch);
}

static int recover(struct gn_journal_reader *r, uint64_t segment_bytes, bool accept_lost,
                   struct gn_journal_recovered *out)
{
    struct gn_journal_item item;
    size_t last;
    int rc = check_headers(r, &last);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (last != r->count) {
        rc = make_durable(r, last);
        if (rc == GN_JOURNAL_OK)
            rc = gn_journal_reader_seek(r, r->numbers[last]);
        if (rc != GN_JOURNAL_OK)
            return rc;
    }
    r->strict = true;
    while ((rc = gn_journal_reader_next(r, &item)) == 1) {
    }
    if (rc == GN_JOURNAL_OK && !accept_lost)
        rc = check_head(r);
    if (rc == GN_JOURNAL_OK)
        rc = sort_prepared(r, last == r->count ? 0 : last + 1, segment_bytes, &out->prepared);
    if (rc == GN_JOURNAL_OK)
        rc = remove_left_over(r);
    if (rc != GN_JOURNAL_OK)
        return rc;
    out->torn_bytes = r->torn_bytes;
    out->next_batch = 1;
    if (!r->started)
        return GN_JOURNAL_OK;
    out->segment = r->segment->number;
    out->end = r->offset;
    out->segment_epoch = r->segment_epoch;
    out->next_batch = r->batch_seq;
    out->records = r->records;
    out->rings_id = r->rings_id;
    out->checkpoints = r->checkpoints;
    out->tree = r->tree;
    memcpy(out->last_seq, r->last_seq, sizeof out->last_seq);
    memcpy(out->chain, r->chain, sizeof out->chain);
    memcpy(out->config_sha256, r->segment->config_sha256, sizeof out->config_sha256);
    out->closed_clean = (r->last_flags & GN_JOURNAL_BATCH_CLOSE) != 0;
    return GN_JOURNAL_OK;
}

int gn_journal_recover(const struct gn_journal_io *io, const char *dir, uint64_t segment_bytes, bool accept_lost,
                       struct gn_journal_recovered *out, char *err, size_t err_bytes)
{
    struct gn_journal_reader *r;
    struct gn_journal_finding finding = {.damage = GN_JOURNAL_SOUND};
    memset(out, 0, sizeof *out);
    int rc = gn_journal_reader_open(&r, dir, io, &finding);
    if (rc == GN_JOURNAL_OK) {
        rc = recover(r, segment_bytes, accept_lost, out);
        finding = r->finding;
        gn_journal_reader_close(r);
    }
    if (rc != GN_JOURNAL_OK)
        (void)snprintf(err, err_bytes, "%s: %s offset %llu: %s", gn_journal_strerror(rc),
                       finding.file[0] != 0 ? finding.file : dir, (unsigned long long)finding.offset,
                       finding.reason[0] != 0 ? finding.reason : "no more is known");
    return rc;
}
