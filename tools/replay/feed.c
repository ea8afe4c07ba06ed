#include "tools/replay/feed.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define RING_CELLS 4096u

static void *zeroed(uint64_t bytes)
{
    const uint64_t room = gn_align_up(bytes, GN_GUARD);
    void *mem = aligned_alloc(GN_GUARD, room);
    if (mem != NULL)
        memset(mem, 0, room);
    return mem;
}

/* Every event for strategies, folded in order: two replays that agree on it said the same things in the same order. */
static void on_md(void *ctx, const struct gn_md *md, uint64_t now_ns)
{
    struct gn_replay_feed *r = ctx;
    uint64_t word[sizeof *md / 8];
    (void)now_ns;
    memcpy(word, md, sizeof word);
    for (size_t i = 0; i < GN_ARRAY_LEN(word); i++)
        r->md_digest = (r->md_digest ^ word[i]) * 0x9e3779b97f4a7c15ull + (r->md_digest >> 29);
    r->outputs++;
}

/* As the control plane lays it out. */
static void fill_instruments(struct gn_replay_feed *r)
{
    const struct gn_conf *c = &r->loaded.conf;
    struct gn_instruments *t = r->stage.instruments;
    for (uint32_t i = 0; i < c->n_instruments; i++) {
        const struct gn_conf_instrument *from = &r->loaded.instruments[i];
        struct gn_instrument *k = &t->row[i];
        memcpy(k->symbol, from->symbol, sizeof k->symbol);
        k->price_exp = from->price_exp;
        k->strategy = from->strategy;
        k->tick = from->tick;
        k->lot = from->lot;
        k->configured = 1;
    }
    t->capacity = c->max_instruments;
    t->configured = c->n_instruments;
    atomic_store_explicit(&t->count, c->n_instruments, memory_order_relaxed);
}

/* Empty books; the next packet is expected at `seq`. */
static bool new_life(struct gn_replay_feed *r, uint64_t seq)
{
    const struct gn_conf *c = &r->loaded.conf;
    r->stage.books = gn_books_new(r->books, c->max_instruments, c->book_orders, c->book_levels);
    memset(r->stage.locate, 0, sizeof(uint32_t) * GN_LOCATES);
    r->arb.start_seq = seq;
    r->lives++;
    return r->stage.books != NULL && gn_arb_new(r->stage.arb, &r->arb) == GN_ARB_OK;
}

static bool take_memory(struct gn_replay_feed *r)
{
    const struct gn_conf *c = &r->loaded.conf;
    struct gn_stage_feed *f = &r->stage;
    gn_stage_feed_arb_config(c, &r->arb);
    const uint64_t n = c->max_instruments;
    r->books = zeroed(gn_books_footprint(c->max_instruments, c->book_orders, c->book_levels));
    r->ring = zeroed(gn_ring_footprint(RING_CELLS));
    f->arb = zeroed(gn_arb_footprint(&r->arb));
    f->locate = zeroed(sizeof(uint32_t) * GN_LOCATES);
    f->instruments = zeroed(sizeof *f->instruments + n * sizeof(struct gn_instrument));
    f->tob = zeroed(n * sizeof *f->tob);
    f->rows = zeroed(n * sizeof *f->rows);
    f->m = zeroed(sizeof *f->m);
    f->control = zeroed(sizeof *f->control);
    if (r->books == NULL || r->ring == NULL || f->arb == NULL || f->locate == NULL || f->instruments == NULL ||
        f->tob == NULL || f->rows == NULL || f->m == NULL || f->control == NULL ||
        gn_ring_new(r->ring, RING_CELLS, 1) != GN_RING_OK)
        return false;
    f->events = r->ring;
    f->conf = c;
    f->md_sink = on_md;
    f->md_ctx = r;
    fill_instruments(r);
    return new_life(r, 1);
}

bool gn_replay_feed_open(struct gn_replay_feed *r, const char *config)
{
    static struct gn_conf_errors errors;
    memset(r, 0, sizeof *r);
    struct gn_conf_host host = gn_conf_host_this();
    host.cpus = 0; /* it was another machine that traded: neither its CPUs nor its passwords are asked for */
    host.getenv = NULL;
    int rc = gn_conf_load_on(config, &host, &r->loaded, &errors);
    if (rc != GN_CONF_OK) {
        gn_conf_errors_print(&errors, stderr);
        fprintf(stderr, "gannet-replay: %s: %s\n", config, gn_conf_strerror(rc));
        return false;
    }
    r->loaded.conf.journal.inputs = 1; /* what comes out is compared with what went in */
    if (take_memory(r))
        return true;
    fprintf(stderr, "gannet-replay: the configured tables cannot be laid out\n");
    gn_replay_feed_close(r);
    return false;
}

void gn_replay_feed_close(struct gn_replay_feed *r)
{
    struct gn_stage_feed *f = &r->stage;
    void *const owned[] = {r->books, r->ring, f->arb, f->locate, f->instruments, f->tob, f->rows, f->m, f->control};
    for (size_t i = 0; i < GN_ARRAY_LEN(owned); i++)
        free(owned[i]);
    gn_conf_free(&r->loaded);
}

/* The first record that the stage journaled must be the one that it was given. */
static void check_output(struct gn_replay_feed *r, const struct gn_rec *rec)
{
    const struct gn_rec *out;
    bool first = true;
    int err;
    uint64_t last_seq = 0;
    gn_ring_publish(r->ring); /* as the loop does at the end of a burst */
    while ((out = gn_ring_read(r->ring, &r->cursor, &err)) != NULL) {
        last_seq = out->seq;
        if (out->type != GN_EV_MD_PACKET)
            continue;
        r->outputs++;
        const bool same = first && out->bytes == rec->bytes && out->time_ns == rec->time_ns && out->corr == rec->corr &&
                          memcmp(out + 1, rec + 1, rec->bytes - sizeof *rec) == 0;
        r->differences += !same;
        first = false;
    }
    r->differences += first; /* nothing came out: the packet was not accepted this time */
    if (last_seq != 0)
        gn_ring_release(r->ring, r->cursor, last_seq);
}

void gn_replay_feed_packet(struct gn_replay_feed *r, const struct gn_rec *rec, const struct gn_ev_md_packet *packet,
                           uint32_t payload_bytes)
{
    const struct gn_conf_feed *c = &r->loaded.conf.feed;
    const bool again = packet->line == GN_ARB_LINE_RETRANSMIT;
    const uint32_t line = packet->line & 1;
    const struct gn_net_rx rx = {
        .src_ip = again ? c->request_ip : 0,
        .dst_ip = again ? 0 : c->line[line].group,
        .src_port = again ? (uint16_t)c->request_udp_port : 0,
        .dst_port = again ? (uint16_t)c->request_local_udp_port : (uint16_t)c->line[line].udp_port,
        .len = packet->bytes,
        .payload = packet->data,
    };
    if (payload_bytes < sizeof *packet || packet->bytes > payload_bytes - sizeof *packet) {
        r->differences++;
        return;
    }
    if (rec->corr < r->stage.arb->next) {
        if (!new_life(r, rec->corr))
            r->differences++;
    } else if (rec->corr > r->stage.arb->next) {
        r->jumps++;
        r->arb.start_seq = rec->corr;
        if (gn_arb_new(r->stage.arb, &r->arb) != GN_ARB_OK)
            r->differences++;
    }
    r->first_ns = r->packets == 0 ? rec->time_ns : r->first_ns;
    r->last_ns = rec->time_ns;
    r->packets++;
    r->messages += packet->count;
    r->bytes += packet->bytes;
    gn_stage_feed_udp(&r->stage, again ? c->request_port : c->line[line].port, &rx, rec->time_ns);
    check_output(r, rec);
}

bool gn_replay_feed_hash(const struct gn_replay_feed *r, uint8_t out[32])
{
    const struct gn_stage_feed *f = &r->stage;
    const uint32_t n = atomic_load_explicit(&f->instruments->count, memory_order_relaxed);
    unsigned size = 32;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    for (uint32_t i = 0; ok && i < n; i++) {
        const struct gn_tob *t = &f->tob[i];
        const uint64_t state[] = {t->flags,
                                  (uint64_t)t->bid,
                                  (uint64_t)t->bid_qty,
                                  (uint64_t)t->ask,
                                  (uint64_t)t->ask_qty,
                                  (uint64_t)t->last,
                                  (uint64_t)t->last_qty,
                                  t->tick_seq,
                                  f->rows[i].live_orders,
                                  f->rows[i].digest};
        ok = EVP_DigestUpdate(ctx, f->instruments->row[i].symbol, 8) == 1 &&
             EVP_DigestUpdate(ctx, state, sizeof state) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(ctx, out, &size) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}
