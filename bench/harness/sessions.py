"""One session of the harness against one system under test, over one kind of wire. Each returns the harness's result
with what the machine did meanwhile (disturbance.py)."""

import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "tools", "lib"))

from appliance import Bench, Failed, PORTS, ROOT, cpus, run  # noqa: E402,F401

from disturbance import Watch, core_distance  # noqa: E402

INSTRUMENTS = 8
ORDER_FRAME_BYTES = 14 + 20 + 32 + 3 + 47  # Ethernet, IPv4, TCP with timestamps, SoupBinTCP, OUCH enter order


PRELOAD = 20000        # recorded messages before a replay
RECORDED_RATE = 20000  # mean messages a second of the generator's own clock


def point_text(p):
    if "speed_milli" in p:
        return "x%d:%d" % (p["speed_milli"], p["ms"])
    return "%d:%d:%d:%d" % (p["rate"], p["ms"], p.get("every", 1), p.get("burst", 1))


def points_text(points):
    return ",".join(point_text(p) for p in points)


def seconds_of(points):
    return sum(p["ms"] for p in points) / 1000.0 + 0.3 * len(points) + 3


def distance_now(build):
    return core_distance(os.path.join(build, "bench", "components", "gannet-queues"), cpus())


class Session(Bench):
    """An appliance whose counterparty is the harness."""

    BENCH_TOOLS = ("gannet-harness", "gannet-echo", "gannet-hiccup", "gannet-kernel-peer")

    def __init__(self, build, port, points, inputs=True, hugepages=True, recorded=None, staged=False):
        """recorded: what is replayed instead of the fixed schedule: an ITCH file, or "generator". staged: the data plane
        with stamps between its stages."""
        self.staged = staged
        self.points = points
        self.recorded = recorded
        symbols = ["GN%04d" % (i + 1) for i in range(INSTRUMENTS)]
        if recorded not in (None, "generator"):
            self.build = os.path.join(ROOT, build)
            self.itch, self.instruments = recorded, 64
            symbols = self.list_symbols()
        super().__init__(build=build, port=port, hugepages=hugepages, symbols=symbols, instruments=INSTRUMENTS, inputs=inputs,
                         strategies=[("touch", "touch", symbols, "{ qty: 1, every: 1, cross: 1 }")],
                         limits=dict(max_open_orders=10000, message_rate=2000000, message_burst=200000, cancel_reserve=1000),
                         overrides={"instance": "bench", "instrument_limits": dict(max_open_orders=10000, max_position=1000000)})

    def tool(self, name):
        if name == "gannet-dataplane" and self.staged:
            path = os.path.join(self.build, "bench", "stages", "gannet-dataplane-staged")
            if os.path.exists(path):
                return path
            raise Failed("gannet-dataplane-staged is not built in %s" % self.build)
        if name in self.BENCH_TOOLS:
            path = os.path.join(self.build, "bench", "harness", name)
            if os.path.exists(path):
                return path
            raise Failed("%s is not built in %s" % (name, self.build))
        return super().tool(name)

    def start_harness(self, ports, *more):
        self.result = os.path.join(self.dir, "harness.json")
        cmd = [self.tool("gannet-harness"), "--points", points_text(self.points), "--core", str(cpus()[0]), "--instruments", str(INSTRUMENTS),
               "--account", "GANNET:gannet", "--json", self.result, "--history-mib", "64"]
        for i in ports:
            cmd += ["--port", self.links.sim_port(i)]
        if self.recorded is not None:
            cmd += ["--preload", str(PRELOAD), "--rate", str(RECORDED_RATE)]
            cmd += ["--itch", self.recorded] if self.recorded != "generator" else []
        if self.huge is not None and self.huge.there:
            cmd.append("--hugepages")
        self.spawn("sim", cmd + list(more), self.links.sim_prefix())
        if self.port == "memif":
            self.wait_for("the harness's ports", lambda: all(os.path.exists(self.links.ours(i)) for i in ports), 20)
        else:
            self.wait_for("the harness", lambda: "ready" in self.log("sim"), 20)

    def start_sim(self, *more):
        self.start_harness(range(len(PORTS)), *more)

    def measure(self, watched):
        """Lets the harness run and reads what it found. watched: names of the processes whose pinned threads count."""
        p = self.procs["sim"]
        distance = distance_now(self.build)
        with Watch({name: self.procs[name].pid for name in ["sim"] + list(watched)}) as watch:
            p.send_signal(signal.SIGUSR2)
            end = time.monotonic() + seconds_of(self.points) + 30
            while p.poll() is None:
                for name in watched:
                    if self.procs[name].poll() is not None:
                        raise Failed("%s ended during the measurement:\n%s" % (name, self.log(name)))
                if os.path.exists(self.result) and self.complete():
                    break
                if time.monotonic() > end:
                    raise Failed("the harness does not come to an end:\n%s" % self.log("sim"))
                time.sleep(0.2)
        if self.end("sim") != 0:
            raise Failed("the harness failed:\n%s" % self.log("sim"))
        with open(self.result) as f:
            result = json.load(f)
        result["machine"] = watch.result
        result["core_distance_ns"] = distance
        result["hugepages"] = self.huge is not None and self.huge.there
        result["hugepages_missing"] = self.huge.why if self.huge is not None and not self.huge.there else None
        return result

    def complete(self):
        try:
            with open(self.result) as f:
                json.load(f)
            return True
        except ValueError:
            return False


def tick_to_trade(build, port, points, **more):
    with Session(build, port, points, **more) as s:
        s.start()
        s.session_up()
        before = s.metrics()
        r = s.measure(["dataplane"])
        after = s.metrics()
        r["appliance"] = {k: after[k] - before.get(k, 0) for k in sorted(after) if after[k] != before.get(k, 0)}
        r["wire"] = port
        return r


def echo(build, port, points, **more):
    """The floor: in on the feed's port, out on the orders' port, nothing in between."""
    with Session(build, port, points, **more) as s:
        used = (0, len(PORTS) - 1)
        s.start_harness(used, "--echo")
        cmd = [s.tool("gannet-echo"), "--answer-bytes", str(ORDER_FRAME_BYTES), "--core", str(cpus()[-1])]
        for i in used:
            extra = ",role=client" if port == "memif" else ""
            cmd += ["--port", "%s:%s,ip=10.0.%d.2/24,mac=02:00:00:00:0%d:02%s" % (port, s.links.ours(i), i + 1, i + 1, extra)]
        if s.huge is not None and s.huge.there:
            cmd.append("--hugepages")
        s.spawn("echo", cmd)
        s.wait_for("the echo", lambda: "ready" in s.log("echo"), 20)
        s.wait_for("the harness", lambda: "ready" in s.log("sim"), 20)
        r = s.measure(["echo"])
        r["wire"] = port
        return r


def staged(build, port, points, **more):
    """The same with the data plane that stamps its stages; their times are the result's "stages"."""
    with Session(build, port, points, staged=True, **more) as s:
        path = os.path.join(s.dir, "stages.json")
        os.environ["GANNET_STAGES"] = path
        try:
            s.start()
        finally:
            del os.environ["GANNET_STAGES"]
        s.session_up()
        r = s.measure(["dataplane"])
        s.end("dataplane")
        with open(path) as f:
            r["stages"] = json.load(f)
        r["wire"] = port
        return r


class KernelSide:
    """Moves our ends of the veth pairs into a namespace of their own, with addresses, for a peer that uses sockets."""

    def __init__(self, s):
        self.ns = s.links.ns + "-k"
        run(["ip", "netns", "add", self.ns])
        for i in range(len(PORTS)):
            dev = s.links.ours(i)
            run(["ip", "link", "set", dev, "netns", self.ns])
            ip = ["ip", "-n", self.ns]
            run(ip + ["link", "set", dev, "address", "02:00:00:00:0%d:02" % (i + 1)])
            run(ip + ["addr", "add", "10.0.%d.2/24" % (i + 1), "dev", dev])
            run(ip + ["link", "set", dev, "up"])
            # the other side reads whole frames: checksums have to be in them
            run(["ip", "netns", "exec", self.ns, "ethtool", "-K", dev, "tx", "off", "gso", "off", "gro", "off"])

    def prefix(self):
        return ["ip", "netns", "exec", self.ns]

    def close(self):
        run(["ip", "netns", "del", self.ns], check=False)


def kernel(build, port, points, how="busy", **more):
    """The same engine over kernel sockets, on the same veth pairs on which the appliance has AF_XDP."""
    if port != "af_xdp":
        raise Failed("the kernel peer needs interfaces: af_xdp")
    with Session(build, port, points, **more) as s:
        side = KernelSide(s)
        try:
            s.start_sim()
            s.start_controlplane()
            s.spawn("peer", [s.tool("gannet-kernel-peer"), "--" + how, "--region", os.path.join(s.dir, "plane")], side.prefix())
            s.wait_for("the kernel peer", lambda: s.status()["dataplane"]["state"] == "running", 30)
            s.session_up()
            before = s.metrics()
            r = s.measure(["peer"])
            after = s.metrics()
        finally:
            s.end("peer") if "peer" in s.procs else None
            side.close()
        r["appliance"] = {k: after[k] - before.get(k, 0) for k in sorted(after) if after[k] != before.get(k, 0)}
        r["wire"] = port
        return r
