/* The gate's checks and verdicts: one row each; code, docs/risk-controls.md, the reject counters and `gannetctl limits`
 * are made from them. The order of checks is in dataplane/engine/gate.h.
 */
#ifndef GN_ABI_VERDICT_H
#define GN_ABI_VERDICT_H

/* X(number, NAME, "name", "standard", "inputs", "help"). Numbers are in journals: never reused. standard: controls of
 * GN_STANDARDS and K1..K9 of the risk-control specification. The metric of a row is gate_verdicts{name}. */
#define GN_VERDICTS(X)                                                                                                \
    X(0, OK, "ok", "", "", "passed every check")                                                                      \
    X(1, MALFORMED, "malformed", "P15", "intent",                                                                     \
      "unknown action, side or time in force, or an instrument that is not there")                                    \
    X(2, KILLED, "killed", "K1 K2", "kill words", "the kill word of a scope it belongs to is at halted or killed")    \
    X(3, REDUCE_ONLY, "reduce_only", "K7", "kill words, position",                                                    \
      "the ladder is at reduce-only and the order could add to the position")                                         \
    X(4, CONTROL_STALE, "control_stale", "K8", "heartbeat", "the control plane's heartbeat is stale: no new risk")    \
    X(5, SESSION_DOWN, "session_down", "K6", "session", "the order session is not up and reconciled")                 \
    X(6, NOT_TRADABLE, "not_tradable", "P11", "tradable, venue status",                                               \
      "not configured as tradable, or halted by the venue")                                                           \
    X(7, NO_LIMIT, "no_limit", "P1", "limits", "a limit that the check needs is not configured")                      \
    X(8, MARKET_STALE, "market_stale", "P13", "best prices",                                                          \
      "the book has an open gap or is crossed or locked: prices cannot be trusted")                                   \
    X(9, NO_REFERENCE, "no_reference", "P3", "reference", "no sound reference price for the collar")                  \
    X(10, BAD_QTY, "bad_qty", "P15", "lot", "quantity is not positive or not a multiple of the lot")                  \
    X(11, BAD_PRICE, "bad_price", "P15", "tick", "price is not positive or not a multiple of the tick")               \
    X(12, MAX_QTY, "max_qty", "P1", "max_qty", "quantity above the limit of one order")                               \
    X(13, MAX_VALUE, "max_value", "P2", "max_value", "value above the limit of one order")                            \
    X(14, PRICE_COLLAR, "price_collar", "P3", "collar_bps, reference",                                                \
      "price too far from the reference on the aggressive side")                                                      \
    X(15, MAX_POSITION, "max_position", "P4 P6", "max_position, position",                                            \
      "position would pass the limit if every working order filled")                                                  \
    X(16, MAX_OPEN_ORDERS, "max_open_orders", "P12", "max_open_orders of each scope",                                 \
      "too many working orders in a scope")                                                                           \
    X(17, MESSAGE_RATE, "message_rate", "P7", "message_rate, message_burst, cancel_reserve",                          \
      "message budget of the session used up")                                                                        \
    X(18, UNKNOWN_ORDER, "unknown_order", "P9", "order", "replace or cancel names an order that is not working")      \
    X(19, ORDER_BUSY, "order_busy", "P9", "order", "the order already has a cancel or replace in flight")             \
    X(20, TABLE_FULL, "table_full", "P12", "order table", "no free slot in the order table")                          \
    X(21, SEND_BLOCKED, "send_blocked", "P20", "TCP", "TCP could not take the message now: window, queue or address") \
    X(22, JOURNAL_BLOCKED, "journal_blocked", "L9", "event ring",                                                     \
      "no room in the event ring: what cannot be recorded is not sent")                                               \
    X(23, NOT_OWNER, "not_owner", "P11", "instrument, order",                                                         \
      "the strategy does not trade this instrument or does not own this order")                                       \
    X(24, MAX_SHORT, "max_short", "P15", "max_short, position",                                                       \
      "short position would pass what is located if every working sell order filled")                                 \
    X(25, MAX_EXPOSURE, "max_exposure", "P5 P6 P12", "max_exposure, max_gross of each scope",                         \
      "worst-case exposure of a scope would pass its limit")                                                          \
    X(26, MAX_NET, "max_net", "P5 P12", "max_net of each scope",                                                      \
      "worst-case net exposure of a scope would pass its limit")                                                      \
    X(27, MAX_DAY_VALUE, "max_day_value", "P5", "max_day_value of each scope",                                        \
      "value traded and working today would pass the limit of a scope")                                               \
    X(28, MAX_POSITIONS, "max_positions", "P4", "max_positions of each scope",                                        \
      "too many instruments with a position or a working order in a scope")                                           \
    X(29, LEVERAGE, "leverage", "P5", "max_leverage_bps, equity",                                                     \
      "worst-case exposure would pass the share of equity that is allowed")                                           \
    X(30, WINDOW_QTY, "window_qty", "P10", "window_qty of each scope",                                                \
      "quantity ordered over the short period would pass the limit of a scope")                                       \
    X(31, WINDOW_VALUE, "window_value", "P10", "window_value of each scope",                                          \
      "value ordered over the short period would pass the limit of a scope")                                          \
    X(32, MAX_LOSS, "max_loss", "P12", "max_loss, max_trade_loss, stop_loss_bps",                                     \
      "a scope has lost more than allowed, and the order could add to the position")                                  \
    X(33, DRAWDOWN, "drawdown", "P12", "max_drawdown",                                                                \
      "profit of a scope has fallen too far from its highest, and the order could add to the position")               \
    X(34, MIN_VALUE, "min_value", "P15", "min_value, taker fee", "value after fees below the least that is allowed")  \
    X(35, DUPLICATE, "duplicate", "P9", "max_duplicates", "the same order was sent too often within the period")      \
    X(36, SELF_MATCH, "self_match", "P14", "smp_mode, own orders", "it would meet an own order of the other side")    \
    X(37, VENUE_RATE, "venue_rate", "P7", "message budget of the venue", "message budget of the venue used up")       \
    X(38, STRATEGY_RATE, "strategy_rate", "P7", "message budget of the strategy",                                     \
      "message budget of the strategy used up")                                                                       \
    X(39, THROTTLED, "throttled", "P7 K7", "kill words, throttled_rate",                                              \
      "the ladder is at throttled, and its lower rate is used up")                                                    \
    X(40, STRATEGY_DISABLED, "strategy_disabled", "P8", "max_repeats",                                                \
      "executed and entered again too often: a person must re-enable the strategy")                                   \
    X(41, PERMISSION, "permission", "P11 P17", "permit, venues",                                                      \
      "the instrument is restricted on this side, or the strategy may not use this venue")                            \
    X(42, MARKET_AGE, "market_age", "P13", "max_age_ms", "no market data of the instrument for too long")             \
    X(43, MARKET_MOVE, "market_move", "P13", "max_move_bps",                                                          \
      "the market moved too fast: blocked while somebody looks")                                                      \
    X(44, PERIOD_COLLAR, "period_collar", "P3", "period_collar_bps",                                                  \
      "price too far from the reference at the start of the period")                                                  \
    X(45, AUCTION_COLLAR, "auction_collar", "P3", "auction_collar_bps, previous close",                               \
      "price too far from the previous close in an auction")                                                          \
    X(46, RISK_STATE, "risk_state", "P5", "aggregates",                                                               \
      "a sum has left the range in which it is exact: nothing is added to it")                                        \
    X(47, ATTRIBUTION, "attribution", "P16", "algo_id, account",                                                      \
      "the strategy has no algorithm id or account to put on the order")                                              \
    X(60, BREAKER_OPEN, "breaker_open", "K6", "session",                                                              \
      "the session's circuit breaker is open: only cancels until a probe is answered")                                \
    X(65, JOURNAL_LAG, "journal_lag", "L9", "event ring",                                                             \
      "too many records, or too old ones, wait for the journal's disk")

/* X(ID, "control", "sources", "how it is met"): the controls of the specification that the data plane carries. */
#define GN_STANDARDS(X)                                                                                                \
    X(P1, "largest order", "FIA24 1.1; RTS 6 15(1)(c); 15c3-5(c)(1)(ii)",                                              \
      "max_qty on new and replace; no limit rejects")                                                                  \
    X(P2, "largest order value", "RTS 6 15(1)(b)",                                                                     \
      "price x quantity x multiplier x rate; orders without a limit price are not offered")                            \
    X(P3, "price collar", "RTS 6 15(1)(a); FIA24 1.3",                                                                 \
      "by order, over a period, in auctions; a guarded price is no reference")                                         \
    X(P4, "intraday position", "FIA24 1.2",                                                                            \
      "filled, working on the same side and this order, of instrument, theme, strategy, account, venue, firm")         \
    X(P5, "credit threshold", "15c3-5(c)(1)(i)",                                                                       \
      "exposure, day value and leverage of account and firm; sub-limits may not exceed them")                          \
    X(P6, "immediate inclusion", "RTS 6 15(2)",                                                                        \
      "reserved when sent, released at a terminal state, kept while in doubt")                                         \
    X(P7, "messages", "RTS 6 15(1)(d); FIA24 3.4",                                                                     \
      "budgets of session, venue and strategy; cancels keep a reserve; warns at four fifths")                          \
    X(P8, "repeated automated execution", "RTS 6 15(3); FIA24 3.2",                                                    \
      "a strategy executed and re-entered too often is disabled until a person enables it")                            \
    X(P9, "duplicate orders", "15c3-5(c)(1)(ii)",                                                                      \
      "same side, quantity and price within a window; order ids are never reused")                                     \
    X(P10, "over a short period", "15c3-5(c)(1)(ii)", "sliding sums of quantity and value of every scope")             \
    X(P11, "permission", "RTS 6 15(5); 15c3-5(c)(2)",                                                                  \
      "strategy by instrument, side and venue; restricted list; venue halts")                                          \
    X(P12, "firm risk thresholds", "RTS 6 15(5), (4)",                                                                 \
      "losses, drawdown and exposure of every scope; a breach raises the ladder")                                      \
    X(P13, "market-data reasonability", "FIA15 1.3; FIA24 3.1",                                                        \
      "age, crossed or locked, spread, median, last, velocity")                                                        \
    X(P14, "self-match prevention", "FIA24 3.5", "own orders of the other side: reject, cancel resting, or both")      \
    X(P15, "regulatory pre-entry", "15c3-5(c)(2)(i)", "status, tick, lot, least value, time in force, located shorts") \
    X(P16, "attribution", "RTS 6 12(3)",                                                                               \
      "every record names strategy and account; the wire carries firm and a client order id that leads to them")       \
    X(P17, "exclusive control", "15c3-5(d)(1)", "limits are in memory that strategies map read-only or not at all")    \
    X(P18, "exception path", "RTS 6 15(6)", "single-use, expiring tokens for one order exactly; journaled")            \
    X(P19, "order-to-trade ratio", "RTS 9", "counters of each instrument; otr_warn alerts")                            \
    X(P20, "wire-format safety", "CME MSGW", "one whole order in a TCP segment")

enum gn_verdict {
#define GN_X(num, NAME, name, standard, inputs, help) GN_VERDICT_##NAME = num,
    GN_VERDICTS(GN_X)
#undef GN_X
        GN_VERDICT_COUNT,
};

#endif
