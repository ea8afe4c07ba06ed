"""Components alone: what one operation costs and how that grows with what there is, and queues between two cores."""

import json
import math
import os
import subprocess

import callgrind
import compare
import disturbance
from sessions import Failed, cpus

HELP = {
    "ouch_enter": "OUCH enter order from its template",
    "ouch_encode": "OUCH enter order, the encoder of all messages",
    "soup_header": "SoupBinTCP header",
    "soup_and_ouch": "SoupBinTCP header and OUCH order, as it is sent",
    "journal_record": "journal record: reserved, filled, published, read, given back",
    "crc32c": "CRC of a journal record, by instruction",
    "crc32c_by_table": "the same where the machine has no instruction for it",
    "book_delete_add": "a live order of a book goes and comes again, drawn from all",
    "book_best_level": "a price level comes and goes at the best price",
    "book_worst_level": "a price level comes and goes at the worst price",
    "gate_new": "risk gate, a new order that passes",
    "gate_cancel": "risk gate, a cancel of an order drawn from all",
}
QUEUES = (("gn_ring / cache line, round trip", "gn_ring_round_trip", "line_round_trip"),
          ("rte_ring / cache line, round trip", "rte_ring_round_trip", "line_round_trip"),
          ("gn_ring / rte_ring, round trip", "gn_ring_round_trip", "rte_ring_round_trip"),
          ("gn_ring / rte_ring, one way", "gn_ring_one_way", "rte_ring_one_way"))


def exponent(points):
    """Of cost ~ n^e: the slope of a straight line through the logarithms, by least squares. points: [(n, cost), ...]."""
    rows = [(math.log(n), math.log(cost)) for n, cost in points if n > 0 and cost > 0]
    if len(rows) < 2:
        return None
    mx, my = (sum(r[i] for r in rows) / len(rows) for i in (0, 1))
    return sum((x - mx) * (y - my) for x, y in rows) / sum((x - mx) ** 2 for x, _ in rows)


def timed(program):
    """{operation: ns}, less what the call costs."""
    p = subprocess.run(["taskset", "-c", str(cpus()[-1]), program], capture_output=True, text=True)
    if p.returncode != 0:
        raise Failed("gannet-components failed: %s" % p.stderr[-500:].strip())
    rows = {name: int(ps) / 1000.0 for name, ps in (line.split()[1:] for line in p.stdout.splitlines() if line.startswith("time "))}
    own = rows.pop("empty")
    return {name: max(ns - own, 0.0) for name, ns in rows.items()}


def growth(program, say):
    with disturbance.Watch({}) as watch:
        times = timed(program)
    counts, why = {}, callgrind.missing()
    if why is None:
        counts = callgrind.count(program)
    curves = {}
    for key, ns in times.items():
        name, by, n = key.split(":")
        curves.setdefault((name, by), []).append((int(n), counts.get(key), ns))
    out = []
    for (name, by), rows in curves.items():
        rows.sort()
        row = dict(name=name, by=by, help=HELP[name], points=[dict(n=n, instructions=i, ns=ns) for n, i, ns in rows],
                   exponent=exponent([(n, i) for n, i, _ in rows if i is not None]), time_exponent=exponent([(n, ns) for n, _, ns in rows]))
        out.append(row)
        first, last = row["points"][0], row["points"][-1]
        text = lambda p: "%s%.1f ns" % ("%.0f instructions, " % p["instructions"] if p["instructions"] is not None else "", p["ns"])
        if len(rows) == 1:
            say("%-17s %s" % (name, text(first)))
        else:
            say("%-17s by %-13s %d: %s; %d: %s; grows as n^%s (time n^%.2f)" % (
                name, by, first["n"], text(first), last["n"], text(last), "?" if row["exponent"] is None else "%.2f" % row["exponent"], row["time_exponent"]))
    return dict(rows=out, not_counted=why, disturbed=disturbance.machine_reasons(watch.result))


def queues(program, rounds, runs, say):
    """Short runs, each with both orders of the modes, so that a disturbance costs one of them and not all."""
    if len(cpus()) < 2:
        return dict(missing="queues between two cores need two CPUs")
    times, why, pairs = {}, [], {what: [] for what, _, _ in QUEUES}
    for _ in range(runs):
        p = subprocess.Popen([program, str(cpus()[0]), str(cpus()[-1]), str(rounds), "2"], stdout=subprocess.PIPE, text=True)
        with disturbance.Watch({"queues": p.pid}) as watch:
            text = p.communicate()[0]
        if p.returncode != 0:
            raise Failed("gannet-queues failed")
        found, bad = json.loads(text), disturbance.machine_reasons(watch.result)
        why += bad
        for mode, values in found.items():
            times.setdefault(mode, []).append(sum(values) / len(values))
        for what, over, under in QUEUES:
            if not bad:
                pairs[what].append(times[over][-1] / times[under][-1])
    for mode, values in times.items():
        say("%-21s %8.1f ns, the quickest of %d runs %.1f ns%s" % (mode, compare.median(values), runs, min(values), "  DISTURBED" if why else ""))
    return dict(times=times, ratios={what: compare.of_pairs(rows, why, runs) for what, rows in pairs.items()}, disturbed=why)


def suite(args, say, profile):
    at = os.path.join(os.path.abspath(args.build), "bench", "components")
    p = profile["components"]
    result = dict(wire="cores", ratios={})
    program = os.path.join(at, "gannet-components")
    if os.path.exists(program):
        result["growth"] = growth(program, say)
    else:
        result["growth"] = dict(rows=[], not_counted="gannet-components is not built: Debian's package valgrind was missing when this build was configured", disturbed=[])
        say(result["growth"]["not_counted"])
    result["queues"] = queues(os.path.join(at, "gannet-queues"), p["rounds"], p["runs"], say)
    result["ratios"] = result["queues"].get("ratios", {})
    return result
