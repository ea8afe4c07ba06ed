/* The journal's own numbers, each beside what it is compared with. Phases, one a call, JSON on standard output:
 *
 *      gannet-bench-journal sustained DIR RECORDS       records of 128 bytes from a ring to durable segments made ahead
 *      gannet-bench-journal endless DIR RECORDS         the same with the making (zero-filling) of segments within it
 *      gannet-bench-journal commits DIR BYTES ROUNDS    commit of a batch of that size, and bare pwrite + fdatasync of
 *                                                       the same size on a file made the same way, one after the other
 *      gannet-bench-journal read DIR                    recovery and verification of what is in DIR
 *
 * DIR must be empty, but for `read`. bench/journal/run.py runs them with fio beside and judges.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/journal/journal.h"
#include "controlplane/journal/reader.h"
#include "controlplane/journal/recover.h"
#include "dataplane/abi/event.h"

#define RING_CELLS    (1u << 20)
#define RECORD_BYTES  128u /* header of 32 and 96 of payload */
#define SEGMENT_BYTES (256u << 20)
#define AHEAD         8u
#define ROUNDS_MAX    100000u

static struct gn_ring *ring;

static void die(const char *what)
{
    fprintf(stderr, "gannet-bench-journal: %s%s%s\n", what, errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
    exit(EXIT_FAILURE);
}

static uint64_t clock_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct gn_journal *open_journal(const char *dir, uint32_t ahead, uint32_t segment_bytes)
{
    char err[512] = "";
    struct gn_journal *j;
    const struct gn_journal_conf conf = {.dir = dir,
                                         .instance = "bench",
                                         .build_id = "bench",
                                         .rings_id = 1,
                                         .segment_bytes = segment_bytes,
                                         .segments_ahead = ahead,
                                         .skip_probe = true};
    void *mem = mmap(NULL, gn_ring_footprint(RING_CELLS), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (mem == MAP_FAILED || gn_ring_new(mem, RING_CELLS, 1) != GN_RING_OK)
        die("ring");
    ring = mem;
    errno = 0;
    if (gn_journal_open(&j, &conf, &ring, 1, err, sizeof err) != GN_JOURNAL_OK)
        die(err);
    return j;
}

/* As a lcore does: header, copy, publish. */
static bool put(uint64_t n, uint32_t bytes)
{
    static const uint8_t payload[4096] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct gn_rec *rec = gn_ring_reserve(ring, GN_EV_EXEC, bytes);
    if (rec == NULL)
        return false;
    rec->time_ns = 1700000000000000000u + n;
    rec->corr = n + 1;
    memcpy(rec + 1, payload, bytes - sizeof *rec);
    gn_ring_publish(ring);
    return true;
}

/* ---- sustained ---- */

static void wait_ready(struct gn_journal *j, uint32_t segments)
{
    struct gn_journal_status st;
    const struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < 60000; i++) {
        gn_journal_status(j, &st);
        if (st.ready_segments >= segments)
            return;
        nanosleep(&pause, NULL);
    }
    die("segments are not made");
}

static int sustained(const char *dir, uint64_t records, bool ahead)
{
    struct gn_journal_status st;
    const struct timespec pause = {.tv_nsec = 50000};
    const uint64_t room = (uint64_t)AHEAD * (SEGMENT_BYTES / (RECORD_BYTES + 16));
    struct gn_journal *j = open_journal(dir, ahead ? AHEAD : 2, SEGMENT_BYTES);
    uint64_t most = 0;
    if (ahead && records > room)
        records = room;
    if (gn_journal_thread_start(j) != GN_JOURNAL_OK)
        die("threads");
    if (ahead)
        wait_ready(j, AHEAD);
    const uint64_t start = clock_ns();
    for (uint64_t n = 0; n < records; n++)
        while (!put(n, RECORD_BYTES))
            nanosleep(&pause, NULL); /* full: the lag's bound, and the disk's pace */
    const uint64_t published = clock_ns();
    for (;;) {
        gn_journal_status(j, &st);
        most = st.max_commit_ns;
        if (st.records >= records || st.failed != 0)
            break;
        nanosleep(&pause, NULL);
    }
    const double s = (double)(clock_ns() - start) / 1e9;
    if (st.failed != 0)
        die("the journal failed");
    printf("{\"records\":%" PRIu64 ",\"seconds\":%.3f,\"published_s\":%.3f,\"events_s\":%.0f,\"bytes\":%" PRIu64
           ",\"bytes_s\":%.0f,\"batches\":%" PRIu64 ",\"batch_bytes\":%" PRIu64 ",\"max_commit_us\":%" PRIu64
           ",\"direct\":%s}\n",
           records, s, (double)(published - start) / 1e9, (double)records / s, st.bytes, (double)st.bytes / s,
           st.batches, st.batches == 0 ? 0 : st.bytes / st.batches, most / 1000, st.direct ? "true" : "false");
    return gn_journal_close(j, 1) == GN_JOURNAL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- commits side by side ---- */

static int by_size(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static uint64_t part(uint64_t *values, uint32_t n, double q)
{
    qsort(values, n, sizeof *values, by_size);
    return values[(uint32_t)((double)(n - 1) * q)];
}

/* A file made like a segment: zero-filled, past the page cache. */
static int bare_file(const char *dir, uint64_t bytes)
{
    struct gn_journal_io io;
    bool direct;
    gn_journal_io_reader(&io);
    if (io.prepare(io.ctx, dir, "bare", bytes) != 0)
        die("file to compare with");
    return io.open(io.ctx, dir, "bare", GN_JOURNAL_OPEN_WRITE, &direct);
}

static int commits(const char *dir, uint32_t bytes, uint32_t rounds)
{
    static uint64_t journal[ROUNDS_MAX], whole[ROUNDS_MAX], bare[ROUNDS_MAX];
    const uint64_t file_bytes = 64u << 20;
    const uint32_t records = (bytes - 128) / 136; /* header 128, each record 8 + 128 */
    struct gn_journal_status st;
    struct gn_journal *j = open_journal(dir, 4, SEGMENT_BYTES);
    uint8_t *buf = aligned_alloc(4096, bytes);
    int fd = bare_file(dir, file_bytes);
    uint64_t n = 0, offset = 0;
    if (rounds == 0 || rounds > ROUNDS_MAX || bytes % 4096 != 0 || buf == NULL || fd < 0)
        die("arguments");
    memset(buf, 7, bytes);
    for (uint32_t i = 0; i < rounds; i++) {
        for (uint32_t k = 0; k < records; k++, n++)
            if (!put(n, RECORD_BYTES))
                die("ring full");
        uint64_t t = clock_ns();
        if (gn_journal_flush(j, 1) != GN_JOURNAL_OK)
            die("flush");
        whole[i] = clock_ns() - t;
        gn_journal_status(j, &st);
        journal[i] = st.last_commit_ns;
        t = clock_ns();
        if (pwrite(fd, buf, bytes, (off_t)offset) != (ssize_t)bytes || fdatasync(fd) != 0)
            die("bare write");
        bare[i] = clock_ns() - t;
        offset = (offset + bytes) % file_bytes;
    }
    printf("{\"bytes\":%u,\"rounds\":%u", bytes, rounds);
    const double parts[] = {0.5, 0.99};
    for (size_t q = 0; q < GN_ARRAY_LEN(parts); q++)
        printf(",\"p%.0f\":{\"journal_us\":%.1f,\"with_copy_us\":%.1f,\"bare_us\":%.1f}", 100 * parts[q],
               (double)part(journal, rounds, parts[q]) / 1e3, (double)part(whole, rounds, parts[q]) / 1e3,
               (double)part(bare, rounds, parts[q]) / 1e3);
    printf("}\n");
    return gn_journal_close(j, 1) == GN_JOURNAL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- reading ---- */

static int read_back(const char *dir)
{
    static struct gn_journal_report r;
    struct gn_journal_recovered found;
    struct gn_journal_io io;
    char err[512] = "";
    gn_journal_io_reader(&io);
    uint64_t t = clock_ns();
    if (gn_journal_recover(&io, dir, SEGMENT_BYTES, false, &found, err, sizeof err) != GN_JOURNAL_OK)
        die(err);
    const double recovery = (double)(clock_ns() - t) / 1e6;
    t = clock_ns();
    if (gn_journal_verify(dir, NULL, &r) != GN_JOURNAL_OK)
        die(r.finding.reason);
    const double verify = (double)(clock_ns() - t) / 1e9;
    printf("{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"recovery_ms\":%.1f,\"verify_s\":%.2f,\"verify_mb_s\":%.0f}\n",
           r.records, r.bytes, recovery, verify, (double)r.bytes / 1e6 / verify);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *phase = argc > 2 ? argv[1] : "";
    if (strcmp(phase, "read") == 0)
        return read_back(argv[2]);
    if (argc > 3 && strcmp(phase, "sustained") == 0)
        return sustained(argv[2], strtoull(argv[3], NULL, 10), true);
    if (argc > 3 && strcmp(phase, "endless") == 0)
        return sustained(argv[2], strtoull(argv[3], NULL, 10), false);
    if (argc > 4 && strcmp(phase, "commits") == 0)
        return commits(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), (uint32_t)strtoul(argv[4], NULL, 10));
    fprintf(stderr,
            "usage: gannet-bench-journal sustained|endless DIR RECORDS | commits DIR BYTES ROUNDS | read DIR\n");
    return EXIT_FAILURE;
}
