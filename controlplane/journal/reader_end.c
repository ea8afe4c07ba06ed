/* What the end of a segment means. The table, for the place where no further batch can be accepted:
 *
 *   next segment's header | what stands at the end    | verdict
 *   ----------------------+---------------------------+------------------------------------------------------------------
 *   valid, says this end  | nothing, or a torn batch  | go on (the writer before was killed; recovery cut here)
 *   valid, says this end  | a batch changed, no tear  | stale bytes
 *   valid, says later     | zeros                     | truncated
 *   valid, says later     | a batch that fails        | edit
 *   valid, says earlier, or has another hash          | chain (a fork)
 *   valid, number skipped                             | dropped segment
 *   valid, another number than its file's name        | swapped
 *   fails, no crash explains it                       | edit
 *   none, but a later segment has one                 | hole
 *   none                  | zeros, or a torn batch    | the end; torn is not damage
 *   none                  | a batch changed, no tear  | edit; with whole batches after it the error is HOLE
 *   none                  | torn, whole ones after it | hole
 *   any                   | non-zero bytes where no batch in flight can have been | stale bytes
 */
#include "controlplane/journal/reader_impl.h"

/* A write in flight covers a header and a batch at most. */
#define FLIGHT_BYTES ((uint64_t)GN_JOURNAL_BLOCK + GN_JOURNAL_BATCH_BYTES_MAX)

/* Last non-zero byte of [from, to) + 1 into *last, 0 when all are zeros; to is the end of the file or before. */
static int scan(struct gn_journal_reader *r, int handle, uint64_t number, uint64_t from, uint64_t to, uint64_t *last)
{
    *last = 0;
    for (uint64_t at = from; at < to;) {
        uint32_t piece = to - at < GN_JOURNAL_CHUNK_BYTES ? (uint32_t)(to - at) : GN_JOURNAL_CHUNK_BYTES;
        int rc = gn_jr_read(r, handle, number, r->chunk, piece, at);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (!gn_journal_is_zero(r->chunk, piece)) {
            uint32_t n = piece;
            while (r->chunk[n - 1] == 0)
                n--;
            *last = at + n;
        }
        at += piece;
    }
    return GN_JOURNAL_OK;
}

/* Bytes after an end at `from`: zeros, or when `flight` is set what one write in flight can have left. */
static int check_tail(struct gn_journal_reader *r, int handle, uint64_t number, uint64_t from, uint64_t to, bool flight)
{
    uint64_t last;
    int rc = scan(r, handle, number, from, to, &last);
    if (rc != GN_JOURNAL_OK || last == 0)
        return rc;
    if (!flight || last > from + FLIGHT_BYTES)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_STALE, number, last - 1,
                          "a non-zero byte where nothing was ever written");
    r->torn_tails++;
    r->torn_segment = number;
    r->torn_offset = from;
    r->torn_bytes += last - from;
    return GN_JOURNAL_OK;
}

/* Offset of a whole batch of this segment after r->offset that comes later in the sequence; 0 when there is none. */
static int find_later(struct gn_journal_reader *r, uint64_t *found)
{
    const uint64_t end = r->segment->segment_bytes;
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)r->buf;
    *found = 0;
    for (uint64_t at = r->offset; at < end; at += GN_JOURNAL_BLOCK) {
        int rc = gn_jr_read(r, r->handle, r->segment->number, r->buf, GN_JOURNAL_BLOCK, at);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (gn_journal_check_batch_header(b, end - at) != GN_JOURNAL_BLOCK_OK || b->segment_epoch != r->segment_epoch ||
            b->seq <= r->batch_seq)
            continue;
        const uint32_t padded = gn_journal_padded(b->bytes);
        rc = gn_jr_room(r, padded);
        if (rc != GN_JOURNAL_OK)
            return rc;
        b = (struct gn_journal_batch *)(void *)r->buf;
        rc = gn_jr_read(r, r->handle, r->segment->number, r->buf, padded, at);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (gn_journal_check_batch(b) == GN_JOURNAL_BLOCK_OK) {
            *found = at;
            return GN_JOURNAL_OK;
        }
    }
    return GN_JOURNAL_OK;
}

/* The segment being read is the last one that has a header. */
static int end_of_last(struct gn_journal_reader *r, enum gn_journal_block_state state)
{
    const uint64_t number = r->segment->number;
    const bool ended = (r->last_flags & (GN_JOURNAL_BATCH_LAST | GN_JOURNAL_BATCH_CLOSE)) != 0;
    uint64_t later = 0;
    int rc = GN_JOURNAL_OK;
    if (!ended && (r->strict || state == GN_JOURNAL_BLOCK_BAD))
        rc = find_later(r, &later);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (state == GN_JOURNAL_BLOCK_BAD)
        return gn_jr_fail(r, later != 0 ? GN_JOURNAL_ERR_HOLE : GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, number,
                          r->offset, "batch %llu was changed after it was written%s", (unsigned long long)r->batch_seq,
                          later != 0 ? "; whole batches follow it" : "");
    if (later != 0)
        return gn_jr_fail(r, GN_JOURNAL_ERR_HOLE, GN_JOURNAL_DAMAGE_HOLE, number, r->offset,
                          "batch %llu is missing, a whole later one is at offset %llu",
                          (unsigned long long)r->batch_seq, (unsigned long long)later);
    if (r->strict)
        return check_tail(r, r->handle, number, r->offset, r->segment->segment_bytes, !ended);
    return GN_JOURNAL_OK;
}

/* Files from numbers[first] on have no header: prepared ones, or the first write into the very next one was torn. */
static int end_of_prepared(struct gn_journal_reader *r, size_t first)
{
    const uint64_t expected = r->started ? r->segment->number + 1 : 1;
    const bool closed = (r->last_flags & GN_JOURNAL_BATCH_CLOSE) != 0;
    for (size_t i = first; r->strict && i < r->count; i++) {
        int handle;
        uint64_t bytes, torn = r->torn_tails;
        int rc = gn_jr_open(r, r->numbers[i], &handle, &bytes);
        if (rc != GN_JOURNAL_OK)
            return rc;
        rc = check_tail(r, handle, r->numbers[i], 0, bytes, !closed && r->numbers[i] == expected);
        r->io.close(r->io.ctx, handle);
        if (rc != GN_JOURNAL_OK)
            return rc;
        r->prepared += r->torn_tails == torn;
    }
    return GN_JOURNAL_OK;
}

/* The next segment is valid by itself: does it continue this one? */
static int go_on(struct gn_journal_reader *r, size_t index, enum gn_journal_block_state state)
{
    const struct gn_journal_segment *n = r->next;
    const struct gn_journal_segment *s = r->segment;
    const bool ended = (r->last_flags & (GN_JOURNAL_BATCH_LAST | GN_JOURNAL_BATCH_CLOSE)) != 0;
    if (n->number != r->numbers[index])
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_SWAPPED, r->numbers[index], 0,
                          "the file holds segment %llu", (unsigned long long)n->number);
    if (n->number != s->number + 1)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_DROPPED, s->number + 1, 0,
                          "segment %llu is missing, segment %llu follows", (unsigned long long)(s->number + 1),
                          (unsigned long long)n->number);
    if (n->prev_end > r->offset && !ended)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED,
                          state == GN_JOURNAL_BLOCK_NONE ? GN_JOURNAL_DAMAGE_TRUNCATED : GN_JOURNAL_DAMAGE_EDIT,
                          s->number, r->offset,
                          state == GN_JOURNAL_BLOCK_NONE ? "batch %llu and what follows it up to the end are missing"
                                                         : "batch %llu was changed after it was written",
                          (unsigned long long)r->batch_seq);
    if (n->prev_end != r->offset || memcmp(n->prev_hash, r->chain, sizeof r->chain) != 0 ||
        n->first_batch != r->batch_seq || n->first_record != r->records)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_CHAIN, n->number, 0,
                          "the segment does not continue segment %llu as it is here", (unsigned long long)s->number);
    if (state == GN_JOURNAL_BLOCK_BAD)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_STALE, s->number, r->offset,
                          "non-zero bytes after the segment's end that no torn write explains");
    int rc = GN_JOURNAL_OK;
    if (r->strict)
        rc = check_tail(r, r->handle, s->number, r->offset, s->segment_bytes, !ended);
    if (rc == GN_JOURNAL_OK)
        rc = gn_jr_enter(r, index);
    return rc == GN_JOURNAL_OK ? 1 : rc;
}

int gn_jr_leave(struct gn_journal_reader *r, enum gn_journal_block_state state)
{
    const size_t first = r->started ? r->at + 1 : 0;
    enum gn_journal_block_state header = GN_JOURNAL_BLOCK_NONE;
    size_t i = first;
    int rc;
    for (; i < r->count; i++) {
        rc = gn_jr_header(r, i, &header);
        if (rc != GN_JOURNAL_OK)
            return rc;
        if (header != GN_JOURNAL_BLOCK_NONE && header != GN_JOURNAL_BLOCK_TORN)
            break;
    }
    if (i < r->count && header == GN_JOURNAL_BLOCK_NEWER)
        return gn_jr_fail(r, GN_JOURNAL_ERR_VERSION, GN_JOURNAL_DAMAGE_VERSION, r->numbers[i], 8,
                          "format version %u.%u, this reader knows up to %u.%u", r->next->major, r->next->minor,
                          GN_JOURNAL_MAJOR, GN_JOURNAL_MINOR);
    if (i < r->count && header == GN_JOURNAL_BLOCK_BAD)
        return gn_jr_fail(r, GN_JOURNAL_ERR_DAMAGED, GN_JOURNAL_DAMAGE_EDIT, r->numbers[i], 0,
                          "the segment header was changed after it was written");
    if (i < r->count && i > first)
        return gn_jr_fail(r, GN_JOURNAL_ERR_HOLE, GN_JOURNAL_DAMAGE_HOLE, r->numbers[first], 0,
                          "the segment has no header, but segment %llu has", (unsigned long long)r->numbers[i]);
    if (i < r->count && r->started)
        return go_on(r, i, state);
    if (r->started) {
        rc = end_of_last(r, state);
        if (rc != GN_JOURNAL_OK)
            return rc;
    }
    rc = end_of_prepared(r, first);
    if (rc != GN_JOURNAL_OK)
        return rc;
    r->ended = true;
    return 0;
}
