#include "controlplane/journal/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/journal/segment.h"

#define AUDIT_NAME     "audit.jsonl"
#define HOLDS_NAME     "holds"
#define AUDIT_LINE_MAX 1024

#define REFUSE(...) (snprintf(err, GN_ARCHIVE_ERR_LEN, __VA_ARGS__), GN_JOURNAL_ERR_IO)

static void hex(char *out, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", data[i]);
}

/* Walks the lines: each must carry the hash of the one before. */
static int64_t check_lines(FILE *f, uint8_t last[GN_JOURNAL_HASH], FILE *out, char *err)
{
    char line[AUDIT_LINE_MAX], want[96], digits[2 * GN_JOURNAL_HASH + 1];
    int64_t lines = 0;
    memset(last, 0, GN_JOURNAL_HASH);
    while (fgets(line, sizeof line, f) != NULL) {
        const size_t n = strlen(line);
        hex(digits, last, GN_JOURNAL_HASH);
        (void)snprintf(want, sizeof want, "\"prev\":\"%s\"}\n", digits);
        if (n < strlen(want) || strcmp(line + n - strlen(want), want) != 0)
            return REFUSE(AUDIT_NAME ": line %lld does not carry the hash of the line before: it was changed, or lines "
                                     "are missing; restore it from a copy",
                          (long long)lines + 1);
        if (!gn_journal_hash(line, n, last))
            return REFUSE("SHA-256 is not available");
        lines++;
        if (out != NULL)
            (void)fputs(line, out);
    }
    return ferror(f) ? REFUSE(AUDIT_NAME ": %s", strerror(errno)) : lines;
}

static FILE *open_in(int folder, const char *name, int flags, const char *mode)
{
    int fd = openat(folder, name, flags | O_CLOEXEC, 0640);
    FILE *f = fd < 0 ? NULL : fdopen(fd, mode);
    if (f == NULL && fd >= 0)
        (void)close(fd);
    return f;
}

static int read_holds(struct gn_audit *a, char *err)
{
    FILE *f = open_in(a->folder, HOLDS_NAME, O_RDONLY, "r");
    if (f == NULL)
        return errno == ENOENT ? GN_JOURNAL_OK : REFUSE(HOLDS_NAME ": %s", strerror(errno));
    char line[128], extra;
    int rc = GN_JOURNAL_OK;
    while (rc == GN_JOURNAL_OK && fgets(line, sizeof line, f) != NULL) {
        struct gn_hold *h = &a->hold[a->holds];
        /* what cannot be read holds everything: nothing is deleted until a person has looked */
        if (a->holds == GN_HOLDS_MAX ||
            sscanf(line, "%31s %" SCNu64 " %" SCNu64 " %c", h->name, &h->from, &h->to, &extra) != 3 || h->from > h->to)
            rc = REFUSE(HOLDS_NAME ": line %u is no hold (NAME FROM TO): restore it", a->holds + 1);
        a->holds += rc == GN_JOURNAL_OK;
    }
    (void)fclose(f);
    return rc;
}

int gn_audit_open(struct gn_audit *a, const struct gn_archive_job *job, char err[GN_ARCHIVE_ERR_LEN])
{
    char folder[4096];
    memset(a, 0, sizeof *a);
    a->folder = -1;
    if (job->who == NULL || job->who[0] == 0 || strpbrk(job->who, "\"\\\n") != NULL || job->why == NULL ||
        strpbrk(job->why, "\"\\\n") != NULL || strlen(job->who) > 31 || strlen(job->why) > 119)
        return REFUSE("who (up to 31 characters) and why (up to 119) are written down: no quotes, backslashes or new "
                      "lines in them");
    (void)snprintf(folder, sizeof folder, "%.4000s/" GN_ARCHIVE_DIR, job->dir);
    if (mkdir(folder, 0750) != 0 && errno != EEXIST)
        return REFUSE("%.300s: %s", folder, strerror(errno));
    a->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->folder < 0)
        return REFUSE("%.300s: %s", folder, strerror(errno));
    int64_t rc = GN_JOURNAL_OK;
    if (flock(a->folder, LOCK_EX | LOCK_NB) != 0)
        rc = REFUSE("%.300s: another command works on it", folder);
    FILE *f = rc == GN_JOURNAL_OK ? open_in(a->folder, AUDIT_NAME, O_RDONLY, "r") : NULL;
    if (f != NULL) {
        rc = check_lines(f, a->last, NULL, err);
        a->lines = rc > 0 ? (uint64_t)rc : 0;
        (void)fclose(f);
    } else if (rc == GN_JOURNAL_OK && errno != ENOENT) {
        rc = REFUSE(AUDIT_NAME ": %s", strerror(errno));
    }
    if (rc >= 0)
        rc = read_holds(a, err);
    if (rc < 0)
        gn_audit_close(a);
    return rc < 0 ? (int)rc : GN_JOURNAL_OK;
}

void gn_audit_close(struct gn_audit *a)
{
    if (a->folder >= 0)
        (void)close(a->folder);
    a->folder = -1;
}

int gn_audit_say(struct gn_audit *a, const struct gn_archive_job *job, const char *what, uint64_t from, uint64_t to,
                 const char *name, char err[GN_ARCHIVE_ERR_LEN])
{
    char line[AUDIT_LINE_MAX], digits[2 * GN_JOURNAL_HASH + 1];
    hex(digits, a->last, sizeof a->last);
    const int n = snprintf(line, sizeof line,
                           "{\"line\":%" PRIu64 ",\"time_ns\":%" PRIu64 ",\"what\":\"%s\",\"from\":%" PRIu64
                           ",\"to\":%" PRIu64 ",\"name\":\"%s\",\"who\":\"%s\",\"why\":\"%s\",\"prev\":\"%s\"}\n",
                           a->lines + 1, job->now_ns, what, from, to, name, job->who, job->why, digits);
    if (n < 0 || n >= (int)sizeof line)
        return REFUSE("the line for " AUDIT_NAME " is too long");
    int fd = openat(a->folder, AUDIT_NAME, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    bool ok = fd >= 0 && write(fd, line, (size_t)n) == n && fsync(fd) == 0;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = ok && fsync(a->folder) == 0;
    if (!ok || !gn_journal_hash(line, (size_t)n, a->last))
        return REFUSE(AUDIT_NAME ": %s: what was done could not be written down", strerror(errno));
    a->lines++;
    return GN_JOURNAL_OK;
}

bool gn_audit_held(const struct gn_audit *a, uint64_t segment)
{
    for (uint32_t i = 0; i < a->holds; i++)
        if (segment >= a->hold[i].from && segment <= a->hold[i].to)
            return true;
    return false;
}

static int write_holds(const struct gn_audit *a, char *err)
{
    FILE *f = open_in(a->folder, HOLDS_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC, "w");
    bool ok = f != NULL;
    for (uint32_t i = 0; ok && i < a->holds; i++)
        ok = fprintf(f, "%s %" PRIu64 " %" PRIu64 "\n", a->hold[i].name, a->hold[i].from, a->hold[i].to) > 0;
    ok = ok && fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (f != NULL)
        ok = fclose(f) == 0 && ok;
    ok = ok && renameat(a->folder, HOLDS_NAME ".new", a->folder, HOLDS_NAME) == 0 && fsync(a->folder) == 0;
    return ok ? GN_JOURNAL_OK : REFUSE(HOLDS_NAME ": %s", strerror(errno));
}

static bool good_name(const char *name)
{
    const size_t n = strlen(name);
    return n > 0 && n < GN_HOLD_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/* Index of the hold of that name, a->holds when there is none. */
static uint32_t find_hold(const struct gn_audit *a, const char *name)
{
    uint32_t i = 0;
    while (i < a->holds && strcmp(a->hold[i].name, name) != 0)
        i++;
    return i;
}

int gn_archive_hold(const struct gn_archive_job *job, const char *name, uint64_t from, uint64_t to,
                    char err[GN_ARCHIVE_ERR_LEN])
{
    struct gn_audit a;
    if (!good_name(name) || from == 0 || from > to)
        return REFUSE("hold: a name (up to 31 letters, digits, . _ -) and segments FROM <= TO, from 1 on, are needed");
    int rc = gn_audit_open(&a, job, err);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (find_hold(&a, name) != a.holds)
        rc = REFUSE("hold %s is there already; another name, or release it first", name);
    else if (a.holds == GN_HOLDS_MAX)
        rc = REFUSE("%u holds are there, more than %u are not possible", a.holds, GN_HOLDS_MAX);
    if (rc == GN_JOURNAL_OK) {
        struct gn_hold *h = &a.hold[a.holds++];
        *h = (struct gn_hold){.from = from, .to = to};
        (void)snprintf(h->name, sizeof h->name, "%s", name);
        rc = write_holds(&a, err);
    }
    if (rc == GN_JOURNAL_OK)
        rc = gn_audit_say(&a, job, "hold", from, to, name, err);
    gn_audit_close(&a);
    return rc;
}

int gn_archive_release(const struct gn_archive_job *job, const char *name, char err[GN_ARCHIVE_ERR_LEN])
{
    struct gn_audit a;
    int rc = gn_audit_open(&a, job, err);
    if (rc != GN_JOURNAL_OK)
        return rc;
    const uint32_t i = find_hold(&a, name);
    if (i == a.holds)
        rc = REFUSE("no hold of the name %s is there", name);
    if (rc == GN_JOURNAL_OK) {
        const struct gn_hold gone = a.hold[i];
        /* written down before it takes effect: nothing is ever deletable without a line that says so */
        rc = gn_audit_say(&a, job, "release", gone.from, gone.to, name, err);
        a.hold[i] = a.hold[--a.holds];
    }
    if (rc == GN_JOURNAL_OK)
        rc = write_holds(&a, err);
    gn_audit_close(&a);
    return rc;
}

int64_t gn_archive_audit(const char *dir, FILE *out, char err[GN_ARCHIVE_ERR_LEN])
{
    char path[4096];
    uint8_t last[GN_JOURNAL_HASH];
    (void)snprintf(path, sizeof path, "%.4000s/" GN_ARCHIVE_DIR "/" AUDIT_NAME, dir);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return errno == ENOENT ? 0 : REFUSE("%.300s: %s", path, strerror(errno));
    const int64_t lines = check_lines(f, last, out, err);
    (void)fclose(f);
    return lines;
}
