/* The replay's state, shared by its own files: engine.c (lives and turns), senses.c (what the run sees of control and
 * clients), transport.c (what it sees of TCP).
 */
#ifndef GN_REPLAY_ENGINE_IMPL_H
#define GN_REPLAY_ENGINE_IMPL_H

#include "tools/replay/engine.h"

#define GN_REPLAY_BLOCKS      32u
#define GN_REPLAY_EVENT_CELLS (1u << 17)

/* Stands for the TCP table of a port. */
struct gn_replay_port {
    struct gn_replay *r;
    uint32_t port;
};

struct gn_replay_group {
    uint8_t *bytes; /* records back to back, each aligned to 8 */
    size_t used, room;
    uint32_t *at; /* offsets */
    uint32_t n, n_room;
    uint64_t time_ns;
    uint64_t first_seq;
};

struct gn_backtest;

struct gn_replay {
    const struct gn_conf *conf;
    const struct gn_conf_instrument *instruments;
    struct gn_replay_counts counts;
    struct gn_backtest *backtest; /* NULL: outputs are compared with the journal's */
    struct gn_replay_group group;
    bool alive; /* a start was seen */
    bool late;  /* as the journal says of itself */
    bool last;  /* the journal ends within this turn, maybe: what comes after its end is no difference */
    uint64_t epoch;
    uint32_t compared; /* records of the group that were compared so far */
    uint64_t cursor, exec_cursor;
    struct gn_stage_feed feed;
    struct gn_stage_strategy strategy;
    struct gn_stage_orders orders;
    struct gn_lcore_metrics m;
    struct gn_replay_port port[GN_PORTS_MAX];
    struct gn_arb_config arb_config;
    void *books, *own_state;
    uint64_t own_state_bytes, events_cells;
    struct gn_client_block *client; /* with a ring that always has something: clients are asked every turn */
    struct gn_ring *events, *execs;
    uint8_t payload[GN_FRAME_ROOM]; /* where orders are encoded */
    void *block[GN_REPLAY_BLOCKS];
    uint64_t block_bytes[GN_REPLAY_BLOCKS];
    uint32_t n_blocks;
};

/* gn_replay_strategy_bytes: of a strategy's state. */
uint64_t gn_replay_strategy_bytes(const struct gn_conf *c, uint32_t i);

/* gn_replay_peek: the record that the live run wrote k records after the new run's last one, of this turn; NULL when it
 * wrote none. */
const struct gn_rec *gn_replay_peek(const struct gn_replay *r, uint32_t k);

/* gn_replay_control_in, gn_replay_session_in: the payload when the record is of that type and long enough, else NULL.
 */
const struct gn_ev_control_in *gn_replay_control_in(const struct gn_rec *rec);
const struct gn_ev_session_in *gn_replay_session_in(const struct gn_rec *rec);
const struct gn_ev_order *gn_replay_order(const struct gn_rec *rec);

/* gn_replay_words: puts the kill words that the records from peek k on name into shared memory, as long as they are of
 * that look. */
void gn_replay_words(struct gn_replay *r, uint32_t k, uint8_t look);

/* gn_replay_before_orders: shared memory as the orders stage's poll will find it. */
void gn_replay_before_orders(struct gn_replay *r, uint64_t now_ns);

/* gn_replay_intent: the sink of strategies; arg is the struct gn_replay. */
void gn_replay_intent(void *arg, const struct gn_intent *in, uint64_t now_ns);

/* gn_replay_lag: a gn_stage_orders.lag_sense. */
/* gn_replay_mark: whose prices the live run looked at in this turn, by its record. */
uint32_t gn_replay_mark(void *arg);

bool gn_replay_lag(void *arg, struct gn_gate_detail *detail);

/* gn_replay_client: stands for the strategies of kind client: their intents are in the order records. */
extern const struct gn_strategy_ops gn_replay_client;

#endif
