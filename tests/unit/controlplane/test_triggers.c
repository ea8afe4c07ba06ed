/* What throws the switch by itself: key file, signal, a lcore that stands still, the clock. */
#include <signal.h>
#include <unistd.h>

#include "tests/unit/controlplane/fixture.h"

static uint32_t level(const struct fixture *f)
{
    return gn_kill_level(atomic_load(&f->a.control->kill_all));
}

static struct gn_kill_record record(const struct fixture *f)
{
    struct gn_kill_record r = {.who = "", .why = ""};
    (void)gn_kill_noted(f->a.control, GN_KILL_BY_CONTROLPLANE, GN_SCOPE_ALL, 0, &r);
    return r;
}

static void release(struct fixture *f)
{
    json_t *w = fixture_ask(f, "{s:s}", "cmd", "kill_word");
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s, s:I, s:s, s:s}", "cmd", "release", "word",
                                          json_integer_value(json_object_get(w, "word")), "who", "unit", "why", "on")));
    json_decref(w);
}

static void write_key(const struct fixture *f, const char *text)
{
    FILE *k = fopen(f->triggers.key_path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(k);
    fputs(text, k);
    fclose(k);
}

static void key_file(void)
{
    struct fixture *f = fixture_open(NULL);
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_ACTIVE);
    write_key(f, "");
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    CU_ASSERT_STRING_EQUAL(record(f).why, "no reason in the file");
    uint64_t word = atomic_load(&f->a.control->kill_all);
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_EQUAL(atomic_load(&f->a.control->kill_all), word); /* once */
    write_key(f, "smoke\x01 in the rack\nsecond line");
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_STRING_EQUAL(record(f).why, "smoke? in the rack");
    CU_ASSERT_EQUAL(strncmp(record(f).who, "key file of uid", 15), 0);
    CU_ASSERT_EQUAL(atomic_load(&f->a.control->kill_all), word);
    json_t *r =
        fixture_ask(f, "{s:s, s:I, s:s, s:s}", "cmd", "release", "word", (json_int_t)word, "who", "unit", "why", "x");
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(r), "remove it first"));
    unlink(f->triggers.key_path);
    gn_triggers_poll(&f->triggers, &f->a);
    release(f);
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_ACTIVE);
    write_key(f, "again"); /* a new key throws again */
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    fixture_again(f); /* a key that lies there at the start: nothing trades under it */
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    fixture_close(f);
}

static void a_signal(void)
{
    struct fixture *f = fixture_open(NULL);
    gn_triggers_catch();
    raise(SIGUSR1);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_ACTIVE); /* the handler itself does nothing */
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    CU_ASSERT_STRING_EQUAL(record(f).who, "signal");
    release(f);
    gn_triggers_poll(&f->triggers, &f->a);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_ACTIVE);
    fixture_close(f);
}

/* turns: the lcore makes turns while we look for 150 ms, three times the limit. */
static uint32_t after_looking(struct fixture *f, bool turns)
{
    for (uint32_t i = 0; i < 15; i++) {
        if (turns)
            atomic_fetch_add(&f->a.control->lcore[0].loops, 1);
        usleep(10000);
        gn_triggers_poll(&f->triggers, &f->a);
    }
    return level(f);
}

static void a_lcore_stands_still(void)
{
    struct fixture *f = fixture_open(NULL);
    CU_ASSERT_EQUAL(after_looking(f, false), GN_LADDER_ACTIVE); /* there is no data plane */
    atomic_store(&f->a.control->dataplane.pid, (uint32_t)getpid());
    atomic_store(&f->a.control->dataplane.state, GN_STATE_RUNNING);
    CU_ASSERT_EQUAL(after_looking(f, true), GN_LADDER_ACTIVE);
    CU_ASSERT_EQUAL(after_looking(f, false), GN_LADDER_KILLED);
    CU_ASSERT_PTR_NOT_NULL(strstr(record(f).why, "made no turn"));
    release(f);
    CU_ASSERT_EQUAL(after_looking(f, false), GN_LADDER_ACTIVE); /* the same stall does not throw twice */
    atomic_store(&f->a.control->dataplane.state, GN_STATE_STOPPED);
    fixture_close(f);
}

struct hands {
    uint64_t wall, raw;
    struct gn_clock_sync sync;
};

static uint64_t wall(void *user)
{
    return ((struct hands *)user)->wall;
}

static uint64_t raw(void *user)
{
    return ((struct hands *)user)->raw;
}

static struct gn_clock_sync sync_of(void *user)
{
    return ((struct hands *)user)->sync;
}

static void pass(struct hands *h, uint64_t ns)
{
    h->wall += ns;
    h->raw += ns;
}

static void clock_events(void)
{
    struct hands h = {.wall = 1000000000000ull, .raw = 7, .sync = {.synchronised = true}};
    struct gn_clock_table table = {.user = &h, .realtime_ns = wall, .raw_ns = raw, .sync = sync_of};
    struct gn_duties d = {.clock_step_us = 10000, .clock_max_error_us = 500};
    struct gn_clock_watch w;
    gn_clock_watch_open(&w, &table, &d);
    CU_ASSERT_EQUAL(gn_clock_look(&w), 0);
    for (uint32_t i = 0; i < 1000; i++) { /* slewed by 500 ppm: half a second in all, and no step */
        pass(&h, 1000000000ull);
        h.wall += 500000;
        CU_ASSERT_EQUAL(gn_clock_look(&w), 0);
    }
    pass(&h, 20000000);
    h.wall += 11000000;
    CU_ASSERT_EQUAL(gn_clock_look(&w), GN_CLOCK_STEPPED);
    CU_ASSERT_EQUAL(w.step_ns, 11000000);
    CU_ASSERT_EQUAL(gn_clock_look(&w), 0);
    h.wall -= 3600000000000ull;
    CU_ASSERT_EQUAL(gn_clock_look(&w), GN_CLOCK_STEPPED);
    CU_ASSERT_EQUAL(w.step_ns, -3600000000000ll);
    h.sync.max_error_us = 501;
    CU_ASSERT_EQUAL(gn_clock_look(&w), GN_CLOCK_LOST);
    CU_ASSERT_EQUAL(gn_clock_look(&w), 0);
    h.sync.max_error_us = 500;
    CU_ASSERT_EQUAL(gn_clock_look(&w), GN_CLOCK_BACK);
    h.sync.synchronised = false;
    CU_ASSERT_EQUAL(gn_clock_look(&w), GN_CLOCK_LOST);
}

static uint32_t level_after(const char *policy, struct hands *h, uint64_t step)
{
    struct gn_clock_table table = {.user = h, .realtime_ns = wall, .raw_ns = raw, .sync = sync_of};
    char more[128];
    snprintf(more, sizeof more, "authority: { single_person: true }\nclock: { on_step: %s, on_unsync: %s }\n", policy,
             policy);
    struct fixture *f = fixture_open(more);
    gn_clock_watch_open(&f->triggers.clock, &table, &f->a.loaded.duties);
    gn_triggers_poll(&f->triggers, &f->a);
    h->wall += step;
    gn_triggers_poll(&f->triggers, &f->a);
    uint32_t out = level(f);
    fixture_close(f);
    return out;
}

static void clock_policy(void)
{
    struct hands h = {.wall = 1000000000000ull, .raw = 7, .sync = {.synchronised = true}};
    CU_ASSERT_EQUAL(level_after("alert", &h, 1000000000), GN_LADDER_ACTIVE);
    CU_ASSERT_EQUAL(level_after("halt", &h, 1000000000), GN_LADDER_HALTED);
    CU_ASSERT_EQUAL(level_after("halt", &h, 0), GN_LADDER_ACTIVE);
    h.sync.synchronised = false;
    CU_ASSERT_EQUAL(level_after("ignore", &h, 0), GN_LADDER_ACTIVE);
    CU_ASSERT_EQUAL(level_after("halt", &h, 0), GN_LADDER_HALTED);
}

/* The signal last: it counts in this process from then on. */
GN_TEST_MAIN("triggers", {"key file", key_file}, {"a lcore stands still", a_lcore_stands_still},
             {"clock events", clock_events}, {"clock policy", clock_policy}, {"a signal", a_signal})
