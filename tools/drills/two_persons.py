#!/usr/bin/env python3
"""Two persons: what one cannot do alone, with the keys and commands that people use, and what a restart voids."""

import os
import signal

import drill


def keys(d, b_tool, folder):
    """Three people, each with a key file that gannetctl made; the lines of YAML."""
    import subprocess
    lines = ["people:"]
    for name, role in (("anna", "risk"), ("bert", "risk, trader"), ("carl", "trader")):
        p = subprocess.run([b_tool, "--who", name, "keygen", os.path.join(folder, name)], capture_output=True, text=True, check=True)
        lines.append(p.stdout.rstrip("\n").replace("role: [risk]", "role: [%s]" % role))
    return lines


def run(d):
    """Two persons: a kill needs one, its release two different ones; a limit is lowered by one, raised by two."""
    with d.appliance(edit=lambda b, text: text.replace("authority: { single_person: true }", "\n".join(keys(d, b.tool("gannetctl"), b.dir)))) as b:
        as_ = lambda name, *words: b.ctl("--as", name, "--key", os.path.join(b.dir, name), *words, check=False)
        level = lambda: b.status()["kill"][0]["level"]
        with d.step("kill by one"):
            b.ctl("--who", "anybody", "kill", "drill")
        with d.step("release by one is refused"):
            p = b.ctl("--who", "anna", "release", "fine", check=False)
            d.promise(p.returncode == 1 and "signature" in p.stderr, "an unsigned release: status %d, %s" % (p.returncode, p.stderr.strip()))
            p = as_("carl", "release", "fine")
            d.promise(p.returncode == 2 and "waits" in p.stdout, "the first signature: status %d, %s" % (p.returncode, p.stdout + p.stderr))
            p = as_("carl", "approve", "1", "yes")
            d.promise(p.returncode == 1 and "another person" in p.stderr, "the same person approved: %s" % (p.stdout + p.stderr))
            d.promise(level() == "killed", "one person released the switch")
        with d.step("release by two"):
            p = as_("anna", "approve", "1", "yes")
            d.promise(p.returncode == 0, "the second person could not approve: " + p.stderr.strip())
            k = b.status()["kill"][0]
            d.promise((k["level"], k["who"]) == ("active", "carl+anna"), "after the release: %s by %s" % (k["level"], k["who"]))
        d.trades(b)
        with d.step("limits"):
            symbol = b.symbols[0]
            d.promise(b.ctl("limits", "set", symbol, "max_qty", "50", check=False).returncode == 0, "one person could not lower a limit")
            d.promise(b.ctl("limits", "set", symbol, "max_qty", "60", check=False).returncode == 1, "an unsigned raise was done")
            p = as_("bert", "limits", "set", symbol, "max_qty", "60", "why=drill")
            d.promise(p.returncode == 2, "a signed raise did not wait: " + p.stdout + p.stderr)
            d.promise(as_("anna", "approve", "2", "yes").returncode == 0, "the raise could not be approved")
            row = next(r for r in b.ask("limits")["limits"]["instruments"] if r["symbol"] == symbol)
            d.promise(row["max_qty"] == 60, "the limit is %d" % row["max_qty"])
        with d.step("a restart voids what waits"):
            as_("bert", "limits", "set", symbol, "max_qty", "70", "why=drill")
            d.promise(len(b.ask("pending")["pending"]) == 1, "nothing waits")
            b.end("controlplane", signal.SIGTERM)
            b.start_controlplane()
            d.promise(b.ask("pending")["pending"] == [], "a request outlived the control plane")
        with d.step("journal"):
            rows = b.ctl("journal", "dump", "type=authority").stdout
            for what in ("requested", "approved", "applied", "refused", "voided"):
                d.promise('"what":"%s"' % what in rows, "the journal has no record of %s" % what)


if __name__ == "__main__":
    drill.main("two_persons", run, False)
