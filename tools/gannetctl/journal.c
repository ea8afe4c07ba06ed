#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/reader.h"
#include "tools/gannetctl/ctl.h"

static void print_finding(const struct gn_journal_finding *f)
{
    fprintf(stderr, "gannetctl: journal: %s: %s, offset %llu: %s\n", f->file, gn_journal_damage_name(f->damage),
            (unsigned long long)f->offset, f->reason);
}

static int verify(const struct gn_ctl *c, const char *dir)
{
    static struct gn_journal_report r;
    int rc = gn_journal_verify(dir, NULL, &r);
    json_t *types = json_object();
    for (uint16_t i = 0; i < GN_JOURNAL_TYPES; i++)
        if (r.types[i] != 0 && gn_journal_event_name(i) != NULL)
            json_object_set_new(types, gn_journal_event_name(i), json_integer((json_int_t)r.types[i]));
    json_t *o = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:o}", "ok", rc == GN_JOURNAL_OK, "segments",
                          (json_int_t)r.segments, "batches", (json_int_t)r.batches, "records", (json_int_t)r.records,
                          "bytes", (json_int_t)r.bytes, "torn_tails", (json_int_t)r.torn_tails, "closed_clean",
                          r.closed_clean, "no_correlation", (json_int_t)r.no_corr, "types", types);
    if (rc != GN_JOURNAL_OK)
        print_finding(&r.finding);
    if (c->json) {
        json_dumpf(o, stdout, JSON_COMPACT);
        printf("\n");
    } else {
        printf("%s: %s: %llu records in %llu batches of %llu segments, %llu bytes\n", dir,
               rc == GN_JOURNAL_OK ? "sound" : "DAMAGED", (unsigned long long)r.records, (unsigned long long)r.batches,
               (unsigned long long)r.segments, (unsigned long long)r.bytes);
    }
    json_decref(o);
    return rc == GN_JOURNAL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int dump(const struct gn_ctl *c, const char *dir)
{
    struct gn_journal_filter filter = {.types = 0};
    struct gn_journal_finding finding;
    for (int i = 0; i < c->argc; i++) {
        const char *arg = c->argv[i];
        if (strncmp(arg, "type=", 5) == 0 && gn_journal_event_type(arg + 5) != 0)
            filter.types |= 1ull << gn_journal_event_type(arg + 5);
        else if (strncmp(arg, "order=", 6) == 0)
            filter.order_id = strtoull(arg + 6, NULL, 16);
        else if (strncmp(arg, "limit=", 6) == 0)
            filter.limit = strtoull(arg + 6, NULL, 10);
        else {
            fprintf(stderr,
                    "gannetctl: journal dump: found \"%s\", allowed: type=NAME (order, exec, md_packet, ...), "
                    "order=HEX, limit=N\n",
                    arg);
            return EXIT_FAILURE;
        }
    }
    if (gn_journal_dump(dir, &filter, stdout, &finding) == GN_JOURNAL_OK)
        return EXIT_SUCCESS;
    print_finding(&finding);
    return EXIT_FAILURE;
}

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
    if (strcmp(what, "verify") == 0)
        return verify(c, dir);
    if (strcmp(what, "dump") == 0)
        return dump(c, dir);
    fprintf(stderr, "gannetctl: journal: found \"%s\", allowed: dump, verify\n", what);
    return EXIT_FAILURE;
}
