#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/journal/archive.h"
#include "tools/gannetctl/ctl.h"

static void print_finding(const struct gn_journal_finding *f)
{
    fprintf(stderr, "gannetctl: journal: %s: %s, offset %llu: %s\n", f->file, gn_journal_damage_name(f->damage),
            (unsigned long long)f->offset, f->reason);
}

static void hex(char *out, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", data[i]);
}

/* Reads a checkpoint that was kept elsewhere (journal checkpoint out=FILE). */
static bool read_checkpoint(const char *path, union gn_journal_checkpoint_block *out)
{
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(out, 1, sizeof *out, f) : 0;
    if (f != NULL)
        fclose(f);
    if (n == sizeof *out && gn_journal_checkpoint_shape(out) == NULL)
        return true;
    fprintf(stderr, "gannetctl: journal: %s: holds no checkpoint\n", path);
    return false;
}

static json_t *report_json(const struct gn_journal_report *r, bool ok, bool sound)
{
    char hash[2 * GN_JOURNAL_HASH + 1], key[2 * GN_JOURNAL_PUBLIC_KEY + 1];
    json_t *types = json_object();
    for (uint16_t i = 0; i < GN_JOURNAL_TYPES; i++)
        if (r->types[i] != 0 && gn_journal_event_name(i) != NULL)
            json_object_set_new(types, gn_journal_event_name(i), json_integer((json_int_t)r->types[i]));
    hex(hash, r->final_hash, sizeof r->final_hash);
    hex(key, r->last_checkpoint.public_key, sizeof r->last_checkpoint.public_key);
    json_t *o =
        json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:s}", "ok", ok, "segments", (json_int_t)r->segments,
                  "batches", (json_int_t)r->batches, "records", (json_int_t)r->records, "bytes", (json_int_t)r->bytes,
                  "torn_tails", (json_int_t)r->torn_tails, "closed_clean", r->closed_clean, "no_correlation",
                  (json_int_t)r->no_corr, "types", types, "final_hash", hash);
    json_t *c = json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:I}", "checkpoints", (json_int_t)r->checkpoints, "keys",
                          (json_int_t)r->keys, "witnesses", (json_int_t)r->witnesses, "unsigned_records",
                          (json_int_t)r->unsigned_records, "last_checkpoint", (json_int_t)r->last_checkpoint.number,
                          "key", key, "last_checkpoint_ns", (json_int_t)r->last_checkpoint.time_ns);
    json_object_update(o, c);
    json_decref(c);
    if (!sound)
        json_object_set_new(o, "damage",
                            json_pack("{s:s, s:s, s:I, s:s}", "kind", gn_journal_damage_name(r->finding.damage), "file",
                                      r->finding.file, "offset", (json_int_t)r->finding.offset, "reason",
                                      r->finding.reason));
    return o;
}

/* Options of verify; false, said, when one is wrong. */
static bool verify_options(const struct gn_ctl *c, struct gn_journal_verify_opts *opts, uint8_t *key,
                           union gn_journal_checkpoint_block *witness)
{
    char why[512];
    for (int i = 0; i < c->argc; i++) {
        const char *arg = c->argv[i];
        if (strncmp(arg, "key=", 4) == 0) {
            if (!gn_journal_public_load(arg + 4, key, why, sizeof why)) {
                fprintf(stderr, "gannetctl: journal: %s\n", why);
                return false;
            }
            opts->public_key = key;
        } else if (strncmp(arg, "checkpoint=", 11) == 0 && opts->witnesses < GN_JOURNAL_WITNESSES_MAX) {
            if (!read_checkpoint(arg + 11, &witness[opts->witnesses++]))
                return false;
        } else if (strcmp(arg, "trimmed") == 0) {
            opts->accept_trimmed = true;
        } else {
            fprintf(stderr,
                    "gannetctl: journal verify: found \"%s\", allowed: key=PUBLIC.pub, checkpoint=FILE (up to %u), "
                    "trimmed\n",
                    arg, GN_JOURNAL_WITNESSES_MAX);
            return false;
        }
    }
    return true;
}

struct deleted {
    const struct gn_ctl *c;
    json_t *list;
};

/* A segment that was deleted in order: said by name, or listed. */
static void note_deleted(void *arg, const struct gn_tombstone *t)
{
    struct deleted *d = arg;
    if (!d->c->json) {
        printf(
            "segment %llu was deleted by %.32s (%.120s): %llu records of %llu batches, its hash and signature hold\n",
            (unsigned long long)t->number, t->who, t->why, (unsigned long long)t->records,
            (unsigned long long)t->batches);
        return;
    }
    if (d->list == NULL)
        d->list = json_array();
    json_array_append_new(d->list, json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I}", "segment", (json_int_t)t->number,
                                             "who", t->who, "why", t->why, "records", (json_int_t)t->records,
                                             "first_ns", (json_int_t)t->first_ns, "last_ns", (json_int_t)t->last_ns,
                                             "deleted_ns", (json_int_t)t->deleted_ns));
}

static int verify(const struct gn_ctl *c, const char *dir)
{
    static struct gn_journal_report r;
    static union gn_journal_checkpoint_block witness[GN_JOURNAL_WITNESSES_MAX];
    uint8_t key[GN_JOURNAL_PUBLIC_KEY];
    struct gn_journal_verify_opts opts = {.witness = witness};
    if (!verify_options(c, &opts, key, witness))
        return EXIT_FAILURE;
    struct deleted d = {c, NULL};
    opts.on_tombstone = note_deleted;
    opts.on_tombstone_arg = &d;
    const bool sound = gn_journal_verify(dir, &opts, &r) == GN_JOURNAL_OK;
    const bool ok = sound && r.no_corr == 0;
    if (!sound)
        print_finding(&r.finding);
    if (r.no_corr != 0)
        fprintf(stderr, "gannetctl: journal: %llu records have no correlation: what caused them cannot be followed\n",
                (unsigned long long)r.no_corr);
    json_t *o = report_json(&r, ok, sound);
    if (d.list != NULL)
        json_object_set_new(o, "deleted", d.list);
    if (c->json) {
        json_dumpf(o, stdout, JSON_COMPACT);
        printf("\n");
    } else {
        printf("%s: %s: %llu records in %llu batches of %llu segments, %llu bytes\n", dir,
               ok      ? "sound"
               : sound ? "INCOMPLETE"
                       : "DAMAGED",
               (unsigned long long)r.records, (unsigned long long)r.batches, (unsigned long long)r.segments,
               (unsigned long long)r.bytes);
        printf(
            "%llu checkpoints by %llu key(s), the last of key %s; %llu records after it; %llu kept elsewhere found\n",
            (unsigned long long)r.checkpoints, (unsigned long long)r.keys, json_string_value(json_object_get(o, "key")),
            (unsigned long long)r.unsigned_records, (unsigned long long)r.witnesses);
    }
    json_decref(o);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ns since the Unix epoch, as a number or as 2026-11-20T09:30:00[.5] (UTC). */
static bool read_time(const char *text, uint64_t *out)
{
    struct tm tm = {.tm_isdst = 0};
    char *end = NULL;
    *out = strtoull(text, &end, 10);
    if (*text != 0 && *end == 0)
        return true;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL)
        return false;
    const double part = *rest == '.' ? strtod(rest, &end) : 0;
    if (*rest != 0 && (*rest != '.' || *end != 0))
        return false;
    *out = (uint64_t)timegm(&tm) * 1000000000u + (uint64_t)(part * 1e9);
    return true;
}

/* A whole number + 1, so that 0 means all. */
static bool read_index(const char *text, uint32_t *out)
{
    char *end = NULL;
    const unsigned long long v = strtoull(text, &end, 10);
    *out = (uint32_t)v + 1;
    return *text != 0 && *end == 0 && v < UINT32_MAX;
}

static bool read_filter(const char *arg, struct gn_journal_filter *f)
{
    const char *v = strchr(arg, '=');
    if (v++ == NULL)
        return false;
    const size_t n = (size_t)(v - arg);
    if (strncmp(arg, "type=", n) == 0 && gn_journal_event_type(v) != 0) {
        f->types |= 1ull << gn_journal_event_type(v);
        return true;
    }
    if (strncmp(arg, "order=", n) == 0)
        return (f->order_id = strtoull(v, NULL, 16)) != 0;
    if (strncmp(arg, "limit=", n) == 0)
        return (f->limit = strtoull(v, NULL, 10)) != 0;
    if (strncmp(arg, "from=", n) == 0)
        return read_time(v, &f->from_ns);
    if (strncmp(arg, "to=", n) == 0)
        return read_time(v, &f->to_ns);
    if (strncmp(arg, "strategy=", n) == 0)
        return read_index(v, &f->strategy);
    if (strncmp(arg, "instrument=", n) == 0)
        return read_index(v, &f->instrument);
    if (strncmp(arg, "session=", n) == 0)
        return read_index(v, &f->session);
    f->csv = strcmp(arg, "format=csv") == 0;
    return f->csv || strcmp(arg, "format=json") == 0;
}

static int query(const struct gn_ctl *c, const char *dir, bool executions)
{
    struct gn_journal_filter filter = {.executions = executions};
    struct gn_journal_finding finding;
    for (int i = 0; i < c->argc; i++)
        if (!read_filter(c->argv[i], &filter)) {
            fprintf(
                stderr,
                "gannetctl: journal: found \"%s\", allowed: type=NAME (order, exec, md_packet, ...), order=HEX, "
                "strategy=N, instrument=N, session=N, from=TIME, to=TIME (ns, or 2026-11-20T09:30:00 UTC), limit=N, "
                "format=json|csv\n",
                c->argv[i]);
            return EXIT_FAILURE;
        }
    if (gn_journal_dump(dir, &filter, stdout, &finding) == GN_JOURNAL_OK)
        return EXIT_SUCCESS;
    print_finding(&finding);
    return EXIT_FAILURE;
}

static int dump(const struct gn_ctl *c, const char *dir)
{
    return query(c, dir, false);
}

static int executions(const struct gn_ctl *c, const char *dir)
{
    return query(c, dir, true);
}

static const struct {
    const char *name;
    int (*run)(const struct gn_ctl *c, const char *dir);
} commands[] = {
    {"archive", gn_ctl_archive},
    {"audit", gn_ctl_audit},
    {"checkpoint", gn_ctl_checkpoint},
    {"dump", dump},
    {"executions", executions},
    {"expire", gn_ctl_expire},
    {"hold", gn_ctl_hold},
    {"project", gn_ctl_project},
    {"prove", gn_ctl_prove},
    {"prove-consistency", gn_ctl_prove_consistency},
    {"release", gn_ctl_release},
    {"state", gn_ctl_state},
    {"verify", verify},
    {"verify-proof", gn_ctl_verify_proof},
};

int gn_ctl_journal(struct gn_ctl *c)
{
    char dir[512];
    const char *what = c->argc > 0 ? c->argv[0] : "";
    if (c->journal_dir != NULL)
        snprintf(dir, sizeof dir, "%s", c->journal_dir);
    else
        snprintf(dir, sizeof dir, "%s/journal", c->run_dir);
    c->argc--;
    c->argv++;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(what, commands[i].name) == 0)
            return commands[i].run(c, dir);
    fprintf(stderr, "gannetctl: journal: found \"%s\", allowed:", what);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(stderr, " %s", commands[i].name);
    fprintf(stderr, "\n");
    return EXIT_FAILURE;
}
