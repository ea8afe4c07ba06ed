"""The order session outlives the data plane: killed with -9 under order flow and started again, it goes on where it was.
The venue sees a pause: no reset, no second connection, no second login; both accounts are equal, and nothing is sent twice."""

import os
import time

import harness

KILLS = int(os.environ.get("GN_KILLS", "8"))


class Handover(harness.Case):
    def kill9(self, b):
        p = b.procs.pop("dataplane")
        p.kill()
        p.wait()

    def same_accounts(self, b):
        """Ends the run; our positions, money and books against the venue's. Returns the venue's account."""
        self.assertEqual(harness.demo.kill(b)["resting"], 0)
        b.pause_market()
        positions = {p["symbol"]: p for p in b.ask("positions")["positions"]}
        self.assertEqual(b.end("dataplane"), 0)
        self.assertEqual(b.status()["open_orders"], 0)
        sim = b.sim_account()
        for t in sim["account"]["instruments"]:
            p = positions.get(t["symbol"])
            if p is None:
                self.assertEqual(t["executions"], 0)
                continue
            self.assertEqual((p["position"], p["bought"], p["sold"], int(p["cash"])),
                             (t["position"], t["bought"], t["sold"], t["cash"]), t["symbol"])
        self.assertEqual(sim["account"]["total"]["open_orders"], 0)
        self.assertEqual(b.end("controlplane"), 0)
        self.assertTrue(b.ctl_json("journal", "verify")["ok"])
        return sim

    def lives(self, b, kills):
        for i in range(kills):
            time.sleep(0.3 + 0.05 * (i % 5))
            self.kill9(b)
            b.start_dataplane()
            b.session_up()
            s = b.status()["sessions"][0]
            self.assertEqual(s["handover"], "joined", b.log("dataplane"))
            self.wait_for(b, "the books", lambda: b.status()["feed_stale"] == 0, 20)
            self.trades_on(b)
        s = b.status()["sessions"][0]
        self.assertEqual((s["handovers"], s["logins"], s["losses"]), (kills, 1, 0))

    def goes_on(self, **more):
        b = self.started(rate=20000, sim=["--soup-dead-ms=60000"], **more)
        self.wait_for(b, "open orders", lambda: b.status()["open_orders"] > 20)
        self.lives(b, KILLS)
        sim = self.same_accounts(b)["orders"]
        self.assertEqual((sim["connections"], sim["logins"], sim["takeovers"], sim["silent"], sim["bad_stream"], sim["bad_messages"]),
                         (1, 1, 0, 0, 0, 0))
        self.assertEqual(sim["matching"]["ignored_old_ref"], 0, "a user reference was sent twice")

    def test_connection_goes_on_over_memif(self):
        self.goes_on()

    def test_connection_goes_on_over_af_xdp(self):
        harness.need_root()
        self.goes_on(port="af_xdp", hugepages=True)

    def test_falls_back_when_the_venue_has_given_up(self):
        b = self.started(rate=20000, sim=["--soup-dead-ms=500"])
        self.wait_for(b, "open orders", lambda: b.status()["open_orders"] > 20)
        self.kill9(b)
        time.sleep(1.5)  # the venue's patience, which is what is tested
        b.start_dataplane()
        self.wait_for(b, "a second login", lambda: b.status()["sessions"][0]["logins"] == 2, 20)
        b.session_up()
        self.trades_on(b)
        self.same_accounts(b)

    def test_off_logs_in_anew(self):
        b = self.started(rate=20000, overrides={"session": "handover: false"})
        self.wait_for(b, "open orders", lambda: b.status()["open_orders"] > 20)
        self.kill9(b)
        b.start_dataplane()
        b.session_up()
        s = b.status()["sessions"][0]
        self.assertEqual((s["handover"], s["logins"]), ("off", 2))
        self.trades_on(b)
        self.same_accounts(b)


harness.main()
