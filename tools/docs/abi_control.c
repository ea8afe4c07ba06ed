/* Control words, limits, counters. Rows of docs/abi.md: what offsetof and sizeof cannot say. */
#include "dataplane/abi/region.h"
#include "tools/docs/abi_rows.h"

static const struct gn_doc_field kill_record_fields[] = {
    F(gn_kill_record, set_ns, "", "ns since the Unix epoch"),
    F(gn_kill_record, level, "", "enum gn_ladder"),
    F(gn_kill_record, scope, "", "enum gn_kill_scope"),
    F(gn_kill_record, index, "", "of the scope"),
    F(gn_kill_record, who, "", "zero-terminated"),
    F(gn_kill_record, why, "", "zero-terminated"),
    F(gn_kill_record, number, "", "of the note, from 1; 0 while it is written; store release, load acquire"),
};

static const struct gn_doc_field kill_records_fields[] = {
    F(gn_kill_records, claimed, "", "notes so far; the next one goes to ring[claimed % 16]"),
    F(gn_kill_records, ring, "", "struct gn_kill_record, the newest in the place of the oldest"),
};

static const struct gn_doc_field kill_report_fields[] = {
    F(gn_kill_report, word_seen, "", "last kill word acted on; release, pairs with acquire of readers"),
    F(gn_kill_report, seen_ns, "", "when the lcore saw it"),
    F(gn_kill_report, last_order_ns, "", "last new or replaced order handed to the NIC, ever"),
    F(gn_kill_report, first_cancel_ns, "", "first cancel handed to the NIC after it"),
    F(gn_kill_report, last_cancel_ns, "", "last cancel handed to the NIC"),
    F(gn_kill_report, last_ack_ns, "", "last order left the book"),
    F(gn_kill_report, cancels_sent, "", "after it"),
    F(gn_kill_report, resting, "", "killed but still resting"),
};

static const struct gn_doc_field command_fields[] = {
    F(gn_command, asked, "control plane", "number of the command; store release, load acquire"),
    F(gn_command, kind, "control plane", "enum gn_command_kind"),
    F(gn_command, index, "control plane", "session or instrument"),
    F(gn_command, side, "control plane", "close: enum gn_side"),
    F(gn_command, qty, "control plane", "close: quantity"),
    F(gn_command, price, "control plane", "close: mantissa"),
    F(gn_command, word, "control plane", "close: kill word of scope all that was looked at"),
    F(gn_command, answered, "lcore", "number of the command that is over; store release, load acquire"),
    F(gn_command, result, "lcore", "enum gn_command_result"),
    F(gn_command, value, "lcore", "of the answer, by kind"),
};

static const struct gn_doc_field commands_fields[] = {
    F(gn_commands, bell_orders, "control plane", "number of the newest command for the stage orders"),
    F(gn_commands, bell_feed, "control plane", "number of the newest command for the stage feed"),
    F(gn_commands, next, "control plane", "number of the last command"),
    F(gn_commands, slot, "", "struct gn_command"),
};

static const struct gn_doc_field beat_fields[] = {
    F(gn_beat, count, "", "moves on while its owner lives; the watcher times it by its own clock"),
    F(gn_beat, time_ns, "", "of the last beat, ns since the Unix epoch; the control plane alone"),
    F(gn_beat, pid, "", "of the owner; lcores: 0"),
    F(gn_beat, state, "", "enum gn_process_state"),
    F(gn_beat, loops, "", "lcores: turns of the loop"),
};

static const struct gn_doc_field control_fields[] = {
    F(gn_control, kill_all, "anyone raises, control plane releases",
      "level in bits 0-7, source in bits 8-15, number of changes in bits 16-63; CAS release, load acquire"),
    F(gn_control, kill_session, "control plane", "the same, of each session"),
    F(gn_control, kill_strategy, "control plane", "the same, of each strategy"),
    F(gn_control, kill_theme, "control plane", "the same, of each theme; the last is of no theme"),
    F(gn_control, kill_account, "control plane", "the same, of each account"),
    F(gn_control, kill_venue, "control plane", "the same, of each venue"),
    F(gn_control, records, "its source", "struct gn_kill_records of each source"),
    F(gn_control, report, "orders stage", "struct gn_kill_report"),
    F(gn_control, controlplane, "control plane", "the control plane's"),
    F(gn_control, dataplane, "data plane, main thread", "the data plane's main thread's"),
    F(gn_control, lcore, "the lcore", "of each lcore"),
    F(gn_control, journal_failed, "control plane",
      "not 0: stop trading; release by the journal, acquire by the lcores"),
    F(gn_control, strategy_enabled, "control plane", "number of the disabling that a person took back"),
    F(gn_control, override, "control plane", "struct gn_override of each slot"),
    F(gn_control, feed_heard_ns, "feed stage", "when market data was last heard, heartbeats included; 0 = not yet"),
    F(gn_control, client_heard_ns, "strategy stage", "when a client's beat last moved; 0 = not yet"),
};

static const struct gn_doc_field limits_instrument_fields[] = {
    F(gn_limits_instrument, set, "", "bit n: field number n is configured"),
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) F(gn_limits_instrument, field, "", "see limits.md"),
    GN_INSTRUMENT_LIMITS(GN_X)
#undef GN_X
};

static const struct gn_doc_field limits_scope_fields[] = {
    F(gn_limits_scope, set, "", "bit n: field number n is configured"),
#define GN_X(num, NAME, field, unit, min, max, looser, def, help) F(gn_limits_scope, field, "", "see limits.md"),
    GN_SCOPE_LIMITS(GN_X)
#undef GN_X
};

static const struct gn_doc_field override_fields[] = {
    F(gn_override, armed, "", "number of the token, 0 = none; store release, load acquire"),
    F(gn_override, expires_ns, "", "ns since the Unix epoch"),
    F(gn_override, instrument, "", "the order it lets pass"),
    F(gn_override, strategy, "", ""),
    F(gn_override, side, "", ""),
    F(gn_override, qty, "", ""),
    F(gn_override, price, "", ""),
    F(gn_override, verdicts, "", "bits of enum gn_verdict that it lifts"),
    F(gn_override, who, "", "zero-terminated"),
    F(gn_override, other, "", "the second person, zero-terminated"),
};

static const struct gn_doc_field risk_budget_fields[] = {
    F(gn_risk_budget, full_ns, "", "time at which the bucket would be full again"),
    F(gn_risk_budget, interval_ns, "", "of one message; 0 = no rate configured"),
    F(gn_risk_budget, burst_ns, "", "tolerance for cancels"),
    F(gn_risk_budget, burst_new_ns, "", "tolerance for everything else"),
    F(gn_risk_budget, soft_ns, "", "beyond this somebody is told"),
    F(gn_risk_budget, slow_ns, "", "the same as full_ns while throttled"),
    F(gn_risk_budget, slow_interval_ns, "", "of one message while throttled"),
    F(gn_risk_budget, warned, "", "1: told, and not yet below again"),
};

static const struct gn_doc_field risk_scope_fields[] = {
    F(gn_risk_scope, used, "", "by enum gn_lane"),
    F(gn_risk_scope, limit, "", "by enum gn_lane"),
    F(gn_risk_scope, pnl, "", "money, since the region was made"),
    F(gn_risk_scope, pnl_day, "", "pnl when the trading day began"),
    F(gn_risk_scope, pnl_peak, "", "highest pnl"),
    F(gn_risk_scope, max_loss, "", "threshold"),
    F(gn_risk_scope, max_drawdown, "", "threshold"),
    F(gn_risk_scope, equity, "", "configured"),
    F(gn_risk_scope, max_gross, "", "threshold before leverage"),
    F(gn_risk_scope, leverage_bps, "", "threshold"),
    F(gn_risk_scope, budget, "", "struct gn_risk_budget"),
    F(gn_risk_scope, repeats, "", "strategies: executed and entered again since a person enabled it"),
    F(gn_risk_scope, max_repeats, "", "threshold"),
    F(gn_risk_scope, disabled, "", "number of the last disabling, in force until it is in strategy_enabled"),
    F(gn_risk_scope, tripped, "", "enum gn_risk_tripped"),
    F(gn_risk_scope, loss_action, "", "enum gn_ladder"),
    F(gn_risk_scope, venues, "", "bits of venues that may be used"),
    F(gn_risk_scope, missing, "", "1: a limit that it needs is not configured"),
    F(gn_risk_scope, window, "", "sums of the short period, by slot"),
};

static const struct gn_doc_field risk_instrument_fields[] = {
    F(gn_risk_instrument, used, "", "by enum gn_lane: what it adds to its scopes"),
    F(gn_risk_instrument, limit, "", "by enum gn_lane"),
    F(gn_risk_instrument, generation, "", "of the thresholds"),
    F(gn_risk_instrument, unusual, "", "bits of the gate: look closer"),
    F(gn_risk_instrument, scale, "", "money of price x quantity, 40 binary places"),
    F(gn_risk_instrument, chain, "", "rows of its scopes"),
    F(gn_risk_instrument, mark, "", "last sound price, 0 = none yet"),
    F(gn_risk_instrument, sound_ns, "", "when the feed had it"),
    F(gn_risk_instrument, guard, "", "enum gn_risk_guard of the prices last looked at"),
    F(gn_risk_instrument, pnl, "", "money, since the region was made"),
    F(gn_risk_instrument, pnl_day, "", "pnl when the trading day began"),
    F(gn_risk_instrument, day_value, "", "traded when the day began"),
    F(gn_risk_instrument, tripped, "", "enum gn_risk_tripped"),
    F(gn_risk_instrument, window, "", "sums of the short period, by slot"),
};

static const struct gn_doc_field risk_fields[] = {
    F(gn_risk, rows, "control plane", "instruments"),
    F(gn_risk, active, "", "instruments with a position or a working order"),
    F(gn_risk, day_end_ns, "", "when the trading day ends"),
    F(gn_risk, generation, "", "of the scopes' thresholds"),
    F(gn_risk, days, "", "trading days begun"),
    F(gn_risk, session, "", "struct gn_risk_budget of each session"),
    F(gn_risk, override_used, "", "number of the token that was consumed in the slot"),
    F(gn_risk, scope, "", "struct gn_risk_scope by enum gn_scope_row"),
    A(gn_risk, instrument, "", "`rows` struct gn_risk_instrument, then the numbers of the active ones"),
};

static const struct gn_doc_field limits_fields[] = {
    F(gn_limits, published, "", "generation in force; its rows are in half published & 1; store release, load acquire"),
    F(gn_limits, rows, "", "instrument rows in a half"),
    F(gn_limits, seen, "reader i",
      "128 bytes each: the generation that reader i uses now; store release, load acquire"),
    A(gn_limits, rows_data, "", "half 0, half 1: struct gn_limits_scope, then `rows` struct gn_limits_instrument"),
};

static const struct gn_doc_field lcore_metrics_fields[] = {
#define GN_X(name, help) F(gn_lcore_metrics, name, "", help),
    GN_LCORE_METRICS(GN_X)
#undef GN_X
        F(gn_lcore_metrics, verdict, "", "gate verdicts by number: see risk-controls.md"),
    F(gn_lcore_metrics, idle_loops, "", "turns without work"),
    F(gn_lcore_metrics, busy_loops, "", "turns with work"),
};

static const struct gn_doc_field metric_row_fields[] = {
    F(gn_metric_row, name, "", "as Prometheus wants it, without the gannet_ in front"),
    F(gn_metric_row, help, "", "zero-terminated"),
    F(gn_metric_row, offset, "", "of the uint64_t in the plane file"),
    F(gn_metric_row, lcore, "", "GN_NONE32 = of no lcore"),
    F(gn_metric_row, kind, "", "0 = counter, 1 = gauge"),
};

static const struct gn_doc_field metrics_dir_fields[] = {
    F(gn_metrics_dir, count, "", "rows written; store release, load acquire"),
    F(gn_metrics_dir, row, "", "the first `count` are in use"),
};

const struct gn_doc_struct gn_doc_abi_control[] = {
    S(kill_record, "its source", false, "dataplane/abi/control.h"),
    S(kill_records, "its source", false, "dataplane/abi/control.h"),
    S(kill_report, "orders stage", false, "dataplane/abi/control.h"),
    S(command, "", false, "dataplane/abi/command.h"),
    S(commands, "", false, "dataplane/abi/command.h"),
    S(beat, "its owner", false, "dataplane/abi/control.h"),
    S(control, "", false, "dataplane/abi/control.h"),
    S(limits_instrument, "control plane", true, "dataplane/abi/limits.h"),
    S(limits_scope, "control plane", false, "dataplane/abi/limits.h"),
    S(override, "control plane", true, "dataplane/abi/control.h"),
    S(risk_budget, "orders stage", false, "dataplane/abi/risk.h"),
    S(risk_scope, "orders stage", false, "dataplane/abi/risk.h"),
    S(risk_instrument, "orders stage", false, "dataplane/abi/risk.h"),
    S(risk, "orders stage", false, "dataplane/abi/risk.h"),
    S(limits, "control plane", false, "dataplane/abi/limits.h"),
    S(lcore_metrics, "the lcore", false, "dataplane/abi/metrics.h"),
    S(metric_row, "data plane, main thread", false, "dataplane/abi/metrics.h"),
    S(metrics_dir, "data plane, main thread", false, "dataplane/abi/metrics.h"),
    {0},
};
