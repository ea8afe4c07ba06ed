/* gannet-segments: what a segment costs lwIP and what it costs us, counted by callgrind: the same messages, the same
 * peer (an endpoint of ours that is not counted), frames in memory. bench/harness/pingpong.py reads it.
 *
 *      <stack>_send       64 bytes written, to the complete frame
 *      <stack>_ack_in     its acknowledgement
 *      <stack>_answer_in  64 bytes of the peer that acknowledge, to the application, which consumes them
 *
 * What hands frames over is not counted; checksums are in software on both sides.
 */
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "bench/instructions/count.h"
#include "bench/instructions/host.h"

#define BYTES  64u
#define WARM   200u
#define ROUNDS 2000u

static struct host us, peer;
static uint32_t cu, cp;
static const uint8_t message[BYTES] = {1, 2, 3};

static struct {
    struct netif netif;
    struct tcp_pcb *pcb;
    uint64_t received;
    uint32_t len; /* of the last frame sent */
    uint8_t frame[GN_FRAME_MAX];
    bool counting, connected;
} lw;

/* ---- lwIP on a wire of memory ---- */

static err_t link_output(struct netif *netif, struct pbuf *p)
{
    (void)netif;
    if (lw.counting)
        count_off();
    lw.len = pbuf_copy_partial(p, lw.frame, sizeof lw.frame, 0);
    if (lw.counting)
        count_on();
    return ERR_OK;
}

static err_t netif_begin(struct netif *netif)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    netif->output = etharp_output;
    netif->linkoutput = link_output;
    netif->mtu = 1500;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, mac, sizeof mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *b, err_t err)
{
    (void)arg, (void)err;
    if (b == NULL)
        host_die("lwIP's connection ended");
    lw.received += b->tot_len;
    tcp_recved(pcb, b->tot_len);
    pbuf_free(b);
    return ERR_OK;
}

static err_t established(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg, (void)err;
    tcp_nagle_disable(pcb);
    tcp_recv(pcb, received);
    lw.connected = true;
    return ERR_OK;
}

/* Frames of the peer to lwIP. */
static void to_lwip(bool counted)
{
    for (uint32_t i = 0; i < peer.txq.n; i++) {
        struct pbuf *b = pbuf_alloc(PBUF_RAW, peer.txq.len[i], PBUF_POOL);
        if (b == NULL || pbuf_take(b, peer.txq.buf[i], peer.txq.len[i]) != ERR_OK)
            host_die("no pbuf");
        lw.counting = counted;
        if (counted)
            count_on();
        const err_t err = lw.netif.input(b, &lw.netif);
        if (counted)
            count_off();
        lw.counting = false;
        if (err != ERR_OK)
            host_die("lwIP did not take a frame");
    }
    peer.txq.n = 0;
}

static void from_lwip(void)
{
    struct gn_net_rx rx;
    if (lw.len != 0 && host_input(&peer, lw.frame, lw.len, 0, &rx) == GN_NET_RX_DROP)
        host_die("a frame of lwIP was dropped");
    lw.len = 0;
}

static void lwip_begin(void)
{
    const ip4_addr_t own = {lwip_htonl(0x0a000009)}, mask = {lwip_htonl(0xffffff00)}, none = {0};
    lwip_init();
    if (netif_add(&lw.netif, &own, &mask, &none, NULL, netif_begin, ethernet_input) == NULL)
        host_die("netif_add");
    netif_set_default(&lw.netif);
    netif_set_up(&lw.netif);
}

/* To a peer that acknowledges every ack_every segments at once. */
static void lwip_connect(uint32_t ack_every)
{
    host_new(&peer, 2, 8, ack_every);
    const ip4_addr_t to4 = {lwip_htonl(peer.ip)};
    ip_addr_t to;
    ip_addr_copy_from_ip4(to, to4);
    cp = GN_TCP_NONE;
    lw.connected = false;
    lw.pcb = tcp_new();
    if (gn_tcp_listen(peer.tcp, HOST_PORT) != GN_TCP_OK || lw.pcb == NULL ||
        tcp_connect(lw.pcb, &to, HOST_PORT, established) != ERR_OK)
        host_die("tcp_connect");
    for (uint32_t i = 0; i < 20 && (!lw.connected || gn_tcp_accept(peer.tcp, HOST_PORT, &cp) != GN_TCP_OK); i++) {
        host_now += 300000000; /* so that whoever waits for ARP repeats what it has to */
        from_lwip();
        (void)gn_tcp_timer(peer.tcp, peer.net, host_now, &peer.txq);
        to_lwip(false);
    }
    if (!lw.connected || cp == GN_TCP_NONE)
        host_die("lwIP does not connect");
}

static void lwip_send(bool counted)
{
    lw.counting = counted;
    if (counted)
        count_on();
    const bool ok = tcp_write(lw.pcb, message, BYTES, TCP_WRITE_FLAG_COPY) == ERR_OK && tcp_output(lw.pcb) == ERR_OK;
    if (counted)
        count_off();
    lw.counting = false;
    if (!ok || lw.len == 0)
        host_die("lwIP did not send");
}

/* ---- ours ---- */

static void our_send(bool counted)
{
    if (counted)
        count_on();
    const int rc = gn_tcp_send(us.tcp, us.net, cu, message, BYTES, host_now, &us.txq);
    if (counted)
        count_off();
    if (rc != GN_TCP_OK || us.txq.n != 1)
        host_die("an order did not leave");
}

static void to_us(bool counted)
{
    struct gn_net_rx rx;
    const uint8_t *data;
    for (uint32_t i = 0; i < peer.txq.n; i++) {
        if (counted)
            count_on();
        const int kind = gn_net_input(us.net, us.tcp, peer.txq.buf[i], peer.txq.len[i], 0, host_now, &us.txq, &rx);
        const uint32_t n = gn_tcp_readable(us.tcp, cu, &data);
        if (n != 0)
            gn_tcp_consume(us.tcp, cu, n);
        if (counted)
            count_off();
        if (kind == GN_NET_RX_DROP)
            host_die("a frame of the peer was dropped");
    }
    peer.txq.n = 0;
    us.txq.n = 0; /* an ACK of ours */
}

/* What every turn does for it: timers, and the template of the next order. */
static void our_turn(bool counted)
{
    if (counted)
        count_on();
    (void)gn_tcp_timer(us.tcp, us.net, host_now, &us.txq);
    if (counted)
        count_off();
    us.txq.n = 0;
}

/* ---- rounds ---- */

enum what { SEND, TURN, ACK_IN, ANSWER_IN };

static void round_of(bool ours, enum what what, bool counted)
{
    host_now += 20000;
    if (ours)
        our_turn(counted && what == TURN);
    ours ? our_send(counted && what == SEND) : lwip_send(counted && what == SEND);
    if (ours)
        (void)host_pass(&us, &peer);
    else
        from_lwip();
    host_drain(&peer, cp);
    host_now += 20000;
    if (what == ANSWER_IN) {
        if (gn_tcp_send(peer.tcp, peer.net, cp, message, BYTES, host_now, &peer.txq) != GN_TCP_OK)
            host_die("no answer");
    } else {
        (void)gn_tcp_timer(peer.tcp, peer.net, host_now, &peer.txq);
    }
    if (peer.txq.n != 1)
        host_die("the peer sent another number of frames");
    ours ? to_us(counted && what != SEND && what != TURN) : to_lwip(counted && what != SEND);
    lw.len = 0; /* an ACK of lwIP, sent at once or not */
}

static void stage(bool ours, enum what what, const char *name)
{
    for (uint32_t i = 0; i < WARM + ROUNDS; i++)
        round_of(ours, what, i >= WARM);
    count_done(name, ROUNDS);
}

int main(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        count_on();
        count_off();
    }
    count_done("empty", ROUNDS);
    for (uint32_t ack_every = 1; ack_every <= 2; ack_every++) {
        host_new(&us, 1, 8, 2);
        host_new(&peer, 2, 8, ack_every);
        host_meet(&us, &peer);
        host_connect(&us, &peer, &cu, &cp);
        if (ack_every == 1) {
            stage(true, SEND, "ours_send");
            stage(true, TURN, "ours_turn");
            stage(true, ACK_IN, "ours_ack_in");
        } else {
            stage(true, ANSWER_IN, "ours_answer_in");
        }
    }
    lwip_begin();
    lwip_connect(1);
    stage(false, SEND, "lwip_send");
    stage(false, ACK_IN, "lwip_ack_in");
    tcp_abort(lw.pcb);
    lw.len = 0;
    lwip_connect(2);
    stage(false, ANSWER_IN, "lwip_answer_in");
    return 0;
}
