/* The account of a run as JSON: what the venue published, was asked, answered, matched and measured. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/venue-sim/sim.h"

static void put(json_t *o, const char *key, uint64_t v)
{
    json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void put_nonzero(json_t *o, const char *key, uint64_t v)
{
    if (v != 0)
        put(o, key, v);
}

static json_t *published(const struct gn_sim *s)
{
    static const char *const states[] = {"waiting", "running", "paused", "ended"};
    json_t *o = json_object();
#define GN_X(member, help) put(o, #member, s->pub.stats.member);
    GN_PUB_STATS(GN_X)
#undef GN_X
    json_object_set_new(o, "state", json_string(states[s->pub.state]));
    put(o, "start_ns", s->pub.start_ns);
    put(o, "last_packet_ns", s->pub.last_ns);
    put(o, "next_sequence", s->history.next);
    json_t *lines = json_array();
    for (uint32_t i = 0; i < GN_IMPAIR_LINES; i++) {
        const struct gn_impair_stats *f = &s->impair.line[i].stats;
        json_t *l = json_object();
        json_object_set_new(l, "line", json_string(i == 0 ? "A" : "B"));
        put(l, "packets", s->pub.stats.line_packets[i]);
#define GN_X(member, help) put(l, #member, f->member);
        GN_IMPAIR_STATS(GN_X)
#undef GN_X
        json_array_append_new(lines, l);
    }
    json_object_set_new(o, "lines", lines);
    return o;
}

static json_t *resent(const struct gn_sim *s)
{
    json_t *o = json_object();
#define GN_X(member, help) put(o, #member, s->resend.stats.member);
    GN_RESEND_STATS(GN_X)
#undef GN_X
    return o;
}

static json_t *symbol_json(const char symbol[8])
{
    char text[9];
    size_t n = 8;
    while (n > 0 && (symbol[n - 1] == ' ' || symbol[n - 1] == '\0'))
        n--;
    for (size_t i = 0; i < n; i++) /* a symbol of a hostile file need not be text */
        text[i] = symbol[i] >= ' ' && symbol[i] <= '~' ? symbol[i] : '?';
    return json_stringn(text, n);
}

static json_t *book_json(struct gn_sim_book *b, uint64_t digest)
{
    static const char *const keys[2][2] = {{"bid", "bid_qty"}, {"ask", "ask_qty"}};
    char text[20], state[2] = {(char)b->state, '\0'};
    json_t *o = json_object();
    json_object_set_new(o, "symbol", symbol_json(b->symbol));
    put(o, "locate", b->locate);
    for (uint32_t side = 0; side < 2; side++) {
        const struct gn_sim_level *l = gn_sim_best(b, side);
        put(o, keys[side][0], l == NULL ? 0 : l->price);
        put(o, keys[side][1], l == NULL ? 0 : l->qty);
    }
    put(o, "orders", b->live);
    put(o, "messages", b->messages);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)digest);
    json_object_set_new(o, "digest", json_string(text));
    json_object_set_new(o, "state", json_string(b->state >= ' ' && b->state <= '~' ? state : "?"));
    return o;
}

static json_t *books(struct gn_sim *s)
{
    const uint32_t n = gn_sim_books_count(s->books);
    const uint64_t *errors = gn_sim_books_errors(s->books);
    json_t *o = json_object(), *list = json_array(), *bad = json_object();
    uint64_t *digest = calloc(n == 0 ? 1 : n, sizeof *digest);
    if (digest != NULL)
        gn_sim_books_digests(s->books, digest, n);
    for (uint32_t i = 0; digest != NULL && i < n; i++)
        json_array_append_new(list, book_json(gn_sim_books_get(s->books, i), digest[i]));
    free(digest);
    for (int i = 1; i < (int)GN_SIM_BOOK_ERRS; i++)
        put_nonzero(bad, gn_sim_book_strerror(-i), errors[i]);
    put(o, "instruments", n);
    put(o, "live_orders", gn_sim_books_live(s->books));
    put(o, "messages_ok", errors[0]);
    json_object_set_new(o, "errors", bad);
    json_object_set_new(o, "list", list);
    return o;
}

static json_t *latency(const struct gn_lat_hist *h)
{
    json_t *o = json_object();
    put(o, "count", h->count);
    put(o, "min_ns", h->count == 0 ? 0 : h->min);
    put(o, "p50_ns", gn_lat_hist_percentile(h, 500000));
    put(o, "p90_ns", gn_lat_hist_percentile(h, 900000));
    put(o, "p99_ns", gn_lat_hist_percentile(h, 990000));
    put(o, "p999_ns", gn_lat_hist_percentile(h, 999000));
    put(o, "max_ns", h->max);
    put(o, "mean_ns", h->count == 0 ? 0 : h->sum / h->count);
    return o;
}

static json_t *drop_copy(const struct gn_drop *d)
{
    json_t *o = json_object();
#define GN_X(member, help) put(o, #member, d->stats.member);
    GN_DROP_STATS(GN_X)
#undef GN_X
    return o;
}

static json_t *orders(const struct gn_sim *s)
{
    const struct gn_match_stats *m = gn_match_stats(s->match);
    json_t *o = json_object(), *in = json_object(), *out = json_object(), *rejects = json_object();
#define GN_X(member, help) put(o, #member, s->orders.stats.member);
    GN_ORDER_STATS(GN_X)
#undef GN_X
#define GN_X(member, help) put(in, #member, m->member);
    GN_MATCH_STATS(GN_X)
#undef GN_X
    for (uint32_t i = 0; i < GN_ARRAY_LEN(s->orders.stats.out_by_type); i++)
        put_nonzero(out, gn_ouch_name_out((uint8_t)i), s->orders.stats.out_by_type[i]);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(m->rejects); i++)
        put_nonzero(rejects, gn_ouch_reject_reason((uint16_t)i), m->rejects[i]);
    json_object_set_new(o, "matching", in);
    json_object_set_new(o, "answers_by_type", out);
    json_object_set_new(o, "rejects_by_reason", rejects);
    put(o, "last_order_ns", s->orders.stats.last_order_ns);
    put(o, "last_cancel_ns", s->orders.stats.last_cancel_ns);
    put(o, "last_cancel_ack_ns", s->orders.stats.last_cancel_ack_ns);
    return o;
}

/* Everything that was refused, by where and why. */
static json_t *errors(const struct gn_sim *s)
{
    json_t *o = json_object(), *ouch = json_object(), *soup = json_object(), *links = json_array();
    for (int i = 1; i < GN_OUCH_ERRS; i++)
        put_nonzero(ouch, gn_ouch_strerror(-i), s->orders.stats.ouch_errors[i]);
    for (int i = 1; i < GN_SOUP_ERRS; i++)
        put_nonzero(soup, gn_soup_strerror(-i), s->orders.stats.soup_errors[i]);
    for (uint32_t i = 0; i < s->links.n; i++) {
        json_t *l = json_object();
        for (uint32_t d = 1; d < GN_NET_DROP_COUNT; d++)
            put_nonzero(l, gn_net_drop_name(d), s->links.link[i].net->drops[d]);
        put_nonzero(l, "txq_full", s->links.link[i].txq.full);
        json_array_append_new(links, l);
    }
    json_object_set_new(o, "ouch", ouch);
    json_object_set_new(o, "soupbintcp", soup);
    json_object_set_new(o, "links", links);
    put_nonzero(o, "source_cut_off_at", s->source_bad_offset);
    put_nonzero(o, "stash_full", s->stash_full);
    return o;
}

static const char *symbol_of(uint32_t instrument, void *arg)
{
    struct gn_sim *s = arg;
    return gn_sim_books_get(s->books, instrument)->symbol;
}

json_t *gn_sim_report(struct gn_sim *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "program", json_string("gannet-venue-sim"));
    json_object_set_new(o, "source", json_string(s->opt.itch[0] != '\0' ? s->opt.itch : "generator"));
    put(o, "seed", s->opt.seed);
    json_object_set_new(o, "stopped_by", s->stopped_by == NULL ? json_null() : json_string(s->stopped_by));
    put(o, "begun_ns", s->begun_ns);
    put(o, "ended_ns", s->ending_ns);
    put(o, "frames_in", s->frames_in);
    put(o, "turns", s->turns);
    json_object_set_new(o, "published", published(s));
    json_object_set_new(o, "retransmission", resent(s));
    json_object_set_new(o, "orders", orders(s));
    json_object_set_new(o, "drop_copy", drop_copy(&s->drop));
    json_object_set_new(o, "account", gn_account_json(&s->account, symbol_of, s));
    json_object_set_new(o, "latency", latency(&s->orders.latency));
    json_object_set_new(o, "books", books(s));
    json_object_set_new(o, "errors", errors(s));
    return o;
}
