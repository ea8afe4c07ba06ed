#!/usr/bin/env python3
"""Positions are closed: after a kill, of a part, and not on a market that cannot be trusted."""

import signal
import time

import drill


def held(b):
    return {p["symbol"]: p["position"] for p in b.ask("positions")["positions"] if p["position"] != 0}


def flatten(d, b, *words):
    b.ctl("--who", "drill", "flatten", *words, "drill")
    b.wait_for("the end of the flatten", lambda: b.ask("flatten_status")["flatten"] == "ended", 30)
    return b.ask("flatten_status")


def run(d):
    """Flatten: every position at zero, verified with the venue; reduce-only, inside the collar, never on a stale market."""
    with d.appliance(instruments=20) as b:
        d.trades(b, 200)
        with d.step("positions"):
            b.wait_for("positions", lambda: len(held(b)) >= 4, 20)
        one = sorted(held(b))[0]
        with d.step("flatten of an instrument"):
            s = flatten(d, b, "scope=instrument", "name=" + one)
            d.promise(one not in held(b), "%s stays: %s" % (one, s["positions"]))
            d.measure("one_ms", s["took_ms"])
            d.promise(b.status()["kill"][0]["level"] == "active", "the flatten of a part killed everything")
        with d.step("flatten of all"):
            before = held(b)
            s = flatten(d, b)
            left = held(b)
            d.promise(not left, "these stay: %s" % [(r["symbol"], r["now"], r["why"]) for r in s["positions"] if r["now"]])
            d.promise(s["stays"] == len(left), "the report says %d stay, they are %d" % (s["stays"], len(left)))
            for k in ("took_ms",):
                d.measure("all_" + k, s[k])
            d.measure("all_positions", len(before))
            d.measure("all_orders", sum(r["orders"] for r in s["positions"]))
        with d.step("killed first, then flattened"):
            d.release(b)
            d.release(b, "scope=instrument", "name=" + one)
            d.trades(b, 100)
            b.wait_for("positions", lambda: len(held(b)) >= 2, 20)
            d.kill(b)
            n = len(held(b))
            s = flatten(d, b)
            d.promise(not held(b), "after a kill these stay: %s" % [(r["symbol"], r["now"], r["why"]) for r in s["positions"] if r["now"]])
            d.measure("after_kill_positions", n)
            d.measure("after_kill_ms", s["took_ms"])
        with d.step("not on a stale market"):
            d.release(b)
            d.trades(b, 100)
            b.wait_for("positions", lambda: len(held(b)) >= 2, 20)
            b.procs["sim"].send_signal(signal.SIGSTOP)  # market and venue stand still: nothing can be sent safely
            time.sleep(0.3)
            b.ctl("--who", "drill", "flatten", "drill")
            time.sleep(1)
            b.ctl("--who", "drill", "kill", "a later kill makes the authority void")
            b.wait_for("the end of the flatten", lambda: b.ask("flatten_status")["flatten"] == "ended", 15)
            s = b.ask("flatten_status")
            d.promise("moved" in s["why"], "the flatten did not end with the later kill: %s" % s["why"])
            b.procs["sim"].send_signal(signal.SIGCONT)
            b.wait_for("the venue's word that nothing rests", lambda: b.status()["kill_check"]["state"] == "verified", 15)
        d.accounts_equal(b, counts=False)


if __name__ == "__main__":
    drill.main("flatten_all", run, False)
