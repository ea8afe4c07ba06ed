#!/usr/bin/env python3
"""Proves that the gate's property test sees every check: each row below changes one thing in a copy of the source, and
the test must fail on it. A row whose text is no longer there, or that does not compile, fails too: the table follows
the code.

usage: mutants.py SOURCE_ROOT BUILD_DIR CC [ARGUMENT OF CC]...
"""
import pathlib
import subprocess
import sys

GATE = "dataplane/engine/gate.c"
CHARGE = "dataplane/engine/gate_charge.c"
START = "dataplane/engine/gate_start.c"
GUARD = "dataplane/engine/guard.c"
STATE = "dataplane/engine/risk_state.c"
SOURCES = [GATE, CHARGE, START, GUARD, STATE]
TESTS = ["tests/property/test_gate_model.c", "tests/property/gate_model.c", "tests/property/gate_model_sums.c",
         "tests/property/gate_world.c", "dataplane/abi/names.c", "dataplane/abi/limits.c", "dataplane/abi/risk.c"]
DECISIONS = "150000"

# (file, text, what replaces it); the text must be there exactly once
MUTANTS = [
    (GATE, "in->action < GN_ACTION_NEW || ", ""),
    (GATE, "in->action > GN_ACTION_REDUCE || ", ""),
    (GATE, "in->side > GN_SIDE_SELL ||", "0 ||"),
    (GATE, "in->tif > GN_TIF_IOC || ", ""),
    (GATE, "t == NULL || !gn_order_working(t->state)", "t == NULL"),
    (GATE, "t->strategy != in->strategy || ", ""),
    (GATE, "t->instrument != in->instrument || ", ""),
    (GATE, " || t->session != in->session", ""),
    (GATE, "t->state == GN_ORDER_LIVE || t->state == GN_ORDER_PENDING_NEW ||", "t->state == GN_ORDER_LIVE ||"),
    (GATE, "t->state == GN_ORDER_PENDING_REPLACE\n", "t->state == GN_ORDER_PENDING_CANCEL\n"),
    (GATE, "if (t->side != in->side)", "if (0)"),
    (GATE, "return t->state == GN_ORDER_LIVE ? GN_VERDICT_OK : GN_VERDICT_ORDER_BUSY;", "return GN_VERDICT_OK;"),
    (GATE, "in->qty >= target->leaves", "in->qty > target->leaves"),
    (GATE, "(in->qty <= 0 || in->qty >= target->leaves)", "(in->qty >= target->leaves)"),
    (GATE, "ladder >= GN_LADDER_HALTED", "ladder > GN_LADDER_HALTED"),
    (GATE, "ladder == GN_LADDER_REDUCE_ONLY && worst > 0", "0 && worst > 0"),
    (GATE, "ladder == GN_LADDER_REDUCE_ONLY && worst > 0", "ladder == GN_LADDER_REDUCE_ONLY && worst >= 0"),
    (GATE, "ladder == GN_LADDER_REDUCE_ONLY && worst > 0", "ladder >= GN_LADDER_THROTTLED && worst > 0"),
    (GATE, "if (g->control_stale)", "if (0)"),
    (GATE, "if (g->journal_failed)", "if (0)"),
    (GATE, "(GN_MD_STALE | GN_MD_CROSSED)", "GN_MD_STALE"),
    (GATE, "(GN_MD_STALE | GN_MD_CROSSED)", "GN_MD_CROSSED"),
    (GATE, "p->qty + p->open_buy + added", "p->qty + added"),
    (GATE, "-(p->qty - p->open_sell - added)", "-(p->qty - added)"),
    (GATE, "-(p->qty - p->open_sell - added)", "-(p->qty - p->open_sell)"),
    (GATE, "p->qty + p->open_buy + added", "p->qty + p->open_buy"),
    (GATE, "if ((tripped & (GN_TRIP_LOSS | GN_TRIP_STOP | GN_TRIP_TRADE)) != 0 && worst > 0)", "if (0)"),
    (GATE, "(GN_TRIP_LOSS | GN_TRIP_STOP | GN_TRIP_TRADE)", "GN_TRIP_LOSS"),
    (GATE, "if ((tripped & GN_TRIP_DRAWDOWN) != 0 && worst > 0)", "if (0)"),
    (GATE, "    if (disabled(g, a->in->strategy))", "    if (0)"),
    (GATE, "    if (!may_use_venue(g, a->in, x))", "    if (0)"),
    (GATE, "g->conf->session[in->session].venue == x->venue &&", "1 &&"),
    (GATE, "(g->risk->scope[GN_ROW_STRATEGY + in->strategy].venues >> x->venue & 1) != 0", "1"),
    (GATE, "(x->permit >> a->in->side & 1) == 0)", "0)"),
    (GATE, "if ((lacks & 2) != 0)", "if (0)"),
    (GATE, "(lacks & 1) != 0", "0"),
    (GATE, "if ((x->unusual & GN_UNUSUAL_NO_LIMIT) != 0 ||", "if ("),
    (GATE, "if ((x->unusual & GN_UNUSUAL_UNKNOWN) != 0 ||", "if ("),
    (GATE, "    if (market_unsound(a))", "    if (0)"),
    (GATE, "    if (aged(a))", "    if (0)"),
    (GATE, "if ((x->guard & GN_GUARD_MOVE) != 0)", "if (0)"),
    (GATE, "(g->control_stale | g->journal_failed |", "(g->journal_failed |"),
    (GATE, "bits |= (uint64_t)disabled(g, a->in->strategy) |", "bits |="),
    (GATE, "| losses(g, x) |", "|"),
    (GATE, "| missing(g, x);", ";"),
    (GATE, "| (a->tob.flags & GN_MD_HALTED) |", "|"),
    (GATE, "| (uint64_t)aged(a);", ";"),
    (GATE, "look_at(&c->kill_theme[chain[0] - GN_ROW_THEME]) |", "0 |"),
    (GATE, "look_at(&c->kill_venue[chain[3] - GN_ROW_VENUE]) |", "0 |"),
    (START, "gn_kill_level(look_at(&c->kill_theme[chain[0] - GN_ROW_THEME]))", "0"),
    (START, "gn_kill_level(look_at(&c->kill_account[chain[2] - GN_ROW_ACCOUNT]))", "0"),
    (START, "gn_kill_level(look_at(&c->kill_venue[chain[3] - GN_ROW_VENUE]))", "0"),
    (START, "gn_kill_level(look_at(&c->kill_session[in->session]))", "0"),
    (START, "gn_kill_level(look_at(&c->kill_strategy[in->strategy]))", "0"),
    (START, "gn_kill_level(look_at(gn_kill_instrument(c) + in->instrument))", "0"),
    (START, "gn_kill_level(look_at(&c->kill_all))", "0"),
    (GATE, "in->qty <= 0 || !gn_risk_multiple(in->qty,", "!gn_risk_multiple(in->qty,"),
    (GATE, "!gn_risk_multiple(in->qty, x->lot_inverse, x->lot_most, x->lot_shift)", "0"),
    (GATE, "in->price <= 0 || !gn_risk_multiple(in->price,", "!gn_risk_multiple(in->price,"),
    (GATE, "!gn_risk_multiple(in->price, x->tick_inverse, x->tick_most, x->tick_shift)", "0"),
    (GATE, "GN_UNLIKELY(in->qty > x->max_qty)", "0"),
    (GATE, "GN_UNLIKELY(in->qty > x->max_qty)", "in->qty >= x->max_qty"),
    (GATE, "a->value > x->max_value ||", "a->value >= x->max_value ||"),
    (GATE, "a->value > x->max_value ||", ""),
    (GATE, "if (a->value - fee < x->min_value)", "if (0)"),
    (GATE, "if (a->value - fee < x->min_value)", "if (a->value - fee <= x->min_value)"),
    (GATE, "too_far(a->in, x->prev_close, x->auction_collar_bps) &&", "0 &&"),
    (GATE, "if (GN_UNLIKELY((a->tob.flags & GN_MD_AUCTION) != 0))", "if (0)"),
    (GATE, "GN_UNLIKELY(too_far(a->in, x->mark, x->collar_bps))", "0"),
    (GATE, "GN_UNLIKELY(too_far(a->in, x->period_mark, x->period_collar_bps))", "0"),
    (GATE, "(a->now_ns > x->sound_ns && a->now_ns - x->sound_ns > x->max_age_ns)", "0"),
    (GATE, "away * 10000 > (gn_i128)reference * bps", "away * 10000 >= (gn_i128)reference * bps"),
    (GATE, "in->price - reference : reference - in->price", "in->price - reference : in->price - reference"),
    (GATE, "GN_UNLIKELY(worst > a->x->max_position)", "0"),
    (GATE, "GN_UNLIKELY(worst > a->x->max_position)", "worst >= a->x->max_position"),
    (GATE, "GN_UNLIKELY(worst > a->x->max_short && a->in->side == GN_SIDE_SELL)", "0"),
    (GATE, "worst > a->x->max_short && a->in->side == GN_SIDE_SELL", "worst > a->x->max_short"),
    (GATE, "add[GN_LANE_OPEN] = 1;", "add[GN_LANE_OPEN] = 0;"),
    (GATE, "add[GN_LANE_GROSS] = gn_max_i64(lng, shrt) - x->used[GN_LANE_GROSS];", "add[GN_LANE_GROSS] = 0;"),
    (GATE, "add[GN_LANE_LONG] = lng - x->used[GN_LANE_LONG];", "add[GN_LANE_LONG] = 0;"),
    (GATE, "add[GN_LANE_SHORT] = shrt - x->used[GN_LANE_SHORT];", "add[GN_LANE_SHORT] = 0;"),
    (GATE, "add[GN_LANE_DAY] = a->value;", "add[GN_LANE_DAY] = 0;"),
    (GATE, "add[GN_LANE_POSITIONS] = 1 - x->used[GN_LANE_POSITIONS];", "add[GN_LANE_POSITIONS] = 0;"),
    (GATE, "add[GN_LANE_QTY] = a->in->qty;", "add[GN_LANE_QTY] = 0;"),
    (GATE, "add[GN_LANE_VALUE] = a->value;", "add[GN_LANE_VALUE] = 0;"),
    (GATE, "(u[0] + add[0] > l[0])", "(u[0] + add[0] >= l[0] + 2)"),
    (GATE, "(u[1] + add[1] > l[1])", "(u[1] + add[1] >= l[1] + 2)"),
    (GATE, "grows[2] = {sum[0] > 0, sum[1] > 0};", "grows[2] = {sum[0] > sum[0], sum[1] > 0};"),
    (GATE, "if (add[k] <= 0 || used[k] + add[k] <= limit[k])", "if (used[k] + add[k] <= limit[k])"),
    (GATE, "used[k] + add[k] <= scope->max_gross", "0"),
    (GATE, "gn_risk_window_turn(s == 0 ? &a->x->window : &scope->window, used, slot);", ""),
    (GATE, "for (uint32_t k = 0; k < GN_RISK_CHAIN; k++)\n        bad |=", "for (uint32_t k = 0; k < GN_RISK_CHAIN - 1; k++)\n        bad |="),
    (GATE, "for (uint32_t k = 0; k < GN_RISK_CHAIN; k++)\n        bad |=", "for (uint32_t k = 1; k < GN_RISK_CHAIN; k++)\n        bad |="),
    (GATE, "x->dup_count[k] >= x->max_duplicates", "0"),
    (GATE, "x->dup_count[k] >= x->max_duplicates", "x->dup_count[k] > x->max_duplicates"),
    (GATE, "a->now_ns - x->dup_first_ns[k] < window &&", ""),
    (GATE, "if (a->x->smp_mode != 2)", "if (0)"),
    (GATE, "if (a->x->smp_mode != 2)", "if (1)"),
    (GATE, "return GN_UNLIKELY(near) ? would_meet(a) : GN_VERDICT_OK;", "return GN_VERDICT_OK;"),
    (GATE, "a->in->price >= p->best_sell", "a->in->price > p->best_sell"),
    (GATE, "a->in->price <= p->best_buy", "a->in->price < p->best_buy"),
    (GATE, "gn_gate_ladder(a->g, a->in) == GN_LADDER_THROTTLED)", "0)"),
    (GATE, "a->now_ns < k->slow_ns &&", ""),
    (GATE, "return ahead > (cancel ? b->burst_ns : b->burst_new_ns);", "return ahead >= (cancel ? b->burst_ns : b->burst_new_ns);"),
    (GATE, "return ahead > (cancel ? b->burst_ns : b->burst_new_ns);", "return ahead > b->burst_ns;"),
    (GATE, "return ahead > (cancel ? b->burst_ns : b->burst_new_ns);", "return ahead > b->burst_new_ns;"),
    (GATE, "if (GN_UNLIKELY(over(s, cancel, now_ns)))", "if (0)"),
    (GATE, "if (GN_UNLIKELY(over(v, cancel, now_ns)))", "if (0)"),
    (GATE, "if (GN_UNLIKELY(over(k, cancel, now_ns)))", "if (0)"),
    (GATE, "a->now_ns < o->expires_ns &&", ""),
    (GATE, "o->strategy == in->strategy && o->instrument == in->instrument &&", ""),
    (GATE, "o->qty == in->qty && ", ""),
    (GATE, " && o->price == in->price", ""),
    (GATE, "number != a->g->risk->override_used[k] &&", ""),
    (CHARGE, "charge(g, &g->risk->session[session], GN_RISK_NOTE_SESSION, session, now_ns);", ""),
    (CHARGE, "charge(g, &g->risk->scope[venue].budget, venue, 0, now_ns);", ""),
    (CHARGE, "b->full_ns = (b->full_ns > now_ns ? b->full_ns : now_ns) + b->interval_ns;", "b->full_ns = now_ns + b->interval_ns;"),
    (CHARGE, "b->slow_ns = now_ns + b->slow_interval_ns;", ""),
    (CHARGE, "gn_risk_window_add(&x->window, x->used, slot, in->qty, value);", ""),
    (CHARGE, "gn_risk_window_add(&s->window, s->used, slot, in->qty, value);", ""),
    (CHARGE, "remember(g, x, in, now_ns);", ""),
    (CHARGE, "if (GN_LIKELY(++s->repeats < s->max_repeats))", "if (1)"),
    (CHARGE, "if (GN_LIKELY(++s->repeats < s->max_repeats))", "if (++s->repeats <= s->max_repeats)"),
    (GUARD, "    if ((t->flags & (GN_MD_STALE | GN_MD_HALTED | GN_MD_CROSSED)) != 0)", "    if (0)"),
    (GUARD, "(gn_i128)(t->ask - t->bid) * 10000 > (gn_i128)price * x->max_spread_bps", "0"),
    (GUARD, "if (middle != 0 && beyond(price, middle, x->outlier_bps))", "if (0)"),
    (GUARD, "if (x->moved_from != 0 && beyond(price, x->moved_from, x->max_move_bps))", "if (0)"),
    (GUARD, "    x->sound_ns = t->time_ns;", "    x->sound_ns = now_ns;"),
    (GUARD, "    if (now_ns >= x->moved_ns) {", "    if (0) {"),
    (GUARD, "    if (now_ns >= x->period_ns) {", "    if (0) {"),
    (STATE, "out[GN_LANE_GROSS] = gn_max_i64(lng, shrt);", "out[GN_LANE_GROSS] = lng;"),
    (STATE, "out[GN_LANE_DAY] = traded - x->day_value + clamp(x, gn_risk_money(x, p->open_value, 1));", "out[GN_LANE_DAY] = traded - x->day_value;"),
    (STATE, "        for (uint32_t k = 0; k < GN_LANES; k++)\n            used[k] += moved[k];", ""),
    (STATE, "            if ((out->set >> f & 1) == 0)\n                value[f]", "            if (0)\n                value[f]"),
    (STATE, "gn_min_i64(s->max_gross, share_of(equity, s->leverage_bps))", "s->max_gross"),
]


def compile_to(cc, root, source, output):
    command = [*cc, "-std=gnu17", "-O1", "-D_GNU_SOURCE", "-fno-strict-aliasing", "-w", "-I", str(root), "-c",
               str(source), "-o", str(output)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def killed(cc, build, objects, mutant):
    """None when the test fails on the mutant, as it must; else what went wrong."""
    program = build / "mutant"
    link = subprocess.run([*cc, *map(str, objects), str(mutant), "-lcunit", "-o", str(program)], capture_output=True,
                          text=True, check=False)
    if link.returncode != 0:
        return "does not link: " + link.stderr
    try:
        run = subprocess.run([str(program), DECISIONS], capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return None
    return None if run.returncode != 0 else "survived"


def main():
    root, build, cc = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), sys.argv[3:]
    build.mkdir(parents=True, exist_ok=True)
    objects, failures = [], []
    for number, name in enumerate(TESTS):
        objects.append(build / f"test{number}.o")
        result = compile_to(cc, root, root / name, objects[-1])
        if result.returncode != 0:
            sys.exit(f"{name}: {result.stderr}")
    sound = {}
    for number, name in enumerate(SOURCES):
        sound[name] = build / f"sound{number}.o"
        result = compile_to(cc, root, root / name, sound[name])
        if result.returncode != 0:
            sys.exit(f"{name}: {result.stderr}")
    for number, (name, text, new) in enumerate([(GATE, "", "")] + MUTANTS):
        source = (root / name).read_text()
        copy, output = build / "mutant.c", build / "mutant.o"
        where = f"mutant {number} of {name}: {text!r} -> {new!r}"
        if number != 0 and source.count(text) != 1:
            failures.append(f"{where}: the text is there {source.count(text)} times")
            continue
        copy.write_text(source.replace(text, new) if number != 0 else source)
        result = compile_to(cc, root, copy, output)
        if result.returncode != 0:
            failures.append(f"{where}: does not compile: {result.stderr}")
            continue
        verdict = killed(cc, build, objects + [sound[f] for f in SOURCES if f != name], output)
        if number == 0 and verdict is None:
            sys.exit("the test fails on the gate as it is")
        if number != 0 and verdict is not None:
            failures.append(f"{where}: {verdict}")
    print(f"{len(MUTANTS) - len(failures)} of {len(MUTANTS)} mutants killed")
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
