/* Encoders of the order path, a journal record, and the journal's checksum. */
#include "bench/components/components.h"
#include "bench/instructions/host.h"
#include "controlplane/journal/crc32c.h"
#include "dataplane/abi/event.h"
#include "dataplane/abi/ring.h"
#include "drivers/venue/nasdaq/ouch.h"
#include "drivers/venue/nasdaq/soupbintcp.h"

#define ROUNDS     4096u
#define RING_CELLS 4096u

struct codec {
    uint8_t out[256];
    struct gn_ouch_template templates;
    struct gn_ouch_msg message;
    struct gn_ring *ring;
    uint64_t cursor;
    uint32_t bytes; /* of a record's payload, or of what is summed */
    uint32_t sum;
    uint8_t data[1u << 16];
};

static struct codec c;

static void ouch_enter(void *ctx, uint64_t i)
{
    (void)ctx;
    gn_ouch_enter(c.out, &c.templates, (uint32_t)i, 100, 1000000 + i, GN_TIF_IOC, i << 20, i);
    __asm__ volatile("" ::: "memory");
}

static void ouch_encode(void *ctx, uint64_t i)
{
    (void)ctx;
    c.message.user_ref = (uint32_t)i;
    if (gn_ouch_encode_in(c.out, sizeof c.out, &c.message) <= 0)
        host_die("an order was not encoded");
}

static void soup_header(void *ctx, uint64_t i)
{
    (void)ctx, (void)i;
    gn_soup_header(c.out, GN_SOUP_UNSEQUENCED, GN_OUCH_IN_ENTER_LEN);
    __asm__ volatile("" ::: "memory");
}

static void soup_and_ouch(void *ctx, uint64_t i)
{
    (void)ctx;
    const uint32_t at = gn_soup_header(c.out, GN_SOUP_UNSEQUENCED, GN_OUCH_IN_ENTER_LEN) - GN_OUCH_IN_ENTER_LEN;
    gn_ouch_enter(c.out + at, &c.templates, (uint32_t)i, 100, 1000000 + i, GN_TIF_IOC, i << 20, i);
    __asm__ volatile("" ::: "memory");
}

/* Written, published, read and given back. */
static void record(void *ctx, uint64_t i)
{
    int err;
    (void)ctx;
    struct gn_rec *rec = gn_ring_reserve(c.ring, GN_EV_ORDER, (uint32_t)sizeof *rec + c.bytes);
    if (rec == NULL)
        host_die("the ring is full");
    rec->time_ns = i;
    rec->corr = i;
    memcpy(rec + 1, c.data, c.bytes);
    gn_ring_publish(c.ring);
    rec = gn_ring_read(c.ring, &c.cursor, &err);
    if (rec == NULL)
        host_die("the record is not there");
    gn_ring_release(c.ring, c.cursor, rec->seq);
}

static void crc(void *ctx, uint64_t i)
{
    (void)ctx, (void)i;
    c.sum = gn_crc32c(c.sum, c.data, c.bytes);
}

static void crc_table(void *ctx, uint64_t i)
{
    (void)ctx, (void)i;
    c.sum = gn_crc32c_portable(c.sum, c.data, c.bytes);
}

void component_codecs(void)
{
    static const uint32_t payloads[] = {32, 96, 480, 2016, 8160};
    static const uint32_t blocks[] = {64, 256, 1024, 4096, 16384, 65536};
    gn_ouch_enter_template(&c.templates, GN_SIDE_BUY, "GN0001  ");
    c.message = (struct gn_ouch_msg){.type = GN_OUCH_IN_ENTER,
                                     .side = 'B',
                                     .tif = '3',
                                     .display = 'Y',
                                     .capacity = 'P',
                                     .iso = 'N',
                                     .cross = 'N',
                                     .qty = 100,
                                     .price = 1000000,
                                     .symbol = "GN0001  "};
    c.ring = host_memory(gn_ring_footprint(RING_CELLS));
    if (gn_ring_new(c.ring, RING_CELLS, 1) != GN_RING_OK)
        host_die("no ring");
    component_measure("ouch_enter", "order", 1, ouch_enter, NULL, ROUNDS);
    component_measure("ouch_encode", "order", 1, ouch_encode, NULL, ROUNDS);
    component_measure("soup_header", "order", 1, soup_header, NULL, ROUNDS);
    component_measure("soup_and_ouch", "order", 1, soup_and_ouch, NULL, ROUNDS);
    for (uint32_t i = 0; i < GN_ARRAY_LEN(payloads); i++) {
        c.bytes = payloads[i];
        component_measure("journal_record", "payload_bytes", c.bytes, record, NULL, ROUNDS);
    }
    for (uint32_t i = 0; i < GN_ARRAY_LEN(blocks); i++) {
        c.bytes = blocks[i];
        component_measure("crc32c", "bytes", c.bytes, crc, NULL, ROUNDS / 8);
        if (c.bytes <= 4096)
            component_measure("crc32c_by_table", "bytes", c.bytes, crc_table, NULL, ROUNDS / 8);
    }
}
