#include "bench/harness/venue.h"

#include <stdio.h>
#include <sys/resource.h>

#define TURN_NS        20000ull     /* the simulator's timers, requests and acknowledgements may wait so long */
#define DRAIN_NS       100000000ull /* for the last answers of a point */
#define LEAD_NS        2000000ull
#define PRELOAD_GAP_NS 20000ull
#define DAY_NS         86400000000000ull

static uint64_t now_of(void *arg)
{
    struct gn_venue *v = arg;
    return gn_clock_now(&v->clock, &v->now);
}

/* ---- answers ---- */

/* Of the looks that found something, the one that this arrival belongs to. */
static uint64_t looked_before(const struct gn_venue *v, uint64_t arrived_ns)
{
    for (uint32_t back = 1; back <= GN_VENUE_LOOKS; back++) {
        const struct gn_venue_look *l = &v->found[(v->found_n - back) % GN_VENUE_LOOKS];
        if (l->at_ns <= arrived_ns)
            return l->before_ns;
    }
    return 0; /* unknown: counts as not resolved */
}

static void answered(struct gn_venue *v, uint64_t seq, uint64_t arrived_ns)
{
    struct gn_venue_slot *s = &v->slot[seq & (GN_LAT_STAMPS - 1)];
    if (s->seq != seq) {
        v->unexpected += v->point != NULL;
        return;
    }
    if (s->sample == NULL || v->point == NULL)
        return;
    if (s->sample->arrived_ns != 0) {
        v->point->twice++;
        return;
    }
    s->sample->arrived_ns = arrived_ns;
    s->sample->look_ns = looked_before(v, arrived_ns);
    v->point->answered++;
}

static void on_order(void *arg, uint32_t tick, uint64_t arrived_ns)
{
    struct gn_venue *v = arg;
    const uint64_t newest = v->sim->stamps.newest;
    answered(v, newest - ((newest - tick) & (GN_LAT_STAMPS - 1)), arrived_ns);
}

/* A packet of ours with one message; the echo sends back whatever comes, also ARP. */
static bool is_echo(const struct gn_sim_frame *f)
{
    return f->len >= GN_VENUE_SEQ_AT + 10 && gn_load_be16(f->data + 12) == 0x0800 && f->data[23] == 17 &&
           gn_load_be16(f->data + GN_VENUE_SEQ_AT + 8) == 1;
}

/* Echoed frames never reach the simulator. */
static void take_echoes(struct gn_venue *v, struct gn_sim_frame *f, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (is_echo(&f[i]))
            answered(v, gn_load_be64(f[i].data + GN_VENUE_SEQ_AT), v->look_ns);
    v->inner.done(v->inner.arg, f, n);
}

static uint32_t rx(void *arg, uint32_t link, struct gn_sim_frame *out, uint32_t max)
{
    struct gn_venue *v = arg;
    uint32_t n = v->inner.rx(v->inner.arg, link, out, max);
    if (link != v->sim->link_order)
        return n;
    const uint64_t before = v->look_ns;
    v->look_ns = now_of(v);
    if (v->point != NULL)
        gn_point_look(v->point, before, v->look_ns);
    if (n == 0)
        return 0;
    v->found[v->found_n++ % GN_VENUE_LOOKS] = (struct gn_venue_look){before, v->look_ns};
    if (!v->echo)
        return n;
    take_echoes(v, out, n);
    return 0;
}

static void done(void *arg, struct gn_sim_frame *frames, uint32_t n)
{
    struct gn_venue *v = arg;
    v->inner.done(v->inner.arg, frames, n);
}

static void flush(void *arg, uint32_t link, struct gn_txq *q)
{
    struct gn_venue *v = arg;
    v->inner.flush(v->inner.arg, link, q);
}

/* ---- making ---- */

bool gn_venue_init(struct gn_venue *v, const struct gn_sim_options *opt, char err[GN_OPT_TEXT])
{
    uint8_t macs[GN_SIM_LINKS_MAX][6];
    for (uint32_t i = 0; i < opt->ports; i++)
        memcpy(macs[i], v->io->link[i].port.mac, sizeof macs[i]);
    gn_clock_start(&v->clock);
    v->inner = gn_io_ops(v->io);
    const struct gn_sim_io ops = {.arg = v, .now = now_of, .rx = rx, .done = done, .flush = flush};
    v->sim = gn_sim_new(opt, &ops, macs, now_of(v), err);
    if (v->sim == NULL)
        return false;
    for (uint32_t i = 0; i < opt->ports; i++)
        if (!gn_io_stock(v->io, i, &v->sim->links.link[i].txq)) {
            snprintf(err, GN_OPT_TEXT, "no packet buffers; raise --dpdk-mem-mib");
            return false;
        }
    v->sim->orders.on_order = on_order;
    v->sim->orders.on_order_arg = v;
    v->look_ns = now_of(v);
    gn_feed_init(&v->feed, (uint32_t)opt->instruments);
    return true;
}

void gn_venue_free(struct gn_venue *v)
{
    gn_sim_free(v->sim);
}

/* ---- the loop ---- */

/* The reference books follow, so that the matching knows the prices that were published. */
static void apply(struct gn_venue *v)
{
    v->behind = false;
    v->sim->orders.now = v->now;
    while (gn_pub_apply(&v->sim->pub, v->now % DAY_NS) != 0)
        ;
}

bool gn_venue_spin(struct gn_venue *v)
{
    struct gn_sim *s = v->sim;
    struct gn_sim_frame *f = &s->stash[s->stash_n];
    uint32_t n = rx(v, s->link_order, f, GN_SIM_BURST);
    for (uint32_t i = 0; i < n; i++) {
        f[i].arrived_ns = v->look_ns;
        f[i].link = s->link_order;
    }
    s->stash_n += n;
    if (GN_LIKELY(n == 0 && v->look_ns - v->turn_ns < TURN_NS))
        return true;
    v->turn_ns = v->look_ns;
    if (v->behind)
        apply(v);
    return gn_sim_turn(s);
}

bool gn_venue_wait(struct gn_venue *v, uint64_t ns)
{
    for (uint64_t until = now_of(v) + ns; v->now < until;)
        if (!gn_venue_spin(v))
            return false;
    return true;
}

/* One message in one packet. Stamped when the frame is complete, right before it goes to the port. Returns its sequence
 * and when it went. */
static uint64_t publish(struct gn_venue *v, const uint8_t *msg, uint32_t len, struct gn_sample *sample,
                        uint64_t *sent_ns)
{
    struct gn_sim *s = v->sim;
    struct gn_pub *p = &s->pub;
    struct gn_mold_builder b;
    const uint64_t seq = s->history.next;
    if (gn_mold_begin(&b, p->packet, sizeof p->packet, p->cfg.session, seq) != GN_MOLD_OK ||
        gn_mold_append(&b, msg, (uint16_t)len) != GN_MOLD_OK)
        return 0;
    const uint32_t bytes = gn_mold_finish(&b);
    (void)gn_history_add(&s->history, msg, len);
    for (uint32_t line = 0; line < v->lines; line++) {
        const struct gn_pub_line *l = &p->cfg.line[line];
        if (gn_links_udp(&s->links, l->link, l->group, p->cfg.src_port, l->port, p->packet, bytes, v->now) != GN_NET_OK)
            p->stats.tx_errors++;
        if (line == 0) {
            /* what was written so far, into cold lines too, is not to hold up the frame after it was stamped */
            _mm_mfence();
            *sent_ns = now_of(v);
        }
        gn_links_flush(&s->links, l->link);
        if (line == 0) {
            gn_lat_stamp(&s->stamps, seq, *sent_ns);
            v->slot[seq & (GN_LAT_STAMPS - 1)] = (struct gn_venue_slot){seq, sample};
            if (sample != NULL)
                *sample = (struct gn_sample){.seq = seq, .sched_ns = sample->sched_ns, .sent_ns = *sent_ns};
        }
    }
    v->behind = true; /* the answer is looked for first: books follow before it is matched, or with the next turn */
    p->last_ns = *sent_ns;
    p->stats.messages++;
    p->stats.packets++;
    return seq;
}

void gn_venue_open_market(struct gn_venue *v)
{
    uint8_t msg[GN_FEED_MSG_MAX];
    uint64_t sent;
    uint32_t len;
    for (uint32_t n = 0; (len = gn_feed_opening(&v->feed, n, now_of(v) % DAY_NS, msg)) != 0; n++) {
        (void)publish(v, msg, len, NULL, &sent);
        if (!gn_venue_wait(v, 100000))
            return;
    }
}

static void count_switches(struct gn_point *p, int sign)
{
    struct rusage use;
    if (getrusage(RUSAGE_THREAD, &use) != 0)
        return;
    p->switches_forced += (uint64_t)(use.ru_nivcsw * sign);
    p->switches_own += (uint64_t)(use.ru_nvcsw * sign);
}

/* sample: where the answer is noted, NULL when none is. */
static void send_at(struct gn_venue *v, struct gn_point *p, const uint8_t *msg, uint32_t len, uint64_t due,
                    struct gn_sample *sample)
{
    uint64_t sent;
    if (sample != NULL)
        sample->sched_ns = due;
    if (publish(v, msg, len, sample, &sent) == 0)
        return;
    if (v->point != NULL && sent - due > p->late_max_ns)
        p->late_max_ns = sent - due;
    (void)gn_venue_spin(v);
}

static bool spin_until(struct gn_venue *v, uint64_t due)
{
    while (v->now < due)
        if (!gn_venue_spin(v))
            return false;
    return true;
}

static void fixed_schedule(struct gn_venue *v, struct gn_point *p)
{
    uint8_t msg[GN_FEED_MSG_MAX];
    for (uint64_t i = 0; i < p->messages; i++) {
        const uint64_t step = i / p->burst * p->burst;
        const uint64_t due = p->begun_ns + (uint64_t)((gn_i128)step * 1000000000 / p->rate);
        const bool moving = i % p->every == p->every - 1;
        if (!spin_until(v, due))
            return;
        const uint32_t len = gn_feed_next(&v->feed, moving, v->now % DAY_NS, msg);
        const bool noted = v->point != NULL && moving && p->n < p->room;
        send_at(v, p, msg, len, due, noted ? &p->sample[p->n++] : NULL);
    }
}

/* Recorded messages, each due at its own time since the first of the point, made faster by the point's speed. */
static void recorded_schedule(struct gn_venue *v, struct gn_point *p)
{
    uint8_t msg[GN_MARKET_MSG_MAX];
    const uint64_t length = p->ms * 1000000ull;
    uint64_t time_ns, first = 0, since = 0;
    int len;
    while (since < length && p->n < p->room && (len = gn_market_next(v->sim->market, msg, sizeof msg, &time_ns)) > 0) {
        first = p->messages++ == 0 ? time_ns : first;
        since = time_ns > first ? (uint64_t)((gn_i128)(time_ns - first) * 1000 / p->speed_milli) : 0;
        /* the one after the end is published too, so that no book misses it, but is not of the point */
        const bool noted = v->point != NULL && since <= length;
        since = since < length ? since : length;
        if (!spin_until(v, p->begun_ns + since))
            return;
        send_at(v, p, msg, (uint32_t)len, p->begun_ns + since, noted ? &p->sample[p->n++] : NULL);
    }
}

void gn_venue_preload(struct gn_venue *v, uint64_t messages)
{
    uint8_t msg[GN_MARKET_MSG_MAX];
    uint64_t time_ns, sent;
    int len;
    while (messages-- != 0 && (len = gn_market_next(v->sim->market, msg, sizeof msg, &time_ns)) > 0) {
        (void)publish(v, msg, (uint32_t)len, NULL, &sent);
        if (!gn_venue_wait(v, PRELOAD_GAP_NS))
            return;
    }
}

void gn_venue_run(struct gn_venue *v, struct gn_point *p, bool record)
{
    v->point = record ? p : NULL;
    p->begun_ns = now_of(v) + LEAD_NS;
    count_switches(p, -1);
    if (p->speed_milli != 0)
        recorded_schedule(v, p);
    else
        fixed_schedule(v, p);
    const uint64_t last = now_of(v);
    while ((record && p->answered < p->n && v->now - last < DRAIN_NS) || v->now - last < LEAD_NS)
        if (!gn_venue_spin(v))
            break;
    count_switches(p, 1);
    p->ended_ns = v->now;
    v->point = NULL;
}
