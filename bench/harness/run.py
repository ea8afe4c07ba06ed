"""tools/bench: runs suites, shows progress, writes build/bench/result.json, plots and report.html."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time

import baseline
import compare
import components
import page
import pingpong
import sessions
from sessions import Failed, cpus

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def point(rate, ms, every=1, burst=1):
    return dict(rate=rate, ms=ms, every=every, burst=burst)


# every nth message is answered with an order: the load grows beyond what one order session carries
def load_points(ms):
    rates = [(1000, 1), (5000, 1), (10000, 1), (20000, 1), (50000, 2), (100000, 5), (200000, 10), (500000, 25), (1000000, 50)]
    return [point(r, ms, e) for r, e in rates]


def burst_points(ms):
    return [point(10000, ms, 1, b) for b in (2, 8, 32)]


PROFILES = {
    "smoke": dict(repetitions=1, stage_repetitions=1, ratio=[point(2000, 200)], load=[point(1000, 100), point(20000, 100, 4)], bursts=[point(2000, 100, 1, 4)], hiccup_ms=200, t1_ms=200,
                  pingpong=dict(repetitions=1, memif=2000, af_xdp=2000), components=dict(rounds=2000, runs=2)),
    "quick": dict(repetitions=4, stage_repetitions=2, ratio=[point(10000, 700)], load=load_points(150), bursts=burst_points(150), hiccup_ms=1000, t1_ms=1000,
                  pingpong=dict(repetitions=5, memif=100000, af_xdp=10000), components=dict(rounds=100000, runs=5)),
    "full": dict(repetitions=12, stage_repetitions=5, ratio=[point(10000, 2500)], load=load_points(2000), bursts=burst_points(2000), hiccup_ms=20000, t1_ms=25000,
                 pingpong=dict(repetitions=12, memif=500000, af_xdp=20000), components=dict(rounds=1000000, runs=12)),
}
RUNS = {
    "echo": sessions.echo,
    "gannet": sessions.tick_to_trade,
    "gannet with stamps": sessions.staged,
    "kernel busy": lambda *a, **k: sessions.kernel(*a, how="busy", **k),
    "kernel blocking": lambda *a, **k: sessions.kernel(*a, how="blocking", **k),
}


class Progress:
    def __init__(self):
        self.begun = time.monotonic()

    def __call__(self, text):
        print("%6.1f s  %s" % (time.monotonic() - self.begun, text), flush=True)


def interleaved(args, say, wire, names, points, repetitions):
    """name -> results; one of each in every round, in turns, so that what drifts meets all."""
    out = {name: [] for name in names}
    for i in range(repetitions):
        order = names if i % 2 == 0 else names[::-1]
        for name in order:
            r = RUNS[name](args.build, wire, points, hugepages=args.hugepages or wire == "af_xdp")
            out[name].append(r)
            p = r["points"][0]
            bad = compare.unsound(r)
            say("%s  round %d of %d  %-18s p50 %8.2f us  p99 %8.2f us  cores %3.0f ns apart%s" % (
                wire, i + 1, repetitions, name, p["resolved"].get("p50", 0) / 1e3, p["resolved"].get("p99", 0) / 1e3, r["core_distance_ns"] or 0, "  DISTURBED" if bad else ""))
    return out


def rows_of(runs, point_index=0):
    return {name: {kind: compare.summary(results, point_index, kind) for kind in ("resolved", "from_send", "from_schedule")}
            for name, results in runs.items()}


def suite_wire(args, say, profile, wire="memif", names=("echo", "gannet")):
    runs = interleaved(args, say, wire, list(names), profile["ratio"], profile["repetitions"])
    ratios = {}
    # the last one is what a data plane that costs nothing would reach on this wire
    for over, under in (("gannet", "echo"), ("kernel busy", "gannet"), ("kernel blocking", "gannet"), ("kernel busy", "echo")):
        if over in runs and under in runs:
            for pc in compare.PERCENTILES:
                ratios["%s / %s at %s" % (over, under, pc)] = compare.ratio(runs[over], runs[under], 0, pc)
    return dict(wire=wire, rate=profile["ratio"][0]["rate"], runs=runs, rows=rows_of(runs), ratios=ratios)


def suite_af_xdp(args, say, profile):
    return suite_wire(args, say, dict(profile, ratio=[dict(p, rate=min(p["rate"], 5000)) for p in profile["ratio"]]), "af_xdp",
                      ("echo", "gannet", "kernel busy", "kernel blocking"))


def suite_load(args, say, profile):
    points = profile["load"] + profile["bursts"]
    runs = {}
    for name in ("echo", "gannet"):
        runs[name] = [RUNS[name](args.build, "memif", points, hugepages=args.hugepages)]
        for p in runs[name][0]["points"]:
            say("load  %-7s %8d/s burst %2d  p50 %8.2f us  p99 %9.2f us  from schedule p99 %9.2f us  %d of %d answered" % (
                name, p["rate"], p["burst"], p["from_send"].get("p50", 0) / 1e3, p["from_send"].get("p99", 0) / 1e3,
                p["from_schedule"].get("p99", 0) / 1e3, p["answered"], p["expected"]))
    return dict(wire="memif", runs=runs, disturbed={name: compare.unsound(r[0]) for name, r in runs.items()})


def suite_stages(args, say, profile):
    """Where the time goes inside, by stamps, and what the stamps themselves cost: the same wire with and without."""
    runs = interleaved(args, say, "memif", ["gannet", "gannet with stamps"], profile["ratio"], profile["stage_repetitions"])
    stamped = [r["stages"] for r in runs["gannet with stamps"]]
    rows = {}
    for stage in stamped[0]["stages"]:
        of = [s["stages"][stage] for s in stamped if s["stages"][stage]["count"]]
        rows[stage] = {k: compare.median([d[k] for d in of]) for k in ("min", "p50", "p90", "p99", "p99.9", "max")} if of else None
        if of:
            say("stages  %-9s p50 %7.0f ns  p99 %7.0f ns" % (stage, rows[stage]["p50"], rows[stage]["p99"]))
    ratios = {"gannet with stamps / gannet at p50": compare.ratio(runs["gannet with stamps"], runs["gannet"], 0, "p50")}
    say("stages  a pair of stamps costs %.1f ns" % compare.median([s["pair_ns"] for s in stamped]))
    return dict(wire="memif", rate=profile["ratio"][0]["rate"], runs=runs, rows=rows_of(runs), ratios=ratios, stages=rows,
                orders=sum(s["orders"] for s in stamped), pair_ns=compare.median([s["pair_ns"] for s in stamped]))


def suite_hiccup(args, say, profile):
    tool = os.path.join(ROOT, args.build, "bench", "harness", "gannet-hiccup")
    out = []
    for cpu in cpus():
        p = subprocess.run([tool, str(cpu), str(profile["hiccup_ms"]), "1000"], capture_output=True, text=True)
        if p.returncode != 0:
            raise Failed(p.stderr.strip())
        out.append(json.loads(p.stdout))
        say("hiccup  CPU %d  %.0f gaps a second of 1 us and more, longest %.1f us, %.4f%% of the time lost" % (
            cpu, out[-1]["gaps_a_second"], out[-1]["max_ns"] / 1e3, 100 * out[-1]["lost_share"]))
    return dict(cpus=out)


def suite_t1(args, say, profile):
    """In the manner of STAC-T1: recorded market data on both lines, at its own rate and at eight times that."""
    points = [dict(speed_milli=1000 * x, ms=profile["t1_ms"]) for x in (1, 8)]
    r = sessions.tick_to_trade(args.build, "memif", points, hugepages=args.hugepages, recorded=args.itch or "generator")
    rows = []
    for p in r["points"]:
        d = p["from_send"]
        rows.append(dict(speed=p["speed_milli"] / 1000.0, messages=p["messages"], seconds=p["took_ns"] / 1e9,
                         **{kind: compare.summary([r], len(rows), kind) for kind in ("resolved", "from_send", "from_schedule")}))
        say("t1  %gx  %d messages in %.2f s, %d orders: mean %.2f us, p99 %.2f us, max %.2f us, deviation %.2f us" % (
            rows[-1]["speed"], p["messages"], rows[-1]["seconds"], p["answered"], d.get("mean", 0) / 1e3, d.get("p99", 0) / 1e3, d.get("max", 0) / 1e3,
            d.get("deviation", 0) / 1e3))
    return dict(wire="memif", source=args.itch or "generator, %d messages/s on average" % sessions.RECORDED_RATE, rows=rows, runs={"gannet": [r]},
                disturbed=compare.unsound(r))


def suite_instructions(args, say, profile):
    """Counted by callgrind: a program of its own, see bench/instructions.py."""
    p = subprocess.run([sys.executable, INSTRUCTIONS, "--build", args.build], capture_output=True, text=True)
    print(p.stdout, end="", flush=True)
    if p.returncode not in (0, 77):
        raise Failed((p.stderr or p.stdout).strip()[-2000:])
    return dict(text=p.stdout)


SUITES = {"hiccup": suite_hiccup, "wire": suite_wire, "af_xdp": suite_af_xdp, "pingpong": pingpong.suite, "components": components.suite, "stages": suite_stages, "load": suite_load, "t1": suite_t1}
INSTRUCTIONS = os.path.join(ROOT, "bench", "instructions.py")
if os.path.exists(INSTRUCTIONS):
    SUITES["instructions"] = suite_instructions
HELP = {
    "instructions": "instruction counts of every stage, by callgrind",
    "hiccup": "what the cores do to a thread that wants them all",
    "wire": "tick-to-trade over memif beside a bare DPDK echo on the same wire",
    "af_xdp": "the same over AF_XDP, beside the same engine over kernel sockets (root)",
    "pingpong": "TCP there and back: ours, a bare echo, the kernel, lwIP",
    "components": "queues, book, encoders, journal record, CRC, gate: one operation, and how it grows",
    "stages": "where the time between market data and order goes, stage by stage, by stamps",
    "load": "latency from 1 k to 1 M messages a second, and in bursts",
    "t1": "recorded market data on lines A and B at 1 and 8 times its rate",
}


def machine():
    model = ""
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True).stdout.strip()
    return dict(cpu=model, cpus=len(cpus()), kernel=platform.release(), build=commit, time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


def options():
    p = argparse.ArgumentParser(prog="tools/bench", description="How fast, compared with what, at which percentile, at what load.",
                                epilog="suites: " + "; ".join("%s: %s" % kv for kv in HELP.items() if kv[0] in SUITES))
    p.add_argument("suite", nargs="*", help="default: all of them")
    p.add_argument("--profile", choices=list(PROFILES), default="quick", help="quick: about 2 minutes; full: about 12 (default: quick)")
    p.add_argument("--build", default="build", help="build directory")
    p.add_argument("--out", help="where the results go (default: <build>/bench)")
    p.add_argument("--itch", metavar="FILE", help="what suite t1 replays: a BinaryFILE of ITCH 5.0, plain or gzip'd (default: the generator)")
    p.add_argument("--no-hugepages", dest="hugepages", action="store_false", help="do not reserve hugepages")
    p.add_argument("--save-baseline", metavar="FILE", help="keep the result as the signed baseline")
    p.add_argument("--baseline", metavar="FILE", help="compare with a signed baseline; ends with 1 when something drifted")
    p.add_argument("--weekly", metavar="DIR", help="compare with the newest signed baseline of DIR, then keep this result there; for a timer")
    p.add_argument("--alert", metavar="COMMAND", help="with --baseline or --weekly: run when something drifted, sentences on its standard input")
    p.add_argument("--key", metavar="FILE", help="key that signs and checks baselines (32 bytes or more)")
    args = p.parse_args()
    args.itch = os.path.abspath(args.itch) if args.itch else None
    unknown = [s for s in args.suite if s not in SUITES]
    if unknown:
        p.error("unknown suite %s; allowed: %s" % (", ".join(unknown), ", ".join(SUITES)))
    if args.baseline and args.weekly:
        p.error("--weekly DIR finds its own baseline: leave --baseline out")
    if (args.save_baseline or args.baseline or args.weekly) and not args.key:
        p.error("a baseline is signed: --key is missing")
    return args


def lines_of(result):
    out = []
    for name, s in result["suites"].items():
        if "failed" in s:
            out.append("%s: %s" % (name, s["failed"]))
        told = set()
        for wire, ratios in compare.ratio_sets(s):
            for what, r in ratios.items():
                if "value" in r:
                    out.append("%-8s %-73s %.2f  (%.2f to %.2f, %d of %d rounds%s)" % (
                        wire, what, r["value"], r["low"], r["high"], r["pairs"], r["of"], "; target " + r["target"] if "target" in r else ""))
                else:
                    why = "; ".join(r["disturbed"])
                    out.append("%-8s %-73s no number: the machine was disturbed%s" % (wire, what, " likewise" if why in told else ": " + why))
                    told.add(why)
        for row in s.get("segments", {}).get("rows", []):
            out.append("%-8s %-73s %.2f  (%.0f against %.0f instructions)" % ("counted", "lwIP / ours, " + row["what"], row["ratio"], row["lwip"], row["ours_with_turn"]))
    return out


def main():
    args = options()
    try:
        baseline.signature(args.key, {}) if args.key else None
        last = baseline.newest(args.weekly) if args.weekly else args.baseline
        was = baseline.load(last, args.key) if last else None
    except Failed as e:
        sys.exit("tools/bench: %s" % e)
    out = args.out or os.path.join(ROOT, args.build, "bench")
    os.makedirs(out, exist_ok=True)
    say = Progress()
    result = dict(program="gannet-bench", profile=args.profile, machine=machine(), suites={})
    code = 0
    for name in args.suite or list(SUITES):
        say("suite %s: %s" % (name, HELP[name]))
        try:
            result["suites"][name] = SUITES[name](args, say, PROFILES[args.profile])
        except Failed as e:
            result["suites"][name] = dict(failed=str(e))
            say("suite %s failed: %s" % (name, e))
            code = 1
    with open(os.path.join(out, "result.json.part"), "w") as f:
        json.dump(result, f)
    os.replace(f.name, os.path.join(out, "result.json"))
    if args.save_baseline:
        baseline.save(args.save_baseline, args.key, result)
    if args.weekly:
        say("kept as %s" % baseline.keep(args.weekly, args.key, result))
    drift = baseline.drift(was, result) if was is not None else None
    if drift and args.alert and baseline.alert(args.alert, drift) != 0:
        say("the alert command failed: %s" % args.alert)
        code = 1
    page.write(out, result, drift)
    print("\n" + "\n".join(lines_of(result) + (drift or [])))
    print("\nresult: %s, %s" % (os.path.join(out, "result.json"), os.path.join(out, "report.html")))
    sys.exit(1 if code or drift else 0)


if __name__ == "__main__":
    main()
