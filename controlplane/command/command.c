#include "controlplane/command/command.h"

bool gn_hands_ask(struct gn_hands *h, const struct gn_command *what, struct gn_ticket *out)
{
    struct gn_commands *all = h->commands;
    for (uint32_t i = 0; i < GN_COMMAND_SLOTS; i++) {
        struct gn_command *c = &all->slot[i];
        if ((h->held & 1u << i) != 0 || !gn_command_free(c))
            continue;
        uint64_t number = ++all->next;
        c->kind = what->kind;
        c->index = what->index;
        c->side = what->side;
        c->qty = what->qty;
        c->price = what->price;
        c->word = what->word;
        /* release: the fields are there for the lcore that sees the number */
        atomic_store_explicit(&c->asked, number, memory_order_release);
        atomic_store_explicit(what->kind == GN_COMMAND_REBUILD ? &all->bell_feed : &all->bell_orders, number,
                              memory_order_release);
        h->held |= 1u << i;
        *out = (struct gn_ticket){.number = number, .slot = i};
        return true;
    }
    return false;
}

uint32_t gn_hands_read(struct gn_hands *h, struct gn_ticket *t, int64_t value[4])
{
    const struct gn_command *c = &h->commands->slot[t->slot];
    if (t->number == 0 || atomic_load_explicit(&c->answered, memory_order_acquire) != t->number)
        return 0;
    uint32_t result = (uint32_t)c->result;
    memcpy(value, c->value, sizeof c->value);
    gn_hands_drop(h, t);
    return result >= GN_COMMAND_DONE && result <= GN_COMMAND_LOST ? result : GN_COMMAND_LOST;
}

void gn_hands_drop(struct gn_hands *h, struct gn_ticket *t)
{
    if (t->number != 0)
        h->held &= ~(1u << t->slot);
    t->number = 0;
}
