/* Commands that operate: flatten, sessions, feed. */
#include <stdio.h>

#include "controlplane/admin/commands.h"
#include "controlplane/admin/view.h"
#include "controlplane/kill/kill.h"
#include "dataplane/abi/names.h"

#define WAIT_STEPS 500u /* of 2 ms: how long the answer of a lcore is waited for */

json_t *gn_admin_flatten(struct gn_appliance *a, const struct gn_call *call)
{
    char err[GN_KILL_ERR_LEN];
    uint32_t scope, index;
    if (!call->authorised)
        return gn_admin_fail("a flatten needs authority");
    if (!gn_admin_scope(a, call->request, &scope, &index, err, sizeof err) ||
        !gn_flatten_begin(a, scope, index, call->who, gn_admin_text(call->request, "why", "flatten"), err, sizeof err))
        return gn_admin_fail(err);
    return json_pack("{s:b, s:s, s:s}", "ok", 1, "flatten", gn_flatten_name(a->flatten.state), "scope",
                     gn_scope_name(scope));
}

json_t *gn_admin_flatten_status(struct gn_appliance *a, const struct gn_call *call)
{
    const struct gn_flatten *f = &a->flatten;
    struct gn_view v = {.plane = &a->plane, .observe = &a->observe, .now_ns = gn_now_ns()};
    json_t *rows = json_array();
    (void)call;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct gn_flatten_row *r = &f->row[i];
        char symbol[9];
        gn_view_symbol(&v, r->instrument, symbol);
        json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:I, s:s}", "symbol", symbol, "before",
                                              (json_int_t)r->before, "now", (json_int_t)r->now, "orders",
                                              (json_int_t)r->orders, "why", r->now != 0 ? r->why : ""));
    }
    uint64_t until = f->state == GN_FLATTEN_ENDED ? f->ended_ns : v.now_ns;
    return json_pack("{s:b, s:s, s:s, s:s, s:I, s:I, s:s, s:o}", "ok", 1, "flatten", gn_flatten_name(f->state), "scope",
                     gn_scope_name(f->scope), "who", f->who, "took_ms",
                     (json_int_t)(f->state == GN_FLATTEN_IDLE ? 0 : (until - f->begun_ns) / 1000000), "stays",
                     (json_int_t)f->stays, "why", f->why, "positions", rows);
}

/* A lcore answers within its turn: this waits for it, bounded, and holds up the admin socket no longer than a change of
 * limits does. */
static uint32_t do_now(struct gn_appliance *a, const struct gn_command *c, int64_t value[4])
{
    struct gn_ticket t;
    uint32_t result = 0;
    if (!gn_hands_ask(&a->hands, c, &t))
        return 0;
    for (uint32_t i = 0; i < WAIT_STEPS && result == 0; i++) {
        result = gn_hands_read(&a->hands, &t, value);
        if (result == 0)
            gn_appliance_pause_ms(2);
    }
    gn_hands_drop(&a->hands, &t);
    return result;
}

json_t *gn_admin_session_reconnect(struct gn_appliance *a, const struct gn_call *call)
{
    const char *name = gn_admin_text(call->request, "name", "");
    char err[GN_APPLIANCE_ERR_LEN];
    int64_t value[4];
    uint32_t i = 0;
    while (i < a->conf->n_sessions && strcmp(a->conf->session[i].name, name) != 0)
        i++;
    if (i == a->conf->n_sessions)
        return gn_admin_failf("there is no session \"%.32s\"; status lists them", name);
    if (!gn_appliance_new_password(a, i, err))
        return gn_admin_failf("the password cannot be read again: %.400s", err);
    struct gn_command c = {.kind = GN_COMMAND_RECONNECT, .index = i};
    switch (do_now(a, &c, value)) {
    case GN_COMMAND_DONE:
        return json_pack("{s:b, s:s, s:s}", "ok", 1, "session", name, "state", "connecting");
    case GN_COMMAND_REFUSED:
        return gn_admin_failf("session %s is %s: only one that is refused or ended is connected by hand", name,
                              gn_session_state_name((uint32_t)value[0]));
    default:
        return gn_admin_fail("the data plane does not answer: see status");
    }
}

json_t *gn_admin_feed_rebuild(struct gn_appliance *a, const struct gn_call *call)
{
    struct gn_command c = {.kind = GN_COMMAND_REBUILD};
    int64_t value[4];
    (void)call;
    if (do_now(a, &c, value) != GN_COMMAND_DONE)
        return gn_admin_fail("the data plane does not answer: see status");
    return json_pack("{s:b, s:s}", "ok", 1, "feed",
                     "books are empty; the whole day is asked for again: status shows when "
                     "the feed is current");
}
