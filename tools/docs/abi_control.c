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
    F(gn_control, record, "its source", "struct gn_kill_record of each source"),
    F(gn_control, report, "orders stage", "struct gn_kill_report"),
    F(gn_control, controlplane, "control plane", "the control plane's"),
    F(gn_control, dataplane, "data plane, main thread", "the data plane's main thread's"),
    F(gn_control, lcore, "the lcore", "of each lcore"),
    F(gn_control, journal_failed, "control plane",
      "not 0: stop trading; release by the journal, acquire by the lcores"),
};

static const struct gn_doc_field limits_instrument_fields[] = {
    F(gn_limits_instrument, set, "", "bit n: field number n is configured"),
    F(gn_limits_instrument, tradable, "", "see limits.md"),
    F(gn_limits_instrument, max_qty, "", "see limits.md"),
    F(gn_limits_instrument, max_value, "", "see limits.md"),
    F(gn_limits_instrument, collar_bps, "", "see limits.md"),
    F(gn_limits_instrument, max_position, "", "see limits.md"),
    F(gn_limits_instrument, max_open_orders, "", "see limits.md"),
};

static const struct gn_doc_field limits_firm_fields[] = {
    F(gn_limits_firm, set, "", "bit n: field number n is configured"),
    F(gn_limits_firm, max_open_orders, "", "see limits.md"),
    F(gn_limits_firm, message_rate, "", "see limits.md"),
    F(gn_limits_firm, message_burst, "", "see limits.md"),
    F(gn_limits_firm, cancel_reserve, "", "see limits.md"),
};

static const struct gn_doc_field limits_fields[] = {
    F(gn_limits, published, "", "generation in force; its rows are in half published & 1; store release, load acquire"),
    F(gn_limits, rows, "", "instrument rows in a half"),
    F(gn_limits, seen, "reader i",
      "128 bytes each: the generation that reader i uses now; store release, load acquire"),
    A(gn_limits, rows_data, "", "half 0, half 1: struct gn_limits_firm, then `rows` struct gn_limits_instrument"),
};

static const struct gn_doc_field lcore_metrics_fields[] = {
#define GN_X(name, help) F(gn_lcore_metrics, name, "", help),
    GN_LCORE_METRICS(GN_X)
#undef GN_X
        F(gn_lcore_metrics, verdict, "", "gate verdicts by number: see risk-checks.md"),
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
    S(kill_report, "orders stage", false, "dataplane/abi/control.h"),
    S(beat, "its owner", false, "dataplane/abi/control.h"),
    S(control, "", false, "dataplane/abi/control.h"),
    S(limits_instrument, "control plane", true, "dataplane/abi/limits.h"),
    S(limits_firm, "control plane", false, "dataplane/abi/limits.h"),
    S(limits, "control plane", false, "dataplane/abi/limits.h"),
    S(lcore_metrics, "the lcore", false, "dataplane/abi/metrics.h"),
    S(metric_row, "data plane, main thread", false, "dataplane/abi/metrics.h"),
    S(metrics_dir, "data plane, main thread", false, "dataplane/abi/metrics.h"),
    {0},
};
