/* TCP for orders: RFC 9293 with 7323 (window scale, timestamps, PAWS), 2018 and 6675 (SACK), 6298 (RTO), 5681, 6582 and
 * 3042 (congestion control, NewReno, limited transmit), 6528 (initial sequence numbers), 5961 (blind attacks), 1191.
 *
 *      gn_tcp_connect --+                       +-- gn_tcp_send    whole message, now or not at all, one segment
 *      gn_tcp_listen    +--> conn (an index) ---+-- gn_tcp_prepare, gn_tcp_commit   the same, encoded in the frame
 *      gn_tcp_accept  --+                       +-- gn_tcp_write   bytes of a stream, queued
 *                                               +-- gn_tcp_readable, gn_tcp_consume
 *                                               +-- gn_tcp_events, gn_tcp_status
 *                                               +-- gn_tcp_close, gn_tcp_abort, then gn_tcp_release
 *
 * One table per port and lcore, used by that lcore alone. It lives in memory of the caller and holds offsets, never
 * pointers. Segments come in through gn_net_input; timers, delayed ACKs, window updates and queued bytes leave from
 * gn_tcp_timer, which the loop calls once a turn.
 *
 * A connection belongs to the caller from connect or accept until gn_tcp_release; the index is not reused before. After
 * an abort its status stays readable, with the exact range of the stream that is in doubt.
 *
 * Stream offsets are 64-bit and count payload bytes: the first byte each way is 0.
 *
 * Kill -9 and join. A process may die between any two instructions; the next one calls gn_tcp_join on the same memory.
 *   - Sending: bytes go to the send buffer, then the segment's descriptor, then one store of seg_tail makes the segment
 *     exist; only after that the frame is committed to the txq. A segment that exists is retransmitted until
 * acknowledged, so a frame lost with the process is sent again, and one that does not exist was never on the wire. The
 * caller's own record of a message should say the stream offset it will have (gn_tcp_send_offset) before it sends;
 * after a join the message was sent if and only if that offset is below gn_tcp_send_offset.
 *   - Receiving: bytes go to the receive buffer, then one store of rcv_nxt; only then an ACK can leave. Consuming is
 * one store: what was read and not consumed is read again after a join.
 *   - ACKs: one store of snd_una; descriptors below it are removed by join if the process died in between.
 *   - A slot is laid out completely before its state is stored, and its state is cleared first when it is freed. Hash,
 *     free list and event queue are derived, and join builds them anew.
 *   - join forgets what may be torn and may be forgotten: out-of-order data (RFC 2018 lets a receiver), SACK marks and
 * the congestion window (back to the initial one), round-trip samples under way (Karn). Then it sends an ACK on every
 *     connection and sends again what is not acknowledged, so that the peer sees a pause and no more.
 *   - After a join the caller walks all indices with gn_tcp_status: a connection that its own records do not know was
 * made by a call that never returned, and is to be released.
 */
#ifndef GN_NET_TCP_H
#define GN_NET_TCP_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/frame.h"
#include "dataplane/net/net.h"

#define GN_TCP_CONNS_MAX  65536u
#define GN_TCP_BUF_MIN    4096u /* send or receive buffer, bytes, power of two */
#define GN_TCP_BUF_MAX    (1u << 24)
#define GN_TCP_LISTEN_MAX 16u
#define GN_TCP_CONTIGUOUS 4096u /* gn_tcp_readable gives at least this many bytes in one piece when they are there */
#define GN_TCP_NONE       0xffffffffu

struct gn_tcp;

/* Results of TCP calls. X(number, NAME, "text"). */
#define GN_TCP_ERRS(X)                                                                      \
    X(0, OK, "ok")                                                                          \
    X(-1, NO_WINDOW, "the peer's window has no room for the message")                       \
    X(-2, NO_CWND, "the congestion window has no room for the message")                     \
    X(-3, BUSY, "send buffer or segment list full, or queued bytes are before the message") \
    X(-4, NO_ARP, "the next hop's MAC is not known; a request was sent")                    \
    X(-5, NOT_CONNECTED, "the connection cannot send in its state")                         \
    X(-6, TXQ_FULL, "no empty frame in the txq")                                            \
    X(-7, TOO_LONG, "message longer than a segment can carry, or empty")                    \
    X(-8, FULL, "no free connection, listener or local port")                               \
    X(-9, ARG, "argument or configuration outside its limits")                              \
    X(-10, MAGIC, "no TCP table at this address, or of another layout")                     \
    X(-11, CORRUPT, "a field of the table or of a connection is impossible")                \
    X(-12, NONE, "nothing there")                                                           \
    X(-13, IN_USE, "address and port pair, or listening port, in use")

enum gn_tcp_err {
#define GN_X(num, NAME, text) GN_TCP_ERR_##NAME = num,
    GN_TCP_ERRS(GN_X)
#undef GN_X
        GN_TCP_OK = 0
};

/* Connection states of RFC 9293 section 3.3.2, and FREE for a slot nobody owns. X(NAME, "name"). */
#define GN_TCP_STATES(X)          \
    X(FREE, "free")               \
    X(CLOSED, "closed")           \
    X(SYN_SENT, "syn_sent")       \
    X(SYN_RCVD, "syn_rcvd")       \
    X(ESTABLISHED, "established") \
    X(FIN_WAIT_1, "fin_wait_1")   \
    X(FIN_WAIT_2, "fin_wait_2")   \
    X(CLOSE_WAIT, "close_wait")   \
    X(CLOSING, "closing")         \
    X(LAST_ACK, "last_ack")       \
    X(TIME_WAIT, "time_wait")

enum gn_tcp_state {
#define GN_X(NAME, name) GN_TCP_##NAME,
    GN_TCP_STATES(GN_X)
#undef GN_X
        GN_TCP_STATE_COUNT
};

/* Why a connection ended. X(NAME, "name", "help"). */
#define GN_TCP_REASONS(X)                                                                \
    X(NONE, "none", "it has not ended")                                                  \
    X(CLOSED, "closed", "orderly close, both directions delivered")                      \
    X(RESET, "reset", "the peer sent a valid RST")                                       \
    X(REFUSED, "refused", "the peer answered our SYN with RST")                          \
    X(TIMEOUT, "timeout", "retransmissions or window probes went unanswered")            \
    X(KEEPALIVE, "keepalive", "keepalive probes went unanswered")                        \
    X(ABORTED, "aborted", "our side called gn_tcp_abort or released an open connection") \
    X(DATA_AFTER_CLOSE, "data_after_close", "data came that nobody was left to read")    \
    X(CORRUPT, "corrupt", "gn_tcp_join found impossible fields")

enum gn_tcp_reason {
#define GN_X(NAME, name, help) GN_TCP_REASON_##NAME,
    GN_TCP_REASONS(GN_X)
#undef GN_X
        GN_TCP_REASON_COUNT
};

/* Pending events of a connection; latched until gn_tcp_events takes them. READABLE is set when bytes arrive. */
enum gn_tcp_event {
    GN_TCP_EV_CONNECTED = 1,
    GN_TCP_EV_READABLE = 2,
    GN_TCP_EV_WRITABLE = 4,    /* after NO_WINDOW, NO_CWND, BUSY: an ACK made room */
    GN_TCP_EV_PEER_CLOSED = 8, /* FIN received: no more bytes after those readable */
    GN_TCP_EV_ABORTED = 16,    /* status tells reason and range in doubt */
    GN_TCP_EV_CLOSED = 32,     /* orderly end: TIME-WAIT or closed */
    GN_TCP_EV_SOFT_ERROR = 64, /* ICMP said unreachable; the connection lives */
};

/* Configuration of a table; units are in the names. X(type, member, min, max, default, "help"). */
#define GN_TCP_CONF(X)                                                                                               \
    X(uint32_t, rto_initial_us, 1000, 60000000, 1000000, "first retransmission timeout (RFC 6298: 1 s)")             \
    X(uint32_t, rto_min_us, 1000, 60000000, 200000, "lower bound; RFC 6298 says 1 s, a lower one is a deviation")    \
    X(uint32_t, rto_max_us, 1000, 240000000, 60000000, "upper bound of timeout and probe interval")                  \
    X(uint32_t, delack_us, 0, 500000, 40000, "longest delay of an ACK; 0 = ACK at once")                             \
    X(uint32_t, ack_every, 1, 2, 2, "ACK at the latest on every n-th segment")                                       \
    X(uint32_t, syn_retries, 1, 20, 7, "SYN or SYN-ACK retransmissions before giving up")                            \
    X(uint32_t, data_retries, 1, 30, 15, "retransmissions without progress before giving up")                        \
    X(uint32_t, keepalive_idle_ms, 0, 86400000, 0, "silence before the first keepalive; 0 = off (RFC 9293 default)") \
    X(uint32_t, keepalive_interval_ms, 10, 3600000, 75000, "between keepalives")                                     \
    X(uint32_t, keepalive_probes, 1, 100, 9, "unanswered keepalives before giving up")                               \
    X(uint32_t, time_wait_ms, 1, 600000, 60000, "TIME-WAIT: twice the maximum segment lifetime")                     \
    X(uint32_t, fin_wait_2_ms, 100, 86400000, 60000, "FIN-WAIT-2 after release: how long the peer may take")         \
    X(uint32_t, challenge_acks_per_s, 1, 10000, 10, "per connection (RFC 5961 section 7)")                           \
    X(uint32_t, resets_per_s, 0, 1000000, 100, "RST for segments of no connection, per table")                       \
    X(uint32_t, backlog, 1, 65536, 128, "half-open and unaccepted connections per listener")                         \
    X(uint32_t, initial_window_segs, 1, 10, 10, "RFC 6928")                                                          \
    X(uint32_t, mss_max, 64, 1460, 1460, "largest segment, either way, before options")                              \
    X(uint32_t, use_timestamps, 0, 1, 1, "offer and take RFC 7323 timestamps")                                       \
    X(uint32_t, use_sack, 0, 1, 1, "offer and take RFC 2018 SACK")                                                   \
    X(uint32_t, use_wscale, 0, 1, 1, "offer and take RFC 7323 window scaling")                                       \
    X(uint32_t, port_min, 1024, 65535, 32768, "first local port of gn_tcp_connect")                                  \
    X(uint32_t, port_max, 1024, 65535, 60999, "last local port of gn_tcp_connect")

struct gn_tcp_conf {
#define GN_X(type, member, min, max, def, help) type member;
    GN_TCP_CONF(GN_X)
#undef GN_X
    uint8_t secret[16]; /* key of the initial sequence numbers (RFC 6528): random, from the caller */
};

/* What a connection is doing; offsets are stream offsets. */
struct gn_tcp_status {
    uint8_t state;  /* enum gn_tcp_state */
    uint8_t reason; /* enum gn_tcp_reason */
    uint8_t sack, timestamps;
    uint32_t local_ip, remote_ip;
    uint16_t local_port, remote_port;
    uint64_t acked;                /* bytes the peer has acknowledged: first unacknowledged offset */
    uint64_t sent;                 /* one past the last byte ever put on the wire */
    uint64_t queued;               /* one past the last byte taken by gn_tcp_write; >= sent */
    uint64_t received;             /* one past the last byte in order */
    uint64_t consumed;             /* bytes consumed */
    uint64_t doubt_from, doubt_to; /* after an abort: [from, to) was sent and not acknowledged; empty when equal */
    uint32_t mss;                  /* payload bytes a segment carries */
    uint32_t cwnd, ssthresh, peer_window; /* bytes */
    uint32_t srtt_us, rto_us;
    uint32_t in_flight, out_of_order; /* segments in flight; bytes held out of order */
    uint64_t retransmits, timeouts, fast_recoveries, dup_acks, segs_in, segs_out, soft_errors, challenge_acks;
};

const char *gn_tcp_strerror(int err);
const char *gn_tcp_state_name(uint32_t state);
const char *gn_tcp_reason_name(uint32_t reason);

/* gn_tcp_conf_default: the defaults of GN_TCP_CONF; secret is zero and must be set. */
void gn_tcp_conf_default(struct gn_tcp_conf *conf);

/* gn_tcp_conf_check: GN_TCP_OK, or GN_TCP_ERR_ARG with *field naming the first member outside its limits. */
int gn_tcp_conf_check(const struct gn_tcp_conf *conf, const char **field) GN_MUST_CHECK;

/* gn_tcp_footprint: bytes of a table for max_conns connections (1 to GN_TCP_CONNS_MAX) with buffers of sndbuf_bytes and
 * rcvbuf_bytes each (powers of two, GN_TCP_BUF_MIN to GN_TCP_BUF_MAX); 0 when out of range. It is at most
 * GN_TCP_TABLE_BYTES and gn_tcp_conn_bytes a connection. */
#define GN_TCP_TABLE_BYTES (20u << 10) /* of the table itself, most of it hints where a port's connection is */
#define GN_TCP_CONN_BYTES  1344u       /* of a connection beside its buffers: state, hash, timer, event queue */
#define GN_TCP_SEG_BYTES   32u
static inline uint64_t gn_tcp_conn_bytes(uint32_t sndbuf_bytes, uint32_t rcvbuf_bytes)
{
    uint64_t segs = sndbuf_bytes / 64; /* segments in flight that are remembered: 64 to 4,096 */
    segs = segs < 64 ? 64 : segs > 4096 ? 4096 : segs;
    return (uint64_t)sndbuf_bytes + rcvbuf_bytes + GN_TCP_CONTIGUOUS + segs * GN_TCP_SEG_BYTES + GN_TCP_CONN_BYTES;
}
uint64_t gn_tcp_footprint(uint32_t max_conns, uint32_t sndbuf_bytes, uint32_t rcvbuf_bytes);

/* gn_tcp_new: lays an empty table at mem (64-byte aligned, of gn_tcp_footprint bytes). On success *tcp is mem. */
int gn_tcp_new(void *mem, uint32_t max_conns, uint32_t sndbuf_bytes, uint32_t rcvbuf_bytes,
               const struct gn_tcp_conf *conf, uint64_t now_ns, struct gn_tcp **tcp) GN_MUST_CHECK;

/* gn_tcp_join: the table that a process which is gone left in mem (max_bytes of it), repaired as the head of this file
 * says; listeners and conf are kept. A connection whose fields are impossible is aborted with reason CORRUPT.
 * GN_TCP_ERR_MAGIC, GN_TCP_ERR_CORRUPT when the table itself cannot be used. The next gn_tcp_timer sends the ACKs. */
int gn_tcp_join(void *mem, uint64_t max_bytes, uint64_t now_ns, struct gn_tcp **tcp) GN_MUST_CHECK;

/* gn_tcp_connect: opens a connection to ip:port and sends the SYN when it can (else gn_tcp_timer does); local_port 0
 * takes a free one. On success *conn is its index; GN_TCP_EV_CONNECTED or GN_TCP_EV_ABORTED follows. */
int gn_tcp_connect(struct gn_tcp *tcp, struct gn_net *net, uint32_t ip, uint16_t port, uint16_t local_port,
                   uint64_t now_ns, struct gn_txq *txq, uint32_t *conn) GN_MUST_CHECK;

/* gn_tcp_listen, gn_tcp_unlisten: takes SYNs for the port; connections are had from gn_tcp_accept. Those
 * accepted live on after unlisten; the others are ended. */
int gn_tcp_listen(struct gn_tcp *tcp, uint16_t port) GN_MUST_CHECK;
int gn_tcp_unlisten(struct gn_tcp *tcp, uint16_t port);

/* gn_tcp_accept: the next established connection of the port that nobody owns yet, or GN_TCP_ERR_NONE. */
int gn_tcp_accept(struct gn_tcp *tcp, uint16_t port, uint32_t *conn) GN_MUST_CHECK;

/* gn_tcp_send: one message, one segment, now. Nothing is kept when the result is negative. len 1 to the connection's
 * MSS. The bytes are copied to the send buffer for retransmission and to the frame. */
int gn_tcp_send(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, const void *data, uint32_t len, uint64_t now_ns,
                struct gn_txq *txq) GN_MUST_CHECK;

/* gn_tcp_prepare: where to encode a message of up to len bytes: *payload is in the next frame of txq. All reasons of
 * gn_tcp_send not to go are checked here, for len. Write, then gn_tcp_commit; or do nothing, and nothing happened.
 * Between the two no other call may touch the connection or the txq. */
int gn_tcp_prepare(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns,
                   struct gn_txq *txq, uint8_t **payload) GN_MUST_CHECK;

/* gn_tcp_commit: the prepared message has len bytes (1 to what was prepared): headers are finished, the segment exists
 * and its frame is committed. Cannot fail after gn_tcp_prepare succeeded. */
void gn_tcp_commit(struct gn_tcp *tcp, uint32_t conn, uint32_t len, uint64_t now_ns, struct gn_txq *txq);

/* gn_tcp_warm: runs prepare and the header work of commit for len bytes and throws the frame away, so that code and
 * lines are in the cache when the order comes, and the template is ready for that length. GN_TCP_OK, or why it was not
 * done, GN_TCP_ERR_BUSY among it when an order of that length would have to be looked at. */
int gn_tcp_warm(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint32_t len, uint64_t now_ns,
                struct gn_txq *txq);

/* gn_tcp_write: bytes of a stream: as many of len as the send buffer takes are queued, and sent as the windows allow,
 * in segments of any size up to the MSS. Returns the number taken (0 when full), or a negative error. Not for orders.
 */
int gn_tcp_write(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, const void *data, uint32_t len, uint64_t now_ns,
                 struct gn_txq *txq) GN_MUST_CHECK;

/* gn_tcp_send_offset: stream offset that the next byte given to send or write will have. */
uint64_t gn_tcp_send_offset(const struct gn_tcp *tcp, uint32_t conn);

/* gn_tcp_readable: bytes in order and not consumed: *data points at them, the length is returned: all of them, or where
 * the buffer's end comes between at least GN_TCP_CONTIGUOUS of them. Valid until the next call on the connection. */
uint32_t gn_tcp_readable(struct gn_tcp *tcp, uint32_t conn, const uint8_t **data);

/* gn_tcp_quiet: no event of the connection is pending and nothing is readable: what a caller asks once a turn. */
bool gn_tcp_quiet(const struct gn_tcp *tcp, uint32_t conn);

/* gn_tcp_consume: the first n readable bytes are done with; a window update goes out from gn_tcp_timer when it matters.
 */
void gn_tcp_consume(struct gn_tcp *tcp, uint32_t conn, uint32_t n);

/* gn_tcp_events: takes the pending GN_TCP_EV_* of a connection. */
uint32_t gn_tcp_events(struct gn_tcp *tcp, uint32_t conn);

/* gn_tcp_next_event: a connection that is owned or acceptable and has events pending, or GN_TCP_NONE; each is named
 * once until an event is added to it after gn_tcp_events. */
uint32_t gn_tcp_next_event(struct gn_tcp *tcp);

/* gn_tcp_status: fills *st; for an index that is not in use the state is GN_TCP_FREE and all else 0. */
void gn_tcp_status(const struct gn_tcp *tcp, uint32_t conn, struct gn_tcp_status *st);

/* gn_tcp_state: state alone, enum gn_tcp_state. */
uint32_t gn_tcp_state(const struct gn_tcp *tcp, uint32_t conn);

/* gn_tcp_close: no more will be sent; FIN follows what is queued. Reading goes on until GN_TCP_EV_PEER_CLOSED. */
int gn_tcp_close(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq);

/* gn_tcp_abort: RST to the peer, state CLOSED, reason ABORTED; status has the range in doubt. */
int gn_tcp_abort(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq);

/* gn_tcp_release: the caller is done with the index. An open connection is aborted; one that is closing finishes alone,
 * and its slot is free afterwards. */
void gn_tcp_release(struct gn_tcp *tcp, struct gn_net *net, uint32_t conn, uint64_t now_ns, struct gn_txq *txq);

/* gn_tcp_timer: retransmissions, probes, delayed ACKs, window updates, keepalives, TIME-WAIT, queued bytes. Returns the
 * time of the next call worth making, in the caller's clock, or GN_NET_NEVER. One compare when nothing is due. */
uint64_t gn_tcp_timer(struct gn_tcp *tcp, struct gn_net *net, uint64_t now_ns, struct gn_txq *txq);

/* gn_tcp_max_conns: connections of the table; indices are below it. */
uint32_t gn_tcp_max_conns(const struct gn_tcp *tcp);

/* gn_tcp_check: verifies every invariant of table and connections, for tests and fuzzing; GN_TCP_OK or
 * GN_TCP_ERR_CORRUPT with *what naming the one that is broken. */
int gn_tcp_check(const struct gn_tcp *tcp, const char **what) GN_MUST_CHECK;

#endif
