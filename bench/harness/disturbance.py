"""Was the machine quiet while it was measured? Context switches of the pinned threads, time the hypervisor took away, load
of others. A result whose machine was not quiet says so instead of being a number."""

import json
import os
import subprocess
import time

STEAL_SHARE_MAX = 0.005    # of the time of all CPUs
FORCED_A_SECOND_MAX = 20   # context switches that a pinned thread did not ask for
LOST_SHARE_MAX = 0.05      # of the harness's time in gaps of more than 10 us; what it did not see is not a result either
APART_MAX = 1.4            # between two results: how much farther the cores may be from each other
OTHERS_SHARE_MAX = 0.10    # CPU time of processes that are not part of the run


def threads(pid):
    """tid -> (name, CPUs allowed, forced switches) of a process."""
    out = {}
    base = "/proc/%d/task" % pid
    try:
        for tid in os.listdir(base):
            with open("%s/%s/status" % (base, tid)) as f:
                row = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            out[int(tid)] = (row["Name"], row.get("Cpus_allowed_list", ""), int(row["nonvoluntary_ctxt_switches"]))
    except (OSError, KeyError, ValueError):
        pass
    return out


def cpu_ticks():
    """Ticks of all CPUs: (all, idle with iowait, steal)."""
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return sum(v), v[3] + v[4], v[7]


def process_ticks(pids):
    total = 0
    for pid in pids:
        try:
            with open("/proc/%d/stat" % pid) as f:
                v = f.read().rsplit(")", 1)[1].split()
            total += int(v[11]) + int(v[12])
        except (OSError, ValueError, IndexError):
            pass
    return total


def descendants_and_self():
    """Our own process and everything it started."""
    parent = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as f:
                    parent[int(name)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError, IndexError):
                pass
    mine = {os.getpid()}
    while True:
        more = {p for p, up in parent.items() if up in mine} - mine
        if not more:
            return mine
        mine |= more


class Watch:
    """with Watch({name: pid}) as w: ...; then w.result."""

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        self.begun = time.monotonic()
        self.before = {name: threads(pid) for name, pid in self.pids.items()}
        self.cpu = cpu_ticks()
        self.family = descendants_and_self()
        self.ours = process_ticks(self.family)
        self.result = None
        return self

    def __exit__(self, *exc):
        took = time.monotonic() - self.begun
        switches = {}
        for name, pid in self.pids.items():
            for tid, (thread, cpus, forced) in threads(pid).items():
                was = self.before[name].get(tid)
                if was is not None and cpus.isdigit():
                    key = "%s/%s on %s" % (name, thread, cpus)
                    switches[key] = switches.get(key, 0) + forced - was[2]
        total, idle, steal = (b - a for a, b in zip(self.cpu, cpu_ticks()))
        ours = process_ticks(self.family) - self.ours
        total = max(total, 1)
        self.result = {"seconds": took, "forced_switches": switches, "steal_share": steal / total, "idle_share": idle / total,
                       "others_share": max(0.0, (total - idle - steal - ours) / total)}


def core_distance(program, cpus):
    """ns that a cache line takes from one core to the other and back, the quickest of some passes; None on one CPU. A
    hypervisor moves its virtual CPUs: the same two can be three times farther apart a minute later."""
    if len(cpus) < 2:
        return None
    p = subprocess.run([program, str(cpus[0]), str(cpus[-1]), "2000", "12", "line"], capture_output=True, text=True)
    return min(json.loads(p.stdout)["line_round_trip"]) if p.returncode == 0 else None


def apart(a, b):
    """Why two results are not to be compared: the cores moved between them. None when they did not."""
    x, y = a.get("core_distance_ns"), b.get("core_distance_ns")
    if x is None or y is None or max(x, y) <= APART_MAX * min(x, y):
        return None
    return "a cache line took %.0f ns between the cores and back for the one and %.0f for the other" % (x, y)


def machine_reasons(m):
    """Sentences that say why the machine was not quiet (m: of Watch); none when it was."""
    out = []
    if m["steal_share"] > STEAL_SHARE_MAX:
        out.append("the hypervisor took %.2f%% of the CPUs (at most %.2f%%)" % (100 * m["steal_share"], 100 * STEAL_SHARE_MAX))
    if m["others_share"] > OTHERS_SHARE_MAX:
        out.append("other processes used %.0f%% of the CPUs (at most %.0f%%)" % (100 * m["others_share"], 100 * OTHERS_SHARE_MAX))
    for thread, n in sorted(m["forced_switches"].items()):
        # the harness may share its core with the control plane: its own absence is measured as gaps between its looks
        if not thread.startswith("sim/") and n / max(m["seconds"], 1e-9) > FORCED_A_SECOND_MAX:
            out.append("thread %s was put aside %.0f times a second (at most %d)" % (thread, n / m["seconds"], FORCED_A_SECOND_MAX))
    return out


def reasons(result):
    """Sentences that say why this result is not of a quiet machine; none when it is."""
    out = machine_reasons(result["machine"])
    took = sum(p["took_ns"] for p in result["points"])
    lost = sum(p["harness"]["gap_lost_ns"] for p in result["points"])
    if took and lost / took > LOST_SHARE_MAX:
        out.append("the harness was away for %.2f%% of the time (at most %.2f%%)" % (100 * lost / took, 100 * LOST_SHARE_MAX))
    return out
