/* journal.mode sync against the real writer: whenever an order or a replacement arrives at the venue, the disk already
 * holds its record. The disk commits when the seed says so, stands still for long, fails, and the control plane dies
 * without a word (its batch in flight is lost) and comes back. Data plane, network, venue and journal are the real
 * code; only the disk is in memory, where "durable" is what its files hold. Argument: number of runs.
 */
#include "tests/unit/journal/fixture.h"
#include "tests/unit/journal/mem_disk.h"
#include "tests/unit/lcore/harness.h"

#define DESK      1u
#define TURNS     3000u
#define REFS      4096u
#define OPEN_KEEP 60u

static unsigned long runs = 60;

struct world {
    struct gn_h *h;
    struct mem_disk disk;
    struct gn_journal_io io;
    struct gn_journal *j; /* NULL: the control plane is dead */
    struct gn_journal_conf conf;
    uint64_t seed;
    uint32_t seen;          /* messages of the venue's inbox that were looked at */
    uint64_t left, dropped; /* over all runs */
    bool durable[REFS];     /* by user reference: its record is on the disk */
    uint64_t batches;       /* of the disk, when durable[] was made */
};

static void note(void *arg, const char *name)
{
    (void)name;
    ++*(uint32_t *)arg;
}

/* What the disk holds, read from its first byte on by the journal's own reader. */
static void read_disk(struct world *w)
{
    struct gn_journal_reader *r;
    struct gn_journal_finding finding;
    struct gn_journal_item item;
    uint32_t files = 0;
    (void)w->io.list(w->io.ctx, "disk", note, &files);
    if (files == 0 || gn_journal_reader_open(&r, "disk", &w->io, &finding) != GN_JOURNAL_OK)
        return;
    while (gn_journal_reader_next(r, &item) == 1) {
        struct gn_ev_order ev;
        if (item.rec->type != GN_EV_ORDER || item.payload_bytes < sizeof ev)
            continue;
        memcpy(&ev, item.payload, sizeof ev);
        if (ev.verdict == GN_VERDICT_OK && ev.user_ref < REFS)
            w->durable[ev.user_ref] = true;
    }
    gn_journal_reader_close(r);
}

static void control_plane_starts(struct world *w)
{
    char err[512] = "";
    struct gn_ring *rings[] = {w->h->events};
    w->disk.dead = w->disk.pending = false;
    if (gn_journal_open(&w->j, &w->conf, rings, 1, err, sizeof err) != GN_JOURNAL_OK)
        printf("%s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->j);
}

/* kill -9: the write in flight reaches the disk or not, nothing is flushed, nothing released. */
static void control_plane_dies(struct world *w)
{
    md_crash(&w->disk, &w->seed);
    (void)gn_journal_close(w->j, w->h->now);
    w->j = NULL;
}

static void journal_turn(struct world *w, bool stalled)
{
    if (w->j == NULL)
        return;
    atomic_fetch_add(&w->h->control->controlplane.count, 1);
    CU_ASSERT_TRUE(gn_journal_step(w->j, w->h->now) >= 0);
    if (!stalled && gn_test_rand(&w->seed) % 3 == 0)
        gn_journal_wait(w->j, 1000000);
}

/* Everything that arrived at the venue since the last look must be on the disk as the disk is now. */
static bool all_durable(struct world *w)
{
    const struct gn_h_peer *p = &w->h->peer;
    for (; w->seen < p->n_in; w->seen++) {
        const struct gn_ouch_msg *m = &p->in[w->seen];
        if (m->type != GN_OUCH_IN_ENTER && m->type != GN_OUCH_IN_REPLACE)
            continue;
        w->left++;
        if (!w->durable[m->user_ref])
            read_disk(w);
        if (m->user_ref >= REFS || !w->durable[m->user_ref]) {
            printf("user reference %u is at the venue and not on the disk (message %u)\n", m->user_ref, w->seen);
            return false;
        }
    }
    return true;
}

static void trade(struct world *w)
{
    struct gn_h *h = w->h;
    struct gn_intent in = {.action = GN_ACTION_NEW,
                           .side = (uint8_t)(gn_test_rand(&w->seed) & 1),
                           .instrument = DESK,
                           .price = 1000000,
                           .qty = 1 + (int64_t)(gn_test_rand(&w->seed) % 9),
                           .tag = 1,
                           .tick_seq = 1 + h->now};
    struct gn_order *o = NULL;
    for (uint32_t i = h->orders->list_head; i != GN_NONE32 && gn_test_rand(&w->seed) % 4 != 0;
         i = h->orders->order[i].list_next)
        o = &h->orders->order[i];
    if (o != NULL && gn_test_rand(&w->seed) % 3 == 0) {
        in.action = gn_test_rand(&w->seed) % 2 == 0 ? GN_ACTION_CANCEL : GN_ACTION_REPLACE;
        in.side = o->side;
        in.target = o->id;
    } else if (h->orders->open > OPEN_KEEP) {
        return;
    }
    gn_h_intent(h, &in);
    gn_ring_publish(h->events); /* as the loop does */
}

/* The venue answers some of what it was sent. */
static void venue_answers(struct world *w, uint32_t from)
{
    const struct gn_h_peer *p = &w->h->peer;
    for (uint32_t i = from; i < p->n_in; i++) {
        struct gn_order *o = gn_order_find(w->h->orders, p->in[i].user_ref);
        if (o == NULL || gn_test_rand(&w->seed) % 8 == 0)
            continue;
        if (p->in[i].type == GN_OUCH_IN_ENTER)
            gn_h_accept(w->h, o);
        else if (p->in[i].type == GN_OUCH_IN_CANCEL)
            gn_h_canceled(w->h, o->user_ref, (uint32_t)o->leaves);
        if (p->in[i].type == GN_OUCH_IN_ENTER && gn_test_rand(&w->seed) % 2 == 0)
            gn_h_fill(w->h, o->user_ref, (uint32_t)o->qty, 1000000);
    }
}

static bool one_run(struct world *w)
{
    const struct gn_h_options options = {.event_cells = 8192};
    uint32_t stall = 0, dead = 0;
    w->h = gn_h_new(&options);
    w->h->conf.journal.unsynced_ms = 5;
    w->h->conf.journal.inputs = 0;
    w->h->journal_stuck = true; /* the harness drains nothing: the journal does */
    CU_ASSERT_TRUE_FATAL(gn_h_up(w->h));
    gn_h_quote(w->h, DESK, 990000, 1010000);
    gn_h_run(w->h, GN_H_MS);
    w->h->stage.sync = true;
    w->h->cp_dead = true; /* nor does it beat: the journal's turn does */
    w->seen = w->h->peer.n_in;
    memset(w->durable, 0, sizeof w->durable);
    control_plane_starts(w);
    bool good = true;
    for (uint32_t t = 0; t < TURNS && good && w->h->peer.n_in < GN_H_INBOX - 200; t++) {
        const uint64_t dice = gn_test_rand(&w->seed) % 1000;
        if (stall == 0 && dice < 8)
            stall = 20 + (uint32_t)(gn_test_rand(&w->seed) % 400);
        if (w->j != NULL && dice == 999) {
            control_plane_dies(w);
            dead = 50 + (uint32_t)(gn_test_rand(&w->seed) % 300);
        } else if (w->j == NULL && --dead == 0) {
            control_plane_starts(w);
        }
        if (dice % 3 == 0)
            trade(w);
        const uint32_t from = w->h->peer.n_in;
        gn_h_turn(w->h);
        good = all_durable(w); /* before the disk moves on */
        venue_answers(w, from);
        journal_turn(w, stall != 0);
        stall -= stall != 0;
    }
    CU_ASSERT_PTR_NULL(w->h->broken);
    w->dropped += w->h->m.held_dropped;
    if (w->j != NULL)
        (void)gn_journal_close(w->j, w->h->now);
    md_free(&w->disk);
    gn_h_free(w->h);
    return good;
}

static void no_order_before_its_record(void)
{
    static struct world w;
    const uint64_t first = gn_test_seed(8100);
    for (unsigned long i = 0; i < runs; i++) {
        w.seed = first + i;
        w.io = md_io(&w.disk);
        w.conf = (struct gn_journal_conf){.dir = "disk",
                                          .instance = "sync",
                                          .build_id = "test",
                                          .rings_id = 1,
                                          .segment_bytes = FX_SEGMENT_BYTES * 4,
                                          .batch_bytes = FX_BATCH_BYTES,
                                          .skip_probe = true,
                                          .eager = true,
                                          .io = &w.io};
        if (!one_run(&w)) {
            printf("GN_SEED=%llu journal_sync 1\n", (unsigned long long)(first + i));
            CU_FAIL_FATAL("an order left before its record was durable");
        }
    }
    printf("%llu orders left, %llu were given up; ", (unsigned long long)w.left, (unsigned long long)w.dropped);
    CU_ASSERT_TRUE(w.left > runs * 20);
    CU_ASSERT_TRUE(w.dropped > runs / 2);
}

static CU_TestInfo tests[] = {{"no order before its record", no_order_before_its_record}, CU_TEST_INFO_NULL};

int main(int argc, char **argv)
{
    if (argc > 1)
        runs = strtoul(argv[1], NULL, 10);
    return gn_test_run("journal sync", tests);
}
