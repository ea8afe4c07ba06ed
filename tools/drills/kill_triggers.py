#!/usr/bin/env python3
"""Every other way to throw the switch: signal, key file, emergency-stop with a hung control plane, a data plane that stands still."""

import os
import resource
import signal
import subprocess
import time

import drill


def record(d, b, who, why):
    b.wait_for("the kill by " + who, lambda: drill.status(b)["kill"][0]["level"] == "killed", 10)
    b.wait_for("its reason", lambda: why in drill.status(b)["kill"][0]["why"], 5)
    k = drill.status(b)["kill"][0]
    d.promise(who in k["who"], "the record says %s, expected %s" % (k["who"], who))
    return k["set_ns"]


def by_signal(d, b):
    def throw():
        b.procs["controlplane"].send_signal(signal.SIGUSR1)
        return record(d, b, "signal", "SIGUSR1")

    with d.step("signal"):
        d.kill(b, throw=throw)
    d.release(b)
    d.trades(b)


def by_key(d, b):
    key = os.path.join(b.dir, "KILL")

    def throw():
        open(key, "w").close()
        time.sleep(0.1)
        with open(key, "w") as f:
            f.write("smoke in the rack\nand more\n")
        return record(d, b, "key file", "smoke in the rack")

    with d.step("key file"):
        d.kill(b, throw=throw)
    p = b.ctl("release", "all", "good", check=False)
    d.promise(p.returncode != 0 and "KILL" in p.stderr, "a release was accepted while the key file lies there")
    b.end("controlplane")
    b.start_controlplane()
    d.promise(b.status()["kill"][0]["level"] == "killed", "a new control plane under the key is not killed")
    os.unlink(key)
    time.sleep(0.1)
    d.release(b)
    d.trades(b)


def by_hand(d, b):
    """The control plane hangs, and the process may not write a byte to any file."""
    def throw():
        no_files = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        at = time.monotonic()
        p = subprocess.run([os.path.join(drill.ROOT, "tools", "emergency-stop"), "--all", "--root", os.path.dirname(b.dir) + "/only-" + b.tag, "--who", "night watch", "all", "stop"],
                           capture_output=True, text=True, env=dict(os.environ, GANNETCTL=b.tool("gannetctl")), preexec_fn=no_files)
        d.measure("emergency_stop_ms", (time.monotonic() - at) * 1000)
        d.promise(p.returncode == 0, "emergency-stop ended with %d: %s%s" % (p.returncode, p.stdout, p.stderr))
        return record(d, b, "night watch", "all stop")

    root = os.path.dirname(b.dir) + "/only-" + b.tag
    os.mkdir(root)
    os.symlink(b.dir, os.path.join(root, "one"))
    hung = b.procs["controlplane"]
    hung.send_signal(signal.SIGSTOP)
    try:
        with d.step("emergency-stop"):
            before = drill.status(b)["open_orders"]
            throw()
            d.promise(drill.status(b)["open_orders"] == 0, "orders rest of %d" % before)
    finally:
        hung.send_signal(signal.SIGCONT)
        os.unlink(os.path.join(root, "one"))
        os.rmdir(root)
    d.release(b)
    d.trades(b)


def by_standstill(d, b):
    was = b.procs["dataplane"]
    was.send_signal(signal.SIGSTOP)
    try:
        with d.step("data plane stands still"):
            record(d, b, "controlplane", "made no turn")
            sent = drill.sent(b)
    finally:
        was.send_signal(signal.SIGCONT)
    with d.step("and moves again"):
        b.wait_for("zero working orders", lambda: b.status()["open_orders"] == 0 and b.status()["kill_report"]["word_seen"] == b.status()["kill"][0]["word"], 15)
    m = b.metrics()
    d.measure("orders_after_standstill", m["orders_sent"] + m["replaces_sent"] - sent)
    d.promise(drill.sent(b) == sent, "%d orders left after the standstill" % (drill.sent(b) - sent))


def run(d):
    """Kill triggers: each throws the switch, writes who and why, and holds until a person releases it."""
    with d.appliance(overrides={"stale": "1s", "cancel": "2s"}) as b:
        d.trades(b)
        for trigger in (by_signal, by_key, by_hand, by_standstill):
            trigger(d, b)
        d.accounts_equal(b, counts=False)
        b.end("dataplane")
        b.end("controlplane")
        lines = b.ctl("journal", "dump", "type=kill").stdout
        for why in ("SIGUSR1", "smoke in the rack", "all stop", "made no turn"):
            d.promise(why in lines, "the journal does not say \"%s\"" % why)


if __name__ == "__main__":
    drill.main("kill_triggers", run, False)
