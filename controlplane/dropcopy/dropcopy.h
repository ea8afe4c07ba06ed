/* Drop copy: a session of its own with the venue, over a kernel socket on the housekeeping core, on which the venue
 * repeats what it told an account; reconciled continuously with what the order session said.
 *
 *      venue --SoupBinTCP, OUCH--> theirs (executions, breaks, corrections, acceptances)   \
 *                                                                                           match -> gone
 *      orders lcore --section fills--> ours                                                 /    \-> break
 *
 * What only one side has waits for `drop_copy_grace`, since either may be late; then it is a break, which is resolved
 * when the other side says the same after all. What both have is compared: quantity, price, order, fee, standing. The
 * place up to which everything was settled is kept in section recon_dc, on both sides: a restarted control plane goes
 * on from there. The codecs are those of drivers/venue: pure, and the only code of the data side that is used here.
 */
#ifndef GN_DROPCOPY_H
#define GN_DROPCOPY_H

#include "controlplane/appliance/appliance.h"
#include "drivers/venue/nasdaq/ouch.h"
#include "drivers/venue/nasdaq/soupbintcp.h"

#define GN_DROPCOPY_WAITING 4096u /* items of one side that wait for the other; more is a break at once */
#define GN_DROPCOPY_BUFFER  65536u

struct gn_dropcopy_item {
    uint8_t used;
    uint8_t type; /* theirs: enum gn_ouch_out */
    uint8_t side_letter, liquidity;
    uint32_t user_ref;
    uint64_t seq; /* theirs: of the message; ours: of the fill */
    uint64_t match, since_ns;
    uint64_t floor;  /* ours: where the drop copy had been when it was read */
    uint64_t breach; /* number of its break, 0 = none yet */
    int64_t qty, price;
};

struct gn_dropcopy_session {
    int fd;          /* -1: not connected */
    bool connecting; /* the handshake is under way */
    uint64_t retry_ns, heard_ns;
    uint64_t silent; /* number of its break, 0 = it is heard */
    uint32_t in_n;
    uint8_t in[GN_DROPCOPY_BUFFER];
    struct gn_soup_client soup;
    uint64_t next_fill; /* of ours, to be read */
    uint32_t n_ours, n_theirs;
    struct gn_dropcopy_item ours[GN_DROPCOPY_WAITING], theirs[GN_DROPCOPY_WAITING];
};

struct gn_dropcopy {
    struct gn_appliance *a;
    struct gn_recon *recon;
    struct gn_fills *fills;
    struct gn_order_table *orders;
    struct gn_dropcopy_session *session; /* of those that have one: by session index; NULL: none has */
};

/* gn_dropcopy_open: for sessions that have sessions[].drop_copy; false without memory. */
bool gn_dropcopy_open(struct gn_dropcopy *d, struct gn_appliance *a) GN_MUST_CHECK;
void gn_dropcopy_close(struct gn_dropcopy *d);

/* gn_dropcopy_poll: connections, messages, matching, ages. Never waits. */
void gn_dropcopy_poll(struct gn_dropcopy *d);

#endif
