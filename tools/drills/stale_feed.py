#!/usr/bin/env python3
"""Gaps on both lines: first with a retransmission server that answers, then with one that does not."""

import os
import time

import drill


def unreachable(b, text):
    return text.replace("udp_port: 31000,", "udp_port: 31999,").replace("gap_retries: 20", "gap_retries: 4")


def filled(d):
    with d.appliance(rate=20000, sim=["--gap=0.5%"], instruments=8) as b:
        with d.step("gaps block orders and are filled"):
            b.wait_for("gaps", lambda: b.metrics()["feed_gaps"] >= 10, 20)
        d.trades(b)
        m = b.metrics()
        d.measure("gaps_filled", m["feed_gaps"])
        d.measure("blocked_market_stale", drill.verdict(b, "market_stale"))
        d.promise(m["feed_lost"] == 0, "%d messages were lost although the server answers" % m["feed_lost"])
        d.accounts_equal(b, d.kill(b)["seen_ns"])


def not_filled(d):
    with d.appliance(rate=5000, sim=["--gap=0.2%"], instruments=8, edit=unreachable) as b:
        with d.step("gap given up"):
            b.wait_for("a gap that is given up", lambda: b.metrics()["feed_given_up"] >= 1, 20)
        with d.step("every book stale"):
            b.wait_for("stale books", lambda: all(k["stale"] for k in b.ask("books")["books"]), 5)
        with d.step("quotes pulled"):
            b.wait_for("zero working orders", lambda: b.status()["open_orders"] == 0, 10)
        was = drill.sent(b)
        time.sleep(0.5)
        d.promise(drill.sent(b) == was, "%d orders left on stale books" % (drill.sent(b) - was))
        d.measure("messages_lost", b.metrics()["feed_lost"])
        k = d.kill(b)
        d.promise(k["open_before"] == 0, "orders rested on stale books")
        d.release(b)
        time.sleep(0.3)
        d.promise(drill.sent(b) == was, "a release made it trade on stale books")
        recover(d, b)


def recover(d, b):
    """The next session of the venue, with a server that is reachable: a new region, books from its first message on."""
    d.kill(b)
    with d.step("stopped"):
        d.measure("position_to_carry_over", sum(abs(p["position"]) for p in b.ask("positions")["positions"]))
        for name in ("dataplane", "controlplane", "sim"):
            d.promise(b.end(name) == 0, "%s did not end in order" % name)
        for i in range(3):
            if os.path.exists(b.links.ours(i)):
                os.unlink(b.links.ours(i))
    with open(b.config) as f:
        text = f.read().replace("udp_port: 31999,", "udp_port: 31000,").replace("gap_retries: 4", "gap_retries: 20")
    with open(b.config, "w") as f:
        f.write(text)
    with d.step("recovered: the next session"):
        b.start_sim()
        b.start_controlplane("--fresh")
        b.start_dataplane()
        b.session_up()
    d.trades(b)
    d.promise(b.metrics()["feed_lost"] == 0, "messages are lost although the server is reachable")
    d.accounts_equal(b, d.kill(b)["seen_ns"])


def run(d):
    """Stale feed: a gap blocks orders until it is filled; one that is not filled stops trading until the next session."""
    filled(d)
    not_filled(d)


if __name__ == "__main__":
    drill.main("stale_feed", run, False)
