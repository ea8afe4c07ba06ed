#!/usr/bin/env python3
"""Runs packetdrill scripts of others against our TCP, and says how many pass and why the others do not.

Usage: run_suite.py PACKETDRILL GANNET_PACKETDRILL_SO DIR [--list] [--only TEXT] [--raw]

DIR is searched for *ipv4*.pkt. Each script runs as a copy in which what the standards leave to an implementation is
ours: order and padding of the options of a SYN, the window scale that follows from the buffer, the size of the receive
buffer and of its window. Commands of another system's shell are left out; so are checks of a socket's state in Python,
which this interface does not have: how many scripts that concerns is said. --raw changes nothing.
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

FLAGS = ["--local_ip=192.168.0.1", "--remote_ip=192.0.2.1", "--gateway_ip=192.168.0.2", "--netmask_ip=255.255.0.0"]

# (what a script says, what ours says): lines of our own segments, and of socket calls
OURS = [
    (re.compile(r"<mss 1460,nop,wscale 6,sackOK,TS val +(\d+) ecr (\d+)>"), r"<mss 1460,nop,nop,sackOK,nop,nop,TS val \1 ecr \2,nop,wscale 1>"),
    (re.compile(r"<mss 1460,nop,wscale 6,nop,nop,TS val +(\d+) ecr (\d+)>"), r"<mss 1460,nop,nop,TS val \1 ecr \2,nop,wscale 1>"),
    (re.compile(r"<mss 1460,sackOK,eol,eol>"), r"<mss 1460,nop,nop,sackOK>"),
]
RCVBUF = re.compile(r"(getsockopt\(\d+, SOL_SOCKET, SO_RCVBUF, )\[\d+\]")

# The edges of another system's receive window, which is 65,700 bytes, in sequence numbers of the peer: ours is 65,535.
EDGE = re.compile(r"\b65(699|700|701|702):65(699|700|701|702)\b")

# Variables of another system's kernel that are ours to set as well.
SETTINGS = [("net.inet.tcp.rfc1323=0", "use_timestamps=0,use_wscale=0"), ("net.inet.tcp.sack.enable=0", "use_sack=0")]

# Why a script that fails cannot pass: the first that matches its text, or its text and what packetdrill said, explains it.
REASONS = [
    ("TCP over UDP (RFC 6951) is out of scope", r"udp_tunneling|TCP_REMOTE_UDP_ENCAPS|/udp\("),
    ("wants a RST outside of the exact sequence number to count (insecure_rst=1): RFC 5961 forbids it", r"insecure_rst=1"),
    ("wants a SYN in the window to reset (insecure_syn=1): RFC 5961 forbids it", r"insecure_syn=1"),
    ("ECN (RFC 3168) is not offered", r"ecn\.enable=1|> +SE"),
    ("wants ICMP errors to end a connection: RFC 9293 MUST-56, RFC 5927", r"icmp_may_rst=1"),
    ("socket options of another system: TCP-MD5, no options, keepalive variables, DS field", r"TCP_MD5SIG|TCP_NOOPT|TCP_RACK|TCP_KEEP|IP_TOS|rexmit_drop_options=1"),
    ("sets MTU or buffers by another system's commands", r"mtu-|(min|max)-ws"),
    ("wants SYN with FIN dropped (drop_synfin=1): RFC 9293 takes the SYN", r"drop_synfin=1"),
    ("wants the FIN again as the answer to a FIN that crossed it: RFC 9293 wants an ACK with SND.NXT", r"-closing-|/closing-.*tcp_fin"),
    ("a socket that is neither listening nor connecting is unknown to this packetdrill", r"-closed-.*IP header overflows"),
    ("wants a SYN-ACK to a listener ignored: RFC 9293 wants a RST", r"rcv-syn-ack-listen"),
    ("wants no ACK for a segment outside of the window in TIME-WAIT: RFC 9293 wants one", r"-time-wait-.*timing error"),
    ("wants a bare ACK answered in TIME-WAIT: two ends in TIME-WAIT would answer each other", r"-ack-time-wait-.*IP header overflows"),
    ("data in a SYN or SYN-ACK is left to be sent again", r"rcv-syn(-fin)?(-ack)?-with-data-syn-sent"),
    ("this packetdrill does not parse it", r"syntax error|parse error|option '.*' unknown"),
]


def standard(text):
    """The parts that a preprocessor keeps when STANDARD is defined: what the RFCs say, not what one system does."""
    out, keep = [], [True]
    for line in text.split("\n"):
        word = line.split()
        if line.startswith("#if"):
            keep.append(keep[-1] and word[-1] == "STANDARD")
        elif line.startswith("#else"):
            keep[-1] = not keep[-1] and keep[-2]
        elif line.startswith("#endif"):
            keep.pop()
        elif keep[-1]:
            out.append(line)
    return "\n".join(out)


def adapted(text):
    """(the script's copy, our settings, lines about the state of sockets left out)."""
    out, flags, dropped = [], [], 0
    for line in standard(text).split("\n"):
        flags += [ours for theirs, ours in SETTINGS if theirs in line and "`" in line and theirs not in text.split("socket(")[-1]]
        if "`" in line and not line.startswith("//"):
            continue
        if "%{" in line:
            dropped += 1
            continue
        if re.search(r">\s+S", line.split("//")[0]) and "<" in line:
            for pattern, ours in OURS:
                line = pattern.sub(ours, line)
        line = RCVBUF.sub(r"\1[65536]", line)
        line = EDGE.sub(lambda m: "65%03d:65%03d" % (int(m.group(1)) - 165, int(m.group(2)) - 165), line)
        out.append(line)
    # the first event's time must be absolute
    for i, line in enumerate(out):
        if re.match(r"\s*\+\d", line):
            out[i] = re.sub(r"^\s*\+", " ", line)
            break
    return "\n".join(out), ",".join(sorted(set(flags))), dropped


def run(packetdrill, module, path, raw, scratch):
    with open(path) as f:
        text = f.read()
    ours, flags, dropped = (text, "", 0) if raw else adapted(text)
    copy = os.path.join(scratch, "script.pkt")
    with open(copy, "w") as f:
        f.write(ours)
    try:
        p = subprocess.run([packetdrill, "--so_filename=" + module, "--so_flags=" + flags] + FLAGS + [copy], capture_output=True, text=True,
                           timeout=30)
        return p.returncode == 0, p.stderr.strip().replace(copy, os.path.basename(path)), text, dropped
    except subprocess.TimeoutExpired:
        return False, "timed out", text, dropped


def reason(path, text, said):
    for name, pattern in REASONS:
        if re.search(pattern, text) or re.search(pattern, path + " " + said.replace("\n", " ")):
            return name
    return "differs: " + re.sub(r"^[^ ]*:\d+: ", "", said.split("\n")[0])[:110]


def main():
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    only = args.pop() if "--only" in sys.argv else ""
    packetdrill, module, root = args
    scripts = sorted(os.path.join(b, f) for b, _, fs in os.walk(root) for f in fs if "ipv4" in f and f.endswith(".pkt") and only in os.path.join(b, f))
    passed, without, why = 0, 0, collections.defaultdict(list)
    groups = collections.defaultdict(lambda: [0, 0])
    with tempfile.TemporaryDirectory() as scratch:
        for path in scripts:
            ok, said, text, dropped = run(packetdrill, os.path.abspath(module), path, "--raw" in sys.argv, scratch)
            group = os.path.relpath(path, root).split(os.sep)[0]
            groups[group][0] += ok
            groups[group][1] += 1
            passed += ok
            without += ok and dropped != 0
            if not ok:
                why[reason(path, text, said)].append((os.path.relpath(path, root), said))
    for name, (good, total) in sorted(groups.items()):
        print("%-24s %3d of %3d" % (name, good, total))
    for name, found in sorted(why.items(), key=lambda kv: -len(kv[1])):
        print("%3d fail: %s" % (len(found), name))
        if "--list" in sys.argv:
            for path, said in found:
                print("        %s\n            %s" % (path, said.replace("\n", "\n            ")))
    print("%d of %d pass, %d of them without their checks of a socket's state" % (passed, len(scripts), without))


main()
