"""Drop copy: a session of its own from the venue, reconciled continuously with the order session. An honest one finds
nothing; one that lies about a fill, falls silent or comes late is found out; a restarted control plane goes on."""

import socket
import time

import harness


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class DropCopy(harness.Case):
    def with_copy(self, sim=(), grace="400ms", stale="4s", **more):
        port = free_port()
        keys = "drop_copy: 127.0.0.1:%d, drop_copy_grace: %s, drop_copy_stale: %s, fee_add: -2000, fee_remove: 3000" % (port, grace, stale)
        b = self.started(rate=20000, sim=["--drop-copy-port", str(port)] + list(sim), overrides={"session": keys}, **more)
        self.wait_for(b, "fills", lambda: sum(p["bought"] + p["sold"] for p in b.ask("positions")["positions"]) > 500, 20)
        return b

    def breaks(self, b):
        """Breaks that the drop copy showed, as the journal has them, by class."""
        b.ctl("journal", "verify", check=False)
        out = {}
        for line in b.ctl("journal", "dump", "type=break", check=False).stdout.splitlines():
            e = harness.demo.json.loads(line)
            if e["found_by"] == 1:
                out.setdefault(e["class"], []).append(e)
        return out

    def quiet_end(self, b):
        """Kills, lets both sides catch up, ends; what the simulator says."""
        self.assertEqual(harness.demo.kill(b)["resting"], 0)
        b.pause_market()
        time.sleep(1.2)  # longer than the grace: what is late by then is a break
        self.assertEqual(b.end("dataplane"), 0)
        time.sleep(0.3)
        self.assertEqual(b.end("controlplane"), 0)
        return b.sim_account()

    def test_an_honest_copy_finds_nothing(self):
        b = self.with_copy(sim=["--drop-copy-delay-us=100000", "--break-every=50"])
        time.sleep(1)
        sim = self.quiet_end(b)
        self.assertEqual(self.breaks(b), {})
        self.assertEqual((sim["drop_copy"]["connections"], sim["drop_copy"]["logins"], sim["drop_copy"]["bad_stream"]), (1, 1, 0))
        self.assertGreater(sim["drop_copy"]["messages_out"], 50)
        self.assertGreater(sim["account"]["total"]["broken"], 0)

    def test_a_lie_about_one_fill_is_found(self):
        b = self.with_copy(sim=["--drop-copy-lie=7"])
        time.sleep(1)
        sim = self.quiet_end(b)
        found = self.breaks(b)
        self.assertEqual(sim["drop_copy"]["lies"], 1)
        self.assertEqual({k: len(v) for k, v in found.items()}, {"fill_qty": 1})
        self.assertEqual(found["fill_qty"][0]["theirs"], found["fill_qty"][0]["ours"] + 1)
        self.assertIn("alert", b.log("controlplane", 100))

    def test_a_restarted_control_plane_goes_on(self):
        b = self.with_copy(sim=["--drop-copy-delay-us=50000"], grace="1s")
        for _ in range(3):
            time.sleep(0.5)
            p = b.procs.pop("controlplane")
            p.kill()
            p.wait()
            b.start_controlplane()
            self.trades_on(b)
        time.sleep(1)
        sim = self.quiet_end(b)
        self.assertEqual(self.breaks(b), {})
        self.assertEqual(sim["drop_copy"]["logins"], 4)

    def test_a_copy_that_is_not_there_is_found_by_its_age(self):
        port = free_port()
        b = self.started(rate=20000, overrides={"session": "drop_copy: 127.0.0.1:%d, drop_copy_stale: 500ms" % port})
        self.wait_for(b, "the alert", lambda: "drop copy is down" in b.log("controlplane", 100), 10)
        self.trades_on(b)


harness.main()
