"""Percentile plots and load curves with gnuplot; SVG text comes back, to be kept as a file and put into the report."""

import os
import subprocess

HEAD = """set terminal svg size 900,420 dynamic font 'sans-serif,13' background '#ffffff'
set output '%s'
set grid ytics xtics lc rgb '#dddddd'
set border 3 lc rgb '#888888'
set tics nomirror
set key left top
set title '%s'
set ylabel '%s'
set logscale y
"""
COLOURS = ("#1f5fa8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#555555")


def gnuplot(script):
    p = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True)
    if p.returncode != 0:
        raise OSError("gnuplot: %s" % p.stderr.strip()[:500])


def quoted(text):
    return text.replace("'", "''").replace("_", "\\_")


def draw(path, title, ylabel, series, axis, xs_of):
    """series: [(name, [(x, y), ...])]. Writes path; the data stay beside it as .dat."""
    plots = []
    data = path[:-4] + ".dat"
    with open(data, "w") as f:
        for name, rows in series:
            f.write("# %s\n" % name)
            for x, y in rows:
                f.write("%g %g\n" % (xs_of(x), y))
            f.write("\n\n")
    for i, (name, _) in enumerate(series):
        plots.append("'%s' index %d using 1:2 with linespoints pt 7 ps 0.3 lw 2 lc rgb '%s' title '%s'" % (data, i, COLOURS[i % len(COLOURS)], quoted(name)))
    gnuplot(HEAD % (path, quoted(title), ylabel) + axis + "plot " + ", ".join(plots) + "\n")
    return path


def percentiles(path, title, series):
    """HDR-style: the rarer, the farther right. series: [(name, buckets)] with buckets of compare.together."""
    axis = ("set logscale x\nset xlabel 'percentile'\nset xrange [1:*]\n"
            "set xtics ('0' 1, '50' 2, '90' 10, '99' 100, '99.9' 1000, '99.99' 10000, '99.999' 100000)\n")
    curves = []
    for name, buckets in series:
        total = sum(n for _, n in buckets)
        seen, rows = 0, []
        for value, n in buckets:
            rows.append((total / float(total - seen), value / 1000.0))
            seen += n
        if rows:
            curves.append((name, rows))
    return draw(path, title, "microseconds", curves, axis, lambda x: x) if curves else None


def load_curve(path, title, series):
    """series: [(name, [(rate, us), ...])]."""
    axis = "set logscale x\nset xlabel 'messages a second'\nset format x '%.0s%c'\n"
    series = [(n, rows) for n, rows in series if rows]
    return draw(path, title, "microseconds", series, axis, lambda x: x) if series else None


def growth(path, title, ylabel, by, series):
    """Cost by how much there is, both axes logarithmic. series: [(name, [(n, cost), ...])]."""
    axis = "set logscale x\nset xlabel '%s'\nset format x '%%.0s%%c'\n" % quoted(by)
    series = [(n, [r for r in rows if r[1] > 0]) for n, rows in series]
    series = [(n, rows) for n, rows in series if len(rows) > 1]
    return draw(path, title, ylabel, series, axis, lambda x: x) if series else None


def there():
    return any(os.access(os.path.join(d, "gnuplot"), os.X_OK) for d in os.environ.get("PATH", "").split(":"))
