#include "controlplane/dropcopy/match.h"

#define NS_PER_MS   1000000ull
#define ALERT_BREAK 100u /* alert codes of breaks: their class behind this */

uint64_t gn_dropcopy_break(struct gn_dropcopy *d, uint32_t session, const struct gn_break *found, uint64_t now_ns)
{
    struct gn_break b = *found;
    b.session = (uint8_t)session;
    b.found_ns = now_ns;
    b.state = GN_BREAK_OPEN;
    uint64_t seq = gn_break_note(d->recon, &b);
    struct gn_rec *rec = gn_appliance_event(d->a, GN_EV_BREAK, sizeof(struct gn_ev_break));
    if (rec != NULL) {
        *(struct gn_ev_break *)(rec + 1) = (struct gn_ev_break){.seq = seq,
                                                                .kind = b.kind,
                                                                .state = b.state,
                                                                .source = 1,
                                                                .instrument = b.instrument,
                                                                .order_id = b.order_id,
                                                                .match = b.match,
                                                                .ours = b.ours,
                                                                .theirs = b.theirs,
                                                                .venue_seq = b.venue_seq,
                                                                .session = session};
        rec->corr = b.order_id != 0 ? b.order_id : seq;
        gn_appliance_publish(d->a);
    }
    if (gn_break_severity(b.kind) <= 2)
        gn_appliance_alert(d->a, ALERT_BREAK + b.kind, gn_break_severity(b.kind), gn_break_help(b.kind));
    return seq;
}

static struct gn_dropcopy_item *room(struct gn_dropcopy_item *list, uint32_t *n)
{
    for (uint32_t i = 0; i < GN_DROPCOPY_WAITING; i++)
        if (list[i].used == 0) {
            *n += 1;
            list[i] = (struct gn_dropcopy_item){.used = 1};
            return &list[i];
        }
    return NULL;
}

static void release(struct gn_dropcopy *d, struct gn_dropcopy_item *it, uint32_t *n, uint64_t now_ns)
{
    if (it->breach != 0)
        gn_break_resolve(d->recon, it->breach, now_ns);
    it->used = 0;
    *n -= 1;
}

/* ---- theirs ---- */

static bool concerns_us(uint8_t type)
{
    return type == GN_OUCH_OUT_EXECUTED || type == GN_OUCH_OUT_BROKEN || type == GN_OUCH_OUT_CORRECTED ||
           type == GN_OUCH_OUT_ACCEPTED || type == GN_OUCH_OUT_REPLACED;
}

static uint16_t class_of(uint8_t type)
{
    switch (type) {
    case GN_OUCH_OUT_EXECUTED:
        return GN_BREAK_FILL_NOT_HERE;
    case GN_OUCH_OUT_BROKEN:
    case GN_OUCH_OUT_CORRECTED:
        return GN_BREAK_FILL_STATE;
    default:
        return GN_BREAK_ORDER_NOT_HERE;
    }
}

static void breach(struct gn_dropcopy *d, uint32_t session, struct gn_dropcopy_item *it, uint16_t kind, uint64_t now_ns)
{
    const bool order = kind == GN_BREAK_ORDER_NOT_HERE;
    it->breach = gn_dropcopy_break(d, session,
                                   &(struct gn_break){.kind = kind,
                                                      .instrument = GN_BREAK_NOWHERE,
                                                      .match = it->match,
                                                      .ours = kind == GN_BREAK_FILL_NOT_THERE ? it->qty : 0,
                                                      .theirs = order                             ? it->user_ref
                                                                : kind == GN_BREAK_FILL_NOT_THERE ? 0
                                                                                                  : it->qty,
                                                      .venue_seq = kind == GN_BREAK_FILL_NOT_THERE ? 0 : it->seq},
                                   now_ns);
}

void gn_dropcopy_message(struct gn_dropcopy *d, uint32_t session, const uint8_t *msg, uint16_t len, uint64_t seq,
                         uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[session];
    struct gn_ouch_msg m;
    if (gn_ouch_decode_out(msg, len, &m) != GN_OUCH_OK) {
        gn_appliance_alert(d->a, 'B', 2, "a message of the drop copy could not be decoded: its content is unknown");
        return;
    }
    if (!concerns_us(m.type))
        return;
    struct gn_dropcopy_item *it = room(s->theirs, &s->n_theirs);
    struct gn_dropcopy_item beyond = {0};
    const bool waits = it != NULL;
    it = waits ? it : &beyond;
    it->type = m.type;
    it->liquidity = (uint8_t)m.liquidity;
    it->user_ref = m.user_ref;
    it->seq = seq;
    it->match = m.match;
    it->since_ns = now_ns;
    it->qty = m.qty;
    it->price = (int64_t)m.price;
    if (!waits)
        breach(d, session, it, class_of(m.type), now_ns);
}

/* ---- ours ---- */

static void take_ours(struct gn_dropcopy *d, uint32_t session, uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[session];
    const uint64_t total = atomic_load_explicit(&d->fills->total, memory_order_acquire);
    uint64_t floor = s->soup.next_seq;
    struct gn_fill f;
    if (s->next_fill == total + 1)
        return;
    for (uint32_t i = 0; i < GN_DROPCOPY_WAITING && s->n_theirs != 0; i++)
        if (s->theirs[i].used != 0 && s->theirs[i].seq < floor)
            floor = s->theirs[i].seq;
    if (s->next_fill > total + 1)
        s->next_fill = 1; /* another day's table */
    for (; s->next_fill <= total; s->next_fill++) {
        if (!gn_fill_read(d->fills, s->next_fill, &f) || f.session != session)
            continue; /* of another session, or gone before it was looked at: the drop copy's own item then waits */
        struct gn_dropcopy_item *it = room(s->ours, &s->n_ours);
        if (it == NULL)
            return; /* full: go on when something was settled */
        it->type = GN_OUCH_OUT_EXECUTED;
        it->user_ref = f.user_ref;
        it->seq = s->next_fill;
        it->match = f.match;
        it->since_ns = now_ns;
        it->qty = f.qty;
        it->price = f.price;
        it->floor = floor;
    }
}

/* ---- both ---- */

static void differ(struct gn_dropcopy *d, uint32_t session, const struct gn_fill *f, uint16_t kind, int64_t ours,
                   int64_t theirs, uint64_t seq, uint64_t now_ns)
{
    if (ours == theirs)
        return;
    (void)gn_dropcopy_break(d, session,
                            &(struct gn_break){.kind = kind,
                                               .instrument = f->instrument,
                                               .order_id = f->order_id,
                                               .match = f->match,
                                               .ours = ours,
                                               .theirs = theirs,
                                               .venue_seq = seq},
                            now_ns);
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static bool changed_later(const struct gn_dropcopy_session *s, const struct gn_dropcopy_item *t)
{
    for (uint32_t i = 0; i < GN_DROPCOPY_WAITING; i++) {
        const struct gn_dropcopy_item *later = &s->theirs[i];
        if (later->used != 0 && later != t && later->match == t->match && later->user_ref == t->user_ref &&
            later->seq > t->seq && later->type != GN_OUCH_OUT_EXECUTED)
            return true;
    }
    return false;
}

static struct gn_dropcopy_item *ours_of(struct gn_dropcopy_session *s, const struct gn_dropcopy_item *t)
{
    for (uint32_t i = 0; i < GN_DROPCOPY_WAITING && s->n_ours != 0; i++)
        if (s->ours[i].used != 0 && s->ours[i].match == t->match && s->ours[i].user_ref == t->user_ref)
            return &s->ours[i];
    return NULL;
}

static bool kept_fill(struct gn_dropcopy *d, uint32_t session, const struct gn_dropcopy_item *t, struct gn_fill *f)
{
    const struct gn_fill *kept = gn_fills_find(d->fills, session, t->user_ref, t->match);
    return kept != NULL && gn_fill_read(d->fills, atomic_load_explicit(&kept->seq, memory_order_acquire), f) &&
           f->match == t->match && f->user_ref == t->user_ref;
}

/* An execution has its fill when the order session reported one under the same number: in the list of those that wait,
 * or, for what is repeated after a restart, in the table. One that was corrected since is compared by its correction.
 */
static bool settle_fill(struct gn_dropcopy *d, uint32_t session, const struct gn_dropcopy_item *t, bool waited,
                        uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[session];
    const struct gn_conf_session *c = &d->a->conf->session[session];
    struct gn_dropcopy_item *o = ours_of(s, t);
    struct gn_fill f;
    if (!kept_fill(d, session, t, &f) || f.seq >= s->next_fill)
        return false;
    if (!changed_later(s, t)) {
        const int64_t fee = gn_fee_of(c->fee_add, c->fee_remove, t->liquidity, f.qty);
        const bool same = f.qty == t->qty && f.price == t->price && f.fee == fee;
        if (!same && !waited)
            return false; /* its correction may be on the way */
        differ(d, session, &f, GN_BREAK_FILL_QTY, f.qty, t->qty, t->seq, now_ns);
        differ(d, session, &f, GN_BREAK_FILL_PRICE, f.price, t->price, t->seq, now_ns);
        differ(d, session, &f, GN_BREAK_FILL_FEE, f.fee, fee, t->seq, now_ns);
    }
    if (o != NULL)
        release(d, o, &s->n_ours, now_ns);
    count(&d->recon->checked_fills);
    return true;
}

/* A break or a correction has been followed when the fill stands as it says. A later one may have come on top of it:
 * the order session's word is then further than this one, and what both say last is compared. */
static bool settle_change(struct gn_dropcopy *d, uint32_t session, const struct gn_dropcopy_item *t)
{
    struct gn_fill f;
    if (changed_later(&d->session[session], t))
        return true;
    if (!kept_fill(d, session, t, &f))
        return false;
    if (t->type == GN_OUCH_OUT_BROKEN)
        return f.state == GN_FILL_BROKEN;
    return f.state == GN_FILL_STANDS && f.qty == t->qty && f.price == t->price;
}

/* An order of ours was given this reference, and its slot may have been taken again by a later one. */
static bool settle_order(struct gn_dropcopy *d, const struct gn_dropcopy_item *t)
{
    if (d->orders->capacity == 0)
        return false;
    const struct gn_order *o = &d->orders->order[t->user_ref & (d->orders->capacity - 1)];
    const bool known = o->state != GN_ORDER_FREE && o->user_ref >= t->user_ref;
    if (known)
        count(&d->recon->checked_orders);
    return known;
}

static bool settled(struct gn_dropcopy *d, uint32_t session, const struct gn_dropcopy_item *t, bool waited,
                    uint64_t now_ns)
{
    if (t->type == GN_OUCH_OUT_EXECUTED)
        return settle_fill(d, session, t, waited, now_ns);
    if (t->type == GN_OUCH_OUT_BROKEN || t->type == GN_OUCH_OUT_CORRECTED)
        return settle_change(d, session, t);
    return settle_order(d, t);
}

/* The next life begins with what is not settled, and with what the drop copy said from the time on when the oldest of
 * it was read: what is settled twice is compared twice, and nothing is left out. */
static void keep_place(struct gn_dropcopy *d, uint32_t session)
{
    const struct gn_dropcopy_session *s = &d->session[session];
    uint64_t seq = s->soup.next_seq, fill = s->next_fill;
    for (uint32_t i = 0; i < GN_DROPCOPY_WAITING; i++) {
        if (s->theirs[i].used != 0 && s->theirs[i].seq < seq)
            seq = s->theirs[i].seq;
        if (s->ours[i].used != 0 && s->ours[i].seq < fill)
            fill = s->ours[i].seq;
        if (s->ours[i].used != 0 && s->ours[i].floor < seq)
            seq = s->ours[i].floor;
    }
    d->recon->resume_fill[session] = fill;
    d->recon->resume_seq[session] = seq;
}

void gn_dropcopy_match(struct gn_dropcopy *d, uint32_t session, uint64_t now_ns)
{
    struct gn_dropcopy_session *s = &d->session[session];
    const uint64_t grace_ns = d->a->conf->session[session].drop_copy_grace_ms * NS_PER_MS;
    take_ours(d, session, now_ns);
    for (uint32_t i = 0; i < GN_DROPCOPY_WAITING; i++) {
        struct gn_dropcopy_item *t = &s->theirs[i];
        if (t->used == 0)
            continue;
        const bool waited = now_ns - t->since_ns >= grace_ns;
        if (settled(d, session, t, waited, now_ns))
            release(d, t, &s->n_theirs, now_ns);
        else if (t->breach == 0 && waited)
            breach(d, session, t, class_of(t->type), now_ns);
    }
    /* ours may only be missing there when the drop copy is heard: its silence is a break of another kind */
    for (uint32_t i = 0; i < GN_DROPCOPY_WAITING && s->soup.state == GN_SOUP_LOGGED_IN; i++) {
        struct gn_dropcopy_item *o = &s->ours[i];
        if (o->used != 0 && o->breach == 0 && now_ns - o->since_ns >= grace_ns)
            breach(d, session, o, GN_BREAK_FILL_NOT_THERE, now_ns);
    }
    keep_place(d, session);
    count(&d->recon->rounds);
    atomic_store_explicit(&d->recon->last_round_ns, now_ns, memory_order_relaxed);
}
