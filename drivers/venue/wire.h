/* Field tables to code: what a row X(kind, member, offset) of a message becomes. A decoder and an encoder that expand
 * the same rows cannot disagree, and both are straight-line loads and stores at constant offsets.
 *
 * Used inside functions with `const uint8_t *p` (get) or `uint8_t *p` (put) and `struct ... *m` in scope. Kinds: C one
 * char; U8; U16, U32, U48, U64 big-endian; Sn a fixed run of n chars.
 */
#ifndef GN_VENUE_WIRE_H
#define GN_VENUE_WIRE_H

#include "dataplane/abi/base.h"

#define GN_WIRE_GET(kind, member, offset) GN_WIRE_GET_##kind(m->member, p + (offset));
#define GN_WIRE_PUT(kind, member, offset) GN_WIRE_PUT_##kind(m->member, p + (offset));
#define GN_WIRE_SUM(kind, member, offset) +GN_WIRE_SIZE_##kind

#define GN_WIRE_SIZE_C   1
#define GN_WIRE_SIZE_U8  1
#define GN_WIRE_SIZE_U16 2
#define GN_WIRE_SIZE_U32 4
#define GN_WIRE_SIZE_U48 6
#define GN_WIRE_SIZE_U64 8
#define GN_WIRE_SIZE_S2  2
#define GN_WIRE_SIZE_S4  4
#define GN_WIRE_SIZE_S8  8
#define GN_WIRE_SIZE_S14 14

#define GN_WIRE_GET_C(to, from)   (to) = (char)*(from)
#define GN_WIRE_GET_U8(to, from)  (to) = *(from)
#define GN_WIRE_GET_U16(to, from) (to) = gn_load_be16(from)
#define GN_WIRE_GET_U32(to, from) (to) = gn_load_be32(from)
#define GN_WIRE_GET_U48(to, from) (to) = gn_load_be48(from)
#define GN_WIRE_GET_U64(to, from) (to) = gn_load_be64(from)
#define GN_WIRE_GET_S2(to, from)  memcpy((to), (from), 2)
#define GN_WIRE_GET_S4(to, from)  memcpy((to), (from), 4)
#define GN_WIRE_GET_S8(to, from)  memcpy((to), (from), 8)
#define GN_WIRE_GET_S14(to, from) memcpy((to), (from), 14)

#define GN_WIRE_PUT_C(from, to)   *(to) = (uint8_t)(from)
#define GN_WIRE_PUT_U8(from, to)  *(to) = (uint8_t)(from)
#define GN_WIRE_PUT_U16(from, to) gn_store_be16((to), (uint16_t)(from))
#define GN_WIRE_PUT_U32(from, to) gn_store_be32((to), (uint32_t)(from))
#define GN_WIRE_PUT_U48(from, to) gn_store_be48((to), (uint64_t)(from))
#define GN_WIRE_PUT_U64(from, to) gn_store_be64((to), (uint64_t)(from))
#define GN_WIRE_PUT_S2(from, to)  memcpy((to), (from), 2)
#define GN_WIRE_PUT_S4(from, to)  memcpy((to), (from), 4)
#define GN_WIRE_PUT_S8(from, to)  memcpy((to), (from), 8)
#define GN_WIRE_PUT_S14(from, to) memcpy((to), (from), 14)

#endif
