#include "tests/gn_test.h"

#include "tests/unit/sim/itch_write.h"
#include "tools/venue-sim/market.h"
#include "tools/venue-sim/matching.h"

#define AAA     "AAA     "
#define BBB     "BBB     "
#define OUT_MAX 4096u
#define ORDERS  200u

static struct gn_sim_books *books;
static struct gn_account account;
static struct gn_impair impair;
static struct gn_match *match;
static struct gn_ouch_msg out[OUT_MAX];
static uint32_t out_session[OUT_MAX], outs, seen;
static uint8_t msg[64];

static void on_out(void *arg, uint32_t session, const struct gn_ouch_msg *m)
{
    (void)arg;
    CU_ASSERT_TRUE_FATAL(outs < OUT_MAX);
    out_session[outs] = session;
    out[outs++] = *m;
}

static void open_match(void)
{
    struct gn_impair_config cfg;
    gn_impair_defaults(&cfg);
    gn_impair_init(&impair, &cfg);
    outs = seen = 0;
    books = gn_sim_books_new(1 << 16, 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(books);
    CU_ASSERT_TRUE_FATAL(gn_account_init(&account, 64));
    struct gn_match_config mc = {.books = books,
                                 .account = &account,
                                 .impair = &impair,
                                 .orders_max = ORDERS,
                                 .instruments_max = 64,
                                 .emit = on_out};
    match = gn_match_new(&mc);
    CU_ASSERT_PTR_NOT_NULL_FATAL(match);
}

static void close_match(void)
{
    gn_match_free(match);
    gn_account_free(&account);
    gn_sim_books_free(books);
}

static void market(size_t len)
{
    struct gn_sim_change c;
    CU_ASSERT_EQUAL(gn_sim_books_apply(books, msg, len, &c), GN_SIM_BOOK_OK);
    gn_match_market(match, &c, 1);
}

/* AAA: bids 100 at 9900, asks 100 at 10000, 200 at 10100 */
static void open_with_book(void)
{
    open_match();
    market(itch_add(msg, 1, 1, 'B', 100, AAA, 9900));
    market(itch_add(msg, 1, 2, 'S', 100, AAA, 10000));
    market(itch_add(msg, 1, 3, 'S', 200, AAA, 10100));
}

static void enter(uint32_t ref, char side, uint32_t qty, uint64_t price, char tif)
{
    struct gn_ouch_msg in = {.type = GN_OUCH_IN_ENTER, .user_ref = ref, .side = side, .qty = qty, .price = price};
    in.tif = tif;
    in.display = 'Y';
    in.capacity = 'P';
    memcpy(in.symbol, AAA, 8);
    memcpy(in.clordid, "abcdefghijklmn", 14);
    gn_match_input(match, 0, &in, 42);
}

static void replace(uint32_t orig, uint32_t ref, uint32_t qty, uint64_t price)
{
    struct gn_ouch_msg in = {.type = GN_OUCH_IN_REPLACE, .orig_user_ref = orig, .user_ref = ref, .qty = qty};
    in.price = price;
    in.tif = '0';
    in.display = 'Y';
    memcpy(in.clordid, "ABCDEFGHIJKLMN", 14);
    gn_match_input(match, 0, &in, 42);
}

static void simple(char type, uint32_t ref, char side, uint32_t qty)
{
    struct gn_ouch_msg in = {.type = (uint8_t)type, .user_ref = ref, .side = side, .qty = qty};
    memset(in.symbol, ' ', 8);
    gn_match_input(match, 0, &in, 42);
}

/* The next answer is of that type. */
static const struct gn_ouch_msg *next(char type)
{
    static const struct gn_ouch_msg none;
    CU_ASSERT_TRUE(seen < outs);
    if (seen >= outs)
        return &none;
    CU_ASSERT_EQUAL((char)out[seen].type, type);
    return &out[seen++];
}

static void next_fill(uint32_t ref, uint32_t qty, uint64_t price, char liquidity)
{
    const struct gn_ouch_msg *m = next('E');
    CU_ASSERT_EQUAL(m->user_ref, ref);
    CU_ASSERT_EQUAL(m->qty, qty);
    CU_ASSERT_EQUAL(m->price, price);
    CU_ASSERT_EQUAL(m->liquidity, liquidity);
}

static void next_cancel(uint32_t ref, uint32_t qty, char reason)
{
    const struct gn_ouch_msg *m = next('C');
    CU_ASSERT_EQUAL(m->user_ref, ref);
    CU_ASSERT_EQUAL(m->qty, qty);
    CU_ASSERT_EQUAL(m->reason, reason);
}

static void no_more(void)
{
    CU_ASSERT_EQUAL(seen, outs);
}

static void takes_level_by_level(void)
{
    open_with_book();
    enter(1, 'B', 250, 10100, '0');
    const struct gn_ouch_msg *a = next('A');
    CU_ASSERT_TRUE(a->qty == 250 && a->state == 'L' && a->side == 'B' && a->time_ns == 42);
    CU_ASSERT_EQUAL(memcmp(a->clordid, "abcdefghijklmn", 14), 0);
    next_fill(1, 100, 10000, 'R');
    next_fill(1, 150, 10100, 'R');
    no_more();
    CU_ASSERT_EQUAL(account.rows[0].position, 250);
    CU_ASSERT_EQUAL((int64_t)gn_account_cash(&account.rows[0]), -(100 * 10000 + 150 * 10100));
    CU_ASSERT_TRUE(account.rows[0].filled == 1 && account.rows[0].open_orders == 0 && account.rows[0].open_buy == 0);

    /* the same shares are not there twice: 50 are left at 10100 */
    enter(2, 'B', 100, 10200, '3');
    next('A');
    next_fill(2, 50, 10100, 'R');
    next_cancel(2, 50, 'I');
    no_more();
    /* what the market adds is there */
    market(itch_add(msg, 1, 4, 'S', 30, AAA, 10000));
    enter(3, 'B', 100, 10000, '3');
    next('A');
    next_fill(3, 30, 10000, 'R');
    next_cancel(3, 70, 'I');
    no_more();
    close_match();
}

static void rests_and_fills_on_trades_through(void)
{
    open_with_book();
    enter(1, 'B', 100, 9800, '0');
    enter(2, 'B', 100, 9850, '0');
    next('A');
    next('A');
    no_more();
    market(itch_trade(msg, 1, 500, AAA, 9850)); /* at our price: not through it */
    no_more();
    market(itch_trade(msg, 1, 130, AAA, 9700)); /* the better order first, at its own price */
    next_fill(2, 100, 9850, 'A');
    next_fill(1, 30, 9800, 'A');
    no_more();
    CU_ASSERT_EQUAL(account.rows[0].open_buy, 70);
    market(itch_trade(msg, 1, 1000, AAA, 9700));
    next_fill(1, 70, 9800, 'A');
    no_more();

    enter(3, 'S', 10, 10000, '3'); /* not marketable */
    next('A');
    next_cancel(3, 10, 'I');
    enter(4, 'S', 60, 10000, '0');
    next('A');
    market(itch_executed(msg, 1, 3, 40)); /* 40 at 10100, above our 10000 */
    next_fill(4, 40, 10000, 'A');
    no_more();
    CU_ASSERT_EQUAL(account.rows[0].position, 160);
    CU_ASSERT_EQUAL(account.rows[0].open_sell, 20);
    close_match();
}

static void fills_when_the_other_side_reaches_it(void)
{
    open_with_book();
    enter(1, 'B', 100, 9950, '0');
    next('A');
    market(itch_add(msg, 1, 10, 'S', 60, AAA, 9900)); /* crosses us: at our price, displayed size only */
    next_fill(1, 60, 9950, 'A');
    no_more();
    market(itch_add(msg, 1, 11, 'S', 10, AAA, 9900));
    next_fill(1, 10, 9950, 'A');
    market(itch_delete(msg, 1, 10));
    no_more();
    market(itch_add(msg, 1, 12, 'S', 500, AAA, 9950));
    next_fill(1, 30, 9950, 'A');
    no_more();
    CU_ASSERT_EQUAL(gn_match_live(match, 0), 0);
    close_match();
}

static void user_refs_grow(void)
{
    open_with_book();
    enter(5, 'B', 10, 9000, '0');
    next('A');
    enter(5, 'B', 10, 9000, '0');
    enter(4, 'B', 10, 9000, '0');
    no_more();
    CU_ASSERT_EQUAL(gn_match_stats(match)->ignored_old_ref, 2);
    simple('Q', 0, 0, 0);
    CU_ASSERT_EQUAL(next('Q')->next_user_ref, 6);
    enter(6, 'B', 0, 9000, '0'); /* a rejected order uses its number up */
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_QTY);
    enter(6, 'B', 10, 9000, '0');
    no_more();
    CU_ASSERT_EQUAL(gn_match_next_ref(match, 0), 7);
    close_match();
}

static void rejects_have_reasons(void)
{
    open_with_book();
    uint32_t ref = 1;
    enter(ref++, 'X', 10, 9000, '0');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_SIDE);
    enter(ref++, 'B', 1000000, 9000, '0');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_QTY);
    enter(ref++, 'B', 10, 0, '0');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_PRICE);
    enter(ref++, 'B', 10, 10050 + 1, '0');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_PRICE);
    enter(ref++, 'B', 10, 9000, '?');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_OTHER);
    struct gn_ouch_msg in = {.type = 'O', .user_ref = ref++, .side = 'B', .qty = 1, .price = 100, .tif = '0'};
    in.display = 'Y';
    memcpy(in.symbol, "NOSUCH  ", 8);
    gn_match_input(match, 0, &in, 1);
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_SYMBOL);
    market(itch_action(msg, 1, AAA, 'H'));
    enter(ref++, 'B', 10, 9000, '0');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_HALTED);
    market(itch_action(msg, 1, AAA, 'T'));
    simple('D', ref++, 0, 0);
    next('G');
    enter(ref++, 'B', 10, 9000, '0');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_DISABLED);
    simple('E', ref++, 0, 0);
    next('K');
    enter(ref++, 'B', 10, 9000, '0');
    next('A');
    impair.cfg.reject_every = 1;
    enter(ref++, 'B', 10, 9000, '0');
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_OTHER);
    no_more();
    CU_ASSERT_EQUAL(account.total.rejected, 9);
    CU_ASSERT_EQUAL(account.rows[0].rejected, 8);
    close_match();
}

static void room_for_orders_ends(void)
{
    open_with_book();
    for (uint32_t i = 1; i <= ORDERS; i++)
        enter(i, 'B', 10, 9000, '0');
    enter(ORDERS + 1, 'B', 10, 9000, '0');
    seen = outs - 1;
    CU_ASSERT_EQUAL(next('J')->reject, GN_MATCH_REJECT_OTHER);
    CU_ASSERT_EQUAL(gn_match_live(match, 0), ORDERS);
    CU_ASSERT_EQUAL(gn_match_cancel_all(match, 0, 'Z', 1), ORDERS);
    CU_ASSERT_EQUAL(account.rows[0].open_orders, 0);
    CU_ASSERT_EQUAL(account.rows[0].open_buy, 0);
    enter(ORDERS + 2, 'B', 10, 9000, '0');
    seen = outs - 1;
    next('A');
    close_match();
}

static void cancels_and_modifies(void)
{
    open_with_book();
    enter(1, 'B', 150, 10000, '0');
    next('A');
    next_fill(1, 100, 10000, 'R');
    simple('X', 1, 0, 150); /* nothing to take off */
    no_more();
    simple('X', 1, 0, 120); /* 100 are executed: 20 stay */
    next_cancel(1, 30, 'U');
    simple('M', 1, 'B', 110);
    const struct gn_ouch_msg *m = next('M');
    CU_ASSERT_TRUE(m->user_ref == 1 && m->qty == 10);
    simple('M', 1, 'S', 105); /* cannot turn around */
    no_more();
    CU_ASSERT_EQUAL(account.rows[0].open_buy, 10);
    simple('X', 1, 0, 0);
    next_cancel(1, 10, 'U');
    simple('X', 1, 0, 0); /* dead: silence */
    simple('M', 1, 'B', 1);
    simple('X', 77, 0, 0);
    no_more();
    CU_ASSERT_EQUAL(gn_match_stats(match)->ignored_dead, 3);
    CU_ASSERT_EQUAL(account.rows[0].open_orders, 0);

    enter(2, 'S', 10, 10500, '0');
    next('A');
    simple('M', 2, 'T', 10); /* sale to short sale, same quantity */
    m = next('M');
    CU_ASSERT_TRUE(m->side == 'T' && m->qty == 10);
    simple('M', 2, 'T', 0);
    next_cancel(2, 10, 'U');
    no_more();
    close_match();
}

static void replaces(void)
{
    open_with_book();
    enter(1, 'B', 150, 10000, '0');
    next('A');
    next_fill(1, 100, 10000, 'R');
    replace(1, 2, 180, 9950); /* 100 are executed: 80 are left */
    const struct gn_ouch_msg *m = next('U');
    CU_ASSERT_TRUE(m->orig_user_ref == 1 && m->user_ref == 2 && m->qty == 80 && m->price == 9950 && m->side == 'B');
    CU_ASSERT_EQUAL(memcmp(m->symbol, AAA, 8), 0);
    CU_ASSERT_EQUAL(memcmp(m->clordid, "ABCDEFGHIJKLMN", 14), 0);
    simple('X', 1, 0, 0); /* the old one is gone */
    replace(1, 3, 10, 9950);
    no_more();
    replace(2, 2, 10, 9950); /* number used already */
    no_more();
    replace(2, 3, 180, 10100); /* becomes marketable */
    next('U');
    next_fill(3, 80, 10100, 'R');
    no_more();
    replace(3, 4, 10, 10000); /* filled, so dead; 4 is not used up */
    no_more();
    enter(4, 'B', 50, 9000, '0');
    next('A');
    replace(4, 5, 1000000, 9000); /* invalid: cancels the order, 5 is not used up */
    next_cancel(4, 50, 'U');
    CU_ASSERT_EQUAL(gn_match_next_ref(match, 0), 5);
    enter(5, 'B', 50, 9000, '0');
    next('A');
    impair.cfg.reject_every = 1;
    replace(5, 6, 60, 9000); /* rejected: the order stays as it is */
    next('J');
    simple('X', 5, 0, 0);
    next_cancel(5, 50, 'U');
    no_more();
    close_match();
}

static void mass_cancel_and_sessions(void)
{
    open_with_book();
    market(itch_add(msg, 2, 20, 'S', 100, BBB, 5000));
    enter(1, 'B', 10, 9000, '0');
    struct gn_ouch_msg in = {.type = 'O', .user_ref = 2, .side = 'B', .qty = 7, .price = 4000, .tif = '0'};
    in.display = 'Y';
    memcpy(in.symbol, BBB, 8);
    gn_match_input(match, 0, &in, 1);
    in.user_ref = 1;
    gn_match_input(match, 3, &in, 1); /* another account, its own numbers */
    CU_ASSERT_EQUAL(out_session[2], 3);
    seen = outs;
    struct gn_ouch_msg mass = {.type = 'C', .user_ref = 3};
    memcpy(mass.symbol, BBB, 8);
    gn_match_input(match, 0, &mass, 1);
    CU_ASSERT_EQUAL(memcmp(next('X')->symbol, BBB, 8), 0);
    next_cancel(2, 7, 'U');
    no_more();
    simple('C', 4, 0, 0);
    next('X');
    next_cancel(1, 10, 'U');
    no_more();
    simple('C', 4, 0, 0);
    no_more();
    CU_ASSERT_EQUAL(gn_match_live(match, 0), 0);
    CU_ASSERT_EQUAL(gn_match_live(match, 3), 1);
    close_match();
}

static void post_only(void)
{
    open_with_book();
    struct gn_ouch_msg in = {.type = 'O', .user_ref = 1, .side = 'B', .qty = 7, .price = 10000, .tif = '0'};
    in.display = 'P';
    memcpy(in.symbol, AAA, 8);
    gn_match_input(match, 0, &in, 1);
    next('A');
    next_cancel(1, 7, 'F');
    in.user_ref = 2;
    in.price = 9900;
    gn_match_input(match, 0, &in, 1);
    next('A');
    no_more();
    close_match();
}

static void impairments(void)
{
    open_with_book();
    impair.cfg.part_fill_pct = 50;
    impair.cfg.fill_chunk = 20;
    impair.cfg.break_every = 2;
    enter(1, 'B', 100, 10000, '3');
    next('A');
    next_fill(1, 20, 10000, 'R');
    next_fill(1, 20, 10000, 'R');
    const struct gn_ouch_msg *m = next('B');
    CU_ASSERT_TRUE(m->user_ref == 1 && m->match == out[seen - 2].match);
    next_fill(1, 10, 10000, 'R');
    next_cancel(1, 50, 'I');
    no_more();
    CU_ASSERT_EQUAL(account.rows[0].position, 30);
    CU_ASSERT_EQUAL(account.rows[0].bought, 30);
    CU_ASSERT_EQUAL((int64_t)gn_account_cash(&account.rows[0]), -30 * 10000);
    CU_ASSERT_EQUAL(account.rows[0].broken, 1);
    close_match();
}

/* ---- random orders against generated flow ---- */

struct shadow {
    uint32_t leaves;
    char side;
};
static struct shadow shadow[60000];
static int64_t position[64];

/* What the answers say must be what the account says: the client's view is kept from messages alone. */
static uint32_t follow(uint32_t from)
{
    for (; from < outs; from++) {
        const struct gn_ouch_msg *m = &out[from];
        struct shadow *s = &shadow[m->user_ref];
        if (m->type == 'A' || m->type == 'U') {
            *s = (struct shadow){m->qty, m->side};
            if (m->type == 'U')
                shadow[m->orig_user_ref].leaves = 0;
        } else if (m->type == 'E' || m->type == 'C') {
            CU_ASSERT_TRUE_FATAL(m->qty != 0 && m->qty <= s->leaves);
            s->leaves -= m->qty;
            if (m->type == 'E')
                position[m->user_ref % 7] += s->side == 'B' ? (int64_t)m->qty : -(int64_t)m->qty;
        } else if (m->type == 'M') {
            CU_ASSERT_TRUE_FATAL(m->qty <= s->leaves);
            s->leaves = m->qty;
        }
    }
    return from;
}

static void random_order(uint64_t *rng, uint32_t *ref)
{
    const uint64_t r = gn_test_rand(rng);
    struct gn_ouch_msg in = {.user_ref = *ref, .display = 'Y', .tif = (r & 1) != 0 ? '3' : '0'};
    const uint32_t instrument = *ref % 7; /* a replacement keeps the remainder, see below */
    struct gn_sim_book *book = gn_sim_books_get(books, instrument);
    const struct gn_sim_level *bid = gn_sim_best(book, 0), *ask = gn_sim_best(book, 1);
    if (bid == NULL || ask == NULL)
        return;
    in.qty = 1 + (uint32_t)(r >> 8) % 900;
    in.side = (r & 2) != 0 ? 'B' : 'S';
    in.price = bid->price + 100 * ((r >> 32) % 12) - 500;
    memcpy(in.symbol, book->symbol, 8);
    in.type = 'O';
    if ((r >> 20) % 4 == 0 && *ref > 70) {
        in.type = (uint8_t)("UXM"[(r >> 40) % 3]);
        uint32_t target = *ref - 7 * (1 + (uint32_t)(r >> 44) % 10);
        in.orig_user_ref = target;
        if (in.type != 'U')
            in.user_ref = target;
    }
    if (gn_match_live(match, 0) > ORDERS * 3 / 4) {
        in.type = 'C';
        in.user_ref = *ref;
        memset(in.symbol, ' ', 8);
    }
    if (in.type == 'O' || in.type == 'U' || in.type == 'C')
        (*ref)++;
    gn_match_input(match, 0, &in, 1);
}

static void answers_and_account_agree(void)
{
    uint64_t rng = gn_test_seed(8), t;
    uint32_t ref = 7;
    struct gn_market *m;
    struct gn_gen_config cfg = {.seed = rng, .messages = 150000, .instruments = 7};
    struct gn_sim_change c;
    uint8_t in[GN_MARKET_MSG_MAX];
    int len;
    open_match();
    memset(shadow, 0, sizeof shadow);
    memset(position, 0, sizeof position);
    CU_ASSERT_EQUAL_FATAL(gn_market_open_generator(&m, &cfg), GN_MARKET_OK);
    while ((len = gn_market_next(m, in, sizeof in, &t)) > 0) {
        CU_ASSERT_EQUAL_FATAL(gn_sim_books_apply(books, in, (size_t)len, &c), GN_SIM_BOOK_OK);
        outs = 0;
        gn_match_market(match, &c, t);
        if (gn_test_rand(&rng) % 4 == 0 && ref < 59000)
            random_order(&rng, &ref);
        follow(0);
    }
    uint64_t leaves = 0;
    for (uint32_t i = 0; i < ref; i++)
        leaves += shadow[i].leaves;
    CU_ASSERT_EQUAL(account.total.open_buy + account.total.open_sell, leaves);
    CU_ASSERT_EQUAL(account.total.open_orders, gn_match_live(match, 0));
    for (uint32_t i = 0; i < 7; i++)
        CU_ASSERT_EQUAL(account.rows[i].position, position[i]);
    CU_ASSERT_TRUE(gn_match_stats(match)->taker_fills > 1000);
    CU_ASSERT_TRUE(gn_match_stats(match)->maker_fills > 50);
    CU_ASSERT_TRUE(account.total.accepted > 10000);
    CU_ASSERT_EQUAL(account.total.accepted, account.total.filled + account.total.canceled + account.total.open_orders);
    gn_match_cancel_all(match, 0, 'Z', 1);
    CU_ASSERT_TRUE(account.total.open_orders == 0 && account.total.open_buy == 0 && account.total.open_sell == 0);
    gn_market_close(m);
    close_match();
}

static const char *symbol_of(uint32_t instrument, void *arg)
{
    (void)arg;
    return gn_sim_books_get(books, instrument)->symbol;
}

static void account_as_json(void)
{
    open_with_book();
    enter(1, 'B', 40, 10000, '0');
    account.rows[0].buy_notional += (gn_i128)1 << 100;
    json_t *j = gn_account_json(&account, symbol_of, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    json_t *rows = json_object_get(j, "instruments");
    CU_ASSERT_EQUAL(json_array_size(rows), 1);
    json_t *row = json_array_get(rows, 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(row, "symbol")), "AAA");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(row, "position")), 40);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(row, "cash")), "-1267650600228229401496703605376");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(j, "total"), "cash")), -400000);
    json_decref(j);
    close_match();
}

GN_TEST_MAIN("sim matching", {"takes level by level", takes_level_by_level},
             {"rests and fills on trades through", rests_and_fills_on_trades_through},
             {"fills when the other side reaches it", fills_when_the_other_side_reaches_it},
             {"user refs grow", user_refs_grow}, {"rejects have reasons", rejects_have_reasons},
             {"room for orders ends", room_for_orders_ends}, {"cancels and modifies", cancels_and_modifies},
             {"replaces", replaces}, {"mass cancel and sessions", mass_cancel_and_sessions}, {"post only", post_only},
             {"impairments", impairments}, {"answers and account agree", answers_and_account_agree},
             {"account as json", account_as_json})
