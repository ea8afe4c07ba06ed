/* The books against a model that anybody can check by eye: a plain list of live orders, searched from the start. */
#include "dataplane/engine/book.h"
#include "tests/gn_test.h"

#define OPERATIONS  400000
#define INSTRUMENTS 4u
#define SLOTS       256u
#define LIVE_MAX    (SLOTS / 4 * 3)
#define REFS        400u /* references in play: small, so that duplicates and unknown ones are common */

struct model_order {
    uint64_t ref;
    uint32_t instrument, side;
    int64_t price, qty;
};

struct model {
    uint32_t n;
    struct model_order order[LIVE_MAX + 1];
};

static struct model_order *find(struct model *m, uint64_t ref)
{
    for (uint32_t i = 0; i < m->n; i++)
        if (m->order[i].ref == ref)
            return &m->order[i];
    return NULL;
}

static void drop(struct model *m, struct model_order *o)
{
    *o = m->order[--m->n];
}

static void best(const struct model *m, uint32_t instrument, uint32_t side, int64_t *price, int64_t *qty)
{
    *price = *qty = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct model_order *o = &m->order[i];
        if (o->instrument != instrument || o->side != side)
            continue;
        bool better = *qty == 0 || (side == GN_SIDE_BUY ? o->price > *price : o->price < *price);
        if (better) {
            *price = o->price;
            *qty = o->qty;
        } else if (o->price == *price) {
            *qty += o->qty;
        }
    }
}

static int model_add(struct model *m, uint32_t instrument, uint64_t ref, uint32_t side, int64_t price, int64_t qty)
{
    if (qty <= 0)
        return GN_BOOK_ERR_QTY;
    if (price == 0)
        return GN_BOOK_ERR_PRICE;
    if (find(m, ref) != NULL)
        return GN_BOOK_ERR_DUP_REF;
    if (m->n == LIVE_MAX)
        return GN_BOOK_ERR_FULL;
    m->order[m->n++] = (struct model_order){ref, instrument, side, price, qty};
    return 0;
}

static int model_reduce(struct model *m, uint64_t ref, int64_t qty)
{
    struct model_order *o = find(m, ref);
    if (o == NULL)
        return GN_BOOK_ERR_UNKNOWN_REF;
    if (qty <= 0 || qty > o->qty)
        return GN_BOOK_ERR_QTY;
    o->qty -= qty;
    if (o->qty == 0)
        drop(m, o);
    return 0;
}

static int model_replace(struct model *m, uint64_t ref, uint64_t new_ref, int64_t price, int64_t qty)
{
    struct model_order *o = find(m, ref), was;
    if (o == NULL)
        return GN_BOOK_ERR_UNKNOWN_REF;
    was = *o;
    drop(m, o);
    return model_add(m, was.instrument, new_ref, was.side, price, qty);
}

/* What the books must look like now. */
static bool same(struct gn_books *b, const struct model *m)
{
    uint64_t digest[INSTRUMENTS] = {0}, live[INSTRUMENTS] = {0};
    for (uint32_t i = 0; i < m->n; i++) {
        const struct model_order *o = &m->order[i];
        digest[o->instrument] += gn_digest_order(o->ref, o->side, o->price, o->qty);
        live[o->instrument]++;
    }
    for (uint32_t k = 0; k < INSTRUMENTS; k++) {
        struct gn_book_top t, want;
        gn_book_top(b, k, &t);
        best(m, k, GN_SIDE_BUY, &want.bid, &want.bid_qty);
        best(m, k, GN_SIDE_SELL, &want.ask, &want.ask_qty);
        if (memcmp(&t, &want, sizeof t) != 0 || gn_book_at(b, k)->digest != digest[k] ||
            gn_book_at(b, k)->live_orders != live[k])
            return false;
    }
    return b->live_orders == m->n && b->changing % 2 == 0;
}

struct tops {
    int64_t price, qty;
};

static int change_between(struct tops before, struct tops after)
{
    if (before.price != after.price || (before.qty == 0) != (after.qty == 0))
        return GN_BOOK_TOP_PRICE | GN_BOOK_TOP_SIZE;
    return before.qty != after.qty ? GN_BOOK_TOP_SIZE : 0;
}

struct op {
    uint32_t kind, instrument, side;
    uint64_t ref, new_ref;
    int64_t price, qty;
};

static struct op random_op(uint64_t *seed)
{
    uint64_t x = gn_test_rand(seed), y = gn_test_rand(seed);
    struct op o = {
        .kind = (uint32_t)(x % 16),
        .instrument = (uint32_t)(x >> 8) % INSTRUMENTS,
        .side = (uint32_t)(x >> 16) & 1,
        .ref = 1 + (x >> 20) % REFS,
        .new_ref = 1 + (y >> 20) % REFS,
        .price = (int64_t)(y % 61) - 30,
        .qty = (int64_t)((y >> 8) % 12) - 1,
    };
    return o;
}

static int apply(struct gn_books *b, const struct op *o)
{
    struct gn_book_order found;
    if (o->kind < 7)
        return gn_book_add(b, o->instrument, o->ref, o->side, o->price, o->qty);
    if (o->kind < 10)
        return gn_book_reduce(b, o->ref, o->qty, &found);
    if (o->kind < 12)
        return gn_book_delete(b, o->ref, &found);
    return gn_book_replace(b, o->ref, o->new_ref, o->price, o->qty, &found);
}

static int model_apply(struct model *m, const struct op *o)
{
    if (o->kind < 7)
        return model_add(m, o->instrument, o->ref, o->side, o->price, o->qty);
    if (o->kind < 10)
        return model_reduce(m, o->ref, o->qty);
    if (o->kind < 12) {
        struct model_order *k = find(m, o->ref);
        return k == NULL ? GN_BOOK_ERR_UNKNOWN_REF : model_reduce(m, o->ref, k->qty);
    }
    return model_replace(m, o->ref, o->new_ref, o->price, o->qty);
}

static void books_equal_the_model(void)
{
    uint64_t seed = gn_test_seed(41), errors[16] = {0};
    static struct model m;
    uint64_t bytes = gn_align_up(gn_books_footprint(INSTRUMENTS, SLOTS, 4096), 64);
    struct gn_books *b = gn_books_new(aligned_alloc(64, bytes), INSTRUMENTS, SLOTS, 4096);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    m.n = 0;
    for (int i = 0; i < OPERATIONS; i++) {
        struct op o = random_op(&seed);
        const struct model_order *k = o.kind < 7 ? NULL : find(&m, o.ref);
        uint32_t instrument = k == NULL ? o.instrument : k->instrument, side = k == NULL ? o.side : k->side;
        struct tops before, after;
        best(&m, instrument, side, &before.price, &before.qty);
        int want = model_apply(&m, &o);
        best(&m, instrument, side, &after.price, &after.qty);
        if (want == 0)
            want = change_between(before, after);
        else
            errors[-want]++;
        int got = apply(b, &o);
        if (got != want || !same(b, &m)) {
            printf("operation %d: kind %u ref %llu: %d, expected %d\n", i, o.kind, (unsigned long long)o.ref, got,
                   want);
            CU_FAIL_FATAL("books and model differ");
        }
    }
    CU_ASSERT_TRUE(errors[-GN_BOOK_ERR_FULL] > 100 && errors[-GN_BOOK_ERR_DUP_REF] > 100);
    CU_ASSERT_TRUE(errors[-GN_BOOK_ERR_UNKNOWN_REF] > 100 && errors[-GN_BOOK_ERR_QTY] > 100);
    struct gn_books *joined;
    CU_ASSERT_EQUAL(gn_books_join(b, INSTRUMENTS, SLOTS, 4096, &joined), 0);
    for (uint32_t k = 0; k < INSTRUMENTS; k++)
        gn_book_clear(b, k);
    m.n = 0;
    CU_ASSERT_TRUE(same(b, &m));
    free(b);
}

GN_TEST_MAIN("book model", {"books equal the model", books_equal_the_model})
