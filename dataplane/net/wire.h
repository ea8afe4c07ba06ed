/* Wire layouts of Ethernet, ARP, IPv4, ICMP, IGMP, UDP and TCP as offsets and lengths, and the Internet checksum. One
 * place for every number that a standard fixes.
 */
#ifndef GN_NET_WIRE_H
#define GN_NET_WIRE_H

#include "dataplane/abi/base.h"

/* Ethernet (IEEE 802.3, 802.1Q) */
#define GN_ETH_LEN       14u
#define GN_ETH_VLAN_LEN  4u
#define GN_ETH_TYPE_IPV4 0x0800u
#define GN_ETH_TYPE_ARP  0x0806u
#define GN_ETH_TYPE_VLAN 0x8100u

/* ARP (RFC 826) */
#define GN_ARP_LEN     28u
#define GN_ARP_REQUEST 1u
#define GN_ARP_REPLY   2u

/* IPv4 (RFC 791) */
#define GN_IP_LEN        20u
#define GN_IP_DF         0x4000u
#define GN_IP_PROTO_ICMP 1u
#define GN_IP_PROTO_IGMP 2u
#define GN_IP_PROTO_TCP  6u
#define GN_IP_PROTO_UDP  17u

/* ICMP (RFC 792, 1191) */
#define GN_ICMP_LEN         8u
#define GN_ICMP_ECHO_REPLY  0u
#define GN_ICMP_UNREACHABLE 3u
#define GN_ICMP_QUENCH      4u
#define GN_ICMP_ECHO        8u
#define GN_ICMP_TIME        11u
#define GN_ICMP_PARAM       12u
#define GN_ICMP_CODE_FRAG   4u

/* IGMP (RFC 2236, 3376) */
#define GN_IGMP_LEN        8u
#define GN_IGMP3_QUERY_LEN 12u
#define GN_IGMP_QUERY      0x11u
#define GN_IGMP2_REPORT    0x16u
#define GN_IGMP2_LEAVE     0x17u
#define GN_IGMP3_REPORT    0x22u
#define GN_IP_ALL_HOSTS    0xe0000001u
#define GN_IP_ALL_ROUTERS  0xe0000002u
#define GN_IP_IGMP3        0xe0000016u

/* UDP (RFC 768) */
#define GN_UDP_LEN 8u

/* TCP (RFC 9293 section 3.1) */
#define GN_TCP_LEN     20u
#define GN_TCP_LEN_MAX 60u
#define GN_TCP_FIN     0x01u
#define GN_TCP_SYN     0x02u
#define GN_TCP_RST     0x04u
#define GN_TCP_PSH     0x08u
#define GN_TCP_ACK     0x10u
#define GN_TCP_URG     0x20u

#define GN_TCP_OPT_END    0u
#define GN_TCP_OPT_NOP    1u
#define GN_TCP_OPT_MSS    2u
#define GN_TCP_OPT_WSCALE 3u
#define GN_TCP_OPT_SACKOK 4u
#define GN_TCP_OPT_SACK   5u
#define GN_TCP_OPT_TS     8u
#define GN_TCP_TS_SPACE   12u /* NOP NOP kind length value echo */

/* gn_csum_add: adds len bytes at p to a running sum of 16-bit words as they lie in memory (RFC 1071 section 2). Any
 * piece but the last must be of even length. The sum cannot overflow for len below 2^31. */
static inline uint64_t gn_csum_add(uint64_t sum, const uint8_t *p, uint32_t len)
{
    uint64_t v64;
    uint32_t v32;
    uint16_t v16;
    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&v64, p, 8);
        sum += (v64 & 0xffffffffu) + (v64 >> 32);
    }
    if (len & 4) {
        memcpy(&v32, p, 4);
        sum += v32;
        p += 4;
    }
    if (len & 2) {
        memcpy(&v16, p, 2);
        sum += v16;
        p += 2;
    }
    if (len & 1)
        sum += *p;
    return sum;
}

typedef uint64_t gn_v4u64 __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint64_t gn_v2u64 __attribute__((vector_size(16), aligned(1), may_alias));

static inline gn_v4u64 gn_v4_load(const void *from)
{
    return *(const gn_v4u64 *)from;
}

static inline void gn_v4_store(void *to, gn_v4u64 v)
{
    *(gn_v4u64 *)to = v;
}

static inline gn_v2u64 gn_v2_load(const void *from)
{
    return *(const gn_v2u64 *)from;
}

static inline void gn_v2_store(void *to, gn_v2u64 v)
{
    *(gn_v2u64 *)to = v;
}

/* gn_v4_halves: each word's upper half added to its lower one: no carry is lost. */
static inline gn_v4u64 gn_v4_halves(gn_v4u64 v)
{
    const gn_v4u64 low = {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu};
    return (v & low) + (v >> 32);
}

/* gn_v4_sum: of the four words. */
static inline uint64_t gn_v4_sum(gn_v4u64 v)
{
    gn_v2u64 pair = __builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3);
    return pair[0] + pair[1];
}

static inline bool gn_v2_zero(gn_v2u64 v)
{
#ifdef __SSE4_1__
    return __builtin_ia32_ptestz128((__attribute__((vector_size(16))) long long)v,
                                    (__attribute__((vector_size(16))) long long)v) != 0;
#else
    return (v[0] | v[1]) == 0;
#endif
}

/* gn_same32: the bits of a mask of 32 bytes are the same in 32 bytes at a and at b. Two halves: in a function with
 * arguments on the stack 32-byte values would cost more than they save, because the stack is realigned for them. */
static inline bool gn_same32(const uint8_t *a, const uint8_t *b, gn_v2u64 mask0, gn_v2u64 mask1)
{
    return gn_v2_zero(((gn_v2_load(a) ^ gn_v2_load(b)) & mask0) | ((gn_v2_load(a + 16) ^ gn_v2_load(b + 16)) & mask1));
}

/* gn_csum_copy_padded: the running sum of len bytes that are followed by zeros up to a multiple of 32, which are copied
 * on the way, zeros included. Most orders have from 33 to 64 bytes. */
static inline uint64_t gn_csum_copy_padded(uint8_t *to, const uint8_t *from, uint32_t len)
{
    gn_v4u64 acc = {0, 0, 0, 0};
    if (GN_LIKELY(len - 33 < 32)) {
        gn_v4u64 first = gn_v4_load(from);
        gn_v4u64 second = gn_v4_load(from + 32);
        gn_v4_store(to, first);
        gn_v4_store(to + 32, second);
        return gn_v4_sum(gn_v4_halves(first) + gn_v4_halves(second));
    }
    for (uint32_t i = 0; i < len; i += 32) {
        gn_v4u64 v = gn_v4_load(from + i);
        gn_v4_store(to + i, v);
        acc += gn_v4_halves(v);
    }
    return gn_v4_sum(acc);
}

/* gn_csum_copy_both: the same with two copies, from bytes that end after len: both copies are padded with zeros. */
static inline uint64_t gn_csum_copy_both(uint8_t *to, uint8_t *frame, const uint8_t *from, uint32_t len)
{
    gn_v4u64 acc = {0, 0, 0, 0};
    for (; len >= 32; len -= 32, to += 32, frame += 32, from += 32) {
        gn_v4u64 v = gn_v4_load(from);
        gn_v4_store(to, v);
        gn_v4_store(frame, v);
        acc += gn_v4_halves(v);
    }
    if (len != 0) {
        gn_v4_store(frame, (gn_v4u64){0, 0, 0, 0});
        memcpy(frame, from, len);
        gn_v4u64 v = gn_v4_load(frame);
        gn_v4_store(to, v);
        acc += gn_v4_halves(v);
    }
    return gn_v4_sum(acc);
}

/* gn_csum_word: adds 8 bytes at p to a running ones' complement sum of 64-bit words: the carry comes round. */
static inline uint64_t gn_csum_word(uint64_t sum, const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    sum += v;
    return sum + (sum < v);
}

/* gn_csum_wide: gn_csum_add, 32 bytes at a time. */
static inline uint64_t gn_csum_wide(uint64_t sum, const uint8_t *p, uint32_t len)
{
    for (; len >= 32; len -= 32, p += 32) {
        sum = gn_csum_word(sum, p);
        sum = gn_csum_word(sum, p + 8);
        sum = gn_csum_word(sum, p + 16);
        sum = gn_csum_word(sum, p + 24);
    }
    sum = (sum & 0xffffffffu) + (sum >> 32);
    return GN_LIKELY(len == 0) ? sum : gn_csum_add(sum, p, len);
}

/* gn_csum_ip20: sum of a header without options. */
static inline uint64_t gn_csum_ip20(const uint8_t *p)
{
    uint32_t last;
    memcpy(&last, p + 16, sizeof last);
    uint64_t sum = gn_csum_word(gn_csum_word(0, p), p + 8);
    return (sum & 0xffffffffu) + (sum >> 32) + last;
}

/* gn_csum_fold: a running sum as a 16-bit ones' complement sum, in memory order. */
static inline uint16_t gn_csum_fold(uint64_t sum)
{
    /* A word added to itself turned round by half has the sum of its halves, carry included, in its upper half. */
    uint32_t half;
    sum += sum >> 32 | sum << 32;
    half = (uint32_t)(sum >> 32);
    half += half >> 16 | half << 16;
    return (uint16_t)(half >> 16);
}

/* gn_csum_sound: a running sum that is not 0 folds to 0xffff: every word of 16, 32 or 64 bits leaves what its 16-bit
 * halves leave when divided by 0xffff, and that is nothing. Multiples of 0xffff are those numbers whose product with
 * its inverse modulo 2^64 is no larger than the quotient of the largest. */
static inline bool gn_csum_sound(uint64_t sum)
{
    return sum * 0xfffefffefffeffffull <= UINT64_MAX / 0xffffu;
}

/* gn_csum_finish: the checksum field of a running sum, to be stored with memcpy. */
static inline uint16_t gn_csum_finish(uint64_t sum)
{
    return (uint16_t)~gn_csum_fold(sum);
}

/* gn_csum_pseudo: running sum of the pseudo header of UDP and TCP; addresses in host order. */
static inline uint64_t gn_csum_pseudo(uint32_t src, uint32_t dst, uint8_t proto, uint32_t len)
{
    return (uint64_t)__builtin_bswap32(src) + __builtin_bswap32(dst) + ((uint64_t)proto << 8) +
           __builtin_bswap16((uint16_t)len);
}

static inline void gn_csum_store(uint8_t *p, uint16_t csum)
{
    memcpy(p, &csum, sizeof csum);
}

static inline bool gn_ip_is_multicast(uint32_t ip)
{
    return (ip >> 28) == 0xe;
}

/* gn_mac48 / gn_mac48_store: a MAC as an integer whose lowest byte is the first on the wire. */
static inline uint64_t gn_mac48(const uint8_t *mac)
{
    uint32_t lo;
    uint16_t hi;
    memcpy(&lo, mac, 4);
    memcpy(&hi, mac + 4, 2);
    return ((uint64_t)hi << 32) | lo;
}

static inline void gn_mac48_store(uint8_t *mac, uint64_t v)
{
    uint32_t lo = (uint32_t)v;
    uint16_t hi = (uint16_t)(v >> 32);
    memcpy(mac, &lo, 4);
    memcpy(mac + 4, &hi, 2);
}

#define GN_MAC48_BROADCAST 0xffffffffffffull

/* gn_mac48_of_group: RFC 1112 section 6.4: 01:00:5e and the low 23 bits of the group. */
static inline uint64_t gn_mac48_of_group(uint32_t group)
{
    return 0x5e0001ull | ((uint64_t)__builtin_bswap32(group & 0x7fffffu) << 16);
}

#endif
