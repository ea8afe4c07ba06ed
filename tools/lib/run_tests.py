"""Builds what each suite needs, runs meson's tests, adds up what they say. Called by tools/test."""

import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# suite -> (build directory, configuration, environment, meson arguments)
PLAN = {
    "unit": ("build", [], {}, ["--suite", "unit"]),
    "property": ("build", [], {}, ["--suite", "property"]),
    "asan": ("build-asan", ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbuildtype=debugoptimized"],
             {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1", "GN_SLOW": "4"},
             ["--suite", "unit", "--suite", "property", "--timeout-multiplier", "4"]),
    "tsan": ("build-tsan", ["-Db_sanitize=thread", "-Db_lundef=false", "-Dc_args=-Wno-tsan", "-Ddpdk=disabled", "-Dbuildtype=debugoptimized"],
             {"TSAN_OPTIONS": "halt_on_error=1", "GN_SLOW": "8"}, ["--suite", "threads", "--timeout-multiplier", "8"]),
    "fuzz": ("build-fuzz", ["-Dfuzzers=true", "-Db_lundef=false", "-Dbuildtype=debugoptimized", "-Ddpdk=disabled"], {"CC": "clang"}, ["--suite", "fuzz"]),
    "system": ("build", [], {}, ["--suite", "system"]),
}
# What takes hours or has to be long to mean something; programs of the build, with their counts. Not part of the default.
NIGHTLY = [
    ("10^8 segments of two TCP endpoints on a bad link", ["tests/unit/net/net_tcp_sim", "100000000"]),
    ("10^7 decisions of the gate against its model", ["tests/property/test_property_gate_model", "10000000"]),
    ("10^6 crash states of the journal", ["tests/unit/journal/journal_disk", "1000000"]),
    ("2,000 runs of held orders over a disk that stalls", ["tests/property/journal_sync", "2000"]),
    ("mutants of the journal", [sys.executable, "tests/property/journal_mutants.py", ".", "build/journal_mutants", "cc"]),
    ("crash states on ext4", ["tests/system/crash_explorer", "ext4", "40", "400"]),
    ("crash states on XFS", ["tests/system/crash_explorer", "xfs", "40", "400"]),
    ("10^6 messages with kernel TCP, 100 hand-overs", [sys.executable, "tests/system/test_tcp_linux.py", "--full"]),
]
BAD = ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS")


def say(*words):
    print(*words, flush=True)


def build(directory, options, env):
    path = os.path.join(ROOT, directory)
    full = dict(os.environ, **env)
    log = os.path.join(ROOT, directory + ".log")
    with open(log, "w") as out:
        if not os.path.exists(os.path.join(path, "build.ninja")):
            say("== configuring", directory)
            if subprocess.run(["meson", "setup", path, ROOT] + options, stdout=out, stderr=out, env=full, cwd=ROOT).returncode != 0:
                return log
        say("== building", directory)
        if subprocess.run(["ninja", "-C", path, "--quiet"], stdout=out, stderr=out, env=full).returncode != 0:
            return log
    os.unlink(log)
    return None


def tests(directory, args, env):
    """(passed, failed, skipped) lists of names; and what passed without one of its parts."""
    path = os.path.join(ROOT, directory)
    results = os.path.join(path, "meson-logs", "testlog.json")
    if os.path.exists(results):
        os.unlink(results)
    subprocess.run(["meson", "test", "-C", path, "--no-rebuild", "--print-errorlogs", "--no-stdsplit"] + args, env=dict(os.environ, **env))
    passed, failed, skipped, parts = [], [], [], []
    if os.path.exists(results):
        with open(results) as f:
            for line in f:
                t = json.loads(line)
                for l in t.get("stdout", "").split("\n"):
                    if "skipped:" in l:
                        parts.append("%s: in part %s" % (t["name"], l.strip()))
                if t["result"] == "SKIP":
                    skipped.append("skipped: %s: %s" % (t["name"], t.get("stdout", "").strip().split("\n")[-1]))
                else:
                    (failed if t["result"] in BAD else passed).append(t["name"])
    return passed, failed, skipped, parts


def nightly():
    """(passed, failed) of the long runs."""
    passed, failed = [], []
    env = dict(os.environ, GN_BUILD=os.path.join(ROOT, "build"), GN_DATA_DIR=os.path.join(ROOT, "..", "shared", "data"))
    for name, cmd in NIGHTLY:
        say("== nightly:", name)
        program = cmd[0] if os.path.isabs(cmd[0]) else os.path.join(ROOT, "build", cmd[0])
        found = program if os.path.exists(program) else None
        ok = found is not None and subprocess.run([found] + cmd[1:], env=env, cwd=ROOT).returncode == 0
        (passed if ok else failed).append(name)
    return passed, failed


def main():
    wanted = sys.argv[1:] or list(PLAN)
    unknown = [w for w in wanted if w not in PLAN and w != "nightly"]
    if unknown:
        sys.exit("tools/test: unknown suite %s, allowed: %s" % (", ".join(unknown), ", ".join(PLAN)))
    begun = time.monotonic()
    passed, failed, skipped, parts = [], [], [], []
    for suite in wanted:
        if suite == "nightly":
            log = build(*PLAN["unit"][:3])
            p, f = nightly() if log is None else ([], ["nightly: the build"])
            passed += p
            failed += f
            continue
        directory, options, env, args = PLAN[suite]
        log = build(directory, options, env)
        if log:
            with open(log) as f:
                say(f.read()[-6000:])
            failed.append("%s: the build of %s" % (suite, directory))
            continue
        say("== %s" % suite)
        p, f, s, in_part = tests(directory, args, env)
        if not p and not f:
            f = ["%s: no test ran" % suite]
        passed += p
        failed += f
        skipped += s
        parts += in_part
    say("")
    for line in parts + skipped:
        say(line)
    for name in failed:
        say("failed: " + name)
    say("took %d s" % (time.monotonic() - begun))
    say("%d passed, %d failed" % (len(passed), len(failed)) + (", %d skipped" % len(skipped) if skipped else ""))
    sys.exit(1 if failed else 0)


main()
