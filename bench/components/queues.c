/* gannet-queues: messages between two cores: gn_ring, rte_ring with elements as large, and the floor, one cache line
 * that goes there and back. In turns within one run.
 *
 *      round trip   one message there, one back, the other side waits for each
 *      one way      as many as the queue takes; one side writes, the other reads
 */
#include <jansson.h>
#include <pthread.h>
#include <rte_ring_elem.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "dataplane/abi/ring.h"
#include "dataplane/lcore/clock.h"

#define ELEMENT     64u /* bytes: a record of gn_ring is one cell */
#define CELLS       4096u
#define MODES       5u
#define REPEATS_MAX 64u

struct element {
    uint64_t number;
    uint8_t more[ELEMENT - 8];
};

struct line {
    alignas(GN_GUARD) _Atomic uint64_t word;
    uint8_t pad[GN_GUARD - 8];
};

static struct {
    struct line there, back;
    struct gn_ring *ring[2];
    struct rte_ring *rte[2];
    uint64_t cursor[2];
    uint64_t rounds;
    int cpu[2];
    _Atomic uint32_t go; /* the mode that both are to do, + 1 */
    _Atomic uint32_t at; /* the other side is ready for it */
    struct gn_clock clock;
} q;

static void broken(const char *what)
{
    fprintf(stderr, "gannet-queues: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- one message into a queue, one out of it ---- */

static inline bool put_gn(uint32_t i, uint64_t number)
{
    struct gn_rec *rec = gn_ring_reserve(q.ring[i], 1, ELEMENT);
    if (rec == NULL)
        return false;
    rec->time_ns = number;
    memset(rec + 1, 0, ELEMENT - sizeof *rec);
    gn_ring_publish(q.ring[i]);
    return true;
}

static inline bool get_gn(uint32_t i, uint64_t *number)
{
    int err;
    const struct gn_rec *rec = gn_ring_read(q.ring[i], &q.cursor[i], &err);
    if (rec == NULL)
        return false;
    *number = rec->time_ns;
    gn_ring_release(q.ring[i], q.cursor[i], rec->seq);
    return true;
}

static inline bool put_rte(uint32_t i, uint64_t number)
{
    const struct element e = {.number = number};
    return rte_ring_sp_enqueue_elem(q.rte[i], (void *)(uintptr_t)&e, sizeof e) == 0;
}

static inline bool get_rte(uint32_t i, uint64_t *number)
{
    struct element e;
    if (rte_ring_sc_dequeue_elem(q.rte[i], &e, sizeof e) != 0)
        return false;
    *number = e.number;
    return true;
}

/* ---- modes ---- */

static void line_round_trips(bool first)
{
    for (uint64_t i = 1; i <= q.rounds; i++) {
        if (first)
            atomic_store_explicit(&q.there.word, i, memory_order_release);
        while (atomic_load_explicit(first ? &q.back.word : &q.there.word, memory_order_acquire) != i)
            ;
        if (!first)
            atomic_store_explicit(&q.back.word, i, memory_order_release);
    }
}

#define ROUND_TRIPS(put, get)                           \
    for (uint64_t i = 1, got = 0; i <= q.rounds; i++) { \
        if (first)                                      \
            while (!put(0, i))                          \
                ;                                       \
        while (!get(first ? 1 : 0, &got))               \
            ;                                           \
        if (got != i)                                   \
            broken("another message came");             \
        if (!first)                                     \
            while (!put(1, i))                          \
                ;                                       \
    }

#define ONE_WAY(put, get)                               \
    for (uint64_t i = 1, got = 0; i <= q.rounds; i++) { \
        if (first) {                                    \
            while (!put(0, i))                          \
                ;                                       \
            continue;                                   \
        }                                               \
        while (!get(0, &got))                           \
            ;                                           \
        if (got != i)                                   \
            broken("another message came");             \
    }

static void gn_round_trips(bool first)
{
    ROUND_TRIPS(put_gn, get_gn)
}

static void rte_round_trips(bool first)
{
    ROUND_TRIPS(put_rte, get_rte)
}

static void gn_one_way(bool first)
{
    ONE_WAY(put_gn, get_gn)
}

static void rte_one_way(bool first)
{
    ONE_WAY(put_rte, get_rte)
}

static const struct {
    const char *name;
    void (*run)(bool first);
} mode[MODES] = {
    {"line_round_trip", line_round_trips},    {"gn_ring_round_trip", gn_round_trips},
    {"rte_ring_round_trip", rte_round_trips}, {"gn_ring_one_way", gn_one_way},
    {"rte_ring_one_way", rte_one_way},
};

/* ---- both sides ---- */

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        broken("no such CPU");
}

static void *other_side(void *arg)
{
    (void)arg;
    pin(q.cpu[1]);
    for (;;) {
        uint32_t m;
        while ((m = atomic_load_explicit(&q.go, memory_order_acquire)) == 0)
            ;
        if (m > MODES)
            return NULL;
        atomic_store_explicit(&q.go, 0, memory_order_relaxed);
        atomic_store_explicit(&q.at, m, memory_order_release);
        mode[m - 1].run(false);
        atomic_store_explicit(&q.at, 0, memory_order_release);
    }
}

/* Nanoseconds a message, or a round trip. */
static double measure(uint32_t m)
{
    atomic_store_explicit(&q.there.word, 0, memory_order_relaxed);
    atomic_store_explicit(&q.back.word, 0, memory_order_relaxed);
    atomic_store_explicit(&q.go, m + 1, memory_order_release);
    while (atomic_load_explicit(&q.at, memory_order_acquire) != m + 1)
        ;
    const uint64_t begun = __rdtsc();
    mode[m].run(true);
    while (atomic_load_explicit(&q.at, memory_order_acquire) != 0)
        ;
    const uint64_t took = __rdtsc() - begun;
    return (double)(((gn_i128)took * q.clock.ns_per_tsc) >> 32) / (double)q.rounds;
}

static void *memory(uint64_t bytes)
{
    void *p =
        mmap(NULL, gn_align_up(bytes, 4096), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED)
        broken("no memory");
    return p;
}

static void make(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        q.ring[i] = memory(gn_ring_footprint(CELLS));
        const ssize_t bytes = rte_ring_get_memsize_elem(sizeof(struct element), CELLS);
        q.rte[i] = bytes > 0 ? memory((uint64_t)bytes) : NULL;
        if (gn_ring_new(q.ring[i], CELLS, 1) != GN_RING_OK || q.rte[i] == NULL ||
            rte_ring_init(q.rte[i], "queue", CELLS, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0)
            broken("no rings");
    }
}

int main(int argc, char **argv)
{
    json_t *o = json_object(), *list[MODES];
    pthread_t thread;
    const bool line_only = argc == 6 && strcmp(argv[5], "line") == 0;
    if (argc != 5 && !line_only)
        broken("usage: gannet-queues CPU CPU ROUNDS REPEATS [line]");
    q.cpu[0] = atoi(argv[1]);
    q.cpu[1] = atoi(argv[2]);
    q.rounds = strtoull(argv[3], NULL, 10);
    const uint64_t repeats = strtoull(argv[4], NULL, 10);
    const uint32_t modes = line_only ? 1 : MODES;
    if (q.cpu[0] == q.cpu[1] || q.rounds == 0 || repeats == 0 || repeats > REPEATS_MAX)
        broken("two CPUs, at least one round, 1 to 64 repeats");
    make();
    pin(q.cpu[0]);
    gn_clock_start(&q.clock);
    if (pthread_create(&thread, NULL, other_side, NULL) != 0)
        broken("no thread");
    for (uint32_t m = 0; m < modes; m++) {
        list[m] = json_array();
        json_object_set_new(o, mode[m].name, list[m]);
        (void)measure(m);
    }
    for (uint64_t r = 0; r < repeats; r++)
        for (uint32_t k = 0; k < modes; k++) {
            const uint32_t m = r % 2 == 0 ? k : modes - 1 - k;
            json_array_append_new(list[m], json_real(measure(m)));
        }
    atomic_store_explicit(&q.go, MODES + 1, memory_order_release);
    pthread_join(thread, NULL);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
    return EXIT_SUCCESS;
}
