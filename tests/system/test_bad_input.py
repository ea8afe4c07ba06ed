"""What goes wrong is said: what, where, what was found, what is allowed. Never a crash, never silence."""

import os
import struct
import subprocess
import time

import harness


class BadInput(harness.Case):
    def refused(self, b, edit, *wanted):
        with open(b.config) as f:
            text = f.read()
        changed = edit(text)
        self.assertNotEqual(changed, text)
        path = os.path.join(b.dir, "bad.yaml")
        with open(path, "w") as f:
            f.write(changed)
        p = subprocess.run([b.tool("gannet-controlplane"), "--config", path, "--check"], capture_output=True, text=True,
                           env=dict(os.environ, GANNET_OE1_PASSWORD="x"))
        self.assertEqual(p.returncode, 1)
        for w in wanted:
            self.assertIn(w, p.stderr)

    def test_configs(self):
        b = self.bench(instruments=2)
        self.refused(b, lambda t: t.replace("journal:", "jurnal:"), 'unknown key "jurnal"', "bad.yaml:")
        self.refused(b, lambda t: t.replace("gap_request: 500us", "gap_request: 500"), "gap_request", "us")
        self.refused(b, lambda t: t.replace("gap_request: 500us", "gap_request: 500kg"), "gap_request", "kg")
        self.refused(b, lambda t: t.replace("kind: memif", "kind: memfi", 1), "memfi", "af_xdp")
        self.refused(b, lambda t: t.replace("core: 0", "core: 999") if "core: 0" in t else t.replace("core: 1", "core: 999"), "999")

    def test_missing_limit_rejects(self):
        b = self.started(instruments=2, overrides={"instrument_limits": {"max_position": None}})
        self.wait_for(b, "verdict no_limit", lambda: b.metrics()["gate_verdicts{no_limit}"] > 5)
        self.assertEqual(b.metrics()["orders_sent"], 0)
        self.assertIn("max_position", b.log("controlplane", 40))

    def dataplane(self, b, region=None):
        return subprocess.run([b.tool("gannet-dataplane"), "--region", region or os.path.join(b.dir, "plane")], capture_output=True, text=True, timeout=60)

    def test_regions(self):
        b = self.bench(instruments=2)
        p = self.dataplane(b)
        self.assertEqual(p.returncode, 1)
        self.assertIn("is the control plane running", p.stderr)
        b.start_controlplane()
        plane = os.path.realpath(os.path.join(b.dir, "plane"))
        for offset, value, wanted in ((8, 999, "ABI version 999, this program speaks 1"), (16, 12345, "layout hash"), (0, 0, "no Gannet region")):
            with open(plane, "r+b") as f:
                f.seek(offset)
                was = f.read(8 if offset != 8 else 4)
                f.seek(offset)
                f.write(struct.pack("<Q" if offset != 8 else "<I", value))
                f.flush()
                p = self.dataplane(b)
                f.seek(offset)
                f.write(was)
            self.assertEqual(p.returncode, 1)
            self.assertIn(wanted, p.stderr)

    def test_missing_ports(self):
        b = self.bench(instruments=2)
        b.start_controlplane()
        p = self.dataplane(b)
        self.assertEqual(p.returncode, 1)
        self.assertIn("nobody serves the socket", p.stderr)
        self.assertIn("feed_a", p.stderr)

    def test_busy_core(self):
        b = self.bench(instruments=2)
        core = b.lcores()[0][0]
        hogs = [subprocess.Popen(["taskset", "-c", str(core), "python3", "-c", "while True: pass"]) for _ in range(2)]
        try:
            b.start()
            self.assertIn("core %d is busy" % core, b.log("dataplane"))
        finally:
            for h in hogs:
                h.kill()
                h.wait()

    def test_config_of_another_region(self):
        b = self.bench(instruments=2)
        b.start_controlplane()
        b.end("controlplane")
        with open(b.config, "a") as f:
            f.write("\n# changed\n")
        p = subprocess.run([b.tool("gannet-controlplane"), "--config", b.config], capture_output=True, text=True, timeout=60, env=dict(os.environ, GANNET_OE1_PASSWORD="x"))
        self.assertEqual(p.returncode, 1)
        self.assertIn("SHA-256", p.stderr)

    def test_second_control_plane_is_refused(self):
        b = self.bench(instruments=2)
        b.start_controlplane()
        p = subprocess.run([b.tool("gannet-controlplane"), "--config", b.config], capture_output=True, text=True, timeout=60, env=dict(os.environ, GANNET_OE1_PASSWORD="x"))
        self.assertEqual(p.returncode, 1)
        self.assertTrue(b.status())

    def test_no_hugepages(self):
        b = self.bench(instruments=2)
        with open(b.config) as f:
            text = f.read().replace("hugepages: false", "hugepages: true")
        with open(b.config, "w") as f:
            f.write(text)
        with open("/proc/sys/vm/nr_hugepages") as f:
            if int(f.read()) != 0:
                self.skipTest("hugepages are reserved here")
        b.start_sim()
        b.start_controlplane()
        p = self.dataplane(b)
        self.assertEqual(p.returncode, 1)
        self.assertIn("hugepages", p.stderr)

    def test_garbage_on_the_lines(self):
        b = self.started(rate=20000, sim=["--md-garbage=2%"])
        time.sleep(2)
        m = b.metrics()
        self.assertGreater(m["md_bad_packet"] + m["feed_wrong_session"] + m["feed_bad"], 20)
        killed = harness.demo.kill(b)
        self.assertEqual(killed["resting"], 0)
        b.pause_market()
        books = {k["symbol"]: k for k in b.ask("books")["books"]}
        for k in b.sim_account()["books"]["list"]:
            self.assertEqual(books[k["symbol"]]["digest"], k["digest"], k["symbol"])

    def test_garbage_on_the_order_session(self):
        b = self.started(rate=20000, sim=["--garbage-after=200"])
        self.wait_for(b, "the loss of the session", lambda: b.status()["sessions"][0]["losses"] >= 1, 20)
        b.session_up()
        self.assertGreaterEqual(b.metrics()["session_errors"], 1)
        self.finish(b)

    def test_venue_rejects_and_fills_in_parts(self):
        b = self.started(rate=20000, sim=["--reject-every=7", "--fill-chunk=3", "--part-fill-pct=50", "--ack-delay-us=300"])
        time.sleep(2)
        r = self.finish(b)
        self.assertGreater(r["orders"]["rejected_by_venue"], 5)

    def test_wrong_password(self):
        b = self.bench(instruments=2)
        b.start_sim()
        b.spawn("controlplane", [b.tool("gannet-controlplane"), "--config", b.config], env={"GANNET_OE1_PASSWORD": "wrong"})
        b.wait_for("the control plane", lambda: b.ask("version", quiet=True), 20)
        b.start_dataplane()
        self.wait_for(b, "the refusal", lambda: b.status()["sessions"][0]["state"] == "refused")
        self.assertEqual(b.metrics()["orders_sent"], 0)


harness.main()
