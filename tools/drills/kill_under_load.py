#!/usr/bin/env python3
"""About 1,000 orders rest and the market moves when the switch is thrown; several times, released in between."""

import drill

OPEN = 1000


def makers(b, text):
    b.strategies = [("maker", "maker", b.symbols, "{ qty: 100, edge_ticks: 4, skew_qty: 300, requote_us: 20000, max_position: 1000 }")]
    return b.render({})


def directly(b):
    """As tools/emergency-stop does it: through the shared memory; the other kills go through the admin socket."""
    return b.ctl_json("--who", "drill", "--direct", "kill", "drill")["set_ns"]


def run(d):
    """Kill under load: no order after the next poll, all cancels acknowledged, nothing rests."""
    times = 4 if d.short else 16
    rows = []
    with d.appliance(rate=40000, instruments=560, edit=makers) as b:
        for i in range(times):
            if not d.dir:
                with d.step("%d orders open" % OPEN):
                    b.wait_for("%d open orders" % OPEN, lambda: b.status()["open_orders"] >= OPEN, 30)
            with d.step("kill"):
                rows.append(d.kill(b, throw=None if i % 2 else lambda: directly(b)))
            if i + 1 < times:
                d.release(b)
                d.trades(b)
        for way, first in (("admin_socket", 1), ("shared_memory", 0)):
            for key in ("seen_ms", "first_cancel_ms", "last_ack_ms"):
                d.measure("%s_%s_p50" % (way, key), drill.median(r[key] for r in rows[first::2]))
        for key in ("open_before", "seen_ms", "first_cancel_ms", "last_cancel_ms", "last_ack_ms", "cancels_sent", "clock_behind_ms"):
            d.measure(key + "_p50", drill.median(r[key] for r in rows))
        d.measure("kills", len(rows))
        d.measure("last_ack_ms_max", max(r["last_ack_ms"] for r in rows if r["last_ack_ms"] != drill.NEVER))
        d.notes.append("first_cancel is the venue's mass cancel and covers every order; last_cancel names what had not answered 1 ms later")
        d.notes.append("times of the data plane are those at which the lcore's turn began: on a core that others use, up to a turn early")
        d.accounts_equal(b, rows[-1]["seen_ns"])
        if not d.dir:  # the last kill as the venue saw it: received, and answered
            for name, key in (("venue_last_cancel_ms", "last_cancel_ns"), ("venue_last_cancel_ack_ms", "last_cancel_ack_ns")):
                d.measure(name, (d.sim["orders"][key] - rows[-1]["at_ns"]) / 1e6)
            d.promise(d.measurements["venue_last_cancel_ack_ms"] < 1000 * drill.ACK_LIMIT_S, "the venue acknowledged the last cancel too late")


if __name__ == "__main__":
    drill.main("kill_under_load", run, True)
