"""report.html: one page, self-contained, with tables and plots of a result."""

import html
import os

import compare
import pingpong as pp
import plots

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}.bad{color:#a02020}.note{color:#666}svg{max-width:100%;height:auto}"""
COLUMNS = ("min", "p50", "p90", "p99", "p99.9", "p99.99", "max")


def us(ns):
    return "%.2f" % (ns / 1000.0)


def table(head, rows):
    cells = lambda tag, row: "<tr>%s</tr>" % "".join("<%s>%s</%s>" % (tag, c, tag) for c in row)
    return "<table>%s%s</table>" % (cells("th", head), "".join(cells("td", r) for r in rows))


def verdict(r):
    if "value" in r:
        return "<b>%.2f</b> (95%%: %.2f to %.2f; %d of %d rounds)" % (r["value"], r["low"], r["high"], r["pairs"], r["of"])
    return '<span class="bad">no number, the machine was disturbed: %s</span>' % html.escape("; ".join(r["disturbed"][:4]))


def picture(path):
    if path is None:
        return ""
    with open(path) as f:
        text = f.read()
    return text[text.index("<svg"):]


def distances(runs):
    """How far the cores were from each other: every transfer of a frame costs some of these."""
    d = [r["core_distance_ns"] for results in runs.values() for r in results if r.get("core_distance_ns")]
    return "<p class=note>A cache line took %.0f to %.0f ns between the two cores and back.</p>" % (min(d), max(d)) if d else ""


def quiet(runs):
    return not any(compare.unsound(r) for results in runs.values() for r in results)


def wire(out, name, s):
    parts = [table(["ratio", ""], [[html.escape(w), verdict(r)] for w, r in s["ratios"].items()])]
    parts.append(distances(s["runs"]))
    if not quiet(s["runs"]):
        parts.append('<p class="bad">Some rounds were disturbed; the times below are of all rounds and are not results.</p>')
    rows = []
    for who, kinds in s["rows"].items():
        for kind in ("resolved", "from_schedule"):
            d = kinds[kind]
            if d is not None:
                rows.append(["%s, %s" % (who, kind.replace("_", " "))] + [us(d[c]) for c in COLUMNS] + [us(d["mean"]), us(d["deviation"]), d["count"]])
    parts.append(table(["us, at %d messages/s" % s["rate"]] + list(COLUMNS) + ["mean", "deviation", "n"], rows))
    curves = [(who, compare.together(results, 0, "resolved")) for who, results in s["runs"].items()]
    parts.append(picture(plots.percentiles(os.path.join(out, name + "-percentiles.svg"), "%s: wire to wire" % s["wire"], curves)) if plots.there() else "")
    return "".join(parts)


def pingpong(out, s):
    parts = ['<p class="bad">%s</p>' % html.escape(n) for n in s["notes"]]
    for name, w in s["wires"].items():
        parts.append("<h3>%s</h3>" % name)
        parts.append(table(["ratio", "", "target"], [[html.escape(what), verdict(r), r.get("target", "")] for what, r in w["ratios"].items()]))
        parts.append(distances(w["runs"]))
        if w["disturbed"]:
            parts.append('<p class="bad">Some rounds were disturbed; the times below are of all rounds and are not results.</p>')
        parts.append(table(["us, there and back"] + list(COLUMNS) + ["n"], [[html.escape(who)] + [us(d[c]) for c in COLUMNS] + [d["count"]] for who, d in w["rows"].items()]))
        curves = [(who, pp.summary(results)[1]) for who, results in w["runs"].items()]
        parts.append(picture(plots.percentiles(os.path.join(out, "pingpong-%s-percentiles.svg" % name), "TCP ping-pong of 64 bytes, %s" % name, curves)) if plots.there() else "")
    seg = s["segments"]
    if "missing" in seg:
        return "".join(parts) + '<p class="bad">%s</p>' % html.escape(seg["missing"])
    rows = [[r["what"], "%.0f" % r["lwip"], "%.0f" % r["ours"], "%.0f" % r["ours_with_turn"], "<b>%.2f</b>" % r["ratio"], "at least 3"] for r in seg["rows"]]
    return "".join(parts) + "<h3>Instructions a segment</h3>" + table(["", "lwIP", "ours", "with the turn's timers", "ratio", "target"], rows)


def growth_plots(out, rows):
    """A picture for each thing that costs grow with."""
    parts = []
    for by in sorted({r["by"] for r in rows if len(r["points"]) > 1}):
        of = [r for r in rows if r["by"] == by]
        for unit, key in (("instructions", "instructions"), ("nanoseconds", "ns")):
            curves = [(r["name"], [(p["n"], p[key]) for p in r["points"] if p[key] is not None]) for r in of]
            parts.append(picture(plots.growth(os.path.join(out, "growth-%s-%s.svg" % (by, unit)), "by %s" % by.replace("_", " "), unit, by.replace("_", " "), curves)))
    return "".join(parts)


def components(out, s):
    g, q = s["growth"], s["queues"]
    parts = ['<p class="bad">%s</p>' % html.escape(w) for w in [g["not_counted"]] if w]
    if g["disturbed"]:
        parts.append('<p class="bad">Times, not counts, were taken on a disturbed machine: %s</p>' % html.escape("; ".join(g["disturbed"][:3])))
    fit = lambda e: "" if e is None else "n^%.2f" % e
    rows = []
    for r in g["rows"]:
        for i, p in enumerate(r["points"]):
            rows.append(["%s" % html.escape(r["help"]) if i == 0 else "", "%d %s" % (p["n"], r["by"].replace("_", " ")), "" if p["instructions"] is None else "%.0f" % p["instructions"],
                         "%.1f" % p["ns"], fit(r["exponent"]) if i == 0 else "", fit(r["time_exponent"]) if i == 0 else ""])
    parts.append(table(["one operation", "with", "instructions", "ns", "instructions grow as", "time grows as"], rows))
    parts.append(growth_plots(out, g["rows"]) if plots.there() else "")
    if "missing" in q:
        return "".join(parts) + '<p class="bad">%s</p>' % q["missing"]
    parts.append("<h3>Queues between two cores</h3>" + table(["ratio", ""], [[html.escape(w), verdict(r)] for w, r in q["ratios"].items()]))
    parts.append(table(["ns", "median", "quickest"], [[m.replace("_", " "), "%.1f" % compare.median(v), "%.1f" % min(v)] for m, v in q["times"].items()]))
    return "".join(parts)


WHAT = {"rx": "the burst that found the frame", "net": "Ethernet, IPv4, UDP", "decode": "MoldUDP64, lines, input record, ITCH, best price", "book": "the book's change",
        "strategy": "market data to intent, and the order on its way to the port", "gate": "risk gate", "encode": "order, OUCH, SoupBinTCP, journal record", "tcp": "prepare and commit",
        "tx": "the burst that takes the frame", "loop": "the loop, between them", "total": "from the burst that found the cause to the order's burst"}


def stages(out, s):
    rows = [[name, WHAT[name]] + ["%.0f" % d[c] for c in ("min", "p50", "p90", "p99", "p99.9", "max")] for name, d in s["stages"].items() if d is not None]
    return ("<p>Each stage's own time, without the stages it calls; medians of %d rounds, %d orders. A pair of stamps costs %.1f ns, which is in every row; "
            "the data plane that trades has none.</p>" % (len(s["runs"]["gannet with stamps"]), s["orders"], s["pair_ns"]) +
            table(["ns", "", "min", "p50", "p90", "p99", "p99.9", "max"], rows) + wire(out, "stages", s))


def outliers(results):
    rows = []
    for p in results[0]["points"]:
        for o in p["outliers"][:3]:
            rows.append([p["rate"], "%.6f" % (o["at_ns"] / 1e9), us(o["from_send"]), us(o["from_schedule"]), us(o["uncertain_by"])])
    return table(["messages/s", "s into the point", "from send, us", "from schedule, us", "stamp uncertain by, us"], rows)


def load(out, s):
    parts = ['<p class="bad">%s: %s</p>' % (who, html.escape("; ".join(why[:4]))) for who, why in s["disturbed"].items() if why]
    rows, curves = [], []
    for who, results in s["runs"].items():
        for pc in ("p50", "p99"):
            curves.append(("%s %s" % (who, pc), [(p["rate"], p["from_schedule"][pc] / 1e3) for p in results[0]["points"]
                                                  if p["burst"] == 1 and p["from_schedule"].get(pc)]))
        for p in results[0]["points"]:
            d, e = p["from_send"], p["from_schedule"]
            if d["count"]:
                rows.append([who, p["rate"], p["burst"], p["every"]] + [us(d[c]) for c in ("p50", "p99", "p99.9", "max")] + [us(e["p99"]), us(e["max"]),
                            "%d of %d" % (p["answered"], p["expected"])])
    parts.append(table(["", "messages/s", "burst", "every nth answered", "p50", "p99", "p99.9", "max", "from schedule p99", "max", "answered"], rows))
    parts.append(picture(plots.load_curve(os.path.join(out, "load.svg"), "latency from the schedule by load", curves)) if plots.there() else "")
    parts.append("<h3>Slowest answers</h3>" + outliers(s["runs"]["gannet"]))
    return "".join(parts)


# What others published for the same question, or a part of it; us.
ANCHORS = (("FPGA, tick to trade", ("0.115", "", "0.140", "", "")),
           ("nxAccess, software on kernel bypass, tick to trade", ("1.5", "", "", "", "")),
           ("OnixS iLink 3 handler, receive alone", ("0.037 to 0.065", "", "", "", "")),
           ("OnixS iLink 3 handler, send alone", ("0.046", "", "", "", "")))


def t1(s):
    parts = ["<p>Source: %s. From the start of the message that moved a price to the start of the order's frame, lines A and B.</p>" % html.escape(s["source"])]
    if s["disturbed"]:
        parts.append('<p class="bad">The machine was disturbed; these are not results: %s</p>' % html.escape("; ".join(s["disturbed"][:4])))
    rows = []
    for r in s["rows"]:
        for kind in ("resolved", "from_send", "from_schedule"):
            d = r[kind]
            if d is not None:
                rows.append(["%gx, %s" % (r["speed"], kind.replace("_", " ")), d["count"]] + [us(d[c]) for c in ("mean", "p50", "p99", "max", "deviation")])
    rows += [["published: %s" % html.escape(who), ""] + list(values) for who, values in ANCHORS]
    return "".join(parts) + table(["us", "orders", "mean", "p50", "p99", "max", "deviation"], rows)


def hiccup(s):
    return table(["CPU", "gaps/s of 1 us and more", "p50", "p99", "max, us", "time lost", "forced switches"],
                 [[c["cpu"], "%.0f" % c["gaps_a_second"], us(c["p50"]), us(c["p99"]), us(c["max_ns"]), "%.4f%%" % (100 * c["lost_share"]), c["switches_forced"]]
                  for c in s["cpus"]])


SECTIONS = {
    "instructions": lambda out, name, s: "<pre>%s</pre>" % html.escape(s["text"]),
    "hiccup": lambda out, name, s: hiccup(s),
    "load": lambda out, name, s: load(out, s),
    "t1": lambda out, name, s: t1(s),
    "stages": lambda out, name, s: stages(out, s),
    "components": lambda out, name, s: components(out, s),
    "pingpong": lambda out, name, s: pingpong(out, s),
}


def write(out, result, drift):
    m = result["machine"]
    parts = ["<!doctype html><meta charset=utf-8><title>Gannet: latency</title><style>%s</style><h1>Latency</h1>" % STYLE,
             "<p>%s, %s CPUs, Linux %s, build %s, %s, profile %s</p>" % tuple(html.escape(str(x)) for x in (
                 m["cpu"], m["cpus"], m["kernel"], m["build"], m["time"], result["profile"])),
             "<p class=note>Open loop: every message has its time before the run begins. From the market-data frame handed to the harness's port to the "
             "order frame taken from it. <i>resolved</i>: answers that came while the harness was looking, stamps certain to 500 ns; <i>from schedule</i>: "
             "all answers, from when the message was due, the harness's own delays included. Ratios are medians over interleaved rounds. The echo takes one line's frame from one port and sends it back, "
             "as long as an order's, out of the orders' port; the others take both lines.</p>"]
    for line in drift or []:
        parts.append('<p class="bad">%s</p>' % html.escape(line))
    for name, s in result["suites"].items():
        parts.append("<h2>%s</h2>" % name)
        if "failed" in s:
            parts.append('<p class="bad">%s</p>' % html.escape(s["failed"]))
        else:
            parts.append(SECTIONS.get(name, wire)(out, name, s))
    with open(os.path.join(out, "report.html"), "w") as f:
        f.write("\n".join(parts))
