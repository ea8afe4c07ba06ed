/* Nasdaq OUCH 5.0: every message of both directions, decoded to and encoded from one struct.
 *
 *      inbound   client to venue, in SoupBinTCP unsequenced packets
 *      outbound  venue to client, in SoupBinTCP sequenced packets
 *
 * Big-endian. Prices have 4 decimals in 8 bytes. After the fixed part a message may carry an appendage: its length in
 * two bytes, then options of (u8 length, u8 tag, value), where length counts tag and value. Revisions of OUCH 5.0 gave
 * appendages to messages that had none, so each message is accepted with one; those whose row says so always have it.
 * Source: OUCH 5.0, sections 2 (inbound), 3 (outbound) and appendix A (options).
 */
#ifndef GN_VENUE_NASDAQ_OUCH_H
#define GN_VENUE_NASDAQ_OUCH_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"

#define GN_OUCH_CLORDID       14u
#define GN_OUCH_APPENDAGE_MAX 512u
#define GN_OUCH_IN_MAX        (47u + GN_OUCH_APPENDAGE_MAX)
#define GN_OUCH_OUT_MAX       (68u + GN_OUCH_APPENDAGE_MAX)

/* X(wire type, NAME, length of the fixed part without the appendage length, always has an appendage length, "name") */
#define GN_OUCH_INBOUND(X)                       \
    X('O', ENTER, 45, 1, "enter order")          \
    X('U', REPLACE, 38, 1, "replace order")      \
    X('X', CANCEL, 9, 0, "cancel order")         \
    X('M', MODIFY, 10, 0, "modify order")        \
    X('C', MASS_CANCEL, 17, 1, "mass cancel")    \
    X('D', DISABLE, 9, 1, "disable order entry") \
    X('E', ENABLE, 9, 1, "enable order entry")   \
    X('Q', QUERY, 1, 0, "account query")

#define GN_OUCH_OUTBOUND(X)                                                \
    X('S', SYSTEM_EVENT, 10, 0, "system event")                            \
    X('A', ACCEPTED, 62, 1, "order accepted")                              \
    X('U', REPLACED, 66, 1, "order replaced")                              \
    X('C', CANCELED, 18, 0, "order canceled")                              \
    X('D', AIQ_CANCELED, 31, 0, "order canceled by self-match prevention") \
    X('E', EXECUTED, 34, 1, "order executed")                              \
    X('B', BROKEN, 36, 0, "broken trade")                                  \
    X('F', CORRECTED, 49, 0, "trade correction")                           \
    X('J', REJECTED, 29, 0, "order rejected")                              \
    X('P', CANCEL_PENDING, 13, 0, "cancel pending")                        \
    X('I', CANCEL_REJECT, 13, 0, "cancel rejected")                        \
    X('T', PRIORITY, 30, 0, "order priority update")                       \
    X('M', MODIFIED, 18, 0, "order modified")                              \
    X('R', RESTATED, 14, 1, "order restated")                              \
    X('Q', QUERY_RESPONSE, 13, 0, "account query response")                \
    X('X', MASS_CANCEL_RESPONSE, 25, 1, "mass cancel response")            \
    X('G', DISABLE_RESPONSE, 17, 1, "disable order entry response")        \
    X('K', ENABLE_RESPONSE, 17, 1, "enable order entry response")

#define GN_X(wire, NAME, fixed, appendage, name) GN_OUCH_IN_##NAME = wire,
enum gn_ouch_in { GN_OUCH_INBOUND(GN_X) };
#undef GN_X
#define GN_X(wire, NAME, fixed, appendage, name) GN_OUCH_OUT_##NAME = wire,
enum gn_ouch_out { GN_OUCH_OUTBOUND(GN_X) };
#undef GN_X
/* Bytes of each message as we send it without options: fixed part and, where the row says so, an appendage length of 0.
 */
#define GN_X(wire, NAME, fixed, appendage, name) GN_OUCH_IN_##NAME##_LEN = (fixed) + 2 * (appendage),
enum { GN_OUCH_INBOUND(GN_X) };
#undef GN_X
#define GN_X(wire, NAME, fixed, appendage, name) GN_OUCH_OUT_##NAME##_LEN = (fixed) + 2 * (appendage),
enum { GN_OUCH_OUTBOUND(GN_X) };
#undef GN_X

/* X(number, NAME, "text"): why a message was refused; callers count in an array of GN_OUCH_ERRS indexed by -err. */
#define GN_OUCH_ERR_TABLE(X)                                                                            \
    X(1, EMPTY, "message of zero bytes")                                                                \
    X(2, TYPE, "message type is not of this direction of OUCH 5.0")                                     \
    X(3, LENGTH, "shorter than its fixed part, or bytes after it that are no appendage")                \
    X(4, APPENDAGE, "appendage length is not what is left of the message, or an option passes its end") \
    X(5, OPTION, "a known option has a length that it cannot have")                                     \
    X(6, ROOM, "output buffer is too small")                                                            \
    X(7, CLORDID, "client order id is not one of ours")

enum gn_ouch_err {
    GN_OUCH_OK = 0,
#define GN_X(num, NAME, text) GN_OUCH_ERR_##NAME = -(num),
    GN_OUCH_ERR_TABLE(GN_X)
#undef GN_X
        GN_OUCH_ERRS = 8, /* size of an array of counters */
};

/* Decoded form of every message. A member's comment names the messages that have it: i = inbound, o = outbound. */
struct gn_ouch_msg {
    uint8_t type;           /* enum gn_ouch_in or gn_ouch_out */
    char side;              /* iO iM oA oU oM: 'B' buy, 'S' sell, 'T' sell short, 'E' sell short exempt */
    char tif;               /* iO iU oA oU: see gn_ouch_tif */
    char display;           /* iO iU oA oU oT */
    char capacity;          /* iO oA oU */
    char iso;               /* iO iU oA oU: intermarket sweep, 'Y' or 'N' */
    char cross;             /* iO oA oU */
    char state;             /* oA oU: 'L' live, 'D' dead */
    char liquidity;         /* oE oF oD */
    char reason;            /* oC oD oB oF oR: one letter, see gn_ouch_cancel_reason */
    char event;             /* oS: 'S' start, 'E' end of day */
    uint16_t reject;        /* oJ: see gn_ouch_reject_reason */
    uint32_t user_ref;      /* all but iQ oS oQ */
    uint32_t orig_user_ref; /* iU oU */
    uint32_t next_user_ref; /* oQ */
    uint32_t qty;           /* iO iU iX iM oA oU oC oE oF oM; oD: decrement */
    uint32_t qty_prevented; /* oD */
    uint64_t time_ns;       /* o all: since midnight */
    uint64_t price;         /* iO iU oA oU oE oF oD oT; 4 decimals */
    uint64_t order_ref;     /* oA oU oT */
    uint64_t match;         /* oE oB oF */
    char symbol[8];         /* iO iC oA oU oX; right-padded with spaces */
    char firm[4];           /* iC iD iE oX oG oK */
    char clordid[14];       /* iO iU oA oU oB oF oJ */
    uint16_t options_len;   /* bytes at options */
    const uint8_t *options; /* the appendage after its length; decoded: points into the message */
};

/* gn_ouch_decode_in / _out: checks and decodes a message that came from a client / from the venue, its appendage
 * included; members that it does not have are zero. On error *m is not to be read. */
int gn_ouch_decode_in(const uint8_t *msg, size_t len, struct gn_ouch_msg *m) GN_MUST_CHECK;
int gn_ouch_decode_out(const uint8_t *msg, size_t len, struct gn_ouch_msg *m) GN_MUST_CHECK;

/* gn_ouch_encode_in / _out: writes m to buf of `room` bytes, with its options (options_len 0: none; a message that may
 * go without an appendage length then does). Returns the length, or GN_OUCH_ERR_TYPE, _ROOM, _APPENDAGE. */
int gn_ouch_encode_in(uint8_t *buf, size_t room, const struct gn_ouch_msg *m) GN_MUST_CHECK;
int gn_ouch_encode_out(uint8_t *buf, size_t room, const struct gn_ouch_msg *m) GN_MUST_CHECK;

/* ---- options ---- */

/* X(tag, NAME, bytes of the value, "name") */
#define GN_OUCH_TAGS(X)                                     \
    X(1, SECONDARY_REF, 8, "secondary order reference")     \
    X(2, FIRM, 4, "firm")                                   \
    X(3, MIN_QTY, 4, "minimum quantity")                    \
    X(4, CUSTOMER, 1, "customer type")                      \
    X(5, MAX_FLOOR, 4, "displayed quantity")                \
    X(6, PRICE_TYPE, 1, "price type")                       \
    X(7, PEG_OFFSET, 4, "peg offset")                       \
    X(9, DISCRETION_PRICE, 8, "discretion price")           \
    X(10, DISCRETION_TYPE, 1, "discretion peg type")        \
    X(11, DISCRETION_OFFSET, 4, "discretion peg offset")    \
    X(12, POST_ONLY, 1, "post only")                        \
    X(13, RANDOM_RESERVES, 4, "random reserves")            \
    X(14, ROUTE, 4, "route")                                \
    X(15, EXPIRE, 4, "expire time, seconds since midnight") \
    X(16, TRADE_NOW, 1, "trade now")                        \
    X(17, HANDLING, 1, "handling instruction")              \
    X(18, BBO_WEIGHT, 1, "BBO weight indicator")            \
    X(19, REF_PRICE, 8, "reference price")                  \
    X(20, REF_PRICE_TYPE, 1, "reference price type")        \
    X(22, DISPLAY_QTY, 4, "display quantity")               \
    X(23, DISPLAY_PRICE, 8, "display price")

enum gn_ouch_tag {
#define GN_X(tag, NAME, bytes, name) GN_OUCH_TAG_##NAME = tag,
    GN_OUCH_TAGS(GN_X)
#undef GN_X
};

struct gn_ouch_option {
    uint8_t tag;
    uint8_t len; /* of the value */
    const uint8_t *value;
};

/* gn_ouch_option_next: the option at *at of options[0..len), *at is moved past it. 1: *o is set; 0: end;
 * GN_OUCH_ERR_APPENDAGE: an option without a tag or past the end; GN_OUCH_ERR_OPTION: a known tag with another length
 * than its row's. Unknown tags are passed through. */
int gn_ouch_option_next(const uint8_t *options, size_t len, size_t *at, struct gn_ouch_option *o) GN_MUST_CHECK;

/* gn_ouch_option_put: appends an option with an integer value, in the width of the tag's row, at buf + at of `room`
 * bytes. Returns the new length, GN_OUCH_ERR_ROOM, or GN_OUCH_ERR_OPTION for a tag that is not in the table. */
int gn_ouch_option_put(uint8_t *buf, size_t room, size_t at, uint8_t tag, uint64_t value) GN_MUST_CHECK;

/* gn_ouch_option_u64: the value of an option of 1, 4 or 8 bytes as an integer; 0 for other lengths. */
uint64_t gn_ouch_option_u64(const struct gn_ouch_option *o);

/* ---- client order id: 11 letters of order id, 3 letters of the market data sequence that caused it ---- */

#define GN_CLORDID_TICK_BITS 18u
#define GN_CLORDID_TICK_MASK ((1u << GN_CLORDID_TICK_BITS) - 1)
#define GN_CLORDID_LETTERS   14u

typedef int8_t gn_v16s8 __attribute__((vector_size(16)));
typedef char gn_v16i8 __attribute__((vector_size(16)));
typedef uint64_t gn_v2u64a __attribute__((vector_size(16)));

/* The alphabet as runs of letters: the last value of each but one, and from the last run to the first the distance of a
 * letter from its value. In memory, where comparisons take them from. */
struct gn_clordid_runs {
    gn_v16s8 nine, z_upper, z_lower, dash, last, distance;
};
extern const struct gn_clordid_runs gn_clordid_runs;

extern const char gn_clordid_alphabet[64]; /* 0-9 A-Z a-z - _ */

/* gn_clordid_encode: 64 bits of order id, most significant letter first, then tick_seq mod 2^18. Straight-line. */
static inline void gn_clordid_encode(uint8_t *out, uint64_t order_id, uint64_t tick_seq)
{
#if defined __BMI2__ && defined __SSE4_1__
    /* 6 bits a byte, then all letters at once: the alphabet has five runs, each at a distance from its values */
    const uint64_t six = 0x3f3f3f3f3f3f3f3full;
    uint64_t rest = (order_id & 0x3ffff) << GN_CLORDID_TICK_BITS | (tick_seq & GN_CLORDID_TICK_MASK);
    const gn_v16s8 v = (gn_v16s8)(gn_v2u64a){__builtin_bswap64(__builtin_ia32_pdep_di(order_id >> 18, six)),
                                             __builtin_bswap64(__builtin_ia32_pdep_di(rest, six)) >> 16};
    const struct gn_clordid_runs *r = &gn_clordid_runs;
    const gn_v16s8 run =
        r->last + (v > r->nine) + (v > r->z_upper) + (v > r->z_lower) + (v > r->dash); /* 0 or -1 each */
    const gn_v16s8 text = v + (gn_v16s8)__builtin_ia32_pshufb128((gn_v16i8)r->distance, (gn_v16i8)run);
    memcpy(out, &text, GN_CLORDID_LETTERS);
#else
    const char *abc = gn_clordid_alphabet;
    out[0] = (uint8_t)abc[order_id >> 60];
    out[1] = (uint8_t)abc[(order_id >> 54) & 63];
    out[2] = (uint8_t)abc[(order_id >> 48) & 63];
    out[3] = (uint8_t)abc[(order_id >> 42) & 63];
    out[4] = (uint8_t)abc[(order_id >> 36) & 63];
    out[5] = (uint8_t)abc[(order_id >> 30) & 63];
    out[6] = (uint8_t)abc[(order_id >> 24) & 63];
    out[7] = (uint8_t)abc[(order_id >> 18) & 63];
    out[8] = (uint8_t)abc[(order_id >> 12) & 63];
    out[9] = (uint8_t)abc[(order_id >> 6) & 63];
    out[10] = (uint8_t)abc[order_id & 63];
    out[11] = (uint8_t)abc[(tick_seq >> 12) & 63];
    out[12] = (uint8_t)abc[(tick_seq >> 6) & 63];
    out[13] = (uint8_t)abc[tick_seq & 63];
#endif
}

/* gn_clordid_decode: GN_OUCH_OK, or GN_OUCH_ERR_CLORDID for a letter outside the alphabet or an id past 64 bits. */
int gn_clordid_decode(const char *text, uint64_t *order_id, uint32_t *tick18) GN_MUST_CHECK;

/* ---- the hot way out: a template per instrument and side, patched per order ---- */

enum {
    GN_OUCH_O_USER_REF = 1,
    GN_OUCH_O_SIDE = 5,
    GN_OUCH_O_QTY = 6,
    GN_OUCH_O_SYMBOL = 10,
    GN_OUCH_O_PRICE = 18,
    GN_OUCH_O_TIF = 26,
    GN_OUCH_O_DISPLAY = 27,
    GN_OUCH_O_CAPACITY = 28,
    GN_OUCH_O_ISO = 29,
    GN_OUCH_O_CROSS = 30,
    GN_OUCH_O_CLORDID = 31,
    GN_OUCH_O_APPENDAGE = 45,
};
static_assert(GN_OUCH_O_APPENDAGE + 2 == GN_OUCH_IN_ENTER_LEN, "enter order layout");

/* An enter order without options, padded to a cache line: no line is split, a copy is one or two vector moves. */
struct gn_ouch_template {
    alignas(GN_CACHE_LINE) uint8_t bytes[GN_CACHE_LINE];
};

extern const char gn_ouch_side[2]; /* by enum gn_side */
extern const char gn_ouch_tif[2];  /* by enum gn_tif */

/* gn_ouch_tif_from_wire: enum gn_tif of a wire letter; -1 when the letter has none (GTX, GTT, after hours, unknown). */
int gn_ouch_tif_from_wire(char tif);

/* gn_ouch_side_from_wire: enum gn_side of a wire letter ('T' and 'E' sell too); -1 when it is none. */
int gn_ouch_side_from_wire(char side);

/* gn_ouch_enter_template: what is constant for orders of one instrument and side: capacity 'P', display 'Y', no sweep,
 * continuous market, no options; firms that need other letters patch bytes[GN_OUCH_O_...] once. */
void gn_ouch_enter_template(struct gn_ouch_template *t, enum gn_side side, const char symbol[8]);

/* gn_ouch_enter: writes an order of GN_OUCH_IN_ENTER_LEN bytes to out. No branches. */
static inline void gn_ouch_enter(uint8_t *out, const struct gn_ouch_template *t, uint32_t user_ref, uint32_t qty,
                                 uint64_t price, enum gn_tif tif, uint64_t order_id, uint64_t tick_seq)
{
    memcpy(out, t->bytes, GN_OUCH_IN_ENTER_LEN);
    gn_store_be32(out + GN_OUCH_O_USER_REF, user_ref);
    gn_store_be32(out + GN_OUCH_O_QTY, qty);
    gn_store_be64(out + GN_OUCH_O_PRICE, price);
    out[GN_OUCH_O_TIF] = (uint8_t)gn_ouch_tif[tif & 1];
    gn_clordid_encode(out + GN_OUCH_O_CLORDID, order_id, tick_seq);
}

/* gn_ouch_replace: writes a replacement of GN_OUCH_IN_REPLACE_LEN bytes; display and sweep as in the template. */
static inline void gn_ouch_replace(uint8_t *out, const struct gn_ouch_template *t, uint32_t orig_ref, uint32_t user_ref,
                                   uint32_t qty, uint64_t price, enum gn_tif tif, uint64_t order_id, uint64_t tick_seq)
{
    out[0] = GN_OUCH_IN_REPLACE;
    gn_store_be32(out + 1, orig_ref);
    gn_store_be32(out + 5, user_ref);
    gn_store_be32(out + 9, qty);
    gn_store_be64(out + 13, price);
    out[21] = (uint8_t)gn_ouch_tif[tif & 1];
    out[22] = t->bytes[GN_OUCH_O_DISPLAY];
    out[23] = t->bytes[GN_OUCH_O_ISO];
    gn_clordid_encode(out + 24, order_id, tick_seq);
    gn_store_be16(out + 38, 0);
}

/* gn_ouch_cancel: writes a cancel of GN_OUCH_IN_CANCEL_LEN bytes. qty: what may stay alive, 0 cancels the order. */
static inline void gn_ouch_cancel(uint8_t *out, uint32_t user_ref, uint32_t qty)
{
    out[0] = GN_OUCH_IN_CANCEL;
    gn_store_be32(out + 1, user_ref);
    gn_store_be32(out + 5, qty);
}

/* gn_ouch_modify: writes a modification of GN_OUCH_IN_MODIFY_LEN bytes: same order, side letter, lower quantity. */
static inline void gn_ouch_modify(uint8_t *out, uint32_t user_ref, enum gn_side side, uint32_t qty)
{
    out[0] = GN_OUCH_IN_MODIFY;
    gn_store_be32(out + 1, user_ref);
    out[5] = (uint8_t)gn_ouch_side[side & 1];
    gn_store_be32(out + 6, qty);
}

/* ---- texts ---- */

/* X(code, NAME, "text"): reasons of a reject. */
#define GN_OUCH_REJECTS(X)                                        \
    X(0x01, QUOTE_UNAVAILABLE, "quote unavailable")               \
    X(0x02, DESTINATION_CLOSED, "destination closed")             \
    X(0x03, DISPLAY, "invalid display")                           \
    X(0x04, MAX_FLOOR, "invalid max floor")                       \
    X(0x05, PEG_TYPE, "invalid peg type")                         \
    X(0x06, FAT_FINGER, "fat finger")                             \
    X(0x07, HALTED, "halted")                                     \
    X(0x08, ISO, "sweep not allowed")                             \
    X(0x09, SIDE, "invalid side")                                 \
    X(0x0a, PROCESSING, "processing error")                       \
    X(0x0b, CANCEL_PENDING, "cancel pending")                     \
    X(0x0c, FIRM, "firm not authorized")                          \
    X(0x0d, MIN_QTY, "invalid minimum quantity")                  \
    X(0x0e, CLOSING_PRICE, "no closing reference price")          \
    X(0x0f, OTHER, "other")                                       \
    X(0x10, CANCEL, "cancel not allowed")                         \
    X(0x11, PEGGING, "pegging not allowed")                       \
    X(0x12, CROSSED, "crossed market")                            \
    X(0x13, QTY, "invalid quantity")                              \
    X(0x14, CROSS_ORDER, "invalid cross order")                   \
    X(0x15, REPLACE, "replace not allowed")                       \
    X(0x16, ROUTING, "routing not allowed")                       \
    X(0x17, SYMBOL, "invalid symbol")                             \
    X(0x18, TEST, "test")                                         \
    X(0x19, LOC_AGGRESSIVE, "late limit-on-close too aggressive") \
    X(0x1a, RETAIL, "retail not allowed")                         \
    X(0x1b, MIDPOINT, "invalid midpoint post-only price")         \
    X(0x1c, DESTINATION, "invalid destination")                   \
    X(0x1d, PRICE, "invalid price")                               \
    X(0x1e, SHARES, "shares exceed threshold")                    \
    X(0x1f, NOTIONAL, "exceeds maximum notional value")

enum gn_ouch_reject {
#define GN_X(code, NAME, text) GN_OUCH_REJECT_##NAME = code,
    GN_OUCH_REJECTS(GN_X)
#undef GN_X
};

/* X(letter, NAME, "text"): reasons of a cancel. */
#define GN_OUCH_CANCELS(X)                                            \
    X('U', USER, "requested by user")                                 \
    X('I', IOC, "rest of an immediate-or-cancel order")               \
    X('T', TIMEOUT, "time in force is over")                          \
    X('S', SUPERVISORY, "by the venue's supervision")                 \
    X('D', REGULATORY, "regulatory restriction")                      \
    X('Q', SELF_MATCH, "self-match prevention")                       \
    X('Z', SYSTEM, "by the venue's system")                           \
    X('C', CROSS, "cross canceled")                                   \
    X('K', NOT_EXECUTABLE, "cannot be executed")                      \
    X('H', HALTED, "halted")                                          \
    X('X', OPEN_PROTECTION, "open protection")                        \
    X('E', CLOSED, "market closed")                                   \
    X('F', POST_ONLY, "post-only order would have removed liquidity") \
    X('G', POST_ONLY_CONTRA, "post-only order, contra side displayed")

enum gn_ouch_cancel_letter {
#define GN_X(letter, NAME, text) GN_OUCH_CANCEL_##NAME = letter,
    GN_OUCH_CANCELS(GN_X)
#undef GN_X
};

/* Each returns "unknown" for what is not in its table. */
const char *gn_ouch_reject_reason(uint16_t code);
const char *gn_ouch_cancel_reason(char letter);
const char *gn_ouch_name_in(uint8_t type);
const char *gn_ouch_name_out(uint8_t type);
const char *gn_ouch_tag_name(uint8_t tag);

/* gn_ouch_strerror: text of a negative code of this module. */
const char *gn_ouch_strerror(int err);

#endif
