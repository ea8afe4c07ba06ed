/* A venue that says anything: sequenced messages, sound ones about our orders or any bytes, raw bytes into the stream,
 * hang-ups; in between the desk sends, replaces, cancels. After every turn the reservations must be those of the
 * orders, and the position what was bought less what was sold. */
#include <stdio.h>

#include "tests/unit/lcore/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DESK 1u

static struct gn_order *some_order(struct gn_h *h, uint8_t pick)
{
    return &h->orders->order[pick % 16];
}

static void desk(struct gn_h *h, const uint8_t *p)
{
    const struct gn_order *o = some_order(h, p[1]);
    struct gn_intent in = {
        .action = (uint8_t)(p[0] % 6),
        .side = o->side,
        .tif = p[0] >> 7,
        .instrument = DESK + (p[2] & 1),
        .target = o->id,
        .price = 1000000 + (p[2] >> 4) * 100,
        .qty = 1 + p[3] % 20,
    };
    if (in.action == GN_ACTION_NEW)
        in.side = p[2] >> 1 & 1;
    gn_h_intent(h, &in);
}

/* A well-formed message about one of our orders, or about nobody's. */
static void venue(struct gn_h *h, const uint8_t *p)
{
    static const uint8_t types[] = {
#define GN_X(wire, NAME, fixed, appendage, name) wire,
        GN_OUCH_OUTBOUND(GN_X)
#undef GN_X
    };
    struct gn_ouch_msg m = {
        .type = types[p[0] % sizeof types],
        .user_ref = some_order(h, p[1])->user_ref + (p[2] == 255),
        .orig_user_ref = some_order(h, p[2])->user_ref,
        .next_user_ref = (uint32_t)h->orders->next_seq + (p[2] >> 6),
        .qty = p[3],
        .price = 1000000,
        .state = p[1] >> 7 ? 'D' : 'L',
    };
    gn_h_say(h, &m);
}

static void step(struct gn_h *h, const uint8_t *p, size_t left)
{
    size_t len = p[1] < left ? p[1] : left;
    switch (p[0] & 7) {
    case 0:
    case 1:
        desk(h, p + 1);
        break;
    case 2:
    case 3:
    case 4:
        venue(h, p + 1);
        break;
    case 5:
        gn_h_say_bytes(h, p + 1, (uint16_t)len);
        break;
    case 6:
        if (p[0] & 8)
            gn_h_raw(h, p + 1, (uint32_t)len);
        else
            gn_h_hang_up(h);
        break;
    default:
        if (p[0] & 8)
            gn_kill_raise(&h->control->kill_all, p[1] % 5, GN_KILL_BY_OPERATOR);
        else
            (void)gn_kill_release(&h->control->kill_all, atomic_load(&h->control->kill_all));
        h->end.out.cut = (p[0] & 16) != 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gn_h_options options = {.book_orders = 64, .book_levels = 64, .instruments = 6, .event_cells = 1024};
    struct gn_h *h = gn_h_new(&options);
    (void)gn_h_up(h);
    gn_h_quote(h, DESK, 990000, 1010000);
    gn_h_quote(h, DESK + 1, 990000, 1010000);
    for (; size >= 8; data += 8, size -= 8) {
        step(h, data, size - 1 < 7 ? size - 1 : 7);
        gn_h_turn(h);
        if (data[7] & 1)
            gn_h_run(h, GN_H_MS);
        if (h->broken != NULL) {
            fprintf(stderr, "%s\n", h->broken);
            __builtin_trap();
        }
    }
    h->end.out.cut = false;
    gn_h_run(h, 5 * GN_H_MS);
    if (h->broken != NULL)
        __builtin_trap();
    gn_h_free(h);
    return 0;
}
