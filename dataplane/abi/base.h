/* Platform assumptions and the few macros that every file of Gannet may use. A leaf: it includes the C library only. */
#ifndef GN_ABI_BASE_H
#define GN_ABI_BASE_H

#include <assert.h>
#include <limits.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GN_CACHE_LINE 64u
/* Distance between two owners: the adjacent-line prefetcher pulls cache lines in pairs. */
#define GN_GUARD 128u

#define GN_LIKELY(x)    __builtin_expect(!!(x), 1)
#define GN_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define GN_MUST_CHECK   __attribute__((warn_unused_result))
#define GN_PACKED       __attribute__((packed))
#define GN_HOT          __attribute__((hot))
#define GN_COLD         __attribute__((cold, noinline))
#define GN_NOINLINE     __attribute__((noinline)) /* kept out of its callers, so that the way around it stays short */
#define GN_INLINE       __attribute__((always_inline)) static inline
#define GN_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* 128-bit signed integer for notional values: price mantissa x quantity never overflows it. */
__extension__ typedef __int128 gn_i128;

static_assert(CHAR_BIT == 8, "bytes are octets");
static_assert(sizeof(void *) == 8, "64-bit address space");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics are lock-free, so that they work across processes");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the region and the journal are little-endian");

/* gn_align_up: n rounded up to a multiple of align, a power of two. */
static inline uint64_t gn_align_up(uint64_t n, uint64_t align)
{
    return (n + align - 1) & ~(align - 1);
}

/* gn_is_pow2: true when n is a power of two; 0 is none. */
static inline bool gn_is_pow2(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static inline int64_t gn_min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t gn_max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* gn_copy: memcpy inline, for some dozen bytes and more: 32 at a time, the last ones once more rather than in pieces.
 */
static inline void gn_copy(uint8_t *to, const uint8_t *from, uint32_t len)
{
    if (GN_UNLIKELY(len < 32)) {
        memcpy(to, from, len);
        return;
    }
    for (uint32_t at = 0; at < len - 32; at += 32)
        memcpy(to + at, from + at, 32);
    memcpy(to + len - 32, from + len - 32, 32);
}

/* gn_load_beN / gn_store_beN: unaligned big-endian access for wire formats. */
static inline uint16_t gn_load_be16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t gn_load_be32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t gn_load_be64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

/* gn_load_be48: 6 bytes, as ITCH writes nanoseconds since midnight. */
static inline uint64_t gn_load_be48(const void *p)
{
    const uint8_t *b = p;
    return ((uint64_t)gn_load_be16(b) << 32) | gn_load_be32(b + 2);
}

static inline void gn_store_be16(void *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof v);
}

static inline void gn_store_be32(void *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

static inline void gn_store_be64(void *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
}

static inline void gn_store_be48(void *p, uint64_t v)
{
    uint8_t *b = p;
    gn_store_be16(b, (uint16_t)(v >> 32));
    gn_store_be32(b + 2, (uint32_t)v);
}

#endif
