#include "tools/venue-sim/book.h"

#include <stdlib.h>

#include "dataplane/abi/market_digest.h"
#include "tools/venue-sim/ref_table.h"

#define LOCATES     65536u
#define SYMBOL_BITS 15u /* twice GN_SIM_INSTRUMENTS_MAX */
#define NO_BOOK     0xffffu

static_assert((1u << SYMBOL_BITS) >= 2 * GN_SIM_INSTRUMENTS_MAX, "the symbol table is never more than half full");

struct gn_sim_books {
    struct gn_ref_table orders;
    struct gn_sim_book *books; /* instruments_max of them */
    uint32_t count, max;
    uint64_t errors[GN_SIM_BOOK_ERRS];
    uint16_t by_locate[LOCATES];
    uint16_t by_symbol[1u << SYMBOL_BITS]; /* open addressing */
};

/* Length of every ITCH 5.0 message type; 0 = unknown. Nasdaq TotalView-ITCH 5.0, section 4 (1.1 to 1.9). */
static const uint8_t itch_length[256] = {
    ['S'] = 12, ['R'] = 39, ['H'] = 25, ['Y'] = 20, ['L'] = 26, ['V'] = 35, ['W'] = 12, ['K'] = 28,
    ['J'] = 35, ['h'] = 21, ['A'] = 36, ['F'] = 40, ['E'] = 31, ['C'] = 36, ['X'] = 23, ['D'] = 19,
    ['U'] = 35, ['P'] = 44, ['Q'] = 40, ['B'] = 19, ['I'] = 50, ['N'] = 20, ['O'] = 48,
};

const char *gn_sim_book_strerror(int err)
{
    static const char *const text[GN_SIM_BOOK_ERRS] = {
        "ok",
        "message length does not fit its type",
        "unknown message type",
        "unknown order reference",
        "order reference is live already",
        "impossible quantity",
        "side is neither B nor S",
        "too many instruments",
        "order table is full",
        "too many price levels",
        "out of memory",
    };
    return err <= 0 && err > -(int)GN_SIM_BOOK_ERRS ? text[-err] : "unknown error";
}

struct gn_sim_books *gn_sim_books_new(uint32_t orders_max, uint32_t instruments_max)
{
    if (orders_max < GN_SIM_ORDERS_MIN || orders_max > GN_SIM_ORDERS_MAX || instruments_max == 0 ||
        instruments_max > GN_SIM_INSTRUMENTS_MAX)
        return NULL;
    struct gn_sim_books *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->max = instruments_max;
    b->books = calloc(instruments_max, sizeof *b->books);
    if (b->books == NULL || !gn_ref_table_init(&b->orders, orders_max)) {
        gn_sim_books_free(b);
        return NULL;
    }
    memset(b->by_locate, 0xff, sizeof b->by_locate);
    memset(b->by_symbol, 0xff, sizeof b->by_symbol);
    return b;
}

void gn_sim_books_free(struct gn_sim_books *b)
{
    if (b == NULL)
        return;
    for (uint32_t i = 0; i < b->count; i++) {
        free(b->books[i].side[0].levels);
        free(b->books[i].side[1].levels);
    }
    gn_ref_table_free(&b->orders);
    free(b->books);
    free(b);
}

uint32_t gn_sim_books_count(const struct gn_sim_books *b)
{
    return b->count;
}

struct gn_sim_book *gn_sim_books_get(struct gn_sim_books *b, uint32_t instrument)
{
    return &b->books[instrument];
}

const uint64_t *gn_sim_books_errors(const struct gn_sim_books *b)
{
    return b->errors;
}

uint64_t gn_sim_books_live(const struct gn_sim_books *b)
{
    return b->orders.live;
}

/* ---- instruments ---- */

static uint32_t symbol_home(const char symbol[8])
{
    uint64_t s;
    memcpy(&s, symbol, sizeof s);
    return (uint32_t)(gn_digest_mix(s) >> (64 - SYMBOL_BITS));
}

uint32_t gn_sim_books_find(const struct gn_sim_books *b, const char symbol[8])
{
    for (uint32_t i = symbol_home(symbol);; i = (i + 1) & ((1u << SYMBOL_BITS) - 1)) {
        uint32_t n = b->by_symbol[i];
        if (n == NO_BOOK)
            return GN_NONE32;
        if (memcmp(b->books[n].symbol, symbol, 8) == 0)
            return n;
    }
}

static void name_book(struct gn_sim_books *b, uint32_t n, const uint8_t *symbol)
{
    struct gn_sim_book *book = &b->books[n];
    memcpy(book->symbol, symbol, sizeof book->symbol);
    book->named = 1;
    if (gn_sim_books_find(b, book->symbol) != GN_NONE32)
        return; /* a second locate of the same symbol: orders go to the first */
    uint32_t i = symbol_home(book->symbol);
    while (b->by_symbol[i] != NO_BOOK)
        i = (i + 1) & ((1u << SYMBOL_BITS) - 1);
    b->by_symbol[i] = (uint16_t)n;
}

/* The instrument of a locate, made when it is new; symbol may be NULL. GN_NONE32 when there are too many. */
static uint32_t instrument_of(struct gn_sim_books *b, uint16_t locate, const uint8_t *symbol)
{
    uint32_t n = b->by_locate[locate];
    if (GN_UNLIKELY(n == NO_BOOK)) {
        if (b->count == b->max)
            return GN_NONE32;
        n = b->count++;
        b->by_locate[locate] = (uint16_t)n;
        b->books[n] = (struct gn_sim_book){.locate = locate, .state = 'T'};
    }
    if (GN_UNLIKELY(symbol != NULL && !b->books[n].named))
        name_book(b, n, symbol);
    return n;
}

/* ---- price levels ---- */

/* Index of the first level that is not worse than price: where it stands, or where it would be inserted. */
static uint32_t level_at(const struct gn_sim_side *s, uint32_t side, uint32_t price)
{
    const struct gn_sim_level *l = s->levels;
    const uint32_t flip = side == GN_SIDE_BUY ? 0 : 0xffffffffu; /* turns asks into an ascending order as well */
    const uint32_t key = price ^ flip;
    uint32_t lo = 0, hi = s->n;

    if (s->n > 8 && (l[s->n - 8].price ^ flip) < key)
        lo = s->n - 7; /* most changes happen near the best price */
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if ((l[mid].price ^ flip) < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool level_add(struct gn_sim_side *s, uint32_t side, uint32_t price, uint32_t qty)
{
    uint32_t i = level_at(s, side, price);
    if (i == s->n || s->levels[i].price != price) {
        if (GN_UNLIKELY(s->n == s->room)) {
            uint32_t room = s->room == 0 ? 64 : s->room * 2;
            struct gn_sim_level *l = room > GN_SIM_LEVELS_MAX ? NULL : realloc(s->levels, room * sizeof *l);
            if (l == NULL)
                return false;
            s->levels = l;
            s->room = room;
        }
        memmove(&s->levels[i + 1], &s->levels[i], (s->n - i) * sizeof s->levels[0]);
        s->levels[i] = (struct gn_sim_level){.price = price};
        s->n++;
    }
    s->levels[i].qty += qty;
    s->levels[i].orders++;
    return true;
}

/* Takes qty off the level that the order stands in; gone tells that the order leaves it. */
static void level_sub(struct gn_sim_side *s, uint32_t side, uint32_t price, uint32_t qty, bool gone)
{
    uint32_t i = level_at(s, side, price);
    struct gn_sim_level *l = &s->levels[i];
    l->qty -= qty;
    l->taken -= l->taken < qty ? l->taken : qty;
    l->orders -= gone;
    if (l->orders == 0) {
        s->n--;
        memmove(l, l + 1, (s->n - i) * sizeof *l);
    }
}

/* ---- messages ---- */

static int add_order(struct gn_sim_books *b, uint32_t n, uint64_t ref, uint32_t side, uint32_t qty, uint32_t price)
{
    if (GN_UNLIKELY(qty == 0))
        return GN_SIM_BOOK_ERR_QUANTITY;
    if (GN_UNLIKELY(gn_ref_table_find(&b->orders, ref) != NULL))
        return GN_SIM_BOOK_ERR_DUPLICATE;
    if (GN_UNLIKELY(b->orders.live == b->orders.max))
        return GN_SIM_BOOK_ERR_ORDERS;
    if (GN_UNLIKELY(!level_add(&b->books[n].side[side], side, price, qty)))
        return GN_SIM_BOOK_ERR_LEVELS;
    struct gn_ref_order *o = gn_ref_table_insert(&b->orders, ref);
    o->side1 = side + 1;
    o->instrument = n;
    o->price = price;
    o->qty = qty;
    b->books[n].live++;
    return GN_SIM_BOOK_OK;
}

static int apply_add(struct gn_sim_books *b, const uint8_t *msg, struct gn_sim_change *c)
{
    uint32_t side = msg[19] == 'B' ? GN_SIDE_BUY : GN_SIDE_SELL;
    if (GN_UNLIKELY(msg[19] != 'B' && msg[19] != 'S'))
        return GN_SIM_BOOK_ERR_SIDE;
    uint32_t n = instrument_of(b, gn_load_be16(msg + 1), msg + 24);
    if (GN_UNLIKELY(n == GN_NONE32))
        return GN_SIM_BOOK_ERR_INSTRUMENTS;
    c->instrument = n;
    return add_order(b, n, gn_load_be64(msg + 11), side, gn_load_be32(msg + 20), gn_load_be32(msg + 32));
}

/* Takes qty off a live order, the whole of it when it has no more. */
static int reduce(struct gn_sim_books *b, struct gn_ref_order *o, uint32_t qty)
{
    int err = qty > o->qty ? GN_SIM_BOOK_ERR_QUANTITY : GN_SIM_BOOK_OK;
    bool gone = qty >= o->qty;
    uint32_t off = gone ? o->qty : qty;
    struct gn_sim_book *book = &b->books[o->instrument];
    level_sub(&book->side[o->side1 - 1], o->side1 - 1, o->price, off, gone);
    o->qty -= off;
    if (gone) {
        book->live--;
        gn_ref_table_delete(&b->orders, o);
    }
    return err;
}

static int apply_replace(struct gn_sim_books *b, struct gn_ref_order *old, const uint8_t *msg)
{
    const uint64_t ref = gn_load_be64(msg + 19);
    const uint32_t qty = gn_load_be32(msg + 27);
    const uint32_t n = old->instrument, side = old->side1 - 1;
    if (GN_UNLIKELY(ref != old->ref && gn_ref_table_find(&b->orders, ref) != NULL))
        return GN_SIM_BOOK_ERR_DUPLICATE;
    if (GN_UNLIKELY(qty == 0))
        return GN_SIM_BOOK_ERR_QUANTITY;
    if (reduce(b, old, old->qty) != GN_SIM_BOOK_OK)
        return GN_SIM_BOOK_ERR_QUANTITY;
    return add_order(b, n, ref, side, qty, gn_load_be32(msg + 31));
}

/* E, C, X, D and U: everything that names a live order. */
static int apply_to_order(struct gn_sim_books *b, const uint8_t *msg, struct gn_sim_change *c)
{
    struct gn_ref_order *o = gn_ref_table_find(&b->orders, gn_load_be64(msg + 11));
    if (GN_UNLIKELY(o == NULL))
        return GN_SIM_BOOK_ERR_REF;
    c->instrument = o->instrument;
    if (msg[0] == 'D')
        return reduce(b, o, o->qty);
    if (msg[0] == 'U')
        return apply_replace(b, o, msg);
    uint32_t qty = gn_load_be32(msg + 19);
    if (msg[0] != 'X') {
        /* 'C' with printable 'N' is reported again in a cross: not a trade of its own (ITCH 5.0, 1.4.2). */
        c->traded = msg[0] == 'E' || msg[31] == 'Y';
        c->trade_price = msg[0] == 'E' ? o->price : gn_load_be32(msg + 32);
        c->trade_qty = qty;
    }
    return reduce(b, o, qty);
}

static int apply_other(struct gn_sim_books *b, const uint8_t *msg, struct gn_sim_change *c)
{
    if (msg[0] == 'R' || msg[0] == 'H') {
        c->instrument = instrument_of(b, gn_load_be16(msg + 1), msg + 11);
        if (c->instrument == GN_NONE32)
            return GN_SIM_BOOK_ERR_INSTRUMENTS;
        if (msg[0] == 'H')
            b->books[c->instrument].state = msg[19];
        return GN_SIM_BOOK_OK;
    }
    if (msg[0] == 'P' || msg[0] == 'Q') {
        c->instrument = instrument_of(b, gn_load_be16(msg + 1), msg + (msg[0] == 'P' ? 24 : 19));
        if (c->instrument == GN_NONE32)
            return GN_SIM_BOOK_ERR_INSTRUMENTS;
        uint64_t qty = msg[0] == 'P' ? gn_load_be32(msg + 20) : gn_load_be64(msg + 11);
        c->traded = qty != 0;
        c->trade_qty = qty > UINT32_MAX ? UINT32_MAX : (uint32_t)qty;
        c->trade_price = gn_load_be32(msg + (msg[0] == 'P' ? 32 : 27));
    }
    return GN_SIM_BOOK_OK;
}

struct best {
    uint32_t price[2];
    uint64_t qty[2];
};

static struct best best_of(struct gn_sim_book *book)
{
    struct best best = {{0, 0}, {0, 0}};
    for (uint32_t s = 0; s < 2; s++) {
        const struct gn_sim_level *l = gn_sim_best(book, s);
        if (l != NULL) {
            best.price[s] = l->price;
            best.qty[s] = l->qty;
        }
    }
    return best;
}

/* The instrument whose best prices a message may move: by reference when it names a live order, else by locate. */
static uint32_t touched(const struct gn_sim_books *b, const uint8_t *msg)
{
    uint32_t n = b->by_locate[gn_load_be16(msg + 1)];
    return n == NO_BOOK ? GN_NONE32 : n;
}

int gn_sim_books_apply(struct gn_sim_books *b, const uint8_t *msg, size_t len, struct gn_sim_change *c)
{
    int err;
    struct best before = {{0, 0}, {0, 0}};
    *c = (struct gn_sim_change){.instrument = GN_NONE32};
    if (GN_UNLIKELY(len == 0 || itch_length[msg[0]] == 0)) {
        b->errors[-GN_SIM_BOOK_ERR_TYPE]++;
        return GN_SIM_BOOK_ERR_TYPE;
    }
    if (GN_UNLIKELY(len != itch_length[msg[0]])) {
        b->errors[-GN_SIM_BOOK_ERR_LENGTH]++;
        return GN_SIM_BOOK_ERR_LENGTH;
    }
    uint32_t guess = touched(b, msg);
    if (GN_LIKELY(guess != GN_NONE32))
        before = best_of(&b->books[guess]);

    if (msg[0] == 'A' || msg[0] == 'F')
        err = apply_add(b, msg, c);
    else if (msg[0] == 'D' || msg[0] == 'E' || msg[0] == 'U' || msg[0] == 'X' || msg[0] == 'C')
        err = apply_to_order(b, msg, c);
    else
        err = apply_other(b, msg, c);

    b->errors[-err]++;
    if (GN_UNLIKELY(c->instrument == GN_NONE32))
        return err;
    struct gn_sim_book *book = &b->books[c->instrument];
    struct best after = best_of(book);
    book->messages++;
    /* A hostile file may name an order under another instrument's locate: then nothing is known of before. */
    bool known = c->instrument == guess || guess == GN_NONE32;
    c->best_moved = !known || memcmp(before.price, after.price, sizeof after.price) != 0;
    c->best_sized = c->best_moved || memcmp(before.qty, after.qty, sizeof after.qty) != 0;
    return err;
}

void gn_sim_books_digests(const struct gn_sim_books *b, uint64_t *out, uint32_t n)
{
    memset(out, 0, n * sizeof *out);
    for (uint64_t i = 0; i <= b->orders.mask; i++) {
        const struct gn_ref_order *o = &b->orders.slots[i];
        if (o->side1 != 0 && o->instrument < n)
            out[o->instrument] += gn_digest_order(o->ref, o->side1 - 1, o->price, o->qty);
    }
}
