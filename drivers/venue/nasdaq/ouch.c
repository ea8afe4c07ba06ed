#include "drivers/venue/nasdaq/ouch.h"
#include "drivers/venue/wire.h"

/* Fields after the type byte, by message; kinds as in wire.h. */
#define IN_ENTER(X)                      \
    X(U32, user_ref, GN_OUCH_O_USER_REF) \
    X(C, side, GN_OUCH_O_SIDE)           \
    X(U32, qty, GN_OUCH_O_QTY)           \
    X(S8, symbol, GN_OUCH_O_SYMBOL)      \
    X(U64, price, GN_OUCH_O_PRICE)       \
    X(C, tif, GN_OUCH_O_TIF)             \
    X(C, display, GN_OUCH_O_DISPLAY)     \
    X(C, capacity, GN_OUCH_O_CAPACITY)   \
    X(C, iso, GN_OUCH_O_ISO)             \
    X(C, cross, GN_OUCH_O_CROSS)         \
    X(S14, clordid, GN_OUCH_O_CLORDID)
#define IN_REPLACE(X)        \
    X(U32, orig_user_ref, 1) \
    X(U32, user_ref, 5)      \
    X(U32, qty, 9) X(U64, price, 13) X(C, tif, 21) X(C, display, 22) X(C, iso, 23) X(S14, clordid, 24)
#define IN_CANCEL(X)      X(U32, user_ref, 1) X(U32, qty, 5)
#define IN_MODIFY(X)      X(U32, user_ref, 1) X(C, side, 5) X(U32, qty, 6)
#define IN_MASS_CANCEL(X) X(U32, user_ref, 1) X(S4, firm, 5) X(S8, symbol, 9)
#define IN_DISABLE(X)     X(U32, user_ref, 1) X(S4, firm, 5)
#define IN_ENABLE(X)      X(U32, user_ref, 1) X(S4, firm, 5)
#define IN_QUERY(X)

#define OUT_SYSTEM_EVENT(X) X(U64, time_ns, 1) X(C, event, 9)
/* What accepted and replaced share, from the user reference number on. */
#define OUT_ORDER(X, at)       \
    X(U32, user_ref, at)       \
    X(C, side, at + 4)         \
    X(U32, qty, at + 5)        \
    X(S8, symbol, at + 9)      \
    X(U64, price, at + 17)     \
    X(C, tif, at + 25)         \
    X(C, display, at + 26)     \
    X(U64, order_ref, at + 27) \
    X(C, capacity, at + 35)    \
    X(C, iso, at + 36)         \
    X(C, cross, at + 37)       \
    X(C, state, at + 38)       \
    X(S14, clordid, at + 39)
#define OUT_ACCEPTED(X) X(U64, time_ns, 1) OUT_ORDER(X, 9)
#define OUT_REPLACED(X) X(U64, time_ns, 1) X(U32, orig_user_ref, 9) OUT_ORDER(X, 13)
#define OUT_CANCELED(X) X(U64, time_ns, 1) X(U32, user_ref, 9) X(U32, qty, 13) X(C, reason, 17)
#define OUT_AIQ_CANCELED(X) \
    X(U64, time_ns, 1)      \
    X(U32, user_ref, 9)     \
    X(U32, qty, 13) X(C, reason, 17) X(U32, qty_prevented, 18) X(U64, price, 22) X(C, liquidity, 30)
#define OUT_EXECUTED(X) \
    X(U64, time_ns, 1)  \
    X(U32, user_ref, 9) X(U32, qty, 13) X(U64, price, 17) X(C, liquidity, 25) X(U64, match, 26)
#define OUT_BROKEN(X) X(U64, time_ns, 1) X(U32, user_ref, 9) X(U64, match, 13) X(C, reason, 21) X(S14, clordid, 22)
#define OUT_CORRECTED(X) \
    X(U64, time_ns, 1)   \
    X(U32, user_ref, 9)  \
    X(U32, qty, 13)      \
    X(U64, price, 17) X(C, liquidity, 25) X(U64, match, 26) X(C, reason, 34) X(S14, clordid, 35)
#define OUT_REJECTED(X)             X(U64, time_ns, 1) X(U32, user_ref, 9) X(U16, reject, 13) X(S14, clordid, 15)
#define OUT_CANCEL_PENDING(X)       X(U64, time_ns, 1) X(U32, user_ref, 9)
#define OUT_CANCEL_REJECT(X)        X(U64, time_ns, 1) X(U32, user_ref, 9)
#define OUT_PRIORITY(X)             X(U64, time_ns, 1) X(U32, user_ref, 9) X(U64, price, 13) X(C, display, 21) X(U64, order_ref, 22)
#define OUT_MODIFIED(X)             X(U64, time_ns, 1) X(U32, user_ref, 9) X(C, side, 13) X(U32, qty, 14)
#define OUT_RESTATED(X)             X(U64, time_ns, 1) X(U32, user_ref, 9) X(C, reason, 13)
#define OUT_QUERY_RESPONSE(X)       X(U64, time_ns, 1) X(U32, next_user_ref, 9)
#define OUT_MASS_CANCEL_RESPONSE(X) X(U64, time_ns, 1) X(U32, user_ref, 9) X(S4, firm, 13) X(S8, symbol, 17)
#define OUT_DISABLE_RESPONSE(X)     X(U64, time_ns, 1) X(U32, user_ref, 9) X(S4, firm, 13)
#define OUT_ENABLE_RESPONSE(X)      X(U64, time_ns, 1) X(U32, user_ref, 9) X(S4, firm, 13)

#define GN_X(wire, NAME, fixed, appendage, name) \
    static_assert(1 IN_##NAME(GN_WIRE_SUM) == fixed, "fields fill the fixed part");
GN_OUCH_INBOUND(GN_X)
#undef GN_X
#define GN_X(wire, NAME, fixed, appendage, name) \
    static_assert(1 OUT_##NAME(GN_WIRE_SUM) == fixed, "fields fill the fixed part");
GN_OUCH_OUTBOUND(GN_X)
#undef GN_X

struct layout {
    uint8_t fixed; /* 0: not a message of this direction */
    uint8_t appendage;
};

#define GN_X(wire, NAME, len, always, name) [wire] = {.fixed = (len), .appendage = (always)},
static const struct layout layout_in[256] = {GN_OUCH_INBOUND(GN_X)};
static const struct layout layout_out[256] = {GN_OUCH_OUTBOUND(GN_X)};
#undef GN_X

static int check(const struct layout *layouts, const uint8_t *p, size_t len, struct gn_ouch_msg *m)
{
    if (len == 0)
        return GN_OUCH_ERR_EMPTY;
    const struct layout l = layouts[p[0]];
    if (l.fixed == 0)
        return GN_OUCH_ERR_TYPE;
    memset(m, 0, sizeof *m);
    m->type = p[0];
    if (len < l.fixed)
        return GN_OUCH_ERR_LENGTH;
    size_t rest = len - l.fixed;
    if (rest == 0)
        return l.appendage ? GN_OUCH_ERR_LENGTH : GN_OUCH_OK;
    if (rest == 1)
        return GN_OUCH_ERR_LENGTH;
    size_t want = gn_load_be16(p + l.fixed);
    if (want != rest - 2 || want > GN_OUCH_APPENDAGE_MAX)
        return GN_OUCH_ERR_APPENDAGE;
    m->options = p + l.fixed + 2;
    m->options_len = (uint16_t)want;
    if (GN_LIKELY(want == 0))
        return GN_OUCH_OK;
    struct gn_ouch_option o;
    size_t at = 0;
    int rc;
    while ((rc = gn_ouch_option_next(m->options, want, &at, &o)) == 1)
        ;
    return rc;
}

int gn_ouch_decode_in(const uint8_t *p, size_t len, struct gn_ouch_msg *m)
{
    int err = check(layout_in, p, len, m);
    if (err != GN_OUCH_OK)
        return err;
    switch (m->type) {
#define GN_X(wire, NAME, fixed, appendage, name) \
    case wire: {                                 \
        IN_##NAME(GN_WIRE_GET) break;            \
    }
        GN_OUCH_INBOUND(GN_X)
#undef GN_X
    default:
        return GN_OUCH_ERR_TYPE;
    }
    return GN_OUCH_OK;
}

int gn_ouch_decode_out(const uint8_t *p, size_t len, struct gn_ouch_msg *m)
{
    int err = check(layout_out, p, len, m);
    if (err != GN_OUCH_OK)
        return err;
    switch (m->type) {
#define GN_X(wire, NAME, fixed, appendage, name) \
    case wire: {                                 \
        OUT_##NAME(GN_WIRE_GET) break;           \
    }
        GN_OUCH_OUTBOUND(GN_X)
#undef GN_X
    default:
        return GN_OUCH_ERR_TYPE;
    }
    return GN_OUCH_OK;
}

/* Length of the whole message, when it fits; writes type and appendage. */
static int frame(const struct layout *layouts, uint8_t *p, size_t room, const struct gn_ouch_msg *m)
{
    const struct layout l = layouts[m->type];
    if (l.fixed == 0)
        return GN_OUCH_ERR_TYPE;
    if (m->options_len > GN_OUCH_APPENDAGE_MAX || (m->options_len != 0 && m->options == NULL))
        return GN_OUCH_ERR_APPENDAGE;
    bool appendage = l.appendage || m->options_len != 0;
    size_t len = l.fixed + (appendage ? 2u + m->options_len : 0u);
    if (room < len)
        return GN_OUCH_ERR_ROOM;
    p[0] = m->type;
    if (appendage)
        gn_store_be16(p + l.fixed, m->options_len);
    if (m->options_len != 0)
        memcpy(p + l.fixed + 2, m->options, m->options_len);
    return (int)len;
}

int gn_ouch_encode_in(uint8_t *p, size_t room, const struct gn_ouch_msg *m)
{
    int len = frame(layout_in, p, room, m);
    if (len < 0)
        return len;
    switch (m->type) {
#define GN_X(wire, NAME, fixed, appendage, name) \
    case wire: {                                 \
        IN_##NAME(GN_WIRE_PUT) break;            \
    }
        GN_OUCH_INBOUND(GN_X)
#undef GN_X
    default:
        return GN_OUCH_ERR_TYPE;
    }
    return len;
}

int gn_ouch_encode_out(uint8_t *p, size_t room, const struct gn_ouch_msg *m)
{
    int len = frame(layout_out, p, room, m);
    if (len < 0)
        return len;
    switch (m->type) {
#define GN_X(wire, NAME, fixed, appendage, name) \
    case wire: {                                 \
        OUT_##NAME(GN_WIRE_PUT) break;           \
    }
        GN_OUCH_OUTBOUND(GN_X)
#undef GN_X
    default:
        return GN_OUCH_ERR_TYPE;
    }
    return len;
}

/* ---- options ---- */

#define GN_X(tag, NAME, bytes, name) [tag] = (bytes),
static const uint8_t tag_bytes[256] = {GN_OUCH_TAGS(GN_X)};
#undef GN_X

int gn_ouch_option_next(const uint8_t *options, size_t len, size_t *at, struct gn_ouch_option *o)
{
    if (*at >= len)
        return 0;
    size_t left = len - *at - 1;
    size_t n = options[*at];
    if (n < 1 || n > left)
        return GN_OUCH_ERR_APPENDAGE;
    o->tag = options[*at + 1];
    o->len = (uint8_t)(n - 1);
    o->value = options + *at + 2;
    if (tag_bytes[o->tag] != 0 && tag_bytes[o->tag] != o->len)
        return GN_OUCH_ERR_OPTION;
    *at += 1 + n;
    return 1;
}

int gn_ouch_option_put(uint8_t *buf, size_t room, size_t at, uint8_t tag, uint64_t value)
{
    size_t bytes = tag_bytes[tag];
    if (bytes == 0)
        return GN_OUCH_ERR_OPTION;
    if (at > room || room - at < 2 + bytes || at + 2 + bytes > GN_OUCH_APPENDAGE_MAX)
        return GN_OUCH_ERR_ROOM;
    buf[at] = (uint8_t)(bytes + 1);
    buf[at + 1] = tag;
    if (bytes == 1)
        buf[at + 2] = (uint8_t)value;
    else if (bytes == 4)
        gn_store_be32(buf + at + 2, (uint32_t)value);
    else
        gn_store_be64(buf + at + 2, value);
    return (int)(at + 2 + bytes);
}

#define GN_X(tag, NAME, bytes, name) \
    static_assert((bytes) == 1 || (bytes) == 4 || (bytes) == 8, "option values are 1, 4 or 8 bytes");
GN_OUCH_TAGS(GN_X)
#undef GN_X

uint64_t gn_ouch_option_u64(const struct gn_ouch_option *o)
{
    switch (o->len) {
    case 1:
        return o->value[0];
    case 4:
        return gn_load_be32(o->value);
    case 8:
        return gn_load_be64(o->value);
    default:
        return 0;
    }
}

/* ---- templates ---- */

const char gn_ouch_side[2] = {[GN_SIDE_BUY] = 'B', [GN_SIDE_SELL] = 'S'};
const char gn_ouch_tif[2] = {[GN_TIF_DAY] = '0', [GN_TIF_IOC] = '3'};

void gn_ouch_enter_template(struct gn_ouch_template *t, enum gn_side side, const char symbol[8])
{
    memset(t, 0, sizeof *t);
    uint8_t *b = t->bytes;
    b[0] = GN_OUCH_IN_ENTER;
    b[GN_OUCH_O_SIDE] = (uint8_t)gn_ouch_side[side & 1];
    memcpy(b + GN_OUCH_O_SYMBOL, symbol, 8);
    b[GN_OUCH_O_TIF] = (uint8_t)gn_ouch_tif[GN_TIF_DAY];
    b[GN_OUCH_O_DISPLAY] = 'Y';
    b[GN_OUCH_O_CAPACITY] = 'P';
    b[GN_OUCH_O_ISO] = 'N';
    b[GN_OUCH_O_CROSS] = 'N';
}
