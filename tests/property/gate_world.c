#include "tests/property/gate_world.h"

#include <stdlib.h>

static void *take(uint64_t bytes)
{
    void *p = aligned_alloc(GN_GUARD, gn_align_up(bytes, GN_GUARD));
    if (p == NULL)
        abort();
    memset(p, 0, gn_align_up(bytes, GN_GUARD));
    return p;
}

static void fill_rows(struct gate_world *w)
{
    for (uint64_t half = 0; half < 2; half++) {
        struct gn_limits_scope *firm = gn_limits_firm_row(w->limits, half);
        gn_limits_scope_open(firm);
        firm->max_open_orders = 50;
        firm->message_rate = 1000;
        firm->message_burst = 20;
        firm->cancel_reserve = 5;
        for (uint32_t row = GN_ROW_VENUE; row < GN_ROW_THEME; row++) { /* only the sessions' budgets are tight */
            struct gn_limits_scope *l = gn_limits_scope_row(w->limits, half, row);
            l->set = 1ull << GN_SL_MESSAGE_RATE | 1ull << GN_SL_MESSAGE_BURST | 1ull << GN_SL_CANCEL_RESERVE;
            l->message_rate = 10000000;
            l->message_burst = 1000000;
        }
        for (uint32_t i = 0; i < GW_INSTRUMENTS; i++) {
            struct gn_limits_instrument *row = gn_limits_row(w->limits, half, i);
            gn_limits_instrument_open(row);
            row->tradable = 1;
            row->max_qty = 100;
            row->max_value = 100000000;
            row->collar_bps = 500;
            row->max_position = 500;
            row->max_open_orders = 20;
        }
    }
}

static void describe(struct gate_world *w, uint32_t i)
{
    const struct gn_instrument *k = &w->instruments->row[i];
    const struct gn_conf_instrument conf = {.price_exp = -4,
                                            .strategy = i,
                                            .tick = k->tick,
                                            .lot = k->lot,
                                            .theme = i % 2,
                                            .multiplier = 1,
                                            .fx_ppm = 1000000,
                                            .prev_close = 1000000};
    if (!gn_risk_describe(w->risk, i, &w->conf, &conf))
        abort();
}

/* Two accounts, two venues, two themes: instrument i is traded by strategy i of account i % 2, in theme i % 2, at venue
 * 0, where both sessions are. */
static void fill_conf(struct gate_world *w)
{
    struct gn_conf *c = &w->conf;
    c->risk =
        (struct gn_conf_risk){.window_ms = 15, .duplicate_ms = 20, .velocity_ms = 30, .period_ms = 60, .mark_us = 10};
    c->n_instruments = GW_INSTRUMENTS - 1;
    c->n_strategies = GW_INSTRUMENTS;
    for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++) {
        c->strategy[i].account = i % 2;
        c->strategy[i].algo_id = i + 1;
    }
    w->risk = take(gn_risk_footprint(GW_INSTRUMENTS));
    gn_risk_new(w->risk, GW_INSTRUMENTS);
    for (uint32_t i = 0; i < c->n_instruments; i++)
        describe(w, i);
}

void gate_world_lot(struct gate_world *w, uint32_t i, int64_t lot)
{
    w->instruments->row[i].lot = lot;
    describe(w, i);
}

struct gate_world *gate_world_new(void)
{
    struct gate_world *w = take(sizeof *w);
    w->control = take(sizeof *w->control + 8 * GW_INSTRUMENTS);
    w->limits = take(gn_limits_footprint(GW_INSTRUMENTS));
    w->instruments = take(sizeof *w->instruments + GW_INSTRUMENTS * sizeof(struct gn_instrument));
    w->orders = take(gn_orders_footprint(GW_CAPACITY));
    w->orders->capacity = GW_CAPACITY;
    w->limits->rows = GW_INSTRUMENTS;
    fill_rows(w);
    w->instruments->capacity = GW_INSTRUMENTS;
    w->instruments->configured = GW_INSTRUMENTS - 1;
    atomic_store(&w->instruments->count, GW_INSTRUMENTS);
    w->now_ns = 1000000000;
    for (uint32_t i = 0; i < GW_INSTRUMENTS; i++) {
        struct gn_instrument *k = &w->instruments->row[i];
        k->tick = 100;
        k->lot = 1 + i;
        k->strategy = i;
        k->configured = i < w->instruments->configured;
        w->tob[i] = (struct gn_tob){.bid = 990000,
                                    .bid_qty = 5,
                                    .ask = 1010000,
                                    .ask_qty = 5,
                                    .last = 995000,
                                    .tick_seq = 1,
                                    .time_ns = w->now_ns};
    }
    atomic_store(&w->sessions[0].state, GN_SESSION_UP);
    fill_conf(w);
    w->gate = (struct gn_gate){
        .control = w->control,
        .limits = w->limits,
        .instruments = w->instruments,
        .tob = w->tob,
        .positions = w->positions,
        .sessions = w->sessions,
        .orders = w->orders,
        .risk = w->risk,
        .conf = &w->conf,
        .max_instruments = GW_INSTRUMENTS,
    };
    gn_limits_publish(w->limits);
    gn_gate_start(&w->gate, w->now_ns);
    return w;
}

void gate_world_settle(struct gate_world *w)
{
    gn_risk_take_scopes(&w->gate.ctx);
    for (uint32_t i = 0; i < GW_INSTRUMENTS; i++) {
        struct gn_risk_instrument *x = &w->risk->instrument[i];
        x->generation = 0;
        x->recent_n = x->guard = 0;
        x->mark = x->moved_from = 0;
        x->moved_ns = x->period_ns = 0;
        w->tob[i].tick_seq++;
        w->tob[i].time_ns = w->now_ns;
        gn_risk_sync(&w->gate.ctx, i);
    }
}

void gate_world_free(struct gate_world *w)
{
    free(w->control);
    free(w->limits);
    free(w->instruments);
    free(w->orders);
    free(w->risk);
    free(w);
}

struct gn_limits_instrument *gate_world_row(struct gate_world *w, uint32_t instrument)
{
    return gn_limits_row(w->limits, w->gate.generation, instrument);
}

struct gn_limits_scope *gate_world_firm(struct gate_world *w)
{
    return gn_limits_firm_row(w->limits, w->gate.generation);
}

void gate_world_refresh(struct gate_world *w)
{
    uint64_t half = w->gate.generation;
    memcpy(gn_limits_firm_row(w->limits, half + 1), gn_limits_firm_row(w->limits, half),
           gn_limits_half_bytes(GW_INSTRUMENTS));
    gn_limits_publish(w->limits);
    gn_gate_refresh(&w->gate);
}

struct gn_order *gate_world_order(struct gate_world *w, uint32_t i, uint32_t instrument, uint32_t side, int64_t qty,
                                  uint32_t state)
{
    struct gn_order *o = &w->orders->order[i];
    *o = (struct gn_order){.id = gn_order_id(1, 0, i),
                           .user_ref = i,
                           .instrument = instrument,
                           .side = (uint8_t)side,
                           .strategy = (uint8_t)instrument,
                           .state = (uint8_t)state,
                           .qty = qty,
                           .leaves = qty,
                           .reserved = qty};
    return o;
}

struct gn_intent gate_world_intent(void)
{
    return (struct gn_intent){.action = GN_ACTION_NEW, .side = GN_SIDE_BUY, .price = 1000000, .qty = 10};
}
