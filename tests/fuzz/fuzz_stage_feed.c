/* Datagrams from anyone into the feed stage: the books, the published rows and best prices stay in step with each
 * other, and time goes on. Input: repeated (control, length, bytes); with a control bit the bytes are messages and get
 * a sound MoldUDP64 header, so that the fuzzer reaches the books. */
#include "tests/unit/lcore/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct gn_h *h)
{
    for (uint32_t i = 0; i < h->conf.max_instruments; i++) {
        const struct gn_book *k = gn_book_at(h->feed.books, i);
        const struct gn_tob *t = &h->tob[i];
        struct gn_book_top top;
        gn_book_top(h->feed.books, i, &top);
        if (h->book_rows[i].digest != k->digest || h->book_rows[i].live_orders != k->live_orders)
            __builtin_trap();
        if (t->bid != top.bid || t->bid_qty != top.bid_qty || t->ask != top.ask || t->ask_qty != top.ask_qty)
            __builtin_trap();
        if ((top.bid == 0) != (top.bid_qty == 0) || (top.ask == 0) != (top.ask_qty == 0) || atomic_load(&t->lock) % 2)
            __builtin_trap();
        bool crossed = top.bid != 0 && top.ask != 0 && top.bid >= top.ask;
        if (crossed != ((t->flags & GN_MD_CROSSED) != 0))
            __builtin_trap();
    }
    if (h->feed.books->changing % 2 || (atomic_load(&h->instruments->stale) != 0) != gn_arb_stale(h->arb))
        __builtin_trap();
}

static void datagram(struct gn_h *h, uint8_t control, const uint8_t *bytes, size_t len)
{
    uint8_t packet[GN_MOLD_HEADER + 2 + 256] = {0};
    struct gn_net_rx rx = {.kind = GN_NET_RX_UDP, .payload = packet};
    if (control & 1) { /* one message, in order or a few ahead */
        gn_mold_control(packet, GN_H_SESSION, ((struct gn_arb *)h->arb)->next + (control >> 6), GN_MOLD_HEARTBEAT);
        gn_store_be16(packet + 18, 1);
        gn_store_be16(packet + 20, (uint16_t)len);
        memcpy(packet + 22, bytes, len);
        rx.len = (uint32_t)(22 + len);
    } else {
        memcpy(packet, bytes, len);
        rx.len = (uint32_t)len;
    }
    rx.dst_ip = control & 2 ? GN_H_GROUP_A : GN_H_GROUP_B;
    rx.dst_port = control & 2 ? GN_H_UDP_A : GN_H_UDP_B;
    if (control & 4) {
        rx.src_ip = GN_H_VENUE_IP;
        rx.src_port = GN_H_UDP_SERVER;
        rx.dst_ip = GN_H_MY_IP;
        rx.dst_port = GN_H_UDP_MINE;
    }
    gn_stage_feed_udp(&h->feed, 0, &rx, h->now);
    h->now += control & 8 ? 3 * GN_H_MS : 1000;
    gn_stage_feed_poll(&h->feed, h->now);
    h->end.txq.n = 0;
    gn_ring_publish(h->events);
    gn_ring_release(h->events, h->events->pending, h->events->next_seq - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gn_h_options options = {.book_orders = 64, .book_levels = 64, .instruments = 6};
    struct gn_h *h = gn_h_new(&options);
    while (size >= 2) {
        size_t len = data[1] < size - 2 ? data[1] : size - 2;
        datagram(h, data[0], data + 2, len);
        check(h);
        data += 2 + len;
        size -= 2 + len;
    }
    gn_h_free(h);
    return 0;
}
