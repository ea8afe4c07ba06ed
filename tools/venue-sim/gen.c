#include "tools/venue-sim/gen.h"

#include <stdlib.h>

#include "tools/venue-sim/gen_book.h"

#define PICKS      16384u            /* table of instruments, each as often as it is active */
#define SIDE_MIN   5u                /* orders below which a side is only added to */
#define OPEN_NS    34200000000000ull /* 09:30 */
#define BURST_MEAN 6u
#define DRAW(r, n) ((uint32_t)(((uint64_t)(uint32_t)(r) * (n)) >> 32)) /* uniform in [0, n) from 32 random bits */

static_assert(PICKS >= 2 * GN_GEN_INSTRUMENTS_MAX, "every instrument is picked at times");

/* Shares of the kinds of event in 1/1024; what is left is adds and deletes, balanced by the number of live orders. */
enum { SHARE_REPLACE = 66, SHARE_TRADE = 20, SHARE_CANCEL = 14, SHARE_PRINT = 9 };

struct gn_gen {
    struct gn_gen_config cfg;
    uint64_t rng;
    uint64_t n; /* messages so far */
    uint64_t time_ns;
    uint64_t next_ref, next_match;
    uint64_t gap_in, gap_between; /* mean ns within and between bursts */
    uint32_t burst_left, instrument;
    uint32_t sweep_left; /* shares that the aggressor of the last execution still wants */
    uint8_t sweep_side;  /* of the resting orders */
    uint16_t pick[PICKS];
    struct gn_gen_book *books;
};

static uint64_t draw(struct gn_gen *g)
{
    uint64_t z = (g->rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

void gn_gen_symbol(uint32_t i, char symbol[8])
{
    uint32_t v = i + 1;
    memcpy(symbol, "GN0000  ", 8);
    for (int at = 5; at >= 2; at--, v /= 10)
        symbol[at] = (char)('0' + v % 10);
}

static void fill_picks(struct gn_gen *g)
{
    const uint32_t n = g->cfg.instruments;
    uint64_t sum = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (1u << 20) / (i + 1);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t share = (uint64_t)((1u << 20) / (i + 1)) * (PICKS - n) / sum + 1;
        for (uint64_t k = 0; k < share && at < PICKS; k++)
            g->pick[at++] = (uint16_t)i;
    }
    while (at < PICKS)
        g->pick[at++] = 0;
}

struct gn_gen *gn_gen_new(const struct gn_gen_config *config)
{
    const uint32_t target = config->live_target == 0 ? 600 : config->live_target;
    if (config->instruments == 0 || config->instruments > GN_GEN_INSTRUMENTS_MAX || target < 20 ||
        target > GN_GEN_LIVE_MAX || config->rate > 1000000000ull)
        return NULL;
    struct gn_gen *g = calloc(1, sizeof *g);
    struct gn_gen_book *books = calloc(config->instruments, sizeof *books);
    if (g == NULL || books == NULL) {
        free(books);
        free(g);
        return NULL;
    }
    g->cfg = *config;
    g->cfg.live_target = target;
    g->books = books;
    g->rng = config->seed;
    g->time_ns = OPEN_NS;
    g->next_ref = 1;
    g->next_match = 1;
    const uint64_t mean = 1000000000ull / (config->rate == 0 ? 1000000ull : config->rate);
    g->gap_in = mean / 4;
    g->gap_between = mean * BURST_MEAN - g->gap_in * (BURST_MEAN - 1);
    fill_picks(g);
    for (uint32_t i = 0; i < config->instruments; i++) {
        uint32_t price = 2500 + DRAW(draw(g), 40000); /* ticks: 25 to 425 */
        uint32_t live = target / 3 + target * 2 / 3 / (i / 4 + 1);
        gn_gen_book_init(&books[i], price * GN_GEN_TICK, live < 20 ? 20 : live);
    }
    return g;
}

void gn_gen_free(struct gn_gen *g)
{
    if (g == NULL)
        return;
    free(g->books);
    free(g);
}

/* ---- messages ---- */

static void header(const struct gn_gen *g, uint8_t *msg, char type, uint32_t locate)
{
    msg[0] = (uint8_t)type;
    gn_store_be16(msg + 1, (uint16_t)locate);
    gn_store_be16(msg + 3, 0);
    gn_store_be48(msg + 5, g->time_ns);
}

static size_t event(const struct gn_gen *g, uint8_t *msg, char code)
{
    header(g, msg, 'S', 0);
    msg[11] = (uint8_t)code;
    return 12;
}

/* Start and end of the day, and the directory in between; 0 when the flow is due. */
static size_t frame(struct gn_gen *g, uint8_t *msg)
{
    const uint64_t n = g->n, count = g->cfg.instruments, left = g->cfg.messages - n;
    static const char closing[] = {0, 'C', 'E', 'M'};

    if (n == 0)
        return event(g, msg, 'O');
    if (n <= count) {
        header(g, msg, 'R', (uint32_t)n);
        gn_gen_symbol((uint32_t)n - 1, (char *)msg + 11);
        memcpy(msg + 19, "QN\0\0\0\x64NCZ PNN1N\0\0\0\0N", 20);
        return 39;
    }
    if (n <= 2 * count) {
        header(g, msg, 'H', (uint32_t)(n - count));
        gn_gen_symbol((uint32_t)(n - count) - 1, (char *)msg + 11);
        memcpy(msg + 19, "T     ", 6);
        return 25;
    }
    if (n == 2 * count + 1)
        return event(g, msg, 'S');
    if (n == 2 * count + 2)
        return event(g, msg, 'Q');
    if (g->cfg.messages != 0 && left <= 3)
        return event(g, msg, closing[left]);
    return 0;
}

static uint32_t quantity(uint64_t r)
{
    static const uint16_t lots[16] = {100, 100, 100, 100, 100, 100, 200, 200, 200, 300, 300, 400, 500, 500, 1000, 2000};
    uint32_t q = lots[r & 15];
    return (r & 0x70) == 0 ? 1 + (uint32_t)(r >> 8 & 63) : q; /* one in eight is an odd lot */
}

/* Ticks behind the best price: geometric in steps of four, with a long tail for one in sixteen. */
static uint32_t depth(uint64_t r)
{
    uint32_t d = (uint32_t)__builtin_ctzll(r | 1ull << 16) + (uint32_t)__builtin_ctzll(r >> 24 | 1ull << 16);
    d = d * 4 + (uint32_t)(r >> 50 & 3);
    return (r >> 60) == 0 ? d * 8 : d;
}

/* Where an order of that side goes: never at or beyond the other side's best. */
static uint32_t place(const struct gn_gen_book *b, uint32_t side, uint64_t r)
{
    const bool buy = side == GN_SIDE_BUY;
    const bool has_own = b->side[side].orders != 0, has_other = b->side[!side].orders != 0;
    const int32_t mid = GN_GEN_LADDER / 2;
    const int32_t other = has_other ? (int32_t)gn_gen_book_best(b, !side) : buy ? mid + 1 : mid - 1;
    const int32_t own = has_own ? (int32_t)gn_gen_book_best(b, side) : buy ? other - 2 : other + 2;
    const int32_t gap = buy ? other - own : own - other;
    int32_t tick;

    if (gap > 1 && has_own && (r >> 40 & 255) < (gap > 2 ? 64u : 28u))
        tick = buy ? own + 1 : own - 1;
    else
        tick = buy ? own - (int32_t)depth(r) : own + (int32_t)depth(r);
    if (buy)
        return (uint32_t)gn_max_i64(1, gn_min_i64(tick, GN_GEN_LADDER - 3));
    return (uint32_t)gn_min_i64(GN_GEN_LADDER - 2, gn_max_i64(tick, 2));
}

static uint32_t price_of(const struct gn_gen_book *b, uint32_t tick)
{
    return b->base_price + tick * GN_GEN_TICK;
}

static size_t add(struct gn_gen *g, struct gn_gen_book *b, uint8_t *msg, uint32_t side, uint64_t r)
{
    const bool attributed = (r >> 50 & 63) == 0;
    const struct gn_gen_order *o = gn_gen_book_add(b, g->next_ref++, side, place(b, side, r), quantity(r >> 32));
    header(g, msg, attributed ? 'F' : 'A', g->instrument + 1);
    gn_store_be64(msg + 11, o->ref);
    msg[19] = side == GN_SIDE_BUY ? 'B' : 'S';
    gn_store_be32(msg + 20, o->qty);
    gn_gen_symbol(g->instrument, (char *)msg + 24);
    gn_store_be32(msg + 32, price_of(b, o->tick));
    memcpy(msg + 36, "GNMM", 4);
    return attributed ? 40 : 36;
}

static size_t delete_order(struct gn_gen *g, struct gn_gen_book *b, uint8_t *msg, struct gn_gen_order *o)
{
    header(g, msg, 'D', g->instrument + 1);
    gn_store_be64(msg + 11, o->ref);
    gn_gen_book_remove(b, o);
    return 19;
}

static size_t cancel(struct gn_gen *g, uint8_t *msg, struct gn_gen_order *o, uint64_t r)
{
    const uint32_t off = 1 + DRAW(r, o->qty - 1);
    header(g, msg, 'X', g->instrument + 1);
    gn_store_be64(msg + 11, o->ref);
    gn_store_be32(msg + 19, off);
    o->qty -= off;
    return 23;
}

static size_t replace(struct gn_gen *g, struct gn_gen_book *b, uint8_t *msg, struct gn_gen_order *o, uint64_t r)
{
    const uint32_t side = o->side, qty = (r & 1) != 0 ? o->qty : quantity(r >> 32);
    header(g, msg, 'U', g->instrument + 1);
    gn_store_be64(msg + 11, o->ref);
    gn_gen_book_remove(b, o);
    o = gn_gen_book_add(b, g->next_ref++, side, place(b, side, r), qty);
    gn_store_be64(msg + 19, o->ref);
    gn_store_be32(msg + 27, o->qty);
    gn_store_be32(msg + 31, price_of(b, o->tick));
    return 35;
}

/* One execution at the front of the resting side's best level; the aggressor's rest waits in sweep_left. */
static size_t execute(struct gn_gen *g, struct gn_gen_book *b, uint8_t *msg, uint64_t r)
{
    const uint32_t side = g->sweep_side;
    struct gn_gen_order *o = gn_gen_book_front(b, side);
    const uint32_t qty = o->qty < g->sweep_left ? o->qty : g->sweep_left;
    const bool with_price = (r >> 40 & 15) == 0;

    header(g, msg, with_price ? 'C' : 'E', g->instrument + 1);
    gn_store_be64(msg + 11, o->ref);
    gn_store_be32(msg + 19, qty);
    gn_store_be64(msg + 23, g->next_match++);
    if (with_price) {
        uint32_t other = gn_gen_book_best(b, !side);
        msg[31] = 'Y';
        gn_store_be32(msg + 32, (price_of(b, o->tick) + price_of(b, other)) / 2);
    }
    g->sweep_left -= qty;
    o->qty -= qty;
    if (o->qty == 0)
        gn_gen_book_remove(b, o);
    if (b->side[side].orders < SIDE_MIN)
        g->sweep_left = 0;
    return with_price ? 36 : 31;
}

/* A trade against hidden liquidity, at the middle of the spread. */
static size_t print(struct gn_gen *g, const struct gn_gen_book *b, uint8_t *msg, uint64_t r)
{
    header(g, msg, 'P', g->instrument + 1);
    gn_store_be64(msg + 11, 0);
    msg[19] = 'B';
    gn_store_be32(msg + 20, quantity(r >> 32));
    gn_gen_symbol(g->instrument, (char *)msg + 24);
    gn_store_be32(msg + 32,
                  (price_of(b, gn_gen_book_best(b, GN_SIDE_BUY)) + price_of(b, gn_gen_book_best(b, GN_SIDE_SELL))) / 2);
    gn_store_be64(msg + 36, g->next_match++);
    return 44;
}

/* The order flow's bias wanders, and leans against the distance from where the instrument began. */
static void drift(struct gn_gen_book *b, uint64_t r)
{
    int32_t mid = (int32_t)(gn_gen_book_best(b, GN_SIDE_BUY) + gn_gen_book_best(b, GN_SIDE_SELL)) / 2;
    int32_t bias = b->bias + (int32_t)(r & 63) - 32 - b->bias / 8 - (mid - (int32_t)GN_GEN_LADDER / 2) / 32;
    b->bias = bias < -100 ? -100 : bias > 100 ? 100 : bias;
}

static size_t flow(struct gn_gen *g, uint8_t *msg)
{
    struct gn_gen_book *b = &g->books[g->instrument];
    const uint64_t r = draw(g), r2 = draw(g);
    const uint32_t leaning = (int32_t)(r >> 56) < 128 + b->bias ? GN_SIDE_BUY : GN_SIDE_SELL;
    uint32_t kind = (uint32_t)r & 1023;

    if (g->sweep_left != 0)
        return execute(g, b, msg, r2);
    if (GN_UNLIKELY(b->side[0].orders < SIDE_MIN || b->side[1].orders < SIDE_MIN))
        return add(g, b, msg, b->side[0].orders < b->side[1].orders ? GN_SIDE_BUY : GN_SIDE_SELL, r2);
    if ((r >> 10 & 63) == 0)
        drift(b, r2);

    struct gn_gen_order *o = &b->order[b->live[DRAW(r >> 16, b->live_n)]];
    const bool spare = b->side[o->side].orders >= SIDE_MIN + 1;
    if (kind < SHARE_REPLACE && spare)
        return replace(g, b, msg, o, r2);
    kind -= kind < SHARE_REPLACE ? kind : SHARE_REPLACE;
    if (kind < SHARE_TRADE) {
        g->sweep_side = leaning == GN_SIDE_BUY ? GN_SIDE_SELL : GN_SIDE_BUY;
        g->sweep_left = quantity(r >> 20) * (1 + (uint32_t)(r >> 48 & 1));
        return execute(g, b, msg, r2);
    }
    if (kind < SHARE_TRADE + SHARE_CANCEL && o->qty > 1)
        return cancel(g, msg, o, r2);
    if (kind < SHARE_TRADE + SHARE_CANCEL + SHARE_PRINT)
        return print(g, b, msg, r2);

    int32_t lack = ((int32_t)b->live_target - (int32_t)b->live_n) * 1024 / (int32_t)b->live_target;
    int32_t p_add = 528 + (int32_t)gn_max_i64(-400, gn_min_i64(lack, 400));
    if ((b->live_n < GN_GEN_LIVE_MAX && (int32_t)(r2 >> 54) < p_add) || !spare)
        return add(g, b, msg, leaning, draw(g));
    if ((r2 & 7) == 0 && b->side[leaning].orders > SIDE_MIN)
        o = gn_gen_book_front(b, leaning); /* much of a day's cancelling happens at the best price */
    return delete_order(g, b, msg, o);
}

size_t gn_gen_next(struct gn_gen *g, uint8_t *msg, uint64_t *time_ns)
{
    if (GN_UNLIKELY(g->cfg.messages != 0 && g->n >= g->cfg.messages))
        return 0;
    size_t len = frame(g, msg);
    if (GN_LIKELY(len == 0)) {
        const uint64_t r = draw(g);
        bool same = g->burst_left != 0 || g->sweep_left != 0;
        if (!same) {
            g->instrument = g->pick[r >> 32 & (PICKS - 1)];
            g->burst_left = DRAW(r >> 10, 2 * BURST_MEAN - 1) + 1;
        }
        g->burst_left -= g->burst_left != 0;
        g->time_ns += DRAW(r, 2 * (same ? g->gap_in : g->gap_between) + 1);
        len = flow(g, msg);
    }
    g->n++;
    *time_ns = g->time_ns;
    return len;
}
