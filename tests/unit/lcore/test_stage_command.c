/* Commands of the control plane: an order that closes passes where others do not, and only while its authority holds.
 */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define DESK 1u

static struct gn_h *h;
static struct gn_commands commands;

static void begin(void)
{
    h = gn_h_new(NULL);
    CU_ASSERT_TRUE_FATAL(gn_h_up(h));
    gn_h_quote(h, DESK, 990000, 1010000);
    memset(&commands, 0, sizeof commands);
    h->stage.commands = &commands;
    gn_h_run(h, GN_H_MS);
}

static void end(void)
{
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_PTR_NULL(h->broken);
    gn_h_free(h);
}

static struct gn_command *tell(uint32_t slot, const struct gn_command *what)
{
    struct gn_command *c = &commands.slot[slot];
    c->kind = what->kind;
    c->index = what->index;
    c->side = what->side;
    c->qty = what->qty;
    c->price = what->price;
    c->word = what->word;
    atomic_store(&c->asked, ++commands.next);
    atomic_store(&commands.bell_orders, commands.next);
    gn_h_run(h, 3 * GN_H_MS);
    return c;
}

static bool answered(const struct gn_command *c)
{
    return atomic_load(&c->answered) == atomic_load(&c->asked);
}

static void a_position(int64_t qty)
{
    struct gn_order *o = gn_h_new_order(h, DESK, GN_SIDE_BUY, 1010000, qty);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    gn_h_accept(h, o);
    gn_h_fill(h, o->user_ref, (uint32_t)qty, 1010000);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_EQUAL(h->positions[DESK].qty, qty);
}

static struct gn_command closing(int64_t side, int64_t qty, uint64_t word)
{
    return (struct gn_command){
        .kind = GN_COMMAND_CLOSE, .index = DESK, .side = side, .qty = qty, .price = 990000, .word = word};
}

static void closing_after_a_kill(void)
{
    begin();
    a_position(10);
    uint64_t word = gn_kill_raise(&h->control->kill_all, GN_LADDER_KILLED, GN_KILL_BY_CONTROLPLANE);
    gn_h_run(h, GN_H_MS);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, GN_SIDE_SELL, 990000, 10)); /* a strategy's: refused */
    uint32_t enters = gn_h_inbox_count(h, GN_OUCH_IN_ENTER);
    struct gn_command more = closing(GN_SIDE_BUY, 1, word), beyond = closing(GN_SIDE_SELL, 11, word);
    const struct gn_command *c = tell(0, &more); /* adds to the position */
    CU_ASSERT_TRUE(answered(c));
    CU_ASSERT_EQUAL(c->result, GN_COMMAND_REFUSED);
    CU_ASSERT_EQUAL(c->value[0], GN_VERDICT_REDUCE_ONLY);
    c = tell(1, &beyond); /* turns it over */
    CU_ASSERT_EQUAL(c->value[0], GN_VERDICT_REDUCE_ONLY);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), enters);
    struct gn_command all = closing(GN_SIDE_SELL, 10, word), late = closing(GN_SIDE_SELL, 10, word);
    c = tell(2, &all);
    CU_ASSERT_EQUAL(c->result, GN_COMMAND_DONE);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), enters + 1);
    gn_kill_raise(&h->control->kill_all, GN_LADDER_KILLED,
                  GN_KILL_BY_OPERATOR); /* a later kill: the authority is void */
    c = tell(3, &late);
    CU_ASSERT_EQUAL(c->result, GN_COMMAND_REFUSED);
    CU_ASSERT_EQUAL(c->value[0], GN_VERDICT_KILLED);
    CU_ASSERT_EQUAL(gn_h_inbox_count(h, GN_OUCH_IN_ENTER), enters + 1);
    end();
}

static void nonsense_is_refused(void)
{
    begin();
    struct gn_command c[] = {{.kind = GN_COMMAND_QUERY, .index = 99},
                             {.kind = GN_COMMAND_MASS_CANCEL, .index = 99},
                             {.kind = GN_COMMAND_RECONNECT, .index = 99},
                             {.kind = GN_COMMAND_RECONNECT, .index = 0}, /* it is up */
                             {.kind = GN_COMMAND_CLOSE, .index = UINT32_MAX, .qty = 1},
                             {.kind = GN_COMMAND_CLOSE, .index = DESK, .side = 7, .qty = 1}};
    for (uint32_t i = 0; i < GN_ARRAY_LEN(c); i++) {
        const struct gn_command *k = tell(i, &c[i]);
        CU_ASSERT_TRUE(answered(k));
        CU_ASSERT_EQUAL(k->result, GN_COMMAND_REFUSED);
    }
    CU_ASSERT_EQUAL(atomic_load(&h->rows[0].state), GN_SESSION_UP);
    end();
}

/* A slot is another process's memory: it may change while its query waits for the venue. */
static void a_slot_that_changes(void)
{
    begin();
    h->peer.no_query = true;
    struct gn_command query = {.kind = GN_COMMAND_QUERY, .index = 0};
    struct gn_command *k = tell(5, &query);
    CU_ASSERT_FALSE(answered(k));
    const uint64_t number = atomic_load(&k->asked);
    k->index = UINT32_MAX / 2;
    atomic_store(&k->asked, number + 100);
    gn_h_run(h, 3 * GN_H_MS);
    CU_ASSERT_NOT_EQUAL(atomic_load(&k->answered), number + 100); /* never asked */
    h->peer.no_query = false;
    gn_h_hang_up(h);
    gn_h_run(h, 3 * GN_H_MS);
    CU_ASSERT_EQUAL(k->result, GN_COMMAND_LOST);
    CU_ASSERT_EQUAL(atomic_load(&k->answered), number);
    end();
}

static void old_commands_are_lost(void)
{
    begin();
    struct gn_command *k = &commands.slot[4];
    k->kind = GN_COMMAND_MASS_CANCEL;
    atomic_store(&k->asked, ++commands.next);
    atomic_store(&commands.bell_orders, commands.next);
    uint64_t before = h->m.mass_cancels_sent;
    gn_command_start(&h->stage); /* the data plane's next life */
    CU_ASSERT_TRUE(answered(k));
    CU_ASSERT_EQUAL(k->result, GN_COMMAND_LOST);
    gn_h_run(h, 3 * GN_H_MS);
    CU_ASSERT_EQUAL(h->m.mass_cancels_sent, before);
    end();
}

/* Mode shadow: no session ever connects, so nothing can leave; what was wanted is in the journal with its verdict. */
static void shadow_sends_nothing(void)
{
    h = gn_h_new(NULL);
    ((struct gn_conf *)(uintptr_t)h->stage.conf)->mode = GN_MODE_SHADOW;
    gn_h_run(h, 300 * GN_H_MS);
    gn_h_quote(h, DESK, 990000, 1010000);
    CU_ASSERT_EQUAL(atomic_load(&h->rows[0].state), GN_SESSION_DOWN);
    CU_ASSERT_EQUAL(h->rows[0].connects, 0);
    CU_ASSERT_PTR_NULL(gn_h_new_order(h, DESK, GN_SIDE_BUY, 1000000, 1));
    CU_ASSERT_EQUAL(h->m.orders_sent, 0);
    CU_ASSERT_EQUAL(h->m.verdict[GN_VERDICT_SESSION_DOWN], 1);
    CU_ASSERT_EQUAL(h->peer.n_in, 0);
    gn_h_free(h);
}

GN_TEST_MAIN("stage_command", {"closing after a kill", closing_after_a_kill},
             {"nonsense is refused", nonsense_is_refused}, {"a slot that changes", a_slot_that_changes},
             {"old commands are lost", old_commands_are_lost}, {"shadow sends nothing", shadow_sends_nothing})
