/* What reaches the control plane from outside: texts that are no texts, clients that send much and go, numbers that
 * another process wrote.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controlplane/admin/server.h"
#include "tests/unit/controlplane/fixture.h"

/* 40 two-byte characters behind one byte: every field cuts within one. */
static const char *umlauts(void)
{
    static char out[82] = "x";
    for (size_t i = 0; i < 40; i++)
        memcpy(out + 1 + 2 * i, "\xc3\xa4", 2);
    return out;
}

static void texts_that_are_cut(void)
{
    struct fixture *f = fixture_open(NULL);
    size_t i, named = 0;
    const json_t *k;
    json_t *r =
        fixture_ask(f, "{s:s, s:s, s:s, s:s}", "cmd", "kill", "who", umlauts(), "why", umlauts(), "level", "halted");
    CU_ASSERT_TRUE(fixture_ok(r));
    gn_appliance_alert(&f->a, GN_ALERT_KILL, 1, "cut \xc3");
    r = fixture_ask(f, "{s:s}", "cmd", "alerts");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(r, "alerts")), f->a.alerts.total); /* none is missing */
    json_decref(r);
    struct gn_kill_record other = {
        .level = GN_LADDER_KILLED, .scope = GN_SCOPE_STRATEGY, .who = "\x1b[2J\xff", .why = "\x80"};
    gn_kill_note(f->a.control, GN_KILL_BY_OPERATOR, &other); /* as another process may write it */
    gn_kill_raise(&f->a.control->kill_strategy[0], GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    r = fixture_ask(f, "{s:s}", "cmd", "status");
    json_array_foreach(json_object_get(json_object_get(r, "status"), "kill"), i, k)
    {
        const char *who = gn_admin_text(k, "who", "");
        named += who[0] != 0 && gn_admin_text(k, "why", "")[0] != 0;
        CU_ASSERT_PTR_NULL(strchr(who, '\x1b'));
    }
    CU_ASSERT_EQUAL(named, 2);
    json_decref(r);
    r = fixture_ask(f, "{s:s, s:s, s:s}", "cmd", "kill", "scope", "strategy", "name", umlauts());
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_error(r), "there is no strategy")); /* an answer, not a hang-up */
    r = fixture_ask(f, "{s:s, s:s, s:s, s:I, s:s}", "cmd", "limit_set", "limit", "max_open_orders", "who", umlauts(),
                    "value", (json_int_t)50, "why", "z");
    CU_ASSERT_TRUE(fixture_ok(r)); /* done, and said so */
    fixture_close(f);
}

/* ---- socket ---- */

static int client_of(const struct gn_admin_server *s)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    memcpy(to.sun_path, s->path, strlen(s->path) + 1);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void give(int fd, const char *text)
{
    CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static uint32_t lines_of(int fd)
{
    static char buf[65536];
    uint32_t n = 0;
    for (ssize_t got; (got = recv(fd, buf, sizeof buf, 0)) > 0;)
        for (ssize_t i = 0; i < got; i++)
            n += buf[i] == '\n';
    return n;
}

static void one_request_a_turn(void)
{
    struct fixture *f = fixture_open(NULL);
    static struct gn_admin_server s;
    char err[GN_APPLIANCE_ERR_LEN];
    CU_ASSERT_TRUE_FATAL(gn_admin_open(&s, f->dir, err));
    int greedy = client_of(&s), quick = client_of(&s);
    gn_admin_poll(&s, &f->a, 0);
    for (uint32_t i = 0; i < 100; i++)
        give(greedy, "{\"cmd\":\"kill_word\"}\n");
    give(quick, "{\"cmd\":\"kill\",\"scope\":\"strategy\",\"name\":\"mm\"}\n{\"cmd\":\"kill\"}\n");
    close(quick); /* he does not wait for the answer */
    gn_admin_poll(&s, &f->a, 0);
    CU_ASSERT_EQUAL(lines_of(greedy), 1);
    CU_ASSERT_EQUAL(gn_kill_level(f->a.control->kill_strategy[0]), GN_LADDER_KILLED);
    for (uint32_t i = 0; i < 99; i++) {
        uint64_t before = gn_now_ns();
        gn_admin_poll(&s, &f->a, 10000); /* what waits is answered at once */
        CU_ASSERT_TRUE(gn_now_ns() - before < 5000000000ull);
    }
    CU_ASSERT_EQUAL(lines_of(greedy), 99);
    close(greedy);
    gn_admin_close(&s);
    fixture_close(f);
}

static void a_line_without_end(void)
{
    struct fixture *f = fixture_open(NULL);
    static struct gn_admin_server s;
    static char much[GN_ADMIN_LINE_MAX + 1];
    char err[GN_APPLIANCE_ERR_LEN], said[256] = "";
    CU_ASSERT_TRUE_FATAL(gn_admin_open(&s, f->dir, err));
    int fd = client_of(&s);
    gn_admin_poll(&s, &f->a, 0);
    memset(much, 'x', GN_ADMIN_LINE_MAX);
    give(fd, much);
    for (uint32_t i = 0; i < 4; i++)
        gn_admin_poll(&s, &f->a, 0);
    CU_ASSERT_TRUE(recv(fd, said, sizeof said - 1, 0) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "64 KiB"));
    CU_ASSERT_EQUAL(recv(fd, said, sizeof said, 0), 0); /* and it was hung up */
    close(fd);
    gn_admin_close(&s);
    fixture_close(f);
}

/* ---- what another process wrote ---- */

static void the_configuration_is_ours(void)
{
    struct fixture *f = fixture_open(NULL);
    struct gn_conf *shared = gn_region_at(&f->a.plane, GN_SECTION_CONF);
    const struct gn_conf was = *shared;
    shared->n_sessions = shared->n_strategies = shared->n_instruments = shared->max_instruments = UINT32_MAX;
    shared->mode = GN_MODE_LIVE;
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "kill")));
    gn_tracker_poll(&f->a.tracker, &f->a, gn_now_ns());
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s}", "cmd", "reconcile")));
    CU_ASSERT_EQUAL(f->a.conf->mode, GN_MODE_MOCK);
    *shared = was;
    fixture_close(f);
}

/* ---- flatten ---- */

static void any_kill_ends_a_flatten(void)
{
    struct fixture *f = fixture_open(NULL);
    char err[256];
    atomic_store(&f->a.control->dataplane.pid, (uint32_t)getpid());
    atomic_store(&f->a.control->dataplane.state, GN_STATE_RUNNING);
    CU_ASSERT_TRUE_FATAL(gn_flatten_begin(&f->a, GN_SCOPE_INSTRUMENT, 0, "anna", "why", err, sizeof err));
    gn_flatten_poll(&f->a, gn_now_ns());
    CU_ASSERT_NOT_EQUAL(f->a.flatten.state, GN_FLATTEN_ENDED);
    CU_ASSERT_TRUE(fixture_ok(fixture_ask(f, "{s:s, s:s, s:s}", "cmd", "kill", "scope", "strategy", "name", "mm")));
    gn_flatten_poll(&f->a, gn_now_ns());
    CU_ASSERT_EQUAL(f->a.flatten.state, GN_FLATTEN_ENDED);
    CU_ASSERT_PTR_NOT_NULL(strstr(f->a.flatten.why, "moved"));
    atomic_store(&f->a.control->dataplane.state, GN_STATE_STOPPED);
    fixture_close(f);
}

GN_TEST_MAIN("hostile", {"texts that are cut", texts_that_are_cut}, {"one request a turn", one_request_a_turn},
             {"a line without end", a_line_without_end}, {"the configuration is ours", the_configuration_is_ours},
             {"any kill ends a flatten", any_kill_ends_a_flatten})
