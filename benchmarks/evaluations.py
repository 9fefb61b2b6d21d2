"""One evaluation of the cost and its gradient, beside peers and beside the bare products."""

from contextlib import contextmanager
from functools import partial

import numpy as np
from _data import random_rows
from _measure import Row, Side, default_threads, interleaved, quartiles, quickest, times
from sklearn.neural_network import MLPClassifier

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.pose import pose
from backprop_mlp._estimator.rows import Given
from backprop_mlp._objective.blocks import flops
from backprop_mlp._objective.threads import block_map
from backprop_mlp.initializers import initialize

SHAPES = (
    (60000, 784, 100, 10),
    (100000, 54, 100, 7),
    (5000, 400, 25, 10),
    (1797, 64, 25, 10),
    (500, 30, 25, 1),
)
"""Rows, features, hidden units and outputs; one output stands for two classes."""

# Shape -> what is asked for, in float64 and float32: times faster than MLPClassifier,
# and times the time of the bare products.
FASTER_THAN_MLP = dict(
    zip(SHAPES, ((1.7, 4.0), (1.7, 4.0), (1.8, 4.0), (1.5, None), (1.2, None)), strict=True)
)
TIMES_BARE_PRODUCTS = dict(
    zip(SHAPES, ((1.1, 1.25), (1.1, 1.25), (1.5, 1.5), (None, None), (None, None)), strict=True)
)
TWICE_THE_THREADS = dict.fromkeys(SHAPES[:2], 1.7)
PRECISIONS = (np.float64, np.float32)
ALPHA = 1.0


def shape_name(shape):
    """A shape in words."""
    rows, features, *units = shape
    return f"{rows} x {features} -> {' -> '.join(map(str, units))}"


def rows_of(shape, dtype, options):
    """Random X and y of a shape."""
    n_rows, n_features, _, n_outputs = shape
    return random_rows(options.rows(n_rows), n_features, max(n_outputs, 2), dtype)


class Ours:
    """Our evaluation of one network on given rows, as a full-batch solver sees it.

    Parameters
    ----------
    X, y : ndarray
    hidden : int
        Hidden units.
    **params : dict
        Other keywords of the classifier.
    """

    def __init__(self, X, y, hidden, **params):
        classifier = BackpropMLPClassifier(
            hidden, output_activation="softmax", alpha=ALPHA, **params
        )
        rng = np.random.RandomState(0)
        self.problem = pose(classifier, Given(X, y), Given(), rng)
        network = self.problem.network
        self.theta = initialize(network, classifier.initializer, np.random.default_rng(0))

    @contextmanager
    def opened(self):
        """Context in which it may be called; gives the callable."""
        with open_objective(self.problem, ALPHA) as objective:
            yield partial(objective.value_and_grad, self.theta)


class _Recording(MLPClassifier):
    """MLPClassifier that keeps the call by which its L-BFGS evaluates."""

    def _loss_grad_lbfgs(self, packed, *rest):
        self.packed, self.rest = packed.copy(), rest
        return super()._loss_grad_lbfgs(packed, *rest)

    def evaluation(self, dtype):
        """The recorded evaluation, at parameters of some precision."""
        return partial(super()._loss_grad_lbfgs, self.packed.astype(dtype), *self.rest)


def mlp_evaluations(X, y, hidden):
    """MLPClassifier's own evaluations, by the precision of their parameters.

    Its L-BFGS calls the one that has the data's precision. At float64 parameters, which
    a fit leaves behind even of float32 data, each product converts the data first.
    """
    classifier = _Recording(hidden, solver="lbfgs", alpha=ALPHA, max_iter=1, random_state=0)
    classifier.fit(X, y)
    evaluations = {"MLPClassifier": classifier.evaluation(classifier.packed.dtype)}
    if X.dtype == np.float32:
        evaluations["MLPClassifier at float64"] = classifier.evaluation(np.float64)
    return evaluations


def bare_products(shape, X):
    """The five matrix products of an evaluation and nothing else, in place.

    Two forward and three backward; none of them allocates anything.
    """
    *_, hidden, n_outputs = shape
    rng = np.random.default_rng(0)

    def matrix(*size):
        return rng.standard_normal(size, dtype=X.dtype)

    n_rows, n_features = X.shape
    W1, W2 = matrix(n_features, hidden), matrix(hidden, n_outputs)
    a, z = matrix(n_rows, hidden), matrix(n_rows, n_outputs)
    W1_grad, W2_grad, delta = np.empty_like(W1), np.empty_like(W2), np.empty_like(a)

    def products():
        np.matmul(X, W1, out=a)
        np.matmul(a, W2, out=z)
        np.matmul(a.T, z, out=W2_grad)
        np.matmul(z, W2.T, out=delta)
        np.matmul(X.T, delta, out=W1_grad)

    return products


class ProductsInBlocks:
    """The five products alone, in our blocks and on our threads: what we can't be faster than.

    Every product in the order of memory in which BLAS is quickest here; its factors are
    all there, and its result goes to a new array.

    Parameters
    ----------
    problem : Problem
        Of a network with one hidden layer.
    """

    def __init__(self, problem):
        self.blocks = problem.blocks
        first, _, last = problem.network.layers
        self.flops = flops(problem.network, self.blocks.X, self.blocks.n_rows / len(self.blocks))
        rng = np.random.default_rng(0)

        def matrix(*size):
            return rng.standard_normal(size, dtype=self.blocks.dtype)

        max_rows = max(rows.stop - rows.start for rows in self.blocks.slices)
        self.W1, self.W2 = matrix(first.n_out, first.n_in), matrix(last.n_out, last.n_in)
        self.a, self.delta = matrix(first.n_out, max_rows), matrix(last.n_out, max_rows)

    def of_rows(self, rows):
        """The products of a slice of the rows; matrices with a column a row of X."""
        X = self.blocks.X[rows]
        a, delta = self.a[:, : len(X)], self.delta[:, : len(X)]
        if X.dtype == np.float32 and X.shape[1] > len(self.W1):
            np.matmul(X, self.W1.T)
        else:
            np.matmul(self.W1, X.T)
        np.matmul(self.W2, a)
        np.matmul(delta, a.T)
        np.matmul(self.W2.T, delta)
        np.matmul(a, X)

    def run(self, map_blocks):
        for _ in map_blocks(self.of_rows, self.blocks.slices):
            pass

    @contextmanager
    def opened(self):
        """Context in which they may be computed; gives the callable."""
        with block_map(self.flops) as map_blocks:
            yield partial(self.run, map_blocks)


def measure(options):
    """Yield the rows of the table."""
    all_threads = default_threads()
    for shape in SHAPES:
        for precision, dtype in enumerate(PRECISIONS):
            X, y = rows_of(shape, dtype, options)
            hidden = shape[2]
            ours = Ours(X, y, hidden)
            in_blocks = ProductsInBlocks(ours.problem)
            peers = mlp_evaluations(X, y, hidden) | {"products": bare_products(shape, X)}
            settings = sorted({1, all_threads})
            sides = []
            for n_threads in settings:
                sides.append(Side(f"ours({n_threads})", ours.opened, n_threads))
                sides.append(Side(f"in blocks({n_threads})", in_blocks.opened, n_threads))
                sides += [
                    Side.of(f"{name}({n_threads})", call, n_threads) for name, call in peers.items()
                ]
            seconds = interleaved(sides, options.repeats or 15)
            yield from _compared(shape, precision, seconds, settings)


def _compared(shape, precision, seconds, settings):
    what = f"{shape_name(shape)}, {PRECISIONS[precision].__name__}"
    own = seconds[f"ours({settings[-1]})"]
    detail = times(seconds)
    for name in ("MLPClassifier", "MLPClassifier at float64"):
        if f"{name}(1)" not in seconds:
            continue
        peer = quickest(seconds, [f"{name}({n})" for n in settings])
        yield Row(
            "evaluation",
            what,
            f"{peer}, its best",
            **quartiles(seconds[peer] / own),
            target=FASTER_THAN_MLP[shape][precision],
            detail=detail,
        )
        detail = ""
    yield Row(
        "evaluation",
        what,
        f"{peer}, the products alone in our blocks",
        **quartiles(seconds[peer] / seconds[f"in blocks({settings[-1]})"]),
    )
    bare = quickest(seconds, [f"products({n})" for n in settings])
    yield Row(
        "evaluation",
        what,
        f"bare {bare}, their best",
        **quartiles(own / seconds[bare]),
        unit="times the time",
        target=TIMES_BARE_PRODUCTS[shape][precision],
        at_least=False,
    )
    if settings[-1] > 1:
        yield Row(
            "evaluation",
            what,
            f"ours, {settings[-1]} threads against 1",
            **quartiles(seconds["ours(1)"] / own),
            target=TWICE_THE_THREADS.get(shape) if settings[-1] == 2 else None,
        )
        yield Row(
            "evaluation",
            what,
            f"products in our blocks, {settings[-1]} threads against 1",
            **quartiles(seconds["in blocks(1)"] / seconds[f"in blocks({settings[-1]})"]),
        )
        yield Row(
            "evaluation",
            what,
            "MLPClassifier(1), ours 1 thread too",
            **quartiles(seconds["MLPClassifier(1)"] / seconds["ours(1)"]),
        )
