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

GN_TEST_MAIN("hostile", {"texts that are cut", texts_that_are_cut})
