/* Commands of the control plane to the lcores: what a person ordered and only the owner of a session or of the books
 * can do. A slot is asked by the control plane and answered by the lcore that the kind belongs to:
 *
 *      control plane: fields, then asked = n (release), then the bell    lcore: bell moved? does it, result, answered =
 * n
 *
 * A slot is free when answered == asked. A command that no lcore has answered when a data plane starts is answered as
 * lost: it is never done late.
 */
#ifndef GN_ABI_COMMAND_H
#define GN_ABI_COMMAND_H

#include "dataplane/abi/base.h"

#define GN_COMMAND_SLOTS 16u

/* X(number, NAME, "name", stage, "help") */
#define GN_COMMANDS(X)                                                                                  \
    X(1, QUERY, "query", GN_STAGE_ORDERS,                                                               \
      "asks the venue of session `index`; answered when its answer came: then it has "                  \
      "said everything about what was sent before")                                                     \
    X(2, MASS_CANCEL, "mass_cancel", GN_STAGE_ORDERS, "the venue's own mass cancel on session `index`") \
    X(3, RECONNECT, "reconnect", GN_STAGE_ORDERS,                                                       \
      "a session that was refused or has ended tries again at once, with the "                          \
      "password that the configuration holds now")                                                      \
    X(4, CLOSE, "close", GN_STAGE_ORDERS,                                                               \
      "an order that closes a part of the position of instrument `index`: side, qty, "                  \
      "price, kill word that was looked at")                                                            \
    X(5, REBUILD, "rebuild", GN_STAGE_FEED, "empties the books and asks for the whole day again")

enum gn_command_kind {
#define GN_X(num, NAME, name, stage, help) GN_COMMAND_##NAME = num,
    GN_COMMANDS(GN_X)
#undef GN_X
};

enum gn_command_result {
    GN_COMMAND_DONE = 1,
    GN_COMMAND_REFUSED = 2, /* value[0]: CLOSE: enum gn_verdict; else enum gn_session_state */
    GN_COMMAND_LOST = 3,    /* the session or the data plane went before it was answered */
};

struct gn_command {
    /* written by the control plane */
    _Atomic uint64_t asked; /* number of the command; release, pairs with acquire in the lcore */
    uint32_t kind;          /* enum gn_command_kind */
    uint32_t index;
    int64_t side, qty, price;
    uint64_t word; /* CLOSE: kill word of scope all: any later kill makes it void */
    uint8_t pad0[GN_GUARD - 48];
    /* written by the lcore */
    _Atomic uint64_t answered; /* release, pairs with acquire in the control plane */
    uint64_t result;           /* enum gn_command_result */
    int64_t value[4];
    uint8_t pad1[GN_GUARD - 48];
};
static_assert(sizeof(struct gn_command) == 2 * GN_GUARD, "two owners, a guard each");

struct gn_commands {
    _Atomic uint64_t bell_orders, bell_feed; /* number of the newest command for the stage */
    uint64_t next;                           /* control plane: number of the last command */
    uint8_t pad[GN_GUARD - 24];
    struct gn_command slot[GN_COMMAND_SLOTS];
};

static inline bool gn_command_free(const struct gn_command *c)
{
    return atomic_load_explicit(&c->answered, memory_order_acquire) ==
           atomic_load_explicit(&c->asked, memory_order_relaxed);
}

/* gn_command_answer: for the lcore: after value[] is filled. */
static inline void gn_command_answer(struct gn_command *c, uint64_t number, uint32_t result)
{
    c->result = result;
    atomic_store_explicit(&c->answered, number, memory_order_release);
}

#endif
