#include "tools/venue-sim/impair.h"

#include <stdlib.h>

#define MILLION 1000000u

static uint64_t draw(struct gn_impair *im)
{
    uint64_t z = (im->rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static bool hits(struct gn_impair *im, uint64_t ppm)
{
    return draw(im) % MILLION < ppm;
}

bool gn_impair_ppm(const char *text, uint64_t *ppm)
{
    uint64_t whole = 0, part = 0, scale = MILLION / 100;
    const char *p = text;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9' && whole <= MILLION; p++)
        whole = whole * 10 + (uint64_t)(*p - '0');
    if (*p == '\0') {
        *ppm = whole;
        return whole <= MILLION;
    }
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++) {
            scale /= 10;
            part += scale * (uint64_t)(*p - '0');
        }
    if (p[0] != '%' || p[1] != '\0')
        return false;
    *ppm = whole * (MILLION / 100) + part;
    return whole <= 100 && *ppm <= MILLION;
}

void gn_impair_defaults(struct gn_impair_config *cfg)
{
    *cfg = (struct gn_impair_config){0};
#define GN_X(kind, member, option, def, help) cfg->member = strtoull(def, NULL, 10);
    GN_IMPAIR_OPTIONS(GN_X)
#undef GN_X
}

const char *gn_impair_check(const struct gn_impair_config *cfg)
{
#define IS_PPM true
#define IS_U64 false
#define GN_X(kind, member, option, def, help) \
    if (IS_##kind && cfg->member > MILLION)   \
        return option;
    GN_IMPAIR_OPTIONS(GN_X)
#undef GN_X
#undef IS_PPM
#undef IS_U64
    if (cfg->reorder_by == 0 || cfg->reorder_by > GN_IMPAIR_BY_MAX)
        return "reorder-by";
    if (cfg->part_fill_pct == 0 || cfg->part_fill_pct > 100)
        return "part-fill-pct";
    if (cfg->reject_code == 0 || cfg->reject_code > UINT16_MAX)
        return "reject-code";
    if (cfg->ack_delay_us > 60u * MILLION)
        return "ack-delay-us";
    if (cfg->fill_chunk > UINT32_MAX)
        return "fill-chunk";
    return NULL;
}

void gn_impair_init(struct gn_impair *im, const struct gn_impair_config *cfg)
{
    memset(im, 0, sizeof *im);
    im->cfg = *cfg;
    im->rng = cfg->seed ^ 0x696d70616972ull; /* another stream than the generator's of the same seed */
    im->md_active = (cfg->drop_a | cfg->drop_b | cfg->gap | cfg->duplicate | cfg->reorder | cfg->md_garbage) != 0;
}

void gn_impair_fates(struct gn_impair *im, struct gn_impair_fate fate[GN_IMPAIR_LINES])
{
    const bool gap = im->md_active && hits(im, im->cfg.gap);
    for (uint32_t i = 0; i < GN_IMPAIR_LINES; i++) {
        struct gn_impair_line *l = &im->line[i];
        l->packets++;
        fate[i] = (struct gn_impair_fate){.copies = 1};
        if (GN_LIKELY(!im->md_active))
            continue;
        /* every fate is drawn for every packet, so that one option does not shift the others' draws */
        bool drop = hits(im, i == 0 ? im->cfg.drop_a : im->cfg.drop_b);
        bool twice = hits(im, im->cfg.duplicate);
        bool hold = hits(im, im->cfg.reorder);
        bool garbage = hits(im, im->cfg.md_garbage);
        fate[i].garbage = garbage;
        fate[i].copies = gap || drop ? 0 : twice ? 2 : 1;
        fate[i].hold = hold && fate[i].copies != 0;
        l->stats.garbage += garbage;
        l->stats.gapped += gap;
        l->stats.dropped += drop && !gap;
        l->stats.duplicated += fate[i].copies == 2;
    }
}

bool gn_impair_hold(struct gn_impair *im, uint32_t line, const uint8_t *packet, size_t len)
{
    struct gn_impair_line *l = &im->line[line];
    if (l->held_n == GN_IMPAIR_HELD_MAX || len > GN_IMPAIR_BYTES)
        return false;
    struct gn_impair_held *h = &l->held[l->held_n++];
    h->due = l->packets + im->cfg.reorder_by;
    h->len = (uint16_t)len;
    memcpy(h->bytes, packet, len);
    l->stats.reordered++;
    return true;
}

const struct gn_impair_held *gn_impair_release(struct gn_impair *im, uint32_t line, bool flush)
{
    struct gn_impair_line *l = &im->line[line];
    for (uint32_t i = 0; i < l->held_n; i++) {
        if (!flush && l->packets < l->held[i].due)
            continue;
        /* swap to the end: the released one stays readable there until the next call */
        struct gn_impair_held out = l->held[i];
        l->held_n--;
        l->held[i] = l->held[l->held_n];
        l->held[l->held_n] = out;
        return &l->held[l->held_n];
    }
    return NULL;
}

void gn_impair_garbage(struct gn_impair *im, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)draw(im);
}

bool gn_impair_reject(struct gn_impair *im)
{
    return im->cfg.reject_every != 0 && ++im->orders % im->cfg.reject_every == 0;
}

bool gn_impair_break(struct gn_impair *im)
{
    return im->cfg.break_every != 0 && ++im->executions % im->cfg.break_every == 0;
}
