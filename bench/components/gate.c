/* The gate by instruments, strategies and open orders: the appliance of bench/instructions, with a market in it. */
#include "bench/components/components.h"
#include "bench/instructions/appliance.h"

#define ROUNDS      4096u
#define MARKET_PART 4000u /* messages until an instrument has two sides */
#define OPEN_MAX    10000u
#define MANY        1000000u

static struct appliance a;
static uint32_t sound;  /* an instrument with both sides */
static uint64_t spread; /* over so many instruments or strategies */
static uint64_t working[OPEN_MAX];

static struct gn_intent an_order(uint32_t instrument)
{
    const struct gn_tob *t = &a.feed.tob[instrument];
    return (struct gn_intent){.action = GN_ACTION_NEW,
                              .side = GN_SIDE_BUY,
                              .tif = GN_TIF_IOC,
                              .instrument = instrument,
                              .price = t->bid,
                              .qty = 1,
                              .tick_seq = 1};
}

static void passes(const struct gn_intent *in, const struct gn_order *target)
{
    struct gn_gate_detail detail;
    const uint16_t verdict = gn_gate_check(&a.orders.gate, in, target, host_now, &detail);
    if (verdict != GN_VERDICT_OK)
        host_die(gn_verdict_name(verdict));
}

static void by_instrument(void *ctx, uint64_t i)
{
    (void)ctx;
    const struct gn_intent in = an_order((uint32_t)component_scatter(i, spread));
    passes(&in, NULL);
}

static void by_strategy(void *ctx, uint64_t i)
{
    (void)ctx;
    const uint32_t strategy = (uint32_t)component_scatter(i, spread);
    struct gn_intent in = an_order(strategy); /* which owns the instrument of its number */
    in.strategy = (uint16_t)strategy;
    passes(&in, NULL);
}

static void one_more(void *ctx, uint64_t i)
{
    (void)ctx, (void)i;
    const struct gn_intent in = an_order(sound);
    passes(&in, NULL);
}

static void cancel_one(void *ctx, uint64_t i)
{
    (void)ctx;
    const uint64_t id = working[component_scatter(i, spread)];
    const struct gn_order *o = gn_order_by_id(a.orders.orders, id);
    if (o == NULL)
        host_die("an order is gone");
    const struct gn_intent in = {.action = GN_ACTION_CANCEL, .instrument = o->instrument, .target = id};
    passes(&in, o);
}

static void market(void)
{
    const struct market *m = market_new();
    struct gn_net_rx rx;
    const uint8_t *frame;
    for (uint32_t i = 0; i < MARKET_PART; i++) {
        host_now += 10000;
        const uint32_t len = market_frame(m, &a.venue, HOST_GROUP_A, i, 1, &frame);
        gn_net_input(a.us.net, a.us.tcp, frame, len, HOST_CSUM_OK, host_now, &a.us.txq, &rx);
        gn_stage_feed_udp(&a.feed, 0, &rx, host_now);
        appliance_settle(&a);
    }
    while (sound < MARKET_INSTRUMENTS && (a.feed.tob[sound].bid == 0 || a.feed.tob[sound].ask == 0))
        sound++;
    if (sound == MARKET_INSTRUMENTS)
        host_die("no instrument has two sides");
}

static void describe(uint32_t i)
{
    const struct gn_instrument *k = &a.feed.instruments->row[i];
    const struct gn_conf_instrument conf = {.price_exp = k->price_exp,
                                            .strategy = k->strategy,
                                            .tick = k->tick,
                                            .lot = k->lot,
                                            .theme = GN_NONE32,
                                            .multiplier = 1,
                                            .fx_ppm = 1000000};
    if (!gn_risk_describe(a.orders.gate.risk, i, &a.conf, &conf))
        host_die("an instrument without a place");
}

/* Every instrument of the table becomes as good as the sound one: what is measured is the table, not the market. */
static void fill_table(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        a.feed.tob[i] = a.feed.tob[sound];
        a.feed.instruments->row[i] = a.feed.instruments->row[sound];
        if (i >= MARKET_INSTRUMENTS)
            describe(i);
        for (uint64_t generation = 0; generation < 2; generation++)
            *gn_limits_row(a.orders.gate.limits, generation, i) =
                *gn_limits_row(a.orders.gate.limits, generation, sound);
    }
    gn_limits_publish(a.orders.gate.limits);
    gn_gate_refresh(&a.orders.gate);
    a.feed.instruments->configured = n;
    atomic_store_explicit(&a.feed.instruments->count, n, memory_order_release);
}

/* Working orders, all of one instrument, at the bid. */
static void open_orders(uint32_t from, uint32_t to)
{
    a.keep = true;
    for (uint32_t i = from; i < to; i++) {
        struct gn_intent in = an_order(sound);
        uint64_t seq;
        in.tif = GN_TIF_DAY;
        host_now += 10000;
        const struct gn_order *next = gn_order_peek(a.orders.orders, &seq);
        appliance_intent(&a, &in, host_now);
        appliance_settle(&a);
        if (next == NULL || a.orders.orders->open != i + 1)
            host_die("an order is not open");
        working[i] = next->id;
    }
}

void component_gate(void)
{
    static const uint32_t instruments[] = {10, 100, 1000, 10000};
    static const uint32_t strategies[] = {1, 2, 4, 8, 16};
    static const uint32_t orders[] = {10, 100, 1000, OPEN_MAX};
    appliance_new(&a);
    for (uint64_t generation = 0; generation < 2; generation++) {
        gn_limits_firm_row(a.orders.gate.limits, generation)->max_open_orders = MANY;
        for (uint32_t i = 0; i < MARKET_INSTRUMENTS; i++)
            gn_limits_row(a.orders.gate.limits, generation, i)->max_open_orders = MANY;
    }
    struct gn_limits *l = a.orders.gate.limits;
    const uint64_t now = gn_limits_current(l);
    memcpy(gn_limits_scope_row(l, now + 1, 0), gn_limits_scope_row(l, now, 0), gn_limits_half_bytes(l->rows));
    gn_limits_publish(l); /* the gate works with what it took over */
    gn_gate_refresh(&a.orders.gate);
    a.conf.strategy[0].param[GN_PARAM_touch_EVERY] = MANY;
    appliance_login(&a);
    market();
    for (uint32_t k = 0; k < GN_ARRAY_LEN(orders); k++) {
        open_orders(k == 0 ? 0 : orders[k - 1], orders[k]);
        spread = orders[k];
        component_measure("gate_new", "open_orders", spread, one_more, NULL, ROUNDS);
        component_measure("gate_cancel", "open_orders", spread, cancel_one, NULL, ROUNDS);
    }
    fill_table(instruments[GN_ARRAY_LEN(instruments) - 1]);
    for (uint32_t k = 0; k < GN_ARRAY_LEN(instruments); k++) {
        spread = instruments[k];
        component_measure("gate_new", "instruments", spread, by_instrument, NULL, ROUNDS);
    }
    for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
        a.feed.instruments->row[i].strategy = i;
    for (uint32_t k = 0; k < GN_ARRAY_LEN(strategies); k++) {
        spread = strategies[k];
        component_measure("gate_new", "strategies", spread, by_strategy, NULL, ROUNDS);
    }
}
