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
TESTS = ["tests/property/test_gate_model.c", "tests/property/gate_model.c", "tests/property/gate_world.c", "dataplane/abi/names.c", "dataplane/abi/limits.c"]
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
    (GATE, "level_of(&g->control->kill_all) |", "0 |"),
    (GATE, "level_of(&g->control->kill_session[in->session]) |", "0 |"),
    (GATE, "level_of(&g->control->kill_strategy[in->strategy]) |", "0 |"),
    (GATE, "level_of(gn_kill_instrument(g->control) + in->instrument) | (", "0 | ("),
    (GATE, "ladder >= GN_LADDER_HALTED", "ladder > GN_LADDER_HALTED"),
    (GATE, "ladder == GN_LADDER_REDUCE_ONLY && worst > 0", "0 && worst > 0"),
    (GATE, "ladder == GN_LADDER_REDUCE_ONLY && worst > 0", "ladder == GN_LADDER_REDUCE_ONLY && worst >= 0"),
    (GATE, "ladder == GN_LADDER_REDUCE_ONLY && worst > 0", "ladder >= GN_LADDER_THROTTLED && worst > 0"),
    (GATE, "if (g->control_stale)", "if (0)"),
    (GATE, "if (g->journal_failed)", "if (0)"),
    (GATE, "if (g->instruments->row[in->instrument].strategy != in->strategy)", "if (0)"),
    (GATE, "k->configured == 0 || ", ""),
    (GATE, "(l->set & 1ull << GN_LIMIT_TRADABLE) == 0 || ", ""),
    (GATE, "l->tradable == 0 ||", "0 ||"),
    (GATE, "(tob.flags & GN_MD_HALTED)", "0"),
    (GATE, "l->set != GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT) || ", ""),
    (GATE, "f->set != GN_LIMITS_ALL_SET(GN_SCOPE_LIMIT_COUNT)", "0"),
    (GATE, "(GN_MD_STALE | GN_MD_CROSSED)", "GN_MD_STALE"),
    (GATE, "(GN_MD_STALE | GN_MD_CROSSED)", "GN_MD_CROSSED"),
    (GATE, "atomic_load_explicit(&g->instruments->stale, memory_order_relaxed) != 0", "0"),
    (GATE, "if (in->qty <= 0 || in->qty % k->lot != 0)", "if (in->qty % k->lot != 0)"),
    (GATE, "if (in->qty <= 0 || in->qty % k->lot != 0)", "if (in->qty <= 0)"),
    (GATE, "if (in->price <= 0 || in->price % k->tick != 0)", "if (in->price % k->tick != 0)"),
    (GATE, "if (in->price <= 0 || in->price % k->tick != 0)", "if (in->price <= 0)"),
    (GATE, "if (in->qty > l->max_qty)", "if (0)"),
    (GATE, "if (in->qty > l->max_qty)", "if (in->qty >= l->max_qty)"),
    (GATE, "if (value > l->max_value)", "if (0)"),
    (GATE, "if (value > l->max_value)", "if (value >= l->max_value)"),
    (GATE, "if (ref <= 0)", "if (ref < 0)"),
    (GATE, "tob->bid != 0 && tob->ask != 0 ?", "tob->bid != 0 || tob->ask != 0 ?"),
    (GATE, "l->collar_bps / 10000", "(l->collar_bps + 1) / 10000"),
    (GATE, "in->price > bound :", "in->price >= bound :"),
    (GATE, "in->price < bound;", "in->price <= bound;"),
    (GATE, "ref + away : ref - away", "ref + away : ref + away"),
    (GATE, "return beyond ? ", "return 0 ? "),
    (GATE, "p->qty + p->open_buy + added", "p->qty + added"),
    (GATE, "-(p->qty - p->open_sell - added)", "-(p->qty - added)"),
    (GATE, "-(p->qty - p->open_sell - added)", "-(p->qty - p->open_sell)"),
    (GATE, "p->qty + p->open_buy + added", "p->qty + p->open_buy"),
    (GATE, "gn_max_i64(in->qty - target->reserved, 0)", "in->qty - target->reserved"),
    (GATE, "gn_max_i64(in->qty - target->reserved, 0)", "in->qty"),
    (GATE, "gn_max_i64(in->qty - target->reserved, 0)", "0"),
    (GATE, "if (worst > l->max_position)", "if (0)"),
    (GATE, "if (worst > l->max_position)", "if (worst >= l->max_position)"),
    (GATE, "if (p->open_orders >= l->max_open_orders)", "if (0)"),
    (GATE, "if (p->open_orders >= l->max_open_orders)", "if (p->open_orders > l->max_open_orders)"),
    (GATE, "if (g->orders->open >= f->max_open_orders)", "if (0)"),
    (GATE, "if (g->orders->open >= f->max_open_orders)", "if (g->orders->open > f->max_open_orders)"),
    (GATE, "if (g->interval_ns == 0)", "if (0)"),
    (GATE, "if (ahead > room)", "if (0)"),
    (GATE, "if (ahead > room)", "if (ahead >= room)"),
    (GATE, "cancel ? g->burst_ns : g->burst_new_ns", "g->burst_ns"),
    (GATE, "cancel ? g->burst_ns : g->burst_new_ns", "g->burst_new_ns"),
    (GATE, "(b->full_ns > now_ns ? b->full_ns : now_ns) + g->interval_ns", "b->full_ns + g->interval_ns"),
    (GATE, "(b->full_ns > now_ns ? b->full_ns : now_ns) + g->interval_ns", "now_ns + g->interval_ns"),
    (GATE, "(f->set & need) != need || ", ""),
    (GATE, "f->message_burst - f->cancel_reserve", "f->message_burst"),
    (GATE, "return check_budget(g, in->session, true, now_ns, d);", "return GN_VERDICT_OK;"),
    (GATE, "return check_budget(g, in->session, false, now_ns, d);", "return GN_VERDICT_OK;"),
    (GATE, "    take_rates(g);\n    gn_limits_seen", "    gn_limits_seen"),
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
        verdict = killed(cc, build, objects, output)
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
