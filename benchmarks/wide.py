"""Whole default fits of few, wide rows: in the space of the rows, without it, MLPClassifier's."""

from contextlib import contextmanager
from math import inf

import numpy as np
from _measure import Row, Side, interleaved, quartiles, times
from sklearn.neural_network import MLPClassifier

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._solvers import row_space

SHAPES = (60, 7000), (200, 2000), (500, 5000)


def measure(options):
    """Yield the rows of the table."""
    for n_rows, n_columns in SHAPES:
        yield from _fits(max(8, round(n_rows * options.scale)), n_columns, options.repeats or 3)


@contextmanager
def _outside(fit):
    """The fit, in all of theta's space."""
    columns_per_row = row_space.COLUMNS_PER_ROW
    row_space.COLUMNS_PER_ROW = inf
    try:
        yield fit
    finally:
        row_space.COLUMNS_PER_ROW = columns_per_row


def _fits(n_rows, n_columns, repeats):
    """Two classes that differ by the sum of twenty columns, one thread."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    y = X[:, :20].sum(axis=1) + rng.normal(size=n_rows) > 0.0

    def fit_of(maker, solver):
        return lambda: maker(solver=solver, random_state=0).fit(X, y)

    for solver, peer_solver in (("cg", "adam"), ("lbfgs", "lbfgs")):
        ours, peer = fit_of(BackpropMLPClassifier, solver), f"MLPClassifier({peer_solver})"
        sides = [
            Side.of("ours", ours, 1),
            Side("ours outside", lambda ours=ours: _outside(ours), 1),
            Side.of(peer, fit_of(MLPClassifier, peer_solver), 1),
        ]
        seconds = interleaved(sides, repeats, calls=1)
        for other, target in (("ours outside", 1.0), (peer, None)):
            yield Row(
                "wide",
                f"fit, {solver}, {n_rows} x {n_columns}",
                other,
                **quartiles(seconds[other] / seconds["ours"]),
                target=target,
                detail=times(seconds) if target else "",
            )
