#!/usr/bin/env python3
"""The venue resets the order connection in mid-trade, again and again: orders are in doubt until it has answered."""

import os
import signal
import subprocess

import drill


def silent(d, b):
    """The venue hears nothing: emergency-stop must not confirm, name the orders, and the cancels must not be lost."""
    stop = [os.path.join(drill.ROOT, "tools", "emergency-stop"), "--dir", b.dir, "--wait", "1", "drill"]
    env = dict(os.environ, GANNETCTL=b.tool("gannetctl"))
    venue = b.procs["sim"]
    venue.send_signal(signal.SIGSTOP)
    try:
        before = b.status()["open_orders"]
        with d.step("emergency-stop with a silent venue"):
            p = subprocess.run(stop, capture_output=True, text=True, env=env)
    finally:
        venue.send_signal(signal.SIGCONT)
    d.measure("open_at_a_silent_venue", before)
    if before:
        d.promise(p.returncode == 1 and "NOT CONFIRMED" in p.stdout, "emergency-stop ended with %d although the venue is silent" % p.returncode)
        d.promise(len(p.stdout.strip().split("\n")) >= 3 + min(before, 1), "it does not name the orders that rest: " + p.stdout)
    with d.step("the venue hears again"):
        b.wait_for("zero working orders", lambda: b.status()["open_orders"] == 0, 20)
    d.release(b)


def run(d):
    """Venue disconnects: orders in doubt keep their reservation, the session reconciles first, accounts end equal."""
    losses, most = 2 if d.short else 5, 0
    with d.appliance(rate=20000, sim=["--disconnect-after=300"]) as b:
        with d.step("%d losses" % losses):

            def lost():
                nonlocal most
                s = b.status()["sessions"][0]
                most = max(most, s["in_doubt"])
                return s["losses"] >= losses

            b.wait_for("losses of the session", lost, 60)
        with d.step("reconciled"):
            b.wait_for("the session", lambda: b.status()["sessions"][0]["state"] == "up", 20)
        d.measure("most_in_doubt_seen", most)
        d.measure("losses", b.status()["sessions"][0]["losses"])
        d.measure("logins", b.status()["sessions"][0]["logins"])
        b.wait_for("open orders", lambda: b.status()["open_orders"] > 0, 10)
        silent(d, b)
        with d.step("kill"):
            k = d.kill(b)
        b.wait_for("the session", lambda: b.status()["sessions"][0]["state"] == "up", 20)
        d.promise(b.status()["sessions"][0]["in_doubt"] == 0, "orders are in doubt although the session is up")
        d.promise(b.metrics()["order_illegal"] == 0, "order events that cannot be")
        d.accounts_equal(b, k["seen_ns"], counts=False)


if __name__ == "__main__":
    drill.main("venue_disconnect", run, False)
