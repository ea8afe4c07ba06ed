"""Starts the real processes of an appliance and its counterparty: for tools/demo, the system tests and the drills.

A Bench owns a scratch directory, hugepages, network namespaces and processes, and gives all of it back in close(). It
ends only processes that it started.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HUGE_NEED_MIB = 900
PORTS = ("feed_a", "feed_b", "order")


class Failed(Exception):
    """Something that a person should read."""


CPUS = sorted(os.sched_getaffinity(0))


def cpus():
    """CPUs that this program was given; its own work stays on the first one, away from the lcores."""
    os.sched_setaffinity(0, {CPUS[0]})
    return CPUS


class Hugepages:
    """Reserves 2 MiB pages and a mount for the region; restore() undoes both. `why` says why there are none. The kernel has
    one counter for everybody: it is changed by what is needed, under a lock, and never set to what it was."""

    COUNT = "/proc/sys/vm/nr_hugepages"
    LOCK = "/run/lock/gannet-hugepages"

    def __init__(self, need_mib, mount_at):
        self.pages = 0
        self.mounted = None
        self.why = None
        if os.geteuid() != 0:
            self.why = "not root"
            return
        try:
            got = self.change(need_mib // 2)
            self.pages = got
            if got < need_mib // 2:
                raise OSError("the kernel gave %d of %d pages: memory is fragmented or short" % (got, need_mib // 2))
            os.makedirs(mount_at, exist_ok=True)
            subprocess.run(["mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "none", mount_at], check=True,
                           capture_output=True)
            self.mounted = mount_at
        except (OSError, subprocess.CalledProcessError) as e:
            self.why = str(e)
            self.restore()

    def change(self, by):
        """Adds pages (takes them away when negative); how many it became."""
        os.makedirs(os.path.dirname(self.LOCK), exist_ok=True)
        with open(self.LOCK, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with open(self.COUNT) as f:
                before = int(f.read())
            with open(self.COUNT, "w") as f:
                f.write(str(max(0, before + by)))
            with open(self.COUNT) as f:
                return int(f.read()) - before

    @property
    def there(self):
        return self.mounted is not None

    def restore(self):
        if self.mounted:
            subprocess.run(["umount", self.mounted], capture_output=True)
            self.mounted = None
        if self.pages:
            self.change(-self.pages)
            self.pages = 0


class Links:
    """The wires between the two sides: memif sockets, veth pairs into a network namespace of our own, or tap interfaces
    that bridges join."""

    def __init__(self, kind, directory, tag):
        self.kind = kind
        self.dir = directory
        self.ns = None
        self.made = []
        if kind == "af_xdp":
            self.ns = "gannet-" + tag
            run(["ip", "netns", "add", self.ns])
            for i, name in enumerate(PORTS):
                ours, theirs = self.names(i, tag)
                run(["ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", self.ns])
                self.made.append(ours)
                for prefix, dev in ((["ip"], ours), (["ip", "-n", self.ns], theirs)):
                    run(prefix + ["link", "set", dev, "up"])
                    run(prefix + ["link", "set", dev, "addrgenmode", "none"], check=False)
        self.tag = tag

    @staticmethod
    def names(i, tag):
        return "gn%s%d" % (tag, i), "gv%s%d" % (tag, i)

    def ours(self, i):
        return os.path.join(self.dir, PORTS[i] + ".sock") if self.kind == "memif" else self.names(i, self.tag)[0]

    def join(self):
        """tap: its interfaces are there only after both processes opened their ports."""
        if self.kind != "tap":
            return
        for i in range(len(PORTS)):
            bridge = "gb%s%d" % (self.tag, i)
            run(["ip", "link", "add", bridge, "type", "bridge", "mcast_snooping", "0"])
            self.made.append(bridge)
            for dev in (bridge,) + self.names(i, self.tag):
                if dev != bridge:
                    run(["ip", "link", "set", dev, "master", bridge])
                run(["ip", "link", "set", dev, "addrgenmode", "none"], check=False)
                run(["ip", "link", "set", dev, "up"])

    def sim_port(self, i):
        device = os.path.join(self.dir, PORTS[i] + ".sock") if self.kind == "memif" else self.names(i, self.tag)[1]
        extra = ",role=server" if self.kind == "memif" else ""
        return "%s:%s,ip=10.0.%d.1/24,mac=02:00:00:00:0%d:01%s" % (self.kind, device, i + 1, i + 1, extra)

    def sim_prefix(self):
        return ["ip", "netns", "exec", self.ns] if self.ns else []

    def close(self):
        for dev in self.made:
            run(["ip", "link", "del", dev], check=False)
        if self.ns:
            run(["ip", "netns", "del", self.ns], check=False)


def run(cmd, check=True):
    p = subprocess.run(cmd, capture_output=True, text=True)
    if check and p.returncode != 0:
        raise Failed("%s: %s" % (" ".join(cmd), (p.stderr or p.stdout).strip()))
    return p.stdout


LAYOUTS = {
    "fused": [(1, "[feed, strategy, orders]")],
    "split": [(1, "[feed]"), (0, "[strategy, orders]")],
    "split3": [(1, "[feed]"), (0, "[strategy]"), (1, "[orders]")],
}


class Bench:
    def __init__(self, build="build", port="memif", hugepages=True, layout="fused", symbols=None, instruments=50,
                 tick=100, itch=None, seed=1, sim_args=(), overrides=None, strategies=None, clients=(),
                 limits=None, main_core=None, inputs=True, ring_cells=1 << 20, journal_mib=0, people=()):
        self.build = os.path.join(ROOT, build)
        self.tag = "%x" % (os.getpid() & 0xffff)
        self.procs = {}
        self.logs = {}
        self.exits = {}
        self.dir = tempfile.mkdtemp(prefix="gannet-", dir="/dev/shm")
        self.disk = tempfile.mkdtemp(prefix="gannet-journal-")
        self.huge = None
        self.links = None
        self.small_disk = False
        self.itch = itch
        self.seed = seed
        self.sim_args = list(sim_args)
        self.layout = layout
        self.port = port
        self.instruments = instruments
        self.tick = tick
        self.inputs = inputs
        self.ring_cells = ring_cells
        self.clients = list(clients)
        self.people = list(people)  # lines of YAML; none: one person suffices
        self.limits = dict(max_open_orders=5000, message_rate=200000, message_burst=20000, cancel_reserve=5000,
                           max_gross=10 ** 16, max_net=10 ** 16, max_day_value=4 * 10 ** 18, max_positions=65536,
                           max_loss=10 ** 15, max_drawdown=10 ** 15, equity=10 ** 17)
        self.limits.update(limits or {})
        self.main_core = cpus()[0] if main_core is None else main_core
        try:
            if journal_mib:  # a disk of its own that can be filled; needs root
                run(["mount", "-t", "tmpfs", "-o", "size=%dm" % journal_mib, "none", self.disk])
                self.small_disk = True
            self.huge = Hugepages(HUGE_NEED_MIB, os.path.join(self.dir, "huge")) if hugepages else None
            if port == "af_xdp" and not (self.huge and self.huge.there):
                raise Failed("af_xdp needs hugepages: %s" % (self.huge.why if self.huge else "they were not asked for"))
            self.links = Links(port, self.dir, self.tag)
            self.symbols = symbols or self.list_symbols()
            self.strategies = strategies or self.default_strategies()
            self.config = os.path.join(self.dir, "gannet.yaml")
            with open(self.config, "w") as f:
                f.write(self.render(overrides or {}))
        except BaseException:
            self.close()
            raise

    # ---- configuration ----

    def tool(self, name):
        for sub in ("tools/venue-sim", "tools/gannetctl", "controlplane", "dataplane", "tools/libgannet", "tools/replay"):
            path = os.path.join(self.build, sub, name)
            if os.path.exists(path):
                return path
        raise Failed("%s is not built in %s" % (name, self.build))

    def list_symbols(self):
        source = self.itch or "generator"
        args = [self.tool("gannet-venue-sim"), "--list-symbols", source, "--instruments", str(self.instruments)]
        found = [s for s in run(args).split("\n") if s.strip()]
        return found[: self.instruments] if self.itch else found

    def default_strategies(self):
        """One half of the instruments is quoted, the other half is taken; an instrument alone is quoted."""
        half = (len(self.symbols) + 1) // 2
        rows = [("maker", "maker", self.symbols[:half],
                 "{ qty: 100, edge_ticks: 1, skew_qty: 300, requote_us: 500, max_position: 1000 }")]
        if self.symbols[half:]:
            rows.append(("touch", "touch", self.symbols[half:], "{ qty: 1, every: 1, cross: 1 }"))
        return rows

    def lcores(self):
        mine = cpus()
        core = {0: mine[0], 1: mine[-1]}
        return [(core[c], stages) for c, stages in LAYOUTS[self.layout]]

    def render(self, over):
        q = lambda s: '"%s"' % s
        huge = self.huge is not None and self.huge.there
        lines = ["instance: %s" % over.get("instance", "demo"), "mode: mock", "run_dir: %s" % self.dir,
                 "hugepages: %s" % str(huge).lower(), "dpdk_mem: 256MiB"]
        if huge:
            lines.append("huge_dir: %s" % self.huge.mounted)
        rows = self.lcores()
        lines += ["cores:", "  allow_shared_core: true", "  main: %d" % self.main_core, "  lcores:"]
        lines += ["    - { core: %d, stages: %s }" % r for r in rows]
        lines.append("ports:")
        for i, name in enumerate(PORTS):
            role = ", role: client, id: 0" if self.port == "memif" else ""
            lines.append("  - { name: %s, kind: %s, device: %s%s, ip: 10.0.%d.2/24, mac: %s, rx_descs: %d, tx_descs: %d }" % (
                name, self.port, self.links.ours(i), role, i + 1, q("02:00:00:00:0%d:02" % (i + 1)), 1024, 1024))
        lines += ["feed:", "  line_a: { port: feed_a, group: 239.1.1.1, udp_port: 30001 }",
                  "  line_b: { port: feed_b, group: 239.1.1.2, udp_port: 30001 }",
                  "  retransmit: { port: feed_a, ip: 10.0.1.1, udp_port: 31000, local_udp_port: 31001 }",
                  "  gap_request: %s" % over.get("gap_request", "500us"), "  gap_retries: 20", "  line_dead: 2s",
                  "  reorder_packets: 4096"]
        lines += ["sessions:", "  - { name: oe1, port: order, remote: 10.0.3.1:40123, local_port: 41000, username: GANNET,",
                  "      password_env: GANNET_OE1_PASSWORD, firm: GNNT, heartbeat: 1s, dead: 15s, reconnect: 100ms,",
                  "      reconnect_max: 5s%s }" % (", " + over["session"] if "session" in over else "")]
        if self.clients:
            lines.append("clients: [%s]" % ", ".join(self.clients))
        lines.append("strategies:")
        for name, kind, symbols, params in self.strategies:
            extra = ", params: %s" % params if params and not params.startswith("client=") else ""
            if params and params.startswith("client="):
                extra = ", client: %s" % params[7:]
            lines.append("  - { name: %s, kind: %s, session: oe1, instruments: [%s]%s }" % (
                name, kind, ", ".join(q(s) for s in symbols), extra))
        lim = dict(max_qty=1000, max_value=10 ** 12, collar="1000bps", max_position=3000, max_open_orders=100)
        lim.update(over.get("instrument_limits", {}))
        lines += ["instruments:", "  defaults:", "    price_exp: -4", "    tick: %d" % self.tick, "    lot: 1",
                  "    limits: { tradable: true, %s }" % ", ".join("%s: %s" % kv for kv in lim.items() if kv[1] is not None),
                  "  list: [%s]" % ", ".join(q(s) for s in self.symbols)]
        lines += ["limits:"] + ["  %s: %s%s" % (k, v, "/s" if k == "message_rate" else "") for k, v in self.limits.items()]
        lines += ["tables:", "  max_instruments: 8192", "  max_orders: 65536", "  book_orders: 1048576", "  book_levels: 262144"]
        lines += ["journal:", "  dir: %s" % self.disk, "  segment: 64MiB", "  segments_ahead: 2",
                  "  inputs: %s" % str(self.inputs).lower(), "  ring_cells: %d" % self.ring_cells,
                  "  mode: %s" % over.get("journal_mode", "async")]
        lines += ["heartbeat:", "  period: 10ms", "  stale: %s" % over.get("stale", "1s"), "  cancel: %s" % over.get("cancel", "3s")]
        lines += self.people if self.people else ["authority: { single_person: true }"]
        return "\n".join(lines) + "\n"

    # ---- processes ----

    def spawn(self, name, cmd, prefix=(), env=None):
        log = open(os.path.join(self.dir, name + ".log"), "ab")
        full = dict(os.environ, **dict({"GANNET_OE1_PASSWORD": "gannet"}, **(env or {})))
        self.procs[name] = subprocess.Popen(list(prefix) + cmd, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=full,
                                            start_new_session=True)
        self.logs[name] = log.name
        log.close()
        return self.procs[name]

    def log(self, name, lines=15):
        try:
            with open(self.logs[name], errors="replace") as f:
                return "".join(f.readlines()[-lines:])
        except (OSError, KeyError):
            return ""

    def wait_for(self, what, test, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name, p in self.procs.items():
                if p.poll() is not None and name not in self.exits:
                    raise Failed("%s ended with status %d while waiting for %s:\n%s" % (name, p.returncode, what, self.log(name)))
            got = test()
            if got:
                return got
            time.sleep(0.02)
        raise Failed("%s did not come within %g s\n%s" % (what, seconds, "".join("-- %s\n%s" % (n, self.log(n, 8)) for n in self.procs)))

    def start_sim(self, *more):
        self.sim_json = os.path.join(self.dir, "sim.json")
        cmd = [self.tool("gannet-venue-sim"), "--core", str(cpus()[0]), "--yield", "--stay", "--seed", str(self.seed),
               "--account", "GANNET:gannet", "--json", self.sim_json]
        for i in range(len(PORTS)):
            cmd += ["--port", self.links.sim_port(i)]
        cmd += ["--itch", self.itch] if self.itch else ["--instruments", str(self.instruments)]
        if self.huge is not None and self.huge.there:
            cmd.append("--hugepages")
        cmd += self.sim_args + list(more)
        self.spawn("sim", cmd, self.links.sim_prefix())
        if self.port == "memif":
            self.wait_for("the simulator's ports", lambda: all(os.path.exists(self.links.ours(i)) for i in range(len(PORTS))), 20)
        else:
            self.wait_for("the simulator", lambda: "ready" in self.log("sim"), 20)

    def start_controlplane(self, *more):
        self.spawn("controlplane", [self.tool("gannet-controlplane"), "--config", self.config] + list(more))
        self.wait_for("the control plane", lambda: self.ask("version", quiet=True), 30)

    def start_dataplane(self):
        self.spawn("dataplane", [self.tool("gannet-dataplane"), "--region", os.path.join(self.dir, "plane")])
        self.wait_for("the data plane", lambda: self.status()["dataplane"]["state"] == "running", 30)

    def start(self):
        self.start_sim()
        self.start_controlplane()
        self.start_dataplane()
        self.links.join()

    def session_up(self, seconds=15):
        return self.wait_for("the order session", lambda: self.status()["sessions"][0]["state"] == "up", seconds)

    def end(self, name, sig=signal.SIGTERM, seconds=20):
        p = self.procs.get(name)
        if p is None:
            return None
        self.exits[name] = None
        if p.poll() is None:
            p.send_signal(sig)
        try:
            self.exits[name] = p.wait(seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            self.exits[name] = p.wait()
            raise Failed("%s did not end within %d s of signal %d\n%s" % (name, seconds, sig, self.log(name)))
        del self.procs[name]
        code = self.exits.pop(name)
        return code

    # ---- asking ----

    def ask(self, cmd, quiet=False, **more):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                s.settimeout(10)
                s.connect(os.path.join(self.dir, "admin.sock"))
                s.sendall(json.dumps(dict(more, cmd=cmd)).encode() + b"\n")
                data = b""
                while not data.endswith(b"\n"):
                    part = s.recv(1 << 20)
                    if not part:
                        raise OSError("connection closed")
                    data += part
            return json.loads(data)
        except (OSError, ValueError) as e:
            if quiet:
                return None
            raise Failed("the control plane does not answer: %s\n%s" % (e, self.log("controlplane")))

    def status(self):
        return self.ask("status")["status"]

    def metrics(self):
        """name or name{label} -> value, summed over lcores."""
        out = {}
        for m in self.ask("metrics")["metrics"]:
            out[m["name"]] = out.get(m["name"], 0) + m["value"]
        return out

    def ctl(self, *args, check=True):
        p = subprocess.run([self.tool("gannetctl"), "--dir", self.dir, "--journal", self.disk] + list(args), capture_output=True, text=True)
        if check and p.returncode != 0:
            raise Failed("gannetctl %s: %s" % (" ".join(args), p.stderr.strip()))
        return p

    def ctl_json(self, *args, check=True):
        p = self.ctl("--json", *args, check=check)
        try:
            return json.loads(p.stdout)
        except ValueError:
            raise Failed("gannetctl %s printed no JSON: %s %s" % (" ".join(args), p.stdout[:200], p.stderr[:200]))

    # ---- the end of a run ----

    def pause_market(self, seconds=20):
        """Stops the publication and waits until the data plane has applied all of it."""
        self.procs["sim"].send_signal(signal.SIGUSR1)
        last = [None, 0]

        def at_rest():
            m = self.metrics()
            now = (m["feed_delivered"], m["venue_messages"], self.status()["feed_stale"])
            last[1] = last[1] + 1 if now == last[0] and now[2] == 0 else 0
            last[0] = now
            return last[1] >= 15

        self.wait_for("the market at rest", at_rest, seconds)

    def sim_account(self):
        code = self.end("sim")
        if code != 0:
            raise Failed("the simulator ended with status %d\n%s" % (code, self.log("sim")))
        with open(self.sim_json) as f:
            return json.load(f)

    def close(self):
        for name in list(self.procs):
            p = self.procs[name]
            if p.poll() is None:
                p.terminate()
                try:
                    p.wait(5)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
        self.procs.clear()
        if self.links:
            self.links.close()
        if self.huge:
            self.huge.restore()
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.small_disk:
            run(["umount", self.disk], check=False)
        shutil.rmtree(self.disk, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
