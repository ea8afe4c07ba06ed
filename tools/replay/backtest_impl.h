/* Between the files of the replay: what engine, senses and transport ask of a backtest. r->backtest is not NULL. */
#ifndef GN_REPLAY_BACKTEST_IMPL_H
#define GN_REPLAY_BACKTEST_IMPL_H

#include "tools/replay/backtest.h"
#include "tools/replay/engine_impl.h"

void gn_backtest_free(struct gn_backtest *b);

/* gn_backtest_group: the records of one time; enum gn_replay_err. */
int gn_backtest_group(struct gn_replay *r);

/* gn_backtest_md: before the strategies see it. gn_backtest_take: a record of the run. */
void gn_backtest_md(struct gn_replay *r, const struct gn_md *md, uint64_t now_ns);
void gn_backtest_take(struct gn_replay *r, const struct gn_rec *rec);

/* gn_backtest_reads: true while the records of the group are this turn's input. */
bool gn_backtest_reads(const struct gn_replay *r);

/* TCP, by connection. gn_backtest_connect: GN_NONE32 when there is no room. */
uint32_t gn_backtest_connect(struct gn_replay *r, uint64_t now_ns);
uint32_t gn_backtest_events(struct gn_replay *r, uint32_t conn);
uint32_t gn_backtest_readable(struct gn_replay *r, uint32_t conn, const uint8_t **data);
void gn_backtest_consume(struct gn_replay *r, uint32_t conn);
void gn_backtest_send(struct gn_replay *r, uint32_t conn, uint32_t session, const uint8_t *data, uint32_t len,
                      uint64_t now_ns);
void gn_backtest_close(struct gn_replay *r, uint32_t conn);

/* ---- of engine.c ---- */
const struct gn_rec *gn_replay_rec_at(const struct gn_replay *r, uint64_t i);
int gn_replay_begin_life(struct gn_replay *r, uint32_t at);
bool gn_replay_feed_packet(struct gn_replay *r, const struct gn_rec *rec, uint64_t now_ns);
bool gn_replay_rebuild_next(const struct gn_replay *r);
void gn_replay_compare(struct gn_replay *r);

/* ---- of senses.c: people's words and limits of this group, a live control plane, a journal that keeps up ---- */
void gn_replay_backtest_senses(struct gn_replay *r);

#endif
