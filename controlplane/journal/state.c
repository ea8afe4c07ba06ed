#include "controlplane/journal/state.h"

#include <stdlib.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/reader_impl.h"
#include "controlplane/journal/state_impl.h"

struct gn_jstate *gn_jstate_new(void)
{
    struct gn_jstate *s = calloc(1, sizeof *s);
    if (s != NULL)
        s->next_seq = 1;
    return s;
}

void gn_jstate_clear(struct gn_jstate *s)
{
    free(s->order);
    free(s->slot);
    free(s->position);
    free(s->limit);
    free(s->dirty);
    const bool tracking = s->tracking;
    memset(s, 0, sizeof *s);
    s->next_seq = 1;
    s->tracking = tracking;
}

void gn_jstate_free(struct gn_jstate *s)
{
    if (s == NULL)
        return;
    gn_jstate_clear(s);
    free(s);
}

/* ---- orders by id: open addressing, at most half full ---- */

static uint64_t place(const struct gn_jstate *s, uint64_t id)
{
    uint64_t i = (id * 0x9e3779b97f4a7c15ull) >> 20 & (s->slots - 1);
    while (s->slot[i] != 0 && s->order[s->slot[i] - 1].id != id)
        i = (i + 1) & (s->slots - 1);
    return i;
}

static struct gn_jstate_order *find(const struct gn_jstate *s, uint64_t id)
{
    if (s->slots == 0 || id == 0)
        return NULL;
    const uint32_t n = s->slot[place(s, id)];
    return n == 0 ? NULL : &s->order[n - 1];
}

static void mark(struct gn_jstate *s, const struct gn_jstate_order *o)
{
    if (s->dirty != NULL)
        s->dirty[o - s->order] = 1;
}

/* An order that a record is about: it may change. */
static struct gn_jstate_order *touch(struct gn_jstate *s, uint64_t id)
{
    struct gn_jstate_order *o = find(s, id);
    if (o != NULL)
        mark(s, o);
    return o;
}

static bool grow_slots(struct gn_jstate *s)
{
    const uint64_t slots = s->slots == 0 ? 4096 : 2 * s->slots;
    uint32_t *more = calloc(slots, sizeof *more);
    if (more == NULL)
        return false;
    free(s->slot);
    s->slot = more;
    s->slots = slots;
    for (uint32_t i = 0; i < s->orders; i++)
        s->slot[place(s, s->order[i].id)] = i + 1;
    return true;
}

struct gn_jstate_order *gn_jstate_add(struct gn_jstate *s, const struct gn_jstate_order *o)
{
    struct gn_jstate_order *known = find(s, o->id);
    if (known != NULL) {
        *known = *o;
        mark(s, known);
        return known;
    }
    if (s->orders == s->room) {
        const uint32_t room = s->room == 0 ? 2048 : 2 * s->room;
        void *more = realloc(s->order, room * sizeof *s->order);
        if (more == NULL)
            return NULL;
        s->order = more;
        if (s->tracking) {
            more = realloc(s->dirty, room);
            if (more == NULL)
                return NULL;
            s->dirty = more;
        }
        s->room = room;
    }
    if (2ull * (s->orders + 1) > s->slots && !grow_slots(s))
        return NULL;
    s->order[s->orders++] = *o;
    s->slot[place(s, o->id)] = s->orders;
    mark(s, &s->order[s->orders - 1]);
    return &s->order[s->orders - 1];
}

struct gn_position *gn_jstate_position_room(struct gn_jstate *s, uint32_t instrument)
{
    if (instrument >= GN_INSTRUMENTS_MAX)
        return NULL;
    if (instrument >= s->positions) {
        const uint32_t n = (instrument | 63u) + 1;
        struct gn_position *more = realloc(s->position, n * sizeof *more);
        if (more == NULL)
            return NULL;
        memset(more + s->positions, 0, (n - s->positions) * sizeof *more);
        s->position = more;
        s->positions = n;
    }
    return &s->position[instrument];
}

bool gn_jstate_set_limit(struct gn_jstate *s, uint32_t instrument, uint32_t field, int64_t value)
{
    for (uint32_t i = 0; i < s->limits; i++)
        if (s->limit[i].instrument == instrument && s->limit[i].field == field) {
            s->limit[i].value = value;
            return true;
        }
    struct gn_jstate_limit *more = realloc(s->limit, (s->limits + 1) * sizeof *more);
    if (more == NULL)
        return false;
    s->limit = more;
    s->limit[s->limits++] = (struct gn_jstate_limit){.instrument = instrument, .field = field, .value = value};
    return true;
}

/* ---- reservations ---- */

static void set_reserve(struct gn_jstate_order *o, struct gn_position *p, int64_t qty)
{
    *(o->side == GN_SIDE_BUY ? &p->open_buy : &p->open_sell) += qty - o->reserved;
    o->reserved = qty;
}

/* The order takes a state; one that stops working gives its reservation back. */
static void set_state(struct gn_jstate_order *o, struct gn_position *p, uint8_t state)
{
    const bool was = gn_order_working(o->state), is = gn_order_working(state);
    o->state = state;
    if (was && !is) {
        set_reserve(o, p, 0);
        p->open_orders--;
    }
}

/* A replacement that the venue had not seen dies with the order that it was to replace. */
static void end_successor(struct gn_jstate *s, const struct gn_jstate_order *o, struct gn_position *p)
{
    struct gn_jstate_order *next = touch(s, o->next);
    if (next == NULL || next->prev != o->id || next->acked || !gn_order_working(next->state))
        return;
    next->leaves = 0;
    set_state(next, p, GN_ORDER_REJECTED);
}

/* ---- records ---- */

static int apply_sent(struct gn_jstate *s, const struct gn_ev_order *e)
{
    const struct gn_intent *in = &e->intent;
    struct gn_position *p = gn_jstate_position_room(s, in->instrument);
    struct gn_jstate_order *old = in->action == GN_ACTION_NEW ? NULL : touch(s, in->target);
    struct gn_jstate_order o = {
        .id = e->order_id,
        .user_ref = e->user_ref,
        .instrument = in->instrument,
        .state = GN_ORDER_PENDING_NEW,
        .side = in->side,
        .tif = in->tif,
        .session = in->session,
        .strategy = in->strategy,
        .price = in->price,
        .qty = in->qty,
        .leaves = in->qty,
    };
    int64_t reserve = in->qty;
    if (e->order_id == 0 || find(s, e->order_id) != NULL) {
        s->unknown++; /* no order, or one that was sent before: not what a data plane writes */
        return GN_JOURNAL_OK;
    }
    if (p == NULL)
        return in->instrument >= GN_INSTRUMENTS_MAX ? GN_JOURNAL_OK : GN_JOURNAL_ERR_NOMEM;
    if (in->action == GN_ACTION_REPLACE && old != NULL) {
        reserve = gn_max_i64(in->qty - old->reserved, 0);
        o.session = old->session;
        o.prev = old->id;
        o.chain_cum = old->chain_cum;
        old->next = o.id;
        if (old->state == GN_ORDER_LIVE)
            old->state = GN_ORDER_PENDING_REPLACE;
    } else if (in->action == GN_ACTION_NEW) {
        p->sent++;
    }
    struct gn_jstate_order *added = gn_jstate_add(s, &o);
    if (added == NULL)
        return GN_JOURNAL_ERR_NOMEM;
    set_reserve(added, p, reserve);
    p->open_orders++;
    const uint64_t seq = e->order_id & 0xffffffffffull;
    s->next_seq = seq >= s->next_seq ? seq + 1 : s->next_seq;
    return GN_JOURNAL_OK;
}

static int apply_order(struct gn_jstate *s, const struct gn_ev_order *e)
{
    struct gn_jstate_order *o;
    if (e->verdict != 0)
        return GN_JOURNAL_OK;
    if (e->intent.action == GN_ACTION_NEW || e->intent.action == GN_ACTION_REPLACE)
        return apply_sent(s, e);
    o = touch(s, e->intent.target);
    if (o == NULL)
        s->unknown++;
    else if (e->intent.action == GN_ACTION_CANCEL && gn_order_working(o->state) && o->state != GN_ORDER_IN_DOUBT)
        o->state = GN_ORDER_PENDING_CANCEL;
    return GN_JOURNAL_OK;
}

static void apply_cancel(struct gn_jstate *s, const struct gn_ev_cancel *e)
{
    struct gn_jstate_order *o = touch(s, e->order_id);
    if (o != NULL && gn_order_working(o->state) && o->state != GN_ORDER_IN_DOUBT)
        o->state = GN_ORDER_PENDING_CANCEL;
    s->unknown += o == NULL && e->order_id != 0;
}

static void apply_fill(struct gn_jstate_order *o, struct gn_position *p, const struct gn_exec *e)
{
    const gn_i128 value = (gn_i128)e->price * e->qty;
    if (o->side == GN_SIDE_BUY) {
        p->qty += e->qty;
        p->bought += e->qty;
        p->buy_value += value;
    } else {
        p->qty -= e->qty;
        p->sold += e->qty;
        p->sell_value += value;
    }
    p->fills++;
    o->cum += e->qty;
    o->chain_cum += e->qty;
    set_reserve(o, p, o->reserved - gn_min_i64(e->qty, o->reserved));
}

/* A trade of an order joins the position anew, or is taken back (sign -1): the order's own counts stay. */
static void apply_trade(const struct gn_jstate_order *o, struct gn_position *p, const struct gn_exec *e, int64_t sign)
{
    const int64_t qty = sign * e->qty;
    const gn_i128 value = (gn_i128)e->price * qty;
    p->qty += o->side == GN_SIDE_BUY ? qty : -qty;
    *(o->side == GN_SIDE_BUY ? &p->bought : &p->sold) += qty;
    *(o->side == GN_SIDE_BUY ? &p->buy_value : &p->sell_value) += value;
}

static void apply_replaced(struct gn_jstate *s, struct gn_jstate_order *o, struct gn_position *p,
                           const struct gn_exec *e)
{
    struct gn_jstate_order *old = touch(s, e->prev_id);
    if (old != NULL) {
        o->chain_cum = old->chain_cum;
        if (gn_order_working(old->state))
            set_state(old, p, GN_ORDER_REPLACED);
    }
    o->acked = 1;
    o->qty = e->qty;
    o->price = e->price;
    /* a replacement that is born dead passes through its reservation */
    set_reserve(o, p, gn_order_working(e->state) ? e->leaves : 0);
}

static void apply_rejected(struct gn_jstate *s, const struct gn_jstate_order *o, struct gn_position *p)
{
    struct gn_jstate_order *old = touch(s, o->prev);
    if (old != NULL && old->next == o->id) {
        old->next = 0;
        if (old->state == GN_ORDER_PENDING_REPLACE)
            old->state = GN_ORDER_LIVE;
    }
    p->rejected++;
}

static void apply_kind(struct gn_jstate *s, struct gn_jstate_order *o, struct gn_position *p, const struct gn_exec *e)
{
    switch (e->kind) {
    case GN_EXEC_ACCEPTED:
        o->acked = 1;
        p->accepted++;
        break;
    case GN_EXEC_REPLACED:
        apply_replaced(s, o, p, e);
        break;
    case GN_EXEC_FILLED:
        apply_fill(o, p, e);
        break;
    case GN_EXEC_CANCELED:
        set_reserve(o, p, o->reserved - gn_min_i64(e->qty, o->reserved));
        p->canceled += e->leaves == 0;
        break;
    case GN_EXEC_REJECTED:
        apply_rejected(s, o, p);
        break;
    case GN_EXEC_GATE_REJECTED: /* held for the journal, and never sent */
        apply_rejected(s, o, p);
        p->rejected--;
        p->sent -= o->prev == 0;
        break;
    case GN_EXEC_MODIFIED:
        set_reserve(o, p, gn_order_working(o->state) ? e->leaves : 0);
        break;
    case GN_EXEC_RESTATED:
        o->price = e->price;
        break;
    case GN_EXEC_BROKEN:
        apply_trade(o, p, e, -1);
        break;
    case GN_EXEC_CORRECTED:
        apply_trade(o, p, e, 1);
        break;
    default:
        break;
    }
}

static int apply_exec(struct gn_jstate *s, const struct gn_ev_exec *ev)
{
    const struct gn_exec *e = &ev->exec;
    if (e->session < GN_SESSIONS_MAX && ev->venue_seq >= s->venue_seq[e->session])
        s->venue_seq[e->session] = ev->venue_seq + 1;
    struct gn_jstate_order *o = touch(s, e->order_id);
    struct gn_position *p = o != NULL ? gn_jstate_position_room(s, o->instrument) : NULL;
    if (o == NULL || p == NULL) {
        s->unknown++;
        return GN_JOURNAL_OK;
    }
    apply_kind(s, o, p, e);
    o->leaves = e->leaves;
    set_state(o, p, e->state);
    if (e->leaves == 0 && (e->kind == GN_EXEC_FILLED || e->kind == GN_EXEC_CANCELED))
        end_successor(s, o, p);
    s->position_errors += e->position != p->qty;
    return GN_JOURNAL_OK;
}

/* A session that went down leaves its working orders in doubt; one that is up again has decided about them. */
static void apply_session(struct gn_jstate *s, const struct gn_ev_session *e)
{
    if (e->session < GN_SESSIONS_MAX && e->next_seq > s->venue_seq[e->session])
        s->venue_seq[e->session] = e->next_seq;
    const bool down = e->state == GN_SESSION_DOWN || e->state == GN_SESSION_REFUSED || e->state == GN_SESSION_ENDED;
    for (uint32_t i = 0; (down || e->state == GN_SESSION_UP) && i < s->orders; i++) {
        struct gn_jstate_order *o = &s->order[i];
        struct gn_position *p = &s->position[o->instrument];
        if (o->session != e->session || !gn_order_working(o->state))
            continue;
        mark(s, o);
        if (down) {
            o->state = GN_ORDER_IN_DOUBT;
        } else if (o->state == GN_ORDER_IN_DOUBT && o->acked) {
            o->state = GN_ORDER_LIVE;
            o->next = 0;
        } else if (o->state == GN_ORDER_IN_DOUBT) {
            o->leaves = 0;
            set_state(o, p, GN_ORDER_REJECTED);
        }
    }
}

static int apply_payload(struct gn_jstate *s, uint16_t type, const void *payload, uint32_t bytes)
{
    switch (type) {
    case GN_EV_ORDER:
        return bytes >= sizeof(struct gn_ev_order) ? apply_order(s, payload) : GN_JOURNAL_ERR_DAMAGED;
    case GN_EV_EXEC:
        return bytes >= sizeof(struct gn_ev_exec) ? apply_exec(s, payload) : GN_JOURNAL_ERR_DAMAGED;
    case GN_EV_CANCEL:
        if (bytes < sizeof(struct gn_ev_cancel))
            return GN_JOURNAL_ERR_DAMAGED;
        apply_cancel(s, payload);
        return GN_JOURNAL_OK;
    case GN_EV_SESSION:
        if (bytes < sizeof(struct gn_ev_session))
            return GN_JOURNAL_ERR_DAMAGED;
        apply_session(s, payload);
        return GN_JOURNAL_OK;
    case GN_EV_LIMITS: {
        const struct gn_ev_limits *e = payload;
        if (bytes < sizeof *e)
            return GN_JOURNAL_ERR_DAMAGED;
        return gn_jstate_set_limit(s, e->instrument, e->field, e->new_value) ? GN_JOURNAL_OK : GN_JOURNAL_ERR_NOMEM;
    }
    default:
        return GN_JOURNAL_OK;
    }
}

int gn_jstate_apply(struct gn_jstate *s, const struct gn_rec *rec, const uint8_t *payload, uint32_t payload_bytes,
                    uint64_t rings_id)
{
    if (rings_id != s->rings_id) {
        const uint64_t segment = s->segment;
        gn_jstate_clear(s);
        s->rings_id = rings_id;
        s->segment = segment;
    }
    if (rec->source >= GN_JOURNAL_RINGS_MAX)
        return GN_JOURNAL_ERR_ARG;
    if (rec->seq <= s->last_seq[rec->source])
        return GN_JOURNAL_OK;
    /* an accepted loss is a gap that the journal itself names: gn_jstate_read lets it pass */
    if (rec->seq != s->last_seq[rec->source] + 1)
        return GN_JOURNAL_ERR_SEQ;
    s->last_seq[rec->source] = rec->seq;
    s->records++;
    return apply_payload(s, rec->type, payload, payload_bytes);
}

int gn_jstate_read(struct gn_jstate *s, const char *dir, const struct gn_journal_io *io,
                   struct gn_journal_finding *finding)
{
    struct gn_journal_reader *r;
    struct gn_journal_item item;
    int rc = gn_journal_reader_open(&r, dir, io, finding);
    if (rc != GN_JOURNAL_OK)
        return rc;
    if (s->segment != 0)
        rc = gn_journal_reader_seek(r, s->segment);
    while (rc == GN_JOURNAL_OK && (rc = gn_journal_reader_next(r, &item)) == 1) {
        const uint8_t source = item.rec->source;
        const bool gap = (item.segment->flags & GN_JOURNAL_SEGMENT_GAP) != 0 && item.segment->rings_id == s->rings_id;
        if (gap && item.rec->seq > s->last_seq[source] + 1)
            s->last_seq[source] = item.rec->seq - 1;
        rc = gn_jstate_apply(s, item.rec, item.payload, item.payload_bytes, item.segment->rings_id);
        s->segment = item.segment->number;
    }
    if (finding != NULL)
        *finding = *gn_journal_reader_finding(r);
    gn_journal_reader_close(r);
    return rc;
}

/* ---- looking ---- */

void gn_jstate_totals(const struct gn_jstate *s, struct gn_jstate_totals *out)
{
    *out = (struct gn_jstate_totals){
        .records = s->records,
        .orders = s->orders,
        .next_seq = s->next_seq,
        .unknown = s->unknown,
        .position_errors = s->position_errors,
        .rings_id = s->rings_id,
        .segment = s->segment,
        .positions = s->positions,
        .limits = s->limits,
    };
    memcpy(out->venue_seq, s->venue_seq, sizeof out->venue_seq);
    for (uint32_t i = 0; i < s->orders; i++)
        out->working += gn_order_working(s->order[i].state);
}

const struct gn_position *gn_jstate_position(const struct gn_jstate *s, uint32_t instrument)
{
    static const struct gn_position nothing;
    return instrument < s->positions ? &s->position[instrument] : &nothing;
}

const struct gn_jstate_order *gn_jstate_order(const struct gn_jstate *s, uint64_t id)
{
    return find(s, id);
}

const struct gn_jstate_limit *gn_jstate_limit(const struct gn_jstate *s, uint32_t i)
{
    return &s->limit[i];
}

void gn_jstate_track(struct gn_jstate *s)
{
    s->tracking = true;
}

const struct gn_jstate_order *gn_jstate_changed(struct gn_jstate *s, uint32_t *at)
{
    for (; s->dirty != NULL && *at < s->orders; ++*at)
        if (s->dirty[*at] != 0) {
            s->dirty[*at] = 0;
            return &s->order[(*at)++];
        }
    return NULL;
}
