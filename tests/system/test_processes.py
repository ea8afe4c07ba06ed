"""Death of either process, loss of the venue, and who is in control: nothing is lost, nothing is sent that nobody
watches."""

import os
import signal
import subprocess
import time

import harness


class Processes(harness.Case):
    def kill9(self, b, name):
        p = b.procs.pop(name)
        p.kill()
        p.wait()

    def test_control_plane_dies_and_comes_back(self):
        b = self.started(rate=50000, overrides={"stale": "500ms", "cancel": "10s"})
        for _ in range(3):
            time.sleep(0.7)
            self.kill9(b, "controlplane")
            time.sleep(0.2)
            b.start_controlplane()
            self.trades_on(b)
        # the journal is counted against what the lcores report: exactly once, over four lives of the writer
        r = self.finish(b)
        self.assertEqual(r["journal"]["types"].get("lifecycle", 0) >= 4, True)

    def test_control_plane_dies_for_good(self):
        b = self.started(rate=20000, overrides={"stale": "300ms", "cancel": "1s"})
        time.sleep(1)
        self.kill9(b, "controlplane")
        time.sleep(2)
        s = b.ctl_json("status")["status"]
        self.assertEqual(s["controlplane"]["state"], "dead")
        self.assertEqual(s["kill"][0]["level"], "killed")
        self.assertEqual(s["kill"][0]["who"], "dataplane")
        self.assertEqual(s["open_orders"], 0)
        before = self.sent(b)
        time.sleep(0.5)
        self.assertEqual(self.sent(b), before)

    def sent(self, b):
        m = b.ctl_json("metrics")["metrics"]
        return sum(x["value"] for x in m if x["name"] in ("orders_sent", "replaces_sent"))

    def test_kill_without_a_control_plane(self):
        b = self.started(rate=20000, overrides={"stale": "5s", "cancel": "60s"})
        time.sleep(1)
        self.kill9(b, "controlplane")
        reply = b.ctl_json("--who", "night watch", "kill", "something smells")
        self.assertEqual(reply["source"], "shared memory")
        time.sleep(0.5)
        s = b.ctl_json("status")["status"]
        self.assertEqual((s["kill"][0]["level"], s["kill"][0]["who"]), ("killed", "night watch"))
        self.assertEqual(s["open_orders"], 0)
        before = self.sent(b)
        time.sleep(0.3)
        self.assertEqual(self.sent(b), before)
        self.assertEqual(b.ctl("release", "all", "good", check=False).returncode, 1)
        b.start_controlplane()
        self.assertEqual(b.status()["kill"][0]["level"], "killed", "a new control plane never re-arms by itself")
        b.ctl("--who", "risk officer", "release", "looked", "at", "it")
        self.trades_on(b)
        self.finish(b)

    def test_data_plane_dies_with_orders_open(self):
        b = self.started(rate=50000)
        for i in range(6):
            time.sleep(0.5 + 0.07 * i)
            self.assertGreater(b.status()["open_orders"], 0)
            self.kill9(b, "dataplane")
            time.sleep(0.2)
            self.assertEqual(b.status()["dataplane"]["state"], "dead")
            b.start_dataplane()
            b.session_up()
            self.wait_for(b, "the books", lambda: b.status()["feed_stale"] == 0, 20)
            self.trades_on(b)
        killed = harness.demo.kill(b)
        self.assertEqual(killed["resting"], 0)
        b.pause_market()
        positions = {p["symbol"]: p for p in b.ask("positions")["positions"]}
        books = {k["symbol"]: k for k in b.ask("books")["books"]}
        self.assertEqual(b.end("dataplane"), 0)
        sim = b.sim_account()
        for t in sim["account"]["instruments"]:
            p = positions[t["symbol"]]
            self.assertEqual((p["position"], p["bought"], p["sold"], int(p["cash"])), (t["position"], t["bought"], t["sold"], t["cash"]), t["symbol"])
        for k in sim["books"]["list"]:
            self.assertEqual(books[k["symbol"]]["digest"], k["digest"], k["symbol"])
        self.assertEqual(b.end("controlplane"), 0)
        self.assertTrue(b.ctl_json("journal", "verify")["ok"])

    def test_venue_disconnects_in_mid_trade(self):
        b = self.started(rate=20000, sim=["--disconnect-after=150"])
        self.wait_for(b, "three losses of the session", lambda: b.status()["sessions"][0]["losses"] >= 3, 30)
        b.session_up()
        s = b.status()["sessions"][0]
        self.assertEqual(s["in_doubt"], 0)
        killed = harness.demo.kill(b)
        b.pause_market()
        positions = {p["symbol"]: p for p in b.ask("positions")["positions"]}
        sim = b.sim_account()
        self.assertEqual(killed["resting"], 0)
        for t in sim["account"]["instruments"]:
            p = positions.get(t["symbol"])
            if p is None:
                self.assertEqual(t["executions"], 0)
                continue
            self.assertEqual((p["position"], int(p["cash"])), (t["position"], t["cash"]), t["symbol"])

    def test_second_data_plane_is_refused(self):
        b = self.started()
        p = subprocess.run([b.tool("gannet-dataplane"), "--region", os.path.join(b.dir, "plane")], capture_output=True, text=True, timeout=30)
        self.assertEqual(p.returncode, 1)
        self.assertIn("another data plane", p.stderr)
        self.trades_on(b)
        self.finish(b)

    def test_data_plane_under_a_dead_control_plane_does_not_trade(self):
        b = self.started(overrides={"stale": "300ms", "cancel": "60s"})
        self.kill9(b, "dataplane")
        self.kill9(b, "controlplane")
        b.spawn("dataplane", [b.tool("gannet-dataplane"), "--region", os.path.join(b.dir, "plane")])
        b.wait_for("the data plane", lambda: b.ctl_json("status")["status"]["dataplane"]["state"] == "running", 20)
        before = self.sent(b)
        time.sleep(1.5)
        self.assertEqual(self.sent(b), before)

    def test_an_orderly_end_leaves_nothing_at_the_venue(self):
        b = self.started(rate=20000)
        self.wait_for(b, "open orders", lambda: b.status()["open_orders"] > 20)
        self.assertEqual(b.end("dataplane"), 0)
        self.assertEqual(b.status()["open_orders"], 0)
        self.assertEqual(b.sim_account()["account"]["total"]["open_orders"], 0)

    def test_control_plane_that_died_while_it_made_the_region(self):
        b = self.bench(instruments=4)
        b.start_controlplane()
        self.kill9(b, "controlplane")
        plane = os.path.realpath(os.path.join(b.dir, "plane"))
        with open(plane, "r+b") as f:
            f.write(bytes(8))  # as it is before it is sealed
        b.start_controlplane()
        self.assertTrue(b.status())

    def test_stops_in_order(self):
        b = self.started()
        for name in ("dataplane", "controlplane", "sim"):
            self.assertEqual(b.end(name), 0, b.log(name) if name in b.procs else "")
        self.assertFalse(os.path.exists(os.path.join(b.dir, "admin.sock")))


harness.main()
