"""A journal of the real processes as a backtest: the same twice, another with another parameter; a shadow comparison that
compares, and one that refuses because there is too little."""

import json
import os
import re
import time

import harness


class Backtest(harness.Case):
    def replay(self, b, *args):
        p = b.ctl("replay", *args, check=False)
        try:
            return json.loads(p.stdout), p
        except ValueError:
            self.fail("gannetctl replay %s: %s%s" % (" ".join(args), p.stdout, p.stderr))

    def recorded(self):
        symbols = ["GN%04d" % i for i in range(1, 7)]
        strategies = [("maker", "maker", symbols[:3], "{ qty: 100, edge_ticks: 0, skew_qty: 300, requote_us: 500, max_position: 1000 }"),
                      ("touch", "touch", symbols[3:], "{ qty: 1, every: 1, cross: 1 }")]
        b = self.bench(rate=20000, instruments=6, strategies=strategies, symbols=symbols)
        b.start()
        b.session_up()
        self.trades_on(b, 30)
        time.sleep(3)
        b.pause_market()
        self.assertEqual(b.end("dataplane"), 0)
        self.assertEqual(b.end("controlplane"), 0)
        return b

    def test_backtest_and_shadow(self):
        b = self.recorded()
        r, p = self.replay(b, "--config", b.config, "--backtest")
        self.assertEqual((p.returncode, r["ok"], r["verified"], r["same_config"]), (0, True, True, True), p.stderr)
        self.assertGreater(r["orders_sent"], 100)
        self.assertGreater(r["executions"], 10)
        self.sums(r)
        again, _ = self.replay(b, "--config", b.config, "--backtest")
        for same in (r, again):
            same.pop("seconds")
        self.assertEqual(r, again)
        self.others(b, r)
        self.shadow(b)
        text = b.ctl("replay", "--config", b.config, "--backtest", "--text").stdout
        self.assertIn(r["digest"], text)
        self.assertRegex(text, r"(?m)^total +%d " % r["total"]["orders"])

    def sums(self, r):
        """The total is the sum of the instruments, and P&L is cash + position x mark - fees."""
        for what in ("orders", "fills", "bought", "sold", "maker_qty", "taker_qty", "position"):
            self.assertEqual(r["total"][what], sum(i[what] for i in r["instruments"]), what)
        units = lambda text: int(text.replace(".", ""))  # noqa: E731
        for i in r["instruments"]:
            self.assertEqual(units(i["pnl"]), units(i["cash"]) + i["position"] * units(i["mark"]) * 100 - units(i["fees"]), i)
        self.assertEqual(units(r["total"]["pnl"]), sum(units(i["pnl"]) for i in r["instruments"]))
        self.assertEqual(r["executions"], r["total"]["fills"])

    def others(self, b, r):
        for args in (("--set", "strategies.maker.params.edge_ticks=3"), ("--latency-out", "5000000"), ("--fee-remove", "30")):
            x, p = self.replay(b, "--config", b.config, "--backtest", *args)
            self.assertEqual(p.returncode, 0, p.stderr)
            if args[0] == "--fee-remove":
                self.assertEqual((x["digest"], x["total"]["fees"] == r["total"]["fees"]), (r["digest"], False))
            else:
                self.assertNotEqual(x["digest"], r["digest"], args)
        p = b.ctl("replay", "--config", b.config, "--backtest", "--set", "strategies.maker.params.qty=0", check=False)
        self.assertEqual(p.returncode, 1)
        self.assertIn("expected a number from 1", p.stderr)

    def shadow(self, b):
        with open(b.config) as f:
            text = f.read()
        other = os.path.join(b.dir, "other.yaml")
        with open(other, "w") as f:
            f.write(re.sub(r"edge_ticks: 0", "edge_ticks: 2", text))
        same, p = self.replay(b, "--shadow", b.config)
        self.assertEqual((p.returncode, same["shadow"]["enough_data"]), (0, True), p.stderr)
        self.assertGreater(same["shadow"]["same"], 100)
        r, p = self.replay(b, "--shadow", other)
        self.assertEqual((p.returncode, r["shadow"]["enough_data"]), (0, True), p.stderr)
        self.assertLess(r["shadow"]["same"], same["shadow"]["same"])
        s = r["shadow"]
        self.assertEqual(s["journaled"], sum(s[k] for k in ("same", "other_time", "other_side", "other_price", "other_qty", "missing")))
        for few in (("--min-decisions", "100000000"), ("--to", "1")):
            r, p = self.replay(b, "--shadow", other, *few)
            self.assertEqual((p.returncode, r["ok"], r["shadow"]["enough_data"]), (1, False, False), few)
            self.assertIn("insufficient data", p.stderr)
        print("backtest: shadow of the same configuration: %s" % same["shadow"])


if __name__ == "__main__":
    harness.main()
