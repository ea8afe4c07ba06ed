/* The SPSC ring: wrap and pad, full, what a restarted producer finds, what a liar on the other side gets. */
#include <pthread.h>
#include <sched.h>

#include "dataplane/abi/ring.h"
#include "tests/gn_test.h"

#define CELLS 256u

static struct gn_ring *fresh(void)
{
    size_t bytes = gn_ring_footprint(CELLS);
    struct gn_ring *r = aligned_alloc(GN_GUARD, gn_align_up(bytes, GN_GUARD));
    memset(r, 0, bytes);
    CU_ASSERT_EQUAL_FATAL(gn_ring_new(r, CELLS, 3), GN_RING_OK);
    return r;
}

/* A record whose payload is its own sequence, over and over. */
static bool put(struct gn_ring *r, uint32_t bytes)
{
    struct gn_rec *rec = gn_ring_reserve(r, 7, bytes);
    if (rec == NULL)
        return false;
    memset(rec + 1, (int)(rec->seq & 0xff), bytes - sizeof *rec);
    return true;
}

static bool intact(const struct gn_rec *rec)
{
    const uint8_t *p = (const uint8_t *)(rec + 1);
    for (uint32_t i = 0; i < rec->bytes - sizeof *rec; i++)
        if (p[i] != (uint8_t)rec->seq)
            return false;
    return true;
}

static void sizes_outside_the_limits_are_refused(void)
{
    static const uint32_t bad[] = {0, 1, 128, 255, 257, 384, GN_RING_CELLS_MAX + 1, GN_RING_CELLS_MAX * 2};
    struct gn_ring *r = fresh();
    for (size_t i = 0; i < GN_ARRAY_LEN(bad); i++) {
        CU_ASSERT_EQUAL(gn_ring_footprint(bad[i]), 0);
        CU_ASSERT_EQUAL(gn_ring_new(r, bad[i], 0), GN_RING_ERR_CELLS);
    }
    CU_ASSERT_EQUAL(gn_ring_footprint(CELLS), sizeof(struct gn_ring) + CELLS * 64);
    for (int err = 0; err >= -3; err--)
        CU_ASSERT_STRING_NOT_EQUAL(gn_ring_strerror(err), gn_ring_strerror(-99));
    free(r);
}

static void unpublished_records_do_not_exist(void)
{
    struct gn_ring *r = fresh();
    uint64_t cursor = 0;
    int err;
    CU_ASSERT_TRUE(put(r, 32));
    CU_ASSERT_TRUE(put(r, 65));
    CU_ASSERT_PTR_NULL(gn_ring_read(r, &cursor, &err));
    CU_ASSERT_EQUAL(err, GN_RING_OK);
    CU_ASSERT_EQUAL(gn_ring_used(r), 0);
    gn_ring_publish(r);
    CU_ASSERT_EQUAL(gn_ring_used(r), 3);
    const struct gn_rec *a = gn_ring_read(r, &cursor, &err);
    const struct gn_rec *b = gn_ring_read(r, &cursor, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_EQUAL(a->seq, 1);
    CU_ASSERT_EQUAL(a->bytes, 32);
    CU_ASSERT_EQUAL(b->seq, 2);
    CU_ASSERT_EQUAL(b->bytes, 65);
    CU_ASSERT_EQUAL(b->source, 3);
    CU_ASSERT_EQUAL(b->type, 7);
    CU_ASSERT_PTR_NULL(gn_ring_read(r, &cursor, &err));
    CU_ASSERT_EQUAL(cursor, 3);
    CU_ASSERT_EQUAL(gn_ring_used(r), 3); /* reading is not releasing */
    gn_ring_release(r, cursor, b->seq);
    CU_ASSERT_EQUAL(gn_ring_used(r), 0);
    free(r);
}

static void full_changes_nothing(void)
{
    struct gn_ring *r = fresh();
    for (uint32_t i = 0; i < CELLS; i++)
        CU_ASSERT_TRUE_FATAL(put(r, 64));
    gn_ring_publish(r);
    struct gn_ring *was = malloc(gn_ring_footprint(CELLS));
    memcpy(was, r, gn_ring_footprint(CELLS));
    CU_ASSERT_FALSE(put(r, 32));
    CU_ASSERT_FALSE(put(r, GN_REC_BYTES_MAX));
    CU_ASSERT_EQUAL(memcmp(was, r, gn_ring_footprint(CELLS)), 0);
    gn_ring_release(r, 1, 1);
    CU_ASSERT_TRUE(put(r, 64));
    CU_ASSERT_FALSE(put(r, 64));
    free(was);
    free(r);
}

/* A record that does not fit before the end goes to the start; the reader never sees the pad. */
static void pad_at_the_end(void)
{
    for (uint32_t at = CELLS - 5; at <= CELLS; at++) {
        struct gn_ring *r = fresh();
        uint64_t cursor = 0;
        int err;
        for (uint32_t i = 0; i < at; i++)
            CU_ASSERT_TRUE_FATAL(put(r, 64));
        gn_ring_publish(r);
        while (gn_ring_read(r, &cursor, &err) != NULL)
            ;
        gn_ring_release(r, cursor, at);
        CU_ASSERT_TRUE_FATAL(put(r, 4 * 64));
        gn_ring_publish(r);
        uint32_t to_end = CELLS - at % CELLS;
        uint32_t pad = to_end < 4 ? to_end : 0;
        const struct gn_rec *rec = gn_ring_read(r, &cursor, &err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(rec);
        CU_ASSERT_EQUAL(rec->seq, at + 1);
        CU_ASSERT_TRUE(intact(rec));
        CU_ASSERT_EQUAL(cursor, at + pad + 4);
        CU_ASSERT_PTR_EQUAL(rec, gn_ring_cell(r, at + pad));
        free(r);
    }
}

/* Random sizes, publishes, reads and releases: what comes out is what went in, in order. */
static void random_traffic(void)
{
    uint64_t seed = gn_test_seed(21), cursor = 0, next = 1, released = 0;
    struct gn_ring *r = fresh();
    int err = 0;
    for (int i = 0; i < 300000; i++) {
        uint64_t x = gn_test_rand(&seed);
        if (x % 4 != 0) {
            uint32_t bytes = (uint32_t)(x >> 8) % 64 == 0 ? GN_REC_BYTES_MAX : 32 + (uint32_t)(x >> 16) % 400;
            (void)put(r, bytes);
        }
        if (x % 3 == 0)
            gn_ring_publish(r);
        const struct gn_rec *rec;
        for (uint64_t n = (x >> 40) % 4; n > 0 && (rec = gn_ring_read(r, &cursor, &err)) != NULL; n--) {
            CU_ASSERT_EQUAL_FATAL(rec->seq, next);
            CU_ASSERT_TRUE_FATAL(intact(rec));
            next++;
        }
        CU_ASSERT_EQUAL_FATAL(err, GN_RING_OK);
        if (x % 5 == 0 && released != cursor) {
            gn_ring_release(r, cursor, next - 1);
            released = cursor;
        }
        CU_ASSERT_EQUAL_FATAL(gn_ring_check(r, gn_ring_footprint(CELLS)), GN_RING_OK);
    }
    CU_ASSERT_TRUE(next > 50000);
    free(r);
}

static void impossible_headers_are_refused(void)
{
    static const uint32_t bytes[] = {0, 1, 31, GN_REC_BYTES_MAX + 1, UINT32_MAX, 3 * 64 + 1};
    for (size_t i = 0; i < GN_ARRAY_LEN(bytes); i++) {
        struct gn_ring *r = fresh();
        uint64_t cursor = 0;
        int err = GN_RING_OK;
        CU_ASSERT_TRUE_FATAL(put(r, 64));
        CU_ASSERT_TRUE_FATAL(put(r, 128));
        gn_ring_publish(r);
        gn_ring_cell(r, 0)->bytes = bytes[i];
        CU_ASSERT_PTR_NULL(gn_ring_read(r, &cursor, &err));
        CU_ASSERT_EQUAL(err, GN_RING_ERR_CORRUPT);
        CU_ASSERT_EQUAL(cursor, 0);
        CU_ASSERT_EQUAL(gn_ring_join_producer(r), GN_RING_ERR_CORRUPT);
        free(r);
    }
    struct gn_ring *r = fresh();
    uint64_t cursor = 0;
    int err;
    CU_ASSERT_TRUE_FATAL(put(r, 64));
    gn_ring_publish(r);
    gn_ring_cell(r, 0)->type = 0; /* a pad may not pass the published cells either */
    gn_ring_cell(r, 0)->bytes = 128;
    CU_ASSERT_PTR_NULL(gn_ring_read(r, &cursor, &err));
    CU_ASSERT_EQUAL(err, GN_RING_ERR_CORRUPT);
    gn_ring_cell(r, 0)->bytes = 0;
    CU_ASSERT_PTR_NULL(gn_ring_read(r, &cursor, &err));
    CU_ASSERT_EQUAL(err, GN_RING_ERR_CORRUPT);
    free(r);
}

static void impossible_indices_are_refused(void)
{
    const uint64_t bytes = gn_ring_footprint(CELLS);
    struct gn_ring *r = fresh();
    uint64_t cursor = 0;
    int err;
    CU_ASSERT_EQUAL(gn_ring_check(r, bytes), GN_RING_OK);
    CU_ASSERT_EQUAL(gn_ring_check(r, bytes - 1), GN_RING_ERR_CELLS);
    CU_ASSERT_EQUAL(gn_ring_check(r, sizeof *r - 1), GN_RING_ERR_MAGIC);
    atomic_store(&r->head, CELLS + 1);
    CU_ASSERT_EQUAL(gn_ring_check(r, bytes), GN_RING_ERR_CORRUPT);
    CU_ASSERT_PTR_NULL(gn_ring_read(r, &cursor, &err));
    CU_ASSERT_EQUAL(err, GN_RING_ERR_CORRUPT);
    CU_ASSERT_EQUAL(gn_ring_join_producer(r), GN_RING_ERR_CORRUPT);
    atomic_store(&r->head, 0);
    atomic_store(&r->tail, 1); /* released more than was published */
    CU_ASSERT_EQUAL(gn_ring_check(r, bytes), GN_RING_ERR_CORRUPT);
    CU_ASSERT_EQUAL(gn_ring_join_producer(r), GN_RING_ERR_CORRUPT);
    atomic_store(&r->tail, 0);
    r->cells = 2 * CELLS;
    CU_ASSERT_EQUAL(gn_ring_check(r, bytes), GN_RING_ERR_CELLS);
    r->cells = CELLS - 1;
    CU_ASSERT_EQUAL(gn_ring_check(r, bytes), GN_RING_ERR_CELLS);
    r->cells = CELLS;
    r->magic++;
    CU_ASSERT_EQUAL(gn_ring_check(r, bytes), GN_RING_ERR_MAGIC);
    free(r);
}

/* The stores of gn_ring_reserve and gn_ring_publish, one after the other, and a death after each. */
static void producer_dies_between_two_stores(void)
{
    for (int death = 0; death <= 6; death++) {
        struct gn_ring *r = fresh();
        for (uint32_t i = 0; i < CELLS - 2; i++)
            CU_ASSERT_TRUE_FATAL(put(r, 64));
        gn_ring_publish(r);
        gn_ring_release(r, CELLS - 10, CELLS - 10);
        r->tail_seen = 0;
        if (death >= 1)
            r->tail_seen = CELLS - 10;
        if (death >= 2)
            *gn_ring_cell(r, CELLS - 2) = (struct gn_rec){.bytes = 128, .type = 0};
        if (death >= 3) {
            struct gn_rec *rec = gn_ring_cell(r, CELLS);
            memset(rec, 0xff, 64); /* half of a header over an old record */
        }
        if (death >= 4)
            r->next_seq++;
        if (death >= 5)
            r->pending = CELLS + 4;
        if (death >= 6) {
            *gn_ring_cell(r, CELLS) = (struct gn_rec){.bytes = 256, .type = 7, .seq = CELLS - 1};
            gn_ring_publish(r);
        }
        CU_ASSERT_EQUAL_FATAL(gn_ring_join_producer(r), GN_RING_OK);
        CU_ASSERT_EQUAL(r->next_seq, death == 6 ? CELLS : CELLS - 1);
        CU_ASSERT_EQUAL(r->pending, atomic_load(&r->head));
        CU_ASSERT_TRUE_FATAL(put(r, 200));
        gn_ring_publish(r);
        uint64_t cursor = CELLS - 10, want = CELLS - 9;
        const struct gn_rec *rec;
        int err;
        while ((rec = gn_ring_read(r, &cursor, &err)) != NULL)
            CU_ASSERT_EQUAL(rec->seq, want++);
        CU_ASSERT_EQUAL(err, GN_RING_OK);
        CU_ASSERT_EQUAL(want, death == 6 ? CELLS + 1 : CELLS);
        free(r);
    }
}

/* gn_ring_release stores last_seq before tail: a consumer that dies in between costs no sequence. */
static void consumer_dies_between_two_stores(void)
{
    struct gn_ring *r = fresh();
    for (int i = 0; i < 5; i++)
        CU_ASSERT_TRUE_FATAL(put(r, 64));
    gn_ring_publish(r);
    gn_ring_release(r, 3, 3);
    atomic_store(&r->last_seq, 5); /* and dead before tail moves */
    CU_ASSERT_EQUAL(gn_ring_join_producer(r), GN_RING_OK);
    CU_ASSERT_EQUAL(r->next_seq, 6);
    gn_ring_release(r, 5, 5);
    CU_ASSERT_EQUAL(gn_ring_join_producer(r), GN_RING_OK);
    CU_ASSERT_EQUAL(r->next_seq, 6); /* an empty ring remembers too */
    free(r);
}

/* ---- two threads ---- */

#define MESSAGES 100000u

static void *produce(void *arg)
{
    struct gn_ring *r = arg;
    uint64_t seed = 5;
    for (uint32_t i = 0; i < MESSAGES;) {
        bool full = !put(r, 32 + (uint32_t)gn_test_rand(&seed) % 200);
        i += !full;
        gn_ring_publish(r);
        if (full)
            sched_yield(); /* the cores are shared */
    }
    return NULL;
}

static void two_threads(void)
{
    struct gn_ring *r = fresh();
    pthread_t thread;
    uint64_t cursor = 0, next = 1, bad = 0;
    int err = 0;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, produce, r), 0);
    while (next <= MESSAGES && err == GN_RING_OK) {
        const struct gn_rec *rec = gn_ring_read(r, &cursor, &err);
        if (rec == NULL) {
            sched_yield();
            continue;
        }
        bad += rec->seq != next || !intact(rec);
        if (next++ % 7 == 0 || next > MESSAGES || gn_ring_used(r) > CELLS / 2)
            gn_ring_release(r, cursor, next - 1);
    }
    CU_ASSERT_EQUAL(err, GN_RING_OK);
    CU_ASSERT_EQUAL(bad, 0);
    pthread_join(thread, NULL);
    free(r);
}

GN_TEST_MAIN("ring", {"sizes outside the limits are refused", sizes_outside_the_limits_are_refused},
             {"unpublished records do not exist", unpublished_records_do_not_exist},
             {"full changes nothing", full_changes_nothing}, {"pad at the end", pad_at_the_end},
             {"random traffic", random_traffic}, {"impossible headers are refused", impossible_headers_are_refused},
             {"impossible indices are refused", impossible_indices_are_refused},
             {"producer dies between two stores", producer_dies_between_two_stores},
             {"consumer dies between two stores", consumer_dies_between_two_stores}, {"two threads", two_threads})
