/* What single components cost, and how that grows. Each operation is called through a pointer a few thousand times:
 * counted by callgrind when it runs under it, timed otherwise (the quickest of several passes). What calling costs is
 * the operation "empty", which the reader takes off.
 */
#ifndef GN_BENCH_COMPONENTS_H
#define GN_BENCH_COMPONENTS_H

#include "dataplane/abi/base.h"

typedef void (*component_op)(void *ctx, uint64_t i);

/* component_measure: name, what n counts, n. op(ctx, i) with i growing from 0, so often that `rounds` are measured. */
void component_measure(const char *name, const char *by, uint64_t n, component_op op, void *ctx, uint64_t rounds);

/* component_scatter: i -> [0, n), not in order, so that no cache line is the next one. */
static inline uint64_t component_scatter(uint64_t i, uint64_t n)
{
    return (i * 0x9e3779b97f4a7c15ull >> 20) % n;
}

void component_codecs(void); /* codecs.c: OUCH, SoupBinTCP, journal record, CRC */
void component_books(void);  /* books.c */
void component_gate(void);   /* gate.c */

#endif
