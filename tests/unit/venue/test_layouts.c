/* Messages written field by field in the order of the specifications, and not by the tables of the codecs: a round trip
 * does not see two fields of one width that are swapped, this does. Each field gets a value that no other one has. */
#include "drivers/venue/nasdaq/itch.h"
#include "drivers/venue/nasdaq/ouch.h"
#include "tests/gn_test.h"

static uint8_t buf[128];
static size_t at;

static void text(const char *s)
{
    size_t n = strlen(s);
    memcpy(buf + at, s, n);
    at += n;
}

static void integer(uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf[at + i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
    at += bytes;
}

/* ---- ITCH ---- */

static struct gn_itch_msg im;

static void itch(const char *type)
{
    at = 0;
    text(type);
    integer(7, 2);
    integer(8, 2);
    integer(0x0102030405ull, 6);
}

static void itch_done(void)
{
    CU_ASSERT_EQUAL_FATAL(gn_itch_decode(buf, at, &im), GN_ITCH_OK);
    CU_ASSERT_TRUE(im.locate == 7 && im.tracking == 8 && im.time_ns == 0x0102030405ull);
}

#define IS(member, s) (memcmp((member), (s), sizeof(member)) == 0)

static void itch_orders(void)
{
    itch("F"), integer(11, 8), text("S"), integer(12, 4), text("SYMBOL  "), integer(13, 4), text("MPID"), itch_done();
    CU_ASSERT_TRUE(im.ref == 11 && im.side == 'S' && im.shares == 12 && IS(im.symbol, "SYMBOL  ") && im.price == 13);
    CU_ASSERT_TRUE(IS(im.mpid, "MPID"));
    itch("E"), integer(11, 8), integer(12, 4), integer(13, 8), itch_done();
    CU_ASSERT_TRUE(im.ref == 11 && im.shares == 12 && im.match == 13);
    itch("C"), integer(11, 8), integer(12, 4), integer(13, 8), text("N"), integer(14, 4), itch_done();
    CU_ASSERT_TRUE(im.ref == 11 && im.shares == 12 && im.match == 13 && im.printable == 'N' && im.price == 14);
    itch("X"), integer(11, 8), integer(12, 4), itch_done();
    CU_ASSERT_TRUE(im.ref == 11 && im.shares == 12);
    itch("D"), integer(11, 8), itch_done();
    CU_ASSERT_TRUE(im.ref == 11);
    itch("U"), integer(11, 8), integer(12, 8), integer(13, 4), integer(14, 4), itch_done();
    CU_ASSERT_TRUE(im.ref == 11 && im.new_ref == 12 && im.shares == 13 && im.price == 14);
    itch("P"), integer(11, 8), text("B"), integer(12, 4), text("SYMBOL  "), integer(13, 4), integer(14, 8), itch_done();
    CU_ASSERT_TRUE(im.ref == 11 && im.side == 'B' && im.shares == 12 && im.price == 13 && im.match == 14);
    itch("Q"), integer(11, 8), text("SYMBOL  "), integer(12, 4), integer(13, 8), text("O"), itch_done();
    CU_ASSERT_TRUE(im.shares == 11 && im.price == 12 && im.match == 13 && im.cross_type == 'O');
    itch("B"), integer(11, 8), itch_done();
    CU_ASSERT_EQUAL(im.match, 11);
}

static void itch_reference(void)
{
    itch("S"), text("Q"), itch_done();
    CU_ASSERT_EQUAL(im.event, 'Q');
    itch("R"), text("SYMBOL  QN"), integer(100, 4), text("YCZ PNY1X"), integer(3, 4), text("I"), itch_done();
    CU_ASSERT_TRUE(im.market_category == 'Q' && im.financial == 'N' && im.round_lot == 100 && im.lots_only == 'Y');
    CU_ASSERT_TRUE(im.classification == 'C' && IS(im.subtype, "Z ") && im.authenticity == 'P' && im.short_sale == 'N');
    CU_ASSERT_TRUE(im.ipo_flag == 'Y' && im.luld_tier == '1' && im.etp_flag == 'X' && im.leverage == 3);
    CU_ASSERT_EQUAL(im.inverse, 'I');
    itch("H"), text("SYMBOL  T LUDP"), itch_done();
    CU_ASSERT_TRUE(im.trading_state == 'T' && im.reserved == ' ' && IS(im.reason, "LUDP"));
    itch("Y"), text("SYMBOL  1"), itch_done();
    CU_ASSERT_EQUAL(im.reg_sho, '1');
    itch("L"), text("MPIDSYMBOL  YNA"), itch_done();
    CU_ASSERT_TRUE(IS(im.mpid, "MPID") && IS(im.symbol, "SYMBOL  ") && im.primary_maker == 'Y');
    CU_ASSERT_TRUE(im.maker_mode == 'N' && im.maker_state == 'A');
    itch("V"), integer(11, 8), integer(12, 8), integer(13, 8), itch_done();
    CU_ASSERT_TRUE(im.level[0] == 11 && im.level[1] == 12 && im.level[2] == 13);
    itch("W"), text("2"), itch_done();
    CU_ASSERT_EQUAL(im.breached, '2');
    itch("K"), text("SYMBOL  "), integer(11, 4), text("A"), integer(12, 4), itch_done();
    CU_ASSERT_TRUE(im.ipo_time_s == 11 && im.ipo_qualifier == 'A' && im.ipo_price == 12);
    itch("J"), text("SYMBOL  "), integer(11, 4), integer(12, 4), integer(10, 4), integer(1, 4), itch_done();
    CU_ASSERT_TRUE(im.collar_ref == 11 && im.collar_high == 12 && im.collar_low == 10 && im.extension == 1);
    itch("h"), text("SYMBOL  QH"), itch_done();
    CU_ASSERT_TRUE(im.market_code == 'Q' && im.halt_action == 'H');
    itch("I"), integer(11, 8), integer(12, 8), text("BSYMBOL  "), integer(13, 4), integer(14, 4), integer(15, 4);
    text("O1"), itch_done();
    CU_ASSERT_TRUE(im.shares == 11 && im.imbalance == 12 && im.direction == 'B' && im.far_price == 13);
    CU_ASSERT_TRUE(im.near_price == 14 && im.ref_price == 15 && im.cross_type == 'O' && im.variation == '1');
    itch("N"), text("SYMBOL  A"), itch_done();
    CU_ASSERT_EQUAL(im.interest, 'A');
    itch("O"), text("SYMBOL  Y"), integer(11, 4), integer(12, 4), integer(13, 4), integer(14, 8), integer(15, 4);
    integer(16, 4), itch_done();
    CU_ASSERT_TRUE(im.eligibility == 'Y' && im.min_price == 11 && im.max_price == 12 && im.near_price == 13);
    CU_ASSERT_TRUE(im.near_time == 14 && im.collar_low == 15 && im.collar_high == 16);
}

/* ---- OUCH ---- */

static struct gn_ouch_msg om;

static void in(const char *type)
{
    at = 0;
    text(type);
}

static void in_done(void)
{
    CU_ASSERT_EQUAL_FATAL(gn_ouch_decode_in(buf, at, &om), GN_OUCH_OK);
}

static void out(const char *type)
{
    at = 0;
    text(type);
    integer(99, 8);
}

static void out_done(void)
{
    CU_ASSERT_EQUAL_FATAL(gn_ouch_decode_out(buf, at, &om), GN_OUCH_OK);
    CU_ASSERT_EQUAL(om.time_ns, 99);
}

static void ouch_inbound(void)
{
    in("O"), integer(1, 4), text("B"), integer(2, 4), text("SYMBOL  "), integer(3, 8), text("0YPNC");
    text("CLORDID1234567"), integer(0, 2), in_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.side == 'B' && om.qty == 2 && IS(om.symbol, "SYMBOL  ") && om.price == 3);
    CU_ASSERT_TRUE(om.tif == '0' && om.display == 'Y' && om.capacity == 'P' && om.iso == 'N' && om.cross == 'C');
    CU_ASSERT_TRUE(IS(om.clordid, "CLORDID1234567"));
    in("U"), integer(1, 4), integer(2, 4), integer(3, 4), integer(4, 8), text("3YNCLORDID1234567"), integer(0, 2);
    in_done();
    CU_ASSERT_TRUE(om.orig_user_ref == 1 && om.user_ref == 2 && om.qty == 3 && om.price == 4 && om.tif == '3');
    CU_ASSERT_TRUE(om.display == 'Y' && om.iso == 'N' && IS(om.clordid, "CLORDID1234567"));
    in("X"), integer(1, 4), integer(2, 4), in_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.qty == 2);
    in("X"), integer(1, 4), integer(2, 4), integer(0, 2), in_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.qty == 2 && om.options_len == 0);
    in("M"), integer(1, 4), text("E"), integer(2, 4), in_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.side == 'E' && om.qty == 2);
    in("C"), integer(1, 4), text("FIRMSYMBOL  "), integer(0, 2), in_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && IS(om.firm, "FIRM") && IS(om.symbol, "SYMBOL  "));
    in("D"), integer(1, 4), text("FIRM"), integer(0, 2), in_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && IS(om.firm, "FIRM"));
    in("E"), integer(1, 4), text("FIRM"), integer(0, 2), in_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && IS(om.firm, "FIRM"));
    in("Q"), in_done();
}

static void check_order(void)
{
    CU_ASSERT_TRUE(om.user_ref == 1 && om.side == 'T' && om.qty == 2 && IS(om.symbol, "SYMBOL  ") && om.price == 3);
    CU_ASSERT_TRUE(om.tif == '0' && om.display == 'Y' && om.order_ref == 4 && om.capacity == 'P' && om.iso == 'N');
    CU_ASSERT_TRUE(om.cross == 'C' && om.state == 'L' && IS(om.clordid, "CLORDID1234567"));
}

static void order(void)
{
    integer(1, 4), text("T"), integer(2, 4), text("SYMBOL  "), integer(3, 8), text("0Y"), integer(4, 8);
    text("PNCLCLORDID1234567"), integer(0, 2);
}

static void ouch_outbound_orders(void)
{
    out("A"), order(), out_done();
    check_order();
    out("U"), integer(77, 4), order(), out_done();
    check_order();
    CU_ASSERT_EQUAL(om.orig_user_ref, 77);
    out("E"), integer(1, 4), integer(2, 4), integer(3, 8), text("R"), integer(4, 8), integer(0, 2), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.qty == 2 && om.price == 3 && om.liquidity == 'R' && om.match == 4);
    out("C"), integer(1, 4), integer(2, 4), text("U"), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.qty == 2 && om.reason == 'U');
    out("D"), integer(1, 4), integer(2, 4), text("Q"), integer(3, 4), integer(4, 8), text("A"), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.qty == 2 && om.reason == 'Q' && om.qty_prevented == 3 && om.price == 4);
    CU_ASSERT_EQUAL(om.liquidity, 'A');
    out("J"), integer(1, 4), integer(0x1d, 2), text("CLORDID1234567"), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.reject == GN_OUCH_REJECT_PRICE && IS(om.clordid, "CLORDID1234567"));
    out("B"), integer(1, 4), integer(2, 8), text("ECLORDID1234567"), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.match == 2 && om.reason == 'E' && IS(om.clordid, "CLORDID1234567"));
    out("F"), integer(1, 4), integer(2, 4), integer(3, 8), text("A"), integer(4, 8), text("NCLORDID1234567"),
        out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.qty == 2 && om.price == 3 && om.liquidity == 'A' && om.match == 4);
    CU_ASSERT_TRUE(om.reason == 'N' && IS(om.clordid, "CLORDID1234567"));
}

static void ouch_outbound_others(void)
{
    out("S"), text("S"), out_done();
    CU_ASSERT_EQUAL(om.event, 'S');
    out("P"), integer(1, 4), out_done();
    CU_ASSERT_EQUAL(om.user_ref, 1);
    out("I"), integer(1, 4), out_done();
    CU_ASSERT_EQUAL(om.user_ref, 1);
    out("T"), integer(1, 4), integer(2, 8), text("N"), integer(3, 8), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.price == 2 && om.display == 'N' && om.order_ref == 3);
    out("M"), integer(1, 4), text("S"), integer(2, 4), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.side == 'S' && om.qty == 2);
    out("R"), integer(1, 4), text("P"), integer(0, 2), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && om.reason == 'P');
    out("Q"), integer(5, 4), out_done();
    CU_ASSERT_EQUAL(om.next_user_ref, 5);
    out("X"), integer(1, 4), text("FIRMSYMBOL  "), integer(0, 2), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && IS(om.firm, "FIRM") && IS(om.symbol, "SYMBOL  "));
    out("G"), integer(1, 4), text("FIRM"), integer(0, 2), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && IS(om.firm, "FIRM"));
    out("K"), integer(1, 4), text("FIRM"), integer(0, 2), out_done();
    CU_ASSERT_TRUE(om.user_ref == 1 && IS(om.firm, "FIRM"));
}

GN_TEST_MAIN("layouts", {"ITCH orders and trades", itch_orders}, {"ITCH reference and status", itch_reference},
             {"OUCH inbound", ouch_inbound}, {"OUCH outbound: orders", ouch_outbound_orders},
             {"OUCH outbound: others", ouch_outbound_others})
