/* gannet.h: a desk's own strategy process beside a Gannet appliance. It reads best prices, sends order intents, and
 * learns what became of them; everything goes through shared memory, no call here waits and none but gannet_open,
 * gannet_close and gannet_check enters the kernel.
 *
 *      gannet_open -> gannet_find -> gannet_top ... gannet_send_new -> gannet_next_report ... -> gannet_close
 *
 * The appliance's configuration names the client (clients:) and the strategy of kind `client` that trades for it
 * (strategies: with its session and instruments). An intent passes the risk gate like any strategy's: what the gate
 * refuses comes back as a report of kind GANNET_GATE_REJECTED, never as an error of the sending call.
 *
 * Prices are whole numbers in units of 10^price_exp (gannet_instrument): 1000100 with -4 is 100.01. Quantities are
 * whole numbers. A handle belongs to one thread at a time. One process at a time holds a client.
 *
 * Errors are negative values of enum gannet_error; gannet_strerror says them in words. Structures of this header keep
 * their size and their fields' places within a major version; reserved fields are zero and must be set to zero.
 */
#ifndef GANNET_H
#define GANNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GANNET_API        __attribute__((visibility("default")))
#define GANNET_MUST_CHECK __attribute__((warn_unused_result))

#define GANNET_ERROR_LEN 512u        /* room for gannet_open's text */
#define GANNET_WATCH_MAX 1024u       /* instruments of gannet_watch */
#define GANNET_ALL       0xffffffffu /* gannet_mass_cancel: every instrument */
#define GANNET_PRICE_LEN 48u         /* room for gannet_format_price */

enum gannet_error {
    GANNET_OK = 0,
    GANNET_ERR_ARGUMENT = -1,   /* a null pointer, a name that is empty or too long */
    GANNET_ERR_OPEN = -2,       /* a file cannot be opened or is not what it should be: the text says which and why */
    GANNET_ERR_BUSY = -3,       /* another process holds this client */
    GANNET_ERR_MEMORY = -4,     /* no memory for the handle */
    GANNET_ERR_INSTRUMENT = -5, /* no instrument of that name or number */
    GANNET_ERR_UNSTABLE = -6,   /* the row changed under every look at it: ask again; if it stays, its writer is dead */
    GANNET_ERR_FULL = -7,       /* the intent ring is full, nothing was sent; or the watch list is */
    GANNET_ERR_CORRUPT = -8,  /* shared memory holds what cannot be: close the handle, call the appliance's operator */
    GANNET_ERR_REPLACED = -9, /* the appliance was started anew on fresh files: close and open again */
    GANNET_ERR_INTENT = -10,  /* side, time in force, price or quantity that no instrument can have */
};

enum gannet_side {
    GANNET_BUY = 0,
    GANNET_SELL = 1,
};

enum gannet_tif {
    GANNET_DAY = 0,
    GANNET_IOC = 1,
};

/* Bits of gannet_top.flags; any of them set: the gate refuses new orders. */
enum gannet_flag {
    GANNET_STALE = 1,   /* a gap of the feed is open, or was given up: prices may be wrong */
    GANNET_HALTED = 2,  /* halted by the venue */
    GANNET_CROSSED = 4, /* bid >= ask */
};

enum gannet_report_kind {
    GANNET_SENT = 1,            /* passed the gate, on the wire; order_id is now known */
    GANNET_GATE_REJECTED = 2,   /* reason: gannet_verdict_name; the intent is known by its tag */
    GANNET_ACCEPTED = 3,        /* by the venue */
    GANNET_REJECTED = 4,        /* by the venue; reason: the venue's code */
    GANNET_FILLED = 5,          /* qty at price; leaves says whether it lives on */
    GANNET_CANCELED = 6,        /* qty taken off; leaves says whether it lives on */
    GANNET_REPLACED = 7,        /* order_id is the new order, prev_id the old one */
    GANNET_CANCEL_REJECTED = 8, /* the order could not be cancelled: mostly it was filled before */
    GANNET_MODIFIED = 9,        /* quantity reduced */
    GANNET_IN_DOUBT = 10,       /* the order session is gone; fate unknown until a later report says */
    GANNET_BROKEN = 11,    /* the venue took a fill back: qty at price, match names it; the position is corrected */
    GANNET_RESTATED = 12,  /* the venue changed display or priority; nothing to do */
    GANNET_CORRECTED = 13, /* follows a GANNET_BROKEN of the same match: qty at price stands instead */
};

struct gannet_instrument {
    char symbol[16];   /* without trailing spaces, zero-terminated */
    int32_t price_exp; /* decimal exponent of every price of this instrument */
    uint32_t tradable; /* 1: assigned to this client's strategy; 0: its prices can be read, orders are refused */
    int64_t tick;      /* prices are multiples of it */
    int64_t lot;       /* quantities are multiples of it */
    uint64_t reserved;
};

struct gannet_top {
    uint32_t instrument;
    uint32_t flags;         /* bits of enum gannet_flag */
    int64_t bid, bid_qty;   /* 0, 0: nobody bids */
    int64_t ask, ask_qty;   /* 0, 0: nobody offers */
    int64_t last, last_qty; /* last trade, 0, 0: none yet */
    uint64_t tick_seq;      /* sequence number of the market-data message that changed it last */
    uint64_t reserved;
};

struct gannet_order {
    uint32_t instrument;
    uint8_t side; /* enum gannet_side */
    uint8_t tif;  /* enum gannet_tif */
    uint16_t reserved;
    int64_t price; /* limit, multiple of tick */
    int64_t qty;   /* multiple of lot; of a replacement: what shall work afterwards */
    uint64_t tag;  /* the caller's own; comes back in every report on the order */
};

struct gannet_report {
    uint32_t kind; /* enum gannet_report_kind */
    uint32_t instrument;
    uint32_t reason;
    uint8_t side;
    uint8_t working;   /* 1: the order can still trade */
    uint8_t liquidity; /* of a fill: 'A' added, 'R' removed, 0 unknown */
    uint8_t reserved0;
    uint64_t order_id; /* 0: no order came of the intent */
    uint64_t prev_id;  /* replaced order; of a refused intent: the order it named */
    int64_t price, qty;
    int64_t leaves, cum; /* still open, filled so far */
    int64_t position;    /* of the appliance in this instrument, after it */
    uint64_t tag;
    uint64_t tick_seq; /* market data that the intent answered, 0 = not known */
    uint64_t match;    /* venue's number of a fill */
    uint64_t time_ns;  /* when the appliance wrote it, ns since the Unix epoch */
    uint64_t missed;   /* reports lost right before this one because the caller did not read in time */
    uint64_t reserved[2];
};

struct gannet; /* one opened client */

/* gannet_open: attaches client `name` of the appliance at `where`: its run directory (run_dir of the configuration), or
 * the files' common path <dir>/gannet-<instance>. Opens the observe file for reading and the client's own file; no
 * other. *out belongs to the caller until gannet_close. Reports that an earlier process of this client did not read are
 * still there. err, of err_size bytes, gets a sentence when the result is negative; it may be NULL.
 * Errors: ARGUMENT, OPEN, BUSY, MEMORY, CORRUPT. */
GANNET_API int gannet_open(const char *where, const char *name, struct gannet **out, char *err,
                           size_t err_size) GANNET_MUST_CHECK;

/* gannet_close: lets go of everything; NULL is allowed. Working orders stay: mass-cancel first if they shall not. */
GANNET_API void gannet_close(struct gannet *g);

/* gannet_check: OK while the opened files are the ones that the appliance uses, REPLACED when it was started anew.
 * Enters the kernel (two stat calls): for about once a second. */
GANNET_API int gannet_check(const struct gannet *g) GANNET_MUST_CHECK;

/* gannet_beat: moves this client's heartbeat counter in its file, which shows that its process lives. */
GANNET_API void gannet_beat(struct gannet *g);

GANNET_API const char *gannet_strerror(int err);

/* gannet_verdict_name, gannet_verdict_help: the gate's reason in a report of kind GATE_REJECTED: one word, and a
 * sentence. Never NULL. */
GANNET_API const char *gannet_verdict_name(uint32_t reason);
GANNET_API const char *gannet_verdict_help(uint32_t reason);

/* gannet_report_name: a report kind in one word. Never NULL. */
GANNET_API const char *gannet_report_name(uint32_t kind);

/* ---- instruments and prices ---- */

/* gannet_instruments: how many there are; numbers run from 0. Grows when the feed names new ones, never shrinks. */
GANNET_API uint32_t gannet_instruments(const struct gannet *g);

/* gannet_find: the number of an instrument by its symbol. Errors: ARGUMENT, INSTRUMENT. */
GANNET_API int gannet_find(const struct gannet *g, const char *symbol, uint32_t *instrument) GANNET_MUST_CHECK;

/* gannet_get_instrument: what is known of it. Errors: INSTRUMENT. */
GANNET_API int gannet_get_instrument(const struct gannet *g, uint32_t instrument,
                                     struct gannet_instrument *out) GANNET_MUST_CHECK;

/* gannet_top: a consistent copy of the best prices. Errors: INSTRUMENT, UNSTABLE. */
GANNET_API int gannet_top(const struct gannet *g, uint32_t instrument, struct gannet_top *out) GANNET_MUST_CHECK;

/* gannet_watch: gannet_next_change shall look at this instrument; its present state counts as a change. Errors:
 * INSTRUMENT, FULL (GANNET_WATCH_MAX). Watching twice is watching once. */
GANNET_API int gannet_watch(struct gannet *g, uint32_t instrument) GANNET_MUST_CHECK;

/* gannet_next_change: 1 and the best prices of a watched instrument that changed since it was last given, or 0. Takes
 * turns, so that no instrument starves another. States between two calls are not kept: this tells what is, not all that
 * was. A row that is being written is left for the next call. */
GANNET_API int gannet_next_change(struct gannet *g, struct gannet_top *out) GANNET_MUST_CHECK;

/* gannet_format_price: the price in decimal, "100.01", into buf; returns buf. A price_exp outside -18..18 or a buffer
 * of less than GANNET_PRICE_LEN bytes gives "". */
GANNET_API const char *gannet_format_price(int64_t price, int32_t price_exp, char *buf, size_t size);

/* ---- intents ----
 * Each call puts one record into the intent ring. OK: the appliance will answer by reports. FULL: nothing was sent.
 * Errors of all: INSTRUMENT, INTENT, FULL, CORRUPT. */

/* gannet_send_new: an order. First report: SENT, with its order_id, or GATE_REJECTED, with its tag. */
GANNET_API int gannet_send_new(struct gannet *g, const struct gannet_order *order) GANNET_MUST_CHECK;

/* gannet_send_replace: order_id, an accepted order of the same instrument and side, gets a new price and quantity under
 * a new order_id. */
GANNET_API int gannet_send_replace(struct gannet *g, uint64_t order_id,
                                   const struct gannet_order *order) GANNET_MUST_CHECK;

/* gannet_send_cancel: takes the order off. The tag comes back only when the gate refuses. */
GANNET_API int gannet_send_cancel(struct gannet *g, uint32_t instrument, uint64_t order_id,
                                  uint64_t tag) GANNET_MUST_CHECK;

/* gannet_send_reduce: the order's open quantity down to qty; it keeps its place in the queue. */
GANNET_API int gannet_send_reduce(struct gannet *g, uint32_t instrument, uint8_t side, uint64_t order_id, int64_t qty,
                                  uint64_t tag) GANNET_MUST_CHECK;

/* gannet_send_mass_cancel: takes off all of this client's orders, in one instrument or in GANNET_ALL. */
GANNET_API int gannet_send_mass_cancel(struct gannet *g, uint32_t instrument) GANNET_MUST_CHECK;

/* gannet_next_report: 1 and the next report, or 0. Errors: CORRUPT. */
GANNET_API int gannet_next_report(struct gannet *g, struct gannet_report *out) GANNET_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
