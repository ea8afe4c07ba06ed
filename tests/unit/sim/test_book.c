#include "tests/gn_test.h"

#include "dataplane/abi/market_digest.h"
#include "tests/unit/sim/itch_write.h"
#include "tools/venue-sim/book.h"
#include "tools/venue-sim/market.h"

#define AAA "AAA     "
#define BBB "BBB     "

static struct gn_sim_books *b;
static struct gn_sim_change c;
static uint8_t msg[64];

static int apply(size_t len)
{
    return gn_sim_books_apply(b, msg, len, &c);
}

static void open_books(void)
{
    b = gn_sim_books_new(GN_SIM_ORDERS_MIN, 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
}

static uint64_t error_count(int err)
{
    return gn_sim_books_errors(b)[-err];
}

static void life_of_orders(void)
{
    open_books();
    CU_ASSERT_EQUAL(apply(itch_add(msg, 3, 1, 'B', 100, AAA, 10000)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(c.instrument == 0 && c.best_moved && c.best_sized && !c.traded);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 3, 2, 'B', 50, AAA, 10000)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(!c.best_moved && c.best_sized);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 3, 3, 'B', 70, AAA, 9900)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(!c.best_moved && !c.best_sized);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 3, 4, 'S', 10, AAA, 10100)), GN_SIM_BOOK_OK);
    struct gn_sim_book *book = gn_sim_books_get(b, gn_sim_books_find(b, AAA));
    CU_ASSERT_TRUE(book->live == 4 && book->locate == 3);
    CU_ASSERT_TRUE(gn_sim_best(book, 0)->qty == 150 && gn_sim_best(book, 0)->orders == 2);

    CU_ASSERT_EQUAL(apply(itch_executed(msg, 3, 1, 40)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(c.traded && c.trade_price == 10000 && c.trade_qty == 40);
    CU_ASSERT_EQUAL(apply(itch_executed_price(msg, 3, 1, 60, 'Y', 9950)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(c.traded && c.trade_price == 9950 && !c.best_moved);
    CU_ASSERT_EQUAL(apply(itch_executed_price(msg, 3, 2, 10, 'N', 9950)), GN_SIM_BOOK_OK);
    CU_ASSERT_FALSE(c.traded);
    CU_ASSERT_EQUAL(apply(itch_cancel(msg, 3, 2, 15)), GN_SIM_BOOK_OK);
    CU_ASSERT_EQUAL(gn_sim_best(book, 0)->qty, 25);
    CU_ASSERT_EQUAL(apply(itch_replace(msg, 3, 2, 9, 33, 9800)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(c.best_moved && gn_sim_best(book, 0)->price == 9900);
    CU_ASSERT_EQUAL(apply(itch_delete(msg, 3, 3)), GN_SIM_BOOK_OK);
    CU_ASSERT_EQUAL(gn_sim_best(book, 0)->price, 9800);
    CU_ASSERT_EQUAL(apply(itch_trade(msg, 3, 5, AAA, 10050)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(c.traded && c.trade_price == 10050 && c.trade_qty == 5);
    uint64_t digest;
    gn_sim_books_digests(b, &digest, 1);
    CU_ASSERT_EQUAL(digest, gn_digest_order(9, 0, 9800, 33) + gn_digest_order(4, 1, 10100, 10));
    CU_ASSERT_EQUAL(book->live, 2);
    gn_sim_books_free(b);
}

static void bad_messages_are_counted(void)
{
    open_books();
    CU_ASSERT_EQUAL(apply(0), GN_SIM_BOOK_ERR_TYPE);
    itch_head(msg, 'z', 1);
    CU_ASSERT_EQUAL(apply(20), GN_SIM_BOOK_ERR_TYPE);
    size_t len = itch_add(msg, 1, 1, 'B', 100, AAA, 10000);
    for (size_t cut = 1; cut < len; cut++)
        CU_ASSERT_EQUAL(apply(cut), GN_SIM_BOOK_ERR_LENGTH);
    CU_ASSERT_EQUAL(apply(len + 1), GN_SIM_BOOK_ERR_LENGTH);
    CU_ASSERT_EQUAL(gn_sim_books_count(b), 0);
    CU_ASSERT_EQUAL(apply(itch_delete(msg, 1, 5)), GN_SIM_BOOK_ERR_REF);
    CU_ASSERT_EQUAL(apply(itch_executed(msg, 1, 5, 1)), GN_SIM_BOOK_ERR_REF);
    CU_ASSERT_EQUAL(apply(itch_cancel(msg, 1, 5, 1)), GN_SIM_BOOK_ERR_REF);
    CU_ASSERT_EQUAL(apply(itch_replace(msg, 1, 5, 6, 1, 1)), GN_SIM_BOOK_ERR_REF);
    CU_ASSERT_EQUAL(error_count(GN_SIM_BOOK_ERR_REF), 4);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 1, 'Z', 100, AAA, 10000)), GN_SIM_BOOK_ERR_SIDE);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 1, 'B', 0, AAA, 10000)), GN_SIM_BOOK_ERR_QUANTITY);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 1, 'B', 100, AAA, 10000)), GN_SIM_BOOK_OK);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 1, 'B', 100, AAA, 10000)), GN_SIM_BOOK_ERR_DUPLICATE);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 2, 'B', 100, AAA, 10000)), GN_SIM_BOOK_OK);
    CU_ASSERT_EQUAL(apply(itch_replace(msg, 1, 1, 2, 10, 10000)), GN_SIM_BOOK_ERR_DUPLICATE);
    CU_ASSERT_EQUAL(apply(itch_executed(msg, 1, 1, 101)), GN_SIM_BOOK_ERR_QUANTITY);
    CU_ASSERT_EQUAL(gn_sim_books_live(b), 1);
    CU_ASSERT_EQUAL(gn_sim_best(gn_sim_books_get(b, 0), 0)->qty, 100);
    for (uint16_t i = 2; i <= 8; i++)
        CU_ASSERT_EQUAL(apply(itch_action(msg, i, BBB, 'T')), GN_SIM_BOOK_OK);
    CU_ASSERT_EQUAL(apply(itch_action(msg, 9, BBB, 'T')), GN_SIM_BOOK_ERR_INSTRUMENTS);
    CU_ASSERT_EQUAL(gn_sim_books_find(b, BBB), 1);
    for (uint64_t ref = 10; gn_sim_books_live(b) < GN_SIM_ORDERS_MIN; ref++)
        CU_ASSERT_EQUAL_FATAL(apply(itch_add(msg, 1, ref, 'S', 1, AAA, 20000)), GN_SIM_BOOK_OK);
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 999999, 'S', 1, AAA, 20000)), GN_SIM_BOOK_ERR_ORDERS);
    gn_sim_books_free(b);
    CU_ASSERT_PTR_NULL(gn_sim_books_new(1, 8));
    CU_ASSERT_PTR_NULL(gn_sim_books_new(GN_SIM_ORDERS_MIN, 0));
}

static void taken_shares_are_remembered(void)
{
    open_books();
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 1, 'S', 100, AAA, 10000)), GN_SIM_BOOK_OK);
    struct gn_sim_level *l = gn_sim_best(gn_sim_books_get(b, 0), GN_SIDE_SELL);
    l->taken = 80;
    CU_ASSERT_EQUAL(apply(itch_add(msg, 1, 2, 'S', 50, AAA, 10000)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(l->qty == 150 && l->taken == 80);
    CU_ASSERT_EQUAL(apply(itch_executed(msg, 1, 1, 60)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(l->qty == 90 && l->taken == 20);
    CU_ASSERT_EQUAL(apply(itch_delete(msg, 1, 1)), GN_SIM_BOOK_OK);
    CU_ASSERT_TRUE(l->qty == 50 && l->taken == 0);
    gn_sim_books_free(b);
}

/* ---- against a model of arrays ---- */

enum { REFS = 600, MODEL_PRICES = 40 };
static struct {
    uint32_t qty, price, side, locate;
} model[REFS];

/* Scattered, so that many of them meet in the order table. */
static uint64_t wire_ref(uint32_t ref)
{
    return gn_digest_mix(ref + 1);
}

static void check_model(void)
{
    for (uint32_t i = 0; i < gn_sim_books_count(b); i++) {
        struct gn_sim_book *book = gn_sim_books_get(b, i);
        uint64_t qty[2][MODEL_PRICES] = {{0}}, digest = 0, got[8];
        uint32_t live = 0, levels[2] = {0, 0};
        for (uint32_t r = 0; r < REFS; r++)
            if (model[r].qty != 0 && model[r].locate == book->locate) {
                qty[model[r].side][model[r].price] += model[r].qty;
                digest += gn_digest_order(wire_ref(r), model[r].side, model[r].price, model[r].qty);
                live++;
            }
        gn_sim_books_digests(b, got, gn_sim_books_count(b));
        CU_ASSERT_EQUAL_FATAL(got[i], digest);
        CU_ASSERT_EQUAL_FATAL(book->live, live);
        for (uint32_t s = 0; s < 2; s++) {
            for (uint32_t k = 0; k < book->side[s].n; k++) {
                const struct gn_sim_level *l = &book->side[s].levels[k];
                CU_ASSERT_TRUE_FATAL(l->price < MODEL_PRICES && l->qty == qty[s][l->price]);
                if (k > 0)
                    CU_ASSERT_TRUE_FATAL(s == GN_SIDE_BUY ? l[-1].price < l->price : l[-1].price > l->price);
            }
            for (uint32_t p = 0; p < MODEL_PRICES; p++)
                levels[s] += qty[s][p] != 0;
            CU_ASSERT_EQUAL_FATAL(book->side[s].n, levels[s]);
        }
    }
}

static void random_add(uint64_t *rng, uint32_t ref, uint16_t locate, uint32_t qty, uint32_t price)
{
    uint32_t side = (uint32_t)(gn_test_rand(rng) & 1);
    int err = apply(itch_add(msg, locate, wire_ref(ref), side == 0 ? 'B' : 'S', qty, locate == 1 ? AAA : BBB, price));
    if (model[ref].qty != 0) {
        CU_ASSERT_EQUAL_FATAL(err, GN_SIM_BOOK_ERR_DUPLICATE);
        return;
    }
    CU_ASSERT_EQUAL_FATAL(err, GN_SIM_BOOK_OK);
    model[ref].qty = qty;
    model[ref].price = price;
    model[ref].side = side;
    model[ref].locate = locate;
}

static void random_change(uint64_t *rng, uint32_t ref, uint16_t locate, uint32_t qty, uint32_t price)
{
    uint32_t kind = (uint32_t)gn_test_rand(rng) % 4, to = (uint32_t)gn_test_rand(rng) % REFS;
    size_t len = kind == 0   ? itch_delete(msg, locate, wire_ref(ref))
                 : kind == 1 ? itch_cancel(msg, locate, wire_ref(ref), qty)
                 : kind == 2 ? itch_executed(msg, locate, wire_ref(ref), qty)
                             : itch_replace(msg, locate, wire_ref(ref), wire_ref(to), qty, price);
    int err = apply(len);
    if (model[ref].qty == 0) {
        CU_ASSERT_EQUAL_FATAL(err, GN_SIM_BOOK_ERR_REF);
    } else if (kind == 0) {
        model[ref].qty = 0;
    } else if (kind == 3 && to != ref && model[to].qty != 0) {
        CU_ASSERT_EQUAL_FATAL(err, GN_SIM_BOOK_ERR_DUPLICATE);
    } else if (kind == 3) {
        model[to] = model[ref];
        if (to != ref)
            model[ref].qty = 0;
        model[to].qty = qty;
        model[to].price = price;
    } else {
        CU_ASSERT_EQUAL_FATAL(err, qty > model[ref].qty ? GN_SIM_BOOK_ERR_QUANTITY : GN_SIM_BOOK_OK);
        model[ref].qty -= qty < model[ref].qty ? qty : model[ref].qty;
    }
}

static void agrees_with_a_model(void)
{
    uint64_t rng = gn_test_seed(21);
    memset(model, 0, sizeof model);
    open_books();
    for (uint32_t i = 0; i < 60000; i++) {
        uint32_t ref = (uint32_t)gn_test_rand(&rng) % REFS, qty = 1 + (uint32_t)gn_test_rand(&rng) % 100;
        uint32_t price = (uint32_t)gn_test_rand(&rng) % MODEL_PRICES;
        uint16_t locate = (uint16_t)(1 + (gn_test_rand(&rng) & 1));
        if (gn_test_rand(&rng) % 5 < 3)
            random_add(&rng, ref, locate, qty, price);
        else
            random_change(&rng, ref, locate, qty, price);
        if (i % 61 == 0)
            check_model();
    }
    gn_sim_books_free(b);
}

/* ---- the captures, when they are there ---- */

static const char *data_path(const char *name, char *buf, size_t size)
{
    const char *dir = getenv("GN_SHARED_DATA");
    snprintf(buf, size, "%s/itch50/%s", dir != NULL ? dir : GN_SHARED_DATA, name);
    return buf;
}

static uint64_t level_price(uint32_t side)
{
    struct gn_sim_level *l = gn_sim_best(gn_sim_books_get(b, 0), side);
    return l == NULL ? 0 : l->price;
}

static uint64_t level_qty(uint32_t side)
{
    struct gn_sim_level *l = gn_sim_best(gn_sim_books_get(b, 0), side);
    return l == NULL ? 0 : l->qty;
}

static void capture_agrees_with_its_bbo(void)
{
    char path[4096], line[256];
    struct gn_market *m;
    uint64_t bad, n = 0, rows = 0, t, at;
    long long bid, bid_qty, ask, ask_qty, live;
    uint8_t in[GN_MARKET_MSG_MAX];
    int len;
    FILE *csv = fopen(data_path("esh4_20231225.bbo.csv", path, sizeof path), "r");
    if (csv == NULL || gn_market_open_file(&m, data_path("esh4_20231225.itch50", path, sizeof path), &bad) != 0) {
        printf("skipped: no captures at %s ", path);
        return;
    }
    b = gn_sim_books_new(1 << 17, 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, csv));
    while (fgets(line, sizeof line, csv) != NULL) {
        CU_ASSERT_EQUAL_FATAL(sscanf(line, "%lu,%lld,%lld,%lld,%lld,%lld", &at, &bid, &bid_qty, &ask, &ask_qty, &live),
                              6);
        while (n < at) {
            len = gn_market_next(m, in, sizeof in, &t);
            CU_ASSERT_TRUE_FATAL(len > 0);
            CU_ASSERT_EQUAL_FATAL(gn_sim_books_apply(b, in, (size_t)len, &c), GN_SIM_BOOK_OK);
            n++;
        }
        CU_ASSERT_EQUAL(level_price(GN_SIDE_BUY), (uint64_t)bid);
        CU_ASSERT_EQUAL(level_qty(GN_SIDE_BUY), (uint64_t)bid_qty);
        CU_ASSERT_EQUAL(level_price(GN_SIDE_SELL), (uint64_t)ask);
        CU_ASSERT_EQUAL(level_qty(GN_SIDE_SELL), (uint64_t)ask_qty);
        CU_ASSERT_EQUAL(gn_sim_books_live(b), (uint64_t)live);
        rows++;
    }
    CU_ASSERT_TRUE(rows > 50);
    fclose(csv);
    gn_market_close(m);
    gn_sim_books_free(b);
}

static void capture_from_mid_day(void)
{
    char path[4096];
    struct gn_market *m;
    uint64_t bad, t, n = 0;
    uint8_t in[GN_MARKET_MSG_MAX];
    int len;
    if (gn_market_open_file(&m, data_path("nasdaq_20191230_0930.itch50", path, sizeof path), &bad) != 0) {
        printf("skipped: no capture at %s ", path);
        return;
    }
    b = gn_sim_books_new(1 << 16, GN_SIM_INSTRUMENTS_MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    for (; (len = gn_market_next(m, in, sizeof in, &t)) > 0; n++) {
        int err = gn_sim_books_apply(b, in, (size_t)len, &c);
        CU_ASSERT_TRUE(err == GN_SIM_BOOK_OK || err == GN_SIM_BOOK_ERR_REF);
    }
    CU_ASSERT_EQUAL(n, 1000);
    CU_ASSERT_TRUE(error_count(GN_SIM_BOOK_ERR_REF) > 0);
    CU_ASSERT_EQUAL(error_count(GN_SIM_BOOK_ERR_REF) + error_count(GN_SIM_BOOK_OK), 1000);
    gn_market_close(m);
    gn_sim_books_free(b);
}

GN_TEST_MAIN("sim book", {"life of orders", life_of_orders}, {"bad messages are counted", bad_messages_are_counted},
             {"taken shares are remembered", taken_shares_are_remembered}, {"agrees with a model", agrees_with_a_model},
             {"capture agrees with its bbo", capture_agrees_with_its_bbo},
             {"capture from mid-day", capture_from_mid_day})
