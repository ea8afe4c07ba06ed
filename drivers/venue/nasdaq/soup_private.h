/* What client and server of SoupBinTCP share behind the public header. */
#ifndef GN_VENUE_NASDAQ_SOUP_PRIVATE_H
#define GN_VENUE_NASDAQ_SOUP_PRIVATE_H

#include "drivers/venue/nasdaq/soupbintcp.h"

/* gn_soup_pad: copies a zero-terminated or full-length text into n bytes, padded with spaces. */
void gn_soup_pad(char *to, size_t n, const char *text);

/* gn_soup_blank: n bytes of spaces. */
bool gn_soup_blank(const char *text, size_t n);

/* gn_soup_timing: defaults for what is 0. */
struct gn_soup_timing gn_soup_timing(const struct gn_soup_timing *t);

/* gn_soup_direction: GN_SOUP_OK when a packet type may come from that side, else GN_SOUP_ERR_DIRECTION or _TYPE. */
int gn_soup_direction(uint8_t type, bool from_server) GN_MUST_CHECK;

/* gn_soup_die: the session ended out of order; counted once. */
void gn_soup_die(uint8_t *state, struct gn_soup_stats *stats, int err);

/* gn_soup_since: from earlier to now; 0 when the clock of a restarted process is behind. */
static inline uint64_t gn_soup_since(uint64_t earlier_ns, uint64_t now_ns)
{
    return now_ns > earlier_ns ? now_ns - earlier_ns : 0;
}

#endif
