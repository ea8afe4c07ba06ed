/* Stage orders: intents pass the gate and leave; what the venue says comes back; positions move; kill and loss of
 * control are acted on. Pure: no DPDK, no clock. Six files:
 *
 *      stage_orders.c   intent -> gate -> order -> OUCH in the TCP frame
 *      execution.c      OUCH message of the venue -> order, position -> report to strategy and journal
 *      session.c        TCP connection and SoupBinTCP login, heartbeats, resume, reconciliation
 *      cancel_sweep.c   kill word, mass cancels, lost control plane: cancel, watch, ask again
 *      order_break.c    what cannot be: counted, journaled, alarmed
 *      held.c           journal.mode sync: orders that wait until their record is durable; the journal's lag
 *
 * Nothing is sent that was not journaled first: room in the event ring is reserved before anything is changed. A venue
 * message that cannot be journaled is left in the TCP buffer until it can.
 */
#ifndef GN_LCORE_STAGE_ORDERS_H
#define GN_LCORE_STAGE_ORDERS_H

#include "dataplane/abi/command.h"
#include "dataplane/abi/conf.h"
#include "dataplane/abi/frame.h"
#include "dataplane/abi/metrics.h"
#include "dataplane/abi/recon.h"
#include "dataplane/engine/gate.h"
#include "dataplane/engine/order.h"
#include "dataplane/engine/undo.h"
#include "dataplane/net/tcp.h"
#include "drivers/venue/nasdaq/ouch.h"
#include "drivers/venue/nasdaq/soupbintcp.h"

/* The last message with a record of its own, noted before anything of it is done: see session_join.c. */
struct gn_sending {
    uint64_t offset;   /* in our stream, of its first byte */
    uint64_t rec_seq;  /* of its record in the event ring, */
    uint64_t rec_at;   /* and where in the ring's data that is: its intent is there before the message leaves */
    uint64_t order_id; /* that it opens; 0 = none */
};

/* Protocol state of an order session that outlives the process. */
struct gn_session_state_row {
    struct gn_soup_client soup;
    uint64_t login_seen; /* 1: logged in on this connection */
    uint64_t query_sent; /* 1: the account query is on its way */
    uint64_t queries;    /* account queries of this venue session, and answers to them */
    uint64_t answers;
    uint64_t stale; /* answers to come that may be to queries of earlier connections */
    uint64_t login_ns;
    uint64_t was_up;     /* 1: the venue has had orders of ours */
    uint64_t given;      /* bytes of this connection that TCP took from us */
    uint64_t stream_in;  /* bytes of this connection that were consumed */
    uint64_t at, at_seq; /* packet that is or was last processed: its offset, and its number */
    struct gn_sending sending;
    uint64_t rng;
    struct gn_undo undo; /* of the venue message that is being processed */
};

#define GN_HELD_MAX     1024u
#define GN_OUCH_QTY_MAX 999999 /* shares of one order, those that its chain has filled included */

/* An order that waits for its record. Rows are in the order of their records, so the first is the first to go. */
struct gn_held {
    uint64_t id;
    uint64_t cells; /* of the event ring: durable once its tail is here */
    uint64_t words; /* sum of the order's kill words: another sum means that one of them moved meanwhile */
    uint64_t held_ns;
};

struct gn_stage_orders {
    const struct gn_conf *conf;
    uint64_t epoch;
    uint32_t lcore;
    uint64_t id_base; /* order id without sequence */
    struct gn_gate gate;
    struct gn_control *control;
    struct gn_order_table *orders;
    struct gn_position *positions;
    struct gn_fills *fills; /* may be NULL, as may recon: nothing is kept (benchmarks) */
    struct gn_recon *recon;
    struct gn_session_row *rows;
    struct gn_session_state_row *state;
    const struct gn_instruments *instruments;
    struct gn_ouch_template *templates; /* two for each instrument: buy, sell */
    uint32_t n_templates;               /* instruments that have theirs */
    struct gn_net *net[GN_PORTS_MAX];
    struct gn_tcp *tcp[GN_PORTS_MAX];
    struct gn_txq *txq[GN_PORTS_MAX];
    struct gn_ring *events; /* to the journal */
    struct gn_ring *execs;  /* to the strategy stage */
    struct gn_lcore_metrics *m;
    uint64_t quiet_ns[GN_SESSIONS_MAX]; /* no timer of a session that is up is due before */
    uint64_t warm_ns[GN_SESSIONS_MAX];  /* the path of an order is warmed then */
    struct gn_order *untold; /* an order that left, and that its strategy has not been told of; NULL = none */
    uint64_t untold_prev;    /* the order it replaces, 0 = none */
    /* cancel sweep */
    uint64_t word_seen;
    uint64_t sweep_ns;                    /* no sweep before */
    uint64_t due_ns;                      /* nothing to ask for before, unless something happens: gn_sweep_wake */
    uint64_t scan_ns;                     /* kill words of strategies and instruments are not looked through before */
    uint32_t wanted;                      /* orders with cancel_wanted set */
    uint64_t mass_seq[GN_STRATEGIES_MAX]; /* sequence of the record of a strategy's last mass cancel, 0 = none */
    uint64_t session_word_seen[GN_SESSIONS_MAX];
    uint32_t mass_due; /* sessions, bit by bit, that a kill owes a mass cancel */
    bool killed;       /* a scope is at KILLED: sweep until nothing works */
    bool draining;     /* the process is about to end: see gn_stage_orders_drain */
    bool stopping;     /* logged out for good: no session comes back */
    /* the journal: what waits for it, and how far it is behind */
    bool sync;
    uint32_t held_first, held_n;
    uint64_t synced_seq;  /* last record known to be durable */
    uint64_t lag_look_ns; /* the age of the oldest record is looked at then */
    struct gn_held held[GN_HELD_MAX];
    /* watch on the control plane */
    uint64_t beat_count, beat_ns;
    bool reason_written; /* for a raise of our own that is to come */
    uint32_t blocked;    /* sessions, bit by bit, for which TCP refused the last message */
    struct gn_gate_words words;
    uint64_t told_generation;                                    /* of limits, journaled last */
    bool (*lag_sense)(void *arg, struct gn_gate_detail *detail); /* NULL: the event ring tells */
    void *lag_arg;
    uint32_t (*mark_sense)(void *arg); /* NULL: gn_risk_due; whose mark is looked at now; shares lag_arg */
    struct gn_rec *rec;                /* of the intent that is being decided */
    uint64_t life_seq;                 /* first record of this life in the event ring */
    uint32_t unheard;                  /* sessions, bit by bit, that were taken over and not heard since */
    /* breakers and dead-man timers */
    uint64_t guard_ns;                  /* no look before */
    uint64_t probe_ns[GN_SESSIONS_MAX]; /* a probe on a connection that is up counts as lost then; 0 = none */
    /* commands of the control plane: command.c */
    struct gn_commands *commands; /* NULL: none are taken */
    uint64_t bell_seen;
    uint16_t last_verdict; /* of the last intent that was refused */
    uint32_t fences;       /* slots, bit by bit, whose query waits for its answer */
    uint64_t fence[GN_COMMAND_SLOTS], fence_logins[GN_COMMAND_SLOTS];
    uint64_t fence_number[GN_COMMAND_SLOTS]; /* of the command, and its session: the slot itself may change */
    uint32_t fence_session[GN_COMMAND_SLOTS];
};

/* gn_stage_orders_start: after all pointers are set: joins or starts sessions, builds the templates. */
void gn_stage_orders_start(struct gn_stage_orders *s, bool joined, uint64_t now_ns);

/* gn_stage_orders_decide: one intent up to its frame in the txq and its record in the event ring, not yet published.
 * gn_stage_orders_tell: what follows the frame: counters, and the report to the strategy. The loop publishes the record
 * and hands the frame to the port in between. */
void gn_stage_orders_decide(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns);
void gn_stage_orders_tell(struct gn_stage_orders *s, uint64_t now_ns);

/* gn_stage_orders_intent: both; has the type of gn_intent_sink_fn. */
void gn_stage_orders_intent(void *stage, const struct gn_intent *in, uint64_t now_ns);

/* gn_stage_orders_poll: limits, heartbeat, sessions, cancel sweep. Once a turn of the loop. */
void gn_stage_orders_poll(struct gn_stage_orders *s, uint64_t now_ns);

/* gn_stage_orders_drain: no new risk from here on, and everything that works is cancelled: by the polls that follow. */
void gn_stage_orders_drain(struct gn_stage_orders *s, uint64_t now_ns);

/* gn_stage_orders_stop: logs out of all sessions; frames are in the txqs afterwards. */
void gn_stage_orders_stop(struct gn_stage_orders *s, uint64_t now_ns);

/* ---- between the files ---- */

/* gn_orders_event: a journal record with `payload` bytes behind its header; NULL, counted, and trading killed when the
 * ring is full. */
struct gn_rec *gn_orders_event(struct gn_stage_orders *s, uint16_t type, uint32_t payload, uint64_t now_ns);

/* gn_orders_report: a report to the order's strategy. */
void gn_orders_report(struct gn_stage_orders *s, const struct gn_exec *e, uint64_t now_ns);

/* gn_orders_exec_of: a report about an order as it is now. */
void gn_orders_exec_of(const struct gn_stage_orders *s, const struct gn_order *o, uint8_t kind, struct gn_exec *e);

/* gn_orders_move: gives an event to an order; a pair that the transition table forbids is counted and alarmed. An order
 * that stops working has left the sweep. */
void gn_orders_move(struct gn_stage_orders *s, struct gn_order *o, uint32_t event, uint64_t now_ns);

/* gn_orders_break: a break between our books and the venue's: table, journal, and an alert when its severity asks for
 * one. *b without seq and found_ns; state 0 counts as open. */
void gn_orders_break(struct gn_stage_orders *s, const struct gn_break *b, uint64_t now_ns);

/* gn_orders_alert: an alert record; text is cut to its room. */
void gn_orders_alert(struct gn_stage_orders *s, uint64_t corr, uint32_t code, uint32_t severity, const char *text,
                     uint64_t now_ns);

/* gn_orders_notes: records of what the gate found: losses, soft thresholds, guards, tokens used, strategies disabled.
 */
void gn_orders_notes(struct gn_stage_orders *s, uint64_t now_ns);

/* gn_orders_marks: the trading day, and the mark of an active instrument when it is due: with a record, because it
 * fires by time. */
void gn_orders_marks(struct gn_stage_orders *s, uint64_t now_ns);

/* gn_orders_cancel_own: cancels the working orders that the intent would meet. */
void gn_orders_cancel_own(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns);

/* gn_orders_cancel: sends a cancel of a working order. Returns enum gn_verdict. */
uint16_t gn_orders_cancel(struct gn_stage_orders *s, struct gn_order *o, uint64_t now_ns);

/* gn_orders_room: true when the event ring takes all records that one venue message can cause; else trading is killed.
 */
bool gn_orders_room(struct gn_stage_orders *s) GN_MUST_CHECK;

/* gn_orders_mass_cancel: asks the venue to cancel all orders of the session. It uses up a user reference. */
uint16_t gn_orders_mass_cancel(struct gn_stage_orders *s, uint32_t session, uint64_t now_ns);

/* gn_orders_fill: makes o the order of an intent. gn_orders_send_held: sends one that was held, a replacement of `old`
 * when that is not NULL; enum gn_verdict. gn_orders_halted: the last look at the kill words. */
void gn_orders_fill(struct gn_stage_orders *s, struct gn_order *o, uint64_t seq, const struct gn_intent *in,
                    uint64_t now_ns);
uint16_t gn_orders_send_held(struct gn_stage_orders *s, struct gn_order *o, struct gn_order *old,
                             const struct gn_intent *in, uint64_t now_ns);
bool gn_orders_halted(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns);

/* gn_held_take: a new order or replacement that passed the gate is opened, with its reservation, and held. The record
 * of the intent is the last one reserved in the event ring. gn_held_poll: those whose record is durable are checked
 * again and sent, those that waited too long are given up. gn_held_drop: one ends unsent, with enum gn_verdict as the
 * reason. gn_held_drop_session: all of a session. */
uint16_t gn_held_take(struct gn_stage_orders *s, const struct gn_intent *in, struct gn_order *old, uint64_t now_ns,
                      struct gn_order **out);
void gn_held_poll(struct gn_stage_orders *s, uint64_t now_ns);
void gn_held_drop(struct gn_stage_orders *s, struct gn_order *o, uint16_t reason, uint64_t now_ns);
void gn_held_drop_session(struct gn_stage_orders *s, uint32_t session, uint64_t now_ns);

/* gn_held_lag: how many records of this lcore are not durable, and for how long; sets the gate's journal_late. Polls
 * look at both every 100 us, an intent at the number whenever it may have passed its bound. */
void gn_held_lag(struct gn_stage_orders *s, uint64_t now_ns);

/* gn_execution_message: one sequenced message of the venue; gn_orders_room was true. */
void gn_execution_message(struct gn_stage_orders *s, uint32_t session, const uint8_t *msg, uint16_t len, uint64_t seq,
                          uint64_t now_ns);

/* gn_session_start, gn_session_poll, gn_session_reconciled, gn_session_logout */
/* gn_session_join: before gn_stage_orders_start: which sessions of an earlier life go on, on their connections (row's
 * handover); settles what was under way when it died, and marks orders that nobody looks after to be cancelled. tables:
 * the private tables are those of that life; carried: ports, bit by bit, whose TCP tables were joined.
 * gn_session_told: tells the clients of a session that goes on how their orders stand. */
void gn_session_join(struct gn_stage_orders *s, bool tables, uint32_t carried, uint64_t now_ns);
void gn_session_told(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);
void gn_session_start(struct gn_stage_orders *s, uint32_t i, bool joined, uint64_t now_ns);
void gn_session_poll(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);
void gn_session_reconciled(struct gn_stage_orders *s, uint32_t i, uint32_t next_user_ref, uint64_t now_ns);
/* gn_session_query: sends an account query on a session that is logged in; false when TCP cannot take it now. */
bool gn_session_query(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);
void gn_session_logout(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);

/* gn_session_retry: a session that was refused or has ended connects at once; false when it is neither. */
bool gn_session_retry(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns) GN_MUST_CHECK;

/* gn_orders_place: an order that no strategy asked for: gate, wire, journal as for every other one. *id is its order
 * id. Returns enum gn_verdict. */
uint16_t gn_orders_place(struct gn_stage_orders *s, const struct gn_intent *in, uint64_t now_ns, int64_t *id);

/* gn_command_start: commands from before are lost. gn_command_poll: those that came; a compare when there are none. */
void gn_command_start(struct gn_stage_orders *s);
void gn_command_take(struct gn_stage_orders *s, uint64_t bell, uint64_t now_ns);
static inline void gn_command_poll(struct gn_stage_orders *s, uint64_t now_ns)
{
    if (s->commands == NULL)
        return;
    uint64_t bell = atomic_load_explicit(&s->commands->bell_orders, memory_order_acquire);
    if (GN_UNLIKELY(bell != s->bell_seen || s->fences != 0))
        gn_command_take(s, bell, now_ns);
}

/* gn_sweep_wake: something happened that may let a wanted cancel go, or ask for one. */
static inline void gn_sweep_wake(struct gn_stage_orders *s)
{
    s->due_ns = 0;
}

/* gn_sweep_poll: kill words and wanted cancels. gn_sweep_mass: marks a strategy's orders; cause: sequence of the record
 * of the intent. gn_sweep_left: an order has stopped working. */
/* gn_guard_start, gn_guard_poll: breakers and dead-man timers (session_guard.c). gn_guard_lost: a connection is gone or
 * was not made. gn_guard_rejected: the venue rejected an order. gn_guard_connecting: a connection is tried.
 * gn_guard_answered: the venue answered an account query. */
void gn_guard_start(struct gn_stage_orders *s, uint64_t now_ns);
void gn_guard_poll(struct gn_stage_orders *s, uint64_t now_ns);
void gn_guard_lost(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);
void gn_guard_rejected(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);
void gn_guard_connecting(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);
void gn_guard_answered(struct gn_stage_orders *s, uint32_t i, uint64_t now_ns);

/* gn_sweep_poll: kill words and wanted cancels. gn_sweep_mass: marks a strategy's orders. gn_sweep_left: an order has
 * stopped working. */
void gn_sweep_poll(struct gn_stage_orders *s, uint64_t now_ns);
void gn_sweep_mass(struct gn_stage_orders *s, uint32_t strategy, uint32_t instrument, uint64_t cause);
void gn_sweep_left(struct gn_stage_orders *s, struct gn_order *o, uint64_t now_ns);

/* Places that fill_order of stage_orders.c copies as one. */
#define LIE_ALIKE(order, intent, next)                                                       \
    static_assert(offsetof(struct gn_order, next) - offsetof(struct gn_order, order) ==      \
                      offsetof(struct gn_intent, next) - offsetof(struct gn_intent, intent), \
                  "copied as one")
LIE_ALIKE(state, action, side);
LIE_ALIKE(state, action, tif);
LIE_ALIKE(state, action, session);
LIE_ALIKE(price, price, qty);
LIE_ALIKE(tag, tag, tick_seq);
#undef LIE_ALIKE

#endif
