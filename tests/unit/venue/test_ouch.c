/* OUCH 5.0: every message of both directions, options, templates and client order ids. */
#include "drivers/venue/nasdaq/ouch.h"
#include "tests/gn_test.h"

struct row {
    uint8_t type;
    uint8_t fixed;
    uint8_t appendage;
};

#define GN_X(wire, NAME, fixed, appendage, name) {wire, fixed, appendage},
static const struct row rows_in[] = {GN_OUCH_INBOUND(GN_X)};
static const struct row rows_out[] = {GN_OUCH_OUTBOUND(GN_X)};
#undef GN_X

static int decode(bool in, const uint8_t *p, size_t len, struct gn_ouch_msg *m)
{
    return in ? gn_ouch_decode_in(p, len, m) : gn_ouch_decode_out(p, len, m);
}

static int encode(bool in, uint8_t *p, size_t room, const struct gn_ouch_msg *m)
{
    return in ? gn_ouch_encode_in(p, room, m) : gn_ouch_encode_out(p, room, m);
}

static uint8_t *exact(const uint8_t *from, size_t len)
{
    uint8_t *p = malloc(len == 0 ? 1 : len);
    memcpy(p, from, len);
    return p;
}

static void lengths_are_the_specification(void)
{
    static const char in[] = "OUXMCDEQ", out[] = "SAUCDEBFJPIMRTQXGK";
    static const int in_len[] = {47, 40, 9, 10, 19, 11, 11, 1};
    static const int out_len[] = {10, 64, 68, 18, 31, 36, 36, 49, 29, 13, 13, 18, 16, 30, 13, 27, 19, 19};
    uint8_t buf[128];
    CU_ASSERT_EQUAL(GN_ARRAY_LEN(rows_in), GN_ARRAY_LEN(in_len));
    CU_ASSERT_EQUAL(GN_ARRAY_LEN(rows_out), GN_ARRAY_LEN(out_len));
    for (size_t i = 0; i < GN_ARRAY_LEN(in_len); i++) {
        struct gn_ouch_msg m = {.type = (uint8_t)in[i]};
        CU_ASSERT_EQUAL(gn_ouch_encode_in(buf, sizeof buf, &m), in_len[i]);
    }
    for (size_t i = 0; i < GN_ARRAY_LEN(out_len); i++) {
        struct gn_ouch_msg m = {.type = (uint8_t)out[i]};
        CU_ASSERT_EQUAL(gn_ouch_encode_out(buf, sizeof buf, &m), out_len[i]);
    }
}

/* Random fixed parts, with and without options: decode and encode give the same bytes. */
static void round_trip(bool in, const struct row *rows, size_t n, uint64_t *seed)
{
    static const uint8_t options[] = {5, GN_OUCH_TAG_MIN_QTY, 0, 0, 0, 9, 2, GN_OUCH_TAG_POST_ONLY, 'P', 3, 200, 1, 2};
    for (size_t r = 0; r < n; r++) {
        for (int with = 0; with < 2; with++) {
            uint8_t p[128], out[128];
            size_t len = rows[r].fixed;
            for (size_t i = 1; i < len; i++)
                p[i] = (uint8_t)gn_test_rand(seed);
            p[0] = rows[r].type;
            if (with || rows[r].appendage) {
                size_t bytes = with ? sizeof options : 0;
                gn_store_be16(p + len, (uint16_t)bytes);
                memcpy(p + len + 2, options, bytes);
                len += 2 + bytes;
            }
            struct gn_ouch_msg m;
            CU_ASSERT_EQUAL_FATAL(decode(in, p, len, &m), GN_OUCH_OK);
            CU_ASSERT_EQUAL_FATAL(encode(in, out, sizeof out, &m), (int)len);
            CU_ASSERT_EQUAL_FATAL(memcmp(p, out, len), 0);
            CU_ASSERT_EQUAL(encode(in, out, len - 1, &m), GN_OUCH_ERR_ROOM);
        }
    }
}

static void every_message_round_trips(void)
{
    uint64_t seed = gn_test_seed(12);
    for (int i = 0; i < 2000; i++) {
        round_trip(true, rows_in, GN_ARRAY_LEN(rows_in), &seed);
        round_trip(false, rows_out, GN_ARRAY_LEN(rows_out), &seed);
    }
}

/* What a message of that type and length must give, when all bytes after the type are zero: only an appendage length
 * that is right may follow the fixed part, and zero bytes are right for exactly two of them. */
static int expected(const struct row *r, size_t len)
{
    if (len < r->fixed || len == r->fixed + 1u)
        return GN_OUCH_ERR_LENGTH;
    if (len == r->fixed)
        return r->appendage ? GN_OUCH_ERR_LENGTH : GN_OUCH_OK;
    return len == r->fixed + 2u ? GN_OUCH_OK : GN_OUCH_ERR_APPENDAGE;
}

static void wrong_lengths(bool in, const struct row *rows, size_t n)
{
    static const uint8_t zero[128];
    struct gn_ouch_msg m;
    CU_ASSERT_EQUAL(decode(in, zero, 0, &m), GN_OUCH_ERR_EMPTY);
    for (int type = 0; type < 256; type++) {
        const struct row *row = NULL;
        for (size_t r = 0; r < n; r++)
            if (rows[r].type == type)
                row = &rows[r];
        for (size_t len = 1; len < sizeof zero; len++) {
            uint8_t *p = exact(zero, len);
            p[0] = (uint8_t)type;
            CU_ASSERT_EQUAL_FATAL(decode(in, p, len, &m), row == NULL ? GN_OUCH_ERR_TYPE : expected(row, len));
            free(p);
        }
    }
}

static void every_wrong_length_is_refused(void)
{
    wrong_lengths(true, rows_in, GN_ARRAY_LEN(rows_in));
    wrong_lengths(false, rows_out, GN_ARRAY_LEN(rows_out));
}

/* A message with options, cut at every byte: the appendage length never matches what is left. */
static void truncated_options(void)
{
    uint8_t p[128] = {GN_OUCH_OUT_EXECUTED}, options[64];
    int n = gn_ouch_option_put(options, sizeof options, 0, GN_OUCH_TAG_REF_PRICE, 1234567);
    n = gn_ouch_option_put(options, sizeof options, (size_t)n, GN_OUCH_TAG_REF_PRICE_TYPE, 'P');
    CU_ASSERT_EQUAL_FATAL(n, 13);
    struct gn_ouch_msg m = {.type = GN_OUCH_OUT_EXECUTED, .options = options, .options_len = (uint16_t)n};
    int len = gn_ouch_encode_out(p, sizeof p, &m);
    CU_ASSERT_EQUAL_FATAL(len, 49);
    for (size_t cut = 0; cut < (size_t)len; cut++) {
        uint8_t *q = exact(p, cut);
        CU_ASSERT_TRUE(gn_ouch_decode_out(q, cut, &m) < 0);
        free(q);
    }
    CU_ASSERT_EQUAL_FATAL(gn_ouch_decode_out(p, (size_t)len, &m), GN_OUCH_OK);
    struct gn_ouch_option o;
    size_t at = 0;
    CU_ASSERT_EQUAL(gn_ouch_option_next(m.options, m.options_len, &at, &o), 1);
    CU_ASSERT_TRUE(o.tag == GN_OUCH_TAG_REF_PRICE && gn_ouch_option_u64(&o) == 1234567);
    CU_ASSERT_EQUAL(gn_ouch_option_next(m.options, m.options_len, &at, &o), 1);
    CU_ASSERT_TRUE(o.tag == GN_OUCH_TAG_REF_PRICE_TYPE && gn_ouch_option_u64(&o) == 'P');
    CU_ASSERT_EQUAL(gn_ouch_option_next(m.options, m.options_len, &at, &o), 0);
}

static int options_rc(const uint8_t *options, size_t len)
{
    uint8_t *p = exact(options, len);
    struct gn_ouch_option o;
    size_t at = 0;
    int rc;
    while ((rc = gn_ouch_option_next(p, len, &at, &o)) == 1)
        ;
    free(p);
    return rc;
}

static void hostile_options(void)
{
    CU_ASSERT_EQUAL(options_rc((const uint8_t[]){0}, 1), GN_OUCH_ERR_APPENDAGE);
    CU_ASSERT_EQUAL(options_rc((const uint8_t[]){1}, 1), GN_OUCH_ERR_APPENDAGE);
    CU_ASSERT_EQUAL(options_rc((const uint8_t[]){1, 99}, 2), 0);
    CU_ASSERT_EQUAL(options_rc((const uint8_t[]){255, 99, 0}, 3), GN_OUCH_ERR_APPENDAGE);
    CU_ASSERT_EQUAL(options_rc((const uint8_t[]){4, GN_OUCH_TAG_MIN_QTY, 0, 0, 0}, 5), GN_OUCH_ERR_OPTION);
    CU_ASSERT_EQUAL(options_rc((const uint8_t[]){5, GN_OUCH_TAG_MIN_QTY, 0, 0, 0, 1, 9}, 7), GN_OUCH_ERR_APPENDAGE);
    uint8_t buf[16];
    CU_ASSERT_EQUAL(gn_ouch_option_put(buf, 5, 0, GN_OUCH_TAG_MIN_QTY, 1), GN_OUCH_ERR_ROOM);
    CU_ASSERT_EQUAL(gn_ouch_option_put(buf, 16, 17, GN_OUCH_TAG_MIN_QTY, 1), GN_OUCH_ERR_ROOM);
    CU_ASSERT_EQUAL(gn_ouch_option_put(buf, 16, 0, 200, 1), GN_OUCH_ERR_OPTION);
    struct gn_ouch_msg m = {.type = GN_OUCH_IN_ENTER, .options_len = 4};
    uint8_t out[64];
    CU_ASSERT_EQUAL(gn_ouch_encode_in(out, sizeof out, &m), GN_OUCH_ERR_APPENDAGE);
}

static void clordid_round_trips(void)
{
    uint64_t seed = gn_test_seed(13);
    static const uint64_t edges[] = {0, 1, 63, 64, UINT64_MAX, 1ull << 63, 0x0123456789abcdefull};
    for (size_t i = 0; i < 100000; i++) {
        uint64_t id = i < GN_ARRAY_LEN(edges) ? edges[i] : gn_test_rand(&seed), tick = gn_test_rand(&seed), back;
        uint8_t text[GN_OUCH_CLORDID];
        uint32_t tick18;
        gn_clordid_encode(text, id, tick);
        CU_ASSERT_EQUAL_FATAL(gn_clordid_decode((char *)text, &back, &tick18), GN_OUCH_OK);
        CU_ASSERT_EQUAL_FATAL(back, id);
        CU_ASSERT_EQUAL_FATAL(tick18, tick & GN_CLORDID_TICK_MASK);
    }
    uint8_t text[GN_OUCH_CLORDID];
    gn_clordid_encode(text, 62 << 6 | 10, 64 + 36);
    CU_ASSERT_EQUAL(memcmp(text, "000000000-A01a", 14), 0);
}

static void clordid_refuses_strangers(void)
{
    uint64_t id;
    uint32_t tick, bad = 0;
    for (int c = 0; c < 256; c++) {
        char text[15] = "00000000000000";
        text[5] = (char)c;
        bad += gn_clordid_decode(text, &id, &tick) == GN_OUCH_ERR_CLORDID;
    }
    CU_ASSERT_EQUAL(bad, 256 - 64);
    CU_ASSERT_EQUAL(gn_clordid_decode("F___________00", &id, &tick), GN_OUCH_OK);
    CU_ASSERT_EQUAL(id, UINT64_MAX);
    CU_ASSERT_EQUAL(gn_clordid_decode("G0000000000000", &id, &tick), GN_OUCH_ERR_CLORDID);
    CU_ASSERT_EQUAL(gn_clordid_decode("              ", &id, &tick), GN_OUCH_ERR_CLORDID);
}

/* The patched template is the byte string that the general encoder writes. */
static void templates_equal_the_encoder(void)
{
    struct gn_ouch_template t;
    uint8_t hot[64], want[64];
    for (int side = 0; side < 2; side++) {
        for (int tif = 0; tif < 2; tif++) {
            struct gn_ouch_msg m = {.type = GN_OUCH_IN_ENTER,
                                    .user_ref = 0x01020304,
                                    .qty = 500,
                                    .price = 1234500,
                                    .side = side ? 'S' : 'B',
                                    .tif = tif ? '3' : '0',
                                    .display = 'Y',
                                    .capacity = 'P',
                                    .iso = 'N',
                                    .cross = 'N'};
            memcpy(m.symbol, "MSFT    ", 8);
            gn_clordid_encode((uint8_t *)m.clordid, 77, 99);
            gn_ouch_enter_template(&t, (enum gn_side)side, "MSFT    ");
            gn_ouch_enter(hot, &t, m.user_ref, m.qty, m.price, (enum gn_tif)tif, 77, 99);
            CU_ASSERT_EQUAL_FATAL(gn_ouch_encode_in(want, sizeof want, &m), GN_OUCH_IN_ENTER_LEN);
            CU_ASSERT_EQUAL(memcmp(hot, want, GN_OUCH_IN_ENTER_LEN), 0);
            m.type = GN_OUCH_IN_REPLACE;
            m.orig_user_ref = 9;
            gn_ouch_replace(hot, &t, 9, m.user_ref, m.qty, m.price, (enum gn_tif)tif, 77, 99);
            CU_ASSERT_EQUAL_FATAL(gn_ouch_encode_in(want, sizeof want, &m), GN_OUCH_IN_REPLACE_LEN);
            CU_ASSERT_EQUAL(memcmp(hot, want, GN_OUCH_IN_REPLACE_LEN), 0);
            m.type = GN_OUCH_IN_MODIFY;
            gn_ouch_modify(hot, m.user_ref, (enum gn_side)side, m.qty);
            CU_ASSERT_EQUAL_FATAL(gn_ouch_encode_in(want, sizeof want, &m), GN_OUCH_IN_MODIFY_LEN);
            CU_ASSERT_EQUAL(memcmp(hot, want, GN_OUCH_IN_MODIFY_LEN), 0);
            m.type = GN_OUCH_IN_CANCEL;
            gn_ouch_cancel(hot, m.user_ref, m.qty);
            CU_ASSERT_EQUAL_FATAL(gn_ouch_encode_in(want, sizeof want, &m), GN_OUCH_IN_CANCEL_LEN);
            CU_ASSERT_EQUAL(memcmp(hot, want, GN_OUCH_IN_CANCEL_LEN), 0);
            CU_ASSERT_EQUAL(gn_ouch_tif_from_wire(m.tif), tif);
            CU_ASSERT_EQUAL(gn_ouch_side_from_wire(m.side), side);
        }
    }
    CU_ASSERT_EQUAL(gn_ouch_tif_from_wire('5'), -1);
    CU_ASSERT_EQUAL(gn_ouch_side_from_wire('b'), -1);
    CU_ASSERT_EQUAL(gn_ouch_side_from_wire('T'), GN_SIDE_SELL);
}

static void accepted_at_known_offsets(void)
{
    uint8_t p[64] = {'A'};
    gn_store_be64(p + 1, 34200000000000ull);
    gn_store_be32(p + 9, 42);
    p[13] = 'S';
    gn_store_be32(p + 14, 300);
    memcpy(p + 18, "ZVZZT   ", 8);
    gn_store_be64(p + 26, 100000);
    memcpy(p + 34, "0Y", 2);
    gn_store_be64(p + 36, 987654321);
    memcpy(p + 44, "PNNL", 4);
    memcpy(p + 48, "0000000000100Z", 14);
    struct gn_ouch_msg m;
    CU_ASSERT_EQUAL_FATAL(gn_ouch_decode_out(p, sizeof p, &m), GN_OUCH_OK);
    CU_ASSERT_TRUE(m.time_ns == 34200000000000ull && m.user_ref == 42 && m.side == 'S' && m.qty == 300);
    CU_ASSERT_TRUE(m.price == 100000 && m.tif == '0' && m.display == 'Y' && m.order_ref == 987654321);
    CU_ASSERT_TRUE(m.capacity == 'P' && m.iso == 'N' && m.cross == 'N' && m.state == 'L');
    uint64_t id;
    uint32_t tick;
    CU_ASSERT_EQUAL(gn_clordid_decode(m.clordid, &id, &tick), GN_OUCH_OK);
    CU_ASSERT_TRUE(id == 1 && tick == 35);
}

static void tables_have_texts(void)
{
    for (int i = 1; i < GN_OUCH_ERRS; i++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_ouch_strerror(-i), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_ouch_strerror(-GN_OUCH_ERRS), "unknown");
    for (uint16_t code = 1; code <= 0x1f; code++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_ouch_reject_reason(code), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_ouch_reject_reason(0x20), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_ouch_cancel_reason('I'), "rest of an immediate-or-cancel order");
    CU_ASSERT_STRING_EQUAL(gn_ouch_cancel_reason('?'), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_ouch_name_in('O'), "enter order");
    CU_ASSERT_STRING_EQUAL(gn_ouch_name_out('E'), "order executed");
    CU_ASSERT_STRING_EQUAL(gn_ouch_tag_name(GN_OUCH_TAG_ROUTE), "route");
}

GN_TEST_MAIN("ouch", {"lengths are the specification's", lengths_are_the_specification},
             {"every message round-trips bit for bit", every_message_round_trips},
             {"every wrong length is refused", every_wrong_length_is_refused},
             {"options truncated at every byte", truncated_options}, {"hostile options", hostile_options},
             {"client order ids round-trip", clordid_round_trips},
             {"client order ids of strangers are refused", clordid_refuses_strangers},
             {"templates equal the encoder", templates_equal_the_encoder},
             {"accepted at known offsets", accepted_at_known_offsets}, {"tables have texts", tables_have_texts})
