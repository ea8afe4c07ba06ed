#include "bench/harness/feed.h"

#include "drivers/venue/nasdaq/itch.h"
#include "tools/venue-sim/gen.h"

#define MIDDLE     1000000u /* 100.0000 */
#define HALF       (10u * GN_GEN_TICK)
#define FAR        (100u * GN_GEN_TICK)
#define REST       1000000000u /* shares that no run uses up */
#define OPENING    4u          /* messages an instrument */
#define MOVE_SIZE  100u
#define FIRST_REFS 1000u

void gn_feed_init(struct gn_feed *f, uint32_t instruments)
{
    memset(f, 0, sizeof *f);
    f->instruments = instruments < GN_FEED_INSTRUMENTS_MAX ? instruments : GN_FEED_INSTRUMENTS_MAX;
    f->next_ref = FIRST_REFS;
}

static uint32_t encode(const struct gn_itch_msg *m, uint8_t *msg)
{
    int len = gn_itch_encode(msg, GN_FEED_MSG_MAX, m);
    return len > 0 ? (uint32_t)len : 0;
}

uint32_t gn_feed_opening(struct gn_feed *f, uint32_t n, uint64_t venue_ns, uint8_t msg[GN_FEED_MSG_MAX])
{
    const uint32_t i = n / OPENING;
    struct gn_itch_msg m = {.locate = (uint16_t)(i + 1), .time_ns = venue_ns, .shares = REST};
    if (i >= f->instruments)
        return 0;
    gn_gen_symbol(i, m.symbol);
    switch (n % OPENING) {
    case 0:
        m.type = 'R';
        m.round_lot = 100;
        m.market_category = 'Q';
        m.financial = m.lots_only = m.authenticity = 'N';
        break;
    case 1:
        m.type = 'H';
        m.trading_state = 'T';
        break;
    default:
        m.type = 'A';
        m.side = n % OPENING == 2 ? 'B' : 'S';
        m.ref = f->next_ref++;
        m.price = m.side == 'B' ? MIDDLE - HALF : MIDDLE + HALF;
        break;
    }
    return encode(&m, msg);
}

uint32_t gn_feed_next(struct gn_feed *f, bool moving, uint64_t venue_ns, uint8_t msg[GN_FEED_MSG_MAX])
{
    const uint32_t i = (uint32_t)((moving ? f->moves++ : f->others++) % f->instruments);
    uint64_t *live = moving ? &f->near_ref[i] : &f->far_ref[i];
    struct gn_itch_msg m = {.locate = (uint16_t)(i + 1), .time_ns = venue_ns};
    if (*live != 0) {
        m.type = 'D';
        m.ref = *live;
        *live = 0;
        return encode(&m, msg);
    }
    m.type = 'A';
    m.side = 'B';
    m.shares = MOVE_SIZE;
    m.price = moving ? MIDDLE - HALF + GN_GEN_TICK : MIDDLE - FAR;
    gn_gen_symbol(i, m.symbol);
    m.ref = *live = f->next_ref++;
    return encode(&m, msg);
}
