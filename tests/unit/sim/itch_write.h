/* ITCH messages for the simulator's tests, written field by field so that they do not depend on any codec. */
#ifndef GN_TESTS_SIM_ITCH_WRITE_H
#define GN_TESTS_SIM_ITCH_WRITE_H

#include "dataplane/abi/base.h"

static inline void itch_head(uint8_t *m, char type, uint16_t locate)
{
    memset(m, 0, 64);
    m[0] = (uint8_t)type;
    gn_store_be16(m + 1, locate);
    gn_store_be48(m + 5, 34200000000000ull);
}

static inline size_t itch_add(uint8_t *m, uint16_t locate, uint64_t ref, char side, uint32_t qty, const char *symbol,
                              uint32_t price)
{
    itch_head(m, 'A', locate);
    gn_store_be64(m + 11, ref);
    m[19] = (uint8_t)side;
    gn_store_be32(m + 20, qty);
    memcpy(m + 24, symbol, 8);
    gn_store_be32(m + 32, price);
    return 36;
}

static inline size_t itch_executed(uint8_t *m, uint16_t locate, uint64_t ref, uint32_t qty)
{
    itch_head(m, 'E', locate);
    gn_store_be64(m + 11, ref);
    gn_store_be32(m + 19, qty);
    gn_store_be64(m + 23, 1);
    return 31;
}

static inline size_t itch_executed_price(uint8_t *m, uint16_t locate, uint64_t ref, uint32_t qty, char printable,
                                         uint32_t price)
{
    itch_executed(m, locate, ref, qty);
    m[0] = 'C';
    m[31] = (uint8_t)printable;
    gn_store_be32(m + 32, price);
    return 36;
}

static inline size_t itch_cancel(uint8_t *m, uint16_t locate, uint64_t ref, uint32_t qty)
{
    itch_head(m, 'X', locate);
    gn_store_be64(m + 11, ref);
    gn_store_be32(m + 19, qty);
    return 23;
}

static inline size_t itch_delete(uint8_t *m, uint16_t locate, uint64_t ref)
{
    itch_head(m, 'D', locate);
    gn_store_be64(m + 11, ref);
    return 19;
}

static inline size_t itch_replace(uint8_t *m, uint16_t locate, uint64_t old, uint64_t ref, uint32_t qty, uint32_t price)
{
    itch_head(m, 'U', locate);
    gn_store_be64(m + 11, old);
    gn_store_be64(m + 19, ref);
    gn_store_be32(m + 27, qty);
    gn_store_be32(m + 31, price);
    return 35;
}

static inline size_t itch_trade(uint8_t *m, uint16_t locate, uint32_t qty, const char *symbol, uint32_t price)
{
    itch_add(m, locate, 0, 'B', qty, symbol, price);
    m[0] = 'P';
    return 44;
}

static inline size_t itch_action(uint8_t *m, uint16_t locate, const char *symbol, char state)
{
    itch_head(m, 'H', locate);
    memcpy(m + 11, symbol, 8);
    m[19] = (uint8_t)state;
    return 25;
}

#endif
