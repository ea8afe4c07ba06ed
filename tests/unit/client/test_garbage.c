/* Whatever is written into the shared files: libgannet and the strategy host refuse it, and neither reads nor writes
 * outside its rings. The file's pages end at the mapping, so an access beyond it ends the program.
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/gn_test.h"
#include "tests/unit/client/fixture.h"

#define ROUNDS 3000u

static struct fixture fix;

/* ---- refused at the door ---- */

static void bad_magic(void)
{
    atomic_store(&fix.observe.hdr->magic, 1);
}

static void bad_kind(void)
{
    fix.own.hdr->kind = GN_REGION_PLANE;
}

static void bad_version(void)
{
    fix.observe.hdr->abi_version++;
}

static void bad_layout(void)
{
    fix.own.hdr->layout_hash ^= 1;
}

static void bad_epoch(void)
{
    fix.own.hdr->epoch++;
}

static void section_outside(void)
{
    fix.own.hdr->section[GN_SECTION_CLIENT].bytes = fix.own.mapped;
}

static void section_missing(void)
{
    fix.own.hdr->section[GN_SECTION_CLIENT].bytes = 0;
}

static void section_short(void)
{
    fix.own.hdr->section[GN_SECTION_CLIENT].bytes = sizeof(struct gn_client_block) + 2 * fix.ring_bytes - 1;
}

static void tops_missing(void)
{
    fix.observe.hdr->section[GN_SECTION_TOB].bytes = 0;
}

static void ring_bytes_long(void)
{
    fix.block->ring_bytes += GN_GUARD;
}

static void ring_bytes_short(void)
{
    fix.block->ring_bytes -= GN_GUARD;
}

static void ring_bytes_odd(void)
{
    fix.block->ring_bytes -= 8;
}

static void ring_magic(void)
{
    gn_client_reports(fix.block, fix.ring_bytes)->magic = 0;
}

static void ring_cells_odd(void)
{
    gn_client_intents(fix.block)->cells = 255;
}

static void ring_cells_many(void)
{
    gn_client_intents(fix.block)->cells = 512;
}

static void ring_indices(void)
{
    atomic_store(&gn_client_reports(fix.block, fix.ring_bytes)->head, FIX_CELLS + 1);
}

static void ring_record(void)
{
    struct gn_ring *r = gn_client_intents(fix.block);
    memset(r->data, 0, GN_RING_CELL);
    atomic_store(&r->head, 1); /* a record of no bytes: a walk that believed it would never end */
}

static void refused_at_open(void)
{
    static void (*const bend[])(void) = {
        bad_magic,       bad_kind,       bad_version,     bad_layout,      bad_epoch,        section_outside,
        section_missing, section_short,  tops_missing,    ring_bytes_long, ring_bytes_short, ring_bytes_odd,
        ring_magic,      ring_cells_odd, ring_cells_many, ring_indices,    ring_record,
    };
    for (uint32_t i = 0; i < GN_ARRAY_LEN(bend); i++) {
        struct gannet *g = NULL;
        char err[GANNET_ERROR_LEN];
        fix_make(&fix);
        bend[i]();
        int rc = gannet_open(fix.dir, "desk", &g, err, sizeof err);
        if (rc != GANNET_ERR_OPEN && rc != GANNET_ERR_CORRUPT)
            printf("case %u: %d\n", i, rc);
        CU_ASSERT(rc == GANNET_ERR_OPEN || rc == GANNET_ERR_CORRUPT);
        CU_ASSERT_PTR_NULL(g);
        CU_ASSERT(strlen(err) > 10);
        fix_drop(&fix);
    }
}

static void absent_files(void)
{
    struct gannet *g;
    char err[GANNET_ERROR_LEN];
    fix_make(&fix);
    CU_ASSERT_EQUAL(gannet_open(fix.dir, "nobody", &g, err, sizeof err), GANNET_ERR_OPEN);
    CU_ASSERT_EQUAL(gannet_open("/nowhere", "desk", &g, err, sizeof err), GANNET_ERR_OPEN);
    CU_ASSERT_EQUAL(gannet_open(fix.dir, "../desk", &g, err, sizeof err), GANNET_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(gannet_open(fix.dir, "", &g, NULL, 0), GANNET_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(gannet_open(NULL, "desk", &g, NULL, 0), GANNET_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(gannet_open(fix.dir, "desk", NULL, NULL, 0), GANNET_ERR_ARGUMENT);
    gannet_close(NULL);
    fix_drop(&fix);
}

/* ---- garbage while it runs ---- */

/* Bends some bytes of one ring: its header more often than its records, and often to values that are nearly right. */
static void bend_ring(struct gn_ring *r, uint64_t *rng)
{
    static const uint64_t tempting[] = {0, 1, 255, 256, 257, 512, 1ull << 24, 1ull << 31, UINT64_MAX, UINT64_MAX - 63};
    uint64_t value = gn_test_rand(rng) % 3 ? tempting[gn_test_rand(rng) % GN_ARRAY_LEN(tempting)] : gn_test_rand(rng);
    switch (gn_test_rand(rng) % 8) {
    case 0:
        r->cells = (uint32_t)value;
        break;
    case 1:
        atomic_store(&r->head, value);
        break;
    case 2:
        atomic_store(&r->tail, value);
        break;
    case 3:
        r->pending = value;
        break;
    case 4:
        atomic_fetch_add(&r->head, gn_test_rand(rng) % 8);
        break;
    default: {
        struct gn_rec *rec = (struct gn_rec *)(void *)(r->data + gn_test_rand(rng) % FIX_CELLS * GN_RING_CELL);
        rec->bytes = (uint32_t)value;
        rec->type = (uint16_t)(gn_test_rand(rng) % 14);
        break;
    }
    }
}

/* Some laps of both rings first, so that an index that is masked with a forged size points far outside. */
static void run_laps(struct gannet *g, uint64_t *rng)
{
    struct gannet_order o = {.price = 100, .qty = 10};
    struct gn_exec e = {.kind = GN_EXEC_SENT};
    struct gannet_report r;
    for (uint64_t n = 500 + gn_test_rand(rng) % 1000; n > 0; n--) {
        CU_ASSERT_EQUAL_FATAL(gannet_send_new(g, &o), GANNET_OK);
        CU_ASSERT_EQUAL_FATAL(fix_turn(&fix), 1);
        fix_report(&fix, &e);
        CU_ASSERT_EQUAL_FATAL(gannet_next_report(g, &r), 1);
    }
}

/* One forged thing at a time, at the report ring's consumer. */
static void forged_records(void)
{
    static const struct {
        uint64_t at, head;
        uint32_t bytes;
        int want;
    } rows[] = {
        {0, 2, 128, GN_RING_PEER_DONE},
        {FIX_CELLS - 2, FIX_CELLS, 128, GN_RING_PEER_DONE},
        {0, 2, 31, GN_RING_ERR_CORRUPT},                           /* shorter than its header */
        {0, 1, 128, GN_RING_ERR_CORRUPT},                          /* longer than what is published */
        {FIX_CELLS - 1, FIX_CELLS + 1, 128, GN_RING_ERR_CORRUPT},  /* across the end of the buffer */
        {0, FIX_CELLS, GN_REC_BYTES_MAX + 1, GN_RING_ERR_CORRUPT}, /* longer than any record */
        {0, FIX_CELLS + 1, 128, GN_RING_ERR_CORRUPT},              /* more published than there is room for */
        {8, 2, 128, GN_RING_ERR_CORRUPT},                          /* published end behind us */
    };
    for (uint32_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        uint8_t payload[8];
        struct gn_rec out;
        struct gn_ring_peer peer;
        fix_make(&fix);
        struct gn_ring *r = gn_client_reports(fix.block, fix.ring_bytes);
        CU_ASSERT_EQUAL_FATAL(gn_ring_peer_join_consumer(&peer, r, fix.ring_bytes), GN_RING_OK);
        peer.at = rows[i].at;
        *gn_ring_peer_cell(&peer, peer.at) = (struct gn_rec){.bytes = rows[i].bytes, .type = GN_EV_EXEC_REPORT};
        atomic_store(&r->head, rows[i].head);
        CU_ASSERT_EQUAL(gn_ring_peer_get(&peer, &out, payload, sizeof payload), rows[i].want);
        fix_drop(&fix);
    }
}

static void library_survives(void)
{
    uint64_t rng = gn_test_seed(2), refused = 0;
    struct gannet_order o = {.price = 100, .qty = 10};
    struct gn_exec e = {.kind = GN_EXEC_SENT};
    struct gannet_report r;
    struct gannet_top t;
    for (uint32_t round = 0; round < ROUNDS / 10; round++) {
        fix_make(&fix);
        struct gannet *g = fix_open(&fix);
        run_laps(g, &rng);
        for (uint32_t i = 0; i < 20; i++) {
            fix_report(&fix, &e);
            bend_ring(gn_test_rand(&rng) & 1 ? gn_client_intents(fix.block)
                                             : gn_client_reports(fix.block, fix.ring_bytes),
                      &rng);
            atomic_store(&fix.instruments->count, (uint32_t)gn_test_rand(&rng));
            int rc = gannet_send_new(g, &o);
            CU_ASSERT(rc == GANNET_OK || rc == GANNET_ERR_FULL || rc == GANNET_ERR_CORRUPT ||
                      rc == GANNET_ERR_INSTRUMENT);
            CU_ASSERT(gannet_instruments(g) <= FIX_INSTRUMENTS);
            rc = gannet_top(g, (uint32_t)gn_test_rand(&rng) % 32, &t);
            CU_ASSERT(rc == GANNET_OK || rc == GANNET_ERR_INSTRUMENT);
            for (uint32_t k = 0; k < 4 && (rc = gannet_next_report(g, &r)) == 1; k++)
                CU_ASSERT(r.kind >= GANNET_SENT && r.kind <= GANNET_RESTATED && r.instrument < FIX_INSTRUMENTS);
        }
        refused += gannet_next_report(g, &r) == GANNET_ERR_CORRUPT;
        gannet_close(g);
        fix_drop(&fix);
    }
    CU_ASSERT(refused > ROUNDS / 100);
}

/* The host at the mercy of its client: what it writes stays within the data of the report ring and its two indices. */
static void host_survives(void)
{
    uint64_t rng = gn_test_seed(3), bad = 0;
    struct gn_exec e = {.kind = GN_EXEC_SENT};
    for (uint32_t round = 0; round < ROUNDS / 10; round++) {
        fix_make(&fix);
        struct gn_ring *reports = gn_client_reports(fix.block, fix.ring_bytes);
        uint8_t *end = reports->data + FIX_CELLS * GN_RING_CELL;
        uint64_t behind = fix.own.mapped - (uint64_t)(end - (uint8_t *)fix.own.hdr);
        CU_ASSERT_FATAL(behind > 0);
        struct gannet *g = fix_open(&fix);
        run_laps(g, &rng);
        gannet_close(g);
        memset(end, 0xa5, behind);
        for (uint32_t i = 0; i < 40; i++) {
            bend_ring(gn_client_intents(fix.block), &rng);
            bend_ring(reports, &rng);
            CU_ASSERT(fix_turn(&fix) <= 8);
            fix_report(&fix, &e);
        }
        uint64_t whole = 0;
        while (whole < behind && end[whole] == 0xa5)
            whole++;
        CU_ASSERT_EQUAL(whole, behind);
        bad += fix.host.client_bad != 0;
        fix_drop(&fix);
    }
    CU_ASSERT(bad > ROUNDS / 100);
}

GN_TEST_MAIN("libgannet and garbage", {"refused at open", refused_at_open}, {"absent files and names", absent_files},
             {"forged records", forged_records}, {"the library survives", library_survives},
             {"the host survives", host_survives})
