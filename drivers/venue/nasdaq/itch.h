/* Nasdaq TotalView-ITCH 5.0: every message type, decoded to and encoded from one struct.
 *
 *      bytes -> gn_itch_check -> gn_itch_decode          (any type, all members set)
 *                             -> gn_itch_get_X           (hot: X known, only the members of X set, straight-line)
 *      gn_itch_encode -> bytes
 *
 * The row of a message type (GN_ITCH_MESSAGES) gives its exact length; the rows of its fields (GN_ITCH_FIELDS_x) give
 * decoder, encoder and the proof that the fields fill the message. Prices are mantissas with 4 decimals (market-wide
 * circuit breaker levels: 8), times are ns since midnight of the venue. Source: TotalView-ITCH 5.0, section 1.
 */
#ifndef GN_VENUE_NASDAQ_ITCH_H
#define GN_VENUE_NASDAQ_ITCH_H

#include "dataplane/abi/base.h"
#include "drivers/venue/wire.h"

/* M(wire type, suffix of the field table and of gn_itch_get_, NAME, length in bytes, "name") */
#define GN_ITCH_MESSAGES(M)                                    \
    M('S', S, SYSTEM_EVENT, 12, "system event")                \
    M('R', R, DIRECTORY, 39, "stock directory")                \
    M('H', H, TRADING_ACTION, 25, "trading action")            \
    M('Y', Y, REG_SHO, 20, "reg SHO restriction")              \
    M('L', L, PARTICIPANT, 26, "market participant position")  \
    M('V', V, MWCB_LEVELS, 35, "circuit breaker levels")       \
    M('W', W, MWCB_STATUS, 12, "circuit breaker status")       \
    M('K', K, IPO_QUOTING, 28, "IPO quoting period")           \
    M('J', J, LULD_COLLAR, 35, "LULD auction collar")          \
    M('h', h, OPERATIONAL_HALT, 21, "operational halt")        \
    M('A', A, ADD, 36, "add order")                            \
    M('F', F, ADD_MPID, 40, "add order with attribution")      \
    M('E', E, EXECUTED, 31, "order executed")                  \
    M('C', C, EXECUTED_PRICE, 36, "order executed with price") \
    M('X', X, CANCEL, 23, "order cancel")                      \
    M('D', D, DELETE, 19, "order delete")                      \
    M('U', U, REPLACE, 35, "order replace")                    \
    M('P', P, TRADE, 44, "trade, non-cross")                   \
    M('Q', Q, CROSS_TRADE, 40, "cross trade")                  \
    M('B', B, BROKEN_TRADE, 19, "broken trade")                \
    M('I', I, IMBALANCE, 50, "net order imbalance")            \
    M('N', N, RETAIL_INTEREST, 20, "retail price improvement") \
    M('O', O, DIRECT_LISTING, 48, "direct listing with capital raise")

enum gn_itch_type {
#define GN_X(wire, suffix, NAME, length, name) GN_ITCH_##NAME = wire,
    GN_ITCH_MESSAGES(GN_X)
#undef GN_X
};

/* Each type's length by its letter, so that a check is one load; see gn_itch_check. */
#define GN_X(wire, suffix, NAME, length, name) GN_ITCH_LEN_##suffix = length,
enum { GN_ITCH_MESSAGES(GN_X) GN_ITCH_LEN_MAX = 50, GN_ITCH_LEN_MIN = 12 };
#undef GN_X
#define GN_X(wire, suffix, NAME, length, name) +1
enum { GN_ITCH_TYPES = 0 GN_ITCH_MESSAGES(GN_X) };
#undef GN_X

/* X(number, NAME, "text"): why a message was refused; callers count in an array of GN_ITCH_ERRS indexed by -err. */
#define GN_ITCH_ERR_TABLE(X)                               \
    X(1, EMPTY, "message of zero bytes")                   \
    X(2, TYPE, "message type is not of ITCH 5.0")          \
    X(3, LENGTH, "length is not that of the message type") \
    X(4, ROOM, "output buffer is too small")               \
    X(5, TRUNCATED, "BinaryFILE ends inside a message")

enum gn_itch_err {
    GN_ITCH_OK = 0,
#define GN_X(num, NAME, text) GN_ITCH_ERR_##NAME = -(num),
    GN_ITCH_ERR_TABLE(GN_X)
#undef GN_X
        GN_ITCH_ERRS = 6, /* size of an array of counters */
};

/* Decoded form of every type. Widest of the wire's widths; a member's comment names the types that have it. */
struct gn_itch_msg {
    uint8_t type;         /* enum gn_itch_type */
    char side;            /* A F P: 'B' or 'S' */
    uint16_t locate;      /* all */
    uint16_t tracking;    /* all */
    char printable;       /* C: 'Y' or 'N' */
    char cross_type;      /* Q I */
    uint64_t time_ns;     /* all; 48 bits */
    uint64_t ref;         /* A F E C X D P, and U: the original */
    uint64_t new_ref;     /* U */
    uint64_t shares;      /* A F E C X U P: 32 bits; Q: 64 bits; I: paired shares */
    uint32_t price;       /* A F C U P Q */
    char mpid[4];         /* F L */
    uint64_t match;       /* E C P Q B */
    char symbol[8];       /* R H Y L K J h A F P Q I N O; right-padded with spaces */
    char event;           /* S: event code */
    char trading_state;   /* H: 'H' halted, 'P' paused, 'Q' quotation only, 'T' trading */
    char reserved;        /* H */
    char reason[4];       /* H */
    char market_category; /* R */
    char financial;       /* R: financial status */
    char lots_only;       /* R: round lots only */
    char classification;  /* R */
    char subtype[2];      /* R */
    char authenticity;    /* R */
    char short_sale;      /* R: short sale threshold */
    char ipo_flag;        /* R */
    char luld_tier;       /* R */
    char etp_flag;        /* R */
    char inverse;         /* R */
    char reg_sho;         /* Y: action */
    char primary_maker;   /* L */
    char maker_mode;      /* L */
    char maker_state;     /* L */
    char breached;        /* W: level */
    char ipo_qualifier;   /* K */
    char market_code;     /* h */
    char halt_action;     /* h */
    char direction;       /* I: imbalance direction */
    char variation;       /* I: price variation */
    char interest;        /* N */
    char eligibility;     /* O: open eligibility */
    uint32_t round_lot;   /* R */
    uint32_t leverage;    /* R */
    uint32_t ipo_price;   /* K */
    uint32_t ipo_time_s;  /* K: seconds since midnight */
    uint32_t collar_ref;  /* J */
    uint32_t collar_low;  /* J O */
    uint32_t collar_high; /* J O */
    uint32_t extension;   /* J */
    uint32_t far_price;   /* I */
    uint32_t near_price;  /* I O */
    uint32_t ref_price;   /* I */
    uint32_t min_price;   /* O */
    uint32_t max_price;   /* O */
    uint64_t imbalance;   /* I: shares */
    uint64_t near_time;   /* O */
    uint64_t level[3];    /* V: 8 decimals */
};

/* X(kind of wire field, member, offset). Kinds: C one char; Sn n chars; U16, U32, U48, U64 big-endian. */
#define GN_ITCH_FIELDS_HEADER(X) X(U16, locate, 1) X(U16, tracking, 3) X(U48, time_ns, 5)
#define GN_ITCH_FIELDS_S(X)      X(C, event, 11)
#define GN_ITCH_FIELDS_R(X)   \
    X(S8, symbol, 11)         \
    X(C, market_category, 19) \
    X(C, financial, 20)       \
    X(U32, round_lot, 21)     \
    X(C, lots_only, 25)       \
    X(C, classification, 26)  \
    X(S2, subtype, 27)        \
    X(C, authenticity, 29)    \
    X(C, short_sale, 30)      \
    X(C, ipo_flag, 31)        \
    X(C, luld_tier, 32)       \
    X(C, etp_flag, 33)        \
    X(U32, leverage, 34)      \
    X(C, inverse, 38)
#define GN_ITCH_FIELDS_H(X) X(S8, symbol, 11) X(C, trading_state, 19) X(C, reserved, 20) X(S4, reason, 21)
#define GN_ITCH_FIELDS_Y(X) X(S8, symbol, 11) X(C, reg_sho, 19)
#define GN_ITCH_FIELDS_L(X) \
    X(S4, mpid, 11) X(S8, symbol, 15) X(C, primary_maker, 23) X(C, maker_mode, 24) X(C, maker_state, 25)
#define GN_ITCH_FIELDS_V(X) X(U64, level[0], 11) X(U64, level[1], 19) X(U64, level[2], 27)
#define GN_ITCH_FIELDS_W(X) X(C, breached, 11)
#define GN_ITCH_FIELDS_K(X) X(S8, symbol, 11) X(U32, ipo_time_s, 19) X(C, ipo_qualifier, 23) X(U32, ipo_price, 24)
#define GN_ITCH_FIELDS_J(X) \
    X(S8, symbol, 11) X(U32, collar_ref, 19) X(U32, collar_high, 23) X(U32, collar_low, 27) X(U32, extension, 31)
#define GN_ITCH_FIELDS_h(X) X(S8, symbol, 11) X(C, market_code, 19) X(C, halt_action, 20)
#define GN_ITCH_FIELDS_A(X) X(U64, ref, 11) X(C, side, 19) X(U32, shares, 20) X(S8, symbol, 24) X(U32, price, 32)
#define GN_ITCH_FIELDS_F(X) GN_ITCH_FIELDS_A(X) X(S4, mpid, 36)
#define GN_ITCH_FIELDS_E(X) X(U64, ref, 11) X(U32, shares, 19) X(U64, match, 23)
#define GN_ITCH_FIELDS_C(X) GN_ITCH_FIELDS_E(X) X(C, printable, 31) X(U32, price, 32)
#define GN_ITCH_FIELDS_X(X) X(U64, ref, 11) X(U32, shares, 19)
#define GN_ITCH_FIELDS_D(X) X(U64, ref, 11)
#define GN_ITCH_FIELDS_U(X) X(U64, ref, 11) X(U64, new_ref, 19) X(U32, shares, 27) X(U32, price, 31)
#define GN_ITCH_FIELDS_P(X) GN_ITCH_FIELDS_A(X) X(U64, match, 36)
#define GN_ITCH_FIELDS_Q(X) \
    X(U64, shares, 11) X(S8, symbol, 19) X(U32, price, 27) X(U64, match, 31) X(C, cross_type, 39)
#define GN_ITCH_FIELDS_B(X) X(U64, match, 11)
#define GN_ITCH_FIELDS_I(X) \
    X(U64, shares, 11)      \
    X(U64, imbalance, 19)   \
    X(C, direction, 27)     \
    X(S8, symbol, 28)       \
    X(U32, far_price, 36)   \
    X(U32, near_price, 40)  \
    X(U32, ref_price, 44)   \
    X(C, cross_type, 48)    \
    X(C, variation, 49)
#define GN_ITCH_FIELDS_N(X) X(S8, symbol, 11) X(C, interest, 19)
#define GN_ITCH_FIELDS_O(X) \
    X(S8, symbol, 11)       \
    X(C, eligibility, 19)   \
    X(U32, min_price, 20)   \
    X(U32, max_price, 24)   \
    X(U32, near_price, 28)  \
    X(U64, near_time, 32)   \
    X(U32, collar_low, 40)  \
    X(U32, collar_high, 44)

/* gn_itch_get_x: decodes a message of type x (one function a type: gn_itch_get_A, ...). p holds GN_ITCH_LEN_x bytes
 * that gn_itch_check accepted. Sets type, locate, tracking, time_ns and the members of that type; leaves the others
 * alone. */
#define GN_X(wire, suffix, NAME, length, name)                                                         \
    static inline void gn_itch_get_##suffix(const uint8_t *p, struct gn_itch_msg *m)                   \
    {                                                                                                  \
        m->type = wire;                                                                                \
        GN_ITCH_FIELDS_HEADER(GN_WIRE_GET)                                                             \
        GN_ITCH_FIELDS_##suffix(GN_WIRE_GET)                                                           \
    }                                                                                                  \
    static_assert(1 GN_ITCH_FIELDS_HEADER(GN_WIRE_SUM) GN_ITCH_FIELDS_##suffix(GN_WIRE_SUM) == length, \
                  "fields fill the message");
GN_ITCH_MESSAGES(GN_X)
#undef GN_X

/* Length of each type by its byte, 0 = not a type. */
extern const uint8_t gn_itch_length[256];

/* gn_itch_check: GN_ITCH_OK when msg is of a known type and len is exactly its length; else the reason, negative. */
static inline int gn_itch_check(const uint8_t *msg, size_t len)
{
    if (GN_UNLIKELY(len == 0))
        return GN_ITCH_ERR_EMPTY;
    size_t want = gn_itch_length[msg[0]];
    if (GN_LIKELY(want == len))
        return GN_ITCH_OK;
    return want == 0 ? GN_ITCH_ERR_TYPE : GN_ITCH_ERR_LENGTH;
}

/* gn_itch_decode: checks and decodes any type; members that the type does not have are zero. On error *m is untouched.
 */
int gn_itch_decode(const uint8_t *msg, size_t len, struct gn_itch_msg *m) GN_MUST_CHECK;

/* gn_itch_encode: writes m as its type to buf of `room` bytes; returns the length, or GN_ITCH_ERR_TYPE, _ROOM. Values
 * wider than the wire's field are cut to its low bits. */
int gn_itch_encode(uint8_t *buf, size_t room, const struct gn_itch_msg *m) GN_MUST_CHECK;

/* gn_itch_name: name of a type, "unknown" when it is none. */
const char *gn_itch_name(uint8_t type);

/* gn_itch_strerror: text of a negative code of this module. */
const char *gn_itch_strerror(int err);

/* Reader of a BinaryFILE (Nasdaq's file framing: u16 big-endian length, message) in memory. */
struct gn_itch_file {
    const uint8_t *data;
    size_t len;
    size_t at; /* offset of the next length field */
};

/* gn_itch_file_next: 1 and the next message; 0 at the end of the buffer or at a zero length, which ends the session;
 * GN_ITCH_ERR_TRUNCATED when a length or a message does not fit into what is left (at stays there). */
int gn_itch_file_next(struct gn_itch_file *f, const uint8_t **msg, size_t *len) GN_MUST_CHECK;

#endif
