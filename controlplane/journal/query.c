/* Which records are wanted, and the shortest way to them. */
#include <stdlib.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/index.h"
#include "controlplane/journal/reader_impl.h"

#define BATCHES_MAX 65536u /* of one order in one segment */

static bool names_order(const struct gn_journal_item *item, uint64_t id)
{
    uint64_t orders[GN_JOURNAL_ORDERS_MAX];
    const uint32_t n = gn_journal_orders_of(item, orders);
    for (uint32_t i = 0; i < n; i++)
        if (orders[i] == id)
            return true;
    return false;
}

/* Strategy and instrument that a record is about; false when it has none. */
static bool subject(const struct gn_journal_item *item, uint32_t *strategy, uint32_t *instrument)
{
    const void *p = item->payload;
    *strategy = *instrument = GN_NONE32;
    switch (item->rec->type) {
    case GN_EV_ORDER: /* begins with its intent */
    case GN_EV_INTENT:
        if (item->payload_bytes < sizeof(struct gn_intent))
            return false;
        *strategy = ((const struct gn_intent *)p)->strategy;
        *instrument = ((const struct gn_intent *)p)->instrument;
        return true;
    case GN_EV_EXEC: /* begins with the report */
    case GN_EV_EXEC_REPORT:
        if (item->payload_bytes < sizeof(struct gn_exec))
            return false;
        *strategy = ((const struct gn_exec *)p)->strategy;
        *instrument = ((const struct gn_exec *)p)->instrument;
        return true;
    case GN_EV_CANCEL:
        if (item->payload_bytes < sizeof(struct gn_ev_cancel))
            return false;
        *strategy = ((const struct gn_ev_cancel *)p)->strategy;
        *instrument = ((const struct gn_ev_cancel *)p)->instrument;
        return true;
    case GN_EV_MD:
        if (item->payload_bytes < sizeof(struct gn_md))
            return false;
        *instrument = ((const struct gn_md *)p)->instrument;
        return true;
    case GN_EV_LIMITS:
        if (item->payload_bytes < sizeof(struct gn_ev_limits))
            return false;
        *instrument = ((const struct gn_ev_limits *)p)->instrument;
        return true;
    default:
        return false;
    }
}

static bool is_fill(const struct gn_journal_item *item)
{
    const struct gn_ev_exec *e = (const struct gn_ev_exec *)(const void *)item->payload;
    return item->rec->type == GN_EV_EXEC && item->payload_bytes >= sizeof *e &&
           (e->exec.kind == GN_EXEC_FILLED || e->exec.kind == GN_EXEC_BROKEN);
}

static bool wanted(const struct gn_journal_filter *f, const struct gn_journal_item *item)
{
    const struct gn_rec *rec = item->rec;
    uint32_t strategy, instrument;
    if (f->types != 0 && (rec->type >= 64 || (f->types >> rec->type & 1) == 0))
        return false;
    if (rec->time_ns < f->from_ns || (f->to_ns != 0 && rec->time_ns >= f->to_ns))
        return false;
    if (f->executions && !is_fill(item))
        return false;
    if (f->session != 0 && rec->flags != f->session)
        return false;
    if ((f->strategy != 0 || f->instrument != 0) &&
        (!subject(item, &strategy, &instrument) || (f->strategy != 0 && strategy != f->strategy - 1) ||
         (f->instrument != 0 && instrument != f->instrument - 1)))
        return false;
    return f->order_id == 0 || names_order(item, f->order_id);
}

struct query {
    const struct gn_journal_filter *f;
    const char *dir;
    FILE *out;
    uint64_t lines;
};

static bool enough(const struct query *q)
{
    return q->f->limit != 0 && q->lines >= q->f->limit;
}

static void show(struct query *q, const struct gn_journal_item *item)
{
    if (enough(q) || !wanted(q->f, item))
        return;
    if (q->f->csv)
        gn_journal_print_csv(q->out, item);
    else
        gn_journal_print(q->out, item);
    q->lines++;
}

/* The records of one batch of segment r->segment, found by the index. */
static int one_batch(struct query *q, struct gn_journal_reader *r, int handle, uint64_t offset)
{
    const uint64_t number = r->segment->number;
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)r->buf;
    int rc = gn_jr_read(r, handle, number, r->buf, GN_JOURNAL_BLOCK, offset);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (gn_journal_check_batch_header(b, r->segment->segment_bytes - offset) != GN_JOURNAL_BLOCK_OK)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, number, offset, "no batch where one was");
    const uint32_t padded = gn_journal_padded(b->bytes);
    rc = gn_jr_room(r, padded);
    b = (struct gn_journal_batch *)(void *)r->buf;
    if (rc == GN_JOURNAL_OK)
        rc = gn_jr_read(r, handle, number, r->buf, padded, offset);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (gn_journal_check_batch(b) != GN_JOURNAL_BLOCK_OK || b->segment_epoch != r->segment->segment_epoch)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, number, offset,
                          "the batch was changed after it was written");
    uint32_t at = sizeof *b;
    for (uint32_t i = 0; i < b->records && b->bytes - at >= sizeof(struct gn_journal_record) + sizeof(struct gn_rec);
         i++) {
        const struct gn_rec *rec =
            (const struct gn_rec *)(const void *)(r->buf + at + sizeof(struct gn_journal_record));
        if (rec->bytes < sizeof *rec || gn_journal_record_bytes(rec->bytes) > b->bytes - at)
            break;
        const struct gn_journal_item item = {
            .segment = r->segment,
            .batch = b,
            .rec = rec,
            .payload = (const uint8_t *)(rec + 1),
            .payload_bytes = rec->bytes - (uint32_t)sizeof *rec,
            .offset = offset + at,
        };
        show(q, &item);
        at += gn_journal_record_bytes(rec->bytes);
    }
    return GN_JOURNAL_OK;
}

/* Segment numbers[index] has a successor, whose header knows what it ended with. */
static bool end_hash_of(struct gn_journal_reader *r, size_t index, uint8_t end_hash[GN_JOURNAL_HASH])
{
    enum gn_journal_block_state state;
    if (index + 1 >= r->count || gn_jr_header(r, index + 1, &state) != GN_JOURNAL_OK || state != GN_JOURNAL_BLOCK_OK)
        return false;
    memcpy(end_hash, r->next->prev_hash, GN_JOURNAL_HASH);
    return true;
}

/* One segment by its index: 1 = done, 0 = it has none and gets none. */
static int by_index(struct query *q, struct gn_journal_reader *r, size_t index, uint32_t *batches)
{
    enum gn_journal_block_state state;
    uint8_t end_hash[GN_JOURNAL_HASH];
    const uint64_t number = r->numbers[index];
    const bool known = end_hash_of(r, index, end_hash);
    const uint8_t *end = known ? end_hash : NULL;
    int rc = gn_jr_header(r, index, &state);
    if (rc != GN_JOURNAL_OK || state != GN_JOURNAL_BLOCK_OK)
        return rc;
    *r->segment = *r->next;
    const uint64_t epoch = r->segment->segment_epoch;
    int64_t n = gn_journal_index_find(q->dir, number, epoch, end, q->f->order_id, batches, BATCHES_MAX);
    if (n < 0 && gn_journal_index_build(q->dir, number) == GN_JOURNAL_OK)
        n = gn_journal_index_find(q->dir, number, epoch, end, q->f->order_id, batches, BATCHES_MAX);
    if (n < 0 || n > BATCHES_MAX)
        return 0;
    int handle;
    uint64_t bytes;
    if (n == 0)
        return 1;
    rc = gn_jr_open(r, number, &handle, &bytes);
    for (int64_t i = 0; rc == GN_JOURNAL_OK && i < n && !enough(q); i++)
        rc = one_batch(q, r, handle, batches[i]);
    if (rc == GN_JOURNAL_OK || r->err != GN_JOURNAL_ERR_IO)
        r->io.close(r->io.ctx, handle);
    return rc == GN_JOURNAL_OK ? 1 : rc;
}

/* One segment from end to end; *more is false when the journal ends in it. */
static int by_walking(struct query *q, struct gn_journal_reader *r, uint64_t number, bool *more)
{
    struct gn_journal_item item;
    int rc = gn_journal_reader_seek(r, number);
    *more = true;
    while (rc == GN_JOURNAL_OK && !enough(q)) {
        rc = gn_journal_reader_next(r, &item);
        *more = rc == 1 && item.segment->number != number;
        if (rc != 1 || *more)
            return rc < 0 ? rc : GN_JOURNAL_OK;
        show(q, &item);
        rc = GN_JOURNAL_OK;
    }
    return rc;
}

static int by_order(struct query *q, struct gn_journal_reader *r)
{
    uint32_t *batches = malloc(BATCHES_MAX * sizeof *batches);
    int rc = batches != NULL ? 1 : gn_jr_fail(r, GN_JOURNAL_ERR_NOMEM, GN_JOURNAL_DAMAGE_UNREADABLE, 0, 0, "memory");
    bool more = true;
    for (size_t i = 0; more && rc >= 0 && i < r->count && !enough(q); i++) {
        enum gn_journal_block_state state;
        rc = gn_jr_header(r, i, &state);
        if (rc == GN_JOURNAL_OK && state != GN_JOURNAL_BLOCK_OK)
            break; /* prepared ones follow */
        rc = rc == GN_JOURNAL_OK ? by_index(q, r, i, batches) : rc;
        if (rc == 0)
            rc = by_walking(q, r, r->numbers[i], &more);
    }
    free(batches);
    return rc;
}

/* Segments that an index proves to be too old are passed over. */
static int skip_old(struct query *q, struct gn_journal_reader *r)
{
    uint64_t first, last;
    uint8_t end_hash[GN_JOURNAL_HASH];
    size_t index = 0;
    for (; q->f->from_ns != 0 && index + 1 < r->count; index++) {
        enum gn_journal_block_state state;
        if (!end_hash_of(r, index, end_hash) || gn_jr_header(r, index, &state) != GN_JOURNAL_OK ||
            state != GN_JOURNAL_BLOCK_OK ||
            !gn_journal_index_times(q->dir, r->numbers[index], r->next->segment_epoch, end_hash, &first, &last) ||
            last >= q->f->from_ns)
            break;
    }
    return r->err != GN_JOURNAL_OK || index == 0 ? r->err : gn_journal_reader_seek(r, r->numbers[index]);
}

int gn_journal_dump(const char *dir, const struct gn_journal_filter *filter, FILE *out,
                    struct gn_journal_finding *finding)
{
    static const struct gn_journal_filter all;
    struct query q = {.f = filter != NULL ? filter : &all, .dir = dir, .out = out};
    struct gn_journal_reader *r;
    struct gn_journal_item item;
    int rc = gn_journal_reader_open(&r, dir, NULL, finding);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (q.f->csv)
        gn_journal_print_csv_head(out);
    if (q.f->order_id != 0) {
        rc = by_order(&q, r);
    } else {
        rc = skip_old(&q, r);
        while (rc == GN_JOURNAL_OK && !enough(&q) && (rc = gn_journal_reader_next(r, &item)) == 1) {
            show(&q, &item);
            rc = GN_JOURNAL_OK;
        }
    }
    if (finding != NULL)
        *finding = *gn_journal_reader_finding(r);
    gn_journal_reader_close(r);
    return rc < 0 ? rc : GN_JOURNAL_OK;
}
