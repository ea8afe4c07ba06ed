/* Orders, positions, sessions, instruments, best prices. Rows of docs/abi.md: what offsetof and sizeof cannot say. */
#include "dataplane/abi/region.h"
#include "tools/docs/abi_rows.h"

static const struct gn_doc_field order_fields[] = {
    F(gn_order, id, "", "epoch (16 bits), lcore (8), sequence (40)"),
    F(gn_order, user_ref, "", "low 32 bits of id: OUCH's UserRefNum"),
    F(gn_order, instrument, "", "row in gn_instruments"),
    F(gn_order, state, "", "enum gn_order_state"),
    F(gn_order, side, "", "enum gn_side"),
    F(gn_order, tif, "", "enum gn_tif"),
    F(gn_order, session, "", "index in the configuration"),
    F(gn_order, strategy, "", "index in the configuration"),
    F(gn_order, held, "", "1: not sent yet, waits until its record is durable (journal.mode sync)"),
    F(gn_order, cancel_wanted, "", "a kill or mass cancel wants it gone"),
    F(gn_order, acked, "", "the venue has accepted it"),
    F(gn_order, price, "", "mantissa"),
    F(gn_order, qty, "", "as sent or as the venue accepted a replacement"),
    F(gn_order, leaves, "", "still open"),
    F(gn_order, cum, "", "filled by this order"),
    F(gn_order, reserved, "", "quantity it holds in the position's worst case"),
    F(gn_order, tag, "", "the strategy's own"),
    F(gn_order, tick_seq, "", "market data that it answers"),
    F(gn_order, sent_ns, "", "handed to TCP"),
    F(gn_order, changed_ns, "", "last change of state"),
    F(gn_order, prev_ref, "", "user reference of the order it replaces, 0 = none"),
    F(gn_order, next_ref, "", "of its successor, 0 = none"),
    F(gn_order, chain_cum, "", "filled by this order and those it replaced"),
    F(gn_order, list_next, "", "slots: ring of working orders, GN_NONE32 = not in it"),
    F(gn_order, list_prev, "", ""),
    F(gn_order, own_next, "", "slots + 1: the instrument's working orders, 0 = none"),
    F(gn_order, own_prev, "", ""),
};

static const struct gn_doc_field order_table_fields[] = {
    F(gn_order_table, capacity, "", "power of two"),
    F(gn_order_table, open, "", "working orders"),
    F(gn_order_table, next_seq, "", "next order sequence: the high-water mark, never goes back"),
    F(gn_order_table, list_head, "", "first working order, GN_NONE32 = none"),
    F(gn_order_table, illegal, "", "state x event pairs that the transition table forbids"),
    A(gn_order_table, order, "", "`capacity` of them"),
};

static const struct gn_doc_field position_fields[] = {
    F(gn_position, qty, "", "bought - sold"),
    F(gn_position, open_buy, "", "reserved by working buy orders"),
    F(gn_position, open_sell, "", "reserved by working sell orders"),
    F(gn_position, open_orders, "", "working orders"),
    F(gn_position, own, "", "slot + 1 of its first working order, 0 = none"),
    F(gn_position, bought, "", "quantity"),
    F(gn_position, sold, "", "quantity"),
    F(gn_position, fills, "", "executions, those that were broken later included"),
    F(gn_position, fees, "", "of the fills that stand, in 1/100 of a price mantissa; negative: rebates"),
    F(gn_position, buy_value, "", "sum of price mantissa x quantity, 128 bits"),
    F(gn_position, sell_value, "", "the same"),
    F(gn_position, sent, "", "orders of this instrument"),
    F(gn_position, accepted, "", ""),
    F(gn_position, canceled, "", ""),
    F(gn_position, rejected, "", ""),
    F(gn_position, cost, "", "of the open position at average price, below 0 when short; 128 bits"),
    F(gn_position, best_buy, "", "no working buy order has a higher price; while one works"),
    F(gn_position, best_sell, "", "no working sell order has a lower price; while one works"),
    F(gn_position, open_value, "", "price mantissa x quantity reserved by working orders"),
};

static const struct gn_doc_field session_row_fields[] = {
    F(gn_session_row, state, "", "enum gn_session_state; relaxed: one writer, readers only look"),
    F(gn_session_row, reason, "", "of the last loss or refusal"),
    F(gn_session_row, next_in_seq, "", "next sequenced message expected from the venue"),
    F(gn_session_row, venue_session, "", "as the venue named it at login"),
    F(gn_session_row, conn, "", "index in the TCP table, GN_NONE32 = none"),
    F(gn_session_row, connects, "", "attempts so far; picks the local port"),
    F(gn_session_row, backoff_ms, "", "next wait before connecting"),
    F(gn_session_row, retry_ns, "", "when to connect"),
    F(gn_session_row, last_rx_ns, "", "last packet of the venue"),
    F(gn_session_row, last_tx_ns, "", "last packet to it"),
    F(gn_session_row, logins, "", "accepted ones"),
    F(gn_session_row, losses, "", "connections lost or refused"),
    F(gn_session_row, orders_sent, "", "new orders"),
    F(gn_session_row, replaces_sent, "", ""),
    F(gn_session_row, cancels_sent, "", "cancels and reductions"),
    F(gn_session_row, messages_in, "", "sequenced messages taken"),
    F(gn_session_row, in_doubt, "", "orders now in doubt"),
    F(gn_session_row, budget_full_ns, "", "message budget: when it is full again; a restart goes on with it"),
    F(gn_session_row, breaker, "", "enum gn_breaker_state"),
    F(gn_session_row, breaker_why, "", "enum gn_breaker_why: of its last change"),
    F(gn_session_row, breaker_until_ns, "", "open: no attempt before"),
    F(gn_session_row, breaker_trips, "", "times it opened"),
    F(gn_session_row, breaker_window_ns, "", "start of the window in which failures count"),
    F(gn_session_row, breaker_failures, "", "connections lost in the window"),
    F(gn_session_row, breaker_rejects, "", "orders rejected in the window"),
    F(gn_session_row, deadman_since_ns, "", "not up since then, 0 = it is"),
    F(gn_session_row, deadman_fired, "", "bits of enum gn_deadman that ran out and have not come back"),
    F(gn_session_row, cancel_on_disconnect, "", "1: the venue cancels this session's orders when its connection ends"),
    F(gn_session_row, deadman_trips, "", "times a dead-man timer ran out"),
    F(gn_session_row, handover, "", "enum gn_handover: of the last start"),
    F(gn_session_row, breaker_doublings, "", "of its pause, for probes that were not answered"),
    F(gn_session_row, handovers, "", "connections carried over a restart"),
};

static const struct gn_doc_field break_fields[] = {
    F(gn_break, seq, "", "number of this break, from 1; 0 while the row is written: look before and after"),
    F(gn_break, kind, "", "enum gn_break_class"),
    F(gn_break, state, "", "1 open, 2 resolved, 3 noted"),
    F(gn_break, session, "", "index in the configuration"),
    F(gn_break, instrument, "", "GN_BREAK_NOWHERE = of none"),
    F(gn_break, found_ns, "", ""),
    F(gn_break, resolved_ns, "", "0 = not"),
    F(gn_break, order_id, "", "0 = of none"),
    F(gn_break, match, "", "venue's match number, 0 = none"),
    F(gn_break, ours, "", "what we have: see the class"),
    F(gn_break, theirs, "", "what the venue has"),
    F(gn_break, venue_seq, "", "sequence of the message that showed it, 0 = none"),
};

static const struct gn_doc_field recon_fields[] = {
    F(gn_recon, total, "", "breaks ever; release, pairs with acquire of readers"),
    F(gn_recon, open, "", "breaks of the table that are open"),
    F(gn_recon, rounds, "", "reconciliations that were completed"),
    F(gn_recon, last_round_ns, "", "end of the last one"),
    F(gn_recon, checked_orders, "", "orders compared"),
    F(gn_recon, checked_fills, "", "fills compared"),
    F(gn_recon, source_ns, "", "drop copy: when it was last heard"),
    F(gn_recon, source_state, "", "drop copy: enum gn_session_state"),
    F(gn_recon, source_seq, "", "drop copy: next sequence wanted"),
    F(gn_recon, resume_seq, "", "drop copy: sequence at which the next life of the control plane goes on, by session"),
    F(gn_recon, resume_fill, "", "drop copy: our fill at which it does"),
    F(gn_recon, by_class, "", "breaks ever, by enum gn_break_class"),
    F(gn_recon, row, "", "the last of them: number n is in row n mod their count"),
};

static const struct gn_doc_field fill_fields[] = {
    F(gn_fill, seq, "", "number of this fill, from 1; 0 while the row is written: look before and after"),
    F(gn_fill, match, "", "venue's match number"),
    F(gn_fill, order_id, "", ""),
    F(gn_fill, price, "", "as executed, or as corrected"),
    F(gn_fill, qty, "", "the same"),
    F(gn_fill, fee, "", "1/100 of a price mantissa; negative: a rebate"),
    F(gn_fill, venue_seq, "", "of the message that reported it"),
    F(gn_fill, time_ns, "", ""),
    F(gn_fill, user_ref, "", "of the order"),
    F(gn_fill, instrument, "", "row in gn_instruments"),
    F(gn_fill, older, "", "slot + 1 of the next older fill with the same hash, 0 = none"),
    F(gn_fill, session, "", "index in the configuration"),
    F(gn_fill, side, "", "enum gn_side"),
    F(gn_fill, liquidity, "", "the venue's letter"),
    F(gn_fill, state, "", "1 stands, 2 broken"),
};

static const struct gn_doc_field fills_fields[] = {
    F(gn_fills, capacity, "", "power of two"),
    F(gn_fills, total, "", "fills ever; release, pairs with acquire of readers"),
    A(gn_fills, row, "", "`capacity` of them, then as many heads of hash chains (uint32_t, slot + 1)"),
};

static const struct gn_doc_field instrument_fields[] = {
    F(gn_instrument, symbol, "", "space-padded"),
    F(gn_instrument, price_exp, "", "decimal exponent of its prices"),
    F(gn_instrument, strategy, "", "index of the strategy that trades it, GN_NONE32 = none"),
    F(gn_instrument, tick, "", "price increment, mantissa"),
    F(gn_instrument, lot, "", "quantity increment"),
    F(gn_instrument, configured, "", "1: from the config; 0: learnt from the feed"),
};

static const struct gn_doc_field tob_fields[] = {
    F(gn_tob, lock, "", "sequence lock: odd while the row is written"),
    F(gn_tob, flags, "", "GN_MD_*"),
    F(gn_tob, bid, "", "0, 0 when the side is empty"),
    F(gn_tob, bid_qty, "", ""),
    F(gn_tob, ask, "", "0, 0 when the side is empty"),
    F(gn_tob, ask_qty, "", ""),
    F(gn_tob, last, "", "last trade"),
    F(gn_tob, last_qty, "", ""),
    F(gn_tob, tick_seq, "", "market-data sequence of the last change"),
    F(gn_tob, time_ns, "", "when the feed took the message that changed it; 0 = never"),
};

static const struct gn_doc_field book_row_fields[] = {
    F(gn_book_row, live_orders, "", "orders in the book"),
    F(gn_book_row, digest, "", "wrapping sum of gn_digest_order over live orders"),
};

static const struct gn_doc_field instruments_fields[] = {
    F(gn_instruments, count, "control plane, feed stage",
      "rows in use; release by the feed lcore when it learns one, acquire by readers"),
    F(gn_instruments, capacity, "", "rows there is room for"),
    F(gn_instruments, configured, "", "the first rows"),
    F(gn_instruments, stale, "feed stage", "1: a feed gap is open, no book is current; relaxed: the gate only looks"),
    A(gn_instruments, row, "", "`capacity` of them"),
};

const struct gn_doc_struct gn_doc_abi_trade[] = {
    S(order, "orders stage", true, "dataplane/abi/orders.h"),
    S(order_table, "orders stage", false, "dataplane/abi/orders.h"),
    S(position, "orders stage", false, "dataplane/abi/orders.h"),
    S(session_row, "orders stage", false, "dataplane/abi/orders.h"),
    S(break, "orders stage; of section recon_dc: control plane", true, "dataplane/abi/recon.h"),
    S(recon, "orders stage; of section recon_dc: control plane", false, "dataplane/abi/recon.h"),
    S(fill, "orders stage", true, "dataplane/abi/recon.h"),
    S(fills, "orders stage", false, "dataplane/abi/recon.h"),
    S(instrument, "control plane, feed stage", false, "dataplane/abi/market.h"),
    S(tob, "feed stage", true, "dataplane/abi/market.h"),
    S(book_row, "feed stage", false, "dataplane/abi/market.h"),
    S(instruments, "control plane", false, "dataplane/abi/market.h"),
    {0},
};
