/* A MoldUDP64 packet from anyone: parse, walk, decode each message as ITCH; what decodes encodes to the same bytes. */
#include "drivers/venue/nasdaq/itch.h"
#include "drivers/venue/nasdaq/moldudp64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message(const uint8_t *msg, size_t len)
{
    struct gn_itch_msg m;
    uint8_t out[GN_ITCH_LEN_MAX];
    if (gn_itch_decode(msg, len, &m) != GN_ITCH_OK)
        return;
    if (gn_itch_encode(out, sizeof out, &m) != (int)len || memcmp(out, msg, len) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gn_mold_packet p;
    struct gn_mold_request r;
    if (gn_mold_parse(data, size, &p) == GN_MOLD_OK) {
        struct gn_mold_iter it = gn_mold_iter(&p);
        const uint8_t *msg;
        uint16_t len;
        uint32_t n = 0;
        for (; gn_mold_next(&it, &msg, &len); n++)
            message(msg, len);
        if (n != p.count || it.at != p.end)
            __builtin_trap();
    }
    if (gn_mold_request_parse(data, size, &r) == GN_MOLD_OK) {
        uint8_t out[GN_MOLD_REQUEST];
        gn_mold_request_write(out, &r);
        if (memcmp(out, data, sizeof out) != 0)
            __builtin_trap();
    }
    struct gn_itch_file f = {.data = data, .len = size};
    const uint8_t *msg;
    size_t len;
    while (gn_itch_file_next(&f, &msg, &len) == 1)
        message(msg, len);
    return 0;
}
