/* SoupBinTCP 3.0 and 4.0: framing of a byte stream, and the sessions of both sides.
 *
 *      packet: length(2, big-endian, counts type and payload) type(1) payload
 *
 *      client  CLOSED --login--> LOGIN_SENT --A--> LOGGED_IN --Z--> ENDED        any --silence, nonsense, J--> DEAD
 *      server  CLOSED --open--> LOGIN_WAIT --L--> LOGIN_SEEN --accept--> LOGGED_IN --O, end--> ENDED
 *
 * States are POD for shared memory, and hold neither sockets nor clocks: bytes and now_ns come in, events and bytes go
 * out. Source: SoupBinTCP 3.00, sections 1 and 2.
 */
#ifndef GN_VENUE_NASDAQ_SOUPBINTCP_H
#define GN_VENUE_NASDAQ_SOUPBINTCP_H

#include "dataplane/abi/base.h"

#define GN_SOUP_HEADER      3u
#define GN_SOUP_USERNAME    6u
#define GN_SOUP_PASSWORD    10u
#define GN_SOUP_SESSION     10u
#define GN_SOUP_SEQUENCE    20u
#define GN_SOUP_PAYLOAD_MAX 4096u
#define GN_SOUP_LOGIN_BYTES (GN_SOUP_HEADER + GN_SOUP_USERNAME + GN_SOUP_PASSWORD + GN_SOUP_SESSION + GN_SOUP_SEQUENCE)

#define GN_SOUP_HEARTBEAT_NS 1000000000ull  /* silence of ours after which we send one */
#define GN_SOUP_DEAD_NS      15000000000ull /* silence of theirs after which the session is dead */

/* X(wire type, NAME, shortest payload, longest payload, from client, from server, "name") */
#define GN_SOUP_PACKETS(X)                                                \
    X('+', DEBUG, 0, GN_SOUP_PAYLOAD_MAX, 1, 1, "debug")                  \
    X('A', ACCEPTED, 30, 30, 0, 1, "login accepted")                      \
    X('J', REJECTED, 1, 1, 0, 1, "login rejected")                        \
    X('S', SEQUENCED, 0, GN_SOUP_PAYLOAD_MAX, 0, 1, "sequenced data")     \
    X('U', UNSEQUENCED, 0, GN_SOUP_PAYLOAD_MAX, 1, 1, "unsequenced data") \
    X('H', SERVER_HEARTBEAT, 0, 0, 0, 1, "server heartbeat")              \
    X('Z', END, 0, 0, 0, 1, "end of session")                             \
    X('L', LOGIN, 46, 46, 1, 0, "login request")                          \
    X('R', CLIENT_HEARTBEAT, 0, 0, 1, 0, "client heartbeat")              \
    X('O', LOGOUT, 0, 0, 1, 0, "logout request")

enum gn_soup_type {
#define GN_X(wire, NAME, min, max, client, server, name) GN_SOUP_##NAME = wire,
    GN_SOUP_PACKETS(GN_X)
#undef GN_X
};

/* X(number, NAME, "text"): what is wrong with a stream; callers count in an array of GN_SOUP_ERRS indexed by -err. */
#define GN_SOUP_ERR_TABLE(X)                                              \
    X(1, ZERO, "packet length is zero")                                   \
    X(2, LONG, "packet is longer than any that the protocol above sends") \
    X(3, TYPE, "unknown packet type")                                     \
    X(4, LENGTH, "length is not one of the packet type")                  \
    X(5, DIRECTION, "packet type is not one of that side")                \
    X(6, STATE, "packet does not belong into this state of the session")  \
    X(7, NUMBER, "sequence number is no number")                          \
    X(8, ROOM, "output buffer is too small")                              \
    X(9, MAGIC, "no session state at this address")

enum gn_soup_err {
    GN_SOUP_OK = 0,
#define GN_X(num, NAME, text) GN_SOUP_ERR_##NAME = -(num),
    GN_SOUP_ERR_TABLE(GN_X)
#undef GN_X
        GN_SOUP_ERRS = 10, /* size of an array of counters */
};

struct gn_soup_packet {
    const uint8_t *payload;
    uint16_t len;   /* of the payload */
    uint16_t bytes; /* of the packet: what to take from the stream */
    uint8_t type;   /* enum gn_soup_type */
};

/* gn_soup_next: the packet at the start of a stream of len bytes. 1: *pkt is set, take pkt->bytes from the stream; 0:
 * more bytes are needed; else the reason (GN_SOUP_ERR_ZERO, _LONG, _TYPE, _LENGTH), and the stream cannot be followed
 * further. A bad type or length is seen with the first 3 bytes, before the payload is there. */
int gn_soup_next(const uint8_t *stream, size_t len, struct gn_soup_packet *pkt) GN_MUST_CHECK;

/* gn_soup_header: writes the 3 bytes before a payload, which the caller encodes (or has encoded) right after them.
 * Returns the bytes of the whole packet. payload_len <= GN_SOUP_PAYLOAD_MAX. */
static inline uint32_t gn_soup_header(uint8_t *buf, enum gn_soup_type type, uint16_t payload_len)
{
    gn_store_be16(buf, (uint16_t)(payload_len + 1u));
    buf[2] = (uint8_t)type;
    return GN_SOUP_HEADER + payload_len;
}

/* gn_soup_number_write: 20 bytes, right-justified, padded with spaces. */
void gn_soup_number_write(uint8_t out[GN_SOUP_SEQUENCE], uint64_t n);

/* gn_soup_number_parse: digits with spaces before (or zeros) and after; GN_SOUP_ERR_NUMBER else, or past 64 bits. */
int gn_soup_number_parse(const uint8_t in[GN_SOUP_SEQUENCE], uint64_t *n) GN_MUST_CHECK;

/* ---- what both sides have ---- */

struct gn_soup_timing {
    uint64_t heartbeat_ns; /* 0: GN_SOUP_HEARTBEAT_NS */
    uint64_t dead_ns;      /* 0: GN_SOUP_DEAD_NS */
    uint64_t login_ns;     /* from login (client) or open (server) to logged in; 0: dead_ns */
};

enum gn_soup_state {
    GN_SOUP_CLOSED = 0,
    GN_SOUP_LOGIN_SENT = 1, /* client */
    GN_SOUP_LOGIN_WAIT = 2, /* server */
    GN_SOUP_LOGIN_SEEN = 3, /* server: the caller decides */
    GN_SOUP_LOGGED_IN = 4,
    GN_SOUP_ENDED = 5, /* in order: end of session, logout */
    GN_SOUP_DEAD = 6,  /* not in order: silence, nonsense, rejected */
};

/* X(NAME, "text"): what a packet meant. */
#define GN_SOUP_EVENTS(X)                                                        \
    X(NONE, "nothing to do")                                                     \
    X(LOGGED_IN, "client: the venue accepted the login")                         \
    X(LOGIN_REJECTED, "client: the venue rejected the login, see reason")        \
    X(LOGIN, "server: a client wants to log in")                                 \
    X(DATA_SEQUENCED, "client: the next sequenced message, see seq and payload") \
    X(DATA_REPLAYED, "client: a sequenced message that was processed before")    \
    X(DATA_UNSEQUENCED, "an unsequenced message, see payload")                   \
    X(HEARTBEAT, "the other side is alive")                                      \
    X(DEBUG_TEXT, "debug text in payload")                                       \
    X(LOGGED_OUT, "server: the client logged out")                               \
    X(SESSION_END, "client: the venue ended the session")                        \
    X(ERROR, "the session is dead, see err")

enum gn_soup_event {
#define GN_X(NAME, text) GN_SOUP_EV_##NAME,
    GN_SOUP_EVENTS(GN_X)
#undef GN_X
};

struct gn_soup_info {
    const uint8_t *payload;
    uint64_t seq;        /* DATA_SEQUENCED, DATA_REPLAYED: of this message; LOGGED_IN: of the next; LOGIN: requested */
    uint64_t lost;       /* LOGGED_IN: messages that we wanted and that the venue will not send again */
    uint64_t replay;     /* LOGGED_IN: messages it sends though we processed them: it knows fewer than we do */
    uint16_t len;        /* of payload */
    char reason;         /* LOGIN_REJECTED: 'A' not authorized, 'S' session not available */
    uint8_t new_session; /* LOGGED_IN: another session than the one we knew; its sequence starts anew */
    int err;             /* ERROR: enum gn_soup_err */
};

enum gn_soup_timer {
    GN_SOUP_TIMER_NONE = 0,
    GN_SOUP_TIMER_HEARTBEAT = 1, /* send one (gn_soup_client_heartbeat, gn_soup_server_heartbeat) */
    GN_SOUP_TIMER_DEAD = 2,      /* the other side was silent too long: close; reported once */
};

/* X(member, "help") */
#define GN_SOUP_STATS(X)                                         \
    X(logins, "logins tried or seen")                            \
    X(packets_in, "packets received")                            \
    X(packets_out, "packets built")                              \
    X(sequenced, "sequenced messages, replayed ones included")   \
    X(replayed, "sequenced messages that were processed before") \
    X(unsequenced_in, "unsequenced messages received")           \
    X(lost, "sequenced messages that the venue did not replay")  \
    X(deaths, "sessions that ended out of order")

struct gn_soup_stats {
#define GN_X(member, help) uint64_t member;
    GN_SOUP_STATS(GN_X)
#undef GN_X
    uint64_t errors[GN_SOUP_ERRS]; /* by -err */
};

/* ---- client ---- */

#define GN_SOUP_CLIENT_MAGIC 0x676e736f7570636cull /* "gnsoupcl" */
#define GN_SOUP_SERVER_MAGIC 0x676e736f75707376ull /* "gnsoupsv" */

struct gn_soup_client {
    uint64_t magic;
    struct gn_soup_timing timing;
    char username[GN_SOUP_USERNAME];
    char password[GN_SOUP_PASSWORD];
    char session[GN_SOUP_SESSION]; /* spaces: none known yet */
    uint8_t state;                 /* enum gn_soup_state */
    uint8_t pad[5];
    uint64_t next_seq;   /* next sequenced message to process: what a login asks for; moved by gn_soup_client_done */
    uint64_t wire_seq;   /* sequence of the next one on this connection */
    uint64_t last_rx_ns; /* of the last packet */
    uint64_t last_tx_ns; /* of the last packet that was built */
    struct gn_soup_stats stats;
};

/* gn_soup_client_new: credentials and session are zero-terminated or of full length, and are padded with spaces;
 * session may be empty. next_seq: first message wanted, 1 = all of the session, 0 = only what comes from now on. */
void gn_soup_client_new(struct gn_soup_client *c, const char *username, const char *password, const char *session,
                        uint64_t next_seq, const struct gn_soup_timing *timing);

/* gn_soup_client_password: what the next login says, as in gn_soup_client_new. */
void gn_soup_client_password(struct gn_soup_client *c, const char *password);

/* gn_soup_client_join: for a restarted owner: GN_SOUP_ERR_MAGIC or _STATE when it is no client state. Messages that
 * were handed out and not done come again if their bytes were not taken from the stream. */
int gn_soup_client_join(struct gn_soup_client *c) GN_MUST_CHECK;

/* gn_soup_client_login: the connection is there: builds the login request for session and next_seq; resumes where
 * gn_soup_client_done stopped. Returns the bytes, or GN_SOUP_ERR_ROOM. */
int gn_soup_client_login(struct gn_soup_client *c, uint8_t *buf, size_t room, uint64_t now_ns) GN_MUST_CHECK;

/* gn_soup_client_on_packet: what a packet of gn_soup_next means. */
enum gn_soup_event gn_soup_client_on_packet(struct gn_soup_client *c, const struct gn_soup_packet *pkt, uint64_t now_ns,
                                            struct gn_soup_info *info) GN_MUST_CHECK;

/* gn_soup_client_done: message seq was processed: a login after a crash or a disconnect asks from seq + 1 on. Call it
 * before its bytes are taken from the stream. */
static inline void gn_soup_client_done(struct gn_soup_client *c, uint64_t seq)
{
    c->next_seq = seq + 1;
}

/* gn_soup_client_on_error: the stream could not be followed (gn_soup_next said err): the session is dead. */
void gn_soup_client_on_error(struct gn_soup_client *c, int err);

/* gn_soup_client_closed: the connection is gone; the state can log in again. */
void gn_soup_client_closed(struct gn_soup_client *c);

/* gn_soup_client_due: while logged in, gn_soup_client_timer says NONE before this time, whatever is sent and received
 * until then; else 0. */
static inline uint64_t gn_soup_client_due(const struct gn_soup_client *c)
{
    const uint64_t dead = c->last_rx_ns + c->timing.dead_ns, beat = c->last_tx_ns + c->timing.heartbeat_ns;
    return c->state != GN_SOUP_LOGGED_IN ? 0 : dead < beat ? dead : beat;
}

/* gn_soup_client_timer: what is due. */
enum gn_soup_timer gn_soup_client_timer(struct gn_soup_client *c, uint64_t now_ns) GN_MUST_CHECK;

/* gn_soup_client_order: header of an unsequenced packet, whose payload of payload_len bytes is at buf + GN_SOUP_HEADER.
 * Returns the bytes of the packet. Hot: the caller has checked that the state is GN_SOUP_LOGGED_IN. */
static inline uint32_t gn_soup_client_order(struct gn_soup_client *c, uint8_t *buf, uint16_t payload_len,
                                            uint64_t now_ns)
{
    c->last_tx_ns = now_ns;
    c->stats.packets_out++;
    return gn_soup_header(buf, GN_SOUP_UNSEQUENCED, payload_len);
}

/* gn_soup_client_heartbeat / _logout: into GN_SOUP_HEADER bytes; the bytes of the packet. */
uint32_t gn_soup_client_heartbeat(struct gn_soup_client *c, uint8_t *buf, uint64_t now_ns);
uint32_t gn_soup_client_logout(struct gn_soup_client *c, uint8_t *buf, uint64_t now_ns);

/* ---- server ---- */

struct gn_soup_login {
    char username[GN_SOUP_USERNAME];
    char password[GN_SOUP_PASSWORD];
    char session[GN_SOUP_SESSION]; /* spaces: whichever is current */
    uint64_t seq;                  /* first message wanted; 0: from now on */
};

struct gn_soup_server {
    uint64_t magic;
    struct gn_soup_timing timing;
    char session[GN_SOUP_SESSION];
    uint8_t state; /* enum gn_soup_state */
    uint8_t pad[5];
    uint64_t next_seq; /* sequence of the next sequenced packet on this connection */
    uint64_t last_rx_ns;
    uint64_t last_tx_ns;
    struct gn_soup_login login; /* of the last login request */
    struct gn_soup_stats stats;
};

/* gn_soup_server_new: session as in gn_soup_client_new. One state a connection; the replay store is the caller's. */
void gn_soup_server_new(struct gn_soup_server *s, const char *session, const struct gn_soup_timing *timing);

/* gn_soup_server_open: a connection came. */
void gn_soup_server_open(struct gn_soup_server *s, uint64_t now_ns);

/* gn_soup_server_on_packet: what a packet means. With GN_SOUP_EV_LOGIN s->login is set; the caller answers with _accept
 * or _reject. */
enum gn_soup_event gn_soup_server_on_packet(struct gn_soup_server *s, const struct gn_soup_packet *pkt, uint64_t now_ns,
                                            struct gn_soup_info *info) GN_MUST_CHECK;

/* gn_soup_server_check: true when the login names these credentials and this session or none. Takes the same time for
 * every wrong password. */
bool gn_soup_server_check(const struct gn_soup_server *s, const char *username, const char *password);

/* gn_soup_server_accept: builds the answer; next_seq: sequence of the next sequenced packet that will be sent (the
 * caller replays from there). Returns the bytes, GN_SOUP_ERR_ROOM or GN_SOUP_ERR_STATE. */
int gn_soup_server_accept(struct gn_soup_server *s, uint8_t *buf, size_t room, uint64_t next_seq,
                          uint64_t now_ns) GN_MUST_CHECK;

/* gn_soup_server_reject: 'A' or 'S'; the session is dead. Returns the bytes, GN_SOUP_ERR_ROOM or GN_SOUP_ERR_STATE. */
int gn_soup_server_reject(struct gn_soup_server *s, uint8_t *buf, size_t room, char reason,
                          uint64_t now_ns) GN_MUST_CHECK;

/* gn_soup_server_sequenced: header of a sequenced packet, whose payload is at buf + GN_SOUP_HEADER; counts the
 * sequence. Returns the bytes of the packet. */
static inline uint32_t gn_soup_server_sequenced(struct gn_soup_server *s, uint8_t *buf, uint16_t payload_len,
                                                uint64_t now_ns)
{
    s->last_tx_ns = now_ns;
    s->next_seq++;
    s->stats.packets_out++;
    s->stats.sequenced++;
    return gn_soup_header(buf, GN_SOUP_SEQUENCED, payload_len);
}

enum gn_soup_timer gn_soup_server_timer(struct gn_soup_server *s, uint64_t now_ns) GN_MUST_CHECK;
void gn_soup_server_on_error(struct gn_soup_server *s, int err);
void gn_soup_server_closed(struct gn_soup_server *s);

/* gn_soup_server_heartbeat / _end: into GN_SOUP_HEADER bytes; the bytes of the packet. */
uint32_t gn_soup_server_heartbeat(struct gn_soup_server *s, uint8_t *buf, uint64_t now_ns);
uint32_t gn_soup_server_end(struct gn_soup_server *s, uint8_t *buf, uint64_t now_ns);

const char *gn_soup_strerror(int err);
const char *gn_soup_event_name(enum gn_soup_event ev);

#endif
