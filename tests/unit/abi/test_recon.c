/* Tables of breaks and of fills: bounded, readable while they are written, whole again after a death. */
#include "dataplane/abi/recon.h"
#include "tests/gn_test.h"

#define CAPACITY 64u

static struct gn_recon recon;

static struct gn_fills *fills(void)
{
    struct gn_fills *t = calloc(1, gn_fills_footprint(CAPACITY));
    gn_fills_new(t, CAPACITY);
    return t;
}

static struct gn_fill *add(struct gn_fills *t, uint32_t user_ref, uint64_t match, int64_t qty)
{
    struct gn_fill *f = gn_fills_begin(t, match);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    f->user_ref = user_ref;
    f->session = 1;
    f->qty = qty;
    f->state = GN_FILL_STANDS;
    gn_fills_commit(t, f);
    return f;
}

static void breaks_are_kept_counted_and_resolved(void)
{
    struct gn_break b = {.kind = GN_BREAK_FILL_QTY, .ours = 3, .theirs = 4}, got;
    memset(&recon, 0, sizeof recon);
    CU_ASSERT_EQUAL(gn_break_note(NULL, &b), 0);
    for (uint32_t i = 1; i <= 2 * GN_BREAKS_MAX + 5; i++)
        CU_ASSERT_EQUAL(gn_break_note(&recon, &b), i);
    CU_ASSERT_EQUAL(recon.total, 2 * GN_BREAKS_MAX + 5);
    CU_ASSERT_EQUAL(recon.open, GN_BREAKS_MAX); /* those that gave way are in the journal */
    CU_ASSERT_EQUAL(recon.by_class[GN_BREAK_FILL_QTY], 2 * GN_BREAKS_MAX + 5);
    CU_ASSERT_FALSE(gn_break_read(&recon, 0, &got));
    CU_ASSERT_FALSE(gn_break_read(&recon, GN_BREAKS_MAX + 5, &got));
    CU_ASSERT_FALSE(gn_break_read(&recon, recon.total + 1, &got));
    CU_ASSERT_TRUE_FATAL(gn_break_read(&recon, GN_BREAKS_MAX + 6, &got));
    CU_ASSERT_EQUAL(got.state, GN_BREAK_OPEN);
    CU_ASSERT_EQUAL(got.theirs, 4);
    gn_break_resolve(&recon, GN_BREAKS_MAX + 6, 77);
    gn_break_resolve(&recon, GN_BREAKS_MAX + 6, 78);
    gn_break_resolve(&recon, 3, 78);
    gn_break_resolve(&recon, 0, 78);
    CU_ASSERT_TRUE_FATAL(gn_break_read(&recon, GN_BREAKS_MAX + 6, &got));
    CU_ASSERT_EQUAL(got.state, GN_BREAK_RESOLVED);
    CU_ASSERT_EQUAL(got.resolved_ns, 77);
    CU_ASSERT_EQUAL(recon.open, GN_BREAKS_MAX - 1);
    b.state = GN_BREAK_NOTED;
    (void)gn_break_note(&recon, &b); /* takes the row of an open one */
    CU_ASSERT_EQUAL(recon.open,
                    GN_BREAKS_MAX - 1 - (recon.total % GN_BREAKS_MAX != (GN_BREAKS_MAX + 6) % GN_BREAKS_MAX));
    for (uint32_t k = 1; k < GN_BREAK_CLASS_COUNT; k++)
        CU_ASSERT_TRUE(strcmp(gn_break_name(k), "unknown") == 0 ||
                       (gn_break_severity(k) >= 1 && gn_break_severity(k) <= 4));
    CU_ASSERT_STRING_EQUAL(gn_break_name(GN_BREAK_OVERFILL), "overfill");
    CU_ASSERT_STRING_EQUAL(gn_break_name(GN_BREAK_CLASS_COUNT), "unknown");
    CU_ASSERT_EQUAL(gn_break_severity(999), 2);
}

static void a_row_under_the_pen_is_not_read(void)
{
    struct gn_break b = {.kind = GN_BREAK_FILL_PRICE}, got;
    memset(&recon, 0, sizeof recon);
    uint64_t seq = gn_break_note(&recon, &b);
    atomic_store(&recon.row[seq % GN_BREAKS_MAX].seq, 0);
    CU_ASSERT_FALSE(gn_break_read(&recon, seq, &got));
}

static void fills_are_found_by_order_and_match(void)
{
    struct gn_fills *t = fills();
    struct gn_fill *a = add(t, 7, 1000, 5), *b = add(t, 8, 1000, 6), got;
    CU_ASSERT_PTR_EQUAL(gn_fills_find(t, 1, 7, 1000), a); /* two orders of ours met: one match number */
    CU_ASSERT_PTR_EQUAL(gn_fills_find(t, 1, 8, 1000), b);
    CU_ASSERT_PTR_NULL(gn_fills_find(t, 0, 8, 1000));
    CU_ASSERT_PTR_NULL(gn_fills_find(t, 1, 8, 1001));
    CU_ASSERT_PTR_NULL(gn_fills_find(NULL, 1, 8, 1000));
    CU_ASSERT_PTR_NULL(gn_fills_begin(NULL, 1));
    gn_fills_change(a, GN_FILL_BROKEN, 1, 2, 3, 'A');
    CU_ASSERT_TRUE_FATAL(gn_fill_read(t, 1, &got));
    CU_ASSERT_TRUE(got.state == GN_FILL_BROKEN && got.price == 1 && got.qty == 2 && got.fee == 3);
    CU_ASSERT_FALSE(gn_fill_read(t, 3, &got));
    free(t);
}

/* The last CAPACITY are found, older ones are not, whatever the chains have been through; against a plain list. */
static void the_last_ones_are_found(void)
{
    static struct {
        uint32_t ref;
        uint64_t match;
    } list[20000];
    struct gn_fills *t = fills();
    uint64_t seed = gn_test_seed(17);
    for (uint32_t n = 0; n < GN_ARRAY_LEN(list); n++) {
        list[n].ref = (uint32_t)(gn_test_rand(&seed) % 9);
        list[n].match = n + gn_test_rand(&seed) % 3 * 1000000;
        struct gn_fill *f = add(t, list[n].ref, list[n].match, n);
        CU_ASSERT_PTR_EQUAL_FATAL(gn_fills_find(t, 1, list[n].ref, list[n].match), f);
        if (gn_test_rand(&seed) % 500 == 0)
            CU_ASSERT_TRUE_FATAL(gn_fills_join(t, CAPACITY));
        uint32_t back = (uint32_t)(gn_test_rand(&seed) % (2 * CAPACITY));
        if (back > n)
            continue;
        f = gn_fills_find(t, 1, list[n - back].ref, list[n - back].match);
        bool kept = back < CAPACITY - 1; /* a join leaves out the oldest */
        CU_ASSERT_TRUE_FATAL(kept ? f != NULL && f->qty == n - back : back == CAPACITY - 1 || f == NULL);
    }
    CU_ASSERT_FALSE(gn_fills_join(t, 2 * CAPACITY));
    free(t);
}

/* Death at any point of adding a fill: the others are there, the unfinished one is not. */
static void a_death_inside_an_addition(void)
{
    for (uint32_t n = 1; n < 3 * CAPACITY; n++) {
        struct gn_fills *t = fills();
        for (uint32_t i = 1; i <= n; i++)
            (void)add(t, i, 100 + i, i);
        struct gn_fill *f = gn_fills_begin(t, 999999);
        f->user_ref = 12345;
        atomic_store(&f->seq, n + 1); /* as far as it can be without counting */
        CU_ASSERT_TRUE_FATAL(gn_fills_join(t, CAPACITY));
        CU_ASSERT_PTR_NULL(gn_fills_find(t, f->session, 12345, 999999));
        for (uint32_t i = n > CAPACITY - 1 ? n - CAPACITY + 2 : 1; i <= n; i++)
            CU_ASSERT_PTR_NOT_NULL_FATAL(gn_fills_find(t, 1, i, 100 + i));
        free(t);
    }
}

static void fees(void)
{
    CU_ASSERT_EQUAL(gn_fee_of(-2000, 3000, 'A', 10), -20000);
    CU_ASSERT_EQUAL(gn_fee_of(-2000, 3000, 'R', 10), 30000);
    CU_ASSERT_EQUAL(gn_fee_of(-2000, 3000, 0, 10), 30000);
}

GN_TEST_MAIN("recon", {"breaks are kept, counted and resolved", breaks_are_kept_counted_and_resolved},
             {"a row under the pen is not read", a_row_under_the_pen_is_not_read},
             {"fills are found by order and match", fills_are_found_by_order_and_match},
             {"the last ones are found", the_last_ones_are_found},
             {"a death inside an addition", a_death_inside_an_addition}, {"fees", fees})
