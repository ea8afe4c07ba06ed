#include "tests/unit/client/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/gn_test.h"

static void create(struct fixture *f, const char *what, const struct gn_region_plan *plan, struct gn_region *out)
{
    char path[2 * GN_PATH_MAX], link[2 * GN_PATH_MAX], err[GN_REGION_ERR_LEN];
    CU_ASSERT_FATAL(gn_region_path(&f->conf, what, path, sizeof path));
    CU_ASSERT_EQUAL_FATAL(gn_region_create(path, plan, out, err), 0);
    snprintf(link, sizeof link, "%s/%s", f->dir, what);
    CU_ASSERT_EQUAL_FATAL(symlink(path, link), 0);
}

static void fill_observe(struct fixture *f)
{
    static const char symbols[2][8] = {"AAPL    ", "MSFT    "};
    f->instruments = gn_region_at(&f->observe, GN_SECTION_INSTRUMENTS);
    f->tob = gn_region_at(&f->observe, GN_SECTION_TOB);
    f->instruments->capacity = FIX_INSTRUMENTS;
    f->instruments->configured = 2;
    for (uint32_t i = 0; i < 2; i++) {
        struct gn_instrument *k = &f->instruments->row[i];
        memcpy(k->symbol, symbols[i], sizeof k->symbol);
        k->price_exp = -4;
        k->strategy = i == 0 ? 1 : 0;
        k->tick = 100;
        k->lot = 10;
        k->configured = 1;
    }
    atomic_store(&f->instruments->count, 2);
    gn_region_seal(&f->observe);
}

void fix_host(struct fixture *f)
{
    memset(&f->host, 0, sizeof f->host);
    f->host.conf = &f->strategy;
    f->host.index = 1;
    f->host.max_instruments = FIX_INSTRUMENTS;
    f->host.client = f->block;
    f->host.client_ring_bytes = f->ring_bytes;
}

void fix_make(struct fixture *f)
{
    struct gn_region_plan plan;
    memset(f, 0, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/gannet-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(f->dir));
    snprintf(f->conf.instance, sizeof f->conf.instance, "fix");
    snprintf(f->conf.run_dir, sizeof f->conf.run_dir, "%s", f->dir);
    f->conf.max_instruments = FIX_INSTRUMENTS;
    f->conf.client_ring_cells = FIX_CELLS;
    f->strategy.session = 2;
    CU_ASSERT_FATAL(gn_region_plan_observe(&plan, &f->conf, 7));
    create(f, "observe", &plan, &f->observe);
    fill_observe(f);
    CU_ASSERT_FATAL(gn_region_plan_client(&plan, &f->conf, 7));
    create(f, "client-desk", &plan, &f->own);
    f->ring_bytes = gn_align_up(gn_ring_footprint(FIX_CELLS), GN_GUARD);
    f->block = gn_region_at(&f->own, GN_SECTION_CLIENT);
    f->block->ring_bytes = f->ring_bytes;
    f->block->strategy = 1;
    CU_ASSERT_EQUAL_FATAL(gn_ring_new(gn_client_intents(f->block), FIX_CELLS, 0), GN_RING_OK);
    CU_ASSERT_EQUAL_FATAL(gn_ring_new(gn_client_reports(f->block, f->ring_bytes), FIX_CELLS, 0), GN_RING_OK);
    gn_region_seal(&f->own);
    fix_host(f);
}

void fix_drop(struct fixture *f)
{
    static const char *const names[] = {"observe", "client-desk", "gannet-fix-observe", "gannet-fix-client-desk"};
    char path[2 * GN_PATH_MAX];
    gn_region_detach(&f->observe);
    gn_region_detach(&f->own);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        (void)unlink(path);
    }
    CU_ASSERT_EQUAL(rmdir(f->dir), 0);
}

uint32_t fix_turn(struct fixture *f)
{
    f->host.n = 0;
    gn_strategy_client.on_timer(NULL, &f->host);
    return f->host.n;
}

void fix_report(struct fixture *f, const struct gn_exec *e)
{
    gn_strategy_client.on_exec(NULL, &f->host, e);
}

struct gannet *fix_open(const struct fixture *f)
{
    struct gannet *g = NULL;
    char err[GANNET_ERROR_LEN];
    int rc = gannet_open(f->dir, "desk", &g, err, sizeof err);
    if (rc != GANNET_OK)
        printf("gannet_open: %s\n", err);
    CU_ASSERT_EQUAL_FATAL(rc, GANNET_OK);
    return g;
}
