/* Payloads of the records. Rows of docs/abi.md: what offsetof and sizeof cannot say. */
#include "dataplane/abi/region.h"
#include "tools/docs/abi_rows.h"

static const struct gn_doc_field md_fields[] = {
    F(gn_md, instrument, "", "row in gn_instruments"),
    F(gn_md, kind, "", "enum gn_md_kind"),
    F(gn_md, flags, "", "GN_MD_* bits in force after this event"),
    F(gn_md, price_moved, "", "best bid or offer price changed, not only a size"),
    F(gn_md, last_side, "", "enum gn_side of the aggressor, when kind is GN_MD_TRADE"),
    F(gn_md, bid, "", "0, 0 when the side is empty"),
    F(gn_md, bid_qty, "", ""),
    F(gn_md, ask, "", "0, 0 when the side is empty"),
    F(gn_md, ask_qty, "", ""),
    F(gn_md, last, "", "of this trade, when kind is GN_MD_TRADE"),
    F(gn_md, last_qty, "", ""),
    F(gn_md, tick_seq, "", "market-data sequence that caused it"),
    F(gn_md, venue_ns, "", "venue's timestamp, ns since its midnight"),
};

static const struct gn_doc_field intent_fields[] = {
    F(gn_intent, action, "", "enum gn_action"),
    F(gn_intent, side, "", "enum gn_side"),
    F(gn_intent, tif, "", "enum gn_tif"),
    F(gn_intent, session, "strategy host", "set by the strategy host"),
    F(gn_intent, instrument, "", "row in gn_instruments; GN_NONE32 for a mass cancel of all"),
    F(gn_intent, strategy, "strategy host", "set by the strategy host, whatever the strategy wrote"),
    F(gn_intent, target, "", "order id, for all but NEW"),
    F(gn_intent, price, "", "mantissa"),
    F(gn_intent, qty, "", "of a replacement: what shall work afterwards; of a reduction: what shall be left"),
    F(gn_intent, tag, "", "the strategy's own, comes back in gn_exec"),
    F(gn_intent, tick_seq, "strategy host", "market data it answers, 0 = none"),
};

static const struct gn_doc_field exec_fields[] = {
    F(gn_exec, kind, "", "enum gn_exec_kind"),
    F(gn_exec, side, "", "enum gn_side"),
    F(gn_exec, state, "", "enum gn_order_state after it"),
    F(gn_exec, liquidity, "", "'A' added, 'R' removed, 0 unknown"),
    F(gn_exec, reason, "", "by kind: enum gn_verdict, or the code of the venue"),
    F(gn_exec, strategy, "", "index in the configuration"),
    F(gn_exec, instrument, "", "row in gn_instruments"),
    F(gn_exec, session, "", "index in the configuration"),
    F(gn_exec, order_id, "", "0: no order came of the intent"),
    F(gn_exec, prev_id, "", "order replaced; of a refused intent: its target"),
    F(gn_exec, price, "", "mantissa: of the fill, else of the order"),
    F(gn_exec, qty, "", "of the fill or cancellation, else of the order"),
    F(gn_exec, leaves, "", "still open"),
    F(gn_exec, cum, "", "filled so far"),
    F(gn_exec, position, "", "of the instrument, after it"),
    F(gn_exec, tag, "", "the strategy's own, from the intent"),
    F(gn_exec, tick_seq, "", "market data that the intent answered"),
    F(gn_exec, match, "", "venue's match number of a fill"),
};

static const struct gn_doc_field ev_lifecycle_fields[] = {
    F(gn_ev_lifecycle, process, "", "enum gn_process"),
    F(gn_ev_lifecycle, pid, "", "of the process"),
    F(gn_ev_lifecycle, epoch, "", "of the region"),
    F(gn_ev_lifecycle, text, "", "zero-terminated"),
};

static const struct gn_doc_field ev_md_packet_fields[] = {
    F(gn_ev_md_packet, first_seq, "", "of the first message"),
    F(gn_ev_md_packet, count, "", "messages"),
    F(gn_ev_md_packet, bytes, "", "of data"),
    F(gn_ev_md_packet, line, "", "0 = A, 1 = B, 2 = retransmission"),
    A(gn_ev_md_packet, data, "", "the UDP payload"),
};

static const struct gn_doc_field ev_gap_fields[] = {
    F(gn_ev_gap, from, "", "first missing sequence"),
    F(gn_ev_gap, to, "", "one past the last missing"),
    F(gn_ev_gap, what, "", "enum gn_gap_what"),
    F(gn_ev_gap, line, "", "0 = A, 1 = B, 2 = retransmission"),
};

static const struct gn_doc_field ev_order_fields[] = {
    F(gn_ev_order, intent, "", "as it came to the gate"),
    F(gn_ev_order, order_id, "", "given to it, 0 when rejected or for a cancel"),
    F(gn_ev_order, user_ref, "", "venue's id within the session"),
    F(gn_ev_order, verdict, "", "enum gn_verdict"),
    F(gn_ev_order, limit_value, "", "what the check compared with"),
    F(gn_ev_order, used_value, "", "what it found"),
};

static const struct gn_doc_field ev_exec_fields[] = {
    F(gn_ev_exec, exec, "", "as it went to the strategy"),
    F(gn_ev_exec, venue_seq, "", "SoupBinTCP sequence of the message, 0 when ours"),
};

static const struct gn_doc_field ev_session_fields[] = {
    F(gn_ev_session, session, "", "index in the configuration"),
    F(gn_ev_session, state, "", "enum gn_session_state"),
    F(gn_ev_session, reason, "", "protocol's own code"),
    F(gn_ev_session, next_seq, "", "next sequenced message expected"),
    F(gn_ev_session, in_doubt, "", "orders whose fate became unknown"),
};

static const struct gn_doc_field ev_command_fields[] = {
    F(gn_ev_command, number, "", "gn_command.asked"),
    F(gn_ev_command, kind, "", "enum gn_command_kind"),
    F(gn_ev_command, index, "", "session or instrument"),
    F(gn_ev_command, side, "", "close: enum gn_side"),
    F(gn_ev_command, qty, "", "close: quantity"),
    F(gn_ev_command, price, "", "close: mantissa"),
    F(gn_ev_command, word, "", "close: kill word that its authority looked at"),
};

static const struct gn_doc_field ev_authority_fields[] = {
    F(gn_ev_authority, what, "", "enum gn_authority_what"),
    F(gn_ev_authority, act, "", "enum gn_act (controlplane/authority/acts.h), 0 = it needs no authority"),
    F(gn_ev_authority, id, "", "of the request that waits or waited, 0 = none"),
    F(gn_ev_authority, uid, "", "of the connection"),
    F(gn_ev_authority, pid, "", "of the connection"),
    F(gn_ev_authority, person, "", "who asked; done by two: both; zero-terminated"),
    F(gn_ev_authority, second, "", "who approved, or tried to"),
    F(gn_ev_authority, why, "", "zero-terminated"),
    F(gn_ev_authority, digest, "", "SHA-256 of the request that waits"),
    F(gn_ev_authority, request, "", "canonical JSON, cut"),
};

static const struct gn_doc_field ev_kill_fields[] = {
    F(gn_ev_kill, level, "", "enum gn_ladder"),
    F(gn_ev_kill, scope, "", "enum gn_kill_scope"),
    F(gn_ev_kill, source, "", "enum gn_kill_source"),
    F(gn_ev_kill, index, "", "of the scope: instrument, strategy, session"),
    F(gn_ev_kill, set_ns, "", "when the word was raised, 0 = not recorded"),
    F(gn_ev_kill, counter, "", "changes of the word"),
    F(gn_ev_kill, who, "", "zero-terminated"),
    F(gn_ev_kill, why, "", "zero-terminated"),
};

static const struct gn_doc_field ev_limits_fields[] = {
    F(gn_ev_limits, generation, "", "in force from then on"),
    F(gn_ev_limits, instrument, "", "or index of the scope; GN_NONE32: the firm"),
    F(gn_ev_limits, field, "", "index in the limit table; scope of a theme, account, strategy or venue << 16"),
    F(gn_ev_limits, old_value, "", "before"),
    F(gn_ev_limits, new_value, "", "after"),
    F(gn_ev_limits, who, "", "zero-terminated"),
};

static const struct gn_doc_field ev_alert_fields[] = {
    F(gn_ev_alert, code, "", "of the place that raised it"),
    F(gn_ev_alert, severity, "", "1 = page now .. 4 = note"),
    F(gn_ev_alert, text, "", "zero-terminated"),
};

static const struct gn_doc_field ev_cancel_fields[] = {
    F(gn_ev_cancel, order_id, "", "0: the venue's own mass cancel, of all orders of the session"),
    F(gn_ev_cancel, cause, "",
      "kill: the word; mass cancel: sequence of the record of its strategy's last one; else 0"),
    F(gn_ev_cancel, instrument, "", "GN_NONE32: all"),
    F(gn_ev_cancel, user_ref, "", "low 32 bits of order_id"),
    F(gn_ev_cancel, strategy, "", "65535: all"),
    F(gn_ev_cancel, why, "", "enum gn_cancel_why"),
    F(gn_ev_cancel, scope, "", "kill: enum gn_kill_scope of the word"),
    F(gn_ev_cancel, session, "", "index in the configuration"),
    F(gn_ev_cancel, again, "", "1: it was asked before and did not answer"),
};

static const struct gn_doc_field ev_break_fields[] = {
    F(gn_ev_break, seq, "", "its number in its table"),
    F(gn_ev_break, kind, "", "enum gn_break_class"),
    F(gn_ev_break, state, "", "enum gn_break_state"),
    F(gn_ev_break, source, "", "0: order session, 1: drop copy"),
    F(gn_ev_break, instrument, "", "GN_NONE32: of none"),
    F(gn_ev_break, order_id, "", "0 = of none"),
    F(gn_ev_break, match, "", "venue's match number, 0 = none"),
    F(gn_ev_break, ours, "", "what we have: see the class"),
    F(gn_ev_break, theirs, "", "what the venue has"),
    F(gn_ev_break, venue_seq, "", "sequence of the message that showed it, 0 = none"),
    F(gn_ev_break, session, "", "index in the configuration"),
};

static const struct gn_doc_field ev_breaker_fields[] = {
    F(gn_ev_breaker, session, "", "index in the configuration"),
    F(gn_ev_breaker, state, "", "enum gn_breaker_state"),
    F(gn_ev_breaker, why, "", "enum gn_breaker_why"),
    F(gn_ev_breaker, failures, "", "in the window"),
    F(gn_ev_breaker, until_ns, "", "open: no attempt before"),
    F(gn_ev_breaker, trips, "", "times it opened"),
};

static const struct gn_doc_field ev_deadman_fields[] = {
    F(gn_ev_deadman, session, "", "index in the configuration"),
    F(gn_ev_deadman, what, "", "enum gn_deadman: who was silent"),
    F(gn_ev_deadman, action, "", "enum gn_deadman_action"),
    F(gn_ev_deadman, silent_ns, "", "for how long"),
    F(gn_ev_deadman, limit_ns, "", "what is allowed"),
};

static const struct gn_doc_field ev_handover_fields[] = {
    F(gn_ev_handover, session, "", "index in the configuration"),
    F(gn_ev_handover, result, "", "enum gn_handover"),
    F(gn_ev_handover, state, "", "enum gn_session_state before the death"),
    F(gn_ev_handover, next_seq, "", "next sequenced message expected"),
    F(gn_ev_handover, stream_in, "", "bytes of the venue's stream that are consumed"),
    F(gn_ev_handover, stream_out, "", "bytes of our stream that TCP has"),
    F(gn_ev_handover, orders, "", "working orders that were kept"),
};

static const struct gn_doc_field ev_risk_fields[] = {
    F(gn_ev_risk, what, "", "enum gn_risk_what"),
    F(gn_ev_risk, scope, "", "enum gn_kill_scope"),
    F(gn_ev_risk, index, "", "of the scope"),
    F(gn_ev_risk, level, "", "enum gn_ladder that the scope was raised to, 0 = not raised"),
    F(gn_ev_risk, limit, "", "what is allowed"),
    F(gn_ev_risk, used, "", "what was found"),
};

static const struct gn_doc_field ev_override_fields[] = {
    F(gn_ev_override, token, "", "gn_override.armed"),
    F(gn_ev_override, verdict, "", "that it lifted"),
    F(gn_ev_override, strategy, "", "index in the configuration"),
    F(gn_ev_override, instrument, "", "row in gn_instruments"),
    F(gn_ev_override, limit, "", "what is allowed without it"),
    F(gn_ev_override, used, "", "what was found"),
    F(gn_ev_override, who, "", "zero-terminated"),
    F(gn_ev_override, other, "", "the second person, zero-terminated"),
};

static const struct gn_doc_field ev_strategy_fields[] = {
    F(gn_ev_strategy, strategy, "", "index in the configuration"),
    F(gn_ev_strategy, disabled, "", "1: by the gate, 0: enabled again"),
    F(gn_ev_strategy, number, "", "gn_risk_scope.disabled"),
    F(gn_ev_strategy, repeats, "", "executed and entered again"),
    F(gn_ev_strategy, max, "", "allowed"),
};

const struct gn_doc_struct gn_doc_abi_event[] = {
    S(md, "feed stage", true, "dataplane/abi/event.h"),
    S(intent, "strategy", true, "dataplane/abi/event.h"),
    S(exec, "orders stage", true, "dataplane/abi/event.h"),
    S(ev_lifecycle, "control plane", false, "dataplane/abi/event.h"),
    S(ev_md_packet, "feed stage", true, "dataplane/abi/event.h"),
    S(ev_gap, "feed stage", true, "dataplane/abi/event.h"),
    S(ev_order, "orders stage", true, "dataplane/abi/event.h"),
    S(ev_exec, "orders stage", false, "dataplane/abi/event.h"),
    S(ev_cancel, "orders stage", true, "dataplane/abi/event.h"),
    S(ev_session, "orders stage", true, "dataplane/abi/event.h"),
    S(ev_kill, "orders stage, control plane", true, "dataplane/abi/event.h"),
    S(ev_authority, "orders stage, control plane", true, "dataplane/abi/event.h"),
    S(ev_command, "orders stage, control plane", true, "dataplane/abi/event.h"),
    S(ev_limits, "control plane", true, "dataplane/abi/event.h"),
    S(ev_alert, "orders stage, control plane", false, "dataplane/abi/event.h"),
    S(ev_break, "orders stage, control plane", true, "dataplane/abi/event.h"),
    S(ev_breaker, "orders stage", false, "dataplane/abi/event.h"),
    S(ev_deadman, "orders stage", false, "dataplane/abi/event.h"),
    S(ev_handover, "orders stage", false, "dataplane/abi/event.h"),
    S(ev_risk, "orders stage", false, "dataplane/abi/event.h"),
    S(ev_override, "orders stage", false, "dataplane/abi/event.h"),
    S(ev_strategy, "orders stage, control plane", false, "dataplane/abi/event.h"),
    {0},
};
