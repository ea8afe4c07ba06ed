"""The latency harness in its shortest profile: not how fast anything is, but that what it says is complete and agrees with
itself, and that it says when it does not know."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest.mock
import xml.etree.ElementTree

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "bench", "harness"))

import baseline  # noqa: E402
import compare  # noqa: E402
import components  # noqa: E402
import flame  # noqa: E402
import sessions  # noqa: E402

RUN = os.path.join(harness.ROOT, "bench", "harness", "run.py")


def result_of(p50, gap=0, unanswered=0):
    d = {"count": 1000, "p50": p50, "p99": 2 * p50, "mean": p50, "deviation": 1.0, "min": p50, "max": 2 * p50, "histogram": [[p50, 990], [2 * p50, 10]]}
    return {"points": [{"rate": 1000, "took_ns": 10 ** 9, "expected": 1000, "answered": 1000 - unanswered, "unanswered": unanswered,
                        "resolved": d, "from_send": d, "from_schedule": d, "harness": {"gap_lost_ns": gap}}],
            "machine": {"seconds": 1.0, "forced_switches": {}, "steal_share": 0.0, "others_share": 0.0}}


class Run(harness.Case):
    def check_point(self, p, every=1):
        self.assertEqual(p["expected"], p["answered"] + p["unanswered"])
        self.assertEqual(p["answered_twice"], 0)
        self.assertAlmostEqual(p["expected"], p["messages"] / every, delta=1)
        self.assertGreater(p["answered"], 0)
        self.assertLessEqual(len(p["outliers"]), 16)
        for kind in ("from_schedule", "from_send", "resolved"):
            d = p[kind]
            self.assertEqual(sum(n for _, n in d.get("histogram", [])), d["count"])
            if d["count"]:
                order = [d[k] for k in ("min", "p25", "p50", "p75", "p90", "p99", "p99.9", "p99.99", "p99.999", "max")]
                self.assertEqual(order, sorted(order))
                self.assertGreater(d["min"], 0)
        self.assertEqual(p["from_send"]["count"], p["answered"])
        self.assertEqual(p["from_schedule"]["count"], p["answered"])
        self.assertLessEqual(p["resolved"]["count"], p["answered"])
        # a message never leaves before its time, so nothing can look faster from the schedule than from the send
        for k in ("min", "p50", "p99", "max"):
            self.assertGreaterEqual(p["from_schedule"][k], p["from_send"][k])
        self.assertEqual(p["outliers"][0]["from_send"], p["from_send"]["max"])
        self.assertGreaterEqual(p["took_ns"], 0.99e6 * p["ms"])

    def test_smoke(self):
        with tempfile.TemporaryDirectory() as out:
            build = harness.BUILD
            p = subprocess.run([sys.executable, RUN, "--profile", "smoke", "--no-hugepages", "--build", build, "--out", out, "wire", "pingpong", "components", "stages", "load", "t1", "hiccup"],
                               capture_output=True, text=True, timeout=120)
            self.assertEqual(p.returncode, 0, p.stdout[-2000:] + p.stderr[-2000:])
            with open(os.path.join(out, "result.json")) as f:
                r = json.load(f)
            with open(os.path.join(out, "report.html")) as f:
                page = f.read()
        self.assertEqual(set(r["suites"]), {"wire", "pingpong", "components", "stages", "load", "t1", "hiccup"})
        for suite in ("wire", "load"):
            for name, results in r["suites"][suite]["runs"].items():
                for one in results:
                    self.assertEqual(one["mode"], "echo" if name == "echo" else "tick-to-trade")
                    self.assertEqual(one["unexpected"], 0)
                    for point in one["points"]:
                        self.check_point(point, point["every"])
                    if name == "gannet":
                        answered = sum(q["answered"] for q in one["points"])
                        self.assertGreaterEqual(one["appliance"]["orders_sent"], answered)
                        self.assertGreaterEqual(one["venue"]["orders"]["messages_in"], answered)
        for row in r["suites"]["t1"]["rows"]:
            self.assertGreater(row["from_send"]["count"], 0)
            self.assertGreater(row["messages"], 0.5 * 20000 * row["speed"] * 0.2)
        # one round is no basis for a number
        for what, ratio in r["suites"]["wire"]["ratios"].items():
            self.assertNotIn("value", ratio, what)
            self.assertTrue(ratio["disturbed"])
        for cpu in r["suites"]["hiccup"]["cpus"]:
            self.assertTrue(0 <= cpu["lost_share"] <= 1 and cpu["p50"] <= cpu["p99"] <= cpu["max_ns"])
        self.check_stages(r["suites"]["stages"])
        self.check_components(r["suites"]["components"])
        self.check_pingpong(r["suites"]["pingpong"])
        self.assertIn("ours / echo at p50", page)
        self.assertIn("gannet / echo at p50", page)
        self.assertIn("no number", page)


    def check_stages(self, s):
        self.assertGreater(s["orders"], 300)
        self.assertGreater(s["pair_ns"], 0)
        for name in ("rx", "net", "decode", "book", "strategy", "gate", "encode", "tcp", "tx", "total"):
            self.assertGreater(s["stages"][name]["p50"], 0, name)
        # the stages are parts of the whole
        self.assertLessEqual(sum(d["min"] for name, d in s["stages"].items() if name != "total"), s["stages"]["total"]["max"])
        self.assertLessEqual(s["stages"]["decode"]["p50"], s["stages"]["total"]["p50"])

    def check_components(self, s):
        rows = {(r["name"], r["by"]): r for r in s["growth"]["rows"]}
        self.assertLessEqual({("gate_new", by) for by in ("instruments", "strategies", "open_orders")} |
                             {("book_delete_add", "live_orders"), ("ouch_enter", "order"), ("crc32c", "bytes"), ("journal_record", "payload_bytes")}, set(rows))
        if s["growth"]["not_counted"] is None:
            # what does not look at all of them must not cost more when there are more
            for key in (("gate_new", "instruments"), ("gate_new", "strategies"), ("gate_new", "open_orders"), ("gate_cancel", "open_orders"),
                        ("book_delete_add", "live_orders"), ("book_best_level", "levels")):
                self.assertLess(abs(rows[key]["exponent"]), 0.1, key)
            self.assertGreater(rows["crc32c", "bytes"]["exponent"], 0.7)
        self.assertEqual({len(v) for v in s["queues"]["times"].values()}, {2})

    def check_pingpong(self, s):
        runs = dict(s["wires"]["memif"]["runs"])
        self.assertLessEqual({"echo", "ours"}, set(runs))
        runs.update(s["wires"].get("af_xdp", {"runs": {}})["runs"])
        for who, results in runs.items():
            for r in results:
                self.assertEqual(r["done"], r["rounds"], who)
                d = r["round_trip"]
                # one in ten is for warming; every other round was timed, and all of them together took that long
                self.assertEqual(d["count"], r["rounds"] - r["rounds"] // 10, who)
                self.assertEqual(sum(n for _, n in d["histogram"]), d["count"])
                self.assertLessEqual(d["mean"] * d["count"], r["took_ns"] * 1.001, who)
                self.assertGreater(d["min"], 50, who)
        for row in s["segments"].get("rows", []):
            self.assertGreaterEqual(row["ratio"], 3, row["what"])


class Stall(harness.Case):
    def test_stall_is_seen_by_all_that_were_due(self):
        """Stops the system under test for 100 ms: every message due meanwhile has to show it, not just one."""
        measure = sessions.Session.measure

        def stopped_meanwhile(s, watched):
            pid = s.procs["echo"].pid
            timers = [threading.Timer(at, os.kill, (pid, sig)) for at, sig in ((1.2, signal.SIGSTOP), (1.3, signal.SIGCONT))]
            for t in timers:
                t.start()
            try:
                return measure(s, watched)
            finally:
                for t in timers:
                    t.join()

        with unittest.mock.patch.object(sessions.Session, "measure", stopped_meanwhile):
            r = sessions.echo(harness.BUILD, "memif", [dict(rate=1000, ms=1500)], hugepages=False)
        p = r["points"][0]
        self.assertEqual(p["expected"], 1501)
        for kind in ("from_send", "from_schedule"):
            late = sum(n for ns, n in p[kind]["histogram"] if ns > 20000000)
            self.assertGreater(late, 60, kind)
            self.assertGreater(p[kind]["max"], 80000000, kind)


class Flame(harness.Case):
    PERF = """rte-worker-1
\t    55d1 gn_gate_check+0x1c
\t    55d0 gn_stage_orders_intent+0x10
\t    55cf gn_loop_run+0x99

rte-worker-1
\t    55cf gn_loop_run+0x99

gannet-dataplan
\t    1 main+0x1
"""
    CALLGRIND = """fn=(1) count'main
1 10
calls=1 5
2 300
fn=(2) gate'count'main
+3 40
fn=(1)
* 5
"""

    def test_stacks(self):
        self.assertEqual(flame.folded_of_perf(self.PERF, "rte-worker"), {("gn_loop_run", "gn_stage_orders_intent", "gn_gate_check"): 1, ("gn_loop_run",): 1})
        # what a call costs is the callee's own, not the caller's once more
        self.assertEqual(flame.folded_of_callgrind(self.CALLGRIND), {("count",): 15, ("count", "gate"): 40})

    def test_picture(self):
        picture = xml.etree.ElementTree.fromstring(flame.svg({("a", "b<c>"): 75, ("a",): 25, ("d",): 100}, "title", "samples"))
        boxes = {g[0].text: float(g[1].get("width")) for g in picture.iter("{http://www.w3.org/2000/svg}g")}
        self.assertEqual(set(boxes), {"all: 200 samples, 100.00%", "a: 100 samples, 50.00%", "b<c>: 75 samples, 37.50%", "d: 100 samples, 50.00%"})
        self.assertAlmostEqual(boxes["a: 100 samples, 50.00%"], boxes["d: 100 samples, 50.00%"])
        self.assertAlmostEqual(boxes["b<c>: 75 samples, 37.50%"], 0.375 * 1200, delta=1)
        with self.assertRaises(harness.Failed):
            flame.svg({}, "title", "samples")


class Statistics(harness.Case):
    def test_exponent(self):
        for e in (0.0, 0.5, 1.0, 2.0):
            self.assertAlmostEqual(components.exponent([(n, 7 * n ** e) for n in (10, 100, 1000, 10000)]), e)
        self.assertIsNone(components.exponent([(10, 5)]))

    def test_ratio(self):
        r = compare.ratio([result_of(v) for v in (1500, 1540, 1470, 1510)], [result_of(1000)] * 4, 0, "p50")
        self.assertAlmostEqual(r["value"], 1.505)
        self.assertTrue(1.47 <= r["low"] <= r["value"] <= r["high"] <= 1.54)
        self.assertEqual((r["pairs"], r["of"]), (4, 4))

    def test_disturbed_is_no_number(self):
        ours, floor = [result_of(1500)] * 6, [result_of(1000)] * 6
        self.assertIn("value", compare.ratio(ours, [result_of(1000, gap=10 ** 9)] * 2 + floor[2:], 0, "p50"))
        for bad in (dict(gap=2 * 10 ** 8), dict(unanswered=5)):
            r = compare.ratio(ours, [result_of(1000, **bad)] * 6, 0, "p50")
            self.assertNotIn("value", r)
            self.assertTrue(r["disturbed"])
        stolen = [result_of(1500) for _ in range(6)]
        for s in stolen:
            s["machine"]["steal_share"] = 0.05
        self.assertNotIn("value", compare.ratio(ours, [dict(result_of(1000), hugepages_missing="memory is short")] * 6, 0, "p50"))
        self.assertIn("hypervisor", compare.ratio(stolen, floor, 0, "p50")["disturbed"][0])

    def test_cores_that_moved_are_not_compared(self):
        near, far = [dict(result_of(1000), core_distance_ns=110)] * 5, [dict(result_of(1500), core_distance_ns=400)] * 5
        self.assertIn("400", compare.ratio(far, near, 0, "p50")["disturbed"][0])
        self.assertAlmostEqual(compare.ratio([dict(r, core_distance_ns=120) for r in far], near, 0, "p50")["value"], 1.5)

    def test_baseline(self):
        def result(value):
            return {"machine": {}, "profile": "quick", "suites": {"wire": {"wire": "memif", "ratios": {
                "gannet / echo at p50": {"value": value, "low": value - 0.02, "high": value + 0.02, "pairs": 5, "of": 5}}}}}
        with tempfile.TemporaryDirectory() as d:
            path, key, other = (os.path.join(d, n) for n in ("baseline", "key", "other"))
            for name in (key, other):
                with open(name, "wb") as f:
                    f.write(name.encode() * 40)
            baseline.save(path, key, result(1.5))
            self.assertEqual(baseline.drift(baseline.load(path, key), result(1.52)), [])
            self.assertEqual(len(baseline.drift(baseline.load(path, key), result(1.9))), 1)
            with self.assertRaises(harness.Failed):
                baseline.load(path, other)
            # weekly: the newest one counts, and what drifted is told to a command
            week = os.path.join(d, "weeks")
            self.assertIsNone(baseline.newest(week))
            for day, value in (("14", 1.5), ("21", 1.9), ("07", 1.2)):
                kept = result(value)
                kept["machine"]["time"] = "2030-01-%sT06:00:00Z" % day
                baseline.keep(week, key, kept)
            self.assertTrue(baseline.newest(week).endswith("baseline-20300121T060000Z.json"))
            sentences = baseline.drift(baseline.load(baseline.newest(week), key), result(1.5))
            told = os.path.join(d, "told")
            self.assertEqual(baseline.alert("cat > '%s'" % told, sentences), 0)
            with open(told) as f:
                self.assertIn("was 1.90", f.read())
            with open(path) as f:
                text = f.read()
            with open(path, "w") as f:
                f.write(text.replace("1.5,", "1.4,").replace('"value": 1.5', '"value": 1.4'))
            with self.assertRaises(harness.Failed):
                baseline.load(path, key)


harness.main()
