"""A lcore in its steady state over memif makes no system call and allocates nothing, while a million things happen."""

import os
import shutil
import subprocess
import time
import unittest

import harness


class SteadyState(harness.Case):
    def lcore_threads(self, b):
        pid = b.procs["dataplane"].pid
        tids = []
        for tid in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/comm" % (pid, tid)) as f:
                if "worker" in f.read():
                    tids.append(tid)
        return tids

    def calls(self, tid, seconds):
        """System calls of one thread while strace watches it; attaching and leaving are not its own."""
        out = "/tmp/gannet-strace-%d" % os.getpid()
        p = subprocess.Popen(["strace", "-q", "-p", tid, "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        p.terminate()
        p.wait(10)
        with open(out) as f:
            lines = [l for l in f if "(" in l and not l.startswith(("---", "+++"))]
        os.unlink(out)
        return lines

    def test_no_system_call_and_no_allocation(self):
        if shutil.which("strace") is None:
            print("skipped: strace is not installed")
            raise unittest.SkipTest("strace is not installed")
        b = self.started(rate=50000)
        time.sleep(1)
        tids = self.lcore_threads(b)
        self.assertEqual(len(tids), 1)
        m0 = b.metrics()
        calls = self.calls(tids[0], 2)
        m1 = b.metrics()
        self.assertGreater(m1["md_messages"] - m0["md_messages"], 20000, "it was busy while it was watched")
        self.assertGreater(m1["orders_sent"] - m0["orders_sent"], 100)
        self.assertEqual(calls, [])
        self.assertEqual(m1["allocated_bytes"], 0)
        # the watcher works: the main thread, which sleeps and ticks, does make calls
        self.assertGreater(len(self.calls(str(b.procs["dataplane"].pid), 1)), 5)
        self.finish(b)


harness.main()
