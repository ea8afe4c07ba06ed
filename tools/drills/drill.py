"""What the drills share: steps with times, promises that may fail, the bench with the simulator or an appliance that
runs, and the venue's own account at the end. A drill is a function of a Drill; its record is one JSON object."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "lib"))

from appliance import Bench, Failed  # noqa: E402

ACK_LIMIT_S = 10      # requirement 7.9: everything cancelled and acknowledged
WIRE_SLACK_MS = 250   # between the sending of a frame and a simulator that shares its core
NEVER = "not measured"


class Running(Bench):
    """An appliance that was there before: is asked and commanded, never started or ended, but for what a drill kills."""

    def __init__(self, directory, build):
        self.build = os.path.join(ROOT, build)
        self.dir = directory
        self.disk = os.path.join(directory, "journal")
        self.procs, self.logs, self.exits = {}, {}, {}

    def close(self):
        pass


class Drill:
    def __init__(self, name, short, directory=None, build="build"):
        self.name = name
        self.short = short
        self.dir = directory
        self.build = build
        self.started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.begun = time.monotonic()
        self.steps = []
        self.measurements = {}
        self.findings = []
        self.notes = []

    # ---- the record ----

    def build_id(self):
        """Of the control plane that was drilled; the go-live gate counts records of its own build only."""
        program = os.path.join(ROOT, self.build, "controlplane", "gannet-controlplane")
        p = subprocess.run([program, "--version"], capture_output=True, text=True)
        return p.stdout.split()[-1] if p.returncode == 0 else ""

    @contextlib.contextmanager
    def step(self, name):
        at = time.monotonic()
        yield
        self.steps.append(dict(step=name, ms=round((time.monotonic() - at) * 1000, 1)))

    def promise(self, holds, text):
        if not holds:
            self.findings.append(text)
        return holds

    def measure(self, name, value):
        self.measurements[name] = round(value, 3) if isinstance(value, float) else value

    def record(self):
        return dict(drill=self.name, build=self.build_id(), started=self.started, ok=not self.findings, where=self.dir or "simulator",
                    took_ms=round((time.monotonic() - self.begun) * 1000), steps=self.steps, measurements=self.measurements,
                    findings=self.findings, notes=self.notes)

    # ---- the appliance ----

    @contextlib.contextmanager
    def appliance(self, rate=20000, sim=(), edit=None, **more):
        """A bench that trades against the simulator, or the appliance of --dir. edit: last word on the configuration's text."""
        if self.dir:
            b = Running(self.dir, self.build)
            mode = b.status()["mode"]
            if mode == "live":
                raise Failed("%s is live: a drill is for paper, shadow and mock" % self.dir)
            yield b
            return
        more.setdefault("hugepages", False)
        with Bench(build=self.build, sim_args=["--rate", str(rate)] + list(sim), **more) as b:
            if edit:
                with open(b.config) as f:
                    text = edit(b, f.read())
                with open(b.config, "w") as f:
                    f.write(text)
            with self.step("start"):
                b.start()
                b.session_up()
            yield b

    def trades(self, b, more=20, seconds=15):
        """New orders and replaces leave."""
        with self.step("trades"):
            was = sent(b)
            b.wait_for("further orders", lambda: sent(b) > was + more, seconds)

    def kill(self, b, why="drill", throw=None):
        """Throws the switch, waits until nothing works, holds the promises of a kill against the data plane's report.
        throw: does it in another way, returns the word's time."""
        before = b.status()["open_orders"]
        at_ns = throw() if throw else b.ctl_json("--who", "drill", "kill", why)["set_ns"]
        found = []

        def gone():
            found[:] = [status(b)]
            s = found[0]
            return s["kill"][0]["level"] == "killed" and s["kill_report"]["word_seen"] == s["kill"][0]["word"] and s["open_orders"] == 0

        try:
            b.wait_for("zero working orders", gone, ACK_LIMIT_S)
        except Failed:
            self.promise(False, "killed but still resting after %d s: %d orders" % (ACK_LIMIT_S, found[0]["open_orders"]))
        r = found[0]["kill_report"]
        self.promise(r["last_order_ns"] <= r["seen_ns"], "an order was handed to the wire %d ns after the switch was seen" % (r["last_order_ns"] - r["seen_ns"]))
        was = sent(b, direct=True)
        time.sleep(0.2)
        now = sent(b, direct=True)
        self.promise(now == was, "%d orders left after the kill" % (now - was))
        behind = clock_behind(b)
        since = lambda ns: (ns + behind - at_ns) / 1e6 if ns else NEVER
        return dict(at_ns=at_ns, open_before=before, clock_behind_ms=behind / 1e6, seen_ms=since(r["seen_ns"]), first_cancel_ms=since(r["first_cancel_ns"]), last_cancel_ms=since(r["last_cancel_ns"]),
                    last_ack_ms=since(r["last_ack_ns"]), cancels_sent=r["cancels_sent"], seen_ns=r["seen_ns"])

    def release(self, b, *scope):
        b.ctl("--who", "drill", "release", *scope, "drill goes on")

    def compare(self, b, seen_ns=None, counts=True):
        """Ends the simulator, holds its account against ours; nothing may be working by now. The differences."""
        if self.dir:
            self.notes.append("no account of the venue: compare with its drop copy")
            return []
        ours = {p["symbol"]: p for p in b.ask("positions")["positions"]}
        m = b.metrics()
        self.behind = clock_behind(b)
        sim = b.sim_account()
        total, orders = sim["account"]["total"], sim["orders"]
        self.promise(total["open_orders"] == 0, "%d orders rest at the venue" % total["open_orders"])
        if counts:
            for name, key in (("orders_sent", "enter"), ("replaces_sent", "replace")):
                self.promise(m[name] == orders["matching"][key], "%s: ours %d, the venue received %d" % (name, m[name], orders["matching"][key]))
        if seen_ns:
            late = (orders["last_order_ns"] - seen_ns - self.behind) / 1e6
            self.measure("venue_last_order_after_kill_ms", late)
            self.promise(late <= WIRE_SLACK_MS, "the venue took an order %.1f ms after the switch was seen" % late)
        wrong = []
        for t in sim["account"]["instruments"]:
            p = ours.get(t["symbol"], dict(position=0, cash=0))
            if (p["position"], int(p["cash"])) != (t["position"], int(t["cash"])):
                wrong.append("%s: ours %d, the venue's %d" % (t["symbol"], p["position"], t["position"]))
        self.measure("venue_executions", total["executions"])
        self.sim = sim
        return wrong

    def accounts_equal(self, b, seen_ns=None, counts=True):
        with self.step("accounts compared"):
            for line in self.compare(b, seen_ns, counts):
                self.promise(False, "position differs: " + line)


def status(b):
    """From the shared memory: works without a control plane."""
    return b.ctl_json("--direct", "status")["status"]


def clock_behind(b):
    """By how many ns the lcores' clock, which does not follow steps, is behind the wall clock that stamps commands and the
    venue's times: the smallest age of a beat that is seen."""
    age = lambda s: s["now_ns"] - max(l["beat_ns"] for l in s["lcores"])
    return min(age(b.status()) for _ in range(20))


def sent(b, direct=False):
    if direct:
        rows = b.ctl_json("--direct", "metrics")["metrics"]
        return sum(r["value"] for r in rows if r["name"] in ("orders_sent", "replaces_sent"))
    m = b.metrics()
    return m["orders_sent"] + m["replaces_sent"]


def verdict(b, name):
    return b.metrics().get("gate_verdicts{%s}" % name, 0)


def median(values):
    v = sorted(x for x in values if x != NEVER)
    return v[len(v) // 2] if v else NEVER


def die(b, name):
    """kill -9 of a process: our own child, or the one that the region names."""
    if name in b.procs:
        p = b.procs.pop(name)
        p.kill()
        p.wait()
    else:
        os.kill(status(b)[name]["pid"], 9)
    return time.time_ns()


def perform(name, drill, short=False, directory=None, build="build"):
    d = Drill(name, short, directory, build)
    try:
        drill(d)
    except Failed as e:
        d.findings.append(str(e))
    except (OSError, KeyError, IndexError, ValueError, subprocess.SubprocessError) as e:
        d.findings.append("the drill itself failed: %s: %s" % (type(e).__name__, e))
    return d.record()


def options(what):
    p = argparse.ArgumentParser(description=what)
    p.add_argument("--dir", metavar="RUN_DIR", help="against this appliance, which runs and is not live, instead of the simulator")
    p.add_argument("--short", action="store_true", help="fewer repetitions")
    p.add_argument("--json", metavar="FILE", help="write the record here too")
    p.add_argument("--build", default=os.environ.get("GN_BUILD", "build"), help=argparse.SUPPRESS)
    return p


def main(name, drill, hardware):
    """Of a drill that is started by itself."""
    o = options(drill.__doc__).parse_args()
    if o.dir and not hardware:
        sys.exit("%s needs the simulator: it cannot be run with --dir" % name)
    r = perform(name, drill, o.short, o.dir, o.build)
    print(json.dumps(r))
    if o.json:
        with open(o.json, "w") as f:
            json.dump([r], f, indent=1)
    sys.exit(0 if r["ok"] else 1)
