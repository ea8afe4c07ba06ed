#include "tools/venue-sim/publisher.h"

#define PART 65536u

void gn_pub_init(struct gn_pub *p)
{
    p->state = GN_PUB_WAITING;
    p->applied = 1;
    p->ready = false;
    if (p->cfg.rate != 0) {
        const uint64_t step = 1000000000ull * PART / p->cfg.rate;
        p->step_whole = step / PART;
        p->step_part = step % PART;
    }
    memset(&p->stats, 0, sizeof p->stats);
}

/* Reads the next message and says when it is due. */
static bool look_ahead(struct gn_pub *p)
{
    int len = gn_market_next(p->market, p->next_msg, sizeof p->next_msg, &p->next_time);
    if (len <= 0)
        return false;
    p->next_len = (uint16_t)len;
    p->ready = true;
    if (p->cfg.rate != 0) {
        p->due_part += p->step_part;
        p->due_ns += p->step_whole + p->due_part / PART;
        p->due_part %= PART;
    } else if (p->cfg.speed_milli != 0) {
        uint64_t since = p->next_time > p->first_time ? p->next_time - p->first_time : 0;
        p->due_ns = p->start_ns + (uint64_t)((gn_i128)since * 1000 / (gn_i128)p->cfg.speed_milli);
    } else {
        p->due_ns = 0;
    }
    return true;
}

static void send_line(struct gn_pub *p, uint32_t line, const uint8_t *payload, uint32_t len, uint64_t now_ns)
{
    const struct gn_pub_line *l = &p->cfg.line[line];
    if (gn_links_udp(p->links, l->link, l->group, p->cfg.src_port, l->port, payload, len, now_ns) != GN_NET_OK)
        p->stats.tx_errors++;
    else
        p->stats.line_packets[line]++;
}

static void flush_lines(struct gn_pub *p)
{
    for (uint32_t line = 0; line < GN_IMPAIR_LINES; line++)
        gn_links_flush(p->links, p->cfg.line[line].link);
}

static void send_garbage(struct gn_pub *p, uint32_t line, uint64_t now_ns)
{
    const struct gn_pub_line *l = &p->cfg.line[line];
    uint8_t junk[96];
    uint8_t len;
    gn_impair_garbage(p->impair, &len, 1);
    gn_impair_garbage(p->impair, junk, sizeof junk);
    if (gn_links_udp(p->links, l->link, l->group, p->cfg.src_port, l->port, junk, 1 + len % sizeof junk, now_ns) !=
        GN_NET_OK)
        p->stats.tx_errors++;
}

/* One packet on both lines, each by its fate. */
static void send_packet(struct gn_pub *p, uint32_t len, uint64_t now_ns)
{
    struct gn_impair_fate fate[GN_IMPAIR_LINES];
    const struct gn_impair_held *h;
    gn_impair_fates(p->impair, fate);
    for (uint32_t line = 0; line < GN_IMPAIR_LINES; line++) {
        bool held = fate[line].hold && gn_impair_hold(p->impair, line, p->packet, len);
        for (uint32_t i = held; i < fate[line].copies; i++)
            send_line(p, line, p->packet, len, now_ns);
        if (GN_LIKELY(!p->impair->md_active))
            continue;
        if (fate[line].garbage)
            send_garbage(p, line, now_ns);
        while ((h = gn_impair_release(p->impair, line, false)) != NULL)
            send_line(p, line, h->bytes, h->len, now_ns);
    }
    flush_lines(p);
    p->last_ns = now_ns;
}

static void release_held(struct gn_pub *p, uint64_t now_ns)
{
    const struct gn_impair_held *h;
    for (uint32_t line = 0; line < GN_IMPAIR_LINES; line++)
        while ((h = gn_impair_release(p->impair, line, true)) != NULL) {
            send_line(p, line, h->bytes, h->len, now_ns);
            p->stats.held_flushed++;
        }
    flush_lines(p);
}

static void control_packet(struct gn_pub *p, enum gn_mold_kind kind, uint64_t now_ns)
{
    uint8_t packet[GN_MOLD_HEADER];
    gn_mold_control(packet, p->cfg.session, p->history->next, kind);
    for (uint32_t line = 0; line < GN_IMPAIR_LINES; line++)
        send_line(p, line, packet, sizeof packet, now_ns);
    flush_lines(p);
    p->last_ns = now_ns;
}

void gn_pub_end_packets(struct gn_pub *p, uint64_t now_ns)
{
    release_held(p, now_ns);
    control_packet(p, GN_MOLD_END, now_ns);
}

void gn_pub_start(struct gn_pub *p, uint64_t now_ns)
{
    if (p->state != GN_PUB_WAITING)
        return;
    p->state = GN_PUB_RUNNING;
    p->start_ns = now_ns;
    p->due_ns = now_ns;
    if (!look_ahead(p)) {
        p->state = GN_PUB_ENDED;
        return;
    }
    p->first_time = p->next_time;
    if (p->cfg.rate == 0)
        p->due_ns = now_ns;
}

void gn_pub_pause(struct gn_pub *p, uint64_t now_ns)
{
    if (p->state != GN_PUB_RUNNING)
        return;
    p->state = GN_PUB_PAUSED;
    p->paused_ns = now_ns;
    release_held(p, now_ns);
    control_packet(p, GN_MOLD_HEARTBEAT, now_ns); /* so that a loss of the last packet is seen at once */
    p->stats.heartbeats++;
}

void gn_pub_resume(struct gn_pub *p, uint64_t now_ns)
{
    if (p->state != GN_PUB_PAUSED)
        return;
    const uint64_t gone = now_ns - p->paused_ns;
    p->state = GN_PUB_RUNNING;
    p->start_ns += gone;
    p->due_ns += gone;
}

/* Fills p->packet with what is due; the messages it has, 0 when nothing is to be sent yet. *len: bytes. */
static uint32_t fill_packet(struct gn_pub *p, uint64_t now_ns, uint32_t *len, bool *full)
{
    struct gn_mold_builder b;
    *full = false;
    if (gn_mold_begin(&b, p->packet, sizeof p->packet, p->cfg.session, p->history->next) != GN_MOLD_OK)
        return 0;
    while (p->ready && p->due_ns <= now_ns) {
        if (p->next_len > gn_mold_room(&b)) {
            *full = true;
            break;
        }
        if (gn_mold_append(&b, p->next_msg, p->next_len) != GN_MOLD_OK)
            break;
        if (p->cfg.rate + p->cfg.speed_milli != 0 && now_ns - p->due_ns > p->stats.late_max_ns)
            p->stats.late_max_ns = now_ns - p->due_ns;
        (void)gn_history_add(p->history, p->next_msg, p->next_len);
        p->stats.messages++;
        p->stats.bytes += p->next_len;
        p->ready = look_ahead(p);
    }
    *len = gn_mold_finish(&b);
    return b.count;
}

uint32_t gn_pub_turn(struct gn_pub *p, uint64_t now_ns)
{
    uint32_t published = 0, len;
    bool full = true;
    for (uint32_t i = 0; i < GN_PUB_PACKETS_TURN && full && p->state == GN_PUB_RUNNING; i++) {
        if (p->due_ns > now_ns || now_ns < p->packet_ns)
            break;
        uint64_t first = p->history->next;
        uint32_t n = fill_packet(p, now_ns, &len, &full);
        if (n == 0)
            break;
        now_ns = gn_links_now(p->links);
        for (uint32_t k = 0; k < n; k++)
            gn_lat_stamp(p->stamps, first + k, now_ns);
        send_packet(p, len, now_ns);
        p->stats.packets++;
        published += n;
        if (!full)
            p->packet_ns = now_ns + p->cfg.pack_us * 1000ull;
        if (!p->ready)
            p->state = GN_PUB_ENDED;
    }
    if (p->state == GN_PUB_ENDED && published != 0)
        release_held(p, now_ns);
    if (now_ns - p->last_ns >= p->cfg.heartbeat_ms * 1000000ull && now_ns > p->last_ns) {
        control_packet(p, GN_MOLD_HEARTBEAT, now_ns);
        p->stats.heartbeats++;
    }
    return published;
}

uint64_t gn_pub_apply(struct gn_pub *p, uint64_t venue_ns)
{
    struct gn_sim_change change;
    uint16_t len;
    if (p->applied == p->history->next)
        return 0;
    const uint8_t *msg = gn_history_get(p->history, p->applied, &len);
    p->applied++;
    if (msg != NULL) {
        /* what is wrong with it is counted by the books, and is in the report */
        (void)gn_sim_books_apply(p->books, msg, len, &change);
        gn_match_market(p->match, &change, venue_ns);
    }
    return p->history->next - p->applied;
}
