"""The drills in their short form: each holds its promises; and a drill whose promise is broken says so."""

import json
import os
import subprocess
import sys

import harness

DRILLS = os.path.join(harness.ROOT, "tools", "drills")
sys.path.insert(0, DRILLS)


class Drills(harness.Case):
    def record(self, name):
        p = subprocess.run([os.path.join(DRILLS, "run"), name, "--short", "--build", os.path.abspath(os.path.join(harness.ROOT, harness.BUILD))],
                           capture_output=True, text=True, timeout=120)
        self.assertTrue(p.stdout.strip(), p.stderr)
        r = json.loads(p.stdout)
        print("%s: %s ms %s" % (r["drill"], r["took_ms"], json.dumps(r["measurements"])))
        self.assertEqual(r["findings"], [], json.dumps(r["steps"]))
        self.assertEqual((p.returncode, r["ok"], r["drill"]), (0, True, name))
        self.assertTrue(r["steps"] and r["measurements"])
        return r["measurements"]

    def test_kill_under_load(self):
        m = self.record("kill_under_load")
        self.assertGreaterEqual(m["open_before_p50"], 900)
        self.assertLess(m["last_ack_ms_max"], 10000)

    def test_kill_triggers(self):
        self.record("kill_triggers")

    def test_journal_failed(self):
        harness.need_root()
        self.assertIn("journal", self.record("journal_failed")["killed_by"])

    def test_control_plane_killed(self):
        self.record("control_plane_killed")

    def test_data_plane_killed(self):
        self.assertGreater(self.record("data_plane_killed")["resting_while_dead"], 0)

    def test_venue_disconnect(self):
        self.record("venue_disconnect")

    def test_stale_feed(self):
        self.assertGreater(self.record("stale_feed")["blocked_market_stale"], 0)

    def test_runaway_strategy(self):
        self.record("runaway_strategy")

    def test_position_mismatch(self):
        self.record("position_mismatch")

    def test_limits_tightened_under_load(self):
        self.record("limits_tightened_under_load")

    def test_a_broken_promise_fails(self):
        p = subprocess.run([os.path.join(DRILLS, "run"), "nonsense"], capture_output=True, text=True)
        self.assertEqual(p.returncode, 2)
        self.assertIn("kill_under_load", p.stderr)
        import drill

        def lying(d):
            d.promise(False, "water is dry")

        def falling(d):
            raise harness.Failed("it did not start")

        self.assertEqual(drill.perform("lying", lying)["findings"], ["water is dry"])
        self.assertFalse(drill.perform("lying", lying)["ok"])
        self.assertFalse(drill.perform("falling", falling)["ok"])

    def test_emergency_stop_names_what_it_does_not_find(self):
        stop = os.path.join(harness.ROOT, "tools", "emergency-stop")
        b = self.bench(instruments=2)
        env = dict(os.environ, GANNETCTL=b.tool("gannetctl"))
        for args, status, wanted in ((["--all", "--root", b.disk], 2, "no appliance under"), (["--wait", "x"], 2, "whole seconds"), (["--nonsense"], 2, "--help"),
                                     (["--dir"], 2, "needs a value"), (["--dir", b.dir], 1, "COULD NOT BE THROWN")):
            p = subprocess.run([stop] + args, capture_output=True, text=True, env=env)
            self.assertEqual(p.returncode, status, args)
            self.assertIn(wanted, p.stdout + p.stderr)


harness.main()
