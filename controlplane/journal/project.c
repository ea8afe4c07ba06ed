#include "controlplane/journal/project.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/journal/reader_impl.h"
#include "controlplane/journal/state_impl.h"
#include "dataplane/abi/names.h"

#define COMMIT_RECORDS   50000u   /* at most in one transaction */
#define SNAPSHOT_RECORDS 1000000u /* at most between two states */

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS progress(one INTEGER PRIMARY KEY CHECK(one = 1), segment, batch, rings_id, last_seq "
    "BLOB,"
    " chain BLOB, records, state BLOB);"
    "CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, rings_id, prev_id, instrument, strategy, session, side, "
    "tif,"
    " user_ref, price, qty, leaves, filled, state TEXT, tick_seq, tag, sent_ns, changed_ns);"
    "CREATE TABLE IF NOT EXISTS fills(rings_id, ring, seq, time_ns, order_id, instrument, strategy, session, side, qty,"
    " price, match, liquidity, kind TEXT, PRIMARY KEY(rings_id, ring, seq)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS positions(rings_id, instrument, qty, bought, sold, buy_value TEXT, sell_value TEXT, "
    "fills,"
    " open_buy, open_sell, open_orders, PRIMARY KEY(rings_id, instrument)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS alerts(rings_id, ring, seq, time_ns, code, severity, text, PRIMARY KEY(rings_id, ring, "
    "seq))"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS fills_of_order ON fills(order_id);";

enum statement {
    PUT_NEW,
    PUT_ORDER,
    PUT_CHANGED,
    PUT_FILL,
    PUT_POSITION,
    PUT_ALERT,
    PUT_PROGRESS,
    PUT_STATE,
    STATEMENTS
};

static const char *const statements[STATEMENTS] = {
    [PUT_NEW] = "INSERT OR IGNORE INTO orders(id, rings_id, tick_seq, tag, sent_ns, changed_ns) VALUES(?,?,?,?,?,?)",
    [PUT_ORDER] = ("UPDATE orders SET prev_id=?2, instrument=?3, strategy=?4, session=?5, side=?6, tif=?7, user_ref=?8,"
                   " price=?9, qty=?10, leaves=?11, filled=?12, state=?13 WHERE id=?1"),
    [PUT_CHANGED] = "UPDATE orders SET changed_ns=?2 WHERE id=?1",
    [PUT_FILL] = "INSERT OR IGNORE INTO fills VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [PUT_POSITION] = "INSERT OR REPLACE INTO positions VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [PUT_ALERT] = "INSERT OR IGNORE INTO alerts VALUES(?,?,?,?,?,?,?)",
    [PUT_PROGRESS] = "UPDATE progress SET segment=?, batch=?, rings_id=?, last_seq=?, chain=?, records=?",
    [PUT_STATE] = "UPDATE progress SET state=?",
};

struct gn_project {
    sqlite3 *db;
    sqlite3_stmt *stmt[STATEMENTS];
    struct gn_journal_reader *reader;
    struct gn_jstate *state;
    bool failed; /* a statement did; the transaction is given up */
    /* how far the tables are: records up to here change the state only */
    uint64_t rings_id, last_seq[GN_JOURNAL_RINGS_MAX];
    uint64_t records, since_commit, since_state;
    /* the batch that the tables ended with, until it was met again */
    bool met;
    uint64_t batch;
    uint8_t chain[GN_JOURNAL_HASH];
};

#define REFUSE(...) (snprintf(err, GN_PROJECT_ERR_LEN, __VA_ARGS__), false)

static bool run_sql(struct gn_project *p, const char *sql, char *err)
{
    if (sqlite3_exec(p->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return REFUSE("%.80s: %s", sql, sqlite3_errmsg(p->db));
}

/* ---- binding: integers in the order of the parameters ---- */

static void bind(sqlite3_stmt *s, int from, const int64_t *values, int n)
{
    for (int i = 0; i < n; i++)
        (void)sqlite3_bind_int64(s, from + i, values[i]);
}

static void step(struct gn_project *p, enum statement which)
{
    if (sqlite3_step(p->stmt[which]) != SQLITE_DONE)
        p->failed = true;
    (void)sqlite3_reset(p->stmt[which]);
}

static void bind_i128(sqlite3_stmt *s, int at, gn_i128 value)
{
    char text[48];
    char *c = text + sizeof text;
    const bool minus = value < 0;
    unsigned __int128 u = minus ? -(unsigned __int128)value : (unsigned __int128)value;
    do {
        *--c = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u != 0);
    if (minus)
        *--c = '-';
    (void)sqlite3_bind_text(s, at, c, (int)(text + sizeof text - c), SQLITE_TRANSIENT);
}

/* ---- rows ---- */

static void put_new(struct gn_project *p, const struct gn_journal_item *item, const struct gn_ev_order *e)
{
    const int64_t v[] = {(int64_t)e->order_id,   (int64_t)item->segment->rings_id, (int64_t)e->intent.tick_seq,
                         (int64_t)e->intent.tag, (int64_t)item->rec->time_ns,      (int64_t)item->rec->time_ns};
    bind(p->stmt[PUT_NEW], 1, v, GN_ARRAY_LEN(v));
    step(p, PUT_NEW);
}

static void put_exec(struct gn_project *p, const struct gn_journal_item *item, const struct gn_exec *e)
{
    static const char *const kinds[] = {
        [GN_EXEC_FILLED] = "filled", [GN_EXEC_BROKEN] = "broken", [GN_EXEC_CORRECTED] = "corrected"};
    const int64_t changed[] = {(int64_t)e->order_id, (int64_t)item->rec->time_ns};
    bind(p->stmt[PUT_CHANGED], 1, changed, GN_ARRAY_LEN(changed));
    step(p, PUT_CHANGED);
    if (e->kind >= GN_ARRAY_LEN(kinds) || kinds[e->kind] == NULL)
        return;
    const int64_t v[] = {(int64_t)item->segment->rings_id,
                         item->rec->source,
                         (int64_t)item->rec->seq,
                         (int64_t)item->rec->time_ns,
                         (int64_t)e->order_id,
                         e->instrument,
                         e->strategy,
                         e->session,
                         e->side,
                         e->qty,
                         e->price,
                         (int64_t)e->match,
                         e->liquidity};
    bind(p->stmt[PUT_FILL], 1, v, GN_ARRAY_LEN(v));
    (void)sqlite3_bind_text(p->stmt[PUT_FILL], GN_ARRAY_LEN(v) + 1, kinds[e->kind], -1, SQLITE_STATIC);
    step(p, PUT_FILL);
}

static void put_alert(struct gn_project *p, const struct gn_journal_item *item, const struct gn_ev_alert *e)
{
    const int64_t v[] = {(int64_t)item->segment->rings_id, item->rec->source, (int64_t)item->rec->seq,
                         (int64_t)item->rec->time_ns,      e->code,           e->severity};
    bind(p->stmt[PUT_ALERT], 1, v, GN_ARRAY_LEN(v));
    (void)sqlite3_bind_text(p->stmt[PUT_ALERT], GN_ARRAY_LEN(v) + 1, e->text, (int)strnlen(e->text, sizeof e->text),
                            SQLITE_TRANSIENT);
    step(p, PUT_ALERT);
}

/* What a record adds by itself; the rest follows from the state. */
static void put_record(struct gn_project *p, const struct gn_journal_item *item)
{
    const void *e = item->payload;
    const struct gn_ev_order *order = e;
    switch (item->rec->type) {
    case GN_EV_ORDER:
        if (item->payload_bytes >= sizeof *order && order->verdict == 0 && order->order_id != 0 &&
            (order->intent.action == GN_ACTION_NEW || order->intent.action == GN_ACTION_REPLACE))
            put_new(p, item, order);
        break;
    case GN_EV_EXEC:
        if (item->payload_bytes >= sizeof(struct gn_ev_exec))
            put_exec(p, item, e);
        break;
    case GN_EV_ALERT:
        if (item->payload_bytes >= sizeof(struct gn_ev_alert))
            put_alert(p, item, e);
        break;
    default:
        break;
    }
}

static void put_order(struct gn_project *p, const struct gn_jstate_order *o)
{
    const int64_t v[] = {(int64_t)o->id, (int64_t)o->prev, o->instrument, o->strategy, o->session, o->side,
                         o->tif,         o->user_ref,      o->price,      o->qty,      o->leaves,  o->cum};
    bind(p->stmt[PUT_ORDER], 1, v, GN_ARRAY_LEN(v));
    (void)sqlite3_bind_text(p->stmt[PUT_ORDER], GN_ARRAY_LEN(v) + 1, gn_order_state_name(o->state), -1, SQLITE_STATIC);
    step(p, PUT_ORDER);
}

static void put_position(struct gn_project *p, uint64_t rings_id, uint32_t i, const struct gn_position *k)
{
    sqlite3_stmt *s = p->stmt[PUT_POSITION];
    const int64_t head[] = {(int64_t)rings_id, i, k->qty, k->bought, k->sold};
    const int64_t tail[] = {(int64_t)k->fills, k->open_buy, k->open_sell, k->open_orders};
    bind(s, 1, head, GN_ARRAY_LEN(head));
    bind_i128(s, 6, k->buy_value);
    bind_i128(s, 7, k->sell_value);
    bind(s, 8, tail, GN_ARRAY_LEN(tail));
    step(p, PUT_POSITION);
}

/* Rows of all that the state changed since it was asked last. */
static void put_changed(struct gn_project *p)
{
    struct gn_jstate_totals t;
    const struct gn_jstate_order *o;
    uint32_t at = 0;
    while ((o = gn_jstate_changed(p->state, &at)) != NULL)
        put_order(p, o);
    gn_jstate_totals(p->state, &t);
    for (uint32_t i = 0; i < t.positions; i++) {
        const struct gn_position *k = gn_jstate_position(p->state, i);
        if (k->sent != 0 || k->fills != 0)
            put_position(p, t.rings_id, i, k);
    }
}

/* ---- transactions ---- */

static void put_state(struct gn_project *p)
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&bytes, &n);
    bool ok = f != NULL && gn_jstate_save(p->state, f);
    if (f != NULL)
        ok = fclose(f) == 0 && ok;
    p->failed = p->failed || !ok;
    (void)sqlite3_bind_blob64(p->stmt[PUT_STATE], 1, bytes, n, SQLITE_TRANSIENT);
    step(p, PUT_STATE);
    free(bytes);
    p->since_state = 0;
}

static void put_progress(struct gn_project *p)
{
    sqlite3_stmt *s = p->stmt[PUT_PROGRESS];
    const struct gn_journal_reader *r = p->reader;
    const int64_t v[] = {(int64_t)r->segment->number, (int64_t)r->batch_seq - 1, (int64_t)p->rings_id};
    bind(s, 1, v, GN_ARRAY_LEN(v));
    (void)sqlite3_bind_blob(s, 4, p->last_seq, sizeof p->last_seq, SQLITE_TRANSIENT);
    (void)sqlite3_bind_blob(s, 5, r->chain, sizeof r->chain, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int64(s, 6, (int64_t)p->records);
    step(p, PUT_PROGRESS);
}

/* Only between two batches: the hash is of the last one whose records are all in. */
static bool commit(struct gn_project *p, bool with_state, char *err)
{
    put_changed(p);
    put_progress(p);
    if (with_state || p->since_state >= SNAPSHOT_RECORDS)
        put_state(p);
    p->since_commit = 0;
    if (!p->failed)
        return run_sql(p, "COMMIT", err) && run_sql(p, "BEGIN IMMEDIATE", err);
    return REFUSE("the database refused a row: %s", sqlite3_errmsg(p->db));
}

/* ---- records ---- */

/* True when the tables have the record already. */
static bool is_old(const struct gn_project *p, const struct gn_journal_item *item)
{
    return item->segment->rings_id == p->rings_id && item->rec->seq <= p->last_seq[item->rec->source];
}

/* Rings laid out anew: what the state of the old ones still owes is written before it is dropped. */
static void new_rings(struct gn_project *p, uint64_t rings_id)
{
    put_changed(p);
    p->rings_id = rings_id;
    memset(p->last_seq, 0, sizeof p->last_seq);
}

static bool take(struct gn_project *p, const struct gn_journal_item *item, char *err)
{
    const uint64_t rings_id = item->segment->rings_id;
    const uint8_t source = item->rec->source;
    const bool old = is_old(p, item);
    const bool gap = (item->segment->flags & GN_JOURNAL_SEGMENT_GAP) != 0 && rings_id == p->state->rings_id;
    if (gap && item->rec->seq > p->state->last_seq[source] + 1) /* an accepted loss, which the journal itself names */
        p->state->last_seq[source] = item->rec->seq - 1;
    /* while the state catches up with the tables, rings that the tables left behind are not new ones */
    if (rings_id != p->rings_id && !old && p->met)
        new_rings(p, rings_id);
    int rc = gn_jstate_apply(p->state, item->rec, item->payload, item->payload_bytes, rings_id);
    if (rc == GN_JOURNAL_ERR_SEQ)
        return REFUSE("segment %" PRIu64 ": ring %u has no record before %" PRIu64
                      ": older segments were deleted, and this projection was not made while they were there",
                      item->segment->number, item->rec->source, item->rec->seq);
    if (rc != GN_JOURNAL_OK)
        return REFUSE("segment %" PRIu64 ": %s", item->segment->number, gn_journal_strerror(rc));
    p->state->segment = item->segment->number;
    if (old || !p->met)
        return true;
    put_record(p, item);
    p->last_seq[source] = item->rec->seq;
    p->records++;
    p->since_commit++;
    p->since_state++;
    return true;
}

static int64_t refuse(char *err, const char *what)
{
    snprintf(err, GN_PROJECT_ERR_LEN, "%s", what);
    return -1;
}

int64_t gn_project_run(struct gn_project *p, char err[GN_PROJECT_ERR_LEN])
{
    struct gn_journal_item item;
    const uint64_t before = p->records;
    int rc = gn_journal_reader_resume(p->reader);
    while (rc == GN_JOURNAL_OK) {
        /* the batch that the tables ended with: is it the same? */
        if (!p->met && p->reader->started && p->reader->rec_left == 0 && p->reader->batch_seq == p->batch + 1) {
            if (memcmp(p->reader->chain, p->chain, sizeof p->chain) != 0)
                return refuse(err, "the journal is another one than the projection was made from");
            p->met = true;
        }
        if (p->reader->rec_left == 0 && p->since_commit >= COMMIT_RECORDS && !commit(p, false, err))
            return -1;
        rc = p->reader->rec_left != 0 ? gn_jr_record(p->reader, &item) : 0;
        if (rc == 0) {
            rc = gn_jr_batch(p->reader);
            if (rc == 0)
                break;
            rc = rc < 0 ? rc : GN_JOURNAL_OK;
            continue;
        }
        if (rc == 1)
            rc = take(p, &item, err) ? GN_JOURNAL_OK : -1;
        if (rc != GN_JOURNAL_OK && p->reader->err == GN_JOURNAL_OK)
            return -1;
    }
    if (rc < 0)
        return refuse(err, p->reader->finding.reason);
    if (!p->met)
        return refuse(err, "the journal ends before what the projection has: its tail was lost");
    if (p->reader->started && p->since_commit != 0 && !commit(p, false, err))
        return -1;
    return (int64_t)(p->records - before);
}

/* ---- open ---- */

static bool take_blob(sqlite3_stmt *s, int column, void *out, int bytes)
{
    if (sqlite3_column_bytes(s, column) != bytes)
        return false;
    memcpy(out, sqlite3_column_blob(s, column), (size_t)bytes);
    return true;
}

/* The state that the tables stand for, or an earlier one; 0 when the row is of no use. */
static bool load_state(struct gn_project *p, sqlite3_stmt *s)
{
    const int n = sqlite3_column_bytes(s, 6);
    if (n == 0)
        return true; /* from the first record on */
    FILE *f = fmemopen((void *)(uintptr_t)sqlite3_column_blob(s, 6), (size_t)n, "r");
    const bool ok = f != NULL && gn_jstate_load(p->state, f);
    if (f != NULL)
        (void)fclose(f);
    return ok;
}

static bool load_progress(struct gn_project *p, char *why)
{
    sqlite3_stmt *s;
    bool ok = true;
    if (sqlite3_prepare_v2(p->db, "SELECT segment, batch, rings_id, last_seq, chain, records, state FROM progress", -1,
                           &s, NULL) != SQLITE_OK)
        return snprintf(why, GN_PROJECT_ERR_LEN, "its tables are of another version"), false;
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 1) != 0) {
        p->batch = (uint64_t)sqlite3_column_int64(s, 1);
        p->rings_id = (uint64_t)sqlite3_column_int64(s, 2);
        p->records = (uint64_t)sqlite3_column_int64(s, 5);
        ok = take_blob(s, 3, p->last_seq, sizeof p->last_seq) && take_blob(s, 4, p->chain, sizeof p->chain) &&
             load_state(p, s);
        p->met = false;
    }
    (void)sqlite3_finalize(s);
    if (!ok)
        snprintf(why, GN_PROJECT_ERR_LEN, "its record of how far it came is damaged");
    return ok;
}

static bool open_reader(struct gn_project *p, const char *dir, char *why)
{
    struct gn_journal_finding finding;
    struct gn_jstate_totals t;
    gn_jstate_totals(p->state, &t);
    int rc = gn_journal_reader_open(&p->reader, dir, NULL, &finding);
    if (rc == GN_JOURNAL_OK && t.segment != 0)
        rc = gn_journal_reader_seek(p->reader, t.segment);
    if (rc != GN_JOURNAL_OK)
        snprintf(why, GN_PROJECT_ERR_LEN, "%.200s: %s", dir, gn_journal_strerror(rc));
    return rc == GN_JOURNAL_OK;
}

static bool prepare(struct gn_project *p, char *err)
{
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v2(p->db, statements[i], -1, &p->stmt[i], NULL) != SQLITE_OK)
            return REFUSE("%s", sqlite3_errmsg(p->db));
    return true;
}

/* Everything as if nothing had ever been projected. */
static bool wipe(struct gn_project *p, char *err)
{
    gn_jstate_free(p->state);
    p->state = gn_jstate_new();
    p->met = true;
    p->rings_id = p->records = p->batch = 0;
    memset(p->last_seq, 0, sizeof p->last_seq);
    if (p->state == NULL)
        return REFUSE("out of memory");
    gn_jstate_track(p->state);
    return run_sql(p,
                   "DROP TABLE IF EXISTS progress; DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS fills;"
                   "DROP TABLE IF EXISTS positions; DROP TABLE IF EXISTS alerts;",
                   err) &&
           run_sql(p, schema, err) && run_sql(p, "INSERT INTO progress(one, batch) VALUES(1, 0)", err);
}

/* The journal must have, unchanged, the batch that the tables ended with. */
static bool catch_up(struct gn_project *p, char *why)
{
    if (p->met)
        return true;
    return gn_project_run(p, why) >= 0;
}

static void forget_reader(struct gn_project *p)
{
    if (p->reader != NULL)
        gn_journal_reader_close(p->reader);
    p->reader = NULL;
}

static bool start(struct gn_project *p, const char *dir, bool rebuild, char *said, char *err)
{
    char why[GN_PROJECT_ERR_LEN] = "";
    if (!run_sql(p, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000; BEGIN IMMEDIATE",
                 err) ||
        !run_sql(p, schema, err) || !run_sql(p, "INSERT OR IGNORE INTO progress(one, batch) VALUES(1, 0)", err))
        return false;
    p->met = true;
    p->state = gn_jstate_new();
    if (p->state == NULL)
        return REFUSE("out of memory");
    gn_jstate_track(p->state);
    if (!rebuild && prepare(p, why) && load_progress(p, why) && open_reader(p, dir, why) && catch_up(p, why))
        return true;
    if (!rebuild)
        snprintf(said, GN_PROJECT_ERR_LEN, "built anew: %.400s", why);
    for (int i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(p->stmt[i]);
        p->stmt[i] = NULL;
    }
    forget_reader(p);
    p->failed = false;
    p->since_commit = p->since_state = 0;
    if (!run_sql(p, "ROLLBACK; BEGIN IMMEDIATE", err) || !wipe(p, err) || !prepare(p, err))
        return false;
    return open_reader(p, dir, err);
}

struct gn_project *gn_project_open(const char *db, const char *journal_dir, bool rebuild, char said[GN_PROJECT_ERR_LEN],
                                   char err[GN_PROJECT_ERR_LEN])
{
    struct gn_project *p = calloc(1, sizeof *p);
    said[0] = 0;
    if (p == NULL || sqlite3_open(db, &p->db) != SQLITE_OK) {
        snprintf(err, GN_PROJECT_ERR_LEN, "%.300s: %s", db, p != NULL ? sqlite3_errmsg(p->db) : "out of memory");
        gn_project_close(p);
        return NULL;
    }
    if (start(p, journal_dir, rebuild, said, err))
        return p;
    gn_project_close(p);
    return NULL;
}

void gn_project_close(struct gn_project *p)
{
    char err[GN_PROJECT_ERR_LEN];
    if (p == NULL)
        return;
    /* the last state spares the next run the way from the one before */
    if (p->reader != NULL && p->reader->started && p->met && !p->failed && p->since_state != 0 && p->since_commit == 0)
        if (commit(p, true, err))
            (void)run_sql(p, "COMMIT", err);
    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(p->stmt[i]);
    forget_reader(p);
    (void)sqlite3_close(p->db);
    gn_jstate_free(p->state);
    free(p);
}
