/* MoldUDP64: what is built parses, and whatever is cut, grown or bent is refused with its reason. */
#include "drivers/venue/nasdaq/moldudp64.h"
#include "tests/gn_test.h"

static const char session[GN_MOLD_SESSION] = {'S', 'E', 'S', 'S', '0', '0', '0', '0', '0', '1'};

static uint8_t *exact(const uint8_t *from, size_t len)
{
    uint8_t *p = malloc(len == 0 ? 1 : len);
    memcpy(p, from, len);
    return p;
}

/* Three messages of 5, 0 and 36 bytes from sequence 100 on. */
static uint32_t sample(uint8_t *buf, size_t room)
{
    static const uint8_t bytes[36] = {1, 2, 3, 4, 5, 6, 7};
    struct gn_mold_builder b;
    CU_ASSERT_EQUAL_FATAL(gn_mold_begin(&b, buf, room, session, 100), GN_MOLD_OK);
    CU_ASSERT_EQUAL(gn_mold_append(&b, bytes, 5), GN_MOLD_OK);
    CU_ASSERT_EQUAL(gn_mold_append(&b, bytes, 0), GN_MOLD_OK);
    CU_ASSERT_EQUAL(gn_mold_append(&b, bytes, 36), GN_MOLD_OK);
    return gn_mold_finish(&b);
}

static void built_packet_parses(void)
{
    uint8_t buf[1400];
    uint32_t len = sample(buf, sizeof buf);
    CU_ASSERT_EQUAL(len, 20 + 7 + 2 + 38);
    struct gn_mold_packet p;
    CU_ASSERT_EQUAL_FATAL(gn_mold_parse(buf, len, &p), GN_MOLD_OK);
    CU_ASSERT_EQUAL(p.kind, GN_MOLD_DATA);
    CU_ASSERT_EQUAL(p.seq, 100);
    CU_ASSERT_EQUAL(p.count, 3);
    CU_ASSERT_EQUAL(memcmp(p.session, session, sizeof session), 0);
    static const uint16_t lengths[] = {5, 0, 36};
    struct gn_mold_iter it = gn_mold_iter(&p);
    const uint8_t *msg;
    uint16_t n;
    for (uint64_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(it.seq, 100 + i);
        CU_ASSERT_TRUE_FATAL(gn_mold_next(&it, &msg, &n));
        CU_ASSERT_EQUAL(n, lengths[i]);
    }
    CU_ASSERT_FALSE(gn_mold_next(&it, &msg, &n));
    it = gn_mold_iter(&p);
    gn_mold_skip(&it, 2);
    CU_ASSERT_EQUAL(it.seq, 102);
    CU_ASSERT_TRUE(gn_mold_next(&it, &msg, &n) && n == 36 && msg[6] == 7);
    gn_mold_skip(&it, 100);
    CU_ASSERT_EQUAL(it.seq, 103);
}

static void truncated_at_every_byte(void)
{
    uint8_t buf[1400];
    uint32_t len = sample(buf, sizeof buf);
    for (uint32_t cut = 0; cut < len; cut++) {
        uint8_t *p = exact(buf, cut);
        struct gn_mold_packet out;
        CU_ASSERT_EQUAL(gn_mold_parse(p, cut, &out), cut < GN_MOLD_HEADER ? GN_MOLD_ERR_SHORT : GN_MOLD_ERR_BLOCK);
        free(p);
    }
}

static void bent_packets_have_reasons(void)
{
    uint8_t buf[GN_MOLD_BYTES_MAX + 1] = {0};
    struct gn_mold_packet out;
    uint32_t len = sample(buf, 1400);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, len + 1, &out), GN_MOLD_ERR_TRAILING);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, sizeof buf, &out), GN_MOLD_ERR_LONG);
    gn_store_be16(buf + 18, 2);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, len, &out), GN_MOLD_ERR_TRAILING);
    gn_store_be16(buf + 18, 4);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, len, &out), GN_MOLD_ERR_BLOCK);
    gn_store_be16(buf + 18, 3);
    gn_store_be64(buf + 10, 0);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, len, &out), GN_MOLD_ERR_SEQUENCE);
    gn_store_be64(buf + 10, UINT64_MAX - 2);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, len, &out), GN_MOLD_ERR_SEQUENCE);
    gn_store_be64(buf + 10, UINT64_MAX - 3);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, len, &out), GN_MOLD_OK);
    gn_store_be16(buf + 20, 0xffff);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, len, &out), GN_MOLD_ERR_BLOCK);
}

static void heartbeat_and_end(void)
{
    uint8_t buf[GN_MOLD_HEADER + 1] = {0};
    struct gn_mold_packet out;
    gn_mold_control(buf, session, 7, GN_MOLD_HEARTBEAT);
    CU_ASSERT_EQUAL_FATAL(gn_mold_parse(buf, GN_MOLD_HEADER, &out), GN_MOLD_OK);
    CU_ASSERT_TRUE(out.kind == GN_MOLD_HEARTBEAT && out.count == 0 && out.seq == 7);
    CU_ASSERT_EQUAL(gn_mold_parse(buf, GN_MOLD_HEADER + 1, &out), GN_MOLD_ERR_TRAILING);
    gn_mold_control(buf, session, 9, GN_MOLD_END);
    CU_ASSERT_EQUAL_FATAL(gn_mold_parse(buf, GN_MOLD_HEADER, &out), GN_MOLD_OK);
    CU_ASSERT_TRUE(out.kind == GN_MOLD_END && out.count == 0 && out.seq == 9);
    struct gn_mold_iter it = gn_mold_iter(&out);
    const uint8_t *msg;
    uint16_t n;
    CU_ASSERT_FALSE(gn_mold_next(&it, &msg, &n));
}

static void builder_stops_at_its_limit(void)
{
    uint8_t buf[GN_MOLD_BYTES_MAX];
    for (size_t room = 0; room < 120; room++) {
        uint8_t *mem = malloc(room == 0 ? 1 : room);
        struct gn_mold_builder b;
        int rc = gn_mold_begin(&b, mem, room, session, 1);
        CU_ASSERT_EQUAL_FATAL(rc, room < GN_MOLD_HEADER ? GN_MOLD_ERR_ROOM : GN_MOLD_OK);
        if (rc == GN_MOLD_OK) {
            while (gn_mold_append(&b, buf, 9) == GN_MOLD_OK)
                ;
            CU_ASSERT_TRUE(gn_mold_room(&b) < 9);
            uint32_t len = gn_mold_finish(&b);
            struct gn_mold_packet p;
            CU_ASSERT_EQUAL(gn_mold_parse(mem, len, &p), GN_MOLD_OK);
            CU_ASSERT_EQUAL(p.count, (room - GN_MOLD_HEADER) / 11);
        }
        free(mem);
    }
    struct gn_mold_builder b;
    CU_ASSERT_EQUAL(gn_mold_begin(&b, buf, GN_MOLD_BYTES_MAX + 1, session, 1), GN_MOLD_ERR_ROOM);
}

static void requests_round_trip(void)
{
    struct gn_mold_request r = {.seq = 123456789012ull, .count = 500}, back;
    memcpy(r.session, session, sizeof session);
    uint8_t buf[GN_MOLD_REQUEST + 1] = {0};
    gn_mold_request_write(buf, &r);
    CU_ASSERT_EQUAL_FATAL(gn_mold_request_parse(buf, GN_MOLD_REQUEST, &back), GN_MOLD_OK);
    CU_ASSERT_TRUE(back.seq == r.seq && back.count == r.count && memcmp(back.session, session, 10) == 0);
    for (size_t cut = 0; cut < GN_MOLD_REQUEST; cut++) {
        uint8_t *p = exact(buf, cut);
        CU_ASSERT_EQUAL(gn_mold_request_parse(p, cut, &back), GN_MOLD_ERR_SHORT);
        free(p);
    }
    CU_ASSERT_EQUAL(gn_mold_request_parse(buf, sizeof buf, &back), GN_MOLD_ERR_TRAILING);
    gn_store_be16(buf + 18, 0);
    CU_ASSERT_EQUAL(gn_mold_request_parse(buf, GN_MOLD_REQUEST, &back), GN_MOLD_ERR_COUNT);
    gn_store_be16(buf + 18, 0xffff);
    CU_ASSERT_EQUAL(gn_mold_request_parse(buf, GN_MOLD_REQUEST, &back), GN_MOLD_ERR_COUNT);
    gn_store_be16(buf + 18, 2);
    gn_store_be64(buf + 10, UINT64_MAX - 1);
    CU_ASSERT_EQUAL(gn_mold_request_parse(buf, GN_MOLD_REQUEST, &back), GN_MOLD_ERR_SEQUENCE);
    gn_store_be64(buf + 10, 0);
    CU_ASSERT_EQUAL(gn_mold_request_parse(buf, GN_MOLD_REQUEST, &back), GN_MOLD_ERR_SEQUENCE);
}

static void reasons_have_texts(void)
{
    for (int i = 1; i < GN_MOLD_ERRS; i++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_mold_strerror(-i), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_mold_strerror(-GN_MOLD_ERRS), "unknown");
}

GN_TEST_MAIN("moldudp64", {"a built packet parses", built_packet_parses},
             {"truncated at every byte", truncated_at_every_byte},
             {"bent packets have reasons", bent_packets_have_reasons},
             {"heartbeat and end of session", heartbeat_and_end},
             {"the builder stops at its limit", builder_stops_at_its_limit},
             {"requests round-trip", requests_round_trip}, {"every reason has a text", reasons_have_texts})
