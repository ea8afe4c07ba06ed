/* gannetctl journal project db=FILE [follow] [rebuild]: the journal as SQLite tables. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/journal/project.h"
#include "tools/gannetctl/ctl.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
    stop = sig;
}

static int run(struct gn_project *p, bool follow, bool json)
{
    char err[GN_PROJECT_ERR_LEN] = "";
    const struct timespec pause = {.tv_nsec = 100000000};
    int64_t n, total = 0;
    while ((n = gn_project_run(p, err)) >= 0) {
        total += n;
        if (!follow || stop != 0)
            break;
        nanosleep(&pause, NULL);
    }
    if (n < 0)
        fprintf(stderr, "gannetctl: journal project: %s\n", err);
    else
        printf(json ? "{\"records\":%lld}\n" : "%lld records projected\n", (long long)total);
    return n < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int gn_ctl_project(const struct gn_ctl *c, const char *dir)
{
    char err[GN_PROJECT_ERR_LEN] = "", said[GN_PROJECT_ERR_LEN];
    const char *db = NULL;
    bool follow = false, rebuild = false;
    for (int i = 0; i < c->argc; i++) {
        const char *arg = c->argv[i];
        if (strncmp(arg, "db=", 3) == 0 && arg[3] != 0) {
            db = arg + 3;
        } else if (strcmp(arg, "follow") == 0) {
            follow = true;
        } else if (strcmp(arg, "rebuild") == 0) {
            rebuild = true;
        } else {
            fprintf(stderr, "gannetctl: journal project: found \"%s\", allowed: db=FILE, follow, rebuild\n", arg);
            return EXIT_FAILURE;
        }
    }
    if (db == NULL) {
        fprintf(stderr, "gannetctl: journal project: db=FILE is needed, allowed: db=FILE, follow, rebuild\n");
        return EXIT_FAILURE;
    }
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    struct gn_project *p = gn_project_open(db, dir, rebuild, said, err);
    if (p == NULL) {
        fprintf(stderr, "gannetctl: journal project: %s\n", err);
        return EXIT_FAILURE;
    }
    if (said[0] != 0)
        fprintf(stderr, "gannetctl: journal project: %s\n", said);
    const int rc = run(p, follow, c->json);
    gn_project_close(p);
    return rc;
}
