#include "tests/gn_test.h"

#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/unit/sim/itch_write.h"
#include "tools/venue-sim/book.h"
#include "tools/venue-sim/market.h"

enum { N = 300000 };

static struct gn_market *generator(uint64_t seed, uint64_t messages, uint32_t instruments)
{
    struct gn_gen_config cfg = {.seed = seed, .messages = messages, .instruments = instruments};
    struct gn_market *m;
    CU_ASSERT_EQUAL_FATAL(gn_market_open_generator(&m, &cfg), GN_MARKET_OK);
    return m;
}

/* An independent book accepts every generated message, never sees a crossed book, and stays within the bounds. */
static void generated_flow_is_consistent(void)
{
    struct gn_market *m = generator(gn_test_seed(1), N, 50);
    struct gn_sim_books *b = gn_sim_books_new(1 << 17, 64);
    struct gn_sim_change c;
    uint64_t kinds[256] = {0}, n = 0, moved = 0, time_ns, last_ns = 0;
    uint8_t msg[GN_MARKET_MSG_MAX];
    int len;
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    while ((len = gn_market_next(m, msg, sizeof msg, &time_ns)) > 0) {
        CU_ASSERT_EQUAL_FATAL(gn_sim_books_apply(b, msg, (size_t)len, &c), GN_SIM_BOOK_OK);
        CU_ASSERT_TRUE_FATAL(time_ns >= last_ns && gn_load_be48(msg + 5) == time_ns);
        last_ns = time_ns;
        kinds[msg[0]]++;
        n++;
        moved += c.best_moved;
        if (c.instrument == GN_NONE32)
            continue;
        struct gn_sim_book *book = gn_sim_books_get(b, c.instrument);
        const struct gn_sim_level *bid = gn_sim_best(book, GN_SIDE_BUY), *ask = gn_sim_best(book, GN_SIDE_SELL);
        CU_ASSERT_TRUE_FATAL(book->live <= GN_GEN_LIVE_MAX);
        if (bid != NULL && ask != NULL)
            CU_ASSERT_TRUE_FATAL(bid->price < ask->price);
        if (bid != NULL)
            CU_ASSERT_EQUAL_FATAL(bid->price % GN_GEN_TICK, 0);
    }
    CU_ASSERT_EQUAL(n, N);
    CU_ASSERT_EQUAL(kinds['R'], 50);
    CU_ASSERT_EQUAL(kinds['H'], 50);
    CU_ASSERT_EQUAL(kinds['S'], 6);
    CU_ASSERT_TRUE(kinds['A'] * 100 > n * 42 && kinds['A'] * 100 < n * 54);
    CU_ASSERT_TRUE(kinds['D'] * 100 > n * 34 && kinds['D'] * 100 < n * 45);
    CU_ASSERT_TRUE(kinds['U'] * 100 > n * 5 && kinds['U'] * 100 < n * 9);
    CU_ASSERT_TRUE((kinds['E'] + kinds['C']) * 100 > n * 3 && (kinds['E'] + kinds['C']) * 100 < n * 7);
    CU_ASSERT_TRUE(kinds['F'] > 0 && kinds['C'] > 0 && kinds['X'] > 0 && kinds['P'] > 0);
    CU_ASSERT_TRUE(moved * 100 > n * 4 && moved * 100 < n * 11);
    gn_sim_books_free(b);
    gn_market_close(m);
}

static void same_seed_same_bytes(void)
{
    struct gn_market *x = generator(9, 20000, 7), *y = generator(9, 20000, 7), *z = generator(10, 20000, 7);
    uint8_t a[64], b[64], c[64];
    uint64_t ta, tb, tc, different = 0;
    int la;
    while ((la = gn_market_next(x, a, sizeof a, &ta)) > 0) {
        CU_ASSERT_EQUAL_FATAL(gn_market_next(y, b, sizeof b, &tb), la);
        CU_ASSERT_TRUE_FATAL(memcmp(a, b, (size_t)la) == 0 && ta == tb);
        int lc = gn_market_next(z, c, sizeof c, &tc);
        different += lc != la || memcmp(a, c, (size_t)la) != 0;
    }
    CU_ASSERT_TRUE(different > 10000);
    gn_market_close(x);
    gn_market_close(y);
    gn_market_close(z);
}

/* The busiest instrument has far more than its even share, and none is silent. */
static void activity_follows_a_power_law(void)
{
    static uint64_t count[65];
    struct gn_market *m = generator(4, N, 64);
    uint8_t msg[64];
    uint64_t t;
    memset(count, 0, sizeof count);
    while (gn_market_next(m, msg, sizeof msg, &t) > 0)
        count[gn_load_be16(msg + 1)]++;
    CU_ASSERT_TRUE(count[1] > N / 8);
    CU_ASSERT_TRUE(count[1] > 4 * count[8]);
    for (uint32_t i = 1; i <= 64; i++)
        CU_ASSERT_TRUE(count[i] > 100);
    gn_market_close(m);
}

static void bad_generator_configs(void)
{
    struct gn_market *m;
    struct gn_gen_config cfg = {.instruments = 0};
    CU_ASSERT_EQUAL(gn_market_open_generator(&m, &cfg), GN_MARKET_ERR_CONFIG);
    CU_ASSERT_PTR_NULL(m);
    cfg.instruments = GN_GEN_INSTRUMENTS_MAX + 1;
    CU_ASSERT_EQUAL(gn_market_open_generator(&m, &cfg), GN_MARKET_ERR_CONFIG);
    cfg.instruments = 1;
    cfg.live_target = GN_GEN_LIVE_MAX + 1;
    CU_ASSERT_EQUAL(gn_market_open_generator(&m, &cfg), GN_MARKET_ERR_CONFIG);
}

static size_t frame(uint8_t *out, const uint8_t *msg, size_t len)
{
    gn_store_be16(out, (uint16_t)len);
    memcpy(out + 2, msg, len);
    return len + 2;
}

static size_t sample_file(uint8_t *out)
{
    uint8_t msg[64];
    size_t at = 0;
    at += frame(out + at, msg, itch_add(msg, 1, 7, 'B', 100, "AAA     ", 10000));
    at += frame(out + at, msg, itch_add(msg, 2, 8, 'S', 100, "BBB     ", 20000));
    at += frame(out + at, msg, itch_add(msg, 1, 9, 'S', 100, "AAA     ", 11000));
    return at;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len, bool gz)
{
    if (gz) {
        gzFile f = gzopen(path, "wb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        CU_ASSERT_EQUAL(gzwrite(f, bytes, (unsigned)len), (int)len);
        gzclose(f);
        return;
    }
    FILE *f = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static void files_plain_and_gzipped(void)
{
    char path[] = "/tmp/gn_market_XXXXXX";
    uint8_t bytes[256], msg[64];
    uint64_t bad, t;
    size_t len = sample_file(bytes);
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
    for (int gz = 0; gz < 2; gz++) {
        struct gn_market *m;
        write_file(path, bytes, len, gz == 1);
        CU_ASSERT_EQUAL_FATAL(gn_market_open_file(&m, path, &bad), GN_MARKET_OK);
        CU_ASSERT_EQUAL(gn_market_messages(m), 3);
        CU_ASSERT_EQUAL(gn_market_next(m, msg, 10, &t), GN_MARKET_ERR_SIZE);
        for (int i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(gn_market_next(m, msg, sizeof msg, &t), 36);
            CU_ASSERT_EQUAL(gn_load_be64(msg + 11), (uint64_t)(7 + i));
            CU_ASSERT_EQUAL(t, 34200000000000ull);
        }
        CU_ASSERT_EQUAL(gn_market_next(m, msg, sizeof msg, &t), 0);
        CU_ASSERT_EQUAL(gn_market_next(m, msg, sizeof msg, &t), 0);
        gn_market_close(m);
    }
    /* a gzip stream that is cut off is an error, not a short file */
    CU_ASSERT_EQUAL(truncate(path, 40), 0);
    struct gn_market *m;
    CU_ASSERT_EQUAL(gn_market_open_file(&m, path, &bad), GN_MARKET_ERR_READ);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    CU_ASSERT_EQUAL(gn_market_open_file(&m, path, &bad), GN_MARKET_ERR_EMPTY);
    unlink(path);
    CU_ASSERT_EQUAL(gn_market_open_file(&m, path, &bad), GN_MARKET_ERR_OPEN);
}

static void broken_files(void)
{
    uint8_t bytes[256];
    uint64_t bad;
    struct gn_market *m;
    size_t len = sample_file(bytes);
    for (size_t cut = 0; cut < len; cut++) {
        int err = gn_market_open_bytes(&m, bytes, cut, &bad);
        bool whole = cut % 38 == 0;
        CU_ASSERT_EQUAL(err, cut == 0 ? GN_MARKET_ERR_EMPTY : whole ? GN_MARKET_OK : GN_MARKET_ERR_TRUNCATED);
        if (err == GN_MARKET_ERR_TRUNCATED)
            CU_ASSERT_EQUAL(bad, cut / 38 * 38);
        CU_ASSERT_EQUAL(m != NULL, cut >= 38);
        gn_market_close(m);
    }
    gn_store_be16(bytes + 38, 5); /* shorter than an ITCH header */
    CU_ASSERT_EQUAL(gn_market_open_bytes(&m, bytes, len, &bad), GN_MARKET_ERR_LENGTH);
    CU_ASSERT_EQUAL(bad, 38);
    CU_ASSERT_PTR_NULL(m);
    gn_store_be16(bytes + 38, 0); /* ends a BinaryFILE */
    CU_ASSERT_EQUAL_FATAL(gn_market_open_bytes(&m, bytes, len, &bad), GN_MARKET_OK);
    CU_ASSERT_EQUAL(gn_market_messages(m), 1);
    gn_market_close(m);
}

struct names {
    uint32_t n;
    char last[8];
};

static void take_name(const char symbol[8], void *arg)
{
    struct names *names = arg;
    names->n++;
    memcpy(names->last, symbol, 8);
}

static void symbols_are_listed_once(void)
{
    uint8_t bytes[256];
    uint64_t bad;
    struct gn_market *m;
    struct names names = {0};
    size_t len = sample_file(bytes);
    CU_ASSERT_EQUAL_FATAL(gn_market_open_bytes(&m, bytes, len, &bad), GN_MARKET_OK);
    CU_ASSERT_EQUAL(gn_market_symbols(m, take_name, &names), 2);
    CU_ASSERT_EQUAL(names.n, 2);
    CU_ASSERT_EQUAL(memcmp(names.last, "BBB     ", 8), 0);
    gn_market_close(m);

    names.n = 0;
    m = generator(1, 0, 50);
    CU_ASSERT_EQUAL(gn_market_symbols(m, take_name, &names), 50);
    CU_ASSERT_EQUAL(memcmp(names.last, "GN0050  ", 8), 0);
    gn_market_close(m);
}

GN_TEST_MAIN("sim market", {"generated flow is consistent", generated_flow_is_consistent},
             {"same seed, same bytes", same_seed_same_bytes},
             {"activity follows a power law", activity_follows_a_power_law},
             {"bad generator configs", bad_generator_configs}, {"files, plain and gzipped", files_plain_and_gzipped},
             {"broken files", broken_files}, {"symbols are listed once", symbols_are_listed_once})
