/* A day of the data plane at random, recorded as the journal would get it, is run again from the records alone: every
 * record must come again byte by byte, and the state must be the same. The live run has thousands of turns that read
 * nothing and write nothing; the new run has none of them: so they changed nothing.
 *
 * What happens in a day: market data with lost, late and doubled packets; a strategy that trades on it; a desk that
 * sends, replaces and cancels; a venue that accepts, fills, rejects, holds its tongue, hangs up and talks nonsense;
 * kill words of every scope, thrown and released at any moment; limits that change; a control plane that dies; a wire
 * that is cut until TCP takes nothing; a data plane that dies and starts again, with and without its private tables.
 */
#include <stdlib.h>

#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"
#include "tools/replay/engine.h"

#define SEEDS   60
#define ACTS    150
#define SYMBOLS 4u
#define EXECS   8192u

static struct gn_h *h;
static struct gn_replay *replay;
static struct gn_conf conf;
static struct gn_conf_instrument instruments[SYMBOLS];
static uint64_t seed, feed_seq, refs, records;
static int failed;
/* What is changed on the way to the new run: one byte of the nth record of its kind; 0 = nothing. */
static uint64_t spoil_packet, spoil_fill;
static bool spoil_parameter;
static uint64_t touch_waits; /* 0 once the strategy with that parameter has ordered */

static int64_t pick(int64_t n)
{
    return (int64_t)(gn_test_rand(&seed) % (uint64_t)n);
}

static void on_record(void *arg, const struct gn_rec *rec)
{
    static _Alignas(8) uint8_t copy[GN_REC_BYTES_MAX];
    (void)arg;
    records++;
    memcpy(copy, rec, rec->bytes);
    uint8_t *message = copy + sizeof *rec + sizeof(struct gn_ev_md_packet) + 20 + 2; /* MoldUDP64 header, length */
    uint8_t *fill = copy + sizeof *rec + sizeof(struct gn_ev_session_in) + GN_SOUP_HEADER;
    if (rec->type == GN_EV_MD_PACKET && message[0] == GN_ITCH_ADD && spoil_packet != 0 && --spoil_packet == 0)
        message[35] ^= 1; /* last byte of the price */
    if (rec->type == GN_EV_SESSION_IN && fill[0] == GN_OUCH_OUT_EXECUTED && spoil_fill != 0 && --spoil_fill == 0)
        fill[24] ^= 1; /* the same of a fill */
    if (rec->type == GN_EV_ORDER &&
        ((const struct gn_ev_order *)(const void *)(rec + 1))->intent.strategy == GN_H_TOUCH)
        touch_waits = 0;
    if (replay != NULL && failed == GN_REPLAY_OK)
        failed = gn_replay_record(replay, (const struct gn_rec *)(const void *)copy);
}

static void begin(void)
{
    h = gn_h_new(NULL);
    conf = h->conf;
    conf.stage_ring_cells = EXECS;
    conf.strategy[GN_H_TOUCH].param[GN_PARAM_touch_QTY] += spoil_parameter;
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        const struct gn_instrument *k = &h->instruments->row[i];
        instruments[i] = (struct gn_conf_instrument){
            .price_exp = k->price_exp, .strategy = k->strategy, .tick = k->tick, .lot = k->lot};
        memcpy(instruments[i].symbol, k->symbol, sizeof k->symbol);
    }
    failed = GN_REPLAY_OK;
    feed_seq = 1;
    refs = records = 0;
    h->peer.no_query = false;
    CU_ASSERT_EQUAL_FATAL(gn_replay_new(&conf, instruments, &replay), GN_REPLAY_OK);
    gn_h_record(h, on_record, NULL);
}

/* ---- what happens ---- */

static void market_acts(void)
{
    struct gn_itch_msg m[4];
    const uint32_t n = 1 + (uint32_t)pick(3);
    for (uint32_t i = 0; i < n; i++)
        m[i] = (struct gn_itch_msg){.type = GN_ITCH_ADD,
                                    .side = pick(2) == 0 ? 'B' : 'S',
                                    .shares = (uint32_t)(1 + pick(500)),
                                    .ref = ++refs,
                                    .locate = (uint16_t)(1 + pick(SYMBOLS))};
    for (uint32_t i = 0; i < n; i++) {
        m[i].price = (uint32_t)(m[i].side == 'B' ? 1000000 - 100 * pick(30) : 1000200 + 100 * pick(30));
        memcpy(m[i].symbol, instruments[m[i].locate - 1].symbol, 8);
        if (refs > 20 && pick(2) == 0)
            m[i] = (struct gn_itch_msg){.type = GN_ITCH_DELETE, .ref = 1 + (uint64_t)pick((int64_t)refs)};
    }
    uint32_t lines = pick(8) == 0 ? (uint32_t)pick(4) : GN_H_LINE_A | GN_H_LINE_B; /* 0: lost on both */
    gn_h_publish(h, lines, feed_seq, m, n);
    feed_seq += n;
    if (pick(30) == 0)
        gn_h_heartbeat(h, GN_H_LINE_A, feed_seq);
}

static void desk_acts(void)
{
    const struct gn_order *o = &h->orders->order[pick(GN_H_ORDERS)];
    struct gn_intent in = {.action = (uint8_t)(1 + pick(4)),
                           .side = o->side,
                           .instrument = 1 + (uint32_t)pick(3),
                           .target = o->id,
                           .price = 1000000 + pick(10) * 100,
                           .qty = 1 + pick(20),
                           .tag = (uint64_t)pick(1000)};
    if (!gn_order_working(o->state)) {
        in.action = GN_ACTION_NEW;
        in.side = (uint8_t)pick(2);
    }
    if (pick(40) == 0)
        in = (struct gn_intent){.action = GN_ACTION_MASS_CANCEL, .instrument = pick(2) == 0 ? GN_NONE32 : 1, .tag = 7};
    gn_h_queue(h, &in);
}

static void venue_acts(void)
{
    const struct gn_order *o = &h->orders->order[pick(GN_H_ORDERS)];
    const struct gn_ouch_msg broken = {.type = GN_OUCH_OUT_BROKEN, .user_ref = o->user_ref, .match = 1};
    if (o->user_ref == 0)
        return;
    switch (pick(8)) {
    case 0:
        gn_h_reject(h, o->user_ref, 1);
        break;
    case 1:
        gn_h_canceled(h, o->user_ref, (uint32_t)(1 + pick(20)));
        break;
    case 2:
    case 3:
        gn_h_fill(h, o->user_ref, (uint32_t)(1 + pick(20)), 1000000);
        break;
    case 4:
        if (pick(10) == 0)
            gn_h_say(h, &broken);
        break;
    default:
        gn_h_accept(h, o);
        break;
    }
}

static _Atomic uint64_t *any_word(void)
{
    switch (pick(4)) {
    case 0:
        return &h->control->kill_session[0];
    case 1:
        return &h->control->kill_strategy[pick(2)];
    case 2:
        return gn_kill_instrument(h->control) + pick(SYMBOLS);
    default:
        return &h->control->kill_all;
    }
}

static void control_acts(void)
{
    static const uint32_t levels[] = {GN_LADDER_REDUCE_ONLY, GN_LADDER_HALTED, GN_LADDER_KILLED};
    _Atomic uint64_t *word = any_word();
    switch (pick(12)) {
    case 0:
        (void)gn_kill_raise(word, levels[pick(3)], GN_KILL_BY_OPERATOR);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        for (int i = 0; i < 8; i++, word = any_word())
            (void)gn_kill_release(word, atomic_load(word));
        break;
    case 5: {
        const uint64_t now = gn_limits_current(h->limits);
        if (!gn_limits_idle(h->limits, 1))
            break;
        memcpy(gn_limits_scope_row(h->limits, now + 1, 0), gn_limits_scope_row(h->limits, now, 0),
               gn_limits_half_bytes(h->limits->rows));
        gn_limits_row(h->limits, now + 1, 1 + (uint32_t)pick(3))->max_qty = 5 + pick(50);
        gn_limits_publish(h->limits);
        break;
    }
    case 6:
        h->cp_dead = pick(4) == 0;
        break;
    default:
        h->cp_dead = false;
        break;
    }
}

static void wire_acts(void)
{
    static const uint8_t nonsense[] = {0, 0, 'x', 1, 2, 3};
    switch (pick(60)) {
    case 0:
        h->end.out.cut = true;
        break;
    case 1:
        h->peer.silent = true;
        break;
    case 2:
        gn_h_raw(h, nonsense, sizeof nonsense);
        break;
    case 3:
    case 4:
    case 5:
        gn_h_hang_up(h);
        h->end.out.cut = h->peer.silent = false;
        break;
    case 6:
        gn_h_restart(h, pick(2) == 0);
        h->end.out.cut = h->peer.silent = false;
        /* the new life asks for the whole day, which nobody has here: it goes on from now */
        feed_seq = 1;
        break;
    default:
        break;
    }
}

static const char *one_day(void)
{
    static char text[400];
    struct gn_ev_state here, there;
    begin();
    gn_h_run(h, 500 * GN_H_MS);
    for (int i = 0; i < ACTS; i++) {
        for (int64_t k = pick(3); k >= 0; k--)
            market_acts();
        desk_acts();
        venue_acts();
        control_acts();
        wire_acts();
        for (int64_t n = pick(pick(10) == 0 ? 3000 : 8); n >= 0; n--)
            gn_h_turn(h);
    }
    gn_stage_orders_drain(&h->stage, h->now);
    gn_h_run(h, 50 * GN_H_MS);
    gn_stage_orders_stop(&h->stage, h->now);
    gn_h_run(h, 5 * GN_H_MS);
    gn_inputs_end(&h->feed, &h->strategy, &h->stage, h->now);
    gn_ring_publish(h->events);
    gn_h_turn(h);
    if (failed == GN_REPLAY_OK)
        failed = gn_replay_finish(replay);
    gn_inputs_digest(&h->feed, &h->strategy, &h->stage, &here);
    gn_replay_state(replay, &there);
    const struct gn_replay_counts *c = gn_replay_counts(replay);
    const char *what = NULL;
    text[0] = 0;
    if (failed != GN_REPLAY_OK)
        what = gn_replay_strerror(failed);
    else if (c->differences != 0)
        what = text;
    else if (c->compared != records || c->states != 1)
        what = "not every record was compared";
    else if (memcmp(&here, &there, sizeof here) != 0)
        what = "the states differ";
    if (what == text)
        snprintf(text, sizeof text, "%llu differences, the first at record %llu of %llu, time %llu: %s",
                 (unsigned long long)c->differences, (unsigned long long)c->diff_seq, (unsigned long long)records,
                 (unsigned long long)c->diff_ns, c->diff);
    return what;
}

static uint64_t totals[6];

static void end(void)
{
    const struct gn_replay_counts *c = gn_replay_counts(replay);
    totals[0] += c->orders;
    totals[1] += c->refused;
    totals[2] += c->executions;
    totals[3] += c->cancels;
    totals[4] += c->lives;
    totals[5] += h->counts[GN_EV_MD_ASIDE];
    gn_replay_free(replay);
    replay = NULL;
    gn_h_free(h);
}

static void a_day_comes_again(void)
{
    const uint64_t first = gn_test_seed(1);
    for (uint64_t i = 0; i < SEEDS; i++) {
        seed = first + i;
        const char *what = one_day();
        if (what != NULL)
            printf("seed %llu: %s\n", (unsigned long long)(first + i), what);
        CU_ASSERT_PTR_NULL_FATAL(what);
        end();
    }
    for (size_t i = 0; i < GN_ARRAY_LEN(totals); i++)
        CU_ASSERT_TRUE(totals[i] > SEEDS); /* else the days were empty */
}

/* One day after the other until n of them had what is to be changed; how many of those were found out. */
static uint32_t found_of(uint32_t n, const uint64_t *armed, uint64_t *arm, uint64_t nth)
{
    uint32_t found = 0;
    seed = gn_test_seed(1);
    for (uint32_t days = 0, tries = 0; days < n && tries < 10 * n; tries++) {
        const uint64_t day = seed = seed + 1;
        if (arm != NULL)
            *arm = nth;
        const bool other = one_day() != NULL;
        const bool had = armed == NULL || *armed == 0;
        if (arm != NULL)
            *arm = 0;
        end();
        seed = day;
        days += had;
        found += had && other;
    }
    return found;
}

static void a_changed_fill_is_found(void)
{
    CU_ASSERT_EQUAL(found_of(20, &spoil_fill, &spoil_fill, 2), 20);
}

/* The order of that price may be gone again before anybody looked at it: then nothing came of it. */
static void a_changed_price_is_found(void)
{
    CU_ASSERT_TRUE(found_of(20, &spoil_packet, &spoil_packet, 60) > 5);
}

static void another_parameter_is_found(void)
{
    spoil_parameter = true;
    CU_ASSERT_EQUAL(found_of(20, &touch_waits, &touch_waits, 1), 20);
    spoil_parameter = false;
}

GN_TEST_MAIN("replay", {"a day comes again", a_day_comes_again}, {"a changed fill is found", a_changed_fill_is_found},
             {"a changed price is found", a_changed_price_is_found},
             {"another parameter is found", another_parameter_is_found})
