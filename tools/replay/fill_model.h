/* A model of the venue for backtests: orders arrive after a latency, trade against the recorded book, queue behind what
 * it displays, and are answered after a latency. Pure: no clock, no file; time and book are arguments. Messages of both
 * directions are OUCH 5.0, decoded.
 *
 *      gn_fill_submit -> out_ns -> arrival -> recorded book, level by level -> rest rests
 *                                                                               |
 *      answer(at) <- back_ns <----------------- fills <--- recorded trades and quotes
 *
 * Marketable: fills at the recorded levels, best first, at their prices; what was taken from a level is not there a
 * second time until the level shrinks below it. The remainder of an immediate-or-cancel order is cancelled.
 *
 * Resting: stands behind the quantity displayed at its price when it arrives. Recorded trades at its price use up that
 * quantity first, then fill it; trades at a worse price fill it at once. Cancels in the queue are taken to be of orders
 * behind it, but no more can be ahead of it than is displayed. A recorded quote of the other side that reaches its
 * price trades with it, as much as the quote displays. Own orders do not trade with each other, and the recorded market
 * does not react to them; quantity they take is taken from nobody else.
 *
 * Quantities of cancel, modify and replace are totals of the order's life, as OUCH has it. Prices are mantissas.
 */
#ifndef GN_REPLAY_FILL_MODEL_H
#define GN_REPLAY_FILL_MODEL_H

#include "dataplane/abi/conf.h"
#include "drivers/venue/nasdaq/ouch.h"

#define GN_FILL_TAKEN 16u /* levels of one instrument and side of which is remembered what was taken */

enum gn_fill_err {
    GN_FILL_OK = 0,
    GN_FILL_ERR_NOMEM = -1,
    GN_FILL_ERR_SIZE = -2, /* max_orders is no power of two, or no instruments */
};

const char *gn_fill_strerror(int err);

/* Reject reasons of OUCH 5.0 that the model gives. */
enum gn_fill_reject {
    GN_FILL_REJECT_OTHER = 0x0f, /* no room */
    GN_FILL_REJECT_QTY = 0x13,
    GN_FILL_REJECT_SYMBOL = 0x17,
    GN_FILL_REJECT_PRICE = 0x1d,
};

struct gn_fill_conf {
    uint64_t out_ns, back_ns; /* to the venue; from there to us */
    uint32_t max_orders;      /* power of two; orders that rest at once */
    uint32_t max_instruments;
    int64_t fee_add[GN_SESSIONS_MAX], fee_remove[GN_SESSIONS_MAX]; /* a share, 1/100 of a price mantissa; < 0: rebate */
    /* the i-th best level of a recorded side; false behind the last */
    bool (*level)(void *arg, uint32_t instrument, uint32_t side, uint32_t i, int64_t *price, int64_t *qty);
    /* a message of the venue, which reaches us at at_ns */
    void (*answer)(void *arg, uint32_t session, const struct gn_ouch_msg *m, uint64_t at_ns);
    void *arg;
};

/* What the model's fills come to, for one instrument. */
struct gn_fill_account {
    uint64_t orders, rejected, canceled, fills; /* orders: accepted ones, replacements included */
    int64_t bought, sold, maker_qty, taker_qty;
    gn_i128 buy_value, sell_value; /* sum of price mantissa x quantity */
    int64_t fees;                  /* 1/100 of a price mantissa; < 0: rebates */
};

struct gn_fill_model;

int gn_fill_new(const struct gn_fill_conf *conf, struct gn_fill_model **out) GN_MUST_CHECK;
void gn_fill_free(struct gn_fill_model *m);

/* gn_fill_submit: a message of ours leaves at now_ns; instrument GN_NONE32: its symbol is unknown, or it has none.
 * Times do not go back. */
int gn_fill_submit(struct gn_fill_model *m, uint32_t session, uint32_t instrument, const struct gn_ouch_msg *msg,
                   uint64_t now_ns) GN_MUST_CHECK;

/* gn_fill_next_ns: when the next message arrives at the venue; UINT64_MAX = none is under way. */
uint64_t gn_fill_next_ns(const struct gn_fill_model *m);

/* gn_fill_arrive: lets everything arrive that is due at now_ns. */
void gn_fill_arrive(struct gn_fill_model *m, uint64_t now_ns);

/* gn_fill_trade: the recorded market traded qty at price; passive_side: whose resting order it was. Before
 * gn_fill_moved of the same message. */
void gn_fill_trade(struct gn_fill_model *m, uint32_t instrument, uint32_t passive_side, int64_t price, int64_t qty,
                   uint64_t now_ns);

/* gn_fill_moved: the recorded book of that instrument changed. */
void gn_fill_moved(struct gn_fill_model *m, uint32_t instrument, uint64_t now_ns);

/* gn_fill_account_of: instrument < max_instruments. */
const struct gn_fill_account *gn_fill_account_of(const struct gn_fill_model *m, uint32_t instrument);

/* gn_fill_ahead: quantity in front of a resting order; -1 when it does not rest. */
int64_t gn_fill_ahead(const struct gn_fill_model *m, uint32_t user_ref);

/* gn_fill_pnl: sold - bought + position x mark - fees, in 1/100 of a price mantissa. */
gn_i128 gn_fill_pnl(const struct gn_fill_account *a, int64_t mark);

#endif
