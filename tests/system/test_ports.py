"""The other ports: AF_XDP on veth pairs into a network namespace, tap behind bridges, pcap files."""

import json
import os
import re
import struct
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

    def test_tap(self):
        harness.need_root()
        b = self.started(rate=2000, port="tap")
        time.sleep(3)
        r = self.finish(b)
        self.assertGreater(r["orders"]["sent"], 5)

    def test_pcap(self):
        """What the simulator recorded into a capture file makes the same books when it is read back."""
        b = self.bench(instruments=8)
        feed = os.path.join(b.dir, "feed.pcap")

        def empty(name):
            path = os.path.join(b.dir, name + "-empty.pcap")
            with open(path, "wb") as f:
                f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            return path

        b.sim_json = os.path.join(b.dir, "sim.json")
        b.spawn("sim", [b.tool("gannet-venue-sim"), "--port", "pcap:%s,ip=10.0.1.1/24,out=%s" % (empty("sim"), feed), "--start", "now", "--instruments", "8",
                        "--messages", "20000", "--rate", "200000", "--linger-ms", "50", "--json", b.sim_json])
        self.assertEqual(b.procs.pop("sim").wait(60), 0, b.log("sim"))
        with open(b.sim_json) as f:
            sim = json.load(f)
        with open(b.config) as f:
            text = f.read()
        lines = []
        for line in text.split("\n"):
            m = re.match(r"  - { name: (\w+), kind: memif", line)
            if m:
                source = feed if m.group(1) == "feed_a" else empty(m.group(1))
                line = re.sub(r"kind: memif, device: \S+, role: client, id: 0", "kind: pcap, device: %s" % source, line)
            lines.append(line.replace("line_b: { port: feed_b", "line_b: { port: feed_a"))
        with open(b.config, "w") as f:
            f.write("\n".join(lines))
        b.start_controlplane()
        b.start_dataplane()
        self.wait_for(b, "the end of the capture", lambda: b.metrics()["feed_delivered"] >= sim["published"]["next_sequence"] - 1)
        books = {k["symbol"]: k for k in b.ask("books")["books"]}
        self.assertEqual(len(sim["books"]["list"]), 8)
        for k in sim["books"]["list"]:
            self.assertEqual(books[k["symbol"]]["digest"], k["digest"], k["symbol"])

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
