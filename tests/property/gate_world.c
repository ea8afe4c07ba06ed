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
    for (uint32_t i = 0; i < GW_INSTRUMENTS; i++) {
        struct gn_instrument *k = &w->instruments->row[i];
        k->tick = 100;
        k->lot = 1 + i;
        k->strategy = i;
        k->configured = i < w->instruments->configured;
        w->tob[i] = (struct gn_tob){.bid = 990000, .bid_qty = 5, .ask = 1010000, .ask_qty = 5, .last = 995000};
    }
    atomic_store(&w->sessions[0].state, GN_SESSION_UP);
    w->now_ns = 1000000000;
    w->gate = (struct gn_gate){
        .control = w->control,
        .limits = w->limits,
        .instruments = w->instruments,
        .tob = w->tob,
        .positions = w->positions,
        .sessions = w->sessions,
        .orders = w->orders,
        .max_instruments = GW_INSTRUMENTS,
    };
    gate_world_refresh(w);
    return w;
}

void gate_world_free(struct gate_world *w)
{
    free(w->control);
    free(w->limits);
    free(w->instruments);
    free(w->orders);
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
