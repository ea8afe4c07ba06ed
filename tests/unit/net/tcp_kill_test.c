/* Kill -9 at any instant: a child process makes one call on shared memory and is stopped after every single
 * instruction. Each state of the memory that comes up is joined as by a restarted process, and must lead to the end of
 * both streams without a byte lost, doubled or changed, and without a reset.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/net/pair.h"

#define TOTAL     5000u
#define STEPS_MAX 400000u

static uint8_t frame[GN_FRAME_ROOM]; /* input of the call under test */
static uint32_t frame_len;
static bool a_closed, b_closed; /* who writes no more than it has */
static uint64_t got_a;          /* what a's application has consumed before the call */
static uint64_t states, steps;

static uint8_t byte_at(uint32_t who, uint64_t off)
{
    return (uint8_t)((off * 131 + who * 77) >> 2);
}

static void put(struct host *h, uint32_t c, uint32_t who, uint32_t len, bool message)
{
    uint8_t data[2000];
    uint64_t off = gn_tcp_send_offset(h->tcp, c);
    for (uint32_t i = 0; i < len; i++)
        data[i] = byte_at(who, off + i);
    /* A refusal is no failure here: the loop of finish() comes round again. */
    int err = message ? gn_tcp_send(h->tcp, h->net, c, data, len, now, &h->txq)
                      : gn_tcp_write(h->tcp, h->net, c, data, len, now, &h->txq);
    (void)err;
}

static uint64_t get(struct host *h, uint32_t c, uint32_t who, uint64_t got, bool *wrong)
{
    const uint8_t *data;
    for (uint32_t n; (n = gn_tcp_readable(h->tcp, c, &data)) != 0; got += n) {
        for (uint32_t i = 0; i < n; i++)
            *wrong |= data[i] != byte_at(who, got + i);
        gn_tcp_consume(h->tcp, c, n);
    }
    return got;
}

/* Both applications go on until both streams have ended; what went wrong, or NULL. */
static const char *finish(void)
{
    bool wrong = false;
    uint64_t a_got = ca == GN_TCP_NONE ? 0 : pair_status(&a, ca).consumed;
    uint64_t b_got = cb == GN_TCP_NONE ? 0 : pair_status(&b, cb).consumed;
    if (ca != GN_TCP_NONE && a_got < got_a)
        return "the read cursor went back";
    for (uint32_t i = 0; i < 2000; i++) {
        if (ca == GN_TCP_NONE && gn_tcp_accept(a.tcp, PAIR_PORT, &ca) != GN_TCP_OK)
            ca = GN_TCP_NONE;
        if (cb == GN_TCP_NONE && gn_tcp_accept(b.tcp, PAIR_PORT, &cb) != GN_TCP_OK)
            cb = GN_TCP_NONE;
        if (ca != GN_TCP_NONE && cb != GN_TCP_NONE) {
            uint64_t a_off = gn_tcp_send_offset(a.tcp, ca);
            uint64_t b_off = gn_tcp_send_offset(b.tcp, cb);
            uint64_t a_end = a_closed && gn_tcp_state(a.tcp, ca) != GN_TCP_ESTABLISHED ? a_off : TOTAL;
            uint64_t b_end = b_closed ? b_off : TOTAL;
            if (a_off < a_end)
                put(&a, ca, 0, a_end - a_off > 900 ? 900 : (uint32_t)(a_end - a_off), false);
            if (b_off < b_end)
                put(&b, cb, 1, b_end - b_off > 900 ? 900 : (uint32_t)(b_end - b_off), false);
            a_got = get(&a, ca, 1, a_got, &wrong);
            b_got = get(&b, cb, 0, b_got, &wrong);
            if (wrong)
                return "a byte differs";
            if (pair_status(&a, ca).reason > GN_TCP_REASON_CLOSED || pair_status(&b, cb).reason > GN_TCP_REASON_CLOSED)
                return "the connection was lost";
            if (a_got == b_end && b_got == a_end)
                return NULL;
        }
        now += 25 * HOST_MS;
        (void)gn_net_timer(a.net, now, &a.txq);
        pair_timers();
        (void)pair_deliver(&a, &b);
        (void)pair_deliver(&b, &a);
    }
    return "the streams did not end";
}

/* A restarted process joins a copy of the memory as it is now; the peer goes on from a copy of its own. */
static const char *recover(void)
{
    struct host a0 = a;
    struct host b0 = b;
    uint32_t ca0 = ca;
    uint32_t cb0 = cb;
    uint64_t now0 = now;
    const char *what = NULL;
    a.net = aligned_alloc(GN_GUARD, gn_net_footprint());
    a.tcp = aligned_alloc(GN_GUARD, a.tcp_bytes);
    b.net = aligned_alloc(GN_GUARD, gn_net_footprint());
    b.tcp = aligned_alloc(GN_GUARD, b.tcp_bytes);
    memcpy(a.net, a0.net, sizeof *a.net);
    memcpy(a.tcp, a0.tcp, a.tcp_bytes);
    memcpy(b.net, b0.net, sizeof *b.net);
    memcpy(b.tcp, b0.tcp, b.tcp_bytes);
    pair_lose(&a);
    pair_lose(&b);
    now += HOST_MS;
    if (gn_net_join(a.net, gn_net_footprint(), now, &a.net) != GN_NET_OK ||
        gn_tcp_join(a.tcp, a.tcp_bytes, now, &a.tcp) != GN_TCP_OK)
        what = "join refused";
    else if (gn_tcp_check(a.tcp, &what) == GN_TCP_OK)
        what = finish();
    free(a.net);
    free(a.tcp);
    free(b.net);
    free(b.tcp);
    a = a0;
    b = b0;
    ca = ca0;
    cb = cb0;
    now = now0;
    return what;
}

static void *share(const void *from, uint64_t bytes, uint64_t *room)
{
    *room = gn_align_up(bytes, 4096);
    void *to = mmap(NULL, *room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (to != MAP_FAILED)
        memcpy(to, from, bytes);
    return to;
}

/* Steps through the child; every state of the memory that differs from the last is recovered from. */
static void watch(pid_t child)
{
    uint8_t *last = malloc(a.tcp_bytes + sizeof *a.net);
    int status;
    memset(last, 0, a.tcp_bytes + sizeof *a.net);
    (void)waitpid(child, &status, 0); /* before the call */
    uint32_t n = 0;
    for (; n < STEPS_MAX; n++) {
        if (memcmp(last, a.tcp, a.tcp_bytes) != 0 || memcmp(last + a.tcp_bytes, a.net, sizeof *a.net) != 0) {
            memcpy(last, a.tcp, a.tcp_bytes);
            memcpy(last + a.tcp_bytes, a.net, sizeof *a.net);
            const char *what = recover();
            states++;
            if (what != NULL) {
                printf("  killed after instruction %u: %s\n", n, what);
                CU_FAIL("recovery");
                break;
            }
        }
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
            !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            break; /* the call has returned: the child stops itself */
    }
    steps += n;
    CU_ASSERT(n > 20 && n < STEPS_MAX);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    free(last);
}

static void kill_during(void (*call)(void))
{
    uint64_t net_room;
    uint64_t tcp_room;
    struct host mine = a;
    a.net = share(mine.net, sizeof *mine.net, &net_room);
    a.tcp = share(mine.tcp, mine.tcp_bytes, &tcp_room);
    CU_ASSERT_FATAL((void *)a.net != MAP_FAILED && (void *)a.tcp != MAP_FAILED);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
            (void)raise(SIGSTOP);
            call();
            (void)raise(SIGSTOP);
        }
        _exit(0);
    }
    CU_ASSERT_FATAL(child > 0);
    watch(child);
    (void)munmap(a.net, net_room);
    (void)munmap(a.tcp, tcp_room);
    a = mine;
    host_stop(&a);
    host_stop(&b);
}

/* ---- the calls ---- */

static void call_input(void)
{
    struct gn_net_rx rx;
    (void)gn_net_input(a.net, a.tcp, frame, frame_len, 0, now, &a.txq, &rx);
}

static void call_send(void)
{
    put(&a, ca, 0, 300, true);
}

static void call_write(void)
{
    put(&a, ca, 0, 1999, false);
}

static void call_timer(void)
{
    (void)gn_tcp_timer(a.tcp, a.net, now, &a.txq);
}

static void call_close(void)
{
    (void)gn_tcp_close(a.tcp, a.net, ca, now, &a.txq);
}

static void call_consume(void)
{
    gn_tcp_consume(a.tcp, ca, 250);
}

/* ---- the situations ---- */

static void open_pair(void)
{
    pair_conf();
    a_closed = b_closed = false;
    got_a = 0;
    pair_open(4096, 4096);
    put(&a, ca, 0, 100, true);
    put(&b, cb, 1, 100, true);
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
}

static void take(struct host *from, uint32_t i)
{
    frame_len = from->txq.len[i];
    memcpy(frame, from->txq.buf[i], frame_len);
    pair_lose(from);
}

static void killed_in_send(void)
{
    open_pair();
    kill_during(call_send);
}

static void killed_in_write(void)
{
    open_pair();
    kill_during(call_write);
}

static void killed_in_retransmission(void)
{
    open_pair();
    put(&a, ca, 0, 500, true);
    put(&a, ca, 0, 500, true);
    pair_lose(&a);
    now += HOST_S;
    kill_during(call_timer);
}

static void killed_in_ack_input(void)
{
    open_pair();
    put(&a, ca, 0, 500, true);
    put(&a, ca, 0, 500, true);
    (void)pair_deliver(&a, &b);
    take(&b, 0);
    kill_during(call_input);
}

static void killed_in_sack_input(void)
{
    open_pair();
    for (uint32_t i = 0; i < 5; i++) {
        put(&a, ca, 0, 200, true);
        if (i == 0)
            pair_lose(&a);
        else
            (void)pair_deliver(&a, &b);
    }
    take(&b, b.txq.n - 1);
    kill_during(call_input);
}

static void killed_in_data_input(void)
{
    open_pair();
    put(&b, cb, 1, 700, true);
    take(&b, 0);
    kill_during(call_input);
}

static void killed_in_out_of_order_input(void)
{
    open_pair();
    put(&b, cb, 1, 300, true);
    put(&b, cb, 1, 400, true);
    take(&b, 1);
    kill_during(call_input);
}

static void killed_while_a_hole_is_filled(void)
{
    struct gn_net_rx rx;
    open_pair();
    for (uint32_t i = 0; i < 4; i++)
        put(&b, cb, 1, 300, true);
    (void)host_input(&a, b.txq.buf[1], b.txq.len[1], now, &rx);
    (void)host_input(&a, b.txq.buf[3], b.txq.len[3], now, &rx);
    take(&b, 0);
    pair_lose(&a);
    kill_during(call_input);
}

static void killed_in_consume(void)
{
    bool wrong = false;
    open_pair();
    got_a = get(&a, ca, 1, 0, &wrong);
    for (uint32_t i = 0; i < 4; i++)
        put(&b, cb, 1, 1000, true);
    (void)pair_run(100 * HOST_MS, 10 * HOST_MS);
    kill_during(call_consume);
}

static void killed_in_close(void)
{
    open_pair();
    a_closed = true;
    kill_during(call_close);
}

static void killed_in_fin_input(void)
{
    open_pair();
    b_closed = true;
    put(&b, cb, 1, 50, true);
    CU_ASSERT_EQUAL(gn_tcp_close(b.tcp, b.net, cb, now, &b.txq), GN_TCP_OK);
    (void)pair_deliver(&b, &a);
    now += HOST_S;
    pair_conn(&b, cb)->rto_at = now; /* the FIN again, or for the first time */
    pair_lose(&a);
    (void)gn_tcp_timer(b.tcp, b.net, now, &b.txq);
    take(&b, b.txq.n - 1);
    kill_during(call_input);
}

static void killed_in_last_fin_input(void)
{
    open_pair();
    a_closed = b_closed = true;
    CU_ASSERT_EQUAL(gn_tcp_close(a.tcp, a.net, ca, now, &a.txq), GN_TCP_OK);
    (void)pair_deliver(&a, &b);
    CU_ASSERT_EQUAL(gn_tcp_close(b.tcp, b.net, cb, now, &b.txq), GN_TCP_OK);
    take(&b, b.txq.n - 1);
    kill_during(call_input);
}

static void half_open(bool listening)
{
    struct host *server = listening ? &a : &b;
    pair_conf();
    a_closed = b_closed = false;
    got_a = 0;
    CU_ASSERT_FATAL(host_start(&a, 4, 4096, 4096, now));
    CU_ASSERT_FATAL(host_start(&b, 4, 4096, 4096, now));
    CU_ASSERT_FATAL(host_meet(&a, &b));
    CU_ASSERT_FATAL(gn_tcp_listen(server->tcp, PAIR_PORT) == GN_TCP_OK);
}

static void killed_in_syn_ack_input(void)
{
    half_open(false);
    CU_ASSERT_EQUAL(gn_tcp_connect(a.tcp, a.net, b.net_conf.ip, PAIR_PORT, 0, now, &a.txq, &ca), GN_TCP_OK);
    (void)pair_deliver(&a, &b);
    take(&b, 0);
    kill_during(call_input);
}

static void killed_in_syn_input(void)
{
    half_open(true);
    CU_ASSERT_EQUAL(gn_tcp_connect(b.tcp, b.net, a.net_conf.ip, PAIR_PORT, 0, now, &b.txq, &cb), GN_TCP_OK);
    take(&b, 0);
    kill_during(call_input);
}

static void killed_in_handshake_ack_input(void)
{
    half_open(true);
    CU_ASSERT_EQUAL(gn_tcp_connect(b.tcp, b.net, a.net_conf.ip, PAIR_PORT, 0, now, &b.txq, &cb), GN_TCP_OK);
    (void)pair_deliver(&b, &a);
    (void)pair_deliver(&a, &b);
    take(&b, 0);
    kill_during(call_input);
}

static void enough_was_seen(void)
{
    printf("%llu instructions, %llu states recovered ", (unsigned long long)steps, (unsigned long long)states);
    CU_ASSERT(steps > 5000);
    CU_ASSERT(states > 300);
}

GN_TEST_MAIN("tcp_kill", {"killed in send", killed_in_send}, {"killed in write", killed_in_write},
             {"killed in a retransmission", killed_in_retransmission}, {"killed in ACK input", killed_in_ack_input},
             {"killed in SACK input", killed_in_sack_input}, {"killed in data input", killed_in_data_input},
             {"killed in out-of-order input", killed_in_out_of_order_input},
             {"killed while a hole is filled", killed_while_a_hole_is_filled}, {"killed in consume", killed_in_consume},
             {"killed in close", killed_in_close}, {"killed in FIN input", killed_in_fin_input},
             {"killed in last FIN input", killed_in_last_fin_input},
             {"killed in SYN-ACK input", killed_in_syn_ack_input}, {"killed in SYN input", killed_in_syn_input},
             {"killed in handshake ACK input", killed_in_handshake_ack_input}, {"enough was seen", enough_was_seen})
