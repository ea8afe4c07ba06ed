/* The commands and options of gannetctl: one row each, for the parser, its help and docs/cli.md. */
#ifndef GN_CTL_COMMANDS_H
#define GN_CTL_COMMANDS_H

#define GN_CTL_USAGE \
    "gannetctl [--dir RUN_DIR] [--journal DIR] [--who NAME] [--as NAME --key FILE] [--json] [--direct] COMMAND ..."

/* X("option", "help") */
#define GN_CTL_OPTIONS(X)                                                          \
    X("--dir", "run_dir of the appliance; else GANNET_DIR, else /run/gannet/demo") \
    X("--journal", "the journal's directory; else RUN_DIR/journal")                \
    X("--who", "who acts, for the record; else the login name")                    \
    X("--as", "signs the request as this person of the configuration, with --key") \
    X("--key", "the person's private key, made by keygen; mode 0600")              \
    X("--json", "one JSON object, for machines")                                   \
    X("--direct", "look and kill through the shared memory, without asking the control plane, which may hang")

/* X("command", function, "arguments", "help") */
#define GN_CTL_COMMANDS(X)                                                                                         \
    X("status", run_status, "", "processes, lcores, sessions, kill switch, journal")                               \
    X("positions", run_positions, "", "positions, cash and profit of every traded instrument")                     \
    X("orders", run_orders, "[all]", "working orders; all: those that ended too")                                  \
    X("books", run_books, "", "best prices, flags and digest of every book")                                       \
    X("limits", gn_ctl_limits, "show | set [SYMBOL] LIMIT VALUE [why=TEXT]",                                       \
      "limits in force; a change works at the gate's next turn; one that allows more needs two persons")           \
    X("kill", gn_ctl_kill, "[level=L] [scope=S name=N] [WHY...]",                                                  \
      "throws the kill switch; works without a control plane")                                                     \
    X("release", gn_ctl_rearm, "[scope=S name=N] WHY...", "re-arms it; needs two persons")                         \
    X("flatten", gn_ctl_flatten, "status | [scope=S name=N] WHY...",                                               \
      "kills the scope and closes its positions by reduce-only IOC orders inside the collar")                      \
    X("session", gn_ctl_session, "reconnect NAME WHY...",                                                          \
      "a session that was refused or has ended logs in again, with the password that holds now")                   \
    X("feed", gn_ctl_feed, "rebuild WHY...",                                                                       \
      "builds the books anew from the whole day, after a gap that was given up")                                   \
    X("strategy", gn_ctl_strategy, "[enable NAME WHY...]",                                                         \
      "strategies; enable: one that the throttle switched off goes on")                                            \
    X("override", gn_ctl_override, "[SYMBOL buy|sell QTY PRICE verdicts=V,V [seconds=N] WHY...]",                  \
      "tokens; lets exactly this order pass once; needs two persons")                                              \
    X("reconcile", gn_ctl_reconcile, "",                                                                           \
      "breaks between our books and the venue's, classified, with ages; exit 1 while one is open")                 \
    X("verify-trades", gn_ctl_reconcile, "", "the same: fills against positions, fees and the drop copy")          \
    X("golive", gn_ctl_golive, "[sign FILE]",                                                                      \
      "the go-live gate: pass or fail, found, and what mends it; sign: a checklist, by --as")                      \
    X("arm", gn_ctl_arm, "WHY...", "lets a live appliance trade: asks for the instance's name, needs two persons") \
    X("alerts", gn_ctl_alerts, "", "the last alerts: owner, runbook, time from the event")                         \
    X("resting", gn_ctl_resting, "", "killed but still resting: orders that the venue has not taken off")          \
    X("pending", gn_ctl_pending, "", "requests that wait for their second person")                                 \
    X("approve", gn_ctl_approve, "ID [yes]", "shows a request that waits, and signs it as the second person")      \
    X("withdraw", gn_ctl_withdraw, "ID", "makes a request that waits void")                                        \
    X("keygen", gn_ctl_keygen, "FILE", "makes a person's private key and prints the line for the configuration")   \
    X("metrics", run_metrics, "", "all counters")                                                                  \
    X("replay", gn_ctl_replay, "--config FILE [--to NS] [--compare | --backtest | --shadow OTHER]",                \
      "runs the engine on the journaled inputs, compares outputs; backtest, shadow comparison")                    \
    X("journal", gn_ctl_journal, "verify | dump | executions | state | checkpoint | prove ...",                    \
      "reads the journal's files")                                                                                 \
    X("version", run_version, "", "builds of all parts")

#endif
