/* The simulator's reference books: what the published ITCH 5.0 messages say, kept by a reader of their own, so that a
 * mistake in the appliance's decoder or book cannot hide behind the same mistake here.
 *
 * One order table (open addressing, backward-shift deletion) for all instruments; per instrument and side an array of
 * price levels sorted worst to best, so that the busy end is the cheap one. Instruments appear with the first message
 * that names their stock locate and symbol.
 *
 *     taken: displayed size that the simulator's own matching has consumed at a level. What the market adds comes on
 * top; what the market takes away counts against the taken shares first; a level that goes forgets it. So the same
 *     displayed shares are never filled twice.
 */
#ifndef GN_SIM_BOOK_H
#define GN_SIM_BOOK_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"

#define GN_SIM_INSTRUMENTS_MAX 16384u
#define GN_SIM_LEVELS_MAX      65536u /* per side of an instrument */
#define GN_SIM_ORDERS_MIN      1024u
#define GN_SIM_ORDERS_MAX      (1u << 26)

enum gn_sim_book_err {
    GN_SIM_BOOK_OK = 0,
    GN_SIM_BOOK_ERR_LENGTH = -1,      /* shorter than its type says */
    GN_SIM_BOOK_ERR_TYPE = -2,        /* unknown message type */
    GN_SIM_BOOK_ERR_REF = -3,         /* order reference is not live */
    GN_SIM_BOOK_ERR_DUPLICATE = -4,   /* order reference is live already */
    GN_SIM_BOOK_ERR_QUANTITY = -5,    /* zero shares added, or more taken off than the order has (order removed) */
    GN_SIM_BOOK_ERR_SIDE = -6,        /* neither 'B' nor 'S' */
    GN_SIM_BOOK_ERR_INSTRUMENTS = -7, /* more than instruments_max locates */
    GN_SIM_BOOK_ERR_ORDERS = -8,      /* order table full */
    GN_SIM_BOOK_ERR_LEVELS = -9,      /* too many price levels on a side, or no memory for them */
    GN_SIM_BOOK_ERR_MEMORY = -10,     /* gn_sim_books_new only */
};
#define GN_SIM_BOOK_ERRS 11u

const char *gn_sim_book_strerror(int err);

struct gn_sim_level {
    uint64_t qty;   /* displayed by the market */
    uint64_t taken; /* of it, consumed by our matching; <= qty */
    uint32_t price; /* 1/10000 */
    uint32_t orders;
};

struct gn_sim_side {
    struct gn_sim_level *levels; /* ascending quality: levels[n - 1] is the best */
    uint32_t n, room;
};

struct gn_sim_book {
    char symbol[8]; /* as published, padded with spaces */
    uint16_t locate;
    uint8_t state; /* trading state of the last 'H': 'T' trading, 'H', 'P', 'Q'; 'T' before any */
    uint8_t named; /* symbol is known */
    uint32_t live; /* orders */
    uint64_t messages;
    struct gn_sim_side side[2]; /* by enum gn_side */
};

/* What one message did; instrument is GN_NONE32 when it concerns none. */
struct gn_sim_change {
    uint32_t instrument;
    uint8_t best_moved; /* price of the best bid or offer changed */
    uint8_t best_sized; /* best bid or offer changed in price or size */
    uint8_t traded;     /* an execution or trade message: the fields below hold */
    uint8_t pad;
    uint32_t trade_price;
    uint32_t trade_qty;
};

struct gn_sim_books;

/* gn_sim_books_new: room for orders_max live orders (GN_SIM_ORDERS_MIN to GN_SIM_ORDERS_MAX; the table is twice that,
 * 24 bytes a slot) and instruments_max (1 to GN_SIM_INSTRUMENTS_MAX). NULL when out of range or out of memory. */
struct gn_sim_books *gn_sim_books_new(uint32_t orders_max, uint32_t instruments_max);

void gn_sim_books_free(struct gn_sim_books *b);

/* gn_sim_books_apply: one ITCH 5.0 message as published. Messages that do not touch a book are counted and return OK.
 * An error is counted by its reason, and leaves the books as they were, but for ERR_QUANTITY on a cancel or execution,
 * which removes the order. */
int gn_sim_books_apply(struct gn_sim_books *b, const uint8_t *msg, size_t len, struct gn_sim_change *change);

/* gn_sim_books_count / _get / _find: instruments are numbered from 0 in order of appearance. _find takes the symbol
 * padded with spaces; GN_NONE32 when nobody published it. */
uint32_t gn_sim_books_count(const struct gn_sim_books *b);
struct gn_sim_book *gn_sim_books_get(struct gn_sim_books *b, uint32_t instrument);
uint32_t gn_sim_books_find(const struct gn_sim_books *b, const char symbol[8]);

/* gn_sim_books_digests: digest of every instrument (dataplane/abi/market_digest.h) into out[0..n); walks the table. */
void gn_sim_books_digests(const struct gn_sim_books *b, uint64_t *out, uint32_t n);

/* gn_sim_books_errors: how often each error was returned; index is the negated code. */
const uint64_t *gn_sim_books_errors(const struct gn_sim_books *b);
uint64_t gn_sim_books_live(const struct gn_sim_books *b);

/* gn_sim_best: the best level of a side, NULL when the side is empty. */
static inline struct gn_sim_level *gn_sim_best(struct gn_sim_book *book, uint32_t side)
{
    struct gn_sim_side *s = &book->side[side];
    return s->n == 0 ? NULL : &s->levels[s->n - 1];
}

#endif
