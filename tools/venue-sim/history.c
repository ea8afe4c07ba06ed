#include "tools/venue-sim/history.h"

#include <stdlib.h>

const char *gn_history_strerror(int err)
{
    static const char *const text[] = {"ok", "size out of range", "out of memory"};
    return err <= 0 && err > -(int)GN_ARRAY_LEN(text) ? text[-err] : "unknown error";
}

static uint64_t round_up(uint64_t n)
{
    uint64_t p = 1;
    while (p < n)
        p <<= 1;
    return p;
}

int gn_history_init(struct gn_history *h, uint64_t bytes_max, uint64_t messages_max)
{
    *h = (struct gn_history){0};
    if (bytes_max < GN_HISTORY_BYTES_MIN || bytes_max > GN_HISTORY_BYTES_MAX || messages_max == 0 ||
        messages_max > GN_HISTORY_BYTES_MAX)
        return GN_HISTORY_ERR_RANGE;
    h->room = round_up(bytes_max);
    h->slots = round_up(messages_max);
    h->first = h->next = 1;
    h->bytes = calloc(1, h->room);
    h->start = calloc(h->slots, sizeof *h->start);
    if (h->bytes != NULL && h->start != NULL)
        return GN_HISTORY_OK;
    gn_history_free(h);
    return GN_HISTORY_ERR_MEMORY;
}

void gn_history_free(struct gn_history *h)
{
    free(h->bytes);
    free(h->start);
    *h = (struct gn_history){0};
}

const uint8_t *gn_history_add(struct gn_history *h, const uint8_t *msg, size_t len)
{
    if (len > GN_HISTORY_MSG_MAX)
        return NULL;
    const uint64_t need = 2 + len, to_end = h->room - (h->head & (h->room - 1));
    const uint64_t at = need > to_end ? h->head + to_end : h->head;
    if (h->next - h->first == h->slots)
        h->first++;
    while (h->first != h->next && at + need - h->start[h->first & (h->slots - 1)] > h->room)
        h->first++;
    uint8_t *p = h->bytes + (at & (h->room - 1));
    gn_store_be16(p, (uint16_t)len);
    if (len != 0)
        memcpy(p + 2, msg, len);
    h->start[h->next & (h->slots - 1)] = at;
    h->next++;
    h->head = at + need;
    return p + 2;
}

const uint8_t *gn_history_get(const struct gn_history *h, uint64_t seq, uint16_t *len)
{
    if (seq < h->first || seq >= h->next)
        return NULL;
    const uint8_t *p = h->bytes + (h->start[seq & (h->slots - 1)] & (h->room - 1));
    *len = gn_load_be16(p);
    return p + 2;
}
