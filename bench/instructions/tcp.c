/* The network endpoint alone: one order out, its ACK in, an answer in, a multicast datagram in. */
#include "bench/instructions/count.h"
#include "bench/instructions/host.h"
#include "bench/instructions/stages.h"

#define ORDER_BYTES 64u
#define WARM        200u
#define ROUNDS      2000u

enum what {
    SEND,
    SEND_AT_ONCE, /* in the turn that the ACK came in: the template is not ready */
    MAKE_READY,
    PREPARE_COMMIT,
    ACK_IN,
    DATA_IN,
};

static struct host a, b; /* ours, the venue's */
static uint32_t ca, cb;
static const uint8_t message[ORDER_BYTES] = {1, 2, 3, 4, 5};

static void send_order(enum what what, bool counted)
{
    uint8_t *payload;
    int rc;
    if (what == PREPARE_COMMIT) {
        if (counted)
            count_on();
        rc = gn_tcp_prepare(a.tcp, a.net, ca, ORDER_BYTES, host_now, &a.txq, &payload);
        if (rc == GN_TCP_OK)
            gn_tcp_commit(a.tcp, ca, ORDER_BYTES, host_now, &a.txq);
        if (counted)
            count_off();
    } else if ((what == SEND || what == SEND_AT_ONCE) && counted) {
        count_on();
        rc = gn_tcp_send(a.tcp, a.net, ca, message, ORDER_BYTES, host_now, &a.txq);
        count_off();
    } else {
        rc = gn_tcp_send(a.tcp, a.net, ca, message, ORDER_BYTES, host_now, &a.txq);
    }
    if (rc != GN_TCP_OK || a.txq.n != 1)
        host_die("an order did not leave");
}

/* The venue's frame to us: a bare ACK, or an answer that carries one. */
static void receive(uint32_t flags, bool counted)
{
    struct gn_net_rx rx;
    if (b.txq.n != 1)
        host_die("the venue sent another number of frames");
    if (counted)
        count_on();
    int kind = gn_net_input(a.net, a.tcp, b.txq.buf[0], b.txq.len[0], flags, host_now, &a.txq, &rx);
    if (counted)
        count_off();
    if (kind == GN_NET_RX_DROP)
        host_die("the venue's frame was dropped");
    b.txq.n = 0;
    a.txq.n = 0; /* an ACK of ours, delayed */
}

/* What every turn of the loop does, between frames and orders. */
static void turn(enum what what, bool counted)
{
    if (what == SEND_AT_ONCE)
        return;
    if (what == MAKE_READY && counted)
        count_on();
    (void)gn_tcp_timer(a.tcp, a.net, host_now, &a.txq);
    if (what == MAKE_READY && counted)
        count_off();
    a.txq.n = 0;
}

static void rounds(enum what what, uint32_t flags, const char *name)
{
    for (uint32_t i = 0; i < WARM + ROUNDS; i++) {
        bool counted = i >= WARM;
        host_now += 20000;
        turn(what, counted);
        send_order(what, counted);
        (void)host_pass(&a, &b);
        host_drain(&b, cb);
        host_now += 20000;
        if (what == DATA_IN && gn_tcp_send(b.tcp, b.net, cb, message, ORDER_BYTES, host_now, &b.txq) != GN_TCP_OK)
            host_die("no answer");
        receive(flags, counted && (what == ACK_IN || what == DATA_IN));
        host_drain(&a, ca);
    }
    count_done(name, ROUNDS);
}

/* Connections in turn, one order and its ACK each, at the same pace whatever their number; all that a segment costs is
 * counted: prepare, commit, the turn's timer, the ACK. */
#define MANY     1000u
#define PACE_NS  2000u
#define MANY_IN  4u /* rounds over all connections */
#define BUF_MANY 4096u

static void in_turn(uint32_t conns, const char *name)
{
    static uint32_t ours[MANY], theirs[MANY];
    host_new_sized(&a, 1, MANY, 1, BUF_MANY);
    host_new_sized(&b, 2, MANY, 1, BUF_MANY);
    host_meet(&a, &b);
    for (uint32_t i = 0; i < conns; i++)
        host_connect(&a, &b, &ours[i], &theirs[i]);
    for (uint32_t i = 0; i < MANY_IN * MANY; i++) {
        bool counted = i >= MANY;
        ca = ours[i % conns];
        cb = theirs[i % conns];
        host_now += PACE_NS;
        turn(MAKE_READY, counted);
        send_order(PREPARE_COMMIT, counted);
        (void)host_pass(&a, &b);
        host_drain(&b, cb);
        receive(HOST_CSUM_OK, counted);
        (void)gn_tcp_timer(b.tcp, b.net, host_now, &b.txq);
        b.txq.n = 0;
        host_drain(&a, ca);
    }
    count_done(name, (MANY_IN - 1) * MANY);
}

/* An order after a heartbeat, whose length the template is ready for; `warm`: the stage has walked the order's way. */
static void after_heartbeat(bool warm, const char *name)
{
    for (uint32_t i = 0; i < WARM + ROUNDS; i++) {
        host_now += 20000;
        if (gn_tcp_send(a.tcp, a.net, ca, message, 3, host_now, &a.txq) != GN_TCP_OK)
            host_die("a heartbeat did not leave");
        (void)host_pass(&a, &b);
        host_drain(&b, cb);
        receive(HOST_CSUM_OK, false);
        turn(SEND, false);
        if (warm && gn_tcp_warm(a.tcp, a.net, ca, ORDER_BYTES, host_now, &a.txq) != GN_TCP_OK)
            host_die("the way of an order cannot be walked");
        send_order(PREPARE_COMMIT, i >= WARM);
        (void)host_pass(&a, &b);
        host_drain(&b, cb);
        receive(HOST_CSUM_OK, false);
    }
    count_done(name, ROUNDS);
}

static void setup(uint32_t ack_every)
{
    host_new(&a, 1, 8, 2);
    host_new(&b, 2, 8, ack_every);
    host_meet(&a, &b);
    host_connect(&a, &b, &ca, &cb);
}

void stages_tcp(void)
{
    setup(1);
    rounds(SEND, HOST_CSUM_OK, "tcp_send");
    rounds(SEND_AT_ONCE, HOST_CSUM_OK, "tcp_send_at_once");
    rounds(MAKE_READY, HOST_CSUM_OK, "tcp_make_ready");
    rounds(PREPARE_COMMIT, HOST_CSUM_OK, "tcp_prepare_commit");
    after_heartbeat(false, "tcp_after_heartbeat");
    after_heartbeat(true, "tcp_after_heartbeat_warm");
    rounds(ACK_IN, HOST_CSUM_OK, "tcp_ack_in");
    rounds(ACK_IN, 0, "tcp_ack_in_soft_csum");
    setup(2);
    rounds(DATA_IN, HOST_CSUM_OK, "tcp_answer_in");
    in_turn(1, "tcp_segment");
    in_turn(MANY, "tcp_segment_of_1000");
}

static void datagrams(uint32_t flags, const char *name)
{
    struct gn_net_rx rx;
    for (uint32_t i = 0; i < WARM + ROUNDS; i++) {
        if (gn_udp_send(b.net, HOST_GROUP_A, 30000, 30001, message, ORDER_BYTES, host_now, &b.txq) != GN_NET_OK)
            host_die("no datagram");
        if (i >= WARM)
            count_on();
        int kind = gn_net_input(a.net, a.tcp, b.txq.buf[0], b.txq.len[0], flags, host_now, &a.txq, &rx);
        if (i >= WARM)
            count_off();
        if (kind != GN_NET_RX_UDP)
            host_die("the datagram was not taken");
        b.txq.n = 0;
    }
    count_done(name, ROUNDS);
}

void stages_udp(void)
{
    setup(1);
    if (gn_net_join_group(a.net, HOST_GROUP_A, 0) != GN_NET_OK)
        host_die("no group");
    datagrams(HOST_CSUM_OK, "udp_in");
    datagrams(0, "udp_in_soft_csum");
}

void stages_empty(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        count_on();
        count_off();
    }
    count_done("empty", ROUNDS);
}
