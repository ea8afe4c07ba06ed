#include "tools/venue-sim/match_orders.h"

#include <stdlib.h>

static uint32_t home(const struct gn_match_orders *t, uint32_t session, uint32_t user_ref)
{
    uint64_t key = (uint64_t)session << 32 | user_ref;
    return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & t->mask;
}

bool gn_match_orders_init(struct gn_match_orders *t, uint32_t max, uint32_t instruments, uint32_t sessions)
{
    uint32_t slots = 16;
    while (slots < 2 * max)
        slots *= 2;
    *t = (struct gn_match_orders){.mask = slots - 1, .max = max, .instruments = instruments, .sessions = sessions};
    t->pool = calloc(max, sizeof *t->pool);
    t->slots = calloc(slots, sizeof *t->slots);
    t->lists = malloc(instruments * sizeof *t->lists);
    t->session_first = malloc(sessions * sizeof *t->session_first);
    t->session_live = calloc(sessions, sizeof *t->session_live);
    if (t->pool == NULL || t->slots == NULL || t->lists == NULL || t->session_first == NULL ||
        t->session_live == NULL) {
        gn_match_orders_free(t);
        return false;
    }
    memset(t->lists, 0xff, instruments * sizeof *t->lists);
    memset(t->session_first, 0xff, sessions * sizeof *t->session_first);
    for (uint32_t i = 0; i < max; i++)
        t->pool[i].next = i + 1 == max ? GN_NONE32 : i + 1;
    return true;
}

void gn_match_orders_free(struct gn_match_orders *t)
{
    free(t->pool);
    free(t->slots);
    free(t->lists);
    free(t->session_first);
    free(t->session_live);
    *t = (struct gn_match_orders){0};
}

static uint32_t slot_of(const struct gn_match_orders *t, uint32_t session, uint32_t user_ref)
{
    for (uint32_t i = home(t, session, user_ref);; i = (i + 1) & t->mask) {
        if (t->slots[i] == 0)
            return GN_NONE32;
        const struct gn_match_order *o = &t->pool[t->slots[i] - 1];
        if (o->user_ref == user_ref && o->session == session)
            return i;
    }
}

struct gn_match_order *gn_match_orders_find(const struct gn_match_orders *t, uint32_t session, uint32_t user_ref)
{
    uint32_t i = slot_of(t, session, user_ref);
    return i == GN_NONE32 ? NULL : &t->pool[t->slots[i] - 1];
}

struct gn_match_order *gn_match_orders_add(struct gn_match_orders *t, const struct gn_match_order *order)
{
    const uint32_t n = t->free_first, s = order->session;
    if (t->live == t->max)
        return NULL;
    struct gn_match_order *o = &t->pool[n];
    t->free_first = o->next;
    *o = *order;
    o->live = 1;
    o->prev = o->next = GN_NONE32;
    o->session_prev = GN_NONE32;
    o->session_next = t->session_first[s];
    if (o->session_next != GN_NONE32)
        t->pool[o->session_next].session_prev = n;
    t->session_first[s] = n;
    t->session_live[s]++;
    t->live++;
    uint32_t i = home(t, s, o->user_ref);
    while (t->slots[i] != 0)
        i = (i + 1) & t->mask;
    t->slots[i] = n + 1;
    return o;
}

static bool better(const struct gn_match_order *a, const struct gn_match_order *b)
{
    return a->side == GN_SIDE_BUY ? a->price > b->price : a->price < b->price;
}

void gn_match_orders_rest(struct gn_match_orders *t, struct gn_match_order *o)
{
    struct gn_match_list *l = &t->lists[o->instrument][o->side];
    const uint32_t n = (uint32_t)(o - t->pool);
    uint32_t after = l->last;
    while (after != GN_NONE32 && better(o, &t->pool[after]))
        after = t->pool[after].prev;
    o->prev = after;
    o->next = after == GN_NONE32 ? l->first : t->pool[after].next;
    if (o->prev == GN_NONE32)
        l->first = n;
    else
        t->pool[o->prev].next = n;
    if (o->next == GN_NONE32)
        l->last = n;
    else
        t->pool[o->next].prev = n;
}

void gn_match_orders_unrest(struct gn_match_orders *t, struct gn_match_order *o)
{
    struct gn_match_list *l = &t->lists[o->instrument][o->side];
    const uint32_t n = (uint32_t)(o - t->pool);
    if (o->prev == GN_NONE32 && l->first != n)
        return;
    if (o->prev == GN_NONE32)
        l->first = o->next;
    else
        t->pool[o->prev].next = o->next;
    if (o->next == GN_NONE32)
        l->last = o->prev;
    else
        t->pool[o->next].prev = o->prev;
    o->prev = o->next = GN_NONE32;
}

static void erase_slot(struct gn_match_orders *t, uint32_t hole)
{
    for (uint32_t i = (hole + 1) & t->mask; t->slots[i] != 0; i = (i + 1) & t->mask) {
        const struct gn_match_order *o = &t->pool[t->slots[i] - 1];
        uint32_t from_home = (i - home(t, o->session, o->user_ref)) & t->mask;
        uint32_t from_hole = (i - hole) & t->mask;
        if (from_home >= from_hole) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = 0;
}

void gn_match_orders_remove(struct gn_match_orders *t, struct gn_match_order *o)
{
    const uint32_t n = (uint32_t)(o - t->pool);
    gn_match_orders_unrest(t, o);
    erase_slot(t, slot_of(t, o->session, o->user_ref));
    if (o->session_prev == GN_NONE32)
        t->session_first[o->session] = o->session_next;
    else
        t->pool[o->session_prev].session_next = o->session_next;
    if (o->session_next != GN_NONE32)
        t->pool[o->session_next].session_prev = o->session_prev;
    t->session_live[o->session]--;
    t->live--;
    o->live = 0;
    o->next = t->free_first;
    t->free_first = n;
}
