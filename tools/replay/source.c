#include "tools/replay/source.h"

#include <pthread.h>
#include <stdlib.h>

#define BLOCKS      4u
#define BLOCK_BYTES (1u << 20)

struct block {
    size_t used;
    uint8_t *bytes; /* records, each padded to 8 */
};

struct queue {
    const struct gn_source_opts *opts;
    struct gn_source_result *result;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t filled, emptied; /* blocks, ever */
    bool ended, stop;
    struct block block[BLOCKS];
};

/* The block to fill, when it is free; NULL: nobody wants more. */
static struct block *next_free(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    while (q->filled - q->emptied == BLOCKS && !q->stop)
        (void)pthread_cond_wait(&q->moved, &q->lock);
    struct block *b = q->stop ? NULL : &q->block[q->filled % BLOCKS];
    (void)pthread_mutex_unlock(&q->lock);
    if (b != NULL)
        b->used = 0;
    return b;
}

static void give(struct queue *q, bool last)
{
    (void)pthread_mutex_lock(&q->lock);
    q->filled++;
    q->ended = last;
    (void)pthread_cond_broadcast(&q->moved);
    (void)pthread_mutex_unlock(&q->lock);
}

static int fill(struct queue *q, struct gn_journal_reader *reader, struct block **at)
{
    const struct gn_source_opts *o = q->opts;
    struct gn_journal_item item;
    uint64_t segment = 0;
    int rc;
    while ((rc = gn_journal_reader_next(reader, &item)) == 1) {
        q->result->records++;
        q->result->bytes += item.rec->bytes;
        if (item.segment->number != segment) {
            segment = item.segment->number;
            q->result->config_same = q->result->config_same &&
                                     (o->config_sha256 == NULL || memcmp(item.segment->config_sha256, o->config_sha256,
                                                                         sizeof item.segment->config_sha256) == 0);
        }
        if (item.rec->source != o->ring)
            continue;
        if (o->to_ns != 0 && item.rec->time_ns >= o->to_ns)
            return 0;
        const size_t bytes = gn_align_up(item.rec->bytes, 8);
        if ((*at)->used + bytes > BLOCK_BYTES) {
            give(q, false);
            if ((*at = next_free(q)) == NULL)
                return 0;
        }
        memcpy((*at)->bytes + (*at)->used, item.rec, item.rec->bytes);
        (*at)->used += bytes;
    }
    return rc;
}

static void *read_all(void *arg)
{
    struct queue *q = arg;
    struct gn_source_result *r = q->result;
    struct gn_journal_reader *reader = NULL;
    struct block *at = next_free(q);
    int rc = gn_journal_reader_open(&reader, q->opts->dir, NULL, &r->finding);
    if (rc == GN_JOURNAL_OK && q->opts->from_segment != 0)
        rc = gn_journal_reader_seek(reader, q->opts->from_segment);
    if (rc == GN_JOURNAL_OK && at != NULL)
        rc = fill(q, reader, &at);
    if (rc != 0 && reader != NULL)
        r->finding = *gn_journal_reader_finding(reader);
    r->sound = rc == 0;
    gn_journal_reader_close(reader);
    if (at != NULL)
        give(q, true);
    return NULL;
}

/* True when there is a block to work on. */
static bool wait_block(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    while (q->filled == q->emptied && !q->ended)
        (void)pthread_cond_wait(&q->moved, &q->lock);
    const bool there = q->filled != q->emptied;
    (void)pthread_mutex_unlock(&q->lock);
    return there;
}

static void done(struct queue *q, bool stop)
{
    (void)pthread_mutex_lock(&q->lock);
    q->emptied++;
    q->stop = q->stop || stop;
    (void)pthread_cond_broadcast(&q->moved);
    (void)pthread_mutex_unlock(&q->lock);
}

static bool use(const struct block *b, bool (*fn)(void *arg, const struct gn_rec *rec), void *arg)
{
    for (size_t at = 0; at < b->used;) {
        const struct gn_rec *rec = (const struct gn_rec *)(const void *)(b->bytes + at);
        if (!fn(arg, rec))
            return false;
        at += gn_align_up(rec->bytes, 8);
    }
    return true;
}

bool gn_source_each(const struct gn_source_opts *opts, bool (*fn)(void *arg, const struct gn_rec *rec), void *arg,
                    struct gn_source_result *result)
{
    struct queue q = {.opts = opts, .result = result};
    pthread_t thread;
    bool ok = true;
    *result = (struct gn_source_result){.config_same = true};
    for (uint32_t i = 0; i < BLOCKS; i++)
        ok = (q.block[i].bytes = malloc(BLOCK_BYTES)) != NULL && ok;
    (void)pthread_mutex_init(&q.lock, NULL);
    (void)pthread_cond_init(&q.moved, NULL);
    ok = ok && pthread_create(&thread, NULL, read_all, &q) == 0;
    if (ok) {
        while (wait_block(&q))
            done(&q, !use(&q.block[q.emptied % BLOCKS], fn, arg));
        (void)pthread_join(thread, NULL);
    }
    (void)pthread_cond_destroy(&q.moved);
    (void)pthread_mutex_destroy(&q.lock);
    for (uint32_t i = 0; i < BLOCKS; i++)
        free(q.block[i].bytes);
    return ok;
}
