#include "drivers/venue/arbiter.h"

static uint64_t slot_stride(const struct gn_arb_config *cfg)
{
    return gn_align_up(cfg->slot_bytes, GN_CACHE_LINE);
}

static uint64_t data_offset(const struct gn_arb_config *cfg)
{
    return gn_align_up(sizeof(struct gn_arb) + cfg->slots * sizeof(struct gn_arb_slot), GN_CACHE_LINE);
}

static uint8_t *slot_data(struct gn_arb *a, uint32_t i)
{
    return (uint8_t *)a + data_offset(&a->cfg) + i * slot_stride(&a->cfg);
}

static bool config_ok(const struct gn_arb_config *cfg)
{
    return cfg->slots >= 1 && cfg->slots <= GN_ARB_SLOTS_MAX && cfg->slot_bytes >= 64 &&
           cfg->slot_bytes <= GN_ARB_SLOT_MAX && cfg->request_max >= 1 && cfg->request_max <= 65534 &&
           cfg->retry_max_ns >= cfg->retry_ns && (cfg->retry_ns > 0 || cfg->max_retries == 0);
}

uint64_t gn_arb_footprint(const struct gn_arb_config *cfg)
{
    return config_ok(cfg) ? data_offset(cfg) + cfg->slots * slot_stride(cfg) : 0;
}

void gn_arb_reset(struct gn_arb *a, uint64_t start_seq)
{
    static const char none[GN_ARB_SESSION_LEN];

    a->next = start_seq;
    a->seen_end = start_seq;
    memset(a->line_end, 0, sizeof a->line_end);
    a->gap_from = a->deadline_ns = a->requested_end = a->progress = 0;
    a->retries = 0;
    a->held_head = a->held_tail = GN_ARB_NIL;
    a->held_count = 0;
    for (uint32_t i = 0; i < a->cfg.slots; i++) {
        a->slot[i] = (struct gn_arb_slot){.next = i + 1 < a->cfg.slots ? i + 1 : GN_ARB_NIL, .prev = GN_ARB_NIL};
    }
    a->free_head = 0;
    a->last_line = 0;
    a->adopted = memcmp(a->cfg.session, none, sizeof none) != 0;
    memcpy(a->session, a->cfg.session, sizeof a->session);
}

int gn_arb_new(void *mem, const struct gn_arb_config *cfg)
{
    struct gn_arb *a = mem;
    if (!config_ok(cfg))
        return GN_ARB_ERR_CONFIG;
    memset(a, 0, sizeof *a);
    a->cfg = *cfg;
    gn_arb_reset(a, cfg->start_seq);
    a->magic = GN_ARB_MAGIC;
    return GN_ARB_OK;
}

/* Both lists together hold every slot once: held ones have messages, free ones have none. */
static bool lists_ok(const struct gn_arb *a)
{
    uint32_t prev = GN_ARB_NIL, n = 0;
    for (uint32_t i = a->held_head; i != GN_ARB_NIL; i = a->slot[i].next) {
        if (n++ == a->cfg.slots || i >= a->cfg.slots)
            return false;
        const struct gn_arb_slot *s = &a->slot[i];
        if (s->prev != prev || s->count == 0 || s->len > a->cfg.slot_bytes || s->line >= GN_ARB_LINES ||
            s->first > UINT64_MAX - s->count || (prev != GN_ARB_NIL && s->first < a->slot[prev].first))
            return false;
        prev = i;
    }
    if (a->held_tail != prev || a->held_count != n)
        return false;
    for (uint32_t i = a->free_head; i != GN_ARB_NIL; i = a->slot[i].next) {
        if (n++ == a->cfg.slots || i >= a->cfg.slots || a->slot[i].count != 0)
            return false;
    }
    return n == a->cfg.slots;
}

int gn_arb_join(struct gn_arb *a, uint64_t bytes)
{
    if (bytes < sizeof *a)
        return GN_ARB_ERR_SIZE;
    if (a->magic != GN_ARB_MAGIC)
        return GN_ARB_ERR_MAGIC;
    uint64_t need = gn_arb_footprint(&a->cfg);
    if (need == 0)
        return GN_ARB_ERR_CONFIG;
    if (need > bytes)
        return GN_ARB_ERR_SIZE;
    if (a->event_head - a->event_tail > GN_ARB_EVENTS || a->seen_end < a->next || a->gap_from > a->next ||
        a->last_line >= GN_ARB_LINES || !lists_ok(a))
        return GN_ARB_ERR_CORRUPT;
    return GN_ARB_OK;
}

/* ---- gap events ---- */

static void event_put(struct gn_arb *a, enum gn_gap_what what, uint64_t from, uint64_t to, uint32_t line)
{
    if (a->event_head - a->event_tail == GN_ARB_EVENTS) {
        a->stats.events_lost++;
        a->event_tail++;
    }
    a->events[a->event_head++ % GN_ARB_EVENTS] =
        (struct gn_ev_gap){.from = from, .to = to, .what = (uint32_t)what, .line = line};
}

bool gn_arb_gap_event(struct gn_arb *a, struct gn_ev_gap *ev)
{
    if (a->event_head == a->event_tail)
        return false;
    *ev = a->events[a->event_tail++ % GN_ARB_EVENTS];
    return true;
}

/* ---- held packets ---- */

static uint64_t slot_end(const struct gn_arb *a, uint32_t i)
{
    return a->slot[i].first + a->slot[i].count;
}

static void unlink_held(struct gn_arb *a, uint32_t i)
{
    struct gn_arb_slot *s = &a->slot[i];
    if (s->prev == GN_ARB_NIL)
        a->held_head = s->next;
    else
        a->slot[s->prev].next = s->next;
    if (s->next == GN_ARB_NIL)
        a->held_tail = s->prev;
    else
        a->slot[s->next].prev = s->prev;
    s->count = 0;
    s->next = a->free_head;
    a->free_head = i;
    a->held_count--;
}

/* The held packet with the highest first sequence <= seq, NIL when there is none; from whichever end is nearer. */
static uint32_t held_before(const struct gn_arb *a, uint64_t seq)
{
    uint32_t i = a->held_tail;
    if (i == GN_ARB_NIL || a->slot[i].first <= seq)
        return i;
    i = a->held_head;
    if (a->slot[i].first > seq)
        return GN_ARB_NIL;
    if (seq - a->slot[i].first > a->slot[a->held_tail].first - seq) {
        for (i = a->held_tail; a->slot[i].first > seq; i = a->slot[i].prev)
            ;
        return i;
    }
    /* the tail's first is above seq, so the walk stops before the end */
    while (a->slot[a->slot[i].next].first <= seq)
        i = a->slot[i].next;
    return i;
}

static void link_held(struct gn_arb *a, uint32_t i, uint32_t before)
{
    struct gn_arb_slot *s = &a->slot[i];
    s->prev = before;
    s->next = before == GN_ARB_NIL ? a->held_head : a->slot[before].next;
    if (s->prev == GN_ARB_NIL)
        a->held_head = i;
    else
        a->slot[s->prev].next = i;
    if (s->next == GN_ARB_NIL)
        a->held_tail = i;
    else
        a->slot[s->next].prev = i;
    a->held_count++;
}

static enum gn_arb_verdict hold(struct gn_arb *a, const struct gn_arb_in *in)
{
    uint32_t before = held_before(a, in->seq);
    if (before != GN_ARB_NIL && slot_end(a, before) >= in->seq + in->count) {
        a->stats.duplicates[in->line]++;
        return GN_ARB_DUPLICATE;
    }
    if (in->len > a->cfg.slot_bytes) {
        a->stats.overflow++;
        return GN_ARB_OVERFLOW;
    }
    if (a->free_head == GN_ARB_NIL) {
        /* What is needed sooner displaces what is needed last, so that a full buffer cannot keep a gap open. */
        a->stats.overflow++;
        if (before == a->held_tail)
            return GN_ARB_OVERFLOW;
        unlink_held(a, a->held_tail);
    }
    uint32_t i = a->free_head;
    struct gn_arb_slot *s = &a->slot[i];
    a->free_head = s->next;
    s->first = in->seq;
    s->count = in->count;
    s->len = in->len;
    s->line = in->line;
    memcpy(slot_data(a, i), in->data, in->len);
    link_held(a, i, before);
    a->stats.held++;
    if (a->held_count > a->stats.held_peak)
        a->stats.held_peak = a->held_count;
    return GN_ARB_HELD;
}

/* ---- gaps ---- */

/* One past the last missing sequence of the gap at next: where the lowest held packet starts, else the end of what is
 * known to exist. */
static uint64_t gap_end(const struct gn_arb *a)
{
    return a->held_head != GN_ARB_NIL ? a->slot[a->held_head].first : a->seen_end;
}

/* After next or seen_end moved: closes the gap that is open, sees its progress, or opens one. */
static void gap_update(struct gn_arb *a, uint64_t now_ns, uint8_t line)
{
    while (a->held_head != GN_ARB_NIL && slot_end(a, a->held_head) <= a->next)
        unlink_held(a, a->held_head);
    uint64_t end = gap_end(a);
    if (a->gap_from != 0) {
        if (a->next >= end) {
            bool asked = line == GN_ARB_LINE_RETRANSMIT;
            event_put(a, asked ? GN_GAP_FILLED_RETRANSMIT : GN_GAP_FILLED_LINE, a->gap_from, a->next, line);
            a->stats.filled_line[line]++;
            a->gap_from = 0;
        } else if (a->requested_end != 0 && a->next > a->progress) {
            /* Answered in part: the rest of that answer may be under way, what is beyond it is requested at once. */
            a->retries = 0;
            a->progress = a->next;
            a->deadline_ns = a->next >= a->requested_end ? now_ns : now_ns + a->cfg.retry_ns;
        }
    } else if (a->next < end) {
        a->gap_from = a->next;
        a->deadline_ns = now_ns + a->cfg.gap_request_ns;
        a->requested_end = a->progress = 0;
        a->retries = 0;
        a->stats.gaps++;
        event_put(a, GN_GAP_OPENED, a->next, end, line);
    }
}

enum gn_arb_action gn_arb_timer_slow(struct gn_arb *a, uint64_t now_ns, struct gn_arb_request *req)
{
    uint64_t end = gap_end(a);
    if (a->next >= end)
        return GN_ARB_NOTHING;
    req->from = a->next;
    if (a->retries >= a->cfg.max_retries) {
        req->count = end - a->next;
        a->stats.given_up++;
        a->stats.lost += req->count;
        event_put(a, GN_GAP_GIVEN_UP, a->next, end, a->last_line);
        a->next = end;
        a->gap_from = 0;
        return GN_ARB_GIVEN_UP;
    }
    uint64_t wait = a->cfg.retry_ns;
    for (uint32_t i = 0; i < a->retries && wait < a->cfg.retry_max_ns; i++)
        wait = wait > a->cfg.retry_max_ns / 2 ? a->cfg.retry_max_ns : wait * 2;
    uint64_t missing = end - a->next;
    req->count = missing < a->cfg.request_max ? missing : a->cfg.request_max;
    a->retries++;
    a->progress = a->next;
    a->requested_end = a->next + req->count;
    a->deadline_ns = now_ns + wait;
    a->stats.requests++;
    event_put(a, GN_GAP_REQUESTED, a->next, a->requested_end, GN_ARB_LINE_RETRANSMIT);
    return GN_ARB_REQUEST;
}

/* ---- packets ---- */

/* Session and sequence of a packet that has a possible line: GN_ARB_DELIVER when it may be looked at. */
static enum gn_arb_verdict judge(struct gn_arb *a, const struct gn_arb_in *in)
{
    const bool live = in->line != GN_ARB_LINE_RETRANSMIT;
    const uint64_t end = in->seq + in->count;

    if (GN_UNLIKELY(!a->adopted && live)) {
        memcpy(a->session, in->session, sizeof a->session);
        a->adopted = 1;
    }
    if (GN_UNLIKELY(!a->adopted || memcmp(a->session, in->session, sizeof a->session) != 0)) {
        a->stats.wrong_session++;
        return GN_ARB_SESSION;
    }
    if (GN_UNLIKELY(a->next == 0)) {
        /* Joining a session that runs: what a line says first is where we start. */
        if (!live) {
            a->stats.duplicates[in->line]++;
            return GN_ARB_DUPLICATE;
        }
        a->next = a->seen_end = in->seq;
    }
    if (GN_UNLIKELY(live && end < a->line_end[in->line] && a->line_end[in->line] - end > a->cfg.back_window)) {
        a->stats.back++;
        return GN_ARB_BACK;
    }
    if (GN_UNLIKELY(a->cfg.jump_max != 0 && in->seq > a->next && in->seq - a->next > a->cfg.jump_max)) {
        a->stats.jumps++;
        return GN_ARB_JUMP;
    }
    return GN_ARB_DELIVER;
}

static void deliver(struct gn_arb *a, struct gn_arb_out *out, uint64_t first, uint16_t count, uint8_t line)
{
    uint64_t end = first + count;
    out->first = a->next;
    out->skip = (uint16_t)(a->next - first);
    out->deliver = (uint16_t)(end - a->next);
    out->count = count;
    out->line = line;
    a->stats.delivered += out->deliver;
    a->stats.first[line] += out->deliver;
    a->last_line = line;
    a->next = end;
}

enum gn_arb_verdict gn_arb_packet(struct gn_arb *a, const struct gn_arb_in *in, uint64_t now_ns, struct gn_arb_out *out)
{
    if (GN_UNLIKELY(in->line >= GN_ARB_LINES)) {
        a->stats.bad++;
        return GN_ARB_BAD;
    }
    a->stats.packets[in->line]++;
    if (GN_UNLIKELY(in->seq == 0 || in->seq > UINT64_MAX - in->count)) {
        a->stats.bad++;
        return GN_ARB_BAD;
    }
    enum gn_arb_verdict verdict = judge(a, in);
    if (GN_UNLIKELY(verdict != GN_ARB_DELIVER))
        return verdict;

    const uint64_t end = in->seq + in->count;
    if (end > a->line_end[in->line])
        a->line_end[in->line] = end;
    if (end > a->seen_end)
        a->seen_end = end;
    if (in->count == 0) {
        a->stats.heartbeats[in->line]++;
        verdict = GN_ARB_HEARTBEAT;
    } else if (end <= a->next) {
        a->stats.duplicates[in->line]++;
        return GN_ARB_DUPLICATE;
    } else if (GN_LIKELY(in->seq <= a->next)) {
        deliver(a, out, in->seq, in->count, in->line);
        out->data = in->data;
        out->len = in->len;
        if (GN_LIKELY(a->next == a->seen_end && a->gap_from == 0))
            return GN_ARB_DELIVER;
    } else {
        verdict = hold(a, in);
    }
    gap_update(a, now_ns, in->line);
    return verdict;
}

bool gn_arb_next_held(struct gn_arb *a, uint64_t now_ns, struct gn_arb_out *out)
{
    if (GN_LIKELY(a->next == a->seen_end && a->held_head == GN_ARB_NIL))
        return false;
    while (a->held_head != GN_ARB_NIL && a->slot[a->held_head].first <= a->next) {
        uint32_t i = a->held_head;
        const struct gn_arb_slot s = a->slot[i];
        unlink_held(a, i);
        if (s.first + s.count <= a->next)
            continue;
        deliver(a, out, s.first, s.count, s.line);
        out->data = slot_data(a, i);
        out->len = s.len;
        return true;
    }
    gap_update(a, now_ns, a->last_line);
    return false;
}

const char *gn_arb_strerror(int err)
{
    switch (err) {
    case GN_ARB_OK:
        return "ok";
#define GN_X(num, NAME, text) \
    case GN_ARB_ERR_##NAME:   \
        return text;
        GN_ARB_ERR_TABLE(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}

const char *gn_arb_verdict_name(enum gn_arb_verdict v)
{
    switch (v) {
#define GN_X(NAME, text) \
    case GN_ARB_##NAME:  \
        return text;
        GN_ARB_VERDICTS(GN_X)
#undef GN_X
    default:
        return "unknown";
    }
}
