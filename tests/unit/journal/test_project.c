/* The projection: what the tables say, a follower killed at random microseconds while the journal is written, and a
 * journal that is not the one it was made from. In the end it always equals one built anew. */
#include "controlplane/journal/project.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/abi/orders.h"
#include "tests/unit/journal/fixture.h"

#define DB    "projection.db"
#define OTHER "rebuilt.db"

static struct fx f;
static uint64_t seed, next_order;
static int64_t position[4];

static void *reserve(uint16_t type, uint32_t payload, uint64_t corr)
{
    struct gn_rec *rec;
    while ((rec = gn_ring_reserve(f.ring[1], type, (uint32_t)sizeof *rec + payload)) == NULL)
        (void)usleep(100);
    rec->time_ns = FX_NOW_NS + rec->seq;
    rec->corr = corr;
    memset(rec + 1, 0, payload);
    return rec + 1;
}

/* One order with what becomes of it; now and then a session that comes and goes, an alert, a replacement. */
static void story(void)
{
    const uint64_t id = gn_order_id(2, 1, ++next_order), dice = gn_test_rand(&seed);
    const uint32_t k = dice % 4;
    const bool buy = (dice >> 8 & 1) != 0;
    struct gn_ev_order *o = reserve(GN_EV_ORDER, sizeof *o, id);
    o->intent = (struct gn_intent){
        .action = GN_ACTION_NEW, .side = !buy, .instrument = k, .strategy = 1, .price = 1000, .qty = 10, .tick_seq = 5};
    o->order_id = id;
    o->user_ref = (uint32_t)next_order;
    struct gn_ev_exec *e = reserve(GN_EV_EXEC, sizeof *e, id);
    e->exec = (struct gn_exec){.kind = GN_EXEC_ACCEPTED,
                               .state = GN_ORDER_LIVE,
                               .order_id = id,
                               .instrument = k,
                               .leaves = 10,
                               .position = position[k]};
    if (dice % 3 != 0) {
        e = reserve(GN_EV_EXEC, sizeof *e, id);
        e->exec = (struct gn_exec){.kind = GN_EXEC_FILLED,
                                   .state = GN_ORDER_LIVE,
                                   .order_id = id,
                                   .instrument = k,
                                   .side = !buy,
                                   .qty = 4,
                                   .price = INT64_C(4000000000000000000),
                                   .leaves = 6,
                                   .cum = 4,
                                   .match = next_order,
                                   .position = position[k] += buy ? 4 : -4};
    }
    if (dice % 5 == 0) {
        struct gn_ev_cancel *c = reserve(GN_EV_CANCEL, sizeof *c, id);
        *c = (struct gn_ev_cancel){.order_id = id, .why = GN_CANCEL_BY_KILL};
    }
    if (dice % 17 == 0) {
        struct gn_ev_session *s = reserve(GN_EV_SESSION, sizeof *s, 1);
        s->state = dice % 2 == 0 ? GN_SESSION_DOWN : GN_SESSION_UP;
    }
    if (dice % 23 == 0) {
        struct gn_ev_alert *a = reserve(GN_EV_ALERT, sizeof *a, 1);
        a->code = 7;
        memcpy(a->text, "look", 4);
    }
    gn_ring_publish(f.ring[1]);
}

static void begin(void)
{
    fx_new(&f);
    f.conf.segment_bytes = GN_JOURNAL_BLOCK + 4 * FX_BATCH_BYTES;
    next_order = 0;
    memset(position, 0, sizeof position);
    seed = gn_test_seed(77);
    for (int i = 0; i < 2; i++) {
        const char *db = i == 0 ? DB : OTHER;
        char path[64];
        (void)unlink(db);
        (void)snprintf(path, sizeof path, "%s-wal", db);
        (void)unlink(path);
        (void)snprintf(path, sizeof path, "%s-shm", db);
        (void)unlink(path);
    }
}

static void end(void)
{
    (void)unlink(DB);
    (void)unlink(OTHER);
    fx_free(&f);
}

static int64_t project(const char *db, bool rebuild, char *said)
{
    char err[GN_PROJECT_ERR_LEN] = "";
    struct gn_project *p = gn_project_open(db, f.dir, rebuild, said, err);
    int64_t n = p != NULL ? gn_project_run(p, err) : -1;
    if (n < 0)
        printf("%s\n", err);
    gn_project_close(p);
    return n;
}

/* All rows of all tables as text, hashed. */
static uint64_t digest(const char *db, uint64_t *rows)
{
    static const char *const queries[] = {"SELECT * FROM orders ORDER BY id", "SELECT * FROM fills",
                                          "SELECT * FROM positions", "SELECT * FROM alerts",
                                          "SELECT batch, rings_id, last_seq, chain, records FROM progress"};
    sqlite3 *s;
    uint64_t h = 1469598103934665603ull;
    *rows = 0;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(db, &s), SQLITE_OK);
    for (size_t q = 0; q < GN_ARRAY_LEN(queries); q++) {
        sqlite3_stmt *st;
        CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(s, queries[q], -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            ++*rows;
            for (int c = 0; c < sqlite3_column_count(st); c++) {
                const uint8_t *b = sqlite3_column_blob(st, c);
                for (int i = 0; i < sqlite3_column_bytes(st, c); i++)
                    h = (h ^ b[i]) * 1099511628211ull;
                h = (h ^ 0x1f) * 1099511628211ull;
            }
        }
        (void)sqlite3_finalize(st);
    }
    (void)sqlite3_close(s);
    return h;
}

static int64_t number(const char *sql)
{
    sqlite3 *s;
    sqlite3_stmt *st;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(DB, &s), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(s, sql, -1, &st, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_ROW);
    const int64_t n = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(s);
    return n;
}

static void equals_a_rebuild(void)
{
    char said[GN_PROJECT_ERR_LEN];
    uint64_t rows, rows_again;
    CU_ASSERT_TRUE(project(DB, false, said) >= 0);
    CU_ASSERT_STRING_EQUAL(said, "");
    CU_ASSERT_TRUE(project(OTHER, true, said) > 0);
    CU_ASSERT_EQUAL(digest(DB, &rows), digest(OTHER, &rows_again));
    CU_ASSERT_EQUAL(rows, rows_again);
    CU_ASSERT_TRUE(rows > 100);
}

static void write_stories(uint32_t n)
{
    struct gn_journal *j;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (uint32_t i = 0; i < n; i++) {
        story();
        if (i % 30 == 0)
            CU_ASSERT_EQUAL(gn_journal_flush(j, FX_NOW_NS), GN_JOURNAL_OK);
    }
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
}

static void tables(void)
{
    char said[GN_PROJECT_ERR_LEN];
    begin();
    write_stories(400);
    CU_ASSERT_TRUE(project(DB, false, said) > 1000);
    CU_ASSERT_EQUAL(project(DB, false, said), 0); /* applied once */
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM orders"), 400);
    CU_ASSERT_EQUAL(number("SELECT sum(qty) FROM positions"), position[0] + position[1] + position[2] + position[3]);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM orders WHERE state IS NULL"), 0);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM fills"), number("SELECT sum(fills) FROM positions"));
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM alerts WHERE text = 'look'"), number("SELECT count(*) FROM alerts"));
    CU_ASSERT_TRUE(number("SELECT max(length(buy_value)) FROM positions") > 19); /* more than 64 bits */
    equals_a_rebuild();
    write_stories(300); /* a further life of the writer, read on from where it was */
    f.conf.rings_id++;
    equals_a_rebuild();
    end();
}

/* Follows until it is killed. */
static pid_t follower(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char err[GN_PROJECT_ERR_LEN], said[GN_PROJECT_ERR_LEN];
    struct gn_project *p = gn_project_open(DB, f.dir, false, said, err);
    while (p != NULL && gn_project_run(p, err) >= 0)
        (void)usleep(200);
    _exit(1);
}

static void killed_at_any_time(void)
{
    struct gn_journal *j;
    uint64_t lived = 0;
    begin();
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int i = 0; i < 60; i++) {
        pid_t pid = follower();
        const uint64_t us = gn_test_rand(&seed) % 20000;
        for (int k = 0; k < 12; k++) {
            story();
            if (k % 4 == 0)
                CU_ASSERT_EQUAL(gn_journal_flush(j, FX_NOW_NS), GN_JOURNAL_OK);
        }
        (void)usleep((useconds_t)us);
        int status;
        (void)kill(pid, SIGKILL);
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        lived += WIFSIGNALED(status);
    }
    CU_ASSERT_EQUAL(lived, 60); /* none ended by itself */
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    equals_a_rebuild();
    end();
}

/* Another journal in the same place, a tail that is gone: said, and built anew. */
static void another_journal(void)
{
    char said[GN_PROJECT_ERR_LEN];
    uint64_t rows, again;
    begin();
    write_stories(100);
    CU_ASSERT_TRUE(project(DB, false, said) > 0);
    struct fx first = f;
    fx_new(&f);
    seed += 5;
    next_order = 0;
    memset(position, 0, sizeof position);
    write_stories(200);
    CU_ASSERT_TRUE(project(DB, false, said) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "another one"));
    CU_ASSERT_TRUE(project(OTHER, true, said) > 0);
    CU_ASSERT_EQUAL(digest(DB, &rows), digest(OTHER, &again));
    fx_free(&f);
    f = first;
    CU_ASSERT_TRUE(project(DB, false, said) > 0);
    CU_ASSERT_NOT_EQUAL(said[0], 0);
    equals_a_rebuild();
    end();
}

GN_TEST_MAIN("journal project", {"tables", tables}, {"killed at any time", killed_at_any_time},
             {"another journal", another_journal})
