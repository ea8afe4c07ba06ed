#include "tests/gn_test.h"

#include "tools/venue-sim/history.h"

static void gives_back_what_was_added(void)
{
    struct gn_history h;
    uint8_t msg[64];
    uint16_t len;
    CU_ASSERT_EQUAL_FATAL(gn_history_init(&h, GN_HISTORY_BYTES_MIN, 100), GN_HISTORY_OK);
    for (uint8_t i = 1; i <= 50; i++) {
        memset(msg, i, sizeof msg);
        CU_ASSERT_PTR_NOT_NULL(gn_history_add(&h, msg, i));
    }
    for (uint64_t seq = 1; seq <= 50; seq++) {
        const uint8_t *p = gn_history_get(&h, seq, &len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL(len, seq);
        CU_ASSERT_EQUAL(p[len - 1], seq);
    }
    CU_ASSERT_PTR_NULL(gn_history_get(&h, 0, &len));
    CU_ASSERT_PTR_NULL(gn_history_get(&h, 51, &len));
    CU_ASSERT_PTR_NULL(gn_history_add(&h, msg, GN_HISTORY_MSG_MAX + 1));
    gn_history_free(&h);
}

/* Against a model that keeps everything: what is kept is right, contiguous, and as much as the sizes promise. */
static void forgets_the_oldest_only(void)
{
    uint64_t rng = gn_test_seed(11), added = 0;
    struct gn_history h;
    uint8_t msg[GN_HISTORY_MSG_MAX];
    uint16_t len;
    static uint16_t lens[20001];
    CU_ASSERT_EQUAL_FATAL(gn_history_init(&h, GN_HISTORY_BYTES_MIN, 1024), GN_HISTORY_OK);
    for (uint64_t seq = 1; seq <= 20000; seq++) {
        lens[seq] = (uint16_t)(gn_test_rand(&rng) % (seq % 3000 < 1000 ? GN_HISTORY_MSG_MAX + 1 : 40));
        memset(msg, (int)(seq % 251), lens[seq]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(gn_history_add(&h, msg, lens[seq]));
        added++;
        CU_ASSERT_EQUAL(h.next, seq + 1);
        uint64_t kept = 0;
        if (seq % 97 != 0)
            continue;
        for (uint64_t s = h.first; s < h.next; s++) {
            const uint8_t *p = gn_history_get(&h, s, &len);
            CU_ASSERT_PTR_NOT_NULL_FATAL(p);
            CU_ASSERT_EQUAL_FATAL(len, lens[s]);
            for (uint16_t i = 0; i < len; i++)
                CU_ASSERT_EQUAL_FATAL(p[i], s % 251);
            kept += 2u + len;
        }
        bool by_count = h.next - h.first == 1024;
        bool all = h.first == 1;
        /* at most one message of the longest size is lost to the wrap, and one more to make room */
        CU_ASSERT_TRUE(by_count || all || kept + 2 * (GN_HISTORY_MSG_MAX + 2) >= GN_HISTORY_BYTES_MIN);
    }
    CU_ASSERT_TRUE(h.first > 1);
    CU_ASSERT_PTR_NULL(gn_history_get(&h, h.first - 1, &len));
    gn_history_free(&h);
}

static void refuses_impossible_sizes(void)
{
    struct gn_history h;
    CU_ASSERT_EQUAL(gn_history_init(&h, 1, 10), GN_HISTORY_ERR_RANGE);
    CU_ASSERT_EQUAL(gn_history_init(&h, GN_HISTORY_BYTES_MIN, 0), GN_HISTORY_ERR_RANGE);
    CU_ASSERT_STRING_EQUAL(gn_history_strerror(GN_HISTORY_ERR_RANGE), "size out of range");
    CU_ASSERT_STRING_EQUAL(gn_history_strerror(7), "unknown error");
}

GN_TEST_MAIN("sim history", {"gives back what was added", gives_back_what_was_added},
             {"forgets the oldest only", forgets_the_oldest_only},
             {"refuses impossible sizes", refuses_impossible_sizes})
