"""The report of a run: two accounts of the same trading, compared line by line. check() returns what does not add up."""

RESTART_OK = ("md_unknown_ref",)


def symbols(rows):
    return {r["symbol"]: r for r in rows}


def mid2(book):
    return book["bid"] + book["ask"] if book["bid"] and book["ask"] else 0


class Report:
    def __init__(self, sim, ours):
        """sim: the simulator's JSON. ours: books, positions, metrics, status, journal, kill."""
        self.sim = sim
        self.ours = ours
        self.wrong = []

    def same(self, what, ours, theirs):
        if ours != theirs:
            self.wrong.append("%s: ours %s, the simulator's %s" % (what, ours, theirs))

    def zero(self, what, value):
        if value != 0:
            self.wrong.append("%s: %s, expected 0" % (what, value))

    # ---- sections ----

    def market(self):
        m, p = self.ours["metrics"], self.sim["published"]
        delivered = m["feed_delivered"]
        self.same("messages", delivered, p["next_sequence"] - 1)
        self.same("messages applied", m["md_messages"], delivered)
        for key in ("feed_lost", "feed_given_up", "md_bad_message", "md_bad_packet", "md_book_full", "md_no_instrument", "events_lost", "tx_dropped"):
            self.zero(key, m.get(key, 0))
        for name, value in m.items():
            if name.startswith(("port_rx_missed", "port_rx_nombuf")):
                self.zero(name, value)
        filled = {k[len("feed_filled_line{"):-1]: v for k, v in m.items() if k.startswith("feed_filled_line{")}
        return dict(messages=delivered, packets={k: m["feed_packets{%s}" % k] for k in ("a", "b", "retransmit")},
                    gaps=m["feed_gaps"], filled_by=filled, requests=m["md_requests"], retransmitted=self.sim["retransmission"]["messages"],
                    lost=m["feed_lost"], unknown_references=m["md_unknown_ref"])

    def books(self):
        mine = symbols(self.ours["books"])
        wrong = 0
        for b in self.sim["books"]["list"]:
            o = mine.get(b["symbol"])
            if o is None:
                if b["orders"] or b["bid"] or b["ask"]:
                    self.wrong.append("book %s: the simulator has one, we do not" % b["symbol"])
                    wrong += 1
                continue
            for ours, theirs in (("bid", "bid"), ("bid_qty", "bid_qty"), ("ask", "ask"), ("ask_qty", "ask_qty"), ("live_orders", "orders"), ("digest", "digest")):
                if o[ours] != b[theirs]:
                    self.same("book %s %s" % (b["symbol"], ours), o[ours], b[theirs])
                    wrong += 1
                    break
        return dict(kept=len(mine), compared=len(self.sim["books"]["list"]), wrong=wrong, live_orders=sum(b["live_orders"] for b in mine.values()))

    def orders(self):
        m, t = self.ours["metrics"], self.sim["account"]["total"]
        matching = self.sim["orders"]["matching"]
        self.same("new orders", m["orders_sent"], matching["enter"])
        self.same("replaces", m["replaces_sent"], matching["replace"])
        self.same("cancels", m["cancels_sent"], matching["cancel"] + matching["modify"])
        self.same("mass cancels", m["mass_cancels_sent"], matching["mass_cancel"])
        positions = self.ours["positions"]
        total = lambda key: sum(p[key] for p in positions)
        self.same("accepted", total("accepted"), t["accepted"])
        self.same("executions", total("fills"), t["executions"])
        self.same("rejected by the venue", total("rejected"), t["rejected"])
        gate = {k[len("gate_verdicts{"):-1]: v for k, v in m.items() if k.startswith("gate_verdicts{") and v}
        passed = gate.pop("ok", 0)
        self.same("intents", m["intents"], passed + sum(gate.values()))
        self.zero("order events that cannot be", m["order_illegal"])
        self.zero("messages for unknown orders", m["venue_unknown_order"])
        return dict(sent=m["orders_sent"], replaced=m["replaces_sent"], cancels=m["cancels_sent"], mass_cancels=m["mass_cancels_sent"], accepted=t["accepted"],
                    executions=t["executions"], filled=t["filled"], canceled=t["canceled"], rejected_by_venue=t["rejected"],
                    rejects_by_reason=self.sim["orders"].get("rejects_by_reason", {}), rejected_by_gate=sum(gate.values()), gate=gate)

    def positions(self):
        theirs = symbols(self.sim["account"]["instruments"])
        books = symbols(self.sim["books"]["list"])
        rows = []
        for p in self.ours["positions"]:
            t = theirs.pop(p["symbol"], None)
            if t is None:
                self.zero("position %s that the simulator does not know" % p["symbol"], p["position"])
                continue
            mark = mid2(books[p["symbol"]]) if p["symbol"] in books else 0
            pnl2 = 2 * int(t["cash"]) + t["position"] * mark
            for key, other in (("position", "position"), ("bought", "bought"), ("sold", "sold")):
                self.same("%s %s" % (p["symbol"], key), p[key], t[other])
            self.same("%s bought value" % p["symbol"], int(p["buy_value"]), int(t["buy_notional"]))
            self.same("%s sold value" % p["symbol"], int(p["sell_value"]), int(t["sell_notional"]))
            if mark:
                self.same("%s profit, doubled" % p["symbol"], int(p["pnl2"]), pnl2)
            rows.append(dict(symbol=p["symbol"], position=p["position"], bought=p["bought"], sold=p["sold"], pnl=int(p["pnl2"]) / 2 * 10.0 ** p["price_exp"]))
        for symbol, t in theirs.items():
            if t["executions"]:
                self.wrong.append("%s: the simulator has %d executions, we have none" % (symbol, t["executions"]))
        return rows

    def latency(self):
        l = dict(self.sim["latency"])
        return {k: l[k] for k in ("count", "min_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns")}

    def journal(self):
        j, m = self.ours["journal"], self.ours["metrics"]
        if not j["ok"]:
            self.wrong.append("the journal is damaged")
        types = j["types"]
        self.same("journaled intents", types.get("order", 0), m["intents"])
        self.zero("records without their correlation", j["no_correlation"])
        if self.ours["inputs"]:
            self.same("journaled market-data packets", types.get("md_packet", 0), m["md_packets"])
        number = {b["symbol"]: i for i, b in enumerate(self.ours["books"])}
        for p in self.ours["positions"]:
            self.same("%s bought and sold by the journal's fills" % p["symbol"], [p["bought"], p["sold"]], self.ours["journaled_fills"].get(number[p["symbol"]], [0, 0]))
        return dict(records=j["records"], bytes=j["bytes"], segments=j["segments"], verified=j["ok"], types=types)

    def kill(self):
        k = self.ours["kill"]
        if k is None:
            return None
        at = k["at_ns"]
        self.zero("orders still resting after the kill", k["resting"])
        after = lambda t: None if not t else (t - at) / 1e6
        last_order = self.sim["orders"]["last_order_ns"]
        last_ack = self.sim["orders"]["last_cancel_ack_ns"]
        if k["open_before"] and k["cancels_sent"] and not last_ack:
            self.wrong.append("the kill's cancels were not acknowledged by the simulator")
        return dict(open_orders_at_command=k["open_before"], seen_ms=after(k["seen_ns"]), last_order_on_wire_ms=after(last_order),
                    cancels_sent=k["cancels_sent"], last_cancel_ms=after(k["last_cancel_ns"]), last_cancel_acknowledged_ms=after(last_ack),
                    resting=k["resting"])

    def build(self):
        out = dict(market=self.market(), books=self.books(), orders=self.orders(), positions=self.positions(), latency=self.latency(),
                   journal=self.journal(), kill=self.kill())
        out["wrong"] = self.wrong
        out["adds_up"] = not self.wrong
        return out


def us(ns):
    return "%.2f us" % (ns / 1000.0) if ns < 1e6 else "%.2f ms" % (ns / 1e6)


def ms(value):
    return "none" if value is None else "%+.3f ms" % value


def text(r):
    m, b, o, l, j, k = r["market"], r["books"], r["orders"], r["latency"], r["journal"], r["kill"]
    filled = ", ".join("%s %d" % kv for kv in sorted(m["filled_by"].items()) if kv[1]) or "none needed"
    lines = [
        "market data   %d messages in %d + %d packets (A + B), %d retransmitted packets" % (m["messages"], m["packets"]["a"], m["packets"]["b"], m["packets"]["retransmit"]),
        "              %d gaps (filled by line: %s), %d requests, %d messages lost, %d unknown references" % (m["gaps"], filled, m["requests"], m["lost"], m["unknown_references"]),
        "books         %d kept, %d live orders, %d of %d differ from the simulator's" % (b["kept"], b["live_orders"], b["wrong"], b["compared"]),
        "orders        %d sent, %d replaces, %d cancels, %d mass cancels; %d accepted, %d filled in %d executions, %d cancelled" % (o["sent"], o["replaced"], o["cancels"], o["mass_cancels"], o["accepted"], o["filled"], o["executions"], o["canceled"]),
        "              rejected by the venue: %d%s" % (o["rejected_by_venue"], detail(o["rejects_by_reason"])),
        "              rejected by the gate:  %d%s" % (o["rejected_by_gate"], detail(o["gate"])),
        "wire to wire  %d orders: min %s, p50 %s, p99 %s, p99.9 %s, max %s" % tuple([l["count"]] + [us(l[x]) for x in ("min_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns")]),
        "journal       %d records, %.1f MB in %d segments, %s" % (j["records"], j["bytes"] / 1e6, j["segments"], "verified" if j["verified"] else "DAMAGED"),
    ]
    if k:
        lines.append("kill          %d open orders; from the command: seen %s, last order on the wire %s, last of %d cancels sent %s, acknowledged %s; %d rest" % (
            k["open_orders_at_command"], ms(k["seen_ms"]), ms(k["last_order_on_wire_ms"]), k["cancels_sent"], ms(k["last_cancel_ms"]), ms(k["last_cancel_acknowledged_ms"]), k["resting"]))
    lines.append("")
    lines.append("%-10s %9s %9s %9s %14s" % ("symbol", "position", "bought", "sold", "profit"))
    shown = sorted(r["positions"], key=lambda p: -(p["bought"] + p["sold"]))
    for p in shown:
        lines.append("%-10s %9d %9d %9d %14.4f" % (p["symbol"], p["position"], p["bought"], p["sold"], p["pnl"]))
    lines.append("%-10s %9s %9d %9d %14.4f" % ("total", "", sum(p["bought"] for p in shown), sum(p["sold"] for p in shown), sum(p["pnl"] for p in shown)))
    lines.append("")
    if r["wrong"]:
        lines.append("DOES NOT ADD UP (%d):" % len(r["wrong"]))
        lines += ["  " + w for w in r["wrong"][:40]]
    else:
        lines.append("Everything adds up: books, orders, fills, positions and profit equal the simulator's own account.")
    return "\n".join(lines)


def detail(d):
    shown = ", ".join("%s %d" % kv for kv in sorted(d.items(), key=lambda kv: -kv[1]))
    return " (%s)" % shown if shown else ""
