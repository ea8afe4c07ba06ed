/* gannet-replay: runs the data plane's feed stage on the packets of a journal and compares what comes out with what
 * came out then: the records, and with `compare` the books of the running region. gannetctl replay calls it.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "controlplane/journal/reader.h"
#include "dataplane/abi/region.h"
#include "tools/replay/feed.h"

static uint64_t clock_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* True when all was read; config_same tells whether every segment was written under this configuration. */
static bool run(struct gn_replay_feed *r, const char *dir, uint64_t to_ns, bool *config_same)
{
    struct gn_journal_finding finding;
    struct gn_journal_reader *reader;
    struct gn_journal_item item;
    uint64_t checked = 0;
    *config_same = true;
    int rc = gn_journal_reader_open(&reader, dir, NULL, &finding);
    while (rc == GN_JOURNAL_OK && (rc = gn_journal_reader_next(reader, &item)) == 1) {
        if (item.segment->number != checked) {
            checked = item.segment->number;
            *config_same = *config_same && memcmp(item.segment->config_sha256, r->loaded.conf.config_sha256,
                                                  sizeof item.segment->config_sha256) == 0;
        }
        rc = GN_JOURNAL_OK;
        if (item.rec->type != GN_EV_MD_PACKET)
            continue;
        if (to_ns != 0 && item.rec->time_ns >= to_ns)
            break;
        gn_replay_feed_packet(r, item.rec, (const struct gn_ev_md_packet *)(const void *)item.payload,
                              item.payload_bytes);
    }
    if (rc != GN_JOURNAL_OK) {
        if (reader != NULL)
            finding = *gn_journal_reader_finding(reader);
        fprintf(stderr, "gannet-replay: %s: offset %llu: %s\n", finding.file, (unsigned long long)finding.offset,
                finding.reason);
    }
    gn_journal_reader_close(reader);
    return rc == GN_JOURNAL_OK;
}

/* Books that differ from those of the region; -1 with a line on stderr when there is none. */
static int64_t compare(const struct gn_replay_feed *r)
{
    char path[2 * GN_PATH_MAX], err[GN_REGION_ERR_LEN];
    struct gn_region observe;
    const struct gn_instruments *mine = r->stage.instruments;
    if (!gn_region_path(&r->loaded.conf, "observe", path, sizeof path) ||
        gn_region_attach(path, GN_REGION_OBSERVE, false, NULL, &observe, err) != 0) {
        fprintf(stderr, "gannet-replay: %s\n", err);
        return -1;
    }
    const struct gn_instruments *theirs = gn_region_at(&observe, GN_SECTION_INSTRUMENTS);
    const struct gn_book_row *rows = gn_region_at(&observe, GN_SECTION_BOOK_ROWS);
    const struct gn_tob *tobs = gn_region_at(&observe, GN_SECTION_TOB);
    const uint32_t n = atomic_load_explicit(&theirs->count, memory_order_acquire);
    const uint32_t own = atomic_load_explicit(&mine->count, memory_order_relaxed);
    int64_t wrong = n != own;
    for (uint32_t i = 0; i < n && i < own; i++) {
        const struct gn_tob *a = &r->stage.tob[i];
        struct gn_tob b = {.flags = 0};
        const bool same = gn_tob_read(&tobs[i], &b, 1000) &&
                          memcmp(mine->row[i].symbol, theirs->row[i].symbol, 8) == 0 &&
                          r->stage.rows[i].digest == rows[i].digest &&
                          r->stage.rows[i].live_orders == rows[i].live_orders && a->bid == b.bid &&
                          a->bid_qty == b.bid_qty && a->ask == b.ask && a->ask_qty == b.ask_qty && a->last == b.last;
        if (!same)
            fprintf(stderr, "gannet-replay: book %.8s differs\n", theirs->row[i].symbol);
        wrong += !same;
    }
    gn_region_detach(&observe);
    return wrong;
}

static void print(const struct gn_replay_feed *r, double seconds, bool config_same, int64_t books_wrong)
{
    uint8_t hash[32];
    char text[65] = "";
    if (gn_replay_feed_hash(r, hash))
        for (size_t i = 0; i < sizeof hash; i++)
            snprintf(text + 2 * i, 3, "%02x", hash[i]);
    char md[20];
    snprintf(md, sizeof md, "%016llx", (unsigned long long)r->md_digest);
    json_t *o = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:b, s:I, s:f, s:f, s:f}", "ok",
                          r->differences == 0 && books_wrong <= 0, "packets", (json_int_t)r->packets, "messages",
                          (json_int_t)r->messages, "outputs", (json_int_t)r->outputs, "differences",
                          (json_int_t)r->differences, "lives", (json_int_t)r->lives, "jumps", (json_int_t)r->jumps,
                          "outputs_digest", md, "state_hash", text, "same_config", config_same, "books_wrong",
                          (json_int_t)books_wrong, "seconds", seconds, "messages_per_s", (double)r->messages / seconds,
                          "times_real", (double)(r->last_ns - r->first_ns) / 1e9 / seconds);
    json_dumpf(o, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(o);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"journal", required_argument, NULL, 'j'},
                                            {"to", required_argument, NULL, 't'},
                                            {"compare", no_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    static struct gn_replay_feed r;
    const char *config = NULL, *dir = NULL;
    uint64_t to_ns = 0;
    bool with_region = false, same;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
        else if (c == 'j')
            dir = optarg;
        else if (c == 't')
            to_ns = strtoull(optarg, NULL, 10);
        else if (c == 'r')
            with_region = true;
        else
            config = dir = "";
    }
    if (config == NULL || config[0] == 0 || optind != argc) {
        fprintf(stderr, "usage: gannet-replay --config FILE [--journal DIR] [--to NS] [--compare]\n"
                        "Runs the feed stage on the journal's packets; exit status 1 when an output differs.\n");
        return EXIT_FAILURE;
    }
    if (!gn_replay_feed_open(&r, config))
        return EXIT_FAILURE;
    const uint64_t start = clock_ns();
    const bool ok = run(&r, dir != NULL ? dir : r.loaded.conf.journal.dir, to_ns, &same);
    const double seconds = (double)(clock_ns() - start) / 1e9;
    const int64_t wrong = ok && with_region ? compare(&r) : 0;
    if (ok)
        print(&r, seconds, same, wrong);
    const bool good = ok && r.differences == 0 && wrong == 0;
    gn_replay_feed_close(&r);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
