#include "dataplane/net/tcp_conn.h"

static uint64_t hash_of(const struct gn_tcp *t, uint32_t remote_ip, uint16_t remote_port, uint16_t local_port)
{
    uint64_t k0;
    uint64_t k1;
    memcpy(&k0, t->conf.secret, 8);
    memcpy(&k1, t->conf.secret + 8, 8);
    /* Keyed, so that a peer cannot choose ports that share a chain. */
    uint64_t h = (((uint64_t)remote_ip << 32) | ((uint32_t)remote_port << 16) | local_port) ^ k0;
    h *= k1 | 1;
    h ^= h >> 29;
    h *= 0x9e3779b97f4a7c15ull;
    return h >> 32;
}

static uint32_t home_of(const struct gn_tcp *t, uint32_t index)
{
    const struct gn_tcp_conn *c = gn_tcp_conn_at(t, index);
    return (uint32_t)hash_of(t, c->remote_ip, c->remote_port, c->local_port) & t->hash_mask;
}

/* Slots hold index + 1, 0 is free; at most half of them are taken, so that every chain ends. */
GN_HOT struct gn_tcp_conn *gn_tcp_find(const struct gn_tcp *t, uint32_t remote_ip, uint16_t remote_port,
                                       uint16_t local_port)
{
    const uint32_t *slots = gn_tcp_hash_slots(t);
    uint32_t at = (uint32_t)hash_of(t, remote_ip, remote_port, local_port) & t->hash_mask;
    for (; slots[at] != 0; at = (at + 1) & t->hash_mask) {
        struct gn_tcp_conn *c = gn_tcp_conn_at(t, slots[at] - 1);
        if (c->remote_ip == remote_ip && c->remote_port == remote_port && c->local_port == local_port)
            return c;
    }
    return NULL;
}

void gn_tcp_hash_add(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    uint32_t *slots = gn_tcp_hash_slots(t);
    uint32_t index = gn_tcp_index(t, c);
    uint32_t at = home_of(t, index);
    while (slots[at] != 0)
        at = (at + 1) & t->hash_mask;
    slots[at] = index + 1;
}

/* Takes an entry out and moves later ones of its chain up, so that no chain has a hole. */
void gn_tcp_hash_remove(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    uint32_t *slots = gn_tcp_hash_slots(t);
    uint32_t index = c->index;
    uint32_t at = home_of(t, index);
    while (slots[at] != index + 1) {
        if (slots[at] == 0)
            return;
        at = (at + 1) & t->hash_mask;
    }
    for (uint32_t next = (at + 1) & t->hash_mask; slots[next] != 0; next = (next + 1) & t->hash_mask) {
        uint32_t home = home_of(t, slots[next] - 1);
        if (((next - home) & t->hash_mask) >= ((next - at) & t->hash_mask)) {
            slots[at] = slots[next];
            at = next;
        }
    }
    slots[at] = 0;
}

struct gn_tcp_conn *gn_tcp_slot_take(struct gn_tcp *t)
{
    if (t->free_head == GN_TCP_NONE)
        return NULL;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, t->free_head);
    uint32_t index = t->free_head;
    t->free_head = c->next_free;
    t->used++;
    /* A queued event of the slot's last life is still in the queue: the mark stays, so that it is queued once. */
    uint32_t queued = c->event_queued;
    memset(c, 0, sizeof *c);
    c->index = index;
    c->event_queued = queued;
    c->due_at = GN_NET_NEVER;
    return c;
}

struct gn_tcp_listener *gn_tcp_listener(struct gn_tcp *t, uint16_t port)
{
    for (uint32_t i = 0; i < GN_TCP_LISTEN_MAX; i++)
        if (port != 0 && t->listeners[i].port == port)
            return &t->listeners[i];
    return NULL;
}

void gn_tcp_slot_free(struct gn_tcp *t, struct gn_tcp_conn *c)
{
    uint32_t index = gn_tcp_index(t, c);
    c->state = GN_TCP_FREE;
    GN_STORE_ORDER();
    gn_tcp_hash_remove(t, c);
    c->remote_ip = 0;
    c->owner = GN_TCP_OWNER_NONE;
    c->events = 0;
    gn_tcp_set_deadline(t, c, GN_NET_NEVER);
    c->next_free = t->free_head;
    t->free_head = index;
    t->used--;
}

void gn_tcp_event(struct gn_tcp *t, struct gn_tcp_conn *c, uint32_t events)
{
    c->events |= events;
    if (c->event_queued == 0) {
        c->event_queued = 1;
        gn_tcp_event_slots(t)[t->event_tail++ & t->event_mask] = gn_tcp_index(t, c);
    }
}

uint32_t gn_tcp_next_event(struct gn_tcp *t)
{
    while (t->event_head != t->event_tail) {
        uint32_t index = gn_tcp_event_slots(t)[t->event_head++ & t->event_mask];
        struct gn_tcp_conn *c = gn_tcp_conn_at(t, index);
        c->event_queued = 0;
        if (c->state != GN_TCP_FREE && c->events != 0 && c->owner != GN_TCP_OWNER_NONE)
            return index;
    }
    return GN_TCP_NONE;
}

uint32_t gn_tcp_events(struct gn_tcp *t, uint32_t conn)
{
    if (conn >= t->max_conns)
        return 0;
    struct gn_tcp_conn *c = gn_tcp_conn_at(t, conn);
    uint32_t events = c->state == GN_TCP_FREE ? 0 : c->events;
    c->events = 0;
    return events;
}

/* Everything that is derived from the connections: free list, hash, event queue, counts of the listeners. */
void gn_tcp_slots_rebuild(struct gn_tcp *t)
{
    for (uint32_t i = 0; i < GN_TCP_RECENT; i++)
        t->recent[i] = t->conn_off;
    t->unready = 0;
    for (uint32_t i = 0; i < gn_tcp_groups_n(t); i++)
        gn_tcp_groups(t)[i] = GN_NET_NEVER;
    memset(gn_tcp_hash_slots(t), 0, ((uint64_t)t->hash_mask + 1) * sizeof(uint32_t));
    t->free_head = GN_TCP_NONE;
    t->used = 0;
    t->blocked = 0;
    t->event_head = 0;
    t->event_tail = 0;
    for (uint32_t i = 0; i < GN_TCP_LISTEN_MAX; i++)
        t->listeners[i].pending = 0;
    for (uint32_t i = t->max_conns; i-- > 0;) {
        struct gn_tcp_conn *c = gn_tcp_conn_at(t, i);
        c->event_queued = 0;
        c->index = i;
        gn_tcp_set_deadline(t, c, GN_NET_NEVER);
        if (c->state == GN_TCP_FREE) {
            c->next_free = t->free_head;
            t->free_head = i;
            continue;
        }
        t->used++;
        c->blocked = GN_TCP_BLOCKED_NOT;
        if (c->state != GN_TCP_CLOSED)
            gn_tcp_hash_add(t, c);
        if (c->events != 0)
            gn_tcp_event(t, c, 0);
        struct gn_tcp_listener *l = gn_tcp_listener(t, c->listener_port);
        if (c->owner == GN_TCP_OWNER_LISTENER && l != NULL)
            l->pending++;
    }
}
