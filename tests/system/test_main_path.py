"""The main job over memif: layouts, losses, a million messages a second, real files. Books, orders, fills, positions and
profit must equal the simulator's own account each time."""

import time

import harness


class MainPath(harness.Case):
    def test_fused(self):
        b = self.started(rate=50000)
        time.sleep(2)
        r = self.finish(b)
        self.assertGreater(r["orders"]["executions"], 50)
        self.assertGreater(r["latency"]["count"], 100)
        self.assertEqual(r["kill"]["resting"], 0)
        self.assertGreater(r["kill"]["cancels_sent"], 0)

    def test_split_over_two_lcores(self):
        b = self.started(rate=5000, layout="split")
        time.sleep(3)
        self.assertGreater(self.finish(b)["orders"]["sent"], 20)

    def test_split_over_three_lcores(self):
        b = self.started(rate=5000, layout="split3")
        time.sleep(3)
        self.assertGreater(self.finish(b)["orders"]["sent"], 20)

    def test_losses_on_both_lines(self):
        b = self.started(rate=50000, sim=["--drop-a=1%", "--drop-b=1%", "--gap=0.05%", "--duplicate=1%", "--reorder=1%"])
        time.sleep(3)
        r = self.finish(b)
        self.assertGreater(r["market"]["gaps"], 10)
        self.assertGreater(r["market"]["retransmitted"], 0)
        self.assertEqual(r["market"]["lost"], 0)
        self.assertEqual(r["books"]["wrong"], 0)

    def test_a_million_messages_a_second(self):
        b = self.started(rate=1000000)
        begun, m0 = time.monotonic(), b.metrics()["feed_delivered"]
        time.sleep(4)
        m1, took = b.metrics()["feed_delivered"], time.monotonic() - begun
        r = self.finish(b)
        rate = (m1 - m0) / took
        print("sustained %.0f messages/s" % rate)
        # the schedule is a million a second: what is missing then would be a queue that grows, and would not be lost unseen
        self.assertGreater(rate, 900000)
        self.assertEqual(r["market"]["lost"], 0)

    def test_file_of_one_busy_symbol(self):
        b = self.started(rate=30000, itch=harness.data_file("itch50/esh4_20231225.itch50"))
        self.wait_for(b, "the end of the file", lambda: b.metrics()["feed_delivered"] >= 59325, 20)
        r = self.finish(b)
        self.assertEqual(r["market"]["messages"], 59325)
        self.assertGreater(r["orders"]["sent"] + r["orders"]["replaced"], 100)

    def test_file_at_many_times_its_own_speed(self):
        b = harness.Bench(build=harness.BUILD, hugepages=False, itch=harness.data_file("itch50/esh4_20231225.itch50"), sim_args=["--speed", "20000"])
        self.addCleanup(b.close)
        b.start()
        b.session_up()
        self.wait_for(b, "the end of the file", lambda: b.metrics()["feed_delivered"] >= 59325, 40)
        self.finish(b)

    def test_file_of_many_symbols_from_the_middle_of_a_day(self):
        b = self.started(rate=2000, itch=harness.data_file("itch50/nasdaq_20191230_0930.itch50"))
        self.wait_for(b, "the end of the file", lambda: b.metrics()["feed_delivered"] >= 1000, 20)
        r = self.finish(b)
        self.assertEqual(r["market"]["messages"], 1000)
        self.assertGreater(r["market"]["unknown_references"], 100)


harness.main()
