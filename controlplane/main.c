/* gannet-controlplane: makes the region from the config, journals what the lcores report, answers operators, watches
 * the data plane. It may be killed and started again at any time: it joins the region and goes on.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "build_id.h"
#include "controlplane/admin/commands.h"
#include "controlplane/admin/server.h"
#include "controlplane/alerts/watch.h"
#include "controlplane/appliance/appliance.h"
#include "controlplane/dropcopy/dropcopy.h"
#include "controlplane/kill/triggers.h"

#define POLL_MS        20
#define ALERT_DROPCOPY 99u

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
    stop_signal = sig;
}

/* What was said of it, so that each trouble is said once. */
struct watch {
    bool alive, journal_said, space_said, corr_said;
};

static void watch_dataplane(struct gn_appliance *a, struct watch *w)
{
    bool alive = gn_appliance_dataplane_alive(a->control);
    uint32_t state = atomic_load_explicit(&a->control->dataplane.state, memory_order_acquire);
    if (w->alive && !alive && state != GN_STATE_STOPPED)
        gn_appliance_alert(
            a, GN_ALERT_DEAD, 1,
            "the data plane died: its orders are in doubt until it is started again and has asked the venue");
    const struct gn_order_table *orders = gn_region_at(&a->plane, GN_SECTION_ORDERS);
    if (w->alive && !alive && state == GN_STATE_STOPPED && orders->open != 0)
        gn_appliance_alert(a, GN_ALERT_LEFT, 1, "the data plane stopped and left orders that may rest at the venue");
    w->alive = alive;
}

static void watch_journal(struct gn_appliance *a, struct watch *w)
{
    struct gn_journal_status st;
    char text[160];
    gn_journal_status(a->journal, &st);
    /* segments are made ahead, so the first one that cannot be made is an alarm while the others are still there */
    if (st.prepare_errno != 0 && !w->space_said) {
        snprintf(text, sizeof text,
                 "no room for a further journal segment (%s): %llu ready after the one in use; free "
                 "space",
                 strerror(st.prepare_errno), (unsigned long long)st.ready_segments);
        gn_appliance_alert(a, GN_ALERT_SPACE, 1, text);
    }
    w->space_said = st.prepare_errno != 0;
    if (st.no_corr != 0 && !w->corr_said)
        gn_appliance_alert(a, GN_ALERT_CORR, 2, "a record came without its correlation: its cause cannot be followed");
    w->corr_said = st.no_corr != 0;
    if (st.failed == 0 || w->journal_said)
        return;
    snprintf(text, sizeof text, "the journal failed (%d, %s): trading stops, orders are cancelled", st.failed,
             strerror(st.sys_errno));
    gn_appliance_alert(a, GN_ALERT_JOURNAL, 1, text);
    w->journal_said = true;
}

static void stay_on_core(const struct gn_appliance *a)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(a->conf->main_core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "gannet-controlplane: cannot stay on core %u: %s\n", a->conf->main_core, strerror(errno));
}

static int run(struct gn_appliance *a, struct gn_admin_server *s, struct gn_triggers *t)
{
    struct gn_journal_status st;
    struct watch w = {false, false};
    gn_journal_status(a->journal, &st);
    if (st.slow)
        gn_appliance_alert(a, GN_ALERT_SLOW, 3, st.slow_why);
    if (a->key_beside)
        gn_appliance_alert(a, GN_ALERT_KEY, 3,
                           "the journal's key lies in journal.dir: who can rewrite the journal can sign it; move it to "
                           "where journal.key says");
    struct statfs fs;
    if (statfs(a->conf->journal.dir, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
        gn_appliance_alert(a, GN_ALERT_TMPFS, 2,
                           "the journal lies on tmpfs: it is gone when the machine is; give journal.dir a disk");
    printf("gannet-controlplane %s: instance %s, epoch %llu, %s; journal %s%s; %s%s\n", GN_BUILD_ID, a->conf->instance,
           (unsigned long long)a->plane.hdr->epoch, a->joined ? "region joined" : "region made", a->conf->journal.dir,
           st.direct ? "" : " (buffered: this file system has no direct I/O)", st.slow ? "NOT READY: " : "ready",
           st.slow ? st.slow_why : "");
    fflush(stdout);
    static struct gn_dropcopy dropcopy;
    if (!gn_dropcopy_open(&dropcopy, a))
        gn_appliance_alert(a, ALERT_DROPCOPY, 1, "no memory for the drop copy: fills are not reconciled with it");
    while (stop_signal == 0) {
        gn_admin_poll(s, a, POLL_MS);
        gn_triggers_poll(t, a);
        gn_dropcopy_poll(&dropcopy);
        gn_tracker_poll(&a->tracker, a, gn_now_ns());
        gn_flatten_poll(a, gn_now_ns());
        gn_reconcile_poll(a, gn_now_ns());
        gn_alert_watch_poll(&a->watch, a, gn_now_ns());
        gn_admin_expire(a);
        watch_dataplane(a, &w);
        watch_journal(a, &w);
    }
    gn_admin_close(s);
    gn_dropcopy_close(&dropcopy);
    int rc = gn_appliance_close(a);
    if (rc != 0)
        fprintf(stderr, "gannet-controlplane: the journal ended with error %d\n", rc);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int usage(FILE *to)
{
    fprintf(to, "usage: gannet-controlplane --config FILE [--fresh] [--check]\n"
                "  --config FILE  the YAML configuration (docs/config.md)\n"
                "  --fresh        lay out a new region although one of another config or day is there: positions start "
                "at zero\n"
                "  --check        check the configuration and leave\n"
                "  --version\n");
    return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check(const char *path)
{
    static struct gn_conf_loaded loaded;
    static struct gn_conf_errors errors;
    int rc = gn_conf_load(path, &loaded, &errors);
    gn_conf_errors_print(&errors, stderr);
    printf("%s: %s\n", path, rc == GN_CONF_OK ? "good" : gn_conf_strerror(rc));
    gn_conf_free(&loaded);
    return rc == GN_CONF_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"fresh", no_argument, NULL, 'f'}, {"check", no_argument, NULL, 'k'},
        {"version", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},  {0}};
    static struct gn_appliance appliance;
    static struct gn_admin_server server;
    static struct gn_triggers triggers;
    char err[GN_APPLIANCE_ERR_LEN];
    const char *config = NULL;
    bool fresh = false, only_check = false;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
        else if (c == 'f')
            fresh = true;
        else if (c == 'k')
            only_check = true;
        else if (c == 'v')
            return printf("gannet-controlplane %s\n", GN_BUILD_ID) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        else
            return usage(c == 'h' ? stdout : stderr);
    }
    if (config == NULL)
        return usage(stderr);
    if (only_check)
        return check(config);
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    gn_triggers_catch();
    signal(SIGPIPE, SIG_IGN);
    if (!gn_appliance_open(&appliance, config, fresh, err) ||
        !gn_admin_open(&server, appliance.loaded.conf.run_dir, err)) {
        fprintf(stderr, "gannet-controlplane: %s\n", err);
        return EXIT_FAILURE;
    }
    stay_on_core(&appliance);
    gn_triggers_open(&triggers, &appliance);
    gn_triggers_hold_live(&appliance);
    if (!gn_appliance_start(&appliance, err)) {
        fprintf(stderr, "gannet-controlplane: %s\n", err);
        return EXIT_FAILURE;
    }
    return run(&appliance, &server, &triggers);
}
