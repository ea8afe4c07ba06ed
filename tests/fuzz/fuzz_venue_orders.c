/* A SoupBinTCP stream from anyone, to both sides; each payload is taken for OUCH in both directions. */
#include "drivers/venue/nasdaq/ouch.h"
#include "drivers/venue/nasdaq/soupbintcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message(const uint8_t *msg, size_t len)
{
    struct gn_ouch_msg m;
    uint8_t out[GN_OUCH_OUT_MAX + 2];
    uint64_t id;
    uint32_t tick;
    int n;
    /* a message that may go without an appendage length comes back without an empty one */
    if (gn_ouch_decode_in(msg, len, &m) == GN_OUCH_OK) {
        n = gn_ouch_encode_in(out, sizeof out, &m);
        if (n < 0 || (n != (int)len && n + 2 != (int)len) || memcmp(out, msg, (size_t)n) != 0)
            __builtin_trap();
    }
    if (gn_ouch_decode_out(msg, len, &m) == GN_OUCH_OK) {
        n = gn_ouch_encode_out(out, sizeof out, &m);
        if (n < 0 || (n != (int)len && n + 2 != (int)len) || memcmp(out, msg, (size_t)n) != 0)
            __builtin_trap();
        if (gn_clordid_decode(m.clordid, &id, &tick) == GN_OUCH_OK) {
            gn_clordid_encode(out, id, tick);
            if (memcmp(out, m.clordid, GN_OUCH_CLORDID) != 0)
                __builtin_trap();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gn_soup_client c;
    static struct gn_soup_server s;
    uint8_t buf[64];
    gn_soup_client_new(&c, "USER", "PASSWORD", "", 1, NULL);
    gn_soup_server_new(&s, "S", NULL);
    gn_soup_server_open(&s, 0);
    if (gn_soup_client_login(&c, buf, sizeof buf, 0) < 0)
        __builtin_trap();
    uint64_t now = 0;
    while (size > 0) {
        struct gn_soup_packet pkt;
        struct gn_soup_info info;
        int rc = gn_soup_next(data, size, &pkt);
        if (rc < 0) {
            gn_soup_client_on_error(&c, rc);
            gn_soup_server_on_error(&s, rc);
        }
        if (rc <= 0)
            break;
        now += 100000000;
        message(pkt.payload, pkt.len);
        if (gn_soup_client_on_packet(&c, &pkt, now, &info) == GN_SOUP_EV_DATA_SEQUENCED)
            gn_soup_client_done(&c, info.seq);
        if (gn_soup_server_on_packet(&s, &pkt, now, &info) == GN_SOUP_EV_LOGIN &&
            gn_soup_server_accept(&s, buf, sizeof buf, info.seq, now) < 0)
            __builtin_trap();
        (void)gn_soup_client_timer(&c, now);
        (void)gn_soup_server_timer(&s, now);
        data += pkt.bytes;
        size -= pkt.bytes;
    }
    message(data, size);
    return 0;
}
