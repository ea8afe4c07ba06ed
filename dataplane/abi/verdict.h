/* The gate's checks and verdicts: one row each. The order of checks is in dataplane/engine/gate.h.
 * Standards: controls P1..P20 and K1..K9 of the risk-control specification.
 */
#ifndef GN_ABI_VERDICT_H
#define GN_ABI_VERDICT_H

/* X(number, NAME, "name", "standard", "help"). Numbers are in journals: never reused. */
#define GN_VERDICTS(X)                                                                                                \
    X(0, OK, "ok", "", "passed every check")                                                                          \
    X(1, MALFORMED, "malformed", "P15", "unknown action, side or time in force, or an instrument that is not there")  \
    X(2, KILLED, "killed", "K1 K2", "the kill word of a scope it belongs to is at halted or killed")                  \
    X(3, REDUCE_ONLY, "reduce_only", "K7", "the ladder is at reduce-only and the order could add to the position")    \
    X(4, CONTROL_STALE, "control_stale", "K8", "the control plane's heartbeat is stale: no new risk")                 \
    X(5, SESSION_DOWN, "session_down", "K6", "the order session is not up and reconciled")                            \
    X(6, NOT_TRADABLE, "not_tradable", "P11", "not configured as tradable, or halted by the venue")                   \
    X(7, NO_LIMIT, "no_limit", "P1", "a limit that the check needs is not configured")                                \
    X(8, MARKET_STALE, "market_stale", "P13", "the book has an open gap or is crossed: prices cannot be trusted")     \
    X(9, NO_REFERENCE, "no_reference", "P3", "no reference price for the collar")                                     \
    X(10, BAD_QTY, "bad_qty", "P15", "quantity is not positive or not a multiple of the lot")                         \
    X(11, BAD_PRICE, "bad_price", "P15", "price is not positive or not a multiple of the tick")                       \
    X(12, MAX_QTY, "max_qty", "P1", "quantity above the limit of one order")                                          \
    X(13, MAX_VALUE, "max_value", "P2", "price x quantity above the limit of one order")                              \
    X(14, PRICE_COLLAR, "price_collar", "P3", "price too far from the reference on the aggressive side")              \
    X(15, MAX_POSITION, "max_position", "P4 P6", "position would pass the limit if every working order filled")       \
    X(16, MAX_OPEN_ORDERS, "max_open_orders", "P12", "too many working orders on the instrument or in all")           \
    X(17, MESSAGE_RATE, "message_rate", "P7", "message budget of the session used up")                                \
    X(18, UNKNOWN_ORDER, "unknown_order", "P9", "replace or cancel names an order that is not working")               \
    X(19, ORDER_BUSY, "order_busy", "P9", "the order already has a cancel or replace in flight")                      \
    X(20, TABLE_FULL, "table_full", "P12", "no free slot in the order table")                                         \
    X(21, SEND_BLOCKED, "send_blocked", "P20", "TCP could not take the message now: window, queue or address")        \
    X(22, JOURNAL_BLOCKED, "journal_blocked", "L9", "no room in the event ring: what cannot be recorded is not sent") \
    X(23, NOT_OWNER, "not_owner", "P11", "the strategy does not trade this instrument or does not own this order")    \
    X(65, JOURNAL_LAG, "journal_lag", "L9", "too many records, or too old ones, wait for the journal's disk")

enum gn_verdict {
#define GN_X(num, NAME, name, standard, help) GN_VERDICT_##NAME = num,
    GN_VERDICTS(GN_X)
#undef GN_X
        GN_VERDICT_COUNT,
};

#endif
