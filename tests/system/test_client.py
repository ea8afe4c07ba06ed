"""A desk's own process: the example program of libgannet trades through its rings."""

import os
import signal
import subprocess
import time

import harness


class Client(harness.Case):
    def with_desk(self, **more):
        b = self.bench(instruments=4, clients=["desk1"], **more)
        return b

    def strategies(self, symbols):
        return [("maker", "maker", symbols[:1], "{ qty: 100, edge_ticks: 1, skew_qty: 300, requote_us: 500, max_position: 1000 }"),
                ("desk", "client", symbols[1:2], "client=desk1")]

    def example(self, b, symbol, seconds=20):
        return subprocess.run([b.tool("gannet-example"), b.dir, "desk1", symbol], capture_output=True, text=True, timeout=seconds)

    def test_example_trades(self):
        symbols = ["GN0001", "GN0002"]
        b = self.with_desk(strategies=self.strategies(symbols), symbols=["GN0001", "GN0002", "GN0003", "GN0004"])
        b.start()
        b.session_up()
        for _ in range(3):
            p = self.example(b, "GN0002")
            self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        rows = {r["symbol"]: r for r in b.ask("positions")["positions"]}
        self.assertGreaterEqual(rows["GN0002"]["fills"], 6)
        self.assertEqual(rows["GN0002"]["position"], 0)
        p = self.example(b, "GN0001")
        self.assertNotEqual(p.returncode, 0, "GN0001 is the maker's")
        self.finish(b)

    def test_data_plane_restarts_under_a_client(self):
        b = self.with_desk(strategies=self.strategies(["GN0001", "GN0002"]), symbols=["GN0001", "GN0002", "GN0003", "GN0004"])
        b.start()
        b.session_up()
        self.assertEqual(self.example(b, "GN0002").returncode, 0)
        p = b.procs.pop("dataplane")
        p.kill()
        p.wait()
        b.start_dataplane()
        b.session_up()
        self.wait_for(b, "the books", lambda: b.status()["feed_stale"] == 0, 20)
        p = self.example(b, "GN0002")
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)

    def test_client_that_cuts_its_file(self):
        b = self.with_desk(strategies=self.strategies(["GN0001", "GN0002"]), symbols=["GN0001", "GN0002", "GN0003", "GN0004"])
        b.start()
        b.session_up()
        os.truncate(os.path.realpath(os.path.join(b.dir, "client-desk1")), 0)
        self.wait_for(b, "the data plane to say so", lambda: "cut its own file" in b.log("dataplane"))
        self.trades_on(b)
        self.finish(b)

    def test_client_that_destroys_its_file(self):
        b = self.with_desk(strategies=self.strategies(["GN0001", "GN0002"]), symbols=["GN0001", "GN0002", "GN0003", "GN0004"])
        b.start()
        b.session_up()
        path = os.path.realpath(os.path.join(b.dir, "client-desk1"))
        with open(path, "r+b") as f:
            f.write(os.urandom(os.path.getsize(path)))
        self.trades_on(b)
        self.assertGreater(b.metrics()["client_bad"], 0)
        p = b.procs.pop("dataplane")
        p.kill()
        p.wait()
        b.start_dataplane()
        b.session_up()
        self.trades_on(b)
        b.end("controlplane")
        b.start_controlplane()
        killed = harness.demo.kill(b)
        self.assertEqual(killed["resting"], 0)


harness.main()
