"""What an operator does: looks, changes limits, kills a part, releases, reads the journal."""

import json
import os
import signal
import socket
import time

import harness


class Operator(harness.Case):
    def verdicts(self, b):
        return {k[len("gate_verdicts{"):-1]: v for k, v in b.metrics().items() if k.startswith("gate_verdicts{")}

    def wait_verdict(self, b, name):
        before = self.verdicts(b)[name]
        self.wait_for(b, "verdict " + name, lambda: self.verdicts(b)[name] > before)

    def test_limits_bite_at_once(self):
        b = self.started(instruments=4)
        first, touched = b.symbols[0], b.symbols[-1]
        for field, value, verdict in (("max_qty", 0, "max_qty"), ("tradable", 0, "not_tradable"), ("max_value", 1, "max_value"),
                                      ("max_position", 0, "max_position"), ("collar_bps", 0, "price_collar")):
            was = next(r for r in b.ask("limits")["limits"]["instruments"] if r["symbol"] == touched)[field]
            out = b.ctl("--who", "risk", "limits", "set", touched, field, str(value)).stdout
            self.assertIn("%d -> %d" % (was, value), out)
            self.wait_verdict(b, verdict)
            b.ctl("limits", "set", touched, field, str(was))
        b.ctl("limits", "set", "max_open_orders", "0")
        self.wait_verdict(b, "max_open_orders")
        above = b.ctl("limits", "set", first, "max_open_orders", "101", check=False)
        self.assertEqual(above.returncode, 1, "a member got more than the firm has")
        self.assertIn("nothing was changed", above.stderr)
        b.ctl("limits", "set", "max_open_orders", "5")  # step by step: still less than its members have
        b.ctl("limits", "set", "max_open_orders", "5000")
        b.ctl("limits", "set", "message_burst", "5001")  # 5000 of them are reserved for cancels
        b.ctl("limits", "set", "message_rate", "1")
        self.wait_verdict(b, "message_rate")
        b.ctl("limits", "set", "message_rate", "200000")
        b.ctl("limits", "set", "message_burst", "20000")
        bad = b.ctl("limits", "set", first, "max_qty", "-5", check=False)
        self.assertEqual(bad.returncode, 1)
        self.assertIn("allowed 0 to", bad.stderr)
        self.assertEqual(b.ctl("limits", "set", "NOSUCH", "max_qty", "5", check=False).returncode, 1)
        self.assertEqual(b.ctl("limits", "set", first, "no_such_limit", "5", check=False).returncode, 1)
        r = self.finish(b)
        self.assertEqual(r["journal"]["types"]["limits"], 17)

    def test_kill_of_a_part(self):
        b = self.started(instruments=4)
        time.sleep(0.5)
        b.ctl("--who", "risk", "kill", "scope=instrument", "name=" + b.symbols[0], "bad book")
        self.wait_for(b, "no order of it", lambda: not any(o["symbol"] == b.symbols[0] for o in b.ask("orders")["orders"]))
        self.trades_on(b)
        b.ctl("kill", "scope=strategy", "name=maker")
        self.wait_verdict(b, "killed")
        s = b.status()
        self.assertEqual({(k["scope"], k["level"]) for k in s["kill"]}, {("all", "active"), ("instrument", "killed"), ("strategy", "killed")})
        self.assertEqual(b.ctl("release", check=False).returncode, 1, "a release needs a reason")
        b.ctl("release", "scope=instrument", "name=" + b.symbols[0], "repaired")
        b.ctl("release", "scope=strategy", "name=maker", "repaired")
        self.trades_on(b)
        b.ctl("kill", "level=halted")
        self.wait_verdict(b, "killed")
        b.ctl("release", "fine")
        b.ctl("kill", "level=reduce_only")
        self.wait_verdict(b, "reduce_only")
        self.finish(b)

    def test_looking(self):
        b = self.started(instruments=4)
        self.trades_on(b)
        for words in (["status"], ["positions"], ["orders"], ["orders", "all"], ["books"], ["limits"], ["limits", "show"], ["metrics"], ["version"]):
            people = b.ctl(*words).stdout
            self.assertGreater(len(people.split("\n")), 2, words)
            self.assertTrue(json.loads(b.ctl("--json", *words).stdout), words)
        self.assertEqual(b.ctl("nonsense", check=False).returncode, 1)
        self.assertIn("there is no command", b.ctl("nonsense", check=False).stderr)
        self.assertFalse(b.ask("nonsense")["ok"])
        r = self.finish(b)
        self.assertGreater(r["orders"]["sent"], 0)

    def test_kill_whatever_is_typed(self):
        b = self.started(instruments=4)
        long_one = "x" * 62 + "\u00e9 panic"
        for who, why in (("demo", long_one), ("J\udcf6rg", "stop"), ("demo", "\udcff\udcfe"), ("a" * 200, "b" * 5000)):
            p = b.ctl("--who", who, "kill", why, check=False)
            self.assertEqual(p.returncode, 0, p.stderr)
            self.assertEqual(b.status()["kill"][0]["level"], "killed")
            b.ctl("release", "next")
        self.assertEqual(b.ctl("kill", "scop=instrument", "name=X", check=False).returncode, 1, "a mistyped word is no reason")
        self.assertEqual(b.ctl("kill", "level=active", check=False).returncode, 1)
        self.assertEqual(b.ctl("kill", "level=bogus", check=False).returncode, 1)
        self.assertEqual(b.status()["kill"][0]["level"], "active")
        self.assertEqual(b.ctl("kill", "level=throttled", check=False).returncode, 0)
        self.assertEqual(b.status()["kill"][0]["level"], "throttled")
        b.ctl("release", "next")

    def test_kill_while_the_control_plane_hangs(self):
        b = self.started(instruments=4, overrides={"stale": "20s", "cancel": "40s"})
        b.procs["controlplane"].send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        p = b.ctl("kill", "it hangs")
        took = time.monotonic() - begun
        b.procs["controlplane"].send_signal(signal.SIGCONT)
        self.assertIn("shared memory", p.stdout)
        self.assertLess(took, 2)
        self.assertEqual(b.status()["kill"][0]["level"], "killed")

    def test_clients_of_the_admin_socket_that_hang_up(self):
        b = self.started(instruments=4)
        path = os.path.join(b.dir, "admin.sock")
        for _ in range(60):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                s.connect(path)
                s.sendall(b'{"cmd":"metrics"}\n{"cmd":"status"}\n{"cmd"')
        for line in (b"x" * 70000, b"\n" * 1000, b"[1]\n", b'{"cmd":7}\n', b"\xff\xfe\n"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                s.connect(path)
                try:
                    s.sendall(line)
                except OSError:
                    pass
        self.wait_for(b, "an answer", lambda: (b.ask("status", quiet=True) or {}).get("ok"))
        self.finish(b)

    def test_journal_reads(self):
        b = self.started(instruments=4)
        self.trades_on(b)
        self.finish(b)
        lines = b.ctl("journal", "dump", "type=order", "limit=5").stdout.strip().split("\n")
        self.assertEqual(len(lines), 5)
        self.assertTrue(all(json.loads(l)["type"] == "order" for l in lines))
        self.assertEqual(b.ctl("journal", "dump", "type=nonsense", check=False).returncode, 1)
        import glob, os
        path = sorted(glob.glob(os.path.join(b.disk, "gannet-journal-*.gnj")))[0]
        with open(path, "r+b") as f:
            f.seek(9000)
            byte = f.read(1)
            f.seek(9000)
            f.write(bytes([byte[0] ^ 1]))
        bad = b.ctl("journal", "verify", check=False)
        self.assertEqual(bad.returncode, 1)
        self.assertIn("gannet-journal-", bad.stderr)


harness.main()
