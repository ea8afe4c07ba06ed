#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include "controlplane/journal/index.h"
#include "controlplane/journal/writer_impl.h"

/* Longest sleep of the stepping thread: the age a record may reach before the disk hears of it. */
#define SLEEP_NS 200000u
/* A small batch waits so long for company: one commit for many records leaves the core, and the disk, to others. */
#define GATHER_NS    500000u
#define GATHER_CELLS 1024u
/* With orders waiting for their records the rings are looked at this often, and nothing gathers. */
#define EAGER_NS 10000u
/* The preparing thread looks this often; a segment lasts far longer at any speed a disk has. */
#define LOOK_NS 10000000u
/* A full disk is asked again this often. */
#define RETRY_LOOKS 100u

static uint64_t wall_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t cells_waiting(const struct gn_journal *j)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < j->n; i++)
        n += gn_ring_used(j->ring[i].ring);
    return n;
}

static void *step_loop(void *arg)
{
    struct gn_journal *j = arg;
    if (j->eager)
        (void)prctl(PR_SET_TIMERSLACK, 1ul); /* the default of 50 us would be most of the wait */
    /* pairs with the release store in gn_journal_thread_stop */
    while (!atomic_load_explicit(&j->stop, memory_order_acquire)) {
        if (gn_journal_step(j, wall_ns()) < 0)
            return NULL;
        gn_journal_wait(j, j->eager && !j->in_flight ? EAGER_NS : SLEEP_NS);
        if (!j->eager && cells_waiting(j) < GATHER_CELLS)
            j->io.sleep_ns(j->io.ctx, GATHER_NS);
    }
    /* Before the thread ends: the kernel cancels what a dead thread has in flight. The latched error tells the result.
     */
    if (gn_journal_flush(j, wall_ns()) != GN_JOURNAL_OK)
        return NULL;
    return NULL;
}

/* Segments that were finished since this writer opened get their order index while they are still in the page cache;
 * one that cannot be built is built by the first query. */
static void index_sealed(const struct gn_journal *j, uint64_t *next)
{
    if (*next >= atomic_load_explicit(&j->current, memory_order_relaxed))
        return;
    (void)!gn_journal_index_build(j->dir, *next);
    ++*next;
}

static void *prepare_loop(void *arg)
{
    struct gn_journal *j = arg;
    unsigned looks = 0;
    uint64_t next = atomic_load_explicit(&j->current, memory_order_relaxed);
    next += next == 0;
    while (!atomic_load_explicit(&j->stop_preparing, memory_order_acquire)) {
        int rc = looks == 0 ? gn_jw_prepare_one(j) : 0;
        /* Space may come back; after any other error the disk is not asked again. */
        if (rc < 0 && rc != -ENOSPC && rc != -EDQUOT)
            return NULL;
        if (rc < 0)
            looks = RETRY_LOOKS;
        else if (looks != 0)
            looks--;
        if (rc == 1)
            continue; /* segments first */
        if (j->index_sealed)
            index_sealed(j, &next);
        j->io.sleep_ns(j->io.ctx, LOOK_NS);
    }
    return NULL;
}

int gn_journal_thread_start(struct gn_journal *j)
{
    if (j->threads)
        return GN_JOURNAL_ERR_THREAD;
    atomic_store_explicit(&j->stop, false, memory_order_relaxed);
    atomic_store_explicit(&j->stop_preparing, false, memory_order_relaxed);
    j->threads = true;
    if (pthread_create(&j->preparer, NULL, prepare_loop, j) != 0) {
        j->threads = false;
        return GN_JOURNAL_ERR_THREAD;
    }
    if (pthread_create(&j->thread, NULL, step_loop, j) != 0) {
        atomic_store_explicit(&j->stop_preparing, true, memory_order_release);
        (void)pthread_join(j->preparer, NULL);
        j->threads = false;
        return GN_JOURNAL_ERR_THREAD;
    }
    return GN_JOURNAL_OK;
}

int gn_journal_thread_stop(struct gn_journal *j)
{
    if (!j->threads)
        return GN_JOURNAL_ERR_THREAD;
    /* pairs with the acquire loads in both loops */
    atomic_store_explicit(&j->stop, true, memory_order_release);
    (void)pthread_join(j->thread, NULL);
    /* The last flush may need a segment, so the preparing thread goes last. */
    atomic_store_explicit(&j->stop_preparing, true, memory_order_release);
    (void)pthread_join(j->preparer, NULL);
    j->threads = false;
    return atomic_load_explicit(&j->failed, memory_order_relaxed);
}
