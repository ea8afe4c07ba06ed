/* The data of TCP: table, connection, segment descriptor. Only the files of dataplane/net include this.
 *
 * Sequence numbers are kept as 64-bit offsets from the initial one: our SYN is 0, our first byte 1, our FIN snd_end. On
 * the wire goes iss + (uint32_t)offset; what comes is placed by its signed distance to rcv_nxt or snd_una. Byte `off`
 * lies in its ring buffer at off & (size - 1).
 *
 *      snd_una          snd_nxt          snd_end            consumed         rcv_nxt      rcv_adv
 *         | in flight:      | queued by      |                  | readable       | free      | consumed + rcvbuf
 *         | segment ring    | gn_tcp_write   |                  |                | (or out   |
 *                                                                               of order)
 */
#ifndef GN_NET_TCP_CONN_H
#define GN_NET_TCP_CONN_H

#include "dataplane/net/net_internal.h"
#include "dataplane/net/tcp.h"

#define GN_TCP_MAGIC        0x676e746370303031ull /* "gntcp001" */
#define GN_TCP_OOO_MAX      32u                   /* out-of-order ranges remembered */
#define GN_TCP_HDR_MAX      80u                   /* template: Ethernet with VLAN, IPv4, TCP with timestamps: 70 */
#define GN_TCP_DUP_ACKS     3u
#define GN_TCP_RECENT       2048u /* power of two: 1,000 sessions with one venue have a place each */
#define GN_TCP_DUE_GROUP    32u   /* connections whose earliest deadline is kept beside the deadlines */
#define GN_TCP_MSS_FLOOR    48u   /* what a peer may ask for at least: headers need not outweigh data */
#define GN_TCP_MSS_RFC      536u  /* RFC 9293 MUST-15 */
#define GN_TCP_PAWS_IDLE_NS (24ull * 86400ull * GN_NS_PER_S) /* RFC 7323 section 5.5 */

enum gn_tcp_seg_kind {
    GN_TCP_SEG_DATA = 0,
    GN_TCP_SEG_SYN = 1,
    GN_TCP_SEG_FIN = 2,
};

enum gn_tcp_seg_mark {
    GN_TCP_SEG_SACKED = 1,
    GN_TCP_SEG_LOST = 2,   /* taken for lost: to be sent again */
    GN_TCP_SEG_RESENT = 4, /* and has been, since it was marked lost */
    GN_TCP_SEG_KARN = 8,   /* sent more than once: gives no round-trip sample */
};

/* One segment in flight, as it was sent first; what snd_una has passed of it is not sent again. */
struct gn_tcp_seg {
    uint64_t seq, end; /* [seq, end), written before seg_tail makes the descriptor exist */
    uint64_t sent_ns;
    uint8_t kind;  /* enum gn_tcp_seg_kind */
    uint8_t marks; /* GN_TCP_SEG_* */
    uint8_t pad[6];
};
static_assert(sizeof(struct gn_tcp_seg) == GN_TCP_SEG_BYTES, "the header's promise");

enum gn_tcp_blocked {
    GN_TCP_BLOCKED_NOT = 0,
    GN_TCP_BLOCKED_TXQ = 1,
    GN_TCP_BLOCKED_ARP = 2,
};

enum gn_tcp_owner {
    GN_TCP_OWNER_NONE = 0,     /* released: the slot is freed when the connection has ended */
    GN_TCP_OWNER_LISTENER = 1, /* waits for gn_tcp_accept */
    GN_TCP_OWNER_CALLER = 2,
};

enum gn_tcp_recovery {
    GN_TCP_RECOVERY_NONE = 0,
    GN_TCP_RECOVERY_FAST = 1, /* fast recovery until snd_una passes recover */
    GN_TCP_RECOVERY_LOSS = 2, /* after a timeout or a join */
};

struct gn_tcp_range {
    uint64_t from, to;
};

struct gn_tcp_conn {
    /* identity and state; state is stored last when a slot is filled and first when it is freed */
    uint8_t state, reason, owner, recovery;
    uint8_t ts_on, sack_on, snd_wscale, rcv_wscale;
    uint8_t passive; /* came from a listener */
    uint8_t dup_acks;
    uint8_t retries;    /* timer-driven transmissions since the last progress: the one counter that ends a connection */
    uint8_t backoff;    /* doublings of the timeout */
    uint8_t ack_owed;   /* segments received since our last ACK */
    uint8_t ack_now;    /* an ACK must go out with the next timer call */
    uint8_t blocked;    /* enum gn_tcp_blocked: output was cut short, and the timer goes on with it */
    uint8_t want_write; /* a send was refused: tell with GN_TCP_EV_WRITABLE; 2 = for want of window: probe it */
    uint32_t remote_ip, local_ip;
    uint16_t remote_port, local_port;
    uint16_t listener_port; /* 0 when not passive */
    uint8_t hdr_len;        /* Ethernet to end of the TCP options of an ordinary segment */
    uint8_t eth_len;
    uint32_t arp_gen; /* net->arp_gen under which the template's MAC is right; 0 = never */
    uint32_t iss, irs;
    /* sending */
    uint64_t snd_una, snd_nxt, snd_end;
    uint32_t seg_head, seg_tail; /* free-running; seg_tail is the commit point of a new segment */
    uint32_t snd_wnd, max_wnd;
    uint64_t wnd_seq, wnd_ack; /* SND.WL1 and SND.WL2 */
    uint32_t mss;              /* payload of an ordinary segment */
    uint32_t cwnd, ssthresh, cwnd_acc;
    uint32_t sacked; /* segments marked so: 0 on the fast path */
    uint32_t ts_offset;
    uint64_t recover;
    uint64_t srtt_ns, rttvar_ns, rto_ns;
    uint64_t last_tx_ns;
    /* receiving */
    uint64_t rcv_nxt, consumed, rcv_adv;
    uint64_t rcv_told; /* right edge that the peer knows of */
    uint64_t rcv_fin;  /* offset of the peer's FIN once seen, 0 = not yet */
    uint64_t last_ack; /* rcv_nxt of our latest segment */
    uint64_t ts_recent_ns;
    uint32_t ts_recent;
    uint32_t ooo_n;
    uint64_t ooo_recent; /* lies in the range that grew last */
    /* timers, internal time; GN_NET_NEVER = off */
    uint64_t rto_at;  /* retransmission or window probe */
    uint64_t ack_at;  /* delayed ACK */
    uint64_t misc_at; /* keepalive, FIN-WAIT-2 or TIME-WAIT by state */
    uint64_t heard_ns;
    uint64_t challenge_ns;
    uint32_t challenges;
    uint32_t keepalives; /* unanswered */
    uint32_t events;
    uint32_t event_queued;
    uint32_t next_free;
    uint32_t index; /* of the slot */
    uint8_t force;  /* the next lost segment goes out whatever the congestion window says */
    uint8_t pad0[3];
    /* header template and the parts of its checksums that do not change; see gn_tcp_make_ready */
    uint64_t ip_sum, tcp_sum;
    uint64_t ready_sum;   /* of the template as it is, for a message of ready_len bytes */
    uint64_t ready_until; /* ready_room holds so long: then an idle connection starts anew (RFC 5681 section 4.1) */
    uint16_t ready_len;   /* 0: acknowledgement, window or echo in the template are not those of now */
    uint16_t ready_room;  /* a message of so many bytes may go without a further look; 0: look */
    uint16_t last_len;    /* of the message sent last */
    uint16_t pad1;
    uint64_t due_at;    /* a copy of its deadline in the table */
    uint8_t expect[32]; /* of an ordinary segment of the peer, from its source address on: see GN_TCP_EXPECT_MASK0 */
    uint8_t hdr[GN_TCP_HDR_MAX];
    struct gn_tcp_range ooo[GN_TCP_OOO_MAX];
    uint64_t retransmits, timeouts, fast_recoveries, dup_ack_count, segs_in, segs_out, soft_errors, challenge_count;
};
/* beside the state: rounding of state and slot, two hash slots or up to four, a deadline and its group's part, an event
 * queue's entry or two */
static_assert(sizeof(struct gn_tcp_conn) + GN_GUARD - 64 + GN_GUARD - 64 + 16 + 9 + 8 <= GN_TCP_CONN_BYTES,
              "memory per connection is stated in the header");

struct gn_tcp_listener {
    uint32_t port;    /* 0 = free */
    uint32_t pending; /* half-open or unaccepted connections */
};

struct gn_tcp {
    uint64_t magic; /* written last by gn_tcp_new */
    uint32_t max_conns, sndbuf, rcvbuf, segs;
    uint64_t bytes, conn_stride;
    uint64_t deadline_off, group_off, hash_off, event_off, conn_off; /* from the table's start */
    uint32_t hash_mask, event_mask;
    uint32_t conn_bytes; /* sizeof(struct gn_tcp_conn): the layout check of gn_tcp_join */
    uint32_t pad0;
    struct gn_tcp_conf conf;
    /* what moves */
    uint64_t now_ns, skew_ns;
    uint64_t rto_min_ns, rto_max_ns; /* of conf */
    uint64_t next_ns;                /* no connection's deadline is before */
    uint32_t arp_gen;                /* of the net at the last timer call */
    uint32_t blocked;                /* connections whose output waits */
    uint32_t free_head, used;
    uint32_t event_head, event_tail;
    uint32_t next_port;
    uint32_t resets; /* RST sent in the current second */
    uint64_t resets_ns;
    struct gn_tcp_listener listeners[GN_TCP_LISTEN_MAX];
    /* where the connection was that last had these ports, from the table's start: a hint, looked at before the hash */
    uint64_t recent[GN_TCP_RECENT];
    uint64_t unready; /* the connection whose template was outdated last, from the table's start; 0 = none */
};

static_assert(sizeof(struct gn_tcp) + 6 * GN_GUARD <= GN_TCP_TABLE_BYTES, "so is what is there once");

/* ---- places ---- */

static inline uint64_t *gn_tcp_deadlines(struct gn_tcp *t)
{
    return (uint64_t *)(void *)((uint8_t *)t + t->deadline_off);
}

/* gn_tcp_groups: no deadline of GN_TCP_DUE_GROUP connections is before their entry. */
static inline uint64_t *gn_tcp_groups(struct gn_tcp *t)
{
    return (uint64_t *)(void *)((uint8_t *)t + t->group_off);
}

static inline uint32_t gn_tcp_groups_n(const struct gn_tcp *t)
{
    return (t->max_conns + GN_TCP_DUE_GROUP - 1) / GN_TCP_DUE_GROUP;
}

static inline uint32_t *gn_tcp_hash_slots(const struct gn_tcp *t)
{
    return (uint32_t *)(uintptr_t)((const uint8_t *)t + t->hash_off);
}

static inline uint32_t *gn_tcp_event_slots(struct gn_tcp *t)
{
    return (uint32_t *)(void *)((uint8_t *)t + t->event_off);
}

static inline struct gn_tcp_conn *gn_tcp_conn_at(const struct gn_tcp *t, uint32_t i)
{
    return (struct gn_tcp_conn *)(uintptr_t)((const uint8_t *)t + t->conn_off + i * t->conn_stride);
}

static inline uint32_t gn_tcp_index(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    (void)t;
    return c->index;
}

#define GN_TCP_CONN_ROOM gn_align_up(sizeof(struct gn_tcp_conn), GN_GUARD)

/* gn_tcp_seg_at: descriptor of a free-running ring index. */
static inline struct gn_tcp_seg *gn_tcp_seg_at(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint32_t i)
{
    uint8_t *base = (uint8_t *)(uintptr_t)c + GN_TCP_CONN_ROOM;
    return (struct gn_tcp_seg *)(void *)(base + (uint64_t)(i & (t->segs - 1)) * sizeof(struct gn_tcp_seg));
}

static inline uint8_t *gn_tcp_sndbuf(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    return (uint8_t *)(uintptr_t)c + GN_TCP_CONN_ROOM + (uint64_t)t->segs * sizeof(struct gn_tcp_seg);
}

static inline uint8_t *gn_tcp_rcvbuf(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    return gn_tcp_sndbuf(t, c) + t->sndbuf;
}

/* ---- small things that many files need ---- */

static inline uint64_t gn_tcp_clock(struct gn_tcp *t, uint64_t now_ns)
{
    uint64_t now = now_ns + t->skew_ns;
    if (GN_UNLIKELY((int64_t)(now - t->now_ns) < 0)) {
        now = t->now_ns;
        t->skew_ns = now - now_ns;
    }
    t->now_ns = now;
    return now;
}

/* gn_tcp_set_deadline: when gn_tcp_timer looks at the connection next. The table has all of them side by side. */
static inline void gn_tcp_set_deadline(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t at)
{
    uint64_t *group = &gn_tcp_groups(t)[c->index / GN_TCP_DUE_GROUP];
    gn_tcp_deadlines(t)[c->index] = at;
    c->due_at = at;
    if (at < *group)
        *group = at; /* one that moves later is found out by the timer */
}

/* gn_tcp_due: connection c wants gn_tcp_timer to look at it at `at`. A deadline that moves later is left as it is: the
 * timer then looks once too often, which costs less than keeping it exact. */
static inline void gn_tcp_due(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t at)
{
    if (GN_LIKELY(at >= c->due_at))
        return;
    gn_tcp_set_deadline(t, c, at);
    if (at < t->next_ns)
        t->next_ns = at;
}

/* gn_tcp_block: remembers why output was cut short. */
static inline void gn_tcp_block(struct gn_tcp *t, struct gn_tcp_conn *c, uint8_t why)
{
    t->blocked += c->blocked == GN_TCP_BLOCKED_NOT;
    c->blocked = why;
    gn_tcp_due(t, c, t->now_ns + GN_NS_PER_MS);
}

static inline uint32_t gn_tcp_segs_out(const struct gn_tcp_conn *c)
{
    return c->seg_tail - c->seg_head;
}

static inline uint64_t gn_tcp_flight(const struct gn_tcp_conn *c)
{
    return c->snd_nxt - c->snd_una;
}

static inline bool gn_tcp_synchronised(const struct gn_tcp_conn *c)
{
    return c->state >= GN_TCP_ESTABLISHED;
}

/* gn_tcp_may_send: data may be handed to send and write. */
static inline bool gn_tcp_may_send(const struct gn_tcp_conn *c)
{
    return c->state == GN_TCP_ESTABLISHED || c->state == GN_TCP_CLOSE_WAIT;
}

/* gn_tcp_wants_fin: our side is closed, so a FIN follows the last byte. */
static inline bool gn_tcp_wants_fin(const struct gn_tcp_conn *c)
{
    return c->state == GN_TCP_FIN_WAIT_1 || c->state == GN_TCP_CLOSING || c->state == GN_TCP_LAST_ACK;
}

/* gn_tcp_may_receive: the peer has not closed its side. */
static inline bool gn_tcp_may_receive(const struct gn_tcp_conn *c)
{
    return c->state == GN_TCP_ESTABLISHED || c->state == GN_TCP_FIN_WAIT_1 || c->state == GN_TCP_FIN_WAIT_2;
}

static inline bool gn_tcp_fin_sent(const struct gn_tcp_conn *c)
{
    return c->snd_nxt > c->snd_end;
}

/* gn_tcp_unsent: a SYN, queued bytes or a FIN have yet to be sent for the first time. */
static inline bool gn_tcp_unsent(const struct gn_tcp_conn *c)
{
    return c->snd_nxt == 0 || c->snd_nxt < c->snd_end || (c->snd_nxt == c->snd_end && gn_tcp_wants_fin(c));
}

static inline uint64_t gn_tcp_rcv_edge(const struct gn_tcp *t, const struct gn_tcp_conn *c)
{
    return c->consumed + t->rcvbuf;
}

static inline uint32_t gn_tcp_ts_now(const struct gn_tcp_conn *c, uint64_t now)
{
    return (uint32_t)(now / GN_NS_PER_MS) + c->ts_offset;
}

/* A parsed segment. */
struct gn_tcp_in {
    const struct gn_ip_in *ip;
    const uint8_t *data;
    uint32_t len; /* payload bytes */
    uint32_t seq, ack;
    uint32_t wnd; /* as on the wire */
    uint32_t ts_val, ts_ecr;
    uint16_t src_port, dst_port;
    uint8_t flags;
    bool has_ts, has_mss, has_wscale, has_sackok;
    uint8_t wscale;
    uint16_t mss;
    uint32_t sack_n;
    uint32_t sack[4][2];
};

/* gn_tcp_layout: offsets, masks and times follow from the three sizes and conf, which were checked; set anew. */
bool gn_tcp_layout(struct gn_tcp *t);

/* ---- tcp_table.c: slots, hash, events ---- */
struct gn_tcp_conn *gn_tcp_find(const struct gn_tcp *t, uint32_t remote_ip, uint16_t remote_port, uint16_t local_port);
struct gn_tcp_conn *gn_tcp_slot_take(struct gn_tcp *t);
void gn_tcp_slot_free(struct gn_tcp *t, struct gn_tcp_conn *c);
void gn_tcp_hash_add(struct gn_tcp *t, struct gn_tcp_conn *c);
void gn_tcp_hash_remove(struct gn_tcp *t, struct gn_tcp_conn *c);
void gn_tcp_event(struct gn_tcp *t, struct gn_tcp_conn *c, uint32_t events);
struct gn_tcp_listener *gn_tcp_listener(struct gn_tcp *t, uint16_t port);
void gn_tcp_slots_rebuild(struct gn_tcp *t);

/* gn_tcp_outdated: what the template says of the receiving side is no longer so, or what was found about the room for
 * the next message. gn_tcp_timer makes both ready again; an order that comes earlier is looked at and sealed in full.
 */
static inline void gn_tcp_outdated(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    static_assert(offsetof(struct gn_tcp_conn, ready_room) == offsetof(struct gn_tcp_conn, ready_len) + 2, "one store");
    memset(&c->ready_len, 0, sizeof c->ready_len + sizeof c->ready_room);
    t->unready = (uint64_t)((uint8_t *)c - (uint8_t *)t);
}

/* gn_tcp_look: the next message is to be looked at in full: something rare happened to the connection. */
static inline void gn_tcp_look(struct gn_tcp_conn *c)
{
    c->ready_room = 0;
}

/* gn_tcp_recent: the hint for the ports that begin a segment's header. */
static inline uint64_t *gn_tcp_recent(struct gn_tcp *t, const uint8_t *header)
{
    return &t->recent[(gn_load_be16(header) ^ gn_load_be16(header + 2)) & (GN_TCP_RECENT - 1)];
}

/* ---- tcp_conn.c: life of a connection ---- */

/* gn_tcp_open: fields of a new connection except state; its SYN is sent by gn_tcp_output. */
void gn_tcp_open(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now);
/* gn_tcp_end: the connection is over; hash entry and timers go, and the slot too when nobody owns it. */
void gn_tcp_end(struct gn_tcp *t, struct gn_tcp_conn *c, uint8_t reason);
/* gn_tcp_settle: state transitions that follow from offsets: our FIN acknowledged, the peer's FIN in order. */
void gn_tcp_settle(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now);
/* gn_tcp_mss_of: payload per segment for a peer's MSS option and an MTU. */
uint32_t gn_tcp_mss_of(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint32_t mtu, uint32_t peer_mss);
uint32_t gn_tcp_initial_window(const struct gn_tcp *t, const struct gn_tcp_conn *c);

/* ---- tcp_segment.c: bytes on the wire ---- */
uint32_t gn_tcp_isn(const struct gn_tcp *t, const struct gn_tcp_conn *c, uint64_t now, uint32_t *ts_offset);
void gn_tcp_template(const struct gn_net *net, struct gn_tcp_conn *c);
/* gn_tcp_expect: sets c->expect from the addresses. */
void gn_tcp_expect(struct gn_tcp_conn *c);
/* gn_tcp_route_anew: finds the MAC of the next hop for the template; see gn_tcp_route. */
int gn_tcp_route_anew(struct gn_net *net, struct gn_tcp_conn *c, struct gn_txq *txq) GN_MUST_CHECK;
/* gn_tcp_make_ready: brings acknowledgement, window, echo, length and checksums of the template up to date for a
 * message of len bytes, and finds out how long the next message may be, so that an order needs its sequence number, the
 * time and its own bytes only. */
void gn_tcp_make_ready(const struct gn_tcp *t, struct gn_tcp_conn *c, uint32_t len);
/* gn_tcp_room: bytes that the next message may have when nothing rare is happening to the connection; else 0. */
uint32_t gn_tcp_room(const struct gn_tcp *t, const struct gn_tcp_conn *c);
/* gn_tcp_way: the next frame of the txq when the route is known; NULL, and the connection is blocked, when not. */
uint8_t *gn_tcp_way(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, struct gn_txq *txq);
/* gn_tcp_emit: a segment with options as they are due (SYN: all; SACK blocks on an ACK), its payload from the send
 * buffer. False when it could not be sent now. */
bool gn_tcp_emit(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t seq, uint8_t flags, uint32_t len,
                 uint64_t now, struct gn_txq *txq);
/* gn_tcp_acked: bookkeeping of every segment that carries our ACK. */
static inline void gn_tcp_acked(struct gn_tcp_conn *c)
{
    c->last_ack = c->rcv_nxt;
    c->rcv_told = c->rcv_adv;
    c->ack_owed = 0;
    c->ack_now = 0;
    c->ack_at = GN_NET_NEVER;
}
bool gn_tcp_send_ack(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq);
/* gn_tcp_challenge: an ACK within the connection's limit per second (RFC 5961 section 7). */
void gn_tcp_challenge(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq);
/* gn_tcp_reset_for: answers a segment of no connection with RST, within the table's limit per second. */
void gn_tcp_reset_for(struct gn_tcp *t, struct gn_net *net, const struct gn_tcp_in *s, uint64_t now,
                      struct gn_txq *txq);

/* ---- tcp_send.c, tcp_output.c ---- */
/* gn_tcp_output: sends all that may go now: SYN, lost segments, queued bytes, FIN, an ACK that is due. */
void gn_tcp_output(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq);
/* gn_tcp_probe: the timer fired with nothing in flight: a window probe of one byte, or of none when none is queued. */
bool gn_tcp_probe(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, uint64_t now, struct gn_txq *txq);
bool gn_tcp_resend(struct gn_tcp *t, struct gn_net *net, struct gn_tcp_conn *c, struct gn_tcp_seg *seg, uint64_t now,
                   struct gn_txq *txq);
/* gn_tcp_pipe: bytes taken to be in the network (RFC 6675 section 4). */
uint64_t gn_tcp_pipe(const struct gn_tcp *t, const struct gn_tcp_conn *c);
/* gn_tcp_arm: starts the retransmission timer anew. */
void gn_tcp_arm_backed_off(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now);
static inline void gn_tcp_arm(struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t now)
{
    if (GN_UNLIKELY(c->backoff != 0)) {
        gn_tcp_arm_backed_off(t, c, now);
        return;
    }
    c->rto_at = now + c->rto_ns;
    gn_tcp_due(t, c, c->rto_at);
}

/* ---- tcp_ack.c: what the peer's ACKs say ---- */
void gn_tcp_ack(struct gn_tcp *t, struct gn_tcp_conn *c, const struct gn_tcp_in *s, uint64_t ack, uint64_t now);
/* gn_tcp_ack_advance: snd_una moves to ack: descriptors, round-trip sample, congestion window, timer. echo is the
 * segment's timestamp echo, NULL when it has none. */
void gn_tcp_ack_advance(struct gn_tcp *t, struct gn_tcp_conn *c, const uint32_t *echo, uint64_t ack, uint64_t now);
/* gn_tcp_grow: the congestion window after an ACK of `acked` bytes with flight_before in flight. */
void gn_tcp_grow(struct gn_tcp_conn *c, uint64_t acked, uint64_t flight_before);

/* gn_tcp_rtt_sample: RFC 6298 section 2, with a clock granularity of 1 ms. Its caller ends the backoff. */
static inline void gn_tcp_rtt_sample(const struct gn_tcp *t, struct gn_tcp_conn *c, uint64_t rtt)
{
    const uint64_t min = t->rto_min_ns;
    const uint64_t max = t->rto_max_ns;
    uint64_t srtt = c->srtt_ns;
    uint64_t rttvar = c->rttvar_ns;
    rtt = rtt > max ? max : rtt;
    if (GN_UNLIKELY(srtt == 0)) {
        srtt = rtt == 0 ? 1 : rtt;
        rttvar = rtt / 2;
    } else {
        uint64_t delta = rtt > srtt ? rtt - srtt : srtt - rtt;
        rttvar = rttvar - rttvar / 4 + delta / 4;
        srtt = srtt - srtt / 8 + rtt / 8;
    }
    uint64_t var = 4 * rttvar > GN_NS_PER_MS ? 4 * rttvar : GN_NS_PER_MS;
    uint64_t rto = srtt + var;
    c->srtt_ns = srtt;
    c->rttvar_ns = rttvar;
    c->rto_ns = rto < min ? min : rto > max ? max : rto;
}

/* gn_tcp_all_lost: everything in flight is to be sent again; SACK marks are forgotten (RFC 2018 section 8). */
void gn_tcp_all_lost(struct gn_tcp *t, struct gn_tcp_conn *c);

/* ---- tcp_recv.c: what the peer's bytes become ---- */
/* gn_tcp_data: payload (and FIN) at signed distance off from rcv_nxt; returns GN_NET_DROP_NONE or why it was not taken.
 */
uint16_t gn_tcp_data(struct gn_tcp *t, struct gn_tcp_conn *c, int64_t off, const uint8_t *data, uint32_t len, bool fin,
                     uint64_t now);

#endif
