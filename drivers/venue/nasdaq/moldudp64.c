#include "drivers/venue/nasdaq/moldudp64.h"

int gn_mold_parse(const uint8_t *data, size_t len, struct gn_mold_packet *out)
{
    struct gn_mold_head head;
    int err = gn_mold_head(data, len, &head);
    if (GN_UNLIKELY(err != GN_MOLD_OK))
        return err;
    memcpy(out->session, data, GN_MOLD_SESSION);
    out->count = (uint16_t)head.count;
    out->kind = (uint8_t)head.kind;
    out->seq = head.seq;
    out->blocks = data + GN_MOLD_HEADER;
    out->end = data + len;
    return GN_MOLD_OK;
}

static void put_header(uint8_t *buf, const char *session, uint64_t seq, uint16_t count)
{
    memcpy(buf, session, GN_MOLD_SESSION);
    gn_store_be64(buf + 10, seq);
    gn_store_be16(buf + 18, count);
}

int gn_mold_begin(struct gn_mold_builder *b, uint8_t *buf, size_t room, const char *session, uint64_t seq)
{
    if (room < GN_MOLD_HEADER || room > GN_MOLD_BYTES_MAX)
        return GN_MOLD_ERR_ROOM;
    b->buf = buf;
    b->room = (uint32_t)room;
    b->len = GN_MOLD_HEADER;
    b->count = 0;
    put_header(buf, session, seq, 0);
    return GN_MOLD_OK;
}

uint8_t *gn_mold_reserve(struct gn_mold_builder *b, uint16_t len)
{
    if (b->count >= GN_MOLD_END_COUNT - 1 || b->room - b->len < 2u + len)
        return NULL;
    uint8_t *at = b->buf + b->len;
    gn_store_be16(at, len);
    b->len += 2u + len;
    b->count++;
    return at + 2;
}

int gn_mold_append(struct gn_mold_builder *b, const uint8_t *msg, uint16_t len)
{
    uint8_t *at = gn_mold_reserve(b, len);
    if (at == NULL)
        return GN_MOLD_ERR_ROOM;
    memcpy(at, msg, len);
    return GN_MOLD_OK;
}

uint32_t gn_mold_finish(struct gn_mold_builder *b)
{
    gn_store_be16(b->buf + 18, (uint16_t)b->count);
    return b->len;
}

void gn_mold_control(uint8_t *buf, const char *session, uint64_t seq, enum gn_mold_kind kind)
{
    put_header(buf, session, seq, kind == GN_MOLD_END ? (uint16_t)GN_MOLD_END_COUNT : 0);
}

void gn_mold_request_write(uint8_t *buf, const struct gn_mold_request *r)
{
    put_header(buf, r->session, r->seq, r->count);
}

int gn_mold_request_parse(const uint8_t *data, size_t len, struct gn_mold_request *out)
{
    if (len < GN_MOLD_REQUEST)
        return GN_MOLD_ERR_SHORT;
    if (len > GN_MOLD_REQUEST)
        return GN_MOLD_ERR_TRAILING;
    memcpy(out->session, data, GN_MOLD_SESSION);
    out->seq = gn_load_be64(data + 10);
    out->count = gn_load_be16(data + 18);
    if (out->count == 0 || out->count == GN_MOLD_END_COUNT)
        return GN_MOLD_ERR_COUNT;
    if (out->seq == 0 || out->seq > UINT64_MAX - out->count)
        return GN_MOLD_ERR_SEQUENCE;
    return GN_MOLD_OK;
}

const char *gn_mold_strerror(int err)
{
    switch (err) {
    case GN_MOLD_OK:
        return "ok";
#define GN_X(num, NAME, text) \
    case GN_MOLD_ERR_##NAME:  \
        return text;
        GN_MOLD_ERR_TABLE(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}
