"""SIGKILL at random microseconds of either process, under load: whatever it was doing, starting up included. Afterwards
every event is in the journal exactly once, and books, positions, money and orders are those of the venue.

    python3 tests/system/test_killed.py [KILLS]      GN_SEED=n replays the choices of process and moment
"""

import os
import random
import sys
import time

import harness

KILLS = 200
LONGEST_LIFE_S = 0.6


class Killed(harness.Case):
    def spawn(self, b, name):
        if name == "dataplane":
            b.spawn(name, [b.tool("gannet-dataplane"), "--region", os.path.join(b.dir, "plane")])
        else:
            b.spawn(name, [b.tool("gannet-controlplane"), "--config", b.config])

    def revive(self, b, name):
        """A process that refused to start because the other was dying is started again; one that crashed is a failure."""
        p = b.procs[name]
        if p.poll() is not None:
            self.assertGreaterEqual(p.returncode, 0, "%s ended by signal %d\n%s" % (name, -p.returncode, b.log(name)))
            self.spawn(b, name)

    def kill_and_restart(self, b, rng, kills):
        lives = {"dataplane": 0, "controlplane": 0}
        for i in range(kills):
            time.sleep(rng.random() ** 2 * LONGEST_LIFE_S)
            name = rng.choice(sorted(lives))
            p = b.procs.pop(name)
            p.kill()
            p.wait()
            self.spawn(b, name)
            lives[name] += 1
            for other in lives:
                self.revive(b, other)
            if i % 8 == 7:  # let them live long enough to trade, so that there is something to lose
                self.settled(b)
                self.trades_on(b, 30)
        return lives

    def settled(self, b):
        def up():
            for name in ("controlplane", "dataplane"):
                self.revive(b, name)
            if not b.ask("version", quiet=True):
                return False
            s = b.status()
            return s["dataplane"]["state"] == "running" and s["sessions"][0]["state"] == "up" and s["feed_stale"] == 0
        b.wait_for("both processes, the session and the books", up, 60)
        if b.status()["kill"][0]["level"] != "active":  # a life without a control plane may have ended in a kill
            b.ctl("--who", "risk officer", "release", "after", "the", "crash")

    def compare(self, b):
        killed = harness.demo.kill(b)
        self.assertEqual(killed["resting"], 0)
        b.pause_market()
        positions = {p["symbol"]: p for p in b.ask("positions")["positions"]}
        books = {k["symbol"]: k for k in b.ask("books")["books"]}
        numbers = {k["symbol"]: i for i, k in enumerate(b.ask("books")["books"])}
        self.assertEqual(b.end("dataplane"), 0)
        sim = b.sim_account()
        self.assertEqual(b.end("controlplane"), 0)
        verified = b.ctl_json("journal", "verify")
        self.assertTrue(verified["ok"], verified)
        fills = harness.demo.journaled_fills(b)
        for t in sim["account"]["instruments"]:
            p = positions[t["symbol"]]
            self.assertEqual((p["position"], p["bought"], p["sold"], int(p["cash"])), (t["position"], t["bought"], t["sold"], t["cash"]), t["symbol"])
            self.assertEqual(fills.get(numbers[t["symbol"]], [0, 0]), [t["bought"], t["sold"]], "journaled fills of " + t["symbol"])
        for k in sim["books"]["list"]:
            self.assertEqual(books[k["symbol"]]["digest"], k["digest"], k["symbol"])
        return verified, sum(t["bought"] + t["sold"] for t in sim["account"]["instruments"])

    def test_killed_at_random(self):
        seed = int(os.environ.get("GN_SEED", random.randrange(1 << 32)))
        print("seed %d, %d kills (replay with GN_SEED=%d)" % (seed, KILLS, seed), flush=True)
        b = self.started(rate=20000, overrides={"stale": "2s", "cancel": "60s"})
        self.trades_on(b)
        lives = self.kill_and_restart(b, random.Random(seed), KILLS)
        self.settled(b)
        self.trades_on(b, 30)
        verified, shares = self.compare(b)
        print("killed: data plane %d times, control plane %d times; %d records in the journal, %d shares traded, all accounts equal" % (
            lives["dataplane"], lives["controlplane"], verified["records"], shares))
        self.assertGreater(shares, 0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        KILLS = int(sys.argv.pop())
    harness.main()
