#include "tools/venue-sim/resend.h"

#define PAYLOAD_MAX 1400u

void gn_resend_request(struct gn_resend *r, uint32_t link, const struct gn_net_rx *rx, uint64_t now_ns)
{
    struct gn_mold_request q;
    r->stats.requests++;
    if (gn_mold_request_parse(rx->payload, rx->len, &q) != GN_MOLD_OK) {
        r->stats.bad_request++;
        return;
    }
    if (memcmp(q.session, r->session, sizeof q.session) != 0) {
        r->stats.bad_session++;
        return;
    }
    if (q.seq >= r->history->next) {
        r->stats.not_published++;
        return;
    }
    if (r->n == GN_RESEND_QUEUE) {
        r->stats.queue_full++;
        return;
    }
    uint64_t end = q.count < r->history->next - q.seq ? q.seq + q.count : r->history->next;
    r->queue[(r->head + r->n++) % GN_RESEND_QUEUE] =
        (struct gn_resend_job){.link = link,
                               .ip = rx->src_ip,
                               .port = rx->src_port,
                               .next = q.seq,
                               .end = end,
                               .deadline_ns = now_ns + GN_RESEND_PATIENCE_NS};
}

/* Fills a packet from the job's next message on; the messages in it. */
static uint32_t fill(const struct gn_resend *r, const struct gn_resend_job *j, uint8_t *packet, uint32_t *len)
{
    struct gn_mold_builder b;
    uint16_t n;
    if (gn_mold_begin(&b, packet, PAYLOAD_MAX, r->session, j->next) != GN_MOLD_OK)
        return 0;
    for (uint64_t seq = j->next; seq < j->end; seq++) {
        const uint8_t *msg = gn_history_get(r->history, seq, &n);
        if (msg == NULL || gn_mold_append(&b, msg, n) != GN_MOLD_OK)
            break;
    }
    *len = gn_mold_finish(&b);
    return b.count;
}

static void drop_job(struct gn_resend *r)
{
    r->head = (r->head + 1) % GN_RESEND_QUEUE;
    r->n--;
}

void gn_resend_turn(struct gn_resend *r, uint64_t now_ns)
{
    uint8_t packet[PAYLOAD_MAX];
    uint32_t len;
    for (uint32_t sent = 0; r->n != 0 && sent < GN_RESEND_PACKETS_TURN;) {
        struct gn_resend_job *j = &r->queue[r->head];
        if (j->next < r->history->first) {
            r->stats.forgotten++;
            j->next = r->history->first < j->end ? r->history->first : j->end;
        }
        uint32_t n = fill(r, j, packet, &len);
        if (n == 0) {
            drop_job(r);
            continue;
        }
        if (gn_links_udp(r->links, j->link, j->ip, r->port, j->port, packet, len, now_ns) != GN_NET_OK) {
            if (now_ns < j->deadline_ns)
                return;
            r->stats.unreachable++;
            drop_job(r);
            continue;
        }
        sent++;
        j->next += n;
        r->stats.messages += n;
        r->stats.packets++;
        if (j->next == j->end) {
            r->stats.served++;
            drop_job(r);
        }
    }
}
