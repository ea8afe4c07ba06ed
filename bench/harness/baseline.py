"""Baselines: what a result was in short, signed with a key (HMAC-SHA-256), and what has drifted since."""

import hashlib
import hmac
import json
import os
import re
import subprocess

from compare import ratio_sets
from sessions import Failed

DRIFT = 1.10  # of a ratio: beyond this, and outside the other's interval, it is told


def short(result):
    """Ratios alone: they mean the same next week."""
    return {"machine": result["machine"], "profile": result["profile"],
            "ratios": {"%s: %s" % (wire, what): r for s in result["suites"].values() for wire, ratios in ratio_sets(s) for what, r in ratios.items() if "value" in r}}


def signature(path, body):
    try:
        with open(path, "rb") as f:
            key = f.read()
    except OSError as e:
        raise Failed("key %s: %s" % (path, e.strerror))
    if len(key) < 32:
        raise Failed("key %s: has %d bytes, at least 32 are needed" % (path, len(key)))
    return hmac.new(key, json.dumps(body, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def save(path, key, result):
    body = short(result)
    with open(path + ".part", "w") as f:
        json.dump({"body": body, "hmac_sha256": signature(key, body)}, f, indent=1, sort_keys=True)
    os.replace(path + ".part", path)


def load(path, key):
    try:
        with open(path) as f:
            kept = json.load(f)
        body, mac = kept["body"], kept["hmac_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise Failed("baseline %s: %s" % (path, e))
    if not hmac.compare_digest(mac, signature(key, body)):
        raise Failed("baseline %s: the signature is not of this key, or the file was changed" % path)
    return body


def drift(body, result):
    """body: of load(). Sentences, none when nothing drifted."""
    was, now = body["ratios"], short(result)["ratios"]
    out = []
    for what in sorted(set(was) & set(now)):
        a, b = was[what], now[what]
        factor = b["value"] / a["value"]
        apart = b["low"] > a["high"] or b["high"] < a["low"]
        if apart and (factor > DRIFT or factor < 1 / DRIFT):
            out.append("drift: %s was %.2f (%.2f to %.2f), is %.2f (%.2f to %.2f)" % (what, a["value"], a["low"], a["high"], b["value"], b["low"], b["high"]))
    return out


NAME = re.compile(r"^baseline-\d{8}T\d{6}Z\.json$")


def newest(directory):
    """The last signed result kept in a directory, or None."""
    names = sorted(n for n in os.listdir(directory) if NAME.match(n)) if os.path.isdir(directory) else []
    return os.path.join(directory, names[-1]) if names else None


def keep(directory, key, result):
    """One more, named by its time; where it is."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "baseline-%s.json" % re.sub("[-:]", "", result["machine"]["time"]))
    save(path, key, result)
    return path


def alert(command, sentences):
    """Tells somebody: the sentences on the standard input of a command of the shell. Its exit status."""
    return subprocess.run(command, shell=True, input="\n".join(sentences) + "\n", text=True).returncode
