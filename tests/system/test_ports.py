"""The other ports: AF_XDP on veth pairs into a network namespace."""

import time

import harness


class Ports(harness.Case):
    def test_af_xdp(self):
        harness.need_root()
        try:
            b = self.bench(rate=5000, port="af_xdp", hugepages=True)
        except harness.Failed as e:
            print("skipped: %s" % e)
            self.skipTest(str(e))
        b.start()
        b.session_up()
        time.sleep(3)
        r = self.finish(b)
        self.assertGreater(r["orders"]["sent"], 20)

    def test_hugepages(self):
        harness.need_root()
        b = self.bench(rate=20000, hugepages=True)
        if not b.huge.there:
            print("skipped: no hugepages: %s" % b.huge.why)
            self.skipTest("no hugepages: %s" % b.huge.why)
        b.start()
        b.session_up()
        time.sleep(1)
        self.finish(b)


harness.main()
