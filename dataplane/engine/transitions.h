/* What may happen to an order in which state: every state x every event, one row a state. order.c acts on it,
 * docs/order-states.md shows it, the tests walk it.
 */
#ifndef GN_ENGINE_TRANSITIONS_H
#define GN_ENGINE_TRANSITIONS_H

/* X(NAME, "name", "what it is"): what can happen to an order. */
#define GN_ORDER_EVENTS(X)                                                                    \
    X(ACCEPT, "accept", "the venue accepted it, or accepted it as a replacement")             \
    X(REJECT, "reject", "the venue rejected it, or it died with the order it was to replace") \
    X(FILL_PART, "fill_part", "shares were executed, and shares are left")                    \
    X(FILL_LAST, "fill_last", "the last shares were executed")                                \
    X(CANCEL_PART, "cancel_part", "shares were taken off, and shares are left")               \
    X(CANCEL_LAST, "cancel_last", "the last shares were taken off, whoever asked for it")     \
    X(CANCEL_SENT, "cancel_sent", "we asked for its cancel")                                  \
    X(CANCEL_REJECT, "cancel_reject", "the venue refused our cancel")                         \
    X(REPLACE_SENT, "replace_sent", "we asked for its replacement")                           \
    X(REPLACED, "replaced", "the venue put its successor in its place")                       \
    X(REPLACE_FAILED, "replace_failed", "the venue rejected its successor")                   \
    X(SESSION_LOST, "session_lost", "the connection is gone: its fate is unknown")            \
    X(PROVEN_LIVE, "proven_live", "reconciliation: the venue has it, and it works")           \
    X(PROVEN_DEAD, "proven_dead", "reconciliation: it never reached the venue")

/* X(STATE, next state for each event in the order of GN_ORDER_EVENTS); NO: the pair cannot be: it is counted, alarmed,
 * and changes nothing. A message that crossed another on the wire is no error: a reject for an order whose death was
 * already concluded, a refused replace of a filled order. Nothing makes a dead order live again.
 *
 * PN pending new, LV live, PC pending cancel, PR pending replace, ID in doubt, FI filled, CA canceled, RJ rejected, RP
 * replaced.
 */
/* clang-format off */
#define GN_ORDER_TRANSITIONS(X)                                                            \
    /*               acc rej flp fll cnp cnl cns cnr rps rpd rpf los liv dea */            \
    X(FREE,            NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO)             \
    X(PENDING_NEW,     LV, RJ, NO, NO, NO, CA, PC, PN, NO, NO, NO, ID, NO, RJ)             \
    X(LIVE,            NO, NO, LV, FI, LV, CA, PC, LV, PR, RP, LV, ID, LV, NO)             \
    X(PENDING_CANCEL,  PC, RJ, PC, FI, PC, CA, PC, LV, NO, RP, PC, ID, NO, NO)             \
    X(PENDING_REPLACE, NO, NO, PR, FI, PR, CA, PC, PR, NO, RP, LV, ID, NO, NO)             \
    X(IN_DOUBT,        ID, RJ, ID, FI, ID, CA, NO, ID, NO, RP, ID, ID, LV, RJ)             \
    X(FILLED,          NO, NO, NO, NO, NO, NO, NO, FI, NO, NO, FI, FI, NO, NO)             \
    X(CANCELED,        NO, NO, NO, NO, NO, NO, NO, CA, NO, NO, CA, CA, NO, NO)             \
    X(REJECTED,        NO, RJ, NO, NO, NO, NO, NO, RJ, NO, NO, RJ, RJ, NO, RJ)             \
    X(REPLACED,        NO, NO, NO, NO, NO, NO, NO, RP, NO, NO, NO, RP, NO, NO)
/* clang-format on */

#endif
