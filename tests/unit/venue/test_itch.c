/* ITCH 5.0: every type both ways, every wrong length, and real captures. */
#include "drivers/venue/nasdaq/itch.h"
#include "tests/gn_test.h"

static const uint8_t types[] = {
#define GN_X(wire, suffix, NAME, length, name) wire,
    GN_ITCH_MESSAGES(GN_X)
#undef GN_X
};

/* An allocation of exactly len bytes, so that ASan sees the first byte that is read past them. */
static uint8_t *exact(const uint8_t *from, size_t len)
{
    uint8_t *p = malloc(len == 0 ? 1 : len);
    memcpy(p, from, len);
    return p;
}

static void lengths_are_the_specification(void)
{
    static const char letters[] = "SRHYLVWKJhOAFECXDUPQBIN";
    static const uint8_t lengths[] = {12, 39, 25, 20, 26, 35, 12, 28, 35, 21, 48, 36,
                                      40, 31, 36, 23, 19, 35, 44, 40, 19, 50, 20};
    size_t known = 0;
    for (size_t i = 0; i < sizeof lengths; i++)
        CU_ASSERT_EQUAL(gn_itch_length[(uint8_t)letters[i]], lengths[i]);
    for (size_t i = 0; i < 256; i++)
        known += gn_itch_length[i] != 0;
    CU_ASSERT_EQUAL(known, sizeof lengths);
    CU_ASSERT_STRING_EQUAL(gn_itch_name('A'), "add order");
    CU_ASSERT_STRING_EQUAL(gn_itch_name('z'), "unknown");
}

/* Random bytes after the type: decode and encode give the same bytes only if the fields cover all of them once. */
static void every_type_round_trips(void)
{
    uint64_t seed = gn_test_seed(11);
    for (int round = 0; round < 2000; round++) {
        for (size_t t = 0; t < GN_ARRAY_LEN(types); t++) {
            uint8_t in[GN_ITCH_LEN_MAX], out[GN_ITCH_LEN_MAX + 1];
            size_t len = gn_itch_length[types[t]];
            for (size_t i = 0; i < len; i++)
                in[i] = (uint8_t)gn_test_rand(&seed);
            in[0] = types[t];
            struct gn_itch_msg m;
            CU_ASSERT_EQUAL_FATAL(gn_itch_decode(in, len, &m), GN_ITCH_OK);
            memset(out, 0xa5, sizeof out);
            CU_ASSERT_EQUAL_FATAL(gn_itch_encode(out, sizeof out, &m), (int)len);
            CU_ASSERT_EQUAL_FATAL(memcmp(in, out, len), 0);
            CU_ASSERT_EQUAL_FATAL(out[len], 0xa5);
            CU_ASSERT_EQUAL(gn_itch_encode(out, len - 1, &m), GN_ITCH_ERR_ROOM);
        }
    }
}

static void every_wrong_length_is_refused(void)
{
    uint8_t bytes[300] = {0};
    for (int type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        for (size_t len = 0; len < sizeof bytes; len++) {
            uint8_t *p = exact(bytes, len);
            struct gn_itch_msg m = {.ref = 77};
            int want = len == 0                           ? GN_ITCH_ERR_EMPTY
                       : gn_itch_length[type] == 0        ? GN_ITCH_ERR_TYPE
                       : gn_itch_length[type] == (int)len ? GN_ITCH_OK
                                                          : GN_ITCH_ERR_LENGTH;
            int got = gn_itch_decode(p, len, &m);
            CU_ASSERT_EQUAL_FATAL(got, want);
            CU_ASSERT_EQUAL_FATAL(gn_itch_check(p, len), want);
            if (got != GN_ITCH_OK)
                CU_ASSERT_EQUAL_FATAL(m.ref, 77);
            free(p);
        }
    }
}

static void fields_of_known_bytes(void)
{
    static const uint8_t add[36] = {'A', 0x00, 0x1f, 0x00, 0x02, 0x1f, 0x1a, 0xce, 0xd9, 0xfa, 0xc8, 0,
                                    0,   0,    0,    0,    0x77, 0xde, 0x35, 'B',  0,    0,    0x03, 0xe8,
                                    'A', 'A',  'P',  'L',  ' ',  ' ',  ' ',  ' ',  0x00, 0x1c, 0x75, 0x8c};
    struct gn_itch_msg m;
    CU_ASSERT_EQUAL_FATAL(gn_itch_decode(add, sizeof add, &m), GN_ITCH_OK);
    CU_ASSERT_EQUAL(m.type, GN_ITCH_ADD);
    CU_ASSERT_EQUAL(m.locate, 31);
    CU_ASSERT_EQUAL(m.tracking, 2);
    CU_ASSERT_EQUAL(m.time_ns, 0x1f1aced9fac8ull);
    CU_ASSERT_EQUAL(m.ref, 0x77de35);
    CU_ASSERT_EQUAL(m.side, 'B');
    CU_ASSERT_EQUAL(m.shares, 1000);
    CU_ASSERT_EQUAL(memcmp(m.symbol, "AAPL    ", 8), 0);
    CU_ASSERT_EQUAL(m.price, 1865100);
    CU_ASSERT_EQUAL(m.match, 0);
    struct gn_itch_msg hot = {.match = 5};
    gn_itch_get_A(add, &hot);
    CU_ASSERT_EQUAL(hot.price, m.price);
    CU_ASSERT_EQUAL(hot.match, 5);
    CU_ASSERT_EQUAL(gn_itch_encode((uint8_t[64]){0}, 64, &(struct gn_itch_msg){.type = 'z'}), GN_ITCH_ERR_TYPE);
}

static void file_framing_is_bounded(void)
{
    static const uint8_t file[] = {0, 2, 'a', 'b', 0, 1, 'c', 0, 3, 'x', 'y', 'z'};
    for (size_t len = 0; len <= sizeof file; len++) {
        uint8_t *p = exact(file, len);
        struct gn_itch_file f = {.data = p, .len = len};
        const uint8_t *msg;
        size_t n;
        int rc, count = 0;
        while ((rc = gn_itch_file_next(&f, &msg, &n)) == 1)
            count++;
        bool whole = len == 0 || len == 4 || len == 7 || len == 12;
        CU_ASSERT_EQUAL(rc, whole ? 0 : GN_ITCH_ERR_TRUNCATED);
        CU_ASSERT_EQUAL(count, (len >= 4) + (len >= 7) + (len >= 12));
        free(p);
    }
    static const uint8_t ended[] = {0, 0, 0, 1, 'c'};
    struct gn_itch_file f = {.data = ended, .len = sizeof ended};
    const uint8_t *msg;
    size_t n;
    CU_ASSERT_EQUAL(gn_itch_file_next(&f, &msg, &n), 0);
    CU_ASSERT_EQUAL(f.at, 0);
}

/* Reads a capture, NULL when there is none. */
static uint8_t *capture(const char *name, size_t *len)
{
    char path[4096];
    const char *dir = getenv("GN_DATA_DIR");
    if (dir == NULL)
        dir = getenv("GN_DATA_DIR_DEFAULT");
    if (dir == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/itch50/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *data = size > 0 ? malloc((size_t)size) : NULL;
    if (data != NULL && fread(data, 1, (size_t)size, f) != (size_t)size) {
        free(data);
        data = NULL;
    }
    fclose(f);
    *len = (size_t)size;
    return data;
}

static void check_capture(const char *name, const char *letters, const uint32_t *counts)
{
    size_t size = 0, len;
    uint8_t *data = capture(name, &size);
    if (data == NULL) {
        printf("skipped: no %s (GN_DATA_DIR names the folder that has itch50/) ", name);
        return;
    }
    uint32_t seen[256] = {0}, total = 0;
    struct gn_itch_file f = {.data = data, .len = size};
    const uint8_t *msg;
    int rc;
    while ((rc = gn_itch_file_next(&f, &msg, &len)) == 1) {
        struct gn_itch_msg m;
        uint8_t out[GN_ITCH_LEN_MAX];
        CU_ASSERT_EQUAL_FATAL(gn_itch_decode(msg, len, &m), GN_ITCH_OK);
        CU_ASSERT_EQUAL_FATAL(gn_itch_encode(out, sizeof out, &m), (int)len);
        CU_ASSERT_EQUAL_FATAL(memcmp(out, msg, len), 0);
        seen[m.type]++;
        total++;
    }
    CU_ASSERT_EQUAL(rc, 0);
    CU_ASSERT_EQUAL(f.at, size);
    uint32_t want = 0;
    for (size_t i = 0; letters[i] != '\0'; i++) {
        CU_ASSERT_EQUAL(seen[(uint8_t)letters[i]], counts[i]);
        want += counts[i];
    }
    CU_ASSERT_EQUAL(total, want);
    printf("%s: %u messages ", name, total);
    free(data);
}

static void capture_nasdaq(void)
{
    static const uint32_t counts[] = {367, 225, 193, 167, 28, 6, 4, 4, 4, 1, 1};
    check_capture("nasdaq_20191230_0930.itch50", "AUFDEXIPQSC", counts);
}

static void capture_esh4(void)
{
    static const uint32_t counts[] = {29216, 12665, 9904, 6174, 1362, 3, 1};
    check_capture("esh4_20231225.itch50", "ADUEXSR", counts);
}

static void reasons_have_texts(void)
{
    for (int i = 1; i < GN_ITCH_ERRS; i++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_itch_strerror(-i), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_itch_strerror(-GN_ITCH_ERRS), "unknown");
}

GN_TEST_MAIN("itch", {"lengths are the specification's", lengths_are_the_specification},
             {"every type round-trips bit for bit", every_type_round_trips},
             {"every wrong length is refused", every_wrong_length_is_refused},
             {"fields of known bytes", fields_of_known_bytes}, {"file framing is bounded", file_framing_is_bounded},
             {"capture of a Nasdaq open", capture_nasdaq}, {"capture of a futures day", capture_esh4},
             {"every reason has a text", reasons_have_texts})
