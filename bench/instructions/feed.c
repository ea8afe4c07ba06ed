/* Market data: a datagram of one message by its type, datagrams of ten, and the other line's copy. */
#include "bench/instructions/appliance.h"
#include "bench/instructions/count.h"
#include "bench/instructions/stages.h"

static struct appliance a;

static void ignore(void *ctx, const struct gn_md *md, uint64_t now_ns)
{
    (void)ctx, (void)md, (void)now_ns;
}

/* Feeds one datagram; counted is the feed stage alone, without the network endpoint. */
static void feed(const struct market *m, uint32_t group, uint32_t first, uint32_t count, bool counted)
{
    const uint8_t *frame;
    struct gn_net_rx rx;
    host_now += 1000;
    uint32_t len = market_frame(m, &a.venue, group, first, count, &frame);
    if (host_input(&a.us, frame, len, HOST_CSUM_OK, &rx) != GN_NET_RX_UDP)
        host_die("the datagram was not taken");
    if (counted)
        count_on();
    gn_stage_feed_udp(&a.feed, 0, &rx, host_now);
    if (counted)
        count_off();
}

static void empty_journal(uint32_t i)
{
    if (i % 64 == 0)
        appliance_settle(&a);
}

static void begin(void)
{
    appliance_new(&a);
    a.feed.md_sink = ignore;
}

/* Single messages; those of `type` are counted, all when it is 0. */
static void by_type(const struct market *m, uint8_t type, const char *name)
{
    uint64_t n = 0;
    begin();
    for (uint32_t i = 0; i < m->n; i++) {
        bool counted = i >= MARKET_STEADY && (type == 0 || m->msg[i][0] == type);
        feed(m, HOST_GROUP_A, i, 1, counted);
        n += counted;
        empty_journal(i);
    }
    if (a.m.md_messages != m->n || n == 0)
        host_die("messages were lost");
    count_done(name, n);
}

static void in_tens(const struct market *m)
{
    uint64_t n = 0;
    begin();
    for (uint32_t i = 0; i + 10 <= m->n; i += 10) {
        bool counted = i >= MARKET_STEADY;
        feed(m, HOST_GROUP_A, i, 10, counted);
        n += counted ? 10 : 0;
        empty_journal(i / 10);
    }
    count_done("feed_in_tens", n);
}

static void other_line(const struct market *m)
{
    begin();
    for (uint32_t i = 0; i < 2000; i++) {
        feed(m, HOST_GROUP_A, i, 1, false);
        feed(m, HOST_GROUP_B, i, 1, true);
        empty_journal(i);
    }
    count_done("feed_other_line", 2000);
}

void stages_feed(void)
{
    const struct market *m = market_new();
    by_type(m, 'A', "feed_add");
    by_type(m, 'D', "feed_delete");
    by_type(m, 'E', "feed_executed");
    by_type(m, 'X', "feed_cancel");
    by_type(m, 'U', "feed_replace");
    by_type(m, 0, "feed_mix");
    in_tens(m);
    other_line(m);
}
