/* Writing and reading back on a real disk, the checksum, the thread, the dump. */
#include <jansson.h>
#include <sys/resource.h>
#include <time.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/segment.h"
#include "tests/unit/journal/fixture.h"

static void crc_both_ways(void)
{
    uint64_t seed = gn_test_seed(1);
    uint8_t data[300];
    CU_ASSERT_EQUAL(gn_crc32c(0, "123456789", 9), 0xe3069283u);
    CU_ASSERT_EQUAL(gn_crc32c_portable(0, "123456789", 9), 0xe3069283u);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)gn_test_rand(&seed);
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; n + from <= sizeof data; n++) {
            const uint32_t whole = gn_crc32c(0, data + from, n);
            const size_t cut = n == 0 ? 0 : gn_test_rand(&seed) % n;
            if (whole != gn_crc32c_portable(0, data + from, n) ||
                whole != gn_crc32c(gn_crc32c(0, data + from, cut), data + from + cut, n - cut))
                CU_FAIL("CRC32C by instruction and by table differ");
        }
}

static void names(void)
{
    char name[GN_JOURNAL_NAME_BYTES];
    gn_journal_file_name(12, name);
    CU_ASSERT_STRING_EQUAL(name, "gannet-journal-00000012.gnj");
    CU_ASSERT_EQUAL(gn_journal_file_number(name), 12);
    CU_ASSERT_EQUAL(gn_journal_file_number("gannet-journal-12.gnj"), 0);
    CU_ASSERT_EQUAL(gn_journal_file_number("gannet-journal-00000000.gnj"), 0);
    CU_ASSERT_EQUAL(gn_journal_file_number("gannet-journal-00000012.gnj.tmp"), 0);
    CU_ASSERT_EQUAL(gn_journal_file_number("x"), 0);
    for (int e = 0; e >= GN_JOURNAL_ERR_THREAD; e--)
        CU_ASSERT_STRING_NOT_EQUAL(gn_journal_strerror(e), "unknown journal error");
    CU_ASSERT_EQUAL(gn_journal_event_type("order"), GN_EV_ORDER);
    CU_ASSERT_EQUAL(gn_journal_event_type("nonsense"), 0);
}

static void round_trip(void)
{
    struct fx f;
    uint64_t seed = gn_test_seed(2);
    struct gn_journal_status st;
    struct gn_journal_report report;
    fx_new(&f);
    f.conf.skip_probe = false;
    for (int life = 0; life < 4; life++) {
        struct gn_journal *j;
        f.conf.config_sha256[0] = (uint8_t)life;
        CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
        gn_journal_status(j, &st);
        CU_ASSERT_EQUAL(st.closed_clean, life != 0);
        CU_ASSERT_EQUAL(st.config_changed, life != 0);
        CU_ASSERT(st.probe_p50_ns > 0 && st.probe_max_ns >= st.probe_p50_ns);
        CU_ASSERT_EQUAL(st.slow, st.slow_why[0] != 0);
        for (int n = 0; n < 800; n++) {
            (void)fx_publish(&f, (uint32_t)(gn_test_rand(&seed) % FX_RINGS), gn_test_rand(&seed) % 4 != 0);
            if (gn_test_rand(&seed) % 8 == 0) {
                CU_ASSERT(gn_journal_step(j, FX_NOW_NS) >= 0);
                gn_journal_wait(j, 1000);
            }
        }
        CU_ASSERT_EQUAL(gn_journal_flush(j, FX_NOW_NS), GN_JOURNAL_OK);
        gn_journal_status(j, &st);
        CU_ASSERT_EQUAL(st.lag_cells, 0);
        CU_ASSERT(st.records > 0 && st.bytes > 0 && st.batches > 0 && st.max_commit_ns >= st.last_commit_ns);
        CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
        CU_ASSERT(fx_check(&f, NULL, NULL));
    }
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, NULL, &report), GN_JOURNAL_OK);
    CU_ASSERT(report.segments > 8 && report.closed_clean && report.torn_tails == 0);
    CU_ASSERT_EQUAL(report.last_segment - report.first_segment + 1, report.segments);
    uint64_t sum = 0;
    for (size_t t = 0; t < GN_JOURNAL_TYPES; t++)
        sum += report.types[t];
    CU_ASSERT_EQUAL(sum, report.records);
    CU_ASSERT_EQUAL(report.types[GN_JOURNAL_TYPES - 1], 0);
    fx_free(&f);
}

/* Full rings at once make batches that are larger than what a reader begins with. */
static void large_batches(void)
{
    struct fx f;
    struct gn_journal *j;
    struct gn_journal_report report;
    fx_new(&f);
    f.conf.batch_bytes = 1u << 20;
    f.conf.segment_bytes = GN_JOURNAL_BLOCK + (2u << 20);
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < FX_RINGS; i++)
            while (fx_publish(&f, i, false)) {
            }
        CU_ASSERT_EQUAL(gn_journal_flush(j, FX_NOW_NS), GN_JOURNAL_OK);
    }
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT(fx_check(&f, NULL, NULL));
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, NULL, &report), GN_JOURNAL_OK);
    CU_ASSERT(report.batches < 30 && report.segments > 1);
    fx_free(&f);
}

static void rings_laid_out_anew(void)
{
    struct fx f;
    struct gn_journal *j;
    struct gn_journal_report report;
    fx_new(&f);
    fx_write_some(&f, 50);
    for (uint32_t i = 0; i < FX_RINGS; i++)
        CU_ASSERT_EQUAL(gn_ring_new(f.ring[i], FX_RING_CELLS, f.ring[i]->source), GN_RING_OK);
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_AHEAD);
    f.conf.rings_id++;
    fx_write_some(&f, 20);
    CU_ASSERT_EQUAL(gn_journal_verify(f.dir, NULL, &report), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(report.rings_resets, 1);
    CU_ASSERT_EQUAL(report.records, 70);
    fx_free(&f);
}

static void lost_records_are_refused(void)
{
    struct fx f, other;
    struct gn_journal *j;
    struct gn_journal_report report;
    fx_new(&f);
    fx_new(&other);
    fx_write_some(&f, 30);
    f.conf.dir = other.dir;
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_LOST);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err, "accept the loss"));
    f.conf.accept_lost = true;
    fx_write_some(&f, 30);
    CU_ASSERT_EQUAL(gn_journal_verify(other.dir, NULL, &report), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(report.accepted_gaps, 1);
    CU_ASSERT_EQUAL(report.records, 30);
    CU_ASSERT_EQUAL(report.ring[0].first_seq, 11);
    fx_free(&f);
    fx_free(&other);
}

static void one_writer(void)
{
    struct fx f;
    struct gn_journal *j, *second;
    fx_new(&f);
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(fx_open(&f, &second), GN_JOURNAL_ERR_LOCKED);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    fx_free(&f);
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void thread_sleeps_when_idle(void)
{
    struct fx f;
    struct gn_journal *j;
    fx_new(&f);
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_thread_start(j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_thread_start(j), GN_JOURNAL_ERR_THREAD);
    const uint64_t wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const struct timespec nap = {.tv_nsec = 200000000};
    (void)nanosleep(&nap, NULL);
    const uint64_t spent = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu, took = clock_ns(CLOCK_MONOTONIC) - wall;
    printf("idle thread: %llu%% of a core\n", (unsigned long long)(spent * 100 / took));
    CU_ASSERT(spent * 2 < took);
    for (int n = 0; n < 3000; n++)
        while (!fx_publish(&f, (uint32_t)n % FX_RINGS, true)) {
            struct gn_journal_status st;
            gn_journal_status(j, &st);
            CU_ASSERT_EQUAL_FATAL(st.failed, GN_JOURNAL_OK);
            (void)nanosleep(&(const struct timespec){.tv_nsec = 100000}, NULL);
        }
    CU_ASSERT_EQUAL(gn_journal_thread_stop(j), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    CU_ASSERT(fx_check(&f, NULL, NULL));
    fx_free(&f);
}

/* Random bytes fill every 64-bit field, beyond what the parser's integers hold: it reads them as reals. */
static void dump_is_json(void)
{
    struct fx f;
    char *text = NULL;
    size_t size = 0;
    unsigned lines = 0;
    struct gn_journal_finding finding;
    fx_new(&f);
    struct gn_journal *j;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int n = 0; n < 400; n++)
        (void)fx_publish(&f, (uint32_t)n % FX_RINGS, n % 2 != 0);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(gn_journal_dump(f.dir, NULL, out, &finding), GN_JOURNAL_OK);
    (void)fclose(out);
    for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1, lines++) {
        json_error_t why;
        json_t *o = json_loadb(at, (size_t)(end - at), JSON_DECODE_INT_AS_REAL, &why);
        if (o == NULL || json_number_value(json_object_get(o, "seq")) < 1) {
            printf("not JSON: %s: %.*s\n", why.text, (int)(end - at), at);
            CU_FAIL_FATAL("a line of the dump is not JSON");
        }
        json_decref(o);
    }
    CU_ASSERT(lines > 100);
    free(text);
    text = NULL;
    const struct gn_journal_filter orders = {.types = 1ull << GN_EV_ORDER, .limit = 3};
    out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(gn_journal_dump(f.dir, &orders, out, &finding), GN_JOURNAL_OK);
    (void)fclose(out);
    unsigned count = 0;
    for (char *at = text; (at = strstr(at, "\"type\":\"order\"")) != NULL; at++)
        count++;
    CU_ASSERT_EQUAL(count, 3);
    free(text);
    fx_free(&f);
}

GN_TEST_MAIN("journal", {"CRC32C by instruction and by table", crc_both_ways}, {"names", names},
             {"round trip over many segments, rings and lives", round_trip}, {"large batches", large_batches},
             {"rings laid out anew begin at 1", rings_laid_out_anew},
             {"a journal without the released records is refused", lost_records_are_refused},
             {"one writer a directory", one_writer},
             {"the thread keeps up and sleeps when idle", thread_sleeps_when_idle},
             {"every line of the dump is JSON", dump_is_json})
