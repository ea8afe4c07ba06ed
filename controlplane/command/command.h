/* The control plane's end of dataplane/abi/command.h: a ticket for each command, kept until its answer was read. */
#ifndef GN_CONTROLPLANE_COMMAND_H
#define GN_CONTROLPLANE_COMMAND_H

#include "dataplane/abi/command.h"

struct gn_hands {
    struct gn_commands *commands;
    uint32_t held; /* slots, bit by bit, whose answer somebody still wants */
};

struct gn_ticket {
    uint64_t number; /* 0 = none */
    uint32_t slot;
};

/* gn_hands_ask: kind, index, side, qty, price and word of `what`. False when every slot is in use. */
bool gn_hands_ask(struct gn_hands *h, const struct gn_command *what, struct gn_ticket *out) GN_MUST_CHECK;

/* gn_hands_read: 0 while it is not answered; else enum gn_command_result, with value[] in *out, and the ticket is over.
 */
uint32_t gn_hands_read(struct gn_hands *h, struct gn_ticket *t, int64_t value[4]);

/* gn_hands_drop: nobody wants the answer any more; the slot is used again when it came. */
void gn_hands_drop(struct gn_hands *h, struct gn_ticket *t);

#endif
