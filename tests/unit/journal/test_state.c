/* The state rebuilt from records: the rules case by case, snapshots at every prefix, hostile records and files. */
#include "controlplane/journal/state.h"
#include "tests/gn_test.h"

#define RINGS_ID 7u
#define ID(n)    gn_order_id(3, 1, (n))

static struct gn_jstate *state;
static uint64_t seq;

static int put(uint16_t type, const void *payload, uint32_t bytes)
{
    const struct gn_rec rec = {.bytes = (uint32_t)sizeof rec + bytes, .type = type, .source = 1, .seq = ++seq};
    return gn_jstate_apply(state, &rec, payload, bytes, RINGS_ID);
}

static void begin(void)
{
    gn_jstate_free(state);
    state = gn_jstate_new();
    seq = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
}

static void order(uint8_t action, uint64_t n, uint64_t target, uint8_t side, int64_t qty, int64_t price)
{
    const struct gn_ev_order e = {
        .intent = {.action = action, .side = side, .instrument = 4, .target = target, .qty = qty, .price = price},
        .order_id = action == GN_ACTION_CANCEL ? target : ID(n),
        .user_ref = (uint32_t)n,
    };
    CU_ASSERT_EQUAL(put(GN_EV_ORDER, &e, sizeof e), GN_JOURNAL_OK);
}

static void exec(struct gn_exec e)
{
    const struct gn_ev_exec ev = {.exec = e, .venue_seq = seq};
    CU_ASSERT_EQUAL(put(GN_EV_EXEC, &ev, sizeof ev), GN_JOURNAL_OK);
}

/* A new order, accepted, filled in two parts, the second one through a replacement; another one rejected. */
static void story(void)
{
    order(GN_ACTION_NEW, 1, 0, GN_SIDE_BUY, 100, 50);
    exec((struct gn_exec){.kind = GN_EXEC_ACCEPTED, .state = GN_ORDER_LIVE, .order_id = ID(1), .leaves = 100});
    order(GN_ACTION_REPLACE, 2, ID(1), GN_SIDE_BUY, 150, 51);
    exec((struct gn_exec){.kind = GN_EXEC_FILLED,
                          .state = GN_ORDER_PENDING_REPLACE,
                          .order_id = ID(1),
                          .qty = 40,
                          .price = 50,
                          .leaves = 60,
                          .position = 40});
    exec((struct gn_exec){.kind = GN_EXEC_REPLACED,
                          .state = GN_ORDER_LIVE,
                          .order_id = ID(2),
                          .prev_id = ID(1),
                          .qty = 110,
                          .price = 51,
                          .leaves = 110,
                          .position = 40});
    order(GN_ACTION_NEW, 3, 0, GN_SIDE_SELL, 30, 60);
    exec((struct gn_exec){.kind = GN_EXEC_REJECTED, .state = GN_ORDER_REJECTED, .order_id = ID(3), .position = 40});
    exec((struct gn_exec){.kind = GN_EXEC_FILLED,
                          .state = GN_ORDER_LIVE,
                          .order_id = ID(2),
                          .qty = 10,
                          .price = 51,
                          .leaves = 100,
                          .position = 50});
    order(GN_ACTION_CANCEL, 0, ID(2), GN_SIDE_BUY, 0, 0);
    const struct gn_ev_limits l = {.instrument = GN_NONE32, .field = GN_SL_MESSAGE_RATE, .new_value = 5};
    CU_ASSERT_EQUAL(put(GN_EV_LIMITS, &l, sizeof l), GN_JOURNAL_OK);
}

static void rules(void)
{
    struct gn_jstate_totals t;
    begin();
    story();
    const struct gn_position *p = gn_jstate_position(state, 4);
    gn_jstate_totals(state, &t);
    CU_ASSERT_EQUAL(p->qty, 50);
    CU_ASSERT_EQUAL(p->fills, 2);
    CU_ASSERT(p->buy_value == 40 * 50 + 10 * 51);
    CU_ASSERT_EQUAL(p->open_orders, 1);
    CU_ASSERT_EQUAL(p->open_buy, 100);
    CU_ASSERT_EQUAL(p->open_sell, 0);
    CU_ASSERT_EQUAL(p->sent, 2);
    CU_ASSERT_EQUAL(p->accepted, 1);
    CU_ASSERT_EQUAL(p->rejected, 1);
    CU_ASSERT_EQUAL(t.working, 1);
    CU_ASSERT_EQUAL(t.next_seq, 4);
    CU_ASSERT_EQUAL(t.position_errors, 0);
    CU_ASSERT_EQUAL(t.unknown, 0);
    CU_ASSERT_EQUAL(t.limits, 1);
    CU_ASSERT_EQUAL(gn_jstate_limit(state, 0)->value, 5);
    CU_ASSERT_EQUAL(gn_jstate_order(state, ID(1))->state, GN_ORDER_REPLACED);
    CU_ASSERT_EQUAL(gn_jstate_order(state, ID(2))->state, GN_ORDER_PENDING_CANCEL);
    /* the session goes: in doubt, still reserving; it comes back: proven live, then cancelled */
    struct gn_ev_session s = {.state = GN_SESSION_DOWN};
    CU_ASSERT_EQUAL(put(GN_EV_SESSION, &s, sizeof s), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_jstate_order(state, ID(2))->state, GN_ORDER_IN_DOUBT);
    CU_ASSERT_EQUAL(p->open_buy, 100);
    s.state = GN_SESSION_UP;
    CU_ASSERT_EQUAL(put(GN_EV_SESSION, &s, sizeof s), GN_JOURNAL_OK);
    CU_ASSERT_EQUAL(gn_jstate_order(state, ID(2))->state, GN_ORDER_LIVE);
    exec((struct gn_exec){
        .kind = GN_EXEC_CANCELED, .state = GN_ORDER_CANCELED, .order_id = ID(2), .qty = 100, .position = 50});
    CU_ASSERT_EQUAL(p->open_orders, 0);
    CU_ASSERT_EQUAL(p->open_buy, 0);
    /* a report whose position is another one, and one of an order that nobody sent, are counted */
    exec((struct gn_exec){.kind = GN_EXEC_RESTATED, .state = GN_ORDER_CANCELED, .order_id = ID(2), .position = 51});
    exec((struct gn_exec){.kind = GN_EXEC_RESTATED, .order_id = ID(99)});
    gn_jstate_totals(state, &t);
    CU_ASSERT_EQUAL(t.position_errors, 1);
    CU_ASSERT_EQUAL(t.unknown, 1);
    /* once, in order, and not again */
    seq = 3;
    exec((struct gn_exec){.kind = GN_EXEC_FILLED, .order_id = ID(2), .qty = 1000});
    CU_ASSERT_EQUAL(p->qty, 50);
    seq += 1000;
    CU_ASSERT_EQUAL(put(GN_EV_SESSION, &s, sizeof s), GN_JOURNAL_ERR_SEQ);
}

static struct gn_jstate *reloaded(char *bytes, size_t n)
{
    struct gn_jstate *s = gn_jstate_new();
    FILE *in = fmemopen(bytes, n, "r");
    CU_ASSERT_FATAL(s != NULL && in != NULL);
    if (!gn_jstate_load(s, in)) {
        gn_jstate_free(s);
        s = NULL;
    }
    (void)fclose(in);
    return s;
}

static char *saved(const struct gn_jstate *s, size_t *n)
{
    char *bytes = NULL;
    FILE *out = open_memstream(&bytes, n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT(gn_jstate_save(s, out));
    (void)fclose(out);
    return bytes;
}

/* A snapshot and a new state that takes it are the same; no byte of it may change. */
static void snapshots(void)
{
    size_t n, again_n;
    begin();
    story();
    char *bytes = saved(state, &n);
    struct gn_jstate *s = reloaded(bytes, n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    char *again = saved(s, &again_n);
    CU_ASSERT(n == again_n && memcmp(bytes, again, n) == 0);
    gn_jstate_free(s);
    for (size_t at = 0; at < n; at++) {
        bytes[at] ^= (char)(1 << at % 8);
        s = reloaded(bytes, n);
        if (s != NULL)
            CU_FAIL("a changed snapshot is taken");
        gn_jstate_free(s);
        bytes[at] ^= (char)(1 << at % 8);
    }
    for (size_t cut = 1; cut < n; cut += 7) {
        s = reloaded(bytes, cut);
        if (s != NULL)
            CU_FAIL("half a snapshot is taken");
        gn_jstate_free(s);
    }
    free(bytes);
    free(again);
}

/* Whatever a record says, nothing breaks; and a snapshot anywhere in between changes nothing. */
static void anything(void)
{
    uint64_t r = gn_test_seed(11);
    begin();
    for (int i = 0; i < 30000; i++) {
        uint8_t payload[128];
        static const uint16_t types[] = {GN_EV_ORDER, GN_EV_EXEC, GN_EV_SESSION, GN_EV_LIMITS, GN_EV_KILL};
        const uint16_t type = types[gn_test_rand(&r) % GN_ARRAY_LEN(types)];
        for (size_t k = 0; k < sizeof payload; k++)
            payload[k] = gn_test_rand(&r) % 3 == 0 ? (uint8_t)gn_test_rand(&r) % 8 : 0;
        if (type == GN_EV_LIMITS)
            memset(payload, 0, sizeof payload);
        const uint32_t bytes = gn_test_rand(&r) % 16 == 0 ? (uint32_t)(gn_test_rand(&r) % 104) : 104;
        int rc = put(type, payload, bytes);
        if (rc != GN_JOURNAL_OK && rc != GN_JOURNAL_ERR_DAMAGED)
            CU_FAIL("another verdict");
        if (i % 3000 == 0) {
            size_t n;
            char *text = saved(state, &n);
            gn_jstate_free(state);
            state = reloaded(text, n);
            free(text);
            CU_ASSERT_PTR_NOT_NULL_FATAL(state);
        }
    }
}

/* The comparison finds each field that differs. */
static void comparison(void)
{
    struct gn_order_table *t = calloc(1, gn_orders_footprint(8));
    static struct gn_position positions[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    t->capacity = 8;
    t->open = 1;
    t->next_seq = 4;
    begin();
    story();
    positions[4] = *gn_jstate_position(state, 4);
    t->order[2] = (struct gn_order){.id = ID(2),
                                    .user_ref = 2,
                                    .instrument = 4,
                                    .state = GN_ORDER_LIVE,
                                    .price = 51,
                                    .qty = 110,
                                    .leaves = 100,
                                    .cum = 10,
                                    .reserved = 100};
    CU_ASSERT_EQUAL(gn_jstate_compare(state, t, positions, 64, NULL, NULL), 0);
    t->order[2].leaves = 99;
    positions[4].sell_value = 1;
    positions[5].qty = 1;
    t->open = 2;
    t->next_seq = 3;
    CU_ASSERT_EQUAL(gn_jstate_compare(state, t, positions, 64, NULL, NULL), 5);
    t->order[3] = (struct gn_order){.id = ID(77), .state = GN_ORDER_LIVE};
    CU_ASSERT_EQUAL(gn_jstate_compare(state, t, positions, 64, NULL, NULL), 6);
    gn_jstate_free(state);
    state = NULL;
    free(t);
}

GN_TEST_MAIN("journal state", {"rules", rules}, {"snapshots", snapshots}, {"any record", anything},
             {"comparison", comparison})
