/* A small world for the gate: everything it reads, in plain memory, with values that tests change one at a time. */
#ifndef GN_TESTS_PROPERTY_GATE_WORLD_H
#define GN_TESTS_PROPERTY_GATE_WORLD_H

#include "dataplane/engine/gate.h"

#define GW_INSTRUMENTS 4u /* in the table; the last is known from the feed only */
#define GW_CAPACITY    64u
#define GW_ORDERS      16u

struct gate_world {
    struct gn_control *control; /* with the instruments' kill words behind it */
    struct gn_limits *limits;
    struct gn_instruments *instruments;
    struct gn_order_table *orders;
    struct gn_tob tob[GW_INSTRUMENTS];
    struct gn_position positions[GW_INSTRUMENTS];
    struct gn_session_row sessions[GN_SESSIONS_MAX];
    struct gn_conf conf;
    struct gn_risk *risk;
    struct gn_gate gate;
    uint64_t now_ns;
};

/* gate_world_new: generous limits, sound markets at 99.00 / 101.00, session 0 up, instrument i traded by strategy i. */
struct gate_world *gate_world_new(void);
void gate_world_free(struct gate_world *w);

/* gate_world_settle: limits, positions and prices that were changed in place count from now on; what the guards
 * remember is forgotten, and the prices are of now. */
void gate_world_settle(struct gate_world *w);

/* gate_world_lot: instrument i is traded in multiples of lot from now on. */
void gate_world_lot(struct gate_world *w, uint32_t i, int64_t lot);

/* gate_world_row, gate_world_firm: the rows in force; a change needs gate_world_refresh where rates are concerned. */
struct gn_limits_instrument *gate_world_row(struct gate_world *w, uint32_t instrument);
struct gn_limits_scope *gate_world_firm(struct gate_world *w);
void gate_world_refresh(struct gate_world *w);

/* gate_world_order: order number i of the table as a working one of that side, quantity and state. */
struct gn_order *gate_world_order(struct gate_world *w, uint32_t i, uint32_t instrument, uint32_t side, int64_t qty,
                                  uint32_t state);

/* gate_world_intent: a new order that passes: buy 10 of instrument 0 at 100.00. */
struct gn_intent gate_world_intent(void);

#endif
