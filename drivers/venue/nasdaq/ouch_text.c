/* Letters of OUCH: client order ids, and the texts of the tables. */
#include "drivers/venue/nasdaq/ouch.h"

#define ALL(x)                                         \
    {                                                  \
        x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x \
    }
const struct gn_clordid_runs gn_clordid_runs = {
    ALL(9), ALL(35), ALL(61), ALL(62), ALL(4), {'_' - 63, '-' - 62, 'a' - 36, 'A' - 10, '0'},
};

/* One cache line, so that an encode touches no second one. */
alignas(GN_CACHE_LINE) const
    char gn_clordid_alphabet[64] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

#define ID_LETTERS   11u
#define TICK_LETTERS 3u
static_assert(ID_LETTERS + TICK_LETTERS == GN_OUCH_CLORDID, "letters fill the field");
static_assert(TICK_LETTERS * 6 == GN_CLORDID_TICK_BITS, "letters carry 6 bits");

/* Value of a letter, -1 when it is not of the alphabet. */
static int letter(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 36;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int gn_clordid_decode(const char *text, uint64_t *order_id, uint32_t *tick18)
{
    uint64_t id = 0;
    uint32_t tick = 0;
    for (uint32_t i = 0; i < GN_OUCH_CLORDID; i++) {
        int v = letter(text[i]);
        /* 11 letters have 66 bits: the first may use 4 of its 6 */
        if (v < 0 || (i == 0 && v > 15))
            return GN_OUCH_ERR_CLORDID;
        if (i < ID_LETTERS)
            id = id << 6 | (uint32_t)v;
        else
            tick = tick << 6 | (uint32_t)v;
    }
    *order_id = id;
    *tick18 = tick;
    return GN_OUCH_OK;
}

int gn_ouch_tif_from_wire(char tif)
{
    return tif == gn_ouch_tif[GN_TIF_DAY] ? GN_TIF_DAY : tif == gn_ouch_tif[GN_TIF_IOC] ? GN_TIF_IOC : -1;
}

int gn_ouch_side_from_wire(char side)
{
    return side == 'B' ? GN_SIDE_BUY : side == 'S' || side == 'T' || side == 'E' ? GN_SIDE_SELL : -1;
}

const char *gn_ouch_reject_reason(uint16_t code)
{
    switch (code) {
#define GN_X(number, NAME, text) \
    case number:                 \
        return text;
        GN_OUCH_REJECTS(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}

const char *gn_ouch_cancel_reason(char code)
{
    switch (code) {
#define GN_X(number, NAME, text) \
    case number:                 \
        return text;
        GN_OUCH_CANCELS(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}

#define GN_X(wire, NAME, fixed, appendage, name) \
    case wire:                                   \
        return name;

const char *gn_ouch_name_in(uint8_t type)
{
    switch (type) {
        GN_OUCH_INBOUND(GN_X)
    default:
        return "unknown";
    }
}

const char *gn_ouch_name_out(uint8_t type)
{
    switch (type) {
        GN_OUCH_OUTBOUND(GN_X)
    default:
        return "unknown";
    }
}
#undef GN_X

const char *gn_ouch_tag_name(uint8_t tag)
{
    switch (tag) {
#define GN_X(number, NAME, bytes, name) \
    case number:                        \
        return name;
        GN_OUCH_TAGS(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}

const char *gn_ouch_strerror(int err)
{
    switch (err) {
    case GN_OUCH_OK:
        return "ok";
#define GN_X(num, NAME, text) \
    case GN_OUCH_ERR_##NAME:  \
        return text;
        GN_OUCH_ERR_TABLE(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}
