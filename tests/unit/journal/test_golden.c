/* Golden journals: written once by every released format version (make_golden.c), kept as they are, read by this one to
 * the same last hash, the same records and the same state. */
#include "controlplane/journal/state.h"
#include "tests/gn_test.h"

struct golden {
    const char *version;
    const char *hash; /* final_hash */
    uint64_t records, checkpoints, segments;
    uint64_t orders, working, next_seq;
    int64_t position[2];
};

static const struct golden all[] = {
    {"1.0", "002f9fe097ad5d6a52d32e748bc1da3bd9a74d154db718844d97d9ca92510992", 400, 0, 2, 0, 0, 0, {0, 0}},
    {"1.1", "7eb85af28d057f155de56c97b4898caff07cb8d4b96bf60c3a25b8ddd9b6adc0", 154, 14, 12, 40, 10, 41, {320, 240}},
    {"1.2", "5b6f8a88557c830f0da5b6e3240768683d9d0685bcf13ef983ad3a1f95949e68", 184, 14, 12, 40, 10, 41, {320, 240}},
};

static void same_hash_and_records(void)
{
    for (size_t i = 0; i < GN_ARRAY_LEN(all); i++) {
        const struct golden *g = &all[i];
        struct gn_journal_report r;
        char dir[512], hash[2 * GN_JOURNAL_HASH + 1];
        (void)snprintf(dir, sizeof dir, "%s/%s", GOLDEN_DIR, g->version);
        CU_ASSERT_EQUAL(gn_journal_verify(dir, NULL, &r), GN_JOURNAL_OK);
        for (size_t k = 0; k < GN_JOURNAL_HASH; k++)
            snprintf(hash + 2 * k, 3, "%02x", r.final_hash[k]);
        if (strcmp(hash, g->hash) != 0)
            printf("golden %s: %s, %llu records, %llu checkpoints, %llu segments\n", g->version, hash,
                   (unsigned long long)r.records, (unsigned long long)r.checkpoints, (unsigned long long)r.segments);
        CU_ASSERT_STRING_EQUAL(hash, g->hash);
        CU_ASSERT_EQUAL(r.records, g->records);
        CU_ASSERT_EQUAL(r.checkpoints, g->checkpoints);
        CU_ASSERT_EQUAL(r.segments, g->segments);
    }
}

static void same_state(void)
{
    for (size_t i = 0; i < GN_ARRAY_LEN(all); i++) {
        const struct golden *g = &all[i];
        struct gn_jstate_totals t;
        char dir[512];
        if (g->orders == 0)
            continue; /* its records have no payloads of orders */
        (void)snprintf(dir, sizeof dir, "%s/%s", GOLDEN_DIR, g->version);
        struct gn_jstate *s = gn_jstate_new();
        CU_ASSERT_EQUAL(gn_jstate_read(s, dir, NULL, NULL), GN_JOURNAL_OK);
        gn_jstate_totals(s, &t);
        CU_ASSERT_EQUAL(t.orders, g->orders);
        CU_ASSERT_EQUAL(t.working, g->working);
        CU_ASSERT_EQUAL(t.next_seq, g->next_seq);
        CU_ASSERT_EQUAL(t.unknown, 0);
        CU_ASSERT_EQUAL(t.position_errors, 0);
        CU_ASSERT_EQUAL(gn_jstate_position(s, 0)->qty, g->position[0]);
        CU_ASSERT_EQUAL(gn_jstate_position(s, 1)->qty, g->position[1]);
        gn_jstate_free(s);
    }
}

GN_TEST_MAIN("journal golden", {"same hash and records", same_hash_and_records}, {"same state", same_state})
