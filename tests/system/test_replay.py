"""A day of the real processes comes again from the journal alone: every record byte by byte, and the final state."""

import json
import os
import re
import shutil
import subprocess
import time

import harness


class Replay(harness.Case):
    def kill9(self, b, name):
        p = b.procs.pop(name)
        p.kill()
        p.wait()

    def replay(self, b, *args, config=None):
        p = b.ctl("replay", "--config", config or b.config, *args, check=False)
        try:
            return json.loads(p.stdout), p
        except ValueError:
            self.fail("gannetctl replay %s: %s" % (" ".join(args), p.stderr))

    def desk(self, b, times):
        for _ in range(times):
            p = subprocess.run([b.tool("gannet-example"), b.dir, "desk1", "GN0002"], capture_output=True, text=True, timeout=30)
            self.assertEqual(p.returncode, 0, p.stdout + p.stderr)

    def day(self):
        symbols = ["GN%04d" % i for i in range(1, 7)]
        strategies = [("maker", "maker", symbols[:1] + symbols[2:4], "{ qty: 100, edge_ticks: 1, skew_qty: 300, requote_us: 500, max_position: 1000 }"),
                      ("touch", "touch", symbols[4:], "{ qty: 1, every: 1, cross: 1 }"),
                      ("desk", "client", symbols[1:2], "client=desk1")]
        b = self.bench(rate=20000, sim=["--disconnect-after=1500", "--drop-a=1%", "--drop-b=1%", "--gap=0.02%", "--duplicate=1%", "--reorder=1%"], instruments=6, clients=["desk1"],
                       strategies=strategies, symbols=symbols)
        b.start()
        b.session_up()
        self.desk(b, 2)
        self.wait_for(b, "a loss of the session", lambda: b.status()["sessions"][0]["losses"] >= 1, 30)
        b.session_up()
        b.ctl("limits", "set", "GN0001", "max_qty", "90")
        b.ctl("kill", "level=halted", "scope=instrument", "name=GN0005", "a", "test")
        time.sleep(0.3)
        b.ctl("release", "scope=instrument", "name=GN0005", "goes", "on")
        b.ctl("kill", "another", "test")
        time.sleep(0.5)
        b.ctl("release", "goes", "on")
        self.trades_on(b)
        self.kill9(b, "dataplane")
        b.start_dataplane()
        b.session_up()
        self.wait_for(b, "the books", lambda: b.status()["feed_stale"] == 0, 30)
        self.desk(b, 1)
        self.trades_on(b)
        return b

    def test_a_day_with_losses_comes_again(self):
        b = self.day()
        b.pause_market()
        time.sleep(0.5)
        r, _ = self.replay(b, "--compare")
        self.assertTrue(r["ok"], r)
        self.assertEqual((r["differences"], r["region_differences"], r["same_config"], r["verified"]), (0, 0, True, True))
        self.assertEqual(r["lives"], 2)
        for what, least in (("messages", 1000), ("orders", 20), ("executions", 20), ("session_inputs", 100), ("cancels", 1)):
            self.assertGreaterEqual(r[what], least, what)
        # the orderly end has the digests of its state in the journal: they are an output like any other
        b.procs["sim"].send_signal(10)
        self.assertEqual(b.end("dataplane"), 0)
        self.assertEqual(b.end("controlplane"), 0)
        r, _ = self.replay(b)
        self.assertTrue(r["ok"], r)
        self.assertEqual((r["differences"], r["states_compared"], r["compared"] + r["carried"]), (0, 1, r["records"]))
        self.assertLess(r["carried"], 10, "records of one hand-over")
        self.assertGreater(r["times_real"], 1)
        print("replay: %d records, %d messages in %.2f s: %.0f times as fast, %.1f million events a second" % (
            r["records"], r["messages"], r["seconds"], r["times_real"], r["events_per_s"] / 1e6))
        again, _ = self.replay(b)
        self.assertEqual((again["state"], again["state_hash"]), (r["state"], r["state_hash"]))
        self.half_a_day(b, r)
        self.elsewhere(b, r)
        self.other_parameters(b)

    def test_speed(self):
        """Many messages over many instruments: what a core that does nothing else would replay a second."""
        b = self.started(rate=400000, instruments=50)
        time.sleep(6)
        b.pause_market()
        self.assertEqual(b.end("dataplane"), 0)
        self.assertEqual(b.end("controlplane"), 0)
        r, _ = self.replay(b)
        self.assertTrue(r["ok"], r)
        self.assertEqual((r["differences"], r["compared"]), (0, r["records"]))
        self.assertGreater(r["orders"], 10000)
        events = r["records"] - r["packets"] + r["messages"]
        print("replay: %d events, every output compared: %.1f million a second of its core, %.1f million with reading and verifying here" % (
            events, r["events_per_core_s"] / 1e6, r["events_per_s"] / 1e6))
        self.assertGreater(r["events_per_core_s"], 2e6)  # the number is measured on a quiet machine; this finds a collapse

    def half_a_day(self, b, whole):
        times = [json.loads(line)["time_ns"] for line in b.ctl("journal", "dump", "type=order").stdout.splitlines()]
        r, _ = self.replay(b, "--to", str(times[len(times) // 2]))
        self.assertTrue(r["ok"], r)
        self.assertEqual(r["differences"], 0)
        self.assertLess(r["records"], whole["records"])
        self.assertNotEqual(r["state_hash"], whole["state_hash"])

    def elsewhere(self, b, whole):
        """Another folder, no run directory, no password: nothing but the journal and the configuration."""
        to = os.path.join(b.dir, "elsewhere")
        shutil.copytree(b.disk, to)
        env = {"PATH": os.environ["PATH"]}
        p = subprocess.run([b.tool("gannet-replay"), "--config", b.config, "--journal", to], capture_output=True, text=True, env=env, cwd="/")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(json.loads(p.stdout)["state_hash"], whole["state_hash"])

    def other_parameters(self, b):
        with open(b.config) as f:
            text = f.read()
        other = os.path.join(b.dir, "other.yaml")
        with open(other, "w") as f:
            f.write(re.sub(r"edge_ticks: 1", "edge_ticks: 2", text))
        r, p = self.replay(b, "--any-config", config=other)
        self.assertEqual(p.returncode, 1)
        self.assertGreater(r["differences"], 0)
        self.assertIn("differs", r["first_difference"])
        r, p = self.replay(b, config=other)
        self.assertFalse(r["ok"])
        self.assertFalse(r["same_config"])


if __name__ == "__main__":
    harness.main()
