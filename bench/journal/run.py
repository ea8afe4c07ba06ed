#!/usr/bin/env python3
"""The journal's numbers, each beside its yardstick in the same run. Usage: tools/bench journal [--dir DIR] [--records N]

  sustained   events of 128 bytes a second, bounded lag, against fio with the same batch size and write + fdatasync: >= 0.9,
              or 1 M events a second
  commits     p50 of a commit against bare pwrite + fdatasync of the same size, one after the other: <= 1.15
  read        recovery of all records <= 10 s, verification >= 500 MB/s
  lcore       instructions of one event: tools/bench instructions, rows journal_reserve and journal_record

Wants a quiet machine and 4 GB in --dir (default: a folder in TMPDIR). Results: build/bench/journal.json. Exit status 1
when a target is missed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "bench", "journal", "gannet-bench-journal")
SIZES = [4096, 16384, 65536, 262144]


def phase(*args):
    r = subprocess.run([PROGRAM] + [str(a) for a in args], capture_output=True, text=True)
    if r.returncode != 0:
        sys.exit("%s: %s" % (" ".join(str(a) for a in args), r.stderr.strip()))
    return json.loads(r.stdout)


def fio(folder, batch, total):
    """Bytes a second of sequential writes of `batch` bytes, an fdatasync behind each, on a file that is there already."""
    path = os.path.join(folder, "fio")
    batch = max(4096, batch // 4096 * 4096)
    total = max(batch, total // batch * batch)
    with open(path, "wb") as f:
        block = bytes(1 << 20)
        for _ in range(0, total + (1 << 20), 1 << 20):
            f.write(block)
        f.flush()
        os.fsync(f.fileno())
    r = subprocess.run(["fio", "--name=journal", "--filename=" + path, "--rw=write", "--bs=%d" % batch, "--size=%d" % total,
                        "--direct=1", "--fdatasync=1", "--ioengine=io_uring", "--iodepth=1", "--overwrite=1", "--thread",
                        "--output-format=json"], capture_output=True, text=True)
    os.unlink(path)
    if r.returncode != 0:
        sys.exit("fio: " + r.stderr.strip())
    return json.loads(r.stdout[r.stdout.index("{"):])["jobs"][0]["write"]["bw_bytes"]


class Folder:
    def __init__(self, base):
        self.base = base

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="gannet-bench-journal-", dir=self.base)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def judge(rows, what, value, unit, target, met):
    rows.append({"what": what, "value": value, "unit": unit, "target": target, "met": met})
    print("%-58s %12s %-9s %-22s %s" % (what, value, unit, target, "" if met is None else "met" if met else "MISSED"), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dir", help="folder on the disk to measure")
    p.add_argument("--records", type=int, default=10000000)
    p.add_argument("--rounds", type=int, default=1000, help="commits of each size")
    p.add_argument("--repeat", type=int, default=3, help="of the sustained runs, fio and journal in turn")
    a = p.parse_args()
    rows, runs = [], []
    for _ in range(a.repeat):
        with Folder(a.dir) as d:
            j = phase("sustained", os.path.join(d, "journal"), a.records)
        with Folder(a.dir) as d:
            j["fio_bytes_s"] = fio(d, j["batch_bytes"], j["bytes"])
        j["ratio"] = j["bytes_s"] / j["fio_bytes_s"]
        runs.append(j)
    ratio = statistics.median(r["ratio"] for r in runs)
    events = statistics.median(r["events_s"] for r in runs)
    judge(rows, "sustained, %d events of 128 bytes, batches of %d KiB" % (runs[-1]["records"], runs[-1]["batch_bytes"] >> 10),
          "%.0f" % events, "events/s", "1 M, or 0.9 x fio", events >= 1e6 or ratio >= 0.9)
    judge(rows, "  the same against fio, same batch, write + fdatasync", "%.2f" % ratio, "x", ">= 0.9", ratio >= 0.9 or None)
    with Folder(a.dir) as d:
        e = phase("endless", os.path.join(d, "journal"), a.records)
        judge(rows, "sustained with the zero-filling of segments within it", "%.0f" % e["events_s"], "events/s", "", None)
        r = phase("read", os.path.join(d, "journal"))
    judge(rows, "recovery of %d records" % r["records"], "%.1f" % r["recovery_ms"], "ms", "<= 10000", r["recovery_ms"] <= 10000)
    judge(rows, "verification of %.2f GB" % (r["bytes"] / 1e9), "%d" % r["verify_mb_s"], "MB/s", ">= 500", r["verify_mb_s"] >= 500)
    commits = []
    for size in SIZES:
        with Folder(a.dir) as d:
            c = phase("commits", os.path.join(d, "journal"), size, a.rounds)
        commits.append(c)
        x = c["p50"]["journal_us"] / c["p50"]["bare_us"]
        judge(rows, "commit of %d KiB, p50: %.0f us, bare %.0f us, with copy %.0f us"
              % (size >> 10, c["p50"]["journal_us"], c["p50"]["bare_us"], c["p50"]["with_copy_us"]), "%.2f" % x, "x", "<= 1.15", x <= 1.15)
    out = os.path.join(ROOT, "build", "bench", "journal.json")
    with open(out, "w") as f:
        json.dump({"rows": rows, "sustained": runs, "endless": e, "read": r, "commits": commits}, f, indent=1)
    print("written: %s; instructions of one event: tools/bench instructions (journal_reserve, journal_record)" % os.path.relpath(out))
    return 1 if any(row["met"] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
