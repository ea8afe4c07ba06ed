/* Line arbitration: two lines that carry the same sequenced messages, and a retransmission channel, become one stream
 * in which every message comes exactly once and in order.
 *
 *      gn_arb_packet -> DELIVER skip, deliver    use the messages, then drain: while (gn_arb_next_held(...)) use them
 *                    -> HELD                     behind a gap: the packet was copied into a slot
 *                    -> DUPLICATE, HEARTBEAT     nothing to use
 *                    -> SESSION, BACK, ...       refused, counted, named
 *      gn_arb_timer  -> REQUEST from, count      send it to the retransmission server
 *                    -> GIVEN_UP from, count     lost for good: mark books stale, then drain
 *      gn_arb_gap_event                          what to journal, after any of the above
 *
 *      in order --packet or heartbeat beyond next--> gap open --next reached--> filled, drain
 *                                                    |  ^
 *                               gap_request_ns over: |  | progress: ask for the rest at once
 *                                                    v  |
 *                                                 requested --max_retries over--> given up, drain
 *
 * Of no protocol: it sees sequences, counts and bytes. The state has no pointers and lives in shared memory, followed
 * by its slots; one lcore writes it. Deterministic: same calls, same answers.
 */
#ifndef GN_VENUE_ARBITER_H
#define GN_VENUE_ARBITER_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/event.h"

#define GN_ARB_MAGIC       0x676e617262697431ull /* "gnarbit1" */
#define GN_ARB_SESSION_LEN 10u
#define GN_ARB_SLOTS_MAX   16384u
#define GN_ARB_SLOT_MAX    9216u
#define GN_ARB_EVENTS      8u

enum gn_arb_line {
    GN_ARB_LINE_A = 0,
    GN_ARB_LINE_B = 1,
    GN_ARB_LINE_RETRANSMIT = 2,
    GN_ARB_LINES = 3,
};

struct gn_arb_config {
    char session[GN_ARB_SESSION_LEN]; /* all zero: adopt the session of the first packet */
    uint16_t slot_bytes;              /* longest packet that can be held, 64 to GN_ARB_SLOT_MAX */
    uint32_t slots;                   /* packets that can be held, 1 to GN_ARB_SLOTS_MAX */
    uint64_t start_seq;               /* first message wanted; 0: the first one seen on a line */
    uint64_t gap_request_ns;          /* age of a gap at which it is requested: what line B is allowed to be late */
    uint64_t retry_ns;                /* between requests without progress; doubles each time */
    uint64_t retry_max_ns;            /* bound of that doubling */
    uint32_t request_max;             /* messages in a request, 1 to 65,534 */
    uint32_t max_retries;             /* requests without progress before a gap is given up; 0: never request */
    uint64_t back_window; /* messages that a line may fall back (network reordering) before it counts as BACK */
    uint64_t jump_max;    /* messages that a packet may be ahead of next; 0: any. After a real one: gn_arb_reset */
};

/* X(member, "help") */
#define GN_ARB_STATS(X)                                                                     \
    X(packets[GN_ARB_LINES], "packets by line, refused ones included")                      \
    X(delivered, "messages delivered in order")                                             \
    X(first[GN_ARB_LINES], "messages that were delivered from this line")                   \
    X(duplicates[GN_ARB_LINES], "packets with nothing new, by line")                        \
    X(heartbeats[GN_ARB_LINES], "packets without messages, by line")                        \
    X(gaps, "gaps opened")                                                                  \
    X(filled_line[GN_ARB_LINES], "gaps closed, by the line of the packet that closed them") \
    X(requests, "retransmission requests")                                                  \
    X(given_up, "gaps given up")                                                            \
    X(lost, "messages lost in gaps given up")                                               \
    X(held, "packets held behind a gap")                                                    \
    X(held_peak, "most packets held at a time")                                             \
    X(overflow, "packets that could not be held: no free slot, or longer than one")         \
    X(wrong_session, "packets of another session")                                          \
    X(back, "packets of a line whose sequence went back: the venue restarted")              \
    X(jumps, "packets too far ahead")                                                       \
    X(bad, "packets with an impossible line, sequence or length")                           \
    X(events_lost, "gap events that nobody read in time")

struct gn_arb_stats {
#define GN_X(member, help) uint64_t member;
    GN_ARB_STATS(GN_X)
#undef GN_X
};

/* A held packet: an entry of the list that is sorted by first sequence. GN_ARB_NIL ends lists. */
#define GN_ARB_NIL 0xffffffffu
struct gn_arb_slot {
    uint64_t first; /* sequence of its first message */
    uint32_t next;  /* slot */
    uint32_t prev;
    uint16_t count; /* messages */
    uint16_t len;   /* bytes */
    uint8_t line;
    uint8_t pad[3];
};
static_assert(sizeof(struct gn_arb_slot) == 24, "slot layout");

struct gn_arb {
    uint64_t magic; /* written last by gn_arb_new */
    struct gn_arb_config cfg;
    uint64_t next;                   /* next sequence to deliver; 0: none seen yet */
    uint64_t seen_end;               /* one past the highest sequence that is known to exist */
    uint64_t line_end[GN_ARB_LINES]; /* the same, by line */
    uint64_t gap_from;               /* first missing sequence when the gap was opened; 0: no gap open */
    uint64_t deadline_ns;            /* when the timer acts on the gap */
    uint64_t requested_end;          /* one past what the last request asked for; 0: nothing requested in this gap */
    uint64_t progress;               /* next at the time of that request */
    uint32_t retries;                /* requests since there was progress */
    uint32_t held_head;              /* lowest held packet */
    uint32_t held_tail;              /* highest */
    uint32_t held_count;
    uint32_t free_head;
    uint8_t last_line; /* of the packet that delivered last */
    uint8_t adopted;   /* session is known */
    uint8_t pad[2];
    char session[GN_ARB_SESSION_LEN];
    uint8_t pad2[6];
    uint32_t event_head; /* written */
    uint32_t event_tail; /* read */
    struct gn_ev_gap events[GN_ARB_EVENTS];
    struct gn_arb_stats stats;
    struct gn_arb_slot slot[]; /* cfg.slots entries, then cfg.slots x slot_bytes (rounded up to a cache line) */
};

/* X(number, NAME, "text") */
#define GN_ARB_ERR_TABLE(X)                                      \
    X(1, CONFIG, "a value of the configuration is out of range") \
    X(2, MAGIC, "no arbiter at this address")                    \
    X(3, SIZE, "the memory is smaller than the arbiter in it")   \
    X(4, CORRUPT, "lists or indices are impossible")

enum gn_arb_err {
    GN_ARB_OK = 0,
#define GN_X(num, NAME, text) GN_ARB_ERR_##NAME = -(num),
    GN_ARB_ERR_TABLE(GN_X)
#undef GN_X
};

/* X(NAME, "text"): verdicts on a packet. */
#define GN_ARB_VERDICTS(X)                                                        \
    X(DELIVER, "messages are new and next in order")                              \
    X(DUPLICATE, "nothing new in it")                                             \
    X(HELD, "behind a gap, kept")                                                 \
    X(HEARTBEAT, "no messages in it")                                             \
    X(OVERFLOW, "behind a gap and no slot for it: comes back as part of the gap") \
    X(SESSION, "of another session")                                              \
    X(BACK, "sequence of the line went back")                                     \
    X(JUMP, "too far ahead to be believed")                                       \
    X(BAD, "impossible line, sequence or length")

enum gn_arb_verdict {
#define GN_X(NAME, text) GN_ARB_##NAME,
    GN_ARB_VERDICTS(GN_X)
#undef GN_X
};

/* A packet for gn_arb_packet. data and len are what is held and given back; they may be the whole UDP payload. */
struct gn_arb_in {
    const char *session; /* GN_ARB_SESSION_LEN bytes */
    uint64_t seq;        /* of the first message; of the next to come when count is 0 */
    const uint8_t *data;
    uint16_t len;
    uint16_t count; /* messages; 0: a heartbeat, which tells how far the stream has come */
    uint8_t line;   /* enum gn_arb_line */
};

/* What of a packet is to be used: skip the first `skip` messages, then use `deliver`. first is the sequence of the
 * first one to use. */
struct gn_arb_out {
    uint64_t first;
    const uint8_t *data; /* held packets: the copy, valid until the next gn_arb_packet; else the packet's own */
    uint16_t len;
    uint16_t count; /* messages in the packet */
    uint16_t skip;
    uint16_t deliver;
    uint8_t line;
};

struct gn_arb_request {
    uint64_t from;
    uint64_t count; /* at most request_max in a request; any in a give-up */
};

enum gn_arb_action {
    GN_ARB_NOTHING = 0,
    GN_ARB_REQUEST = 1,
    GN_ARB_GIVEN_UP = 2,
};

/* gn_arb_footprint: bytes that an arbiter of that configuration takes, a multiple of GN_CACHE_LINE; 0 when a value is
 * out of range. */
uint64_t gn_arb_footprint(const struct gn_arb_config *cfg);

/* gn_arb_new: lays an arbiter at mem (GN_CACHE_LINE aligned, gn_arb_footprint bytes). GN_ARB_ERR_CONFIG. */
int gn_arb_new(void *mem, const struct gn_arb_config *cfg) GN_MUST_CHECK;

/* gn_arb_join: for a restarted owner; verifies magic, sizes and every list. bytes: what is mapped from mem on. */
int gn_arb_join(struct gn_arb *a, uint64_t bytes) GN_MUST_CHECK;

/* gn_arb_packet: judges a packet. Returns enum gn_arb_verdict; *out is set when it is GN_ARB_DELIVER, and the caller
 * then drains with gn_arb_next_held. */
enum gn_arb_verdict gn_arb_packet(struct gn_arb *a, const struct gn_arb_in *in, uint64_t now_ns,
                                  struct gn_arb_out *out) GN_MUST_CHECK;

/* gn_arb_expected: gn_arb_packet for the packet that is next on a line while nothing is missing and nothing is held:
 * true when it was that, with the same effect as GN_ARB_DELIVER, and gn_arb_next_held would say that there is none.
 * Else nothing has happened, and the packet is for gn_arb_packet. seq + count does not pass 64 bits. */
GN_MUST_CHECK static inline bool gn_arb_expected(struct gn_arb *a, const uint8_t *session, uint64_t seq, uint32_t count,
                                                 uint32_t line)
{
    static_assert(GN_ARB_SESSION_LEN == 10, "8 bytes and 2");
    const uint64_t end = seq + count;
    uint64_t name[2];
    uint16_t rest[2];
    memcpy(&name[0], session, 8);
    memcpy(&rest[0], session + 8, 2);
    memcpy(&name[1], a->session, 8);
    memcpy(&rest[1], a->session + 8, 2);
    if (GN_UNLIKELY(seq != a->next || seq != a->seen_end || (a->gap_from | a->held_count) != 0 || count == 0 ||
                    line >= GN_ARB_LINE_RETRANSMIT || name[0] != name[1] || rest[0] != rest[1] || a->adopted == 0))
        return false;
    a->stats.packets[line]++;
    a->stats.delivered += count;
    a->stats.first[line] += count;
    a->line_end[line] = end;
    a->last_line = (uint8_t)line;
    a->seen_end = end;
    a->next = end;
    return true;
}

/* gn_arb_next_held: the next held packet whose messages are in order now; false when there is none. */
bool gn_arb_next_held(struct gn_arb *a, uint64_t now_ns, struct gn_arb_out *out) GN_MUST_CHECK;

/* gn_arb_timer: to be called now and then (each loop is fine, it is one compare when nothing is due). Returns enum
 * gn_arb_action; with REQUEST *req is what to ask for, with GIVEN_UP what is lost (drain afterwards). */
enum gn_arb_action gn_arb_timer_slow(struct gn_arb *a, uint64_t now_ns, struct gn_arb_request *req);
static inline enum gn_arb_action gn_arb_timer(struct gn_arb *a, uint64_t now_ns, struct gn_arb_request *req)
{
    if (GN_LIKELY(a->gap_from == 0 || now_ns < a->deadline_ns))
        return GN_ARB_NOTHING;
    return gn_arb_timer_slow(a, now_ns, req);
}

/* gn_arb_gap_event: the oldest unread gap event, for the journal; false when there is none. GN_ARB_EVENTS are kept. */
bool gn_arb_gap_event(struct gn_arb *a, struct gn_ev_gap *ev);

/* gn_arb_stale: a gap is open: what was delivered is not the whole truth. */
static inline bool gn_arb_stale(const struct gn_arb *a)
{
    return a->gap_from != 0;
}

/* gn_arb_reset: forgets session, sequences and held packets (the venue restarted and an operator agrees); statistics
 * and configuration stay. start_seq as in the configuration. */
void gn_arb_reset(struct gn_arb *a, uint64_t start_seq);

const char *gn_arb_strerror(int err);
const char *gn_arb_verdict_name(enum gn_arb_verdict v);

#endif
