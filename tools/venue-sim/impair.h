/* Faults on purpose, seeded: the same configuration gives the same fates in the same order.
 *
 * Market data: a packet's fate is drawn for each line by itself (dropped, sent twice, held back), but for gaps, which
 * take a packet from both lines, so that only a retransmission request can fill it. Order side: counters decide.
 */
#ifndef GN_SIM_IMPAIR_H
#define GN_SIM_IMPAIR_H

#include "dataplane/abi/base.h"

#define GN_IMPAIR_LINES    2u
#define GN_IMPAIR_HELD_MAX 64u   /* packets held back on a line at once; more are sent at once */
#define GN_IMPAIR_BYTES    1472u /* longest packet that can be held back */
#define GN_IMPAIR_BY_MAX   1000u

/* X(kind, member, "option", "default", "help"). Kinds: PPM takes 1%, 0.5% or parts per million; U64 a number. */
#define GN_IMPAIR_OPTIONS(X)                                                                                           \
    X(PPM, drop_a, "drop-a", "0", "share of line A's packets that is lost")                                            \
    X(PPM, drop_b, "drop-b", "0", "share of line B's packets that is lost, drawn apart from A's")                      \
    X(PPM, gap, "gap", "0", "share of packets lost on both lines: only a retransmission fills it")                     \
    X(PPM, duplicate, "duplicate", "0", "share of packets sent twice on a line")                                       \
    X(PPM, reorder, "reorder", "0", "share of packets held back on a line")                                            \
    X(U64, reorder_by, "reorder-by", "3", "packets that overtake one that is held back, 1 to 1000")                    \
    X(PPM, md_garbage, "md-garbage", "0", "share of packets followed by one of random bytes")                          \
    X(U64, reject_every, "reject-every", "0", "reject every n-th order, 0 = none")                                     \
    X(U64, reject_code, "reject-code", "15", "OUCH reason of those rejects")                                           \
    X(U64, part_fill_pct, "part-fill-pct", "100", "share of a marketable order that may fill at once, 1 to 100")       \
    X(U64, fill_chunk, "fill-chunk", "0", "most shares of one execution, 0 = no limit")                                \
    X(U64, break_every, "break-every", "0", "break every n-th execution right after it, 0 = none")                     \
    X(U64, ack_delay_us, "ack-delay-us", "0", "delay of every answer on an order session")                             \
    X(U64, disconnect_after, "disconnect-after", "0", "reset the order connection after n client messages, 0 = never") \
    X(U64, garbage_after, "garbage-after", "0", "send random bytes on the order connection after n answers, once")

struct gn_impair_config {
    uint64_t seed;
#define GN_X(kind, member, option, def, help) uint64_t member;
    GN_IMPAIR_OPTIONS(GN_X)
#undef GN_X
};

/* X(member, "help"): what was done. */
#define GN_IMPAIR_STATS(X)                           \
    X(dropped, "packets dropped on this line alone") \
    X(gapped, "packets dropped on both lines")       \
    X(duplicated, "packets sent twice")              \
    X(reordered, "packets held back")                \
    X(garbage, "packets of random bytes")

struct gn_impair_stats {
#define GN_X(member, help) uint64_t member;
    GN_IMPAIR_STATS(GN_X)
#undef GN_X
};

struct gn_impair_held {
    uint64_t due; /* packets of the line, counted */
    uint16_t len;
    uint8_t bytes[GN_IMPAIR_BYTES];
};

struct gn_impair_line {
    uint64_t packets;
    struct gn_impair_stats stats;
    uint32_t held_n;
    struct gn_impair_held held[GN_IMPAIR_HELD_MAX];
};

struct gn_impair {
    struct gn_impair_config cfg;
    bool md_active; /* any market-data fault is configured: one test when none is */
    uint64_t rng;
    uint64_t orders, executions;
    struct gn_impair_line line[GN_IMPAIR_LINES];
};

struct gn_impair_fate {
    uint8_t copies;  /* 0 lost, 1, 2 */
    uint8_t hold;    /* keep it back with gn_impair_hold instead of sending it now */
    uint8_t garbage; /* send a packet of random bytes after it */
};

/* gn_impair_defaults: the defaults of the table. */
void gn_impair_defaults(struct gn_impair_config *cfg);

/* gn_impair_check: NULL, or the option that is out of range. */
const char *gn_impair_check(const struct gn_impair_config *cfg);

void gn_impair_init(struct gn_impair *im, const struct gn_impair_config *cfg);

/* gn_impair_fates: draws the fate of the next packet on each line, and counts it. */
void gn_impair_fates(struct gn_impair *im, struct gn_impair_fate fate[GN_IMPAIR_LINES]);

/* gn_impair_hold: keeps a packet until cfg.reorder_by further ones of its line have been drawn. False when there is no
 * room or the packet is too long: send it now. */
bool gn_impair_hold(struct gn_impair *im, uint32_t line, const uint8_t *packet, size_t len);

/* gn_impair_release: a held packet of the line that is due (all of them when `flush`), or NULL. Valid until the next
 * call of _hold or _release. */
const struct gn_impair_held *gn_impair_release(struct gn_impair *im, uint32_t line, bool flush);

/* gn_impair_garbage: fills n random bytes. */
void gn_impair_garbage(struct gn_impair *im, uint8_t *out, size_t n);

/* gn_impair_reject / _break: true when this order is to be rejected, this execution to be broken. */
bool gn_impair_reject(struct gn_impair *im);
bool gn_impair_break(struct gn_impair *im);

/* gn_impair_ppm: parses "1%", "0.25%" or parts per million; false when it is neither or above 100%. */
bool gn_impair_ppm(const char *text, uint64_t *ppm) GN_MUST_CHECK;

#endif
