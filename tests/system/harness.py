"""What the system tests share: the bench of tools/lib with the main job's check at the end, and skips that say why."""

import os
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "lib"))

import demo  # noqa: E402
from appliance import Bench, Failed, LAYOUTS, cpus, run  # noqa: E402,F401

BUILD = os.environ.get("GN_BUILD", "build")
DATA = os.environ.get("GN_DATA_DIR", os.path.join(ROOT, "..", "shared", "data"))


def data_file(name):
    path = os.path.join(DATA, name)
    if not os.path.exists(path):
        print("skipped: %s is not here" % name)
        raise unittest.SkipTest("%s is not here" % name)
    return path


def need_root():
    if os.geteuid() != 0:
        print("skipped: needs root")
        raise unittest.SkipTest("needs root")


class Case(unittest.TestCase):
    """bench(...) is closed after each test; finish() ends the main job and demands that everything adds up."""

    def bench(self, rate=20000, sim=(), **more):
        more.setdefault("hugepages", False)
        b = Bench(build=BUILD, sim_args=["--rate", str(rate)] + list(sim), **more)
        self.addCleanup(b.close)
        return b

    def started(self, rate=20000, sim=(), **more):
        b = self.bench(rate, sim, **more)
        b.start()
        b.session_up()
        return b

    def finish(self, b, kill=True):
        killed = demo.kill(b) if kill else None
        b.pause_market()
        r = demo.collect(b, killed)
        self.assertTrue(r["adds_up"], "\n".join(r["wrong"][:20]))
        return r

    def wait_for(self, b, what, test, seconds=10):
        return b.wait_for(what, test, seconds)

    def trades_on(self, b, seconds=10):
        """True when new orders keep leaving."""
        was = b.metrics()["orders_sent"] + b.metrics()["replaces_sent"]
        b.wait_for("further orders", lambda: b.metrics()["orders_sent"] + b.metrics()["replaces_sent"] > was + 20, seconds)


def main():
    unittest.main(verbosity=2)
