"""How the time of an evaluation grows with rows, features, hidden units and threads."""

import numpy as np
from _data import random_rows
from _measure import Curve, Row, Side, default_threads, duration, interleaved, quartiles
from evaluations import Ours

ROWS = (1_000, 10_000, 100_000, 1_000_000)
FEATURES = (10, 30, 100, 300, 1000)
HIDDEN = (10, 30, 100, 300, 1000)
N_CLASSES = 10


def measure(options):
    """Yield rows of the table and their curves."""
    n_threads = default_threads()
    repeats = options.repeats or 7

    sizes = [options.rows(n) for n in ROWS]
    X, y = random_rows(sizes[-1], 50, N_CLASSES)
    cases = {n: Ours(X[:n], y[:n], 100) for n in sizes}
    grown = _grown(cases, n_threads, repeats)
    a_row = {n: seconds / n for n, seconds in grown.items()}
    first, last = sizes[1], sizes[-1]
    yield Row(
        "growth",
        f"time a row, 50 -> 100 -> {N_CLASSES}",
        f"{last} rows against {first}",
        **quartiles(a_row[last] / a_row[first]),
        unit="times the time",
        target=1.25,
        at_least=False,
        detail=_listed(a_row, "rows"),
    )
    yield _curve("Rows", grown)
    del X, y, cases

    n_rows = options.rows(10_000)
    X, y = random_rows(n_rows, FEATURES[-1], N_CLASSES)
    cases = {n: Ours(np.ascontiguousarray(X[:, :n]), y, 100) for n in FEATURES}
    grown = _grown(cases, n_threads, repeats)
    yield _per_unit("feature", f"{n_rows} rows, 100 hidden units", grown)
    yield _curve("Features", grown)

    X = np.ascontiguousarray(X[:, :100])
    grown = _grown({n: Ours(X, y, n) for n in HIDDEN}, n_threads, repeats)
    yield _per_unit("hidden unit", f"{n_rows} rows, 100 features", grown)
    yield _curve("Hidden units", grown)

    if n_threads > 1:
        X, y = random_rows(options.rows(100_000), 54, 7)
        ours = Ours(X, y, 100)
        counts = range(1, n_threads + 1)
        sides = [Side(str(n), ours.opened, n) for n in counts]
        grown = {int(n): seconds for n, seconds in interleaved(sides, repeats).items()}
        yield _curve("Threads", grown)


def _grown(cases, n_threads, repeats):
    """Size -> seconds an evaluation in each repeat."""
    sides = [Side(str(size), ours.opened, n_threads) for size, ours in cases.items()]
    return {int(size): seconds for size, seconds in interleaved(sides, repeats).items()}


def _per_unit(unit, what, grown):
    """Time of one more feature or unit, where there are many against where there are few."""
    a_unit = {size: seconds / size for size, seconds in grown.items()}
    first, last = min(grown), max(grown)
    return Row(
        "growth",
        f"time a {unit}, {what}",
        f"{last} {unit}s against {first}",
        **quartiles(a_unit[last] / a_unit[first]),
        unit="times the time",
        detail=_listed(a_unit, f"{unit}s"),
    )


def _listed(seconds, what):
    parts = (f"{duration(np.median(values))} at {size}" for size, values in seconds.items())
    return ", ".join(parts) + f" {what}"


def _curve(what, grown):
    return Curve(
        f"Growth with {what.lower()}",
        what,
        "Milliseconds an evaluation",
        list(grown),
        {"ours": [1e3 * float(np.median(seconds)) for seconds in grown.values()]},
    )
