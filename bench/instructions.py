#!/usr/bin/env python3
"""Instructions per operation of every stage, counted by callgrind: they do not depend on the machine's mood.

usage: tools/bench [--build DIR]          build, count, print the table
       tools/bench --check                and fail when a stage takes more than 3 % over bench/baseline.json
       tools/bench --update-baseline      and record the counts as the new baseline: a deliberate act, to be committed
       tools/bench --profile STAGE        where the instructions of a stage go, function by function
       tools/bench --program FILE         count with this build of gannet-instructions (what the test does)

Exit status 77: skipped, with the reason.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BASELINE = os.path.join(ROOT, "bench", "baseline.json")
ALLOWED = 1.03
SKIP = 77

# Stage, target (None: none set), what one operation is. The names are count_done's.
STAGES = [
    ("tcp_send", 250, "64-byte order, gn_tcp_send to the complete frame"),
    ("tcp_send_at_once", None, "the same in the very turn that an ACK came in: its template is not ready yet"),
    ("tcp_make_ready", None, "gn_tcp_timer after an ACK: the template made ready, off the path of an order"),
    ("tcp_prepare_commit", 250, "the same, encoded in the frame: prepare and commit"),
    ("tcp_after_heartbeat", None, "prepare and commit when what was sent last had another length"),
    ("tcp_after_heartbeat_warm", 250, "the same after gn_tcp_warm, as a session that is idle calls it"),
    ("tcp_ack_in", 300, "its ACK, frame to state, checksums verified by the NIC"),
    ("tcp_ack_in_soft_csum", 300, "its ACK, checksums in software"),
    ("tcp_answer_in", None, "64 bytes of the venue with an ACK, frame to stream"),
    ("tcp_segment", None, "order out and its ACK in, with the turn's timer: one connection"),
    ("tcp_segment_of_1000", None, "the same with 1,000 connections in turn"),
    ("udp_in", None, "multicast datagram, frame to payload, checksums verified by the NIC"),
    ("udp_in_soft_csum", None, "multicast datagram of 64 bytes, checksums in software"),
    ("feed_add", None, "datagram of one add: MoldUDP64, lines, journal, ITCH, book, best price"),
    ("feed_delete", None, "datagram of one delete"),
    ("feed_executed", None, "datagram of one execution"),
    ("feed_cancel", None, "datagram of one partial cancel"),
    ("feed_replace", None, "datagram of one replace"),
    ("feed_mix", None, "datagram of one message, all types as they come"),
    ("feed_in_tens", None, "message, in datagrams of ten"),
    ("feed_other_line", None, "the other line's copy of a datagram"),
    ("gate_new", 400, "risk gate, new order that passes"),
    ("intent_to_frame", None, "intent to complete frame: gate, order, OUCH, TCP"),
    ("intent_whole", None, "the same with what follows the frame: report, record, counters"),
    ("tick_to_trade", 1200, "market-data frame in to order frame out: everything but the port"),
    ("answer_to_report", None, "answer of the venue in the stream to order, position, report, journal"),
    ("idle_turn", None, "turn of the loop without frames, without the port"),
    ("idle_turn_orders_open", None, "the same while 20 orders rest"),
    ("journal_reserve", 60, "record of an order's verdict: reserve and header, without the copy of its payload"),
    ("journal_record", None, "record of an order's verdict: reserve, header, copy of 88 bytes"),
]


# Stage, what it is compared with, how much more it may take.
RATIOS = [("tcp_segment_of_1000", "tcp_segment", 1.3)]


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIP)


def fail(why):
    print(why)
    sys.exit(1)


def build(directory):
    if not os.path.exists(os.path.join(directory, "build.ninja")):
        subprocess.run(["meson", "setup", directory, ROOT], check=True, stdout=subprocess.DEVNULL)
    program = os.path.join(directory, "bench", "instructions", "gannet-instructions")
    print("== building %s" % os.path.relpath(program, os.getcwd()), flush=True)
    r = subprocess.run(["ninja", "-C", directory, "bench/instructions/gannet-instructions"], capture_output=True, text=True)
    if r.returncode != 0:
        if "unknown target" in r.stderr:
            skip("no header valgrind/callgrind.h when this build was configured: install Debian's package valgrind")
        fail(r.stdout[-4000:] + r.stderr[-1000:])
    return program


def compiler_of(program):
    """What made the program, as the program's own section says; counts of two compilers are not compared."""
    r = subprocess.run(["readelf", "-p", ".comment", program], capture_output=True, text=True)
    names = sorted(set(re.findall(r"(GCC|clang)[^\n]*?(\d+)\.\d+", r.stdout)))
    return " ".join("%s %s" % n for n in names)


def count(program, keep):
    """Counts of all stages, less what a pair of requests costs; callgrind's files are in keep."""
    r = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=" + keep + "/out",
                        program], capture_output=True, text=True)
    if r.returncode != 0:
        fail("gannet-instructions under callgrind failed:\n" + r.stdout[-500:] + r.stderr[-2000:])
    operations = dict(re.findall(r"^stage (\S+) (\d+)$", r.stdout, re.M))
    counts, files = {}, {}
    for name in os.listdir(keep):
        path = os.path.join(keep, name)
        with open(path) as f:
            head = f.read(4096)
        stage = re.search(r"Client Request: (\S+)", head)
        total = re.search(r"^(?:summary|totals): (\d+)", head, re.M)
        if stage and total:
            files[stage.group(1)] = path
            counts[stage.group(1)] = int(total.group(1)) / int(operations[stage.group(1)])
    own = counts.pop("empty")
    rows = {name: round(value - own / per_request(name), 1) for name, value in counts.items()}
    missing = [s[0] for s in STAGES if s[0] not in rows]
    if missing:
        fail("not counted: " + ", ".join(missing))
    return rows, files, {k: int(v) for k, v in operations.items()}


def per_request(name):
    """Operations that one pair of requests spans."""
    return {"tcp_segment": 1 / 3, "tcp_segment_of_1000": 1 / 3, "feed_in_tens": 10, "answer_to_report": 2}.get(name, 1)


def read_baseline():
    try:
        with open(BASELINE) as f:
            return json.load(f)
    except FileNotFoundError:
        return {"compiler": None, "stages": {}}


def table(rows, baseline):
    print("%-24s %9s %8s %9s %8s  %s" % ("stage", "instr.", "target", "baseline", "change", "one operation"))
    for name, target, what in STAGES:
        was = baseline["stages"].get(name)
        change = "" if not was else "%+.1f %%" % (100.0 * (rows[name] - was) / was)
        note = "" if target is None or rows[name] <= target else "  ABOVE TARGET"
        print("%-24s %9.1f %8s %9s %8s  %s%s" % (name, rows[name], "" if target is None else target,
                                                "" if was is None else "%.1f" % was, change, what, note))


def check(rows, baseline):
    worse = [n for n, _, _ in STAGES if n in baseline["stages"] and rows[n] > baseline["stages"][n] * ALLOWED]
    unknown = [n for n, _, _ in STAGES if n not in baseline["stages"]]
    for n in worse:
        print("regression: stage %s takes %.1f instructions, baseline %.1f (%+.1f %%, allowed +3 %%)"
              % (n, rows[n], baseline["stages"][n], 100.0 * (rows[n] / baseline["stages"][n] - 1)))
    for n in unknown:
        print("no baseline: stage %s; record one with tools/bench --update-baseline" % n)
    for n, by, most in RATIOS:
        ratio = rows[n] / rows[by]
        print("%s takes %.2f times what %s takes; at most %.2f" % (n, ratio, by, most))
        if ratio > most:
            print("too much: its cost depends on a number that it must not depend on")
            sys.exit(1)
    if worse:
        print("If the cost is meant: tools/bench --update-baseline, and commit bench/baseline.json.")
    sys.exit(1 if worse or unknown else 0)


def own_costs(path):
    """Instructions by function, and by source line, without those of callees; from callgrind's own file."""
    names, by_function, by_line = {}, {}, {}
    function, source, line, callee = "?", "?", 0, False

    def name_of(text):
        m = re.match(r"\((\d+)\)(?: (.*))?", text)
        kind = "function" if key == "fn" else "file"
        if m.group(2):
            names[(kind, m.group(1))] = m.group(2)
        return names.get((kind, m.group(1)), "?")

    with open(path) as f:
        for row in f:
            key, _, value = row.strip().partition("=")
            if key in ("fn", "cfn", "fl", "fi", "fe", "cfi", "cfl"):
                key = "fn" if key == "cfn" else key
                name = name_of(value)
                if row.startswith("fn="):
                    function = name
                elif row.startswith(("fl=", "fi=", "fe=")):
                    source = os.path.basename(name)
            elif key == "calls":
                callee = True
            elif re.match(r"[-+*\d]\S* \d+$", row):
                at, cost = row.split()
                line = line + int(at) if at[0] in "+-" else line if at == "*" else int(at)
                if not callee:
                    by_function[function] = by_function.get(function, 0) + int(cost)
                    where = "%s:%d" % (source, line)
                    by_line[where] = by_line.get(where, 0) + int(cost)
                callee = False
    return by_function, by_line


def profile(files, rounds, stage):
    if stage not in files:
        fail("no stage %s; stages: %s" % (stage, ", ".join(s[0] for s in STAGES)))
    for title, costs in zip(("function", "source line"), own_costs(files[stage])):
        print("%9s  %s" % ("instr.", title))
        for where, cost in sorted(costs.items(), key=lambda x: -x[1])[:80]:
            print("%9.1f  %s" % (cost / rounds[stage], where))


def main():
    ap = argparse.ArgumentParser(description=__doc__.replace("%", "%%"), formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--build", default=os.path.join(ROOT, "build"))
    ap.add_argument("--program")
    ap.add_argument("--check", action="store_true")
    ap.add_argument("--update-baseline", action="store_true")
    ap.add_argument("--profile", metavar="STAGE")
    args = ap.parse_args()
    if shutil.which("valgrind") is None:
        skip("valgrind is not installed (Debian's package valgrind): nothing can be counted")
    program = args.program or build(args.build)
    if not os.path.exists(program):
        skip("gannet-instructions was not built: valgrind/callgrind.h was missing when this build was configured")
    baseline = read_baseline()
    made_by = compiler_of(program)
    with tempfile.TemporaryDirectory() as keep:
        rows, files, rounds = count(program, keep)
        if args.profile:
            return profile(files, rounds, args.profile)
    table(rows, baseline)
    if args.update_baseline:
        with open(BASELINE, "w") as f:
            json.dump({"compiler": made_by, "stages": rows}, f, indent=2, sort_keys=True)
            f.write("\n")
        print("recorded in bench/baseline.json (%s)" % made_by)
    elif args.check:
        if baseline["compiler"] != made_by:
            skip("the baseline was recorded with %s, this build is by %s" % (baseline["compiler"], made_by))
        check(rows, baseline)


main()
