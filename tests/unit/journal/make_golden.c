/* Writes the golden journal of the format version in force into a folder: always the same bytes. Run once at a release:
 *
 *      build/tests/unit/journal/make_golden tests/unit/journal/golden/1.2
 *
 * Forty orders of two instruments are sent, accepted, filled in part, cancelled, replaced; sessions come and go; a
 * limit changes; the control plane closes and opens again in between. What it must come to stands in test_golden.c.
 */
#include "tests/unit/journal/fixture.h"
#include "tests/unit/journal/mem_disk.h"

#include <sys/stat.h>

#include "dataplane/abi/control.h"
#include "dataplane/abi/orders.h"

static struct fx f;
static struct mem_disk disk;

static void put(uint16_t type, const void *payload, uint32_t bytes, uint64_t corr)
{
    struct gn_rec *rec = gn_ring_reserve(f.ring[1], type, (uint32_t)sizeof *rec + bytes);
    if (rec == NULL)
        abort();
    rec->time_ns = FX_NOW_NS + rec->seq * 1000;
    rec->corr = corr;
    rec->flags = type == GN_EV_LIMITS ? 0 : 1;
    memcpy(rec + 1, payload, bytes);
    gn_ring_publish(f.ring[1]);
}

static void session(uint16_t state)
{
    const struct gn_ev_session e = {.state = state, .next_seq = 1};
    put(GN_EV_SESSION, &e, sizeof e, 1);
}

static void exec(struct gn_exec e, uint64_t venue_seq)
{
    const struct gn_ev_exec ev = {.exec = e, .venue_seq = venue_seq};
    put(GN_EV_EXEC, &ev, sizeof ev, e.order_id);
}

/* One order's life; the position follows. */
static void order(uint64_t n, int64_t position[2])
{
    const uint32_t k = n & 1;
    const uint64_t id = gn_order_id(9, 1, n);
    const bool buy = n % 3 != 0;
    const struct gn_ev_order o = {.intent = {.action = GN_ACTION_NEW,
                                             .side = buy ? GN_SIDE_BUY : GN_SIDE_SELL,
                                             .instrument = k,
                                             .price = 1000000 + (int64_t)n * 100,
                                             .qty = 100,
                                             .tick_seq = n * 10},
                                  .order_id = id,
                                  .user_ref = (uint32_t)n};
    struct gn_exec e = {.kind = GN_EXEC_ACCEPTED,
                        .side = o.intent.side,
                        .state = GN_ORDER_LIVE,
                        .instrument = k,
                        .order_id = id,
                        .price = o.intent.price,
                        .qty = 100,
                        .leaves = 100,
                        .position = position[k]};
    put(GN_EV_ORDER, &o, sizeof o, n * 10);
    exec(e, 4 * n);
    e.kind = GN_EXEC_FILLED;
    e.qty = 40;
    e.leaves = 60;
    e.cum = 40;
    e.match = n;
    e.position = position[k] += buy ? 40 : -40;
    exec(e, 4 * n + 1);
    if (n % 4 == 0)
        return; /* this one goes on working */
    const struct gn_ev_cancel c = {.order_id = id,
                                   .cause = 1ull << 16 | GN_LADDER_KILLED,
                                   .instrument = k,
                                   .user_ref = (uint32_t)n,
                                   .why = GN_CANCEL_BY_KILL};
    put(GN_EV_CANCEL, &c, sizeof c, id);
    e.kind = GN_EXEC_CANCELED;
    e.state = GN_ORDER_CANCELED;
    e.qty = 60;
    e.leaves = 0;
    exec(e, 4 * n + 2);
}

static void life(const struct gn_journal_io *io, uint64_t from, uint64_t to, int64_t position[2])
{
    struct gn_journal *j;
    (void)io;
    if (fx_open(&f, &j) != GN_JOURNAL_OK)
        abort();
    session(GN_SESSION_UP);
    for (uint64_t n = from; n < to; n++) {
        order(n, position);
        if (gn_journal_flush(j, FX_NOW_NS + n) != GN_JOURNAL_OK)
            abort();
    }
    const struct gn_ev_limits l = {.generation = to, .instrument = 1, .field = 2, .new_value = (int64_t)to};
    put(GN_EV_LIMITS, &l, sizeof l, to);
    if (gn_journal_close(j, FX_NOW_NS + to) != GN_JOURNAL_OK)
        abort();
}

int main(int argc, char **argv)
{
    static const uint8_t seed[32] = {7};
    int64_t position[2] = {0, 0};
    if (argc != 2) {
        fprintf(stderr, "usage: make_golden FOLDER\n");
        return EXIT_FAILURE;
    }
    fx_new(&f);
    const struct gn_journal_io io = md_io(&disk);
    struct gn_journal_key *key = gn_journal_key_from_seed(seed);
    f.conf.io = &io;
    f.conf.key = key;
    f.conf.segment_bytes = GN_JOURNAL_BLOCK + 2 * FX_BATCH_BYTES;
    disk.commit_ns = 200000000; /* so that a checkpoint comes every few batches */
    life(&io, 1, 21, position);
    life(&io, 21, 41, position);
    (void)mkdir(argv[1], 0755);
    for (int i = 0; i < MD_FILES; i++) {
        char path[512];
        bool used = false;
        for (uint64_t k = 0; disk.file[i].data != NULL && k < disk.file[i].bytes; k++)
            used = used || disk.file[i].data[k] != 0;
        if (!used)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], disk.file[i].name);
        FILE *out = fopen(path, "w");
        if (out == NULL || fwrite(disk.file[i].data, 1, disk.file[i].bytes, out) != disk.file[i].bytes ||
            fclose(out) != 0)
            abort();
    }
    printf("positions %lld %lld\n", (long long)position[0], (long long)position[1]);
    gn_journal_key_free(key);
    md_free(&disk);
    fx_free(&f);
    return EXIT_SUCCESS;
}
