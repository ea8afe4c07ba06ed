#!/usr/bin/env python3
"""Limits are lowered while orders fly: from the generation that the gate has seen on, none passes the new limit."""

import time

import drill


def in_use(b):
    s = b.ask("limits")["limits"]
    return s["seen"] >= s["generation"]


def run(d):
    """Limits tightened under load: in force at the gate's next turn, for new orders and replaces, and only where set."""
    with d.appliance(rate=50000, instruments=4) as b:
        d.trades(b)
        rows = {r["symbol"]: r for r in b.ask("limits")["limits"]["instruments"]}
        worst = 0.0
        symbols = sorted({p["symbol"] for p in b.ask("positions")["positions"]})[:4]
        for symbol, field, value, name in zip(symbols * 2, ("tradable", "max_qty", "collar_bps", "max_qty"), (0, 0, 0, 0),
                                              ("not_tradable", "max_qty", "price_collar", "max_qty")):
            refused, at = drill.verdict(b, name), time.time_ns()
            with d.step("%s %s" % (symbol, field)):
                b.ctl("--who", "drill", "limits", "set", symbol, field, str(value))
                b.wait_for("the generation in use", lambda: in_use(b), 5)
            seen_ns = time.time_ns()
            worst = max(worst, (seen_ns - at) / 1e6)
            time.sleep(0.3)
            if field != "collar_bps":  # a collar of 0 still lets passive prices through
                late = [o for o in b.ask("orders", all=True)["orders"] if o["symbol"] == symbol and o["sent_ns"] > seen_ns]
                d.promise(not late, "%s: %d orders passed %s = %d" % (symbol, len(late), field, value))
            d.measure("refused_%s" % name, drill.verdict(b, name) - refused)
            b.ctl("--who", "drill", "limits", "set", symbol, field, str(rows[symbol][field]))
        d.measure("command_to_in_use_ms_max", worst)
        d.promise(sum(v for k, v in d.measurements.items() if k.startswith("refused_")) > 0, "no order came near a limit: the drill proves nothing")
        d.trades(b)
        d.accounts_equal(b, d.kill(b)["seen_ns"])


if __name__ == "__main__":
    drill.main("limits_tightened_under_load", run, True)
