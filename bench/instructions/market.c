#include "bench/instructions/market.h"

#include "drivers/venue/nasdaq/moldudp64.h"

const struct market *market_new(void)
{
    struct market *m = host_memory(sizeof *m);
    struct gn_gen_config config = {.seed = 1, .instruments = MARKET_INSTRUMENTS, .live_target = 600};
    struct gn_gen *g = gn_gen_new(&config);
    uint64_t time_ns;
    if (g == NULL)
        host_die("no generator");
    while (m->n < MARKET_MESSAGES && (m->len[m->n] = (uint8_t)gn_gen_next(g, m->msg[m->n], &time_ns)) != 0)
        m->n++;
    gn_gen_free(g);
    if (m->n != MARKET_MESSAGES)
        host_die("the generator ended early");
    return m;
}

uint32_t market_frame(const struct market *m, struct host *h, uint32_t group, uint32_t first, uint32_t count,
                      const uint8_t **frame)
{
    uint8_t datagram[GN_UDP_PAYLOAD_MAX];
    struct gn_mold_builder b;
    if (gn_mold_begin(&b, datagram, sizeof datagram, MARKET_SESSION, first + 1ull) != GN_MOLD_OK)
        host_die("no datagram");
    for (uint32_t i = first; i < first + count; i++)
        if (gn_mold_append(&b, m->msg[i], m->len[i]) != GN_MOLD_OK)
            host_die("the datagram is full");
    uint32_t len = gn_mold_finish(&b);
    h->txq.n = 0;
    if (gn_udp_send(h->net, group, 30000, 30001, datagram, len, host_now, &h->txq) != GN_NET_OK)
        host_die("no datagram");
    *frame = h->txq.buf[0];
    h->txq.n = 0;
    return h->txq.len[0];
}
