#!/usr/bin/env python3
"""The venue breaks executions after the fact: its account and ours part, and that must be seen."""

import drill


def run(d):
    """Position mismatch: broken trades raise alerts in the journal, and the comparison names each instrument that differs."""
    with d.appliance(rate=20000, instruments=4, sim=["--break-every=20"]) as b:
        with d.step("executions"):
            b.wait_for("fills", lambda: sum(p["fills"] for p in b.ask("positions")["positions"]) >= 100, 30)
        k = d.kill(b)
        with d.step("accounts compared"):
            wrong = d.compare(b, k["seen_ns"])
        broken = d.sim["account"]["total"]["broken"]
        parted = {t["symbol"] for t in d.sim["account"]["instruments"] if t["broken"]}
        named = {line.split(":")[0] for line in wrong}
        with d.step("journal read"):
            b.end("dataplane")
            b.end("controlplane")
            alerts = [line for line in b.ctl("journal", "dump", "type=alert").stdout.split("\n") if "broke or corrected" in line]
        d.measure("broken_by_the_venue", broken)
        d.measure("alerts", len(alerts))
        d.measure("instruments_that_differ", sorted(named))
        d.promise(broken > 0, "the venue broke no trade: the drill proves nothing")
        d.promise(len(alerts) == broken, "%d trades were broken, %d alerts are in the journal" % (broken, len(alerts)))
        d.promise(named == parted, "the venue broke trades of %s, the comparison names %s" % (sorted(parted), sorted(named)))


if __name__ == "__main__":
    drill.main("position_mismatch", run, False)
