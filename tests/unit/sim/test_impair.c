#include "tests/gn_test.h"

#include "tools/venue-sim/impair.h"

static void percentages_are_parsed(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t ppm;
    } row[] = {
        {"0", true, 0},
        {"1%", true, 10000},
        {"0.5%", true, 5000},
        {"0.0001%", true, 1},
        {"100%", true, 1000000},
        {"1000000", true, 1000000},
        {"250", true, 250},
        {"12.34%", true, 123400},
        {"100.1%", false, 0},
        {"101%", false, 0},
        {"1000001", false, 0},
        {"", false, 0},
        {"x", false, 0},
        {"-1", false, 0},
        {"1.5", false, 0},
        {"1%%", false, 0},
        {"99999999999999999999", false, 0},
    };
    for (uint32_t i = 0; i < GN_ARRAY_LEN(row); i++) {
        uint64_t ppm = 0;
        bool ok = gn_impair_ppm(row[i].text, &ppm);
        CU_ASSERT_EQUAL(ok, row[i].ok);
        if (ok)
            CU_ASSERT_EQUAL(ppm, row[i].ppm);
    }
}

static void defaults_do_nothing(void)
{
    static struct gn_impair im;
    struct gn_impair_config cfg;
    struct gn_impair_fate f[2];
    gn_impair_defaults(&cfg);
    CU_ASSERT_PTR_NULL(gn_impair_check(&cfg));
    gn_impair_init(&im, &cfg);
    for (int i = 0; i < 1000; i++) {
        gn_impair_fates(&im, f);
        CU_ASSERT_TRUE(f[0].copies == 1 && f[1].copies == 1 && !f[0].hold && !f[1].hold && !f[0].garbage);
        CU_ASSERT_FALSE(gn_impair_reject(&im));
        CU_ASSERT_FALSE(gn_impair_break(&im));
    }
}

static void bad_options_are_named(void)
{
    struct gn_impair_config cfg;
    gn_impair_defaults(&cfg);
    cfg.drop_b = 1000001;
    CU_ASSERT_STRING_EQUAL(gn_impair_check(&cfg), "drop-b");
    gn_impair_defaults(&cfg);
    cfg.reorder_by = 0;
    CU_ASSERT_STRING_EQUAL(gn_impair_check(&cfg), "reorder-by");
    gn_impair_defaults(&cfg);
    cfg.part_fill_pct = 101;
    CU_ASSERT_STRING_EQUAL(gn_impair_check(&cfg), "part-fill-pct");
}

static void shares_and_independence(void)
{
    enum { N = 200000 };
    static struct gn_impair im;
    struct gn_impair_config cfg;
    struct gn_impair_fate f[2];
    uint64_t both = 0, a = 0, b = 0;
    gn_impair_defaults(&cfg);
    cfg.seed = gn_test_seed(3);
    cfg.drop_a = 100000;
    cfg.drop_b = 200000;
    cfg.gap = 0;
    gn_impair_init(&im, &cfg);
    for (int i = 0; i < N; i++) {
        gn_impair_fates(&im, f);
        a += f[0].copies == 0;
        b += f[1].copies == 0;
        both += f[0].copies == 0 && f[1].copies == 0;
    }
    CU_ASSERT_TRUE(a > N / 10 - N / 100 && a < N / 10 + N / 100);
    CU_ASSERT_TRUE(b > N / 5 - N / 100 && b < N / 5 + N / 100);
    CU_ASSERT_TRUE(both > N / 50 - N / 200 && both < N / 50 + N / 200);
    CU_ASSERT_EQUAL(im.line[0].stats.dropped, a);
    CU_ASSERT_EQUAL(im.line[1].stats.dropped, b);

    cfg.drop_a = cfg.drop_b = 0;
    cfg.gap = 50000;
    gn_impair_init(&im, &cfg);
    for (int i = 0; i < N; i++) {
        gn_impair_fates(&im, f);
        CU_ASSERT_EQUAL_FATAL(f[0].copies, f[1].copies);
    }
    CU_ASSERT_TRUE(im.line[0].stats.gapped > N / 20 - N / 100 && im.line[0].stats.gapped < N / 20 + N / 100);
}

static void same_seed_same_fates(void)
{
    static struct gn_impair x, y;
    struct gn_impair_config cfg;
    struct gn_impair_fate f[2], g[2];
    gn_impair_defaults(&cfg);
    cfg.seed = 77;
    cfg.drop_a = cfg.duplicate = cfg.reorder = cfg.md_garbage = 300000;
    gn_impair_init(&x, &cfg);
    gn_impair_init(&y, &cfg);
    for (int i = 0; i < 5000; i++) {
        gn_impair_fates(&x, f);
        gn_impair_fates(&y, g);
        CU_ASSERT_EQUAL_FATAL(memcmp(f, g, sizeof f), 0);
    }
}

/* Every packet that is held comes out once, unharmed, and after exactly reorder_by others of its line. */
static void held_packets_come_back(void)
{
    static struct gn_impair im;
    static uint8_t seen[2][4001];
    struct gn_impair_config cfg;
    struct gn_impair_fate f[2];
    uint8_t packet[8];
    uint64_t held = 0, released = 0;
    gn_impair_defaults(&cfg);
    cfg.reorder = 100000;
    cfg.reorder_by = 5;
    gn_impair_init(&im, &cfg);
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 1; i <= 4000; i++) {
        gn_impair_fates(&im, f);
        for (uint32_t line = 0; line < 2; line++) {
            gn_store_be64(packet, i);
            if (f[line].hold && gn_impair_hold(&im, line, packet, sizeof packet))
                held++;
            else
                seen[line][i]++;
            const struct gn_impair_held *h;
            while ((h = gn_impair_release(&im, line, false)) != NULL) {
                CU_ASSERT_EQUAL(h->len, sizeof packet);
                CU_ASSERT_EQUAL(gn_load_be64(h->bytes) + 5, i);
                seen[line][gn_load_be64(h->bytes)]++;
                released++;
            }
        }
    }
    const struct gn_impair_held *h;
    for (uint32_t line = 0; line < 2; line++)
        while ((h = gn_impair_release(&im, line, true)) != NULL) {
            seen[line][gn_load_be64(h->bytes)]++;
            released++;
        }
    CU_ASSERT_TRUE(held > 500);
    CU_ASSERT_EQUAL(held, released);
    for (uint32_t line = 0; line < 2; line++)
        for (uint64_t i = 1; i <= 4000; i++)
            CU_ASSERT_EQUAL(seen[line][i], 1);
}

static void order_side_counts(void)
{
    static struct gn_impair im;
    struct gn_impair_config cfg;
    gn_impair_defaults(&cfg);
    cfg.reject_every = 3;
    cfg.break_every = 2;
    gn_impair_init(&im, &cfg);
    for (int i = 1; i <= 12; i++) {
        CU_ASSERT_EQUAL(gn_impair_reject(&im), i % 3 == 0);
        CU_ASSERT_EQUAL(gn_impair_break(&im), i % 2 == 0);
    }
}

GN_TEST_MAIN("sim impair", {"percentages are parsed", percentages_are_parsed},
             {"defaults do nothing", defaults_do_nothing}, {"bad options are named", bad_options_are_named},
             {"shares and independence", shares_and_independence}, {"same seed, same fates", same_seed_same_fates},
             {"held packets come back", held_packets_come_back}, {"order side counts", order_side_counts})
