/* The k-th I/O and the k-th allocation of a journal's life fail, for every k until a life ends without meeting one;
 * once and for good. Whatever fails: no crash, an error that is latched and named, and what was acknowledged is there
 * when the disk is well again; then the journal carries on exactly once.
 *
 * The program is linked with its allocations wrapped; OpenSSL's come the same way.
 */
#include <errno.h>
#include <openssl/crypto.h>

#include "controlplane/journal/proof.h"
#include "tests/property/journal_sim.h"
#include "tests/unit/journal/fixture.h"

/* ---- allocations that fail ---- */

static uint64_t allocations, fail_allocation;
static bool fail_all_after, allocation_hit;

static bool refuse(void)
{
    allocations++;
    if (fail_allocation == 0 || allocations < fail_allocation || (allocations > fail_allocation && !fail_all_after))
        return false;
    allocation_hit = true;
    return true;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t bytes)
{
    return refuse() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
    return refuse() ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return refuse() ? NULL : __real_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    return refuse() ? NULL : __real_aligned_alloc(align, bytes);
}

char *__wrap_strdup(const char *text)
{
    return refuse() ? NULL : __real_strdup(text);
}

static void *crypto_malloc(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return refuse() ? NULL : __real_malloc(bytes);
}

static void *crypto_realloc(void *old, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return refuse() ? NULL : __real_realloc(old, bytes);
}

static void crypto_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* ---- one life ---- */

static struct gn_journal_key *key;

struct life {
    struct sim_disk disk;
    struct gn_journal_io io;
    struct fx f;
    uint64_t acked[FX_RINGS];
};

static void begin(struct life *l)
{
    memset(l, 0, sizeof *l);
    l->disk.clock_ns = 1;
    l->io = sim_io(&l->disk);
    fx_new(&l->f);
    l->f.conf.io = &l->io;
    l->f.conf.segments_ahead = 1;
    l->f.conf.segment_bytes = GN_JOURNAL_BLOCK + 2 * FX_BATCH_BYTES;
    l->f.conf.key = key;
    l->f.conf.checkpoint_ms = 1;
    l->f.conf.skip_probe = false;
}

static void read_it(struct life *l)
{
    struct gn_journal_report report;
    static struct gn_journal_proof proof;
    const struct gn_journal_verify_opts opts = {.io = &l->io};
    if (gn_journal_verify(l->f.dir, &opts, &report) == GN_JOURNAL_OK)
        (void)report;
    if (gn_journal_prove(l->f.dir, &l->io, l->f.ring[0]->source, 1, 0, &proof, NULL) == GN_JOURNAL_OK) {
        const struct gn_rec *rec;
        (void)gn_journal_proof_check(&proof, NULL, &rec);
    }
    gn_journal_proof_free(&proof);
}

/* Opens, writes over the end of a segment, reads, closes; the error of whoever failed first. */
static int live(struct life *l)
{
    struct gn_journal *j;
    int rc = fx_open(&l->f, &j);
    if (rc != GN_JOURNAL_OK)
        return l->f.err[0] != 0 ? rc : 1;
    for (int n = 0; n < 12 && rc == GN_JOURNAL_OK; n++) {
        for (uint32_t i = 0; i < 30; i++)
            (void)fx_publish(&l->f, i % FX_RINGS, true);
        int64_t step = gn_journal_step(j, FX_NOW_NS);
        rc = step < 0 ? (int)step : GN_JOURNAL_OK;
        gn_journal_wait(j, 300000);
    }
    if (rc != GN_JOURNAL_OK && gn_journal_step(j, FX_NOW_NS) != rc)
        rc = 2; /* not latched */
    for (uint32_t i = 0; i < FX_RINGS; i++)
        l->acked[i] = atomic_load_explicit(&l->f.ring[i]->last_seq, memory_order_relaxed);
    int closed = gn_journal_close(j, FX_NOW_NS);
    read_it(l);
    return rc != GN_JOURNAL_OK ? rc : closed;
}

/* The faults are over: everything acknowledged is there, the journal goes on, and in the end all is there once. */
static bool heals(struct life *l)
{
    struct gn_journal *j;
    l->disk.fail_at = 0;
    l->disk.dead = false;
    l->disk.pending = false;
    int rc = fx_open(&l->f, &j);
    if (rc != GN_JOURNAL_OK) {
        printf("does not open again: %s\n", l->f.err);
        return false;
    }
    rc = gn_journal_close(j, FX_NOW_NS);
    return rc == GN_JOURNAL_OK && fx_check(&l->f, &l->io, NULL);
}

static void end(struct life *l)
{
    sim_free(&l->disk);
    fx_free(&l->f);
}

static void sweep_io(const char *what, bool for_good, bool shortened, int err)
{
    static struct life l;
    uint64_t k = 1, refused = 0;
    for (bool hit = true; hit; k++) {
        begin(&l);
        l.disk.fail_at = k;
        l.disk.fail_for_good = for_good;
        l.disk.fail_short = shortened;
        l.disk.fail_errno = err;
        int rc = live(&l);
        hit = shortened ? l.disk.ios >= k : l.disk.hit;
        refused += rc != GN_JOURNAL_OK;
        if (rc > 0 || !heals(&l)) {
            printf("%s: I/O %llu: ended with %d\n", what, (unsigned long long)k, rc);
            CU_FAIL("an I/O error is not survived");
        }
        end(&l);
    }
    printf("%s: %llu I/Os, %llu lives ended with an error\n", what, (unsigned long long)(k - 1),
           (unsigned long long)refused);
    CU_ASSERT(k > 100 && refused > 0);
}

static void every_io(void)
{
    sweep_io("EIO once", false, false, EIO);
    sweep_io("EIO for good", true, false, EIO);
    sweep_io("ENOSPC once", false, false, ENOSPC);
    sweep_io("short write", false, true, EIO);
}

static void sweep_memory(const char *what, bool for_good)
{
    static struct life l;
    uint64_t k = 1, refused = 0;
    for (bool hit = true; hit; k++) {
        begin(&l);
        allocations = 0;
        allocation_hit = false;
        fail_all_after = for_good;
        fail_allocation = k;
        int rc = live(&l);
        fail_allocation = 0;
        hit = allocation_hit;
        refused += rc != GN_JOURNAL_OK;
        if (rc > 0 || !heals(&l)) {
            printf("%s: allocation %llu: ended with %d\n", what, (unsigned long long)k, rc);
            CU_FAIL("a refused allocation is not survived");
        }
        end(&l);
    }
    printf("%s: %llu allocations, %llu lives ended with an error\n", what, (unsigned long long)(k - 1),
           (unsigned long long)refused);
    CU_ASSERT(k > 20 && refused > 5);
}

static void every_allocation(void)
{
    sweep_memory("once", false);
    sweep_memory("for good", true);
}

int main(void)
{
    static const uint8_t seed[32] = {9};
    CU_TestInfo tests[] = {{"every I/O", every_io}, {"every allocation", every_allocation}, CU_TEST_INFO_NULL};
    if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
        return EXIT_FAILURE;
    key = gn_journal_key_from_seed(seed);
    if (key == NULL)
        return EXIT_FAILURE;
    int status = gn_test_run("journal sweeps", tests);
    gn_journal_key_free(key);
    return status;
}
