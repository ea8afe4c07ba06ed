/* Opening, instruments and prices. What lies in shared memory is copied, then checked, then used; what bounds an access
 * is kept in the handle.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "tools/libgannet/handle.h"

#define TOP_TRIES 64u

static_assert(sizeof(struct gannet_instrument) == 48, "public layout");
static_assert(sizeof(struct gannet_top) == 72, "public layout");
static_assert(sizeof(struct gannet_order) == 32, "public layout");
static_assert(sizeof(struct gannet_report) == 128, "public layout");
static_assert((int)GANNET_STALE == GN_MD_STALE && (int)GANNET_HALTED == GN_MD_HALTED &&
                  (int)GANNET_CROSSED == GN_MD_CROSSED,
              "flags are passed on as they are");

const char *gannet_strerror(int err)
{
    switch (err) {
    case GANNET_OK:
        return "ok";
    case GANNET_ERR_ARGUMENT:
        return "a null pointer, or a name that is empty or too long";
    case GANNET_ERR_OPEN:
        return "a shared file cannot be opened or is not what it should be";
    case GANNET_ERR_BUSY:
        return "another process holds this client";
    case GANNET_ERR_MEMORY:
        return "no memory for the handle";
    case GANNET_ERR_INSTRUMENT:
        return "no such instrument";
    case GANNET_ERR_UNSTABLE:
        return "the prices changed under every look at them; ask again";
    case GANNET_ERR_FULL:
        return "no room: nothing was sent, or nothing more can be watched";
    case GANNET_ERR_CORRUPT:
        return "shared memory holds what cannot be";
    case GANNET_ERR_REPLACED:
        return "the appliance was started anew; close and open again";
    case GANNET_ERR_INTENT:
        return "side, time in force, price or quantity that no instrument can have";
    default:
        return "unknown error";
    }
}

/* ---- open and close ---- */

__attribute__((format(printf, 4, 5))) static int fail(int code, char *err, size_t size, const char *format, ...)
{
    va_list args;
    if (err == NULL || size == 0)
        return code;
    va_start(args, format);
    (void)vsnprintf(err, size, format, args);
    va_end(args);
    return code;
}

static bool name_ok(const char *name)
{
    size_t len = name == NULL ? 0 : strnlen(name, GN_NAME_MAX);
    return len > 0 && len < GN_NAME_MAX && strchr(name, '/') == NULL;
}

static bool make_paths(struct gannet *g, const char *where, const char *name)
{
    struct stat st;
    char between = stat(where, &st) == 0 && S_ISDIR(st.st_mode) ? '/' : '-';
    int a = snprintf(g->observe_path, sizeof g->observe_path, "%s%cobserve", where, between);
    int b = snprintf(g->own_path, sizeof g->own_path, "%s%cclient-%s", where, between, name);
    return a > 0 && b > 0 && (size_t)a < sizeof g->observe_path && (size_t)b < sizeof g->own_path;
}

/* The section of an attached region, or NULL: its place is copied before it is checked, as others may write there. */
static void *section(const struct gn_region *r, uint32_t number, uint64_t least, uint64_t *bytes)
{
    struct gn_region_section s;
    memcpy(&s, &r->hdr->section[number], sizeof s);
    atomic_signal_fence(memory_order_seq_cst);
    if (s.bytes < least || s.offset < sizeof *r->hdr || s.offset % GN_GUARD != 0 || s.offset > r->mapped ||
        s.bytes > r->mapped - s.offset)
        return NULL;
    *bytes = s.bytes;
    return (uint8_t *)r->hdr + s.offset;
}

static int open_observe(struct gannet *g, char *err, size_t size)
{
    char why[GN_REGION_ERR_LEN];
    uint64_t rows = 0, tops = 0;
    struct stat st;
    if (gn_region_attach(g->observe_path, GN_REGION_OBSERVE, false, NULL, &g->observe, why) != 0)
        return fail(GANNET_ERR_OPEN, err, size, "%s", why);
    g->instruments = section(&g->observe, GN_SECTION_INSTRUMENTS, sizeof *g->instruments, &rows);
    g->tob = section(&g->observe, GN_SECTION_TOB, sizeof *g->tob, &tops);
    if (g->instruments == NULL || g->tob == NULL || stat(g->observe_path, &st) != 0)
        return fail(GANNET_ERR_OPEN, err, size, "%s: no instruments or no best prices in it", g->observe_path);
    rows = (rows - sizeof *g->instruments) / sizeof g->instruments->row[0];
    tops /= sizeof *g->tob;
    uint64_t room = rows < tops ? rows : tops;
    g->room = room < GN_INSTRUMENTS_MAX ? (uint32_t)room : GN_INSTRUMENTS_MAX;
    g->observe_inode = st.st_ino;
    return GANNET_OK;
}

/* Locked first, attached then, looked at again last: so that it is the same file all the while. */
static int open_own(struct gannet *g, char *err, size_t size)
{
    char why[GN_REGION_ERR_LEN];
    struct stat held, named;
    g->lock_fd = open(g->own_path, O_RDWR | O_CLOEXEC);
    if (g->lock_fd < 0)
        return fail(GANNET_ERR_OPEN, err, size, "%s: cannot open the client's file: %s", g->own_path, strerror(errno));
    if (flock(g->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fail(GANNET_ERR_BUSY, err, size, "%s: another process holds this client", g->own_path);
    if (gn_region_attach(g->own_path, GN_REGION_CLIENT, true, NULL, &g->own, why) != 0)
        return fail(GANNET_ERR_OPEN, err, size, "%s", why);
    if (fstat(g->lock_fd, &held) != 0 || stat(g->own_path, &named) != 0 || held.st_ino != named.st_ino)
        return fail(GANNET_ERR_OPEN, err, size, "%s: replaced while it was opened; open again", g->own_path);
    g->own_inode = held.st_ino;
    return GANNET_OK;
}

static int join_rings(struct gannet *g, char *err, size_t size)
{
    uint64_t bytes = 0, ring_bytes;
    g->block = section(&g->own, GN_SECTION_CLIENT, sizeof *g->block, &bytes);
    if (g->block == NULL)
        return fail(GANNET_ERR_CORRUPT, err, size, "%s: no rings in it", g->own_path);
    ring_bytes = __atomic_load_n(&g->block->ring_bytes, __ATOMIC_RELAXED);
    g->strategy = __atomic_load_n(&g->block->strategy, __ATOMIC_RELAXED);
    if (ring_bytes % GN_GUARD != 0 || ring_bytes > (bytes - sizeof *g->block) / 2)
        return fail(GANNET_ERR_CORRUPT, err, size, "%s: rings of %" PRIu64 " bytes do not fit into %" PRIu64,
                    g->own_path, ring_bytes, bytes);
    int sent = gn_ring_peer_join_producer(&g->intents, gn_client_intents(g->block), ring_bytes);
    int back = gn_ring_peer_join_consumer(&g->reports, gn_client_reports(g->block, ring_bytes), ring_bytes);
    if (sent != GN_RING_OK || back != GN_RING_OK)
        return fail(GANNET_ERR_CORRUPT, err, size, "%s: %s ring: %s", g->own_path,
                    sent != GN_RING_OK ? "intent" : "report", gn_ring_strerror(sent != GN_RING_OK ? sent : back));
    return GANNET_OK;
}

static int open_all(struct gannet *g, char *err, size_t size)
{
    int rc = open_observe(g, err, size);
    if (rc == GANNET_OK)
        rc = open_own(g, err, size);
    if (rc == GANNET_OK && g->own.hdr->epoch != g->observe.hdr->epoch)
        rc = fail(GANNET_ERR_OPEN, err, size,
                  "%s is of epoch %" PRIu64 ", %s of %" PRIu64 ": the appliance is just being started; open again",
                  g->observe_path, g->observe.hdr->epoch, g->own_path, g->own.hdr->epoch);
    return rc == GANNET_OK ? join_rings(g, err, size) : rc;
}

int gannet_open(const char *where, const char *name, struct gannet **out, char *err, size_t err_size)
{
    struct gannet *g;
    if (err != NULL && err_size != 0)
        err[0] = 0;
    if (out == NULL)
        return GANNET_ERR_ARGUMENT;
    *out = NULL;
    if (where == NULL || !name_ok(name))
        return fail(GANNET_ERR_ARGUMENT, err, err_size, "a run directory and a client's name of 1 to %u characters",
                    GN_NAME_MAX - 1);
    g = calloc(1, sizeof *g);
    if (g == NULL)
        return fail(GANNET_ERR_MEMORY, err, err_size, "no memory for the handle");
    g->lock_fd = -1;
    int rc = make_paths(g, where, name) ? open_all(g, err, err_size)
                                        : fail(GANNET_ERR_ARGUMENT, err, err_size, "%.100s...: path too long", where);
    if (rc != GANNET_OK)
        gannet_close(g);
    else
        *out = g;
    return rc;
}

void gannet_close(struct gannet *g)
{
    if (g == NULL)
        return;
    gn_region_detach(&g->observe);
    gn_region_detach(&g->own);
    if (g->lock_fd >= 0)
        (void)close(g->lock_fd);
    free(g);
}

int gannet_check(const struct gannet *g)
{
    struct stat a, b;
    if (stat(g->observe_path, &a) != 0 || stat(g->own_path, &b) != 0 || a.st_ino != g->observe_inode ||
        b.st_ino != g->own_inode)
        return GANNET_ERR_REPLACED;
    return g->corrupt ? GANNET_ERR_CORRUPT : GANNET_OK;
}

void gannet_beat(struct gannet *g)
{
    atomic_fetch_add_explicit(&g->block->beat, 1, memory_order_relaxed);
}

/* ---- instruments ---- */

uint32_t gannet_instruments(const struct gannet *g)
{
    /* pairs with the release of the feed lcore: the rows below it are written */
    uint32_t n = atomic_load_explicit(&g->instruments->count, memory_order_acquire);
    return n < g->room ? n : g->room;
}

int gannet_find(const struct gannet *g, const char *symbol, uint32_t *instrument)
{
    char padded[GN_SYMBOL_LEN];
    size_t len = symbol == NULL ? 0 : strnlen(symbol, GN_SYMBOL_LEN + 1);
    if (len == 0 || len > GN_SYMBOL_LEN || instrument == NULL)
        return GANNET_ERR_ARGUMENT;
    memset(padded, ' ', sizeof padded);
    memcpy(padded, symbol, len);
    uint32_t n = gannet_instruments(g);
    for (uint32_t i = 0; i < n; i++)
        if (memcmp(g->instruments->row[i].symbol, padded, sizeof padded) == 0) {
            *instrument = i;
            return GANNET_OK;
        }
    return GANNET_ERR_INSTRUMENT;
}

int gannet_get_instrument(const struct gannet *g, uint32_t instrument, struct gannet_instrument *out)
{
    if (instrument >= gannet_instruments(g))
        return GANNET_ERR_INSTRUMENT;
    const struct gn_instrument *k = &g->instruments->row[instrument];
    *out = (struct gannet_instrument){
        .price_exp = k->price_exp, .tradable = k->strategy == g->strategy, .tick = k->tick, .lot = k->lot};
    memcpy(out->symbol, k->symbol, sizeof k->symbol);
    for (size_t i = sizeof k->symbol; i > 0 && out->symbol[i - 1] == ' '; i--)
        out->symbol[i - 1] = 0;
    return GANNET_OK;
}

/* ---- prices ---- */

static uint32_t stale_now(const struct gannet *g)
{
    return atomic_load_explicit(&g->instruments->stale, memory_order_relaxed) != 0;
}

int gannet_top(const struct gannet *g, uint32_t instrument, struct gannet_top *out)
{
    struct gn_tob t;
    if (instrument >= gannet_instruments(g))
        return GANNET_ERR_INSTRUMENT;
    if (!gn_tob_read(&g->tob[instrument], &t, TOP_TRIES))
        return GANNET_ERR_UNSTABLE;
    *out = (struct gannet_top){
        .instrument = instrument,
        .flags = t.flags | (stale_now(g) ? (uint32_t)GANNET_STALE : 0),
        .bid = t.bid,
        .bid_qty = t.bid_qty,
        .ask = t.ask,
        .ask_qty = t.ask_qty,
        .last = t.last,
        .last_qty = t.last_qty,
        .tick_seq = t.tick_seq,
    };
    return GANNET_OK;
}

int gannet_watch(struct gannet *g, uint32_t instrument)
{
    if (instrument >= gannet_instruments(g))
        return GANNET_ERR_INSTRUMENT;
    for (uint32_t i = 0; i < g->n_watched; i++)
        if (g->watched[i].instrument == instrument)
            return GANNET_OK;
    if (g->n_watched == GANNET_WATCH_MAX)
        return GANNET_ERR_FULL;
    g->watched[g->n_watched++] = (struct gannet_watched){.instrument = instrument};
    return GANNET_OK;
}

static bool changed(const struct gannet *g, struct gannet_watched *w, struct gannet_top *out)
{
    /* taken before the copy: what changes in between is found again at the next look */
    uint32_t lock = atomic_load_explicit(&g->tob[w->instrument].lock, memory_order_acquire);
    uint32_t stale = stale_now(g);
    if ((w->given && lock == w->lock && stale == w->stale) || gannet_top(g, w->instrument, out) != GANNET_OK)
        return false;
    w->lock = lock;
    w->stale = stale;
    w->given = true;
    return true;
}

int gannet_next_change(struct gannet *g, struct gannet_top *out)
{
    for (uint32_t i = 0; i < g->n_watched; i++) {
        struct gannet_watched *w = &g->watched[g->turn];
        g->turn = g->turn + 1 < g->n_watched ? g->turn + 1 : 0;
        if (changed(g, w, out))
            return 1;
    }
    return 0;
}

const char *gannet_format_price(int64_t price, int32_t price_exp, char *buf, size_t size)
{
    uint64_t whole = price < 0 ? 0 - (uint64_t)price : (uint64_t)price, unit = 1;
    if (buf == NULL || size == 0)
        return "";
    buf[0] = 0;
    if (size < GANNET_PRICE_LEN || price_exp < -18 || price_exp > 18)
        return buf;
    for (int32_t i = price_exp; i < 0; i++)
        unit *= 10;
    int n = snprintf(buf, size, "%s%" PRIu64, price < 0 ? "-" : "", whole / unit);
    if (price_exp < 0)
        (void)snprintf(buf + n, size - (size_t)n, ".%0*" PRIu64, -price_exp, whole % unit);
    for (int32_t i = 0; i < price_exp && price != 0; i++, n++)
        memcpy(buf + n, "0", 2);
    return buf;
}
