#include "dataplane/abi/metrics.h"
#include "dataplane/abi/names.h"
#include "dataplane/abi/orders.h"
#include "dataplane/abi/recon.h"
#include "dataplane/abi/strategy_params.h"
#include "dataplane/engine/transitions.h"
#include "dataplane/lcore/counters.h"
#include "dataplane/net/net.h"
#include "drivers/venue/arbiter.h"
#include "tools/docs/docs.h"
#include "tools/gannetctl/commands.h"

/* ---- metrics ---- */

static void metric(FILE *to, const char *name, const char *help)
{
    (void)fprintf(to, "| `%s` | ", name);
    gn_doc_cell(to, help);
    (void)fputs(" |\n", to);
}

static void metrics_heading(FILE *to, const char *title, const char *text)
{
    (void)fprintf(to, "\n## %s\n\n%s\n\n| name | meaning |\n|---|---|\n", title, text);
}

void gn_doc_metrics(FILE *to)
{
    const char *bracket;
    (void)fputs(
        "# Metrics\n\nMade by `gannet-docs metrics` from the tables in the code; a test compares them.\n\n"
        "Every counter is a uint64_t in the plane file, written by one thread and found by the directory in its "
        "section\nmetrics_dir (dataplane/abi/metrics.h). `gannetctl metrics` shows them all. Those of lcores and gate "
        "go "
        "on over a restart of the data\nplane, those of network endpoints and ports start again with it, those of line "
        "arbitration go on when its tables were\nfound sound.\n",
        to);
    metrics_heading(to, "Of each lcore", "Written by the lcore itself.");
#define GN_X(name, help) metric(to, #name, help);
    GN_LCORE_METRICS(GN_X)
#undef GN_X
    metrics_heading(to, "Of the gate",
                    "`gate_verdicts{verdict}` of the orders lcore: intents by verdict. Numbers and "
                    "standards: risk-controls.md.");
#define GN_X(num, NAME, name, standard, inputs, help) metric(to, "gate_verdicts{" name "}", help);
    GN_VERDICTS(GN_X)
#undef GN_X
    metrics_heading(to, "Of line arbitration",
                    "Copied by the main thread of the data plane 20 times a second. `{line}` is a, b or retransmit.");
#define GN_X(member, help)          \
    bracket = strchr(#member, '['); \
    (void)fprintf(to, "| `feed_%.*s%s` | %s |\n", (int)strcspn(#member, "["), #member, bracket ? "{line}" : "", help);
    GN_ARB_STATS(GN_X)
#undef GN_X
    metrics_heading(to, "Of the network endpoint",
                    "`net_drops{port,reason}`: frames and packets dropped, by port and reason. Copied likewise.");
#define GN_X(NAME, name, help)                  \
    if (GN_NET_DROP_##NAME != GN_NET_DROP_NONE) \
        metric(to, "net_drops{port," name "}", help);
    GN_NET_DROPS(GN_X)
#undef GN_X
    metrics_heading(to, "Of each port", "`{port}`: the port's own statistics. Copied likewise.");
#define GN_X(name, member, help) metric(to, #name "{port}", help);
    GN_PORT_METRICS(GN_X)
#undef GN_X
}

/* ---- risk checks ---- */

void gn_doc_verdicts(FILE *to)
{
    (void)fputs(
        "# Risk controls\n\nMade by `gannet-docs verdicts` from GN_VERDICTS and GN_STANDARDS in "
        "dataplane/abi/verdict.h; a test\ncompares them.\n\n"
        "Every intent passes `gn_gate_check` on the orders lcore. The first check that fails decides; its number is "
        "in the\njournal (`gn_ev_order.verdict`, with the limit, the value found and whose limit it is), in the report "
        "to the strategy\n(`gn_exec.reason`) and in the counter `gate_verdicts{verdict}`. Numbers are never reused.\n\n"
        "Cancels and reductions pass the checks of shape, target, session and message rate only: they are allowed "
        "on every\nstep of the ladder. Limits: limits.md.\n\n## Checks\n\n"
        "| number | verdict | standard | inputs | meaning |\n|---:|---|---|---|---|\n",
        to);
#define GN_X(num, NAME, name, standard, inputs, help)                           \
    (void)fprintf(to, "| %d | `%s` | %s | %s | ", num, name, standard, inputs); \
    gn_doc_cell(to, help);                                                      \
    (void)fputs(" |\n", to);
    GN_VERDICTS(GN_X)
#undef GN_X
    (void)fputs("\n## Controls\n\nOf the risk-control specification, as far as they are in the data plane.\n\n"
                "| id | control | sources | how it is met |\n|---|---|---|---|\n",
                to);
#define GN_X(ID, control, sources, how) (void)fprintf(to, "| %s | %s | %s | %s |\n", #ID, control, sources, how);
    GN_STANDARDS(GN_X)
#undef GN_X
}

/* ---- order states ---- */

enum {
    PN = GN_ORDER_PENDING_NEW,
    LV = GN_ORDER_LIVE,
    PC = GN_ORDER_PENDING_CANCEL,
    PR = GN_ORDER_PENDING_REPLACE,
    ID = GN_ORDER_IN_DOUBT,
    FI = GN_ORDER_FILLED,
    CA = GN_ORDER_CANCELED,
    RJ = GN_ORDER_REJECTED,
    RP = GN_ORDER_REPLACED,
    NO = GN_ORDER_STATE_COUNT
};

static void transition_row(FILE *to, const char *state, const uint8_t *next, size_t n)
{
    (void)fprintf(to, "| **%s** |", state);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(to, " %s |", next[i] == NO ? "-" : gn_order_state_name(next[i]));
    (void)fputc('\n', to);
}

void gn_doc_orders(FILE *to)
{
    (void)fputs("# Order states\n\nMade by `gannet-docs orders` from dataplane/abi/orders.h and "
                "dataplane/engine/transitions.h; a test compares them.\n\n"
                "An order is in one of these states; a working one holds its risk reservation.\n\n"
                "| number | state | working | meaning |\n|---:|---|---|---|\n",
                to);
#define GN_X(num, NAME, name, working, help) \
    (void)fprintf(to, "| %d | `%s` | %s | %s |\n", num, name, (working) ? "yes" : "no", help);
    GN_ORDER_STATES(GN_X)
#undef GN_X
    (void)fputs("\n## Events\n\n| event | what it is |\n|---|---|\n", to);
#define GN_X(NAME, name, help) (void)fprintf(to, "| `%s` | %s |\n", name, help);
    GN_ORDER_EVENTS(GN_X)
#undef GN_X
    (void)fputs("\n## Every state x every event\n\n"
                "`-`: the pair cannot be. It is counted (`order_illegal`, `gn_order_table.illegal`), alarmed (record "
                "alert, and a break of\nclass illegal_event), and changes nothing but what the venue traded: "
                "executed shares are booked whatever the table says.\n\n| state |",
                to);
#define GN_X(NAME, name, help) (void)fprintf(to, " %s |", name);
    GN_ORDER_EVENTS(GN_X)
#undef GN_X
    (void)fputs("\n|---|", to);
#define GN_X(NAME, name, help) (void)fputs("---|", to);
    GN_ORDER_EVENTS(GN_X)
#undef GN_X
    (void)fputc('\n', to);
#define GN_X(STATE, ...)                                                                     \
    {                                                                                        \
        static const uint8_t next[] = {__VA_ARGS__};                                         \
        transition_row(to, gn_order_state_name(GN_ORDER_##STATE), next, GN_ARRAY_LEN(next)); \
    }
    GN_ORDER_TRANSITIONS(GN_X)
#undef GN_X
    (void)fputs("\n## Breaks\n\n"
                "Differences between our books and the venue's (dataplane/abi/recon.h): classified, kept in the plane "
                "file, journaled\n(record break), and alarmed when their severity is 1 or 2. Severity 1 = page now .. "
                "4 = note.\n\n| number | class | severity | meaning |\n|---:|---|---:|---|\n",
                to);
#define GN_X(num, NAME, name, severity, help) (void)fprintf(to, "| %d | `%s` | %d | %s |\n", num, name, severity, help);
    GN_BREAK_CLASSES(GN_X)
#undef GN_X
}

/* ---- gannetctl ---- */

void gn_doc_cli(FILE *to)
{
    (void)fputs(
        "# gannetctl\n\nMade by `gannet-docs cli` from the table in tools/gannetctl/commands.h; a test compares "
        "them.\n\n```\n" GN_CTL_USAGE "\n```\n\n## Options\n\n| option | meaning |\n|---|---|\n",
        to);
#define GN_X(name, help) (void)fprintf(to, "| `%s` | %s |\n", name, help);
    GN_CTL_OPTIONS(GN_X)
#undef GN_X
    (void)fputs("\n## Commands\n\n| command | arguments | meaning |\n|---|---|---|\n", to);
#define GN_X(name, run, arguments, help)  \
    (void)fprintf(to, "| `%s` | ", name); \
    gn_doc_cell(to, arguments);           \
    (void)fprintf(to, " | %s |\n", help);
    GN_CTL_COMMANDS(GN_X)
#undef GN_X
    (void)fputs(
        "\nThe exit status is 0 when the command did what it says, else 1 with a sentence on the standard error.\n",
        to);
}

/* ---- strategies ---- */

void gn_doc_strategies(FILE *to)
{
    (void)fputs(
        "# Strategies\n\nMade by `gannet-docs strategies` from dataplane/abi/strategy_params.h; a test compares "
        "them.\n\n"
        "| kind | what it does |\n|---|---|\n"
        "| `touch` | reacts to a change of the best bid or offer with one order; what the latency harness uses |\n"
        "| `maker` | quotes both sides, skewed by its inventory, with cancel and replace |\n"
        "| `client` | is a process of the desk's own, through libgannet (tools/libgannet/gannet.h); has no "
        "parameters |\n\n"
        "Parameters are whole numbers under `strategies[].params`.\n\n"
        "| kind | parameter | unit | allowed | default | meaning |\n|---|---|---|---|---|---|\n",
        to);
#define GN_X(kind, num, NAME, key, def, lo, hi, unit, help) \
    (void)fprintf(to, "| %s | `%s` | ", #kind, key);        \
    gn_doc_cell(to, unit);                                  \
    (void)fprintf(to, " | %lld..%lld | %lld | %s |\n", (long long)(lo), (long long)(hi), (long long)(def), help);
    GN_STRATEGY_PARAM_TABLE(GN_X)
#undef GN_X
}
