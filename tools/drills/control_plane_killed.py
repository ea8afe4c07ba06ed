#!/usr/bin/env python3
"""kill -9 of the control plane: no new risk after heartbeat.stale, everything cancelled after heartbeat.cancel."""

import os
import subprocess
import time

import drill

STALE_MS, CANCEL_MS, SLACK_MS = 300, 1000, 1000


def run(d):
    """Control plane dies: the data plane stops and cancels alone; the new one never re-arms; emergency-stop needs none."""
    with d.appliance(overrides={"stale": "%dms" % STALE_MS, "cancel": "%dms" % CANCEL_MS}) as b:
        d.trades(b)
        died_ns = drill.die(b, "controlplane")
        with d.step("all cancelled by the data plane"):
            b.wait_for("the kill", lambda: drill.status(b)["kill"][0]["level"] == "killed" and drill.status(b)["open_orders"] == 0, 20)
        s = drill.status(b)
        k, r = s["kill"][0], s["kill_report"]
        d.promise(k["who"] == "dataplane" and "heartbeat" in k["why"], "the record says %s: %s" % (k["who"], k["why"]))
        after = (r["last_order_ns"] - died_ns) / 1e6
        d.measure("last_order_after_death_ms", after)
        d.measure("kill_after_death_ms", (k["set_ns"] - died_ns) / 1e6)
        d.measure("last_ack_after_kill_ms", max(0.0, (r["last_ack_ns"] - k["set_ns"]) / 1e6))
        if not d.dir:
            d.promise(after <= STALE_MS + SLACK_MS, "orders left for %.0f ms after the death, the limit is %d" % (after, STALE_MS))
            d.promise((k["set_ns"] - died_ns) / 1e6 <= CANCEL_MS + SLACK_MS, "the kill came late")
        with d.step("emergency-stop without a control plane"):
            p = subprocess.run([os.path.join(drill.ROOT, "tools", "emergency-stop"), "--dir", b.dir, "drill"], capture_output=True, text=True,
                               env=dict(os.environ, GANNETCTL=b.tool("gannetctl")))
        d.promise(p.returncode == 0, "emergency-stop ended with %d: %s%s" % (p.returncode, p.stdout, p.stderr))
        was = drill.sent(b, direct=True)
        if d.dir:
            d.notes.append("start the control plane again; it must stay killed until it is released")
            return
        with d.step("control plane back"):
            b.start_controlplane()
        time.sleep(0.3)
        d.promise(b.status()["kill"][0]["level"] == "killed", "the new control plane re-armed by itself")
        d.promise(drill.sent(b) == was, "orders left before the release")
        d.promise(b.ctl("release", check=False).returncode != 0, "a release without a reason was accepted")
        d.release(b)
        d.trades(b)
        d.accounts_equal(b, d.kill(b)["seen_ns"])


if __name__ == "__main__":
    drill.main("control_plane_killed", run, True)
