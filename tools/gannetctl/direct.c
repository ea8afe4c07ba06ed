/* Without a control plane: the shared files themselves. Looking maps them read-only; killing writes one word and its
 * record, which the gate reads before every order.
 */
#include <stdlib.h>

#include "controlplane/admin/view.h"
#include "controlplane/kill/kill.h"
#include "tools/gannetctl/ctl.h"

static bool attach(const struct gn_ctl *c, bool writable, struct gn_region *plane, struct gn_region *observe)
{
    char path[2 * GN_PATH_MAX], err[GN_REGION_ERR_LEN];
    snprintf(path, sizeof path, "%s/plane", c->run_dir);
    if (gn_region_attach(path, GN_REGION_PLANE, writable, NULL, plane, err) != 0) {
        fprintf(stderr, "gannetctl: %s\n", err);
        return false;
    }
    if (observe == NULL)
        return true;
    if (gn_region_path(gn_region_at(plane, GN_SECTION_CONF), "observe", path, sizeof path) &&
        gn_region_attach(path, GN_REGION_OBSERVE, false, NULL, observe, err) == 0)
        return true;
    fprintf(stderr, "gannetctl: %s\n", err);
    gn_region_detach(plane);
    return false;
}

bool gn_ctl_attach(const struct gn_ctl *c, struct gn_region *plane, struct gn_region *observe)
{
    return attach(c, false, plane, observe);
}

json_t *gn_ctl_direct(const struct gn_ctl *c, const char *what)
{
    static const struct {
        const char *name;
        json_t *(*view)(const struct gn_view *v);
    } views[] = {{"status", gn_view_status},
                 {"positions", gn_view_positions},
                 {"books", gn_view_books},
                 {"limits", gn_view_limits},
                 {"metrics", gn_view_metrics}};
    struct gn_region plane, observe;
    json_t *found = NULL;
    if (!attach(c, false, &plane, &observe))
        return NULL;
    struct gn_view v = {.plane = &plane, .observe = &observe, .now_ns = (uint64_t)gn_ctl_wall_ns()};
    for (uint32_t i = 0; i < GN_ARRAY_LEN(views); i++)
        if (strcmp(views[i].name, what) == 0)
            found = views[i].view(&v);
    if (strcmp(what, "orders") == 0)
        found = gn_view_orders(&v, false);
    gn_region_detach(&observe);
    gn_region_detach(&plane);
    return found == NULL ? NULL
                         : json_pack("{s:b, s:s, s:o}", "ok", 1, "source",
                                     c->direct ? "shared memory" : "shared memory: the control plane does not answer",
                                     what, found);
}

int gn_ctl_kill_direct(const struct gn_ctl *c, const char *level, const char *why)
{
    char err[GN_KILL_ERR_LEN];
    struct gn_region plane;
    int step = gn_ladder_parse(level);
    if (step < GN_LADDER_THROTTLED) {
        fprintf(stderr, "gannetctl: level: found \"%s\", allowed: throttled, reduce_only, halted, killed\n", level);
        return EXIT_FAILURE;
    }
    if (!attach(c, true, &plane, NULL))
        return EXIT_FAILURE;
    struct gn_kill_request r = {
        .scope = GN_SCOPE_ALL,
        .level = (uint32_t)step,
        .who = c->who,
        .why = why,
        .now_ns = (uint64_t)gn_ctl_wall_ns(),
    };
    uint64_t word = gn_kill_throw(gn_region_at(&plane, GN_SECTION_CONTROL), gn_region_at(&plane, GN_SECTION_CONF), &r,
                                  GN_KILL_BY_OPERATOR, err);
    gn_region_detach(&plane);
    if (word == 0) {
        fprintf(stderr, "gannetctl: %s\n", err);
        return EXIT_FAILURE;
    }
    if (c->json)
        printf("{\"ok\":true,\"source\":\"shared memory\",\"word\":%llu,\"set_ns\":%llu}\n", (unsigned long long)word,
               (unsigned long long)r.now_ns);
    else
        printf("%sthe kill switch was thrown in shared memory: %s\n",
               c->direct ? "" : "the control plane does not answer; ", gn_ladder_name(gn_kill_level(word)));
    return EXIT_SUCCESS;
}
