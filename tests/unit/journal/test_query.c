/* Queries: by index they find what a walk over everything finds, and faster; rows and filters.
 *
 * Usage: test_journal_query [RECORDS]: with 10000000 it measures what docs/journal.md says (needs 2 GB in TMPDIR).
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/journal/index.h"
#include "controlplane/journal/recover.h"
#include "tests/unit/journal/fixture.h"

#define CELLS      65536u
#define FIRST_ID   0x0001010000000001ull
#define IN_BETWEEN 700u /* orders between an order and its fill */

static uint64_t wanted_records = 60000;
static struct fx f;
static struct gn_ring *ring;
static uint64_t orders;

static uint64_t clock_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void *reserve(struct gn_journal *j, uint16_t type, uint32_t payload, uint64_t corr)
{
    struct gn_rec *rec;
    while ((rec = gn_ring_reserve(ring, type, (uint32_t)sizeof *rec + payload)) == NULL) {
        if (gn_journal_step(j, FX_NOW_NS) < 0)
            CU_FAIL_FATAL("step");
        gn_journal_wait(j, 1000000);
    }
    rec->time_ns = FX_NOW_NS + ring->next_seq * 1000;
    rec->corr = corr;
    memset(rec + 1, 0, payload);
    return rec + 1;
}

static void put_order(struct gn_journal *j, uint64_t n)
{
    struct gn_ev_order *e = reserve(j, GN_EV_ORDER, sizeof *e, FIRST_ID + n);
    e->intent.action = GN_ACTION_NEW;
    e->intent.instrument = (uint32_t)(n % 50);
    e->intent.strategy = (uint16_t)(n % 2);
    e->intent.qty = 100;
    e->order_id = FIRST_ID + n;
    gn_ring_publish(ring);
}

static void put_exec(struct gn_journal *j, uint64_t n, uint8_t kind)
{
    struct gn_ev_exec *e = reserve(j, GN_EV_EXEC, sizeof *e, FIRST_ID + n);
    e->exec.kind = kind;
    e->exec.order_id = FIRST_ID + n;
    e->exec.instrument = (uint32_t)(n % 50);
    e->exec.strategy = (uint16_t)(n % 2);
    e->exec.qty = 100;
    gn_ring_publish(ring);
}

static void generate(void)
{
    struct gn_journal *j;
    fx_new(&f);
    void *mem = mmap(NULL, gn_ring_footprint(CELLS), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(mem != MAP_FAILED && gn_ring_new(mem, CELLS, 1) == GN_RING_OK);
    ring = mem;
    f.conf.segment_bytes = wanted_records > 1000000 ? 64u << 20 : 1u << 20;
    f.conf.batch_bytes = wanted_records > 1000000 ? 1u << 20 : 64u << 10;
    CU_ASSERT_EQUAL_FATAL(gn_journal_open(&j, &f.conf, &ring, 1, f.err, sizeof f.err), GN_JOURNAL_OK);
    const uint64_t start = clock_ns();
    orders = wanted_records / 3;
    for (uint64_t n = 0; n < orders + IN_BETWEEN; n++) {
        if (n < orders)
            put_order(j, n);
        if (n < orders)
            put_exec(j, n, GN_EXEC_ACCEPTED);
        if (n >= IN_BETWEEN)
            put_exec(j, n - IN_BETWEEN, GN_EXEC_FILLED);
    }
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    const double s = (double)(clock_ns() - start) / 1e9;
    printf("%llu records written in %.2f s, segments being zero-filled within it: %.0f a second\n",
           (unsigned long long)(3 * orders), s, (double)(3 * orders) / s);
}

static char *run(struct gn_journal_filter filter, size_t *bytes, double *ms)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    const uint64_t start = clock_ns();
    CU_ASSERT_EQUAL(gn_journal_dump(f.dir, &filter, out, NULL), GN_JOURNAL_OK);
    *ms = (double)(clock_ns() - start) / 1e6;
    (void)fclose(out);
    return text;
}

static uint32_t lines(const char *text)
{
    uint32_t n = 0;
    for (; *text != 0; text++)
        n += *text == '\n';
    return n;
}

static int by_size(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void one_order(void)
{
    size_t bytes;
    double ms, worst = 0, took[50];
    uint64_t seed = gn_test_seed(5);
    generate();
    free(run((struct gn_journal_filter){.order_id = FIRST_ID}, &bytes, &ms));
    printf("first query, indexes built: %.1f ms\n", ms);
    for (int i = 0; i < 50; i++) {
        const uint64_t n = gn_test_rand(&seed) % orders;
        char *text = run((struct gn_journal_filter){.order_id = FIRST_ID + n}, &bytes, &ms);
        if (lines(text) != 3 || strstr(text, "\"filled\"") == NULL) {
            printf("order %llu: %s\n", (unsigned long long)n, text);
            CU_FAIL("not the three records of the order");
        }
        free(text);
        worst = ms > worst ? ms : worst;
        took[i] = ms;
    }
    qsort(took, GN_ARRAY_LEN(took), sizeof took[0], by_size);
    printf("a query of one order among %llu records: median %.2f ms, at most %.2f ms\n",
           (unsigned long long)(3 * orders), took[GN_ARRAY_LEN(took) / 2], worst);
    CU_ASSERT(worst < 200);
    char *none = run((struct gn_journal_filter){.order_id = FIRST_ID + orders}, &bytes, &ms);
    CU_ASSERT_EQUAL(bytes, 0);
    free(none);
}

/* An index that does not fit is built anew, not believed. */
static void wrong_index(void)
{
    char path[400];
    size_t bytes;
    double ms;
    const struct gn_journal_filter filter = {.order_id = FIRST_ID + 5};
    (void)snprintf(path, sizeof path, "%s/gannet-journal-00000001.gni", f.dir);
    char *right = run(filter, &bytes, &ms);
    for (long at = 0; at < 128; at += 3) {
        FILE *file = fopen(path, "r+e");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        (void)fseek(file, at, SEEK_SET);
        int c = fgetc(file);
        (void)fseek(file, at, SEEK_SET);
        (void)fputc(c ^ 4, file);
        (void)fclose(file);
        char *text = run(filter, &bytes, &ms);
        if (strcmp(text, right) != 0)
            CU_FAIL("a changed index is believed");
        free(text);
    }
    CU_ASSERT_EQUAL(unlink(path), 0);
    char *text = run(filter, &bytes, &ms);
    CU_ASSERT_STRING_EQUAL(text, right);
    free(text);
    free(right);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
}

static void filters(void)
{
    size_t bytes;
    double ms;
    if (wanted_records > 1000000)
        return;
    char *text = run((struct gn_journal_filter){.executions = true}, &bytes, &ms);
    CU_ASSERT_EQUAL(lines(text), orders);
    free(text);
    text = run((struct gn_journal_filter){.instrument = 8, .types = 1ull << GN_EV_ORDER}, &bytes, &ms);
    CU_ASSERT_EQUAL(lines(text), orders / 50);
    free(text);
    text = run((struct gn_journal_filter){.strategy = 2, .executions = true}, &bytes, &ms);
    CU_ASSERT_EQUAL(lines(text), orders / 2);
    free(text);
    /* record k has time FX_NOW_NS + k * 1000 */
    const uint64_t all = 3 * orders, from = all - 1000;
    text = run((struct gn_journal_filter){.from_ns = FX_NOW_NS + from * 1000, .to_ns = FX_NOW_NS + (from + 10) * 1000},
               &bytes, &ms);
    CU_ASSERT_EQUAL(lines(text), 10);
    free(text);
    text = run((struct gn_journal_filter){.csv = true, .limit = 300}, &bytes, &ms);
    CU_ASSERT_EQUAL(lines(text), 301);
    uint32_t commas = 0;
    bool rows_ok = true;
    for (const char *p = text; *p != 0; p++) {
        commas += *p == ',';
        if (*p == '\n') {
            rows_ok = rows_ok && commas == 18;
            commas = 0;
        }
    }
    CU_ASSERT(rows_ok);
    free(text);
}

static void speeds(void)
{
    struct gn_journal_report r;
    struct gn_journal_recovered got;
    struct gn_journal_io io;
    uint64_t start = clock_ns();
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, NULL, &r), GN_JOURNAL_OK);
    const double s = (double)(clock_ns() - start) / 1e9;
    CU_ASSERT_EQUAL(r.records, 3 * orders);
    CU_ASSERT_EQUAL(r.no_corr, 0);
    printf("verified %.0f MB in %.2f s: %.0f MB/s, %.1f M records a second\n", (double)r.bytes / 1e6, s,
           (double)r.bytes / 1e6 / s, (double)r.records / 1e6 / s);
    gn_journal_io_reader(&io);
    start = clock_ns();
    CU_ASSERT_EQUAL(gn_journal_recover(&io, f.dir, f.conf.segment_bytes, false, &got, f.err, sizeof f.err),
                    GN_JOURNAL_OK);
    printf("recovered in %.1f ms\n", (double)(clock_ns() - start) / 1e6);
    CU_ASSERT_EQUAL(got.last_seq[1], 3 * orders);
    (void)munmap(ring, gn_ring_footprint(CELLS));
    fx_free(&f);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {{"one order among many", one_order},
                           {"an index that does not fit", wrong_index},
                           {"filters and rows", filters},
                           {"speeds", speeds},
                           CU_TEST_INFO_NULL};
    if (argc > 1)
        wanted_records = strtoull(argv[1], NULL, 0);
    return gn_test_run("journal query", tests);
}
