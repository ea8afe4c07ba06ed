"""Our TCP against that of Linux, in both roles: over AF_XDP on a veth pair and over tap, with loss by BPF, with loss,
reordering and duplication by an impairment stage of ours, and with our process killed again and again.

Usage: test_tcp_linux.py [--full] [TEST...]    --full: 10^6 messages a test and 100 kills
"""

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import harness
import appliance  # noqa: E402  (harness makes it known)

FULL = "--full" in sys.argv
MESSAGES = 1000000 if FULL else 100000
KILLS = 100 if FULL else 10
SEED = int(os.environ.get("GN_SEED", "9293"))
OURS_IP, LINUX_IP, PORT = "10.9.0.2", "10.9.0.1", 7001
OURS_MAC = "02:00:00:09:00:02"
HUGE_MIB = 192
HEAD = struct.Struct("=9Q")  # of struct head in tcp_peer.c


class Wire:
    """A network namespace with kernel TCP in it, and the wire to our process: veth for AF_XDP, or a tap in there."""

    def __init__(self, kind, vlan=0):
        self.kind = kind
        self.vlan = vlan
        tag = "%x" % (os.getpid() & 0xffff)
        self.ns, self.ours, self.theirs = "gannet-t" + tag, "gnt" + tag, "gvt" + tag
        self.made = False
        harness.run(["ip", "netns", "add", self.ns])
        try:
            self.make()
        except BaseException:
            self.close()
            raise

    def make(self):
        harness.run(["ip", "-n", self.ns, "link", "set", "lo", "up"])
        if self.kind == "af_xdp":
            harness.run(["ip", "link", "add", self.ours, "type", "veth", "peer", "name", self.theirs, "netns", self.ns])
            self.made = True
            # without an address and without autoconfiguration the kernel's side of our end can answer nothing
            harness.run(["ip", "link", "set", self.ours, "addrgenmode", "none"], check=False)
            harness.run(["ip", "link", "set", self.ours, "up"])
            self.address(self.theirs)
            if self.vlan: # the tag is to be in the frame, not beside it
                harness.run(self.inside() + ["ethtool", "-K", self.theirs, "txvlan", "off"])
            # frames leave as on a wire: summed, and no longer than the MTU
            harness.run(self.inside() + ["ethtool", "-K", self.theirs, "tx", "off", "gso", "off", "tso", "off", "gro", "off"])

    def inside(self):
        return ["ip", "netns", "exec", self.ns]

    def address(self, dev):
        harness.run(["ip", "-n", self.ns, "link", "set", dev, "addrgenmode", "none"], check=False)
        harness.run(["ip", "-n", self.ns, "addr", "add", LINUX_IP + "/24", "dev", dev])
        harness.run(["ip", "-n", self.ns, "link", "set", dev, "up"])

    def spec(self):
        dev = self.ours if self.kind == "af_xdp" else self.theirs
        return "%s:%s,ip=%s/24,mac=%s%s" % (self.kind, dev, OURS_IP, OURS_MAC, ",vlan=%d" % self.vlan if self.vlan else "")

    def bpf(self, source, define, ways, scratch):
        """Programs of a source at the hooks of the kernel's end of the wire: {way: section}. None, or why that can't be."""
        obj = os.path.join(scratch, source.replace(".c", ".o"))
        if not shutil.which("clang"):
            return "no clang"
        try:
            harness.run(["clang", "-target", "bpf", "-O2", "-D" + define, "-c", os.path.join(harness.ROOT, "tests", "system", source), "-o", obj])
            tc = self.inside() + ["tc"]
            harness.run(tc + ["qdisc", "add", "dev", self.theirs, "clsact"])
            for way, section in ways.items():
                harness.run(tc + ["filter", "add", "dev", self.theirs, way, "bpf", "da", "obj", obj, "sec", section])
        except harness.Failed as e:
            return str(e)
        return None

    def drop(self, per_10000, scratch):
        """Loss both ways; None, or why this machine cannot."""
        return self.bpf("drop.bpf.c", "GN_DROP_PER_10000=%d" % per_10000, {"ingress": "classifier", "egress": "classifier"}, scratch)

    def tag(self, scratch):
        """A VLAN on the wire; None, or why this machine cannot."""
        return self.bpf("vlan.bpf.c", "GN_VLAN=%d" % self.vlan, {"ingress": "pop", "egress": "push"}, scratch)

    def close(self):
        if self.made:
            harness.run(["ip", "link", "del", self.ours], check=False)
        harness.run(["ip", "netns", "del", self.ns], check=False)


class TcpLinux(harness.Case):
    def setUp(self):
        harness.need_root()
        self.scratch = tempfile.mkdtemp(prefix="gannet-tcp-", dir="/dev/shm")
        self.procs = []
        self.addCleanup(shutil.rmtree, self.scratch, True)
        self.addCleanup(self.end_all)

    def end_all(self):
        for p in self.procs:
            if p.poll() is None:
                p.kill()
                p.wait()
            p.stdout.close()
            p.stderr.close()

    def wire(self, kind, vlan=0):
        self.huge = None
        if kind == "af_xdp":
            self.huge = appliance.Hugepages(HUGE_MIB, os.path.join(self.scratch, "huge"))
            self.addCleanup(self.huge.restore)
            if not self.huge.there:
                print("skipped: no hugepages: %s" % self.huge.why)
                self.skipTest("no hugepages: %s" % self.huge.why)
        elif not os.path.exists("/dev/net/tun"):
            print("skipped: no /dev/net/tun")
            self.skipTest("no /dev/net/tun")
        w = Wire(kind, vlan)
        self.addCleanup(w.close)
        return w

    def spawn(self, cmd):
        p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.procs.append(p)
        return p

    def ours(self, w, role, *more):
        cmd = [os.path.join(harness.BUILD, "tests", "system", "tcp_peer"), "--port", w.spec(), "--role", role, "--tcp-port",
               str(PORT), "--core", str(harness.cpus()[-1])]
        cmd += ["--connect", LINUX_IP] if role == "client" else []
        cmd += ["--hugepages"] if w.kind == "af_xdp" else []
        p = self.spawn((w.inside() if w.kind == "tap" else []) + cmd + [str(m) for m in more])
        self.until_ready(p)
        return p

    def until_ready(self, p):
        for line in p.stderr:
            if line.strip() == "ready":
                return
        self.fail("a peer did not start: %s" % p.stdout.read())

    def linux(self, w, *args):
        return self.spawn(w.inside() + [os.path.join(harness.BUILD, "tests", "system", "linux_peer")] + [str(a) for a in args])

    def result(self, p, name):
        out, err = p.communicate(timeout=300)
        text = out.strip().split("\n")[-1]
        self.assertTrue(text.startswith("{"), "%s said: %s %s" % (name, out, err))
        r = json.loads(text)
        self.assertTrue(r["ok"], "%s: %s" % (name, text))
        self.assertEqual(p.returncode, 0)
        return r

    def exchange(self, w, role, *more):
        """MESSAGES there and back; both ends have verified every byte when this returns their accounts."""
        if role == "echo":
            ours = self.ours(w, role, *more)
            if w.kind == "tap":
                w.address(w.theirs)
            linux = self.linux(w, "connect", OURS_IP, PORT, MESSAGES, SEED)
        elif w.kind == "tap":
            # the interface comes with our process: its SYN is repeated until kernel and address are there
            ours = self.ours(w, role, "--messages", MESSAGES, *more)
            w.address(w.theirs)
            linux = self.linux(w, "echo", PORT, SEED)
        else:
            linux = self.linux(w, "echo", PORT, SEED)
            self.until_ready(linux)
            ours = self.ours(w, role, "--messages", MESSAGES, *more)
        began = time.monotonic()
        theirs = self.result(linux, "linux_peer")
        ours = self.result(ours, "tcp_peer")
        self.assertEqual(theirs["messages"], MESSAGES)
        self.assertEqual(ours["messages"], MESSAGES)
        self.assertEqual((ours["sent"], ours["received"]), (theirs["received"], theirs["sent"]))
        print("%s %s %s: %.1f s, ours %s, linux %s" % (w.kind, role, " ".join(map(str, more)), time.monotonic() - began, ours, theirs))
        return ours, theirs

    def test_af_xdp_server(self):
        self.exchange(self.wire("af_xdp"), "echo")

    def test_af_xdp_client(self):
        self.exchange(self.wire("af_xdp"), "client")

    def test_af_xdp_vlan(self):
        w = self.wire("af_xdp", vlan=100)
        why = w.tag(self.scratch)
        if why:
            print("skipped: no VLAN by BPF: %s" % why)
            self.skipTest("no VLAN by BPF: %s" % why)
        self.exchange(w, "echo")

    def lossy(self, role):
        w = self.wire("af_xdp")
        why = w.drop(100, self.scratch)
        if why:
            print("skipped: no loss by BPF: %s" % why)
            self.skipTest("no loss by BPF: %s" % why)
        ours, theirs = self.exchange(w, role, "--reorder", 100, "--seed", SEED)
        self.assertGreater(ours["reordered"], 10)
        self.assertGreater(ours["retransmits"], 10)
        self.assertGreater(theirs["retransmits"], 10)

    def test_af_xdp_server_loss_by_bpf(self):
        self.lossy("echo")

    def test_af_xdp_client_loss_by_bpf(self):
        self.lossy("client")

    IMPAIRED = ("--loss", 50, "--reorder", 200, "--duplicate", 100, "--seed", SEED)

    def test_af_xdp_server_impaired(self):
        ours, _ = self.exchange(self.wire("af_xdp"), "echo", *self.IMPAIRED)
        self.assertTrue(ours["lost"] > 10 and ours["reordered"] > 100 and ours["duplicated"] > 50, str(ours))

    def test_af_xdp_client_impaired(self):
        ours, _ = self.exchange(self.wire("af_xdp"), "client", *self.IMPAIRED)
        self.assertTrue(ours["lost"] > 10 and ours["reordered"] > 100 and ours["duplicated"] > 50, str(ours))

    def test_tap_server(self):
        self.exchange(self.wire("tap"), "echo")

    def test_tap_client(self):
        self.exchange(self.wire("tap"), "client")

    # ---- hand-over ----

    def head(self, path):
        """(starts, sent, received, pid whose port is open) from the shared memory of our process."""
        with open(path, "rb") as f:
            h = HEAD.unpack(f.read(HEAD.size))
        return h[5], h[6], h[7], h[8]

    def moves(self, path, p, rng):
        """Waits until bytes go both ways through process p, and then for a moment drawn by rng."""
        _, sent, received, _ = self.head(path)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            _, s, r, _ = self.head(path)
            if s > sent + 4096 and r > received + 4096:
                time.sleep(rng.random() * 0.05)
                return
            self.assertIsNone(p.poll(), "our process ended")
            time.sleep(0.002)
        self.fail("no traffic after a restart: %s" % (self.head(path),))

    def handed_over(self, role):
        w = self.wire("af_xdp")
        memory = os.path.join(self.scratch, "endpoint")
        rng = random.Random(SEED)
        endless = 1 << 40
        args = ("--memory", memory) + (("--messages", endless) if role == "client" else ())
        if role == "echo":
            ours = self.ours(w, role, *args)
            linux = self.linux(w, "connect", OURS_IP, PORT, endless, SEED)
        else:
            linux = self.linux(w, "echo", PORT, SEED)
            self.until_ready(linux)
            ours = self.ours(w, role, *args)
        pauses = []
        for _ in range(KILLS):
            self.moves(memory, ours, rng)
            ours.send_signal(signal.SIGKILL)
            ours.wait()
            died = time.monotonic()
            # while nobody is there the program stays, and frames that it cannot hand over meet an interface without address
            self.assertIn("xdp", harness.run(["ip", "link", "show", "dev", w.ours]))
            ours = self.ours(w, role, *args)
            pauses.append(time.monotonic() - died)
            self.assertIsNone(linux.poll(), "the kernel's end is gone")
        self.moves(memory, ours, rng)
        self.assertEqual(self.head(memory)[0], KILLS + 1)
        (ours if role == "client" else linux).send_signal(signal.SIGTERM)
        theirs = self.result(linux, "linux_peer")
        mine = self.result(ours, "tcp_peer")
        self.assertEqual((mine["sent"], mine["received"]), (theirs["received"], theirs["sent"]))
        self.assertGreater(mine["messages"], KILLS * 64)
        self.assertEqual(self.resets_seen(w), 0)
        print("%s: %d kills, restarted in %.2f to %.2f s, %d messages, ours %s, linux %s" % (
            role, KILLS, min(pauses), max(pauses), mine["messages"], mine, theirs))

    def resets_seen(self, w):
        """Connections of the kernel in the namespace that a reset ended."""
        for line in harness.run(w.inside() + ["nstat", "-az", "TcpEstabResets"]).split("\n"):
            if line.startswith("TcpEstabResets"):
                return int(line.split()[1])
        self.fail("nstat does not count resets")

    def test_hand_over_server(self):
        self.handed_over("echo")

    def test_hand_over_client(self):
        self.handed_over("client")


if FULL:
    sys.argv.remove("--full")
harness.main()
