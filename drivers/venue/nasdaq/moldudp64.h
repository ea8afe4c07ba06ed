/* MoldUDP64: sequenced messages in UDP packets, and the requests for those that were missed.
 *
 *      downstream: session(10) sequence(8) count(2), then count blocks of length(2) message
 *      request:    session(10) sequence(8) count(2)
 *
 * All integers big-endian. Count 0 is a heartbeat and 0xFFFF the end of the session: the sequence is then the next one
 * to come. Source: MoldUDP64 1.00, sections 3 to 5.
 */
#ifndef GN_VENUE_NASDAQ_MOLDUDP64_H
#define GN_VENUE_NASDAQ_MOLDUDP64_H

#include "dataplane/abi/base.h"

#define GN_MOLD_SESSION   10u
#define GN_MOLD_HEADER    20u
#define GN_MOLD_REQUEST   20u
#define GN_MOLD_END_COUNT 0xffffu
#define GN_MOLD_BYTES_MAX 8972u /* UDP payload in a jumbo frame of 9,000 */

/* X(number, NAME, "text"): why a packet was refused; callers count in an array of GN_MOLD_ERRS indexed by -err. */
#define GN_MOLD_ERR_TABLE(X)                                                          \
    X(1, SHORT, "packet is shorter than its header")                                  \
    X(2, LONG, "packet is longer than a UDP payload may be")                          \
    X(3, SEQUENCE, "sequence is zero, or sequence and count pass the end of 64 bits") \
    X(4, BLOCK, "a message block passes the end of the packet")                       \
    X(5, TRAILING, "bytes are left after the last message block")                     \
    X(6, ROOM, "no room left in the packet that is being built")                      \
    X(7, COUNT, "a request for no message, or for too many")

enum gn_mold_err {
    GN_MOLD_OK = 0,
#define GN_X(num, NAME, text) GN_MOLD_ERR_##NAME = -(num),
    GN_MOLD_ERR_TABLE(GN_X)
#undef GN_X
        GN_MOLD_ERRS = 8, /* size of an array of counters */
};

enum gn_mold_kind {
    GN_MOLD_DATA = 1,
    GN_MOLD_HEARTBEAT = 2,
    GN_MOLD_END = 3, /* of the session */
};

struct gn_mold_packet {
    char session[GN_MOLD_SESSION];
    uint16_t count; /* messages; 0 for a heartbeat and for the end of the session */
    uint8_t kind;   /* enum gn_mold_kind */
    uint64_t seq;   /* of the first message; of the next one to come when count is 0 */
    const uint8_t *blocks;
    const uint8_t *end; /* one past the last block */
};

/* gn_mold_parse: checks a whole downstream packet, blocks included, before anything of it is used: when it returns
 * GN_MOLD_OK, count blocks fill the packet exactly. Else the reason, negative, and *out is not to be read. */
int gn_mold_parse(const uint8_t *data, size_t len, struct gn_mold_packet *out) GN_MUST_CHECK;

/* gn_mold_head: gn_mold_parse without a copy of anything, inline for the feed. */
struct gn_mold_head {
    uint64_t seq;
    uint32_t count;
    uint32_t kind; /* enum gn_mold_kind */
};
GN_MUST_CHECK static inline int gn_mold_head(const uint8_t *data, size_t len, struct gn_mold_head *out)
{
    if (GN_UNLIKELY(len < GN_MOLD_HEADER))
        return GN_MOLD_ERR_SHORT;
    if (GN_UNLIKELY(len > GN_MOLD_BYTES_MAX))
        return GN_MOLD_ERR_LONG;
    out->seq = gn_load_be64(data + 10);
    out->count = gn_load_be16(data + 18);
    out->kind = GN_MOLD_DATA;
    if (GN_UNLIKELY(out->count == 0)) {
        out->kind = GN_MOLD_HEARTBEAT;
    } else if (GN_UNLIKELY(out->count == GN_MOLD_END_COUNT)) {
        out->kind = GN_MOLD_END;
        out->count = 0;
    }
    if (GN_UNLIKELY(out->seq == 0 || out->seq > UINT64_MAX - out->count))
        return GN_MOLD_ERR_SEQUENCE;
    size_t at = GN_MOLD_HEADER;
    for (uint32_t i = 0; i < out->count; i++) {
        if (GN_UNLIKELY(len - at < 2))
            return GN_MOLD_ERR_BLOCK;
        size_t n = gn_load_be16(data + at);
        if (GN_UNLIKELY(n > len - at - 2))
            return GN_MOLD_ERR_BLOCK;
        at += 2 + n;
    }
    return GN_LIKELY(at == len) ? GN_MOLD_OK : GN_MOLD_ERR_TRAILING;
}

struct gn_mold_iter {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t seq; /* of the next message */
    uint32_t left;
};

/* gn_mold_iter: over the messages of a parsed packet. */
static inline struct gn_mold_iter gn_mold_iter(const struct gn_mold_packet *p)
{
    return (struct gn_mold_iter){.at = p->blocks, .end = p->end, .seq = p->seq, .left = p->count};
}

/* gn_mold_next: the next message and its length (0 is possible); false after the last. The message's sequence is
 * it->seq before the call. Stays within [at, end) even if the packet was not checked. */
static inline bool gn_mold_next(struct gn_mold_iter *it, const uint8_t **msg, uint16_t *len)
{
    size_t room = (size_t)(it->end - it->at);
    if (it->left == 0 || room < 2)
        return false;
    uint16_t n = gn_load_be16(it->at);
    if (GN_UNLIKELY(n > room - 2))
        return false;
    *msg = it->at + 2;
    *len = n;
    it->at += 2 + n;
    it->seq++;
    it->left--;
    return true;
}

/* gn_mold_skip: moves past n messages (fewer when the packet has fewer). */
static inline void gn_mold_skip(struct gn_mold_iter *it, uint32_t n)
{
    const uint8_t *msg;
    uint16_t len;
    while (n-- > 0 && gn_mold_next(it, &msg, &len))
        ;
}

/* A packet that is being built in the caller's buffer. */
struct gn_mold_builder {
    uint8_t *buf;
    uint32_t room;
    uint32_t len; /* bytes so far, header included */
    uint32_t count;
};

/* gn_mold_begin: starts a packet whose first message has sequence seq. room: payload limit, at most GN_MOLD_BYTES_MAX,
 * at least GN_MOLD_HEADER; GN_MOLD_ERR_ROOM otherwise. session: GN_MOLD_SESSION bytes, padded with spaces. */
int gn_mold_begin(struct gn_mold_builder *b, uint8_t *buf, size_t room, const char *session,
                  uint64_t seq) GN_MUST_CHECK;

/* gn_mold_room: bytes that a further message may have, 0 when none fits. */
static inline uint32_t gn_mold_room(const struct gn_mold_builder *b)
{
    return b->count >= GN_MOLD_END_COUNT - 1 || b->room - b->len <= 2 ? 0 : b->room - b->len - 2;
}

/* gn_mold_reserve: where a further message of len bytes is to be written; NULL when it does not fit. */
uint8_t *gn_mold_reserve(struct gn_mold_builder *b, uint16_t len) GN_MUST_CHECK;

/* gn_mold_append: copies a message in; GN_MOLD_ERR_ROOM when it does not fit, nothing changed. */
int gn_mold_append(struct gn_mold_builder *b, const uint8_t *msg, uint16_t len) GN_MUST_CHECK;

/* gn_mold_finish: writes the count; the packet's length. An empty packet is a heartbeat. */
uint32_t gn_mold_finish(struct gn_mold_builder *b);

/* gn_mold_control: writes a heartbeat, or the end of the session, into GN_MOLD_HEADER bytes. seq: the next to come. */
void gn_mold_control(uint8_t *buf, const char *session, uint64_t seq, enum gn_mold_kind kind);

struct gn_mold_request {
    char session[GN_MOLD_SESSION];
    uint16_t count;
    uint64_t seq;
};

/* gn_mold_request_write: into GN_MOLD_REQUEST bytes. */
void gn_mold_request_write(uint8_t *buf, const struct gn_mold_request *r);

/* gn_mold_request_parse: exact length, a sequence from 1, a count from 1 to 0xFFFE; else the reason. */
int gn_mold_request_parse(const uint8_t *data, size_t len, struct gn_mold_request *out) GN_MUST_CHECK;

/* gn_mold_strerror: text of a negative code of this module. */
const char *gn_mold_strerror(int err);

#endif
