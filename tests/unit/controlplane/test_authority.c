/* Two persons: what one alone cannot do, what a signature is good for, what a restart leaves of it. */
#include <unistd.h>

#include "tests/unit/controlplane/fixture.h"

static json_t *release_request(struct fixture *f, const char *who)
{
    json_t *w = fixture_ask(f, "{s:s}", "cmd", "kill_word");
    json_t *r = json_pack("{s:s, s:I, s:s, s:s}", "cmd", "release", "word",
                          json_integer_value(json_object_get(w, "word")), "who", who, "why", "all is well");
    json_decref(w);
    return r;
}

static json_t *approve_request(struct fixture *f, long long id)
{
    json_t *list = fixture_ask(f, "{s:s}", "cmd", "pending"), *k, *r = NULL;
    size_t i;
    json_array_foreach(json_object_get(list, "pending"), i,
                       k) if (json_integer_value(json_object_get(k, "id")) == id) r =
        json_pack("{s:s, s:I, s:s}", "cmd", "approve", "id", (json_int_t)id, "digest", gn_admin_text(k, "digest", ""));
    json_decref(list);
    return r != NULL ? r : json_pack("{s:s, s:I}", "cmd", "approve", "id", (json_int_t)id);
}

static long long pending_of(json_t *reply)
{
    long long id = (long long)json_integer_value(json_object_get(reply, "pending"));
    json_decref(reply);
    return id;
}

static uint32_t level(const struct fixture *f)
{
    return gn_kill_level(atomic_load(&f->a.control->kill_all));
}

static void kill_is_anybodys_release_is_not(void)
{
    struct fixture *f = fixture_open(fixture_people());
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s, s:s, s:s}", "cmd", "kill", "who", "nobody", "why", "smoke")));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    struct gn_peer peer = {.uid = getuid()};
    json_t *bare = release_request(f, "anna"), *reply = gn_admin_answer(&f->a, bare, &peer);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(reply), "needs a signature"));
    json_decref(bare);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    long long id = pending_of(fixture_sign(f, "carl", release_request(f, "carl")));
    CU_ASSERT_TRUE(id > 0);
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED); /* one person: nothing happened */
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "carl", approve_request(f, id))), "another person"));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    CU_ASSERT_TRUE(fixture_ok(fixture_sign(f, "anna", approve_request(f, id))));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_ACTIVE);
    struct gn_kill_record r;
    CU_ASSERT_TRUE(gn_kill_noted(f->a.control, GN_KILL_BY_CONTROLPLANE, GN_SCOPE_ALL, 0, &r));
    CU_ASSERT_STRING_EQUAL(r.who, "carl+anna"); /* the releasers, not the killer */
    CU_ASSERT_EQUAL(r.level, GN_LADDER_ACTIVE);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(fixture_error(fixture_sign(f, "bert", approve_request(f, id))), "nothing of this number"));
    fixture_close(f);
}

/* What could not be told later is not done. */
static void no_record_no_release(void)
{
    struct fixture *f = fixture_open(fixture_people());
    struct gn_ring *ours = f->a.events, *full = aligned_alloc(GN_GUARD, gn_align_up(gn_ring_footprint(256), GN_GUARD));
    CU_ASSERT_PTR_NOT_NULL_FATAL(full);
    CU_ASSERT_EQUAL_FATAL(gn_ring_new(full, 256, 0), GN_RING_OK);
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s, s:s, s:s}", "cmd", "kill", "who", "nobody", "why", "smoke")));
    long long id = pending_of(fixture_sign(f, "carl", release_request(f, "carl")));
    while (gn_ring_reserve(full, GN_EV_ALERT, 64) != NULL)
        gn_ring_publish(full);
    f->a.events = full;
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "anna", approve_request(f, id))), "journal"));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    f->a.events = ours;
    CU_ASSERT_TRUE(fixture_ok(fixture_sign(f, "anna", approve_request(f, id)))); /* it waits still */
    CU_ASSERT_EQUAL(level(f), GN_LADDER_ACTIVE);
    fixture_close(f);
    free(full);
}

static void the_second_needs_the_role(void)
{
    struct fixture *f = fixture_open(fixture_people());
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill")));
    long long id = pending_of(fixture_sign(f, "anna", release_request(f, "anna")));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "carl", approve_request(f, id))), "role risk"));
    json_t *wrong = approve_request(f, id);
    json_object_set_new(wrong, "digest",
                        json_string("00000000000000000000000000000000"
                                    "00000000000000000000000000000000"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "bert", wrong)), "another one than was signed"));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill"))); /* thrown again while it waited */
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "bert", approve_request(f, id))), "thrown again"));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    fixture_close(f);
}

static void a_signature_counts_once(void)
{
    struct fixture *f = fixture_open(fixture_people());
    struct gn_peer peer = {.uid = getuid()};
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill")));
    json_t *request = release_request(f, "anna");
    json_incref(request);
    long long id = pending_of(fixture_sign(f, "anna", request));
    CU_ASSERT_TRUE(id > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(gn_admin_answer(&f->a, request, &peer)), "used before"));
    json_object_set_new(json_object_get(request, "auth"), "serial", json_integer(1));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(gn_admin_answer(&f->a, request, &peer)), "not the person's"));
    json_decref(request);
    /* bert's signature under anna's name, a changed request, an unknown person */
    request = release_request(f, "bert");
    json_incref(request);
    json_decref(fixture_sign(f, "bert", request));
    json_object_set_new(json_object_get(request, "auth"), "person", json_string("anna"));
    json_object_set_new(json_object_get(request, "auth"), "serial", json_integer(1));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(gn_admin_answer(&f->a, request, &peer)), "not the person's"));
    json_object_set_new(json_object_get(request, "auth"), "person", json_string("nobody"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(gn_admin_answer(&f->a, request, &peer)), "no such person"));
    json_decref(request);
    /* the next life: neither what waited nor a signature of before */
    request = release_request(f, "anna");
    json_incref(request);
    json_decref(fixture_sign(f, "anna", request));
    fixture_again(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(gn_admin_answer(&f->a, request, &peer)), "another life"));
    json_decref(request);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(fixture_error(fixture_sign(f, "bert", approve_request(f, id))), "nothing of this number"));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_KILLED);
    fixture_close(f);
}

static void what_waits_expires(void)
{
    struct fixture *f = fixture_open(fixture_people());
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill")));
    long long id = pending_of(fixture_sign(f, "anna", release_request(f, "anna")));
    json_t *late = approve_request(f, id);
    f->a.authority.pending[0].expires_ns = gn_now_ns();
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "bert", late)), "nothing of this number"));
    gn_admin_expire(&f->a);
    CU_ASSERT_EQUAL(f->a.authority.pending[0].id, 0);
    for (uint32_t i = 0; i < GN_PENDING_MAX; i++)
        CU_ASSERT_TRUE(pending_of(fixture_sign(f, "anna", release_request(f, "anna"))) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "anna", release_request(f, "anna"))), "too many"));
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s, s:I}", "cmd", "withdraw", "id", (json_int_t)(id + 1))));
    CU_ASSERT_TRUE(pending_of(fixture_sign(f, "anna", release_request(f, "anna"))) > 0);
    fixture_close(f);
}

static json_t *limit(const char *symbol, const char *name, long long value, long long old)
{
    json_t *r = json_pack("{s:s, s:s, s:I, s:s*, s:s}", "cmd", "limit_set", "limit", name, "value", (json_int_t)value,
                          "symbol", symbol, "why", "quarterly review");
    if (old >= 0)
        json_object_set_new(r, "old", json_integer(old));
    return r;
}

static long long limit_now(struct fixture *f)
{
    return (long long)gn_limits_row(f->a.limits, gn_limits_current(f->a.limits), 0)->max_qty;
}

static void lowering_needs_one_raising_two(void)
{
    struct fixture *f = fixture_open(fixture_people());
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "o", limit("AA", "max_qty", 400, -1))));
    CU_ASSERT_EQUAL(limit_now(f), 400);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(fixture_error(fixture_ask(f, "o", limit("AA", "max_qty", 500, 400))), "needs a signature"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "anna", limit("AA", "max_qty", 500, -1))), "old:"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(fixture_error(fixture_sign(f, "anna", limit("AA", "max_qty", 500, 1000))), "it is 400 now"));
    long long id = pending_of(fixture_sign(f, "anna", limit("AA", "max_qty", 500, 400)));
    CU_ASSERT_EQUAL(limit_now(f), 400);
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "o", limit("AA", "max_qty", 100, -1)))); /* lowered while it waited */
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(fixture_sign(f, "bert", approve_request(f, id))), "it is 100 now"));
    CU_ASSERT_EQUAL(limit_now(f), 100);
    id = pending_of(fixture_sign(f, "anna", limit("AA", "max_qty", 500, 100)));
    CU_ASSERT_TRUE(fixture_ok(fixture_sign(f, "bert", approve_request(f, id))));
    CU_ASSERT_EQUAL(limit_now(f), 500);
    fixture_close(f);
}

static void one_person_by_configuration(void)
{
    struct fixture *f = fixture_open(NULL);
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill")));
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "o", release_request(f, "trial"))));
    CU_ASSERT_EQUAL(level(f), GN_LADDER_ACTIVE);
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "o", limit("AA", "max_qty", 2000, -1))));
    json_t *s = fixture_ask(f, "{s:s}", "cmd", "status");
    const json_t *who = json_object_get(json_object_get(s, "status"), "authority");
    CU_ASSERT_PTR_NOT_NULL(strstr(gn_admin_text(who, "persons", ""), "one, unsigned"));
    json_decref(s);
    fixture_close(f);
}

/* The command's own time is taken only when it can be true. */
static void the_time_of_a_kill(void)
{
    struct fixture *f = fixture_open(NULL);
    const long long offsets[] = {0, -30000000000ll, 3600000000000ll, -3600000000000ll};
    for (size_t i = 0; i < GN_ARRAY_LEN(offsets); i++) {
        uint64_t now = gn_now_ns();
        json_int_t at = (json_int_t)now + offsets[i];
        json_t *r = fixture_ask(f, "{s:s, s:I}", "cmd", "kill", "at_ns", at);
        json_int_t set = json_integer_value(json_object_get(r, "set_ns"));
        if (i < 2)
            CU_ASSERT_EQUAL(set, at)
        else
            CU_ASSERT_TRUE(set >= (json_int_t)now && set < (json_int_t)now + 10000000000ll);
        json_decref(r);
    }
    fixture_close(f);
}

GN_TEST_MAIN("authority", {"kill is anybody's, release is not", kill_is_anybodys_release_is_not},
             {"no record, no release", no_record_no_release}, {"the second needs the role", the_second_needs_the_role},
             {"a signature counts once", a_signature_counts_once}, {"what waits expires", what_waits_expires},
             {"lowering needs one, raising two", lowering_needs_one_raising_two},
             {"one person by configuration", one_person_by_configuration}, {"the time of a kill", the_time_of_a_kill})
