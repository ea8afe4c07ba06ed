/* A desk's strategy in its smallest form: waits for a two-sided market, buys at the offer, sells at the bid.
 *
 *      cc example.c $(pkg-config --cflags --libs gannet) && ./a.out /run/gannet/demo desk1 GN0003
 */
#include <gannet.h>
#include <stdio.h>
#include <time.h>

static struct gannet *g;
static struct gannet_instrument instrument;
static time_t deadline;
static uint32_t id;
static uint64_t tag;

/* Sends one immediate-or-cancel order and waits until it works no more; says how many were traded, or -1. */
static int64_t trade(uint8_t side, int64_t limit)
{
    static const char *const sides[] = {"buy", "sell"};
    struct gannet_order order = {.instrument = id, .side = side, .tif = GANNET_IOC, .price = limit};
    struct gannet_report r;
    char price[GANNET_PRICE_LEN];
    order.qty = instrument.lot;
    order.tag = ++tag; /* tells this order's reports from those that an earlier run left unread */
    int rc = gannet_send_new(g, &order);
    for (; rc >= 0 && time(NULL) < deadline; gannet_beat(g)) {
        rc = gannet_next_report(g, &r);
        if (rc != 1 || r.tag != order.tag)
            continue;
        printf("%-4s %s: %s %lld at %s, position %lld\n", sides[r.side], instrument.symbol, gannet_report_name(r.kind),
               (long long)r.qty, gannet_format_price(r.price, instrument.price_exp, price, sizeof price),
               (long long)r.position);
        if (r.kind == GANNET_GATE_REJECTED) {
            printf("the risk gate refused: %s\n", gannet_verdict_help(r.reason));
            nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL); /* what it waits for takes a moment */
        }
        if (!r.working)
            return r.cum;
    }
    fprintf(stderr, "no answer: %s\n", gannet_strerror(rc < 0 ? rc : 0));
    return -1;
}

int main(int argc, char **argv)
{
    char err[GANNET_ERROR_LEN];
    struct gannet_top top;
    int64_t bought = 0, sold = 0;
    if (argc != 4 || gannet_open(argv[1], argv[2], &g, err, sizeof err) < 0)
        return fprintf(stderr, "%s\n", argc == 4 ? err : "usage: gannet-example RUN_DIR CLIENT SYMBOL"), 1;
    if (gannet_find(g, argv[3], &id) < 0 || gannet_get_instrument(g, id, &instrument) < 0 || gannet_watch(g, id) < 0)
        return fprintf(stderr, "%s is not known here\n", argv[3]), 1;
    if (!instrument.tradable)
        return fprintf(stderr, "%s is not given to this client\n", argv[3]), 1;

    tag = (uint64_t)time(NULL) << 32;
    for (deadline = time(NULL) + 10; bought >= 0 && sold == 0 && time(NULL) < deadline;) {
        if (gannet_next_change(g, &top) != 1 || top.flags != 0 || top.bid == 0 || top.ask == 0)
            continue;    /* nothing new, or nothing to trade on */
        if (bought == 0) /* the offer may be gone before the order arrives: then 0, and the next one is tried */
            bought = trade(GANNET_BUY, top.ask);
        else
            sold = trade(GANNET_SELL, top.bid);
    }
    printf("bought %lld, sold %lld\n", (long long)bought, (long long)sold);
    gannet_close(g);
    return bought > 0 && bought == sold ? 0 : 1;
}
