/* The commands and options of gannetctl: one row each, for the parser, its help and docs/cli.md. */
#ifndef GN_CTL_COMMANDS_H
#define GN_CTL_COMMANDS_H

#define GN_CTL_USAGE "gannetctl [--dir RUN_DIR] [--journal DIR] [--who NAME] [--json] [--direct] COMMAND ..."

/* X("option", "help") */
#define GN_CTL_OPTIONS(X)                                                          \
    X("--dir", "run_dir of the appliance; else GANNET_DIR, else /run/gannet/demo") \
    X("--journal", "the journal's directory; else RUN_DIR/journal")                \
    X("--who", "who acts, for the record; else the login name")                    \
    X("--json", "one JSON object, for machines")                                   \
    X("--direct", "look and kill through the shared memory, without asking the control plane, which may hang")

/* X("command", function, "arguments", "help") */
#define GN_CTL_COMMANDS(X)                                                                      \
    X("status", run_status, "", "processes, lcores, sessions, kill switch, journal")            \
    X("positions", run_positions, "", "positions, cash and profit of every traded instrument")  \
    X("orders", run_orders, "[all]", "working orders; all: those that ended too")               \
    X("books", run_books, "", "best prices, flags and digest of every book")                    \
    X("limits", run_limits, "show | set [SYMBOL] LIMIT VALUE",                                  \
      "limits in force; a change works at the gate's next turn")                                \
    X("kill", run_kill, "[level=L] [scope=S name=N] [WHY...]",                                  \
      "throws the kill switch; works without a control plane")                                  \
    X("release", run_release, "[scope=S name=N] WHY...", "re-arms it")                          \
    X("metrics", run_metrics, "", "all counters")                                               \
    X("replay", gn_ctl_replay, "--config FILE [--to NS] [--compare]",                           \
      "runs the feed stage on the journaled packets, compares")                                 \
    X("journal", gn_ctl_journal, "verify | dump | executions | state | checkpoint | prove ...", \
      "reads the journal's files")                                                              \
    X("version", run_version, "", "builds of all parts")

#endif
