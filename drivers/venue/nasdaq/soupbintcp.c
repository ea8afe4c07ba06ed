/* SoupBinTCP: framing, and what both sides share. */
#include "drivers/venue/nasdaq/soup_private.h"

struct limits {
    uint16_t min;
    uint16_t max;
    uint8_t known;
    uint8_t client;
    uint8_t server;
};

#define GN_X(wire, NAME, shortest, longest, from_client, from_server, name) \
    [wire] = {.min = (shortest), .max = (longest), .known = 1, .client = (from_client), .server = (from_server)},
static const struct limits limits[256] = {GN_SOUP_PACKETS(GN_X)};
#undef GN_X

int gn_soup_next(const uint8_t *stream, size_t len, struct gn_soup_packet *pkt)
{
    if (len < 2)
        return 0;
    uint32_t n = gn_load_be16(stream);
    if (GN_UNLIKELY(n == 0))
        return GN_SOUP_ERR_ZERO;
    if (GN_UNLIKELY(n > GN_SOUP_PAYLOAD_MAX + 1))
        return GN_SOUP_ERR_LONG;
    if (len < GN_SOUP_HEADER)
        return 0;
    const struct limits *l = &limits[stream[2]];
    if (GN_UNLIKELY(!l->known))
        return GN_SOUP_ERR_TYPE;
    if (GN_UNLIKELY(n - 1 < l->min || n - 1 > l->max))
        return GN_SOUP_ERR_LENGTH;
    if (len < n + 2)
        return 0;
    pkt->type = stream[2];
    pkt->payload = stream + GN_SOUP_HEADER;
    pkt->len = (uint16_t)(n - 1);
    pkt->bytes = (uint16_t)(n + 2);
    return 1;
}

int gn_soup_direction(uint8_t type, bool from_server)
{
    if (!limits[type].known)
        return GN_SOUP_ERR_TYPE;
    bool ok = from_server ? limits[type].server : limits[type].client;
    return ok ? GN_SOUP_OK : GN_SOUP_ERR_DIRECTION;
}

void gn_soup_number_write(uint8_t out[GN_SOUP_SEQUENCE], uint64_t n)
{
    memset(out, ' ', GN_SOUP_SEQUENCE);
    uint32_t at = GN_SOUP_SEQUENCE;
    do {
        out[--at] = (uint8_t)('0' + n % 10);
        n /= 10;
    } while (n != 0);
}

int gn_soup_number_parse(const uint8_t in[GN_SOUP_SEQUENCE], uint64_t *n)
{
    uint32_t at = 0, digits = 0;
    uint64_t v = 0;
    while (at < GN_SOUP_SEQUENCE && in[at] == ' ')
        at++;
    for (; at < GN_SOUP_SEQUENCE && in[at] >= '0' && in[at] <= '9'; at++, digits++) {
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(in[at] - '0'), &v))
            return GN_SOUP_ERR_NUMBER;
    }
    while (at < GN_SOUP_SEQUENCE && in[at] == ' ')
        at++;
    if (digits == 0 || at != GN_SOUP_SEQUENCE)
        return GN_SOUP_ERR_NUMBER;
    *n = v;
    return GN_SOUP_OK;
}

void gn_soup_pad(char *to, size_t n, const char *text)
{
    size_t len = strnlen(text, n);
    memcpy(to, text, len);
    memset(to + len, ' ', n - len);
}

bool gn_soup_blank(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] != ' ')
            return false;
    return true;
}

struct gn_soup_timing gn_soup_timing(const struct gn_soup_timing *t)
{
    struct gn_soup_timing r = t != NULL ? *t : (struct gn_soup_timing){0};
    if (r.heartbeat_ns == 0)
        r.heartbeat_ns = GN_SOUP_HEARTBEAT_NS;
    if (r.dead_ns == 0)
        r.dead_ns = GN_SOUP_DEAD_NS;
    if (r.login_ns == 0)
        r.login_ns = r.dead_ns;
    return r;
}

void gn_soup_die(uint8_t *state, struct gn_soup_stats *stats, int err)
{
    if (*state == GN_SOUP_DEAD)
        return;
    *state = GN_SOUP_DEAD;
    stats->deaths++;
    if (err < 0 && err > -(int)GN_SOUP_ERRS)
        stats->errors[-err]++;
}

const char *gn_soup_strerror(int err)
{
    switch (err) {
    case GN_SOUP_OK:
        return "ok";
#define GN_X(num, NAME, text) \
    case GN_SOUP_ERR_##NAME:  \
        return text;
        GN_SOUP_ERR_TABLE(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}

const char *gn_soup_event_name(enum gn_soup_event ev)
{
    switch (ev) {
#define GN_X(NAME, text)    \
    case GN_SOUP_EV_##NAME: \
        return text;
        GN_SOUP_EVENTS(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}
