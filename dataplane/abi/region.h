/* Files that are shared between processes: laid out once, mapped by many, kept across the death of any.
 *
 *      gn_region_create            gn_region_attach             gn_region_detach
 *   (nothing) ---> header without magic ---> sections ---> magic written last ---> attached by others
 *
 * Four kinds: `plane` (control plane and data plane), `observe` (read-only for anybody), `client` (one a client
 * process), `private` (the data plane's own tables, so that its next life finds them). A header and a table of
 * sections; offsets, never pointers. Attaching checks magic, kind, ABI version, layout hash, config hash and sizes, and
 * says both sides of any mismatch.
 */
#ifndef GN_ABI_REGION_H
#define GN_ABI_REGION_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/client.h"
#include "dataplane/abi/command.h"
#include "dataplane/abi/conf.h"
#include "dataplane/abi/control.h"
#include "dataplane/abi/limits.h"
#include "dataplane/abi/market.h"
#include "dataplane/abi/metrics.h"
#include "dataplane/abi/orders.h"
#include "dataplane/abi/recon.h"
#include "dataplane/abi/risk.h"

#define GN_REGION_MAGIC        0x74656e6e61472121ull
#define GN_ABI_VERSION         1u
#define GN_REGION_SECTIONS_MAX 48u
#define GN_REGION_ERR_LEN      512u

enum gn_region_kind {
    GN_REGION_PLANE = 1,
    GN_REGION_OBSERVE = 2,
    GN_REGION_CLIENT = 3,
    GN_REGION_PRIVATE = 4,
};

/* X(number, NAME, "name", "what is in it") */
#define GN_SECTIONS(X)                                                                                     \
    X(1, CONF, "conf", "struct gn_conf")                                                                   \
    X(2, CONTROL, "control", "struct gn_control, then a kill word for each instrument")                    \
    X(3, LIMITS, "limits", "struct gn_limits: two generations of rows")                                    \
    X(4, ORDERS, "orders", "struct gn_order_table")                                                        \
    X(5, POSITIONS, "positions", "struct gn_position for each instrument")                                 \
    X(6, SESSIONS, "sessions", "struct gn_session_row for each session")                                   \
    X(7, METRICS, "metrics", "struct gn_lcore_metrics for each lcore")                                     \
    X(8, METRICS_DIR, "metrics_dir", "struct gn_metrics_dir: names and places of all counters")            \
    X(9, NET_COUNTERS, "net_counters", "uint64_t counters of net and arbiter, named by the directory")     \
    X(10, RECON, "recon", "struct gn_recon: breaks that the orders lcore found")                           \
    X(11, RECON_DC, "recon_dc", "struct gn_recon: breaks between drop copy and order session")             \
    X(12, FILLS, "fills", "struct gn_fills: the last fills, by match number")                              \
    X(13, RISK, "risk", "struct gn_risk: what limits are compared with")                                   \
    X(14, COMMANDS, "commands", "struct gn_commands: control plane to lcores")                             \
    X(16, EVENT_RING, "event_ring", "struct gn_ring 0 = control plane, 1.. = lcores; contiguous sections") \
    X(32, INSTRUMENTS, "instruments", "struct gn_instruments")                                             \
    X(33, TOB, "tob", "struct gn_tob for each instrument")                                                 \
    X(34, BOOK_ROWS, "book_rows", "struct gn_book_row for each instrument")                                \
    X(35, CLIENT, "client", "struct gn_client_block and its two rings")                                    \
    X(40, BOOKS, "books", "the order-by-order books")                                                      \
    X(41, ARBITER, "arbiter", "line arbitration and packets held behind a gap")                            \
    X(42, NET, "net", "network endpoints, one a port")                                                     \
    X(43, TCP, "tcp", "TCP connections")                                                                   \
    X(44, SESSION_STATE, "session_state", "protocol state of order sessions")                              \
    X(45, STRATEGY_STATE, "strategy_state", "state of strategies")                                         \
    X(46, STAGE_RINGS, "stage_rings", "rings between stages")                                              \
    X(47, LOCATES, "locates", "instrument number of each stock locate code")

enum gn_section {
#define GN_X(num, NAME, name, help) GN_SECTION_##NAME = num,
    GN_SECTIONS(GN_X)
#undef GN_X
};
/* room for ring 0 and one for each lcore behind EVENT_RING */
static_assert(GN_SECTION_EVENT_RING + GN_LCORES_MAX < GN_SECTION_INSTRUMENTS, "event rings have consecutive numbers");

struct gn_region_section {
    uint64_t offset; /* from the start of the file, multiple of GN_GUARD; 0 = not there */
    uint64_t bytes;
};

struct gn_region_hdr {
    _Atomic uint64_t magic; /* release by gn_region_seal pairs with acquire in gn_region_attach */
    uint32_t abi_version;
    uint32_t kind; /* enum gn_region_kind */
    uint64_t layout_hash;
    uint64_t bytes; /* of the whole file */
    uint64_t epoch; /* of the appliance: one more at every fresh region, part of every order id */
    char build_id[32];
    uint8_t config_sha256[32];
    char instance[GN_NAME_MAX];
    uint8_t pad[8];
    struct gn_region_section section[GN_REGION_SECTIONS_MAX];
};
static_assert(offsetof(struct gn_region_hdr, section) == 128, "section table follows the identity");
static_assert(sizeof(struct gn_region_hdr) == 128 + 16 * GN_REGION_SECTIONS_MAX, "gn_region_hdr layout");

/* What a region shall be. Fill the identity, add sections, create. */
struct gn_region_plan {
    uint32_t kind;
    uint64_t epoch;
    uint8_t config_sha256[32];
    char instance[GN_NAME_MAX];
    uint64_t bytes;
    struct gn_region_section section[GN_REGION_SECTIONS_MAX];
};

struct gn_region {
    struct gn_region_hdr *hdr; /* NULL = not attached */
    uint64_t mapped;
    bool huge;
};

/* gn_abi_layout_hash: of every size and offset that two processes must agree on. */
uint64_t gn_abi_layout_hash(void);

/* gn_region_plan_init / gn_region_plan_add: sums the memory plan. Adding returns false when the number is out of range
 * or taken. */
void gn_region_plan_init(struct gn_region_plan *p, uint32_t kind, const struct gn_conf *c, uint64_t epoch);
bool gn_region_plan_add(struct gn_region_plan *p, uint32_t section, uint64_t bytes) GN_MUST_CHECK;

/* gn_region_create: makes the file anew (an old one is replaced, whoever has it mapped keeps the old one), maps,
 * zeroes, pre-faults and locks it. The magic is not written: fill the sections, then gn_region_seal. Returns 0, or -1
 * with a sentence in err. */
int gn_region_create(const char *path, const struct gn_region_plan *p, struct gn_region *out,
                     char err[GN_REGION_ERR_LEN]) GN_MUST_CHECK;
void gn_region_seal(struct gn_region *r);

/* gn_region_attach: maps an existing file, read-only or not, and checks its header. config_sha256 may be NULL: any. */
int gn_region_attach(const char *path, uint32_t kind, bool writable, const uint8_t *config_sha256,
                     struct gn_region *out, char err[GN_REGION_ERR_LEN]) GN_MUST_CHECK;
void gn_region_detach(struct gn_region *r);

/* gn_region_at: a section of an attached region, NULL when it has none; bounds were checked when it was attached. */
static inline void *gn_region_at(const struct gn_region *r, uint32_t section)
{
    const struct gn_region_section *s = &r->hdr->section[section];
    return s->bytes == 0 ? NULL : (uint8_t *)r->hdr + s->offset;
}

/* gn_region_path: <huge_dir or run_dir>/gannet-<instance>-<what> into out; false when it does not fit. */
bool gn_region_path(const struct gn_conf *c, const char *what, char *out, size_t size) GN_MUST_CHECK;

/* Plans of the kinds that the control plane makes; all sizes follow from the config. */
bool gn_region_plan_plane(struct gn_region_plan *p, const struct gn_conf *c, uint64_t epoch) GN_MUST_CHECK;
bool gn_region_plan_observe(struct gn_region_plan *p, const struct gn_conf *c, uint64_t epoch) GN_MUST_CHECK;
bool gn_region_plan_client(struct gn_region_plan *p, const struct gn_conf *c, uint64_t epoch) GN_MUST_CHECK;

#endif
