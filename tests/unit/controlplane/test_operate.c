/* What people operate: the order that a flatten would send, tokens, strategies, and the go-live gate. */
#include <time.h>
#include <unistd.h>

#include "tests/unit/controlplane/fixture.h"

static void the_order_that_closes(void)
{
    const struct gn_limits_instrument l = {.set = UINT64_MAX,
                                           .tradable = 1,
                                           .max_qty = 300,
                                           .max_value = 100000000,
                                           .collar_bps = 500,
                                           .max_position = 5000};
    struct gn_tob t = {.bid = 99900, .ask = 100100, .last = 100000};
    struct gn_flatten_order o;
    CU_ASSERT_PTR_NULL(gn_flatten_plan(1000, &l, &t, 100, 1, &o)); /* long: sells, within one order's limit */
    CU_ASSERT_EQUAL(o.side, GN_SIDE_SELL);
    CU_ASSERT_EQUAL(o.qty, 300);
    CU_ASSERT_EQUAL(o.price, 95500); /* 9/10 of 5 % below the middle */
    CU_ASSERT_PTR_NULL(gn_flatten_plan(-7, &l, &t, 100, 1, &o));
    CU_ASSERT_EQUAL(o.side, GN_SIDE_BUY);
    CU_ASSERT_EQUAL(o.qty, 7); /* never more than the position */
    CU_ASSERT_EQUAL(o.price, 104500);
    struct gn_limits_instrument small = l;
    small.max_value = 95500 * 10;
    CU_ASSERT_PTR_NULL(gn_flatten_plan(1000, &small, &t, 100, 1, &o));
    CU_ASSERT_EQUAL(o.qty, 10);
    CU_ASSERT_PTR_NOT_NULL(gn_flatten_plan(5, &l, &t, 100, 10, &o)); /* less than a lot */
    const uint16_t flags[] = {GN_MD_STALE, GN_MD_CROSSED, GN_MD_HALTED};
    for (size_t i = 0; i < GN_ARRAY_LEN(flags); i++) {
        t.flags = (uint8_t)flags[i];
        CU_ASSERT_PTR_NOT_NULL(gn_flatten_plan(1000, &l, &t, 100, 1, &o));
    }
    t = (struct gn_tob){.bid = 90000, .ask = 110000};
    CU_ASSERT_PTR_NOT_NULL(gn_flatten_plan(1000, &l, &t, 100, 1, &o)); /* the other side is outside the collar */
    t = (struct gn_tob){.ask = 100100, .last = 100000};
    CU_ASSERT_PTR_NOT_NULL(gn_flatten_plan(1000, &l, &t, 100, 1, &o)); /* nobody buys */
    t = (struct gn_tob){.flags = 0};
    CU_ASSERT_PTR_NOT_NULL(gn_flatten_plan(1000, &l, &t, 100, 1, &o));
    small.set = 0;
    t = (struct gn_tob){.bid = 99900, .ask = 100100};
    CU_ASSERT_PTR_NOT_NULL(gn_flatten_plan(1000, &small, &t, 100, 1, &o)); /* no limit: no order */
}

static json_t *token(struct fixture *f, const char *verdict)
{
    return fixture_ask(f, "{s:s, s:s, s:s, s:I, s:I, s:[s], s:s, s:s}", "cmd", "override", "symbol", "AA", "side",
                       "sell", "qty", (json_int_t)5, "price", (json_int_t)100, "verdicts", verdict, "who", "anna+bert",
                       "why", "one");
}

static void tokens(void)
{
    struct fixture *f = fixture_open(NULL);
    struct gn_risk *risk = gn_region_at(&f->a.plane, GN_SECTION_RISK);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(token(f, "no_such")), "verdicts"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(token(f, "ok")), "verdicts"));
    CU_ASSERT_TRUE(fixture_ok(token(f, "max_value")));
    const struct gn_override *o = &f->a.control->override[0];
    CU_ASSERT_NOT_EQUAL(atomic_load(&o->armed), 0);
    CU_ASSERT_EQUAL(o->verdicts, 1ull << GN_VERDICT_MAX_VALUE);
    CU_ASSERT_EQUAL(o->side, GN_SIDE_SELL);
    CU_ASSERT_STRING_EQUAL(o->who, "anna");
    CU_ASSERT_STRING_EQUAL(o->other, "bert");
    for (uint32_t i = 1; i < GN_OVERRIDES; i++)
        CU_ASSERT_TRUE(fixture_ok(token(f, "max_qty")));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(token(f, "max_qty")), "every slot"));
    uint64_t first = atomic_load(&o->armed);
    risk->override_used[0] = first; /* the gate took it */
    CU_ASSERT_TRUE(fixture_ok(token(f, "max_qty")));
    CU_ASSERT_TRUE(atomic_load(&o->armed) > first); /* never the same number again */
    f->a.control->override[3].expires_ns = 1;
    CU_ASSERT_TRUE(fixture_ok(token(f, "max_qty")));
    fixture_close(f);
}

static void a_strategy_goes_on(void)
{
    struct fixture *f = fixture_open(NULL);
    struct gn_risk *risk = gn_region_at(&f->a.plane, GN_SECTION_RISK);
#define ENABLE(name) \
    fixture_ask(f, "{s:s, s:s, s:s, s:s}", "cmd", "strategy_enable", "name", name, "who", "x", "why", "y")
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(ENABLE("mm")), "not disabled"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(ENABLE("nobody")), "no strategy"));
    gn_alert_watch_poll(&f->a.watch, &f->a, gn_now_ns());
    atomic_store(&risk->scope[GN_ROW_STRATEGY].disabled, 3);
    gn_alert_watch_poll(&f->a.watch, &f->a, gn_now_ns());
    CU_ASSERT_EQUAL(f->a.alerts.total, 1);
    CU_ASSERT_EQUAL(f->a.alerts.row[0].code, GN_ALERT_STRATEGY);
    CU_ASSERT_EQUAL(f->a.alerts.late, 0);
    CU_ASSERT_TRUE(fixture_ok(ENABLE("mm")));
    CU_ASSERT_EQUAL(atomic_load(&f->a.control->strategy_enabled[0]), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(ENABLE("mm")), "not disabled"));
    fixture_close(f);
}

static void the_gate_to_live(void)
{
    struct fixture *f = fixture_open(NULL);
    json_t *g = fixture_ask(f, "{s:s}", "cmd", "golive"), *k;
    size_t i, failed = 0;
    CU_ASSERT_FALSE(json_is_true(json_object_get(g, "complete")));
    json_array_foreach(json_object_get(g, "items"), i, k)
    {
        bool pass = json_is_true(json_object_get(k, "pass"));
        failed += !pass;
        CU_ASSERT_EQUAL(strlen(gn_admin_text(k, "mend", "")) != 0, !pass); /* what fails says how to mend it */
        CU_ASSERT_TRUE(strlen(gn_admin_text(k, "found", "")) != 0);
    }
    CU_ASSERT_TRUE(failed >= 6); /* mode, persons, data plane, sessions, drills, checklist at least */
    json_decref(g);
    json_t *r = fixture_ask(f, "{s:s, s:s, s:I, s:s, s:s}", "cmd", "arm", "confirm", "unit", "word", (json_int_t)0,
                            "who", "x", "why", "y");
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(r), "not live"));
    fixture_close(f);
}

static bool drills_pass(struct fixture *f)
{
    bool pass = false;
    const json_t *k;
    size_t i;
    json_t *g = fixture_ask(f, "{s:s}", "cmd", "golive");
    json_array_foreach(json_object_get(g, "items"), i, k) pass |=
        strcmp(gn_admin_text(k, "item", ""), "drills") == 0 && json_is_true(json_object_get(k, "pass"));
    json_decref(g);
    return pass;
}

static void write_drills(const char *path, const char *build, time_t at, bool ok)
{
    static const char *const names[] = {"kill_under_load",   "kill_triggers", "control_plane_killed",
                                        "data_plane_killed", "stale_feed",    "venue_disconnect",
                                        "flatten_all",       "two_persons"};
    char started[32];
    struct tm tm;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
    json_t *list = json_array();
    for (size_t i = 0; i < GN_ARRAY_LEN(names); i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "drill", names[i], "build", build, "started",
                                              started, "ok", ok || i != 3));
    CU_ASSERT_EQUAL(json_dump_file(list, path, 0), 0);
    json_decref(list);
}

static void drills_of_this_build(void)
{
    char dir[] = "/tmp/gannet-drills-XXXXXX", more[256], path[64], build[128];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    snprintf(more, sizeof more, "authority: { single_person: true }\ngolive: { drills: %s, drill_age: 1440min }\n",
             dir);
    snprintf(path, sizeof path, "%s/all.json", dir);
    struct fixture *f = fixture_open(more);
    json_t *version = fixture_ask(f, "{s:s}", "cmd", "version");
    snprintf(build, sizeof build, "%s", gn_admin_text(version, "controlplane", ""));
    json_decref(version);
    const time_t now = time(NULL);
    CU_ASSERT_FALSE(drills_pass(f));
    write_drills(path, build, now, true);
    CU_ASSERT_TRUE(drills_pass(f));
    write_drills(path, "another", now, true);
    CU_ASSERT_FALSE(drills_pass(f));
    write_drills(path, build, now - 90000, true); /* older than a day */
    CU_ASSERT_FALSE(drills_pass(f));
    write_drills(path, build, now + 3600, true); /* not yet */
    CU_ASSERT_FALSE(drills_pass(f));
    write_drills(path, build, now, false); /* one failed */
    CU_ASSERT_FALSE(drills_pass(f));
    fixture_close(f);
    unlink(path);
    rmdir(dir);
}

/* A lcore of our own answers, or does not. */
static void answer_queries(struct fixture *f, uint32_t result)
{
    for (uint32_t i = 0; i < GN_COMMAND_SLOTS; i++) {
        struct gn_command *c = &f->a.hands.commands->slot[i];
        if (!gn_command_free(c))
            gn_command_answer(c, atomic_load(&c->asked), result);
    }
}

static void a_kill_is_followed(void)
{
    struct fixture *f = fixture_open(NULL);
    struct gn_tracker *t = &f->a.tracker;
    struct gn_session_row *rows = gn_region_at(&f->a.plane, GN_SECTION_SESSIONS);
    const uint64_t ms = 1000000, begin = gn_now_ns();
    gn_tracker_poll(t, &f->a, begin);
    CU_ASSERT_EQUAL(t->state, GN_TRACKER_IDLE);
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill")));
    for (uint64_t at = 0; at <= 300; at += 100)
        gn_tracker_poll(t, &f->a, begin + at * ms);
    CU_ASSERT_EQUAL(t->state, GN_TRACKER_VERIFIED);
    const struct gn_alert *told = &f->a.alerts.row[f->a.alerts.total - 1];
    CU_ASSERT_PTR_NOT_NULL(strstr(told->text, "nobody was asked")); /* nothing that the venue did not say */
    CU_ASSERT_EQUAL(told->severity, 3);
    rows[0].logins = 1;
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill")));
    uint64_t said = f->a.alerts.total;
    for (uint64_t at = 0; at <= 12000; at += 100) /* the venue does not answer: louder at 1, 3 and 10 s */
        gn_tracker_poll(t, &f->a, begin + at * ms);
    CU_ASSERT_EQUAL(t->state, GN_TRACKER_ASKING);
    CU_ASSERT_EQUAL(f->a.alerts.total, said + 3);
    CU_ASSERT_EQUAL(f->a.alerts.row[said].severity, 3);
    CU_ASSERT_EQUAL(f->a.alerts.row[said + 1].severity, 2);
    CU_ASSERT_EQUAL(f->a.alerts.row[said + 2].severity, 1);
    answer_queries(f, GN_COMMAND_LOST); /* no answer is no word of the venue */
    gn_tracker_poll(t, &f->a, begin + 12060 * ms);
    CU_ASSERT_EQUAL(t->state, GN_TRACKER_ASKING);
    gn_tracker_poll(t, &f->a, begin + 12600 * ms);
    answer_queries(f, GN_COMMAND_DONE);
    gn_tracker_poll(t, &f->a, begin + 12700 * ms);
    CU_ASSERT_EQUAL(t->state, GN_TRACKER_VERIFIED);
    told = &f->a.alerts.row[f->a.alerts.total - 1];
    CU_ASSERT_PTR_NOT_NULL(strstr(told->text, "the venue has answered"));
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill"))); /* thrown again: followed again */
    gn_tracker_poll(t, &f->a, begin + 12800 * ms);
    CU_ASSERT_NOT_EQUAL(t->state, GN_TRACKER_VERIFIED);
    fixture_close(f);
}

static void alert_latency(void)
{
    struct gn_alerts a = {.total = 0};
    for (uint32_t i = 0; i < GN_ALERTS_KEPT + 3; i++)
        gn_alerts_add(&a, GN_ALERT_KILL, 1, 1000, 1000 + i, "text");
    CU_ASSERT_EQUAL(a.total, GN_ALERTS_KEPT + 3);
    CU_ASSERT_EQUAL(a.row[2].number, GN_ALERTS_KEPT + 3);
    CU_ASSERT_EQUAL(a.latency_max_ns, GN_ALERTS_KEPT + 2);
    CU_ASSERT_EQUAL(a.late, 0);
    gn_alerts_add(&a, GN_ALERT_KILL, 1, 0, GN_ALERT_LATE_NS + 1, "late");
    CU_ASSERT_EQUAL(a.late, 1);
    CU_ASSERT_STRING_EQUAL(gn_alert_owner(GN_ALERT_KILL), "risk");
    CU_ASSERT_STRING_EQUAL(gn_alert_name(9999), "other");
}

GN_TEST_MAIN("operate", {"the order that closes", the_order_that_closes}, {"tokens", tokens},
             {"a strategy goes on", a_strategy_goes_on}, {"the gate to live", the_gate_to_live},
             {"drills of this build", drills_of_this_build}, {"a kill is followed", a_kill_is_followed},
             {"alert latency", alert_latency})
