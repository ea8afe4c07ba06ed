/* Everything that was published, by sequence, in bounded memory: what MoldUDP64 retransmission requests and SoupBinTCP
 * resumes are answered from. The oldest messages are forgotten when the bytes or the index run out.
 */
#ifndef GN_SIM_HISTORY_H
#define GN_SIM_HISTORY_H

#include "dataplane/abi/base.h"

#define GN_HISTORY_BYTES_MIN 65536ull
#define GN_HISTORY_BYTES_MAX (1ull << 40)
#define GN_HISTORY_MSG_MAX   2048u

struct gn_history {
    uint8_t *bytes;  /* a ring of `room` bytes; a message never wraps */
    uint64_t room;   /* power of two */
    uint64_t *start; /* by sequence: absolute offset of its u16 length */
    uint64_t slots;  /* power of two */
    uint64_t head;   /* absolute offset of the next byte */
    uint64_t first;  /* oldest sequence kept; first == next when empty */
    uint64_t next;   /* sequence of the next message, from 1 */
};

enum gn_history_err {
    GN_HISTORY_OK = 0,
    GN_HISTORY_ERR_RANGE = -1, /* bytes or message length out of range */
    GN_HISTORY_ERR_MEMORY = -2,
};

const char *gn_history_strerror(int err);

/* gn_history_init: room for bytes_max (rounded up to a power of two) and messages_max messages, the next one being 1.
 */
int gn_history_init(struct gn_history *h, uint64_t bytes_max, uint64_t messages_max) GN_MUST_CHECK;

void gn_history_free(struct gn_history *h);

/* gn_history_add: appends the message as sequence h->next, forgetting what is in the way. len is 0 to
 * GN_HISTORY_MSG_MAX. Returns where it is kept (valid until it is forgotten), NULL when len is out of range. */
const uint8_t *gn_history_add(struct gn_history *h, const uint8_t *msg, size_t len);

/* gn_history_get: the message of that sequence and its length; NULL when it is forgotten or not yet there. */
const uint8_t *gn_history_get(const struct gn_history *h, uint64_t seq, uint16_t *len);

#endif
