#!/usr/bin/env python3
"""kill -9 of the data plane with orders open; then again, with the switch thrown while it is dead."""

import os
import subprocess
import time

import drill


def stop(b, *more):
    return subprocess.run([os.path.join(drill.ROOT, "tools", "emergency-stop"), "--dir", b.dir, *more, "drill"], capture_output=True, text=True,
                          env=dict(os.environ, GANNETCTL=b.tool("gannetctl")))


def back(d, b):
    with d.step("data plane back, session reconciled"):
        b.start_dataplane()
        b.session_up()
    with d.step("books current"):
        b.wait_for("the books", lambda: b.status()["feed_stale"] == 0, 20)
    d.promise(b.status()["sessions"][0]["in_doubt"] == 0, "orders are in doubt although the session is up")


def run(d):
    """Data plane dies with orders open: said at once, reconciled at the return, nothing lost; a kill in between holds."""
    with d.appliance() as b:
        d.trades(b)
        b.wait_for("open orders", lambda: b.status()["open_orders"] > 0, 10)
        d.measure("open_at_death", b.status()["open_orders"])
        drill.die(b, "dataplane")
        with d.step("death seen"):
            b.wait_for("the death", lambda: b.status()["dataplane"]["state"] == "dead", 5)
        back(d, b)
        d.trades(b)
        b.wait_for("open orders", lambda: b.status()["open_orders"] > 0, 10)
        drill.die(b, "dataplane")
        left = drill.status(b)["open_orders"]
        with d.step("emergency-stop without a data plane"):
            p = stop(b)
        d.promise(p.returncode == 1 and "NOT CONFIRMED" in p.stdout, "emergency-stop ended with %d although nobody can cancel" % p.returncode)
        d.measure("resting_while_dead", left)
        was = drill.sent(b)
        back(d, b)
        with d.step("killed at its return"):
            p = stop(b)
        d.promise(p.returncode == 0, "emergency-stop: %s%s" % (p.stdout, p.stderr))
        time.sleep(0.2)
        d.promise(drill.sent(b) == was, "%d orders left although the switch was thrown" % (drill.sent(b) - was))
        d.promise(b.status()["open_orders"] == 0, "orders rest")
        d.accounts_equal(b, counts=False)


if __name__ == "__main__":
    drill.main("data_plane_killed", run, False)
