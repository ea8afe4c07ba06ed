/* The stages of one lcore in virtual time, with a venue on the other end of a wire, all in one process and without
 * DPDK: the real feed, strategy and orders stages over the real network endpoint and TCP, against a peer made from the
 * same endpoint, the SoupBinTCP server and OUCH encoders.
 *
 *      gn_h_turn: wire -> gn_net_input -> feed -> strategy -> orders -> wire        the data plane's turn
 *                 wire -> gn_net_input -> SoupBinTCP -> inbox;  outbox -> wire       the venue's turn
 *
 * Reservations and counts are checked after every turn; `broken` names the first thing that was wrong.
 */
#ifndef GN_TESTS_LCORE_HARNESS_H
#define GN_TESTS_LCORE_HARNESS_H

#include "dataplane/lcore/stage_feed.h"
#include "dataplane/lcore/stage_orders.h"
#include "dataplane/lcore/stage_strategy.h"
#include "drivers/venue/nasdaq/itch.h"
#include "drivers/venue/nasdaq/moldudp64.h"

#define GN_H_MY_IP      0x0a000001u
#define GN_H_VENUE_IP   0x0a000002u
#define GN_H_GROUP_A    0xef000001u
#define GN_H_GROUP_B    0xef000002u
#define GN_H_UDP_A      30001u
#define GN_H_UDP_B      30002u
#define GN_H_UDP_SERVER 31000u
#define GN_H_UDP_MINE   31001u
#define GN_H_SOUP_PORT  26400u
#define GN_H_SESSION    "SESSION001"

#define GN_H_MS     1000000ull
#define GN_H_ORDERS 256u
#ifdef GN_H_SMALL /* for fuzzing: laid out thousands of times */
    #define GN_H_WIRE   256u
    #define GN_H_INBOX  1024u
    #define GN_H_OUTBOX 1024u
    #define GN_H_LOG    64u
#else
    #define GN_H_WIRE   1024u
    #define GN_H_INBOX  8192u
    #define GN_H_OUTBOX 8192u
    #define GN_H_LOG    16384u
#endif
#define GN_H_CONNS     4u
#define GN_H_TCP_BUF   16384u
#define GN_H_EVENT_MAX 64u
#define GN_H_TOUCH     0u /* strategy and first instrument of the touch strategy */
#define GN_H_DESK      1u /* strategy whose intents the tests write themselves; owns all other instruments */
#define GN_H_LINE_A    1u
#define GN_H_LINE_B    2u
#define GN_H_LINE_R    4u /* answers of the retransmission server */

struct gn_h_options {
    uint32_t instruments; /* table size, default 16 */
    uint32_t configured;  /* default 4 */
    uint32_t book_orders; /* default 1024 */
    uint32_t book_levels; /* default 4096 */
    uint32_t event_cells; /* default 8192 */
    bool no_requests;     /* no retransmission server */
    bool shared;          /* memory that a child process shares: for gn_h_killed_turn */
};

/* Frames under way in one direction. */
struct gn_h_wire {
    uint32_t head, tail;
    bool cut; /* frames vanish */
    uint16_t len[GN_H_WIRE];
    uint8_t frame[GN_H_WIRE][GN_FRAME_ROOM];
};

struct gn_h_end {
    struct gn_net *net;
    struct gn_tcp *tcp;
    struct gn_txq txq;
    uint8_t room[GN_TXQ_MAX][GN_FRAME_ROOM];
    struct gn_h_wire out;
};

struct gn_h_out {
    uint16_t len;
    uint8_t bytes[GN_OUCH_OUT_MAX];
};

/* The venue: what it was sent, and every sequenced message it ever said. */
struct gn_h_peer {
    struct gn_h_end end;
    struct gn_soup_server soup;
    uint32_t conn;       /* GN_TCP_NONE: nobody is connected */
    uint64_t cursor;     /* index of the next message of outbox to go out on this connection */
    bool silent;         /* reads, answers nothing at all */
    bool hold;           /* logs in, keeps sequenced messages back */
    char refuse;         /* reason of a login reject, 0: accept */
    uint32_t stop_after; /* not 0: keeps everything behind this many messages of its outbox back */
    bool no_query;       /* does not answer account queries */
    bool replay_all;     /* accepts every login from sequence 1 on, whatever it asked for */
    uint32_t next_ref;   /* next user reference it expects: one past the highest it saw */
    uint32_t n_in;       /* messages of the data plane, newest last */
    struct gn_ouch_msg in[GN_H_INBOX];
    uint32_t n_out;
    struct gn_h_out out[GN_H_OUTBOX];
    uint32_t logins, logouts, n_requests;
    struct gn_mold_request request; /* the last one */
    uint64_t match;
};

struct gn_h_event {
    struct gn_rec rec;
    uint8_t payload[256];
};

struct gn_h {
    struct gn_conf conf;
    uint64_t now, step_ns;
    bool cp_dead;       /* the control plane's heartbeat stands still */
    bool journal_stuck; /* nobody drains the event ring */
    /* not NULL: is given every record as the journal would get it; the starting state is recorded, too */
    void (*on_record)(void *arg, const struct gn_rec *rec);
    void *record_arg;
    const char *broken; /* first violated invariant, NULL = none */
    struct gn_control *control;
    struct gn_limits *limits;
    struct gn_risk *risk;
    struct gn_order_table *orders;
    struct gn_position *positions;
    struct gn_fills *fills;
    struct gn_recon *recon;
    struct gn_session_row *rows;
    struct gn_session_state_row *state;
    struct gn_instruments *instruments;
    struct gn_tob *tob;
    struct gn_book_row *book_rows;
    struct gn_ouch_template *templates;
    uint32_t *locate;
    uint64_t *words; /* kill words of instruments as taken */
    struct gn_ring *events, *execs;
    void *strategy_state;
    void *books, *arb;
    struct gn_lcore_metrics m;
    struct gn_h_end end;
    struct gn_stage_feed feed;
    struct gn_stage_strategy strategy;
    struct gn_stage_orders stage;
    struct gn_h_peer peer;
    struct gn_intent queued[8]; /* of the desk: for the next turn, as a client's ring is read */
    uint32_t n_queued;
    uint64_t event_cursor, exec_cursor;
    uint64_t counts[GN_H_EVENT_MAX]; /* journal records by type */
    uint32_t n_exec, n_event;
    struct gn_exec exec[GN_H_LOG];
    struct gn_h_event event[GN_H_LOG];
    void *blocks[32];
    uint64_t block_bytes[32];
    uint32_t n_blocks;
    bool shared;
};

/* gn_h_new: everything laid out, limits generous and published, session not yet connected. options may be NULL. */
struct gn_h *gn_h_new(const struct gn_h_options *options);
void gn_h_free(struct gn_h *h);

/* gn_h_record: from here on every record goes to fn, beginning with a restart whose starting state is journaled. */
void gn_h_record(struct gn_h *h, void (*fn)(void *arg, const struct gn_rec *rec), void *arg);
/* gn_h_make_risk: every configured instrument has its place in the sums. For gn_h_new. */
void gn_h_make_risk(struct gn_h *h);

/* gn_h_limits: rows of the limits in force were changed in place: they become a generation of their own. */
void gn_h_limits(struct gn_h *h);

/* gn_h_turn: one turn of both sides, step_ns later. gn_h_run: turns for that long. */
void gn_h_turn(struct gn_h *h);
void gn_h_run(struct gn_h *h, uint64_t ns);

/* gn_h_until_state: turns until the session is in that state; false after max_ns. gn_h_up: until it is up. */
bool gn_h_until_state(struct gn_h *h, uint32_t state, uint64_t max_ns);
bool gn_h_up(struct gn_h *h);

/* gn_h_restart: the data plane was killed and starts again. own: its private tables were found; else only the files
 * that the control plane keeps are there. */
void gn_h_restart(struct gn_h *h, bool own);

/* gn_h_killed_turn: a child process gives the intent (NULL: none) to the data plane and takes its turn, and is killed
 * after so many instructions; true when it came to the end before. Needs options.shared. gn_h_handover: the next life
 * joins everything, the TCP connection included. */
bool gn_h_killed_turn(struct gn_h *h, const struct gn_intent *in, uint64_t instructions);
void gn_h_handover(struct gn_h *h);

/* gn_h_check: reservations, counts and lists against the orders themselves; NULL, or what is wrong. */
const char *gn_h_check(const struct gn_h *h);

/* gn_h_publish: n messages in one MoldUDP64 packet on the lines of the mask. gn_h_heartbeat: next is the sequence to
 * come. gn_h_datagram: any bytes. */
void gn_h_publish(struct gn_h *h, uint32_t lines, uint64_t seq, const struct gn_itch_msg *m, uint32_t n);
void gn_h_heartbeat(struct gn_h *h, uint32_t lines, uint64_t next);
void gn_h_datagram(struct gn_h *h, uint32_t lines, const uint8_t *bytes, uint32_t len);

/* gn_h_quote: adds a bid and an offer of 100 shares for an instrument, so that the gate has a reference. */
void gn_h_quote(struct gn_h *h, uint32_t instrument, int64_t bid, int64_t ask);

/* gn_h_intent: gives an intent of the desk to the orders stage. gn_h_new_order: a day order; its row, NULL = refused.
 */
void gn_h_intent(struct gn_h *h, const struct gn_intent *in);
void gn_h_queue(struct gn_h *h, const struct gn_intent *in); /* for the next turn; up to 8 */
struct gn_order *gn_h_new_order(struct gn_h *h, uint32_t instrument, uint32_t side, int64_t price, int64_t qty);
void gn_h_cancel(struct gn_h *h, const struct gn_order *o);

/* ---- what the venue says; delivered from the next turn on ---- */
void gn_h_say(struct gn_h *h, const struct gn_ouch_msg *m);
void gn_h_say_bytes(struct gn_h *h, const uint8_t *bytes, uint16_t len);
void gn_h_accept(struct gn_h *h, const struct gn_order *o);
void gn_h_fill(struct gn_h *h, uint32_t user_ref, uint32_t qty, int64_t price);
void gn_h_canceled(struct gn_h *h, uint32_t user_ref, uint32_t qty);
void gn_h_reject(struct gn_h *h, uint32_t user_ref, uint16_t reason);
void gn_h_replaced(struct gn_h *h, const struct gn_order *old, const struct gn_order *successor, uint32_t qty);

/* gn_h_hang_up: the venue resets the connection. gn_h_raw: bytes into the stream outside of any framing. */
void gn_h_hang_up(struct gn_h *h);
void gn_h_raw(struct gn_h *h, const uint8_t *bytes, uint32_t len);

/* ---- between the two files of the harness ---- */
void gn_h_flush(struct gn_h_end *e);
void gn_h_peer_turn(struct gn_h *h);

/* ---- looking ---- */
uint32_t gn_h_inbox_count(const struct gn_h *h, uint8_t type);
const struct gn_ouch_msg *gn_h_inbox_last(const struct gn_h *h, uint8_t type);
const struct gn_exec *gn_h_exec_last(const struct gn_h *h, uint8_t kind);
uint32_t gn_h_exec_count(const struct gn_h *h, uint8_t kind);
uint32_t gn_h_session(const struct gn_h *h);

#endif
