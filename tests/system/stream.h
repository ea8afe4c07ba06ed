/* The stream that both peers of the interoperability tests send and verify: messages of STREAM_MESSAGE bytes, each its
 * own number and 56 bytes that follow from it, so that a byte that is lost, repeated or changed is seen at its place.
 */
#ifndef GN_TEST_STREAM_H
#define GN_TEST_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#define STREAM_MESSAGE 64u

static inline uint64_t stream_word(uint64_t word)
{
    uint64_t number = word / (STREAM_MESSAGE / 8);
    if (word % (STREAM_MESSAGE / 8) == 0)
        return number;
    uint64_t z = word * 0x9e3779b97f4a7c15ull;
    return z ^ z >> 29;
}

static inline uint8_t stream_byte(uint64_t off)
{
    return (uint8_t)(stream_word(off / 8) >> off % 8 * 8);
}

static inline void stream_fill(uint64_t off, uint8_t *to, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++)
        to[i] = stream_byte(off + i);
}

/* stream_check: len when all bytes are right, else the index of the first that is not. */
static inline uint64_t stream_check(uint64_t off, const uint8_t *data, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++)
        if (data[i] != stream_byte(off + i))
            return i;
    return len;
}

#endif
