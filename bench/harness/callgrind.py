"""Instruction counts of a program that uses bench/instructions/count.h: one number an operation and stage."""

import os
import re
import shutil
import subprocess
import tempfile

from sessions import Failed


def missing():
    """Why nothing can be counted, or None."""
    return None if shutil.which("valgrind") else "valgrind is not installed (Debian's package valgrind)"


def count(program, *args):
    """{stage: instructions an operation}, less what switching counting on and off costs (stage "empty")."""
    with tempfile.TemporaryDirectory() as keep:
        # a function of a shared library is looked up at start, not in the first operation that is counted
        p = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=" + keep + "/out", program] + list(args),
                           capture_output=True, text=True, env=dict(os.environ, LD_BIND_NOW="1"))
        if p.returncode != 0:
            raise Failed("%s under callgrind failed: %s" % (program, (p.stdout[-300:] + p.stderr[-700:]).strip()))
        operations = dict(re.findall(r"^stage (\S+) (\d+)$", p.stdout, re.M))
        counts = {}
        for name in os.listdir(keep):
            with open(os.path.join(keep, name)) as f:
                head = f.read(4096)
            stage = re.search(r"Client Request: (\S+)", head)
            total = re.search(r"^(?:summary|totals): (\d+)", head, re.M)
            if stage and total:
                counts[stage.group(1)] = int(total.group(1)) / int(operations[stage.group(1)])
    lost = sorted(set(operations) - set(counts))
    if lost:
        raise Failed("%s: not counted: %s" % (program, ", ".join(lost)))
    own = counts.pop("empty")
    return {name: round(value - own, 1) for name, value in counts.items()}
