/* gannetctl journal archive | hold | release | expire | audit: what happens to finished segments. They work on the
 * files, so also without a control plane; each needs a name (--who, else the user's) and a reason. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/journal/archive.h"
#include "tools/gannetctl/ctl.h"

#define NS_PER_S 1000000000ull

struct args {
    struct gn_archive_job job;
    const char *name, *key;
    uint64_t from, to, older_s;
    bool older;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static bool whole(const char *text, uint64_t *out)
{
    char *end = NULL;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0;
}

/* 30d, 12h, 90m, 45s */
static bool span(const char *text, uint64_t *seconds)
{
    static const struct {
        char unit;
        uint64_t s;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    char *end = NULL;
    const uint64_t n = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (*text >= '0' && *text <= '9' && end[0] == units[i].unit && end[1] == 0 && n < 1000000) {
            *seconds = n * units[i].s;
            return true;
        }
    return false;
}

static bool take(struct args *a, const char *arg)
{
    const char *v = strchr(arg, '=');
    if (v++ == NULL)
        return false;
    const size_t n = (size_t)(v - arg);
    if (strncmp(arg, "why=", n) == 0)
        return (a->job.why = v)[0] != 0;
    if (strncmp(arg, "key=", n) == 0)
        return (a->key = v)[0] != 0;
    if (strncmp(arg, "name=", n) == 0)
        return (a->name = v)[0] != 0;
    if (strncmp(arg, "from=", n) == 0)
        return whole(v, &a->from);
    if (strncmp(arg, "to=", n) == 0)
        return whole(v, &a->to);
    if (strncmp(arg, "keep=", n) == 0)
        return whole(v, &a->job.keep);
    return strncmp(arg, "older=", n) == 0 && (a->older = span(v, &a->older_s));
}

static bool parse(const struct gn_ctl *c, const char *dir, struct args *a, const char *allowed)
{
    const struct passwd *user = c->who == NULL ? getpwuid(getuid()) : NULL;
    *a = (struct args){.job = {.dir = dir,
                               .who = c->who != NULL ? c->who
                                      : user != NULL ? user->pw_name
                                                     : "unknown",
                               .now_ns = now_ns(),
                               .keep = 2}};
    for (int i = 0; i < c->argc; i++)
        if (!take(a, c->argv[i])) {
            fprintf(stderr, "gannetctl: journal: found \"%s\", allowed: %s\n", c->argv[i], allowed);
            return false;
        }
    if (a->job.why == NULL)
        fprintf(stderr, "gannetctl: journal: a reason is written down: why=TEXT; allowed: %s\n", allowed);
    return a->job.why != NULL;
}

static int result(bool ok, const char *err)
{
    if (!ok)
        fprintf(stderr, "gannetctl: journal: %s\n", err);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int gn_ctl_archive(const struct gn_ctl *c, const char *dir)
{
    char err[GN_ARCHIVE_ERR_LEN] = "";
    struct args a;
    if (!parse(c, dir, &a, "why=TEXT, keep=N (finished segments that stay as they are, 2)"))
        return EXIT_FAILURE;
    const int64_t n = gn_archive_seal(&a.job, err);
    if (n >= 0)
        printf(c->json ? "{\"archived\":%lld}\n" : "%lld segments compressed\n", (long long)n);
    return result(n >= 0, err);
}

int gn_ctl_expire(const struct gn_ctl *c, const char *dir)
{
    char err[GN_ARCHIVE_ERR_LEN] = "";
    struct args a;
    uint64_t held = 0;
    if (!parse(c, dir, &a, "older=30d (or h, m, s), key=PRIVATE.key, why=TEXT"))
        return EXIT_FAILURE;
    if (!a.older || a.key == NULL) {
        fprintf(stderr, "gannetctl: journal expire: older=SPAN and key=PRIVATE.key are needed\n");
        return EXIT_FAILURE;
    }
    if (access(a.key, R_OK) != 0) {
        fprintf(stderr, "gannetctl: journal expire: %s: no key is there\n", a.key); /* none is made here */
        return EXIT_FAILURE;
    }
    struct gn_journal_key *key = gn_journal_key_load(a.key, err, sizeof err);
    if (key == NULL)
        return result(false, err);
    a.job.key = key;
    a.job.older_ns = a.older_s * NS_PER_S;
    const int64_t n = gn_archive_expire(&a.job, &held, err);
    gn_journal_key_free(key);
    if (n >= 0)
        printf(c->json ? "{\"deleted\":%lld,\"held\":%llu}\n" : "%lld segments deleted, %llu kept by a hold\n",
               (long long)n, (unsigned long long)held);
    return result(n >= 0, err);
}

int gn_ctl_hold(const struct gn_ctl *c, const char *dir)
{
    char err[GN_ARCHIVE_ERR_LEN] = "";
    struct args a;
    if (!parse(c, dir, &a, "name=NAME, from=SEGMENT, to=SEGMENT, why=TEXT"))
        return EXIT_FAILURE;
    return result(gn_archive_hold(&a.job, a.name != NULL ? a.name : "", a.from, a.to, err) == GN_JOURNAL_OK, err);
}

int gn_ctl_release(const struct gn_ctl *c, const char *dir)
{
    char err[GN_ARCHIVE_ERR_LEN] = "";
    struct args a;
    if (!parse(c, dir, &a, "name=NAME, why=TEXT"))
        return EXIT_FAILURE;
    return result(gn_archive_release(&a.job, a.name != NULL ? a.name : "", err) == GN_JOURNAL_OK, err);
}

int gn_ctl_audit(const struct gn_ctl *c, const char *dir)
{
    char err[GN_ARCHIVE_ERR_LEN] = "";
    (void)c;
    return result(gn_archive_audit(dir, stdout, err) >= 0, err);
}
