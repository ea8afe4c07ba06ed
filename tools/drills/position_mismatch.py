#!/usr/bin/env python3
"""Accounts that part: the venue breaks executions after the fact, and its drop copy says something else of one fill. The
first is put right and told; the second is found, named, and stays open until a person looks."""

import json
import socket
import time

import drill

FOUND_LIMIT_S = 5


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def reconcile(b):
    p = b.ctl("reconcile", check=False)
    return p.returncode, p.stdout


def run(d):
    """Position mismatch: broken trades are corrected with an alert each; a fill that the drop copy tells otherwise is an open break within 5 s."""
    port = free_port()
    session = "drop_copy: 127.0.0.1:%d, drop_copy_grace: 2s" % port
    with d.appliance(rate=20000, instruments=4, sim=["--break-every=20", "--drop-copy-port", str(port), "--drop-copy-lie=91"],
                     overrides={"session": session}) as b:
        clean, _ = reconcile(b)
        d.promise(clean == 0, "a break is open before anything was traded")
        with d.step("executions"):
            b.wait_for("fills", lambda: sum(p["fills"] for p in b.ask("positions")["positions"]) >= 100, 30)
        with d.step("the lie is found"):
            begun = time.monotonic()
            while "fill_qty" not in reconcile(b)[1] and time.monotonic() < begun + 2 * FOUND_LIMIT_S:
                time.sleep(0.02)
            d.measure("found_ms", (time.monotonic() - begun) * 1000)
        code, text = reconcile(b)
        d.promise(code == 1 and "fill_qty" in text, "the drop copy told a fill otherwise, reconcile says: %s" % text[:300])
        d.promise(d.measurements["found_ms"] <= FOUND_LIMIT_S * 1000, "the break was found after %.0f ms" % d.measurements["found_ms"])
        k = d.kill(b)
        d.accounts_equal(b, k["seen_ns"])
        broken = d.sim["account"]["total"]["broken"]
        with d.step("journal read"):
            b.end("dataplane")
            b.end("controlplane")
            alerts = [line for line in b.ctl("journal", "dump", "type=alert").stdout.splitlines() if "broke a trade" in json.loads(line).get("text", "")]
        d.measure("broken_by_the_venue", broken)
        d.measure("alerts", len(alerts))
        d.promise(broken > 0, "the venue broke no trade: the drill proves nothing")
        d.promise(len(alerts) == broken, "%d trades were broken, %d alerts are in the journal" % (broken, len(alerts)))


if __name__ == "__main__":
    drill.main("position_mismatch", run, False)
