"""tools/flame: where the data plane's time or instructions go, as a flame graph.

usage: tools/flame                      perf on the busy lcore while the harness sends market data (root)
       tools/flame --stage STAGE        instructions of a stage of tools/bench instructions, by callgrind
       tools/flame --folded FILE        draws folded stacks (a;b;c COUNT a line) of another tool
"""

import argparse
import hashlib
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import sessions
from sessions import Failed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WIDTH, ROW, FONT, LEAST = 1200, 17, 11, 0.4  # pixels; boxes narrower than LEAST are left out
STACK_BYTES = 16384
FREQUENCY = 1999


# ---- drawing ----

class Node:
    def __init__(self):
        self.count, self.below = 0, {}


def tree_of(folded):
    """folded: {(outermost, ..., innermost): count}."""
    root = Node()
    for stack, n in folded.items():
        root.count += n
        node = root
        for name in stack:
            node = node.below.setdefault(name, Node())
            node.count += n
    return root


def depth_of(node):
    return 1 + max((depth_of(n) for n in node.below.values()), default=0)


def colour(name):
    h = hashlib.sha256(name.encode()).digest()
    return "rgb(%d,%d,%d)" % (205 + h[0] % 50, 90 + h[1] % 110, 40 + h[2] % 40)


def box(out, name, node, x, level, scale, total, height, unit):
    width = node.count * scale
    if width < LEAST:
        return
    y = height - (level + 1) * ROW
    label = "%s: %d %s, %.2f%%" % (name, node.count, unit, 100.0 * node.count / total)
    room = int(width / (FONT * 0.62))
    text = name if len(name) <= room else name[:room - 2] + ".." if room > 4 else ""
    out.append('<g><title>%s</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" rx="1"/><text x="%.1f" y="%d">%s</text></g>' % (
        html.escape(label), x, y, max(width - 0.5, 0.2), ROW - 1, colour(name), x + 3, y + ROW - 5, html.escape(text)))
    for below, n in sorted(node.below.items()):
        box(out, below, n, x, level + 1, scale, total, height, unit)
        x += n.count * scale


def svg(folded, title, unit):
    """The picture; the widest row at the bottom is everything."""
    root = tree_of(folded)
    if root.count == 0:
        raise Failed("there is nothing to draw: no samples")
    height = (depth_of(root) + 2) * ROW
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="%d">' % (WIDTH, height, WIDTH, height, FONT),
           '<rect width="100%%" height="100%%" fill="#ffffff"/><text x="%d" y="%d" text-anchor="middle" font-size="14">%s</text>' % (WIDTH // 2, ROW, html.escape(title))]
    box(out, "all", root, 0.0, 0, WIDTH / root.count, root.count, height, unit)
    return "\n".join(out) + "</svg>\n"


# ---- perf ----

def folded_of_perf(text, comm):
    """Stacks of the threads called comm, of what perf script prints."""
    folded = {}
    for record in text.split("\n\n"):
        lines = [l for l in record.strip().split("\n") if l]
        if not lines or not lines[0].startswith(comm):
            continue
        frames = [re.sub(r"\+0x[0-9a-f]+$", "", l.split(None, 1)[1].rsplit(" (", 1)[0]) for l in lines[1:] if len(l.split(None, 1)) > 1]
        stack = tuple(f for f in reversed(frames) if f != "[unknown]")
        if stack:
            folded[stack] = folded.get(stack, 0) + 1
    return folded


def by_perf(args):
    if shutil.which("perf") is None:
        raise Failed("perf is not installed (Debian's package linux-perf); --stage STAGE works without it")
    points = [dict(rate=args.rate, ms=int(args.seconds * 1000), every=1, burst=1)]
    with tempfile.TemporaryDirectory() as d, sessions.Session(args.build, "memif", points, hugepages=args.hugepages) as s:
        s.start()
        s.session_up()
        data = os.path.join(d, "perf.data")
        cmd = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "--call-graph", "dwarf,%d" % STACK_BYTES,
               "-p", str(s.procs["dataplane"].pid), "-o", data, "--", "sleep", str(args.seconds)]
        perf = []
        begin = threading.Timer(0.7, lambda: perf.append(subprocess.run(cmd, capture_output=True, text=True)))
        begin.start()
        s.measure(["dataplane"])
        begin.join()
        if not perf or perf[0].returncode != 0:
            raise Failed("perf record does not work here: %s" % (perf[0].stderr.strip()[-300:] if perf else "it did not run"))
        p = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym"], capture_output=True, text=True)
        if p.returncode != 0:
            raise Failed("perf script: %s" % p.stderr.strip()[-300:])
    return folded_of_perf(p.stdout, "rte-worker")


# ---- callgrind ----

def folded_of_callgrind(text):
    """Stacks from a profile that keeps callers apart (--separate-callers: fn=name'caller'its caller)."""
    names, folded, stack, callee = {}, {}, (), False
    for row in text.splitlines():
        m = re.match(r"fn=\((\d+)\)(?: (.*))?$", row)
        if m:
            if m.group(2):
                names[m.group(1)] = m.group(2)
            stack = tuple(reversed(names.get(m.group(1), "?").split("'")))
            stack = stack[stack.index("main") + 1:] if "main" in stack[:-1] else stack
            callee = False
            continue
        m = re.match(r"c(?:fn|ob|fi|fl)=\((\d+)\)(?: (.*))?$", row)
        if m and row.startswith("cfn=") and m.group(2):
            names[m.group(1)] = m.group(2)
        elif row.startswith("calls="):
            callee = True
        elif re.match(r"[-+*\d]\S* \d+$", row):
            if not callee:
                folded[stack] = folded.get(stack, 0) + int(row.split()[1])
            callee = False
    return folded


def by_callgrind(args):
    program = os.path.join(ROOT, args.build, "bench", "instructions", "gannet-instructions")
    if shutil.which("valgrind") is None or not os.path.exists(program):
        raise Failed("valgrind or gannet-instructions is missing: install Debian's package valgrind and build again")
    with tempfile.TemporaryDirectory() as d:
        p = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--separate-callers=12", "--callgrind-out-file=" + os.path.join(d, "out"), program],
                           capture_output=True, text=True)
        if p.returncode != 0:
            raise Failed("callgrind: %s" % p.stderr.strip()[-300:])
        seen = []
        for name in os.listdir(d):
            with open(os.path.join(d, name)) as f:
                text = f.read()
            m = re.search(r"Client Request: (\S+)", text[:4096])
            if m and m.group(1) == args.stage:
                return folded_of_callgrind(text)
            seen += [m.group(1)] if m else []
    raise Failed("no stage %s; stages: %s" % (args.stage, ", ".join(sorted(seen))))


def read_folded(path):
    folded = {}
    with open(path) as f:
        for n, line in enumerate(f, 1):
            stack, _, count = line.strip().rpartition(" ")
            if not stack or not count.isdigit():
                raise Failed("%s:%d: a line is a;b;c COUNT" % (path, n))
            key = tuple(stack.split(";"))
            folded[key] = folded.get(key, 0) + int(count)
    return folded


def main():
    p = argparse.ArgumentParser(prog="tools/flame", description="A flame graph of the data plane.")
    p.add_argument("--stage", help="count this stage of tools/bench instructions by callgrind instead of sampling with perf")
    p.add_argument("--folded", metavar="FILE", help="draw these folded stacks")
    p.add_argument("--seconds", type=float, default=5, help="how long perf samples (5)")
    p.add_argument("--rate", type=int, default=100000, help="messages a second, each answered with an order (100000)")
    p.add_argument("--build", default="build", help="build directory")
    p.add_argument("--out", help="the picture (<build>/bench/flame.svg); the stacks are beside it as .folded")
    p.add_argument("--no-hugepages", dest="hugepages", action="store_false", help="do not reserve hugepages")
    args = p.parse_args()
    out = args.out or os.path.join(ROOT, args.build, "bench", "flame.svg")
    try:
        if args.folded:
            folded, title, unit = read_folded(args.folded), os.path.basename(args.folded), "samples"
        elif args.stage:
            folded, title, unit = by_callgrind(args), "%s: instructions" % args.stage, "instructions"
        else:
            folded, title, unit = by_perf(args), "data plane at %d messages/s: samples of its lcore" % args.rate, "samples"
        picture = svg(folded, title, unit)
    except Failed as e:
        sys.exit("tools/flame: %s" % e)
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    with open(out, "w") as f:
        f.write(picture)
    with open(out.rsplit(".", 1)[0] + ".folded", "w") as f:
        f.writelines("%s %d\n" % (";".join(stack), n) for stack, n in sorted(folded.items()))
    print("%s: %d %s in %d stacks" % (out, sum(folded.values()), unit, len(folded)))


if __name__ == "__main__":
    main()
