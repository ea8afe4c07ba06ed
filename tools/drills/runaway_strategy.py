#!/usr/bin/env python3
"""A strategy that fires at every tick: the message budget holds it, then its own switch stops it alone."""

import time

import drill

BURST, RATE = 20, 10


def run(d):
    """Runaway strategy: the gate's message budget holds it; a kill of its scope stops it and nobody else."""
    with d.appliance(rate=50000, instruments=4) as b:
        d.trades(b)
        firm = b.ask("limits")["limits"]["firm"]
        with d.step("budget set"):
            b.ctl("--who", "drill", "limits", "set", "message_burst", str(firm["cancel_reserve"] + BURST))
            b.ctl("--who", "drill", "limits", "set", "message_rate", str(RATE))
        with d.step("the budget holds"):
            refused = drill.verdict(b, "message_rate")
            b.wait_for("refusals", lambda: drill.verdict(b, "message_rate") > refused + 100, 20)
        at, was, m0 = time.monotonic(), drill.sent(b), b.metrics()
        time.sleep(1)
        took, now, m1 = time.monotonic() - at, drill.sent(b), b.metrics()
        d.measure("orders_in_1s", now - was)
        d.measure("refused_in_1s", m1["gate_verdicts{message_rate}"] - m0["gate_verdicts{message_rate}"])
        d.promise(now - was <= BURST + RATE * (took + 1), "%d orders in %.1f s passed a budget of %d/s" % (now - was, took, RATE))
        with d.step("kill of the strategy"):
            b.ctl("--who", "drill", "kill", "scope=strategy", "name=touch", "runs away")
        killed = drill.verdict(b, "killed")
        for name in ("message_rate", "message_burst"):
            b.ctl("--who", "drill", "limits", "set", name, str(firm[name]))
        time.sleep(0.2)
        mine = {p["symbol"]: p["orders"] for p in b.ask("positions")["positions"]}
        d.trades(b)  # the maker goes on
        b.wait_for("refusals of the killed strategy", lambda: drill.verdict(b, "killed") > killed, 20)
        then = {p["symbol"]: p["orders"] for p in b.ask("positions")["positions"]}
        for symbol in b.symbols[2:]:
            d.promise(then.get(symbol, 0) == mine.get(symbol, 0), "%s: the killed strategy went on trading" % symbol)
        d.release(b, "scope=strategy", "name=touch")
        with d.step("trades after the release"):
            b.wait_for("its orders", lambda: any(p["orders"] > then.get(p["symbol"], 0) for p in b.ask("positions")["positions"] if p["symbol"] in b.symbols[2:]), 20)
        d.accounts_equal(b, d.kill(b)["seen_ns"])


if __name__ == "__main__":
    drill.main("runaway_strategy", run, False)
