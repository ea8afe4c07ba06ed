/* Orders: the gate, an intent to a complete frame, a tick to a complete frame, an answer, a turn without work, and a
 * journal record. */
#include "bench/instructions/appliance.h"
#include "bench/instructions/count.h"
#include "bench/instructions/stages.h"

#define ROUNDS 2000u

static struct appliance a;
static uint8_t answers[MARKET_MESSAGES]; /* 1: this message is answered with an order */

static void begin(void)
{
    appliance_new(&a);
    appliance_login(&a);
}

static int datagram(const struct market *m, uint32_t group, uint32_t i, bool counted)
{
    const uint8_t *frame;
    struct gn_net_rx rx;
    uint32_t len = market_frame(m, &a.venue, group, i, 1, &frame);
    a.counting = counted;
    if (counted)
        count_on();
    int kind = gn_net_input(a.us.net, a.us.tcp, frame, len, HOST_CSUM_OK, host_now, &a.us.txq, &rx);
    gn_stage_feed_udp(&a.feed, 0, &rx, host_now);
    if (a.counting) {
        count_off();
        host_die("no order where there was one before");
    }
    return kind;
}

/* The whole market, both lines; with `counted` the datagrams that were answered in an earlier call. */
static void market_day(const struct market *m, bool counted, const char *name)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        uint64_t sent = a.sent;
        host_now += 10000;
        bool now = counted && answers[i] != 0 && i >= MARKET_STEADY;
        if (datagram(m, HOST_GROUP_A, i, now) != GN_NET_RX_UDP)
            host_die("the datagram was not taken");
        (void)datagram(m, HOST_GROUP_B, i, false);
        if (!counted)
            answers[i] = a.sent == sent + 1;
        n += now;
        appliance_settle(&a);
    }
    if (a.m.orders_sent != a.sent || a.m.order_illegal != 0 || a.m.events_lost != 0 || (counted && n < 100))
        host_die("orders were refused");
    if (counted)
        count_done(name, n);
}

static struct gn_intent an_intent(uint32_t i)
{
    const uint32_t instrument = i % MARKET_INSTRUMENTS;
    const struct gn_tob *t = &a.feed.tob[instrument];
    return (struct gn_intent){.action = GN_ACTION_NEW,
                              .side = i & 1,
                              .tif = GN_TIF_IOC,
                              .instrument = instrument,
                              .price = (i & 1) == GN_SIDE_BUY ? t->ask : t->bid,
                              .qty = 1,
                              .tag = i,
                              .tick_seq = i + 1};
}

static void gate(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct gn_gate_detail detail;
        struct gn_intent in = an_intent(i);
        count_on();
        uint16_t verdict = gn_gate_check(&a.orders.gate, &in, NULL, host_now, &detail);
        count_off();
        if (verdict != GN_VERDICT_OK)
            host_die(gn_verdict_name(verdict));
    }
    count_done("gate_new", ROUNDS);
}

/* Up to the frame, or with what follows it: report, record, counters. */
static void intents(bool whole, const char *name)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct gn_intent in = an_intent(i);
        host_now += 10000;
        a.counting = !whole;
        count_on();
        appliance_intent(&a, &in, host_now);
        if (whole)
            count_off();
        if (a.us.txq.n != 1)
            host_die("an intent made no frame");
        appliance_settle(&a);
    }
    count_done(name, ROUNDS);
}

/* Accepted and cancelled lie in the stream: decoded, order and position moved, reported and journaled, by one poll. */
static void answers_in(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct gn_intent in = an_intent(i);
        host_now += 10000;
        appliance_intent(&a, &in, host_now);
        appliance_exchange(&a);
        count_on();
        gn_stage_orders_poll(&a.orders, host_now);
        count_off();
        if (a.orders.orders->open != 0)
            host_die("the answers were not understood");
        appliance_settle(&a);
    }
    count_done("answer_to_report", 2 * ROUNDS);
}

static void idle(const char *name)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        host_now += 200;
        count_on();
        appliance_poll(&a);
        count_off();
        if (a.us.txq.n != 0 || i % 64 == 0)
            appliance_settle(&a);
    }
    count_done(name, ROUNDS);
}

/* The same without the copy of the payload. */
static void journal_reserve(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        count_on();
        struct gn_rec *rec = gn_orders_event(&a.orders, GN_EV_ORDER, sizeof(struct gn_ev_order), host_now);
        count_off();
        if (rec != NULL)
            *(struct gn_ev_order *)(rec + 1) = (struct gn_ev_order){.order_id = i, .intent = an_intent(i)};
        appliance_settle(&a);
    }
    count_done("journal_reserve", ROUNDS);
}

static void journal(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct gn_ev_order ev = {.order_id = i, .intent = an_intent(i)};
        count_on();
        struct gn_rec *rec = gn_orders_event(&a.orders, GN_EV_ORDER, sizeof ev, host_now);
        if (rec != NULL)
            memcpy(rec + 1, &ev, sizeof ev);
        count_off();
        appliance_settle(&a);
    }
    count_done("journal_record", ROUNDS);
}

void stages_path(void)
{
    const struct market *m = market_new();
    begin();
    market_day(m, false, "");
    begin();
    market_day(m, true, "tick_to_trade");
    gate();
    intents(false, "intent_to_frame");
    intents(true, "intent_whole");
    idle("idle_turn");
    journal_reserve();
    journal();
    answers_in();
    begin();
    market_day(m, false, "");
    a.keep = true;
    for (uint32_t i = 0; i < 20; i++) {
        struct gn_intent in = an_intent(i);
        appliance_intent(&a, &in, host_now);
        appliance_settle(&a);
    }
    idle("idle_turn_orders_open");
}
