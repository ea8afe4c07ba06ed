#include "dataplane/abi/recon.h"

static const struct {
    const char *name, *help;
    uint32_t severity;
} classes[GN_BREAK_CLASS_COUNT] = {
#define GN_X(num, NAME, name, severity, help) [num] = {name, help, severity},
    GN_BREAK_CLASSES(GN_X)
#undef GN_X
};

const char *gn_break_name(uint32_t kind)
{
    return kind < GN_BREAK_CLASS_COUNT && classes[kind].name != NULL ? classes[kind].name : "unknown";
}

const char *gn_break_help(uint32_t kind)
{
    return kind < GN_BREAK_CLASS_COUNT && classes[kind].help != NULL ? classes[kind].help : "unknown";
}

uint32_t gn_break_severity(uint32_t kind)
{
    return kind < GN_BREAK_CLASS_COUNT && classes[kind].severity != 0 ? classes[kind].severity : 2;
}

static void add(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

/* A row is taken away from readers before its fields change; they look at its number before and after. */
static void begin_write(_Atomic uint64_t *seq)
{
    atomic_store_explicit(seq, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release); /* pairs with the acquire fence at the end of a read */
}

uint64_t gn_break_note(struct gn_recon *r, const struct gn_break *b)
{
    if (r == NULL)
        return 0;
    uint64_t seq = atomic_load_explicit(&r->total, memory_order_relaxed) + 1;
    struct gn_break *row = &r->row[seq & (GN_BREAKS_MAX - 1)];
    if (row->state == GN_BREAK_OPEN)
        add(&r->open, UINT64_MAX); /* the oldest gives way; the journal has it */
    begin_write(&row->seq);
    memcpy((uint8_t *)row + sizeof row->seq, (const uint8_t *)b + sizeof b->seq, sizeof *b - sizeof b->seq);
    if (row->state == 0)
        row->state = GN_BREAK_OPEN;
    atomic_store_explicit(&row->seq, seq, memory_order_release); /* pairs with the acquire at the start of a read */
    if (row->state == GN_BREAK_OPEN)
        add(&r->open, 1);
    if (b->kind < GN_BREAK_CLASS_COUNT)
        add(&r->by_class[b->kind], 1);
    atomic_store_explicit(&r->total, seq, memory_order_release);
    return seq;
}

void gn_break_resolve(struct gn_recon *r, uint64_t seq, uint64_t now_ns)
{
    struct gn_break *row = &r->row[seq & (GN_BREAKS_MAX - 1)];
    if (seq == 0 || atomic_load_explicit(&row->seq, memory_order_relaxed) != seq || row->state != GN_BREAK_OPEN)
        return;
    begin_write(&row->seq);
    row->state = GN_BREAK_RESOLVED;
    row->resolved_ns = now_ns;
    atomic_store_explicit(&row->seq, seq, memory_order_release);
    add(&r->open, UINT64_MAX);
}

/* Copies a row whose first member is its number; the bytes may be torn, the number says so. */
static bool read_row(const _Atomic uint64_t *at, uint64_t seq, void *out, size_t bytes)
{
    if (seq == 0 || atomic_load_explicit(at, memory_order_acquire) != seq)
        return false;
    memcpy(out, at, bytes);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(at, memory_order_relaxed) == seq;
}

bool gn_break_read(const struct gn_recon *r, uint64_t seq, struct gn_break *out)
{
    return read_row(&r->row[seq & (GN_BREAKS_MAX - 1)].seq, seq, out, sizeof *out);
}

/* ---- fills ---- */

static uint32_t *heads(struct gn_fills *t)
{
    return (uint32_t *)(void *)&t->row[t->capacity];
}

static uint32_t hash(const struct gn_fills *t, uint64_t match)
{
    return (uint32_t)((match * 0x9e3779b97f4a7c15ull) >> 32) & (t->capacity - 1);
}

void gn_fills_new(struct gn_fills *t, uint32_t capacity)
{
    t->capacity = capacity;
    memset(heads(t), 0, sizeof(uint32_t) * capacity);
}

bool gn_fills_join(struct gn_fills *t, uint32_t capacity)
{
    uint64_t total = atomic_load_explicit(&t->total, memory_order_relaxed);
    if (t->capacity != capacity)
        return false;
    memset(heads(t), 0, sizeof(uint32_t) * capacity);
    /* not the oldest: its row is the one that a fill under way at the death may have begun to take */
    for (uint64_t seq = total > capacity - 2 ? total - capacity + 2 : 1; seq <= total; seq++) {
        struct gn_fill *f = &t->row[seq & (capacity - 1)];
        uint32_t *head = &heads(t)[hash(t, f->match)];
        atomic_store_explicit(&f->seq, seq, memory_order_relaxed); /* a death inside a change leaves 0 */
        f->older = *head;
        *head = (uint32_t)(f - t->row) + 1;
    }
    return true;
}

struct gn_fill *gn_fills_begin(struct gn_fills *t, uint64_t match)
{
    if (t == NULL || t->capacity == 0)
        return NULL;
    uint64_t seq = atomic_load_explicit(&t->total, memory_order_relaxed) + 1;
    struct gn_fill *f = &t->row[seq & (t->capacity - 1)];
    begin_write(&f->seq);
    f->match = match;
    return f;
}

void gn_fills_commit(struct gn_fills *t, struct gn_fill *f)
{
    uint64_t seq = atomic_load_explicit(&t->total, memory_order_relaxed) + 1;
    uint32_t *head = &heads(t)[hash(t, f->match)];
    f->older = *head;
    atomic_store_explicit(&f->seq, seq, memory_order_release);
    *head = (uint32_t)(f - t->row) + 1;
    atomic_store_explicit(&t->total, seq, memory_order_release);
}

/* Rows are taken again in order of age, so a chain ends at the first row that is younger than the one before it, or of
 * another chain: that row has been taken since. */
struct gn_fill *gn_fills_find(struct gn_fills *t, uint32_t session, uint32_t user_ref, uint64_t match)
{
    if (t == NULL || t->capacity == 0)
        return NULL;
    uint64_t before = UINT64_MAX;
    uint32_t bucket = hash(t, match);
    for (uint32_t at = heads(t)[bucket]; at != 0 && at <= t->capacity;) {
        struct gn_fill *f = &t->row[at - 1];
        uint64_t seq = atomic_load_explicit(&f->seq, memory_order_relaxed);
        if (seq == 0 || seq >= before || hash(t, f->match) != bucket)
            return NULL;
        if (f->match == match && f->user_ref == user_ref && f->session == session)
            return f;
        before = seq;
        at = f->older;
    }
    return NULL;
}

void gn_fills_change(struct gn_fill *f, uint8_t state, int64_t price, int64_t qty, int64_t fee, uint8_t liquidity)
{
    uint64_t seq = atomic_load_explicit(&f->seq, memory_order_relaxed);
    begin_write(&f->seq);
    f->state = state;
    f->price = price;
    f->qty = qty;
    f->fee = fee;
    f->liquidity = liquidity;
    atomic_store_explicit(&f->seq, seq, memory_order_release);
}

bool gn_fill_read(const struct gn_fills *t, uint64_t seq, struct gn_fill *out)
{
    return t->capacity != 0 && read_row(&t->row[seq & (t->capacity - 1)].seq, seq, out, sizeof *out);
}
