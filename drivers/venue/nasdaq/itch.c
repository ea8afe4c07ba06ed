#include "drivers/venue/nasdaq/itch.h"

#define GN_X(wire, suffix, NAME, length, name) [wire] = (length),
const uint8_t gn_itch_length[256] = {GN_ITCH_MESSAGES(GN_X)};
#undef GN_X

#define GN_X(wire, suffix, NAME, length, name) \
    static_assert((length) >= GN_ITCH_LEN_MIN && (length) <= GN_ITCH_LEN_MAX, "limits hold every message");
GN_ITCH_MESSAGES(GN_X)
#undef GN_X
static_assert(GN_ITCH_TYPES == 23, "ITCH 5.0 has 23 message types");

int gn_itch_decode(const uint8_t *msg, size_t len, struct gn_itch_msg *m)
{
    int err = gn_itch_check(msg, len);
    if (err != GN_ITCH_OK)
        return err;
    memset(m, 0, sizeof *m);
    switch (msg[0]) {
#define GN_X(wire, suffix, NAME, length, name) \
    case wire:                                 \
        gn_itch_get_##suffix(msg, m);          \
        break;
        GN_ITCH_MESSAGES(GN_X)
#undef GN_X
    default:
        return GN_ITCH_ERR_TYPE;
    }
    return GN_ITCH_OK;
}

int gn_itch_encode(uint8_t *p, size_t room, const struct gn_itch_msg *m)
{
    size_t len = gn_itch_length[m->type];
    if (len == 0)
        return GN_ITCH_ERR_TYPE;
    if (room < len)
        return GN_ITCH_ERR_ROOM;
    p[0] = m->type;
    GN_ITCH_FIELDS_HEADER(GN_WIRE_PUT)
    switch (m->type) {
#define GN_X(wire, suffix, NAME, length, name)      \
    case wire: {                                    \
        GN_ITCH_FIELDS_##suffix(GN_WIRE_PUT) break; \
    }
        GN_ITCH_MESSAGES(GN_X)
#undef GN_X
    default:
        return GN_ITCH_ERR_TYPE;
    }
    return (int)len;
}

const char *gn_itch_name(uint8_t type)
{
    switch (type) {
#define GN_X(wire, suffix, NAME, length, name) \
    case wire:                                 \
        return name;
        GN_ITCH_MESSAGES(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}

const char *gn_itch_strerror(int err)
{
    switch (err) {
    case GN_ITCH_OK:
        return "ok";
#define GN_X(num, NAME, text) \
    case GN_ITCH_ERR_##NAME:  \
        return text;
        GN_ITCH_ERR_TABLE(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}

int gn_itch_file_next(struct gn_itch_file *f, const uint8_t **msg, size_t *len)
{
    size_t left = f->len - f->at;
    if (left == 0)
        return 0;
    if (left < 2)
        return GN_ITCH_ERR_TRUNCATED;
    size_t n = gn_load_be16(f->data + f->at);
    if (n == 0)
        return 0;
    if (n > left - 2)
        return GN_ITCH_ERR_TRUNCATED;
    *msg = f->data + f->at + 2;
    *len = n;
    f->at += 2 + n;
    return 1;
}
