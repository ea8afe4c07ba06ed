/* Calls to the arbiter in any order, 4 bytes each: deliveries stay in order and the state stays one that can be joined.
 */
#include "drivers/venue/arbiter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static alignas(GN_CACHE_LINE) uint8_t memory[1 << 14];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t bytes[128];
    const struct gn_arb_config cfg = {.slots = 5,
                                      .slot_bytes = 64,
                                      .gap_request_ns = 3,
                                      .retry_ns = 2,
                                      .retry_max_ns = 9,
                                      .request_max = 7,
                                      .max_retries = 2,
                                      .back_window = 50,
                                      .jump_max = 200};
    struct gn_arb *a = (struct gn_arb *)(void *)memory;
    if (gn_arb_new(a, &cfg) != GN_ARB_OK)
        __builtin_trap();
    uint64_t now = 0, expected = 0;
    for (; size >= 4; data += 4, size -= 4) {
        struct gn_arb_in in = {.session = (data[0] & 0x80) != 0 ? "OTHER     " : "SESSION   ",
                               .data = bytes,
                               .line = data[0] & 3,
                               .count = data[1] & 15,
                               .seq = data[2],
                               .len = data[3] & 127};
        struct gn_arb_out out = {0};
        struct gn_arb_request req;
        struct gn_ev_gap ev;
        now += data[3] >> 5;
        bool got = gn_arb_packet(a, &in, now, &out) == GN_ARB_DELIVER;
        for (; got; got = gn_arb_next_held(a, now, &out)) {
            if ((expected != 0 && out.first != expected) || out.deliver == 0 || out.skip + out.deliver != out.count)
                __builtin_trap();
            expected = out.first + out.deliver;
        }
        if (gn_arb_timer(a, now, &req) == GN_ARB_GIVEN_UP) {
            if (expected != 0 && req.from != expected)
                __builtin_trap();
            expected = req.from + req.count;
            while (gn_arb_next_held(a, now, &out)) {
                if (out.first != expected)
                    __builtin_trap();
                expected = out.first + out.deliver;
            }
        }
        while (gn_arb_gap_event(a, &ev))
            if (ev.from >= ev.to)
                __builtin_trap();
        if (gn_arb_join(a, sizeof memory) != GN_ARB_OK)
            __builtin_trap();
    }
    return 0;
}
