"""The main job: see tools/demo, which installs, builds and then runs this."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

import appliance
import report
from appliance import Bench, Failed

KILL_WAIT_S = 10


def options():
    p = argparse.ArgumentParser(prog="tools/demo", description="Trades against the venue simulator, throws the kill switch, compares all accounts.")
    p.add_argument("--seconds", type=float, default=10, help="how long to trade (default 10)")
    p.add_argument("--itch", metavar="FILE", help="replay this Nasdaq BinaryFILE of ITCH 5.0, plain or .gz (default: a seeded generator)")
    p.add_argument("--port", choices=("memif", "af_xdp"), default="memif", help="memif: shared memory (default); af_xdp: veth pairs into a network namespace, needs root")
    p.add_argument("--rate", metavar="N", help="messages a second, or max (default 100000)")
    p.add_argument("--speed", metavar="X", help="X times capture time instead of --rate")
    p.add_argument("--seed", type=int, default=1, help="of generator and faults (default 1)")
    p.add_argument("--instruments", type=int, default=50, help="of the generator; of a file at most so many are traded (default 50)")
    p.add_argument("--layout", choices=sorted(appliance.LAYOUTS), default="fused", help="stages on one lcore or on several (default fused)")
    p.add_argument("--no-hugepages", action="store_true", help="do not reserve hugepages")
    p.add_argument("--json", metavar="FILE", help="write the report for machines")
    p.add_argument("--keep", action="store_true", help="go on trading until Ctrl-C, so that gannetctl can be tried; then end as usual")
    p.add_argument("--sim", action="append", default=[], metavar="ARG", help="hand an argument to the simulator, such as --sim=--drop-a=1%%; `gannet-venue-sim --help` lists them")
    p.add_argument("--build", default="build", help=argparse.SUPPRESS)
    return p.parse_args()


def say(*words):
    print(*words, flush=True)


def pace(o):
    if o.speed:
        return ["--speed", o.speed]
    return ["--rate", o.rate or "100000"]


def trade(b, o):
    """Shows a line a second until the time is over, the file ends or Ctrl-C."""
    begun = time.monotonic()
    was = None
    while True:
        m = b.metrics()
        now = (m["feed_delivered"], m["orders_sent"] + m["replaces_sent"], m["venue_messages"])
        if was:
            say("  %5.1f s  %9d messages/s  %7d orders/s  %7d answers/s  %5d working" % (
                time.monotonic() - begun, now[0] - was[0], now[1] - was[1], now[2] - was[2], b.status()["open_orders"]))
        if not o.keep and time.monotonic() - begun >= o.seconds:
            return
        was = now
        time.sleep(min(1.0, max(0.05, o.seconds - (time.monotonic() - begun))) if not o.keep else 1.0)


def kill(b):
    before = b.status()["open_orders"]
    reply = b.ctl_json("--who", "demo", "kill", "end of the demo")
    at = reply["set_ns"]
    end = time.monotonic() + KILL_WAIT_S
    while time.monotonic() < end:
        s = b.status()
        r = s["kill_report"]
        if r["word_seen"] == reply["word"] and s["open_orders"] == 0:
            break
        time.sleep(0.01)
    s = b.status()
    return dict(s["kill_report"], at_ns=at, open_before=before, resting=s["open_orders"])


def collect(b, killed):
    ours = dict(kill=killed, books=b.ask("books")["books"], positions=b.ask("positions")["positions"], metrics=b.metrics(), status=b.status(), inputs=b.inputs)
    code = b.end("dataplane")
    if code != 0:
        raise Failed("the data plane ended with status %s\n%s" % (code, b.log("dataplane")))
    sim = b.sim_account()
    code = b.end("controlplane")
    if code != 0:
        raise Failed("the control plane ended with status %s\n%s" % (code, b.log("controlplane")))
    ours["journal"] = b.ctl_json("journal", "verify", check=False)
    ours["journaled_fills"] = journaled_fills(b)
    return report.Report(sim, ours).build()


def journaled_fills(b):
    """Shares bought and sold by instrument number, as the journal's execution records add up."""
    sums = {}
    with subprocess.Popen([b.tool("gannetctl"), "--dir", b.dir, "--journal", b.disk, "journal", "dump", "type=exec"], stdout=subprocess.PIPE, text=True) as p:
        for line in p.stdout:
            e = json.loads(line)
            if e["kind"] == "filled":
                side = sums.setdefault(e["instrument"], [0, 0])
                side[0 if e["side"] == "buy" else 1] += e["qty"]
    return sums


def run(o):
    with Bench(build=o.build, port=o.port, hugepages=not o.no_hugepages, layout=o.layout, itch=o.itch, instruments=o.instruments, seed=o.seed,
               sim_args=pace(o) + o.sim) as b:
        if not o.no_hugepages and not b.huge.there:
            say("   no hugepages (%s): ordinary pages are used, latency will vary more" % b.huge.why)
        say("== starting venue simulator, control plane, data plane (%s, %s, %d instruments)" % (o.port, o.layout, len(b.symbols)))
        b.start()
        b.session_up()
        if o.keep:
            say("   try: GANNET_DIR=%s %s status; Ctrl-C ends the demo" % (b.dir, os.path.relpath(b.tool("gannetctl"))))
        say("== trading")
        try:
            trade(b, o)
        except KeyboardInterrupt:
            say("")
        say("== kill switch")
        killed = kill(b)
        b.pause_market()
        say("== stopping, verifying the journal, comparing accounts")
        return collect(b, killed)


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not 0 < o.seconds <= 86400:
        sys.exit("tools/demo: --seconds: found %g, allowed: more than 0, at most 86400" % o.seconds)
    if not 1 <= o.instruments <= 1024:
        sys.exit("tools/demo: --instruments: found %d, allowed: 1 to 1024" % o.instruments)
    if o.itch and not os.path.isfile(o.itch):
        sys.exit("tools/demo: --itch %s: there is no such file" % o.itch)
    if o.port == "af_xdp" and os.geteuid() != 0:
        sys.exit("tools/demo: --port af_xdp makes interfaces and a network namespace: run it as root; memif needs no privilege")
    try:
        r = run(o)
    except Failed as e:
        sys.exit("tools/demo: %s" % e)
    except KeyboardInterrupt:
        sys.exit("tools/demo: stopped; everything it started is ended")
    say("")
    say(report.text(r))
    if o.json:
        with open(o.json, "w") as f:
            json.dump(r, f, indent=1)
    sys.exit(0 if r["adds_up"] else 1)


if __name__ == "__main__":
    main()
