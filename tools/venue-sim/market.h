/* Where the market data comes from: a BinaryFILE of ITCH 5.0 (big-endian u16 length before each message), plain or
 * gzip'd, read into memory at start; or the generator.
 */
#ifndef GN_SIM_MARKET_H
#define GN_SIM_MARKET_H

#include "dataplane/abi/base.h"
#include "tools/venue-sim/gen.h"

#define GN_MARKET_MSG_MAX   1378u /* fits a MoldUDP64 packet of 1,400 bytes */
#define GN_MARKET_BYTES_MAX (1ull << 36)

enum gn_market_err {
    GN_MARKET_OK = 0,
    GN_MARKET_ERR_OPEN = -1,      /* errno tells why */
    GN_MARKET_ERR_READ = -2,      /* read error or broken gzip stream */
    GN_MARKET_ERR_EMPTY = -3,     /* no message in it */
    GN_MARKET_ERR_TRUNCATED = -4, /* the last message is cut off; what comes before it is usable */
    GN_MARKET_ERR_LENGTH = -5,    /* a message shorter than an ITCH header or longer than GN_MARKET_MSG_MAX */
    GN_MARKET_ERR_SIZE = -6,      /* caller's buffer is too small; nothing is consumed */
    GN_MARKET_ERR_MEMORY = -7,
    GN_MARKET_ERR_CONFIG = -8, /* generator configuration out of range */
};

const char *gn_market_strerror(int err);

struct gn_market;

/* gn_market_open_file / _open_bytes / _open_generator: a source in *m, or an error and *m = NULL. A file is checked
 * from end to end: ERR_TRUNCATED and ERR_LENGTH come with the offset of the bad message in *bad_offset, and, for
 * ERR_TRUNCATED alone, with a usable source that ends before it. _open_bytes copies. */
int gn_market_open_file(struct gn_market **m, const char *path, uint64_t *bad_offset) GN_MUST_CHECK;
int gn_market_open_bytes(struct gn_market **m, const uint8_t *bytes, size_t len, uint64_t *bad_offset) GN_MUST_CHECK;
int gn_market_open_generator(struct gn_market **m, const struct gn_gen_config *config) GN_MUST_CHECK;

void gn_market_close(struct gn_market *m);

/* gn_market_next: copies the next message to msg and returns its length; 0 at the end, GN_MARKET_ERR_SIZE when size is
 * too small. *time_ns is its capture time, ns since midnight. */
int gn_market_next(struct gn_market *m, uint8_t *msg, size_t size, uint64_t *time_ns) GN_MUST_CHECK;

/* gn_market_messages: how many messages there are in all; 0 when endless. */
uint64_t gn_market_messages(const struct gn_market *m);

/* gn_market_symbols: calls each(symbol, arg) once for every symbol that R, A and F messages of a fresh source name, in
 * order of appearance (of the generator: those of its directory). Consumes the source. Returns how many. */
uint32_t gn_market_symbols(struct gn_market *m, void (*each)(const char symbol[8], void *arg), void *arg);

#endif
