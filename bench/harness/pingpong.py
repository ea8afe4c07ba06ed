"""TCP ping-pong of 64 bytes: ours, a bare echo, the kernel, Debian's lwIP, in turns within one run.

memif: ours on both sides, lwIP on both sides, and the bare echo of frames as long, by the same two processes.
veth in two namespaces: a server of kernel TCP; its client is ours over AF_XDP, lwIP over AF_XDP, or kernel TCP.
"""

import json
import os
import select
import shutil
import subprocess
import tempfile

import callgrind
import compare
import disturbance
from appliance import Hugepages, run
from sessions import Failed, cpus, distance_now

HUGE_MIB = 320
PATIENCE_S = 30
SERVER, CLIENT, KERNEL_CLIENT = "10.9.0.1", "10.9.0.2", "10.9.0.3"
# stack of the client, of the server, name in the result
MEMIF = [("raw", "raw", "echo"), ("raw_work", "raw_work", "echo after 850 no-ops"), ("ours", "ours", "ours"), ("lwip", "lwip", "lwIP")]
BYPASS = [("ours", "busy", "ours, to a kernel that spins"), ("ours", "blocking", "ours, to a kernel that sleeps"), ("lwip", "busy", "lwIP, to a kernel that spins")]
KERNEL = [("busy", "busy", "kernel that spins, both sides"), ("blocking", "blocking", "kernel that sleeps, both sides")]
RATIOS = {
    "memif": [("ours", "echo", 1.25), ("echo after 850 no-ops", "echo", None), ("ours", "echo after 850 no-ops", None), ("lwIP", "ours", None)],
    "af_xdp": [("kernel that spins, both sides", "ours, to a kernel that spins", 1.5),
               ("kernel that sleeps, both sides", "ours, to a kernel that sleeps", 1.5),
               ("lwIP, to a kernel that spins", "ours, to a kernel that spins", None)],
}
# what lwIP's segments cost in ours, and of which counts each is the sum
SEGMENTS = [("order out and its acknowledgement in", ("send", "ack_in"), ("turn",)), ("order out", ("send",), ("turn",)),
            ("acknowledgement in", ("ack_in",), ()), ("answer in, to the application", ("answer_in",), ())]


class Side:
    """One gannet-pingpong."""

    def __init__(self, program, args, prefix=()):
        self.log = tempfile.TemporaryFile("w+")
        self.p = subprocess.Popen(list(prefix) + [program] + args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1)
        try:
            self.expect("ready")
        except BaseException:
            self.close()
            raise

    def line(self):
        if not select.select([self.p.stdout], [], [], PATIENCE_S)[0]:
            raise Failed("gannet-pingpong says nothing for %d s" % PATIENCE_S)
        text = self.p.stdout.readline()
        if not text:
            self.p.wait()
            self.log.seek(0)
            raise Failed("gannet-pingpong ended: %s" % self.log.read()[-500:].strip())
        return text.strip()

    def expect(self, word):
        got = self.line()
        if got != word:
            raise Failed("gannet-pingpong said %r instead of %r" % (got[:300], word))

    def tell(self, text):
        self.p.stdin.write(text + "\n")
        self.p.stdin.flush()

    def close(self):
        self.p.stdin.close()
        try:
            self.p.wait(5)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        self.p.stdout.close()
        self.log.close()


class Pair:
    """The two sides, and the wires between them."""

    def __init__(self, build, hugepages):
        self.build = build
        self.program = os.path.join(build, "bench", "pingpong", "gannet-pingpong")
        if not os.path.exists(self.program):
            raise Failed("gannet-pingpong is not built in %s" % build)
        self.dir = tempfile.mkdtemp(prefix="gannet-pingpong-", dir="/dev/shm")
        tag = "%x" % (os.getpid() & 0xffff)
        self.ns = ["gannet-pc" + tag, "gannet-ps" + tag]
        self.dev = ["gnp" + tag, "gvp" + tag]
        self.port = 7000
        self.spaces = False
        self.huge = Hugepages(HUGE_MIB, os.path.join(self.dir, "huge")) if hugepages else None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.spaces:
            for ns in self.ns:
                run(["ip", "netns", "del", ns], check=False)
        if self.huge is not None:
            self.huge.restore()
        shutil.rmtree(self.dir, ignore_errors=True)

    def pages(self):
        return ["--hugepages"] if self.huge is not None and self.huge.there else []

    def veth(self):
        self.spaces = True
        for ns in self.ns:
            run(["ip", "netns", "add", ns])
        run(["ip", "link", "add", self.dev[0], "netns", self.ns[0], "type", "veth", "peer", "name", self.dev[1], "netns", self.ns[1]])
        for ns, dev, ip in zip(self.ns, self.dev, (KERNEL_CLIENT, SERVER)):
            run(["ip", "-n", ns, "link", "set", dev, "addrgenmode", "none"], check=False)
            run(["ip", "-n", ns, "addr", "add", ip + "/24", "dev", dev])
            run(["ip", "-n", ns, "link", "set", dev, "up"])
            # frames leave as on a wire: summed, and no longer than the MTU
            run(["ip", "netns", "exec", ns, "ethtool", "-K", dev, "tx", "off", "gso", "off", "tso", "off", "gro", "off"])

    def inside(self, side):
        return ["ip", "netns", "exec", self.ns[side]]

    def memif(self, server):
        socket = os.path.join(self.dir, "wire.sock")
        own, role = (SERVER, "server") if server else (CLIENT, "client")
        spec = "memif:%s,ip=%s/24,mac=02:00:00:09:00:0%d,role=%s" % (socket, own, 1 if server else 2, role)
        return Side(self.program, ["--port", spec, "--own", own, "--peer", SERVER, "--core", str(cpus()[0 if server else -1])] +
                    (["--server"] if server else []) + self.pages())

    def kernel(self, server):
        return Side(self.program, (["--server", "--own", SERVER] if server else ["--peer", SERVER]) + ["--core", str(cpus()[0 if server else -1])],
                    self.inside(1 if server else 0))

    def af_xdp(self):
        spec = "af_xdp:%s,ip=%s/24,mac=02:00:00:09:00:02" % (self.dev[0], CLIENT)
        return Side(self.program, ["--port", spec, "--peer", SERVER, "--core", str(cpus()[-1])] + self.pages(), self.inside(0))

    def exchange(self, client, server, stacks, rounds):
        """One measurement: what the client found, and what the machine did meanwhile."""
        self.port += 1
        distance = distance_now(self.build)
        server.tell("%s 0 %d" % (stacks[1], self.port))
        server.expect("listening")
        with disturbance.Watch({"client": client.p.pid, "server": server.p.pid}) as watch:
            client.tell("%s %d %d" % (stacks[0], rounds, self.port))
            result = json.loads(client.line())
        served = json.loads(server.line())
        for side in (result, served):
            if not side["ok"]:
                raise Failed("%s as %s: %s (%d of %d)" % (side["stack"], side["role"], side["why"], side["done"], rounds))
        result["machine"] = watch.result
        result["core_distance_ns"] = distance
        return result


def has_lwip(program):
    with open(program, "rb") as f:
        return b"lwip_init" in f.read()


def told(say, wire, i, repetitions, name, result):
    d = result["round_trip"]
    say("%s  round %d of %d  %-31s p50 %7.2f us  p99 %7.2f us  cores %3.0f ns apart%s" % (
        wire, i + 1, repetitions, name, d["p50"] / 1e3, d["p99"] / 1e3, result["core_distance_ns"] or 0, "  DISTURBED" if disturbance.machine_reasons(result["machine"]) else ""))


def rounds_memif(pair, say, variants, rounds, repetitions, out):
    server = pair.memif(True)
    try:
        client = pair.memif(False)
        try:
            for i in range(repetitions):
                for variant in variants if i % 2 == 0 else variants[::-1]:
                    r = pair.exchange(client, server, variant, rounds)
                    out.setdefault(variant[2], []).append(r)
                    told(say, "memif ", i, repetitions, variant[2], r)
        finally:
            client.close()
    finally:
        server.close()


def rounds_af_xdp(pair, say, bypass, rounds, repetitions, out):
    """The client's interface belongs to one program or the other: each group of variants has a client of its own."""
    groups = [(pair.af_xdp, bypass), (lambda: pair.kernel(False), KERNEL)]
    server = pair.kernel(True)
    try:
        for i in range(repetitions):
            for make, variants in groups if i % 2 == 0 else groups[::-1]:
                client = make()
                try:
                    for variant in variants if i % 2 == 0 else variants[::-1]:
                        r = pair.exchange(client, server, variant, rounds)
                        out.setdefault(variant[2], []).append(r)
                        told(say, "af_xdp", i, repetitions, variant[2], r)
                finally:
                    client.close()
    finally:
        server.close()


def ratios(wire, runs):
    out = {}
    for over, under, target in RATIOS[wire]:
        if over not in runs or under not in runs:
            continue
        for pc in ("p50", "p99"):
            pairs, why = [], []
            for a, b in zip(runs[over], runs[under]):
                bad = disturbance.machine_reasons(a["machine"]) + disturbance.machine_reasons(b["machine"])
                bad += [w for w in [disturbance.apart(a, b)] if w]
                why += bad
                if not bad:
                    pairs.append(a["round_trip"][pc] / b["round_trip"][pc])
            r = compare.of_pairs(pairs, why, len(runs[over]))
            if target is not None and pc == "p50":
                r["target"] = ("at most %g" if under == "echo" else "at least %g") % target
            out["%s / %s at %s" % (over, under, pc)] = r
    return out


def summary(results):
    """All repetitions together; times in ns."""
    buckets = {}
    for r in results:
        for value, n in r["round_trip"]["histogram"]:
            buckets[value] = buckets.get(value, 0) + n
    b = sorted(buckets.items())
    out = {name: compare.percentile(b, share) for name, share in compare.SHARES}
    out["core_distance_ns"] = [r["core_distance_ns"] for r in results]
    out.update(min=min(r["round_trip"]["min"] for r in results), max=max(r["round_trip"]["max"] for r in results), count=sum(n for _, n in b))
    return out, b


def segments(build):
    """Instructions a segment, lwIP's and ours, and the ratio; {'missing': why} when they cannot be counted."""
    program = os.path.join(build, "bench", "pingpong", "gannet-segments")
    if not os.path.exists(program):
        return {"missing": "gannet-segments is not built: Debian's packages liblwip-dev and valgrind were missing when this build was configured"}
    if callgrind.missing():
        return {"missing": callgrind.missing()}
    c = callgrind.count(program)
    rows = []
    for what, parts, also in SEGMENTS:
        theirs, ours = sum(c["lwip_" + p] for p in parts), sum(c["ours_" + p] for p in parts)
        whole = ours + sum(c["ours_" + p] for p in also)
        rows.append(dict(what=what, lwip=theirs, ours=ours, ours_with_turn=whole, ratio=theirs / whole))
    return {"counts": c, "rows": rows}


def suite(args, say, profile):
    build = os.path.abspath(args.build)
    p = profile["pingpong"]
    result = dict(wires={}, notes=[])
    with Pair(build, args.hugepages) as pair:
        lwip = has_lwip(pair.program)
        if not lwip:
            result["notes"].append("lwIP is not here: Debian's package liblwip-dev was missing when this build was configured")
        kept = lambda variants: [v for v in variants if lwip or "lwip" not in v]
        runs = {"memif": {}}
        rounds_memif(pair, say, kept(MEMIF), p["memif"], p["repetitions"], runs["memif"])
        if os.geteuid() != 0:
            result["notes"].append("no kernel to compare with: AF_XDP and namespaces need root")
        elif not pair.pages():
            result["notes"].append("no kernel to compare with: AF_XDP needs hugepages (%s)" % (pair.huge.why if pair.huge else "they were not asked for"))
        else:
            pair.veth()
            runs["af_xdp"] = {}
            rounds_af_xdp(pair, say, kept(BYPASS), p["af_xdp"], p["repetitions"], runs["af_xdp"])
    for wire, of in runs.items():
        disturbed = [why for results in of.values() for r in results for why in disturbance.machine_reasons(r["machine"])]
        result["wires"][wire] = dict(runs=of, ratios=ratios(wire, of), rows={name: summary(results)[0] for name, results in of.items()}, disturbed=disturbed)
    result["segments"] = segments(build)
    for note in result["notes"] + ([result["segments"]["missing"]] if "missing" in result["segments"] else []):
        say("pingpong: " + note)
    for row in result["segments"].get("rows", []):
        say("segments  %-40s lwIP %7.1f instructions, ours %6.1f (%.1f with the turn's timers), ratio %.2f" % (
            row["what"], row["lwip"], row["ours"], row["ours_with_turn"], row["ratio"]))
    return result
