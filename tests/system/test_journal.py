"""The journal of a real run: the state rebuilt from it is the region's and the simulator's; checkpoints, proofs, damage."""

import json
import os
import sqlite3
import subprocess
import time

import harness


class Journal(harness.Case):
    def kill9(self, b, name):
        p = b.procs.pop(name)
        p.kill()
        p.wait()

    def same_as_simulator(self, state, sim):
        mine = {p["symbol"]: p for p in state["positions"]}
        fills = 0
        for t in sim["account"]["instruments"]:
            p = mine.get(t["symbol"])
            if p is None:
                self.assertEqual(t["executions"], 0, t["symbol"])
                continue
            fills += p["fills"]
            self.assertEqual((p["position"], p["bought"], p["sold"], int(p["cash"])), (t["position"], t["bought"], t["sold"], int(t["cash"])), t["symbol"])
        self.assertGreater(fills, 100)

    def state(self, b, *args):
        s = b.ctl_json("journal", "state", *args, check=False)
        p = b.ctl("journal", "state", "compare", check=False) if not s["ok"] else None
        self.assertTrue(s["ok"], p and p.stderr[:2000])
        self.assertEqual((s["unknown"], s["position_errors"]), (0, 0))
        return s

    def test_state_from_the_journal_alone(self):
        b = self.started(rate=50000)
        time.sleep(1)
        snapshot = os.path.join(b.dir, "state.snapshot")
        early = b.ctl_json("journal", "state", "snapshot=" + snapshot)
        b.ctl("limits", "set", "message_rate", "150000")
        time.sleep(1)
        b.pause_market()
        # the very engine on the journaled inputs comes to the same state, and writes the same records
        books = b.ask("books")["books"]
        time.sleep(0.3)
        r = json.loads(b.ctl("replay", "--config", b.config, "--compare", check=False).stdout)
        self.assertTrue(r["ok"], r)
        self.assertEqual((r["differences"], r["region_differences"], r["lives"], r["same_config"]), (0, 0, 1, True))
        self.assertEqual(r["packets"], b.metrics()["md_packets"])
        self.assertGreater(r["executions"], 100)
        self.assertGreater(len(books), 10)
        self.assertGreater(r["times_real"], 1)
        print("replay: %d records, %d messages, %.1f million events a second" % (r["records"], r["messages"], r["events_per_s"] / 1e6))
        # both processes die with orders open; nobody has tidied up, the last records are only in the rings
        working = b.status()["open_orders"]
        self.kill9(b, "controlplane")
        self.kill9(b, "dataplane")
        s = self.state(b, "compare")
        self.assertEqual(s["working"], working)
        self.assertGreater(s["records"], early["records"])
        self.assertGreater(s["limits"], 0)
        tail = self.state(b, "compare", "from=" + snapshot)
        self.assertEqual(tail["positions"], s["positions"])
        self.assertEqual(tail["records"], s["records"])
        # a control plane alone drains what was left and says the same
        b.start_controlplane()
        again = self.state(b, "compare")
        self.assertEqual(again["positions"], s["positions"])
        self.same_as_simulator(again, b.sim_account())
        self.assertEqual(b.end("controlplane"), 0)
        self.assertTrue(b.ctl_json("journal", "verify")["ok"])

    def test_sync_mode(self):
        """An order is at the venue only after it is on the disk: counted on the disk whenever the writer has just been killed."""
        b = self.started(rate=20000, overrides={"journal_mode": "sync", "stale": "500ms", "cancel": "20s"})
        for _ in range(3):
            time.sleep(0.7)
            self.kill9(b, "controlplane")
            time.sleep(0.1)
            m = self.counts(b)
            time.sleep(0.2)
            self.assertEqual(self.counts(b)["orders_sent"], m["orders_sent"])  # nobody writes: nothing leaves
            rows = [r.split(",") for r in b.ctl("journal", "dump", "type=order", "format=csv").stdout.strip().split("\n")[1:]]
            durable = sum(1 for r in rows if r[2] in ("new", "replace") and r[14] == "0")
            self.assertGreater(m["orders_sent"], 20)
            self.assertLessEqual(m["orders_sent"] + m["replaces_sent"], durable)
            b.start_controlplane()
            self.trades_on(b)
        status = b.status()
        self.assertEqual(status["journal"]["mode"], "sync")
        self.assertEqual(status["journal"]["no_correlation"], 0)
        b.pause_market()
        s = self.state(b, "compare")
        self.same_as_simulator(s, b.sim_account())
        m = self.counts(b)
        self.assertGreaterEqual(m["orders_held"], m["orders_sent"] + m["replaces_sent"])
        self.assertEqual((b.end("dataplane"), b.end("controlplane")), (0, 0))
        # the projection has what the state has
        db = os.path.join(b.dir, "projection.db")
        b.ctl("journal", "project", "db=" + db)
        rows = sqlite3.connect(db).execute("SELECT count(*), sum(filled) FROM orders").fetchone()
        bought = sqlite3.connect(db).execute("SELECT sum(bought + sold) FROM positions").fetchone()
        self.assertEqual(rows[1], bought[0])
        self.assertGreaterEqual(rows[0], s["orders"])

    def counts(self, b):
        m = b.ctl_json("metrics")["metrics"]
        return {n: sum(x["value"] for x in m if x["name"] == n) for n in ("orders_sent", "replaces_sent", "orders_held", "held_dropped")}

    def test_state_after_losses_and_a_kill(self):
        b = self.started(rate=20000, sim=["--disconnect-after=200"])
        self.wait_for(b, "two losses of the session", lambda: b.status()["sessions"][0]["losses"] >= 2, 30)
        b.session_up()
        harness.demo.kill(b)
        b.pause_market()
        s = self.state(b, "compare")
        self.assertEqual(s["working"], 0)
        self.same_as_simulator(s, b.sim_account())

    def test_checkpoints_and_proofs(self):
        b = self.started(rate=20000)
        time.sleep(1.3)
        kept = os.path.join(b.dir, "kept.checkpoint")
        mine = b.ctl_json("journal", "checkpoint", "out=" + kept)
        self.assertGreaterEqual(mine["number"], 1)
        time.sleep(1.2)
        self.finish(b)
        key = "key=" + os.path.join(b.dir, "journal.key.pub")
        self.assertEqual(os.stat(os.path.join(b.dir, "journal.key")).st_mode & 0o777, 0o600)
        v = b.ctl_json("journal", "verify", key, "checkpoint=" + kept)
        self.assertTrue(v["ok"] and v["closed_clean"])
        self.assertEqual((v["keys"], v["unsigned_records"], v["witnesses"]), (1, 0, 2))
        self.assertGreaterEqual(v["checkpoints"], 3)
        fill = json.loads(b.ctl("journal", "executions", "limit=1").stdout)
        proof = os.path.join(b.dir, "proof.json")
        with open(proof, "w") as f:
            f.write(b.ctl("journal", "prove", "ring=%d" % fill["ring"], "seq=%d" % fill["seq"]).stdout)
        shown = json.loads(b.ctl("journal", "verify-proof", proof, key).stdout)
        self.assertEqual((shown["match"], shown["order_id"]), (fill["match"], fill["order_id"]))
        with open(proof) as f:
            text = f.read()
        at = text.index('"bytes":"') + 9 + 2 * 140
        with open(proof, "w") as f:
            f.write(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:])
        self.assertNotEqual(b.ctl("journal", "verify-proof", proof, key, check=False).returncode, 0)
        with open(proof, "w") as f:
            f.write(b.ctl("journal", "prove-consistency", "from=1", "to=2").stdout)
        self.assertIn("continues", b.ctl("journal", "verify-proof", proof, key).stdout)
        # one order, by the index, is what a walk finds
        order = "%x" % fill["order_id"]
        rows = b.ctl("journal", "dump", "order=" + order, "format=csv").stdout.strip().split("\n")
        self.assertGreaterEqual(len(rows), 4)
        every = [r for r in b.ctl("journal", "dump", "type=order", "type=exec", "format=csv").stdout.split("\n") if order in r]
        self.assertEqual(sorted(rows[1:]), sorted(every))
        # the tail cut off cleanly: the head file misses it
        names = sorted(n for n in os.listdir(b.disk) if n.endswith(".gnj"))
        first = os.path.join(b.disk, names[0])
        with open(first, "r+b") as f:
            f.seek(8192)
            f.write(bytes(os.path.getsize(first) - 8192))
        p = subprocess.run([b.tool("gannetctl"), "--journal", b.disk, "--json", "journal", "verify"], capture_output=True, text=True)
        self.assertEqual(p.returncode, 1)
        self.assertIn(json.loads(p.stdout)["damage"]["kind"], ("truncated", "hole", "edit"))


harness.main()
