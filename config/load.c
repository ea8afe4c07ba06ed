#include "config/load.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/check.h"

#define PASSWORD_MAX 10u /* SoupBinTCP login request */

/* ---- this machine ---- */

static const char *this_getenv(void *user, const char *name)
{
    (void)user;
    return getenv(name);
}

static int read_fd(int fd, bool secret, size_t max, uint8_t **bytes, size_t *len)
{
    struct stat st;
    uint8_t *buf;
    size_t n = 0, room;

    if (fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (secret && (st.st_mode & S_IROTH) != 0)
        return -EPERM;
    if ((uint64_t)st.st_size > max)
        return -EFBIG;
    room = (size_t)st.st_size + 1;
    buf = malloc(room);
    if (buf == NULL)
        return -ENOMEM;
    while (n < room) {
        ssize_t got = read(fd, buf + n, room - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int err = errno;
            free(buf);
            return -err;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (n == room) { /* it grew while it was read */
        free(buf);
        return -EAGAIN;
    }
    *bytes = buf;
    *len = n;
    return 0;
}

static int this_read_file(void *user, const char *path, bool secret, size_t max, uint8_t **bytes, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err; /* a FIFO must not make us wait */
    (void)user;
    if (fd < 0)
        return -errno;
    err = read_fd(fd, secret, max, bytes, len);
    (void)close(fd);
    return err;
}

struct gn_conf_host gn_conf_host_this(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    return (struct gn_conf_host){
        .cpus = cpus > 0 ? (uint32_t)cpus : 0, .getenv = this_getenv, .read_file = this_read_file};
}

static const char *read_error(int err)
{
    switch (err) {
    case -EFBIG:
        return "larger than allowed";
    case -EINVAL:
        return "not a plain file";
    case -EPERM:
        return "readable by other users; take that right away: chmod o-r";
    case -EAGAIN:
        return "changed while it was read";
    default:
        return strerror(-err);
    }
}

/* beside: `file` as seen from the folder of `path`. False: too long. */
static bool beside(const char *path, const char *file, char *out, size_t n)
{
    const char *slash = strrchr(path, '/');
    int dir = slash != NULL && file[0] != '/' ? (int)(slash - path + 1) : 0;
    int len = snprintf(out, n, "%.*s%s", dir, path, file);
    return len >= 0 && (size_t)len < n;
}

/* ---- passwords ---- */

/* take: the password's bytes, checked, into the session; says what is wrong without showing any of it. */
static void take(struct gn_walk *w, struct gn_draft_session *s, const void *source, const char *text, size_t len)
{
    bool ok = len >= 1 && len <= PASSWORD_MAX;
    for (size_t i = 0; i < len && ok; i++)
        ok = text[i] > ' ' && text[i] <= '~';
    if (!ok) {
        gn_walk_found(w, false, source, ", which holds no usable password, allowed: 1..%u printable characters",
                      PASSWORD_MAX);
        return;
    }
    memcpy(s->s.password, text, len);
}

static void password_from_file(struct gn_walk *w, const struct gn_conf_host *host, struct gn_draft_session *s)
{
    char path[PATH_MAX];
    uint8_t *bytes = NULL;
    size_t len = 0, n;
    int err = -ENAMETOOLONG;

    if (beside(w->name, s->password_file, path, sizeof path))
        err = host->read_file(host->user, path, true, 4096, &bytes, &len);
    if (err != 0) {
        gn_walk_found(w, false, s->password_file, ": the file is %s%s",
                      err == -ENOENT ? "missing: " : "unusable: ", read_error(err));
        return;
    }
    for (n = len; n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r');)
        n--;
    take(w, s, s->password_file, (const char *)bytes, n);
    explicit_bzero(bytes, len);
    free(bytes);
}

static void passwords(struct gn_walk *w, const struct gn_conf_host *host)
{
    for (uint32_t i = 0; i < w->draft->conf.n_sessions && host->getenv != NULL; i++) {
        struct gn_draft_session *s = &w->draft->session[i];
        if (s->password_env[0] != '\0' && s->password_file[0] == '\0') {
            const char *value = host->getenv(host->user, s->password_env);
            if (value == NULL)
                gn_walk_found(w, false, s->password_env,
                              ", a variable that is not set; export it, or use password_file");
            else
                take(w, s, s->password_env, value, strlen(value));
        } else if (s->password_file[0] != '\0' && s->password_env[0] == '\0') {
            password_from_file(w, host, s);
        }
    }
}

/* ---- from the draft to the result ---- */

struct source {
    uint8_t *symbols; /* the instruments file; NULL when there is none */
    size_t symbols_len;
    char symbols_path[PATH_MAX];
};

static bool read_symbols(struct gn_walk *w, const struct gn_conf_host *host, struct source *src)
{
    const char *file = w->draft->instruments_file;
    int err = -ENAMETOOLONG;

    if (file[0] == '\0')
        return true;
    if (beside(w->name, file, src->symbols_path, sizeof src->symbols_path))
        err = host->read_file(host->user, src->symbols_path, false, GN_CONF_FILE_MAX, &src->symbols, &src->symbols_len);
    if (err != 0) {
        gn_walk_found(w, false, file, ", a file that cannot be used: %s", read_error(err));
        return err != -ENOMEM;
    }
    return gn_instruments_append(w, src->symbols_path, src->symbols, src->symbols_len);
}

static void one_group(struct gn_draft_group *first, uint32_t *n)
{
    if (*n != 0)
        return;
    memcpy(first->name, "default", sizeof "default");
    *n = 1;
}

/* Who says nothing of venues or accounts has one of each, and what refers to none refers to the first. */
static void implied_groups(struct gn_draft *d)
{
    one_group(d->venue, &d->conf.n_venues);
    one_group(d->account, &d->conf.n_accounts);
    for (uint32_t i = 0; i < d->conf.n_sessions; i++)
        d->session[i].s.venue = d->session[i].s.venue == GN_NONE32 ? 0 : d->session[i].s.venue;
    for (uint32_t i = 0; i < d->conf.n_strategies; i++) {
        struct gn_conf_strategy *s = &d->strategy[i].s;
        s->account = s->account == GN_NONE32 ? 0 : s->account;
        s->algo_id = s->algo_id == 0 ? i + 1 : s->algo_id;
    }
    for (uint32_t i = 0; i < d->conf.n_instruments; i++)
        d->instrument[i].i.venue = d->instrument[i].i.venue == GN_NONE32 ? 0 : d->instrument[i].i.venue;
}

/* check_all: everything after YAML. Gives an enum gn_conf_status. */
static int check_all(struct gn_walk *w, const struct gn_conf_host *host, struct source *src)
{
    gn_walk_run(w);
    if (w->no_memory || !read_symbols(w, host, src))
        return GN_CONF_NO_MEMORY;
    gn_check_run(w, host);
    if (!gn_instruments_check(w, src->symbols != NULL ? src->symbols_path : NULL))
        return GN_CONF_NO_MEMORY;
    implied_groups(w->draft);
    gn_check_limits(w);
    passwords(w, host);
    return w->errs->n_errors == 0 ? GN_CONF_OK : GN_CONF_INVALID;
}

static bool hash(const uint8_t *bytes, size_t len, const struct source *src, uint8_t out[32])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, bytes, len) == 1 &&
              (src->symbols == NULL || EVP_DigestUpdate(ctx, src->symbols, src->symbols_len) == 1) &&
              EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static void deliver_groups(char *names, struct gn_limits_scope *rows, const struct gn_draft_group *from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        memcpy(names + i * GN_NAME_MAX, from[i].name, GN_NAME_MAX);
        rows[i] = from[i].limits;
    }
}

static int deliver(struct gn_draft *d, struct gn_conf_loaded *out)
{
    size_t n = d->conf.n_instruments;

    out->instruments = calloc(n + 1, sizeof *out->instruments);
    out->instrument_limits = calloc(n + 1, sizeof *out->instrument_limits);
    if (out->instruments == NULL || out->instrument_limits == NULL)
        return GN_CONF_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        out->instruments[i] = d->instrument[i].i;
        out->instrument_limits[i] = d->instrument[i].limits;
    }
    out->conf = d->conf;
    out->people = d->people;
    out->duties = d->duties;
    for (uint32_t i = 0; i < d->conf.n_sessions; i++) {
        out->conf.session[i] = d->session[i].s;
        out->duties.environment[i] = d->session[i].environment;
    }
    for (uint32_t i = 0; i < d->conf.n_strategies; i++) {
        out->conf.strategy[i] = d->strategy[i].s;
        out->conf.limits[GN_ROW_STRATEGY + i] = d->strategy[i].limits;
    }
    deliver_groups(out->conf.venue[0], &out->conf.limits[GN_ROW_VENUE], d->venue, d->conf.n_venues);
    deliver_groups(out->conf.account[0], &out->conf.limits[GN_ROW_ACCOUNT], d->account, d->conf.n_accounts);
    deliver_groups(out->conf.theme[0], &out->conf.limits[GN_ROW_THEME], d->theme, d->conf.n_themes);
    return GN_CONF_OK;
}

static int parse(const char *path, const uint8_t *bytes, size_t len, const struct gn_conf_host *host,
                 struct gn_conf_loaded *out, struct gn_conf_errors *errs)
{
    yaml_document_t doc;
    struct gn_walk w = {.name = path, .doc = &doc, .errs = errs};
    struct source src = {0};
    int status;

    if (len > GN_CONF_FILE_MAX) {
        gn_conf_errors_add(errs, false, 0, path, 0, NULL, "%zu bytes, allowed: up to %u", len, GN_CONF_FILE_MAX);
        return GN_CONF_UNREADABLE;
    }
    w.draft = calloc(1, sizeof *w.draft);
    if (w.draft == NULL)
        return GN_CONF_NO_MEMORY;
    if (!gn_yaml_tree(path, bytes, len, &doc, errs)) {
        free(w.draft);
        return errs->n_errors != 0 ? GN_CONF_INVALID : GN_CONF_NO_MEMORY;
    }
    status = check_all(&w, host, &src);
    if (status == GN_CONF_OK && !hash(bytes, len, &src, w.draft->conf.config_sha256))
        status = GN_CONF_NO_MEMORY;
    if (status == GN_CONF_OK)
        status = deliver(w.draft, out);
    gn_walk_free(&w);
    free(src.symbols);
    free(w.draft->instrument);
    explicit_bzero(w.draft, sizeof *w.draft);
    free(w.draft);
    yaml_document_delete(&doc);
    return status;
}

int gn_conf_parse(const char *path, const uint8_t *bytes, size_t len, const struct gn_conf_host *host,
                  struct gn_conf_loaded *out, struct gn_conf_errors *errs)
{
    int status;

    memset(out, 0, sizeof *out);
    memset(errs, 0, sizeof *errs);
    status = parse(path, bytes, len, host, out, errs);
    if (status == GN_CONF_NO_MEMORY)
        gn_conf_errors_add(errs, false, 0, path, 0, NULL, "%s", gn_conf_strerror(status));
    if (status != GN_CONF_OK)
        gn_conf_free(out);
    gn_conf_errors_sort(errs);
    return status;
}

int gn_conf_load_on(const char *path, const struct gn_conf_host *host, struct gn_conf_loaded *out,
                    struct gn_conf_errors *errs)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int err = host->read_file(host->user, path, false, GN_CONF_FILE_MAX, &bytes, &len), status;

    if (err != 0) {
        memset(out, 0, sizeof *out);
        memset(errs, 0, sizeof *errs);
        gn_conf_errors_add(errs, false, 0, path, 0, NULL, "cannot be read: %s", read_error(err));
        return GN_CONF_UNREADABLE;
    }
    status = gn_conf_parse(path, bytes, len, host, out, errs);
    free(bytes);
    return status;
}

int gn_conf_load(const char *path, struct gn_conf_loaded *out, struct gn_conf_errors *errs)
{
    struct gn_conf_host host = gn_conf_host_this();
    return gn_conf_load_on(path, &host, out, errs);
}

void gn_conf_free(struct gn_conf_loaded *loaded)
{
    free(loaded->instruments);
    free(loaded->instrument_limits);
    explicit_bzero(loaded, sizeof *loaded);
}

const char *gn_conf_strerror(int status)
{
    switch (status) {
    case GN_CONF_OK:
        return "no error";
    case GN_CONF_UNREADABLE:
        return "the file cannot be read";
    case GN_CONF_INVALID:
        return "the file has errors";
    case GN_CONF_NO_MEMORY:
        return "not enough memory";
    default:
        return "unknown error";
    }
}
