/* Real captures through the real feed stage: packets are built in memory, books come out, an independent book of the
 * same capture says what they must be. */
#include "tests/gn_test.h"
#include "tests/unit/lcore/harness.h"

#define PER_PACKET 17u /* messages in a packet: no divisor of the file's rows, so that rows fall inside packets too */

struct capture {
    uint8_t *bytes;
    struct gn_itch_file file;
    uint64_t seq; /* of the next message */
};

static FILE *open_data(const char *name)
{
    char path[4096];
    const char *dir = getenv("GN_DATA_DIR");
    if (dir == NULL)
        dir = getenv("GN_DATA_DIR_DEFAULT");
    snprintf(path, sizeof path, "%s/itch50/%s", dir == NULL ? "." : dir, name);
    FILE *f = dir == NULL ? NULL : fopen(path, "rb");
    if (f == NULL)
        printf("skipped: no %s under GN_DATA_DIR ", name);
    return f;
}

static bool open_capture(struct capture *c, const char *name)
{
    FILE *f = open_data(name);
    if (f == NULL)
        return false;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    c->bytes = malloc((size_t)size);
    CU_ASSERT_EQUAL_FATAL(fread(c->bytes, 1, (size_t)size, f), (size_t)size);
    fclose(f);
    c->file = (struct gn_itch_file){.data = c->bytes, .len = (size_t)size};
    c->seq = 1;
    return true;
}

/* Up to n messages of the capture in one packet on line A; how many. */
static uint32_t feed(struct gn_h *h, struct capture *c, uint32_t n)
{
    struct gn_mold_builder b;
    uint8_t packet[GN_UDP_PAYLOAD_MAX];
    const uint8_t *msg;
    size_t len;
    uint32_t count = 0;
    CU_ASSERT_EQUAL_FATAL(gn_mold_begin(&b, packet, sizeof packet, GN_H_SESSION, c->seq), GN_MOLD_OK);
    while (count < n && gn_itch_file_next(&c->file, &msg, &len) == 1) {
        CU_ASSERT_EQUAL_FATAL(gn_mold_append(&b, msg, (uint16_t)len), GN_MOLD_OK);
        count++;
    }
    if (count == 0)
        return 0;
    struct gn_net_rx rx = {.kind = GN_NET_RX_UDP,
                           .dst_ip = GN_H_GROUP_A,
                           .dst_port = GN_H_UDP_A,
                           .len = gn_mold_finish(&b),
                           .payload = packet};
    c->seq += count;
    h->now += 1000;
    gn_stage_feed_udp(&h->feed, 0, &rx, h->now);
    gn_ring_publish(h->events);
    gn_ring_release(h->events, h->events->pending, h->events->next_seq - 1);
    return count;
}

/* The first instrument that the feed taught us is the only one of that file. */
static void every_row_of_the_independent_book(void)
{
    struct capture c;
    const struct gn_h_options options = {.configured = 1, .book_orders = 1u << 16, .book_levels = 1u << 16};
    char line[256];
    if (!open_capture(&c, "esh4_20231225.itch50"))
        return;
    FILE *csv = open_data("esh4_20231225.bbo.csv");
    if (csv == NULL) {
        free(c.bytes);
        return;
    }
    struct gn_h *h = gn_h_new(&options);
    uint64_t applied = 0, rows = 0, wrong = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, csv)); /* the header */
    while (fgets(line, sizeof line, csv) != NULL) {
        long long n, bid, bid_qty, ask, ask_qty, live;
        CU_ASSERT_EQUAL_FATAL(sscanf(line, "%lld,%lld,%lld,%lld,%lld,%lld", &n, &bid, &bid_qty, &ask, &ask_qty, &live),
                              6);
        while (applied < (uint64_t)n) {
            uint64_t left = (uint64_t)n - applied;
            uint32_t got = feed(h, &c, left < PER_PACKET ? (uint32_t)left : PER_PACKET);
            CU_ASSERT_NOT_EQUAL_FATAL(got, 0);
            applied += got;
        }
        const struct gn_tob *t = &h->tob[1];
        rows++;
        wrong += t->bid != bid || t->bid_qty != bid_qty || t->ask != ask || t->ask_qty != ask_qty ||
                 h->book_rows[1].live_orders != (uint64_t)live;
    }
    while (feed(h, &c, PER_PACKET) != 0)
        ;
    printf("%llu rows, %llu messages ", (unsigned long long)rows, (unsigned long long)h->m.md_messages);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(rows > 50);
    CU_ASSERT_EQUAL(h->m.md_messages, 59325);
    CU_ASSERT_EQUAL(h->m.md_unknown_ref + h->m.md_bad_message + h->m.md_bad_book + h->m.md_book_full, 0);
    CU_ASSERT_EQUAL(h->m.md_no_instrument + h->m.md_bad_packet + h->m.md_foreign_udp + h->m.events_lost, 0);
    fclose(csv);
    free(c.bytes);
    gn_h_free(h);
}

/* The middle of a day: orders that were added before are named; each is counted, none is fatal. */
static void the_middle_of_a_nasdaq_day(void)
{
    struct capture c;
    const struct gn_h_options options = {.instruments = 1024, .book_orders = 4096, .book_levels = 1u << 14};
    uint64_t adds = 0, names = 0, unknown = 0, n_refs = 0;
    static uint64_t refs[2048];
    if (!open_capture(&c, "nasdaq_20191230_0930.itch50"))
        return;
    struct gn_h *h = gn_h_new(&options);
    while (feed(h, &c, 5) != 0)
        ;
    c.file.at = 0;
    const uint8_t *p;
    size_t len;
    while (gn_itch_file_next(&c.file, &p, &len) == 1) { /* what an observer without books would count */
        struct gn_itch_msg m;
        CU_ASSERT_EQUAL_FATAL(gn_itch_decode(p, len, &m), GN_ITCH_OK);
        bool known = false;
        for (uint64_t i = 0; i < n_refs; i++)
            known |= refs[i] == m.ref;
        adds += strchr("AF", m.type) != NULL;
        if (strchr("EXDCU", m.type) != NULL) {
            names++;
            unknown += !known;
        }
        if (strchr("AF", m.type) != NULL)
            refs[n_refs++] = m.ref;
        if (m.type == 'U' && known)
            refs[n_refs++] = m.new_ref;
    }
    printf("%llu adds, %llu of %llu names unknown ", (unsigned long long)adds, (unsigned long long)unknown,
           (unsigned long long)names);
    CU_ASSERT_EQUAL(h->m.md_messages, 1000);
    CU_ASSERT_EQUAL(h->m.md_unknown_ref, unknown);
    CU_ASSERT_TRUE(unknown > 100);
    CU_ASSERT_EQUAL(h->m.md_bad_message + h->m.md_bad_book + h->m.md_book_full + h->m.md_no_instrument, 0);
    CU_ASSERT_TRUE(atomic_load(&h->instruments->count) > 4);
    CU_ASSERT_PTR_NULL(gn_h_check(h));
    free(c.bytes);
    gn_h_free(h);
}

GN_TEST_MAIN("feed on real data", {"every row of the independent book", every_row_of_the_independent_book},
             {"the middle of a Nasdaq day", the_middle_of_a_nasdaq_day})
