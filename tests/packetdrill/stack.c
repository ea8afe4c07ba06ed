#include "tests/packetdrill/stack.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/net/wire.h"

#define STEPS_MAX 1000000u

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 2};

static bool address(const char *text, uint32_t *ip)
{
    struct in_addr in;
    if (inet_pton(AF_INET, text, &in) != 1)
        return false;
    *ip = ntohl(in.s_addr);
    return true;
}

static bool set(struct stack *s, const char *key, const char *value)
{
    uint32_t v = (uint32_t)strtoul(value, NULL, 0);
    if (strcmp(key, "ip") == 0)
        return address(value, &s->net_conf.ip);
    if (strcmp(key, "gateway") == 0)
        return address(value, &s->net_conf.gateway);
    if (strcmp(key, "sndbuf") == 0)
        return (s->sndbuf = v) != 0;
    if (strcmp(key, "rcvbuf") == 0)
        return (s->rcvbuf = v) != 0;
#define GN_X(type, member, min, max, def, help) \
    if (strcmp(key, #member) == 0) {            \
        s->tcp_conf.member = v;                 \
        return true;                            \
    }
    GN_TCP_CONF(GN_X)
#undef GN_X
    return false;
}

static bool configure(struct stack *s, const char *flags)
{
    char text[512];
    char *rest = text;
    gn_net_conf_default(&s->net_conf);
    memcpy(s->net_conf.mac, our_mac, sizeof our_mac);
    s->net_conf.ip = 0xc0a80001u;
    s->net_conf.gateway = 0xc0a80002u;
    s->net_conf.prefix_bits = 16;
    gn_tcp_conf_default(&s->tcp_conf);
    memcpy(s->tcp_conf.secret, "a secret of tests", sizeof s->tcp_conf.secret);
    s->sndbuf = 65536;
    s->rcvbuf = 65536;
    (void)snprintf(text, sizeof text, "%s", flags == NULL ? "" : flags);
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        char *value = strchr(item, '=');
        if (*item == '\0')
            continue;
        if (value == NULL)
            return false;
        *value++ = '\0';
        if (!set(s, item, value))
            return false;
    }
    return true;
}

void stack_free(struct stack *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        free(s->txq.buf[i]);
    free(s->net);
    free(s->tcp);
    free(s);
}

struct stack *stack_new(const char *flags)
{
    struct stack *s = calloc(1, sizeof *s);
    if (s == NULL || !configure(s, flags)) {
        stack_free(s);
        return NULL;
    }
    s->now_ns = 1700000000ull * STACK_S;
    for (uint32_t i = 0; i < GN_TXQ_MAX; i++)
        s->txq.buf[i] = malloc(GN_FRAME_ROOM);
    s->txq.stocked = GN_TXQ_MAX;
    s->net = aligned_alloc(GN_GUARD, gn_align_up(gn_net_footprint(), GN_GUARD));
    uint64_t bytes = gn_tcp_footprint(STACK_CONNS, s->sndbuf, s->rcvbuf);
    void *mem = bytes == 0 ? NULL : aligned_alloc(GN_GUARD, gn_align_up(bytes, GN_GUARD));
    if (s->net == NULL || mem == NULL || gn_net_new(s->net, &s->net_conf, s->now_ns) != GN_NET_OK ||
        gn_tcp_new(mem, STACK_CONNS, s->sndbuf, s->rcvbuf, &s->tcp_conf, s->now_ns, &s->tcp) != GN_TCP_OK ||
        gn_net_add_static(s->net, s->net_conf.gateway, gateway_mac) != GN_NET_OK) {
        if (s->tcp == NULL)
            free(mem);
        stack_free(s);
        return NULL;
    }
    stack_wait(s, 5 * STACK_S); /* the announcements are over */
    return s;
}

void stack_flush(struct stack *s)
{
    for (uint32_t i = 0; i < s->txq.n; i++) {
        const uint8_t *f = s->txq.buf[i];
        if (gn_load_be16(f + 12) != GN_ETH_TYPE_IPV4 || s->tail - s->head == STACK_OUT)
            continue;
        struct stack_packet *p = &s->out[s->tail++ % STACK_OUT];
        p->at_ns = s->now_ns;
        p->len = s->txq.len[i] - GN_ETH_LEN;
        memcpy(p->bytes, f + GN_ETH_LEN, p->len);
    }
    s->txq.n = 0;
    s->txq.stocked = GN_TXQ_MAX;
}

static uint64_t timers(struct stack *s)
{
    uint64_t n = gn_net_timer(s->net, s->now_ns, &s->txq);
    uint64_t t = gn_tcp_timer(s->tcp, s->net, s->now_ns, &s->txq);
    stack_flush(s);
    return n < t ? n : t;
}

/* To the next deadline, but not beyond end. False when end is reached. */
static bool advance(struct stack *s, uint64_t end)
{
    uint64_t next = timers(s);
    if (next <= s->now_ns)
        next = s->now_ns + 1000;
    s->now_ns = next < end ? next : end;
    (void)timers(s);
    return s->now_ns < end;
}

void stack_wait(struct stack *s, uint64_t ns)
{
    uint64_t end = s->now_ns + ns;
    for (uint32_t i = 0; i < STEPS_MAX && advance(s, end); i++)
        continue;
    s->now_ns = end;
}

bool stack_give(struct stack *s, const void *packet, size_t len)
{
    uint8_t frame[GN_FRAME_ROOM];
    struct gn_net_rx rx;
    if (len + GN_ETH_LEN > sizeof frame)
        return false;
    memcpy(frame, our_mac, 6);
    memcpy(frame + 6, gateway_mac, 6);
    gn_store_be16(frame + 12, GN_ETH_TYPE_IPV4);
    memcpy(frame + GN_ETH_LEN, packet, len);
    (void)gn_net_input(s->net, s->tcp, frame, (uint32_t)(len + GN_ETH_LEN), 0, s->now_ns, &s->txq, &rx);
    stack_flush(s);
    return true;
}

const struct stack_packet *stack_take(struct stack *s, uint64_t ns)
{
    uint64_t end = s->now_ns + ns;
    for (uint32_t i = 0; s->head == s->tail && i < STEPS_MAX && advance(s, end); i++)
        continue;
    return s->head == s->tail ? NULL : &s->out[s->head++ % STACK_OUT];
}
