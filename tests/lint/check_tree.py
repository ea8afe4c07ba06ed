#!/usr/bin/env python3
"""House rules that a reader of the tree can rely on, checked by reading it: direction of dependency, purity, sizes, words.

Usage: check_tree.py ROOT [--self-test]   The self test proves that every rule bites.
"""

import os
import re
import subprocess
import sys
import tempfile

# Who may include whom: prefix of the file -> prefixes of what it includes. Longest matching prefix decides.
MAY = {
    "dataplane/abi/": ["dataplane/abi/"],
    "dataplane/engine/": ["dataplane/abi/", "dataplane/engine/"],
    "dataplane/net/": ["dataplane/abi/", "dataplane/net/"],
    "drivers/venue/": ["dataplane/abi/", "drivers/venue/"],
    "drivers/port/": ["dataplane/abi/", "drivers/port/"],
    "dataplane/lcore/": ["dataplane/", "drivers/"],
    "dataplane/main.c": ["dataplane/", "drivers/"],
    "config/": ["dataplane/abi/", "config/"],
    "controlplane/": ["dataplane/abi/", "config/", "controlplane/"],
    "controlplane/dropcopy/": ["dataplane/abi/", "config/", "controlplane/", "drivers/venue/"],
    "tools/": ["dataplane/abi/", "config/", "tools/", "controlplane/journal/", "controlplane/admin/view.h", "controlplane/kill/kill.h",
               "controlplane/authority/proof.h"],
    "tools/replay/": ["dataplane/", "drivers/venue/", "config/", "controlplane/journal/", "tools/replay/"],
    "tools/docs/": ["dataplane/", "drivers/", "config/", "controlplane/", "tools/"],
    "tools/venue-sim/": ["dataplane/abi/", "dataplane/net/", "dataplane/engine/", "drivers/", "tools/venue-sim/"],
    "bench/": ["dataplane/", "drivers/", "tools/", "bench/", "config/", "controlplane/journal/"],
    "tests/": [""],
}
TOP = {"dataplane", "controlplane", "drivers", "config", "bench", "tests", "tools", "docs", ".ci", ".git"}
PURE = ("dataplane/engine/", "dataplane/net/", "drivers/venue/",
        "dataplane/lcore/stage_", "dataplane/lcore/session", "dataplane/lcore/execution", "dataplane/lcore/cancel_sweep", "dataplane/lcore/command",
        "dataplane/lcore/order_break")
IMPURE_INCLUDE = re.compile(r"<(rte_|sys/(?!cdefs)|unistd|pthread|time\.h|fcntl|poll|signal|stdio|stdlib|x86intrin)")
IMPURE_CALL = re.compile(r"\b(malloc|calloc|realloc|free|clock_gettime|gettimeofday|__rdtsc|rte_rdtsc|printf|fprintf|nanosleep)\(")
RTE_OK = ("dataplane/lcore/", "dataplane/main.c", "drivers/port/", "bench/", "tools/", "tests/")
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|gets)\(")
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK|not implemented)\b")
FILE_LINES, FUNCTION_LINES, LINE_CHARS = 620, 80, 160


def c_files(root):
    out = []
    for base, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if not d.startswith(("build", ".git")) and d != "__pycache__"]
        out += [os.path.relpath(os.path.join(base, f), root) for f in files if f.endswith((".c", ".h"))]
    return sorted(out)


def allowed(path):
    best = max((p for p in MAY if path.startswith(p)), key=len, default=None)
    return MAY.get(best)


def check_includes(path, text, say):
    rules = allowed(path)
    for n, line in enumerate(text.split("\n"), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if m and rules is not None and m.group(1) != "build_id.h" and "/" in m.group(1):
            if not any(m.group(1).startswith(r) for r in rules):
                say(path, n, "may not include %s; allowed: %s" % (m.group(1), ", ".join(rules)))
        if "rte_" in line and re.match(r"\s*#\s*include", line) and not path.startswith(RTE_OK):
            say(path, n, "DPDK belongs into lcore, port, bench and tools only")
        if path.startswith(PURE) and re.match(r"\s*#\s*include", line) and IMPURE_INCLUDE.search(line):
            say(path, n, "this folder is pure: %s" % line.strip())


def strip_comments(text):
    keep = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(\\.|[^"\\\n])*"', keep, text, flags=re.S)


def check_words(path, text, say):
    code = strip_comments(text)
    for n, line in enumerate(code.split("\n"), 1):
        if BANNED.search(line):
            say(path, n, "unbounded string call")
        if re.search(r"\bvolatile\b", line) and "sig_atomic_t" not in line and "asm" not in line:
            say(path, n, "volatile: use C11 atomics")
        if re.search(r"\btypedef\s+struct\b", line):
            say(path, n, "no struct typedefs")
        if path.startswith(PURE) and IMPURE_CALL.search(line):
            say(path, n, "this folder is pure: %s" % line.strip())
    for n, line in enumerate(text.split("\n"), 1):
        if WORDS.search(line):
            say(path, n, "unfinished work: %s" % line.strip())
        if len(line) > LINE_CHARS:
            say(path, n, "line of %d characters, at most %d" % (len(line), LINE_CHARS))


def check_sizes(path, text, say):
    lines = text.split("\n")
    if len(lines) > FILE_LINES:
        say(path, len(lines), "file of %d lines, at most %d: is there a second idea inside?" % (len(lines), FILE_LINES))
    start = None
    for n, line in enumerate(lines, 1):
        if line == "{":
            start = n
        if line == "}" and start is not None:
            if n - start > FUNCTION_LINES:
                say(path, start, "function of %d lines, at most %d" % (n - start, FUNCTION_LINES))
            start = None
    if path.endswith(".h") and not path.startswith("tests/") and not re.search(r"#\s*ifndef GN_|#\s*ifndef GANNET_", text):
        say(path, 1, "header without an include guard")


def check(root):
    found = []
    say = lambda path, n, what: found.append("%s:%d: %s" % (path, n, what))
    tracked = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True).stdout.split("\n")
    for name in sorted({p.split("/")[0] for p in tracked if "/" in p} - TOP):
        say(name, 1, "no other top-level folders (house design, section 1)")
    for path in c_files(root):
        with open(os.path.join(root, path), errors="replace") as f:
            text = f.read()
        for rule in (check_includes, check_words, check_sizes):
            rule(path, text, say)
    return found


SELF = {
    "dataplane/engine/a.c": ('#include "dataplane/net/tcp.h"\n', "may not include"),
    "dataplane/net/b.c": ("#include <rte_mbuf.h>\n", "DPDK belongs"),
    "drivers/venue/c.c": ("#include <unistd.h>\n", "pure"),
    "dataplane/engine/d.c": ("void f(void)\n{\n    p = malloc(1);\n}\n", "pure"),
    "config/e.c": ("volatile int x;\n", "volatile"),
    "config/f.c": ("void f(void)\n{\n    strcpy(a, b);\n}\n", "unbounded"),
    "config/g.c": ("/* TO" + "DO later */\n", "unfinished"),
    "config/h.c": ("void f(void)\n{\n" + "    x();\n" * 90 + "}\n", "function of"),
    "config/i.c": ("int x;\n" * 700, "file of"),
    "controlplane/j.c": ('#include "dataplane/engine/book.h"\n', "may not include"),
    "config/k.c": ("typedef struct a b;\n", "typedef"),
    "config/l.h": ("int x;\n", "guard"),
}


def self_test():
    with tempfile.TemporaryDirectory() as root:
        for path, (text, _) in SELF.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w") as f:
                f.write(text)
        found = check(root)
        return [p for p, (_, want) in SELF.items() if not any(f.startswith(p + ":") and want in f for f in found)]


def main():
    root = sys.argv[1]
    missed = self_test()
    for path in missed:
        print("self test: the rule for %s does not bite" % path)
    found = check(root)
    print("\n".join(found))
    print("%d findings, %d rules that do not bite" % (len(found), len(missed)))
    sys.exit(1 if found or missed else 0)


main()
