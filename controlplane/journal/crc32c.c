#include "controlplane/journal/crc32c.h"

#ifdef __SSE4_2__
    #include <nmmintrin.h>
#endif

/* A nibble at a time: 16 entries that can be checked by eye, for machines without the instruction. */
static const uint32_t nibble[16] = {
    0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u, 0x61c69362u, 0x7198540du,
    0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u, 0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u,
};

uint32_t gn_crc32c_portable(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    crc = ~crc;
    while (bytes-- != 0) {
        crc ^= *p++;
        crc = (crc >> 4) ^ nibble[crc & 15];
        crc = (crc >> 4) ^ nibble[crc & 15];
    }
    return ~crc;
}

uint32_t gn_crc32c(uint32_t crc, const void *data, size_t bytes)
{
#ifdef __SSE4_2__
    const uint8_t *p = data;
    uint64_t c = ~crc;
    for (; bytes >= 8; p += 8, bytes -= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        c = _mm_crc32_u64(c, word);
    }
    uint32_t last = (uint32_t)c;
    for (; bytes != 0; bytes--)
        last = _mm_crc32_u8(last, *p++);
    return ~last;
#else
    return gn_crc32c_portable(crc, data, bytes);
#endif
}
