/* From packet to state machine: the input is a program of calls, forged frames and passing time on two endpoints, and
 * after every step all invariants of both tables must hold.
 */
#include <stdio.h>

#include "dataplane/net/tcp_conn.h"
#include "tests/unit/net/host.h"

#define PORT      7001
#define STEPS_MAX 400u

struct input {
    const uint8_t *p;
    size_t left;
};

static struct host hosts[2];
static uint32_t conns[2];
static uint64_t now;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t next(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->p++;
}

static uint32_t next32(struct input *in)
{
    uint32_t v = 0;
    for (uint32_t i = 0; i < 4; i++)
        v = v << 8 | next(in);
    return v;
}

/* Small values around 0 are what the edges of windows are made of. */
static uint32_t near_zero(struct input *in)
{
    uint8_t kind = next(in);
    if (kind < 128)
        return (uint32_t)(int32_t)(int8_t)next(in);
    return kind < 200 ? (uint32_t)(int32_t)(int16_t)(next(in) << 8 | next(in)) : next32(in);
}

static void must(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void invariants(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        const char *what;
        if (gn_tcp_check(hosts[i].tcp, &what) == GN_TCP_OK)
            continue;
        (void)fprintf(stderr, "invariant of host %u: %s\n", i, what);
        must(false);
    }
    must(hosts[0].txq.n <= hosts[0].txq.stocked && hosts[1].txq.n <= hosts[1].txq.stocked);
}

static void deliver(uint32_t from, uint32_t count, uint32_t lose)
{
    struct gn_net_rx rx;
    struct host *h = &hosts[from];
    for (uint32_t i = 0; i < h->txq.n && i < count; i++)
        if ((lose >> (i & 7) & 1) == 0)
            (void)host_input(&hosts[1 - from], h->txq.buf[i], h->txq.len[i], now, &rx);
    host_stock(h, GN_TXQ_MAX);
}

/* Raw bytes behind a good Ethernet header. */
static void raw_frame(struct input *in)
{
    struct gn_net_rx rx;
    uint8_t f[256] = {0};
    uint32_t to = next(in) & 1;
    uint32_t len = GN_ETH_LEN + next(in) % 200;
    memcpy(f, hosts[to].net_conf.mac, 6);
    gn_store_be16(f + 12, (next(in) & 1) != 0 ? GN_ETH_TYPE_ARP : GN_ETH_TYPE_IPV4);
    for (uint32_t i = GN_ETH_LEN; i < len; i++)
        f[i] = next(in);
    (void)gn_net_input(hosts[to].net, hosts[to].tcp, f, len, next(in) & 7u, now, &hosts[to].txq, &rx);
}

/* A segment whose numbers are near those of the connection, with options and payload of the fuzzer's choice. */
static void forged_segment(struct input *in)
{
    struct gn_net_rx rx;
    uint8_t f[GN_FRAME_ROOM] = {0};
    uint32_t to = next(in) & 1;
    const struct host *h = &hosts[to];
    const struct gn_tcp_conn *c = conns[to] == GN_TCP_NONE ? NULL : gn_tcp_conn_at(h->tcp, conns[to]);
    uint32_t options = (next(in) % 11u) * 4;
    uint32_t len = next(in) * 4u;
    uint8_t *ip = f + GN_ETH_LEN;
    uint8_t *tcp = ip + GN_IP_LEN;
    memcpy(f, h->net_conf.mac, 6);
    gn_store_be16(f + 12, GN_ETH_TYPE_IPV4);
    ip[0] = 0x45;
    gn_store_be16(ip + 2, (uint16_t)(GN_IP_LEN + GN_TCP_LEN + options + len));
    ip[8] = 64;
    ip[9] = GN_IP_PROTO_TCP;
    gn_store_be32(ip + 12, hosts[1 - to].net_conf.ip);
    gn_store_be32(ip + 16, h->net_conf.ip);
    gn_store_be16(tcp, to == 1 ? 40000 : PORT);
    gn_store_be16(tcp + 2, to == 1 ? PORT : 40000);
    gn_store_be32(tcp + 4, near_zero(in) + (c == NULL ? 0 : c->irs + (uint32_t)c->rcv_nxt));
    gn_store_be32(tcp + 8, near_zero(in) + (c == NULL ? 0 : c->iss + (uint32_t)c->snd_una));
    tcp[12] = (uint8_t)((GN_TCP_LEN + options) << 2);
    tcp[13] = next(in);
    gn_store_be16(tcp + 14, (uint16_t)(next(in) << 8 | next(in)));
    if (options >= 12 && (next(in) & 1) != 0) { /* a timestamp that PAWS lets pass */
        gn_store_be32(tcp + 20, 0x0101080au);
        gn_store_be32(tcp + 24, near_zero(in) + (c == NULL ? 0 : c->ts_recent));
        gn_store_be32(tcp + 28, near_zero(in) + (c == NULL ? 0 : gn_tcp_ts_now(c, now)));
        if (options >= 24) {
            gn_store_be32(tcp + 32, 0x0101050au);
            gn_store_be32(tcp + 36, near_zero(in) + (c == NULL ? 0 : c->iss + (uint32_t)c->snd_una));
            gn_store_be32(tcp + 40, near_zero(in) + (c == NULL ? 0 : c->iss + (uint32_t)c->snd_nxt));
        }
    } else {
        for (uint32_t i = 0; i < options; i++)
            tcp[GN_TCP_LEN + i] = next(in);
    }
    (void)gn_net_input(h->net, h->tcp, f, GN_ETH_LEN + GN_IP_LEN + GN_TCP_LEN + options + len,
                       GN_NET_IN_IP_CSUM_OK | GN_NET_IN_L4_CSUM_OK, now, &hosts[to].txq, &rx);
}

static void application(struct input *in)
{
    static const uint8_t zeros[2048];
    uint32_t who = next(in) & 1;
    struct host *h = &hosts[who];
    uint32_t c = conns[who];
    uint32_t len = next(in) * 8u;
    const uint8_t *data;
    int result = 0;
    if (c == GN_TCP_NONE) {
        result = gn_tcp_accept(h->tcp, PORT, &conns[who]);
        must(result <= 0);
        return;
    }
    switch (next(in) % 6) {
    case 0:
        result = gn_tcp_send(h->tcp, h->net, c, zeros, len, now, &h->txq);
        break;
    case 1:
        result = gn_tcp_write(h->tcp, h->net, c, zeros, len, now, &h->txq);
        must(result <= (int)len);
        return;
    case 2:
        gn_tcp_consume(h->tcp, c, len);
        break;
    case 3:
        must(gn_tcp_readable(h->tcp, c, &data) <= 8192 + GN_TCP_CONTIGUOUS);
        break;
    case 4:
        (void)gn_tcp_events(h->tcp, c);
        break;
    default:
        if (len > 1900)
            (void)gn_tcp_abort(h->tcp, h->net, c, now, &h->txq);
        else if (len > 1600)
            (void)gn_tcp_close(h->tcp, h->net, c, now, &h->txq);
    }
    must(result <= 0);
}

static void step(struct input *in)
{
    uint8_t op = next(in) % 16;
    if (op < 4)
        forged_segment(in);
    else if (op < 5)
        raw_frame(in);
    else if (op < 9)
        application(in);
    else if (op < 11)
        deliver(op & 1, 64, next(in));
    else if (op < 12)
        host_stock(&hosts[next(in) & 1], next(in) % 5u);
    else if (op < 15)
        now += op == 12 ? 1000ull : op == 13 ? next(in) * HOST_MS : next(in) * HOST_S;
    else
        must(host_restart(&hosts[next(in) & 1], now));
    for (uint32_t i = 0; i < 2; i++) {
        (void)gn_net_timer(hosts[i].net, now, &hosts[i].txq);
        (void)gn_tcp_timer(hosts[i].tcp, hosts[i].net, now, &hosts[i].txq);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    now = 1000 * HOST_S;
    for (uint32_t i = 0; i < 2; i++) {
        host_conf(&hosts[i], (uint8_t)(i + 1));
        conns[i] = GN_TCP_NONE;
        uint8_t options = next(&in);
        hosts[i].tcp_conf.use_timestamps = options & 1;
        hosts[i].tcp_conf.use_sack = options >> 1 & 1;
        hosts[i].tcp_conf.keepalive_idle_ms = (options & 4) != 0 ? 1000 : 0;
        must(host_start(&hosts[i], 3, 4096, 8192, now));
    }
    must(host_meet(&hosts[0], &hosts[1]));
    must(gn_tcp_listen(hosts[1].tcp, PORT) == GN_TCP_OK);
    must(gn_tcp_connect(hosts[0].tcp, hosts[0].net, hosts[1].net_conf.ip, PORT, 40000, now, &hosts[0].txq, &conns[0]) ==
         GN_TCP_OK);
    if ((next(&in) & 3) != 0) { /* mostly from an established connection on */
        deliver(0, 64, 0);
        deliver(1, 64, 0);
        deliver(0, 64, 0);
        int err = gn_tcp_accept(hosts[1].tcp, PORT, &conns[1]);
        must(err == GN_TCP_OK);
    }
    for (uint32_t i = 0; in.left != 0 && i < STEPS_MAX; i++) {
        step(&in);
        invariants();
    }
    host_stop(&hosts[0]);
    host_stop(&hosts[1]);
    return 0;
}
