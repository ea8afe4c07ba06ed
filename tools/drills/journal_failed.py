#!/usr/bin/env python3
"""The journal's disk is full: trading stops and everything is cancelled; emergency-stop still works; it never re-arms by itself."""

import os
import subprocess
import time

import drill


def run(d):
    """Journal fails on a full disk: killed, cancelled, said by whom and why; emergency-stop confirms without a byte of disk."""
    if os.geteuid() != 0:
        d.notes.append("skipped: needs root, for a small disk of its own")
        return
    with d.appliance(rate=100000, journal_mib=80, edit=lambda b, text: text.replace("segment: 64MiB", "segment: 16MiB").replace("segments_ahead: 2", "segments_ahead: 1")) as b:
        d.trades(b)
        with d.step("disk full, journal failed"):
            fill(b)
            b.wait_for("the failure", lambda: drill.status(b)["journal_failed"] != 0, 40)
        with d.step("cancelled"):
            b.wait_for("the kill", lambda: drill.status(b)["kill"][0]["level"] == "killed" and drill.status(b)["open_orders"] == 0, 10)
        b.wait_for("the reason", lambda: "journal" in drill.status(b)["kill"][0]["why"], 5)
        k, r = drill.status(b)["kill"][0], drill.status(b)["kill_report"]
        d.measure("killed_by", "%s: %s" % (k["who"], k["why"]))
        d.promise(k["who"] in ("dataplane", "controlplane"), "killed by %s" % k["who"])
        d.promise(r["last_order_ns"] <= r["seen_ns"], "an order left after the switch was seen")
        with d.step("emergency-stop on a full disk"):
            p = subprocess.run([os.path.join(drill.ROOT, "tools", "emergency-stop"), "--dir", b.dir, "drill"], capture_output=True, text=True, cwd=b.disk,
                               env=dict(os.environ, GANNETCTL=b.tool("gannetctl"), TMPDIR=b.disk))
        d.promise(p.returncode == 0, "emergency-stop ended with %d: %s%s" % (p.returncode, p.stdout, p.stderr))
        was = drill.sent(b, direct=True)
        time.sleep(0.5)
        d.promise(drill.sent(b, direct=True) == was, "orders left after the journal had failed")
        d.accounts_equal(b)


def fill(b):
    """All that is left of the small disk that appliance.py put under the journal."""
    fd = os.open(os.path.join(b.disk, "ballast"), os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(fd, bytes(1 << 20)) > 0:
            pass
    except OSError:
        pass
    finally:
        os.close(fd)


if __name__ == "__main__":
    drill.main("journal_failed", run, False)
