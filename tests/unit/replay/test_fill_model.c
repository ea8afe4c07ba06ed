/* The fill model against cases worked out by hand: latency, queue, walking the book, fees, profit and loss. */
#include "tests/gn_test.h"
#include "tools/replay/fill_model.h"

#define LEVELS 4u
#define OUT    300u
#define BACK   200u
#define BUY    GN_SIDE_BUY
#define SELL   GN_SIDE_SELL

static struct gn_fill_model *m;
static struct {
    int64_t price, qty;
} book[2][LEVELS]; /* best first; qty 0: none */
static struct {
    struct gn_ouch_msg msg;
    uint64_t at_ns;
} said[64];
static uint32_t n_said;

static bool on_level(void *arg, uint32_t instrument, uint32_t side, uint32_t i, int64_t *price, int64_t *qty)
{
    (void)arg;
    if (instrument != 1 || i >= LEVELS || book[side][i].qty == 0)
        return false;
    *price = book[side][i].price;
    *qty = book[side][i].qty;
    return true;
}

static void on_answer(void *arg, uint32_t session, const struct gn_ouch_msg *msg, uint64_t at_ns)
{
    (void)arg;
    CU_ASSERT_EQUAL(session, 0);
    said[n_said % 64].msg = *msg;
    said[n_said++ % 64].at_ns = at_ns;
}

/* Bids 99 x 500, 98 x 300; offers 101 x 200, 102 x 400, 103 x 1000 (in units of 10,000). Adding is paid 20, removing
 * costs 30, in 1/100 of a mantissa a share. */
static void begin(void)
{
    const struct gn_fill_conf conf = {.out_ns = OUT,
                                      .back_ns = BACK,
                                      .max_orders = 16,
                                      .max_instruments = 2,
                                      .fee_add = {-20},
                                      .fee_remove = {30},
                                      .level = on_level,
                                      .answer = on_answer};
    memset(book, 0, sizeof book);
    book[BUY][0].price = 990000, book[BUY][0].qty = 500;
    book[BUY][1].price = 980000, book[BUY][1].qty = 300;
    book[SELL][0].price = 1010000, book[SELL][0].qty = 200;
    book[SELL][1].price = 1020000, book[SELL][1].qty = 400;
    book[SELL][2].price = 1030000, book[SELL][2].qty = 1000;
    n_said = 0;
    CU_ASSERT_EQUAL_FATAL(gn_fill_new(&conf, &m), GN_FILL_OK);
}

static void send(uint8_t type, uint32_t ref, uint32_t side, int64_t price, uint32_t qty, bool ioc)
{
    struct gn_ouch_msg msg = {.type = type,
                              .user_ref = ref,
                              .side = gn_ouch_side[side],
                              .price = (uint64_t)price,
                              .qty = qty,
                              .tif = gn_ouch_tif[ioc ? GN_TIF_IOC : GN_TIF_DAY]};
    if (type == GN_OUCH_IN_REPLACE) {
        msg.orig_user_ref = ref;
        msg.user_ref = ref + 1;
    }
    CU_ASSERT_EQUAL(gn_fill_submit(m, 0, 1, &msg, 1000), GN_FILL_OK);
    gn_fill_arrive(m, 1000 + OUT);
}

static void enter(uint32_t ref, uint32_t side, int64_t price, uint32_t qty, bool ioc)
{
    send(GN_OUCH_IN_ENTER, ref, side, price, qty, ioc);
}

static bool last(uint8_t type, uint32_t ref, uint32_t qty)
{
    const struct gn_ouch_msg *x = &said[(n_said + 63) % 64].msg;
    return n_said != 0 && x->type == type && x->user_ref == ref && x->qty == qty;
}

static const struct gn_fill_account *account(void)
{
    return gn_fill_account_of(m, 1);
}

static void latency_there_and_back(void)
{
    const struct gn_ouch_msg query = {.type = GN_OUCH_IN_QUERY};
    begin();
    CU_ASSERT_EQUAL(gn_fill_next_ns(m), UINT64_MAX);
    CU_ASSERT_EQUAL(gn_fill_submit(m, 0, GN_NONE32, &query, 5000), GN_FILL_OK);
    CU_ASSERT_EQUAL(gn_fill_next_ns(m), 5000 + OUT);
    gn_fill_arrive(m, 5000 + OUT - 1);
    CU_ASSERT_EQUAL(n_said, 0);
    gn_fill_arrive(m, 5000 + OUT + 77); /* late to look: it arrived when it did */
    CU_ASSERT_EQUAL_FATAL(n_said, 1);
    CU_ASSERT_EQUAL(said[0].at_ns, 5000 + OUT + BACK);
    CU_ASSERT_EQUAL(said[0].msg.next_user_ref, 1);
    gn_fill_free(m);
}

static void the_book_is_walked(void)
{
    begin();
    enter(1, BUY, 1020000, 700, true);
    CU_ASSERT_EQUAL_FATAL(n_said, 4);
    CU_ASSERT_EQUAL(said[0].msg.type, GN_OUCH_OUT_ACCEPTED);
    CU_ASSERT_EQUAL(said[1].msg.qty, 200);
    CU_ASSERT_EQUAL(said[1].msg.price, 1010000);
    CU_ASSERT_EQUAL(said[2].msg.qty, 400);
    CU_ASSERT_EQUAL(said[2].msg.price, 1020000);
    CU_ASSERT_EQUAL(said[2].msg.liquidity, 'R');
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_CANCELED, 1, 100));
    CU_ASSERT_EQUAL(account()->bought, 600);
    CU_ASSERT_EQUAL(account()->fees, 600 * 30);
    CU_ASSERT_TRUE(account()->buy_value == (gn_i128)200 * 1010000 + (gn_i128)400 * 1020000);
    /* worth 99 each: 600 x 99 - 200 x 101 - 400 x 102 = -1,600.00, and 1.80 of fees */
    CU_ASSERT_TRUE(gn_fill_pnl(account(), 990000) == -(gn_i128)1600 * 1000000 - 18000);
    /* what was taken is not there a second time, until it is gone from the book, too */
    enter(2, BUY, 1020000, 10, true);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_CANCELED, 2, 10));
    book[SELL][0].qty = 0;
    gn_fill_moved(m, 1, 2000);
    book[SELL][0].qty = 50;
    enter(3, BUY, 1010000, 80, false);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_EXECUTED, 3, 50));
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 3), 0); /* nobody else bids 101 */
    gn_fill_free(m);
}

static void the_queue_is_kept(void)
{
    begin();
    enter(1, BUY, 990000, 100, false);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_ACCEPTED, 1, 100));
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 1), 500);
    gn_fill_trade(m, 1, BUY, 990000, 300, 2000);
    book[BUY][0].qty = 200;
    gn_fill_moved(m, 1, 2000);
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 1), 200);
    enter(2, BUY, 990000, 40, false);
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 2), 200);
    book[BUY][0].qty = 150; /* 50 were cancelled: no more than 150 can be ahead */
    gn_fill_moved(m, 1, 2100);
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 1), 150);
    gn_fill_trade(m, 1, BUY, 990000, 150, 2200);
    CU_ASSERT_EQUAL(n_said, 2); /* the queue was ahead of both */
    gn_fill_trade(m, 1, BUY, 990000, 120, 2300);
    CU_ASSERT_EQUAL_FATAL(n_said, 4);
    CU_ASSERT_EQUAL(said[2].msg.user_ref, 1);
    CU_ASSERT_EQUAL(said[2].msg.qty, 100);
    CU_ASSERT_EQUAL(said[2].msg.liquidity, 'A');
    CU_ASSERT_EQUAL(said[2].at_ns, 2300 + BACK);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_EXECUTED, 2, 20));
    CU_ASSERT_EQUAL(account()->fees, -120 * 20);
    /* a sale in the other direction, and a trade of the other side, fill nobody */
    gn_fill_trade(m, 1, SELL, 1010000, 500, 2400);
    CU_ASSERT_EQUAL(n_said, 4);
    gn_fill_free(m);
}

static void a_trade_through_the_price_fills(void)
{
    begin();
    enter(1, BUY, 990000, 100, false);
    gn_fill_trade(m, 1, BUY, 980000, 60, 2000);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_EXECUTED, 1, 60));
    CU_ASSERT_EQUAL(said[1].msg.price, 990000);
    gn_fill_free(m);
}

static void a_quote_that_reaches_the_price_fills(void)
{
    begin();
    enter(1, BUY, 1000000, 100, false); /* a better bid than any recorded one */
    book[SELL][0].price = 995000;
    book[SELL][0].qty = 30;
    gn_fill_moved(m, 1, 2000);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_EXECUTED, 1, 30));
    CU_ASSERT_EQUAL(said[1].msg.price, 1000000);
    CU_ASSERT_EQUAL(said[1].msg.liquidity, 'A');
    gn_fill_moved(m, 1, 2100); /* the same quote again is no new quantity */
    CU_ASSERT_EQUAL(n_said, 2);
    gn_fill_free(m);
}

static void orders_are_changed(void)
{
    begin();
    enter(1, SELL, 1010000, 100, false);
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 1), 200);
    gn_fill_trade(m, 1, SELL, 1010000, 230, 2000);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_EXECUTED, 1, 30));
    send(GN_OUCH_IN_REPLACE, 1, SELL, 1020000, 90, false); /* 90 in all, 30 are done */
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_REPLACED, 2, 60));
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 2), 400);
    CU_ASSERT_EQUAL(gn_fill_ahead(m, 1), -1);
    send(GN_OUCH_IN_CANCEL, 2, SELL, 0, 50, false);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_CANCELED, 2, 40));
    send(GN_OUCH_IN_MODIFY, 2, SELL, 0, 45, false);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_MODIFIED, 2, 15));
    send(GN_OUCH_IN_CANCEL, 2, SELL, 0, 0, false);
    CU_ASSERT_TRUE(last(GN_OUCH_OUT_CANCELED, 2, 15));
    const uint32_t before = n_said;
    send(GN_OUCH_IN_CANCEL, 2, SELL, 0, 0, false); /* dead: no answer */
    enter(2, SELL, 1010000, 1, false);             /* a reference that was used: none */
    CU_ASSERT_EQUAL(n_said, before);
    /* sold 30 at 101, worth 100 now: 30.00 and rebates of 30 x 0.002 */
    CU_ASSERT_TRUE(gn_fill_pnl(account(), 1000000) == (gn_i128)30 * 1000000 + 30 * 20);
    enter(5, BUY, 0, 1, false);
    CU_ASSERT_EQUAL(said[n_said - 1].msg.reject, GN_FILL_REJECT_PRICE);
    enter(6, BUY, 980000, 70, false);
    send(GN_OUCH_IN_MASS_CANCEL, 7, BUY, 0, 0, false);
    CU_ASSERT_EQUAL(said[n_said - 2].msg.type, GN_OUCH_OUT_CANCELED);
    CU_ASSERT_EQUAL(said[n_said - 2].msg.qty, 70);
    CU_ASSERT_EQUAL(said[n_said - 1].msg.type, GN_OUCH_OUT_MASS_CANCEL_RESPONSE);
    gn_fill_free(m);
}

GN_TEST_MAIN("fill model", {"latency there and back", latency_there_and_back},
             {"the book is walked", the_book_is_walked}, {"the queue is kept", the_queue_is_kept},
             {"a trade through the price fills", a_trade_through_the_price_fills},
             {"a quote that reaches the price fills", a_quote_that_reaches_the_price_fills},
             {"orders are changed", orders_are_changed})
