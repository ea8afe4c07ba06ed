"""Ratios of interleaved repetitions with a bootstrap confidence interval, and distributions put together."""

import random

from disturbance import apart, reasons

QUIET_MIN = 3              # pairs of undisturbed repetitions, below which there is no number
RESOLVED_SHARE_MIN = 0.9   # of the answers, whose stamps are certain to 500 ns
DRAWS = 4000
PERCENTILES = ("p50", "p99", "p99.9")
SHARES = (("p50", .5), ("p90", .9), ("p99", .99), ("p99.9", .999), ("p99.99", .9999))


def unsound(result):
    """Why this repetition does not count; an empty list when it does."""
    out = reasons(result)
    if result.get("hugepages_missing"):
        out.append("there were no hugepages: %s" % result["hugepages_missing"])
    for p in result["points"]:
        what = "at %d messages/s" % p["rate"]
        if p["answered"] == 0:
            out.append("%s nothing was answered" % what)
        elif p["resolved"]["count"] < RESOLVED_SHARE_MIN * p["answered"]:
            out.append("%s the harness saw only %.0f%% of the answers when they came (at least %.0f%%)" % (
                what, 100.0 * p["resolved"]["count"] / p["answered"], 100 * RESOLVED_SHARE_MIN))
        if p["unanswered"] > 0.001 * p["expected"]:
            out.append("%s %d of %d messages had no answer" % (what, p["unanswered"], p["expected"]))
    return out


def median(values):
    v = sorted(values)
    n = len(v)
    return (v[(n - 1) // 2] + v[n // 2]) / 2.0


def interval(ratios, seed=1):
    """95% interval of the median ratio, by resampling the pairs."""
    rng = random.Random(seed)
    draws = sorted(median([rng.choice(ratios) for _ in ratios]) for _ in range(DRAWS))
    return draws[int(0.025 * DRAWS)], draws[int(0.975 * DRAWS) - 1]


def of_pairs(pairs, why, of):
    """pairs: ratios of undisturbed repetitions, of so many; why: sentences about the others."""
    if len(pairs) < QUIET_MIN or 2 * len(pairs) < of:
        counted = {}
        for w in why:
            key = "".join("#" if c.isdigit() else c for c in w)
            counted.setdefault(key, [w, 0])[1] += 1
        return {"disturbed": ["%s (%d times)" % (w, n) for w, n in counted.values()] or ["too few repetitions: %d, at least %d" % (len(pairs), QUIET_MIN)],
                "pairs": len(pairs), "of": of}
    low, high = interval(pairs)
    return {"value": median(pairs), "low": low, "high": high, "pairs": len(pairs), "of": of}


def ratio_sets(suite):
    """(wire, ratios) of a suite's result, which has one wire or several."""
    return [(name, w["ratios"]) for name, w in suite.get("wires", {}).items()] + ([(suite["wire"], suite["ratios"])] if "ratios" in suite else [])


def ratio(over, under, point, percentile):
    """over / under of repetitions that belong together, at one load point. {'value', 'low', 'high', 'pairs'} or
    {'disturbed': [sentences]}."""
    pairs, why = [], []
    for a, b in zip(over, under):
        bad = unsound(a) + unsound(b) + [w for w in [apart(a, b)] if w]
        x, y = a["points"][point]["resolved"].get(percentile), b["points"][point]["resolved"].get(percentile)
        if bad or not x or not y:
            why += bad
        else:
            pairs.append(x / y)
    return of_pairs(pairs, why, len(over))


def together(results, point, kind):
    """One distribution of all repetitions: sorted [[largest value of the bucket, count], ...]."""
    buckets = {}
    for r in results:
        for value, n in r["points"][point][kind].get("histogram", []):
            buckets[value] = buckets.get(value, 0) + n
    return sorted(buckets.items())


def percentile(buckets, share):
    total = sum(n for _, n in buckets)
    seen = 0
    for value, n in buckets:
        seen += n
        if seen >= share * total:
            return value
    return None


def summary(results, point, kind):
    """min, percentiles and max over all repetitions; None without samples."""
    b = together(results, point, kind)
    if not b:
        return None
    rows = [r["points"][point][kind] for r in results if r["points"][point][kind]["count"]]
    count = sum(r["count"] for r in rows)
    mean = sum(r["mean"] * r["count"] for r in rows) / count
    square = sum((r["deviation"] ** 2 + (r["mean"] - mean) ** 2) * r["count"] for r in rows) / count
    out = {"count": count, "mean": mean, "deviation": square ** 0.5, "min": min(r["min"] for r in rows), "max": max(r["max"] for r in rows)}
    for name, share in SHARES:
        out[name] = min(percentile(b, share), out["max"])
    return out
